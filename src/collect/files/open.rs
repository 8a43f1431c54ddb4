//! A file as a stream of UTF-8, whatever it is packed and encoded in.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};
use indicatif::ProgressBar;

const HEAD_BYTES: u64 = 64 << 10;
const BUFFER_BYTES: usize = 64 << 10;
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Reddit's dumps are packed with a window of 2 GiB.
const WINDOW_LOG: u32 = 31;

/// The first bytes of a file, and all of it from the start; both unpacked and as UTF-8. Or why not.
pub(super) fn open(path: &Path, bar: &ProgressBar) -> Result<(Vec<u8>, Box<dyn BufRead>), String> {
    let unreadable = |e: io::Error| format!("could not be read: {e}");
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let (magic, packed) = peek(BufReader::with_capacity(BUFFER_BYTES, bar.wrap_read(file)), 4).map_err(unreadable)?;
    if magic.is_empty() {
        return Err("empty file".to_owned());
    }
    let is_zstd = magic == ZSTD_MAGIC;
    if !is_zstd && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("zst")) {
        return Err(format!("named .zst but not packed with zstd: {}", kind(&magic).unwrap_or("something else")));
    }
    let unpacked: Box<dyn BufRead> = if is_zstd {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(unreadable)?;
        decoder.window_log_max(WINDOW_LOG).map_err(unreadable)?;
        Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))
    } else {
        Box::new(packed)
    };
    let (start, mut unpacked) = peek(unpacked, 3).map_err(|e| format!("could not be unpacked: {e}"))?;
    let decoder = match start[..] {
        [0xff, 0xfe, ..] => Some(UTF_16LE.new_decoder_with_bom_removal()),
        [0xfe, 0xff, ..] => Some(UTF_16BE.new_decoder_with_bom_removal()),
        [0xef, 0xbb, 0xbf] => {
            unpacked.consume(3);
            None
        }
        _ => None,
    };
    let text: Box<dyn BufRead> = match decoder {
        Some(decoder) => Box::new(BufReader::new(Utf16 { input: unpacked, decoder, ended: false })),
        None => Box::new(unpacked),
    };
    let (head, text) = peek(text, HEAD_BYTES).map_err(|e| format!("could not be unpacked: {e}"))?;
    if head.is_empty() {
        return Err("empty file".to_owned());
    }
    Ok((head, Box::new(text)))
}

/// Why a file that begins with `head` and is of no known format is refused.
pub(super) fn refusal(head: &[u8]) -> String {
    let names: Vec<_> = super::FORMATS.iter().map(|f| f.name()).collect();
    let readable = format!("candor reads {}", names.join(", "));
    match kind(head) {
        Some(kind) => format!("{kind}; {readable}"),
        None => format!("none of the formats known; {readable}"),
    }
}

/// What the first bytes look like, with what can be done about it.
fn kind(head: &[u8]) -> Option<&'static str> {
    let start = head.trim_ascii_start();
    Some(match head {
        [b'P', b'K', 3 | 5, ..] => "a zip archive: unpack it and collect the folder",
        [0x1f, 0x8b, ..] => "packed with gzip: unpack it first",
        _ if start.starts_with(b"<") => "a page of HTML or XML",
        _ if start.is_empty() => "holds nothing but white space",
        _ if head.iter().take(64).filter(|b| **b == 0).count() > 16 => {
            "binary, or UTF-16 without its byte order mark: convert it to UTF-8"
        }
        _ => return None,
    })
}

/// An input whose first bytes were looked at.
type Peeked<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// Up to `count` first bytes of `input`, and all of it. Fails only when there is no first byte: what stands before a later
/// failure is still to be read.
fn peek<R: BufRead>(mut input: R, count: u64) -> io::Result<(Vec<u8>, Peeked<R>)> {
    let mut head = Vec::new();
    let read = input.by_ref().take(count).read_to_end(&mut head);
    if head.is_empty() {
        read?;
    }
    Ok((head.clone(), Cursor::new(head).chain(input)))
}

/// UTF-16 as UTF-8.
struct Utf16<R> {
    input: R,
    decoder: Decoder,
    ended: bool,
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            let bytes = self.input.fill_buf()?;
            self.ended = bytes.is_empty();
            let (_, read, written, _) = self.decoder.decode_to_utf8(bytes, out, self.ended);
            self.input.consume(read);
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}
