//! A Discourse forum (FORMATS d5): `/latest.json` by activity, then each topic with the rest of its posts.

use serde::{Deserialize, Serialize};
use url::Url;

use super::{Listed, Page, Site, address};
use crate::collect::Context;
use crate::collect::wire::discourse::{Place, Topic, records};
use crate::collect::wire::{Record, Unreadable, parse_instant};
use crate::net::{Request, Response};

/// Posts asked for at once, as Discourse's own client does.
const CHUNK: usize = 20;

/// A forum at an address.
#[derive(Debug)]
pub(super) struct Forum {
    base: Url,
    place: Place,
}

/// One page of a forum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// A page of `/latest.json`, counted from 0.
    Latest(u32),
    /// A topic's first posts.
    Topic(u64),
    /// Posts of a topic by their ids.
    Posts { topic: u64, ids: Vec<u64> },
    /// A page of a topic that is too long to name its posts, counted from 1.
    TopicPage {
        topic: u64,
        page: u32,
        /// Number of the last post read.
        after: u64,
    },
}

#[derive(Deserialize)]
struct Latest {
    topic_list: TopicList,
}

#[derive(Deserialize)]
struct TopicList {
    more_topics_url: Option<String>,
    topics: Vec<ListedTopic>,
}

#[derive(Deserialize)]
struct ListedTopic {
    id: u64,
    bumped_at: Option<String>,
    last_posted_at: Option<String>,
    created_at: Option<String>,
}

#[derive(Deserialize)]
struct Height {
    highest_post_number: Option<u64>,
}

impl Forum {
    pub(super) fn new(base: &Url) -> Option<Self> {
        Some(Self { base: base.clone(), place: Place::live(base)? })
    }

    fn latest(&self, page: u32, response: &Response) -> Result<Page<Step>, Unreadable> {
        let latest: Latest = serde_json::from_slice(&response.body).map_err(|_| {
            Unreadable(format!("{} did not answer with a list of topics; is it a Discourse forum?", response.url))
        })?;
        let list = latest.topic_list;
        if page > 0 && (is_beyond_the_end(page, &response.url)? || list.topics.is_empty()) {
            return Ok(Page::default());
        }
        let listed = list.topics.iter().map(|topic| {
            let moved = [&topic.bumped_at, &topic.last_posted_at, &topic.created_at];
            let moved = moved.into_iter().flatten().find_map(|text| parse_instant(text));
            Listed {
                id: topic.id.to_string(),
                mark: moved.map_or(0, |at| at.as_millisecond()),
                step: Step::Topic(topic.id),
            }
        });
        let more = list.more_topics_url.is_some().then_some(Step::Latest(page + 1));
        Ok(Page { listed: listed.collect(), more: more.into_iter().collect(), ..Page::default() })
    }

    /// A topic's page: its first posts, and where the others are.
    fn topic(
        &self,
        ctx: &Context,
        id: u64,
        (page, after): (u32, u64),
        response: &Response,
    ) -> Result<Page<Step>, Unreadable> {
        if page > 1 && is_beyond_the_end(page, &response.url)? {
            return Ok(Page::default());
        }
        let mut topic = topic_of(id, response)?;
        topic.id = Some(id);
        let records = records(ctx, &self.place, &topic);
        let given = given_ids(&topic);
        let numbers = topic.post_stream.posts.iter().filter_map(|post| post.get("post_number")?.as_u64());
        let last = numbers.max().unwrap_or(0);
        let more = match topic.post_stream.stream {
            Some(stream) => {
                let ids = stream.into_iter().filter(|id| !given.contains(id)).collect();
                posts(id, ids)
            }
            None => {
                let height: Option<Height> = serde_json::from_slice(&response.body).ok();
                let height = height.and_then(|h| h.highest_post_number).or(topic.posts_count).unwrap_or(0);
                (last > after && last < height).then(|| Step::TopicPage { topic: id, page: page + 1, after: last })
            }
        };
        Ok(Page { records, more: more.into_iter().collect(), ..Page::default() })
    }

    /// Posts asked for by id. What is not given back is counted.
    fn rest(&self, ctx: &Context, id: u64, ids: &[u64], response: &Response) -> Result<Page<Step>, Unreadable> {
        let mut topic = topic_of(id, response)?;
        // The body does not tell the topic's title; the page before did.
        topic.id = None;
        let mut records = records(ctx, &self.place, &topic);
        let given = given_ids(&topic);
        let (asked, others) = ids.split_at(ids.len().min(CHUNK));
        records.extend(asked.iter().filter(|id| !given.contains(id)).map(|id| {
            Ok(Record::Skipped { id: format!("discourse:{}:{id}", self.place.community), reason: "not given out" })
        }));
        Ok(Page { records, more: posts(id, others.to_vec()).into_iter().collect(), ..Page::default() })
    }
}

