//! Numbers, shares, dates and labels as words. A share is never printed without its counts, and never as a percentage
//! when fewer than 30 units stand behind it (METHOD 3.9).

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::comparison::{CountsV1, RateV1};
use crate::model::{ActKind, Intensity, Missing, Slot, Stake, SwitchStage, Voice};

/// Below this many units a share is told as a count.
pub(super) const ENOUGH_FOR_A_SHARE: u64 = 30;

/// What a share is a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// People in communities.
    People,
    /// Accounts in the CRM.
    Accounts,
}

impl Unit {
    /// `1 person`, `412 people`, `4 accounts`.
    pub(super) fn count(self, n: u64) -> String {
        match self {
            Self::People => count(n, "person", "people"),
            Self::Accounts => count(n, "account", "accounts"),
        }
    }
}

/// `1,903`.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 thread`, `12 threads`.
pub(super) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

/// A measured quantity with at most one decimal: `4.5`, `12`, `1,200`.
pub(super) fn quantity(value: f64) -> String {
    let tenths = (value.abs() * 10.0).round();
    if value.abs() >= 100.0 || tenths % 10.0 == 0.0 {
        number((tenths / 10.0).round() as u64)
    } else {
        format!("{:.1}", tenths / 10.0)
    }
}

/// `31%`; `<1%` for a share that is not nothing.
pub(super) fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    if share > 0.0 && rounded < 1.0 { "<1%".to_owned() } else { format!("{rounded:.0}%") }
}

/// `24–38%`.
pub(super) fn interval(low: f64, high: f64) -> String {
    format!("{:.0}–{:.0}%", (low * 100.0).round(), (high * 100.0).round())
}

/// A difference of shares in percentage points: `12 points`.
pub(super) fn points(difference: f64) -> String {
    let rounded = (difference.abs() * 100.0).round().max(1.0) as u64;
    count(rounded, "point", "points")
}

/// A difference with its sign: `+27`, `−9`, `0`.
pub(super) fn signed_points(difference: f64) -> String {
    let rounded = (difference * 100.0).round();
    let sign = match rounded {
        r if r > 0.0 => "+",
        r if r < 0.0 => "−",
        _ => "",
    };
    format!("{sign}{:.0}", rounded.abs())
}

/// A score with two decimals and a true minus: `−0.20`.
pub(super) fn score(value: f64) -> String {
    let rounded = (value * 100.0).round() / 100.0;
    format!("{}{:.2}", if rounded < 0.0 { "−" } else { "" }, rounded.abs())
}

/// The 95% interval of a rate, where there is one.
pub(super) fn rate_interval(rate: &RateV1) -> Option<(f64, f64)> {
    Some((rate.low?, rate.high?))
}

/// A share in words, never without its counts: `31% of 412 people (24–38%)`, `128 of 412 people (31%)`, `3 of 7 people`.
pub(super) fn share(rate: &RateV1, unit: Unit) -> String {
    share_among(rate, unit, "")
}

/// The same, saying who the units are: `31% of 412 people in whose posts … (24–38%)`.
pub(super) fn share_among(rate: &RateV1, unit: Unit, who: &str) -> String {
    if rate.of == 0 {
        return format!("no {}{who}", if unit == Unit::People { "people" } else { "accounts" });
    }
    let of = format!("{}{who}", unit.count(rate.of));
    if let Some((low, high)) = rate_interval(rate) {
        return format!("{} of {of} ({})", percent(rate.rate), interval(low, high));
    }
    if rate.of < ENOUGH_FOR_A_SHARE {
        return format!("{} of {of}", number(rate.hits));
    }
    format!("{} of {of} ({})", number(rate.hits), percent(rate.rate))
}

/// A machine count in words: `128 of 412 people (31%)`, `3 of 7 people`.
pub(super) fn counted(counts: CountsV1, unit: Unit) -> String {
    share(&machine_count(counts), unit)
}

/// A machine count as a rate without an interval.
pub(super) fn machine_count(counts: CountsV1) -> RateV1 {
    let CountsV1 { hits, of } = counts;
    RateV1 { hits, of, rate: counts.rate(), low: None, high: None, n_eff: None, labels: 0 }
}

