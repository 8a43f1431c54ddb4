//! `candor read`: texts in, readings out, no workspace.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::exit::Exit;
use crate::{crm, extract};

#[derive(Debug, Args)]
pub(super) struct ReadArgs {
    /// JSON lines of {"id", "text", "context"?}, or - for standard input.
    #[arg(value_name = "FILE|-")]
    input: PathBuf,
    /// What the texts are.
    #[arg(long, value_enum, default_value_t = Kind::Post)]
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Community posts: voice, acts, texture.
    Post,
    /// CRM notes: interest, compliments, fluff, pains, objections, commitments.
    Note,
}

/// Bad lines are answered in place with an error, and make the run partial.
pub(super) fn run(args: &ReadArgs) -> Result<Exit> {
    let input: Box<dyn Read + Send> = if args.input == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(&args.input).with_context(|| format!("could not open {}", args.input.display()))?)
    };
    let input = BufReader::with_capacity(1 << 16, input);
    let output = BufWriter::new(io::stdout());
    let lines = match args.kind {
        Kind::Post => extract::lines::read_lines(input, output)?,
        Kind::Note => crm::lines::read_note_lines(input, output)?,
    };
    Ok(match (lines.read, lines.bad) {
        (_, 1..) => Exit::Partial,
        (0, 0) => Exit::NothingToDo,
        _ => Exit::Done,
    })
}
