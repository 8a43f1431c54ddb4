//! Labelled notes in the form the note reader is trained on, and its training.

use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use candor::crm::embedded::train;
use serde_json::{Map, Value, json};

/// The demo's notes and the labelled notes under `data`, one a line: `{"id", "account", "kind", "text"}` and the labels.
pub(super) fn training_lines(data: &Path) -> Result<Vec<String>> {
    let mut notes = by("demo", demo()?);
    let gold = joined(&data.join("gold/notes_dev.jsonl"), &data.join("gold/notes_dev.labels_a.jsonl"))?;
    notes.extend(by("gold", gold));
    Ok(notes.into_iter().map(|note| Value::Object(note).to_string()).collect())
}

/// The notes with their author before the account.
fn by(author: &str, mut notes: Vec<Map<String, Value>>) -> Vec<Map<String, Value>> {
    for note in &mut notes {
        let account = note.get("account").and_then(Value::as_str).unwrap_or_default();
        let account = format!("{author}:{account}");
        note.insert("account".to_owned(), json!(account));
    }
    notes
}

/// Fits the scorecards and writes them to `out` and the words' weights beside it; says how well each author's notes are read by what the others taught.
pub(super) fn train(out: &str, files: &[&str]) -> Result<()> {
    let read = |file: &&str| std::fs::read_to_string(file).with_context(|| format!("could not read {file}"));
    let texts = files.iter().map(read).collect::<Result<Vec<_>>>()?;
    let fitted = train::fit_cards(&texts)?;
    write!(io::stdout(), "{}", fitted.report)?;
    std::fs::write(out, fitted.weights).with_context(|| format!("could not write {out}"))?;
    let words = Path::new(out).with_extension("bin");
    std::fs::write(&words, fitted.words).with_context(|| format!("could not write {}", words.display()))
}

fn values(file: &Path) -> Result<Vec<Map<String, Value>>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
    lines.collect::<Result<_, _>>().with_context(|| format!("in {}", file.display()))
}

/// Notes with the labels of another file.
fn joined(notes: &Path, labels: &Path) -> Result<Vec<Map<String, Value>>> {
    let labels = values(labels)?;
    let with = |mut note: Map<String, Value>| {
        let own = labels.iter().find(|label| label.get("id") == note.get("id"))?;
        note.extend(own.clone());
        Some(note)
    };
    Ok(values(notes)?.into_iter().filter_map(with).collect())
}

/// The notes of the shipped demo: their text stands in the export, their labels beside it.
fn demo() -> Result<Vec<Map<String, Value>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/demo");
    let labels = values(&folder.join("truth_notes.jsonl"))?;
    let mut export = csv::Reader::from_path(folder.join("crm.csv")).context("could not read the demo's export")?;
    let mut notes = Vec::new();
    for row in export.deserialize() {
        let row: std::collections::BTreeMap<String, String> = row.context("in the demo's export")?;
        let cell = |name: &str| row.get(name).cloned().unwrap_or_default();
        let Some(label) = labels.iter().find(|l| l.get("id") == Some(&json!(cell("Record ID")))) else { continue };
        let mut note = label.clone();
        note.insert("kind".to_owned(), json!(cell("Activity type").to_lowercase()));
        note.insert("text".to_owned(), json!(cell("Note body")));
        notes.push(note);
    }
    Ok(notes)
}
