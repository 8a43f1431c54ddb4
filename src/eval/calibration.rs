//! Whether probabilities mean what they say (METHOD 3.6).

/// Mean squared distance of probabilities from what was there (Brier, 1950): 0 best, 1 worst. `None` of nothing.
pub fn brier(pairs: &[(f64, bool)]) -> Option<f64> {
    let sum = pairs.iter().map(|&(p, there)| (p - indicator(there)).powi(2)).sum::<f64>();
    super::share(sum, pairs.len() as f64)
}

/// Squared expected calibration error over `bins` of equal mass, less what chance alone puts into each bin (Ferro and
/// Fricker, 2012; METHOD 3.6). Of a calibrated forecaster it is 0 on average, so a single value may be a little below.
/// `None` when there are fewer pairs than bins.
pub fn debiased_ece2(pairs: &[(f64, bool)], bins: usize) -> Option<f64> {
    let n = pairs.len();
    if bins == 0 || n < bins {
        return None;
    }
    let mut sorted = pairs.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut rest = sorted.as_slice();
    let mut total = 0.0;
    for bin in 0..bins {
        // The first bins take what does not divide evenly.
        let (here, later) = rest.split_at(n / bins + usize::from(bin < n % bins));
        rest = later;
        let size = here.len() as f64;
        let said = here.iter().map(|p| p.0).sum::<f64>() / size;
        let seen = here.iter().map(|p| indicator(p.1)).sum::<f64>() / size;
        let chance = if here.len() > 1 { seen * (1.0 - seen) / (size - 1.0) } else { 0.0 };
        total += size / n as f64 * ((seen - said).powi(2) - chance);
    }
    Some(total)
}

/// Bins for `n` pairs: ten, or five where ten would be thin.
pub fn bins(n: usize) -> usize {
    if n >= 200 { 10 } else { 5 }
}

fn indicator(there: bool) -> f64 {
    f64::from(u8::from(there))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calibration_is_golden() {
        let golden: serde_json::Value = serde_json::from_str(include_str!("../../tests/golden/method.json")).unwrap();
        let golden = &golden["calib"];
        let numbers = |name: &str| {
            let values = golden["input"][name].as_array().unwrap();
            values.iter().map(|v| v.as_f64().unwrap()).collect::<Vec<_>>()
        };
        let pairs: Vec<_> = numbers("p").into_iter().zip(numbers("y").iter().map(|y| *y > 0.5)).collect();
        let out = |name: &str| golden["out"][name].as_f64().unwrap();
        assert!((brier(&pairs).unwrap() - out("brier")).abs() < 1e-12);
        assert!((debiased_ece2(&pairs, 5).unwrap() - out("ece2_debiased")).abs() < 1e-12);
    }

    #[test]
    fn nothing_has_no_calibration() {
        assert_eq!(brier(&[]), None);
        assert_eq!(debiased_ece2(&[(0.5, true)], 5), None);
    }

    /// A forecaster who is right on average in every bin reads as one, however few the bins hold.
    #[test]
    fn overconfidence_is_seen() {
        let over: Vec<_> = (0..200).map(|i| (0.9, i % 2 == 0)).collect();
        assert!((debiased_ece2(&over, 5).unwrap().sqrt() - 0.4).abs() < 0.02);
        let right: Vec<_> = (0..200).map(|i| (0.5, i % 2 == 0)).collect();
        assert!(debiased_ece2(&right, 5).unwrap() <= 0.0);
    }
}
