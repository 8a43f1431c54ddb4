//! Which readers' readings stand side by side.

use anyhow::Result;
use sqlx::Row;

use super::Store;
use crate::model::Recipe;

/// What one reader has read of one side, and how much of it is sorted into a list of problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeUse {
    /// The reader.
    pub recipe: Recipe,
    /// Posts or notes that it has read.
    pub read: u64,
    /// Acts but for praise, or claimed pains, that it found.
    pub found: u64,
    /// Of these, sorted into the list, be it as none of its problems.
    pub sorted: u64,
}

impl Store {
    /// Everybody who has read posts, by name, with what is sorted into `codebook`.
    pub async fn post_readers(&self, codebook: &str) -> Result<Vec<RecipeUse>> {
        let sql = "select r.recipe, r.n, coalesce(f.found, 0), coalesce(f.sorted, 0) from \
                   (select recipe, count(*) n from post_reading group by recipe) r left join \
                   (select s.recipe, count(*) found, count(a.unit) sorted from signal s left join assignment a \
                   on a.codebook = $1 and a.side = 'community' and a.unit = s.id \
                   where s.act <> 'praise' and s.support is distinct from 'unsupported' group by s.recipe) f \
                   on f.recipe = r.recipe order by r.recipe";
        self.readers(sql, codebook).await
    }

    /// The same of notes.
    pub async fn note_readers(&self, codebook: &str) -> Result<Vec<RecipeUse>> {
        let sql = "select r.recipe, r.n, coalesce(f.found, 0), coalesce(f.sorted, 0) from \
                   (select recipe, count(*) n from note_reading group by recipe) r left join \
                   (select c.recipe, count(*) found, count(a.unit) sorted from claimed_pain c left join assignment a \
                   on a.codebook = $1 and a.side = 'crm' and a.unit = c.id group by c.recipe) f \
                   on f.recipe = r.recipe order by r.recipe";
        self.readers(sql, codebook).await
    }

    async fn readers(&self, sql: &'static str, codebook: &str) -> Result<Vec<RecipeUse>> {
        let rows = sqlx::query(sql).bind(codebook).fetch_all(&self.pool).await?;
        let count =
            |row: &sqlx::sqlite::SqliteRow, at: usize| Ok::<_, sqlx::Error>(row.try_get::<i64, _>(at)?.unsigned_abs());
        rows.iter()
            .map(|row| {
                Ok(RecipeUse {
                    recipe: Recipe::stored(row.try_get::<String, _>(0)?),
                    read: count(row, 1)?,
                    found: count(row, 2)?,
                    sorted: count(row, 3)?,
                })
            })
            .collect()
    }
}
