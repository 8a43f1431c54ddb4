//! Fits the scorecards to labelled notes: `cargo run --release --example reader -- train-notes OUT.toml NOTES.jsonl…`.
//!
//! Each line of a file is a note: `{"id","account","kind","text","interest","compliments":["…"],…}`, labels as in METHOD 2.
//! Same notes in the same order, same weights. Where decisions turn is chosen on notes of authors that the weights have not
//! met: notes of different authors stand in different files, or carry their author before a colon in the account.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};

use super::decide::{Observed, decide};
use super::grammar::Grammar;
use super::minimise::minimise;
use super::observe::{Features, Present, Scorecard, Seen, observe, weighs_words};
use super::truth::{FIGURES, Labelled, Truth, figures, report};
use super::words::SIZE;
use super::{CARDS, CHOICE, FILES, KINDS};
use crate::model::{NoteKind, NoteReading};

/// What [`fit_cards`] learned.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The text of the weights' file.
    pub weights: String,
    /// The bytes of the file of the words' weights.
    pub words: Vec<u8>,
    /// How well each author was read by what was learned from the others.
    pub report: String,
}

/// A note ready to learn from.
struct Prepared {
    note: Labelled,
    kind: NoteKind,
    seen: Vec<Seen>,
    clauses: Vec<Present>,
    whole: Present,
}

/// What is present, and the answer: a class, or a level.
type Example<'a> = (&'a Present, f64);

/// Whether the clause shows `quote`.
fn shows(text: &str, seen: &Seen, quote: &str) -> bool {
    let range = &seen.clause.range;
    text.find(quote).map(|at| at..at + quote.len()).is_some_and(|gold| {
        let shared = gold.end.min(range.end).saturating_sub(gold.start.max(range.start));
        shared > 0 && shared * 2 >= gold.len().min(range.len())
    })
}

/// The quotes that are examples of `card`, and, for a card that only chooses among found ones, the quotes it chooses among.
fn gold<'a>(truth: &'a Truth, card: &str) -> (Vec<&'a str>, Option<Vec<&'a str>>) {
    let commitments = |fits: &dyn Fn(&super::truth::Commitment) -> bool| -> Vec<&'a str> {
        truth.commitments.iter().filter(|c| c.who == "buyer" && fits(c)).map(|c| c.quote.as_str()).collect()
    };
    let pains = |fits: &dyn Fn(&super::truth::Pain) -> bool| -> Vec<&'a str> {
        truth.pains.iter().filter(|p| fits(p)).map(|p| p.quote.as_str()).collect()
    };
    match card {
        "compliment" => (truth.compliments.iter().map(String::as_str).collect(), None),
        "fluff" => (truth.fluff.iter().map(String::as_str).collect(), None),
        "pain" => (pains(&|_| true), None),
        "objection" => (truth.objections.iter().map(|o| o.quote.as_str()).collect(), None),
        "specific" => (pains(&|p| p.specific), Some(pains(&|_| true))),
        "volunteered" | "prompted" => (pains(&|p| p.elicitation == card), Some(pains(&|_| true))),
        status => (commitments(&|c| c.status == status), Some(commitments(&|_| true))),
    }
}

/// Number of what a clause tells of commitments, in [`CHOICE`]: the buyer's before ours, what stands before what does not.
fn choice(note: &Labelled, seen: &Seen) -> usize {
    let shown = note.truth.commitments.iter().filter(|c| shows(&note.text, seen, &c.quote));
    let told = shown.map(|c| {
        let stands = c.status == "promised" || c.status == "kept";
        (c.who == "buyer", stands, c.level.clamp(1, 5))
    });
    match told.max() {
        None => 0,
        Some((false, ..)) => 1,
        Some((true, true, level)) => usize::from(level) + 1,
        Some((true, false, _)) => CHOICE.len() - 1,
    }
}

