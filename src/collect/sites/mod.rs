//! Live sites. A `Site` knows addresses and shapes and never fetches; the loop here asks `net`, has the page
//! parsed, and writes posts and cursor in one transaction.
//!
//! The cursor holds what is still to be asked for, so a run killed at any point goes on with the page it was at. A run that
//! finished before looks through the listing again and reads the threads that have changed since, whole: edits, and
//! deletions where the site marks them, are seen with the new posts.

mod discourse;

mod position;

mod reddit;

use std::collections::BTreeSet;
use std::fmt::Debug;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use super::wire::{Record, Unreadable};
use super::{Collected, Context};
use crate::net::{Net, NetError, Request, Response};
use crate::progress::Progress;
use crate::store::{Batch, Cursor, Failure, Store};
use position::{Position, Task};

/// After this many requests in a row that brought no answer the site is left alone until the next run.
const PATIENCE: u32 = 3;

/// What can be read live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A Discourse forum, by its address.
    Discourse(Url),
    /// A subreddit, by its name without `r/`.
    Subreddit(String),
}

impl Target {
    /// Reads `https://forum.example`, `r/sub` or `https://www.reddit.com/r/sub`.
    ///
    /// # Errors
    /// When `text` is none of these.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(name) = text.trim_start_matches('/').strip_prefix("r/") {
            return subreddit(name);
        }
        let mut url = Url::parse(text).with_context(|| {
            format!("{text:?} is no site; write a forum's address as https://forum.example, a subreddit as r/name")
        })?;
        let host = url.host_str().unwrap_or_default();
        if host == "reddit.com" || host.ends_with(".reddit.com") {
            let Some(name) = url.path().strip_prefix("/r/") else {
                bail!("{text} names no subreddit; write r/name");
            };
            return subreddit(name);
        }
        if url.cannot_be_a_base() {
            bail!("{text} is no address of a forum; write https://forum.example");
        }
        if !url.username().is_empty() || url.password().is_some() {
            // Not repeated: it would stand in the cursor and in messages.
            bail!("an address with a user name or password in it is not read; leave them out");
        }
        url.set_query(None);
        url.set_fragment(None);
        Ok(Self::Discourse(url))
    }
}

fn subreddit(name: &str) -> Result<Target> {
    let name = name.split('/').next().unwrap_or_default();
    let valid = (2..=21).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !valid {
        bail!("r/{name} is no name of a subreddit");
    }
    Ok(Target::Subreddit(name.to_owned()))
}

/// A site: which pages there are, and what stands on them.
trait Site {
    /// Names one page. Kept in the cursor.
    type Step: Clone + Debug + Serialize + DeserializeOwned;

    /// Whether listings come with the highest mark first. Then a pass ends at the first page that holds nothing newer
    /// than the pass before, and a page is asked for again until nothing on it is new: page numbers shift.
    const BY_ACTIVITY: bool;

    /// How many threads' marks the cursor remembers.
    const MEMORY: usize;

    /// What is read, as the cursor's name.
    fn key(&self) -> String;

    /// The first page of the listing.
    fn first(&self) -> Self::Step;

    /// The page of the listing before this one, where pages have an order of their own.
    fn before(&self, step: &Self::Step) -> Option<Self::Step>;

    /// How to ask for a page.
    fn request(&self, step: &Self::Step) -> Request;

    /// How people name a page, for the record of failures.
    fn unit(&self, step: &Self::Step) -> String;

    /// What stands on a page.
    fn parse(&self, ctx: &Context, step: &Self::Step, response: &Response) -> Result<Page<Self::Step>, Unreadable>;
}

/// What stands on a page.
#[derive(Debug)]
struct Page<S> {
    /// Threads and posts, threads first.
    records: Vec<Result<Record, Unreadable>>,
    /// On a listing: the threads it names.
    listed: Vec<Listed<S>>,
    /// Pages that belong behind this one: the next of a listing, the rest of a thread.
    more: Vec<S>,
}

impl<S> Default for Page<S> {
    fn default() -> Self {
        Self { records: Vec::new(), listed: Vec::new(), more: Vec::new() }
    }
}

