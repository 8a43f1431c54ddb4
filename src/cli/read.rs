//! `candor read`: texts in, readings out. It needs no workspace; a model's answers are kept in the one that is there.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use rand::TryRng as _;
use rand::rngs::SysRng;

use super::Global;
use crate::app::{Keeping, Readers};
use crate::clock::Clock;
use crate::config::Settings;
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
    /// Print what would be sent to the model, exactly and redacted, and send nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Community posts: voice, acts, texture.
    Post,
    /// CRM notes: interest, compliments, fluff, pains, objections, commitments.
    Note,
}

/// Bad lines are answered in place with an error, and make the run partial.
pub(super) async fn run(args: &ReadArgs, global: &Global) -> Result<Exit> {
    let input: Box<dyn Read + Send> = if args.input == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(&args.input).with_context(|| format!("could not open {}", args.input.display()))?)
    };
    let input = BufReader::with_capacity(1 << 16, input);
    let output = BufWriter::new(io::stdout());
    let settings = global.settings()?;
    let keeping = Keeping::open(&settings, global.workspace.is_some(), !args.dry_run).await?;
    let secret = fence_secret(&settings, keeping.as_ref().map(|keeping| keeping.author_key))?;
    let store = keeping.as_ref().map(|keeping| keeping.store.clone());
    let lines = match Readers::new(&settings, store, Clock::System, secret).await?.llm() {
        None if args.dry_run => bail!("the embedded reader sends nothing anywhere; --dry-run goes with --reader llm"),
        None => match args.kind {
            Kind::Post => extract::lines::read_lines(input, output)?,
            Kind::Note => crm::lines::read_note_lines(input, output)?,
        },
        Some(llm) if args.dry_run => match args.kind {
            Kind::Post => extract::lines::write_questions(&llm.post().await?, input, output)?,
            Kind::Note => crm::lines::write_note_questions(&llm.lone_note().await?, input, output)?,
        },
        Some(llm) => {
            let read = async {
                match args.kind {
                    Kind::Post => extract::lines::read_lines_by_model(&llm.post().await?, input, output).await,
                    Kind::Note => crm::lines::read_note_lines_by_model(&llm.lone_note().await?, input, output).await,
                }
            };
            llm.settled(read).await?
        }
    };
    Ok(match (lines.read, lines.bad) {
        (_, 1..) => Exit::Partial,
        (0, 0) => Exit::NothingToDo,
        _ => Exit::Done,
    })
}

/// What was answered is found again only by the same fences: a tape's are the same for everybody, a workspace's are made with
/// its `key`.
fn fence_secret(settings: &Settings, key: Option<[u8; 32]>) -> Result<[u8; 32]> {
    let taped = settings.llm.as_ref().is_some_and(|llm| llm.record.is_some() || llm.replay.is_some());
    let mut secret = [0; 32];
    match key {
        _ if taped => {}
        Some(key) => secret = key,
        None => SysRng.try_fill_bytes(&mut secret).context("the system gave no random bytes for the fences")?,
    }
    Ok(secret)
}
