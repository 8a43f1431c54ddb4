//! A note cut into clauses, with who speaks in each.
//!
//! A *clause* is the smallest stretch that is quoted as evidence. The one rule: clauses are slices of the note in order, never
//! overlapping, and every word of the note is in one.

use std::ops::Range;

/// What a heading or a label says that the lines below it hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Section {
    /// No heading, or one that says nothing about what follows.
    #[default]
    Plain,
    /// Challenges, pain points, themes.
    Pains,
    /// Next steps, action items.
    NextSteps,
    /// Words of the buyer.
    Quotes,
    /// Risks, concerns.
    Objections,
    /// Sentiment, tone, interest.
    Sentiment,
    /// Who was there.
    Attendees,
    /// Background, small talk, product topics: nothing that counts.
    Aside,
}

/// A clause.
#[derive(Debug, Clone)]
pub(super) struct Clause {
    /// Where, without surrounding white space and list marks.
    pub range: Range<usize>,
    /// Number of its sentence; clauses of one sentence have the same.
    pub sentence: usize,
    /// Number of its line.
    pub line: usize,
    /// It stands in quotation marks, or in lines pasted from the buyer.
    pub quoted: bool,
    /// What the heading above it says.
    pub section: Section,
}

/// Cuts `text` into clauses.
pub(super) fn clauses(text: &str) -> Vec<Clause> {
    let quotes = quotes(text);
    let mut out = Vec::new();
    let mut heading = Section::Plain;
    let mut sentence = 0;
    for (line, range) in lines(text).into_iter().enumerate() {
        let body = &text[range.clone()];
        if body.trim().is_empty() {
            continue;
        }
        let mark = body.len() - body.trim_start_matches(|c: char| c.is_whitespace() || "#*-•>_|".contains(c)).len();
        if let Some(section) = heading_of(body) {
            heading = section;
        }
        let angle = body.trim_start().starts_with('>') || body.trim_start().starts_with("&gt;");
        let (label, label_end) = label_of(&body[mark..]);
        let section = label.unwrap_or(heading);
        let start = range.start + mark + label_end;
        if label_end > 0 && mark + label_end < body.len() {
            // A label stands as a clause of its own, so that every word has one.
            push(text, range.start + mark..start, (sentence, line), Section::Aside, false, &mut out);
            sentence += 1;
        }
        for piece in sentences(text, start..range.end) {
            for part in parts(text, piece, &quotes) {
                let quoted = angle || mostly_quoted(&part, &quotes);
                push(text, part, (sentence, line), section, quoted, &mut out);
            }
            sentence += 1;
        }
    }
    out
}

fn push(text: &str, range: Range<usize>, at: (usize, usize), section: Section, quoted: bool, out: &mut Vec<Clause>) {
    let trim = |c: char| c.is_whitespace() || "*_•|,;:-–—".contains(c);
    let slice = &text[range.clone()];
    let start = range.start + (slice.len() - slice.trim_start_matches(trim).len());
    let slice = text[start..range.end].trim_end_matches(trim);
    if !slice.is_empty() {
        out.push(Clause { range: start..start + slice.len(), sentence: at.0, line: at.1, quoted, section });
    }
}

/// Whether more than half of `part` stands in one of `quotes`, which are in order.
fn mostly_quoted(part: &Range<usize>, quotes: &[Range<usize>]) -> bool {
    let near = &quotes[quotes.partition_point(|q| q.end <= part.start)..];
    let covered = |q: &Range<usize>| part.end.min(q.end).saturating_sub(part.start.max(q.start));
    near.iter().take_while(|q| q.start < part.end).any(|q| covered(q) * 2 > part.len())
}

/// Whether `at` stands inside one of `quotes`, which are in order.
fn inside(at: usize, quotes: &[Range<usize>]) -> bool {
    let next = quotes.partition_point(|q| q.end <= at);
    quotes.get(next).is_some_and(|q| q.start < at)
}