/// A thread on a listing.
#[derive(Debug)]
struct Listed<S> {
    /// The site's own id.
    id: String,
    /// Changes when the thread does: the time of its last bump in milliseconds, its number of comments.
    mark: i64,
    /// How to read it.
    step: S,
}

/// Reads `target` into the store, at most `limit` threads of it, from where the last run stopped.
///
/// Trouble with single pages is recorded as failures and counted; so is a site that cannot be read at all, which comes
/// back as [`Collected::refused`].
///
/// # Errors
/// When the store fails, or Reddit is asked for without credentials.
pub async fn collect_site(
    store: &Store,
    net: &Net,
    ctx: &Context,
    target: &Target,
    limit: Option<u64>,
    progress: Progress,
) -> Result<Collected> {
    match target {
        Target::Discourse(base) => {
            let site = discourse::Forum::new(base).with_context(|| format!("{base} names no host"))?;
            run(Doors { store, net, ctx }, &site, limit, progress).await
        }
        Target::Subreddit(name) => {
            let api = net.reddit_api().with_context(|| {
                format!(
                    "r/{name} can only be read with Reddit's consent: add [reddit] client_id to candor.toml and put the \
                     secret in the environment variable CANDOR_REDDIT_SECRET, or collect a dump of it from files"
                )
            })?;
            run(Doors { store, net, ctx }, &reddit::Subreddit::new(api, name), limit, progress).await
        }
    }
}

#[derive(Clone, Copy)]
struct Doors<'a> {
    store: &'a Store,
    net: &'a Net,
    ctx: &'a Context,
}

async fn run<S: Site>(doors: Doors<'_>, site: &S, limit: Option<u64>, progress: Progress) -> Result<Collected> {
    let key = site.key();
    let bar = progress.counter(&key);
    let stored = doors.store.cursor(&key).await?;
    let mut position: Position<S::Step> = Position::resume(stored.as_deref(), site.first());
    let mut collected = Collected::default();
    let mut threads = BTreeSet::new();
    let mut begun = 0;
    let mut unanswered = 0;
    while let Some(task) = position.next_task(site.first()) {
        if matches!(task, Task::Thread(_)) {
            // The task is still in the stored cursor.
            if limit.is_some_and(|limit| begun >= limit) {
                break;
            }
            begun += 1;
        }
        let unit = site.unit(task.step());
        let mut batch = Batch::default();
        match fetch(doors, site, task.step()).await {
            Ok(page) => {
                unanswered = 0;
                collected.read += 1;
                take_records(page.records, &unit, &mut batch, &mut collected);
                if let Err(why) = position.follow(site, task, page.listed, page.more) {
                    batch.failures.push(Failure::new("collect", unit, why));
                    collected.fail();
                }
            }
            Err(Trouble::Gone { why, .. }) if !task.is_listing() => {
                unanswered = 0;
                collected.skip(why);
            }
            Err(trouble) => {
                tracing::warn!(page = unit, %trouble, "could not read a page");
                batch.failures.push(Failure::new("collect", unit, trouble.to_string()));
                let hopeless = task.is_listing();
                if hopeless && collected.read == 0 {
                    collected.refused += 1;
                } else {
                    collected.fail();
                }
                let passing = matches!(trouble, Trouble::Unanswered(_));
                position.failed(task, passing);
                unanswered = if hopeless { PATIENCE } else { unanswered + u32::from(passing) };
            }
        }
        position.end_pass_when_done();
        threads.extend(batch.threads.iter().map(|thread| thread.id.clone()));
        batch.cursor = Some(Cursor { source: key.clone(), position: serde_json::to_string(&position)? });
        collected.counts += doors.store.write_batch(&batch).await.with_context(|| format!("could not store {key}"))?;
        bar.inc(batch.posts.len() as u64);
        if unanswered >= PATIENCE {
            break;
        }
    }
    collected.threads = threads.len() as u64;
    bar.finish_and_clear();
    Ok(collected)
}

/// Why a page was not read.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    /// It is not there, or not for us.
    #[error("{error}: {why}")]
    Gone { why: &'static str, error: NetError },
    /// Nobody answered. Worth asking again in the next run.
    #[error("{0}")]
    Unanswered(String),
    /// It was refused, or is not what we expected; asking again brings the same.
    #[error("{0}")]
    Failed(String),
}

