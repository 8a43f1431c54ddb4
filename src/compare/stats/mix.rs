//! Two mixes of problems against each other, from cluster-by-problem tables.
//!
//! A row is a cluster (a thread, an account), a column a problem, an entry the sum of the cluster's (pseudo-)outcomes.

use super::{POWER, beta_cdf, beta_quantile, f_survival, student_quantile};

/// Sums over clusters from which shares and the diagonal of their covariance follow, so that leaving one cluster out costs a
/// pass over the problems and not over the clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterTotals {
    clusters: f64,
    /// Mass of all problems.
    mass: f64,
    /// Mass by problem.
    by_problem: Vec<f64>,
    /// Σ_c M_ck².
    squares: Vec<f64>,
    /// Σ_c M_ck |M_c|.
    cross: Vec<f64>,
    /// Σ_c |M_c|².
    mass_squares: f64,
}

impl ClusterTotals {
    /// Totals of `rows`, all of one length.
    pub fn new(rows: &[Vec<f64>]) -> Self {
        let problems = rows.first().map_or(0, Vec::len);
        let mut totals = Self {
            clusters: 0.0,
            mass: 0.0,
            by_problem: vec![0.0; problems],
            squares: vec![0.0; problems],
            cross: vec![0.0; problems],
            mass_squares: 0.0,
        };
        for row in rows {
            totals.add(row, 1.0);
        }
        totals
    }

    fn add(&mut self, row: &[f64], sign: f64) {
        let mass = row.iter().sum::<f64>();
        self.clusters += sign;
        self.mass += sign * mass;
        self.mass_squares += sign * mass * mass;
        for (k, value) in row.iter().enumerate() {
            self.by_problem[k] += sign * value;
            self.squares[k] += sign * value * value;
            self.cross[k] += sign * value * mass;
        }
    }

    fn without(&self, row: &[f64]) -> Self {
        let mut rest = self.clone();
        rest.add(row, -1.0);
        rest
    }

    /// Mass shares q_k; `None` without mass or with fewer than two clusters.
    pub fn shares(&self) -> Option<Vec<f64>> {
        let usable = self.clusters >= 2.0 && self.mass > 1e-9;
        usable.then(|| self.by_problem.iter().map(|m| m / self.mass).collect())
    }

    /// Variances of the mass shares between clusters.
    fn variances(&self, q: &[f64]) -> Vec<f64> {
        let factor = self.clusters / (self.clusters - 1.0) / (self.mass * self.mass);
        q.iter()
            .enumerate()
            .map(|(k, q)| (factor * (self.squares[k] - 2.0 * q * self.cross[k] + q * q * self.mass_squares)).max(0.0))
            .collect()
    }
}

/// Mass shares and their covariance between clusters (METHOD 3.4): V = G/(G-1) R'R / N², R the residual rows. `None` without
/// mass or with fewer than two clusters.
pub fn cluster_covariance(rows: &[Vec<f64>]) -> Option<(Vec<f64>, Vec<Vec<f64>>)> {
    let totals = ClusterTotals::new(rows);
    let q = totals.shares()?;
    let mut covariance = vec![vec![0.0; q.len()]; q.len()];
    let factor = totals.clusters / (totals.clusters - 1.0) / (totals.mass * totals.mass);
    for row in rows {
        let mass = row.iter().sum::<f64>();
        let residual = row.iter().zip(&q).map(|(m, q)| m - mass * q).collect::<Vec<_>>();
        for (line, a) in covariance.iter_mut().zip(&residual) {
            for (entry, b) in line.iter_mut().zip(&residual) {
                *entry += factor * a * b;
            }
        }
    }
    Some((q, covariance))
}

/// The omnibus test and what it was made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RaoScott {
    /// Pearson-like distance of the two mixes.
    pub x: f64,
    /// Σλ.
    pub trace: f64,
    /// F statistic.
    pub f: f64,
    /// First degrees of freedom, by Satterthwaite.
    pub nu: f64,
    /// Second degrees of freedom.
    pub df2: f64,
    /// P(F > f) when the mixes are the same.
    pub p: f64,
}

impl RaoScott {
    /// Largest noncentrality that is looked at.
    const FARTHEST: f64 = 1000.0;

