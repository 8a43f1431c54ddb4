//! Stage 5: signals and claimed pains to problems, on one codebook for both sides.
//!
//! With a codebook frozen by hand, every unit is classified into it, and what fits nowhere is searched for candidates that
//! the codebook lacks. Without one, clusters make the codebook. Either way one classifier sorts both sides, blind to where
//! a text comes from (METHOD 3.1).
//!
//! The one rule: the same store and the same codebook give the same bytes, in whatever order the units are read.

mod by_model;

mod classify;

mod cluster;

pub mod codebook;

pub mod embed;

mod name;

pub mod register;

pub mod sort;

mod terms;

mod units;

mod vectors;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use jiff::Timestamp;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use classify::{Classifier, lines};
use cluster::{Spoken, cluster};
use embed::{Embedder, Vectors};
use units::{Unit, gather, sample};
use vectors::{Passage, Point, Space};

use crate::model::{Codebook, Problem, ProblemId, Recipes};
use crate::progress::Progress;
use crate::store::{Assignment, Side, Store};
use crate::summary::StageSummary;

/// Most units that are clustered, which takes time and memory with their square.
const CLUSTERED: usize = 4_000;
/// Most units that a space is fitted on; more would sharpen nothing and take time.
const FITTED: usize = 10_000;
/// Most candidates reported.
const CANDIDATES: usize = 5;

/// Sorts the signals and claimed pains of `recipes` into the problems of the `codebook` file, or of a codebook made from
/// them when there is none; freezes it as the current one and writes the assignments.
///
/// # Errors
/// When the codebook file cannot be used, or the store cannot be read or written.
pub async fn run(
    store: &Store,
    recipes: &Recipes,
    codebook: Option<&Path>,
    embedder: &Embedder,
    seed: u64,
    now: Timestamp,
    progress: Progress,
) -> Result<StageSummary> {
    let began = Instant::now();
    let frozen = codebook.map(codebook::read).transpose()?;
    let bar = progress.counter("grouping");
    let (units, left_out) = gather(store, recipes).await?;
    let lines = frozen.as_ref().map_or(Vec::new(), known_lines);
    let vectors = embedder.vectors(Some(store), &units, &lines, progress).await?;
    let counted = vectors.as_ref().map(|v| json!({ "known": v.known, "made": v.made }));
    // The work keeps every core busy for seconds; the runtime's threads stay free meanwhile.
    let (units, grouped) = tokio::task::spawn_blocking(move || {
        let grouped = group(&units, frozen, vectors, seed);
        (units, grouped)
    })
    .await
    .context("grouping stopped in the middle; nothing was written")?;
    store.write_codebook(&grouped.codebook, &assignments(&units, &grouped), now).await?;
    store.note_embedder(grouped.codebook.hash(), &embedder.name()).await?;
    bar.finish_and_clear();
    Ok(summary(began, &units, &grouped, left_out).with("embedder", embedder.name()).with("embedded", json!(counted)))
}

/// Every line of a codebook that passages are compared with.
fn known_lines(codebook: &Codebook) -> Vec<String> {
    codebook.problems().iter().flat_map(|p| lines(p).into_iter().chain(p.exclude.iter().cloned())).collect()
}

/// What grouping finds.
struct Grouped {
    codebook: Codebook,
    /// For each unit, its problem's place in the codebook and the similarity to the nearest one.
    placed: Vec<(Option<usize>, f32)>,
    /// Problems that the codebook may lack, each with the number of people who speak of it.
    candidates: Vec<(Problem, usize)>,
}

fn group(units: &[Unit], frozen: Option<Codebook>, vectors: Option<Vectors>, seed: u64) -> Grouped {
    let anchors = frozen.iter().flat_map(|c| c.problems()).flat_map(lines).collect::<Vec<_>>();
    let anchors = anchors.iter().map(|l| Passage::bare(l)).collect::<Vec<_>>();
    let fitted = sample(units, FITTED).into_iter().map(Unit::passage).collect::<Vec<_>>();
    let space = Space::fit(&anchors, &fitted, vectors, seed);
    let sampled = sample(units, CLUSTERED);
    let points = sampled.par_iter().map(|u| space.place(&u.passage())).collect::<Vec<_>>();
    let found = sampled.into_iter().zip(&points).collect::<Vec<_>>();

    let made = frozen.is_none();
    let (codebook, classifier) = match frozen {
        Some(codebook) => {
            let classifier = Classifier::from_codebook(&space, &codebook, &points.iter().collect::<Vec<_>>());
            (codebook, classifier)
        }
        None => found_codebook(&space, &found),
    };
    let placed = units.par_iter().map(|u| classifier.classify(&space.place(&u.passage()))).collect();
    let candidates = if made { Vec::new() } else { candidates(&space, &classifier, found) };
    Grouped { codebook, placed, candidates }
}

