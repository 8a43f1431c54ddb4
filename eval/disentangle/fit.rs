//! Fitting the weights: the likelihood of the gold under a conditional logit, by gradient ascent (Adam), with a penalty.

use candor::collect::disentangle::{FEATURES, Features, Stream, WINDOW, best};

use super::data::{Channel, Gold, Names};

/// Times that the features are made anew: those of conversations depend on how what came before was cut.
const ROUNDS: usize = 3;

/// Steps of a round, and their length.
const STEPS: u32 = 250;
const STEP: f64 = 0.05;

/// Penalty on the squares of the weights.
const PENALTY: f64 = 1.0;

/// What a message counts whose gold are only conversations, which a machine found.
const TRUST: f64 = 0.3;

/// A message, its candidates, and which of them are right.
struct Case {
    rows: Vec<Features>,
    right: Vec<bool>,
    weight: f64,
}

/// The weights for the training part of `channels`, each read twice: told and not told who is spoken to.
pub(crate) fn fit(channels: &[Channel]) -> Features {
    let mut weights = [0.0; FEATURES];
    // Before the first round: the last message is answered.
    weights[3] = 1.0;
    for _ in 0..ROUNDS {
        let mut cases = Vec::new();
        for channel in channels.iter().filter(|channel| channel.train) {
            for names in [Names::Known, Names::Masked] {
                cases.extend(cases_of(channel, names, &weights));
            }
        }
        weights = climb(&cases);
    }
    weights
}

fn cases_of(channel: &Channel, names: Names, weights: &Features) -> Vec<Case> {
    let mut stream = Stream::default();
    let mut cases = Vec::new();
    for (here, line) in channel.lines.iter().enumerate() {
        let id = here.to_string();
        let message = line.message(&id, names);
        let rows = stream.features(&message);
        let answers = best(&rows, weights);
        stream.put(&message, None, answers);
        if here < channel.judged_from.max(1) {
            continue;
        }
        let is_right = |back: usize| {
            let other = here - 1 - back;
            match channel.gold {
                Gold::Links => line.answers.contains(&other),
                Gold::Conversations => channel.lines[other].conversation == line.conversation,
            }
        };
        let mut right: Vec<bool> = (0..rows.len() - 1).map(is_right).collect();
        let answered = right.contains(&true);
        if !answered && !line.answers.is_empty() {
            continue;
        }
        right.push(!answered);
        let weight = if channel.gold == Gold::Links { 1.0 } else { TRUST };
        cases.push(Case { rows, right, weight });
    }
    debug_assert!(cases.iter().all(|case| case.rows.len() <= WINDOW + 1));
    cases
}

fn climb(cases: &[Case]) -> Features {
    let mut weights = [0.0; FEATURES];
    let (mut mean, mut square) = ([0.0; FEATURES], [0.0; FEATURES]);
    let total: f64 = cases.iter().map(|case| case.weight).sum();
    for step in 1..=STEPS {
        let mut slope = weights.map(|weight| -PENALTY * weight / total);
        cases.iter().for_each(|case| add_slope(case, &weights, total, &mut slope));
        let (fade_mean, fade_square) = (1.0 - 0.9_f64.powf(f64::from(step)), 1.0 - 0.999_f64.powf(f64::from(step)));
        for at in 0..FEATURES {
            mean[at] = 0.9 * mean[at] + 0.1 * slope[at];
            square[at] = 0.999 * square[at] + 0.001 * slope[at] * slope[at];
            weights[at] += STEP * (mean[at] / fade_mean) / ((square[at] / fade_square).sqrt() + 1e-8);
        }
    }
    weights
}

/// Adds the slope of the logarithm of the probability that one of the right candidates is chosen.
fn add_slope(case: &Case, weights: &Features, total: f64, slope: &mut Features) {
    let scores: Vec<f64> = case.rows.iter().map(|row| row.iter().zip(weights).map(|(x, w)| x * w).sum()).collect();
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let chances: Vec<f64> = scores.iter().map(|score| (score - most).exp()).collect();
    let all: f64 = chances.iter().sum();
    let right: f64 = chances.iter().zip(&case.right).filter(|(_, right)| **right).map(|(chance, _)| chance).sum();
    for ((row, chance), is_right) in case.rows.iter().zip(&chances).zip(&case.right) {
        let pull = if *is_right { chance / right.max(1e-300) } else { 0.0 } - chance / all;
        for (sum, x) in slope.iter_mut().zip(row) {
            *sum += case.weight * pull * x / total;
        }
    }
}
