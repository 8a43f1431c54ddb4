//! Issues and discussions of GitHub: replies of its API (REST and GraphQL, one or many) and what `gh issue list --json` writes.
//!
//! Pull requests, with what is said under them, are kept apart: they are about the code, by those who write it. They are
//! counted and left out.

use std::io::BufRead;

use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::shape::Shape;
use super::values::{Told, each_value, values};
use super::{Format, Place, Records};
use crate::collect::Context;
use crate::collect::wire::{Record, Unreadable, clean, is_future, lenient, parse_instant};
use crate::model::id::content_hash;
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::text::html::Plain;
use crate::text::mail::mail_to_text;
use crate::text::markdown::markdown_to_text;

/// The format.
pub(super) struct GithubJson;

/// Why pull requests are left out.
pub(super) const PULL_REQUEST: &str = "pull request";

impl Format for GithubJson {
    fn name(&self) -> &'static str {
        "GitHub issues and discussions (JSON)"
    }

    fn sniff(&self, head: &[u8], _place: &Place) -> bool {
        let shape = Shape::of(head);
        let has = |at: &str, key: &str| shape.has(&format!("{at}{key}"));
        let listed = ["", "[].", "items[].", "[].items[]."].iter().any(|at| {
            let opening = shape.all(at, &["number", "title"]);
            let rest = has(at, "html_url") && has(at, "user");
            let by_tool = has(at, "body") && (has(at, "author.login") || has(at, "createdAt"));
            let answer =
                has(at, "body") && has(at, "html_url") && (has(at, "issue_url") || has(at, "pull_request_url"));
            (opening && (rest || by_tool)) || answer
        });
        // GraphQL: what was asked for stands somewhere below `data`.
        let asked = |path: &str| {
            let Some(below) = path.strip_prefix("[].").unwrap_or(path).strip_prefix("data.") else { return false };
            let roots = ["repository", "node", "search", "viewer", "organization", "user", "resource"];
            let rooted = roots.iter().any(|r| below.starts_with(r))
                || below.contains(".nodes[].")
                || below.contains(".edges[].");
            let above = path.strip_suffix("body").or_else(|| path.strip_suffix("bodyText"));
            rooted && above.is_some_and(|at| has(at, "createdAt") || has(at, "author") || has(at, "url"))
        };
        listed || shape.paths().any(asked)
    }

    fn read<'a>(&self, input: Box<dyn BufRead + 'a>, place: &'a Place, ctx: &'a Context) -> Records<'a> {
        let unnamed = ctx.community.clone().or_else(|| place.folder()).unwrap_or_else(|| "github".to_owned());
        each_value(values(input), move |value| tell(ctx, &unnamed, value))
    }
}

/// An issue, a discussion, a comment or a reply, in the spelling of any of the three.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Node {
    #[serde(deserialize_with = "lenient::text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient::whole")]
    number: Option<u64>,
    #[serde(deserialize_with = "lenient::text")]
    title: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    body: Option<String>,
    #[serde(rename = "bodyText", deserialize_with = "lenient::text")]
    body_text: Option<String>,
    #[serde(deserialize_with = "lenient::shape")]
    user: Option<Account>,
    #[serde(deserialize_with = "lenient::shape")]
    author: Option<Account>,
    #[serde(deserialize_with = "lenient::text")]
    created_at: Option<String>,
    #[serde(rename = "createdAt", deserialize_with = "lenient::text")]
    created: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    updated_at: Option<String>,
    #[serde(rename = "lastEditedAt", deserialize_with = "lenient::text")]
    last_edited: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    html_url: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    url: Option<String>,
    #[serde(deserialize_with = "lenient::text")]
    issue_url: Option<String>,
    pull_request: Value,
    pull_request_url: Value,
    #[serde(rename = "isPullRequest", deserialize_with = "lenient::flag")]
    is_pull_request: bool,
    #[serde(rename = "isMinimized", deserialize_with = "lenient::flag")]
    is_minimized: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Account {
    #[serde(deserialize_with = "lenient::text")]
    login: Option<String>,
    #[serde(rename = "type", deserialize_with = "lenient::text")]
    kind: Option<String>,
    #[serde(rename = "__typename", deserialize_with = "lenient::text")]
    type_name: Option<String>,
    #[serde(deserialize_with = "lenient::flag")]
    is_bot: bool,
}

impl Account {
    fn is_bot(&self) -> bool {
        let login = self.login.as_deref().unwrap_or_default();
        let bot = |kind: &Option<String>| kind.as_deref() == Some("Bot");
        self.is_bot || bot(&self.kind) || bot(&self.type_name) || login.ends_with("[bot]") || login.starts_with("app/")
    }
}

