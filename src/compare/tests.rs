//! The comparison on invented cells (METHOD 8.1): planted worlds and metamorphic tests.

mod behind;

use std::collections::BTreeSet;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cells::{Account, Cells, Gold, Items, Kind, Occurrence, Standing, Topic, Unit, Units};
use super::*;
use crate::config::Grades;
use crate::model::Elicitation;
use crate::model::comparison::{KindV1, PopulationV1, ProblemV1, RateV1, WindowV1};

/// How many of each, and how often the reader is right about a cell.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) people: usize,
    pub(super) threads: usize,
    pub(super) accounts: usize,
    pub(super) reps: usize,
    pub(super) reader_right: f64,
}

pub(super) const LARGE: Size = Size { people: 400, threads: 100, accounts: 150, reps: 15, reader_right: 1.0 };

/// True shares of a problem: of people, of accounts.
pub(super) type Shares = (f64, f64);

const SILENT: Shares = (0.20, 0.01);
const PHANTOM: Shares = (0.01, 0.20);
const MILD: Shares = (0.15, 0.09);
const EQUAL: Shares = (0.08, 0.08);

fn unit(id: String, cluster: usize, rep: Option<usize>, shares: &[f64], right: f64, rng: &mut ChaCha8Rng) -> Unit {
    let mut gold = Gold::default();
    let mut found = Vec::new();
    for (problem, share) in shares.iter().enumerate() {
        let truth = rng.random::<f64>() < *share;
        if truth {
            gold.problems.insert(problem);
        }
        if truth == (rng.random::<f64>() < right) {
            let places = if rep.is_none() { BTreeSet::from([(cluster % 3, cluster)]) } else { BTreeSet::new() };
            let elicitation = rep.map(|_| Elicitation::RepInferred);
            let revealed = rep.is_none() && cluster.is_multiple_of(2);
            found.push(Occurrence { problem, count: 1, accounts: 1, cluster, places, elicitation, revealed });
        }
    }
    Unit { id, cluster, rep, accounts: 1, newcomer: false, found, other: false, gold: Some(gold), weight: 1.0 }
}

/// A world in which every unit is labelled. Of the accounts a third claim strong interest; `unbacked` of these gave nothing.
pub(super) fn world(seed: u64, size: Size, problems: &[Shares], unbacked: f64) -> Cells {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let side = |of: fn(&Shares) -> f64| problems.iter().map(of).collect::<Vec<_>>();
    let (c, s) = (side(|p| p.0), side(|p| p.1));
    let community = (0..size.people)
        .map(|i| unit(format!("a_{i:04}"), i % size.threads, None, &c, size.reader_right, &mut rng))
        .collect();
    let crm = (0..size.accounts)
        .map(|i| unit(format!("acct {i:04}"), i, Some(i % size.reps), &s, size.reader_right, &mut rng))
        .collect();
    let accounts = (0..size.accounts)
        .map(|i| {
            let (strong, backed, asked) = (i % 3 == 0, rng.random::<f64>() >= unbacked, rng.random());
            let truth = Standing { strong, backed, asked, ..Standing::default() };
            let rep = i % size.reps;
            Account { id: format!("acct {i:04}"), rep, segment: None, found: truth, gold: Some(truth), weight: 1.0 }
        })
        .collect();
    Cells {
        problems: (0..problems.len()).map(|k| Topic { id: format!("p{k:02}"), name: format!("problem {k}") }).collect(),
        community: Units(community),
        crm: Units(crm),
        accounts,
        items: [size.people, size.accounts].map(|n| Items { all: 2 * n as u64, labelled: 0 }),
        deals: Vec::new(),
        kinds: Vec::new(),
        population: PopulationV1 {
            communities: 3,
            threads: size.threads as u64,
            posts: 2 * size.people as u64,
            authors: size.people as u64,
            problem_authors: size.people as u64,
            accounts: size.accounts as u64,
            discovery_accounts: size.accounts as u64,
            notes: 2 * size.accounts as u64,
            reps: size.reps as u64,
        },
        window: WindowV1 { since: None, until: None, why: "invented".into() },
        caveats: Vec::new(),
    }
}

/// Takes the labels of all but every `keep`-th unit away, as if those had been drawn.
fn labelled_one_in(cells: &Cells, keep: usize) -> Cells {
    let mut cells = cells.clone();
    for unit in cells.community.0.iter_mut().chain(&mut cells.crm.0).enumerate().filter(|(i, _)| i % keep != 0) {
        unit.1.gold = None;
    }
    for unit in cells.community.0.iter_mut().chain(&mut cells.crm.0) {
        unit.weight = keep as f64;
    }
    cells
}

