//! CRM exports to notes: tables and JSON, through a column map.
//!
//! A *row* becomes a note when it has a text and an account. The one rule: every row is a note, a skip with a reason or a
//! recorded failure, and the counts add up.

mod columns;

mod dates;

mod rows;

mod survey;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::model::id::content_hash;
use crate::model::{AccountId, Note, NoteId, NoteKind, OpportunityId};
use crate::progress::Progress;
use crate::store::{Failure, NoteCounts, Store};
use crate::summary::StageSummary;
use crate::text::html::html_to_text;
use columns::{Columns, Field, Map};
use rows::{Row, Rows};

/// Notes written in one transaction.
const BATCH: usize = 500;

/// What one import did.
#[derive(Default)]
struct Imported {
    read: u64,
    refused: u64,
    seen: u64,
    counts: NoteCounts,
    skipped: BTreeMap<&'static str, u64>,
    failed: u64,
    /// Notes kept without a date that could not be read; each is a recorded failure.
    undated: u64,
    /// Notes kept with signs that could not be read; each is a recorded failure.
    flawed: u64,
    accounts: BTreeSet<AccountId>,
}

/// Imports every row of `paths` (CSV, JSON lines or a JSON array) as notes, with headers mapped by `map` (TOML) where the
/// usual names do not fit. Importing again changes nothing.
///
/// # Errors
/// When a path does not exist, the map cannot be read, or the store cannot be written. A file that is no export is refused
/// and recorded; so is a row that cannot be read.
pub async fn import(store: &Store, paths: &[PathBuf], map: Option<&Path>, progress: Progress) -> Result<StageSummary> {
    let began = Instant::now();
    let map = map.map(Map::load).transpose()?.unwrap_or_default();
    let mut all = Imported::default();
    let bar = progress.counter("importing notes");
    for path in paths {
        std::fs::metadata(path).with_context(|| format!("could not find the export {}", path.display()))?;
        if let Err(reason) = file(store, path, &map, &mut all, &bar).await? {
            all.refused += 1;
            store.record_failures(&[Failure::new("crm", name(path), reason)]).await?;
        }
    }
    bar.finish_and_clear();
    Ok(all.summary(began))
}

impl Imported {
    fn summary(self, began: Instant) -> StageSummary {
        let NoteCounts { new, known, updated } = self.counts;
        let skipped = self.skipped.values().sum::<u64>();
        let notes = json!({
            "seen": self.seen, "new": new, "known": known, "updated": updated, "skipped": skipped, "failed": self.failed,
        });
        let failed = self.failed + self.refused + self.undated + self.flawed;
        StageSummary::new("crm import", began, new + updated, known + skipped, failed)
            .with("files", json!({ "read": self.read, "refused": self.refused }))
            .with("notes", notes)
            .with("skipped_why", json!(self.skipped))
            .with("undated", self.undated)
            .with("flawed", self.flawed)
            .with("accounts", self.accounts.len())
    }
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |n| n.to_string_lossy().into_owned())
}

