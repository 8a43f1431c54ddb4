//! The dates that tables write.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use thiserror::Error;

use super::Zone;

/// Which of two small numbers is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// `31/12/2026`.
    DayFirst,
    /// `12/31/2026`.
    MonthFirst,
}

impl Order {
    /// The order in which all dates among `cells` can be read; `None` when they do not tell, or contradict each other.
    pub(crate) fn of<'a>(cells: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r"^(\d{1,2})([/.-])(\d{1,2})([/.-])(\d{4}|\d{2})(?:[ ,T][\d: ,apmAPM.]*)?$").ok()
        });
        let (mut day, mut month, mut dotted) = (false, false, false);
        let date = DATE.as_ref()?;
        let told = |cell| date.captures(zoned(cell).map_or(cell, |(civil, _)| civil));
        for found in cells.into_iter().map(str::trim).filter_map(told).filter(|c| c[2] == c[4]) {
            match (found[1].parse::<u8>().unwrap_or(0), found[3].parse::<u8>().unwrap_or(0)) {
                (13..=31, 1..=12) => day = true,
                (1..=12, 13..=31) => month = true,
                // Nobody who writes dots puts the month first.
                (1..=12, 1..=12) => dotted |= &found[2] == "." && found[5].len() == 4,
                _ => {}
            }
        }
        match (day, month) {
            (true, false) => Some(Self::DayFirst),
            (false, true) => Some(Self::MonthFirst),
            (false, false) if dotted => Some(Self::DayFirst),
            _ => None,
        }
    }
}

/// Why a text is no date, in words that follow "the date …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum NoDate {
    /// It is in no form that is known.
    #[error("is in no form that is known; write it as 2026-01-31 or 2026-01-31T10:30:00Z")]
    Unknown,
    /// Either small number may be the day.
    #[error("may be day or month first; write it as 2026-01-31")]
    Ambiguous,
    /// No calendar goes so far.
    #[error("is out of range")]
    OutOfRange,
}

/// What a date means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct When {
    at: Timestamp,
    /// No time was given, or midnight stands for it.
    day: bool,
}

impl When {
    pub(crate) fn start(self) -> Timestamp {
        self.at
    }

    /// The last moment that is meant: what ended on a day had ended when the day was over.
    pub(crate) fn end(self) -> Timestamp {
        let over = SignedDuration::from_hours(24) - SignedDuration::from_millis(1);
        if self.day { self.at.checked_add(over).unwrap_or(self.at) } else { self.at }
    }
}

/// How the dates of a file are read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dates {
    /// The zone of dates that name none.
    pub(crate) zone: Zone,
    /// The order that other dates of the file show.
    pub(crate) order: Option<Order>,
}

/// Forms with a month's name or an unmistakable order, with and without a time. Mails write the day's name.
const DAYS: &[&str] =
    &["%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%a, %d %b %Y", "%Y/%m/%d", "%Y.%m.%d"];
const TIMES: &[&str] = &[" %H:%M:%S", " %H:%M", " %I:%M %p", " %I:%M:%S %p", ", %H:%M:%S", ", %H:%M", ", %I:%M %p"];

impl Dates {
    /// What `text` means: RFC 3339, ISO dates with or without a time, seconds or milliseconds since 1970, and what CRMs,
    /// forums and spreadsheets write; each with or without an offset. A year of two digits is one of 1969 to 2068.
    ///
    /// # Errors
    /// When it is no date, or may be two.
    pub(crate) fn parse(&self, text: &str) -> Result<When, NoDate> {
        let text = text.trim();
        let exact = |at: Timestamp| When { at, day: at.as_millisecond().rem_euclid(86_400_000) == 0 };
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(exact(at));
        }
        let (text, offset) = zoned(text).map_or((text, None), |(civil, offset)| (civil, Some(offset)));
        let civil = |at: DateTime| match offset {
            Some(offset) => offset.to_timestamp(at).map(exact).map_err(|_| NoDate::OutOfRange),
            None => {
                let found = self.zone.instant(at).ok_or(NoDate::OutOfRange)?;
                Ok(When { at: found, day: at.time() == Time::midnight() })
            }
        };
        // Seconds of this century have ten digits, milliseconds thirteen.
        let digits = text.split('.').next().unwrap_or_default();
        if matches!(digits.len(), 9..=10 | 12..=13) && digits.bytes().all(|b| b.is_ascii_digit()) {
            let number = text.parse().map_err(|_| NoDate::Unknown)?;
            return instant(number).map(exact).ok_or(NoDate::OutOfRange);
        }
        if let Ok(at) = text.parse::<DateTime>() {
            return civil(at);
        }
        if let Ok(day) = text.parse::<Date>() {
            return civil(day.into());
        }
        // `0001/01/01` is of the year 1, not of 2001.
        let year_first = text.bytes().take_while(u8::is_ascii_digit).count() == 4;
        if year_first {
            return named(text).ok_or(NoDate::Unknown).and_then(civil);
        }
        match numbers(text, self.order) {
            // `%Y` takes two digits as well.
            Err(NoDate::Unknown) => civil(named(text).and_then(in_century).ok_or(NoDate::Unknown)?),
            found => civil(found?),
        }
    }
}

