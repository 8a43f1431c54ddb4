//! Which column holds what. Headers are compared without case and punctuation, so `Note body`, `note_body` and `NoteBody`
//! are one name.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::items::{Header, Row};
use super::record::outcome;
use crate::files::columns::{listed, map_lines, most_like, normal};
use crate::model::Outcome;

/// What records are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    Id,
    Account,
    AccountName,
    Domain,
    Segment,
    Opportunity,
    OpportunityName,
    Owner,
    Kind,
    WrittenAt,
    HappenedAt,
    ModifiedAt,
    ClosedAt,
    ChurnedAt,
    ValueAt,
    Probability,
    Stage,
    Amount,
    Won,
    Closed,
    Status,
    Title,
    Text,
    ContactId,
    Contact,
    FirstName,
    LastName,
    Email,
    Deleted,
}

/// Fields with the names of their columns, best first. A row takes the first of them that is filled: exports hold one body
/// column per kind of activity.
pub(super) type Names = &'static [(Field, &'static [&'static str])];

/// What the usual exports call things where they use words for people (HubSpot, Salesforce's reports, Pipedrive, Close,
/// Zendesk, plain English).
pub(super) const LABELS: Names = &[
    (
        Field::Id,
        &[
            "recordid",
            "recordidnote",
            "noteid",
            "activityid",
            "engagementid",
            "hsobjectid",
            "id",
            "pipedrivesystemid",
            "objectid",
        ],
    ),
    (
        Field::Account,
        &[
            "accountid",
            "companyid",
            "associatedcompanyids",
            "associatedcompanyid",
            "associatedcompanyidsprimary",
            "primaryassociatedcompanyid",
            "recordidcompany",
            "orgid",
            "organizationid",
            "organizationpipedrivesystemid",
            "leadid",
            "account",
            "customer",
            "client",
            "lead",
            "org",
            "whatid",
            "parentid",
            "relatedto",
        ],
    ),
    (
        Field::AccountName,
        &[
            "accountname",
            "company",
            "companyname",
            "companyaccount",
            "associatedcompany",
            "associatedcompanyprimary",
            "organization",
            "organizationname",
            "organisation",
            "customername",
            "clientname",
            "leadname",
            "primarycompany",
            "primaryassociatedcompany",
        ],
    ),
    (Field::Domain, &["companydomainname", "website", "domain", "websiteurl", "companydomain"]),
    (Field::Segment, SEGMENT),
    (
        Field::Opportunity,
        &[
            "dealid",
            "associateddealids",
            "associateddealid",
            "recordiddeal",
            "dealpipedrivesystemid",
            "opportunityid",
            "oppid",
            "deal",
            "opportunity",
        ],
    ),
    (Field::OpportunityName, &["opportunityname", "dealname", "dealtitle", "associateddeal", "product"]),
    (
        Field::Owner,
        &[
            "activityassignedto",
            "hubspotownerid",
            "owner",
            "ownername",
            "ownerid",
            "dealowner",
            "companyowner",
            "opportunityowner",
            "accountowner",
            "assignedto",
            "assignedtouser",
            "assigned",
            "rep",
            "salesrep",
            "salesagent",
            "csmowner",
            "user",
            "username",
            "userid",
            "createdby",
            "createdbyid",
            "author",
        ],
    ),
    (Field::Kind, &["activitytype", "engagementtype", "tasksubtype", "kind", "type", "activity"]),
    (
        Field::WrittenAt,
        &[
            "createdate",
            "hscreatedate",
            "createddate",
            "datecreated",
            "createdat",
            "created",
            "addtime",
            "dealcreated",
            "writtenat",
            "engagedate",
            "date",
            "timestamp",
        ],
    ),
    (
        Field::HappenedAt,
        &[
            "activitydate",
            "hstimestamp",
            "activityat",
            "happenedat",
            "hsmeetingstarttime",
            "startdatetime",
            "meetingstarttime",
            "meetingdate",
            "calldate",
            "notedate",
            "duedate",
        ],
    ),
    (
        Field::ModifiedAt,
        &[
            "hslastmodifieddate",
            "lastmodifieddate",
            "lastmodified",
            "lastmodifiedat",
            "updatedat",
            "updatetime",
            "dateupdated",
            "lastupdated",
            "modifiedat",
            "updated",
        ],
    ),
    (Field::ClosedAt, &["closedate", "closedat", "dealclosedon", "closetime", "wontime", "losttime"]),
    (Field::ChurnedAt, CHURNED_AT),
    (Field::ValueAt, VALUE_AT),
    (
        Field::Probability,
        &[
            "probability",
            "dealprobability",
            "dealstageprobability",
            "hsdealstageprobability",
            "winprobability",
            "confidence",
        ],
    ),
    (Field::Stage, &["dealstage", "stagename", "opportunitystage", "stage", "tostage", "pipelinestage"]),
    (Field::Amount, &["amount", "dealamount", "dealvalue", "closevalue", "value"]),
    (Field::Won, &["iswon", "isclosedwon", "won"]),
    (Field::Closed, &["isclosed", "isdealclosed", "closed"]),
    (Field::Status, &["status", "dealstatus", "outcome"]),
    (
        Field::Title,
        &[
            "subject",
            "hscalltitle",
            "hsmeetingtitle",
            "hsemailsubject",
            "hstasksubject",
            "calltitle",
            "meetingname",
            "meetingtitle",
            "emailsubject",
            "tasktitle",
            "activitysubject",
            "title",
        ],
    ),
    (
        Field::Text,
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
            "callbody",
            "meetingnotes",
            "meetingdescription",
            "internalmeetingnotes",
            "emailbody",
            "tasknotes",
            "summary",
            "details",
        ],
    ),
    (
        Field::ContactId,
        &[
            "contactid",
            "associatedcontactids",
            "associatedcontactid",
            "recordidcontact",
            "personid",
            "personpipedrivesystemid",
            "whoid",
        ],
    ),
    (
        Field::Contact,
        &[
            "contactname",
            "contact",
            "contacts",
            "contactfullname",
            "associatedcontact",
            "person",
            "personname",
            "contactperson",
            "attendees",
            "participants",
        ],
    ),
    (Field::FirstName, &["firstname", "givenname"]),
    (Field::LastName, &["lastname", "surname", "familyname"]),
    (Field::Email, &["email", "contactemail", "emailaddress", "personemail", "emailwork", "workemail"]),
    (Field::Deleted, &["isdeleted", "archived", "deleted"]),
];

