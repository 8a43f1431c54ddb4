//! What the shares of several problems among the same units tell about how alike the units of a cluster are.

use std::collections::BTreeMap;

use super::Proportion;
use super::proportion::around;

/// A share of units by W-neff, and the clusterings that it was measured by: a cluster id per unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustered {
    /// The share, with its pseudo-outcomes.
    pub share: Proportion,
    /// At each place the same kind of cluster (thread; account, rep) in all shares of a side.
    pub by: Vec<Vec<usize>>,
}

/// How a share varies between the clusters of one kind.
#[derive(Debug, Clone, Copy)]
struct Spread {
    /// Variance of the share between clusters, unbiased: below 0 by chance where they do not differ.
    between: f64,
    /// What one unit of that variance adds to the variance of the mean.
    factor: f64,
    /// Clusters.
    clusters: f64,
}

/// How alike the units of a cluster of one kind are, by all problems together.
#[derive(Debug, Clone, Copy, Default)]
struct Likeness {
    /// Intra-class correlation, in 0..=1.
    rho: f64,
    /// Degrees of freedom behind it: clusters less one, of every problem.
    df: f64,
}

/// The shares of several problems among the same units, with the likeness of units of a cluster that all problems show together.
///
/// W-neff (METHOD 3.3) learns from one problem how alike people of a thread are. A problem that by chance few threads carry then
/// looks rarer and surer than it is. So the intra-class correlation of all problems is taken together, by moments,
/// ρ = Σ_k τ²_k / Σ_k m_k (1 - m_k) (Fleiss et al. 2003, 15.2), and no share has a smaller variance than
/// V_post + ρ m (1 - m) (Σ n_c² / N² - 1 / N): its own design effect or the pooled one, whichever is larger, as in METHOD's simulation of
/// silent problems. A problem more clustered than the others has its own.
///
/// Student's degrees of freedom are those of the two parts of the variance (Satterthwaite 1946): of the clusters for what they add,
/// of the units for the rest. So units that are not alike do not pay for few clusters.
pub fn share_clusters(shares: Vec<Option<Clustered>>) -> Vec<Option<Proportion>> {
    let kinds = shares.iter().flatten().map(|s| s.by.len()).max().unwrap_or(0);
    let spreads = shares.iter().map(|s| s.as_ref().map_or_else(Vec::new, spreads)).collect::<Vec<_>>();
    let likeness = (0..kinds).map(|kind| {
        let (mut between, mut most, mut df) = (0.0, 0.0, 0.0);
        for (share, spreads) in shares.iter().zip(&spreads) {
            if let (Some(s), Some(Some(spread))) = (share, spreads.get(kind)) {
                between += spread.between;
                most += s.share.mean * (1.0 - s.share.mean);
                df += spread.clusters - 1.0;
            }
        }
        if most > 0.0 { Likeness { rho: (between / most).clamp(0.0, 1.0), df } } else { Likeness::default() }
    });
    let likeness = likeness.collect::<Vec<_>>();
    let each = shares.into_iter().zip(spreads);
    each.map(|(share, spreads)| Some(widened(share?.share, &spreads, &likeness))).collect()
}

fn spreads(of: &Clustered) -> Vec<Option<Spread>> {
    let residuals = of.share.pseudo.iter().map(|t| t - of.share.estimate).collect::<Vec<_>>();
    of.by.iter().map(|clusters| spread(&residuals, clusters)).collect()
}

/// Two equations in τ² and σ², from the sums of squares of clusters and of units around the common mean:
/// E Σ R_c² = τ² (S2 - 2 S3 / N + S2² / N²) + σ² (N - S2 / N) and E Σ r_i² = τ² (N - S2 / N) + σ² (N - 1), with R_c the sum of a
/// cluster's residuals and S2, S3 the sums of squares and cubes of cluster sizes. `None` where every cluster is one unit.
fn spread(residuals: &[f64], clusters: &[usize]) -> Option<Spread> {
    let mut sums = BTreeMap::<usize, (f64, f64)>::new();
    for (residual, cluster) in residuals.iter().zip(clusters) {
        let sum = sums.entry(*cluster).or_default();
        (sum.0, sum.1) = (sum.0 + residual, sum.1 + 1.0);
    }
    let n = residuals.len() as f64;
    let power = |k: i32| sums.values().map(|(_, size)| size.powi(k)).sum::<f64>();
    let (s2, s3) = (power(2), power(3));
    let (of_clusters, of_units) =
        (sums.values().map(|(r, _)| r * r).sum::<f64>(), residuals.iter().map(|r| r * r).sum::<f64>());
    let (a, b) = (s2 - 2.0 * s3 / n + s2 * s2 / (n * n), n - s2 / n);
    let determinant = a * (n - 1.0) - b * b;
    let factor = s2 / (n * n) - 1.0 / n;
    (determinant > 1e-9 && factor > 1e-12).then(|| Spread {
        between: (of_clusters * (n - 1.0) - b * of_units) / determinant,
        factor,
        clusters: sums.len() as f64,
    })
}