fn examples<'a>(notes: &[&'a Prepared], card: &str) -> Vec<Example<'a>> {
    let mut out = Vec::new();
    for p in notes {
        let spoken = p.kind != NoteKind::System;
        let text = &p.note.text;
        let clauses = p.seen.iter().zip(&p.clauses);
        match card {
            "interest" if spoken => out.extend(p.note.truth.interest.map(|i| (&p.whole, f64::from(i)))),
            "silent" if spoken => out.push((&p.whole, f64::from(u8::from(p.note.truth.interest.is_none())))),
            "interest" | "silent" => {}
            "nothing" => out.extend(clauses.map(|(seen, x)| (x, choice(&p.note, seen) as f64))),
            "competitor" => out.extend(clauses.filter_map(|(seen, x)| {
                let objection = p.note.truth.objections.iter().find(|o| shows(text, seen, &o.quote))?;
                Some((x, KINDS.iter().position(|(kind, _)| kind.as_str() == objection.kind)? as f64))
            })),
            _ => {
                let (quotes, among) = gold(&p.note.truth, card);
                let any = |seen: &Seen, quotes: &[&str]| quotes.iter().any(|quote| shows(text, seen, quote));
                let asked = clauses.filter(|(seen, _)| among.as_ref().map_or(spoken, |among| any(seen, among)));
                out.extend(asked.map(|(seen, x)| (x, f64::from(u8::from(any(seen, &quotes))))));
            }
        }
    }
    out
}

/// What is believed of a weight before any data: where it stands, and how hard it is to move from there.
#[derive(Clone, Copy)]
struct Belief {
    mean: f64,
    hold: f64,
}

/// Cues that speak for each of [`CHOICE`] and of [`KINDS`].
const SPEAKING: [(&str, &[&str]); 15] = [
    ("ours", &["ours"]),
    ("level1", &["intent", "verbal"]),
    ("level2", &["homework", "meet", "deadline"]),
    ("level3", &["people", "in_room"]),
    ("level4", &["load", "review", "own_data"]),
    ("level5", &["paid", "pay", "money_in", "money_promised"]),
    ("undone", &["refused", "missed", "asked", "absent", "proposal", "due"]),
    ("competitor", &["competitor", "others"]),
    ("price", &["price", "money"]),
    ("authority", &["authority", "above"]),
    ("no_need", &["no_need"]),
    ("status_quo", &["status_quo", "stay"]),
    ("timing", &["timing", "wait"]),
    ("trust", &["trust", "doubt"]),
    ("fit", &["fit", "lacking"]),
];

/// A cue means what its file says, and what stands around a clause says less than what stands in it.
fn belief(card: &str, name: &str) -> Belief {
    let plain = ["measured", "rep_praise", "absent", "nice", "scene", "instance", "amount", "mishap", "*"];
    let (family, cue) = name.split_once('.').unwrap_or(("", name));
    let chosen = CHOICE.contains(&card);
    let kind = KINDS.iter().any(|(_, name)| *name == card);
    let (mean, hold) = match () {
        () if card == "interest" || card == "silent" => match () {
            () if name.contains('@') => (0.0, 60.0),
            () if family == "interest" => (0.0, 3.0),
            () => (0.0, 20.0),
        },
        () if name.ends_with("@event") => (0.0, 4.0),
        () if chosen && family == "commitment" && name.contains('@') => (0.0, 8.0),
        () if name.contains('@') => (0.0, 20.0),
        () if chosen && family == "commitment" || kind && family == "objection" => {
            let speaks = SPEAKING.iter().any(|(of, cues)| *of == card && cues.contains(&cue));
            (f64::from(u8::from(speaks)), 1.5)
        }
        () if card == "objection" && name == "interest.declined" => (0.7, 1.5),
        () if card == family => (if plain.contains(&cue) { 0.0 } else { 1.5 }, 1.5),
        () if card == cue => (1.0, 1.5),
        () => (0.0, 4.0),
    };
    Belief { mean, hold }
}

