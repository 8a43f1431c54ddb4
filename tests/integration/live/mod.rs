//! Live sites against servers that behave as the real ones do. Time is leapt over: waits are seen by the server as
//! instants of the shared timer, and none is slept through.

mod forum;

mod subreddit;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use candor::collect::sites::{Target, collect_site};
use candor::collect::{Collected, Context, Zone};
use candor::config::{HostSettings, NetSettings, RedditCredentials};
use candor::net::{Net, Timer};
use candor::progress::Progress;
use candor::store::{ExportPost, Store};
use serde_json::Value;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// One request as the server saw it.
#[derive(Debug, Clone)]
struct Seen {
    at: Duration,
    path: String,
    status: u16,
}

/// A server with a state that tests change, and a log.
struct World<S> {
    server: MockServer,
    timer: Timer,
    state: Arc<Mutex<S>>,
    log: Arc<Mutex<Vec<Seen>>>,
}

/// What a server answers: its state, the request, and how many came before it.
type Answer<S> = fn(&mut S, &Request, usize) -> Reply;

/// A template does not tell its status, and the log wants it.
struct Reply {
    status: u16,
    template: ResponseTemplate,
}

impl Reply {
    fn status(status: u16) -> Self {
        Self { status, template: ResponseTemplate::new(status) }
    }

    fn json(body: Value) -> Self {
        Self { status: 200, template: ResponseTemplate::new(200).set_body_json(body) }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.template = self.template.insert_header(name, value);
        self
    }
}

struct Responder<S> {
    answer: Answer<S>,
    timer: Timer,
    state: Arc<Mutex<S>>,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl<S: Send + Sync> Respond for Responder<S> {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut log = self.log.lock().unwrap();
        let reply = (self.answer)(&mut self.state.lock().unwrap(), request, log.len());
        let query = request.url.query().map(|q| format!("?{q}")).unwrap_or_default();
        let path = format!("{}{query}", request.url.path());
        log.push(Seen { at: self.timer.now(), path, status: reply.status });
        reply.template
    }
}

impl<S: Send + Sync + 'static> World<S> {
    async fn new(state: S, answer: Answer<S>) -> Self {
        let server = MockServer::start().await;
        let (timer, state, log) = (Timer::leaping(), Arc::new(Mutex::new(state)), Arc::default());
        let responder = Responder { answer, timer: timer.clone(), state: Arc::clone(&state), log: Arc::clone(&log) };
        Mock::given(any()).respond_with(responder).mount(&server).await;
        Self { server, timer, state, log }
    }

    fn net(&self, change: impl FnOnce(&mut NetSettings)) -> Net {
        let mut settings = NetSettings { retry_budget_secs: 60, timeout_secs: 10, ..NetSettings::default() };
        let host = HostSettings { allow_private: true, requests_per_minute: None };
        settings.hosts = BTreeMap::from([(self.server.address().to_string(), host)]);
        change(&mut settings);
        let reddit = RedditCredentials {
            client_id: "an-id".to_owned(),
            client_secret: "a-secret".into(),
            token_url: format!("{}/api/v1/access_token", self.server.uri()),
            api_url: self.server.uri(),
        };
        Net::new(&settings, Some(&reddit)).unwrap().with_timer(self.timer.clone())
    }

    /// What the server saw since the last look.
    fn look(&self) -> Vec<Seen> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    fn forum(&self) -> Target {
        Target::parse(&self.server.uri()).unwrap()
    }
}

struct Home {
    _dir: tempfile::TempDir,
    store: Store,
}

impl Home {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
        Self { _dir: dir, store }
    }

    async fn collect(&self, net: &Net, target: &Target, limit: Option<u64>) -> Collected {
        let ctx = Context {
            author_key: [7; 32],
            now: "2026-08-01T00:00:00Z".parse().unwrap(),
            community: None,
            zone: Zone::default(),
        };
        let found = collect_site(&self.store, net, &ctx, target, limit, Progress::new(true)).await.unwrap();
        let counts = found.counts;
        let accounted = counts.new + counts.known + counts.updated + found.failed + found.skipped.values().sum::<u64>();
        assert_eq!(accounted, found.seen, "{found:?}");
        found
    }

    async fn posts(&self) -> Vec<ExportPost> {
        self.store.export_posts("", 100_000).await.unwrap()
    }

    /// Everything a reader could see, as text to compare.
    async fn contents(&self) -> (Vec<String>, Vec<String>) {
        let posts = self.posts().await.iter().map(|post| serde_json::to_string(post).unwrap()).collect();
        let threads = self.store.threads().await.unwrap().iter().map(|thread| format!("{thread:?}")).collect();
        (posts, threads)
    }

    async fn failures(&self) -> Vec<(String, String)> {
        self.store.failures().await.unwrap().into_iter().map(|f| (f.unit, f.reason)).collect()
    }
}

/// Waits until the server has answered `number` requests, and maybe a few more.
async fn until_answered(log: &Mutex<Vec<Seen>>, number: usize) {
    while log.lock().unwrap().len() < number {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
