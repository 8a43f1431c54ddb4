//! Which posts went to the expensive reader, and what an audit of the others found.

use anyhow::Result;
use sqlx::Row;

use super::Store;
use crate::model::{PostId, Recipe, Route};

/// What became of the posts that a recipe's cascade routed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RouteTotals {
    /// Posts passed on.
    pub passed_on: u64,
    /// Of these, with an act that counts.
    pub passed_on_with_acts: u64,
    /// Posts not worth a call that were read all the same.
    pub audited: u64,
    /// Of these, with an act that counts.
    pub audited_with_acts: u64,
    /// Posts not read.
    pub left: u64,
}

impl Store {
    /// Writes which way posts go, before they go it; repeating is harmless.
    pub async fn write_routes(&self, recipe: &Recipe, routes: &[(PostId, Route)]) -> Result<()> {
        let mut tx = self.write().await?;
        for (post, route) in routes {
            // A post that was removed meanwhile goes nowhere.
            sqlx::query(
                "insert into post_route (post, recipe, route) select id, $2, $3 from post where id = $1 on conflict do nothing",
            )
            .bind(post.as_str())
            .bind(recipe.as_str())
            .bind(route.as_str())
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// What became of the posts that were read or left under `recipe`, over all runs.
    pub async fn route_totals(&self, recipe: &Recipe) -> Result<RouteTotals> {
        let rows = sqlx::query(
            "select r.route, count(*), sum(case when exists (select 1 from signal s where s.post = r.post and s.recipe = r.recipe \
             and coalesce(s.support, '') <> 'unsupported') then 1 else 0 end) \
             from post_route r join post_reading p on p.post = r.post and p.recipe = r.recipe \
             where r.recipe = $1 group by r.route",
        )
        .bind(recipe.as_str())
        .fetch_all(&self.pool)
        .await?;
        let mut totals = RouteTotals::default();
        for row in rows {
            let (posts, with_acts): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
            let (posts, with_acts) = (posts.unsigned_abs(), with_acts.unsigned_abs());
            match Route::parse(&row.try_get::<String, _>(0)?) {
                Some(Route::PassedOn) => (totals.passed_on, totals.passed_on_with_acts) = (posts, with_acts),
                Some(Route::Audited) => (totals.audited, totals.audited_with_acts) = (posts, with_acts),
                Some(Route::Left) | None => totals.left = posts,
            }
        }
        Ok(totals)
    }
}
