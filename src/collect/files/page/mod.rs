//! Forums as saved pages: HTML that a browser or a crawler wrote to disk.
//!
//! A page is read by its engine's rules where they fit (`engines`), else by what it says of itself in the terms of schema.org
//! (`schema`), else by its shape (`structure`). A page of a forum that is no thread, and a page that is no forum, is refused.

mod dates;

mod discourse;

mod dom;

mod engine;

mod engines;

mod flarum;

mod schema;

mod structure;

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::io::{BufRead, Read as _};
use std::sync::LazyLock;

use regex::Regex;
use scraper::Html;
use url::Url;

use self::dates::Dates;
use self::engine::{Engine, Ready};
use super::{BadRecord, Format, MAX_RECORD_BYTES, Place, Records};
use crate::collect::Context;
use crate::collect::wire::discourse as wire;
use crate::collect::wire::{Record, clean, is_future, words};
use crate::model::id::content_hash;
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::Plain;
use crate::text::mail::cut_quoted_lines;

/// The format.
pub(super) struct ForumPage;

impl Format for ForumPage {
    fn name(&self) -> &'static str {
        "forum page (HTML)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        is_html(head)
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let mut bytes = Vec::new();
        if let Err(error) = input.take(MAX_RECORD_BYTES as u64 + 1).read_to_end(&mut bytes) {
            return Box::new(std::iter::once(Err(BadRecord::new(
                1,
                bytes.len() as u64,
                format!("could not read on from here: {error}"),
            ))));
        }
        if bytes.len() > MAX_RECORD_BYTES {
            let reason = format!("a page of HTML of more than {} MiB", MAX_RECORD_BYTES >> 20);
            return Box::new(std::iter::once(Err(BadRecord::refusal(reason))));
        }
        match read_page(&String::from_utf8_lossy(&bytes), place, ctx) {
            Ok(read) => Box::new(read.records.into_iter().map(Ok)),
            Err(reason) => Box::new(std::iter::once(Err(BadRecord::refusal(reason)))),
        }
    }
}

/// Whether a file that begins with `head` is a page of HTML.
fn is_html(head: &[u8]) -> bool {
    let start = head.trim_ascii_start();
    let begins = start[..start.len().min(2048)].to_ascii_lowercase();
    let has = |tag: &[u8]| begins.windows(tag.len()).any(|w| w == tag);
    begins.starts_with(b"<")
        && !has(b"<rss")
        && !has(b"<feed")
        && [&b"<!doctype html"[..], b"<html", b"<head", b"<body", b"<meta"].into_iter().any(has)
}

/// What an answer calls the page's first post, where that has no id of its own.
const FIRST: &str = "";

/// A post as a page shows it.
#[derive(Debug, Clone, Default)]
struct Raw {
    /// The id that the engine gave it, unique in its thread.
    id: Option<String>,
    author: Option<String>,
    /// Spellings of when it was written, the most exact first.
    dates: Vec<String>,
    edited: Option<String>,
    url: Option<String>,
    /// Id of the post it answers.
    parent: Option<String>,
    gone: bool,
    text: Plain,
}

/// What was read of a page.
#[derive(Debug)]
pub struct PageRead {
    /// By which engine's rules, or which of the general ways.
    pub by: &'static str,
    /// The thread and its posts.
    pub records: Vec<Record>,
}

/// What to do where a page should have posts.
const SCRIPT: &str = "; if a script loads its posts, save it when the browser shows them";

