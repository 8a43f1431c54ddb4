//! Codebooks and what belongs to which problem.

use anyhow::Result;
use jiff::Timestamp;
use sqlx::Row;

use super::labels::side;
use super::{Side, Store, millis};
use crate::model::{Codebook, Problem, ProblemId};

/// Where a signal or a claimed pain belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// Which side.
    pub side: Side,
    /// Signal id or claimed pain id.
    pub unit: String,
    /// `None`: fits no problem of the codebook (`other`).
    pub problem: Option<ProblemId>,
    /// Similarity to the problem, higher is closer.
    pub score: f64,
}

impl Store {
    /// Freezes `codebook` as the current one, and writes the assignments under it. Known assignments are replaced.
    pub async fn write_codebook(&self, codebook: &Codebook, assignments: &[Assignment], at: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        // Freezing a known codebook again makes it the newest; its problems are what they were.
        sqlx::query(
            "insert into codebook (hash, version, made_by, frozen_at) \
             values ($1, 1 + (select coalesce(max(version), 0) from codebook), $2, $3) on conflict (hash) do update set \
             version = case when codebook.version = (select max(version) from codebook) then codebook.version \
             else excluded.version end",
        )
        .bind(codebook.hash())
        .bind(&codebook.made_by)
        .bind(millis(at))
        .execute(&mut *tx)
        .await?;
        for problem in codebook.problems() {
            sqlx::query("insert into problem (codebook, id, body) values ($1, $2, $3) on conflict do nothing")
                .bind(codebook.hash())
                .bind(problem.id.as_str())
                .bind(serde_json::to_string(problem)?)
                .execute(&mut *tx)
                .await?;
        }
        for a in assignments {
            sqlx::query(
                "insert into assignment (codebook, side, unit, problem, score) values ($1, $2, $3, $4, $5) \
                 on conflict (codebook, side, unit) do update set problem = excluded.problem, score = excluded.score",
            )
            .bind(codebook.hash())
            .bind(a.side.as_str())
            .bind(&a.unit)
            .bind(a.problem.as_ref().map(ProblemId::as_str))
            .bind(a.score)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The newest codebook, with its version number.
    pub async fn codebook(&self) -> Result<Option<(Codebook, i64)>> {
        let Some(row) = sqlx::query("select hash, version, made_by from codebook order by version desc limit 1")
            .fetch_optional(&self.pool)
            .await?
        else {
            return Ok(None);
        };
        let hash: String = row.try_get(0)?;
        let rows = sqlx::query("select body from problem where codebook = $1 order by id")
            .bind(&hash)
            .fetch_all(&self.pool)
            .await?;
        let problems = rows
            .iter()
            .map(|row| Ok(serde_json::from_str::<Problem>(&row.try_get::<String, _>(0)?)?))
            .collect::<Result<Vec<_>>>()?;
        Ok(Some((Codebook::new(row.try_get::<String, _>(2)?, problems), row.try_get(1)?)))
    }

    /// Every assignment under `codebook`, ordered by side and unit.
    pub async fn assignments(&self, codebook: &str) -> Result<Vec<Assignment>> {
        let rows =
            sqlx::query("select side, unit, problem, score from assignment where codebook = $1 order by side, unit")
                .bind(codebook)
                .fetch_all(&self.pool)
                .await?;
        rows.iter()
            .map(|row| {
                Ok(Assignment {
                    side: side(&row.try_get::<String, _>(0)?),
                    unit: row.try_get(1)?,
                    problem: row.try_get::<Option<String>, _>(2)?.map(ProblemId::new),
                    score: row.try_get(3)?,
                })
            })
            .collect()
    }
}
