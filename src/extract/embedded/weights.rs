//! What the features weigh, for each act and voice: the learned half of the reader.
//!
//! Two logistic regressions per act, one over the sentence and one over the whole post; a post's score for an act is their
//! weighted sum at its best sentence, and a fitted logistic curve turns the score into a probability (Platt, 1999). Scores
//! are sums of whole numbers, so they are the same on every machine.

use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::analysis::{Analysis, SIZE, is_hashed, is_shape};
use crate::model::{ActKind, Voice};

/// Voices that are learned; the others are told by cues alone, for want of examples.
pub(super) const VOICES: [Voice; 3] = [Voice::FirstHand, Voice::Unclear, Voice::VendorOrPromo];

/// Acts.
pub(super) const ACTS: usize = ActKind::ALL.len();

/// Columns of the table: acts in a sentence, acts in a post, voices of a post, and one for alignment.
pub(super) const COLUMNS: usize = 16;
pub(super) const POST_ACT: usize = ACTS;
pub(super) const POST_VOICE: usize = 2 * ACTS;

/// The shipped weights. The file is part of the program and a test reads it, so a broken one cannot ship.
pub(super) static SHIPPED: LazyLock<Option<Weights>> = LazyLock::new(|| Weights::read(SHIPPED_FILE).ok());

/// The shipped weights as they stand in the file.
pub(super) const SHIPPED_FILE: &[u8] = include_bytes!("weights.bin");

/// How one act's scores become a decision.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Decision {
    /// Share of the post's score in the sum; the rest is the sentence's.
    pub(super) mix: f32,
    /// Slope and offset of the logistic curve.
    pub(super) slope: f32,
    /// Offset of the curve.
    pub(super) offset: f32,
    /// Least probability at which the act is said to be there.
    pub(super) threshold: f32,
}

impl Decision {
    /// Probability that the act is there, from the score of a sentence and of its post.
    pub(super) fn probability(&self, sentence: f32, post: f32) -> f64 {
        let score = (1.0 - self.mix) * sentence + self.mix * post;
        sigmoid(f64::from(self.slope * score + self.offset))
    }
}

pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// What stands before the table in the file, as one line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Header {
    /// What a unit in each column is worth.
    scale: [f32; COLUMNS],
    /// Constant terms.
    bias: [f32; COLUMNS],
    decisions: [Decision; ACTS],
}

/// The table of weights with what is needed to use it.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    header: Header,
    rows: Vec<[i8; COLUMNS]>,
}

/// Scores of a post: `sentences[i][act]`, `post[act]`, and one of each learned voice.
#[derive(Debug, Clone, Default)]
pub(super) struct Scores {
    pub(super) sentences: Vec<[f32; ACTS]>,
    pub(super) post: [f32; ACTS],
    pub(super) voices: [f32; VOICES.len()],
}

/// How much a feature counts in a sentence. Words are many and each says little.
pub(super) fn sentence_value(feature: u32) -> f32 {
    if is_hashed(feature) {
        0.5
    } else if is_shape(feature) {
        0.7
    } else {
        1.0
    }
}

/// How much a feature that comes `count` times counts in a post with `hashed` distinct hashed features.
pub(super) fn post_value(feature: u32, count: u32, hashed: u32) -> f32 {
    let more = (count.max(1) as f32).ln();
    if is_hashed(feature) {
        3.0 * (1.0 + more) / (hashed.max(1) as f32).sqrt()
    } else if is_shape(feature) {
        0.5
    } else {
        0.7 * (1.0 + 0.5 * more)
    }
}

/// Counts features of a post: distinct ones in order of first appearance.
#[derive(Debug)]
pub(super) struct Counter {
    counts: Vec<u32>,
    last: Vec<u32>,
    stamp: u32,
    pub(super) seen: Vec<u32>,
}

impl Default for Counter {
    fn default() -> Self {
        Self { counts: vec![0; SIZE], last: vec![0; SIZE], stamp: 0, seen: Vec::new() }
    }
}

impl Counter {
    /// Counts the features of one sentence and leaves each once in `features`.
    pub(super) fn sentence(&mut self, features: &mut Vec<u32>) {
        self.stamp = self.stamp.wrapping_add(1).max(1);
        features.retain(|&f| {
            let i = f as usize;
            if std::mem::replace(&mut self.last[i], self.stamp) == self.stamp {
                return false;
            }
            if self.counts[i] == 0 {
                self.seen.push(f);
            }
            self.counts[i] += 1;
            true
        });
    }

