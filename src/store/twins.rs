//! Messages of Discord in more than one place. Those that stand twice: from an export that says their ids (JSON, HTML), and from
//! one that does not (CSV, text), where an id is made of what is said. And those that a thread was opened from: they are written
//! in their channel, and the thread, which is called by their id, is exported without them.

use std::collections::HashSet;

use anyhow::Result;
use sqlx::{Row as _, Sqlite, Transaction};

use super::Store;
use super::llm_calls::forget_replies_of;
use super::post_batches::take_out;
use super::posts::{BatchCounts, newest_revision};
use crate::model::PostId;

/// Ids that an export says are `discord:` and at most twenty digits; those that are made are longer.
const MADE: &str = "id > 'discord:' and id < 'discord;' and length(id) > 28";
const SAID: &str = "id > 'discord:' and id < 'discord;' and length(id) <= 28";

/// A message of either kind is of one person, who is known, of one minute and text; of equal ones in a channel the first is the
/// first of the other kind, by the number in its id where that is made: which of them were dropped before must not matter.
/// Both are of one server, as far as their files say so, and of one channel: where either file does not say its number, of one
/// title. Of a message that a thread was opened from, the address says the channel.
const TWINS: &str = "with message as materialized ( \
     select id, length(id) > 28 as made, author, written_at / 60000 as minute, text, community, \
     case when thread = id and url is not null then 'discord:' || replace(OPENED, rtrim(OPENED, '0123456789'), '') \
     when instr(thread, '~') = 0 then thread else substr(thread, 1, instr(thread, '~') - 1) end as stream from post \
     where id > 'discord:' and id < 'discord;' and written_at is not null \
     and author in (select author from post where MADE and author is not null)), \
     numbered as materialized ( \
     select *, case when not made \
     then row_number() over (partition by made, author, minute, text, community, stream order by id) \
     when instr(id, '.') = 0 then 1 else cast(substr(id, instr(id, '.') + 1) as integer) end as number from message) \
     select m.id, min(s.id) from numbered m join numbered s on m.author = s.author and m.minute = s.minute \
     and m.text = s.text and m.number = s.number left join thread a on a.id = m.stream left join thread b on b.id = s.stream \
     where m.made and not s.made and m.community in (s.community, 'discord') and (m.stream = s.stream \
     or (length(m.stream) > 28 or length(s.stream) > 28) and a.title = b.title and a.title <> '') \
     group by m.id order by m.id";

/// The address of a message without its id.
const OPENED: &str = "substr(url, 1, length(url) - length(id) + 7)";

impl Store {
    /// Puts messages into the threads that were opened from them, and gives how many. Read again they stay there.
    pub async fn join_openings(&self) -> Result<u64> {
        let sql = "select p.id from post p join thread t on t.id = p.id where p.source = 'discord' and p.thread <> p.id order by p.id";
        let posts: Vec<String> = sqlx::query_scalar(sql).fetch_all(&self.pool).await?;
        if posts.is_empty() {
            return Ok(0);
        }
        let mut tx = self.write().await?;
        let mut revision = newest_revision(&mut *tx).await?;
        for post in &posts {
            revision += 1;
            let query = sqlx::query("update post set thread = id, revision = $1 where id = $2");
            query.bind(revision).bind(post).execute(&mut *tx).await?;
        }
        tx.commit().await?;
        Ok(posts.len() as u64)
    }

    /// Drops messages of Discord without an id of its own where the same message stands with one, and gives how many that were.
    /// Read again they stay dropped; what a person labelled goes to the message that stays.
    pub async fn drop_twins(&self) -> Result<u64> {
        for kind in [MADE, SAID] {
            let any = format!("select 1 from post where {kind} limit 1");
            if sqlx::query(sqlx::AssertSqlSafe(any)).fetch_optional(&self.pool).await?.is_none() {
                return Ok(0);
            }
        }
        let mut tx = self.write().await?;
        let twins = sqlx::query(sqlx::AssertSqlSafe(TWINS.replace("MADE", MADE).replace("OPENED", OPENED)))
            .fetch_all(&mut *tx)
            .await?;
        if twins.is_empty() {
            return Ok(0);
        }
        let labelled =
            sqlx::query("select 1 from label where side = 'community' limit 1").fetch_optional(&mut *tx).await?;
        let mut revision = newest_revision(&mut *tx).await?;
        let mut counts = BatchCounts::default();
        let mut dropped = HashSet::new();
        for twin in &twins {
            let (made, said): (String, String) = (twin.try_get(0)?, twin.try_get(1)?);
            if labelled.is_some() {
                move_labels(&mut tx, &made, &said).await?;
            }
            take_out(&mut tx, &PostId::new(made.as_str()), &mut revision, &mut counts).await?;
            dropped.insert(made);
        }
        // The words stay, but when their message is removed, nobody knows of these replies any more.
        forget_replies_of(&mut tx, &dropped).await?;
        tx.commit().await?;
        Ok(counts.removed)
    }
}

