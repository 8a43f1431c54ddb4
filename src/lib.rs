//! Candor reads what people say to each other when nobody is selling to them, and measures how far the CRM is from it.
//!
//! The modules, in reading order: the nouns, the doors to the outside, the stages in the data's way, and the walk through
//! them. Stages meet only in the [`store`]; no stage imports another.
#![forbid(unsafe_code)]

// The nouns: posts, evidence, signals, notes, problems, gaps.
pub mod model;

// Pure text work: markup to plain text, sentences, near-duplicates.
pub mod text;

// Files where they stand: folders, archives, encodings.
pub mod files;

// The only door to the web.
pub mod net;

// The only door to a language model.
pub mod llm;

// Everything at rest.
pub mod store;

// Stage 1: sites and files to posts.
pub mod collect;

// Stage 2: posts to something searchable.
pub mod index;

// Stage 3: posts to signals.
pub mod extract;

// Stage 4: CRM exports to notes, notes to readings.
pub mod crm;

// Stage 5: signals and claimed pains to problems.
pub mod group;

// Stage 6: problems and readings to gaps.
pub mod compare;

// Stage 7: gaps to something to read.
pub mod report;

// How good the readers are: readings against labels.
pub mod eval;

// How good the comparison is: worlds whose truth is known.
pub mod simulate;

// What a stage tells when it is done.
pub mod summary;

// What was asked for: flags, environment and `candor.toml`, once.
pub mod config;

// Exit codes.
pub mod exit;

// The clock, injected.
pub mod clock;

// Progress on a terminal, silence in a pipe.
pub mod progress;

// What a run works with, built once.
pub mod app;

// The one main path.
pub mod pipeline;

// What was typed.
pub mod cli;

// All of the above that reads what others wrote, put to any bytes.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
