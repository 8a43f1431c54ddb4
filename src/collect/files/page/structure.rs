//! Posts of an engine that nobody described: blocks of one kind that each hold a date, a name and some words.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use ego_tree::NodeId;
use ego_tree::iter::Edge;
use regex::Regex;
use scraper::node::Node;
use scraper::{ElementRef, Html};

use super::Raw;
use super::dates::{is_age, is_date};
use super::dom::{field, words};
use super::engine::tidy_name;

use crate::text::html::{Cut, Plain, tree_to_text};

/// Longer texts are no name and no date.
const MAX_LABEL: usize = 90;

/// A post's container may be one of two posts; a single block is no sign of a thread.
const FEWEST: usize = 2;

/// Elements between somebody's picture and the name beside it.
const BESIDE: usize = 8;

/// Letters that are no excerpt of what begins with them: two paragraphs may begin alike.
const EXCERPT: usize = 60;

/// Letters at the end of an excerpt that may be half a word or a link to the rest.
const CUT: usize = 20;

/// Letters that an opening has at least: titles and lines of data are shorter.
const FEWEST_LETTERS: usize = 20;

static AUTHOR_CLASS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[\s_-])(?:author|authors?-?name|user-?names?|user|nick(?:name)?|poster|member|commenter|creator|by-?line|display-?name|h-card)(?:$|[\s_-])|(?:Author|User[Nn]ame|userName|username|authorName|Username)").ok()
});
static AUTHOR_LINK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|/)(?:u|users?|members?|profiles?|profil|authors?|people|@\w+|~\w+|person)(?:[/?.=-]|$)|member\.php|profile\.php|[?&]u(?:ser)?(?:id)?=|action=profile|showuser|/~").ok()
});
static AVATAR: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(?i)avatar|user-?pic|profile-?pic").ok());
static DATE_CLASS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)date|time|posted|stamp|(?:^|[\s_-])age(?:$|[\s_-])|published|created|ago").ok());
static BODY_CLASS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)body|content|message|(?:^|[\s_-])text|text(?:$|[\s_-])|prose|markdown|(?:^|[\s_-])md(?:$|[\s_-])|entry|description|copy|rich").ok()
});
static POST_BODY_CLASS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:post|comment|message|msg|reply|answer|question|topic|item)[-_]{0,2}(?:body|text|content|message)(?:$|[\s_-])").ok()
});
static FURNITURE_CLASS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:^|[\s_-])(?:sig|signatures?|actions?|buttons?|btn|toolbar|controls?|menu|avatar|badges?|rank|user-?info|user-?details|meta|permalink|votes?|voting|score|likes?|reactions?|share|attachments?|breadcrumbs?|pagination|report|reply-?link|inappropriate|tool-?links?|hidden|sr-only|visually-hidden|stats|flair)(?:$|[\s_-])|signature|Signature").ok()
});

fn says(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    !text.is_empty() && pattern.as_ref().is_some_and(|p| p.is_match(text))
}

/// An element, in the order of the page.
struct Item<'a> {
    element: ElementRef<'a>,
    parent: usize,
    /// One past the last element in it.
    end: usize,
    /// Letters right in it, and those of them that are no link's.
    letters: usize,
    plain: usize,
    date: Option<String>,
    author: Option<String>,
}

/// The posts of a page, in its order; empty when the page has no such blocks.
pub(super) fn posts(page: &Html) -> Vec<Raw> {
    let mut items = items(page);
    label(&mut items);
    let Some(mut blocks) = blocks(&items) else { return Vec::new() };
    let opening = opening(&items, &blocks);
    if let Some((opening, _)) = opening {
        blocks.insert(0, opening);
    }
    let set: HashSet<usize> = blocks.iter().copied().collect();
    let nodes: HashMap<NodeId, usize> = blocks.iter().map(|b| (items[*b].element.id(), *b)).collect();
    let sums = Sums::of(&items);
    let mut found: BTreeMap<usize, Raw> = BTreeMap::new();
    let mut id_of: HashMap<usize, Option<String>> = HashMap::new();
    for &block in &blocks {
        let above = std::iter::successors(Some(items[block].parent), |at| (*at > 0).then(|| items[*at].parent));
        let above = above.take_while(|at| *at > 0).find(|at| set.contains(at));
        let id = own_id(&items, block, &set);
        let parent = above.and_then(|above| id_of.get(&above).cloned().flatten());
        id_of.insert(block, id.clone());
        let mut raw = read(&items, &sums, block, &set, &nodes);
        if let Some((_, Some(body))) = opening.filter(|(opening, _)| *opening == block) {
            raw.text = tree_to_text(*items[body].element, |_| Cut::Keep);
        }
        raw.id = id;
        raw.parent = parent;
        found.insert(block, raw);
    }
    let told = |raw: &Raw| raw.author.is_some() || !raw.dates.is_empty();
    found.into_values().filter(|raw| told(raw) && (!raw.text.text.is_empty() || raw.text.quoted)).collect()
}

