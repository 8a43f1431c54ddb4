//! Everything at rest: one SQLite file in the workspace.
//!
//! Stages meet only here. Each reads what is not yet done, works, and writes in one transaction, so a run killed at any
//! point leaves a store that the next run continues to the same end. One file per stage's tables; SQL is kept to the
//! subset that PostgreSQL shares, with `$1` placeholders, integer milliseconds and text ids.
//!
//! Architecture invariant: a quote is never stored. Rows hold byte offsets, and the words are cut from the text when read.

mod failures;

mod posts;

mod post_batches;

mod post_readings;

mod routes;

mod conversations;

mod notes;

mod deals;

mod problems;

mod recipes;

mod register;

mod scope;

mod labels;

mod comparisons;

mod llm_calls;

mod embeddings;

mod twins;

mod alike;

mod met;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite, Transaction};

pub use alike::{COORDINATED, Twins, alike, twins};
pub use comparisons::StoredComparison;
pub use conversations::{Move, StreamPost};
pub use deals::{CrmBatch, CrmCounts, Incoming, IncomingNote, LateNote, StoredDeal};
pub use failures::Failure;
pub use labels::{Draw, ItemInContext, LabelRow, SampleUnit, Side};
pub use llm_calls::{LlmBatch, LlmCall, LlmRequest, LlmSpent};
pub use met::{Met, MetNote};
pub use notes::{NoteCounts, StoredNote, StoredPain};
pub use post_readings::{CommunityRow, QuoteTotals, StoredSignal, ThreadVoices, UnreadPost};
pub use posts::{Batch, BatchCounts, Cursor, ExportPost, IndexChange, IndexPost, PostPopulation, ThreadRow};
pub use problems::{Assignment, CodebookVersion, Origin};
pub use recipes::RecipeUse;
pub use routes::RouteTotals;
pub use scope::InScope;

/// The store of one workspace.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the store at `path`, creating and migrating it as needed.
    ///
    /// # Errors
    /// When the file cannot be created, is no SQLite database, or was written by a newer Candor.
    pub async fn open(path: &Path) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // A killed process loses nothing in WAL mode; only a power cut can lose the last transaction, and a run repeats it.
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(30))
            .pragma("cache_size", "-32000");
        let pool = SqlitePoolOptions::new()
            .max_connections(4)
            // A file does not hang up, and to ask takes as long as most queries.
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .with_context(|| format!("could not open the store {}", path.display()))?;
        sqlx::migrate!("src/store/migrations").run(&pool).await.with_context(|| {
            format!("could not bring the store {} up to date; was it written by a newer candor?", path.display())
        })?;
        Ok(Self { pool })
    }

    /// Begins a write. `immediate`, so that two writers queue instead of failing half-way.
    async fn write(&self) -> Result<Transaction<'static, Sqlite>> {
        self.pool.begin_with("begin immediate").await.context("could not begin a write to the store")
    }

    /// Writes a copy of the store to `path`, where nothing may be yet, and opens it.
    ///
    /// # Errors
    /// When there is no room for it or it cannot be written.
    pub async fn copy(&self, path: &Path) -> Result<Self> {
        let to = path.to_str().with_context(|| format!("the path {} is no Unicode", path.display()))?;
        let copied = sqlx::query("vacuum into $1").bind(to).execute(&self.pool).await;
        copied.with_context(|| format!("could not copy the store to {}", path.display()))?;
        Self::open(path).await
    }

    /// Folds the write-ahead log into the file, so that a finished run leaves one file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// An instant as the store holds it.
fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// An instant read from the store. Out-of-range values cannot have been written.
fn instant(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}

/// An instant as it comes back from the store: in whole milliseconds.
fn whole(at: Option<Timestamp>) -> Option<Timestamp> {
    at.and_then(|at| instant(millis(at)))
}
