//! A file as a stream of UTF-8, whatever it is packed and encoded in.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use flate2::bufread::MultiGzDecoder;
use serde_json::{Map, Value};

use super::BadRecord;

/// What is seen of a file before it is known how to read it.
pub(crate) const HEAD_BYTES: u64 = 64 << 10;
const BUFFER_BYTES: usize = 64 << 10;
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Reddit's dumps are packed with a window of 2 GiB.
const WINDOW_LOG: u32 = 31;

/// The first bytes of a file, and all of it from the start; both unpacked and as UTF-8. Or why not.
pub(crate) fn open<'a>(path: &Path, raw: impl Read + 'a) -> Result<(Vec<u8>, Box<dyn BufRead + 'a>), String> {
    let unreadable = |e: io::Error| format!("could not be read: {e}");
    let (magic, packed) = peek(BufReader::with_capacity(BUFFER_BYTES, raw), 4).map_err(unreadable)?;
    if magic.is_empty() {
        return Err("empty file".to_owned());
    }
    let is_zstd = magic == ZSTD_MAGIC;
    if !is_zstd && path.extension().is_some_and(|e| e.eq_ignore_ascii_case("zst")) {
        return Err(format!("named .zst but not packed with zstd: {}", kind(&magic).unwrap_or("something else")));
    }
    let unpacked: Box<dyn BufRead + 'a> = if is_zstd {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(packed).map_err(unreadable)?;
        decoder.window_log_max(WINDOW_LOG).map_err(unreadable)?;
        Box::new(BufReader::with_capacity(BUFFER_BYTES, decoder))
    } else if magic.starts_with(&[0x1f, 0x8b]) {
        Box::new(BufReader::with_capacity(BUFFER_BYTES, MultiGzDecoder::new(packed)))
    } else {
        Box::new(packed)
    };
    let (start, unpacked) = peek(unpacked, 4096).map_err(|e| format!("could not be unpacked: {e}"))?;
    if let Some(what) = foreign(&start) {
        return Err(what.to_owned());
    }
    let text = BufReader::with_capacity(BUFFER_BYTES, Decoded::new(unpacked, &start));
    let (head, text) = peek(text, HEAD_BYTES).map_err(|e| format!("could not be unpacked: {e}"))?;
    if head.is_empty() {
        return Err("empty file".to_owned());
    }
    // Old programs of the Macintosh end lines by a carriage return alone.
    if head.contains(&b'\r') && !head.contains(&b'\n') {
        let lines = head.iter().map(|b| if *b == b'\r' { b'\n' } else { *b }).collect();
        return Ok((lines, Box::new(BufReader::with_capacity(BUFFER_BYTES, Returns(text)))));
    }
    Ok((head, Box::new(text)))
}

/// What the files of other programs begin with, and what to do with them.
const FOREIGN: [(&[u8], &str); 12] = [
    (b"PK\x03\x04", "a zip archive in another file; unpack it first"),
    (b"7z\xbc\xaf", "packed with 7-Zip; unpack it first"),
    (b"Rar!\x1a", "packed with RAR; unpack it first"),
    (b"\xfd7zXZ", "packed with xz; unpack it first"),
    (b"BZh91AY&SY", "packed with bzip2; unpack it first"),
    (b"SQLite format 3\0", "a database of SQLite; export what it holds as CSV or JSON first"),
    (b"\xd0\xcf\x11\xe0", "an Office document or a mail of Outlook; save it as CSV, text or .eml first"),
    (b"!BDN", "a mailbox of Outlook; export it as mbox first"),
    (b"PAR1", "a table of Parquet; save it as CSV or JSON lines first"),
    (b"bplist00", "a web archive of Safari; save the page as HTML first"),
    (b"%PDF-", "a PDF; save what it was made of as text, CSV or HTML"),
    (b"{\\rtf", "a rich text; save it as plain text first"),
];

/// What to do with a file of another program, that is no text and begins with `start`.
fn foreign(start: &[u8]) -> Option<&'static str> {
    let tar = start.get(257..262).is_some_and(|mark| mark == b"ustar");
    let known = FOREIGN.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, what)| *what);
    known.or_else(|| tar.then_some("a tar archive; unpack it first"))
}

/// A text whose carriage returns are line breaks.
struct Returns<R>(R);

impl<R: Read> Read for Returns<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(out)?;
        out[..read].iter_mut().filter(|byte| **byte == b'\r').for_each(|byte| *byte = b'\n');
        Ok(read)
    }
}

/// Why a file that begins with `head` and is of no known format is refused.
pub(crate) fn refusal(head: &[u8]) -> String {
    let reason = kind(head).unwrap_or("none of the formats known");
    format!("{reason}; `candor formats` lists what candor reads")
}

