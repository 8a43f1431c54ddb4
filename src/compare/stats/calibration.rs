//! Probabilities against what followed (METHOD 3.6).

use std::collections::BTreeMap;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{Z95, student_quantile, wilson};

/// A forecast with what followed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The probability that was foretold, in 0..=1.
    pub forecast: f64,
    /// Whether it happened.
    pub happened: bool,
    /// 1; more when it stands for others that were lost from sight ([`super::censoring_weights`]).
    pub weight: f64,
    /// Cluster: the rep.
    pub cluster: usize,
}

impl Scored {
    fn outcome(&self) -> f64 {
        f64::from(u8::from(self.happened))
    }

    fn squared_error(&self) -> f64 {
        (self.forecast - self.outcome()).powi(2)
    }
}

/// The weighted mean of `value`; `None` without weight.
fn mean(scored: &[Scored], value: impl Fn(&Scored) -> f64) -> Option<f64> {
    let weight = scored.iter().map(|s| s.weight).sum::<f64>();
    (weight > 0.0).then(|| scored.iter().map(|s| s.weight * value(s)).sum::<f64>() / weight)
}

/// Mean forecast, in 0..=1. `None` of nothing.
pub fn mean_forecast(scored: &[Scored]) -> Option<f64> {
    mean(scored, |s| s.forecast)
}

/// Calibration-in-the-large: mean forecast less share that happened, in -1..=1, positive for optimism (METHOD 3.6). `None` of
/// nothing.
pub fn citl(scored: &[Scored]) -> Option<f64> {
    mean(scored, |s| s.forecast - s.outcome())
}

/// 95% interval of [`citl`], by clusters: Student's quantile at their number less one times the delete-one-cluster jackknife
/// error (METHOD 3.6, 3.11; the CR3 variance of MacKinnon, Nielsen and Webb 2023), which few and unequal clusters need.
///
/// Forecasts that were themselves learned from other outcomes carry the error of that: `learned` has, for each outcome they
/// were learned from, its cluster and by how much it moved the mean forecast. Empty for forecasts from elsewhere.
///
/// `None` with fewer than two clusters.
pub fn citl_interval(scored: &[Scored], learned: &[(usize, f64)]) -> Option<(f64, f64)> {
    let estimate = citl(scored)?;
    let (error, df) = citl_error(scored, learned)?;
    let half = student_quantile(0.975, df) * error;
    Some(((estimate - half).max(-1.0), (estimate + half).min(1.0)))
}

/// The standard error that [`citl_interval`] is made of, with its degrees of freedom.
pub fn citl_error(scored: &[Scored], learned: &[(usize, f64)]) -> Option<(f64, f64)> {
    let estimate = citl(scored)?;
    let all = scored.iter().map(|s| s.weight).sum::<f64>();
    // Of each cluster: weight, residual, and what was learned from it.
    let mut clusters = BTreeMap::<usize, [f64; 3]>::new();
    for s in scored {
        let [weight, residual, _] = clusters.entry(s.cluster).or_default();
        *weight += s.weight;
        *residual += s.weight * (s.forecast - s.outcome() - estimate);
    }
    for (cluster, moved) in learned {
        clusters.entry(*cluster).or_default()[2] += moved;
    }
    let g = clusters.len() as f64;
    if clusters.len() < 2 || clusters.values().any(|[weight, ..]| *weight >= all) {
        return None;
    }
    let without = |[weight, residual, moved]: &[f64; 3]| residual / (all - weight) + moved * g / (g - 1.0);
    let variance = (g - 1.0) / g * clusters.values().map(|c| without(c).powi(2)).sum::<f64>();
    Some((variance.sqrt(), g - 1.0))
}

/// Mean squared error of the forecasts, in 0..=1, lower is better (Brier 1950). `None` of nothing.
pub fn brier(scored: &[Scored]) -> Option<f64> {
    mean(scored, Scored::squared_error)
}

/// Brier skill against the base rate: 1 - Brier / (y (1 - y)), at most 1; 0 or less when the forecasts carry no information
/// beyond it (METHOD 3.6). `None` when everything or nothing happened.
pub fn brier_skill(scored: &[Scored]) -> Option<f64> {
    skill(scored.iter().fold([0.0; 3], |sums, s| plus(sums, parts(s))))
}

