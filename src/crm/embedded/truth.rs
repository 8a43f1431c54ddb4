//! Labelled notes, and how well readings agree with them.

use std::fmt::Write as _;

use anyhow::Result;
use serde::Deserialize;

use crate::model::{Evidence, Giver, NoteReading};

/// A note with what it truly says.
#[derive(Deserialize, Clone)]
pub(super) struct Labelled {
    #[serde(default)]
    pub account: String,
    pub kind: String,
    pub text: String,
    #[serde(flatten)]
    pub truth: Truth,
}

#[derive(Deserialize, Clone)]
pub(super) struct Truth {
    pub interest: Option<u8>,
    #[serde(default)]
    pub compliments: Vec<String>,
    #[serde(default)]
    pub fluff: Vec<String>,
    #[serde(default)]
    pub pains: Vec<Pain>,
    #[serde(default)]
    pub objections: Vec<Objection>,
    #[serde(default)]
    pub commitments: Vec<Commitment>,
    pub asked: Option<bool>,
}

#[derive(Deserialize, Clone)]
pub(super) struct Pain {
    pub quote: String,
    pub elicitation: String,
    pub specific: bool,
}

#[derive(Deserialize, Clone)]
pub(super) struct Objection {
    pub quote: String,
    pub kind: String,
}

#[derive(Deserialize, Clone)]
pub(super) struct Commitment {
    pub quote: String,
    pub level: u8,
    pub who: String,
    pub status: String,
    pub evidence: Option<String>,
}

/// Quadratic kappa of pairs on the scale 0 to 5.
pub(super) fn kappa(pairs: &[(u8, u8)]) -> f64 {
    let n = pairs.len() as f64;
    let share = |side: fn(&(u8, u8)) -> u8, level: u8| pairs.iter().filter(|p| side(p) == level).count() as f64 / n;
    let apart = |a: u8, b: u8| (f64::from(a) - f64::from(b)).powi(2);
    let seen = pairs.iter().map(|&(a, b)| apart(a, b)).sum::<f64>() / n;
    let levels = (0..6).flat_map(|a| (0..6).map(move |b| (a, b)));
    let chance: f64 = levels.map(|(a, b)| share(|p| p.0, a) * share(|p| p.1, b) * apart(a, b)).sum();
    1.0 - seen / chance
}

/// Highest commitment of the buyer's that stands (promised or kept).
pub(super) fn highest(levels: impl Iterator<Item = (bool, bool, u8)>) -> u8 {
    levels.filter(|(buyer, stands, _)| *buyer && *stands).map(|c| c.2).max().unwrap_or(0)
}

fn touches(text: &str, quote: &str, evidence: &Evidence) -> bool {
    text.find(quote).is_some_and(|at| at < evidence.span().end() && evidence.span().start() < at + quote.len())
}

struct Count {
    name: &'static str,
    notes: [f64; 3],
    spans: [f64; 4],
}

/// Names of [`figures`].
pub(super) const FIGURES: [&str; 6] = ["interest", "commitment", "compliments", "fluff", "pains", "objections"];

/// The figures by which readings are judged: quadratic kappa of interest and of the buyer's highest standing commitment, F1 of
/// the four kinds of quotes.
pub(super) fn figures(pairs: &[(&Labelled, NoteReading)]) -> [f64; FIGURES.len()] {
    let (mut interest, mut ladder, mut quotes) = (Vec::new(), Vec::new(), [[0.0_f64; 4]; 4]);
    for (note, reading) in pairs {
        let (text, truth) = (note.text.as_str(), &note.truth);
        if let (Some(is), Some(said)) = (truth.interest, reading.interest) {
            interest.push((is, said.level()));
        }
        let stands = |status: &str| status == "promised" || status == "kept";
        let is = highest(truth.commitments.iter().map(|c| (c.who == "buyer", stands(&c.status), c.level)));
        let of = reading.commitments.iter().map(|c| (c.who == Giver::Buyer, stands(c.status.as_str()), c.level));
        ladder.push((is, highest(of)));
        for (sums, (gold, said)) in quotes.iter_mut().zip(truth.quotes().iter().zip(&said_quotes(reading))) {
            let right = said.iter().filter(|e| gold.iter().any(|q| touches(text, q, e))).count();
            let found = gold.iter().filter(|q| said.iter().any(|e| touches(text, q, e))).count();
            let add = [right, said.len(), found, gold.len()];
            sums.iter_mut().zip(add).for_each(|(sum, n)| *sum += n as f64);
        }
    }
    let f1 = |s: &[f64; 4]| {
        let (p, r) = (s[0] / s[1].max(1.0), s[2] / s[3].max(1.0));
        2.0 * p * r / (p + r).max(1e-9)
    };
    [kappa(&interest), kappa(&ladder), f1(&quotes[0]), f1(&quotes[1]), f1(&quotes[2]), f1(&quotes[3])]
}

impl Truth {
    /// Compliments, fluff, pains and objections.
    fn quotes(&self) -> [Vec<&str>; 4] {
        [
            self.compliments.iter().map(String::as_str).collect(),
            self.fluff.iter().map(String::as_str).collect(),
            self.pains.iter().map(|p| p.quote.as_str()).collect(),
            self.objections.iter().map(|o| o.quote.as_str()).collect(),
        ]
    }
}

