//! Stage 5: signals and claimed pains to problems, on one codebook for both sides.
//!
//! With a codebook frozen by hand, every unit is classified into it, and what fits nowhere is searched for candidates that
//! the codebook lacks. Without one, clusters make the codebook, and later runs start from it: ids stay, and what became of
//! each problem is written down. Either way one classifier sorts both sides, blind to where a text comes from (METHOD 3.1).
//!
//! The one rule: the same store and the same codebook give the same bytes, in whatever order the units are read.

pub mod by_model;

mod classify;

mod cluster;

pub mod codebook;

pub mod edit;

pub mod embed;

mod evolve;

pub mod heard;

mod latent;

pub mod lineage;

mod name;

mod own;

mod phrase;

pub mod register;

pub mod sort;

mod terms;

mod units;

mod vectors;

use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use rayon::prelude::*;
use serde_json::{Map, Value, json};

use by_model::{Sorted, Sorter};
use classify::{Classifier, lines};
use cluster::{LEAST, cluster, margin};
use embed::{Embedder, Vectors};
use evolve::{HOLDS, Previous};
use lineage::Version;
use name::Typical;
use units::{Unit, gather, sample};
use vectors::{Passage, Point, Space};

use crate::llm::{Estimate, Outlook, Show};
use crate::model::id::content_hash;
use crate::model::problem::BY_MACHINE;
use crate::model::{Codebook, Problem, ProblemId, Recipes};
use crate::progress::Progress;
use crate::store::{Assignment, Failure, Origin, Side, Store};
use crate::summary::StageSummary;

/// Most units that are clustered, which takes time and memory with their square.
const CLUSTERED: usize = 4_000;
/// Most units that a space is fitted on; more would sharpen nothing and take time.
const FITTED: usize = 10_000;
/// Most candidates reported.
const CANDIDATES: usize = 5;
/// Most lines that say what a found problem is, and what it is not.
const LINES: usize = 3;

/// Version of how units are sorted; part of what an unchanged result is told by.
const SORTED: &str = "group-3";

/// What a run of the stage is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// A codebook file frozen by hand.
    pub codebook: Option<&'a Path>,
    /// Make clusters afresh instead of following the list of the run before; ids live on where their units come together again.
    pub anew: bool,
    /// Seed of everything random.
    pub seed: u64,
}

/// Sorts the signals and claimed pains of `recipes` into problems, and writes the codebook, its lineage and the assignments.
///
/// The problems are those of the codebook file, of the codebook that a person froze, or of the run before with what became
/// of them since; the first run makes them. When neither the list nor the units changed, nothing does.
///
/// # Errors
/// When the codebook file cannot be used, a frozen list is asked to be made anew, or the store cannot be read or written.
pub async fn run(
    store: &Store,
    recipes: &Recipes,
    wanted: Wanted<'_>,
    embedder: &Embedder,
    sorter: Option<&Sorter>,
    now: Timestamp,
    progress: Progress,
) -> Result<StageSummary> {
    let began = Instant::now();
    let bar = progress.counter("grouping");
    let Begun { units, left_out, basis, before, start } = begin(store, recipes, wanted, embedder, sorter).await?;
    let asks = !matches!(start, Start::Unchanged(_));
    let (units, mut grouped, counted) = arranged(store, units, start, embedder, wanted.seed, progress).await?;
    let sorted = match sorter.filter(|_| asks) {
        Some(sorter) => {
            let known = named(&grouped, before.as_ref());
            Some(sorter.sort(store, &mut grouped, &units, &known, progress).await?)
        }
        None => None,
    };
    let assignments = assignments(&units, &grouped, sorted.as_ref());
    let follows = before.as_ref().map(|(codebook, before)| {
        let after = Version { codebook: &grouped.codebook, assignments: &assignments };
        let before = Version { codebook, assignments: before };
        (codebook.hash().to_owned(), lineage::changes(before, after, &grouped.known))
    });
    let told = follows.as_ref().map_or_else(Value::default, |(_, changes)| lineage::counts(changes));
    store.write_codebook(&grouped.codebook, &assignments, &Origin { follows, basis: Some(basis) }, now).await?;
    store.note_embedder(grouped.codebook.hash(), &embedder.name()).await?;
    bar.finish_and_clear();
    let failures = sorted.iter().flat_map(Sorted::failures).map(|(unit, why)| Failure::new("group", unit, why));
    store.record_failures(&failures.collect::<Vec<_>>()).await?;
    let summary = summary(began, &units, &grouped, left_out, sorted.as_ref());
    let summary = match sorted {
        Some(sorted) => summary.with("by_model", sorted.published()),
        None => summary,
    };
    Ok(summary.with("lineage", told).with("embedder", embedder.name()).with("embedded", json!(counted)))
}

