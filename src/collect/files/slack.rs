//! Slack's exports of a workspace, the dumps of slackdump, and bodies of its API (FORMATS d4).
//!
//! *Threads.* A message that was answered and its replies are a thread of their own, `slack:CHANNEL:TS` by the message's
//! time; what nobody answered by a reply stands in its channel's stream, the thread `slack:CHANNEL`. So a stream can later be
//! cut into conversations without touching what people put together themselves. Both are called by the channel's name.
//!
//! *Direct messages* of two or a few are no community's; they are left out. Private channels are read: they have members.
//!
//! *People* are told apart by their ids; nothing of `users.json` is kept but whether an account is a bot's.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::BufRead;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::pieces::{Piece, Pieces};
use super::shape::Shape;
use super::{BadRecord, Format, Place, Records, json};
use crate::collect::Context;
use crate::collect::wire::{DIRECT_MESSAGE, Record, Unreadable, clean, instant, is_future, lenient};
use crate::model::{AuthorKey, Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::mrkdwn::mrkdwn_to_text;

/// The format.
pub(super) struct SlackExport;

/// Kinds of messages that somebody wrote. All others are notices of Slack's.
const WRITTEN: [&str; 8] = [
    "bot_message",
    "me_message",
    "thread_broadcast",
    "reply_broadcast",
    "file_share",
    "file_comment",
    "slackbot_response",
    "assistant_app_thread",
];

/// Files at the top of an export that hold no messages.
const LISTS: [&str; 11] = [
    "channels.json",
    "groups.json",
    "dms.json",
    "mpims.json",
    "users.json",
    "org_users.json",
    "integration_logs.json",
    "canvases.json",
    "content_flags.json",
    "file_conversations.json",
    "lists.json",
];

#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""ts"\s*:\s*"\d{9,11}\.\d{6}""#).unwrap());

#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static KIND: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#""type"\s*:\s*"message""#).unwrap());

/// What an old export writes for a file: `… uploaded a file: <…> and commented: …`.
const COMMENTED: &str = " and commented: ";

impl Format for SlackExport {
    fn name(&self) -> &'static str {
        "Slack export"
    }

    fn sniff(&self, head: &[u8], place: &Place) -> bool {
        let text = String::from_utf8_lossy(head);
        let start = text.trim_start();
        let items = start.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{'));
        let dump = start.starts_with('{')
            && start.contains("\"messages\"")
            && ["\"channel_id\"", "\"has_more\"", "\"ok\""].iter().any(|key| start.contains(key));
        let messages = (items || dump) && KIND.is_match(start) && TIME.is_match(start);
        messages && !LISTS.contains(&place.name().as_str())
    }

    fn accompanies(&self, head: &[u8], place: &Place) -> bool {
        let start = head.trim_ascii_start();
        let name = place.name();
        let list = LISTS.contains(&name.as_str()) || name == "ref-channels.json";
        let in_export = place.has_beside("channels.json") || place.has_beside("users.json");
        // A day or a list of nothing.
        let nothing = head.trim_ascii() == b"[]" || head.trim_ascii() == b"null";
        let in_folder = place.has_beside("../channels.json") || place.has_beside("../users.json");
        matches!(start.first(), Some(b'[' | b'{')) && ((list && in_export) || (nothing && in_folder))
            || (nothing && list && in_export)
    }

    fn attached(&self, place: &Place) -> bool {
        let parts: Vec<_> = place.path().iter().map(|part| part.to_string_lossy()).collect();
        let uploads = parts.iter().rposition(|part| part == "__uploads");
        if let Some(at) = uploads {
            let up = "../".repeat(parts.len() - 1 - at);
            return ["channels.json", "users.json", "slackdump.sqlite"]
                .iter()
                .any(|name| place.has_beside(&format!("{up}{name}")));
        }
        let folder = place.folder().unwrap_or_default();
        (folder == "attachments" && place.has_beside("../../channels.json"))
            || (is_channel(&folder) && place.has_beside(&format!("../{folder}.json")))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let mut input = input;
        let is_list = loop {
            // The first byte that is no white space tells a day of an export from a dump.
            match input.fill_buf() {
                Ok([first, ..]) if first.is_ascii_whitespace() => input.consume(1),
                Ok(bytes) => break bytes.first() == Some(&b'['),
                Err(_) => break false,
            }
        };
        let mut pieces = Pieces::new(input, if is_list { &[] } else { &["messages"] });
        let (mut file, mut document) = (File::new(place, ctx), 0);
        let mut waiting = Vec::new().into_iter();
        Box::new(std::iter::from_fn(move || {
            loop {
                if let Some(found) = waiting.next() {
                    return Some(found);
                }
                let next = pieces.next()?;
                if pieces.document() != document {
                    (file, document) = (File::new(place, ctx), pieces.document());
                }
                let (record, byte, value) = match next {
                    Err(bad) => return Some(Err(bad)),
                    Ok(Piece::Item { record, byte, value }) => (record, byte, value),
                    Ok(Piece::Member { key, value }) => {
                        file.member(&key, &value);
                        continue;
                    }
                };
                let found = json::<Message>(&value).map_or_else(|bad| vec![Err(bad)], |message| file.records(message));
                let bad = |Unreadable(reason)| BadRecord::new(record, byte, reason);
                waiting = found.into_iter().map(|found| found.map_err(bad)).collect::<Vec<_>>().into_iter();
            }
        }))
    }
}

/// What to do with slackdump's archives, which hold an export in another shape.
pub(super) const ARCHIVE: &str = "an archive of slackdump; turn it into an export first: slackdump convert -f export";

/// Whether a file is part of such an archive: its database, or pieces of what Slack's API answered.
pub(super) fn is_archive(head: &[u8], place: &Place) -> bool {
    let shape = Shape::of(head);
    let number = |key| shape.value(key).is_some_and(|value| value.parse::<i64>().is_ok());
    place.name() == "slackdump.sqlite" || (number("t") && number("ts") && number("n"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    #[serde(deserialize_with = "lenient::text")]
    subtype: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    user: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    bot_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    username: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    text: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    ts: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    thread_ts: Option<String>,
    #[serde(deserialize_with = "lenient::shape")]
    edited: Option<Edited>,
    /// Of a `file_comment` in the old schema.
    #[serde(deserialize_with = "lenient::shape")]
    comment: Option<Comment>,
    files: Value,
    file: Value,
    attachments: Value,
    blocks: Value,
    slackdump_thread_replies: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Edited {
    #[serde(deserialize_with = "lenient::text")]
    ts: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Comment {
    #[serde(deserialize_with = "lenient::text")]
    comment: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    user: Option<String>,
}

/// The file that is read, and what its export says beside it.
struct File<'a> {
    ctx: &'a Context,
    community: String,
    /// Id of the channel; its name where the export does not say the id.
    channel: String,
    name: String,
    /// Whether it is a conversation of two or a few.
    direct: bool,
    bots: Rc<HashSet<String>>,
    channels: Rc<Channels>,
    /// Whether a post was given out.
    told: bool,
}

impl<'a> File<'a> {
    fn new(place: &Place, ctx: &'a Context) -> Self {
        let users = ["../users.json", "../org_users.json", "users.json"].into_iter().find(|n| place.has_beside(n));
        let lists = ["../channels.json", "../groups.json", "../mpims.json", "../dms.json"];
        let channels = CHANNELS.with(|known| known.borrow_mut().of(place, &lists, Channels::new));
        let bots = BOTS.with(|known| known.borrow_mut().of(place, users.as_slice(), bots));
        let stem = place.name().split('.').next().unwrap_or_default().to_owned();
        let folder = place.folder().unwrap_or_default();
        // A dump is called by its channel, a day of an export lies in a folder that is.
        let is_day = stem.len() == 10 && stem.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let id_of_stem = stem.split(['-', '_']).next().filter(|s| is_channel(s)).map(str::to_owned);
        let name = if is_day { folder } else { id_of_stem.unwrap_or(stem) };
        let channel = channels.ids.get(&name).cloned().unwrap_or_else(|| name.clone());
        let direct = is_direct(&name) || is_direct(&channel);
        let name = channels.names.get(&channel).cloned().unwrap_or(name);
        Self { ctx, community: community(place, ctx, is_day), channel, name, direct, bots, channels, told: false }
    }

    fn member(&mut self, key: &str, value: &[u8]) {
        let text = json::<String>(value).ok().filter(|text| !text.is_empty());
        match (key, text) {
            _ if self.told => {}
            ("channel_id", Some(id)) => {
                self.direct |= is_direct(&id);
                self.channel = id;
            }
            ("name", Some(name)) => {
                self.direct |= is_direct(&name);
                self.name = name;
            }
            _ => {}
        }
    }

    /// A message with its answers. One that cannot be read costs no other.
    fn records(&mut self, mut message: Message) -> Vec<Result<Record, Unreadable>> {
        let replies = std::mem::take(&mut message.slackdump_thread_replies);
        let replies = replies.as_array().into_iter().flatten();
        let replies = replies.map(|reply| Message::deserialize(reply).map_err(|error| Unreadable::json(&error)));
        let mut found = Vec::new();
        for message in std::iter::once(Ok(message)).chain(replies) {
            match message.and_then(|message| self.record(message)) {
                Ok(records) => found.extend(records.into_iter().map(Ok)),
                Err(unreadable) => found.push(Err(unreadable)),
            }
        }
        found
    }

    fn record(&mut self, message: Message) -> Result<Vec<Record>, Unreadable> {
        let is_time = |ts: &String| ts.split_once('.').is_some_and(|(s, f)| is_number(s) && is_number(f));
        let ts =
            message.ts.clone().filter(is_time).ok_or_else(|| Unreadable("a message without a usable ts".to_owned()))?;
        if self.direct {
            // Their channel may be called by the people in it.
            return Ok(vec![Record::Skipped { id: format!("slack:{ts}"), reason: DIRECT_MESSAGE }]);
        }
        let id = format!("slack:{}:{ts}", self.channel);
        let subtype = message.subtype.as_deref().unwrap_or_default();
        if subtype == "tombstone" {
            return Ok(vec![Record::Removed(PostId::new(id))]);
        }
        if !subtype.is_empty() && !WRITTEN.contains(&subtype) {
            return Ok(vec![Record::Skipped { id, reason: "system message" }]);
        }
        let (words, commenter) = own_words(&message, subtype);
        let plain = mrkdwn_to_text(&words, |id| self.channels.names.get(id).cloned());
        let text = clean(plain.text);
        if text.is_empty() {
            let holds = |value: &Value| value.as_array().map_or(value.is_object(), |items| !items.is_empty());
            let reason = match () {
                () if plain.quoted => "only quotes others",
                () if holds(&message.files) || holds(&message.file) => "only a file",
                () if holds(&message.attachments) => "only attachments",
                () if holds(&message.blocks) => "only blocks of an app",
                () => "empty",
            };
            return Ok(vec![Record::Skipped { id, reason }]);
        }
        let root = message.thread_ts.clone().filter(is_time);
        let thread = self.thread(root.as_deref());
        let by_bot = message.bot_id.is_some() || matches!(subtype, "bot_message" | "slackbot_response");
        let handle = commenter.or(message.user).or(message.bot_id).or(message.username).unwrap_or_default();
        let written_at = time(&ts);
        self.told = true;
        let told = Record::Thread(thread.clone());
        let people = self.spoken_to(&words);
        let post = Post {
            thread: thread.id,
            parent: root.filter(|root| *root != ts).map(|root| PostId::new(format!("slack:{}:{root}", self.channel))),
            source: Source::Slack,
            community: self.community.clone(),
            author: self.ctx.author("slack", &handle),
            written_at,
            edited_at: message.edited.and_then(|e| time(&e.ts?)),
            url: None,
            text,
            flags: PostFlags {
                bot: by_bot || handle == "USLACKBOT" || self.bots.contains(&handle),
                quoted: plain.quoted,
                future: is_future(written_at, self.ctx.now),
            },
            id: PostId::new(id),
        };
        let spoken_to = (!people.is_empty()).then(|| Record::Mentions { post: post.id.clone(), people });
        Ok([told, Record::Post(post)].into_iter().chain(spoken_to).collect())
    }

    /// Whom a message speaks to by choosing them: `<@U1>`, `<@U1|sam>`.
    fn spoken_to(&self, words: &str) -> Vec<AuthorKey> {
        let ids = words.split("<@").skip(1).filter_map(|rest| rest.split(['>', '|']).next());
        let ids = ids.filter(|id| id.starts_with(['U', 'W']) && id.bytes().all(|b| b.is_ascii_alphanumeric()));
        ids.filter_map(|id| self.ctx.author("slack", id)).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The stream of the channel, or the thread under the message of `root`.
    fn thread(&self, root: Option<&str>) -> Thread {
        let channel = &self.channel;
        Thread {
            id: ThreadId::new(root.map_or_else(|| format!("slack:{channel}"), |ts| format!("slack:{channel}:{ts}"))),
            source: Source::Slack,
            community: self.community.clone(),
            title: clean(self.name.clone()),
            url: None,
            started_at: root.and_then(time),
        }
    }
}

/// What the author typed, and who that is where the message is not by its `user`.
fn own_words(message: &Message, subtype: &str) -> (String, Option<String>) {
    let text = message.text.clone().unwrap_or_default();
    if subtype == "file_comment"
        && let Some(Comment { comment: Some(words), user }) = &message.comment
    {
        return (words.clone(), user.clone());
    }
    // In the old schema the words are Slack's, with what was typed at their end.
    let old_share =
        subtype == "file_share" && (text.contains("> uploaded a file: ") || text.contains("> shared a file: "));
    if old_share {
        return (text.split_once(COMMENTED).map(|(_, words)| words.to_owned()).unwrap_or_default(), None);
    }
    (text, None)
}

fn is_number(text: &str) -> bool {
    (1..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn time(ts: &str) -> Option<jiff::Timestamp> {
    instant(ts.parse().ok()?)
}

/// Whether `text` is the id of a channel, a group or a conversation of two.
fn is_channel(text: &str) -> bool {
    text.len() >= 9
        && text.starts_with(['C', 'D', 'G'])
        && text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

/// Whether a conversation of this id or name is one of two or a few, who write to one another only: `D0123ABCD`,
/// `mpdm-alice--bob-1`.
fn is_direct(channel: &str) -> bool {
    channel.starts_with("mpdm-") || (channel.starts_with('D') && is_channel(channel))
}

/// The workspace's name: that of the archive or the folder of the export, `NAME Slack export …` as Slack calls it.
fn community(place: &Place, ctx: &Context, is_day: bool) -> String {
    let up = if is_day { place.folder_above() } else { place.folder() };
    let name = ctx.community.clone().or(up).unwrap_or_default();
    let name = name.split(" Slack export").next().unwrap_or_default().trim();
    clean(if name.is_empty() { "slack" } else { name }.to_owned())
}

/// The ids of bots that an export lists.
fn bots(lists: &[Rc<[u8]>]) -> HashSet<String> {
    let users = lists.iter().filter_map(|bytes| json::<Vec<Value>>(bytes).ok()).flatten();
    let is_bot = |user: &Value| user["is_bot"].as_bool() == Some(true) || user["profile"]["bot_id"].is_string();
    users.filter(is_bot).filter_map(|user| user["id"].as_str().map(str::to_owned)).collect()
}

/// The channels that an export lists.
#[derive(Default)]
struct Channels {
    /// Id by the name of the folder.
    ids: HashMap<String, String>,
    /// Name by id, without conversations of a few, which are called by them.
    names: HashMap<String, String>,
}

impl Channels {
    fn new(lists: &[Rc<[u8]>]) -> Self {
        let mut channels = Self::default();
        for channel in lists.iter().filter_map(|bytes| json::<Vec<Value>>(bytes).ok()).flatten() {
            let Some(id) = channel["id"].as_str() else { continue };
            let folder = channel["name"].as_str().filter(|n| !n.is_empty()).unwrap_or(id);
            channels.ids.insert(folder.to_owned(), id.to_owned());
            if !is_direct(id) && !is_direct(folder) {
                channels.names.insert(id.to_owned(), folder.to_owned());
            }
        }
        channels
    }
}

/// What was last made of lists, so that an export of a thousand days does not read its lists a thousand times.
struct Last<T> {
    /// Where the lists are, and how long.
    of: Vec<(PathBuf, u64)>,
    made: Option<Rc<T>>,
}

impl<T> Last<T> {
    /// What `make` makes of the lists of these names beside `place`.
    fn of(&mut self, place: &Place, names: &[&str], make: impl Fn(&[Rc<[u8]>]) -> T) -> Rc<T> {
        let of: Vec<_> = names.iter().filter_map(|name| place.mark_beside(name)).collect();
        match &self.made {
            Some(made) if self.of == of => made.clone(),
            _ => {
                self.of = of;
                let lists: Vec<_> = names.iter().filter_map(|name| place.beside(name)).collect();
                self.made.insert(Rc::new(make(&lists))).clone()
            }
        }
    }
}

thread_local! {
    static BOTS: RefCell<Last<HashSet<String>>> = const { RefCell::new(Last { of: Vec::new(), made: None }) };
    static CHANNELS: RefCell<Last<Channels>> = const { RefCell::new(Last { of: Vec::new(), made: None }) };
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::collect::files::tests::{context, read_text, reasons};

    const DAY: &str = r#"[
    {"type":"message","user":"U1AAAAAAA","text":"flat *again* <@U2BBBBBBB|kim> and @sam.b","ts":"1736478514.897649","edited":{"user":"U1","ts":"1736478600.000000"}},
    {"type":"message","user":"U2BBBBBBB","text":"who has the pump?","ts":"1736478630.905399","thread_ts":"1736478630.905399","reply_count":1},
    {"type":"message","user":"U1AAAAAAA","text":"&gt; who\nme","ts":"1736478640.000001","thread_ts":"1736478630.905399"},
    {"type":"message","subtype":"thread_broadcast","user":"U1AAAAAAA","text":"in <#C1AAAAAAA>","ts":"1736478641.000001","thread_ts":"1736478630.905399"},
    {"type":"message","subtype":"channel_join","user":"U3","text":"<@U3> has joined","ts":"1736478650.000001"},
    {"type":"message","subtype":"bot_message","bot_id":"B1","text":"build ok","ts":"1736478660.000001"},
    {"type":"message","subtype":"file_share","user":"U1AAAAAAA","text":"<@U1AAAAAAA|sam> uploaded a file: <https://x.example|a.png> and commented: see here","ts":"1736478661.000001","file":{"id":"F1"}},
    {"type":"message","subtype":"file_share","user":"U1AAAAAAA","text":"<@U1AAAAAAA|sam> uploaded a file: <https://x.example|a.png>","ts":"1736478662.000001","file":{"id":"F1"}},
    {"type":"message","subtype":"tombstone","user":"USLACKBOT","text":"This message was deleted.","ts":"1736478663.000001"},
    {"type":"message","user":"U1AAAAAAA","text":"no ts"}
]"#;

    fn export() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("Yard Slack export Jan 1 2025/channels.json", r#"[{"id":"C1AAAAAAA","name":"repair"}]"#),
            (
                "Yard Slack export Jan 1 2025/users.json",
                r#"[{"id":"U1AAAAAAA","name":"sam.b","profile":{}},{"id":"U2BBBBBBB","name":"kim","is_bot":true}]"#,
            ),
            ("Yard Slack export Jan 1 2025/dms.json", "[]"),
            ("Yard Slack export Jan 1 2025/repair/2025-01-10.json", DAY),
            ("Yard Slack export Jan 1 2025/repair/attachments/F1-x.json", DAY),
            ("Yard Slack export Jan 1 2025/__uploads/F1/posts.jsonl", "{\"id\":1,\"text\":\"a\"}"),
        ] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_day_of_a_channel_is_a_stream_with_threads_beside_it() {
        let folder = export();
        let path = folder.path().join("Yard Slack export Jan 1 2025/repair/2025-01-10.json");
        let place = Place::on_disk(&path);
        assert!(SlackExport.sniff(DAY.as_bytes(), &place));
        let context = context();
        let read = SlackExport.read(Box::new(DAY.as_bytes()), &place, &context);
        let found: Vec<_> = read.map(|record| record.map(Record::unnamed)).collect();
        let posts: Vec<_> =
            found.iter().filter_map(|r| if let Ok(Record::Post(p)) = r { Some(p) } else { None }).collect();
        let told: Vec<_> = posts.iter().map(|p| (p.thread.as_str(), p.text.as_str(), p.flags.bot)).collect();
        let want = [
            ("slack:C1AAAAAAA", "flat again @user and @user", false),
            ("slack:C1AAAAAAA:1736478630.905399", "who has the pump?", true),
            ("slack:C1AAAAAAA:1736478630.905399", "me", false),
            ("slack:C1AAAAAAA:1736478630.905399", "in #repair", false),
            ("slack:C1AAAAAAA", "build ok", true),
            ("slack:C1AAAAAAA", "see here", false),
        ];
        assert_eq!(told, want);
        assert_eq!(posts[2].parent.as_ref(), Some(&posts[1].id));
        assert_eq!((posts[1].parent.as_ref(), posts[1].id.as_str()), (None, "slack:C1AAAAAAA:1736478630.905399"));
        assert_eq!((posts[0].community.as_str(), posts[0].edited_at.is_some()), ("Yard", true));
        assert_eq!(posts[0].author, context.author("slack", "U1AAAAAAA"));
        assert_eq!(reasons(&found), ["system message", "only a file", "a message without a usable ts"]);
        assert!(
            found.iter().any(|r| matches!(r, Ok(Record::Removed(id)) if id.as_str().ends_with("1736478663.000001")))
        );
    }

    #[test]
    fn what_goes_with_an_export_is_no_export() {
        let folder = export();
        let place = |path: &str| Place::on_disk(&folder.path().join("Yard Slack export Jan 1 2025").join(path));
        for path in ["channels.json", "users.json", "dms.json"] {
            assert!(SlackExport.accompanies(&fs::read(place(path).path()).unwrap(), &place(path)), "{path}");
        }
        assert!(SlackExport.accompanies(b"[]", &place("repair/2025-01-11.json")));
        assert!(SlackExport.attached(&place("__uploads/F1/posts.jsonl")));
        assert!(SlackExport.attached(&place("repair/attachments/F1-x.json")));
        assert!(!SlackExport.attached(&place("repair/2025-01-10.json")));
    }

    #[test]
    fn what_people_write_in_private_is_no_communitys() {
        let said = r#"[{"type":"message","user":"U1","text":"psst","ts":"1736478630.905399"}]"#;
        let dump = |id: &str, name: &str| format!(r#"{{"channel_id":"{id}","name":"{name}","messages":{said}}}"#);
        for (text, path) in [
            (dump("G1AAAAAAA", "mpdm-alice--bob-1"), "G1AAAAAAA.json"),
            (dump("D1AAAAAAA", ""), "D1AAAAAAA.json"),
            (said.to_owned(), "mpdm-alice--bob-1/2025-01-10.json"),
            (said.to_owned(), "mpdm-alice--bob-1.json"),
            (said.to_owned(), "D1AAAAAAA/2025-01-10.json"),
        ] {
            let found = read_text(&SlackExport, &text, path);
            assert!(found.len() == 1 && reasons(&found) == ["direct message"], "{path}: {found:?}");
            assert!(!format!("{found:?}").contains("alice"), "{found:?}");
        }
        let folder = export();
        let root = folder.path().join("Yard Slack export Jan 1 2025");
        fs::write(root.join("mpims.json"), r#"[{"id":"G1AAAAAAA","name":"mpdm-alice--bob-1"}]"#).unwrap();
        let place = Place::on_disk(&root.join("mpdm-alice--bob-1/2025-01-10.json"));
        let found: Vec<_> = SlackExport.read(Box::new(said.as_bytes()), &place, &context()).collect();
        assert_eq!(reasons(&found), ["direct message"]);
    }

    #[test]
    fn a_reply_that_cannot_be_read_costs_no_other() {
        let text = r#"{"channel_id":"C1AAAAAAA","name":"repair","messages":[{"type":"message","user":"U1","text":"a","ts":"1736478630.905399","thread_ts":"1736478630.905399","slackdump_thread_replies":[{"type":"message","user":"U2","text":"no ts"},{"type":"message","edited":7},{"type":"message","user":"U2","text":"b","ts":"1736478640.905399","thread_ts":"1736478630.905399"}]}]}"#;
        let found = read_text(&SlackExport, text, "C1AAAAAAA.json");
        let posts = found.iter().filter(|r| matches!(r, Ok(Record::Post(_)))).count();
        assert_eq!((posts, reasons(&found).len()), (2, 2), "{found:?}");
    }

    #[test]
    fn an_archive_of_slackdump_is_told_from_other_files() {
        let is = |head: &str, name: &str| is_archive(head.as_bytes(), &Place::on_disk(std::path::Path::new(name)));
        let chunk = r#"{"t":0,"ts":1736478514,"id":"C0123ABCD","n":1,"m":[{"type":"message","text":"it drips"}]}"#;
        assert!(is(chunk, "C0123ABCD.json.gz") && is("", "slackdump.sqlite"));
        assert!(!is(r#"{"t":"a","ts":1,"n":2}"#, "x.json") && !is("", "x.sqlite"));
    }

    #[test]
    fn one_odd_field_costs_no_message() {
        let text =
            r#"[{"type":"message","user":"U1","text":"it drips","ts":"1736478514.897649","edited":"x","comment":7}]"#;
        let found = read_text(&SlackExport, text, "Yard/repair/2025-01-10.json");
        assert!(matches!(&found[1], Ok(Record::Post(post)) if post.text == "it drips"), "{found:?}");
        let odd = Unreadable::json(&serde_json::from_str::<u8>("\"secret\"").unwrap_err());
        assert!(!odd.0.contains("secret") && odd.0.contains("export it again"), "{odd}");
    }

    #[test]
    fn lists_are_read_once() {
        let folder = export();
        let root = folder.path().join("Yard Slack export Jan 1 2025");
        let place = Place::on_disk(&root.join("repair/2025-01-10.json"));
        let mut last = Last { of: Vec::new(), made: None };
        let mut read = || last.of(&place, &["../channels.json", "../groups.json"], |lists| lists.to_vec());
        assert_eq!(read().len(), 1);
        let length = fs::metadata(root.join("channels.json")).unwrap().len();
        fs::write(root.join("channels.json"), " ".repeat(usize::try_from(length).unwrap())).unwrap();
        assert_eq!(read()[0][0], b'[', "as long as it is as long");
        fs::write(root.join("channels.json"), "[]").unwrap();
        assert_eq!(&*read()[0], b"[]");
    }

    #[test]
    fn a_dump_brings_its_replies_with_it() {
        let text = r#"{"channel_id":"C1AAAAAAA","name":"repair","messages":[{"type":"message","user":"U1","text":"a","ts":"1736478630.905399","thread_ts":"1736478630.905399","slackdump_thread_replies":[{"type":"message","user":"U2","text":"b","ts":"1736478640.905399","thread_ts":"1736478630.905399"}]}]}"#;
        assert!(SlackExport.sniff(text.as_bytes(), &Place::on_disk(std::path::Path::new("C1AAAAAAA.json"))));
        let found = read_text(&SlackExport, text, "C1AAAAAAA.json");
        let [Ok(Record::Thread(thread)), Ok(Record::Post(one)), Ok(Record::Thread(_)), Ok(Record::Post(two))] =
            &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!((thread.title.as_str(), two.parent.as_ref()), ("repair", Some(&one.id)));
    }
}
