//! Pure text work: what a text is cut into and how it travels. No I/O of its own, no stage.

pub mod lines;
