//! Lemmy: saved replies of its API (`post/list`, `comment/list`, `post`, `comment`, `search`; FORMATS d7).

use std::collections::HashMap;
use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::shape::Shape;
use super::values::{Told, each_value, values};
use super::{Format, Place, Records};
use crate::collect::Context;
use crate::collect::wire::{Record, Unreadable, clean, is_future, lenient, parse_instant};
use crate::model::id::content_hash;
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::Plain;
use crate::text::markdown::markdown_to_text;

/// The format.
pub(super) struct LemmyReply;

/// Where a reply holds views.
const LISTS: [&str; 3] = ["posts", "comments", "items"];
const SINGLE: [&str; 2] = ["post_view", "comment_view"];

impl Format for LemmyReply {
    fn name(&self) -> &'static str {
        "Lemmy API (JSON)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        let lists = LISTS.iter().flat_map(|list| [format!("{list}[]."), format!("[].{list}[].")]);
        let single = SINGLE.iter().map(|view| format!("{view}."));
        let mut places = lists.chain(single).chain(["[].".to_owned(), String::new()]);
        places.any(|at| {
            let about = shape.all(&at, &["creator", "community"]);
            about
                && (shape.all(&at, &["comment.ap_id", "comment.path"]) || shape.all(&at, &["post.ap_id", "post.name"]))
        })
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a Place, ctx: &'a Context) -> Records<'a> {
        each_value(values(input), move |value| tell(ctx, value))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct View {
    post: Option<Written>,
    comment: Option<Written>,
    #[serde(deserialize_with = "lenient::shape")]
    creator: Person,
    #[serde(deserialize_with = "lenient::shape")]
    community: Person,
}

/// A post or a comment.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Written {
    #[serde(deserialize_with = "lenient::whole")]
    id: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    ap_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    body: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    content: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    path: Option<String>,
    #[serde(alias = "published_at", deserialize_with = "lenient::text")]
    published: Option<String>,
    #[serde(alias = "updated_at", deserialize_with = "lenient::text")]
    updated: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    deleted: bool,
    #[serde(deserialize_with = "lenient::flag")]
    removed: bool,
}

/// A person or a community.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Person {
    #[serde(deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    actor_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    ap_id: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    bot_account: bool,
}

impl Person {
    /// The address that names it on every instance.
    fn address(&self) -> Option<&str> {
        self.actor_id.as_deref().or(self.ap_id.as_deref())
    }
}

/// All views of a reply. Numbers count on the instance that was asked, which a reply does not name; what names a post
/// everywhere is the address it has where it was written.
fn tell(ctx: &Context, value: Value) -> Told {
    let mut views = Vec::new();
    let Value::Object(mut reply) = value else {
        return vec![Err(Unreadable("no reply of Lemmy's API".to_owned()))];
    };
    if reply.contains_key("creator") {
        views.push(Value::Object(reply));
    } else {
        views.extend(SINGLE.iter().filter_map(|name| reply.remove(*name)));
        for list in LISTS.iter().chain(&["cross_posts"]) {
            if let Some(Value::Array(items)) = reply.remove(*list) {
                views.extend(items);
            }
        }
    }
    let views: Vec<Result<View, Unreadable>> =
        views.into_iter().map(|view| View::deserialize(view).map_err(|e| Unreadable::json(&e))).collect();
    let mut known = HashMap::new();
    for comment in views.iter().filter_map(|v| v.as_ref().ok()?.comment.as_ref()) {
        if let (Some(id), Some(native)) = (comment.id, comment.native()) {
            known.insert(id, native);
        }
    }
    let mut told = Vec::new();
    for view in views {
        match view.and_then(|view| records(ctx, &view, &known)) {
            Ok(records) => told.extend(records.into_iter().map(Ok)),
            Err(unreadable) => told.push(Err(unreadable)),
        }
    }
    told
}

impl Written {
    /// `host:post:17`. Addresses of other software may hold people's names: a hash stands for them.
    fn native(&self) -> Option<String> {
        let url = Url::parse(self.ap_id.as_deref()?).ok()?;
        let host = url.host_str()?;
        let parts: Vec<&str> = url.path().trim_matches('/').split('/').collect();
        Some(match parts[..] {
            [kind @ ("post" | "comment"), id] if id.bytes().all(|b| b.is_ascii_digit()) => {
                format!("lemmy:{host}:{kind}:{id}")
            }
            _ => format!("lemmy:{host}:{}", content_hash(&[url.as_str()])),
        })
    }

    fn url(&self) -> Option<String> {
        self.ap_id.clone().filter(|url| url.starts_with("https://") || url.starts_with("http://"))
    }
}