/// A share for a column of numbers: `31%`, or nothing where only the count may be told.
pub(super) fn share_short(rate: &RateV1) -> Option<String> {
    (rate.of >= ENOUGH_FOR_A_SHARE || rate.low.is_some()).then(|| percent(rate.rate))
}

/// The counts behind a share: `128 of 412`, and for a corrected one `machine count 128 of 412`, unless all were counted by hand.
pub(super) fn counts(rate: &RateV1) -> String {
    let prefix = match rate.low {
        None => "",
        Some(_) if rate.is_census() => "hand count ",
        Some(_) => "machine count ",
    };
    format!("{prefix}{} of {}", number(rate.hits), number(rate.of))
}

/// `12 Aug 2026`, in UTC.
pub(super) fn date(at: Timestamp) -> String {
    day(civil(at))
}

/// `12 Aug 2026`.
pub(super) fn day(date: Date) -> String {
    date.strftime("%-d %b %Y").to_string()
}

/// `3 Feb 2026 to 30 Jul 2026`: from the first day to the last.
pub(super) fn period(days: Option<(Date, Date)>) -> String {
    match days {
        Some((first, last)) if first == last => day(first),
        Some((first, last)) => format!("{} to {}", day(first), day(last)),
        None => "no dates known".to_owned(),
    }
}

/// `1 Feb 2026 to 31 Jul 2026`, of days as they are published; `open` where there is none.
pub(super) fn days(first: Option<&String>, last: Option<&String>) -> String {
    let day = |text: Option<&String>| match text.map(|text| text.parse()) {
        Some(Ok(date)) => day(date),
        _ => text.map_or_else(|| "open".to_owned(), String::clone),
    };
    format!("{} to {}", day(first), day(last))
}

/// The day an instant falls on, in UTC.
pub(super) fn civil(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// `a, b and c`.
pub(super) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
    }
}

/// What there is of what is needed, at most `n` of them: `11 of 30 people, 2 of 10 threads`.
pub(super) fn missing(missing: &[Missing], n: usize) -> String {
    let has = |m: &Missing| format!("{} of {} {}", number(m.have), number(m.need), what(&m.what));
    let listed = missing.iter().take(n).map(has).collect::<Vec<_>>().join(", ");
    if missing.len() > n { format!("{listed}, …") } else { listed }
}

/// What a verdict would take: `30 people (now 11) and 10 threads (now 2)`.
pub(super) fn needed(missing: &[Missing]) -> String {
    let items = missing.iter().map(|m| format!("{} {} (now {})", number(m.need), what(&m.what), number(m.have)));
    list(&items.collect::<Vec<_>>())
}

/// A method speaks of authors, a report of people.
fn what(name: &str) -> String {
    name.replace("authors", "people")
}

/// Who speaks, as a reader says it.
pub(super) fn voice(voice: Voice) -> &'static str {
    match voice {
        Voice::FirstHand => "first-hand",
        Voice::SecondHand => "second-hand",
        Voice::Generic => "general talk",
        Voice::Hypothetical => "hypothetical",
        Voice::VendorOrPromo => "vendor or promotion",
        Voice::Unclear => "unclear",
    }
}

/// What the words do.
pub(super) fn act(act: ActKind) -> &'static str {
    match act {
        ActKind::Complaint => "complaint",
        ActKind::FailedWorkaround => "tried, failed",
        ActKind::Workaround => "workaround in use",
        ActKind::Ask => "ask",
        ActKind::Switch => "switch",
        ActKind::Praise => "praise",
    }
}

/// What people did, for a count of people.
pub(super) fn act_done(act: ActKind) -> &'static str {
    match act {
        ActKind::Complaint => "complain",
        ActKind::FailedWorkaround => "tried something that failed",
        ActKind::Workaround => "live with a workaround",
        ActKind::Ask => "ask for a way out",
        ActKind::Switch => "leave, left or think of leaving",
        ActKind::Praise => "praise",
    }
}

