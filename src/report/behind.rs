//! Hollow optimism in words (METHOD 3.5, 5.5): how much there is, who was asked, what became of promises, who writes it.

use super::view::{InterestRow, Mark, OptimismView, UnbackedAccount};
use super::words::{self, Unit, count, number, percent};
use crate::model::comparison::{AnswerV1, CountsV1, FALSE_DISCOVERIES, RateV1, SETTLING_DAYS, SegmentV1, SplitV1};
use crate::text::numbers::p_value;

/// Segments with fewer accounts have no rate (METHOD 5.5); the comparison decides, this is to say so.
const FEW: u64 = 20;

/// One kind of segments as a table.
pub(super) struct Segments<'a> {
    /// Heading: what the accounts are divided by.
    pub(super) head: &'static str,
    /// Heading of the first column.
    pub(super) column: &'static str,
    /// Segments with a shrunk rate, in the order of the comparison.
    pub(super) rows: Vec<&'a SegmentV1>,
    /// What the table means, and what is not in it.
    pub(super) says: Vec<String>,
}

impl OptimismView {
    /// The four numbers of the first screen, each after its label; the second with its share. Who counted is said beside a
    /// measured share.
    pub(super) fn headline(&self) -> Vec<(&'static str, String)> {
        let by = match self.unbacked.low {
            None => "",
            Some(_) if self.by_hand => ", by hand",
            Some(_) => ", by machine",
        };
        let (hits, strong) = (number(self.unbacked.hits), number(self.strong));
        let backed = match (words::share_short(&self.unbacked), by) {
            (Some(share), "") => format!("{hits} of {strong} ({share})"),
            (Some(share), by) => {
                let range = words::rate_interval(&self.unbacked)
                    .map_or_else(String::new, |(l, h)| words::interval(l, h) + "; ");
                format!("{share} ({range}{hits} of {strong}{by})")
            }
            (None, _) => format!("{hits} of {strong}"),
        };
        let of = |n: u64| format!("{} of {hits}{by}", number(n));
        vec![
            ("called very interested", format!("{}{by}", Unit::Accounts.count(self.strong))),
            ("backed by nothing", backed),
            ("of these, never asked for anything", of(self.never_asked)),
            ("asked, and nothing came", of(self.asked_not_given)),
        ]
    }

    /// What the frames mean, and why the table and the rate may differ.
    pub(super) fn table_note(&self) -> String {
        let counted = match self.unbacked.low {
            _ if self.by_hand => "The table is counted by machine and the rate by hand, so they may differ.",
            Some(_) => "The table is counted by machine and the rate is corrected by hand labels, so they may differ.",
            None => "The table is counted by machine.",
        };
        let young = match self.young {
            0 => String::new(),
            n => format!(
                " Strong interest that is claimed only in the last {SETTLING_DAYS} days of the period, too late for anything to be given yet, is in \
                 the table ({}) and not in the rate.",
                Unit::Accounts.count(n)
            ),
        };
        format!("The framed numbers are strong claims with nothing behind them. {counted}{young}")
    }

    /// A share of accounts, and without an interval who counted.
    fn told(&self, rate: &RateV1, who: &str) -> String {
        let by = match rate.low {
            Some(_) => "",
            None if self.by_hand => ", counted by hand",
            None => ", counted by machine",
        };
        format!("{}{by}", words::share_among(rate, Unit::Accounts, who))
    }

    /// The accounts that are unbacked and not shown: `acct 3, 9, 12`, cut after a few dozen.
    pub(super) fn more_words(&self) -> Option<String> {
        const LISTED: usize = 60;
        let numbers = self.more.iter().take(LISTED).map(|n| number(*n)).collect::<Vec<_>>().join(", ");
        let rest = match self.more.len().saturating_sub(LISTED) {
            0 => String::new(),
            n => format!(" and {} more", number(n as u64)),
        };
        let count = count(self.more.len() as u64, "more account", "more accounts");
        (!self.more.is_empty())
            .then(|| format!("{count} with strong interest and nothing behind it: acct {numbers}{rest}."))
    }

    /// Why nothing is behind it, and what became of promises: one sentence each.
    pub(super) fn split_words(&self) -> Vec<String> {
        let Some(split) = self.split.as_ref().filter(|s| s.asked.of > 0) else { return Vec::new() };
        let among = |rate: &RateV1| self.told(rate, "");
        let asked = self.told(&split.asked, " called very interested");
        let mut says = vec![format!(
            "Asked for anything: {asked}.{}",
            split.asking.as_ref().map_or_else(String::new, asking_words)
        )];
        says.push(match (split.unbacked_not_asked.of, split.unbacked_asked.of) {
            (_, 0) => format!("Nothing behind it, and never asked: {}.", among(&split.unbacked_not_asked)),
            (0, _) => format!("Nothing behind it, though asked: {}.", among(&split.unbacked_asked)),
            _ => format!(
                "Nothing behind it among those never asked: {}; among those who were asked: {}. The first can still be asked; in the \
                 second the claimed interest is itself in doubt.",
                among(&split.unbacked_not_asked),
                among(&split.unbacked_asked)
            ),
        });
        says.extend(self.otherwise.map(|(low, high)| {
            let (low, high) = (percent(low), percent(high));
            format!("With hand labels read otherwise, contested ones or one annotator's alone, the share is from {low} to {high}.")
        }));
        says.extend(promise_words(split));
        says
    }

