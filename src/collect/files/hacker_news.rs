//! Hacker News: search bodies of Algolia's API, its item trees, and the items of the official API (FORMATS d7), one or many.

use std::collections::HashMap;
use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;

use super::shape::Shape;
use super::values::{Told, each_value, items, values};
use super::{Format, Place, Records};
use crate::collect::Context;
use crate::collect::wire::{Record, Unreadable, clean, instant, is_future, lenient};
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::{Plain, html_to_text};
use crate::text::mail::cut_quoted_lines;

/// A reply of Algolia's search: `{hits: […]}`.
pub(super) struct Hits;

/// Items: trees of Algolia's, or those of the official API.
pub(super) struct Items;

const SITE: &str = "https://news.ycombinator.com/item?id=";

/// Items whose story is remembered; of a longer file the oldest are forgotten.
const REMEMBERED: usize = 1 << 20;

impl Format for Hits {
    fn name(&self) -> &'static str {
        "Hacker News search (Algolia JSON)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        let empty = shape.all("", &["hits[]", "nbHits", "nbPages"]) && !shape.paths().any(|p| p.starts_with("hits[]."));
        empty || is_hit(&shape, "hits[].")
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let mut stories = Stories::default();
        each_value(items(input, &["hits"]), move |value| tell(ctx, value, &mut stories))
    }
}

impl Format for Items {
    fn name(&self) -> &'static str {
        "Hacker News items (JSON, one or many)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        ["", "[]."].iter().any(|at| {
            let tree = shape.all(at, &["id", "created_at_i", "type", "author", "children"]);
            let kind = shape.value(&format!("{at}type")).is_some_and(|kind| KINDS.contains(&kind));
            let written = shape.all(at, &["id", "time"]) && kind;
            let official = written && (shape.has(&format!("{at}by")) || shape.has(&format!("{at}deleted")));
            tree || official || is_hit(&shape, at)
        })
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let mut stories = Stories::default();
        each_value(values(input), move |value| tell(ctx, value, &mut stories))
    }
}

const KINDS: [&str; 5] = ["story", "comment", "job", "poll", "pollopt"];

fn is_hit(shape: &Shape, at: &str) -> bool {
    shape.all(at, &["objectID", "_tags", "created_at_i"])
}

/// An item in the spelling of any of the three.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    #[serde(deserialize_with = "lenient::whole")]
    id: Option<u64>,
    #[serde(rename = "objectID", deserialize_with = "lenient::whole")]
    object_id: Option<u64>,
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(rename = "_tags")]
    tags: Value,
    #[serde(deserialize_with = "lenient::text")]
    by: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    author: Option<String>,
    #[serde(deserialize_with = "lenient::number")]
    time: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    created_at_i: Option<f64>,
    #[serde(deserialize_with = "lenient::whole")]
    parent: Option<u64>,
    #[serde(deserialize_with = "lenient::whole")]
    parent_id: Option<u64>,
    #[serde(deserialize_with = "lenient::whole")]
    story_id: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    title: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    story_title: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    text: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    comment_text: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    story_text: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    deleted: bool,
    #[serde(deserialize_with = "lenient::flag")]
    dead: bool,
}

/// Which story an item belongs to. The official API tells a comment's parent only, so the way up is followed through the
/// items that came before; where it is not known, a comment stands in the thread of the highest ancestor that is.
#[derive(Default)]
struct Stories {
    recent: HashMap<u64, u64>,
    older: HashMap<u64, u64>,
    titles: HashMap<u64, String>,
}

impl Stories {
    fn of(&self, id: u64) -> Option<u64> {
        self.recent.get(&id).or_else(|| self.older.get(&id)).copied()
    }

