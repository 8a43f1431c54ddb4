//! Days that a text names in words, as a promise does: `by Friday`, `on 12 March`, `end of the month`.
//!
//! Two steps, so that what was read does not depend on when it was written: the words are found in the text, and mean a day
//! only beside the day on which they were written. One rule holds: only a day that is named is a day. `next quarter` and
//! `after summer` are none.

use std::ops::Range;
use std::sync::LazyLock;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use regex::{Captures, Regex};

/// Days that a named day may be past.
const LATE: i64 = 31;

/// What may stand after the number of a day; after any other word it is no day (`the 2nd call`).
const AFTER_A_DAY: [&str; 10] = ["at", "and", "or", "with", "to", "in", "so", "for", "latest", "then"];

/// What the names of months begin with, in their order.
pub(crate) const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

const NUMBERS: [&str; 12] =
    ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// A month's name. `May` and `March` are words, too: they need their capital, and so do all short forms.
const MONTH: &str = "(?:january|february|april|june|july|august|september|october|november|december\
                     |(?-i:March|May|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\\b\\.?))";

const DAY: &str = "(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|(?-i:(?:Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)\\b))";

static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = [
        r"(?P<by>\b(?:by|until|till|before|due|no later than)\s+(?:(?:on|the|close of|cob|eod)\s+)*)?\b(?:",
        r"(?P<iso>\d{4}-\d{2}-\d{2})",
        &format!(r"|(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{MONTH})(?:,?\s+(?P<year>\d{{4}})\b)?"),
        &format!(
            r"|(?P<month2>{MONTH})\s+(?:the\s+)?(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s+(?P<year2>\d{{4}})\b)?"
        ),
        &format!(
            r"|(?P<which>(?:next|this|coming|last|past|every|each)\s+)?(?P<weekday>{DAY})(?:,?\s+(?:the\s+)?(?P<date>\d{{1,2}})(?:st|nd|rd|th))?"
        ),
        &format!(
            r"|(?P<end>(?:the\s+)?end\s+of\s+(?:(?P<later>next)\s+|the\s+|this\s+)?(?P<unit>day|week|month|quarter|year|{MONTH}))"
        ),
        r"|(?P<short>(?-i:EOD|EOW|EOM|EOQ|EOY))",
        r"|(?P<near>today|tonight|tomorrow)",
        &format!(r"|(?:in|within)\s+(?P<n>an?|\d{{1,3}}|{})\s+(?P<units>day|week|month)s?", NUMBERS.join("|")),
        r"|(?P<on>on\s+the\s+)?(?P<dom>\d{1,2})(?:st|nd|rd|th)",
        r"|(?P<first>\d{1,2})/(?P<second>\d{1,2})",
        r")\b",
    ];
    Regex::new(&format!("(?i){}", pattern.concat())).ok()
});

/// Where `text` says when something is due: the first day after `by` or the like, else the last that it names. What was last
/// week, or is every week, is no day to come.
pub fn find(text: &str) -> Option<Range<usize>> {
    let named = NAMED.as_ref()?.captures_iter(text).filter(|found| is_day(found, text)).collect::<Vec<_>>();
    let due = named.iter().find(|found| found.name("by").is_some()).or(named.last())?;
    let whole = due.get(0)?;
    // `by` and what goes with it are no part of the day.
    let start = due.name("by").map_or(whole.start(), |by| by.end());
    Some(start..whole.end())
}

/// Whether a day to come is named. A bare `10th` may be a tenth call and `9/20` nine of twenty: they need a `by`, or an `on the`,
/// before them.
fn is_day(found: &Captures<'_>, text: &str) -> bool {
    let has = |name: &str| found.name(name).is_some();
    let which = found.name("which").map(|which| which.as_str().trim().to_ascii_lowercase());
    if which.is_some_and(|which| matches!(which.as_str(), "last" | "past" | "every" | "each")) {
        return false;
    }
    let rest = found.get(0).and_then(|whole| text.get(whole.end()..)).unwrap_or_default();
    let next =
        rest.strip_prefix(' ').unwrap_or_default().split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    match () {
        () if has("dom") => (has("by") || has("on")) && (next.is_empty() || AFTER_A_DAY.contains(&next)),
        () if has("first") => has("by"),
        () => true,
    }
}

