//! How far two annotators agree, label by label, and what may be done with it (METHOD 1.5).
//!
//! Items that one person labelled say nothing here; the adjudicator is no annotator. What is contested stays in: leaving out
//! what has no consensus would raise the agreement.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use super::cells::numbered;
use super::labels::{ADJUDICATOR, Answer, Answers, NoteAnswer, PostAnswer, answers, contested};
use super::sample::random;
use super::stats::{Rated, Scale, agreement};
use crate::model::{ActKind, Missing, Voice};
use crate::store::LabelRow;

/// Items that two people have to label for agreement to be told (METHOD 1.5).
const ITEMS: u64 = 100;

/// A label is usable for counts when alpha is this much and its interval begins no lower than that (METHOD 1.5).
const USABLE: f64 = 0.67;
const USABLE_LOW: f64 = 0.60;

/// Below it is merged with its neighbour, or dropped.
const EXPLORATORY: f64 = 0.40;

/// Clusters for an interval (METHOD 3.11).
const CLUSTERS: u64 = 10;

/// Clusters with the rarer answer: with two, one bootstrap draw in seven holds none; with three, one in twenty.
const RARER: u64 = 3;

/// The stream of the seed that intervals are drawn by.
const STREAM: u64 = 4;

/// Agreement on one label.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelAgreement {
    /// `voice`, an act, `interest`, `backed`, `asked`, or `problem ID`.
    pub label: String,
    /// Items that two people or more labelled.
    pub items: u64,
    /// Krippendorff's alpha, ordinal for interest; `None` when all answers are the same.
    pub alpha: Option<f64>,
    /// Lower end of its 95% interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// 2a/(2a+b+c), for yes-no labels that anybody said yes to.
    pub positive: Option<f64>,
    /// `usable`, `exploratory`, `merge_or_drop` or `not_enough_evidence`.
    pub reading: &'static str,
    /// What is missing for a reading.
    pub missing: Option<Missing>,
}

/// The annotators of one side, and how far they agree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SideAgreement {
    /// Items that each annotator labelled.
    pub annotators: BTreeMap<String, u64>,
    /// Items that two or more of them labelled.
    pub double: u64,
    /// Items that anybody labelled.
    pub items: u64,
    /// Of these, marked as contested, or read differently and not settled.
    pub contested: u64,
    /// Items that the adjudicator settled.
    pub adjudicated: u64,
    /// Label by label; empty when nothing was labelled twice.
    pub labels: Vec<LabelAgreement>,
}

/// What an annotator may have said of an item, as a number below the number of categories.
type Code<'a, A> = Box<dyn Fn(&A) -> Option<usize> + 'a>;

/// A question and the numbers of its answers.
struct Coding<'a, A> {
    label: String,
    scale: Scale,
    categories: usize,
    code: Code<'a, A>,
}

impl<'a, A> Coding<'a, A> {
    fn yes_no(label: &str, code: impl Fn(&A) -> Option<bool> + 'a) -> Self {
        let code: Code<'a, A> = Box::new(move |answer| code(answer).map(usize::from));
        Self { label: label.to_owned(), scale: Scale::Nominal, categories: 2, code }
    }
}

/// Agreement on posts. `threads` gives the thread of each post.
///
/// # Errors
/// When a stored answer has lost its form.
pub fn posts(rows: &[LabelRow], threads: &BTreeMap<String, String>, seed: u64) -> Result<SideAgreement> {
    let answers = answers::<PostAnswer>(rows)?;
    let problems = named(&answers, PostAnswer::counted);
    let voice: Code<'_, PostAnswer> = Box::new(|a| Voice::ALL.iter().position(|voice| *voice == a.voice));
    let mut codings =
        vec![Coding { label: "voice".to_owned(), scale: Scale::Nominal, categories: Voice::ALL.len(), code: voice }];
    for act in ActKind::ALL {
        codings.push(Coding::yes_no(act.as_str(), move |a: &PostAnswer| a.kinds().map(|kinds| kinds.contains(&act))));
    }
    for id in &problems {
        codings.push(Coding::yes_no(&format!("problem {id}"), move |a: &PostAnswer| Some(a.counted().contains(id))));
    }
    Ok(side(&answers, threads, seed, &codings, ["posts", "threads"]))
}

