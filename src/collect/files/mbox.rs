//! Mailing lists: an mbox file of mails, or one mail (`.eml`).
//!
//! Threads follow `References` and `In-Reply-To`; an answer without them joins the last thread of its subject. Message ids can
//! hold people's names, so a hash stands for each.
//!
//! A date without a zone is of the one that was chosen, as in all files; where the head's cannot be read, the line that parts
//! two mails tells one.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufRead};
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil;
use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders as _, PartType};
use scraper::Selector;

use super::{BadRecord, Format, Place, Records, open};
use crate::collect::Context;
use crate::collect::wire::{Record, Unreadable, clean, is_future};
use crate::files::dates::{Dates, When};
use crate::files::lines::take_line;
use crate::model::id::content_hash;
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::{Cut, Plain, fragment, html_to_text, tree_to_text};
use crate::text::mail::{mail_to_text, unflow};

/// The format.
pub(super) struct Mbox;

/// What is kept of one mail. Words come before attachments; of a longer mail the rest is passed over.
const KEPT_BYTES: usize = 4 << 20;

/// Threads that are remembered by mail and by subject; of a longer file the oldest are forgotten.
const REMEMBERED: usize = 1 << 18;

impl Format for Mbox {
    fn name(&self) -> &'static str {
        "Mail (mbox, eml)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let text = String::from_utf8_lossy(&head[..head.len().min(16 << 10)]);
        if let Some((first, rest)) = text.split_once('\n').filter(|(first, _)| is_separator(first.as_bytes())) {
            // Mailman puts a `>From` or white space between.
            return first.len() > 5 && is_head(rest.trim_start_matches(['\r', '\n']));
        }
        is_head(&text) && ["message-id:", "mime-version:", "received:"].iter().any(|name| has_header(&text, name))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let stem = place.name().split('.').next().unwrap_or_default().to_owned();
        let mut list = List {
            ctx,
            unnamed: ctx.community.clone().unwrap_or(if stem.is_empty() { "mail".to_owned() } else { stem }),
            threads: Remembered::default(),
            subjects: Remembered::default(),
        };
        let mails = Mails { input, parted: false, separator: String::new(), record: 0, byte: 0, ended: false };
        Box::new(mails.flat_map(move |mail| match mail {
            Err(bad) => vec![Err(bad)],
            Ok(Mail { record, byte, separator, raw }) => {
                let bad = |Unreadable(reason)| BadRecord::new(record, byte, reason);
                list.records(&raw, &separator).into_iter().map(|found| found.map_err(bad)).collect()
            }
        }))
    }
}

/// `From somebody Mon Jan  5 10:00:00 2026`: the line that parts two mails.
fn is_separator(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    let rest = rest.trim_ascii_end();
    // A year or a time; a sentence that begins so has neither.
    let words = rest.split(|b| b.is_ascii_whitespace());
    words.skip(1).any(|word| {
        let year = word.len() == 4 && word.iter().all(u8::is_ascii_digit);
        year || (word.contains(&b':') && word.iter().all(|b| b.is_ascii_digit() || *b == b':'))
    })
}

/// Whether `text` begins with header lines, who wrote it and when among them.
fn is_head(text: &str) -> bool {
    let name = |line: &str| {
        line.split_once(':')
            .is_some_and(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
    };
    let goes_on = |line: &str| line.starts_with([' ', '\t']) || line.starts_with(">From ");
    let head = text.lines().take_while(|line| !line.trim_end().is_empty());
    for (lines, line) in head.enumerate() {
        if !(name(line) || (lines > 0 && goes_on(line)) || line.starts_with(">From ")) {
            // The last line that was seen may be cut off.
            return lines > 20;
        }
    }
    has_header(text, "from:") && (has_header(text, "date:") || has_header(text, "subject:"))
}

fn has_header(text: &str, name: &str) -> bool {
    let mut head = text.lines().take_while(|line| !line.trim_end().is_empty());
    head.any(|line| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
}

/// The mails of a file, one at a time.
struct Mails<'a> {
    input: Box<dyn BufRead + 'a>,
    /// Whether lines part mails, as the first then does. In a single mail such a line is a sentence.
    parted: bool,
    /// The one before the mail that is read.
    separator: String,
    record: u64,
    byte: u64,
    ended: bool,
}

/// A mail: its number from 1, where it begins, the line before it that parts it from others, and its bytes.
struct Mail {
    record: u64,
    byte: u64,
    separator: String,
    raw: Vec<u8>,
}

impl Mails<'_> {
    /// The next line, no more than `most` bytes of it, and how many bytes it has: 0 at the end.
    fn line(&mut self, most: usize) -> io::Result<(Vec<u8>, u64)> {
        let mut line = Vec::new();
        let length = take_line(&mut self.input, &mut line, most, u64::MAX)?;
        Ok((line, length))
    }
}

