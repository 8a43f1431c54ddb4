//! What was typed. One enum of verbs, one `match`; a verb that needs more than a call has a file of its own.

mod codebook;

mod demo;

mod eval;

mod export;

mod label;

mod output;

mod problems;

mod read;

mod reader;

mod search;

mod simulate;

mod status;

mod verify;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::app::{self, App};
use crate::clock::Clock;
use crate::collect::Zone;
use crate::collect::files::FORMATS;
use crate::config::{self, Settings};
use crate::exit::Exit;
use crate::extract::by_model::ByBatch;
use crate::llm::{Collected, Estimate};
use crate::pipeline;
use crate::progress::Progress;
use output::Output;

/// Reads what people say when nobody is selling to them, and measures how far the CRM is from it.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Args)]
struct Global {
    /// Folder of the store, the index and the reports [default: candor-workspace].
    #[arg(long, global = true, env = "CANDOR_WORKSPACE", value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Configuration file [default: candor.toml, when there is one].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Machine-readable output on standard output, one JSON object a line.
    #[arg(long, global = true)]
    json: bool,
    /// No progress bars.
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(flatten)]
    reader: reader::ReaderArgs,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run everything on the shipped, invented corpus and say where the report is.
    Demo(demo::DemoArgs),
    /// Write a commented candor.toml into this folder.
    Init,
    /// The whole path from collect to report, as candor.toml says. Safe to repeat.
    Run,
    /// Read posts from files, folders, a Discourse address or a subreddit.
    Collect(CollectArgs),
    /// Bring the full-text index up to date.
    Index,
    /// Find signals in posts that were not read yet.
    Extract(ExtractArgs),
    /// The CRM's side.
    #[command(subcommand)]
    Crm(CrmVerb),
    /// Sort signals and claimed pains into problems.
    Group(GroupArgs),
    /// The list of problems: look at it, edit it, freeze it, see what changed.
    #[command(subcommand)]
    Codebook(codebook::CodebookVerb),
    /// Measure how far the two sides are apart.
    Compare,
    /// Write the report: HTML, Markdown, JSON.
    Report(ReportArgs),
    /// Re-derive the numbers of a report from this workspace, and cut its quotes anew.
    Verify(verify::VerifyArgs),
    /// The list of problems: people, threads, accounts, shares, verdicts, and what lies outside.
    Problems(problems::ProblemsArgs),
    /// Everything that is known of one problem, with quotes.
    Problem(problems::ProblemArgs),
    /// Search the posts.
    Search(search::SearchArgs),
    /// Read texts from a file or a pipe: JSON lines in, JSON lines out. Needs no workspace.
    ///
    /// A model's answers are kept in a workspace that is there.
    Read(read::ReadArgs),
    /// Score a reader against labelled texts, beside simple baselines.
    Eval(eval::EvalArgs),
    /// Label by hand, one post or note at a time; draw, import, adjudicate, status.
    Label(label::LabelArgs),
    /// Try the comparison on invented worlds whose truth is known, beside counting naively.
    Simulate(simulate::SimulateArgs),
    /// Write signals, posts or problems for other tools.
    Export(export::ExportArgs),
    /// What is in the workspace, what is still to do, what failed.
    Status,
    /// The kinds of files that `candor collect` and `candor crm import` read.
    Formats,
}

#[derive(Debug, Args)]
struct CollectArgs {
    /// Files, folders, `https://a.discourse.forum`, r/subreddit.
    #[arg(required = true, value_name = "PATH|SITE")]
    targets: Vec<String>,
    /// Name of the community, where the input does not tell one.
    #[arg(long, value_name = "NAME")]
    community: Option<String>,
    /// At most this many threads from each live site.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Zone of dates that name none, as in `Europe/Berlin` [default: UTC, or `tz` of the configuration].
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    tz: Option<TimeZone>,
    /// Column map (TOML) of tables and plain JSON: text = "Remark", author = "By", written_at = "When", …
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| "no such time zone; name one as in Europe/Berlin or UTC".to_owned())
}

#[derive(Debug, Args)]
struct ExtractArgs {
    /// Say what a model would be asked and what that would cost, and ask nothing; with --json also each request, exactly.
    #[arg(long)]
    dry_run: bool,
    /// Ask by the provider's batches, at their lower price: the first call hands questions over, later ones collect answers.
    #[arg(long, conflicts_with = "dry_run")]
    batch: bool,
}

