//! `candor eval`: how good a reader is, against labels and beside simple baselines.

mod table;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::Global;
use super::output::Output;
use crate::app::{Keeping, LlmReaders, Readers};
use crate::clock::Clock;
use crate::crm::llm::NoteText;
use crate::eval::baselines::{self, Baseline};
use crate::eval::posts::{Bench, Said};
use crate::eval::redaction::{Redaction, redaction};
use crate::eval::resample::Estimate;
use crate::eval::truth::{self, Kind, LabelledNote, LabelledPost};
use crate::eval::{Score, Usage, ledger, notes};
use crate::exit::Exit;
use crate::extract::embedded::train;
use crate::extract::llm::PostText;
use crate::extract::score::TruthPost;
use crate::llm::{Unanswered, ask};
use crate::model::{ActKind, NoteReading, PostReading, Recipe};
use crate::{crm, extract};

#[derive(Debug, Args)]
pub(super) struct EvalArgs {
    /// Labelled posts or labelled notes, JSON lines (`eval/truth/README.md` tells the form).
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    truth: Vec<PathBuf>,
    /// What the texts are [default: what the first line looks like].
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Also score sentiment, keywords and a bag-of-words regression, on the same posts.
    #[arg(long)]
    baselines: bool,
    /// Judge each post by weights that have not seen its thread, instead of by the shipped ones.
    #[arg(long)]
    held_out: bool,
    /// Further labelled posts for those that learn here: the held-out weights, the bag of words.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    train: Vec<PathBuf>,
    /// At most this many texts, spread evenly over the files.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Table of scores (CSV) to bring up to date.
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
}

/// What a reader made of the texts, and what that took.
struct Read<T> {
    readings: Vec<T>,
    name: String,
    recipe: Recipe,
    /// Quotes of notes that were proposed and stand in none; a post's reading carries its own.
    rejected: usize,
    usage: Option<Usage>,
}

/// What is printed. `v` 1: fields may be added, none renamed.
#[derive(Serialize)]
struct Report {
    v: u8,
    stage: &'static str,
    kind: &'static str,
    files: Vec<String>,
    reader: String,
    recipe: String,
    /// Texts, and the threads or accounts that they are resampled by.
    texts: usize,
    clusters: usize,
    scores: Vec<Score>,
    baselines: Vec<BaselineReport>,
    usage: Option<Usage>,
    /// Of notes and the embedded reader: whether words that tell how a deal ended move what is foretold.
    redaction: Option<Redaction>,
    /// `None` where nothing was timed: held-out judging is training.
    speed: Option<Speed>,
}

#[derive(Serialize)]
struct BaselineReport {
    name: &'static str,
    scores: Vec<Score>,
    /// By how much the reader's F1 is higher, act by act, over the same draws.
    gains: Vec<Score>,
}

#[derive(Serialize)]
struct Speed {
    seconds: f64,
    texts_per_second: f64,
    characters_per_second: f64,
}

impl Speed {
    fn new<'a>(began: Instant, texts: impl ExactSizeIterator<Item = &'a str>) -> Self {
        let seconds = began.elapsed().as_secs_f64().max(1e-9);
        let count = texts.len() as f64;
        let characters = texts.map(|t| t.chars().count()).sum::<usize>() as f64;
        Self { seconds, texts_per_second: count / seconds, characters_per_second: characters / seconds }
    }
}

pub(super) async fn run(args: &EvalArgs, global: &Global, out: &mut Output) -> Result<Exit> {
    let kind = match args.kind {
        Some(kind) => kind,
        None => truth::kind_of(&args.truth[0])?,
    };
    let settings = global.settings()?;
    // Labelled text is no secret, and fences that stay the same let a tape answer.
    let keeping = Keeping::open(&settings, global.workspace.is_some(), true).await?;
    let store = keeping.as_ref().map(|keeping| keeping.store.clone());
    let readers = Readers::new(&settings, store, Clock::System, [0; 32]).await?;
    let read = async {
        match kind {
            Kind::Post => posts(args, &readers).await,
            Kind::Note => notes(args, &readers).await,
        }
    };
    let report = match readers.llm() {
        None => read.await?,
        Some(llm) => llm.settled(read).await?,
    };
    if let Some(path) = &args.scores {
        let file = report.files.join(" ");
        let mut rows = ledger::rows(&file, &report.reader, &report.recipe, &report.scores);
        for baseline in &report.baselines {
            rows.extend(ledger::rows(&file, baseline.name, "", &baseline.scores));
        }
        ledger::replace(path, &rows)?;
    }
    if out.json() {
        out.value(&report)?;
    } else {
        out.line(&table::text(&report))?;
    }
    Ok(if report.texts == 0 { Exit::NothingToDo } else { Exit::Done })
}