/// Takes the label of the last account away.
fn all_but_one(cells: &Cells) -> Cells {
    let mut cells = cells.clone();
    let last = cells.crm.0.last_mut().unwrap();
    last.gold = None;
    cells
}

pub(super) fn unlabelled(cells: &Cells) -> Cells {
    let mut cells = cells.clone();
    cells.community.0.iter_mut().chain(&mut cells.crm.0).for_each(|u| u.gold = None);
    cells.accounts.iter_mut().for_each(|a| a.gold = None);
    cells
}

pub(super) fn answer(cells: &Cells) -> ComparisonV1 {
    let text = |s: &str| s.to_owned();
    compare(cells, &Origin { config_hash: text("c"), codebook_hash: text("b"), recipe: text("p | n"), seed: 1 })
}

fn of<'a>(comparison: &'a ComparisonV1, id: &str) -> &'a ProblemV1 {
    comparison.problems.iter().find(|p| p.id == id).unwrap()
}

fn is_gap(verdict: &str) -> bool {
    matches!(verdict, "silent" | "absent" | "phantom" | "finding")
}

#[test]
fn planted_gaps_are_found_and_mild_ones_are_not() {
    let problems = [SILENT, SILENT, PHANTOM, PHANTOM, MILD, MILD, EQUAL, EQUAL];
    let (mut found, mut wrong, runs) = (0, 0, 12);
    for seed in 0..runs {
        let answer = answer(&world(seed, LARGE, &problems, 0.7));
        assert_eq!(answer.trust, Trust::Measured);
        for (k, planted) in problems.iter().enumerate() {
            let problem = of(&answer, &format!("p{k:02}"));
            let right = match *planted {
                SILENT => matches!(problem.verdict.as_str(), "silent" | "absent"),
                PHANTOM => problem.verdict == "phantom",
                _ => !is_gap(&problem.verdict),
            };
            match (right, k < 4) {
                (true, true) => found += 1,
                (false, false) => wrong += 1,
                (false, true) => assert!(!is_gap(&problem.verdict), "the wrong way round: {problem:?}"),
                (true, false) => {}
            }
            if is_gap(&problem.verdict) {
                assert!(problem.gamma_star.unwrap() > 0.5 && problem.p_adjusted.unwrap() <= 0.10);
            }
            if problem.verdict == "no_gap_detected" {
                let (difference, seen) = (problem.difference.unwrap(), problem.detectable.unwrap());
                // Half the interval is seen every second time; four times in five takes two fifths more.
                assert!(seen >= difference.estimate.abs() && seen > 0.65 * (difference.high - difference.low));
            }
        }
        assert_eq!(answer.components[0].verdict, "finding");
        assert_eq!(answer.components[1].verdict, "finding");
    }
    assert!(found as f64 >= 0.7 * (4 * runs) as f64, "{found} of {} planted gaps", 4 * runs);
    assert!(wrong as f64 <= 0.1 * (4 * runs) as f64, "{wrong} of {} others called", 4 * runs);
}

#[test]
fn a_sentence_of_measured_shares_names_those_and_not_what_the_machine_counted() {
    let size = Size { reader_right: 0.9, ..LARGE };
    let answer = answer(&labelled_one_in(&world(2, size, &[(0.4, 0.02), EQUAL], 0.5), 2));
    let (problem, says) = (of(&answer, "p00"), &answer.components[0].says);
    let share = |rate: &RateV1| wording::percent(rate.rate);
    assert_eq!(problem.verdict, "silent");
    assert_ne!(share(&problem.crm), wording::percent(problem.crm.hits as f64 / problem.crm.of as f64));
    let told = format!("problem 0 ({} of people, {} of accounts)", share(&problem.community), share(&problem.crm));
    assert!(says.contains(&told), "{told}: {says}");
}

#[test]
fn whom_the_reader_picked_for_nothing_is_told() {
    let cells = world(3, LARGE, &[SILENT, EQUAL], 0.5);
    let none = cells.community.0.iter().filter(|u| u.gold.as_ref().is_some_and(|g| g.problems.is_empty())).count();
    let says = format!("By hand labels {none} of 400 people it picked told of no problem on the list.");
    assert!(answer(&cells).caveats.iter().any(|c| c.contains(&says)), "{says}");
    let counted = answer(&unlabelled(&cells)).caveats;
    assert!(counted.iter().any(|c| c.contains("Whom it misses is in no share")), "{counted:?}");
    assert!(!counted.iter().any(|c| c.contains("By hand labels")), "{counted:?}");
}

