//! Masks what must not leave the machine: addresses, numbers and keys that name or open something, and names of contacts.
//!
//! A *mask* says what stood there and nothing about what it was: `[email]`, `[phone]`, `[card]`, `[iban]`, `[key]`,
//! `[name]`, `[link host]`. The one rule: when in doubt, mask; the original stays here, and a range of the masked text leads
//! back to it ([`Mapped`]), so nothing is lost by masking too much.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};
use regex::Regex;
use unicode_normalization::UnicodeNormalization as _;

use super::mapped::{Change, Mapped};

/// A mask can uncover another pattern (what stood before it now ends at a word boundary), so masking is repeated until it
/// changes nothing, and no more often than this.
const ROUNDS: usize = 6;

/// Shortest part of a name that is masked by itself.
const NAME_PART_CHARS: usize = 3;

/// First names and surnames that mean something else in small letters.
const ALSO_WORDS: &str = "art august baker banks bill black bond booth brown bush carol cash chance chase cherry church chuck cook cooper \
crystal daisy dale dawn dean dick drew earl faith field fields fox frank gene glen good grace grant gray green guy harry heather hill \
holly hope house hunt hunter iris ivy jack jay jean jewel jimmy joy judge june kelly king kit lance lane law lee lily long love mark may \
mason max miles mills mine moon nick noble norm olive page park pat patience pearl penny peter pierce poole pope potter price prince \
ram randy ray red rice rich rob robin rock rod rose ruby rush sandy sky small sonny star stone storm summer sue swan terry tiger tony \
trace tuck van victor violet wade ward watch waters way web wells west white wild will winter wood woods young";

/// Words of the masks; no name.
const MASK_WORDS: [&str; 7] = ["email", "phone", "card", "iban", "key", "name", "link"];

/// Names of people that are masked wherever they stand: a whole name in any case and with any white space between its words,
/// and each of its parts as it is spelled, in capitals, and in small letters where these are no other word.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Finds [`folded`] names.
    whole: Option<AhoCorasick>,
    parts: Option<AhoCorasick>,
    beside: Option<Arc<Names>>,
}

impl Names {
    /// Of these people.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(names, [])
    }

    /// Of these people, and of others of whom only the whole name is masked: among many names there are too many words
    /// (`Price`, `Will`) that mean something else.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>, others: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        let several = |name: &&str| words(name).count() > 1;
        whole.extend(others.into_iter().filter(several).map(str::trim));
        for name in names {
            if several(&name) {
                whole.push(name.trim());
            }
            let telling = |w: &&str| w.chars().count() >= NAME_PART_CHARS && !MASK_WORDS.contains(w);
            parts.extend(words(name).filter(telling).flat_map(spellings));
        }
        let build = |patterns: Vec<String>| {
            let mut builder = AhoCorasickBuilder::new();
            builder.match_kind(MatchKind::LeftmostLongest);
            (!patterns.is_empty()).then(|| builder.build(patterns).ok()).flatten()
        };
        let whole = whole.into_iter().map(|name| folded(name).0).collect();
        Self { whole: build(whole), parts: build(parts), beside: None }
    }

    /// These and those of `others`, which are shared.
    #[must_use]
    pub fn beside(self, others: &Arc<Self>) -> Self {
        Self { beside: Some(Arc::clone(others)), ..self }
    }

    fn found(&self, text: &str) -> Vec<Change> {
        let named = |ranges: Vec<Range<usize>>| {
            let words = ranges.into_iter().filter(|r| is_word(text, r)).map(|r| (r, "[name]".to_owned()));
            Some(words.collect::<Vec<_>>()).filter(|found| !found.is_empty())
        };
        let whole = || {
            let finder = self.whole.as_ref()?;
            let (folded, origin) = folded(text);
            named(finder.find_iter(&folded).map(|m| origin[m.start()]..origin[m.end()]).collect())
        };
        let parts = || named(self.parts.as_ref()?.find_iter(text).map(|m| m.range()).collect());
        let others = || self.beside.as_ref().map(|others| others.found(text));
        whole().or_else(parts).or_else(others).unwrap_or_default()
    }
}

