//! Rows of a table of text in quotes (CSV), without holding one that is too long.

use std::io::{self, BufRead};

use super::cells::{Cells, Marks};
use super::{BadRecord, MAX_RECORD_BYTES};

/// The rows of a file; the first is its header.
pub(super) struct Rows<R> {
    input: R,
    delimiter: u8,
    cells: Cells,
    record: u64,
    byte: u64,
    ended: bool,
}

/// A row: its number, from 0 for the header; the byte it begins at; its cells.
pub(super) type Row = (u64, u64, Vec<String>);

impl<R: BufRead> Rows<R> {
    pub(super) fn new(input: R, delimiter: u8) -> Self {
        Self { input, delimiter, cells: Cells::new(delimiter), record: 0, byte: 0, ended: false }
    }

    /// The bytes of the next row, with line breaks in quotes. `None` for one that is too long; an error when the file ends
    /// in it.
    fn fill(&mut self, row: &mut Vec<u8>) -> io::Result<Result<bool, &'static str>> {
        let (mut marks, mut long) = (Marks::new(self.delimiter), false);
        loop {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                self.ended = true;
                return Ok(if marks.open() { Err("ends in the middle of a row") } else { Ok(long) });
            }
            let end = bytes.iter().position(|b| marks.ends(*b));
            let taken = end.map_or(bytes.len(), |end| end + 1);
            long |= row.len() + taken > MAX_RECORD_BYTES;
            if long {
                row.clear();
            } else {
                row.extend_from_slice(&bytes[..taken]);
            }
            self.input.consume(taken);
            self.byte += taken as u64;
            if end.is_some() {
                return Ok(Ok(long));
            }
        }
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Row, BadRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = Vec::new();
        while !self.ended {
            row.clear();
            let (record, byte) = (self.record, self.byte);
            let bad = match self.fill(&mut row) {
                Err(error) => {
                    self.ended = true;
                    format!("could not read on from here: {error}")
                }
                Ok(Err(reason)) => reason.to_owned(),
                Ok(Ok(true)) => "a row of more than 16 MiB: no post is that long".to_owned(),
                Ok(Ok(false)) if row.trim_ascii().is_empty() => continue,
                Ok(Ok(false)) => {
                    self.record += 1;
                    let utf8 = |cells| csv::StringRecord::from_byte_record(cells).map_err(|_| "not UTF-8".to_owned());
                    match self.cells.split(&row).and_then(utf8) {
                        Ok(cells) => return Some(Ok((record, byte, cells.iter().map(str::to_owned).collect()))),
                        Err(reason) => reason,
                    }
                }
            };
            self.record = record + 1;
            return Some(Err(BadRecord::new(record, byte, bad)));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Result<Row, BadRecord>> {
        Rows::new(text.as_bytes(), b';').collect()
    }

    #[test]
    fn breaks_and_marks_in_quotes_belong_to_the_cell() {
        let found = read("a;b;\n\"one\n\n\"\"two\"\"\";x;\n\n3\n");
        let cells: Vec<_> = found.into_iter().map(|row| row.unwrap().2.join("|")).collect();
        assert_eq!(cells, ["a|b|", "one\n\n\"two\"|x|", "3"]);
    }

    #[test]
    fn a_mark_inside_a_cell_opens_nothing() {
        let found = read("a;b\n1;5\" pipe\n2;6 ft\n");
        let cells: Vec<_> = found.into_iter().map(|row| row.unwrap().2.join("|")).collect();
        assert_eq!(cells, ["a|b", "1|5\" pipe", "2|6 ft"]);
    }

    #[test]
    fn a_file_cut_off_in_a_row_says_so() {
        let found = read("a;b\n1;2\n3;\"four");
        assert!(matches!(&found[2], Err(bad) if bad.record == 2 && bad.reason.contains("middle of a row")));
        assert_eq!(found.len(), 3);
    }
}