/// All elements that people see, in the order of the page. The first stands for the root.
fn items(page: &Html) -> Vec<Item<'_>> {
    let root = page.root_element();
    let item = |element, parent| Item { element, parent, end: 0, letters: 0, plain: 0, date: None, author: None };
    let mut items = vec![item(root, 0)];
    let mut open = vec![0_usize];
    let (mut skipping, mut links) = (None, 0_usize);
    for edge in root.traverse().skip(1) {
        match edge {
            Edge::Open(_) if skipping.is_some() => {}
            Edge::Open(node) => match node.value() {
                Node::Text(text) => {
                    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
                    let at = open.last().copied().unwrap_or(0);
                    items[at].letters += letters;
                    items[at].plain += if links > 0 { 0 } else { letters };
                }
                Node::Element(element) => {
                    if is_unseen(element.name()) {
                        skipping = Some(node.id());
                    } else if let Some(element) = ElementRef::wrap(node) {
                        links += usize::from(element.value().name() == "a");
                        let parent = open.last().copied().unwrap_or(0);
                        open.push(items.len());
                        items.push(item(element, parent));
                    }
                }
                _ => {}
            },
            Edge::Close(node) if skipping.is_some() => {
                if skipping == Some(node.id()) {
                    skipping = None;
                }
            }
            Edge::Close(node) => {
                if let Node::Element(element) = node.value()
                    && let Some(at) = (open.len() > 1).then(|| open.pop()).flatten()
                {
                    links -= usize::from(element.name() == "a");
                    items[at].end = items.len();
                }
            }
        }
    }
    let length = items.len();
    items[0].end = length;
    items
}

fn is_unseen(name: &str) -> bool {
    matches!(
        name,
        "head"
            | "script"
            | "style"
            | "template"
            | "noscript"
            | "svg"
            | "nav"
            | "footer"
            | "select"
            | "iframe"
            | "textarea"
            | "button"
            | "dialog"
    )
}

/// Sums over the elements before each, so that those of a subtree are one subtraction.
struct Sums {
    letters: Vec<usize>,
    plain: Vec<usize>,
    dates: Vec<usize>,
    authors: Vec<usize>,
}

