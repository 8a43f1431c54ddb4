//! Edits: a person renames, describes, merges, splits, adds and removes problems.
//!
//! The one rule: an edit is made whole, as a new version with its lineage, or refused with what is wrong and what to do. What
//! belonged to a problem goes where its problem goes; words that changed are sorted by when `candor group` runs next.

use std::collections::{BTreeSet, HashSet};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;

use super::cluster::{MIN_PEOPLE, MOST, parts};
use super::codebook::checked_id;
use super::lineage::{self, Version};
use super::terms::{terms, word_key};
use super::units::{Unit, gather, sample};
use super::vectors::Space;
use super::{FITTED, parted};
use crate::model::problem::EDITED;
use crate::model::{Change, Codebook, Problem, ProblemId, Recipes};
use crate::store::{Assignment, Origin, Side, Store};

/// What a person wants changed.
#[derive(Debug, Clone)]
pub enum Edit {
    /// Another name.
    Rename {
        /// The problem.
        id: String,
        /// Its new name.
        name: String,
    },
    /// Other words; `None` leaves them as they are.
    Describe {
        /// The problem.
        id: String,
        /// Actor, situation, obstacle, consequence.
        statement: Option<String>,
        /// Typical terms.
        terms: Option<Vec<String>>,
        /// What counts.
        include: Option<Vec<String>>,
        /// Near misses.
        exclude: Option<Vec<String>>,
    },
    /// One problem goes into another, which keeps its name and statement and takes up its terms, its lines and its statement, or its
    /// name where the statement is a quote.
    Merge {
        /// The problem that goes.
        id: String,
        /// The one that takes it up.
        into: String,
    },
    /// A part of a problem becomes one of its own: what says one of the terms, or, without terms, what lies apart.
    Split {
        /// The problem.
        id: String,
        /// Words that tell the part.
        terms: Vec<String>,
    },
    /// One more problem.
    Add(Problem),
    /// One problem less; what belonged to it belongs nowhere.
    Remove {
        /// The problem.
        id: String,
    },
    /// Another list, as a person rewrote the file. What belonged to a problem that is still there stays with it.
    Rewrite(Vec<Problem>),
}

/// What an edit made.
#[derive(Debug, Clone)]
pub struct Edited {
    /// The new version.
    pub codebook: Codebook,
    /// What became of each problem.
    pub changes: Vec<Change>,
    /// Whether words changed that decide what belongs where, so that `candor group` sorts anew.
    pub to_sort: bool,
}

/// Makes `edit` on the current codebook, as a new version.
///
/// # Errors
/// When there is no codebook, it is frozen, the edit names no problem of it or would leave a list that is none; or the store
/// cannot be read or written.
pub async fn edit(store: &Store, recipes: &Recipes, edit: Edit, seed: u64, now: Timestamp) -> Result<Edited> {
    let (codebook, _) = store.codebook().await?.context("there is no codebook yet; run `candor group` first")?;
    if codebook.is_frozen() {
        bail!("the codebook is frozen by hand; `candor codebook thaw` lets it be edited");
    }
    let before = store.assignments(codebook.hash()).await?;
    let version = Version { codebook: &codebook, assignments: &before };
    let units = match &edit {
        Edit::Split { .. } | Edit::Merge { .. } => gather(store, recipes).await?.0,
        _ => Vec::new(),
    };
    let made = apply(version, edit, &units, seed)?;
    let after = Codebook::new(EDITED, made.problems);
    let changes = lineage::changes(version, Version { codebook: &after, assignments: &made.assignments }, &made.known);
    if after.hash() == codebook.hash() {
        bail!("nothing would change: the codebook already says so");
    }
    let origin = Origin { follows: Some((codebook.hash().to_owned(), changes.clone())), basis: None };
    store.write_codebook(&after, &made.assignments, &origin, now).await?;
    Ok(Edited { codebook: after, changes, to_sort: made.to_sort })
}

/// A list with what belongs to it, before it is written.
struct Made {
    problems: Vec<Problem>,
    assignments: Vec<Assignment>,
    /// Pairs of which the first went into the second.
    known: Vec<(ProblemId, ProblemId)>,
    to_sort: bool,
}