/// What an address on a code host says: `https://host/owner/name/issues/17#issuecomment-4`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Address {
    /// `owner/name`, with the host before it where that is not github.com.
    repository: String,
    /// `issue`, `discussion`; `None` for pull requests.
    kind: Option<&'static str>,
    number: u64,
    comment: Option<String>,
}

impl Address {
    fn parse(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let host = url.host_str()?;
        let mut parts: Vec<&str> = url.path().trim_matches('/').split('/').collect();
        // `api.github.com/repos/owner/name/issues/17`, and `host/api/v3/repos/…` where it is one's own.
        if let Some(at) = parts.iter().position(|p| *p == "repos").filter(|at| *at < 3) {
            parts.drain(..=at);
        }
        let [owner, name, kind, number, ..] = parts[..] else { return None };
        let kind = match kind {
            "issues" => Some("issue"),
            "discussions" => Some("discussion"),
            "pull" | "pulls" => None,
            _ => return None,
        };
        let host = host.strip_prefix("api.").or(host.strip_prefix("www.")).unwrap_or(host);
        let repository = format!("{owner}/{name}");
        let comment = url.fragment().and_then(|f| f.rsplit_once('-')).map(|(_, id)| id.to_owned());
        Some(Self {
            repository: if host == "github.com" { repository } else { format!("{host}/{repository}") },
            kind,
            number: number.parse().ok()?,
            comment: comment.filter(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit())),
        })
    }
}

/// What stands above a node.
#[derive(Debug, Clone, Default)]
struct Above {
    repository: Option<String>,
    thread: Option<Thread>,
    parent: Option<PostId>,
    left_out: bool,
}

/// Keys below which nodes of a reply stand.
const HOLDERS: [&str; 16] = [
    "data",
    "repository",
    "node",
    "viewer",
    "search",
    "issues",
    "discussions",
    "issue",
    "discussion",
    "nodes",
    "edges",
    "items",
    "comments",
    "replies",
    "organization",
    "pullRequests",
];

/// All that a value holds, what opens a thread before what is said in it.
fn tell(ctx: &Context, unnamed: &str, value: Value) -> Told {
    let mut told = Vec::new();
    let mut stack = vec![(value, Above::default())];
    while let Some((value, above)) = stack.pop() {
        let mut object = match value {
            Value::Array(items) => {
                stack.extend(items.into_iter().rev().map(|item| (item, above.clone())));
                continue;
            }
            Value::Object(object) => object,
            Value::Null => continue,
            _ => {
                told.push(Err(Unreadable("not the expected JSON: no issue and no comment".to_owned())));
                continue;
            }
        };
        let mut above = above;
        // Names of what was asked for are the asker's (`bugs: issues(…)`), so below `data` every key is looked into.
        let asked = object.remove("data");
        let of = |object: &Map<String, Value>| object.get("nameWithOwner").and_then(Value::as_str).map(str::to_owned);
        let named = of(&object).or_else(|| of(object.get("repository")?.as_object()?));
        above.repository = named.or(above.repository);
        let is_post = ["body", "bodyText"].iter().any(|key| object.contains_key(*key))
            || (object.contains_key("number") && object.contains_key("title"));
        let holders: &[&str] = if is_post { &["comments", "replies"] } else { &HOLDERS };
        let inner: Vec<Value> = holders.iter().rev().filter_map(|key| object.remove(*key)).collect();
        if is_post {
            match Node::deserialize(Value::Object(object)).map_err(|e| Unreadable::json(&e)) {
                Ok(node) => match records(ctx, unnamed, &node, &mut above) {
                    Ok(records) => told.extend(records.into_iter().map(Ok)),
                    Err(unreadable) => told.push(Err(unreadable)),
                },
                Err(unreadable) => told.push(Err(unreadable)),
            }
        } else if inner.is_empty()
            && asked.is_none()
            && !["pageInfo", "totalCount"].iter().any(|key| object.contains_key(*key))
        {
            let holds = |v: &Value| v.is_object() || v.is_array();
            let others: Vec<Value> = object.into_iter().map(|(_, v)| v).filter(holds).collect();
            if others.is_empty() {
                told.push(Err(Unreadable("neither an issue, a discussion nor a comment".to_owned())));
            }
            stack.extend(others.into_iter().rev().map(|v| (v, above.clone())));
            continue;
        }
        // A count of comments is no comment.
        let below = inner.into_iter().chain(asked).filter(|v| v.is_object() || v.is_array());
        stack.extend(below.map(|v| (v, above.clone())));
    }
    told
}

