//! Hand labels: the file they come in, and what all annotators together say of a post or a note.
//!
//! One rule holds: a label is about an item, a measurement is about a unit (an author, an account), and a unit counts as
//! labelled only when all its items in the window are (see [`super::cells`]).
//!
//! The file is JSONL, one answer a line:
//!
//! ```json
//! {"side":"community","item":"<post id>","annotator":"…","voice":"first_hand","problems":["offline_loss"],
//!  "acts":[{"act":"complaint","start":0,"end":41}],"contested":false}
//! {"side":"crm","item":"<note id>","annotator":"…","problems":[],"interest":3,"backed":false,"asked":false,
//!  "level":0,"compliments":[{"start":0,"end":9}],"fluff":[],"contested":false}
//! ```
//!
//! `problems` are ids of the codebook, or `other` for a problem that the codebook does not have. `interest` is N1 (0 to 4), null
//! when the note claims nothing; `backed`: this note shows a commitment of level 2 or more that was kept, in the buyer's own
//! words or a system's; `asked`: we asked the buyer for something. What follows may be left out: `acts` are the acts that the
//! post performs, `level` the highest level of such a commitment, `compliments` and `fluff` the words that are it, `contested`
//! marks what can be read either way. Spans are bytes of the text. The annotator `adjudicator` settles what others disagree on.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::{ActKind, Voice};
use crate::store::{LabelRow, Side};

mod import;

mod joined;

mod since;

pub use super::gather::standing::BACKING_LEVEL;
pub use import::import_labels;
#[cfg(any(test, fuzzing))]
pub(crate) use import::parse;
pub use joined::{Labels, Stance};
pub(super) use since::{Unasked, as_of_now};

/// The annotator whose answer stands alone, whatever the others said.
pub const ADJUDICATOR: &str = "adjudicator";

/// Words of a text, as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// An act and the words that perform it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActWords {
    /// Which act.
    pub act: ActKind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// What one person said about one post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostAnswer {
    /// Who speaks; only problems of a first-hand post count.
    pub voice: Voice,
    /// Problem ids.
    pub problems: Vec<String>,
    /// The acts with their words; `None` when nobody asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acts: Option<Vec<ActWords>>,
    /// It can be read either way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contested: bool,
}

/// What one person said about one note.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteAnswer {
    /// Problem ids.
    pub problems: Vec<String>,
    /// N1; null when the note claims nothing. The field must be there.
    #[serde(deserialize_with = "present")]
    pub interest: Option<u8>,
    /// The note shows a kept commitment of level 2 or more that somebody other than the rep vouches for.
    pub backed: bool,
    /// We asked the buyer for something.
    pub asked: bool,
    /// The highest level of a commitment that was kept and that somebody other than the rep vouches for, 0 to 5 (METHOD 2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
    /// Praise of us; `None` when nobody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compliments: Option<Vec<Words>>,
    /// Generic, future or hypothetical talk; `None` when nobody asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fluff: Option<Vec<Words>>,
    /// It can be read either way.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contested: bool,
}

/// A null is an answer, a forgotten field is not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    Option::deserialize(deserializer)
}

impl PostAnswer {
    /// The problems that count: those of a first-hand post.
    pub fn counted(&self) -> &[String] {
        if self.voice == Voice::FirstHand { &self.problems } else { &[] }
    }

    /// Which acts were marked; `None` when nobody asked for them.
    pub fn kinds(&self) -> Option<BTreeSet<ActKind>> {
        self.acts.as_ref().map(|acts| acts.iter().map(|a| a.act).collect())
    }
}

/// An answer of either form.
pub trait Answer: Serialize + DeserializeOwned {
    /// The side whose items it is about.
    const SIDE: Side;

    /// Whether it was marked as contested.
    fn contested(&self) -> bool;

    /// Whether the other says something else; which words show it does not matter.
    fn differs(&self, other: &Self) -> bool;

