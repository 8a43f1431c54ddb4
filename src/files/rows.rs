//! Rows of a table of text in quotes (CSV), without holding one that is too long.

use std::io::{self, BufRead};

use super::cells::{Cells, Marks, misplaced};
use super::{BadRecord, MAX_RECORD_BYTES};

/// Bytes read again because of marks that do not belong, after which the rest of a file is given up.
const MOST_AGAIN: usize = 20 * MAX_RECORD_BYTES;

/// The rows of a file; the first is its header, which is not given again where tables were put one below the other. Cells that
/// are blank beyond the header's are left out, and a row that has others there is none.
pub(crate) struct Rows<R> {
    input: R,
    cells: Cells,
    delimiter: u8,
    record: u64,
    /// Where in the file the next byte stands, and on which line, from 0.
    byte: u64,
    line: usize,
    header: Option<Vec<String>>,
    /// Bytes that were read ahead for a mark that does not belong, and how many of them are read again by now.
    again: Vec<u8>,
    at: usize,
    /// Bytes that were put back in all.
    put_back: usize,
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
        let (record, byte, line, at, put_back) = (0, 0, 0, 0, 0);
        Self { input, cells, delimiter, record, byte, line, header: None, again, at, put_back, ended: false }
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
            self.line += breaks(&bytes[..taken]);
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

    /// Puts back all but the first line of a row whose mark does not belong. False when that was too much already.
    fn put_back(&mut self, row: &[u8]) -> bool {
        let first = row.iter().position(|b| *b == b'\n').map_or(row.len(), |end| end + 1);
        let below = &row[first..];
        self.put_back += below.len();
        self.byte -= below.len() as u64;
        self.line -= breaks(below);
        let read = self.at.min(self.again.len());
        match self.again[..read].strip_suffix(below) {
            Some(before) => self.at = before.len(),
            None => (self.again, self.at) = ([below, &self.again[read..]].concat(), 0),
        }
        let may = self.put_back <= MOST_AGAIN;
        self.ended = !may || (self.ended && below.is_empty());
        may
    }

    /// Whether a row of several lines holds what were rows before a mark was left out, or one too many put in. It does where
    /// the mark that closes the text begins a cell of a row itself; and where each line below the first is a row that has
    /// figures in the same place, such as numbers or dates.
    fn holds_rows(&mut self, row: &[u8]) -> bool {
        let row = row.strip_suffix(b"\n").unwrap_or(row);
        if self.header.as_ref().is_none_or(|header| header.len() < 2) {
            return false;
        }
        let closing = misplaced(row, self.delimiter).and_then(|at| {
            let begin = row[..at].iter().rposition(|b| *b == b'\n').map_or(0, |end| end + 1);
            row[begin..].split(|b| *b == b'\n').next()
        });
        closing.is_some_and(|line| self.begins_row(line).is_some()) || self.is_of_rows(row)
    }

    /// Whether each line below the first is a row, with figures where the first has them; the last one may go on. Texts have
    /// such lines too: in a table of two columns they are no rows, nor where a blank follows the separator as in a sentence.
    /// Two columns must have figures of one kind. One is enough where the first line is as wide as a row, no other column is
    /// of another kind, and the text that holds the lines does not stand last.
    fn is_of_rows(&mut self, row: &[u8]) -> bool {
        let Some(header) = self.header.as_ref().filter(|header| header.len() > 2) else { return false };
        let (width, spaced) = (header.len(), header.iter().any(|name| name.starts_with(' ')));
        let delimiter = self.delimiter;
        let narrow = |line: &[u8]| line.iter().filter(|b| **b == delimiter).count() + 1 < width;
        let mut lines = row.split(|b| *b == b'\n');
        let first = lines.next().unwrap_or_default();
        let below: Vec<&[u8]> = lines.collect();
        let Some((_, others)) = below.split_last() else { return false };
        // A line of a text may begin with a number and hold one comma.
        if others.iter().copied().any(narrow) {
            return false;
        }
        let Ok(cells) = self.cells.split(row) else { return false };
        let text = cells.iter().position(|cell| cell.contains(&b'\n'));
        let firsts: Vec<String> = cells.iter().map(figures).collect();
        let (mut alike, mut one_is_enough) = (firsts.clone(), !narrow(first) && text != Some(width - 1));
        for (at, line) in below.iter().enumerate() {
            let last = at == others.len();
            let found = self.begins_row(line).filter(|found| last || found.len() == width);
            let Some(found) = found else { return false };
            // A note of a row may begin with a blank, but that of the last line is quoted.
            if !spaced && blanks(line, delimiter).into_iter().any(|column| last || Some(column) != text) {
                return false;
            }
            let shapes: Vec<String> = found.iter().map(figures).collect();
            one_is_enough &= firsts.iter().zip(&shapes).enumerate().all(|(column, (one, other))| {
                one == other || Some(column) == text || (last && column + 1 == shapes.len())
            });
            let same = |(one, other): (&String, String)| if *one == other { other } else { String::new() };
            alike = alike.iter().zip(shapes).map(same).collect();
        }
        match alike.iter().filter(|shape| !shape.is_empty()).count() {
            0 => false,
            1 => one_is_enough,
            _ => true,
        }
    }

