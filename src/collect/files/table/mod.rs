//! Plain tables (CSV) and plain JSON of posts, whose columns a map or their usual names tell.

mod columns;

use std::io::BufRead;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;
use url::Url;

use super::values::values;
use super::{BadRecord, Format, Place, Records, json, open};
use crate::collect::Context;
use crate::collect::wire::{Record, Unreadable, clean, is_future};
use crate::files::dates::{Dates, NoDate, Order};
use crate::files::rows::{Rows, delimiter};
use crate::model::id::content_hash;
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::{Plain, html_to_text};

use columns::{Columns, Field};

pub use columns::Map;

/// The format. With a map, only files that have all its columns are meant.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    map: Option<Arc<Map>>,
}

impl Table {
    /// By the usual names.
    pub(super) const PLAIN: Self = Self { map: None };

    /// By a map.
    pub(super) fn by(map: Arc<Map>) -> Self {
        Self { map: Some(map) }
    }

    fn columns(&self, names: &[String]) -> Result<Columns, String> {
        Columns::find(names, self.map.as_deref())
    }

    /// Why a file that looks like a table is not read; `None` for one that does not.
    pub(super) fn refusal(&self, head: &[u8]) -> Option<String> {
        let layout = Layout::of(head).filter(|layout| self.map.is_some() || (!layout.lone && layout.is_plain()))?;
        self.columns(&layout.names).err()
    }
}

impl Format for Table {
    fn name(&self) -> &'static str {
        if self.map.is_some() { "CSV or JSON by a map" } else { "CSV, JSON lines or a JSON array of posts" }
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let meant = |layout: &Layout| self.map.is_some() || (!layout.lone && layout.is_worded());
        Layout::of(head).is_some_and(|layout| meant(&layout) && self.columns(&layout.names).is_ok())
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let refused = |reason: String| -> Records<'a> { Box::new(std::iter::once(Err(BadRecord::new(1, 0, reason)))) };
        let (head, input) = match open::head(input) {
            Ok(opened) => opened,
            Err(bad) => return refused(bad.reason),
        };
        let Some(layout) = Layout::of(&head) else { return refused("no table of posts".to_owned()) };
        let stem = place.name().split('.').next().unwrap_or_default().to_owned();
        let unnamed = ctx.community.clone().unwrap_or(if stem.is_empty() { "table".to_owned() } else { stem });
        let map = self.map.clone();
        let order = map.as_deref().and_then(Map::order).or_else(|| layout.order());
        let reading = Reading { ctx, unnamed, dates: Dates { zone: ctx.zone.clone(), order } };
        let Some(delimiter) = layout.delimiter else {
            let found = values(input).flat_map(move |value| match value {
                Ok((record, byte, value)) => laid_out(reading.object(&value, map.as_deref()), record, byte),
                Err(bad) => vec![Err(bad)],
            });
            return Box::new(found);
        };
        let columns = match Columns::find(&layout.names, map.as_deref()) {
            Ok(columns) => columns,
            Err(reason) => return refused(reason),
        };
        Box::new(Rows::new(input, delimiter).skip(1).flat_map(move |row| match row {
            Ok((record, byte, cells)) => laid_out(reading.records(&columns, &cells), record, byte),
            Err(bad) => vec![Err(bad)],
        }))
    }
}

/// Lines of objects whose columns their usual names tell.
pub(super) struct Lines<'a>(Reading<'a>);

impl<'a> Lines<'a> {
    /// Those of a file that begins with `head` and is called `stem`.
    pub(super) fn of(head: &[u8], stem: &str, ctx: &'a Context) -> Self {
        let order = Layout::of(head).and_then(|layout| layout.order());
        let unnamed = ctx.community.clone().unwrap_or_else(|| stem.to_owned());
        Self(Reading { ctx, unnamed, dates: Dates { zone: ctx.zone.clone(), order } })
    }

    /// What a line holds.
    pub(super) fn records(&self, line: &[u8]) -> Result<Vec<Record>, Unreadable> {
        self.0.object(&json(line)?, None)
    }
}

fn laid_out(found: Result<Vec<Record>, Unreadable>, record: u64, byte: u64) -> Vec<Result<Record, BadRecord>> {
    match found {
        Ok(records) => records.into_iter().map(Ok).collect(),
        Err(Unreadable(reason)) => vec![Err(BadRecord::new(record, byte, reason))],
    }
}

