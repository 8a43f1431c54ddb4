//! The dates that CRMs write.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use crate::files::Zone;
use crate::files::dates::{NoDate, numbers};

pub(super) use crate::files::dates::Order;

/// Forms with a month's name or an unmistakable order.
const FORMS: &[&str] = &[
    "%b %d, %Y %I:%M %p",
    "%B %d, %Y %I:%M %p",
    "%b %d, %Y, %I:%M %p",
    "%d %b %Y %H:%M",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
];

impl Order {
    /// The order in which all dates among `cells` can be read; `None` when they do not tell, or contradict each other.
    pub(super) fn of<'a>(cells: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        static DATE: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r"^(\d{1,2})([/.-])(\d{1,2})([/.-])(?:\d{4}|\d{2})(?:[ ,][\d: ,apmAPM.]*)?$").ok()
        });
        let (mut day, mut month) = (false, false);
        let date = DATE.as_ref()?;
        for found in cells.into_iter().filter_map(|cell| date.captures(cell.trim())).filter(|c| c[2] == c[4]) {
            let (first, second) = (found[1].parse::<u8>().unwrap_or(0), found[3].parse::<u8>().unwrap_or(0));
            match (first, second) {
                (13..=31, 1..=12) => day = true,
                (1..=12, 13..=31) => month = true,
                _ => {}
            }
        }
        match (day, month) {
            (true, false) => Some(Self::DayFirst),
            (false, true) => Some(Self::MonthFirst),
            _ => None,
        }
    }
}

/// How the dates of a file are read.
#[derive(Debug, Clone)]
pub(super) struct Dates {
    /// The zone of dates that name none.
    pub(super) zone: Zone,
    /// The order that other dates of the file show.
    pub(super) order: Option<Order>,
}

/// What a date means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct When {
    at: Timestamp,
    /// No time was given, or midnight stands for it.
    day: bool,
}

impl When {
    pub(super) fn start(self) -> Timestamp {
        self.at
    }

    /// The last moment that is meant: what ended on a day had ended when the day was over.
    pub(super) fn end(self) -> Timestamp {
        let over = SignedDuration::from_hours(24) - SignedDuration::from_millis(1);
        if self.day { self.at.checked_add(over).unwrap_or(self.at) } else { self.at }
    }
}

impl Dates {
    /// What `text` means: RFC 3339, ISO dates with or without a time, seconds or milliseconds since 1970, and what HubSpot,
    /// Salesforce, Pipedrive, Close and spreadsheets write.
    ///
    /// # Errors
    /// Why not, in words that follow "the date …".
    pub(super) fn parse(&self, text: &str) -> Result<When, String> {
        let whole = text.trim();
        let text = whole.trim_end_matches(" UTC").trim_end_matches(" GMT");
        let named = text.len() < whole.len();
        let civil = |at: DateTime| {
            let found = if named { jiff::tz::TimeZone::UTC.to_timestamp(at).ok() } else { self.zone.instant(at) };
            let day = at.time() == jiff::civil::Time::midnight();
            found.map(|at| When { at, day }).ok_or_else(|| "is out of range".to_owned())
        };
        let exact = |at: Timestamp| When { at, day: at.as_millisecond().rem_euclid(86_400_000) == 0 };
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(exact(at));
        }
        // Salesforce writes offsets without a colon, Close with microseconds.
        if let Ok(zoned) = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text)
            && let Ok(at) = zoned.to_timestamp()
        {
            return Ok(exact(at));
        }
        if let Some(at) = epoch(text) {
            return Ok(exact(at));
        }
        if let Ok(at) = text.parse::<DateTime>() {
            return civil(at);
        }
        if let Ok(day) = text.parse::<Date>() {
            return civil(day.into());
        }
        for form in FORMS {
            if let Ok(at) = DateTime::strptime(form, text) {
                return civil(at);
            }
            if let Ok(day) = Date::strptime(form, text) {
                return civil(day.into());
            }
        }
        let at = numbers(text, self.order).map_err(|no| match no {
            NoDate::Unknown => "is in no form that is known; write it as 2026-01-31",
            NoDate::Ambiguous => "may be day or month first; write it as 2026-01-31",
        })?;
        civil(at)
    }
}

/// Longest cell that is shown as a date that cannot be read.
const SHOWN_CHARS: usize = 30;

/// What dates are spelled with beside digits and signs; a month also by its first letters.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const MARKS: [&str; 6] = ["am", "pm", "utc", "gmt", "t", "z"];

/// Whether a cell holds digits, signs and names of months only, so that it can be shown: other words may be anybody's.
pub(super) fn is_spelled_as_date(cell: &str) -> bool {
    let of_dates = |word: &str| {
        let word = word.to_lowercase();
        MARKS.contains(&word.as_str()) || (word.len() > 2 && MONTHS.iter().any(|month| month.starts_with(&word)))
    };
    let mut words = cell.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    cell.chars().count() <= SHOWN_CHARS && words.all(of_dates)
}

/// Seconds or milliseconds: seconds of this century have ten digits, milliseconds thirteen.
fn epoch(text: &str) -> Option<Timestamp> {
    let number = text.parse::<i64>().ok()?;
    match text.len() {
        9..=10 => Timestamp::from_second(number).ok(),
        12..=13 => Timestamp::from_millisecond(number).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Timestamp, String> {
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
        ] {
            assert_eq!(parse(text).map(|t| t.to_string()), Ok(means.to_owned()), "{text}");
        }
    }

    #[test]
    fn only_what_is_spelled_as_a_date_is_shown() {
        for cell in ["03/04/2026", "2026-03-04T18:22:00Z", "Sept 4, 2026 6:05 PM", "-", ""] {
            assert!(is_spelled_as_date(cell), "{cell}");
        }
        for cell in ["soon", "Ines Vale", "call Bo on 4 March", "0".repeat(31).as_str()] {
            assert!(!is_spelled_as_date(cell), "{cell}");
        }
    }

    #[test]
    fn what_can_mean_two_days_is_not_guessed() {
        assert!(parse("03/04/2026").unwrap_err().contains("day or month"));
        for text in ["", "soon", "32/01/2026", "99999999999999999", "0/0/0", "1/2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_other_dates_of_a_file_tell_the_order() {
        for (text, order) in [
            ("3/4/2026,10/20/2026", Some(Order::MonthFirst)),
            ("3.4.2026;20.10.2026", Some(Order::DayFirst)),
            ("3/4/2026", None),
            ("20/10/2026,10/20/2026", None),
            ("version 20.10/2026,2026-01-31", None),
            ("3/4/2026,we met on 20/10/2026", None),
            ("3/4/2026 10:30 AM,10/20/2026 9:00 PM", Some(Order::MonthFirst)),
        ] {
            assert_eq!(Order::of(text.split([',', ';'])), order, "{text}");
        }
        let dates = Dates { zone: Zone::default(), order: Some(Order::MonthFirst) };
        assert_eq!(dates.parse("3/4/2026").map(|w| w.start().to_string()), Ok("2026-03-04T00:00:00Z".to_owned()));
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
