//! From what is seen to what is claimed: scorecards decide, a few rules of the method overrule.

use std::ops::Range;

use super::grammar::Grammar;
use super::observe::{Features, Present, Scorecard, Seen, observe};
use super::{CARDS, CHOICE, KINDS};
use crate::crm::due::due;
use crate::model::{
    ClaimedPain, Commitment, CommitmentStatus, Corroboration, Currency, Elicitation, Evidence, Fit, Giver, Interest,
    NoteKind, NoteReading, Objection, ObjectionKind, Span,
};

/// A clause with the scores it got.
struct Judged<'a> {
    seen: &'a Seen,
    scores: Vec<f64>,
}

/// The reading of one note by `cards`, in the order of [`CARDS`].
pub(super) fn read_with(
    grammar: &Grammar,
    features: &Features,
    cards: &[Scorecard],
    text: &str,
    kind: NoteKind,
) -> NoteReading {
    let seen = observe(grammar, text, kind);
    let clauses: Vec<Present> = seen.iter().map(|seen| features.clause(seen)).collect();
    let whole = features.note(&seen);
    decide(grammar, cards, &Observed { text, kind, seen: &seen, clauses: &clauses, whole: &whole })
}

/// A note with all that was seen in it.
pub(super) struct Observed<'a> {
    pub text: &'a str,
    pub kind: NoteKind,
    pub seen: &'a [Seen],
    pub clauses: &'a [Present],
    pub whole: &'a Present,
}

/// The reading of what was observed by `cards`.
pub(super) fn decide(grammar: &Grammar, cards: &[Scorecard], note: &Observed) -> NoteReading {
    let judge = |(seen, present)| Judged { seen, scores: cards.iter().map(|card| card.score(present)).collect() };
    let judged: Vec<Judged> = note.seen.iter().zip(note.clauses).map(judge).collect();
    let reader = Decider { grammar, text: note.text, kind: note.kind, judged: &judged };
    if note.kind == NoteKind::System {
        return NoteReading { commitments: reader.commitments(), ..NoteReading::default() };
    }
    let whole = |name| cards.get(card(name)).map_or(f64::NEG_INFINITY, |card| card.score(note.whole));
    let claims = whole("silent") <= 0.0;
    NoteReading {
        interest: claims.then(|| Interest::new(reader.level(whole("interest")))).flatten(),
        compliments: reader.quotes("compliment"),
        fluff: reader.quotes("fluff"),
        pains: reader.pains(),
        objections: reader.objections(),
        commitments: reader.commitments(),
        asked: reader.asked(),
        looks: Vec::new(),
        rejected: 0,
        withheld: 0,
    }
}

struct Decider<'a> {
    grammar: &'a Grammar,
    text: &'a str,
    kind: NoteKind,
    judged: &'a [Judged<'a>],
}

/// Number of a scorecard.
fn card(name: &str) -> usize {
    CARDS.iter().position(|c| *c == name).unwrap_or(CARDS.len())
}

impl Judged<'_> {
    fn score(&self, name: &str) -> f64 {
        self.scores.get(card(name)).copied().unwrap_or(f64::NEG_INFINITY)
    }

    fn is(&self, name: &str) -> bool {
        self.score(name) > 0.0
    }
}