/// A slot of the texture, as a reader asks for it.
pub(super) fn slot(slot: Slot) -> &'static str {
    match slot {
        Slot::ActorRole => "who has it",
        Slot::TriggerSituation => "when it bites",
        Slot::ToolsInvolved => "tools named",
        Slot::Frequency => "how often",
        Slot::Duration => "for how long",
        Slot::Intensity => "how hard",
        Slot::CostTime => "time it costs",
        Slot::CostMoney => "money it costs",
        Slot::Stakes => "what is at stake",
        Slot::Attempts => "what they tried",
        Slot::AlreadyPays => "already pays",
    }
}

/// How hard it is said to be.
pub(super) fn intensity(level: Intensity) -> &'static str {
    match level {
        Intensity::Minor => "called minor",
        Intensity::Strong => "strong words",
        Intensity::Blocking => "blocks work or threatens a job, a client, safety",
    }
}

/// What is at stake.
pub(super) fn stake(stake: Stake) -> &'static str {
    match stake {
        Stake::Annoyance => "peace of mind",
        Stake::Rework => "work done again",
        Stake::Deadline => "a date",
        Stake::Revenue => "money that comes in",
        Stake::Compliance => "rules to be kept",
        Stake::People => "those who do the work",
        Stake::Safety => "life, limb and health",
    }
}

/// How far a switch has gone.
pub(super) fn stage(stage: SwitchStage) -> &'static str {
    match stage {
        SwitchStage::Considering => "considering",
        SwitchStage::Decided => "decided",
        SwitchStage::Done => "done",
        SwitchStage::Reversed => "went back",
    }
}

/// Claimed interest (METHOD 2.1).
pub(super) fn interest(level: Option<u8>) -> &'static str {
    match level {
        Some(4) => "near-certain",
        Some(3) => "strong",
        Some(2) => "mild",
        Some(1) => "cool",
        Some(_) => "declined",
        None => "claims nothing",
    }
}

/// What was given (METHOD 2.2), as a column head.
pub(super) const GIVEN: [&str; 6] =
    ["nothing", "undated intent", "dated step", "named introduction", "costly trial", "money"];

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(hits: u64, of: u64, interval: Option<(f64, f64)>) -> RateV1 {
        RateV1 {
            hits,
            of,
            rate: if of == 0 { 0.0 } else { hits as f64 / of as f64 },
            low: interval.map(|i| i.0),
            high: interval.map(|i| i.1),
            n_eff: None,
            labels: 0,
        }
    }

    #[test]
    fn a_share_never_stands_without_its_counts() {
        for (rate, words) in [
            (rate(128, 412, None), "128 of 412 people (31%)"),
            (rate(128, 412, Some((0.24, 0.38))), "31% of 412 people (24–38%)"),
            (rate(3, 7, None), "3 of 7 people"),
            (rate(1, 1, None), "1 of 1 person"),
            (rate(0, 0, None), "no people"),
            (rate(1, 1903, None), "1 of 1,903 people (<1%)"),
        ] {
            assert_eq!(share(&rate, Unit::People), words);
        }
    }

    #[test]
    fn few_are_told_as_a_count() {
        assert_eq!(share_short(&rate(3, 29, None)), None);
        assert_eq!(share_short(&rate(3, 30, None)).as_deref(), Some("10%"));
    }

    #[test]
    fn numbers_are_grouped_and_rounded() {
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(number(999), "999");
        for (value, words) in [(4.5, "4.5"), (12.0, "12"), (1199.6, "1,200"), (0.25, "0.3"), (100.4, "100")] {
            assert_eq!(quantity(value), words);
        }
        for (difference, words) in [(0.271, "+27"), (-0.09, "−9"), (-0.001, "0")] {
            assert_eq!(signed_points(difference), words);
        }
        assert_eq!([-0.204, -0.001, 0.1].map(score), ["−0.20", "0.00", "0.10"]);
    }

    #[test]
    fn what_is_missing_is_told_with_what_is_needed() {
        let gaps = [
            Missing { what: "authors".to_owned(), have: 11, need: 30 },
            Missing { what: "threads".to_owned(), have: 2, need: 10 },
        ];
        assert_eq!(missing(&gaps, 2), "11 of 30 people, 2 of 10 threads");
        assert_eq!(missing(&gaps, 1), "11 of 30 people, …");
        assert_eq!(needed(&gaps), "30 people (now 11) and 10 threads (now 2)");
    }
}