    /// What each span is called, and the span.
    fn spans(&self) -> Vec<(&'static str, Words)>;

    /// The answer of `annotator` about `item`, as it is stored.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    fn row(&self, item: &str, annotator: &str) -> Result<LabelRow> {
        let answer = serde_json::to_string(self).context("could not write the label as JSON")?;
        Ok(LabelRow { side: Self::SIDE, item: item.to_owned(), annotator: annotator.to_owned(), answer })
    }
}

impl Answer for PostAnswer {
    const SIDE: Side = Side::Community;

    fn contested(&self) -> bool {
        self.contested
    }

    fn differs(&self, other: &Self) -> bool {
        let acts = self.kinds().zip(other.kinds());
        self.voice != other.voice || !same(&self.problems, &other.problems) || acts.is_some_and(|(a, b)| a != b)
    }

    fn spans(&self) -> Vec<(&'static str, Words)> {
        let acts = self.acts.iter().flatten();
        acts.map(|a| (a.act.as_str(), Words { start: a.start, end: a.end })).collect()
    }
}

impl Answer for NoteAnswer {
    const SIDE: Side = Side::Crm;

    fn contested(&self) -> bool {
        self.contested
    }

    fn differs(&self, other: &Self) -> bool {
        let standing = |a: &Self| (a.interest, a.backed, a.asked);
        standing(self) != standing(other) || !same(&self.problems, &other.problems)
    }

    fn spans(&self) -> Vec<(&'static str, Words)> {
        let named = |name, list: &Option<Vec<Words>>| list.iter().flatten().map(|w| (name, *w)).collect::<Vec<_>>();
        [named("compliment", &self.compliments), named("fluff", &self.fluff)].concat()
    }
}

/// Whether two lists name the same problems.
fn same(a: &[String], b: &[String]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
}

/// The answers to each item with who gave them, by item and annotator.
pub type Answers<A> = BTreeMap<String, Vec<(String, A)>>;

/// The answers of one side.
///
/// # Errors
/// When a stored answer has lost its form.
pub fn answers<A: Answer>(rows: &[LabelRow]) -> Result<Answers<A>> {
    let mut answers = Answers::new();
    for row in rows.iter().filter(|row| row.side == A::SIDE) {
        let answer = serde_json::from_str(&row.answer)
            .with_context(|| format!("the stored label of {} by {} cannot be read", row.item, row.annotator))?;
        answers.entry(row.item.clone()).or_default().push((row.annotator.clone(), answer));
    }
    Ok(answers)
}

/// Whether annotators said different things; the adjudicator is not one of them.
pub fn disagree<A: Answer>(answers: &[(String, A)]) -> bool {
    let mut annotators = answers.iter().filter(|(who, _)| who != ADJUDICATOR).map(|(_, answer)| answer);
    annotators.next().is_some_and(|first| annotators.any(|other| first.differs(other)))
}

/// Whether somebody marked the item as contested, or its annotators disagree and nobody settled it (METHOD 1.4: what has no
/// consensus is kept, and its share told).
pub fn contested<A: Answer>(answers: &[(String, A)]) -> bool {
    let settled = answers.iter().any(|(who, _)| who == ADJUDICATOR);
    answers.iter().any(|(_, answer)| answer.contested()) || (!settled && disagree(answers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_survive_being_stored() {
        let acts = vec![ActWords { act: ActKind::Switch, start: 1, end: 4 }];
        let post = PostAnswer { voice: Voice::Generic, problems: vec![], acts: Some(acts), contested: true };
        let line = post.row("p", "me").unwrap().answer;
        assert_eq!(serde_json::from_str::<PostAnswer>(&line).unwrap(), post);
        let note =
            NoteAnswer { level: Some(0), compliments: Some(vec![Words { start: 0, end: 2 }]), ..NoteAnswer::default() };
        let line = note.row("n", "me").unwrap().answer;
        assert_eq!(serde_json::from_str::<NoteAnswer>(&line).unwrap(), note);
        assert!(!line.contains("fluff") && !line.contains("contested"), "{line}");
    }
}
