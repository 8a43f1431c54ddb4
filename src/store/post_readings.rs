//! What readers made of posts: voices, signals, texture.

use std::borrow::Borrow;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use super::{Store, instant, millis};
use crate::model::{
    Act, ActKind, AskKind, AuthorKey, Evidence, Fit, PostId, PostReading, Recipe, Severity, Signal, SignalId, Slot,
    SlotValue, Span, Support, SwitchStage, TextureSlot, Voice,
};

/// A post that a recipe has not read yet.
#[derive(Debug, Clone)]
pub struct UnreadPost {
    /// Where the next call goes on.
    pub revision: i64,
    /// Post id.
    pub id: PostId,
    /// Title of its thread, maybe empty.
    pub title: String,
    /// Text of the post it answers, when stored.
    pub parent_text: Option<String>,
    /// Written by a bot.
    pub bot: bool,
    /// Plain text.
    pub text: String,
}

/// A signal with what is known of its post.
#[derive(Debug, Clone)]
pub struct StoredSignal {
    /// The signal, its evidence cut from the post's text.
    pub signal: Signal,
    /// Author of the post.
    pub author: Option<AuthorKey>,
    /// Thread id.
    pub thread: String,
    /// Community name.
    pub community: String,
    /// When written.
    pub written_at: Option<Timestamp>,
    /// Link to the post.
    pub url: Option<String>,
    /// The whole post, for context.
    pub text: String,
}

/// One problem-bearing, first-hand or second-hand act of one author, with the problem it was assigned to.
#[derive(Debug, Clone)]
pub struct CommunityRow {
    /// Signal id.
    pub signal: SignalId,
    /// Author key.
    pub author: AuthorKey,
    /// Thread id.
    pub thread: String,
    /// Community name.
    pub community: String,
    /// Post id.
    pub post: PostId,
    /// When written.
    pub written_at: Option<Timestamp>,
    /// The act.
    pub act: ActKind,
    /// Who speaks.
    pub voice: Voice,
    /// It tells what the author did or paid (METHOD 1.2, R): a workaround, failed or in use, a switch decided or done, or a
    /// complaint in a post that states its cost in time or money.
    pub revealed: bool,
    /// Problem id; `None` for `other`.
    pub problem: Option<String>,
}

/// The posts of one thread, and those among them that are never counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadVoices {
    /// Thread id.
    pub thread: String,
    /// All posts.
    pub posts: i64,
    /// By bots and webhooks.
    pub bots: i64,
    /// By people who sell or promote, as read.
    pub promo: i64,
}

/// How the quotes that a recipe was offered fared. `exact + repaired` signals are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuoteTotals {
    /// Stand in the text byte for byte.
    pub exact: i64,
    /// Stand there up to typing and a few slips; the text's own words were taken.
    pub repaired: i64,
    /// Are not in the text.
    pub rejected: i64,
    /// Bear out their act, of those that were looked at a second time.
    pub supported: i64,
    /// Do not; such signals are stored and never counted.
    pub unsupported: i64,
    /// Could not be told.
    pub unclear: i64,
}