/// What [`run`] would ask the model of `sorter`, and what that would take. Nothing is asked and no grouping is written; the exact
/// body of each request that would be sent is handed to `show`.
///
/// # Errors
/// As [`run`], when texts would first be sent to be embedded, or when `show` fails.
pub async fn estimate(
    store: &Store,
    recipes: &Recipes,
    wanted: Wanted<'_>,
    embedder: &Embedder,
    sorter: &Sorter,
    show: Show<'_>,
    progress: Progress,
) -> Result<Estimate> {
    if embedder.is_served() {
        bail!(
            "what would be asked depends on vectors that only the server in [embedding] can give; --dry-run goes with kind = \
             \"embedded\" or \"local\""
        );
    }
    let bar = progress.counter("grouping");
    let Begun { units, before, start, .. } = begin(store, recipes, wanted, embedder, Some(sorter)).await?;
    if matches!(start, Start::Unchanged(_)) {
        return sorter.model().estimate(&Outlook::default(), show).await;
    }
    let (units, grouped, _) = arranged(store, units, start, embedder, wanted.seed, progress).await?;
    let known = named(&grouped, before.as_ref());
    let estimate = sorter.estimate(store, &grouped, &units, &known, show).await?;
    bar.finish_and_clear();
    Ok(estimate)
}

/// What a run begins with.
struct Begun {
    units: Vec<Unit>,
    left_out: u64,
    basis: String,
    /// The run before.
    before: Option<(Codebook, Vec<Assignment>)>,
    start: Start,
}

async fn begin(
    store: &Store,
    recipes: &Recipes,
    wanted: Wanted<'_>,
    embedder: &Embedder,
    sorter: Option<&Sorter>,
) -> Result<Begun> {
    if wanted.anew && wanted.codebook.is_some() {
        bail!(
            "a codebook file is named, here or in candor.toml, and is never made anew; leave it out to find problems afresh"
        );
    }
    let file = wanted.codebook.map(codebook::read).transpose()?;
    let (units, left_out) = gather(store, recipes).await?;
    let sorted_by = sorter.map(Sorter::recipe).unwrap_or_default();
    let basis = basis(&units, &[&embedder.name(), &sorted_by], wanted.seed);
    let last = store.newest_codebook().await?;
    let before = match &last {
        Some(version) => Some((store.codebook_of(version).await?, store.assignments(&version.hash).await?)),
        None => None,
    };
    let unchanged = last.is_some_and(|version| version.basis.as_ref() == Some(&basis));
    let start = match (file, &before) {
        (Some(file), _) => Start::Frozen(file),
        (None, None) => Start::Anew(Previous::none()),
        (None, Some((codebook, _))) if codebook.is_frozen() => {
            if wanted.anew {
                bail!(
                    "the codebook is frozen by hand and is not made anew; `candor codebook thaw` lets it follow the data"
                );
            }
            Start::Frozen(codebook.clone())
        }
        (None, Some((codebook, assignments))) => {
            let previous = Previous::new(codebook.clone(), assignments);
            let growing = codebook.made_by == BY_MACHINE && codebook.problems().len() < LEAST;
            match (wanted.anew, unchanged) {
                (false, true) => Start::Unchanged(previous),
                (false, false) if !growing => Start::Follow(previous),
                _ => Start::Anew(previous),
            }
        }
    };
    Ok(Begun { units, left_out, basis, before, start })
}

