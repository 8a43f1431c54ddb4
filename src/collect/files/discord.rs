//! DiscordChatExporter's JSON (FORMATS d3): one channel or thread a file.

use std::collections::{BTreeSet, VecDeque};
use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;

use super::pieces::{Piece, Pieces};
use super::{BadRecord, Format, Place, Records, json};
use crate::collect::Context;
use crate::collect::wire::discord::{Channel, author, instant_of, is_id, record};
use crate::collect::wire::{Record, Unreadable, lenient, parse_instant};
use crate::text::discord::markdown_to_text;

/// The format.
pub(super) struct DiscordExport;

/// Kinds of messages that somebody wrote: 20 and 23 are commands, answered by a bot. All others are notices of Discord's. A kind
/// that the exporter has no name for is a number; that of 2020 had none for replies.
const WRITTEN: [&str; 6] = ["Default", "0", "Reply", "19", "20", "23"];

impl Format for DiscordExport {
    fn name(&self) -> &'static str {
        "DiscordChatExporter JSON"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let head = head.trim_ascii_start();
        let begins = String::from_utf8_lossy(&head[..head.len().min(64)]);
        begins.starts_with('{') && begins[1..].trim_start().starts_with("\"guild\"")
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let mut pieces = Pieces::new(input, &["messages"]);
        let (mut export, mut document) = (Export::default(), 0);
        let mut held = VecDeque::new();
        Box::new(std::iter::from_fn(move || {
            loop {
                if let Some(record) = held.pop_front() {
                    return Some(Ok(record));
                }
                let next = pieces.next()?;
                if pieces.document() != document {
                    (export, document) = (Export::default(), pieces.document());
                }
                let (record, byte, value) = match next {
                    Err(bad) => return Some(Err(bad)),
                    Ok(Piece::Item { record, byte, value }) => (record, byte, value),
                    Ok(Piece::Member { key, value }) => {
                        export.member(&key, &value);
                        continue;
                    }
                };
                let found = json::<Message>(&value).and_then(|m| message(ctx, &export.channel, m));
                let found = match found {
                    Ok(found) => found,
                    Err(Unreadable(reason)) => return Some(Err(BadRecord::new(record, byte, reason))),
                };
                let is_post = matches!(found.first(), Some(Record::Post(_)));
                held.extend((is_post && !export.told).then(|| Record::Thread(export.channel.thread(ctx))));
                export.told |= is_post;
                held.extend(found);
            }
        }))
    }
}

/// What stands before the messages.
#[derive(Default)]
struct Export {
    channel: Channel,
    /// Whether the thread was given out.
    told: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    category: Option<String>,
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
    #[serde(deserialize_with = "lenient::shape")]
    author: Option<Author>,
    #[serde(deserialize_with = "lenient::shape")]
    reference: Option<Reference>,
    forwarded_message: Value,
    attachments: Value,
    embeds: Value,
    stickers: Value,
    mentions: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Author {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    discriminator: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    is_bot: bool,
}

impl Author {
    /// The account's name as the other exports of the same program spell it; where there is none, its id.
    fn account(&self) -> String {
        let name = self.name.as_deref().map(str::trim).filter(|n| !n.is_empty());
        let number = self.discriminator.as_deref().filter(|d| !d.trim_start_matches('0').is_empty());
        match (name, number) {
            (Some(name), Some(number)) => format!("{name}#{number}"),
            (Some(name), None) => name.to_owned(),
            (None, _) => self.id.clone().unwrap_or_default(),
        }
    }
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
        // Messages that were given out stand in the channel that was told.
        if self.told || !matches!(key, "guild" | "channel") {
            return;
        }
        let named: Named = json(value).unwrap_or_default();
        if key == "guild" {
            self.channel.guild_id = named.id;
            self.channel.guild = named.name;
        } else {
            // Where a thread is exported, its channel is written as its category.
            let in_channel = named.kind.as_deref().is_some_and(|kind| kind.ends_with("Thread"));
            self.channel.parent = named.category.filter(|_| in_channel);
            if named.kind.as_deref().is_some_and(|kind| kind.starts_with("Direct")) {
                self.channel.guild_id = Some("0".to_owned());
            }
            self.channel.id = named.id.filter(|id| is_id(id));
            self.channel.name = named.name;
        }
    }
}

