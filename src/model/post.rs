//! Threads and posts: what somebody wrote, once, where.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AuthorKey, PostId, Source, ThreadId};

/// A conversation: a forum topic, a Reddit submission with its comments, a Discord channel or thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// `<source>:<native id>`.
    pub id: ThreadId,
    /// Where it was read.
    pub source: Source,
    /// The community it belongs to, as people name it: `r/bikewrench`, a guild's name, a forum's host.
    pub community: String,
    /// Its title; the channel's name on Discord. May be empty.
    pub title: String,
    /// Where a reader finds it, when the source says so.
    pub url: Option<String>,
    /// When it began, when known.
    pub started_at: Option<Timestamp>,
}

/// One post. `text` is derived once, at collection, and never changes under the spans that point into it:
/// an edited post is stored anew and its readings are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// `<source>:<native id>`.
    pub id: PostId,
    /// The conversation it stands in.
    pub thread: ThreadId,
    /// The post it answers, when the source says so. It need not be in the store.
    pub parent: Option<PostId>,
    /// Where it was read.
    pub source: Source,
    /// The community, as in [`Thread::community`].
    pub community: String,
    /// Pseudonym of the author; `None` when the account was deleted or never stated.
    pub author: Option<AuthorKey>,
    /// When it was written, when known.
    pub written_at: Option<Timestamp>,
    /// When it was last edited, when known.
    pub edited_at: Option<Timestamp>,
    /// Where a reader finds it.
    pub url: Option<String>,
    /// Plain text, UTF-8, never empty.
    pub text: String,
    /// What the source says about it.
    pub flags: PostFlags,
}

/// What the source says about a post.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostFlags {
    /// Written by a bot or a webhook.
    pub bot: bool,
    /// Words of others were cut out of the text.
    pub quoted: bool,
    /// The date lies after the time of collection, so it is kept but not trusted: such a post has no place in a window.
    pub future: bool,
}
