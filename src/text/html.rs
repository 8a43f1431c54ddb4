//! HTML of posts to plain text.
//!
//! The words of others (quotes, link previews) are cut out, so nobody is credited with what they only quoted. The walk is
//! flat, so nesting cannot exhaust the stack, and hostile markup is given up while it is parsed.

use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use html5ever::driver::{self, Parser};
use html5ever::tendril::TendrilSink as _;
use html5ever::{local_name, ns};
use scraper::node::{Element, Node};
use scraper::{CaseSensitivity, Html, HtmlTreeSink};

use super::code::{fenced, ticked};
use super::handles::SOMEBODY;

/// Text taken out of markup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plain {
    /// The author's own words, trimmed; may be empty.
    pub text: String,
    /// Whether words of others were cut out.
    pub quoted: bool,
}

/// Deepest nesting of a post.
const MAX_DEPTH: usize = 400;
const MAX_BYTES: usize = 1 << 20;

/// Most attributes in one tag; a parser compares each with those before it.
const MAX_ATTRIBUTES: usize = 2000;

/// Bytes after which a growing tree is looked at.
const PORTION: usize = 512;

/// Deeper lists are not indented further.
const MAX_INDENT: usize = 8;

/// The plain text of an HTML fragment: paragraphs become blocks parted by an empty line, `<br>` a line break, list items
/// lines that begin with `- ` or a number, table rows lines, preformatted text stays as it is, code stands between fences or
/// backticks, images become their alternative text, emoji their name, people that are spoken to `@user`. Block quotes, `aside`s
/// and scripts are cut.
///
/// Markup over 1 MiB or that [`fragment`] gives up is only stripped of its tags.
pub fn html_to_text(html: &str) -> Plain {
    let page = if html.len() > MAX_BYTES { None } else { fragment(html).ok() };
    match page {
        Some(page) => tree_to_text(*page.root_element(), |_| Cut::Keep),
        None => Plain { text: strip_tags(html), quoted: false },
    }
}

/// Why markup is not parsed to its end: in time and memory that grow with its length alone, it cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Hostile {
    /// At many a tag a parser searches all elements that are open.
    #[error("nests more than {0} deep")]
    Deep(usize),
    /// A parser compares each attribute of a tag with those before it.
    #[error("has {0} attributes in one tag")]
    Attributes(usize),
    /// What is opened and never closed, such as `<b>`, a parser opens anew in every paragraph that follows.
    #[error("makes more elements than its bytes can hold")]
    Swelling,
}

/// Parses the markup of a post.
///
/// # Errors
/// When it nests deeper than 400 or is hostile otherwise.
pub fn fragment(html: &str) -> Result<Html, Hostile> {
    let sink = HtmlTreeSink::new(Html::new_fragment());
    let body = html5ever::QualName::new(None, ns!(html), local_name!("body"));
    grow(driver::parse_fragment(sink, Default::default(), body, Vec::new(), false), html, MAX_DEPTH)
}

/// Parses a page.
///
/// # Errors
/// When it nests deeper than `deepest` or is hostile otherwise.
pub fn document(html: &str, deepest: usize) -> Result<Html, Hostile> {
    grow(driver::parse_document(HtmlTreeSink::new(Html::new_document()), Default::default()), html, deepest)
}

/// Parses portion by portion, for as long as the tree stays within its bounds.
fn grow(mut parser: Parser<HtmlTreeSink>, html: &str, deepest: usize) -> Result<Html, Hostile> {
    let attributes = most_attributes(html);
    if attributes > MAX_ATTRIBUTES {
        return Err(Hostile::Attributes(attributes));
    }
    let mut rest = html;
    while !rest.is_empty() {
        let (portion, after) = rest.split_at(rest.floor_char_boundary(PORTION));
        parser.process(portion.into());
        rest = after;
        let page = parser.tokenizer.sink.sink.0.borrow();
        let mut nodes = page.tree.nodes();
        if nodes.len() > html.len() / 2 + PORTION {
            return Err(Hostile::Swelling);
        }
        if nodes.next_back().is_some_and(|newest| newest.ancestors().nth(deepest).is_some()) {
            return Err(Hostile::Deep(deepest));
        }
    }
    Ok(parser.finish())
}

