//! CRM exports to notes, accounts and deals.
//!
//! A *format* is what a vendor's export looks like; it is told from the content of a file, never from its name. Files are read
//! in the order in which they need each other (firms before deals before notes), so that a note that names only its deal
//! finds its firm. The one rule: every record is stored, left out for a reason that is counted, or a recorded failure.

mod body;

mod close;

mod columns;

mod dates;

mod gong;

mod hubspot;

mod items;

mod json;

mod people;

mod pipedrive;

mod plain;

mod read;

mod record;

mod salesforce;

mod sample;

mod write;

mod zendesk;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::files::columns::listed;
use crate::files::{Zone, walk};
use crate::model::AccountId;
use crate::progress::Progress;
use crate::store::{CrmBatch, Failure, NoteCounts, Store};
use crate::summary::StageSummary;
use columns::{Map, Names};
use record::{Cells, Reading};
use sample::Sample;

/// What must be read before what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Owners,
    Accounts,
    Deals,
    Stages,
    Contacts,
    Links,
    Calls,
    Notes,
    Transcripts,
}

impl Rank {
    const ALL: [Self; 9] = [
        Self::Owners,
        Self::Accounts,
        Self::Deals,
        Self::Stages,
        Self::Contacts,
        Self::Links,
        Self::Calls,
        Self::Notes,
        Self::Transcripts,
    ];
}

