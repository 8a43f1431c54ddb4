//! Which column holds what. Headers are compared without case and punctuation, as in `candor crm import`.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};

use crate::files::columns::{Mapped, listed, map_lines, most_like, normal};
use crate::files::dates::Order;

/// What a post is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Id,
    Text,
    Author,
    WrittenAt,
    EditedAt,
    Url,
    Thread,
    Title,
    Parent,
    Community,
    Deleted,
    Bot,
}

/// The names in the map file and what tables usually call them, best first.
const NAMES: &[(Field, &str, &[&str])] = &[
    (
        Field::Id,
        "id",
        &["id", "postid", "messageid", "commentid", "reviewid", "tweetid", "responseid", "uuid", "guid", "externalid"],
    ),
    (
        Field::Text,
        "text",
        &[
            "text",
            "body",
            "message",
            "content",
            "contents",
            "comment",
            "posttext",
            "messagetext",
            "commenttext",
            "reviewtext",
            "postbody",
            "messagebody",
            "commentbody",
            "messagecontent",
            "review",
            "feedback",
            "selftext",
            "post",
            "tweet",
        ],
    ),
    (
        Field::Author,
        "author",
        &[
            "author",
            "authorid",
            "authorname",
            "username",
            "userid",
            "user",
            "userlogin",
            "authorlogin",
            "authorusername",
            "userusername",
            "sender",
            "senderid",
            "sendername",
            "from",
            "fromname",
            "handle",
            "nickname",
            "screenname",
            "poster",
            "member",
            "reviewer",
            "createdby",
            "postedby",
            "by",
        ],
    ),
    (
        Field::WrittenAt,
        "written_at",
        &[
            "writtenat",
            "createdat",
            "created",
            "createddate",
            "creationdate",
            "datecreated",
            "createdutc",
            "postedat",
            "posted",
            "postdate",
            "dateposted",
            "publishedat",
            "published",
            "publishdate",
            "sentat",
            "senton",
            "sent",
            "submittedat",
            "reviewdate",
            "datetime",
            "date",
            "timestamp",
            "time",
        ],
    ),
    (Field::EditedAt, "edited_at", &["editedat", "lasteditedat", "edited"]),
    (Field::Url, "url", &["url", "permalink", "link", "href", "weburl", "posturl"]),
    (
        Field::Thread,
        "thread",
        &[
            "threadid",
            "thread",
            "topicid",
            "topic",
            "conversationid",
            "conversation",
            "discussionid",
            "discussion",
            "linkid",
            "channelid",
            "channel",
            "channelname",
        ],
    ),
    (Field::Title, "title", &["threadtitle", "topictitle", "title", "subject", "headline"]),
    (
        Field::Parent,
        "parent",
        &[
            "parentid",
            "parent",
            "replytoid",
            "replyto",
            "inreplytoid",
            "inreplyto",
            "parentpostid",
            "inreplytostatusid",
        ],
    ),
    (Field::Community, "community", &["community", "forum", "forumname", "subreddit", "group", "board", "server"]),
    (Field::Deleted, "deleted", &["deleted", "isdeleted", "removed", "isremoved"]),
    (Field::Bot, "bot", &["isbot", "bot"]),
];

/// Columns that only other things than posts have.
const OF_OTHERS: [&str; 6] = ["shortid", "sha", "commit", "commithash", "committeddate", "accountid"];

/// A map file: `text = "Remark"`, `text = ["Pros", "Cons"]`, `day_first = true`.
#[derive(Debug, Clone, Default)]
pub struct Map {
    fields: BTreeMap<Field, Vec<String>>,
    order: Option<Order>,
}

impl Map {
    /// Reads a map file.
    ///
    /// # Errors
    /// When it cannot be read, names what no post has, or names no text.
    pub fn load(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("could not read the column map {shown}"))?;
        text.parse().with_context(|| format!("in the column map {shown}"))
    }

    /// In which order dates such as `03/04/2026` are written, where the map says.
    pub(super) fn order(&self) -> Option<Order> {
        self.order
    }
}

impl FromStr for Map {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut map = Self::default();
        for (name, value) in map_lines(text)? {
            let field = NAMES.iter().find(|(_, known, _)| *known == name).map(|(field, ..)| *field);
            match (field, value) {
                (None, Mapped::Flag(day_first)) if name == "day_first" => {
                    map.order = Some(if day_first { Order::DayFirst } else { Order::MonthFirst });
                }
                (Some(field), value) => {
                    map.fields.insert(field, value.headers(&name, field == Field::Text)?);
                }
                (None, _) => {
                    let known = NAMES.iter().map(|(_, known, _)| *known).collect::<Vec<_>>().join(", ");
                    bail!("it names {name:?}; a post has {known}, and day_first says how dates are read");
                }
            }
        }
        if !map.fields.contains_key(&Field::Text) {
            bail!("it does not say which column holds the text; write text = \"Remark\" with that column's name");
        }
        Ok(map)
    }
}