async fn posts(args: &EvalArgs, readers: &Readers) -> Result<Report> {
    let posts = spread(truth::read_posts(&args.truth)?, args.limit);
    let further = further(args, &posts)?;
    let bench = Bench::new(&posts);
    let (said, scores, read, speed) = if args.held_out {
        if readers.llm().is_some() {
            bail!("only the embedded reader learns from labels; --held-out does not go with another");
        }
        let (said, scores) = held_out(&posts, &further, &bench);
        let name = "embedded held-out".to_owned();
        let read = Read { readings: Vec::new(), name, recipe: extract::embedded::recipe(), rejected: 0, usage: None };
        (said, scores, read, None)
    } else {
        let began = Instant::now();
        let read = read_posts(readers, &posts).await?;
        let speed = Speed::new(began, posts.iter().map(|p| p.post.text.as_str()));
        let said = read.readings.iter().map(crate::eval::posts::said).collect();
        (said, bench.readings(&read.readings), read, Some(speed))
    };
    let baselines = if args.baselines { baselines(&bench, &posts, &further, &said) } else { Vec::new() };
    let (texts, clusters) = (posts.len(), bench.clusters());
    Ok(Report { baselines, speed, ..Report::new("post", args, read, texts, clusters, scores) })
}

/// The one place where a post reader is chosen.
async fn read_posts(readers: &Readers, posts: &[LabelledPost]) -> Result<Read<PostReading>> {
    match readers.llm() {
        None => {
            let read = |p: &LabelledPost| extract::embedded::read_post(&p.post.text, p.post.context.as_deref());
            let readings = posts.iter().map(read).collect();
            Ok(Read {
                readings,
                name: "embedded".to_owned(),
                recipe: extract::embedded::recipe(),
                rejected: 0,
                usage: None,
            })
        }
        Some(llm) => {
            let reader = llm.post().await?;
            let texts: Vec<_> = posts
                .iter()
                .map(|p| PostText { id: &p.post.id, context: p.post.context.as_deref(), text: &p.post.text })
                .collect();
            let (readings, _, unanswered) = all_scored(reader.read(&texts).await, || PostReading::silent(None))?;
            let name = format!("llm {}", llm.model.name());
            Ok(Read { readings, name, recipe: reader.recipe(), rejected: 0, usage: Some(usage(llm, unanswered)) })
        }
    }
}

/// The labelled posts to learn from beside the truth. A post that is in both would be known beforehand; it is left out.
fn further(args: &EvalArgs, posts: &[LabelledPost]) -> Result<Vec<TruthPost>> {
    let asked: std::collections::BTreeSet<&str> = posts.iter().map(|p| p.post.text.trim()).collect();
    let mut further: Vec<TruthPost> = truth::read_posts(&args.train)?.into_iter().map(|p| p.post).collect();
    further.retain(|post| !asked.contains(post.text.trim()));
    Ok(further)
}

/// Acts and probabilities of every post, from weights that had not seen its thread.
fn held_out(posts: &[LabelledPost], further: &[TruthPost], bench: &Bench) -> (Vec<Said>, Vec<Score>) {
    let truth = posts.iter().map(|p| TruthPost { trust: 1.0, ..p.post.clone() });
    let all: Vec<TruthPost> = truth.chain(further.iter().cloned()).collect();
    let mut said = vec![Said::default(); posts.len()];
    let mut judged = Vec::new();
    for one in train::hold_out(&all, train::by_thread).into_iter().filter(|j| j.post < posts.len()) {
        said[one.post][one.act as usize] = one.said;
        judged.push((one.post, one.act, one.probability, one.there));
    }
    let mut scores = bench.presence(&said, &ActKind::ALL);
    scores.extend(bench.calibration("", &judged));
    (said, scores)
}

fn baselines(bench: &Bench, posts: &[LabelledPost], further: &[TruthPost], said: &[Said]) -> Vec<BaselineReport> {
    let report = |baseline: Baseline| {
        let gain = |&act: &ActKind| {
            let estimate: Estimate = bench.gain(said, &baseline.said, act);
            let n = posts.iter().filter(|p| p.post.has(act) == Some(true)).count() as u64;
            Score::new("f1_gain", act.as_str(), estimate, n)
        };
        let gains = baseline.acts.iter().map(gain).collect();
        BaselineReport { name: baseline.name, scores: bench.presence(&baseline.said, baseline.acts), gains }
    };
    baselines::all(posts, further, train::by_thread).map(report).into()
}