impl Iterator for Mails<'_> {
    type Item = Result<Mail, BadRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let begin = self.byte;
        let mut mail = Vec::new();
        let mut after_blank = true;
        loop {
            // A separator is found in what was passed over, too.
            let (line, length) = match self.line(KEPT_BYTES.saturating_sub(mail.len()).max(1 << 10)) {
                Ok(read) => read,
                Err(error) => {
                    self.ended = true;
                    self.record += 1;
                    let reason = format!("could not read on from here: {error}");
                    return Some(Err(BadRecord::new(self.record, self.byte, reason)));
                }
            };
            self.parted |= self.byte == 0 && is_separator(&line);
            self.byte += length;
            self.ended = length == 0;
            let parts = self.parted && after_blank && is_separator(&line);
            if !self.ended && !parts {
                after_blank = line.trim_ascii().is_empty();
                if mail.len() < KEPT_BYTES {
                    mail.extend_from_slice(if self.parted { unescaped(&line) } else { &line });
                }
                continue;
            }
            let separator = std::mem::replace(&mut self.separator, String::from_utf8_lossy(&line).into_owned());
            if mail.trim_ascii().is_empty() {
                if self.ended {
                    return None;
                }
                after_blank = false;
                mail.clear();
                continue;
            }
            self.record += 1;
            return Some(Ok(Mail { record: self.record, byte: begin, separator, raw: mail }));
        }
    }
}

/// A line of a mail that began with `From ` was given a `>`.
fn unescaped(line: &[u8]) -> &[u8] {
    let marks = line.iter().take_while(|b| **b == b'>').count();
    if marks > 0 && line[marks..].starts_with(b"From ") { &line[1..] } else { line }
}

/// Threads by what was met lately, in two generations. Hashes stand for both, so that many cost little.
#[derive(Default)]
struct Remembered {
    recent: HashMap<u64, u128>,
    older: HashMap<u64, u128>,
}

impl Remembered {
    fn get(&self, key: &str) -> Option<String> {
        let key = short(key);
        self.recent.get(&key).or_else(|| self.older.get(&key)).map(|thread| format!("{thread:024x}"))
    }