/// The problems whose names stay: what a person wrote, and what was named before.
fn named(grouped: &Grouped, before: Option<&(Codebook, Vec<Assignment>)>) -> BTreeSet<ProblemId> {
    let named = if grouped.codebook.is_frozen() { Some(&grouped.codebook) } else { before.map(|b| &b.0) };
    named.into_iter().flat_map(Codebook::problems).map(|p| p.id.clone()).collect()
}

/// `units` again with what grouping them from `start` finds, and how many vectors of `embedder` were known and made, if any.
async fn arranged(
    store: &Store,
    units: Vec<Unit>,
    start: Start,
    embedder: &Embedder,
    seed: u64,
    progress: Progress,
) -> Result<(Vec<Unit>, Grouped, Option<Value>)> {
    let lines = known_lines(start.problems());
    let vectors = embedder.vectors(Some(store), &units, &lines, progress).await?;
    let counted = vectors.as_ref().map(|v| json!({ "known": v.known, "made": v.made }));
    // The work keeps every core busy for seconds; the runtime's threads stay free meanwhile.
    tokio::task::spawn_blocking(move || {
        let grouped = group(&units, start, vectors, seed);
        (units, grouped, counted)
    })
    .await
    .context("grouping stopped in the middle; nothing was written")
}

/// What an unchanged result is told by: the units, and how they are sorted (`by`).
fn basis(units: &[Unit], by: &[&str], seed: u64) -> String {
    let mut ids = units.iter().map(|u| (u.side.as_str(), u.id.as_str())).collect::<Vec<_>>();
    ids.sort_unstable();
    let seed = seed.to_string();
    let ids = ids.iter().flat_map(|(side, id)| [*side, *id]);
    let parts = [SORTED, &seed].into_iter().chain(by.iter().copied()).chain(ids);
    content_hash(&parts.collect::<Vec<_>>())
}

/// Every line of a list that passages are compared with.
fn known_lines(problems: &[Problem]) -> Vec<String> {
    problems.iter().flat_map(|p| lines(p).into_iter().chain(p.exclude.iter().cloned())).collect()
}

/// Where the problems come from.
enum Start {
    /// A person froze them.
    Frozen(Codebook),
    /// The run before; neither they nor the units changed since.
    Unchanged(Previous),
    /// The run before; they follow what is said now.
    Follow(Previous),
    /// The run before, as it is: what belongs to a problem tells what else does.
    Taught(Previous),
    /// Clusters, beside what a person wrote. Ids of the run before live on where their units come together again.
    Anew(Previous),
}

impl Start {
    /// A list that is given, or none.
    fn of(frozen: Option<Codebook>) -> Self {
        frozen.map_or_else(|| Self::Anew(Previous::none()), Self::Frozen)
    }

    /// The problems that passages are compared with.
    fn problems(&self) -> &[Problem] {
        match self {
            Self::Frozen(codebook) => codebook.problems(),
            Self::Unchanged(previous) | Self::Follow(previous) | Self::Taught(previous) | Self::Anew(previous) => {
                previous.codebook().problems()
            }
        }
    }
}

/// What grouping finds.
struct Grouped {
    codebook: Codebook,
    /// For each unit, its problem's place in the codebook and the similarity to the nearest one.
    placed: Vec<(Option<usize>, f32)>,
    /// Problems that the codebook may lack, each with the number of people who speak of it.
    candidates: Vec<(Problem, usize)>,
    /// Pairs of problems, of the run before and of this one, of which the first went into the second.
    known: Vec<(ProblemId, ProblemId)>,
}

