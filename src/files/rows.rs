//! Rows of a table of text in quotes (CSV), without holding one that is too long.

use std::io::{self, BufRead};

use super::cells::{Cells, Marks};
use super::{BadRecord, MAX_RECORD_BYTES};

/// Marks left open after which the rest of a file is given up: each is looked for to the end.
const MOST_OPEN: usize = 20;

const OPEN: &str = "a quotation mark is opened and never closed; what follows was read where a line is a row by itself";

/// The rows of a file; the first is its header, which is not given again where tables were put one below the other. Cells that
/// are blank beyond the header's are left out, and a row that has others there is none.
pub(crate) struct Rows<R> {
    input: R,
    cells: Cells,
    delimiter: u8,
    record: u64,
    /// Where in the file the next byte stands.
    byte: u64,
    header: Option<Vec<String>>,
    /// Bytes that were read ahead for a mark that is never closed.
    again: Vec<u8>,
    at: usize,
    open: usize,
    ended: bool,
}

/// A row: its number, from 0 for the header; the byte it begins at; its cells.
pub(crate) type Row = (u64, u64, Vec<String>);

/// How a row ends.
enum End {
    Whole,
    Long,
    Open,
}

impl<R: BufRead> Rows<R> {
    pub(crate) fn new(input: R, delimiter: u8) -> Self {
        let (cells, again) = (Cells::new(delimiter), Vec::new());
        Self { input, cells, delimiter, record: 0, byte: 0, header: None, again, at: 0, open: 0, ended: false }
    }

    /// The bytes of the next row, with line breaks in quotes.
    fn fill(&mut self, row: &mut Vec<u8>) -> io::Result<End> {
        let (mut marks, mut long) = (Marks::new(self.delimiter), false);
        loop {
            let held = self.at < self.again.len();
            let bytes = if held { &self.again[self.at..] } else { self.input.fill_buf()? };
            if bytes.is_empty() {
                self.ended = true;
                return Ok(if long {
                    End::Long
                } else if marks.open() {
                    End::Open
                } else {
                    End::Whole
                });
            }
            let end = bytes.iter().position(|b| if long { *b == b'\n' } else { marks.ends(*b) });
            let taken = end.map_or(bytes.len(), |end| end + 1);
            if !long {
                row.extend_from_slice(&bytes[..taken]);
            }
            if held {
                self.at += taken;
            } else {
                self.input.consume(taken);
            }
            self.byte += taken as u64;
            match end {
                Some(_) if long || row.len() > MAX_RECORD_BYTES => return Ok(End::Long),
                Some(_) => return Ok(End::Whole),
                None if !long && row.len() > MAX_RECORD_BYTES => {
                    if marks.open() {
                        return Ok(End::Open);
                    }
                    long = true;
                    row.clear();
                }
                None => {}
            }
        }
    }

    /// Puts back all but the first line of a row whose mark is never closed.
    fn put_back(&mut self, row: &[u8]) {
        let line = row.iter().position(|b| *b == b'\n').map_or(row.len(), |end| end + 1);
        let rest = &self.again[self.at.min(self.again.len())..];
        let again = [&row[line..], rest].concat();
        self.ended &= again.is_empty();
        self.byte -= (row.len() - line) as u64;
        (self.again, self.at) = (again, 0);
    }

    /// The cells of a row by the header's measure; `None` for the header again, and for what is but a part of a row whose mark
    /// was never closed.
    fn measured(&mut self, row: &[u8], torn: bool) -> Result<Option<Vec<String>>, String> {
        let record = self.cells.split(row);
        let width = self.header.as_ref().map(Vec::len);
        if torn && !record.as_ref().is_ok_and(|record| width.is_none_or(|width| width == record.len())) {
            return Ok(None);
        }
        // A NUL is damage, and would end a text early wherever it is stored.
        let text = |cell| String::from_utf8_lossy(cell).replace('\0', "");
        let mut cells: Vec<String> = record?.iter().map(text).collect();
        let Some(header) = &self.header else {
            self.header = Some(cells.clone());
            return Ok(Some(cells));
        };
        let width = header.len();
        if cells.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
            return Err(format!(
                "{} cells under {width} headers: a text that holds the separator must stand in quotation marks",
                cells.len()
            ));
        }
        cells.truncate(width);
        Ok((cells != *header).then_some(cells))
    }
}

impl<R: BufRead> Iterator for Rows<R> {
    type Item = Result<Row, BadRecord>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = Vec::new();
        while !self.ended {
            row.clear();
            let (record, byte, torn) = (self.record, self.byte, self.at < self.again.len());
            let bad = match self.fill(&mut row) {
                Err(error) => {
                    self.ended = true;
                    format!("could not read on from here: {error}")
                }
                Ok(End::Whole) if row.trim_ascii().is_empty() || (record == 0 && separator(&row).is_some()) => continue,
                Ok(End::Whole) => match self.measured(&row, torn) {
                    Ok(None) => continue,
                    Ok(Some(cells)) => {
                        self.record += 1;
                        return Some(Ok((record, byte, cells)));
                    }
                    Err(reason) => reason,
                },
                Ok(End::Long) => "a row of more than 16 MiB: no post or note is that long".to_owned(),
                Ok(End::Open) => {
                    self.open += 1;
                    if self.open > MOST_OPEN {
                        self.ended = true;
                        format!("{OPEN}, as in {MOST_OPEN} rows before; the rest of the file was not read")
                    } else {
                        self.put_back(&row);
                        OPEN.to_owned()
                    }
                }
            };
            self.record += 1;
            return Some(Err(BadRecord::new(record, byte, bad)));
        }
        None
    }
}

