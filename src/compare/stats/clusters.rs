//! What the shares of several problems among the same units tell about how alike the units of a cluster are.

use super::{Proportion, student_quantile, wilson};

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

/// The shares of several problems among the same units, with the likeness of units of a cluster that all problems show together.
///
/// W-neff (METHOD 3.3) learns from one problem how alike people of a thread are. A problem that by chance few threads carry
/// then looks rarer and surer than it is. So the intra-class correlation of all problems is taken together,
/// ρ = Σ_k τ²_k / Σ_k m_k (1 - m_k), by moments (Fleiss et al. 2003, 15.2), and no share has a smaller variance than
/// V_post + ρ m (1 - m) (Σ n_c² / N² - 1 / N): its own design effect or that of all, whichever is larger (as METHOD's own simulation of
/// silent problems takes it). The degrees of freedom are Satterthwaite's (1946) of the two parts of the variance: those of the
/// clusters for what they add, those of the units for the rest; so units that are not alike do not pay for few clusters.
pub fn share_clusters(shares: Vec<Option<Clustered>>) -> Vec<Option<Proportion>> {
    let kinds = shares.iter().flatten().map(|s| s.by.len()).max().unwrap_or(0);
    let spreads = shares.iter().map(|s| s.as_ref().map_or_else(Vec::new, spreads)).collect::<Vec<_>>();
    let likeness = (0..kinds).map(|kind| {
        let (mut between, mut most) = (0.0, 0.0);
        for (share, spreads) in shares.iter().zip(&spreads) {
            if let (Some(s), Some(Some(spread))) = (share, spreads.get(kind)) {
                between += spread.between;
                most += s.share.mean * (1.0 - s.share.mean);
            }
        }
        if most > 0.0 { (between / most).clamp(0.0, 1.0) } else { 0.0 }
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
/// E Σ R_c² = τ² (S2 - 2 S3 / N + S2² / N²) + σ² (N - S2 / N) and E Σ r_i² = (τ² (N - S2 / N)) + σ² (N - 1), with R_c the sum of a
/// cluster's residuals and S2, S3 the sums of squares and cubes of cluster sizes. `None` where every cluster is one unit.
fn spread(residuals: &[f64], clusters: &[usize]) -> Option<Spread> {
    let mut sums = std::collections::BTreeMap::<usize, (f64, f64)>::new();
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

fn widened(share: Proportion, spreads: &[Option<Spread>], likeness: &[f64]) -> Proportion {
    let most = share.mean * (1.0 - share.mean);
    let pooled = spreads.iter().zip(likeness).filter_map(|(spread, likeness)| {
        let spread = spread.as_ref()?;
        Some((share.v_post + likeness * most * spread.factor, spread.clusters - 1.0))
    });
    let (v_cluster, clusters) =
        pooled.fold((share.v_cluster, share.df), |largest, one| if one.0 > largest.0 { one } else { largest });
    let variance = v_cluster.max(share.v_post);
    let units = share.pseudo.len() as f64 - 1.0;
    let added = variance - share.v_post;
    let df = variance * variance / (added * added / clusters + share.v_post * share.v_post / units);
    let n_eff = (most / variance).max(1.0);
    let t = student_quantile(0.975, df);
    let (low, high) = wilson(share.mean, n_eff, t);
    Proportion { v_cluster, n_eff, t, df, low, high, ..share }
}
