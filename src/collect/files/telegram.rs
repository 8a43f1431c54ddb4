//! Telegram: the `result.json` of Telegram Desktop's export (one chat or all), and saved replies of the bot API
//! (`getUpdates`).
//!
//! Only groups and channels are read: what people write to one another in private is no community's. Who is spoken to becomes
//! `@user`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::BufRead;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::pieces::{Piece, Pieces};
use super::shape::Shape;
use super::values::{each_value, items};
use super::{BadRecord, Format, Place, Records, each, json, open};
use crate::collect::Context;
use crate::collect::wire::{DIRECT_MESSAGE, Record, Unreadable, clean, instant, is_future, lenient};
use crate::model::{AuthorKey, Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::code::{fenced, ticked};
use crate::text::handles::SOMEBODY;
use crate::text::html::Plain;

/// Telegram Desktop's export.
pub(super) struct TelegramExport;

/// A bot's updates.
pub(super) struct TelegramUpdates;

const PRIVATE: [&str; 6] = ["personal_chat", "bot_chat", "saved_messages", "replies", "verification_codes", "private"];
const PUBLIC: [&str; 5] =
    ["private_group", "private_supergroup", "public_supergroup", "private_channel", "public_channel"];

impl Format for TelegramExport {
    fn name(&self) -> &'static str {
        "Telegram Desktop export (result.json)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        is_one_chat(&shape) || shape.has("chats.list[].messages") || shape.all("", &["about", "personal_information"])
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let (head, input) = match open::head(input) {
            Ok(opened) => opened,
            Err(bad) => return Box::new(std::iter::once(Err(bad))),
        };
        let path: &[&str] = if is_one_chat(&Shape::of(&head)) {
            &["messages"]
        } else {
            &["chats|left_chats", "list", "[]", "messages"]
        };
        let mut chat = Chat::default();
        let mut told = false;
        Box::new(Pieces::new(input, path).flat_map(move |piece| match piece {
            Err(bad) => vec![Err(bad)],
            Ok(Piece::Member { key, value }) => {
                // What names a chat stands before its messages.
                if matches!(key.as_str(), "name" | "type" | "id") {
                    if std::mem::take(&mut told) {
                        chat = Chat::default();
                    }
                    chat.member(&key, &json(&value).unwrap_or_default());
                }
                Vec::new()
            }
            Ok(Piece::Item { record, byte, value }) => {
                told = true;
                let found = json::<Message>(&value).and_then(|m| records(ctx, &chat, &m));
                each(found.map_err(|Unreadable(reason)| BadRecord::new(record, byte, reason)))
            }
        }))
    }
}

fn is_one_chat(shape: &Shape) -> bool {
    let kind = shape.value("type").is_some_and(|kind| PRIVATE.contains(&kind) || PUBLIC.contains(&kind));
    kind && shape.all("", &["id", "messages"]) && !shape.has("chats")
}

impl Format for TelegramUpdates {
    fn name(&self) -> &'static str {
        "Telegram bot updates (JSON)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        let empty = !shape.paths().any(|path| path.starts_with("result[]."));
        shape.all("", &["ok", "result[]"]) && (empty || shape.has("result[].update_id"))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a Place, ctx: &'a Context) -> Records<'a> {
        each_value(items(input, &["result"]), move |update| match update_records(ctx, update) {
            Ok(records) => records.into_iter().map(Ok).collect(),
            Err(unreadable) => vec![Err(unreadable)],
        })
    }
}

/// The chat that messages stand in.
#[derive(Debug, Clone, Default)]
struct Chat {
    id: Option<i64>,
    kind: String,
    name: String,
}

impl Chat {
    fn member(&mut self, key: &str, value: &Value) {
        let text = value.as_str().map(str::to_owned);
        match key {
            "id" => self.id = value.as_i64().map(plain_id),
            "type" => self.kind = text.unwrap_or_default(),
            "name" => self.name = text.unwrap_or_default(),
            _ => {}
        }
    }
}

/// The number that exports have. The bot API marks groups by a sign, and channels by -100 before the number.
fn plain_id(id: i64) -> i64 {
    const CHANNELS: i64 = -1_000_000_000_000;
    if id < CHANNELS { CHANNELS.saturating_sub(id) } else { id.saturating_abs() }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    #[serde(deserialize_with = "lenient::whole")]
    id: Option<u64>,
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    date: Option<String>,
    #[serde(deserialize_with = "lenient::number")]
    date_unixtime: Option<f64>,
    #[serde(deserialize_with = "lenient::text")]
    edited: Option<String>,
    #[serde(deserialize_with = "lenient::number")]
    edited_unixtime: Option<f64>,
    #[serde(deserialize_with = "lenient::text")]
    from: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    from_id: Option<String>,
    #[serde(deserialize_with = "lenient::whole")]
    reply_to_message_id: Option<u64>,
    reply_to_peer_id: Value,
    forwarded_from: Value,
    via_bot: Value,
    text: Value,
    photo: Value,
    file: Value,
    media_type: Value,
    poll: Value,
    contact_information: Value,
    location_information: Value,
}

