//! Discourse: what its pages for browsers carry as JSON, and ids that are the same in pages, feeds and JSON.

use scraper::Html;
use serde_json::{Map, Value};

use super::dom::selector;
use crate::collect::wire::discourse::Topic;

/// The topic that the page carries for its scripts, with the first posts in full.
pub(super) fn preloaded(page: &Html) -> Option<Topic> {
    let element = page.select(&selector("[data-preloaded]")?).next()?;
    let all: Map<String, Value> = serde_json::from_str(element.attr("data-preloaded")?).ok()?;
    let (_, topic) = all
        .into_iter()
        .find(|(key, _)| key.starts_with("topic_") && key.bytes().last().is_some_and(|b| b.is_ascii_digit()))?;
    let topic: Topic = match topic {
        Value::String(text) => serde_json::from_str(&text).ok()?,
        value => serde_json::from_value(value).ok()?,
    };
    (topic.id.is_some() && !topic.post_stream.posts.is_empty()).then_some(topic)
}
