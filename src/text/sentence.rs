//! Sentences and clauses of text as people type it: forum posts, chat lines, mails.
//!
//! The Unicode rules (UAX 29) split "approx. Tuesday" and do not split "it fails. i tried again", and both are common
//! here, so the boundaries are found by a scanner of our own that knows lines, bullets, code, addresses, smileys and
//! abbreviations. Architecture invariant: whatever the text, every range returned is a trimmed, non-empty slice of it,
//! in order and without overlap, and the scan is linear in its length.

use super::code::is_fence;
use crate::model::Span;

/// Longest sentence in bytes before it is cut at a clause or a word, so that one endless line stays bounded.
const LONGEST: usize = 600;

/// Words that end with a point inside a sentence. Lower case, without the point.
const ABBREVIATIONS: &[&str] = &[
    "e.g", "i.e", "eg", "ie", "vs", "mr", "mrs", "ms", "dr", "prof", "st", "approx", "appt", "dept", "est", "esp",
    "fig", "incl", "inc", "ltd", "corp", "co", "ca", "cf", "resp", "viz", "ver", "vol", "pp", "min", "max", "tel",
    "jr", "sr", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sept", "sep", "oct", "nov", "dec", "a.k.a", "w.r.t",
    "p.s",
];

/// Smileys that end a sentence where people write no points.
const SMILEYS: &[&str] =
    &[":)", ":-)", ":(", ":-(", ":D", ";)", ";-)", ":/", ":P", ":p", "xD", "XD", "<3", ":'(", ":|"];

/// Words before which a long sentence may be cut into clauses.
const CONNECTIVES: &[&str] = &[
    "but",
    "however",
    "because",
    "although",
    "though",
    "so",
    "and",
    "yet",
    "except",
    "which",
    "while",
    "whereas",
    "unless",
    "until",
    "then",
    "instead",
    "unfortunately",
    "or",
    "since",
    "if",
    "when",
];

/// Connectives strong enough to cut without a comma before them.
const STRONG: &[&str] = &["but", "however", "because", "although", "unfortunately", "whereas", "except"];

/// The sentences of `text`. Fenced code (```` ``` ````) and lines that are code by their looks yield none; bullets and
/// quote marks at the start of a line are left out.
pub fn sentences(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut fenced = false;
    let mut block: Option<(usize, usize)> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let (start, end) = (at, at + line.trim_end_matches(['\n', '\r']).len());
        at += line.len();
        if is_fence(line) {
            flush(text, &mut block, &mut found);
            fenced = !fenced;
            continue;
        }
        if fenced || looks_like_code(&text[start..end]) {
            flush(text, &mut block, &mut found);
            continue;
        }
        let content = start + bullet_len(&text[start..end]);
        match block {
            Some((begin, prev_end)) if content == start && continues(&text[begin..prev_end], &text[start..end]) => {
                block = Some((begin, end));
            }
            _ => {
                flush(text, &mut block, &mut found);
                block = Some((content, end));
            }
        }
    }
    flush(text, &mut block, &mut found);
    found
}

/// The clauses of one sentence: cut after `;`, `:`, dashes and suspension points, before a connective that follows a comma,
/// and before a strong one. A sentence without such a place is its own only clause.
pub fn clauses(text: &str, sentence: Span) -> Vec<Span> {
    let mut found = Vec::new();
    let mut begin = sentence.start();
    for cut in clause_cuts(text, sentence) {
        let far_enough = cut - begin >= 12 && sentence.end() - cut >= 8;
        if far_enough && let Some(span) = Span::trimmed(text, begin..cut) {
            found.push(span);
            begin = cut;
        }
    }
    found.extend(Span::trimmed(text, begin..sentence.end()));
    found
}

