//! `candor label`: hand labels, which turn machine counts into measured shares.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};

use super::output::Output;
use crate::app::App;
use crate::compare::labels;
use crate::exit::Exit;
use crate::pipeline;
use crate::store::Side;

mod talk;

mod explain;

mod questions;

mod items;

mod session;

mod adjudicate;

mod status;

#[derive(Debug, Args)]
pub(super) struct LabelArgs {
    #[command(subcommand)]
    verb: Option<LabelVerb>,
    #[command(flatten)]
    session: SessionArgs,
}

#[derive(Debug, Subcommand)]
enum LabelVerb {
    /// Draw people and accounts to label, and write their posts and notes as JSON lines to fill in.
    Draw(DrawArgs),
    /// Import labelled JSON lines.
    Import {
        /// The file.
        file: PathBuf,
    },
    /// Settle what two annotators read differently: both answers side by side, and yours stands.
    Adjudicate,
    /// How much is labelled and by whom, and how far annotators agree.
    Status,
}

#[derive(Debug, Args)]
struct DrawArgs {
    /// People, and as many accounts [default: compare.sample_per_side].
    #[arg(long, value_name = "N")]
    per_side: Option<usize>,
    /// Replace a sample that was drawn before, although labels made for it lose their weights.
    #[arg(long)]
    again: bool,
}

/// Without a verb: label here, one post or note at a time.
#[derive(Debug, Default, PartialEq, Eq, Args)]
struct SessionArgs {
    /// Who labels [default: $USER, or me].
    #[arg(long, value_name = "NAME")]
    annotator: Option<String>,
    /// Only posts, or only notes [default: both, mixed].
    #[arg(long, value_enum, value_name = "SIDE")]
    side: Option<SideArg>,
    /// A second opinion on a random N of each side's items that others labelled, blind to what they said.
    #[arg(long, value_name = "N")]
    double: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SideArg {
    /// Posts.
    Community,
    /// Notes.
    Crm,
}

impl From<SideArg> for Side {
    fn from(side: SideArg) -> Self {
        match side {
            SideArg::Community => Self::Community,
            SideArg::Crm => Self::Crm,
        }
    }
}

pub(super) async fn run(app: &App, args: LabelArgs, out: &mut Output) -> Result<Exit> {
    let Some(verb) = args.verb else { return session::run(app, args.session, out).await };
    if args.session != SessionArgs::default() {
        bail!("--annotator, --side and --double go with `candor label` alone, without a verb");
    }
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
        LabelVerb::Adjudicate => adjudicate::run(app, out).await,
        LabelVerb::Status => status::run(app, out).await,
    }
}
