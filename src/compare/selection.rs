//! Forums are not a random sample of anybody (METHOD 3.10).
//!
//! One rule holds: selection is bounded and told, never adjusted away. No share changes here.

use std::collections::BTreeSet;

use super::cells::{Cells, Kind, Units};
use super::coverage::{MINIMUM_RATIO, kind};
use super::evidence_rule::{self as rule, CLUSTERS, COMMUNITY_SHARE};
use super::measured::Measured;
use super::stats::{Proportion, RatioTail};
use crate::model::Missing;
use crate::model::comparison::{BoundV1, CountsV1, GateV1, KindV1, ProblemV1, SelectionV1};

/// P(post | problem) / P(post | no problem), as far as it is looked at.
const PROPENSITIES: [f64; 4] = [1.0 / 3.0, 1.0, 3.0, 10.0];

/// Below the first value of gamma* a finding is fragile, above the second robust; a silent problem only where two kinds of
/// communities tell of it (METHOD 3.10).
pub(super) const GAMMA_STAR: [f64; 2] = [1.5, 3.0];

/// What the choice of who posts could do to problem `index`, which is told of as `problem` says.
pub fn selection(cells: &Cells, index: usize, problem: &ProblemV1) -> SelectionV1 {
    let share = problem.community;
    let enough = COMMUNITY_SHARE[0].check(share.of).is_none();
    let movable = enough && share.rate > 0.0 && share.rate < 1.0;
    let bounds = if movable { PROPENSITIES.map(|rho| bound(share.rate, rho)).to_vec() } else { Vec::new() };
    let mut selection = SelectionV1 { bounds, grade: None, kinds: kinds(cells, index) };
    let most = most(&selection, kind(&problem.verdict) == "silent");
    selection.grade = problem.gamma_star.map(|gamma| grade(gamma.min(most)).to_owned());
    selection
}

/// Gamma* of the side that has a problem more often: the lower end of the 95% interval of the ratio of shares, in gaps.
pub(super) fn gamma_star(more: &Proportion, less: &Proportion) -> f64 {
    RatioTail::new(more.beta(), less.beta()).quantile(0.025) / MINIMUM_RATIO
}

/// The people of each kind of community by themselves (METHOD 3.10.4). A person of several kinds is one in each, and has a problem
/// wherever they tell of it, since that is what a hand label of a person answers.
pub(super) struct Kinds<'a>(Vec<(Measured<'a>, Vec<Missing>)>);

impl<'a> Kinds<'a> {
    /// The people of each of [`Cells::kinds`].
    pub(super) fn split(cells: &Cells) -> Vec<Units> {
        let people = |kind: &Kind| cells.community.0.iter().filter(|u| kind.people.contains(&u.id)).cloned().collect();
        cells.kinds.iter().map(|kind| Units(people(kind))).collect()
    }

    /// Of `people` as [`Self::split`] gives them. A kind has the needs of any share of people but for two communities: kinds are
    /// set beside each other instead.
    pub(super) fn new(cells: &Cells, people: &'a [Units]) -> Self {
        let kind = |(kind, people): (&Kind, &'a Units)| {
            let rows = rule::kind_rows(people);
            let measured = Measured::side(kind.name, people, cells, &rows);
            let missing = rows.iter().filter_map(GateV1::missing).chain(measured.missing_labels.clone());
            let missing = missing.collect();
            (measured, missing)
        };
        Self(cells.kinds.iter().zip(people).map(kind).collect())
    }

    /// Tells each kind in `of` by itself of problem `index`, a silent one or a phantom, that accounts have as `crm` says.
    pub(super) fn tell(&self, index: usize, silent: bool, crm: &Proportion, of: &mut SelectionV1) {
        let most = most(of, silent);
        for ((measured, missing), kind) in self.0.iter().zip(&mut of.kinds) {
            let Some(people) = &measured.shares[index] else {
                kind.missing.extend(missing.iter().cloned().chain(measured.unasked(index)));
                if kind.missing.is_empty() {
                    let have = rule::distinct(measured.units.0.iter().map(|u| u.cluster_of(index))) as u64;
                    kind.missing.push(Missing { what: "threads".to_owned(), have, need: CLUSTERS as u64 });
                }
                continue;
            };
            let gamma = if silent { gamma_star(people, crm) } else { gamma_star(crm, people) };
            kind.share = Some(measured.rate(index));
            (kind.gamma_star, kind.grade) = (Some(gamma), Some(grade(gamma.min(most)).to_owned()));
        }
    }
}

/// pi(rho) = p / (p + rho (1 - p)), for `p` inside 0..1.
fn bound(p: f64, rho: f64) -> BoundV1 {
    BoundV1 { rho, share: p / (p + rho * (1.0 - p)) }
}

/// The most that gamma* counts for: a silent problem that is told in one kind of community is not robust, however many tell of it,
/// since what draws people there may be the problem (METHOD 3.10.4).
fn most(of: &SelectionV1, silent: bool) -> f64 {
    if silent && of.only_kind().is_some() { GAMMA_STAR[1] } else { f64::INFINITY }
}

/// How much it takes to explain a finding away: `fragile`, `moderate` or `robust`.
fn grade(gamma_star: f64) -> &'static str {
    let [moderate, robust] = GAMMA_STAR;
    match gamma_star {
        g if g < moderate => "fragile",
        g if g <= robust => "moderate",
        _ => "robust",
    }
}

/// The people with problem `index` by kind of community. One person may stand in several kinds.
fn kinds(cells: &Cells, index: usize) -> Vec<KindV1> {
    let people = cells.community.0.iter().filter_map(|u| u.occurrence(index));
    let told_in = people.map(|o| o.places.iter().map(|p| p.0).collect::<BTreeSet<_>>()).collect::<Vec<_>>();
    let kind = |kind: &Kind| {
        let hits = told_in.iter().filter(|places| !places.is_disjoint(&kind.communities)).count() as u64;
        let people = CountsV1 { hits, of: kind.people.len() as u64 };
        KindV1 { kind: kind.name.to_owned(), people, ..KindV1::default() }
    };
    cells.kinds.iter().map(kind).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_those_of_the_method() {
        // METHOD 3.10: p = .30 gives .56, .30, .125, .041.
        for (rho, share) in PROPENSITIES.into_iter().zip([0.5625, 0.30, 0.125, 0.0411]) {
            assert!((bound(0.30, rho).share - share).abs() < 1e-4, "{rho}");
        }
    }

    #[test]
    fn bounds_fall_with_rho_and_stay_inside() {
        for p in [0.001, 0.2, 0.5, 0.999] {
            let shares = PROPENSITIES.map(|rho| bound(p, rho).share);
            assert!(shares.is_sorted_by(|a, b| a > b), "{shares:?}");
            assert!(shares.iter().all(|s| (0.0..=1.0).contains(s)));
            assert!((shares[1] - p).abs() < 1e-12, "who posts as much as others tells the share as it is");
        }
    }

    #[test]
    fn a_finding_is_graded_at_the_edges() {
        let grades = [1.49, 1.5, 3.0, 3.01].map(grade);
        assert_eq!(grades, ["fragile", "moderate", "moderate", "robust"]);
    }
}
