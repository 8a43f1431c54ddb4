//! Exports of any size, made of invented records: the same sentences in ever new order, ids that count.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Result;
use jiff::Timestamp;

/// How an export is read.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    /// By the reading half of `candor collect`.
    Read,
    /// By all of it, into a store.
    Collect,
    /// By `candor crm import`, into a store.
    Import,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Collect => "collect",
            Self::Import => "import",
        }
    }
}

/// How a file is packed.
#[derive(Clone, Copy)]
pub(crate) enum Packing {
    None,
    /// As `zstd` packs.
    Zstd,
    /// As Reddit's dumps are: with a window of 2 GiB, which whoever unpacks must hold.
    ZstdLong,
}

/// An export's layout.
pub(crate) struct Export {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) way: Way,
    pub(crate) packing: Packing,
    head: &'static str,
    between: &'static str,
    tail: &'static str,
    /// The record of a number, which counts from 1.
    record: fn(&mut String, u64),
}

const SENTENCES: [&str; 24] = [
    "The pump stops every night and nobody can say why.",
    "We write each job on paper first and type it in again on Friday.",
    "Has anybody got the new board to keep its settings?",
    "I tried the older driver — no luck, the same error after an hour.",
    "Support told us to wait for the next release, which was in spring.",
    "It costs us half a day a week, for two people.",
    "Honestly the export is the only part that works well.",
    "We went back to the whiteboard and it’s faster.",
    "The café next door had the same trouble with its till.",
    "Whoever moves a visit has to call three people.",
    "Does the phone keep what I enter when there is no signal?",
    "My brother in law wrote a little script that renames the files.",
    "There is a setting for it, but it only shows up for the owner.",
    "Third time this month that the invoice went out twice.",
    "Thanks, that did it!",
    "The parts list is right in one place and wrong in the other.",
    "We looked at two others and both wanted a year in advance.",
    "Nobody reads the manual, me included.",
    "It drips when it is cold and it drips when it is warm.",
    "Can you share the template you use for quotes?",
    "The technician’s hours never match what payroll gets.",
    "I would pay for this if it only remembered the address.",
    "After the update all the colours were gone.",
    "Same here, since last Tuesday.",
];

/// A number that looks drawn, from a counter.
fn mixed(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 31)
}

/// One to eight sentences, with the number in their midst so that no two texts are the same.
fn text(n: u64) -> String {
    let drawn = mixed(n);
    let count = drawn % 8 + 1;
    let mut text = String::with_capacity(600);
    for i in 0..count {
        text.push_str(SENTENCES[(mixed(drawn ^ i) % 24) as usize]);
        text.push(' ');
    }
    let _ = write!(text, "That was job {n}.");
    text
}

/// Seconds since 1970, growing with the number.
fn seconds(n: u64) -> u64 {
    1_400_000_000 + n * 17
}

fn date(n: u64) -> String {
    Timestamp::from_second(seconds(n).cast_signed()).unwrap_or_default().to_string()
}

/// Who wrote it.
fn person(n: u64) -> u64 {
    mixed(n) % 20_000
}

/// What it answers: one of the last records.
fn above(n: u64) -> u64 {
    n.saturating_sub(mixed(n) % 20 + 1).max(1)
}