fn records(ctx: &Context, view: &View, known: &HashMap<u64, String>) -> Result<Vec<Record>, Unreadable> {
    let post = view.post.as_ref().ok_or_else(|| Unreadable("a view without its post".to_owned()))?;
    let thread = post.native().ok_or_else(|| Unreadable("a post without an address (ap_id)".to_owned()))?;
    let written = view.comment.as_ref().unwrap_or(post);
    let id = written.native().ok_or_else(|| Unreadable("a comment without an address (ap_id)".to_owned()))?;
    if written.deleted || written.removed {
        return Ok(vec![Record::Removed(PostId::new(id))]);
    }
    let host = |url: &str| Url::parse(url).ok().and_then(|u| u.host_str().map(str::to_owned));
    let community = match (&view.community.name, view.community.address().and_then(host)) {
        (Some(name), Some(host)) => format!("!{name}@{host}"),
        (Some(name), None) => format!("!{name}"),
        _ => ctx.community.clone().unwrap_or_else(|| "lemmy".to_owned()),
    };
    let community = clean(community);
    let is_comment = view.comment.is_some();
    let instant = |text: &Option<String>| text.as_deref().and_then(parse_instant);
    let written_at = instant(&written.published);
    let title = if post.deleted || post.removed { "" } else { post.name.as_deref().unwrap_or_default().trim() };
    let title = clean(title.to_owned());
    let Plain { text, quoted } =
        markdown_to_text(written.content.as_deref().or(written.body.as_deref()).unwrap_or_default());
    let text = if is_comment { text } else { format!("{title}\n\n{text}").trim().to_owned() };
    let text = clean(text);
    if text.is_empty() {
        return Ok(vec![Record::Skipped { id, reason: if quoted { "only quotes others" } else { "empty" } }]);
    }
    // `0.12.34`: from the post down to the comment itself.
    let above: Option<Vec<u64>> =
        written.path.as_deref().map(|p| p.split('.').filter_map(|n| n.parse().ok()).collect());
    let parent = match above.as_deref() {
        Some([0, _]) => Some(thread.clone()),
        Some([.., parent, _]) => known.get(parent).cloned(),
        _ => None,
    };
    let told = Thread {
        id: ThreadId::new(thread),
        source: Source::Lemmy,
        community: community.clone(),
        title,
        url: post.url(),
        started_at: instant(&post.published),
    };
    let handle = view.creator.address().or(view.creator.name.as_deref()).unwrap_or_default();
    let post = Post {
        id: PostId::new(id),
        thread: told.id.clone(),
        parent: parent.map(PostId::new),
        source: Source::Lemmy,
        author: ctx.author("lemmy", handle),
        community,
        written_at,
        edited_at: instant(&written.updated),
        url: written.url(),
        text,
        flags: PostFlags { bot: view.creator.bot_account, quoted, future: is_future(written_at, ctx.now) },
    };
    Ok(vec![Record::Thread(told), Record::Post(post)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{read_text, reasons};

    const COMMON: &str = r#""post":{"id":5,"name":"Pump drips","body":"Every *night*.","ap_id":"https://one.example/post/70","published":"2026-03-01T12:00:00.5Z","deleted":false,"removed":false},"creator":{"name":"ann","actor_id":"https://one.example/u/ann","bot_account":false},"community":{"name":"pumps","actor_id":"https://two.example/c/pumps"}"#;

    fn comment(id: u64, path: &str, rest: &str) -> String {
        format!(
            r#"{{"comment":{{"id":{id},"ap_id":"https://three.example/comment/9{id}","path":"{path}","content":"words {id}","published":"2026-03-02T12:00:00.123456"{rest}}},{COMMON},"counts":{{}}}}"#
        )
    }

    #[test]
    fn posts_and_comments_are_named_by_their_home() {
        let post = format!(r#"{{"posts":[{{{COMMON},"counts":{{}}}}],"next_page":"x"}}"#);
        let place = Place::on_disk(std::path::Path::new("x"));
        assert!(LemmyReply.sniff(post.as_bytes(), &place));
        let found = read_text(&LemmyReply, &post, "x");
        let [Ok(Record::Thread(thread)), Ok(Record::Post(one))] = &found[..] else { panic!("{found:?}") };
        assert_eq!((thread.id.as_str(), one.id.as_str()), ("lemmy:one.example:post:70", "lemmy:one.example:post:70"));
        assert_eq!((one.community.as_str(), one.text.as_str()), ("!pumps@two.example", "Pump drips\n\nEvery *night*."));

        let comments = [
            comment(3, "0.1.2.3", ""),
            comment(2, "0.1.2", ""),
            comment(1, "0.1", ""),
            comment(8, "0.7.8", ""),
            comment(4, "0.4", ",\"removed\":true"),
        ];
        let comments = format!("{{\"comments\":[{},{{\"creator\":1}}]}}", comments.join(","));
        assert!(LemmyReply.sniff(comments.as_bytes(), &place));
        let found = read_text(&LemmyReply, &comments, "x");
        let posts: Vec<_> =
            found.iter().filter_map(|r| if let Ok(Record::Post(p)) = r { Some(p) } else { None }).collect();
        let parents: Vec<_> = posts.iter().map(|p| p.parent.as_ref().map(PostId::as_str)).collect();
        let want = ["lemmy:three.example:comment:92", "lemmy:three.example:comment:91", "lemmy:one.example:post:70"];
        assert_eq!(parents, [Some(want[0]), Some(want[1]), Some(want[2]), None]);
        assert!(posts.iter().all(|p| p.thread == thread.id && p.written_at.is_some()));
        assert!(found.contains(&Ok(Record::Removed(PostId::new("lemmy:three.example:comment:94")))));
        assert_eq!(reasons(&found).len(), 1);
    }
}
