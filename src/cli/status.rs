//! `candor status`: what is in the workspace, what is still to do, what failed.

use anyhow::Result;
use serde_json::json;

use super::output::{Output, grouped, plain_table};
use crate::app::App;
use crate::exit::Exit;
use crate::text::display;

pub(super) async fn run(app: &App, out: &mut Output) -> Result<Exit> {
    let recipes = app.recipes();
    let [posts, threads, communities, authors] = app.store.post_totals().await?;
    let [notes, accounts, reps] = app.store.note_totals().await?;
    let unread_posts = app.store.count_unread_posts(&recipes.post).await?;
    let unread_notes = app.store.count_unread_notes(&recipes.note).await?;
    let stale = app.index()?.is_stale(&app.store).await?;
    let codebook = app.store.codebook().await?;
    let sample = app.store.sample().await?.len();
    let labels = app.store.labels().await?.len();
    let failures = app.store.failures().await?;
    if out.json() {
        let (problems, version, hash) = match &codebook {
            Some((book, version)) => (book.problems().len(), Some(version), Some(book.hash())),
            None => (0, None, None),
        };
        out.value(&json!({
            "v": 1, "posts": posts, "threads": threads, "communities": communities, "authors": authors, "notes": notes,
            "accounts": accounts, "reps": reps, "to_do": { "index": stale, "extract": unread_posts, "crm": unread_notes },
            "codebook": { "problems": problems, "version": version, "hash": hash },
            "labels": { "drawn": sample, "items": labels }, "failures": failures,
        }))?;
        return Ok(if posts + notes == 0 { Exit::NothingToDo } else { Exit::Done });
    }
    let count = |n: i64| grouped(n.unsigned_abs());
    out.line(&format!("workspace  {}", app.settings.workspace.display()))?;
    let mut table = plain_table(&["stage", "has", "to do"]);
    table.add_row([
        "collect".to_owned(),
        format!(
            "{} posts, {} threads, {} communities, {} authors",
            count(posts),
            count(threads),
            count(communities),
            count(authors)
        ),
        String::new(),
    ]);
    table.add_row(["index", "", if stale { "candor index" } else { "" }]);
    table.add_row([
        "extract".to_owned(),
        format!("{} posts read", count(posts - unread_posts)),
        if unread_posts > 0 { format!("{} posts: candor extract", count(unread_posts)) } else { String::new() },
    ]);
    table.add_row([
        "crm".to_owned(),
        format!("{} notes, {} accounts, {} reps", count(notes), count(accounts), count(reps)),
        if unread_notes > 0 { format!("{} notes: candor run", count(unread_notes)) } else { String::new() },
    ]);
    table.add_row([
        "group".to_owned(),
        codebook.as_ref().map_or(String::new(), |(book, version)| {
            format!("codebook {version} ({}), {} problems", &book.hash()[..8], book.problems().len())
        }),
        if codebook.is_none() { "candor group".to_owned() } else { String::new() },
    ]);
    table.add_row([
        "label".to_owned(),
        format!("{sample} units drawn, {labels} items labelled"),
        if sample == 0 { "candor label".to_owned() } else { String::new() },
    ]);
    out.line(&table.to_string())?;
    if failures.is_empty() {
        out.line("no failures recorded")?;
    } else {
        out.line(&format!("{} failures recorded:", failures.len()))?;
        for failure in &failures {
            out.line(&display::plain(&format!("  {}: {}: {}", failure.stage, failure.unit, failure.reason)))?;
        }
    }
    Ok(if posts + notes == 0 { Exit::NothingToDo } else { Exit::Done })
}
