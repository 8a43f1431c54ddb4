//! Writing batches of posts. Rows are looked up and written many at a time, for one statement a post would take most of a
//! collection's time.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use anyhow::Result;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection, Transaction};

use super::llm_calls::forget_replies;
use super::posts::{Batch, BatchCounts, newest_revision};
use super::{Store, failures, instant, millis};
use crate::model::id::content_hash;
use crate::model::{AuthorKey, Post, PostId, Thread, ThreadId};

/// Rows in one statement. With 15 columns it stays below the 32,766 values that SQLite takes.
pub(super) const ROWS: usize = 500;

/// The beginning of a statement that writes `threads`; what becomes of those that are there is for the caller to add.
pub(super) fn insert_threads<'a>(threads: impl IntoIterator<Item = &'a Thread>) -> QueryBuilder<Sqlite> {
    let mut insert = QueryBuilder::<Sqlite>::new("insert into thread (id, source, community, title, url, started_at) ");
    insert.push_values(threads, |mut row, thread| {
        row.push_bind(thread.id.as_str())
            .push_bind(thread.source.as_str())
            .push_bind(&thread.community)
            .push_bind(&thread.title)
            .push_bind(&thread.url)
            .push_bind(thread.started_at.map(millis));
    });
    insert
}

impl Store {
    /// Writes a batch in one transaction: posts, failures and cursor together, so a killed run resumes at the last page.
    pub async fn write_batch(&self, batch: &Batch) -> Result<BatchCounts> {
        let mut tx = self.write().await?;
        let mut revision = newest_revision(&mut *tx).await?;
        let ids = batch.posts.iter().map(|p| p.id.as_str()).chain(batch.threads.iter().map(|t| t.id.as_str()));
        let removed: HashSet<String> = lookup(&mut tx, "select id from removed_post where id in (", ids)
            .await?
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?;
        write_threads(&mut tx, &batch.threads, &removed, &mut revision).await?;
        let mut counts = BatchCounts::default();
        write_posts(&mut tx, &batch.posts, &removed, &mut revision, &mut counts).await?;
        write_mentions(&mut tx, &batch.mentions).await?;
        for id in &batch.removed {
            remove_post(&mut tx, id, &mut revision, &mut counts).await?;
        }
        for file in &batch.reread {
            failures::forget(&mut tx, "collect", file).await?;
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
}

/// The rows of `select` for some `ids`; it ends where the list of ids goes.
pub(super) async fn lookup<'a>(
    db: &mut SqliteConnection,
    select: &str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<SqliteRow>> {
    let ids: Vec<&str> = ids.collect();
    let mut rows = Vec::new();
    for ids in ids.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(select);
        let mut list = query.separated(", ");
        for id in ids {
            list.push_bind(*id);
        }
        rows.extend(query.push(")").build().fetch_all(&mut *db).await?);
    }
    Ok(rows)
}

/// Fills in what `older` did not tell: a title or an address told later stands, and a conversation began no later than told.
fn merge(older: &Thread, newer: &Thread) -> Thread {
    let title = if newer.title.is_empty() { &older.title } else { &newer.title };
    Thread {
        title: title.clone(),
        url: newer.url.clone().or_else(|| older.url.clone()),
        started_at: [older.started_at, newer.started_at].into_iter().flatten().min(),
        ..older.clone()
    }
}

async fn write_threads(
    tx: &mut Transaction<'_, Sqlite>,
    threads: &[Thread],
    removed: &HashSet<String>,
    revision: &mut i64,
) -> Result<()> {
    let select = "select id, title, url, started_at from thread where id in (";
    let mut stored = HashMap::new();
    for row in lookup(tx, select, threads.iter().map(|t| t.id.as_str())).await? {
        let told: (String, Option<String>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
        stored.insert(row.try_get::<String, _>(0)?, told);
    }
    let mut merged: Vec<Thread> = Vec::new();
    let mut places = HashMap::new();
    for thread in threads {
        let id = thread.id.as_str();
        let mut thread = thread.clone();
        let place = *places.entry(id).or_insert(merged.len());
        if let Some(held) = merged.get_mut(place) {
            *held = merge(held, &thread);
            continue;
        }
        if let Some((title, url, started_at)) = stored.get(id) {
            let older = Thread {
                title: title.clone(),
                url: url.clone(),
                started_at: started_at.and_then(instant),
                ..thread.clone()
            };
            thread = merge(&older, &thread);
        }
        merged.push(thread);
    }
    for thread in merged.iter_mut().filter(|t| is_submission(t.id.as_str()) && removed.contains(t.id.as_str())) {
        thread.title.clear();
        thread.url = None;
    }
    let mut changed = Vec::new();
    for thread in merged {
        let told = (thread.title.clone(), thread.url.clone(), thread.started_at.map(millis));
        match stored.get(thread.id.as_str()) {
            Some(known) if *known == told => continue,
            Some(known) if known.0 != told.0 => revise_posts(tx, thread.id.as_str(), revision).await?,
            _ => {}
        }
        changed.push(thread);
    }
    for threads in changed.chunks(ROWS) {
        insert_threads(threads)
            .push(
                " on conflict (id) do update set title = excluded.title, url = excluded.url, started_at = excluded.started_at",
            )
            .build()
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// On Reddit the first post gives the thread its id and its title, so the title goes when the post does.
fn is_submission(id: &str) -> bool {
    id.starts_with("reddit:t3_")
}

/// The index holds a thread's title with each of its posts, so a title learnt or changed later touches them all.
async fn revise_posts(tx: &mut Transaction<'_, Sqlite>, thread: &str, revision: &mut i64) -> Result<()> {
    let posts: Vec<String> = sqlx::query_scalar("select id from post where thread = $1 order by id")
        .bind(thread)
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

/// Everything of a post that a reader could see change. `edited_at` is left out: a touched but unchanged post is known.
fn post_hash(post: &Post) -> String {
    let written_at = post.written_at.map(|t| t.as_millisecond().to_string()).unwrap_or_default();
    let mut parts = vec![
        post.text.as_str(),
        post.author.as_ref().map_or("", |a| a.as_str()),
        post.thread.as_str(),
        post.parent.as_ref().map_or("", |p| p.as_str()),
        &written_at,
        post.url.as_deref().unwrap_or(""),
    ];
    // Posts without either keep the hash that stores know them by.
    parts.extend(post.flags.bot.then_some("bot"));
    parts.extend(post.flags.quoted.then_some("quoted"));
    content_hash(&parts)
}

/// What is known of a post that comes again.
struct Stored {
    hash: String,
    edited_at: Option<i64>,
    community: String,
    thread: String,
}

impl Stored {
    /// The post that comes. Where its file does not say of which community it is, it stays in the one that another file told.
    fn place<'a>(&self, post: &'a Post) -> Cow<'a, Post> {
        let unnamed = post.source.as_str();
        if post.community != unnamed || self.community == unnamed {
            return Cow::Borrowed(post);
        }
        // A conversation that was cut out of a stream is called by the stream and `~`.
        let stream = self.thread.split('~').next().unwrap_or_default();
        // A message stands in the thread that was opened from it, whatever file it comes from.
        let thread = if stream == post.id.as_str() { post.thread.clone() } else { ThreadId::new(stream) };
        Cow::Owned(Post { community: self.community.clone(), thread, ..post.clone() })
    }
}

async fn write_posts(
    tx: &mut Transaction<'_, Sqlite>,
    posts: &[Post],
    removed: &HashSet<String>,
    revision: &mut i64,
    counts: &mut BatchCounts,
) -> Result<()> {
    let select = "select id, hash, edited_at, community, thread from post where id in (";
    let mut stored: HashMap<&str, Stored> = HashMap::new();
    let ids: HashMap<&str, &str> = posts.iter().map(|p| (p.id.as_str(), p.id.as_str())).collect();
    for row in lookup(tx, select, ids.keys().copied()).await? {
        let (hash, edited_at, community, thread) =
            (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get::<String, _>(4)?);
        if let Some(id) = ids.get(row.try_get::<&str, _>(0)?) {
            stored.insert(*id, Stored { hash, edited_at, community, thread });
        }
    }
    // A post that stands twice in the batch is written once, as it was last.
    let mut changed: Vec<(Cow<'_, Post>, String, i64)> = Vec::new();
    let mut places = HashMap::new();
    for post in posts {
        let id = post.id.as_str();
        let post = stored.get(id).map_or(Cow::Borrowed(post), |known| known.place(post));
        let hash = post_hash(&post);
        let edited_at = post.edited_at.map(millis);
        match stored.get(id) {
            // Overlapping exports hold a post at different ages; the one edited last wins, whatever order they are read in.
            Some(known) if known.hash == hash || edited_at < known.edited_at => {
                counts.known += 1;
                continue;
            }
            Some(_) => {
                drop_stale_readings(tx, &post).await?;
                counts.updated += 1;
            }
            // An older export still holds what the source has deleted since; it stays deleted.
            None if removed.contains(id) => {
                counts.known += 1;
                continue;
            }
            None => counts.new += 1,
        }
        let (community, thread) = (post.community.clone(), post.thread.as_str().to_owned());
        stored.insert(id, Stored { hash: hash.clone(), edited_at, community, thread });
        *revision += 1;
        let place = *places.entry(id).or_insert(changed.len());
        match changed.get_mut(place) {
            Some(held) => *held = (post, hash, *revision),
            None => changed.push((post, hash, *revision)),
        }
    }
    for rows in changed.chunks(ROWS) {
        insert_posts(tx, rows).await?;
    }
    Ok(())
}

/// Adds whom posts speak to. A post that was not stored, because it stays deleted, speaks to nobody.
async fn write_mentions(tx: &mut Transaction<'_, Sqlite>, mentions: &[(PostId, Vec<AuthorKey>)]) -> Result<()> {
    for (post, people) in mentions {
        for author in people {
            sqlx::query(
                "insert into mention (post, author) select id, $2 from post where id = $1 on conflict (post, author) do nothing",
            )
            .bind(post.as_str())
            .bind(author.as_str())
            .execute(&mut **tx)
            .await?;
        }
    }
    Ok(())
}

/// Readings point into the text they were made from, and a bot's posts are read as silence.
async fn drop_stale_readings(tx: &mut Transaction<'_, Sqlite>, post: &Post) -> Result<()> {
    for sql in [
        "delete from signal where post = $1 and exists (select 1 from post where id = $1 and (text <> $2 or bot <> $3))",
        "delete from texture where post = $1 and exists (select 1 from post where id = $1 and (text <> $2 or bot <> $3))",
        "delete from post_reading where post = $1 and exists (select 1 from post where id = $1 and (text <> $2 or bot <> $3))",
    ] {
        let query = sqlx::query(sql).bind(post.id.as_str()).bind(&post.text).bind(post.flags.bot);
        query.execute(&mut **tx).await?;
    }
    forget_replies(tx, &post.id, Some(&post.text)).await
}

async fn insert_posts(tx: &mut Transaction<'_, Sqlite>, rows: &[(Cow<'_, Post>, String, i64)]) -> Result<()> {
    QueryBuilder::<Sqlite>::new(
        "insert into post (id, thread, parent, source, community, author, written_at, edited_at, url, text, bot, quoted, \
         future, hash, revision) ",
    )
    .push_values(rows, |mut row, (post, hash, revision)| {
        row.push_bind(post.id.as_str())
            .push_bind(post.thread.as_str())
            .push_bind(post.parent.as_ref().map(PostId::as_str))
            .push_bind(post.source.as_str())
            .push_bind(&post.community)
            .push_bind(post.author.as_ref().map(|a| a.as_str()))
            .push_bind(post.written_at.map(millis))
            .push_bind(post.edited_at.map(millis))
            .push_bind(&post.url)
            .push_bind(&post.text)
            .push_bind(post.flags.bot)
            .push_bind(post.flags.quoted)
            .push_bind(post.flags.future)
            .push_bind(hash)
            .push_bind(revision);
    })
    .push(
        " on conflict (id) do update set thread = excluded.thread, parent = excluded.parent, community = excluded.community, \
         author = excluded.author, written_at = excluded.written_at, edited_at = excluded.edited_at, url = excluded.url, \
         text = excluded.text, bot = excluded.bot, quoted = excluded.quoted, future = excluded.future, hash = excluded.hash, \
         revision = excluded.revision",
    )
    .build()
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Takes a post out of the store for good, and gives whether it was there. What a model said of it is kept.
pub(super) async fn take_out(
    tx: &mut Transaction<'_, Sqlite>,
    id: &PostId,
    revision: &mut i64,
    counts: &mut BatchCounts,
) -> Result<bool> {
    let gone = sqlx::query("delete from post where id = $1").bind(id.as_str()).execute(&mut **tx).await?;
    counts.removed += gone.rows_affected();
    *revision += 1;
    // Kept even when the post was never stored, so that an older export read later cannot bring it back.
    sqlx::query("insert into removed_post (id, revision) values ($1, $2) on conflict do nothing")
        .bind(id.as_str())
        .bind(*revision)
        .execute(&mut **tx)
        .await?;
    Ok(gone.rows_affected() > 0)
}

async fn remove_post(
    tx: &mut Transaction<'_, Sqlite>,
    id: &PostId,
    revision: &mut i64,
    counts: &mut BatchCounts,
) -> Result<()> {
    // Of a post that was not stored nothing was asked, and looking for it among all answers takes long.
    if take_out(tx, id, revision, counts).await? {
        forget_replies(tx, id, None).await?;
    }
    if is_submission(id.as_str()) {
        let forgotten = sqlx::query("update thread set title = '', url = null where id = $1 and title <> ''")
            .bind(id.as_str())
            .execute(&mut **tx)
            .await?;
        if forgotten.rows_affected() > 0 {
            revise_posts(tx, id.as_str(), revision).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{PostFlags, Source};
    use crate::store::LlmCall;

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
        (folder, store)
    }

    fn thread(title: &str) -> Thread {
        let id = ThreadId::new("reddit:t3_a");
        let (title, community) = (title.to_owned(), "r/x".to_owned());
        Thread { id, source: Source::Reddit, community, title, url: None, started_at: None }
    }

    fn post(id: &str, text: &str, edited: i64) -> Post {
        Post {
            id: PostId::new(id),
            thread: thread("").id,
            parent: None,
            source: Source::Reddit,
            community: "r/x".to_owned(),
            author: None,
            written_at: None,
            edited_at: (edited > 0).then(|| Timestamp::from_second(edited).unwrap()),
            url: None,
            text: text.to_owned(),
            flags: PostFlags::default(),
        }
    }

    /// A model's answer may hold a post's words; the ledger's sums may not change.
    #[tokio::test]
    async fn what_a_model_said_of_a_post_goes_with_its_words() {
        let (_folder, store) = store().await;
        let posts = ["reddit:t1_gone", "reddit:t1_edited", "reddit:t1_kept"].map(|id| post(id, "as it was", 0));
        store.write_batch(&batch(posts.to_vec())).await.unwrap();
        let asked = [
            ("reddit:t1_gone", false),
            ("reddit:t1_edited", false),
            ("reddit:t1_kept", true),
            ("reddit:t1_kept reddit:t1_gone", false),
            ("reddit:t1_gone_but_another", true),
        ];
        for (unit, _) in asked {
            let call = LlmCall {
                request_hash: unit.to_owned(),
                model: "m".to_owned(),
                prompt: "read_post".to_owned(),
                unit: unit.to_owned(),
                prompt_tokens: 1,
                completion_tokens: 1,
                cost_micros: 3,
                finish: "stop".to_owned(),
                reply: "{}".to_owned(),
                made_at: Timestamp::UNIX_EPOCH,
            };
            store.record_llm_call(&call).await.unwrap();
        }
        let again = [post("reddit:t1_edited", "as it is", 9), post("reddit:t1_kept", "as it was", 0)];
        let removed = vec![PostId::new("reddit:t1_gone")];
        store.write_batch(&Batch { removed, ..batch(again.to_vec()) }).await.unwrap();
        for (unit, kept) in asked {
            assert_eq!(store.llm_reply(unit).await.unwrap().is_some(), kept, "{unit}");
        }
        assert_eq!(store.llm_spent().await.unwrap().cost_micros, 15);
    }

    fn batch(posts: Vec<Post>) -> Batch {
        Batch { threads: vec![thread("T"), thread("")], posts, ..Batch::default() }
    }

    async fn texts(store: &Store) -> Vec<(String, String)> {
        store.export_posts("", 100).await.unwrap().into_iter().map(|p| (p.id, p.text)).collect()
    }

    #[tokio::test]
    async fn the_post_edited_last_stands_within_and_across_batches() {
        let (_folder, store) = store().await;
        let posts =
            vec![post("p1", "a", 0), post("p2", "x", 0), post("p1", "b", 5), post("p1", "b", 5), post("p1", "old", 3)];
        let counts = store.write_batch(&batch(posts)).await.unwrap();
        assert_eq!(counts, BatchCounts { new: 2, known: 2, updated: 1, removed: 0 });
        let later = store.write_batch(&batch(vec![post("p1", "older", 4), post("p2", "y", 0)])).await.unwrap();
        assert_eq!(later, BatchCounts { new: 0, known: 1, updated: 1, removed: 0 });
        let want = [("p1", "b"), ("p2", "y")].map(|(id, text)| (id.to_owned(), text.to_owned()));
        assert_eq!(texts(&store).await, want);
        assert_eq!(store.threads().await.unwrap()[0].title, "T");
        let revision = store.revision().await.unwrap();
        store.write_batch(&batch(vec![post("p1", "b", 5)])).await.unwrap();
        assert_eq!(store.revision().await.unwrap(), revision, "nothing new, nothing written");
    }

    #[tokio::test]
    async fn that_a_bot_wrote_it_is_a_change_and_what_was_read_goes() {
        let (_folder, store) = store().await;
        let recipe = crate::model::Recipe::new("test", &[]);
        store.write_batch(&batch(vec![post("p1", "a", 0)])).await.unwrap();
        let unread = store.unread_posts(&recipe, 0, 9).await.unwrap();
        let read: Vec<_> = unread.into_iter().map(|p| (p, crate::model::PostReading::silent(None))).collect();
        store.write_read_posts(&recipe, &read).await.unwrap();
        let flags = PostFlags { bot: true, ..PostFlags::default() };
        let counts = store.write_batch(&batch(vec![Post { flags, ..post("p1", "a", 0) }])).await.unwrap();
        assert_eq!(counts, BatchCounts { updated: 1, ..BatchCounts::default() });
        let unread = store.unread_posts(&recipe, 0, 9).await.unwrap();
        assert_eq!(unread.iter().map(|p| p.bot).collect::<Vec<_>>(), [true]);
    }

    #[tokio::test]
    async fn more_rows_than_one_statement_takes() {
        let (_folder, store) = store().await;
        let posts: Vec<_> = (0..1203).map(|n| post(&format!("p{n:04}"), "text", 0)).collect();
        assert_eq!(store.write_batch(&batch(posts.clone())).await.unwrap().new, 1203);
        assert_eq!(store.write_batch(&batch(posts)).await.unwrap().known, 1203);
        assert_eq!(store.revision().await.unwrap(), 1203);
    }

    #[tokio::test]
    async fn what_was_deleted_stays_deleted_with_its_title() {
        let (_folder, store) = store().await;
        store.write_batch(&batch(vec![post("reddit:t3_a", "T", 0), post("reddit:t1_b", "b", 0)])).await.unwrap();
        let removed = Batch { removed: vec![PostId::new("reddit:t3_a")], ..Batch::default() };
        assert_eq!(store.write_batch(&removed).await.unwrap().removed, 1);
        let again = store.write_batch(&batch(vec![post("reddit:t3_a", "T", 0)])).await.unwrap();
        assert_eq!(again, BatchCounts { known: 1, ..BatchCounts::default() });
        assert_eq!(texts(&store).await, [("reddit:t1_b".to_owned(), "b".to_owned())]);
        assert_eq!(store.threads().await.unwrap()[0].title, "");
    }
}