impl Store {
    /// Up to `limit` posts after `revision` that `recipe` has not read, in revision order.
    pub async fn unread_posts(&self, recipe: &Recipe, revision: i64, limit: i64) -> Result<Vec<UnreadPost>> {
        let rows = sqlx::query(
            "select p.revision, p.id, t.title, q.text, p.bot, p.text from post p join thread t on t.id = p.thread \
             left join post q on q.id = p.parent where p.revision > $1 \
             and not exists (select 1 from post_reading r where r.post = p.id and r.recipe = $2) \
             order by p.revision limit $3",
        )
        .bind(revision)
        .bind(recipe.as_str())
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(UnreadPost {
                    revision: row.try_get(0)?,
                    id: PostId::new(row.try_get::<String, _>(1)?),
                    title: row.try_get(2)?,
                    parent_text: row.try_get(3)?,
                    bot: row.try_get(4)?,
                    text: row.try_get(5)?,
                })
            })
            .collect()
    }

    /// How many posts `recipe` has not read.
    pub async fn count_unread_posts(&self, recipe: &Recipe) -> Result<i64> {
        let row = sqlx::query(
            "select count(*) from post p where not exists \
             (select 1 from post_reading r where r.post = p.id and r.recipe = $1)",
        )
        .bind(recipe.as_str())
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get(0)?)
    }

    /// Writes what `recipe` made of some posts, in one transaction. Posts with signals get a new revision, so that the
    /// index learns of their acts. What was made of a post that was removed or changed meanwhile is left out: its spans
    /// point into words that are gone, and the next run reads it. Gives how many that were.
    pub async fn write_read_posts(
        &self,
        recipe: &Recipe,
        read: &[(impl Borrow<UnreadPost>, PostReading)],
    ) -> Result<u64> {
        let mut tx = self.write().await?;
        let mut changed = 0;
        for (post, reading) in read {
            changed += u64::from(!write_reading(&mut tx, recipe, post.borrow(), reading).await?);
        }
        // What was read failed at most before.
        sqlx::query(
            "delete from failure where stage = 'extract' and exists \
             (select 1 from post_reading r where r.post = failure.unit and r.recipe = $1)",
        )
        .bind(recipe.as_str())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Writes what `recipe` made of posts as they stand in the store.
    #[cfg(test)]
    pub(crate) async fn write_post_readings(&self, recipe: &Recipe, readings: &[(PostId, PostReading)]) -> Result<()> {
        let posts = self.unread_posts(&Recipe::stored("none"), 0, i64::MAX).await?.into_iter();
        let posts: std::collections::HashMap<_, _> = posts.map(|post| (post.id.clone(), post)).collect();
        let read = readings.iter().map(|(id, reading)| Some((posts.get(id)?, reading.clone())));
        let read = read.collect::<Option<Vec<_>>>().context("a post is not stored")?;
        self.write_read_posts(recipe, &read).await.map(|_| ())
    }

    /// Signals of `recipe` after signal id `after`, up to `limit`, ordered by id. Those whose words were judged not to bear
    /// them out are left out, here as everywhere but in [`Store::quote_totals`].
    pub async fn signals(&self, recipe: &Recipe, after: &str, limit: i64) -> Result<Vec<StoredSignal>> {
        let rows = sqlx::query(
            "select s.id, s.post, s.act, s.detail, s.start_byte, s.end_byte, s.fit, s.voice, s.confidence, p.author, p.thread, \
             p.community, p.written_at, p.url, p.text, s.support from signal s join post p on p.id = s.post \
             where s.recipe = $1 and s.id > $2 and s.support is distinct from 'unsupported' order by s.id limit $3",
        )
        .bind(recipe.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| stored_signal(row, recipe)).collect()
    }

    /// Every filled texture slot of `recipe` with its post and the post's author, ordered by post.
    pub async fn texture(&self, recipe: &Recipe) -> Result<Vec<(PostId, Option<AuthorKey>, TextureSlot)>> {
        let rows = sqlx::query(
            "select x.post, p.author, x.slot, x.start_byte, x.end_byte, x.value, p.text from texture x join post p on p.id = x.post \
             where x.recipe = $1 order by x.post, x.slot, x.start_byte",
        )
        .bind(recipe.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let text: String = row.try_get(6)?;
                let slot: String = row.try_get(2)?;
                let value: String = row.try_get(5)?;
                let evidence = cut(&text, row.try_get(3)?, row.try_get(4)?, Fit::Exact).context("texture span")?;
                let slot = Slot::parse(&slot).context("texture slot")?;
                let value: SlotValue = serde_json::from_str(&value)?;
                let author = row.try_get::<Option<String>, _>(1)?.map(AuthorKey::new);
                Ok((PostId::new(row.try_get::<String, _>(0)?), author, TextureSlot { slot, evidence, value }))
            })
            .collect()
    }

    /// Every problem-bearing act of an identified author, with its problem under `codebook`.
    pub async fn community_rows(&self, recipe: &Recipe, codebook: &str) -> Result<Vec<CommunityRow>> {
        let rows = sqlx::query(
            "select s.id, p.author, p.thread, p.community, p.id, p.written_at, s.act, s.voice, a.problem, \
             (s.act in ('failed_workaround', 'workaround') \
             or (s.act = 'switch' and s.detail ->> 'stage' in ('decided', 'done')) \
             or (s.act = 'complaint' and exists (select 1 from texture x where x.post = s.post and x.recipe = s.recipe \
             and x.slot in ('cost_time', 'cost_money')))) is true \
             from signal s join post p on p.id = s.post \
             left join assignment a on a.codebook = $2 and a.side = 'community' and a.unit = s.id \
             where s.recipe = $1 and p.author is not null and p.bot = 0 and p.future = 0 and s.act <> 'praise' \
             and s.support is distinct from 'unsupported' and a.problem is distinct from 'none' order by s.id",
        )
        .bind(recipe.as_str())
        .bind(codebook)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(CommunityRow {
                    signal: SignalId::new(row.try_get::<String, _>(0)?),
                    author: AuthorKey::new(row.try_get::<String, _>(1)?),
                    thread: row.try_get(2)?,
                    community: row.try_get(3)?,
                    post: PostId::new(row.try_get::<String, _>(4)?),
                    written_at: row.try_get::<Option<i64>, _>(5)?.and_then(instant),
                    act: ActKind::parse(&row.try_get::<String, _>(6)?).context("act")?,
                    voice: Voice::parse(&row.try_get::<String, _>(7)?).context("voice")?,
                    problem: row.try_get(8)?,
                    revealed: row.try_get(9)?,
                })
            })
            .collect()
    }

    /// Post ids of every identified author, with the time of writing: what a hand label of an author has to cover.
    pub async fn author_posts(&self) -> Result<Vec<(AuthorKey, PostId, Option<Timestamp>)>> {
        let rows = sqlx::query(
            "select author, id, written_at from post where author is not null and bot = 0 and future = 0 order by author, id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    AuthorKey::new(row.try_get::<String, _>(0)?),
                    PostId::new(row.try_get::<String, _>(1)?),
                    row.try_get::<Option<i64>, _>(2)?.and_then(instant),
                ))
            })
            .collect()
    }

    /// How the quotes that `recipe` was offered fared, over all posts.
    pub async fn quote_totals(&self, recipe: &Recipe) -> Result<QuoteTotals> {
        let row = sqlx::query(
            "select count(*) filter (where fit = 'exact'), count(*) filter (where fit <> 'exact'), \
             count(*) filter (where support = 'supported'), count(*) filter (where support = 'unsupported'), \
             count(*) filter (where support = 'unclear'), \
             (select coalesce(sum(rejected), 0) from post_reading where recipe = $1) from signal where recipe = $1",
        )
        .bind(recipe.as_str())
        .fetch_one(&self.pool)
        .await?;
        Ok(QuoteTotals {
            exact: row.try_get(0)?,
            repaired: row.try_get(1)?,
            supported: row.try_get(2)?,
            unsupported: row.try_get(3)?,
            unclear: row.try_get(4)?,
            rejected: row.try_get(5)?,
        })
    }

    /// Who speaks in every thread with a post from `since` (inclusive) to `until` (exclusive), as `recipe` read it; without
    /// either, undated posts are counted too.
    pub async fn thread_voices(
        &self,
        recipe: &Recipe,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<ThreadVoices>> {
        let rows = sqlx::query(
            "select p.thread, count(*), count(*) filter (where p.bot = 1), \
             count(*) filter (where p.bot = 0 and r.voice = 'vendor_or_promo') \
             from post p left join post_reading r on r.post = p.id and r.recipe = $1 \
             where p.future = 0 and ($2 is null or p.written_at >= $2) and ($3 is null or p.written_at < $3) \
             group by p.thread order by p.thread",
        )
        .bind(recipe.as_str())
        .bind(since.map(millis))
        .bind(until.map(millis))
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(ThreadVoices {
                    thread: row.try_get(0)?,
                    posts: row.try_get(1)?,
                    bots: row.try_get(2)?,
                    promo: row.try_get(3)?,
                })
            })
            .collect()
    }

    /// How many posts of each voice `recipe` read, and how many quotes it had to reject.
    pub async fn reading_totals(&self, recipe: &Recipe) -> Result<(Vec<(String, i64)>, i64)> {
        let rows = sqlx::query(
            "select voice, count(*), sum(rejected) from post_reading where recipe = $1 group by voice order by voice",
        )
        .bind(recipe.as_str())
        .fetch_all(&self.pool)
        .await?;
        let mut voices = Vec::new();
        let mut rejected = 0;
        for row in &rows {
            voices.push((row.try_get(0)?, row.try_get(1)?));
            rejected += row.try_get::<i64, _>(2)?;
        }
        Ok((voices, rejected))
    }
}

