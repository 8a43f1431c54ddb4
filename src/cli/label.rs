//! `candor label`: hand labels, which turn machine counts into measured shares.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::output::Output;
use crate::app::App;
use crate::compare::labels;
use crate::exit::Exit;
use crate::pipeline;

#[derive(Debug, Subcommand)]
pub(super) enum LabelVerb {
    /// Draw people and accounts to label, and write their posts and notes as JSON lines to fill in.
    Draw(DrawArgs),
    /// Import labelled JSON lines.
    Import {
        /// The file.
        file: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(super) struct DrawArgs {
    /// People, and as many accounts [default: compare.sample_per_side].
    #[arg(long, value_name = "N")]
    per_side: Option<usize>,
    /// Replace a sample that was drawn before, although labels made for it lose their weights.
    #[arg(long)]
    again: bool,
}

pub(super) async fn run(app: &App, verb: LabelVerb, out: &mut Output) -> Result<Exit> {
    match verb {
        LabelVerb::Draw(args) => {
            if args.again || app.store.sample().await?.is_empty() {
                let per_side = args.per_side.unwrap_or(app.settings.compare.sample_per_side);
                pipeline::label_draw(app, per_side).await?;
            }
            let lines = pipeline::label_worksheet(app).await?;
            for line in &lines {
                out.value(line)?;
            }
            Ok(if lines.is_empty() { Exit::NothingToDo } else { Exit::Done })
        }
        LabelVerb::Import { file } => {
            let summary = labels::import_labels(&app.store, &file).await?;
            out.stage(app, &summary).await?;
            Ok(summary.exit())
        }
    }
}