/// A row in a file's head: the names of its cells, which the rows of a table share, and the cells.
type Sampled = (Rc<[String]>, Vec<String>);

/// What a file's first bytes show: its column names, and the delimiter of a table (`None` for JSON).
struct Layout {
    names: Rc<[String]>,
    delimiter: Option<u8>,
    /// Whether there is one object only, which may be anything.
    lone: bool,
    /// The rows in the file's head.
    sample: Vec<Sampled>,
}

impl Layout {
    fn of(head: &[u8]) -> Option<Self> {
        match head.trim_ascii_start().first()? {
            b'{' | b'[' => Self::of_json(head),
            b'<' => None,
            _ => Self::of_table(head),
        }
    }

    /// Names of the first objects of an array or of lines; a single document is no table.
    fn of_json(head: &[u8]) -> Option<Self> {
        let start = head.trim_ascii_start();
        let found: Vec<Value> = if start.starts_with(b"[") {
            // What is cut off at the end is not missed.
            let items = values(Box::new(start)).map_while(Result::ok);
            items.map(|(_, _, value)| value).collect()
        } else {
            let lines = start.split(|b| *b == b'\n');
            lines.filter_map(|line| serde_json::from_slice(line).ok()).collect()
        };
        let named = |(names, cells): (Vec<String>, Vec<String>)| (Rc::<[String]>::from(names), cells);
        let sample: Vec<Sampled> = found.iter().filter(|v| v.is_object()).map(flat).map(named).collect();
        let mut names: Vec<String> = Vec::new();
        for name in sample.iter().flat_map(|(names, _)| names.iter()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let lone = found.len() < 2 && !start.starts_with(b"[");
        (!names.is_empty()).then_some(Self { names: names.into(), delimiter: None, lone, sample })
    }

    fn of_table(head: &[u8]) -> Option<Self> {
        let delimiter = delimiter(head, b",;\t|")?;
        let mut rows = Rows::new(head, delimiter);
        let (_, _, names) = rows.next()?.ok()?;
        let names: Rc<[String]> = names.iter().map(|n| n.trim().trim_start_matches('\u{feff}').to_owned()).collect();
        // Headers are short, and hardly any is empty.
        let filled = names.iter().filter(|n| !n.is_empty()).count();
        let header = filled > 1 && filled + 2 >= names.len() && names.iter().all(|n| n.chars().count() <= 80);
        let sample = rows.filter_map(Result::ok).map(|(_, _, cells)| (Rc::clone(&names), cells)).collect();
        header.then_some(Self { names, delimiter: Some(delimiter), lone: false, sample })
    }

    /// Whether some text has more than one word: marks and reactions have none.
    fn is_worded(&self) -> bool {
        let text = |(names, cells): &Sampled| Columns::lenient(names, None).text(cells);
        self.sample.iter().take(20).any(|row| text(row).contains(char::is_whitespace))
    }

    /// The order of day and month that the dates in the sample show.
    fn order(&self) -> Option<Order> {
        Order::of(self.sample.iter().flat_map(|(_, cells)| cells).map(String::as_str))
    }

    /// Whether this is a table for sure, though maybe none of posts: what others may have written must not be taken for its
    /// headers and shown.
    fn is_plain(&self) -> bool {
        let word = |name: &String| {
            let odd = name.contains(['<', '>', '[', ']', '@', '!', '"']) || name.contains("://");
            !odd && name.chars().count() <= 40 && name.split_whitespace().count() <= 4 && name.parse::<f64>().is_err()
        };
        let even = |(_, cells): &Sampled| cells.len() == self.names.len();
        self.delimiter.is_none() || (self.names.iter().all(word) && self.sample.first().is_some_and(even))
    }
}

/// An object's values under their names; what lies in objects within under both (`author.name`).
fn flat(value: &Value) -> (Vec<String>, Vec<String>) {
    let (mut names, mut cells) = (Vec::new(), Vec::new());
    let mut add = |name: String, value: &Value| {
        let cell = match value {
            Value::String(text) => clean(text.clone()),
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            _ => return false,
        };
        names.push(name);
        cells.push(cell);
        true
    };
    for (name, value) in value.as_object().into_iter().flatten() {
        if !add(name.clone(), value) {
            for (inner, value) in value.as_object().into_iter().flatten() {
                add(format!("{name}.{inner}"), value);
            }
        }
    }
    (names, cells)
}

struct Reading<'a> {
    ctx: &'a Context,
    unnamed: String,
    dates: Dates,
}

