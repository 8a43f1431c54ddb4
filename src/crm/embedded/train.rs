//! Fits the scorecards to labelled notes: `cargo run --release --example reader -- train-notes OUT.toml NOTES.jsonl…`.
//!
//! Each line of a file is a note: `{"id","account","kind","text","interest","compliments":["…"],…}`, labels as in METHOD 2.
//! Same notes in the same order, same weights.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};

use super::grammar::Grammar;
use super::observe::{Features, Scorecard, Seen, observe};
use super::truth::{Labelled, Truth, kappa, report};
use super::{CARDS, FILES, read_with};
use crate::model::NoteKind;

/// What [`fit_cards`] learned.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The text of the weights' file.
    pub weights: String,
    /// How well each set was read by what was learned from the others.
    pub report: String,
}

/// A note ready to learn from.
struct Prepared {
    note: Labelled,
    seen: Vec<Seen>,
    clauses: Vec<Vec<usize>>,
    whole: Vec<usize>,
}

/// The numbers of the features, and the answer.
type Example = (Vec<usize>, f64);

/// Whether the clause shows one of `quotes`.
fn shows(text: &str, seen: &Seen, quotes: &[&str]) -> bool {
    let range = &seen.clause.range;
    quotes.iter().filter_map(|quote| text.find(quote).map(|at| at..at + quote.len())).any(|gold| {
        let shared = gold.end.min(range.end).saturating_sub(gold.start.max(range.start));
        shared > 0 && shared * 2 >= gold.len().min(range.len())
    })
}

/// The quotes that are examples of `card`, and, for a card that only chooses among found ones, the quotes it chooses among.
fn gold<'a>(truth: &'a Truth, card: &str) -> (Vec<&'a str>, Option<Vec<&'a str>>) {
    let commitments = |fits: &dyn Fn(&super::truth::Commitment) -> bool| -> Vec<&'a str> {
        truth.commitments.iter().filter(|c| fits(c)).map(|c| c.quote.as_str()).collect()
    };
    let pains = |fits: &dyn Fn(&super::truth::Pain) -> bool| -> Vec<&'a str> {
        truth.pains.iter().filter(|p| fits(p)).map(|p| p.quote.as_str()).collect()
    };
    match card {
        "compliment" => (truth.compliments.iter().map(String::as_str).collect(), None),
        "fluff" => (truth.fluff.iter().map(String::as_str).collect(), None),
        "pain" => (pains(&|_| true), None),
        "objection" => (truth.objections.iter().map(|o| o.quote.as_str()).collect(), None),
        "ours" => (commitments(&|c| c.who == "us"), None),
        "specific" => (pains(&|p| p.specific), Some(pains(&|_| true))),
        "volunteered" | "prompted" => (pains(&|p| p.elicitation == card), Some(pains(&|_| true))),
        "kept" | "missed" | "refused" | "asked" => {
            (commitments(&|c| c.who == "buyer" && c.status == card), Some(commitments(&|c| c.who == "buyer")))
        }
        level => (commitments(&|c| c.who == "buyer" && level == format!("level{}", c.level)), None),
    }
}

fn examples(notes: &[&Prepared], card: &str) -> Vec<Example> {
    let mut out = Vec::new();
    for p in notes {
        if card == "interest" {
            out.extend(p.note.truth.interest.map(|i| (p.whole.clone(), f64::from(i))));
            continue;
        }
        let (quotes, among) = gold(&p.note.truth, card);
        for (seen, x) in p.seen.iter().zip(&p.clauses) {
            let text = &p.note.text;
            if among.as_ref().is_none_or(|among| shows(text, seen, among)) {
                out.push((x.clone(), f64::from(u8::from(shows(text, seen, &quotes)))));
            }
        }
    }
    out
}