fn apply(version: Version<'_>, edit: Edit, units: &[Unit], seed: u64) -> Result<Made> {
    let codebook = version.codebook;
    let mut made = Made {
        problems: codebook.problems().to_vec(),
        assignments: version.assignments.to_vec(),
        known: Vec::new(),
        to_sort: false,
    };
    match edit {
        Edit::Rename { id, name } => {
            let at = place(codebook, &id)?;
            made.problems[at].name = unlike(codebook.problems(), &codebook.problems()[at].id, said(&name, "name")?)?;
            made.problems[at].by_hand = true;
        }
        Edit::Describe { id, statement, terms, include, exclude } => {
            let at = place(codebook, &id)?;
            if statement.is_none() && terms.is_none() && include.is_none() && exclude.is_none() {
                bail!("say what to describe it by: --statement, --term, --include or --exclude");
            }
            let problem = &mut made.problems[at];
            if let Some(statement) = statement {
                problem.statement = said(&statement, "statement")?;
            }
            for (lines, field, new) in [
                (&mut problem.terms, "term", terms),
                (&mut problem.include, "include", include),
                (&mut problem.exclude, "exclude", exclude),
            ] {
                if let Some(new) = new {
                    *lines = new.iter().map(|line| said(line, field)).collect::<Result<_>>()?;
                }
            }
            problem.by_hand = true;
            made.to_sort = true;
        }
        Edit::Merge { id, into } => {
            let (from, to) = (place(codebook, &id)?, place(codebook, &into)?);
            if from == to {
                bail!("{id:?} cannot be merged into itself; name another problem to merge it into");
            }
            let gone = made.problems[from].clone();
            let stays = &mut made.problems[to];
            take_words(&mut stays.terms, gone.terms);
            stays.exclude.retain(|line| !gone.include.contains(line));
            // A statement that somebody wrote says what counts; the quote that stands for a found problem is one person's case.
            let is_quote = units.iter().any(|u| u.quote == gone.statement);
            let says = if is_quote { gone.name } else { gone.statement };
            take_words(&mut stays.include, [vec![says], gone.include].concat());
            stays.by_hand |= gone.by_hand;
            made.to_sort = true;
            let [from, to] = [from, to].map(|at| made.problems[at].id.clone());
            for a in made.assignments.iter_mut().filter(|a| a.problem.as_ref() == Some(&from)) {
                a.problem = Some(to.clone());
            }
            made.problems.retain(|p| p.id != from);
            made.known.push((from, to));
        }
        Edit::Remove { id } => {
            let gone = made.problems.remove(place(codebook, &id)?).id;
            for a in made.assignments.iter_mut().filter(|a| a.problem.as_ref() == Some(&gone)) {
                a.problem = None;
            }
        }
        Edit::Add(problem) => {
            let problem = Problem {
                id: checked_id(problem.id.as_str())?,
                name: said(&problem.name, "name")?,
                statement: said(&problem.statement, "statement")?,
                by_hand: true,
                composed: false,
                ..problem
            };
            if codebook.problem(&problem.id).is_some() {
                bail!("there is a problem {:?} already; describe it, or choose another id", problem.id.as_str());
            }
            let problem = Problem { name: unlike(codebook.problems(), &problem.id, problem.name)?, ..problem };
            made.problems.push(problem);
            made.to_sort = true;
        }
        Edit::Rewrite(problems) => {
            // What the person left as it was is not theirs.
            let untouched = |new: &Problem| {
                codebook.problem(&new.id).filter(|old| **old == Problem { by_hand: old.by_hand, ..new.clone() })
            };
            made.problems = problems.into_iter().map(|new| untouched(&new).cloned().unwrap_or(new)).collect();
            let listed = made.problems.iter().map(|p| &p.id).collect::<HashSet<_>>();
            for a in &mut made.assignments {
                a.problem = a.problem.take().filter(|p| listed.contains(p));
            }
            made.to_sort = true;
        }
        Edit::Split { id, terms } => split(codebook, &mut made, &id, &terms, units, seed)?,
    }
    match made.problems.len() {
        0 => bail!("a codebook needs at least one problem; add another one before this one goes"),
        count if count > MOST => {
            bail!("a codebook holds at most {MOST} problems, this would be {count}; merge or remove some")
        }
        _ => Ok(made),
    }
}

/// Adds `more` to `lines`, no words twice.
fn take_words(lines: &mut Vec<String>, more: Vec<String>) {
    lines.extend(more);
    let mut met = BTreeSet::new();
    lines.retain(|line| !line.is_empty() && met.insert(word_key(line)));
}

