//! Slack's mrkdwn to plain text.
//!
//! People that are spoken to become `@user` (a name in the markup is not repeated; names that somebody typed are left to
//! [`super::handles`]), links and channels their label, lines quoted from others (`>`) are cut, emphasis loses its marks, and code
//! keeps its backticks and its spaces.

use std::collections::HashSet;

use super::code::fenced;
use super::handles::SOMEBODY;
use super::html::Plain;

/// The plain text of a message. `channel` gives the name of a channel for its id.
pub fn mrkdwn_to_text(mrkdwn: &str, channel: impl Fn(&str) -> Option<String>) -> Plain {
    let mrkdwn = mrkdwn.replace("\r\n", "\n");
    let mut plain = Plain::default();
    let parts: Vec<&str> = mrkdwn.split("```").collect();
    for (i, part) in parts.iter().enumerate() {
        if is_code(i, parts.len()) {
            plain.text.truncate(plain.text.trim_end().len());
            if !plain.text.is_empty() {
                plain.text.push('\n');
            }
            plain.text.push_str(&fenced(&unescape(&resolved(part, &channel))));
            plain.text.push('\n');
        } else if i % 2 == 1 {
            plain.text.push_str("```");
            words(part, &channel, &mut plain);
        } else {
            let part = if i > 0 { part.trim_start_matches([' ', '\n']) } else { part };
            words(part, &channel, &mut plain);
        }
    }
    plain.text = plain.text.trim().to_owned();
    plain
}

/// Whether piece `i` of `count` between marks is code: the last mark of an odd number opens nothing.
fn is_code(i: usize, count: usize) -> bool {
    i % 2 == 1 && i + 1 < count
}

fn words(part: &str, channel: &impl Fn(&str) -> Option<String>, plain: &mut Plain) {
    let mut lines = part.split('\n').peekable();
    while let Some(line) = lines.next() {
        let begins = plain.text.is_empty() || plain.text.ends_with('\n');
        let start = line.trim_start();
        if begins && (start.starts_with("&gt;&gt;&gt;") || start.starts_with(">>>")) {
            plain.quoted = true;
            return;
        }
        if begins && (start.starts_with("&gt;") || start.starts_with('>')) {
            plain.quoted = true;
            continue;
        }
        let empty = line.trim().is_empty();
        if !(empty && begins && (plain.text.is_empty() || plain.text.ends_with("\n\n"))) {
            let pieces: Vec<&str> = line.split('`').collect();
            for (i, piece) in pieces.iter().enumerate() {
                let code = is_code(i, pieces.len());
                if i > 0 {
                    plain.text.push('`');
                }
                let piece = resolved(piece, channel);
                let piece = if code { piece } else { without_marks(&piece) };
                plain.text.push_str(&unescape(&piece));
            }
            if lines.peek().is_some() {
                plain.text.push('\n');
            }
        }
    }
}

/// `text` with words for what stands in angle brackets. Those of the text itself are escaped, so every bracket is markup.
fn resolved(text: &str, channel: &impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let Some(end) = rest[at..].find('>') else {
            rest = &rest[at..];
            break;
        };
        let inner = &rest[at + 1..at + end];
        let (target, label) = inner.split_once('|').map_or((inner, None), |(t, l)| (t, Some(l)));
        let label = label.filter(|l| !l.is_empty());
        match target.chars().next() {
            Some('@') => out.push_str(SOMEBODY),
            Some('#') => {
                let name = label.map(str::to_owned).or_else(|| channel(&target[1..]));
                out.push_str(&format!("#{}", name.as_deref().unwrap_or("channel")));
            }
            Some('!') if target.starts_with("!subteam") => out.push_str("@group"),
            Some('!') if target.starts_with("!date") => out.push_str(label.unwrap_or("a date")),
            Some('!') => {
                let whom = target[1..].split('^').next().unwrap_or_default();
                match whom {
                    "here" | "channel" | "everyone" | "group" => out.push_str(&format!("@{whom}")),
                    _ => out.push_str(label.unwrap_or(whom)),
                }
            }
            _ => out.push_str(label.unwrap_or(target.trim_start_matches("mailto:"))),
        }
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    out
}

/// `text` without the marks of bold, italic and struck words: a mark opens after no letter and before no space, and closes
/// the other way round.
fn without_marks(text: &str) -> String {
    let mut drop = HashSet::new();
    for mark in ['*', '_', '~'] {
        let mut opened = None;
        for (at, _) in text.match_indices(mark) {
            let before = text[..at].chars().next_back();
            let after = text[at + 1..].chars().next();
            let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == mark || c == '/');
            let blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
            match opened {
                Some(open) if !joined(after) && !blank(before) && before != Some(mark) => {
                    drop.extend([open, at]);
                    opened = None;
                }
                None if !joined(before) && !blank(after) && after != Some(mark) => opened = Some(at),
                _ => {}
            }
        }
    }
    text.char_indices().filter(|(at, _)| !drop.contains(at)).map(|(_, c)| c).collect()
}

/// Slack escapes three characters and no others.
fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Plain {
        mrkdwn_to_text(text, |id| (id == "C1").then(|| "repair".to_owned()))
    }

    #[test]
    fn markup_becomes_words() {
        let cases = [
            (
                "<@U1> and <@U2|bob>: see <#C1>, <#C9>, <#C2|general>",
                "@user and @user: see #repair, #channel, #general",
            ),
            ("<!here> <!channel|@channel> <!subteam^S1|@crew> <!date^1^{date}|1 May>", "@here @channel @group 1 May"),
            (
                "<https://x.example/a_b_c|the page> <https://y.example/_z_> <mailto:a@b.example|a@b.example>",
                "the page https://y.example/_z_ a@b.example",
            ),
            (
                "it is *gone*, _really_ ~not~ now; my_own_file 2*3*4 * 5",
                "it is gone, really not now; my_own_file 2*3*4 * 5",
            ),
            ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
            (
                "run ```let a = *b*;\n  c &lt; d``` then `x_y_ *z*` ok",
                "run\n```\nlet a = *b*;\n  c < d\n```\nthen `x_y_ *z*` ok",
            ),
            ("open ``` only", "open ``` only"),
        ];
        for (mrkdwn, want) in cases {
            let plain = read(mrkdwn);
            assert_eq!(plain.text, want, "{mrkdwn}");
        }
    }

    #[test]
    fn words_of_others_are_cut() {
        let cases = [
            ("&gt; his\nmine", "mine"),
            ("one\n&gt;his\ntwo", "one\ntwo"),
            ("a\n&gt;&gt;&gt; all\nof it", "a"),
            ("1 &gt; 0", "1 > 0"),
        ];
        for (mrkdwn, want) in cases {
            assert_eq!(read(mrkdwn), Plain { text: want.to_owned(), quoted: mrkdwn.len() > 9 }, "{mrkdwn}");
        }
    }

    proptest! {
        #[test]
        fn plain_words_come_back_unchanged(text in "[a-z]([a-zA-Z0-9.,!? é'-]{0,40}[a-z])?(\n[a-z ]{0,20}[a-z]){0,4}") {
            prop_assert_eq!(read(&text).text, text);
        }

        #[test]
        fn never_panics(text in "([<>@#!|`*_~&;\n a-zé]|```|&gt;|&amp;){0,80}") {
            read(&text);
        }
    }
}