    /// The segments, a table for each kind that has a rate to show.
    pub(super) fn segment_tables(&self) -> Vec<Segments<'_>> {
        let kinds = [
            ("rep", "By rep", "Rep", ("rep", "reps")),
            ("channel", "By the kind of note that first claims it", "Kind", ("kind of note", "kinds of notes")),
            ("segment", "By segment, as the CRM has it", "Segment", ("segment", "segments")),
        ];
        kinds
            .into_iter()
            .filter_map(|(by, head, column, unit)| {
                let (rows, few): (Vec<_>, Vec<_>) =
                    self.segments.iter().filter(|s| s.by == by).partition(|s| s.shrunk.is_some());
                let mut says = vec![difference_words(rows.first()?, unit.1)];
                if self.unbacked.low.is_some() {
                    let by = if self.by_hand { "hand" } else { "machine, the rates corrected with hand labels" };
                    says.push(format!("Accounts are counted by {by}."));
                }
                says.push(format!(
                    "A shrunk rate is drawn towards that of all {}, the more so the fewer accounts it stands on, so that none looks \
                     best or worst by chance.",
                    unit.1
                ));
                if by == "rep" {
                    says.push(
                        "Reps are numbered here, and the numbers are not the letters beside the notes.".to_owned(),
                    );
                }
                says.extend(few_words(&few, unit));
                Some(Segments { head, column, rows, says })
            })
            .collect()
    }
}

impl Mark {
    /// For the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            other => other.as_str(),
        }
    }
}

impl InterestRow {
    /// Whether this cell is strong interest with nothing behind it (METHOD 3.5: level 1 or less).
    pub(super) fn is_hollow(&self, level: usize) -> bool {
        self.level >= Some(3) && level < 2
    }
}

impl UnbackedAccount {
    /// `acct 83 · strong interest · never asked · call · 3 Jul 2026 · rep A`.
    pub(super) fn facts(&self) -> Vec<String> {
        let mut facts = vec![
            format!("acct {}", self.number),
            format!("{} interest", self.interest),
            if self.asked { "asked, nothing came" } else { "never asked" }.to_owned(),
            self.note.kind.to_owned(),
            self.note.written_at.map_or_else(|| "undated".to_owned(), words::date),
        ];
        facts.extend(self.rep.as_ref().map(|r| format!("rep {r}")));
        facts
    }
}

impl SegmentV1 {
    /// `18 of 24 accounts`.
    pub(super) fn counts(&self) -> String {
        format!("{} of {}", number(self.unbacked.hits), Unit::Accounts.count(self.unbacked.of))
    }

    /// `72% (61–82%)`.
    pub(super) fn shrunk_words(&self) -> String {
        match (self.shrunk, self.low, self.high) {
            (Some(rate), Some(low), Some(high)) => format!("{} ({})", percent(rate), words::interval(low, high)),
            (Some(rate), ..) => percent(rate),
            (None, ..) => String::new(),
        }
    }
}

/// What may be said of how many were never asked, as a sentence to add.
fn asking_words(answer: &AnswerV1) -> String {
    match (answer.verdict.as_str(), answer.detectable) {
        ("finding", _) => " That is a finding: surely more than one in five were never asked.".to_owned(),
        ("no_gap_detected", Some(seen)) => format!(
            " Too few asked was not detected; {} or more never asked would have been seen four times in five.",
            percent(seen)
        ),
        _ => too_little(answer).unwrap_or_default(),
    }
}

/// That there is too little evidence, when that is the answer, as a sentence to add.
fn too_little(answer: &AnswerV1) -> Option<String> {
    let missing = (answer.verdict == "not_enough_evidence").then(|| words::missing(&answer.missing, usize::MAX))?;
    Some(format!(" Too little evidence for a verdict: {missing}."))
}

