//! Pure text work: no I/O, no async.

pub mod alone;

pub(crate) mod base64;

pub mod code;

pub(crate) mod contractions;

pub mod discord;

pub mod display;

pub mod due;

pub mod handles;

pub mod html;

pub mod lines;

pub mod locate;

pub mod mail;

pub mod mapped;

pub mod markdown;

pub mod mrkdwn;

pub mod near_duplicate;

pub mod numbers;

pub mod outcome_words;

pub mod redact;

pub mod sentence;