/// Reads a page.
///
/// # Errors
/// When it is no thread of a forum, with the reason.
pub fn read_page(html: &str, place: &Place, ctx: &Context) -> Result<PageRead, String> {
    let page = dom::parse(html)?;
    let address = Address::of(&page, html);
    let marked: Vec<&Ready> = engines::ENGINES.iter().filter(|ready| ready.is_marked(&page)).collect();
    for ready in &marked {
        if ready.engine.source == Source::Discourse
            && let Some(topic) = discourse::preloaded(&page)
            && let Some(read) = discourse_topic(&topic, &address, place, ctx)
        {
            return Ok(read);
        }
    }
    let thread = |ready: &&&Ready| ready.is_thread(&page, &address);
    for ready in marked.iter().filter(thread) {
        let posts = ready.read(&page);
        if posts.iter().any(|raw| !raw.text.text.is_empty() || ready.engine.source == Source::Reddit) {
            let about = About { engine: ready.engine, ready: Some(ready), by: ready.engine.name, title: None };
            return Ok(about.records(&page, html, &address, posts, place, ctx));
        }
    }
    if let Some(ready) = marked.iter().find(|ready| ready.is_list(&page) && !ready.is_thread(&page, &address)) {
        return Err(format!("a page of a forum ({}) that lists threads or hits and is no thread", ready.engine.name));
    }
    if let Some(read) = described(&page, html, &address, marked.first().copied(), place, ctx)? {
        return Ok(read);
    }
    Err(match marked.first() {
        Some(ready) => {
            format!("a page of a forum ({}) that is no thread: no posts were found in it{SCRIPT}", ready.engine.name)
        }
        None => format!("a page of HTML in which no posts were found: it is no thread of a forum{SCRIPT}"),
    })
}

impl Ready {
    /// Whether the page may be a thread: it is no list, or its address says that it is a thread after all.
    fn is_thread(&self, page: &Html, address: &Address) -> bool {
        !self.is_list(page) || address.all.iter().any(|url| self.thread(&path_of(url)).is_some())
    }

    /// The posts of the page; for engines that show theirs by script, also those they give to browsers without.
    fn read(&self, page: &Html) -> Vec<Raw> {
        let mut posts = self.posts(page);
        if self.engine.name == "Flarum" {
            let carried = flarum::payload(page);
            if carried.len() >= posts.len() {
                posts = carried;
            }
        }
        if posts.is_empty() {
            for noscript in dom::selector("noscript").iter().flat_map(|css| page.select(css)) {
                let inner: String = noscript.text().collect();
                if inner.len() > 500
                    && let Ok(inner) =
                        dom::parse(&format!("<div id=\"{}\">{inner}</div>", noscript.attr("id").unwrap_or_default()))
                {
                    posts.extend(self.posts(&inner));
                }
            }
        }
        posts
    }
}

/// A page of an engine without rules of its own: by schema.org, else by its shape.
fn described(
    page: &Html,
    html: &str,
    address: &Address,
    marked: Option<&Ready>,
    place: &Place,
    ctx: &Context,
) -> Result<Option<PageRead>, String> {
    let (linked, marked_up) = (schema::json_ld(page), schema::microdata(page));
    // Each post counts by what is known of it, out of six.
    let known = |raw: &Raw| match (raw.author.is_some(), raw.dates.is_empty()) {
        _ if raw.text.text.is_empty() => 0,
        (true, false) => 6,
        (false, true) => 0,
        _ => 3,
    };
    let worth = |posts: &[Raw]| posts.iter().map(known).sum::<usize>();
    let (words, marks) = (worth(&linked.posts), worth(&marked_up.posts));
    if let (Some(other), 0) = (&linked.other, words + marks)
        && marked.is_none()
    {
        return Err(format!("a page of HTML that says it is of the kind {other}: it is no thread of a forum"));
    }
    // The lists of an engine are made of blocks too.
    let may_be_thread = match marked {
        Some(ready) => address.all.iter().any(|url| ready.thread(&path_of(url)).is_some()),
        None => words + marks > 0 || looks_like_forum(page, address, place),
    };
    let shaped = if may_be_thread { structure::posts(page) } else { Vec::new() };
    let shapes = worth(&shaped);
    let title = linked.title.clone().or(marked_up.title.clone());
    // Microdata stand at the posts themselves; JSON-LD repeats their words without markup, quotes and all.
    let (by, posts) = if marks > 0 && marks >= words && marks * 10 >= shapes * 8 {
        ("schema.org microdata", marked_up.posts)
    } else if shapes > 0 && shapes * 10 >= words * 8 {
        ("structure", opened(dated(shaped, &linked.posts), &linked, page))
    } else if words > 0 {
        ("schema.org JSON-LD", linked.posts)
    } else {
        return Ok(None);
    };
    let engine = marked.map_or(&Engine::UNKNOWN, |ready| ready.engine);
    let about = About { engine, ready: marked, by, title };
    Ok(Some(about.records(page, html, address, posts, place, ctx)))
}

