//! Stage 1: sites and files to posts.
//!
//! Two shapes of source. A *file format* streams records out of a reader; memory does not grow with the file. A *site* parses
//! pages and never fetches; the loop asks [`crate::net`], parses, and writes posts and cursor in one transaction.

pub mod conversations;

pub mod disentangle;

pub mod files;

pub mod sites;

pub mod wire;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::AddAssign;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::model::AuthorKey;
use crate::store::BatchCounts;
use crate::summary::StageSummary;

pub use crate::files::Zone;

/// What every parser needs to know beside its input.
#[derive(Debug, Clone)]
pub struct Context {
    /// Key of the workspace's pseudonyms.
    pub author_key: [u8; 32],
    /// When this collection runs; later dates are flagged as future.
    pub now: Timestamp,
    /// Name for the community, where the input does not tell one (or is overridden by `--community`).
    pub community: Option<String>,
    /// The zone of dates that name none.
    pub zone: Zone,
}

impl Context {
    /// The pseudonym of `handle`; `None` for the marks of a deleted account.
    pub fn author(&self, source: &str, handle: &str) -> Option<AuthorKey> {
        let gone = handle.is_empty() || handle == "[deleted]" || handle == "[removed]";
        (!gone).then(|| AuthorKey::pseudonym(&self.author_key, source, handle))
    }
}

/// Tells live sites from paths among what was typed. Whatever exists as a file is a file, whatever it is called.
///
/// # Errors
/// When an address names no site.
pub fn split_targets(targets: &[String]) -> Result<(Vec<sites::Target>, Vec<PathBuf>)> {
    let mut live = Vec::new();
    let mut paths = Vec::new();
    for target in targets {
        let path = PathBuf::from(target);
        let looks_live = target.contains("://") || target.starts_with("r/") || target.starts_with("/r/");
        if looks_live && !path.exists() {
            live.push(sites::Target::parse(target)?);
        } else {
            paths.push(path);
        }
    }
    Ok((live, paths))
}

/// What a collection did. `new + known + updated + skipped + failed == seen`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Files or pages read to their end.
    pub read: u64,
    /// Files refused, each with a recorded reason.
    pub refused: u64,
    /// Records met.
    pub seen: u64,
    /// What became of those that were stored.
    pub counts: BatchCounts,
    /// Records left out, by reason: `system message`, `deleted at the source`, `empty`, …
    pub skipped: BTreeMap<String, u64>,
    /// Records that could not be read, each recorded.
    pub failed: u64,
    /// Distinct threads written.
    pub threads: u64,
    /// Files that belong to an export and hold no posts, such as lists of users.
    pub companions: u64,
    /// Pictures, style sheets and the like, which hold no posts.
    pub assets: u64,
    /// What became of the files of each format, by its name.
    pub formats: BTreeMap<&'static str, FormatCounts>,
    /// What to know about what was read, each thing once.
    pub notices: BTreeSet<Cow<'static, str>>,
    /// Dates that name no zone and were read in the chosen one.
    pub zoneless: u64,
}

/// What became of the files of one format.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct FormatCounts {
    /// Files read to their end.
    pub files: u64,
    /// Posts found, known ones among them.
    pub posts: u64,
    /// Records left out for a reason that is counted.
    pub skipped: u64,
    /// Records that could not be read.
    pub failed: u64,
}

impl AddAssign for Collected {
    /// Adds what another collection did. Threads that both wrote count twice.
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.refused += other.refused;
        self.seen += other.seen;
        self.counts += other.counts;
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        self.failed += other.failed;
        self.threads += other.threads;
        self.companions += other.companions;
        self.assets += other.assets;
        self.zoneless += other.zoneless;
        self.notices.extend(other.notices);
        for (format, counts) in other.formats {
            let sum = self.formats.entry(format).or_default();
            sum.files += counts.files;
            sum.posts += counts.posts;
            sum.skipped += counts.skipped;
            sum.failed += counts.failed;
        }
    }
}

impl Collected {
    /// Adds how many dates were read in `zone` because they name none.
    pub fn read_in(&mut self, zone: &Zone) {
        self.zoneless = zone.met();
        self.notices.extend(zone.notice().map(Cow::Owned));
    }

    /// The summary of a collection begun at `began`.
    pub fn summary(&self, began: Instant) -> StageSummary {
        let BatchCounts { new, known, updated, .. } = self.counts;
        let skipped: u64 = self.skipped.values().sum();
        let posts = json!({"seen": self.seen, "new": new, "known": known, "updated": updated, "skipped": skipped, "failed": self.failed});
        StageSummary::new("collect", began, new + updated, known + skipped, self.failed + self.refused)
            .with("files", json!({"read": self.read, "refused": self.refused, "companions": self.companions, "assets": self.assets}))
            .with("posts", posts)
            .with("skipped_why", json!(self.skipped))
            .with("threads", self.threads)
            .with("formats", json!(self.formats))
            .with("zoneless_dates", self.zoneless)
            .with("notices", json!(self.notices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_that_was_taken_is_said() {
        let at = "2026-03-01T10:00:00".parse().unwrap();
        let berlin = || jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        for (zone, met, said) in [
            (Zone::default(), 0, None),
            (Zone::default(), 2, Some("2 dates name no zone and were read as of UTC; ")),
            (Zone::new(berlin()), 1, Some("1 date names no zone and was read as of Europe/Berlin; ")),
            (
                Zone::new(jiff::tz::TimeZone::fixed(jiff::tz::offset(2))),
                2,
                Some("2 dates name no zone and were read as of +02; "),
            ),
        ] {
            (0..met).for_each(|_| assert!(zone.instant(at).is_some()));
            let mut all = Collected::default();
            all.read_in(&zone);
            assert_eq!((all.zoneless, all.notices.len()), (met, usize::from(met > 0)));
            assert_eq!(
                said.is_some(),
                all.notices.iter().any(|n| n.starts_with(said.unwrap_or_default())),
                "{:?}",
                all.notices
            );
        }
    }
}
