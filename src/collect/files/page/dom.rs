//! A page as a tree, parsed in bounded time, and the little that is asked of trees everywhere.

use std::collections::HashMap;

use ego_tree::NodeId;
use scraper::{ElementRef, Html, Selector};

use crate::text::html::Nesting;

/// A parser searches the stack of open elements at many a tag, and the attributes of a tag at each of them.
const MAX_DEPTH: usize = 1500;
const MAX_ATTRIBUTES: usize = 2000;

/// Names and addresses are no longer than this.
const MAX_FIELD: usize = 2000;

/// Parses a page, or says why that would not end.
pub(super) fn parse(html: &str) -> Result<Html, String> {
    let (depth, attributes) = shape(html);
    if depth > MAX_DEPTH {
        return Err(format!("a page of HTML that nests about {depth} deep, more than any forum's"));
    }
    if attributes > MAX_ATTRIBUTES {
        return Err(format!("a page of HTML with {attributes} attributes in one tag: it is damaged"));
    }
    Ok(Html::parse_document(html))
}

/// How deep a page nests and how many attributes a tag of it has, both at most and guessed from above.
fn shape(html: &str) -> (usize, usize) {
    let (mut nesting, mut most) = (Nesting::default(), 0);
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end..]);
            continue;
        }
        let (closing, tag) = rest.strip_prefix('/').map_or((false, rest), |tag| (true, tag));
        let name = &tag[..tag.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(tag.len())];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let (length, attributes) = tag_end(&tag.as_bytes()[name.len()..]);
        most = most.max(attributes);
        let inside = &tag[name.len()..name.len() + length];
        rest = &tag[name.len() + length..];
        if !closing && matches!(name, "script" | "style" | "textarea" | "title" | "noscript" | "iframe") {
            let end = format!("</{name}");
            rest = rest.find(&end).map_or("", |end| &rest[end..]);
            continue;
        }
        // Shapes in SVG close themselves; elements that have no end never nest.
        if !inside.ends_with('/') && !never_nests(name) {
            nesting.tag(name, closing);
        }
    }
    (nesting.deepest, most)
}

fn never_nests(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "a", "area", "base", "body", "br", "button", "col", "dd", "dt", "embed", "head", "hr", "html", "img", "input",
        "li", "link", "meta", "option", "p", "param", "source", "tbody", "td", "th", "tr", "track", "wbr",
    ];
    NAMES.binary_search(&name.to_ascii_lowercase().as_str()).is_ok()
}

/// Bytes up to the `>` that ends a tag, and how many attributes stand before it.
fn tag_end(bytes: &[u8]) -> (usize, usize) {
    let (mut quote, mut attributes, mut last) = (None, 0, b' ');
    for (at, &byte) in bytes.iter().enumerate() {
        match quote {
            Some(mark) if byte == mark => quote = None,
            Some(_) => continue,
            None if byte == b'>' => return (at, attributes),
            None if matches!(byte, b'"' | b'\'') && last == b'=' => quote = Some(byte),
            None if !byte.is_ascii_whitespace() && (last.is_ascii_whitespace() || last == b'/') => attributes += 1,
            None => {}
        }
        last = byte;
    }
    // A tag that does not end is no tag.
    (0, attributes)
}

/// A selector out of a table; what cannot be parsed selects nothing (a test sees to it that all can).
pub(super) fn selector(css: &str) -> Option<Selector> {
    if css.is_empty() { None } else { Selector::parse(css).ok() }
}

/// The words in an element on one line.
pub(super) fn words(element: ElementRef<'_>) -> String {
    let mut out = String::new();
    for piece in element.text() {
        for word in piece.split(|c: char| c.is_whitespace() || c == '\u{a0}').filter(|w| !w.is_empty()) {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
        if out.len() > MAX_FIELD {
            break;
        }
    }
    short(&out).to_owned()
}

/// `text` up to the length of a field.
pub(super) fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_FIELD)]
}

/// An attribute of an element, or with an empty name its words; nothing when blank.
pub(super) fn field(element: ElementRef<'_>, attribute: &str) -> Option<String> {
    let value = if attribute.is_empty() { words(element) } else { short(element.attr(attribute)?.trim()).to_owned() };
    (!value.is_empty()).then_some(value)
}

/// The value of the first element of the page that has one.
pub(super) fn first(page: &Html, css: &str, attribute: &str) -> Option<String> {
    page.select(&selector(css)?).find_map(|e| field(e, attribute))
}

/// The nearest element among `blocks` that `node` is or stands in.
pub(super) fn owner(page: &Html, node: NodeId, blocks: &HashMap<NodeId, usize>) -> Option<usize> {
    let node = page.tree.get(node)?;
    blocks.get(&node.id()).or_else(|| node.ancestors().find_map(|a| blocks.get(&a.id()))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_a_page_is_guessed_without_parsing() {
        assert_eq!(shape("<div><p>a<p>b<br><img src=x><span>c</span></div><!-- <div><div> -->"), (2, 1));
        assert_eq!(shape("<script>if (a<b) '<div><div>'</script><svg><path d='1'/><path/></svg>").0, 1);
        assert_eq!(shape("1 < 2 and <"), (0, 0));
        assert!(parse(&"<div>".repeat(5000)).is_err());
        assert!(parse(&format!("<p {}>", "a ".repeat(5000))).is_err());
        assert!(parse(&"<p>a<li><td><a href=x>".repeat(5000)).is_ok());
    }
}