/// The most attributes that a tag of `html` has.
fn most_attributes(html: &str) -> usize {
    let mut most = 0;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end..]);
            continue;
        }
        let (closing, tag) = rest.strip_prefix('/').map_or((false, rest), |tag| (true, tag));
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let (name, after) = tag.split_at(tag.find(ends_name).unwrap_or(tag.len()));
        let attributes;
        (attributes, rest) = attributes_of(after);
        most = most.max(attributes);
        if !closing && ["script", "style", "textarea", "title", "noscript", "iframe"].contains(&name) {
            let end = format!("</{name}");
            rest = rest.find(&end).map_or("", |end| &rest[end..]);
        }
    }
    most
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn ends_name(c: char) -> bool {
    is_space(c) || matches!(c, '/' | '>')
}

/// How many attributes stand before the end of a tag, and what comes after it. By the tokenizer of the HTML standard (13.2.5.32
/// to 13.2.5.40); a tag without an end takes all that is left.
fn attributes_of(tag: &str) -> (usize, &str) {
    let mut rest = tag;
    for count in 0.. {
        rest = rest.trim_start_matches(|c| is_space(c) || c == '/');
        let Some(first) = rest.chars().next() else { return (count, "") };
        if first == '>' {
            return (count, &rest[1..]);
        }
        // The first character belongs to the name even when it is `=`.
        let name = &rest[first.len_utf8()..];
        rest = &name[name.find(|c| ends_name(c) || c == '=').unwrap_or(name.len())..];
        let Some(value) = rest.trim_start_matches(is_space).strip_prefix('=') else { continue };
        let value = value.trim_start_matches(is_space);
        rest = match value.chars().next() {
            Some(mark @ ('"' | '\'')) => value[1..].split_once(mark).map_or("", |(_, after)| after),
            _ => &value[value.find(|c| is_space(c) || c == '>').unwrap_or(value.len())..],
        };
    }
    (0, rest)
}

/// The plain text of all in `root`, by the rules of [`html_to_text`]. `also` says what else is to be cut; the root itself is
/// kept in any case.
pub fn tree_to_text(root: NodeRef<'_, Node>, also: impl Fn(NodeId) -> Cut) -> Plain {
    let mut page = Page::default();
    let mut cutting = None;
    for edge in root.traverse() {
        match edge {
            Edge::Open(_) if cutting.is_some() => {}
            Edge::Open(node) => match node.value() {
                Node::Text(text) => page.text(text),
                Node::Element(_) if node.id() == root.id() => {}
                Node::Element(element) => {
                    let cut = match also(node.id()) {
                        Cut::Keep => cut(element),
                        cut => cut,
                    };
                    if cut == Cut::Keep && !page.whole(node, element) {
                        page.open(element);
                        continue;
                    }
                    page.quoted |= cut == Cut::Others;
                    page.part(if cut == Cut::Others { 2 } else { 0 });
                    cutting = Some(node.id());
                }
                _ => {}
            },
            Edge::Close(node) if cutting.is_some() => {
                if cutting == Some(node.id()) {
                    cutting = None;
                }
            }
            Edge::Close(node) if node.id() == root.id() => {}
            Edge::Close(node) => {
                if let Node::Element(element) = node.value() {
                    page.close(element.name());
                }
            }
        }
    }
    Plain { text: page.out.trim().to_owned(), quoted: page.quoted }
}

/// What to do with an element and all in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Its words are the author's.
    Keep,
    /// Words, but not the author's.
    Others,
    /// No words.
    Furniture,
}

fn cut(element: &Element) -> Cut {
    let class = |name| element.has_class(name, CaseSensitivity::CaseSensitive);
    match element.name() {
        "blockquote" | "aside" => Cut::Others,
        "script" | "style" | "template" | "svg" | "noscript" | "iframe" | "head" | "button" => Cut::Furniture,
        // What only screen readers are told is the page's.
        _ if ["sr-only", "visually-hidden", "screen-reader-text"].into_iter().any(class) => Cut::Furniture,
        "div" if class("meta") || class("quote-controls") => Cut::Furniture,
        _ => Cut::Keep,
    }
}

