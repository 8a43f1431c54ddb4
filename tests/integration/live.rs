//! Live sites against servers that behave as the real ones do. Time is leapt over: waits are seen by the server as
//! instants of the shared timer, and none is slept through.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use candor::collect::sites::{Target, collect_site};
use candor::collect::{Collected, Context};
use candor::config::{HostSettings, NetSettings, RedditCredentials};
use candor::net::{Net, Timer};
use candor::progress::Progress;
use candor::store::{ExportPost, Store};
use serde_json::{Value, json};
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
        let ctx = Context { author_key: [7; 32], now: "2026-08-01T00:00:00Z".parse().unwrap(), community: None };
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

/// A forum: topics by id, with the minute of their last bump and their number of posts.
#[derive(Default)]
struct Forum {
    topics: BTreeMap<u64, Topic>,
    /// Answers 429 to these requests, counted from the first.
    busy: Vec<usize>,
    robots: &'static str,
}

#[derive(Clone, Default)]
struct Topic {
    bumped: u64,
    posts: u64,
    kind: Kind,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Kind {
    #[default]
    Usual,
    /// Does not name its posts.
    Mega,
    Answers(u16),
    Login,
    Huge,
}

const PER_PAGE: usize = 30;

impl Forum {
    /// `topics` topics; every twentieth has more posts than fit on its first page.
    fn of(topics: u64) -> Self {
        let topic = |id: u64| Topic {
            bumped: id,
            posts: if id.is_multiple_of(20) { 21 + id % 30 } else { 1 + id % 4 },
            ..Topic::default()
        };
        Self { topics: (1..=topics).map(|id| (id, topic(id))).collect(), ..Self::default() }
    }

    fn readable_posts(&self) -> u64 {
        self.topics.values().filter(|t| matches!(t.kind, Kind::Usual | Kind::Mega)).map(|t| t.posts).sum()
    }

    fn post(topic: u64, number: u64) -> Value {
        let (hour, minute) = (number / 60 % 24, number % 60);
        json!({
            "id": post_id(topic, number), "post_number": number, "topic_id": topic, "topic_slug": "a-topic",
            "username": format!("member{}", (topic + number) % 50), "post_type": 1, "version": 1,
            "reply_to_post_number": (number > 1).then_some(number / 2),
            "created_at": format!("2026-03-01T{hour:02}:{minute:02}:00.000Z"),
            "cooked": format!("<p>Answer {number} on matter {topic}: the latch sticks &amp; nobody knows why.</p>"),
        })
    }

    fn body(&self, id: u64, page: u64) -> Value {
        let topic = &self.topics[&id];
        let last = topic.posts.min(page * 20);
        let posts: Vec<Value> = ((page - 1) * 20 + 1..=last).map(|n| Self::post(id, n)).collect();
        let mut body = json!({
            "id": id, "title": format!("Matter {id}"), "slug": "a-topic", "created_at": "2026-03-01T00:00:00.000Z",
            "posts_count": topic.posts, "highest_post_number": topic.posts, "post_stream": {"posts": posts},
        });
        if topic.kind == Kind::Mega {
            body["post_stream"]["isMegaTopic"] = true.into();
        } else {
            body["post_stream"]["stream"] = (1..=topic.posts).map(|n| post_id(id, n)).collect();
        }
        body
    }

    fn latest(&self, page: usize) -> Reply {
        let mut topics: Vec<_> = self.topics.iter().collect();
        topics.sort_by_key(|(id, topic)| std::cmp::Reverse((topic.bumped, **id)));
        let pages = topics.len().div_ceil(PER_PAGE);
        if page > 0 && page >= pages {
            return Reply::status(301).header("location", format!("/latest.json?page={}", pages - 1).as_str());
        }
        let listed: Vec<Value> = topics
            .into_iter()
            .skip(page * PER_PAGE)
            .take(PER_PAGE)
            .map(|(id, topic)| {
                let (day, hour, minute) = (1 + topic.bumped / 1440, topic.bumped / 60 % 24, topic.bumped % 60);
                json!({"id": id, "bumped_at": format!("2026-04-{day:02}T{hour:02}:{minute:02}:00.000Z")})
            })
            .collect();
        let more = (page + 1 < pages).then(|| format!("/latest?page={}", page + 1));
        let mut body = json!({"users": [], "topic_list": {"per_page": PER_PAGE, "topics": listed}});
        if let Some(more) = more {
            body["topic_list"]["more_topics_url"] = more.into();
        }
        Reply::json(body)
    }

