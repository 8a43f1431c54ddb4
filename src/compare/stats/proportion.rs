//! A share of units, corrected for the reader's mistakes.

use std::collections::BTreeMap;

use super::student_quantile;

/// The 97.5% quantile of the standard normal.
pub const Z95: f64 = 1.959_963_984_540_054;

/// One unit of analysis: a person or an account, asked for one problem.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// What the reader found.
    pub found: bool,
    /// What a person found, when the unit was drawn and labelled.
    pub gold: Option<bool>,
    /// Inverse of the probability of being drawn for labelling, 1 or more; only looked at where `gold` is there.
    pub weight: f64,
}

/// An estimated share with everything its interval was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Proportion {
    /// The estimate to print, unbiased: the mean of the pseudo-outcomes. May leave 0..=1 by sampling error.
    pub estimate: f64,
    /// The posterior mean that the interval stands around; shrunk, in 0..1.
    pub mean: f64,
    /// Variance of the two-phase posterior.
    pub v_post: f64,
    /// Variance by clusters, the larger one of the clusterings given.
    pub v_cluster: f64,
    /// Effective sample size, 1 or more.
    pub n_eff: f64,
    /// Student quantile used, with the degrees of freedom of the clustering that decided.
    pub t: f64,
    /// These degrees of freedom: clusters less one.
    pub df: f64,
    /// Lower end of the 95% interval.
    pub low: f64,
    /// Upper end of the 95% interval.
    pub high: f64,
    /// Pseudo-outcome of each cell, in order; their mean is `estimate`.
    pub pseudo: Vec<f64>,
}

impl Proportion {
    /// The variance that the interval is made of.
    pub fn variance(&self) -> f64 {
        self.v_post.max(self.v_cluster)
    }

    /// The interval as the two parameters of a beta distribution (METHOD 3.4): share and effective sample size.
    pub fn beta(&self) -> (f64, f64) {
        (self.mean * self.n_eff, (1.0 - self.mean) * self.n_eff)
    }
}

/// Wilson's score interval for a share `p` of `n` with quantile `z` (METHOD 3.3; Wilson 1927). `n` need not be whole. The
/// widest interval when `n` is not positive.
pub fn wilson(p: f64, n: f64, z: f64) -> (f64, f64) {
    if n <= 0.0 || n.is_nan() {
        return (0.0, 1.0);
    }
    let d = 1.0 + z * z / n;
    let centre = (p + z * z / (2.0 * n)) / d;
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt() / d;
    ((centre - half).max(0.0), (centre + half).min(1.0))
}

/// What the labels say about the units of one stratum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stratum {
    /// Units in it.
    pub(super) size: f64,
    /// Sum of the weights of its labelled units.
    pub(super) weight: f64,
    /// Sum of their squares.
    pub(super) weight_squares: f64,
}

impl Stratum {
    /// Counts the units that `inside` picks from `units`: whether labelled, and its weight.
    pub(super) fn count(units: impl Iterator<Item = (bool, f64)>) -> Self {
        let mut stratum = Self { size: 0.0, weight: 0.0, weight_squares: 0.0 };
        for (labelled, weight) in units {
            stratum.size += 1.0;
            if labelled {
                stratum.weight += weight;
                stratum.weight_squares += weight * weight;
            }
        }
        stratum
    }

    /// Kish's effective number of labels (METHOD 3.3): (Σw)² / Σw².
    pub(super) fn labels(&self) -> f64 {
        if self.weight_squares > 0.0 { self.weight * self.weight / self.weight_squares } else { 0.0 }
    }

    /// Factor that scales a labelled unit of weight `weight` up to the stratum, Hájek-normalised: w N / Σw.
    pub(super) fn scale(&self, weight: f64) -> f64 {
        if self.weight > 0.0 { weight * self.size / self.weight } else { 0.0 }
    }
}

/// W-neff (METHOD 3.3): a share of units from what the reader found in all of them and what a person found in a drawn sample,
/// valid for any reader, small and clustered samples and rare problems.
///
/// Two-phase beta posterior (Tenenbein 1970) for the variance of the labels, the pseudo-outcomes of design-based supervised
/// learning (Egami et al. 2023) for the estimate and for the variance between clusters, the larger of the two variances
/// turned into an effective sample size, and a Wilson interval with Student's quantile. Strata are {found}, {not found};
/// inside a stratum the labelled units may have unequal weights (one sample for all problems: `p_h = Σwy/Σw` with Kish's n).
/// With equal weights this is METHOD's binary form. With every unit labelled set `found` to `gold`.
///
/// Each of `clusterings` gives a cluster id per cell; the one with the larger variance decides, with its degrees of freedom.
/// `None` without cells, or when no clustering has two clusters or fits the cells.
pub fn w_neff(cells: &[Cell], clusterings: &[&[usize]]) -> Option<Proportion> {
    if cells.is_empty() {
        return None;
    }
    let [(absent, m0, v0), (present, m1, v1)] = [false, true].map(|found| {
        let inside = || cells.iter().filter(|c| c.found == found);
        let stratum = Stratum::count(inside().map(|c| (c.gold.is_some(), c.weight)));
        let labels = stratum.labels();
        let positive = inside().filter(|c| c.gold == Some(true)).map(|c| c.weight).sum::<f64>();
        let hits = if stratum.weight > 0.0 { positive / stratum.weight * labels } else { 0.0 };
        let (mean, variance) = jeffreys(hits, labels - hits);
        (stratum, mean, variance)
    });
    let pseudo = cells
        .iter()
        .map(|cell| {
            let (stratum, share) = if cell.found { (present, m1) } else { (absent, m0) };
            cell.gold.map_or(share, |gold| share + stratum.scale(cell.weight) * (f64::from(u8::from(gold)) - share))
        })
        .collect::<Vec<_>>();

    let (q, v_q) = jeffreys(present.size, absent.size);
    let mean = q * m1 + (1.0 - q) * m0;
    let v_post = v_q * (m1 - m0).powi(2) + (q * q + v_q) * v1 + ((1.0 - q).powi(2) + v_q) * v0;
    of_outcomes(pseudo, mean, v_post, clusterings)
}

