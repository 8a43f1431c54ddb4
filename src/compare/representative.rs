//! Whether a problem's share is many people's, and how little would overturn what is said of it (METHOD 3.9, 9.1).
//!
//! One rule holds: nothing is taken out of a count here. Copies, loud threads and colluders are shown beside the share as it
//! was counted, each with the share that would follow.

use std::collections::BTreeMap;

use super::cells::{Cells, Unit, Units};
use super::coverage::{MINIMUM_RATIO, MINIMUM_SHARE};
use super::evidence_rule as rule;
use super::stats::{Proportion, bh, p_ratio, wilson};
use crate::model::comparison::{CountsV1, FALSE_DISCOVERIES, GateV1, RepresentativenessV1, ResidualV1, ResidualsV1};

/// The largest part of a problem's people that one thread may hold (METHOD 9.1.4).
const THREAD_PART: f64 = 0.20;

/// More colluders than this are not looked for.
const MOST_COLLUDERS: u64 = 1 << 20;

/// What is known of the people with problem `index`, as the reader found them; without the breakdown number.
pub fn representativeness(cells: &Cells, index: usize) -> RepresentativenessV1 {
    let units = &cells.community.0;
    let mut threads = BTreeMap::<usize, u64>::new();
    for occurrence in units.iter().filter_map(|u| u.occurrence(index)) {
        *threads.entry(occurrence.cluster).or_default() += 1;
    }
    let people = threads.values().sum::<u64>();
    let largest = threads.values().max().copied().unwrap_or(0);
    let single = |u: &&Unit| u.accounts == 1;
    let has = |u: &&Unit| u.occurrence(index).is_some();
    let accounts = units.iter().filter_map(|u| u.occurrence(index)).map(|o| o.accounts as u64).sum();
    RepresentativenessV1 {
        author_accounts: accounts,
        copies_apart: CountsV1 { hits: accounts, of: units.iter().map(|u| u.accounts as u64).sum() },
        copies_out: CountsV1 {
            hits: units.iter().filter(single).filter(has).count() as u64,
            of: units.iter().filter(single).count() as u64,
        },
        largest_thread: CountsV1 { hits: largest, of: people },
        // One person in a thread is no crowd, however few people there are.
        thread_dominated: largest > 1 && largest as f64 > THREAD_PART * people as f64,
        capped_rate: capped_rate(&threads.into_values().collect::<Vec<_>>(), units.len() as u64),
        breakdown: None,
        newcomers: None,
        gate: gate(cells, index),
    }
}

/// The share among `of` people when those of each thread weigh together at most a fifth of all with the problem: the
/// people of a larger thread share that weight evenly, above and below the line (METHOD 9.1.4). 0 of nothing.
fn capped_rate(threads: &[u64], of: u64) -> f64 {
    let people = threads.iter().sum::<u64>() as f64;
    let weight = threads.iter().map(|n| (*n as f64).min(THREAD_PART * people)).sum::<f64>();
    let all = of as f64 - (people - weight);
    if all > 0.0 { weight / all } else { 0.0 }
}

/// Every row of METHOD 3.9 that a claim about problem `index` has to pass. That no author may be a fifth of the cells needs
/// no row: an author is one cell, and eight are asked for.
fn gate(cells: &Cells, index: usize) -> Vec<GateV1> {
    let mut rows = rule::community_rows(cells);
    let people = || cells.community.0.iter();
    let has_crm = cells.population.accounts > 0;
    let rate = |units: &Units| units.hits(index) as f64 / units.0.len().max(1) as f64;
    let silent = !has_crm || rate(&cells.community) >= rate(&cells.crm);
    let threads = people().filter_map(|u| Some(u.occurrence(index)?.cluster)).collect::<Vec<_>>();
    // What is claimed in the CRM and told by one or two people is not about their threads.
    let crowd = rule::distinct(threads.iter().copied()) < threads.len();
    if !threads.is_empty() && (silent || crowd) {
        rows.push(rule::PROBLEM_OUTSIDE_ONE_THREAD.row(rule::outside_largest(threads.into_iter())));
    }
    let crm = [("crm", &cells.crm)].into_iter().filter(|_| has_crm);
    if has_crm {
        rows.extend(rule::crm_rows(&cells.population));
        let (people, accounts) = (cells.community.hits(index) as u64, cells.crm.hits(index) as u64);
        rows.push(if silent { rule::SILENT.row(people) } else { rule::PHANTOM.row(accounts) });
    }
    for (side, units) in [("community", &cells.community)].into_iter().chain(crm) {
        rows.push(rule::label_row(side, units.labelled(), units.0.len()));
        rows.push(rule::fit_row(side, units, is_measured(side, units)));
    }
    rows
}