impl Reading<'_> {
    fn object(&self, value: &Value, map: Option<&Map>) -> Result<Vec<Record>, Unreadable> {
        if !value.is_object() {
            return Err(Unreadable("no object: nothing says what it is".to_owned()));
        }
        let (names, cells) = flat(value);
        self.records(&Columns::lenient(&names, map), &cells)
    }

    fn records(&self, columns: &Columns, cells: &[String]) -> Result<Vec<Record>, Unreadable> {
        let given = |field| columns.get(cells, field).map(str::to_owned);
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return Ok(vec![Record::Skipped { id: "jsonl:".to_owned(), reason: "empty" }]);
        }
        let community = given(Field::Community).unwrap_or_else(|| self.unnamed.clone());
        let native = |id: &str| format!("jsonl:{community}:{id}");
        let Plain { text, quoted } = plain(&columns.text(cells));
        let title = given(Field::Title);
        let author = given(Field::Author);
        let author = self.ctx.author(&format!("jsonl:{community}"), author.as_deref().unwrap_or_default());
        let date = given(Field::WrittenAt);
        let id = native(&given(Field::Id).unwrap_or_else(|| {
            let author = author.as_ref().map_or("", |a| a.as_str());
            let thread = given(Field::Thread).or_else(|| title.clone()).unwrap_or_default();
            content_hash(&[&thread, author, date.as_deref().unwrap_or_default(), &text])
        }));
        let says =
            |cell: Option<String>| cell.is_some_and(|c| matches!(c.to_lowercase().as_str(), "true" | "1" | "yes"));
        if says(given(Field::Deleted)) || matches!(text.as_str(), "[deleted]" | "[removed]") {
            return Ok(vec![Record::Removed(PostId::new(id))]);
        }
        if text.is_empty() {
            return Ok(vec![Record::Skipped { id, reason: if quoted { "only quotes others" } else { "empty" } }]);
        }
        let instant = |text: &str, what: &str| match self.dates.parse(text) {
            Ok(when) => Ok(when.start()),
            Err(NoDate::Ambiguous) => Err(Unreadable(format!(
                "{what} may be day or month first; say day_first = true or false in a map file"
            ))),
            Err(why) => Err(Unreadable(format!("{what} {why}"))),
        };
        let written_at = date.as_deref().map(|d| instant(d, "the date")).transpose()?;
        let edited_at = given(Field::EditedAt).map(|d| instant(&d, "the date of the last edit")).transpose()?;
        // Posts that name no thread stand in one for the whole community: to make each a thread of its own would feign
        // independent conversations.
        let thread = given(Field::Thread);
        let thread = Thread {
            id: ThreadId::new(thread.as_deref().map_or_else(|| format!("jsonl:{community}"), native)),
            source: Source::Jsonl,
            community: community.clone(),
            title: title.filter(|_| thread.is_some()).or(thread).unwrap_or_default(),
            url: None,
            started_at: None,
        };
        let is_web = |url: &String| Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        let post = Post {
            id: PostId::new(id),
            thread: thread.id.clone(),
            parent: given(Field::Parent).map(|p| PostId::new(native(&p))),
            source: Source::Jsonl,
            community,
            author,
            written_at,
            edited_at,
            url: given(Field::Url).filter(is_web),
            text,
            flags: PostFlags { bot: says(given(Field::Bot)), quoted, future: is_future(written_at, self.ctx.now) },
        };
        Ok(vec![Record::Thread(thread), Record::Post(post)])
    }
}