/// What is believed of a weight before any data: where it stands, and how hard it is to move from there. A cue means what
/// its file says, and what stands around a clause says less than what stands in it.
fn prior(card: &str, names: &[String]) -> Vec<(f64, f64)> {
    let plain = ["measured", "rep_praise", "absent", "nice", "scene", "instance", "amount", "*"];
    let of = |name: &String| {
        let (family, cue) = name.split_once('.').unwrap_or(("", name));
        match () {
            () if card == "interest" && name.contains('@') => (0.0, 60.0),
            () if card == "interest" => (0.0, if family == "interest" { 3.0 } else { 20.0 }),
            () if name.contains('@') => (0.0, 20.0),
            () if card == "objection" && name == "interest.declined" => (0.7, 1.5),
            () if card == family => (if plain.contains(&cue) { 0.0 } else { 1.5 }, 1.5),
            () if card == cue => (1.0, 1.5),
            () if family == "commitment" && (card.starts_with("level") || card == "ours") => (0.0, 1.5),
            () => (0.0, 4.0),
        }
    };
    names.iter().map(of).collect()
}

/// Regression by accelerated gradient descent from the prior: deterministic. Squares for interest, logistic for the rest.
fn fit(examples: &[Example], card: &str, names: &[String]) -> Scorecard {
    let prior = prior(card, names);
    let logistic = card != "interest";
    let n = examples.len().max(1) as f64;
    let longest = examples.iter().map(|(x, _)| x.len() + 1).max().unwrap_or(1) as f64;
    let hardest = prior.iter().fold(0.0_f64, |a, p| a.max(p.1));
    let step = 1.0 / (longest * if logistic { 0.25 } else { 1.0 } + hardest / n);
    let bias = prior.len();
    let mut weights: Vec<f64> = prior.iter().map(|p| p.0).collect();
    weights.push(0.0);
    let mut ahead = weights.clone();
    for round in 0..600 {
        let mut slope: Vec<f64> = ahead.iter().zip(&prior).map(|(w, (mean, hold))| (w - mean) * hold / n).collect();
        slope.push(0.0);
        for (x, y) in examples {
            let sum = ahead[bias] + x.iter().map(|&i| ahead[i]).sum::<f64>();
            let error = (if logistic { 1.0 / (1.0 + (-sum).exp()) } else { sum } - y) / n;
            x.iter().for_each(|&i| slope[i] += error);
            slope[bias] += error;
        }
        let next: Vec<f64> = ahead.iter().zip(&slope).map(|(w, s)| w - step * s).collect();
        let pull = f64::from(round) / f64::from(round + 3);
        ahead = next.iter().zip(&weights).map(|(new, old)| new + pull * (new - old)).collect();
        weights = next;
    }
    let bias = weights.pop().unwrap_or(0.0);
    Scorecard { bias, weights }
}

/// A scorecard that says yes above zero. Where it looks for rare things, zero is put where F1 is best on notes that it was
/// not fitted to.
fn learn(notes: &[&Prepared], card: &str, names: &[String]) -> Scorecard {
    let mut learned = fit(&examples(notes, card), card, names);
    if card == "interest" {
        return stretched(learned, notes, names);
    }
    if notes.first().is_none_or(|p| gold(&p.note.truth, card).1.is_some()) {
        return learned;
    }
    let mut judged = Vec::new();
    for fold in 0..4 {
        let (test, train): (Vec<&Prepared>, Vec<&Prepared>) =
            notes.iter().partition(|p| fold_of(&p.note.account) == fold);
        let part = fit(&examples(&train, card), card, names);
        judged.extend(examples(&test, card).into_iter().map(|(x, y)| (part.score(&x), y)));
    }
    judged.sort_by(|a, b| b.0.total_cmp(&a.0));
    let all: f64 = judged.iter().map(|j| j.1).sum();
    let (mut hit, mut best, mut threshold) = (0.0, 0.0, 0.0);
    for (said, (score, y)) in judged.iter().enumerate() {
        hit += y;
        let f1 = 2.0 * hit / (all + said as f64 + 1.0);
        if f1 > best {
            (best, threshold) = (f1, *score);
        }
    }
    learned.bias -= threshold;
    learned
}