/// Where each field stands in a row.
#[derive(Debug, Clone, Default)]
pub(super) struct Columns {
    at: BTreeMap<Field, Vec<usize>>,
    /// Whether the columns of the text are put together; otherwise the first that is filled is taken.
    together: bool,
}

impl Columns {
    /// Finds the fields among `names`.
    ///
    /// # Errors
    /// A sentence for the user: a column of the map is not there, or this can be no table of posts.
    pub(super) fn find(names: &[String], map: Option<&Map>) -> Result<Self, String> {
        let known: Vec<String> = names.iter().map(|n| normal(n)).collect();
        if let Some(map) = map {
            for (field, name, _) in NAMES {
                let missing = map.fields.get(field).into_iter().flatten().find(|h| !known.contains(&normal(h)));
                if let Some(header) = missing {
                    return Err(format!("the map says {name} = {header:?}, but the columns are {}", listed(names)));
                }
            }
            return Ok(Self::lenient(names, Some(map)));
        }
        let found = Self::lenient(names, None);
        let has = |field| found.at.contains_key(&field);
        if known.iter().any(|name| OF_OTHERS.contains(&name.as_str())) {
            return Err(format!("its columns are no post's ({}); if it holds posts, {}", listed(names), advice(names)));
        }
        if !has(Field::Text) {
            return Err(format!("no column that must be the text of posts among {}; {}", listed(names), advice(names)));
        }
        if ![Field::Author, Field::WrittenAt, Field::Id].into_iter().any(has) {
            return Err(format!(
                "no column says who wrote it or when, nor names a post, among {}; if these are posts, {}",
                listed(names),
                advice(names)
            ));
        }
        Ok(found)
    }

    /// The same for one object of many: what it does not have is not missed.
    pub(super) fn lenient(names: &[String], map: Option<&Map>) -> Self {
        let known: Vec<String> = names.iter().map(|n| normal(n)).collect();
        let place = |wanted: &str| known.iter().position(|name| name == wanted);
        let mut found = Self::default();
        for (field, _, synonyms) in NAMES {
            let columns: Vec<usize> = match map.and_then(|m| m.fields.get(field)) {
                Some(headers) => {
                    found.together |= *field == Field::Text && headers.len() > 1;
                    headers.iter().filter_map(|h| place(&normal(h))).collect()
                }
                // With a map only what it names is the text: other columns were left out on purpose.
                None if map.is_some() && *field == Field::Text => Vec::new(),
                None => synonyms.iter().filter_map(|s| place(s)).collect(),
            };
            if !columns.is_empty() {
                found.at.insert(*field, columns);
            }
        }
        found
    }

    /// The first filled column of `field`, trimmed.
    pub(super) fn get<'a>(&self, cells: &'a [String], field: Field) -> Option<&'a str> {
        self.filled(cells, field).next()
    }

    fn filled<'a>(&self, cells: &'a [String], field: Field) -> impl Iterator<Item = &'a str> {
        let columns = self.at.get(&field).map_or(&[][..], Vec::as_slice);
        let columns: Vec<usize> = columns.to_vec();
        columns.into_iter().filter_map(|i| cells.get(i)).map(|c| c.trim()).filter(|c| !c.is_empty())
    }

    /// The text, several columns of a map with an empty line between.
    pub(super) fn text(&self, cells: &[String]) -> String {
        let mut filled = self.filled(cells, Field::Text);
        if self.together {
            filled.collect::<Vec<_>>().join("\n\n")
        } else {
            filled.next().unwrap_or_default().to_owned()
        }
    }
}

/// How to write a map, with the header that is most like a text, and where tables of a CRM go.
fn advice(names: &[String]) -> String {
    let hints = ["remark", "comment", "text", "body", "message", "review", "feedback", "description", "answer", "note"];
    let guess = most_like(names, &hints);
    let crm = ["account", "company", "deal", "opportunity", "owner", "contact", "stage"];
    let sold_to = names.iter().any(|name| crm.iter().any(|word| normal(name).contains(word)));
    let elsewhere = if sold_to { "; if it came from a CRM, it is for `candor crm import`" } else { "" };
    format!(
        "say so in a map file with lines like text = {guess:?}, author = \"…\", written_at = \"…\" and give that with \
         --map{elsewhere}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_for_one_field() {
        let mut seen = BTreeMap::new();
        for (field, _, synonyms) in NAMES {
            for name in *synonyms {
                assert_eq!(*name, normal(name), "written as compared");
                assert!(seen.insert(*name, *field).is_none(), "{name} stands for two fields");
            }
        }
    }

    #[test]
    fn a_table_of_a_crm_is_sent_where_it_belongs() {
        let why = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            Columns::find(&names, None).unwrap_err()
        };
        assert!(why(&["Account Name", "Owner", "Note"]).ends_with("candor crm import`"));
        assert!(!why(&["Colour", "Remark"]).contains("crm"));
    }
}
