//! Words in disguise, and as they are meant: lookalikes, digits for letters, letters one by one, words turned by thirteen
//! letters, base64 and hexadecimal digits.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

use crate::text::base64::decoded;

/// Letters one by one in a row that are more than an abbreviation.
const SPELLED: usize = 9;

/// Shortest encoded words worth decoding, in digits.
const ENCODED: usize = 20;

/// In small letters without accents, and letters that only look Latin as what they look like.
pub(super) fn plain(text: &str, lookalikes: &HashMap<char, char>) -> String {
    let small: String = text.nfkc().flat_map(char::to_lowercase).nfd().filter(|c| !is_accent(*c)).nfc().collect();
    let mut plain = String::with_capacity(small.len());
    for piece in small.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_') {
        let disguised = !piece.is_ascii() && piece.contains(|c: char| c.is_ascii_lowercase());
        plain.extend(piece.chars().map(|c| match c {
            '’' | '‘' => '\'',
            'ı' => 'i',
            'ł' => 'l',
            c if disguised => lookalikes.get(&c).copied().unwrap_or(c),
            c => c,
        }));
    }
    plain
}

/// Scripts that write words without space between them, or glue small words on.
pub(super) fn is_glued(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{06FF}' | '\u{0900}'..='\u{097F}' | '\u{0E00}'..='\u{0E7F}' | '\u{3040}'..='\u{30FF}'
        | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}')
}

fn is_accent(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{064B}'..='\u{0652}')
}

/// Digits and signs inside words as the letters they stand for.
pub(super) fn undone(text: &str, digits: &HashMap<char, char>) -> String {
    let word = |word: &str| -> String {
        let both = word.contains(char::is_alphabetic) && word.contains(|c| digits.contains_key(&c));
        let undo = |c| if both { digits.get(&c).copied().unwrap_or(c) } else { c };
        word.chars().map(undo).collect()
    };
    text.split_inclusive(' ').map(word).collect()
}

pub(super) fn by_thirteen(c: char) -> char {
    match c {
        'a'..='m' => char::from(c as u8 + 13),
        'n'..='z' => char::from(c as u8 - 13),
        c => c,
    }
}

/// Whether words are spelled letter by letter: nobody writes so to people, and a model reads it.
pub(super) fn is_spelled(sentence: &str) -> bool {
    let mut row = 0;
    sentence.split([' ', '.', '-', '_']).filter(|piece| !piece.is_empty()).any(|piece| {
        let mut letters = piece.chars();
        row = if letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none() { row + 1 } else { 0 };
        row > SPELLED
    })
}

/// Whether base64 or hexadecimal digits hide words.
pub(super) fn is_encoded(sentence: &str) -> bool {
    let digit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    let runs = sentence.split(|c| !digit(c)).filter(|run| run.len() >= ENCODED);
    runs.flat_map(|run| [decoded(run), from_hex(run)]).flatten().any(|bytes| {
        let words = bytes.iter().filter(|b| b.is_ascii_alphabetic() || **b == b' ').count();
        bytes.iter().all(|b| b.is_ascii_graphic() || matches!(b, b' ' | b'\n' | b'\t')) && words * 10 >= bytes.len() * 7
    })
}

fn from_hex(run: &str) -> Option<Vec<u8>> {
    let pair = |i: usize| u8::from_str_radix(run.get(i..i + 2)?, 16).ok();
    (0..run.len()).step_by(2).map(pair).collect()
}