fn records(ctx: &Context, chat: &Chat, message: &Message) -> Result<Vec<Record>, Unreadable> {
    let id = message.id.ok_or_else(|| Unreadable("a message without an id".to_owned()))?;
    let channel =
        chat.id.ok_or_else(|| Unreadable("the file does not say which chat its messages are from".to_owned()))?;
    let skip = |reason| Ok(vec![Record::Skipped { id: format!("telegram:{channel}:{id}"), reason }]);
    if PRIVATE.contains(&chat.kind.as_str()) {
        return skip(DIRECT_MESSAGE);
    }
    if message.kind.as_deref().is_some_and(|kind| kind != "message") {
        return skip("system message");
    }
    let (plain, people) = plain_text(ctx, &message.text);
    if message.forwarded_from.is_string() && !plain.text.is_empty() {
        return skip("only forwarded");
    }
    if plain.text.is_empty() {
        let media = [&message.photo, &message.file, &message.media_type];
        let shared = [&message.contact_information, &message.location_information];
        let any = media.into_iter().chain(shared).any(|v| !v.is_null());
        return skip(match plain.quoted {
            true => "only quotes others",
            false if any => "only attachments",
            false if !message.poll.is_null() => "only a poll",
            false => "empty",
        });
    }
    let time = |exact: Option<f64>, civil: &Option<String>| -> Option<Timestamp> {
        exact.and_then(instant).or_else(|| ctx.zone.instant(civil.as_deref()?.parse().ok()?))
    };
    let written = Written {
        id,
        plain,
        people,
        handle: message.from_id.as_deref().or(message.from.as_deref()).unwrap_or_default(),
        written_at: time(message.date_unixtime, &message.date),
        edited_at: time(message.edited_unixtime, &message.edited),
        reply: message.reply_to_message_id.filter(|_| message.reply_to_peer_id.is_null()),
        bot: message.via_bot.is_string(),
    };
    Ok(post(ctx, chat, channel, written))
}

/// A message of either layout.
struct Written<'a> {
    id: u64,
    plain: Plain,
    /// Whom it speaks to, as far as their numbers are told.
    people: BTreeSet<AuthorKey>,
    handle: &'a str,
    written_at: Option<Timestamp>,
    edited_at: Option<Timestamp>,
    reply: Option<u64>,
    bot: bool,
}

fn post(ctx: &Context, chat: &Chat, channel: i64, written: Written) -> Vec<Record> {
    let name = Some(chat.name.trim()).filter(|n| !n.is_empty()).or(ctx.community.as_deref()).unwrap_or("telegram");
    let community = clean(name.to_owned());
    // Members find a message of a channel by its number; an export does not tell the public name.
    let linked = chat.kind.ends_with("supergroup") || chat.kind.ends_with("channel");
    let thread = Thread {
        id: ThreadId::new(format!("telegram:{channel}")),
        source: Source::Telegram,
        community: community.clone(),
        title: community.clone(),
        url: linked.then(|| format!("https://t.me/c/{channel}")),
        started_at: None,
    };
    let post = Post {
        id: PostId::new(format!("telegram:{channel}:{}", written.id)),
        thread: thread.id.clone(),
        parent: written.reply.map(|id| PostId::new(format!("telegram:{channel}:{id}"))),
        source: Source::Telegram,
        community,
        author: ctx.author("telegram", written.handle),
        written_at: written.written_at,
        edited_at: written.edited_at,
        url: thread.url.as_ref().map(|url| format!("{url}/{}", written.id)),
        text: written.plain.text,
        flags: PostFlags {
            bot: written.bot,
            quoted: written.plain.quoted,
            future: is_future(written.written_at, ctx.now),
        },
    };
    let people: Vec<AuthorKey> = written.people.into_iter().collect();
    let spoken_to = (!people.is_empty()).then(|| Record::Mentions { post: post.id.clone(), people });
    [Record::Thread(thread), Record::Post(post)].into_iter().chain(spoken_to).collect()
}