/// The offset from UTC that a text ends with, and the text before it: `UTC`, `GMT+1`, the names of RFC 822 and those of Europe, or
/// digits. Digits alone are one only behind a time: `+0200`, `+02:00` and `-05`. Without a blank before them they may end a range,
/// unless the time has seconds or a `T`.
fn zoned(text: &str) -> Option<(&str, Offset)> {
    static ZONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"^(?<civil>.*?)(?<blank> ?)(?:(?<name>UTC|GMT|Z|[ECMP][SD]T|CES?T|WES?T|EES?T)|(?:UTC|GMT)(?<far>[+-]\d\d?)(?::?(?<part>[0-5]\d))?|(?<hours>[+-]\d\d):?(?<minutes>[0-5]\d)?)$",
        )
        .ok()
    });
    let found = ZONE.as_ref()?.captures(text)?;
    let get = |group: &str| found.name(group).map(|m| m.as_str());
    let civil = get("civil")?;
    let seconds = match get("name") {
        Some(name) => named_zone(name) * 3600,
        None => {
            let hours = get("far").or(get("hours"))?;
            let minutes = get("part").or(get("minutes")).and_then(|m| m.parse::<i32>().ok()).unwrap_or(0);
            let whole = hours[1..].parse::<i32>().ok()? * 3600 + minutes * 60;
            if hours.starts_with('-') { -whole } else { whole }
        }
    };
    let offset = Offset::from_seconds(seconds).ok()?;
    let exact = || {
        let after = civil.rfind('T').map(|at| &civil[at + 1..]);
        civil.matches(':').count() > 1 || after.is_some_and(|time| time.starts_with(|c: char| c.is_ascii_digit()))
    };
    let timed = civil.contains(':') && (get("blank") == Some(" ") || exact());
    (get("hours").is_none() || timed).then_some((civil, offset))
}

/// Zones that are named, with their hours from UTC.
pub(crate) const ZONES: &[(&str, i32)] = &[
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("CET", 1),
    ("CEST", 2),
    ("WET", 0),
    ("WEST", 1),
    ("EET", 2),
    ("EEST", 3),
];

/// Hours from UTC of a zone that is named.
fn named_zone(name: &str) -> i32 {
    ZONES.iter().find(|(zone, _)| *zone == name).map_or(0, |(_, hours)| *hours)
}

/// A date in one of the forms that need no guess.
fn named(text: &str) -> Option<DateTime> {
    let year_first = text.bytes().take_while(u8::is_ascii_digit).count() == 4;
    DAYS.iter().filter(|day| year_first || !day.starts_with("%Y")).find_map(|day| {
        let timed = |time: &&str| DateTime::strptime(format!("{day}{time}"), text).ok();
        Date::strptime(day, text).map(DateTime::from).ok().or_else(|| TIMES.iter().find_map(timed))
    })
}

/// A date of a year that was written with two digits, in its century.
fn in_century(at: DateTime) -> Option<DateTime> {
    at.with().year(full_year(at.year())).build().ok()
}

/// The year that two digits mean: as POSIX and databases read them.
fn full_year(year: i16) -> i16 {
    match year {
        0..=68 => year + 2000,
        69..=99 => year + 1900,
        _ => year,
    }
}