fn slack(out: &mut String, n: u64) {
    let root =
        if n.is_multiple_of(3) { format!(r#","thread_ts":"{}.000100""#, seconds(n - n % 30)) } else { String::new() };
    let _ = write!(
        out,
        r#"{{"client_msg_id":"{:032x}","type":"message","user":"U0{}","text":"{}","ts":"{}.000100","team":"T01"{root},"blocks":[]}}"#,
        mixed(n),
        person(n),
        text(n),
        seconds(n),
    );
}

fn discord_json(out: &mut String, n: u64) {
    let id = n + 1_000_000_000_000_000;
    let (kind, reference) = match n % 5 {
        0 => (
            "Reply",
            format!(
                r#","reference":{{"messageId":"{}","channelId":"22","guildId":"11"}}"#,
                above(n) + 1_000_000_000_000_000
            ),
        ),
        _ => ("Default", String::new()),
    };
    let _ = write!(
        out,
        r#"{{"id":"{id}","type":"{kind}","timestamp":"{}","timestampEdited":null,"callEndedTimestamp":null,"isPinned":false,"content":"{}","author":{{"id":"{p}","name":"user{p}","discriminator":"0000","nickname":"User {p}","color":null,"isBot":false,"roles":[],"avatarUrl":"https://cdn.example/{p}.png"}},"attachments":[],"embeds":[],"stickers":[],"reactions":[],"mentions":[]{reference},"inlineEmojis":[]}}"#,
        date(n),
        text(n),
        p = person(n),
    );
}

fn discord_csv(out: &mut String, n: u64) {
    let p = person(n);
    let _ = write!(out, "\"{p}\",\"user{p}\",\"{}\",\"{}\",\"\",\"\"", date(n), text(n));
}

fn discord_txt(out: &mut String, n: u64) {
    let at = date(n);
    let _ = write!(out, "[{}/{}/{} {}] user{}\n{}\n", &at[8..10], &at[5..7], &at[..4], &at[11..16], person(n), text(n));
}

fn discord_html(out: &mut String, n: u64) {
    let (id, p) = (n + 1_000_000_000_000_000, person(n));
    let _ = write!(
        out,
        "<div class=chatlog__message-group><div id=chatlog__message-container-{id} class=chatlog__message-container data-message-id={id}><div class=chatlog__message><div class=chatlog__message-aside><img class=chatlog__avatar src=\"https://cdn.example/{p}.png\" alt=Avatar loading=lazy></div><div class=chatlog__message-primary><div class=chatlog__header><span class=chatlog__author title=user{p} data-user-id={p}>User {p}</span> <span class=chatlog__timestamp title=\"{at}\"><a href=#chatlog__message-container-{id}>{at}</a></span></div><div class=\"chatlog__content chatlog__markdown\"><span class=chatlog__markdown-preserve>{}</span></div></div></div></div></div>",
        text(n),
        at = date(n),
    );
}

/// A comment, or every twelfth time a submission.
fn reddit(out: &mut String, n: u64) {
    let link = n - n % 12;
    if n.is_multiple_of(12) {
        let _ = write!(
            out,
            r#"{{"id":"s{n}","name":"t3_s{n}","subreddit":"pumps","subreddit_id":"t5_p","author":"user{}","title":"It drips, job {n}","selftext":"{}","created_utc":{},"score":{},"num_comments":11,"permalink":"/r/pumps/comments/s{n}/it_drips/","url":"https://www.reddit.com/r/pumps/comments/s{n}/it_drips/","is_self":true,"over_18":false,"edited":false}}"#,
            person(n),
            text(n),
            seconds(n),
            n % 90,
        );
        return;
    }
    let parent = if n.is_multiple_of(3) { format!("t1_c{}", n - 1) } else { format!("t3_s{link}") };
    let _ = write!(
        out,
        r#"{{"id":"c{n}","name":"t1_c{n}","subreddit":"pumps","subreddit_id":"t5_p","author":"user{}","body":"{}","link_id":"t3_s{link}","parent_id":"{parent}","created_utc":{},"score":{},"controversiality":0,"gilded":0,"distinguished":null,"edited":false,"stickied":false,"permalink":"/r/pumps/comments/s{link}/it_drips/c{n}/"}}"#,
        person(n),
        text(n),
        seconds(n),
        n % 90,
    );
}

fn stack_posts(out: &mut String, n: u64) {
    let question = n - n % 3;
    let at = &date(n)[..19];
    let kind = if n == question {
        format!(r#"PostTypeId="1" Title="Why does it drip, job {n}" Tags="&lt;pumps&gt;" AnswerCount="2""#)
    } else {
        format!(r#"PostTypeId="2" ParentId="{question}""#)
    };
    let _ = write!(
        out,
        r#"  <row Id="{n}" {kind} CreationDate="{at}.000" Score="{}" ViewCount="10" Body="&lt;p&gt;{}&lt;/p&gt;&#xA;&lt;p&gt;{}&lt;/p&gt;&#xA;" OwnerUserId="{}" LastActivityDate="{at}.000" CommentCount="0" ContentLicense="CC BY-SA 4.0" />"#,
        n % 40,
        text(n),
        text(n + 1),
        person(n),
    );
}

fn stack_comments(out: &mut String, n: u64) {
    let _ = write!(
        out,
        r#"  <row Id="{n}" PostId="{}" Score="0" Text="{}" CreationDate="{}.000" UserId="{}" ContentLicense="CC BY-SA 4.0" />"#,
        n / 4 + 1,
        text(n),
        &date(n)[..19],
        person(n),
    );
}

fn mbox(out: &mut String, n: u64) {
    let at = Timestamp::from_second(seconds(n).cast_signed()).unwrap_or_default();
    let (p, answers) = (person(n), !n.is_multiple_of(4));
    let reply = if answers {
        format!("In-Reply-To: <m{0}@mail.example>\nReferences: <m{0}@mail.example>\n", above(n))
    } else {
        String::new()
    };
    let re = if answers { "Re: " } else { "" };
    let _ = write!(
        out,
        "From user{p}@firm.example {}\nMessage-ID: <m{n}@mail.example>\n{reply}From: User {p} <user{p}@firm.example>\nTo: pumps@lists.example\nSubject: {re}Job {}\nDate: {}\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\nList-Id: Pumps <pumps.lists.example>\n\n{}\n{}\n",
        at.strftime("%a %b %e %H:%M:%S %Y"),
        n - n % 4,
        at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        text(n),
        text(n + 1),
    );
}

fn telegram(out: &mut String, n: u64) {
    let reply = if n.is_multiple_of(5) { format!(r#","reply_to_message_id":{}"#, above(n)) } else { String::new() };
    let _ = write!(
        out,
        r#"{{"id":{n},"type":"message","date":"{}","date_unixtime":"{}","from":"User {p}","from_id":"user{p}"{reply},"text":"{t}","text_entities":[{{"type":"plain","text":"{t}"}}]}}"#,
        &date(n)[..19],
        seconds(n),
        p = person(n),
        t = text(n),
    );
}

fn mattermost(out: &mut String, n: u64) {
    let replies = if n.is_multiple_of(4) {
        format!(
            r#"[{{"user":"user{}","message":"{}","create_at":{},"flagged_by":[],"reactions":[]}}]"#,
            person(n + 1),
            text(n + 1),
            seconds(n) * 1000 + 60_000
        )
    } else {
        "[]".to_owned()
    };
    let _ = write!(
        out,
        r#"{{"type":"post","post":{{"team":"pumps","channel":"channel{}","user":"user{}","type":"","message":"{}","props":{{}},"create_at":{},"edit_at":0,"flagged_by":[],"reactions":[],"replies":{replies},"attachments":[]}}}}"#,
        n % 12,
        person(n),
        text(n),
        seconds(n) * 1000,
    );
}

fn rocket_chat(out: &mut String, n: u64) {
    let thread = if n.is_multiple_of(4) { format!(r#","tmid":"m{}""#, n - n % 40) } else { String::new() };
    let _ = write!(
        out,
        r#"{{"_id":"m{n}","rid":"room1","msg":"{}","ts":"{at}","u":{{"_id":"u{p}","username":"user{p}","name":"User {p}"}},"_updatedAt":"{at}","urls":[],"mentions":[],"channels":[],"md":[]{thread}}}"#,
        text(n),
        at = date(n),
        p = person(n),
    );
}

fn hacker_news(out: &mut String, n: u64) {
    if n.is_multiple_of(10) {
        let _ = write!(
            out,
            r#"{{"by":"user{}","descendants":9,"id":{n},"score":{},"time":{},"title":"Ask: job {n}","text":"{}","type":"story"}}"#,
            person(n),
            n % 90,
            seconds(n),
            text(n),
        );
        return;
    }
    let _ = write!(
        out,
        r#"{{"by":"user{}","id":{n},"parent":{},"text":"{}<p>{}","time":{},"type":"comment"}}"#,
        person(n),
        n - 1,
        text(n),
        text(n + 1),
        seconds(n),
    );
}

fn plain_lines(out: &mut String, n: u64) {
    let _ = write!(
        out,
        r#"{{"id":"{n}","text":"{}","author":"user{}","written_at":"{}","thread":"t{}","community":"pumps"}}"#,
        text(n),
        person(n),
        date(n),
        n / 12,
    );
}

fn table(out: &mut String, n: u64) {
    let _ = write!(out, "{n},user{},{},t{},\"{}\"", person(n), date(n), n / 12, text(n));
}

fn json_table(out: &mut String, n: u64) {
    let _ = write!(
        out,
        r#"{{"post_id":{n},"author":{{"name":"user{}"}},"created_at":"{}","thread_id":"t{}","content":"{}"}}"#,
        person(n),
        date(n),
        n / 12,
        text(n),
    );
}

fn discourse(out: &mut String, n: u64) {
    let p = person(n);
    let reply = if n.is_multiple_of(3) { above(n).to_string() } else { "null".to_owned() };
    let _ = write!(
        out,
        r#"{{"id":{},"name":"User {p}","username":"user{p}","avatar_template":"/letter/{p}.png","created_at":"{at}","cooked":"<p>{}</p>\n<p>{}</p>","post_number":{n},"post_type":1,"updated_at":"{at}","reply_count":0,"reply_to_post_number":{reply},"quote_count":0,"reads":10,"score":2.0,"topic_id":7,"topic_slug":"it-drips","trust_level":1,"moderator":false,"admin":false,"staff":false,"user_id":{p},"hidden":false,"deleted_at":null,"user_deleted":false}}"#,
        n + 100,
        text(n),
        text(n + 1),
        at = date(n),
    );
}

fn github(out: &mut String, n: u64) {
    let _ = write!(
        out,
        r#"{{"id":{n},"url":"https://api.github.com/repos/pumps/drip/issues/{n}","html_url":"https://github.com/pumps/drip/issues/{n}","number":{n},"title":"It drips, job {n}","user":{{"login":"user{}","id":1,"type":"User"}},"labels":[],"state":"open","comments":0,"created_at":"{at}","updated_at":"{at}","body":"{}"}}"#,
        person(n),
        text(n),
        at = date(n),
    );
}

fn gitlab(out: &mut String, n: u64) {
    let _ = write!(
        out,
        r#"{{"id":{n},"iid":{n},"project_id":1,"title":"It drips, job {n}","description":"{}","state":"opened","author":{{"id":1,"username":"user{}"}},"created_at":"{at}","updated_at":"{at}","web_url":"https://git.example/pumps/drip/-/issues/{n}"}}"#,
        text(n),
        person(n),
        at = date(n),
    );
}

fn gitter(out: &mut String, n: u64) {
    let _ = write!(
        out,
        r#"{{"id":"g{n}","text":"{t}","html":"{t}","sent":"{}","readBy":3,"fromUser":{{"id":"u{p}","username":"user{p}"}},"urls":[],"mentions":[],"v":1}}"#,
        date(n),
        t = text(n),
        p = person(n),
    );
}

fn hubspot(out: &mut String, n: u64) {
    let at = date(n);
    let _ = write!(out, "{n},\"<p>{}</p>\",{at},{at},Rep {},{},{}", text(n), n % 40, n % 3000, n % 9000,);
}

fn salesforce(out: &mut String, n: u64) {
    let at = date(n);
    let _ = write!(
        out,
        "00T1A{n:010}AAA,,001{0:012}AAA,Call,{1},Completed,Normal,005{2:012}AAA,\"{3}\",false,001{0:012}AAA,{at},{at},Call",
        n % 3000,
        &at[..10],
        n % 40,
        text(n),
    );
}

fn notes(out: &mut String, n: u64) {
    let _ = write!(out, "{n},Firm {},Rep {},{},\"{}\"", n % 3000, n % 40, date(n), text(n));
}

fn note_lines(out: &mut String, n: u64) {
    let _ = write!(
        out,
        r#"{{"id":"{n}","account":"Firm {}","owner":"Rep {}","created_at":"{}","text":"{}"}}"#,
        n % 3000,
        n % 40,
        date(n),
        text(n),
    );
}

const fn lines(
    name: &'static str,
    file: &'static str,
    way: Way,
    head: &'static str,
    record: fn(&mut String, u64),
) -> Export {
    Export { name, file, way, packing: Packing::None, head, between: "\n", tail: "\n", record }
}

const fn list(
    name: &'static str,
    file: &'static str,
    (head, tail): (&'static str, &'static str),
    record: fn(&mut String, u64),
) -> Export {
    Export { name, file, way: Way::Read, packing: Packing::None, head, between: ",\n", tail, record }
}

const RULE: &str = "==============================================================\nGuild: Yard\nChannel: repair\n==============================================================\n\n";

const DISCORD: (&str, &str) = (
    "{\"guild\":{\"id\":\"11\",\"name\":\"Yard\"},\"channel\":{\"id\":\"22\",\"type\":\"GuildTextChat\",\"name\":\"repair\"},\"dateRange\":{},\"messages\":[\n",
    "],\"messageCount\":1}",
);

/// Every format that streams.
pub(crate) const EXPORTS: [Export; 29] = [
    list("Slack export", "pumps/repair/2026-03-01.json", ("[", "]"), slack),
    list("DiscordChatExporter JSON", "repair.json", DISCORD, discord_json),
    lines(
        "DiscordChatExporter CSV",
        "repair.csv",
        Way::Read,
        "AuthorID,Author,Date,Content,Attachments,Reactions\n",
        discord_csv,
    ),
    lines("DiscordChatExporter text", "repair.txt", Way::Read, RULE, discord_txt),
    Export {
        head: "<!DOCTYPE html><html lang=en><head><style>.chatlog__message{}</style></head><body><div class=preamble><div class=preamble__entry>Yard</div><div class=preamble__entry>Text / repair</div></div>\n<div class=chatlog>\n",
        tail: "</div></body></html>",
        ..lines("DiscordChatExporter HTML", "repair.html", Way::Read, "", discord_html)
    },
    lines("Reddit dump, plain", "RC_2026-05.ndjson", Way::Read, "", reddit),
    Export { packing: Packing::Zstd, ..lines("Reddit dump, zstd", "RC_2026-05.zst", Way::Read, "", reddit) },
    Export {
        packing: Packing::ZstdLong,
        ..lines("Reddit dump, zstd --long=31", "RC_2026-05.zst", Way::Read, "", reddit)
    },
    list("Arctic Shift API", "comments.json", ("{\"data\":[", "]}"), reddit),
    lines(
        "Stack Exchange Posts.xml",
        "pumps/Posts.xml",
        Way::Read,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<posts>\n",
        stack_posts,
    ),
    lines(
        "Stack Exchange Comments.xml",
        "pumps/Comments.xml",
        Way::Read,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<comments>\n",
        stack_comments,
    ),
    lines("mbox", "pumps.mbox", Way::Read, "", mbox),
    list(
        "Telegram Desktop",
        "result.json",
        ("{\"name\":\"Pump Talk\",\"type\":\"public_supergroup\",\"id\":1234567890,\"messages\":[\n", "]}"),
        telegram,
    ),
    lines(
        "Mattermost bulk export",
        "import.jsonl",
        Way::Read,
        "{\"type\":\"version\",\"version\":1,\"info\":{\"generator\":\"mattermost\"}}\n",
        mattermost,
    ),
    list("Rocket.Chat API", "pumps/messages.json", ("{\"messages\":[", "],\"count\":1,\"success\":true}"), rocket_chat),
    lines("Hacker News items, JSON lines", "items.jsonl", Way::Read, "", hacker_news),
    lines("Candor's JSON lines", "pumps.jsonl", Way::Read, "", plain_lines),
    lines("CSV of posts", "pumps.csv", Way::Read, "id,author,created_at,thread_id,text\n", table),
    list("JSON array of posts", "pumps.json", ("[", "]"), json_table),
    list(
        "Discourse topic",
        "pumps/7.json",
        (
            "{\"post_stream\":{\"posts\":[",
            "],\"stream\":[]},\"id\":7,\"title\":\"It drips\",\"slug\":\"it-drips\",\"created_at\":\"2026-03-01T12:00:00.000Z\"}",
        ),
        discourse,
    ),
    list("GitHub issues", "issues.json", ("[", "]"), github),
    list("GitLab issues", "issues.json", ("[", "]"), gitlab),
    list("Gitter", "pumps/room.json", ("[", "]"), gitter),
    Export { way: Way::Collect, ..lines("Reddit dump, stored", "RC_2026-05.ndjson", Way::Read, "", reddit) },
    Export { way: Way::Collect, ..list("Discord channel of JSON, stored", "repair.json", DISCORD, discord_json) },
    lines(
        "HubSpot notes (CSV)",
        "notes.csv",
        Way::Import,
        "Record ID,Note body,Activity date,Create date,Activity assigned to,Associated Company IDs,Associated Deal IDs\n",
        hubspot,
    ),
    lines(
        "Salesforce Task (CSV)",
        "Task.csv",
        Way::Import,
        "Id,WhoId,WhatId,Subject,ActivityDate,Status,Priority,OwnerId,Description,IsDeleted,AccountId,CreatedDate,LastModifiedDate,TaskSubtype\n",
        salesforce,
    ),
    lines("CSV of notes", "notes.csv", Way::Import, "id,account,owner,created_at,note\n", notes),
    lines("JSON lines of notes", "notes.jsonl", Way::Import, "", note_lines),
];

impl Export {
    /// Writes an export of about `bytes` to `path`; gives its length, unpacked.
    pub(crate) fn write(&self, path: &Path, bytes: u64) -> Result<u64> {
        let file = BufWriter::with_capacity(1 << 20, File::create(path)?);
        match self.packing {
            Packing::None => self.fill(file, bytes),
            Packing::Zstd | Packing::ZstdLong => {
                let mut encoder = zstd::Encoder::new(file, 3)?;
                if matches!(self.packing, Packing::ZstdLong) {
                    encoder.long_distance_matching(true)?;
                    encoder.window_log(31)?;
                }
                self.fill(encoder.auto_finish(), bytes)
            }
        }
    }

    fn fill(&self, mut out: impl Write, bytes: u64) -> Result<u64> {
        out.write_all(self.head.as_bytes())?;
        let mut written = self.head.len() as u64;
        let mut record = String::new();
        for n in 1.. {
            record.clear();
            if n > 1 {
                record.push_str(self.between);
            }
            (self.record)(&mut record, n);
            out.write_all(record.as_bytes())?;
            written += record.len() as u64;
            if written >= bytes {
                break;
            }
        }
        out.write_all(self.tail.as_bytes())?;
        out.flush()?;
        Ok(written + self.tail.len() as u64)
    }
}
