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

pub use super::gather::standing::BACKING_LEVEL;
pub use import::import_labels;
#[cfg(any(test, fuzzing))]
pub(crate) use import::parse;

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

/// The answers that stand: the adjudicator's alone, where there is one.
fn standing<A>(answers: &[(String, A)]) -> Vec<&A> {
    match answers.iter().find(|(who, _)| who == ADJUDICATOR) {
        Some((_, answer)) => vec![answer],
        None => answers.iter().map(|(_, answer)| answer).collect(),
    }
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

/// What all annotators together say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labels {
    /// By post id: the problems its author lives with, by that post.
    pub posts: BTreeMap<String, BTreeSet<String>>,
    /// By note id.
    pub notes: BTreeMap<String, NoteAnswer>,
    /// Questions on which as many annotators said yes as no; they count as no.
    pub ties: usize,
    /// Posts and notes that are contested.
    pub contested: BTreeSet<(Side, String)>,
}

impl Labels {
    /// Joins the answers of all annotators: what more than half of them say, or what the adjudicator says; of interest levels
    /// the middle one (the lower of two middle ones, null below 0).
    ///
    /// # Errors
    /// When a stored answer has lost its form.
    pub fn join(rows: &[LabelRow]) -> Result<Self> {
        let mut labels = Self::default();
        for (item, answers) in answers::<PostAnswer>(rows)? {
            if contested(&answers) {
                labels.contested.insert((Side::Community, item.clone()));
            }
            let lists = standing(&answers).into_iter().map(PostAnswer::counted).collect::<Vec<_>>();
            let problems = labels.majority_problems(&lists);
            labels.posts.insert(item, problems);
        }
        for (item, answers) in answers::<NoteAnswer>(rows)? {
            if contested(&answers) {
                labels.contested.insert((Side::Crm, item.clone()));
            }
            let answers = standing(&answers);
            let lists = answers.iter().map(|a| a.problems.as_slice()).collect::<Vec<_>>();
            let problems = labels.majority_problems(&lists).into_iter().collect();
            let mut interest = answers.iter().map(|a| a.interest).collect::<Vec<_>>();
            interest.sort_unstable();
            let interest = interest[(interest.len() - 1) / 2];
            let backed = labels.majority(answers.iter().filter(|a| a.backed).count(), answers.len());
            let asked = labels.majority(answers.iter().filter(|a| a.asked).count(), answers.len());
            labels.notes.insert(item, NoteAnswer { problems, interest, backed, asked, ..NoteAnswer::default() });
        }
        Ok(labels)
    }

    fn majority_problems(&mut self, lists: &[&[String]]) -> BTreeSet<String> {
        let named = lists.iter().flat_map(|list| list.iter()).collect::<BTreeSet<_>>();
        named
            .into_iter()
            .filter(|id| self.majority(lists.iter().filter(|list| list.contains(id)).count(), lists.len()))
            .cloned()
            .collect()
    }

    fn majority(&mut self, yes: usize, of: usize) -> bool {
        self.ties += usize::from(2 * yes == of);
        2 * yes > of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(side: Side, item: &str, annotator: &str, answer: &str) -> LabelRow {
        LabelRow { side, item: item.into(), annotator: annotator.into(), answer: answer.into() }
    }

    #[test]
    fn annotators_are_joined_by_majority() {
        let post = |who: &str, voice: &str, problems: &str| {
            row(Side::Community, "p", who, &format!(r#"{{"voice":"{voice}","problems":{problems}}}"#))
        };
        let note = |who: &str, interest: &str, backed: bool| {
            let answer = format!(r#"{{"problems":[],"interest":{interest},"backed":{backed},"asked":false}}"#);
            row(Side::Crm, "n", who, &answer)
        };
        let labels = Labels::join(&[
            post("a", "first_hand", r#"["x","y"]"#),
            post("b", "first_hand", r#"["x"]"#),
            post("c", "generic", r#"["x","z"]"#),
            note("a", "4", true),
            note("b", "null", false),
        ])
        .unwrap();
        assert_eq!(labels.posts["p"].iter().collect::<Vec<_>>(), ["x"], "a post that is not first hand has no say");
        assert_eq!(labels.notes["n"].interest, None);
        assert!(!labels.notes["n"].backed, "a tie is a no");
        assert_eq!(labels.ties, 1);
    }

    #[test]
    fn the_adjudicator_stands_and_what_is_contested_stays_so() {
        let said = |answers: &[(&str, &str, &str)]| {
            let rows = answers.iter().map(|(who, problems, more)| {
                row(Side::Community, "p", who, &format!(r#"{{"voice":"first_hand","problems":{problems}{more}}}"#))
            });
            let labels = Labels::join(&rows.collect::<Vec<_>>()).unwrap();
            let problems = labels.posts["p"].iter().cloned().collect::<Vec<_>>().join(" ");
            (problems, labels.ties, labels.contested.len())
        };
        let (x, y) = (r#"["x"]"#, r#"["y"]"#);
        assert_eq!(said(&[("a", x, ""), ("b", y, "")]), (String::new(), 2, 1));
        assert_eq!(said(&[("a", x, ""), (ADJUDICATOR, y, ""), ("b", y, "")]), ("y".to_owned(), 0, 0));
        let marked = r#","contested":true"#;
        assert_eq!(said(&[("a", x, marked), (ADJUDICATOR, x, ""), ("b", y, "")]), ("x".to_owned(), 0, 1));
        let acts = r#","acts":[]"#;
        let complains = r#","acts":[{"act":"complaint","start":0,"end":3}]"#;
        assert_eq!(said(&[("a", x, acts), ("b", x, complains)]).2, 1);
        assert_eq!(said(&[("a", x, acts), ("b", x, "")]).2, 0, "who was not asked for acts does not disagree on them");
    }

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
