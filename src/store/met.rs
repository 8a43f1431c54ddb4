//! What an import has met so far, however much that is: a database of its own that SQLite keeps on disk and deletes with its
//! connection.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{Connection as _, QueryBuilder, Row as _, Sqlite};

use super::post_batches::{ROWS, lookup};

/// What was read of a note before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetNote {
    /// Number of the file that it stood in last.
    pub file: u32,
    /// Hash of its firm.
    pub account: u64,
    /// Hash of its words.
    pub text: u64,
    /// Whether a file said of what kind it is.
    pub kind_told: bool,
}

/// The notes that an import has met.
#[derive(Debug)]
pub struct Met {
    db: SqliteConnection,
}

impl Met {
    /// Nothing met yet.
    ///
    /// # Errors
    /// When there is no folder for temporary files.
    pub async fn open() -> Result<Self> {
        // The empty name is SQLite's for a private file among the temporary ones, held in memory as far as the cache reaches.
        let options = SqliteConnectOptions::new()
            .filename("")
            .journal_mode(SqliteJournalMode::Off)
            .synchronous(SqliteSynchronous::Off)
            .pragma("cache_size", "-8000");
        let db = SqliteConnection::connect_with(&options).await;
        let mut db = db.context("could not open a temporary file; SQLITE_TMPDIR names another folder for it")?;
        // Ids that grow, as most vendors' do, are neighbours.
        let sql = "create table note (id text primary key, file integer, account integer, text integer, kind_told integer) without rowid";
        sqlx::query(sql).execute(&mut db).await?;
        Ok(Self { db })
    }

    /// What was met of the notes `ids`, by id.
    ///
    /// # Errors
    /// When the temporary file cannot be read.
    pub async fn notes<'a>(&mut self, ids: impl Iterator<Item = &'a str>) -> Result<HashMap<String, MetNote>> {
        let rows =
            lookup(&mut self.db, "select id, file, account, text, kind_told from note where id in (", ids).await?;
        let met = |row: SqliteRow| {
            let note = MetNote {
                file: row.try_get(1)?,
                account: row.try_get::<i64, _>(2)?.cast_unsigned(),
                text: row.try_get::<i64, _>(3)?.cast_unsigned(),
                kind_told: row.try_get(4)?,
            };
            Ok((row.try_get(0)?, note))
        };
        rows.into_iter().map(met).collect()
    }

    /// Keeps `notes` in the place of what was met of them before.
    ///
    /// # Errors
    /// When the disk is full.
    pub async fn keep(&mut self, notes: &HashMap<String, MetNote>) -> Result<()> {
        let mut notes: Vec<_> = notes.iter().collect();
        notes.sort_by_key(|(id, _)| id.as_str());
        for notes in notes.chunks(ROWS) {
            QueryBuilder::<Sqlite>::new("insert or replace into note ")
                .push_values(notes, |mut row, (id, met)| {
                    row.push_bind(id.as_str())
                        .push_bind(met.file)
                        .push_bind(met.account.cast_signed())
                        .push_bind(met.text.cast_signed())
                        .push_bind(met.kind_told);
                })
                .build()
                .execute(&mut self.db)
                .await
                .context("could not write to the temporary file; SQLITE_TMPDIR names another folder for it")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_kept_is_met_again_as_it_was_last() {
        let mut met = Met::open().await.unwrap();
        let note = |file| MetNote { file, account: u64::MAX, text: 1 << 63, kind_told: file > 1 };
        let all: HashMap<_, _> = (0..1200).map(|n| (format!("n{n}"), note(1))).collect();
        met.keep(&all).await.unwrap();
        met.keep(&HashMap::from([("n7".to_owned(), note(2))])).await.unwrap();
        let found = met.notes(["n7", "n8", "none"].into_iter()).await.unwrap();
        assert_eq!(found, HashMap::from([("n7".to_owned(), note(2)), ("n8".to_owned(), note(1))]));
        assert_eq!(met.notes(all.keys().map(String::as_str)).await.unwrap().len(), 1200);
    }
}
