//! A codebook that follows the data: the problems of the run before, sought in what is said now.
//!
//! The one rule: an id means what it meant. Its problem keeps its words, and is sought by what belonged to it before; what fits
//! no problem may make new ones, and a problem that nobody speaks of any more is retired.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use super::classify::Classifier;
use super::cluster::{LEAST, MOST, margin, parts};
use super::units::{self, Unit};
use super::vectors::{Passage, Point, Space};
use super::{Found, Grouped, Listed, name, parted, problems, set_apart};
use crate::model::problem::BY_MACHINE;
use crate::model::{Codebook, Problem, ProblemId};
use crate::store::{Assignment, Side};

/// A problem keeps its id when the lists are made anew and the two share this part of the units that either holds.
const SAME: f64 = 0.2;
/// Similarity at which two problems have become one.
const ONE: f32 = 0.85;
/// How much nearer the texts of a problem have to be to their own part than to the other one (on average, as seen from other
/// conversations) for the two parts to be problems of their own.
const APART: f32 = 0.2;

/// How near the texts of a new problem have to be to each other (on average, as seen from other conversations): without this, what fits
/// nowhere makes problems of leftovers.
pub(super) const HOLDS: f32 = 0.25;

/// The codebook of the run before, with what belonged to it.
#[derive(Debug, Clone)]
pub(super) struct Previous {
    codebook: Codebook,
    placed: HashMap<(Side, String), (Option<usize>, f32)>,
}

impl Previous {
    pub(super) fn new(codebook: Codebook, assignments: &[Assignment]) -> Self {
        let numbers = codebook.problems().iter().enumerate().map(|(i, p)| (&p.id, i)).collect::<HashMap<_, _>>();
        let place = |a: &Assignment| (a.problem.as_ref().and_then(|p| numbers.get(p)).copied(), a.score as f32);
        let placed = assignments.iter().map(|a| ((a.side, a.unit.clone()), place(a))).collect();
        Self { codebook, placed }
    }

    /// No run before.
    pub(super) fn none() -> Self {
        Self { codebook: Codebook::new(BY_MACHINE, Vec::new()), placed: HashMap::new() }
    }

    pub(super) fn codebook(&self) -> &Codebook {
        &self.codebook
    }

    /// The same result again.
    pub(super) fn again(self, units: &[Unit]) -> Grouped {
        let placed =
            units.iter().map(|unit| self.placed.get(&(unit.side, unit.id.clone())).copied().unwrap_or_default());
        Grouped { placed: placed.collect(), codebook: self.codebook, candidates: Vec::new(), known: Vec::new() }
    }

    /// What a person wrote or corrected.
    pub(super) fn written(&self) -> Vec<Problem> {
        self.codebook.problems().iter().filter(|p| p.by_hand).cloned().collect()
    }

    /// With problem `goes` in problem `stays`.
    fn merged(mut self, goes: usize, stays: usize) -> Self {
        let after = |k: usize| if k == goes { stays } else { k };
        let lower = |k: usize| if k > goes { k - 1 } else { k };
        for (problem, _) in self.placed.values_mut() {
            *problem = problem.map(after).map(lower);
        }
        let mut problems = self.codebook.problems().to_vec();
        let included = problems[goes].include.clone();
        problems[stays].exclude.retain(|line| !included.contains(line));
        problems.remove(goes);
        self.codebook = Codebook::new(self.codebook.made_by.as_str(), problems);
        self
    }

    /// Where a unit belonged.
    fn of(&self, unit: &Unit) -> Option<usize> {
        self.placed.get(&(unit.side, unit.id.clone()))?.0
    }
}

