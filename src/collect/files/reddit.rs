//! Reddit's dumps, one object a line (FORMATS d2), and saved pages of its API (d1).

use std::io::BufRead;

use serde_json::Value;

use super::shape::Shape;
use super::values::{Told, each_value, items, values};
use super::{Format, Place, Records, each_line, json, open};
use crate::collect::Context;
use crate::collect::wire::reddit::{More, Object, records, unfold};
use crate::collect::wire::{DIRECT_MESSAGE, Record};

/// Lines of submissions and comments, in any mixture.
pub(super) struct RedditLines;

/// A saved listing, a submission with its comments, the reply of `morechildren`, or an archive's reply.
pub(super) struct RedditPage;

impl Format for RedditLines {
    fn name(&self) -> &'static str {
        "Reddit dumps (JSON lines, plain or .zst)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        super::jsonl::has_line(head, |keys| keys("subreddit") || keys("link_id") || (keys("selftext") && keys("title")))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a Place, ctx: &'a Context) -> Records<'a> {
        each_line(input, |line| records(ctx, &json::<Object>(line)?))
    }
}

impl Format for RedditPage {
    fn name(&self) -> &'static str {
        "saved pages of Reddit's API"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        let thing = |at: &str| {
            let kind = shape.value(&format!("{at}kind")).is_some_and(|kind| KINDS.contains(&kind));
            kind && shape.has(&format!("{at}data"))
        };
        let plain = |at: &str| {
            let has = |key: &str| shape.has(&format!("{at}{key}"));
            has("subreddit") && (has("link_id") || has("selftext") || (has("title") && has("permalink")))
        };
        let wrapped = shape.has("json.data.things[]") || thing("sorted_links.");
        wrapped || ["", "[].", "data[]."].iter().any(|at| thing(at)) || ["[].", "data[]."].iter().any(|at| plain(at))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let (head, input) = match open::head(input) {
            Ok(opened) => opened,
            Err(bad) => return Box::new(std::iter::once(Err(bad))),
        };
        // Archives answer with thousands of things at once.
        let values = if Shape::of(&head).has("data[]") { items(input, &["data"]) } else { values(input) };
        each_value(values, move |page| tell(ctx, page))
    }
}

/// Kinds of things that a page holds.
const KINDS: [&str; 4] = ["Listing", "t1", "t3", "more"];

fn tell(ctx: &Context, page: Value) -> Told {
    let found = unfold(page);
    let mut told = Vec::new();
    for object in &found.objects {
        match records(ctx, object) {
            Ok(records) => told.extend(records.into_iter().map(Ok)),
            Err(unreadable) => told.push(Err(unreadable)),
        }
    }
    told.extend(found.broken.into_iter().map(Err));
    let skipped = |reason| Ok(Record::Skipped { id: "reddit:".to_owned(), reason });
    let absent = |more: &More| {
        // A branch that goes on on a page of its own counts none.
        let count = more.count.max(i64::try_from(more.children.len()).unwrap_or(0)).max(1);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Record::Absent { count, reason: "comments that the page does not hold" })
    };
    told.extend(found.more.iter().map(absent));
    told.extend((0..found.private).map(|_| skipped(DIRECT_MESSAGE)));
    told.extend((0..found.others).map(|_| skipped("neither a post nor a comment")));
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{read_text, reasons};

    #[test]
    fn pages_are_told_whatever_stands_around_their_things() {
        let thing = r#"{"data":{"id":"c1","link_id":"t3_a","body":"words","subreddit":"x","replies":""},"kind":"t1"}"#;
        let more = r#"{"kind":"more","data":{"id":"d","parent_id":"t1_c1","count":3,"children":["d","e","f"]}}"#;
        let listing = format!(
            r#"{{"data":{{"after":null,"children":[{thing},{{"kind":"t5","data":{{}}}},{{"kind":"t4","data":{{"id":"m","body":"psst"}}}}]}},"kind":"Listing"}}"#
        );
        let plain = r#"{"id":"c1","subreddit":"x","link_id":"t3_a","body":"words"}"#;
        let pages = [
            listing.clone(),
            format!("[{listing}]"),
            format!("{listing}\n{listing}\n"),
            format!(r#"{{"json":{{"errors":[],"data":{{"things":[{thing},{more}]}}}}}}"#),
            format!(r#"{{"data":[{plain}],"error":null}}"#),
            format!(r#"{{"data":[{thing}]}}"#),
            format!("[{plain},\n{plain}]"),
            format!(r#"{{"author_id":"t2_x","collection_id":"u","sorted_links":{listing}}}"#),
            thing.to_owned(),
        ];
        for page in pages {
            assert!(RedditPage.sniff(page.as_bytes(), &Place::on_disk(std::path::Path::new("x"))), "{page}");
            let found = read_text(&RedditPage, &page, "x.json");
            assert!(
                matches!(&found[1], Ok(Record::Post(post)) if post.id.as_str() == "reddit:t1_c1"),
                "{page}: {found:?}"
            );
            let others = reasons(&found);
            assert_eq!(others.contains(&"neither a post nor a comment"), page.contains("t5"), "{page}");
            assert_eq!(others.contains(&"direct message"), page.contains("t4"), "{page}");
            let absent = Record::Absent { count: 3, reason: "comments that the page does not hold" };
            assert_eq!(found.contains(&Ok(absent)), page.contains("more"), "{page}");
        }
    }

    #[test]
    fn pages_of_others_are_left() {
        for page in [
            r#"{"data":[{"id":1,"body":"x"}]}"#,
            r#"{"kind":"Listing"}"#,
            r#"{"data":{"children":[]}}"#,
            "[{\"title\":\"x\"}]",
        ] {
            assert!(!RedditPage.sniff(page.as_bytes(), &Place::on_disk(std::path::Path::new("x"))), "{page}");
        }
    }
}
