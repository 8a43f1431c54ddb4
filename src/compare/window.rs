//! The days that are compared: the same for both sides (METHOD 3.11).

use anyhow::{Result, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::config::CompareSettings;
use crate::model::comparison::WindowV1;

/// Both ends inclusive, UTC. A window without ends holds everything, dated or not; any other holds only what is dated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// First day.
    pub since: Option<Date>,
    /// Last day.
    pub until: Option<Date>,
    /// How it was chosen.
    pub why: String,
}

/// The UTC day of an instant.
pub fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

impl Window {
    /// Chooses the window: as configured, else the last `window_days` that both sides cover, given the latest dated item of
    /// each side; `crm` is `None` when there is no note at all.
    ///
    /// # Errors
    /// When the window would end before it begins.
    pub fn choose(settings: &CompareSettings, community: Option<Date>, crm: Option<Option<Date>>) -> Result<Self> {
        let covered = match (community, crm) {
            (Some(community), Some(Some(crm))) => Some(community.min(crm)),
            _ => None,
        };
        let until = settings.until.or(covered);
        let since = match (settings.since, until) {
            (Some(since), _) => Some(since),
            (None, Some(until)) => Some(until.saturating_sub((settings.window_days - 1).days())),
            (None, None) => None,
        };
        let why = match (settings.since, settings.until, covered, crm) {
            (Some(_), ..) | (_, Some(_), ..) => "as configured".to_owned(),
            (.., Some(_), _) => format!("the last {} days that both sides cover", settings.window_days),
            (.., None) => "no CRM data: all posts".to_owned(),
            _ => "one side carries no dates: everything".to_owned(),
        };
        if let (Some(since), Some(until)) = (since, until)
            && since > until
        {
            bail!("the comparison would begin on {since} and end on {until}; change compare.since or compare.until");
        }
        Ok(Self { since, until, why })
    }

    /// Whether it has any end.
    pub fn is_bounded(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Whether something written at `at` lies inside.
    pub fn contains(&self, at: Option<Timestamp>) -> bool {
        if !self.is_bounded() {
            return true;
        }
        at.map(day).is_some_and(|day| self.since.is_none_or(|s| s <= day) && self.until.is_none_or(|u| day <= u))
    }

    /// Whether something written at `at` lies at least `days` before its end; anything does when there is no end.
    pub fn is_older_than(&self, at: Option<Timestamp>, days: i64) -> bool {
        match (self.until, at.map(day)) {
            (Some(until), Some(day)) => day <= until.saturating_sub(days.days()),
            _ => true,
        }
    }

    /// First instant inside, and first instant after it.
    pub fn instants(&self) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        let start = |date: Date| date.to_zoned(TimeZone::UTC).map(|z| z.timestamp());
        let since = self.since.map(start).transpose()?;
        let until = self.until.map(|until| start(until.saturating_add(1.day()))).transpose()?;
        Ok((since, until))
    }

    /// As published.
    pub fn published(&self) -> WindowV1 {
        WindowV1 {
            since: self.since.map(|d| d.to_string()),
            until: self.until.map(|d| d.to_string()),
            why: self.why.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn the_window_is_what_both_sides_cover() {
        let settings = CompareSettings { window_days: 10, ..CompareSettings::default() };
        let window = Window::choose(&settings, Some(date("2026-07-30")), Some(Some(date("2026-07-20")))).unwrap();
        assert_eq!((window.since, window.until), (Some(date("2026-07-11")), Some(date("2026-07-20"))));
        for (at, inside) in [
            (Some("2026-07-10T23:59:59Z"), false),
            (Some("2026-07-11T00:00:00Z"), true),
            (Some("2026-07-20T23:59:59Z"), true),
            (Some("2026-07-21T00:00:00Z"), false),
            (None, false),
        ] {
            let instant = at.map(|a| a.parse::<Timestamp>().unwrap());
            assert_eq!(window.contains(instant), inside, "{at:?}");
        }
        let (from, to) = window.instants().unwrap();
        assert_eq!(from.unwrap().to_string(), "2026-07-11T00:00:00Z");
        assert_eq!(to.unwrap().to_string(), "2026-07-21T00:00:00Z");
        assert!(window.is_older_than(Some("2026-07-15T12:00:00Z".parse().unwrap()), 5));
        assert!(!window.is_older_than(Some("2026-07-16T00:00:00Z".parse().unwrap()), 5));
    }

    #[test]
    fn without_crm_or_dates_everything_is_inside() {
        let settings = CompareSettings::default();
        for (community, crm, why) in [
            (Some(date("2026-07-30")), None, "no CRM data"),
            (Some(date("2026-07-30")), Some(None), "no dates"),
            (None, Some(Some(date("2026-07-30"))), "no dates"),
        ] {
            let window = Window::choose(&settings, community, crm).unwrap();
            assert!(!window.is_bounded() && window.contains(None));
            assert!(window.why.contains(why), "{}", window.why);
        }
    }

    #[test]
    fn a_window_that_ends_before_it_begins_is_refused() {
        let settings = CompareSettings {
            since: Some(date("2026-02-01")),
            until: Some(date("2026-01-01")),
            ..CompareSettings::default()
        };
        assert!(Window::choose(&settings, None, None).is_err());
    }
}
