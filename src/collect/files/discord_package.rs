//! Discord's own data package: what one person wrote, channel by channel (FORMATS d3).
//!
//! The names of its folders are in the person's language; what tells its files is `channel.json` beside the messages. It
//! holds one side of every conversation only, so nothing can be counted over people. Direct messages are left out.

use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;

use super::pieces::{Piece, Pieces};
use super::{BadRecord, Format, Place, Records, json};
use crate::collect::Context;
use crate::collect::wire::discord::{Channel, Message, author, instant_of, is_id, record};
use crate::collect::wire::{Record, Unreadable, lenient, parse_instant};
use crate::files::rows::{Row, Rows};
use crate::text::discord::markdown_to_text;

/// The format.
pub(super) struct DiscordPackage;

const NOTICE: &str = "a Discord data package holds what one person wrote and nothing of what others answered: it says little \
     about a community; export the channels with DiscordChatExporter instead";

impl Format for DiscordPackage {
    fn name(&self) -> &'static str {
        "Discord data package"
    }

    fn notice(&self) -> Option<&'static str> {
        Some(NOTICE)
    }

    fn sniff(&self, head: &[u8], place: &Place) -> bool {
        let text = String::from_utf8_lossy(&head[..head.len().min(4096)]);
        let table = text.starts_with("ID,Timestamp,Contents,Attachments");
        let list = text.trim_start().starts_with('[')
            && ["\"ID\"", "\"Timestamp\"", "\"Contents\""].iter().all(|key| text.contains(key));
        let nothing = text.trim() == "[]";
        (table || list || nothing) && is_conversation(place) && place.has_beside("channel.json")
    }

    fn accompanies(&self, head: &[u8], place: &Place) -> bool {
        let text = String::from_utf8_lossy(head);
        let text = text.trim_start();
        let has = |keys: &[&str]| text.starts_with('{') && keys.iter().all(|key| text.contains(key));
        match place.name().as_str() {
            "channel.json" => has(&["\"id\"", "\"type\""]) && is_conversation(place),
            "guild.json" => has(&["\"id\"", "\"name\""]) && place.folder().is_some_and(|f| is_id(&f)),
            "user.json" => has(&["\"id\"", "\"username\""]),
            "index.json" => serde_json::from_str::<std::collections::BTreeMap<String, Value>>(text)
                .is_ok_and(|index| !index.is_empty() && index.keys().all(|id| is_id(id))),
            "audit-log.json" | "bans.json" | "channels.json" | "emoji.json" | "integrations.json" | "webhooks.json" => {
                place.folder().is_some_and(|f| is_id(&f)) && place.has_beside("guild.json")
            }
            _ => false,
        }
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let owner = owner(place);
        let channel = channel(place);
        let thread = (!channel.is_direct()).then(|| Ok(Record::Thread(channel.thread(ctx))));
        let read = move |message: Result<Own, BadRecord>| -> Result<Record, BadRecord> {
            let Own { number, byte, id, at, text, attached } = message?;
            let id = id
                .filter(|id| is_id(id))
                .ok_or_else(|| BadRecord::new(number, byte, "a message without a usable id"))?;
            let message = Message {
                author: author(ctx, &owner),
                written_at: at.as_deref().and_then(parse_instant).or_else(|| instant_of(&id)),
                plain: markdown_to_text(&text),
                otherwise: if attached { "only attachments" } else { "empty" },
                id: Some(id.clone()),
                ..Message::default()
            };
            Ok(record(ctx, &channel, &id, message))
        };
        let messages = if place.path().extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) {
            of_table(input)
        } else {
            of_list(input)
        };
        Box::new(thread.into_iter().chain(messages.map(read)))
    }
}

/// A message of the package.
struct Own {
    number: u64,
    byte: u64,
    id: Option<String>,
    at: Option<String>,
    text: String,
    attached: bool,
}

type Messages<'a> = Box<dyn Iterator<Item = Result<Own, BadRecord>> + 'a>;

/// `messages.csv`, before March 2024.
fn of_table<'a>(input: Box<dyn BufRead + 'a>) -> Messages<'a> {
    let own = |row: Result<Row, BadRecord>| {
        let (number, byte, cells) = row?;
        let cell = |at: usize| cells.get(at).cloned();
        let text = cell(2).ok_or_else(|| BadRecord::new(number, byte, "fewer cells than columns"))?;
        Ok(Own { number, byte, id: cell(0), at: cell(1), text, attached: cell(3).is_some_and(|a| !a.is_empty()) })
    };
    Box::new(Rows::new(input, b',').skip(1).map(own))
}

/// `messages.json`, since.
fn of_list<'a>(input: Box<dyn BufRead + 'a>) -> Messages<'a> {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "PascalCase")]
    struct Item {
        #[serde(rename = "ID", deserialize_with = "lenient::text")]
        id: Option<String>,
        #[serde(deserialize_with = "lenient::text")]
        timestamp: Option<String>,
        #[serde(deserialize_with = "lenient::text")]
        contents: Option<String>,
        #[serde(deserialize_with = "lenient::text")]
        attachments: Option<String>,
    }
    Box::new(Pieces::new(input, &[]).filter_map(|piece| match piece {
        Err(bad) => Some(Err(bad)),
        Ok(Piece::Member { .. }) => None,
        Ok(Piece::Item { record, byte, value }) => Some(match json::<Item>(&value) {
            Err(Unreadable(reason)) => Err(BadRecord::new(record, byte, reason)),
            Ok(item) => Ok(Own {
                number: record,
                byte,
                id: item.id,
                at: item.timestamp,
                text: item.contents.unwrap_or_default(),
                attached: item.attachments.is_some_and(|a| !a.is_empty()),
            }),
        }),
    }))
}