#[test]
fn a_silent_problem_of_one_kind_of_community_is_named() {
    let mut cells = world(3, LARGE, &[SILENT, EQUAL], 0.5);
    let kind = |name, community| Kind { name, communities: BTreeSet::from([community]), people: BTreeSet::new() };
    cells.kinds = vec![kind("chat", 7), kind("forum", 1)];
    let told = |cells: &Cells| {
        answer(cells).caveats.iter().any(|c| c.contains("one kind of community only: problem 0 (forum)"))
    };
    assert!(told(&cells));
    cells.kinds[0] = kind("chat", 2);
    assert!(!told(&cells));
}

#[test]
fn absent_needs_a_census_without_a_mention() {
    let cells = world(3, LARGE, &[(0.3, 0.0), EQUAL], 0.5);
    assert_eq!(of(&answer(&cells), "p00").verdict, "absent");
    let mut mentioned = cells;
    mentioned.crm.0[0].gold = Some(Gold { problems: BTreeSet::from([0]), ..Gold::default() });
    assert_eq!(of(&answer(&mentioned), "p00").verdict, "silent");
}

#[test]
fn without_labels_nothing_is_a_finding() {
    let cells = world(1, LARGE, &[SILENT, PHANTOM, EQUAL], 0.7);
    assert!(answer(&cells).problems.iter().any(|p| is_gap(&p.verdict)));
    let counted = answer(&unlabelled(&cells));
    assert_eq!(counted.trust, Trust::Counted);
    for problem in &counted.problems {
        assert_eq!(problem.verdict, "uncorrected");
        assert!(problem.difference.is_none() && problem.p_adjusted.is_none() && problem.community.low.is_none());
        assert_eq!(problem.community.rate, problem.community.hits as f64 / problem.community.of as f64);
    }
    for component in &counted.components[..2] {
        assert_eq!(component.verdict, "uncorrected");
        assert!(component.low.is_none() && component.says.contains("not corrected"), "{}", component.says);
    }
    assert!(counted.components[0].says.contains("60 people and 60 accounts"), "{}", counted.components[0].says);
    for newcomers in counted.problems.iter().filter_map(|p| p.representativeness.as_ref()?.newcomers) {
        assert!(newcomers.known.low.is_none() && newcomers.single_post.low.is_none() && newcomers.difference.is_none());
    }
    assert!(counted.optimism.unbacked.low.is_none());
    assert!(counted.segments.iter().all(|s| s.low.is_none() && s.omnibus_p.is_none()));
}

/// METHOD 8.1: whatever was a finding with labels is none without them, on each side alone as well.
#[test]
fn without_the_labels_of_one_side_nothing_is_a_finding() {
    let cells = world(1, LARGE, &[SILENT, PHANTOM, EQUAL], 0.7);
    let (mut no_people, mut no_accounts) = (cells.clone(), cells);
    no_people.community.0.iter_mut().for_each(|u| u.gold = None);
    no_accounts.crm.0.iter_mut().for_each(|u| u.gold = None);
    for (half, missing) in [(no_people, "hand labels (community)"), (no_accounts, "hand labels (crm)")] {
        let answer = answer(&half);
        assert_eq!(answer.components[0].verdict, "uncorrected");
        assert!(answer.components[0].says.contains(" are counted by machine"), "{}", answer.components[0].says);
        for problem in &answer.problems {
            assert_eq!(problem.verdict, "uncorrected");
            let labels = problem.missing.iter().map(|m| m.what.as_str()).collect::<Vec<_>>();
            assert_eq!(labels, [missing]);
        }
    }
}