fn widened(share: Proportion, spreads: &[Option<Spread>], likeness: &[Likeness]) -> Proportion {
    let most = share.mean * (1.0 - share.mean);
    let pooled = spreads.iter().zip(likeness).filter_map(|(spread, likeness)| {
        let v_pooled = share.v_post + likeness.rho * most * spread.as_ref()?.factor;
        Some((v_pooled, likeness.df))
    });
    let (v_cluster, clusters) =
        pooled.fold((share.v_cluster, share.df), |largest, one| if one.0 > largest.0 { one } else { largest });
    let variance = v_cluster.max(share.v_post);
    let added = variance - share.v_post;
    let units = share.pseudo.len() as f64 - 1.0;
    let df = variance.powi(2) / (added.powi(2) / clusters + share.v_post.powi(2) / units);
    let wider = around(share.estimate, share.mean, share.v_post, (v_cluster, df));
    Proportion { pseudo: share.pseudo, ..wider }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::{Cell, census};
    use super::*;

    /// 200 units in clusters of `size`; those of the first `carriers` clusters have the problem, and so has one other in twenty.
    fn problem(size: usize, carriers: usize) -> Clustered {
        let clusters = (0..200).map(|i| i / size).collect::<Vec<_>>();
        let has = |i: usize| clusters[i] < carriers || i.is_multiple_of(20);
        let cell = |i| Cell { found: has(i), gold: Some(has(i)), weight: 1.0 };
        let share = census(&(0..200).map(cell).collect::<Vec<_>>(), &[&clusters]).unwrap();
        Clustered { share, by: vec![clusters] }
    }

    #[test]
    fn what_other_problems_show_of_clusters_widens_a_share() {
        // Nobody's neighbour has the scattered problem; whole threads have the other.
        let (scattered, clustered) = (problem(10, 0), problem(10, 6));
        let alone = share_clusters(vec![Some(scattered.clone())])[0].clone().unwrap();
        let both = share_clusters(vec![Some(scattered), None, Some(clustered.clone())]);
        assert!(both[0].as_ref().unwrap().n_eff < 0.6 * alone.n_eff, "{both:?}");
        assert!(both[1].is_none(), "what has no share gets none");
        let (own, kept) = (clustered.share, both[2].as_ref().unwrap());
        assert!(
            kept.v_cluster >= own.v_cluster && kept.n_eff <= own.n_eff,
            "its own spread is larger than the pooled one"
        );
    }

    #[test]
    fn units_that_are_not_alike_do_not_pay_for_few_clusters() {
        let scattered = problem(10, 0);
        let own = scattered.share.clone();
        let share = share_clusters(vec![Some(scattered)])[0].clone().unwrap();
        assert!(own.df < 20.0 && share.df > 150.0 && (share.n_eff - own.n_eff).abs() < 1e-9, "{share:?}");
        assert!(own.low < share.low && share.high < own.high);
        // Every unit its own cluster leaves nothing to pool.
        let (single, own) = (share_clusters(vec![Some(problem(1, 0))])[0].clone().unwrap(), problem(1, 0).share);
        assert!((single.n_eff - own.n_eff).abs() < 1e-9);
    }

    /// The variance between clusters of unequal sizes is found without bias.
    #[test]
    fn the_spread_is_unbiased() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let sizes = [40, 25, 20, 15, 10, 8, 6, 4, 2, 1];
        let clusters = sizes.iter().enumerate().flat_map(|(c, n)| vec![c; *n]).collect::<Vec<_>>();
        // Uniform, with a variance of 1 between clusters and 4 within.
        let around = |variance: f64, rng: &mut ChaCha8Rng| (12.0 * variance).sqrt() * (rng.random::<f64>() - 0.5);
        let (runs, mut sum) = (4000, 0.0);
        for _ in 0..runs {
            let common = sizes.map(|_| around(1.0, &mut rng));
            let values = clusters.iter().map(|c| common[*c] + around(4.0, &mut rng)).collect::<Vec<_>>();
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let residuals = values.iter().map(|v| v - mean).collect::<Vec<_>>();
            sum += spread(&residuals, &clusters).unwrap().between;
        }
        assert!((sum / f64::from(runs) - 1.0).abs() < 0.05, "{}", sum / f64::from(runs));
    }
}
