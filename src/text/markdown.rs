//! Markdown of posts to plain text, lightly: what people typed is kept as they typed it.

use std::str::Lines;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::code::fenced;
use super::html::Plain;

/// A link or an image: mark, label, target.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(!?)\[([^\[\]]*)\]\(([^()]*(?:\([^()]*\)[^()]*)*)\)").unwrap());

/// Markdown as plain text, as Reddit, GitHub and others take it: links become their label, lines quoted from others (`>`) are
/// cut, entities are characters again, code stands between fences (```` ``` ````) whatever it was marked by; everything else
/// stays as written. A spoiler (`>!`) is no quote, nor is anything in code.
pub fn markdown_to_text(markdown: &str) -> Plain {
    let markdown = unescape(markdown);
    let mut plain = Plain::default();
    // The marks that opened a fence; whether lines belong to a list, below which what is indented is no code.
    let (mut fence, mut listed, mut blank) = (None, false, true);
    let mut lines = markdown.lines();
    while let Some(line) = lines.next() {
        let start = line.trim_start();
        let after_blank = std::mem::replace(&mut blank, start.is_empty());
        if let Some(marks) = fence {
            let ends = start.starts_with(marks) || start.trim_end().ends_with(marks);
            let line = if ends { line.replacen(marks, "```", 1) } else { line.replace("```", "~~~") };
            plain.text.push_str(&line);
            plain.text.push('\n');
            fence = fence.filter(|_| !ends);
            continue;
        }
        if let Some(first) = code_line(line).filter(|_| after_blank && !listed) {
            plain.text.push_str(&fenced(&block(first, &mut lines).join("\n")));
            plain.text.push('\n');
            continue;
        }
        listed = is_item(start) || listed && (start.is_empty() || line.starts_with([' ', '\t']) || !after_blank);
        fence = opens(start);
        let quote =
            fence.is_none() && line.len() - start.len() < 4 && start.starts_with('>') && !start.starts_with(">!");
        if quote {
            plain.quoted = true;
            continue;
        }
        let after_blank = plain.text.is_empty() || plain.text.ends_with("\n\n");
        if plain.quoted && after_blank && start.is_empty() {
            continue;
        }
        match fence {
            Some(marks) => plain.text.push_str(&line.replacen(marks, "```", 1)),
            None => plain.text.push_str(&LINK.replace_all(line, label)),
        }
        plain.text.push('\n');
    }
    plain.text = plain.text.trim().to_owned();
    plain
}

/// The marks of a fence that a line opens with, three of them or more. What holds a backtick behind them is code in a line.
fn opens(line: &str) -> Option<&str> {
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let marks = &line[..line.len() - line.trim_start_matches(mark).len()];
    (marks.len() >= 3 && !(mark == '`' && line[marks.len()..].contains('`'))).then_some(marks)
}

/// What stands behind the indent of a line of code, which has words.
fn code_line(line: &str) -> Option<&str> {
    let code = line.strip_prefix("    ").or_else(|| line.strip_prefix('\t'))?;
    (!code.trim().is_empty()).then_some(code)
}

/// The lines of an indented block that begins with `first`; empty ones belong to it where it goes on behind them.
fn block<'t>(first: &'t str, lines: &mut Lines<'t>) -> Vec<&'t str> {
    let mut block = vec![first];
    loop {
        let empty = lines.clone().take_while(|line| line.trim().is_empty()).count();
        let Some(code) = lines.clone().nth(empty).and_then(code_line) else { return block };
        block.extend(std::iter::repeat_n("", empty).chain([code]));
        lines.nth(empty);
    }
}

/// Whether a line begins an item of a list, below which what is indented goes on with it.
fn is_item(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let bullet = line.strip_prefix(['-', '*', '+']);
    let number = || line[digits..].strip_prefix(['.', ')']).filter(|_| (1..=9).contains(&digits));
    bullet.or_else(number).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Media of Reddit's own are labelled `gif` or `img`, which nobody wrote.
fn label(link: &Captures) -> String {
    let words = link.get(2).map_or("", |m| m.as_str());
    let image = link.get(1).is_some_and(|m| !m.is_empty());
    if image && matches!(words, "gif" | "img") { String::new() } else { words.to_owned() }
}

/// Undoes the escaping that Reddit applies unless asked not to (`raw_json=1`), and the spaces its editor writes as entities.
pub fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let entities = [
            ("&amp;#x200B;", ""),
            ("&amp;nbsp;", " "),
            ("&#x200B;", ""),
            ("&nbsp;", " "),
            ("&amp;", "&"),
            ("&lt;", "<"),
            ("&gt;", ">"),
        ];
        let (entity, character) = entities.into_iter().find(|(e, _)| rest.starts_with(e)).unwrap_or(("&", "&"));
        out.push_str(character);
        rest = &rest[entity.len()..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_typed_stays_and_what_was_quoted_goes() {
        let cases = [
            ("it is *gone*.\n\n- one\n- two", "it is *gone*.\n\n- one\n- two", false),
            ("&gt; his words\n\nmine &amp; ours", "mine & ours", true),
            ("one\n\n> his\n> words\n\ntwo", "one\n\ntwo", true),
            ("> only his", "", true),
            (">!spoiler!< stays", ">!spoiler!< stays", false),
            ("```\n> code\n[a](b)\n```", "```\n> code\n[a](b)\n```", false),
            ("see [this page](http://x.example/a_(b)) and ![gif](giphy|q)", "see this page and", false),
            ("arr[0] (x) [not a link]", "arr[0] (x) [not a link]", false),
            ("a &amp;#x200B; b &lt;3 &copy; &", "a  b <3 &copy; &", false),
            ("one\n\n\n\ntwo", "one\n\n\n\ntwo", false),
            ("my log:\n\n    a [b](c)\n\n      > d\n\nso", "my log:\n\n```\na [b](c)\n\n  > d\n```\n\nso", false),
            ("\ta\n\tb\nso", "```\na\nb\n```\nso", false),
            ("one\n    two\n\n- three\n\n    four", "one\n    two\n\n- three\n\n    four", false),
            ("~~~js\na\n```\nb\n~~~\n> his", "```js\na\n~~~\nb\n```", true),
            ("````\na ``` b\n````\nso", "```\na ~~~ b\n```\nso", false),
            ("```one line```\n> his\n\nmine", "```one line```\n\nmine", true),
            ("```a\nb```\n> his\n\nmine", "```a\nb```\n\nmine", true),
        ];
        for (markdown, want, quoted) in cases {
            assert_eq!(markdown_to_text(markdown), Plain { text: want.to_owned(), quoted }, "{markdown}");
        }
    }

    proptest! {
        #[test]
        fn plain_words_come_back_unchanged(text in "[a-z]([a-zA-Z0-9.,!?*_ é'-]{0,40}[a-z])?(\n{1,2}[a-z]([a-z ]{0,20}[a-z])?){0,4}") {
            prop_assert_eq!(markdown_to_text(&text), Plain { text: text.clone(), quoted: false });
        }

        #[test]
        fn never_panics(text in "([\\[\\]()!>&;`\n a-zé]|&amp;|&gt;|```|~~~|    |\n\n){0,80}") {
            markdown_to_text(&text);
        }
    }
}
