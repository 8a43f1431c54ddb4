//! What a file begins with: its layout and its first records, from which its format is told.

use serde_json::Value;

use super::items::Header;
use crate::files::pieces::{Piece, Pieces};
use crate::files::rows::{self, Rows};

/// Records looked at.
const RECORDS: usize = 20;

/// Deepest nesting of JSON that can be read.
const DEEPEST: usize = 128;

/// How records lie in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Rows under a header.
    Table { delimiter: u8 },
    /// One JSON object a line.
    Lines,
    /// The items of a JSON array.
    Array,
    /// The items of the array under this name, as APIs page them.
    Page(&'static [&'static str]),
    /// One JSON object by itself.
    Single,
}

/// Names that APIs give to the array in a page.
const PAGES: &[&[&str]] = &[
    &["results"],
    &["data"],
    &["callTranscripts"],
    &["calls"],
    &["records"],
    &["notes"],
    &["activities"],
    &["engagements"],
    &["deals"],
    &["opportunities"],
    &["leads"],
    &["contacts"],
    &["companies"],
    &["accounts"],
    &["users"],
    &["objects"],
    &["items"],
    &["tickets"],
    &["organizations"],
];

/// What a format sees of a file.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) layout: Layout,
    /// The table's header; of JSON, the names that its first objects have.
    pub(super) header: Header,
    /// The first objects; none of a table. The last one may be cut off.
    pub(super) objects: Vec<Value>,
    /// The table's first rows, without its header; none of JSON.
    pub(super) rows: Vec<Vec<String>>,
}

impl Sample {
    /// Of a file that begins with `head`.
    ///
    /// # Errors
    /// Why it can be no export.
    pub(super) fn of(head: &[u8]) -> Result<Self, String> {
        if head.iter().all(u8::is_ascii_whitespace) {
            return Err("the file is empty".to_owned());
        }
        if crate::files::open::is_binary(head) {
            return Err("holds NUL bytes: it is no text file".to_owned());
        }
        match head.trim_ascii_start().first() {
            Some(b'{') => Ok(Self::of_objects(head)),
            Some(b'[') => Self::of_array(head),
            Some(b'<') => Err(crate::files::open::refusal(head)),
            _ => Self::of_table(head),
        }
    }

    fn of_table(head: &[u8]) -> Result<Self, String> {
        let delimiter = rows::delimiter(head, b",;\t").unwrap_or(b',');
        let mut rows = Rows::new(head, delimiter);
        let header = rows.next().unwrap_or_else(|| Ok((0, 0, Vec::new())));
        let (_, _, names) = header.map_err(|bad| format!("the header cannot be read: {}", bad.reason))?;
        let rows = rows.filter_map(Result::ok).map(|(_, _, cells)| cells).collect();
        Ok(Self { layout: Layout::Table { delimiter }, header: Header::new(names), objects: Vec::new(), rows })
    }

    fn of_array(head: &[u8]) -> Result<Self, String> {
        let objects = match mended(head) {
            Some(Value::Array(items)) => objects_of(items),
            _ => objects_of(pieces(head, &[])),
        };
        if objects.is_empty() {
            return Err("no JSON array of records".to_owned());
        }
        Ok(Self::json(Layout::Array, objects))
    }

    fn of_objects(head: &[u8]) -> Self {
        let mut lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|l| !l.is_empty());
        let first = lines.next().unwrap_or_default();
        let whole = serde_json::from_slice::<Value>(first).ok();
        // A first line longer than the head is an object by itself as well.
        let alone = whole.clone().or_else(|| (first.len() > 1000).then(|| mended(first)).flatten());
        let document = mended(head);
        let path = PAGES.iter().find(|path| holds_array(head, document.as_ref(), path));
        if let Some(path) = path
            && (whole.is_none() || alone.as_ref().is_some_and(|object| is_page(object, path)))
        {
            let items = document.and_then(|page| page.get(path[0])?.as_array().cloned());
            return Self::json(Layout::Page(path), objects_of(items.unwrap_or_else(|| pieces(head, path))));
        }
        if let Some(first) = alone {
            let rest = lines.filter_map(|line| serde_json::from_slice(line).ok());
            let objects = std::iter::once(first).chain(rest).filter(Value::is_object).take(RECORDS).collect();
            return Self::json(Layout::Lines, objects);
        }
        match document {
            Some(object) if serde_json::from_slice::<Value>(head).is_ok() || head.len() > 60_000 => {
                Self::json(Layout::Single, vec![object])
            }
            // What can be read of a broken file is read line by line.
            _ => {
                let objects = head.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
                Self::json(Layout::Lines, objects.filter(Value::is_object).take(RECORDS).collect())
            }
        }
    }

    fn json(layout: Layout, objects: Vec<Value>) -> Self {
        let mut names = Vec::new();
        for object in &objects {
            for name in super::items::flat(object).0 {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Self { layout, header: Header::new(names), objects, rows: Vec::new() }
    }

    /// Whether the layout is JSON and one of its first objects is such.
    pub(super) fn any(&self, is: impl Fn(&Value) -> bool) -> bool {
        self.objects.iter().any(is)
    }

    /// Name of the array that holds the objects.
    pub(super) fn page(&self) -> Option<&'static str> {
        match self.layout {
            Layout::Page(path) => path.first().copied(),
            _ => None,
        }
    }
}

