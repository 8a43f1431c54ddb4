//! Threads, posts and cursors.

use anyhow::Result;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Row, Sqlite, Transaction};

use super::failures::{self, Failure};
use super::{Store, instant, millis};
use crate::model::id::content_hash;
use crate::model::{Post, PostId, Thread};

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
    /// Posts that the source says are deleted: their words go, their ids stay.
    pub removed: Vec<PostId>,
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
    /// Writes a batch in one transaction: posts, failures and cursor together, so a killed run resumes at the last page.
    pub async fn write_batch(&self, batch: &Batch) -> Result<BatchCounts> {
        let mut tx = self.write().await?;
        let mut revision = newest_revision(&mut *tx).await?;
        for thread in &batch.threads {
            upsert_thread(&mut tx, thread, &mut revision).await?;
        }
        let mut counts = BatchCounts::default();
        for post in &batch.posts {
            write_post(&mut tx, post, &mut revision, &mut counts).await?;
        }
        for id in &batch.removed {
            remove_post(&mut tx, id, &mut revision, &mut counts).await?;
        }
        failures::insert(&mut tx, &batch.failures).await?;
        if let Some(cursor) = &batch.cursor {
            sqlx::query(
                "insert into cursor (source, position) values ($1, $2) \
                 on conflict (source) do update set position = excluded.position",
            )
            .bind(&cursor.source)
            .bind(&cursor.position)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(counts)
    }

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
            "select (select count(*) from post), (select count(*) from thread), \
             (select count(distinct community) from post), (select count(distinct author) from post)",
        )
        .fetch_one(&self.pool)
        .await?;
        Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?])
    }

    /// Who posted from `since` (inclusive) to `until` (exclusive); without either, undated posts are counted too.
    pub async fn post_population(&self, since: Option<Timestamp>, until: Option<Timestamp>) -> Result<PostPopulation> {
        let row = sqlx::query(
            "select count(distinct community), count(*), count(distinct author), \
             (select count(*) from post where future = 0 and written_at is null), \
             (select count(*) from post where future = 1) \
             from post where future = 0 and ($1 is null or written_at >= $1) and ($2 is null or written_at < $2)",
        )
        .bind(since.map(millis))
        .bind(until.map(millis))
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
             (select string_agg(a.act, ',') from (select distinct act from signal where post = p.id) a) \
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

async fn upsert_thread(tx: &mut Transaction<'_, Sqlite>, thread: &Thread, revision: &mut i64) -> Result<()> {
    let title: Option<String> = sqlx::query_scalar("select title from thread where id = $1")
        .bind(thread.id.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    if title.is_some_and(|known| !thread.title.is_empty() && known != thread.title) {
        revise_posts(tx, thread, revision).await?;
    }
    sqlx::query(
        "insert into thread (id, source, community, title, url, started_at) values ($1, $2, $3, $4, $5, $6) \
         on conflict (id) do update set \
         title = case when excluded.title <> '' then excluded.title else thread.title end, \
         url = coalesce(excluded.url, thread.url), \
         started_at = case when excluded.started_at < thread.started_at then excluded.started_at \
         else coalesce(thread.started_at, excluded.started_at) end",
    )
    .bind(thread.id.as_str())
    .bind(thread.source.as_str())
    .bind(&thread.community)
    .bind(&thread.title)
    .bind(&thread.url)
    .bind(thread.started_at.map(millis))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// The index holds a thread's title with each of its posts, so a title learnt or changed later touches them all.
async fn revise_posts(tx: &mut Transaction<'_, Sqlite>, thread: &Thread, revision: &mut i64) -> Result<()> {
    let posts: Vec<String> = sqlx::query_scalar("select id from post where thread = $1 order by id")
        .bind(thread.id.as_str())
        .fetch_all(&mut **tx)
        .await?;
    for post in posts {
        *revision += 1;
        sqlx::query("update post set revision = $1 where id = $2")
            .bind(*revision)
            .bind(post)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

async fn newest_revision<'c>(executor: impl sqlx::Executor<'c, Database = Sqlite>) -> Result<i64> {
    let row = sqlx::query(
        "select (select coalesce(max(revision), 0) from post), (select coalesce(max(revision), 0) from removed_post)",
    )
    .fetch_one(executor)
    .await?;
    Ok(row.try_get::<i64, _>(0)?.max(row.try_get(1)?))
}

/// Everything of a post that a reader could see change. `edited_at` is left out: a touched but unchanged post is known.
fn post_hash(post: &Post) -> String {
    content_hash(&[
        &post.text,
        post.author.as_ref().map_or("", |a| a.as_str()),
        post.thread.as_str(),
        post.parent.as_ref().map_or("", |p| p.as_str()),
        &post.written_at.map(|t| t.as_millisecond().to_string()).unwrap_or_default(),
        post.url.as_deref().unwrap_or(""),
    ])
}

async fn write_post(
    tx: &mut Transaction<'_, Sqlite>,
    post: &Post,
    revision: &mut i64,
    counts: &mut BatchCounts,
) -> Result<()> {
    let hash = post_hash(post);
    let stored: Option<(String, Option<i64>, String)> =
        sqlx::query_as("select hash, edited_at, text from post where id = $1")
            .bind(post.id.as_str())
            .fetch_optional(&mut **tx)
            .await?;
    if let Some((stored_hash, stored_edit, stored_text)) = stored {
        // Overlapping exports hold a post at different ages; the one edited last wins, whatever order they are read in.
        let older = post.edited_at.map(millis) < stored_edit;
        if stored_hash == hash || older {
            counts.known += 1;
            return Ok(());
        }
        if stored_text != post.text {
            for sql in [
                "delete from signal where post = $1",
                "delete from texture where post = $1",
                "delete from post_reading where post = $1",
            ] {
                sqlx::query(sql).bind(post.id.as_str()).execute(&mut **tx).await?;
            }
        }
        counts.updated += 1;
    } else {
        let removed = sqlx::query("select 1 from removed_post where id = $1")
            .bind(post.id.as_str())
            .fetch_optional(&mut **tx)
            .await?;
        if removed.is_some() {
            // An older export still holds what the source has deleted since; it stays deleted.
            counts.known += 1;
            return Ok(());
        }
        counts.new += 1;
    }
    *revision += 1;
    sqlx::query(
        "insert into post (id, thread, parent, source, community, author, written_at, edited_at, url, text, bot, quoted, \
         future, hash, revision) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         on conflict (id) do update set thread = excluded.thread, parent = excluded.parent, community = excluded.community, \
         author = excluded.author, written_at = excluded.written_at, edited_at = excluded.edited_at, url = excluded.url, \
         text = excluded.text, bot = excluded.bot, quoted = excluded.quoted, future = excluded.future, hash = excluded.hash, \
         revision = excluded.revision",
    )
    .bind(post.id.as_str())
    .bind(post.thread.as_str())
    .bind(post.parent.as_ref().map(PostId::as_str))
    .bind(post.source.as_str())
    .bind(&post.community)
    .bind(post.author.as_ref().map(|a| a.as_str()))
    .bind(post.written_at.map(millis))
    .bind(post.edited_at.map(millis))
    .bind(&post.url)
    .bind(&post.text)
    .bind(post.flags.bot)
    .bind(post.flags.quoted)
    .bind(post.flags.future)
    .bind(hash)
    .bind(*revision)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn remove_post(
    tx: &mut Transaction<'_, Sqlite>,
    id: &PostId,
    revision: &mut i64,
    counts: &mut BatchCounts,
) -> Result<()> {
    let gone = sqlx::query("delete from post where id = $1").bind(id.as_str()).execute(&mut **tx).await?;
    counts.removed += gone.rows_affected();
    *revision += 1;
    // Kept even when the post was never stored, so that an older export read later cannot bring it back.
    sqlx::query("insert into removed_post (id, revision) values ($1, $2) on conflict do nothing")
        .bind(id.as_str())
        .bind(*revision)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