    /// The cells of a line that is a row by itself, or the beginning of one whose text goes on in the next line.
    fn begins_row(&mut self, line: &[u8]) -> Option<csv::ByteRecord> {
        let mut marks = Marks::new(self.delimiter);
        for byte in line {
            marks.ends(*byte);
        }
        let width = self.header.as_ref().map_or(0, Vec::len);
        let cells = self.cells.split(line).ok()?;
        (cells.len() == width || (marks.open() && cells.len() > 1 && cells.len() < width)).then_some(cells)
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
            let (record, byte, line) = (self.record, self.byte, self.line + 1);
            let torn = self.at < self.again.len();
            let misplaced = |rows: &mut Self, row: &[u8], what: &str| {
                let then = match rows.put_back(row) {
                    true => "this row was left out, and what follows was read where a line is a row by itself",
                    false => "the rest of the file was not read",
                };
                format!(
                    "a quotation mark in the row that begins on line {line} {what}: close it, or write it twice; {then}"
                )
            };
            let bad = match self.fill(&mut row) {
                Err(error) => {
                    self.ended = true;
                    format!("could not read on from here: {error}")
                }
                Ok(End::Whole) if row.trim_ascii().is_empty() || (record == 0 && separator(&row).is_some()) => continue,
                Ok(End::Whole) if breaks(row.trim_ascii_end()) > 0 && self.holds_rows(&row) => {
                    misplaced(self, &row, "takes rows below it for its text")
                }
                Ok(End::Whole) => match self.measured(&row, torn) {
                    Ok(None) => continue,
                    Ok(Some(cells)) => {
                        self.record += 1;
                        return Some(Ok((record, byte, cells)));
                    }
                    Err(reason) => reason,
                },
                Ok(End::Long) => "a row of more than 16 MiB: no post or note is that long".to_owned(),
                Ok(End::Open) => misplaced(self, &row, "is never closed"),
            };
            self.record += 1;
            return Some(Err(BadRecord::new(record, byte, bad)));
        }
        None
    }
}

/// How many line breaks there are.
fn breaks(bytes: &[u8]) -> usize {
    bytes.iter().filter(|b| **b == b'\n').count()
}

/// The columns of a line in which a blank follows the separator.
fn blanks(line: &[u8], delimiter: u8) -> Vec<usize> {
    let (mut marks, mut column, mut found) = (Marks::new(delimiter), 0, Vec::new());
    for pair in line.windows(2) {
        marks.ends(pair[0]);
        if pair[0] == delimiter && !marks.open() {
            column += 1;
            if pair[1] == b' ' {
                found.push(column);
            }
        }
    }
    found
}

