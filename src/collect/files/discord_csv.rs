//! DiscordChatExporter's CSV, of 2019 (`;`) and later (`,`): `AuthorID,Author,Date,Content,Attachments,Reactions`.
//!
//! Which channel it is stands in the file's name only.

use std::io::BufRead;

use super::{BadRecord, Format, Place, Records, each_beside, open};
use crate::collect::Context;
use crate::collect::wire::discord::{Channel, Dates, TURNED, Transcript};
use crate::files::rows::{Row, Rows, delimiter};

/// The format.
pub(super) struct DiscordCsv;

const UNDATED: &str =
    "a date that is spelled in a way that is not known: export the channel as JSON, or with the locale en-US";

/// The columns that are read, by their place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    delimiter: u8,
    author: usize,
    date: usize,
    content: usize,
    attachments: Option<usize>,
}

impl Format for DiscordCsv {
    fn name(&self) -> &'static str {
        "DiscordChatExporter CSV"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        columns(head).is_some()
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let (head, input) = match open::head(input) {
            Ok(opened) => opened,
            Err(bad) => return Box::new(std::iter::once(Err(bad))),
        };
        let Some(columns) = columns(&head) else { return Box::new(std::iter::empty()) };
        let rows = Rows::new(&head[..], columns.delimiter).skip(1).filter_map(Result::ok);
        let mut dates = Dates::seen_in(rows.filter_map(|(_, _, cells)| cells.into_iter().nth(columns.date)));
        let mut transcript = Transcript::of(Channel::of_place(place), &dates);
        let mut read = move |row: Result<Row, BadRecord>| {
            let (number, byte, cells) = row?;
            let cell = |at: usize| cells.get(at).map(String::as_str);
            let (Some(name), Some(date), Some(content)) =
                (cell(columns.author), cell(columns.date), cell(columns.content))
            else {
                return Err(BadRecord::new(number, byte, "fewer cells than columns"));
            };
            let turned = dates.turn(date).then(|| BadRecord::new(number, byte, TURNED));
            let Some(when) = dates.read(date) else {
                return Err(BadRecord::new(number, byte, UNDATED));
            };
            let attached = columns.attachments.and_then(cell).is_some_and(|a| !a.trim().is_empty());
            let found =
                transcript.tell(ctx, (name, when, content), if attached { "only attachments" } else { "empty" });
            Ok((found, turned))
        };
        let rows = Rows::new(input, columns.delimiter).skip(1);
        Box::new(rows.flat_map(move |row| each_beside(read(row))))
    }
}

