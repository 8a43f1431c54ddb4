//! Byte ranges in a text.

use std::ops::Range;

/// A half-open byte range. Never empty; both ends lie on character boundaries of the text it was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// The span `start..end` of `text`; `None` when it is empty, out of range or splits a character.
    pub fn new(text: &str, start: usize, end: usize) -> Option<Self> {
        (start < end && text.get(start..end).is_some()).then_some(Self { start, end })
    }

    /// The span of `text` that `range` covers without surrounding white space; `None` when nothing is left.
    pub fn trimmed(text: &str, range: Range<usize>) -> Option<Self> {
        let slice = text.get(range.clone())?;
        let start = range.start + (slice.len() - slice.trim_start().len());
        Self::new(text, start, start + slice.trim().len())
    }

    /// First byte.
    pub fn start(self) -> usize {
        self.start
    }

    /// One past the last byte.
    pub fn end(self) -> usize {
        self.end
    }

    /// As a range, for slicing.
    pub fn range(self) -> Range<usize> {
        self.start..self.end
    }

    /// Whether the two share at least one byte.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_not_a_slice() {
        let text = "naïve";
        assert!(Span::new(text, 0, 0).is_none());
        assert!(Span::new(text, 0, 3).is_none(), "splits the ï");
        assert!(Span::new(text, 0, 99).is_none());
        assert_eq!(Span::new(text, 0, 4).map(Span::range), Some(0..4));
    }

    #[test]
    fn trims_to_words() {
        assert_eq!(Span::trimmed("  a b \n", 0..7).map(Span::range), Some(2..5));
        assert!(Span::trimmed("   ", 0..3).is_none());
    }
}
