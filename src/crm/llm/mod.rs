//! The LLM note reader: a model says what a note claims and where; the program finds the words and says what vouches for them.
//!
//! The questions stand on one [`Sheet`](crate::llm::sheet::Sheet); quotes come by number or by copy, as for posts, and a second
//! look asks whether each shows its claim. The one rule: what corroborates a commitment is decided here, from the kind of the
//! record and who is quoted, never by the model.

mod sheet;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use super::due::due;
use super::embedded::is_quoted;
use crate::llm::ask::{self, Asked, Asking, Sheets, Standing, Window};
use crate::llm::judge::Judge;
use crate::llm::outgoing::{Context, Finder, Outgoing, Quotes};
use crate::llm::prompt::Prompt;
use crate::llm::{Model, Outlook, Unanswered};
use crate::model::{
    ClaimedPain, Commitment, Corroboration, Currency, Evidence, Giver, Interest, NoteKind, NoteReading, Objection,
    Recipe, SecondLook, Support,
};
use crate::text::redact::Names;

use sheet::{NOTE_SHEET, NoteSheet, Placed};

/// Version of what stands in code; prompts and settings are hashed on their own.
const VERSION: &str = "llm-note-2";

const PROMPT_FILE: &str = include_str!("../../../prompts/read_note.toml");

const JUDGE_FILE: &str = include_str!("../../../prompts/judge_note.toml");

/// Longest answer about one note.
const ANSWER_TOKENS: u32 = 420;

#[expect(clippy::expect_used, reason = "the prompt files are part of the program; the tests parse them")]
static PROMPT: LazyLock<Prompt> = LazyLock::new(|| Prompt::parse(PROMPT_FILE).expect("the prompt is well formed"));

#[expect(clippy::expect_used, reason = "the prompt files are part of the program; the tests parse them")]
static JUDGE: LazyLock<Prompt> = LazyLock::new(|| Prompt::parse(JUDGE_FILE).expect("the prompt is well formed"));

/// A note to read.
#[derive(Debug, Clone, Copy)]
pub struct NoteText<'a> {
    /// Its id, for the ledger and for errors; not sent.
    pub id: &'a str,
    /// What kind of record it is; not sent.
    pub kind: NoteKind,
    /// The note.
    pub text: &'a str,
}

/// A note that was read.
pub type Read = ask::Read<NoteReading>;

/// The reader. Cheap to share.
#[derive(Clone)]
pub struct Reader {
    model: Arc<Model>,
    asking: Asking,
    names: Names,
    standing: Standing,
    judge: Option<Judge>,
}

impl Reader {
    /// A reader that asks `model`. `names` are masked before anything is sent; for `secret` see [`Standing::new`].
    pub fn new(model: Arc<Model>, asking: Asking, names: Names, secret: [u8; 32]) -> Self {
        // Interest, and who gives what, are told by a whole note, which our own side wrote.
        let asking = Asking { window: Window::WIDE, ..asking };
        let standing = Standing::new("read_note", &PROMPT, &NOTE_SHEET, ANSWER_TOKENS, &asking, secret);
        let judge = asking.judge.then(|| Judge::new("judge_note", &JUDGE, &PROMPT, asking.window, secret));
        Self { model, asking, names, standing, judge }
    }

    /// The same, masking `names`.
    #[must_use]
    pub fn masking(&self, names: Names) -> Self {
        Self { names, ..self.clone() }
    }

    /// What this reader's readings are kept under: model, protocol, packing, prompts.
    pub fn recipe(&self) -> Recipe {
        self.asking.recipe(VERSION, &self.model, PROMPT_FILE, JUDGE_FILE)
    }

    /// The model that is asked.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Names that are masked in every note.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What would be asked about `notes`, as it would be sent, and what can come after it. `names` as for [`Reader::read_masked`].
    pub fn would_ask(&self, notes: &[NoteText<'_>], names: &[&Names]) -> Outlook {
        ask::would_ask(&self.standing, &self.asking, self.judge.as_ref(), &self.outgoing(notes, names))
    }

    /// Reads `notes`; the results come in their order. The requests go out concurrently.
    pub async fn read(&self, notes: &[NoteText<'_>]) -> Vec<Result<Read, Unanswered>> {
        self.read_masked(notes, &[]).await
    }

    /// As [`Reader::read`]; `names` are masked in the note at the same place, instead of [`Reader::names`].
    pub async fn read_masked(&self, notes: &[NoteText<'_>], names: &[&Names]) -> Vec<Result<Read, Unanswered>> {
        let asked = self.outgoing(notes, names);
        let answers = ask::ask::<NoteSheet>(&self.model, &self.standing, &self.asking, &asked).await;
        let read = asked.iter().zip(notes).zip(answers);
        let mut read: Vec<_> =
            read.map(|((asked, note), sheets)| sheets.map(|sheets| reading(note, &asked.text, sheets))).collect();
        if let Some(judge) = &self.judge {
            judge.look(&self.model, &asked, &mut read, claims, looked_at).await;
        }
        read
    }

    fn outgoing<'a>(&self, notes: &[NoteText<'a>], names: &[&Names]) -> Vec<Asked<'a>> {
        let names = names.iter().copied().chain(std::iter::repeat(&self.names));
        let asked = |(note, names): (&NoteText<'a>, &Names)| Asked {
            id: note.id,
            context: Context::default(),
            text: Outgoing::new(note.text, names),
        };
        notes.iter().zip(names).map(asked).collect()
    }
}

