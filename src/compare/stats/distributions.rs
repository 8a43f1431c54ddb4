//! Distribution functions, from statrs, with its domain errors turned into answers.

use statrs::distribution::{Binomial, ChiSquared, Continuous, ContinuousCDF, Discrete, Normal, StudentsT};
use statrs::function::beta::checked_beta_reg;

/// Regularised incomplete beta function: P(B <= x) for B ~ Beta(a, b). `x` is clamped to 0..=1. NaN unless a, b > 0.
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    checked_beta_reg(a, b, x.clamp(0.0, 1.0)).unwrap_or(f64::NAN)
}

/// Quantile of Beta(a, b) at `p`, clamped to 0..=1, by bisection to the last bit: it ends for every shape. NaN unless a, b > 0.
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    let p = p.clamp(0.0, 1.0);
    if beta_cdf(0.5, a, b).is_nan() {
        return f64::NAN;
    }
    let (mut low, mut high) = (0.0, 1.0);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if beta_cdf(middle, a, b) < p { low = middle } else { high = middle }
    }
}

/// Probabilities of 0 to `n` hits of `n`, each hit with probability `p`. NaN unless `p` lies in 0..=1.
pub fn binomial(n: usize, p: f64) -> Vec<f64> {
    let hits = Binomial::new(p, n as u64);
    (0..=n as u64).map(|k| hits.map_or(f64::NAN, |hits| hits.pmf(k))).collect()
}

/// Upper tail of the chi-squared distribution: P(X > x). NaN unless `df` is positive.
pub fn chi_squared_survival(x: f64, df: f64) -> f64 {
    ChiSquared::new(df).map_or(f64::NAN, |chi| chi.sf(x.max(0.0)))
}

/// Upper tail of the F distribution: P(F > x), by the incomplete beta function. NaN unless both degrees of freedom are
/// positive.
pub fn f_survival(x: f64, df1: f64, df2: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    beta_cdf(df2 / (df2 + df1 * x), df2 / 2.0, df1 / 2.0)
}

/// Quantile of sorted, non-empty values, interpolated between neighbours.
pub fn quantile(sorted: &[f64], at: f64) -> f64 {
    let place = at * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// Quantile of the standard normal at `p`, clamped to 0..=1.
pub fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p.clamp(0.0, 1.0))
}

/// Quantile of Student's t with `df` > 0 degrees of freedom at `p` in 0.5..1. NaN outside.
pub fn student_quantile(p: f64, df: f64) -> f64 {
    if !(0.5..1.0).contains(&p) {
        return f64::NAN;
    }
    let Ok(student) = StudentsT::new(0.0, 1.0, df) else { return f64::NAN };
    let mut t = student.inverse_cdf(p);
    // AS 109 stops near 1e-9 for some degrees of freedom; two Newton steps take it to machine precision.
    for _ in 0..2 {
        let step = (student.cdf(t) - p) / student.pdf(t);
        if step.is_finite() {
            t -= step;
        }
    }
    t
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_are_a_distribution() {
        for (n, p) in [(1, 0.2), (60, 0.02), (1000, 0.2)] {
            let all = binomial(n, p);
            let mean = all.iter().enumerate().map(|(k, mass)| k as f64 * mass).sum::<f64>();
            assert!((all.iter().sum::<f64>() - 1.0).abs() < 1e-9 && (mean - n as f64 * p).abs() < 1e-6, "{n} {p}");
        }
    }

    /// Values of scipy.stats.t.ppf(.975, df), to the digits published in its documentation and tables.
    #[test]
    fn student_quantiles_are_exact() {
        for (df, expected) in [
            (1.0, 12.706_204_736_432_095),
            (4.0, 2.776_445_105_197_793_4),
            (9.0, 2.262_157_162_798_205),
            (30.0, 2.042_272_456_301_238),
        ] {
            assert!((student_quantile(0.975, df) - expected).abs() < 1e-9, "df {df}: {}", student_quantile(0.975, df));
        }
    }

    #[test]
    fn student_tends_to_the_normal() {
        let mut last = f64::INFINITY;
        for df in [1.0, 2.0, 3.0, 5.0, 10.0, 50.0, 200.0, 1e3, 1e4, 1e5] {
            let t = student_quantile(0.975, df);
            assert!(t < last && t > super::super::Z95, "df {df}: {t}");
            last = t;
        }
        assert!((last - super::super::Z95).abs() < 1e-4);
    }

    /// Critical values of the usual tables, and the closed form for two degrees of freedom.
    #[test]
    fn chi_squared_is_exact() {
        for (x, df) in [(3.841_458_820_694_124, 1.0), (7.814_727_903_251_179, 3.0), (19.675_137_572_682_495, 11.0)] {
            assert!((chi_squared_survival(x, df) - 0.05).abs() < 1e-9, "df {df}");
        }
        assert!((chi_squared_survival(3.0, 2.0) - (-1.5f64).exp()).abs() < 1e-12);
        assert_eq!((chi_squared_survival(-1.0, 2.0), chi_squared_survival(0.0, 2.0)), (1.0, 1.0));
        assert!(chi_squared_survival(1.0, 0.0).is_nan());
    }

    #[test]
    fn a_beta_quantile_is_the_inverse() {
        assert!((beta_quantile(0.3, 1.0, 1.0) - 0.3).abs() < 1e-15);
        assert!((beta_quantile(0.09, 2.0, 1.0) - 0.3).abs() < 1e-12);
        for (a, b) in [(0.02, 30.0), (0.5, 0.5), (12.0, 3.0), (900.0, 4000.0), (30.0, 1e-3)] {
            for p in [0.025, 0.5, 0.975] {
                let x = beta_quantile(p, a, b);
                assert!((0.0..=1.0).contains(&x));
                let next = beta_cdf(x + 1e-12, a, b);
                assert!(next.is_nan() || next >= p - 1e-6 || x > 1.0 - 1e-9, "{a} {b} {p}: {x} {next}");
            }
        }
        assert!(beta_quantile(0.5, 0.0, 1.0).is_nan() && beta_quantile(0.5, f64::NAN, 1.0).is_nan());
        assert_eq!(beta_quantile(0.0, 2.0, 2.0), 0.0);
    }

    #[test]
    fn tails_stay_in_range() {
        assert!((normal_quantile(0.975) - super::super::Z95).abs() < 1e-9);
        assert!((beta_cdf(0.5, 1.0, 1.0) - 0.5).abs() < 1e-15);
        assert!((beta_cdf(0.3, 2.0, 1.0) - 0.09).abs() < 1e-12);
        assert_eq!((beta_cdf(-1.0, 2.0, 3.0), beta_cdf(7.0, 2.0, 3.0)), (0.0, 1.0));
        assert!(beta_cdf(0.5, 0.0, 1.0).is_nan());
        assert_eq!(f_survival(0.0, 3.0, 9.0), 1.0);
        // F(2, 2): P(F > x) = 1 / (1 + x).
        assert!((f_survival(3.0, 2.0, 2.0) - 0.25).abs() < 1e-12);
        assert!(f_survival(1e12, 2.0, 2.0) > 0.0);
    }
}
