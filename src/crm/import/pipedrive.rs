//! Pipedrive: notes, activities, deals, organizations and persons as its API gives them, and a deal's history. Its times
//! without a zone are UTC.

use serde_json::Value;

use super::json::{first, has, has_any, id, list, text, yes};
use super::record::{Draft, Reading, Record, WORDS_OF_A_DEAL, chance, percent};
use super::{Format, Rank, Read};
use crate::model::{AccountId, NoteKind, Opportunity, OpportunityId, Outcome, StageChange};

/// All of Pipedrive's JSON.
pub(super) const FORMATS: [Format; 6] = [
    Format {
        name: "Pipedrive deals (API)",
        rank: Rank::Deals,
        knows: |s| s.any(|o| has(o, &["id", "title", "stage_id", "status"])),
        read: Read::Object(deal),
    },
    Format {
        name: "Pipedrive deal history (API)",
        rank: Rank::Stages,
        knows: |s| s.any(|o| has(o, &["object", "data"])),
        read: Read::Object(flow),
    },
    Format {
        name: "Pipedrive notes (API)",
        rank: Rank::Notes,
        knows: |s| s.any(|o| has(o, &["id", "content", "add_time"]) && has_any(o, &["org_id", "deal_id", "person_id"])),
        read: Read::Object(note),
    },
    Format {
        name: "Pipedrive activities (API)",
        rank: Rank::Notes,
        knows: |s| s.any(|o| has(o, &["id", "subject", "due_date", "type"])),
        read: Read::Object(activity),
    },
    Format {
        name: "Pipedrive persons (API)",
        rank: Rank::Contacts,
        knows: |s| s.any(|o| has(o, &["id", "name", "org_id"]) && has_any(o, &["email", "emails", "first_name"])),
        read: Read::Object(person),
    },
    Format {
        name: "Pipedrive organizations (API)",
        rank: Rank::Accounts,
        knows: |s| {
            s.any(|o| has(o, &["id", "name", "owner_id"]) && has_any(o, &["people_count", "address", "cc_email"]))
        },
        read: Read::Object(organization),
    },
];

/// A time of Pipedrive's, with its zone.
fn at(reading: &mut Reading<'_>, time: Option<String>) -> Option<jiff::Timestamp> {
    reading.at(time.map(zoned).as_deref())
}

fn zoned(time: String) -> String {
    let bare = time.len() == 19 && time.as_bytes()[10] == b' ';
    if bare { format!("{}Z", time.replacen(' ', "T", 1)) } else { time }
}

fn gone(object: &Value, reading: &mut Reading<'_>) -> bool {
    let gone = text(object.get("active_flag")).as_deref() == Some("false")
        || yes(object, "is_deleted")
        || text(object.get("status")).as_deref() == Some("deleted");
    if gone {
        reading.skip("deleted in the CRM");
    }
    gone
}

/// The firm an object belongs to; its name is kept where it is told.
fn org(object: &Value, reading: &mut Reading<'_>) -> Option<String> {
    let org = object.get("org_id");
    let key = id(org)?;
    let named = [object.get("org_name"), object.get("organization"), org];
    let name = named.into_iter().flatten().find_map(|v| v.as_str().map(str::to_owned).or_else(|| first(v, &["name"])));
    if let Some(name) = name.filter(|n| *n != key) {
        reading.account(&key, Some(&name), None, None);
    }
    Some(key)
}

/// The person an object is about; their name is kept.
fn people(object: &Value, account: Option<&str>, reading: &mut Reading<'_>) -> Vec<String> {
    let person = object.get("person_id");
    let key = id(person);
    let named = [object.get("person_name"), object.get("person"), person];
    let name = named.into_iter().flatten().find_map(|v| v.as_str().map(str::to_owned).or_else(|| first(v, &["name"])));
    let email = person.and_then(|p| list(p.get("email")).first()).and_then(|e| text(Some(e)));
    if name.is_some() || email.is_some() {
        reading.contact(key.as_deref(), account, name.as_deref(), email.as_deref());
    }
    key.into_iter().collect()
}

fn owner(object: &Value) -> Option<String> {
    ["user_id", "owner_id", "creator_user_id"].into_iter().find_map(|name| id(object.get(name)))
}

fn note(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    if gone(object, reading) {
        return Ok(());
    }
    let account = org(object, reading);
    let draft = Draft {
        id: id(object.get("id")),
        opportunity: id(object.get("deal_id")),
        contacts: people(object, account.as_deref(), reading),
        account,
        owner: owner(object),
        written_at: at(reading, first(object, &["add_time"])),
        modified_at: at(reading, first(object, &["update_time"])),
        text: first(object, &["content"]).unwrap_or_default(),
        ..Draft::default()
    };
    reading.add(draft.record());
    Ok(())
}

