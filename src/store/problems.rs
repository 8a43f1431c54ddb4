//! Codebooks, what became of their problems from version to version, and what belongs to which problem.

use anyhow::{Context, Result};
use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::labels::side;
use super::{Side, Store, instant, millis};
use crate::model::{Change, ChangeKind, Codebook, Problem, ProblemId};

/// Where a signal or a claimed pain belongs.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// Which side.
    pub side: Side,
    /// Signal id or claimed pain id.
    pub unit: String,
    /// `None`: fits no problem of the codebook (`other`). [`ProblemId::none`]: tells of no problem.
    pub problem: Option<ProblemId>,
    /// Similarity to the problem, higher is closer.
    pub score: f64,
}

/// Where a version of the codebook comes from.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The hash of the version it follows, and what became of that one's problems; `None` for a first one.
    pub follows: Option<(String, Vec<Change>)>,
    /// Hash of what its assignments were made from; `None` when they are not made from all that is there, so that grouping
    /// sorts anew.
    pub basis: Option<String>,
}

/// A version of the codebook, without its problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodebookVersion {
    /// Hash of its content.
    pub hash: String,
    /// 1, 2, … in order of writing; the highest is the current one. Several may have the same content.
    pub version: i64,
    /// Who made it, as in [`Codebook`].
    pub made_by: String,
    /// When.
    pub frozen_at: Option<Timestamp>,
    /// How many problems it lists.
    pub problems: i64,
    /// As in [`Origin`].
    pub basis: Option<String>,
}

impl Store {
    /// Makes `codebook` the current one, and writes its lineage and the assignments under it. Known assignments are replaced.
    ///
    /// It is a new version unless the newest has this content and was made by the same.
    pub async fn write_codebook(
        &self,
        codebook: &Codebook,
        assignments: &[Assignment],
        origin: &Origin,
        at: Timestamp,
    ) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query(
            "insert into codebook (hash, version, made_by, frozen_at, basis) \
             values ($1, 1 + (select coalesce(max(version), 0) from codebook_version), $2, $3, $4) \
             on conflict (hash) do update set basis = excluded.basis",
        )
        .bind(codebook.hash())
        .bind(&codebook.made_by)
        .bind(millis(at))
        .bind(&origin.basis)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "insert into codebook_version (version, codebook, made_by, frozen_at) \
             select 1 + (select coalesce(max(version), 0) from codebook_version), $1, $2, $3 \
             where not exists (select 1 from codebook_version where codebook = $1 and made_by = $2 \
             and version = (select max(version) from codebook_version))",
        )
        .bind(codebook.hash())
        .bind(&codebook.made_by)
        .bind(millis(at))
        .execute(&mut *tx)
        .await?;
        for problem in codebook.problems() {
            sqlx::query(
                "insert into problem (codebook, id, body) values ($1, $2, $3) \
                 on conflict (codebook, id) do update set body = excluded.body",
            )
            .bind(codebook.hash())
            .bind(problem.id.as_str())
            .bind(serde_json::to_string(problem)?)
            .execute(&mut *tx)
            .await?;
        }
        if let Some((before, changes)) = origin.follows.as_ref().filter(|(before, _)| before != codebook.hash()) {
            sqlx::query("delete from lineage where from_hash = $1 and to_hash = $2")
                .bind(before)
                .bind(codebook.hash())
                .execute(&mut *tx)
                .await?;
            for change in changes {
                sqlx::query(
                    "insert into lineage (from_hash, to_hash, kind, from_id, to_id, shared) \
                     values ($1, $2, $3, $4, $5, $6)",
                )
                .bind(before)
                .bind(codebook.hash())
                .bind(change.kind.as_str())
                .bind(change.from.as_ref().map(ProblemId::as_str))
                .bind(change.to.as_ref().map(ProblemId::as_str))
                .bind(i64::try_from(change.shared)?)
                .execute(&mut *tx)
                .await?;
            }
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
        let Some(newest) = self.newest_codebook().await? else { return Ok(None) };
        Ok(Some((self.codebook_of(&newest).await?, newest.version)))
    }

    /// The version of the newest codebook.
    pub async fn newest_codebook(&self) -> Result<Option<CodebookVersion>> {
        Ok(self.codebook_versions().await?.pop())
    }

    /// Every version of the codebook, the oldest first.
    pub async fn codebook_versions(&self) -> Result<Vec<CodebookVersion>> {
        let rows = sqlx::query(
            "select hash, v.version, v.made_by, v.frozen_at, (select count(*) from problem p where p.codebook = hash), basis \
             from codebook_version v join codebook on hash = v.codebook order by v.version",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(version).collect()
    }

    /// The codebook of a version.
    pub async fn codebook_of(&self, version: &CodebookVersion) -> Result<Codebook> {
        let rows = sqlx::query("select body from problem where codebook = $1 order by id")
            .bind(&version.hash)
            .fetch_all(&self.pool)
            .await?;
        let problems = rows
            .iter()
            .map(|row| Ok(serde_json::from_str::<Problem>(&row.try_get::<String, _>(0)?)?))
            .collect::<Result<Vec<_>>>()?;
        Ok(Codebook::new(version.made_by.as_str(), problems))
    }

    /// What became of the problems of version `from` in version `to`, as it was written; empty when `to` does not follow `from`.
    pub async fn lineage(&self, from: &str, to: &str) -> Result<Vec<Change>> {
        let rows = sqlx::query(
            "select kind, from_id, to_id, shared from lineage where from_hash = $1 and to_hash = $2 order by from_id, to_id",
        )
        .bind(from)
        .bind(to)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Change {
                    kind: kind(&row.try_get::<String, _>(0)?)?,
                    from: row.try_get::<Option<String>, _>(1)?.map(ProblemId::new),
                    to: row.try_get::<Option<String>, _>(2)?.map(ProblemId::new),
                    shared: row.try_get::<i64, _>(3)?.unsigned_abs(),
                })
            })
            .collect()
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

fn version(row: &SqliteRow) -> Result<CodebookVersion> {
    Ok(CodebookVersion {
        hash: row.try_get(0)?,
        version: row.try_get(1)?,
        made_by: row.try_get(2)?,
        frozen_at: instant(row.try_get(3)?),
        problems: row.try_get(4)?,
        basis: row.try_get(5)?,
    })
}

fn kind(stored: &str) -> Result<ChangeKind> {
    let known = ChangeKind::ALL.into_iter().find(|k| k.as_str() == stored);
    known.with_context(|| format!("the store holds a change of an unknown kind, {stored:?}"))
}
