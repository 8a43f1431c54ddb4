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

    /// Whether it is the one that is taken where none is chosen.
    pub fn is_utc(&self) -> bool {
        self.tz == TimeZone::UTC
    }

    /// How many dates were read so.
    pub fn met(&self) -> u64 {
        self.met.load(Ordering::Relaxed)
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::new(TimeZone::UTC)
    }
}
