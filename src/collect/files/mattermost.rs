//! Mattermost: the bulk export (`import.jsonl`: one object a line, posts among them) and saved replies of its API
//! (`{order, posts}`).
//!
//! The bulk export names no posts; what stands for a name is a hash of where, when, by whom and what.

use std::collections::HashSet;
use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;

use super::shape::Shape;
use super::values::{Told, each_value, values};
use super::{Format, Place, Records};
use crate::collect::Context;
use crate::collect::wire::{DIRECT_MESSAGE, Record, Unreadable, clean, instant, is_future, lenient};
use crate::model::id::content_hash;
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::Plain;
use crate::text::markdown::markdown_to_text;

/// The bulk export.
pub(super) struct MattermostExport;

/// Replies of the API.
pub(super) struct MattermostReply;

impl Format for MattermostExport {
    fn name(&self) -> &'static str {
        "Mattermost bulk export (JSON lines)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        let kind = shape.value("type").unwrap_or_default();
        // The users of a large server fill the head before the first post.
        let begins = kind == "version" && shape.has("version");
        let post = kind == "post" && shape.all("post.", &["team", "channel", "user", "message", "create_at"]);
        begins
            && (shape.has("team.name")
                || shape.has("channel.team")
                || shape.has("info.generator")
                || shape.has("post.message"))
            || post
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let mut bots = HashSet::new();
        each_value(values(input), move |line| tell(ctx, line, &mut bots))
    }
}

impl Format for MattermostReply {
    fn name(&self) -> &'static str {
        "Mattermost API (JSON)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        let empty = shape.all("", &["order[]", "posts"]) && !shape.paths().any(|p| p.starts_with("posts."));
        let keyed = |path: &str| {
            let id = path.strip_prefix("posts.").and_then(|rest| rest.strip_suffix(".channel_id"));
            id.is_some_and(|id| shape.all(&format!("posts.{id}."), &["message", "user_id", "create_at"]))
        };
        empty || (shape.has("order") && shape.paths().any(keyed))
    }

    fn accompanies(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        ["", "[]."].iter().any(|at| {
            let channel = shape.all(at, &["team_id", "display_name", "header", "purpose", "create_at"]);
            channel || shape.all(at, &["username", "auth_service", "create_at", "roles"])
        })
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let community = ctx.community.clone().or_else(|| place.folder()).unwrap_or_else(|| "mattermost".to_owned());
        each_value(values(input), move |page| reply(ctx, &community, page))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    post: Option<ExportPost>,
    direct_post: Option<Value>,
    bot: Value,
}

/// What both layouts say of a post.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    message: Option<String>,
    props: Value,
    #[serde(deserialize_with = "lenient::number")]
    create_at: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    edit_at: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    delete_at: Option<f64>,
}

impl Body {
    /// Whether the post is marked with `name`.
    fn flag(&self, name: &str) -> bool {
        self.props.get(name).is_some_and(|v| v == "true" || v == true)
    }

    fn is_of_a_machine(&self) -> bool {
        self.flag("from_bot") || self.flag("from_webhook")
    }
}

/// A post of the bulk export, or an answer to one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ExportPost {
    #[serde(deserialize_with = "lenient::text")]
    team: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    channel: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    user: Option<String>,
    #[serde(flatten)]
    body: Body,
    attachments: Value,
    replies: Option<Vec<Value>>,
}

fn tell(ctx: &Context, line: Value, bots: &mut HashSet<String>) -> Told {
    let line = match Line::deserialize(line) {
        Ok(line) => line,
        Err(error) => return vec![Err(Unreadable::json(&error))],
    };
    match (line.kind.as_deref(), line.post, line.direct_post) {
        (Some("post"), Some(post), _) => thread(ctx, post, bots),
        (Some("direct_post"), _, Some(post)) => {
            let id = format!("mattermost:{}", content_hash(&[&post.to_string()]));
            vec![Ok(Record::Skipped { id, reason: DIRECT_MESSAGE })]
        }
        (Some("post" | "direct_post"), ..) => vec![Err(Unreadable("a post that is not there".to_owned()))],
        (Some("bot"), ..) => {
            bots.extend(line.bot.get("username").and_then(Value::as_str).map(str::to_owned));
            Vec::new()
        }
        (Some(_), ..) => Vec::new(),
        (None, ..) => vec![Err(Unreadable("a line without a type".to_owned()))],
    }
}

