//! Dates of saved pages: attributes that machines read first, else the words that people read.
//!
//! A page writes its numeric dates in one order; which, one of them often tells. What a date does not say for certain
//! (`05/06/2024` on a page that never shows its order, `3 days ago`) is left unknown.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use regex::Regex;

use crate::collect::Context;
use crate::collect::wire::{instant, parse_instant};

/// What a page tells about its dates.
pub(super) struct Dates<'a> {
    ctx: &'a Context,
    /// The zone that the page says its dates are in.
    zone: Option<TimeZone>,
    order: Option<Order>,
    /// The day on which the page was saved, in the page's zone.
    saved: Option<Date>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    DayMonth,
    MonthDay,
}

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($text).ok());
    };
}

pattern!(ISO, r"(?x) \b (\d{4}) [-/.] (\d{1,2}) [-/.] (\d{1,2}) (?: T | \b )");
pattern!(
    DAY_NAME,
    r"(?x) \b (\d{1,2}) (?: st|nd|rd|th|\. )? \s* (?: de\s+|of\s+|-|\s )? ([\p{L}]{3,12}) \.? ,? [\s-]* (?: de\s+|del\s+ )? ('?\d{2,4}) \b"
);
pattern!(NAME_DAY, r"(?x) \b ([\p{L}]{3,12}) \.? \s+ (\d{1,2}) (?: st|nd|rd|th )? ,? \s+ ('?\d{2,4}) \b");
pattern!(NUMBERS, r"(?x) \b (\d{1,2}) ([./-]) (\d{1,2}) ([./-]) (\d{4}|\d{2}) \b");
pattern!(CLOCK, r"(?xi) \b (\d{1,2}) [:.h] (\d{2}) (?: [:.] (\d{2}) )? (?: \.\d{1,9} )? \s* ( [ap] \.? m \b )? ");
pattern!(OFFSET, r"(?x) ^ \s* (?: (Z|UTC|GMT) \b )? \s* (?: ([+-])(\d{1,2}) :? (\d{2})? \b )? ");
pattern!(TODAY, r"(?i)\b(today|heute|aujourd.hui|hoy|oggi|vandaag|hoje)\b");
pattern!(YESTERDAY, r"(?i)\b(yesterday|gestern|hier|ayer|ieri|gisteren|ontem)\b");
pattern!(
    ZONE,
    r"(?i)(?:times are|zeiten sind|time zone is|zeitzone)\W+(?:in\s+)?(?:the\s+)?(?:utc|gmt)\s*(?:([+-])\s*(\d{1,2})(?::?(\d{2}))?)?(?:\s*(?:hours?|stunden?))?"
);
pattern!(
    SAVED,
    r"(?i)(?:saved date: |file archived on \d\d:\d\d:\d\d |it is currently |aktuelle zeit: )([^\n<]{8,60})"
);

/// Names of months; the first three letters of each tell them apart within a language, and those that are one in several
/// languages mean the same month.
const MONTHS: [&[&str]; 12] = [
    &["jan", "ene", "gen", "jän"],
    &["feb", "fev", "fév"],
    &["mar", "mär", "mae", "maa", "mrz"],
    &["apr", "abr", "avr"],
    &["may", "mai", "mei", "mag"],
    &["jun", "giu", "juin"],
    &["jul", "lug", "juil"],
    &["aug", "ago", "aoû", "aou"],
    &["sep", "set"],
    &["oct", "okt", "ott", "out"],
    &["nov"],
    &["dec", "dez", "dic", "déc"],
];

impl<'a> Dates<'a> {
    /// What `html` in `language` (as in `lang`) tells, where its dates are spelled as in `raw`.
    pub(super) fn new<'r>(ctx: &'a Context, html: &str, language: &str, raw: impl Iterator<Item = &'r str>) -> Self {
        let mut dates = Self { ctx, zone: zone_of(html), order: order(language, raw), saved: None };
        let saved = SAVED.as_ref().and_then(|p| p.captures(html)).and_then(|c| civil(&c[1], dates.order));
        dates.saved = saved.map(|(at, _, _)| at.date());
        dates
    }

    /// The instant that `text` says, if it says one.
    pub(super) fn read(&self, text: &str) -> Option<Timestamp> {
        let text = text.trim().trim_matches(|c: char| matches!(c, '\u{200e}' | '\u{200f}' | '"'));
        if text.len() >= 9 && text.bytes().all(|b| b.is_ascii_digit()) {
            return instant(text.parse().ok()?);
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(at);
        }
        let (at, offset, _) = civil(text, self.order).or_else(|| self.relative(text))?;
        match offset {
            Some(offset) => offset.to_timestamp(at).ok(),
            None => self.zoned(at),
        }
    }

    fn zoned(&self, at: DateTime) -> Option<Timestamp> {
        match &self.zone {
            Some(zone) => zone.to_timestamp(at).ok(),
            None => self.ctx.zone.instant(at),
        }
    }

    /// `Today, 07:15 AM` on a page that says when it was saved.
    fn relative(&self, text: &str) -> Option<(DateTime, Option<Offset>, usize)> {
        let saved = self.saved?;
        let said = |pattern: &Option<Regex>| pattern.as_ref().and_then(|p| p.find(text)).map(|m| m.end());
        let (day, end) = match (said(&TODAY), said(&YESTERDAY)) {
            (Some(end), _) => (saved, end),
            (None, Some(end)) => (saved.yesterday().ok()?, end),
            (None, None) => return None,
        };
        let (time, rest) = clock(&text[end..])?;
        Some((day.to_datetime(time), None, end + rest))
    }
}