/// The lines of `text`; block tags end a line like a line break does.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut at = 0;
    let bytes = text.as_bytes();
    while at < bytes.len() {
        let tag = (bytes[at] == b'<').then(|| tag_end(bytes, at)).flatten();
        match tag {
            Some(end) => {
                out.push(start..at);
                (start, at) = (end, end);
            }
            None if bytes[at] == b'\n' => {
                out.push(start..at);
                (start, at) = (at + 1, at + 1);
            }
            None => at += 1,
        }
    }
    out.push(start..bytes.len());
    out
}

/// End of the tag that begins at `at`, when it looks like one.
fn tag_end(bytes: &[u8], at: usize) -> Option<usize> {
    let inside = bytes.get(at + 1..bytes.len().min(at + 60))?;
    let end = inside.iter().position(|&b| b == b'>')?;
    let named = inside.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'/');
    (named && !inside[..end].contains(&b'\n')).then_some(at + end + 2)
}

/// What stands between quotation marks, without them. Marks pair within a line.
fn quotes(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for line in lines(text) {
        let mut open: Option<(char, usize)> = None;
        let mut before = ' ';
        let slice = &text[line.clone()];
        for (i, c) in slice.char_indices() {
            let at = line.start + i;
            let after = slice[i + c.len_utf8()..].chars().next().unwrap_or(' ');
            let opens = !before.is_alphanumeric() && !after.is_whitespace();
            let closes = !after.is_alphanumeric() && !before.is_whitespace();
            match (c, open) {
                ('“' | '„', None) => open = Some(('”', at + c.len_utf8())),
                ('"', None) if opens => open = Some(('"', at + 1)),
                ('\'', None) if opens => open = Some(('\'', at + 1)),
                ('‘', None) => open = Some(('’', at + c.len_utf8())),
                ('\'' | '’', Some((mark, from))) if mark == c && closes => {
                    out.push(from..at);
                    open = None;
                }
                ('"' | '”' | '“', Some((mark @ ('"' | '”'), from))) if mark == c || c == '“' => {
                    out.push(from..at);
                    open = None;
                }
                _ => {}
            }
            before = c;
        }
    }
    out
}

/// The section a whole-line heading opens: `## Next steps`, `**What was said**`, `Next steps:`.
fn heading_of(line: &str) -> Option<Section> {
    let bare = line.trim();
    let marked = bare.starts_with('#') || (bare.starts_with('*') && bare.ends_with('*'));
    let labelled = bare.ends_with(':');
    let words = bare.trim_matches(|c: char| !c.is_alphanumeric());
    ((marked || labelled) && words.split_whitespace().count() <= 6).then(|| section_of(words))
}

/// A label that opens a line, `**Risks:** Gregor prefers…`, with the length of label and colon.
fn label_of(line: &str) -> (Option<Section>, usize) {
    let Some(colon) = line.find(':') else { return (None, 0) };
    let label = &line[..colon];
    let name = label.trim_matches(|c: char| !c.is_alphanumeric());
    let wordy =
        name.split_whitespace().count() <= 3 && name.len() <= 40 && !name.contains(['"', '“', '.', ',', '!', '?']);
    let section = section_of(name);
    if !wordy || section == Section::Plain || line[colon + 1..].starts_with("//") {
        return (None, 0);
    }
    (Some(section), colon + 1)
}

