//! Discord's markup to plain text: one derivation for what was typed and for the pages that an exporter rendered.
//!
//! Both ways lead to the same *common form*: emphasis, spoilers and headings lose their marks, links become their label,
//! list items begin with `- `, emoji of a server are `:name:`, people that are spoken to are `@user` (all of them `everyone` or
//! `here`), quotes of others are cut, and code keeps its backticks and its spaces. [`markdown_to_text`] takes apart what was typed by the exporter's own
//! rules (the earliest match wins), so that it sees an emphasis exactly where a rendered page shows one.

use scraper::ElementRef;
use scraper::node::{Element, Node};

use super::handles::{SOMEBODY, masked};
use super::html::Plain;

/// A message has at most 4,000 characters; in what is longer only quotes are cut.
const MAX_BYTES: usize = 64 << 10;

/// Deeper nesting is left as typed.
const MAX_DEPTH: usize = 12;

/// Stands for `@` in code, which speaks to nobody.
const AT_IN_CODE: char = '\u{e000}';

/// A message as it was typed (or as an exporter writes it, with names for the ids of mentions) in the common form.
pub fn markdown_to_text(markdown: &str) -> Plain {
    let markdown = markdown.replace("\r\n", "\n");
    let mut form = Form::default();
    if markdown.len() > MAX_BYTES {
        for line in markdown.lines() {
            if line.starts_with("> ") {
                form.cut();
            } else {
                form.push(line);
                form.push("\n");
            }
        }
    } else {
        typed(&markdown, true, 0, &mut form);
    }
    form.finish()
}

/// A message as an exporter rendered it, in the common form: the text in `content`, of any of its layouts.
pub fn rendered_to_text(content: ElementRef) -> Plain {
    let mut form = Form::default();
    let mut skipping = None;
    for edge in content.traverse() {
        match edge {
            ego_tree::iter::Edge::Open(_) if skipping.is_some() => {}
            ego_tree::iter::Edge::Open(node) => match node.value() {
                Node::Text(text) => form.push(text),
                Node::Element(element) => {
                    let inner = || ElementRef::wrap(node).map(|e| e.text().collect::<String>()).unwrap_or_default();
                    if open(element, inner, &mut form) {
                        skipping = Some(node.id());
                    }
                }
                _ => {}
            },
            ego_tree::iter::Edge::Close(node) if skipping.is_some() => {
                if skipping == Some(node.id()) {
                    skipping = None;
                }
            }
            ego_tree::iter::Edge::Close(node) => {
                if let Node::Element(element) = node.value()
                    && matches!(element.name(), "li" | "ul" | "ol" | "h1" | "h2" | "h3")
                {
                    form.line();
                }
            }
        }
    }
    form.finish()
}

/// What an element adds. True when what is in it was dealt with.
fn open(element: &Element, inner: impl Fn() -> String, form: &mut Form) -> bool {
    let class = |start: &str| element.classes().any(|c| c.starts_with(start));
    let is = |name: &str| element.classes().any(|c| c == name);
    match element.name() {
        _ if class("chatlog__edited-timestamp") => true,
        _ if is("quote") || is("chatlog__markdown-quote") => {
            form.cut();
            true
        }
        _ if is("pre--inline") || is("chatlog__markdown-pre--inline") => {
            form.code(&inner());
            true
        }
        _ if is("pre--multiline") || is("chatlog__markdown-pre--multiline") => {
            form.fence(&inner());
            true
        }
        "br" => {
            form.push("\n");
            false
        }
        "li" => {
            form.line();
            form.push("- ");
            false
        }
        "h1" | "h2" | "h3" => {
            form.line();
            form.push("# ");
            false
        }
        "ul" | "ol" => {
            form.line();
            false
        }
        "img" => {
            let name = element.attr("alt").unwrap_or_default();
            // An emoji of a server is called by its name, any other by itself.
            if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
                form.push(&format!(":{name}:"));
            } else {
                form.push(name);
            }
            true
        }
        "script" | "style" | "svg" | "iframe" | "template" => true,
        _ => false,
    }
}

/// A text in the making.
#[derive(Default)]
struct Form {
    blocks: Vec<Block>,
    quoted: bool,
}

enum Block {
    Words(String),
    Fence(String),
    /// Where words of others stood.
    Cut,
}

impl Form {
    fn push(&mut self, words: &str) {
        match self.blocks.last_mut() {
            Some(Block::Words(text)) => text.push_str(words),
            _ => self.blocks.push(Block::Words(words.to_owned())),
        }
    }

