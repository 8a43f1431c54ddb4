//! Words as the embedded reader sees them: lower case, straight apostrophes, contractions taken apart ("don't", "dont" and
//! "do not" are the same two words), so that a cue is written once. Every word keeps the byte range it was read from.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use crate::model::Span;
use crate::text::contractions::{BARE, SUFFIXES, Short};

/// What a word is, beside its letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, maybe with digits.
    Word,
    /// Digits.
    Number,
    /// An address.
    Url,
    /// Inline code, a path, an identifier.
    Code,
    /// `@somebody`.
    Mention,
}

/// One word of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    /// First byte.
    pub(super) start: usize,
    /// One past the last byte.
    pub(super) end: usize,
    /// Hash of the normalised letters; one fixed value per kind for what is no word.
    pub(super) hash: u64,
    /// What it is.
    pub(super) kind: Kind,
}

/// FNV-1a over bytes: stable across platforms and releases, which the weights rely on.
pub(super) const fn hash_of(letters: &[u8]) -> u64 {
    let mut hash = NOTHING;
    let mut i = 0;
    while i < letters.len() {
        hash = with(hash, letters[i]);
        i += 1;
    }
    hash
}

const NOTHING: u64 = 0xcbf2_9ce4_8422_2325;

const fn with(hash: u64, byte: u8) -> u64 {
    (hash ^ byte as u64).wrapping_mul(0x0100_0000_01b3)
}

/// By byte: an ASCII letter in lower case or a digit; 0 for any other byte.
const PLAIN: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            table[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// A map keyed by hashes that are already well mixed.
pub(super) type HashKeyed<V> = HashMap<u64, V, BuildHasherDefault<Mixed>>;

/// Passes a hash through.
#[derive(Default)]
pub(super) struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash_of(bytes);
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// What chats write short beside what everybody does.
const CHAT: [Short; 4] =
    [("shouldnt", &["should", "not"]), ("thnks", &["thanks"]), ("ty", &["thanks"]), ("anyway", &["any", "way"])];

/// By the last bits of a word's hash: whether it may be one of them.
const MAY_BE_BARE: [bool; 512] = marked(&CHAT, marked(&BARE, [false; 512]));

const fn marked(words: &[Short], mut table: [bool; 512]) -> [bool; 512] {
    let mut i = 0;
    while i < words.len() {
        table[hash_of(words[i].0.as_bytes()) as usize % 512] = true;
        i += 1;
    }
    table
}

static BARE_BY_HASH: LazyLock<HashKeyed<Vec<u64>>> = LazyLock::new(|| {
    let parts = |words: &[&str]| words.iter().map(|w| hash_of(w.as_bytes())).collect();
    BARE.iter().chain(&CHAT).map(|(bare, words)| (hash_of(bare.as_bytes()), parts(words))).collect()
});

/// Bytes of a word that count.
const LONGEST: usize = 40;

/// The words of `sentence`, in order. Words longer than [`LONGEST`] bytes are kept by their first.
pub(super) fn words(text: &str, sentence: Span, out: &mut Vec<Word>) {
    let bytes = text.as_bytes();
    let end = sentence.end();
    let mut at = sentence.start();
    while at < end {
        let byte = bytes[at];
        if PLAIN[usize::from(byte)] != 0 {
            at = word(text, at, end, out);
        } else if byte >= 0x80 {
            at = if is_letter_at(text, at) {
                word(text, at, end, out)
            } else {
                at + text[at..].chars().next().map_or(1, char::len_utf8)
            };
        } else if byte == b'`'
            && let Some(len) = bytes[at + 1..end].iter().take(200).position(|&b| b == b'`')
        {
            push(out, at, at + len + 2, Kind::Code);
            at += len + 2;
        } else if byte == b'@' && bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric) {
            let stop = run_end(text, at + 1, end);
            push(out, at, stop, Kind::Mention);
            at = stop;
        } else {
            at += 1;
        }
    }
}

/// Reads the word or address that begins at `start`; its end. Most words are plain ASCII, and are hashed as they are walked.
fn word(text: &str, start: usize, end: usize, out: &mut Vec<Word>) -> usize {
    let bytes = text.as_bytes();
    let (mut hash, mut at, mut highest, mut next) = (NOTHING, start, 0, b' ');
    for &byte in &bytes[start..end] {
        let letter = PLAIN[usize::from(byte)];
        if letter == 0 {
            next = byte;
            break;
        }
        hash = with(hash, letter);
        highest = highest.max(letter);
        at += 1;
    }
    let plain = !matches!(next, b'\'' | b'_' | b':' | b'.' | b']' | 0x80..) && at - start <= LONGEST;
    if plain {
        if highest <= b'9' {
            push(out, start, at, Kind::Number);
        } else {
            push_hash(start, at, hash, out);
        }
        return at;
    }
    let stop = run_end(text, start, end);
    let rest = &bytes[stop..end];
    if rest.starts_with(b"://") || text[start..stop].eq_ignore_ascii_case("www") && rest.starts_with(b".") {
        let len = rest.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b')' | b']' | b'>' | b'"'));
        let stop = len.map_or(end, |l| stop + l);
        push(out, start, stop, Kind::Url);
        return stop;
    }
    push_word(text, start, stop, out);
    stop
}