/// The last day that `words`, as [`find`] finds them, may mean when they are written on the day `on`. `None` when they name no
/// day, or none that there is.
pub fn resolve(words: &str, on: Date) -> Option<Date> {
    let found = NAMED.as_ref()?.captures(words)?;
    let text = |name: &str| found.name(name).map(|part| part.as_str().to_ascii_lowercase());
    let after = |days: i64| on.checked_add(days.days()).ok();
    if let Some(iso) = text("iso") {
        return iso.parse().ok();
    }
    for (day, month, year) in [("day", "month", "year"), ("day2", "month2", "year2")] {
        if let (Some(day), Some(month)) = (text(day), text(month)) {
            return of_year(day.parse().ok()?, number_of(&month)?, text(year).and_then(|y| y.parse().ok()), on);
        }
    }
    if let Some(day) = text("dom").or_else(|| text("date")) {
        return of_month(day.parse().ok()?, on);
    }
    if let (Some(first), Some(second)) = (text("first"), text("second")) {
        let (first, second): (i8, i8) = (first.parse().ok()?, second.parse().ok()?);
        return match (first, second) {
            (13.., 1..=12) => of_year(first, second, None, on),
            (1..=12, 13..) => of_year(second, first, None, on),
            // Either may be the day.
            _ => None,
        };
    }
    if let Some(name) = text("weekday") {
        let (_, weekday) = DAYS.into_iter().find(|(short, _)| name.starts_with(short))?;
        let until = i64::from(on.weekday().until(weekday));
        // `next Tuesday` is the one of next week to some and the coming one to others: the later.
        let next = text("which").is_some_and(|which| which.starts_with("next"));
        let into_week = i64::from(on.weekday().to_monday_zero_offset());
        let later = 7 - into_week + i64::from(weekday.to_monday_zero_offset());
        return after(if next { later } else { until });
    }
    if let Some(near) = text("near") {
        return after(i64::from(near == "tomorrow"));
    }
    if let Some(n) = text("n") {
        let n =
            NUMBERS.iter().position(|number| *number == n).map_or_else(|| n.parse().unwrap_or(1), |at| at as i64 + 1);
        return match text("units")?.as_str() {
            "day" => after(n),
            "week" => after(7 * n),
            _ => on.checked_add(n.months()).ok(),
        };
    }
    let later = text("later").is_some();
    let unit = text("unit").or_else(|| text("short").map(|short| short.trim_start_matches("eo").to_owned()))?;
    end_of(&unit, later, on)
}

/// The last day of the day, week, month, quarter or year that `on` is in, or of the one after; or of the month of that name.
fn end_of(unit: &str, later: bool, on: Date) -> Option<Date> {
    let months = |from: Date, n: i64| from.checked_add(n.months()).ok().map(Date::last_of_month);
    let later = i64::from(later);
    match unit {
        "day" | "d" => on.checked_add(later.days()).ok(),
        "week" | "w" => {
            let left = 6 - i64::from(on.weekday().to_monday_zero_offset());
            on.checked_add((left + 7 * later).days()).ok()
        }
        "month" | "m" => months(on.first_of_month(), later),
        "quarter" | "q" => months(on.first_of_month(), 2 - i64::from((on.month() - 1) % 3) + 3 * later),
        "year" | "y" => Date::new(on.year().checked_add(i16::try_from(later).ok()?)?, 12, 31).ok(),
        month => {
            let month = number_of(month)?;
            to_come(years(on).filter_map(|year| Some(Date::new(year, month, 1).ok()?.last_of_month())), on)
        }
    }
}

fn number_of(month: &str) -> Option<i8> {
    let at = MONTHS.iter().position(|short| month.starts_with(short))?;
    i8::try_from(at + 1).ok()
}

/// The first day of this number that is to come.
fn of_month(day: i8, on: Date) -> Option<Date> {
    let months = (0..=2).filter_map(|n| on.first_of_month().checked_add(n.months()).ok());
    let mut days = months.filter_map(|month| Date::new(month.year(), month.month(), day).ok());
    days.find(|date| *date >= on)
}

