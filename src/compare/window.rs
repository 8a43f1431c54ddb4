//! The days that are compared: the same for both sides (METHOD 3.11).

use anyhow::{Result, bail};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::config::CompareSettings;
use crate::model::comparison::WindowV1;

/// Days by which the sensitivity runs make the window longer and shorter, and let the communities lead (METHOD 3.11).
pub const SHIFT: i64 = 90;

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

    /// The same days without those after `today`; all days stay all.
    pub fn up_to(&self, today: Date) -> Self {
        let until = self.is_bounded().then(|| self.until.map_or(today, |until| until.min(today)));
        Self { until, ..self.clone() }
    }

    /// How many days it holds; `None` when an end is open.
    pub fn days(&self) -> Option<i64> {
        Some(i64::from((self.until? - self.since?).get_days()) + 1)
    }

    /// The window that begins `days` later and ends with it; `None` when an end is open or nothing is left.
    pub fn begun_later(&self, days: i64) -> Option<Self> {
        let since = self.since?.checked_add(days.days()).ok()?;
        let why = format!("{} days {}", days.abs(), if days < 0 { "more" } else { "fewer" });
        (since <= self.until?).then_some(Self { since: Some(since), until: self.until, why })
    }

    /// As many days, but all so many `days` earlier; `None` when an end is open.
    pub fn earlier(&self, days: i64) -> Option<Self> {
        let back = |date: Date| date.checked_sub(days.days()).ok();
        let why = format!("{days} days earlier");
        Some(Self { since: Some(back(self.since?)?), until: Some(back(self.until?)?), why })
    }

    /// As many days just before it; `None` when an end is open.
    pub fn before(&self) -> Option<Self> {
        let days = self.days()?;
        Some(Self { why: format!("the {days} days before"), ..self.earlier(days)? })
    }

    /// The days of both; `None` when they have none in common, or an end is open.
    pub fn common(&self, other: &Self) -> Option<Self> {
        let (since, until) = (self.since?.max(other.since?), self.until?.min(other.until?));
        (since <= until).then(|| Self { since: Some(since), until: Some(until), ..self.clone() })
    }

    /// Everything that is looked at beside it: as many days before as it holds, and at least [`SHIFT`].
    pub fn reach(&self) -> Self {
        let back = self.days().unwrap_or(0).max(SHIFT);
        Self { since: self.since.map(|since| since.saturating_sub(back.days())), ..self.clone() }
    }

    /// Whether all of `other` lies inside.
    pub fn holds(&self, other: &Self) -> bool {
        let begins = self.since.is_none_or(|s| other.since.is_some_and(|o| s <= o));
        begins && self.until.is_none_or(|u| other.until.is_some_and(|o| o <= u))
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
    fn the_windows_beside_it() {
        let window = |since: &str, until: &str| Window {
            since: Some(date(since)),
            until: Some(date(until)),
            why: String::new(),
        };
        let ends = |w: Option<Window>| w.map(|w| (w.since.unwrap().to_string(), w.until.unwrap().to_string()));
        let half = window("2026-02-01", "2026-07-31");
        let expected = |since: &str, until: &str| Some((since.to_owned(), until.to_owned()));
        assert_eq!(half.days(), Some(181));
        assert_eq!(ends(half.before()), expected("2025-08-04", "2026-01-31"));
        assert_eq!(half.before().unwrap().days(), Some(181));
        assert_eq!(ends(half.begun_later(-SHIFT)), expected("2025-11-03", "2026-07-31"));
        assert_eq!(ends(half.begun_later(SHIFT)), expected("2026-05-02", "2026-07-31"));
        assert_eq!(ends(half.earlier(SHIFT)), expected("2025-11-03", "2026-05-02"));
        assert_eq!(window("2026-02-01", "2026-03-01").begun_later(SHIFT), None);
        let reach = half.reach();
        for beside in [half.before(), half.begun_later(-SHIFT), half.earlier(SHIFT), Some(half.clone())] {
            assert!(reach.holds(&beside.unwrap()));
        }
        assert!(!half.holds(&reach) && half.holds(&half.begun_later(SHIFT).unwrap()));
        let common = half.common(&window("2026-05-01", "2026-09-30"));
        assert_eq!(ends(common), expected("2026-05-01", "2026-07-31"));
        assert_eq!(half.common(&window("2026-08-01", "2026-09-30")), None);
        let open = Window { since: None, until: None, why: String::new() };
        assert!(open.before().is_none() && open.days().is_none() && open.holds(&half) && !half.holds(&open));
        assert_eq!(open.reach(), open);
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