    /// How often `feature` was counted: in how many sentences.
    pub(super) fn count(&self, feature: u32) -> u32 {
        self.counts[feature as usize]
    }

    /// How many distinct hashed features were counted.
    pub(super) fn hashed(&self) -> u32 {
        u32::try_from(self.seen.iter().filter(|&&f| is_hashed(f)).count()).unwrap_or(u32::MAX)
    }

    /// Ready for the next post.
    pub(super) fn clear(&mut self) {
        for feature in self.seen.drain(..) {
            self.counts[feature as usize] = 0;
        }
    }
}

impl Weights {
    /// Weights from real numbers, `columns[c][feature]`, rounded to whole steps.
    pub(super) fn new(columns: &[Vec<f32>], bias: [f32; COLUMNS], decisions: [Decision; ACTS]) -> Self {
        let mut scale = [1.0_f32; COLUMNS];
        let mut rows = vec![[0_i8; COLUMNS]; SIZE];
        for (c, column) in columns.iter().enumerate().take(COLUMNS) {
            let largest = column.iter().fold(0.0_f32, |m, w| m.max(w.abs()));
            scale[c] = if largest > 0.0 { largest / 127.0 } else { 1.0 };
            for (row, weight) in rows.iter_mut().zip(column) {
                row[c] = (weight / scale[c]).round() as i8;
            }
        }
        Self { header: Header { scale, bias, decisions }, rows }
    }

    /// How an act is decided.
    pub(super) fn decision(&self, act: usize) -> &Decision {
        &self.header.decisions[act]
    }

    /// The file's bytes: one line of JSON, then the table.
    ///
    /// # Errors
    /// When the header cannot be written, which would be a defect.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(&self.header).context("could not write the weights' header")?;
        bytes.push(b'\n');
        bytes.extend(self.rows.iter().flatten().map(|w| w.cast_unsigned()));
        Ok(bytes)
    }

    /// Reads what [`Weights::to_bytes`] wrote.
    ///
    /// # Errors
    /// When the bytes are not of that form or of another size of feature space.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let end = bytes.iter().position(|&b| b == b'\n').context("the weights have no header")?;
        let header = serde_json::from_slice(&bytes[..end]).context("could not read the weights' header")?;
        let table = &bytes[end + 1..];
        ensure!(table.len() == SIZE * COLUMNS, "the weights were made for another feature space; train them again");
        let (chunks, _) = table.as_chunks::<COLUMNS>();
        let rows = chunks.iter().map(|chunk| chunk.map(u8::cast_signed)).collect();
        Ok(Self { header, rows })
    }

    /// Scores a text that was taken apart.
    pub(super) fn score(&self, text: &str, analysis: &Analysis, counter: &mut Counter) -> Scores {
        let mut scores = Scores::default();
        let mut features = Vec::with_capacity(128);
        counter.clear();
        for index in 0..analysis.sentences.len() {
            features.clear();
            analysis.sentence_features(text, index, &mut features);
            counter.sentence(&mut features);
            let mut sums = [[0_i32; COLUMNS]; 3];
            for &feature in &features {
                let kind = if is_hashed(feature) { 2 } else { usize::from(is_shape(feature)) };
                for (sum, &weight) in sums[kind].iter_mut().zip(&self.rows[feature as usize]) {
                    *sum += i32::from(weight);
                }
            }
            let sum = |c: usize| sums[0][c] as f32 + 0.7 * sums[1][c] as f32 + 0.5 * sums[2][c] as f32;
            scores.sentences.push(std::array::from_fn(|a| self.header.bias[a] + self.header.scale[a] * sum(a)));
        }
        features.clear();
        analysis.post_shape(&mut features);
        counter.sentence(&mut features);
        let hashed = counter.hashed();
        let mut sums = [0.0_f32; COLUMNS];
        for &feature in &counter.seen {
            let value = post_value(feature, counter.count(feature), hashed);
            for (sum, &weight) in sums.iter_mut().zip(&self.rows[feature as usize]) {
                *sum += value * f32::from(weight);
            }
        }
        let total = |c: usize| self.header.bias[c] + self.header.scale[c] * sums[c];
        scores.post = std::array::from_fn(|a| total(POST_ACT + a));
        scores.voices = std::array::from_fn(|v| total(POST_VOICE + v));
        scores
    }
}
