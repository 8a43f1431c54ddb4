//! Learning the weights from labelled posts.
//!
//! For every act two logistic regressions with an L2 penalty are fitted by dual coordinate descent (Yu, Huang and Lin, 2011,
//! "Dual coordinate descent methods for logistic regression and maximum entropy models"): one over sentences, where a sentence
//! is positive when a labelled span lies in it, and one over whole posts. Confidence and threshold come from scores that
//! were each given by a fit that had not seen the post's thread. Same labels in the same order, same weights.
//!
//! The shipped file is made anew with `cargo run --release --example reader -- train OUT.bin TRUTH.jsonl…`; `eval` says from what.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::super::score::TruthPost;
use super::analysis::{SIZE, analyse, is_hashed};
use super::weights::{
    ACTS, COLUMNS, Decision, POST_ACT, POST_VOICE, Room, Scores, Seen, VOICES, Weights, post_value, sentence_value,
    sigmoid,
};
use crate::model::ActKind;
use crate::model::id::content_hash;

/// Inverse strength of the penalty over sentences and over posts. Chosen by cross-validation among 0.03, 0.1, 0.3 and 1.
const SENTENCE_C: f64 = 0.3;
const POST_C: f64 = 0.3;

/// Share of the post's score in the sum, chosen likewise among 0, 0.3, 0.5, 0.6, 0.75 and 1.
const MIX: f32 = 0.6;

/// How finely a dual variable is found.
const HALVINGS: u32 = 24;

/// Folds of the cross-validation behind confidence and threshold.
const FOLDS: usize = 5;

/// A sentence or a post as numbers.
struct Row {
    post: usize,
    features: Vec<(u32, f32)>,
    /// Square of its length, with the constant feature.
    square: f64,
}

/// Labelled posts as numbers.
struct Data<'a> {
    posts: &'a [TruthPost],
    sentences: Vec<Row>,
    /// `labels[i][act]` of sentence `i`.
    labels: Vec<[bool; ACTS]>,
    whole: Vec<Row>,
}

/// Weights learned from `posts`.
pub fn train(posts: &[TruthPost]) -> Weights {
    let data = Data::new(posts);
    let everything = |_: usize| true;
    let acts: Vec<_> = ActKind::ALL
        .par_iter()
        .enumerate()
        .map(|(a, &act)| {
            let scores = data.held_out(act, a, by_thread);
            let decision = decide(&scores, act);
            (data.fit_sentences(act, a, &everything), data.fit_posts(act, &everything), decision)
        })
        .collect();
    let voices: Vec<_> = VOICES.par_iter().map(|&voice| data.fit_voice(voice)).collect();
    let mut columns = vec![Vec::new(); COLUMNS];
    let mut bias = [0.0; COLUMNS];
    for (a, (sentence, post, _)) in acts.iter().enumerate() {
        (columns[a], bias[a]) = sentence.clone();
        (columns[POST_ACT + a], bias[POST_ACT + a]) = post.clone();
    }
    for (v, voice) in voices.into_iter().enumerate() {
        (columns[POST_VOICE + v], bias[POST_VOICE + v]) = voice;
    }
    // A sentence's value is folded into its weights when scores are summed, a post's is not constant and is not.
    Weights::new(&columns, bias, std::array::from_fn(|a| acts[a].2))
}

/// Whether `weights` find the act in `text`.
pub fn says(weights: &Weights, text: &str, act: ActKind) -> bool {
    let analysis = analyse(text);
    let mut scores = Scores::default();
    weights.score(text, &analysis, &mut Room::default(), &mut scores);
    super::acts(weights, text, &analysis, &scores).iter().any(|(found, ..)| found.kind() == act)
}

/// What a fit that had not seen a post's fold made of one act of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOut {
    /// Index of the post.
    pub post: usize,
    /// Which act.
    pub act: ActKind,
    /// Probability that it is there.
    pub probability: f64,
    /// Whether it reaches the threshold, which was set without the post's fold too.
    pub said: bool,
    /// Whether it is there.
    pub there: bool,
}

/// Every act of every fully trusted post, judged by fits that had not seen the post's fold. `fold_of` names the fold: the
/// thread's, or the source for a test on a kind of community never met.
pub fn hold_out(posts: &[TruthPost], fold_of: fn(&TruthPost) -> String) -> Vec<HeldOut> {
    let data = Data::new(posts);
    let judge = |(a, &act): (usize, &ActKind)| {
        let scores = data.held_out(act, a, fold_of);
        let mut decisions = BTreeMap::new();
        for score in &scores {
            if !decisions.contains_key(&score.fold) {
                let others: Vec<_> = scores.iter().filter(|s| s.fold != score.fold).cloned().collect();
                decisions.insert(score.fold.clone(), decide(&others, act));
            }
        }
        let judged = scores.iter().filter_map(|s| {
            let decision = decisions.get(&s.fold)?;
            let probability = decision.probability(s.sentence, s.whole);
            let said = probability >= f64::from(decision.threshold);
            Some(HeldOut { post: s.post, act, probability, said, there: s.there })
        });
        judged.collect::<Vec<_>>()
    };
    ActKind::ALL.par_iter().enumerate().flat_map_iter(judge).collect()
}

