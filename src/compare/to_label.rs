//! What is to be labelled, in the order in which a person is asked, and how far the labels have come.
//!
//! One rule holds: units come in a seeded random order, all strata and both sides mixed, so that whoever stops early leaves
//! a random part of the sample unlabelled, which biases nothing. A unit's items come one after the other, because it counts
//! only when all of them are labelled.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use jiff::Timestamp;
use rand::seq::SliceRandom;
use serde::Serialize;

use super::cells::Units;
use super::evidence_rule::LABELS;
use super::gather::{Drawn, NearDuplicates, drawn_items};
use super::labels::ADJUDICATOR;
use super::promise::{Outlook, minutes};
use super::sample::random;
use crate::config::CompareSettings;
use crate::model::Recipes;
use crate::store::{LabelRow, Side, Store};

/// Streams of the seed: the order of units, and which items get a second opinion. The sample has 0 and 1.
const ORDER: u64 = 2;
const SECOND: u64 = 3;

/// A drawn person or account with its posts or notes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Unit {
    side: Side,
    items: Vec<String>,
    /// It stands in the denominator of its side's shares.
    counts: bool,
}

/// What the labels of one side measure.
#[derive(Debug, Clone, PartialEq)]
struct Population {
    units: u64,
    outlook: Outlook,
}

/// The sample, in the order in which it is labelled.
#[derive(Debug, Clone, PartialEq)]
pub struct ToLabel {
    units: Vec<Unit>,
    community: Population,
    crm: Population,
    seed: u64,
}

/// One post or note for one annotator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Which side.
    pub side: Side,
    /// Post id or note id.
    pub item: String,
    /// Its place among its unit's items, from 1.
    pub nth: usize,
    /// The unit's items.
    pub of: usize,
    /// This annotator has labelled it.
    pub done: bool,
}

/// How far the labels of one side have come.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SideProgress {
    /// People or accounts drawn, of those whose items are in the window.
    pub drawn: usize,
    /// Of these, all items of which are labelled.
    pub complete: usize,
    /// Their posts or notes.
    pub items: usize,
    /// Of these, labelled by anybody.
    pub labelled: usize,
    /// Complete units that a share of this side is measured on.
    pub used: u64,
    /// How many of those a share needs.
    pub need: u64,
    /// Posts or notes until `used` is `need`, in the order in which they are asked for.
    pub left: usize,
    /// About so many minutes for them, at an assumed 20 seconds each.
    pub minutes: u64,
    /// About half the width of the widest interval of a share when `need` of them are labelled, or `used`, if more.
    pub half_width: f64,
}

/// The drawn sample with all its items. Empty when nothing was drawn.
///
/// # Errors
/// As [`super::run`].
pub async fn to_label(
    store: &Store,
    recipes: &Recipes,
    settings: &CompareSettings,
    now: Timestamp,
    near_duplicates: NearDuplicates,
) -> Result<ToLabel> {
    let Drawn { cells, posts, notes } = drawn_items(store, recipes, settings, now, near_duplicates).await?;
    let population =
        |units: &Units| Population { units: units.0.len() as u64, outlook: Outlook::new(units, cells.problems.len()) };
    let inside = |units: &Units| units.0.iter().map(|u| u.id.clone()).collect::<BTreeSet<_>>();
    let notes = notes.into_iter().map(|n| (n.note.account.as_str().to_owned(), n.note.id.as_str().to_owned()));
    let mut units = grouped(Side::Community, posts, &inside(&cells.community));
    units.extend(grouped(Side::Crm, notes, &inside(&cells.crm)));
    units.shuffle(&mut random(settings.seed, ORDER));
    let (community, crm) = (population(&cells.community), population(&cells.crm));
    Ok(ToLabel { units, community, crm, seed: settings.seed })
}

fn grouped(side: Side, items: impl IntoIterator<Item = (String, String)>, inside: &BTreeSet<String>) -> Vec<Unit> {
    let mut units = BTreeMap::<String, Vec<String>>::new();
    for (unit, item) in items {
        units.entry(unit).or_default().push(item);
    }
    units.into_iter().map(|(unit, items)| Unit { side, items, counts: inside.contains(&unit) }).collect()
}

/// Who labelled what.
fn annotators(rows: &[LabelRow]) -> BTreeMap<(Side, &str), BTreeSet<&str>> {
    let mut who = BTreeMap::<_, BTreeSet<_>>::new();
    for row in rows {
        who.entry((row.side, row.item.as_str())).or_default().insert(row.annotator.as_str());
    }
    who
}

