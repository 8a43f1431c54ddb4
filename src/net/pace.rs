//! How fast one host is asked. Three things hold a request back, and all must agree at the moment it is sent: the host's
//! not-before instant, the governor's token, and a permit. A permit is never held while waiting for the other two.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::timer::Timer;

/// Requests to one host that are on their way at the same time.
const IN_FLIGHT: usize = 2;

/// A host that is closed for longer than this is not waited for. Reddit's rate window, 10 minutes, fits in.
const LONGEST_CLOSE: Duration = Duration::from_secs(15 * 60);

/// The gate before one host.
#[derive(Debug)]
pub(super) struct Host {
    limiter: RateLimiter<NotKeyed, InMemoryState, Timer, NoOpMiddleware<Nanos>>,
    permits: Semaphore,
    hold: Mutex<Hold>,
    timer: Timer,
}

#[derive(Debug, Default)]
struct Hold {
    /// Nothing is sent before this instant of the timer.
    not_before: Duration,
    /// Least time between two requests, from robots.txt.
    gap: Duration,
}

impl Host {
    /// A host that is asked at most `requests_per_minute` times a minute, evenly.
    pub(super) fn new(requests_per_minute: u32, timer: &Timer) -> Self {
        let period = Duration::from_secs(60) / requests_per_minute.max(1);
        let quota = Quota::with_period(period).unwrap_or(Quota::per_second(std::num::NonZeroU32::MIN));
        Self {
            limiter: RateLimiter::direct_with_clock(quota, timer.clone()),
            permits: Semaphore::new(IN_FLIGHT),
            hold: Mutex::default(),
            timer: timer.clone(),
        }
    }

    /// Waits for this request's turn. The request may be sent while the permit lives.
    ///
    /// # Errors
    /// With the time still to wait, when the host is closed for longer than we wait.
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Duration> {
        loop {
            // The semaphore is never closed; were it, there would be nothing to wait for either.
            let Ok(permit) = self.permits.acquire().await else { return Err(Duration::MAX) };
            let Some(at) = self.try_pass() else { return Ok(permit) };
            drop(permit);
            let wait = at.saturating_sub(self.timer.now());
            if wait > LONGEST_CLOSE {
                return Err(wait);
            }
            self.timer.sleep_until(at).await;
        }
    }

    /// `None` when a request may be sent now, which is then taken as sent; else when to ask again.
    fn try_pass(&self) -> Option<Duration> {
        let mut hold = self.hold();
        let now = self.timer.now();
        if hold.not_before > now {
            return Some(hold.not_before);
        }
        if let Err(denied) = self.limiter.check() {
            return Some(now + denied.wait_time_from(Clock::now(&self.timer)));
        }
        hold.not_before = now + hold.gap;
        None
    }

    /// Closes the host for `wait` from now, if it is not closed for longer.
    pub(super) fn close_for(&self, wait: Duration) {
        let mut hold = self.hold();
        hold.not_before = hold.not_before.max(self.timer.now().saturating_add(wait));
    }

    /// Keeps at least `gap` between two requests.
    pub(super) fn keep_gap(&self, gap: Duration) {
        self.hold().gap = gap;
        self.close_for(gap);
    }

    fn hold(&self) -> std::sync::MutexGuard<'_, Hold> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_are_evenly_spaced_and_closed_hosts_waited_for() {
        let timer = Timer::leaping();
        let host = Host::new(120, &timer);
        let mut turns = Vec::new();
        for step in 0..6 {
            drop(host.turn().await.unwrap());
            turns.push(timer.now().as_millis());
            match step {
                2 => host.close_for(Duration::from_secs(7)),
                3 => host.keep_gap(Duration::from_secs(2)),
                _ => {}
            }
        }
        assert_eq!(turns, [0, 500, 1000, 8000, 10_000, 12_000]);
    }

    #[tokio::test]
    async fn a_host_closed_for_hours_is_not_waited_for() {
        let timer = Timer::leaping();
        let host = Host::new(60, &timer);
        host.close_for(Duration::from_secs(7200));
        assert_eq!(host.turn().await.unwrap_err(), Duration::from_secs(7200));
        assert_eq!(timer.now(), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_waiting_request_holds_no_permit() {
        let timer = Timer::real();
        let host = Host::new(60_000, &timer);
        host.close_for(Duration::from_millis(50));
        let look = async {
            tokio::time::sleep(Duration::from_millis(10)).await;
            host.permits.available_permits()
        };
        let (turn, free) = tokio::join!(host.turn(), look);
        assert_eq!(free, IN_FLIGHT);
        assert!(turn.is_ok());
    }
}