/// Whether an element is a link to somebody who is spoken to, by what Discourse, GitHub, NodeBB, Flarum, Vanilla, XenForo and
/// Invision make of `@name`, however many words the name has.
fn is_somebody(element: &Element) -> bool {
    let class = |name: &str| element.has_class(name, CaseSensitivity::CaseSensitive);
    matches!(element.name(), "a" | "span")
        && (["mention", "user-mention", "plugin-mentions-user", "UserMention", "PostMention", "atMention"]
            .into_iter()
            .any(class)
            || element.attr("data-mentionid").is_some()
            || element.attr("data-username").is_some_and(|name| name.starts_with('@')))
}

/// Whether a `pre` holds code, and not a mail or verses: it says so, what it stands in does, or all of it stands in `code`.
fn is_code(pre: NodeRef<'_, Node>, element: &Element) -> bool {
    let tells = |element: &Element| {
        element.name() == "code"
            || element.classes().any(|c| ["code", "highlight", "lang"].iter().any(|w| c.contains(w)))
    };
    let holds = |child: NodeRef<'_, Node>| child.value().as_element().is_some_and(|e| e.name() == "code");
    tells(element) || pre.parent().and_then(|p| p.value().as_element()).is_some_and(tells) || pre.children().any(holds)
}

/// All words in `node` as they stand, with its line breaks.
fn verbatim(node: NodeRef<'_, Node>) -> String {
    let piece = |node: NodeRef<'_, Node>| match node.value() {
        Node::Text(text) => text.to_string(),
        Node::Element(element) if element.name() == "br" => "\n".to_owned(),
        _ => String::new(),
    };
    node.descendants().map(piece).collect()
}

/// The text so far, and what must come before the next word.
#[derive(Default)]
struct Page {
    out: String,
    quoted: bool,
    /// Line breaks owed, at most 2.
    breaks: usize,
    space: bool,
    /// Mark of a list item that has no words yet.
    mark: String,
    /// Open lists: the number of the next item, or `None` for bullets.
    lists: Vec<Option<u64>>,
    preformatted: usize,
}

impl Page {
    /// Adds what is taken as one: code, and whoever is spoken to. False for any other element.
    fn whole(&mut self, node: NodeRef<'_, Node>, element: &Element) -> bool {
        let is = |node: NodeRef<'_, Node>, name: &str| node.value().as_element().is_some_and(|e| e.name() == name);
        match element.name() {
            _ if is_somebody(element) => self.word(SOMEBODY),
            _ if self.preformatted > 0 => return false,
            "pre" if is_code(node, element) => self.block(&verbatim(node)),
            // What holds a `pre` is code by that, and lines make a block of what some boards call only `code`.
            "code" if node.descendants().any(|inner| is(inner, "pre")) => return false,
            "code" if node.descendants().any(|inner| is(inner, "br")) => self.block(&verbatim(node)),
            "code" => {
                let words = verbatim(node);
                let words: Vec<&str> = words.split(is_space).filter(|word| !word.is_empty()).collect();
                self.word(&ticked(&words.join(" ")));
            }
            _ => return false,
        }
        true
    }

    /// Code as lines of their own.
    fn block(&mut self, code: &str) {
        if !code.trim().is_empty() {
            self.part(2);
            self.word(&fenced(code));
            self.part(2);
        }
    }

