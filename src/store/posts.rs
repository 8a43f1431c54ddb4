//! Threads, posts and cursors, as batches bring them and as later stages read them.

use std::collections::BTreeSet;

use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Row, Sqlite};

use super::{Failure, Store, instant, millis};
use crate::model::{AuthorKey, Post, PostId, Thread};

/// How far a live source has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// What is read.
    pub source: String,
    /// Where to go on, as JSON in the site's own terms.
    pub position: String,
}

/// What one page or one slice of a file brought. Written whole or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Threads; repeated ones fill in what was empty.
    pub threads: Vec<Thread>,
    /// Posts. Each one's thread is in `threads` or already stored.
    pub posts: Vec<Post>,
    /// Whom posts of `posts` speak to.
    pub mentions: Vec<(PostId, Vec<AuthorKey>)>,
    /// Posts that the source says are deleted: their words go, their ids stay.
    pub removed: Vec<PostId>,
    /// Files that are read anew, whose failures of the last time are forgotten.
    pub reread: Vec<String>,
    /// Failures met on the way.
    pub failures: Vec<Failure>,
    /// Where to go on, for live sources.
    pub cursor: Option<Cursor>,
}

/// What became of the posts of a batch. `new + known + updated` is the number of posts in it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchCounts {
    /// Stored for the first time.
    pub new: u64,
    /// Stored before, unchanged.
    pub known: u64,
    /// Stored before, changed since; readings of the old text were dropped.
    pub updated: u64,
    /// Stored before, now deleted at the source.
    pub removed: u64,
}

impl std::ops::AddAssign for BatchCounts {
    fn add_assign(&mut self, other: Self) {
        self.new += other.new;
        self.known += other.known;
        self.updated += other.updated;
        self.removed += other.removed;
    }
}

/// A post as the index wants it.
#[derive(Debug, Clone)]
pub struct IndexPost {
    /// Post id.
    pub id: String,
    /// Thread id.
    pub thread: String,
    /// Thread title, maybe empty.
    pub title: String,
    /// Source name.
    pub source: String,
    /// Community name.
    pub community: String,
    /// Pseudonym.
    pub author: Option<String>,
    /// When written.
    pub written_at: Option<Timestamp>,
    /// Link.
    pub url: Option<String>,
    /// Plain text.
    pub text: String,
    /// Names of the acts found in it, under any recipe.
    pub acts: Vec<String>,
}

/// One step the index has to take to follow the store.
#[derive(Debug, Clone)]
pub enum IndexChange {
    /// Add, or replace by id.
    Put(Box<IndexPost>),
    /// Delete by post id.
    Remove(String),
}

/// A post as `export posts` writes it.
#[derive(Debug, Clone, Serialize)]
pub struct ExportPost {
    /// Post id.
    pub id: String,
    /// Thread id.
    pub thread: String,
    /// The post it answers.
    pub parent: Option<String>,
    /// Community name.
    pub community: String,
    /// Pseudonym.
    pub author: Option<String>,
    /// When written, RFC 3339.
    pub written_at: Option<Timestamp>,
    /// Link.
    pub url: Option<String>,
    /// Plain text.
    pub text: String,
}

/// Who posted between two instants, bots included, posts of unknown authors too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PostPopulation {
    /// Communities with a post.
    pub communities: i64,
    /// Posts.
    pub posts: i64,
    /// Distinct authors.
    pub authors: i64,
    /// Posts without a date, whatever the instants.
    pub undated: i64,
    /// Posts dated after their collection, whatever the instants; counted nowhere else.
    pub future: i64,
}

/// A thread with its size.
#[derive(Debug, Clone)]
pub struct ThreadRow {
    /// Thread id.
    pub id: String,
    /// Community name.
    pub community: String,
    /// Title, maybe empty.
    pub title: String,
    /// Link.
    pub url: Option<String>,
    /// Stored posts in it.
    pub posts: i64,
}

