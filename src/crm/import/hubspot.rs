//! HubSpot: objects of its API (notes, calls, meetings, emails, tasks, deals, companies, contacts, owners), and engagements
//! as the older API and the exports of a contact's activities give them.

use serde_json::Value;

use super::columns::{Field, LABELS};
use super::json::{first, has, has_any, id, list, text, yes};
use super::plain::full_name;
use super::record::{Cells, Draft, Reading, Record, WORDS_OF_A_DEAL, chance};
use super::{Format, Rank, Read};
use crate::model::{AccountId, NoteKind, Opportunity, OpportunityId, Outcome, Owner, StageChange};

const fn objects(name: &'static str, rank: Rank, knows: fn(&super::sample::Sample) -> bool) -> Format {
    Format { name, rank, knows, read: Read::Object(object) }
}

/// All of HubSpot's JSON.
pub(super) const FORMATS: [Format; 7] = [
    objects("HubSpot deals (API)", Rank::Deals, |s| s.any(|o| holds(o, &["dealname", "dealstage"]))),
    objects("HubSpot contacts (API)", Rank::Contacts, |s| s.any(|o| holds(o, &["firstname", "lastname"]))),
    objects("HubSpot activities (API)", Rank::Notes, |s| s.any(|o| kind(o).is_some())),
    objects("HubSpot companies (API)", Rank::Accounts, |s| s.any(|o| holds(o, &["domain", "website", "industry"]))),
    Format {
        name: "HubSpot engagements",
        rank: Rank::Notes,
        knows: |s| s.any(|o| o.get("engagement").is_some_and(Value::is_object)),
        read: Read::Object(engagement),
    },
    Format {
        name: "HubSpot owners (API)",
        rank: Rank::Owners,
        knows: |s| s.any(|o| has(o, &["id", "firstName", "lastName", "userId"])),
        read: Read::Object(owner),
    },
    Format {
        name: "HubSpot users (CSV)",
        rank: Rank::Owners,
        knows: |s| s.header.all(&["userid", "firstname", "lastname"]) && !s.header.any(&["recordid", "id"]),
        read: Read::Row(LABELS, user),
    },
];

fn holds(object: &Value, names: &[&str]) -> bool {
    object.get("properties").is_some_and(|p| has_any(p, names))
}

/// The prefix of an activity's properties, and what kind of note that makes it.
const KINDS: [(&str, NoteKind); 5] = [
    ("hs_note_", NoteKind::Note),
    ("hs_call_", NoteKind::Call),
    ("hs_meeting_", NoteKind::Meeting),
    ("hs_email_", NoteKind::Email),
    ("hs_task_", NoteKind::Task),
];

fn kind(object: &Value) -> Option<NoteKind> {
    let properties = object.get("properties")?.as_object()?;
    let own = |prefix: &str| properties.iter().any(|(name, value)| name.starts_with(prefix) && !value.is_null());
    KINDS.iter().find(|(prefix, _)| own(prefix)).map(|(_, kind)| *kind)
}

/// Ids of what an object is associated with: `{"companies": {"results": [{"id": …}]}}`, `{"companyIds": […]}`.
fn associated(object: &Value, names: &[&str]) -> Vec<String> {
    let associations = object.get("associations").unwrap_or(object);
    let mut ids = Vec::new();
    for value in names.iter().filter_map(|name| associations.get(name)) {
        let items = list(value.get("results").or(Some(value)));
        ids.extend(items.iter().filter_map(|item| id(Some(item)).or_else(|| text(item.get("toObjectId")))));
    }
    ids
}

const COMPANIES: &[&str] = &["companies", "companyIds", "associatedCompanyIds"];
const DEALS: &[&str] = &["deals", "dealIds", "associatedDealIds"];
const CONTACTS: &[&str] = &["contacts", "contactIds", "associatedVids"];

fn object(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    if yes(object, "archived") || yes(object, "isDeleted") {
        reading.skip("deleted in the CRM");
        return Ok(());
    }
    let Some(properties) = object.get("properties") else {
        return Err("an object without properties".to_owned());
    };
    if has_any(properties, &["dealname", "dealstage"]) {
        deal(object, properties, reading)
    } else if let Some(kind) = kind(object) {
        activity(object, properties, kind, reading);
        Ok(())
    } else if has_any(properties, &["firstname", "lastname", "email"]) {
        contact(object, properties, reading);
        Ok(())
    } else if has_any(properties, &["name", "domain", "website"]) {
        company(object, properties, reading)
    } else {
        reading.skip("an object of another kind");
        Ok(())
    }
}

