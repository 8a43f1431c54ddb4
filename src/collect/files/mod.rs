//! Files of posts: exports, dumps and saved pages, told apart by their first bytes.
//!
//! A format streams: what is held in memory is one record and one batch, whatever the size of the file. A broken record
//! costs that record only; a file that no format knows is refused with a reason, never guessed at.

mod discord;

mod discord_csv;

mod discord_html;

mod discord_package;

mod discord_txt;

mod discourse;

mod jsonl;

mod lines;

mod open;

mod pieces;

mod place;

mod reddit;

mod rows;

mod slack;

mod walk;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, Read};
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow};
use indicatif::ProgressBar;
use tokio::sync::mpsc;
use zip::ZipArchive;

use super::wire::{Record, Unreadable};
use super::{Collected, Context, FormatCounts};
use crate::model::{Thread, ThreadId};
use crate::progress::Progress;
use crate::store::{Batch, Failure, Store};

pub use place::Place;

/// Every format that is read, in the order in which they are asked.
pub const FORMATS: &[&dyn Format] = &[
    &slack::SlackExport,
    &discord::DiscordExport,
    &discord_html::DiscordPage,
    &discord_csv::DiscordCsv,
    &discord_txt::DiscordText,
    &discord_package::DiscordPackage,
    &discourse::DiscourseTopic,
    &reddit::RedditPage,
    &reddit::RedditLines,
    &jsonl::PlainLines,
];

/// A way to put posts in a file.
pub trait Format: Sync {
    /// What people call it.
    fn name(&self) -> &'static str;

    /// Whether a file that begins with `head` is of this format. `head` is the whole file or its first 64 KiB, unpacked and
    /// as UTF-8.
    fn sniff(&self, head: &[u8], place: &Place) -> bool;

    /// Whether a file that begins with `head` belongs to an export of this format and holds no posts: lists of users or
    /// channels, which the posts' files are read with.
    fn accompanies(&self, _head: &[u8], _place: &Place) -> bool {
        false
    }

    /// Whether the file was attached to a message of an export of this format, and so is no export, whatever it holds.
    fn attached(&self, _place: &Place) -> bool {
        false
    }

    /// What whoever brings a file of this format should know, said once.
    fn notice(&self) -> Option<&'static str> {
        None
    }

    /// The records of the file, one at a time; a thread comes before its posts. Ends at the end of the input, or after a
    /// [`BadRecord`] that cannot be read past.
    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a>;
}

/// The records of one file.
pub type Records<'a> = Box<dyn Iterator<Item = Result<Record, BadRecord>> + 'a>;

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// Which of the file, from 1.
    pub record: u64,
    /// Where it begins, from 0, in the unpacked file.
    pub byte: u64,
    /// Why.
    pub reason: String,
}

impl BadRecord {
    fn new(record: u64, byte: u64, reason: impl Into<String>) -> Self {
        Self { record, byte, reason: reason.into() }
    }
}

/// A record longer than this is no post (Reddit's longest is 40,000 characters) and is passed over without being held.
const MAX_RECORD_BYTES: usize = 16 << 20;

/// Records in a batch, and bytes of text after which it is full in any case.
const BATCH_RECORDS: u64 = 1000;
const BATCH_BYTES: usize = 8 << 20;

/// Failures of one file for one reason that get a row each; the others are counted in one more row.
const ROWS_PER_REASON: u64 = 100;

/// Different reasons in one file, after which the others are counted together.
const REASONS_PER_FILE: usize = 50;

/// Reads every file under `paths` into the store. Exports that overlap merge by id, and reading again changes nothing, except
/// where two files hold different versions of a post without an edit date to tell the newer: then the one read last stands.
///
/// # Errors
/// When one of `paths` does not exist, or the store cannot be written. Whatever else goes wrong is recorded and counted.
pub async fn collect_paths(store: &Store, ctx: &Context, paths: &[PathBuf], progress: Progress) -> Result<Collected> {
    let (files, refused) = walk::files(paths)?;
    let bar = progress.bytes("collect", files.iter().map(|f| f.bytes).sum());
    let (sender, mut receiver) = mpsc::channel(2);
    let reading = {
        let (ctx, bar) = (ctx.clone(), bar.clone());
        tokio::task::spawn_blocking(move || {
            let mut slicer = Slicer { sender, slice: Slice::default(), bytes: 0, threads: HashMap::new(), format: "" };
            for (name, reason) in refused {
                slicer.refuse(&name, reason);
            }
            // Sending fails only when the writer has given up; it tells why.
            files
                .iter()
                .try_for_each(|file| read_file(file, &ctx, &bar, &mut slicer))
                .and_then(|()| slicer.send())
                .ok();
        })
    };
    let mut collected = Collected::default();
    let mut threads = HashSet::new();
    while let Some(slice) = receiver.recv().await {
        let counts = store.write_batch(&slice.batch).await.context("could not store what was collected")?;
        threads.extend(slice.batch.threads.iter().map(|t| digest(&t.id)));
        collected += Collected { counts, ..slice.collected };
    }
    reading.await.context("reading the files ended early")?;
    bar.finish_and_clear();
    collected.threads = threads.len() as u64;
    Ok(collected)
}

