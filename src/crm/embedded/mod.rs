//! The embedded note reader: no model, no network, the same reading every time.
//!
//! A *scorecard* sums the weights of what is seen in and around a clause and says yes above zero. The one rule: what a note
//! claims is read from its own words, and every quote is a clause cut from it.

mod grammar;

mod minimise;

mod observe;

mod segment;

mod decide;

mod truth;

mod words;

pub mod train;

use std::ops::Range;
use std::sync::LazyLock;

use anyhow::Result;

use crate::model::{NoteKind, NoteReading, ObjectionKind, Recipe};

use decide::read_with;
use grammar::{FILES, Grammar};
use observe::{Features, Scorecard, read_cards};

/// Version of the rules in code; cues and weights are hashed on their own.
const VERSION: &str = "embedded-note-3";

const WEIGHTS: &str = include_str!("cues/weights.toml");

/// The weights of words: by scorecard that weighs words, a signed byte for each of [`words::SIZE`].
const WORDS: &[u8] = include_bytes!("cues/weights.bin");

/// The scorecards: what a clause shows; what is given in it, of which the likeliest is chosen; what becomes of it; how a pain
/// came up; whether a note claims no interest, and how much it claims; which kind an objection is. `stands` is a constant: how readily a commitment is seen.
const CARDS: [&str; 31] = [
    "compliment",
    "fluff",
    "pain",
    "objection",
    "nothing",
    "ours",
    "level1",
    "level2",
    "level3",
    "level4",
    "level5",
    "undone",
    "stands",
    "kept",
    "missed",
    "refused",
    "asked",
    "volunteered",
    "prompted",
    "specific",
    "silent",
    "interest",
    "competitor",
    "price",
    "authority",
    "no_need",
    "status_quo",
    "timing",
    "trust",
    "fit",
    "soft_no",
];

/// What a clause may tell of commitments: nothing, our own promise, a rung that the buyer stands on, or one that the buyer does
/// not stand on (asked, missed, refused).
const CHOICE: [&str; 8] = ["nothing", "ours", "level1", "level2", "level3", "level4", "level5", "undone"];

/// The scorecards of the kinds of objection, of which the likeliest is chosen.
const KINDS: [(ObjectionKind, &str); 9] = [
    (ObjectionKind::Competitor, "competitor"),
    (ObjectionKind::Price, "price"),
    (ObjectionKind::Authority, "authority"),
    (ObjectionKind::NoNeed, "no_need"),
    (ObjectionKind::StatusQuo, "status_quo"),
    (ObjectionKind::Timing, "timing"),
    (ObjectionKind::Trust, "trust"),
    (ObjectionKind::Fit, "fit"),
    (ObjectionKind::SoftNo, "soft_no"),
];

/// Everything the reader reads by.
struct Reader {
    grammar: Grammar,
    features: Features,
    cards: [Scorecard; CARDS.len()],
}

#[expect(clippy::expect_used, reason = "the cue files are part of the program; the tests compile them")]
static READER: LazyLock<Reader> = LazyLock::new(|| Reader::new().expect("the cue files are well formed"));

impl Reader {
    fn new() -> Result<Self> {
        let grammar = Grammar::compile(&FILES)?;
        let features = Features::of(&grammar);
        let cards = read_cards(&features, CARDS, WEIGHTS, WORDS)?;
        Ok(Self { grammar, features, cards })
    }
}

/// Reads one note. `kind` decides what may vouch for a commitment: machine-written notes claim no interest and are system
/// events; the buyer's own words in an e-mail are the buyer's.
pub fn read_note(text: &str, kind: NoteKind) -> NoteReading {
    let reader = &*READER;
    read_with(&reader.grammar, &reader.features, &reader.cards, text, kind)
}

/// Whether a stretch of a note holds words that the note quotes from somebody.
pub(super) fn is_quoted(text: &str, range: Range<usize>) -> bool {
    let meets = |clause: &segment::Clause| clause.range.start < range.end && range.start < clause.range.end;
    segment::clauses(text).iter().any(|clause| clause.quoted && meets(clause))
}

