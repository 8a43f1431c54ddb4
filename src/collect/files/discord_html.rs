//! DiscordChatExporter's pages, dark and light, of the layouts of 2019 to 2026.
//!
//! A page is a row of groups of messages by one author; each group is parsed by itself. Ids of messages tell when they were
//! written, exactly, whatever zone the page's dates are of.

use std::io::{self, BufRead};
use std::sync::LazyLock;

use regex::Regex;
use scraper::{ElementRef, Selector};

use super::discord_txt::channel_path;
use super::{BadRecord, Format, MAX_RECORD_BYTES, Place, Records};
use crate::collect::Context;
use crate::collect::wire::Record;
use crate::collect::wire::discord::{Channel, Message, author, instant_of, is_id, is_notice, record};
use crate::text::discord::rendered_to_text;
use crate::text::html;

/// The format.
pub(super) struct DiscordPage;

/// What begins a group of messages, in markup of any thrift.
const GROUPS: [&[u8]; 2] = [b"<div class=\"chatlog__message-group\"", b"<div class=chatlog__message-group"];

/// What stands at the end of every page, of whichever layout; thrifty ones leave out the last tags.
const ENDS: [&str; 3] = ["</html", "<div class=\"postamble\"", "<div class=postamble>"];

const CUT_OFF: &str = "the page ends too early: an export that was cut off, and its last message may be cut, too; export the channel \
     again";

impl Format for DiscordPage {
    fn name(&self) -> &'static str {
        "DiscordChatExporter HTML"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        // The styles of the page come first, and are longer than what is looked at.
        let text = String::from_utf8_lossy(head);
        let start = text.trim_start().get(..15).is_some_and(|s| s.eq_ignore_ascii_case("<!doctype html>"));
        start && text.contains("chatlog__") && (text.contains("chatlog__message") || text.contains("preamble__"))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let mut groups = Groups { input, held: Vec::new(), byte: 0, number: 0, ended: false, whole: false };
        let mut channel = None;
        let mut told = false;
        let mut waiting = Vec::new().into_iter();
        Box::new(std::iter::from_fn(move || {
            loop {
                if let Some(record) = waiting.next() {
                    return Some(record);
                }
                let (number, byte, markup) = match groups.next() {
                    Some(Ok(group)) => group,
                    Some(Err(bad)) => return Some(Err(bad)),
                    None if std::mem::replace(&mut groups.whole, true) => return None,
                    None => return Some(Err(BadRecord::new(groups.number, groups.byte, CUT_OFF))),
                };
                let Some(channel) = &channel else {
                    channel = Some(preamble(&markup).or(Channel::of_place(place)));
                    continue;
                };
                let mut found = group(ctx, channel, number, byte, &markup);
                if !told && let Some(first) = found.iter().position(|r| matches!(r, Ok(Record::Post(_)))) {
                    told = true;
                    found.insert(first, Ok(Record::Thread(channel.thread(ctx))));
                }
                waiting = found.into_iter();
            }
        }))
    }
}

/// A page cut before every group: what stands before the first comes first.
struct Groups<R> {
    input: R,
    held: Vec<u8>,
    byte: u64,
    number: u64,
    ended: bool,
    /// Whether the page's end was seen, or that it was not was told.
    whole: bool,
}

impl<R: BufRead> Groups<R> {
    /// The bytes up to the next group or the end. `None` for more than can be held.
    fn advance(&mut self) -> io::Result<Option<Vec<u8>>> {
        // A group's own mark is no end of it.
        let mut searched = 1.min(self.held.len());
        let mut long = false;
        loop {
            if let Some(at) = next_group(&self.held, searched) {
                let rest = self.held.split_off(at);
                let group = std::mem::replace(&mut self.held, rest);
                self.byte += group.len() as u64;
                return Ok((!long).then_some(group));
            }
            let overlap = GROUPS[0].len();
            searched = self.held.len().saturating_sub(overlap).max(searched.min(self.held.len()));
            if self.held.len() > MAX_RECORD_BYTES {
                long = true;
                let keep = self.held.split_off(self.held.len() - overlap);
                self.byte += self.held.len() as u64;
                self.held = keep;
                searched = 0;
            }
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                self.ended = true;
                let group = std::mem::take(&mut self.held);
                self.byte += group.len() as u64;
                return Ok((!long).then_some(group));
            }
            let taken = bytes.len();
            self.held.extend_from_slice(bytes);
            self.input.consume(taken);
        }
    }
}

