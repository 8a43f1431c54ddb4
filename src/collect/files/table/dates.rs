//! The dates that tables write.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::collect::Zone;
use crate::collect::wire::instant;
use crate::files::dates::{NoDate, Order, numbers};

/// Forms with a month's name or an unmistakable order, with and without a time.
const DAYS: &[&str] =
    &["%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%Y/%m/%d", "%Y.%m.%d"];
const TIMES: &[&str] = &["", " %H:%M:%S", " %H:%M", " %I:%M %p", " %I:%M:%S %p", ", %H:%M:%S", ", %H:%M", ", %I:%M %p"];

/// What `text` means; `day_first` says in which order two small numbers stand.
///
/// # Errors
/// Why not, in words that follow "the date".
pub(super) fn parse(text: &str, day_first: Option<bool>, zone: &Zone) -> Result<Timestamp, String> {
    let whole = text.trim();
    let text = whole.trim_end_matches(" UTC").trim_end_matches(" GMT").trim_end_matches(" Z");
    let named = text.len() < whole.len();
    let civil = |at: DateTime| {
        let found = if named { TimeZone::UTC.to_timestamp(at).ok() } else { zone.instant(at) };
        found.ok_or_else(|| "is out of range".to_owned())
    };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    for form in
        ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f %z", "%Y-%m-%d %H:%M:%S%.f%z", "%a, %d %b %Y %H:%M:%S %z"]
    {
        if let Some(at) = jiff::fmt::strtime::parse(form, text).ok().and_then(|t| t.to_timestamp().ok()) {
            return Ok(at);
        }
    }
    let digits = text.split('.').next().unwrap_or_default();
    if matches!(digits.len(), 9..=10 | 12..=13) && digits.bytes().all(|b| b.is_ascii_digit()) {
        let number = text.parse().map_err(|_| unknown())?;
        return instant(number).ok_or_else(|| "is out of range".to_owned());
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return civil(at);
    }
    if let Ok(day) = text.parse::<Date>() {
        return civil(day.into());
    }
    for day in DAYS {
        for time in TIMES {
            let form = format!("{day}{time}");
            let read = if time.is_empty() {
                Date::strptime(&form, text).map(DateTime::from)
            } else {
                DateTime::strptime(&form, text)
            };
            if let Ok(at) = read {
                return civil(at);
            }
        }
    }
    let order = day_first.map(|first| if first { Order::DayFirst } else { Order::MonthFirst });
    let at = numbers(text, order).map_err(|no| match no {
        NoDate::Unknown => unknown(),
        NoDate::Ambiguous => "may be day or month first; say day_first = true or false in a map file".to_owned(),
    })?;
    civil(at)
}

fn unknown() -> String {
    "is in no form that is known; write it as 2026-01-31 or 2026-01-31T10:30:00Z".to_owned()
}

/// The order in which all dates of `head` can be read: true for the day first. `None` when they do not tell, or contradict
/// each other.
pub(super) fn order(head: &[u8]) -> Option<bool> {
    let (mut day, mut month, mut dotted) = (false, false, false);
    let is_part = |b: &u8| b.is_ascii_digit() || matches!(b, b'/' | b'.');
    for word in head.split(|b| !is_part(b)) {
        let Ok(word) = std::str::from_utf8(word) else { continue };
        for (mark, is_dot) in [('/', false), ('.', true)] {
            let parts: Vec<&str> = word.split(mark).collect();
            let &[first, second, year] = parts.as_slice() else { continue };
            if !matches!(year.len(), 2 | 4) || first.len() > 2 || second.len() > 2 {
                continue;
            }
            match (first.parse::<u8>().unwrap_or(0), second.parse::<u8>().unwrap_or(0)) {
                (13..=31, 1..=12) => day = true,
                (1..=12, 13..=31) => month = true,
                // Nobody who writes dots puts the month first.
                (1..=12, 1..=12) => dotted |= is_dot && year.len() == 4,
                _ => {}
            }
        }
    }
    match (day, month) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (false, false) if dotted => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read() {
        let zone = Zone::default();
        for (text, means) in [
            ("2026-03-04T18:22:00Z", "2026-03-04T18:22:00Z"),
            ("2026-03-04T18:22:00+0200", "2026-03-04T16:22:00Z"),
            ("2026-03-04 18:22:00 UTC", "2026-03-04T18:22:00Z"),
            ("2026-03-04 18:22", "2026-03-04T18:22:00Z"),
            ("2026-03-04", "2026-03-04T00:00:00Z"),
            ("1772648520", "2026-03-04T18:22:00Z"),
            ("1772648520.0", "2026-03-04T18:22:00Z"),
            ("1772648520000", "2026-03-04T18:22:00Z"),
            ("Mar 4, 2026", "2026-03-04T00:00:00Z"),
            ("Mar 04, 2026 06:22 PM", "2026-03-04T18:22:00Z"),
            ("31/01/2026 10:30", "2026-01-31T10:30:00Z"),
            ("1/31/26", "2026-01-31T00:00:00Z"),
        ] {
            assert_eq!(parse(text, None, &zone).map(|t| t.to_string()), Ok(means.to_owned()), "{text}");
        }
        assert_eq!(parse("3/4/2026", Some(true), &zone).unwrap().to_string(), "2026-04-03T00:00:00Z");
        assert!(parse("3/4/2026", None, &zone).unwrap_err().contains("day_first"));
        for text in ["", "soon", "32/01/2026", "1/2", "99999999999999999"] {
            assert!(parse(text, None, &zone).is_err(), "{text}");
        }
    }

    #[test]
    fn other_dates_tell_the_order() {
        for (head, want) in [
            ("3/4/2026,x\n13/4/2026", Some(true)),
            ("3/4/2026\n3/14/2026", Some(false)),
            ("03.04.2026", Some(true)),
            ("3/4/2026", None),
            ("13/4/2026 4/13/2026", None),
        ] {
            assert_eq!(order(head.as_bytes()), want, "{head}");
        }
    }
}