/// What this reader's readings are kept under.
pub fn recipe() -> Recipe {
    let mut inputs: Vec<&str> = FILES.iter().map(|(_, text)| *text).collect();
    inputs.push(WEIGHTS);
    let words = blake3::hash(WORDS).to_hex();
    inputs.push(&words);
    Recipe::new(VERSION, &inputs)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{CommitmentStatus, Corroboration, Giver, Interest};

    /// What the method rules about the ladder and the scale, on notes about nothing in particular.
    #[test]
    fn keeps_the_rulings_of_the_method() {
        let buyer = |reading: &NoteReading| {
            reading.commitments.iter().filter(|c| c.who == Giver::Buyer).map(|c| c.level).max().unwrap_or(0)
        };
        let ours = read_note("Short call. I'll send the deck tonight.", NoteKind::Call);
        assert_eq!(buyer(&ours), 0, "our own promise is never the buyer's: {:?}", ours.commitments);

        let verbal = read_note("Verbal yes from Ines, just paperwork now. Closing EOQ.", NoteKind::Note);
        assert_eq!((buyer(&verbal), verbal.interest.map(Interest::level)), (1, Some(4)));

        let praise = read_note("She said the demo was gorgeous.", NoteKind::Call);
        assert_eq!(praise.compliments.len(), 1);

        let no = read_note("Not interested, they went with Bluefin. Closed lost.", NoteKind::Note);
        assert!(no.interest.is_some_and(|i| i.level() <= 1) && !no.objections.is_empty());
    }

    #[test]
    fn machines_vouch_and_claim_nothing() {
        let cases = [
            ("E-signature completed: annual order, 900.00 EUR", 5, CommitmentStatus::Kept),
            ("Trial workspace: 212 records imported by customer", 4, CommitmentStatus::Kept),
            ("Meeting held (calendar): 4 attendees, 3 external", 3, CommitmentStatus::Kept),
            ("Trial workspace expired: 0 records imported", 4, CommitmentStatus::Missed),
        ];
        for (text, level, status) in cases {
            let reading = read_note(text, NoteKind::System);
            let found: Vec<_> = reading.commitments.iter().map(|c| (c.level, c.status, c.corroboration)).collect();
            assert_eq!(found, [(level, status, Corroboration::SystemEvent)], "{text}");
            assert!(reading.interest.is_none() && reading.compliments.is_empty());
        }
    }

    #[test]
    fn only_the_buyers_own_words_in_an_email_are_the_buyers() {
        let text = "From Ines: \"The export is attached, 300 rows.\"";
        let proof = |kind| read_note(text, kind).commitments.first().map(|c| c.corroboration);
        assert_eq!(proof(NoteKind::Email), Some(Corroboration::BuyerWritten));
        assert_eq!(proof(NoteKind::Note), Some(Corroboration::NoteOnly));
    }

    proptest! {
        #[test]
        fn every_quote_is_cut_from_the_note(text in "(she|we|no|signed|loved|the demo|wrong|twice|if|asked|for|a|\\.|\"|€5| |\n|\\PC){0,60}") {
            let reading = read_note(&text, NoteKind::Email);
            let quotes = reading.compliments.iter().chain(&reading.fluff).chain(reading.pains.iter().map(|p| &p.evidence));
            let quotes = quotes.chain(reading.objections.iter().map(|o| &o.evidence));
            for quote in quotes.chain(reading.commitments.iter().map(|c| &c.evidence)) {
                prop_assert_eq!(&text[quote.span().range()], quote.quote());
            }
            prop_assert_eq!(read_note(&text, NoteKind::Email), reading);
        }
    }

    /// One long word, one long line, marks without words: time grows with length, not with its square.
    #[test]
    fn hostile_text_is_read_in_time() {
        let signs = ["a.".repeat(100_000), "\"a ".repeat(60_000), "! ".repeat(100_000), "<p>".repeat(60_000)];
        for text in signs.into_iter().chain(["a cat, so ".repeat(20_000)]) {
            read_note(&text, NoteKind::Note);
        }
    }

    #[test]
    fn every_weight_names_a_feature() {
        let reader = Reader::new().unwrap();
        let written: BTreeMap<String, BTreeMap<String, f64>> = toml::from_str(WEIGHTS).unwrap();
        for (card, weights) in &written {
            assert!(CARDS.contains(&card.as_str()), "no scorecard {card}");
            for name in weights.keys() {
                assert!(
                    name == "bias" || name == "step" || reader.features.names().contains(name),
                    "{card}: no feature {name}"
                );
            }
        }
    }
}
