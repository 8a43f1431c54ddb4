//! Discord's channels and messages, as every export of them is read (FORMATS d3).
//!
//! *Ids.* A message is `discord:ID` wherever the file says its id. Exports as CSV and text do not: there the id is a hash of
//! the channel's name, the author's pseudonym, the minute, the text, and a number among equal ones, so that both give the
//! same posts, and nobody without the workspace's key can try names until an id fits.
//!
//! *Authors.* A person is who the account's name says (`name#1234` of old, `name` since 2023), because that is what every
//! export holds: text exports know nothing else. So one person is one author whatever the file; who changes the account's
//! name between two exports is two.
//!
//! *Direct messages* are called by the people in them and are no community's; they are left out.
//!
//! *Forwards.* A forwarded message holds words of somebody it does not name; it is left out.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use regex::Regex;

use super::{DIRECT_MESSAGE, Record, clean, is_future};
use crate::collect::Context;
use crate::collect::files::Place;
use crate::model::id::content_hash;
use crate::model::{AuthorKey, Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::discord::markdown_to_text;
use crate::text::html::Plain;

/// Discord's ids count milliseconds since 2015.
const EPOCH_MS: i64 = 1_420_070_400_000;

/// What an exporter writes for what nobody wrote, where it does not tell the kind of message.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static NOTICE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:Joined the server\.|Pinned a message\.|Started a thread\.|Left the group\.|Changed the channel icon\.|Changed the channel name(?:: .*|\.)|(?:Added|Removed) .* (?:to|from) the group\.|Started a call(?: that lasted [\d.,]+ minutes?)?\.|Boosted the server.{0,40})$",
    )
    .unwrap()
});

/// `… [ID]`, `…_ID`, with what the exporter adds for ranges and parts.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static FILE_NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(.*?)(?: ?\[(\d{15,20})\]|_(\d{15,20}))(?: [(\[].*)?$").unwrap());

/// A channel or a thread in one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::collect) struct Channel {
    pub(in crate::collect) guild_id: Option<String>,
    pub(in crate::collect) guild: Option<String>,
    pub(in crate::collect) id: Option<String>,
    pub(in crate::collect) name: Option<String>,
    /// The channel's name, when this is a thread in it or a post in a forum.
    pub(in crate::collect) parent: Option<String>,
}

impl Channel {
    /// What the path of an export says: `Guild - Category - Channel [ID].csv` as the exporter names it, else the name of the
    /// file, or of its folder where the file is called by a number.
    pub(in crate::collect) fn of_place(place: &Place) -> Self {
        let name = place.name();
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
        let filled = |text: &str| Some(text.trim()).filter(|t| !t.is_empty()).map(str::to_owned);
        if let Some(found) = FILE_NAME.captures(stem) {
            let id = found.get(2).or(found.get(3)).map(|id| id.as_str().to_owned());
            let parts: Vec<&str> = found[1].split(" - ").collect();
            return match parts[..] {
                [guild, .., channel] => Self { guild: filled(guild), id, name: filled(channel), ..Self::default() },
                _ => Self { id, name: filled(&found[1]), ..Self::default() },
            };
        }
        let telling = stem.chars().any(char::is_alphabetic);
        Self { name: if telling { filled(stem) } else { place.folder() }, ..Self::default() }
    }

    /// Fills in what is not known yet.
    pub(in crate::collect) fn or(self, other: Self) -> Self {
        Self {
            guild_id: self.guild_id.or(other.guild_id),
            guild: self.guild.or(other.guild),
            id: self.id.or(other.id),
            name: self.name.or(other.name),
            parent: self.parent.or(other.parent),
        }
    }

    pub(in crate::collect) fn community(&self, ctx: &Context) -> String {
        let name = self.guild.as_deref().map(str::trim).filter(|n| !n.is_empty());
        clean(name.or(ctx.community.as_deref()).unwrap_or("discord").to_owned())
    }

    /// Whether it is a conversation of two or a few: the exporter writes those as the guild 0, called `Direct Messages`.
    pub(in crate::collect) fn is_direct(&self) -> bool {
        self.guild_id.as_deref() == Some("0") || self.guild.as_deref().map(str::trim) == Some("Direct Messages")
    }

    /// Address of the channel on Discord.
    fn url(&self) -> Option<String> {
        let guild = self.guild_id.as_deref().filter(|id| is_id(id))?;
        Some(format!("https://discord.com/channels/{guild}/{}", self.id.as_deref()?))
    }