/// `text` in small letters with one space for any white space, and where in `text` each of its bytes comes from.
fn folded(text: &str) -> (String, Vec<usize>) {
    let (mut out, mut origin) = (String::with_capacity(text.len()), Vec::with_capacity(text.len() + 1));
    for (at, c) in text.char_indices() {
        match c {
            c if c.is_whitespace() && out.ends_with(' ') => {}
            c if c.is_whitespace() => out.push(' '),
            // Letters that are one where all are capitals.
            'ς' => out.push('σ'),
            'ı' => out.push('i'),
            // Of `İ` the dot is left.
            c => out.extend(c.to_lowercase().next()),
        }
        origin.resize(out.len(), at);
    }
    origin.push(text.len());
    (out, origin)
}

/// A part of a name as people write it.
fn spellings(part: &str) -> impl Iterator<Item = String> {
    let (upper, lower) = (part.to_uppercase(), part.to_lowercase());
    let lower = Some(lower).filter(|lower| !ALSO_WORDS.split(' ').any(|word| word == lower));
    [Some(part.to_owned()), Some(upper), lower].into_iter().flatten()
}

fn words(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric() && c != '-' && c != '\'').filter(|w| !w.is_empty())
}

fn is_word(text: &str, range: &Range<usize>) -> bool {
    let joined = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !joined(text[..range.start].chars().next_back()) && !joined(text[range.end..].chars().next())
}

/// One pattern: what it looks like, and of what was found the part to mask and the mask.
struct Pattern {
    looks: LazyLock<Option<Regex>>,
    mask: fn(&str) -> Option<Change>,
}