fn is_measured(side: &str, units: &Units) -> bool {
    rule::labels(side, units.labelled(), units.0.len()).is_none()
}

/// The smallest number of colluders for which a finding no longer `holds`. It must hold with none, and never hold again
/// once it is erased. `None` when more than a million would be needed.
pub fn breakdown(holds: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut held, mut erased) = (0, 1);
    while holds(erased) {
        if erased >= MOST_COLLUDERS {
            return None;
        }
        (held, erased) = (erased, 2 * erased);
    }
    while erased - held > 1 {
        let middle = u64::midpoint(held, erased);
        if holds(middle) { held = middle } else { erased = middle }
    }
    Some(erased)
}

/// Whether a silent problem (METHOD 3.4) would still be called so with `m` more people who tell of other problems. `crm`
/// is the CRM's share as a beta distribution, `others` the p values of all other tests of the family. Each of the `m` has
/// a thread of their own, which is the most that one person can weigh.
pub fn silent_holds(community: &Proportion, crm: (f64, f64), others: &[f64], m: u64) -> bool {
    let (a, b) = community.beta();
    let b = b + m as f64;
    let low = wilson(a / (a + b), a + b, community.t).0;
    low >= MINIMUM_SHARE && adjusted(p_ratio((a, b), crm, MINIMUM_RATIO), others) <= FALSE_DISCOVERIES
}

/// Whether a phantom pain would still be called so with `m` more people who tell of it.
pub fn phantom_holds(community: (f64, f64), crm: (f64, f64), others: &[f64], m: u64) -> bool {
    let community = (community.0 + m as f64, community.1);
    adjusted(p_ratio(crm, community, MINIMUM_RATIO), others) <= FALSE_DISCOVERIES
}

/// `p` adjusted by Benjamini and Hochberg among `others`.
fn adjusted(p: f64, others: &[f64]) -> f64 {
    let family = others.iter().copied().chain([p]).collect::<Vec<_>>();
    bh(&family).last().copied().unwrap_or(p)
}

/// What the list of problems does not hold, on both sides (METHOD 3.1.3).
pub fn residuals(cells: &Cells) -> ResidualsV1 {
    let p = &cells.population;
    let told = cells.community.0.iter().map(|u| u.accounts as u64).sum::<u64>();
    let named = cells.crm.0.iter().filter(|u| u.other || !u.found.is_empty()).count() as u64;
    ResidualsV1 {
        community: residual("community", &cells.community, told, p.authors),
        crm: residual("crm", &cells.crm, named, p.accounts),
    }
}