/// How hard the weights of words are to move from nothing: of words in a clause (or note), and of words around.
fn word_holds(card: &str) -> (f64, f64) {
    match card {
        "interest" => (1.0, 1.0),
        card if CHOICE.contains(&card) => (16.0, 60.0),
        _ => (8.0, 40.0),
    }
}

/// How far a regression is off.
#[derive(Clone, Copy, PartialEq)]
enum Loss {
    Squares,
    /// One class against the rest, or, for more columns than one, each class against all others.
    Logistic,
}

/// Examples over those features that more than one of them has.
struct Table {
    /// Feature of each column: a named one, or past these a word.
    features: Vec<usize>,
    rows: Vec<Vec<(u32, f64)>>,
}

fn table(examples: &[Example], named: usize, (words, around): (bool, bool), held: impl Fn(usize) -> bool) -> Table {
    let of = |x: &Present| -> Vec<usize> {
        let mut out = x.named.clone();
        if words {
            out.extend(x.words.iter().map(|&w| named + w as usize));
        }
        if around {
            out.extend(x.around.iter().map(|&w| named + w as usize));
        }
        out
    };
    let mut counts = BTreeMap::<usize, usize>::new();
    for (x, _) in examples {
        of(x).into_iter().for_each(|f| *counts.entry(f).or_default() += 1);
    }
    let features: Vec<usize> = counts.into_iter().filter(|(f, n)| *n > 1 || held(*f)).map(|(f, _)| f).collect();
    let column = |f: usize| features.binary_search(&f).ok().map(|c| c as u32);
    let value = |x: &Present, f: usize| if f < named { 1.0 } else { x.value };
    let row = |(x, _): &Example| of(x).into_iter().filter_map(|f| Some((column(f)?, value(x, f)))).collect();
    Table { rows: examples.iter().map(row).collect(), features }
}

/// One scorecard for each of `cards`: the regression of the examples' answers, as near to what is believed as they allow.
fn fit(examples: &[Example], cards: &[&str], loss: Loss, names: &[String]) -> Vec<Scorecard> {
    let weighing = cards.first().map_or((false, false), |card| weighs_words(card));
    let beliefs: Vec<Vec<Belief>> =
        cards.iter().map(|card| names.iter().map(|name| belief(card, name)).collect()).collect();
    let believed = |f: usize| beliefs.iter().any(|b| b.get(f).is_some_and(|b| b.mean != 0.0));
    let table = table(examples, names.len(), weighing, believed);
    let around = around_only(examples);
    let of = |card: usize, feature: usize| {
        let (own, beside) = word_holds(cards[card]);
        let word = || feature - names.len();
        let hold = if feature >= names.len() && around[word()] { beside } else { own };
        beliefs[card].get(feature).copied().unwrap_or(Belief { mean: 0.0, hold })
    };
    let k = cards.len();
    let width = table.features.len();
    let priors: Vec<Belief> =
        table.features.iter().flat_map(|&f| (0..k).map(move |c| (c, f))).map(|(c, f)| of(c, f)).collect();
    let scale: Vec<f64> = priors.iter().map(|p| 1.0 / p.hold.sqrt()).collect();
    let weight = |free: &[f64], i: usize| priors[i].mean + free[i] * scale[i];
    let answer = |example: usize| examples[example].1;
    let objective = |free: &[f64], slope: &mut [f64]| {
        let weights: Vec<f64> = (0..width * k).map(|i| weight(free, i)).collect();
        let bias = &free[width * k..];
        slope.fill(0.0);
        let mut far = 0.0;
        let mut error = vec![0.0; k];
        for (n, row) in table.rows.iter().enumerate() {
            error.copy_from_slice(bias);
            for &(column, value) in row {
                let at = column as usize * k;
                error.iter_mut().zip(&weights[at..at + k]).for_each(|(sum, w)| *sum += value * w);
            }
            far += off(&mut error, answer(n), loss);
            for &(column, value) in row {
                let at = column as usize * k;
                slope[at..at + k].iter_mut().zip(&error).for_each(|(s, e)| *s += value * e);
            }
            slope[width * k..].iter_mut().zip(&error).for_each(|(s, e)| *s += e);
        }
        for (i, scale) in scale.iter().enumerate() {
            slope[i] = slope[i] * scale + free[i];
            far += free[i] * free[i] / 2.0;
        }
        far
    };
    let free = minimise(objective, vec![0.0; width * k + k], 150);
    let card = |c: usize| {
        let mut weights: Vec<f64> = beliefs[c].iter().map(|b| b.mean).collect();
        let mut words = vec![0.0; if weighing.0 { SIZE } else { 0 }];
        for (column, &feature) in table.features.iter().enumerate() {
            let weight = weight(&free, column * k + c);
            match feature.checked_sub(names.len()) {
                None => weights[feature] = weight,
                Some(word) => words[word] = weight,
            }
        }
        rounded(free[width * k + c], weights, &words, weighing.1)
    };
    (0..k).map(card).collect()
}