/// The fold of a post's thread.
pub fn by_thread(post: &TruthPost) -> String {
    let hash = content_hash(&[&post.source, post.thread()]);
    let number = u64::from_str_radix(&hash[..12], 16).unwrap_or(0) as usize % FOLDS;
    number.to_string()
}

/// One post's scores for one act.
#[derive(Clone)]
struct Scored {
    post: usize,
    fold: String,
    /// Of its best sentence.
    sentence: f32,
    whole: f32,
    there: bool,
}

impl<'a> Data<'a> {
    fn new(posts: &'a [TruthPost]) -> Self {
        let mut data = Self { posts, sentences: Vec::new(), labels: Vec::new(), whole: Vec::new() };
        let mut seen = Seen::default();
        let mut features = Vec::new();
        for (number, post) in posts.iter().enumerate() {
            let analysis = analyse(&post.text);
            let mut whole = Vec::new();
            seen.next_post();
            for index in 0..analysis.sentences.len() {
                features.clear();
                analysis.sentence_features(&post.text, index, &mut features);
                features.extend(analysis.word_features(index));
                let mut values = Vec::new();
                seen.next_sentence();
                for &feature in &features {
                    let (new, new_in_post) = seen.look(feature);
                    values.extend(new.then(|| (feature, sentence_value(feature))));
                    whole.extend(new_in_post.then_some(feature));
                }
                data.sentences.push(Row::new(number, values));
                let span = analysis.sentences[index].span.range();
                data.labels.push(ActKind::ALL.map(|act| post.spans(act).any(|s| shows(&s, &span))));
            }
            features.clear();
            analysis.post_shape(&mut features);
            whole.append(&mut features);
            let hashed = whole.iter().filter(|f| is_hashed(**f)).count() as u32;
            data.whole.push(Row::new(number, whole.into_iter().map(|f| (f, post_value(f, hashed))).collect()));
        }
        data
    }

    /// Scores of every post that counts fully and has `act` labelled, each from a fit without the post's fold.
    fn held_out(&self, act: ActKind, a: usize, fold_of: fn(&TruthPost) -> String) -> Vec<Scored> {
        let full = |p: &TruthPost| p.trust >= 1.0 && p.has(act).is_some();
        let folds: Vec<String> = self.posts.iter().map(fold_of).collect();
        let mut names: Vec<&String> = folds.iter().zip(self.posts).filter(|(_, p)| full(p)).map(|(f, _)| f).collect();
        names.sort_unstable();
        names.dedup();
        let mut scores = Vec::new();
        for name in names {
            let out = |i: usize| full(&self.posts[i]) && folds[i] == *name;
            let seen = |i: usize| !out(i);
            let (sentence, sentence_bias) = self.fit_sentences(act, a, &seen);
            let (post, post_bias) = self.fit_posts(act, &seen);
            let mut best = BTreeMap::new();
            for row in self.sentences.iter().filter(|r| out(r.post)) {
                let score = row.dot(&sentence) as f32 + sentence_bias;
                best.entry(row.post).and_modify(|b: &mut f32| *b = b.max(score)).or_insert(score);
            }
            for (i, row) in self.whole.iter().enumerate().filter(|(i, _)| out(*i)) {
                let best = best.get(&i).copied().unwrap_or(-5.0);
                let there = self.posts[i].has(act) == Some(true);
                let whole = row.dot(&post) as f32 + post_bias;
                scores.push(Scored { post: i, fold: name.clone(), sentence: best, whole, there });
            }
        }
        scores
    }

    fn fit_sentences(&self, act: ActKind, a: usize, seen: &dyn Fn(usize) -> bool) -> (Vec<f32>, f32) {
        let known = |i: usize| seen(i) && self.posts[i].has(act).is_some();
        let rows = self.sentences.iter().zip(&self.labels).filter(|(r, _)| known(r.post));
        fit(&rows.map(|(r, l)| (r, l[a], SENTENCE_C * self.posts[r.post].trust)).collect::<Vec<_>>())
    }

    fn fit_posts(&self, act: ActKind, seen: &dyn Fn(usize) -> bool) -> (Vec<f32>, f32) {
        let rows = self.whole.iter().filter(|r| seen(r.post));
        let rows = rows.filter_map(|r| Some((r, self.posts[r.post].has(act)?, POST_C * self.posts[r.post].trust)));
        fit(&rows.collect::<Vec<_>>())
    }

    fn fit_voice(&self, voice: crate::model::Voice) -> (Vec<f32>, f32) {
        let rows = self.whole.iter().filter_map(|r| {
            let post = &self.posts[r.post];
            Some((r, post.voice? == voice, 3.0 * POST_C * post.trust))
        });
        fit(&rows.collect::<Vec<_>>())
    }
}

/// Whether a labelled span is shown by a sentence: a good part of either lies in the other.
fn shows(label: &std::ops::Range<usize>, sentence: &std::ops::Range<usize>) -> bool {
    let common = label.end.min(sentence.end).saturating_sub(label.start.max(sentence.start));
    common > 0 && (2 * common >= label.len() || 5 * common >= 2 * sentence.len() || common >= 25)
}

