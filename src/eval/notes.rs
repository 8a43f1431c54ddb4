//! Note readers against labelled notes: the interest claimed, the buyer's highest commitment, what is noise, what hurts.
//!
//! Where two people labelled the notes, a reading is held against what both say. What only one of them says is neither right
//! nor wrong: it is left out of the scores and counted apart.

use std::ops::Range;

use super::resample::Resampler;
use super::truth::{LabelledNote, NoteLabels, place};
use super::{Score, posts, share};
use crate::model::{CommitmentStatus, Evidence, Giver, Interest, NoteReading};

const SEED: u64 = 1;

/// Rungs of either scale: interest has 0 to 4, commitment 0 to 5.
const RUNGS: usize = 6;

/// Everything that readings of notes tell, resampled by account. `rejected` is how many quotes were proposed that stand in no
/// note.
pub fn score(notes: &[LabelledNote], readings: &[NoteReading], rejected: usize) -> Vec<Score> {
    let pairs: Vec<Pair> = notes.iter().zip(readings).map(|(note, reading)| Pair { note, reading }).collect();
    let resampler = Resampler::new(notes.iter().map(|n| n.account.as_str()), SEED);
    let mut scores = Vec::new();
    scores.extend(ladder(&pairs, &resampler, "interest", |labels| labels.interest, said_interest));
    let standing = |labels: &NoteLabels| Some(highest(labels, stands));
    scores.extend(ladder(&pairs, &resampler, "commitment", standing, |r| Some(said_highest(r, stands))));
    let any = |labels: &NoteLabels| Some(highest(labels, |_| true));
    scores.extend(ladder(&pairs, &resampler, "commitment_any_status", any, |r| Some(said_highest(r, |_| true))));
    for part in PARTS {
        scores.extend(quotes(&pairs, &resampler, part));
    }
    scores.extend(details(&pairs, &resampler));
    scores.extend(asked(&pairs, &resampler));
    let fits = readings.iter().flat_map(proposed).map(Evidence::fit);
    scores.extend(posts::fidelity(fits, rejected));
    scores
}

struct Pair<'a> {
    note: &'a LabelledNote,
    reading: &'a NoteReading,
}

/// A kind of quote.
#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    labelled: fn(&NoteLabels) -> Vec<&str>,
    said: fn(&NoteReading) -> Vec<&Evidence>,
}

const PARTS: [Part; 4] = [
    Part {
        name: "compliments",
        labelled: |l| l.compliments.iter().map(String::as_str).collect(),
        said: |r| r.compliments.iter().collect(),
    },
    Part {
        name: "fluff",
        labelled: |l| l.fluff.iter().map(String::as_str).collect(),
        said: |r| r.fluff.iter().collect(),
    },
    Part {
        name: "pains",
        labelled: |l| l.pains.iter().map(|p| p.quote.as_str()).collect(),
        said: |r| r.pains.iter().map(|p| &p.evidence).collect(),
    },
    Part {
        name: "objections",
        labelled: |l| l.objections.iter().map(|o| o.quote.as_str()).collect(),
        said: |r| r.objections.iter().map(|o| &o.evidence).collect(),
    },
];

/// Every quote, also of what a second look refused: whether anybody wrote the words is another question.
fn proposed(reading: &NoteReading) -> impl Iterator<Item = &Evidence> {
    reading.claims().map(|(_, evidence)| evidence).chain(reading.refused().map(|look| &look.evidence))
}

fn said_interest(reading: &NoteReading) -> Option<u8> {
    reading.interest.map(Interest::level)
}

/// A promise or a kept promise; what was asked for, missed or refused is none.
fn stands(status: CommitmentStatus) -> bool {
    matches!(status, CommitmentStatus::Promised | CommitmentStatus::Kept)
}

fn highest(labels: &NoteLabels, counts: fn(CommitmentStatus) -> bool) -> u8 {
    let buyer = labels.commitments.iter().filter(|c| c.who == Giver::Buyer.as_str());
    buyer.filter(|c| CommitmentStatus::parse(&c.status).is_some_and(counts)).map(|c| c.level).max().unwrap_or(0)
}