    fn remember(&mut self, id: u64, story: u64) {
        if self.recent.len() >= REMEMBERED {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(id, story);
    }
}

/// The item and, of a tree, all below it, parents first.
fn tell(ctx: &Context, value: Value, stories: &mut Stories) -> Told {
    let mut told = Vec::new();
    stories.titles.clear();
    let mut stack = vec![value];
    while let Some(mut value) = stack.pop() {
        let children = value.get_mut("children").map(Value::take);
        match Item::deserialize(value) {
            Ok(item) => match records(ctx, &item, stories) {
                Ok(records) => told.extend(records.into_iter().map(Ok)),
                Err(unreadable) => told.push(Err(unreadable)),
            },
            Err(error) => told.push(Err(Unreadable::json(&error))),
        }
        if let Some(Value::Array(children)) = children {
            // Algolia's search names the children of a hit by number.
            stack.extend(children.into_iter().rev().filter(Value::is_object));
        }
    }
    told
}

fn records(ctx: &Context, item: &Item, stories: &mut Stories) -> Result<Vec<Record>, Unreadable> {
    let id = item.object_id.or(item.id).ok_or_else(|| Unreadable("an item without an id".to_owned()))?;
    let parent = item.parent.or(item.parent_id);
    let tagged = |tag: &str| item.tags.as_array().is_some_and(|tags| tags.iter().any(|t| t == tag));
    let is = |kind: &str| item.kind.as_deref() == Some(kind) || tagged(kind);
    let story = match (item.story_id, parent) {
        (Some(story), _) => story,
        (None, Some(parent)) => stories.of(parent).unwrap_or(parent),
        (None, None) => id,
    };
    stories.remember(id, story);
    let post_id = |id: u64| PostId::new(format!("hacker_news:{id}"));
    if item.deleted || item.dead {
        return Ok(vec![Record::Removed(post_id(id))]);
    }
    let skip = |reason| Ok(vec![Record::Skipped { id: format!("hacker_news:{id}"), reason }]);
    if is("pollopt") {
        return skip("option of a poll");
    }
    if is("job") {
        return skip("job advertisement");
    }
    let is_comment = is("comment") || parent.is_some();
    let own_title = html_to_text(item.title.as_deref().unwrap_or_default()).text;
    let title = if is_comment {
        let told = item.story_title.as_deref().map(|t| html_to_text(t).text);
        told.or_else(|| stories.titles.get(&story).cloned()).unwrap_or_default()
    } else {
        stories.titles.insert(id, own_title.clone());
        own_title.clone()
    };
    let written_at = item.time.or(item.created_at_i).and_then(instant);
    let community = ctx.community.clone().unwrap_or_else(|| "Hacker News".to_owned());
    let thread = Thread {
        id: ThreadId::new(format!("hacker_news:{story}")),
        source: Source::HackerNews,
        community: community.clone(),
        title: clean(title),
        url: Some(format!("{SITE}{story}")),
        started_at: written_at.filter(|_| !is_comment),
    };
    let words = [&item.text, &item.comment_text, &item.story_text].into_iter().flatten().find(|t| !t.is_empty());
    let plain = plain_text(words.map_or("", String::as_str));
    let text = if is_comment { plain.text } else { format!("{own_title}\n\n{}", plain.text).trim().to_owned() };
    let text = clean(text);
    if text.is_empty() {
        return skip(if plain.quoted { "only quotes others" } else { "empty" });
    }
    let author = item.by.as_deref().or(item.author.as_deref()).unwrap_or_default();
    let post = Post {
        id: post_id(id),
        thread: thread.id.clone(),
        parent: parent.map(post_id),
        source: Source::HackerNews,
        community,
        author: ctx.author("hacker_news", author),
        written_at,
        edited_at: None,
        url: Some(format!("{SITE}{id}")),
        text,
        flags: PostFlags { bot: false, quoted: plain.quoted, future: is_future(written_at, ctx.now) },
    };
    Ok(vec![Record::Thread(thread), Record::Post(post)])
}

/// Quoting has no markup there: by custom a paragraph that begins with `>` is somebody else's.
fn plain_text(html: &str) -> Plain {
    let plain = html_to_text(html);
    let own = cut_quoted_lines(&plain.text);
    Plain { text: own.text, quoted: plain.quoted || own.quoted }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{read_text, reasons};

    fn posts(found: &[Result<Record, super::super::BadRecord>]) -> Vec<&Post> {
        found.iter().filter_map(|r| if let Ok(Record::Post(post)) = r { Some(post) } else { None }).collect()
    }

    #[test]
    fn a_tree_a_search_and_official_items_give_the_same_posts() {
        let tree = r#"{"id":10,"created_at":"2026-03-01T12:00:00.000Z","created_at_i":1772366400,"type":"story","author":"ann","title":"Ask: pumps &amp; hoses","url":null,"text":"<p>Mine leaks.","points":3,"parent_id":null,"story_id":10,"children":[
            {"id":11,"created_at_i":1772366500,"type":"comment","author":"bob","text":"<i>&gt; Mine leaks.</i><p>Same &#x2F; worse.<p><pre><code>  if x &gt; 1\n</code></pre>","parent_id":10,"story_id":10,"children":[
                {"id":12,"created_at_i":1772366600,"type":"comment","author":"ann","text":"ok","parent_id":11,"story_id":10,"children":[]}]}]}"#;
        let hits = r#"{"hits":[
            {"objectID":"10","_tags":["story","author_ann","story_10","ask_hn"],"author":"ann","title":"Ask: pumps & hoses","story_text":"<p>Mine leaks.","created_at_i":1772366400,"children":[11]},
            {"objectID":"11","_tags":["comment","author_bob","story_10"],"author":"bob","comment_text":"<i>&gt; Mine leaks.</i><p>Same &#x2F; worse.<p><pre><code>  if x &gt; 1\n</code></pre>","created_at_i":1772366500,"story_id":10,"parent_id":10,"story_title":"Ask: pumps & hoses"},
            {"objectID":"12","_tags":["comment"],"author":"ann","comment_text":"ok","created_at_i":1772366600,"story_id":10,"parent_id":11}],"nbHits":3,"page":0,"nbPages":1,"hitsPerPage":20}"#;
        let official = "{\"by\":\"ann\",\"id\":10,\"kids\":[11],\"time\":1772366400,\"title\":\"Ask: pumps &amp; hoses\",\"text\":\"<p>Mine leaks.\",\"type\":\"story\"}\n{\"by\":\"bob\",\"id\":11,\"parent\":10,\"time\":1772366500,\"text\":\"<i>&gt; Mine leaks.</i><p>Same &#x2F; worse.<p><pre><code>  if x &gt; 1\\n</code></pre>\",\"type\":\"comment\"}\n{\"by\":\"ann\",\"id\":12,\"parent\":11,\"time\":1772366600,\"text\":\"ok\",\"type\":\"comment\"}\n";
        let place = Place::on_disk(std::path::Path::new("x.json"));
        assert!(Hits.sniff(hits.as_bytes(), &place) && !Hits.sniff(tree.as_bytes(), &place));
        assert!(Items.sniff(tree.as_bytes(), &place) && Items.sniff(official.as_bytes(), &place));
        let tree = read_text(&Items, tree, "x.json");
        let tree = posts(&tree);
        assert_eq!(tree[0].text, "Ask: pumps & hoses\n\nMine leaks.");
        assert_eq!((tree[1].text.as_str(), tree[1].flags.quoted), ("Same / worse.\n\n```\n  if x > 1\n```", true));
        assert_eq!(tree[2].parent.as_ref(), Some(&tree[1].id));
        assert!(tree.iter().all(|p| p.thread.as_str() == "hacker_news:10"));
        let hits = read_text(&Hits, hits, "x.json");
        assert_eq!(posts(&hits), tree);
        let official = read_text(&Items, official, "x.json");
        assert_eq!(posts(&official), tree);
    }

    #[test]
    fn what_is_gone_or_no_post_is_counted() {
        let text = r#"[{"id":1,"deleted":true,"time":1,"type":"comment","parent":2},{"id":3,"dead":true,"by":"x","time":1,"type":"story","title":"t"},
            {"id":4,"by":"x","time":1,"type":"pollopt","text":"a","poll":9},{"id":5,"by":"x","time":1,"type":"job","title":"We hire"},{"by":"x"},7,{"id":6,"by":"x","time":1,"type":"comment","parent":5,"text":"&gt; his"}]"#;
        let found = read_text(&Items, text, "x.json");
        assert_eq!(found.iter().filter(|r| matches!(r, Ok(Record::Removed(_)))).count(), 2);
        assert_eq!(reasons(&found)[..3], ["option of a poll", "job advertisement", "an item without an id"]);
        assert_eq!(reasons(&found)[4], "only quotes others");
    }
}