/// Imports one file. The inner error is why the file as a whole was refused.
async fn file(
    store: &Store,
    path: &Path,
    map: &Map,
    all: &mut Imported,
    bar: &indicatif::ProgressBar,
) -> Result<Result<(), String>> {
    let mut rows = match Rows::open(path) {
        Ok(rows) => rows,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut columns = match rows.headers().map(|headers| Columns::find(headers, map)).transpose() {
        Ok(columns) => columns,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut batch = Batch { file: name(path), notes: Vec::new(), failures: Vec::new(), ids: HashMap::new() };
    while let Some(row) = rows.next_row() {
        all.seen += 1;
        bar.inc(1);
        let (number, row) = row;
        match row {
            Err(reason) => batch.fail(all, number, reason),
            Ok(row) => {
                // JSON rows bring their own names, and each may have others.
                if rows.headers().is_none() {
                    match Columns::find(row.names(), map) {
                        Ok(found) => columns = Some(found),
                        Err(reason) => {
                            batch.fail(all, number, reason);
                            continue;
                        }
                    }
                }
                if let Some(columns) = &columns {
                    batch.take(all, number, &row, columns);
                }
            }
        }
        if batch.notes.len() + batch.failures.len() >= BATCH {
            batch.write(store, all).await?;
        }
    }
    batch.write(store, all).await?;
    all.read += 1;
    Ok(Ok(()))
}

struct Batch {
    file: String,
    notes: Vec<Note>,
    failures: Vec<Failure>,
    /// Ids of the file so far, each with a hash of its text: a second text under one id would replace the first.
    ids: HashMap<NoteId, String>,
}

impl Batch {
    fn record(&mut self, number: u64, reason: String) {
        self.failures.push(Failure::new("crm", format!("{}, record {number}", self.file), reason));
    }

    fn fail(&mut self, all: &mut Imported, number: u64, reason: String) {
        all.failed += 1;
        self.record(number, reason);
    }

    fn take(&mut self, all: &mut Imported, number: u64, row: &Row, columns: &Columns) {
        let get = |field| columns.get(row, field);
        if row.is_footer() {
            *all.skipped.entry("footer of the report").or_default() += 1;
            return;
        }
        if columns.says_deleted(row) {
            *all.skipped.entry("deleted in the CRM").or_default() += 1;
            return;
        }
        let Some(text) = get(Field::Text).map(plain).filter(|text| !text.is_empty()) else {
            *all.skipped.entry("no text").or_default() += 1;
            return;
        };
        let Some(account) = get(Field::Account) else {
            self.fail(
                all,
                number,
                "no account: a note belongs to a firm; fill the column or map another one".to_owned(),
            );
            return;
        };
        let mut date = |field: Field| {
            let written = get(field)?;
            dates::parse(written)
                .map_err(|why| {
                    all.undated += 1;
                    self.record(number, format!("the date {written:?} {why}; the note is kept without it"));
                })
                .ok()
        };
        let written_at = date(Field::WrittenAt);
        let happened_at = date(Field::HappenedAt);
        let kind = get(Field::Kind).map_or(NoteKind::Note, NoteKind::parse);
        let id = get(Field::Id).map_or_else(
            || {
                let at = written_at.or(happened_at).map(|t| t.to_string()).unwrap_or_default();
                format!("note_{}", content_hash(&[account, &at, &text]))
            },
            str::to_owned,
        );
        let id = NoteId::new(id);
        let hash = content_hash(&[account, &text]);
        if self.ids.get(&id).is_some_and(|first| *first != hash) {
            let why = format!(
                "the id {id} stands at another note of this file; if that column is no note id, map another one"
            );
            self.fail(all, number, why);
            return;
        }
        self.ids.insert(id.clone(), hash);
        if text.contains(char::REPLACEMENT_CHARACTER) {
            all.flawed += 1;
            self.record(number, "bytes that are no UTF-8 were replaced; the note is kept".to_owned());
        }
        let account = AccountId::new(account);
        all.accounts.insert(account.clone());
        self.notes.push(Note {
            id,
            account,
            opportunity: get(Field::Opportunity).map(OpportunityId::new),
            owner: get(Field::Owner).map(str::to_owned),
            kind,
            written_at,
            happened_at,
            stage: get(Field::Stage).map(str::to_owned),
            amount: get(Field::Amount).and_then(amount),
            text,
        });
    }

    async fn write(&mut self, store: &Store, all: &mut Imported) -> Result<()> {
        let counts = store
            .write_notes(&std::mem::take(&mut self.notes), &std::mem::take(&mut self.failures))
            .await
            .context("could not store the imported notes")?;
        all.counts.new += counts.new;
        all.counts.known += counts.known;
        all.counts.updated += counts.updated;
        Ok(())
    }
}

/// A note's body as plain text. CRMs keep HTML; a body without tags and entities is taken as it is.
fn plain(body: &str) -> String {
    let marks = ["</", "<br", "<p", "<div", "&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;", "&#"];
    let markup = marks.iter().any(|mark| body.contains(mark));
    let text = if markup { html_to_text(body).text } else { body.to_owned() };
    text.replace('\0', "").trim().to_owned()
}

/// `4,800.00`, `$4800`, `4800 USD`.
fn amount(text: &str) -> Option<f64> {
    let digits = text.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | '-')).collect::<String>();
    digits.parse::<f64>().ok().filter(|n| n.is_finite())
}

#[cfg(test)]
mod tests;
