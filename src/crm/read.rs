//! Notes to readings.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use rayon::prelude::*;
use serde_json::json;

use super::embedded;
use crate::model::NoteReading;
use crate::progress::Progress;
use crate::store::Store;
use crate::summary::StageSummary;

/// Notes read and written at a time.
const BATCH: i64 = 1000;

/// Reads every note that this reader has not read yet. A killed run goes on where the last batch ended.
///
/// # Errors
/// When the store fails.
pub async fn read(store: &Store, progress: Progress) -> Result<StageSummary> {
    let began = Instant::now();
    let recipe = embedded::recipe();
    let bar = progress.counter("reading notes");
    let mut counts = BTreeMap::<&str, u64>::new();
    let mut done = 0;
    loop {
        let notes = store.unread_notes(&recipe, BATCH).await?;
        if notes.is_empty() {
            break;
        }
        let readings: Vec<_> =
            notes.par_iter().map(|note| (note.id.clone(), embedded::read_note(&note.text, note.kind))).collect();
        for (_, reading) in &readings {
            tally(&mut counts, reading);
        }
        store.write_note_readings(&recipe, &readings).await?;
        done += readings.len() as u64;
        bar.inc(readings.len() as u64);
    }
    Ok(StageSummary::new("crm", began, done, 0, 0).with("recipe", recipe.as_str()).with("found", json!(counts)))
}

fn tally(counts: &mut BTreeMap<&str, u64>, reading: &NoteReading) {
    let found = [
        ("strong_interest", usize::from(reading.interest.is_some_and(|i| i.is_strong()))),
        ("compliments", reading.compliments.len()),
        ("fluff", reading.fluff.len()),
        ("pains", reading.pains.len()),
        ("objections", reading.objections.len()),
        ("commitments", reading.commitments.len()),
    ];
    for (name, n) in found {
        *counts.entry(name).or_default() += n as u64;
    }
}
