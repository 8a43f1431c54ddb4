//! When the next request may go out. Four things hold an attempt back: an instant before which the server wants quiet, the
//! requests of the minute, the tokens of the minute, and a place among the requests under way.
//!
//! A server that fails several times in a row is away. Then everybody waits, and one request at a time tries whether it is
//! back, with growing pauses, until it answers or [`Gate::given_up`] says that it was away for too long. Waiting requests
//! queue in the order they came.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::{Mutex as Queue, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore, watch};

use crate::config::LlmSettings;
use crate::net::Timer;

/// Failures in a row after which the server is taken to be away: one request and the retries that async-openai makes.
const FAILURES_OF_AN_OUTAGE: u32 = 4;

/// How long an address is tried that never answered and where there seems to be no such server.
const FIRST_PATIENCE: Duration = Duration::from_secs(5);

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

type Limiter = RateLimiter<NotKeyed, InMemoryState, Timer, NoOpMiddleware<Nanos>>;

/// The gate before one server.
#[derive(Debug)]
pub(super) struct Gate {
    timer: Timer,
    requests: Option<Limiter>,
    tokens: Option<TokenLimit>,
    permits: Arc<Semaphore>,
    queue: Arc<Queue<()>>,
    /// The configuration's section, for errors.
    section: &'static str,
    patience: Duration,
    state: Mutex<State>,
    /// Why nothing more is sent in this run, once that is so.
    shut: watch::Sender<Option<String>>,
}

#[derive(Debug)]
struct TokenLimit {
    limiter: Limiter,
    /// More than this cannot be asked for at once.
    burst: NonZeroU32,
}

#[derive(Debug, Default)]
struct State {
    /// Nothing is sent before this instant of the timer.
    not_before: Duration,
    /// Answers so far, of any kind that shows that the server works.
    answers: u64,
    /// Failures since the last answer, and when the first of them was.
    failures: u32,
    failing_since: Duration,
    /// The last pause, while the server is away.
    pause: Option<Duration>,
    last_failure: String,
    /// It looked as if there were no such server.
    nobody: bool,
}

impl State {
    /// Whether the address is wrong, as far as is known: it never answered, and there seems to be no such server.
    fn is_nowhere(&self) -> bool {
        self.answers == 0 && self.nobody
    }
}

/// The right to send one request, while it lives.
#[derive(Debug)]
pub(super) struct Pass {
    _permit: OwnedSemaphorePermit,
    /// Held while the server is away: nobody else is let through until this request has found out.
    probe: Option<OwnedMutexGuard<()>>,
}

impl Gate {
    pub(super) fn new(settings: &LlmSettings, timer: Timer) -> Self {
        // A second's worth may go out at once, so that a late wake-up does not lose its turn.
        let requests = settings.requests_per_minute.and_then(NonZeroU32::new).map(|limit| {
            let burst = NonZeroU32::new(limit.get() / 60).unwrap_or(NonZeroU32::MIN);
            RateLimiter::direct_with_clock(Quota::per_minute(limit).allow_burst(burst), timer.clone())
        });
        let tokens = settings.tokens_per_minute.and_then(NonZeroU32::new).map(|limit| {
            let burst = NonZeroU32::new(limit.get() / 6).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::per_minute(limit).allow_burst(burst);
            TokenLimit { limiter: RateLimiter::direct_with_clock(quota, timer.clone()), burst }
        });
        Self {
            timer,
            requests,
            tokens,
            permits: Arc::new(Semaphore::new(settings.concurrency)),
            queue: Arc::default(),
            section: settings.section,
            patience: Duration::from_secs(settings.outage_secs),
            state: Mutex::default(),
            shut: watch::Sender::default(),
        }
    }

    /// Lets nothing through any more; the first reason stays.
    pub(super) fn shut(&self, why: &str) {
        self.shut.send_if_modified(|shut| {
            let first = shut.is_none();
            shut.get_or_insert_with(|| why.to_owned());
            first
        });
    }

    /// Why nothing is let through any more, if so.
    pub(super) fn why_shut(&self) -> Option<String> {
        self.shut.borrow().clone()
    }

    /// Waits until nothing is let through any more, and says why.
    pub(super) async fn until_shut(&self) -> String {
        let mut shut = self.shut.subscribe();
        // The sender is ours, so this cannot fail.
        let why = shut.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
        why.unwrap_or_default()
    }

