//! Tables and JSON whose columns say in words what they hold: exports of views and reports by label, spreadsheets, and
//! whatever a map makes readable.

use super::columns::{CHURNED_AT, Field, LABELS, Names, SEGMENT, VALUE_AT, may_hold_notes};
use super::items::Header;
use super::record::{Cells, Draft, Reading, chance_of, first_id, opportunity};
use super::sample::Sample;
use super::{Format, Rank, Read, Vendor};
use crate::model::NoteKind;

/// Notes of any origin.
pub(super) const NOTES: Format =
    Format { name: "Notes by column names", rank: Rank::Notes, knows: has_notes, read: Read::Row(LABELS, note) };

/// HubSpot's exports of activities by label.
pub(super) const HUBSPOT_NOTES: Format = Format {
    name: "HubSpot activities (CSV)",
    rank: Rank::Notes,
    knows: |s| {
        let bodies = [
            "notebody",
            "callnotes",
            "callbody",
            "meetingdescription",
            "internalmeetingnotes",
            "emailbody",
            "tasknotes",
        ];
        s.header.all(&["recordid"]) && s.header.any(&bodies)
    },
    read: Read::Row(LABELS, note),
};

/// Salesforce's reports on activities, with labels and lines under the table.
pub(super) const SALESFORCE_REPORT: Format = Format {
    name: "Salesforce report (CSV)",
    rank: Rank::Notes,
    knows: |s| {
        s.header.any(&["fullcomments", "comments"])
            && s.header.any(&[
                "companyaccount",
                "accountname",
                "opportunity",
                "opportunityname",
                "assigned",
                "relatedto",
            ])
    },
    read: Read::Row(LABELS, report_note),
};

/// Pipedrive's notes by label.
pub(super) const PIPEDRIVE_NOTES: Format = Format {
    name: "Pipedrive notes (CSV)",
    rank: Rank::Notes,
    knows: |s| {
        let named = ["organization", "deal", "person", "organizationname", "dealtitle", "personname"];
        s.header.all(&["content"]) && s.header.any(&named) && (is_of("Note", s) || s.header.all(&["addtime"]))
    },
    read: Read::Row(LABELS, note),
};

/// Pipedrive's activities by label.
pub(super) const PIPEDRIVE_ACTIVITIES: Format = Format {
    name: "Pipedrive activities (CSV)",
    rank: Rank::Notes,
    knows: |s| is_of("Activity", s) && s.header.any(&["subject", "note"]),
    read: Read::Row(LABELS, pipedrive_activity),
};

/// Pipedrive's deals by label.
pub(super) const PIPEDRIVE_DEALS: Format = Format {
    name: "Pipedrive deals (CSV)",
    rank: Rank::Deals,
    knows: |s| {
        let ends = ["wontime", "losttime", "dealcreated", "dealclosedon"];
        (s.header.all(&["title", "status"]) && s.header.any(&ends))
            || (is_of("Deal", s)
                && s.header.any(&["title", "id"])
                && s.header.any(&["status", "dealstatus", "stage", "stagepipeline"]))
    },
    read: Read::Row(PIPEDRIVE, deal),
};

/// Pipedrive's organizations by label.
pub(super) const PIPEDRIVE_ORGANIZATIONS: Format = Format {
    name: "Pipedrive organizations (CSV)",
    rank: Rank::Accounts,
    knows: |s| is_of("Organization", s) && s.header.all(&["name"]),
    read: Read::Row(LABELS, pipedrive_organization),
};

/// Pipedrive's people by label.
pub(super) const PIPEDRIVE_PERSONS: Format = Format {
    name: "Pipedrive persons (CSV)",
    rank: Rank::Contacts,
    knows: |s| is_of("Person", s) && s.header.all(&["name"]),
    read: Read::Row(LABELS, contact),
};

