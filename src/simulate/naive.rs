//! What is concluded when the reader's word is taken for the truth and nobody shares a thread or a rep.

use statrs::distribution::{ContinuousCDF, Normal};

use crate::compare::cells::{Account, Deal, Followed, Forecast, Units};
use crate::compare::stats::{Z95, chi_squared_survival, mover, wilson};

/// So many of so many.
pub type Count = (usize, usize);

/// Level of every naive test.
pub const LEVEL: f64 = 0.05;

/// Units in which the reader found `problem`, of all.
pub fn count(units: &Units, problem: usize) -> Count {
    (units.0.iter().filter(|u| u.occurrence(problem).is_some()).count(), units.0.len())
}

/// Posts (or notes) in which the reader found each of `problems` problems.
pub fn texts(units: &Units, problems: usize) -> Vec<f64> {
    let mut counts = vec![0.0; problems];
    for found in units.0.iter().flat_map(|u| &u.found) {
        counts[found.problem] += found.count as f64;
    }
    counts
}

/// Units in which the reader found each of `problems` problems.
pub fn units(units: &Units, problems: usize) -> Vec<f64> {
    (0..problems).map(|k| count(units, k).0 as f64).collect()
}

/// Accounts that the reader calls strongly interested, and those of them that it calls unbacked.
pub fn unbacked(accounts: &[Account]) -> Count {
    let strong = || accounts.iter().filter(|a| a.found.strong);
    (strong().filter(|a| !a.found.backed).count(), strong().count())
}

/// 0 of nothing.
pub fn rate((hits, of): Count) -> f64 {
    hits as f64 / of.max(1) as f64
}

/// Wilson's interval of a share.
pub fn share((hits, of): Count) -> (f64, f64) {
    wilson(hits as f64 / of as f64, of as f64, Z95)
}

/// Newcombe's interval of the first share less the second.
pub fn difference(one: Count, two: Count) -> (f64, f64) {
    let around = |count: Count| {
        let (low, high) = share(count);
        (rate(count), low, high)
    };
    mover(around(one), around(two))
}

/// Interval of the first share over the second, by its logarithm (Katz et al. 1978); half a unit is added to each count.
pub fn ratio(one: Count, two: Count) -> (f64, f64) {
    let half = |(hits, of): Count| (hits as f64 + 0.5, of as f64 + 0.5);
    let ((a, m), (b, n)) = (half(one), half(two));
    let middle = (a / m / (b / n)).ln();
    let reach = Z95 * (1.0 / a - 1.0 / m + 1.0 / b - 1.0 / n).max(0.0).sqrt();
    ((middle - reach).exp(), (middle + reach).exp())
}

/// Two-sided p of the pooled z test that two shares are equal.
pub fn z_test(one: Count, two: Count) -> f64 {
    let (m, n) = (one.1 as f64, two.1 as f64);
    let pooled = (one.0 + two.0) as f64 / (m + n);
    let error = (pooled * (1.0 - pooled) * (1.0 / m + 1.0 / n)).sqrt();
    let z = (rate(one) - rate(two)).abs() / error;
    if z.is_finite() { 2.0 * Normal::standard().sf(z) } else { 1.0 }
}

/// p of Pearson's chi-square test that two rows of counts have the same mix; 1 when there is nothing to test.
pub fn chi_square(one: &[f64], two: &[f64]) -> f64 {
    let (m, n) = (one.iter().sum::<f64>(), two.iter().sum::<f64>());
    let columns = one.iter().zip(two).filter(|(a, b)| *a + *b > 0.0);
    let (mut x, mut df) = (0.0, -1.0);
    for (a, b) in columns {
        let column = a + b;
        df += 1.0;
        for (observed, row) in [(a, m), (b, n)] {
            let expected = column * row / (m + n);
            x += (observed - expected).powi(2) / expected;
        }
    }
    if df > 0.0 && x.is_finite() { chi_squared_survival(x, df) } else { 1.0 }
}

/// Mean forecast of a sale less the share of what followed, by the last notes, with an interval as of independent deals.
pub fn calibration(deals: &[Deal], of: fn(&Forecast) -> Followed) -> Option<(f64, (f64, f64))> {
    let errors = deals
        .iter()
        .filter_map(|deal| {
            let forecast = deal.last?;
            let happened = match of(&forecast) {
                Followed::Yes(_) => 1.0,
                Followed::No(_) => 0.0,
                Followed::Censored(_) | Followed::Unknown => return None,
            };
            Some(forecast.crm_prob? - happened)
        })
        .collect::<Vec<_>>();
    let n = errors.len() as f64;
    if n < 2.0 {
        return None;
    }
    let mean = errors.iter().sum::<f64>() / n;
    let variance = errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let reach = Z95 * (variance / n).sqrt();
    Some((mean, (mean - reach, mean + reach)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_shares_do_not_differ() {
        assert!((z_test((10, 100), (20, 200)) - 1.0).abs() < 1e-9);
        assert_eq!(z_test((0, 100), (0, 100)), 1.0);
        assert!(z_test((30, 100), (10, 100)) < 0.001);
        let (low, high) = difference((10, 100), (10, 100));
        assert!(low < 0.0 && 0.0 < high);
    }

    /// The 2x2 chi-square is the square of the pooled z.
    #[test]
    fn chi_square_agrees_with_z() {
        let p = chi_square(&[30.0, 70.0], &[20.0, 80.0]);
        assert!((p - z_test((30, 100), (20, 100))).abs() < 1e-9, "{p}");
        assert_eq!(chi_square(&[5.0, 0.0], &[3.0, 0.0]), 1.0);
        assert_eq!(chi_square(&[], &[]), 1.0);
    }

    #[test]
    fn a_ratio_holds_its_own_estimate() {
        let (low, high) = ratio((40, 100), (10, 100));
        assert!(low < 4.0 && 4.0 < high && low > 1.0, "{low} {high}");
        assert!(ratio((5, 10), (0, 10)).1.is_finite());
    }
}