    fn line(&mut self) {
        if let Some(Block::Words(text)) = self.blocks.last_mut()
            && !text.ends_with('\n')
        {
            text.push('\n');
        }
    }

    fn cut(&mut self) {
        self.quoted = true;
        self.blocks.push(Block::Cut);
    }

    fn code(&mut self, code: &str) {
        let code = code.trim().replace('@', &AT_IN_CODE.to_string());
        self.push(&format!("`{code}`"));
    }

    fn fence(&mut self, code: &str) {
        self.blocks.push(Block::Fence(code.trim_matches(['\r', '\n']).to_owned()));
    }

    fn finish(self) -> Plain {
        let mut out = String::new();
        for block in self.blocks {
            let part = match block {
                // Pages of 2019 show what stands in two backticks as code in one more.
                Block::Words(words) => {
                    masked(&lines(&words), name_at, is_spoken_to).replace(AT_IN_CODE, "@").replace("``", "`")
                }
                Block::Fence(code) => format!("```\n{code}\n```"),
                Block::Cut => continue,
            };
            if !part.is_empty() && !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&part);
        }
        let text = out.trim().to_owned();
        Plain { text, quoted: self.quoted }
    }
}

/// Lines without what is drawn around them: marks of headings, the kind of bullet, spaces at the end, and empty lines at
/// either end, beside headings and list items, and beyond one.
fn lines(words: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    // Whether the last line that was not empty is a heading or an item; an empty line is owed only between others.
    let (mut tight, mut owed) = (true, false);
    for line in words.lines() {
        let line = line.trim_end();
        if line.is_empty() {
            owed = true;
            continue;
        }
        let start = line.trim_start();
        let item = start.strip_prefix("- ").or_else(|| start.strip_prefix("* ")).map(str::trim_start);
        let heading = heading(line);
        let tight_now = item.is_some() || heading.is_some();
        if owed && !tight && !tight_now {
            out.push(String::new());
        }
        out.push(match (item, heading) {
            (Some(item), _) => format!("- {item}"),
            (None, Some(heading)) => heading.to_owned(),
            (None, None) => line.to_owned(),
        });
        (tight, owed) = (tight_now, false);
    }
    out.join("\n")
}

/// The words of a heading or of small print.
fn heading(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("-#").unwrap_or_else(|| line.trim_start_matches('#'));
    let words = rest.strip_prefix(' ')?.trim_start();
    (matches!(line.len() - rest.len(), 1..=3) && !words.is_empty()).then_some(words)
}

/// Whether `name`, behind an `@`, is somebody's: of what an exporter writes for a mention, all that is no address and no package.
fn is_spoken_to(before: &str, name: &str, after: &str) -> bool {
    !before.ends_with(|c: char| c.is_alphanumeric() || "/._%+-@".contains(c))
        && name.chars().any(|c| c.is_alphanumeric() || !c.is_ascii())
        && !after.starts_with('/')
}

/// What may be the name after an `@`.
fn name_at(text: &str) -> &str {
    let ends = |c: char| c.is_whitespace() || c == AT_IN_CODE || "*~|`()[]{}<>,:;!?\"/\\@".contains(c);
    text[..text.find(ends).unwrap_or(text.len())].trim_end_matches('.')
}

/// What a piece of markup is.
enum Found<'a> {
    /// The same text, in a style.
    Styled(&'a str),
    Code(&'a str),
    Fence(&'a str),
    Cut,
    Words(String),
}

/// Takes `text` apart and adds it to `form`. `starts` says whether it begins a line.
fn typed(text: &str, starts: bool, depth: usize, form: &mut Form) {
    // Where no closing mark was found once there is none further on either, so every kind is searched at most once in vain.
    let mut vain = Vain::default();
    let mut plain_from = 0;
    let mut at = 0;
    while at < text.len() {
        let line_start = if at == 0 { starts } else { text[..at].ends_with('\n') };
        let (found, length) = match find(text, at, line_start, depth, &mut vain) {
            Some(hit) => hit,
            None => {
                at += text[at..].chars().next().map_or(1, char::len_utf8);
                continue;
            }
        };
        form.push(&text[plain_from..at]);
        match found {
            Found::Styled(inner) => typed(inner, line_start, depth + 1, form),
            Found::Code(code) => form.code(code),
            Found::Fence(code) => form.fence(code),
            Found::Cut => form.cut(),
            Found::Words(words) => form.push(&words),
        }
        at += length;
        plain_from = at;
    }
    form.push(&text[plain_from..]);
}

/// What was searched for in vain.
#[derive(Default)]
struct Vain {
    marks: Vec<&'static str>,
    /// Up to here no bracket opens a link: the next label to end is followed by no address.
    links: usize,
}

impl Vain {
    /// Where `close` ends the text that begins at `from`, at least one character long, and holds after `good`.
    fn close<'t>(
        &mut self,
        text: &'t str,
        from: usize,
        close: &'static str,
        good: impl Fn(&str, &str) -> bool,
    ) -> Option<&'t str> {
        let first = text.get(from..)?.chars().next()?.len_utf8();
        if self.marks.contains(&close) {
            return None;
        }
        let mut at = from + first;
        while let Some(found) = text.get(at..).and_then(|t| t.find(close)) {
            let end = at + found;
            if good(&text[from..end], &text[end + close.len()..]) {
                return Some(&text[from..end]);
            }
            at = end + 1;
        }
        self.marks.push(close);
        None
    }
}

