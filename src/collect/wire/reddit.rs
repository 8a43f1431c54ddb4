//! Reddit's submissions and comments: from the API, from Pushshift or from Arctic Shift, 2005 to today.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Record, Unreadable, clean, instant, is_future, lenient};
use crate::collect::Context;
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::markdown::{markdown_to_text, unescape};

const SITE: &str = "https://www.reddit.com";

/// A submission or a comment, as both the API and the dumps spell it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are Reddit's")]
pub struct Object {
    #[serde(deserialize_with = "lenient::text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub subreddit: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub author: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub title: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub selftext: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub body: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub link_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub link_title: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub parent_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    pub permalink: Option<String>,
    /// What inboxes have in place of `permalink`.
    #[serde(deserialize_with = "lenient::text")]
    pub context: Option<String>,
    #[serde(deserialize_with = "lenient::number")]
    pub created_utc: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    pub edited: Option<f64>,
    #[serde(deserialize_with = "lenient::text")]
    pub removed_by_category: Option<String>,
    /// True where a moderator looks at what was removed.
    #[serde(deserialize_with = "lenient::flag")]
    pub removed: bool,
    #[serde(deserialize_with = "lenient::flag")]
    pub spam: bool,
    #[serde(rename = "_meta")]
    pub meta: Value,
}

/// The thread (when the object may be kept) and what became of the object itself, in this order.
///
/// # Errors
/// When it has no id, or is neither a submission nor a comment.
pub fn records(ctx: &Context, object: &Object) -> Result<Vec<Record>, Unreadable> {
    let name = object.fullname()?;
    let id = PostId::new(format!("reddit:{name}"));
    if object.is_removed() {
        return Ok(vec![Record::Removed(id)]);
    }
    let skip = |reason| Ok(vec![Record::Skipped { id: format!("reddit:{name}"), reason }]);
    let subreddit = object.subreddit.as_deref().or_else(|| object.permalink_part("r")).unwrap_or_default();
    if subreddit.starts_with("u_") {
        return skip("posted to a user's own page");
    }
    let community = match (subreddit, &ctx.community) {
        ("", Some(given)) => given.clone(),
        ("", None) => "reddit".to_owned(),
        (subreddit, _) => clean(format!("r/{subreddit}")),
    };
    let written_at = object.created_utc.and_then(instant);
    let is_comment = name.starts_with("t1_");
    let link = if is_comment { object.link()? } else { name.clone() };
    let title = object.title.as_ref().or(object.link_title.as_ref()).map_or_else(String::new, |t| unescape(t));
    let thread = Thread {
        id: ThreadId::new(format!("reddit:{link}")),
        source: Source::Reddit,
        community: community.clone(),
        title: clean(title.trim().to_owned()),
        url: object.thread_url(is_comment),
        started_at: written_at.filter(|_| !is_comment),
    };
    let plain =
        markdown_to_text(if is_comment { &object.body } else { &object.selftext }.as_deref().unwrap_or_default());
    let mut text = clean(plain.text);
    if !is_comment {
        text = format!("{}\n\n{text}", thread.title).trim().to_owned();
    }
    if text.is_empty() {
        return skip(if plain.quoted { "only quotes others" } else { "empty" });
    }
    let parent = object.parent_id.as_deref().filter(|p| p.starts_with("t1_") || p.starts_with("t3_"));
    let author = object.author.as_deref().unwrap_or_default();
    let post = Post {
        id,
        thread: thread.id.clone(),
        parent: parent.map(|p| PostId::new(format!("reddit:{p}"))),
        source: Source::Reddit,
        community,
        author: ctx.author("reddit", author),
        written_at,
        edited_at: object.edited.and_then(instant),
        url: Some(object.url(&name, &link)),
        text,
        flags: PostFlags {
            bot: author.eq_ignore_ascii_case("automoderator") || author.ends_with("-ModTeam"),
            quoted: plain.quoted,
            future: is_future(written_at, ctx.now),
        },
    };
    Ok(vec![Record::Thread(thread), Record::Post(post)])
}