/// Whether `text` is little more than a date.
pub(super) fn is_date(text: &str) -> bool {
    let text = text.trim();
    text.len() >= 6
        && text.len() <= 80
        && text.bytes().any(|b| b.is_ascii_digit())
        && (parse_instant(text).is_some() && text.contains('-')
            || civil(text, Some(Order::DayMonth)).is_some()
            || is_ago(text))
}

/// `3 days ago`, `vor 2 Stunden`: a date that people read and that says no instant.
fn is_ago(text: &str) -> bool {
    pattern!(
        AGO,
        r"(?i)^\W*(?:(?:about|over|almost|posted)\s+)?(?:\d+|an?)\s?(?:mo|[smhdwy]|yrs?|sec\w*|min\w*|hours?|hrs?|days?|weeks?|months?|years?)\.?(?:\s+\w+)?\s+ago\b|^\W*vor\s+\w+\s+\w+|^\W*(?:today|yesterday|heute|gestern)\b.{0,12}\d"
    );
    text.len() < 40 && AGO.as_ref().is_some_and(|p| p.is_match(text))
}

/// `3y`, `Updated 7mo`: a date only where a page says that it is one.
pub(super) fn is_age(text: &str) -> bool {
    pattern!(
        AGE,
        r"(?i)^\W*(?:(?:updated|edited|answered|asked|posted)\s+)?\d{1,2}\s?(?:mos?|[smhdwy]|mins?|hrs?|yrs?)\W*$"
    );
    text.len() < 40 && AGE.as_ref().is_some_and(|p| p.is_match(text))
}

/// A date on a wall clock, the offset that follows it and where it ends.
fn civil(text: &str, order: Option<Order>) -> Option<(DateTime, Option<Offset>, usize)> {
    let (date, start, end) = iso(text).or_else(|| named(text)).or_else(|| numbers(text, order))?;
    let after = &text[end..];
    let near = after.get(..after.floor_char_boundary(24)).unwrap_or_default();
    if let Some((time, rest)) = clock(near) {
        let (offset, length) = offset(&after[rest..]);
        return Some((date.to_datetime(time), offset, end + rest + length));
    }
    let before = &text[text.ceil_char_boundary(start.saturating_sub(20))..start];
    let time = clock(before).map_or_else(Time::midnight, |(time, _)| time);
    Some((date.to_datetime(time), None, end))
}

fn iso(text: &str) -> Option<(Date, usize, usize)> {
    let found = ISO.as_ref()?.captures(text)?;
    let whole = found.get(0)?;
    date(&found[1], found[2].parse().ok()?, &found[3]).map(|d| (d, whole.start(), whole.end()))
}

fn named(text: &str) -> Option<(Date, usize, usize)> {
    let day_first = DAY_NAME.as_ref()?.captures_iter(text).find_map(|c| {
        let whole = c.get(0)?;
        Some((date(&c[3], month(&c[2])?, &c[1])?, whole.start(), whole.end()))
    });
    let name_first = NAME_DAY.as_ref()?.captures_iter(text).find_map(|c| {
        let whole = c.get(0)?;
        Some((date(&c[3], month(&c[1])?, &c[2])?, whole.start(), whole.end()))
    });
    match (day_first, name_first) {
        (Some(a), Some(b)) => Some(if b.1 < a.1 { b } else { a }),
        (a, b) => a.or(b),
    }
}

