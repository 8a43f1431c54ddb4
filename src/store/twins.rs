//! Messages of Discord that stand twice: from an export that says their ids (JSON, HTML), and from one that does not (CSV, text),
//! where an id is made of what is said.

use anyhow::Result;
use sqlx::{Row as _, Sqlite, Transaction};

use super::Store;
use super::post_batches::remove_post;
use super::posts::{BatchCounts, newest_revision};
use crate::model::PostId;

/// Ids that an export says are `discord:` and at most twenty digits; those that are made are longer.
const MADE: &str = "id > 'discord:' and id < 'discord;' and length(id) > 28";

/// A message of either kind is of one person, minute and text; of equal ones the first is the first of the other kind, by the
/// number in its id where that is made: which of them were dropped before must not matter. Both are
/// of one server and one channel, as far as their files say so.
const TWINS: &str = "with message as materialized ( \
     select id, length(id) > 28 as made, coalesce(author, '') as author, written_at / 60000 as minute, text, community, \
     case instr(thread, '~') when 0 then thread else substr(thread, 1, instr(thread, '~') - 1) end as stream from post \
     where id > 'discord:' and id < 'discord;' and written_at is not null \
     and coalesce(author, '') in (select coalesce(author, '') from post where MADE)), \
     numbered as materialized ( \
     select *, case when not made then row_number() over (partition by made, author, minute, text order by id) \
     when instr(id, '.') = 0 then 1 else cast(substr(id, instr(id, '.') + 1) as integer) end as number from message) \
     select m.id, s.id from numbered m join numbered s on m.author = s.author and m.minute = s.minute and m.text = s.text \
     and m.number = s.number where m.made and not s.made and m.community in (s.community, 'discord') \
     and (m.stream = s.stream or length(m.stream) > 28 or length(s.stream) > 28) order by m.id";

impl Store {
    /// Drops messages of Discord without an id of its own where the same message stands with one, and gives how many that were.
    /// Read again they stay dropped; what a person labelled goes to the message that stays.
    pub async fn drop_twins(&self) -> Result<u64> {
        let mut tx = self.write().await?;
        let any = format!("select 1 from post where {MADE} limit 1");
        if sqlx::query(sqlx::AssertSqlSafe(any)).fetch_optional(&mut *tx).await?.is_none() {
            return Ok(0);
        }
        let twins = sqlx::query(sqlx::AssertSqlSafe(TWINS.replace("MADE", MADE))).fetch_all(&mut *tx).await?;
        let labelled =
            sqlx::query("select 1 from label where side = 'community' limit 1").fetch_optional(&mut *tx).await?;
        let mut revision = newest_revision(&mut *tx).await?;
        let mut counts = BatchCounts::default();
        for twin in &twins {
            let (made, said): (String, String) = (twin.try_get(0)?, twin.try_get(1)?);
            if labelled.is_some() {
                move_labels(&mut tx, &made, &said).await?;
            }
            remove_post(&mut tx, &PostId::new(made), &mut revision, &mut counts).await?;
        }
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

    #[tokio::test]
    async fn labels_go_to_the_message_that_stays() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).await.unwrap();
        let thread = Thread {
            id: ThreadId::new("discord:123456789012345678"),
            source: Source::Discord,
            community: "Yard".to_owned(),
            title: "repair".to_owned(),
            url: None,
            started_at: None,
        };
        let post = |id: &str, second: i64| Post {
            id: PostId::new(id),
            thread: thread.id.clone(),
            parent: None,
            source: Source::Discord,
            community: "Yard".to_owned(),
            author: Some(AuthorKey::pseudonym(&[7; 32], "discord", "sam")),
            written_at: Some(Timestamp::from_second(second).unwrap()),
            edited_at: None,
            url: None,
            text: "it drips".to_owned(),
            flags: PostFlags::default(),
        };
        let (made, said) = ("discord:0123456789abcdef01234567", "discord:1448898697877262387");
        let posts = vec![post(made, 60), post(said, 119), post("discord:fedcba9876543210fedcba98", 120)];
        store.write_batch(&Batch { threads: vec![thread.clone()], posts, ..Batch::default() }).await.unwrap();
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