/// The patterns, the more telling first.
static PATTERNS: [Pattern; 13] = [
    Pattern {
        looks: LazyLock::new(|| {
            Regex::new(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|\z)").ok()
        }),
        mask: |found| all(found, "[key]"),
    },
    Pattern { looks: LazyLock::new(|| Regex::new(r#"(?i)\b(?:https?|ftp|wss?)://[^\s<>"'\[\]]+"#).ok()), mask: link },
    // A link without its scheme that carries something.
    Pattern {
        looks: LazyLock::new(|| {
            Regex::new(r#"(?i)\b(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/[^\s<>"'\[\]?]*\?[^\s<>"'\[\]]*=[^\s<>"'\[\]]*"#)
                .ok()
        }),
        mask: link,
    },
    Pattern {
        looks: LazyLock::new(|| {
            Regex::new(
                r"(?x)\b(?: sk-[A-Za-z0-9_-]{16,} | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_-]{16,}
                | xox[a-z]-[A-Za-z0-9-]{10,} | xapp-[A-Za-z0-9-]{10,} | whsec_[A-Za-z0-9+/]{10,} | hf_[A-Za-z0-9]{16,} | npm_[A-Za-z0-9]{16,}
                | pypi-[A-Za-z0-9_-]{8,} | SG\.[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]+)? | (?:AKIA|ASIA)[0-9A-Z]{16} | AIza[0-9A-Za-z_-]{30,} | [rsp]k_(?:live|test)_[A-Za-z0-9]{10,}
                | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)? )",
            )
            .ok()
        }),
        mask: |found| all(found, "[key]"),
    },
    Pattern {
        looks: LazyLock::new(|| {
            Regex::new(
                r#"(?i)(?:api[_ -]?key|secret|token|passw(?:or)?d|passphrase|pwd|authorization)(?:["']?\s*[:=]\s*|\s+(?:is|was)\s+)["']?(?:bearer\s+)?[^\s"',;\[]{6,}|\bbearer\s+[^\s"',;\[]{12,}"#,
            )
            .ok()
        }),
        mask: secret,
    },
    Pattern {
        looks: LazyLock::new(|| {
            Regex::new(r"[\p{L}\p{M}\p{N}._%+'&=~-]+@[\p{L}\p{M}\p{N}_-]+(?:\.[\p{L}\p{M}\p{N}_-]+)+").ok()
        }),
        mask: |found| all(found, "[email]"),
    },
    Pattern {
        looks: LazyLock::new(|| {
            Regex::new(
                r"(?i)[\p{L}\p{N}._+-]+\s?(?:[(\[{]\s?(?:at|@)\s?[)\]}]\s?[\p{L}\p{N}-]+\s?(?:\.|[(\[{]\s?(?:dot|\.)\s?[)\]}]|\sdot\s)|\sat\s[\p{L}\p{N}-]+\sdot\s)\s?[a-z]{2,10}\b",
            )
            .ok()
        }),
        mask: |found| all(found, "[email]"),
    },
    Pattern { looks: LazyLock::new(|| Regex::new(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}").ok()), mask: iban },
    Pattern { looks: LazyLock::new(|| Regex::new(r"\b\d(?:[-. \u{A0}\n]?\d){12,18}\b").ok()), mask: card },
    Pattern {
        looks: LazyLock::new(|| Regex::new(r"\b[A-Za-z0-9_-]{32,}\b|[A-Za-z0-9+/]{40,}={0,2}").ok()),
        mask: |found| all(found, "[key]").filter(|_| is_token(found)),
    },
    Pattern {
        looks: LazyLock::new(|| Regex::new(r"(?:\+|\b00)[1-9]\d{0,2}(?:[\s./()-]{0,3}\d){6,12}").ok()),
        mask: |found| all(found, "[phone]"),
    },
    Pattern {
        looks: LazyLock::new(|| {
            Regex::new(r"(?:\(\d{3}\)|\b\d{3})[\s./-]{0,2}\d{3}[\s.-]?\d{4}\b|\b\d{5}[ -]\d{5}\b").ok()
        }),
        mask: |found| all(found, "[phone]"),
    },
    Pattern {
        looks: LazyLock::new(|| Regex::new(r"\(?\b0\d{1,4}\)?(?:[\s/.-]{0,2}\d){6,10}\b").ok()),
        mask: |found| all(found, "[phone]").filter(|_| found.bytes().filter(u8::is_ascii_digit).count() >= 9),
    },
];

/// `text` with everything masked that must not leave the machine. Masking what is masked changes nothing.
pub fn redact(mut text: Mapped, names: &Names) -> Mapped {
    for _ in 0..ROUNDS {
        let mut changed = false;
        let mut apply = |changes: Vec<Change>, text: &mut Mapped| {
            if !changes.is_empty() {
                changed = true;
                *text = text.replace(&changes);
            }
        };
        for pattern in &PATTERNS {
            let Some(looks) = pattern.looks.as_ref() else { continue };
            let found = looks.find_iter(text.text()).filter_map(|found| {
                let (range, mask) = (pattern.mask)(found.as_str())?;
                Some((found.start() + range.start..found.start() + range.end, mask))
            });
            let found = found.collect();
            apply(found, &mut text);
        }
        let found = names.found(text.text());
        apply(found, &mut text);
        if !changed {
            break;
        }
    }
    text
}

fn all(found: &str, mask: &str) -> Option<Change> {
    Some((0..found.len(), mask.to_owned()))
}

/// A link that carries more than a place: a query, a login, a long id. Its host stays.
fn link(found: &str) -> Option<Change> {
    let found = found.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '*', '_', '~']);
    let rest = found.split_once("://").map_or(found, |(_, rest)| rest);
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority).split(':').next().unwrap_or_default();
    let carries = authority.contains('@')
        || path.contains(['?', '=', '&', '@', '%'])
        || path.split(['/', '#', '.']).any(|part| part.len() >= 20 && is_token(part));
    if !carries {
        return None;
    }
    let plain = host.len() <= 100 && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    let mask = if plain && !host.is_empty() { format!("[link {host}]") } else { "[link]".to_owned() };
    Some((0..found.len(), mask))
}

