//! What a comparison may say (METHOD 0.3, 3.8).

use serde::{Deserialize, Serialize};

/// How far a number may be trusted, in words that the report explains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Counted by machine, not corrected for its mistakes.
    Counted,
    /// Corrected with hand labels.
    Measured,
    /// Too little to say.
    NotEnoughEvidence,
}

/// What is missing for a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// What, in words: `authors`, `threads`, `hand labels (community)`.
    pub what: String,
    /// How many there are.
    pub have: u64,
    /// How many are needed.
    pub need: u64,
}

/// The answer to a question. "Not enough evidence" is a value, not an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// There is something, and it is larger than the reader's mistakes and the sample allow for.
    Finding {
        /// Which: `silent`, `phantom`, `absent`, `unbacked_optimism`, `gap`.
        kind: String,
    },
    /// Nothing was found; this is the smallest thing that could have been.
    NoGapDetected {
        /// Smallest effect that would have been seen, as a difference of shares.
        detectable: f64,
    },
    /// Not enough to say, and what would be enough.
    NotEnoughEvidence {
        /// What is missing; never empty.
        missing: Vec<Missing>,
    },
    /// A machine count without labels: shown, never a finding.
    Uncorrected,
}

/// The part of the gap vector that a number belongs to. There is no overall score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Component {
    /// Which problems each side speaks of (METHOD 3.4).
    Coverage,
    /// What stands behind claimed interest (METHOD 3.5).
    Commitment,
}

/// One estimate with its verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Which part of the vector.
    pub component: Component,
    /// What was estimated, in words.
    pub name: String,
    /// The estimate.
    pub estimate: f64,
    /// 95% interval, when labels allow one.
    pub interval: Option<(f64, f64)>,
    /// Units behind it.
    pub n: u64,
    /// What may be said.
    pub verdict: Verdict,
}
