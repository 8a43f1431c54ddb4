//! A text made from another one, that remembers where each of its pieces came from.
//!
//! Words that leave the machine are changed first (an address is masked, an invisible character dropped), and what comes
//! back speaks of the changed words. The one rule: whatever was changed, a range of the new text leads back to a range of
//! the original, in the same order and on its character boundaries.

use std::ops::Range;

/// A range of a text and the words to put there.
pub type Change = (Range<usize>, String);

/// A text with the way back to the text it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    text: String,
    pieces: Vec<Piece>,
}

/// A stretch of the new text and the stretch of the original it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    to: Range<usize>,
    from: Range<usize>,
    /// The same bytes, so that a part of one is a part of the other.
    verbatim: bool,
}

impl Mapped {
    /// A text that stands for itself.
    pub fn whole(text: &str) -> Self {
        let all = Piece { to: 0..text.len(), from: 0..text.len(), verbatim: true };
        Self { text: text.to_owned(), pieces: if text.is_empty() { Vec::new() } else { vec![all] } }
    }

    /// The new text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text with each range replaced by other words. `changes` are in order and do not overlap; one that does, or that
    /// splits a character, is left out.
    pub fn replace(&self, changes: &[Change]) -> Self {
        let mut made = Self { text: String::with_capacity(self.text.len()), pieces: Vec::new() };
        let mut at = 0;
        let mut next = 0;
        for (range, words) in changes {
            if range.start < at || self.text.get(range.clone()).is_none() {
                continue;
            }
            self.keep(at..range.start, &mut next, &mut made);
            if let (Some(from), false) = (self.origin(range.clone()), words.is_empty()) {
                let start = made.text.len();
                made.text.push_str(words);
                made.pieces.push(Piece { to: start..made.text.len(), from, verbatim: false });
            }
            at = range.end;
        }
        self.keep(at..self.text.len(), &mut next, &mut made);
        made
    }

    /// Appends `range` of this text to `made`. `next` is the first piece that may lie in it.
    fn keep(&self, range: Range<usize>, next: &mut usize, made: &mut Self) {
        while let Some(piece) = self.pieces.get(*next) {
            let (start, end) = (piece.to.start.max(range.start), piece.to.end.min(range.end));
            if start < end {
                let from = match piece.verbatim {
                    true => piece.from.start + (start - piece.to.start)..piece.from.start + (end - piece.to.start),
                    false => piece.from.clone(),
                };
                let at = made.text.len();
                made.text.push_str(&self.text[start..end]);
                made.pieces.push(Piece { to: at..made.text.len(), from, verbatim: piece.verbatim });
            }
            if piece.to.end > range.end {
                break;
            }
            *next += 1;
        }
    }

    /// The stretch of the original that `range` of this text stands for; `None` for an empty range or one outside.
    pub fn origin(&self, range: Range<usize>) -> Option<Range<usize>> {
        let last = range.end.checked_sub(1).filter(|last| *last >= range.start)?;
        let (first, last) = (self.piece(range.start)?, self.piece(last)?);
        let start = if first.verbatim { first.from.start + (range.start - first.to.start) } else { first.from.start };
        let end = if last.verbatim { last.from.start + (range.end - last.to.start) } else { last.from.end };
        Some(start..end)
    }

    fn piece(&self, at: usize) -> Option<&Piece> {
        self.pieces.get(self.pieces.partition_point(|p| p.to.end <= at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn changes_of_changes_lead_back() {
        let text = "mail bo@x.example or ring 555";
        let once = Mapped::whole(text).replace(&[(5..17, "[email]".to_owned())]);
        let twice = once.replace(&[(0..5, String::new()), (21..24, "[phone]".to_owned())]);
        assert_eq!(twice.text(), "[email] or ring [phone]");
        assert_eq!(twice.origin(0..7).map(|r| &text[r]), Some("bo@x.example"));
        assert_eq!(twice.origin(2..10).map(|r| &text[r]), Some("bo@x.example or"));
        assert_eq!(twice.origin(11..23).map(|r| &text[r]), Some("ring 555"));
        assert_eq!(twice.origin(3..3), None);
    }

    proptest! {
        #[test]
        fn every_range_leads_back_in_order(text in "\\PC{1,40}", cuts in prop::collection::vec((0..40_usize, 0..4_usize, "[a-z]{0,3}"), 0..6), again in 0..3_usize) {
            let mut mapped = Mapped::whole(&text);
            for _ in 0..=again {
                let bounds: Vec<usize> = mapped.text().char_indices().map(|(i, _)| i).chain([mapped.text().len()]).collect();
                let mut changes: Vec<_> = cuts.iter().map(|(at, len, words)| {
                    let start = at % bounds.len();
                    (bounds[start]..bounds[(start + len).min(bounds.len() - 1)], words.clone())
                }).collect();
                changes.sort_by_key(|(range, _)| range.start);
                mapped = mapped.replace(&changes);
            }
            let bounds: Vec<usize> = mapped.text().char_indices().map(|(i, _)| i).chain([mapped.text().len()]).collect();
            let mut last = 0;
            for pair in bounds.windows(2) {
                let from = mapped.origin(pair[0]..pair[1]).unwrap();
                prop_assert!(text.get(from.clone()).is_some());
                prop_assert!(from.start >= last);
                last = from.start;
            }
        }
    }
}