/// What skill is made of: weight, what happened, squared error.
fn parts(s: &Scored) -> [f64; 3] {
    [s.weight, s.weight * s.outcome(), s.weight * s.squared_error()]
}

fn plus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

fn skill([weight, happened, error]: [f64; 3]) -> Option<f64> {
    let rate = happened / weight;
    let spread = rate * (1.0 - rate);
    (spread > 0.0).then(|| 1.0 - error / weight / spread)
}

/// 95% interval of [`brier_skill`]: the percentiles of `draws` samples of whole clusters with replacement (METHOD 3.6, 3.11).
/// A sample in which everything or nothing happened has no skill and is passed by. `None` when all of them are such.
pub fn skill_interval(scored: &[Scored], draws: usize, rng: &mut ChaCha8Rng) -> Option<(f64, f64)> {
    let mut clusters = BTreeMap::<usize, [f64; 3]>::new();
    for s in scored {
        let sums = clusters.entry(s.cluster).or_default();
        *sums = plus(*sums, parts(s));
    }
    let clusters = clusters.into_values().collect::<Vec<_>>();
    if clusters.is_empty() {
        return None;
    }
    let draw =
        |_| skill((0..clusters.len()).map(|_| clusters[rng.random_range(0..clusters.len())]).fold([0.0; 3], plus));
    let mut skills = (0..draws).filter_map(draw).collect::<Vec<_>>();
    skills.sort_by(f64::total_cmp);
    let last = skills.len().checked_sub(1)?;
    let percentile = |p: f64| skills[(p * last as f64).round() as usize];
    Some((percentile(0.025), percentile(0.975)))
}

/// Spiegelhalter's z (1986; METHOD 3.6): Σ (y - p)(1 - 2p) / √Σ (1 - 2p)² p (1 - p), standard normal when the forecasts are
/// calibrated and the outcomes independent. `None` when every forecast is 0, one half or 1.
pub fn spiegelhalter(scored: &[Scored]) -> Option<f64> {
    let lean = |s: &Scored| s.weight * (1.0 - 2.0 * s.forecast);
    let sum = scored.iter().map(|s| (s.outcome() - s.forecast) * lean(s)).sum::<f64>();
    let variance = scored.iter().map(|s| lean(s).powi(2) * s.forecast * (1.0 - s.forecast)).sum::<f64>();
    (variance > 0.0).then(|| sum / variance.sqrt())
}

/// A bin of a reliability curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Mean forecast.
    pub forecast: f64,
    /// How many happened.
    pub hits: u64,
    /// How many it holds.
    pub of: u64,
    /// Share that happened, weighted.
    pub rate: f64,
    /// Kish's effective size: (Σw)² / Σw².
    pub n_eff: f64,
    /// Wilson interval of the share.
    pub low: f64,
    /// Wilson interval of the share.
    pub high: f64,
}

/// The reliability curve in at most `bins` bins of equal mass, lowest forecast first (METHOD 3.6). Equal forecasts stay in one
/// bin, so that the order of the outcomes does not matter; a remainder of less than half a bin joins the last.
pub fn reliability(scored: &[Scored], bins: usize) -> Vec<Bin> {
    let mut sorted = scored.iter().filter(|s| s.weight > 0.0).copied().collect::<Vec<_>>();
    sorted.sort_by(|a, b| a.forecast.total_cmp(&b.forecast));
    let mut filled = Vec::<Vec<Scored>>::new();
    let mut open = Vec::new();
    for equal in sorted.chunk_by(|a, b| a.forecast.total_cmp(&b.forecast).is_eq()) {
        open.extend_from_slice(equal);
        if open.len() * bins >= sorted.len() {
            filled.push(std::mem::take(&mut open));
        }
    }
    match filled.last_mut() {
        Some(last) if 2 * open.len() * bins < sorted.len() => last.append(&mut open),
        _ => filled.push(open),
    }
    filled.iter().filter_map(|members| bin(members)).collect()
}

