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

    /// Which reader it is, whatever its version: `embedded` of `embedded-3+3f2a…`, `llm-post:m:p` of `llm-post-1:m:p+3f2a…`.
    pub fn reader(&self) -> String {
        let (name, _, configured) = self.parts();
        format!("{name}{configured}")
    }

    /// The number of its reader's version; 0 when it has none.
    pub fn version(&self) -> u32 {
        self.parts().1
    }

    /// Whether what it reads by can be chosen, as a language model, its protocol and its prompt can. A reader without a choice
    /// that reads by something else has become another version.
    pub fn is_configured(&self) -> bool {
        !self.parts().2.is_empty()
    }

    /// Name, version, and what was configured, with its first sign.
    fn parts(&self) -> (&str, u32, &str) {
        let all = self.0.rsplit_once('+').map_or(self.0.as_str(), |(all, _)| all);
        let (head, configured) = all.split_at(all.find(':').unwrap_or(all.len()));
        let numbered = head.rsplit_once('-').and_then(|(name, number)| Some((name, number.parse().ok()?)));
        let (name, version) = numbered.unwrap_or((head, 0));
        (name, version, configured)
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