fn said_highest(reading: &NoteReading, counts: fn(CommitmentStatus) -> bool) -> u8 {
    let buyer = reading.commitments.iter().filter(|c| c.who == Giver::Buyer);
    buyer.filter(|c| counts(c.status)).map(|c| c.level).max().unwrap_or(0)
}

/// Exact agreement and quadratic kappa on a scale, over notes that the labellings agree on; and how often the reading is one
/// of the answers where they do not.
fn ladder(
    pairs: &[Pair],
    resampler: &Resampler,
    name: &str,
    labelled: impl Fn(&NoteLabels) -> Option<u8>,
    said: impl Fn(&NoteReading) -> Option<u8>,
) -> Vec<Score> {
    let (mut exact, mut levels, mut apart) = (Vec::new(), Vec::new(), Vec::new());
    for (i, pair) in pairs.iter().enumerate() {
        let answers: Vec<Option<u8>> = pair.note.labels.iter().map(&labelled).collect();
        let ours = said(pair.reading);
        if answers.iter().any(|a| *a != answers[0]) {
            apart.push((i, [truth(answers.contains(&ours)), 1.0]));
            continue;
        }
        exact.push((i, [truth(answers[0] == ours), 1.0]));
        if let (Some(is), Some(ours)) = (answers[0], ours) {
            let mut table = [0.0; RUNGS * RUNGS];
            table[usize::from(is.min(5)) * RUNGS + usize::from(ours.min(5))] = 1.0;
            levels.push((i, table));
        }
    }
    let (n, n_levels, n_apart) = (exact.len() as u64, levels.len() as u64, apart.len() as u64);
    let exact = Score::new(&format!("{name}_exact"), "all", resampler.estimate(exact, ratio), n);
    let kappa = Score::new(&format!("{name}_kappa"), "all", resampler.estimate(levels, quadratic_kappa), n_levels);
    let mut scores = vec![exact, kappa];
    if n_apart > 0 {
        let estimate = resampler.estimate(apart, ratio);
        scores.push(Score::new(&format!("{name}_of_those_apart"), "all", estimate, n_apart));
    }
    scores
}

/// Of right quotes, quotes said, labelled quotes found, labelled quotes.
type Statistic = fn(&[f64; 4]) -> Option<f64>;

/// Precision, recall and F1 of one kind of quote: a quote is right when it overlaps a labelled one.
fn quotes(pairs: &[Pair], resampler: &Resampler, part: Part) -> Vec<Score> {
    let mut counts = Vec::new();
    let mut apart = Vec::new();
    for (i, pair) in pairs.iter().enumerate() {
        let (both, one) = agreed(pair.note, part);
        let said: Vec<Range<usize>> = (part.said)(pair.reading).iter().map(|e| e.span().range()).collect();
        let right = said.iter().filter(|s| touches(&both, s)).count();
        let aside = said.iter().filter(|s| !touches(&both, s) && touches(&one, s)).count();
        let found = both.iter().filter(|g| touches(&said, g)).count();
        counts.push((i, [right, said.len() - aside, found, both.len()].map(|n| n as f64)));
        apart.extend(one.iter().map(|g| (i, [truth(touches(&said, g)), 1.0])));
    }
    let n: f64 = counts.iter().map(|(_, c)| c[3]).sum();
    let statistics: [(&str, Statistic); 3] = [
        ("precision", |c| share(c[0], c[1])),
        ("recall", |c| share(c[2], c[3])),
        ("f1", |c| {
            let recall = share(c[2], c[3])?;
            let precision = share(c[0], c[1]).unwrap_or(0.0);
            Some(share(2.0 * precision * recall, precision + recall).unwrap_or(0.0))
        }),
    ];
    let score = |(name, of)| Score::new(name, part.name, resampler.estimate(counts.iter().copied(), of), n as u64);
    let mut scores = statistics.map(score).to_vec();
    if !apart.is_empty() {
        let n = apart.len() as u64;
        scores.push(Score::new("of_those_apart", part.name, resampler.estimate(apart, ratio), n));
    }
    scores
}

