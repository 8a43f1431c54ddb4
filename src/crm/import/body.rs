//! Bodies of notes as plain text.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::NoteKind;
use crate::text::base64::decoded;
use crate::text::html::html_to_text;

/// A body as plain text. CRMs keep HTML; a body without tags and entities is taken as it is. Of a mail only its own words
/// are kept: what it answers stands in another record. In other notes a block quote is what the rep set apart, so it stays.
pub(super) fn plain(body: &str, kind: NoteKind) -> String {
    static MARKUP: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)</?(?:p|br|div|span|ul|ol|li|b|i|strong|em|a|h[1-6]|table|blockquote)\b[^<>]*>|&(?:amp|lt|gt|quot|nbsp|apos|#\d+|#x[0-9a-f]+);").ok()
    });
    static QUOTE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)<(/?)blockquote\b").ok());
    let markup = MARKUP.as_ref().is_some_and(|m| m.is_match(body));
    let text = match (markup, QUOTE.as_ref()) {
        (true, Some(quote)) if kind != NoteKind::Email => html_to_text(&quote.replace_all(body, "<${1}div")).text,
        (true, _) => html_to_text(body).text,
        (false, _) => body.to_owned(),
    };
    let text = if kind == NoteKind::Email { own_words(&text).to_owned() } else { text };
    text.replace('\0', "").trim().to_owned()
}

/// A mail without the one it answers, which mail programs put below. Where nothing would be left, the whole.
fn own_words(mail: &str) -> &str {
    static BELOW: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?m)^(?:On [^\n]{6,120}(?:\n[^\n]{0,80})?wrote:|Am [^\n]{6,120}schrieb[^\n]{0,80}:|Le [^\n]{6,120}a écrit ?:|-{3,} ?(?:Original Message|Forwarded message|Ursprüngliche Nachricht) ?-{3,}|From: [^\n]*\n(?:Sent|Date): |>)",
        )
        .ok()
    });
    let end = BELOW.as_ref().and_then(|below| below.find(mail)).map_or(mail.len(), |found| found.start());
    let own = mail[..end].trim();
    if own.is_empty() { mail } else { own }
}

/// A title and a body as one text. The title is left out where the body says it as well.
pub(super) fn with_title(title: &str, body: String) -> String {
    let title = title.trim();
    if title.is_empty() || body.contains(title) {
        return body;
    }
    if body.is_empty() { title.to_owned() } else { format!("{title}\n{body}") }
}

/// Whether a title says something by itself; `Call` and `Follow up` do not.
pub(super) fn tells(title: &str) -> bool {
    title.split_whitespace().count() > 2
}

/// What base64 stands for, when it is that and UTF-8.
pub(super) fn unpacked(text: &str) -> Option<String> {
    let text = text.trim();
    if text.len() < 8 || !text.len().is_multiple_of(4) || text.contains(['-', '_']) {
        return None;
    }
    let bytes = decoded(text.trim_end_matches('='))?;
    String::from_utf8(bytes).ok().filter(|text| !text.contains(|c: char| c.is_control() && !c.is_whitespace()))
}

/// `4,800.00`, `4.800,00`, `$4800`, `4800 USD`, `4.5k`, `1,2 Mio. €`; `(100)` is owed.
pub(super) fn amount(text: &str) -> Option<f64> {
    let text = text.trim();
    let kept = text.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-')).collect::<String>();
    let kept = kept.trim_end_matches(['.', ',']);
    let after = &text[text.rfind(|c: char| c.is_ascii_digit())? + 1..];
    let word = after.trim_start().split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
    let factor = match &*word {
        "k" | "tsd" | "thousand" => 1e3,
        "m" | "mn" | "mm" | "mio" | "million" | "millions" | "millionen" => 1e6,
        "b" | "bn" | "mrd" | "billion" => 1e9,
        _ => 1.0,
    };
    let bare = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-'));
    let last = kept.rfind(['.', ',']);
    // A sign with three digits after it, or one that stands there twice, parts thousands. A point alone does so only in money:
    // programs write numbers with any count of digits behind it, and no currency has three.
    let decimal = last.filter(|at| {
        let sign = &kept[*at..=*at];
        let after = kept.len() - at - 1;
        let money = !bare && factor == 1.0 && !text.contains('%') && !kept.starts_with("0.");
        kept.matches(sign).count() == 1 && !(after == 3 && (sign == "," || kept.contains(',') || money))
    });
    let digits = kept
        .char_indices()
        .filter_map(|(at, c)| match c {
            '.' | ',' if Some(at) == decimal => Some('.'),
            '.' | ',' => None,
            c => Some(c),
        })
        .collect::<String>();
    let owed = if text.starts_with('(') && text.ends_with(')') { -1.0 } else { 1.0 };
    digits.parse::<f64>().ok().map(|n| n * factor * owed).filter(|n| n.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_plain_and_mails_their_own() {
        let html = "<p>They lose a day.</p><blockquote>we hate Mondays</blockquote>";
        assert_eq!(plain(html, NoteKind::Note), "They lose a day.\n\nwe hate Mondays");
        assert_eq!(plain(html, NoteKind::Email), "They lose a day.");
        assert_eq!(plain("a < b and c > d & e", NoteKind::Note), "a < b and c > d & e");
        let mail = "Sure, Tuesday.\n\nOn Mon, Jan 5, 2026 at 9:00 AM Somebody wrote:\n> may we meet?";
        assert_eq!(plain(mail, NoteKind::Email), "Sure, Tuesday.");
        assert_eq!(plain("> only\n> quoted", NoteKind::Email), "> only\n> quoted");
    }

    #[test]
    fn amounts_in_all_spellings() {
        for (text, means) in [
            ("4,800.00", 4800.0),
            ("4.800,00", 4800.0),
            ("$4800", 4800.0),
            ("4,800", 4800.0),
            ("1,234,567", 1_234_567.0),
            ("1.234.567", 1_234_567.0),
            ("48.5 EUR", 48.5),
            ("48,5", 48.5),
            ("1054", 1054.0),
            ("4.5k", 4500.0),
            ("$1.2M", 1_200_000.0),
            ("1,2 Mio. €", 1_200_000.0),
            ("4800 MXN", 4800.0),
            ("€ 5.000", 5000.0),
            ("5.000 €", 5000.0),
            ("5.125", 5.125),
            ("40.125%", 40.125),
            ("(1,234.50)", -1234.5),
            ("($100)", -100.0),
        ] {
            assert_eq!(amount(text), Some(means), "{text}");
        }
        assert_eq!([amount("soon"), amount("100-200"), amount(""), amount("k")], [None; 4]);
    }

    #[test]
    fn base64_is_told_from_words() {
        assert_eq!(unpacked("VGhleSBsb3NlIGEgZGF5Lg==").as_deref(), Some("They lose a day."));
        assert_eq!(unpacked("They lose a day."), None);
        assert_eq!(unpacked("abcdefgh"), None);
    }
}