/// By word: whether it only stands around clauses.
fn around_only(examples: &[Example]) -> Vec<bool> {
    let mut around = vec![false; SIZE];
    examples.iter().flat_map(|(x, _)| &x.around).for_each(|&w| around[w as usize] = true);
    examples.iter().flat_map(|(x, _)| &x.words).for_each(|&w| around[w as usize] = false);
    around
}

/// Turns scores into their slopes; how far off they are.
fn off(scores: &mut [f64], answer: f64, loss: Loss) -> f64 {
    match (loss, scores) {
        (Loss::Squares, scores) => {
            scores[0] -= answer;
            scores[0] * scores[0] / 2.0
        }
        (Loss::Logistic, [score]) => {
            let far = score.max(0.0) + (-score.abs()).exp().ln_1p() - answer * *score;
            *score = 1.0 / (1.0 + (-*score).exp()) - answer;
            far
        }
        (Loss::Logistic, scores) => {
            let most = scores.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
            let all: f64 = scores.iter().map(|s| (s - most).exp()).sum();
            let far = all.ln() + most - scores[answer as usize];
            scores.iter_mut().for_each(|s| *s = (*s - most).exp() / all);
            scores[answer as usize] -= 1.0;
            far
        }
    }
}

/// A scorecard with the weights that its files will hold: two decimals, words in steps of which the largest is 127.
fn rounded(bias: f64, weights: Vec<f64>, words: &[f64], around: bool) -> Scorecard {
    let two = |x: f64| (x * 100.0).round() / 100.0;
    let kept = |w: f64| if w.abs() < 0.05 { 0.0 } else { two(w) };
    let largest = words.iter().fold(0.0_f64, |a, w| a.max(w.abs()));
    let step = ((largest / 127.0 * 1e6).ceil() / 1e6).max(1e-6);
    Scorecard {
        bias: two(bias),
        weights: weights.into_iter().map(kept).collect(),
        step,
        words: words.iter().map(|w| (w / step).round() as i8).collect(),
        around,
    }
}

/// Scorecards that say yes above zero where their examples are as likely as not.
fn learn(notes: &[&Prepared], names: &[String]) -> [Scorecard; CARDS.len()] {
    let mut chosen = fit(&examples(notes, CHOICE[0]), &CHOICE, Loss::Logistic, names).into_iter();
    let kinds = KINDS.map(|(_, name)| name);
    let mut kind = fit(&examples(notes, kinds[0]), &kinds, Loss::Logistic, names).into_iter();
    CARDS.map(|card| match card {
        card if CHOICE.contains(&card) => chosen.next().unwrap_or_default(),
        card if kinds.contains(&card) => kind.next().unwrap_or_default(),
        "stands" => Scorecard { weights: vec![0.0; names.len()], ..Scorecard::default() },
        card => {
            let loss = if card == "interest" { Loss::Squares } else { Loss::Logistic };
            fit(&examples(notes, card), &[card], loss, names).pop().unwrap_or_default()
        }
    })
}