/// The markup that begins at `at`, and how long it is.
fn find<'t>(text: &'t str, at: usize, line_start: bool, depth: usize, vain: &mut Vain) -> Option<(Found<'t>, usize)> {
    let rest = &text[at..];
    let before = text[..at].chars().next_back();
    let any = |_: &str, _: &str| true;
    match rest.as_bytes()[0] {
        b'\\' => {
            let next = rest[1..].chars().next()?;
            (!next.is_ascii_alphanumeric() && !next.is_whitespace())
                .then(|| (Found::Words(next.to_string()), 1 + next.len_utf8()))
        }
        // `¯\_(ツ)_/¯`, whose arm is no escape.
        0xc2 if rest.starts_with("¯\\_(ツ)_/¯") => {
            let shrug = "¯\\_(ツ)_/¯";
            Some((Found::Words(shrug.to_owned()), shrug.len()))
        }
        b'`' if rest.starts_with("```") => {
            let body = vain.close(text, at + 3, "```", any)?;
            let language = body.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(body.len());
            let code = if body[language..].starts_with('\n') && body.len() > language + 1 {
                &body[language + 1..]
            } else {
                body
            };
            Some((Found::Fence(code), body.len() + 6))
        }
        b'`' => {
            let mark = if rest.starts_with("``") { 2 } else { 1 };
            let body = &rest[mark..];
            let end = body.find('`')?;
            (end > 0 && body[end..].starts_with(&rest[..mark])).then(|| (Found::Code(&body[..end]), end + 2 * mark))
        }
        b'>' if line_start && rest.starts_with(">>> ") && rest.len() > 4 => Some((Found::Cut, rest.len())),
        b'>' if line_start && (rest.starts_with("> ") || rest.starts_with(">\n") || rest == ">") => {
            Some((Found::Cut, rest.find('\n').map_or(rest.len(), |end| end + 1)))
        }
        b'*' | b'_' | b'~' | b'|' if depth < MAX_DEPTH => styled(text, at, vain),
        b'[' => {
            if at + 1 < vain.links {
                return None;
            }
            let label = vain.close(text, at + 1, "](", any)?;
            let target = &rest[label.len() + 3..];
            let address = target.trim_start_matches('<');
            let is_address = address.starts_with("http://") || address.starts_with("https://");
            let end = target.find([')', '\n']).filter(|end| is_address && target[*end..].starts_with(')'));
            // A bracket before the end of a line, or before a target that is none, comes to the same end as this one.
            let vain_to = end.map_or(Some(label.len()), |_| label.rfind('\n').map(|line| line + 1));
            if let Some(vain_to) = vain_to {
                vain.links = at + 1 + vain_to;
                return None;
            }
            end.map(|end| (Found::Styled(label), label.len() + 3 + end + 1))
        }
        b'<' => hidden_link(rest).or_else(|| token(rest)),
        b'h' => link(rest).map(|link| (Found::Words(link.to_owned()), link.len())),
        b'@' | b'#' if before.is_none_or(|c| !c.is_alphanumeric()) => {
            let name = name_at(&rest[1..]);
            (!name.is_empty()).then(|| (Found::Words(rest[..=name.len()].to_owned()), name.len() + 1))
        }
        b':' => {
            let end = rest[1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_')?;
            (end > 0 && rest[1 + end..].starts_with(':')).then(|| (Found::Words(rest[..end + 2].to_owned()), end + 2))
        }
        _ => None,
    }
}

/// Bold, italic, underlined, struck and hidden words, in the exporter's order.
fn styled<'t>(text: &'t str, at: usize, vain: &mut Vain) -> Option<(Found<'t>, usize)> {
    let rest = &text[at..];
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let hit = |inner: &'t str, marks: usize| (Found::Styled(inner), inner.len() + marks);
    if rest.starts_with("***")
        && let Some(inner) = vain.close(text, at + 3, "***", |_, after| !after.starts_with('*'))
    {
        return Some(hit(inner, 6));
    }
    if rest.starts_with("**")
        && let Some(inner) = vain.close(text, at + 2, "**", |_, after| !after.starts_with('*'))
    {
        return Some(hit(inner, 4));
    }
    if rest.starts_with('*')
        && !rest[1..].starts_with(char::is_whitespace)
        && let Some(inner) = vain.close(text, at + 1, "*", |inner, after| {
            !inner.ends_with(|c: char| c.is_whitespace() || c == '*') && !after.starts_with('*')
        })
    {
        return Some(hit(inner, 2));
    }
    if rest.starts_with("__")
        && let Some(inner) = vain.close(text, at + 2, "__", |_, after| !after.starts_with('_'))
    {
        return Some(hit(inner, 4));
    }
    if rest.starts_with('_')
        && let Some(inner) = vain.close(text, at + 1, "_", |_, after| !after.starts_with(word))
    {
        return Some(hit(inner, 2));
    }
    for mark in ["~~", "||"] {
        if rest.starts_with(mark)
            && let Some(inner) = vain.close(text, at + 2, mark, |_, _| true)
        {
            return Some(hit(inner, 4));
        }
    }
    None
}