/// Seconds since 1970, or milliseconds when the number is too large for seconds. `None` outside of years -9999 to 9999.
pub fn instant(number: f64) -> Option<Timestamp> {
    // 1e11 seconds is the year 5138.
    let millis = if number.abs() < 1e11 { number * 1000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and saturated values are refused below")]
    let whole = millis.round() as i64;
    // No number at all would be cast to the first of January 1970.
    Timestamp::from_millisecond(whole).ok().filter(|_| !millis.is_nan())
}

/// `31/01/2026 10:30`: day and month in whichever order only one reading allows, or else in `order`.
///
/// # Errors
/// When `text` is no such date, or can be read as two.
fn numbers(text: &str, order: Option<Order>) -> Result<DateTime, NoDate> {
    let unknown = |_| NoDate::Unknown;
    let (day, time) = text.split_once([' ', ',', 'T']).unwrap_or((text, ""));
    let parts = day.split(['/', '.', '-']).map(str::parse::<i16>).collect::<Result<Vec<_>, _>>();
    let parts = parts.map_err(|_| NoDate::Unknown)?;
    let &[first, second, year] = parts.as_slice() else { return Err(NoDate::Unknown) };
    let (month, day) = match (first, second, order) {
        (13..=31, 1..=12, _) => (second, first),
        (1..=12, 13..=31, _) => (first, second),
        (1..=12, 1..=12, _) if first == second => (first, second),
        (1..=12, 1..=12, Some(Order::DayFirst)) => (second, first),
        (1..=12, 1..=12, Some(Order::MonthFirst)) => (first, second),
        (1..=12, 1..=12, None) => return Err(NoDate::Ambiguous),
        _ => return Err(NoDate::Unknown),
    };
    let narrow = |n: i16| i8::try_from(n).unwrap_or(0);
    let date = Date::new(full_year(year), narrow(month), narrow(day)).map_err(unknown)?;
    let time = time.trim();
    if time.is_empty() {
        return Ok(date.into());
    }
    let padded = format!("{date} {time}");
    let forms = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p"];
    forms.iter().find_map(|form| DateTime::strptime(form, &padded).ok()).ok_or(NoDate::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Timestamp, NoDate> {
        Dates { zone: Zone::default(), order: None }.parse(text).map(When::start)
    }

    #[test]
    fn the_usual_forms_are_read() {
        for (text, means) in [
            ("2026-03-04T18:22:00Z", "2026-03-04T18:22:00Z"),
            ("2026-03-04T18:22:00+02:00", "2026-03-04T16:22:00Z"),
            ("2026-03-04T18:22:00.000+0000", "2026-03-04T18:22:00Z"),
            ("2026-03-04 18:22", "2026-03-04T18:22:00Z"),
            ("2026-03-04", "2026-03-04T00:00:00Z"),
            ("1772648520", "2026-03-04T18:22:00Z"),
            ("1772648520000", "2026-03-04T18:22:00Z"),
            ("Mar 04, 2026 06:22 PM UTC", "2026-03-04T18:22:00Z"),
            ("31/01/2026", "2026-01-31T00:00:00Z"),
            ("01/31/2026 6:05 PM", "2026-01-31T18:05:00Z"),
            ("2026-03-04T18:22:00+0200", "2026-03-04T16:22:00Z"),
            ("2026-03-04 18:22:00 UTC", "2026-03-04T18:22:00Z"),
            ("1772648520.0", "2026-03-04T18:22:00Z"),
            ("Mar 4, 2026", "2026-03-04T00:00:00Z"),
            ("Wed, 04 Mar 2026 18:22:00 +0000", "2026-03-04T18:22:00Z"),
            ("1/31/26", "2026-01-31T00:00:00Z"),
            ("31.03.26", "2026-03-31T00:00:00Z"),
            ("31/03/26 10:30", "2026-03-31T10:30:00Z"),
            ("2026/03/31", "2026-03-31T00:00:00Z"),
            ("2026.03.31 10:30", "2026-03-31T10:30:00Z"),
            ("31-03-26 10:00:00", "2026-03-31T10:00:00Z"),
            ("31-03-26 10:00:00 +0200", "2026-03-31T08:00:00Z"),
            ("31.03.26 10:00 +02:00", "2026-03-31T08:00:00Z"),
            ("31/03/26T10:00:00-05", "2026-03-31T15:00:00Z"),
            ("31/03/26T10:00-05", "2026-03-31T15:00:00Z"),
            ("31/03/26 10:00:00-05", "2026-03-31T15:00:00Z"),
            ("3/31/26 6:05 PM UTC", "2026-03-31T18:05:00Z"),
            ("31/03/99", "1999-03-31T00:00:00Z"),
            ("31 Mar 26", "2026-03-31T00:00:00Z"),
            ("31-Mar-26 10:00", "2026-03-31T10:00:00Z"),
            ("Mar 31, 26 10:00 +0200", "2026-03-31T08:00:00Z"),
            ("2026-03-31 10:00:00.123456+02", "2026-03-31T08:00:00.123456Z"),
            ("Wed, 4 Mar 2026 18:22:00 GMT", "2026-03-04T18:22:00Z"),
            ("Wed, 04 Mar 2026 18:22:00 -0530", "2026-03-04T23:52:00Z"),
            ("0001/01/01", "0001-01-01T00:00:00Z"),
            ("2026-03-31 UTC", "2026-03-31T00:00:00Z"),
            ("Jan 05, 2024 03:12 PM EST", "2024-01-05T20:12:00Z"),
            ("2026-07-01 10:00 CEST", "2026-07-01T08:00:00Z"),
            ("2026-03-14 10:00 GMT+1", "2026-03-14T09:00:00Z"),
            ("2026-03-14 10:00 UTC-03:30", "2026-03-14T13:30:00Z"),
            ("Wed, 4 Mar 2026 18:22:00 PST", "2026-03-05T02:22:00Z"),
        ] {
            assert_eq!(parse(text).map(|t| t.to_string()), Ok(means.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_can_mean_two_days_is_not_guessed() {
        for text in ["03/04/2026", "3.4.26", "03-04-26 10:00:00", "03-04-26 10:00:00 +0200", "3/4/26T10:00Z"] {
            assert_eq!(parse(text), Err(NoDate::Ambiguous), "{text}");
        }
        let none =
            ["", "soon", "32/01/2026", "31.02.26", "99999999999999999", "0/0/0", "1/2", "Z", "+0200", "10:00+0260"];
        for text in none.into_iter().chain(["31/03/26 10:00-12:00", "31.03.2026 10:00+12"]) {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_other_dates_of_a_file_tell_the_order() {
        for (text, order) in [
            ("3/4/2026,10/20/2026", Some(Order::MonthFirst)),
            ("3.4.2026;20.10.2026", Some(Order::DayFirst)),
            ("3/4/2026", None),
            ("3.4.2026", Some(Order::DayFirst)),
            ("3.4.26", None),
            ("20/10/2026,10/20/2026", None),
            ("version 20.10/2026,2026-01-31", None),
            ("3/4/2026,we met on 20/10/2026", None),
            ("3/4/2026 10:30 AM,10/20/2026 9:00 PM", Some(Order::MonthFirst)),
            ("3-4-26 10:00:00 +0200,20-10-26 10:00:00 +0200", Some(Order::DayFirst)),
            ("3/4/26 10:00 UTC,10/20/26 10:00 UTC", Some(Order::MonthFirst)),
        ] {
            assert_eq!(Order::of(text.split([',', ';'])), order, "{text}");
        }
        let dates = Dates { zone: Zone::default(), order: Some(Order::MonthFirst) };
        for text in ["3/4/2026", "3/4/26", "3/4/26 02:00 +0200"] {
            let read = dates.parse(text).map(|w| w.start().to_string());
            assert_eq!(read, Ok("2026-03-04T00:00:00Z".to_owned()), "{text}");
        }
    }

    #[test]
    fn dates_without_a_zone_take_the_chosen_one_and_days_last() {
        let zone = Zone::new(jiff::tz::TimeZone::fixed(jiff::tz::offset(2)));
        let dates = Dates { zone: zone.clone(), order: None };
        let read = |text: &str| dates.parse(text).map(When::start).map(|t| t.to_string());
        assert_eq!(read("2026-03-04 18:22"), Ok("2026-03-04T16:22:00Z".to_owned()));
        assert_eq!(read("Mar 04, 2026 06:22 PM UTC"), Ok("2026-03-04T18:22:00Z".to_owned()));
        assert_eq!(read("2026-03-04T18:22:00+01:00"), Ok("2026-03-04T17:22:00Z".to_owned()));
        assert_eq!(zone.met(), 1);
        assert_eq!(dates.parse("2026-03-04").unwrap().end().to_string(), "2026-03-04T21:59:59.999Z");
        assert_eq!(dates.parse("2026-03-04 10:00").unwrap().end().to_string(), "2026-03-04T08:00:00Z");
    }
}