fn group(units: &[Unit], start: Start, vectors: Option<Vectors>, seed: u64) -> Grouped {
    match start {
        Start::Unchanged(previous) => previous.again(units),
        Start::Frozen(codebook) => placed(units, codebook.problems(), vectors, seed, |space, found| {
            let points = found.iter().map(|(_, point)| (*point, None)).collect::<Vec<_>>();
            let classifier = Classifier::from_codebook(space, &codebook, &points);
            let listed = Listed::place(space, codebook.problems().to_vec(), &classifier, units);
            Grouped { candidates: candidates(space, &classifier, found), ..listed.freeze(&codebook.made_by) }
        }),
        Start::Taught(previous) => placed(units, previous.codebook().problems(), vectors, seed, |space, found| {
            let classifier = evolve::learnt(space, &previous, &found);
            let problems = previous.codebook().problems().to_vec();
            Listed::place(space, problems, &classifier, units).freeze(&previous.codebook().made_by)
        }),
        Start::Follow(previous) => placed(units, previous.codebook().problems(), vectors, seed, |space, found| {
            evolve::follow(space, &previous, units, &found).freeze(&previous.codebook().made_by)
        }),
        Start::Anew(previous) => {
            let written = previous.written();
            placed(units, &written, vectors, seed, |space, found| {
                evolve::anew(space, &previous, units, &found).freeze(&previous.codebook().made_by)
            })
        }
    }
}

/// Does `work` with the units to build from, placed in the space of all units and of the lines of `problems`.
fn placed(
    units: &[Unit],
    problems: &[Problem],
    vectors: Option<Vectors>,
    seed: u64,
    work: impl FnOnce(&Space, Vec<(&Unit, &Point)>) -> Grouped,
) -> Grouped {
    let anchors = problems.iter().flat_map(lines).collect::<Vec<_>>();
    let anchors = anchors.iter().map(|l| Passage::bare(l)).collect::<Vec<_>>();
    let fitted = sample(units, FITTED).into_iter().map(Unit::passage).collect::<Vec<_>>();
    let space = Space::fit(&anchors, &fitted, vectors, seed);
    let sampled = sample(units, CLUSTERED);
    let points = sampled.par_iter().map(|u| space.place(&u.passage())).collect::<Vec<_>>();
    work(&space, sampled.into_iter().zip(&points).collect())
}

/// Problems in the order of their classifier, with where each unit belongs among them.
struct Listed {
    problems: Vec<Problem>,
    placed: Vec<(Option<usize>, f32)>,
    known: Vec<(ProblemId, ProblemId)>,
}

impl Listed {
    fn place(space: &Space, problems: Vec<Problem>, classifier: &Classifier, units: &[Unit]) -> Self {
        let placed = units.par_iter().map(|u| classifier.classify(&space.place(&u.passage()))).collect();
        Self { problems, placed, known: Vec::new() }
    }

    /// With these problems alone, in this order; what belonged to others belongs nowhere.
    fn only(self, kept: &[usize]) -> Self {
        let place = |old: usize| kept.iter().position(|&k| k == old);
        let placed = self.placed.iter().map(|(problem, score)| (problem.and_then(place), *score)).collect();
        Self { problems: kept.iter().map(|&k| self.problems[k].clone()).collect(), placed, ..self }
    }

    /// As a codebook, which orders its problems by id.
    fn freeze(self, made_by: &str) -> Grouped {
        let mut order = (0..self.problems.len()).collect::<Vec<_>>();
        order.sort_by(|&a, &b| self.problems[a].id.cmp(&self.problems[b].id));
        let Self { problems, placed, known } = self.only(&order);
        Grouped { codebook: Codebook::new(made_by, problems), placed, candidates: Vec::new(), known }
    }
}