/// Whoever has begun to label is told no less than before, and what is still missing.
#[test]
fn a_few_labels_leave_the_machine_count() {
    let cells = world(1, LARGE, &[SILENT, PHANTOM, EQUAL], 0.7);
    let none = answer(&unlabelled(&cells));
    let mut few = cells;
    few.community.0.iter_mut().skip(26).for_each(|u| u.gold = None);
    few.crm.0.iter_mut().skip(23).for_each(|u| u.gold = None);
    few.accounts.iter_mut().skip(23).for_each(|a| a.gold = None);
    few.items[0].labelled = 60;
    let few = answer(&few);
    assert_eq!((none.trust, few.trust), (Trust::Counted, Trust::Counted));
    for (before, now) in none.components.iter().zip(&few.components).take(2) {
        assert_eq!((before.verdict.as_str(), now.verdict.as_str()), ("uncorrected", "uncorrected"));
        assert_eq!(before.estimate, now.estimate);
        assert!(now.missing.iter().any(|m| m.what == "hand labels (crm)" && (m.have, m.need) == (23, 60)));
    }
    for (before, now) in none.problems.iter().zip(&few.problems) {
        assert_eq!((&before.verdict, before.community, before.crm), (&now.verdict, now.community, now.crm));
    }
    assert_eq!(few.labels, LabelsV1 { community: 26, crm: 23 });
    assert!(
        few.components[0].says.contains("Labelled so far: 26 of 60 people (60 posts)"),
        "{}",
        few.components[0].says
    );
}

/// METHOD 3.9: no share of a side that there is too little of, and no lack of the other.
#[test]
fn a_side_with_too_little_is_counted_and_the_other_measured() {
    let mut cells = world(1, LARGE, &[SILENT, PHANTOM, EQUAL], 0.7);
    cells.population.communities = 1;
    let one = answer(&cells);
    assert_eq!(one.trust, Trust::Measured, "the accounts are");
    for problem in &one.problems {
        assert!(problem.community.low.is_none() && problem.community.labels == 0, "{problem:?}");
        assert!(problem.crm.low.is_some() && problem.verdict == "not_enough_evidence", "{problem:?}");
        assert!(problem.missing.iter().any(|m| m.what == "communities" && m.need == 2));
    }
    cells.population.reps = 2;
    let neither = answer(&cells);
    assert!(neither.problems.iter().all(|p| p.crm.low.is_none()));
    assert!(neither.optimism.unbacked.low.is_none() && neither.segments.iter().all(|s| s.low.is_none()));
    assert_eq!(neither.trust, Trust::NotEnoughEvidence);
}

#[test]
fn too_few_labels_say_how_many_more() {
    let cells = labelled_one_in(&world(1, LARGE, &[SILENT, EQUAL], 0.7), 10);
    let answer = answer(&cells);
    let problem = of(&answer, "p00");
    assert_eq!(problem.verdict, "uncorrected");
    let missing = problem.missing.iter().map(|m| (m.what.as_str(), m.have, m.need)).collect::<Vec<_>>();
    assert_eq!(missing, [("hand labels (community)", 40, 60), ("hand labels (crm)", 15, 60)]);
    assert!(problem.community.low.is_none() && problem.community.labels == 0);
}

#[test]
fn a_sample_corrects_a_bad_reader() {
    let size = Size { reader_right: 0.8, people: 480, accounts: 240, ..LARGE };
    let problems = [(0.25, 0.10), (0.15, 0.20), (0.10, 0.10), (0.30, 0.05)];
    let (mut covered, mut naive, mut asked) = (0, 0, 0);
    for seed in 0..25 {
        let answer = answer(&labelled_one_in(&world(seed, size, &problems, 0.5), 3));
        for (k, (c, s)) in problems.iter().enumerate() {
            let problem = of(&answer, &format!("p{k:02}"));
            for (rate, truth) in [(problem.community, c), (problem.crm, s)] {
                asked += 1;
                covered += i32::from(rate.low.unwrap() <= *truth && *truth <= rate.high.unwrap());
                let (low, high) = stats::wilson(rate.hits as f64 / rate.of as f64, rate.of as f64, stats::Z95);
                naive += i32::from(low <= *truth && *truth <= high);
            }
        }
    }
    assert!(f64::from(covered) / f64::from(asked) > 0.91, "{covered} of {asked}");
    assert!(f64::from(naive) / f64::from(asked) < 0.3, "counting naively covers {naive} of {asked}");
}

#[test]
fn no_gap_is_seldom_called_a_gap() {
    let problems = [(0.2, 0.2), (0.1, 0.1), (0.05, 0.05), (0.1, 0.1)];
    let runs = 40;
    let called = (0..runs)
        .filter(|seed| answer(&world(*seed, LARGE, &problems, 0.5)).components[0].verdict == "finding")
        .count();
    assert!(called <= 5, "{called} of {runs} null worlds; 2 are expected at 5%");
}

