//! The redaction test (METHOD 9.2): a forecast that leans on words which tell how the deal ended is none. Notes are read once as
//! they are and once without such words, and what the claimed interest then is worth as a forecast must hardly move.
//!
//! Calibration-in-the-large is the mean forecast less the share that was won. Words that are masked change the first only, so no
//! outcome is needed to tell by how much it moves. A level of interest stands for a quarter of certainty each: the steepest
//! scale that a forecast by level can have on average.

use serde::Serialize;

use crate::model::{Interest, NoteKind, NoteReading};
use crate::text::outcome_words::masked;

/// Calibration may move by so much (METHOD 9.2).
pub const MOST: f64 = 0.01;

/// What masking changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Redaction {
    /// Notes with a claim of interest, masked or not.
    pub notes: u64,
    /// Of these, with a word that tells how a deal ended.
    pub with_words: u64,
    /// Of these, read with another level of interest without it.
    pub changed: u64,
    /// By how much the calibration of all notes moves, as a share of 1; positive: the words made the notes more hopeful.
    pub moved: f64,
    /// The same of the notes with such words alone.
    pub moved_with_words: f64,
}

impl Redaction {
    /// Whether calibration moves by less than a point.
    pub fn passes(&self) -> bool {
        self.moved.abs() < MOST
    }
}

/// Reads every note as it is and masked. A note that claims interest only one way counts as claiming none the other way, which
/// is level 0. `None` when no note claims any.
pub fn redaction<'a>(
    notes: impl Iterator<Item = (&'a str, NoteKind)>,
    read: impl Fn(&str, NoteKind) -> NoteReading,
) -> Option<Redaction> {
    let level = |text: &str, kind| read(text, kind).interest.map(Interest::level);
    let mut redaction = Redaction { notes: 0, with_words: 0, changed: 0, moved: 0.0, moved_with_words: 0.0 };
    let mut steps = 0;
    for (text, kind) in notes {
        let before = level(text, kind);
        let after = masked(text).map(|masked| level(&masked, kind));
        if before.is_none() && after.is_none_or(|after| after.is_none()) {
            continue;
        }
        redaction.notes += 1;
        let Some(after) = after else { continue };
        redaction.with_words += 1;
        redaction.changed += u64::from(before != after);
        steps += i64::from(before.unwrap_or(0)) - i64::from(after.unwrap_or(0));
    }
    let moved = |of: u64| if of == 0 { 0.0 } else { steps as f64 / 4.0 / of as f64 };
    redaction.moved = moved(redaction.notes);
    redaction.moved_with_words = moved(redaction.with_words);
    (redaction.notes > 0).then_some(redaction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_leans_on_the_end_is_caught() {
        let notes = ["We won.", "They lost it all.", "Great call.", "nothing", "Will see."];
        let read = |text: &str, by_words: bool| {
            let level = match text {
                _ if by_words && text.contains("won") => Some(4),
                "nothing" => None,
                _ => Some(2),
            };
            NoteReading { interest: level.and_then(Interest::new), ..NoteReading::default() }
        };
        let of = |by_words: bool| {
            let notes = notes.iter().map(|text| (*text, NoteKind::Note));
            redaction(notes, |text, _| read(text, by_words)).unwrap()
        };
        let (leans, fair) = (of(true), of(false));
        assert_eq!((leans.notes, leans.with_words, leans.changed), (4, 2, 1));
        assert!((leans.moved - 0.125).abs() < 1e-12 && (leans.moved_with_words - 0.25).abs() < 1e-12);
        assert!(!leans.passes() && fair.passes() && fair.changed == 0);
        assert!(redaction(std::iter::empty(), |_, _| NoteReading::default()).is_none());
    }
}