/// A message's words: a string, or pieces of which some have markup. Quotations are cut, and `@user` stands for whoever is
/// spoken to: a handle, or a person without one, of whom the number is told.
fn plain_text(ctx: &Context, text: &Value) -> (Plain, BTreeSet<AuthorKey>) {
    let (mut plain, mut people) = (Plain::default(), BTreeSet::new());
    let pieces = match text {
        Value::Array(pieces) => pieces.as_slice(),
        one => std::slice::from_ref(one),
    };
    for piece in pieces {
        let kind = piece.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind == "blockquote" || kind == "expandable_blockquote" {
            plain.quoted = true;
            if !plain.text.is_empty() && !plain.text.ends_with('\n') {
                plain.text.push('\n');
            }
            continue;
        }
        if matches!(kind, "mention" | "mention_name") {
            plain.text.push_str(SOMEBODY);
            people.extend(piece.get("user_id").and_then(Value::as_i64).and_then(|id| user(ctx, id)));
            continue;
        }
        let words = piece.as_str().or_else(|| piece.get("text")?.as_str()).unwrap_or_default();
        plain.text.push_str(&coded(kind, words));
    }
    plain.text = clean(plain.text).trim().to_owned();
    (plain, people)
}

/// `words`, between marks when they are code by their `kind`.
fn coded<'w>(kind: &str, words: &'w str) -> Cow<'w, str> {
    match kind {
        "pre" => format!("\n{}\n", fenced(words)).into(),
        "code" => ticked(words).into(),
        _ => words.into(),
    }
}

fn user(ctx: &Context, id: i64) -> Option<AuthorKey> {
    ctx.author("telegram", &format!("user{id}"))
}

/// What an entity of the bot API marks: `length` units of UTF-16 from `offset` on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entity {
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    offset: usize,
    length: usize,
    #[serde(deserialize_with = "lenient::shape")]
    user: Option<BotUser>,
}

/// `text` with `@user` for the people and marks for the code that `entities` tell of, and who they are.
fn unnamed(ctx: &Context, text: &str, entities: &Value) -> (String, BTreeSet<AuthorKey>) {
    let entities = entities.as_array().map_or(&[][..], Vec::as_slice);
    let mut marked: Vec<Entity> = entities.iter().filter_map(|e| Entity::deserialize(e).ok()).collect();
    marked.retain(|e| matches!(e.kind.as_deref(), Some("mention" | "text_mention" | "pre" | "code")));
    marked.sort_by_key(|e| e.offset);
    let units: Vec<u16> = text.encode_utf16().collect();
    let (mut out, mut people, mut at) = (String::new(), BTreeSet::new(), 0);
    for entity in &marked {
        let end = entity.offset.saturating_add(entity.length);
        let Some(before) = units.get(at..entity.offset).filter(|_| end <= units.len()) else { continue };
        out.push_str(&String::from_utf16_lossy(before));
        match entity.kind.as_deref() {
            Some(kind @ ("pre" | "code")) => {
                out.push_str(&coded(kind, &String::from_utf16_lossy(&units[entity.offset..end])));
            }
            _ => out.push_str(SOMEBODY),
        }
        people.extend(entity.user.as_ref().and_then(|u| user(ctx, u.id?)));
        at = end;
    }
    out.push_str(&String::from_utf16_lossy(&units[at..]));
    (out, people)
}