#[test]
fn swapping_the_sides_flips_the_signs() {
    let size = Size { people: 200, threads: 200, accounts: 200, reps: 20, ..LARGE };
    let mut cells = world(5, size, &[SILENT, PHANTOM, MILD, EQUAL, (0.3, 0.25)], 0.5);
    // Reps would cluster one side only.
    cells.crm.0.iter_mut().for_each(|u| u.rep = None);
    let mut swapped = cells.clone();
    std::mem::swap(&mut swapped.community, &mut swapped.crm);
    let (there, back) = (answer(&cells), answer(&swapped));
    for problem in &there.problems {
        let mirror = of(&back, &problem.id);
        let (d, m) = (problem.difference.unwrap(), mirror.difference.unwrap());
        assert_eq!((d.estimate, d.low, d.high), (-m.estimate, -m.high, -m.low));
        assert_eq!(problem.p_adjusted, mirror.p_adjusted);
        let mirrored = match problem.verdict.as_str() {
            "silent" | "absent" => "phantom",
            "phantom" => "silent or absent",
            same => same,
        };
        assert!(mirrored.contains(mirror.verdict.as_str()), "{} became {}", problem.verdict, mirror.verdict);
    }
    let (c, m) = (&there.components[0], &back.components[0]);
    assert!((c.estimate.unwrap() - m.estimate.unwrap()).abs() < 1e-12);
}

#[test]
fn permuting_the_problems_permutes_the_output() {
    let cells = world(6, LARGE, &[SILENT, PHANTOM, MILD, EQUAL], 0.6);
    let to = [2, 0, 3, 1];
    let mut permuted = cells.clone();
    for (from, topic) in cells.problems.iter().enumerate() {
        permuted.problems[to[from]] = topic.clone();
    }
    for unit in permuted.community.0.iter_mut().chain(&mut permuted.crm.0) {
        unit.found.iter_mut().for_each(|o| o.problem = to[o.problem]);
        unit.found.sort_by_key(|o| o.problem);
        let gold = unit.gold.as_mut().unwrap();
        gold.problems = gold.problems.iter().map(|k| to[*k]).collect();
    }
    let ranks = |cells: &Cells| {
        let ranks = ranks::ranks(cells, 1).unwrap();
        let sides = [ranks.community, ranks.community_all, ranks.crm].into_iter().flatten();
        // The mass is summed in the order of the problems.
        sides.map(|r| (r.id, (r.mass * 1e9).round(), r.top5)).collect::<Vec<_>>()
    };
    assert_eq!(ranks(&cells), ranks(&permuted));
    let (there, back) = (answer(&cells), answer(&permuted));
    assert_eq!(there.problems, back.problems);
    for (a, b) in there.components.iter().zip(&back.components) {
        assert_eq!((&a.verdict, &a.says), (&b.verdict, &b.says));
    }
    for (a, b) in there.components.iter().zip(&back.components).take(2) {
        assert!((a.estimate.unwrap() - b.estimate.unwrap()).abs() < 1e-12);
    }
}

#[test]
fn the_order_of_the_units_does_not_matter() {
    let cells = world(7, LARGE, &[SILENT, EQUAL], 0.6);
    let mut reversed = cells.clone();
    reversed.community.0.reverse();
    reversed.crm.0.reverse();
    let (there, back) = (answer(&cells), answer(&reversed));
    for (a, b) in there.problems.iter().zip(&back.problems) {
        assert_eq!((&a.id, &a.verdict), (&b.id, &b.verdict));
        assert!((a.community.low.unwrap() - b.community.low.unwrap()).abs() < 1e-9);
    }
}

#[test]
fn tiny_data_refuses_everything() {
    let size = Size { people: 15, threads: 6, accounts: 8, reps: 2, reader_right: 1.0 };
    let cells = world(8, size, &[(0.9, 0.0), (0.1, 0.6)], 1.0);
    for cells in [unlabelled(&cells), cells] {
        let answer = answer(&cells);
        assert_eq!(answer.trust, Trust::NotEnoughEvidence);
        for problem in &answer.problems {
            assert_eq!(problem.verdict, "not_enough_evidence");
            assert!(!problem.missing.is_empty() && problem.gamma_star.is_none());
        }
        for component in answer.components.iter().filter(|c| c.name != "sentiment") {
            assert_eq!(component.verdict, "not_enough_evidence");
            assert!(component.estimate.is_none() && !component.missing.is_empty() && !component.says.is_empty());
        }
    }
}

