//! Issues of GitLab and the notes under them: saved replies of its API. Merge requests are left out like
//! [pull requests](super::github).

use std::io::BufRead;

use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::github::{PULL_REQUEST, plain_text};
use super::shape::Shape;
use super::values::{Told, each_value, values};
use super::{Format, Place, Records};
use crate::collect::Context;
use crate::collect::wire::{Record, Unreadable, clean, is_future, lenient, parse_instant};
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};

/// The format.
pub(super) struct GitlabJson;

impl Format for GitlabJson {
    fn name(&self) -> &'static str {
        "GitLab issues and notes (JSON)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        ["", "[]."].iter().any(|at| {
            shape.all(at, &["iid", "project_id", "web_url", "title"])
                || shape.all(at, &["noteable_type", "noteable_id", "body"])
                || shape.all(at, &["individual_note", "notes[].noteable_id"])
        })
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let unnamed = ctx.community.clone().or_else(|| place.folder()).unwrap_or_else(|| "gitlab".to_owned());
        each_value(values(input), move |value| tell(ctx, &unnamed, value))
    }
}

/// An issue or a note.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    #[serde(deserialize_with = "lenient::whole")]
    id: Option<u64>,
    #[serde(deserialize_with = "lenient::whole")]
    iid: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    title: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    description: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    body: Option<String>,
    #[serde(deserialize_with = "lenient::shape")]
    author: Option<Account>,
    #[serde(deserialize_with = "lenient::text")]
    created_at: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    updated_at: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    web_url: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    source_branch: Option<String>,
    #[serde(deserialize_with = "lenient::whole")]
    noteable_id: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    noteable_type: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    system: bool,
    #[serde(deserialize_with = "lenient::flag")]
    confidential: bool,
    #[serde(deserialize_with = "lenient::flag")]
    internal: bool,
    #[serde(deserialize_with = "lenient::shape")]
    notes: Vec<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Account {
    #[serde(deserialize_with = "lenient::text")]
    username: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    bot: bool,
    #[serde(deserialize_with = "lenient::text")]
    web_url: Option<String>,
}

/// An issue, a note, or a discussion of notes of which the later answer the first.
fn tell(ctx: &Context, unnamed: &str, value: Value) -> Told {
    let mut told = Vec::new();
    let mut first = None;
    let mut waiting = std::collections::VecDeque::from([value]);
    while let Some(value) = waiting.pop_front() {
        let found = Item::deserialize(value).map_err(|e| Unreadable::json(&e)).and_then(|mut item| {
            waiting.extend(std::mem::take(&mut item.notes));
            if item.body.is_none() && item.iid.is_none() && !waiting.is_empty() {
                return Ok(Vec::new());
            }
            records(ctx, unnamed, &item, &mut first)
        });
        match found {
            Ok(records) => told.extend(records.into_iter().map(Ok)),
            Err(unreadable) => told.push(Err(unreadable)),
        }
    }
    told
}

fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_owned)
}

