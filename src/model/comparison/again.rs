//! The same comparison made again with one choice changed: other days, all people, hand labels read otherwise, other readers.

use serde::{Deserialize, Serialize};

use super::{CountsV1, DifferenceV1, RateV1, WindowV1};
use crate::model::Scope;

/// The same comparison of another stretch of days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantV1 {
    /// What is different, in words.
    pub what: String,
    /// The communities' days.
    pub community: WindowV1,
    /// The CRM's days.
    pub crm: WindowV1,
    /// Findings of the primary run that keep their sign here: called problems, and unbacked optimism above its line.
    pub same_sign: CountsV1,
    /// Ids of those that do not; `commitment` for unbacked optimism.
    pub flipped: Vec<String>,
}

/// Which people could be buyers: shares of people are shares of these (METHOD 3.1.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScopeV1 {
    /// By what, as in the settings.
    pub by: Scope,
    /// People in whose posts a problem was found: those who could be buyers, of all.
    pub people: CountsV1,
    /// Of those who could not, the ones who tell another role.
    pub other_role: u64,
    /// The coverage gap by all people of the same days.
    pub coverage: ReadAgainV1,
}

/// A problem by all people of the same days, whoever could be a buyer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnfilteredV1 {
    /// Share of people.
    pub community: RateV1,
    /// Community minus CRM.
    pub difference: Option<DifferenceV1>,
    /// As [`super::ProblemV1::verdict`], before other days and readers are looked at.
    pub verdict: String,
}

/// The same comparison with hand labels read otherwise (METHOD 4.4, 8.2.6). The two of contested labels bound every gap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelabelledV1 {
    /// How they are read, in words.
    pub what: String,
    /// Labelled posts and notes that are read otherwise than in the comparison.
    pub items: u64,
    /// Every problem, in the order of the comparison.
    pub problems: Vec<ReadAgainV1>,
    /// The parts of the gap that stand on labels: `coverage` and `commitment`.
    pub components: Vec<ReadAgainV1>,
    /// Names of the parts and ids of the problems that are findings in the comparison and not here.
    pub changed: Vec<String>,
}

/// What became of one gap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReadAgainV1 {
    /// Problem id, or name of a part.
    pub id: String,
    /// Its verdict here.
    pub verdict: String,
    /// Of a problem the two shares, communities first; `None` of a part.
    pub shares: Option<[f64; 2]>,
    /// The difference of the shares, or the estimate of a part, with its 95% interval; `None` where there is none.
    pub estimate: Option<DifferenceV1>,
}

/// The same comparison by every pair of a post reader and a note reader whose readings are in the workspace (METHOD 8.2.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MultiverseV1 {
    /// The pairs, `<post recipe> | <note recipe>`, this comparison's own first.
    pub readers: Vec<String>,
    /// Pairs that have not read or sorted enough to be compared, each with what they lack.
    pub left_out: Vec<String>,
    /// Every problem that is called, or on which no gap is detected.
    pub problems: Vec<AgreeingV1>,
    /// The parts of the gap with such a verdict.
    pub components: Vec<AgreeingV1>,
}

/// How many pairs of readers agree on one gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreeingV1 {
    /// Problem id, or name of a part.
    pub id: String,
    /// Pairs that come to the verdict of this comparison, of all.
    pub same_verdict: CountsV1,
    /// Pairs by which it points the same way: the sign of the difference or of a calibration's estimate, or the side of its line on
    /// which unbacked optimism lies. What has no sign (coverage, no gap) points the same way by the same verdict.
    pub same_sign: CountsV1,
    /// At least nine in ten point the same way.
    pub stable: bool,
}