#[test]
fn one_thread_cannot_make_a_silent_problem() {
    let mut cells = world(9, LARGE, &[(0.15, 0.0), EQUAL], 0.5);
    assert!(is_gap(&of(&answer(&cells), "p00").verdict));
    // The same people, but a third of them wrote of it first in one thread.
    for unit in cells.community.0.iter_mut().filter(|u| u.occurrence(0).is_some()).step_by(3) {
        unit.found.iter_mut().filter(|o| o.problem == 0).for_each(|o| o.cluster = 0);
    }
    let answer = answer(&cells);
    let problem = of(&answer, "p00");
    assert_eq!(problem.verdict, "not_enough_evidence");
    assert!(problem.missing.iter().any(|m| m.what.contains("largest thread")), "{:?}", problem.missing);
}

#[test]
fn a_likely_gap_that_is_not_certain_is_not_called_none() {
    let size = Size { people: 120, accounts: 80, ..LARGE };
    let mut seen = 0;
    for seed in 0..10 {
        let cells = world(seed, size, &[(0.25, 0.06), EQUAL], 0.5);
        let answer = answer(&cells);
        let problem = of(&answer, "p00");
        let difference = problem.difference.unwrap();
        let twice = problem.community.rate > 2.5 * problem.crm.rate;
        if difference.low > 0.0 && twice && !is_gap(&problem.verdict) {
            seen += 1;
            assert_eq!(problem.verdict, "not_enough_evidence");
            let missing = problem.missing.last().unwrap();
            assert!(missing.have == 200 && missing.need > 200, "{missing:?}");
            assert!(missing.what.starts_with("people and accounts, all labelled"), "{missing:?}");
            // As long as any unit has no label, labels are asked for, and no more of them than there are units.
            let part = self::answer(&all_but_one(&cells));
            let part = of(&part, "p00").missing.last().unwrap().clone();
            assert!(part.what.starts_with("hand labels, ") && (part.have, part.need) == (199, 200), "{part:?}");
        }
    }
    assert!(seen > 0);
}

#[test]
fn a_codebook_that_does_not_fit_refuses_coverage() {
    let mut cells = world(10, LARGE, &[SILENT, EQUAL], 0.5);
    cells.crm.0.iter_mut().step_by(2).for_each(|u| u.gold.as_mut().unwrap().other = true);
    let answer = answer(&cells);
    assert_eq!(answer.components[0].verdict, "not_enough_evidence");
    assert!(answer.components[0].missing[0].what.contains("codebook_does_not_fit"));
    assert!(answer.problems.iter().all(|p| p.verdict == "not_enough_evidence"));
    assert_eq!(answer.components[1].verdict, "finding", "what stands behind a claim needs no codebook");

    let mut counted = unlabelled(&cells);
    assert!(!self::answer(&counted).caveats.iter().any(|c| c.contains("codebook_does_not_fit")));
    counted.crm.0.iter_mut().for_each(|u| u.other = true);
    let answer = self::answer(&counted);
    assert!(answer.caveats.iter().any(|c| c.contains("in the CRM only") && c.contains("codebook_does_not_fit")));
    assert!(answer.problems.iter().all(|p| p.verdict == "uncorrected"), "shown, with the caveat");
}

#[test]
fn without_a_crm_the_community_is_still_counted() {
    let mut cells = unlabelled(&world(11, LARGE, &[SILENT, EQUAL], 0.5));
    cells.crm = Units::default();
    cells.accounts.clear();
    cells.population = PopulationV1 { accounts: 0, discovery_accounts: 0, notes: 0, reps: 0, ..cells.population };
    let answer = answer(&cells);
    assert_eq!(answer.trust, Trust::Counted);
    assert!(answer.problems.iter().all(|p| p.verdict == "not_enough_evidence" && p.community.of == 400));
    assert!(answer.caveats.iter().any(|c| c.contains("no CRM notes")));
}

#[test]
fn unbacked_optimism_is_split_by_asking() {
    let cells = world(12, LARGE, &[EQUAL], 0.8);
    let answer = answer(&cells);
    let optimism = &answer.optimism;
    assert_eq!(optimism.strong, 50);
    assert_eq!(optimism.never_asked + optimism.asked_not_given, optimism.unbacked.hits);
    assert_eq!(optimism.unbacked_accounts.len() as u64, optimism.unbacked.hits);
    assert!(
        (optimism.unbacked.rate - optimism.unbacked.hits as f64 / 50.0).abs() < 1e-9,
        "a census needs no correction"
    );
    let says = &answer.components[1].says;
    assert!(says.contains("never asked") && says.contains("of 50 accounts"), "{says}");
    assert!(says.contains("Counted by hand: ") && !says.contains("Corrected"), "nothing is corrected: {says}");

    let honest = self::answer(&world(12, LARGE, &[EQUAL], 0.1));
    assert_eq!(honest.components[1].verdict, "no_gap_detected");
    assert!(honest.components[1].detectable.unwrap() > 0.2);
}