fn section_of(words: &str) -> Section {
    let words = words.to_lowercase();
    let any = |list: &[&str]| list.iter().any(|w| words.contains(w));
    match () {
        () if any(&[
            "next step",
            "action",
            "follow-up",
            "follow up",
            "to do",
            "todo",
            "decisions",
            "agreed",
            "commitment",
        ]) =>
        {
            Section::NextSteps
        }
        () if any(&["challenge", "pain", "theme", "problem", "needs identified", "key issue", "opportunity area"]) => {
            Section::Pains
        }
        () if any(&["quote", "client comment", "customer comment", "feedback", "verbatim"]) => Section::Quotes,
        () if any(&["risk", "concern", "objection", "blocker", "pushback"]) => Section::Objections,
        () if any(&["sentiment", "tone", "interest", "temperature", "mood", "my read", "gut"]) => Section::Sentiment,
        () if any(&["attend", "participant", "present", "who"]) => Section::Attendees,
        () if any(&[
            "background",
            "small talk",
            "product topic",
            "duration",
            "overview",
            "about them",
            "organisation",
        ]) =>
        {
            Section::Aside
        }
        () => Section::Plain,
    }
}

/// Words whose full stop ends no sentence.
const ABBREVIATIONS: [&str; 40] = [
    "mr", "mrs", "ms", "dr", "st", "no", "vs", "approx", "e.g", "i.e", "etc", "inc", "ltd", "co", "corp", "dept",
    "mgr", "mon", "tue", "tues", "wed", "weds", "thu", "thur", "thurs", "fri", "sat", "jan", "feb", "mar", "apr",
    "aug", "sept", "sep", "oct", "nov", "dec", "min", "hrs", "re",
];

/// Those that stand before a name.
const TITLES: [&str; 5] = ["mr", "mrs", "ms", "dr", "st"];

/// Bytes of the longest word that is looked at before a full stop.
const LONGEST_WORD: usize = 16;

fn sentences(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let slice = &text[range.clone()];
    let mut out = Vec::new();
    let mut start = 0;
    let mut chars = slice.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        let pictograph = c >= '\u{1f000}' || ('\u{2600}'..='\u{27bf}').contains(&c);
        if !matches!(c, '.' | '!' | '?' | '…') && !pictograph {
            continue;
        }
        let word = last_word(&slice[start..i]);
        let mut end = i + c.len_utf8();
        while let Some(&(j, d)) = chars.peek() {
            let mark =
                matches!(d, '.' | '!' | '?' | '…' | ')' | '”' | '’' | '"' | '\'' | '\u{fe0f}' | '\u{200d}' | '*');
            // A quotation mark that opens the next sentence follows white space, so these all close this one.
            if !mark && d < '\u{1f000}' {
                break;
            }
            end = j + d.len_utf8();
            chars.next();
        }
        let rest = slice[end..].trim_start();
        let next = rest.chars().next().unwrap_or(' ');
        let spaced = slice[end..].starts_with(char::is_whitespace) || end == slice.len();
        let initial = word.chars().count() == 1 && word.chars().all(|c| c.is_alphabetic() && c.is_uppercase());
        let short =
            c == '.' && (initial || word.contains('.') || ABBREVIATIONS.contains(&word.to_lowercase().as_str()));
        let numbered = c == '.' && word.bytes().all(|b| b.is_ascii_digit()) && start + word.len() == i;
        let lower = next.is_lowercase() && (pictograph || c == '…' || short);
        let title = c == '.' && TITLES.contains(&word.to_lowercase().as_str());
        if !spaced || title || lower || numbered || (short && !next.is_uppercase()) || (initial && c == '.') {
            continue;
        }
        out.push(range.start + start..range.start + end);
        start = end;
    }
    if start < slice.len() {
        out.push(range.start + start..range.end);
    }
    out
}

/// The word that ends `before`; at most [`LONGEST_WORD`] bytes of it, so that text without blanks costs no more.
fn last_word(before: &str) -> &str {
    let mut from = before.len().saturating_sub(LONGEST_WORD);
    while !before.is_char_boundary(from) {
        from += 1;
    }
    before[from..].rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("")
}

/// Words that begin a clause of its own after a comma or an `and`.
const OPENERS: [&str; 26] = [
    "he", "she", "they", "it", "we", "i", "he's", "she's", "they're", "it's", "we're", "i'm", "i'll", "he'll",
    "she'll", "they'll", "asked", "said", "says", "wants", "told", "thinks", "no", "which", "will", "then",
];