/// Whether the rows of a table of Pipedrive's are of this kind.
fn is_of(kind: &str, s: &Sample) -> bool {
    s.header.kind() == Some(kind)
}

const PIPEDRIVE: Names = &[
    (Field::Id, &["id", "pipedrivesystemid"]),
    (Field::Account, &["organizationid", "organizationpipedrivesystemid"]),
    (Field::AccountName, &["organization", "organizationname"]),
    (Field::OpportunityName, &["title"]),
    (Field::Owner, &["owner"]),
    (Field::WrittenAt, &["dealcreated", "addtime"]),
    (Field::ModifiedAt, &["updatetime"]),
    (Field::ClosedAt, &["wontime", "losttime", "dealclosedon", "closedon"]),
    (Field::Probability, &["probability", "dealprobability"]),
    (Field::Stage, &["stage", "stagepipeline"]),
    (Field::Status, &["status", "dealstatus"]),
    (Field::Amount, &["value"]),
    (Field::Contact, &["contactperson", "person", "personname"]),
];

/// Deals of any origin.
pub(super) const DEALS: Format = Format {
    name: "Deals by column names",
    rank: Rank::Deals,
    knows: |s| {
        let header = &s.header;
        let staged = header.any(&["dealstage", "stagename", "opportunitystage", "stage", "pipelinestage"]);
        let closes = header.any(&[
            "closedate",
            "closedat",
            "dealclosedon",
            "closetime",
            "wontime",
            "losttime",
            "expectedclosedate",
            "isclosed",
            "won",
        ]);
        let body =
            header.any(&["notebody", "fullcomments", "comments", "callnotes", "note", "notes", "body", "content"]);
        let named = header.any(&["dealname", "opportunityname"]);
        // What became of customers, in a table by itself.
        let followed = (header.any(CHURNED_AT) || header.any(VALUE_AT)) && !has_text(s);
        let dealt = named || header.any(&["dealid", "opportunityid", "oppid"]);
        !body && !header.any(&["tostage"]) && (staged && closes && (has_account(s) || named) || followed && dealt)
    },
    read: Read::Row(LABELS, deal),
};

/// Histories of stages by label.
pub(super) const STAGES: Format = Format {
    name: "Stage history by column names",
    rank: Rank::Stages,
    knows: |s| {
        s.header.any(&["tostage"])
            && s.header.any(&["opportunityid", "dealid", "opportunityname", "dealname"])
            && s.header.any(&["lastmodified", "lastmodifieddate", "date", "createddate", "timestamp"])
    },
    read: Read::Row(LABELS, stage),
};

/// Firms of any origin.
pub(super) const ACCOUNTS: Format = Format {
    name: "Accounts by column names",
    rank: Rank::Accounts,
    knows: |s| {
        let firm = ["website", "employees", "numberofemployees", "annualrevenue", "revenue", "companydomainname"];
        !has_text(s)
            && !may_hold_notes(&s.header)
            && has_account(s)
            && (s.header.any(&firm) || s.header.any(SEGMENT))
            && !s.header.any(&["firstname", "lastname", "stage", "dealstage"])
    },
    read: Read::Row(LABELS, account),
};

/// People of any origin.
pub(super) const CONTACTS: Format = Format {
    name: "Contacts by column names",
    rank: Rank::Contacts,
    knows: |s| {
        let named = s.header.all(&["firstname", "lastname"]) || s.header.any(&["name", "fullname"]);
        named
            && s.header.any(&["email", "emailaddress", "emailwork"])
            && !has_body(s)
            && !s.header.any(&["profileid", "role"])
    },
    read: Read::Row(LABELS, contact),
};

/// Whose a table of deals, firms or people is that only its labels tell.
pub(super) fn vendor_by_labels(header: &Header) -> Vendor {
    match () {
        () if header.any(&["recordid", "hsobjectid"]) => "hubspot",
        () if header.kind().is_some() => "pipedrive",
        () => "",
    }
}

