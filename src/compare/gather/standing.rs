//! What an account's notes claim, and what they show (METHOD 3.5).

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::super::cells::{Promises, Standing};
use super::super::labels::NoteAnswer;
use super::super::window::{Window, day};
use super::note_time;
use crate::model::comparison::SETTLING_DAYS;
use crate::model::{Commitment, CommitmentStatus, Corroboration, Giver, Interest};
use crate::store::StoredNote;
use crate::text::due::resolve;

/// The lowest level of the commitment ladder that backs a claim (METHOD 3.5); the one below has no date.
pub const BACKING_LEVEL: u8 = 2;

/// What the notes in the window claim and what all notes up to its end (`history`) show. `label` gives the hand label of a
/// note; where it gives none the reader's word stands, so that a deal closed before the window is not called unbacked. Who
/// vouches for a step and what became of a promise are the reader's word always, because a label does not tell.
pub(super) fn standing<'a>(
    window: &Window,
    notes: &[&StoredNote],
    history: &[&StoredNote],
    promises: Promises,
    label: impl Fn(&str) -> Option<&'a NoteAnswer>,
) -> Standing {
    let interest = |n: &StoredNote| match label(n.note.id.as_str()) {
        Some(answer) => answer.interest,
        None => n.reading.as_ref().and_then(|r| r.interest).map(Interest::level),
    };
    let backed = |n: &StoredNote| match label(n.note.id.as_str()) {
        Some(answer) => answer.backed,
        None => steps_kept(n).any(|c| c.corroboration != Corroboration::NoteOnly),
    };
    let asked = |n: &StoredNote| match label(n.note.id.as_str()) {
        Some(answer) => answer.asked,
        None => n.reading.as_ref().is_some_and(|r| r.asked),
    };
    let first_claim = notes
        .iter()
        .copied()
        .filter(|n| interest(n) >= Some(3) && window.is_older_than(note_time(n), SETTLING_DAYS))
        .min_by_key(|n| (note_time(n).is_none(), note_time(n), n.note.id.as_str()));
    Standing {
        strong: first_claim.is_some(),
        backed: history.iter().any(|n| backed(n)),
        asked: history.iter().any(|n| asked(n)),
        channel: first_claim.map(|n| n.note.kind),
        claimed: history.iter().any(|n| steps_kept(n).any(|c| c.corroboration == Corroboration::NoteOnly)),
        promises,
    }
}

/// The buyer's commitments that a note tells of; ours never count.
fn given(note: &StoredNote) -> impl Iterator<Item = &Commitment> {
    note.reading.iter().flat_map(|r| &r.commitments).filter(|c| c.who == Giver::Buyer)
}

/// Those that would back a claim of interest if somebody vouches for them.
fn steps_kept(note: &StoredNote) -> impl Iterator<Item = &Commitment> {
    given(note).filter(|c| c.level >= BACKING_LEVEL && c.status == CommitmentStatus::Kept)
}

/// A promise that nothing answers yet.
struct Open {
    level: u8,
    due: Option<Date>,
}

/// The promises that the notes tell of by `last`, the last day that is looked at. What a note tells as kept or missed answers
/// the latest open promise on the same rung. A promise whose day has not passed by then counts as neither, even when it was
/// kept early; what is told as kept or missed and answers no dated promise was due when it was told. A note that is there
/// twice, in the same words of the same day, counts once.
pub(super) fn promises(history: &[&StoredNote], last: Date) -> Promises {
    let mut known = BTreeSet::new();
    let mut notes = history.iter().filter(|n| n.reading.is_some()).collect::<Vec<_>>();
    notes.retain(|n| known.insert((note_time(n).map(day), n.note.text.as_str())));
    notes.sort_by_key(|n| (note_time(n), n.note.id.as_str()));
    let mut told = Promises::default();
    let mut open = Vec::<Open>::new();
    let to_come = |due: Option<Date>| due.is_some_and(|due| due > last);
    for note in notes {
        for promise in given(note).filter(|c| c.level > 0) {
            let level = promise.level;
            if promise.status == CommitmentStatus::Promised {
                let due = promise.due.as_ref().zip(note_time(note));
                open.push(Open { level, due: due.and_then(|(words, at)| resolve(words.quote(), day(at))) });
                continue;
            }
            let count = match promise.status {
                CommitmentStatus::Kept => &mut told.kept,
                CommitmentStatus::Missed => &mut told.missed,
                _ => continue,
            };
            let answered = open.iter().rposition(|o| o.level == level).map(|at| open.remove(at));
            let due = answered.and_then(|o| o.due);
            match due {
                _ if to_come(due) => {}
                None if level < BACKING_LEVEL => told.undated += 1,
                _ => *count += 1,
            }
            told.all += 1;
        }
    }
    for Open { due, .. } in open {
        match due {
            None => told.undated += 1,
            due if to_come(due) => {}
            Some(_) => told.untold += 1,
        }
        told.all += 1;
    }
    told
}