/// The quotes that every labelling has, as the first has them, and those that only one has.
fn agreed(note: &LabelledNote, part: Part) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    let places = |labels: &NoteLabels| -> Vec<Range<usize>> {
        (part.labelled)(labels).into_iter().filter_map(|quote| place(&note.text, quote)).collect()
    };
    let Some((first, others)) = note.labels.split_first() else { return Default::default() };
    let (mut both, mut one) = (places(first), Vec::new());
    for labels in others {
        let theirs = places(labels);
        one.extend(theirs.iter().filter(|g| !touches(&both, g)).cloned());
        one.extend(both.extract_if(.., |g| !touches(&theirs, g)));
    }
    (both, one)
}

/// Of objections, pains found: whether their kind, the way they came up and their specificity are right. Held against the first
/// labelling.
fn details(pairs: &[Pair], resampler: &Resampler) -> Vec<Score> {
    let mut right: [Vec<(usize, [f64; 2])>; 3] = Default::default();
    for (i, pair) in pairs.iter().enumerate() {
        let Some(labels) = pair.note.labels.first() else { continue };
        let at = |quote: &str, evidence: &Evidence| {
            place(&pair.note.text, quote).is_some_and(|g| touches(&[evidence.span().range()], &g))
        };
        for label in &labels.objections {
            if let Some(found) = pair.reading.objections.iter().find(|o| at(&label.quote, &o.evidence)) {
                right[0].push((i, [truth(found.kind.as_str() == label.kind), 1.0]));
            }
        }
        for label in &labels.pains {
            if let Some(found) = pair.reading.pains.iter().find(|p| at(&label.quote, &p.evidence)) {
                right[1].push((i, [truth(found.elicitation.as_str() == label.elicitation), 1.0]));
                right[2].push((i, [truth(found.specific == label.specific), 1.0]));
            }
        }
    }
    let [kinds, origins, specifics] = right.map(|of| (of.len() as u64, resampler.estimate(of, ratio)));
    vec![
        Score::new("kind_accuracy", "objections", kinds.1, kinds.0),
        Score::new("elicitation_accuracy", "pains", origins.1, origins.0),
        Score::new("specific_accuracy", "pains", specifics.1, specifics.0),
    ]
}

/// Whether we asked for anything, where every labelling says so.
fn asked(pairs: &[Pair], resampler: &Resampler) -> Option<Score> {
    let labelled = pairs.iter().enumerate().filter_map(|(i, pair)| {
        let is = pair.note.labels.first()?.asked?;
        pair.note.labels.iter().all(|l| l.asked == Some(is)).then_some((i, [truth(is == pair.reading.asked), 1.0]))
    });
    let labelled: Vec<_> = labelled.collect();
    let n = labelled.len() as u64;
    (n > 0).then(|| Score::new("asked_accuracy", "all", resampler.estimate(labelled, ratio), n))
}

fn touches(among: &[Range<usize>], range: &Range<usize>) -> bool {
    among.iter().any(|r| r.start < range.end && range.start < r.end)
}

fn truth(is: bool) -> f64 {
    f64::from(u8::from(is))
}

fn ratio(sums: &[f64; 2]) -> Option<f64> {
    share(sums[0], sums[1])
}

