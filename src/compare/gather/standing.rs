//! What an account's notes claim, and what they show (METHOD 3.5).

use std::collections::BTreeSet;

use super::super::cells::{Promises, Standing};
use super::super::labels::NoteAnswer;
use super::super::window::day;
use super::{Material, note_time};
use crate::model::{Commitment, CommitmentStatus, Corroboration, Giver, Interest};
use crate::store::StoredNote;

/// A claim of strong interest has this many days to be followed by something (METHOD 3.5).
pub(in crate::compare) const SETTLING_DAYS: i64 = 30;

/// The lowest level of the commitment ladder that backs a claim (METHOD 3.5); the one below has no date.
pub const BACKING_LEVEL: u8 = 2;

/// What the notes in the window claim and what all notes up to its end (`history`) show. `label` gives the hand label of a
/// note; where it gives none the reader's word stands, so that a deal closed before the window is not called unbacked. Who
/// vouches for a step and what became of a promise are the reader's word always, because a label does not tell.
pub(super) fn standing<'a>(
    material: &Material,
    notes: &[&StoredNote],
    history: &[&StoredNote],
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
        .filter(|n| interest(n) >= Some(3) && material.window.is_older_than(note_time(n), SETTLING_DAYS))
        .min_by_key(|n| (note_time(n).is_none(), note_time(n), n.note.id.as_str()));
    Standing {
        strong: first_claim.is_some(),
        backed: history.iter().any(|n| backed(n)),
        asked: history.iter().any(|n| asked(n)),
        channel: first_claim.map(|n| n.note.kind),
        claimed: history.iter().any(|n| steps_kept(n).any(|c| c.corroboration == Corroboration::NoteOnly)),
        promises: promises(history),
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

/// The promises that the notes tell of. Readings carry no due date: a promise counts as due when it is told as kept or missed.
/// A note that is there twice, in the same words of the same day, counts once; a promise that one note tells as made and
/// another as kept is told twice.
fn promises(history: &[&StoredNote]) -> Promises {
    let mut known = BTreeSet::new();
    let notes =
        history.iter().filter(|n| n.reading.is_some() && known.insert((note_time(n).map(day), n.note.text.as_str())));
    let mut told = Promises::default();
    for promise in notes.flat_map(|n| given(n)).filter(|c| c.level > 0) {
        let count = match promise.status {
            CommitmentStatus::Asked | CommitmentStatus::Refused => continue,
            _ if promise.level < BACKING_LEVEL => Some(&mut told.undated),
            CommitmentStatus::Kept => Some(&mut told.kept),
            CommitmentStatus::Missed => Some(&mut told.missed),
            CommitmentStatus::Promised => None,
        };
        if let Some(count) = count {
            *count += 1;
        }
        told.all += 1;
    }
    told
}