/// Splits a sentence where a new thought begins: at `;`, ` but `, dashes, `, so`, and before an opener.
fn parts(text: &str, range: Range<usize>, quotes: &[Range<usize>]) -> Vec<Range<usize>> {
    let slice = &text[range.clone()];
    let mut out = Vec::new();
    let mut start = 0;
    let words = word_starts(slice);
    for (n, &(at, word)) in words.iter().enumerate() {
        if at <= start {
            continue;
        }
        let before = slice[..at].trim_end();
        let previous = if n > 0 { words[n - 1].1 } else { "" };
        let lower = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '\'').to_lowercase().replace('’', "'");
        let next = words.get(n + 1).map_or(String::new(), |w| w.1.to_lowercase());
        let opener = OPENERS.contains(&lower.as_str());
        let joined = matches!(lower.as_str(), "and" | "&")
            && OPENERS.contains(&next.trim_end_matches(',').replace('’', "'").as_str());
        let cut = before.ends_with(';')
            || matches!(word, "-" | "–" | "—" | "--")
            || matches!(lower.as_str(), "but" | "though" | "although")
            || (before.ends_with(',') && (opener || matches!(lower.as_str(), "so" | "and" | "not" | "yet") || joined))
            || (joined && !matches!(previous, "he" | "she"));
        if cut && !inside(range.start + at, quotes) && at - start >= 8 {
            out.push(range.start + start..range.start + at);
            start = at;
        }
    }
    out.push(range.start + start..range.end);
    out
}

/// The words of `slice` with where they begin.
fn word_starts(slice: &str) -> Vec<(usize, &str)> {
    let pieces = slice.split_inclusive(char::is_whitespace).scan(0, |at, piece| {
        let start = *at;
        *at += piece.len();
        Some((start, piece.trim_end()))
    });
    pieces.filter(|(_, word)| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        clauses(text).into_iter().map(|c| &text[c.range]).collect()
    }

    #[test]
    fn cuts_sentences_and_thoughts() {
        let cases: [(&str, &[&str]); 6] = [
            ("Met Mr. Ode at 3 p.m. today. He liked it.", &["Met Mr. Ode at 3 p.m. today.", "He liked it."]),
            ("She likes the map but the fee is too high.", &["She likes the map", "but the fee is too high."]),
            ("Asked for a date. \"Not now.\" Logged.", &["Asked for a date.", "\"Not now.\"", "Logged."]),
            ("So keen 😍 Next call Monday", &["So keen 😍", "Next call Monday"]),
            ("- send the list\n- call back", &["send the list", "call back"]),
            ("<p>Good call.</p><p>No date.</p>", &["Good call.", "No date."]),
        ];
        for (text, expected) in cases {
            assert_eq!(cut(text), expected, "{text}");
        }
    }

    #[test]
    fn knows_the_buyers_words_and_the_sections() {
        let text = "**Risks:** budget\nShe wrote: 'we are fine as we are'\n> keep it short\n## Next steps\nCall Ana";
        let clauses = clauses(text);
        let at = |words: &str| clauses.iter().find(|c| text[c.range.clone()].contains(words)).unwrap();
        assert_eq!(at("budget").section, Section::Objections);
        assert!(at("we are fine").quoted && at("keep it short").quoted && !at("Call Ana").quoted);
        assert_eq!(at("Call Ana").section, Section::NextSteps);
    }

    proptest! {
        #[test]
        fn clauses_are_slices_in_order(text in "[a-z .,!?\"'“”‘’<>/p&;:\\-\n\u{1f600}é]{0,200}|\\PC{0,120}") {
            let mut end = 0;
            for clause in clauses(&text) {
                prop_assert!(clause.range.start >= end && !text[clause.range.clone()].is_empty());
                end = clause.range.end;
            }
        }
    }
}
