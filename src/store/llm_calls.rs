//! The ledger of questions to a language model, which is also the cache of its answers.

use std::collections::HashSet;

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};

use super::{Store, millis};
use crate::model::PostId;

/// One answered question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlmCall {
    /// Hash of everything that decides the answer.
    pub request_hash: String,
    /// The model, as the server calls it.
    pub model: String,
    /// The prompt's name.
    pub prompt: String,
    /// What it was about.
    pub unit: String,
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// Price, in millionths of the price table's currency.
    pub cost_micros: u64,
    /// Why the model stopped; `lost` of a question that was sent and never answered.
    pub finish: String,
    /// The reply as it came.
    pub reply: String,
    /// When it arrived.
    pub made_at: Timestamp,
}

/// What a workspace has spent on a language model, over all runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LlmSpent {
    /// Questions that answers were paid for, each once however often it was asked.
    pub calls: u64,
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// Price, in millionths of the price table's currency.
    pub cost_micros: u64,
}

/// A batch handed to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlmBatch {
    /// The provider's id.
    pub id: String,
    /// Its questions.
    pub requests: Vec<LlmRequest>,
}

/// A question in a batch: what the ledger will want to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmRequest {
    /// Hash of everything that decides the answer.
    pub hash: String,
    /// The prompt's name.
    pub prompt: String,
    /// What it is about.
    pub unit: String,
    /// Tokens sent, about.
    pub prompt_tokens: u64,
    /// Most tokens to receive.
    pub max_tokens: u64,
}

/// What a model said of `post` is forgotten when the post is gone from its source (`text` is `None`) or says something else
/// now: answers hold its words. What they cost is kept.
pub(super) async fn forget_replies(tx: &mut Transaction<'_, Sqlite>, post: &PostId, text: Option<&str>) -> Result<()> {
    for sql in [
        "update llm_call set reply = null where unit = $1 \
         and ($2 is null or exists (select 1 from post where id = $1 and text <> $2))",
        "update llm_call set reply = null where instr(unit, ' ') > 0 and instr(' ' || unit || ' ', ' ' || $1 || ' ') > 0 \
         and ($2 is null or exists (select 1 from post where id = $1 and text <> $2))",
    ] {
        sqlx::query(sql).bind(post.as_str()).bind(text).execute(&mut **tx).await?;
    }
    Ok(())
}

/// As [`forget_replies`] of many posts that are gone, in one pass over what was asked.
pub(super) async fn forget_replies_of(tx: &mut Transaction<'_, Sqlite>, posts: &HashSet<String>) -> Result<()> {
    let asked = "select request_hash, unit from llm_call where reply is not null";
    let asked = sqlx::query(asked).fetch_all(&mut **tx).await?;
    for row in &asked {
        let (hash, unit): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        if unit.split(' ').any(|post| posts.contains(post)) {
            let forgotten = sqlx::query("update llm_call set reply = null where request_hash = $1").bind(hash);
            forgotten.execute(&mut **tx).await?;
        }
    }
    Ok(())
}

