//! `candor problems` and `candor problem`: the list of problems, and everything that is known of one.

use std::cmp::Reverse;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::output::{Output, plain_table, terminal_width};
use crate::app::App;
use crate::exit::Exit;
use crate::group::register::RegisterTest;
use crate::pipeline;
use crate::report::view::{ProblemView, View};
use crate::report::{MOST_QUOTES, json, terminal};
use crate::text::display;

/// Problems named when an id is not known.
const NEAREST: usize = 5;

#[derive(Debug, Args)]
pub(super) struct ProblemsArgs {
    /// Which come first.
    #[arg(long, value_enum, default_value_t = Sort::People, value_name = "BY")]
    sort: Sort,
    /// Only problems that at least this many people tell of.
    #[arg(long, default_value_t = 0, value_name = "N")]
    min_people: u64,
    /// Test the list on texts rewritten in the other side's style: JSON lines of {"v":1,"id","side","text","rewrite"}.
    #[arg(long, value_name = "PAIRS", conflicts_with_all = ["sort", "min_people"])]
    register: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// Most people first.
    People,
    /// Largest difference between the two sides first.
    Gap,
    /// Last told of first.
    Recent,
}

#[derive(Debug, Args)]
pub(super) struct ProblemArgs {
    /// Its id, or the beginning of one; `candor problems` lists them.
    id: String,
    /// At most this many quotes from either side.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = quotes)]
    quotes: usize,
}

fn quotes(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n <= MOST_QUOTES).ok_or_else(|| format!("a whole number from 0 to {MOST_QUOTES}"))
}

pub(super) async fn list(app: &App, args: &ProblemsArgs, out: &mut Output) -> Result<Exit> {
    if let Some(pairs) = &args.register {
        return register(&pipeline::register(app, pairs).await?, out);
    }
    let view = pipeline::problems(app, 0).await?;
    let mut shown = view.problems.iter().filter(|p| p.community.hits >= args.min_people).collect::<Vec<_>>();
    sort(&mut shown, args.sort);
    let hidden = view.problems.len() - shown.len();
    if out.json() {
        out.raw(&json::list(&view, &shown, hidden)?)?;
    } else if view.problems.is_empty() {
        out.line(NO_LIST)?;
    } else {
        out.raw(terminal::list(&view, &shown, hidden, terminal_width()).trim_end())?;
    }
    Ok(if shown.is_empty() { Exit::NothingToDo } else { Exit::Done })
}

const NO_LIST: &str = "there is no list of problems yet; run `candor group` first, after collect and extract";

/// Puts problems into the order asked for; equal ones keep the report's order.
fn sort(problems: &mut [&ProblemView], by: Sort) {
    match by {
        Sort::People => problems.sort_by_key(|p| Reverse(p.community.hits)),
        Sort::Gap => problems.sort_by(|a, b| gap(b).total_cmp(&gap(a))),
        Sort::Recent => problems.sort_by_key(|p| Reverse(p.seen.map(|(_, last)| last))),
    }
}

/// How far the two shares are apart; -1 without a second side.
fn gap(problem: &ProblemView) -> f64 {
    match (problem.difference, problem.crm) {
        (Some(difference), _) => difference.estimate.abs(),
        (None, Some(crm)) => (problem.community.rate - crm.rate).abs(),
        (None, None) => -1.0,
    }
}

fn register(test: &RegisterTest, out: &mut Output) -> Result<Exit> {
    if out.json() {
        out.value(test)?;
        return Ok(Exit::Done);
    }
    out.line(&format!(
        "{} posts and {} notes with their rewrites, sorted into the list of problems",
        test.community_pairs, test.crm_pairs
    ))?;
    let mut table = plain_table(&["problem", "pairs", "kappa", ""]);
    for problem in &test.problems {
        let register = &problem.register;
        let says = match (register.register_sensitive, register.n) {
            (true, _) => "register_sensitive",
            (false, 10..) => "",
            (false, _) => "too few pairs (needs 10)",
        };
        let kappa = register.kappa.map_or_else(|| "–".to_owned(), |kappa| format!("{kappa:.2}"));
        table.add_row([problem.id.clone(), register.n.to_string(), kappa, says.to_owned()]);
    }
    for column in table.column_iter_mut().skip(1).take(2) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    out.line(&table.to_string())?;
    out.line("kept; the next `candor compare` and report mark these problems")?;
    Ok(Exit::Done)
}

pub(super) async fn page(app: &App, args: &ProblemArgs, out: &mut Output) -> Result<Exit> {
    let view = pipeline::problems(app, args.quotes).await?;
    if view.problems.is_empty() {
        writeln!(io::stderr(), "candor: {NO_LIST}")?;
        return Ok(Exit::NothingToDo);
    }
    let problem = match find(&view, &args.id) {
        Ok(problem) => problem,
        Err(says) => {
            writeln!(io::stderr(), "candor: {}", display::plain(&says))?;
            return Ok(Exit::Usage);
        }
    };
    if out.json() {
        out.raw(&json::page(&view, problem)?)?;
    } else {
        out.raw(terminal::page(&view, problem, terminal_width()).trim_end())?;
    }
    Ok(Exit::Done)
}

/// The problem called `id`, or the only one whose id begins so; else what to ask for instead.
fn find<'a>(view: &'a View, id: &str) -> Result<&'a ProblemView, String> {
    let wanted = id.trim().to_lowercase();
    if let Some(problem) = view.problems.iter().find(|p| p.id == wanted) {
        return Ok(problem);
    }
    let begin = view.problems.iter().filter(|p| !wanted.is_empty() && p.id.starts_with(&wanted)).collect::<Vec<_>>();
    match begin[..] {
        [only] => Ok(only),
        [] => {
            let near = nearest(view, &wanted).join(", ");
            Err(format!("no problem is called {id:?}; the nearest are {near}. `candor problems` lists all"))
        }
        _ => {
            let ids = begin.iter().map(|p| p.id.as_str()).collect::<Vec<_>>().join(", ");
            Err(format!("several problems begin with {id:?}: {ids}"))
        }
    }
}

/// The ids that look most like `wanted`, or whose names do.
fn nearest<'a>(view: &'a View, wanted: &str) -> Vec<&'a str> {
    let alike = |p: &ProblemView| {
        let words = p.id.split(['_', '-']).map(str::to_owned).chain(p.name.split_whitespace().map(str::to_lowercase));
        let word = words.map(|word| strsim::jaro_winkler(&word, wanted)).fold(0.0, f64::max);
        strsim::jaro_winkler(&p.id, wanted).max(word)
    };
    let mut near = view.problems.iter().map(|p| (alike(p), p.id.as_str())).collect::<Vec<_>>();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    near.into_iter().take(NEAREST).map(|(_, id)| id).collect()
}