/// Agreement on notes. `accounts` gives the account of each note.
///
/// # Errors
/// When a stored answer has lost its form.
pub fn notes(rows: &[LabelRow], accounts: &BTreeMap<String, String>, seed: u64) -> Result<SideAgreement> {
    let answers = answers::<NoteAnswer>(rows)?;
    let problems = named(&answers, |a: &NoteAnswer| a.problems.as_slice());
    // A note that claims nothing stands below one that declines, as where answers are joined.
    let interest: Code<'_, NoteAnswer> = Box::new(|a| Some(a.interest.map_or(0, |level| usize::from(level) + 1)));
    let mut codings = vec![
        Coding { label: "interest".to_owned(), scale: Scale::Ordinal, categories: 6, code: interest },
        Coding::yes_no("backed", |a: &NoteAnswer| Some(a.backed)),
        Coding::yes_no("asked", |a: &NoteAnswer| Some(a.asked)),
    ];
    for id in &problems {
        codings.push(Coding::yes_no(&format!("problem {id}"), move |a: &NoteAnswer| Some(a.problems.contains(id))));
    }
    Ok(side(&answers, accounts, seed, &codings, ["notes", "accounts"]))
}

/// The annotators' answers to one item, without the adjudicator's.
fn annotators<A>(answers: &[(String, A)]) -> impl Iterator<Item = (&str, &A)> {
    answers.iter().filter(|(who, _)| who != ADJUDICATOR).map(|(who, answer)| (who.as_str(), answer))
}

/// Problems that anybody named in an item that two people labelled.
fn named<A>(answers: &Answers<A>, problems: impl Fn(&A) -> &[String]) -> BTreeSet<String> {
    let double = answers.values().filter(|answers| annotators(answers).count() > 1);
    double.flat_map(|answers| annotators(answers).flat_map(|(_, a)| problems(a).iter().cloned())).collect()
}

