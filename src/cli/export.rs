//! `candor export`: what other tools take over.

use std::io::{self, BufWriter, Write};

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::TableFormat;
use crate::app::App;
use crate::exit::Exit;
use crate::model::Fit;

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// What to write.
    #[arg(value_enum)]
    what: What,
    /// How.
    #[arg(long, value_enum, default_value_t = TableFormat::Jsonl)]
    format: TableFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Acts with their quotes; start and end are byte offsets into the post's text.
    Signals,
    /// Posts with their pseudonymous authors.
    Posts,
    /// The codebook's problems.
    Problems,
}

/// A signal, as published.
#[derive(Debug, Serialize)]
struct SignalV1<'a> {
    id: &'a str,
    post: &'a str,
    act: &'a str,
    quote: &'a str,
    start: usize,
    end: usize,
    fit: Fit,
    voice: &'a str,
    problem: Option<&'a str>,
    confidence: f64,
    recipe: &'a str,
    url: Option<&'a str>,
}

/// A problem, as published.
#[derive(Debug, Serialize)]
struct ProblemV1<'a> {
    id: &'a str,
    name: &'a str,
    statement: &'a str,
    terms: String,
    codebook: &'a str,
}

/// Rows go out as they are read, a page at a time.
const PAGE: i64 = 2_000;

pub(super) async fn run(app: &App, args: &ExportArgs) -> Result<Exit> {
    let mut table = Table::new(args.format);
    match args.what {
        What::Signals => signals(app, &mut table).await?,
        What::Posts => posts(app, &mut table).await?,
        What::Problems => problems(app, &mut table).await?,
    }
    table.finish()
}

async fn signals(app: &App, table: &mut Table) -> Result<()> {
    let recipe = app.recipes().post;
    let problems = match app.store.codebook().await? {
        Some((codebook, _)) => app.store.assignments(codebook.hash()).await?,
        None => Vec::new(),
    };
    let problems = problems
        .iter()
        .filter_map(|a| Some((a.unit.as_str(), a.problem.as_ref()?.as_str())))
        .collect::<std::collections::HashMap<_, _>>();
    let mut after = String::new();
    loop {
        let page = app.store.signals(&recipe, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.signal.id.as_str().to_owned();
        for stored in &page {
            let signal = &stored.signal;
            table.row(&SignalV1 {
                id: signal.id.as_str(),
                post: signal.post.as_str(),
                act: signal.act.kind().as_str(),
                quote: signal.evidence.quote(),
                start: signal.evidence.span().start(),
                end: signal.evidence.span().end(),
                fit: signal.evidence.fit(),
                voice: signal.voice.as_str(),
                problem: problems.get(signal.id.as_str()).copied(),
                confidence: signal.confidence,
                recipe: signal.recipe.as_str(),
                url: stored.url.as_deref(),
            })?;
        }
    }
}

async fn posts(app: &App, table: &mut Table) -> Result<()> {
    let mut after = String::new();
    loop {
        let page = app.store.export_posts(&after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after.clone_from(&last.id);
        for post in &page {
            table.row(post)?;
        }
    }
}

async fn problems(app: &App, table: &mut Table) -> Result<()> {
    let Some((codebook, _)) = app.store.codebook().await? else { return Ok(()) };
    for problem in codebook.problems() {
        table.row(&ProblemV1 {
            id: problem.id.as_str(),
            name: &problem.name,
            statement: &problem.statement,
            terms: problem.terms.join("; "),
            codebook: codebook.hash(),
        })?;
    }
    Ok(())
}

/// Rows on standard output in the format asked for.
struct Table {
    rows: u64,
    sink: Sink,
}

enum Sink {
    Jsonl(BufWriter<io::Stdout>),
    Csv(Box<csv::Writer<io::Stdout>>),
}

impl Table {
    fn new(format: TableFormat) -> Self {
        let sink = match format {
            TableFormat::Jsonl => Sink::Jsonl(BufWriter::new(io::stdout())),
            TableFormat::Csv => Sink::Csv(Box::new(csv::Writer::from_writer(io::stdout()))),
        };
        Self { rows: 0, sink }
    }

    fn row(&mut self, row: &impl Serialize) -> Result<()> {
        self.rows += 1;
        match &mut self.sink {
            Sink::Jsonl(out) => {
                serde_json::to_writer(&mut *out, row)?;
                out.write_all(b"\n")?;
            }
            Sink::Csv(out) => out.serialize(row)?,
        }
        Ok(())
    }

    fn finish(self) -> Result<Exit> {
        match self.sink {
            Sink::Jsonl(mut out) => out.flush()?,
            Sink::Csv(mut out) => out.flush()?,
        }
        Ok(if self.rows == 0 { Exit::NothingToDo } else { Exit::Done })
    }
}
