//! A Discourse forum.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use candor::collect::sites::Target;
use serde_json::{Value, json};
use wiremock::{Request, ResponseTemplate};

use super::{Home, Reply, Seen, World, until_answered};

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
async fn a_page_that_is_no_longer_there_ends_the_listing() {
    let world = World::new((), |(), request, _| match request.url.query() {
        Some("order=activity&page=0") => Reply::json(json!({"topic_list": {
            "more_topics_url": "/latest?page=1", "topics": [{"id": 1, "bumped_at": "2026-04-01T00:00:00Z"}]}})),
        _ => Reply::status(404),
    })
    .await;
    let home = Home::new().await;
    let found = home.collect(&world.net(|_| {}), &world.forum(), None).await;
    assert_eq!((found.refused, found.failed), (0, 0));
    assert_eq!(found.skipped, BTreeMap::from([("not found".to_owned(), 1)]));
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
    assert!(home.failures().await[0].1.contains("brings nothing new"));
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
