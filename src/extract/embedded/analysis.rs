//! A text taken apart: sentences, their words, the cues in them, and the features that the weights judge.
//!
//! Features are numbers below [`SIZE`]: first what the cues say (alone, in a question, in a sentence about the author), then
//! the shape of sentence and post, then hashed words and pairs of words. Words are only ever hashed, so the weights hold no
//! text of what they were trained on.

use std::ops::Range;
use std::sync::LazyLock;

use super::cues::{Ahead, GRAMMAR};
use super::words::{Kind, Word, words};
use crate::model::Span;
use crate::text::sentence::sentences;

/// Buckets for hashed words and pairs.
const HASHED: usize = 1 << 16;

/// Most cue groups a grammar may have; fixes where each kind of feature begins.
pub(super) const MOST_GROUPS: usize = 128;

const QUESTION: usize = MOST_GROUPS;
const PERSONAL: usize = 2 * MOST_GROUPS;
/// Where features of shape begin.
pub(super) const SHAPE: u32 = 3 * MOST_GROUPS as u32;
/// Where hashed words and pairs begin.
pub(super) const HASH: u32 = 4 * MOST_GROUPS as u32;

/// How many features there are.
pub(super) const SIZE: usize = HASH as usize + HASHED;

/// Stands for the word before the first.
const NO_WORD: u64 = 0x5bd1_e995;

/// One sentence of a text.
#[derive(Debug, Clone)]
pub(super) struct Sentence {
    pub(super) span: Span,
    /// Its words, in [`Analysis::words`].
    pub(super) words: Range<usize>,
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
    /// The number of each word in the cues, 0 for one that no cue knows.
    pub(super) ids: Vec<u16>,
    /// Room for the grammar to work in.
    ahead: Vec<Ahead>,
    /// How many words stand in some cue. The cues hold most of the little words of English.
    pub(super) known: usize,
}

/// The bit of the group with this name; nothing when there is none, which a test rules out for the names used.
pub(super) fn bit(name: &str) -> u128 {
    GRAMMAR.group(name).map_or(0, |g| 1 << g)
}

static FIRST_PERSON: LazyLock<u128> = LazyLock::new(|| bit("voice.first_person"));

/// Takes `text` apart.
pub(super) fn analyse(text: &str) -> Analysis {
    let mut analysis = Analysis::default();
    analysis.take_apart(text);
    analysis
}

impl Analysis {
    /// Takes `text` apart, in the room of the text before.
    pub(super) fn take_apart(&mut self, text: &str) {
        self.sentences.clear();
        self.words.clear();
        self.ids.clear();
        let grammar = &*GRAMMAR;
        for span in sentences(text) {
            let first = self.words.len();
            words(text, span, &mut self.words);
            self.ids.extend(self.words[first..].iter().map(|w| grammar.word(w.hash)));
            let groups = grammar.groups(&self.ids[first..], &mut self.ahead);
            let question = text[span.range()].trim_end_matches(['"', ')', '*', '\'', ' ', '!']).ends_with('?');
            self.sentences.push(Sentence { span, words: first..self.words.len(), question, groups });
        }
        self.known = self.ids.iter().filter(|id| **id != 0).count();
    }

    /// Cue groups found anywhere, as bits.
    pub(super) fn groups(&self) -> u128 {
        self.sentences.iter().fold(0, |bits, s| bits | s.groups)
    }

    /// The features of sentence `index` but its words. None comes twice.
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
        self.shape(text, index, &self.words[sentence.words.clone()], out);
    }

    /// The features of the words of sentence `index`: each word and each pair. One may come more than once.
    pub(super) fn word_features(&self, index: usize) -> impl Iterator<Item = u32> {
        let mut before = NO_WORD;
        self.words[self.sentences[index].words.clone()].iter().flat_map(move |word| {
            let pair = before.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ word.hash.rotate_left(17);
            before = word.hash;
            [hashed(word.hash), hashed(pair)]
        })
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
        out.extend(marks.iter().enumerate().filter(|(_, on)| **on).map(|(i, _)| SHAPE + number(i)));
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
        out.push(SHAPE + 32 + length);
        out.push(SHAPE + 40 + number(questions.min(2)));
    }
}

/// Whether a feature is a hashed word or pair.
pub(super) fn is_hashed(feature: u32) -> bool {
    feature >= HASH
}

/// Whether a feature is of the shape of sentence or post.
pub(super) fn is_shape(feature: u32) -> bool {
    (SHAPE..HASH).contains(&feature)
}

fn hashed(hash: u64) -> u32 {
    let mixed = (hash ^ hash >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    HASH + number((mixed >> 40) as usize % HASHED)
}

/// Features are far fewer than a `u32` can count.
fn number(feature: usize) -> u32 {
    feature as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cue_counts_in_every_sentence_it_stands_in() {
        let analysis = analyse("It crashed again. It crashed again.");
        let [first, second] = &analysis.sentences[..] else { panic!("{:?}", analysis.sentences) };
        assert_ne!(first.groups, 0);
        assert_eq!(first.groups, second.groups);
    }
}
