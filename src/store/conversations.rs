//! Channels' streams and the conversations they are cut into: which streams there are, their messages in order, and where
//! these go. A conversation is a thread called `STREAM~FIRST`, so all of a stream's lie side by side in the order of ids.

use anyhow::{Context as _, Result};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::SqliteRow;
use sqlx::{Connection as _, QueryBuilder, Row, Sqlite, Transaction};

use super::post_batches::{ROWS, insert_threads};
use super::posts::newest_revision;
use super::{Store, instant};
use crate::model::{Source, Thread, ThreadId};

/// The posts of a stream: those in itself, and in what begins with its name and a `~`. The character after `~` has the number 127.
/// Two lookups, for with an `or` between them SQLite would hold the number of every row in memory.
const OF_STREAM: &str = "with of_stream as (select id, written_at, revision from post where thread = $1 union all \
     select id, written_at, revision from post where thread >= $1 || '~' and thread < $1 || char(127))";

/// A message of a stream, as the cutting wants it.
#[derive(Debug, Clone)]
pub struct StreamPost {
    /// Post id.
    pub id: String,
    /// The thread it stands in now: the stream or one of its conversations.
    pub thread: String,
    /// The post it answers by the source.
    pub parent: Option<String>,
    /// Thread and time of that post, when it is stored and dated.
    pub parent_place: Option<(String, i64)>,
    /// Pseudonym.
    pub author: Option<String>,
    /// When written, milliseconds since 1970.
    pub at: i64,
    /// Link.
    pub url: Option<String>,
    /// Plain text.
    pub text: String,
    /// Pseudonyms of whom it speaks to, as far as the export says.
    pub mentions: Vec<String>,
}

/// A message that goes to another conversation.
#[derive(Debug, Clone)]
pub struct Move {
    /// The message.
    pub post: String,
    /// The conversation.
    pub to: Thread,
}

impl Store {
    /// The threads of `sources` that no cutting made, by id.
    pub async fn uncut_threads(&self, sources: &[Source]) -> Result<Vec<Thread>> {
        let mut threads = Vec::new();
        for source in sources {
            let rows = sqlx::query(
                "select id, community, title, url, started_at from thread where source = $1 and instr(id, '~') = 0 order by id",
            )
            .bind(source.as_str())
            .fetch_all(&self.pool)
            .await?;
            for row in rows {
                threads.push(Thread {
                    id: ThreadId::new(row.try_get::<String, _>(0)?),
                    source: *source,
                    community: row.try_get(1)?,
                    title: row.try_get(2)?,
                    url: row.try_get(3)?,
                    started_at: row.try_get::<Option<i64>, _>(4)?.and_then(instant),
                });
            }
        }
        Ok(threads)
    }

    /// Posts in a stream and its conversations, and the newest revision of one: together they change when any of them does.
    pub async fn stream_state(&self, stream: &ThreadId) -> Result<(i64, i64)> {
        let sql = format!("{OF_STREAM} select count(*), coalesce(max(revision), 0) from of_stream");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(stream.as_str()).fetch_one(&self.pool).await?;
        Ok((row.try_get(0)?, row.try_get(1)?))
    }

    /// What was noted of a stream when it was cut last.
    pub async fn stream_note(&self, stream: &ThreadId) -> Result<Option<String>> {
        let row = sqlx::query("select value from meta where key = 'cut ' || $1")
            .bind(stream.as_str())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Begins a walk through the dated posts of a stream and its conversations, by time and id.
    pub async fn walk_stream(&self, stream: &ThreadId) -> Result<StreamWalk> {
        let mut connection = self.pool.acquire().await.context("could not open the store once more")?;
        let anew = "drop table if exists temp.walk; create temp table walk \
             (at integer not null, id text not null, primary key (at, id)) strict, without rowid";
        sqlx::raw_sql(anew).execute(&mut *connection).await?;
        let sql = format!(
            "{OF_STREAM} insert into temp.walk (at, id) select written_at, id from of_stream where written_at is not null"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(stream.as_str()).execute(&mut *connection).await?;
        Ok(StreamWalk { connection, after: (i64::MIN, String::new()) })
    }

    /// Ends the cutting of a stream: conversations that nothing is left of go, the others are called as the stream is now.
    pub async fn settle_conversations(&self, stream: &Thread) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query(
            "delete from thread where id >= $1 || '~' and id < $1 || char(127) \
             and not exists (select 1 from post where post.thread = thread.id)",
        )
        .bind(stream.id.as_str())
        .execute(&mut *tx)
        .await?;
        retitle(&mut tx, stream).await?;
        Ok(tx.commit().await?)
    }

    /// Notes what a stream was when it was cut.
    pub async fn note_stream(&self, stream: &ThreadId, note: &str) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query(
            "insert into meta (key, value) values ('cut ' || $1, $2) on conflict (key) do update set value = excluded.value",
        )
        .bind(stream.as_str())
        .bind(note)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Whether some conversation of the stream is not called as the stream is.
    pub async fn is_called_otherwise(&self, stream: &Thread) -> Result<bool> {
        let row = sqlx::query(
            "select exists (select 1 from thread where id >= $1 || '~' and id < $1 || char(127) and title <> $2)",
        )
        .bind(stream.id.as_str())
        .bind(&stream.title)
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get(0)?)
    }
}

