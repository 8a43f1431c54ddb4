//! `candor demo`: the whole main path on the shipped corpus, which is invented for this purpose.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use include_dir::{Dir, include_dir};
use jiff::Timestamp;

use super::output::Output;
use super::{Global, everything};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Settings;
use crate::exit::Exit;
use crate::progress::Progress;

/// The corpus travels in the binary, so the demo runs anywhere.
static CORPUS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/corpus/demo");

/// The demo's "now": a day after its last post, so that every run writes the same bytes.
const NOW: &str = "2026-08-01T00:00:00Z";

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Folder to work in; it is made anew.
    #[arg(long, default_value = "candor-demo", value_name = "DIR")]
    dir: PathBuf,
}

/// The demo's authors are invented, so their pseudonyms need no secret key; a fixed one makes every demo write the same bytes.
const AUTHOR_KEY: &str = "64656d6f64656d6f64656d6f64656d6f64656d6f64656d6f64656d6f64656d6f";

/// The demo's settings, in its folder.
const CONFIG: &str = "corpus/candor.toml";

/// Left in a demo folder, so that no other folder is ever deleted.
const MARK: &str = ".candor-demo";

pub(super) async fn run(args: DemoArgs, global: &Global, out: &mut Output) -> Result<Exit> {
    let dir = args.dir;
    prepare(&dir)?;
    let mut settings = Settings::load(Some(&dir.join(CONFIG)), None)?;
    settings.workspace = dir.join("workspace");
    let app = App::open(settings, Clock::Fixed(NOW.parse::<Timestamp>()?), Progress::new(global.quiet)).await?;
    out.line(
        "An invented market: scheduling software for small trades contractors. Every post, note and name is made up.\n",
    )?;
    let exit = everything(&app, out).await;
    let [report, json] = ["report.html", "report.v1.json"].map(|name| app.report_dir().join(name));
    app.store.close().await;
    let exit = exit?;
    let report = fs::canonicalize(&report).unwrap_or(report);
    if out.json() {
        out.value(&serde_json::json!({ "v": 1, "stage": "demo", "report": report }))?;
    } else {
        out.line(&format!("\nThe report: {}", report.display()))?;
        let (workspace, config) = (dir.join("workspace"), dir.join(CONFIG));
        out.line(&format!(
            "Look around: candor --workspace {} search '\"no signal\" OR spreadsheet'",
            workspace.display()
        ))?;
        out.line(&format!(
            "Derive it again: candor --workspace {} --config {} verify {}",
            workspace.display(),
            config.display(),
            json.display()
        ))?;
    }
    Ok(exit)
}

/// Empties a folder of an earlier demo, or makes a new one, and lays the corpus into it.
fn prepare(dir: &Path) -> Result<()> {
    let fresh = match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => true,
    };
    if !fresh {
        if !dir.join(MARK).exists() {
            bail!("{} holds something that is not a demo; name another folder with --dir", dir.display());
        }
        fs::remove_dir_all(dir).with_context(|| format!("could not clear the old demo in {}", dir.display()))?;
    }
    let corpus = dir.join("corpus");
    fs::create_dir_all(&corpus).with_context(|| format!("could not make {}", corpus.display()))?;
    fs::write(dir.join(MARK), "made by `candor demo`, which may delete this folder\n")
        .with_context(|| format!("could not write to {}", dir.display()))?;
    let workspace = dir.join("workspace");
    fs::create_dir_all(&workspace)
        .and_then(|()| fs::write(workspace.join("author.key"), AUTHOR_KEY))
        .with_context(|| format!("could not make {}", workspace.display()))?;
    CORPUS.extract(&corpus).with_context(|| format!("could not lay out the corpus in {}", corpus.display()))
}
