//! A text taken apart: sentences, their words, the cues in them, and the features that the weights judge.
//!
//! Features are numbers below [`SIZE`]: first what the cues say (alone, in a question, in a sentence about the author), then
//! the shape of sentence and post, then hashed words and pairs of words. Words are only ever hashed, so the weights hold no
//! text of what they were trained on.

use std::ops::Range;
use std::sync::LazyLock;

use super::cues::{GRAMMAR, Hit};
use super::words::{Kind, Word, words};
use crate::model::Span;
use crate::text::sentence::sentences;

/// Buckets for hashed words and pairs.
const HASHED: usize = 1 << 14;

/// Most cue groups a grammar may have; fixes where each kind of feature begins.
pub(super) const MOST_GROUPS: usize = 128;

const QUESTION: usize = MOST_GROUPS;
const PERSONAL: usize = 2 * MOST_GROUPS;
const SHAPE: usize = 3 * MOST_GROUPS;
const HASH: usize = 4 * MOST_GROUPS;

/// How many features there are.
pub(super) const SIZE: usize = HASH + HASHED;

/// One sentence of a text.
#[derive(Debug, Clone)]
pub(super) struct Sentence {
    pub(super) span: Span,
    /// Its words, in [`Analysis::words`].
    pub(super) words: Range<usize>,
    /// Its cues, in [`Analysis::hits`]; their words are counted from the sentence's first.
    pub(super) hits: Range<usize>,
    /// Ends with a question mark.
    pub(super) question: bool,
    /// Cue groups found in it, as bits.
    pub(super) groups: u128,
}

/// A text taken apart.
#[derive(Debug, Default)]
pub(super) struct Analysis {
    pub(super) sentences: Vec<Sentence>,
    pub(super) words: Vec<Word>,
    pub(super) hits: Vec<Hit>,
}

/// The bit of the group with this name; nothing when there is none, which a test rules out for the names used.
pub(super) fn bit(name: &str) -> u128 {
    GRAMMAR.group(name).map_or(0, |g| 1 << g)
}

static FIRST_PERSON: LazyLock<u128> = LazyLock::new(|| bit("voice.first_person"));

/// Takes `text` apart.
pub(super) fn analyse(text: &str) -> Analysis {
    let mut analysis = Analysis::default();
    let mut ids = Vec::new();
    for span in sentences(text) {
        let (first_word, first_hit) = (analysis.words.len(), analysis.hits.len());
        words(text, span, &mut analysis.words);
        GRAMMAR.find(&analysis.words[first_word..], &mut ids, &mut analysis.hits);
        let hits = first_hit..analysis.hits.len();
        let groups = analysis.hits[hits.clone()].iter().fold(0_u128, |bits, h| bits | 1 << h.group);
        let question = text[span.range()].trim_end_matches(['"', ')', '*', '\'', ' ', '!']).ends_with('?');
        analysis.sentences.push(Sentence { span, words: first_word..analysis.words.len(), hits, question, groups });
    }
    analysis
}

impl Analysis {
    /// Cue groups found anywhere, as bits.
    pub(super) fn groups(&self) -> u128 {
        self.sentences.iter().fold(0, |bits, s| bits | s.groups)
    }

    /// The features of sentence `index`. A feature may come more than once.
    pub(super) fn sentence_features(&self, text: &str, index: usize, out: &mut Vec<u32>) {
        let sentence = &self.sentences[index];
        let mine = sentence.groups & *FIRST_PERSON != 0;
        let mut rest = sentence.groups;
        while rest != 0 {
            let group = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            out.push(number(group));
            if sentence.question {
                out.push(number(QUESTION + group));
            }
            if mine {
                out.push(number(PERSONAL + group));
            }
        }
        let words = &self.words[sentence.words.clone()];
        self.shape(text, index, words, out);
        let mut before = 0x5bd1_e995_u64;
        for word in words {
            out.push(hashed(word.hash));
            out.push(hashed(before.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ word.hash.rotate_left(17)));
            before = word.hash;
        }
    }

    fn shape(&self, text: &str, index: usize, words: &[Word], out: &mut Vec<u32>) {
        let sentence = &self.sentences[index];
        let slice = &text[sentence.span.range()];
        let has = |kind| words.iter().any(|w| w.kind == kind);
        let marks = [
            index == 0,
            index + 1 == self.sentences.len(),
            sentence.question,
            slice.ends_with('!'),
            slice.ends_with(':'),
            has(Kind::Code),
            has(Kind::Number),
            has(Kind::Url),
            has(Kind::Mention),
            words.len() < 5,
            words.len() > 30,
        ];
        out.extend(marks.iter().enumerate().filter(|(_, on)| **on).map(|(i, _)| number(SHAPE + i)));
    }

    /// The features of the post beside those of its sentences: how long it is, how many questions it holds.
    pub(super) fn post_shape(&self, out: &mut Vec<u32>) {
        let questions = self.sentences.iter().filter(|s| s.question).count();
        let length = match self.sentences.len() {
            0..=1 => 0,
            2..=3 => 1,
            4..=7 => 2,
            _ => 3,
        };
        out.push(number(SHAPE + 32 + length));
        out.push(number(SHAPE + 40 + questions.min(2)));
    }
}

/// Whether a feature is a hashed word or pair.
pub(super) fn is_hashed(feature: u32) -> bool {
    feature as usize >= HASH
}

/// Whether a feature is of the shape of sentence or post.
pub(super) fn is_shape(feature: u32) -> bool {
    (SHAPE..HASH).contains(&(feature as usize))
}

fn hashed(hash: u64) -> u32 {
    let mixed = (hash ^ hash >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    number(HASH + (mixed >> 40) as usize % HASHED)
}

fn number(feature: usize) -> u32 {
    u32::try_from(feature).unwrap_or(u32::MAX)
}