fn clause_cuts(text: &str, sentence: Span) -> Vec<usize> {
    let slice = &text[sentence.range()];
    let mut cuts = Vec::new();
    let mut word_start = None;
    let mut comma = false;
    let mut tick = false;
    for (offset, c) in slice.char_indices() {
        if c == '`' {
            tick = !tick;
        }
        if tick {
            continue;
        }
        if c.is_alphanumeric() || c == '\'' {
            word_start.get_or_insert(offset);
            continue;
        }
        if let Some(start) = word_start.take() {
            let word = slice[start..offset].to_ascii_lowercase();
            let cut_before = if comma { CONNECTIVES } else { STRONG }.contains(&word.as_str());
            if cut_before && start > 0 {
                cuts.push(sentence.start() + start);
            }
            comma = false;
        }
        let after = offset + c.len_utf8();
        let spaced = slice[after..].starts_with(char::is_whitespace);
        match c {
            ',' => comma = true,
            ';' | ':' | '!' | '?' | ')' if spaced => cuts.push(sentence.start() + after),
            '.' if spaced && slice[..offset].ends_with("..") => cuts.push(sentence.start() + after),
            '…' | '—' | '–' => cuts.push(sentence.start() + after),
            '-' if spaced && slice[..offset].ends_with([' ', '-']) => cuts.push(sentence.start() + after),
            '\n' => cuts.push(sentence.start() + after),
            _ => {}
        }
    }
    cuts
}

/// Ends the current block of lines and puts its sentences into `found`.
fn flush(text: &str, block: &mut Option<(usize, usize)>, found: &mut Vec<Span>) {
    let Some((start, end)) = block.take() else { return };
    let mut begin = start;
    let mut at = start;
    let bytes = text.as_bytes();
    while let Some(len) = bytes[at..end].iter().position(|&b| MAY_END[usize::from(b)]) {
        at += len;
        let next = if bytes[at] == b'`' { skip_inline_code(text, at, end) } else { boundary(text, begin, at, end) };
        at = match next {
            Step::Over(to) => to,
            Step::Cut(to) => {
                push_bounded(text, begin, to, found);
                begin = to;
                to
            }
        };
    }
    push_bounded(text, begin, end, found);
}

enum Step {
    /// No boundary before this byte.
    Over(usize),
    /// A sentence ends before this byte.
    Cut(usize),
}

/// Whether a sentence ends at the mark that starts at byte `at` of the block `begin..end`.
fn boundary(text: &str, begin: usize, at: usize, end: usize) -> Step {
    let rest = &text[at..end];
    let Some(mark) = rest.chars().next() else { return Step::Over(end) };
    let wide = matches!(mark, '。' | '！' | '？');
    if wide {
        return Step::Cut(at + mark.len_utf8());
    }
    if !matches!(mark, '.' | '!' | '?' | '…') {
        return smiley(text, begin, at, end).unwrap_or(Step::Over(at + mark.len_utf8()));
    }
    let run = rest.len() - rest.trim_start_matches(['.', '!', '?', '…']).len();
    let marks = &rest[..run];
    let closed = rest[run..].len() - rest[run..].trim_start_matches(['"', '\'', ')', ']', '”', '’', '*', '_']).len();
    let after = at + run + closed;
    let tail = &text[after..end];
    if !tail.is_empty() && !tail.starts_with(char::is_whitespace) {
        return Step::Over(at + run);
    }
    let next = tail.trim_start().chars().next();
    let lower_next = next.is_some_and(char::is_lowercase);
    let suspended = marks.len() > 1 && marks.chars().all(|c| matches!(c, '.' | '…')) || marks == "…";
    if suspended && lower_next || marks == "." && is_abbreviated(&text[begin..at], next) {
        return Step::Over(after);
    }
    Step::Cut(after)
}

/// A smiley or an emoji between white space ends a sentence.
fn smiley(text: &str, begin: usize, at: usize, end: usize) -> Option<Step> {
    if at == begin || !text[begin..at].ends_with(char::is_whitespace) {
        return None;
    }
    let rest = &text[at..end];
    let emoji = rest.len() - rest.trim_start_matches(|c: char| c as u32 >= 0x1F300 || c == '\u{FE0F}').len();
    let len = if emoji > 0 { emoji } else { SMILEYS.iter().find(|s| rest.starts_with(**s))?.len() };
    let after = at + len;
    let ends = after == end || text[after..end].starts_with(char::is_whitespace);
    ends.then_some(Step::Cut(after))
}