/// The delimiter that spreadsheets write before the header: `sep=;`.
fn separator(line: &[u8]) -> Option<u8> {
    let line = line.trim_ascii();
    (line.len() == 5 && line.to_ascii_lowercase().starts_with(b"sep=")).then(|| line[4])
}

/// The delimiter of a table that begins with `head`, among `known` ones: as its first line says, else the commonest in its header.
pub(crate) fn delimiter(head: &[u8], known: &[u8]) -> Option<u8> {
    let mut lines = head.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let first = lines.next()?;
    let commonest = || {
        let count = |delimiter: u8| first.iter().filter(|b| **b == delimiter).count();
        known.iter().copied().max_by_key(|d| (count(*d), u8::MAX - d)).filter(|d| count(*d) > 0)
    };
    separator(first).or_else(commonest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rows of a table, cells parted by `|`; of bad ones why.
    fn read(text: &str) -> Vec<Result<String, String>> {
        let rows = Rows::new(text.as_bytes(), b',');
        rows.map(|row| row.map(|(_, _, cells)| cells.join("|")).map_err(|bad| bad.reason)).collect()
    }

    #[test]
    fn marks_and_breaks_belong_to_cells_where_these_are_quoted() {
        let cases: [(&str, &[&str]); 11] = [
            ("a,b\r\n\"one\n\n\"\"two\"\"\",x\r\n\r\n3\n", &["a|b", "one\n\n\"two\"|x", "3"]),
            ("a,5\" pipe\nb,6\" pipe\n", &["a|5\" pipe", "b|6\" pipe"]),
            ("\"a\"b,\"c\"\n,", &["ab|c", "|"]),
            (
                "a,b\n1,he said \"\"no\"\" twice\n2,\"fine, really\"\n",
                &["a|b", "1|he said \"\"no\"\" twice", "2|fine, really"],
            ),
            ("a,b\n1,one\rtwo\r\n2,\"x\r\"\r\n", &["a|b", "1|one\rtwo", "2|x\r"]),
            ("a,b\n1,\"say \"\"hi\"\"\"\n", &["a|b", "1|say \"hi\""]),
            ("sep=,\na,b\n", &["a|b"]),
            ("a,b\nsep=,\n", &["a|b", "sep=|"]),
            ("a,b\n1,2, ,\n", &["a|b", "1|2"]),
            ("a,b\n1,\0x\na,b\n2,y\n", &["a|b", "1|x", "2|y"]),
            ("", &[]),
        ];
        for (table, want) in cases {
            let found: Vec<_> = read(table).into_iter().collect::<Result<_, _>>().unwrap();
            assert_eq!(found, want, "{table:?}");
        }
    }

    #[test]
    fn a_mark_left_open_costs_its_row() {
        let found = read("a,b\n1,\"open\n2,x\n3,y");
        assert_eq!(found.iter().flatten().collect::<Vec<_>>(), ["a|b", "2|x", "3|y"]);
        assert!(found[1].as_ref().unwrap_err().contains("never closed"), "{found:?}");
        // What was cut off is one record, however many lines it has.
        let found = read("a,b\n1,x\n2,\"cut off\n\nin the middle\nof a text");
        assert_eq!((found.len(), found[2].is_err()), (3, true), "{found:?}");
        let found = read(&("a,b\n".to_owned() + &"1,\"open\n\"".repeat(40)));
        assert!(found.iter().flatten().count() >= 1 && found.len() < 60, "{found:?}");
    }

    #[test]
    fn rows_too_long_or_too_wide_are_told() {
        let long = "x".repeat(MAX_RECORD_BYTES);
        for table in [format!("a,b\n1,{long}"), format!("a,b\n1,{long}\n2,y\n")] {
            let found = read(&table);
            assert!(found[1].as_ref().unwrap_err().contains("16 MiB"));
            assert!(found.get(2).is_none_or(|row| *row == Ok("2|y".to_owned())), "the row below is read");
        }
        assert!(read("a,b\n1,2,3\n")[1].as_ref().unwrap_err().contains("3 cells under 2 headers"));
    }

    #[test]
    fn the_header_tells_the_delimiter() {
        for (head, want) in
            [("a;b,c;d\n", Some(b';')), ("sep=|\na;b\n", Some(b'|')), ("\na\tb\n", Some(b'\t')), ("a b\n", None)]
        {
            assert_eq!(delimiter(head.as_bytes(), b",;\t"), want, "{head:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read(rows in prop::collection::vec(prop::collection::vec("[a\",\n\r é]{0,6}", 3), 1..6)) {
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let found: Vec<_> = Rows::new(text.as_bytes(), b',').map(|r| r.unwrap().2).collect();
            let again = |row: &&Vec<String>| **row != rows[0];
            let want: Vec<_> = rows.iter().take(1).chain(rows.iter().skip(1).filter(again)).cloned().collect();
            prop_assert_eq!(found, want);
        }

        #[test]
        fn any_bytes_come_to_an_end(bytes in "[\",\na\r]{0,200}") {
            prop_assert!(Rows::new(bytes.as_bytes(), b',').count() <= bytes.len() + 1);
        }
    }
}