async fn fetch<S: Site>(doors: Doors<'_>, site: &S, step: &S::Step) -> Result<Page<S::Step>, Trouble> {
    let response = match doors.net.send(&site.request(step)).await {
        Ok(response) => response,
        // Older servers answer so beyond the end of a listing that has become shorter.
        Err(NetError::Status { status: 404, .. }) if site.before(step).is_some() => return Ok(Page::default()),
        Err(error) => {
            return Err(match (&error, error.status().and_then(meaning)) {
                (_, Some(why)) => Trouble::Gone { why, error },
                (NetError::GaveUp { .. } | NetError::Transport { .. } | NetError::Credentials { .. }, _) => {
                    Trouble::Unanswered(error.in_full())
                }
                _ => Trouble::Failed(error.in_full()),
            });
        }
    };
    site.parse(doors.ctx, step, &response).map_err(|unreadable| Trouble::Failed(unreadable.to_string()))
}

/// What a status says about a page that one may ask for.
fn meaning(status: u16) -> Option<&'static str> {
    match status {
        401 => Some("needs a login"),
        403 => Some("not open to us"),
        404 => Some("not found"),
        410 => Some("gone"),
        451 => Some("withheld for legal reasons"),
        _ => None,
    }
}

/// Sorts what stands on a page into `batch`, and counts it.
fn take_records(records: Vec<Result<Record, Unreadable>>, unit: &str, batch: &mut Batch, collected: &mut Collected) {
    for (number, record) in records.into_iter().enumerate() {
        match record.map(Record::unnamed) {
            // Every comment of a tree brings its thread.
            Ok(Record::Thread(thread)) if batch.threads.last() == Some(&thread) => {}
            Ok(Record::Thread(thread)) => batch.threads.push(thread),
            Ok(Record::Post(post)) => {
                collected.seen += 1;
                batch.posts.push(post);
            }
            Ok(Record::Mentions { post, people }) => batch.mentions.push((post, people)),
            Ok(Record::Removed(id)) => {
                collected.skip("deleted at the source");
                batch.removed.push(id);
            }
            Ok(Record::Skipped { reason, .. }) => collected.skip(reason),
            // A site asks for what a page does not hold.
            Ok(Record::Absent { .. }) => {}
            Ok(Record::Notice(notice)) => collected.notices.extend([notice.into()]),
            Err(unreadable) => {
                collected.fail();
                let unit = format!("{unit}, record {}", number + 1);
                batch.failures.push(Failure::new("collect", unit, unreadable.to_string()));
            }
        }
    }
}

impl Collected {
    fn skip(&mut self, why: &str) {
        self.seen += 1;
        *self.skipped.entry(why.to_owned()).or_default() += 1;
    }

    fn fail(&mut self) {
        self.seen += 1;
        self.failed += 1;
    }
}

/// `base` with `path` behind its own.
fn address(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_told_apart() {
        let forum = |url: &str| Some(Target::Discourse(url.parse().unwrap()));
        let sub = |name: &str| Some(Target::Subreddit(name.to_owned()));
        let cases = [
            ("https://forum.example", forum("https://forum.example/")),
            ("http://10.0.0.1/", forum("http://10.0.0.1/")),
            ("https://example.org/talk/?x=1#y", forum("https://example.org/talk/")),
            ("r/some_sub", sub("some_sub")),
            ("/r/some_sub/", sub("some_sub")),
            ("https://www.reddit.com/r/some_sub", sub("some_sub")),
            ("https://old.reddit.com/r/some_sub/new/", sub("some_sub")),
            ("https://www.reddit.com/user/x", None),
            ("https://notreddit.com/r/some_sub", forum("https://notreddit.com/r/some_sub")),
            ("r/a b", None),
            ("r/", None),
            ("mailto:me@forum.example", None),
            ("https://me:hunter2@forum.example", None),
            ("forum.example", None),
        ];
        for (text, target) in cases {
            assert_eq!(Target::parse(text).ok(), target, "{text}");
        }
        let error = format!("{:?}", Target::parse("https://me:hunter2@forum.example").unwrap_err());
        assert!(!error.contains("hunter2"), "{error}");
    }
}
