//! Hand labels: the file they come in, and what all annotators together say of a post or a note.
//!
//! One rule holds: a label is about an item, a measurement is about a unit (an author, an account), and a unit counts as
//! labelled only when all its items in the window are (see [`super::cells`]).
//!
//! The file is JSONL, one answer a line:
//!
//! ```json
//! {"side":"community","item":"<post id>","annotator":"…","voice":"first_hand","problems":["offline_loss"]}
//! {"side":"crm","item":"<note id>","annotator":"…","problems":[],"interest":3,"backed":false,"asked":false}
//! ```
//!
//! `problems` are ids of the codebook, or `other` for a problem that the codebook does not have. `interest` is N1 (0 to 4), null
//! when the note claims nothing; `backed`: this note shows a commitment of level 2 or more that was kept, in the buyer's own
//! words or a system's; `asked`: we asked the buyer for something.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::{Deserialize, Deserializer, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::model::{Interest, Voice};
use crate::store::{Failure, LabelRow, Side, Store};
use crate::summary::StageSummary;

/// Longest line accepted; a label is a hundred bytes.
const MAX_LINE: u64 = 1 << 20;

/// Labels written in one transaction.
const BATCH: usize = 1000;

/// What one person said about one post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostAnswer {
    /// Who speaks; only problems of a first-hand post count.
    pub voice: Voice,
    /// Problem ids.
    pub problems: Vec<String>,
}

/// What one person said about one note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// A null is an answer, a forgotten field is not.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    Option::deserialize(deserializer)
}

/// A line of the file.
#[derive(Deserialize)]
#[serde(tag = "side", rename_all = "snake_case")]
enum Line {
    Community {
        item: String,
        annotator: String,
        #[serde(flatten)]
        answer: PostAnswer,
    },
    Crm {
        item: String,
        annotator: String,
        #[serde(flatten)]
        answer: NoteAnswer,
    },
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
}