impl Object {
    /// `t3_x` for a submission, `t1_x` for a comment.
    fn fullname(&self) -> Result<String, Unreadable> {
        let name = self.name.as_deref().unwrap_or_default();
        let id = self.id.as_deref().unwrap_or_default();
        let prefixed = [name, id].into_iter().find(|n| n.starts_with("t1_") || n.starts_with("t3_"));
        let fullname = if let Some(name) = prefixed {
            name.to_owned()
        } else if self.body.is_some() || self.link_id.is_some() {
            format!("t1_{id}")
        } else if self.title.is_some() || self.selftext.is_some() {
            format!("t3_{id}")
        } else {
            return Err(Unreadable("neither a submission nor a comment: no title, no body".to_owned()));
        };
        let native = &fullname[3..];
        if native.is_empty() || !native.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Unreadable("no usable id".to_owned()));
        }
        Ok(fullname)
    }

    /// The submission that a comment stands under, as `t3_x`.
    fn link(&self) -> Result<String, Unreadable> {
        let link = self.link_id.as_deref().or_else(|| self.permalink_part("comments")).unwrap_or_default();
        let native = link.strip_prefix("t3_").unwrap_or(link);
        if native.is_empty() || !native.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(Unreadable("a comment without link_id: its thread is unknown".to_owned()));
        }
        Ok(format!("t3_{native}"))
    }

    /// Deleted by its author, by a moderator or by Reddit (FORMATS d1, d2).
    fn is_removed(&self) -> bool {
        let gone = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default().trim();
            let by = ["[deleted by user]", "[removed by ", "[ removed by "];
            let marked = || by.iter().any(|mark| text.get(..mark.len()).is_some_and(|t| t.eq_ignore_ascii_case(mark)));
            matches!(text, "[deleted]" | "[removed]") || (text.ends_with(']') && marked())
        };
        let deleted_later = self.meta.get("was_deleted_later").and_then(Value::as_bool) == Some(true);
        let named = |category: Option<&str>| category.is_some_and(|c| !c.is_empty());
        let category =
            named(self.removed_by_category.as_deref()) || named(self.meta.get("removal_type").and_then(Value::as_str));
        let marked = self.removed || self.spam || deleted_later || category;
        [&self.body, &self.selftext, &self.title].into_iter().any(gone) || marked
    }

    /// What follows `/part/` in the permalink.
    fn permalink_part(&self, part: &str) -> Option<&str> {
        let mut parts = self.address()?.split('/').skip_while(|p| *p != part);
        parts.nth(1).filter(|p| !p.is_empty())
    }

    fn address(&self) -> Option<&str> {
        let context = || self.context.as_deref().and_then(|c| c.split('?').next()).filter(|c| !c.is_empty());
        self.permalink.as_deref().or_else(context)
    }

    fn path(&self) -> Option<&str> {
        let permalink = self.address()?;
        let path = permalink.strip_prefix(SITE).unwrap_or(permalink);
        let tidy = path.starts_with('/') && !path.contains(|c: char| c.is_control() || c.is_whitespace());
        tidy.then_some(path)
    }

    fn url(&self, name: &str, link: &str) -> String {
        match self.path() {
            Some(path) => format!("{SITE}{path}"),
            None if name == link => format!("{SITE}/comments/{}/", &link[3..]),
            None => format!("{SITE}/comments/{}/_/{}/", &link[3..], &name[3..]),
        }
    }

    /// A comment's permalink goes on from its submission's.
    fn thread_url(&self, is_comment: bool) -> Option<String> {
        let path = self.path()?;
        if !is_comment {
            return Some(format!("{SITE}{path}"));
        }
        let parts: Vec<&str> = path.splitn(7, '/').collect();
        (parts.len() == 7).then(|| format!("{SITE}{}/", parts[..6].join("/")))
    }
}

/// Comments that a page names but does not hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct More {
    /// `_` with `count` 0 means: this branch goes on on a page of its own, at `parent_id`.
    pub id: String,
    /// Fullname of the parent.
    pub parent_id: String,
    /// Comments behind it, all levels.
    pub count: i64,
    /// Ids to ask for, without prefix.
    pub children: Vec<String>,
}

/// What a page holds, replies laid out after the comment they answer.
#[derive(Debug, Clone, Default)]
pub struct Unfolded {
    /// Submissions and comments in the order of the page.
    pub objects: Vec<Object>,
    /// What has to be asked for.
    pub more: Vec<More>,
    /// Where the outermost listing goes on; `None` at its end.
    pub after: Option<String>,
    /// Things that could not be read.
    pub broken: Vec<Unreadable>,
    /// Private messages.
    pub private: u64,
    /// Things that are none of these: accounts, subreddits.
    pub others: u64,
}