fn said_quotes(reading: &NoteReading) -> [Vec<&Evidence>; 4] {
    [
        reading.compliments.iter().collect(),
        reading.fluff.iter().collect(),
        reading.pains.iter().map(|p| &p.evidence).collect(),
        reading.objections.iter().map(|o| &o.evidence).collect(),
    ]
}

/// Agreement in words: presence by note, quotes that touch, interest, highest commitment, details.
pub(super) fn report(pairs: &[(&Labelled, NoteReading)]) -> Result<String> {
    let mut out = String::new();
    let mut counts =
        ["compliments", "fluff", "pains", "objections"].map(|name| Count { name, notes: [0.0; 3], spans: [0.0; 4] });
    let mut interest = Vec::new();
    let (mut null, mut nulls) = (0, 0);
    let mut ladder: [Vec<(u8, u8)>; 2] = [Vec::new(), Vec::new()];
    let [mut kind, mut elicited, mut specific, mut status, mut proof, mut asked] = [[0; 2]; 6];
    let tally = |slot: &mut [i32; 2], yes: bool| {
        slot[0] += i32::from(yes);
        slot[1] += 1;
    };
    for (note, reading) in pairs {
        let (text, truth) = (note.text.as_str(), &note.truth);
        let (gold, said) = (truth.quotes(), said_quotes(reading));
        for ((count, gold), said) in counts.iter_mut().zip(&gold).zip(&said) {
            let (is, yes) = (!gold.is_empty(), !said.is_empty());
            count.notes = [
                count.notes[0] + f64::from(is && yes),
                count.notes[1] + f64::from(yes),
                count.notes[2] + f64::from(is),
            ];
            let right = said.iter().filter(|e| gold.iter().any(|q| touches(text, q, e))).count();
            let found = gold.iter().filter(|q| said.iter().any(|e| touches(text, q, e))).count();
            let add = [right, said.len(), found, gold.len()];
            count.spans.iter_mut().zip(add).for_each(|(sum, n)| *sum += n as f64);
        }
        match (truth.interest, reading.interest) {
            (Some(is), Some(said)) => interest.push((is, said.level())),
            (is, said) => {
                nulls += 1;
                null += i32::from(is.is_none() && said.is_none());
            }
        }
        for (pairs, any) in ladder.iter_mut().zip([false, true]) {
            let stands = |status: &str| any || status == "promised" || status == "kept";
            let is = highest(truth.commitments.iter().map(|c| (c.who == "buyer", stands(&c.status), c.level)));
            let of = reading.commitments.iter().map(|c| (c.who == Giver::Buyer, stands(c.status.as_str()), c.level));
            pairs.push((is, highest(of)));
        }
        for o in &truth.objections {
            if let Some(found) = reading.objections.iter().find(|f| touches(text, &o.quote, &f.evidence)) {
                tally(&mut kind, found.kind.as_str() == o.kind);
            }
        }
        for p in &truth.pains {
            if let Some(found) = reading.pains.iter().find(|f| touches(text, &p.quote, &f.evidence)) {
                tally(&mut elicited, found.elicitation.as_str() == p.elicitation);
                tally(&mut specific, found.specific == p.specific);
            }
        }
        for c in truth.commitments.iter().filter(|c| c.who == "buyer") {
            let same = |f: &&crate::model::Commitment| f.who == Giver::Buyer && touches(text, &c.quote, &f.evidence);
            if let Some(found) = reading.commitments.iter().find(same) {
                tally(&mut status, found.status.as_str() == c.status);
                if let Some(evidence) = &c.evidence {
                    tally(&mut proof, found.corroboration.as_str() == evidence);
                }
            }
        }
        if let Some(is) = truth.asked {
            tally(&mut asked, is == reading.asked);
        }
    }
    let f1 = |hit: f64, p: f64, r: f64| 2.0 * hit / (p + r).max(1e-9);
    for c in &counts {
        let (n, s) = (c.notes, c.spans);
        let (p, r) = (s[0] / s[1].max(1.0), s[2] / s[3].max(1.0));
        writeln!(
            out,
            "{:<12} notes P {:.2} R {:.2} F1 {:.2} ({})   quotes P {p:.2} R {r:.2} F1 {:.2}",
            c.name,
            n[0] / n[1].max(1.0),
            n[0] / n[2].max(1.0),
            f1(n[0], n[1], n[2]),
            n[2],
            2.0 * p * r / (p + r).max(1e-9)
        )?;
    }
    let exact = |pairs: &[(u8, u8)]| pairs.iter().filter(|(a, b)| a == b).count() as f64 / pairs.len().max(1) as f64;
    writeln!(out, "interest kappa {:.3} exact {:.2}; none {null}/{nulls}", kappa(&interest), exact(&interest))?;
    for (name, pairs) in ["promised or kept", "whatever status"].iter().zip(&ladder) {
        writeln!(out, "highest commitment, {name}: kappa {:.3} exact {:.2}", kappa(pairs), exact(pairs))?;
    }
    writeln!(
        out,
        "of those found: objection kind {kind:?} elicitation {elicited:?} specific {specific:?} status {status:?} proof {proof:?}; asked {asked:?}"
    )?;
    Ok(out)
}

#[test]
fn kappa_is_one_for_sameness_and_zero_for_chance() {
    assert!((kappa(&[(0, 0), (4, 4), (2, 2)]) - 1.0).abs() < 1e-12);
    assert!(kappa(&[(0, 0), (0, 4), (4, 0), (4, 4)]).abs() < 1e-12);
}