/// The letters and digits of a post: they are the same wherever its words stand on a page, whatever the markup around them.
fn letters(raw: &Raw) -> impl Iterator<Item = char> {
    raw.text.text.chars().filter(|c| c.is_alphanumeric())
}

/// `posts` with the exact dates and the names that `told` has for posts of the same words.
fn dated(mut posts: Vec<Raw>, told: &[Raw]) -> Vec<Raw> {
    let key = |raw: &Raw| letters(raw).take(60).collect::<String>();
    let known: HashMap<String, &Raw> =
        told.iter().map(|raw| (key(raw), raw)).filter(|(key, _)| key.len() >= 20).collect();
    for raw in &mut posts {
        if let Some(told) = known.get(&key(raw)) {
            raw.dates.splice(0..0, told.dates.iter().cloned());
            raw.author = told.author.clone().or(raw.author.take());
        }
    }
    posts
}

/// `posts` after the opening of which only the page's own description says who wrote it, where there is such. Its words are those of
/// the page if the description gives their beginning.
fn opened(mut posts: Vec<Raw>, told: &schema::Described, page: &Html) -> Vec<Raw> {
    let Some(opening) = told.posts.first().filter(|_| told.title.is_some()) else { return posts };
    let key: String = letters(opening).take(40).collect();
    let holds = |raw: &Raw| letters(raw).collect::<String>().contains(&key);
    if key.len() >= 40 && opening.author.is_some() && !posts.iter().any(holds) {
        let mut opening = opening.clone();
        if let Some(whole) = structure::whole(page, &opening.text.text) {
            opening.text = whole;
        }
        posts.insert(0, opening);
    }
    posts
}

/// Whether the words that a page is called by are those of a forum.
fn looks_like_forum(page: &Html, address: &Address, place: &Place) -> bool {
    static FORUM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)forum|thread|topic|discuss|\bboards?\b|\bbbs\b|communit|questions?\b|answers|\btalk\b|\bchat\b|quora|comments?\b|replies|\bforen\b|beitr[aä]g|diskussion").ok()
    });
    let mut names = vec![place.name(), place.folder().unwrap_or_default()];
    names.extend(address.all.iter().map(Url::to_string));
    for (css, attribute) in
        [("title", ""), ("meta[property='og:site_name']", "content"), ("body", "class"), ("body", "id"), ("h1", "")]
    {
        names.extend(dom::first(page, css, attribute));
    }
    names.iter().any(|name| FORUM.as_ref().is_some_and(|p| p.is_match(name)))
}

/// Where a page was, as it tells itself.
#[derive(Debug, Default)]
struct Address {
    /// Absolute addresses, the surest first.
    all: Vec<Url>,
    /// What relative links start from.
    base: Option<Url>,
}

