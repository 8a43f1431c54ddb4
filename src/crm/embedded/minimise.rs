//! The lowest point of a smooth, convex function.

/// How many steps are remembered.
const MEMORY: usize = 8;

/// L-BFGS with halved steps (Nocedal & Wright, Numerical Optimization, 2nd ed., algorithms 7.4 and 3.1). `function` gives the
/// value at a point and writes the slope there; at most `rounds` steps from `start`. Same input, same answer.
pub(super) fn minimise(
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
    start: Vec<f64>,
    rounds: usize,
) -> Vec<f64> {
    let mut at = start;
    let mut slope = vec![0.0; at.len()];
    let mut value = function(&at, &mut slope);
    let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    for _ in 0..rounds {
        let mut way = direction(&slope, &memory);
        let mut fall = dot(&way, &slope);
        if fall >= 0.0 {
            memory.clear();
            way = slope.iter().map(|s| -s).collect();
            fall = -dot(&slope, &slope);
        }
        if -fall < 1e-10 * value.abs().max(1.0) {
            break;
        }
        let mut length = if memory.is_empty() { 1.0 / dot(&slope, &slope).sqrt().max(1.0) } else { 1.0 };
        let mut next = at.clone();
        let mut next_slope = slope.clone();
        let mut lower = false;
        for _ in 0..30 {
            next.iter_mut().zip(at.iter().zip(&way)).for_each(|(n, (x, w))| *n = x + length * w);
            let next_value = function(&next, &mut next_slope);
            if next_value <= value + 1e-4 * length * fall {
                (value, lower) = (next_value, true);
                break;
            }
            length /= 2.0;
        }
        if !lower {
            break;
        }
        let step: Vec<f64> = next.iter().zip(&at).map(|(a, b)| a - b).collect();
        let turn: Vec<f64> = next_slope.iter().zip(&slope).map(|(a, b)| a - b).collect();
        let bend = dot(&step, &turn);
        if bend > 1e-12 {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push((step, turn, 1.0 / bend));
        }
        (at, slope) = (next, next_slope);
    }
    at
}

/// Where to go from a point with this slope.
fn direction(slope: &[f64], memory: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut way: Vec<f64> = slope.iter().map(|s| -s).collect();
    let mut shares = Vec::new();
    for (step, turn, inverse) in memory.iter().rev() {
        let share = inverse * dot(step, &way);
        way.iter_mut().zip(turn).for_each(|(w, t)| *w -= share * t);
        shares.push(share);
    }
    if let Some((_, turn, inverse)) = memory.last() {
        let size = 1.0 / (inverse * dot(turn, turn));
        way.iter_mut().for_each(|w| *w *= size);
    }
    for ((step, turn, inverse), share) in memory.iter().zip(shares.iter().rev()) {
        let back = inverse * dot(turn, &way);
        way.iter_mut().zip(step).for_each(|(w, s)| *w += (share - back) * s);
    }
    way
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn finds_the_floor_of_a_long_valley() {
    // Eigenvalues from 1 to 10,000; the floor is at 1, 1, 1.
    let steep = [1.0, 100.0, 10_000.0];
    let found = minimise(
        |x, slope| {
            slope.iter_mut().zip(x.iter().zip(steep)).for_each(|(s, (x, steep))| *s = steep * (x - 1.0));
            x.iter().zip(steep).map(|(x, steep)| steep * (x - 1.0).powi(2) / 2.0).sum()
        },
        vec![-7.0, 4.0, 30.0],
        200,
    );
    assert!(found.iter().all(|x| (x - 1.0).abs() < 1e-4), "{found:?}");
}
