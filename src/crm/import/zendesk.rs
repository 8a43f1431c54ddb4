//! Zendesk: tickets, organizations and users by the names of its API. A ticket's first words are the customer's own.

use super::columns::{Field, Names, SEGMENT};
use super::record::{Cells, Draft, Reading, Record};
use super::{Format, Rank, Read};
use crate::model::{NoteKind, Owner};

const COLUMNS: Names = &[
    (Field::Id, &["id"]),
    (Field::Account, &["organizationid"]),
    (Field::AccountName, &["name"]),
    (Field::Segment, SEGMENT),
    (Field::Owner, &["assigneeid"]),
    (Field::WrittenAt, &["createdat"]),
    (Field::ModifiedAt, &["updatedat"]),
    (Field::Title, &["subject"]),
    (Field::Text, &["description"]),
    (Field::ContactId, &["requesterid"]),
    (Field::Email, &["email"]),
];

/// All of Zendesk's.
pub(super) const FORMATS: [Format; 3] = [
    Format {
        name: "Zendesk tickets",
        rank: Rank::Notes,
        knows: |s| s.header.all(&["id", "requesterid", "organizationid", "description", "status"]),
        read: Read::Row(COLUMNS, ticket),
    },
    Format {
        name: "Zendesk organizations",
        rank: Rank::Accounts,
        knows: |s| s.header.all(&["id", "name", "sharedtickets"]),
        read: Read::Row(COLUMNS, organization),
    },
    Format {
        name: "Zendesk users",
        rank: Rank::Contacts,
        knows: |s| s.header.all(&["id", "name", "role", "organizationid"]),
        read: Read::Row(COLUMNS, user),
    },
];

fn ticket(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    if cells.raw("status") == Some("deleted") {
        reading.skip("deleted in the CRM");
        return Ok(());
    }
    let written_at = cells.at(Field::WrittenAt, reading);
    let draft = Draft {
        id: cells.get(Field::Id).map(|id| format!("zendesk:ticket:{id}")),
        account: cells.owned(Field::Account),
        contacts: cells.owned(Field::ContactId).into_iter().collect(),
        owner: cells.owned(Field::Owner),
        kind: Some(NoteKind::Email),
        written_at,
        happened_at: written_at,
        modified_at: cells.at(Field::ModifiedAt, reading),
        title: cells.owned(Field::Title),
        text: cells.get(Field::Text).unwrap_or_default().to_owned(),
        ..Draft::default()
    };
    reading.add(draft.record());
    Ok(())
}

fn organization(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let id = cells.get(Field::Id).ok_or("an organization without an id")?;
    reading.account(id, cells.get(Field::AccountName), None, None);
    reading.segment(id, cells.get(Field::Segment));
    Ok(())
}

fn user(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Result<(), String> {
    let name = cells.get(Field::AccountName);
    match (cells.raw("role"), cells.get(Field::Id), name) {
        (Some("agent" | "admin"), Some(id), Some(name)) => {
            reading.add(Record::Owner(Owner { id: id.to_owned(), name: name.to_owned() }));
        }
        (_, id, name) => reading.contact(id, cells.get(Field::Account), name, cells.get(Field::Email)),
    }
    Ok(())
}