/// Lays out a page: a listing, a submission with its comment tree (an array of two listings), the reply of
/// `morechildren`, a collection, or things of an archive's API (`{"data": […]}`).
pub fn unfold(page: Value) -> Unfolded {
    let mut found = Unfolded::default();
    let mut first_listing = true;
    let mut stack = vec![page];
    while let Some(value) = stack.pop() {
        match value {
            Value::Array(items) => stack.extend(items.into_iter().rev()),
            Value::Object(mut thing) => {
                let kind = thing.get("kind").and_then(Value::as_str).map(str::to_owned);
                let data = thing.remove("data");
                match (kind.as_deref(), data) {
                    (Some("Listing"), Some(Value::Object(mut data))) => {
                        if std::mem::take(&mut first_listing) {
                            found.after = data.get("after").and_then(Value::as_str).map(str::to_owned);
                        }
                        stack.extend(data.remove("children"));
                    }
                    (Some("t1" | "t3"), Some(Value::Object(data))) => object(data, &mut stack, &mut found),
                    (Some("more"), Some(data)) => match More::deserialize(data) {
                        Ok(more) => found.more.push(more),
                        Err(error) => found.broken.push(Unreadable::json(&error)),
                    },
                    (None, Some(data @ Value::Array(_))) => stack.push(data),
                    (None, None) => match (thing.remove("json"), thing.remove("sorted_links")) {
                        (Some(mut json), _) => {
                            let things = json.get_mut("data").and_then(|d| d.get_mut("things"));
                            stack.extend(things.map(Value::take));
                        }
                        (None, Some(links)) => stack.push(links),
                        (None, None) => object(thing, &mut stack, &mut found),
                    },
                    (Some("t4"), _) => found.private += 1,
                    _ => found.others += 1,
                }
            }
            // `replies` is an empty string where there are none.
            _ => {}
        }
    }
    found
}

