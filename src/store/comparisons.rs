//! Published comparisons.

use anyhow::Result;
use jiff::Timestamp;
use sqlx::Row;

use super::{Store, millis};
use crate::model::Recipe;

/// A comparison as it was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredComparison {
    /// `compare --json`.
    pub body: String,
}

impl Store {
    /// Keeps `body` as the comparison of this recipe and codebook.
    pub async fn write_comparison(&self, recipe: &Recipe, codebook: &str, body: &str, at: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query(
            "insert into comparison (recipe, codebook, body, made_at) values ($1, $2, $3, $4) \
             on conflict (recipe, codebook) do update set body = excluded.body, made_at = excluded.made_at",
        )
        .bind(recipe.as_str())
        .bind(codebook)
        .bind(body)
        .bind(millis(at))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The comparison of this recipe and codebook, if one was made.
    pub async fn comparison(&self, recipe: &Recipe, codebook: &str) -> Result<Option<StoredComparison>> {
        let row = sqlx::query("select body from comparison where recipe = $1 and codebook = $2")
            .bind(recipe.as_str())
            .bind(codebook)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|r| Ok(StoredComparison { body: r.try_get(0)? })).transpose()
    }
}
