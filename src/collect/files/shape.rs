//! What the first bytes of a JSON file show of its keys, to tell formats apart.

use std::collections::BTreeMap;

/// Objects and arrays nested deeper are not looked into.
const DEEPEST: usize = 12;

/// Different keys, after which no more are noted: objects that are keyed by ids have many.
const MOST_KEYS: usize = 4000;

/// The keys that a file shows, each by its path (`hits[].author.name`), with the first value it has where that is no object
/// and no array. Lines of JSON show the keys of all their objects.
#[derive(Debug, Default)]
pub(super) struct Shape(BTreeMap<String, String>);

impl Shape {
    /// The shape of a file that begins with `head`; empty when that is no JSON. It ends where the JSON does.
    pub(super) fn of(head: &[u8]) -> Self {
        let mut shape = Self::default();
        if matches!(head.trim_ascii_start().first(), Some(b'{' | b'[')) {
            Scan { json: head, at: 0, path: String::new(), open: Vec::new() }.all(&mut shape);
        }
        shape
    }

    /// Whether there is something at `path`.
    pub(super) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }

    /// Whether there is something at each of `keys` below `prefix` (`""`, `[].`, `items[].`).
    pub(super) fn all(&self, prefix: &str, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.has(&format!("{prefix}{key}")))
    }

    /// The first value at `path` as written, strings without their marks.
    pub(super) fn value(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// All paths.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn note(&mut self, path: &str, value: &str) {
        if self.0.len() < MOST_KEYS && !path.is_empty() && !self.0.contains_key(path) {
            self.0.insert(path.to_owned(), value.to_owned());
        }
    }
}

struct Scan<'a> {
    json: &'a [u8],
    at: usize,
    path: String,
    /// Open objects and arrays: the length of their path, and whether it is an array.
    open: Vec<(usize, bool)>,
}

impl Scan<'_> {
    fn all(&mut self, shape: &mut Shape) {
        while let Some(byte) = self.solid() {
            let in_object = self.open.last().is_some_and(|(_, array)| !array);
            match byte {
                b',' => self.at += 1,
                b'}' | b']' => {
                    self.at += 1;
                    self.open.pop();
                }
                b'"' if in_object => {
                    let Some(key) = self.string() else { return };
                    if self.solid() != Some(b':') {
                        return;
                    }
                    self.at += 1;
                    self.back();
                    if !self.path.is_empty() {
                        self.path.push('.');
                    }
                    self.path.push_str(&key);
                    if !self.value(shape) {
                        return;
                    }
                }
                _ if in_object => return,
                _ => {
                    self.back();
                    if !self.value(shape) {
                        return;
                    }
                }
            }
        }
    }

    /// Sets the path to that of the innermost open thing.
    fn back(&mut self) {
        self.path.truncate(self.open.last().map_or(0, |(length, _)| *length));
    }

    /// Reads the value that comes next; false where the JSON ends or is none.
    fn value(&mut self, shape: &mut Shape) -> bool {
        match self.solid() {
            Some(b'{') => {
                self.at += 1;
                shape.note(&self.path, "");
                self.open.push((self.path.len(), false));
            }
            Some(b'[') => {
                self.at += 1;
                shape.note(&self.path, "");
                self.path.push_str("[]");
                shape.note(&self.path, "");
                self.open.push((self.path.len(), true));
            }
            Some(b'"') => match self.string() {
                Some(text) => shape.note(&self.path, &text),
                None => {
                    shape.note(&self.path, "");
                    return false;
                }
            },
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
                let rest = &self.json[self.at..];
                let length =
                    rest.iter().position(|b| !matches!(b, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E'));
                let length = length.unwrap_or(rest.len());
                shape.note(&self.path, &String::from_utf8_lossy(&rest[..length]));
                self.at += length;
            }
            _ => return false,
        }
        self.open.len() <= DEEPEST
    }

    /// The string that begins here, its first hundred bytes; `None` when it does not end.
    fn string(&mut self) -> Option<String> {
        let from = self.at + 1;
        let mut escaped = false;
        let length = self.json[from.min(self.json.len())..].iter().position(|b| {
            let ends = *b == b'"' && !escaped;
            escaped = *b == b'\\' && !escaped;
            ends
        })?;
        self.at = from + length + 1;
        Some(String::from_utf8_lossy(&self.json[from..from + length.min(100)]).into_owned())
    }

    fn solid(&mut self) -> Option<u8> {
        self.at += self.json.get(self.at..)?.iter().position(|b| !b.is_ascii_whitespace())?;
        self.json.get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keys_have_paths_and_first_values() {
        let shape = Shape::of(br#" [{"a": {"b": ["x", {"c": -1.5}]}, "d": "q\"r"}, {"d": null, "e": "cut"#);
        let paths: Vec<_> = shape.paths().collect();
        assert_eq!(paths, ["[]", "[].a", "[].a.b", "[].a.b[]", "[].a.b[].c", "[].d", "[].e"]);
        assert_eq!((shape.value("[].a.b[].c"), shape.value("[].d")), (Some("-1.5"), Some("q\\\"r")));
        assert!(shape.all("[].", &["a", "d"]) && !shape.all("[].", &["a", "c"]));
        let lines = Shape::of(b"{\"a\":1}\n{\"b\":2}\n");
        assert!(lines.has("a") && lines.has("b"));
        for none in ["", "a,b\n", "[12:30] hello", "<p>"] {
            assert!(!Shape::of(none.as_bytes()).has("a"), "{none}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_some_shape(bytes in prop::collection::vec(any::<u8>(), 0..200), json in "[\\[\\]{}\":,\\\\a1 ]{0,80}") {
            Shape::of(&bytes);
            Shape::of(format!("{{\"a\":[{json}").as_bytes());
        }
    }
}
