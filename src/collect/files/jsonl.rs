//! Candor's own plain format: one post a line, `{"id", "text", "author"?, "written_at"?, "url"?, "thread"?, "title"?,
//! "parent"?, "community"?, "bot"?}`.
//!
//! The text is kept exactly as given. Ids count within their community, which is the file's name unless said otherwise.
//!
//! Lines that say more than these ten are somebody else's: they are read as rows of a table, by the usual names of columns.

use std::io::BufRead;

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{Format, Place, Records, each_line, json, open, table};
use crate::collect::Context;
use crate::collect::wire::{Record, Unreadable, clean, instant, is_future, lenient};
use crate::files::dates::{Dates, When};
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};

/// The format.
pub(super) struct PlainLines;

impl Format for PlainLines {
    fn name(&self) -> &'static str {
        "JSON lines of {id, text, …}"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        has_line(head, |keys| keys("id") && keys("text"))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let (head, input) = match open::head(input) {
            Ok(opened) => opened,
            Err(bad) => return Box::new(std::iter::once(Err(bad))),
        };
        let stem = place.name();
        let stem = stem.split('.').next().filter(|s| !s.is_empty()).unwrap_or("jsonl").to_owned();
        let own = !head.split(|b| *b == b'\n').any(is_of_others);
        let rows = table::Lines::of(&head, &stem, ctx);
        each_line(input, move |line| match own.then(|| json(line)) {
            Some(Ok(own)) => records(ctx, &stem, own),
            _ => rows.records(line),
        })
    }
}

/// Whether a line is an object that says what this format does not know.
fn is_of_others(line: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(line).is_ok() && json::<Line>(line).is_err()
}

/// Whether some line of `head` is a JSON object with the keys that `wanted` asks for. Of a line that does not end in `head`
/// the keys up to there count.
pub(super) fn has_line(head: &[u8], wanted: impl Fn(&dyn Fn(&str) -> bool) -> bool) -> bool {
    let mut lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|l| l.starts_with(b"{")).peekable();
    while let Some(line) = lines.next() {
        let is_last = lines.peek().is_none();
        match serde_json::from_slice::<Map<String, Value>>(line) {
            Ok(object) if wanted(&|key| object.contains_key(key)) => return true,
            Err(error) if error.is_eof() && is_last => {
                let keys = first_keys(line);
                return wanted(&|key| keys.contains(&key.as_bytes()));
            }
            _ => {}
        }
    }
    false
}

/// The object's own keys in JSON that is cut off somewhere.
fn first_keys(json: &[u8]) -> Vec<&[u8]> {
    let mut keys = Vec::new();
    let (mut depth, mut escaped, mut opened) = (0_usize, false, None);
    let mut last = None;
    for (at, byte) in json.iter().enumerate() {
        match (opened, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(from), b'"') => {
                last = Some(&json[from + 1..at]);
                opened = None;
            }
            (Some(_), _) => {}
            (None, b'"') => opened = Some(at),
            (None, b'{' | b'[') => depth += 1,
            (None, b'}' | b']') => depth = depth.saturating_sub(1),
            (None, b':') if depth == 1 => keys.extend(last.take()),
            _ => {}
        }
    }
    keys
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Line {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    text: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    author: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    written_at: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    url: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    thread: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    title: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    parent: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    community: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    bot: bool,
}

