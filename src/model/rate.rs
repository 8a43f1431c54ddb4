//! Shares that never travel without their counts.

use serde::{Deserialize, Serialize};

/// A share with what it was counted from. Units are people or accounts, never posts or notes (METHOD 0.1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Units the machine found it in.
    pub hits: u64,
    /// Units looked at.
    pub of: u64,
    /// The estimate to print: corrected when labels allow, else hits / of. In 0..=1 up to sampling error.
    pub estimate: f64,
    /// 95% interval, corrected for the reader's mistakes; `None` without enough hand labels.
    pub interval: Option<(f64, f64)>,
    /// Effective sample size behind the interval.
    pub n_eff: Option<f64>,
    /// Hand labels behind the correction.
    pub labels: u64,
}

impl Rate {
    /// What the machine counted, uncorrected. A share of nothing is 0 of 0.
    pub fn counted(hits: u64, of: u64) -> Self {
        let estimate = if of == 0 { 0.0 } else { hits as f64 / of as f64 };
        Self { hits, of, estimate, interval: None, n_eff: None, labels: 0 }
    }
}