fn has_account(s: &Sample) -> bool {
    LABELS
        .iter()
        .filter(|(field, _)| matches!(field, Field::Account | Field::AccountName))
        .any(|(_, names)| s.header.any(names))
}

fn has_text(s: &Sample) -> bool {
    LABELS.iter().filter(|(field, _)| *field == Field::Text).any(|(_, names)| s.header.any(names))
}

/// A column that can hold nothing but a note.
fn has_body(s: &Sample) -> bool {
    s.header.any(&["notebody", "hsnotebody", "fullcomments", "comments", "body", "content", "callnotes", "text"])
}

fn has_notes(s: &Sample) -> bool {
    has_text(s) && has_account(s)
}

fn named(cells: &Cells<'_>) -> Option<String> {
    cells.get(Field::Account).or_else(|| cells.get(Field::AccountName)).map(|a| first_id(a).to_owned())
}

/// The firm of a row. When both its id and its name are told, that is worth keeping, and so is its segment.
pub(super) fn account_of(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Option<String> {
    let account = named(cells)?;
    if let (Some(_), Some(name)) = (cells.get(Field::Account), cells.get(Field::AccountName))
        && name != account
    {
        reading.account(&account, Some(name), None, None);
    }
    reading.segment(&account, cells.get(Field::Segment));
    Some(account)
}

/// What tables call the day on which a note was written.
const CREATED: &[&str] = &["createddate", "createdate", "created"];

pub(super) fn note(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    noted(cells, reading, |_| ())
}

/// The `Date` of a report on activities is the activity's day, whether or not it says as well when the note was written.
fn report_note(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    noted(cells, reading, |draft| {
        if !CREATED.iter().any(|name| cells.raw(name).is_some()) {
            draft.happened_at = draft.happened_at.or(draft.written_at.take());
        }
    })
}

/// Adds the note of a row that is not deleted, after `mend`.
fn noted(cells: &Cells<'_>, reading: &mut Reading<'_>, mend: impl FnOnce(&mut Draft)) -> Result<(), String> {
    if cells.is_deleted() {
        reading.skip("deleted in the CRM");
        return Ok(());
    }
    let mut draft = draft(cells, reading);
    mend(&mut draft);
    reading.add(draft.record());
    Ok(())
}

fn draft(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Draft {
    let account = account_of(cells, reading);
    let kind = kind(cells);
    reading.contacts(account.as_deref(), cells.get(Field::Contact));
    if let Some(email) = cells.get(Field::Email) {
        reading.contact(None, account.as_deref(), None, Some(email));
    }
    let written_at = cells.at(Field::WrittenAt, reading);
    let mut happened_at = cells.at(Field::HappenedAt, reading);
    // Reports say `Created Date` beside `Date`, which is then the day of the activity.
    if happened_at.is_none() && cells.row.header.any(CREATED) {
        happened_at = reading.at(cells.raw("date"));
    }
    Draft {
        id: cells.owned(Field::Id),
        account,
        opportunity: cells
            .get(Field::Opportunity)
            .or_else(|| cells.get(Field::OpportunityName).filter(|_| cells.raw("product").is_none()))
            .map(|o| first_id(o).to_owned()),
        contacts: cells.get(Field::ContactId).map(first_id).map(str::to_owned).into_iter().collect(),
        emails: cells.owned(Field::Email).into_iter().collect(),
        owner: cells.owned(Field::Owner),
        kind,
        written_at,
        happened_at,
        modified_at: cells.at(Field::ModifiedAt, reading),
        stage: cells.owned(Field::Stage),
        amount: reading.amount(cells.get(Field::Amount)),
        title: cells.owned(Field::Title),
        text: cells.columns.text(cells.row).unwrap_or_default(),
    }
}

/// Notes and activities are counted apart, so their numbers coincide.
fn pipedrive_activity(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let draft = draft(cells, reading);
    let kind = draft.kind.filter(|kind| *kind != NoteKind::Note).unwrap_or(NoteKind::Task);
    let id = draft.id.map(|id| format!("pipedrive:activity:{id}"));
    reading.add(Draft { id, kind: Some(kind), ..draft }.record());
    Ok(())
}

/// What kind of note a row is: what it says, or what its columns are called; `None` when neither tells.
fn kind(cells: &Cells<'_>) -> Option<NoteKind> {
    if let Some(said) = cells.get(Field::Kind) {
        return Some(NoteKind::parse(said));
    }
    let kinds: [(&[&str], NoteKind); 4] = [
        (&["callnotes", "callbody", "hscallbody", "calldate"], NoteKind::Call),
        (
            &["meetingdescription", "internalmeetingnotes", "hsmeetingbody", "meetingdate", "meetingnotes"],
            NoteKind::Meeting,
        ),
        (&["emailbody", "hsemailtext", "emailsubject"], NoteKind::Email),
        (&["tasknotes", "hstaskbody", "tasktitle"], NoteKind::Task),
    ];
    let filled = |names: &&[&str]| names.iter().any(|name| cells.raw(name).is_some());
    kinds.iter().find(|(names, _)| filled(names)).map(|(_, kind)| *kind)
}

fn deal(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    if cells.is_deleted() {
        reading.skip("deleted in the CRM");
        return Ok(());
    }
    let account = account_of(cells, reading);
    reading.contacts(account.as_deref(), cells.get(Field::Contact));
    let id = cells.get(Field::Opportunity).or_else(|| cells.get(Field::Id));
    if id.is_none() && account.is_none() && cells.get(Field::OpportunityName).is_none() {
        return Err("no id, no account and no name: a deal that nothing can refer to".to_owned());
    }
    opportunity(cells, reading, id, account.as_deref());
    Ok(())
}

fn stage(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let deal = cells.get(Field::Opportunity).or_else(|| cells.get(Field::OpportunityName));
    let at = cells.at(Field::ModifiedAt, reading).or_else(|| cells.at(Field::WrittenAt, reading));
    super::salesforce::change(reading, deal, at, cells.raw("tostage"))?;
    chance_of(cells, reading, deal, at);
    Ok(())
}

fn account(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let id = cells.get(Field::Id).or_else(|| cells.get(Field::Account)).or_else(|| cells.get(Field::AccountName));
    let id = id.ok_or("neither an id nor a name: an account that nothing can refer to")?;
    let name = cells.get(Field::AccountName).or_else(|| cells.get(Field::Account)).or_else(|| cells.raw("name"));
    reading.account(id, name, cells.get(Field::Domain), cells.get(Field::Owner));
    reading.segment(id, cells.get(Field::Segment));
    Ok(())
}

/// Without a column of a segment, a label divides them.
fn pipedrive_organization(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    account(cells, reading)?;
    let id = cells.get(Field::Id).or_else(|| cells.raw("name"));
    if let (Some(id), false) = (id, cells.columns.has(Field::Segment)) {
        reading.segment(id, cells.raw("labels").or_else(|| cells.raw("label")));
    }
    Ok(())
}

fn contact(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    if cells.is_deleted() {
        reading.skip("deleted in the CRM");
        return Ok(());
    }
    let account = named(cells);
    let name = full_name(cells);
    reading.contact(cells.get(Field::Id), account.as_deref(), name.as_deref(), cells.get(Field::Email));
    Ok(())
}

/// A person's name, in one column or two.
pub(super) fn full_name(cells: &Cells<'_>) -> Option<String> {
    let both = [Field::FirstName, Field::LastName].into_iter().filter_map(|f| cells.get(f)).collect::<Vec<_>>();
    if both.is_empty() {
        return cells.raw("name").or_else(|| cells.raw("fullname")).map(str::to_owned);
    }
    Some(both.join(" "))
}
