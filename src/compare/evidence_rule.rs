//! How much is enough (METHOD 3.9). One rule holds: a claim that fails says what is missing and how many more it takes.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Cells, Units};
use super::stats::normal_quantile;
use crate::model::Missing;
use crate::model::comparison::{GateV1, PopulationV1};

/// A count that a claim needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// Of what.
    pub what: &'static str,
    /// How many.
    pub at_least: u64,
}

/// Any share of a community: authors, threads, communities.
pub const COMMUNITY_SHARE: [Need; 3] = [
    Need { what: "people with a problem-bearing post", at_least: 30 },
    Need { what: "threads", at_least: 10 },
    Need { what: "communities", at_least: 2 },
];

/// Any share of the CRM: accounts, reps; with fewer reps they are this rep's notes.
pub const CRM_SHARE: [Need; 2] = [
    Need { what: "accounts with a note of 40 words or a claimed pain", at_least: 30 },
    Need { what: "reps", at_least: 3 },
];

/// No thread may hold more than a fifth of the people: per cent of them outside the largest.
pub const OUTSIDE_ONE_THREAD: Need = Need { what: "per cent of people outside the largest thread", at_least: 80 };

/// The same for the people with one problem.
pub const PROBLEM_OUTSIDE_ONE_THREAD: Need =
    Need { what: "per cent of people with this problem outside the largest thread", at_least: 80 };

/// A silent problem.
pub const SILENT: Need = Need { what: "people with this problem", at_least: 8 };

/// A phantom pain, the mirror.
pub const PHANTOM: Need = Need { what: "accounts with this problem", at_least: 8 };

/// Hand labels on each side; fewer when there are fewer units, and then all.
pub const LABELS: u64 = 60;

/// "Absent" needs so many accounts read by hand with no mention at all: upper 95% bound 0.05.
pub const ABSENT: u64 = 59;

/// A gap of which the interval is the answer ("no gap") needs this effective sample on each side. A silent problem or a phantom pain
/// is told by its own test and has a row of its own in METHOD 3.9.
pub const GAP_N_EFF: Need = Need { what: "effective sample size on the smaller side", at_least: 20 };

/// And an interval no wider than this.
pub const GAP_WIDTH: f64 = 0.40;

/// The unbacked-optimism rate.
pub const OPTIMISM: Need =
    Need { what: "accounts whose notes claim strong interest, at least 30 days old", at_least: 20 };

/// The kept-promise rate: as many clusters as any rate (METHOD 3.11).
pub const PROMISES: Need =
    Need { what: "accounts with a promise that was due and then kept or missed", at_least: CLUSTERS as u64 };

/// Outcomes behind a calibration, and of them with the outcome as well as without it.
pub const OUTCOMES: u64 = 30;

/// The same.
pub const OF_EACH_CLASS: u64 = 5;

/// Outcomes behind a reliability curve; with fewer only the table by level of interest is shown.
pub const CURVE: u64 = 100;

/// A segment of accounts beside others; with fewer only its counts are told.
pub const SEGMENT: Need = Need { what: "accounts in the segment", at_least: 20 };

/// Fewer clusters than this give no interval (METHOD 3.11).
pub const CLUSTERS: usize = 10;

/// Problem-bearing cells outside the codebook, per cent at most, on either side (METHOD 3.1.3); the rest must be inside.
pub const INSIDE_CODEBOOK: u64 = 85;

impl Need {
    /// The row of the gate when there are `have`.
    pub fn row(&self, have: u64) -> GateV1 {
        GateV1 { what: self.what.to_owned(), have, need: self.at_least }
    }

    /// What is missing when there are `have`.
    pub fn check(&self, have: u64) -> Option<Missing> {
        self.row(have).missing()
    }
}

