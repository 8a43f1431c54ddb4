//! Salesforce: tables by API names, as Data Loader and the weekly export write them, and the same fields in JSON.
//!
//! An id tells what it is an id of: `001` a firm, `006` a deal, `003` a contact, `00Q` a lead. The 15 letters that reports
//! show and the 18 that APIs give are one id.

use jiff::Timestamp;

use super::body::unpacked;
use super::columns::{Field, Names, SEGMENT};
use super::plain::full_name;
use super::record::{Cells, Draft, Reading, Record, chance, chance_of, opportunity as deal, percent};
use super::{Format, Rank, Read};
use crate::model::{NoteKind, OpportunityId, Owner, StageChange};

const COLUMNS: Names = &[
    (Field::Id, &["id"]),
    (Field::Account, &["accountid"]),
    (Field::Opportunity, &["opportunityid"]),
    (Field::OpportunityName, &["name"]),
    (Field::Owner, &["ownerid", "createdbyid"]),
    (Field::Kind, &["tasksubtype", "eventsubtype", "type"]),
    (Field::WrittenAt, &["createddate"]),
    (Field::HappenedAt, &["activitydatetime", "startdatetime", "completeddatetime", "activitydate"]),
    (Field::ModifiedAt, &["lastmodifieddate", "systemmodstamp"]),
    (Field::ClosedAt, &["closedate"]),
    (Field::Stage, &["stagename"]),
    (Field::Probability, &["probability"]),
    (Field::Amount, &["amount"]),
    (Field::Won, &["iswon"]),
    (Field::Closed, &["isclosed"]),
    (Field::Title, &["subject", "title"]),
    (Field::Text, &["description", "body", "content", "textpreview"]),
    (Field::Domain, &["website"]),
    (Field::Segment, SEGMENT),
    (Field::FirstName, &["firstname"]),
    (Field::LastName, &["lastname"]),
    (Field::Email, &["email"]),
    (Field::Deleted, &["isdeleted"]),
];

const fn table(
    name: &'static str,
    rank: Rank,
    knows: fn(&super::sample::Sample) -> bool,
    make: fn(&Cells<'_>, &mut Reading<'_>) -> Result<(), String>,
) -> Format {
    Format { name, rank, knows, read: Read::Row(COLUMNS, make) }
}

/// All of Salesforce's, in the order in which they are asked.
pub(super) const FORMATS: [Format; 12] = [
    table(
        "Salesforce User",
        Rank::Owners,
        |s| s.header.all(&["id", "username"]) && s.header.any(&["profileid", "userroleid", "alias"]),
        user,
    ),
    table(
        "Salesforce Contact",
        Rank::Contacts,
        |s| s.header.all(&["id", "lastname", "accountid"]) && s.header.any(&["ownerid", "createddate"]),
        contact,
    ),
    table(
        "Salesforce Lead",
        Rank::Contacts,
        |s| s.header.all(&["id", "lastname", "company"]) && s.header.any(&["isconverted", "leadsource"]),
        lead,
    ),
    table(
        "Salesforce OpportunityFieldHistory",
        Rank::Stages,
        |s| s.header.all(&["opportunityid", "field", "newvalue", "createddate"]),
        field_history,
    ),
    table(
        "Salesforce OpportunityHistory",
        Rank::Stages,
        |s| s.header.all(&["opportunityid", "stagename", "createddate"]),
        history,
    ),
    // A warehouse's copy: one row for each state of a deal.
    table(
        "Salesforce Opportunity states",
        Rank::Stages,
        |s| s.header.all(&["id", "stagename", "fivetranstart"]),
        state,
    ),
    table(
        "Salesforce Opportunity",
        Rank::Deals,
        |s| s.header.all(&["id", "stagename"]) && s.header.any(&["closedate", "isclosed"]),
        opportunity,
    ),
    table(
        "Salesforce Task",
        Rank::Notes,
        |s| {
            s.header.all(&["id"])
                && s.header.any(&["description", "subject"])
                && (s.header.any(&["tasksubtype"]) || s.header.all(&["whoid", "status", "priority"]))
        },
        task,
    ),
    table(
        "Salesforce Event",
        Rank::Notes,
        |s| {
            s.header.all(&["id"])
                && s.header.any(&["description", "subject"])
                && s.header.any(&["activitydatetime", "startdatetime"])
                && s.header.any(&["whatid", "whoid", "accountid"])
        },
        event,
    ),
    table("Salesforce Note", Rank::Notes, |s| s.header.all(&["id", "title", "body", "parentid"]), note),
    table(
        "Salesforce ContentNote",
        Rank::Notes,
        |s| s.header.all(&["id", "title"]) && s.header.any(&["textpreview", "latestpublishedversionid"]),
        content_note,
    ),
    table(
        "Salesforce Account",
        Rank::Accounts,
        |s| {
            s.header.all(&["id", "name"])
                && !s.header.any(&["lastname", "stagename", "accountid"])
                && s.header.any(&[
                    "billingcity",
                    "numberofemployees",
                    "annualrevenue",
                    "billingcountry",
                    "accountnumber",
                ])
        },
        account,
    ),
];

