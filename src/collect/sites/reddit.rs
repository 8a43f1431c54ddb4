//! A subreddit through Reddit's API (FORMATS d1): the newest submissions, at most about 1000, each with its comment tree.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{Listed, Page, Site, address};
use crate::collect::Context;
use crate::collect::wire::reddit::{More, Object, Unfolded, records, unfold};
use crate::collect::wire::{Record, Unreadable};
use crate::net::{Credential, Request, Response};

/// Comments that `morechildren` gives out at once.
const CHUNK: usize = 100;

/// A subreddit.
#[derive(Debug)]
pub(super) struct Subreddit {
    api: Url,
    name: String,
}

/// One page of a subreddit. Ids are without prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// A page of `new`, from the beginning or after a fullname.
    New(Option<String>),
    /// A submission with its comment tree.
    Tree(String),
    /// A branch that the tree left out because it is too deep, from its comment on.
    Branch { link: String, comment: String },
    /// Comments that the tree names but does not hold.
    Children { link: String, ids: Vec<String> },
}

#[derive(Deserialize)]
struct Listing {
    data: ListingData,
}

#[derive(Deserialize)]
struct ListingData {
    after: Option<String>,
    children: Vec<Child>,
}

#[derive(Deserialize)]
struct Child {
    data: Submission,
}

#[derive(Deserialize)]
struct Submission {
    id: String,
    #[serde(default)]
    num_comments: i64,
}

impl Subreddit {
    pub(super) fn new(api: &Url, name: &str) -> Self {
        Self { api: api.clone(), name: name.to_owned() }
    }

    fn new_page(&self, response: &Response) -> Result<Page<Step>, Unreadable> {
        if response.url.path().ends_with("/search") {
            return Err(Unreadable(format!("there is no r/{}", self.name)));
        }
        let listing: Listing = serde_json::from_slice(&response.body).map_err(|error| Unreadable::json(&error))?;
        let listed = listing.data.children.into_iter().map(|child| Listed {
            mark: child.data.num_comments,
            step: Step::Tree(child.data.id.clone()),
            id: child.data.id,
        });
        let more = listing.data.after.map(|after| Step::New(Some(after)));
        Ok(Page { listed: listed.collect(), more: more.into_iter().collect(), ..Page::default() })
    }

    fn url(&self, path: &str) -> Url {
        let mut url = address(&self.api, path);
        // Without it `&`, `<` and `>` arrive escaped.
        url.query_pairs_mut().append_pair("raw_json", "1");
        url
    }

    fn tree(&self, path: &str) -> Url {
        let mut url = self.url(path);
        url.query_pairs_mut().append_pair("limit", "500").append_pair("depth", "10");
        url
    }
}

impl Site for Subreddit {
    type Step = Step;

    // A new comment does not move its submission, so every pass looks at the whole listing, ten pages at most, and reads
    // the submissions whose number of comments has changed.
    const BY_ACTIVITY: bool = false;

    const MEMORY: usize = 1500;

    fn key(&self) -> String {
        format!("reddit r/{} new", self.name.to_ascii_lowercase())
    }

    fn first(&self) -> Step {
        Step::New(None)
    }

    fn before(&self, _: &Step) -> Option<Step> {
        None
    }

    fn request(&self, step: &Step) -> Request {
        let request = match step {
            Step::New(after) => {
                let mut url = self.url(&format!("/r/{}/new", self.name));
                url.query_pairs_mut().append_pair("limit", "100");
                if let Some(after) = after {
                    url.query_pairs_mut().append_pair("after", after);
                }
                Request::get(url)
            }
            Step::Tree(link) => Request::get(self.tree(&format!("/comments/{link}"))),
            Step::Branch { link, comment } => Request::get(self.tree(&format!("/comments/{link}/_/{comment}"))),
            Step::Children { link, ids } => {
                let form = [
                    ("api_type", "json".to_owned()),
                    ("raw_json", "1".to_owned()),
                    ("link_id", format!("t3_{link}")),
                    ("children", ids.join(",")),
                ];
                let form = form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                Request::post(address(&self.api, "/api/morechildren"), form)
            }
        };
        request.with(Credential::Reddit)
    }

