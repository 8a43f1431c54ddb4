//! The shares of one side: every problem by W-neff, where evidence, labels and clusters allow.

use std::collections::{BTreeMap, BTreeSet};

use super::cells::{Cells, Unit, Units};
use super::evidence_rule::{self as rule, CLUSTERS};
use super::stats::{Cell, Clustered, Proportion, census, share_clusters, w_neff};
use crate::model::Missing;
use crate::model::comparison::{GateV1, RateV1};

/// One side, measured where there is enough of it and of labels (METHOD 3.9): what fails that is counted, without an interval.
pub(super) struct Measured<'a> {
    pub(super) units: &'a Units,
    pub(super) labelled: u64,
    /// By problem; `None` when the side is not measured, or has too few clusters.
    pub(super) shares: Vec<Option<Proportion>>,
    pub(super) missing_labels: Option<Missing>,
    /// By problem: how many of the labelled units have a label that answers for it. Where that is not all it is counted.
    asked: Vec<u64>,
    /// There is enough of the side for any share of it.
    enough: bool,
}

impl<'a> Measured<'a> {
    pub(super) fn community(cells: &'a Cells) -> Self {
        Self::side("community", &cells.community, cells, &rule::community_rows(cells))
    }

    pub(super) fn crm(cells: &'a Cells) -> Self {
        Self::side("crm", &cells.crm, cells, &rule::crm_rows(&cells.population))
    }

    /// `units`, of which there have to be so many as `gate` says, and of which `name` says whose labels are missing.
    pub(super) fn side(name: &str, units: &'a Units, cells: &Cells, gate: &[GateV1]) -> Self {
        let gold = || units.0.iter().filter_map(|u| u.gold.as_ref());
        let asked = (0..cells.problems.len()).map(|k| gold().filter(|gold| !gold.unasked.contains(&k)).count() as u64);
        let missing_labels = rule::labels(name, units.labelled(), units.0.len());
        Self::of(units, asked.collect(), missing_labels, gate.iter().all(GateV1::passes))
    }

    /// A part of `side`, which is measured where the side is: with labels enough the part may have fewer, and wider intervals;
    /// where they are missing it is counted, as the side is.
    pub(super) fn part(side: &Measured<'_>, units: &'a Units) -> Self {
        let labelled = units.labelled() as u64;
        let asked = (0..side.shares.len()).map(|k| if side.unasked(k).is_none() { labelled } else { 0 });
        Self::of(units, asked.collect(), side.missing_labels.clone(), side.enough)
    }

    fn of(units: &'a Units, asked: Vec<u64>, missing_labels: Option<Missing>, enough: bool) -> Self {
        let labelled = units.labelled() as u64;
        let may = enough && missing_labels.is_none() && labelled > 0;
        let shares = shares(units, asked.len(), |k| may && asked[k] == labelled);
        Self { units, labelled, shares, missing_labels, asked, enough }
    }

    /// What is missing where not all labels answer for `problem`.
    pub(super) fn unasked(&self, problem: usize) -> Option<Missing> {
        let (have, need) = (self.asked[problem], self.labelled);
        (have < need).then(|| Missing {
            what: "hand labels made since the problem is on the list as it is".to_owned(),
            have,
            need,
        })
    }

    pub(super) fn rate(&self, problem: usize) -> RateV1 {
        let (hits, of) = (self.units.hits(problem) as u64, self.units.0.len() as u64);
        match &self.shares[problem] {
            Some(share) => {
                let rate = share.estimate.clamp(0.0, 1.0);
                RateV1 {
                    hits,
                    of,
                    rate,
                    // The interval stands around a shrunk mean; the printed estimate must not lie beside it.
                    low: Some(share.low.min(rate)),
                    high: Some(share.high.max(rate)),
                    n_eff: Some(share.n_eff),
                    labels: self.labelled,
                }
            }
            None => {
                let rate = if of == 0 { 0.0 } else { hits as f64 / of as f64 };
                RateV1 { hits, of, rate, low: None, high: None, n_eff: None, labels: 0 }
            }
        }
    }

    /// Cluster-by-problem table of the (pseudo-)outcomes.
    pub(super) fn table(&self) -> Vec<Vec<f64>> {
        self.table_by(Unit::cluster_of)
    }

    /// The same by rep, where every unit has one.
    pub(super) fn table_by_rep(&self) -> Option<Vec<Vec<f64>>> {
        let reps = self.units.0.iter().map(|u| u.rep).collect::<Option<BTreeSet<_>>>()?;
        (reps.len() > 1).then(|| self.table_by(|unit, _| unit.rep.unwrap_or_default()))
    }

    fn table_by(&self, cluster: impl Fn(&Unit, usize) -> usize) -> Vec<Vec<f64>> {
        let problems = self.shares.len();
        let mut rows = BTreeMap::<usize, Vec<f64>>::new();
        for (i, unit) in self.units.0.iter().enumerate() {
            for (k, share) in self.shares.iter().enumerate() {
                let value = match share {
                    Some(share) => share.pseudo.get(i).copied().unwrap_or(0.0),
                    None => f64::from(u8::from(unit.occurrence(k).is_some())),
                };
                rows.entry(cluster(unit, k)).or_insert_with(|| vec![0.0; problems])[k] += value;
            }
        }
        rows.into_values().collect()
    }

    /// How many labelled units, when so many were read by hand and neither a person nor the reader found `problem`.
    pub(super) fn none_among(&self, problem: usize) -> Option<u64> {
        let clean = self.units.0.iter().all(|u| match &u.gold {
            Some(gold) => !gold.problems.contains(&problem),
            None => u.occurrence(problem).is_none(),
        });
        clean.then_some(self.labelled)
    }
}

/// The share of `units` with each of `problems`; `None` with too few clusters, and of what is not `wanted`.
pub(super) fn shares(units: &Units, problems: usize, wanted: impl Fn(usize) -> bool) -> Vec<Option<Proportion>> {
    let complete = units.complete();
    share_clusters((0..problems).map(|k| wanted(k).then(|| share(units, complete, k)).flatten()).collect())
}

/// The share of `units` with `problem`, by thread or by account and rep. A census needs no second phase.
fn share(units: &Units, complete: bool, problem: usize) -> Option<Clustered> {
    let units = &units.0;
    let clusters = units.iter().map(|u| u.cluster_of(problem)).collect::<Vec<_>>();
    if rule::distinct(clusters.iter().copied()) < CLUSTERS {
        return None;
    }
    let cells = units
        .iter()
        .map(|unit| {
            let gold = unit.gold.as_ref().map(|g| g.problems.contains(&problem));
            let found = if complete { gold == Some(true) } else { unit.occurrence(problem).is_some() };
            Cell { found, gold, weight: unit.weight }
        })
        .collect::<Vec<_>>();
    let mut by = vec![clusters];
    by.extend(units.iter().map(|u| u.rep).collect::<Option<Vec<_>>>());
    let clusterings = by.iter().map(Vec::as_slice).collect::<Vec<_>>();
    let share = if complete { census(&cells, &clusterings) } else { w_neff(&cells, &clusterings) };
    Some(Clustered { share: share?, by })
}
