//! DiscordChatExporter's plain text: a header between lines of `=`, then `[date] author` and the message, parted by empty
//! lines. Attachments, embeds and reactions follow a message under a line such as `{Reactions}` and are no words of its
//! author.
//!
//! How many messages there are stands in the header of 2019 (`Messages: 100`), and since 2020 in a footer between such lines
//! (`Exported 100 message(s)`). Between the two it stood nowhere; the category of a channel (`Text / repair`) came after that.

use std::io::BufRead;

use super::{BadRecord, Format, MAX_RECORD_BYTES, Place, Records, each_beside, open};
use crate::collect::Context;
use crate::collect::wire::discord::{Channel, Dates, TURNED, Transcript, When};
use crate::files::lines::take_line;

/// The format.
pub(super) struct DiscordText;

const UNDATED: &str = "the dates of its messages are spelled in a way that is not known: export the channel as JSON, or with \
                       the locale en-US";

const CUT_OFF: &str = "the file ends too early: an export that was cut off, and its last message may be cut, too; export the channel \
                       again";

/// What stands around a header and a footer.
fn is_rule(line: &str) -> bool {
    line.len() >= 40 && line.bytes().all(|b| b == b'=')
}

/// The number in `Exported 1,234 message(s)`, whatever parts its thousands.
fn exported(line: &str) -> Option<u64> {
    counted(line.trim_end().strip_prefix("Exported ")?.strip_suffix(" message(s)")?)
}

fn counted(number: &str) -> Option<u64> {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok().filter(|_| !number.contains(char::is_alphabetic))
}

impl Format for DiscordText {
    fn name(&self) -> &'static str {
        "DiscordChatExporter text"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let text = String::from_utf8_lossy(&head[..head.len().min(8 << 10)]);
        let mut lines = text.lines().map(str::trim_end);
        lines.next().is_some_and(is_rule)
            && lines.next().is_some_and(|line| line.starts_with("Guild: "))
            && lines.next().is_some_and(|line| line.starts_with("Channel: "))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let (head, input) = match open::head(input) {
            Ok(opened) => opened,
            Err(bad) => return Box::new(std::iter::once(Err(bad))),
        };
        let head = String::from_utf8_lossy(&head);
        let dates = Dates::seen_in(head.lines().filter_map(|line| Some(line.strip_prefix('[')?.split_once("] ")?.0)));
        let newest_first = is_newest_first(&head, &dates);
        let mut reader = Reader {
            input,
            dates,
            newest_first,
            byte: 0,
            number: 0,
            next: None,
            last: None,
            numbered: None,
            turned: false,
            held: None,
            said: None,
            footed: false,
            ended: false,
        };
        let channel = match reader.header(place) {
            Ok(channel) => channel,
            Err(bad) => return Box::new(std::iter::once(Err(bad))),
        };
        let mut transcript = Transcript::of(channel, &dates);
        let read = move |entry: Result<Entry, BadRecord>| {
            let Entry { when, name, content, attached, turned } = entry?;
            Ok((transcript.tell(ctx, (&name, when, &content), attached), turned))
        };
        Box::new(std::iter::from_fn(move || reader.message()).map(read).flat_map(each_beside))
    }
}

/// Whether the exporter was asked for the newest message first, as far as the heads in `text` show.
fn is_newest_first(text: &str, dates: &Dates) -> bool {
    let date = |line: &str| dates.read(line.strip_prefix('[')?.split_once("] ")?.0);
    let mut heads = text.lines().filter_map(date);
    heads.next().zip(heads.next_back()).is_some_and(|(first, last)| last.minute() < first.minute())
}

struct Reader<R> {
    input: R,
    dates: Dates,
    newest_first: bool,
    byte: u64,
    number: u64,
    /// The head of the next message.
    next: Option<(When, String)>,
    /// When the message before was written.
    last: Option<When>,
    /// Whether names have numbers (`name#1234`), as the first had or had not.
    numbered: Option<bool>,
    /// Whether the date of the next message shows that those before it were read wrong.
    turned: bool,
    /// A line that was looked at ahead.
    held: Option<Result<Line, String>>,
    /// How many messages there are by the header or the footer.
    said: Option<u64>,
    /// Whether the exporter writes a footer, as the header shows.
    footed: bool,
    ended: bool,
}

