//! Pure text work: no I/O, no async.

pub mod display;

pub mod html;

pub mod lines;

pub mod markdown;

pub mod near_duplicate;

pub mod sentence;
