//! Hand labels, and which units were drawn for them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::Store;
use crate::model::Scope;

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

/// A sample of the units of some days.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// First of the days; `None` when that end was open, or was not kept.
    pub since: Option<Date>,
    /// Last of them, likewise.
    pub until: Option<Date>,
    /// Of which people; the empty scope when of all.
    pub scope: Scope,
    /// What was drawn, ordered.
    pub units: Vec<SampleUnit>,
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

/// A post or note with what belongs to it when it is read alone. Neither says who wrote it, nor where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemInContext {
    /// Title of the post's thread, maybe empty; of a note what kind of record it is.
    pub heading: String,
    /// The post that a post answers, else the one before it in the thread; `None` when it is the first.
    pub before: Option<String>,
    /// Its text.
    pub text: String,
}

impl Store {
    /// The text of a post or note; `None` when it is not here.
    pub async fn item_text(&self, side: Side, item: &str) -> Result<Option<String>> {
        let sql = match side {
            Side::Community => "select text from post where id = $1",
            Side::Crm => "select text from note where id = $1",
        };
        let row = sqlx::query(sql).bind(item).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// A post as it is read in its thread, or a note; `None` when it is not here.
    pub async fn item_in_context(&self, side: Side, item: &str) -> Result<Option<ItemInContext>> {
        let sql = match side {
            Side::Community => {
                "select t.title, p.text, coalesce((select a.text from post a where a.id = p.parent), \
                 (select b.text from post b where b.thread = p.thread and b.written_at < p.written_at \
                 order by b.written_at desc, b.id desc limit 1)) \
                 from post p join thread t on t.id = p.thread where p.id = $1"
            }
            Side::Crm => "select kind, text, null from note where id = $1",
        };
        let row = sqlx::query(sql).bind(item).fetch_optional(&self.pool).await?;
        row.map(|row| Ok(ItemInContext { heading: row.try_get(0)?, text: row.try_get(1)?, before: row.try_get(2)? }))
            .transpose()
    }

    /// The cluster of every labelled item that is here: the thread of a post, the account of a note.
    pub async fn label_clusters(&self, side: Side) -> Result<BTreeMap<String, String>> {
        let sql = match side {
            Side::Community => {
                "select id, thread from post where id in (select item from label where side = 'community')"
            }
            Side::Crm => "select id, account from note where id in (select item from label where side = 'crm')",
        };
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// Writes labels, as made for the current list of problems; a later answer of the same annotator replaces the earlier one.
    pub async fn write_labels(&self, labels: &[LabelRow]) -> Result<()> {
        let mut tx = self.write().await?;
        for label in labels {
            sqlx::query(
                "insert into label (side, item, annotator, answer, codebook) values ($1, $2, $3, $4, \
                 (select codebook from codebook_version order by version desc limit 1)) \
                 on conflict (side, item, annotator) do update set answer = excluded.answer, codebook = excluded.codebook",
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

    /// Writes what was drawn of the people of `scope` for the days `since` to `until`, instead of what was drawn for the same days
    /// before, and of what was drawn for days that nobody kept.
    pub async fn write_sample(
        &self,
        [since, until]: [Option<Date>; 2],
        scope: &Scope,
        units: &[SampleUnit],
    ) -> Result<()> {
        let scope = (!scope.is_empty()).then(|| serde_json::to_string(scope)).transpose()?;
        let [since, until] = [since, until].map(|day| day.map(|day| day.to_string()));
        let mut tx = self.write().await?;
        sqlx::query(
            "delete from draw where (since is not distinct from $1 and until is not distinct from $2) \
             or (since is null and until is null)",
        )
        .bind(&since)
        .bind(&until)
        .execute(&mut *tx)
        .await?;
        let row = sqlx::query(
            "insert into draw (number, since, until, scope) select coalesce(max(number), 0) + 1, $1, $2, $3 from draw \
             returning number",
        )
        .bind(&since)
        .bind(&until)
        .bind(&scope)
        .fetch_one(&mut *tx)
        .await?;
        let number: i64 = row.try_get(0)?;
        for unit in units {
            sqlx::query("insert into drawn_unit (draw, side, unit, weight) values ($1, $2, $3, $4)")
                .bind(number)
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
        Ok(self.labels_and_lists().await?.into_iter().map(|(row, _)| row).collect())
    }

    /// The same with the hash of the list of problems that each was made for, where that was kept.
    pub async fn labels_and_lists(&self) -> Result<Vec<(LabelRow, Option<String>)>> {
        let rows =
            sqlx::query("select side, item, annotator, answer, codebook from label order by side, item, annotator")
                .fetch_all(&self.pool)
                .await?;
        rows.iter()
            .map(|row| {
                let label = LabelRow {
                    side: side(&row.try_get::<String, _>(0)?),
                    item: row.try_get(1)?,
                    annotator: row.try_get(2)?,
                    answer: row.try_get(3)?,
                };
                Ok((label, row.try_get(4)?))
            })
            .collect()
    }

    /// What was drawn last, ordered.
    pub async fn sample(&self) -> Result<Vec<SampleUnit>> {
        Ok(self.draws().await?.pop().map(|draw| draw.units).unwrap_or_default())
    }

    /// All that was drawn, in that order.
    pub async fn draws(&self) -> Result<Vec<Draw>> {
        let rows =
            sqlx::query("select number, since, until, scope from draw order by number").fetch_all(&self.pool).await?;
        let day = |row: &SqliteRow, at: usize| {
            let day = row.try_get::<Option<String>, _>(at)?.map(|day| day.parse::<Date>());
            day.transpose().context("the days of a sample")
        };
        let mut draws = Vec::new();
        for row in &rows {
            let units = self.drawn(row.try_get(0)?).await?;
            let scope = row.try_get::<Option<String>, _>(3)?.map(|scope| serde_json::from_str(&scope));
            let scope = scope.transpose().context("the scope of a sample")?.unwrap_or_default();
            draws.push(Draw { since: day(row, 1)?, until: day(row, 2)?, scope, units });
        }
        Ok(draws)
    }

    async fn drawn(&self, number: i64) -> Result<Vec<SampleUnit>> {
        let rows = sqlx::query("select side, unit, weight from drawn_unit where draw = $1 order by side, unit")
            .bind(number)
            .fetch_all(&self.pool)
            .await?;
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
