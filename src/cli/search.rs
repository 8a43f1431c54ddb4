//! `candor search`: full text with highlights and filters.

use std::io::IsTerminal as _;

use anyhow::{Context as _, Result};
use clap::Args;
use jiff::civil::Date;

use super::output::{Output, terminal_width};
use crate::app::App;
use crate::exit::Exit;
use crate::index::{self, Query};
use crate::model::ActKind;

#[derive(Debug, Args)]
pub(super) struct SearchArgs {
    /// Words, "phrases", AND, OR, NOT, +must, -not.
    query: String,
    /// Only this community; may be repeated.
    #[arg(long, value_name = "NAME")]
    community: Vec<String>,
    /// Only posts with this act: complaint, failed_workaround, workaround, ask, switch, praise; may be repeated.
    #[arg(long, value_name = "ACT", value_parser = act)]
    act: Vec<ActKind>,
    /// Only this thread.
    #[arg(long, value_name = "ID")]
    thread: Option<String>,
    /// First day, as 2026-01-31.
    #[arg(long, value_name = "DATE")]
    since: Option<Date>,
    /// Last day.
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// At most this many hits.
    #[arg(long, short = 'n', default_value_t = 10, value_name = "N")]
    limit: usize,
    /// Pass over this many hits.
    #[arg(long, default_value_t = 0, value_name = "N")]
    offset: usize,
    /// Count hits by community, act and month as well.
    #[arg(long)]
    facets: bool,
}

fn act(name: &str) -> Result<ActKind, String> {
    ActKind::parse(name).ok_or_else(|| {
        let names = ActKind::ALL.map(ActKind::as_str).join(", ");
        format!("no act is called {name:?}; there are {names}")
    })
}

pub(super) async fn run(app: &App, args: &SearchArgs, out: &mut Output) -> Result<Exit> {
    let index = app.index()?;
    if index.is_stale(&app.store).await? {
        index::run(&app.store, &index, app.progress).await.context("could not bring the index up to date")?;
    }
    let hits = index.search(&Query {
        text: args.query.clone(),
        community: args.community.clone(),
        act: args.act.clone(),
        thread: args.thread.clone(),
        source: None,
        since: args.since,
        until: args.until,
        limit: args.limit,
        offset: args.offset,
        facets: args.facets,
    })?;
    if out.json() {
        out.value(&hits)?;
    } else {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        out.raw(&index::render(&hits, terminal_width(), colour))?;
    }
    Ok(if hits.total == 0 { Exit::NothingToDo } else { Exit::Done })
}
