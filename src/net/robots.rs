//! robots.txt, read by RFC 9309: a file that says 4xx restricts nothing, one that cannot be read forbids everything for now.

use std::time::Duration;

use texting_robots::Robot;
use url::Url;

use super::error::NetError;

/// Rules beyond this many bytes are not read (RFC 9309 2.5 asks for at least 500 KiB).
const LONGEST: usize = 500 * 1024;

/// What one origin lets us read.
#[derive(Debug)]
pub(super) enum Robots {
    /// There are no rules.
    Open,
    /// Its rules for us.
    Rules(Box<Robot>),
    /// They could not be read, and why.
    Unknown(String),
}

impl Robots {
    /// Rules for `agent` (a product token such as `candor`) from what fetching robots.txt brought.
    pub(super) fn read(agent: &str, fetched: Result<Vec<u8>, NetError>) -> Self {
        match fetched {
            Ok(body) => match Robot::new(agent, &body[..body.len().min(LONGEST)]) {
                Ok(robot) => Self::Rules(Box::new(robot)),
                Err(error) => Self::Unknown(format!("it cannot be understood: {error}")),
            },
            Err(NetError::Status { status: 400..=499, .. } | NetError::Redirects { .. }) => Self::Open,
            Err(error) => Self::Unknown(error.in_full()),
        }
    }

    /// Why `url` may not be fetched.
    pub(super) fn objection(&self, agent: &str, url: &Url) -> Option<String> {
        match self {
            Self::Open => None,
            Self::Rules(robot) => {
                (!robot.allowed(url.as_str())).then(|| format!("the host's robots.txt disallows it for {agent}"))
            }
            Self::Unknown(why) => Some(format!(
                "the host's robots.txt could not be read, so nothing else is fetched for now ({why}); run again later"
            )),
        }
    }

    /// The pause the host asks for between two requests.
    pub(super) fn crawl_delay(&self) -> Option<Duration> {
        match self {
            Self::Rules(robot) => robot.delay.and_then(|seconds| Duration::try_from_secs_f32(seconds).ok()),
            _ => None,
        }
    }
}

/// The product token of a user agent: what stands before the first slash or blank.
pub(super) fn product_token(user_agent: &str) -> String {
    user_agent.split(['/', ' ']).next().unwrap_or(user_agent).to_owned()
}

/// Where the rules for `url` stand.
pub(super) fn robots_url(url: &Url) -> Url {
    let mut robots = url.clone();
    robots.set_path("/robots.txt");
    robots.set_query(None);
    robots.set_fragment(None);
    robots
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(path: &str) -> Url {
        Url::parse("https://forum.example").unwrap().join(path).unwrap()
    }

    fn status(status: u16) -> Result<Vec<u8>, NetError> {
        Err(NetError::Status { url: url("/robots.txt").into(), status, retry_after: None })
    }

    #[test]
    fn answers_without_a_file_follow_the_rfc() {
        for (code, allowed) in [(401, true), (404, true), (451, true), (500, false), (503, false)] {
            assert_eq!(Robots::read("candor", status(code)).objection("candor", &url("/t/1")).is_none(), allowed);
        }
    }

    #[test]
    fn our_own_group_wins_over_the_star() {
        let file = b"User-agent: *\nDisallow: /\n\nUser-agent: Candor\nDisallow: /private\nCrawl-delay: 2.5\n";
        let robots = Robots::read("candor", Ok(file.to_vec()));
        assert_eq!(robots.objection("candor", &url("/t/1.json?page=2")), None);
        assert!(robots.objection("candor", &url("/private/1")).unwrap().contains("disallows"));
        assert_eq!(robots.crawl_delay(), Some(Duration::from_millis(2500)));
    }

    #[test]
    fn nonsense_neither_panics_nor_forbids() {
        for file in [&b"\xff\xfe\0<html>"[..], b"", b"Crawl-delay: -3\nUser-agent: candor\nCrawl-delay: 1e99"] {
            let robots = Robots::read("candor", Ok(file.to_vec()));
            assert_eq!(robots.objection("candor", &url("/")), None, "{file:?}");
            assert_eq!(robots.crawl_delay(), None);
        }
    }

    #[test]
    fn the_token_is_what_stands_before_the_version() {
        assert_eq!(product_token("candor/0.1.0 (community research)"), "candor");
        assert_eq!(product_token("linux:my-app:1.0 (by /u/me)"), "linux:my-app:1.0");
    }
}
