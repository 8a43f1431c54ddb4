//! Lines of bounded length.

use std::io::{self, BufRead};

use super::{BadRecord, MAX_RECORD_BYTES};

/// A single line longer than this is no dump but a bomb; reading stops.
const HOPELESS_BYTES: u64 = 1 << 30;

/// The lines of a file, counted, without holding one that is too long.
pub(crate) struct Lines<R> {
    input: R,
    line: Vec<u8>,
    record: u64,
    byte: u64,
    ended: bool,
    /// [`HOPELESS_BYTES`], or less in tests.
    hopeless: u64,
}

/// Number of the line among those that are not blank, byte it begins at, the line without surrounding white space.
type Line<'a> = (u64, u64, &'a [u8]);

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, line: Vec::new(), record: 0, byte: 0, ended: false, hopeless: HOPELESS_BYTES }
    }

    /// The next line that is not blank. A line over 16 MiB is passed over; after an error of the input nothing more comes.
    pub(crate) fn next_line(&mut self) -> Option<Result<Line<'_>, BadRecord>> {
        while !self.ended {
            // One very long line must not be paid for to the end of the file.
            self.line.clear();
            self.line.shrink_to(1 << 20);
            let byte = self.byte;
            let long = match self.fill() {
                Ok(long) => long,
                Err(error) => {
                    self.ended = true;
                    self.record += 1;
                    return Some(Err(BadRecord::new(
                        self.record,
                        byte,
                        format!("could not read on from here: {error}"),
                    )));
                }
            };
            if long {
                self.record += 1;
                let reason = if self.ended && self.byte - byte > self.hopeless {
                    "a line of more than 1 GiB: no dump; the rest of the file was not read"
                } else {
                    "a line of more than 16 MiB: no post or note is that long"
                };
                return Some(Err(BadRecord::new(self.record, byte, reason)));
            }
            if !self.line.trim_ascii().is_empty() {
                self.record += 1;
                return Some(Ok((self.record, byte, self.line.trim_ascii())));
            }
        }
        None
    }

    /// Reads up to and with the next line break. True when the line was too long to be held.
    fn fill(&mut self) -> io::Result<bool> {
        let length = take_line(&mut self.input, &mut self.line, MAX_RECORD_BYTES, self.hopeless)?;
        self.byte += length;
        self.ended = length == 0 || length > self.hopeless;
        Ok(length > MAX_RECORD_BYTES as u64)
    }
}

/// Adds the next line of `input` with its break to `line`, but no more than `most` bytes of it, and gives its length: 0 at the
/// end. One of more than `longest` bytes is not read to its end.
pub(crate) fn take_line(
    input: &mut impl BufRead,
    line: &mut Vec<u8>,
    mut most: usize,
    longest: u64,
) -> io::Result<u64> {
    let mut length = 0;
    loop {
        let bytes = input.fill_buf()?;
        let end = bytes.iter().position(|b| *b == b'\n');
        let taken = end.map_or(bytes.len(), |end| end + 1);
        let kept = taken.min(most);
        line.extend_from_slice(&bytes[..kept]);
        most -= kept;
        input.consume(taken);
        length += taken as u64;
        if end.is_some() || taken == 0 || length > longest {
            return Ok(length);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    fn read(input: impl Read) -> Vec<Result<(u64, u64, String), BadRecord>> {
        let mut lines = Lines::new(BufReader::new(input));
        let mut all = Vec::new();
        while let Some(line) = lines.next_line() {
            all.push(line.map(|(record, byte, text)| (record, byte, String::from_utf8_lossy(text).into_owned())));
        }
        all
    }

    #[test]
    fn blank_lines_do_not_count_and_bytes_do() {
        let want = vec![Ok((1, 0, "a".to_owned())), Ok((2, 5, "b c".to_owned())), Ok((3, 10, "d".to_owned()))];
        assert_eq!(read(&b"a\r\n\n\n b c\nd"[1..]).len(), 2);
        assert_eq!(read(&b"a\r\n \nb c\n\nd"[..]), want);
    }

    #[test]
    fn a_line_without_end_is_given_up() {
        let mut lines = Lines::new(BufReader::new(io::repeat(b'x')));
        lines.hopeless = 20 << 20;
        assert!(matches!(lines.next_line(), Some(Err(bad)) if bad.reason.contains("rest of the file was not read")));
        assert!(lines.next_line().is_none());
    }

    #[test]
    fn a_line_too_long_is_passed_over() {
        let long = io::repeat(b'x').take(50 << 20);
        let found = read(b"a\n".chain(long).chain(&b"\nb\n"[..]));
        assert_eq!(found[0], Ok((1, 0, "a".to_owned())));
        assert!(matches!(&found[1], Err(bad) if bad.record == 2 && bad.byte == 2 && bad.reason.contains("16 MiB")));
        assert_eq!(found[2], Ok((3, (50 << 20) + 3, "b".to_owned())));
    }
}