/// The largest clusters among what `classifier` finds no problem for.
fn candidates(space: &Space, classifier: &Classifier, mut found: Vec<(&Unit, &Point)>) -> Vec<(Problem, usize)> {
    found.retain(|(_, point)| classifier.classify(point).0.is_none());
    let found = problems(space, &found, LEAST, &[]).into_iter().filter(|p| p.holds >= HOLDS);
    let mut candidates = found.map(|p| (p.problem, p.people)).collect::<Vec<_>>();
    candidates.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.id.cmp(&b.0.id)));
    candidates.truncate(CANDIDATES);
    candidates
}

/// A cluster with its name.
struct Found<'a> {
    problem: Problem,
    points: Vec<&'a Point>,
    people: usize,
    /// How near its texts are to each other, as seen from other conversations.
    holds: f32,
}

/// At least `aim` problems that `found` speak of, where there are so many, with other ids and names than those `listed`.
fn problems<'a>(space: &Space, found: &[(&Unit, &'a Point)], aim: usize, listed: &[Problem]) -> Vec<Found<'a>> {
    let spoken = found.iter().map(|(unit, point)| unit.spoken(point)).collect::<Vec<_>>();
    let clusters = cluster(&spoken, space.leading(), aim, space.nearness().clusters);
    let units =
        clusters.iter().map(|members| members.iter().map(|&i| found[i].0).collect::<Vec<_>>()).collect::<Vec<_>>();
    let groups =
        clusters.iter().map(|members| members.iter().map(|&i| found[i].1).collect::<Vec<_>>()).collect::<Vec<_>>();
    let (mut problems, mut listed) = (Vec::new(), listed.to_vec());
    let typical = name::typical_terms(space, &units.iter().map(|units| said(units)).collect::<Vec<_>>());
    let topics = phrase::topics_of(&said(&found.iter().map(|(unit, _)| *unit).collect::<Vec<_>>()));
    for (((units, points), typical), members) in units.iter().zip(groups).zip(typical).zip(&clusters) {
        let within = members.iter().copied().collect::<HashSet<_>>();
        let elsewhere = topics.iter().enumerate().filter(|(i, _)| !within.contains(i));
        let elsewhere = elsewhere.map(|(_, said)| said).collect::<Vec<_>>();
        let problem = problem_of(space, &typical, units, &elsewhere, &listed);
        listed.push(problem.clone());
        let people = units::people(units.iter().copied());
        let own = members.iter().map(|&i| spoken[i]).collect::<Vec<_>>();
        let (holds, _) = margin(&own, &[(0..own.len()).collect()]);
        problems.push(Found { problem, points, people, holds });
    }
    problems
}

/// Says of each of `new` what it is not: what people say of the problem nearest to it, of `new` or of those `listed`.
fn set_apart(space: &Space, new: &mut [Found<'_>], listed: &[Problem]) {
    let place = |line: &String| space.place(&Passage::bare(line));
    let known = listed.iter().map(|p| lines(p).iter().map(place).collect::<Vec<_>>()).collect::<Vec<_>>();
    let groups = new.iter().map(|n| n.points.clone()).chain(known.iter().map(|points| points.iter().collect()));
    let groups = groups.collect::<Vec<_>>();
    let classifier = Classifier::from_groups(space, &groups);
    let included = new.iter().map(|n| &n.problem).chain(listed).map(|p| p.include.clone()).collect::<Vec<_>>();
    for (k, found) in new.iter_mut().enumerate() {
        let others = (0..included.len()).filter(|&other| other != k);
        let alike = |other: &usize| classifier.alike(k, *other);
        let nearest = others.max_by(|a, b| alike(a).total_cmp(&alike(b)).then(b.cmp(a)));
        let theirs = nearest.map(|nearest| included[nearest].as_slice()).unwrap_or_default();
        found.problem.exclude = theirs.iter().filter(|line| !included[k].contains(line)).take(LINES).cloned().collect();
    }
}

/// Who says which words.
fn said<'a>(units: &[&'a Unit]) -> Vec<(&'a str, &'a str)> {
    units.iter().map(|u| (u.who.as_str(), u.bare.as_str())).collect()
}

