//! Stage 4: CRM exports to notes, notes to readings.

pub mod embedded;

pub mod lines;

mod read;

pub use read::read;