impl Store {
    /// Why the model stopped and what it replied to the question with `request_hash`, if it was answered before.
    pub async fn llm_reply(&self, request_hash: &str) -> Result<Option<(String, String)>> {
        let sql = "select finish, reply from llm_call where request_hash = $1 and reply is not null";
        let row = sqlx::query(sql).bind(request_hash).fetch_optional(&self.pool).await?;
        row.map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).transpose()
    }

    /// Writes down an answer. Should the same question have been paid for twice, by two runs at once or after its answer
    /// was forgotten, the sums hold both.
    pub async fn record_llm_call(&self, call: &LlmCall) -> Result<()> {
        let mut write = self.write().await?;
        insert(&mut write, call).await?;
        Ok(write.commit().await?)
    }

    /// Remembers a batch that was handed over.
    pub async fn record_llm_batch(&self, batch: &LlmBatch, base_url: &str, model: &str, at: Timestamp) -> Result<()> {
        sqlx::query("insert into llm_batch (id, base_url, model, requests, made_at) values ($1, $2, $3, $4, $5)")
            .bind(&batch.id)
            .bind(base_url)
            .bind(model)
            .bind(serde_json::to_string(&batch.requests)?)
            .bind(millis(at))
            .execute(&self.pool)
            .await
            .with_context(|| format!("could not write down the batch {}", batch.id))?;
        Ok(())
    }

    /// Gives a remembered batch the name by which the provider knows it.
    pub async fn name_llm_batch(&self, known_as: &str, id: &str) -> Result<()> {
        sqlx::query("update llm_batch set id = $2 where id = $1")
            .bind(known_as)
            .bind(id)
            .execute(&self.pool)
            .await
            .with_context(|| format!("could not write down the batch {id}"))?;
        Ok(())
    }

    /// Batches handed to `model` at `base_url` and not collected yet, oldest first.
    pub async fn llm_batches(&self, base_url: &str, model: &str) -> Result<Vec<LlmBatch>> {
        let sql = "select id, requests from llm_batch where base_url = $1 and model = $2 order by made_at, id";
        let rows = sqlx::query(sql).bind(base_url).bind(model).fetch_all(&self.pool).await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let requests = serde_json::from_str(row.try_get(1)?).context("the store's list of a batch is damaged")?;
            Ok(LlmBatch { id: row.try_get(0)?, requests })
        };
        rows.iter().map(read).collect()
    }

    /// Writes down what came of the batch `id` and forgets it, both or neither: collected twice, it would be charged twice.
    pub async fn collect_llm_batch(&self, id: &str, calls: &[LlmCall]) -> Result<()> {
        let mut write = self.write().await?;
        for call in calls {
            insert(&mut write, call).await?;
        }
        sqlx::query("delete from llm_batch where id = $1").bind(id).execute(&mut *write).await?;
        write.commit().await.with_context(|| format!("could not write down the answers of the batch {id}"))
    }

    /// What was spent over all runs.
    pub async fn llm_spent(&self) -> Result<LlmSpent> {
        let row = sqlx::query(
            "select count(*) filter (where finish <> 'lost'), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0), \
             coalesce(sum(cost_micros), 0) from llm_call",
        )
        .fetch_one(&self.pool)
        .await?;
        let number = |at: usize| -> Result<u64> { Ok(u64::try_from(row.try_get::<i64, _>(at)?)?) };
        Ok(LlmSpent {
            calls: number(0)?,
            prompt_tokens: number(1)?,
            completion_tokens: number(2)?,
            cost_micros: number(3)?,
        })
    }

    /// What `model` at `base_url` turned out to understand, as it was remembered.
    pub async fn llm_dialect(&self, base_url: &str, model: &str) -> Result<Option<String>> {
        let row = sqlx::query("select dialect from llm_server where base_url = $1 and model = $2")
            .bind(base_url)
            .bind(model)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Remembers what `model` at `base_url` understands.
    pub async fn remember_llm_dialect(&self, base_url: &str, model: &str, dialect: &str) -> Result<()> {
        sqlx::query(
            "insert into llm_server (base_url, model, dialect) values ($1, $2, $3) \
             on conflict (base_url, model) do update set dialect = excluded.dialect",
        )
        .bind(base_url)
        .bind(model)
        .bind(dialect)
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

/// Writes down an answer, within a transaction. Of one that was under way while a post it is about was removed, only what it
/// cost is kept: it holds the post's words.
pub(super) async fn insert(connection: &mut SqliteConnection, call: &LlmCall) -> Result<()> {
    let mut gone = false;
    for id in call.unit.split(' ') {
        let removed = sqlx::query("select 1 from removed_post where id = $1").bind(id);
        gone |= removed.fetch_optional(&mut *connection).await?.is_some();
    }
    sqlx::query(
        "insert into llm_call (request_hash, model, prompt, unit, prompt_tokens, completion_tokens, cost_micros, \
         finish, reply, made_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         on conflict (request_hash) do update set prompt_tokens = llm_call.prompt_tokens + excluded.prompt_tokens, \
         completion_tokens = llm_call.completion_tokens + excluded.completion_tokens, \
         cost_micros = llm_call.cost_micros + excluded.cost_micros, \
         finish = excluded.finish, reply = excluded.reply, made_at = excluded.made_at",
    )
    .bind(&call.request_hash)
    .bind(&call.model)
    .bind(&call.prompt)
    .bind(&call.unit)
    .bind(integer(call.prompt_tokens))
    .bind(integer(call.completion_tokens))
    .bind(integer(call.cost_micros))
    .bind(&call.finish)
    .bind((!gone).then_some(&call.reply))
    .bind(millis(call.made_at))
    .execute(connection)
    .await
    .with_context(|| format!("could not write down the model's answer about {}", call.unit))?;
    Ok(())
}

fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(hash: &str, cost: u64, reply: &str) -> LlmCall {
        LlmCall {
            request_hash: hash.to_owned(),
            model: "m".to_owned(),
            prompt: "read_post".to_owned(),
            unit: "p1".to_owned(),
            prompt_tokens: 10,
            completion_tokens: 2,
            cost_micros: cost,
            finish: "stop".to_owned(),
            reply: reply.to_owned(),
            made_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn answers_are_kept_and_what_was_paid_twice_is_summed() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
        assert_eq!(store.llm_spent().await.unwrap(), LlmSpent::default());
        store.record_llm_call(&call("a", 5, "{}")).await.unwrap();
        store.record_llm_call(&call("b", 7, "{\"x\":1}")).await.unwrap();
        store.record_llm_call(&call("a", 5, "{\"y\":1}")).await.unwrap();
        let spent = LlmSpent { calls: 2, prompt_tokens: 30, completion_tokens: 6, cost_micros: 17 };
        assert_eq!(store.llm_spent().await.unwrap(), spent);
        let found = store.llm_reply("a").await.unwrap();
        assert_eq!(found, Some(("stop".to_owned(), "{\"y\":1}".to_owned())));
        assert_eq!(store.llm_reply("c").await.unwrap(), None);
    }

    /// A batch may be under way for a day, and a post be removed in it.
    #[tokio::test]
    async fn an_answer_about_a_removed_post_is_paid_for_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
        let removed = vec![PostId::new("p1")];
        store.write_batch(&crate::store::Batch { removed, ..crate::store::Batch::default() }).await.unwrap();
        let about = |hash: &str, unit: &str| LlmCall { unit: unit.to_owned(), ..call(hash, 5, "{}") };
        let calls = [about("one", "p1"), about("both", "p0 p1"), about("other", "p0 p11")];
        store.collect_llm_batch("b", &calls).await.unwrap();
        store.record_llm_call(&about("late", "p1")).await.unwrap();
        for (hash, kept) in [("one", false), ("both", false), ("other", true), ("late", false)] {
            assert_eq!(store.llm_reply(hash).await.unwrap().is_some(), kept, "{hash}");
        }
        assert_eq!(store.llm_spent().await.unwrap().cost_micros, 20);
    }

    #[tokio::test]
    async fn what_a_server_understands_is_remembered_per_model() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
        store.remember_llm_dialect("http://a/v1", "m", "{\"format\":\"plain\"}").await.unwrap();
        store.remember_llm_dialect("http://a/v1", "m", "{\"format\":\"schema\"}").await.unwrap();
        let dialect = store.llm_dialect("http://a/v1", "m").await.unwrap();
        assert_eq!(dialect.as_deref(), Some("{\"format\":\"schema\"}"));
        assert_eq!(store.llm_dialect("http://a/v1", "n").await.unwrap(), None);
    }
}
