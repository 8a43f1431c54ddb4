//! Who speaks (METHOD 1.1, G1).
//!
//! First hand and promotion are learned; second hand, generic and hypothetical are too rare among labelled posts and
//! are told by cues, and only where nothing in the post is about the author.

use std::sync::LazyLock;

use super::analysis::{Analysis, Sentence, bit};
use super::weights::{Scores, VOICES, sigmoid};
use crate::model::{Act, Evidence, Voice};

struct Groups {
    mine: u128,
    story: u128,
    promo: u128,
    second_hand: u128,
    generic: u128,
    hypothetical: u128,
}

static GROUPS: LazyLock<Groups> = LazyLock::new(|| Groups {
    mine: bit("voice.first_person"),
    story: bit("voice.own_story"),
    promo: bit("voice.promo"),
    second_hand: bit("voice.second_hand"),
    generic: bit("voice.generic"),
    hypothetical: bit("voice.hypothetical"),
});

static IRONY: LazyLock<u128> = LazyLock::new(|| bit("voice.irony"));

static BREAKDOWN: LazyLock<u128> = LazyLock::new(|| {
    ["fails", "error", "stuck", "does_not", "wrong_result", "still"]
        .iter()
        .fold(0, |bits, name| bits | bit(&format!("complaint.{name}")))
});

/// Whether the good words of a sentence stand beside a breakdown in the way irony puts them ("oh great, it crashed again").
pub(super) fn is_ironic(sentence: &Sentence) -> bool {
    sentence.groups & *IRONY != 0 && sentence.groups & *BREAKDOWN != 0
}

/// The voice of a post, given its scores and what it does.
pub(super) fn voice(scores: &Scores, analysis: &Analysis, acts: &[(Act, Evidence, f64)]) -> Voice {
    let groups = analysis.groups();
    let of =
        |voice: Voice| VOICES.iter().position(|v| *v == voice).map_or(0.0, |i| sigmoid(f64::from(scores.voices[i])));
    let told = |group: u128| groups & group != 0;
    if of(Voice::VendorOrPromo) > 0.5 || (told(GROUPS.promo) && of(Voice::VendorOrPromo) > 0.2) {
        return Voice::VendorOrPromo;
    }
    if !told(GROUPS.story) {
        for (group, voice) in [
            (GROUPS.second_hand, Voice::SecondHand),
            (GROUPS.hypothetical, Voice::Hypothetical),
            (GROUPS.generic, Voice::Generic),
        ] {
            if told(group) && !told(GROUPS.mine) {
                return voice;
            }
        }
    }
    // A post that complains, tried something or left something tells of its author unless something says otherwise.
    if !acts.is_empty() || of(Voice::FirstHand) >= 0.5 { Voice::FirstHand } else { Voice::Unclear }
}

#[cfg(test)]
mod tests {
    use super::super::analysis::analyse;
    use super::*;

    #[test]
    fn the_groups_named_here_exist() {
        let g = &*GROUPS;
        for bits in [g.mine, g.story, g.promo, g.second_hand, g.generic, g.hypothetical, *IRONY] {
            assert_ne!(bits, 0);
        }
        assert_eq!(BREAKDOWN.count_ones(), 6);
    }

    #[test]
    fn irony_needs_a_breakdown() {
        for (text, ironic) in [
            ("Oh great, it crashed again.", true),
            ("Just great, the export is stuck.", true),
            ("Oh great, that is what we needed.", false),
            ("It crashed again.", false),
        ] {
            assert_eq!(analyse(text).sentences.iter().any(is_ironic), ironic, "{text}");
        }
    }
}
