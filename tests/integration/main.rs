//! One integration binary; each module is a promise made to users.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub
)]

mod broken;

mod codebook;

mod demo;

mod dry_run;

mod gold;

mod harness;

mod killed;

mod label;

mod live;

mod pipe;

mod readme;

mod real_data;

mod scores;

mod simulate;

mod tapes;

mod tidy;