    /// The smallest divergence of two mixes that this test tells at `level` four times in five; 1 where it tells none. A true
    /// distance X makes the statistic about a noncentral F with noncentrality X ν / Σλ, and two mixes that far apart have, to second
    /// order, a Jensen-Shannon divergence of X / (8 ln 2). Both are approximations that are good where the mixes are near.
    pub fn detectable(&self, level: f64) -> f64 {
        let (a, b) = (self.nu / 2.0, self.df2 / 2.0);
        let critical = beta_quantile(1.0 - level, a, b);
        // A noncentral F is a Poisson mixture of betas.
        let missed = |noncentrality: f64| {
            let mean = noncentrality / 2.0;
            let (mut weight, mut left, mut sum, mut j) = ((-mean).exp(), 1.0, 0.0, 0.0);
            while left > 1e-9 && j < 2.0 * Self::FARTHEST {
                sum += weight * beta_cdf(critical, a + j, b);
                left -= weight;
                j += 1.0;
                weight *= mean / j;
            }
            sum
        };
        let (mut low, mut high) = (0.0, Self::FARTHEST);
        if missed(high) > 1.0 - POWER {
            return 1.0;
        }
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            if missed(middle) > 1.0 - POWER { low = middle } else { high = middle }
        }
        (high * self.trace / self.nu / (8.0 * std::f64::consts::LN_2)).min(1.0)
    }
}

/// Are the two mixes different at all? Second-order Rao-Scott test with an F reference on cluster totals (METHOD 3.4; Rao and
/// Scott 1981, Thomas and Rao 1987). `None` when a side has no mass, fewer than two clusters, or no spread between clusters.
pub fn rs_f(one: &[Vec<f64>], two: &[Vec<f64>]) -> Option<RaoScott> {
    let ((q1, v1), (q2, v2)) = (cluster_covariance(one)?, cluster_covariance(two)?);
    let mass = |rows: &[Vec<f64>]| rows.iter().flatten().sum::<f64>();
    let (n1, n2) = (mass(one), mass(two));
    let pooled = q1.iter().zip(&q2).map(|(a, b)| (n1 * a + n2 * b) / (n1 + n2)).collect::<Vec<_>>();
    let kept = (0..pooled.len()).filter(|k| pooled[*k] > 0.0).collect::<Vec<_>>();
    let x = kept.iter().map(|&k| (q1[k] - q2[k]).powi(2) / pooled[k]).sum::<f64>();
    // Only Σλ and Σλ² of the symmetric matrix D^(-1/2) (V1 + V2) D^(-1/2) are needed: its trace and its squared norm.
    let (mut trace, mut norm) = (0.0, 0.0);
    for &i in &kept {
        for &j in &kept {
            let entry = (v1[i][j] + v2[i][j]) / (pooled[i] * pooled[j]).sqrt();
            norm += entry * entry;
            if i == j {
                trace += entry;
            }
        }
    }
    if trace <= 0.0 || norm <= 0.0 {
        return None;
    }
    let nu = trace * trace / norm;
    let df2 = nu * (one.len().min(two.len()) as f64 - 1.0);
    Some(RaoScott { x, trace, f: x / trace, nu, df2, p: f_survival(x / trace, nu, df2) })
}

/// A divergence of two mixes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jsd {
    /// Plug-in value, base 2, 0..=1; reads too high.
    pub raw: f64,
    /// How much too high, to second order.
    pub bias: f64,
    /// `raw - bias`; may be slightly negative.
    pub corrected: f64,
}

/// What each problem contributes to the Jensen-Shannon divergence of two mixes, base 2; the contributions sum to it.
pub fn jsd_parts(q1: &[f64], q2: &[f64]) -> Vec<f64> {
    let half = |q: f64, m: f64| if q > 0.0 && m > 0.0 { q * (q / m).log2() / 2.0 } else { 0.0 };
    q1.iter().zip(q2).map(|(a, b)| half(*a, f64::midpoint(*a, *b)) + half(*b, f64::midpoint(*a, *b))).collect()
}

/// Bias-corrected Jensen-Shannon divergence (METHOD 3.4; Lin 1991, the correction by the delta method):
/// JSD - (1/(8 ln 2)) Σ_k (V1+V2)_kk / m_k. `None` as for [`ClusterTotals::shares`].
pub fn jsd_bc(one: &ClusterTotals, two: &ClusterTotals) -> Option<Jsd> {
    let (q1, q2) = (one.shares()?, two.shares()?);
    let raw = jsd_parts(&q1, &q2).iter().sum::<f64>();
    let (v1, v2) = (one.variances(&q1), two.variances(&q2));
    let bias = (0..q1.len())
        .filter(|&k| q1[k] + q2[k] > 0.0)
        .map(|k| (v1[k] + v2[k]) / f64::midpoint(q1[k], q2[k]))
        .sum::<f64>()
        / (8.0 * std::f64::consts::LN_2);
    Some(Jsd { raw, bias, corrected: raw - bias })
}

