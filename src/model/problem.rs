//! Problems and the frozen list of them that both sides are measured against (METHOD 3.1).

use serde::{Deserialize, Serialize};

use super::ProblemId;
use super::id::content_hash;

/// One problem: actor, situation, obstacle, consequence. Never a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable within a codebook.
    pub id: ProblemId,
    /// A few words a reader recognises it by.
    pub name: String,
    /// Actor + situation + obstacle + consequence; for a machine-made problem, its most typical quote.
    pub statement: String,
    /// Most typical terms, strongest first.
    #[serde(default)]
    pub terms: Vec<String>,
    /// What counts as this problem, in example sentences from both registers.
    #[serde(default)]
    pub include: Vec<String>,
    /// Near misses that do not count.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// The list of problems, frozen under a hash of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codebook {
    /// Who made it: `machine` (clusters) or `hand` (a file that a person froze).
    pub made_by: String,
    /// The problems, ordered by id.
    problems: Vec<Problem>,
    hash: String,
}

impl Codebook {
    /// Freezes `problems`.
    pub fn new(made_by: impl Into<String>, mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|a, b| a.id.cmp(&b.id));
        let content = problems
            .iter()
            .map(|p| {
                content_hash(&[
                    p.id.as_str(),
                    &p.name,
                    &p.statement,
                    &p.terms.join("\n"),
                    &p.include.join("\n"),
                    &p.exclude.join("\n"),
                ])
            })
            .collect::<Vec<_>>();
        let hash = content_hash(&content.iter().map(String::as_str).collect::<Vec<_>>());
        Self { made_by: made_by.into(), problems, hash }
    }

    /// The problems, ordered by id.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The version: a hash of everything that decides what belongs to a problem.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}