fn activity(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    if gone(object, reading) {
        return Ok(());
    }
    let account = org(object, reading);
    let due = first(object, &["due_date"]).map(|day| match first(object, &["due_time"]) {
        Some(time) if time.len() == 5 => format!("{day} {time}:00"),
        Some(time) if time.len() == 8 => format!("{day} {time}"),
        _ => day,
    });
    let bodies =
        ["note", "public_description"].into_iter().filter_map(|name| first(object, &[name])).collect::<Vec<_>>();
    let draft = Draft {
        // Notes and activities are counted apart, so their numbers coincide.
        id: id(object.get("id")).map(|id| format!("pipedrive:activity:{id}")),
        opportunity: id(object.get("deal_id")),
        contacts: people(object, account.as_deref(), reading),
        account,
        owner: owner(object),
        kind: first(object, &["type"]).map(|t| match NoteKind::parse(&t) {
            NoteKind::Note => NoteKind::Task,
            kind => kind,
        }),
        written_at: at(reading, first(object, &["add_time"])),
        happened_at: at(reading, due),
        modified_at: at(reading, first(object, &["update_time"])),
        title: first(object, &["subject"]),
        text: bodies.join("\n\n"),
        ..Draft::default()
    };
    reading.add(draft.record());
    Ok(())
}

fn deal(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    if gone(object, reading) {
        return Ok(());
    }
    let key = id(object.get("id")).ok_or("a deal without an id")?;
    let account = org(object, reading);
    people(object, account.as_deref(), reading);
    let outcome = first(object, &["status"]).as_deref().map_or(Outcome::Open, |words| reading.stages.outcome(words));
    let ends: &[&str] = match outcome {
        Outcome::Open => &[],
        Outcome::Won => &["won_time", "close_time"],
        Outcome::Lost => &["lost_time", "close_time"],
    };
    let end = first(object, ends).map(zoned);
    let closed_at = reading.end(end.as_deref());
    let stage = first(object, &["stage_name", "stage_id"]);
    let came_to = at(reading, first(object, &["stage_change_time"])).zip(stage.clone());
    let opened_at = at(reading, first(object, &["add_time"]));
    let modified_at = at(reading, first(object, &["update_time"]));
    let amount = reading.amount(first(object, &["value"]).as_deref());
    if first(object, &["lost_reason"]).is_some() {
        reading.skip(WORDS_OF_A_DEAL);
    }
    reading.add(Record::Opportunity(Box::new(Opportunity {
        id: OpportunityId::new(&*key),
        account: account.map(AccountId::new),
        name: first(object, &["title"]),
        owner: owner(object),
        // Pipedrive keeps the stage a deal was in when it ended, and how it ended apart from it.
        stage: if outcome == Outcome::Open { stage } else { first(object, &["status"]) },
        outcome,
        amount,
        opened_at,
        closed_at,
        modified_at,
        churned_at: None,
        value_at: None,
    })));
    if let Some((at, stage)) = came_to {
        reading.add(Record::Stage(StageChange { opportunity: OpportunityId::new(&*key), at, stage }));
    }
    if outcome == Outcome::Open {
        chance(reading, Some(&key), modified_at, first(object, &["probability"]).as_deref().and_then(percent));
    }
    Ok(())
}

/// What happened to a deal: changes of its fields, and the notes and activities that were added.
fn flow(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    let data = object.get("data").unwrap_or(&Value::Null);
    match first(object, &["object"]).unwrap_or_default().as_str() {
        "dealChange" => {
            let field = first(data, &["field_key"]).unwrap_or_default();
            let time = first(data, &["log_time"]).or_else(|| first(object, &["timestamp"]));
            let (deal, value) = (first(data, &["item_id"]), first(data, &["new_value"]));
            match field.as_str() {
                "stage_id" | "status" => {
                    let at = at(reading, time);
                    return super::salesforce::change(reading, deal.as_deref(), at, value.as_deref());
                }
                "probability" => {
                    let at = at(reading, time);
                    chance(reading, deal.as_deref(), at, value.as_deref().and_then(percent));
                }
                _ => reading.skip("a change of another field"),
            }
            Ok(())
        }
        "note" => note(data, reading),
        "activity" => activity(data, reading),
        "deal" => deal(data, reading),
        _ => {
            reading.skip("an event of another kind");
            Ok(())
        }
    }
}

fn organization(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    if gone(object, reading) {
        return Ok(());
    }
    let key = id(object.get("id")).ok_or("an organization without an id")?;
    reading.account(
        &key,
        first(object, &["name"]).as_deref(),
        first(object, &["website"]).as_deref(),
        owner(object).as_deref(),
    );
    // Its labels have names elsewhere.
    let label = || first(object, &["label"]).or_else(|| text(list(object.get("label_ids")).first()));
    let label = || label().filter(|_| reading.segment.is_none()).map(|number| format!("label {number}"));
    let segment = reading.segment_in(&[object]).or_else(label);
    reading.segment(&key, segment.as_deref());
    Ok(())
}

fn person(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    if gone(object, reading) {
        return Ok(());
    }
    let account = org(object, reading);
    let emails = [object.get("email"), object.get("emails")];
    let emails = emails.into_iter().flat_map(list).filter_map(|e| text(Some(e)));
    let email = emails.into_iter().next().or_else(|| first(object, &["email"]));
    reading.contact(
        id(object.get("id")).as_deref(),
        account.as_deref(),
        first(object, &["name"]).as_deref(),
        email.as_deref(),
    );
    Ok(())
}