impl Sums {
    fn of(items: &[Item<'_>]) -> Self {
        let sum = |value: &dyn Fn(&Item<'_>) -> usize| {
            let mut sums = Vec::with_capacity(items.len() + 1);
            let mut sum = 0;
            sums.push(0);
            for item in items {
                sum += value(item);
                sums.push(sum);
            }
            sums
        };
        Self {
            letters: sum(&|i| i.letters),
            plain: sum(&|i| i.plain),
            dates: sum(&|i| usize::from(i.date.is_some())),
            authors: sum(&|i| usize::from(i.author.is_some())),
        }
    }
}

fn within(sums: &[usize], items: &[Item<'_>], at: usize) -> usize {
    sums[items[at].end.max(at + 1)] - sums[at]
}

/// Finds the elements that hold a date or a name.
fn label(items: &mut [Item<'_>]) {
    let sums = Sums::of(items);
    // Where a picture of somebody stands, and of whom: classes may say nothing, but who is shown is named beside it.
    let mut shown: Option<(usize, String)> = None;
    for at in 1..items.len() {
        let element = items[at].element;
        let class = element.attr("class").unwrap_or_default();
        let name = element.value().name();
        shown = avatar(items, at).map(|name| (at, name)).or(shown);
        if within(&sums.letters, items, at) > MAX_LABEL {
            continue;
        }
        let marked = name == "time" || says(&DATE_CLASS, class) || element.attr("datetime").is_some();
        let date =
            ["datetime", "data-time", "data-timestamp", "title", "content", ""].into_iter().find_map(|attribute| {
                let telling = marked
                    || (attribute.is_empty() && items[at].letters > 0)
                    || (attribute == "title" && name != "img");
                field(element, attribute).filter(|value| {
                    let dates = is_date(value) || marked && is_age(value) || attribute.starts_with("data-t");
                    telling && value.len() < MAX_LABEL && dates
                })
            });
        if date.is_some() {
            items[at].date = date;
            continue;
        }
        let link = element.attr("href").filter(|_| name == "a").unwrap_or_default();
        let is_author = says(&AUTHOR_CLASS, class)
            || says(&AUTHOR_LINK, link)
            || matches!(element.attr("itemprop"), Some("author" | "creator"))
            || element.attr("rel") == Some("author");
        let beside = shown.as_ref().filter(|(picture, _)| items[at].letters > 0 && at - picture < BESIDE);
        if is_author || beside.is_some_and(|(_, name)| words(element).to_lowercase() == *name) {
            let text = words(element);
            let text = text.strip_prefix("by ").unwrap_or(&text);
            let text = tidy_name(text);
            let fits = !text.is_empty()
                && text.len() <= 60
                && text.split(' ').count() <= 5
                && text.chars().any(char::is_alphanumeric);
            items[at].author = fits.then(|| text.to_owned());
        }
    }
}

/// Whom an element shows, when it is somebody's picture.
fn avatar(items: &[Item<'_>], at: usize) -> Option<String> {
    let element = items[at].element;
    let name = element.attr("alt").filter(|alt| element.value().name() == "img" && !alt.trim().is_empty())?;
    let told = [element, items[items[at].parent].element];
    let told = told.iter().flat_map(|e| ["class", "src", "data-src"].map(|attribute| e.attr(attribute)));
    told.flatten().any(|text| says(&AVATAR, text)).then(|| name.trim().to_lowercase())
}

/// What elements of one kind have in common.
fn kind(items: &[Item<'_>], at: usize) -> String {
    let element = items[at].element;
    let bare = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let name = element.value().name();
    let class = element.attr("class").and_then(|c| c.split_whitespace().next()).map(bare);
    match class.or_else(|| element.attr("id").map(bare)) {
        Some(token) => format!("{name}.{token}"),
        None => {
            let parent = items[items[at].parent].element;
            let token = parent.attr("class").and_then(|c| c.split_whitespace().next()).unwrap_or_default();
            format!("{}.{} > {name}", parent.value().name(), bare(token))
        }
    }
}

/// The blocks that hold a post each: of all kinds, the one whose blocks hold most of the words, and are most.
fn blocks(items: &[Item<'_>]) -> Option<Vec<usize>> {
    let sums = Sums::of(items);
    let mut kinds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for at in 1..items.len() {
        let named = within(&sums.authors, items, at) > 0 || is_named_post(items, at);
        let holds = within(&sums.dates, items, at) > 0 && named;
        let words = within(&sums.plain, items, at);
        let element = items[at].element.value().name();
        if holds && words > 0 && !matches!(element, "html" | "body" | "main" | "a" | "span" | "p" | "time" | "header") {
            kinds.entry(kind(items, at)).or_default().push(at);
        }
    }
    let total = within(&sums.plain, items, 0).max(1);
    let mut best: Option<(f64, usize, Vec<usize>)> = None;
    for blocks in kinds.into_values() {
        let alone = blocks.len() < FEWEST && !blocks.iter().all(|at| is_named_post(items, *at));
        if alone || is_list(items, &blocks) {
            continue;
        }
        let own = own_words(items, &sums, &blocks);
        let covered: usize = own.iter().sum();
        let squares: usize = own.iter().map(|words| words * words).sum();
        let named = blocks.iter().filter(|at| within(&sums.authors, items, **at) > 0).count();
        #[expect(clippy::cast_precision_loss, reason = "counts of letters on a page")]
        let score = {
            // As many blocks as would hold as much each: a page's frame beside small boxes of its class counts as one.
            let even = (covered * covered) as f64 / squares.max(1) as f64;
            covered as f64 / total as f64 * even.sqrt() * (0.6 + 0.4 * named as f64 / blocks.len() as f64)
        };
        let size = covered + blocks.iter().map(|at| items[*at].end - at).sum::<usize>();
        let better =
            best.as_ref().is_none_or(|(top, least, _)| score > top * 1.05 || (score > top * 0.95 && size < *least));
        if better {
            best = Some((score, size, blocks));
        }
    }
    let (_, _, blocks) = best.filter(|(score, ..)| *score > 0.1)?;
    Some(with_siblings(items, &sums, blocks))
}

/// The words of each block that stand in no other of them. `blocks` are in the order of the page.
fn own_words(items: &[Item<'_>], sums: &Sums, blocks: &[usize]) -> Vec<usize> {
    let mut own: Vec<usize> = Vec::with_capacity(blocks.len());
    let mut open: Vec<usize> = Vec::new();
    for &at in blocks {
        let words = within(&sums.plain, items, at);
        while open.last().is_some_and(|above| items[blocks[*above]].end <= at) {
            open.pop();
        }
        if let Some(above) = open.last() {
            own[*above] = own[*above].saturating_sub(words);
        }
        open.push(own.len());
        own.push(words);
    }
    own
}

/// `blocks` with those of their kind that stand beside them and lack a date or a name: a guest's post is a post.
fn with_siblings(items: &[Item<'_>], sums: &Sums, blocks: Vec<usize>) -> Vec<usize> {
    let parents: HashSet<usize> = blocks.iter().map(|at| items[*at].parent).collect();
    let Some(wanted) = blocks.first().map(|at| kind(items, *at)) else { return blocks };
    let told = |at: usize| within(&sums.dates, items, at) + within(&sums.authors, items, at) > 0;
    let beside =
        (1..items.len()).filter(|at| parents.contains(&items[*at].parent) && told(*at) && kind(items, *at) == wanted);
    let mut all: Vec<usize> = blocks.iter().copied().chain(beside).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Attributes in which boards keep the number of a post.
const NUMBERED: &[&str] = &[
    "data-post-id",
    "data-postid",
    "data-comment-id",
    "data-message-id",
    "data-reply-id",
    "data-answer-id",
    "data-id",
];

/// Whether an element is called a post by its class, and has a number.
fn is_named_post(items: &[Item<'_>], at: usize) -> bool {
    static POST: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)^(?:[a-z]+[-_])?(?:posts?|comments?|messages?|reply|replies|answers?|questions?|msg)(?:[-_]?(?:item|box|block|wrapper|container))?[-_]?\d*$").ok()
    });
    let element = items[at].element;
    let class = element.attr("class").unwrap_or_default();
    let id = element.attr("id").unwrap_or_default();
    let numbered = NUMBERED.iter().filter(|name| **name != "data-id").any(|name| element.attr(name).is_some());
    let ends = id.ends_with(|c: char| c.is_ascii_digit()) || element.attr("data-id").is_some();
    numbered || ends && (class.split_whitespace().chain([id]).any(|token| says(&POST, token)))
}

/// Whether blocks are teasers: each with a heading that leads elsewhere.
fn is_list(items: &[Item<'_>], blocks: &[usize]) -> bool {
    let mut targets = HashSet::new();
    for &at in blocks {
        let mut inside = items[at + 1..items[at].end].iter();
        let link = inside.find_map(|item| {
            let in_heading = |at: usize| matches!(items[at].element.value().name(), "h1" | "h2" | "h3" | "h4");
            let href = item.element.attr("href").filter(|_| item.element.value().name() == "a")?;
            let heading = in_heading(item.parent) || in_heading(items[item.parent].parent);
            let own = href.starts_with('#')
                || href.contains("/user")
                || href.contains("/member")
                || href.contains("/profile")
                || href.contains("/u/");
            (heading && !own && item.author.is_none()).then(|| href.split('#').next().unwrap_or(href))
        });
        targets.extend(link);
    }
    targets.len() * 2 > blocks.len()
}

/// The opening of a thread whose replies look different: before the first of them, what holds a name, a date and most words;
/// or a head that holds the first two, and after it an element with the words.
fn opening(items: &[Item<'_>], blocks: &[usize]) -> Option<(usize, Option<usize>)> {
    let sums = Sums::of(items);
    let first = *blocks.first()?;
    let words = |at: usize| within(&sums.plain, items, at);
    let holds = |at: &usize| {
        let (dates, authors) = (within(&sums.dates, items, *at), within(&sums.authors, items, *at));
        let called = authors > 0 || (*at + 1..items[*at].end.min(*at + 60)).any(|at| is_post_body(items, at));
        items[*at].end <= first && dates > 0 && called && dates <= 4
    };
    let head = (1..first).filter(holds).max_by_key(|at| (words(*at), *at))?;
    let apart = |at: &usize| {
        let names = within(&sums.authors, items, *at);
        items[*at].end <= first && names == 0 && items[*at].element.value().name() != "p" && !is_heading(items, *at)
    };
    let body = (items[head].end..first).filter(apart).max_by_key(|at| (words(*at), *at));
    match body.filter(|body| words(*body) > words(head).max(FEWEST_LETTERS)) {
        Some(body) => Some((head, Some(body))),
        None => (words(head) >= FEWEST_LETTERS).then_some((head, None)),
    }
}

fn is_heading(items: &[Item<'_>], at: usize) -> bool {
    matches!(items[at].element.value().name(), "h1" | "h2" | "h3" | "h4" | "a" | "span" | "aside")
}

fn own_id(items: &[Item<'_>], block: usize, set: &HashSet<usize>) -> Option<String> {
    let id = |element: ElementRef<'_>| {
        let given = NUMBERED.iter().chain(&["id", "name"]).find_map(|name| field(element, name))?;
        let name = given.trim_end_matches(|c: char| c.is_ascii_digit());
        let named = name.len() < given.len() && name.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '-' | '_'));
        (named && given.len() < 80).then_some(given)
    };
    id(items[block].element).or_else(|| {
        let near = (block + 1..items[block].end.min(block + 40)).take_while(|at| !set.contains(at));
        near.filter_map(|at| id(items[at].element)).next()
    })
}

fn read(items: &[Item<'_>], sums: &Sums, block: usize, set: &HashSet<usize>, nodes: &HashMap<NodeId, usize>) -> Raw {
    // Elements of the block that stand in no other one.
    let mut own = Vec::new();
    let mut at = block + 1;
    let mut words = within(&sums.plain, items, block);
    while at < items[block].end {
        if set.contains(&at) {
            words = words.saturating_sub(within(&sums.plain, items, at));
            at = items[at].end;
        } else {
            own.push(at);
            at += 1;
        }
    }
    let dates: Vec<String> = own.iter().filter_map(|at| items[*at].date.clone()).take(3).collect();
    let author = own.iter().find_map(|at| items[*at].author.clone()).or_else(|| beside_date(items, &own));
    let body = body(items, sums, block, &own, words);
    let excerpts = excerpts(items, sums, &own);
    let labels: HashSet<NodeId> = own
        .iter()
        .filter(|at| {
            let item = &items[**at];
            let class = item.element.attr("class").unwrap_or_default();
            let small = within(&sums.letters, items, **at) * 3 < words.max(MAX_LABEL);
            let labels = item.author.is_some() && !in_words(items, **at, block);
            (small && (item.date.is_some() && !in_words(items, **at, block) || labels || says(&FURNITURE_CLASS, class)))
                || class.to_ascii_lowercase().contains("signature")
                || excerpts.contains(at)
        })
        .map(|at| items[*at].element.id())
        .collect();
    let root = items[body].element;
    let url = own.iter().find_map(|at| {
        let item = &items[*at];
        let dated = item.date.is_some() || items[item.parent].date.is_some();
        item.element
            .attr("href")
            .filter(|href| dated && !href.is_empty() && !href.starts_with("javascript"))
            .map(str::to_owned)
    });
    Raw {
        id: None,
        author,
        dates,
        edited: None,
        url,
        parent: None,
        gone: false,
        text: tree_to_text(*root, |id| {
            let other = nodes.get(&id).is_some_and(|at| *at != block);
            if other || labels.contains(&id) { Cut::Furniture } else { Cut::Keep }
        }),
    }
}

/// Of `own` the elements that hold no more than the beginning of what the next one holds: what is shown before `read more`.
fn excerpts(items: &[Item<'_>], sums: &Sums, own: &[usize]) -> HashSet<usize> {
    let mut last = HashMap::new();
    let next_to = own.iter().filter_map(|at| Some((last.insert(items[*at].parent, *at)?, *at)));
    next_to
        .filter(|(first, next)| {
            let [short, long] = [first, next].map(|at| within(&sums.letters, items, *at));
            let [first, next] = [first, next].map(|at| letters(items[*at].element));
            short >= EXCERPT && short <= long && first.eq(next.take(short))
        })
        .map(|(first, _)| first)
        .collect()
}

/// The letters and digits of an element that people see.
fn letters(root: ElementRef<'_>) -> impl Iterator<Item = char> + '_ {
    let mut skipping = None;
    let seen = root.traverse().filter_map(move |edge| match edge {
        Edge::Open(_) if skipping.is_some() => None,
        Edge::Open(node) => {
            skipping = node.value().as_element().filter(|e| is_unseen(e.name())).map(|_| node.id());
            node.value().as_text().map(|text| &**text)
        }
        Edge::Close(node) => {
            skipping = skipping.filter(|unseen| *unseen != node.id());
            None
        }
    });
    seen.flat_map(|text: &str| text.chars().filter(|c| c.is_alphanumeric()))
}

/// The words of the innermost element that begins as `excerpt` does, all but its end, and says more.
pub(super) fn whole(page: &Html, excerpt: &str) -> Option<Plain> {
    let told: Vec<char> = excerpt.chars().filter(|c| c.is_alphanumeric()).collect();
    let sure = &told[..told.len().saturating_sub(CUT)];
    if sure.len() < EXCERPT {
        return None;
    }
    let elements = page.tree.root().descendants().filter_map(ElementRef::wrap);
    let found = elements.filter(|e| letters(*e).take(sure.len()).eq(sure.iter().copied())).last()?;
    (letters(found).nth(told.len()).is_some()).then(|| tree_to_text(*found, |_| Cut::Keep))
}

/// A name that stands right beside the date: `ann · 1 March 2024`.
fn beside_date(items: &[Item<'_>], own: &[usize]) -> Option<String> {
    let first = own.iter().find(|at| items[**at].date.is_some())?;
    // The innermost: what is around a date may look like one.
    let dated = own.iter().rfind(|at| **at >= *first && **at < items[*first].end && items[**at].date.is_some())?;
    let around = items[items[*dated].parent].element;
    let before = around.children().take_while(|node| node.id() != items[*dated].element.id());
    let text: String = before.filter_map(|node| node.value().as_text().map(|t| t.to_string())).collect();
    let name = text.trim().trim_end_matches(|c: char| !c.is_alphanumeric()).trim();
    let fits = !name.is_empty() && name.len() <= 40 && name.split_whitespace().count() <= 3;
    fits.then(|| tidy_name(name).to_owned())
}

/// Whether an element stands in a paragraph or the like, as the mention of a name or a date does.
fn in_words(items: &[Item<'_>], at: usize, block: usize) -> bool {
    let above = std::iter::successors(Some(items[at].parent), |at| Some(items[*at].parent));
    let mut above = above.take_while(|at| *at > block);
    above.any(|at| {
        matches!(items[at].element.value().name(), "p" | "li" | "pre" | "blockquote")
            && items[at].plain > FEWEST_LETTERS
    })
}

/// Whether an element is called the words of a post.
fn is_post_body(items: &[Item<'_>], at: usize) -> bool {
    let element = items[at].element;
    says(&POST_BODY_CLASS, element.attr("class").unwrap_or_default())
        || matches!(element.attr("itemprop"), Some("text" | "articleBody"))
}

/// Where the words of a block stand.
fn body(items: &[Item<'_>], sums: &Sums, block: usize, own: &[usize], words: usize) -> usize {
    let clean = |at: usize| {
        let labelled =
            |at: &usize| (items[*at].date.is_some() || items[*at].author.is_some()) && !in_words(items, *at, block);
        !(at..items[at].end).any(|at| labelled(&at))
    };
    let named = |at: &usize| {
        let element = items[*at].element;
        let class = element.attr("class").unwrap_or_default();
        says(&BODY_CLASS, class) && within(&sums.plain, items, *at) * 5 >= words * 2
    };
    let sure = own.iter().copied().filter(|at| is_post_body(items, *at) && within(&sums.letters, items, *at) > 0);
    if let Some(found) = sure.filter(|at| clean(*at)).max_by_key(|at| within(&sums.letters, items, *at)) {
        return found;
    }
    let mut named: Vec<usize> = own.iter().copied().filter(named).collect();
    named.sort_by_key(|at| (std::cmp::Reverse(within(&sums.plain, items, *at)), std::cmp::Reverse(*at)));
    if let Some(found) = named.into_iter().take(8).find(|at| clean(*at)) {
        return found;
    }
    let mut at = block;
    loop {
        let heavy = own.iter().copied().find(|child| {
            items[*child].parent == at
                && within(&sums.plain, items, *child) * 5 >= words * 4
                && matches!(
                    items[*child].element.value().name(),
                    "div" | "article" | "section" | "td" | "tr" | "tbody" | "table" | "dd"
                )
        });
        match heavy {
            Some(child) => at = child,
            None => return at,
        }
    }
}
