//! The only door to the web.
//!
//! `Net::send` is a list of steps: is the address public, does robots.txt allow it, is it this request's turn, send, cap
//! the body, and on transient trouble wait and try again within one budget. Sites name what they want and a credential,
//! and see none of this.
//!
//! Architecture invariant: every address that is connected to has passed `Net::admit` or the public-only resolver,
//! redirects included; and a credential goes to its own origin only.
//!
//! Left out until something needs it: a conditional cache (cursors keep finished pages from being asked for again), and
//! proxies (the resolver could not judge what a proxy connects to).

mod address;

mod error;

mod oauth;

mod pace;

mod retry;

mod robots;

mod timer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue, LOCATION};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;
use url::Url;

pub use error::NetError;
pub(crate) use retry::retry_after;
pub use timer::Timer;

use crate::config::{NetSettings, RedditCredentials};
use oauth::RedditAccess;
use pace::Host;
use retry::Budget;
use robots::Robots;

/// Redirects followed for one request.
const MAX_REDIRECTS: usize = 5;

/// A credential, by name. What it consists of never leaves `net`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// Reddit's app-only OAuth token.
    Reddit,
}

/// What a site asks for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The address.
    pub url: Url,
    /// Fields to post; `None` for a GET. A post is not redirected.
    pub form: Option<Vec<(String, String)>>,
    /// The credential to send along. A request with one goes to an API whose owner gave us a key and a rate for it, so
    /// robots.txt, which speaks to crawlers without one, is not consulted.
    pub credential: Option<Credential>,
}

impl Request {
    /// A GET.
    pub fn get(url: Url) -> Self {
        Self { url, form: None, credential: None }
    }

    /// A POST of `form`.
    pub fn post(url: Url, form: Vec<(String, String)>) -> Self {
        Self { url, form: Some(form), credential: None }
    }

    /// The same with `credential`.
    #[must_use]
    pub fn with(mut self, credential: Credential) -> Self {
        self.credential = Some(credential);
        self
    }
}

/// A successful answer (status 2xx).
#[derive(Debug, Clone)]
pub struct Response {
    /// Where it came from, after redirects.
    pub url: Url,
    /// The body, decompressed, at most `net.max_body_mb`.
    pub body: Vec<u8>,
}

/// The door. One per run, shared by everything that reads the web.
#[derive(Debug)]
pub struct Net {
    settings: NetSettings,
    agent: String,
    timer: Timer,
    reddit: Option<RedditAccess>,
    /// Connects to public addresses only.
    guarded: reqwest::Client,
    /// For hosts that the configuration names with `allow_private`.
    open: reqwest::Client,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    robots: Mutex<HashMap<String, Arc<OnceCell<Robots>>>>,
}

/// One request to one address, without redirects.
struct Call<'a> {
    url: &'a Url,
    form: Option<&'a [(String, String)]>,
    auth: Auth<'a>,
}

enum Auth<'a> {
    None,
    Basic { user: &'a str, password: &'a SecretString },
    Bearer(&'a SecretString),
}

/// An answer that is a success or a redirect.
struct Reply {
    redirect: Option<Url>,
    body: Vec<u8>,
}

impl Net {
    /// Opens the door. Nothing is sent yet.
    ///
    /// # Errors
    /// When the user agent is no valid header, an address in `reddit` is none, or TLS cannot be set up.
    pub fn new(settings: &NetSettings, reddit: Option<&RedditCredentials>) -> Result<Self> {
        let guarded = client(settings)?.dns_resolver(address::PublicOnly).build();
        let open = client(settings)?.build();
        Ok(Self {
            agent: robots::product_token(&settings.user_agent),
            settings: settings.clone(),
            timer: Timer::real(),
            reddit: reddit.map(RedditAccess::new).transpose()?,
            guarded: guarded.context("could not set up the web client; is net.user_agent plain ASCII?")?,
            open: open.context("could not set up the web client")?,
            hosts: Mutex::default(),
            robots: Mutex::default(),
        })
    }

