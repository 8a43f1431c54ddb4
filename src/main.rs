//! The `candor` binary: parse, run, exit code.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use candor::cli::Cli;
use candor::exit::Exit;
use clap::Parser as _;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    // Ours alone: what libraries warn of is no user's business.
    let warnings = || EnvFilter::new("error,candor=warn");
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("CANDOR_LOG").unwrap_or_else(|_| warnings()))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .without_time()
        .with_target(false)
        .init();
    match Cli::parse().run().await {
        Ok(exit) => exit.into(),
        // The reader of our output has gone: that is its right.
        Err(error) if is_broken_pipe(&error) => Exit::Done.into(),
        Err(error) => {
            // Nothing is left to tell when standard error is gone too.
            let _ = writeln!(std::io::stderr(), "candor: {error:#}");
            Exit::Failed.into()
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        io.or(json) == Some(std::io::ErrorKind::BrokenPipe)
    })
}