fn claims(reading: &NoteReading) -> Vec<(&'static str, &Evidence)> {
    reading.claims().map(|(claim, evidence)| (claim.as_str(), evidence)).collect()
}

fn looked_at(reading: &mut NoteReading, verdicts: Vec<Option<Support>>) {
    let look = |((claim, evidence), support): ((_, &Evidence), Option<_>)| {
        Some(SecondLook { claim, evidence: evidence.clone(), support: support? })
    };
    let looks = reading.claims().zip(verdicts).filter_map(look).collect();
    *reading = std::mem::take(reading).looked_at(looks);
}

/// What one answer says about a note, if it is a sheet.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_answer(text: &str, kind: NoteKind, answer: &serde_json::Value) -> Option<NoteReading> {
    let sheet = serde::Deserialize::deserialize(answer).ok()?;
    let sent = Outgoing::new(text, &Names::default());
    let sheets = vec![(0..sent.len(), sheet)];
    Some(reading(&NoteText { id: "", kind, text }, &sent, sheets).reading)
}

/// What the filled sheets of one note say about it.
fn reading(note: &NoteText<'_>, sent: &Outgoing<'_>, sheets: Sheets<NoteSheet>) -> Read {
    let mut quotes = Quotes::default();
    let mut reading = NoteReading::default();
    for (window, sheet) in sheets {
        add(&mut reading, note, &mut Finder::new(sent, window, &mut quotes), sheet);
    }
    reading.rejected = quotes.rejected;
    reading.withheld = sent.withheld().len();
    // A machine's record claims nothing; it only vouches.
    if note.kind == NoteKind::System {
        let NoteReading { commitments, rejected, withheld, .. } = reading;
        reading = NoteReading { commitments, rejected, withheld, ..NoteReading::default() };
    }
    Read { reading, quotes }
}

fn add(reading: &mut NoteReading, note: &NoteText<'_>, finder: &mut Finder<'_>, sheet: NoteSheet) {
    // The latest word on interest stands: notes end with how it was left.
    reading.interest = sheet.interest.and_then(Interest::new).or(reading.interest);
    reading.asked |= sheet.asked;
    let mut places = |places: &[Placed]| -> Vec<Evidence> {
        places.iter().filter_map(|placed| finder.place(&placed.place)).collect()
    };
    reading.compliments.extend(places(&sheet.compliments));
    reading.fluff.extend(places(&sheet.fluff));
    for pain in sheet.pains {
        reading.pains.extend(finder.place(&pain.place).map(|evidence| ClaimedPain {
            evidence,
            elicitation: pain.elicitation,
            specific: pain.specific,
        }));
    }
    for objection in sheet.objections {
        let found = finder.place(&objection.place);
        reading.objections.extend(found.map(|evidence| Objection { evidence, kind: objection.kind }));
    }
    for given in sheet.commitments {
        let Some(evidence) = finder.place(&given.place) else { continue };
        // Our own promises are on the lowest rung and never the buyer's (METHOD 2.2).
        let level = if given.who == Giver::Us { 0 } else { given.level.min(5) };
        let range = evidence.span().range();
        reading.commitments.push(Commitment {
            level,
            currency: currency(level),
            who: given.who,
            status: given.status,
            corroboration: corroboration(note, given.who, range.clone()),
            due: due(note.text, range, given.who, given.status),
            evidence,
        });
    }
}

/// What vouches for a commitment beside the rep's word: a machine that wrote the record, or the buyer's own words in a mail.
fn corroboration(note: &NoteText<'_>, who: Giver, range: Range<usize>) -> Corroboration {
    match note.kind {
        NoteKind::System => Corroboration::SystemEvent,
        NoteKind::Email if who == Giver::Buyer && is_quoted(note.text, range) => Corroboration::BuyerWritten,
        _ => Corroboration::NoteOnly,
    }
}

/// What a rung costs (METHOD 2.2). The ladder says it, so the model is not asked.
fn currency(level: u8) -> Currency {
    match level {
        0 | 1 => Currency::None,
        3 => Currency::Reputation,
        5.. => Currency::Money,
        _ => Currency::Time,
    }
}