impl Address {
    fn of(page: &Html, html: &str) -> Self {
        static SAVED: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r"(?:saved from url=\(\d+\)|Page saved with SingleFile\s+url: )(https?://[^\s>]+)").ok()
        });
        let head = &html[..html.floor_char_boundary(4096)];
        let saved = SAVED.as_ref().and_then(|p| p.captures(head)).map(|c| c[1].to_owned());
        let tags = [
            ("link[rel=canonical]", "href"),
            ("meta[property='og:url']", "content"),
            ("link[rel=canonical-first]", "href"),
            ("base[href]", "href"),
        ];
        let mut told: Vec<Option<String>> =
            tags.iter().map(|(css, attribute)| dom::first(page, css, attribute)).collect();
        let base = told.pop().flatten().and_then(|b| Url::parse(&b).ok()).filter(Url::has_host);
        told.insert(2, saved);
        let web =
            |text: &String| Url::parse(text).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
        let mut all: Vec<Url> = told.iter().flatten().filter_map(web).collect();
        let start = base.clone().or_else(|| all.first().cloned());
        if let Some(start) = &start {
            let relative = told.iter().flatten().filter(|t| web(t).is_none());
            all.extend(relative.filter_map(|t| start.join(t).ok()));
        }
        let start = all.first().cloned().or(base.clone());
        all.extend(base.clone());
        Self { all, base: base.or(start) }
    }

    /// Where the posts of a page that does not tell its address say that they are: what most of those with an absolute link
    /// agree on. Links to a post lead to its thread, or else at least to the forum.
    fn of_posts(posts: &[Raw], ready: Option<&Ready>) -> Option<Self> {
        let web = |raw: &Raw| {
            let mut url = Url::parse(raw.url.as_deref()?).ok()?;
            url.set_fragment(None);
            (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
        };
        let urls: Vec<Url> = posts.iter().filter_map(web).collect();
        let thread = |url: &Url| match ready {
            Some(ready) => ready.thread(&path_of(url)),
            None => plain_key(url),
        };
        let base = most(&urls, |url| Some(url.origin()))?;
        let all = most(&urls, |url| Some((url.origin(), thread(url)?))).into_iter().collect();
        Some(Self { all, base: Some(base) })
    }

    /// The host that names the forum, with a port other than the usual one.
    fn host(&self) -> Option<String> {
        let url = self.all.first().or(self.base.as_ref())?;
        let host = url.host_str()?;
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    fn absolute(&self, link: &str) -> Option<String> {
        let url = match &self.base {
            Some(base) => base.join(link).ok()?,
            None => Url::parse(link).ok()?,
        };
        matches!(url.scheme(), "http" | "https").then(|| without_session(url).to_string())
    }
}

/// Sessions in addresses differ each time a page is saved.
fn without_session(mut url: Url) -> Url {
    let is_session = |name: &str| matches!(name, "sid" | "s" | "PHPSESSID" | "highlight");
    if url.query_pairs().any(|(name, _)| is_session(&name)) {
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(name, _)| !is_session(name))
            .map(|(n, v)| (n.into_owned(), v.into_owned()))
            .collect();
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
        }
    }
    url
}

/// The first of `urls` that shares its key with more than half of them.
fn most<K: Eq + Hash>(urls: &[Url], key: impl Fn(&Url) -> Option<K>) -> Option<Url> {
    let keys = urls.iter().map(key).collect::<Vec<_>>();
    let mut counts = HashMap::<&K, usize>::new();
    for key in keys.iter().flatten() {
        *counts.entry(key).or_default() += 1;
    }
    let common = |key: &Option<K>| key.as_ref().is_some_and(|key| counts[key] * 2 > urls.len());
    keys.iter().position(common).map(|at| urls[at].clone())
}

/// Path and query of an address: what a thread's own id is looked for in.
fn path_of(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// What names the thread at `url` where its engine is not known: its path, without what only turns pages.
fn plain_key(url: &Url) -> Option<String> {
    static PAGE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)/(?:page|p|seite)[-/]?\d+/?$|[-_,](?:page|p)\d+(\.html?)?$").ok());
    let path = url.path().trim_matches('/');
    let path = PAGE.as_ref().map_or(path.into(), |p| p.replace(path, "$1"));
    let turns = |name: &str| {
        matches!(name, "page" | "p" | "start" | "offset" | "st" | "sort" | "order" | "view") || name.starts_with("utm_")
    };
    let mut query: Vec<String> =
        url.query_pairs().filter(|(name, _)| !turns(name)).map(|(n, v)| format!("{n}={v}")).collect();
    query.sort_unstable();
    let key = if query.is_empty() { path.into_owned() } else { format!("{path}?{}", query.join("&")) };
    (!key.is_empty()).then_some(key)
}

/// How a page was read.
struct About<'a> {
    engine: &'a Engine,
    ready: Option<&'a Ready>,
    by: &'static str,
    title: Option<String>,
}