fn residual(side: &str, units: &Units, told: u64, of: u64) -> ResidualV1 {
    let outside = units.0.iter().filter(|u| u.other).count() as u64;
    let inside = units.0.iter().map(|u| u.found.len() as u64).sum::<u64>();
    let measured = is_measured(side, units);
    let (within, without) = rule::residual(units, measured);
    let all = within + without;
    ResidualV1 {
        other: CountsV1 { hits: outside, of: inside + outside },
        other_rate: if all > 0.0 { without / all } else { 0.0 },
        measured,
        fits: rule::fit_row(side, units, measured).passes(),
        none: CountsV1 { hits: of.saturating_sub(told), of },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::cells::{Occurrence, Topic};
    use super::*;
    use crate::model::comparison::{PopulationV1, WindowV1};

    /// A person with `accounts` accounts who tells of the only problem in `thread`, or of something else.
    fn person(id: usize, thread: usize, accounts: usize, has: bool) -> Unit {
        let occurrence = Occurrence {
            problem: 0,
            count: 1,
            accounts,
            cluster: thread,
            places: BTreeSet::from([(0, thread)]),
            elicitation: None,
            revealed: false,
        };
        Unit {
            id: format!("a{id:03}"),
            cluster: thread,
            rep: None,
            accounts,
            newcomer: false,
            found: if has { vec![occurrence] } else { Vec::new() },
            other: !has,
            gold: None,
            weight: 1.0,
        }
    }

    fn cells(community: Vec<Unit>, crm: Vec<Unit>) -> Cells {
        let population = PopulationV1 {
            communities: 1,
            threads: 12,
            authors: 100,
            problem_authors: community.len() as u64,
            accounts: if crm.is_empty() { 0 } else { 50 },
            discovery_accounts: crm.len() as u64,
            reps: 2,
            ..PopulationV1::default()
        };
        Cells {
            problems: vec![Topic { id: "p".to_owned(), name: "p".to_owned() }],
            community: Units(community),
            crm: Units(crm),
            accounts: Vec::new(),
            items: Default::default(),
            deals: Vec::new(),
            kinds: Vec::new(),
            population,
            window: WindowV1 { since: None, until: None, why: String::new() },
            caveats: Vec::new(),
        }
    }

    /// Ten people with the problem, six of them in one thread and one of these in three accounts; thirty without.
    fn ten_of_forty() -> Vec<Unit> {
        let thread = |i: usize| if i < 6 { 0 } else { i };
        let mut units = (0..10).map(|i| person(i, thread(i), if i == 0 { 3 } else { 1 }, true)).collect::<Vec<_>>();
        units.extend((10..40).map(|i| person(i, 100 + i, 1, false)));
        units
    }

    #[test]
    fn a_loud_thread_is_flagged_and_weighed_down() {
        let r = representativeness(&cells(ten_of_forty(), Vec::new()), 0);
        assert_eq!(r.largest_thread, CountsV1 { hits: 6, of: 10 });
        assert!(r.thread_dominated);
        // At most a fifth of ten is two: 2 + 4 people weigh of 40 - 4.
        assert!((r.capped_rate - 6.0 / 36.0).abs() < 1e-12, "{}", r.capped_rate);
        assert_eq!(r.breakdown, None, "what is no finding has nothing to erase");
    }

    #[test]
    fn five_even_threads_are_left_alone() {
        assert!((capped_rate(&[2, 2, 2, 2, 2], 40) - 0.25).abs() < 1e-12);
        let units = (0..10).map(|i| person(i, i % 5, 1, true)).collect();
        assert!(!representativeness(&cells(units, Vec::new()), 0).thread_dominated);
        let two = vec![person(0, 0, 1, true), person(1, 1, 1, true), person(2, 2, 1, false)];
        assert!(!representativeness(&cells(two, Vec::new()), 0).thread_dominated, "one person a thread is no crowd");
        assert!(capped_rate(&[], 0).abs() < 1e-12);
    }

    #[test]
    fn copies_count_once_and_the_bounds_show_what_they_would_do() {
        let r = representativeness(&cells(ten_of_forty(), Vec::new()), 0);
        // Three accounts are one person: 12 of 42 when each counts, 9 of 39 when none does.
        assert_eq!(r.author_accounts, 12);
        assert_eq!(r.copies_apart, CountsV1 { hits: 12, of: 42 });
        assert_eq!(r.copies_out, CountsV1 { hits: 9, of: 39 });
    }

    #[test]
    fn the_gate_shows_what_passes_and_what_does_not() {
        let failing = |cells: &Cells| {
            let rows = representativeness(cells, 0).gate;
            let failing = rows.iter().filter(|r| !r.passes()).map(|r| (r.have, r.need)).collect::<Vec<_>>();
            (rows.len(), failing)
        };
        // One of two communities; four of the ten with the problem outside their largest thread, while six of forty in one is
        // no crowd; no label of forty; ten of forty inside.
        let alone = cells(ten_of_forty(), Vec::new());
        assert_eq!(failing(&alone), (7, vec![(1, 2), (40, 80), (0, 40), (25, 85)]));
        let accounts = (0..20).map(|i| Unit { rep: Some(i % 2), ..person(i, i, 1, i < 2) }).collect();
        let both = cells(ten_of_forty(), accounts);
        // And 20 of 30 accounts, 2 of 3 reps, and the same two of the other side: two of twenty inside.
        let (rows, failing) = failing(&both);
        assert_eq!(rows, 12);
        assert_eq!(failing, [(1, 2), (40, 80), (20, 30), (2, 3), (0, 40), (25, 85), (0, 20), (10, 85)]);
    }

    #[test]
    fn the_smallest_number_that_erases_is_found() {
        for smallest in [1, 2, 3, 64, 65, 1000] {
            assert_eq!(breakdown(|m| m < smallest), Some(smallest));
        }
        assert_eq!(breakdown(|_| true), None);
    }

    fn proportion(hits: f64, of: f64) -> Proportion {
        Proportion {
            estimate: hits / of,
            mean: hits / of,
            v_post: 0.0,
            v_cluster: 0.0,
            n_eff: of,
            t: 1.96,
            df: of - 1.0,
            low: 0.0,
            high: 1.0,
            pseudo: Vec::new(),
        }
    }

    #[test]
    fn a_silent_problem_is_erased_when_it_is_too_rare_to_matter() {
        // Against a CRM that never says it the ratio cannot be erased first. Wilson's lower limit of 20 of n is 0.03 where
        // (20 - .03 n)^2 = 1.96^2 * .03 * .97 * n, at n = 434.4: with 334 more people it is above, with 335 below.
        let holds = |m| silent_holds(&proportion(20.0, 100.0), (0.001, 100_000.0), &[], m);
        assert!(holds(334) && !holds(335));
        assert_eq!(breakdown(holds), Some(335));
    }

    #[test]
    fn a_finding_is_erased_when_the_ratio_may_be_two() {
        // Shares of 40 of 200 people and 4 of 100 accounts, alone in their family.
        let silent = |m: u64| p_ratio((40.0, 160.0 + m as f64), (4.0, 96.0), 2.0);
        let smallest = breakdown(|m| silent_holds(&proportion(40.0, 200.0), (4.0, 96.0), &[], m)).unwrap();
        assert!(silent(smallest - 1) <= 0.10 && silent(smallest) > 0.10, "{smallest}");
        let phantom = |m: u64| p_ratio((30.0, 70.0), (2.0 + m as f64, 198.0), 2.0);
        let smallest = breakdown(|m| phantom_holds((2.0, 198.0), (30.0, 70.0), &[], m)).unwrap();
        assert!(phantom(smallest - 1) <= 0.10 && phantom(smallest) > 0.10, "{smallest}");
        // Among twenty tests that say nothing it takes fewer.
        let among = breakdown(|m| phantom_holds((2.0, 198.0), (30.0, 70.0), &[1.0; 19], m)).unwrap();
        assert!(among < smallest, "{among} < {smallest}");
    }

    #[test]
    fn what_the_list_does_not_hold_is_counted_on_both_sides() {
        let accounts = (0..20).map(|i| person(i, i, 1, i < 17)).collect::<Vec<_>>();
        let r = residuals(&cells(ten_of_forty(), accounts));
        assert_eq!(r.community.other, CountsV1 { hits: 30, of: 40 });
        assert!((r.community.other_rate - 0.75).abs() < 1e-12 && !r.community.fits && !r.community.measured);
        assert_eq!(r.community.none, CountsV1 { hits: 58, of: 100 }, "42 of 100 accounts tell of something");
        assert_eq!(r.crm.other, CountsV1 { hits: 3, of: 20 });
        assert!(r.crm.fits, "exactly 15 per cent outside passes");
        assert_eq!(r.crm.none, CountsV1 { hits: 30, of: 50 });
    }
}
