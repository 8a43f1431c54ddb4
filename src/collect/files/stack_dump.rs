//! Stack Exchange's data dump: `Posts.xml` and `Comments.xml`, one row a line.

use std::collections::HashMap;
use std::io::BufRead;

use quick_xml::XmlVersion;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::{Format, Place, Records, each_line, lines};
use crate::collect::Context;
use crate::collect::wire::stack_exchange::{Kind, Site, Told, records};
use crate::collect::wire::{Record, Unreadable, parse_instant};
use crate::text::html::html_to_text;
use crate::text::markdown::markdown_to_text;

/// The format.
pub(super) struct StackDump;

impl Format for StackDump {
    fn name(&self) -> &'static str {
        "Stack Exchange data dump (Posts.xml, Comments.xml)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        table(head).is_some_and(|table| matches!(table, "posts" | "comments"))
    }

    fn accompanies(&self, head: &[u8], _place: &Place) -> bool {
        let others = ["users", "badges", "votes", "tags", "posthistory", "postlinks"];
        table(head).is_some_and(|table| others.contains(&table))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let site = Site::of_folder(ctx, place.folder().as_deref());
        // An answer's comments belong to the question's thread, which only the posts tell.
        let mut questions = None;
        each_line(input, move |line| {
            let Some(row) = row(line)? else { return Ok(Vec::new()) };
            let told = if row.contains_key("PostId") {
                let questions = questions.get_or_insert_with(|| answers(place));
                comment(&row, questions)
            } else {
                post(&row)
            };
            match told {
                Ok(told) => Ok(records(ctx, &site, &told)),
                Err(Left::Unreadable(reason)) => Err(Unreadable(reason.to_owned())),
                Err(Left::Skipped(id, reason)) => {
                    Ok(vec![Record::Skipped { id: format!("stack_exchange:{}:{id}", site.name), reason }])
                }
            }
        })
    }
}

enum Left {
    Unreadable(&'static str),
    Skipped(u64, &'static str),
}

/// The table that a file begins with, when it is one of the dump's.
fn table(head: &[u8]) -> Option<&'static str> {
    let head = String::from_utf8_lossy(&head[..head.len().min(4096)]);
    let rest = head.trim_start();
    let rest = if rest.starts_with("<?xml") { rest.split_once("?>")?.1.trim_start() } else { rest };
    let (name, rest) = rest.strip_prefix('<')?.split_once('>')?;
    let tables = ["posts", "comments", "users", "badges", "votes", "tags", "posthistory", "postlinks"];
    let table = tables.into_iter().find(|t| name.trim().eq_ignore_ascii_case(t))?;
    let rest = rest.trim_start();
    (rest.starts_with("<row ") && rest.contains("Id=\"")).then_some(table)
}

type Row = HashMap<String, String>;

/// The attributes of a `<row … />`; `None` for a line without one.
fn row(line: &[u8]) -> Result<Option<Row>, Unreadable> {
    let line = std::str::from_utf8(line).map_err(|_| Unreadable("not UTF-8".to_owned()))?;
    let Some(from) = line.find("<row ") else { return Ok(None) };
    let broken = || {
        let whole = line.trim_end().ends_with('>');
        let why = if whole {
            "not the expected XML"
        } else {
            "a row that does not end: the file was cut off, download it again"
        };
        Unreadable(why.to_owned())
    };
    let mut reader = Reader::from_str(&line[from..]);
    let Ok(Event::Empty(tag) | Event::Start(tag)) = reader.read_event() else {
        return Err(broken());
    };
    let mut row = Row::new();
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| broken())?;
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|_| broken())?;
        row.insert(attribute.key.0.to_owned(), value.into_owned());
    }
    Ok(Some(row))
}

fn number(row: &Row, key: &str) -> Option<u64> {
    row.get(key)?.parse().ok()
}

fn post(row: &Row) -> Result<Told, Left> {
    let id = number(row, "Id").ok_or(Left::Unreadable("a row without an id"))?;
    let kind = match row.get("PostTypeId").map(String::as_str) {
        Some("1") => Kind::Question,
        Some("2") => {
            let question = number(row, "ParentId");
            Kind::Answer { question: question.ok_or(Left::Unreadable("an answer that names no question"))? }
        }
        _ => return Err(Left::Skipped(id, "neither question nor answer")),
    };
    Ok(Told {
        id,
        kind,
        title: row.get("Title").cloned().unwrap_or_default(),
        plain: html_to_text(row.get("Body").map_or("", String::as_str)),
        author: author(row, "OwnerUserId", "OwnerDisplayName"),
        bot: row.get("OwnerUserId").is_some_and(|id| id == "-1"),
        written_at: row.get("CreationDate").and_then(|d| parse_instant(d)),
        edited_at: row.get("LastEditDate").and_then(|d| parse_instant(d)),
        url: None,
    })
}

