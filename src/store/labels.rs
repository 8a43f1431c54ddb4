//! Hand labels, and which units were drawn for them.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use super::Store;

/// One of the two sides that are compared. Their labels are never carried over (METHOD 0.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Authors of posts.
    Community,
    /// Accounts of the CRM.
    Crm,
}

impl Side {
    /// The name as it stands in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Community => "community",
            Self::Crm => "crm",
        }
    }
}

/// A unit drawn for labelling.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleUnit {
    /// Which side.
    pub side: Side,
    /// Author key or account id.
    pub unit: String,
    /// Inverse of its probability of being drawn; 1 or more.
    pub weight: f64,
}

/// What one person said about one post or note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRow {
    /// Which side.
    pub side: Side,
    /// Post id or note id.
    pub item: String,
    /// Who labelled.
    pub annotator: String,
    /// The answer, as JSON in the form of `compare::labels`.
    pub answer: String,
}

impl Store {
    /// Writes labels; a later answer of the same annotator replaces the earlier one.
    pub async fn write_labels(&self, labels: &[LabelRow]) -> Result<()> {
        let mut tx = self.write().await?;
        for label in labels {
            sqlx::query(
                "insert into label (side, item, annotator, answer) values ($1, $2, $3, $4) \
                 on conflict (side, item, annotator) do update set answer = excluded.answer",
            )
            .bind(label.side.as_str())
            .bind(&label.item)
            .bind(&label.annotator)
            .bind(&label.answer)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Replaces the sample.
    pub async fn write_sample(&self, units: &[SampleUnit]) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query("delete from sample_unit").execute(&mut *tx).await?;
        for unit in units {
            sqlx::query("insert into sample_unit (side, unit, weight) values ($1, $2, $3)")
                .bind(unit.side.as_str())
                .bind(&unit.unit)
                .bind(unit.weight)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Every label, ordered.
    pub async fn labels(&self) -> Result<Vec<LabelRow>> {
        let rows = sqlx::query("select side, item, annotator, answer from label order by side, item, annotator")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(LabelRow {
                    side: side(&row.try_get::<String, _>(0)?),
                    item: row.try_get(1)?,
                    annotator: row.try_get(2)?,
                    answer: row.try_get(3)?,
                })
            })
            .collect()
    }

    /// The sample, ordered.
    pub async fn sample(&self) -> Result<Vec<SampleUnit>> {
        let rows =
            sqlx::query("select side, unit, weight from sample_unit order by side, unit").fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                Ok(SampleUnit {
                    side: side(&row.try_get::<String, _>(0)?),
                    unit: row.try_get(1)?,
                    weight: row.try_get(2)?,
                })
            })
            .collect()
    }
}

/// The schema admits no third value.
pub(super) fn side(name: &str) -> Side {
    if name == "crm" { Side::Crm } else { Side::Community }
}
