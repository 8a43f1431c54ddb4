//! Who speaks (METHOD 1.1, G1).
//!
//! First hand, unclear and promotion are learned; second hand, generic and hypothetical are too rare among labelled posts and
//! are told by cues, and only where nothing in the post is about the author.

use std::sync::LazyLock;

use super::analysis::{Analysis, bit};
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
    if !acts.is_empty() || of(Voice::FirstHand) >= of(Voice::Unclear) { Voice::FirstHand } else { Voice::Unclear }
}