/// The places where decisions may turn, tried one by one.
const TURNS: usize = 30;

/// The cards with every decision turned to the place numbered `turn`.
fn turned(cards: &[Scorecard], turns: [usize; FIGURES.len()]) -> Vec<Scorecard> {
    let mut cards = cards.to_vec();
    for (figure, turn) in FIGURES.iter().zip(turns) {
        let turn = turn as f64;
        let of = |name: &str| CARDS.iter().position(|card| *card == name);
        let name = figure.strip_suffix('s').unwrap_or(figure);
        match *figure {
            "interest" => {
                let Some(card) = of(name).and_then(|i| cards.get_mut(i)) else { continue };
                // Regression shrinks towards the middle, so the scale is stretched.
                let by = 1.0 + turn * 0.04;
                card.weights.iter_mut().for_each(|w| *w = (*w * by * 1e4).round() / 1e4);
                card.step = (card.step * by * 1e8).round() / 1e8;
                card.bias = ((2.0 + by * (card.bias - 2.0)) * 1e4).round() / 1e4;
            }
            "commitment" => {
                let chance = 0.08 + turn * 0.02;
                let Some(card) = of("stands").and_then(|i| cards.get_mut(i)) else { continue };
                card.bias = ((1.0 - chance) / chance).ln();
                card.bias = (card.bias * 100.0).round() / 100.0;
            }
            _ => {
                if let Some(card) = of(name).and_then(|i| cards.get_mut(i)) {
                    card.bias = ((card.bias + 2.4 - turn * 0.1) * 100.0).round() / 100.0;
                }
            }
        }
    }
    cards
}

/// For every figure the turn that serves the `sets` best on the whole, a little smoothed: `[set][turn][figure]`.
fn best_turns(sets: &[&Vec<[f64; FIGURES.len()]>]) -> [usize; FIGURES.len()] {
    std::array::from_fn(|figure| {
        let at = |turn: usize| -> f64 {
            sets.iter().filter_map(|set| set.get(turn)).map(|f| f[figure]).filter(|f| f.is_finite()).sum()
        };
        let smooth = |turn: usize| {
            let from = turn.saturating_sub(1);
            let to = (turn + 1).min(TURNS - 1);
            (from..=to).map(at).sum::<f64>() / (to - from + 1) as f64
        };
        (0..TURNS).max_by(|&a, &b| smooth(a).total_cmp(&smooth(b))).unwrap_or(TURNS / 2)
    })
}

