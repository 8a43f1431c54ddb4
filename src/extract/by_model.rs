//! Posts to signals by a language model, with the embedded reader deciding what is worth a call.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use rayon::prelude::*;
use serde_json::json;

use super::cascade::{Cascade, missed};
use super::llm::{PostText, Reader};
use super::{embedded, read};
use crate::llm::ask::{CameBack, stopped};
use crate::llm::outgoing::{Quotes, Withheld, show_withheld};
use crate::llm::{Collected, Estimate, Outlook, Show, Usage};
use crate::model::{PostReading, Recipe, Route};
use crate::progress::Progress;
use crate::store::{Failure, Store, UnreadPost};
use crate::summary::StageSummary;

/// Posts that are routed together.
const BATCH: i64 = 2000;

/// Posts whose readings are written together: what a kill makes the next run take from the cache again.
const CHUNK: usize = 64;

/// Counts of a run.
#[derive(Default)]
struct Told {
    done: u64,
    failed: u64,
    /// Posts that were removed or changed while they were read; the next run reads what is left of them.
    changed: u64,
    acts: BTreeMap<&'static str, u64>,
    support: BTreeMap<&'static str, u64>,
    quotes: Quotes,
    withheld: Withheld,
}

impl Told {
    fn add(&mut self, reading: &PostReading) {
        self.done += 1;
        self.withheld.add(reading.withheld);
        for found in &reading.acts {
            *self.acts.entry(found.act.kind().as_str()).or_default() += 1;
            if let Some(support) = found.support {
                *self.support.entry(support.as_str()).or_default() += 1;
            }
        }
    }
}

/// Reads every post that `reader` has not read and the cascade passes on. Can be killed at any point and run again: answers
/// that were paid for are kept.
///
/// # Errors
/// When the store cannot be read or written, the budget is spent, or the model's server cannot be used. What was read until
/// then is kept.
pub async fn run(store: &Store, reader: &Reader, cascade: Cascade, progress: Progress) -> Result<StageSummary> {
    run_since(reader.model().usage(), store, reader, cascade, progress).await
}

/// As [`run`], where the model had taken what is in `before` when the work began.
async fn run_since(
    before: Usage,
    store: &Store,
    reader: &Reader,
    cascade: Cascade,
    progress: Progress,
) -> Result<StageSummary> {
    let began = Instant::now();
    let spent = || reader.model().usage() - before;
    let recipe = reader.recipe();
    let total = store.post_totals().await?[0].unsigned_abs();
    let unread = store.count_unread_posts(&recipe).await?.unsigned_abs();
    let bar = progress.bar("extract", unread);
    let mut told = Told::default();
    let mut revision = 0;
    // Signals give a post a new revision, so what was unread at the beginning is read up to there and no further.
    let newest = store.revision().await?;
    loop {
        let posts = store.unread_posts(&recipe, revision, BATCH).await?;
        let Some(last) = posts.last() else { break };
        revision = last.revision;
        let (asked, left) = route(store, &recipe, cascade, posts).await?;
        left.iter().for_each(|(_, reading)| told.add(reading));
        told.changed += store.write_read_posts(&recipe, &left).await.context("could not store what was left")?;
        bar.inc(left.len() as u64);
        for chunk in asked.chunks(CHUNK) {
            ask(store, reader, chunk, &mut told).await?;
            bar.inc(chunk.len() as u64);
            if let Some(paid) = spent().paid() {
                bar.set_message(format!("extract, {paid}"));
            }
        }
        if revision >= newest {
            break;
        }
    }
    bar.finish_and_clear();
    let totals = store.route_totals(&recipe).await?;
    let Quotes { exact, repaired, rejected } = told.quotes;
    let skipped = total.saturating_sub(told.done + told.failed);
    let done = told.done.saturating_sub(told.changed);
    Ok(StageSummary::new("extract", began, done, skipped + told.changed, told.failed)
        .with("signals", json!(told.acts))
        .with("support", json!(told.support))
        .with("quotes", json!({"exact": exact, "repaired": repaired, "rejected": rejected}))
        .with("withheld", told.withheld.published())
        .with("cascade", missed(&totals))
        .with("spent", spent().published())
        .with("recipe", recipe.as_str()))
}

/// What [`run`] would ask, and what that would take. Nothing is asked, and nothing is written; the exact body of each request that
/// would be sent is handed to `show`, and after them what would be withheld of which post.
///
/// # Errors
/// When the store cannot be read, or `show` fails.
pub async fn estimate(
    store: &Store,
    reader: &Reader,
    cascade: Cascade,
    show: Show<'_>,
    progress: Progress,
) -> Result<Estimate> {
    let model = reader.model();
    let mut sum = model.estimate(&Outlook::default(), show).await?;
    let bar = progress.bar("estimate", store.count_unread_posts(&reader.recipe()).await?.unsigned_abs());
    worth_a_call(store, reader, cascade, &bar, async |texts| {
        let outlook = reader.would_ask(texts);
        sum += model.estimate(&outlook, show).await?;
        show_withheld(texts.iter().map(|text| text.id), outlook.withheld, show)
    })
    .await?;
    bar.finish_and_clear();
    Ok(sum)
}

