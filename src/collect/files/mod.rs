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

mod discourse_feed;

mod github;

mod gitlab;

mod gitter;

mod hacker_news;

mod jsonl;

mod lemmy;

mod mattermost;

mod mbox;

mod mhtml;

pub mod page;

mod perceval;

mod reddit;

mod rocket_chat;

mod shape;

mod stack_dump;

mod stack_exchange;

mod table;

mod telegram;

mod values;

mod slack;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, Read};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use indicatif::ProgressBar;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::wire::{Record, Unreadable};
use super::{Collected, Context, FormatCounts};
use crate::model::{Thread, ThreadId};
use crate::progress::Progress;
use crate::store::{Batch, Failure, Store};

pub use crate::files::{BadRecord, Place};
pub use table::Map;

use crate::files::{MAX_RECORD_BYTES, Mistakes, Visitor, lines, open, pieces, visit, walk};

/// How much of a file a format sees before it is asked to read it.
const HEAD_BYTES: usize = open::HEAD_BYTES as usize;

/// Every format that is read, in the order in which they are asked.
pub const FORMATS: &[&dyn Format] = &[
    &perceval::Perceval,
    &slack::SlackExport,
    &discord::DiscordExport,
    &discord_html::DiscordPage,
    &discord_csv::DiscordCsv,
    &discord_txt::DiscordText,
    &discord_package::DiscordPackage,
    &discourse::DiscourseTopic,
    &discourse::DiscourseLatest,
    &discourse_feed::DiscourseFeed,
    &reddit::RedditPage,
    &hacker_news::Hits,
    &hacker_news::Items,
    &stack_dump::StackDump,
    &stack_exchange::StackReply,
    &stack_exchange::StackItems,
    &lemmy::LemmyReply,
    &github::GithubJson,
    &gitlab::GitlabJson,
    &telegram::TelegramExport,
    &telegram::TelegramUpdates,
    &mattermost::MattermostExport,
    &mattermost::MattermostReply,
    &rocket_chat::RocketChatReply,
    &gitter::GitterRoom,
    &mhtml::SavedPage,
    &mbox::Mbox,
    &reddit::RedditLines,
    &jsonl::PlainLines,
    &table::Table::PLAIN,
    // Last: any page of HTML is one of a forum until it was looked at.
    &page::ForumPage,
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

/// Records in a batch, and bytes of text after which it is full in any case.
const BATCH_RECORDS: u64 = 1000;
const BATCH_BYTES: usize = 8 << 20;

/// Reads every file under `paths` into the store. Exports that overlap merge by id, and reading again changes nothing, except
/// where two files hold different versions of a post without an edit date to tell the newer: then the one read last stands.
///
/// # Errors
/// When one of `paths` does not exist, or the store cannot be written. Whatever else goes wrong is recorded and counted.
pub async fn collect_paths(store: &Store, ctx: &Context, paths: &[PathBuf], progress: Progress) -> Result<Collected> {
    collect_by_map(store, ctx, paths, None, progress).await
}

/// The same; a table that has all columns of `map` is read by it, whatever else it could be.
///
/// # Errors
/// As in [`collect_paths`].
pub async fn collect_by_map(
    store: &Store,
    ctx: &Context,
    paths: &[PathBuf],
    map: Option<Map>,
    progress: Progress,
) -> Result<Collected> {
    let mut files = Files::open(ctx, paths, map, progress)?;
    let mut collected = Collected::default();
    let mut threads = HashSet::new();
    while let Some(slice) = files.next().await? {
        let counts = store.write_batch(&slice.batch).await.context("could not store what was collected")?;
        threads.extend(slice.batch.threads.iter().map(|t| digest(&t.id)));
        collected += Collected { counts, ..slice.collected };
    }
    collected.threads = threads.len() as u64;
    Ok(collected)
}

/// Files that are being read, in a thread of its own and not far ahead of whoever takes what was found.
pub struct Files {
    slices: mpsc::Receiver<Slice>,
    reading: Option<JoinHandle<()>>,
    bar: ProgressBar,
}

impl Files {
    /// Begins to read every file under `paths`.
    ///
    /// # Errors
    /// When one of `paths` does not exist.
    pub fn open(ctx: &Context, paths: &[PathBuf], map: Option<Map>, progress: Progress) -> Result<Self> {
        let (files, refused) = walk::files(paths)?;
        let bar = progress.bytes("collect", files.iter().map(|f| f.bytes).sum());
        let (sender, slices) = mpsc::channel(2);
        let reading = {
            let (ctx, bar) = (ctx.clone(), bar.clone());
            tokio::task::spawn_blocking(move || {
                let mut slicer = Slicer::new(sender);
                slicer.mapped = map.map(|map| table::Table::by(Arc::new(map)));
                for (name, reason) in refused {
                    slicer.refuse(&name, reason);
                }
                // Sending fails only when the writer has given up; it tells why.
                files
                    .iter()
                    .try_for_each(|file| visit(file, &bar, &mut Reading { ctx: &ctx, slicer: &mut slicer }))
                    .and_then(|()| slicer.send())
                    .ok();
            })
        };
        Ok(Self { slices, reading: Some(reading), bar })
    }

    /// What was found next; `None` when all is read.
    ///
    /// # Errors
    /// When reading ended early.
    pub async fn next(&mut self) -> Result<Option<Slice>> {
        let next = self.slices.recv().await;
        if next.is_none() {
            if let Some(reading) = self.reading.take() {
                reading.await.context("reading the files ended early")?;
            }
            self.bar.finish_and_clear();
        }
        Ok(next)
    }
}

/// Eight bytes stand for a thread, so that counting distinct ones costs little on large dumps.
fn digest(id: &ThreadId) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// Reads the files that are come upon.
struct Reading<'a> {
    ctx: &'a Context,
    slicer: &'a mut Slicer,
}

