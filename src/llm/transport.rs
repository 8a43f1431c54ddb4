//! One attempt at a time, inside async-openai's own retry loop: wait at the gate, send, read the whole answer under a cap,
//! and pass it on in words that the crate understands.
//!
//! The crate retries 429, 5xx and failed connections three times; it stumbles over error bodies that are not quite
//! OpenAI's, waits for any `Retry-After` however long, and knows nothing of other requests. So error bodies are rewritten
//! here, and pauses are the gate's.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_openai::Client;
use async_openai::config::Config;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use async_openai::middleware::retry::OpenAIRetryLayer;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::watch;

use super::answer::{Answer, limit_wait};
use super::embeddings;
use super::gate::{Gate, Pass};
use super::reply::{Completion, brief};
use crate::config::LlmSettings;
use crate::net::retry_after;

/// Largest answer to a question, bytes.
const LARGEST_ANSWER: usize = 8 << 20;

/// Largest list of vectors, bytes: thousands of texts with thousands of numbers each.
const LARGEST_VECTORS: usize = 256 << 20;

/// Where requests go and with which key. Not async-openai's own, which fills gaps from `OPENAI_*` variables that were meant
/// for another server.
#[derive(Clone)]
pub(super) struct Access {
    base: String,
    key: SecretString,
    headers: HeaderMap,
}

impl Access {
    pub(super) fn new(settings: &LlmSettings) -> Result<Self> {
        let base = settings.base_url.trim_end_matches('/').to_owned();
        let url = url::Url::parse(&base).with_context(|| {
            format!("{}.base_url is no address; write it as https://api.example.com/v1", settings.section)
        })?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || url.password().is_some() {
            bail!("{}.base_url must be an http or https address without user name and password", settings.section);
        }
        let mut headers = HeaderMap::new();
        let key = settings.api_key.expose_secret();
        if !key.is_empty() {
            let mut value = HeaderValue::from_str(&format!("Bearer {key}"))
                .map_err(|_| anyhow::anyhow!("the key in {} holds characters that no key has", settings.api_key_env))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(Self { base, key: settings.api_key.clone(), headers })
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Whether there is a key.
    pub(super) fn has_key(&self) -> bool {
        !self.key.expose_secret().is_empty()
    }

    /// `text` without the key, should a server repeat it.
    pub(super) fn scrub(&self, text: &str) -> String {
        match self.key.expose_secret() {
            "" => text.to_owned(),
            key => text.replace(key, "[key]"),
        }
    }

    pub(super) fn mentions_key(&self, text: &str) -> bool {
        let key = self.key.expose_secret();
        !key.is_empty() && text.contains(key)
    }
}

impl Config for Access {
    fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.base
    }

    fn api_key(&self) -> &SecretString {
        &self.key
    }
}

/// What came of a request after async-openai's retries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// May pass: the server is busy, failing, slow or unreachable.
    Passing {
        /// What happened.
        why: String,
        /// In which way.
        kind: Passing,
    },
    /// The server answered this status and these words, and will do so again.
    Refusal {
        /// The HTTP status.
        status: u16,
        /// Its words.
        message: String,
    },
    /// Nothing more is sent.
    GivenUp(String),
    /// Nobody waits for the answer any more, and it was not asked for yet.
    Abandoned,
}

/// What to do about a `status` that no other request of this run will change: the address, the key or the account is wrong.
/// `section` is the configuration's, `None` what other answers may still help against.
pub(super) fn remedy(status: u16, section: &str, key_env: &str, has_key: bool, model: &str) -> Option<String> {
    Some(match status {
        401 if !has_key => format!("it wants a key; put it into the environment variable {key_env}"),
        401 => format!("it does not accept the key; put a valid one into the environment variable {key_env}"),
        402 => "the account has no credit left; top it up and run again to go on from here".to_owned(),
        403 => format!("the key in {key_env} may not use the model {model:?}"),
        300..=399 => format!("it sends us elsewhere; set {section}.base_url to the address it really has"),
        _ => return None,
    })
}

/// How trouble that may pass shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passing {
    /// The server wants fewer requests.
    Busy,
    /// It did not answer in time.
    Slow,
    /// Anything else.
    Failing,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passing { why, .. } | Self::GivenUp(why) => f.write_str(why),
            Self::Refusal { status, message } => write!(f, "answered {status}: {message}"),
            Self::Abandoned => f.write_str("nobody waits for the answer"),
        }
    }
}

impl Error for Trouble {}