fn bin(members: &[Scored]) -> Option<Bin> {
    let rate = mean(members, Scored::outcome)?;
    let weight = members.iter().map(|s| s.weight).sum::<f64>();
    let n_eff = weight * weight / members.iter().map(|s| s.weight * s.weight).sum::<f64>();
    let (low, high) = wilson(rate, n_eff, Z95);
    Some(Bin {
        forecast: mean_forecast(members)?,
        hits: members.iter().filter(|s| s.happened).count() as u64,
        of: members.len() as u64,
        rate,
        n_eff,
        low,
        high,
    })
}

/// Isotonic regression: the values, none lower than the one before, that are nearest to the means of ordered groups, each
/// given by weight and sum of outcomes. By pooling adjacent violators (Ayer et al. 1955; METHOD 3.6). An empty group has the
/// value of the one before it, or of the first that is not empty. `None` when all are.
pub fn isotonic(groups: &[(f64, f64)]) -> Option<Vec<f64>> {
    // Pooled groups: weight, sum, and how many they are.
    let mut blocks = Vec::<(f64, f64, usize)>::new();
    for (weight, sum) in groups {
        blocks.push((*weight, *sum, 1));
        while let [.., (w0, s0, n0), (w1, s1, n1)] = blocks[..]
            && (w0 <= 0.0 || w1 <= 0.0 || s0 / w0 >= s1 / w1)
        {
            blocks.truncate(blocks.len() - 2);
            blocks.push((w0 + w1, s0 + s1, n0 + n1));
        }
    }
    let filled = blocks.iter().all(|(weight, ..)| *weight > 0.0) && !blocks.is_empty();
    filled.then(|| blocks.iter().flat_map(|(weight, sum, n)| std::iter::repeat_n(sum / weight, *n)).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::*;

    fn scored(forecast: f64, happened: bool, cluster: usize) -> Scored {
        Scored { forecast, happened, weight: 1.0, cluster }
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        assert!(citl(&[]).is_none() && citl_interval(&[], &[]).is_none() && brier(&[]).is_none());
        assert!(brier_skill(&[]).is_none() && spiegelhalter(&[]).is_none() && reliability(&[], 5).is_empty());
        assert!(isotonic(&[]).is_none() && isotonic(&[(0.0, 0.0), (0.0, 0.0)]).is_none());
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert!(skill_interval(&[], 100, &mut rng).is_none());
        let all_happened = [scored(0.9, true, 0), scored(0.8, true, 1)];
        assert!(brier_skill(&all_happened).is_none() && skill_interval(&all_happened, 100, &mut rng).is_none());
        assert!(citl_interval(&[scored(0.9, true, 0), scored(0.8, false, 0)], &[]).is_none(), "one rep's forecasts");
        assert!(spiegelhalter(&[scored(0.5, true, 0), scored(1.0, true, 0)]).is_none());
    }

    /// The interval covers with few and unequal reps who differ, as with many who do not.
    #[test]
    fn the_interval_covers() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        for (reps, deals, spread) in [(4, 60, 0.3), (8, 120, 0.0), (30, 120, 0.2), (120, 120, 0.0)] {
            let (runs, mut covered) = (600, 0);
            for _ in 0..runs {
                let leaning = (0..reps).map(|_| spread * (rng.random::<f64>() - 0.5)).collect::<Vec<_>>();
                let outcomes = (0..deals)
                    .map(|i| {
                        // A third of the deals are the first rep's.
                        let cluster = if i % 3 == 0 { 0 } else { i % reps };
                        let truth = 0.2 + 0.3 * rng.random::<f64>();
                        scored(truth + 0.15 + leaning[cluster], rng.random::<f64>() < truth, cluster)
                    })
                    .collect::<Vec<_>>();
                let (low, high) = citl_interval(&outcomes, &[]).unwrap();
                // Reps lean about the inflation, each with his share of the deals.
                covered += i32::from(low <= 0.15 && 0.15 <= high);
            }
            let rate = f64::from(covered) / f64::from(runs);
            // One rep with half of the deals costs two points; the usual sandwich would lose another two.
            assert!(rate > 0.915, "{reps} reps, {deals} deals: {rate}");
        }
    }

    #[test]
    fn a_weight_of_two_is_two_outcomes() {
        let mut once = vec![scored(0.7, true, 0), scored(0.4, false, 1), scored(0.2, false, 2), scored(0.9, true, 1)];
        let twice = [once.clone(), vec![once[1]]].concat();
        once[1].weight = 2.0;
        assert!((citl(&once).unwrap() - citl(&twice).unwrap()).abs() < 1e-12);
        assert!((brier_skill(&once).unwrap() - brier_skill(&twice).unwrap()).abs() < 1e-12);
        let (a, b) = (citl_interval(&once, &[]).unwrap(), citl_interval(&twice, &[]).unwrap());
        assert!((a.0 - b.0).abs() < 1e-12 && (a.1 - b.1).abs() < 1e-12);
    }

    #[test]
    fn equal_forecasts_share_a_bin() {
        let levels = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.4, 0.8, 0.8, 0.8];
        let outcomes = levels.iter().map(|p| scored(*p, *p > 0.5, 0)).collect::<Vec<_>>();
        let curve = reliability(&outcomes, 5);
        assert_eq!(curve.iter().map(|b| (b.hits, b.of)).collect::<Vec<_>>(), [(0, 6), (3, 4)]);
        let even = (0..100).map(|i| scored(f64::from(i) / 100.0, i % 2 == 0, 0)).collect::<Vec<_>>();
        assert_eq!(reliability(&even, 5).iter().map(|b| b.of).collect::<Vec<_>>(), [20; 5]);
    }

    proptest! {
        #[test]
        fn isotonic_values_are_the_max_of_the_min_of_means(
            groups in prop::collection::vec((1u32..9, 0.0..=1.0f64), 1..9),
        ) {
            let groups = groups.into_iter().map(|(n, share)| (f64::from(n), f64::from(n) * share)).collect::<Vec<_>>();
            let ours = isotonic(&groups).unwrap();
            let mean = |from: usize, to: usize| {
                let (weight, sum) = groups[from..=to].iter().fold((0.0, 0.0), |a, g| (a.0 + g.0, a.1 + g.1));
                sum / weight
            };
            for (i, value) in ours.iter().enumerate() {
                // Robertson, Wright and Dykstra 1988: max over j <= i of min over k >= i of the mean of j..=k.
                let smallest = |j: usize| (i..groups.len()).map(|k| mean(j, k)).fold(f64::INFINITY, f64::min);
                let theirs = (0..=i).map(smallest).fold(f64::NEG_INFINITY, f64::max);
                prop_assert!((value - theirs).abs() < 1e-9, "{groups:?}: {value} is not {theirs}");
            }
        }

        #[test]
        fn the_interval_holds_its_estimate_and_the_order_does_not_matter(
            cases in prop::collection::vec((0.0..=1.0f64, any::<bool>(), 1.0..3.0f64, 0usize..6), 3..40),
        ) {
            let scored = |(forecast, happened, weight, cluster)| Scored { forecast, happened, weight, cluster };
            let there = cases.iter().copied().map(scored).collect::<Vec<_>>();
            let back = there.iter().rev().copied().collect::<Vec<_>>();
            let estimate = citl(&there).unwrap();
            if let Some((low, high)) = citl_interval(&there, &[]) {
                prop_assert!(-1.0 <= low && low <= estimate && estimate <= high && high <= 1.0);
                let (l, h) = citl_interval(&back, &[]).unwrap();
                prop_assert!((low - l).abs() < 1e-9 && (high - h).abs() < 1e-9);
                let (l, h) = citl_interval(&there, &[(0, 0.1), (1, -0.1)]).unwrap();
                prop_assert!(h - l <= 2.0 && h >= l);
            }
            let curve = reliability(&there, 5);
            prop_assert!((1..=5).contains(&curve.len()));
            prop_assert_eq!(curve.iter().map(|b| b.of).sum::<u64>(), there.len() as u64);
            prop_assert!(curve.iter().all(|b| b.low <= b.rate + 1e-12 && b.rate <= b.high + 1e-12));
            prop_assert!(curve.is_sorted_by(|a, b| a.forecast < b.forecast));
        }
    }
}