/// What the first bytes look like, with what can be done about it.
fn kind(head: &[u8]) -> Option<&'static str> {
    let start = head.trim_ascii_start();
    Some(match head {
        _ if start.starts_with(b"<?xml") => "XML of no known format",
        _ if start.starts_with(b"<") => "a page of HTML in which no posts were found",
        _ if start.is_empty() => "holds nothing but white space",
        _ if is_binary(head) => "binary",
        _ if start.starts_with(b"{") || start.starts_with(b"[") => {
            return barren(head).or_else(|| is_document(head).then_some("a document of JSON of no known format"));
        }
        _ => return None,
    })
}

fn is_document(head: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(head).is_ok()
}

/// Why a file that begins with `head` holds no records, though it is JSON; `None` when it may.
pub(crate) fn barren(head: &[u8]) -> Option<&'static str> {
    match serde_json::from_slice::<Value>(head) {
        Ok(Value::Array(items)) if items.is_empty() => Some("an empty list"),
        Ok(Value::Object(answer)) if says_failed(&answer) => {
            Some("an answer of an API that says that the request failed; ask for it again")
        }
        Ok(Value::Object(answer)) if is_empty(&answer) => Some("an answer of an API whose list is empty"),
        Err(error) if error.is_eof() && (head.len() as u64) < HEAD_BYTES => {
            Some("JSON that ends before its first record does: an export that was cut off")
        }
        _ => None,
    }
}

/// Whether an API says that it did not do what was asked.
fn says_failed(answer: &Map<String, Value>) -> bool {
    let told = |name: &&str| {
        answer.get(*name).is_some_and(|value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(fields) => !fields.is_empty(),
            _ => true,
        })
    };
    let code = ["status_code", "status"].iter().filter_map(|name| answer.get(*name)).filter_map(Value::as_u64);
    ["error", "errors", "error_id"].iter().any(told)
        || ["message", "documentation_url"].iter().all(told)
        || ["ok", "success"].iter().any(|name| answer.get(*name) == Some(&Value::Bool(false)))
        || answer.get("status").is_some_and(|status| status == "error")
        || code.into_iter().any(|code| (400..600).contains(&code))
}

/// Whether there is a list in an answer, and nothing in any; or nothing where one belongs.
fn is_empty(answer: &Map<String, Value>) -> bool {
    let lists = || answer.values().filter_map(Value::as_array);
    let nothing = lists().next().is_some() && lists().all(Vec::is_empty) && !answer.values().any(Value::is_object);
    nothing || answer.get("data").is_some_and(Value::is_null)
}

/// Whether a file that begins with `head` is no text. A few NUL bytes in a text are damage.
pub(crate) fn is_binary(head: &[u8]) -> bool {
    let start = &head[..head.len().min(64)];
    start.iter().filter(|b| **b == 0).count() * 4 > start.len()
}

/// Extensions of what goes with saved pages and exports and holds no posts.
const ASSETS: &[&str] = &[
    "avif", "bmp", "css", "eot", "gif", "heic", "ico", "jpeg", "jpg", "js", "m4a", "map", "mjs", "mov", "mp3", "mp4",
    "ogg", "otf", "pdf", "png", "svg", "tiff", "ttf", "wav", "webm", "webp", "woff", "woff2",
];

/// Whether a file is a picture, a style sheet, a font or the like.
pub(crate) fn is_asset(path: &Path) -> bool {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    extension.is_some_and(|e| ASSETS.contains(&e.as_str()))
}