/// What is given as a secret. A word of letters alone is one of prose ("password: required", "the token is invalid").
fn secret(found: &str) -> Option<Change> {
    let start = found.rfind(|c: char| c.is_whitespace() || matches!(c, ':' | '=' | '"' | '\''))?;
    let start = start + found[start..].chars().next()?.len_utf8();
    let value = found[start..].trim_end_matches(['.', '!', '?', ')']);
    // What follows "is" is mostly prose.
    let told = found[..start].trim_end().to_lowercase();
    let mixed =
        |c: char| if told.ends_with("is") || told.ends_with("was") { c.is_ascii_digit() } else { !c.is_alphabetic() };
    (value.len() >= 6 && value.chars().any(mixed)).then(|| (start..start + value.len(), "[key]".to_owned()))
}

/// Long and mixed as no word is: digits among letters in one unbroken stretch, or hexadecimal.
fn is_token(found: &str) -> bool {
    let hex = |part: &str| part.len() >= 4 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = found.split(['-', '_', '/']).filter(|p| !p.is_empty()).collect();
    if parts.len() == 5 && parts.iter().all(|p| hex(p)) {
        return true;
    }
    let all = |class: fn(&u8) -> bool| found.bytes().filter(class).count();
    if found.len() >= 40
        && all(u8::is_ascii_digit) >= 1
        && all(u8::is_ascii_uppercase) >= 6
        && all(u8::is_ascii_lowercase) >= 6
    {
        return true;
    }
    parts.iter().any(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let letters = part.bytes().filter(u8::is_ascii_alphabetic).count();
        part.len() >= 16 && digits >= 3 && letters >= 3
    })
}

/// The longest beginning that is an IBAN by its check digits (ISO 7064, mod 97 = 1).
fn iban(found: &str) -> Option<Change> {
    let ends = found.char_indices().filter(|(_, c)| *c != ' ').map(|(i, c)| i + c.len_utf8()).collect::<Vec<_>>();
    let end = ends.into_iter().skip(14).rev().find(|end| {
        let plain: String = found[..*end].chars().filter(|c| *c != ' ').collect();
        let rotated = plain.chars().skip(4).chain(plain.chars().take(4));
        let remainder = rotated
            .filter_map(|c| c.to_digit(36))
            .fold(0_u32, |rest, digit| if digit < 10 { (rest * 10 + digit) % 97 } else { (rest * 100 + digit) % 97 });
        remainder == 1
    })?;
    Some((0..end, "[iban]".to_owned()))
}

