//! Worlds whose truth is known, put to the product's own comparator (METHOD 8.1).
//!
//! A *world* is a way to make data: how common each problem is among people and in accounts, how people share threads and
//! accounts share reps, how the reader errs on each side, what was drawn to be labelled. A *run* makes one such set of cells,
//! draws the sample as `candor label draw` does, and compares as `candor compare` does. What is scored is what would be printed.
//!
//! One rule holds: a world is never tuned until the product passes. Where it misses, the table says so.
//!
//! In reading order: `generate` makes the cells, `judge` holds an answer against the truth, `naive` is the count that takes the
//! reader at its word, `score` puts many runs together, `worlds` is the list, `written` puts a world into files.

pub mod generate;

pub mod naive;

pub mod score;

mod judge;

mod brigade;

mod constraints;

mod injection;

mod worlds;

mod written;

use anyhow::{Result, bail};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

use crate::compare::sample::random;
use score::{Marks, Row, rows};
pub use worlds::{WORLDS, World};
pub use written::{Written, write};

/// Worlds of METHOD 8.1 that there is nothing to try on yet, and what they would try.
const NOT_YET: [(&str, &str); 2] =
    [("W10", "the measurement of growth by referral"), ("W11", "alarms on weekly counts")];

/// One variant of a world.
pub(crate) struct Setting {
    /// What is different in it, in a few words.
    name: String,
    /// Accounts and people in it, where power is told by them.
    size: Option<(usize, usize)>,
    /// How its cells are made, and what is true of them; `None` where there are no cells.
    invented: Option<written::Invented>,
    /// Makes one set of data, compares it, and marks the answer.
    run: Box<dyn Fn(&mut ChaCha8Rng) -> Marks + Sync>,
}

/// What a world showed. `v` 1: fields may be added, none renamed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// 1.
    pub v: u8,
    /// Name of the world.
    pub world: &'static str,
    /// What is true in it.
    pub truth: &'static str,
    /// What it must show.
    pub shows: &'static str,
    /// Runs of each setting.
    pub runs: u64,
    /// Seed of the first run; run i takes stream i of it.
    pub seed: u64,
    /// What was scored, by setting.
    pub rows: Vec<Row>,
}

/// The world called `name`, in any case.
///
/// # Errors
/// When there is none; a world that belongs to a part of the method that Candor does not have says which.
pub fn find(name: &str) -> Result<&'static World> {
    if let Some(world) = WORLDS.iter().find(|w| w.name.eq_ignore_ascii_case(name)) {
        return Ok(world);
    }
    if let Some((world, part)) = NOT_YET.iter().find(|(world, _)| world.eq_ignore_ascii_case(name)) {
        bail!("{world} is a world for {part}, which candor does not do yet; there is nothing to try on it");
    }
    let names = WORLDS.iter().map(|w| w.name).collect::<Vec<_>>().join(", ");
    bail!("there is no world {name}; the worlds are {names}");
}

/// `runs` runs of every setting of `world`. The same seed gives the same report, on however many threads.
pub fn run(world: &World, runs: u64, seed: u64) -> Report {
    let rows = world.settings().iter().flat_map(|setting| try_out(setting, runs, seed)).collect();
    Report { v: 1, world: world.name, truth: world.truth, shows: world.shows, runs, seed, rows }
}

/// `runs` runs of one setting.
fn try_out(setting: &Setting, runs: u64, seed: u64) -> Vec<Row> {
    let one = |run| (setting.run)(&mut random(seed, run));
    let marks = (0..runs).into_par_iter().map(one).collect::<Vec<_>>();
    rows(&setting.name, setting.size, &marks)
}

#[cfg(test)]
mod tests;
