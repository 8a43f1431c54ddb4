//! Problems and the frozen list of them that both sides are measured against (METHOD 3.1).

use serde::{Deserialize, Serialize};

use super::ProblemId;
use super::id::content_hash;

/// Stands for a problem that the codebook does not have; no problem of one may be called so.
pub const OTHER: &str = "other";
/// Stands for no problem at all; no problem of a codebook may be called so either.
pub const NONE: &str = "none";

impl ProblemId {
    /// Where a reader says that no problem is told of.
    pub fn none() -> Self {
        Self::new(NONE)
    }
}

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
    /// What counts as this problem, in example sentences from both registers; for a machine-made problem, phrases that several of
    /// its people say and fewer others do.
    #[serde(default)]
    pub include: Vec<String>,
    /// Near misses that do not count; for a machine-made problem, phrases of the one that is nearest to it.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Whether a person wrote or corrected it, so that no machine changes its words or drops it.
    #[serde(default)]
    pub by_hand: bool,
    /// Whether a model put its statement together from words that several quotes say, so that it is not itself a quote.
    #[serde(default)]
    pub composed: bool,
}

impl Problem {
    /// Whether both are described by the same words, names aside.
    fn described_as(&self, other: &Self) -> bool {
        [(&self.terms, &other.terms), (&self.include, &other.include), (&self.exclude, &other.exclude)]
            .iter()
            .all(|(a, b)| a == b)
            && self.statement == other.statement
    }
}

/// `Codebook::made_by` of a list that clusters made.
pub const BY_MACHINE: &str = "machine";
/// `Codebook::made_by` of a list that clusters made and a person corrected; it still follows the data.
pub const EDITED: &str = "edited";
/// `Codebook::made_by` of a list that a person froze; only a person changes it.
pub const BY_HAND: &str = "hand";

/// Who made a list, from its `made_by`, as people read it.
pub fn made_in_words(made_by: &str) -> &'static str {
    match made_by {
        BY_HAND => "frozen by hand",
        EDITED => "edited, not frozen",
        _ => "found by machine",
    }
}

/// The list of problems, frozen under a hash of its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Codebook {
    /// Who made it: [`BY_MACHINE`], [`EDITED`] or [`BY_HAND`].
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

    /// Whether a person froze it, so that grouping only sorts into it.
    pub fn is_frozen(&self) -> bool {
        self.made_by == BY_HAND
    }

    /// The problem with this id.
    pub fn problem(&self, id: &ProblemId) -> Option<&Problem> {
        self.problems.binary_search_by(|p| p.id.cmp(id)).ok().map(|at| &self.problems[at])
    }
}

/// What became of a problem from one codebook to a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Same id, same words.
    Kept,
    /// Another name (or another id), else the same.
    Renamed,
    /// Same id, described by other words.
    Edited,
    /// A part of it is a problem of its own now.
    Split,
    /// It is part of another problem now.
    Merged,
    /// It was not there before.
    New,
    /// It is not there any more, and most of its units are elsewhere or nowhere.
    Retired,
}

impl ChangeKind {
    /// Every kind, in the order in which a report tells them.
    pub const ALL: [Self; 7] =
        [Self::Kept, Self::Renamed, Self::Edited, Self::Split, Self::Merged, Self::New, Self::Retired];

    /// As it is stored and published.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Renamed => "renamed",
            Self::Edited => "edited",
            Self::Split => "split",
            Self::Merged => "merged",
            Self::New => "new",
            Self::Retired => "retired",
        }
    }

    /// How a problem with the same id in two codebooks changed.
    pub fn between(before: &Problem, after: &Problem) -> Self {
        match (before.name == after.name, before.described_as(after)) {
            (_, false) => Self::Edited,
            (false, true) => Self::Renamed,
            (true, true) => Self::Kept,
        }
    }
}

/// One line of a lineage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// The problem before; `None` when it is new.
    pub from: Option<ProblemId>,
    /// The problem after; `None` when it is retired.
    pub to: Option<ProblemId>,
    /// Units (signals and claimed pains) that belonged to the one and belong to the other.
    pub shared: u64,
}
