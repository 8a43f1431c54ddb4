//! A saved Discourse topic: the body of `/t/ID.json` (FORMATS d5).

use std::io::BufRead;

use serde_json::Value;

use super::pieces::{Piece, Pieces};
use super::{BadRecord, Format, Records, json};
use crate::collect::Context;
use crate::collect::wire::discourse::{Place, Topic, TopicPost, post, thread};
use crate::collect::wire::{Record, Unreadable};

/// The format.
pub(super) struct DiscourseTopic;

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
        let mut file = File { place: place(at, ctx), topic: Topic::default(), told: None };
        let (mut held, mut ahead, mut document) = (None, None, 0);
        Box::new(std::iter::from_fn(move || {
            loop {
                if let Some(record) = held.take() {
                    return Some(record);
                }
                let next = ahead.take().or_else(|| pieces.next());
                if pieces.document() != document {
                    // Another topic begins; what the last one is called may have come after its posts.
                    document = pieces.document();
                    ahead = next;
                    let last = file.tell();
                    (file.topic, file.told) = (Topic::default(), None);
                    match last {
                        Some(thread) => return Some(Ok(thread)),
                        None => continue,
                    }
                }
                let piece = match next {
                    None => return file.tell().map(Ok),
                    Some(Err(bad)) => {
                        held = Some(Err(bad));
                        match file.tell() {
                            Some(thread) => return Some(Ok(thread)),
                            None => continue,
                        }
                    }
                    Some(Ok(piece)) => piece,
                };
                let (record, byte, value) = match piece {
                    Piece::Item { record, byte, value } => (record, byte, value),
                    Piece::Member { key, value } => {
                        file.member(&key, &value);
                        continue;
                    }
                };
                let found = json::<TopicPost>(&value).and_then(|p| {
                    file.topic.id = file.topic.id.or(p.topic_id);
                    post(ctx, &file.place, file.topic.id, &p)
                });
                let found = found.map_err(|Unreadable(reason)| BadRecord::new(record, byte, reason));
                if file.told.is_none() && matches!(found, Ok(Record::Post(_))) {
                    held = Some(found);
                    return file.tell().map(Ok);
                }
                return Some(found);
            }
        }))
    }
}

/// What is known of the topic so far: its title comes after its posts.
struct File {
    place: Place,
    topic: Topic,
    told: Option<Record>,
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
            _ => {}
        }
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
