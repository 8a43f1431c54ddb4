//! How good the readers are: readings against labels.
//!
//! A [`Score`] is one thing measured about one reader over one set of labelled texts. The one rule: a score is computed from
//! readings and labels alone, so that any reader can stand in for another, and what is resampled for its interval is whole
//! threads or whole accounts, never single texts.

pub mod truth;

pub mod resample;

pub mod calibration;

pub mod posts;

pub mod notes;

pub mod redaction;

pub mod baselines;

mod tfidf;

pub mod ledger;

pub mod conversations;

pub mod clusters;

use serde::{Deserialize, Serialize};

use resample::Estimate;

/// One measured thing, with its 95% interval where it has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// What was measured: `f1`, `voice_accuracy`, `interest_kappa`, …
    pub measure: String,
    /// Of which act or part of a note; `all` where it is not of one, `macro` for the mean over acts.
    pub act: String,
    /// The value. `None` where it cannot be said: no positives, nothing claimed.
    pub value: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// What it rests on: positives for precision, recall and F1; texts, quotes or claims otherwise.
    pub n: u64,
}

impl Score {
    /// A score with an interval.
    pub fn new(measure: &str, act: &str, estimate: Estimate, n: u64) -> Self {
        let Estimate { value, low, high } = estimate;
        Self { measure: measure.to_owned(), act: act.to_owned(), value, low, high, n }
    }

    /// A score without one.
    pub fn plain(measure: &str, act: &str, value: Option<f64>, n: u64) -> Self {
        Self::new(measure, act, Estimate { value, low: None, high: None }, n)
    }
}

/// What reading cost, where it cost anything.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Usage {
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// In the currency of the configured prices; `None` where no price is configured.
    pub cost: Option<f64>,
    /// Texts about which no answer of the asked form came. They are scored as if nothing had been found in them.
    pub unanswered: u64,
}

/// `part` of `of`; `None` of nothing.
fn share(part: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| part / of)
}