/// W-neff of a census, where a person looked at every unit and `found` is what they found: the same clusters and the same Wilson
/// interval around one beta posterior. METHOD 3.3 takes the two-phase form for this too, whose second phase adds half a unit to
/// each stratum although nothing is left to be drawn: none of 60 is then 1.2% ± 1.4 and not 0.8% ± 1.1. `None` as for [`w_neff`].
pub fn census(cells: &[Cell], clusterings: &[&[usize]]) -> Option<Proportion> {
    if cells.is_empty() {
        return None;
    }
    let pseudo = cells.iter().map(|cell| f64::from(u8::from(cell.found))).collect::<Vec<_>>();
    let hits = pseudo.iter().sum::<f64>();
    let (mean, variance) = jeffreys(hits, cells.len() as f64 - hits);
    of_outcomes(pseudo, mean, variance, clusterings)
}

/// The share that (pseudo-)outcomes give, around the posterior's mean.
fn of_outcomes(pseudo: Vec<f64>, mean: f64, v_post: f64, clusterings: &[&[usize]]) -> Option<Proportion> {
    let estimate = pseudo.iter().sum::<f64>() / pseudo.len() as f64;
    let residuals = pseudo.iter().map(|t| t - estimate).collect::<Vec<_>>();
    interval(estimate, mean, v_post, &residuals, clusterings).map(|p| Proportion { pseudo, ..p })
}

/// Mean and variance of the beta posterior of `hits` and `misses` under Jeffreys' prior.
pub(super) fn jeffreys(hits: f64, misses: f64) -> (f64, f64) {
    let (a, b) = (hits + 0.5, misses + 0.5);
    let n = a + b;
    (a / n, a * b / (n * n * (n + 1.0)))
}

/// The second half of W-neff: from a posterior mean and variance and the residuals of the estimate to the interval.
pub(super) fn interval(
    estimate: f64,
    mean: f64,
    v_post: f64,
    residuals: &[f64],
    clusterings: &[&[usize]],
) -> Option<Proportion> {
    let (v_cluster, clusters) = clusterings
        .iter()
        .filter_map(|clusters| cluster_variance(residuals, clusters))
        .max_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(around(estimate, mean, v_post, (v_cluster, clusters - 1.0)))
}

/// The interval around `mean`, whichever of the variances is larger, and the degrees of freedom that come with that between
/// clusters; without pseudo-outcomes.
pub(super) fn around(estimate: f64, mean: f64, v_post: f64, (v_cluster, df): (f64, f64)) -> Proportion {
    let n_eff = (mean * (1.0 - mean) / v_post.max(v_cluster)).max(1.0);
    let t = student_quantile(0.975, df);
    let (low, high) = wilson(mean, n_eff, t);
    Proportion { estimate, mean, v_post, v_cluster, n_eff, t, df, low, high, pseudo: Vec::new() }
}

