//! Gitter: saved replies of its API, an array of a room's messages.

use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;

use super::shape::Shape;
use super::values::{each_value, values};
use super::{Format, Place, Records};
use crate::collect::Context;
use crate::collect::wire::{Record, Unreadable, clean, is_future, lenient, parse_instant};
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::Plain;
use crate::text::markdown::markdown_to_text;

/// The format.
pub(super) struct GitterRoom;

impl Format for GitterRoom {
    fn name(&self) -> &'static str {
        "Gitter messages (JSON)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        ["", "[]."].iter().any(|at| shape.all(at, &["id", "text", "sent", "fromUser"]))
    }

    fn accompanies(&self, head: &[u8], _place: &Place) -> bool {
        Shape::of(head).all("[].", &["githubType", "oneToOne", "userCount"])
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let room = ctx.community.clone().or_else(|| place.folder()).unwrap_or_else(|| "gitter".to_owned());
        each_value(values(input), move |message| match records(ctx, &room, message) {
            Ok(records) => records.into_iter().map(Ok).collect(),
            Err(unreadable) => vec![Err(unreadable)],
        })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Message {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    text: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    sent: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    edited_at: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    parent_id: Option<String>,
    #[serde(deserialize_with = "lenient::shape")]
    from_user: Option<User>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
}

fn records(ctx: &Context, room: &str, message: Value) -> Result<Vec<Record>, Unreadable> {
    let message = Message::deserialize(message).map_err(|e| Unreadable::json(&e))?;
    let id = message.id.ok_or_else(|| Unreadable("a message without an id".to_owned()))?;
    let native = |id: &str| format!("jsonl:gitter:{id}");
    let Plain { text, quoted } = markdown_to_text(message.text.as_deref().unwrap_or_default());
    let text = clean(text);
    if text.is_empty() {
        // A message that was deleted stays, without words.
        let reason = if quoted { "only quotes others" } else { "empty" };
        return Ok(vec![Record::Skipped { id: native(&id), reason }]);
    }
    let written_at = message.sent.as_deref().and_then(parse_instant);
    let thread = Thread {
        id: ThreadId::new(native(&format!("room:{room}"))),
        source: Source::Jsonl,
        community: clean(room.to_owned()),
        title: String::new(),
        url: None,
        started_at: None,
    };
    let user = message.from_user.and_then(|u| u.id).unwrap_or_default();
    let post = Post {
        id: PostId::new(native(&id)),
        thread: thread.id.clone(),
        parent: message.parent_id.as_deref().map(|id| PostId::new(native(id))),
        source: Source::Jsonl,
        community: thread.community.clone(),
        author: ctx.author("gitter", &user),
        written_at,
        edited_at: message.edited_at.as_deref().and_then(parse_instant),
        url: None,
        text,
        flags: PostFlags { bot: false, quoted, future: is_future(written_at, ctx.now) },
    };
    Ok(vec![Record::Thread(thread), Record::Post(post)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::read_text;

    #[test]
    fn a_room_is_read() {
        let text = r#"[{"id":"a1","text":"@bob it drips","html":"It drips","sent":"2026-03-01T12:00:00.000Z","fromUser":{"id":"u1","username":"ann"}},
            {"id":"a2","text":"Same","sent":"2026-03-01T13:00:00.000Z","fromUser":{"id":"u2"},"parentId":"a1"}]"#;
        assert!(GitterRoom.sniff(text.as_bytes(), &Place::on_disk(std::path::Path::new("x"))));
        let found = read_text(&GitterRoom, text, "pumps/x.json");
        let (Ok(Record::Post(one)), Ok(Record::Post(two))) = (&found[1], &found[3]) else { panic!("{found:?}") };
        assert_eq!(one.text, "@user it drips");
        assert_eq!((one.community.as_str(), two.parent.as_ref()), ("pumps", Some(&one.id)));
    }
}
