//! The list of worlds: what is true in each, and what it must show.

use rand_chacha::ChaCha8Rng;
use serde_json::json;

use super::brigade::{self, Attack};
use super::generate::{Claims, Errors, Plan, Problem, id};
use super::judge::{self, MOST_BIAS, Posting, Scene};
use super::score::Marks;
use super::written::Invented;
use super::{Setting, constraints, injection};

/// A world of METHOD 8.1.
pub struct World {
    /// Its name there.
    pub name: &'static str,
    /// What is true in it.
    pub truth: &'static str,
    /// What it must show.
    pub shows: &'static str,
    settings: fn() -> Vec<Setting>,
}

impl World {
    pub(super) fn settings(&self) -> Vec<Setting> {
        (self.settings)()
    }
}

/// All worlds, in METHOD's order.
pub static WORLDS: [World; 11] = [
    World {
        name: "W0",
        truth: "both sides have the same problems; the reader errs alike on both",
        shows: "declared gaps at most 5% (family FDR 10%), intervals cover 95%",
        settings: w0,
    },
    World {
        name: "W1",
        truth: "both sides have the same problems; the reader errs in posts where it does not in notes, and the reverse",
        shows: "declared gaps at most 5%, intervals cover 95%; counting by machine finds gaps nearly always",
        settings: w1,
    },
    World {
        name: "W2",
        truth: "of 20 problems 4 are silent (20% of people, 2% of accounts), 4 phantom (the mirror), 4 mild (15% and 9%)",
        shows: "FDR at most 10%; power at 60 accounts and 400 people 70% or more; mild called at most 10%",
        settings: w2,
    },
    World {
        name: "W3",
        truth: "the CRM's probabilities are too high by 0, 10, 20 or 30 points, or there are none; reps differ in that and in luck",
        shows: "forecast less outcome in its interval in 93 to 97% of runs",
        settings: w3,
    },
    World {
        name: "W4",
        truth: "of strongly interested accounts 20, 35 or 75% have given nothing; some were never asked",
        shows: "the rate, the ask rate and the rate on either side of asking in their intervals",
        settings: w4,
    },
    World {
        name: "W5",
        truth: "people with a problem post a third as often, as often, or three times as often as others",
        shows: "the ratio within the bound; a gap that posting explains never has a larger tipping point; larger gaps larger ones",
        settings: w5,
    },
    World {
        name: "W6",
        truth: "people of one thread are alike (ICC 0, .2, .4), in 20, 60 or 200 threads; at last in one problem of five only",
        shows: "intervals cover 93 to 97%",
        settings: w6,
    },
    World {
        name: "W7",
        truth: "6% of people and 4% of accounts have a problem; then somebody attacks the share of people",
        shows: "one author's posts and 40 copies move it by less than 2 points; 40 who reword are flagged or bounded",
        settings: w7,
    },
    World {
        name: "W8",
        truth: "one story of METHOD's five pairs is true, deep or surface, or two are; claims are untrue in pair 4 deep alone",
        shows: "by tests 4b and 4d, all that there is for the five pairs: elsewhere declared (the wrong remedy) in at most 5%",
        settings: w8,
    },
    World {
        name: "W9",
        truth: "8 accounts and 15 people",
        shows: "everything refuses; no interval and no rank",
        settings: w9,
    },
    World {
        name: "W12",
        truth: "one post in a hundred tells the reader what to say; the naive column has a plain sentence in its place",
        shows: "what is read of all posts changes in at most 0.5%; nothing outside the schema",
        settings: w12,
    },
];

/// A reader as good as one may hope for.
const GOOD: Errors = Errors { misses: 0.15, invents: 0.03 };

/// Hand labels of each side, where there are so many units.
const LABELS: usize = 200;

