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
    /// Slack, from an export.
    Slack,
    /// A Discourse forum, live or saved.
    Discourse,
    /// A forum of another engine, from saved pages.
    Forum,
    /// Hacker News.
    HackerNews,
    /// A Stack Exchange site.
    StackExchange,
    /// A Lemmy instance.
    Lemmy,
    /// Issues and discussions of a code host.
    Github,
    /// A mailing list.
    Mail,
    /// Telegram, from an export.
    Telegram,
    /// Mattermost, from an export.
    Mattermost,
    /// Tables and lines of JSON, Candor's own form and others by a map.
    Jsonl,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Reddit,
        Self::Discord,
        Self::Slack,
        Self::Discourse,
        Self::Forum,
        Self::HackerNews,
        Self::StackExchange,
        Self::Lemmy,
        Self::Github,
        Self::Mail,
        Self::Telegram,
        Self::Mattermost,
        Self::Jsonl,
    ];

    /// The name as it stands in ids, SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reddit => "reddit",
            Self::Discord => "discord",
            Self::Slack => "slack",
            Self::Discourse => "discourse",
            Self::Forum => "forum",
            Self::HackerNews => "hacker_news",
            Self::StackExchange => "stack_exchange",
            Self::Lemmy => "lemmy",
            Self::Github => "github",
            Self::Mail => "mail",
            Self::Telegram => "telegram",
            Self::Mattermost => "mattermost",
            Self::Jsonl => "jsonl",
        }
    }

    /// The source with this name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }
}