impl About<'_> {
    /// The thread and its posts.
    fn records(
        &self,
        page: &Html,
        html: &str,
        address: &Address,
        posts: Vec<Raw>,
        place: &Place,
        ctx: &Context,
    ) -> PageRead {
        let told = address.all.is_empty().then(|| Address::of_posts(&posts, self.ready)).flatten();
        let address = told.as_ref().unwrap_or(address);
        let names = Names::of(self, address, place, ctx);
        let language = dom::first(page, "html", "lang").unwrap_or_default();
        let dates = Dates::new(ctx, html, &language, posts.iter().flat_map(|p| p.dates.iter().map(String::as_str)));
        let title = clean(self.title(page));
        let read = |spellings: &[String]| spellings.iter().find_map(|text| dates.read(text));
        let starts = posts.first().and_then(|first| read(&first.dates));
        let thread = Thread {
            id: names.thread.clone(),
            source: self.engine.source,
            community: names.community.clone(),
            title: title.clone(),
            url: names.url.clone(),
            started_at: starts.filter(|_| posts.first().is_some_and(|p| p.parent.is_none())),
        };
        let mut records = vec![Record::Thread(thread)];
        let mut told: BTreeMap<String, u64> = BTreeMap::new();
        let ids: std::collections::HashSet<String> = posts.iter().filter_map(|p| p.id.clone()).collect();
        let mut first = None;
        for (at, raw) in posts.into_iter().enumerate() {
            let written_at = read(&raw.dates);
            let mut own = names.own_words(&title, at, raw.text.clone(), raw.id.as_deref());
            own.text = clean(own.text);
            let native = raw.id.clone().unwrap_or_else(|| hashed(&raw, &own.text));
            let count = told.entry(native.clone()).or_default();
            *count += 1;
            let native = match (*count, raw.id.is_some()) {
                (1, _) => native,
                // A post that is shown twice, as a solution beside its place in the thread.
                (_, true) => continue,
                (count, false) => format!("{native}-{count}"),
            };
            let id = names.post(&native);
            let first = first.get_or_insert_with(|| id.clone());
            // Reddit's pages show a mark where a post was.
            let marked =
                self.engine.source == Source::Reddit && matches!(raw.text.text.trim(), "[deleted]" | "[removed]");
            if raw.gone || marked {
                records.push(Record::Removed(id));
                continue;
            }
            if own.text.is_empty() {
                let reason = if own.quoted { "only quotes others" } else { "empty" };
                records.push(Record::Skipped { id: id.as_str().to_owned(), reason });
                continue;
            }
            let parent = match raw.parent.as_deref() {
                Some(FIRST) => (at > 0).then(|| first.clone()),
                Some(id) if id != native && (ids.contains(id) || !names.answers_are_local) => Some(names.post(id)),
                _ => None,
            };
            let author = raw.author.as_deref().unwrap_or_default();
            records.push(Record::Post(Post {
                parent,
                thread: names.thread.clone(),
                source: self.engine.source,
                community: names.community.clone(),
                author: ctx.author(&names.authors, author),
                written_at,
                edited_at: raw.edited.as_deref().and_then(|text| dates.read(text)).filter(|at| Some(*at) > written_at),
                url: names.link(&native, raw.url.as_deref(), address),
                text: own.text,
                flags: PostFlags {
                    bot: names.is_bot(author),
                    quoted: own.quoted,
                    future: is_future(written_at, ctx.now),
                },
                id,
            }));
        }
        PageRead { by: self.by, records }
    }

    fn title(&self, page: &Html) -> String {
        let by_rule = self.engine.title.iter().find_map(|(css, attribute)| dom::first(page, css, attribute));
        let title = by_rule
            .or_else(|| self.title.clone())
            .or_else(|| dom::first(page, "meta[property='og:title']", "content"))
            .or_else(|| dom::first(page, "h1", ""))
            .or_else(|| dom::first(page, "title", ""));
        title.unwrap_or_default()
    }
}

/// An id for a post that has none: by when and what, as it would be on any other page.
fn hashed(raw: &Raw, text: &str) -> String {
    content_hash(&[raw.dates.first().map_or("", String::as_str), text])
}

