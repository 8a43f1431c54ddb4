//! Close: activities and opportunities as its API gives them, the export of leads, in which each lead holds everything about
//! it, and the tables of leads and opportunities.

use serde_json::Value;

use super::columns::{Field, Names, SEGMENT};
use super::json::{first, has, has_any, list, text};
use super::plain::account_of;
use super::record::{Cells, Draft, Reading, Record, chance, opportunity, percent};
use super::{Format, Rank, Read};
use crate::model::{AccountId, NoteKind, Opportunity, OpportunityId, Outcome, StageChange};

/// All of Close's.
pub(super) const FORMATS: [Format; 5] = [
    Format {
        name: "Close leads (export)",
        rank: Rank::Accounts,
        knows: |s| {
            s.any(|o| {
                starts(o, "id", "lead_") && has_any(o, &["contacts", "opportunities", "activities", "display_name"])
            })
        },
        read: Read::Object(lead),
    },
    Format {
        name: "Close opportunities (API)",
        rank: Rank::Deals,
        knows: |s| s.any(|o| starts(o, "id", "oppo_")),
        read: Read::Object(|o, reading| deal(o, None, reading)),
    },
    Format {
        name: "Close activities (API)",
        rank: Rank::Notes,
        knows: |s| s.any(|o| starts(o, "id", "acti_") || has(o, &["_type", "lead_id"])),
        read: Read::Object(|o, reading| activity(o, None, reading)),
    },
    Format {
        name: "Close opportunities (CSV)",
        rank: Rank::Deals,
        knows: |s| s.header.all(&["id", "leadid", "statustype"]) && s.header.any(&["value", "valueformatted"]),
        read: Read::Row(COLUMNS, deal_row),
    },
    Format {
        name: "Close leads (CSV)",
        rank: Rank::Accounts,
        knows: |s| s.header.all(&["id", "displayname", "statuslabel"]),
        read: Read::Row(COLUMNS, lead_row),
    },
];

const COLUMNS: Names = &[
    (Field::Id, &["id"]),
    (Field::Account, &["leadid"]),
    (Field::AccountName, &["leadname", "displayname"]),
    (Field::Domain, &["url"]),
    (Field::Segment, SEGMENT),
    (Field::Owner, &["userid", "username"]),
    (Field::WrittenAt, &["datecreated"]),
    (Field::ModifiedAt, &["dateupdated"]),
    (Field::ClosedAt, &["datewon", "datelost"]),
    (Field::Probability, &["confidence"]),
    (Field::Stage, &["statuslabel"]),
    (Field::Status, &["statustype"]),
    (Field::Amount, &["valueformatted"]),
    (Field::Text, &["note"]),
    (Field::Contact, &["contactname", "primarycontactname"]),
    (Field::Email, &["primarycontactprimaryemail"]),
];

fn lead_row(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let key = cells.get(Field::Id).ok_or("a lead without an id")?;
    reading.account(key, cells.get(Field::AccountName), cells.get(Field::Domain), None);
    reading.segment(key, cells.get(Field::Segment));
    reading.contact(None, Some(key), cells.get(Field::Contact), cells.get(Field::Email));
    Ok(())
}

fn deal_row(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let key = cells.get(Field::Id).ok_or("an opportunity without an id")?;
    let account = account_of(cells, reading);
    reading.contacts(account.as_deref(), cells.get(Field::Contact));
    if let Some(words) = cells.get(Field::Text) {
        let draft = Draft {
            account: account.clone(),
            owner: cells.owned(Field::Owner),
            written_at: cells.at(Field::WrittenAt, reading),
            modified_at: cells.at(Field::ModifiedAt, reading),
            text: words.to_owned(),
            ..Draft::default()
        };
        note_of(key, draft, reading);
    }
    opportunity(cells, reading, Some(key), account.as_deref());
    Ok(())
}

/// What a rep writes on a deal is a note like any other, with the deal's times.
fn note_of(deal: &str, draft: Draft, reading: &mut Reading<'_>) {
    let (id, opportunity) = (Some(format!("{deal}:note")), Some(deal.to_owned()));
    reading.add(Draft { id, opportunity, ..draft }.record());
}

fn starts(object: &Value, name: &str, with: &str) -> bool {
    object.get(name).and_then(Value::as_str).is_some_and(|id| id.starts_with(with))
}

fn lead(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    let key = first(object, &["id"]).ok_or("a lead without an id")?;
    let name = first(object, &["display_name", "name"]);
    reading.account(&key, name.as_deref(), first(object, &["url"]).as_deref(), None);
    let own = object.get("custom").unwrap_or(&Value::Null);
    reading.segment(&key, reading.segment_in(&[object, own]).as_deref());
    for person in list(object.get("contacts")) {
        let email = list(person.get("emails")).iter().find_map(|e| first(e, &["email"]));
        let name = first(person, &["name", "display_name"]);
        reading.contact(first(person, &["id"]).as_deref(), Some(&key), name.as_deref(), email.as_deref());
    }
    // What cannot be read costs itself and not what stands beside it.
    let mut flaws = Vec::new();
    for item in list(object.get("opportunities")) {
        flaws.extend(deal(item, Some(&key), reading).err());
    }
    let activities = ["activities", "notes"].into_iter().flat_map(|name| list(object.get(name)));
    for item in activities {
        flaws.extend(activity(item, Some(&key), reading).err());
    }
    let count = flaws.len();
    flaws.sort();
    flaws.dedup();
    if count == 0 { Ok(()) } else { Err(format!("{count} of its parts could not be read: {}", flaws.join("; "))) }
}