/// A post with its answers.
fn thread(ctx: &Context, mut post: ExportPost, bots: &HashSet<String>) -> Told {
    let (Some(team), Some(channel)) = (post.team.take(), post.channel.take()) else {
        return vec![Err(Unreadable("a post that names no channel".to_owned()))];
    };
    let replies = post.replies.take().unwrap_or_default();
    let id = |post: &ExportPost| {
        let author = ctx.author("mattermost", post.user.as_deref().unwrap_or_default());
        let author = author.as_ref().map_or("", |a| a.as_str());
        let at = post.body.create_at.map(|at| at.to_string()).unwrap_or_default();
        content_hash(&[&team, &channel, author, &at, post.body.message.as_deref().unwrap_or_default()])
    };
    let root = id(&post);
    let place = format!("mattermost:{team}/{channel}");
    let in_thread = if replies.is_empty() { place.clone() } else { format!("{place}:{root}") };
    let mut told = Vec::new();
    let mut add = |post: &ExportPost, id: String, parent: Option<&str>| {
        let user = post.user.as_deref().unwrap_or_default();
        let written = Written {
            id,
            thread: in_thread.clone(),
            parent: parent.map(str::to_owned),
            community: clean(team.clone()),
            title: clean(channel.clone()),
            user,
            body: &post.body,
            attached: post.attachments.as_array().is_some_and(|a| !a.is_empty()),
            edited: post.body.edit_at,
            bot: bots.contains(user),
        };
        told.extend(records(ctx, written).into_iter().map(Ok));
    };
    add(&post, root.clone(), None);
    let mut broken = Vec::new();
    for reply in replies {
        match ExportPost::deserialize(reply) {
            Ok(reply) => add(&reply, id(&reply), Some(&root)),
            Err(error) => broken.push(Err(Unreadable::json(&error))),
        }
    }
    told.extend(broken);
    told
}

/// A post of the API.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReplyPost {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    user_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    root_id: Option<String>,
    #[serde(flatten)]
    body: Body,
    #[serde(deserialize_with = "lenient::number")]
    reply_count: Option<f64>,
    file_ids: Value,
}

/// The posts of a page, the oldest first.
fn reply(ctx: &Context, community: &str, mut page: Value) -> Told {
    let Some(Value::Object(posts)) = page.get_mut("posts").map(Value::take) else {
        return vec![Err(Unreadable("no page of posts".to_owned()))];
    };
    let mut found = Vec::new();
    let mut told = Vec::new();
    for (_, post) in posts {
        match ReplyPost::deserialize(post) {
            Ok(post) => found.push(post),
            Err(error) => told.push(Err(Unreadable::json(&error))),
        }
    }
    let at = |post: &ReplyPost| post.body.create_at.unwrap_or(f64::NEG_INFINITY);
    found.sort_by(|a, b| at(a).total_cmp(&at(b)).then_with(|| a.id.cmp(&b.id)));
    let roots: HashSet<&str> = found.iter().filter_map(|post| post.root_id.as_deref()).collect();
    for post in &found {
        let usable = |id: &Option<String>| id.clone().filter(|id| !id.is_empty());
        let (Some(id), Some(channel)) = (usable(&post.id), usable(&post.channel_id)) else {
            told.push(Err(Unreadable("a post without an id or a channel".to_owned())));
            continue;
        };
        let root = usable(&post.root_id);
        let answered = post.reply_count.is_some_and(|n| n > 0.0) || roots.contains(id.as_str());
        let opens = root.clone().or_else(|| answered.then(|| id.clone()));
        let written = Written {
            thread: opens
                .map_or_else(|| format!("mattermost:{channel}"), |root| format!("mattermost:{channel}:{root}")),
            id,
            parent: root,
            community: clean(community.to_owned()),
            title: String::new(),
            user: post.user_id.as_deref().unwrap_or_default(),
            body: &post.body,
            attached: post.file_ids.as_array().is_some_and(|a| !a.is_empty()),
            edited: post.body.edit_at.filter(|at| *at > 0.0),
            bot: false,
        };
        told.extend(records(ctx, written).into_iter().map(Ok));
    }
    told
}

/// A post of either layout.
struct Written<'a> {
    id: String,
    thread: String,
    parent: Option<String>,
    community: String,
    title: String,
    user: &'a str,
    body: &'a Body,
    attached: bool,
    /// When it was edited, in the layout's own sense.
    edited: Option<f64>,
    /// Whether its author is known for a bot, whatever the post says.
    bot: bool,
}