fn next_group(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(open) = bytes.get(at..)?.iter().position(|b| *b == b'<') {
        let start = at + open;
        if GROUPS.iter().any(|g| bytes[start..].starts_with(g)) {
            return Some(start);
        }
        at = start + 1;
    }
    None
}

impl<R: BufRead> Iterator for Groups<R> {
    type Item = Result<(u64, u64, String), BadRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let begin = self.byte;
        let number = self.number;
        self.number += 1;
        let bad = |reason: String| Some(Err(BadRecord::new(number, begin, reason)));
        match self.advance() {
            Ok(Some(group)) => {
                let markup = String::from_utf8_lossy(&group).into_owned();
                self.whole = self.ended && ENDS.iter().any(|end| markup.contains(end));
                Some(Ok((number, begin, markup)))
            }
            Ok(None) => bad("more than 16 MiB: no messages are that long".to_owned()),
            Err(error) => {
                (self.ended, self.whole) = (true, true);
                bad(format!("could not read on from here: {error}"))
            }
        }
    }
}

/// Selectors for what the layouts call by different names.
struct Selectors {
    guild: Selector,
    channel: Selector,
    entry: Selector,
    message: Selector,
    content: Selector,
    author: Selector,
    notice: Selector,
    bot: Selector,
    reply: Selector,
    attachment: Selector,
    embed: Selector,
    sticker: Selector,
    forwarded: Selector,
}

#[expect(clippy::unwrap_used, reason = "constant selectors, compiled by the tests")]
static AT: LazyLock<Selectors> = LazyLock::new(|| {
    let of = |text: &str| Selector::parse(text).unwrap();
    Selectors {
        guild: of(".info__guild-name"),
        channel: of(".info__channel-name"),
        entry: of(".preamble__entry"),
        message: of("[data-message-id]"),
        content: of(".chatlog__content"),
        author: of(".chatlog__author-name, .chatlog__author"),
        notice: of(".chatlog__system-notification-content"),
        bot: of(".chatlog__bot-tag, .chatlog__author-tag"),
        reply: of(".chatlog__reply-link, .chatlog__reference-link"),
        attachment: of("[class*=chatlog__attachment]"),
        embed: of(".chatlog__embed"),
        sticker: of("[class*=chatlog__sticker]"),
        forwarded: of("[class*=chatlog__forward]"),
    }
});

/// The address of a guild's picture names the guild.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static GUILD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"/icons/(\d{15,20})/").unwrap());

#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static DIGITS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\d{15,20}").unwrap());

/// What a page says of its channel before the messages.
fn preamble(markup: &str) -> Channel {
    let Some(body) = markup.find("<body").map(|at| &markup[at..]) else { return Channel::default() };
    let Ok(page) = html::fragment(body) else { return Channel::default() };
    let text = |e: ElementRef| e.text().collect::<String>().trim().to_owned();
    let first = |selector| page.select(selector).next().map(text).filter(|t| !t.is_empty());
    let mut entries = page.select(&AT.entry).map(text);
    let mut channel = Channel {
        guild_id: GUILD.captures(body).map(|found| found[1].to_owned()),
        guild: first(&AT.guild).or_else(|| entries.next()),
        ..Channel::default()
    };
    if let Some(path) = first(&AT.channel).or_else(|| entries.next()) {
        channel_path(&path, &mut channel);
    }
    channel
}