/// A message of the bot API.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BotMessage {
    #[serde(deserialize_with = "lenient::whole")]
    message_id: Option<u64>,
    #[serde(deserialize_with = "lenient::number")]
    date: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    edit_date: Option<f64>,
    chat: Option<BotChat>,
    #[serde(deserialize_with = "lenient::shape")]
    from: Option<BotUser>,
    #[serde(deserialize_with = "lenient::shape")]
    sender_chat: Option<BotUser>,
    #[serde(deserialize_with = "lenient::text")]
    text: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    caption: Option<String>,
    entities: Value,
    caption_entities: Value,
    #[serde(deserialize_with = "lenient::shape")]
    reply_to_message: Option<BotReply>,
    forward_origin: Value,
    forward_date: Value,
    via_bot: Value,
    new_chat_members: Value,
    left_chat_member: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BotChat {
    id: Option<i64>,
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    title: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BotUser {
    id: Option<i64>,
    #[serde(deserialize_with = "lenient::flag")]
    is_bot: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BotReply {
    #[serde(deserialize_with = "lenient::whole")]
    message_id: Option<u64>,
}

fn update_records(ctx: &Context, update: Value) -> Result<Vec<Record>, Unreadable> {
    let number = update.get("update_id").map(Value::to_string).unwrap_or_default();
    let Value::Object(mut update) = update else { return Err(Unreadable("no update of the bot API".to_owned())) };
    let kinds = ["message", "edited_message", "channel_post", "edited_channel_post"];
    let Some(message) = kinds.iter().find_map(|kind| update.remove(*kind)) else {
        return Ok(vec![Record::Skipped { id: format!("telegram:update:{number}"), reason: "system message" }]);
    };
    let message = BotMessage::deserialize(message).map_err(|e| Unreadable::json(&e))?;
    let id = message.message_id.ok_or_else(|| Unreadable("a message without an id".to_owned()))?;
    let told = message.chat.unwrap_or_default();
    let chat =
        Chat { id: told.id.map(plain_id), kind: told.kind.unwrap_or_default(), name: told.title.unwrap_or_default() };
    let channel = chat.id.ok_or_else(|| Unreadable("a message without its chat".to_owned()))?;
    let skip = |reason| Ok(vec![Record::Skipped { id: format!("telegram:{channel}:{id}"), reason }]);
    if PRIVATE.contains(&chat.kind.as_str()) {
        return skip(DIRECT_MESSAGE);
    }
    if !message.new_chat_members.is_null() || !message.left_chat_member.is_null() {
        return skip("system message");
    }
    if !message.forward_origin.is_null() || !message.forward_date.is_null() {
        return skip("only forwarded");
    }
    let (text, entities) = match message.text {
        Some(text) => (text, &message.entities),
        None => (message.caption.unwrap_or_default(), &message.caption_entities),
    };
    let (text, people) = unnamed(ctx, &text, entities);
    let text = clean(text).trim().to_owned();
    if text.is_empty() {
        return skip("only attachments");
    }
    let user = message.from.as_ref().and_then(|u| u.id).map(|id| format!("user{id}"));
    let sender = message.sender_chat.as_ref().and_then(|c| c.id).map(|id| format!("channel{}", plain_id(id)));
    let written = Written {
        id,
        plain: Plain { text, quoted: false },
        people,
        handle: &sender.or(user).unwrap_or_default(),
        written_at: message.date.and_then(instant),
        edited_at: message.edit_date.and_then(instant),
        reply: message.reply_to_message.and_then(|r| r.message_id),
        bot: message.from.is_some_and(|u| u.is_bot) || !message.via_bot.is_null(),
    };
    Ok(post(ctx, &chat, channel, written))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{read_text, reasons};

    const CHAT: &str = r#"{"name":"Pump Talk","type":"public_supergroup","id":1234567890,"messages":[
        {"id":1,"type":"service","date":"2026-03-01T10:00:00","actor":"x","action":"join_group_by_link"},
        {"id":2,"type":"message","date":"2026-03-01T13:00:00","date_unixtime":"1772366400","from":"Ann","from_id":"user7","text":"It drips"},
        {"id":3,"type":"message","date":"2026-03-01T13:05:00","edited":"2026-03-01T13:06:00","from":"Bob","from_id":"user8","reply_to_message_id":2,"text":[{"type":"blockquote","text":"It drips"},"Here ",{"type":"bold","text":"too"},"!"]},
        {"id":4,"type":"message","from_id":"user8","photo":"(File not included)","text":""},
        {"id":5,"type":"message","from_id":"user8","forwarded_from":"News","text":"old"},
        {"id":6,"type":"message","from_id":"user8","text":"","poll":{"question":"Which one?","answers":[]}}]}"#;

    fn posts(found: &[Result<Record, BadRecord>]) -> Vec<&Post> {
        found.iter().filter_map(|r| if let Ok(Record::Post(post)) = r { Some(post) } else { None }).collect()
    }

    #[test]
    fn a_chat_is_read_alone_and_among_all() {
        let place = Place::on_disk(std::path::Path::new("result.json"));
        assert!(TelegramExport.sniff(CHAT.as_bytes(), &place));
        let found = read_text(&TelegramExport, CHAT, "result.json");
        assert_eq!(reasons(&found), ["system message", "only attachments", "only forwarded", "only a poll"]);
        let one = posts(&found);
        assert_eq!((one[0].id.as_str(), one[0].community.as_str()), ("telegram:1234567890:2", "Pump Talk"));
        assert_eq!(one[0].url.as_deref(), Some("https://t.me/c/1234567890/2"));
        assert_eq!(one[0].written_at.unwrap().to_string(), "2026-03-01T12:00:00Z");
        assert_eq!((one[1].text.as_str(), one[1].flags.quoted), ("Here too!", true));
        assert_eq!((one[1].parent.as_ref(), one[1].edited_at.is_some()), (Some(&one[0].id), true));

        let secret =
            r#"{"name":"Ann","type":"personal_chat","id":9,"messages":[{"id":1,"type":"message","text":"psst"}]}"#;
        let all = format!(
            r#"{{"about":"Here is the data","personal_information":{{"user_id":1}},"chats":{{"about":"x","list":[{secret},{CHAT}]}},"left_chats":{{"list":[{{"type":"private_group","id":5,"messages":[{{"id":1,"type":"message","text":"bye"}}]}}]}}}}"#
        );
        assert!(TelegramExport.sniff(all.as_bytes(), &place));
        let found = read_text(&TelegramExport, &all, "result.json");
        let all = posts(&found);
        assert_eq!(all[..2], one[..]);
        assert_eq!((all[2].thread.as_str(), all[2].community.as_str()), ("telegram:5", "telegram"));
        assert_eq!(reasons(&found)[0], "direct message");
    }

    #[test]
    fn who_is_spoken_to_is_not_named() {
        let chat = r#"{"name":"Pump Talk","type":"public_supergroup","id":1234567890,"messages":[
            {"id":2,"type":"message","from_id":"user8","text":["😀 ",{"type":"mention","text":"@ann_k"}," and ",{"type":"mention_name","text":"Bob Ray","user_id":7},": it drips"]}]}"#;
        let updates = r#"{"ok":true,"result":[{"update_id":1,"message":{"message_id":2,"chat":{"id":-1001234567890,"title":"Pump Talk","type":"supergroup"},"from":{"id":8},"text":"😀 @ann_k and Bob Ray: it drips","entities":[{"type":"text_mention","offset":14,"length":7,"user":{"id":7}},{"type":"mention","offset":3,"length":6},{"type":"mention","offset":90,"length":6},7]}}]}"#;
        let export = read_text(&TelegramExport, chat, "result.json");
        assert_eq!(posts(&export)[0].text, "😀 @user and @user: it drips");
        let people = vec![user(&crate::collect::files::tests::context(), 7).unwrap()];
        assert_eq!(export[2], Ok(Record::Mentions { post: posts(&export)[0].id.clone(), people }));
        assert_eq!(read_text(&TelegramUpdates, updates, "x"), export);
    }

    #[test]
    fn code_stands_between_marks() {
        let chat = r#"{"name":"Pump Talk","type":"public_supergroup","id":1234567890,"messages":[
            {"id":2,"type":"message","from_id":"user8","text":["my log: ",{"type":"pre","text":"it @fails\nhere","language":""},"and ",{"type":"code","text":"x"}]}]}"#;
        let updates = r#"{"ok":true,"result":[{"update_id":1,"message":{"message_id":2,"chat":{"id":-1001234567890,"title":"Pump Talk","type":"supergroup"},"from":{"id":8},"text":"my log: it @fails\nhereand x","entities":[{"type":"pre","offset":8,"length":14},{"type":"code","offset":26,"length":1}]}}]}"#;
        let export = read_text(&TelegramExport, chat, "result.json");
        assert_eq!(posts(&export)[0].text, "my log: \n```\nit @fails\nhere\n```\nand `x`");
        assert_eq!(read_text(&TelegramUpdates, updates, "x"), export);
    }

    #[test]
    fn a_bots_updates_meet_the_export() {
        let text = r#"{"ok":true,"result":[
            {"update_id":1,"message":{"message_id":2,"date":1772366400,"chat":{"id":-1001234567890,"title":"Pump Talk","type":"supergroup"},"from":{"id":7,"is_bot":false},"text":"It drips"}},
            {"update_id":2,"edited_message":{"message_id":3,"date":1772366700,"edit_date":1772366760,"chat":{"id":-1001234567890,"title":"Pump Talk","type":"supergroup"},"from":{"id":8},"reply_to_message":{"message_id":2},"text":"Here too!"}},
            {"update_id":3,"message":{"message_id":1,"chat":{"id":7,"type":"private"},"from":{"id":7},"text":"psst"}},
            {"update_id":4,"my_chat_member":{}}]}"#;
        assert!(TelegramUpdates.sniff(text.as_bytes(), &Place::on_disk(std::path::Path::new("x"))));
        let found = read_text(&TelegramUpdates, text, "x");
        assert_eq!(reasons(&found), ["direct message", "system message"]);
        let export = read_text(&TelegramExport, CHAT, "result.json");
        let (bot, desktop) = (posts(&found), posts(&export));
        assert_eq!(bot[0], desktop[0]);
        assert_eq!(
            (&bot[1].id, &bot[1].author, &bot[1].parent),
            (&desktop[1].id, &desktop[1].author, &desktop[1].parent)
        );
    }
}