/// Regression shrinks towards the middle; the scale is stretched as far as agreement on notes not fitted to is best.
fn stretched(mut card: Scorecard, notes: &[&Prepared], names: &[String]) -> Scorecard {
    let mut judged = Vec::new();
    for fold in 0..4 {
        let (test, train): (Vec<&Prepared>, Vec<&Prepared>) =
            notes.iter().partition(|p| fold_of(&p.note.account) == fold);
        let part = fit(&examples(&train, "interest"), "interest", names);
        judged.extend(examples(&test, "interest").into_iter().map(|(x, y)| (part.score(&x), y)));
    }
    let middle = judged.iter().map(|j| j.1).sum::<f64>() / judged.len() as f64;
    let stretch = |by: f64, score: f64| middle + by * (score - middle);
    let agreement = |by: f64| {
        let level = |score: f64| stretch(by, score).round().clamp(0.0, 4.0) as u8;
        kappa(&judged.iter().map(|(score, y)| (*y as u8, level(*score))).collect::<Vec<_>>())
    };
    let best = (10..=20).map(|tenth| f64::from(tenth) / 10.0).max_by(|a, b| agreement(*a).total_cmp(&agreement(*b)));
    let by = best.unwrap_or(1.0);
    card.weights.iter_mut().for_each(|w| *w *= by);
    card.bias = stretch(by, card.bias);
    card
}

/// Notes of one account stay in one fold.
fn fold_of(account: &str) -> u32 {
    account.bytes().fold(7_u32, |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b))) / 3 % 4
}

/// As it is written to the file: names and weights that matter, two decimals.
fn written(card: &Scorecard, names: &[String]) -> String {
    let mut out = format!("bias = {:.2}\n", card.bias);
    for (name, weight) in names.iter().zip(&card.weights) {
        if weight.abs() >= 0.05 {
            let _ = writeln!(out, "\"{name}\" = {weight:.2}");
        }
    }
    out
}

/// Fits the scorecards to all `sets`, each the text of a file of labelled notes.
///
/// # Errors
/// When a line is no labelled note, or there are none.
pub fn fit_cards(sets: &[String]) -> Result<Fitted> {
    let grammar = Grammar::compile(&FILES)?;
    let features = Features::of(&grammar);
    let names = features.names();
    let prepare = |line: &str| -> Result<Prepared> {
        let note: Labelled = serde_json::from_str(line)?;
        let seen = observe(&grammar, &note.text, NoteKind::parse(&note.kind));
        let clauses = seen.iter().map(|s| features.clause(s)).collect();
        let whole = features.note(&seen);
        Ok(Prepared { note, seen, clauses, whole })
    };
    let mut prepared: Vec<Vec<Prepared>> = Vec::new();
    for (number, set) in (1..).zip(sets) {
        let lines = set.lines().filter(|line| !line.trim().is_empty());
        prepared.push(lines.map(prepare).collect::<Result<_>>().with_context(|| format!("in file {number}"))?);
    }
    let all: Vec<&Prepared> = prepared.iter().flatten().collect();
    ensure!(!all.is_empty(), "there are no labelled notes");
    let cards_of = |notes: &[&Prepared]| CARDS.map(|card| learn(notes, card, names));
    let mut said = String::new();
    for (held, test) in prepared.iter().enumerate() {
        let others = prepared.iter().enumerate().filter(|(i, _)| *i != held);
        let train: Vec<&Prepared> = others.flat_map(|(_, set)| set).collect();
        if train.is_empty() {
            break;
        }
        let cards = cards_of(&train);
        writeln!(said, "file {} read by what was learned from the others", held + 1)?;
        let read = |p: &Prepared| read_with(&grammar, &features, &cards, &p.note.text, NoteKind::parse(&p.note.kind));
        said.push_str(&report(&test.iter().map(|p| (&p.note, read(p))).collect::<Vec<_>>())?);
    }
    let mut file = String::from(
        "# How much each feature of a clause (of a note, for interest) speaks for a label: yes above zero. Fitted by train.rs to\n\
         # labelled notes; a cue counts in the clause itself, @beside in the rest of its sentence, @before and @after in the\n\
         # sentences around. For interest, @beside means in the buyer's own words and @before in the last clauses.\n",
    );
    for (name, card) in CARDS.iter().zip(cards_of(&all)) {
        write!(file, "\n[{name}]\n{}", written(&card, names))?;
    }
    Ok(Fitted { weights: file, report: said })
}