/// Promises and steps that only a note vouches for; machine counts always.
fn promise_words(split: &SplitV1) -> Vec<String> {
    let of = |counts: CountsV1| {
        let share = words::share_short(&words::machine_count(counts)).map_or_else(String::new, |s| format!(" ({s})"));
        format!("{} of {}{share}", number(counts.hits), number(counts.of))
    };
    let kept = match split.kept.of {
        0 => "Kept promises: the notes tell of no promise that was due and then kept or missed.".to_owned(),
        _ => format!("Kept promises: {} that were due and then kept or missed.", of(split.kept)),
    };
    let too_little = split.keeping.as_ref().and_then(too_little).unwrap_or_default();
    let mut says = vec![kept + &too_little];
    if split.untold.hits > 0 {
        says.push(format!(
            "Promises whose day has passed, with no word of what became of them: {}; they count as neither kept nor missed.",
            of(split.untold)
        ));
    }
    if split.undated.of > 0 {
        says.push(format!(
            "Promises for no day that is named: {}; whether such a promise was kept, nobody can say.",
            of(split.undated)
        ));
    }
    says.push(format!(
        "Vouched for by the note alone: in {} of {} a step is told as kept that nobody but the rep vouches for; it counts as nothing.",
        number(split.note_only.hits),
        Unit::Accounts.count(split.note_only.of)
    ));
    says.push(
        "Promises and steps are counted by machine and get no verdict; hand labels do not tell of them.".to_owned(),
    );
    says
}

/// Whether segments differ, as far as it may be said; the test comes before any look at one of them.
fn difference_words(segment: &SegmentV1, many: &str) -> String {
    match (segment.low, segment.omnibus_p) {
        (None, _) => {
            format!("Counted by machine, not corrected for its mistakes: whether {many} differ is not said.")
        }
        (Some(_), None) => format!("Too few accounts to test whether {many} differ."),
        // A comparison from before all kinds of segments were tested as one family.
        (Some(_), Some(_)) if segment.p_adjusted.is_none() => format!("Compare anew to hear whether {many} differ."),
        (Some(_), Some(p)) if segment.p_adjusted.is_some_and(|p| p <= FALSE_DISCOVERIES) => {
            format!("The {many} differ by more than chance ({}).", p_words(p, segment.p_adjusted))
        }
        (Some(_), Some(p)) => format!("No detectable difference between {many} ({}).", p_words(p, segment.p_adjusted)),
    }
}

/// `p = 0.012; adjusted for the other tests p = 0.036`.
fn p_words(p: f64, adjusted: Option<f64>) -> String {
    let adjusted = adjusted.filter(|adjusted| *adjusted > p);
    let adjusted = adjusted.map_or_else(String::new, |p| format!("; adjusted for the other tests p {}", p_value(p)));
    format!("p {}{adjusted}", p_value(p))
}

/// The segments without a rate, together.
fn few_words(few: &[&SegmentV1], (one, many): (&str, &str)) -> Option<String> {
    let (hits, of) = few.iter().fold((0, 0), |(hits, of), s| (hits + s.unbacked.hits, of + s.unbacked.of));
    (of > 0).then(|| {
        format!(
            "Without a rate, because of fewer than {FEW} accounts each: {}, together {} of {}.",
            count(few.len() as u64, one, many),
            number(hits),
            Unit::Accounts.count(of)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rep(name: &str, hits: u64, of: u64, measured: Option<Option<f64>>) -> SegmentV1 {
        let shrunk = (of >= FEW).then_some(0.7);
        SegmentV1 {
            by: "rep".to_owned(),
            name: name.to_owned(),
            unbacked: CountsV1 { hits, of },
            shrunk,
            low: measured.and(shrunk).map(|rate| rate - 0.1),
            high: measured.and(shrunk).map(|rate| rate + 0.1),
            omnibus_p: measured.flatten(),
            p_adjusted: measured.flatten().map(|p| 3.0 * p),
        }
    }

    #[test]
    fn a_difference_is_claimed_by_the_test_alone() {
        for (measured, says) in [
            (None, "Counted by machine, not corrected for its mistakes: whether reps differ is not said."),
            (Some(None), "Too few accounts to test whether reps differ."),
            (
                Some(Some(0.04)),
                "No detectable difference between reps (p = 0.040; adjusted for the other tests p = 0.120).",
            ),
            (
                Some(Some(0.03)),
                "The reps differ by more than chance (p = 0.030; adjusted for the other tests p = 0.090).",
            ),
            (
                Some(Some(0.0002)),
                "The reps differ by more than chance (p < 0.001; adjusted for the other tests p < 0.001).",
            ),
        ] {
            assert_eq!(difference_words(&rep("rep 1", 20, 30, measured), "reps"), says);
        }
        assert_eq!(rep("rep 1", 20, 30, Some(None)).shrunk_words(), "70% (60–80%)");
        assert_eq!(rep("rep 1", 20, 30, None).shrunk_words(), "70%");
    }

    #[test]
    fn the_few_are_told_together() {
        let few = [rep("rep 1", 3, 7, None), rep("rep 2", 1, 1, None)];
        assert_eq!(
            few_words(&few.each_ref(), ("rep", "reps")).unwrap(),
            "Without a rate, because of fewer than 20 accounts each: 2 reps, together 4 of 8 accounts."
        );
        assert_eq!(few_words(&[], ("rep", "reps")), None);
    }
}
