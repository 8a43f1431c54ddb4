//! Stage 3: posts to signals.
//!
//! A *signal* is an act that a post performs, with the words that show it. One rule holds whichever reader proposes the words:
//! offsets are computed here, never accepted, and the words are cut from the post's own text.

pub mod by_model;

pub mod cascade;

pub mod embedded;

pub mod lines;

pub mod llm;

pub mod score;

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context as _, Result};
use rayon::prelude::*;
use serde_json::json;

use crate::model::PostReading;
use crate::progress::Progress;
use crate::store::{Store, UnreadPost};
use crate::summary::StageSummary;

/// Posts read and written together: enough to keep every core busy, little enough that a kill costs a second.
const BATCH: i64 = 2000;

/// Reads every post that the embedded reader has not read. Can be killed at any point and run again.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn run(store: &Store, progress: Progress) -> Result<StageSummary> {
    let began = Instant::now();
    let recipe = embedded::recipe();
    let total = store.post_totals().await?[0].unsigned_abs();
    let unread = store.count_unread_posts(&recipe).await?.unsigned_abs();
    let bar = progress.bar("extract", unread);
    let mut revision = 0;
    let mut done = 0_u64;
    let mut acts = BTreeMap::<&str, u64>::new();
    let mut voices = BTreeMap::<&str, u64>::new();
    let mut unread_languages = BTreeMap::<&str, u64>::new();
    let mut rejected = 0;
    // Signals give a post a new revision, so what was unread at the beginning is read up to there and no further.
    let newest = store.revision().await?;
    loop {
        let posts = store.unread_posts(&recipe, revision, BATCH).await?;
        let Some(last) = posts.last() else { break };
        revision = last.revision;
        let readings = tokio::task::spawn_blocking(move || read_all(posts)).await.context("a reader ended early")?;
        for (_, reading) in &readings {
            *voices.entry(reading.voice.as_str()).or_default() += 1;
            if let Some(lang) = reading.lang.filter(|lang| *lang != "eng") {
                *unread_languages.entry(lang).or_default() += 1;
            }
            for found in &reading.acts {
                *acts.entry(found.act.kind().as_str()).or_default() += 1;
            }
            rejected += reading.rejected;
        }
        let changed = store.write_read_posts(&recipe, &readings).await.context("could not store what was read")?;
        done += (readings.len() as u64).saturating_sub(changed);
        bar.set_position(done);
        if revision >= newest {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(StageSummary::new("extract", began, done, total.saturating_sub(done), 0)
        .with("signals", json!(acts))
        .with("voices", json!(voices))
        .with("languages_not_read", json!(unread_languages))
        .with("rejected", rejected)
        .with("recipe", recipe.as_str()))
}

/// The one place where posts are read concurrently.
fn read_all(posts: Vec<UnreadPost>) -> Vec<(UnreadPost, PostReading)> {
    let read = |post: UnreadPost| {
        let reading = read(&post);
        (post, reading)
    };
    posts.into_par_iter().map(read).collect()
}

fn read(post: &UnreadPost) -> PostReading {
    if post.bot {
        return PostReading::silent(None);
    }
    let context = post.parent_text.as_deref().unwrap_or(&post.title);
    embedded::read_post(&post.text, Some(context))
}