/// The day of this year; without one, of the first year in which it is to come.
fn of_year(day: i8, month: i8, year: Option<i16>, on: Date) -> Option<Date> {
    match year {
        Some(year) => Date::new(year, month, day).ok(),
        None => to_come(years(on).filter_map(|year| Date::new(year, month, day).ok()), on),
    }
}

fn years(on: Date) -> impl Iterator<Item = i16> {
    (-1..=4).filter_map(move |n| on.year().checked_add(n))
}

/// The first of `dates` to come. One that was not long ago may be meant as well: notes are written late.
fn to_come(mut dates: impl Iterator<Item = Date>, on: Date) -> Option<Date> {
    let late = on.saturating_sub(LATE.days());
    dates.find(|date| *date >= late)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Of Wednesday, 11 March 2026.
    fn due(text: &str) -> Option<String> {
        resolve(&text[find(text)?], "2026-03-11".parse().unwrap()).map(|date| date.to_string())
    }

    #[test]
    fn a_day_that_is_named_is_told() {
        for (text, day) in [
            ("She sends us her June roster by Friday.", "2026-03-13"),
            ("second call booked for Tuesday 10am", "2026-03-17"),
            ("file next Tuesday", "2026-03-17"),
            ("back next Friday", "2026-03-20"),
            ("this Friday at the latest", "2026-03-13"),
            ("decision on 12 March", "2026-03-12"),
            ("They met on Monday and promised the numbers by March 20th", "2026-03-20"),
            ("sign by the 3rd of January", "2027-01-03"),
            ("before Dec 1, 2026", "2026-12-01"),
            ("due 2026-04-01", "2026-04-01"),
            ("will send it tomorrow", "2026-03-12"),
            ("by EOD", "2026-03-11"),
            ("by the end of the week", "2026-03-15"),
            ("by end of next month", "2026-04-30"),
            ("end of April", "2026-04-30"),
            ("signs EOQ", "2026-03-31"),
            ("answers within two weeks", "2026-03-25"),
            ("in a month", "2026-04-11"),
            ("within 10 days", "2026-03-21"),
            ("she'll load two weeks by the 10th", "2026-04-10"),
            ("loaded by 16 March, review on the 17th", "2026-03-16"),
            ("Astrid will join on the 24th, she wants to see it", "2026-03-24"),
            ("her list by Monday the 16th so I can build it", "2026-03-16"),
            ("come Fri 20th", "2026-03-20"),
            ("decision by 3/27", "2026-03-27"),
        ] {
            assert_eq!(due(text).as_deref(), Some(day), "{text}");
        }
    }

    #[test]
    fn what_names_no_day_is_none() {
        for text in [
            "circle back after summer",
            "maybe next quarter",
            "next week or so",
            "they sat in and may sign",
            "every Friday they retype it",
            "last Tuesday it failed",
            "march 400 crates out",
            "30 February works",
            "the 12 of them",
            "on the 2nd call she agreed",
            "took the 3rd slot",
            "they run 24/7 and won 9/20",
            "by 3/4",
            "",
        ] {
            assert_eq!(due(text), None, "{text}");
        }
    }

    #[test]
    fn a_year_that_is_not_told_is_the_one_to_come() {
        let of = |text: &str, on: &str| resolve(text, on.parse().unwrap()).unwrap().to_string();
        assert_eq!(of("3 January", "2025-12-20"), "2026-01-03");
        assert_eq!(of("28 December", "2026-01-05"), "2025-12-28");
        assert_eq!(of("end of February", "2026-03-05"), "2026-02-28");
        assert_eq!(of("29 February", "2026-05-05"), "2028-02-29");
        assert_eq!(of("Wednesday", "2026-03-11"), "2026-03-11", "the day itself");
        assert_eq!(of("next Wednesday", "2026-03-11"), "2026-03-18");
    }

    proptest! {
        #[test]
        fn any_words_give_a_day_or_none(text in "(by |on |end of |in |next |99|31|friday|May|12 |March|week|EOQ| |é|\\PC){0,12}") {
            if let Some(range) = find(&text) {
                resolve(&text[range], "9999-12-31".parse().unwrap());
            }
        }
    }
}
