//! What a stage tells when it is done: the same few numbers from every stage, and what is its own beside them.

use std::time::Instant;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::exit::Exit;

/// The last word of a stage, for people and (as JSON) for machines.
#[derive(Debug, Clone, Serialize)]
pub struct StageSummary {
    /// Version of this shape.
    pub v: u8,
    /// Name of the stage.
    pub stage: &'static str,
    /// Units of work done now: new posts, posts read, notes read, problems, …
    pub done: u64,
    /// Units that needed no work, or were left out with a reason.
    pub skipped: u64,
    /// Units that failed and are recorded in the store's `failure` table.
    pub failed: u64,
    /// Wall clock, milliseconds.
    pub took_ms: u64,
    /// What is this stage's own.
    #[serde(flatten)]
    pub detail: Map<String, Value>,
}

impl StageSummary {
    /// A summary of `stage`, begun at `began`.
    pub fn new(stage: &'static str, began: Instant, done: u64, skipped: u64, failed: u64) -> Self {
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Self { v: 1, stage, done, skipped, failed, took_ms, detail: Map::new() }
    }

    /// Adds a field of the stage's own.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }

    /// How a run that ends with this summary exits: partial when something failed, nothing to do when nothing was there.
    pub fn exit(&self) -> Exit {
        match self {
            Self { failed: 1.., .. } => Exit::Partial,
            Self { done: 0, skipped: 0, .. } => Exit::NothingToDo,
            _ => Exit::Done,
        }
    }
}
