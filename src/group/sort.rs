//! Grouping texts that are in no store: for measuring it.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::embed::Embedder;
use super::units::Unit;
use crate::model::Codebook;
use crate::progress::Progress;
use crate::store::Side;

/// Something somebody said.
#[derive(Debug, Clone)]
pub struct Said {
    /// Where.
    pub side: Side,
    /// By whom.
    pub who: String,
    /// In which conversation.
    pub conversation: String,
    /// The words.
    pub quote: String,
    /// The text before and after them, maybe empty.
    pub around: String,
    /// Title of the conversation, maybe empty.
    pub title: String,
}

/// What grouping made of texts.
#[derive(Debug)]
pub struct Sorted {
    /// The problems: those found, or those that were given.
    pub codebook: Codebook,
    /// For each text, its problem's place in the codebook, or none.
    pub places: Vec<Option<usize>>,
    /// Time for vectors by a model.
    pub embedding: Duration,
    /// Time for the rest.
    pub grouping: Duration,
}

/// Sorts `said` into the problems of `frozen`, or into those that clustering finds, by the same code as [`super::run`].
///
/// # Errors
/// When the model cannot be used.
pub async fn sort(said: Vec<Said>, frozen: Option<Codebook>, embedder: &Embedder, seed: u64) -> Result<Sorted> {
    let units = said.into_iter().enumerate().map(|(i, said)| Unit {
        side: said.side,
        id: i.to_string(),
        who: said.who,
        community: String::new(),
        conversation: said.conversation,
        builds: true,
        bare: said.quote.clone(),
        quote: said.quote,
        around: said.around,
        title: said.title,
    });
    let units = units.collect::<Vec<_>>();
    let began = Instant::now();
    let lines = frozen.as_ref().map_or(Vec::new(), |c| super::known_lines(c.problems()));
    let vectors = embedder.vectors(None, &units, &lines, Progress::new(true)).await?;
    let embedding = began.elapsed();
    let grouped = super::group(&units, super::Start::of(frozen), vectors, seed);
    Ok(Sorted {
        codebook: grouped.codebook,
        places: grouped.placed.into_iter().map(|(place, _)| place).collect(),
        embedding,
        grouping: began.elapsed().saturating_sub(embedding),
    })
}
