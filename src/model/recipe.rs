//! What produced a result: part of the result's identity.

use serde::{Deserialize, Serialize};

/// Reader, version and everything that can change its answers, as one short text: `embedded-1+3f2a…`.
/// Results of different recipes stand side by side and are never mixed in one series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Recipe(String);

impl Recipe {
    /// Name of the reader with a hash of what it reads by.
    pub fn new(name: &str, inputs: &[&str]) -> Self {
        Self(format!("{name}+{}", &super::id::content_hash(inputs)[..12]))
    }

    /// A recipe read back from the store.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The recipes of one run: who reads posts, who reads notes. Stages get it from the pipeline, so none has to know another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipes {
    /// The post reader's.
    pub post: Recipe,
    /// The note reader's.
    pub note: Recipe,
}

impl Recipes {
    /// Both as one, under which a comparison is kept: `<post recipe> | <note recipe>`.
    pub fn both(&self) -> Recipe {
        Recipe::stored(format!("{} | {}", self.post.as_str(), self.note.as_str()))
    }
}