/// What came of a run by batches.
#[derive(Debug)]
pub enum ByBatch {
    /// Batches are under way at the provider; run again later.
    UnderWay(Collected),
    /// Nothing is under way any more, and the posts were read.
    Read(StageSummary),
}

/// Reads as [`run`] does, at the provider's price for batches: the first run hands over what would be asked, a later one
/// collects the answers, and once all are there reads from them. The few that a batch left unanswered, and second looks, are
/// asked as usual.
///
/// # Errors
/// As [`run`], and when the model's server takes no batches, or left most of one unanswered.
pub async fn run_by_batch(store: &Store, reader: &Reader, cascade: Cascade, progress: Progress) -> Result<ByBatch> {
    let model = reader.model();
    let before = model.usage();
    let mut collected = model.collect_batches().await?;
    if let Some(why) = &collected.failed {
        bail!("{why}; run again to hand over what is open, or without --batch to ask for it now, at the full price");
    }
    // After all were collected, what is still open has had its turn.
    if collected.batches == 0 || collected.waiting > 0 {
        let bar = progress.bar("hand over", store.count_unread_posts(&reader.recipe()).await?.unsigned_abs());
        worth_a_call(store, reader, cascade, &bar, async |texts| {
            let questions = reader.questions(texts);
            collected.waiting += u64::from(model.submit_batch(&questions).await?.is_some());
            Ok(())
        })
        .await?;
        bar.finish_and_clear();
    }
    if collected.waiting > 0 {
        return Ok(ByBatch::UnderWay(collected));
    }
    Ok(ByBatch::Read(run_since(before, store, reader, cascade, progress).await?))
}

/// Hands the posts that [`run`] would ask about to `each`, some at a time.
async fn worth_a_call(
    store: &Store,
    reader: &Reader,
    cascade: Cascade,
    bar: &ProgressBar,
    mut each: impl AsyncFnMut(&[PostText<'_>]) -> Result<()>,
) -> Result<()> {
    let recipe = reader.recipe();
    let mut revision = 0;
    loop {
        let posts = store.unread_posts(&recipe, revision, BATCH).await?;
        let Some(last) = posts.last() else { return Ok(()) };
        revision = last.revision;
        let seen = posts.len() as u64;
        let worth = tokio::task::spawn_blocking(move || {
            let worth =
                |post: &UnreadPost| !post.bot && cascade.route(&post.id, embedded::chance(&post.text)) != Route::Left;
            posts.into_par_iter().filter(worth).collect::<Vec<_>>()
        })
        .await
        .context("the embedded reader ended early")?;
        let texts: Vec<_> = worth.iter().map(text).collect();
        each(&texts).await?;
        bar.inc(seen);
    }
}

fn text(post: &UnreadPost) -> PostText<'_> {
    PostText {
        id: post.id.as_str(),
        context: Some(post.parent_text.as_deref().unwrap_or(&post.title)).filter(|context| !context.is_empty()),
        text: &post.text,
    }
}

/// Posts to ask about, and readings of those that are not worth a call: their voice as the embedded reader hears it, and no
/// acts.
type Routed = (Vec<UnreadPost>, Vec<(UnreadPost, PostReading)>);

/// Sorts posts by whether they are worth a call, and writes down which way each went.
async fn route(store: &Store, recipe: &Recipe, cascade: Cascade, posts: Vec<UnreadPost>) -> Result<Routed> {
    let routed = tokio::task::spawn_blocking(move || {
        let way = |post: UnreadPost| {
            if post.bot {
                let reading = read(&post);
                return (post, Route::Left, Some(reading));
            }
            let mut route = Route::Left;
            let heard = embedded::read_where(&post.text, |chance| {
                route = cascade.route(&post.id, chance);
                route == Route::Left
            });
            let left = heard.map(|heard| PostReading { voice: heard.voice, ..PostReading::silent(heard.lang) });
            (post, route, left)
        };
        posts.into_par_iter().map(way).collect::<Vec<_>>()
    })
    .await
    .context("the embedded reader ended early")?;
    let routes: Vec<_> =
        routed.iter().filter(|(post, ..)| !post.bot).map(|(post, route, _)| (post.id.clone(), *route)).collect();
    store.write_routes(recipe, &routes).await.context("could not store which posts are worth a call")?;
    let (mut asked, mut left) = (Vec::new(), Vec::new());
    for (post, _, reading) in routed {
        match reading {
            Some(reading) => left.push((post, reading)),
            None => asked.push(post),
        }
    }
    Ok((asked, left))
}

/// Asks about some posts and writes down what was answered. What concerns one post is recorded and survived.
async fn ask(store: &Store, reader: &Reader, posts: &[UnreadPost], told: &mut Told) -> Result<()> {
    let texts: Vec<_> = posts.iter().map(text).collect();
    let came = CameBack::sort(posts, reader.read(&texts).await);
    came.readings.iter().for_each(|(_, reading)| told.add(reading));
    told.quotes += came.quotes;
    told.failed += came.failures.len() as u64;
    let failures: Vec<_> =
        came.failures.iter().map(|(post, why)| Failure::new("extract", post.id.as_str(), why)).collect();
    told.changed +=
        store.write_read_posts(&reader.recipe(), &came.readings).await.context("could not store what was read")?;
    store.record_failures(&failures).await?;
    match came.end {
        Some(why) => Err(stopped(why, told.done, "posts")),
        None => Ok(()),
    }
}