/// The problem that `goes` speak of when they part from `stays`, beside those `listed`.
fn parted(space: &Space, goes: &[&Unit], stays: &[&Unit], listed: &[Problem]) -> Problem {
    let both = [said(goes), said(stays)];
    let [there, left] = [0, 1].map(|i| phrase::topics_of(&both[i]));
    let typical = name::typical_terms(space, &both);
    let exclude =
        phrase::phrases(&typical[1], &both[1], |topics| phrase::people(topics, &there), BTreeSet::new(), LINES);
    Problem { exclude, ..problem_of(space, &typical[0], goes, &left.iter().collect::<Vec<_>>(), listed) }
}

/// The problem that `units` speak of, in their own words, beside those `listed`; `elsewhere` is who says which topics of what
/// does not belong to it.
fn problem_of(
    space: &Space,
    typical: &Typical,
    units: &[&Unit],
    elsewhere: &[&phrase::Topics<'_>],
    listed: &[Problem],
) -> Problem {
    let taken = listed.iter().map(|p| p.id.clone()).collect::<BTreeSet<_>>();
    let given = listed.iter().map(|p| phrase::topics(&p.name)).collect::<Vec<_>>();
    let said = said(units);
    let name = phrase::phrase(typical, &said, &given).unwrap_or_else(|| name::name(space, &typical.terms));
    let others = |topics: &BTreeSet<String>| phrase::people(topics, elsewhere.iter().copied());
    let include = phrase::phrases(typical, &said, others, phrase::topics(&name), LINES);
    // The words alone, without their context, since that is how a statement is read.
    let alone = units.iter().map(|u| space.place(&Passage::bare(&u.bare))).collect::<Vec<_>>();
    let middle = Classifier::from_groups(space, &[alone.iter().collect()]);
    let near =
        units.iter().zip(&alone).map(|(unit, point)| (unit.quote.as_str(), unit.states(middle.similarity(0, point))));
    Problem {
        id: name::id(space, &typical.terms, &taken),
        statement: name::statement(&name, near).unwrap_or_default().to_owned(),
        name,
        terms: typical.terms.iter().map(|&t| space.surface(t).to_owned()).collect(),
        include,
        exclude: Vec::new(),
        by_hand: false,
        composed: false,
    }
}

fn assignments(units: &[Unit], grouped: &Grouped, sorted: Option<&Sorted>) -> Vec<Assignment> {
    let problems = grouped.codebook.problems();
    let is_none = |i: usize| sorted.is_some_and(|sorted| sorted.is_none(i));
    units
        .iter()
        .zip(&grouped.placed)
        .enumerate()
        .map(|(i, (unit, &(problem, score)))| Assignment {
            side: unit.side,
            unit: unit.id.clone(),
            problem: problem.map(|k| problems[k].id.clone()).or_else(|| is_none(i).then(ProblemId::none)),
            score: f64::from(score),
        })
        .collect()
}

fn summary(began: Instant, units: &[Unit], grouped: &Grouped, left_out: u64, sorted: Option<&Sorted>) -> StageSummary {
    let mut of = Map::new();
    let mut assigned = Map::new();
    let mut other = Map::new();
    for side in [Side::Community, Side::Crm] {
        // What tells of no problem is no problem outside the list either.
        let tells = |i: usize| !sorted.is_some_and(|sorted| sorted.is_none(i));
        let of_side = units.iter().zip(&grouped.placed).enumerate().filter(|(i, (u, _))| u.side == side && tells(*i));
        let of_side = of_side.map(|(_, placed)| placed).collect::<Vec<_>>();
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
    let failed = sorted.map_or(0, |sorted| sorted.failures().len() as u64);
    StageSummary::new("group", began, units.len() as u64, left_out, failed)
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