    fn answer(&mut self, request: &Request, number: usize) -> Reply {
        if self.busy.contains(&number) {
            return Reply::status(429)
                .header("retry-after", "7")
                .header("discourse-rate-limit-error-code", "ip_10_secs_limit");
        }
        let query: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
        let page = query.iter().find(|(name, _)| name == "page").map(|(_, page)| page.parse().unwrap());
        let path = request.url.path();
        if path == "/robots.txt" {
            return Reply { status: 200, template: ResponseTemplate::new(200).set_body_string(self.robots) };
        }
        if path == "/login" {
            return Reply::status(200);
        }
        if path == "/latest.json" {
            return self.latest(usize::try_from(page.unwrap_or(0)).unwrap());
        }
        let Some((id, rest)) = path.strip_prefix("/t/").and_then(|p| p.split_once(['.', '/'])) else {
            return Reply::status(404);
        };
        let id: u64 = id.parse().unwrap();
        match (self.topics.get(&id).map(|topic| topic.kind), rest) {
            (None, _) => Reply::status(404),
            (Some(Kind::Answers(status)), _) => Reply::status(status),
            (Some(Kind::Login), _) => Reply::status(302).header("location", "/login"),
            (Some(Kind::Huge), _) => {
                Reply { status: 200, template: ResponseTemplate::new(200).set_body_bytes(vec![b' '; 300_000]) }
            }
            (_, "json") => Reply::json(self.body(id, page.unwrap_or(1))),
            (_, "posts.json") => {
                let ids: Vec<u64> = query.iter().map(|(_, id)| id.parse().unwrap()).collect();
                assert!(ids.len() <= 20, "{ids:?}");
                let posts: Vec<Value> = ids.iter().map(|post| Self::post(id, post % 1000)).collect();
                Reply::json(json!({"post_stream": {"posts": posts}, "id": id}))
            }
            _ => Reply::status(404),
        }
    }
}

fn post_id(topic: u64, number: u64) -> u64 {
    topic * 1000 + number
}

fn times(seen: &[Seen], path: &str) -> usize {
    seen.iter().filter(|s| s.status == 200 && s.path == path).count()
}

fn topic_reads(seen: &[Seen]) -> Vec<String> {
    seen.iter().filter(|s| s.path.starts_with("/t/")).map(|s| s.path.clone()).collect()
}

/// Waits until the server has answered `number` requests, and maybe a few more.
async fn until_answered(log: &Mutex<Vec<Seen>>, number: usize) {
    while log.lock().unwrap().len() < number {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_forum_with_a_killed_run_in_the_middle_arrives_complete_once_and_at_the_allowed_rate() {
    let mut forum = Forum::of(300);
    forum.topics.get_mut(&100).unwrap().kind = Kind::Mega;
    forum.topics.get_mut(&100).unwrap().posts = 45;
    forum.topics.get_mut(&120).unwrap().kind = Kind::Answers(403);
    forum.topics.get_mut(&130).unwrap().kind = Kind::Answers(404);
    forum.topics.get_mut(&140).unwrap().kind = Kind::Login;
    forum.busy = vec![60, 61, 250];
    let readable = forum.readable_posts();
    let world = World::new(forum, Forum::answer).await;
    let net = world.net(|settings| settings.requests_per_minute = 120);
    let home = Home::new().await;

    let log = Arc::clone(&world.log);
    tokio::select! {
        biased;
        () = until_answered(&log, 170) => {}
        found = async { home.collect(&net, &world.forum(), None).await } => panic!("ended before it was killed: {found:?}"),
    }
    assert!(!home.posts().await.is_empty());
    let found = home.collect(&net, &world.forum(), None).await;
    let seen = world.look();

    let posts = home.posts().await;
    assert_eq!(posts.len() as u64, readable);
    assert_eq!(found.failed, 0);
    let undisturbed = Home::new().await;
    let whole = undisturbed.collect(&net, &world.forum(), None).await;
    assert_eq!((whole.counts.new, whole.threads, whole.failed), (readable, 297, 0));
    let skipped = ["needs a login", "not found", "not open to us"].map(|why| (why.to_owned(), 1));
    assert_eq!(whole.skipped, BTreeMap::from(skipped));
    assert_eq!(home.contents().await, undisturbed.contents().await);

    // One request may have been on its way when the run was killed.
    let mut answered: BTreeMap<&str, u32> = BTreeMap::new();
    for s in seen.iter().filter(|s| s.status == 200 && s.path.starts_with("/t/")) {
        *answered.entry(&s.path).or_default() += 1;
    }
    let twice: Vec<_> = answered.iter().filter(|(_, n)| **n > 1).collect();
    assert!(twice.len() <= 1 && twice.iter().all(|(_, n)| **n == 2), "{twice:?}");

    let busy: Vec<usize> = seen.iter().enumerate().filter(|(_, s)| s.status == 429).map(|(at, _)| at).collect();
    assert_eq!(busy, [60, 61, 250]);
    for (at, pair) in seen.windows(2).enumerate() {
        let least = if busy.contains(&at) { Duration::from_secs(7) } else { Duration::from_millis(500) };
        assert!(pair[1].at - pair[0].at >= least, "requests {at} and {}: {pair:?}", at + 1);
    }
    let span = seen.last().unwrap().at - seen[0].at;
    assert!(span <= Duration::from_millis(500 * seen.len() as u64 + 3 * 7000), "no slower than need be: {span:?}");
}

#[tokio::test]
async fn a_repeated_run_reads_only_what_changed() {
    let world = World::new(Forum::of(65), Forum::answer).await;
    let net = world.net(|_| {});
    let home = Home::new().await;
    let first = home.collect(&net, &world.forum(), None).await;
    assert_eq!(first.counts.new, world.state.lock().unwrap().readable_posts());
    world.look();

    let second = home.collect(&net, &world.forum(), None).await;
    assert_eq!((second.seen, second.read), (0, 1));
    assert_eq!(world.look().len(), 1, "one look at the listing");

    {
        let mut forum = world.state.lock().unwrap();
        *forum.topics.get_mut(&20).unwrap() = Topic { bumped: 1000, posts: 42, ..Topic::default() };
        forum.topics.insert(66, Topic { bumped: 1001, posts: 2, ..Topic::default() });
    }
    let third = home.collect(&net, &world.forum(), None).await;
    assert_eq!((third.counts.new, third.counts.known, third.threads), (3, 41, 2));
    let reads = topic_reads(&world.look());
    assert_eq!(reads.len(), 4, "{reads:?}");
    assert_eq!(home.posts().await.len() as u64, world.state.lock().unwrap().readable_posts());
}

#[tokio::test]
async fn limits_add_up_and_topics_deleted_meanwhile_hide_no_others() {
    let world = World::new(Forum::of(95), Forum::answer).await;
    let net = world.net(|_| {});
    let home = Home::new().await;
    let mut threads = 0;
    for round in 0..9 {
        let found = home.collect(&net, &world.forum(), Some(12)).await;
        assert!(found.threads <= 12, "{found:?}");
        threads += found.threads;
        // The newest topics, read already, disappear: all others move up on the pages.
        world.state.lock().unwrap().topics.remove(&(95 - round));
    }
    assert_eq!(threads, 95);
    let seen = world.look();
    for id in 1..=95 {
        assert_eq!(times(&seen, &format!("/t/{id}.json")), 1, "topic {id}");
    }
}

#[tokio::test]
async fn a_listing_that_never_ends_is_left() {
    let world = World::new((), |(), request, _| match request.url.path() {
        "/latest.json" => Reply::json(json!({"topic_list": {
            "more_topics_url": "/latest?page=1", "topics": [{"id": 1, "bumped_at": "2026-04-01T00:00:00Z"}]}})),
        "/t/1.json" => Reply::json(json!({"id": 1, "post_stream": {"stream": [1], "posts": [
            {"id": 1, "post_number": 1, "cooked": "<p>Only me.</p>"}]}})),
        _ => Reply::status(404),
    })
    .await;
    let home = Home::new().await;
    let found = home.collect(&world.net(|_| {}), &world.forum(), None).await;
    assert_eq!((found.counts.new, found.failed), (1, 1));
    assert!(home.failures().await[0].1.contains("in a row brought nothing new"));
}

#[tokio::test]
async fn what_does_not_answer_is_recorded_and_asked_again_in_the_next_run() {
    let mut forum = Forum::of(20);
    forum.topics.get_mut(&5).unwrap().kind = Kind::Answers(500);
    forum.topics.get_mut(&6).unwrap().kind = Kind::Huge;
    let world = World::new(forum, Forum::answer).await;
    let net = world.net(|settings| settings.max_body_bytes = 200_000);
    let home = Home::new().await;
    let found = home.collect(&net, &world.forum(), None).await;
    assert_eq!((found.failed, found.threads), (2, 18));
    assert!(world.timer.now() <= Duration::from_secs(60 + 40), "{:?}", world.timer.now());
    let failures = home.failures().await;
    let reason = |topic: &str| &failures.iter().find(|(unit, _)| unit.ends_with(topic)).unwrap().1;
    assert!(reason("/t/5").contains("gave up") && reason("/t/5").contains("answered 500"), "{failures:?}");
    assert!(reason("/t/6").contains("larger than 200000 bytes"), "{failures:?}");
    world.look();

    world.state.lock().unwrap().topics.get_mut(&5).unwrap().kind = Kind::Usual;
    let found = home.collect(&net, &world.forum(), None).await;
    assert_eq!((found.counts.new, found.failed), (2, 0));
    assert_eq!(topic_reads(&world.look()), ["/t/5.json"]);
}

#[tokio::test]
async fn a_storm_stops_the_run_inside_the_budget_and_the_next_goes_on() {
    let mut forum = Forum::of(12);
    let calm = forum.topics.clone();
    for topic in forum.topics.values_mut() {
        topic.kind = Kind::Answers(503);
    }
    let world = World::new(forum, Forum::answer).await;
    let net = world.net(|_| {});
    let home = Home::new().await;
    let found = home.collect(&net, &world.forum(), None).await;
    assert_eq!((found.failed, found.threads), (3, 0), "three in a row are enough");
    assert!(world.timer.now() <= Duration::from_secs(3 * 60 + 60), "{:?}", world.timer.now());
    assert_eq!(home.failures().await.len(), 3);

    world.state.lock().unwrap().topics = calm;
    let found = home.collect(&net, &world.forum(), None).await;
    assert_eq!((found.failed, found.threads), (0, 12));
    assert_eq!(home.posts().await.len() as u64, world.state.lock().unwrap().readable_posts());
}

#[tokio::test]
async fn what_may_not_be_read_is_refused_with_a_reason() {
    let mut forum = Forum::of(3);
    forum.robots = "User-agent: *\nDisallow: /latest";
    let world = World::new(forum, Forum::answer).await;
    let by_name = format!("http://localhost:{}", world.server.address().port());
    let cases = [
        (
            "http://10.0.0.1/".to_owned(),
            "10.0.0.1 is a private address; if this is meant, add [net.hosts.\"10.0.0.1\"] allow_private = true to candor.toml",
        ),
        (by_name, "is a loopback address"),
        (world.server.uri(), "robots.txt disallows it for candor"),
        (format!("{}/nothing-here", world.server.uri()), "answered 404: not found"),
    ];
    for (address, reason) in cases {
        let home = Home::new().await;
        let found = home.collect(&world.net(|_| {}), &Target::parse(&address).unwrap(), None).await;
        assert_eq!((found.refused, found.read, found.seen), (1, 0, 0), "{address}");
        let failures = home.failures().await;
        assert!(failures.len() == 1 && failures[0].1.contains(reason), "{address}: {failures:?}");
    }
    assert_eq!(topic_reads(&world.look()), Vec::<String>::new());
}

/// A subreddit: submissions by number, newest first, with their number of comments.
#[derive(Default)]
struct Sub {
    submissions: BTreeMap<u64, u64>,
    /// Tokens given out; only the last is good.
    tokens: usize,
    /// At these requests, counted from the first, the token is revoked.
    revoke: Vec<usize>,
    /// At this request the rate window is spent.
    spent: usize,
}

impl Sub {
    fn submission(&self, id: u64) -> Value {
        json!({"kind": "t3", "data": {
            "id": format!("s{id}"), "name": format!("t3_s{id}"), "subreddit": "LatchTalk", "author": format!("asker{}", id % 9),
            "title": format!("Latch number {id} sticks"), "selftext": "It did & it does.", "created_utc": 1_772_366_400.0,
            "num_comments": self.submissions[&id], "permalink": format!("/r/LatchTalk/comments/s{id}/latch/"), "edited": false,
        }})
    }

    #[expect(clippy::needless_pass_by_value, reason = "json literals read better so")]
    fn comment(link: u64, number: u64, replies: Value) -> Value {
        let parent = if number == 0 { format!("t3_s{link}") } else { format!("t1_c{link}x{}", (number - 1) / 2) };
        json!({"kind": "t1", "data": {
            "id": format!("c{link}x{number}"), "name": format!("t1_c{link}x{number}"), "link_id": format!("t3_s{link}"),
            "parent_id": parent, "subreddit": "LatchTalk", "author": "answerer", "body": format!("Oil it, {number}."),
            "created_utc": 1_772_366_500.0, "replies": replies, "permalink": format!("/r/LatchTalk/comments/s{link}/latch/c{link}x{number}/"),
        }})
    }

    /// Two comments stand on the page, one under the other; the rest is behind `more`, except the last of a long thread,
    /// which hides behind "continue this thread".
    fn tree(&self, link: u64) -> Value {
        let comments = self.submissions[&link];
        let deep = u64::from(comments > 100);
        let mut inner = Vec::new();
        if comments > 1 {
            let more = json!({"kind": "more", "data": {"id": "_", "parent_id": format!("t1_c{link}x1"), "count": 0, "children": []}});
            let replies = if deep == 1 { listing(vec![more]) } else { "".into() };
            inner.push(Self::comment(link, 1, replies));
        }
        let mut outer = Vec::new();
        if comments > 0 {
            outer.push(Self::comment(link, 0, if inner.is_empty() { "".into() } else { listing(inner) }));
        }
        if comments > 2 + deep {
            let children: Vec<_> = (2..comments - deep).map(|n| format!("c{link}x{n}")).collect();
            outer.push(json!({"kind": "more", "data": {"id": children[0], "parent_id": format!("t3_s{link}"), "count": children.len(), "children": children}}));
        }
        json!([listing(vec![self.submission(link)]), listing(outer)])
    }

    fn answer(&mut self, request: &Request, number: usize) -> Reply {
        let path = request.url.path();
        if path == "/api/v1/access_token" {
            self.tokens += 1;
            return Reply::json(json!({"access_token": format!("token{}", self.tokens), "expires_in": 3600}));
        }
        if self.revoke.contains(&number) {
            self.tokens += 1;
        }
        let bearer = request.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        if bearer != Some(format!("Bearer token{}", self.tokens)) {
            return Reply::status(401);
        }
        let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        let form: BTreeMap<String, String> = url_form(&request.body);
        assert_eq!(query.get("raw_json").or(form.get("raw_json")).map(String::as_str), Some("1"), "{path}");
        let body = match path.split('/').collect::<Vec<_>>()[..] {
            ["", "r", "LatchTalk", "new"] => {
                let after = query.get("after").map_or(u64::MAX, |a| a.trim_start_matches("t3_s").parse().unwrap());
                let ids: Vec<u64> =
                    self.submissions.keys().rev().filter(|id| **id < after).copied().take(100).collect();
                let more = ids.last().is_some_and(|last| self.submissions.keys().next() < Some(last));
                let mut page = listing(ids.iter().map(|id| self.submission(*id)).collect());
                page["data"]["after"] = more.then(|| format!("t3_s{}", ids[99])).into();
                page
            }
            ["", "comments", link] => self.tree(link[1..].parse().unwrap()),
            ["", "comments", link, "_", _] => {
                let link: u64 = link[1..].parse().unwrap();
                let last = Self::comment(link, self.submissions[&link] - 1, "".into());
                json!([
                    listing(vec![self.submission(link)]),
                    listing(vec![Self::comment(link, 1, listing(vec![last]))])
                ])
            }
            ["", "api", "morechildren"] => {
                let link: u64 = form["link_id"].trim_start_matches("t3_s").parse().unwrap();
                let ids: Vec<&str> = form["children"].split(',').collect();
                assert!(ids.len() <= 100, "{ids:?}");
                let number = |id: &str| id.rsplit_once('x').unwrap().1.parse().unwrap();
                // Comment 9 was deleted meanwhile.
                let things: Vec<_> = ids
                    .iter()
                    .map(|id| number(id))
                    .filter(|n| *n != 9)
                    .map(|n| Self::comment(link, n, "".into()))
                    .collect();
                json!({"json": {"errors": [], "data": {"things": things}}})
            }
            _ => return Reply::status(404),
        };
        let remaining = if number == self.spent { "0.0" } else { "400.0" };
        Reply::json(body)
            .header("x-ratelimit-remaining", remaining)
            .header("x-ratelimit-used", "200")
            .header("x-ratelimit-reset", "300")
    }
}

#[expect(clippy::needless_pass_by_value, reason = "json literals read better so")]
fn listing(children: Vec<Value>) -> Value {
    json!({"kind": "Listing", "data": {"after": null, "children": children}})
}

fn url_form(body: &[u8]) -> BTreeMap<String, String> {
    let query = String::from_utf8_lossy(body);
    let url: wiremock::http::Url = format!("http://x/?{query}").parse().unwrap();
    url.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_subreddit_arrives_with_its_trees() {
    let mut sub = Sub { submissions: (1..=120).map(|id| (id, id % 4)).collect(), ..Sub::default() };
    sub.submissions.insert(60, 150);
    sub.revoke = vec![40];
    sub.spent = 80;
    let expected: u64 = sub.submissions.values().map(|comments| 1 + comments).sum::<u64>() - 1;
    let world = World::new(sub, Sub::answer).await;
    let net = world.net(|_| {});
    let home = Home::new().await;
    let target = Target::parse("https://www.reddit.com/r/LatchTalk/").unwrap();

    let found = home.collect(&net, &target, Some(50)).await;
    assert_eq!(found.threads, 50);
    let log = Arc::clone(&world.log);
    tokio::select! {
        biased;
        () = until_answered(&log, 110) => {}
        found = home.collect(&net, &target, None) => panic!("ended before it was killed: {found:?}"),
    }
    home.collect(&net, &target, None).await;
    let seen = world.look();
    let undisturbed = Home::new().await;
    let whole = undisturbed.collect(&net, &target, None).await;
    assert_eq!(whole.skipped, BTreeMap::from([("not given out".to_owned(), 1)]));
    assert_eq!(home.contents().await, undisturbed.contents().await);
    assert_eq!(home.failures().await, []);
    // Thirty threads have one comment behind `more`, and thread 60 has 147.
    assert_eq!(world.look().iter().filter(|s| s.path == "/api/morechildren").count(), 30 + 2);

    let posts = home.posts().await;
    assert_eq!(posts.len() as u64, expected);
    assert!(posts.iter().all(|post| post.community == "r/LatchTalk"));
    let deepest = posts.iter().find(|post| post.id == "reddit:t1_c60x149").unwrap();
    assert_eq!((deepest.thread.as_str(), deepest.parent.as_deref()), ("reddit:t3_s60", Some("reddit:t1_c60x74")));
    assert!(posts.iter().any(|post| post.text == "Latch number 60 sticks\n\nIt did & it does."));

    assert_eq!(seen.iter().filter(|s| s.path == "/api/v1/access_token").count(), 2);
    assert_eq!(seen.iter().filter(|s| s.status == 401).count(), 1);
    assert!(seen.iter().all(|s| s.path != "/robots.txt"), "an API is no crawl");
    let spent = seen[81].at - seen[80].at;
    assert!(spent >= Duration::from_secs(300), "{spent:?}");

    world.state.lock().unwrap().submissions.insert(33, 2);
    let again = home.collect(&net, &target, None).await;
    assert_eq!((again.counts.new, again.counts.known, again.threads), (1, 2, 1));
    let reads: Vec<_> = world.look().into_iter().filter(|s| s.path.starts_with("/comments/")).collect();
    assert_eq!(reads.len(), 1, "{reads:?}");
}

#[tokio::test]
async fn a_subreddit_that_is_not_there_or_not_for_us_says_so() {
    let world = World::new(Sub::default(), Sub::answer).await;
    let home = Home::new().await;
    let found = home.collect(&world.net(|_| {}), &Target::parse("r/nowhere").unwrap(), None).await;
    assert_eq!(found.refused, 1);
    assert!(home.failures().await[0].1.ends_with("answered 404: not found"), "{:?}", home.failures().await);

    let ctx = Context { author_key: [7; 32], now: "2026-08-01T00:00:00Z".parse().unwrap(), community: None };
    let net = Net::new(&NetSettings::default(), None).unwrap();
    let target = Target::parse("r/LatchTalk").unwrap();
    let error = collect_site(&home.store, &net, &ctx, &target, None, Progress::new(true)).await.unwrap_err();
    assert!(error.to_string().contains("CANDOR_REDDIT_SECRET"), "{error}");
}