impl Row {
    fn new(post: usize, features: Vec<(u32, f32)>) -> Self {
        let square = 1.0 + features.iter().map(|(_, v)| f64::from(*v).powi(2)).sum::<f64>();
        Self { post, features, square }
    }

    fn dot(&self, weights: &[f32]) -> f64 {
        self.features.iter().map(|&(f, v)| f64::from(weights[f as usize]) * f64::from(v)).sum()
    }
}

/// Logistic regression over `rows`: each with its label and the weight of its loss. Returns weights and constant term.
fn fit(rows: &[(&Row, bool, f64)]) -> (Vec<f32>, f32) {
    let mut weights = vec![0.0_f64; SIZE + 1];
    let mut duals: Vec<f64> = rows.iter().map(|(_, _, c)| 0.01 * c).collect();
    for ((row, label, _), dual) in rows.iter().zip(&duals) {
        row.add_to(&mut weights, signed(*label) * dual);
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..60 {
        order.shuffle(&mut rng);
        let mut moved = 0.0_f64;
        for &i in &order {
            let (row, label, c) = rows[i];
            let sign = signed(label);
            let margin =
                sign * row.features.iter().fold(weights[SIZE], |s, &(f, v)| s + weights[f as usize] * f64::from(v));
            let new = best_dual(duals[i], c, row.square, margin, HALVINGS);
            moved = moved.max((new - duals[i]).abs() / c);
            row.add_to(&mut weights, sign * (new - duals[i]));
            duals[i] = new;
        }
        if moved < 1e-3 {
            break;
        }
    }
    let bias = weights[SIZE] as f32;
    (weights[..SIZE].iter().map(|&w| w as f32).collect(), bias)
}

impl Row {
    fn add_to(&self, weights: &mut [f64], by: f64) {
        weights[SIZE] += by;
        for &(f, v) in &self.features {
            weights[f as usize] += by * f64::from(v);
        }
    }
}

fn signed(label: bool) -> f64 {
    if label { 1.0 } else { -1.0 }
}

/// The dual variable in `(0, c)` at which `ln(x / (c - x)) + square (x - old) + margin` is zero. It grows in `x`, so halving
/// the range finds it, to one part in `2^halvings`.
pub(crate) fn best_dual(old: f64, c: f64, square: f64, margin: f64, halvings: u32) -> f64 {
    let (mut low, mut high) = (0.0, c);
    for _ in 0..halvings {
        let x = 0.5 * (low + high);
        if (x / (c - x)).ln() + square * (x - old) + margin > 0.0 {
            high = x;
        } else {
            low = x;
        }
    }
    0.5 * (low + high)
}

/// Curve and threshold from held-out scores. The threshold maximises the F1 that the probabilities themselves expect, which
/// for an act with few examples varies less than the F1 counted.
fn decide(scores: &[Scored], act: ActKind) -> Decision {
    let summed: Vec<(f64, bool)> =
        scores.iter().map(|s| (f64::from((1.0 - MIX) * s.sentence + MIX * s.whole), s.there)).collect();
    let (slope, offset) = platt(&summed);
    let mut chances: Vec<f64> = summed.iter().map(|(s, _)| sigmoid(slope * s + offset)).collect();
    chances.sort_by(|a, b| b.total_cmp(a));
    let beta2 = if act == ActKind::FailedWorkaround { 0.5 } else { 1.0 };
    let all: f64 = chances.iter().sum();
    let (mut best, mut threshold, mut hits) = (0.0, 0.5, 0.0);
    for (i, &chance) in chances.iter().enumerate() {
        hits += chance;
        let f = hits / ((i + 1) as f64 + beta2 * all);
        if f > best {
            (best, threshold) = (f, chance);
        }
    }
    Decision { mix: MIX, slope: slope as f32, offset: offset as f32, threshold: threshold as f32 }
}

/// Slope and offset of the logistic curve from scores to probabilities (Platt, 1999), by Newton steps, with a weak pull of
/// the slope towards 1 so that few examples do not make it steep.
fn platt(scores: &[(f64, bool)]) -> (f64, f64) {
    let (mut slope, mut offset) = (1.0, 0.0);
    for _ in 0..50 {
        let (mut g0, mut g1, mut h00, mut h01, mut h11) = (slope - 1.0, 0.0, 1.0, 0.0, 1e-6);
        for &(score, there) in scores {
            let p = sigmoid(slope * score + offset);
            let error = p - f64::from(u8::from(there));
            let spread = p * (1.0 - p);
            g0 += error * score;
            g1 += error;
            h00 += spread * score * score;
            h01 += spread * score;
            h11 += spread;
        }
        let determinant = h00 * h11 - h01 * h01;
        if determinant.abs() < 1e-12 {
            break;
        }
        slope -= (h11 * g0 - h01 * g1) / determinant;
        offset -= (h00 * g1 - h01 * g0) / determinant;
    }
    (slope, offset)
}
