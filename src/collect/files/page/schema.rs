//! What pages say about themselves in the terms of schema.org: `DiscussionForumPosting`, `QAPage`, `Comment`, as JSON-LD
//! (FORMATS d6) and as microdata.

use std::collections::{HashMap, HashSet};

use ego_tree::NodeId;
use scraper::{ElementRef, Html};
use serde_json::{Map, Value};

use super::dom::{field, owner, selector, words};
use super::engine::tidy_name;
use super::{FIRST, Raw};
use crate::text::html::{Cut, Plain, html_to_text, tree_to_text};

/// Types of what people post.
const POSTS: &[&str] =
    &["DiscussionForumPosting", "SocialMediaPosting", "Question", "Answer", "Comment", "UserComments"];

/// Types that begin a conversation.
const OPENINGS: &[&str] = &["DiscussionForumPosting", "SocialMediaPosting", "Question"];

/// Types of pages that hold no conversation, though people may comment on them.
const OTHERS: &[&str] = &[
    "NewsArticle",
    "Article",
    "BlogPosting",
    "Product",
    "Recipe",
    "JobPosting",
    "Event",
    "Course",
    "SoftwareApplication",
    "CollectionPage",
    "ItemList",
    "TechArticle",
];

/// A conversation as a page describes it.
#[derive(Debug, Default)]
pub(super) struct Described {
    pub title: Option<String>,
    pub posts: Vec<Raw>,
    /// The page says that it is something else: an article, a product, a list.
    pub other: Option<String>,
}

/// What the page's JSON-LD describes.
pub(super) fn json_ld(page: &Html) -> Described {
    let mut found = Described::default();
    for script in select_all(page, "script[type='application/ld+json']") {
        let text: String = script.text().collect();
        // Some pages break lines within strings.
        let value =
            serde_json::from_str(&text).or_else(|_| serde_json::from_str(&text.replace(['\n', '\r', '\t'], " ")));
        if let Ok(value) = value {
            top(&value, &mut found);
        }
    }
    if !found.posts.is_empty() {
        found.other = None;
    }
    found
}

fn select_all<'a>(page: &'a Html, css: &str) -> Vec<ElementRef<'a>> {
    selector(css).map_or_else(Vec::new, |css| page.select(&css).collect())
}

/// JSON nests no deeper than serde_json reads it, so these calls end.
fn top(value: &Value, found: &mut Described) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| top(item, found)),
        Value::Object(object) => {
            let kind = |kinds: &[&str]| types(object).any(|t| kinds.contains(&t));
            if kind(OPENINGS) {
                found.title = found.title.take().or_else(|| text(object, &["headline", "name"]));
                post(object, None, found);
                return;
            }
            if kind(OTHERS) {
                found.other = types(object).next().map(str::to_owned);
            }
            for key in ["@graph", "mainEntity", "mainEntityOfPage", "hasPart"] {
                if let Some(part) = object.get(key) {
                    top(part, found);
                }
            }
        }
        _ => {}
    }
}

fn post(object: &Map<String, Value>, parent: Option<&str>, found: &mut Described) {
    let words = text(object, &["text", "articleBody", "description"]).unwrap_or_default();
    let words = if words.contains("</") || words.contains("<br") || words.contains('&') {
        html_to_text(&words)
    } else {
        plain(&words)
    };
    let author = object.get("author").or_else(|| object.get("creator"));
    let url = text(object, &["url", "@id"]);
    let below = parent.is_some_and(|parent| parent != FIRST);
    let id = url.clone().filter(|u| u.contains('#') || below).and_then(|u| super::engine::last_number(&u));
    let own = id.clone().or_else(|| found.posts.is_empty().then(|| FIRST.to_owned()));
    found.posts.push(Raw {
        id,
        author: author.and_then(|a| string(a, "name")).map(|a| tidy_name(&a).to_owned()),
        dates: text(object, &["datePublished", "dateCreated"]).into_iter().collect(),
        edited: text(object, &["dateModified"]),
        url,
        parent: parent.map(str::to_owned),
        gone: false,
        text: words,
    });
    for key in ["comment", "acceptedAnswer", "suggestedAnswer"] {
        let replies = match object.get(key) {
            Some(Value::Array(replies)) => replies.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        for reply in replies.iter().filter_map(Value::as_object) {
            post(reply, own.as_deref(), found);
        }
    }
}

fn plain(words: &str) -> Plain {
    let lines: Vec<&str> = words.lines().map(str::trim_end).collect();
    Plain { text: lines.join("\n").trim().to_owned(), quoted: false }
}

fn types(object: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let given = match object.get("@type") {
        Some(Value::Array(types)) => types.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    given.iter().filter_map(Value::as_str).map(|t| t.rsplit(['/', ':']).next().unwrap_or(t))
}

fn text(object: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| string(object.get(*key)?, "@id")).filter(|t| !t.trim().is_empty())
}

/// A text, or what an object has under `key`; the first of an array.
fn string(value: &Value, key: &str) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(object) => Some(object.get(key)?.as_str()?.to_owned()),
        Value::Array(items) => match items.first()? {
            Value::Array(_) => None,
            item => string(item, key),
        },
        _ => None,
    }
}