/// A cell of one line that holds figures, with one 9 for each number and one letter for each word: cells of one kind look
/// alike. Empty where there are no figures.
fn figures(cell: &[u8]) -> String {
    let kind = |c: char| match c {
        _ if c.is_numeric() => '9',
        _ if c.is_alphabetic() => 'a',
        _ => c,
    };
    let mut shape: Vec<char> = String::from_utf8_lossy(cell).chars().map(kind).collect();
    shape.dedup_by(|next, c| next == c && matches!(c, '9' | 'a'));
    if shape.contains(&'9') && !shape.contains(&'\n') { shape.into_iter().collect() } else { String::new() }
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
    fn a_mark_that_takes_rows_for_its_text_costs_its_row() {
        for (table, want) in [
            ("a,b\n1,\"open\n2,x\n3,\"fine, really\"\n4,y\n", vec!["a|b", "2|x", "3|fine, really", "4|y"]),
            ("a,b,c\n1,\"12 inch,x\n2,14\",y\n3,z,z\n", vec!["a|b|c", "2|14\"|y", "3|z|z"]),
            ("a,b,c\n1,\"open,x\n2,\",\ny\",x\n", vec!["a|b|c", "2|,\ny|x"]),
            ("\"a\",\"b\"\n\"1\",\"said \"\"\n\"2\",\"x\"\n", vec!["a|b", "2|x"]),
            (
                "\"a\",\"b\"\r\n\"1\",\"open\r\n\"2\",\"two\r\nlines\"\r\n\"3\",\"x\"\r\n",
                vec!["a|b", "2|two\r\nlines", "3|x"],
            ),
            ("a,b\n1,\"o\n2,p\n3,\"q\n4,r\n5,\"s\n6,t", vec!["a|b", "2|p", "4|r", "6|t"]),
            (
                "a,day,b\n1,2026-01-02,\"open\n2,2026-01-03,x\n3,2026-01-04,\",y\"\n",
                vec!["a|day|b", "2|2026-01-03|x", "3|2026-01-04|,y"],
            ),
        ] {
            let found = read(table);
            assert_eq!(found.iter().flatten().collect::<Vec<_>>(), want, "{table}");
            let why = found[1].as_ref().unwrap_err();
            assert!(why.contains("line 2") && why.contains("left out"), "{why}");
        }
        // Nor are texts of several lines taken for rows.
        for table in [
            "a,b\n1,\"Agenda\n2, maybe 3 people\"\n",
            "a,b\n1,\"He said\n\"no\" to me\"\n",
            "a,b\n1,\"Attendees:\nAnn, Acme\nBob, Blitz\"\n",
            "a,b,c\n1,x,\"apples, pears, plums\n\nfigs, 3 of them, more\"\n",
            "a,b,c\n1,\"\"\"quoted,\"\" she said,\n\"\"no\"\", twice\",x\n",
            "a,b\n1,\"two\nlines\" \n",
            "a,b\n4711,\"Angebot\n12,50\n13,00\"\n",
            "a,b,c\n17,Acme,\"Budget in\n2024, 2025, 2026\"\n",
            "a,b,c\n17,Acme,\"Budget in\n2024,2025,2026\"\n",
            "a,b,c\n17,\"Sums of\n2024, 2025\",Acme\n",
            "a,b,c\n17,\"Agenda\n2,maybe\",Acme\n",
        ] {
            let found = read(table);
            assert!(found.len() == 2 && found[1].is_ok(), "{found:?}");
        }
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

    /// A row of a number, words of one line or more, and a word.
    fn written() -> impl Strategy<Value = [String; 2]> {
        ("[a-z ,.\"\n]{0,30}", "[a-z]{1,5}").prop_map(|(note, word)| [note, word])
    }

    proptest! {
        /// A mark too many costs the row in which it stands, and that is told; the rows around it are read.
        #[test]
        fn a_mark_too_many_costs_one_row(
            rows in prop::collection::vec(written(), 1..8),
            bad in any::<prop::sample::Index>(),
            always in any::<bool>(),
        ) {
            let style = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
            let line = |cells: &[&str]| {
                let mut writer = csv::WriterBuilder::new().quote_style(style).from_writer(Vec::new());
                writer.write_record(cells).unwrap();
                String::from_utf8(writer.into_inner().unwrap()).unwrap()
            };
            let mut lines: Vec<String> = vec![line(&["id", "note", "who"])];
            lines.extend(rows.iter().enumerate().map(|(id, [note, who])| line(&[&id.to_string(), note, who])));
            let whole: Vec<_> = read(&lines.concat());
            prop_assert!(whole.iter().all(Result::is_ok), "{whole:?}");
            let at = bad.index(rows.len()) + 1;
            lines[at] = if always { "\"7\",\"cut off\n".to_owned() } else { "7,\"open,x\n".to_owned() };
            let found = read(&lines.concat());
            let told = found.iter().flat_map(|row| row.as_ref().err()).any(|why| why.contains("quotation mark"));
            let missed: Vec<_> = (0..whole.len()).filter(|n| *n != at && !found.contains(&whole[*n])).collect();
            prop_assert!(told && missed.is_empty(), "{missed:?} {told} in {:?}: {found:?}", lines.concat());
        }

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
