//! Dates of three small numbers, which may stand in either order.

use jiff::civil::{Date, DateTime};

/// Which of two small numbers is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// `31/12/2026`.
    DayFirst,
    /// `12/31/2026`.
    MonthFirst,
}

/// Why numbers are no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoDate {
    /// They are in no form that is known.
    Unknown,
    /// Either small number may be the day.
    Ambiguous,
}

/// `31/01/2026 10:30`: day and month in whichever order only one reading allows, or else in `order`.
///
/// # Errors
/// When `text` is no such date, or can be read as two.
pub(crate) fn numbers(text: &str, order: Option<Order>) -> Result<DateTime, NoDate> {
    let unknown = |_| NoDate::Unknown;
    let (day, time) = text.split_once([' ', ',']).unwrap_or((text, ""));
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
    let year = if year < 100 { year + 2000 } else { year };
    let narrow = |n: i16| i8::try_from(n).unwrap_or(0);
    let date = Date::new(year, narrow(month), narrow(day)).map_err(unknown)?;
    let time = time.trim();
    if time.is_empty() {
        return Ok(date.into());
    }
    let padded = format!("{date} {time}");
    let forms = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p"];
    forms.iter().find_map(|form| DateTime::strptime(form, &padded).ok()).ok_or(NoDate::Unknown)
}