fn records(ctx: &Context, unnamed: &str, node: &Node, above: &mut Above) -> Result<Vec<Record>, Unreadable> {
    let web = node.html_url.as_deref().or(node.url.as_deref().filter(|u| !u.contains("://api."))).map(str::to_owned);
    let told = [&node.html_url, &node.url, &node.issue_url];
    let address = told.into_iter().flatten().find_map(|url| Address::parse(url));
    let id_without_address = || node.id.clone().or(node.number.map(|n| n.to_string())).unwrap_or_default();
    let pull = node.is_pull_request
        || node.pull_request.is_object()
        || node.pull_request_url.is_string()
        || address.as_ref().is_some_and(|a| a.kind.is_none());
    above.left_out |= pull;
    if above.left_out {
        return Ok(vec![Record::Skipped { id: format!("github:{}", id_without_address()), reason: PULL_REQUEST }]);
    }
    let repository = address.as_ref().map(|a| a.repository.clone()).or(above.repository.clone());
    let repository = repository.unwrap_or_else(|| unnamed.to_owned());
    // Names of repositories are the same in any case.
    let key = repository.to_lowercase();
    let kind = address.as_ref().and_then(|a| a.kind).unwrap_or("issue");
    let number = address.as_ref().map(|a| a.number);
    let opens = node.number.is_some() && node.title.is_some();
    let account = node.user.as_ref().or(node.author.as_ref());
    // `ghost` stands for all deleted accounts.
    let login = account.and_then(|a| a.login.as_deref()).filter(|login| *login != "ghost").unwrap_or_default();
    let author = ctx.author("github", login);
    let written = node.created_at.as_deref().or(node.created.as_deref());
    let written_at = written.and_then(parse_instant);
    let Plain { text, quoted } = match (&node.body, &node.body_text) {
        (Some(body), _) => plain_text(body),
        (None, Some(text)) => Plain { text: text.trim().to_owned(), quoted: false },
        (None, None) => Plain::default(),
    };
    let thread = match (&above.thread, number.or(node.number.filter(|_| opens))) {
        (Some(thread), _) if !opens => thread.clone(),
        (_, Some(number)) => Thread {
            id: ThreadId::new(format!("github:{key}:{kind}:{number}")),
            source: Source::Github,
            community: clean(repository),
            title: clean(node.title.as_deref().filter(|_| opens).unwrap_or_default().trim().to_owned()),
            url: web.as_deref().map(|url| url.split('#').next().unwrap_or(url).to_owned()),
            started_at: written_at.filter(|_| opens),
        },
        _ => return Err(Unreadable("a comment that does not say what it is on".to_owned())),
    };
    let id = if opens {
        thread.id.as_str().to_owned()
    } else {
        let comment = address.as_ref().and_then(|a| a.comment.clone()).or_else(|| node.id.clone());
        let comment = comment.unwrap_or_else(|| {
            let author = author.as_ref().map_or("", |a| a.as_str());
            content_hash(&[thread.id.as_str(), author, written.unwrap_or_default(), &text])
        });
        format!("github:{key}:{kind}-comment:{comment}")
    };
    let parent = above.parent.clone();
    above.thread = Some(thread.clone());
    // Under an issue all stand in one row; in a discussion each says what it answers.
    above.parent = (kind == "discussion").then(|| PostId::new(id.clone()));
    if node.is_minimized {
        return Ok(vec![Record::Skipped { id, reason: "hidden" }]);
    }
    let text = clean(text);
    let text = if opens { format!("{}\n\n{text}", thread.title).trim().to_owned() } else { text };
    if text.is_empty() {
        return Ok(vec![Record::Skipped { id, reason: if quoted { "only quotes others" } else { "empty" } }]);
    }
    // An issue is also called updated when somebody comments on it.
    let updated =
        node.updated_at.as_deref().filter(|_| !opens).and_then(parse_instant).filter(|at| Some(*at) > written_at);
    let post = Post {
        id: PostId::new(id),
        thread: thread.id.clone(),
        parent,
        source: Source::Github,
        community: thread.community.clone(),
        author,
        written_at,
        edited_at: node.last_edited.as_deref().and_then(parse_instant).or(updated),
        url: web,
        text,
        flags: PostFlags { bot: account.is_some_and(Account::is_bot), quoted, future: is_future(written_at, ctx.now) },
    };
    Ok(vec![Record::Thread(thread), Record::Post(post)])
}

