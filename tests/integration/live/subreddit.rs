//! A subreddit behind Reddit's API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use candor::collect::sites::{Target, collect_site};
use candor::collect::{Context, Zone};
use candor::config::NetSettings;
use candor::net::Net;
use candor::progress::Progress;
use serde_json::{Value, json};
use wiremock::Request;

use super::{Home, Reply, World, until_answered};

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

    let ctx = Context {
        author_key: [7; 32],
        now: "2026-08-01T00:00:00Z".parse().unwrap(),
        community: None,
        zone: Zone::default(),
    };
    let net = Net::new(&NetSettings::default(), None).unwrap();
    let target = Target::parse("r/LatchTalk").unwrap();
    let error = collect_site(&home.store, &net, &ctx, &target, None, Progress::new(true)).await.unwrap_err();
    assert!(error.to_string().contains("CANDOR_REDDIT_SECRET"), "{error}");
}