impl Trouble {
    pub(super) fn passing(why: impl Into<String>) -> Self {
        Self::Passing { why: why.into(), kind: Passing::Failing }
    }

    /// What the crate's error means.
    pub(super) fn of(error: OpenAIError) -> Self {
        match error {
            OpenAIError::Boxed(boxed) => match boxed.downcast::<Self>() {
                Ok(trouble) => *trouble,
                Err(other) => Self::passing(brief(&other.to_string())),
            },
            OpenAIError::ApiError(error) => {
                let (status, message) = (error.status_code.as_u16(), error.api_error.message);
                let out_of_credit = [&error.api_error.code, &error.api_error.r#type]
                    .iter()
                    .any(|kind| kind.as_deref() == Some("insufficient_quota"));
                match status {
                    _ if out_of_credit => Self::Refusal { status: 402, message },
                    // 501: the server does not do that, now or later.
                    408 | 409 | 425 | 429 | 500 | 502.. => {
                        let kind = if status == 429 { Passing::Busy } else { Passing::Failing };
                        Self::Passing { why: brief(&format!("answered {status}: {message}")), kind }
                    }
                    _ => Self::Refusal { status, message },
                }
            }
            OpenAIError::Reqwest(error) => Self::passing(in_words(&error.without_url())),
            other => Self::passing(brief(&other.to_string())),
        }
    }
}

/// Tells the task that sends a question whether anybody still waits for the answer.
#[derive(Debug, Clone)]
pub(super) struct Wanted(watch::Receiver<()>);

impl Wanted {
    /// The question is wanted for as long as the sender lives.
    pub(super) fn new() -> (watch::Sender<()>, Self) {
        let (alive, wanted) = watch::channel(());
        (alive, Self(wanted))
    }

