//! Sentiment about the same thing on both sides (METHOD 3.7): refused, and why.
//!
//! Feelings about different things are no gap. A compliment in a note is about us or the meeting, a claimed pain is about the
//! status quo and cannot be anything but bad, and a complaint in a community is mostly about the status quo or another vendor. A
//! difference would need a target for each, read from words that name it, and both good and bad told of that target on both
//! sides. No reader reads targets, and a note has no place for a pain that is none. So there is no number, and the part says
//! what it would take.

use super::evidence_rule::Need;
use super::wording::missing as in_words;
use crate::model::comparison::ComponentV1;

/// The name of the part. It is never graded and never the worst.
const NAME: &str = "sentiment";

/// What each side would need of one problem: as for any share (METHOD 3.9).
const TARGETS: [Need; 2] = [
    Need { what: "people whose feeling is about a target that they name", at_least: 30 },
    Need { what: "accounts whose feeling is about the same target", at_least: 30 },
];

/// The part: too little evidence always.
pub fn sentiment() -> ComponentV1 {
    let missing = TARGETS.iter().filter_map(|need| need.check(0)).collect::<Vec<_>>();
    ComponentV1 {
        name: NAME.to_owned(),
        verdict: "not_enough_evidence".to_owned(),
        estimate: None,
        raw: None,
        p: None,
        low: None,
        high: None,
        n: 0,
        detectable: None,
        says: format!(
            "Not enough to set feelings side by side; there is {}. A compliment in a note is about us, and a complaint in a community \
             about the status quo: what a feeling is about is not read, and feelings about different things are no gap.",
            in_words(&missing)
        ),
        missing,
        grade: None,
    }
}
