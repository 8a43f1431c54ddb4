//! Questions, answers and comments of Stack Exchange's sites, from its API and its data dump.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{Record, Unreadable, clean, instant, is_future, lenient};
use crate::collect::Context;
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::{Plain, html_to_text};
use crate::text::markdown::markdown_to_text;

/// Which site. Ids carry its name, because question 17 exists on every one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its host, or the name it was saved under.
    pub name: String,
    /// What people call it.
    pub community: String,
}

impl Site {
    /// The site that a folder of the dump is named after.
    pub fn of_folder(ctx: &Context, folder: Option<&str>) -> Self {
        let folder = folder.map(|f| f.trim_end_matches(".7z").trim_end_matches("-Posts").trim_start_matches("www."));
        let name = folder.filter(|f| !f.is_empty()).unwrap_or("stackexchange").to_owned();
        Self { community: ctx.community.clone().unwrap_or_else(|| name.clone()), name }
    }

    fn of_url(ctx: &Context, url: &str) -> Option<Self> {
        let url = Url::parse(url).ok().filter(|u| matches!(u.scheme(), "http" | "https"))?;
        let host = url.host_str()?;
        Some(Self::of_folder(ctx, Some(host)))
    }

    /// `https://` and the host, where that is known.
    fn base(&self) -> Option<String> {
        let is_host = self.name.contains('.') && !self.name.contains(|c: char| c.is_whitespace() || c == '/');
        is_host.then(|| format!("https://{}", self.name))
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Opens a thread.
    Question,
    /// To a question.
    Answer {
        /// Its id.
        question: u64,
    },
    /// On a question or an answer.
    Comment {
        /// The id of what it is on.
        post: u64,
        /// The question above, where `post` is an answer.
        question: Option<u64>,
    },
}

/// One of them, with its text already plain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "said by the names")]
pub struct Told {
    pub id: u64,
    pub kind: Kind,
    pub title: String,
    pub plain: Plain,
    pub author: Option<String>,
    pub bot: bool,
    pub written_at: Option<Timestamp>,
    pub edited_at: Option<Timestamp>,
    pub url: Option<String>,
}

/// The thread and what became of the post.
pub fn records(ctx: &Context, site: &Site, told: &Told) -> Vec<Record> {
    let native = |id: u64| format!("stack_exchange:{}:{id}", site.name);
    // Comments are numbered apart from posts.
    let id = match told.kind {
        Kind::Comment { .. } => format!("stack_exchange:{}:c{}", site.name, told.id),
        _ => native(told.id),
    };
    let (question, parent) = match told.kind {
        Kind::Question => (told.id, None),
        Kind::Answer { question } => (question, Some(question)),
        Kind::Comment { post, question } => (question.unwrap_or(post), Some(post)),
    };
    let is_question = told.kind == Kind::Question;
    let title = clean(told.title.trim().to_owned());
    let base = site.base();
    let thread = Thread {
        id: ThreadId::new(native(question)),
        source: Source::StackExchange,
        community: site.community.clone(),
        title: title.clone(),
        url: base.as_ref().map(|base| format!("{base}/questions/{question}")),
        started_at: told.written_at.filter(|_| is_question),
    };
    let text = clean(told.plain.text.clone());
    let text = if is_question { format!("{title}\n\n{text}").trim().to_owned() } else { text.trim().to_owned() };
    if text.is_empty() {
        let reason = if told.plain.quoted { "only quotes others" } else { "empty" };
        return vec![Record::Skipped { id, reason }];
    }
    let address = base.map(|base| match told.kind {
        Kind::Question => format!("{base}/questions/{}", told.id),
        Kind::Answer { .. } => format!("{base}/a/{}", told.id),
        Kind::Comment { post, .. } => format!("{base}/questions/{post}#comment{}_{post}", told.id),
    });
    let post = Post {
        id: PostId::new(id),
        thread: thread.id.clone(),
        parent: parent.map(|id| PostId::new(native(id))),
        source: Source::StackExchange,
        community: site.community.clone(),
        author: ctx.author(&format!("stack_exchange:{}", site.name), told.author.as_deref().unwrap_or_default()),
        written_at: told.written_at,
        edited_at: told.edited_at,
        url: told.url.clone().or(address),
        text,
        flags: PostFlags { bot: told.bot, quoted: told.plain.quoted, future: is_future(told.written_at, ctx.now) },
    };
    vec![Record::Thread(thread), Record::Post(post)]
}

/// An item of the API's replies.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Item {
    #[serde(deserialize_with = "lenient::whole")]
    question_id: Option<u64>,
    #[serde(deserialize_with = "lenient::whole")]
    answer_id: Option<u64>,
    #[serde(deserialize_with = "lenient::whole")]
    comment_id: Option<u64>,
    #[serde(deserialize_with = "lenient::whole")]
    post_id: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    title: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    body: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    body_markdown: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    link: Option<String>,
    #[serde(deserialize_with = "lenient::number")]
    creation_date: Option<f64>,
    #[serde(deserialize_with = "lenient::number")]
    last_edit_date: Option<f64>,
    #[serde(deserialize_with = "lenient::shape")]
    owner: Owner,
    #[serde(deserialize_with = "lenient::shape")]
    answers: Vec<Value>,
    #[serde(deserialize_with = "lenient::shape")]
    comments: Vec<Value>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Owner {
    #[serde(deserialize_with = "lenient::text")]
    user_id: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    display_name: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    link: Option<String>,
}

/// What a question, an answer or a comment of the API holds: itself, then its comments, then its answers.
/// `place` names the site where no link does.
pub fn item(ctx: &Context, place: &Site, value: Value) -> Vec<Result<Record, Unreadable>> {
    let mut found = Vec::new();
    // What stands in a question's answer is of the same site and thread.
    let mut stack = vec![(value, place.clone(), None, None)];
    while let Some((value, site, thread, parent)) = stack.pop() {
        let item = match Item::deserialize(value) {
            Ok(item) => item,
            Err(error) => {
                found.push(Err(Unreadable::json(&error)));
                continue;
            }
        };
        let linked = [&item.link, &item.owner.link].into_iter().flatten().find_map(|url| Site::of_url(ctx, url));
        let site = linked.unwrap_or(site);
        let (id, kind) = match (&item, thread) {
            (Item { comment_id: Some(id), .. }, _) => {
                let Some(post) = item.post_id.or(parent) else {
                    found.push(Err(Unreadable("a comment that names no post".to_owned())));
                    continue;
                };
                (*id, Kind::Comment { post, question: thread })
            }
            (Item { answer_id: Some(id), .. }, thread) => match item.question_id.or(thread) {
                Some(question) => (*id, Kind::Answer { question }),
                None => {
                    found.push(Err(Unreadable("an answer that names no question".to_owned())));
                    continue;
                }
            },
            (Item { question_id: Some(id), .. }, _) => (*id, Kind::Question),
            _ => {
                found.push(Err(Unreadable("neither a question, an answer nor a comment".to_owned())));
                continue;
            }
        };
        let question = match kind {
            Kind::Question => Some(id),
            Kind::Answer { question } => Some(question),
            Kind::Comment { .. } => None,
        };
        let below = item.comments.iter().chain(&item.answers).rev();
        stack.extend(below.map(|value| (value.clone(), site.clone(), question, Some(id))));
        let plain = match (&item.body, &item.body_markdown) {
            (Some(html), _) => html_to_text(html),
            (None, Some(markdown)) => markdown_to_text(&without_escapes(markdown)),
            (None, None) => {
                let mark = if matches!(kind, Kind::Comment { .. }) { "c" } else { "" };
                let id = format!("stack_exchange:{}:{mark}{id}", site.name);
                found.push(Ok(Record::Skipped { id, reason: "without body (ask the API with filter=withbody)" }));
                continue;
            }
        };
        let told = Told {
            id,
            kind,
            title: html_to_text(item.title.as_deref().unwrap_or_default()).text,
            plain,
            bot: item.owner.user_id.as_deref() == Some("-1"),
            author: item.owner.user_id.or(item.owner.display_name),
            written_at: item.creation_date.and_then(instant),
            edited_at: item.last_edit_date.and_then(instant),
            url: item.link.filter(|l| l.starts_with("https://") || l.starts_with("http://")),
        };
        found.extend(records(ctx, &site, &told).into_iter().map(Ok));
    }
    found
}

/// Markdown of the API has its letters as entities.
fn without_escapes(text: &str) -> String {
    let text = text.replace("&quot;", "\"").replace("&#39;", "'").replace("&#xA;", "\n").replace("&#xD;", "");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