    fn open(&mut self, element: &Element) {
        match element.name() {
            "br" => {
                self.breaks = (self.breaks + 1).min(2);
                self.space = false;
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "hr" | "table" | "details" => self.part(2),
            "pre" => {
                self.part(2);
                self.preformatted += 1;
            }
            "div" | "tr" | "section" | "article" | "dt" | "dd" | "summary" | "figure" | "figcaption" => self.part(1),
            "ul" | "ol" => {
                self.part(if self.lists.is_empty() { 2 } else { 1 });
                let first = element.attr("start").and_then(|s| s.parse().ok()).unwrap_or(1);
                self.lists.push((element.name() == "ol").then_some(first));
            }
            "li" => {
                self.part(1);
                self.mark = "  ".repeat(self.lists.len().saturating_sub(1).min(MAX_INDENT));
                match self.lists.last_mut() {
                    Some(Some(number)) => {
                        self.mark.push_str(&format!("{number}. "));
                        *number = number.saturating_add(1);
                    }
                    _ => self.mark.push_str("- "),
                }
            }
            "td" | "th" if self.breaks == 0 && !self.out.is_empty() => self.word(" | "),
            "img" => {
                let avatar = element.has_class("avatar", CaseSensitivity::CaseSensitive);
                let name = element.attr("alt").or(element.attr("title")).filter(|_| !avatar);
                self.text(name.unwrap_or_default());
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "details" => self.part(2),
            "pre" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.part(2);
            }
            "div" | "tr" | "section" | "article" | "dt" | "dd" | "summary" | "figure" | "figcaption" => self.part(1),
            "ul" | "ol" => {
                self.lists.pop();
                self.part(if self.lists.is_empty() { 2 } else { 1 });
            }
            "li" => {
                self.mark.clear();
                self.part(1);
            }
            _ => {}
        }
    }

    /// Owes at least `breaks` line breaks before the next word; none between the mark of a list item and its words.
    fn part(&mut self, breaks: usize) {
        if self.mark.is_empty() && breaks > 0 {
            self.breaks = self.breaks.max(breaks);
            self.space = false;
        }
    }

    fn text(&mut self, text: &str) {
        if self.preformatted > 0 {
            // The break before `</pre>` belongs to the markup.
            self.word(text.trim_end_matches('\n'));
            self.breaks += usize::from(text.ends_with('\n'));
            return;
        }
        for (i, word) in text.split(is_space).enumerate() {
            self.space |= i > 0;
            if !word.is_empty() {
                self.word(&word.replace('\u{a0}', " "));
            }
        }
    }

    fn word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if !self.out.is_empty() {
            for _ in 0..self.breaks.min(2) {
                self.out.push('\n');
            }
            let inside_line = self.breaks == 0 && !self.out.ends_with('\n') && !self.out.ends_with(" | ");
            if self.space && inside_line && self.mark.is_empty() {
                self.out.push(' ');
            }
        }
        self.out.push_str(&std::mem::take(&mut self.mark));
        self.out.push_str(word);
        self.breaks = 0;
        self.space = false;
    }
}