/// A plan with the usual numbers around `problems`.
pub(super) fn plan(accounts: usize, people: usize, problems: Vec<Problem>) -> Plan {
    Plan {
        problems,
        people,
        threads: people / 5,
        topical: 0.08,
        topical_every: 1,
        accounts,
        reps: (accounts / 10).clamp(4, 20),
        habits: 0.03,
        labels: LABELS,
        claims: Claims {
            strong: 0.4,
            asked: 0.5,
            unbacked_not_asked: 0.3,
            unbacked_asked: 0.1,
            notes: Errors { misses: 0.15, invents: 0.05 },
        },
        deals: 0,
        inflation: None,
    }
}

fn problem(community: f64, crm: f64) -> Problem {
    Problem { community, crm, posts: GOOD, notes: GOOD }
}

fn setting(name: String, plan: Plan, score: fn(&Scene<'_>, &mut Marks)) -> Setting {
    let size = Some((plan.accounts, plan.people));
    let invented = Some(Invented::new(&plan));
    let run = move |rng: &mut ChaCha8Rng| {
        let scene = Scene::new(&plan, rng);
        let mut marks = Marks::default();
        score(&scene, &mut marks);
        marks
    };
    Setting { name, size, invented, run: Box::new(run) }
}

fn sized(plan: Plan, score: fn(&Scene<'_>, &mut Marks)) -> Setting {
    let name = format!("{} accounts, {} people", plan.accounts, plan.people);
    setting(name, plan, score)
}

fn coverage(scene: &Scene<'_>, marks: &mut Marks) {
    judge::mix(scene, marks);
    judge::calls(scene, marks);
    judge::intervals(scene, marks);
}

/// Shares of a null world, from usual to rare.
const SAME: [f64; 12] = [0.22, 0.17, 0.14, 0.12, 0.11, 0.10, 0.09, 0.08, 0.07, 0.05, 0.04, 0.03];

fn w0() -> Vec<Setting> {
    let score = |scene: &Scene<'_>, marks: &mut Marks| {
        coverage(scene, marks);
        judge::commitment(scene, marks);
    };
    let problems = SAME.map(|p| problem(p, p)).to_vec();
    let usual = plan(150, 400, problems.clone());
    // Accounts of one rep are alike in every other world, as they are in life.
    let alike = setting("the same, reps all alike".to_owned(), Plan { habits: 0.0, ..usual.clone() }, score);
    vec![sized(plan(80, 160, problems), score), sized(usual, score), alike]
}

fn w1() -> Vec<Setting> {
    let (here, there) = (Errors { misses: 0.25, invents: 0.15 }, Errors { misses: 0.10, invents: 0.02 });
    let problems = SAME.iter().enumerate().map(|(k, p)| {
        let (posts, notes) = if k % 2 == 0 { (here, there) } else { (there, here) };
        Problem { posts, notes, ..problem(*p, *p) }
    });
    let problems = problems.collect::<Vec<_>>();
    [(80, 160, 100), (150, 400, 100), (150, 400, LABELS)]
        .into_iter()
        .map(|(accounts, people, labels)| {
            let plan = Plan { labels, ..plan(accounts, people, problems.clone()) };
            setting(format!("{accounts} accounts, {people} people, {labels} labels a side"), plan, coverage)
        })
        .collect()
}

/// 4 silent, 4 phantom, 4 mild, 8 equal (METHOD 3.4).
fn planted() -> Vec<Problem> {
    let four = |c, s| [problem(c, s); 4];
    [four(0.20, 0.02), four(0.02, 0.20), four(0.15, 0.09), four(0.08, 0.08), four(0.08, 0.08)].concat()
}

fn w2() -> Vec<Setting> {
    let score = |scene: &Scene<'_>, marks: &mut Marks| {
        judge::calls(scene, marks);
        judge::intervals(scene, marks);
    };
    let sizes = [30, 60, 120, 250].into_iter().flat_map(|m| [100, 400, 1000].map(|a| (m, a)));
    let mut settings = sizes.map(|(m, a)| sized(plan(m, a, planted()), score)).collect::<Vec<_>>();
    // What the reader's mistakes and the reps' habits cost.
    let right = planted().into_iter().map(|p| Problem { posts: Errors::NONE, notes: Errors::NONE, ..p }).collect();
    for (name, plan) in [
        ("60 accounts, 400 people, reps all alike", Plan { habits: 0.0, ..plan(60, 400, planted()) }),
        ("60 accounts, 400 people, a perfect reader", plan(60, 400, right)),
    ] {
        settings.push(Setting { size: None, ..setting(name.to_owned(), plan, score) });
    }
    settings
}