/// The rows for any share of the communities.
pub fn community_rows(cells: &Cells) -> Vec<GateV1> {
    let (p, people) = (&cells.population, &cells.community.0);
    let have = [p.problem_authors, p.threads, p.communities];
    let mut rows = COMMUNITY_SHARE.iter().zip(have).map(|(n, have)| n.row(have)).collect::<Vec<_>>();
    if !people.is_empty() {
        rows.push(OUTSIDE_ONE_THREAD.row(outside_largest(people.iter().map(|u| u.cluster))));
    }
    rows
}

/// The rows for a share of the people of one kind of community.
pub fn kind_rows(people: &Units) -> Vec<GateV1> {
    let threads = || people.0.iter().map(|u| u.cluster);
    let [enough, discussed, _] = COMMUNITY_SHARE;
    let mut rows = vec![enough.row(people.0.len() as u64), discussed.row(distinct(threads()) as u64)];
    if !people.0.is_empty() {
        rows.push(OUTSIDE_ONE_THREAD.row(outside_largest(threads())));
    }
    rows
}

/// The rows for any share of the CRM.
pub fn crm_rows(population: &PopulationV1) -> Vec<GateV1> {
    CRM_SHARE.iter().zip([population.discovery_accounts, population.reps]).map(|(n, have)| n.row(have)).collect()
}

/// What is missing for any share on either side, and so for any comparison of the two.
pub fn shares(cells: &Cells) -> Vec<Missing> {
    [community_rows(cells), crm_rows(&cells.population)].iter().flatten().filter_map(GateV1::missing).collect()
}

/// Per cent of units outside the largest cluster, rounded up, so that exactly a fifth inside passes.
pub fn outside_largest(clusters: impl Iterator<Item = usize>) -> u64 {
    let mut sizes = BTreeMap::<usize, u64>::new();
    for cluster in clusters {
        *sizes.entry(cluster).or_default() += 1;
    }
    let all = sizes.values().sum::<u64>();
    let largest = sizes.values().max().copied().unwrap_or(0);
    if all == 0 { 0 } else { (100 * (all - largest)).div_ceil(all) }
}

/// The row for hand labels of `units`.
pub fn label_row(side: &str, labelled: usize, units: usize) -> GateV1 {
    let (have, need) = (labelled as u64, LABELS.min(units as u64).max(1));
    GateV1 { what: format!("hand labels ({side})"), have, need }
}

/// What is missing in hand labels of `units`.
pub fn labels(side: &str, labelled: usize, units: usize) -> Option<Missing> {
    label_row(side, labelled, units).missing()
}

/// What the list of problems holds of the problems of `units`, and what it does not (METHOD 3.1.3): by hand when they are
/// `measured`, that is labelled enough, else by the reader.
pub fn residual(units: &Units, measured: bool) -> (f64, f64) {
    let (mut inside, mut outside) = (0.0, 0.0);
    for unit in &units.0 {
        match &unit.gold {
            Some(gold) if measured => {
                inside += unit.weight * gold.problems.len() as f64;
                outside += unit.weight * f64::from(u8::from(gold.other));
            }
            None if measured => {}
            _ => {
                inside += unit.found.len() as f64;
                outside += f64::from(u8::from(unit.other));
            }
        }
    }
    (inside, outside)
}

/// The row for a codebook that fits `units`.
pub fn fit_row(side: &str, units: &Units, measured: bool) -> GateV1 {
    let (inside, outside) = residual(units, measured);
    let all = inside + outside;
    let have = if all > 0.0 { (100.0 * inside / all).ceil() as u64 } else { 100 };
    let what = format!("per cent of problems inside the list (codebook_does_not_fit), {side}");
    GateV1 { what, have, need: INSIDE_CODEBOOK }
}

/// What is missing for the codebook to fit `units` (METHOD 3.1.3).
pub fn codebook_fit(side: &str, units: &Units, measured: bool) -> Option<Missing> {
    fit_row(side, units, measured).missing()
}