fn side<A: Answer>(
    answers: &Answers<A>,
    clusters: &BTreeMap<String, String>,
    seed: u64,
    codings: &[Coding<'_, A>],
    nouns: [&str; 2],
) -> SideAgreement {
    let mut side = SideAgreement {
        annotators: BTreeMap::new(),
        double: 0,
        items: answers.len() as u64,
        contested: 0,
        adjudicated: 0,
        labels: Vec::new(),
    };
    for answers in answers.values() {
        for (who, _) in annotators(answers) {
            *side.annotators.entry(who.to_owned()).or_default() += 1;
        }
        side.double += u64::from(annotators(answers).count() > 1);
        side.contested += u64::from(contested(answers));
        side.adjudicated += u64::from(answers.iter().any(|(who, _)| who == ADJUDICATOR));
    }
    if side.double > 0 {
        // An item that is no longer in the store is a cluster of its own.
        let cluster = |item: &String| clusters.get(item).unwrap_or(item).clone();
        let names = answers.keys().map(cluster).collect::<BTreeSet<_>>();
        let numbers = numbered(names.iter().map(String::as_str));
        side.labels = codings
            .iter()
            .map(|coding| {
                let rated = answers.iter().map(|(item, answers)| Rated {
                    cluster: numbers[cluster(item).as_str()],
                    values: annotators(answers).filter_map(|(_, answer)| (coding.code)(answer)).collect(),
                });
                label(coding, &rated.collect::<Vec<_>>(), seed, nouns)
            })
            .collect();
    }
    side
}

fn label<A>(coding: &Coding<'_, A>, rated: &[Rated], seed: u64, [items, clusters]: [&str; 2]) -> LabelAgreement {
    let mut rng = random(seed, STREAM);
    let found = agreement(rated, coding.categories, coding.scale, &mut rng);
    let needs = [
        (format!("{items} labelled by two"), found.items as u64, ITEMS),
        (format!("{clusters} with such {items}"), found.clusters as u64, CLUSTERS),
        (format!("{clusters} with the rarer answer"), found.rarer as u64, RARER),
    ];
    let mut missing = needs.into_iter().find(|(_, have, need)| have < need);
    let reading = match (found.alpha, found.interval) {
        _ if missing.is_some() => "not_enough_evidence",
        (Some(alpha), Some((low, _))) if alpha >= USABLE && low >= USABLE_LOW => "usable",
        (Some(alpha), Some(_)) if alpha >= EXPLORATORY => "exploratory",
        (Some(_), Some(_)) => "merge_or_drop",
        _ => {
            // Clustered yeses can be missing from many draws although three clusters hold one.
            missing = Some((format!("{clusters} with the rarer answer"), found.rarer as u64, found.rarer as u64 + 1));
            "not_enough_evidence"
        }
    };
    LabelAgreement {
        label: coding.label.clone(),
        items: found.items as u64,
        alpha: found.alpha,
        low: found.interval.map(|(low, _)| low),
        high: found.interval.map(|(_, high)| high),
        positive: (coding.categories == 2).then(|| found.coincidences.on(1)).flatten(),
        reading,
        missing: missing.map(|(what, have, need)| Missing { what, have, need }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::labels::ActWords;

    const SEED: u64 = 5;

    /// Two annotators on `n` posts in as many threads; the second differs on every `wrong`-th.
    fn rows(n: usize, wrong: usize) -> (Vec<LabelRow>, BTreeMap<String, String>) {
        let (mut rows, mut threads) = (Vec::new(), BTreeMap::new());
        for i in 0..n {
            let item = format!("p{i}");
            threads.insert(item.clone(), format!("t{i}"));
            for who in ["ana", "ben"] {
                let yes = i % 3 == 0;
                let slip = who == "ben" && i % wrong == 0;
                let acts =
                    if yes != slip { vec![ActWords { act: ActKind::Complaint, start: 0, end: 1 }] } else { vec![] };
                let answer = PostAnswer {
                    voice: Voice::FirstHand,
                    problems: if yes { vec!["x".to_owned()] } else { vec![] },
                    acts: Some(acts),
                    contested: i == 1,
                };
                rows.push(answer.row(&item, who).unwrap());
            }
        }
        (rows, threads)
    }

    #[test]
    fn labels_are_read_as_the_method_says() {
        let (rows, threads) = rows(120, 5);
        let side = posts(&rows, &threads, SEED).unwrap();
        assert_eq!((side.double, side.items, side.annotators["ana"], side.annotators["ben"]), (120, 120, 120, 120));
        assert_eq!(side.contested, 25, "one is marked, and 24 are read differently");
        let of = |name: &str| side.labels.iter().find(|l| l.label == name).unwrap();
        let complaint = of("complaint");
        // By hand: 40 said yes by the first; the second says no to 8 of them and yes to 16 of the rest.
        assert!((complaint.positive.unwrap() - 64.0 / 88.0).abs() < 1e-9);
        assert_eq!(complaint.reading, "exploratory", "{complaint:?}");
        assert_eq!(of("problem x").reading, "usable", "{:?}", of("problem x"));
        assert_eq!(of("voice").alpha, None);
        assert_eq!(of("voice").missing.as_ref().unwrap().what, "threads with the rarer answer");
        assert_eq!(of("praise").positive, None);
        assert_eq!(side, posts(&rows, &threads, SEED).unwrap(), "the same seed draws the same");
    }

    #[test]
    fn too_few_items_say_how_many_more() {
        let (rows, threads) = rows(40, 5);
        let side = posts(&rows, &threads, SEED).unwrap();
        let complaint = side.labels.iter().find(|l| l.label == "complaint").unwrap();
        assert_eq!(complaint.reading, "not_enough_evidence");
        assert_eq!(complaint.missing, Some(Missing { what: "posts labelled by two".to_owned(), have: 40, need: 100 }));
        assert!(complaint.low.is_some(), "the interval is shown all the same");
        assert!(posts(&rows[..1], &threads, SEED).unwrap().labels.is_empty());
    }

    #[test]
    fn interest_is_ordinal_and_the_adjudicator_is_no_annotator() {
        let mut rows = Vec::new();
        for i in 0..100_u8 {
            let level = i % 5;
            for (who, level) in [("ana", Some(level)), ("ben", Some((level + i / 60).min(4))), (ADJUDICATOR, None)] {
                let note = NoteAnswer { interest: level, ..NoteAnswer::default() };
                rows.push(note.row(&format!("n{i}"), who).unwrap());
            }
        }
        let side = notes(&rows, &BTreeMap::new(), SEED).unwrap();
        assert_eq!((side.adjudicated, side.contested, side.annotators.len()), (100, 0, 2));
        let interest = &side.labels[0];
        assert_eq!((interest.label.as_str(), interest.positive), ("interest", None));
        assert!(interest.alpha.unwrap() > 0.85, "one step apart is nearly agreed: {interest:?}");
        assert_eq!(interest.reading, "usable");
    }
}
