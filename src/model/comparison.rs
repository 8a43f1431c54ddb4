//! A comparison as it is published: `compare --json`, kept in the store, drawn by the report.
//!
//! Small, stable, versioned. Fields may be added, none renamed.

use serde::{Deserialize, Serialize};

use super::{Missing, Trust};

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonV1 {
    /// 1.
    pub v: u8,
    /// How far the numbers below may be trusted, at best.
    pub trust: Trust,
    /// The days that were compared.
    pub window: WindowV1,
    /// Who was looked at.
    pub population: PopulationV1,
    /// Hand labels: units labelled on each side.
    pub labels: LabelsV1,
    /// The gap vector; never a score.
    pub components: Vec<ComponentV1>,
    /// Every problem of the codebook, largest community share first.
    pub problems: Vec<ProblemV1>,
    /// Claimed interest against what was given.
    pub optimism: OptimismV1,
    /// What was refused or left out, and why, in sentences.
    pub caveats: Vec<String>,
    /// Hash of the settings that can change a number.
    pub config_hash: String,
    /// Version of the codebook.
    pub codebook_hash: String,
    /// What read the posts and the notes: `<post recipe> | <note recipe>`.
    pub recipe: String,
    /// Seed of everything random.
    pub seed: u64,
}

/// The days that were compared, the same for both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowV1 {
    /// First day, inclusive; `None`: from the beginning.
    pub since: Option<String>,
    /// Last day, inclusive; `None`: to the end.
    pub until: Option<String>,
    /// How it was chosen, in a few words.
    pub why: String,
}

/// Who was looked at, inside the window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PopulationV1 {
    /// Communities with a post.
    pub communities: u64,
    /// Threads with a problem-bearing post.
    pub threads: u64,
    /// Posts by anybody.
    pub posts: u64,
    /// Authors of any post.
    pub authors: u64,
    /// Authors with a first-hand, problem-bearing post: the community's denominator.
    pub problem_authors: u64,
    /// Accounts with any note.
    pub accounts: u64,
    /// Accounts with a note of 40 words or a claimed pain: the CRM's denominator.
    pub discovery_accounts: u64,
    /// Notes.
    pub notes: u64,
    /// Reps.
    pub reps: u64,
}

/// Hand-labelled units inside the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelsV1 {
    /// Authors.
    pub community: u64,
    /// Accounts.
    pub crm: u64,
}

/// One part of the gap vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComponentV1 {
    /// `coverage` or `commitment`.
    pub name: String,
    /// `finding`, `no_gap_detected`, `not_enough_evidence` or `uncorrected`.
    pub verdict: String,
    /// Coverage: bias-corrected Jensen-Shannon divergence in 0..=1. Commitment: the unbacked-optimism rate.
    pub estimate: Option<f64>,
    /// 95% interval.
    pub low: Option<f64>,
    /// 95% interval.
    pub high: Option<f64>,
    /// Units behind it.
    pub n: u64,
    /// The smallest effect that could have been seen, for `no_gap_detected`.
    pub detectable: Option<f64>,
    /// What is missing, for `not_enough_evidence`.
    pub missing: Vec<Missing>,
    /// One sentence for a reader.
    pub says: String,
}

/// A share with its counts and, when labels allow, its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateV1 {
    /// Units the machine found it in.
    pub hits: u64,
    /// Units looked at.
    pub of: u64,
    /// The estimate to print: corrected when labels allow, else hits / of.
    pub rate: f64,
    /// 95% interval.
    pub low: Option<f64>,
    /// 95% interval.
    pub high: Option<f64>,
    /// Effective sample size.
    pub n_eff: Option<f64>,
    /// Hand labels behind it.
    pub labels: u64,
}

/// One problem on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProblemV1 {
    /// Problem id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Share of authors.
    pub community: RateV1,
    /// Share of accounts.
    pub crm: RateV1,
    /// Community minus CRM, MOVER interval (METHOD 3.3).
    pub difference: Option<DifferenceV1>,
    /// `silent`, `absent` (silent, and in no account of at least 59), `phantom`, `no_gap_detected`,
    /// `not_enough_evidence` or `uncorrected`.
    pub verdict: String,
    /// Benjamini-Hochberg adjusted p of the silent and phantom tests, the smaller one.
    pub p_adjusted: Option<f64>,
    /// Gamma* (METHOD 3.10): how many times as likely to post people with this problem would have to be to explain it away.
    pub gamma_star: Option<f64>,
    /// The smallest difference that could have been seen.
    pub detectable: Option<f64>,
    /// What is missing.
    pub missing: Vec<Missing>,
    /// Distinct threads and communities it occurs in.
    pub threads: u64,
    /// Distinct communities it occurs in.
    pub communities: u64,
    /// Accounts by how the claimed pain came up: volunteered, prompted, rep_inferred.
    pub elicitation: [u64; 3],
}

/// A difference of two shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DifferenceV1 {
    /// Community minus CRM.
    pub estimate: f64,
    /// 95% interval.
    pub low: f64,
    /// 95% interval.
    pub high: f64,
}

/// Claimed interest against what was given (METHOD 3.5). Counts are accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimismV1 {
    /// Accounts whose notes claim strong interest (N1 >= 3).
    pub strong: u64,
    /// Of these: nothing at level 2 or more that is kept and corroborated.
    pub unbacked: RateV1,
    /// Of the unbacked: never asked for anything.
    pub never_asked: u64,
    /// Of the unbacked: asked, and nothing came.
    pub asked_not_given: u64,
    /// Accounts behind `strong` that are unbacked, by id, for the report's list.
    pub unbacked_accounts: Vec<String>,
}