/// `html` without its tags, for what is too large to be parsed.
fn strip_tags(html: &str) -> String {
    let mut out = String::new();
    for (i, piece) in html.split('<').enumerate() {
        let words = if i == 0 { piece } else { piece.split_once('>').map_or("", |(_, words)| words) };
        if !words.trim().is_empty() {
            out.push_str(words);
            out.push(' ');
        }
    }
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_becomes_lines() {
        let cases = [
            ("<p>One.</p>\n<p>Two<br>\nthree  four</p>", "One.\n\nTwo\nthree four"),
            ("<p>a</p><ul><li>x</li><li><p>y</p></li></ul><p>b</p>", "a\n\n- x\n- y\n\nb"),
            ("<ol start=\"3\"><li>x<ul><li>in</li></ul></li><li>y</li></ol>", "3. x\n  - in\n4. y"),
            ("<p>do</p><pre>if x:\n    y\n\nz\n</pre><p>ok</p>", "do\n\nif x:\n    y\n\nz\n\nok"),
            ("<p>nice <img class=\"emoji\" title=\":ok:\" alt=\":ok:\"> one</p>", "nice :ok: one"),
            ("<p>see <a href=\"http://x\">the <b>page</b></a>, now &amp; then</p>", "see the page, now & then"),
            ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a | b\n1 | 2"),
            ("<script>alert(1)</script><p>left</p>", "left"),
            ("a&nbsp; b", "a  b"),
            ("", ""),
        ];
        for (html, want) in cases {
            assert_eq!(html_to_text(html), Plain { text: want.to_owned(), quoted: false }, "{html}");
        }
    }

    #[test]
    fn code_stands_between_marks() {
        let block = "do\n\n```\nif x:\n    y\n\nz\n```\n\nok";
        for code in [
            "<pre><code>if x:\n    y\n\nz\n</code></pre>",
            "<pre class=\"lang-py\"><span>if</span> x:\n    y\n\nz</pre>",
            "<div class=\"highlight highlight-source-python\"><pre>if x:\n    y\n\nz</pre></div>",
            "<code class=\"bbc_code\">if x:<br>    y<br><br>z</code>",
            "<code><pre>if x:\n    y\n\nz</pre></code>",
        ] {
            assert_eq!(html_to_text(&format!("<p>do</p>{code}<p>ok</p>")).text, block, "{code}");
        }
        for (html, want) in [
            ("<p>run <code>npm  i</code>, <code></code>then</p>", "run `npm i`, then"),
            ("<ul><li><pre><code>x</code></pre></li><li>y</li></ul>", "- ```\nx\n```\n\n- y"),
            ("<pre><code>a\n```\nb</code></pre>", "```\na\n~~~\nb\n```"),
            ("<pre>Dear all,\n\nit drips.</pre>", "Dear all,\n\nit drips."),
            ("<pre>see <a class=mention>@Ann</a></pre>", "see @user"),
        ] {
            assert_eq!(html_to_text(html).text, want, "{html}");
        }
    }

    #[test]
    fn whoever_is_spoken_to_is_somebody() {
        for link in [
            "<a class=\"mention\" href=\"/u/ann\">@ann</a>",
            "<span class=\"mention\">@ann</span>",
            "<a class=\"user-mention notranslate\">@ann</a>",
            "<a class=\"UserMention\">@Ann Lee</a>",
            "<a class=\"username\" data-user-id=\"7\" data-username=\"@Ann Lee\">@Ann Lee</a>",
            "<a data-mentionid=\"7\">@Ann Lee</a>",
        ] {
            assert_eq!(html_to_text(&format!("<p>so {link}, it drips</p>")).text, "so @user, it drips", "{link}");
        }
        assert_eq!(html_to_text("<a class=\"mention-group\">@staff</a>").text, "@staff");
    }

    #[test]
    fn words_of_others_are_cut() {
        let cases = [
            "<aside class=\"quote\" data-username=\"x\"><div class=\"title\">x:</div><blockquote><p>his</p></blockquote></aside>\n<p>mine</p>",
            "<blockquote><p>his</p></blockquote><p>mine</p>",
            "<aside class=\"onebox\"><article><h3>Title</h3></article></aside>mine",
        ];
        for html in cases {
            assert_eq!(html_to_text(html), Plain { text: "mine".to_owned(), quoted: true }, "{html}");
        }
        assert_eq!(html_to_text("<p>one</p><blockquote>his</blockquote><p>two</p>").text, "one\n\ntwo");
    }

    #[test]
    fn attributes_are_counted_as_a_parser_does() {
        for (html, want) in [
            ("<p a b=c d='>e f' g = \"h i\"/ j>k l m n o p q", 5),
            ("<img/src=x/alt=y>", 1),
            ("<!-- <a b c> --><i d>", 1),
            ("<script>if (a<b) '<a b c>'</script><i d e>", 2),
            ("1 < 2 and < 3 </ 4", 0),
        ] {
            assert_eq!(most_attributes(html), want, "{html}");
        }
    }

    #[test]
    fn deep_and_large_markup_is_bounded() {
        let deep = format!("{}words{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
        assert_eq!(html_to_text(&deep).text, "words");
        let sly = format!("{}words", "<div></b><i></i>".repeat(50_000));
        assert_eq!(html_to_text(&sly).text, "words");
        let open: String = (0..300).map(|n| format!("<b id={n}>")).collect();
        let swelling = format!("<p>{open}{}", "<p>words".repeat(100_000));
        assert_eq!(fragment(&swelling).err(), Some(Hostile::Swelling));
        assert!(html_to_text(&swelling).text.starts_with("words words"));
        let hidden = format!("<a b=c=\">{}\">", "<div>".repeat(100_000));
        assert_eq!(fragment(&hidden).err(), Some(Hostile::Deep(MAX_DEPTH)));
        let attributes: String = (0..100_000).map(|n| format!(" a{n}")).collect();
        assert_eq!(fragment(&format!("<p{attributes}>words")).err(), Some(Hostile::Attributes(100_000)));
        assert_eq!(fragment(&"<a b ".repeat(100_000)).err(), Some(Hostile::Attributes(199_999)));
        let long = "<p>words</p>".repeat(100_000);
        assert!(html_to_text(&long).text.starts_with("words words"));
    }

    proptest! {
        #[test]
        fn never_panics_and_is_trimmed(html in "(<(/?)(p|b|li|ul|pre|code|aside|td|br|img alt=x)>|[a-z é<>&;\n]{0,6}){0,40}") {
            let plain = html_to_text(&html);
            prop_assert_eq!(plain.text.trim(), &plain.text);
        }
    }
}