fn activity(object: &Value, properties: &Value, kind: NoteKind, reading: &mut Reading<'_>) {
    let get = |names: &[&str]| first(properties, names);
    let (title, bodies): (&[&str], &[&str]) = match kind {
        NoteKind::Call => (&["hs_call_title"], &["hs_call_body", "hs_call_summary"]),
        NoteKind::Meeting => (&["hs_meeting_title"], &["hs_meeting_body", "hs_internal_meeting_notes"]),
        NoteKind::Email => (&["hs_email_subject"], &["hs_email_text", "hs_email_html"]),
        NoteKind::Task => (&["hs_task_subject"], &["hs_task_body"]),
        _ => (&[], &["hs_note_body"]),
    };
    // A meeting has notes for the guests and notes for the team.
    let mut text = bodies.iter().filter_map(|name| get(&[name])).collect::<Vec<_>>();
    if kind == NoteKind::Email {
        text.truncate(1);
    }
    text.dedup();
    let incoming = get(&["hs_email_direction"]).is_some_and(|d| d.starts_with("INCOMING"));
    let sides: &[&str] = if incoming { &["hs_email_from_email"] } else { &["hs_email_to_email"] };
    let emails = get(sides).map(|cell| cell.split(';').map(|e| e.trim().to_owned()).collect()).unwrap_or_default();
    let draft = Draft {
        id: id(object.get("id")).or_else(|| get(&["hs_object_id"])),
        account: associated(object, COMPANIES)
            .into_iter()
            .next()
            .or_else(|| get(&["associatedcompanyid", "company", "company_name"])),
        opportunity: associated(object, DEALS).into_iter().next(),
        contacts: associated(object, CONTACTS),
        emails,
        owner: get(&["hubspot_owner_id", "hs_created_by_user_id", "hs_created_by"]),
        kind: Some(kind),
        written_at: reading
            .at(get(&["hs_createdate", "createdate"]).or_else(|| first(object, &["createdAt"])).as_deref()),
        happened_at: reading.at(get(&["hs_meeting_start_time", "hs_timestamp"]).as_deref()),
        modified_at: reading
            .at(get(&["hs_lastmodifieddate", "lastmodifieddate"]).or_else(|| first(object, &["updatedAt"])).as_deref()),
        title: get(title),
        text: text.join("\n\n"),
        ..Draft::default()
    };
    reading.add(draft.record());
}

fn deal(object: &Value, properties: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    let get = |names: &[&str]| first(properties, names);
    let key = id(object.get("id")).or_else(|| first(object, &["dealId"])).or_else(|| get(&["hs_object_id"]));
    let key = key.ok_or("a deal without an id")?;
    let stage = get(&["dealstage"]);
    let said = stage.as_deref().map_or(Outcome::Open, |words| reading.stages.outcome(words));
    let share = |text: String| text.parse::<f64>().ok().filter(|p| (0.0..=1.0).contains(p));
    let probability = get(&["hs_deal_stage_probability"]).and_then(share);
    let closed = yes(properties, "hs_is_closed");
    let not_won = closed && text(properties.get("hs_is_closed_won")).is_some();
    let outcome = match () {
        () if yes(properties, "hs_is_closed_won") => Outcome::Won,
        () if not_won || yes(properties, "hs_is_closed_lost") => Outcome::Lost,
        // Stages have names of a firm's own; their chance tells those at the end.
        () if said == Outcome::Open && probability.is_some_and(|p| p >= 1.0) => Outcome::Won,
        () if said == Outcome::Open && (closed || probability.is_some_and(|p| p <= 0.0)) => Outcome::Lost,
        () => said,
    };
    let closed_at = if outcome == Outcome::Open { None } else { reading.end(get(&["closedate"]).as_deref()) };
    let history = |name: &str| {
        let apart = object.get("propertiesWithHistory").and_then(|h| h.get(name));
        [apart, properties.get(name).and_then(|property| property.get("versions"))].into_iter().flat_map(list)
    };
    let opened_at =
        reading.at(get(&["createdate", "hs_createdate"]).or_else(|| first(object, &["createdAt"])).as_deref());
    let modified_at = reading.at(get(&["hs_lastmodifieddate"]).or_else(|| first(object, &["updatedAt"])).as_deref());
    if get(&["closed_lost_reason", "closed_won_reason", "description", "hs_next_step"]).is_some() {
        reading.skip(WORDS_OF_A_DEAL);
    }
    let amount = reading.amount(get(&["amount"]).as_deref());
    reading.add(Record::Opportunity(Box::new(Opportunity {
        id: OpportunityId::new(&*key),
        account: associated(object, COMPANIES).into_iter().next().map(AccountId::new),
        name: get(&["dealname"]),
        owner: get(&["hubspot_owner_id"]),
        stage,
        outcome,
        amount,
        opened_at,
        closed_at,
        modified_at,
        churned_at: None,
        value_at: None,
    })));
    for version in history("dealstage") {
        let at = reading.at(first(version, &["timestamp", "sourceTimestamp"]).as_deref());
        if let (Some(at), Some(stage)) = (at, text(version.get("value"))) {
            reading.add(Record::Stage(StageChange { opportunity: OpportunityId::new(&*key), at, stage }));
        }
    }
    for version in history("hs_deal_stage_probability") {
        let at = reading.at(first(version, &["timestamp", "sourceTimestamp"]).as_deref());
        chance(reading, Some(&key), at, text(version.get("value")).and_then(share));
    }
    if outcome == Outcome::Open {
        chance(reading, Some(&key), modified_at, probability);
    }
    Ok(())
}

