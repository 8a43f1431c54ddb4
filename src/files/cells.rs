//! Rows of a table found and taken apart into cells.

use std::io::{self, Read};

/// Follows the quotation marks of a table byte by byte. A mark opens a quotation at the beginning of a cell, and directly
/// after one that closed it (two marks are one of the text); anywhere else it is a sign like any other.
pub(super) struct Marks {
    delimiter: u8,
    quoted: bool,
    at_start: bool,
    /// The byte before closed a quotation.
    closed: bool,
}

impl Marks {
    pub(super) fn new(delimiter: u8) -> Self {
        Self { delimiter, quoted: false, at_start: true, closed: false }
    }

    /// Whether `byte`, the next one, ends a row.
    pub(super) fn ends(&mut self, byte: u8) -> bool {
        let mark = byte == b'"';
        let opens = mark && !self.quoted && (self.at_start || self.closed);
        self.closed = mark && self.quoted;
        self.quoted = opens || (self.quoted && !mark);
        self.at_start = !self.quoted && (byte == self.delimiter || byte == b'\n');
        byte == b'\n' && !self.quoted
    }

    /// Whether a quotation is open.
    pub(super) fn open(&self) -> bool {
        self.quoted
    }
}

/// Where a mark that begins a cell closes a quotation that was opened lines before. Marks that close one are followed by a
/// separator or the end of the row; this one opens another, and that before it stands where none belongs.
pub(super) fn misplaced(row: &[u8], delimiter: u8) -> Option<usize> {
    let mut marks = Marks::new(delimiter);
    let (mut begins, mut lines, mut closing) = (true, false, None);
    for (at, byte) in row.iter().enumerate() {
        let (quoted, doubled) = (marks.quoted, marks.closed);
        marks.ends(*byte);
        match (quoted, marks.quoted) {
            (true, true) => lines |= *byte == b'\n',
            (true, false) => closing = Some(at).filter(|_| begins && lines),
            (false, true) => (lines, closing) = (lines && doubled, None),
            (false, false) if closing.is_none() || *byte == b' ' => {}
            (false, false) if *byte == delimiter || matches!(byte, b'\r' | b'\n') => closing = None,
            (false, false) => return closing,
        }
        begins = *byte == delimiter || *byte == b'\n' || (begins && *byte == b'"');
    }
    None
}

/// A parser for many rows: to make one costs more than to use it.
pub(super) struct Cells {
    reader: csv::Reader<Feed>,
    delimiter: u8,
    /// Bytes that were given to the reader.
    fed: u64,
}

/// The row that is being read.
#[derive(Default)]
struct Feed {
    row: Vec<u8>,
    at: usize,
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = (&self.row[self.at..]).read(out)?;
        self.at += read;
        Ok(read)
    }
}

impl Cells {
    pub(super) fn new(delimiter: u8) -> Self {
        let mut builder = csv::ReaderBuilder::new();
        // A line break alone ends a row, as it does for [`Marks`]; a carriage return within it is part of a cell.
        builder.has_headers(false).flexible(true).delimiter(delimiter).terminator(csv::Terminator::Any(b'\n'));
        let reader = builder.from_reader(Feed::default());
        Self { reader, delimiter, fed: 0 }
    }

    /// The cells of `row`, which ends where its line break is or without one.
    ///
    /// # Errors
    /// Why `row` is none, in words that follow a file and a number: also when it ends before its bytes do.
    pub(super) fn split(&mut self, row: &[u8]) -> Result<csv::ByteRecord, String> {
        let line = row.strip_suffix(b"\n").unwrap_or(row);
        let feed = self.reader.get_mut();
        feed.at = 0;
        feed.row.clear();
        feed.row.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        feed.row.push(b'\n');
        self.fed += feed.row.len() as u64;
        let mut record = csv::ByteRecord::new();
        let read = self.reader.read_byte_record(&mut record).map_err(|e| format!("no row: {e}"));
        let rest = self.fed - self.reader.position().byte().min(self.fed);
        // Of a row that was not understood to its end nothing may come into the next.
        if self.reader.is_done() || rest > 0 {
            *self = Self::new(self.delimiter);
        }
        match (read?, rest) {
            (_, 0) => Ok(record),
            _ => Err("a quotation mark stands where none belongs: the row ends before its text does".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A row's cells do not depend on the rows before it.
        #[test]
        fn rows_are_as_if_they_stood_alone(rows in prop::collection::vec("[a\",;\r\n ]{0,9}", 1..9)) {
            let mut cells = Cells::new(b',');
            for row in rows {
                let row = [b"x,", row.as_bytes()].concat();
                prop_assert_eq!(cells.split(&row), Cells::new(b',').split(&row));
            }
        }

        /// A row that ends where the marks say so is one row to the parser, with nothing left over.
        #[test]
        fn rows_end_where_their_marks_say(table in "[a\",\n\r ]{0,60}") {
            let mut marks = Marks::new(b',');
            let mut cells = Cells::new(b',');
            for row in table.as_bytes().split_inclusive(|byte| marks.ends(*byte)) {
                // A blank line is no row, and a mark that is left open takes the rest.
                if !row.trim_ascii().is_empty() {
                    prop_assert!(cells.split(row).is_ok(), "{:?}", row.escape_ascii().to_string());
                }
            }
        }
    }
}