fn object(mut data: Map<String, Value>, stack: &mut Vec<Value>, found: &mut Unfolded) {
    stack.extend(data.remove("replies"));
    match Object::deserialize(Value::Object(data)) {
        Ok(object) => found.objects.push(object),
        Err(error) => found.broken.push(Unreadable::json(&error)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
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

    fn read(value: Value) -> Vec<Record> {
        records(&context(), &Object::deserialize(value).unwrap()).unwrap()
    }

    fn post(value: Value) -> Post {
        match read(value).pop() {
            Some(Record::Post(post)) => post,
            other => panic!("no post but {other:?}"),
        }
    }

    #[test]
    fn a_submission_is_its_title_and_its_text() {
        let both =
            post(json!({"id": "a1", "subreddit": "x", "title": "T &amp; U", "selftext": "Body.", "author": "sam",
            "created_utc": "1772366400", "edited": 1772366500.0, "permalink": "/r/x/comments/a1/t/"}));
        assert_eq!(both.id.as_str(), "reddit:t3_a1");
        assert_eq!(both.text, "T & U\n\nBody.");
        assert_eq!(both.community, "r/x");
        assert_eq!(both.url.as_deref(), Some("https://www.reddit.com/r/x/comments/a1/t/"));
        assert_eq!(both.written_at, instant(1_772_366_400.0));
        assert_eq!(both.edited_at, instant(1_772_366_500.0));
        let link = post(json!({"id": "a2", "subreddit": "x", "title": "Look", "selftext": "", "url": "http://y"}));
        assert_eq!(link.text, "Look");
        assert_eq!(link.url.as_deref(), Some("https://www.reddit.com/comments/a2/"));
    }

    #[test]
    fn a_comment_brings_its_thread() {
        let found = read(json!({"id": "c1", "link_id": "t3_a1", "parent_id": "t1_c0", "body": "> he said\n\nNo.",
            "author": "[deleted]", "subreddit": "x", "edited": true, "replies": "",
            "permalink": "/r/x/comments/a1/title_here/c1/", "created_utc": 4_000_000_000_u64}));
        let [Record::Thread(thread), Record::Post(post)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(thread.id.as_str(), "reddit:t3_a1");
        assert_eq!(thread.url.as_deref(), Some("https://www.reddit.com/r/x/comments/a1/title_here/"));
        assert_eq!((post.text.as_str(), post.flags.quoted, post.flags.future), ("No.", true, true));
        assert_eq!(post.parent.as_ref().map(PostId::as_str), Some("reddit:t1_c0"));
        assert_eq!((&post.author, post.edited_at), (&None, None));
    }

    #[test]
    fn deleted_means_deleted() {
        let gone = [
            json!({"id": "a", "title": "T", "selftext": "[removed]", "subreddit": "x"}),
            json!({"id": "a", "title": "[deleted by user]", "selftext": "", "subreddit": "x"}),
            json!({"id": "a", "title": "[deleted]", "selftext": "x", "subreddit": "x"}),
            json!({"id": "a", "title": "[ Removed by moderator ]", "selftext": "x", "subreddit": "x"}),
            json!({"id": "a", "title": "T", "selftext": "[deleted by user]", "subreddit": "x"}),
            json!({"id": "a", "title": "T", "selftext": "still here", "removed_by_category": "moderator"}),
            json!({"id": "a", "title": "T", "selftext": "[ Removed by Reddit on account of … ]"}),
            json!({"name": "t3_a", "title": "T", "selftext": "x", "_meta": {"was_deleted_later": true}}),
            json!({"name": "t3_a", "title": "T", "selftext": "x", "_meta": {"removal_type": "moderator"}}),
            json!({"name": "t3_a", "title": "T", "selftext": "x", "spam": true}),
            json!({"name": "t3_a", "title": "T", "selftext": "x", "removed": true}),
        ];
        for value in gone {
            assert_eq!(read(value.clone()), [Record::Removed(PostId::new("reddit:t3_a"))], "{value}");
        }
        let comment = json!({"id": "b", "link_id": "t3_a", "body": "[deleted]", "author": "[deleted]"});
        assert_eq!(read(comment), [Record::Removed(PostId::new("reddit:t1_b"))]);
        // The account is gone, the words were left.
        let kept = post(json!({"id": "a", "title": "T", "selftext": "words", "author": "[deleted]"}));
        assert_eq!(kept.author, None);
    }

    #[test]
    fn what_is_left_out_says_why() {
        let reason = |value| match read(value).pop() {
            Some(Record::Skipped { reason, .. }) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(json!({"id": "b", "link_id": "t3_a", "body": "> his"})), "only quotes others");
        assert_eq!(reason(json!({"id": "b", "link_id": "t3_a", "body": " "})), "empty");
        assert_eq!(reason(json!({"id": "b", "title": "x", "subreddit": "u_sam"})), "posted to a user's own page");
        for value in [json!({}), json!({"id": "x"}), json!({"title": "no id"}), json!({"id": "c", "body": "no thread"})]
        {
            assert!(records(&context(), &Object::deserialize(&value).unwrap()).is_err(), "{value}");
        }
    }

    #[test]
    fn pages_are_laid_out_in_order() {
        let comment = |id: &str, replies: Value| json!({"kind": "t1", "data": {"id": id, "link_id": "t3_a", "body": id, "replies": replies}});
        let listing = |children: Value| json!({"kind": "Listing", "data": {"after": null, "children": children}});
        let more = json!({"kind": "more", "data": {"id": "_", "parent_id": "t1_c2", "count": 0, "children": []}});
        let tree = json!([
            {"kind": "Listing", "data": {"after": "t3_z", "children": [{"kind": "t3", "data": {"id": "a", "title": "T"}}]}},
            listing(json!([comment("c1", listing(json!([comment("c2", listing(json!([more])))]))), comment("c3", json!(""))])),
        ]);
        let found = unfold(tree);
        let ids: Vec<_> = found.objects.iter().filter_map(|o| o.id.as_deref()).collect();
        assert_eq!(ids, ["a", "c1", "c2", "c3"]);
        assert_eq!(found.more.len(), 1);
        assert_eq!(found.after.as_deref(), Some("t3_z"));
        let things = unfold(json!({"json": {"errors": [], "data": {"things": [comment("c4", json!(""))]}}}));
        assert_eq!(things.objects.len(), 1);
        assert_eq!(unfold(json!({"data": [{"id": "c5", "body": "x"}]})).objects.len(), 1);
    }

    proptest! {
        #[test]
        fn any_strings_are_survived(id in ".{0,6}", name in "(t[0-9]_)?.{0,4}", link in ".{0,8}", permalink in "(/?(r|comments|é|)/?){0,8}", body in ".{0,30}") {
            let object = Object { id: Some(id), name: Some(name), link_id: Some(link), permalink: Some(permalink), body: Some(body), ..Object::default() };
            if let Ok(found) = records(&context(), &object) {
                prop_assert!(!found.is_empty());
            }
        }
    }
}