fn records(ctx: &Context, unnamed: &str, item: &Item, first: &mut Option<PostId>) -> Result<Vec<Record>, Unreadable> {
    let id = item.id.ok_or_else(|| Unreadable("no id".to_owned()))?;
    let author_url = item.author.as_ref().and_then(|a| a.web_url.as_deref());
    let host = item.web_url.as_deref().and_then(host).or_else(|| author_url.and_then(host));
    let host = host.unwrap_or_else(|| "gitlab".to_owned());
    let is_note = item.noteable_id.is_some();
    let native = if is_note { format!("github:{host}:note:{id}") } else { format!("github:{host}:issue:{id}") };
    let skip = |reason| Ok(vec![Record::Skipped { id: native.clone(), reason }]);
    let of_merge = item.web_url.as_deref().is_some_and(|url| url.contains("/merge_requests/"));
    if of_merge || item.source_branch.is_some() || item.noteable_type.as_deref() == Some("MergeRequest") {
        return skip(PULL_REQUEST);
    }
    if item.noteable_type.as_deref().is_some_and(|kind| kind != "Issue") {
        return skip("on no issue");
    }
    if item.system {
        return skip("system message");
    }
    if item.confidential || item.internal {
        return skip("confidential");
    }
    // `https://host/group/project/-/issues/17`, before 2019 without the dash.
    let path = item.web_url.as_deref().and_then(|url| url.split_once("://")?.1.split_once('/')).map(|(_, path)| path);
    let project = path.and_then(|path| path.split("/-/").next()?.split("/issues/").next());
    let community = clean(project.unwrap_or(unnamed).to_owned());
    let written_at = item.created_at.as_deref().and_then(parse_instant);
    let title = clean(item.title.as_deref().unwrap_or_default().trim().to_owned());
    let thread = Thread {
        id: ThreadId::new(format!("github:{host}:issue:{}", item.noteable_id.unwrap_or(id))),
        source: Source::Github,
        community: community.clone(),
        title: title.clone(),
        url: item.web_url.clone(),
        started_at: written_at.filter(|_| !is_note),
    };
    let plain = plain_text(item.body.as_deref().or(item.description.as_deref()).unwrap_or_default());
    let text = clean(plain.text);
    let text = if is_note { text } else { format!("{title}\n\n{text}").trim().to_owned() };
    if text.is_empty() {
        return skip(if plain.quoted { "only quotes others" } else { "empty" });
    }
    let post_id = PostId::new(native.clone());
    let parent = if is_note { first.clone() } else { None };
    if is_note && first.is_none() {
        *first = Some(post_id.clone());
    }
    let handle = item.author.as_ref().and_then(|a| a.username.as_deref()).unwrap_or_default();
    let edited = item.updated_at.as_deref().filter(|_| is_note).and_then(parse_instant);
    let post = Post {
        id: post_id,
        thread: thread.id.clone(),
        parent,
        source: Source::Github,
        community,
        author: ctx.author(&format!("github:{host}"), handle),
        written_at,
        edited_at: edited.filter(|at| Some(*at) > written_at),
        url: item.web_url.clone(),
        text,
        flags: PostFlags {
            bot: item.author.as_ref().is_some_and(|a| a.bot) || handle.ends_with("-bot"),
            quoted: plain.quoted,
            future: is_future(written_at, ctx.now),
        },
    };
    Ok(vec![Record::Thread(thread), Record::Post(post)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{read_text, reasons};

    #[test]
    fn issues_and_their_notes_meet_in_one_thread() {
        let place = Place::on_disk(std::path::Path::new("x"));
        let issues = r#"[{"id":80,"iid":7,"project_id":1,"title":"Drips","description":"At night.","author":{"username":"ann"},"created_at":"2026-03-01T12:00:00Z","updated_at":"2026-03-05T12:00:00Z","web_url":"https://git.example/pumps/drip/-/issues/7"},
            {"id":81,"iid":8,"project_id":1,"title":"Merge","description":"","source_branch":"x","web_url":"https://git.example/pumps/drip/-/merge_requests/8"}]"#;
        let notes = r#"[{"id":5,"individual_note":false,"notes":[
            {"id":5,"body":"Same.","author":{"username":"bob","web_url":"https://git.example/bob"},"noteable_id":80,"noteable_type":"Issue","system":false,"created_at":"2026-03-02T12:00:00Z","updated_at":"2026-03-03T12:00:00Z"},
            {"id":6,"body":"> Same.\n\nFixed.","author":{"username":"ann","web_url":"https://git.example/ann"},"noteable_id":80,"noteable_type":"Issue"},
            {"id":7,"body":"closed","author":{"username":"ann","web_url":"https://git.example/ann"},"noteable_id":80,"noteable_type":"Issue","system":true}]}]"#;
        assert!(GitlabJson.sniff(issues.as_bytes(), &place) && GitlabJson.sniff(notes.as_bytes(), &place));
        let found = read_text(&GitlabJson, issues, "x");
        let [Ok(Record::Thread(thread)), Ok(Record::Post(issue)), ..] = &found[..] else { panic!("{found:?}") };
        assert_eq!((issue.community.as_str(), issue.text.as_str()), ("pumps/drip", "Drips\n\nAt night."));
        assert_eq!(reasons(&found), [PULL_REQUEST]);
        let found = read_text(&GitlabJson, notes, "x");
        let posts: Vec<_> =
            found.iter().filter_map(|r| if let Ok(Record::Post(p)) = r { Some(p) } else { None }).collect();
        assert!(posts.iter().all(|p| p.thread == thread.id));
        assert_eq!((posts[1].parent.as_ref(), posts[1].text.as_str()), (Some(&posts[0].id), "Fixed."));
        assert!(posts[0].edited_at.is_some() && posts[0].parent.is_none());
        assert_eq!(reasons(&found), ["system message"]);
    }
}
