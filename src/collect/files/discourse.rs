//! Saved answers of Discourse: a topic, the body of `/t/ID.json` (FORMATS d5), and a forum's latest posts, `/posts.json`.

use std::collections::VecDeque;
use std::io::BufRead;

use serde::Deserialize as _;
use serde_json::Value;

use super::pieces::{Piece, Pieces};
use super::shape::Shape;
use super::values::{Told, each_value, items};
use super::{BadRecord, Format, Records, json};
use crate::collect::Context;
use crate::collect::wire::discourse::{Place, Topic, TopicPost, absent, post, thread};
use crate::collect::wire::{Record, Unreadable};

/// A topic.
pub(super) struct DiscourseTopic;

/// The latest posts of all topics.
pub(super) struct DiscourseLatest;

impl Format for DiscourseLatest {
    fn name(&self) -> &'static str {
        "Discourse latest posts JSON (/posts.json)"
    }

    fn sniff(&self, head: &[u8], _place: &super::Place) -> bool {
        Shape::of(head).all("latest_posts[].", &["cooked", "topic_id"])
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, at: &'a super::Place, ctx: &'a Context) -> Records<'a> {
        let place = place(at, ctx);
        each_value(items(input, &["latest_posts"]), move |value| latest(ctx, &place, value))
    }
}

/// A post that says itself which topic it stands in, and what that is called.
fn latest(ctx: &Context, place: &Place, value: Value) -> Told {
    let given = match TopicPost::deserialize(value) {
        Ok(given) => given,
        Err(error) => return vec![Err(Unreadable::json(&error))],
    };
    let found = post(ctx, place, None, &given);
    let TopicPost { topic_id: id, topic_title: title, topic_slug: slug, .. } = given;
    let told = thread(place, &Topic { id, title, slug, ..Topic::default() });
    let told = told.filter(|_| matches!(found, Ok(Record::Post(_))));
    told.map(|thread| Ok(Record::Thread(thread))).into_iter().chain([found]).collect()
}

impl Format for DiscourseTopic {
    fn name(&self) -> &'static str {
        "Discourse topic JSON (/t/ID.json)"
    }

    fn sniff(&self, head: &[u8], _place: &super::Place) -> bool {
        let head = String::from_utf8_lossy(head);
        // Where keys are sorted, the posts come after much else.
        head.trim_start().starts_with('{')
            && (head.contains("\"post_stream\"") || (head.contains("\"archetype\"") && head.contains("\"chunk_size\"")))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, at: &'a super::Place, ctx: &'a Context) -> Records<'a> {
        let mut pieces = Pieces::new(input, &["post_stream", "posts"]);
        let mut file = File { place: place(at, ctx), topic: Topic::default(), told: None, held: 0 };
        let (mut waiting, mut document, mut ended) = (VecDeque::new(), 0, false);
        Box::new(std::iter::from_fn(move || {
            loop {
                if let Some(record) = waiting.pop_front() {
                    return Some(record);
                }
                if ended {
                    return None;
                }
                let next = pieces.next();
                ended = next.is_none();
                if ended || pieces.document() != document {
                    // Another topic begins; what the last one is called may have come after its posts.
                    document = pieces.document();
                    waiting.extend(file.end().into_iter().map(Ok));
                }
                let (record, byte, value) = match next {
                    None => continue,
                    Some(Err(bad)) => {
                        waiting.extend(file.tell().map(Ok));
                        waiting.push_back(Err(bad));
                        continue;
                    }
                    Some(Ok(Piece::Member { key, value })) => {
                        file.member(&key, &value);
                        continue;
                    }
                    Some(Ok(Piece::Item { record, byte, value })) => (record, byte, value),
                };
                file.held += 1;
                let found = json::<TopicPost>(&value).and_then(|p| {
                    file.topic.id = file.topic.id.or(p.topic_id);
                    post(ctx, &file.place, file.topic.id, &p)
                });
                if file.told.is_none() && matches!(found, Ok(Record::Post(_))) {
                    waiting.extend(file.tell().map(Ok));
                }
                waiting.push_back(found.map_err(|Unreadable(reason)| BadRecord::new(record, byte, reason)));
            }
        }))
    }
}

/// What is known of the topic so far: its title comes after its posts.
struct File {
    place: Place,
    topic: Topic,
    told: Option<Record>,
    /// Posts met.
    held: u64,
}

impl File {
    fn member(&mut self, key: &str, value: &[u8]) {
        let value = json::<Value>(value).unwrap_or_default();
        match key {
            // Posts that were given out stand in the topic the first of them named.
            "id" => self.topic.id = self.topic.id.or(value.as_u64()),
            "title" => self.topic.title = value.as_str().map(str::to_owned),
            "slug" => self.topic.slug = value.as_str().map(str::to_owned),
            "created_at" => self.topic.created_at = value.as_str().map(str::to_owned),
            "posts_count" => self.topic.posts_count = value.as_u64(),
            "stream" => self.topic.post_stream.stream = serde_json::from_value(value).ok(),
            _ => {}
        }
    }

    /// What is left to say of a topic that ends here; the next one begins.
    fn end(&mut self) -> Vec<Record> {
        let left = self.tell().into_iter().chain(absent(&self.topic, self.held)).collect();
        *self = Self { place: self.place.clone(), topic: Topic::default(), told: None, held: 0 };
        left
    }