/// Writes what `recipe` made of `post`. False when the post is gone or no longer as it was read.
async fn write_reading(
    tx: &mut Transaction<'_, Sqlite>,
    recipe: &Recipe,
    post: &UnreadPost,
    reading: &PostReading,
) -> Result<bool> {
    let stands = sqlx::query("select 1 from post where id = $1 and text = $2 and bot = $3")
        .bind(post.id.as_str())
        .bind(&post.text)
        .bind(post.bot)
        .fetch_optional(&mut **tx)
        .await?;
    if stands.is_none() {
        return Ok(false);
    }
    sqlx::query(
        "insert into post_reading (post, recipe, voice, lang, rejected, withheld) values ($1, $2, $3, $4, $5, $6) \
         on conflict do nothing",
    )
    .bind(post.id.as_str())
    .bind(recipe.as_str())
    .bind(reading.voice.as_str())
    .bind(reading.lang)
    .bind(i64::try_from(reading.rejected)?)
    .bind(i64::try_from(reading.withheld)?)
    .execute(&mut **tx)
    .await?;
    for found in &reading.acts {
        let signal = Signal::new(post.id.clone(), found.clone(), reading.voice, recipe.clone());
        insert_signal(tx, &signal).await?;
    }
    for slot in &reading.texture {
        insert_texture(tx, &post.id, recipe, slot).await?;
    }
    if !reading.acts.is_empty() {
        sqlx::query(
            "update post set revision = 1 + (select max(revision) from \
             (select max(revision) as revision from post union all select max(revision) from removed_post) r) where id = $1",
        )
        .bind(post.id.as_str())
        .execute(&mut **tx)
        .await?;
    }
    Ok(true)
}

