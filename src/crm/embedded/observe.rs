//! What can be seen in a note before anything is decided: clauses, the cues in and around each, and plain facts.
//!
//! A *feature* is a yes-or-no fact about a clause: with a name (`pain.trouble`, `speech.prompted@before`, `quoted`), or a
//! word or a pair of words. The one rule: a decision is a sum of weights of features, so that it can be told why a note was
//! read as it was.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};

use super::grammar::{Cues, Grammar};
use super::segment::{Clause, Section, clauses};
use super::words::{Place, SIZE, Word, numbers, words};
use crate::model::NoteKind;

/// A clause with all that is known of it.
#[derive(Debug)]
pub(super) struct Seen {
    /// The clause.
    pub clause: Clause,
    /// Cues that fire in it.
    pub own: Cues,
    /// Cues of the rest of its sentence.
    pub beside: Cues,
    /// Cues of the sentence before.
    pub before: Cues,
    /// Cues of the sentence after.
    pub after: Cues,
    /// Plain facts, as bits in the order of [`FACTS`].
    pub facts: u32,
    /// Words and pairs of words in it.
    pub words: Vec<u32>,
    /// Words of the clauses before and after it.
    pub around: Vec<u32>,
    /// Its words and pairs of words as parts of the note.
    pub noted: Vec<u32>,
    /// A machine wrote it.
    pub event: bool,
}

/// Names of the plain facts.
pub(super) const FACTS: [&str; 19] = [
    "quoted",
    "digits",
    "short",
    "long",
    "first",
    "last",
    "section.pains",
    "section.next_steps",
    "section.quotes",
    "section.objections",
    "section.sentiment",
    "section.attendees",
    "section.aside",
    "kind.email",
    "kind.meeting",
    "kind.task",
    "bullet",
    "quote_beside",
    "kind.system",
];

/// Where a cue may fire, seen from a clause.
const PLACES: [&str; 5] = ["", "@beside", "@before", "@after", "@event"];

/// Cuts `text` into clauses and marks the cues of each.
pub(super) fn observe(grammar: &Grammar, text: &str, kind: NoteKind) -> Vec<Seen> {
    let clauses = clauses(text);
    let mut own = vec![Cues::default(); clauses.len()];
    for hit in grammar.hits(text) {
        // The first clause that ends after the hit begins: the hit belongs where its words stand.
        let from = clauses.partition_point(|c| c.range.end <= hit.range.start);
        for (clause, cues) in clauses.iter().zip(&mut own).skip(from) {
            if clause.range.start >= hit.range.end {
                break;
            }
            cues.insert(hit.cue);
        }
    }
    let sentences = clauses.last().map_or(0, |c| c.sentence + 1);
    let mut whole = vec![Cues::default(); sentences];
    let mut speaks = vec![false; sentences];
    for (clause, cues) in clauses.iter().zip(&own) {
        whole[clause.sentence] = whole[clause.sentence].and(*cues);
        speaks[clause.sentence] |= clause.quoted;
    }
    let at = |sentence: Option<usize>| sentence.and_then(|s| whole.get(s)).copied().unwrap_or_default();
    let event = kind == NoteKind::System;
    let besides = beside(&clauses, &own);
    let said: Vec<Vec<Word>> = clauses.iter().map(|c| words(&text[c.range.clone()])).collect();
    let mut seen = Vec::with_capacity(clauses.len());
    for (index, clause) in clauses.iter().enumerate() {
        let facts = facts(text, clause, kind, sentences, speaks[clause.sentence]);
        seen.push(Seen {
            clause: clause.clone(),
            own: own[index],
            beside: besides[index],
            before: at(clause.sentence.checked_sub(1)),
            after: at(Some(clause.sentence + 1)),
            facts,
            words: numbered(|out| {
                numbers(&said[index], Place::Own, true, out);
                if event {
                    numbers(&said[index], Place::Event, true, out);
                }
            }),
            around: numbered(|out| {
                if let Some(words) = index.checked_sub(1).and_then(|i| said.get(i)) {
                    numbers(words, Place::Before, false, out);
                }
                if let Some(words) = said.get(index + 1) {
                    numbers(words, Place::After, false, out);
                }
            }),
            noted: numbered(|out| numbers(&said[index], Place::Note, true, out)),
            event,
        });
    }
    seen
}