/// What the end of a customer's service is called. The end of a contract is no such name: it may be renewed.
pub(super) const CHURNED_AT: &[&str] =
    &["churnedat", "churnedon", "churndate", "serviceend", "serviceendedat", "serviceenddate", "end"];

/// What the day is called on which a customer reached the value milestone.
pub(super) const VALUE_AT: &[&str] =
    &["valueat", "valuedate", "valuereachedat", "valuemilestone", "valuemilestoneat", "valuemilestonedate"];

/// What the part of the market is called that a firm belongs to, best first: what a CRM calls a segment before what it calls
/// an industry, with the endings and beginnings that Salesforce and Close give to a firm's own columns.
pub(super) const SEGMENT: &[&str] = &[
    "segment",
    "segmentc",
    "customsegment",
    "accountsegment",
    "companysegment",
    "customersegment",
    "marketsegment",
    "industry",
    "customindustry",
    "sector",
    "vertical",
    "companysize",
];

/// What a map file may name.
const MAPPED: &[(&str, Field)] = &[
    ("id", Field::Id),
    ("account", Field::Account),
    ("account_name", Field::AccountName),
    ("segment", Field::Segment),
    ("opportunity", Field::Opportunity),
    ("owner", Field::Owner),
    ("kind", Field::Kind),
    ("written_at", Field::WrittenAt),
    ("happened_at", Field::HappenedAt),
    ("modified_at", Field::ModifiedAt),
    ("closed_at", Field::ClosedAt),
    ("churned_at", Field::ChurnedAt),
    ("value_at", Field::ValueAt),
    ("probability", Field::Probability),
    ("stage", Field::Stage),
    ("status", Field::Status),
    ("amount", Field::Amount),
    ("title", Field::Title),
    ("text", Field::Text),
    ("contact", Field::Contact),
    ("email", Field::Email),
];

/// A map file: `text = "Comments"`, or `text = ["Summary", "Next steps"]`; beside columns the stages that are called so and mean
/// an end, `lost_stages = ["Parked"]`.
#[derive(Debug, Clone, Default)]
pub(super) struct Map(BTreeMap<Field, Vec<String>>, Stages);

