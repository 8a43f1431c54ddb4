//! A large JSON document taken apart into the members around one array and the items in it, without holding it.
//!
//! Only brackets and strings are followed here; each piece is parsed on its own, so a broken one takes no other with it.
//! A document that ends too early gives all its complete items first. Several documents may stand one after the other, as
//! the pages of an API that were appended to one file.

use std::io::{self, BufRead};

use super::{BadRecord, MAX_RECORD_BYTES};

/// A part of the document, as JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A member of one of the objects on the way to the array.
    Member { key: String, value: Vec<u8> },
    /// An item of the array, its number from 1 and where it begins.
    Item { record: u64, byte: u64, value: Vec<u8> },
}

/// The pieces of a document around the array at `path`; where that is empty, the document is the array, or several one after
/// the other. `[]` on the path goes into each object of an array, and `a|b` takes either member.
pub(crate) struct Pieces<R> {
    input: R,
    path: &'static [&'static str],
    /// Objects on the path that are open.
    level: usize,
    in_array: bool,
    byte: u64,
    record: u64,
    /// Documents before the one that is read.
    before: u64,
    ended: bool,
}

enum Stop {
    Read(io::Error),
    Early,
    Unexpected,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}

impl<R: BufRead> Pieces<R> {
    pub(crate) fn new(input: R, path: &'static [&'static str]) -> Self {
        Self { input, path, level: 0, in_array: false, byte: 0, record: 0, before: 0, ended: false }
    }

    /// Which document the last piece is of, from 0: what members of one say is not said of the next.
    pub(crate) fn document(&self) -> u64 {
        self.before
    }

    fn advance(&mut self) -> Result<Option<Result<Piece, BadRecord>>, Stop> {
        loop {
            let at = self.byte;
            let next = match self.next_byte()? {
                Some(next) => next,
                None => return Err(Stop::Early),
            };
            match next {
                b if b.is_ascii_whitespace() || b == b',' => {}
                b'[' if self.level == 0 && self.path.is_empty() && !self.in_array => self.in_array = true,
                b']' if self.in_array && self.path.is_empty() => match self.solid() {
                    Ok(b'[') => {}
                    Ok(_) => return Err(Stop::Unexpected),
                    Err(Stop::Early) => return Ok(None),
                    Err(stop) => return Err(stop),
                },
                b'{' if self.level == 0 && !self.in_array => self.level = 1,
                b']' if self.in_array => self.in_array = false,
                first if self.in_array => {
                    self.record += 1;
                    let record = self.record;
                    return Ok(Some(match self.value(first)? {
                        Some(value) => Ok(Piece::Item { record, byte: at, value }),
                        None => Err(BadRecord::new(record, at, "more than 16 MiB: no post or note is that long")),
                    }));
                }
                first if self.in_list() => match first {
                    b'{' => self.level += 1,
                    b']' => self.level -= 1,
                    _ => drop(self.value(first)?),
                },
                b'}' if self.level == 1 => match self.solid() {
                    Ok(b'{') => self.before += 1,
                    Ok(_) => return Err(Stop::Unexpected),
                    Err(Stop::Early) => return Ok(None),
                    Err(stop) => return Err(stop),
                },
                b'}' if self.level > 1 => self.level -= 1,
                b'"' if self.level > 0 => {
                    let key = self.value(b'"')?.unwrap_or_default();
                    let key = serde_json::from_slice::<String>(&key).unwrap_or_default();
                    if self.solid()? != b':' {
                        return Err(Stop::Unexpected);
                    }
                    let first = self.solid()?;
                    let on_path = self.path.get(self.level - 1).is_some_and(|step| step.split('|').any(|s| s == key));
                    match (on_path, first) {
                        (true, b'[') if self.path.get(self.level) == Some(&"[]") => self.level += 1,
                        (true, b'[') if self.level == self.path.len() => self.in_array = true,
                        (true, b'{') if self.level < self.path.len() => self.level += 1,
                        _ => {
                            let value = self.value(first)?.unwrap_or_default();
                            return Ok(Some(Ok(Piece::Member { key, value })));
                        }
                    }
                }
                _ => return Err(Stop::Unexpected),
            }
        }
    }

    /// Whether the innermost thing that is open on the path is an array whose objects are gone into.
    fn in_list(&self) -> bool {
        self.level > 0 && self.path.get(self.level - 1) == Some(&"[]")
    }

    /// The value that begins with `first`, already taken. `None` when it was too long to be held.
    fn value(&mut self, first: u8) -> Result<Option<Vec<u8>>, Stop> {
        let mut value = vec![first];
        let mut long = false;
        let mut depth = u64::from(matches!(first, b'{' | b'['));
        let (mut in_string, mut escaped) = (first == b'"', false);
        let scalar = depth == 0 && !in_string;
        loop {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                return Err(Stop::Early);
            }
            let mut taken = 0;
            let mut done = false;
            for b in bytes {
                if scalar && (b.is_ascii_whitespace() || matches!(b, b',' | b']' | b'}')) {
                    done = true;
                    break;
                }
                taken += 1;
                if in_string {
                    match b {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => in_string = false,
                        _ => {}
                    }
                } else {
                    match b {
                        b'"' => in_string = true,
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                }
                if !scalar && !in_string && depth == 0 {
                    done = true;
                    break;
                }
            }
            if value.len() + taken > MAX_RECORD_BYTES {
                long = true;
                value.clear();
            }
            if !long {
                value.extend_from_slice(&bytes[..taken]);
            }
            self.input.consume(taken);
            self.byte += taken as u64;
            if done {
                return Ok((!long).then_some(value));
            }
        }
    }

    /// The next byte that is no white space.
    fn solid(&mut self) -> Result<u8, Stop> {
        loop {
            match self.next_byte()? {
                None => return Err(Stop::Early),
                Some(b) if b.is_ascii_whitespace() => {}
                Some(b) => return Ok(b),
            }
        }
    }

    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        let byte = self.input.fill_buf()?.first().copied();
        if byte.is_some() {
            self.input.consume(1);
            self.byte += 1;
        }
        Ok(byte)
    }
}

