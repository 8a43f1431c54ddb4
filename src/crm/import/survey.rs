//! What has to be known of a whole file before its first row is read: its encoding, and whether a quotation mark is left
//! open. One pass over the bytes; nothing is held.

use std::io::{BufRead, Read};
use std::ops::RangeInclusive;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// The encoding of bytes without a mark: UTF-8 when they are that, or nearly; otherwise Windows-1252, which older exports
/// use and which gives every byte a meaning.
pub(super) fn encoding(mut bytes: impl Read) -> std::io::Result<&'static Encoding> {
    let (mut good, mut bad) = (0_u64, 0_u64);
    let mut chunk = vec![0; 1 << 16];
    // Bytes at the front of the chunk: the beginning of a character that the next read completes.
    let mut held = 0;
    loop {
        let read = bytes.read(&mut chunk[held..])?;
        let end = held + read;
        let mut at = 0;
        while at < end {
            let (valid, broken) = match std::str::from_utf8(&chunk[at..end]) {
                Ok(_) => (end - at, None),
                Err(error) => (error.valid_up_to(), Some(error.error_len())),
            };
            // A character of more than one byte has exactly one byte that begins it.
            good += chunk[at..at + valid].iter().filter(|b| **b >= 0xc0).count() as u64;
            at += valid;
            match broken {
                Some(Some(length)) => {
                    bad += 1;
                    at += length;
                }
                Some(None) => break,
                None => {}
            }
        }
        held = end - at;
        if read == 0 {
            bad += u64::from(held > 0);
            return Ok(if bad > good { WINDOWS_1252 } else { UTF_8 });
        }
        chunk.copy_within(at..end, 0);
    }
}

/// The lines, from 1, of the record in which a quotation mark is never closed, when there is one: from its beginning to the
/// end of the file.
pub(super) fn open_quote(mut table: impl BufRead, delimiter: u8) -> std::io::Result<Option<RangeInclusive<u64>>> {
    let (mut line, mut began) = (1, 1);
    let (mut quoted, mut at_start, mut blank) = (false, true, true);
    let mut last = b'\n';
    loop {
        let chunk = table.fill_buf()?;
        if chunk.is_empty() {
            let end = if last == b'\n' { line - 1 } else { line };
            return Ok(quoted.then_some(began..=end));
        }
        for &byte in chunk {
            match byte {
                // Two marks inside quotes close and open again, which comes to the same.
                b'"' if quoted => quoted = false,
                b'"' if at_start || last == b'"' => quoted = true,
                _ => {}
            }
            blank &= matches!(byte, b'\r' | b'\n');
            if byte == b'\n' {
                line += 1;
                // Blank lines are no records: the next one begins before them, as the table's reader counts.
                if !quoted && !blank {
                    (began, blank) = (line, true);
                }
            }
            at_start = !quoted && (byte == delimiter || byte == b'\n');
            last = byte;
        }
        let length = chunk.len();
        table.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_inside_a_cell_are_no_quotation() {
        let cases: [(&str, Option<RangeInclusive<u64>>); 6] = [
            ("a,b\n1,\"x\ny\"\n", None),
            ("a,b\n1,5\" pipe\n2,x\n", None),
            ("a,b\n1,\"say \"\"hi\"\"\"\n", None),
            ("a,b\n1,\"open\n2,x\n", Some(2..=3)),
            ("a,b\n1,\"x\ny\"\n2,\"open\n3,z", Some(4..=5)),
            ("", None),
        ];
        for (table, open) in cases {
            assert_eq!(open_quote(table.as_bytes(), b',').unwrap(), open, "{table:?}");
        }
    }

    /// Gives one byte at a time, so that every character is broken between two reads.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buf[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn most_bytes_decide() {
        for (bytes, expected) in [
            ("plain".as_bytes(), UTF_8),
            ("d\u{e9}j\u{e0} \u{1f600}".as_bytes(), UTF_8),
            (b"d\xe9j\xe0", WINDOWS_1252),
            (b"caf\xe9", WINDOWS_1252),
            (b"\xc3\xa9t\xc3\xa9 caf\xe9", UTF_8),
        ] {
            assert_eq!(encoding(Drip(bytes)).unwrap(), expected, "{bytes:?}");
            assert_eq!(encoding(bytes).unwrap(), expected, "{bytes:?}");
        }
    }
}