struct Entry {
    when: When,
    name: String,
    content: String,
    attached: &'static str,
    turned: Option<BadRecord>,
}

/// A line and how long it was, with its break. `None` at the end.
enum Line {
    Text(String),
    Long,
    End,
}

impl<R: BufRead> Reader<R> {
    fn line(&mut self) -> Result<Line, String> {
        if let Some(held) = self.held.take() {
            return held;
        }
        let mut bytes = Vec::new();
        let length = take_line(&mut self.input, &mut bytes, MAX_RECORD_BYTES, u64::MAX)
            .map_err(|e| format!("could not read on from here: {e}"))?;
        self.byte += length;
        Ok(match length {
            0 => Line::End,
            _ if length > MAX_RECORD_BYTES as u64 => Line::Long,
            _ => Line::Text(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned()),
        })
    }

    /// Reads up to the first message: which channel it is.
    fn header(&mut self, place: &Place) -> Result<Channel, BadRecord> {
        let mut named = Channel::default();
        let mut rules = 0;
        let mut undated = false;
        let mut messages = None;
        loop {
            let line = match self.line() {
                Ok(Line::Text(line)) => line,
                Ok(Line::Long) => {
                    return Err(BadRecord::refusal("a line of more than 16 MiB before the first message"));
                }
                Ok(Line::End) => break,
                Err(reason) => return Err(BadRecord::new(1, self.byte, reason)),
            };
            if is_rule(line.trim_end()) {
                rules += 1;
            } else if let Some(guild) = line.strip_prefix("Guild: ").filter(|_| rules == 1) {
                named.guild = Some(guild.trim().to_owned());
            } else if let Some(path) = line.strip_prefix("Channel: ").filter(|_| rules == 1) {
                channel_path(path, &mut named);
                self.footed = path.contains(" / ");
            } else if rules == 1 {
                if line.starts_with("Range:") {
                    self.said = messages;
                }
                messages = line.strip_prefix("Messages: ").and_then(counted);
            } else if rules > 1 {
                self.next = self.head(&line);
                if self.next.is_some() {
                    break;
                }
                undated |= line.starts_with('[');
                self.said = exported(&line).or(self.said);
            }
        }
        if self.next.is_none() && undated {
            return Err(BadRecord::refusal(UNDATED));
        }
        Ok(named.or(Channel::of_place(place)))
    }

