//! Notes to readings by a language model. Every note is read: a CRM has few, and each counts.

use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::llm::{NoteText, Reader};
use super::read::Told;
use crate::llm::ask::{CameBack, stopped};
use crate::llm::contacts::Contacts;
use crate::llm::outgoing::{Quotes, Withheld, show_withheld};
use crate::llm::{Estimate, Outlook, Show};
use crate::model::Note;
use crate::progress::Progress;
use crate::store::{Failure, Store};
use crate::summary::StageSummary;

/// Notes read and written together.
const CHUNK: usize = 64;

/// What [`read`] would ask, and what that would take. Nothing is asked, and nothing is written; the exact body of each request that
/// would be sent is handed to `show`, and after them what would be withheld of which note.
///
/// # Errors
/// When the store cannot be read, or `show` fails.
pub async fn estimate(store: &Store, reader: &Reader, show: Show<'_>, progress: Progress) -> Result<Estimate> {
    let model = reader.model();
    let mut sum = model.estimate(&Outlook::default(), show).await?;
    let bar = progress.counter("estimate");
    let unread = store.unread_notes(&reader.recipe(), "", i64::MAX).await?;
    let mut contacts = Contacts::new(store, reader.names()).await?;
    for chunk in unread.chunks(CHUNK) {
        let texts: Vec<_> = chunk.iter().map(text).collect();
        let outlook = reader.would_ask(&texts, &contacts.of_each(chunk.iter().map(|note| &note.account)));
        sum += model.estimate(&outlook, show).await?;
        show_withheld(chunk.iter().map(|note| note.id.as_str()), outlook.withheld, show)?;
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    Ok(sum)
}

/// Reads every note that `reader` has not read. Can be killed at any point and run again: answers that were paid for are
/// kept.
///
/// # Errors
/// When the store cannot be read or written, the budget is spent, or the model's server cannot be used. What was read until
/// then is kept.
pub async fn read(store: &Store, reader: &Reader, progress: Progress) -> Result<StageSummary> {
    let began = Instant::now();
    let recipe = reader.recipe();
    let before = reader.model().usage();
    let total = store.note_totals().await?[0].unsigned_abs();
    let bar = progress.counter("reading notes");
    let (mut told, mut quotes) = (Told::default(), Quotes::default());
    let mut withheld = Withheld::default();
    // All at once: what fails stays unread, and must not be asked for again in this run.
    let unread = store.unread_notes(&recipe, "", i64::MAX).await?;
    let mut contacts = Contacts::new(store, reader.names()).await?;
    let mut failed = 0;
    for chunk in unread.chunks(CHUNK) {
        let texts: Vec<_> = chunk.iter().map(text).collect();
        let names = contacts.of_each(chunk.iter().map(|note| &note.account));
        let came = CameBack::sort(chunk, reader.read_masked(&texts, &names).await);
        for (_, reading) in &came.readings {
            told.add(reading);
            withheld.add(reading.withheld);
        }
        quotes += came.quotes;
        failed += came.failures.len() as u64;
        let failures: Vec<_> =
            came.failures.iter().map(|(note, why)| Failure::new("crm", note.id.as_str(), why)).collect();
        told.changed +=
            store.write_read_notes(&recipe, &came.readings).await.context("could not store the readings")?;
        store.record_failures(&failures).await?;
        bar.inc(chunk.len() as u64);
        if let Some(why) = came.end {
            return Err(stopped(why, told.notes, "notes"));
        }
    }
    bar.finish_and_clear();
    let Quotes { exact, repaired, rejected } = quotes;
    Ok(told
        .summary(began, total.saturating_sub(told.notes + failed), failed)
        .with("support", json!(told.support))
        .with("quotes", json!({"exact": exact, "repaired": repaired, "rejected": rejected}))
        .with("withheld", withheld.published())
        .with("spent", (reader.model().usage() - before).published())
        .with("recipe", recipe.as_str()))
}

fn text(note: &Note) -> NoteText<'_> {
    NoteText { id: note.id.as_str(), kind: note.kind, text: &note.text }
}