fn numbers(text: &str, order: Option<Order>) -> Option<(Date, usize, usize)> {
    let found = NUMBERS.as_ref()?.captures(text)?;
    let whole = found.get(0)?;
    if found[2] != found[4] {
        return None;
    }
    let (one, two): (i8, i8) = (found[1].parse().ok()?, found[3].parse().ok()?);
    let day_first = match own_order(&found) {
        Some(order) => order == Order::DayMonth,
        None if one == two => true,
        None => order? == Order::DayMonth,
    };
    let (day, month) = if day_first { (one, two) } else { (two, one) };
    date(&found[5], month, &day.to_string()).map(|d| (d, whole.start(), whole.end()))
}

/// The order that one date tells by itself: there is no thirteenth month, and dots stand after days.
fn own_order(found: &regex::Captures<'_>) -> Option<Order> {
    let (one, two): (u8, u8) = (found[1].parse().ok()?, found[3].parse().ok()?);
    if &found[2] == "." || one > 12 {
        Some(Order::DayMonth)
    } else if two > 12 {
        Some(Order::MonthDay)
    } else {
        None
    }
}

/// The order of a page's numeric dates: as one of them tells; else as its language has it; else as boards are set up with a
/// twelve-hour clock.
fn order<'r>(language: &str, raw: impl Iterator<Item = &'r str>) -> Option<Order> {
    let (mut told, mut twelve_hours) = (None, false);
    for text in raw {
        if let Some(found) = NUMBERS.as_ref().and_then(|p| p.captures(text)) {
            told = told.or_else(|| own_order(&found));
            twelve_hours |= CLOCK.as_ref().and_then(|p| p.captures(text)).is_some_and(|c| c.get(4).is_some());
        }
    }
    let language = language.to_ascii_lowercase().replace('_', "-");
    told.or_else(|| match language.as_str() {
        "en-us" => Some(Order::MonthDay),
        "" | "en" => twelve_hours.then_some(Order::MonthDay),
        _ => Some(Order::DayMonth),
    })
}

fn month(name: &str) -> Option<i8> {
    let name = name.to_lowercase();
    // `juin` and `juillet` begin alike.
    let four: String = name.chars().take(4).collect();
    let three: String = name.chars().take(3).collect();
    let is = |wanted: &str| MONTHS.iter().position(|names| names.contains(&wanted));
    let at = is(&four).or_else(|| is(&three))?;
    i8::try_from(at + 1).ok()
}

fn date(year: &str, month: i8, day: &str) -> Option<Date> {
    let digits = year.trim_start_matches('\'');
    let year: i16 = digits.parse().ok()?;
    let year = match digits.len() {
        4 => year,
        2 if year < 70 => 2000 + year,
        2 => 1900 + year,
        _ => return None,
    };
    if !(1970..=2200).contains(&year) {
        return None;
    }
    Date::new(year, month, day.parse().ok()?).ok()
}

/// The first time of day in `text`, and where it ends.
fn clock(text: &str) -> Option<(Time, usize)> {
    let found = CLOCK.as_ref()?.captures(text)?;
    let hour: i8 = found[1].parse().ok()?;
    let half = found.get(4).map(|m| m.as_str().to_ascii_lowercase());
    let hour = match half.as_deref().map(|h| h.starts_with('p')) {
        Some(true) if (1..12).contains(&hour) => hour + 12,
        Some(false) if hour == 12 => 0,
        _ => hour,
    };
    let second = found.get(3).map_or(Ok(0), |m| m.as_str().parse()).ok()?;
    Some((Time::new(hour, found[2].parse().ok()?, second, 0).ok()?, found.get(0)?.end()))
}

/// The offset at the beginning of `text`, and its length.
fn offset(text: &str) -> (Option<Offset>, usize) {
    let Some(found) = OFFSET.as_ref().and_then(|p| p.captures(text)) else { return (None, 0) };
    let length = found.get(0).map_or(0, |m| m.end());
    match (found.get(2), found.get(1)) {
        (Some(sign), _) => (signed(sign.as_str(), &found[3], found.get(4).map_or("0", |m| m.as_str())), length),
        (None, Some(_)) => (Some(Offset::UTC), length),
        (None, None) => (None, 0),
    }
}

fn signed(sign: &str, hours: &str, minutes: &str) -> Option<Offset> {
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok()? * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).ok()
}