/// The first bytes of an opened file, and all of it from the start, for a format whose reading depends on them.
///
/// # Errors
/// When not even the first byte can be read.
pub(crate) fn head<'a>(input: Box<dyn BufRead + 'a>) -> Result<(Vec<u8>, Box<dyn BufRead + 'a>), BadRecord> {
    let (head, input) =
        peek(input, HEAD_BYTES).map_err(|error| BadRecord::new(1, 0, format!("could not be read: {error}")))?;
    Ok((head, Box::new(input)))
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

/// Text of any encoding as UTF-8.
///
/// A byte order mark decides; without one the text is UTF-8 for as long as it is valid. At bytes that are not, what was read so
/// far and what stands beside them tell whether they are damage, each replaced by U+FFFD, or of another encoding, which is
/// guessed and holds until the text is UTF-8 again. JSON is UTF-8 by its standard, so there broken bytes stay as they are and
/// cost their record only; mails each say what they are encoded in.
struct Decoded<R> {
    input: R,
    state: State,
    /// Letters beyond ASCII that were read as UTF-8.
    letters: usize,
    ended: bool,
}

enum State {
    /// Passed through.
    Plain,
    /// Valid UTF-8 up to here.
    Utf8,
    /// By a decoder.
    By(Decoder),
    /// By a decoder that was guessed.
    Guessed(Decoder),
}

impl<R: BufRead> Decoded<R> {
    /// `start` is what the input begins with; it is still to come from it.
    fn new(mut input: R, start: &[u8]) -> Self {
        let first = start.trim_ascii_start().first();
        let state = match Encoding::for_bom(start) {
            Some((encoding, length)) if encoding == UTF_8 => {
                input.consume(length);
                State::Utf8
            }
            Some((encoding, _)) => State::By(encoding.new_decoder_with_bom_removal()),
            None => match unmarked_utf16(start) {
                Some(encoding) => State::By(encoding.new_decoder()),
                None if matches!(first, Some(b'{' | b'[')) || start.starts_with(b"From ") => State::Plain,
                None => State::Utf8,
            },
        };
        Self { input, state, letters: 0, ended: false }
    }
}

/// Text of Latin letters in UTF-16 has a zero in every other byte.
fn unmarked_utf16(start: &[u8]) -> Option<&'static Encoding> {
    let (pairs, _) = start.as_chunks::<2>();
    let share = |at: usize| pairs.iter().filter(|p| p[at] == 0 && p[1 - at] != 0).count() * 10 >= pairs.len() * 8;
    match pairs.len() {
        0..8 => None,
        _ if share(1) => Some(UTF_16LE),
        _ if share(0) => Some(UTF_16BE),
        _ => None,
    }
}

/// The encoding of `bytes`, which are not valid UTF-8: a guess, or UTF-8 with damage where most of it is UTF-8 after all.
/// `before` is how many letters beyond ASCII were UTF-8 in what came before.
fn guess(bytes: &[u8], before: usize) -> &'static Encoding {
    let text = String::from_utf8_lossy(bytes);
    if before + letters(&text) > 4 * text.matches('\u{fffd}').count() {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Letters beyond ASCII, without those that stand for broken bytes.
fn letters(text: &str) -> usize {
    if text.is_ascii() { 0 } else { text.chars().filter(|c| !c.is_ascii() && *c != '\u{fffd}').count() }
}

/// Whether `bytes` hold letters beyond ASCII, and all of them are UTF-8. The last one may be cut off.
fn is_utf8_again(bytes: &[u8]) -> bool {
    let valid = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
        Err(_) => "",
    };
    letters(valid) > 0
}

/// `bytes` as text, of whatever encoding they are most like.
pub(crate) fn guessed(bytes: &[u8]) -> String {
    guess(bytes, 0).decode_without_bom_handling(bytes).0.into_owned()
}

impl<R: BufRead> Read for Decoded<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            let bytes = self.input.fill_buf()?;
            let last = bytes.is_empty();
            match &mut self.state {
                State::Plain => return self.input.read(out),
                State::Guessed(_) if is_utf8_again(bytes) => self.state = State::Utf8,
                State::Utf8 => {
                    let taken = &bytes[..bytes.len().min(out.len())];
                    let (valid, broken) = match std::str::from_utf8(taken) {
                        Ok(text) => (text, None),
                        Err(error) => {
                            (std::str::from_utf8(&taken[..error.valid_up_to()]).unwrap_or(""), Some(error.error_len()))
                        }
                    };
                    match broken {
                        _ if last => self.ended = true,
                        _ if !valid.is_empty() => {
                            self.letters += letters(valid);
                            let read = valid.len();
                            out[..read].copy_from_slice(valid.as_bytes());
                            self.input.consume(read);
                            return Ok(read);
                        }
                        // A letter that lies across the end of what was read: the rest of it comes next.
                        Some(None) => return self.across(out),
                        _ => {
                            let encoding = guess(bytes, self.letters);
                            let decoder = encoding.new_decoder_without_bom_handling();
                            self.state = if encoding == UTF_8 { State::By(decoder) } else { State::Guessed(decoder) };
                        }
                    }
                }
                State::By(decoder) | State::Guessed(decoder) => {
                    let (_, read, written, _) = decoder.decode_to_utf8(bytes, out, last);
                    self.ended = last;
                    self.input.consume(read);
                    if written > 0 {
                        return Ok(written);
                    }
                }
            }
        }
        Ok(0)
    }
}

