//! When a promise is due, as its words tell. One answer for every reader: what a model quotes is searched like what a rule cut.

use std::ops::Range;

use crate::model::{CommitmentStatus, Evidence, Fit, Giver, Span};
use crate::text::due::find;

/// The words of `text` inside `range` that name the day on which a promise of the buyer's is due.
pub(super) fn due(text: &str, range: Range<usize>, who: Giver, status: CommitmentStatus) -> Option<Evidence> {
    if who != Giver::Buyer || status != CommitmentStatus::Promised {
        return None;
    }
    let words = find(text.get(range.clone())?)?;
    let at = range.start;
    Evidence::cut(text, Span::new(text, at + words.start, at + words.end)?, Fit::Exact)
}