/// Notes by author: files, and within a file what stands before the colon of the account.
fn by_author(sets: &[String], prepare: impl Fn(&str) -> Result<Prepared>) -> Result<Vec<(String, Vec<Prepared>)>> {
    let mut out: Vec<(String, Vec<Prepared>)> = Vec::new();
    for (number, set) in (1..).zip(sets) {
        for line in set.lines().filter(|line| !line.trim().is_empty()) {
            let note = prepare(line).with_context(|| format!("in file {number}"))?;
            let author = note.note.account.split_once(':').map_or("", |(author, _)| author);
            let name = format!("{number}{}{author}", if author.is_empty() { "" } else { ":" });
            match out.iter_mut().find(|(known, _)| *known == name) {
                Some((_, notes)) => notes.push(note),
                None => out.push((name, vec![note])),
            }
        }
    }
    Ok(out)
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
        let kind = NoteKind::parse(&note.kind);
        let seen = observe(&grammar, &note.text, kind);
        let clauses = seen.iter().map(|s| features.clause(s)).collect();
        let whole = features.note(&seen);
        Ok(Prepared { note, kind, seen, clauses, whole })
    };
    let authors = by_author(sets, prepare)?;
    ensure!(!authors.is_empty(), "there are no labelled notes");
    let read = |cards: &[Scorecard], p: &Prepared| -> NoteReading {
        let Prepared { note, kind, seen, clauses, whole } = p;
        decide(&grammar, cards, &Observed { text: &note.text, kind: *kind, seen, clauses, whole })
    };
    let mut strange = Vec::new();
    for (held, (_, test)) in authors.iter().enumerate() {
        let others = authors.iter().enumerate().filter(|(i, _)| *i != held);
        let train: Vec<&Prepared> = others.flat_map(|(_, (_, notes))| notes).collect();
        if train.is_empty() {
            break;
        }
        let cards = learn(&train, names);
        let tried = |turn: usize| {
            let cards = turned(&cards, [turn; FIGURES.len()]);
            figures(&test.iter().map(|p| (&p.note, read(&cards, p))).collect::<Vec<_>>())
        };
        let tried: Vec<_> = (0..TURNS).map(tried).collect();
        strange.push((cards, tried));
    }
    let mut said = String::new();
    let mut rows = Vec::new();
    for (held, ((name, test), (cards, _))) in authors.iter().zip(&strange).enumerate() {
        let others: Vec<_> = strange.iter().enumerate().filter(|(i, _)| *i != held).map(|(_, s)| &s.1).collect();
        let cards = turned(cards, best_turns(&others));
        let pairs: Vec<_> = test.iter().map(|p| (&p.note, read(&cards, p))).collect();
        writeln!(said, "author {name} read by what was learned from the others")?;
        said.push_str(&report(&pairs)?);
        rows.push((name.as_str(), figures(&pairs)));
    }
    said.push_str(&compact(&rows)?);
    let all: Vec<&Prepared> = authors.iter().flat_map(|(_, notes)| notes).collect();
    let turns = best_turns(&strange.iter().map(|s| &s.1).collect::<Vec<_>>());
    let cards = turned(&learn(&all, names), turns);
    writeln!(said, "turns {turns:?}")?;
    Ok(Fitted { weights: written(&cards, names)?, words: cards.iter().flat_map(bytes).collect(), report: said })
}

/// A row of figures an author, and their means.
fn compact(rows: &[(&str, [f64; FIGURES.len()])]) -> Result<String> {
    let mut out = format!("{:<8}", "author");
    FIGURES.iter().try_for_each(|name| write!(out, "{name:>13}"))?;
    let mean = std::array::from_fn(|f| rows.iter().map(|row| row.1[f]).sum::<f64>() / rows.len() as f64);
    for (name, figures) in rows.iter().chain([&("mean", mean)]) {
        write!(out, "\n{name:<8}")?;
        figures.iter().try_for_each(|figure| write!(out, "{figure:>13.2}"))?;
    }
    out.push('\n');
    Ok(out)
}

/// The weights of words as they are written to their file.
fn bytes(card: &Scorecard) -> impl Iterator<Item = u8> {
    card.words.iter().map(|w| w.cast_unsigned())
}

/// As it is written to the file: names and weights that matter.
fn written(cards: &[Scorecard], names: &[String]) -> Result<String> {
    let mut out = String::from(
        "# How much each feature of a clause (of a note, for interest and silent) speaks for a label: yes above zero; of `nothing`\n\
         # to `undone` the likeliest is chosen. Fitted by train.rs to labelled notes; a cue counts in the clause itself, @beside in\n\
         # the rest of its sentence, @before and @after in the sentences around, @event where a machine wrote it. For a whole note,\n\
         # @beside means in the buyer's own words and @before in the last clauses. `step` is what one step of the words' weights is\n\
         # worth, which stand in weights.bin.\n",
    );
    for (name, card) in CARDS.iter().zip(cards) {
        write!(out, "\n[{name}]\nbias = {:?}\n", card.bias)?;
        if !card.words.is_empty() {
            writeln!(out, "step = {:?}", card.step)?;
        }
        for (name, weight) in names.iter().zip(&card.weights).filter(|(_, weight)| **weight != 0.0) {
            writeln!(out, "\"{name}\" = {weight:?}")?;
        }
    }
    Ok(out)
}
