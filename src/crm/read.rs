//! Notes to readings.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::embedded;
use crate::model::{Giver, Interest, Note, NoteReading};
use crate::progress::Progress;
use crate::store::Store;
use crate::summary::StageSummary;

/// Notes read and written at a time.
const BATCH: i64 = 1000;

/// What a run tells, whichever reader reads.
#[derive(Default)]
pub(super) struct Told {
    pub(super) notes: u64,
    pains: u64,
    strong: u64,
    commitments: u64,
    /// Verdicts of second looks at claims.
    pub(super) support: BTreeMap<&'static str, u64>,
    /// Notes that an import changed while they were read; the next run reads them.
    pub(super) changed: u64,
}

impl Told {
    pub(super) fn add(&mut self, reading: &NoteReading) {
        self.notes += 1;
        self.pains += reading.pains.len() as u64;
        self.strong += u64::from(reading.interest.is_some_and(Interest::is_strong));
        self.commitments += reading.commitments.iter().filter(|c| c.who == Giver::Buyer).count() as u64;
        for look in &reading.looks {
            *self.support.entry(look.support.as_str()).or_default() += 1;
        }
    }

    pub(super) fn summary(&self, began: Instant, skipped: u64, failed: u64) -> StageSummary {
        StageSummary::new("crm", began, self.notes.saturating_sub(self.changed), skipped + self.changed, failed)
            .with("claimed_pains", self.pains)
            .with("strong_interest", self.strong)
            .with("buyer_commitments", self.commitments)
    }
}

/// Reads every note that the embedded note reader has not read. A killed run goes on where the last batch ended.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn read(store: &Store, progress: Progress) -> Result<StageSummary> {
    let began = Instant::now();
    let recipe = embedded::recipe();
    let total = store.note_totals().await?[0].unsigned_abs();
    let bar = progress.counter("reading notes");
    let mut told = Told::default();
    let mut after = String::new();
    loop {
        let notes = store.unread_notes(&recipe, &after, BATCH).await?;
        let Some(last) = notes.last() else { break };
        after = last.id.to_string();
        let readings = tokio::task::spawn_blocking(move || {
            let read = |note: Note| {
                let reading = embedded::read_note(&note.text, note.kind);
                (note, reading)
            };
            notes.into_par_iter().map(read).collect::<Vec<_>>()
        })
        .await
        .context("the note reader ended early")?;
        readings.iter().for_each(|(_, reading)| told.add(reading));
        told.changed += store.write_read_notes(&recipe, &readings).await.context("could not store the readings")?;
        bar.inc(readings.len() as u64);
    }
    Ok(told.summary(began, total.saturating_sub(told.notes), 0).with("recipe", recipe.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AccountId, NoteId, NoteKind};

    #[tokio::test]
    async fn reads_each_note_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).await.unwrap();
        let note = |n: u32| Note {
            id: NoteId::new(format!("n{n}")),
            account: AccountId::new("Acme"),
            opportunity: None,
            owner: None,
            kind: NoteKind::Call,
            written_at: None,
            happened_at: None,
            modified_at: None,
            stage: None,
            amount: None,
            text: format!("Call {n}. She said the demo was gorgeous."),
        };
        store.write_notes(&(0..1200).map(note).collect::<Vec<_>>(), &[]).await.unwrap();
        let first = read(&store, Progress::new(true)).await.unwrap();
        assert_eq!((first.done, first.skipped), (1200, 0));
        let again = read(&store, Progress::new(true)).await.unwrap();
        assert_eq!((again.done, again.skipped), (0, 1200));
        let stored = store.notes(&embedded::recipe()).await.unwrap();
        assert!(stored.iter().all(|n| n.reading.as_ref() == Some(&embedded::read_note(&n.note.text, n.note.kind))));
    }
}