    /// The thread, when more is known of it than was told.
    fn tell(&mut self) -> Option<Record> {
        let thread = thread(&self.place, &self.topic).map(Record::Thread)?;
        (self.told.as_ref() != Some(&thread)).then(|| self.told.insert(thread).clone())
    }
}

/// A topic's body does not say which forum it is from; its folder does.
fn place(at: &super::Place, ctx: &Context) -> Place {
    Place { community: ctx.community.clone().or(at.folder()).unwrap_or_else(|| "discourse".to_owned()), base: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::read_text;

    const TOPIC: &str = r#"{"post_stream":{"posts":[{"id":70,"post_number":1,"topic_id":7,"username":"ann","cooked":"<p>Gone.</p>"},{"id":71,"post_number":2,"reply_to_post_number":1,"topic_id":7,"username":"bob","cooked":"<p>Same.</p>"}],"stream":[70,71]},"id":7,"title":"Lost notes","slug":"lost-notes","created_at":"2026-03-01T12:00:00.000Z","archetype":"regular"}"#;

    #[test]
    fn a_topic_is_read_with_its_title() {
        let found = read_text(&DiscourseTopic, TOPIC, "saved/vans/7.json");
        let [Ok(Record::Thread(_)), Ok(Record::Post(one)), Ok(Record::Post(two)), Ok(Record::Thread(thread))] =
            &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!((thread.id.as_str(), thread.title.as_str()), ("discourse:vans:7", "Lost notes"));
        assert_eq!((one.thread.as_str(), one.text.as_str()), ("discourse:vans:7", "Gone."));
        assert_eq!(two.parent.as_ref(), Some(&one.id));
    }

    #[test]
    fn posts_that_name_another_topic_stay_in_the_one_of_their_page() {
        let text = TOPIC.replacen("\"topic_id\":7", "\"topic_id\":8", 1);
        let found = read_text(&DiscourseTopic, &text, "vans/7.json");
        let threads = |record: &Result<Record, BadRecord>| match record {
            Ok(Record::Post(post)) => Some(post.thread.clone()),
            Ok(Record::Thread(thread)) => Some(thread.id.clone()),
            _ => None,
        };
        let threads: std::collections::BTreeSet<_> = found.iter().filter_map(threads).collect();
        assert_eq!(threads.len(), 1, "{found:?}");
    }

    #[test]
    fn the_latest_posts_are_those_of_their_topics() {
        let latest = r#"{"latest_posts":[{"id":71,"post_number":2,"reply_to_post_number":1,"topic_id":7,"topic_slug":"lost-notes","topic_title":"Lost notes","username":"bob","raw":"Same.","cooked":"<p>Same.</p>"},{"id":99}]}"#;
        let place = super::super::Place::on_disk(std::path::Path::new("saved/vans/posts.json"));
        assert!(DiscourseLatest.sniff(latest.as_bytes(), &place) && !DiscourseLatest.sniff(TOPIC.as_bytes(), &place));
        let found = read_text(&DiscourseLatest, latest, "saved/vans/posts.json");
        let [Ok(Record::Thread(thread)), Ok(post), Err(_)] = &found[..] else { panic!("{found:?}") };
        assert_eq!((thread.id.as_str(), thread.title.as_str()), ("discourse:vans:7", "Lost notes"));
        assert!(read_text(&DiscourseTopic, TOPIC, "saved/vans/7.json").contains(&Ok(post.clone())));
    }

    #[test]
    fn posts_that_the_body_only_names_are_counted() {
        let reasons = |stream: &str| -> Vec<Record> {
            let found = read_text(&DiscourseTopic, &TOPIC.replace("[70,71]", stream), "vans/7.json");
            found.into_iter().flatten().filter(|record| matches!(record, Record::Absent { .. })).collect()
        };
        assert_eq!(reasons("[70,71]"), []);
        let absent = Record::Absent { count: 3, reason: "posts that the page does not hold" };
        assert_eq!(reasons("[70,71,72,73,74]"), [absent]);
    }

    #[test]
    fn topics_one_after_the_other_are_all_read() {
        let other = TOPIC.replace("\"id\":7", "\"id\":8").replace("topic_id\":7", "topic_id\":8");
        let other = other.replace("Lost notes", "Found notes");
        let found = read_text(&DiscourseTopic, &format!("{TOPIC}\n{other}\n"), "saved/vans/all.json");
        let told: Vec<_> = found
            .iter()
            .map(|record| match record.as_ref().unwrap() {
                Record::Post(post) => post.thread.to_string(),
                Record::Thread(thread) => thread.title.clone(),
                _ => String::new(),
            })
            .collect();
        let (one, two) = ("discourse:vans:7", "discourse:vans:8");
        assert_eq!(told, ["", one, one, "Lost notes", "", two, two, "Found notes"]);
    }

    #[test]
    fn a_topic_cut_off_keeps_its_posts() {
        let found = read_text(&DiscourseTopic, &TOPIC[..TOPIC.len() - 100], "vans/7.json");
        assert_eq!(found.iter().filter(|r| matches!(r, Ok(Record::Post(_)))).count(), 2);
        assert!(matches!(found.last(), Some(Err(_))));
    }
}