fn comment(row: &Row, questions: &[(u32, u32)]) -> Result<Told, Left> {
    let id = number(row, "Id").ok_or(Left::Unreadable("a row without an id"))?;
    let post = number(row, "PostId").ok_or(Left::Unreadable("a comment that names no post"))?;
    let at = questions.binary_search_by_key(&post, |(answer, _)| u64::from(*answer)).ok();
    let question = at.map(|at| u64::from(questions[at].1));
    Ok(Told {
        id,
        kind: Kind::Comment { post, question },
        title: String::new(),
        plain: markdown_to_text(row.get("Text").map_or("", String::as_str)),
        author: author(row, "UserId", "UserDisplayName"),
        bot: row.get("UserId").is_some_and(|id| id == "-1"),
        written_at: row.get("CreationDate").and_then(|d| parse_instant(d)),
        edited_at: None,
        url: None,
    })
}

fn author(row: &Row, id: &str, name: &str) -> Option<String> {
    row.get(id).or_else(|| row.get(name)).cloned()
}

/// Each answer in the `Posts.xml` beside with its question, by number. Of a site of any size no more than that is held.
fn answers(place: &Place) -> Vec<(u32, u32)> {
    let found = place.look_beside("Posts.xml", |posts| {
        let (mut lines, mut found) = (lines::Lines::new(posts), Vec::new());
        while let Some(line) = lines.next_line() {
            let number = |key| line.as_ref().ok().and_then(|(_, _, line)| attribute(line, key));
            found.extend(number(" Id=\"").zip(number(" ParentId=\"")));
        }
        found.sort_unstable();
        found
    });
    found.unwrap_or_default()
}

/// The number behind `key`, as ` Id="` spells it. In the values of attributes a quotation mark is written otherwise.
fn attribute(line: &[u8], key: &str) -> Option<u32> {
    let at = line.windows(key.len()).position(|part| part == key.as_bytes())? + key.len();
    let digits = line[at..].split(|b| *b == b'"').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{read_text, reasons};

    const POSTS: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<posts>\n  <row Id=\"1\" PostTypeId=\"1\" CreationDate=\"2026-03-01T12:00:00.000\" Body=\"&lt;p&gt;It drips.&lt;/p&gt;&#xA;&lt;pre&gt;&lt;code&gt;a &amp;lt; b&#xA;&lt;/code&gt;&lt;/pre&gt;&#xA;\" OwnerUserId=\"7\" LastEditDate=\"2026-03-02T00:00:00.000\" Title=\"Why &lt;div&gt; drips\" />\n  <row Id=\"2\" PostTypeId=\"2\" ParentId=\"1\" CreationDate=\"2026-03-01T13:00:00.000\" Body=\"&lt;blockquote&gt;&lt;p&gt;It drips.&lt;/p&gt;&lt;/blockquote&gt;&lt;p&gt;Mine too.&lt;/p&gt;\" OwnerDisplayName=\"sam\" />\n  <row Id=\"3\" PostTypeId=\"5\" CreationDate=\"2026-03-01T13:00:00.000\" Body=\"wiki\" />\n  <row Id=\"4\" PostTypeId=\"2\" Body=\"x\" />\n  <row Id=\"5\" Post\n</posts>\n";

    #[test]
    fn questions_and_answers_are_read() {
        let place = Place::on_disk(std::path::Path::new("pumps.example/Posts.xml"));
        assert!(StackDump.sniff(POSTS.as_bytes(), &place));
        let found = read_text(&StackDump, POSTS, "pumps.example/Posts.xml");
        let [Ok(Record::Thread(thread)), Ok(Record::Post(one)), Ok(Record::Thread(_)), Ok(Record::Post(two)), ..] =
            &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!((thread.id.as_str(), thread.title.as_str()), ("stack_exchange:pumps.example:1", "Why <div> drips"));
        assert_eq!(one.text, "Why <div> drips\n\nIt drips.\n\n```\na < b\n```");
        assert_eq!(one.url.as_deref(), Some("https://pumps.example/questions/1"));
        assert_eq!((one.written_at.is_some(), one.edited_at.is_some()), (true, true));
        assert_eq!((two.text.as_str(), two.flags.quoted, two.parent.as_ref()), ("Mine too.", true, Some(&one.id)));
        assert_eq!(two.thread, thread.id);
        assert_eq!(
            reasons(&found),
            [
                "neither question nor answer",
                "an answer that names no question",
                "a row that does not end: the file was cut off, download it again"
            ]
        );
    }

    #[test]
    fn comments_stand_in_the_thread_of_the_question() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("Posts.xml"), POSTS).unwrap();
        let path = folder.path().join("Comments.xml");
        let comments = "<comments>\n<row Id=\"9\" PostId=\"2\" Text=\"Which [pump](http://x.example)?\" CreationDate=\"2026-03-01T14:00:00.000\" UserId=\"8\" />\n</comments>";
        let found = read_text(&StackDump, comments, path.to_str().unwrap());
        let Ok(Record::Post(post)) = &found[1] else { panic!("{found:?}") };
        assert!(post.thread.as_str().ends_with(":1") && post.id.as_str().ends_with(":c9"), "{post:?}");
        assert_eq!(post.text, "Which pump?");
    }

    #[test]
    fn tables_without_posts_only_accompany() {
        let place = Place::on_disk(std::path::Path::new("Votes.xml"));
        let votes = b"<?xml version=\"1.0\"?><votes>\n<row Id=\"1\" PostId=\"1\" />\n";
        assert!(!StackDump.sniff(votes, &place) && StackDump.accompanies(votes, &place));
        assert!(!StackDump.accompanies(b"<votes><p>x</p>", &place));
    }
}
