//! Which column holds what. Headers are compared without case and punctuation, so `Note body`, `note_body` and `NoteBody`
//! are one name.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::rows::Row;

/// What a note is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Id,
    Account,
    Opportunity,
    Owner,
    Kind,
    WrittenAt,
    HappenedAt,
    Stage,
    Amount,
    Text,
}

/// The names in the map file and what the usual exports call them, best first (HubSpot, Salesforce, Pipedrive, Close,
/// Zendesk, plain English).
const NAMES: &[(Field, &str, &[&str])] = &[
    (Field::Id, "id", &["recordid", "noteid", "activityid", "engagementid", "objectid", "hsobjectid", "id"]),
    (
        Field::Account,
        "account",
        &[
            "accountid",
            "companyid",
            "associatedcompanyids",
            "associatedcompanyid",
            "orgid",
            "organizationid",
            "leadid",
            "account",
            "accountname",
            "company",
            "companyname",
            "companyaccount",
            "associatedcompany",
            "organization",
            "organizationname",
            "organisation",
            "org",
            "customer",
            "customername",
            "client",
            "lead",
            "leadname",
            "whatid",
            "parentid",
            "relatedto",
        ],
    ),
    (
        Field::Opportunity,
        "opportunity",
        &[
            "dealid",
            "associateddealids",
            "associateddealid",
            "opportunityid",
            "opportunity",
            "opportunityname",
            "deal",
            "dealname",
            "oppid",
        ],
    ),
    (
        Field::Owner,
        "owner",
        &[
            "activityassignedto",
            "hubspotownerid",
            "owner",
            "ownername",
            "ownerid",
            "assignedto",
            "assigned",
            "rep",
            "salesrep",
            "salesagent",
            "user",
            "username",
            "userid",
            "createdby",
            "createdbyid",
            "author",
        ],
    ),
    (Field::Kind, "kind", &["activitytype", "engagementtype", "tasksubtype", "kind", "type", "activity"]),
    (
        Field::WrittenAt,
        "written_at",
        &[
            "createdate",
            "hscreatedate",
            "createddate",
            "datecreated",
            "createdat",
            "created",
            "addtime",
            "writtenat",
            "date",
            "timestamp",
        ],
    ),
    (
        Field::HappenedAt,
        "happened_at",
        &[
            "activitydate",
            "hstimestamp",
            "activityat",
            "happenedat",
            "hsmeetingstarttime",
            "startdatetime",
            "meetingdate",
            "calldate",
            "notedate",
        ],
    ),
    (Field::Stage, "stage", &["dealstage", "stagename", "opportunitystage", "stage"]),
    (Field::Amount, "amount", &["amount", "dealamount", "dealvalue", "closevalue", "value"]),
    (
        Field::Text,
        "text",
        &[
            "notebody",
            "hsnotebody",
            "hscallbody",
            "hsmeetingbody",
            "hsinternalmeetingnotes",
            "hsemailtext",
            "hstaskbody",
            "fullcomments",
            "comments",
            "description",
            "note",
            "notes",
            "body",
            "content",
            "text",
            "callnotes",
            "meetingnotes",
            "summary",
            "details",
        ],
    ),
];

/// Letters and digits of a header, lower case.
fn normal(header: &str) -> String {
    let header = header.trim_start_matches('\u{feff}');
    header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A map file: `text = "Comments"`.
#[derive(Debug, Clone, Default)]
pub(super) struct Map(BTreeMap<Field, String>);

impl Map {
    pub(super) fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("could not read the column map {}", path.display()))?;
        let written = toml::from_str::<BTreeMap<String, String>>(&text).with_context(|| {
            format!("in the column map {}: it holds lines like text = \"Comments\"", path.display())
        })?;
        let mut map = BTreeMap::new();
        for (name, header) in written {
            let Some((field, ..)) = NAMES.iter().find(|(_, known, _)| *known == name) else {
                let known = NAMES.iter().map(|(_, known, _)| *known).collect::<Vec<_>>().join(", ");
                bail!("the column map {} names {name:?}; a note has {known}", path.display());
            };
            map.insert(*field, header);
        }
        Ok(Self(map))
    }
}

/// Where each field stands in a row.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    at: BTreeMap<Field, Vec<usize>>,
    deleted: Option<usize>,
}

impl Columns {
    /// Finds the fields among `headers`.
    ///
    /// # Errors
    /// A sentence for the user, when a mapped header is not there or nothing can be the text or the account.
    pub(super) fn find(headers: &[String], map: &Map) -> Result<Self, String> {
        let known = headers.iter().map(|h| normal(h)).collect::<Vec<_>>();
        let listed = || headers.iter().map(|h| format!("{h:?}")).collect::<Vec<_>>().join(", ");
        let mut at = BTreeMap::new();
        for (field, name, synonyms) in NAMES {
            if let Some(header) = map.0.get(field) {
                let wanted = normal(header);
                let Some(index) = known.iter().position(|h| *h == wanted) else {
                    return Err(format!("the map says {name} = {header:?}, but the columns are {}", listed()));
                };
                at.insert(*field, vec![index]);
                continue;
            }
            // A row takes the first of these that is filled: exports hold one body column per kind of activity.
            let found = synonyms.iter().filter_map(|s| known.iter().position(|h| h == s)).collect::<Vec<_>>();
            if !found.is_empty() {
                at.insert(*field, found);
            }
        }
        for (field, name) in [(Field::Text, "text"), (Field::Account, "account")] {
            if !at.contains_key(&field) {
                let guess = longest_word_match(headers, field).unwrap_or("Your column");
                return Err(format!(
                    "no column for the note's {name} among {}; name it in a map file, for example {name} = {guess:?}, and give \
                     that with --map",
                    listed()
                ));
            }
        }
        let deleted = known.iter().position(|h| matches!(h.as_str(), "isdeleted" | "archived" | "deleted"));
        Ok(Self { at, deleted })
    }

    /// The first filled column of `field`, trimmed.
    pub(super) fn get<'a>(&self, row: &'a Row, field: Field) -> Option<&'a str> {
        let columns = self.at.get(&field)?;
        columns.iter().filter_map(|i| row.cell(*i)).map(str::trim).find(|cell| !cell.is_empty())
    }

    pub(super) fn says_deleted(&self, row: &Row) -> bool {
        self.deleted.and_then(|i| row.cell(i)).is_some_and(|cell| matches!(cell.trim(), "true" | "TRUE" | "True" | "1"))
    }
}

/// The header that shares most with the usual names, to put into the example.
fn longest_word_match(headers: &[String], field: Field) -> Option<&str> {
    let (_, _, synonyms) = NAMES.iter().find(|(known, ..)| *known == field)?;
    let hints: &[&str] =
        if field == Field::Text { &["remark", "comment", "note", "memo", "log", "body"] } else { synonyms };
    headers.iter().map(String::as_str).find(|h| hints.iter().any(|hint| normal(h).contains(hint)))
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
}