fn concluded(cells: &Cells, settings: &CompareSettings) -> ComparisonV1 {
    let mut comparison = answer(cells);
    overall::conclude(&mut comparison, settings);
    comparison
}

#[test]
fn the_worst_part_is_named_when_two_can_be_graded() {
    let settings = CompareSettings::default();
    let cells = world(13, LARGE, &[SILENT, PHANTOM, EQUAL], 0.8);
    let comparison = concluded(&cells, &settings);
    let overall = comparison.overall.unwrap();
    assert_eq!((overall.graded, overall.of), (2, 4));
    assert_eq!(overall.grade.as_deref(), Some("large"));
    for component in &comparison.components[..2] {
        assert!(component.grade.is_some(), "{component:?}");
    }
    // The name is that of the part furthest beyond its own cut-off, so cut-offs out of reach change it.
    let lenient = |coverage, commitment| CompareSettings {
        grades: Grades { coverage, commitment, ..Grades::default() },
        ..CompareSettings::default()
    };
    for (settings, worst) in
        [(lenient([0.001, 0.01], [0.9, 0.99]), "coverage"), (lenient([0.9, 0.99], [0.1, 0.2]), "commitment")]
    {
        assert_eq!(concluded(&cells, &settings).overall.unwrap().worst.as_deref(), Some(worst));
    }
    assert!(comparison.thresholds.iter().any(|t| t.what == "commitment is large from" && t.value == 0.5));
}

#[test]
fn without_labels_there_is_no_grade_and_no_word() {
    let cells = unlabelled(&world(13, LARGE, &[SILENT, PHANTOM, EQUAL], 0.8));
    let comparison = concluded(&cells, &CompareSettings::default());
    assert!(comparison.components.iter().all(|c| c.grade.is_none()));
    let overall = comparison.overall.unwrap();
    assert_eq!((overall.worst, overall.grade, overall.graded), (None, None, 0));
    for problem in &comparison.problems {
        let selection = problem.selection.as_ref().unwrap();
        assert_eq!(selection.grade, None);
        assert_eq!(selection.bounds.len(), 4, "a count can be bounded as well as a measurement");
    }
}

#[test]
fn one_part_alone_makes_no_word() {
    let mut cells = world(14, LARGE, &[SILENT, EQUAL], 0.8);
    cells.accounts.iter_mut().for_each(|a| a.gold = Some(Standing { strong: false, ..a.found }));
    let overall = concluded(&cells, &CompareSettings::default()).overall.unwrap();
    assert_eq!((overall.worst, overall.graded), (None, 1));
}

#[test]
fn findings_are_graded_by_gamma_star_and_counted_by_kind() {
    let mut cells = world(15, LARGE, &[SILENT, EQUAL], 0.5);
    by_kind(&mut cells, |u| if u.cluster.is_multiple_of(3) { "chat" } else { "forum" });
    let answer = answer(&cells);
    let problem = of(&answer, "p00");
    let selection = problem.selection.as_ref().unwrap();
    let gamma = problem.gamma_star.unwrap();
    let expected = if gamma < 1.5 {
        "fragile"
    } else if gamma <= 3.0 {
        "moderate"
    } else {
        "robust"
    };
    assert_eq!(selection.grade.as_deref(), Some(expected));
    let [chat, forum] = [0, 1].map(|i| selection.kinds[i].people);
    assert_eq!((chat.of, forum.of), (136, 264));
    // Everybody tells in one thread, which is in one community.
    let told = cells.community.0.iter().filter(|u| u.occurrence(0).is_some()).count() as u64;
    assert_eq!(chat.hits + forum.hits, told);
    assert_eq!(of(&answer, "p01").selection.as_ref().unwrap().grade, None, "no finding, no grade");
}