/// What the map calls won and lost, as [`normal`] writes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Stages {
    won: Vec<String>,
    lost: Vec<String>,
}

impl Stages {
    /// How a deal stands by the words of its stage or status, which the map knows better.
    pub(super) fn outcome(&self, words: &str) -> Outcome {
        let told = normal(words);
        match () {
            () if self.won.contains(&told) => Outcome::Won,
            () if self.lost.contains(&told) => Outcome::Lost,
            () => outcome(words),
        }
    }
}

impl Map {
    pub(super) fn load(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("could not read the column map {}", path.display()))?;
        let written = map_lines(&text).with_context(|| format!("in the column map {}", path.display()))?;
        let (mut map, mut stages) = (BTreeMap::new(), Stages::default());
        for (name, value) in written {
            let known = match &*name {
                "won_stages" => Some(&mut stages.won),
                "lost_stages" => Some(&mut stages.lost),
                _ => None,
            };
            if let Some(known) = known {
                let called = value.headers(&name, true);
                let called = called.with_context(|| format!("in the column map {}", path.display()))?;
                *known = called.iter().map(|stage| normal(stage)).collect();
                continue;
            }
            let Some((_, field)) = MAPPED.iter().find(|(known, _)| *known == name) else {
                let known = MAPPED.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
                bail!(
                    "the column map {} names {name:?}; notes and deals have {known}, won_stages, lost_stages",
                    path.display()
                );
            };
            let headers = value.headers(&name, *field == Field::Text);
            map.insert(*field, headers.with_context(|| format!("in the column map {}", path.display()))?);
        }
        Ok(Self(map, stages))
    }

    /// Whether it is of deals: it names what only they have, and no text.
    pub(super) fn is_of_deals(&self) -> bool {
        let of_deals = [Field::ClosedAt, Field::ChurnedAt, Field::ValueAt, Field::Probability];
        of_deals.iter().any(|field| self.names(*field)) && !self.names(Field::Text)
    }

    /// Whether a file with this header is meant: it has all columns that the map names. That of the segment may stand in
    /// another file where the map is of notes or deals. A map that names nothing else means none.
    pub(super) fn fits(&self, header: &Header) -> bool {
        let aside = self.names(Field::Text) || self.is_of_deals();
        let mut wanted = self.0.iter().filter(|(field, _)| !aside || **field != Field::Segment);
        self.0.keys().any(|field| *field != Field::Segment)
            && wanted.all(|(_, names)| names.iter().all(|name| header.at(&normal(name)).is_some()))
    }

    /// Whether it names a column for `field`.
    pub(super) fn names(&self, field: Field) -> bool {
        self.0.contains_key(&field)
    }

    /// The stages that mean an end.
    pub(super) fn stages(&self) -> &Stages {
        &self.1
    }

    /// The column of the segment, as it is written in the map.
    pub(super) fn segment(&self) -> Option<&str> {
        self.0.get(&Field::Segment)?.first().map(String::as_str)
    }

    /// What it says of files that it is not of: the column of the segment, whatever the export.
    pub(super) fn of_others(&self) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(field, _)| **field == Field::Segment)
                .map(|(f, names)| (*f, names.clone()))
                .collect(),
            self.1.clone(),
        )
    }
}

/// Where each field stands in a row.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    at: BTreeMap<Field, Vec<usize>>,
    /// Columns that are put together to the text, when a map names several.
    together: Vec<usize>,
}

impl Columns {
    /// Finds the fields among the names of `header`. With `strict`, every mapped column must be there.
    ///
    /// # Errors
    /// A sentence for the user, when one is not.
    pub(super) fn find(header: &Header, names: Names, map: &Map, strict: bool) -> Result<Self, String> {
        let (mut at, mut together) = (BTreeMap::new(), Vec::new());
        for (field, synonyms) in names {
            let mut found = synonyms.iter().flat_map(|name| header.places(name)).copied().collect::<Vec<_>>();
            // An industry does not stand in for a segment that is not filled: one column divides all firms of a file.
            found.truncate(if *field == Field::Segment { 1 } else { found.len() });
            if !found.is_empty() {
                at.insert(*field, found);
            }
        }
        for (field, wanted) in &map.0 {
            let mut found = Vec::new();
            for name in wanted {
                let Some(index) = header.at(&normal(name)) else {
                    if !strict || *field == Field::Segment {
                        continue;
                    }
                    let said = MAPPED.iter().find(|(_, f)| f == field).map_or("", |(said, _)| *said);
                    return Err(format!(
                        "the map says {said} = {name:?}, but the columns are {}",
                        listed(header.names())
                    ));
                };
                found.push(index);
            }
            if wanted.len() > 1 {
                together.clone_from(&found);
            }
            at.insert(*field, found);
        }
        Ok(Self { at, together })
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.first(field).is_some()
    }