    fn thread_id(&self, ctx: &Context) -> ThreadId {
        ThreadId::new(match &self.id {
            Some(id) => format!("discord:{id}"),
            None => format!(
                "discord:{}",
                content_hash(&[
                    &self.community(ctx),
                    self.parent.as_deref().unwrap_or_default(),
                    self.name.as_deref().unwrap_or_default()
                ])
            ),
        })
    }

    /// The conversation. A thread is called `channel / thread`.
    pub(in crate::collect) fn thread(&self, ctx: &Context) -> Thread {
        let name = self.name.as_deref().unwrap_or_default().trim();
        let parent = self.parent.as_deref().map(str::trim).filter(|p| !p.is_empty());
        Thread {
            id: self.thread_id(ctx),
            source: Source::Discord,
            community: self.community(ctx),
            title: clean(parent.map_or_else(|| name.to_owned(), |parent| format!("{parent} / {name}"))),
            url: self.url(),
            started_at: None,
        }
    }
}

/// What an export says of a message.
#[derive(Debug, Default)]
pub(in crate::collect) struct Message {
    /// Discord's own id, where the file says it.
    pub(in crate::collect) id: Option<String>,
    pub(in crate::collect) author: Option<AuthorKey>,
    pub(in crate::collect) written_at: Option<Timestamp>,
    pub(in crate::collect) edited_at: Option<Timestamp>,
    pub(in crate::collect) parent: Option<String>,
    pub(in crate::collect) plain: Plain,
    pub(in crate::collect) bot: bool,
    /// What else it holds, in the words of a reason to leave it out when it holds no words: `only attachments`.
    pub(in crate::collect) otherwise: &'static str,
}

/// The post, or why it is none. `id` is the message's own or [`HashIds::next`].
pub(in crate::collect) fn record(ctx: &Context, channel: &Channel, id: &str, message: Message) -> Record {
    let Message { author, written_at, edited_at, parent, plain, bot, otherwise, id: own } = message;
    if channel.is_direct() {
        return Record::Skipped { id: format!("discord:{id}"), reason: DIRECT_MESSAGE };
    }
    let text = clean(plain.text);
    if text.is_empty() {
        let reason = if plain.quoted { "only quotes others" } else { otherwise };
        return Record::Skipped { id: format!("discord:{id}"), reason };
    }
    Record::Post(Post {
        thread: channel.thread_id(ctx),
        parent: parent.filter(|id| is_id(id)).map(|id| PostId::new(format!("discord:{id}"))),
        source: Source::Discord,
        community: channel.community(ctx),
        author,
        written_at,
        edited_at,
        url: channel.url().filter(|_| own.is_some()).map(|channel| format!("{channel}/{id}")),
        id: PostId::new(format!("discord:{id}")),
        text,
        flags: PostFlags { bot, quoted: plain.quoted, future: is_future(written_at, ctx.now) },
    })
}

/// The messages of a file that says no ids and no kinds, as they come.
pub(in crate::collect) struct Transcript {
    channel: Channel,
    ids: HashIds,
    /// What to know of its dates.
    notice: Option<&'static str>,
    /// Whether the thread was given out.
    told: bool,
}

impl Transcript {
    pub(in crate::collect) fn of(channel: Channel, dates: &Dates) -> Self {
        Self { channel, ids: HashIds::default(), notice: dates.notice(), told: false }
    }

    /// The records of the next message, with the thread before the first post. `otherwise` as in [`Message::otherwise`].
    pub(in crate::collect) fn tell(
        &mut self,
        ctx: &Context,
        (name, when, content): (&str, When, &str),
        otherwise: &'static str,
    ) -> Vec<Record> {
        let plain = markdown_to_text(content);
        let (author, written_at) = (author(ctx, name), when.instant(ctx));
        let id = self.ids.next(&self.channel, author.as_ref(), &when.minute(), &plain.text);
        if is_notice(content) {
            return vec![Record::Skipped { id: format!("discord:{id}"), reason: "system message" }];
        }
        let message = Message { author, written_at, plain, otherwise, ..Message::default() };
        let found = record(ctx, &self.channel, &id, message);
        let opens = !self.told && matches!(found, Record::Post(_));
        self.told |= opens;
        let notice = self.notice.filter(|_| opens).map(Record::Notice);
        opens.then(|| Record::Thread(self.channel.thread(ctx))).into_iter().chain([found]).chain(notice).collect()
    }
}

/// Ids for the messages of a file that does not say theirs.
#[derive(Default)]
pub(in crate::collect) struct HashIds {
    /// Messages of the minute that is being read, by their hash: only those can be equal.
    met: HashMap<String, u32>,
    minute: String,
}

