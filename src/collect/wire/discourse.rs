//! Discourse's topics and posts: `/t/ID.json`, `/t/ID/posts.json` (FORMATS d5).

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Record, Unreadable, clean, is_future, lenient, parse_instant, words};
use crate::collect::Context;
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::html_to_text;

/// Which forum. Ids carry its name, because post 17 exists on every forum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The host, or the name a saved topic was given.
    pub community: String,
    /// Address without a trailing slash; `None` for saved topics that do not tell it.
    pub base: Option<String>,
}

impl Place {
    /// A forum at an address; the host (with a port other than the usual one) names it.
    pub fn live(base: &Url) -> Option<Self> {
        let host = base.host_str()?;
        let community = base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Some(Self { community, base: Some(base.as_str().trim_end_matches('/').to_owned()) })
    }
}

/// A topic's body. `posts.json` has the same shape with most of it missing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are Discourse's")]
pub struct Topic {
    #[serde(deserialize_with = "lenient::whole")]
    pub id: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    pub title: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub slug: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub created_at: Option<String>,
    #[serde(deserialize_with = "lenient::whole")]
    pub posts_count: Option<u64>,
    pub post_stream: PostStream,
}

/// The posts of a page.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct PostStream {
    /// Posts, read one by one so that a broken one does not take the others with it.
    pub posts: Vec<Value>,
    /// Ids of all posts of the topic, in order; absent in topics of more than 10,000 posts.
    pub stream: Option<Vec<u64>>,
}

/// A post.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are Discourse's")]
pub struct TopicPost {
    #[serde(deserialize_with = "lenient::whole")]
    pub id: Option<u64>,
    #[serde(deserialize_with = "lenient::whole")]
    pub topic_id: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    pub topic_slug: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub topic_title: Option<String>,
    #[serde(deserialize_with = "lenient::whole")]
    pub post_number: Option<u64>,
    #[serde(deserialize_with = "lenient::whole")]
    pub reply_to_post_number: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    pub username: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub cooked: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub created_at: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub updated_at: Option<String>,
    #[serde(deserialize_with = "lenient::whole")]
    pub version: Option<u64>,
    #[serde(deserialize_with = "lenient::whole")]
    pub post_type: Option<u64>,
    #[serde(deserialize_with = "lenient::flag")]
    pub hidden: bool,
    #[serde(deserialize_with = "lenient::text")]
    pub deleted_at: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    pub user_deleted: bool,
}

/// The thread, and what became of each post of the page, in order.
pub fn records(ctx: &Context, place: &Place, topic: &Topic) -> Vec<Result<Record, Unreadable>> {
    let mut found: Vec<_> = thread(place, topic).map(|t| Ok(Record::Thread(t))).into_iter().collect();
    for value in &topic.post_stream.posts {
        let record = TopicPost::deserialize(value).map_err(|e| Unreadable::json(&e));
        found.push(record.and_then(|p| post(ctx, place, topic.id, &p)));
    }
    found
}

/// What the topic says to have beyond the `held` posts of its page.
pub fn absent(topic: &Topic, held: u64) -> Option<Record> {
    let all = topic.post_stream.stream.as_ref().map(|ids| ids.len() as u64).or(topic.posts_count)?;
    let count = u32::try_from(all.saturating_sub(held)).unwrap_or(u32::MAX);
    (count > 0).then_some(Record::Absent { count, reason: "posts that the page does not hold" })
}

/// The topic as a thread; `None` for a body that does not name its topic.
pub fn thread(place: &Place, topic: &Topic) -> Option<Thread> {
    let id = topic.id?;
    let slug = topic.slug.as_deref().filter(|s| is_slug(s)).unwrap_or("-");
    Some(Thread {
        id: thread_id(place, id),
        source: Source::Discourse,
        community: place.community.clone(),
        title: clean(topic.title.as_deref().unwrap_or_default().trim().to_owned()),
        url: place.base.as_ref().map(|base| format!("{base}/t/{slug}/{id}")),
        started_at: topic.created_at.as_deref().and_then(parse_instant),
    })
}

/// What became of one post. It stands in `topic`, the topic of its page; where that is not known, in the one it names.
///
/// # Errors
/// When it has no id or belongs to no topic.
pub fn post(ctx: &Context, place: &Place, topic: Option<u64>, post: &TopicPost) -> Result<Record, Unreadable> {
    let topic = topic.or(post.topic_id).ok_or_else(|| Unreadable("a post that names no topic".to_owned()))?;
    let id = match (post.post_number, post.id) {
        (Some(number), _) => numbered(place, topic, number),
        (None, Some(id)) => PostId::new(format!("discourse:{}:{id}", place.community)),
        (None, None) => return Err(Unreadable("a post without an id".to_owned())),
    };
    if post.deleted_at.is_some() || post.user_deleted {
        return Ok(Record::Removed(id));
    }
    let skip = |reason| Ok(Record::Skipped { id: id.as_str().to_owned(), reason });
    match post.post_type {
        Some(3) => return skip("small action"),
        Some(4) => return skip("whisper"),
        _ if post.hidden => return skip("hidden"),
        _ => {}
    }
    let plain = words::own(html_to_text(post.cooked.as_deref().unwrap_or_default()));
    let text = clean(plain.text).trim().to_owned();
    if text.is_empty() {
        return skip(if plain.quoted { "only quotes others" } else { "empty" });
    }
    let slug = post.topic_slug.as_deref().filter(|s| is_slug(s)).unwrap_or("-");
    let author = post.username.as_deref().unwrap_or_default();
    let written_at = post.created_at.as_deref().and_then(parse_instant);
    // Version 1 is the post as first written; `updated_at` also moves for other reasons.
    let edited = post.version.is_some_and(|v| v > 1);
    Ok(Record::Post(Post {
        thread: thread_id(place, topic),
        parent: post.reply_to_post_number.map(|number| numbered(place, topic, number)),
        source: Source::Discourse,
        community: place.community.clone(),
        author: ctx.author(&format!("discourse:{}", place.community), author),
        written_at,
        edited_at: post.updated_at.as_deref().filter(|_| edited).and_then(parse_instant),
        url: place.base.as_ref().map(|base| format!("{base}/t/{slug}/{topic}/{}", post.post_number.unwrap_or(1))),
        text,
        flags: PostFlags {
            bot: matches!(author, "system" | "discobot"),
            quoted: plain.quoted,
            future: is_future(written_at, ctx.now),
        },
        id,
    }))
}