#[derive(Debug, Subcommand)]
enum CrmVerb {
    /// Import notes, accounts and deals from exports, and read the notes.
    Import(ImportArgs),
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// Export files, folders or archives of any CRM; what each file is, is told from its content.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Column map (TOML): text = "Comments", account = "Company", …
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Zone of dates that name none, as in `Europe/Berlin` [default: UTC, or `tz` of the configuration].
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    tz: Option<TimeZone>,
    /// Say what a model would be asked and what that would cost, and import and ask nothing; with --json also each request, exactly.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
struct GroupArgs {
    /// A codebook frozen by hand, instead of clustering.
    #[arg(long, value_name = "FILE")]
    codebook: Option<PathBuf>,
    /// Find problems afresh instead of following those of the run before; ids stay where the content does.
    #[arg(long, conflicts_with = "codebook")]
    anew: bool,
    /// Say what a model would be asked and what that would cost, and ask nothing; with --json also each request, exactly.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
struct ReportArgs {
    /// Folder to write to [default: report/ in the workspace].
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Title of the report.
    #[arg(long)]
    title: Option<String>,
}

/// Formats that tables are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TableFormat {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values with a header.
    Csv,
}

impl Cli {
    /// Does what was asked and says how it ended.
    ///
    /// # Errors
    /// When the verb cannot do its work; the message says what, to what, and what to do next.
    pub async fn run(self) -> Result<Exit> {
        let Self { global, verb } = self;
        let mut out = Output::new(global.json);
        match verb {
            Verb::Read(args) => return read::run(&args, &global).await,
            Verb::Eval(args) => return eval::run(&args, &global, &mut out).await,
            Verb::Simulate(args) => return simulate::run(&args, &mut out),
            Verb::Init => return init(&mut out),
            Verb::Formats => return formats(&mut out),
            Verb::Demo(args) => return demo::run(args, &global, &mut out).await,
            _ => {}
        }
        let mut settings = global.settings()?;
        match &verb {
            Verb::Group(GroupArgs { codebook: Some(codebook), .. }) => settings.codebook = Some(codebook.clone()),
            Verb::Report(ReportArgs { title: Some(title), .. }) => settings.title = Some(title.clone()),
            _ => {}
        }
        // Before the workspace is opened: what was spent is read then.
        let _alone = if verb.asks() { app::alone(&settings)? } else { None };
        let app = App::open(settings, Clock::System, Progress::new(global.quiet)).await?;
        let exit = match app.readers.llm() {
            None => work(&app, verb, &mut out).await,
            Some(llm) => llm.settled(work(&app, verb, &mut out)).await,
        };
        app.store.close().await;
        exit
    }
}

impl Verb {
    /// Whether it asks a model where one reads.
    fn asks(&self) -> bool {
        match self {
            Self::Run => true,
            Self::Extract(args) => !args.dry_run,
            Self::Crm(CrmVerb::Import(args)) => !args.dry_run,
            Self::Group(args) => !args.dry_run,
            _ => false,
        }
    }
}

impl Global {
    /// What the configuration says, with the flags laid over it.
    fn settings(&self) -> Result<Settings> {
        let mut settings = Settings::load(self.config.as_deref(), self.workspace.clone())?;
        self.reader.apply(&mut settings)?;
        Ok(settings)
    }
}

fn formats(out: &mut Output) -> Result<Exit> {
    let names: Vec<_> = FORMATS.iter().map(|format| format.name()).collect();
    let crm = crate::crm::import::format_names();
    if out.json() {
        out.value(&serde_json::json!({"v": 1, "formats": names, "crm": crm}))?;
    } else {
        out.line(&format!("candor collect reads\n  {}", names.join("\n  ")))?;
        out.line(&format!("candor crm import reads\n  {}", crm.join("\n  ")))?;
        out.line(
            "Direct messages of two or a few are no community's: of every export they are left out and counted as \"direct message\".",
        )?;
        out.line("Files may be packed with zip, gzip or zstd, and of any encoding. What a file is, is told from its content.")?;
        out.line(
            "Files are read as streams, so they may be of any size. Only a saved page and a single JSON document are held whole, \
             and refused above 16 MiB; so is a record of any other.",
        )?;
    }
    Ok(Exit::Done)
}

async fn work(app: &App, verb: Verb, out: &mut Output) -> Result<Exit> {
    let summary = match verb {
        Verb::Run => return everything(app, out).await,
        Verb::Collect(args) => {
            let zone = Zone::new(args.tz.unwrap_or_else(|| app.settings.tz.clone()));
            let map = args.map.as_deref().or(app.settings.collect_map.as_deref());
            pipeline::collect(app, &args.targets, args.community, args.limit, zone, map).await?
        }
        Verb::Index => pipeline::index(app).await?,
        Verb::Extract(ExtractArgs { dry_run: true, .. }) => {
            let estimate = pipeline::estimate_extract(app, &mut shown(out)).await?;
            return told(estimate, out);
        }
        Verb::Extract(ExtractArgs { batch: true, .. }) => match pipeline::extract_by_batch(app).await? {
            ByBatch::UnderWay(collected) => return under_way(&collected, out),
            ByBatch::Read(summary) => summary,
        },
        Verb::Extract(_) => pipeline::extract(app).await?,
        Verb::Crm(CrmVerb::Import(args)) => {
            let map = args.map.as_deref().or(app.settings.crm_map.as_deref());
            let zone = Zone::new(args.tz.unwrap_or_else(|| app.settings.tz.clone()));
            if args.dry_run {
                let estimate = pipeline::estimate_crm(app, &args.paths, map, &zone, &mut shown(out)).await?;
                return told(estimate, out);
            }
            let imported = pipeline::crm_import(app, &args.paths, map, &zone).await?;
            out.stage(app, &imported).await?;
            let read = pipeline::crm_read(app).await?;
            out.stage(app, &read).await?;
            return Ok(if imported.failed + read.failed > 0 { Exit::Partial } else { imported.exit() });
        }
        Verb::Group(GroupArgs { anew, dry_run: true, .. }) => {
            let estimate = pipeline::estimate_group(app, anew, &mut shown(out)).await?;
            return told(estimate, out);
        }
        Verb::Group(args) => pipeline::group(app, args.anew).await?,
        Verb::Compare => {
            let (summary, comparison) = pipeline::compare(app).await?;
            out.comparison(&summary, &comparison)?;
            return Ok(summary.exit());
        }
        Verb::Report(args) => {
            pipeline::compare(app).await?;
            let dir = args.out.unwrap_or_else(|| app.report_dir());
            pipeline::report(app, &dir).await?
        }
        Verb::Verify(args) => return verify::run(app, &args, out).await,
        Verb::Problems(args) => return problems::list(app, &args, out).await,
        Verb::Problem(args) => return problems::page(app, &args, out).await,
        Verb::Search(args) => return search::run(app, &args, out).await,
        Verb::Codebook(verb) => return codebook::run(app, verb, out).await,
        Verb::Label(args) => return label::run(app, args, out).await,
        Verb::Export(args) => return export::run(app, &args).await,
        Verb::Status => return status::run(app, out).await,
        Verb::Demo(_) | Verb::Init | Verb::Formats | Verb::Read(_) | Verb::Eval(_) | Verb::Simulate(_) => {
            return Ok(Exit::Usage);
        }
    };
    out.stage(app, &summary).await?;
    Ok(summary.exit())
}

/// Prints requests that would be sent, for machines.
fn shown(out: &mut Output) -> impl FnMut(Value) -> Result<()> {
    move |request| if out.json() { out.value(&request) } else { Ok(()) }
}

/// What a model would be asked, and what that would cost; `None` when no model reads.
fn told(estimate: Option<Estimate>, out: &mut Output) -> Result<Exit> {
    let Some(estimate) = estimate else {
        out.line("the embedded reader reads here: nothing is sent, and nothing costs anything")?;
        return Ok(Exit::Done);
    };
    if out.json() {
        out.value(&estimate)?;
    } else {
        out.line(&estimate.to_string())?;
    }
    Ok(if estimate.questions == 0 { Exit::NothingToDo } else { Exit::Done })
}

/// Says that batches are under way.
fn under_way(collected: &Collected, out: &mut Output) -> Result<Exit> {
    let Collected { batches, waiting, .. } = collected;
    if out.json() {
        out.value(&serde_json::json!({ "batches": { "collected": batches, "under_way": waiting } }))?;
    } else {
        out.line(&format!(
            "batches collected: {batches}, under way: {waiting}; run the same command again later, they take up to a day"
        ))?;
    }
    Ok(Exit::Done)
}

/// The main path, told stage by stage.
async fn everything(app: &App, out: &mut Output) -> Result<Exit> {
    let mut failing = Vec::new();
    let mut done = 0;
    pipeline::run(app, &mut |summary| {
        failing.extend((summary.failed > 0).then_some(summary.stage));
        // A report is written in any case; on an empty workspace it says so.
        if summary.stage != "report" {
            done += summary.done + summary.skipped;
        }
        out.summary(summary)
    })
    .await?;
    if !failing.is_empty() {
        out.failures(app, &failing).await?;
        return Ok(Exit::Partial);
    }
    Ok(if done == 0 { Exit::NothingToDo } else { Exit::Done })
}

fn init(out: &mut Output) -> Result<Exit> {
    let path = std::path::Path::new("candor.toml");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .context("could not make candor.toml here; is there one already?")?;
    std::io::Write::write_all(&mut file, config::TEMPLATE.as_bytes()).context("could not write candor.toml")?;
    out.line("wrote candor.toml; name what to collect in it, then `candor run`")?;
    Ok(Exit::Done)
}