/// The zone that boards name at their foot: `All times are UTC+01:00`, with phpBB as `title="Europe/Berlin"`.
fn zone_of(html: &str) -> Option<TimeZone> {
    pattern!(NAMED, r#"(?i)(?:times are|zeiten sind)\s*<span title="([A-Za-z]+/[A-Za-z_/]+)""#);
    let named = NAMED.as_ref().and_then(|p| p.captures(html));
    if let Some(zone) = named.and_then(|c| TimeZone::get(&c[1]).ok()) {
        return Some(zone);
    }
    let found = ZONE.as_ref()?.captures(html)?;
    let offset = match found.get(1) {
        Some(sign) => signed(sign.as_str(), &found[2], found.get(3).map_or("0", |m| m.as_str()))?,
        None => Offset::UTC,
    };
    Some(offset.to_time_zone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::context;

    fn read(text: &str, html: &str, language: &str) -> Option<String> {
        let ctx = context();
        Dates::new(&ctx, html, language, [text].into_iter()).read(text).map(|t| t.to_string())
    }

    #[test]
    fn dates_are_read_as_boards_write_them() {
        for (text, want) in [
            ("2024-03-01T12:00:00+02:00", "2024-03-01T10:00:00Z"),
            ("2024-03-01T12:00:00", "2024-03-01T12:00:00Z"),
            ("2024-03-01 12:00 UTC", "2024-03-01T12:00:00Z"),
            ("2024-03-01 12:00:00 +00:00", "2024-03-01T12:00:00Z"),
            ("2024-03-01T12:00:00-0500", "2024-03-01T17:00:00Z"),
            ("1709294400", "2024-03-01T12:00:00Z"),
            ("1709294400000", "2024-03-01T12:00:00Z"),
            ("« Reply #3 on: March 01, 2024, 12:00:00 PM »", "2024-03-01T12:00:00Z"),
            ("by ann » Fri Mar 01, 2024 12:00 pm", "2024-03-01T12:00:00Z"),
            ("Fr 1. Mär 2024, 12:00", "2024-03-01T12:00:00Z"),
            ("Verfasst am: 1. März 2024, 12:00 Uhr", "2024-03-01T12:00:00Z"),
            ("01.03.2024, 12:00", "2024-03-01T12:00:00Z"),
            ("1st March 2024, 12:00", "2024-03-01T12:00:00Z"),
            ("12:00 PM, Mar 1, 2024", "2024-03-01T12:00:00Z"),
            ("Mar 1 '24", ""),
            ("1 Mar '24 at 12:00", "2024-03-01T12:00:00Z"),
            ("1 de marzo de 2024, 12:00", "2024-03-01T12:00:00Z"),
            ("03-21-2024, 12:05 AM", "2024-03-21T00:05:00Z"),
            ("Friday, March 1st, 2024 at 3:00:00 PM GMT+03:00", "2024-03-01T12:00:00Z"),
            ("Fri, 01 Mar 2024 12:00:00 +0000", "2024-03-01T12:00:00Z"),
            ("3 days ago", ""),
            ("05/06/2024 12:00", ""),
            ("Today, 07:15 AM", ""),
            ("99 Foo 2024", ""),
            ("", ""),
        ] {
            let want = if text == "Mar 1 '24" { "2024-03-01T00:00:00Z" } else { want };
            assert_eq!(read(text, "", "en").unwrap_or_default(), want, "{text}");
        }
    }

    #[test]
    fn the_page_tells_what_its_dates_leave_open() {
        assert_eq!(read("05/06/2024 12:00", "", "en-GB").as_deref(), Some("2024-06-05T12:00:00Z"));
        assert_eq!(read("05-06-2024, 12:00 PM", "", "en").as_deref(), Some("2024-05-06T12:00:00Z"));
        assert_eq!(
            read("1 Mar 2024 12:00", "All times are GMT -5. The time now", "").as_deref(),
            Some("2024-03-01T17:00:00Z")
        );
        let zone = "Alle Zeiten sind <span title=\"Europe/Berlin\">UTC+01:00</span>";
        assert_eq!(read("1. Juli 2024 12:00", zone, "de").as_deref(), Some("2024-07-01T10:00:00Z"));
        let saved = "<p>It is currently Sat Mar 02, 2024 9:00 am</p>";
        assert_eq!(read("Yesterday, 07:15 AM", saved, "en").as_deref(), Some("2024-03-01T07:15:00Z"));
    }

    #[test]
    fn only_dates_are_dates() {
        for text in ["2024-03-01", "1 March 2024 12:00", "3 days ago", "vor 2 Stunden", "Mar 1, 2024", "2h ago"] {
            assert!(is_date(text), "{text}");
        }
        for text in ["version 2.3.4", "call me at 5", "long ago", "ann", "12345678901", "1024 posts"] {
            assert!(!is_date(text), "{text}");
        }
        for text in ["3y", "Updated 7mo", "· 12 h", "5 mins"] {
            assert!(is_age(text) && !is_date(text), "{text}");
        }
        for text in ["30 members", "y", "2024y", "5 more"] {
            assert!(!is_age(text), "{text}");
        }
    }
}
