//! Rows of a table taken apart into cells.

use std::io::{self, Read};

/// A parser for many rows: to make one costs more than to use it.
pub(crate) struct Cells {
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
    pub(crate) fn new(delimiter: u8) -> Self {
        let mut builder = csv::ReaderBuilder::new();
        let reader = builder.has_headers(false).flexible(true).delimiter(delimiter).from_reader(Feed::default());
        Self { reader, delimiter, fed: 0 }
    }

    /// The cells of `row`, which ends where its line break is or without one.
    pub(crate) fn split(&mut self, row: &[u8]) -> csv::Result<csv::ByteRecord> {
        let feed = self.reader.get_mut();
        feed.at = 0;
        feed.row.clear();
        feed.row.extend_from_slice(row);
        if !row.ends_with(b"\n") {
            feed.row.push(b'\n');
        }
        self.fed += feed.row.len() as u64;
        let mut record = csv::ByteRecord::new();
        let read = self.reader.read_byte_record(&mut record);
        // Of a row that was not understood to its end nothing may come into the next. The last byte of a break may wait.
        if self.reader.is_done() || self.fed - self.reader.position().byte().min(self.fed) > 1 {
            *self = Self::new(self.delimiter);
        }
        read.map(|_| record)
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
                prop_assert_eq!(cells.split(&row).unwrap(), Cells::new(b',').split(&row).unwrap());
            }
        }
    }
}