async fn notes(args: &EvalArgs, readers: &Readers) -> Result<Report> {
    if args.baselines || args.held_out || !args.train.is_empty() {
        bail!("--baselines, --held-out and --train are for posts; these are notes");
    }
    let labelled = spread(truth::read_notes(&args.truth)?, args.limit);
    let began = Instant::now();
    let read = read_notes(readers, &labelled).await?;
    let speed = Speed::new(began, labelled.iter().map(|n| n.text.as_str()));
    let scores = notes::score(&labelled, &read.readings, read.rejected);
    // Reading twice costs nothing here, and a model's tokens would have to be asked for.
    let redaction = readers
        .llm()
        .is_none()
        .then(|| redaction(labelled.iter().map(|n| (n.text.as_str(), n.kind)), crm::embedded::read_note))
        .flatten();
    let accounts: std::collections::BTreeSet<&str> = labelled.iter().map(|n| n.account.as_str()).collect();
    let (texts, clusters) = (labelled.len(), accounts.len());
    Ok(Report { redaction, speed: Some(speed), ..Report::new("note", args, read, texts, clusters, scores) })
}

/// The one place where a note reader is chosen.
async fn read_notes(readers: &Readers, notes: &[LabelledNote]) -> Result<Read<NoteReading>> {
    match readers.llm() {
        None => {
            let readings = notes.iter().map(|n| crm::embedded::read_note(&n.text, n.kind)).collect();
            Ok(Read {
                readings,
                name: "embedded".to_owned(),
                recipe: crm::embedded::recipe(),
                rejected: 0,
                usage: None,
            })
        }
        Some(llm) => {
            let reader = llm.lone_note().await?;
            let texts: Vec<_> = notes.iter().map(|n| NoteText { id: &n.id, kind: n.kind, text: &n.text }).collect();
            let (readings, rejected, unanswered) = all_scored(reader.read(&texts).await, NoteReading::default)?;
            let name = format!("llm {}", llm.model.name());
            Ok(Read { readings, name, recipe: reader.recipe(), rejected, usage: Some(usage(llm, unanswered)) })
        }
    }
}

/// A reading of every text, `silent` where no answer of the asked form came; quotes that were rejected; texts without answer.
fn all_scored<R>(answers: Vec<Result<ask::Read<R>, Unanswered>>, silent: fn() -> R) -> Result<(Vec<R>, usize, u64)> {
    let texts = answers.len();
    let came = ask::CameBack::sort(0..texts, answers);
    if let Some(why) = came.end {
        return Err(why.into());
    }
    let mut readings: Vec<R> = std::iter::repeat_with(silent).take(texts).collect();
    let unanswered = came.failures.len() as u64;
    for (i, reading) in came.readings {
        readings[i] = reading;
    }
    Ok((readings, came.quotes.rejected, unanswered))
}

/// At most `limit` of `texts`, evenly spread.
fn spread<T>(texts: Vec<T>, limit: Option<usize>) -> Vec<T> {
    let Some(limit) = limit.filter(|limit| *limit < texts.len()) else { return texts };
    let of = texts.len();
    let taken = |i: &usize| (i + 1) * limit / of > i * limit / of;
    texts.into_iter().enumerate().filter(|(i, _)| taken(i)).map(|(_, text)| text).collect()
}

fn usage(llm: &LlmReaders, unanswered: u64) -> Usage {
    let used = llm.model.usage();
    let (prompt_tokens, completion_tokens) = (used.prompt_tokens, used.completion_tokens);
    Usage {
        prompt_tokens,
        completion_tokens,
        cost: (used.cost_micros > 0).then_some(used.cost_micros as f64 / 1e6),
        unanswered,
    }
}

impl Report {
    fn new<T>(
        kind: &'static str,
        args: &EvalArgs,
        read: Read<T>,
        texts: usize,
        clusters: usize,
        scores: Vec<Score>,
    ) -> Self {
        let files = args.truth.iter().map(|path| path.display().to_string()).collect();
        let (reader, recipe) = (read.name, read.recipe.as_str().to_owned());
        Self {
            v: 1,
            stage: "eval",
            kind,
            files,
            reader,
            recipe,
            texts,
            clusters,
            scores,
            baselines: Vec::new(),
            usage: read.usage,
            redaction: None,
            speed: None,
        }
    }
}
