//! The `candor` binary: parse, run, exit code.

use std::io::Write as _;
use std::process::ExitCode;

use candor::cli::Cli;
use candor::exit::Exit;
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("CANDOR_LOG"))
        .with_writer(std::io::stderr)
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