fn records(ctx: &Context, written: Written) -> Vec<Record> {
    let id = format!("mattermost:{}", written.id);
    let body = written.body;
    if body.delete_at.is_some_and(|at| at > 0.0) {
        return vec![Record::Removed(PostId::new(id))];
    }
    if body.kind.as_deref().is_some_and(|kind| kind.starts_with("system_")) {
        return vec![Record::Skipped { id, reason: "system message" }];
    }
    let Plain { text, quoted } = markdown_to_text(body.message.as_deref().unwrap_or_default());
    let text = clean(text);
    if text.is_empty() {
        let reason = match quoted {
            true => "only quotes others",
            false if written.attached => "only attachments",
            false => "empty",
        };
        return vec![Record::Skipped { id, reason }];
    }
    let written_at = body.create_at.and_then(instant);
    let thread = Thread {
        id: ThreadId::new(written.thread),
        source: Source::Mattermost,
        community: written.community.clone(),
        title: written.title,
        url: None,
        started_at: None,
    };
    let post = Post {
        id: PostId::new(id),
        thread: thread.id.clone(),
        parent: written.parent.map(|id| PostId::new(format!("mattermost:{id}"))),
        source: Source::Mattermost,
        community: written.community,
        author: ctx.author("mattermost", written.user),
        written_at,
        edited_at: written.edited.and_then(instant),
        url: None,
        text,
        flags: PostFlags { bot: written.bot || body.is_of_a_machine(), quoted, future: is_future(written_at, ctx.now) },
    };
    vec![Record::Thread(thread), Record::Post(post)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{read_text, reasons};

    fn posts(found: &[Result<Record, super::super::BadRecord>]) -> Vec<&Post> {
        found.iter().filter_map(|r| if let Ok(Record::Post(post)) = r { Some(post) } else { None }).collect()
    }

    #[test]
    fn a_bulk_export_is_read_with_its_threads() {
        let text = concat!(
            r#"{"type":"version","version":1,"info":{"generator":"x"}}"#,
            "\n",
            r#"{"type":"team","team":{"name":"pumps","type":"O"}}"#,
            "\n",
            r#"{"type":"bot","bot":{"username":"helper"}}"#,
            "\n",
            r#"{"type":"post","post":{"team":"pumps","channel":"repair","user":"ann","message":"It drips","create_at":1772366400000,"replies":[{"user":"bob","message":"> It drips\n\nHere too","create_at":1772366500000},{"user":"helper","message":"@bob.k restart","create_at":1772366500001}]}}"#,
            "\n",
            r#"{"type":"post","post":{"team":"pumps","channel":"repair","user":"ann","type":"system_join_channel","message":"joined","create_at":1}}"#,
            "\n",
            r#"{"type":"direct_post","direct_post":{"channel_members":["a","b"],"user":"a","message":"psst","create_at":1}}"#,
            "\n{\"type\":\"post\"}\n",
        );
        assert!(MattermostExport.sniff(text.as_bytes(), &Place::on_disk(std::path::Path::new("x"))));
        let found = read_text(&MattermostExport, text, "x.jsonl");
        let told = posts(&found);
        assert_eq!(told.iter().map(|p| p.text.as_str()).collect::<Vec<_>>(), ["It drips", "Here too", "@user restart"]);
        assert!(told.iter().all(|p| p.thread == told[0].thread && p.community == "pumps"));
        assert_eq!((told[1].parent.as_ref(), told[2].flags.bot), (Some(&told[0].id), true));
        assert_eq!(reasons(&found), ["system message", "direct message", "a post that is not there"]);
        assert_eq!(posts(&read_text(&MattermostExport, text, "y.jsonl")), told);
    }

    #[test]
    fn dates_that_are_none_upset_no_order() {
        let post = |n: usize| {
            let at = if n.is_multiple_of(3) { "\"NaN\"".to_owned() } else { (900 - n).to_string() };
            format!(r#""p{n}":{{"id":"p{n}","create_at":{at},"user_id":"u","channel_id":"c","message":"w"}}"#)
        };
        let posts: Vec<String> = (0..900).map(post).collect();
        let found =
            read_text(&MattermostReply, &format!(r#"{{"order":[],"posts":{{{}}}}}"#, posts.join(",")), "x.json");
        let dates: Vec<_> = super::tests::posts(&found).iter().filter_map(|p| p.written_at).collect();
        assert!(dates.len() == 600 && dates.is_sorted());
    }

    #[test]
    fn a_page_of_the_api_is_read_in_order() {
        let text = r#"{"order":["b","a"],"posts":{"b":{"id":"b","create_at":2000000000000,"user_id":"u","channel_id":"c","root_id":"a","message":"two","type":"","delete_at":0},"a":{"id":"a","create_at":1772366400000,"edit_at":0,"user_id":"v","channel_id":"c","root_id":"","message":"one","type":""},"d":{"id":"d","create_at":1,"user_id":"v","channel_id":"c","message":"x","delete_at":5}}}"#;
        assert!(MattermostReply.sniff(text.as_bytes(), &Place::on_disk(std::path::Path::new("x"))));
        let found = read_text(&MattermostReply, text, "saved/x.json");
        let told = posts(&found);
        assert_eq!((told[0].text.as_str(), told[0].edited_at), ("one", None));
        assert_eq!((told[1].parent.as_ref(), &told[1].thread), (Some(&told[0].id), &told[0].thread));
        assert!(found.contains(&Ok(Record::Removed(PostId::new("mattermost:d")))));
    }
}