/// A number that passes Luhn's check.
fn card(found: &str) -> Option<Change> {
    let digits: Vec<u32> = found.nfkc().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| match (i % 2, d * 2) {
            (0, _) => *d,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    (sum.is_multiple_of(10) && sum > 0).then(|| (0..found.len(), "[card]".to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn masked(text: &str) -> String {
        let names = Names::new(["Ines Okoro-Vale", "Tam"]);
        redact(Mapped::whole(text), &names).text().to_owned()
    }

    #[test]
    fn what_names_or_opens_something_is_masked() {
        for (text, expected) in [
            ("Write to bo.li+x@mail.firm.example, ok?", "Write to [email], ok?"),
            ("bo (at) firm (dot) example or bo at firm dot org", "[email] or [email]"),
            ("Ring +49 (0)30 1234-5678 or 555-123-4567.", "Ring [phone] or [phone]."),
            ("0176 1234 5678 at night", "[phone] at night"),
            ("Card 4111 1111 1111 1111 was charged", "Card [card] was charged"),
            ("to DE89 3704 0044 0532 0130 00 AND fast", "to [iban] AND fast"),
            ("see https://a.example/reset?token=abc123 now", "see [link a.example] now"),
            ("at x.example/r?key=abc123def.", "at [link x.example]."),
            ("ring (555)123-4567, 5551234567 or 98765 43210", "ring [phone], [phone] or [phone]"),
            (
                "4111.1111.1111.1111, ４１１１ １１１１ １１１１ １１１１, 4111 1111\n1111 1111",
                "[card], [card], [card]",
            ),
            (
                "my password is hunter2Xy, and the api key is 8f14e45fceea167a",
                "my password is [key], and the api key is [key]",
            ),
            ("whsec_1a2b3c4d5e6f7g8h, SG.aBcDeFgHiJkL.mNoPq and hf_abcdefghijklmnopqrst", "[key], [key] and [key]"),
            ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "[key]"),
            ("TAM and tam", "[name] and [name]"),
            ("see https://u:p@a.example/x.", "see [link a.example]."),
            ("my key sk-abcdefghijklmnop1234 leaked", "my key [key] leaked"),
            ("API_KEY=\"hunter2hunter2\" in the file", "API_KEY=\"[key]\" in the file"),
            ("id 3f2a9c0d1e4b5f6a7b8c9d0e1f2a3b4c", "id [key]"),
            ("ines okoro-vale and Tam met; Ines agreed", "[name] and [name] met; [name] agreed"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn of_others_only_the_whole_name_is_masked() {
        let everybody = Arc::new(Names::of(["Ada Quill"], ["Will Price"]));
        let names = Names::new(["Tam Vale"]).beside(&everybody);
        let text = "Will asked Tam and Ada: Price? will price said no.";
        assert_eq!(redact(Mapped::whole(text), &names).text(), "Will asked [name] and [name]: Price? [name] said no.");
        let names = Names::new(["Will Price", "Priya Raman"]);
        let text = "Will price rise? WILL and PRIYA will ask priya.";
        assert_eq!(redact(Mapped::whole(text), &names).text(), "[name] rise? [name] and [name] will ask [name].");
    }

    #[test]
    fn whole_names_are_found_in_any_script_case_and_line() {
        let names = Names::new(["Özgür  Şahin", "Élodie Martin", "Işıl İnce", "Γιώργος Ίσσος", "Will Price"]);
        for (text, expected) in [
            ("özgür şahin wants a trial", "[name] wants a trial"),
            ("mit ÖZGÜR ŞAHIN.", "mit [name]."),
            ("élodie Martin", "[name]"),
            ("IŞIL İNCE und ışıl ince", "[name] und [name]"),
            ("ΓΙΏΡΓΟΣ ΊΣΣΟΣ!", "[name]!"),
            ("will\r\n  price said", "[name] said"),
            ("özgür şahinler", "[name] şahinler"),
        ] {
            assert_eq!(redact(Mapped::whole(text), &names).text(), expected);
        }
    }

    #[test]
    fn what_only_looks_alike_stays() {
        for text in [
            "Version 2.4.1 of 2024-11-04 10:15:00, 1,234,567 rows in 0.123456 s",
            "https://forum.example/t/how-to-get-all-segment-details/4711#post-3",
            "We tampered with 40 rows and 6 hours a week; password: required",
            "The password is required and the token is case-sensitive, see example.org/docs/setup or src/collect/files/table/mod.rs",
            "1234 5678 9012 3456 is no card, and 192.168.10.200 no phone",
            "a-very-long-slug-of-words-that-goes-on-and-on-2024-11-04",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn hostile_text_is_masked_in_time() {
        for text in ["a@".repeat(50_000), "1 ".repeat(100_000), "http://".repeat(30_000), "DE89 ".repeat(40_000)] {
            masked(&text);
        }
    }

    proptest! {
        #[test]
        fn no_address_survives_and_masking_ends(
            text in "([a-z]{1,4}|[0-9]{1,9}|@|\\.|\\.com| |-|\\+|/|https://|\\?|=|token|\\(at\\)|[A-Z]{2}[0-9]{2}|Tam|\\PC){0,40}",
        ) {
            let once = masked(&text);
            let address = Regex::new("[A-Za-z0-9]@[A-Za-z0-9]+\\.[A-Za-z]{2,}").unwrap();
            prop_assert!(!address.is_match(&once), "{}", once);
            prop_assert_eq!(masked(&once), once);
        }

        #[test]
        fn the_way_back_covers_what_was_masked(before in "[a-z ]{0,20}", after in "[a-z ]{0,20}") {
            let text = format!("{before} bo@firm.example {after}");
            let sent = redact(Mapped::whole(&text), &Names::default());
            let at = sent.text().find("[email]").unwrap();
            prop_assert_eq!(sent.origin(at..at + 7).map(|r| &text[r]), Some("bo@firm.example"));
        }
    }
}