fn w3() -> Vec<Setting> {
    let steps = [Some(0.0), Some(0.1), Some(0.2), Some(0.3), None];
    let ladder = [60, 120, 300].into_iter().flat_map(|deals| steps.map(|inflation| (deals, inflation)));
    ladder
        .map(|(deals, inflation)| {
            let plan = Plan { deals, inflation, reps: 12, ..plan(40, 40, vec![problem(0.2, 0.2)]) };
            let what = match inflation {
                Some(inflation) => format!("{:.0} points too high", 100.0 * inflation),
                None => "interest only".to_owned(),
            };
            setting(format!("{deals} deals, {what}"), plan, judge::calibration)
        })
        .collect()
}

fn w4() -> Vec<Setting> {
    let truths = [(0.5, 0.3, 0.1), (0.5, 0.5, 0.2), (0.375, 0.9, 0.5)];
    let sizes = [(120, LABELS), (250, 80), (250, LABELS)];
    let both = sizes.into_iter().flat_map(|size| truths.map(|truth| (size, truth)));
    both.map(|((accounts, labels), (asked, unbacked_not_asked, unbacked_asked))| {
        let base = plan(accounts, 40, vec![problem(0.2, 0.2)]);
        let claims = Claims { asked, unbacked_not_asked, unbacked_asked, ..base.claims };
        let name = format!("{accounts} accounts, {labels} labels, {:.0}% unbacked", 100.0 * claims.unbacked());
        setting(name, Plan { claims, labels, reps: 12, ..base }, judge::commitment)
    })
    .collect()
}

fn w5() -> Vec<Setting> {
    let cases = [1.0, 2.0, 4.0, 8.0]
        .into_iter()
        .flat_map(|ratio| [1.0 / MOST_BIAS, 1.0, MOST_BIAS].map(|bias| Posting { bias, ratio }))
        .collect::<Vec<_>>();
    let problems = cases.iter().map(|case| {
        let among_all = 0.16;
        let among_posters = case.bias * among_all / (case.bias * among_all + 1.0 - among_all);
        problem(among_posters, among_all / case.ratio)
    });
    let problems = problems.collect::<Vec<_>>();
    [(120, 400), (250, 1000)]
        .into_iter()
        .map(|(accounts, people)| {
            let (plan, cases) = (plan(accounts, people, problems.clone()), cases.clone());
            let posting =
                |(k, case): (usize, &Posting)| json!({"problem": id(k), "bias": case.bias, "ratio": case.ratio});
            let planted = json!({"posting": cases.iter().enumerate().map(posting).collect::<Vec<_>>()});
            let invented = Some(Invented { planted, ..Invented::new(&plan) });
            let run = move |rng: &mut ChaCha8Rng| {
                let mut marks = Marks::default();
                judge::posting(&Scene::new(&plan, rng), &cases, &mut marks);
                marks
            };
            let name = format!("{accounts} accounts, {people} people");
            Setting { name, size: Some((accounts, people)), invented, run: Box::new(run) }
        })
        .collect()
}