impl Site for Forum {
    type Step = Step;

    const BY_ACTIVITY: bool = true;

    // Ten pages: further down than one page is pushed while another is read.
    const MEMORY: usize = 300;

    fn key(&self) -> String {
        format!("discourse {} latest", self.base)
    }

    fn first(&self) -> Step {
        Step::Latest(0)
    }

    fn before(&self, step: &Step) -> Option<Step> {
        match step {
            Step::Latest(page) => page.checked_sub(1).map(Step::Latest),
            _ => None,
        }
    }

    fn request(&self, step: &Step) -> Request {
        let url = match step {
            Step::Latest(page) => {
                let mut url = address(&self.base, "/latest.json");
                url.query_pairs_mut().append_pair("order", "activity").append_pair("page", &page.to_string());
                url
            }
            Step::Topic(topic) => address(&self.base, &format!("/t/{topic}.json")),
            Step::Posts { topic, ids, .. } => {
                let mut url = address(&self.base, &format!("/t/{topic}/posts.json"));
                let ids = ids.iter().take(CHUNK).map(|id| ("post_ids[]", id.to_string()));
                url.query_pairs_mut().extend_pairs(ids);
                url
            }
            Step::TopicPage { topic, page, .. } => {
                let mut url = address(&self.base, &format!("/t/{topic}.json"));
                url.query_pairs_mut().append_pair("page", &page.to_string());
                url
            }
        };
        Request::get(url)
    }

    fn unit(&self, step: &Step) -> String {
        let base = self.base.as_str().trim_end_matches('/');
        match step {
            Step::Latest(page) => format!("{base}/latest, page {page}"),
            Step::Topic(topic) => format!("{base}/t/{topic}"),
            Step::Posts { topic, ids, .. } => {
                format!("{base}/t/{topic}, posts from {}", ids.first().unwrap_or(&0))
            }
            Step::TopicPage { topic, page, .. } => format!("{base}/t/{topic}, page {page}"),
        }
    }

    fn parse(&self, ctx: &Context, step: &Step, response: &Response) -> Result<Page<Step>, Unreadable> {
        let login = response.url.path().ends_with("/login");
        match step {
            Step::Latest(_) if login => Err(Unreadable("the forum asks for a login".to_owned())),
            Step::Topic(topic) | Step::Posts { topic, .. } | Step::TopicPage { topic, .. } if login => {
                let id = format!("discourse:{}:{topic}", self.place.community);
                let skipped = Ok(Record::Skipped { id, reason: "needs a login" });
                Ok(Page { records: vec![skipped], ..Page::default() })
            }
            Step::Latest(page) => self.latest(*page, response),
            Step::Topic(id) => self.topic(ctx, *id, (1, 0), response),
            Step::TopicPage { topic, page, after } => self.topic(ctx, *topic, (*page, *after), response),
            Step::Posts { topic, ids } => self.rest(ctx, *topic, ids, response),
        }
    }
}

/// The body, all of whose posts belong to topic `id`, for that is what was asked for.
fn topic_of(id: u64, response: &Response) -> Result<Topic, Unreadable> {
    let mut topic: Topic = serde_json::from_slice(&response.body).map_err(|error| Unreadable::json(&error))?;
    for post in topic.post_stream.posts.iter_mut().filter_map(|post| post.as_object_mut()) {
        post.insert("topic_id".to_owned(), id.into());
    }
    Ok(topic)
}

fn given_ids(topic: &Topic) -> Vec<u64> {
    topic.post_stream.posts.iter().filter_map(|post| post.get("id")?.as_u64()).collect()
}

fn posts(topic: u64, ids: Vec<u64>) -> Option<Step> {
    (!ids.is_empty()).then_some(Step::Posts { topic, ids })
}

/// Asked for a page beyond the last one, newer servers redirect to that, which has been read.
fn is_beyond_the_end(asked: u32, given: &Url) -> Result<bool, Unreadable> {
    let given = given.query_pairs().find(|(name, _)| name == "page").and_then(|(_, page)| page.parse::<u32>().ok());
    match given {
        Some(given) => Ok(given != asked),
        None => Err(Unreadable("redirected to an address without the page's number".to_owned())),
    }
}
