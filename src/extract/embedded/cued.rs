//! The slots that phrases of `cues/texture.toml` fill: when it bites, how hard it is, what is at stake (METHOD 1.3).
//!
//! The phrase is the quote and its group the value. Nothing is inferred: three exclamation marks are no intensity.

use std::ops::Range;
use std::sync::LazyLock;

use super::analysis::{Analysis, Sentence, bit};
use super::cues::GRAMMAR;
use super::words::{Word, hash_of};
use crate::model::{Act, Evidence, Fit, Intensity, Slot, SlotValue, Span, Stake, TextureSlot};

/// A group of `cues/texture.toml`, as a bit, with what its phrases fill.
type Cue = (u128, Slot, SlotValue);

static CUED: LazyLock<[Cue; 11]> = LazyLock::new(|| {
    [
        (bit("texture.trigger"), Slot::TriggerSituation, SlotValue::Text),
        (bit("texture.minor"), Slot::Intensity, SlotValue::Intensity { level: Intensity::Minor }),
        (bit("texture.strong"), Slot::Intensity, SlotValue::Intensity { level: Intensity::Strong }),
        (bit("texture.blocking"), Slot::Intensity, SlotValue::Intensity { level: Intensity::Blocking }),
        (bit("texture.annoyance"), Slot::Stakes, SlotValue::Stakes { kind: Stake::Annoyance }),
        (bit("texture.rework"), Slot::Stakes, SlotValue::Stakes { kind: Stake::Rework }),
        (bit("texture.deadline"), Slot::Stakes, SlotValue::Stakes { kind: Stake::Deadline }),
        (bit("texture.revenue"), Slot::Stakes, SlotValue::Stakes { kind: Stake::Revenue }),
        (bit("texture.compliance"), Slot::Stakes, SlotValue::Stakes { kind: Stake::Compliance }),
        (bit("texture.people"), Slot::Stakes, SlotValue::Stakes { kind: Stake::People }),
        (bit("texture.safety"), Slot::Stakes, SlotValue::Stakes { kind: Stake::Safety }),
    ]
});

/// All of their groups.
static CUED_BITS: LazyLock<u128> = LazyLock::new(|| CUED.iter().fold(0, |all, (bit, ..)| all | bit));

const NEGATIONS: [u64; 5] =
    [hash_of(b"not"), hash_of(b"no"), hash_of(b"never"), hash_of(b"without"), hash_of(b"nothing")];

/// A moment is told in at most so many words.
const TRIGGER_WORDS: usize = 14;