/// What a message is, and whom it speaks to.
fn message(ctx: &Context, channel: &Channel, message: Message) -> Result<Vec<Record>, Unreadable> {
    let usable = message.id.filter(|id| is_id(id));
    let id = usable.ok_or_else(|| Unreadable("a message without a usable id".to_owned()))?;
    if channel.id.is_none() {
        return Err(Unreadable("the file does not say which channel its messages are from".to_owned()));
    }
    if message.kind.as_deref().is_some_and(|kind| !WRITTEN.contains(&kind)) {
        return Ok(vec![Record::Skipped { id: format!("discord:{id}"), reason: "system message" }]);
    }
    let holds = |value: &Value| match value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) => true,
        _ => false,
    };
    let otherwise = match () {
        () if holds(&message.forwarded_message) => "only forwarded",
        () if holds(&message.attachments) => "only attachments",
        () if holds(&message.embeds) => "only embeds",
        () if holds(&message.stickers) => "only stickers",
        () => "empty",
    };
    let reference = message.reference.filter(|r| r.kind.as_deref() != Some("Forward"));
    let answers = reference.filter(|_| matches!(message.kind.as_deref(), Some("Reply" | "19")));
    let command = message.kind.as_deref().is_some_and(|kind| kind.starts_with('2'));
    let named = message.mentions.as_array().into_iter().flatten();
    let named = named.filter_map(|someone| serde_json::from_value::<Author>(someone.clone()).ok());
    let people: BTreeSet<_> = named.filter_map(|someone| author(ctx, &someone.account())).collect();
    let found = crate::collect::wire::discord::Message {
        author: message.author.as_ref().and_then(|a| author(ctx, &a.account())),
        written_at: message.timestamp.as_deref().and_then(parse_instant).or_else(|| instant_of(&id)),
        edited_at: message.timestamp_edited.as_deref().and_then(parse_instant),
        parent: answers.and_then(|r| r.message_id),
        plain: markdown_to_text(message.content.as_deref().unwrap_or_default()),
        bot: command || message.author.is_some_and(|a| a.is_bot),
        otherwise,
        id: Some(id.clone()),
    };
    let mut records = vec![record(ctx, channel, &id, found)];
    if let Some(Record::Post(post)) = records.first()
        && !people.is_empty()
    {
        records.push(Record::Mentions { post: post.id.clone(), people: people.into_iter().collect() });
    }
    Ok(records)
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
            r#"{"id":"1","type":"Default","timestamp":"2026-03-01T13:00:00.123+01:00","content":"flat again","author":{"id":"7","name":"sam","discriminator":"0000","isBot":false}}"#,
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
        assert_eq!(one.author, context().author("discord", "sam"));
        assert_eq!((two.text.as_str(), two.flags.bot, two.flags.quoted), ("same :sad: @user", true, true));
        assert_eq!(two.parent.as_ref(), Some(&one.id));
    }

    #[test]
    fn kinds_that_the_exporter_has_no_name_for_are_numbers() {
        let found = read(&[
            r#"{"id":"1","type":"0","content":"flat again"}"#,
            r#"{"id":"2","type":"19","content":"same","reference":{"messageId":"1"}}"#,
        ]);
        let [_, Ok(Record::Post(one)), Ok(Record::Post(two))] = &found[..] else { panic!("{found:?}") };
        assert_eq!(two.parent.as_ref(), Some(&one.id));
    }

    #[test]
    fn whom_a_message_speaks_to_is_kept_as_pseudonyms() {
        let found = read(&[
            r#"{"id":"1","content":"@sam look","author":{"name":"kim"},"mentions":[{"id":"7","name":"sam","discriminator":"0000"},{"id":9},7]}"#,
            r#"{"id":"2","content":"done","author":{"name":"sam"},"mentions":null}"#,
        ]);
        let [_, Ok(Record::Post(one)), Ok(Record::Mentions { post, people }), Ok(Record::Post(two))] = &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!((post, people.contains(two.author.as_ref().unwrap())), (&one.id, true));
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
    fn what_people_write_in_private_is_no_communitys() {
        use crate::collect::files::{discord_csv::DiscordCsv, discord_html::DiscordPage, discord_txt::DiscordText};
        let of = |guild: &str, kind: &str| {
            format!(
                r#"{{"guild":{{"id":"{guild}","name":"x"}},"channel":{{"id":"22","type":"{kind}","name":"alice"}},"messages":[{{"id":"1","content":"psst"}}]}}"#
            )
        };
        let rule = "=".repeat(62);
        let found = [
            read_text(&DiscordExport, &of("0", "DirectTextChat"), "x.json"),
            read_text(&DiscordExport, &of("0", "1"), "x.json"),
            read_text(&DiscordExport, &of("11", "DirectGroupTextChat"), "x.json"),
            read_text(
                &DiscordCsv,
                "AuthorID,Author,Date,Content,Attachments,Reactions\n7,sam,01/03/2026 10:00,psst,,\n",
                "Direct Messages - Private - alice [123456789012345678].csv",
            ),
            read_text(
                &DiscordText,
                &format!(
                    "{rule}\nGuild: Direct Messages\nChannel: Private / alice\n{rule}\n\n[01/03/2026 10:00] sam\npsst\n\n{rule}\nExported 1 message(s)\n{rule}\n"
                ),
                "x.txt",
            ),
            read_text(
                &DiscordPage,
                "<!DOCTYPE html><style>.chatlog__message{}</style><body><div class=preamble__entry>Direct Messages</div><div class=preamble__entry>Private / alice</div><div class=chatlog__message-group><div data-message-id=175928847299117063><span class=chatlog__author title=sam></span><div class=chatlog__content>psst</div></div></div></html>",
                "x.html",
            ),
        ];
        for found in found {
            assert!(found.len() == 1 && reasons(&found) == ["direct message"], "{found:?}");
        }
    }

    #[test]
    fn a_thread_keeps_its_id_and_the_name_of_its_channel() {
        let head = HEAD.replace(
            r#""type":"GuildTextChat""#,
            r#""type":"GuildPublicThread","categoryId":"20","category":"repair""#,
        );
        let text = format!(
            "{}{}]}}",
            head.replace(r#""name":"repair""#, r#""name":"flat again""#),
            r#"{"id":"1","content":"a"}"#
        );
        let found = read_text(&DiscordExport, &text, "x.json");
        assert!(
            matches!(&found[0], Ok(Record::Thread(t)) if t.id.as_str() == "discord:22" && t.title == "repair / flat again")
        );
    }

    #[test]
    fn words_that_were_forwarded_are_nobodys() {
        let found = read(&[
            r#"{"id":"1","type":"Default","content":"","reference":{"type":"Forward","messageId":"9"},"forwardedMessage":{"content":"his"}}"#,
            r#"{"id":"2","type":"Default","content":"mine","reference":{"type":"Forward","messageId":"9"},"forwardedMessage":{"content":"his"}}"#,
        ]);
        assert_eq!(reasons(&found), ["only forwarded"]);
        assert!(matches!(&found[2], Ok(Record::Post(post)) if post.text == "mine" && post.parent.is_none()));
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
    fn one_odd_field_costs_no_message() {
        let found =
            read(&[r#"{"id":"1","content":"a","author":"x","reference":7,"attachments":"none"}"#, r#"["secret"]"#]);
        assert!(matches!(&found[1], Ok(Record::Post(post)) if post.text == "a" && post.author.is_none()), "{found:?}");
    }

    #[test]
    fn an_export_cut_off_keeps_what_is_complete() {
        let found = read_text(&DiscordExport, &format!("{HEAD}{}", r#"{"id":"1","content":"a"},{"id":"2","#), "x.json");
        assert!(matches!(&found[..], [Ok(Record::Thread(_)), Ok(Record::Post(_)), Err(bad)] if bad.record == 2));
    }
}