/// What the page's microdata describe.
pub(super) fn microdata(page: &Html) -> Described {
    let scopes = select_all(page, "[itemscope]");
    let index: HashMap<NodeId, usize> = scopes.iter().enumerate().map(|(i, s)| (s.id(), i)).collect();
    let kind = |at: usize| scopes[at].attr("itemtype").and_then(|t| t.trim().rsplit('/').next()).unwrap_or_default();
    let above = |at: usize| scopes[at].parent().and_then(|p| owner(page, p.id(), &index));
    let mut fields: Vec<HashMap<&str, ElementRef<'_>>> = vec![HashMap::new(); scopes.len()];
    for element in select_all(page, "[itemprop]") {
        // An element that opens a scope is a property of the scope it stands in.
        let holder = match index.get(&element.id()) {
            Some(at) => above(*at),
            None => owner(page, element.id(), &index),
        };
        let Some(holder) = holder else { continue };
        for name in element.attr("itemprop").unwrap_or_default().split_whitespace() {
            fields[holder].entry(name).or_insert(element);
        }
    }
    let mut found = Described::default();
    let mut first = None;
    // Some boards mark up only the opening, or leave the opening out of the items.
    let is_post = |at: usize| POSTS.contains(&kind(at));
    let posts: HashSet<NodeId> = (0..scopes.len()).filter(|at| is_post(*at)).map(|at| scopes[at].id()).collect();
    for at in (0..scopes.len()).filter(|at| is_post(*at)) {
        let get = |names: &[&str]| names.iter().find_map(|name| fields[at].get(name).copied());
        let Some(body) = get(&["text", "articleBody", "commentText"])
            .or_else(|| get(&["description"]).filter(|e| e.value().name() != "meta"))
        else {
            continue;
        };
        if OPENINGS.contains(&kind(at)) {
            found.title = found.title.take().or_else(|| value(get(&["headline", "name"])?));
        }
        let author = get(&["author", "creator"]).and_then(|e| match index.get(&e.id()) {
            Some(scope) => fields[*scope].get("name").and_then(|name| value(*name)),
            None => value(e),
        });
        let mut parent = above(at);
        while let Some(scope) = parent.filter(|scope| !is_post(*scope)) {
            parent = above(scope);
        }
        first = first.or(found.posts.is_empty().then_some(at));
        let id = |at: usize| scopes[at].attr("id").or_else(|| scopes[at].attr("data-id")).map(str::to_owned);
        found.posts.push(Raw {
            id: id(at).or_else(|| value(get(&["position"])?)),
            author: author.map(|a| tidy_name(&a).to_owned()),
            dates: ["datePublished", "dateCreated", "commentTime"]
                .iter()
                .filter_map(|name| value(*fields[at].get(name)?))
                .collect(),
            edited: get(&["dateModified"]).and_then(value),
            url: get(&["url"]).and_then(value),
            parent: parent
                .filter(|p| fields[*p].contains_key("text"))
                .and_then(|p| id(p).or_else(|| (first == Some(p)).then(|| FIRST.to_owned()))),
            gone: false,
            text: if body.value().name() == "meta" {
                plain(body.attr("content").unwrap_or_default())
            } else {
                tree_to_text(
                    *body,
                    |id| {
                        if id != body.id() && posts.contains(&id) { Cut::Furniture } else { Cut::Keep }
                    },
                )
            },
        });
    }
    found
}

/// The value of a property: `content`, `datetime` or an address, else the words.
fn value(element: ElementRef<'_>) -> Option<String> {
    let attribute = ["content", "datetime", "href", "src"].into_iter().find_map(|name| field(element, name));
    attribute.or_else(|| Some(words(element)).filter(|w| !w.is_empty()))
}