/// The codebook that the clusters of `found` make, with the classifier for it.
fn found_codebook(space: &Space, found: &[(&Unit, &Point)]) -> (Codebook, Classifier) {
    let (problems, groups): (Vec<_>, Vec<_>) =
        problems(space, found).into_iter().map(|p| (p.problem, p.points)).unzip();
    let codebook = Codebook::new("machine", problems.clone());
    // A codebook orders its problems by id; the classifier has to follow.
    let mut ordered = problems.iter().map(|p| &p.id).zip(groups).collect::<Vec<_>>();
    ordered.sort_by(|a, b| a.0.cmp(b.0));
    let groups = ordered.into_iter().map(|(_, points)| points).collect::<Vec<_>>();
    (codebook, Classifier::from_groups(space, &groups))
}

/// The largest clusters among what `classifier` finds no problem for.
fn candidates(space: &Space, classifier: &Classifier, mut found: Vec<(&Unit, &Point)>) -> Vec<(Problem, usize)> {
    found.retain(|(_, point)| classifier.classify(point).0.is_none());
    let mut candidates = problems(space, &found).into_iter().map(|p| (p.problem, p.people)).collect::<Vec<_>>();
    candidates.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.id.cmp(&b.0.id)));
    candidates.truncate(CANDIDATES);
    candidates
}

/// A cluster with its name.
struct Found<'a> {
    problem: Problem,
    points: Vec<&'a Point>,
    people: usize,
}

fn problems<'a>(space: &Space, found: &[(&Unit, &'a Point)]) -> Vec<Found<'a>> {
    let spoken = found
        .iter()
        .map(|(unit, point)| Spoken { at: &point.latent, who: &unit.who, conversation: &unit.conversation })
        .collect::<Vec<_>>();
    let clusters = cluster(&spoken, space.nearness().clusters);
    let quotes = clusters
        .iter()
        .map(|members| members.iter().map(|&i| found[i].0.quote.as_str()).collect::<Vec<_>>())
        .collect::<Vec<_>>();
    let groups =
        clusters.iter().map(|members| members.iter().map(|&i| found[i].1).collect::<Vec<_>>()).collect::<Vec<_>>();
    let classifier = Classifier::from_groups(space, &groups);
    let mut taken = BTreeSet::<ProblemId>::new();
    let mut problems = Vec::new();
    let typical = name::typical_terms(space, &quotes);
    for (k, (members, terms)) in clusters.iter().zip(typical).enumerate() {
        let id = name::id(space, &terms, &taken);
        taken.insert(id.clone());
        // The words alone, without their context, since that is how a statement is read.
        let alone = quotes[k].iter().map(|q| (*q, classifier.similarity(k, &space.place(&Passage::bare(q)))));
        let problem = Problem {
            id,
            name: name::name(space, &terms),
            statement: name::statement(alone).unwrap_or_default().to_owned(),
            terms: terms.iter().map(|&t| space.surface(t).to_owned()).collect(),
            include: Vec::new(),
            exclude: Vec::new(),
        };
        let people = members.iter().map(|&i| (found[i].0.side, found[i].0.who.as_str())).collect::<BTreeSet<_>>().len();
        problems.push(Found { problem, points: groups[k].clone(), people });
    }
    problems
}

fn assignments(units: &[Unit], grouped: &Grouped) -> Vec<Assignment> {
    let problems = grouped.codebook.problems();
    units
        .iter()
        .zip(&grouped.placed)
        .map(|(unit, &(problem, score))| Assignment {
            side: unit.side,
            unit: unit.id.clone(),
            problem: problem.map(|i| problems[i].id.clone()),
            score: f64::from(score),
        })
        .collect()
}

fn summary(began: Instant, units: &[Unit], grouped: &Grouped, left_out: u64) -> StageSummary {
    let mut of = Map::new();
    let mut assigned = Map::new();
    let mut other = Map::new();
    for side in [Side::Community, Side::Crm] {
        let of_side = units.iter().zip(&grouped.placed).filter(|(u, _)| u.side == side).collect::<Vec<_>>();
        let total = of_side.len();
        let placed = of_side.iter().filter(|(_, (problem, _))| problem.is_some()).count();
        of.insert(side.as_str().to_owned(), json!(total));
        assigned.insert(side.as_str().to_owned(), json!(placed));
        // No units, no share: a 0 would read as "everything fits".
        let share = (total > 0).then(|| (total - placed) as f64 / total as f64);
        other.insert(side.as_str().to_owned(), json!(share));
    }
    let candidates = grouped
        .candidates
        .iter()
        .map(|(p, people)| json!({ "name": p.name, "statement": p.statement, "terms": p.terms, "people": people }))
        .collect::<Vec<_>>();
    StageSummary::new("group", began, units.len() as u64, left_out, 0)
        .with("problems", grouped.codebook.problems().len() as u64)
        .with("codebook", grouped.codebook.hash())
        .with("made_by", grouped.codebook.made_by.as_str())
        .with("units", Value::Object(of))
        .with("assigned", Value::Object(assigned))
        .with("other", Value::Object(other))
        .with("candidates", candidates)
}

#[cfg(test)]
mod tests;
