//! Register tests: does a problem survive being told in the other side's style?

use std::collections::BTreeMap;

use anyhow::Result;
use sqlx::Row;

use super::Store;
use crate::model::comparison::RegisterV1;

impl Store {
    /// Replaces the register test of `codebook`: by problem id, pairs and kappa.
    pub async fn write_register(&self, codebook: &str, tested: &BTreeMap<String, RegisterV1>) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query("delete from register where codebook = $1").bind(codebook).execute(&mut *tx).await?;
        for (problem, register) in tested {
            sqlx::query("insert into register (codebook, problem, n, kappa) values ($1, $2, $3, $4)")
                .bind(codebook)
                .bind(problem)
                .bind(i64::try_from(register.n)?)
                .bind(register.kappa)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The register test of `codebook`, by problem id; empty before there was one.
    pub async fn register(&self, codebook: &str) -> Result<BTreeMap<String, RegisterV1>> {
        let rows = sqlx::query("select problem, n, kappa from register where codebook = $1")
            .bind(codebook)
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                let n = u64::try_from(row.try_get::<i64, _>(1)?)?;
                Ok((row.try_get(0)?, RegisterV1::new(n, row.try_get(2)?)))
            })
            .collect()
    }
}