impl HashIds {
    /// The id of the next message. `minute` is a date to the minute as the file says it.
    pub(in crate::collect) fn next(
        &mut self,
        channel: &Channel,
        author: Option<&AuthorKey>,
        minute: &str,
        text: &str,
    ) -> String {
        if self.minute != minute {
            minute.clone_into(&mut self.minute);
            self.met.clear();
        }
        let name = channel.name.as_deref().unwrap_or_default();
        let author = author.map_or("", AuthorKey::as_str);
        let hash = content_hash(&["discord message", name, author, minute, text]);
        let count = self.met.entry(hash.clone()).or_default();
        *count += 1;
        if *count == 1 { hash } else { format!("{hash}.{count}") }
    }
}

/// Whether `id` is one of Discord's.
pub(in crate::collect) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 20 && id.bytes().all(|b| b.is_ascii_digit())
}

/// When a thing with this id was made.
pub(in crate::collect) fn instant_of(id: &str) -> Option<Timestamp> {
    let id: u64 = id.parse().ok()?;
    Timestamp::from_millisecond(i64::try_from(id >> 22).ok()? + EPOCH_MS).ok()
}

/// The pseudonym of an account: `name#1234` or `name`.
pub(in crate::collect) fn author(ctx: &Context, name: &str) -> Option<AuthorKey> {
    let name = account(name);
    if name == "Deleted User" { None } else { ctx.author("discord", &name) }
}

/// An account's name as all exports spell it: `#0000` stands for no number, and pages of 2019 write every emoji of a name as
/// its first, so there are none.
pub(in crate::collect) fn account(name: &str) -> String {
    let name = name.trim();
    let name = name.strip_suffix("#0000").or_else(|| name.strip_suffix("#0")).unwrap_or(name);
    let spelled: String = name.chars().filter(|c| u32::from(*c) <= 0xffff).collect();
    if spelled.trim().is_empty() { name.to_owned() } else { spelled.trim().to_owned() }
}

/// Whether a text is a notice of Discord's, for exports that do not tell.
pub(in crate::collect) fn is_notice(text: &str) -> bool {
    text.len() < 200 && NOTICE.is_match(text)
}

/// Why one of a file's records fails beside its post.
pub(in crate::collect) const TURNED: &str = "this date shows that day and month are the other way round than they were read \
     above: the messages above it are dated wrong; export the channel as JSON, whose dates are exact";

const DAY_FIRST: &str = "Nothing in some Discord files (CSV, text) tells whether their dates name the day or the month first; they \
     were read with the day first. If that is wrong, export these channels as JSON, whose dates are exact.";

const MONTH_FIRST: &str = "Nothing in some Discord files (CSV, text) tells whether their dates name the day or the month first; \
     they were read with the month first. If that is wrong, export these channels as JSON, whose dates are exact.";

/// The dates of a file: as the machine that wrote it spells them.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::collect) struct Dates {
    /// Whether `3/4/2026` is of March; `None` where the file's head has no such dates (then it is when the hour is of twelve).
    month_first: Option<bool>,
    /// Whether nothing showed it.
    guessed: bool,
}

/// The two small numbers of a date, the year, and what stands between them.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static SLASHED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\d{1,2})([/.-])(\d{1,2})[/.-](\d{4}|\d\d),?\s+\d{1,2}[:.]\d\d").unwrap());

impl Dates {
    /// What the dates in a file's head show: a number that is no month, or a month with its zero where the day has none
    /// (`1/03`); else the one reading by which they are in order, as exports are. By both they may be: then it is guessed that
    /// they lie close together, and of a single day that clocks of twelve hours go with months first.
    pub(in crate::collect) fn seen_in<S: AsRef<str>>(dates: impl IntoIterator<Item = S>) -> Self {
        let sure = |month_first| Self { month_first: Some(month_first), guessed: false };
        let mut read: [Vec<i32>; 2] = Default::default();
        let mut twelve = None;
        for date in dates {
            let date = date.as_ref().trim();
            let Some(found) = SLASHED.captures(date) else { continue };
            let number = |at: usize| found[at].parse::<i32>().unwrap_or(0);
            let (first, second, year) = (number(1), number(3), number(4));
            if let Some(month_first) = shown(first, second) {
                return sure(month_first);
            }
            // Nobody who writes dots puts the month first.
            if &found[2] == "." || (found[1].len() == 1 && found[3].starts_with('0')) {
                return sure(false);
            }
            if first != second {
                twelve.get_or_insert(&found[2] == "/" && date.to_lowercase().trim_end_matches('.').ends_with('m'));
            }
            read[0].push((year * 12 + second) * 31 + first);
            read[1].push((year * 12 + first) * 31 + second);
        }
        let Some(twelve) = twelve else { return Self::default() };
        let sorted = |days: &Vec<i32>| days.is_sorted() || days.iter().rev().is_sorted();
        let way = |days: &Vec<i32>| days.windows(2).map(|pair| i64::from(pair[0].abs_diff(pair[1]))).sum::<i64>();
        match (read.each_ref().map(sorted), read.each_ref().map(way)) {
            ([true, false], _) => sure(false),
            ([false, true], _) => sure(true),
            (_, [day, month]) => {
                Self { month_first: Some(if day == month { twelve } else { month < day }), guessed: true }
            }
        }
    }