    /// `thread` is a hash as [`content_hash`] spells it.
    fn put(&mut self, key: &str, thread: &str) {
        let Ok(thread) = u128::from_str_radix(thread, 16) else { return };
        if self.recent.len() >= REMEMBERED {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(short(key), thread);
    }
}

fn short(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// The list that a file is of.
struct List<'a> {
    ctx: &'a Context,
    unnamed: String,
    /// Threads by mail.
    threads: Remembered,
    /// Threads by subject.
    subjects: Remembered,
}

fn hashed(message_id: &str) -> String {
    content_hash(&[message_id.trim().trim_matches(['<', '>'])])
}

fn ids(value: &HeaderValue) -> Vec<String> {
    match value {
        HeaderValue::Text(id) => vec![hashed(id)],
        HeaderValue::TextList(ids) => ids.iter().map(|id| hashed(id)).collect(),
        _ => Vec::new(),
    }
}

impl List<'_> {
    /// What a mail is, and beside it that its date could not be read.
    fn records(&mut self, raw: &[u8], separator: &str) -> Vec<Result<Record, Unreadable>> {
        let no_mail = || vec![Err(Unreadable("no mail: its head cannot be read".to_owned()))];
        let Some(mail) = MessageParser::default().parse(raw) else { return no_mail() };
        let subject = clean(mail.subject().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" "));
        let from = mail.from().and_then(Address::first);
        if from.is_none() && subject.is_empty() && mail.message_id().is_none() {
            return no_mail();
        }
        let community = list_name(&mail).unwrap_or_else(|| self.unnamed.clone());
        let handle = handle(&mail);
        let author = self.ctx.author("mail", &handle);
        let dates = Dates { zone: self.ctx.zone.clone(), order: None };
        let read = |text: &str| dates.parse(text).ok().map(When::start);
        let said = mail.header_raw("Date").map(|date| date.split('(').next().unwrap_or_default());
        let written_at = mail.date().and_then(instant).or_else(|| read(said?)).or_else(|| read(&date_of(separator)?));
        let plain = own_words(&mail);
        let id = mail.message_id().map_or_else(
            || {
                let author = author.as_ref().map_or("", |a| a.as_str());
                let at = written_at.map_or_else(String::new, |at| at.to_string());
                content_hash(&[author, &at, &subject, &plain.text])
            },
            hashed,
        );
        let (base, answers) = base_subject(&subject);
        let mut above = ids(mail.references());
        let replied = ids(mail.in_reply_to());
        let parent = replied.first().or(above.last()).cloned().filter(|p| *p != id);
        above.extend(replied);
        let known = above.iter().rev().find_map(|id| self.threads.get(id));
        let by_subject = || self.subjects.get(&base.to_lowercase()).filter(|_| answers && !base.is_empty());
        let thread = known.or_else(|| above.first().cloned()).or_else(by_subject).unwrap_or_else(|| id.clone());
        self.threads.put(&id, &thread);
        if !base.is_empty() {
            self.subjects.put(&base.to_lowercase(), &thread);
        }
        let opens = thread == id;
        let skip = |reason| vec![Ok(Record::Skipped { id: format!("mail:{id}"), reason })];
        let text = clean(plain.text);
        let text = if opens && !text.is_empty() { format!("{base}\n\n{text}").trim().to_owned() } else { text };
        if text.is_empty() {
            return skip(if plain.quoted { "only quotes others" } else { "empty" });
        }
        let local = handle.split('@').next().unwrap_or_default();
        let machine = ["noreply", "no-reply", "donotreply", "do-not-reply", "mailer-daemon", "postmaster"];
        let automatic = mail.header("Auto-Submitted").and_then(HeaderValue::as_text).is_some_and(|v| v.trim() != "no");
        let told = Thread {
            id: ThreadId::new(format!("mail:{thread}")),
            source: Source::Mail,
            community: community.clone(),
            title: if opens || answers { base.to_owned() } else { String::new() },
            url: None,
            started_at: written_at.filter(|_| opens),
        };
        let url = mail.header("Archived-At").and_then(HeaderValue::as_text).map(|u| u.trim().trim_matches(['<', '>']));
        let post = Post {
            id: PostId::new(format!("mail:{id}")),
            thread: told.id.clone(),
            parent: parent.map(|p| PostId::new(format!("mail:{p}"))),
            source: Source::Mail,
            community,
            author,
            written_at,
            edited_at: None,
            url: url.filter(|u| u.starts_with("https://") || u.starts_with("http://")).map(str::to_owned),
            text,
            flags: PostFlags {
                bot: automatic || machine.contains(&local),
                quoted: plain.quoted,
                future: is_future(written_at, self.ctx.now),
            },
        };
        let undated = said.filter(|date| written_at.is_none() && !date.trim().is_empty()).map(|_| {
            let what = "the mail has no date: its own could not be read; write it as Sun, 1 Mar 2026 15:00:00 +0000";
            Err(Unreadable(what.to_owned()))
        });
        [Ok(Record::Thread(told)), Ok(Record::Post(post))].into_iter().chain(undated).collect()
    }
}

/// The date in a line that parts mails, as `2 Mar 2026 10:00:00`.
fn date_of(separator: &str) -> Option<String> {
    let words: Vec<&str> = separator.split_whitespace().collect();
    let time = words.iter().rposition(|word| word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit()))?;
    let [month, day] = words.get(time.checked_sub(2)?..time)? else { return None };
    let year = words[time + 1..].iter().find(|word| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit()))?;
    Some(format!("{day} {month} {year} {}", words[time]))
}

/// `<pumps.lists.example>` out of `Pumps and hoses <pumps.lists.example>`.
fn list_name(mail: &Message) -> Option<String> {
    let raw = mail.header_raw("List-Id")?;
    let id = raw.rsplit_once('<').and_then(|(_, id)| id.split_once('>')).map_or(raw, |(id, _)| id);
    let id = id.trim();
    (!id.is_empty() && !id.contains(char::is_whitespace)).then(|| clean(id.to_owned()))
}