impl<R: BufRead> Iterator for Pieces<R> {
    type Item = Result<Piece, BadRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let begin = self.byte;
        let held = self.record;
        let reason = match self.advance() {
            Ok(Some(piece)) => return Some(piece),
            Ok(None) => {
                self.ended = true;
                return None;
            }
            Err(Stop::Early) => {
                format!("the file ends too early: an export that was cut off; its {held} complete records were read")
            }
            Err(Stop::Unexpected) => {
                format!("broken JSON; the {held} records before were read, the rest of the file was not")
            }
            Err(Stop::Read(error)) => format!("could not read on from here: {error}"),
        };
        self.ended = true;
        Some(Err(BadRecord::new(held + 1, begin, reason)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PATH: &[&str] = &["stream", "posts"];

    fn take_apart(json: &str) -> Vec<Result<Piece, BadRecord>> {
        Pieces::new(json.as_bytes(), PATH).collect()
    }

    fn item(record: u64, byte: u64, value: &str) -> Result<Piece, BadRecord> {
        Ok(Piece::Item { record, byte, value: value.as_bytes().to_vec() })
    }

    fn member(key: &str, value: &str) -> Result<Piece, BadRecord> {
        Ok(Piece::Member { key: key.to_owned(), value: value.as_bytes().to_vec() })
    }

    #[test]
    fn members_and_items_come_in_order() {
        let json = r#" {"a": {"posts": [1]}, "stream": {"posts": [{"x": "]}\""}, 2 ,"s"], "ids": [1]}, "posts": [9], "t":null}"#;
        let want = [
            member("a", r#"{"posts": [1]}"#),
            item(1, 44, r#"{"x": "]}\""}"#),
            item(2, 59, "2"),
            item(3, 62, r#""s""#),
            member("ids", "[1]"),
            member("posts", "[9]"),
            member("t", "null"),
        ];
        assert_eq!(take_apart(json), want);
    }

    #[test]
    fn a_document_can_be_the_array() {
        let found: Vec<_> = Pieces::new(&b" [{\"a\": [1]}, 2] "[..], &[]).collect();
        assert_eq!(found, [item(1, 2, "{\"a\": [1]}"), item(2, 14, "2")]);
    }

    #[test]
    fn arrays_follow_each_other_and_lie_in_each_other() {
        let found: Vec<_> = Pieces::new(&b"[1]\n[2]\n"[..], &[]).collect();
        assert_eq!(found, [item(1, 1, "1"), item(2, 5, "2")]);
        let nested = r#"{"a": 1, "x": {"list": [{"id": 7, "m": [{}, {}]}, 5, {"m": [3], "t": 0}], "z": 2}, "y": {"list": [{"m": [4]}]}}"#;
        let found: Vec<_> = Pieces::new(nested.as_bytes(), &["x|y", "list", "[]", "m"]).collect();
        let want = [
            member("a", "1"),
            member("id", "7"),
            item(1, 40, "{}"),
            item(2, 44, "{}"),
            item(3, 60, "3"),
            member("t", "0"),
            member("z", "2"),
            item(4, 105, "4"),
        ];
        assert_eq!(found, want);
    }

    #[test]
    fn documents_follow_each_other_and_rubbish_is_told() {
        let found = take_apart("{\"stream\": {\"posts\": [1]}, \"t\": 0}\n{\"stream\": {\"posts\": [2]}}\n");
        assert_eq!(found, [item(1, 22, "1"), member("t", "0"), item(2, 57, "2")]);
        for rest in ["]", "x", "[3]", "\0"] {
            let found = take_apart(&format!("{{\"stream\": {{\"posts\": [1]}}}} {rest}"));
            assert_eq!(found.len(), 2, "{rest:?}");
            assert!(matches!(&found[1], Err(bad) if bad.reason.contains("rest of the file was not")), "{rest:?}");
        }
    }

    #[test]
    fn a_document_cut_off_gives_what_is_complete() {
        let found = take_apart(r#"{"stream": {"posts": [{"a": 1}, {"b": 2}, {"c": "#);
        assert_eq!(found.len(), 3);
        assert!(matches!(&found[2], Err(bad) if bad.record == 3 && bad.reason.contains("2 complete records")));
    }

    #[test]
    fn an_item_too_long_is_passed_over() {
        let long = format!(r#"{{"stream": {{"posts": [1, "{}", 3]}}}}"#, "x".repeat(MAX_RECORD_BYTES));
        let found = take_apart(&long);
        assert!(matches!(&found[1], Err(bad) if bad.record == 2));
        assert_eq!(found.len(), 3);
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Pieces::new(&bytes[..], PATH).count() <= bytes.len() + 1);
        }

        #[test]
        fn any_json_comes_to_an_end(text in "[\\[\\]{}\":,\\\\a1 ]{0,80}") {
            let json = format!("{{\"stream\":{{\"posts\":[{text}");
            prop_assert!(take_apart(&json).len() <= json.len() + 1);
        }
    }
}
