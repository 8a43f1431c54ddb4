//! What can be seen in a note before anything is decided: clauses, the cues in and around each, and plain facts.
//!
//! A *feature* is a yes-or-no fact about a clause with a name (`pain.trouble`, `speech.prompted@before`, `quoted`). The one
//! rule: a decision is a sum of weights of named features, so that anybody can read why a note was read as it was.

use std::collections::BTreeMap;

use super::grammar::{Cues, Grammar};
use super::segment::{Clause, Section, clauses};
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
}

/// Names of the plain facts.
pub(super) const FACTS: [&str; 18] = [
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
];

/// Where a cue may fire, seen from a clause.
const PLACES: [&str; 4] = ["", "@beside", "@before", "@after"];

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
    let mut seen = Vec::with_capacity(clauses.len());
    for (index, clause) in clauses.iter().enumerate() {
        let mut beside = Cues::default();
        let around = clauses[..index].iter().rev().zip(own[..index].iter().rev());
        let after = clauses[index + 1..].iter().zip(&own[index + 1..]);
        for (_, cues) in around.take_while(|(c, _)| c.sentence == clause.sentence) {
            beside = beside.and(*cues);
        }
        for (_, cues) in after.take_while(|(c, _)| c.sentence == clause.sentence) {
            beside = beside.and(*cues);
        }
        let facts = facts(text, clause, kind, sentences, speaks[clause.sentence]);
        seen.push(Seen {
            clause: clause.clone(),
            own: own[index],
            beside,
            before: at(clause.sentence.checked_sub(1)),
            after: at(Some(clause.sentence + 1)),
            facts,
        });
    }
    seen
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

    /// Numbers of the features that `seen` has, ascending.
    pub(super) fn clause(&self, seen: &Seen) -> Vec<usize> {
        self.number(&[seen.own, seen.beside, seen.before, seen.after], seen.facts)
    }

    /// Numbers of the features of a whole note: its cues stand in the first place, those in the buyer's own words in the
    /// second, those of its last clauses in the third.
    pub(super) fn note(&self, seen: &[Seen]) -> Vec<usize> {
        let all = |some: &mut dyn Iterator<Item = &Seen>| some.fold(Cues::default(), |all, s| all.and(s.own));
        let whole = all(&mut seen.iter());
        let quoted = all(&mut seen.iter().filter(|s| s.clause.quoted));
        let last = all(&mut seen.iter().rev().take(3));
        self.number(&[whole, quoted, last], seen.iter().fold(0, |all, s| all | s.facts))
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

/// A sum of weights. Unnamed features weigh nothing.
#[derive(Debug, Clone, Default)]
pub(super) struct Scorecard {
    /// Score of a clause without any feature.
    pub bias: f64,
    /// Weight of each feature, by number.
    pub weights: Vec<f64>,
}

impl Scorecard {
    /// The scorecard written as `bias` and weights by feature name.
    pub(super) fn read(features: &Features, written: &BTreeMap<String, f64>) -> Self {
        let weights = features.names.iter().map(|name| written.get(name).copied().unwrap_or(0.0)).collect();
        Self { bias: written.get("bias").copied().unwrap_or(0.0), weights }
    }

    /// The sum for the features numbered in `present`.
    pub(super) fn score(&self, present: &[usize]) -> f64 {
        self.bias + present.iter().filter_map(|&i| self.weights.get(i)).sum::<f64>()
    }
}