impl ToLabel {
    /// Whether nothing was drawn, or nothing of it is left.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    fn tasks(&self) -> impl Iterator<Item = Task> + '_ {
        self.units.iter().flat_map(|unit| {
            unit.items.iter().enumerate().map(|(i, item)| Task {
                side: unit.side,
                item: item.clone(),
                nth: i + 1,
                of: unit.items.len(),
                done: false,
            })
        })
    }

    /// What `annotator` labels: items that nobody has labelled yet, among those they labelled before.
    pub fn first(&self, labels: &[LabelRow], annotator: &str, side: Option<Side>) -> Vec<Task> {
        let who = annotators(labels);
        self.tasks()
            .filter(|task| side.is_none_or(|side| side == task.side))
            .filter_map(|task| match who.get(&(task.side, task.item.as_str())) {
                None => Some(task),
                Some(who) => who.contains(annotator).then_some(Task { done: true, ..task }),
            })
            .collect()
    }

    /// What `annotator` labels as a second opinion: a random `n` of each side's items that others labelled, those among them
    /// that they labelled themselves counted (METHOD 1.5).
    pub fn second(&self, labels: &[LabelRow], annotator: &str, side: Option<Side>, n: usize) -> Vec<Task> {
        let who = annotators(labels);
        let mut tasks = self.tasks().filter(|task| side.is_none_or(|side| side == task.side)).collect::<Vec<_>>();
        tasks.shuffle(&mut random(self.seed, SECOND));
        let tasks = tasks.into_iter().filter_map(|task| {
            let who = who.get(&(task.side, task.item.as_str()))?;
            let others = who.iter().any(|w| *w != annotator && *w != ADJUDICATOR);
            let done = who.contains(annotator);
            others.then_some(Task { done, ..task })
        });
        let mut tasks = tasks.collect::<Vec<_>>();
        let done = |side| tasks.iter().filter(|t| t.side == side && t.done).count();
        let mut open = [Side::Community, Side::Crm].map(|side| n.saturating_sub(done(side)));
        tasks.retain(|task| {
            let open = &mut open[usize::from(task.side == Side::Crm)];
            let wanted = task.done || *open > 0;
            *open = open.saturating_sub(usize::from(!task.done));
            wanted
        });
        tasks
    }

    /// How far one side has come when the items of `labelled` are.
    pub fn progress(&self, side: Side, labelled: &BTreeSet<(Side, String)>) -> SideProgress {
        let population = if side == Side::Crm { &self.crm } else { &self.community };
        let mut progress = SideProgress {
            drawn: 0,
            complete: 0,
            items: 0,
            labelled: 0,
            used: 0,
            need: LABELS.min(population.units),
            left: 0,
            minutes: 0,
            half_width: 0.0,
        };
        let done = |unit: &Unit| unit.items.iter().filter(|item| labelled.contains(&(side, (*item).clone()))).count();
        let units = self.units.iter().filter(|u| u.side == side).map(|u| (u, done(u))).collect::<Vec<_>>();
        for (unit, done) in &units {
            let complete = *done == unit.items.len();
            progress.drawn += 1;
            progress.complete += usize::from(complete);
            progress.items += unit.items.len();
            progress.labelled += done;
            progress.used += u64::from(complete && unit.counts);
        }
        let mut used = progress.used;
        for (unit, done) in units.iter().filter(|(unit, done)| *done < unit.items.len()) {
            if used >= progress.need {
                break;
            }
            progress.left += unit.items.len() - done;
            used += u64::from(unit.counts);
        }
        progress.minutes = minutes(progress.left as u64);
        progress.half_width = population.outlook.half_width(progress.used.max(progress.need));
        progress
    }
}

