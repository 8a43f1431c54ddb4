//! Saved pages of forums: a topic's page beside its feed, and pages that others have read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use candor::collect::files::page::read_page;
use candor::collect::files::{FORMATS, Place};
use candor::collect::wire::Record;
use candor::collect::{Context, Zone};
use candor::model::Post;

fn context() -> Context {
    Context {
        author_key: [7; 32],
        now: "2100-01-01T00:00:00Z".parse().unwrap(),
        community: None,
        zone: Zone::default(),
    }
}

fn posts(path: &Path) -> BTreeMap<String, Post> {
    let bytes = fs::read(path).unwrap();
    let (place, ctx) = (Place::on_disk(path), context());
    let format = FORMATS.iter().find(|f| f.sniff(&bytes[..bytes.len().min(64 << 10)], &place)).unwrap();
    let records = format.read(Box::new(&bytes[..]), &place, &ctx).map(Result::unwrap);
    records.filter_map(|r| if let Record::Post(p) = r { Some((p.id.to_string(), p)) } else { None }).collect()
}

#[test]
fn a_discourse_page_and_its_feed_hold_the_same_posts() {
    let Some(data) = super::data() else { return };
    let mut feeds: Vec<_> = fs::read_dir(data.join("forums/redash_discourse"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "rss"))
        .collect();
    feeds.sort();
    let (mut topics, mut equal) = (0, 0);
    // One topic in seven is enough to see a slip; all are compared by the example `pages`.
    for feed in feeds.iter().step_by(7) {
        let (page, told) = (posts(&feed.with_extension("html")), posts(feed));
        assert!(!page.is_empty() && !told.is_empty(), "{}", feed.display());
        let words = |p: &Post| p.text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let both = told.iter().filter_map(|(id, post)| Some((page.get(id)?, post)));
        topics += 1;
        equal += usize::from(both.into_iter().all(|(a, b)| {
            a.author == b.author && a.written_at == b.written_at && words(a) == words(b) && a.thread == b.thread
        }));
    }
    assert!(equal * 100 >= topics * 98, "{equal} of {topics} topics are equal");
}

#[test]
fn pages_of_many_engines_give_their_posts() {
    let Some(data) = super::data() else { return };
    let folder = data.join("forums/wcxb_html/dev");
    let (mut wanted, mut found, mut all, mut known) = (0, 0, 0, 0);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        let Some(stem) = name.strip_suffix(".gt.json") else { continue };
        let html = format!("{stem}.html");
        let bytes = fs::read(&html).unwrap();
        let Ok(read) = read_page(&String::from_utf8_lossy(&bytes), &Place::on_disk(html.as_ref()), &context()) else {
            continue;
        };
        let posts: Vec<Post> =
            read.records.into_iter().filter_map(|r| if let Record::Post(p) = r { Some(p) } else { None }).collect();
        let bare =
            |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
        let text = bare(&posts.iter().map(|p| p.text.as_str()).collect::<String>());
        let told: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        for snippet in told["ground_truth"]["with"].as_array().unwrap() {
            wanted += 1;
            found += usize::from(text.contains(&bare(snippet.as_str().unwrap())));
        }
        all += posts.len();
        known += posts.iter().filter(|p| p.author.is_some() && p.written_at.is_some()).count();
    }
    assert!(found * 100 >= wanted * 94, "{found} of {wanted} snippets");
    assert!(known * 100 >= all * 97, "{known} of {all} posts have author and date");
}
