//! Distribution functions, from statrs, with its domain errors turned into answers.

use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};
use statrs::function::beta::checked_beta_reg;

/// Regularised incomplete beta function: P(B <= x) for B ~ Beta(a, b). `x` is clamped to 0..=1. NaN unless a, b > 0.
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    checked_beta_reg(a, b, x.clamp(0.0, 1.0)).unwrap_or(f64::NAN)
}

/// Upper tail of the F distribution: P(F > x), by the incomplete beta function. NaN unless both degrees of freedom are
/// positive.
pub fn f_survival(x: f64, df1: f64, df2: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    beta_cdf(df2 / (df2 + df1 * x), df2 / 2.0, df1 / 2.0)
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
