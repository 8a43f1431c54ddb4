//! The dates that CRMs write.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Forms with a month's name or an unmistakable order. Without a zone they are taken as UTC.
const FORMS: &[&str] = &[
    "%b %d, %Y %I:%M %p",
    "%B %d, %Y %I:%M %p",
    "%d %b %Y %H:%M",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %B %Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
];

/// The instant that `text` means: RFC 3339, ISO dates with or without a time, seconds or milliseconds since 1970, and what
/// HubSpot, Salesforce and Pipedrive write.
///
/// # Errors
/// Why not, in words that follow "the date …".
pub(super) fn parse(text: &str) -> Result<Timestamp, String> {
    let text = text.trim().trim_end_matches(" UTC").trim_end_matches(" GMT");
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    // Salesforce writes offsets without a colon.
    if let Ok(zoned) = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text)
        && let Ok(at) = zoned.to_timestamp()
    {
        return Ok(at);
    }
    if let Some(at) = epoch(text) {
        return Ok(at);
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return instant(at);
    }
    if let Ok(day) = text.parse::<Date>() {
        return instant(day.into());
    }
    for form in FORMS {
        if let Ok(at) = DateTime::strptime(form, text) {
            return instant(at);
        }
        if let Ok(day) = Date::strptime(form, text) {
            return instant(day.into());
        }
    }
    numbers(text)
}

fn instant(at: DateTime) -> Result<Timestamp, String> {
    TimeZone::UTC.to_timestamp(at).map_err(|_| "is out of range".to_owned())
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

/// `31/01/2026 10:30`: day and month in whichever order only one reading allows.
fn numbers(text: &str) -> Result<Timestamp, String> {
    let unknown = || "is in no form that is known; write it as 2026-01-31".to_owned();
    let (day, time) = text.split_once([' ', ',']).unwrap_or((text, ""));
    let parts =
        day.split(['/', '.', '-']).map(str::parse::<i16>).collect::<Result<Vec<_>, _>>().map_err(|_| unknown())?;
    let &[first, second, year] = parts.as_slice() else { return Err(unknown()) };
    let (month, day) = match (first, second) {
        (13..=31, 1..=12) => (second, first),
        (1..=12, 13..=31) => (first, second),
        (1..=12, 1..=12) if first == second => (first, second),
        (1..=12, 1..=12) => return Err("may be day or month first; write it as 2026-01-31".to_owned()),
        _ => return Err(unknown()),
    };
    let year = if year < 100 { year + 2000 } else { year };
    let date =
        Date::new(year, i8::try_from(month).unwrap_or(0), i8::try_from(day).unwrap_or(0)).map_err(|_| unknown())?;
    let time = time.trim();
    if time.is_empty() {
        return instant(date.into());
    }
    let padded = format!("{date} {time}");
    let forms = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p"];
    let read = forms.iter().find_map(|form| DateTime::strptime(form, &padded).ok());
    instant(read.ok_or_else(unknown)?)
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_can_mean_two_days_is_not_guessed() {
        assert!(parse("03/04/2026").unwrap_err().contains("day or month"));
        for text in ["", "soon", "32/01/2026", "99999999999999999", "0/0/0", "1/2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
