//! Where posts come from.

use serde::{Deserialize, Serialize};

/// The kind of place a post was read from. The name is the prefix of the post's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Reddit, live or from a dump.
    Reddit,
    /// Discord, from an export.
    Discord,
    /// A Discourse forum, live or saved.
    Discourse,
    /// Candor's own plain JSONL.
    Jsonl,
}

impl Source {
    /// The name as it stands in ids, SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reddit => "reddit",
            Self::Discord => "discord",
            Self::Discourse => "discourse",
            Self::Jsonl => "jsonl",
        }
    }

    /// The source with this name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Reddit, Self::Discord, Self::Discourse, Self::Jsonl].into_iter().find(|s| s.as_str() == name)
    }
}
