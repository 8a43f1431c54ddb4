//! What perceval, a collector of others', writes: one object a line, `{"backend_name", "origin", "data", …}`, in which `data` is
//! what the site's own API gave. It is read as if it lay in a file of its own.

use std::io::{BufRead, Cursor};

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{BadRecord, FORMATS, Format, HEAD_BYTES, Place, Records, json, jsonl, lines};
use crate::collect::Context;
use crate::collect::wire::{Record, Unreadable, lenient};

/// The format.
pub(super) struct Perceval;

/// What stands around an item in the replies of APIs, where perceval has taken it out.
const FRAMES: [(&str, &str); 5] = [
    ("", ""),
    ("[", "]"),
    (r#"{"messages":["#, "]}"),
    (r#"{"ok":true,"result":["#, "]}"),
    (r#"{"order":["x"],"posts":{"x":"#, "}}"),
];

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wrapper {
    #[serde(deserialize_with = "lenient::text")]
    backend_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    origin: Option<String>,
    data: Value,
}

impl Format for Perceval {
    fn name(&self) -> &'static str {
        "items of perceval (JSON lines) that wrap one of these"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        jsonl::has_line(head, |keys| keys("backend_name") && keys("data"))
            || jsonl::has_line(head, |keys| keys("backend_name") && keys("backend_version"))
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let mut lines = lines::Lines::new(input);
        let mut waiting = Vec::new().into_iter();
        Box::new(std::iter::from_fn(move || {
            loop {
                if let Some(record) = waiting.next() {
                    return Some(record);
                }
                let (record, byte, line) = match lines.next_line()? {
                    Ok(line) => line,
                    Err(bad) => return Some(Err(bad)),
                };
                match json::<Wrapper>(line).and_then(|wrapper| unwrapped(wrapper, place, ctx)) {
                    Ok(found) => waiting = at(found, record, byte).into_iter(),
                    Err(Unreadable(reason)) => return Some(Err(BadRecord::new(record, byte, reason))),
                }
            }
        }))
    }
}

/// The records of one item, by the format that knows it.
fn unwrapped(wrapper: Wrapper, place: &Place, ctx: &Context) -> Result<Vec<Result<Record, BadRecord>>, Unreadable> {
    let host = wrapper.origin.and_then(|origin| Url::parse(&origin).ok()?.host_str().map(str::to_owned));
    let ctx = Context { community: ctx.community.clone().or(host), ..ctx.clone() };
    let item = wrapper.data.to_string();
    for (before, after) in FRAMES {
        let framed = [before, &item, after].concat().into_bytes();
        let head = &framed[..framed.len().min(HEAD_BYTES)];
        let knows = |format: &&&dyn Format| format.name() != Perceval.name() && format.sniff(head, place);
        if let Some(format) = FORMATS.iter().find(knows) {
            return Ok(format.read(Box::new(Cursor::new(framed)), place, &ctx).collect());
        }
    }
    let backend = wrapper.backend_name.unwrap_or_default();
    Err(Unreadable(format!("an item of perceval's backend {backend:?}, whose data is of no format that is read")))
}

/// What is wrong with an item is wrong with its line.
fn at(found: Vec<Result<Record, BadRecord>>, record: u64, byte: u64) -> Vec<Result<Record, BadRecord>> {
    found.into_iter().map(|found| found.map_err(|bad| BadRecord::new(record, byte, bad.reason))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::read_text;
    use crate::model::Post;

    fn wrap(backend: &str, origin: &str, data: &str) -> String {
        format!(
            "{{\"backend_name\":\"{backend}\",\"backend_version\":\"0.1\",\"category\":\"x\",\"data\":{data},\"origin\":\"{origin}\",\"uuid\":\"u\"}}\n"
        )
    }

    fn posts(text: &str) -> Vec<Post> {
        assert!(Perceval.sniff(text.as_bytes(), &Place::on_disk(std::path::Path::new("x.json"))));
        let found = read_text(&Perceval, text, "saved/x.json");
        found
            .into_iter()
            .filter_map(|record| match record {
                Ok(Record::Post(post)) => Some(post),
                Ok(_) => None,
                Err(bad) => panic!("{bad:?}"),
            })
            .collect()
    }

    #[test]
    fn items_are_read_as_what_they_wrap() {
        let topic = |id: u64| {
            format!(
                r#"{{"post_stream":{{"posts":[{{"id":{id}0,"post_number":1,"topic_id":{id},"username":"ann","cooked":"<p>It drips.</p>"}}],"stream":[]}},"id":{id},"title":"Lost","slug":"lost"}}"#
            )
        };
        let forum = "https://forum.example/";
        let topics = posts(&(wrap("Discourse", forum, &topic(7)) + &wrap("Discourse", forum, &topic(8))));
        assert_eq!(topics.len(), 2, "each line is a topic of its own");
        assert_eq!(topics[1].community, "forum.example");
        let cases = [
            (
                "GitHub",
                r#"{"id":9,"number":7,"title":"It drips","html_url":"https://github.com/p/d/issues/7","user":{"login":"ann"},"body":"b","created_at":"2026-03-01T12:00:00Z"}"#,
            ),
            (
                "StackExchange",
                r#"{"question_id":1,"title":"Why","body":"<p>It drips.</p>","creation_date":1772366400,"link":"https://pumps.example/questions/1/why","owner":{"user_id":7}}"#,
            ),
            ("Slack", r#"{"type":"message","user":"U1","text":"It drips","ts":"1736478514.897649"}"#),
            (
                "Telegram",
                r#"{"update_id":1,"message":{"message_id":2,"date":1772366400,"chat":{"id":-1001234567890,"title":"Pump Talk","type":"supergroup"},"from":{"id":7},"text":"It drips"}}"#,
            ),
            (
                "Mattermost",
                r#"{"id":"a","create_at":1772366400000,"user_id":"v","channel_id":"c","root_id":"","message":"It drips","type":""}"#,
            ),
            ("RocketChat", r#"{"_id":"a","rid":"r","msg":"It drips","ts":"2026-03-01T12:00:00.000Z","u":{"_id":"u"}}"#),
            ("Gitter", r#"{"id":"a1","text":"It drips","sent":"2026-03-01T12:00:00.000Z","fromUser":{"id":"u1"}}"#),
        ];
        for (backend, data) in cases {
            let found = posts(&wrap(backend, "https://chat.example/x", data));
            assert_eq!(found.len(), 1, "{backend}");
            assert!(found[0].text.contains("drips"), "{backend}: {}", found[0].text);
        }
    }

    #[test]
    fn an_item_of_another_kind_says_whose_it_is() {
        let found = read_text(&Perceval, &wrap("Git", "x", r#"{"commit":"abc","message":"fix"}"#), "x.json");
        assert!(matches!(&found[..], [Err(bad)] if bad.record == 1 && bad.reason.contains("Git")), "{found:?}");
    }
}