/// The sender's address in small letters, or the name where there is none. A list that puts its own address in (`Sam via
/// Pumps`) leaves the name.
fn handle(mail: &Message) -> String {
    let Some(from) = mail.from().and_then(Address::first) else {
        return mail.header_raw("From").unwrap_or_default().trim().to_lowercase();
    };
    let name = from.name().unwrap_or_default().trim();
    if let Some((name, _)) = name.split_once(" via ").filter(|_| mail.header_raw("List-Id").is_some()) {
        return name.trim_matches(['\'', '"']).to_lowercase();
    }
    from.address().filter(|a| !a.trim().is_empty()).unwrap_or(name).trim().to_lowercase()
}

/// A date with its zone.
fn instant(date: &mail_parser::DateTime) -> Option<Timestamp> {
    let small = |n: u8| i8::try_from(n).ok();
    let at = civil::DateTime::new(
        i16::try_from(date.year).ok()?,
        small(date.month)?,
        small(date.day)?,
        small(date.hour)?,
        small(date.minute)?,
        small(date.second.min(59))?,
        0,
    );
    let seconds = i32::from(date.tz_hour) * 3600 + i32::from(date.tz_minute) * 60;
    let offset = jiff::tz::Offset::from_seconds(if date.tz_before_gmt { -seconds } else { seconds }).ok()?;
    offset.to_timestamp(at.ok()?).ok()
}

/// A subject without `Re:`, `Fwd:` and the list's mark, and whether it answers.
fn base_subject(subject: &str) -> (&str, bool) {
    let (mut rest, mut answers) = (subject.trim(), false);
    loop {
        if let Some((_, after)) =
            rest.strip_prefix('[').and_then(|r| r.split_once(']')).filter(|(_, a)| !a.trim().is_empty())
        {
            rest = after.trim_start();
            continue;
        }
        let Some((mark, after)) = rest.split_once(':') else { break };
        let mark = mark.trim().trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')'));
        match mark.to_lowercase().as_str() {
            "re" | "aw" | "sv" | "antw" | "odp" | "rif" | "vs" => answers = true,
            "fw" | "fwd" | "wg" | "tr" => {}
            _ => break,
        }
        rest = after.trim_start();
    }
    (rest, answers)
}

/// The text of a mail: what is written plainly, or else its HTML.
fn own_words(mail: &Message) -> Plain {
    let mut plain = Plain::default();
    let mut add = |found: Plain| {
        if !found.text.is_empty() {
            if !plain.text.is_empty() {
                plain.text.push_str("\n\n");
            }
            plain.text.push_str(&found.text);
        }
        plain.quoted |= found.quoted;
    };
    for part in mail.text_bodies().filter(|p| p.content_disposition().is_none_or(|d| !d.is_attachment())) {
        match &part.body {
            PartType::Text(text) => {
                let kind = part.content_type();
                let is = |name: &str, value: &str| {
                    kind.and_then(|k| k.attribute(name)).is_some_and(|v| v.eq_ignore_ascii_case(value))
                };
                let known = kind.is_some_and(|k| k.has_attribute("charset"));
                // Bytes without a charset that are no UTF-8 are of an encoding of old.
                let guessed = (!known && text.contains('\u{fffd}')).then(|| open::guessed(part_bytes(mail, part)));
                let text = guessed.as_deref().unwrap_or(text);
                add(if is("format", "flowed") {
                    mail_to_text(&unflow(text, is("delsp", "yes")))
                } else {
                    mail_to_text(text)
                });
            }
            PartType::Html(html) => {
                let found = without_footer(html);
                let own = mail_to_text(&found.text);
                add(Plain { text: own.text, quoted: found.quoted || own.quoted });
            }
            _ => {}
        }
    }
    plain.text = plain.text.trim_end().trim_start_matches(['\n', '\r']).to_owned();
    plain
}

/// The text of a mail's HTML without the sender's footer, which mail programs mark.
fn without_footer(html: &str) -> Plain {
    #[expect(clippy::unwrap_used, reason = "a constant selector, compiled by the tests")]
    static FOOTER: LazyLock<Selector> =
        LazyLock::new(|| Selector::parse("[id$=ignature], .gmail_signature, .moz-signature").unwrap());
    let page = html.contains("ignature").then(|| fragment(html).ok()).flatten();
    let Some(page) = page else { return html_to_text(html) };
    let footers: HashSet<_> = page.select(&FOOTER).map(|footer| footer.id()).collect();
    tree_to_text(*page.root_element(), |id| if footers.contains(&id) { Cut::Furniture } else { Cut::Keep })
}