    /// `[date] name`, perhaps with a note that the message is pinned.
    fn head(&mut self, line: &str) -> Option<(When, String)> {
        let (date, name) = line.strip_prefix('[')?.split_once("] ")?;
        let mut dates = self.dates;
        let turned = dates.turn(date);
        let when = dates.read(date).filter(|_| date.len() < 40)?;
        let name = name.trim_end();
        let name = name.strip_suffix(" (pinned)").unwrap_or(name);
        let numbered = name
            .rsplit_once('#')
            .is_some_and(|(_, number)| number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()));
        // Where the first author has a number, accounts of before 2023 have one: an older line without is of a chat that
        // somebody pasted. In the night in which clocks are set back what is older may still come later.
        let with_numbers = *self.numbered.get_or_insert(numbered) && !self.newest_first;
        let older = self.last.is_some_and(|last| when.minute() < last.minute() && !is_after_setting_back(last, when));
        if with_numbers && !numbered && older {
            return None;
        }
        self.last = Some(when);
        (self.dates, self.turned) = (dates, turned);
        Some((when, name.to_owned()))
    }

    fn message(&mut self) -> Option<Result<Entry, BadRecord>> {
        if self.ended {
            return None;
        }
        let Some((when, name)) = self.next.take() else {
            self.ended = true;
            return self.missing().map(|reason| Err(BadRecord::new(self.number, self.byte, reason)));
        };
        self.number += 1;
        let begin = self.byte;
        let turned = std::mem::take(&mut self.turned).then(|| BadRecord::new(self.number, begin, TURNED));
        let (mut content, mut attached) = (String::new(), "empty");
        let (mut below, mut blank, mut long) = (false, false, false);
        loop {
            let line = match self.line() {
                Ok(Line::Text(line)) => line,
                Ok(Line::Long) => {
                    long = true;
                    continue;
                }
                Ok(Line::End) => break,
                Err(reason) => {
                    self.ended = true;
                    return Some(Err(BadRecord::new(self.number, begin, reason)));
                }
            };
            if blank && let Some(head) = self.head(&line) {
                self.next = Some(head);
                break;
            }
            // Somebody may have drawn such a line.
            if blank && is_rule(line.trim_end()) {
                match self.line() {
                    Ok(Line::End) => break,
                    Ok(Line::Text(below)) if exported(&below).is_some() => {
                        self.said = exported(&below);
                        break;
                    }
                    below => self.held = Some(below),
                }
            }
            match line.trim_end() {
                "{Attachments}" => (below, attached) = (true, "only attachments"),
                "{Embed}" => {
                    below = true;
                    attached = if attached == "empty" { "only embeds" } else { attached };
                }
                "{Stickers}" => {
                    below = true;
                    attached = if attached == "empty" { "only stickers" } else { attached };
                }
                "{Reactions}" => below = true,
                "{Forwarded Message}" => (below, attached) = (true, "only forwarded"),
                _ => {}
            }
            blank = line.trim().is_empty();
            if !below && !long {
                content.push_str(&line);
                content.push('\n');
                long = content.len() > MAX_RECORD_BYTES;
            }
        }
        if long {
            return Some(Err(BadRecord::new(self.number, begin, "more than 16 MiB: no post is that long")));
        }
        Some(Ok(Entry { when, name, content: content.trim().to_owned(), attached, turned }))
    }

    /// What shows that not all messages are there.
    fn missing(&self) -> Option<String> {
        match self.said {
            Some(said) if said == self.number => None,
            Some(said) => Some(format!(
                "the file says that it holds {said} messages, and {} were read: it was cut off or changed; export the channel again",
                self.number
            )),
            None => self.footed.then(|| CUT_OFF.to_owned()),
        }
    }
}

/// Whether `next` can come after `last` on one clock that was set back between them: both before four of the same night.
fn is_after_setting_back(last: When, next: When) -> bool {
    let (When::Clock(last), When::Clock(next)) = (last, next) else { return false };
    last.date() == next.date() && last.hour() < 4 && last.duration_since(next).as_secs() <= 3600
}

