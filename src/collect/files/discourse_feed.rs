//! A Discourse topic's feed (`/t/SLUG/ID.rss`) or that of a forum's latest posts: full posts, the latest first.

use std::io::{BufRead, Read as _};

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use quick_xml::reader::Reader;
use url::Url;

use super::{BadRecord, Format, MAX_RECORD_BYTES, Records};
use crate::collect::Context;
use crate::collect::wire::discourse::{Place, Topic, TopicPost, post, thread};
use crate::collect::wire::{Record, Unreadable};

/// The format.
pub(super) struct DiscourseFeed;

/// A feed holds some dozens of posts.
const LONGEST_FEED: u64 = 4 * MAX_RECORD_BYTES as u64;

impl Format for DiscourseFeed {
    fn name(&self) -> &'static str {
        "Discourse feed (RSS)"
    }

    fn sniff(&self, head: &[u8], _place: &super::Place) -> bool {
        let head = String::from_utf8_lossy(head);
        let own = |link: &str| {
            let link = link.split('"').next().unwrap_or_default();
            link.ends_with("/posts.rss") || (link.contains("/t/") && link.ends_with(".rss"))
        };
        head.trim_start().starts_with('<') && head.contains("<rss") && head.split("href=\"http").skip(1).any(own)
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, _place: &'a super::Place, ctx: &'a Context) -> Records<'a> {
        let mut feed = Feed { reader: Reader::from_reader(input.take(LONGEST_FEED)), buffer: Vec::new() };
        feed.reader.config_mut().check_end_names = false;
        let mut waiting = Vec::new().into_iter();
        let (mut count, mut ended) = (0, false);
        Box::new(std::iter::from_fn(move || {
            loop {
                if let Some(record) = waiting.next() {
                    return Some(record);
                }
                if ended {
                    return None;
                }
                count += 1;
                let byte = feed.reader.buffer_position();
                let bad = |reason: String| Err(BadRecord::new(count, byte, reason));
                match feed.next_item() {
                    Ok(None) => ended = true,
                    Ok(Some(item)) => {
                        waiting = match records(ctx, &item) {
                            Ok(records) => records.into_iter().map(Ok).collect::<Vec<_>>(),
                            Err(Unreadable(reason)) => vec![bad(reason)],
                        }
                        .into_iter();
                    }
                    Err(reason) => {
                        ended = true;
                        return Some(bad(reason));
                    }
                }
            }
        }))
    }
}

/// A post as the feed has it.
#[derive(Debug, Default)]
struct Item {
    title: String,
    creator: String,
    description: String,
    link: String,
    date: String,
    guid: String,
}

struct Feed<R> {
    reader: Reader<R>,
    buffer: Vec<u8>,
}