/// Which document belongs to what: needed to know whose a ContentNote is.
pub(super) const LINKS: Format = table(
    "Salesforce ContentDocumentLink",
    Rank::Links,
    |s| s.header.all(&["contentdocumentid", "linkedentityid"]),
    link,
);

/// An id in its long form; anything else as it is.
fn long(id: &str) -> String {
    if id.len() != 15 || !id.bytes().all(|b| b.is_ascii_alphanumeric()) || !id.bytes().any(|b| b.is_ascii_digit()) {
        return id.to_owned();
    }
    const SIGNS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let sign = |five: &[u8]| {
        let bits =
            five.iter().enumerate().filter(|(_, b)| b.is_ascii_uppercase()).fold(0, |bits, (i, _)| bits | (1 << i));
        char::from(SIGNS[bits])
    };
    let (fives, _) = id.as_bytes().as_chunks::<5>();
    id.chars().chain(fives.iter().map(|five| sign(five))).collect()
}

fn id_of(cells: &Cells<'_>) -> Option<String> {
    cells.get(Field::Id).map(long)
}

fn deleted(cells: &Cells<'_>, reading: &mut Reading<'_>) -> bool {
    let deleted = cells.is_deleted();
    if deleted {
        reading.skip("deleted in the CRM");
    }
    deleted
}

fn user(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let (Some(id), Some(name)) = (id_of(cells), cells.raw("name").map(str::to_owned).or_else(|| full_name(cells)))
    else {
        return Err("a user without id or name".to_owned());
    };
    reading.add(Record::Owner(Owner { id, name }));
    Ok(())
}

fn contact(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    if !deleted(cells, reading) {
        let name = cells.raw("name").map(str::to_owned).or_else(|| full_name(cells));
        let account = cells.get(Field::Account).map(long);
        reading.contact(id_of(cells).as_deref(), account.as_deref(), name.as_deref(), cells.get(Field::Email));
    }
    Ok(())
}

fn lead(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    if !deleted(cells, reading) {
        let name = cells.raw("name").map(str::to_owned).or_else(|| full_name(cells));
        let account = cells.raw("convertedaccountid").map(long).or_else(|| cells.raw("company").map(str::to_owned));
        reading.contact(id_of(cells).as_deref(), account.as_deref(), name.as_deref(), cells.get(Field::Email));
    }
    Ok(())
}

fn account(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    if !deleted(cells, reading) {
        let id = id_of(cells).ok_or("an account without an id")?;
        let owner = cells.get(Field::Owner).map(long);
        reading.account(&id, cells.raw("name"), cells.get(Field::Domain), owner.as_deref());
        reading.segment(&id, cells.get(Field::Segment));
    }
    Ok(())
}

fn opportunity(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    if !deleted(cells, reading) {
        let id = id_of(cells).ok_or("an opportunity without an id")?;
        let account = cells.get(Field::Account).map(long);
        deal(cells, reading, Some(&id), account.as_deref());
    }
    Ok(())
}

/// A deal that came to a stage.
pub(super) fn change(
    reading: &mut Reading<'_>,
    deal: Option<&str>,
    at: Option<Timestamp>,
    stage: Option<&str>,
) -> Result<(), String> {
    let (Some(deal), Some(at), Some(stage)) = (deal, at, stage) else {
        return Err("a change of stage needs a deal, a date and a stage".to_owned());
    };
    reading.add(Record::Stage(StageChange { opportunity: OpportunityId::new(deal), at, stage: stage.to_owned() }));
    Ok(())
}

fn history(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    if deleted(cells, reading) {
        return Ok(());
    }
    let (deal, at) = (cells.get(Field::Opportunity).map(long), cells.at(Field::WrittenAt, reading));
    change(reading, deal.as_deref(), at, cells.get(Field::Stage))?;
    chance_of(cells, reading, deal.as_deref(), at);
    Ok(())
}