impl<R: BufRead> Decoded<R> {
    /// Reads a letter whose bytes come in two portions, one byte after the other.
    fn across(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut letter = Vec::with_capacity(4);
        while letter.len() < 4.min(out.len()) {
            let Some(byte) = self.input.fill_buf()?.first().copied() else { break };
            letter.push(byte);
            self.input.consume(1);
            match std::str::from_utf8(&letter) {
                Ok(_) => break,
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    // Not UTF-8 after all: damage, or the commonest of the old encodings.
                    let encoding = if self.letters > 4 { UTF_8 } else { encoding_rs::WINDOWS_1252 };
                    let (text, _) = encoding.decode_without_bom_handling(&letter);
                    letter = text.into_owned().into_bytes();
                    break;
                }
            }
        }
        if std::str::from_utf8(&letter).is_err() {
            letter = "\u{fffd}".into();
        }
        let fits = letter.len().min(out.len());
        out[..fits].copy_from_slice(&letter[..fits]);
        Ok(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> String {
        let (_, mut text) = open(Path::new("x.txt"), bytes).unwrap();
        let mut out = String::new();
        text.read_to_string(&mut out).unwrap();
        out
    }

    #[test]
    fn text_of_any_encoding_is_utf8() {
        let text = "Größe – „kaputt“, café, naïve; der Zähler läuft rückwärts. ".repeat(3000);
        assert_eq!(read(text.as_bytes()), text);
        let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(&text);
        assert_eq!(read(&latin), text);
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&utf16), text, "without a mark");
        assert_eq!(read(&[&[0xff, 0xfe], &utf16[..]].concat()), text);
        let russian = "Счётчик не работает уже третий день, поддержка молчит. ".repeat(200);
        let (koi, _, _) = encoding_rs::KOI8_R.encode(&russian);
        assert_eq!(read(&koi), russian);
    }

    #[test]
    fn damage_does_not_make_utf8_something_else() {
        let mut bytes = "Größe läuft rückwärts. ".repeat(40).into_bytes();
        let length = bytes.len();
        bytes[length / 2] = 0xff;
        let text = read(&bytes);
        assert!(text.contains('\u{fffd}') && text.ends_with("rückwärts. "), "{text}");
    }

    #[test]
    fn one_broken_byte_costs_nothing_but_itself() {
        let plain = "Nothing but plain words on this line.\n".repeat(8000);
        let german = "Größe läuft rückwärts.\n".repeat(20);
        for end in ["", "Größe\n", &german] {
            for start in ["", german.as_str()] {
                for break_at in [0, 5, plain.len() / 2, plain.len() - 1] {
                    let (one, two) = plain.split_at(break_at);
                    let bytes =
                        [start.as_bytes(), one.as_bytes(), b"\xff", two.as_bytes(), &plain.as_bytes()[..1 << 17]];
                    let bytes = [&bytes.concat(), end.as_bytes()].concat();
                    let text = read(&bytes);
                    assert!(text.ends_with(end) && text.starts_with(start), "{}", &text[text.len() - 60..]);
                    assert!(start.is_empty() || text.contains('\u{fffd}'), "damage in what is known for UTF-8");
                    assert_eq!(text.chars().count(), String::from_utf8_lossy(&bytes).chars().count());
                }
            }
        }
    }

    #[test]
    fn what_is_no_text_says_what_to_do() {
        let tar = [&[b'a'; 257][..], b"ustar", &[0; 250]].concat();
        for (bytes, what) in [
            (&b"7z\xbc\xaf\x27\x1c\0\x04"[..], "7-Zip"),
            (b"SQLite format 3\0\x10\0", "SQLite"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1", "Office"),
            (b"{\\rtf1 hello}", "rich text"),
            (&tar, "tar"),
        ] {
            let why = open(Path::new("x"), bytes).map(|_| ()).unwrap_err();
            assert!(why.contains(what), "{why}");
        }
        for (text, what) in [
            (r#"{"ok":false,"error":"not_in_channel"}"#, "request failed"),
            (r#"{"message":"no","status_code":403}"#, "request failed"),
            (r#"{"messages":[],"ok":true}"#, "empty"),
            (r#"{"messages":[],"error":false,"errors":[],"error_id":""}"#, "empty"),
            (r#"{"a":1}"#, "a document of JSON"),
            ("[]", "an empty list"),
            (r#"[{"type":"message","text":"cut"#, "cut off"),
            ("words", "none of the formats"),
            ("{words}", "none of the formats"),
        ] {
            assert!(refusal(text.as_bytes()).contains(what), "{text}: {}", refusal(text.as_bytes()));
        }
    }

    #[test]
    fn packed_files_are_unpacked() {
        use std::io::Write as _;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"hello there").unwrap();
        assert_eq!(read(&packed.finish().unwrap()), "hello there");
        assert_eq!(read(b"id,text\r1,a\r2,b\r"), "id,text\n1,a\n2,b\n");
        assert_eq!(read(b"id,text\r\n1,a\rb\r\n"), "id,text\r\n1,a\rb\r\n");
        assert_eq!(read(&zstd::encode_all(&b"hello there"[..], 1).unwrap()), "hello there");
    }
}