/// What the cues of a sentence fill, from byte to byte. Of phrases of one slot that share words the longest is taken, and
/// none that is denied. `bites` says that the sentence shows a problem: only there is a moment the problem's.
fn cued(
    text: &str,
    sentence: &Sentence,
    analysis: &Analysis,
    bites: bool,
    mut take: impl FnMut(usize, usize, &'static Cue),
) {
    let words = &analysis.words[sentence.words.clone()];
    let hits = GRAMMAR.hits(&analysis.ids[sentence.words.clone()]);
    let mut found: Vec<_> = hits
        .iter()
        .filter_map(|hit| {
            let entry = CUED.iter().find(|(bit, ..)| bit >> hit.group & 1 == 1)?;
            Some((usize::from(hit.first)..usize::from(hit.last), entry))
        })
        .collect();
    found.sort_by_key(|(place, _)| (std::cmp::Reverse(place.len()), place.start));
    let mut taken: Vec<(Range<usize>, &Cue)> = Vec::new();
    for (place, entry) in found {
        let shares =
            |(other, of): &(Range<usize>, &Cue)| of.1 == entry.1 && other.start < place.end && place.start < other.end;
        let denied = words[place.start.saturating_sub(2)..place.start].iter().any(|w| NEGATIONS.contains(&w.hash));
        let moment = entry.1 == Slot::TriggerSituation;
        let idle = if moment { !bites } else { denied };
        if idle || taken.iter().any(shares) {
            continue;
        }
        let last = if moment { told_until(text, words, &place) } else { place.end - 1 };
        take(words[place.start].start, words[last].end, entry);
        taken.push((place.start..last + 1, entry));
    }
}

/// The last word of the moment that begins with the words at `place`: as far as its clause goes on.
fn told_until(text: &str, words: &[Word], place: &Range<usize>) -> usize {
    let goes_on = |at: usize| {
        let between = text.get(words[at].end..words[at + 1].start).unwrap_or_default();
        !between.contains([',', ';', ':', '(', ')', '\n']) && !between.contains(" - ")
    };
    let mut last = place.end - 1;
    while last + 1 < words.len() && last + 1 - place.start < TRIGGER_WORDS && goes_on(last) {
        last += 1;
    }
    last
}

/// Every slot that a phrase fills. A moment is the problem's only in a sentence that shows one.
pub(super) fn slots(text: &str, analysis: &Analysis, acts: &[(Act, Evidence, f64)]) -> Vec<TextureSlot> {
    let mut slots = Vec::new();
    for sentence in analysis.sentences.iter().filter(|s| s.groups & *CUED_BITS != 0) {
        let shows = |(act, evidence, _): &(Act, Evidence, f64)| {
            matches!(act, Act::Complaint { .. } | Act::FailedWorkaround { .. })
                && evidence.span().overlaps(sentence.span)
        };
        cued(text, sentence, analysis, acts.iter().any(shows), |start, end, (_, slot, value)| {
            let evidence = Span::new(text, start, end).and_then(|span| Evidence::cut(text, span, Fit::Exact));
            slots.extend(evidence.map(|evidence| TextureSlot { slot: *slot, evidence, value: value.clone() }));
        });
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::super::analysis::analyse;
    use super::*;

    fn cued_in(text: &str) -> Vec<(Slot, String, SlotValue)> {
        let analysis = analyse(text);
        let whole = Evidence::cut(text, Span::new(text, 0, text.len()).unwrap(), Fit::Exact).unwrap();
        let act = Act::Complaint { severity: crate::model::Severity::NoReproach };
        let mut slots = slots(text, &analysis, &[(act, whole, 1.0)]);
        slots.sort_by_key(|s| s.evidence.span());
        slots.into_iter().map(|s| (s.slot, s.evidence.quote().to_owned(), s.value)).collect()
    }

    #[test]
    fn every_cued_slot_has_its_group() {
        assert!(CUED.iter().all(|(bit, ..)| *bit != 0));
    }

    #[test]
    fn the_moment_is_told_up_to_the_end_of_its_clause() {
        for (text, quote) in [
            ("The board freezes whenever two dispatchers edit it, and we wait.", "whenever two dispatchers edit it"),
            ("Every time I print a route the margins are gone.", "Every time I print a route the margins are gone"),
            ("Totals are wrong at month end.", "at month end"),
            ("Since the last update, labels come out blank.", "Since the last update"),
        ] {
            let found = cued_in(text);
            assert!(found.contains(&(Slot::TriggerSituation, quote.to_owned(), SlotValue::Text)), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_moment_without_a_problem_is_no_trigger() {
        let text = "I learned to cook when I was ten.";
        assert_eq!(slots(text, &analyse(text), &[]), []);
    }

    #[test]
    fn intensity_is_what_the_words_say() {
        use Intensity::{Blocking, Minor, Strong};
        for (text, expected) in [
            ("Minor annoyance: the icon is blurry.", Some(("Minor annoyance", Minor))),
            ("It is not a deal breaker for us.", Some(("not a deal breaker", Minor))),
            ("The import is extremely frustrating.", Some(("extremely frustrating", Strong))),
            ("This bug is a showstopper.", Some(("showstopper", Blocking))),
            ("The planner is unusable on a phone.", Some(("unusable", Blocking))),
            ("The planner is not unusable.", None),
            ("The export button is grey!!!", None),
        ] {
            let found: Vec<_> = cued_in(text).into_iter().filter(|(slot, ..)| *slot == Slot::Intensity).collect();
            let expected: Vec<_> = expected
                .map(|(quote, level)| (Slot::Intensity, quote.to_owned(), SlotValue::Intensity { level }))
                .into_iter()
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn stakes_are_named_not_guessed() {
        use Stake::{Compliance, Deadline, Revenue, Rework, Safety};
        for (text, expected) in [
            ("We missed two deadlines and are losing customers over it.", vec![Deadline, Revenue]),
            ("The auditors will not take a screenshot.", vec![Compliance]),
            ("I have to type it all again.", vec![Rework]),
            ("The brake light stays off, which is dangerous.", vec![Safety]),
            ("The report is empty.", vec![]),
        ] {
            let kinds: Vec<_> = cued_in(text)
                .into_iter()
                .filter_map(|(_, _, value)| if let SlotValue::Stakes { kind } = value { Some(kind) } else { None })
                .collect();
            assert_eq!(kinds, expected, "{text}");
        }
    }
}
