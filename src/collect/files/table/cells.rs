//! Rows of a table in quotes (CSV), without holding one that is too long.

use std::io::{self, BufRead};

use super::super::{BadRecord, MAX_RECORD_BYTES};

/// Marks left open after which the rest of a file is given up: each is looked for to the end.
const MOST_OPEN: usize = 20;

const LONG: &str = "a row of more than 16 MiB: no post is that long";

/// The rows of a file.
pub(super) struct Cells<R> {
    input: R,
    delimiter: u8,
    record: u64,
    /// Where in the file the next byte stands.
    position: u64,
    /// Bytes that were read ahead for a mark that is never closed.
    again: Vec<u8>,
    at: usize,
    open: usize,
    ended: bool,
}

/// A row: its number, from 0 for the header; the byte it begins at; its cells.
pub(super) type Row = (u64, u64, Vec<String>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a cell: only here does a mark open a quotation.
    Begin,
    Plain,
    Quoted,
    /// After a mark in a quotation: a second one is a mark of the text.
    Mark,
}

impl<R: BufRead> Cells<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        Self { input, delimiter, record: 0, position: 0, again: Vec::new(), at: 0, open: 0, ended: false }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        if let Some(byte) = self.again.get(self.at) {
            self.at += 1;
            self.position += 1;
            return Ok(Some(*byte));
        }
        let byte = self.input.fill_buf()?.first().copied();
        if byte.is_some() {
            self.input.consume(1);
            self.position += 1;
        }
        Ok(byte)
    }

    /// The cells of the next row; `Err` with why there are none. `raw` takes its bytes.
    fn row(&mut self, raw: &mut Vec<u8>) -> io::Result<Result<Vec<Vec<u8>>, &'static str>> {
        let mut cells = vec![Vec::new()];
        let (mut state, mut long) = (State::Begin, false);
        loop {
            let Some(byte) = self.byte()? else {
                self.ended = true;
                if long {
                    return Ok(Err(LONG));
                }
                if state == State::Quoted {
                    return Ok(Err("a quotation mark is opened and never closed"));
                }
                break;
            };
            if long {
                if byte == b'\n' {
                    return Ok(Err(LONG));
                }
                continue;
            }
            raw.push(byte);
            if raw.len() > MAX_RECORD_BYTES {
                if state == State::Quoted {
                    return Ok(Err("a quotation mark is opened and never closed"));
                }
                long = true;
                raw.clear();
                cells.clear();
                continue;
            }
            let delimits = byte == self.delimiter;
            let keep = match (state, byte) {
                (State::Quoted, b'"') => {
                    state = State::Mark;
                    false
                }
                (State::Quoted, _) => true,
                (State::Mark, b'"') => {
                    state = State::Quoted;
                    true
                }
                (_, b'\n') => break,
                _ if delimits => {
                    cells.push(Vec::new());
                    state = State::Begin;
                    false
                }
                (State::Begin, b'"') => {
                    state = State::Quoted;
                    false
                }
                (State::Mark, b'\r') => false,
                _ => {
                    state = State::Plain;
                    true
                }
            };
            if keep && let Some(cell) = cells.last_mut() {
                cell.push(byte);
            }
        }
        if state != State::Mark
            && let Some(cell) = cells.last_mut().filter(|c| c.ends_with(b"\r"))
        {
            cell.pop();
        }
        Ok(Ok(cells))
    }

    /// Puts back all but the first line of a row whose mark is never closed.
    fn put_back(&mut self, raw: &[u8]) {
        let line = raw.iter().position(|b| *b == b'\n').map_or(raw.len(), |end| end + 1);
        let mut again = raw[line..].to_vec();
        again.extend_from_slice(&self.again[self.at.min(self.again.len())..]);
        self.ended &= again.is_empty();
        (self.again, self.at) = (again, 0);
        self.position -= (raw.len() - line) as u64;
    }
}

impl<R: BufRead> Iterator for Cells<R> {
    type Item = Result<Row, BadRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut raw = Vec::new();
        while !self.ended {
            raw.clear();
            let (record, byte) = (self.record, self.position);
            let found = match self.row(&mut raw) {
                Ok(found) => found,
                Err(error) => {
                    self.ended = true;
                    return Some(Err(BadRecord::new(record, byte, format!("could not read on from here: {error}"))));
                }
            };
            if raw.trim_ascii().is_empty() && found.is_ok() {
                continue;
            }
            self.record += 1;
            match found {
                Ok(cells) => {
                    let cells: Result<Vec<_>, _> = cells.into_iter().map(String::from_utf8).collect();
                    let cells = cells.map(|cells| (record, byte, cells));
                    return Some(cells.map_err(|_| BadRecord::new(record, byte, "not UTF-8")));
                }
                Err(reason) if raw.is_empty() => return Some(Err(BadRecord::new(record, byte, reason))),
                Err(reason) => {
                    self.open += 1;
                    if self.open > MOST_OPEN {
                        self.ended = true;
                        let reason =
                            format!("{reason}, as in {MOST_OPEN} rows before; the rest of the file was not read");
                        return Some(Err(BadRecord::new(record, byte, reason)));
                    }
                    self.put_back(&raw);
                    return Some(Err(BadRecord::new(record, byte, reason)));
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<Result<String, u64>> {
        let rows = Cells::new(text.as_bytes(), b',');
        rows.map(|row| row.map(|(_, _, cells)| cells.join("|")).map_err(|bad| bad.record)).collect()
    }

    #[test]
    fn marks_count_at_the_beginning_of_a_cell_only() {
        let ok = |rows: &[&str]| rows.iter().map(|r| Ok((*r).to_owned())).collect::<Vec<_>>();
        assert_eq!(read("a,b\r\n\"one\n\n\"\"two\"\"\",x\r\n\r\n3\n"), ok(&["a|b", "one\n\n\"two\"|x", "3"]));
        assert_eq!(read("a,5\" pipe\nb,6\" pipe\n"), ok(&["a|5\" pipe", "b|6\" pipe"]));
        assert_eq!(read("\"a\"b,\"c\"\n,"), ok(&["ab|c", "|"]));
    }

    #[test]
    fn a_mark_left_open_costs_its_row() {
        assert_eq!(
            read("a,b\n1,\"open\n2,x\n3,y"),
            [Ok("a|b".to_owned()), Err(1), Ok("2|x".to_owned()), Ok("3|y".to_owned())]
        );
    }

    #[test]
    fn a_last_row_that_is_too_long_is_told() {
        assert_eq!(read(&format!("a,b\n1,{}", "x".repeat(MAX_RECORD_BYTES))), [Ok("a|b".to_owned()), Err(1)]);
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read(rows in prop::collection::vec(prop::collection::vec("[a\",\n\r é]{0,6}", 2..4), 1..6)) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let found: Vec<_> = Cells::new(text.as_bytes(), b',').map(|r| r.unwrap().2).collect();
            prop_assert_eq!(found, rows);
        }

        #[test]
        fn any_bytes_come_to_an_end(bytes in "[\",\na\r]{0,200}") {
            prop_assert!(Cells::new(bytes.as_bytes(), b',').count() <= bytes.len() + 1);
        }
    }
}
