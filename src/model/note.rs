//! CRM notes: what a rep wrote down.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AccountId, NoteId, OpportunityId};

/// What kind of record a note is. It decides what may corroborate a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Free text by the rep.
    Note,
    /// After a call.
    Call,
    /// After or about a meeting.
    Meeting,
    /// An e-mail; may hold the buyer's own words.
    Email,
    /// A to-do.
    Task,
    /// Written by a machine: e-signature, calendar, product log, invoice.
    System,
}

impl NoteKind {
    /// The name as it stands in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Call => "call",
            Self::Meeting => "meeting",
            Self::Email => "email",
            Self::Task => "task",
            Self::System => "system",
        }
    }

    /// The kind that a CRM's word for it means; anything unknown is a plain note.
    pub fn parse(word: &str) -> Self {
        match word.trim().to_ascii_lowercase().as_str() {
            "call" | "calls" | "phone call" | "logged call" => Self::Call,
            "meeting" | "meetings" | "event" | "demo" | "lunch" => Self::Meeting,
            "email" | "emails" | "e-mail" | "incoming email" | "incoming_email" | "forwarded_email"
            | "logged email" | "listemail" => Self::Email,
            "task" | "tasks" | "to-do" | "todo" => Self::Task,
            "system" | "system event" | "automation" | "log" => Self::System,
            _ => Self::Note,
        }
    }
}

/// One note. The unit of analysis is its account, never the note (METHOD 2).
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The CRM's own id, or a content hash when it gives none.
    pub id: NoteId,
    /// The firm.
    pub account: AccountId,
    /// The deal, when given.
    pub opportunity: Option<OpportunityId>,
    /// The rep who owns it, as the CRM names them. Used for counting reps and clustering by rep.
    pub owner: Option<String>,
    /// What kind of record.
    pub kind: NoteKind,
    /// When it was entered.
    pub written_at: Option<Timestamp>,
    /// When what it tells of happened, when the CRM keeps that apart.
    pub happened_at: Option<Timestamp>,
    /// When it was last changed, where the CRM says so.
    pub modified_at: Option<Timestamp>,
    /// The deal's stage at the time, as the CRM spells it.
    pub stage: Option<String>,
    /// The deal's amount, in the CRM's currency.
    pub amount: Option<f64>,
    /// Plain text, never empty.
    pub text: String,
}