    fn notice(&self) -> Option<&'static str> {
        self.guessed.then_some(if self.month_first == Some(true) { MONTH_FIRST } else { DAY_FIRST })
    }

    /// Whether a later date shows that the head's were read in the wrong order; from then on the other one counts.
    pub(in crate::collect) fn turn(&mut self, date: &str) -> bool {
        let Some(month_first) = self.month_first else { return false };
        let shows = || {
            let found = SLASHED.captures(date.trim())?;
            shown(found[1].parse().ok()?, found[3].parse().ok()?)
        };
        let turned = shows().is_some_and(|shown| shown != month_first);
        self.month_first = Some(month_first != turned);
        turned
    }

    /// A date, exact where it names its offset; else on the wall clock.
    pub(in crate::collect) fn read(&self, text: &str) -> Option<When> {
        let text = text.trim();
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(When::Exact(at));
        }
        if let Ok(at) = text.parse::<DateTime>() {
            return Some(When::Clock(at));
        }
        let (day, time) = text.split_once([' ', '\u{a0}', '\u{202f}'])?;
        let lower = time.to_lowercase().replace(['.', '\u{a0}', '\u{202f}', ' '], "");
        let (clock, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
            (Some(clock), _) => (clock, Some(0)),
            (_, Some(clock)) => (clock, Some(12)),
            _ => (lower.as_str(), None),
        };
        // `07.13` of some countries lost its stop above.
        let (hour, minute) = match clock.split_once(':') {
            Some((hour, minute)) => (hour, minute.get(..2)?),
            None if (3..=4).contains(&clock.len()) && clock.is_ascii() => clock.split_at(clock.len() - 2),
            None => return None,
        };
        let hour: i8 = hour.parse().ok()?;
        let hour = match half {
            Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
            Some(_) => return None,
            None => hour,
        };
        let time = Time::new(hour, minute.parse().ok()?, 0, 0).ok()?;
        Some(When::Clock(self.day(day.trim_end_matches(','), half.is_some())?.to_datetime(time)))
    }

    fn day(&self, text: &str, half_days: bool) -> Option<Date> {
        let parts: Vec<&str> = text.split(['-', '/', '.']).filter(|p| !p.is_empty()).collect();
        let [a, b, c] = parts[..] else { return None };
        let number = |t: &str| t.parse::<i16>().ok();
        let small = |t: &str| t.parse::<i8>().ok();
        let year = |t: &str| number(t).map(|y| if t.len() <= 2 { 2000 + y } else { y });
        if a.len() == 4 {
            return Date::new(number(a)?, small(b)?, small(c)?).ok();
        }
        if let Some(month) = month(b) {
            return Date::new(year(c)?, month, small(a)?).ok();
        }
        let (first, second) = (small(a)?, small(b)?);
        let month_first = match (first, second) {
            (13.., _) => false,
            (_, 13..) => true,
            _ => self.month_first.unwrap_or(half_days && text.contains('/')),
        };
        let (month, day) = if month_first { (first, second) } else { (second, first) };
        Date::new(year(c)?, month, day).ok()
    }
}

/// Whether the first of a date's two small numbers is the month, where only one can be.
fn shown(first: i32, second: i32) -> Option<bool> {
    match (first, second) {
        (13..=31, 1..=12) => Some(false),
        (1..=12, 13..=31) => Some(true),
        _ => None,
    }
}

fn month(text: &str) -> Option<i8> {
    let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let start = text.get(..3)?.to_ascii_lowercase();
    months.iter().position(|m| *m == start).and_then(|i| i8::try_from(i + 1).ok())
}

/// A date as a file says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::collect) enum When {
    Exact(Timestamp),
    Clock(DateTime),
}

impl When {
    pub(in crate::collect) fn instant(self, ctx: &Context) -> Option<Timestamp> {
        match self {
            Self::Exact(at) => Some(at),
            Self::Clock(at) => ctx.zone.instant(at),
        }
    }

