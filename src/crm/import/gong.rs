//! Gong: calls with their parties, and transcripts, joined to a note a call. Who speaks is told by side (`Rep`, `Buyer`),
//! never by name.

use std::fmt::Write as _;

use serde_json::Value;

use super::json::{first, has, has_any, list, text};
use super::record::{Call, Draft, Memory, Reading, Record, numbered};
use super::{Format, Rank, Read, people};
use crate::model::NoteKind;

/// Calls; kept until their transcripts come.
pub(super) const CALLS: Format = Format {
    name: "Gong calls",
    rank: Rank::Calls,
    knows: |s| {
        s.any(|o| {
            o.get("metaData").is_some_and(|m| m.get("id").is_some())
                || (s.page() == Some("calls") && has(o, &["id", "started"]))
        })
    },
    read: Read::Object(call),
};

/// Transcripts.
pub(super) const TRANSCRIPTS: Format = Format {
    name: "Gong transcripts",
    rank: Rank::Transcripts,
    knows: |s| s.any(|o| has(o, &["callId"]) && has_any(o, &["transcript"])),
    read: Read::Object(transcript),
};

/// The object of the CRM that a call or a party is linked to.
fn linked(object: &Value, sort: &str) -> Option<String> {
    list(object.get("context")).iter().find_map(|context| {
        let is_sort = |o: &&Value| first(o, &["objectType"]).as_deref() == Some(sort);
        let id = first(list(context.get("objects")).iter().find(is_sort)?, &["objectId"])?;
        Some(numbered(&first(context, &["system"]).unwrap_or_default().to_lowercase(), id))
    })
}

fn call(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    let data = object.get("metaData").unwrap_or(object);
    let id = first(data, &["id"]).ok_or("a call without an id")?;
    let parties = list(object.get("parties"));
    let mut call = Call::default();
    let (mut reps, mut buyers, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let account = linked(object, "Account").or_else(|| parties.iter().find_map(|p| linked(p, "Account")));
    for party in parties {
        let side = first(party, &["affiliation"]).unwrap_or_default();
        let email = first(party, &["emailAddress"]);
        if side != "Internal" {
            reading.contact(None, account.as_deref(), first(party, &["name"]).as_deref(), email.as_deref());
            call.draft.emails.extend(email.as_deref().and_then(people::address));
            call.draft.contacts.extend(linked(party, "Contact"));
        }
        let Some(speaker) = first(party, &["speakerId"]) else { continue };
        match side.as_str() {
            "Internal" => reps.push(speaker),
            "External" => buyers.push(speaker),
            _ => others.push(speaker),
        }
    }
    for (side, speakers) in [("Rep", reps), ("Buyer", buyers), ("Speaker", others)] {
        let several = speakers.len() > 1;
        for (number, speaker) in speakers.into_iter().enumerate() {
            let called = if several { format!("{side} {}", number + 1) } else { side.to_owned() };
            call.speakers.insert(speaker, called);
        }
    }
    let started = reading.at(first(data, &["started", "scheduled"]).as_deref());
    let content = object.get("content").unwrap_or(&Value::Null);
    let points = list(content.get("keyPoints")).iter().filter_map(|p| first(p, &["text"]));
    let words = text(content.get("brief")).into_iter().chain(points).collect::<Vec<_>>();
    call.draft = Draft {
        id: Some(format!("gong:{id}")),
        account,
        opportunity: linked(object, "Opportunity").or_else(|| parties.iter().find_map(|p| linked(p, "Opportunity"))),
        owner: first(data, &["primaryUserId"]).map(|id| numbered("gong", id)),
        kind: Some(NoteKind::Call),
        // A recording is entered while it happens.
        written_at: started,
        happened_at: started,
        text: words.join("\n"),
        ..call.draft
    };
    reading.memory.calls.insert(id, call);
    Ok(())
}

fn transcript(object: &Value, reading: &mut Reading<'_>) -> Result<(), String> {
    let id = first(object, &["callId"]).ok_or("a transcript without the id of its call")?;
    let Some(call) = reading.memory.calls.get_mut(&id) else {
        return Err(
            "its call is in none of the files: import the calls (with their parties) together with the transcripts"
                .to_owned(),
        );
    };
    let mut text = String::new();
    let mut last = None;
    for turn in list(object.get("transcript")) {
        let words =
            list(turn.get("sentences")).iter().filter_map(|s| first(s, &["text"])).collect::<Vec<_>>().join(" ");
        if words.is_empty() {
            continue;
        }
        let speaker = first(turn, &["speakerId"]).and_then(|s| call.speakers.get(&s)).map_or("Speaker", String::as_str);
        if last == Some(speaker) {
            text.push(' ');
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "{}{speaker}: ", if text.is_empty() { "" } else { "\n" });
        }
        text.push_str(&words);
        last = Some(speaker);
    }
    let draft = Draft { text, ..call.draft.clone() };
    call.told = true;
    reading.add(draft.record());
    Ok(())
}

/// What remains when all files are read: calls without a transcript. Those with a summary are notes.
pub(super) fn rest(memory: &mut Memory) -> Vec<Record> {
    let calls = std::mem::take(&mut memory.calls);
    let untold = calls.into_values().filter(|call| !call.told);
    untold
        .map(|call| match call.draft.record() {
            Record::Skipped(_) => Record::Skipped("a call without a transcript"),
            record => record,
        })
        .collect()
}