/// The problems of `previous` that people still speak of, and those that what fits none of them makes.
pub(super) fn follow(space: &Space, previous: &Previous, units: &[Unit], found: &[(&Unit, &Point)]) -> Listed {
    let (previous, mut known, mut classifier) = merge(space, previous.clone(), found);
    let mut listed = previous.codebook.problems().to_vec();
    let members = members(&classifier, found, listed.len());
    let mut spoken = members.iter().map(|m| people(m)).filter(|p| *p > 0).collect::<Vec<_>>();
    spoken.sort_unstable();

    // What the list holds says how many people make a problem here, and how many a middling one.
    let least = spoken.first().copied().unwrap_or(0);
    let middle = spoken.get(spoken.len() / 2).copied().unwrap_or(usize::MAX);
    for (k, own) in members.iter().enumerate().filter(|(k, _)| !previous.codebook.problems()[*k].by_hand) {
        if listed.len() == MOST {
            break;
        }
        if let Some([stays, goes]) = apart(own, middle, space.nearness().clusters) {
            let part = parted(space, &units_of(&goes), &units_of(&stays), &listed);
            known.push((listed[k].id.clone(), part.id.clone()));
            classifier.replace(space, k, &points_of(&stays));
            classifier.add(space, &points_of(&goes));
            listed.push(part);
        }
    }
    let rest = found.iter().filter(|(_, point)| classifier.classify(point).0.is_none()).copied().collect::<Vec<_>>();
    let aim = if listed.is_empty() { LEAST } else { 2 };
    let mut new = problems(space, &rest, aim, &listed);
    new.retain(|n| n.people >= least && (listed.is_empty() || n.holds >= HOLDS));
    new.sort_by(|a, b| b.people.cmp(&a.people).then_with(|| a.problem.id.cmp(&b.problem.id)));
    new.truncate(MOST.saturating_sub(listed.len()));
    let mut listed = match listed.is_empty() {
        true => Listed { problems: listed, placed: vec![(None, 0.0); units.len()], known },
        false => Listed { known, ..Listed::place(space, listed, &classifier, units) },
    };
    if !new.is_empty() {
        set_apart(space, &mut new, &listed.problems);
        for Found { problem, points, .. } in new {
            classifier.add(space, &points);
            listed.problems.push(problem);
        }
        // What fits a problem of the list stays there: a new one is made of the rest, and takes nothing else.
        let rest = listed.placed.par_iter_mut().zip(units).filter(|(place, _)| place.0.is_none());
        rest.for_each(|(place, unit)| *place = classifier.classify(&space.place(&unit.passage())));
    }
    quote_anew(space, &classifier, &mut listed, units);
    // What never was anywhere (a problem just added by hand) waits; what was and is nowhere now is gone.
    let had = counted(previous.placed.values().filter_map(|(problem, _)| *problem));
    let has = counted(listed.placed.iter().filter_map(|(problem, _)| *problem));
    let stays = |k: usize| listed.problems[k].by_hand || has.contains_key(&k) || !had.contains_key(&k);
    let kept = (0..listed.problems.len()).filter(|&k| stays(k)).collect::<Vec<_>>();
    listed.only(&kept)
}

/// What one problem holds of the units to build from.
type Members<'a> = Vec<(&'a Unit, &'a Point)>;

/// The classifier of `previous`, taught by what belonged to its problems.
pub(super) fn learnt(space: &Space, previous: &Previous, found: &[(&Unit, &Point)]) -> Classifier {
    let known = found.iter().map(|(unit, point)| (*point, previous.of(unit))).collect::<Vec<_>>();
    Classifier::from_codebook(space, &previous.codebook, &known)
}

/// Puts problems that have become one into one, the lesser into the greater, and says which; with the classifier of what is left.
fn merge(
    space: &Space,
    mut previous: Previous,
    found: &[(&Unit, &Point)],
) -> (Previous, Vec<(ProblemId, ProblemId)>, Classifier) {
    let mut known = Vec::new();
    loop {
        let classifier = learnt(space, &previous, found);
        let problems = previous.codebook.problems();
        let pairs = (0..problems.len()).flat_map(|a| (0..a).map(move |b| (a, b)));
        let free = pairs.filter(|&(a, b)| !problems[a].by_hand && !problems[b].by_hand);
        let nearest = free
            .map(|(a, b)| (classifier.alike(a, b), a, b))
            .max_by(|x, y| x.0.total_cmp(&y.0).then((y.1, y.2).cmp(&(x.1, x.2))));
        let Some((_, a, b)) = nearest.filter(|(alike, ..)| *alike >= ONE) else { return (previous, known, classifier) };
        let counts = counted(previous.placed.values().filter_map(|(problem, _)| *problem));
        let (goes, stays) = if counts.get(&a) > counts.get(&b) { (b, a) } else { (a, b) };
        known.push((problems[goes].id.clone(), problems[stays].id.clone()));
        previous = previous.merged(goes, stays);
    }
}

/// The two parts of a problem, the greater first, when they lie clearly apart and `middle` people speak of either.
fn apart<'a>(own: &Members<'a>, middle: usize, fits: f32) -> Option<[Members<'a>; 2]> {
    let spoken = own.iter().map(|(unit, point)| unit.spoken(point)).collect::<Vec<_>>();
    let mut parts = parts(&spoken, fits)?;
    if margin(&spoken, &parts).0 < APART {
        return None;
    }
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    let parts = parts.map(|part| part.iter().map(|&i| own[i]).collect::<Members<'a>>());
    parts.iter().all(|part| people(part) >= middle).then_some(parts)
}

/// What each of `count` problems holds.
fn members<'a>(classifier: &Classifier, found: &[(&'a Unit, &'a Point)], count: usize) -> Vec<Members<'a>> {
    let mut members = vec![Vec::new(); count];
    for (unit, point) in found {
        if let (Some(k), _) = classifier.classify(point) {
            members[k].push((*unit, *point));
        }
    }
    members
}

/// How many people and accounts speak.
fn people(members: &Members<'_>) -> usize {
    units::people(members.iter().map(|(unit, _)| *unit))
}

fn units_of<'a>(members: &Members<'a>) -> Vec<&'a Unit> {
    members.iter().map(|(unit, _)| *unit).collect()
}