/// Eight bytes stand for a thread, so that counting distinct ones costs little on large dumps.
fn digest(id: &ThreadId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

fn read_file(file: &walk::File, ctx: &Context, bar: &ProgressBar, slicer: &mut Slicer) -> Result<()> {
    let opened = match File::open(&file.path) {
        Ok(opened) => opened,
        Err(error) => {
            bar.inc(file.bytes);
            slicer.refuse(&file.name, format!("could not be read: {error}"));
            return Ok(());
        }
    };
    if is_zip(&file.path) {
        bar.inc(file.bytes);
        return read_archive(file, opened, ctx, slicer);
    }
    read_one(&file.name, &Place::on_disk(&file.path), bar.wrap_read(opened), ctx, slicer)
}

/// Whether a file is a zip archive, which is read as the folder that was packed.
fn is_zip(path: &std::path::Path) -> bool {
    let mut magic = [0; 4];
    File::open(path).and_then(|mut f| f.read_exact(&mut magic)).is_ok() && magic[..3] == *b"PK\x03"
}

/// Reads the files of a zip archive, in the order of their names.
fn read_archive(file: &walk::File, opened: File, ctx: &Context, slicer: &mut Slicer) -> Result<()> {
    let both = ZipArchive::new(opened).and_then(|archive| Ok((archive, ZipArchive::new(File::open(&file.path)?)?)));
    let (mut archive, beside) = match both {
        Ok(both) => both,
        Err(error) => {
            slicer.refuse(&file.name, format!("a zip archive that could not be read: {error}"));
            return Ok(());
        }
    };
    if archive.index_for_name("[Content_Types].xml").is_some() {
        slicer.refuse(&file.name, "an Office document; save it as CSV or text first".to_owned());
        return Ok(());
    }
    let place = Place::archive(&file.path, beside);
    let named = |(index, raw): (usize, &[u8])| (String::from_utf8_lossy(raw).into_owned(), index);
    let mut entries: Vec<(String, usize)> = archive.file_names_raw().enumerate().map(named).collect();
    entries.sort_unstable();
    for (name, index) in entries {
        let shown = format!("{}/{name}", file.name);
        let hidden = name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX");
        match archive.by_index(index) {
            Ok(entry) if entry.is_dir() || hidden => {}
            Ok(entry) => read_one(&shown, &place(std::path::Path::new(&name)), entry, ctx, slicer)?,
            Err(error) => slicer.refuse(&shown, format!("could not be unpacked: {error}")),
        }
    }
    Ok(())
}

/// Reads one file, or says why not. `name` is how messages call it.
fn read_one(name: &str, place: &Place, raw: impl Read, ctx: &Context, slicer: &mut Slicer) -> Result<()> {
    if open::is_asset(place.path()) || FORMATS.iter().any(|f| f.attached(place)) {
        slicer.slice.collected.assets += 1;
        return Ok(());
    }
    let (head, input) = match open::open(place.path(), raw) {
        Ok(opened) => opened,
        Err(reason) => {
            slicer.refuse(name, reason);
            return Ok(());
        }
    };
    let Some(format) = FORMATS.iter().find(|f| f.sniff(&head, place)) else {
        if FORMATS.iter().any(|f| f.accompanies(&head, place)) {
            slicer.slice.collected.companions += 1;
        } else {
            slicer.refuse(name, open::refusal(&head));
        }
        return Ok(());
    };
    let mut mistakes = Mistakes { file: name, counts: BTreeMap::new() };
    slicer.format = format.name();
    slicer.slice.collected.notices.extend(format.notice());
    for record in format.read(input, place, ctx) {
        match record {
            Ok(record) => slicer.take(record),
            Err(bad) => {
                slicer.slice.collected.seen += 1;
                slicer.slice.collected.failed += 1;
                slicer.of_format().failed += 1;
                slicer.slice.batch.failures.extend(mistakes.row(&bad));
            }
        }
        slicer.send_if_full()?;
    }
    slicer.slice.batch.failures.extend(mistakes.rest());
    slicer.slice.collected.read += 1;
    slicer.of_format().files += 1;
    Ok(())
}

/// What goes to the writer at once.
#[derive(Default)]
struct Slice {
    batch: Batch,
    collected: Collected,
}

/// Gathers records into slices and hands full ones to the writer, waiting while it is behind.
struct Slicer {
    sender: mpsc::Sender<Slice>,
    slice: Slice,
    bytes: usize,
    /// Threads of the slice by id: a dump repeats the thread with every comment.
    threads: HashMap<ThreadId, Thread>,
    /// Name of the format that is being read.
    format: &'static str,
}

impl Slicer {
    fn of_format(&mut self) -> &mut FormatCounts {
        self.slice.collected.formats.entry(self.format).or_default()
    }

    fn take(&mut self, record: Record) {
        match &record {
            Record::Thread(_) | Record::Mentions { .. } => {}
            Record::Post(_) => self.of_format().posts += 1,
            Record::Removed(_) | Record::Skipped { .. } => self.of_format().skipped += 1,
        }
        let Slice { batch, collected } = &mut self.slice;
        match record {
            Record::Thread(thread) => {
                if self.threads.get(&thread.id) != Some(&thread) {
                    self.threads.insert(thread.id.clone(), thread.clone());
                    batch.threads.push(thread);
                }
                return;
            }
            Record::Mentions { post, people } => {
                batch.mentions.push((post, people));
                return;
            }
            Record::Post(post) => {
                self.bytes += post.text.len();
                batch.posts.push(post);
            }
            Record::Removed(id) => {
                *collected.skipped.entry("deleted at the source".to_owned()).or_default() += 1;
                batch.removed.push(id);
            }
            Record::Skipped { reason, .. } => *collected.skipped.entry(reason.to_owned()).or_default() += 1,
        }
        collected.seen += 1;
    }

    fn refuse(&mut self, name: &str, reason: String) {
        self.slice.collected.refused += 1;
        self.slice.batch.failures.push(Failure::new("collect", name, reason));
    }

    fn send_if_full(&mut self) -> Result<()> {
        let full = self.slice.collected.seen >= BATCH_RECORDS || self.bytes >= BATCH_BYTES;
        if full { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<()> {
        self.bytes = 0;
        self.threads.clear();
        self.sender.blocking_send(std::mem::take(&mut self.slice)).map_err(|_| anyhow!("the writer is gone"))
    }
}

/// The failures of one file: the first of a kind get a row each, the others are counted.
struct Mistakes<'a> {
    file: &'a str,
    counts: BTreeMap<String, u64>,
}

impl Mistakes<'_> {
    fn row(&mut self, bad: &BadRecord) -> Option<Failure> {
        let known = self.counts.contains_key(&bad.reason) || self.counts.len() < REASONS_PER_FILE;
        let reason = if known { bad.reason.as_str() } else { "other reasons" };
        let count = self.counts.entry(reason.to_owned()).or_default();
        *count += 1;
        let unit = format!("{}, record {} (byte {})", self.file, bad.record, bad.byte);
        (*count <= ROWS_PER_REASON).then(|| Failure::new("collect", unit, &bad.reason))
    }

    fn rest(&self) -> Vec<Failure> {
        let over = self.counts.iter().filter(|(_, count)| **count > ROWS_PER_REASON);
        over.map(|(reason, count)| {
            Failure::new("collect", self.file, format!("{reason}: and {} more", count - ROWS_PER_REASON))
        })
        .collect()
    }
}

/// Calls `parse` with every line and lays its records out one after the other.
fn each_line<'a>(
    input: Box<dyn BufRead + 'a>,
    mut parse: impl FnMut(&[u8]) -> Result<Vec<Record>, Unreadable> + 'a,
) -> Records<'a> {
    let mut lines = lines::Lines::new(input);
    let mut waiting = Vec::new().into_iter();
    Box::new(std::iter::from_fn(move || {
        loop {
            if let Some(record) = waiting.next() {
                return Some(Ok(record));
            }
            let (record, byte, line) = match lines.next_line()? {
                Ok(line) => line,
                Err(bad) => return Some(Err(bad)),
            };
            match parse(line) {
                Ok(records) => waiting = records.into_iter(),
                Err(Unreadable(reason)) => return Some(Err(BadRecord::new(record, byte, reason))),
            }
        }
    }))
}

/// One JSON value out of bytes that may be no UTF-8 at all.
fn json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Unreadable("not UTF-8; if the file is Latin-1 or Windows-1252, convert it to UTF-8 first".to_owned())
    })?;
    if text.contains('\0') {
        return Err(Unreadable("holds NUL bytes: that part of the file is damaged".to_owned()));
    }
    serde_json::from_str(text).map_err(|e| {
        if e.is_eof() { Unreadable("ends in the middle of a JSON value".to_owned()) } else { Unreadable::json(&e) }
    })
}

#[cfg(test)]
mod tests;