    /// Whether tokens are limited, so that they need counting.
    pub(super) fn counts_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// Waits until a request of `tokens` tokens may be sent.
    ///
    /// # Errors
    /// As [`Gate::given_up`].
    pub(super) async fn pass(&self, tokens: u64) -> Result<Pass, String> {
        let first_in_line = Arc::clone(&self.queue).lock_owned().await;
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
            return Err("the gate is closed".to_owned());
        };
        self.wait_for_quiet().await?;
        if let Some(limiter) = &self.requests {
            while let Err(denied) = limiter.check() {
                self.wait(denied.wait_time_from(Clock::now(&self.timer))).await;
            }
        }
        if let Some(TokenLimit { limiter, burst }) = &self.tokens {
            let wanted = u32::try_from(tokens).unwrap_or(u32::MAX);
            let wanted = NonZeroU32::new(wanted).unwrap_or(NonZeroU32::MIN).min(*burst);
            while let Ok(Err(denied)) = limiter.check_n(wanted) {
                self.wait(denied.wait_time_from(Clock::now(&self.timer))).await;
            }
        }
        // The server may have asked for quiet in the meantime.
        self.wait_for_quiet().await?;
        let probe = self.state().pause.is_some().then_some(first_in_line);
        Ok(Pass { _permit: permit, probe })
    }

    async fn wait_for_quiet(&self) -> Result<(), String> {
        loop {
            if let Some(why) = self.given_up() {
                return Err(why);
            }
            let not_before = self.state().not_before;
            if not_before <= self.timer.now() {
                return Ok(());
            }
            self.timer.sleep_until(not_before).await;
        }
    }

    async fn wait(&self, time: Duration) {
        self.timer.sleep_until(self.timer.now() + time).await;
    }

    /// Until when the server is waited for.
    fn end_of_patience(&self, state: &State) -> Duration {
        let patience = if state.is_nowhere() { self.patience.min(FIRST_PATIENCE) } else { self.patience };
        state.failing_since + patience
    }

    /// Why the server is no longer waited for: it has been away for as long as `llm.outage_secs`, or asks for a pause that
    /// reaches beyond that; or it was never there.
    pub(super) fn given_up(&self) -> Option<String> {
        let state = self.state();
        if state.failures == 0 {
            return None;
        }
        let end = self.end_of_patience(&state);
        let now = self.timer.now();
        let (last, secs) = (&state.last_failure, self.patience.as_secs());
        if state.is_nowhere() && state.pause.is_some() && now >= end {
            let section = self.section;
            return Some(format!(
                "{last}; check {section}.base_url, which usually ends in /v1, and that the server runs"
            ));
        }
        if state.not_before > end {
            let wait = state.not_before.saturating_sub(now).as_secs();
            return Some(format!("it wants {wait} s of quiet ({last}); run again later to go on from here"));
        }
        (state.pause.is_some() && now >= end)
            .then(|| format!("no answer for {secs} s ({last}); run again later to go on from here"))
    }

    /// Lets nothing through for `wait` from now.
    pub(super) fn close_for(&self, wait: Duration) {
        let mut state = self.state();
        state.not_before = state.not_before.max(self.timer.now().saturating_add(wait));
    }

    /// The server answered.
    pub(super) fn note_answer(&self) {
        let mut state = self.state();
        state.answers += 1;
        state.failures = 0;
        state.pause = None;
    }

    /// There seems to be no such server at the address: the request that `pass` let through was turned away, or answered by
    /// something else.
    pub(super) fn note_nobody(&self, pass: &Pass, why: &str) {
        self.state().nobody = true;
        self.note(pass, why, None);
    }

    /// The server failed the request that `pass` let through, and asks for `quiet`.
    pub(super) fn note_failure(&self, pass: &Pass, why: &str, quiet: Option<Duration>) {
        self.state().nobody = false;
        self.note(pass, why, quiet);
    }

    fn note(&self, pass: &Pass, why: &str, quiet: Option<Duration>) {
        let mut state = self.state();
        let now = self.timer.now();
        if state.failures == 0 {
            state.failing_since = now;
        }
        state.failures += 1;
        why.clone_into(&mut state.last_failure);
        // Requests that were under way when the outage began tell nothing new.
        let next = match state.pause {
            Some(pause) => pass.probe.is_some().then(|| (pause * 2).min(LONGEST_PAUSE)),
            None => (state.failures >= FAILURES_OF_AN_OUTAGE).then_some(FIRST_PAUSE),
        };
        if let Some(pause) = next {
            if state.pause.is_none() {
                tracing::warn!(trouble = why, "the model's server is away; waiting for it");
            }
            state.pause = Some(pause);
            // The last pause ends when patience does.
            let until = (now + pause.mul_f64(rand::random_range(0.5..=1.0))).min(self.end_of_patience(&state));
            state.not_before = state.not_before.max(until);
        }
        if let Some(quiet) = quiet {
            state.not_before = state.not_before.max(now.saturating_add(quiet));
        }
    }

    /// Answers so far.
    pub(super) fn answers(&self) -> u64 {
        self.state().answers
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(change: impl Fn(&mut LlmSettings)) -> (Gate, Timer) {
        let timer = Timer::leaping();
        let mut settings = LlmSettings::new("http://x/v1", "m");
        change(&mut settings);
        (Gate::new(&settings, timer.clone()), timer)
    }

    async fn instants(gate: &Gate, timer: &Timer, tokens: &[u64]) -> Vec<u128> {
        let mut at = Vec::new();
        for tokens in tokens {
            drop(gate.pass(*tokens).await.unwrap());
            at.push(timer.now().as_millis());
        }
        at
    }

    #[tokio::test]
    async fn requests_and_tokens_keep_to_their_minute() {
        let (by_requests, timer) = gate(|s| s.requests_per_minute = Some(120));
        assert_eq!(instants(&by_requests, &timer, &[1; 5]).await, [0, 0, 500, 1000, 1500]);
        let (by_tokens, timer) = gate(|s| s.tokens_per_minute = Some(600));
        // A hundred at once, ten a second after that; one that is larger than the burst waits for all of it.
        assert_eq!(instants(&by_tokens, &timer, &[50, 50, 50, 1000]).await, [0, 0, 5000, 15_000]);
    }

    #[tokio::test]
    async fn an_outage_lets_one_through_at_a_time_with_growing_pauses() {
        let (gate, timer) = gate(|s| s.concurrency = 8);
        let mut under_way = Vec::new();
        for _ in 0..8 {
            under_way.push(gate.pass(1).await.unwrap());
        }
        for pass in &under_way {
            gate.note_failure(pass, "answered 503", None);
        }
        under_way.clear();
        let mut before = timer.now();
        for (least, most) in [(500, 1000), (1000, 2000), (2000, 4000)] {
            let pass = gate.pass(1).await.unwrap();
            assert!(pass.probe.is_some());
            let waited = (timer.now() - before).as_millis();
            assert!((least..=most).contains(&waited), "{waited} is not in {least} to {most}");
            before = timer.now();
            gate.note_failure(&pass, "answered 503", None);
        }
        let probe = gate.pass(1).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(20), gate.pass(1)).await.is_err(), "one at a time");
        gate.note_answer();
        drop(probe);
        let [a, b] = [gate.pass(1).await.unwrap(), gate.pass(1).await.unwrap()];
        assert!(a.probe.is_none() && b.probe.is_none(), "it is back");
    }

    #[tokio::test]
    async fn a_server_is_waited_for_as_long_as_configured() {
        let (away, timer) = gate(|s| s.outage_secs = 100);
        let error = loop {
            match away.pass(1).await {
                Ok(pass) => away.note_failure(&pass, "connection refused", None),
                Err(error) => break error,
            }
        };
        assert!(error.contains("100 s") && error.contains("connection refused"), "{error}");
        assert_eq!(timer.now().as_secs(), 100);

        let (busy, timer) = gate(|s| s.outage_secs = 100);
        let pass = busy.pass(1).await.unwrap();
        busy.note_failure(&pass, "answered 429", Some(Duration::from_secs(3600)));
        drop(pass);
        assert!(busy.pass(1).await.unwrap_err().contains("3600 s"));
        assert_eq!(timer.now(), Duration::ZERO, "an hour is not waited for");
    }

    #[tokio::test]
    async fn a_server_that_was_never_there_is_not_waited_for() {
        let tried = async |answered: bool| {
            let (gate, timer) = gate(|s| s.outage_secs = 100);
            if answered {
                gate.note_answer();
            }
            let error = loop {
                match gate.pass(1).await {
                    Ok(pass) => gate.note_nobody(&pass, "could not connect: connection refused"),
                    Err(error) => break error,
                }
            };
            (error, timer.now().as_secs())
        };
        let (error, secs) = tried(false).await;
        assert!(error.contains("connection refused") && error.contains("check llm.base_url"), "{error}");
        assert_eq!(secs, 5);
        let (error, secs) = tried(true).await;
        assert!(error.contains("connection refused") && error.contains("run again later"), "{error}");
        assert_eq!(secs, 100, "one that did answer may come back");
    }

    #[tokio::test]
    async fn now_and_then_a_failure_stops_nobody() {
        let (gate, timer) = gate(|_| {});
        for _ in 0..20 {
            let pass = gate.pass(1).await.unwrap();
            gate.note_failure(&pass, "answered 500", None);
            gate.note_answer();
        }
        assert_eq!(timer.now(), Duration::ZERO);
    }
}