/// A body's own words: without the hints of templates (`<!-- … -->`), without quotations, and of answers that came by mail
/// without what the mail program added. What a mail quotes is cut while the line that says whose it is stands above it.
pub(super) fn plain_text(body: &str) -> Plain {
    let body = without_comments(&body.replace("\r\n", "\n"));
    let marks = ["Reply to this email directly", "You are receiving this because", "<notifications@github.com> wrote:"];
    if !marks.iter().any(|mark| body.contains(mark)) {
        return markdown_to_text(&body);
    }
    let own = mail_to_text(&body);
    let plain = markdown_to_text(&own.text);
    Plain { text: plain.text, quoted: plain.quoted || own.quoted }
}

/// `text` without comments of HTML, except in code and where no mark ends one.
fn without_comments(text: &str) -> String {
    const ENDS: &str = "-->";
    let mut out = String::with_capacity(text.len());
    let (mut fenced, mut inside) = (false, false);
    let last_end = text.rfind(ENDS).unwrap_or(0);
    // Where the rest of a line ends.
    let mut end_at = 0;
    for line in text.split_inclusive('\n') {
        let mut rest = line.trim_end_matches('\n');
        end_at += rest.len();
        if !inside && (rest.trim_start().starts_with("```") || rest.trim_start().starts_with("~~~")) {
            fenced = !fenced;
        }
        let mut cut = false;
        let mut kept = String::new();
        while !fenced || inside {
            if inside {
                cut = true;
                let Some(end) = rest.find(ENDS) else {
                    rest = "";
                    break;
                };
                rest = &rest[end + ENDS.len()..];
                inside = false;
            } else {
                let Some(begin) = comment(rest).filter(|at| end_at - rest.len() + at + 4 <= last_end) else { break };
                kept.push_str(&rest[..begin]);
                rest = &rest[begin + 4..];
                inside = true;
            }
        }
        kept.push_str(rest);
        if !(cut || inside) || !kept.trim().is_empty() {
            out.push_str(&kept);
            out.push('\n');
        }
        end_at += usize::from(line.ends_with('\n'));
    }
    out
}

/// Where the first comment of a line begins that stands in no code between backticks.
fn comment(line: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += line[at..].find(['`', '<'])?;
        if line[at..].starts_with("<!--") {
            return Some(at);
        }
        let marks = line[at..].bytes().take_while(|b| *b == b'`').count();
        let closing = (marks > 0).then(|| code_end(line, at + marks, marks)).flatten();
        at = closing.unwrap_or(at + marks.max(1));
    }
}