/// A part's bytes as they stand in the mail, where it is not packed.
fn part_bytes<'a>(mail: &'a Message, part: &mail_parser::MessagePart) -> &'a [u8] {
    let (from, to) = (part.raw_body_offset() as usize, part.raw_end_offset() as usize);
    mail.raw_message.get(from..to).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{context, read_text, reasons};

    const LIST: &str = "From ann at x.example  Mon Mar  2 10:00:00 2026\nFrom: Ann <Ann@x.example>\nDate: Mon, 2 Mar 2026 10:00:00 +0100\nSubject: [pumps] It drips\nMessage-ID: <1@x.example>\nList-Id: Pumps <pumps.lists.example>\nContent-Type: multipart/alternative; boundary=\"b\"\n\n--b\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nF=FCr me at night.\n>From time to time.\n\n-- \nAnn\n--b\nContent-Type: text/html\n\n<p>Other</p>\n--b--\n\nFrom bob at y.example  Mon Mar  2 11:00:00 2026\nFrom: bob at y.example (Bob)\nDate: Mon, 2 Mar 2026 11:00:00 +0100\nSubject: Re: [pumps] It drips\nMessage-ID: <2@y.example>\nIn-Reply-To: <1@x.example>\nReferences: <1@x.example>\n\nOn Mon, 2 Mar 2026 Ann wrote:\n> F\u{fc}r me\n\nHere too.\n\nFrom cat at z.example  Mon Mar  2 12:00:00 2026\nFrom: =?utf-8?q?C=C3=A4t?= <cat@z.example>\nDate: Mon, 2 Mar 2026 12:00:00 +0100\nSubject: AW: It drips\nMessage-ID: <3@z.example>\nContent-Type: text/html; charset=utf-8\n\n<div>Same.</div><div>On 2 Mar 2026, Bob wrote:</div><blockquote>Here</blockquote>\n";

    #[test]
    fn a_list_becomes_threads_of_own_words() {
        assert!(Mbox.sniff(LIST.as_bytes(), &Place::on_disk(std::path::Path::new("x.mbox"))));
        let found = read_text(&Mbox, LIST, "pumps.mbox");
        let posts: Vec<_> =
            found.iter().filter_map(|r| if let Ok(Record::Post(p)) = r { Some(p) } else { None }).collect();
        let texts: Vec<_> = posts.iter().map(|p| p.text.as_str()).collect();
        assert_eq!(texts, ["It drips\n\nF\u{fc}r me at night.\nFrom time to time.", "Here too.", "Same."], "{found:?}");
        assert!(posts.iter().all(|p| p.thread == posts[0].thread));
        assert_eq!((posts[1].parent.as_ref(), posts[2].parent.as_ref()), (Some(&posts[0].id), None));
        assert_eq!(posts[0].author, context().author("mail", "ann@x.example"));
        assert_eq!(posts[0].written_at.unwrap().to_string(), "2026-03-02T09:00:00Z");
        assert_eq!(posts[0].community, "pumps.lists.example");
        assert_eq!((posts[1].flags.quoted, posts[2].flags.quoted), (true, true));
        assert!(!posts[0].id.as_str().contains('@'));
    }

    #[test]
    fn one_mail_is_read_and_damage_is_told() {
        let mail = "Received: by x\nFrom: Ann <ann@x.example>\nSubject: Drips\nDate: Mon, 2 Mar 2026 10:00:00 GMT\nMessage-ID: <1@x>\n\n> only his\n";
        assert!(Mbox.sniff(mail.as_bytes(), &Place::on_disk(std::path::Path::new("x.eml"))));
        assert_eq!(reasons(&read_text(&Mbox, mail, "x.eml")), ["only quotes others"]);
        for other in [
            "From here on: all is well\n",
            "From: a letter\nto you\n",
            "Title: x\n\nDate: y\n",
            "From the start of 2026\n\nwords",
        ] {
            assert!(!Mbox.sniff(other.as_bytes(), &Place::on_disk(std::path::Path::new("x"))), "{other}");
        }
        let bad = format!("{LIST}\nFrom x Mon Mar  2 12:00:00 2026\n\nnothing\n");
        assert_eq!(reasons(&read_text(&Mbox, &bad, "x")), ["no mail: its head cannot be read"]);
    }

    #[test]
    fn a_mail_is_dated_by_all_that_tells_when() {
        let mail = |date: &str| {
            format!(
                "From a@x Mon Mar  2 12:00:00 2026\nFrom: a@x.example\nSubject: s\n{date}Message-ID: <1@x>\n\nIt leaks.\n"
            )
        };
        for (date, want) in [
            ("Date: Mon, 2 Mar 2026 10:00:00 -0500\n", "2026-03-02T15:00:00Z"),
            ("Date: Mon, 2 Mar 2026 10:00:00\n", "2026-03-02T10:00:00Z"),
            ("Date: Mon, 2 Mar 2026 10:00:00 (local time)\n", "2026-03-02T10:00:00Z"),
            ("Date: 2026-03-02 10:00:00\n", "2026-03-02T10:00:00Z"),
            ("Date: 2026-03-02T10:00:00+02:00\n", "2026-03-02T08:00:00Z"),
            ("Date: soon\n", "2026-03-02T12:00:00Z"),
            ("", "2026-03-02T12:00:00Z"),
        ] {
            let found = read_text(&Mbox, &mail(date), "x.mbox");
            let [Ok(Record::Thread(_)), Ok(Record::Post(post))] = &found[..] else { panic!("{date}: {found:?}") };
            assert_eq!(post.written_at.map(|at| at.to_string()).as_deref(), Some(want), "{date}");
        }
        let lone = mail("Date: soon\n").split_once('\n').map(|(_, mail)| mail.to_owned()).unwrap();
        let found = read_text(&Mbox, &lone, "x.eml");
        let [Ok(Record::Thread(_)), Ok(Record::Post(post)), Err(bad)] = &found[..] else { panic!("{found:?}") };
        assert!(post.written_at.is_none() && bad.reason.contains("could not be read"), "{bad:?}");
    }

    #[test]
    fn a_footer_that_the_program_marks_is_nobodys_words() {
        for footer in ["<div id=\"Signature\">Ann, Phone 1</div>", "<div class=\"gmail_signature\"><p>Ann</p></div>"] {
            let mail = format!(
                "From: a@x.example\nSubject: s\nDate: Mon, 2 Mar 2026 10:00:00 GMT\nMessage-ID: <1@x>\nContent-Type: text/html\n\n<div>It leaks.</div>{footer}<div>Much.</div>\n"
            );
            let found = read_text(&Mbox, &mail, "x.eml");
            assert!(matches!(&found[1], Ok(Record::Post(post)) if post.text == "s\n\nIt leaks.\nMuch."), "{found:?}");
        }
    }

    #[test]
    fn one_mail_has_no_separators() {
        let mail = "From: Ann <ann@x.example>\nSubject: Drips\nDate: Mon, 2 Mar 2026 10:00:00 GMT\nMessage-ID: <1@x>\n\nIt leaks.\n\nFrom March 2025 on it drips.\n";
        let found = read_text(&Mbox, mail, "x.eml");
        let Ok(Record::Post(post)) = &found[1] else { panic!("{found:?}") };
        assert_eq!((post.text.as_str(), found.len()), ("Drips\n\nIt leaks.\n\nFrom March 2025 on it drips.", 2));
    }

    #[test]
    fn old_bytes_without_a_charset_are_guessed() {
        let mail = b"From x Mon Mar  2 12:00:00 2026\nFrom: a@x.example\nSubject: s\nDate: Mon, 2 Mar 2026 10:00:00 +0000\n\nDie Gr\xf6\xdfe stimmt nicht, sie l\xe4uft r\xfcckw\xe4rts.\n";
        let place = Place::on_disk(std::path::Path::new("x.mbox"));
        let (_, input) = open::open(place.path(), &mail[..]).unwrap();
        let ctx = context();
        let found: Vec<_> = Mbox.read(input, &place, &ctx).collect();
        let Ok(Record::Post(post)) = &found[1] else { panic!("{found:?}") };
        assert_eq!(post.text, "s\n\nDie Gr\u{f6}\u{df}e stimmt nicht, sie l\u{e4}uft r\u{fc}ckw\u{e4}rts.");
    }

    #[test]
    fn subjects_lose_their_marks() {
        assert_eq!(base_subject("Re: [pumps] RE[2]: It: drips"), ("It: drips", true));
        assert_eq!(base_subject("[x]"), ("[x]", false));
    }
}
