//! Time to an event, for cases of which some are lost from sight before it.

/// The survival function of [`kaplan_meier`]: times of events, ascending, with the share that lives on after each.
#[derive(Debug, Clone, PartialEq)]
pub struct Survival(Vec<(i64, f64)>);

impl Survival {
    /// Share without the event up to and including `time`, in 0..=1.
    pub fn at(&self, time: i64) -> f64 {
        let passed = self.0.partition_point(|(at, _)| *at <= time);
        passed.checked_sub(1).map_or(1.0, |last| self.0[last].1)
    }
}

/// Kaplan-Meier's estimate (1958; METHOD 5.2): S(t) = Π (1 - d_i / r_i) over the times t_i <= t of events, of cases given by
/// their time and whether it is that of the event (else they were lost from sight then, after the events of that time).
pub fn kaplan_meier(cases: &[(i64, bool)]) -> Survival {
    let mut cases = cases.to_vec();
    cases.sort_unstable();
    let (mut at_risk, mut share, mut steps) = (cases.len(), 1.0, Vec::new());
    for same in cases.chunk_by(|a, b| a.0 == b.0) {
        let events = same.iter().filter(|(_, event)| *event).count();
        if events > 0 {
            share *= 1.0 - events as f64 / at_risk as f64;
            steps.push((same[0].0, share));
        }
        at_risk -= same.len();
    }
    Survival(steps)
}

/// Weights by which decided cases stand for those that were lost from sight before they were decided: the inverse
/// Kaplan-Meier estimate of not having been lost until just before the decision (IPCW; Robins and Rotnitzky 1992, for
/// Brier's score Graf et al. 1999; METHOD 3.6). `cases`: days of follow-up, and whether decided then; what is decided on a day
/// was decided before anything is lost on it. In the order given; 0 for those lost.
pub fn censoring_weights(cases: &[(i64, bool)]) -> Vec<f64> {
    // Twice the day, and one more for a loss, puts losses after the decisions of their day.
    let losses = cases.iter().map(|(day, decided)| (2 * day + i64::from(!decided), !decided)).collect::<Vec<_>>();
    let in_sight = kaplan_meier(&losses);
    cases.iter().map(|(day, decided)| if *decided { 1.0 / in_sight.at(2 * day) } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn nobody_lost_nobody_weighs_more() {
        assert_eq!(censoring_weights(&[(3, true), (90, true), (90, true)]), [1.0; 3]);
        assert!(censoring_weights(&[]).is_empty());
        assert!((kaplan_meier(&[]).at(5) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn a_loss_is_spread_over_those_decided_later() {
        // Of four, one is lost on day 10: the two that are decided after it stand for three.
        let weights = censoring_weights(&[(5, true), (10, false), (20, true), (90, true)]);
        assert!(weights.iter().zip([1.0, 0.0, 1.5, 1.5]).all(|(a, b)| (a - b).abs() < 1e-12), "{weights:?}");
        assert_eq!(censoring_weights(&[(10, true), (10, false), (20, true)]), [1.0, 0.0, 2.0], "decided first");
    }

    /// What comes early is seen more often than what comes late; weighing undoes that and leaving out does not.
    #[test]
    fn weights_undo_what_losses_distort() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let cases = (0..20_000)
            .map(|_| {
                let yes = rng.random::<f64>() < 0.4;
                let decided = if yes { rng.random_range(1..=60) } else { 90 };
                let lost = rng.random_range(1..=150);
                (yes, (decided.min(lost), decided <= lost))
            })
            .collect::<Vec<_>>();
        let weights = censoring_weights(&cases.iter().map(|c| c.1).collect::<Vec<_>>());
        let share = |weight: &dyn Fn(usize) -> f64| {
            let all = (0..cases.len()).map(weight).sum::<f64>();
            (0..cases.len()).filter(|i| cases[*i].0).map(weight).sum::<f64>() / all
        };
        assert!((share(&|i| weights[i]) - 0.4).abs() < 0.015, "{}", share(&|i| weights[i]));
        assert!(share(&|i| f64::from(u8::from(cases[i].1.1))) > 0.5);
    }

    proptest! {
        #[test]
        fn weights_sum_to_all(cases in prop::collection::vec((0i64..100, any::<bool>()), 1..60)) {
            let weights = censoring_weights(&cases);
            for (weight, (_, decided)) in weights.iter().zip(&cases) {
                prop_assert!(weight.is_finite() && *decided == (*weight >= 1.0) && (*decided || *weight == 0.0));
            }
            // When the last to be seen was decided, those decided stand for exactly everybody.
            let last = cases.iter().map(|c| c.0).max().unwrap();
            if cases.iter().filter(|c| c.0 == last).all(|c| c.1) {
                prop_assert!((weights.iter().sum::<f64>() - cases.len() as f64).abs() < 1e-6);
            }
        }
    }
}
