//! A share in two periods, partly of the same units.

use std::collections::BTreeMap;

use super::{Proportion, f_survival, student_quantile};

/// A share of one period, and whom its cells are of.
#[derive(Debug, Clone, Copy)]
pub struct Period<'a> {
    /// The share, with the pseudo-outcome of each cell.
    pub share: &'a Proportion,
    /// Who each of these cells is of, in their order; the same name is the same unit in the other period.
    pub units: &'a [&'a str],
    /// How many the share is of: all cells, or those inside its domain.
    pub of: u64,
}

/// A difference of two periods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// After less before, of shares clamped to 0..=1.
    pub estimate: f64,
    /// Lower end of the 95% interval.
    pub low: f64,
    /// Upper end of the 95% interval.
    pub high: f64,
    /// Two-sided p of no change.
    pub p: f64,
}

/// Whether a share moved: the difference of the means of two sets of pseudo-outcomes, with Student's t.
///
/// Its variance is that of each period as W-neff has it (METHOD 3.3: the larger one of labels and clusters, and of author and
/// thread, or account and rep), less twice the covariance of those who stand in both: the sum over units of the products of
/// their residual means. Half a unit that changed its answer is added to each period (Agresti and Min 2005), so that no
/// unit seen to change does not read as certainty. Degrees of freedom are the smaller of the two.
///
/// `None` when a share does not come with one pseudo-outcome for each unit, or is of nothing.
pub fn change(before: Period<'_>, after: Period<'_>) -> Option<Change> {
    let fits = |p: &Period<'_>| p.of > 0 && !p.units.is_empty() && p.share.pseudo.len() == p.units.len();
    if !fits(&before) || !fits(&after) {
        return None;
    }
    let (one, two) = (residual_means(before), residual_means(after));
    let covariance = one.iter().filter_map(|(unit, a)| Some(a * two.get(unit)?)).sum::<f64>();
    let variance = |p: &Period<'_>| p.share.v_post.max(p.share.v_cluster);
    let half_a_unit = |p: &Period<'_>| 0.5 / (p.of as f64).powi(2);
    let apart = (variance(&before) + variance(&after) - 2.0 * covariance).max(0.0);
    let error = (apart + half_a_unit(&before) + half_a_unit(&after)).sqrt();
    let df = before.share.df.min(after.share.df);
    let half = student_quantile(0.975, df) * error;
    let estimate = after.share.estimate.clamp(0.0, 1.0) - before.share.estimate.clamp(0.0, 1.0);
    let p = f_survival((estimate / error).powi(2), 1.0, df);
    half.is_finite().then(|| Change { estimate, low: (estimate - half).max(-1.0), high: (estimate + half).min(1.0), p })
}

/// What each unit adds to the error of the share.
fn residual_means(period: Period<'_>) -> BTreeMap<&str, f64> {
    let share = period.share;
    let size = period.units.len() as f64;
    let mut means = BTreeMap::<&str, f64>::new();
    for (unit, outcome) in period.units.iter().zip(&share.pseudo) {
        *means.entry(unit).or_default() += (outcome - share.estimate) / size;
    }
    means
}

#[cfg(test)]
mod tests {
    use rand::seq::SliceRandom;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::{Cell, Class, DomainCell, share_within, w_neff};
    use super::*;

    /// What a world is like: shares then and now, how often a unit of both periods keeps its answer, how often the reader is
    /// right, and labels in each period.
    struct World {
        shares: [f64; 2],
        keeps: f64,
        reader_right: f64,
        labels: usize,
    }

    const SIZE: usize = 180;

    /// Units 0..180 before and 90..270 after, in threads of four.
    fn periods(world: &World, rng: &mut ChaCha8Rng) -> [Proportion; 2] {
        let yes = |share: f64, rng: &mut ChaCha8Rng| rng.random::<f64>() < share;
        let before = (0..SIZE).map(|_| yes(world.shares[0], rng)).collect::<Vec<_>>();
        let [was, is] = world.shares;
        let after = (0..SIZE)
            .map(|i| match before.get(i + SIZE / 2) {
                // Those who keep their answer are moved from one share to the other by as few as need be.
                Some(true) if rng.random::<f64>() < world.keeps => is >= was || yes(is / was, rng),
                Some(false) if rng.random::<f64>() < world.keeps => is > was && yes((is - was) / (1.0 - was), rng),
                _ => yes(is, rng),
            })
            .collect::<Vec<_>>();
        [before, after].map(|truth| {
            let mut order = (0..SIZE).collect::<Vec<_>>();
            order.shuffle(rng);
            let drawn = &order[..world.labels];
            let cells = (0..SIZE)
                .map(|i| Cell {
                    found: truth[i] == (rng.random::<f64>() < world.reader_right),
                    gold: drawn.contains(&i).then_some(truth[i]),
                    weight: SIZE as f64 / world.labels as f64,
                })
                .collect::<Vec<_>>();
            let own = (0..SIZE).collect::<Vec<_>>();
            let threads = (0..SIZE).map(|i| i / 4).collect::<Vec<_>>();
            w_neff(&cells, &[&own, &threads]).unwrap()
        })
    }

