//! W7: what one loud person, forty copies and forty colluders do to a share (METHOD 9.1), beside the same people left alone.

use std::collections::BTreeSet;

use rand_chacha::ChaCha8Rng;

use super::generate::{Plan, cells};
use super::judge::{Scene, called, interval};
use super::naive;
use super::score::{By, Marks, Measure};
use crate::compare::cells::{Cells, Gold, Occurrence, Unit};

/// Accounts of an attack.
const ATTACKERS: usize = 40;

/// Posts of the one who posts a lot.
const POSTS: usize = 200;

/// Who attacks problem 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attack {
    /// Nobody.
    Nobody,
    /// One author with 200 posts.
    OneAuthor,
    /// Forty accounts that post nearly the same words, which are counted as one person.
    Copies,
    /// Forty accounts with words of their own, all in one thread.
    Paraphrasers,
    /// The same, each in another thread.
    Scattered,
}

impl Attack {
    pub(super) const ALL: [Self; 5] =
        [Self::Nobody, Self::OneAuthor, Self::Copies, Self::Paraphrasers, Self::Scattered];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody attacks",
            Self::OneAuthor => "one author, 200 posts",
            Self::Copies => "40 near-copies",
            Self::Paraphrasers => "40 rewording, one thread",
            Self::Scattered => "40 rewording, scattered",
        }
    }

    /// Adds the attackers to `cells`; a thread of their own has the first number after the `threads` that there are.
    fn strikes(self, cells: &mut Cells, threads: usize) {
        let attacker = |i: usize, thread: usize, accounts: usize, posts: usize| {
            let places = BTreeSet::from([(0, thread)]);
            let found = Occurrence {
                problem: 0,
                count: posts,
                accounts,
                cluster: thread,
                places,
                elicitation: None,
                revealed: false,
            };
            Unit {
                id: format!("x_{i:05}"),
                cluster: thread,
                rep: None,
                accounts,
                newcomer: posts / accounts == 1,
                found: vec![found],
                other: false,
                gold: Some(Gold { problems: BTreeSet::from([0]), ..Gold::default() }),
                weight: 1.0,
            }
        };
        let units = &mut cells.community.0;
        match self {
            Self::Nobody => {}
            Self::OneAuthor => units.push(attacker(0, threads, 1, POSTS)),
            Self::Copies => units.push(attacker(0, threads, ATTACKERS, ATTACKERS)),
            Self::Paraphrasers => units.extend((0..ATTACKERS).map(|i| attacker(i, threads, 1, 1))),
            Self::Scattered => units.extend((0..ATTACKERS).map(|i| attacker(i, i % threads, 1, 1))),
        }
        let people = units.len() as u64;
        let threads = units.iter().map(|u| u.cluster).collect::<BTreeSet<_>>().len() as u64;
        let population = &mut cells.population;
        (population.authors, population.problem_authors, population.threads) = (people, people, threads);
    }
}

/// The cells of `plan` before and after an attack.
pub(super) fn attacked(plan: &Plan, attack: Attack, rng: &mut ChaCha8Rng) -> (Cells, Cells) {
    let before = cells(plan, rng);
    let mut after = before.clone();
    attack.strikes(&mut after, plan.threads);
    (before, after)
}

/// Each attack on the same people: how far the share moves, whether a gap is called that is not there, and whether the
/// breakdown number of such a call is as small as the attack.
pub(super) fn run(plan: &Plan, attack: Attack, rng: &mut ChaCha8Rng) -> Marks {
    let (before, after) = attacked(plan, attack, rng);
    let (before, after) = (Scene::of(plan, before, &mut rng.clone()), Scene::of(plan, after, rng));
    let mut marks = Marks::default();
    let (Some(was), Some(is)) = (before.problem(0), after.problem(0)) else { return marks };

    let truth = plan.problems[0].community;
    let of = "share of people";
    marks.interval(of, By::Candor, interval(&is.community), truth);
    marks.add(of, Measure::Bias, By::Candor, is.community.rate - was.community.rate);
    marks.add(of, Measure::Bias, By::Naive, accounts(&after) - accounts(&before));
    marks.add("share of posts", Measure::Bias, By::Naive, posts(&after) - posts(&before));
    let told = is.representativeness.as_ref();
    if let Some(told) = told {
        marks.add("capped by thread", Measure::Bias, By::Candor, told.capped_rate - naive::rate(before.counts(0).0));
        marks.yes("flagged as one thread", Measure::Power, By::Candor, told.thread_dominated);
    }
    if let Some(newcomers) = told.and_then(|t| t.newcomers) {
        let of = "people with a history";
        marks.interval(of, By::Candor, interval(&newcomers.known), truth);
        marks.add(of, Measure::Bias, By::Candor, newcomers.known.rate - truth);
        marks.yes("flagged as newcomers", Measure::Power, By::Candor, newcomers.differ());
    }
    marks.yes("contested", Measure::Power, By::Candor, is.verdict == "contested");
    let is_called = called(&is.verdict).is_some();
    marks.yes("called a gap", Measure::Type1, By::Candor, is_called);
    marks.yes("called a gap", Measure::Refused, By::Candor, is.verdict == "not_enough_evidence");
    let (people, firms) = after.counts(0);
    marks.yes("called a gap", Measure::Type1, By::Naive, naive::z_test(people, firms) <= naive::LEVEL);
    if is_called {
        let few = told.and_then(|t| t.breakdown).is_some_and(|m| m <= ATTACKERS as u64);
        marks.yes("called, breakdown to 40", Measure::Power, By::Candor, few);
    }
    marks
}

/// Share of author accounts with problem 0, each counted by itself.
fn accounts(scene: &Scene<'_>) -> f64 {
    let units = &scene.cells.community.0;
    let with = units.iter().filter_map(|u| u.occurrence(0)).map(|o| o.accounts).sum();
    naive::rate((with, units.iter().map(|u| u.accounts).sum()))
}

/// Share of posts about problem 0.
fn posts(scene: &Scene<'_>) -> f64 {
    let counts = naive::texts(&scene.cells.community, scene.plan.problems.len());
    counts.first().map_or(0.0, |of| of / counts.iter().sum::<f64>())
}