/// The columns of a file that begins with `head`, if it is one of these.
fn columns(head: &[u8]) -> Option<Columns> {
    let delimiter = delimiter(head, b",;")?;
    let (_, _, names) = Rows::new(head, delimiter).next()?.ok()?;
    let at = |name: &str| names.iter().position(|n| n.trim() == name);
    // `Reactions` and `Content` tell it from a table of somebody's own.
    at("Reactions")?;
    Some(Columns {
        delimiter,
        author: at("Author")?,
        date: at("Date")?,
        content: at("Content")?,
        attachments: at("Attachments"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{context, read_text, reasons};
    use crate::collect::wire::Record;

    const OLD: &str = "AuthorID;Author;Date;Content;Attachments;Reactions;\n\"7\";\"sam#1234\";\"05-Jun-18 07:13 AM\";\"flat **again**\n\n> his\nsame\";\"\";\"👍 (1)\";\n\"7\";\"sam#1234\";\"05-Jun-18 07:13 AM\";\"lol\";\"\";\"\";\n\"7\";\"sam#1234\";\"05-Jun-18 07:13 AM\";\"lol\";\"\";\"\";\n\"8\";\"kim#0000\";\"05-Jun-18 07:14 AM\";\"Joined the server.\";\"\";\"\";\n\"8\";\"kim#0000\";\"05-Jun-18 07:15 AM\";\"\";\"https://x.example/a.png\";\"\";\n";

    #[test]
    fn both_delimiters_give_the_same_posts() {
        let old = read_text(&DiscordCsv, OLD, "Yard - Text - repair [123456789012345678].csv");
        let [Ok(Record::Thread(thread)), Ok(Record::Post(one)), Ok(Record::Post(two)), Ok(Record::Post(three)), ..] =
            &old[..]
        else {
            panic!("{old:?}")
        };
        assert_eq!((thread.id.as_str(), thread.title.as_str()), ("discord:123456789012345678", "repair"));
        assert_eq!((one.text.as_str(), one.flags.quoted, one.community.as_str()), ("flat again\nsame", true, "Yard"));
        assert_eq!(one.author, context().author("discord", "sam#1234"));
        assert_eq!(one.written_at.map(|t| t.to_string()).as_deref(), Some("2018-06-05T07:13:00Z"));
        assert_eq!(three.id.as_str(), format!("{}.2", two.id));
        assert_eq!(reasons(&old), ["system message", "only attachments"]);
        let new = OLD.replace(";\n", "\n").replace(';', ",").replace("\r", "");
        assert_eq!(read_text(&DiscordCsv, &new, "Yard - Text - repair [123456789012345678].csv"), old);
    }

    #[test]
    fn a_date_that_contradicts_those_above_it_is_told() {
        let rows = |dates: &[&str]| {
            let rows = dates.iter().map(|date| format!("7,sam,{date},it drips,,\n")).collect::<String>();
            let head = "AuthorID,Author,Date,Content,Attachments,Reactions\n";
            read_text(&DiscordCsv, &format!("{head}{rows}"), "Yard - Text - repair [123456789012345678].csv")
        };
        let days = |found: &[Result<Record, BadRecord>]| -> Vec<String> {
            let day = |r: &_| match r {
                Ok(Record::Post(post)) => post.written_at.map(|at| at.strftime("%F").to_string()),
                _ => None,
            };
            found.iter().filter_map(day).collect()
        };
        let found = rows(&["03/01/2026 1:10 pm"]);
        assert!(matches!(&found[..], [Ok(Record::Thread(_)), Ok(Record::Post(_)), Ok(Record::Notice(_))]), "{found:?}");
        // One a month by either reading, and what tells comes after the head.
        let mut dates = vec!["02/01/2026 1:10 pm"; 2000];
        dates.push("13/01/2026 1:10 pm");
        dates.push("02/03/2026 1:10 pm");
        let found = rows(&dates);
        assert_eq!(reasons(&found), [TURNED]);
        assert_eq!(days(&found)[1999..], ["2026-02-01", "2026-01-13", "2026-03-02"]);
    }

    #[test]
    fn ids_tell_nobody_without_the_key_who_wrote() {
        let place = Place::on_disk(std::path::Path::new("Yard - Text - repair [123456789012345678].csv"));
        let ids = |author_key| -> Vec<String> {
            let ctx = Context { author_key, ..context() };
            let found = DiscordCsv.read(Box::new(OLD.as_bytes()), &place, &ctx);
            found.filter_map(|r| if let Ok(Record::Post(p)) = r { Some(p.id.to_string()) } else { None }).collect()
        };
        assert_eq!(ids([7; 32]), ids([7; 32]));
        assert!(ids([7; 32]).iter().zip(ids([8; 32])).all(|(one, other)| *one != other));
    }

    #[test]
    fn rows_that_are_none_say_why() {
        let text = "AuthorID,Author,Date,Content,Attachments,Reactions\n1,a\n1,a,soon,words,,\n1,a,2022-01-01T00:00:00Z,\"words";
        let found = read_text(&DiscordCsv, text, "x.csv");
        assert_eq!(
            reasons(&found),
            [
                "fewer cells than columns",
                UNDATED,
                "a quotation mark in the row that begins on line 4 is never closed: close it, or write it twice; this row was left out, and what follows was read where a line is a row by itself"
            ]
        );
        assert!(!DiscordCsv.sniff(b"Author,Date,Content\na,b,c\n", &Place::on_disk(std::path::Path::new("x.csv"))));
    }
}