    fn unit(&self, step: &Step) -> String {
        let sub = &self.name;
        match step {
            Step::New(None) => format!("r/{sub}, new submissions"),
            Step::New(Some(after)) => format!("r/{sub}, new submissions after {after}"),
            Step::Tree(link) => format!("r/{sub}, submission {link}"),
            Step::Branch { link, comment } => format!("r/{sub}, submission {link}, comments under {comment}"),
            Step::Children { link, ids } => {
                format!("r/{sub}, submission {link}, comments from {}", ids.first().map_or("", |id| id))
            }
        }
    }

    fn parse(&self, ctx: &Context, step: &Step, response: &Response) -> Result<Page<Step>, Unreadable> {
        let link = match step {
            Step::New(_) => return self.new_page(response),
            Step::Tree(link) | Step::Branch { link, .. } | Step::Children { link, .. } => link,
        };
        let body: Value = serde_json::from_slice(&response.body).map_err(|error| Unreadable::json(&error))?;
        if let Some(error) = stated_error(&body) {
            return Err(Unreadable(format!("Reddit answered {error}")));
        }
        let Unfolded { objects, more, broken, .. } = unfold(body);
        let mut page = Page { more: still_to_ask(step, link, more), ..Page::default() };
        for object in &objects {
            match records(ctx, object) {
                Ok(found) => page.records.extend(found.into_iter().map(Ok)),
                Err(unreadable) => page.records.push(Err(unreadable)),
            }
        }
        page.records.extend(broken.into_iter().map(Err));
        if let Step::Children { ids, .. } = step {
            page.records.extend(not_given(ids, &objects, &page.more).map(Ok));
        }
        Ok(page)
    }
}

/// Errors come with status 200 too: `{"error": 403, …}` and `{"json": {"errors": [["CODE", "words", "field"]]}}`.
fn stated_error(body: &Value) -> Option<String> {
    if let Some(error) = body.get("error") {
        return Some(format!("error {error}"));
    }
    let code = body.get("json")?.get("errors")?.get(0)?.get(0)?;
    Some(format!("error {code}"))
}

/// What a page leaves out and does not merely name again: what was asked for just now is not asked for twice.
fn still_to_ask(step: &Step, link: &str, more: Vec<More>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut ids = Vec::new();
    for more in more {
        if more.id == "_" || more.children.is_empty() {
            let Some(comment) = more.parent_id.strip_prefix("t1_") else { continue };
            let branch = Step::Branch { link: link.to_owned(), comment: comment.to_owned() };
            if is_id(comment) && branch != *step {
                steps.push(branch);
            }
            continue;
        }
        let asked: &[String] = if let Step::Children { ids, .. } = step { ids } else { &[] };
        ids.extend(more.children.into_iter().filter(|id| is_id(id) && !asked.contains(id)));
    }
    steps.extend(ids.chunks(CHUNK).map(|ids| Step::Children { link: link.to_owned(), ids: ids.to_vec() }));
    steps
}

/// Ids go into addresses.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Comments that were asked for and neither came nor are still to be asked for: deleted meanwhile, most likely.
fn not_given<'a>(ids: &'a [String], objects: &'a [Object], more: &'a [Step]) -> impl Iterator<Item = Record> {
    let mut found: BTreeSet<&str> = objects.iter().filter_map(|object| object.id.as_deref()).collect();
    for step in more {
        match step {
            Step::Children { ids, .. } => found.extend(ids.iter().map(String::as_str)),
            Step::Branch { comment, .. } => _ = found.insert(comment),
            _ => {}
        }
    }
    let missing: Vec<_> = ids.iter().filter(|id| !found.contains(id.as_str())).collect();
    missing.into_iter().map(|id| Record::Skipped { id: format!("reddit:t1_{id}"), reason: "not given out" })
}
