//! The words of a clause as numbers, for the weights that are learned word by word.
//!
//! Words are lower case with contractions taken apart; money, shares, times, days, months and other numbers are one word
//! each, and a capitalised word inside a clause stands for any name beside its neighbours. The one rule: words enter as
//! hashes only, so that no text can be read from what was learned.

use std::sync::LazyLock;

use regex::Regex;

use crate::text::contractions::{BARE, SUFFIXES, Short};
use crate::text::due::MONTHS;

/// How many numbers there are for words and pairs of words.
pub(super) const SIZE: usize = 1 << 15;

/// Where a word stands, seen from a clause: its own, those of the clause before and after, of a machine, of the whole note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the clause.
    Own = 1,
    /// In the clause before.
    Before = 2,
    /// In the clause after.
    After = 3,
    /// In a clause that a machine wrote.
    Event = 4,
    /// In the note.
    Note = 5,
}

/// A word: hashes of itself, of its stem, and of what stands for it beside other words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word {
    plain: u64,
    stem: u64,
    class: u64,
}

#[expect(clippy::expect_used, reason = "a constant pattern; the tests compile it")]
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(?P<money>[$£€₹]\s?\d[\d.,]*\s?[km]?\b|\d[\d.,/-]*\s?(?:k|eur|usd|gbp|euros?|pounds?|dollars?|quid|grand|kr|nok|sek|dkk|chf|inr|nzd|aud)\b)",
        r"|(?P<share>\d[\d.,]*\s?(?:%|percent\b|pct\b))|(?P<clock>\d{1,2}:\d\d)|(?P<number>\d[\d.,]*)",
        r"|(?P<word>\p{L}/\w*|\p{L}+(?:['’]\p{L}+)*)|[?!]|[\x{1f300}-\x{1faff}\x{2600}-\x{27bf}]",
    ))
    .expect("the pattern of words is well formed")
});

/// What notes write short beside what everybody does.
const SHORT: [Short; 8] = [
    ("can't", &["can", "not"]),
    ("won't", &["will", "not"]),
    ("shan't", &["shall", "not"]),
    ("ain't", &["is", "not"]),
    ("w/", &["with"]),
    ("w/o", &["without"]),
    ("yr", &["year"]),
    ("mtg", &["meeting"]),
];

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Letters of a word that count.
const LONGEST: usize = 40;

/// The words of `text`, in order.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut out = Vec::new();
    for found in TOKEN.captures_iter(text) {
        let first = out.is_empty();
        let kind = ["money", "share", "clock", "number"].into_iter().find(|kind| found.name(kind).is_some());
        let whole = found.get(0).map_or("", |m| m.as_str());
        match kind {
            Some(kind) => push(kind, true, false, &mut out),
            None => push_word(whole, first, &mut out),
        }
    }
    out
}

/// Pushes `letters`; a `class` is no word but stands for many.
fn push(letters: &str, class: bool, name: bool, out: &mut Vec<Word>) {
    let plain = hash(if class { 1 } else { 0 }, letters.as_bytes());
    let stem = if class { plain } else { hash(0, stem(letters).as_bytes()) };
    out.push(Word { plain, stem, class: if name { hash(1, b"name") } else { plain } });
}

fn push_word(word: &str, first: bool, out: &mut Vec<Word>) {
    let lower: String = word.chars().take(LONGEST).flat_map(char::to_lowercase).collect::<String>().replace('’', "'");
    let capital = word.starts_with(char::is_uppercase);
    let dated = |names: &[&str]| names.iter().any(|n| lower.strip_prefix(n).is_some_and(is_rest_of_date));
    if dated(&DAYS) {
        return push("day", true, false, out);
    }
    if dated(&MONTHS) && (capital || !matches!(lower.as_str(), "may" | "mar" | "march")) {
        return push("month", true, false, out);
    }
    if let Some((_, parts)) = BARE.iter().chain(&SHORT).find(|(short, _)| *short == lower) {
        return parts.iter().for_each(|part| push(part, false, false, out));
    }
    let name = capital && !first && word.chars().count() > 1 && word.chars().any(char::is_lowercase);
    if let Some(head) = lower.strip_suffix("n't") {
        push(head, false, false, out);
        return push("not", false, false, out);
    }
    for (suffix, full) in SUFFIXES {
        if let Some(head) = lower.strip_suffix(suffix) {
            push(head, false, name && head != "i", out);
            return push(full, false, false, out);
        }
    }
    push(&lower, false, name, out);
}

