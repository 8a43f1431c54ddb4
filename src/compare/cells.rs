//! Units of analysis: persons and accounts, never posts and notes (METHOD 0.1).
//!
//! A *cell* is (unit, problem, window) with the answer yes or no, in a cluster: for a person the thread in which the problem
//! first occurs (for a problem they do not have, their first thread), for an account itself. Everything downstream sees
//! only the [`Cells`] built here, so the comparison can be tried on invented cells without a store.
//!
//! Architecture invariant: nothing here relates a person to an account. The two sides share the list of problems and the
//! window, and no key.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::comparison::{PopulationV1, WindowV1};
use crate::model::problem::{NONE, OTHER};
use crate::model::{Elicitation, NoteKind};

/// A problem of the codebook, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Problem id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A problem that the reader found in a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Index into [`Cells::problems`].
    pub problem: usize,
    /// Acts or claimed pains with it.
    pub count: usize,
    /// Author accounts that tell of it: more than one where several are counted as one person. 1 for a firm.
    pub accounts: usize,
    /// The cluster in which it first occurs.
    pub cluster: usize,
    /// (community, thread) of every occurrence; empty for accounts.
    pub places: BTreeSet<(usize, usize)>,
    /// How the pain came up, the strongest way of all notes; `None` for persons.
    pub elicitation: Option<Elicitation>,
    /// The person tells what they did or paid about it (METHOD 1.2, R). Not looked at for firms.
    pub revealed: bool,
}

/// What a person found in a unit, all its items in the window together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gold {
    /// Indexes into [`Cells::problems`].
    pub problems: BTreeSet<usize>,
    /// A problem that the codebook does not have.
    pub other: bool,
    /// Indexes of problems that the label does not answer for: they came to the list, or were divided, after it was made.
    pub unasked: BTreeSet<usize>,
}

/// One person, or one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Author key (of several merged accounts the smallest), or account id.
    pub id: String,
    /// The cluster of problems that it does not have: a person's first thread, an account itself.
    pub cluster: usize,
    /// The rep, for accounts.
    pub rep: Option<usize>,
    /// Author accounts that are counted as this person; 1 for a firm.
    pub accounts: usize,
    /// None of these has more than one post in what was collected, up to the end of the days, in any words but its own (METHOD
    /// 9.1.5). Never said of a firm.
    pub newcomer: bool,
    /// What the reader found, by problem, ascending.
    pub found: Vec<Occurrence>,
    /// The reader found a problem that fits none of the codebook.
    pub other: bool,
    /// The hand label, when it may be used: the unit was drawn, or every unit is labelled.
    pub gold: Option<Gold>,
    /// Inverse of the probability of being drawn; 1 when every unit is labelled.
    pub weight: f64,
}

impl Unit {
    /// The reader's finding of `problem`.
    pub fn occurrence(&self, problem: usize) -> Option<&Occurrence> {
        self.found.iter().find(|o| o.problem == problem)
    }

    /// The cluster of the cell (unit, problem).
    pub fn cluster_of(&self, problem: usize) -> usize {
        self.occurrence(problem).map_or(self.cluster, |o| o.cluster)
    }

    /// The problem it speaks of most, the first in order of several; `None` when it names none of the codebook.
    pub fn primary(&self) -> Option<usize> {
        self.found.iter().max_by_key(|o| (o.count, std::cmp::Reverse(o.problem))).map(|o| o.problem)
    }
}

/// The units of one side that stand in its denominator.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Units(pub Vec<Unit>);

impl Units {
    /// How many carry a usable hand label.
    pub fn labelled(&self) -> usize {
        self.0.iter().filter(|u| u.gold.is_some()).count()
    }

    /// Whether there are units and all of them are labelled; then the labels are the truth and the reader is not asked.
    pub fn complete(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|u| u.gold.is_some())
    }

    /// Units with `problem`: by hand when all are labelled, else by the reader.
    pub fn hits(&self, problem: usize) -> usize {
        let complete = self.complete();
        let has = |u: &&Unit| match &u.gold {
            Some(gold) if complete && !gold.unasked.contains(&problem) => gold.problems.contains(&problem),
            _ => u.occurrence(problem).is_some(),
        };
        self.0.iter().filter(has).count()
    }
}

/// What became of a buyer's promises, as the notes tell it (METHOD 2.2, 3.5). What a note promises and a later one of the same
/// firm tells as kept or missed on the same rung of the ladder is one promise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promises {
    /// Due and kept, whoever vouches for it.
    pub kept: u64,
    /// Due and missed.
    pub missed: u64,
    /// Due on a day that has passed, and no note tells what became of it.
    pub untold: u64,
    /// Promised for no day that is named, and nothing tells what became of it; or an undated intent, whatever became of it.
    pub undated: u64,
    /// All of them, with those whose day has not come.
    pub all: u64,
}

