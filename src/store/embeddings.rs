//! Vectors of texts, kept by model and by the text's hash.

use std::collections::HashSet;

use anyhow::{Context, Result};
use futures_util::TryStreamExt as _;
use sqlx::Row;

use super::llm_calls::insert;
use super::{LlmCall, Store};

impl Store {
    /// Hands every vector of `model` to `take`, with its text's hash.
    pub async fn embeddings(&self, model: &str, mut take: impl FnMut(String, &[u8])) -> Result<()> {
        let mut rows =
            sqlx::query("select text_hash, vector from embedding where model = $1").bind(model).fetch(&self.pool);
        while let Some(row) = rows.try_next().await.context("could not read the vectors of texts")? {
            take(row.try_get(0)?, row.try_get(1)?);
        }
        Ok(())
    }

    /// Whether there is any vector.
    pub async fn has_embeddings(&self) -> Result<bool> {
        let row = sqlx::query("select text_hash from embedding limit 1").fetch_optional(&self.pool).await?;
        Ok(row.is_some())
    }

    /// Keeps vectors of `model`, by their texts' hashes, with what they cost.
    pub async fn keep_embeddings(
        &self,
        model: &str,
        vectors: &[(String, Vec<u8>)],
        call: Option<&LlmCall>,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        if let Some(call) = call {
            insert(&mut tx, call).await?;
        }
        for (text_hash, vector) in vectors {
            sqlx::query(
                "insert into embedding (model, text_hash, vector) values ($1, $2, $3) \
                 on conflict (model, text_hash) do update set vector = excluded.vector",
            )
            .bind(model)
            .bind(text_hash)
            .bind(vector)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await.context("could not keep the vectors of texts")
    }

    /// Drops the vectors, of any model, of texts that are not among `texts` (hashes). Returns how many.
    pub async fn drop_embeddings_but(&self, texts: &HashSet<&str>) -> Result<u64> {
        let mut gone = Vec::new();
        let mut rows = sqlx::query("select distinct text_hash from embedding").fetch(&self.pool);
        while let Some(row) = rows.try_next().await? {
            let text_hash: String = row.try_get(0)?;
            if !texts.contains(text_hash.as_str()) {
                gone.push(text_hash);
            }
        }
        drop(rows);
        if gone.is_empty() {
            return Ok(0);
        }
        let mut tx = self.write().await?;
        let mut dropped = 0;
        for text_hash in gone {
            let done =
                sqlx::query("delete from embedding where text_hash = $1").bind(text_hash).execute(&mut *tx).await?;
            dropped += done.rows_affected();
        }
        tx.commit().await.context("could not drop the vectors of texts that are gone")?;
        Ok(dropped)
    }

    /// Drops all vectors of `model`.
    pub async fn drop_embeddings_of(&self, model: &str) -> Result<()> {
        sqlx::query("delete from embedding where model = $1").bind(model).execute(&self.pool).await?;
        Ok(())
    }

    /// Notes that the assignments under `codebook` were made by `embedder`.
    pub async fn note_embedder(&self, codebook: &str, embedder: &str) -> Result<()> {
        sqlx::query(
            "insert into grouping_recipe (codebook, embedder) values ($1, $2) \
             on conflict (codebook) do update set embedder = excluded.embedder",
        )
        .bind(codebook)
        .bind(embedder)
        .execute(&self.pool)
        .await
        .context("could not note what the problems were grouped by")?;
        Ok(())
    }

    /// What the newest assignments under `codebook` were made by.
    pub async fn embedder(&self, codebook: &str) -> Result<Option<String>> {
        let row = sqlx::query("select embedder from grouping_recipe where codebook = $1")
            .bind(codebook)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    async fn kept(store: &Store, model: &str) -> BTreeMap<String, Vec<u8>> {
        let mut kept = BTreeMap::new();
        store.embeddings(model, |hash, vector| drop(kept.insert(hash, vector.to_vec()))).await.unwrap();
        kept
    }

    #[tokio::test]
    async fn vectors_are_kept_by_model_until_their_text_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
        let row = |hash: &str, byte: u8| (hash.to_owned(), vec![byte, 0]);
        store.keep_embeddings("m", &[row("a", 1), row("b", 2)], None).await.unwrap();
        store.keep_embeddings("m", &[row("a", 3)], None).await.unwrap();
        store.keep_embeddings("n", &[row("a", 4), row("c", 5)], None).await.unwrap();
        assert_eq!(kept(&store, "m").await, BTreeMap::from([row("a", 3), row("b", 2)]));
        assert_eq!(store.drop_embeddings_but(&HashSet::from(["a", "c"])).await.unwrap(), 1);
        assert_eq!(kept(&store, "m").await, BTreeMap::from([row("a", 3)]));
        store.drop_embeddings_of("m").await.unwrap();
        assert!(kept(&store, "m").await.is_empty());
        assert_eq!(kept(&store, "n").await.len(), 2);
        assert!(store.keep_embeddings("n", &[("d".to_owned(), vec![1])], None).await.is_err(), "half a number");
    }
}