fn company(object: &Value, properties: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    let get = |names: &[&str]| first(properties, names);
    let key = id(object.get("id")).or_else(|| first(object, &["companyId"])).or_else(|| get(&["hs_object_id"]));
    let key = key.ok_or("a company without an id")?;
    let (name, domain, owner) = (get(&["name"]), get(&["domain", "website"]), get(&["hubspot_owner_id"]));
    reading.account(&key, name.as_deref(), domain.as_deref(), owner.as_deref());
    reading.segment(&key, reading.segment_in(&[properties]).as_deref());
    Ok(())
}

fn contact(object: &Value, properties: &Value, reading: &mut Reading<'_>) {
    let get = |names: &[&str]| first(properties, names);
    let key = id(object.get("id")).or_else(|| first(object, &["vid"])).or_else(|| get(&["hs_object_id"]));
    let account = associated(object, COMPANIES).into_iter().next().or_else(|| get(&["associatedcompanyid", "company"]));
    let name = [get(&["firstname"]), get(&["lastname"])].into_iter().flatten().collect::<Vec<_>>().join(" ");
    reading.contact(key.as_deref(), account.as_deref(), Some(&name), get(&["email"]).as_deref());
}

fn owner(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    let name = [first(object, &["firstName"]), first(object, &["lastName"])].into_iter().flatten().collect::<Vec<_>>();
    let name = Some(name.join(" ")).filter(|n| !n.is_empty()).or_else(|| first(object, &["email"]));
    let name = name.ok_or("an owner without a name")?;
    // Records name an owner by one id and a creator by the other.
    for key in [id(object.get("id")), first(object, &["userId"])].into_iter().flatten() {
        reading.add(Record::Owner(Owner { id: key, name: name.clone() }));
    }
    Ok(())
}

fn user(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let (Some(id), Some(name)) = (cells.get(Field::Owner), full_name(cells)) else {
        return Err("a user without id or name".to_owned());
    };
    reading.add(Record::Owner(Owner { id: id.to_owned(), name }));
    Ok(())
}

fn engagement(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    let Some(engagement) = object.get("engagement") else { return Err("no engagement".to_owned()) };
    let metadata = object.get("metadata").unwrap_or(&Value::Null);
    let said = first(engagement, &["type"]).unwrap_or_default();
    let kind = NoteKind::parse(&said);
    let (title, bodies): (&[&str], &[&str]) = match kind {
        NoteKind::Email => (&["subject"], &["text", "html", "body"]),
        NoteKind::Task => (&["subject"], &["body"]),
        NoteKind::Meeting => (&["title"], &["body", "internalMeetingNotes"]),
        _ => (&["title"], &["body"]),
    };
    let mut text = bodies.iter().filter_map(|name| first(metadata, &[name])).collect::<Vec<_>>();
    if kind == NoteKind::Email {
        text.truncate(1);
    }
    text.dedup();
    let (mut contacts, mut emails) = (associated(object, CONTACTS), Vec::new());
    let account = associated(object, COMPANIES).into_iter().next();
    let other = if said.to_ascii_uppercase().starts_with("INCOMING") { "from" } else { "to" };
    let people = match metadata.get(other) {
        Some(Value::Array(people)) => people.as_slice(),
        Some(person) => std::slice::from_ref(person),
        None => &[],
    };
    let address = |person: &Value| first(person, &["email", "raw"]).or_else(|| super::json::text(Some(person)));
    for person in people {
        let email = address(person);
        let name =
            [first(person, &["firstName"]), first(person, &["lastName"])].into_iter().flatten().collect::<Vec<_>>();
        reading.contact(None, account.as_deref(), Some(&name.join(" ")), email.as_deref());
        emails.extend(email.as_deref().and_then(super::people::address));
    }
    // The export of a contact's activities does not say which way a mail went: whoever is known there is the buyer.
    if said.eq_ignore_ascii_case("EMAIL") {
        let from = metadata.get("from").unwrap_or(&Value::Null);
        contacts.extend(address(from).as_deref().and_then(super::people::address));
    }
    let happened_at = reading.at(first(engagement, &["timestamp"]).as_deref());
    let draft = Draft {
        id: id(engagement.get("id")),
        account,
        opportunity: associated(object, DEALS).into_iter().next(),
        contacts,
        emails,
        owner: first(engagement, &["ownerId", "createdBy"]),
        kind: Some(kind),
        // The export of a contact's activities keeps one time only.
        written_at: reading.at(first(engagement, &["createdAt"]).as_deref()),
        happened_at,
        modified_at: reading.at(first(engagement, &["lastUpdated"]).as_deref()),
        title: first(metadata, title),
        text: text.join("\n\n"),
        ..Draft::default()
    };
    reading.add(draft.record());
    Ok(())
}