#[test]
fn a_silent_problem_of_one_kind_of_community_is_not_robust() {
    let mut cells = world(15, LARGE, &[(0.6, 0.01), (0.01, 0.6), EQUAL], 0.5);
    let graded = |cells: &Cells, id| {
        let answer = answer(cells);
        let problem = of(&answer, id);
        assert!(problem.gamma_star.unwrap() > 3.0, "{problem:?}");
        problem.selection.as_ref().unwrap().grade.clone().unwrap()
    };
    by_kind(&mut cells, |_| "forum");
    assert_eq!(graded(&cells, "p00"), "moderate");
    assert_eq!(graded(&cells, "p01"), "robust", "that hardly anybody tells of a phantom is no want of kinds");
    by_kind(&mut cells, |u| if u.cluster.is_multiple_of(3) { "chat" } else { "forum" });
    assert_eq!(graded(&cells, "p00"), "robust");
}

/// Everybody of `cells` in the kind of community that `name` gives.
fn by_kind(cells: &mut Cells, name: impl Fn(&Unit) -> &'static str) {
    let mut kinds = BTreeMap::<_, (BTreeSet<usize>, BTreeSet<String>)>::new();
    for unit in &cells.community.0 {
        let (communities, people) = kinds.entry(name(unit)).or_default();
        communities.insert(unit.cluster % 3);
        people.insert(unit.id.clone());
    }
    cells.kinds = kinds.into_iter().map(|(name, (communities, people))| Kind { name, communities, people }).collect();
}

fn kinds_of<'a>(answer: &'a ComparisonV1, id: &str) -> &'a [KindV1] {
    &of(answer, id).selection.as_ref().unwrap().kinds
}

#[test]
fn each_kind_of_community_has_a_tipping_point_of_its_own() {
    let mut cells = world(15, LARGE, &[SILENT, PHANTOM, EQUAL], 0.5);
    // People of the chat have the silent problem far more often than people of the forum.
    for unit in cells.community.0.iter_mut().filter(|u| u.cluster % 3 > 0 && u.cluster.is_multiple_of(2)) {
        unit.found.retain(|o| o.problem > 0);
        unit.gold.as_mut().unwrap().problems.remove(&0);
    }
    by_kind(&mut cells, |u| if u.cluster.is_multiple_of(3) { "chat" } else { "forum" });
    let answer = answer(&cells);
    let [chat, forum] = kinds_of(&answer, "p00") else { panic!() };
    assert!(chat.gamma_star > forum.gamma_star && chat.missing.is_empty(), "{chat:?} {forum:?}");
    assert!(chat.grade.is_some() && chat.share.unwrap().of == 136 && chat.share.unwrap().low.is_some());
    // Of a phantom it is the other way round: the accounts' share over that of the people.
    assert_eq!(of(&answer, "p01").verdict, "phantom");
    assert!(kinds_of(&answer, "p01").iter().all(|k| k.gamma_star.is_some_and(|g| g > 0.3) && k.grade.is_some()));
    assert!(kinds_of(&answer, "p02").iter().all(|k| k.gamma_star.is_none() && k.missing.is_empty()), "no finding");

    // All people in one kind are all people.
    by_kind(&mut cells, |_| "forum");
    let answer = self::answer(&cells);
    let problem = of(&answer, "p00");
    assert_eq!(kinds_of(&answer, "p00")[0].gamma_star, problem.gamma_star);
    assert_eq!(kinds_of(&answer, "p00")[0].grade, problem.selection.as_ref().unwrap().grade);
}

#[test]
fn a_kind_with_too_little_evidence_says_what_is_missing() {
    let mut cells = labelled_one_in(&world(15, LARGE, &[SILENT, EQUAL], 0.5), 4);
    by_kind(&mut cells, |u| match u.cluster {
        0..5 => "chat",
        5..60 => "forum",
        _ => "social",
    });
    let cells = Cells { crm: world(15, LARGE, &[SILENT, EQUAL], 0.5).crm, ..cells };
    let answer = answer(&cells);
    let [chat, forum, _] = kinds_of(&answer, "p00") else { panic!("{answer:?}") };
    let missing = |kind: &KindV1| kind.missing.iter().map(|m| (m.what.clone(), m.have, m.need)).collect::<Vec<_>>();
    assert!(chat.gamma_star.is_none() && chat.share.is_none());
    assert_eq!(missing(chat)[0], ("people with a problem-bearing post".to_owned(), 20, 30));
    assert_eq!(missing(chat)[1], ("threads".to_owned(), 5, 10));
    assert_eq!(missing(forum), [("hand labels (forum)".to_owned(), 52, 60)]);
}