/// The id of topic `id` at `place`.
pub fn thread_id(place: &Place, id: u64) -> ThreadId {
    ThreadId::new(format!("discourse:{}:{id}", place.community))
}

/// The id of post `number` in topic `topic`. A post's number is the one name that it has in JSON, in pages and in feeds.
pub fn numbered(place: &Place, topic: u64, number: u64) -> PostId {
    PostId::new(format!("discourse:{}:{topic}#{number}", place.community))
}

fn is_slug(slug: &str) -> bool {
    !slug.is_empty() && slug.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '%' | '.'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn context() -> Context {
        Context {
            author_key: [7; 32],
            now: "2026-08-01T00:00:00Z".parse().unwrap(),
            community: None,
            zone: crate::collect::Zone::default(),
        }
    }

    #[test]
    fn a_topic_becomes_a_thread_and_posts() {
        let topic = Topic::deserialize(json!({
            "id": 7, "title": "Lost notes", "slug": "lost-notes", "created_at": "2026-03-01T12:00:00.000Z",
            "post_stream": {"stream": [70, 71, 72, 73, 74], "posts": [
                {"id": 70, "post_number": 1, "topic_id": 7, "topic_slug": "lost-notes", "username": "ann", "post_type": 1,
                 "cooked": "<p>All gone.</p>", "created_at": "2026-03-01T12:00:00.000Z", "version": 1, "updated_at": "2026-03-09T00:00:00Z"},
                {"id": 71, "post_number": 2, "reply_to_post_number": 1, "username": "bob", "version": 2,
                 "updated_at": "2026-03-02T00:00:00Z",
                 "cooked": "<aside class=\"quote\"><blockquote>All gone.</blockquote></aside><p>Same.</p>"},
                {"id": 72, "post_type": 3, "cooked": ""},
                {"id": 73, "user_deleted": true, "cooked": "<p>(post deleted by author)</p>"},
                {"id": "no number"},
            ]},
        }))
        .unwrap();
        let place = Place::live(&Url::parse("https://forum.example/").unwrap()).unwrap();
        let found = records(&context(), &place, &topic);
        let [Ok(Record::Thread(thread)), Ok(Record::Post(one)), Ok(Record::Post(two)), Ok(action), Ok(gone), Err(_)] =
            &found[..]
        else {
            panic!("{found:?}")
        };
        assert_eq!(thread.id.as_str(), "discourse:forum.example:7");
        assert_eq!(thread.url.as_deref(), Some("https://forum.example/t/lost-notes/7"));
        assert_eq!((one.text.as_str(), one.edited_at), ("All gone.", None));
        assert_eq!(one.url.as_deref(), Some("https://forum.example/t/lost-notes/7/1"));
        assert_eq!((two.text.as_str(), two.flags.quoted), ("Same.", true));
        assert_eq!(two.parent.as_ref(), Some(&one.id));
        assert_eq!(two.thread, thread.id);
        assert!(two.edited_at.is_some());
        assert_eq!(action, &Record::Skipped { id: "discourse:forum.example:72".to_owned(), reason: "small action" });
        assert_eq!(gone, &Record::Removed(PostId::new("discourse:forum.example:73")));
    }

    #[test]
    fn what_a_mail_program_added_is_nobodys_words() {
        let place = Place { community: "f".to_owned(), base: None };
        let text = |cooked: &str| {
            let given = TopicPost { post_number: Some(1), cooked: Some(cooked.to_owned()), ..TopicPost::default() };
            match post(&context(), &place, Some(7), &given) {
                Ok(Record::Post(post)) => post.text,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(text("<p>It leaks.</p><p>Sent from my iPhone</p>"), "It leaks.");
        assert_eq!(text("<p>Mine.</p><p>-----Original Message-----<br>From: Ann<br>hers</p>"), "Mine.");
    }

    #[test]
    fn what_a_reply_answers_may_stand_on_an_earlier_page() {
        let place = Place { community: "f".to_owned(), base: None };
        let page = |posts: Value| Topic::deserialize(json!({"id": 7, "post_stream": {"posts": posts}})).unwrap();
        let later = page(json!([{"id": 99, "post_number": 21, "reply_to_post_number": 1, "cooked": "b"}]));
        match records(&context(), &place, &later).pop() {
            Some(Ok(Record::Post(post))) => assert_eq!(post.parent, Some(PostId::new("discourse:f:7#1"))),
            other => panic!("{other:?}"),
        }
    }
}
