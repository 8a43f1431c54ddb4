//! Markdown of posts to plain text, lightly: what people typed is kept as they typed it.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::html::Plain;

/// A link or an image: mark, label, target.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(!?)\[([^\[\]]*)\]\(([^()]*(?:\([^()]*\)[^()]*)*)\)").unwrap());

/// Reddit's Markdown as plain text: links become their label, lines quoted from others (`>`) are cut, entities are
/// characters again; everything else stays as written. A spoiler (`>!`) is no quote, nor is anything in a code fence.
pub fn markdown_to_text(markdown: &str) -> Plain {
    let markdown = unescape(markdown);
    let mut plain = Plain::default();
    let mut fenced = false;
    for line in markdown.lines() {
        let start = line.trim_start();
        let indent = line.len() - start.len();
        if start.starts_with("```") || start.starts_with("~~~") {
            fenced = !fenced;
        }
        let quote = !fenced && indent < 4 && start.starts_with('>') && !start.starts_with(">!");
        if quote {
            plain.quoted = true;
            continue;
        }
        let after_blank = plain.text.is_empty() || plain.text.ends_with("\n\n");
        if plain.quoted && after_blank && start.is_empty() {
            continue;
        }
        if fenced {
            plain.text.push_str(line);
        } else {
            plain.text.push_str(&LINK.replace_all(line, label));
        }
        plain.text.push('\n');
    }
    plain.text = plain.text.trim().to_owned();
    plain
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
        ];
        for (markdown, want, quoted) in cases {
            assert_eq!(markdown_to_text(markdown), Plain { text: want.to_owned(), quoted }, "{markdown}");
        }
    }

    proptest! {
        #[test]
        fn plain_words_come_back_unchanged(text in "[a-z]([a-zA-Z0-9.,!?*_ é'-]{0,40}[a-z])?(\n{1,2}[a-z ]{0,20}[a-z]){0,4}") {
            prop_assert_eq!(markdown_to_text(&text), Plain { text: text.clone(), quoted: false });
        }

        #[test]
        fn never_panics(text in "([\\[\\]()!>&;`\n a-zé]|&amp;|&gt;){0,80}") {
            markdown_to_text(&text);
        }
    }
}