/// How the thread of a page and the posts in it are called.
struct Names {
    source: Source,
    community: String,
    /// What pseudonyms are made with.
    authors: String,
    thread: ThreadId,
    url: Option<String>,
    /// What posts' ids begin with.
    prefix: String,
    discourse: Option<(wire::Place, u64)>,
    /// Ids of parents are taken from links, so that only those of posts that the page holds are sure.
    answers_are_local: bool,
}

impl Names {
    fn of(about: &About<'_>, address: &Address, place: &Place, ctx: &Context) -> Self {
        let source = about.engine.source;
        let host = address.host();
        let folder = || place.folder().unwrap_or_else(|| source.as_str().to_owned());
        let community = ctx.community.clone().or(host).unwrap_or_else(folder);
        let of_engine = |ready: &Ready| address.all.iter().find_map(|url| ready.thread(&path_of(url)));
        let native = about.ready.and_then(of_engine);
        let stem = || place.name().split('.').next().unwrap_or_default().to_owned();
        let key = native.clone().or_else(|| address.all.iter().find_map(plain_key)).unwrap_or_else(stem);
        let url = address.all.first().map(|url| without_session(url.clone()).to_string());
        let named = |prefix: String, authors: String, community: String, thread: String| Self {
            source,
            community,
            authors,
            thread: ThreadId::new(thread),
            url: url.clone(),
            prefix,
            discourse: None,
            answers_are_local: source == Source::Forum,
        };
        let name = source.as_str();
        match source {
            Source::Discourse => match native.and_then(|id| id.parse().ok()) {
                Some(topic) => {
                    let base = address.all.first().and_then(discourse_base);
                    let place = wire::Place { community: community.clone(), base };
                    let thread = wire::thread_id(&place, topic).as_str().to_owned();
                    let mut names = named(thread.clone(), format!("{name}:{community}"), community, thread);
                    names.discourse = Some((place, topic));
                    names
                }
                None => named(
                    format!("{name}:{community}:{key}#"),
                    format!("{name}:{community}"),
                    community.clone(),
                    format!("{name}:{community}:{key}"),
                ),
            },
            Source::Reddit => {
                let sub =
                    address.all.iter().find_map(|u| u.path().split("/r/").nth(1)?.split('/').next().map(str::to_owned));
                let community = sub.map_or(community, |sub| format!("r/{sub}"));
                let thread = format!("reddit:t3_{}", key.trim_start_matches("t3_"));
                named("reddit:".to_owned(), "reddit".to_owned(), community, thread)
            }
            Source::HackerNews => {
                let community = ctx.community.clone().unwrap_or_else(|| "Hacker News".to_owned());
                named(format!("{name}:"), name.to_owned(), community, format!("{name}:{key}"))
            }
            // Sites are named by their host, whatever the community is called.
            Source::StackExchange => {
                let site = address.host().unwrap_or_else(|| community.clone());
                let of = format!("{name}:{}", site.trim_start_matches("www."));
                named(format!("{of}:"), of.clone(), community, format!("{of}:{key}"))
            }
            Source::Lemmy => {
                let of = format!("{name}:{}", address.host().unwrap_or_else(|| community.clone()));
                named(format!("{of}:"), of.clone(), community, format!("{of}:post:{key}"))
            }
            _ => {
                let of = format!("{name}:{community}");
                named(format!("{of}:{key}#"), of.clone(), community, format!("{of}:{key}"))
            }
        }
    }

    fn post(&self, native: &str) -> PostId {
        match (&self.discourse, native.parse()) {
            (Some((place, topic)), Ok(number)) => wire::numbered(place, *topic, number),
            (Some(_), Err(_)) => PostId::new(format!("{}#{native}", self.prefix)),
            (None, _) if self.source == Source::StackExchange => {
                let own = native.replace("comment-", "c").replace("follow-up-", "c");
                let own = own.replace("answer-", "").replace("question-", "");
                PostId::new(format!("{}{own}", self.prefix))
            }
            (None, _) if self.source == Source::Lemmy => self.lemmy(native),
            _ => PostId::new(format!("{}{native}", self.prefix)),
        }
    }