    /// The same door with another timer, for tests.
    #[must_use]
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }

    /// The base address of Reddit's API, when there are credentials for it.
    pub fn reddit_api(&self) -> Option<&Url> {
        self.reddit.as_ref().map(|reddit| &reddit.api_url)
    }

    /// Sends `request` when it may be sent and it is its turn, and comes back with the body.
    ///
    /// # Errors
    /// See [`NetError`]; transient trouble has been waited out as far as `net.retry_budget_secs` reaches.
    pub async fn send(&self, request: &Request) -> Result<Response, NetError> {
        let mut budget = Budget::new(self.settings.retry_budget_secs);
        match self.credential_for(request, &request.url) {
            None => self.travel(request, None, &mut budget).await,
            Some(reddit) => {
                let token = reddit.token(self, &mut budget).await?;
                let outcome = self.travel(request, Some(&token), &mut budget).await;
                if outcome.as_ref().err().and_then(NetError::status) != Some(401) {
                    return outcome;
                }
                // Revoked or expired early: once more with a fresh one.
                reddit.forget(&token).await;
                let token = reddit.token(self, &mut budget).await?;
                self.travel(request, Some(&token), &mut budget).await
            }
        }
    }

    /// The credential that `request` names, if `url` is where it belongs.
    fn credential_for(&self, request: &Request, url: &Url) -> Option<&RedditAccess> {
        let Credential::Reddit = request.credential?;
        self.reddit.as_ref().filter(|reddit| reddit.api_url.origin() == url.origin())
    }

    /// Follows redirects. Each address passes the same gates as the first.
    async fn travel(
        &self,
        request: &Request,
        token: Option<&SecretString>,
        budget: &mut Budget,
    ) -> Result<Response, NetError> {
        let mut url = request.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.admit(&url)?;
            let token = token.filter(|_| self.credential_for(request, &url).is_some());
            if token.is_none() {
                self.consult_robots(&url).await?;
            }
            let auth = token.map_or(Auth::None, Auth::Bearer);
            let reply = self.exchange(&Call { url: &url, form: request.form.as_deref(), auth }, budget).await?;
            match reply.redirect {
                Some(next) => url = next,
                None => return Ok(Response { url, body: reply.body }),
            }
        }
        Err(NetError::Redirects { url: request.url.clone().into(), limit: MAX_REDIRECTS })
    }

    /// Refuses what may not be asked whatever the host says: other schemes, credentials in the address, private literals.
    fn admit(&self, url: &Url) -> Result<(), NetError> {
        let refuse = |why: &str| {
            // Not repeated in full: it may hold a password.
            let url = format!("{}://{}{}", url.scheme(), address::host_key(url), url.path());
            Err(NetError::Refused { url, why: why.to_owned() })
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("only http and https are read");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("an address with a user name or password in it is not read; leave them out");
        }
        match address::literal_trouble(url) {
            Some(private) if !self.allows_private(url) => Err(private_refusal(url, private)),
            _ => Ok(()),
        }
    }

    fn allows_private(&self, url: &Url) -> bool {
        self.settings.hosts.get(&address::host_key(url)).is_some_and(|host| host.allow_private)
    }

    /// Refuses what the host's robots.txt forbids, and keeps the pause it asks for.
    async fn consult_robots(&self, url: &Url) -> Result<(), NetError> {
        let cell = {
            let mut robots = self.robots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(robots.entry(url.origin().ascii_serialization()).or_default())
        };
        // Asked for once; requests that come meanwhile wait for the same answer.
        let robots = cell
            .get_or_init(|| async {
                let robots = self.fetch_robots(robots::robots_url(url)).await;
                if let Some(gap) = robots.crawl_delay() {
                    self.host(url).keep_gap(gap);
                }
                robots
            })
            .await;
        match robots.objection(&self.agent, url) {
            Some(why) => Err(NetError::Refused { url: url.to_string(), why }),
            None => Ok(()),
        }
    }

    /// RFC 9309 2.3.1.2: redirects of robots.txt itself are followed, to other hosts too, without consulting theirs.
    async fn fetch_robots(&self, mut url: Url) -> Robots {
        let mut budget = Budget::new(self.settings.retry_budget_secs);
        for _ in 0..=MAX_REDIRECTS {
            let reply = match self.admit(&url) {
                Ok(()) => self.exchange(&Call { url: &url, form: None, auth: Auth::None }, &mut budget).await,
                Err(refused) => Err(refused),
            };
            match reply {
                Ok(Reply { redirect: Some(next), .. }) => url = next,
                Ok(Reply { redirect: None, body }) => return Robots::read(&self.agent, Ok(body)),
                Err(error) => return Robots::read(&self.agent, Err(error)),
            }
        }
        Robots::read(&self.agent, Err(NetError::Redirects { url: url.into(), limit: MAX_REDIRECTS }))
    }

    /// Sends until there is an answer, trouble that will not pass, or no budget left.
    async fn exchange(&self, call: &Call<'_>, budget: &mut Budget) -> Result<Reply, NetError> {
        let host = self.host(call.url);
        let gave_up = |when: String, last: String| NetError::GaveUp { url: call.url.clone().into(), when, last };
        loop {
            let permit = host.turn().await.map_err(|wait| {
                gave_up("before asking".to_owned(), format!("the host wants {} s of quiet", wait.as_secs()))
            })?;
            budget.tries += 1;
            let outcome = self.attempt(call, &host).await;
            drop(permit);
            let error = match outcome {
                Err(error) if retry::is_transient(&error) => error,
                settled => return settled,
            };
            let asked = match &error {
                NetError::Status { retry_after, .. } => *retry_after,
                _ => None,
            };
            let wait = budget.next_wait(asked);
            if let Some(closed) = asked.or(wait.filter(|_| error.status() == Some(429))) {
                host.close_for(closed);
            }
            let Some(wait) = wait else {
                let asked = asked.map(|wait| format!(", asks to wait {} s", wait.as_secs())).unwrap_or_default();
                return Err(gave_up(format!("after {} tries", budget.tries), format!("{}{asked}", error.brief())));
            };
            tracing::debug!(url = %call.url, trouble = error.brief(), wait_ms = wait.as_millis(), "trying again");
            self.timer.sleep_until(self.timer.now() + wait).await;
        }
    }

    /// Sends once and reads the body, up to the cap.
    async fn attempt(&self, call: &Call<'_>, host: &Host) -> Result<Reply, NetError> {
        let transport = |source: reqwest::Error| match address::refused_by_resolver(&source) {
            Some(private) => private_refusal(call.url, private),
            None => NetError::Transport { url: call.url.clone().into(), source: source.without_url() },
        };
        let client = if self.allows_private(call.url) { &self.open } else { &self.guarded };
        let mut request = match call.form {
            Some(form) => client.post(call.url.clone()).form(form),
            None => client.get(call.url.clone()),
        };
        request = match call.auth {
            Auth::None => request,
            Auth::Basic { user, password } => request.basic_auth(user, Some(password.expose_secret())),
            Auth::Bearer(token) => request.bearer_auth(token.expose_secret()),
        };
        let mut response = request.send().await.map_err(transport)?;
        if let Some(wait) = retry::ratelimit_wait(response.headers()) {
            host.close_for(wait);
        }
        let status = response.status();
        if call.form.is_none()
            && let Some(next) = redirect(call.url, status.as_u16(), response.headers())
        {
            return Ok(Reply { redirect: Some(next), body: Vec::new() });
        }
        if !status.is_success() {
            return Err(NetError::Status {
                url: call.url.clone().into(),
                status: status.as_u16(),
                retry_after: retry::retry_after(response.headers()),
            });
        }
        let limit = self.settings.max_body_bytes;
        let too_large = |size: u64| {
            if size > limit { Err(NetError::TooLarge { url: call.url.clone().into(), limit }) } else { Ok(()) }
        };
        too_large(response.content_length().unwrap_or(0))?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            too_large((body.len() + chunk.len()) as u64)?;
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { redirect: None, body })
    }

    fn host(&self, url: &Url) -> Arc<Host> {
        let key = address::host_key(url);
        let rate = self.settings.hosts.get(&key).and_then(|host| host.requests_per_minute);
        let rate = rate.unwrap_or(self.settings.requests_per_minute);
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(hosts.entry(key).or_insert_with(|| Arc::new(Host::new(rate, &self.timer))))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the door")]
fn client(settings: &NetSettings) -> Result<reqwest::ClientBuilder> {
    let agent = HeaderValue::from_str(&settings.user_agent)
        .with_context(|| format!("net.user_agent {:?} cannot be sent as a header", settings.user_agent))?;
    let accept = HeaderValue::from_static("application/json, text/plain;q=0.9, */*;q=0.5");
    let timeout = Duration::from_secs(settings.timeout_secs);
    Ok(reqwest::Client::builder()
        .user_agent(agent)
        .default_headers(HeaderMap::from_iter([(ACCEPT, accept)]))
        .timeout(timeout)
        .connect_timeout(timeout.min(Duration::from_secs(20)))
        // Redirects and retries are ours: each hop passes the gates, each try comes out of the budget.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy())
}

/// Where a redirect leads. One without a usable `Location` is no redirect and comes out as its status.
fn redirect(from: &Url, status: u16, headers: &HeaderMap) -> Option<Url> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    from.join(headers.get(LOCATION)?.to_str().ok()?).ok()
}

fn private_refusal(url: &Url, private: address::PrivateAddress) -> NetError {
    let why = format!(
        "{private}; if this is meant, add [net.hosts.\"{}\"] allow_private = true to candor.toml",
        address::host_key(url)
    );
    NetError::Refused { url: url.to_string(), why }
}

#[cfg(test)]
mod tests;
