//! Stage 4: CRM exports to notes, notes to readings.
//!
//! A *note* is what a rep wrote down; a *reading* is what it claims (interest, pains, compliments) and what it shows
//! (commitments). The one rule: what the rep asserts and what somebody else vouches for are never mixed.

pub mod by_model;

pub mod embedded;

pub mod import;

pub mod lines;

pub mod llm;

mod due;

mod read;

pub use import::import;
pub use read::read;