/// What an account's notes claim, and what stands behind it (METHOD 2.3, 3.5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// N1 >= 3 was claimed in the window, at least 30 days before its end.
    pub strong: bool,
    /// A commitment of level 2 or more was kept by its end, and somebody other than the rep vouches for it.
    pub backed: bool,
    /// The buyer was asked for something by its end.
    pub asked: bool,
    /// Kind of the first note that makes it `strong`; `None` when none does.
    pub channel: Option<NoteKind>,
    /// A commitment of level 2 or more is told as kept by its end, and only the note says so. By the reader even in a hand
    /// label, which does not tell who vouches for what.
    pub claimed: bool,
    /// By its end; by the reader, as `claimed`.
    pub promises: Promises,
}

/// An account with a note in the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// Account id.
    pub id: String,
    /// Its rep; an account without one has a number of its own.
    pub rep: usize,
    /// The part of the market that the CRM puts it in.
    pub segment: Option<String>,
    /// What the reader found.
    pub found: Standing,
    /// The hand label, as in [`Unit::gold`].
    pub gold: Option<Standing>,
    /// As in [`Unit::weight`].
    pub weight: f64,
}

/// What became of a forecast by its horizon (METHOD 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Followed {
    /// It happened in time; that was certain so many days after the forecast.
    Yes(i64),
    /// It did not: so many days after the forecast the deal was lost, the customer gone or the horizon over.
    No(i64),
    /// The data end so many days after the forecast, before the horizon, and it had not been decided.
    Censored(i64),
    /// Nothing that is recorded can tell.
    Unknown,
}

/// What a note foretold of its deal, and what followed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Day of the note, counted from 1970-01-01.
    pub day: i64,
    /// N1 of the note, 0 to 4.
    pub interest: Option<u8>,
    /// The CRM's own probability at the time, in 0..=1.
    pub crm_prob: Option<f64>,
    /// Closed-won within 90 days of the note.
    pub won: Followed,
    /// Closed-won within 90 days, then retained with value 365 days after the start.
    pub value: Followed,
}

/// A deal with its first and its last forecast (METHOD 3.6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deal {
    /// Deal id.
    pub id: String,
    /// Its rep; a deal without one has a number of its own.
    pub rep: usize,
    /// By the first note.
    pub first: Option<Forecast>,
    /// By the last note at least 14 days before the outcome.
    pub last: Option<Forecast>,
}

/// Communities to which people come for like reasons (METHOD 3.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// As [`crate::model::Source::kind`].
    pub name: &'static str,
    /// Communities of this kind, as in [`Occurrence::places`]; one that is read from two sources may be of two kinds.
    pub communities: BTreeSet<usize>,
    /// Ids of the persons with a problem-bearing post in one of them, on the list or not.
    pub people: BTreeSet<String>,
}

/// Posts of the people in the denominator, or notes of the accounts, in the days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Items {
    /// All of them: a unit is labelled when each of its items is.
    pub all: u64,
    /// Labelled by anybody.
    pub labelled: u64,
}

/// Everything a comparison looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// The codebook, in its order.
    pub problems: Vec<Topic>,
    /// Persons with a first-hand, problem-bearing post in the window (METHOD 3.1.6).
    pub community: Units,
    /// Accounts with a note of 40 words or a claimed pain in the window (METHOD 3.1.6).
    pub crm: Units,
    /// Accounts with any note in the window.
    pub accounts: Vec<Account>,
    /// What there is to be labelled: posts, and notes of `accounts`.
    pub items: [Items; 2],
    /// Deals of the CRM whose notes foretold something, of any time.
    pub deals: Vec<Deal>,
    /// Kinds of communities, by name; empty when nobody told them apart.
    pub kinds: Vec<Kind>,
    /// Who was looked at.
    pub population: PopulationV1,
    /// The days.
    pub window: WindowV1,
    /// What was left out on the way here, in sentences.
    pub caveats: Vec<String>,
}

impl Cells {
    /// How many accounts carry a usable hand label.
    pub fn labelled_accounts(&self) -> usize {
        self.accounts.iter().filter(|a| a.gold.is_some()).count()
    }
}

/// Numbers for names, in the order of the names, so that equal input gives equal numbers.
pub(super) fn numbered<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let names = names.collect::<BTreeSet<_>>();
    names.into_iter().enumerate().map(|(i, name)| (name, i)).collect()
}

