//! Reddit's dumps, one object a line (FORMATS d2), and saved pages of its API (d1).

use std::io::{BufRead, Read};

use serde_json::Value;

use super::{BadRecord, Format, MAX_RECORD_BYTES, Place, Records, each_line, json};
use crate::collect::Context;
use crate::collect::wire::reddit::{Object, records, unfold};
use crate::collect::wire::{Record, Unreadable};

/// Lines of submissions and comments, in any mixture.
pub(super) struct RedditLines;

/// A saved listing, or a submission with its comments.
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
        let begins: String = String::from_utf8_lossy(head).chars().filter(|c| !c.is_whitespace()).take(40).collect();
        begins.trim_start_matches('[').starts_with("{\"kind\":\"Listing\"")
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let mut bytes = Vec::new();
        let page = match input.take(MAX_RECORD_BYTES as u64 + 1).read_to_end(&mut bytes) {
            Err(error) => Err(Unreadable(format!("could not be read: {error}"))),
            Ok(_) if bytes.len() > MAX_RECORD_BYTES => Err(Unreadable("a page of more than 16 MiB".to_owned())),
            Ok(_) => json::<Value>(&bytes),
        };
        let found = match page {
            Ok(page) => unfold(page),
            Err(Unreadable(reason)) => return Box::new(std::iter::once(Err(BadRecord::new(1, 0, reason)))),
        };
        let bad = |n: usize, Unreadable(reason)| BadRecord::new(n as u64 + 1, 0, reason);
        let objects = found.objects.into_iter().enumerate().flat_map(move |(n, object)| match records(ctx, &object) {
            Ok(records) => records.into_iter().map(Ok).collect::<Vec<Result<Record, BadRecord>>>(),
            Err(unreadable) => vec![Err(bad(n, unreadable))],
        });
        Box::new(objects.chain(found.broken.into_iter().enumerate().map(move |(n, u)| Err(bad(n, u)))))
    }
}
