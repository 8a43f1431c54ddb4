//! The JSON values of a file, one at a time, however they are laid: an array, one a line, one document after the other.

use std::io::{BufRead, Read as _};

use serde_json::Value;

use super::pieces::{Piece, Pieces};
use super::{BadRecord, MAX_RECORD_BYTES, Records, json, lines, open};
use crate::collect::wire::{Record, Unreadable};

/// One value: its number from 1, where it begins, what it is.
pub(super) type Numbered = (u64, u64, Value);

/// What reading a value gave: several records, or why there is none.
pub(super) type Told = Vec<Result<Record, Unreadable>>;

/// The values of `input`. An array gives its items, and never stands in memory as a whole; where the first line is a value of
/// its own the file is read by lines, and a broken one costs itself only; otherwise the file is one document or a few, which
/// may not be longer than a record.
pub(super) fn values<'a>(input: Box<dyn BufRead + 'a>) -> Box<dyn Iterator<Item = Result<Numbered, BadRecord>> + 'a> {
    let (head, input) = match open::head(input) {
        Ok(opened) => opened,
        Err(bad) => return Box::new(std::iter::once(Err(bad))),
    };
    if head.trim_ascii_start().starts_with(b"[") {
        return items(input, &[]);
    }
    if first_line_is_whole(&head) {
        let mut lines = lines::Lines::new(input);
        return Box::new(std::iter::from_fn(move || {
            let (record, byte, line) = match lines.next_line()? {
                Ok(line) => line,
                Err(bad) => return Some(Err(bad)),
            };
            let value = json(line).map(|value| (record, byte, value));
            Some(value.map_err(|Unreadable(reason)| BadRecord::new(record, byte, reason)))
        }));
    }
    documents(input)
}

/// The items of the array at `path`, as [`Pieces`] finds it. What stands around it is passed over.
pub(super) fn items<'a>(
    input: Box<dyn BufRead + 'a>,
    path: &'static [&'static str],
) -> Box<dyn Iterator<Item = Result<Numbered, BadRecord>> + 'a> {
    Box::new(Pieces::new(input, path).filter_map(|piece| match piece {
        Ok(Piece::Member { .. }) => None,
        Ok(Piece::Item { record, byte, value }) => {
            let value = json(&value).map(|value| (record, byte, value));
            Some(value.map_err(|Unreadable(reason)| BadRecord::new(record, byte, reason)))
        }
        Err(bad) => Some(Err(bad)),
    }))
}

/// Calls `tell` with every value and lays its records out one after the other.
pub(super) fn each_value<'a>(
    values: impl Iterator<Item = Result<Numbered, BadRecord>> + 'a,
    mut tell: impl FnMut(Value) -> Told + 'a,
) -> Records<'a> {
    Box::new(values.flat_map(move |value| match value {
        Ok((record, byte, value)) => {
            let bad = |Unreadable(reason)| BadRecord::new(record, byte, reason);
            tell(value).into_iter().map(|told| told.map_err(bad)).collect::<Vec<_>>()
        }
        Err(bad) => vec![Err(bad)],
    }))
}

/// Whether the first line that is not blank is a value of its own, or too long to be seen to its end.
fn first_line_is_whole(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    match head.iter().position(|b| *b == b'\n') {
        Some(end) => serde_json::from_slice::<serde::de::IgnoredAny>(&head[..end]).is_ok(),
        // A document without line breaks can be read as a line.
        None => true,
    }
}

/// Documents that go over several lines.
fn documents<'a>(input: Box<dyn BufRead + 'a>) -> Box<dyn Iterator<Item = Result<Numbered, BadRecord>> + 'a> {
    let failed = |reason: String| Box::new(std::iter::once(Err(BadRecord::new(1, 0, reason))));
    let mut bytes = Vec::new();
    match input.take(MAX_RECORD_BYTES as u64 + 1).read_to_end(&mut bytes) {
        Err(error) => return failed(format!("could not be read: {error}")),
        Ok(_) if bytes.len() > MAX_RECORD_BYTES => {
            return failed("a document of more than 16 MiB; save it in parts, or as one object a line".to_owned());
        }
        Ok(_) => {}
    }
    let (mut at, mut record) = (0, 0);
    Box::new(std::iter::from_fn(move || {
        let rest = bytes.get(at..)?;
        if rest.trim_ascii().is_empty() {
            return None;
        }
        record += 1;
        let byte = at as u64;
        let mut stream = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
        let value = stream.next()?;
        at = if value.is_ok() { at + stream.byte_offset().max(1) } else { bytes.len() };
        Some(value.map(|value| (record, byte, value)).map_err(|error| {
            let reason = if error.is_eof() {
                "ends in the middle of a JSON value".to_owned()
            } else {
                Unreadable::json(&error).0
            };
            BadRecord::new(record, byte, reason)
        }))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<String, u64>> {
        let found = values(Box::new(text.as_bytes()));
        found.map(|v| v.map(|(_, _, value)| value.to_string()).map_err(|bad| bad.record)).collect()
    }

    #[test]
    fn values_are_found_in_every_layout() {
        let both = [Ok("{\"a\":1}".to_owned()), Ok("{\"b\":[2]}".to_owned())];
        for text in [
            "[{\"a\":1}, {\"b\":[2]}]",
            "[{\"a\":1}]\n[{\"b\":[2]}]",
            "{\"a\":1}\n{\"b\":[2]}\n",
            "{\n\"a\":1\n}\n{\n\"b\":[2]}\n",
            "{\n\"a\":1\n}{\"b\":[2]}",
        ] {
            assert_eq!(read(text), both, "{text}");
        }
        assert_eq!(read("{\"a\":1}\n{\"b\n{\"b\":[2]}"), [both[0].clone(), Err(2), both[1].clone()]);
        assert_eq!(read("{\n\"a\":1\n}\n{\"b\":"), [both[0].clone(), Err(2)]);
        assert_eq!(read("{\n"), [Err(1)]);
    }
}