/// Labels as the sample allows them to be used, on one side.
pub(super) struct Design<'a> {
    /// Weight of each drawn unit, by any of its keys; empty when nothing was drawn.
    pub(super) drawn: BTreeMap<&'a str, f64>,
}

/// How the labels of one side were used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// Labelled units.
    pub(super) labelled: usize,
    /// Labelled units that were not drawn, and are not used.
    pub(super) not_drawn: usize,
    /// Drawn units of this population.
    pub(super) drawn: usize,
    /// Drawn and labelled.
    pub(super) used: usize,
}

impl Design<'_> {
    /// The weight with which each unit's label may be used; `None`: may not. `units` gives the keys of each unit and whether
    /// it is labelled. A census needs no sample; anything else needs known probabilities (METHOD 4.1).
    pub(super) fn weights(&self, units: &[(Vec<&str>, bool)]) -> (Vec<Option<f64>>, Use) {
        let mut counts = Use { labelled: units.iter().filter(|u| u.1).count(), ..Use::default() };
        if counts.labelled == units.len() {
            counts.used = units.len();
            counts.drawn = units.len();
            return (vec![Some(1.0); units.len()], counts);
        }
        let weights = units
            .iter()
            .map(|(keys, labelled)| {
                let weight = keys.iter().find_map(|key| self.drawn.get(key)).copied();
                counts.drawn += usize::from(weight.is_some());
                counts.used += usize::from(weight.is_some() && *labelled);
                counts.not_drawn += usize::from(weight.is_none() && *labelled);
                weight.filter(|_| *labelled)
            })
            .collect();
        (weights, counts)
    }
}

/// The label of a unit from the labels of its items: every problem that any of them shows. `None` when an item has none.
pub(super) fn unit_gold<'a>(
    items: impl Iterator<Item = Option<&'a BTreeSet<String>>>,
    problems: &BTreeMap<&str, usize>,
) -> Option<Gold> {
    let mut gold = Gold::default();
    for named in items {
        for id in named? {
            match problems.get(id.as_str()) {
                Some(index) => {
                    gold.problems.insert(*index);
                }
                // An id of another codebook is a problem too, and this codebook does not have it.
                None => gold.other |= id != NONE,
            }
        }
    }
    Some(gold)
}

/// Whether `id` names a problem, and one that the codebook does not have.
pub(super) fn is_foreign(id: &str, problems: &BTreeMap<&str, usize>) -> bool {
    id != OTHER && id != NONE && !problems.contains_key(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_labelled_when_all_its_items_are() {
        let problems = numbered(["a", "b"].into_iter());
        let set = |ids: &[&str]| ids.iter().map(|s| (*s).to_owned()).collect::<BTreeSet<_>>();
        let (one, two) = (set(&["a", "none"]), set(&["b", "other"]));
        let gold = unit_gold([Some(&one), Some(&two)].into_iter(), &problems).unwrap();
        assert_eq!(gold, Gold { problems: BTreeSet::from([0, 1]), other: true, ..Gold::default() });
        assert_eq!(unit_gold([Some(&one), None].into_iter(), &problems), None);
    }

    #[test]
    fn only_drawn_units_or_a_census_count() {
        let none = Design { drawn: BTreeMap::new() };
        let some = vec![(vec!["u"], true), (vec!["v"], false)];
        assert_eq!(none.weights(&some).0, [None, None], "labels nobody drew are no probability sample");
        let all = vec![(vec!["u"], true), (vec!["v"], true)];
        assert_eq!(none.weights(&all).0, [Some(1.0), Some(1.0)]);
        let drawn = Design { drawn: BTreeMap::from([("u2", 3.0), ("v", 2.0)]) };
        let units = vec![(vec!["u", "u2"], true), (vec!["v"], false), (vec!["w"], true)];
        let (weights, counts) = drawn.weights(&units);
        assert_eq!(weights, [Some(3.0), None, None]);
        assert_eq!(counts, Use { labelled: 2, not_drawn: 1, drawn: 2, used: 1 });
    }

    #[test]
    fn the_primary_problem_is_the_one_spoken_of_most() {
        let occurrence = |problem, count| Occurrence {
            problem,
            count,
            accounts: 1,
            cluster: 9,
            places: BTreeSet::new(),
            elicitation: None,
            revealed: false,
        };
        let unit = Unit {
            id: "u".into(),
            cluster: 4,
            rep: None,
            accounts: 1,
            newcomer: false,
            found: vec![occurrence(0, 1), occurrence(2, 3), occurrence(5, 3)],
            other: false,
            gold: None,
            weight: 1.0,
        };
        assert_eq!(unit.primary(), Some(2));
        assert_eq!((unit.cluster_of(5), unit.cluster_of(1)), (9, 4));
    }
}
