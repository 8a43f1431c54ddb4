//! The shapes that sites and files put posts in, and the way from there to the model.
//!
//! A live page and a saved one are read by the same functions, so a post has the same id and the same text wherever it
//! was found. Fields are optional unless a post cannot be named without them; odd types are read as what they mean.

pub(super) mod discord;

pub mod discourse;

pub mod reddit;

pub mod stack_exchange;

pub(super) mod lenient;

pub(super) mod words;

use jiff::Timestamp;
use thiserror::Error;

use crate::model::{AuthorKey, Post, PostId, Thread};
use crate::text::handles::without_handles;

pub use crate::files::dates::instant;
pub use lenient::parse_instant;

/// What one record of the outside world turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A conversation. Comes before its posts, and beside records: it is not counted as one.
    Thread(Thread),
    /// A post to keep.
    Post(Post),
    /// Whom the post before it speaks to; beside records, as a thread is.
    Mentions {
        /// The post.
        post: PostId,
        /// Pseudonyms, as in [`Post::author`].
        people: Vec<AuthorKey>,
    },
    /// Deleted at the source: nothing of it may be kept.
    Removed(PostId),
    /// Left out, for a reason that is counted.
    Skipped {
        /// The id it would have had.
        id: String,
        /// Why, in two or three words.
        reason: &'static str,
    },
    /// What is said to be there and is not in the file: counted as left out.
    Absent {
        /// How many.
        count: u32,
        /// What, in a few words.
        reason: &'static str,
    },
    /// What to know about how the file was read; beside records, as a thread is. Said once however many files say it.
    Notice(&'static str),
}

impl Record {
    /// The record without handles of people in its words, as the last step of whatever read it.
    #[must_use]
    pub fn unnamed(self) -> Self {
        match self {
            Self::Thread(thread) => Self::Thread(Thread { title: without_handles(&thread.title), ..thread }),
            Self::Post(post) => Self::Post(Post { text: without_handles(&post.text), ..post }),
            other => other,
        }
    }
}

/// Why what people write to one another in private is left out, whatever it was exported from: it is no community's.
pub(super) const DIRECT_MESSAGE: &str = "direct message";

/// Why a record could not be read, in words that do not repeat its content.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl Unreadable {
    /// For JSON of the wrong shape. The position is left out, so that equal mistakes are counted as equal, and of what is there
    /// but not as it should be everything, for it may be somebody's words.
    pub fn json(error: &serde_json::Error) -> Self {
        if error.is_data() {
            let laid = "not the expected JSON: this record is not laid out as its program writes it; export it again, or report it";
            return Self(laid.to_owned());
        }
        let text = error.to_string();
        let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        Self(format!("not the expected JSON: {reason}"))
    }
}

/// `text` as the store can hold it: a NUL would end it early there. What is left is trimmed, so that nothing but NULs is empty.
pub(super) fn clean(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "").trim().to_owned() } else { text }
}

/// Whether `at` lies after the collection that met it.
pub(super) fn is_future(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at > now)
}