/// Whether the point after `before` belongs to an abbreviation, an initial or a number in a list.
fn is_abbreviated(before: &str, next: Option<char>) -> bool {
    let word_start = before.rfind(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"')).map_or(0, |i| i + 1);
    let Some(word) = before.get(word_start..) else { return false };
    if word.len() > 8 {
        return false;
    }
    let word = word.to_ascii_lowercase();
    let followed = next.is_some();
    match word.as_str() {
        "etc" => next.is_some_and(char::is_lowercase),
        "no" | "nr" => next.is_some_and(|c| c.is_ascii_digit()),
        _ if word.len() == 1 && word != "i" => followed && word.chars().all(char::is_alphabetic),
        _ if before.trim_start() == word && word.chars().all(|c| c.is_ascii_digit()) => true,
        _ => followed && ABBREVIATIONS.contains(&word.as_str()),
    }
}

fn skip_inline_code(text: &str, at: usize, end: usize) -> Step {
    match text[at + 1..end].find('`') {
        Some(len) if len < 200 => Step::Over(at + 1 + len + 1),
        _ => Step::Over(at + 1),
    }
}

/// Pushes `begin..end` as a sentence; one that is too long is cut at clauses, then at words.
fn push_bounded(text: &str, begin: usize, end: usize, found: &mut Vec<Span>) {
    let Some(span) = Span::trimmed(text, begin..end) else { return };
    if !text[span.range()].contains(char::is_alphanumeric) {
        return;
    }
    if span.end() - span.start() <= LONGEST {
        found.push(span);
        return;
    }
    let cuts = clause_cuts(text, span);
    let mut from = span.start();
    while span.end() - from > LONGEST {
        let limit = from + LONGEST;
        let clause = cuts[..cuts.partition_point(|&c| c <= limit)].last().copied().filter(|&c| c > from + LONGEST / 4);
        let to = clause.unwrap_or_else(|| word_end(text, from, limit));
        found.extend(Span::trimmed(text, from..to));
        from = to;
    }
    found.extend(Span::trimmed(text, from..span.end()));
}

/// The last white space at or before `limit`, or the nearest character boundary when there is none.
fn word_end(text: &str, from: usize, limit: usize) -> usize {
    let limit = text.floor_char_boundary(limit);
    text[from..limit].rfind(char::is_whitespace).filter(|&i| i > 0).map_or(limit, |i| from + i)
}

/// Whether `line` goes on with the sentence of `before`: a wrapped mail, not a new paragraph. Wrapped lines are long and
/// their continuation starts small.
fn continues(before: &str, line: &str) -> bool {
    let last_line = before.rsplit('\n').next().unwrap_or(before).trim_end();
    last_line.len() >= 55
        && !last_line.ends_with(['.', '!', '?', ':', '…', ';'])
        && line.chars().next().is_some_and(|c| c.is_lowercase() || c.is_ascii_digit())
}

/// Length of what marks a list item, a heading or a quotation at the start of a line, with the white space around it.
fn bullet_len(line: &str) -> usize {
    let mut rest = line.trim_start();
    while let Some(shorter) = rest.strip_prefix(['>', '#', '•', '·', '▪', '►', '→', '*', '-', '–', '+']) {
        let repeated = matches!(rest.as_bytes().first(), Some(b'>' | b'#'));
        if !repeated && !shorter.starts_with(char::is_whitespace) {
            break;
        }
        rest = shorter.trim_start();
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if (1..=2).contains(&digits)
        && let Some(after) = rest[digits..].strip_prefix([')', '.'])
        && after.starts_with(char::is_whitespace)
    {
        rest = after.trim_start();
    }
    line.len() - rest.len()
}

/// Bytes that code has many of.
const CODE_MARKS: [bool; 256] = table(b"{}[]()<>=;|&$\\/_:*+^~#\"", false);

/// Bytes with which a sentence may end or inline code begin: marks, what smileys begin with, and all that is not ASCII.
const MAY_END: [bool; 256] = table(b"`.!?:;<xX", true);

/// By byte: whether it is one of `bytes`, or not ASCII and `wide`.
const fn table(bytes: &[u8], wide: bool) -> [bool; 256] {
    let mut table = [false; 256];
    let mut i = 0;
    while i < bytes.len() {
        table[bytes[i] as usize] = true;
        i += 1;
    }
    let mut byte = 128;
    while byte < 256 {
        table[byte] = wide;
        byte += 1;
    }
    table
}

/// Whether a whole line is code, a log or a table rather than prose: mostly marks, or a prompt, or a stack frame.
fn looks_like_code(line: &str) -> bool {
    let trimmed = line[bullet_len(line)..].trim();
    if trimmed.len() < 4 {
        return false;
    }
    if trimmed.starts_with("$ ") || trimmed.starts_with("at ") && trimmed.ends_with(')') && trimmed.contains('(') {
        return true;
    }
    if trimmed.starts_with("http") {
        return false;
    }
    let marks = trimmed.bytes().filter(|&b| CODE_MARKS[usize::from(b)]).count();
    let indented = line.starts_with("    ") || line.starts_with('\t');
    let share = if indented { 10 } else { 5 };
    marks * share > trimmed.len() && !trimmed.ends_with(['.', '?', '!'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|s| &text[s.range()]).collect()
    }

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(split(text), expected, "{text:?}");
    }

    #[test]
    fn sentences_of_well_punctuated_prose() {
        check("It broke. We fixed it! Did it hold? No.", &["It broke.", "We fixed it!", "Did it hold?", "No."]);
        check("He said \"it broke.\" Then he left.", &["He said \"it broke.\"", "Then he left."]);
        check("Wait... what? Really?!", &["Wait... what?", "Really?!"]);
    }

    #[test]
    fn points_that_end_nothing() {
        check("Use a tool, e.g. Excel, vs. paper.", &["Use a tool, e.g. Excel, vs. paper."]);
        check("Version 2.4.1 of foo.bar is out", &["Version 2.4.1 of foo.bar is out"]);
        check("See http://a.example/x.html?y=1. Then go.", &["See http://a.example/x.html?y=1.", "Then go."]);
        check("Ask J. Smith about no. 5 please", &["Ask J. Smith about no. 5 please"]);
        check("Vans, trucks, etc. are late", &["Vans, trucks, etc. are late"]);
        check("Run `a. b? c` now", &["Run `a. b? c` now"]);
    }

    #[test]
    fn chat_without_capitals_and_points() {
        check("it fails. i tried again", &["it fails.", "i tried again"]);
        check("nope :( tried that already", &["nope :(", "tried that already"]);
        check("first line\nsecond line", &["first line", "second line"]);
        check("works 🎉 thanks", &["works 🎉", "thanks"]);
    }

    #[test]
    fn lists_quotes_and_headings() {
        check("- one thing\n* two things\n1. three\n2) four", &["one thing", "two things", "three", "four"]);
        check("## Steps\n> he wrote this", &["Steps", "he wrote this"]);
        check("-5 degrees", &["-5 degrees"]);
    }

    #[test]
    fn wrapped_lines_belong_together() {
        let text =
            "we have been using this for three years and it has always lost\nthe photos in the basement. No luck.";
        check(
            text,
            &[
                "we have been using this for three years and it has always lost\nthe photos in the basement.",
                "No luck.",
            ],
        );
    }

    #[test]
    fn code_is_no_sentence() {
        check("It breaks:\n```\nlet x = 1. 2;\n```\nWhy?", &["It breaks:", "Why?"]);
        check("Look\n    foo(bar[1], {\"a\": 2});\nhere", &["Look", "here"]);
    }

    #[test]
    fn clauses_follow_contrast_and_lists() {
        let text = "I tried the export from the menu, but it still stops after ten rows; no error anywhere";
        let span = sentences(text)[0];
        let parts: Vec<_> = clauses(text, span).into_iter().map(|c| &text[c.range()]).collect();
        assert_eq!(
            parts,
            ["I tried the export from the menu,", "but it still stops after ten rows;", "no error anywhere"]
        );
    }

    #[test]
    fn endless_lines_are_bounded() {
        let text = "word ".repeat(20_000);
        assert!(sentences(&text).iter().all(|s| s.end() - s.start() <= LONGEST));
        let text = "x".repeat(100_000);
        assert!(sentences(&text).iter().all(|s| s.end() - s.start() <= LONGEST));
    }

    proptest! {
        #[test]
        fn any_text_gives_ordered_trimmed_slices(text in "(\\PC|[ .!?\n`:()>*-]|```|e\\.g\\.|:\\)){0,200}") {
            let mut last = 0;
            for span in sentences(&text) {
                let slice = &text[span.range()];
                prop_assert!(span.start() >= last);
                prop_assert_eq!(slice.trim(), slice);
                last = span.end();
                let mut inner = span.start();
                for clause in clauses(&text, span) {
                    prop_assert!(clause.start() >= inner && clause.end() <= span.end());
                    inner = clause.end();
                }
            }
        }
    }
}