/// The messages of a group.
fn group(ctx: &Context, channel: &Channel, number: u64, byte: u64, markup: &str) -> Vec<Result<Record, BadRecord>> {
    let page = match html::fragment(markup) {
        Ok(page) => page,
        Err(why) => return vec![Err(BadRecord::new(number, byte, format!("a group of messages that {why}")))],
    };
    let mut last_author: Option<(String, bool)> = None;
    // Older layouts name the author once, before the messages; newer ones in the first of them.
    if let Some(named) = page.select(&AT.author).next() {
        last_author = Some((account_of(named), page.select(&AT.bot).next().is_some()));
    }
    let mut found = Vec::new();
    for message in page.select(&AT.message) {
        let Some(id) = message.attr("data-message-id").filter(|id| is_id(id)) else {
            found.push(Err(BadRecord::new(number, byte, "a message without a usable id")));
            continue;
        };
        if message.select(&AT.notice).next().is_some() {
            found.push(Ok(Record::Skipped { id: format!("discord:{id}"), reason: "system message" }));
            continue;
        }
        if let Some(named) = message.select(&AT.author).next() {
            last_author = Some((account_of(named), message.select(&AT.bot).next().is_some()));
        }
        let is_forwarded = |e: &ElementRef| {
            e.ancestors()
                .filter_map(ElementRef::wrap)
                .any(|a| a.value().classes().any(|c| c.starts_with("chatlog__forward")))
        };
        let content = message.select(&AT.content).find(|e| !is_forwarded(e));
        let plain = content.map(rendered).unwrap_or_default();
        if is_notice(&plain.text) {
            found.push(Ok(Record::Skipped { id: format!("discord:{id}"), reason: "system message" }));
            continue;
        }
        let holds = |selector| message.select(selector).next().is_some();
        let otherwise = match () {
            () if holds(&AT.forwarded) => "only forwarded",
            () if holds(&AT.attachment) => "only attachments",
            () if holds(&AT.embed) => "only embeds",
            () if holds(&AT.sticker) => "only stickers",
            () => "empty",
        };
        let answers = message.select(&AT.reply).next().and_then(|link| link.attr("onclick").or(link.attr("href")));
        found.push(Ok(record(
            ctx,
            channel,
            id,
            Message {
                id: Some(id.to_owned()),
                author: last_author.as_ref().and_then(|(name, _)| author(ctx, name)),
                written_at: instant_of(id),
                edited_at: None,
                parent: answers.and_then(|link| DIGITS.find(link)).map(|id| id.as_str().to_owned()),
                plain,
                bot: last_author.as_ref().is_some_and(|(_, bot)| *bot),
                otherwise,
            },
        )));
    }
    found
}

/// The text of a message's content: what is marked as such in it, or all of it.
fn rendered(content: ElementRef) -> html::Plain {
    let is_text = |e: &ElementRef| {
        let marked = ["markdown", "chatlog__markdown-preserve", "preserve-whitespace"];
        e.value().classes().any(|c| marked.contains(&c))
    };
    rendered_to_text(content.descendent_elements().find(is_text).unwrap_or(content))
}

