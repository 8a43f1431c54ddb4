//! The days a report looks at: the comparison's window, so that every count in it is about the same days.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::words::civil;
use crate::model::comparison::WindowV1;

/// A range of days in UTC, open at the ends that are `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Window {
    since: Option<Date>,
    until: Option<Date>,
}

impl Window {
    /// The comparison's window. A date that does not parse is an open end; the comparison wrote it.
    pub(super) fn of(window: &WindowV1) -> Self {
        let date = |text: &Option<String>| text.as_deref().and_then(|t| t.parse().ok());
        Self { since: date(&window.since), until: date(&window.until) }
    }

    /// Whether something of this date is looked at. Without a date it is only when there is no bound.
    pub(super) fn holds(self, at: Option<Timestamp>) -> bool {
        let Some(at) = at else { return self == Self::default() };
        let day = civil(at);
        self.since.is_none_or(|since| day >= since) && self.until.is_none_or(|until| day <= until)
    }

    /// Whether something of this date lies at least `days` before the last one; anything does when there is none.
    pub(super) fn leaves(self, days: i64, at: Option<Timestamp>) -> bool {
        let (Some(until), Some(at)) = (self.until, at) else { return true };
        civil(at) <= until.saturating_sub(days.days())
    }

    /// First instant inside, and first instant after it; `None` where it is open.
    pub(super) fn instants(self) -> (Option<Timestamp>, Option<Timestamp>) {
        let start = |day: Date| day.to_zoned(TimeZone::UTC).ok().map(|z| z.timestamp());
        (self.since.and_then(start), self.until.and_then(|until| start(until.saturating_add(1.day()))))
    }

    /// First and last day, taking what is open from the data.
    pub(super) fn period(self, seen: Option<(Date, Date)>) -> Option<(Date, Date)> {
        Some((self.since.or(seen.map(|s| s.0))?, self.until.or(seen.map(|s| s.1))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_inside() {
        let window = Window::of(&WindowV1 {
            since: Some("2026-02-01".to_owned()),
            until: Some("2026-02-28".to_owned()),
            why: String::new(),
        });
        for (at, inside) in [
            ("2026-01-31T23:59:59Z", false),
            ("2026-02-01T00:00:00Z", true),
            ("2026-02-28T23:59:59Z", true),
            ("2026-03-01T00:00:00Z", false),
        ] {
            assert_eq!(window.holds(Some(at.parse().unwrap())), inside, "{at}");
        }
        let left = ["2026-02-18T23:59:59Z", "2026-02-19T00:00:00Z"].map(|at| window.leaves(10, at.parse().ok()));
        assert_eq!((left, Window::default().leaves(10, None)), ([true, false], true));
        let (from, to) = window.instants();
        assert_eq!((from, to), ("2026-02-01T00:00:00Z".parse().ok(), "2026-03-01T00:00:00Z".parse().ok()));
        assert!(!window.holds(None), "an undated post has no place in a bounded window");
        assert!(Window::default().holds(None));
    }
}