/// The cues that each clause's sentence has beside those of the clause: gathered from its beginning, and from its end.
fn beside(clauses: &[Clause], own: &[Cues]) -> Vec<Cues> {
    let mut beside = vec![Cues::default(); clauses.len()];
    let mut gather = |order: &mut dyn Iterator<Item = usize>| {
        let (mut sentence, mut met) = (None, Cues::default());
        for index in order {
            if sentence.replace(clauses[index].sentence) != Some(clauses[index].sentence) {
                met = Cues::default();
            }
            beside[index] = beside[index].and(met);
            met = met.and(own[index]);
        }
    };
    gather(&mut (0..clauses.len()));
    gather(&mut (0..clauses.len()).rev());
    beside
}

/// What `add` adds, each once, ascending.
fn numbered(add: impl FnOnce(&mut Vec<u32>)) -> Vec<u32> {
    let mut out = Vec::new();
    add(&mut out);
    out.sort_unstable();
    out.dedup();
    out
}

fn facts(text: &str, clause: &Clause, kind: NoteKind, sentences: usize, quote_beside: bool) -> u32 {
    let words = &text[clause.range.clone()];
    let count = words.split_whitespace().count();
    let section = clause.section;
    let answers = [
        clause.quoted,
        words.bytes().any(|b| b.is_ascii_digit()),
        count < 4,
        count > 15,
        clause.sentence == 0,
        clause.sentence + 1 == sentences,
        section == Section::Pains,
        section == Section::NextSteps,
        section == Section::Quotes,
        section == Section::Objections,
        section == Section::Sentiment,
        section == Section::Attendees,
        section == Section::Aside,
        kind == NoteKind::Email,
        kind == NoteKind::Meeting,
        kind == NoteKind::Task,
        clause.line > 0,
        quote_beside && !clause.quoted,
        kind == NoteKind::System,
    ];
    answers.iter().enumerate().fold(0, |bits, (i, yes)| bits | u32::from(*yes) << i)
}

/// Gives every feature a number.
pub(super) struct Features {
    names: Vec<String>,
    cues: usize,
    /// Cues of each file: `pain.*` is present where any of them is.
    families: Vec<Cues>,
}

impl Features {
    /// The features that `grammar` makes possible.
    pub(super) fn of(grammar: &Grammar) -> Self {
        let cues = grammar.names().len();
        let mut families = BTreeMap::<&str, Cues>::new();
        for (cue, name) in grammar.names().iter().enumerate() {
            families.entry(name.split_once('.').map_or(name, |n| n.0)).or_default().insert(cue);
        }
        let mut names = Vec::new();
        for place in PLACES {
            names.extend(grammar.names().iter().map(|name| format!("{name}{place}")));
            names.extend(families.keys().map(|family| format!("{family}.*{place}")));
        }
        names.extend(FACTS.iter().map(|f| (*f).to_owned()));
        Self { names, cues, families: families.into_values().collect() }
    }

    /// Names, in order of number.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The features that `seen` has.
    pub(super) fn clause(&self, seen: &Seen) -> Present {
        let event = if seen.event { seen.own } else { Cues::default() };
        let named = self.number(&[seen.own, seen.beside, seen.before, seen.after, event], seen.facts);
        Present { named, words: seen.words.clone(), around: seen.around.clone(), value: 1.0 }
    }

    /// The features of a whole note: its cues stand in the first place, those in the buyer's own words in the second, those
    /// of its last clauses in the third. A word counts the less the more there are.
    pub(super) fn note(&self, seen: &[Seen]) -> Present {
        let all = |some: &mut dyn Iterator<Item = &Seen>| some.fold(Cues::default(), |all, s| all.and(s.own));
        let whole = all(&mut seen.iter());
        let quoted = all(&mut seen.iter().filter(|s| s.clause.quoted));
        let last = all(&mut seen.iter().rev().take(3));
        let named = self.number(&[whole, quoted, last], seen.iter().fold(0, |all, s| all | s.facts));
        let words = numbered(|out| out.extend(seen.iter().flat_map(|s| &s.noted)));
        let value = 1.0 / (words.len().max(1) as f64).sqrt();
        Present { named, words, around: Vec::new(), value }
    }

