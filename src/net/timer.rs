//! Time as the door sees it: how long since the door was opened, and waiting. Nothing in `net` sleeps but through a
//! [`Timer`], so a test leaps over a wait of ten minutes and still sees that it was kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use governor::nanos::Nanos;

/// A monotonic clock with a way to wait on it.
#[derive(Debug, Clone)]
pub struct Timer(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Real(Instant),
    /// Nanoseconds since it was made. Waiting moves it on at once.
    Leaping(Arc<AtomicU64>),
}

impl Timer {
    /// The machine's time.
    pub fn real() -> Self {
        Self(Kind::Real(Instant::now()))
    }

    /// A clock that stands still except that every wait moves it to the wait's end at once. Clones share the time.
    pub fn leaping() -> Self {
        Self(Kind::Leaping(Arc::default()))
    }

    /// Time since the timer was made.
    pub fn now(&self) -> Duration {
        match &self.0 {
            Kind::Real(start) => start.elapsed(),
            Kind::Leaping(nanos) => Duration::from_nanos(nanos.load(Ordering::SeqCst)),
        }
    }

    /// Waits until [`Timer::now`] has reached `at`.
    pub async fn sleep_until(&self, at: Duration) {
        match &self.0 {
            Kind::Real(_) => tokio::time::sleep(at.saturating_sub(self.now())).await,
            Kind::Leaping(nanos) => {
                nanos.fetch_max(u64::try_from(at.as_nanos()).unwrap_or(u64::MAX), Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        }
    }
}

impl governor::clock::Clock for Timer {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Self::now(self).into()
    }
}