impl Store {
    /// Where reading `source` stopped last time.
    pub async fn cursor(&self, source: &str) -> Result<Option<String>> {
        let row = sqlx::query("select position from cursor where source = $1")
            .bind(source)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|r| r.try_get(0)).transpose()?)
    }

    /// Number of stored posts, threads, communities and distinct authors.
    pub async fn post_totals(&self) -> Result<[i64; 4]> {
        let row = sqlx::query(
            "select (select count(*) from post), (select count(distinct thread) from post), \
             (select count(distinct community) from post), (select count(distinct author) from post)",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?])
    }

    /// Who posted from `since` (inclusive) to `until` (exclusive), of these authors where some are given; without either day, undated
    /// posts are counted too.
    pub async fn post_population(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        authors: Option<&BTreeSet<AuthorKey>>,
    ) -> Result<PostPopulation> {
        let authors = authors.map(|authors| authors.iter().map(AuthorKey::as_str).collect::<Vec<_>>());
        let row = sqlx::query(
            "select count(distinct community), count(*), count(distinct author), \
             (select count(*) from post where future = 0 and written_at is null), \
             (select count(*) from post where future = 1) \
             from post where future = 0 and ($1 is null or written_at >= $1) and ($2 is null or written_at < $2) \
             and ($3 is null or author in (select value from json_each($3)))",
        )
        .bind(since.map(millis))
        .bind(until.map(millis))
        .bind(authors.map(|authors| serde_json::to_string(&authors)).transpose()?)
        .fetch_one(&self.pool)
        .await?;
        Ok(PostPopulation {
            communities: row.try_get(0)?,
            posts: row.try_get(1)?,
            authors: row.try_get(2)?,
            undated: row.try_get(3)?,
            future: row.try_get(4)?,
        })
    }

    /// Up to `limit` changes after `revision`, in order, each with its revision.
    pub async fn index_changes(&self, revision: i64, limit: i64) -> Result<Vec<(i64, IndexChange)>> {
        let rows = sqlx::query(
            "select p.revision, p.id, p.thread, t.title, p.source, p.community, p.author, p.written_at, p.url, p.text, \
             (select string_agg(a.act, ',') from (select distinct act from signal \
             where post = p.id and support is distinct from 'unsupported') a) \
             from post p join thread t on t.id = p.thread where p.revision > $1 \
             union all \
             select r.revision, r.id, null, null, null, null, null, null, null, null, null from removed_post r where r.revision > $1 \
             order by 1 limit $2",
        )
        .bind(revision)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let id: String = row.try_get(1)?;
                let Some(thread) = row.try_get::<Option<String>, _>(2)? else {
                    return Ok((row.try_get(0)?, IndexChange::Remove(id)));
                };
                let acts: Option<String> = row.try_get(10)?;
                let post = IndexPost {
                    id,
                    thread,
                    title: row.try_get(3)?,
                    source: row.try_get(4)?,
                    community: row.try_get(5)?,
                    author: row.try_get(6)?,
                    written_at: row.try_get::<Option<i64>, _>(7)?.and_then(instant),
                    url: row.try_get(8)?,
                    text: row.try_get(9)?,
                    acts: acts.map(|a| a.split(',').map(str::to_owned).collect()).unwrap_or_default(),
                };
                Ok((row.try_get(0)?, IndexChange::Put(Box::new(post))))
            })
            .collect()
    }

    /// The newest revision; the index is up to date when it has reached it.
    pub async fn revision(&self) -> Result<i64> {
        newest_revision(&self.pool).await
    }

    /// Up to `limit` posts with id after `after`, ordered by id.
    pub async fn export_posts(&self, after: &str, limit: i64) -> Result<Vec<ExportPost>> {
        let rows = sqlx::query(
            "select id, thread, parent, community, author, written_at, url, text from post where id > $1 order by id limit $2",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(ExportPost {
                    id: row.try_get(0)?,
                    thread: row.try_get(1)?,
                    parent: row.try_get(2)?,
                    community: row.try_get(3)?,
                    author: row.try_get(4)?,
                    written_at: row.try_get::<Option<i64>, _>(5)?.and_then(instant),
                    url: row.try_get(6)?,
                    text: row.try_get(7)?,
                })
            })
            .collect()
    }

    /// The text of a post; `None` when it is not stored.
    pub async fn post_text(&self, id: &str) -> Result<Option<String>> {
        let row = sqlx::query("select text from post where id = $1").bind(id).fetch_optional(&self.pool).await?;
        Ok(row.map(|r| r.try_get(0)).transpose()?)
    }

    /// Whether a post is known to have been deleted at its source.
    pub async fn is_removed(&self, id: &str) -> Result<bool> {
        let row = sqlx::query("select 1 from removed_post where id = $1").bind(id).fetch_optional(&self.pool).await?;
        Ok(row.is_some())
    }

    /// Every thread with its number of posts, ordered by id.
    pub async fn threads(&self) -> Result<Vec<ThreadRow>> {
        let rows = sqlx::query(
            "select t.id, t.community, t.title, t.url, count(p.id) from thread t left join post p on p.thread = t.id \
             group by t.id order by t.id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(ThreadRow {
                    id: row.try_get(0)?,
                    community: row.try_get(1)?,
                    title: row.try_get(2)?,
                    url: row.try_get(3)?,
                    posts: row.try_get(4)?,
                })
            })
            .collect()
    }
}

pub(super) async fn newest_revision<'c>(executor: impl sqlx::Executor<'c, Database = Sqlite>) -> Result<i64> {
    let row = sqlx::query(
        "select (select coalesce(max(revision), 0) from post), (select coalesce(max(revision), 0) from removed_post)",
    )
    .fetch_one(executor)
    .await?;
    Ok(row.try_get::<i64, _>(0)?.max(row.try_get(1)?))
}