fn deal(object: &Value, lead: Option<&str>, reading: &mut Reading<'_>) -> Result<(), String> {
    let key = first(object, &["id"]).ok_or("an opportunity without an id")?;
    let account = first(object, &["lead_id"]).or_else(|| lead.map(str::to_owned));
    if let (Some(account), Some(name)) = (&account, first(object, &["lead_name"])) {
        reading.account(account, Some(&name), None, None);
    }
    let stage = first(object, &["status_label", "status_display_name"]);
    let outcome = first(object, &["status_type"])
        .or_else(|| stage.clone())
        .as_deref()
        .map_or(Outcome::Open, |words| reading.stages.outcome(words));
    let end = match outcome {
        Outcome::Open => None,
        Outcome::Won => first(object, &["date_won"]),
        Outcome::Lost => first(object, &["date_lost"]),
    };
    let closed_at = reading.end(end.as_deref());
    let opened_at = reading.at(first(object, &["date_created"]).as_deref());
    let modified_at = reading.at(first(object, &["date_updated"]).as_deref());
    let owner = first(object, &["user_id", "user_name"]);
    let amount = first(object, &["value"])
        .and_then(|cents| cents.parse::<f64>().ok())
        .filter(|cents| cents.is_finite())
        .map(|cents| cents / 100.0);
    if let Some(text) = first(object, &["note"]) {
        let (account, owner) = (account.clone(), owner.clone());
        let draft = Draft { account, owner, written_at: opened_at, modified_at, text, ..Draft::default() };
        note_of(&key, draft, reading);
    }
    reading.add(Record::Opportunity(Box::new(Opportunity {
        id: OpportunityId::new(&*key),
        account: account.map(AccountId::new),
        name: None,
        owner,
        stage,
        outcome,
        amount,
        opened_at,
        closed_at,
        modified_at,
        churned_at: None,
        value_at: None,
    })));
    if outcome == Outcome::Open {
        chance(reading, Some(&key), modified_at, first(object, &["confidence"]).as_deref().and_then(percent));
    }
    Ok(())
}

fn activity(object: &Value, lead: Option<&str>, reading: &mut Reading<'_>) -> Result<(), String> {
    let sort = first(object, &["_type"]).unwrap_or_else(|| "Note".to_owned());
    if sort == "OpportunityStatusChange" {
        let at = reading.at(first(object, &["date_created"]).as_deref());
        let stage = first(object, &["new_status_label", "new_status_type"]);
        if let (Some(deal), Some(at), Some(stage)) = (first(object, &["opportunity_id"]), at, stage) {
            reading.add(Record::Stage(StageChange { opportunity: OpportunityId::new(deal), at, stage }));
            return Ok(());
        }
        return Err("a change of status without opportunity, date or status".to_owned());
    }
    let (kind, title, bodies): (NoteKind, &[&str], &[&str]) = match sort.as_str() {
        "Note" => (NoteKind::Note, &["title"], &["note", "note_html"]),
        "Call" => (NoteKind::Call, &[], &["note", "note_html"]),
        "Meeting" => (NoteKind::Meeting, &["title"], &["user_note", "user_note_html", "note"]),
        "Email" => (NoteKind::Email, &["subject"], &["body_text", "body_html"]),
        "SMS" | "WhatsAppMessage" => (NoteKind::Email, &[], &["text", "message_markdown"]),
        "TaskCompleted" => (NoteKind::Task, &["task_text"], &[]),
        "EmailThread" => {
            reading.skip("a thread whose mails stand by themselves");
            return Ok(());
        }
        _ => {
            reading.skip("an activity of another kind");
            return Ok(());
        }
    };
    let status = first(object, &["status"]).unwrap_or_default();
    if kind == NoteKind::Email && matches!(status.as_str(), "draft" | "outbox" | "scheduled") {
        reading.skip("a mail that was not sent");
        return Ok(());
    }
    let written_at = reading.at(first(object, &["date_created"]).as_deref());
    let happened_at = reading.at(first(object, &["activity_at", "starts_at", "date_sent"]).as_deref());
    let modified_at = reading.at(first(object, &["date_updated"]).as_deref());
    let draft = Draft {
        id: first(object, &["id"]),
        account: first(object, &["lead_id"]).or_else(|| lead.map(str::to_owned)),
        opportunity: first(object, &["opportunity_id"]),
        contacts: text(object.get("contact_id")).into_iter().collect(),
        owner: first(object, &["user_id", "user_name"]),
        kind: Some(kind),
        written_at,
        happened_at,
        modified_at,
        title: first(object, title),
        text: first(object, bodies).unwrap_or_default(),
        ..Draft::default()
    };
    reading.add(draft.record());
    Ok(())
}