    fn number(&self, places: &[Cues], facts: u32) -> Vec<usize> {
        let stride = self.cues + self.families.len();
        let mut out = Vec::new();
        for (place, cues) in places.iter().enumerate() {
            out.extend(cues.iter().map(|cue| place * stride + cue));
            let families = self.families.iter().enumerate().filter(|(_, family)| cues.meets(**family));
            out.extend(families.map(|(family, _)| place * stride + self.cues + family));
        }
        out.extend((0..FACTS.len()).filter(|f| facts >> f & 1 == 1).map(|f| PLACES.len() * stride + f));
        out
    }
}

/// The features that something has.
#[derive(Debug, Clone)]
pub(super) struct Present {
    /// Numbers of the named ones, ascending.
    pub named: Vec<usize>,
    /// Numbers of its words and pairs of words, ascending.
    pub words: Vec<u32>,
    /// Numbers of the words around it, ascending.
    pub around: Vec<u32>,
    /// How much each word counts.
    pub value: f64,
}

/// Whether `card` weighs words, and whether those around a clause too.
pub(super) fn weighs_words(card: &str) -> (bool, bool) {
    match card {
        "pain" | "objection" | "interest" => (true, false),
        "compliment" | "fluff" => (true, true),
        card if super::CHOICE.contains(&card) => (true, true),
        _ => (false, false),
    }
}

/// A sum of weights. Features without one weigh nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Scorecard {
    /// Score of a clause without any feature.
    pub bias: f64,
    /// Weight of each named feature, by number.
    pub weights: Vec<f64>,
    /// What a step of [`Scorecard::words`] is worth.
    pub step: f64,
    /// Weight of each word, by number, in steps; empty where words weigh nothing.
    pub words: Vec<i8>,
    /// Whether the words around count.
    pub around: bool,
}

impl Scorecard {
    /// The scorecard written as `bias`, `step` and weights by feature name, with the weights of `words`.
    pub(super) fn read(features: &Features, written: &BTreeMap<String, f64>, words: &[i8], around: bool) -> Self {
        let of = |name: &str| written.get(name).copied().unwrap_or(0.0);
        let weights = features.names.iter().map(|name| of(name)).collect();
        Self { bias: of("bias"), weights, step: of("step"), words: words.to_vec(), around }
    }

    /// The sum for what is `present`.
    pub(super) fn score(&self, present: &Present) -> f64 {
        let named = present.named.iter().filter_map(|&i| self.weights.get(i)).sum::<f64>();
        let sum =
            |some: &[u32]| some.iter().filter_map(|&w| self.words.get(w as usize)).map(|&w| i64::from(w)).sum::<i64>();
        let steps = sum(&present.words) + if self.around { sum(&present.around) } else { 0 };
        self.bias + named + self.step * present.value * steps as f64
    }
}

/// Scorecards in the order of `cards` from the text of named weights and the bytes of the words' weights.
///
/// # Errors
/// When the text is no TOML, or there are not as many bytes as words and cards.
pub(super) fn read_cards<const N: usize>(
    features: &Features,
    cards: [&str; N],
    named: &str,
    words: &[u8],
) -> anyhow::Result<[Scorecard; N]> {
    let written: BTreeMap<String, BTreeMap<String, f64>> = toml::from_str(named).context("in the weights")?;
    let weighing = cards.iter().filter(|card| weighs_words(card).0).count();
    ensure!(words.len() == weighing * SIZE, "the weights of words were made for other scorecards; train them again");
    let none = BTreeMap::new();
    let mut columns = words.chunks_exact(SIZE);
    Ok(cards.map(|card| {
        let (weighs, around) = weighs_words(card);
        let column = if weighs { columns.next().unwrap_or(&[]) } else { &[] };
        let column: Vec<i8> = column.iter().map(|b| b.cast_signed()).collect();
        Scorecard::read(features, written.get(card).unwrap_or(&none), &column, around)
    }))
}