/// A walk through a stream. The order of its posts lies in a table that SQLite keeps on disk, and nothing is being read while posts
/// are moved: as long as somebody reads, SQLite's log cannot be emptied, and every page is looked for in all of it.
pub struct StreamWalk {
    connection: PoolConnection<Sqlite>,
    /// Time and id of the post that was met last.
    after: (i64, String),
}

impl StreamWalk {
    /// The next posts, at most `limit`; none at the end.
    pub async fn next(&mut self, limit: i64) -> Result<Vec<StreamPost>> {
        let rows = sqlx::query(
            "select p.id, p.thread, p.parent, p.author, w.at, p.url, p.text, \
             (select string_agg(m.author, ' ') from mention m where m.post = p.id), a.thread, a.written_at \
             from temp.walk w join post p on p.id = w.id left join post a on a.id = p.parent \
             where (w.at, w.id) > ($1, $2) order by w.at, w.id limit $3",
        )
        .bind(self.after.0)
        .bind(&self.after.1)
        .bind(limit)
        .fetch_all(&mut *self.connection)
        .await?;
        let posts = rows.iter().map(stream_post).collect::<Result<Vec<_>>>()?;
        if let Some(last) = posts.last() {
            self.after = (last.at, last.id.clone());
        }
        Ok(posts)
    }

    /// Moves posts to conversations, in one transaction.
    pub async fn move_posts(&mut self, moves: &[Move]) -> Result<()> {
        let mut tx =
            self.connection.begin_with("begin immediate").await.context("could not begin a write to the store")?;
        let mut revision = newest_revision(&mut *tx).await?;
        for moves in moves.chunks(ROWS) {
            insert_threads(moves.iter().map(|Move { to, .. }| to))
                .push(" on conflict (id) do nothing")
                .build()
                .execute(&mut *tx)
                .await?;
            QueryBuilder::<Sqlite>::new("with moved (post, thread, revision) as (")
                .push_values(moves, |mut row, Move { post, to }| {
                    revision += 1;
                    row.push_bind(post).push_bind(to.id.as_str()).push_bind(revision);
                })
                .push(") update post set thread = moved.thread, revision = moved.revision from moved where post.id = moved.post")
                .build()
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Ends the walk and gives back what its order took on disk.
    pub async fn end(mut self) -> Result<()> {
        sqlx::raw_sql("drop table temp.walk").execute(&mut *self.connection).await?;
        Ok(())
    }
}

fn stream_post(row: &SqliteRow) -> Result<StreamPost> {
    let mentions: Option<String> = row.try_get(7)?;
    let parent_place = row.try_get::<Option<String>, _>(8)?.zip(row.try_get(9)?);
    Ok(StreamPost {
        id: row.try_get(0)?,
        thread: row.try_get(1)?,
        parent: row.try_get(2)?,
        parent_place,
        author: row.try_get(3)?,
        at: row.try_get(4)?,
        url: row.try_get(5)?,
        text: row.try_get(6)?,
        mentions: mentions.map(|people| people.split(' ').map(str::to_owned).collect()).unwrap_or_default(),
    })
}

/// The index holds a thread's title with each of its posts, so these are touched too.
async fn retitle(tx: &mut Transaction<'_, Sqlite>, stream: &Thread) -> Result<()> {
    let posts: Vec<String> = sqlx::query_scalar(
        "select p.id from thread t join post p on p.thread = t.id \
         where t.id >= $1 || '~' and t.id < $1 || char(127) and t.title <> $2 order by p.id",
    )
    .bind(stream.id.as_str())
    .bind(&stream.title)
    .fetch_all(&mut **tx)
    .await?;
    let mut revision = newest_revision(&mut **tx).await?;
    for post in posts {
        revision += 1;
        sqlx::query("update post set revision = $1 where id = $2").bind(revision).bind(post).execute(&mut **tx).await?;
    }
    sqlx::query("update thread set title = $2 where id >= $1 || '~' and id < $1 || char(127) and title <> $2")
        .bind(stream.id.as_str())
        .bind(&stream.title)
        .execute(&mut **tx)
        .await?;
    Ok(())
}
