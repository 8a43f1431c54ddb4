//! DiscordChatExporter's JSON (FORMATS d3): one channel or thread a file.

use std::io::BufRead;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde::Deserialize;
use serde_json::Value;

use super::pieces::{Piece, Pieces};
use super::{BadRecord, Format, Records, json};
use crate::collect::Context;
use crate::collect::wire::{Record, Unreadable, clean, is_future, lenient, parse_instant};
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::Plain;

/// The format.
pub(super) struct DiscordExport;

/// Kinds of messages that somebody wrote: 20 and 23 are commands, answered by a bot. All others are notices of Discord's.
const WRITTEN: [&str; 4] = ["Default", "Reply", "20", "23"];

/// What stands for people, channels, times and emoji in exports made with `--markdown false`.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static TOKEN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"<(@&|@!?|#|a?:\w+:)(\d+)>").unwrap());

impl Format for DiscordExport {
    fn name(&self) -> &'static str {
        "DiscordChatExporter JSON"
    }

    fn sniff(&self, head: &[u8], _place: &super::Place) -> bool {
        let head = head.trim_ascii_start();
        let begins = String::from_utf8_lossy(&head[..head.len().min(64)]);
        begins.starts_with('{') && begins[1..].trim_start().starts_with("\"guild\"")
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a super::Place, ctx: &'a Context) -> Records<'a> {
        let mut pieces = Pieces::new(input, &["messages"]);
        let mut export = Export::default();
        let mut held = None;
        Box::new(std::iter::from_fn(move || {
            loop {
                if let Some(record) = held.take() {
                    return Some(Ok(record));
                }
                let (record, byte, value) = match pieces.next()? {
                    Err(bad) => return Some(Err(bad)),
                    Ok(Piece::Item { record, byte, value }) => (record, byte, value),
                    Ok(Piece::Member { key, value }) => {
                        export.member(&key, &value);
                        continue;
                    }
                };
                let found = json::<Message>(&value).and_then(|m| message(ctx, &export, &m));
                let found = match found {
                    Ok(found) => found,
                    Err(Unreadable(reason)) => return Some(Err(BadRecord::new(record, byte, reason))),
                };
                let first_post = matches!(found, Record::Post(_)) && !std::mem::replace(&mut export.told, true);
                if !first_post {
                    return Some(Ok(found));
                }
                held = Some(found);
                return Some(Ok(Record::Thread(export.thread(ctx))));
            }
        }))
    }
}

