//! Two shares against each other.

use super::{Proportion, beta_cdf, normal_quantile, student_quantile};

/// Points of the quadrature over the second share.
const NODES: usize = 1000;

/// Interval of a difference of two shares from their own intervals, each given as (centre, low, high): MOVER (METHOD 3.3;
/// Newcombe 1998, Zou and Donner 2008). Swapping the two flips the sign exactly.
pub fn mover(one: (f64, f64, f64), two: (f64, f64, f64)) -> (f64, f64) {
    let ((a, low_a, high_a), (b, low_b, high_b)) = (one, two);
    let d = a - b;
    (d - (a - low_a).hypot(high_b - b), d + (high_a - a).hypot(b - low_b))
}

/// How often an effect shows that is called detectable (METHOD 7.3).
pub const POWER: f64 = 0.80;

/// The smallest effect that an estimate with this standard error shows beyond its 95% interval four times in five:
/// (t_.975 + z_.80) SE (METHOD 0.3, 7.3). One as large as half the interval shows only every second time.
pub fn detectable(error: f64, df: f64) -> f64 {
    (student_quantile(0.975, df) + normal_quantile(POWER)) * error
}

/// Standard error of the difference of two independent shares, and its degrees of freedom (Satterthwaite 1946).
pub fn difference_error(one: &Proportion, two: &Proportion) -> (f64, f64) {
    let (a, b) = (one.variance(), two.variance());
    ((a + b).sqrt(), (a + b).powi(2) / (a * a / one.df + b * b / two.df))
}

/// P(B1 <= rho B2) for independent beta variables given by their parameters: the minimum-effect test that the first share is
/// more than `rho` times the second (METHOD 3.4). One-dimensional quadrature, good to 1e-4.
pub fn p_ratio(one: (f64, f64), two: (f64, f64), rho: f64) -> f64 {
    RatioTail::new(one, two).below(rho)
}

/// The posterior of a ratio of two shares.
#[derive(Debug, Clone)]
pub struct RatioTail {
    one: (f64, f64),
    /// Midpoint and probability of each slice of the second share.
    slices: Vec<(f64, f64)>,
}

impl RatioTail {
    /// Shares given by the parameters of their beta distributions, both positive.
    pub fn new(one: (f64, f64), two: (f64, f64)) -> Self {
        // Slices equal on the logit scale need no quantiles, which are badly behaved for the small parameters of rare
        // problems. Ten standard deviations reach far into both tails; what lies beyond belongs to the outermost slices.
        let (a, b) = two;
        let reach = 10.0 * (1.0 / a + 1.0 / (a * a) + 1.0 / b + 1.0 / (b * b)).sqrt();
        let share = |position: f64| {
            let logit = (a / b).ln() + reach * (2.0 * position / NODES as f64 - 1.0);
            1.0 / (1.0 + (-logit).exp())
        };
        let mut below = 0.0;
        let slices = (0..NODES)
            .map(|i| {
                let next = if i + 1 == NODES { 1.0 } else { beta_cdf(share(i as f64 + 1.0), a, b) };
                let slice = (share(i as f64 + 0.5), next - below);
                below = next;
                slice
            })
            // A thousand slices of less than this hold less than 1e-11 of the answer, and are a third of all.
            .filter(|(_, mass)| *mass > 1e-14)
            .collect();
        Self { one, slices }
    }

    /// P(first share <= rho times the second).
    pub fn below(&self, rho: f64) -> f64 {
        self.slices.iter().map(|(x, mass)| mass * beta_cdf((rho * x).min(1.0), self.one.0, self.one.1)).sum()
    }

    /// The ratio that lies below with probability `p`: with 0.025 the lower end of a 95% interval (METHOD 3.10). Between 0
    /// and 1e6.
    pub fn quantile(&self, p: f64) -> f64 {
        let (mut low, mut high) = (-14.0_f64, 14.0_f64);
        // To 1e-10 of the logarithm.
        for _ in 0..38 {
            let middle = f64::midpoint(low, high);
            if self.below(middle.exp()) < p {
                low = middle;
            } else {
                high = middle;
            }
        }
        f64::midpoint(low, high).exp()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Z95, binomial, wilson};
    use super::*;

    #[test]
    fn equal_shares_are_a_coin_flip() {
        for shape in [(0.5, 80.5), (3.0, 40.0), (50.0, 50.0), (4000.0, 9000.0)] {
            assert!((p_ratio(shape, shape, 1.0) - 0.5).abs() < 2e-3, "{shape:?}");
        }
    }

    /// Equal rare shares are covered more often than promised, whoever counts: 80 accounts and 160 people, all labelled, no cluster.
    #[test]
    fn equal_rare_shares_are_covered_too_often() {
        let interval = |hits: usize, n: usize| {
            let mean = (hits as f64 + 0.5) / (n as f64 + 1.0);
            let (low, high) = wilson(mean, n as f64 + 2.0, Z95);
            (f64::midpoint(low, high), low, high)
        };
        let covered = |p: f64| {
            let (people, accounts) = (binomial(160, p), binomial(80, p));
            let pairs = people.iter().enumerate().flat_map(|a| accounts.iter().enumerate().map(move |b| (a, b)));
            let holds = |x: usize, y: usize| {
                let (low, high) = mover(interval(x, 160), interval(y, 80));
                low <= 0.0 && 0.0 <= high
            };
            pairs.filter(|((x, _), (y, _))| holds(*x, *y)).map(|((_, a), (_, b))| a * b).sum::<f64>()
        };
        let shares = [0.22, 0.17, 0.14, 0.12, 0.11, 0.10, 0.09, 0.08, 0.07, 0.05, 0.04, 0.03];
        let mean = shares.map(covered).iter().sum::<f64>() / shares.len() as f64;
        assert!((mean - 0.963).abs() < 5e-4, "{mean}");
    }

    #[test]
    fn the_quantile_inverts_the_tail() {
        let tail = RatioTail::new((20.5, 80.5), (4.5, 79.5));
        let lower = tail.quantile(0.025);
        assert!((tail.below(lower) - 0.025).abs() < 1e-6);
        assert!(lower > 1.0 && lower < 0.203 / 0.0536, "{lower}");
    }

    proptest! {
        #[test]
        fn mover_contains_the_difference_and_flips(
            a in 0.0..1.0f64, b in 0.0..1.0f64, w in prop::array::uniform4(0.0..0.3f64),
        ) {
            let (one, two) = ((a, a - w[0], a + w[1]), (b, b - w[2], b + w[3]));
            let (low, high) = mover(one, two);
            prop_assert!(low <= a - b && a - b <= high);
            let (back_low, back_high) = mover(two, one);
            prop_assert_eq!((low, high), (-back_high, -back_low));
        }

        #[test]
        fn the_tail_grows_with_rho(
            a1 in 0.3..60.0f64, b1 in 0.3..200.0f64, a2 in 0.3..60.0f64, b2 in 0.3..200.0f64, rho in 0.1..5.0f64,
        ) {
            let tail = RatioTail::new((a1, b1), (a2, b2));
            let (p, q) = (tail.below(rho), tail.below(rho * 1.5));
            prop_assert!((-1e-12..=1.0 + 1e-9).contains(&p));
            prop_assert!(p <= q + 1e-12);
        }
    }
}