impl Decider<'_> {
    /// Runs of clauses that `name` says yes to, within a sentence each.
    fn runs(&self, name: &str) -> Vec<&[Judged<'_>]> {
        let same =
            |a: &Judged, b: &Judged| a.is(name) && b.is(name) && a.seen.clause.sentence == b.seen.clause.sentence;
        self.judged.chunk_by(same).filter(|run| run[0].is(name)).collect()
    }

    fn evidence(&self, run: &[Judged]) -> Option<Evidence> {
        let range = run.first()?.seen.clause.range.start..run.last()?.seen.clause.range.end;
        self.cut(range)
    }

    fn cut(&self, range: Range<usize>) -> Option<Evidence> {
        Evidence::cut(self.text, Span::trimmed(self.text, range)?, Fit::Exact)
    }

    /// The level of interest that a score of the whole note means. The method rules that a verbal yes is near-certain, and
    /// that "very interested", "promising" and "great call" are strong.
    fn level(&self, score: f64) -> u8 {
        let any = |cue: &str| self.judged.iter().any(|clause| self.has(clause.seen, cue));
        let verbal = any("commitment.verbal") && any("interest.certain");
        let refused = any("interest.declined") || any("commitment.refused");
        let level = score.round().clamp(0.0, 4.0) as u8;
        match () {
            () if refused => level,
            () if verbal => 4,
            () if any("interest.ruled_strong") => level.max(3),
            () => level,
        }
    }

    fn quotes(&self, name: &str) -> Vec<Evidence> {
        self.runs(name).into_iter().filter_map(|run| self.evidence(run)).collect()
    }

    fn has(&self, seen: &Seen, cue: &str) -> bool {
        self.grammar.index(cue).is_some_and(|index| seen.own.has(index))
    }

    fn pains(&self) -> Vec<ClaimedPain> {
        // A story told over several sentences is one pain.
        let same = |a: &Judged, b: &Judged| {
            let near = b.seen.clause.sentence - a.seen.clause.sentence <= 1 && a.seen.clause.line == b.seen.clause.line;
            a.is("pain") && b.is("pain") && near && elicitation(a) == elicitation(b)
        };
        let stories = self.judged.chunk_by(same).filter(|run| run[0].is("pain"));
        let claim = |run: &[Judged]| {
            Some(ClaimedPain {
                evidence: self.evidence(run)?,
                elicitation: elicitation(run.first()?),
                specific: run.iter().any(|clause| clause.is("specific")),
            })
        };
        stories.filter_map(claim).collect()
    }

    fn objections(&self) -> Vec<Objection> {
        let claim = |run: &[Judged]| Some(Objection { evidence: self.evidence(run)?, kind: objection_kind(run) });
        self.runs("objection").into_iter().filter_map(claim).collect()
    }

    fn commitments(&self) -> Vec<Commitment> {
        let mut out = Vec::<Commitment>::new();
        let mut last: Option<(usize, u8, bool)> = None;
        for clause in self.judged {
            let Some((level, who, stands)) = self.rung(clause) else {
                last = None;
                continue;
            };
            let place = (clause.seen.clause.sentence, level, stands);
            // The next clause of the same sentence on the same rung tells of the same commitment.
            if last == Some(place) && who == Giver::Buyer && out.last().is_some_and(|c| c.who == who) {
                let start = out.last().map_or(0, |c| c.evidence.span().start());
                if let (Some(longer), Some(c)) = (self.cut(start..clause.seen.clause.range.end), out.last_mut()) {
                    c.evidence = longer;
                }
                continue;
            }
            last = Some(place);
            let Some(evidence) = self.cut(clause.seen.clause.range.clone()) else { continue };
            let status = if who == Giver::Us { CommitmentStatus::Promised } else { self.status(clause, stands) };
            let corroboration = match self.kind {
                NoteKind::System => Corroboration::SystemEvent,
                NoteKind::Email if clause.seen.clause.quoted && who == Giver::Buyer => Corroboration::BuyerWritten,
                _ => Corroboration::NoteOnly,
            };
            let currency = currency(level, who);
            out.push(Commitment { evidence, level, currency, who, status, corroboration, due: None });
        }
        // By all clauses that tell of it.
        for c in &mut out {
            c.due = due(self.text, c.evidence.span().range(), c.who, c.status);
        }
        out
    }

    /// The rung a clause tells of, whose it is, and whether the buyer stands on it: the highest that the buyer is likely enough
    /// to have reached. Our own promises are on the lowest and never the buyer's.
    fn rung(&self, clause: &Judged) -> Option<(u8, Giver, bool)> {
        let chances = chances(clause);
        let rungs = &chances[2..7];
        let reached = (0..rungs.len()).rev().find(|&rung| {
            let chance: f64 = rungs[rung..].iter().sum();
            (chance / (1.0 - chance).max(f64::MIN_POSITIVE)).ln() + clause.score("stands") > 0.0
        });
        let likeliest = (0..rungs.len()).max_by(|&a, &b| rungs[a].total_cmp(&rungs[b])).unwrap_or(0);
        let verbal = self.has(clause.seen, "commitment.verbal") && !self.has(clause.seen, "commitment.paid");
        // What a machine says did not happen did not, whatever else it names.
        let failed = self.kind == NoteKind::System && self.has(clause.seen, "commitment.missed");
        match reached {
            Some(rung) if failed => Some((rung as u8 + 1, Giver::Buyer, false)),
            Some(_) if verbal && self.kind != NoteKind::System => Some((1, Giver::Buyer, true)),
            Some(rung) => Some((rung as u8 + 1, Giver::Buyer, true)),
            None if chances[7] > chances[0].max(chances[1]) => Some((likeliest as u8 + 1, Giver::Buyer, false)),
            None if chances[1] > chances[0] && !clause.seen.clause.quoted && self.kind != NoteKind::System => {
                Some((0, Giver::Us, true))
            }
            None => None,
        }
    }

    /// What became of a commitment. A machine reports what took place.
    fn status(&self, clause: &Judged, stands: bool) -> CommitmentStatus {
        if stands {
            let kept = self.kind == NoteKind::System || clause.is("kept");
            return if kept { CommitmentStatus::Kept } else { CommitmentStatus::Promised };
        }
        let undone = [
            (CommitmentStatus::Missed, "missed"),
            (CommitmentStatus::Refused, "refused"),
            (CommitmentStatus::Asked, "asked"),
        ];
        let by_score = |a: &(CommitmentStatus, &str), b: &(CommitmentStatus, &str)| {
            clause.score(a.1).total_cmp(&clause.score(b.1))
        };
        undone.into_iter().max_by(by_score).map_or(CommitmentStatus::Asked, |most| most.0)
    }

    /// We asked for something: a clause of the rep's own says so, or a commitment stands as asked or refused.
    fn asked(&self) -> bool {
        let own = |clause: &&Judged| !clause.seen.clause.quoted && self.has(clause.seen, "commitment.asked");
        let for_something = |clause: &Judged| {
            let question = self.has(clause.seen, "speech.prompted");
            let given = self.rung(clause).is_some_and(|(_, who, _)| who == Giver::Buyer);
            given || !question
        };
        self.judged.iter().filter(own).any(for_something)
    }
}