/// The account's name: in the title; what is shown is a nickname.
fn account_of(author: ElementRef) -> String {
    author.attr("title").map_or_else(|| author.text().collect(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{context, read_text, reasons};

    const OLD: &str = r##"<!DOCTYPE html>
<html><head><style>.chatlog__message { }</style></head><body>
<div class="info"><img class="info__guild-icon" src="https://cdn.discordapp.com/icons/112233445566778899/a.png" />
<div class="info__guild-name">Yard</div><div class="info__channel-name">repair</div></div>
<div class="chatlog">
 <div class="chatlog__message-group">
  <div class="chatlog__messages"><span class="chatlog__author-name" title="sam#1234" data-user-id="7">Sam</span>
   <span class="chatlog__timestamp">30-Apr-16 11:18 AM</span>
   <div class="chatlog__message " data-message-id="175928847299117063" id="m1">
    <div class="chatlog__content"><span class="markdown">flat <strong>again</strong> <span class="mention" title="kim#1">@Kim B</span></span> <span class="chatlog__edited-timestamp" title="x">(edited)</span></div>
   </div>
   <div class="chatlog__message " data-message-id="175928847299117064" id="m2">
    <div class="chatlog__attachment"><img /></div></div>
  </div></div>
 <div class="chatlog__message-group">
  <div class="chatlog__messages"><span class="chatlog__author-name" title="Hook#0000">Hook</span><span class="chatlog__bot-tag">BOT</span>
   <div class="chatlog__message " data-message-id="175928847299117065"><div class="chatlog__content"><span class="markdown">beep</span></div></div>
  </div></div>
</div></body></html>"##;

    const NEW: &str = r#"<!DOCTYPE html><html lang=en><head><style>.chatlog__message{}</style></head><body><div class=preamble><div class=preamble__entry>Yard</div><div class=preamble__entry>Text / repair / flat again</div></div>
<div class="chatlog">
<div class=chatlog__message-group><div id=c1 class=chatlog__message-container data-message-id=1448898697877262387><div class=chatlog__message><div class=chatlog__message-primary><div class=chatlog__reply><div class=chatlog__reply-content><span class=chatlog__reply-link onclick="scrollToMessage(event,'1448898697877262001')">his words</span></div></div><div class=chatlog__header><span class=chatlog__author title=sam data-user-id=7>Sam</span> <span class=chatlog__timestamp title="x">x</span></div><div class="chatlog__content chatlog__markdown"><span class=chatlog__markdown-preserve>same <code class="chatlog__markdown-pre chatlog__markdown-pre--inline">a_b_</code></span></div></div></div></div>
<div id=c2 class=chatlog__message-container data-message-id=1448898697877262388><div class=chatlog__message><div class="chatlog__content chatlog__markdown"><span class=chatlog__markdown-preserve>too</span></div></div></div></div>
<div class=chatlog__message-group><div class=chatlog__message-container data-message-id=1448898697877262389><span class=chatlog__system-notification-content><span>started a thread.</span></span></div></div>
</div></body></html>"#;

    #[test]
    fn the_layout_of_2019_is_read() {
        let found = read_text(&DiscordPage, OLD, "12.html");
        let [Ok(Record::Thread(thread)), Ok(Record::Post(one)), Ok(Record::Skipped { .. }), Ok(Record::Post(two))] =
            &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!((thread.community.as_str(), thread.title.as_str()), ("Yard", "repair"));
        assert_eq!((one.id.as_str(), one.text.as_str()), ("discord:175928847299117063", "flat again @user B"));
        assert_eq!(one.written_at.map(|t| t.to_string()).as_deref(), Some("2016-04-30T11:18:25.796Z"));
        assert_eq!(one.author, context().author("discord", "sam#1234"));
        assert_eq!((two.flags.bot, one.flags.bot, &two.author), (true, false, &context().author("discord", "Hook")));
        assert_eq!(reasons(&found), ["only attachments"]);
    }

    #[test]
    fn the_layout_of_2026_is_read() {
        let found = read_text(&DiscordPage, NEW, "Yard_flat_1448898697877262000.html");
        let [Ok(Record::Thread(thread)), Ok(Record::Post(one)), Ok(Record::Post(two)), Ok(Record::Skipped { .. })] =
            &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!((thread.id.as_str(), thread.title.as_str()), ("discord:1448898697877262000", "repair / flat again"));
        assert_eq!(one.parent.as_ref().map(|p| p.as_str()), Some("discord:1448898697877262001"));
        assert_eq!((one.text.as_str(), two.text.as_str(), &two.author), ("same `a_b_`", "too", &one.author));
    }

    #[test]
    fn a_page_cut_off_keeps_what_is_whole() {
        let found = read_text(&DiscordPage, &OLD[..OLD.find("beep").unwrap()], "12.html");
        assert_eq!(found.iter().filter(|r| matches!(r, Ok(Record::Post(_)))).count(), 1);
        assert_eq!(reasons(&found)[1..], ["empty", CUT_OFF]);
    }
}