/// A cell's words. Some exports write HTML; what only looks a little like it is left as it is.
fn plain(cell: &str) -> Plain {
    let lower = cell.to_ascii_lowercase();
    let marked =
        ["</p>", "<br>", "<br/>", "<br />", "</div>", "</blockquote>", "</li>"].iter().any(|t| lower.contains(t));
    if marked { html_to_text(cell) } else { Plain { text: cell.trim().to_owned(), quoted: false } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{context, read_text, reasons};

    fn posts(found: &[Result<Record, BadRecord>]) -> Vec<&Post> {
        found.iter().filter_map(|r| if let Ok(Record::Post(post)) = r { Some(post) } else { None }).collect()
    }

    fn here() -> Place {
        Place::on_disk(std::path::Path::new("x.csv"))
    }

    #[test]
    fn usual_names_are_enough() {
        let csv = "Post ID;User Name;Posted at;Message;Topic\n1;ann;01.03.2026 13:00;\"It drips;\n\"\"always\"\"\";Pumps\n2;bob;31.03.2026;<p>Here</p><p>too</p>;Pumps\n3;ann;soon;x;Pumps\n4;bob;;[removed];\n";
        assert!(Table::PLAIN.sniff(csv.as_bytes(), &here()));
        let found = read_text(&Table::PLAIN, csv, "vans.csv");
        let told = posts(&found);
        assert_eq!((told[0].id.as_str(), told[0].text.as_str()), ("jsonl:vans:1", "It drips;\n\"always\""));
        assert_eq!(told[0].written_at.unwrap().to_string(), "2026-03-01T13:00:00Z");
        assert_eq!((told[1].text.as_str(), told[1].thread.as_str()), ("Here\n\ntoo", "jsonl:vans:Pumps"));
        assert_eq!(told[0].author, context().author("jsonl:vans", "ann"));
        assert!(found.contains(&Ok(Record::Removed(PostId::new("jsonl:vans:4")))));
        assert!(reasons(&found)[0].starts_with("the date is in no form that is known"), "{found:?}");
    }

    #[test]
    fn json_is_read_alike_and_ids_come_from_the_content() {
        let text = r#"[{"author":{"name":"ann"},"body":"It drips","createdAt":"2026-03-01T12:00:00Z"},{"body":"It drips","createdAt":"2026-03-02"}]"#;
        assert!(Table::PLAIN.sniff(text.as_bytes(), &here()));
        let one = read_text(&Table::PLAIN, text, "a.json");
        let lines = text.trim_matches(['[', ']']).replace("},{\"body", "}\n{\"body");
        assert!(Table::PLAIN.sniff(lines.as_bytes(), &here()));
        assert_eq!(read_text(&Table::PLAIN, &lines, "a.jsonl"), one);
        let told = posts(&one);
        assert_ne!(told[0].id, told[1].id);
        assert!(told[0].author.is_some() && told[1].author.is_none());
    }

    #[test]
    fn a_map_says_what_no_name_does() {
        let map: Map = "text = [\"Pros\", \"Cons\"]\nauthor = \"Wer\"\nwritten_at = \"Wann\"\nday_first = false\n"
            .parse()
            .unwrap();
        let table = Table::by(Arc::new(map));
        let csv = "Wer,Wann,Pros,Cons\nann,03/04/2026,fast,drips\n";
        assert!(table.sniff(csv.as_bytes(), &here()) && !Table::PLAIN.sniff(csv.as_bytes(), &here()));
        let found = read_text(&table, csv, "x.csv");
        let told = posts(&found);
        assert_eq!(
            (told[0].text.as_str(), told[0].written_at.unwrap().to_string().as_str()),
            ("fast\n\ndrips", "2026-03-04T00:00:00Z")
        );
        let refusal = table.refusal(b"id,text\n1,a b\n").unwrap();
        assert!(refusal.contains("\"Pros\"") && refusal.contains("\"text\""), "{refusal}");
        for bad in ["text = 3", "text = []", "words = \"x\"", "author = \"x\"", "= ="] {
            assert!(bad.parse::<Map>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_table_of_posts_is_refused_with_what_was_seen() {
        let refusal = Table::PLAIN.refusal(b"name,remark,when\nx,y,z\n").unwrap();
        for words in ["\"remark\"", "--map", "text = \"remark\""] {
            assert!(refusal.contains(words), "{refusal}");
        }
        let refusal = Table::PLAIN.refusal(b"text,label\nx,y\n").unwrap();
        assert!(refusal.contains("who wrote it or when"), "{refusal}");
        for text in [
            "Hello there, this is a letter\nand so on\n",
            "# Title\n",
            "{\"name\": \"x\",\n \"text\": \"y\"}",
            "[12:30] hi, all",
        ] {
            assert!(!Table::PLAIN.sniff(text.as_bytes(), &here()), "{text}");
        }
        assert_eq!(Table::PLAIN.refusal(b"[10:24] <sam> hello, there\nyes, no\n"), None, "nobody's words are shown");
        // Reactions have a content and an author, and commits a message.
        assert!(!Table::PLAIN.sniff(br#"[{"id":1,"content":"heart","user":{"login":"x"}}]"#, &here()));
        assert!(!Table::PLAIN.sniff(br#"[{"id":"a","short_id":"a","message":"Fix","author_name":"x"}]"#, &here()));
    }
}
