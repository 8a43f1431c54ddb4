//! Grouping texts that are in no store: for measuring it.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::Value;

use super::by_model::Sorter;
use super::embed::{Embedder, Vectors};
use super::units::Unit;
use crate::model::Codebook;
use crate::progress::Progress;
use crate::store::{Side, Store};

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
    let (units, lines) = (units(said), lines(frozen.as_ref()));
    let began = Instant::now();
    let vectors = embedder.vectors(None, &units, &lines, Progress::new(true)).await?;
    Ok(grouped(&units, frozen, vectors, seed, began.elapsed()))
}

/// The same by vectors that `vector` makes of each text.
///
/// # Errors
/// When it makes vectors of several lengths.
pub fn sort_by(
    said: Vec<Said>,
    frozen: Option<Codebook>,
    vector: impl Fn(&str) -> Vec<f32>,
    seed: u64,
) -> Result<Sorted> {
    let (units, lines) = (units(said), lines(frozen.as_ref()));
    let began = Instant::now();
    let vectors = Vectors::by(vector, &units, &lines)?;
    Ok(grouped(&units, frozen, Some(vectors), seed, began.elapsed()))
}

/// What a language model made of texts.
#[derive(Debug)]
pub struct ByModel {
    /// As it stands in the end: where the model gave no usable answer, the program's own.
    pub sorted: Sorted,
    /// Where the program alone puts each text.
    pub own: Vec<Option<usize>>,
    /// Whether the model decided where a text belongs.
    pub decided: Vec<bool>,
    /// What the stage's summary tells of it.
    pub told: Value,
}

/// The same by the texts' own words, with `sorter`'s names for problems that are found, and its choice for each text when it
/// assigns. `store` keeps what the model answered.
///
/// # Errors
/// When the model cannot be asked, or the store not be read or written.
pub async fn sort_by_model(
    store: &Store,
    said: Vec<Said>,
    frozen: Option<Codebook>,
    sorter: &Sorter,
    seed: u64,
) -> Result<ByModel> {
    let known = frozen.iter().flat_map(Codebook::problems).map(|p| p.id.clone()).collect();
    let units = units(said);
    let began = Instant::now();
    let mut grouped = super::group(&units, super::Start::of(frozen), None, seed);
    let places = |grouped: &super::Grouped| grouped.placed.iter().map(|(place, _)| *place).collect::<Vec<_>>();
    let own = places(&grouped);
    let told = sorter.sort(store, &mut grouped, &units, &known, Progress::new(true)).await?;
    let sorted = Sorted {
        places: places(&grouped),
        codebook: grouped.codebook,
        embedding: Duration::ZERO,
        grouping: began.elapsed(),
    };
    let decided = (0..units.len()).map(|i| told.is_decided(i)).collect();
    Ok(ByModel { sorted, own, decided, told: told.published() })
}

fn grouped(
    units: &[Unit],
    frozen: Option<Codebook>,
    vectors: Option<Vectors>,
    seed: u64,
    embedding: Duration,
) -> Sorted {
    let began = Instant::now();
    let grouped = super::group(units, super::Start::of(frozen), vectors, seed);
    let places = grouped.placed.into_iter().map(|(place, _)| place).collect();
    Sorted { codebook: grouped.codebook, places, embedding, grouping: began.elapsed() }
}

fn lines(frozen: Option<&Codebook>) -> Vec<String> {
    frozen.map_or(Vec::new(), |codebook| super::known_lines(codebook.problems()))
}

fn units(said: Vec<Said>) -> Vec<Unit> {
    let units = said.into_iter().enumerate().map(|(i, said)| Unit {
        side: said.side,
        id: i.to_string(),
        who: said.who,
        community: String::new(),
        conversation: said.conversation,
        builds: true,
        complains: true,
        bare: said.quote.clone(),
        quote: said.quote,
        around: said.around,
        title: said.title,
    });
    units.collect()
}