/// Half-width of the 95% interval of the corrected divergence: Student's quantile at the smaller number of clusters less one,
/// times the delete-one-cluster jackknife error of both sides. `None` when a side has fewer than three clusters.
pub fn jsd_interval(one: &[Vec<f64>], two: &[Vec<f64>]) -> Option<f64> {
    let totals = (ClusterTotals::new(one), ClusterTotals::new(two));
    let deleted_one = one.iter().map(|row| jsd_bc(&totals.0.without(row), &totals.1)).collect::<Option<Vec<_>>>()?;
    let deleted_two = two.iter().map(|row| jsd_bc(&totals.0, &totals.1.without(row))).collect::<Option<Vec<_>>>()?;
    let variance = |deleted: &[Jsd]| {
        let g = deleted.len() as f64;
        let mean = deleted.iter().map(|j| j.corrected).sum::<f64>() / g;
        (g - 1.0) / g * deleted.iter().map(|j| (j.corrected - mean).powi(2)).sum::<f64>()
    };
    let error = (variance(&deleted_one) + variance(&deleted_two)).sqrt();
    Some(student_quantile(0.975, one.len().min(two.len()) as f64 - 1.0) * error)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(rows: &[[f64; 3]]) -> Vec<Vec<f64>> {
        rows.iter().map(|r| r.to_vec()).collect()
    }

    /// With one degree of freedom and endless clusters the test is a z test, which tells 2.80 standard errors four times in five.
    #[test]
    fn what_can_be_seen_is_that_of_a_z_test() {
        let test = RaoScott { x: 0.0, trace: 0.01, f: 0.0, nu: 1.0, df2: 1e6, p: 1.0 };
        let distance = 0.01 * (1.959_964_f64 + 0.841_621).powi(2);
        let by_hand = distance / (8.0 * std::f64::consts::LN_2);
        assert!((test.detectable(0.05) / by_hand - 1.0).abs() < 1e-3, "{} {by_hand}", test.detectable(0.05));
        let blind = RaoScott { df2: 0.5, ..test };
        assert!(blind.detectable(0.05) > 0.99, "{}", blind.detectable(0.05));
    }

    #[test]
    fn no_mass_no_answer() {
        let some = table(&[[1.0, 0.0, 2.0], [0.0, 3.0, 1.0]]);
        for none in [table(&[]), table(&[[0.0; 3], [0.0; 3]]), table(&[[1.0, 2.0, 3.0]])] {
            assert!(rs_f(&some, &none).is_none());
            assert!(jsd_bc(&ClusterTotals::new(&some), &ClusterTotals::new(&none)).is_none());
            assert!(jsd_interval(&some, &none).is_none());
        }
    }

    #[test]
    fn leaving_a_cluster_out_equals_never_having_seen_it() {
        let rows = table(&[[5.0, 2.0, 1.0], [3.0, 0.0, 0.5], [1.0, 4.0, 2.0], [0.0, 1.0, 6.0]]);
        let rest = ClusterTotals::new(&rows[1..]);
        let without = ClusterTotals::new(&rows).without(&rows[0]);
        let (q, p) = (rest.shares().unwrap(), without.shares().unwrap());
        assert!(q.iter().zip(&p).all(|(a, b)| (a - b).abs() < 1e-12));
        assert!(rest.variances(&q).iter().zip(&without.variances(&p)).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    proptest! {
        #[test]
        fn divergence_is_symmetric_and_bounded(
            one in prop::collection::vec(prop::array::uniform3(0.0..5.0f64), 3..12),
            two in prop::collection::vec(prop::array::uniform3(0.0..5.0f64), 3..12),
        ) {
            let (one, two) = (table(&one), table(&two));
            let (a, b) = (ClusterTotals::new(&one), ClusterTotals::new(&two));
            if let (Some(there), Some(back)) = (jsd_bc(&a, &b), jsd_bc(&b, &a)) {
                prop_assert!((there.raw - back.raw).abs() < 1e-12);
                prop_assert!((-1e-12..=1.0 + 1e-12).contains(&there.raw) && there.bias >= 0.0);
            }
            if let Some(test) = rs_f(&one, &two) {
                prop_assert!((0.0..=1.0).contains(&test.p) && test.nu >= 1.0 - 1e-9);
            }
        }
    }
}
