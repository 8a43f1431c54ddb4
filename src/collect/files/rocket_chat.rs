//! Rocket.Chat: saved replies of its API (`channels.messages`, `channels.history`).

use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;

use super::shape::Shape;
use super::values::{each_value, items};
use super::{Format, Place, Records};
use crate::collect::Context;
use crate::collect::wire::{DIRECT_MESSAGE, Record, Unreadable, clean, instant, is_future, lenient, parse_instant};
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::Plain;
use crate::text::markdown::markdown_to_text;

/// The format.
pub(super) struct RocketChatReply;

impl Format for RocketChatReply {
    fn name(&self) -> &'static str {
        "Rocket.Chat API (JSON)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        Shape::of(head).all("messages[].", &["_id", "rid", "ts", "u"])
    }

    fn accompanies(&self, head: &[u8], _place: &Place) -> bool {
        Shape::of(head).all("channel.", &["_id", "t", "msgs", "usersCount"])
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let community = ctx.community.clone().or_else(|| place.folder()).unwrap_or_else(|| "rocketchat".to_owned());
        each_value(items(input, &["messages"]), move |message| match records(ctx, &community, message) {
            Ok(records) => records.into_iter().map(Ok).collect(),
            Err(unreadable) => vec![Err(unreadable)],
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    rid: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    msg: Option<String>,
    ts: Value,
    #[serde(rename = "editedAt")]
    edited_at: Value,
    #[serde(deserialize_with = "lenient::shape")]
    u: User,
    #[serde(deserialize_with = "lenient::text")]
    t: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    tmid: Option<String>,
    #[serde(deserialize_with = "lenient::number")]
    tcount: Option<f64>,
    bot: Value,
    file: Value,
    attachments: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    #[serde(rename = "_id", deserialize_with = "lenient::text")]
    id: Option<String>,
}

fn records(ctx: &Context, community: &str, message: Value) -> Result<Vec<Record>, Unreadable> {
    let message = Message::deserialize(message).map_err(|e| Unreadable::json(&e))?;
    let id = message.id.ok_or_else(|| Unreadable("a message without an id".to_owned()))?;
    let room = message.rid.ok_or_else(|| Unreadable("a message without its room".to_owned()))?;
    let native = |id: &str| format!("jsonl:rocketchat:{id}");
    let skip = |reason| Ok(vec![Record::Skipped { id: native(&id), reason }]);
    match message.t.as_deref() {
        None | Some("") => {}
        Some("rm") => return Ok(vec![Record::Removed(PostId::new(native(&id)))]),
        Some(_) => return skip("system message"),
    }
    if is_direct(&room, message.u.id.as_deref().unwrap_or_default()) {
        return skip(DIRECT_MESSAGE);
    }
    let Plain { text, quoted } = markdown_to_text(message.msg.as_deref().unwrap_or_default());
    let text = clean(text);
    if text.is_empty() {
        let attached = message.file.is_object() || message.attachments.as_array().is_some_and(|a| !a.is_empty());
        return skip(match quoted {
            true => "only quotes others",
            false if attached => "only attachments",
            false => "empty",
        });
    }
    // Dates are text in replies and `{"$date": milliseconds}` in dumps of the database.
    let time = |value: &Value| match value {
        Value::String(text) => parse_instant(text),
        value => value.get("$date").unwrap_or(value).as_f64().and_then(instant),
    };
    let written_at = time(&message.ts);
    let root = message.tmid.clone().or_else(|| message.tcount.is_some_and(|n| n > 0.0).then(|| id.clone()));
    let thread = Thread {
        id: ThreadId::new(root.map_or_else(|| native(&room), |root| native(&format!("{room}:{root}")))),
        source: Source::Jsonl,
        community: clean(community.to_owned()),
        title: String::new(),
        url: None,
        started_at: None,
    };
    let post = Post {
        id: PostId::new(native(&id)),
        thread: thread.id.clone(),
        parent: message.tmid.as_deref().map(|id| PostId::new(native(id))),
        source: Source::Jsonl,
        community: thread.community.clone(),
        author: ctx.author("rocketchat", message.u.id.as_deref().unwrap_or_default()),
        written_at,
        edited_at: time(&message.edited_at),
        url: None,
        text,
        flags: PostFlags { bot: message.bot.is_object(), quoted, future: is_future(written_at, ctx.now) },
    };
    Ok(vec![Record::Thread(thread), Record::Post(post)])
}

/// Whether a room is one of two people: its id is that of one behind that of the other, and `author` is one of them.
fn is_direct(room: &str, author: &str) -> bool {
    // Ids of users have 17 signs, those of bots (`rocket.cat`) fewer.
    let is_user = |rest: &str| rest.len() > 3 && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    author.len() > 3 && [room.strip_prefix(author), room.strip_suffix(author)].into_iter().flatten().any(is_user)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{read_text, reasons};

    #[test]
    fn a_reply_is_read() {
        let text = r#"{"messages":[{"_id":"a","rid":"r","msg":"It drips","ts":"2026-03-01T12:00:00.000Z","u":{"_id":"u","username":"ann"},"tcount":1},
            {"_id":"b","rid":"r","msg":"@ann here too","ts":{"$date":1772366400000},"u":{"_id":"v"},"tmid":"a","editedAt":"2026-03-02T12:00:00Z"},
            {"_id":"c","rid":"r","t":"uj","msg":"ann","ts":"2026-03-01T12:00:00.000Z","u":{"_id":"u"}}],"count":3}"#;
        assert!(RocketChatReply.sniff(text.as_bytes(), &Place::on_disk(std::path::Path::new("x"))));
        let found = read_text(&RocketChatReply, text, "pumps/x.json");
        let (Ok(Record::Post(one)), Ok(Record::Post(two))) = (&found[1], &found[3]) else { panic!("{found:?}") };
        assert_eq!((one.community.as_str(), two.parent.as_ref()), ("pumps", Some(&one.id)));
        assert_eq!(two.text, "@user here too");
        assert_eq!((two.written_at, &two.thread), (one.written_at, &one.thread));
        assert_eq!(reasons(&found), ["system message"]);
    }

    #[test]
    fn direct_messages_are_left_out() {
        let one = |room: &str, author: &str| {
            let text = format!(
                r#"{{"messages":[{{"_id":"a","rid":"{room}","msg":"psst","ts":"2026-03-01T12:00:00Z","u":{{"_id":"{author}"}}}}]}}"#
            );
            read_text(&RocketChatReply, &text, "dm/x.json")
        };
        let (ann, kim) = ("3RCfXNd6Nvp7pJZd2", "zQ9kLmN2oPqRsTuVw");
        for (room, author) in [([ann, kim], ann), ([ann, kim], kim), ([ann, ann], ann)] {
            assert_eq!(reasons(&one(&room.concat(), author)), ["direct message"]);
        }
        for room in ["GENERAL", "ByehQjC44FwMeiLbX", kim] {
            assert!(matches!(&one(room, ann)[..], [_, Ok(Record::Post(_))]), "{room}");
        }
    }
}