/// Pushes the word with this hash, or the words of the contraction that it is.
fn push_hash(start: usize, end: usize, hash: u64, out: &mut Vec<Word>) {
    let mut emit = |hash| out.push(Word { start, end, hash, kind: Kind::Word });
    if !MAY_BE_BARE[hash as usize % MAY_BE_BARE.len()] {
        return emit(hash);
    }
    match BARE_BY_HASH.get(&hash) {
        None => emit(hash),
        Some(parts) => parts.iter().for_each(|&part| emit(part)),
    }
}

fn is_letter_at(text: &str, at: usize) -> bool {
    text[at..].chars().next().is_some_and(char::is_alphanumeric)
}

/// End of the run of letters, digits, underscores and inner apostrophes that starts at `at`.
fn run_end(text: &str, at: usize, end: usize) -> usize {
    let bytes = text.as_bytes();
    let mut i = at;
    while i < end {
        let byte = bytes[i];
        let apostrophe = byte == b'\'' && i + 1 < end && bytes[i + 1].is_ascii_alphabetic();
        if byte.is_ascii_alphanumeric() || byte == b'_' || apostrophe {
            i += 1;
        } else if byte >= 0x80 {
            let Some(c) = text[i..end].chars().next() else { break };
            let inner = c == '’' && bytes.get(i + 3).is_some_and(u8::is_ascii_alphabetic);
            if !c.is_alphanumeric() && !inner {
                break;
            }
            i += c.len_utf8();
        } else {
            break;
        }
    }
    i.max(at + 1)
}

fn push(out: &mut Vec<Word>, start: usize, end: usize, kind: Kind) {
    let name: &[u8] = match kind {
        Kind::Word | Kind::Number => b"#",
        Kind::Url => b"#url",
        Kind::Code => b"#code",
        Kind::Mention => b"#mention",
    };
    out.push(Word { start, end, hash: hash_of(name), kind });
}

fn push_word(text: &str, start: usize, end: usize, out: &mut Vec<Word>) {
    let raw = &text[start..end];
    if raw.bytes().all(|b| b.is_ascii_digit()) {
        push(out, start, end, Kind::Number);
        return;
    }
    let mut buffer = [0_u8; LONGEST];
    let letters = lower(raw, &mut buffer);
    if letters.contains(&b'_') || letters == b"code" && text.as_bytes().get(end) == Some(&b']') {
        push(out, start, end, Kind::Code);
        return;
    }
    let mut emit = |hash| out.push(Word { start, end, hash, kind: Kind::Word });
    if let Some(at) = letters.iter().position(|&b| b == b'\'') {
        let (head, tail) = (&letters[..at], &letters[at..]);
        if tail == b"'t" && head.last() == Some(&b'n') {
            let base: &[u8] = match head {
                b"can" => b"can",
                b"won" => b"will",
                b"shan" => b"shall",
                b"ain" => b"is",
                _ => &head[..head.len() - 1],
            };
            emit(hash_of(base));
            emit(hash_of(b"not"));
            return;
        }
        if let Some((_, full)) = SUFFIXES.iter().find(|(suffix, _)| suffix.as_bytes() == tail) {
            emit(hash_of(head));
            emit(hash_of(full.as_bytes()));
            return;
        }
    }
    push_hash(start, end, hash_of(letters), out);
}

/// `raw` in lower case with straight apostrophes, cut to the buffer.
fn lower<'a>(raw: &str, buffer: &'a mut [u8; LONGEST]) -> &'a [u8] {
    let mut len = 0;
    if raw.is_ascii() {
        for (to, from) in buffer.iter_mut().zip(raw.bytes()) {
            *to = from.to_ascii_lowercase();
            len += 1;
        }
        return &buffer[..len];
    }
    for c in raw.chars().flat_map(char::to_lowercase) {
        let c = if c == '’' { '\'' } else { c };
        if len + c.len_utf8() > buffer.len() {
            break;
        }
        len += c.encode_utf8(&mut buffer[len..]).len();
    }
    &buffer[..len]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(text: &str) -> Vec<u64> {
        let mut out = Vec::new();
        words(text, Span::new(text, 0, text.len()).unwrap(), &mut out);
        out.iter().map(|w| w.hash).collect()
    }

    #[test]
    fn contractions_are_the_words_they_stand_for() {
        let plain = hashes("it does not work");
        for same in ["It doesn't work", "it doesnt WORK", "It doesn’t work", "it does not work!"] {
            assert_eq!(hashes(same), plain, "{same}");
        }
        assert_eq!(hashes("i've can't won't"), hashes("i have can not will not"));
    }

    #[test]
    fn what_is_no_word_is_one_word_of_its_kind() {
        assert_eq!(hashes("see https://a.example/b?c=1 now"), hashes("see http://x.example now"));
        assert_eq!(hashes("run `a b c` now"), hashes("run some_name now"));
        assert_eq!(hashes("12 vans"), hashes("300 vans"));
        assert_eq!(hashes("@sam hi"), hashes("@lee hi"));
    }

    #[test]
    fn ranges_are_slices_of_the_text() {
        let text = "Naïve (don’t) ünïcode @ 100% — ’twas";
        let mut out = Vec::new();
        words(text, Span::new(text, 0, text.len()).unwrap(), &mut out);
        assert!(out.iter().all(|w| text.get(w.start..w.end).is_some_and(|s| !s.is_empty())));
        assert_eq!(&text[out[1].start..out[1].end], "don’t");
    }
}