/// `channel`, `category / channel` or `category / channel / thread`.
pub(super) fn channel_path(path: &str, into: &mut Channel) {
    let parts: Vec<&str> = path.split(" / ").map(str::trim).collect();
    let filled = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    match parts[..] {
        [_, channel, thread, ..] => {
            // A thread's title may hold the mark itself.
            let title = if parts.len() > 3 { parts[2..].join(" / ") } else { thread.to_owned() };
            into.parent = filled(channel);
            into.name = filled(&title);
        }
        [.., channel] => into.name = filled(channel),
        [] => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::collect::files::discord_csv::DiscordCsv;
    use crate::collect::files::tests::{read_text, reasons, survives_damage};
    use crate::collect::wire::Record;

    const RULE: &str = "==============================================================";

    fn export(count: u64, messages: &str) -> String {
        format!(
            "{RULE}\nGuild: Yard\nChannel: Text / repair\nTopic: all\nof it\n{RULE}\n\n{messages}\n{RULE}\nExported {count} message(s)\n{RULE}\n"
        )
    }

    #[test]
    fn text_gives_the_posts_of_the_table() {
        let text = export(
            3,
            "[05-Jun-18 07:13 AM] sam#1234\nflat **again**\n\n[05-Jun-18 07:12 AM] not me\nsame\n\n{Attachments}\nhttps://x.example/a.png\n\n{Reactions}\n👍 \n\n[05-Jun-18 07:14 AM] kim#0001 (pinned)\nmine\n\n[05-Jun-18 07:15 AM] kim#0001\n\n{Embed}\ntitle\n\nwords\n\n",
        );
        let found = read_text(&DiscordText, &text, "repair.txt");
        let table = "Author,Date,Content,Attachments,Reactions\nsam#1234,05-Jun-18 07:13 AM,\"flat **again**\n\n[05-Jun-18 07:12 AM] not me\nsame\",,\nkim#0001,05-Jun-18 07:14 AM,mine,,\n";
        let same = read_text(&DiscordCsv, table, "Yard - Text - repair [123456789012345678].csv");
        let ids = |found: &[Result<Record, BadRecord>]| -> Vec<String> {
            let id = |r: &Result<Record, BadRecord>| match r {
                Ok(Record::Post(post)) => Some(format!("{} {:?} {:?}", post.id, post.author, post.written_at)),
                _ => None,
            };
            found.iter().filter_map(id).collect()
        };
        assert_eq!(ids(&found), ids(&same));
        assert_eq!((ids(&found).len(), reasons(&found)), (2, vec!["only embeds"]));
        assert!(matches!(&found[0], Ok(Record::Thread(t)) if t.title == "repair" && t.community == "Yard"));
    }

    #[test]
    fn accounts_without_a_number_write_beside_those_that_have_one() {
        let texts = |found: &[Result<Record, BadRecord>]| -> Vec<String> {
            found.iter().filter_map(|r| if let Ok(Record::Post(p)) = r { Some(p.text.clone()) } else { None }).collect()
        };
        let text = export(
            3,
            "[01/11/2024 15:10] MEE6#4876\nWelcome!\n\n[01/11/2024 15:09] pasted\nhis\n\n[01/11/2024 15:11] sam\nit drips\n\n[01/11/2024 15:11] kim\nhere too\n",
        );
        let found = texts(&read_text(&DiscordText, &text, "x.txt"));
        assert_eq!(found, ["Welcome!\n\n[01/11/2024 15:09] pasted\nhis", "it drips", "here too"]);
        let text = export(
            3,
            "[03/11/2024 01:59] MEE6#4876\nLate.\n\n[03/11/2024 01:01] sam\nset back\n\n[03/11/2024 09:00] kim\nyes\n",
        );
        assert_eq!(texts(&read_text(&DiscordText, &text, "x.txt")), ["Late.", "set back", "yes"]);
        let text = export(2, "[02/11/2024 15:10] MEE6#4876\nBye!\n\n[01/11/2024 15:12] sam\nthe newest first\n");
        assert_eq!(texts(&read_text(&DiscordText, &text, "x.txt")), ["Bye!", "the newest first"]);
    }

    #[test]
    fn a_file_whose_dates_cannot_be_read_is_refused() {
        for date in ["2022-11-01 오후 3:10", "2022/11/1 下午 03:10", "2022. 11. 01. 15:10", "1. 11. 2022 15:10"] {
            let found = read_text(&DiscordText, &export(1, &format!("[{date}] sam\nit drips\n")), "x.txt");
            assert!(matches!(&found[..], [Err(bad)] if bad.is_refusal() && bad.reason == UNDATED), "{date}: {found:?}");
        }
        assert!(read_text(&DiscordText, &export(0, ""), "x.txt").is_empty());
        let long = format!("{RULE}\nGuild: Yard\nChannel: Text / repair\nTopic: {}\n", "x".repeat(MAX_RECORD_BYTES));
        assert_eq!(
            reasons(&read_text(&DiscordText, &long, "x.txt")),
            ["a line of more than 16 MiB before the first message"]
        );
    }

    #[test]
    fn a_date_that_contradicts_those_above_it_is_told() {
        let above = "[02/01/2026 1:10 pm] sam\nit drips\n\n".repeat(2000);
        let found =
            read_text(&DiscordText, &export(2001, &format!("{above}[13/01/2026 1:10 pm] kim\nhere too\n")), "x.txt");
        assert_eq!(reasons(&found), [TURNED]);
        let last = found.iter().rev().find_map(|r| if let Ok(Record::Post(p)) = r { p.written_at } else { None });
        assert_eq!(last.map(|at| at.to_string()).as_deref(), Some("2026-01-13T13:10:00Z"));
        assert_eq!(found.iter().filter(|r| matches!(r, Ok(Record::Notice(_)))).count(), 1);
    }

    #[test]
    fn a_file_cut_off_keeps_what_stands_and_says_so() {
        let messages = "[01/11/2022 15:10] sam\none\n\n[01/11/2022 15:11] kim\ntw\n";
        let whole = export(2, messages);
        let old = |said| {
            format!(
                "{RULE}\nGuild: Yard\nChannel: repair\nTopic: \nMessages: {said}\nRange: \n{RULE}\n\n{messages}\n\n"
            )
        };
        let other = |said| {
            format!(
                "the file says that it holds {said} messages, and 2 were read: it was cut off or changed; export the channel again"
            )
        };
        // Of an export without a category nobody knows whether it should have a footer.
        let unsaid = old("").replace("Messages: \nRange: \n", "");
        for (text, told) in [
            (whole.clone(), vec![]),
            (whole[..whole.find("tw").unwrap() + 2].to_owned(), vec![CUT_OFF.to_owned()]),
            (whole[..whole.find("Exported").unwrap()].to_owned(), vec![CUT_OFF.to_owned()]),
            (export(1000, messages).replace("1000", "1,000"), vec![other(1000)]),
            (old("2"), vec![]),
            (old("100"), vec![other(100)]),
            (unsaid, vec![]),
        ] {
            let found = read_text(&DiscordText, &text, "x.txt");
            assert_eq!(reasons(&found), told, "{text}");
            let last =
                found.iter().rev().find_map(|r| if let Ok(Record::Post(p)) = r { Some(p.text.as_str()) } else { None });
            assert_eq!(last, Some("tw"));
        }
    }

    #[test]
    fn a_line_that_somebody_drew_ends_nothing() {
        let text = export(2, &format!("[01/11/2022 15:10] sam\none\n\n{RULE}\ntwo\n\n[01/11/2022 15:11] kim\nthree\n"));
        let found = read_text(&DiscordText, &text, "x.txt");
        let texts: Vec<_> = found
            .iter()
            .filter_map(|r| if let Ok(Record::Post(p)) = r { Some(p.text.as_str()) } else { None })
            .collect();
        assert!(matches!(texts[..], [one, "three"] if one.ends_with("two")), "{texts:?}");
        assert!(reasons(&found).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn damage_makes_no_chat_panic_or_lose_a_thread(bytes in prop::collection::vec(any::<u8>(), 0..60), cut in 0..400_usize) {
            let text = export(2, "[05-Jun-18 07:13 AM] sam#1234\nflat **again**\n\n{Embed}\nx\n\n[05-Jun-18 07:14 AM] kim#0001\nmine");
            let seeds: [&[u8]; 5] = [
                text.as_bytes(),
                b"AuthorID;Author;Date;Content;Attachments;Reactions;\n\"7\";\"sam\";\"05-Jun-18 07:13 AM\";\"a\nb\";\"\";\"\";\n",
                b"<!DOCTYPE html><style>.chatlog__message{}</style><body><div class=preamble__entry>Yard</div><div class=chatlog__message-group><div data-message-id=175928847299117063><span class=chatlog__author title=sam></span><div class=chatlog__content>flat <b>again</b></div></div></div>",
                br#"[{"type":"message","user":"U1","text":"a <@U2|kim> *b*","ts":"1736478514.897649","thread_ts":"1736478514.897649"},{"type":"message","user":"U1","text":"b","ts":"1736478515.897649"}]"#,
                br#"[{"ID":1468310612869120001,"Timestamp":"2026-02-03 18:22:10","Contents":"flat","Attachments":""}]"#,
            ];
            for seed in seeds {
                survives_damage(seed, &bytes, cut, "x.csv")?;
            }
        }
    }
}