/// How a format's records are read. An error is why a record cannot be read.
#[derive(Clone, Copy)]
enum Read {
    /// Rows of a table, or flat objects.
    Row(Names, fn(&Cells<'_>, &mut Reading<'_>) -> Result<(), String>),
    /// Objects of a vendor's JSON.
    Object(fn(&Value, &mut Reading<'_>) -> Result<(), String>),
}

/// An export's layout.
struct Format {
    /// What people call it.
    name: &'static str,
    rank: Rank,
    /// Whether a file is of this format.
    knows: fn(&Sample) -> bool,
    read: Read,
}

/// Who numbers the records of a file, as it stands before their numbers (`hubspot:123`); empty when that is nobody's business.
type Vendor = &'static str;

/// Every format with its vendor, in the order in which they are asked.
fn formats() -> impl Iterator<Item = (Vendor, &'static Format)> {
    const SINGLE: [(Vendor, &Format); 3] =
        [("gong", &gong::TRANSCRIPTS), ("gong", &gong::CALLS), ("salesforce", &salesforce::LINKS)];
    const PLAIN: [(Vendor, &Format); 12] = [
        ("hubspot", &plain::HUBSPOT_NOTES),
        ("pipedrive", &plain::PIPEDRIVE_NOTES),
        ("pipedrive", &plain::PIPEDRIVE_ACTIVITIES),
        ("pipedrive", &plain::PIPEDRIVE_DEALS),
        ("pipedrive", &plain::PIPEDRIVE_PERSONS),
        ("pipedrive", &plain::PIPEDRIVE_ORGANIZATIONS),
        ("salesforce", &plain::SALESFORCE_REPORT),
        ("", &plain::DEALS),
        ("", &plain::STAGES),
        ("", &plain::CONTACTS),
        ("", &plain::ACCOUNTS),
        ("", &plain::NOTES),
    ];
    let of = |vendor, formats: &'static [Format]| formats.iter().map(move |format| (vendor, format));
    SINGLE
        .into_iter()
        .chain(of("hubspot", &hubspot::FORMATS))
        .chain(of("close", &close::FORMATS))
        .chain(of("pipedrive", &pipedrive::FORMATS))
        .chain(of("salesforce", &salesforce::FORMATS))
        .chain(of("zendesk", &zendesk::FORMATS))
        .chain(PLAIN)
}

/// Names of the formats that are read, for people.
pub fn format_names() -> Vec<&'static str> {
    formats().map(|(_, format)| format.name).collect()
}

/// What became of the files of one format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
struct FormatCounts {
    files: u64,
    notes: u64,
    accounts: u64,
    segments: u64,
    opportunities: u64,
    stages: u64,
    contacts: u64,
    owners: u64,
    skipped: u64,
    failed: u64,
    /// Files that say that another page follows.
    #[serde(skip)]
    unfinished: u64,
}

/// What one import did.
#[derive(Default)]
struct Imported {
    read: u64,
    refused: u64,
    assets: u64,
    seen: u64,
    notes: NoteCounts,
    accounts: NoteCounts,
    opportunities: NoteCounts,
    others: u64,
    skipped: BTreeMap<&'static str, u64>,
    failed: u64,
    /// Dates that could not be read, and cells of a probability or a segment that hold none; each is a recorded failure, and its record is
    /// kept without it.
    undated: u64,
    /// Notes kept with signs that could not be read; each is a recorded failure.
    flawed: u64,
    /// Firms of which a record told another segment than the first; the first stands.
    otherwise: u64,
    of_accounts: BTreeSet<AccountId>,
    formats: BTreeMap<&'static str, FormatCounts>,
    orders: BTreeMap<String, &'static str>,
    /// Deals that should be over and are kept as open, by what their stage is called.
    unclear: BTreeMap<String, u64>,
}

/// Imports the CRM exports under `paths`: files, folders, archives, of any vendor. `map` (TOML) names columns where the usual
/// names do not fit; dates without a zone are of `zone`; a deal whose day is over by `now` and that has not ended is told. Importing
/// again changes nothing.
///
/// # Errors
/// When a path does not exist, the map cannot be read, or the store cannot be written. A file that is no export is refused
/// and recorded; so is a record that cannot be read.
pub async fn import(
    store: &Store,
    paths: &[PathBuf],
    map: Option<&Path>,
    zone: &Zone,
    now: Timestamp,
    progress: Progress,
) -> Result<StageSummary> {
    let began = Instant::now();
    let map = map.map(Map::load).transpose()?.unwrap_or_default();
    let segment = map.segment().map(str::to_owned);
    let (files, refused) = walk::files(paths)?;
    let bar = progress.counter("importing notes");
    let (sender, mut receiver) = mpsc::channel(4);
    let reading = {
        let zone = zone.clone();
        tokio::task::spawn_blocking(move || read::read(&files, refused, &map, &zone, now, sender))
    };
    let mut writer = write::Writer::new(store).await?;
    while let Some(found) = receiver.recv().await {
        bar.inc(found.len() as u64);
        for one in found {
            writer.take(one).await?;
        }
    }
    reading.await.context("reading the exports ended early")?;
    let mut all = writer.finish().await?;
    let missing = is_segment_missing(store, segment, &all).await?;
    all.refused += u64::from(missing);
    bar.finish_and_clear();
    let late = store.late_notes().await?;
    let written = late.iter().filter(|note| note.written).count();
    Ok(all
        .summary(began, zone)
        .with("after_the_outcome", json!({"written": written, "edited": late.len() - written}))
        .with("zoneless_dates", zone.met()))
}

/// Whether the map names a `column` of segments and no record that was met has one, which is recorded: a misspelt column is
/// seen nowhere else. Where only notes were met, that firms have segments from before is enough.
async fn is_segment_missing(store: &Store, column: Option<String>, all: &Imported) -> Result<bool> {
    const MAP: &str = "the column map";
    store.write_crm(&CrmBatch { reread: vec![MAP.to_owned()], ..CrmBatch::default() }).await?;
    let Some(column) = column else { return Ok(false) };
    let NoteCounts { new, known, updated } = all.accounts;
    let is_met = all.formats.values().any(|format| format.segments > 0);
    if is_met || (new + known + updated == 0 && !store.segments().await?.is_empty()) {
        return Ok(false);
    }
    let reason = format!("it says segment = {column:?}, but no record has anything in such a column");
    store.record_failures(&[Failure::new("crm", MAP, reason)]).await?;
    Ok(true)
}

impl Imported {
    fn summary(self, began: Instant, zone: &Zone) -> StageSummary {
        let NoteCounts { new, known, updated } = self.notes;
        let skipped = self.skipped.values().sum::<u64>();
        let notes = json!({
            "seen": self.seen, "new": new, "known": known, "updated": updated, "skipped": skipped, "failed": self.failed,
        });
        let stored = |counts: NoteCounts| json!({"new": counts.new, "known": counts.known, "updated": counts.updated});
        let segments = self.formats.values().map(|f| f.segments).sum::<u64>();
        let beside = [self.accounts, self.opportunities];
        let changed = beside.iter().map(|c| c.new + c.updated).sum::<u64>() + self.others;
        let same = beside.iter().map(|c| c.known).sum::<u64>();
        let failed = self.failed + self.refused + self.undated + self.flawed;
        let mut summary =
            StageSummary::new("crm import", began, new + updated + changed, known + same + skipped, failed)
                .with("files", json!({ "read": self.read, "refused": self.refused, "assets": self.assets }))
                .with("notes", notes)
                .with("skipped_why", json!(self.skipped))
                .with("undated", self.undated)
                .with("flawed", self.flawed)
                .with("accounts", self.of_accounts.len())
                .with("accounts_kept", stored(self.accounts))
                .with("segments", json!({"accounts": segments, "told_otherwise": self.otherwise}))
                .with("opportunities", stored(self.opportunities));
        if !self.orders.is_empty() {
            summary = summary.with("day_order", json!(self.orders));
        }
        summary.with("notices", json!(self.notices(zone))).with("formats", json!(self.formats))
    }

    /// What to know about what was read, each thing once.
    fn notices(&self, zone: &Zone) -> Vec<String> {
        // Where one file of a format says nothing of the kind, the last page is there as well.
        let pages =
            self.formats.iter().filter(|(_, counts)| counts.unfinished > 0 && counts.unfinished == counts.files);
        let mut notices: Vec<String> = pages
            .map(|(format, _)| {
                format!(
                    "{format}: a first page only, which says that more follow; export the rest and import it as well"
                )
            })
            .collect();
        if !self.unclear.is_empty() {
            let stages: Vec<String> = self.unclear.keys().cloned().collect();
            notices.push(format!(
                "{} deals whose closing date has passed are kept as open, because their stage says neither won nor lost: {}. If one \
                 of these is an end, name it in a map file, for example lost_stages = [{:?}], and import again with --map",
                self.unclear.values().sum::<u64>(),
                listed(&stages),
                stages[0],
            ));
        }
        notices.extend(zone.notice());
        notices
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) use read::read_bytes;

#[cfg(test)]
mod tests;

#[cfg(test)]
mod vendors;