fn records(ctx: &Context, stem: &str, line: Line) -> Result<Vec<Record>, Unreadable> {
    let given = |field: Option<String>| field.map(clean).filter(|f| !f.trim().is_empty());
    let id = given(line.id).ok_or_else(|| Unreadable("no id".to_owned()))?;
    let Some(text) = line.text else {
        return Err(Unreadable("no text".to_owned()));
    };
    let community = given(line.community).or_else(|| ctx.community.clone()).unwrap_or_else(|| stem.to_owned());
    let native = |id: &str| format!("jsonl:{community}:{id}");
    let text = clean(text);
    if text.trim().is_empty() {
        return Ok(vec![Record::Skipped { id: native(&id), reason: "empty" }]);
    }
    // Posts that name no thread stand in one for the whole community: to make each a thread of its own would feign
    // independent conversations.
    let thread = given(line.thread);
    let thread = Thread {
        id: ThreadId::new(thread.as_deref().map_or_else(|| format!("jsonl:{community}"), native)),
        source: Source::Jsonl,
        community: community.clone(),
        title: given(line.title).or(thread).unwrap_or_default(),
        url: None,
        started_at: None,
    };
    let written_at = match given(line.written_at) {
        None => None,
        Some(text) => {
            let dates = Dates { zone: ctx.zone.clone(), order: None };
            let read = dates.parse(&text).ok().map(When::start).or_else(|| instant(text.trim().parse().ok()?));
            Some(read.ok_or_else(|| {
                Unreadable("written_at is no date; write it as 2026-06-30 or 2026-06-30T12:00:00Z".to_owned())
            })?)
        }
    };
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
    let post = Post {
        id: PostId::new(native(&id)),
        thread: thread.id.clone(),
        parent: given(line.parent).map(|p| PostId::new(native(&p))),
        source: Source::Jsonl,
        author: ctx.author(&format!("jsonl:{community}"), line.author.as_deref().unwrap_or_default().trim()),
        community,
        written_at,
        edited_at: None,
        url: given(line.url).filter(|url| Url::parse(url).is_ok_and(|url| is_web(&url))),
        text,
        flags: PostFlags { bot: line.bot, quoted: false, future: is_future(written_at, ctx.now) },
    };
    Ok(vec![Record::Thread(thread), Record::Post(post)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{context, read_text, reasons};

    #[test]
    fn a_line_is_a_post_and_its_text_stays() {
        let text = "{\"id\":1,\"text\":\" as is \\n\",\"author\":\"Sam\",\"written_at\":\"2026-03-01\",\"url\":\"https://x.example/1\",\"thread\":\"t1\",\"title\":\"T\"}\n{\"id\":\"2\",\"text\":\"b\",\"parent\":1,\"url\":\"javascript:x\",\"written_at\":4000000000}\n";
        let found = read_text(&PlainLines, text, "vans.jsonl");
        let [Ok(Record::Thread(thread)), Ok(Record::Post(one)), Ok(Record::Thread(rest)), Ok(Record::Post(two))] =
            &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!((thread.id.as_str(), thread.title.as_str()), ("jsonl:vans:t1", "T"));
        assert_eq!((one.id.as_str(), one.text.as_str(), one.url.is_some()), ("jsonl:vans:1", " as is \n", true));
        assert_eq!(one.author, context().author("jsonl:vans", "Sam"));
        assert_eq!((rest.id.as_str(), two.parent.as_ref()), ("jsonl:vans", Some(&one.id)));
        assert_eq!((two.flags.future, two.url.as_deref()), (true, None));
    }

    #[test]
    fn lines_that_say_more_are_read_by_the_usual_names() {
        let text = "{\"id\":\"2\",\"text\":\"<p>It <b>leaks</b></p><blockquote>hers</blockquote>\",\"user_name\":\"zoe\",\"parent_id\":\"1\",\"created_at\":\"2026-03-01T12:00:00Z\"}\n{\"id\":\"1\",\"text\":\"[removed]\",\"deleted\":true}\n{\"id\":\"3\",\"text\":\"<p>here</p>\"}\n5\n";
        assert!(PlainLines.sniff(text.as_bytes(), &Place::on_disk(std::path::Path::new("vans.jsonl"))));
        let found = read_text(&PlainLines, text, "vans.jsonl");
        let [
            Ok(Record::Thread(_)),
            Ok(Record::Post(one)),
            Ok(gone),
            Ok(Record::Thread(_)),
            Ok(Record::Post(two)),
            Err(_),
        ] = &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!((one.id.as_str(), one.text.as_str(), one.flags.quoted), ("jsonl:vans:2", "It leaks", true));
        assert_eq!(one.author, context().author("jsonl:vans", "zoe"));
        assert_eq!(one.parent.as_ref().map(PostId::as_str), Some("jsonl:vans:1"));
        assert_eq!(one.written_at.map(|at| at.to_string()).as_deref(), Some("2026-03-01T12:00:00Z"));
        assert_eq!((gone, two.text.as_str()), (&Record::Removed(PostId::new("jsonl:vans:1")), "here"));
        // Also where the first of them comes after the file's head.
        let own = "{\"id\":\"1\",\"text\":\"<p>as is</p>\"}\n".repeat(3000);
        let found = read_text(&PlainLines, &format!("{own}{text}"), "vans.jsonl");
        assert!(matches!(&found[1], Ok(Record::Post(post)) if post.text == "<p>as is</p>"));
        assert!(found.contains(&Ok(Record::Post(one.clone()))));
    }

    #[test]
    fn a_date_without_a_zone_is_of_the_one_that_was_chosen() {
        let ctx =
            Context { zone: crate::collect::Zone::new(jiff::tz::TimeZone::fixed(jiff::tz::offset(-5))), ..context() };
        let line = serde_json::from_str(r#"{"id":"1","text":"a","written_at":"2026-03-01 10:00:00"}"#).unwrap();
        let found = records(&ctx, "vans", line).unwrap();
        let Record::Post(post) = &found[1] else { panic!("{found:?}") };
        assert_eq!(post.written_at.map(|at| at.to_string()).as_deref(), Some("2026-03-01T15:00:00Z"));
        assert_eq!(ctx.zone.met(), 1);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let text = "{\"id\":1}\n{\"text\":\"a\"}\n{\"id\":2,\"text\":\" \"}\n{\"id\":3,\"text\":\"a\",\"written_at\":\"soon\"}\nnonsense\n";
        let found = read_text(&PlainLines, text, "x.jsonl");
        assert_eq!(reasons(&found)[..3], ["no text", "no id", "empty"]);
        assert_eq!(found.iter().filter(|r| r.is_err()).count(), 4);
    }

    #[test]
    fn one_good_line_in_the_head_is_enough() {
        assert!(PlainLines.sniff(
            b"garbage\n\n{\"id\":1,\"te\n{\"id\":1,\"text\":\"a\"}\n",
            &Place::on_disk(std::path::Path::new("x"))
        ));
        assert!(
            PlainLines.sniff(b"{\"id\":1,\"text\":\"a line that goes on", &Place::on_disk(std::path::Path::new("x")))
        );
        let of_another_kind = b"{\"id\":1,\"messages\":[{\"id\":2,\"text\":\"cut off";
        assert!(!PlainLines.sniff(of_another_kind, &Place::on_disk(std::path::Path::new("x"))));
        assert!(!PlainLines.sniff(b"{\"id\":1}\n[]", &Place::on_disk(std::path::Path::new("x"))));
    }
}
