//! What went wrong and was survived.

use anyhow::Result;
use serde::Serialize;
use sqlx::{Row, Sqlite, Transaction};

use super::Store;

/// One survived failure. `unit` names the file and record, or the address; `reason` says what a user can act on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Failure {
    /// The stage it happened in.
    pub stage: String,
    /// What it happened to.
    pub unit: String,
    /// Why.
    pub reason: String,
}

impl Failure {
    /// A failure of `stage`.
    pub fn new(stage: &str, unit: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { stage: stage.to_owned(), unit: unit.into(), reason: reason.into() }
    }
}

pub(super) async fn insert(tx: &mut Transaction<'_, Sqlite>, failures: &[Failure]) -> Result<()> {
    for failure in failures {
        sqlx::query("insert into failure (stage, unit, reason) values ($1, $2, $3) on conflict do nothing")
            .bind(&failure.stage)
            .bind(&failure.unit)
            .bind(&failure.reason)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Forgets what failed in `file` when `stage` read it before: the file itself, and its parts (`file, record 7`).
pub(super) async fn forget(tx: &mut Transaction<'_, Sqlite>, stage: &str, file: &str) -> Result<()> {
    sqlx::query("delete from failure where stage = $1 and (unit = $2 or (unit >= $2 || ', ' and unit < $2 || ',!'))")
        .bind(stage)
        .bind(file)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

impl Store {
    /// Records failures; repeating one changes nothing.
    pub async fn record_failures(&self, failures: &[Failure]) -> Result<()> {
        if failures.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        insert(&mut tx, failures).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Every recorded failure, ordered.
    pub async fn failures(&self) -> Result<Vec<Failure>> {
        let rows = sqlx::query("select stage, unit, reason from failure order by stage, unit, reason")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| Ok(Failure { stage: row.try_get(0)?, unit: row.try_get(1)?, reason: row.try_get(2)? }))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::CrmBatch;

    #[tokio::test]
    async fn a_file_that_is_read_anew_begins_without_failures() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).await.unwrap();
        let units = ["a.csv", "a.csv, record 7", "a.csv.zip, record 7", "b.csv, record 7"];
        let failures = units.map(|unit| Failure::new("crm", unit, "why"));
        store.record_failures(&failures).await.unwrap();
        store.record_failures(&[Failure::new("collect", "a.csv", "why")]).await.unwrap();
        let batch = CrmBatch { reread: vec!["a.csv".to_owned()], ..CrmBatch::default() };
        store.write_crm(&batch).await.unwrap();
        let left: Vec<_> = store.failures().await.unwrap().into_iter().map(|f| f.unit).collect();
        assert_eq!(left, ["a.csv", "a.csv.zip, record 7", "b.csv, record 7"]);
    }
}