/// Where code ends that begins at `at` after so many backticks: after as many.
fn code_end(line: &str, mut at: usize, marks: usize) -> Option<usize> {
    loop {
        at += line[at..].find('`')?;
        let found = line[at..].bytes().take_while(|b| *b == b'`').count();
        at += found;
        if found == marks {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::files::tests::{read_text, reasons};

    fn posts(text: &str) -> Vec<Post> {
        assert!(GithubJson.sniff(text.as_bytes(), &Place::on_disk(std::path::Path::new("x"))), "{text}");
        let found = read_text(&GithubJson, text, "saved/x.json");
        found.into_iter().filter_map(|r| if let Ok(Record::Post(post)) = r { Some(post) } else { None }).collect()
    }

    const ISSUE: &str = "https://github.com/Pumps/drip/issues/7";

    #[test]
    fn rest_graphql_and_the_tool_give_the_same_posts() {
        let rest = format!(
            r#"[{{"url":"https://api.github.com/repos/Pumps/drip/issues/7","html_url":"{ISSUE}","id":99,"number":7,"title":"It drips","user":{{"login":"ann","type":"User"}},"body":"<!-- say what\r\nyou see -->\r\nAt night.","comments":1,"created_at":"2026-03-01T12:00:00Z","updated_at":"2026-03-09T12:00:00Z"}},
            {{"id":41,"html_url":"{ISSUE}#issuecomment-41","issue_url":"https://api.github.com/repos/Pumps/drip/issues/7","user":{{"login":"fix[bot]","type":"Bot"}},"body":"> At night.\n\nHere too.","created_at":"2026-03-02T12:00:00Z","updated_at":"2026-03-02T12:00:00Z"}}]"#
        );
        let tool = format!(
            r#"[{{"number":7,"title":"It drips","body":"<!-- say what\r\nyou see -->\r\nAt night.","author":{{"login":"ann","is_bot":false}},"createdAt":"2026-03-01T12:00:00Z","url":"{ISSUE}","comments":[{{"id":"IC_x","author":{{"login":"fix[bot]"}},"body":"> At night.\n\nHere too.","createdAt":"2026-03-02T12:00:00Z","url":"{ISSUE}#issuecomment-41"}}]}}]"#
        );
        let graph = format!(
            r#"{{"data":{{"repository":{{"nameWithOwner":"Pumps/drip","bugs":{{"pageInfo":{{"endCursor":"x"}},"edges":[{{"node":{{"number":7,"title":"It drips","body":"At night.","author":{{"login":"ann"}},"createdAt":"2026-03-01T12:00:00Z","url":"{ISSUE}","comments":{{"totalCount":1,"nodes":[{{"author":{{"login":"fix[bot]","__typename":"Bot"}},"body":"> At night.\n\nHere too.","createdAt":"2026-03-02T12:00:00Z","url":"{ISSUE}#issuecomment-41"}}]}}}}}}]}}}}}}}}"#
        );
        let rest = posts(&rest);
        assert_eq!(rest[0].id.as_str(), "github:pumps/drip:issue:7");
        assert_eq!((rest[0].text.as_str(), rest[0].community.as_str()), ("It drips\n\nAt night.", "Pumps/drip"));
        assert_eq!((rest[0].edited_at, rest[0].flags.bot), (None, false));
        assert_eq!((rest[1].text.as_str(), rest[1].flags.bot, rest[1].flags.quoted), ("Here too.", true, true));
        assert_eq!(rest[1].thread, rest[0].thread);
        assert_eq!(posts(&tool), rest);
        assert_eq!(posts(&graph), rest);
    }

    #[test]
    fn discussions_say_what_is_answered() {
        let url = "https://github.com/p/d/discussions/3";
        let text = format!(
            r#"{{"data":{{"repository":{{"discussions":{{"nodes":[{{"number":3,"title":"How","bodyText":"Words.","author":null,"createdAt":"2026-03-01T12:00:00Z","url":"{url}","comments":{{"nodes":[{{"url":"{url}#discussioncomment-1","body":"So.","author":{{"login":"a"}},"createdAt":"2026-03-01T13:00:00Z","replies":{{"nodes":[{{"url":"{url}#discussioncomment-2","body":"Ah.","createdAt":"2026-03-01T14:00:00Z"}},{{"url":"{url}#discussioncomment-3","body":"spam","isMinimized":true}}]}}}}]}}}}]}}}}}}}}"#
        );
        let posts = posts(&text);
        assert_eq!(posts.len(), 3);
        assert_eq!(posts[1].parent.as_ref(), Some(&posts[0].id));
        assert_eq!(posts[2].parent.as_ref(), Some(&posts[1].id));
        assert_eq!(posts[2].id.as_str(), "github:p/d:discussion-comment:2");
    }

    #[test]
    fn pull_requests_are_kept_apart() {
        let pull = "https://github.com/p/d/pull/4";
        let text = format!(
            r#"[{{"number":4,"title":"Fix","html_url":"{pull}","user":{{"login":"a"}},"body":"x","pull_request":{{"url":"u"}}}},{{"html_url":"{pull}#issuecomment-9","issue_url":"https://api.github.com/repos/p/d/issues/4","body":"ok","user":null}},{{"x":1}}]"#
        );
        let found = read_text(&GithubJson, &text, "x.json");
        assert_eq!(reasons(&found), [PULL_REQUEST, PULL_REQUEST, "neither an issue, a discussion nor a comment"]);
    }

    #[test]
    fn hints_of_templates_are_cut() {
        assert_eq!(
            plain_text("a <!-- b --> c\n<!-- d\ne -->\nf\n```\n<!-- code -->\n```").text,
            "a  c\nf\n```\n<!-- code -->\n```"
        );
        for text in [
            "A `<!--` in code\nand more.\n\nEnd -->",
            "``x ` <!-- y`` it -->",
            "opened <!-- and never\nclosed",
            "ends --> before <!-- it",
        ] {
            assert_eq!(plain_text(text).text, text);
        }
        assert_eq!(plain_text("a ` b <!-- hint --> c").text, "a ` b  c");
        assert_eq!(plain_text("Ok\n\n\u{2014}\nReply to this email directly, view it").text, "Ok");
    }

    #[test]
    fn an_answer_by_mail_names_nobody_whom_it_quotes() {
        let quote = "On Mon, Mar 2, 2026 at 1:00 PM ann <notifications@github.com> wrote:\r\n\r\n> hers\r\n\r\nMine.";
        for body in [quote.to_owned(), format!("{quote}\r\n\r\n\u{2014}\r\nReply to this email directly")] {
            let plain = plain_text(&body);
            assert_eq!((plain.text.as_str(), plain.quoted), ("Mine.", true));
        }
    }
}
