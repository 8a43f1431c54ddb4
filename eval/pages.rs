//! How well saved pages of forums are read: `cargo run --release --example pages -- DIR`, where DIR holds what the data's
//! README describes under `forums`. Prints tables; a page's words are never shown.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an evaluation prints its tables")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use candor::collect::files::page::read_page;
use candor::collect::files::{FORMATS, Place};
use candor::collect::wire::Record;
use candor::collect::{Context, Zone};
use candor::model::Post;
use serde_json::Value;

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).context("which folder? give that of the forums' data")?);
    let ctx =
        Context { author_key: [7; 32], now: "2100-01-01T00:00:00Z".parse()?, community: None, zone: Zone::default() };
    snippets(&folder.join("wcxb_html/dev"), &ctx)?;
    feeds(&folder.join("redash_discourse"), &ctx)?;
    kinds(&folder.join("opendcl_smf"), &ctx, "opendcl_smf", |name| name.ends_with(".html"))?;
    kinds(&folder.join("perceval_fixtures/askbot"), &ctx, "askbot", |name| name.ends_with(".html"))?;
    kinds(&folder.join("redash_discourse"), &ctx, "redash, another skin", |name| name.ends_with(".mirror.html"))
}

fn files(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("could not list {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| wanted(&name.to_string_lossy())))
        .collect();
    files.sort();
    Ok(files)
}

fn posts(records: Vec<Record>) -> Vec<Post> {
    records.into_iter().filter_map(|record| if let Record::Post(post) = record { Some(post) } else { None }).collect()
}

/// Letters and digits in lower case: what texts are compared by.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `html` without tags and with the commonest escapes resolved, also those of JSON in scripts.
fn unescaped(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let html = html.replace("\\u003c", "<").replace("\\u003e", ">").replace("&lt;", "<").replace("&gt;", ">");
    for piece in html.split('<') {
        out.push_str(piece.split_once('>').map_or(piece, |(_, words)| words));
    }
    ["&#39;", "&#x27;", "&quot;", "&amp;", "&nbsp;", "\\n", "\\u0027"]
        .iter()
        .fold(out, |text, escape| text.replace(escape, " "))
}

/// The words of `text`, parted by one space, with marks between sentences kept.
fn worded(text: &str) -> String {
    text.split_whitespace()
        .map(|w| w.trim_matches(|c: char| !c.is_alphanumeric() && c != '|'))
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[derive(Default)]
struct Row {
    pages: usize,
    refused: usize,
    posts: usize,
    authors: usize,
    dates: usize,
    must: (usize, usize),
    /// Snippets that must be among the posts and are nowhere in the file, so that nobody could find them.
    absent: usize,
    must_not: (usize, usize),
}

/// Pages with snippets that must and must not be among the posts.
fn snippets(folder: &Path, ctx: &Context) -> Result<()> {
    let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
    let mut failed = Vec::new();
    for path in files(folder, |name| name.ends_with(".gt.json"))? {
        let told: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let html = path.with_extension("").with_extension("html");
        let bytes = fs::read(&html)?;
        let (by, posts, why) = match read_page(&String::from_utf8_lossy(&bytes), &Place::on_disk(&html), ctx) {
            Ok(read) => (read.by, posts(read.records), String::new()),
            Err(reason) => ("refused", Vec::new(), reason),
        };
        let all = bare(&posts.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join(" "));
        let snippets = told["ground_truth"]["with"].as_array().map_or(&[][..], Vec::as_slice);
        let snippets: Vec<String> =
            snippets.iter().filter_map(Value::as_str).map(bare).filter(|s| !s.is_empty()).collect();
        let must = (snippets.iter().filter(|s| all.contains(s.as_str())).count(), snippets.len());
        // Whole words, in a row and with their capitals: `Login` is not in `blog in`.
        let row = format!(" {} ", worded(&posts.iter().map(|p| p.text.as_str()).collect::<Vec<_>>().join(" | ")));
        let unwanted = told["ground_truth"]["without"].as_array().map_or(&[][..], Vec::as_slice);
        let kept =
            unwanted.iter().filter_map(Value::as_str).filter(|s| !row.contains(&format!(" {} ", worded(s)))).count();
        let must_not = (kept, unwanted.len());
        let absent = {
            let file = bare(&unescaped(&String::from_utf8_lossy(&bytes)));
            let key = |s: &String| s.chars().take(24).collect::<String>();
            snippets.iter().filter(|s| !all.contains(s.as_str()) && !file.contains(&key(s))).count()
        };
        let row = rows.entry(by).or_default();
        row.pages += 1;
        row.refused += usize::from(posts.is_empty());
        row.posts += posts.len();
        row.authors += posts.iter().filter(|p| p.author.is_some()).count();
        row.dates += posts.iter().filter(|p| p.written_at.is_some()).count();
        row.must = (row.must.0 + must.0, row.must.1 + must.1);
        row.absent += absent;
        row.must_not = (row.must_not.0 + must_not.0, row.must_not.1 + must_not.1);
        let dated = posts.iter().filter(|p| p.written_at.is_some()).count();
        let named = posts.iter().filter(|p| p.author.is_some()).count();
        if must.0 < must.1 || must_not.0 < must_not.1 || dated < posts.len() || named < posts.len() {
            let name = html.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let place = told["url"].as_str().unwrap_or_default();
            failed.push(format!(
                "  {name} {by}: {} posts, {named} named, {dated} dated, must {}/{} ({absent} not in the file), must not {}/{} {why} {}",
                posts.len(), must.0, must.1, must_not.0, must_not.1, place.chars().take(70).collect::<String>()
            ));
        }
    }
    println!(
        "{:28} {:>5} {:>7} {:>6} {:>7} {:>6} {:>12} {:>12}",
        "engine", "pages", "refused", "posts", "authors", "dates", "must", "must not"
    );
    let mut all = Row::default();
    for (by, row) in &rows {
        print_row(by, row);
        all.pages += row.pages;
        all.refused += row.refused;
        all.posts += row.posts;
        all.authors += row.authors;
        all.dates += row.dates;
        all.must = (all.must.0 + row.must.0, all.must.1 + row.must.1);
        all.absent += row.absent;
        all.must_not = (all.must_not.0 + row.must_not.0, all.must_not.1 + row.must_not.1);
    }
    print_row("all", &all);
    println!("snippets that must be among the posts and are nowhere in the files: {}", all.absent);
    println!("pages short of something:\n{}\n", failed.join("\n"));
    Ok(())
}

fn print_row(by: &str, row: &Row) {
    #[expect(clippy::cast_precision_loss, reason = "counts of posts")]
    let share = |a: usize, b: usize| if b == 0 { 1.0 } else { a as f64 / b as f64 };
    println!(
        "{by:28} {:>5} {:>7} {:>6} {:>7.3} {:>6.3} {:>4}/{:<4}{:.3} {:>4}/{:<4}{:.3}",
        row.pages,
        row.refused,
        row.posts,
        share(row.authors, row.posts),
        share(row.dates, row.posts),
        row.must.0,
        row.must.1,
        share(row.must.0, row.must.1),
        row.must_not.0,
        row.must_not.1,
        share(row.must_not.0, row.must_not.1)
    );
}

/// The posts of a file of whatever format, by id; or why not.
fn by_id(path: &Path, ctx: &Context) -> Result<BTreeMap<String, Post>> {
    let bytes = fs::read(path)?;
    let place = Place::on_disk(path);
    let format = FORMATS.iter().find(|f| f.sniff(&bytes[..bytes.len().min(64 << 10)], &place)).context("no format")?;
    let records: Vec<Record> = format.read(Box::new(&bytes[..]), &place, ctx).filter_map(Result::ok).collect();
    Ok(posts(records).into_iter().map(|post| (post.id.as_str().to_owned(), post)).collect())
}

/// Pages of topics beside their feeds: what both hold must be the same.
fn feeds(folder: &Path, ctx: &Context) -> Result<()> {
    let (mut topics, mut equal, mut held, mut unread) = (0, 0, 0, 0);
    let mut different: BTreeMap<&str, usize> = BTreeMap::new();
    let mut shown = Vec::new();
    for feed in files(folder, |name| name.ends_with(".rss"))? {
        let (page, feed) = match (by_id(&feed.with_extension("html"), ctx), by_id(&feed, ctx)) {
            (Ok(page), Ok(feed)) if !page.is_empty() && !feed.is_empty() => (page, feed),
            _ => {
                unread += 1;
                shown.push(format!("  {}: not read", feed.display()));
                continue;
            }
        };
        topics += 1;
        let words = |post: &Post| post.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut faults = Vec::new();
        let last = page.values().filter_map(|p| p.written_at).max();
        for (id, told) in &feed {
            let Some(post) = page.get(id) else {
                // Pages hold the first twenty posts, and neither holds what was written after it was saved.
                if page.len() < 20 && told.written_at <= last {
                    faults.push("not on the page");
                }
                continue;
            };
            held += 1;
            if post.author != told.author {
                faults.push("author");
            }
            if post.written_at != told.written_at {
                faults.push("date");
            }
            if words(post) != words(told) {
                faults.push("text");
            }
        }
        equal += usize::from(faults.is_empty());
        if let Some(fault) = faults.first() {
            shown.push(format!("  {}: {fault}", page.keys().next().map_or("", String::as_str)));
        }
        for fault in faults {
            *different.entry(fault).or_default() += 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of topics")]
    let share = equal as f64 / (topics + unread).max(1) as f64;
    println!(
        "redash: {topics} topics read in both, {unread} not; {held} posts in both; {equal} topics equal ({share:.4}); differences {different:?}"
    );
    println!("{}\n", shown.into_iter().take(20).collect::<Vec<_>>().join("\n"));
    Ok(())
}

/// How many pages of a folder are read by which way.
fn kinds(folder: &Path, ctx: &Context, name: &str, wanted: impl Fn(&str) -> bool) -> Result<()> {
    let mut ways: BTreeMap<String, Row> = BTreeMap::new();
    for path in files(folder, wanted)? {
        let bytes = fs::read(&path)?;
        let (by, posts) = match read_page(&String::from_utf8_lossy(&bytes), &Place::on_disk(&path), ctx) {
            Ok(read) => (read.by.to_owned(), posts(read.records)),
            Err(reason) => (reason, Vec::new()),
        };
        let row = ways.entry(by).or_default();
        row.pages += 1;
        row.posts += posts.len();
        row.authors += posts.iter().filter(|p| p.author.is_some()).count();
        row.dates += posts.iter().filter(|p| p.written_at.is_some()).count();
    }
    for (by, row) in ways {
        println!(
            "{name}: {} pages, {} posts ({} named, {} dated) by {by}",
            row.pages, row.posts, row.authors, row.dates
        );
    }
    Ok(())
}