    /// To the minute, for [`HashIds`].
    pub(in crate::collect) fn minute(self) -> String {
        match self {
            Self::Exact(at) => at.strftime("%Y-%m-%dT%H:%MZ").to_string(),
            Self::Clock(at) => at.strftime("%Y-%m-%dT%H:%M").to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn dates_in_the_spelling_of_many_machines() {
        let day_first = Dates::default();
        let cases = [
            ("05-Jun-18 07:13 AM", "2018-06-05T07:13:00"),
            ("01-Jan-20 12:05 AM", "2020-01-01T00:05:00"),
            ("2026-03-08 10:05 a.m.", "2026-03-08T10:05:00"),
            ("2026-03-08 1:05 p.m.", "2026-03-08T13:05:00"),
            ("01/11/2022 15:10", "2022-11-01T15:10:00"),
            ("11/1/2022 3:10 PM", "2022-11-01T15:10:00"),
            ("31.12.2022 07:05", "2022-12-31T07:05:00"),
            ("31.12.2022 07.05", "2022-12-31T07:05:00"),
            ("2026/03/08 22:05", "2026-03-08T22:05:00"),
        ];
        for (text, want) in cases {
            assert_eq!(day_first.read(text), Some(When::Clock(want.parse().unwrap())), "{text}");
        }
        let exact = day_first.read("2022-11-01T15:10:00.0000000+01:00");
        assert_eq!(exact, Some(When::Exact("2022-11-01T14:10:00Z".parse().unwrap())));
        let shown = Dates::seen_in(["01/02/2022 15:10", "28/02/2022 15:10"]);
        assert_eq!(shown.read("01/02/2022 3:10 PM"), Some(When::Clock("2022-02-01T15:10:00".parse().unwrap())));
        for text in ["", "soon", "13:40", "99-Jun-18 07:13 AM", "05-Jun-18 13:13 PM", "1/2/3/4 5:06"] {
            assert_eq!(day_first.read(text), None, "{text}");
        }
    }

    #[test]
    fn the_dates_of_a_head_tell_their_order() {
        let at = |dates: &[&str]| {
            let seen = Dates::seen_in(dates);
            let month = match seen.read(dates[0]) {
                Some(When::Clock(at)) => at.month(),
                other => panic!("{other:?}"),
            };
            (month, seen.guessed)
        };
        // A number that is no month, and how numbers are written.
        assert_eq!(at(&["03/04/2026 1:10 pm", "03/13/2026 1:10 pm"]), (3, false));
        assert_eq!(at(&["1/03/2026 1:10 pm", "2/03/2026 1:10 pm"]), (3, false));
        assert_eq!(at(&["01.03.2026 13:10"]), (3, false));
        // Only one reading is in order, newest first or last.
        assert_eq!(at(&["01/02/2026 1:10 pm", "05/02/2026 1:10 pm", "02/03/2026 1:10 pm"]), (2, false));
        assert_eq!(at(&["03/02/2026 1:10 pm", "02/05/2026 1:10 pm", "02/01/2026 1:10 pm"]), (3, false));
        // Both are: the days are close, and else it is as before.
        assert_eq!(at(&["01/03/2026 1:10 pm", "02/03/2026 1:10 pm", "02/03/2026 1:12 pm"]), (3, true));
        assert_eq!(at(&["03/01/2026 1:10 pm", "03/02/2026 1:10 pm"]), (3, true));
        assert_eq!(at(&["03/04/2026 1:10 pm"]), (3, true));
        assert_eq!(at(&["03/04/2026 13:10"]), (4, true));
        assert_eq!(at(&["04/04/2026 13:10"]), (4, false));
    }

    #[test]
    fn a_path_says_which_channel() {
        let of = |path: &str| Channel::of_place(&Place::on_disk(Path::new(path)));
        let named = of("x/The Yard - Text - repair - vans [123456789012345678] [part 2].csv");
        assert_eq!((named.guild.as_deref(), named.name.as_deref()), (Some("The Yard"), Some("vans")));
        assert_eq!(named.id.as_deref(), Some("123456789012345678"));
        let own = of("x/Yard_repair-bugs_1234567890123456789.html");
        assert_eq!((own.name.as_deref(), own.id.as_deref()), (Some("Yard_repair-bugs"), Some("1234567890123456789")));
        assert_eq!(of("repair/12.csv").name.as_deref(), Some("repair"));
        assert_eq!(of("repair/vans.txt").name.as_deref(), Some("vans"));
    }

    #[test]
    fn an_id_tells_when() {
        assert_eq!(instant_of("175928847299117063").unwrap().to_string(), "2016-04-30T11:18:25.796Z");
        assert!(is_notice("Joined the server.") && !is_notice("Joined the server. Now what?"));
    }
}