/// Cohen's kappa with squared distances (Cohen, 1968) of a table with labels in rows and readings in columns. `None` where
/// both always give one same answer, which leaves chance nothing to explain.
fn quadratic_kappa(table: &[f64; RUNGS * RUNGS]) -> Option<f64> {
    let total: f64 = table.iter().sum();
    let row = |a: usize| (0..RUNGS).map(|b| table[a * RUNGS + b]).sum::<f64>();
    let column = |b: usize| (0..RUNGS).map(|a| table[a * RUNGS + b]).sum::<f64>();
    let cells = (0..RUNGS).flat_map(|a| (0..RUNGS).map(move |b| (a, b, (a as f64 - b as f64).powi(2))));
    let seen: f64 = cells.clone().map(|(a, b, far)| table[a * RUNGS + b] * far).sum();
    let chance: f64 = cells.map(|(a, b, far)| row(a) * column(b) * far).sum();
    share(seen * total, chance).map(|apart| 1.0 - apart)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crm::embedded::read_note;
    use crate::model::{Fit, NoteKind, Span};

    fn table(pairs: &[(usize, usize)]) -> [f64; RUNGS * RUNGS] {
        let mut table = [0.0; RUNGS * RUNGS];
        pairs.iter().for_each(|(a, b)| table[a * RUNGS + b] += 1.0);
        table
    }

    #[test]
    fn kappa_is_one_for_sameness_and_zero_for_chance() {
        assert_eq!(quadratic_kappa(&table(&[(0, 0), (4, 4), (2, 2)])), Some(1.0));
        assert_eq!(quadratic_kappa(&table(&[(0, 0), (0, 4), (4, 0), (4, 4)])), Some(0.0));
        // Worked by hand: one step apart in one of four, 20 of 16 by chance.
        assert!((quadratic_kappa(&table(&[(0, 0), (1, 1), (2, 1), (2, 2)])).unwrap() - 0.8).abs() < 1e-9);
        assert_eq!(quadratic_kappa(&table(&[(3, 3)])), None);
    }

    fn labels(interest: u8, fluff: &[&str]) -> NoteLabels {
        let value = serde_json::json!({
            "interest": interest, "compliments": [], "fluff": fluff, "pains": [], "objections": [],
            "commitments": [
                {"level": 2, "who": "buyer", "status": "kept"}, {"level": 4, "who": "buyer", "status": "refused"},
                {"level": 5, "who": "us", "status": "kept"},
            ],
        });
        serde_json::from_value(value).unwrap()
    }

    fn reading(text: &str, interest: u8, fluff: &[&str]) -> NoteReading {
        let mut reading = read_note("", NoteKind::Note);
        reading.interest = Interest::new(interest);
        let cut = |quote: &&str| {
            let at = text.find(quote).unwrap();
            Evidence::cut(text, Span::new(text, at, at + quote.len()).unwrap(), Fit::Exact).unwrap()
        };
        reading.fluff = fluff.iter().map(cut).collect();
        reading
    }

    fn of(scores: &[Score], measure: &str, part: &str) -> (Option<f64>, u64) {
        scores.iter().find(|s| s.measure == measure && s.act == part).map(|s| (s.value, s.n)).unwrap()
    }

    #[test]
    fn what_only_one_labelling_says_is_neither_right_nor_wrong() {
        let text = "maybe next year, she would sign, they always say so";
        let note = LabelledNote {
            id: "n".into(),
            account: "a".into(),
            kind: NoteKind::Note,
            text: text.into(),
            labels: vec![labels(2, &["maybe next year"]), labels(3, &["next year", "she would sign"])],
        };
        let said = reading(text, 3, &["maybe next year", "would sign", "always say so"]);
        let scores = score(&[note], &[said], 0);
        assert_eq!(of(&scores, "precision", "fluff"), (Some(0.5), 1));
        assert_eq!(of(&scores, "recall", "fluff"), (Some(1.0), 1));
        assert_eq!(of(&scores, "of_those_apart", "fluff"), (Some(1.0), 1));
        assert_eq!(of(&scores, "interest_exact", "all"), (None, 0));
        assert_eq!(of(&scores, "interest_of_those_apart", "all"), (Some(1.0), 1));
        assert_eq!(of(&scores, "commitment_exact", "all"), (Some(0.0), 1));
    }

    #[test]
    fn only_what_the_buyer_promised_or_kept_stands() {
        let labels = labels(0, &[]);
        assert_eq!(highest(&labels, stands), 2);
        assert_eq!(highest(&labels, |_| true), 4);
    }
}