fn objects_of(items: Vec<Value>) -> Vec<Value> {
    items.into_iter().filter(Value::is_object).take(RECORDS).collect()
}

/// What is whole of the items of an array, of which another one is broken.
fn pieces(head: &[u8], path: &'static [&'static str]) -> Vec<Value> {
    let item = |piece| match piece {
        Ok(Piece::Item { value, .. }) => serde_json::from_slice(&value).ok(),
        _ => None,
    };
    Pieces::new(head, path).filter_map(item).collect()
}

/// Whether there is an array at `path` of a file that begins with `head`, or of the `document` that this was mended to: an
/// empty one has no pieces.
fn holds_array(head: &[u8], document: Option<&Value>, path: &'static [&'static str]) -> bool {
    Pieces::new(head, path).any(|piece| matches!(piece, Ok(Piece::Item { .. })))
        || document.is_some_and(|page| page.get(path[0]).is_some_and(Value::is_array))
}

/// Whether an object on a line by itself is a page of others rather than one record: its array holds objects, and it is
/// none of the records that hold lists themselves.
fn is_page(object: &Value, path: &[&str]) -> bool {
    let record = ["id", "properties", "engagement", "display_name"].iter().any(|name| object.get(name).is_some());
    !record && object.get(path[0]).is_some_and(Value::is_array)
}

/// The beginning of a JSON document as a document: what is cut off at its end is left out, what is open is closed.
fn mended(head: &[u8]) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice(head) {
        return Some(value);
    }
    let mut open = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    // Where the document may end, with what must then be closed.
    let mut end = None;
    for (at, byte) in head.iter().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            // serde_json reads nothing that nests deeper, and every copy of `open` costs its length.
            b'{' | b'[' if open.len() == DEEPEST => return None,
            b'{' | b'[' => {
                open.push(if *byte == b'{' { b'}' } else { b']' });
                end = Some((at + 1, open.clone()));
            }
            b'}' | b']' => {
                open.pop()?;
                end = Some((at + 1, open.clone()));
                if open.is_empty() {
                    break;
                }
            }
            b',' => end = Some((at, open.clone())),
            _ => {}
        }
    }
    let (end, open) = end?;
    let text = [&head[..end], &open.into_iter().rev().collect::<Vec<_>>()].concat();
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn layout(head: &str) -> Layout {
        Sample::of(head.as_bytes()).unwrap().layout
    }

    #[test]
    fn layouts_are_told_apart() {
        assert_eq!(layout("a;b\n1;2,3\n"), Layout::Table { delimiter: b';' });
        assert_eq!(layout("sep=;\na,x;b\n1;2,3\n"), Layout::Table { delimiter: b';' });
        assert_eq!(layout("{\"a\":1}\n{\"a\":2}\n"), Layout::Lines);
        assert_eq!(layout("[{\"a\":1}]"), Layout::Array);
        assert_eq!(layout("{\"success\":true,\n\"data\":[{\"a\":1}]}"), Layout::Page(&["data"]));
        assert_eq!(layout("{\"results\":[{\"a\":1}],\"paging\":{}}"), Layout::Page(&["results"]));
        assert_eq!(layout("{\"data\":[]}"), Layout::Page(&["data"]));
        assert_eq!(layout("{\n\"id\":1,\n\"a\":\"b\"\n}"), Layout::Single);
        assert_eq!(layout("{\"id\":1,\"notes\":[{\"a\":1}]}\n{\"id\":2}\n"), Layout::Lines);
    }

    #[test]
    fn a_head_that_is_cut_off_shows_what_is_whole() {
        let head = br#"{"data": [{"id": 1, "x": [1, 2]}, {"id": 2, "long": "and so o"#;
        let sample = Sample::of(head).unwrap();
        assert_eq!(sample.page(), Some("data"));
        assert_eq!(sample.objects.len(), 2);
        assert_eq!(sample.objects[1]["id"], 2);
    }

    #[test]
    fn a_broken_record_hides_no_other() {
        for (head, page) in [
            (r#"[{"id":1},{"id":2,"a":"x\0"},{"id":3}]"#, None),
            (r#"{"results":[{"id":1},{"id":2,"a":tru},{"id":3}],"paging":{}}"#, Some("results")),
        ] {
            let sample = Sample::of(head.replace("\\0", "\0").as_bytes()).unwrap();
            let ids: Vec<_> = sample.objects.iter().map(|o| o["id"].as_u64()).collect();
            assert_eq!((sample.page(), ids), (page, vec![Some(1), Some(3)]), "{head}");
        }
    }

    #[test]
    fn nothing_but_brackets_is_told_in_time() {
        let deep = format!("{{\"x\":{}", "[".repeat(64 << 10));
        assert!(Sample::of(deep.as_bytes()).unwrap().objects.is_empty());
    }

    proptest! {
        #[test]
        fn any_beginning_gives_a_sample_or_a_reason(text in "[\\[\\]{}\":,\\\\a1\n; ]{0,80}") {
            let _ = Sample::of(text.as_bytes());
        }
    }
}
