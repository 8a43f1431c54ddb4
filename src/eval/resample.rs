//! The cluster bootstrap: how much a score would move with other threads, or other accounts, of the same kind.
//!
//! Efron's percentile interval over whole clusters (Davison and Hinkley, 1997, section 3.8). All scores of one evaluation
//! share their draws, so that two readers over the same texts can be compared pairwise.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::compare::stats::quantile;

/// Draws behind an interval.
const DRAWS: usize = 1000;

/// A value with its 95% interval; `None` where there is nothing to say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Estimate {
    /// Over all clusters.
    pub value: Option<f64>,
    /// 2.5% quantile of the draws.
    pub low: Option<f64>,
    /// 97.5% quantile.
    pub high: Option<f64>,
}

/// Texts sorted into clusters, and the clusters drawn again and again.
pub struct Resampler {
    cluster_of: Vec<usize>,
    clusters: usize,
    /// `DRAWS` rows of as many cluster numbers as there are clusters.
    draws: Vec<u32>,
}

impl Resampler {
    /// Clusters by name, one name a text. The same names in the same order and the same seed give the same draws.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, seed: u64) -> Self {
        let mut numbers = BTreeMap::new();
        let mut cluster_of = Vec::new();
        for name in names {
            let next = numbers.len();
            cluster_of.push(*numbers.entry(name).or_insert(next));
        }
        let clusters = numbers.len();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let most = u32::try_from(clusters).unwrap_or(u32::MAX);
        // A single cluster tells nothing about others.
        let drawn = if clusters < 2 { 0 } else { DRAWS * clusters };
        let draws = (0..drawn).map(|_| rng.random_range(0..most)).collect();
        Self { cluster_of, clusters, draws }
    }

    /// How many clusters there are.
    pub fn clusters(&self) -> usize {
        self.clusters
    }

    /// `statistic` of the sums of `parts`, which are numbers of single texts given by the text's index. There is no interval
    /// where the statistic cannot be computed in one draw out of ten, nor where no draw differs from another: three right
    /// answers out of three do not make the fourth sure.
    pub fn estimate<const N: usize>(
        &self,
        parts: impl IntoIterator<Item = (usize, [f64; N])>,
        statistic: impl Fn(&[f64; N]) -> Option<f64>,
    ) -> Estimate {
        let mut sums = vec![[0.0; N]; self.clusters];
        for (text, part) in parts {
            add(&mut sums[self.cluster_of[text]], &part);
        }
        let mut whole = [0.0; N];
        sums.iter().for_each(|sum| add(&mut whole, sum));
        let value = statistic(&whole);
        let mut drawn = Vec::with_capacity(DRAWS);
        for draw in self.draws.chunks_exact(self.clusters.max(1)) {
            let mut total = [0.0; N];
            draw.iter().for_each(|&cluster| add(&mut total, &sums[cluster as usize]));
            drawn.extend(statistic(&total));
        }
        if value.is_none() || drawn.len() * 10 < DRAWS * 9 {
            return Estimate { value, low: None, high: None };
        }
        drawn.sort_by(f64::total_cmp);
        if drawn.first() == drawn.last() {
            return Estimate { value, low: None, high: None };
        }
        Estimate { value, low: Some(quantile(&drawn, 0.025)), high: Some(quantile(&drawn, 0.975)) }
    }
}

fn add<const N: usize>(sum: &mut [f64; N], part: &[f64; N]) {
    for (s, p) in sum.iter_mut().zip(part) {
        *s += p;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(sum: &[f64; 2]) -> Option<f64> {
        super::super::share(sum[0], sum[1])
    }

    /// Of independent texts the interval is as wide as theory has it; of texts that repeat each other within ten clusters it
    /// is as wide as ten texts make it.
    #[test]
    fn clusters_count_and_texts_do_not() {
        let names: Vec<String> = (0..400).map(|i| i.to_string()).collect();
        let alone = Resampler::new(names.iter().map(String::as_str), 1);
        let halves = (0..400).map(|i| (i, [f64::from(u8::from(i % 2 == 0)), 1.0]));
        let estimate = alone.estimate(halves, mean);
        assert_eq!(estimate.value, Some(0.5));
        let width = estimate.high.unwrap() - estimate.low.unwrap();
        assert!((width - 2.0 * 1.96 * 0.025).abs() < 0.01, "{width}");

        let names: Vec<String> = (0..400).map(|i| (i / 40).to_string()).collect();
        let together = Resampler::new(names.iter().map(String::as_str), 1);
        let halves = (0..400).map(|i| (i, [f64::from(u8::from(i / 40 % 2 == 0)), 1.0]));
        let estimate = together.estimate(halves, mean);
        assert!(estimate.high.unwrap() - estimate.low.unwrap() > 0.4, "{estimate:?}");
    }

    #[test]
    fn nothing_gives_no_number() {
        let none = Resampler::new([], 1);
        assert_eq!(none.estimate([], mean), Estimate::default());
        let one = Resampler::new(["a", "a"], 1);
        let estimate = one.estimate([(0, [1.0, 1.0]), (1, [0.0, 1.0])], mean);
        assert_eq!(estimate, Estimate { value: Some(0.5), low: None, high: None });
        let same = Resampler::new(["a", "b", "c"], 1);
        let estimate = same.estimate((0..3).map(|i| (i, [1.0, 1.0])), mean);
        assert_eq!(estimate, Estimate { value: Some(1.0), low: None, high: None });
    }

    #[test]
    fn quantiles_are_interpolated() {
        assert_eq!(quantile(&[1.0], 0.9), 1.0);
        assert_eq!(quantile(&[0.0, 1.0, 2.0], 0.25), 0.5);
        assert_eq!(quantile(&[0.0, 1.0, 2.0], 1.0), 2.0);
    }
}