impl<R: BufRead> Feed<R> {
    /// The next item; `None` at the end of the feed.
    fn next_item(&mut self) -> Result<Option<Item>, String> {
        let mut item: Option<Item> = None;
        let mut field = String::new();
        let mut text = String::new();
        loop {
            self.buffer.clear();
            let event =
                self.reader.read_event_into(&mut self.buffer).map_err(|e| format!("no XML from here on: {e}"))?;
            match event {
                Event::Eof if item.is_some() => return Err("ends in the middle of a post".to_owned()),
                Event::Eof => return Ok(None),
                Event::Start(tag) if tag.name().as_ref() == "item" => item = Some(Item::default()),
                Event::Start(tag) if item.is_some() => {
                    field = tag.name().as_ref().to_owned();
                    text.clear();
                }
                Event::Text(words) if item.is_some() => text.push_str(&words),
                Event::CData(words) if item.is_some() => text.push_str(&words),
                Event::GeneralRef(entity) if item.is_some() => match entity.resolve_char_ref() {
                    Ok(Some(letter)) => text.push(letter),
                    _ => text.push_str(resolve_predefined_entity(&entity).unwrap_or_default()),
                },
                Event::End(tag) if tag.name().as_ref() == "item" => {
                    if let Some(item) = item.take() {
                        return Ok(Some(item));
                    }
                }
                Event::End(tag) if tag.name().as_ref() == field => {
                    if let Some(item) = &mut item {
                        let text = std::mem::take(&mut text).trim().to_owned();
                        match field.as_str() {
                            "title" => item.title = text,
                            "dc:creator" => item.creator = text,
                            "description" => item.description = text,
                            "link" => item.link = text,
                            "pubDate" => item.date = text,
                            "guid" => item.guid = text,
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

fn records(ctx: &Context, item: &Item) -> Result<Vec<Record>, Unreadable> {
    let (topic, number) = named(&item.guid).ok_or_else(|| Unreadable("an item that is no post".to_owned()))?;
    let link = Url::parse(&item.link).map_err(|_| Unreadable("a post without a link".to_owned()))?;
    let (before, path) = item.link.split_once("/t/").ok_or_else(|| Unreadable("a post without a link".to_owned()))?;
    let mut place = Url::parse(before).ok().as_ref().and_then(Place::live).or_else(|| Place::live(&link));
    if let Some(place) = &mut place {
        place.community = ctx.community.clone().unwrap_or_else(|| place.community.clone());
    }
    let place = place.ok_or_else(|| Unreadable("a post without a link".to_owned()))?;
    let slug = path.split('/').next().filter(|s| s.parse::<u64>().is_err()).map(str::to_owned);
    let date = jiff::fmt::rfc2822::parse(&item.date).ok().map(|at| at.timestamp().to_string());
    let topic = Topic {
        id: Some(topic),
        title: Some(item.title.clone()),
        slug: slug.clone(),
        created_at: date.clone().filter(|_| number == 1),
        ..Topic::default()
    };
    let given = TopicPost {
        post_number: Some(number),
        topic_id: topic.id,
        topic_slug: slug,
        username: Some(item.creator.trim_start_matches('@').to_owned()),
        cooked: Some(without_link(&item.description, &item.link).to_owned()),
        created_at: date,
        ..TopicPost::default()
    };
    let post = post(ctx, &place, topic.id, &given)?;
    Ok(thread(&place, &topic).map(Record::Thread).into_iter().chain([post]).collect())
}

/// Topic and number out of `forum.example-post-7-2`.
fn named(guid: &str) -> Option<(u64, u64)> {
    let (_, numbers) = guid.rsplit_once("-post-")?;
    let (topic, number) = numbers.split_once('-')?;
    Some((topic.parse().ok()?, number.parse().ok()?))
}

/// A post's markup without the link to the post that the feed puts below it.
fn without_link<'a>(html: &'a str, link: &str) -> &'a str {
    let html = html.trim_end();
    let Some(at) = html.rfind("<p>") else { return html };
    let last = &html[at..];
    let only = last
        .strip_prefix("<p><a href=\"")
        .and_then(|rest| rest.strip_prefix(link))
        .is_some_and(|rest| rest.starts_with('"'));
    if only { &html[..at] } else { html }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::read_text;

    const FEED: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>Lost notes</title><link>https://forum.example/t/lost-notes/7</link><description>All gone.</description>
<atom:link href="https://forum.example/t/lost-notes/7.rss" rel="self" type="application/rss+xml" />
<item><title>Lost &amp; notes</title><dc:creator><![CDATA[@bob]]></dc:creator>
<description><![CDATA[<aside class="quote"><blockquote>All gone.</blockquote></aside><p>Same here.</p>
<p><a href="https://forum.example/t/lost-notes/7/2">Read full topic</a></p>]]></description>
<link>https://forum.example/t/lost-notes/7/2</link><pubDate>Sun, 01 Mar 2026 12:00:00 +0000</pubDate>
<guid isPermaLink="false">forum.example-post-7-2</guid></item>
</channel></rss>"#;

    #[test]
    fn a_feed_gives_the_posts_that_json_gives() {
        assert!(DiscourseFeed.sniff(FEED.as_bytes(), &super::super::Place::on_disk(std::path::Path::new("7.rss"))));
        let found = read_text(&DiscourseFeed, FEED, "7.rss");
        let [Ok(Record::Thread(thread)), Ok(Record::Post(post))] = &found[..] else { panic!("{found:?}") };
        assert_eq!((thread.id.as_str(), thread.title.as_str()), ("discourse:forum.example:7", "Lost & notes"));
        assert_eq!((post.id.as_str(), post.text.as_str()), ("discourse:forum.example:7#2", "Same here."));
        assert!(post.flags.quoted && post.author.is_some());
        assert_eq!(post.written_at.map(|t| t.to_string()).as_deref(), Some("2026-03-01T12:00:00Z"));
        assert_eq!(post.url.as_deref(), Some("https://forum.example/t/lost-notes/7/2"));
    }

    #[test]
    fn a_feed_cut_off_is_told() {
        let found = read_text(&DiscourseFeed, &FEED[..FEED.len() - 60], "7.rss");
        assert!(matches!(found.last(), Some(Err(_))), "{found:?}");
    }
}
