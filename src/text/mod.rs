//! Pure text work: no I/O, no async.

pub mod near_duplicate;