fn points_of<'a>(members: &Members<'a>) -> Vec<&'a Point> {
    members.iter().map(|(_, point)| *point).collect()
}

/// Takes another statement where the quote is not there any more: what is deleted at the source is deleted here.
fn quote_anew(space: &Space, classifier: &Classifier, listed: &mut Listed, units: &[Unit]) {
    let said = units.iter().map(|u| u.quote.as_str()).collect::<HashSet<_>>();
    for (k, problem) in listed.problems.iter_mut().enumerate() {
        if problem.by_hand || problem.composed || said.contains(problem.statement.as_str()) {
            continue;
        }
        let own = units.iter().zip(&listed.placed).filter(|(unit, (place, _))| unit.builds && *place == Some(k));
        let near = own.map(|(u, _)| {
            let similarity = classifier.similarity(k, &space.place(&Passage::bare(&u.bare)));
            (u.quote.as_str(), u.states(similarity))
        });
        name::statement(&problem.name, near).unwrap_or_default().clone_into(&mut problem.statement);
    }
}

/// Problems found afresh. Where the units of one of `previous` came together again, its id lives on, and with it the words that a
/// person wrote; what a person wrote and no cluster holds is sought by its words.
pub(super) fn anew(space: &Space, previous: &Previous, units: &[Unit], found: &[(&Unit, &Point)]) -> Listed {
    let mut listed = keep_ids(follow(space, &Previous::none(), units, found), previous, units);
    let here = listed.problems.iter().map(|p| p.id.clone()).collect::<BTreeSet<_>>();
    let missing = previous.written().into_iter().filter(|p| !here.contains(&p.id)).collect::<Vec<_>>();
    if missing.is_empty() {
        return listed;
    }
    listed.problems.truncate(MOST.saturating_sub(missing.len()));
    listed.problems.extend(missing);
    let made = listed.freeze(&previous.codebook.made_by);
    let placed = units.iter().zip(made.placed).map(|(unit, place)| ((unit.side, unit.id.clone()), place));
    follow(space, &Previous { codebook: made.codebook, placed: placed.collect() }, units, found)
}

/// Gives the problems of `listed` the ids of those of `previous` whose units came together again: the pair that shares the
/// largest part of its units first.
fn keep_ids(mut listed: Listed, previous: &Previous, units: &[Unit]) -> Listed {
    let mut shared = BTreeMap::<(usize, usize), usize>::new();
    for (unit, (now, _)) in units.iter().zip(&listed.placed) {
        if let (Some(before), Some(now)) = (previous.of(unit), now) {
            *shared.entry((before, *now)).or_default() += 1;
        }
    }
    let here = units.iter().filter_map(|unit| previous.of(unit));
    let (had, has) = (counted(here), counted(listed.placed.iter().filter_map(|(problem, _)| *problem)));
    let alike = |&(before, now): &(usize, usize), both: usize| both as f64 / (had[&before] + has[&now] - both) as f64;
    let mut pairs = shared.iter().map(|(pair, both)| (alike(pair, *both), *pair)).collect::<Vec<_>>();
    pairs.retain(|(alike, _)| *alike >= SAME);
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let (mut given, mut named) = (BTreeSet::new(), BTreeMap::<usize, &Problem>::new());
    for (_, (before, now)) in pairs {
        if !given.contains(&before) && !named.contains_key(&now) {
            given.insert(before);
            named.insert(now, &previous.codebook.problems()[before]);
        }
    }
    // An id that a new problem's words would make may be the id that an old one keeps.
    let mut taken = previous.codebook.problems().iter().map(|p| p.id.clone()).collect::<BTreeSet<_>>();
    for (now, problem) in listed.problems.iter_mut().enumerate() {
        match named.get(&now) {
            Some(before) if before.by_hand => (*before).clone_into(problem),
            Some(before) => problem.id = before.id.clone(),
            None => {
                problem.id = free(&problem.id, &taken);
                taken.insert(problem.id.clone());
            }
        }
    }
    listed
}

/// `id`, or the first of `id_2`, `id_3`, … that is not taken.
fn free(id: &ProblemId, taken: &BTreeSet<ProblemId>) -> ProblemId {
    let mut further = (2..).map(|n: usize| ProblemId::new(format!("{id}_{n}")));
    if taken.contains(id) { further.find(|id| !taken.contains(id)).unwrap_or_else(|| id.clone()) } else { id.clone() }
}

fn counted(places: impl Iterator<Item = usize>) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for place in places {
        *counts.entry(place).or_default() += 1;
    }
    counts
}