/// Whether the file stands in the folder of a conversation: `c123…`, or `123…` before 2021-12.
fn is_conversation(place: &Place) -> bool {
    place.folder().is_some_and(|f| is_id(f.strip_prefix('c').unwrap_or(&f)))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Told {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    name: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    guild: Option<Guild>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Guild {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    name: Option<String>,
}

/// The conversation. One in a server that the person has left names no server.
fn channel(place: &Place) -> Channel {
    let told: Told = place.beside("channel.json").and_then(|bytes| json(&bytes).ok()).unwrap_or_default();
    let folder = place.folder().map(|f| f.strip_prefix('c').unwrap_or(&f).to_owned());
    let direct = match told.kind.as_deref() {
        Some(kind) => matches!(kind, "1" | "3" | "DM" | "GROUP_DM"),
        None => told.guild.is_none(),
    };
    let guild = told.guild.unwrap_or_default();
    Channel {
        guild_id: if direct { Some("0".to_owned()) } else { guild.id },
        guild: guild.name,
        id: told.id.or(folder).filter(|id| is_id(id)),
        name: told.name,
        parent: None,
    }
}

/// What the folder of the account is called in the languages of Discord.
const ACCOUNT: [&str; 16] = [
    "account",
    "Account",
    "Konto",
    "konto",
    "compte",
    "Compte",
    "cuenta",
    "Cuenta",
    "conta",
    "Conta",
    "Аккаунт",
    "アカウント",
    "계정",
    "帳號",
    "账号",
    "Hesap",
];

/// The account's name, or what stands for it.
fn owner(place: &Place) -> String {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct User {
        #[serde(deserialize_with = "lenient::text")]
        username: Option<String>,
        #[serde(deserialize_with = "lenient::text")]
        discriminator: Option<String>,
    }
    let user = ACCOUNT.iter().find_map(|folder| {
        let bytes = place.beside(&format!("../../{folder}/user.json"))?;
        json::<User>(&bytes).ok()
    });
    let user = user.unwrap_or_default();
    let number = user.discriminator.filter(|d| !d.trim_start_matches('0').is_empty());
    match (user.username, number) {
        (Some(name), Some(number)) => format!("{name}#{number}"),
        (Some(name), None) => name,
        // No account is called so: names have no spaces at their ends.
        (None, _) => "the owner of a data package".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::collect::files::tests::{context, reasons};

    #[test]
    fn a_package_in_any_language_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |path: &str| folder.path().join(path);
        for (path, text) in [
            ("Konto/user.json", r#"{"id":"7","username":"sam","discriminator":0}"#),
            ("Nachrichten/index.json", r#"{"1093300150000000000":"repair in Yard"}"#),
            (
                "Nachrichten/c1093300150000000000/channel.json",
                r#"{"id":"1093300150000000000","type":"GUILD_TEXT","name":"repair","guild":{"id":"11","name":"Yard"}}"#,
            ),
            (
                "Nachrichten/c1093300150000000000/messages.json",
                r#"[{"ID":1468310612869120001,"Timestamp":"2026-02-03 18:22:10","Contents":"flat **again**","Attachments":""}]"#,
            ),
            ("Nachrichten/c1093300150000000001/channel.json", r#"{"id":"1093300150000000001","type":0}"#),
            (
                "Nachrichten/c1093300150000000002/channel.json",
                r#"{"id":"1093300150000000002","type":"DM","recipients":["7","8"]}"#,
            ),
            (
                "Nachrichten/c1093300150000000002/messages.json",
                r#"[{"ID":1468310612869120003,"Timestamp":"2026-02-03 18:22:10","Contents":"psst","Attachments":""}]"#,
            ),
            (
                "Nachrichten/c1093300150000000001/messages.csv",
                "ID,Timestamp,Contents,Attachments\n1468310612869120002,2026-02-03 18:22:10.123000+00:00,\"hi\n\nthere\",\n",
            ),
        ] {
            fs::create_dir_all(at(path).parent().unwrap()).unwrap();
            fs::write(at(path), text).unwrap();
        }
        let read = |path: &str| -> Vec<_> {
            let place = Place::on_disk(&at(path));
            let text = fs::read_to_string(at(path)).unwrap();
            assert!(DiscordPackage.sniff(text.as_bytes(), &place), "{path}");
            DiscordPackage.read(Box::new(text.as_bytes()), &place, &context()).collect()
        };
        let found = read("Nachrichten/c1093300150000000000/messages.json");
        let [Ok(Record::Thread(thread)), Ok(Record::Post(post))] = &found[..] else { panic!("{found:?}") };
        assert_eq!((thread.community.as_str(), thread.title.as_str()), ("Yard", "repair"));
        assert_eq!((post.text.as_str(), &post.author), ("flat again", &context().author("discord", "sam")));
        let found = read("Nachrichten/c1093300150000000001/messages.csv");
        assert!(matches!(&found[1], Ok(Record::Post(p)) if p.text == "hi\n\nthere" && p.written_at.is_some()));
        assert_eq!(read("Nachrichten/c1093300150000000002/messages.json").len(), 1);
        assert_eq!(reasons(&read("Nachrichten/c1093300150000000002/messages.json")), ["direct message"]);
        for path in ["Konto/user.json", "Nachrichten/index.json", "Nachrichten/c1093300150000000000/channel.json"] {
            assert!(DiscordPackage.accompanies(&fs::read(at(path)).unwrap(), &Place::on_disk(&at(path))), "{path}");
        }
    }
}
