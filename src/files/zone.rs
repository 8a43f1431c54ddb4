//! Dates that name no zone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The zone in which dates without one are read, and how many were.
#[derive(Debug, Clone)]
pub struct Zone {
    tz: TimeZone,
    met: Arc<AtomicU64>,
}

impl Zone {
    /// Dates without a zone are of `tz`.
    pub fn new(tz: TimeZone) -> Self {
        Self { tz, met: Arc::default() }
    }

    /// The instant of a date on a wall clock. Where the clock was set back, the earlier one.
    pub fn instant(&self, at: DateTime) -> Option<Timestamp> {
        self.met.fetch_add(1, Ordering::Relaxed);
        self.tz.to_timestamp(at).ok()
    }

    /// How many dates were read so.
    pub fn met(&self) -> u64 {
        self.met.load(Ordering::Relaxed)
    }

    /// What to tell whoever brought the dates, when some were read so.
    pub fn notice(&self) -> Option<String> {
        let zone =
            self.tz.iana_name().map(str::to_owned).or_else(|| self.tz.to_fixed_offset().ok().map(|o| o.to_string()));
        let zone = zone.unwrap_or_else(|| "the chosen zone".to_owned());
        match self.met() {
            0 => None,
            1 => Some(format!(
                "1 date names no zone and was read as of {zone}; --tz takes another, such as Europe/Berlin."
            )),
            met => Some(format!(
                "{met} dates name no zone and were read as of {zone}; --tz takes another, such as Europe/Berlin."
            )),
        }
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::new(TimeZone::UTC)
    }
}