/// An address that begins `text`: it ends before a space and holds no stop at its end.
fn link(text: &str) -> Option<&str> {
    let scheme = ["https://", "http://"].into_iter().find(|s| text.starts_with(s))?;
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let link = text[..end].trim_end_matches(['.', ',', ':', ';', '"', '\'']);
    (link.len() > scheme.len()).then_some(link)
}

/// `<https://…>`: an address without preview.
fn hidden_link(text: &str) -> Option<(Found<'_>, usize)> {
    if !text.starts_with("<http") {
        return None;
    }
    // No further than to the next mark: many that nothing closes would each be followed to the end.
    let end = 1 + text[1..].find(|c: char| matches!(c, '<' | '>') || c.is_whitespace())?;
    let link = link(&text[1..end]).filter(|l| l.len() + 1 == end && text[end..].starts_with('>'))?;
    Some((Found::Words(link.to_owned()), end + 1))
}

/// `<@1>`, `<#1>`, `<@&1>`, `<:name:1>`, `<t:1>`: what stands for people, channels, emoji and times in an export that was
/// made without resolving them.
fn token(text: &str) -> Option<(Found<'_>, usize)> {
    let end = text.bytes().take(64).position(|b| b == b'>')?;
    let inner = &text[1..end];
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let words = if let Some(id) = inner.strip_prefix("@&") {
        digits(id).then(|| "@role".to_owned())
    } else if let Some(id) = inner.strip_prefix('@') {
        digits(id.trim_start_matches('!')).then(|| SOMEBODY.to_owned())
    } else if let Some(id) = inner.strip_prefix('#') {
        digits(id).then(|| "#channel".to_owned())
    } else if let Some(time) = inner.strip_prefix("t:") {
        let seconds = time.split(':').next().unwrap_or_default();
        let at = seconds.parse().ok().and_then(|s| jiff::Timestamp::from_second(s).ok())?;
        Some(at.strftime("%Y-%m-%d %H:%M").to_string())
    } else {
        let emoji = inner.strip_prefix("a:").or_else(|| inner.strip_prefix(':'))?;
        let (name, id) = emoji.split_once(':')?;
        let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        (is_name && digits(id)).then(|| format!(":{name}:"))
    };
    words.map(|words| (Found::Words(words), end + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use scraper::Html;

    use super::*;

    fn rendered(html: &str) -> Plain {
        rendered_to_text(Html::parse_fragment(html).root_element())
    }

    /// What was typed, and the same as pages of the exporter show it.
    #[test]
    fn typed_and_rendered_words_come_to_the_same() {
        let cases = [
            (
                "it is **gone** and *I* am ~~calm~~ __not__",
                "it is <strong>gone</strong> and <em>I</em> am <s>calm</s> <u>not</u>",
                "it is gone and I am calm not",
            ),
            ("the file my_own_notes.txt", "the file my_own_notes.txt", "the file my_own_notes.txt"),
            ("path_to_file and other_ x", "path<em>to_file and other</em> x", "pathto_file and other x"),
            ("> his words\nmine", "<div class=quote>his words</div>mine", "mine"),
            (
                "a\n> his\n> words\n\nmine",
                "a\n<div class=\"chatlog__markdown-quote\"><div class=chatlog__markdown-quote-border></div><div>his<br>words</div></div>\nmine",
                "a\nmine",
            ),
            (">>> all\nof it", "<div class=quote>all\nof it</div>", ""),
            (
                "do\n```js\nlet a = 1;\n  b(\"@x\")\n```\nthen `a*b*c`",
                "do\n<div class=\"pre pre--multiline language-js\">let a = 1;\n  b(\"@x\")</div>then <span class=\"pre pre--inline\">a*b*c</span>",
                "do\n```\nlet a = 1;\n  b(\"@x\")\n```\nthen `a*b*c`",
            ),
            (
                "```one line```",
                "<code class=\"chatlog__markdown-pre chatlog__markdown-pre--multiline nohighlight\">one line</code>",
                "```\none line\n```",
            ),
            (
                "# Big\nwords\n\n- one\n* two\n\nend",
                "<h1>Big</h1>\nwords\n\n<ul><li>one</li><li>two</li></ul>\nend",
                "Big\nwords\n- one\n- two\nend",
            ),
            (
                "see [the page](https://x.example/a_b_) or <https://y.example/c_d_e>.",
                "see <a href=\"https://x.example/a_b_\">the page</a> or <a href=\"https://y.example/c_d_e\">https://y.example/c_d_e</a>.",
                "see the page or https://y.example/c_d_e.",
            ),
            (
                "@Sam_the_Man_: look :wave_a_b: \u{2665}\u{fe0f}",
                "<span class=mention title=x>@Sam_the_Man_</span>: look <img class=\"emoji \" alt=\"wave_a_b\" title=\"wave_a_b\"> <img class=emoji alt=\"\u{2665}\">\u{fe0f}",
                "@user: look :wave_a_b: \u{2665}\u{fe0f}",
            ),
            (
                "@here or @everyone, mail me@x.example; npm i @scope/pkg",
                "<span class=mention>@here</span> or @everyone, mail me@x.example; npm i @scope/pkg",
                "here or everyone, mail me@x.example; npm i @scope/pkg",
            ),
            ("¯\\_(ツ)_/¯ and \\*not\\* so", "¯\\_(ツ)_/¯ and *not* so", "¯\\_(ツ)_/¯ and *not* so"),
            ("2 * 3 * 4 _ 5", "2 * 3 * 4 _ 5", "2 * 3 * 4 _ 5"),
            ("||the *end*||", "<span class=\"spoiler\">the <em>end</em></span>", "the end"),
        ];
        for (raw, html, want) in cases {
            assert_eq!(markdown_to_text(raw).text, want, "typed: {raw}");
            assert_eq!(rendered(html).text, want, "rendered: {html}");
            assert_eq!(markdown_to_text(raw).quoted, rendered(html).quoted, "{raw}");
        }
    }

    #[test]
    fn tokens_of_unresolved_exports_lose_their_ids() {
        let text = "<@7> and <@!8>, <@&9> in <#10> <:sad:11> <a:run:12> at <t:1772366400:R> a<b>c";
        let want = "@user and @user, @role in #channel :sad: :run: at 2026-03-01 12:00 a<b>c";
        assert_eq!(markdown_to_text(text).text, want);
    }

    #[test]
    fn hostile_markup_is_read_in_time() {
        let in_vain = ["*".repeat(60_000), "[a".repeat(30_000), "_a".repeat(30_000), "||**__".repeat(10_000)];
        let far =
            ["<".repeat(60_000), format!("{}](x)", "[".repeat(60_000)), format!("{}\n](http://x)", "[".repeat(60_000))];
        let unclosed = ["<http".repeat(13_000)];
        let began = std::time::Instant::now();
        for hostile in in_vain.into_iter().chain(far).chain(unclosed) {
            markdown_to_text(&hostile);
        }
        assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
    }

    proptest! {
        #[test]
        fn plain_words_come_back_unchanged(text in "[a-z]([a-zA-Z0-9.,!? é'-]{0,40}[a-z])?(\n{1,2}[a-z ]{0,20}[a-z]){0,4}") {
            let trimmed = text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
            prop_assert_eq!(markdown_to_text(&text), Plain { text: trimmed, quoted: false });
        }

        #[test]
        fn never_panics_and_is_trimmed(text in "([*_~|`>\\[\\]()<@#:\\\\\n h-]|https://|é|ab|😀){0,80}") {
            let plain = markdown_to_text(&text);
            prop_assert_eq!(plain.text.trim(), &plain.text);
            rendered(&text);
        }
    }
}