/// What may follow the first three letters of a day or a month.
fn is_rest_of_date(rest: &str) -> bool {
    matches!(
        rest,
        "" | "s"
            | "r"
            | "rs"
            | "t"
            | "day"
            | "sday"
            | "nesday"
            | "rsday"
            | "urday"
            | "days"
            | "sdays"
            | "nesdays"
            | "rsdays"
            | "urdays"
            | "uary"
            | "ruary"
            | "ch"
            | "il"
            | "e"
            | "y"
            | "ust"
            | "tember"
            | "ember"
            | "ober"
    )
}

/// `word` without the commonest endings: `asked`, `asking` and `asks` are one.
fn stem(word: &str) -> String {
    let long = |s: &str| s.chars().count() >= 3;
    if word.chars().count() <= 3 {
        return word.to_owned();
    }
    let endings = ["ingly", "edly", "ing", "ies", "ied", "ed", "es", "ly", "s", "e"];
    let cut = endings.iter().find_map(|ending| word.strip_suffix(ending).filter(|s| long(s))).unwrap_or(word);
    let mut out = cut.to_owned();
    let mut back = cut.chars().rev();
    if let (Some(last), Some(other)) = (back.next(), back.next())
        && last == other
        && cut.chars().count() > 3
    {
        out.pop();
    }
    if out.ends_with('y') {
        out.pop();
        out.push('i');
    }
    out
}

/// FNV-1a: stable across platforms and releases, which the weights rely on.
fn hash(seed: u8, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(step(0xcbf2_9ce4_8422_2325, &seed), step)
}

fn number(place: Place, kind: u8, parts: [u64; 2]) -> u32 {
    let mut hash = hash(place as u8 * 8 + kind, &parts[0].to_le_bytes());
    hash = hash.rotate_left(23) ^ parts[1].wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^= hash >> 32;
    (hash.wrapping_mul(0xd6e8_feb8_6659_fd93) >> (u64::BITS - SIZE.trailing_zeros())) as u32
}

/// Adds the numbers of `words` and, where `pairs`, of their pairs to `out`.
pub(super) fn numbers(words: &[Word], place: Place, pairs: bool, out: &mut Vec<u32>) {
    for word in words {
        out.push(number(place, 0, [word.plain, 0]));
        out.push(number(place, 1, [word.stem, 0]));
        if word.class != word.plain {
            out.push(number(place, 0, [word.class, 0]));
        }
    }
    if pairs {
        out.extend(words.windows(2).map(|pair| number(place, 2, [pair[0].class, pair[1].class])));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_is_the_same() {
        let same = [
            ("It doesn't fit", "it does not fit"),
            ("they're in", "theyre in"),
            ("paid £3,000 on Tuesday", "paid 4k on fri"),
            ("up 12% by 3 March", "up 9 percent by 14 Jan"),
            ("met Ines at 10:30", "met Ada at 9:00"),
        ];
        for (one, other) in same {
            let classes = |text: &str| words(text).iter().map(|w| w.class).collect::<Vec<_>>();
            assert_eq!(classes(one), classes(other), "{one} / {other}");
        }
        let stems = ["ask", "asks", "asked", "asking"].map(|w| words(w)[0].stem);
        assert!(stems.iter().all(|s| *s == stems[0]));
        assert_ne!(words("Ines")[0].plain, words("Ada")[0].plain);
    }
}