impl Visitor for Reading<'_> {
    fn file(&mut self, name: &str, place: &Place, raw: &mut dyn Read) -> Result<()> {
        read_one(name, place, raw, self.ctx, self.slicer)
    }

    fn refuse(&mut self, name: &str, reason: String) {
        self.slicer.refuse(name, reason);
    }
}

/// Reads one file, or says why not. `name` is how messages call it.
fn read_one(name: &str, place: &Place, raw: impl Read, ctx: &Context, slicer: &mut Slicer) -> Result<()> {
    if open::is_asset(place.path()) || FORMATS.iter().any(|f| f.attached(place)) {
        slicer.slice.collected.assets += 1;
        return Ok(());
    }
    slicer.begin(name);
    let (head, input) = match open::open(place.path(), raw) {
        Ok(opened) => opened,
        Err(reason) => {
            slicer.refuse(name, if slack::is_archive(&[], place) { slack::ARCHIVE.to_owned() } else { reason });
            return Ok(());
        }
    };
    let mapped = slicer.mapped.clone();
    let first = mapped.as_ref().map(|table| table as &dyn Format);
    let Some(format) = first.into_iter().chain(FORMATS.iter().copied()).find(|f| f.sniff(&head, place)) else {
        if FORMATS.iter().any(|f| f.accompanies(&head, place)) {
            slicer.slice.collected.companions += 1;
        } else if slack::is_archive(&head, place) {
            slicer.refuse(name, slack::ARCHIVE.to_owned());
        } else {
            let table = mapped.as_ref().unwrap_or(&table::Table::PLAIN).refusal(&head);
            slicer.refuse(name, table.unwrap_or_else(|| open::refusal(&head)));
        }
        return Ok(());
    };
    let mut mistakes = Mistakes::new("collect", name);
    slicer.format = format.name();
    slicer.slice.collected.notices.extend(format.notice().map(Cow::Borrowed));
    for record in format.read(input, place, ctx) {
        match record {
            Ok(record) => slicer.take(record.unnamed()),
            Err(bad) if bad.is_refusal() => {
                slicer.refuse(name, bad.reason);
                return Ok(());
            }
            Err(bad) => {
                slicer.slice.collected.seen += 1;
                slicer.slice.collected.failed += 1;
                slicer.of_format().failed += 1;
                let unit = format!("record {} (byte {})", bad.record, bad.byte);
                slicer.slice.batch.failures.extend(mistakes.row(&unit, &bad.reason));
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
pub struct Slice {
    /// Threads, posts and failures, in the order in which they were found.
    pub batch: Batch,
    /// What reading counted.
    pub collected: Collected,
}

/// Said once, however many bytes were broken.
const DAMAGED: &str =
    "Some posts hold bytes that are no text in the file's encoding; each stands as \u{fffd}, and the rest was read.";

/// Gathers records into slices and hands full ones to the writer, waiting while it is behind.
struct Slicer {
    sender: mpsc::Sender<Slice>,
    slice: Slice,
    bytes: usize,
    /// Threads of the slice by id: a dump repeats the thread with every comment.
    threads: HashMap<ThreadId, Thread>,
    /// Name of the format that is being read.
    format: &'static str,
    /// What reads tables by the map that was given.
    mapped: Option<table::Table>,
    /// Names of the files that were begun: two may have one name.
    begun: HashSet<String>,
}

impl Slicer {
    fn new(sender: mpsc::Sender<Slice>) -> Self {
        let (slice, threads, begun) = (Slice::default(), HashMap::new(), HashSet::new());
        Self { sender, slice, bytes: 0, threads, format: "", mapped: None, begun }
    }

    /// What failed in the file when it was read before is no longer so.
    fn begin(&mut self, name: &str) {
        if self.begun.insert(name.to_owned()) {
            self.slice.batch.reread.push(name.to_owned());
        }
    }

    fn of_format(&mut self) -> &mut FormatCounts {
        self.slice.collected.formats.entry(self.format).or_default()
    }

    fn take(&mut self, record: Record) {
        match &record {
            Record::Thread(_) | Record::Mentions { .. } | Record::Notice(_) => {}
            Record::Absent { count, .. } => self.of_format().skipped += u64::from(*count),
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
            Record::Notice(notice) => {
                collected.notices.insert(notice.into());
                return;
            }
            Record::Absent { count, reason } => {
                *collected.skipped.entry(reason.to_owned()).or_default() += u64::from(count);
                collected.seen += u64::from(count);
                return;
            }
            Record::Post(post) => {
                self.bytes += post.text.len();
                if post.text.contains(char::REPLACEMENT_CHARACTER) {
                    collected.notices.insert(DAMAGED.into());
                }
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

/// What came of one piece of a file, record by record.
fn each(found: Result<Vec<Record>, BadRecord>) -> Vec<Result<Record, BadRecord>> {
    found.map_or_else(|bad| vec![Err(bad)], |records| records.into_iter().map(Ok).collect())
}

/// The same, and what failed beside it.
fn each_beside(found: Result<(Vec<Record>, Option<BadRecord>), BadRecord>) -> Vec<Result<Record, BadRecord>> {
    let (records, beside) = match found {
        Ok(found) => found,
        Err(bad) => return vec![Err(bad)],
    };
    records.into_iter().map(Ok).chain(beside.map(Err)).collect()
}

/// One JSON value out of bytes that may be no UTF-8 at all.
fn json<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Unreadable("not UTF-8; if the file is Latin-1 or Windows-1252, convert it to UTF-8 first".to_owned())
    })?;
    if text.contains('\0') {
        return Err(Unreadable("holds NUL bytes: that part of the file is damaged".to_owned()));
    }
    // Of a name that stands twice in an object the last counts, as it does for other readers.
    let last = || T::deserialize(serde_json::from_str::<serde_json::Value>(text)?);
    serde_json::from_str(text).or_else(|e| if e.is_data() { last() } else { Err(e) }).map_err(|e| {
        if e.is_eof() { Unreadable("ends in the middle of a JSON value".to_owned()) } else { Unreadable::json(&e) }
    })
}

/// The posts of the first batch of what [`collect_paths`] reads at `path`.
#[cfg(any(test, fuzzing))]
pub(crate) fn visited(path: &std::path::Path, ctx: &Context) -> Vec<crate::model::Post> {
    let (sender, _) = mpsc::channel(1);
    let mut slicer = Slicer::new(sender);
    let file = walk::File { path: path.to_owned(), name: "file".to_owned(), bytes: 0 };
    // Nobody listens, so reading ends with the first batch that is full.
    visit(&file, &indicatif::ProgressBar::hidden(), &mut Reading { ctx, slicer: &mut slicer }).ok();
    slicer.slice.batch.posts
}

/// What `format` makes of a file of `bytes`, whether it knows it or not.
#[cfg(any(test, fuzzing))]
pub(crate) fn records_in(format: &dyn Format, bytes: &[u8], place: &Place, ctx: &Context) -> Vec<Record> {
    let Ok((head, input)) = open::open(place.path(), bytes) else { return Vec::new() };
    // What they say does not matter, only that they say it.
    let _ = (format.sniff(&head, place), format.accompanies(&head, place), format.attached(place));
    format.read(input, place, ctx).flatten().take(BATCH_RECORDS as usize).collect()
}

#[cfg(test)]
mod tests;
