//! What can go wrong at the door, as far as a caller can act on it. No variant ever holds a credential: addresses with
//! credentials in them are refused without being repeated, and headers are not kept.

use std::time::Duration;

use url::Url;

/// Why a request brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// We do not send it: scheme, private address, robots.txt.
    #[error("refused {url}: {why}")]
    Refused {
        /// What was asked for.
        url: String,
        /// Why, and what to do when it is meant.
        why: String,
    },
    /// The server answered with a status that is no success.
    #[error("{url} answered {status}")]
    Status {
        /// What was asked for.
        url: Box<Url>,
        /// The HTTP status.
        status: u16,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// The body is larger than `net.max_body_mb`.
    #[error("{url} is larger than {limit} bytes; raise net.max_body_mb if this is meant")]
    TooLarge {
        /// What was asked for.
        url: Box<Url>,
        /// The cap, bytes after decompression.
        limit: u64,
    },
    /// Transient trouble outlasted the retry budget, or the host is closed for longer than we wait.
    #[error("gave up on {url} {when}: {last}; run again later to go on from here")]
    GaveUp {
        /// What was asked for.
        url: Box<Url>,
        /// After how many tries, or before the first.
        when: String,
        /// The last trouble.
        last: String,
    },
    /// More redirects than we follow.
    #[error("{url} redirects more than {limit} times")]
    Redirects {
        /// Where it began.
        url: Box<Url>,
        /// How many we follow.
        limit: usize,
    },
    /// The site does not accept our credentials, or gave us no token.
    #[error("{site} gave no access: {why}")]
    Credentials {
        /// Who.
        site: &'static str,
        /// Why, and what to do.
        why: String,
    },
    /// The connection failed: name, TLS, reset, timeout.
    #[error("could not reach {url}")]
    Transport {
        /// What was asked for.
        url: Box<Url>,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
}

impl NetError {
    /// The HTTP status, when the server answered with one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// What happened, without the address: `answered 503`, `connection refused`.
    pub(super) fn brief(&self) -> String {
        match self {
            Self::Status { status, .. } => format!("answered {status}"),
            Self::Transport { source, .. } => root_cause(source),
            other => other.to_string(),
        }
    }

    /// The message with the cause behind it, for a `failure` row.
    pub fn in_full(&self) -> String {
        match self {
            Self::Transport { source, .. } => format!("{self}: {}", root_cause(source)),
            other => other.to_string(),
        }
    }
}

/// The innermost error is the one that says something: `connection refused`, not `error sending request`.
fn root_cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
