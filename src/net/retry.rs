//! Whether trouble is transient, and how long to wait: two questions, answered apart. All waiting of one request comes
//! out of one budget, across redirects and fresh tokens.

use std::error::Error;
use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::error::NetError;

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Seconds over which Reddit counts requests.
const REDDIT_WINDOW: f64 = 600.0;

/// Whether the same request may succeed later.
pub(super) fn is_transient(error: &NetError) -> bool {
    match error {
        NetError::Status { status, .. } => {
            matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504 | 520 | 522)
        }
        // A name that does not exist and a certificate that does not fit will be the same in a minute.
        NetError::Transport { source, .. } => !source.is_dns() && !source.is_builder() && !is_tls(source),
        _ => false,
    }
}

/// TLS trouble comes as an I/O error of kind `InvalidData`.
fn is_tls(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = cause {
        let io = inner.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData) {
            return error.is_connect();
        }
        cause = inner.source();
    }
    false
}

/// What is left of one request's waiting time.
#[derive(Debug)]
pub(super) struct Budget {
    left: Duration,
    /// Attempts made so far.
    pub(super) tries: u32,
}

impl Budget {
    pub(super) fn new(seconds: u64) -> Self {
        Self { left: Duration::from_secs(seconds), tries: 0 }
    }

    /// How long to wait before the next try: exponential with jitter between half and the whole of 1 s, 2 s, 4 s … 60 s,
    /// and no less than the server asks for. `None` when that is more than is left.
    pub(super) fn next_wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let whole = FIRST_WAIT.saturating_mul(1 << self.tries.saturating_sub(1).min(10)).min(LONGEST_WAIT);
        let wait = whole.mul_f64(rand::random_range(0.5..=1.0)).max(asked.unwrap_or_default());
        self.left = self.left.checked_sub(wait)?;
        Some(wait)
    }
}

/// How long `Retry-After` asks to wait. A date is measured against the reply's own `Date`, so a wrong clock here or
/// there does no harm.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let http_date = |text: &str| DateTimeParser::new().parse_timestamp(text).ok();
    let now = http_date(headers.get(DATE)?.to_str().ok()?)?;
    Some(http_date(text)?.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

/// How long a host's `x-ratelimit-*` headers ask to wait before the next request.
///
/// With `used` beside `remaining` and `reset` (Reddit) the rest of the window is spread over the requests that remain, at
/// most 10 s each, as prawcore does. Without it only an empty allowance makes us wait. A `reset` beyond an hour is
/// taken for a date, which other hosts send, and left alone.
pub(super) fn ratelimit_wait(headers: &HeaderMap) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok().filter(|n| n.is_finite());
    let remaining = number("x-ratelimit-remaining")?;
    let reset = number("x-ratelimit-reset").filter(|reset| (0.0..=3600.0).contains(reset))?;
    if remaining <= 0.0 {
        return Duration::try_from_secs_f64(reset.max(1.0)).ok();
    }
    let used = number("x-ratelimit-used")?;
    let due = REDDIT_WINDOW - REDDIT_WINDOW / (remaining + used) * used;
    Duration::try_from_secs_f64((reset - due).max(0.0).min(reset).min(10.0)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let cases = [
            (headers(&[("retry-after", "7")]), Some(7.0)),
            (headers(&[("retry-after", " 0.5 ")]), Some(0.5)),
            (headers(&[date, ("retry-after", "Sun, 06 Nov 1994 08:51:37 GMT")]), Some(120.0)),
            (headers(&[date, ("retry-after", "Sun, 06 Nov 1994 08:49:00 GMT")]), Some(0.0)),
            (headers(&[("retry-after", "Sun, 06 Nov 1994 08:51:37 GMT")]), None),
            (headers(&[("retry-after", "-1")]), None),
            (headers(&[("retry-after", "soon")]), None),
            (headers(&[]), None),
        ];
        for (headers, seconds) in cases {
            assert_eq!(retry_after(&headers), seconds.map(Duration::from_secs_f64), "{headers:?}");
        }
    }

    #[test]
    fn limit_headers_spread_what_remains() {
        let reddit = |remaining, used, reset| {
            ratelimit_wait(&headers(&[
                ("x-ratelimit-remaining", remaining),
                ("x-ratelimit-used", used),
                ("x-ratelimit-reset", reset),
            ]))
            .map(|wait| wait.as_secs_f64())
        };
        assert_eq!(reddit("0.0", "600", "123"), Some(123.0));
        assert_eq!(reddit("0.0", "600", "0"), Some(1.0));
        assert_eq!(reddit("599.0", "1", "600"), Some(1.0));
        // Half used with 200 s to go: ahead of the window, no wait.
        assert_eq!(reddit("300.0", "300", "200"), Some(0.0));
        assert_eq!(reddit("10.0", "590", "590"), Some(10.0));
        assert_eq!(ratelimit_wait(&headers(&[("x-ratelimit-remaining", "5"), ("x-ratelimit-reset", "60")])), None);
        assert_eq!(
            ratelimit_wait(&headers(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795000000")])),
            None
        );
        assert_eq!(reddit("nan", "0", "60"), None);
    }

    #[test]
    fn waits_grow_and_never_exceed_the_budget() {
        let mut budget = Budget::new(300);
        let mut waited = Duration::ZERO;
        let mut waits = Vec::new();
        loop {
            budget.tries += 1;
            let Some(wait) = budget.next_wait(None) else { break };
            waited += wait;
            waits.push(wait);
        }
        assert!(waited <= Duration::from_secs(300));
        for (wait, whole) in waits.iter().zip([1, 2, 4, 8, 16, 32, 60, 60]) {
            let whole = Duration::from_secs(whole);
            assert!(*wait >= whole / 2 && *wait <= whole, "{wait:?} of {whole:?}");
        }
        assert!(Budget::new(10).next_wait(Some(Duration::from_secs(11))).is_none());
        let asked = Budget::new(10).next_wait(Some(Duration::ZERO));
        assert!(asked >= Some(FIRST_WAIT / 2), "a server that asks for no wait cannot make us ask for ever: {asked:?}");
    }
}