/// What stands before the messages.
#[derive(Default)]
struct Export {
    guild: Place,
    channel: Place,
    /// Whether the thread was given out.
    told: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Message {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    timestamp: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    timestamp_edited: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    content: Option<String>,
    author: Option<Author>,
    reference: Option<Reference>,
    forwarded_message: Value,
    attachments: Value,
    embeds: Value,
    stickers: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Author {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    is_bot: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Reference {
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    message_id: Option<String>,
}

impl Export {
    fn member(&mut self, key: &str, value: &[u8]) {
        match key {
            // Messages that were given out stand in the channel that was told.
            _ if self.told => {}
            "guild" => self.guild = json(value).unwrap_or_default(),
            "channel" => self.channel = json(value).unwrap_or_default(),
            _ => {}
        }
    }

    fn community(&self, ctx: &Context) -> String {
        let name = self.guild.name.as_deref().map(str::trim).filter(|n| !n.is_empty());
        clean(name.or(ctx.community.as_deref()).unwrap_or("discord").to_owned())
    }

    /// Address of the channel on Discord.
    fn url(&self) -> Option<String> {
        let guild = self.guild.id.as_deref().filter(|id| is_id(id))?;
        // Direct messages are written as guild 0 and live at `@me`.
        let guild = if guild == "0" { "@me" } else { guild };
        Some(format!("https://discord.com/channels/{guild}/{}", self.channel.id.as_deref()?))
    }

    fn thread(&self, ctx: &Context) -> Thread {
        Thread {
            id: ThreadId::new(format!("discord:{}", self.channel.id.as_deref().unwrap_or_default())),
            source: Source::Discord,
            community: self.community(ctx),
            title: clean(self.channel.name.as_deref().unwrap_or_default().trim().to_owned()),
            url: self.url(),
            started_at: None,
        }
    }
}

fn message(ctx: &Context, export: &Export, message: &Message) -> Result<Record, Unreadable> {
    let usable = |id: &Option<String>| id.clone().filter(|id| is_id(id));
    let id = usable(&message.id).ok_or_else(|| Unreadable("a message without a usable id".to_owned()))?;
    let channel = usable(&export.channel.id)
        .ok_or_else(|| Unreadable("the file does not say which channel its messages are from".to_owned()))?;
    let skip = |reason| Ok(Record::Skipped { id: format!("discord:{id}"), reason });
    if message.kind.as_deref().is_some_and(|kind| !WRITTEN.contains(&kind)) {
        return skip("system message");
    }
    let plain = plain_text(message.content.as_deref().unwrap_or_default());
    if plain.text.is_empty() {
        let holds = |value: &Value| match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(_) => true,
            _ => false,
        };
        return skip(match message {
            _ if plain.quoted => "only quotes others",
            m if holds(&m.attachments) => "only attachments",
            m if holds(&m.embeds) => "only embeds",
            m if holds(&m.stickers) => "only stickers",
            m if holds(&m.forwarded_message) => "only forwarded",
            _ => "empty",
        });
    }
    let reference = message.reference.as_ref().filter(|r| r.kind.as_deref() != Some("Forward"));
    let answers = reference.filter(|_| message.kind.as_deref() == Some("Reply"));
    let author = message.author.as_ref();
    let handle = author.and_then(|a| a.id.as_deref().or(a.name.as_deref())).unwrap_or_default();
    let written_at = message.timestamp.as_deref().and_then(parse_instant);
    let command = message.kind.as_deref().is_some_and(|kind| kind.starts_with('2'));
    Ok(Record::Post(Post {
        thread: ThreadId::new(format!("discord:{channel}")),
        parent: answers
            .and_then(|r| r.message_id.as_deref())
            .filter(|id| is_id(id))
            .map(|id| PostId::new(format!("discord:{id}"))),
        source: Source::Discord,
        community: export.community(ctx),
        author: ctx.author("discord", handle),
        written_at,
        edited_at: message.timestamp_edited.as_deref().and_then(parse_instant),
        url: export.url().map(|channel| format!("{channel}/{id}")),
        id: PostId::new(format!("discord:{id}")),
        text: plain.text,
        flags: PostFlags {
            bot: command || author.is_some_and(|a| a.is_bot),
            quoted: plain.quoted,
            future: is_future(written_at, ctx.now),
        },
    }))
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())
}

/// A message's own words: `> ` begins a quoted line, `>>> ` a quote to the end; raw mentions lose their ids.
fn plain_text(content: &str) -> Plain {
    let mut plain = Plain::default();
    let mut fenced = false;
    for line in content.lines() {
        fenced ^= line.matches("```").count() % 2 == 1;
        if !fenced && line.starts_with(">>> ") {
            plain.quoted = true;
            break;
        }
        if !fenced && line.starts_with("> ") {
            plain.quoted = true;
            continue;
        }
        plain.text.push_str(line);
        plain.text.push('\n');
    }
    let words = TOKEN.replace_all(plain.text.trim(), |token: &Captures| match &token[1] {
        "@&" => "@role".to_owned(),
        "#" => "#channel".to_owned(),
        "@" | "@!" => "@user".to_owned(),
        emoji => emoji.trim_start_matches('a').to_owned(),
    });
    plain.text = clean(words.into_owned()).trim().to_owned();
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{context, read_text, reasons};

    const HEAD: &str = r#"{"guild":{"id":"11","name":"Bikes"},"channel":{"id":"22","type":"GuildTextChat","name":"repair"},"dateRange":{},"messages":["#;

    fn read(messages: &[&str]) -> Vec<Result<Record, BadRecord>> {
        let text = format!("{HEAD}{}],\"messageCount\":{}}}", messages.join(","), messages.len());
        read_text(&DiscordExport, &text, "x.json")
    }

    #[test]
    fn a_message_becomes_a_post_in_its_channel() {
        let found = read(&[
            r#"{"id":"1","type":"Default","timestamp":"2026-03-01T13:00:00.123+01:00","content":"flat again","author":{"id":"7","name":"sam","isBot":false}}"#,
            r#"{"id":"2","type":"Reply","content":"> flat again\nsame <:sad:99> <@7>","author":{"id":"8","isBot":true},"reference":{"messageId":"1","channelId":"22"}}"#,
        ]);
        let [Ok(Record::Thread(thread)), Ok(Record::Post(one)), Ok(Record::Post(two))] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(
            (thread.id.as_str(), thread.title.as_str(), thread.community.as_str()),
            ("discord:22", "repair", "Bikes")
        );
        assert_eq!(one.url.as_deref(), Some("https://discord.com/channels/11/22/1"));
        assert_eq!(one.written_at.map(|t| t.to_string()).as_deref(), Some("2026-03-01T12:00:00.123Z"));
        assert_eq!(one.author, context().author("discord", "7"));
        assert_eq!((two.text.as_str(), two.flags.bot, two.flags.quoted), ("same :sad: @user", true, true));
        assert_eq!(two.parent.as_ref(), Some(&one.id));
    }

    #[test]
    fn what_nobody_wrote_is_left_out_with_a_reason() {
        let found = read(&[
            r#"{"id":"1","type":"GuildMemberJoin","content":"Joined the server."}"#,
            r#"{"id":"2","type":"8","content":""}"#,
            r#"{"id":"3","type":"Default","content":"","attachments":[{"id":"9"}]}"#,
            r#"{"id":"4","type":"Default","content":"","embeds":[{"title":"t"}]}"#,
            r#"{"id":"5","type":"Default","content":" "}"#,
            r#"{"id":"6","type":"Default","content":">>> all\nof it"}"#,
        ]);
        let want =
            ["system message", "system message", "only attachments", "only embeds", "empty", "only quotes others"];
        assert_eq!(reasons(&found), want);
    }

    #[test]
    fn a_broken_message_costs_no_other() {
        let found = read(&[
            r#"{"id":"1","content":"a"}"#,
            r#"{"id":2,"content":"b""#,
            r#""x"}"#,
            r#"{"content":"no id"}"#,
            r#"{"id":"3","content":"c"}"#,
        ]);
        let kept: Vec<_> = found.iter().filter(|r| matches!(r, Ok(Record::Post(_)))).collect();
        assert_eq!(kept.len(), 2);
        assert_eq!(found.iter().filter(|r| r.is_err()).count(), 2);
    }

    #[test]
    fn an_export_cut_off_keeps_what_is_complete() {
        let found = read_text(&DiscordExport, &format!("{HEAD}{}", r#"{"id":"1","content":"a"},{"id":"2","#), "x.json");
        assert!(matches!(&found[..], [Ok(Record::Thread(_)), Ok(Record::Post(_)), Err(bad)] if bad.record == 2));
    }
}
