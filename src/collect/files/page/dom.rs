//! A page as a tree, parsed in bounded time, and the little that is asked of trees everywhere.

use std::collections::HashMap;

use ego_tree::NodeId;
use scraper::{ElementRef, Html, Selector};

use crate::text::html;

/// Deepest nesting of a page.
const MAX_DEPTH: usize = 1500;

/// Names and addresses are no longer than this.
const MAX_FIELD: usize = 2000;

/// Parses a page, or says why that would not end.
pub(super) fn parse(html: &str) -> Result<Html, String> {
    html::document(html, MAX_DEPTH).map_err(|why| format!("a page of HTML that {why}, more than any forum's"))
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
    fn pages_are_parsed_in_bounded_time() {
        assert!(parse(&"<div>".repeat(5000)).is_err());
        assert!(parse(&format!("<p {}>", "a ".repeat(5000))).is_err());
        assert!(parse(&"<p>a<li><td><a href=x>".repeat(5000)).is_ok());
    }
}
