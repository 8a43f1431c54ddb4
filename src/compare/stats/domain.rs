//! A share among units that are themselves picked by a fallible reader: "of the accounts called strongly interested, …".

use super::Proportion;
use super::proportion::{Stratum, interval};

/// Where a unit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Not one of those the share is of.
    Outside,
    /// One of them, without the property.
    Without,
    /// One of them, with it.
    With,
}

/// Weight of each class in the prior of each stratum. Over all three strata a class then weighs 1/2, as in one Jeffreys prior: 1/2 in
/// each would pull a share of few units to one half by several points (METHOD 3.3 on strata).
const PRIOR: f64 = 1.0 / 6.0;

impl Class {
    const ALL: [Self; 3] = [Self::Outside, Self::Without, Self::With];

    /// The class of a unit that is one of them or not, and has the property or not.
    pub fn of(inside: bool, with: bool) -> Self {
        match (inside, with) {
            (false, _) => Self::Outside,
            (true, false) => Self::Without,
            (true, true) => Self::With,
        }
    }
}

/// One unit of analysis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DomainCell {
    /// What the reader found. Only the strata are made of it: shares of the same units with the same `found` stand on the same
    /// strata, and their totals add up.
    pub found: Class,
    /// What a person found, when the unit was drawn and labelled.
    pub gold: Option<Class>,
    /// As in [`super::Cell`].
    pub weight: f64,
}

/// W-neff for a share inside a domain: P(with) / P(with or without), both measured with the reader's errors. The same
/// machine as [`super::w_neff`] (METHOD 3.3, 3.5) with three strata, Dirichlet posteriors, and Taylor linearisation of
/// the ratio: the residual of a unit is (t_with - R t_domain) / mean(t_domain) (Särndal et al. 1992, 5.8). Without a unit
/// outside the domain it is W-neff up to the prior. `pseudo` of the answer is the estimate with the residual of each unit.
///
/// `None` when nothing is in the domain or no clustering has two clusters.
pub fn share_within(cells: &[DomainCell], clusterings: &[&[usize]]) -> Option<Proportion> {
    if cells.is_empty() {
        return None;
    }
    let size = cells.len() as f64;
    let strata = Class::ALL.map(|class| {
        let inside = || cells.iter().filter(|c| c.found == class);
        let stratum = Stratum::count(inside().map(|c| (c.gold.is_some(), c.weight)));
        let share = |gold: Class| {
            let weight = inside().filter(|c| c.gold == Some(gold)).map(|c| c.weight).sum::<f64>();
            let hits = if stratum.weight > 0.0 { weight / stratum.weight * stratum.labels() } else { 0.0 };
            (hits + PRIOR) / (stratum.labels() + 3.0 * PRIOR)
        };
        (stratum, share(Class::With), share(Class::Without))
    });

    // Pseudo-outcomes of "with" and of "in the domain".
    let outcomes = cells
        .iter()
        .map(|cell| {
            let (stratum, with, without) = strata[cell.found as usize];
            let domain = with + without;
            let Some(gold) = cell.gold else { return (with, domain) };
            let is = |yes: bool| f64::from(u8::from(yes));
            let scale = stratum.scale(cell.weight);
            (with + scale * (is(gold == Class::With) - with), domain + scale * (is(gold != Class::Outside) - domain))
        })
        .collect::<Vec<_>>();
    let with = outcomes.iter().map(|o| o.0).sum::<f64>();
    let domain = outcomes.iter().map(|o| o.1).sum::<f64>();
    if domain < 0.5 {
        return None;
    }
    let estimate = with / domain;
    let residuals =
        outcomes.iter().map(|(with, inside)| (with - estimate * inside) * size / domain).collect::<Vec<_>>();

    // The posterior, with the ratio linearised at its posterior mean: d is 1 - R with, -R without, 0 outside.
    let q = strata.map(|(stratum, ..)| (stratum.size + 0.5) / (size + 1.5));
    let sum = |value: &dyn Fn(usize) -> f64| (0..3).map(|h| q[h] * value(h)).sum::<f64>();
    let mean_domain = sum(&|h| strata[h].1 + strata[h].2);
    let mean = sum(&|h| strata[h].1) / mean_domain;
    let first = |h: usize| strata[h].1 * (1.0 - mean) - strata[h].2 * mean;
    let second = |h: usize| strata[h].1 * (1.0 - mean).powi(2) + strata[h].2 * mean * mean;
    let within = (0..3)
        .map(|h| q[h] * q[h] * (second(h) - first(h).powi(2)) / (strata[h].0.labels() + 3.0 * PRIOR + 1.0))
        .sum::<f64>();
    let between = (sum(&|h| first(h).powi(2)) - sum(&first).powi(2)) / (size + 2.5);
    let v_post = (within + between) / (mean_domain * mean_domain);
    let pseudo = residuals.iter().map(|residual| estimate + residual).collect();
    interval(estimate, mean, v_post, &residuals, clusterings).map(|p| Proportion { pseudo, ..p })
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::{Cell, w_neff};
    use super::*;

    fn own(n: usize) -> Vec<usize> {
        (0..n).collect()
    }

    #[test]
    fn an_empty_domain_has_no_share() {
        assert!(share_within(&[], &[]).is_none());
        let outside = [DomainCell { found: Class::Outside, gold: Some(Class::Outside), weight: 1.0 }; 40];
        assert!(share_within(&outside, &[&own(40)]).is_none());
    }

    #[test]
    fn with_everything_inside_it_is_w_neff() {
        let with = |i: usize| i.is_multiple_of(4);
        let class = |i: usize| if with(i) { Class::With } else { Class::Without };
        let domain =
            (0..200).map(|i| DomainCell { found: class(i), gold: Some(class(i)), weight: 1.0 }).collect::<Vec<_>>();
        let plain = (0..200).map(|i| Cell { found: with(i), gold: Some(with(i)), weight: 1.0 }).collect::<Vec<_>>();
        let (a, b) = (share_within(&domain, &[&own(200)]).unwrap(), w_neff(&plain, &[&own(200)]).unwrap());
        assert!((a.estimate - b.estimate).abs() < 1e-12);
        assert!((a.low - b.low).abs() < 0.01 && (a.high - b.high).abs() < 0.01, "{a:?} {b:?}");
    }

    /// The interval covers the truth with a bad reader and few labels as with a perfect one and all of them.
    #[test]
    fn the_interval_covers() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        for (labels, reader_right) in [(60, 0.75), (160, 1.0)] {
            let (mut covered, runs) = (0, 400);
            for _ in 0..runs {
                let truth = (0..160)
                    .map(|_| match rng.random::<f64>() {
                        u if u < 0.28 => Class::With,
                        u if u < 0.40 => Class::Without,
                        _ => Class::Outside,
                    })
                    .collect::<Vec<_>>();
                // Units are exchangeable, so the first `labels` are a random sample.
                let cells = truth
                    .iter()
                    .enumerate()
                    .map(|(i, truth)| DomainCell {
                        found: if rng.random::<f64>() < reader_right {
                            *truth
                        } else {
                            Class::ALL[rng.random_range(0..3)]
                        },
                        gold: (i < labels).then_some(*truth),
                        weight: 160.0 / labels as f64,
                    })
                    .collect::<Vec<_>>();
                let p = share_within(&cells, &[&own(160)]).unwrap();
                covered += i32::from(p.low <= 0.7 && 0.7 <= p.high);
            }
            let rate = f64::from(covered) / f64::from(runs);
            // 95% less two and a half Monte-Carlo errors; over-coverage is no harm here.
            assert!(rate > 0.923, "{labels} labels: {rate}");
        }
    }
}