    /// Whether rows tell of which segment firms are, and nothing else of them.
    pub(super) fn is_of_firms(&self) -> bool {
        let named = self.has(Field::Account) || self.has(Field::AccountName);
        named && self.has(Field::Segment) && !self.has(Field::Text)
    }

    /// Where the first column of `field` stands.
    pub(super) fn first(&self, field: Field) -> Option<usize> {
        self.at.get(&field)?.first().copied()
    }

    /// The first filled column of `field`, trimmed.
    pub(super) fn get<'a>(&self, row: &'a Row, field: Field) -> Option<&'a str> {
        self.at.get(&field)?.iter().find_map(|index| row.cell(*index))
    }

    /// The text: the first filled column, or all that the map names, each with its header before it.
    pub(super) fn text(&self, row: &Row) -> Option<String> {
        if self.together.is_empty() {
            return self.get(row, Field::Text).map(str::to_owned);
        }
        let filled = self.together.iter().filter_map(|index| Some((*index, row.cell(*index)?)));
        let lines = filled.map(|(index, cell)| format!("{}: {cell}", row.header.names()[index])).collect::<Vec<_>>();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

/// Whether a column seems to hold words about a firm, by whatever name: a table that has one is not of firms alone.
pub(super) fn may_hold_notes(header: &Header) -> bool {
    let words = ["remark", "comment", "note", "memo", "feedback", "said"];
    header.names().iter().map(|name| normal(name)).any(|name| words.iter().any(|word| name.contains(word)))
}

/// Why a file without known columns is refused, with what can be done about it.
pub(super) fn missing(header: &Header, field: Field) -> String {
    if header.names().is_empty() {
        return "of no known export: a document without a list of records".to_owned();
    }
    let name = MAPPED.iter().find(|(_, f)| *f == field).map_or("", |(said, _)| *said);
    // Of tables in English, German, French, Spanish, Italian, Portuguese and Dutch.
    let hints = match field {
        Field::Text => "remark comment note memo log body said noti nota bemerk komment coment observ",
        _ => {
            "account company customer client firm organi kund unternehm entrepr soci empresa aziend bedrijf klant konto"
        }
    };
    let guess = most_like(header.names(), &hints.split(' ').collect::<Vec<_>>());
    format!(
        "of no known export, and no column for the note's {name} among {}; name it in a map file, for example {name} = {guess:?}, and give that \
         with --map",
        listed(header.names())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_of_firms_fits_where_the_segment_is_and_others_without_it() {
        let map = |fields: &[(Field, &str)]| {
            let columns = fields.iter().map(|(field, name)| (*field, vec![(*name).to_owned()])).collect();
            Map(columns, Stages::default())
        };
        let header = |names: &[&str]| Header::new(names.iter().map(|name| (*name).to_owned()).collect());
        let (firm, plan) = ((Field::Account, "Kunde"), (Field::Segment, "Tarif"));
        for (fields, names, fits) in [
            (vec![firm, plan], vec!["Kunde", "Tarif"], true),
            (vec![firm, plan], vec!["Kunde", "Account", "Note"], false),
            (vec![firm, plan, (Field::Text, "Notiz")], vec!["Kunde", "Notiz"], true),
            (vec![firm, plan, (Field::ClosedAt, "Ende")], vec!["Kunde", "Ende"], true),
            (vec![firm], vec!["Kunde"], true),
            (vec![plan], vec!["Kunde", "Tarif"], false),
        ] {
            assert_eq!(map(&fields).fits(&header(&names)), fits, "{fields:?} {names:?}");
        }
    }

    #[test]
    fn every_name_stands_for_one_field() {
        let mut seen = BTreeMap::new();
        for (field, synonyms) in LABELS {
            for name in *synonyms {
                assert_eq!(*name, normal(name), "written as compared");
                assert!(seen.insert(*name, *field).is_none(), "{name} stands for two fields");
            }
        }
    }
}