async fn insert_signal(tx: &mut Transaction<'_, Sqlite>, signal: &Signal) -> Result<()> {
    let span = signal.evidence.span();
    sqlx::query(
        "insert into signal (id, post, recipe, act, detail, start_byte, end_byte, fit, voice, confidence, support) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing",
    )
    .bind(signal.id.as_str())
    .bind(signal.post.as_str())
    .bind(signal.recipe.as_str())
    .bind(signal.act.kind().as_str())
    .bind(act_detail(&signal.act).to_string())
    .bind(i64::try_from(span.start())?)
    .bind(i64::try_from(span.end())?)
    .bind(signal.evidence.fit().as_str())
    .bind(signal.voice.as_str())
    .bind(signal.confidence)
    .bind(signal.support.map(Support::as_str))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn insert_texture(
    tx: &mut Transaction<'_, Sqlite>,
    post: &PostId,
    recipe: &Recipe,
    slot: &TextureSlot,
) -> Result<()> {
    let span = slot.evidence.span();
    sqlx::query(
        "insert into texture (post, recipe, slot, start_byte, end_byte, value) values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
    )
    .bind(post.as_str())
    .bind(recipe.as_str())
    .bind(slot.slot.as_str())
    .bind(i64::try_from(span.start())?)
    .bind(i64::try_from(span.end())?)
    .bind(serde_json::to_string(&slot.value)?)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn stored_signal(row: &SqliteRow, recipe: &Recipe) -> Result<StoredSignal> {
    let text: String = row.try_get(14)?;
    let fit = Fit::parse(&row.try_get::<String, _>(6)?).context("fit")?;
    let evidence = cut(&text, row.try_get(4)?, row.try_get(5)?, fit).context("signal span")?;
    let detail: Value = serde_json::from_str(&row.try_get::<String, _>(3)?)?;
    let act = read_act(&row.try_get::<String, _>(2)?, &detail, &text).context("act")?;
    let signal = Signal {
        id: SignalId::new(row.try_get::<String, _>(0)?),
        post: PostId::new(row.try_get::<String, _>(1)?),
        act,
        evidence,
        voice: Voice::parse(&row.try_get::<String, _>(7)?).context("voice")?,
        confidence: row.try_get(8)?,
        support: row.try_get::<Option<String>, _>(15)?.as_deref().and_then(Support::parse),
        recipe: recipe.clone(),
    };
    Ok(StoredSignal {
        signal,
        author: row.try_get::<Option<String>, _>(9)?.map(AuthorKey::new),
        thread: row.try_get(10)?,
        community: row.try_get(11)?,
        written_at: row.try_get::<Option<i64>, _>(12)?.and_then(instant),
        url: row.try_get(13)?,
        text,
    })
}

/// Cuts stored offsets out of the text they were made for.
pub(super) fn cut(text: &str, start: i64, end: i64, fit: Fit) -> Option<Evidence> {
    let span = Span::new(text, usize::try_from(start).ok()?, usize::try_from(end).ok()?)?;
    Evidence::cut(text, span, fit)
}

fn span_json(evidence: Option<&Evidence>) -> Value {
    evidence.map_or(Value::Null, |e| json!([e.span().start(), e.span().end()]))
}

fn act_detail(act: &Act) -> Value {
    match act {
        Act::Complaint { severity } => json!({ "severity": severity }),
        Act::FailedWorkaround { means, why_failed } => {
            json!({ "means": span_json(means.as_ref()), "why_failed": span_json(why_failed.as_ref()) })
        }
        Act::Workaround { means } => json!({ "means": span_json(means.as_ref()) }),
        Act::Ask { kind } => json!({ "kind": kind }),
        Act::Switch { from, to, stage, reason } => json!({
            "from": span_json(from.as_ref()), "to": span_json(to.as_ref()), "stage": stage, "reason": span_json(reason.as_ref()),
        }),
        Act::Praise => json!({}),
    }
}

fn read_act(name: &str, detail: &Value, text: &str) -> Option<Act> {
    let span = |field: &str| {
        let pair = detail.get(field)?.as_array()?;
        cut(text, pair.first()?.as_i64()?, pair.get(1)?.as_i64()?, Fit::Exact)
    };
    Some(match ActKind::parse(name)? {
        ActKind::Complaint => {
            Act::Complaint { severity: serde_json::from_value::<Severity>(detail.get("severity")?.clone()).ok()? }
        }
        ActKind::FailedWorkaround => Act::FailedWorkaround { means: span("means"), why_failed: span("why_failed") },
        ActKind::Workaround => Act::Workaround { means: span("means") },
        ActKind::Ask => Act::Ask { kind: serde_json::from_value::<AskKind>(detail.get("kind")?.clone()).ok()? },
        ActKind::Switch => Act::Switch {
            from: span("from"),
            to: span("to"),
            stage: serde_json::from_value::<SwitchStage>(detail.get("stage")?.clone()).ok()?,
            reason: span("reason"),
        },
        ActKind::Praise => Act::Praise,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{FoundAct, Post, PostFlags, Source, Thread, ThreadId};
    use crate::store::Batch;

    /// One thread of these posts.
    fn batch(posts: &[(&str, &str)]) -> Batch {
        let thread = ThreadId::new("jsonl:t");
        let post = |(id, text): &(&str, &str)| Post {
            id: PostId::new(*id),
            thread: thread.clone(),
            parent: None,
            source: Source::Jsonl,
            community: "c".to_owned(),
            author: Some(AuthorKey::pseudonym(&[0; 32], "jsonl", "sam")),
            written_at: None,
            edited_at: None,
            url: None,
            text: (*text).to_owned(),
            flags: PostFlags::default(),
        };
        let posts = posts.iter().map(post).collect();
        let threads = vec![Thread {
            id: thread.clone(),
            source: Source::Jsonl,
            community: "c".to_owned(),
            title: String::new(),
            url: None,
            started_at: None,
        }];
        Batch { threads, posts, ..Batch::default() }
    }

    /// A model takes its time; a post may be changed or removed until its answer comes.
    #[tokio::test]
    async fn what_was_made_of_words_that_are_gone_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).await.unwrap();
        let recipe = Recipe::new("test", &[]);
        store.write_batch(&batch(&[("p1", "It leaks."), ("p2", "It rusts."), ("p3", "It rattles.")])).await.unwrap();
        let unread = store.unread_posts(&recipe, 0, 9).await.unwrap();
        let routes: Vec<_> = unread.iter().map(|post| (post.id.clone(), crate::model::Route::PassedOn)).collect();
        let read = unread.into_iter().map(|post| {
            let evidence = Evidence::cut(&post.text, Span::new(&post.text, 0, post.text.len()).unwrap(), Fit::Exact);
            let act = (Act::Complaint { severity: Severity::NoReproach }, evidence.unwrap(), 0.5).into();
            let silent = PostReading::silent(None);
            (post, PostReading { voice: Voice::FirstHand, acts: vec![act], ..silent })
        });
        let read: Vec<_> = read.collect();
        let removed = vec![PostId::new("p1")];
        store.write_batch(&Batch { removed, ..batch(&[("p2", "No.")]) }).await.unwrap();
        store.write_routes(&recipe, &routes).await.unwrap();
        assert_eq!(store.write_read_posts(&recipe, &read).await.unwrap(), 2);
        let quotes = store.signals(&recipe, "", 9).await.unwrap();
        assert_eq!(quotes.iter().map(|s| s.signal.evidence.quote()).collect::<Vec<_>>(), ["It rattles."]);
        let left = store.unread_posts(&recipe, 0, 9).await.unwrap();
        assert_eq!(left.iter().map(|post| post.text.as_str()).collect::<Vec<_>>(), ["No."]);
    }

    #[tokio::test]
    async fn what_the_words_do_not_bear_out_is_kept_and_not_counted() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).await.unwrap();
        let text = "It leaks. It rusts. It rattles.";
        let id = PostId::new("jsonl:1");
        store.write_batch(&batch(&[("jsonl:1", text)])).await.unwrap();
        let verdicts = [(0, 9, Some(Support::Supported)), (10, 19, Some(Support::Unsupported)), (20, 31, None)];
        let acts = verdicts.map(|(start, end, support)| {
            let evidence = cut(text, start, end, Fit::Exact).unwrap();
            FoundAct { support, ..(Act::Complaint { severity: Severity::NoReproach }, evidence, 0.5).into() }
        });
        let reading = PostReading {
            voice: Voice::FirstHand,
            lang: None,
            acts: acts.to_vec(),
            texture: vec![],
            rejected: 2,
            withheld: 0,
        };
        let recipe = Recipe::new("test", &[]);
        store.write_post_readings(&recipe, &[(id, reading)]).await.unwrap();
        let mut shown = store.signals(&recipe, "", 10).await.unwrap();
        shown.sort_by_key(|s| s.signal.evidence.span());
        let shown: Vec<_> = shown.iter().map(|s| (s.signal.evidence.quote(), s.signal.support)).collect();
        assert_eq!(shown, [("It leaks.", Some(Support::Supported)), ("It rattles.", None)]);
        assert_eq!(store.community_rows(&recipe, "").await.unwrap().len(), 2);
        let expected = QuoteTotals { exact: 3, rejected: 2, supported: 1, unsupported: 1, ..QuoteTotals::default() };
        assert_eq!(store.quote_totals(&recipe).await.unwrap(), expected);
    }
}
