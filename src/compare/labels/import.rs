//! Reads the file that labels come in.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use super::{Answer, BACKING_LEVEL, NoteAnswer, PostAnswer, Words};
use crate::model::{Interest, Span};
use crate::store::{Failure, LabelRow, Store};
use crate::summary::StageSummary;

/// The highest level of the commitment ladder (METHOD 2.2).
const HIGHEST_LEVEL: u8 = 5;

/// Longest line accepted; a label is a hundred bytes.
const MAX_LINE: u64 = 1 << 20;

/// Labels written in one transaction.
const BATCH: usize = 1000;

/// Reads the label file at `path` into the store. A line that is no label is a recorded failure with its number; the others
/// are kept. A later answer of the same annotator about the same item replaces the earlier one. Spans are checked where the
/// store holds the item.
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
        match checked(store, parsed).await? {
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

/// The label of a line, when its spans are words of its item, or the reason why not.
async fn checked(store: &Store, parsed: Result<Option<Parsed>, String>) -> Result<Result<Option<LabelRow>, String>> {
    let label = match parsed {
        Ok(Some(label)) => label,
        other => return Ok(other.map(|_| None)),
    };
    let text = match label.spans.is_empty() {
        true => None,
        false => store.item_text(label.row.side, &label.row.item).await?,
    };
    Ok(match text {
        Some(text) => label.checked(&text).map(Some),
        None => Ok(Some(label.row)),
    })
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

/// A label as a line gives it, with the spans that have to be words of its item.
pub(crate) struct Parsed {
    row: LabelRow,
    spans: Vec<(&'static str, Words)>,
}

/// A blank line is nothing; the reason of an error is one that a user can act on.
pub(crate) fn parse(line: &[u8]) -> Result<Option<Parsed>, String> {
    let text = std::str::from_utf8(line).map_err(|e| format!("no valid UTF-8: {e}"))?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Ok(None);
    }
    let line = serde_json::from_str::<Line>(text).map_err(|e| format!("no label: {e}"))?;
    match line {
        Line::Community { item, annotator, answer } => parsed(&item, &annotator, &answer),
        Line::Crm { item, annotator, answer } => {
            if let Some(level) = answer.interest.filter(|level| Interest::new(*level).is_none()) {
                return Err(format!("interest {level} is out of range; it is 0 to 4, or null"));
            }
            if let Some(level) = answer.level {
                if level > HIGHEST_LEVEL {
                    return Err(format!("level {level} is out of range; it is 0 to {HIGHEST_LEVEL}"));
                }
                let backed = level >= BACKING_LEVEL;
                if backed != answer.backed {
                    return Err(format!("a kept commitment of level {level} means \"backed\":{backed}"));
                }
            }
            parsed(&item, &annotator, &answer)
        }
    }
}

fn parsed(item: &str, annotator: &str, answer: &impl Answer) -> Result<Option<Parsed>, String> {
    if item.is_empty() || annotator.is_empty() {
        return Err("item and annotator must not be empty".to_owned());
    }
    if let Some((what, Words { start, end })) = answer.spans().iter().find(|(_, words)| words.start >= words.end) {
        return Err(format!("invalid_span: bytes {start} to {end} ({what}) of {item} hold no words"));
    }
    let row = answer.row(item, annotator).map_err(|e| e.to_string())?;
    Ok(Some(Parsed { row, spans: answer.spans() }))
}

impl Parsed {
    /// The label, when its spans are words of the item's `text` (METHOD 1.1: else it is an `invalid_span`, and refused).
    fn checked(self, text: &str) -> Result<LabelRow, String> {
        match self.spans.iter().find(|(_, words)| Span::new(text, words.start, words.end).is_none()) {
            None => Ok(self.row),
            Some((what, Words { start, end })) => Err(format!(
                "invalid_span: bytes {start} to {end} ({what}) are no words of {}, whose text has {} bytes",
                self.row.item,
                text.len()
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, Note, NoteId, NoteKind};

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
            (
                r#"{"side":"crm","item":"a","annotator":"b","problems":[],"interest":1,"backed":false,"asked":true,"level":3}"#,
                "\"backed\":true",
            ),
            (
                r#"{"side":"crm","item":"a","annotator":"b","problems":[],"interest":1,"backed":true,"asked":true,"level":6}"#,
                "0 to 5",
            ),
        ] {
            let reason = parse(line.as_bytes()).err().unwrap();
            assert!(reason.contains(says), "{line}: {reason}");
        }
        assert!(parse(b"\xff").is_err());
        assert!(matches!(parse("\u{feff} \r\n".as_bytes()), Ok(None)));
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

    #[tokio::test]
    async fn words_that_are_not_in_the_item_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
        let note = Note {
            id: NoteId::new("n1"),
            account: AccountId::new("a"),
            opportunity: None,
            owner: None,
            kind: NoteKind::Note,
            written_at: None,
            happened_at: None,
            modified_at: None,
            stage: None,
            amount: None,
            text: "naïve of us".to_owned(),
        };
        store.write_notes(&[note], &[]).await.unwrap();
        let line = |item: &str, start: usize, end: usize| {
            format!(
                r#"{{"side":"crm","item":"{item}","annotator":"a","problems":[],"interest":1,"backed":false,"asked":false,"fluff":[{{"start":{start},"end":{end}}}]}}"#
            )
        };
        let path = folder.path().join("labels.jsonl");
        let lines = [
            line("n1", 0, 6),
            line("n1", 0, 3),
            line("n1", 4, 400),
            line("elsewhere", 4, 400),
            line("elsewhere", 5, 2),
        ];
        std::fs::write(&path, lines.join("\n")).unwrap();
        let summary = import_labels(&store, &path).await.unwrap();
        assert_eq!((summary.done, summary.failed), (2, 3), "inside a letter, past the end, and backwards");
        let failures = store.failures().await.unwrap();
        assert!(failures.iter().all(|f| f.reason.contains("invalid_span")), "{failures:?}");
    }
}
