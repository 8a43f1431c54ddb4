//! What the features weigh, for each act and voice: the learned half of the reader.
//!
//! Two logistic regressions per act, one over the sentence and one over the whole post; a post's score for an act is their
//! weighted sum at its best sentence, and a fitted logistic curve turns the score into a probability (Platt, 1999). Scores
//! are sums of whole numbers, so they are the same on every machine.

use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::analysis::{Analysis, HASH, SHAPE, SIZE, is_hashed, is_shape};
use crate::model::{ActKind, Voice};

/// Voices that are learned; the others are told by cues alone, for want of examples.
pub(super) const VOICES: [Voice; 2] = [Voice::FirstHand, Voice::VendorOrPromo];

/// Acts.
pub(super) const ACTS: usize = ActKind::ALL.len();

/// Columns of the table: acts in a sentence (and two for alignment), then acts in a post and voices of a post.
pub(super) const COLUMNS: usize = 16;
pub(super) const POST_ACT: usize = COLUMNS / 2;
pub(super) const POST_VOICE: usize = POST_ACT + ACTS;

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

/// How much a feature counts in a post with `hashed` distinct hashed features, however often it comes.
pub(super) fn post_value(feature: u32, hashed: u32) -> f32 {
    if is_hashed(feature) {
        3.0 / (hashed.max(1) as f32).sqrt()
    } else if is_shape(feature) {
        0.5
    } else {
        0.7
    }
}

/// Tells which features of a sentence are new to it and which to its post.
#[derive(Debug)]
pub(super) struct Seen {
    /// By feature: the last sentence that had it, counted over all posts.
    last: Vec<u32>,
    sentence: u32,
    /// The first sentence of the post.
    first: u32,
}

impl Default for Seen {
    fn default() -> Self {
        Self { last: vec![0; SIZE], sentence: 0, first: 1 }
    }
}

impl Seen {
    /// The next sentence is of another post.
    pub(super) fn next_post(&mut self) {
        if self.sentence > u32::MAX / 2 {
            *self = Self::default();
        }
        self.first = self.sentence + 1;
    }

    /// What comes now is of the next sentence.
    pub(super) fn next_sentence(&mut self) {
        self.sentence += 1;
    }

    /// Whether `feature` is new to its sentence, and whether it is new to its post.
    pub(super) fn look(&mut self, feature: u32) -> (bool, bool) {
        let last = std::mem::replace(&mut self.last[feature as usize], self.sentence);
        (last != self.sentence, last < self.first)
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

    /// Scores a text that was taken apart into `scores`.
    pub(super) fn score(&self, text: &str, analysis: &Analysis, room: &mut Room, scores: &mut Scores) {
        let Room { features, seen } = room;
        let mut sums = [Sums::default(); 3];
        scores.sentences.clear();
        seen.next_post();
        for index in 0..analysis.sentences.len() {
            features.clear();
            analysis.sentence_features(text, index, features);
            seen.next_sentence();
            for &feature in &*features {
                self.add(feature, seen, &mut sums[usize::from(is_shape(feature))]);
            }
            for feature in analysis.word_features(index) {
                self.add(feature, seen, &mut sums[2]);
            }
            let [cues, shape, words] = sums.each_mut().map(Sums::sentence);
            let sum = |c: usize| cues[c] as f32 + 0.7 * shape[c] as f32 + 0.5 * words[c] as f32;
            scores.sentences.push(std::array::from_fn(|a| self.header.bias[a] + self.header.scale[a] * sum(a)));
        }
        features.clear();
        analysis.post_shape(features);
        seen.next_sentence();
        for &feature in &*features {
            self.add(feature, seen, &mut sums[1]);
        }
        sums[1].carry();
        let value = [0, SHAPE, HASH].map(|feature| post_value(feature, sums[2].new_in_post));
        let total = |c: usize| {
            let sum = (0..3).map(|kind| value[kind] * sums[kind].all[c] as f32).sum::<f32>();
            self.header.bias[c] + self.header.scale[c] * sum
        };
        scores.post = std::array::from_fn(|a| total(POST_ACT + a));
        scores.voices = std::array::from_fn(|v| total(POST_VOICE + v));
    }

    fn add(&self, feature: u32, seen: &mut Seen, sums: &mut Sums) {
        let (new, new_in_post) = seen.look(feature);
        sums.add(&self.rows[feature as usize], new, new_in_post);
    }
}

/// Sums of rows, the first half of a sentence, the second of its post: of two bytes while they fit, of four beyond.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    some: [i16; COLUMNS],
    in_some: u32,
    all: [i32; COLUMNS],
    new_in_post: u32,
}

impl Sums {
    /// Adds either half of `row` if it counts. Whether a word is new is a coin's toss, so it is reckoned with and not
    /// branched on.
    fn add(&mut self, row: &[i8; COLUMNS], new: bool, new_in_post: bool) {
        let masks = [-i16::from(new), -i16::from(new_in_post)];
        let halves = self.some.chunks_exact_mut(POST_ACT).zip(row.chunks_exact(POST_ACT));
        for ((sums, weights), mask) in halves.zip(masks) {
            for (sum, &weight) in sums.iter_mut().zip(weights) {
                *sum += i16::from(weight) & mask;
            }
        }
        self.new_in_post += u32::from(new_in_post);
        self.in_some += 1;
        if self.in_some == MOST_SUMMED {
            self.carry();
        }
    }

    fn carry(&mut self) {
        for (all, some) in self.all.iter_mut().zip(&mut self.some) {
            *all += i32::from(std::mem::take(some));
        }
        self.in_some = 0;
    }

    /// The sums of the sentence, which begin anew.
    fn sentence(&mut self) -> [i32; POST_ACT] {
        self.carry();
        let mut sums = [0; POST_ACT];
        sums.swap_with_slice(&mut self.all[..POST_ACT]);
        sums
    }
}

/// So many weights of a byte fit into a sum of two.
const MOST_SUMMED: u32 = 256;

/// Room to work in, kept from post to post.
#[derive(Debug, Default)]
pub(super) struct Room {
    features: Vec<u32>,
    seen: Seen,
}