/// Variance of a mean between clusters, and the number of clusters: G/(G-1) Σ_c (Σ_{i in c} r_i)² / N².
fn cluster_variance(residuals: &[f64], clusters: &[usize]) -> Option<(f64, f64)> {
    if residuals.len() != clusters.len() {
        return None;
    }
    let mut sums = BTreeMap::<usize, f64>::new();
    for (residual, cluster) in residuals.iter().zip(clusters) {
        *sums.entry(*cluster).or_default() += residual;
    }
    if sums.len() < 2 {
        return None;
    }
    let (n, g) = (residuals.len() as f64, sums.len() as f64);
    Some((g / (g - 1.0) * sums.values().map(|s| s * s).sum::<f64>() / (n * n), g))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wilson_of_nothing_is_everything() {
        assert_eq!(wilson(0.0, 0.0, Z95), (0.0, 1.0));
        assert_eq!(wilson(0.3, f64::NAN, Z95), (0.0, 1.0));
        let (low, high) = wilson(1.0, 5.0, Z95);
        assert!(low > 0.5 && high == 1.0);
    }

    #[test]
    fn too_few_clusters_give_no_interval() {
        let cell = Cell { found: true, gold: Some(true), weight: 1.0 };
        assert!(w_neff(&[], &[&[]]).is_none());
        assert!(w_neff(&[cell; 3], &[&[0, 0, 0]]).is_none());
        assert!(w_neff(&[cell; 3], &[]).is_none());
        assert!(w_neff(&[cell; 3], &[&[0, 1]]).is_none(), "a clustering of other cells");
    }

    #[test]
    fn the_wider_clustering_decides() {
        // Reps differ altogether, accounts are their own clusters.
        let cells = (0..40).map(|i| Cell { found: i < 20, gold: Some(i < 20), weight: 1.0 }).collect::<Vec<_>>();
        let accounts = (0..40).collect::<Vec<_>>();
        let reps = (0..40).map(|i| i / 10).collect::<Vec<_>>();
        let one = w_neff(&cells, &[&accounts]).unwrap();
        let both = w_neff(&cells, &[&accounts, &reps]).unwrap();
        assert!(both.low < one.low && both.high > one.high);
        assert!((both.t - student_quantile(0.975, 3.0)).abs() < 1e-12);
    }

    #[test]
    fn a_census_has_one_phase() {
        let cells = |hits: usize| {
            (0..60).map(|i| Cell { found: i < hits, gold: Some(i < hits), weight: 1.0 }).collect::<Vec<_>>()
        };
        let own = (0..60).collect::<Vec<_>>();
        let (none, two_phases) = (census(&cells(0), &[&own]).unwrap(), w_neff(&cells(0), &[&own]).unwrap());
        assert!((none.mean - 0.5 / 61.0).abs() < 1e-12 && (none.n_eff - 62.0).abs() < 1e-9, "{none:?}");
        assert!(none.high < two_phases.high && none.estimate.abs() < 1e-12);
        let (half, two_phases) = (census(&cells(30), &[&own]).unwrap(), w_neff(&cells(30), &[&own]).unwrap());
        assert!((half.low - two_phases.low).abs() < 0.005 && (half.high - two_phases.high).abs() < 0.005);
        assert!(census(&[], &[&[]]).is_none() && census(&cells(3), &[]).is_none());
    }

    #[test]
    fn unequal_weights_undo_unequal_sampling() {
        // Every unit with the problem that the reader missed was drawn, one in three of the others.
        let mut cells = vec![Cell { found: false, gold: Some(true), weight: 1.0 }; 10];
        cells.extend(vec![Cell { found: false, gold: Some(false), weight: 3.0 }; 30]);
        cells.extend(vec![Cell { found: false, gold: None, weight: 1.0 }; 60]);
        let own = (0..100).collect::<Vec<_>>();
        assert!((w_neff(&cells, &[&own]).unwrap().estimate - 0.10).abs() < 1e-12);
    }

    fn cells() -> impl Strategy<Value = Vec<Cell>> {
        prop::collection::vec((any::<bool>(), prop::option::of(any::<bool>()), 1.0..6.0f64), 2..80)
            .prop_map(|v| v.into_iter().map(|(found, gold, weight)| Cell { found, gold, weight }).collect())
    }

    proptest! {
        #[test]
        fn the_interval_stays_in_range_and_holds_its_mean(cells in cells()) {
            let own = (0..cells.len()).collect::<Vec<_>>();
            let p = w_neff(&cells, &[&own]).unwrap();
            prop_assert!(0.0 <= p.low && p.low <= p.mean && p.mean <= p.high && p.high <= 1.0, "{p:?}");
            prop_assert!(p.n_eff >= 1.0 && p.v_post > 0.0);
        }

        #[test]
        fn order_and_names_of_clusters_do_not_matter(cells in cells()) {
            let clusters = (0..cells.len()).map(|i| i / 2).collect::<Vec<_>>();
            let there = w_neff(&cells, &[&clusters]);
            let renamed = clusters.iter().rev().map(|c| 1000 - c).collect::<Vec<_>>();
            let back = w_neff(&cells.iter().rev().copied().collect::<Vec<_>>(), &[&renamed]);
            match (there, back) {
                (Some(a), Some(b)) => prop_assert!((a.low - b.low).abs() < 1e-9 && (a.high - b.high).abs() < 1e-9),
                (None, None) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }

        #[test]
        fn more_of_the_same_labels_narrow_the_interval(hits in 1usize..20, misses in 1usize..20) {
            let world = |times: usize| {
                let mut cells = vec![Cell { found: true, gold: Some(true), weight: 1.0 }; hits * times];
                cells.extend(vec![Cell { found: false, gold: Some(false), weight: 1.0 }; misses * times]);
                let own = (0..cells.len()).collect::<Vec<_>>();
                w_neff(&cells, &[&own]).unwrap()
            };
            let (one, four) = (world(1), world(4));
            prop_assert!(four.high - four.low < one.high - one.low);
        }

        #[test]
        fn wilson_holds_its_share(p in 0.0..=1.0f64, n in 0.5..500.0f64) {
            let (low, high) = wilson(p, n, Z95);
            prop_assert!(0.0 <= low && low <= p + 1e-12 && p <= high + 1e-12 && high <= 1.0);
        }
    }
}
