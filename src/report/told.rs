//! What people tell of a problem, in words: its texture, what it costs, what they tried, what they left.

use super::view::{CostView, Count, MeansView, ProblemView, SlotView, Stated, SwitchView, TextureView, Tried};
use super::words::{self, Unit, number, quantity};
use crate::model::Slot;

/// Fewer people than this say nothing of what a problem is like (METHOD 1.3).
const ENOUGH_FOR_TEXTURE: u64 = 3;

/// Fewer people than this make no median (METHOD 1.3).
const ENOUGH_FOR_A_MEDIAN: u64 = 3;

impl TextureView {
    /// One slot; `None` when nobody fills it.
    fn slot(&self, slot: Slot) -> Option<&SlotView> {
        self.slots.iter().find(|s| s.slot == slot && s.people > 0)
    }

    /// `7 of 11 slots are stated, by 42 people`, or that these are too few.
    pub(super) fn lead(&self) -> String {
        let stated = self.slots.iter().filter(|s| s.people > 0).count();
        let by = Unit::People.count(self.by);
        match self.by {
            0 => "nothing is stated".to_owned(),
            n if n < ENOUGH_FOR_TEXTURE => {
                format!(
                    "not enough evidence: {stated} of {} slots are stated, by {by} (needs {ENOUGH_FOR_TEXTURE})",
                    self.slots.len()
                )
            }
            _ => format!("{stated} of {} slots are stated, by {by}", self.slots.len()),
        }
    }
}

impl ProblemView {
    /// When it bites.
    pub(super) fn situation(&self) -> Option<&SlotView> {
        self.texture.slot(Slot::TriggerSituation)
    }

    /// What is at stake.
    pub(super) fn stakes(&self) -> Option<&SlotView> {
        self.texture.slot(Slot::Stakes)
    }
}

impl SlotView {
    /// What the slot is about.
    pub(super) fn name(&self) -> &'static str {
        words::slot(self.slot)
    }

    /// How many fill it: a number, or that it is not stated.
    pub(super) fn stated(&self) -> String {
        if self.people == 0 { "not stated".to_owned() } else { Unit::People.count(self.people) }
    }

    /// What is stated most: `Excel (4), Sheets (3)`; empty where only the words tell.
    pub(super) fn most(&self) -> String {
        if self.values.is_empty() { String::new() } else { listed(&self.values) }
    }

    /// `3 people: rework (2)`; `not stated`.
    pub(super) fn words(&self) -> String {
        let most = self.most();
        let most = if most.is_empty() { most } else { format!(": {most}") };
        format!("{}{most}", self.stated())
    }
}

/// `dispatcher (3), office manager (2)`.
pub(super) fn listed(counts: &[Count]) -> String {
    if counts.is_empty() {
        return "no first-hand post tells of it".to_owned();
    }
    counts.iter().map(|c| format!("{} ({})", c.label, number(c.people))).collect::<Vec<_>>().join(", ")
}

impl Stated {
    /// `dispatcher (3), office manager (2); stated by 5 people`, or `not stated`.
    pub(super) fn words(&self) -> String {
        if self.by == 0 {
            return "not stated".to_owned();
        }
        format!("{}; stated by {}", listed(&self.values), Unit::People.count(self.by))
    }
}

impl CostView {
    /// `median 16 hours a month, from 2 hours to 40 hours (9 people)`.
    pub(super) fn words(&self) -> String {
        let people = Unit::People.count(self.people);
        let (low, high, period) = (self.amount(self.low), self.amount(self.high), self.period_words());
        let paid = if self.already_paid { "; already paid for a way around it" } else { "" };
        match self.people {
            1 => format!("{low}{period} ({people}, so no median){paid}"),
            n if n < ENOUGH_FOR_A_MEDIAN => format!("{low} and {high}{period} ({people}, too few for a median){paid}"),
            _ => format!("median {}{period}, from {low} to {high} ({people}){paid}", self.amount(self.median)),
        }
    }

    /// `16 hours`, `£30`, `USD 30`.
    fn amount(&self, value: f64) -> String {
        let value = quantity(value);
        match self.unit.as_str() {
            "hours" => format!("{value} {}", if value == "1" { "hour" } else { "hours" }),
            sign if sign.chars().count() == 1 => format!("{sign}{value}"),
            code => format!("{code} {value}"),
        }
    }

    fn period_words(&self) -> String {
        self.period.as_ref().map_or_else(|| " (no period named)".to_owned(), |period| format!(" {period}"))
    }

    /// The same for a cell of a table.
    pub(super) fn short(&self) -> String {
        let people = Unit::People.count(self.people);
        let period = self.period.as_ref().map_or_else(String::new, |period| format!(" {period}"));
        if self.people < ENOUGH_FOR_A_MEDIAN {
            return format!("up to {}{period} ({people})", self.amount(self.high));
        }
        format!("{}{period} (median of {people})", self.amount(self.median))
    }
}

impl MeansView {
    /// `failed for 7 of 9 people; 2 still do it`.
    pub(super) fn counts(&self) -> String {
        let failed = format!("failed for {} of {}", number(self.failed), Unit::People.count(self.tried));
        match self.in_use {
            0 => failed,
            1 => format!("{failed}; 1 still does it"),
            n => format!("{failed}; {} still do it", number(n)),
        }
    }
}

impl Tried {
    /// How many are not in the list.
    pub(super) fn rest(&self) -> Option<String> {
        (self.elsewhere > 0).then(|| {
            let more = if self.means.is_empty() { "" } else { " more" };
            format!("{}{more} of the {} tried something else.", number(self.elsewhere), Unit::People.count(self.people))
        })
    }
}

impl SwitchView {
    /// `from JobHarbor to Crewlane, done: 2 people`.
    pub(super) fn words(&self) -> String {
        let from = self.from.as_ref().map_or_else(String::new, |f| format!("from {f} "));
        let to = self.to.as_ref().map_or_else(String::new, |t| format!("to {t}"));
        let way = format!("{from}{to}");
        let way = if way.is_empty() { "not named" } else { way.trim_end() };
        format!("{way}, {}: {}", self.stage, Unit::People.count(self.people))
    }
}
