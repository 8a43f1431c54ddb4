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
use crate::model::comparison::REGISTER_PAIRS;
use crate::pipeline;
use crate::report::view::ProblemView;
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
            (true, _) => "register_sensitive".to_owned(),
            (false, REGISTER_PAIRS..) => String::new(),
            (false, _) => format!("too few pairs (needs {REGISTER_PAIRS})"),
        };
        let kappa = register.kappa.map_or_else(|| "–".to_owned(), |kappa| format!("{kappa:.2}"));
        table.add_row([problem.id.clone(), register.n.to_string(), kappa, says]);
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
    let names = view.problems.iter().map(|p| (p.id.as_str(), p.name.as_str())).collect::<Vec<_>>();
    let Some(at) = asked_for(&names, &args.id)? else { return Ok(Exit::Usage) };
    let problem = &view.problems[at];
    if out.json() {
        out.raw(&json::page(&view, problem)?)?;
    } else {
        out.raw(terminal::page(&view, problem, terminal_width()).trim_end())?;
    }
    Ok(Exit::Done)
}

/// The place among `problems` (id and name) of the one asked for by `id`. `None` when there is none; what to ask for instead is
/// said on standard error.
pub(super) fn asked_for(problems: &[(&str, &str)], id: &str) -> Result<Option<usize>> {
    match find(problems, id) {
        Ok(at) => Ok(Some(at)),
        Err(says) => {
            writeln!(io::stderr(), "candor: {}", display::plain(&says))?;
            Ok(None)
        }
    }
}

/// The place among `problems` (id and name) of the one called `id`, or of the only one whose id begins so; else what to ask
/// for instead.
fn find(problems: &[(&str, &str)], id: &str) -> Result<usize, String> {
    let wanted = id.trim().to_lowercase();
    if let Some(at) = problems.iter().position(|(id, _)| *id == wanted) {
        return Ok(at);
    }
    let begin = problems.iter().enumerate().filter(|(_, (id, _))| !wanted.is_empty() && id.starts_with(&wanted));
    match begin.collect::<Vec<_>>()[..] {
        [(at, _)] => Ok(at),
        [] => {
            let near = nearest(problems, &wanted).join(", ");
            Err(format!("no problem is called {id:?}; the nearest are {near}. `candor problems` lists all"))
        }
        ref several => {
            let ids = several.iter().map(|(_, (id, _))| *id).collect::<Vec<_>>().join(", ");
            Err(format!("several problems begin with {id:?}: {ids}"))
        }
    }
}

/// The ids that look most like `wanted`, or words of whose names do.
fn nearest<'a>(problems: &[(&'a str, &str)], wanted: &str) -> Vec<&'a str> {
    let alike = |id: &str, name: &str| {
        let words = id.split(['_', '-']).map(str::to_owned).chain(name.split_whitespace().map(str::to_lowercase));
        let word = words.map(|word| strsim::jaro_winkler(&word, wanted)).fold(0.0, f64::max);
        strsim::jaro_winkler(id, wanted).max(word)
    };
    let mut near = problems.iter().map(|(id, name)| (alike(id, name), *id)).collect::<Vec<_>>();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    near.into_iter().take(NEAREST).map(|(_, id)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBLEMS: [(&str, &str); 4] = [
        ("offline_loss", "Work lost without signal"),
        ("oncall_fair", "Unfair on-call rota"),
        ("no_show", "Customer not there"),
        ("price_book", "Price list out of date"),
    ];

    #[test]
    fn a_problem_is_found_by_its_id_or_the_beginning_of_it() {
        for (id, expected) in [("offline_loss", 0), ("off", 0), (" No_Show ", 2), ("p", 3)] {
            assert_eq!(find(&PROBLEMS, id), Ok(expected), "{id}");
        }
        assert_eq!(find(&[("a", "x"), ("ab", "y")], "a"), Ok(0), "a whole id is not the beginning of another");
    }

    #[test]
    fn an_unknown_id_is_answered_with_the_nearest() {
        for (id, expected) in
            [("ofline", "offline_loss"), ("noshow", "no_show"), ("signal", "offline_loss"), ("rota", "oncall_fair")]
        {
            let says = find(&PROBLEMS, id).unwrap_err();
            assert!(says.contains(&format!("the nearest are {expected}")), "{id}: {says}");
        }
        assert!(find(&PROBLEMS, "").is_err());
        let several = find(&PROBLEMS, "o").unwrap_err();
        assert!(several.ends_with("offline_loss, oncall_fair"), "{several}");
    }
}
