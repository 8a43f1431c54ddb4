//! Sentiment about the same thing on both sides (METHOD 3.7): refused, and why.
//!
//! Feelings about different things are no gap. A compliment in a note is about us or the meeting, a claimed pain is about the
//! status quo and cannot be anything but bad, and a complaint in a community is mostly about the status quo or another vendor. A
//! difference would need a target for each, read from words that name it, and both good and bad told of that target on both
//! sides. No reader reads targets, and a note has no place for a pain that is none. So there is no number, of anything.

use crate::model::comparison::ComponentV1;

/// The part: never measured, never graded and never the worst.
pub fn sentiment() -> ComponentV1 {
    ComponentV1 {
        name: "sentiment".to_owned(),
        verdict: "not_measured".to_owned(),
        estimate: None,
        raw: None,
        p: None,
        low: None,
        high: None,
        n: 0,
        detectable: None,
        missing: Vec::new(),
        grade: None,
        says: "Not measured: no reader reads what a feeling is about. A compliment in a note is about us, a complaint in a community about \
               the status quo, and feelings about different things are no gap."
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_counted_of_what_nobody_reads() {
        let part = sentiment();
        assert_eq!(part.verdict, "not_measured");
        assert!(part.missing.is_empty() && !part.says.contains(char::is_numeric), "{}", part.says);
    }
}
