//! What went wrong in one file, so told that a wholly broken file does not fill the store.

use std::collections::BTreeMap;

use crate::store::Failure;

/// Failures of one file for one reason that get a row each; the others are counted in one more row.
const ROWS_PER_REASON: u64 = 100;

/// Different reasons in one file, after which the others are counted together.
const REASONS_PER_FILE: usize = 50;

/// The failures of one file: the first of a kind get a row each, the others are counted.
pub(crate) struct Mistakes {
    stage: &'static str,
    file: String,
    counts: BTreeMap<String, u64>,
}

impl Mistakes {
    pub(crate) fn new(stage: &'static str, file: &str) -> Self {
        Self { stage, file: file.to_owned(), counts: BTreeMap::new() }
    }

    /// A row for what happened to `part` of the file, when it gets one.
    pub(crate) fn row(&mut self, part: &str, reason: &str) -> Option<Failure> {
        let known = self.counts.contains_key(reason) || self.counts.len() < REASONS_PER_FILE;
        let kind = if known { reason } else { "other reasons" };
        let count = self.counts.entry(kind.to_owned()).or_default();
        *count += 1;
        (*count <= ROWS_PER_REASON).then(|| Failure::new(self.stage, format!("{}, {part}", self.file), reason))
    }

    /// Rows for those that got none.
    pub(crate) fn rest(&self) -> Vec<Failure> {
        let over = self.counts.iter().filter(|(_, count)| **count > ROWS_PER_REASON);
        over.map(|(reason, count)| {
            Failure::new(self.stage, &self.file, format!("{reason}: and {} more", count - ROWS_PER_REASON))
        })
        .collect()
    }
}