fn state(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    if deleted(cells, reading) {
        return Ok(());
    }
    let (deal, at) = (id_of(cells), reading.at(cells.raw("fivetranstart")));
    change(reading, deal.as_deref(), at, cells.get(Field::Stage))?;
    chance_of(cells, reading, deal.as_deref(), at);
    Ok(())
}

fn field_history(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    match cells.raw("field") {
        Some("StageName" | "Stage" | "stage_name") => {
            let at = cells.at(Field::WrittenAt, reading);
            change(reading, cells.get(Field::Opportunity).map(long).as_deref(), at, cells.raw("newvalue"))
        }
        Some("Probability" | "probability") => {
            let at = cells.at(Field::WrittenAt, reading);
            let deal = cells.get(Field::Opportunity).map(long);
            chance(reading, deal.as_deref(), at, cells.raw("newvalue").and_then(percent));
            Ok(())
        }
        _ => {
            reading.skip("a change of another field");
            Ok(())
        }
    }
}

fn link(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let (Some(document), Some(entity)) = (cells.raw("contentdocumentid"), cells.raw("linkedentityid")) else {
        return Err("a link without document or entity".to_owned());
    };
    // A document is linked to its author as well.
    if ["001", "006", "003", "00Q"].iter().any(|kind| entity.starts_with(kind)) {
        reading.memory.links.entry(long(document)).or_default().push(long(entity));
    }
    Ok(())
}

/// What a note is about, by what the ids are ids of.
fn about(draft: &mut Draft, ids: impl IntoIterator<Item = String>) {
    for id in ids {
        match id.get(..3) {
            Some("001") => draft.account = draft.account.take().or(Some(id)),
            Some("006") => draft.opportunity = draft.opportunity.take().or(Some(id)),
            Some("003" | "00Q") => draft.contacts.push(id),
            _ => {}
        }
    }
}

fn draft(cells: &Cells<'_>, reading: &mut Reading<'_>, kind: NoteKind) -> Option<Draft> {
    if deleted(cells, reading) {
        return None;
    }
    let mut draft = Draft {
        id: id_of(cells),
        account: cells.get(Field::Account).map(long),
        owner: cells.get(Field::Owner).map(long),
        kind: Some(kind),
        written_at: cells.at(Field::WrittenAt, reading),
        happened_at: cells.at(Field::HappenedAt, reading),
        modified_at: cells.at(Field::ModifiedAt, reading),
        title: cells.owned(Field::Title),
        text: cells.get(Field::Text).unwrap_or_default().to_owned(),
        ..Draft::default()
    };
    let ids = ["whatid", "whoid", "parentid"].into_iter().filter_map(|name| cells.raw(name)).map(long);
    about(&mut draft, ids);
    Some(draft)
}

fn task(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let subject = cells.get(Field::Title).unwrap_or_default().to_lowercase();
    let kind = match cells.raw("tasksubtype").or_else(|| cells.raw("type")).map(NoteKind::parse) {
        Some(kind @ (NoteKind::Call | NoteKind::Email | NoteKind::Meeting)) => kind,
        _ if subject.starts_with("email:") || subject.starts_with("[email]") => NoteKind::Email,
        _ if subject.starts_with("call") => NoteKind::Call,
        _ => NoteKind::Task,
    };
    if let Some(draft) = draft(cells, reading, kind) {
        reading.add(draft.record());
    }
    Ok(())
}

fn event(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let kind = match cells.raw("type").map(NoteKind::parse) {
        Some(NoteKind::Call) => NoteKind::Call,
        _ => NoteKind::Meeting,
    };
    if let Some(draft) = draft(cells, reading, kind) {
        reading.add(draft.record());
    }
    Ok(())
}

fn note(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    if let Some(draft) = draft(cells, reading, NoteKind::Note) {
        reading.add(draft.record());
    }
    Ok(())
}

fn content_note(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let Some(mut draft) = draft(cells, reading, NoteKind::Note) else { return Ok(()) };
    if let Some(text) = cells.raw("content").and_then(unpacked) {
        draft.text = text;
    }
    let linked = draft.id.as_ref().and_then(|id| reading.memory.links.get(id)).cloned().unwrap_or_default();
    about(&mut draft, linked);
    reading.add(draft.record());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_ids_are_the_long_ones() {
        // The last three letters say which of the others are capitals.
        assert_eq!(long("0061A00000abcDe"), "0061A00000abcDeQAI");
        assert_eq!(long("0061A00000abcDeQAI"), "0061A00000abcDeQAI");
        assert_eq!(long("Acme Industries"), "Acme Industries");
    }
}