/// How likely each of [`CHOICE`] is.
fn chances(clause: &Judged) -> [f64; CHOICE.len()] {
    let scores = CHOICE.map(|name| clause.score(name));
    let most = scores.iter().fold(f64::NEG_INFINITY, |a, b| a.max(*b));
    let parts = scores.map(|score| (score - most).exp());
    let all: f64 = parts.iter().sum();
    parts.map(|part| part / all)
}

fn objection_kind(run: &[Judged]) -> ObjectionKind {
    let sum = |name: &str| run.iter().map(|clause| clause.score(name)).sum::<f64>();
    KINDS
        .into_iter()
        .max_by(|a, b| sum(a.1).total_cmp(&sum(b.1)))
        .map_or(ObjectionKind::NoNeed, |likeliest| likeliest.0)
}

fn elicitation(clause: &Judged) -> Elicitation {
    let (volunteered, prompted) = (clause.score("volunteered"), clause.score("prompted"));
    match () {
        () if prompted > 0.0 && prompted > volunteered => Elicitation::Prompted,
        () if volunteered > 0.0 => Elicitation::Volunteered,
        () => Elicitation::RepInferred,
    }
}

fn currency(level: u8, who: Giver) -> Currency {
    match level {
        _ if who == Giver::Us => Currency::None,
        0 | 1 => Currency::None,
        3 => Currency::Reputation,
        5.. => Currency::Money,
        _ => Currency::Time,
    }
}