    /// A post or comment of an instance, which may have come there from another one.
    fn lemmy(&self, native: &str) -> PostId {
        let remote = Url::parse(native).ok();
        let remote = remote.as_ref().and_then(|url| {
            let (kind, id) = url.path().trim_matches('/').split_once('/')?;
            let plain = matches!(kind, "post" | "comment") && id.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| format!("lemmy:{}:{kind}:{id}", url.host_str().unwrap_or_default()))
        });
        if let Some(id) = remote {
            return PostId::new(id);
        }
        match native.strip_prefix("comment-") {
            Some(id) => PostId::new(format!("{}comment:{id}", self.prefix)),
            // Addresses of other software may hold people's names: a hash stands for them.
            None if native.contains('/') => PostId::new(format!("{}{}", self.prefix, content_hash(&[native]))),
            None => PostId::new(format!("{}post:{native}", self.prefix)),
        }
    }

    /// The post's own words; a submission's title is part of them, as it is in the other formats of these sites.
    fn own_words(&self, title: &str, at: usize, text: Plain, id: Option<&str>) -> Plain {
        let own = match self.source {
            // As from its API, so that one id has one text.
            Source::HackerNews => {
                let own = cut_quoted_lines(&text.text);
                Plain { text: own.text, quoted: text.quoted || own.quoted }
            }
            _ => words::own(text),
        };
        let titled = match self.source {
            Source::Reddit => id.is_some_and(|id| id.starts_with("t3_")),
            Source::StackExchange | Source::HackerNews | Source::Lemmy => {
                id.is_some_and(|id| self.post(id).as_str() == self.thread.as_str())
            }
            _ => false,
        };
        if titled && at == 0 {
            let text = if own.text == title { String::new() } else { own.text };
            return Plain { text: format!("{title}\n\n{text}").trim().to_owned(), quoted: own.quoted };
        }
        own
    }

    fn link(&self, native: &str, told: Option<&str>, address: &Address) -> Option<String> {
        if let (Some((place, topic)), Ok(number)) = (&self.discourse, native.parse::<u64>()) {
            let slug =
                address.all.first().and_then(|u| u.path().split("/t/").nth(1)?.split('/').next().map(str::to_owned));
            let slug = slug.filter(|s| s.parse::<u64>().is_err()).unwrap_or_else(|| "-".to_owned());
            return place.base.as_ref().map(|base| format!("{base}/t/{slug}/{topic}/{number}"));
        }
        let told = told.filter(|link| !link.is_empty() && *link != "#");
        // A link within the words may lead to the post that is quoted.
        let number = engine::last_number(native).unwrap_or_default();
        let own = |link: &&str| number.is_empty() || link.split(|c: char| !c.is_ascii_digit()).any(|run| run == number);
        told.filter(own).and_then(|link| address.absolute(link)).or_else(|| self.url.clone())
    }

    fn is_bot(&self, author: &str) -> bool {
        match self.source {
            Source::Discourse => matches!(author, "system" | "discobot"),
            Source::Reddit => author.eq_ignore_ascii_case("automoderator") || author.ends_with("-ModTeam"),
            _ => false,
        }
    }
}

/// Address of a Discourse forum out of that of one of its topics.
fn discourse_base(url: &Url) -> Option<String> {
    let before = url.as_str().split("/t/").next()?;
    Some(before.trim_end_matches('/').to_owned())
}

fn discourse_topic(topic: &wire::Topic, address: &Address, place: &Place, ctx: &Context) -> Option<PageRead> {
    let community =
        ctx.community.clone().or(address.host()).or(place.folder()).unwrap_or_else(|| "discourse".to_owned());
    let place = wire::Place { community, base: address.all.first().and_then(discourse_base) };
    let found = wire::records(ctx, &place, topic);
    let mut records: Vec<Record> = found.into_iter().filter_map(Result::ok).collect();
    let holds = records.iter().any(|r| matches!(r, Record::Post(_)));
    records.extend(wire::absent(topic, topic.post_stream.posts.len() as u64));
    holds.then_some(PageRead { by: "Discourse (JSON in the page)", records })
}

#[cfg(test)]
mod templates;

#[cfg(test)]
mod tests;