    async fn gone(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// A tower service that async-openai sends through.
#[derive(Clone)]
pub(super) struct Paced {
    http: reqwest::Client,
    access: Access,
    gate: Arc<Gate>,
    wanted: Wanted,
    tokens: u64,
    largest: usize,
    /// Set when a request was sent and no answer came, so that nobody knows whether it is charged.
    lost: Arc<AtomicBool>,
}

/// Everything that requests have in common.
#[derive(Clone)]
pub(super) struct Line {
    http: reqwest::Client,
    access: Access,
    gate: Arc<Gate>,
    client: Client<Access>,
}

impl Line {
    #[expect(clippy::disallowed_methods, reason = "this is the other door: to a model's server")]
    pub(super) fn new(settings: &LlmSettings, access: Access, gate: Arc<Gate>) -> Result<Self> {
        let timeout = Duration::from_secs(settings.timeout_secs);
        let http = reqwest::Client::builder()
            .user_agent(concat!("candor/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(20)))
            // A redirect would carry the text, and perhaps the key, to where nobody sent it.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .build()
            .context("could not set up the client for the model's server")?;
        let client = Client::build(http.clone(), access.clone());
        Ok(Self { http, access, gate, client })
    }

    /// A client whose attempts wait their turn, count as `tokens` tokens each and are given up when nobody waits for them;
    /// and the sign that an attempt was sent without an answer.
    pub(super) fn client(&self, tokens: u64, wanted: Wanted, largest: usize) -> (Client<Access>, Arc<AtomicBool>) {
        let lost = Arc::new(AtomicBool::new(false));
        let paced = Paced {
            http: self.http.clone(),
            access: self.access.clone(),
            gate: Arc::clone(&self.gate),
            wanted,
            tokens,
            largest,
            lost: Arc::clone(&lost),
        };
        let service = tower::Layer::layer(&OpenAIRetryLayer::default(), paced);
        (self.client.clone().with_http_service(service), lost)
    }

    /// Asks for a completion.
    pub(super) async fn complete(
        &self,
        body: &Value,
        tokens: u64,
        wanted: Wanted,
    ) -> (Result<Completion, Trouble>, bool) {
        let (client, lost) = self.client(tokens, wanted, LARGEST_ANSWER);
        let completion = client.chat().create_byot::<_, Completion>(body).await.map_err(Trouble::of);
        (completion, lost.load(Ordering::SeqCst))
    }

    /// Asks for vectors.
    pub(super) async fn embed(
        &self,
        body: &Value,
        tokens: u64,
        wanted: Wanted,
    ) -> (Result<embeddings::Wire, Trouble>, bool) {
        let (client, lost) = self.client(tokens, wanted, LARGEST_VECTORS);
        let vectors = client.embeddings().create_byot::<_, embeddings::Wire>(body).await.map_err(Trouble::of);
        (vectors, lost.load(Ordering::SeqCst))
    }
}

impl tower::Service<HttpRequestFactory> for Paced {
    type Response = reqwest::Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let mut attempt = self.clone();
        Box::pin(async move { attempt.make(&request).await })
    }
}

impl Paced {
    async fn make(&mut self, request: &HttpRequestFactory) -> Result<reqwest::Response, OpenAIError> {
        let pass = tokio::select! {
            biased;
            () = self.wanted.gone() => return Err(boxed(Trouble::Abandoned)),
            why = self.gate.until_shut() => return Err(boxed(Trouble::GivenUp(why))),
            pass = self.gate.pass(self.tokens) => pass.map_err(|why| boxed(Trouble::GivenUp(why)))?,
        };
        let request = request.build().await?;
        let asks = Asks::of(request.url().path());
        let outcome = self.exchange(request).await;
        let (status, headers, body) = match outcome {
            Ok(answer) => answer,
            Err(Failed::Connect(error)) => {
                let why = format!("could not connect: {}", in_words(&error));
                match error.is_timeout() {
                    true => self.gate.note_failure(&pass, &why, None),
                    false => self.gate.note_nobody(&pass, &why),
                }
                return Err(OpenAIError::Reqwest(error));
            }
            Err(Failed::Later { why, kind }) => {
                self.lost.store(asks != Asks::Else, Ordering::SeqCst);
                self.gate.note_failure(&pass, &why, None);
                return Err(boxed(Trouble::Passing { why, kind }));
            }
        };
        let answer = match asks {
            Asks::Completion => match Answer::to_question(status, &body) {
                Some(answer) => answer,
                None => {
                    let why = format!("what is there answers {} and no chat completion", status.as_u16());
                    self.gate.note_nobody(&pass, &why);
                    return Err(boxed(Trouble::passing(why)));
                }
            },
            Asks::Vectors => Answer::to_texts(status, body),
            Asks::Else => Answer::to_anything(status, body),
        };
        self.note(&pass, &answer, &headers);
        answer.pass_on(&self.access)
    }

    /// Sends and reads to the end.
    async fn exchange(&self, request: reqwest::Request) -> Result<(StatusCode, HeaderMap, Vec<u8>), Failed> {
        let mut response = self.http.execute(request).await.map_err(|error| match error.is_connect() {
            true => Failed::Connect(error.without_url()),
            false => Failed::later(error),
        })?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(Failed::later)? {
            if body.len() + chunk.len() > self.largest {
                let why = format!("the answer has more than {} bytes", self.largest);
                return Err(Failed::Later { why, kind: Passing::Failing });
            }
            body.extend_from_slice(&chunk);
        }
        Ok((response.status(), std::mem::take(response.headers_mut()), body))
    }

    /// Tells the gate how it went.
    fn note(&self, pass: &Pass, answer: &Answer, headers: &HeaderMap) {
        let quiet = retry_after(headers);
        match answer.status {
            408 | 425 | 429 | 500 | 502.. => {
                let why = format!("answered {}: {}", answer.status, self.access.scrub(&answer.message()));
                self.gate.note_failure(pass, &why, quiet);
            }
            _ => self.gate.note_answer(),
        }
        if let Some(wait) = limit_wait(headers, self.tokens) {
            self.gate.close_for(wait);
        }
    }
}

/// What a request asks for; the first two are charged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Completion,
    Vectors,
    Else,
}

impl Asks {
    fn of(path: &str) -> Self {
        match path {
            path if path.ends_with("/chat/completions") => Self::Completion,
            path if path.ends_with("/embeddings") => Self::Vectors,
            _ => Self::Else,
        }
    }
}

enum Failed {
    /// Nothing was sent.
    Connect(reqwest::Error),
    /// It was sent, and then something broke.
    Later { why: String, kind: Passing },
}

impl Failed {
    fn later(error: reqwest::Error) -> Self {
        let kind = if error.is_timeout() { Passing::Slow } else { Passing::Failing };
        Self::Later { why: in_words(&error.without_url()), kind }
    }
}

pub(super) fn boxed(trouble: Trouble) -> OpenAIError {
    OpenAIError::Boxed(Box::new(trouble))
}

/// The innermost error is the one that says something.
fn in_words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    brief(&cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_secrets_in_them_are_refused_without_repeating_them() {
        for base in ["http://me:hunter2@x/v1", "ftp://x/v1", "x"] {
            let error = format!("{:#}", Access::new(&LlmSettings::new(base, "m")).err().unwrap());
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