/// How much more it takes to shrink a standard error by the square root of `factor`: hand labels as long as a unit has none, at
/// most all of them, and people and accounts only when all are labelled (METHOD 4.4). `labelled` of `units` on both sides have
/// labels. At least one more, at most a hundred times as much.
pub fn more(labelled: u64, units: u64, factor: f64, why: &str) -> Missing {
    let need = ((labelled as f64 * factor.min(100.0)).ceil() as u64).max(labelled + 1);
    let (what, need) =
        if labelled < units { ("hand labels", need.min(units)) } else { ("people and accounts, all labelled", need) };
    Missing { what: format!("{what}, {why}"), have: labelled, need }
}

/// The factor by which the variance of a difference has to shrink until a test of p value `p`, which its family adjusts to
/// `adjusted`, is adjusted to `level`. The normal deviate of a tail grows with the inverse of the standard error; an adjusted p is
/// no tail, so the deviates are those of `p` and of the `p` that the same family, `adjusted / p` times as strict, would let pass.
pub fn certainty(p: f64, adjusted: f64, level: f64) -> f64 {
    (normal_quantile(1.0 - p * level / adjusted) / normal_quantile(1.0 - p).max(1e-9)).powi(2)
}

/// How many different ones.
pub fn distinct<T: Ord>(of: impl Iterator<Item = T>) -> usize {
    of.collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_with_how_many() {
        let missing = SILENT.check(5).unwrap();
        assert_eq!((missing.have, missing.need), (5, 8));
        assert!(SILENT.check(8).is_none());
    }

    #[test]
    fn a_fifth_in_one_thread_passes_and_more_does_not() {
        let with_largest = |largest: usize| (0..100).map(move |i| if i < largest { 0 } else { i });
        assert!(OUTSIDE_ONE_THREAD.check(outside_largest(with_largest(20))).is_none());
        assert!(OUTSIDE_ONE_THREAD.check(outside_largest(with_largest(21))).is_some());
        assert_eq!(outside_largest(std::iter::empty()), 0);
    }

    #[test]
    fn a_small_side_needs_every_label_and_a_large_one_sixty() {
        assert!(labels("crm", 40, 40).is_none());
        assert_eq!(labels("crm", 39, 40).unwrap().need, 40);
        assert_eq!(labels("crm", 0, 5000).unwrap().need, 60);
        assert!(labels("crm", 0, 0).is_some());
    }

    #[test]
    fn labels_are_asked_for_before_people() {
        let of = |labelled, units, factor| {
            let more = more(labelled, units, factor, "to be sure");
            (more.what, more.have, more.need)
        };
        let labels = "hand labels, to be sure".to_owned();
        assert_eq!(of(100, 260, 1.5), (labels.clone(), 100, 150));
        assert_eq!(of(100, 260, 9.0), (labels.clone(), 100, 260), "there are no more to label");
        assert_eq!(of(259, 260, 1.0), (labels, 259, 260));
        assert_eq!(of(260, 260, 1.5), ("people and accounts, all labelled, to be sure".to_owned(), 260, 390));
        assert_eq!(of(10, 10, f64::INFINITY).2, 1000);
    }

    #[test]
    fn certainty_goes_by_the_p_value_and_not_by_the_adjusted_one() {
        // Alone in its family: deviates of 1.2816 at 10% and of 1.0364 at 15%.
        assert!((certainty(0.15, 0.15, 0.10) - (1.281_551_6_f64 / 1.036_433_4).powi(2)).abs() < 1e-6);
        // In a family four times as strict it has to reach 2.5% from 3.75%, which is less far than from 15% to 10%.
        let strict = certainty(0.0375, 0.15, 0.10);
        assert!((strict - (1.959_964_f64 / 1.780_464).powi(2)).abs() < 1e-5, "{strict}");
        assert!(certainty(0.6, 1.0, 0.10) > 1e6, "what points the other way is out of reach");
    }
}