    fn names(from: usize) -> Vec<String> {
        (from..from + SIZE).map(|i| format!("u{i:03}")).collect()
    }

    fn of<'a>(share: &'a Proportion, units: &'a [&'a str]) -> Period<'a> {
        Period { share, units, of: units.len() as u64 }
    }

    /// Coverage of the interval, its mean width, and how often a change is called at 5%.
    fn simulate(world: &World, seed: u64, runs: u32) -> (f64, f64, f64) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (then, now) = (names(0), names(SIZE / 2));
        let [then, now] = [&then, &now].map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
        let truth = world.shares[1] - world.shares[0];
        let (mut covered, mut width, mut called) = (0, 0.0, 0);
        for _ in 0..runs {
            let [before, after] = periods(world, &mut rng);
            let change = change(of(&before, &then), of(&after, &now)).unwrap();
            covered += u32::from(change.low <= truth && truth <= change.high);
            called += u32::from(change.p <= 0.05);
            width += change.high - change.low;
        }
        let all = f64::from(runs);
        (f64::from(covered) / all, width / all, f64::from(called) / all)
    }

    #[test]
    fn the_interval_covers_the_change() {
        let census = World { shares: [0.3, 0.3], keeps: 0.0, reader_right: 1.0, labels: SIZE };
        for (name, world) in [
            ("census, nothing moved", World { ..census }),
            ("census, the same people again", World { keeps: 0.8, ..census }),
            ("census, moved", World { shares: [0.2, 0.35], keeps: 0.8, ..census }),
            ("rare", World { shares: [0.03, 0.03], keeps: 0.5, ..census }),
            ("a bad reader", World { labels: 60, reader_right: 0.8, keeps: 0.5, ..census }),
            ("a bad reader of something rare", World { shares: [0.04, 0.04], labels: 60, reader_right: 0.9, ..census }),
        ] {
            let (coverage, _, called) = simulate(&world, 3, 300);
            // 95% less two and a half Monte-Carlo errors; what covers more than it says is honest, and only less sharp.
            assert!(coverage > 0.918, "{name}: {coverage}");
            assert!(world.shares[0] < world.shares[1] || called < 0.082, "{name}: {called} called");
        }
    }

    #[test]
    fn the_same_people_make_it_sharper() {
        let others = World { shares: [0.3, 0.3], keeps: 0.0, reader_right: 1.0, labels: SIZE };
        let same = World { keeps: 1.0, ..others };
        let (wide, narrow) = (simulate(&others, 5, 100).1, simulate(&same, 5, 100).1);
        assert!(narrow < 0.85 * wide, "{narrow} against {wide}");
    }

    #[test]
    fn a_large_move_is_called_and_swapping_the_periods_flips_it() {
        let world = World { shares: [0.1, 0.4], keeps: 0.5, reader_right: 0.9, labels: 90 };
        let [before, after] = periods(&world, &mut ChaCha8Rng::seed_from_u64(8));
        let (then, now) = (names(0), names(SIZE / 2));
        let [then, now] = [&then, &now].map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
        let there = change(of(&before, &then), of(&after, &now)).unwrap();
        let back = change(of(&after, &now), of(&before, &then)).unwrap();
        assert!(there.p < 0.001 && there.low > 0.0, "{there:?}");
        assert_eq!((there.estimate, there.low, there.high), (-back.estimate, -back.high, -back.low));
    }

    #[test]
    fn nobody_seen_to_change_is_not_certainty() {
        let cells = (0..60).map(|i| Cell { found: i < 20, gold: Some(i < 20), weight: 1.0 }).collect::<Vec<_>>();
        let own = (0..60).collect::<Vec<_>>();
        let share = w_neff(&cells, &[&own]).unwrap();
        let (names, short) = (names(0), names(60));
        let units = names[..60].iter().map(String::as_str).collect::<Vec<_>>();
        let same = change(of(&share, &units), of(&share, &units)).unwrap();
        assert!(same.estimate == 0.0 && same.high > 0.015 && same.p > 0.9, "{same:?}");
        let short = short[..59].iter().map(String::as_str).collect::<Vec<_>>();
        assert!(change(of(&share, &units), of(&share, &short)).is_none());
    }

    #[test]
    fn a_share_within_a_domain_moves_too() {
        let world = |with: usize| {
            let class = |i: usize| match i {
                i if i < with => Class::With,
                i if i < 60 => Class::Without,
                _ => Class::Outside,
            };
            let cells = (0..100).map(|i| DomainCell { found: class(i), gold: Some(class(i)), weight: 1.0 });
            let own = (0..100).collect::<Vec<_>>();
            share_within(&cells.collect::<Vec<_>>(), &[&own]).unwrap()
        };
        let names = names(0);
        let units = names[..100].iter().map(String::as_str).collect::<Vec<_>>();
        let [few, many] = [world(15), world(40)];
        let moved = change(Period { of: 60, ..of(&few, &units) }, Period { of: 60, ..of(&many, &units) }).unwrap();
        assert!((moved.estimate - 25.0 / 60.0).abs() < 1e-9 && moved.p < 0.001, "{moved:?}");
    }
}
