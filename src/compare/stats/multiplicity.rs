//! Many tests at once.

/// Adjusted p values of Benjamini and Hochberg (1995; METHOD 3.11), in the order given: rejecting those at most `q` holds the
/// false discovery rate at `q`. A NaN counts as 1.
pub fn bh(p: &[f64]) -> Vec<f64> {
    let p = p.iter().map(|p| if p.is_nan() { 1.0 } else { *p }).collect::<Vec<_>>();
    let mut order = (0..p.len()).collect::<Vec<_>>();
    order.sort_by(|a, b| p[*b].total_cmp(&p[*a]));
    let mut adjusted = vec![1.0; p.len()];
    let mut smallest = 1.0_f64;
    for (from_top, index) in order.into_iter().enumerate() {
        let rank = (p.len() - from_top) as f64;
        smallest = smallest.min(p[index] * (p.len() as f64 / rank));
        adjusted[index] = smallest;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_in_nothing_out() {
        assert!(bh(&[]).is_empty());
        assert_eq!(bh(&[f64::NAN]), [1.0]);
    }

    proptest! {
        #[test]
        fn adjusted_p_is_no_smaller_and_keeps_the_order(p in prop::collection::vec(0.0..1.0f64, 1..30)) {
            let adjusted = bh(&p);
            for i in 0..p.len() {
                prop_assert!(adjusted[i] >= p[i] && adjusted[i] <= 1.0);
                for j in 0..p.len() {
                    prop_assert!(p[i] > p[j] || adjusted[i] <= adjusted[j]);
                }
            }
        }
    }
}
