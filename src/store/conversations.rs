//! Channels' streams and the conversations they are cut into: which streams there are, their messages in order, and where
//! these go. A conversation is a thread called `STREAM~FIRST`, so all of a stream's lie side by side in the order of ids.

use anyhow::Result;
use futures_util::{Stream, TryStreamExt as _};
use sqlx::{Row, Sqlite, Transaction};

use super::posts::newest_revision;
use super::{Store, instant, millis};
use crate::model::{Source, Thread, ThreadId};

/// The threads of a stream: itself, and what begins with its name and a `~`. The character after `~` has the number 127.
const OF_STREAM: &str = "(thread = $1 or (thread >= $1 || '~' and thread < $1 || char(127)))";

/// A message of a stream, as the cutting wants it.
#[derive(Debug, Clone)]
pub struct StreamPost {
    /// Post id.
    pub id: String,
    /// The thread it stands in now: the stream or one of its conversations.
    pub thread: String,
    /// The post it answers by the source.
    pub parent: Option<String>,
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
        let sql = format!("select count(*), coalesce(max(revision), 0) from post where {OF_STREAM}");
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

    /// The dated posts of a stream and its conversations, by time and id; one is held at a time.
    pub fn stream_posts(&self, stream: &ThreadId) -> impl Stream<Item = Result<StreamPost>> + Unpin + Send + use<> {
        let (pool, stream) = (self.pool.clone(), stream.clone());
        let sql = format!(
            "select id, thread, parent, author, written_at, url, text, \
             (select string_agg(m.author, ' ') from mention m where m.post = post.id) \
             from post where {OF_STREAM} and written_at is not null order by written_at, id"
        );
        let (sender, receiver) = tokio::sync::mpsc::channel(256);
        // A task of its own holds the connection, so the rows may outlive this call and be written to meanwhile.
        tokio::spawn(async move {
            let mut rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(stream.as_str()).fetch(&pool);
            loop {
                let row = rows.try_next().await.and_then(|row| {
                    row.map(|row| {
                        Ok(StreamPost {
                            id: row.try_get(0)?,
                            thread: row.try_get(1)?,
                            parent: row.try_get(2)?,
                            author: row.try_get(3)?,
                            at: row.try_get(4)?,
                            url: row.try_get(5)?,
                            text: row.try_get(6)?,
                            mentions: row
                                .try_get::<Option<String>, _>(7)?
                                .map(|people| people.split(' ').map(str::to_owned).collect())
                                .unwrap_or_default(),
                        })
                    })
                    .transpose()
                });
                let last = row.is_err();
                let Some(row) = row.transpose() else { break };
                if sender.send(row.map_err(anyhow::Error::from)).await.is_err() || last {
                    break;
                }
            }
        });
        Box::pin(futures_util::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|row| (row, receiver))
        }))
    }

    /// The thread and the time of a post, when it is stored and dated.
    pub async fn post_place(&self, post: &str) -> Result<Option<(String, i64)>> {
        let row = sqlx::query("select thread, written_at from post where id = $1 and written_at is not null")
            .bind(post)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| anyhow::Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
    }

    /// Moves posts to conversations, in one transaction.
    pub async fn move_posts(&self, moves: &[Move]) -> Result<()> {
        let mut tx = self.write().await?;
        let mut revision = newest_revision(&mut *tx).await?;
        for Move { post, to } in moves {
            sqlx::query(
                "insert into thread (id, source, community, title, url, started_at) values ($1, $2, $3, $4, $5, $6) \
                 on conflict (id) do nothing",
            )
            .bind(to.id.as_str())
            .bind(to.source.as_str())
            .bind(&to.community)
            .bind(&to.title)
            .bind(&to.url)
            .bind(to.started_at.map(millis))
            .execute(&mut *tx)
            .await?;
            revision += 1;
            sqlx::query("update post set thread = $1, revision = $2 where id = $3")
                .bind(to.id.as_str())
                .bind(revision)
                .bind(post)
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
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