/// What a person said of one post is said of the other, where nothing was said of that.
async fn move_labels(tx: &mut Transaction<'_, Sqlite>, from: &str, to: &str) -> Result<()> {
    for sql in [
        "insert into label (side, item, annotator, answer) select side, $2, annotator, answer from label \
         where side = 'community' and item = $1 on conflict do nothing",
        "delete from label where side = 'community' and item = $1 and $1 <> $2",
    ] {
        sqlx::query(sql).bind(from).bind(to).execute(&mut **tx).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::model::{AuthorKey, Post, PostFlags, Source, Thread, ThreadId};
    use crate::store::{Batch, LabelRow, Side};

    const STREAM: &str = "discord:123456789012345678";
    const OTHER: &str = "discord:223456789012345678";
    const MADE_STREAM: &str = "discord:00112233445566778899aabb";

    fn thread(id: &str, title: &str) -> Thread {
        Thread {
            id: ThreadId::new(id),
            source: Source::Discord,
            community: "Yard".to_owned(),
            title: title.to_owned(),
            url: None,
            started_at: None,
        }
    }

    fn post(id: &str, stream: &str, second: i64) -> Post {
        Post {
            id: PostId::new(id),
            thread: ThreadId::new(stream),
            parent: None,
            source: Source::Discord,
            community: "Yard".to_owned(),
            author: Some(AuthorKey::pseudonym(&[7; 32], "discord", "sam")),
            written_at: Some(Timestamp::from_second(second).unwrap()),
            edited_at: None,
            url: None,
            text: "it drips".to_owned(),
            flags: PostFlags::default(),
        }
    }

    async fn store_of(threads: Vec<Thread>, posts: Vec<Post>) -> (Store, tempfile::TempDir) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).await.unwrap();
        store.write_batch(&Batch { threads, posts, ..Batch::default() }).await.unwrap();
        (store, dir)
    }

    const FIRST: &str = "discord:0123456789abcdef01234567";
    const SAID_FIRST: &str = "discord:1448898697877262387";

    #[tokio::test]
    async fn equal_messages_are_numbered_channel_by_channel() {
        // What somebody said in both channels in one minute; of the second channel there is a file without ids.
        let (store, _dir) = store_of(
            vec![thread(STREAM, "repair"), thread(OTHER, "general")],
            vec![post(SAID_FIRST, STREAM, 60), post("discord:1448898697877262388", OTHER, 61), post(FIRST, OTHER, 60)],
        )
        .await;
        assert_eq!((store.drop_twins().await.unwrap(), store.drop_twins().await.unwrap()), (1, 0));
    }

    #[tokio::test]
    async fn a_channel_without_a_number_is_known_by_its_title() {
        for (title, dropped) in [("repair", 1), ("general", 0), ("", 0)] {
            let threads = vec![thread(STREAM, "repair"), thread(MADE_STREAM, title)];
            let posts = vec![post(SAID_FIRST, STREAM, 60), post(FIRST, MADE_STREAM, 60)];
            let (store, _dir) = store_of(threads, posts).await;
            assert_eq!(store.drop_twins().await.unwrap(), dropped, "{title:?}");
        }
    }

    #[tokio::test]
    async fn a_message_stands_in_the_thread_that_was_opened_from_it() {
        let opening = Post {
            url: Some(format!("https://discord.com/channels/11/{}/{}", &STREAM[8..], &SAID_FIRST[8..])),
            ..post(SAID_FIRST, STREAM, 60)
        };
        let channel = vec![opening, post("discord:1448898697877262388", STREAM, 61)];
        let threads = vec![thread(STREAM, "repair"), thread(SAID_FIRST, "repair / it drips")];
        let (store, _dir) = store_of(threads, channel.clone()).await;
        assert_eq!((store.join_openings().await.unwrap(), store.join_openings().await.unwrap()), (1, 0));
        let places = |posts: Vec<crate::store::ExportPost>| posts.into_iter().map(|p| p.thread).collect::<Vec<_>>();
        let joined = places(store.export_posts("", 10).await.unwrap());
        assert_eq!(joined, [SAID_FIRST, STREAM]);
        // The channel once more, and as a table: which a file without a server's name is, too.
        let unnamed = channel.iter().map(|p| Post { community: "discord".to_owned(), ..p.clone() }).collect();
        for posts in [channel, unnamed, vec![post(FIRST, STREAM, 60)]] {
            let counts = store.write_batch(&Batch { posts, ..Batch::default() }).await.unwrap();
            assert_eq!(counts.updated, 0);
            store.drop_twins().await.unwrap();
            assert_eq!(store.join_openings().await.unwrap(), 0);
            assert_eq!(places(store.export_posts("", 10).await.unwrap()), joined);
        }
    }

    #[tokio::test]
    async fn whoever_is_not_known_is_not_one_person() {
        let unknown = |id: &str| Post { author: None, ..post(id, STREAM, 60) };
        let (store, _dir) = store_of(vec![thread(STREAM, "repair")], vec![unknown(SAID_FIRST), unknown(FIRST)]).await;
        assert_eq!(store.drop_twins().await.unwrap(), 0);
    }

    #[tokio::test]
    async fn labels_go_to_the_message_that_stays() {
        let (made, said) = (FIRST, SAID_FIRST);
        let posts = vec![
            post(made, STREAM, 60),
            post(said, STREAM, 119),
            post("discord:fedcba9876543210fedcba98", STREAM, 120),
        ];
        let (store, _dir) = store_of(vec![thread(STREAM, "repair")], posts).await;
        let label = |item: &str| LabelRow {
            side: Side::Community,
            item: item.to_owned(),
            annotator: "ann".to_owned(),
            answer: "{}".to_owned(),
        };
        store.write_labels(&[label(made)]).await.unwrap();
        assert_eq!((store.drop_twins().await.unwrap(), store.drop_twins().await.unwrap()), (1, 0));
        assert_eq!(store.labels().await.unwrap(), [label(said)]);
        assert_eq!(store.export_posts("", 10).await.unwrap().len(), 2);
    }
}