impl Labels {
    /// Joins the answers of all annotators: what more than half of them say; of interest levels the middle one (the lower of
    /// two middle ones, null below 0).
    ///
    /// # Errors
    /// When a stored answer has lost its form.
    pub fn join(rows: &[LabelRow]) -> Result<Self> {
        let mut posts = BTreeMap::<&str, Vec<PostAnswer>>::new();
        let mut notes = BTreeMap::<&str, Vec<NoteAnswer>>::new();
        for row in rows {
            let place = || format!("the stored label of {} by {} cannot be read", row.item, row.annotator);
            match row.side {
                Side::Community => {
                    posts.entry(&row.item).or_default().push(serde_json::from_str(&row.answer).with_context(place)?);
                }
                Side::Crm => {
                    notes.entry(&row.item).or_default().push(serde_json::from_str(&row.answer).with_context(place)?);
                }
            }
        }
        let mut labels = Self::default();
        for (item, answers) in posts {
            let lists = answers
                .iter()
                .map(|a| if a.voice == Voice::FirstHand { a.problems.as_slice() } else { &[] })
                .collect::<Vec<_>>();
            let problems = labels.majority_problems(&lists);
            labels.posts.insert(item.to_owned(), problems);
        }
        for (item, answers) in notes {
            let lists = answers.iter().map(|a| a.problems.as_slice()).collect::<Vec<_>>();
            let problems = labels.majority_problems(&lists).into_iter().collect();
            let mut interest = answers.iter().map(|a| a.interest).collect::<Vec<_>>();
            interest.sort_unstable();
            let interest = interest[(interest.len() - 1) / 2];
            let backed = labels.majority(answers.iter().filter(|a| a.backed).count(), answers.len());
            let asked = labels.majority(answers.iter().filter(|a| a.asked).count(), answers.len());
            labels.notes.insert(item.to_owned(), NoteAnswer { problems, interest, backed, asked });
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

/// Reads the label file at `path` into the store. A line that is no label is a recorded failure with its number; the others
/// are kept. A later answer of the same annotator about the same item replaces the earlier one.
///
/// # Errors
/// When the file cannot be read or the store cannot be written.
pub async fn import_labels(store: &Store, path: &Path) -> Result<StageSummary> {
    let began = Instant::now();
    let reading = || format!("could not read the labels {}", path.display());
    let mut reader = BufReader::new(tokio::fs::File::open(path).await.with_context(reading)?);
    let (mut number, mut done, mut blank, mut failed) = (0_u64, 0_u64, 0_u64, 0_u64);
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line).await.with_context(reading)?;
        if read == 0 {
            break;
        }
        number += 1;
        let parsed = if read as u64 == MAX_LINE && !line.ends_with(b"\n") {
            skip_line(&mut reader).await.with_context(reading)?;
            Err(format!("the line is longer than {MAX_LINE} bytes; a label is one JSON object a line"))
        } else {
            parse(&line)
        };
        match parsed {
            Ok(None) => blank += 1,
            Ok(Some(row)) => {
                done += 1;
                rows.push(row);
            }
            Err(reason) => {
                failed += 1;
                failures.push(Failure::new("label", format!("{}:{number}", path.display()), reason));
            }
        }
        if rows.len() + failures.len() >= BATCH {
            store.write_labels(&std::mem::take(&mut rows)).await?;
            store.record_failures(&std::mem::take(&mut failures)).await?;
        }
    }
    store.write_labels(&rows).await?;
    store.record_failures(&failures).await?;
    Ok(StageSummary::new("label", began, done, blank, failed).with("lines", number))
}

/// Reads on to the end of the line without keeping it.
async fn skip_line<R: tokio::io::AsyncBufRead + Unpin>(reader: &mut R) -> std::io::Result<()> {
    loop {
        let buffer = reader.fill_buf().await?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|b| *b == b'\n');
        let taken = end.map_or(buffer.len(), |at| at + 1);
        reader.consume(taken);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// A blank line is nothing; the reason of an error is one that a user can act on.
pub(crate) fn parse(line: &[u8]) -> Result<Option<LabelRow>, String> {
    let text = std::str::from_utf8(line).map_err(|e| format!("no valid UTF-8: {e}"))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Ok(None);
    }
    let line = serde_json::from_str::<Line>(text).map_err(|e| format!("no label: {e}"))?;
    let (side, item, annotator, answer) = match line {
        Line::Community { item, annotator, answer } => {
            (Side::Community, item, annotator, serde_json::to_string(&answer))
        }
        Line::Crm { item, annotator, answer } => {
            if let Some(level) = answer.interest.filter(|level| Interest::new(*level).is_none()) {
                return Err(format!("interest {level} is out of range; it is 0 to 4, or null"));
            }
            (Side::Crm, item, annotator, serde_json::to_string(&answer))
        }
    };
    if item.is_empty() || annotator.is_empty() {
        return Err("item and annotator must not be empty".to_owned());
    }
    Ok(Some(LabelRow { side, item, annotator, answer: answer.map_err(|e| e.to_string())? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(side: Side, item: &str, annotator: &str, answer: &str) -> LabelRow {
        LabelRow { side, item: item.into(), annotator: annotator.into(), answer: answer.into() }
    }

    #[test]
    fn lines_that_are_no_labels_say_why() {
        for (line, says) in [
            ("{", "EOF"),
            (r#"{"side":"moon","item":"a","annotator":"b"}"#, "unknown variant"),
            (r#"{"side":"community","item":"a","annotator":"b","voice":"me","problems":[]}"#, "unknown variant"),
            (r#"{"side":"community","item":"","annotator":"b","voice":"generic","problems":[]}"#, "must not be empty"),
            (r#"{"side":"crm","item":"a","annotator":"b","problems":[],"backed":true,"asked":true}"#, "interest"),
            (
                r#"{"side":"crm","item":"a","annotator":"b","problems":[],"interest":5,"backed":true,"asked":true}"#,
                "0 to 4",
            ),
        ] {
            let reason = parse(line.as_bytes()).unwrap_err();
            assert!(reason.contains(says), "{line}: {reason}");
        }
        assert!(parse(b"\xff").is_err());
        assert_eq!(parse("\u{feff} \r\n".as_bytes()), Ok(None));
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

    #[tokio::test]
    async fn a_file_with_bad_lines_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
        let path = folder.path().join("labels.jsonl");
        let good = |who: &str, problem: &str| {
            format!(
                r#"{{"side":"community","item":"p1","annotator":"{who}","voice":"first_hand","problems":["{problem}"]}}"#
            )
        };
        let long = "x".repeat(2 * MAX_LINE as usize + 10);
        let text = format!("{}\n\nnonsense\n{long}\n{}\n{}", good("a", "one"), good("b", "one"), good("a", "two"));
        std::fs::write(&path, text).unwrap();

        let summary = import_labels(&store, &path).await.unwrap();
        assert_eq!((summary.done, summary.skipped, summary.failed), (3, 1, 2));
        let units = store.failures().await.unwrap().into_iter().map(|f| f.unit).collect::<Vec<_>>();
        assert!(units[0].ends_with(":3") && units[1].ends_with(":4"), "{units:?}");
        let rows = store.labels().await.unwrap();
        assert_eq!(rows.len(), 2);
        assert!(rows[0].answer.contains("two"), "the later answer stands: {}", rows[0].answer);
    }

    #[tokio::test]
    async fn a_missing_file_names_itself() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
        let error = import_labels(&store, &folder.path().join("none.jsonl")).await.unwrap_err();
        assert!(error.to_string().contains("none.jsonl"));
    }
}