/// Takes a part out of the problem `id` as one of its own.
fn split(codebook: &Codebook, made: &mut Made, id: &str, tell: &[String], units: &[Unit], seed: u64) -> Result<()> {
    let old = codebook.problems()[place(codebook, id)?].id.clone();
    let members = made.assignments.iter().filter(|a| a.problem.as_ref() == Some(&old));
    let members = members.map(|a| (a.side, a.unit.as_str())).collect::<HashSet<_>>();
    let own = units.iter().filter(|u| members.contains(&(u.side, u.id.as_str()))).cloned().collect::<Vec<_>>();
    let fitted = sample(units, FITTED).into_iter().map(Unit::passage).collect::<Vec<_>>();
    let space = Space::fit(&[], &fitted, None, seed);
    let part = if tell.is_empty() { apart(&space, &own) } else { saying(&own, tell) };
    let people = |units: &[&Unit]| units.iter().map(|u| (u.side, &u.who)).collect::<BTreeSet<_>>().len();
    let moved = part.iter().map(|u| (u.side, u.id.as_str())).collect::<HashSet<(Side, &str)>>();
    let rest = own.iter().filter(|u| !moved.contains(&(u.side, u.id.as_str()))).collect::<Vec<_>>();
    if people(&part) == 0 || people(&rest) == 0 {
        let why = if tell.is_empty() {
            format!(
                "fall into no two parts that {MIN_PEOPLE} people each speak of; name words that tell the part: --terms"
            )
        } else {
            format!("are told apart by none of {}; name words that stand in some of them", tell.join(", "))
        };
        bail!("the {} texts of {id:?} {why}", own.len());
    }
    let mut problem = parted(&space, &part, &rest, &made.problems);
    if !tell.is_empty() {
        problem.by_hand = true;
        problem.name = unlike(&made.problems, &problem.id, tell.join(", "))?;
        let typical = std::mem::replace(&mut problem.terms, tell.to_vec());
        take_words(&mut problem.terms, typical);
    }
    for a in made.assignments.iter_mut().filter(|a| moved.contains(&(a.side, a.unit.as_str()))) {
        a.problem = Some(problem.id.clone());
    }
    made.known.push((old, problem.id.clone()));
    made.problems.push(problem);
    made.to_sort = true;
    Ok(())
}

/// The smaller of the two parts that the units lie in; empty when they do not.
fn apart<'a>(space: &Space, own: &'a [Unit]) -> Vec<&'a Unit> {
    let points = own.iter().map(|u| space.place(&u.passage())).collect::<Vec<_>>();
    let spoken = own.iter().zip(&points).map(|(unit, point)| unit.spoken(point)).collect::<Vec<_>>();
    let smaller = parts(&spoken, space.nearness().clusters).and_then(|parts| parts.into_iter().min_by_key(Vec::len));
    smaller.unwrap_or_default().into_iter().map(|i| &own[i]).collect()
}

/// The units that say one of `tell`, in whatever form of the words.
fn saying<'a>(own: &'a [Unit], tell: &[String]) -> Vec<&'a Unit> {
    let stems = |text: &str| terms(text).into_iter().map(|t| t.stem).collect::<Vec<_>>();
    // A term of two words is its pair; of longer ones every pair has to stand there.
    let wanted = tell.iter().map(|t| stems(t)).map(|stems| {
        let pairs = stems.iter().filter(|s| s.contains(' ')).cloned().collect::<Vec<_>>();
        if pairs.is_empty() { stems } else { pairs }
    });
    let wanted = wanted.filter(|stems| !stems.is_empty()).collect::<Vec<_>>();
    let says = |unit: &&Unit| {
        let here = stems(&unit.bare).into_iter().collect::<HashSet<_>>();
        wanted.iter().any(|stems| stems.iter().all(|s| here.contains(s)))
    };
    own.iter().filter(says).collect()
}

/// Where the problem `id` stands in the list.
///
/// # Errors
/// When there is none; the message names the nearest one.
fn place(codebook: &Codebook, id: &str) -> Result<usize> {
    let problems = codebook.problems();
    if let Some(at) = problems.iter().position(|p| p.id.as_str() == id) {
        return Ok(at);
    }
    let near = problems.iter().max_by(|a, b| {
        let near = |p: &Problem| strsim::jaro_winkler(p.id.as_str(), id).max(strsim::jaro_winkler(&p.name, id));
        near(a).total_cmp(&near(b)).then_with(|| b.id.cmp(&a.id))
    });
    match near {
        Some(near) => bail!("there is no problem {id:?}; did you mean {:?} ({})?", near.id.as_str(), near.name),
        None => bail!("there is no problem {id:?}; the codebook is empty"),
    }
}

/// `name`, when no problem but the one called `id` has it.
fn unlike(problems: &[Problem], id: &ProblemId, name: String) -> Result<String> {
    match problems.iter().find(|p| p.id != *id && word_key(&p.name) == word_key(&name)) {
        Some(other) => bail!(
            "problem {:?} is called {:?} already; choose another name, or put the two together: candor codebook edit merge",
            other.id.as_str(),
            other.name
        ),
        None => Ok(name),
    }
}

/// Words that are some.
fn said(words: &str, field: &str) -> Result<String> {
    let words = words.trim();
    if words.is_empty() {
        bail!("the {field} is empty; write a few words");
    }
    Ok(words.to_owned())
}