fn w6() -> Vec<Setting> {
    let of = |topical: f64, topical_every: usize, threads: usize| {
        let problems = [[problem(0.2, 0.2); 5], [problem(0.08, 0.08); 5]].concat();
        Plan { topical, topical_every, threads, ..plan(200, 400, problems) }
    };
    let grid = [0.0, 0.2, 0.4].into_iter().flat_map(|topical| [20, 60, 200].map(|threads| (topical, threads)));
    let all = grid.map(|(topical, threads)| {
        setting(format!("ICC {topical:.1}, {threads} threads"), of(topical, 1, threads), |scene, marks| {
            let of = [
                ["difference at 20%", "people, 20% have it", "accounts, 20% have it"],
                ["difference at 8%", "people, 8% have it", "accounts, 8% have it"],
            ];
            (0..10).for_each(|k| judge::intervals_of(scene, k, of[k / 5], marks));
        })
    });
    // What all problems show together is then wrong for each of them.
    let one = [20, 60].map(|threads| {
        setting(format!("ICC 0.4 in one problem of five, {threads} threads"), of(0.4, 5, threads), |scene, marks| {
            let of = [
                ["difference, 20%, topical", "people, 20%, topical", "accounts, 20%, topical"],
                ["difference at 20%", "people, 20% have it", "accounts, 20% have it"],
                ["difference, 8%, topical", "people, 8%, topical", "accounts, 8%, topical"],
                ["difference at 8%", "people, 8% have it", "accounts, 8% have it"],
            ];
            (0..10).for_each(|k| judge::intervals_of(scene, k, of[2 * (k / 5) + usize::from(k % 5 > 0)], marks));
        })
    });
    all.chain(one).collect()
}

fn w7() -> Vec<Setting> {
    let problems = [vec![problem(0.06, 0.04)], SAME[..8].iter().map(|p| problem(*p, *p)).collect()].concat();
    let plan = plan(150, 400, problems);
    Attack::ALL
        .into_iter()
        .map(|attack| {
            let plan = plan.clone();
            let invented = Invented {
                planted: json!({"attack": attack.name(), "problem": id(0)}),
                cells: Box::new(move |plan, rng| brigade::attacked(plan, attack, rng).1),
                ..Invented::new(&plan)
            };
            let run = move |rng: &mut ChaCha8Rng| brigade::run(&plan, attack, rng);
            Setting { name: attack.name().to_owned(), size: None, invented: Some(invented), run: Box::new(run) }
        })
        .collect()
}

/// A world in which nothing is wrong: problems as common on both sides as they are, and a deal for each account, whose
/// probability is right about the sale.
pub(super) fn ordinary(accounts: usize, people: usize) -> Plan {
    let problems = constraints::ORDINARY.map(|(c, s)| problem(c, s)).to_vec();
    Plan { deals: accounts, inflation: Some(0.0), ..plan(accounts, people, problems) }
}

fn w8() -> Vec<Setting> {
    let sizes = [(60, 400), (250, 1000)];
    let all = constraints::CASES.into_iter().flat_map(|case| sizes.map(|size| (case, size)));
    all.map(|((story, stories), (accounts, people))| {
        let plan = constraints::plan(stories, ordinary(accounts, people));
        let name = format!("{story}: {} accounts, {people} people", plan.accounts);
        let size = Some((plan.accounts, people));
        let invented = Some(Invented {
            planted: json!({"story": story, "claims_untrue": constraints::untrue(stories)}),
            cells: Box::new(|plan, rng| constraints::struck(stories, plan, rng)),
            ..Invented::new(&plan)
        });
        let run = move |rng: &mut ChaCha8Rng| constraints::run(stories, &plan, rng);
        Setting { name, size, invented, run: Box::new(run) }
    })
    .collect()
}

fn w9() -> Vec<Setting> {
    [0, LABELS]
        .into_iter()
        .map(|labels| {
            let problems = vec![problem(0.9, 0.05), problem(0.1, 0.6), problem(0.3, 0.3)];
            let plan = Plan { labels, threads: 6, reps: 2, ..plan(8, 15, problems) };
            let name = if labels == 0 { "no label" } else { "everything labelled" };
            setting(name.to_owned(), plan, judge::tiny)
        })
        .collect()
}

fn w12() -> Vec<Setting> {
    let name = "the embedded reader".to_owned();
    vec![Setting { name, size: None, invented: None, run: Box::new(injection::run) }]
}
