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

    /// What kind of community it is: people come to each for other reasons and post under other rules, so what is told in
    /// several kinds is less likely to be made by who posts (METHOD 3.10).
    pub fn kind(self) -> &'static str {
        match self {
            Self::Discourse | Self::Forum => "forum",
            Self::Discord | Self::Slack | Self::Telegram | Self::Mattermost => "chat",
            Self::Github => "issue tracker",
            Self::StackExchange => "questions and answers",
            Self::Reddit | Self::HackerNews | Self::Lemmy => "social",
            Self::Mail => "mailing list",
            Self::Jsonl => "other",
        }
    }

    /// Where the post with this id comes from: what stands before the first colon.
    pub fn of_post(id: &super::PostId) -> Option<Self> {
        Self::parse(id.as_str().split_once(':')?.0)
    }

    /// The source with this name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }
}