/// The items that anybody has labelled.
pub fn labelled(labels: &[LabelRow]) -> BTreeSet<(Side, String)> {
    labels.iter().map(|row| (row.side, row.item.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(people: usize, accounts: usize) -> ToLabel {
        let unit = |side, i: usize, letter: char| Unit {
            side,
            items: (0..=i % 3).map(|k| format!("{letter}{i}-{k}")).collect(),
            counts: i > 0,
        };
        let mut units = (0..people).map(|i| unit(Side::Community, i, 'p')).collect::<Vec<_>>();
        units.extend((0..accounts).map(|i| unit(Side::Crm, i, 'n')));
        units.shuffle(&mut random(1, ORDER));
        let population = |units| Population { units, outlook: Outlook::new(&Units::default(), 1) };
        ToLabel { units, community: population(200), crm: population(accounts as u64), seed: 1 }
    }

    fn row(task: &Task, who: &str) -> LabelRow {
        LabelRow { side: task.side, item: task.item.clone(), annotator: who.to_owned(), answer: String::new() }
    }

    #[test]
    fn units_are_mixed_and_their_items_stay_together() {
        let sample = sample(30, 30);
        let tasks = sample.first(&[], "ana", None);
        assert_eq!(tasks.len(), 120);
        let first = tasks.iter().take(40).filter(|t| t.side == Side::Crm).count();
        assert!((8..=32).contains(&first), "{first} of 40 are notes");
        for pair in tasks.windows(2) {
            let begins = pair[1].nth == 1 && pair[0].nth == pair[0].of;
            assert!(begins || pair[1].nth == pair[0].nth + 1, "{pair:?}");
        }
        assert_eq!(tasks, sample.first(&[], "ana", None));
        assert!(sample.first(&[], "ana", Some(Side::Crm)).iter().all(|t| t.side == Side::Crm));
    }

    #[test]
    fn annotators_share_the_sample() {
        let sample = sample(10, 10);
        let all = sample.first(&[], "ana", None);
        let rows = all.iter().take(6).map(|t| row(t, "ana")).collect::<Vec<_>>();
        let ana = sample.first(&rows, "ana", None);
        assert_eq!((ana.len(), ana.iter().filter(|t| t.done).count()), (all.len(), 6));
        let ben = sample.first(&rows, "ben", None);
        assert_eq!((ben.len(), ben.iter().filter(|t| t.done).count()), (all.len() - 6, 0));
    }

    #[test]
    fn a_second_opinion_is_of_what_others_labelled_and_no_more_than_asked() {
        let sample = sample(30, 30);
        assert!(sample.second(&[], "ben", None, 5).is_empty());
        let all = sample.first(&[], "ana", None);
        let mut rows = all.iter().take(60).map(|t| row(t, "ana")).collect::<Vec<_>>();
        assert!(sample.second(&rows, "ana", None, 5).is_empty(), "nobody else has labelled");
        rows.extend(all.iter().skip(60).map(|t| row(t, ADJUDICATOR)));
        let tasks = sample.second(&rows, "ben", None, 5);
        let of = |tasks: &[Task], side| tasks.iter().filter(|t| t.side == side).count();
        assert_eq!((of(&tasks, Side::Community), of(&tasks, Side::Crm)), (5, 5));
        let known = labelled(&rows[..60]);
        assert!(tasks.iter().all(|t| !t.done && known.contains(&(t.side, t.item.clone()))));

        // Who goes on after the first labelled more is still asked for five, and those already given are among them.
        let given = tasks.iter().take(4).map(|t| row(t, "ben"));
        let mut more = all.iter().map(|t| row(t, "ana")).collect::<Vec<_>>();
        more.extend(given);
        let later = sample.second(&more, "ben", None, 5);
        assert_eq!((of(&later, Side::Community), of(&later, Side::Crm)), (5, 5));
        assert_eq!(later.iter().filter(|t| t.done).count(), 4);
    }

    #[test]
    fn a_unit_is_complete_with_its_last_item() {
        let sample = sample(9, 3);
        let nothing = sample.progress(Side::Community, &BTreeSet::new());
        assert_eq!((nothing.drawn, nothing.complete, nothing.items, nothing.labelled), (9, 0, 18, 0));
        assert_eq!((nothing.used, nothing.need), (0, 60));
        assert_eq!((nothing.left, nothing.minutes), (18, 6), "all that is drawn, 20 seconds each");
        let rows = sample.first(&[], "ana", None).iter().map(|t| row(t, "ana")).collect::<Vec<_>>();
        let mut all = labelled(&rows);
        let done = sample.progress(Side::Community, &all);
        assert_eq!((done.complete, done.used), (9, 8), "one person stands in no denominator");
        assert_eq!(done.left, 0);
        all.remove(&(Side::Community, "p2-1".to_owned()));
        assert_eq!(sample.progress(Side::Community, &all).complete, 8);
        assert_eq!(sample.progress(Side::Crm, &all).need, 3);
        // Three accounts are there, two of them in the denominator: all notes are needed, and no more than there are.
        let none = sample.progress(Side::Crm, &BTreeSet::new());
        assert_eq!((none.left, none.items), (6, 6));
    }
}
