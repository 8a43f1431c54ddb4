//! Notes to readings by a language model. Every note is read: a CRM has few, and each counts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::llm::{NoteText, Reader};
use super::read::Told;
use crate::llm::Usage;
use crate::llm::ask::CameBack;
use crate::llm::outgoing::Quotes;
use crate::model::{AccountId, Note};
use crate::progress::Progress;
use crate::store::{Failure, Store};
use crate::summary::StageSummary;
use crate::text::redact::Names;

/// Notes read and written together.
const CHUNK: usize = 64;

/// Reads every note that `reader` has not read. Can be killed at any point and run again: answers that were paid for are
/// kept.
///
/// # Errors
/// When the store cannot be read or written, the budget is spent, or the model's server cannot be used. What was read until
/// then is kept.
pub async fn read(store: &Store, reader: &Reader, progress: Progress) -> Result<StageSummary> {
    let began = Instant::now();
    let recipe = reader.recipe();
    let total = store.note_totals().await?[0].unsigned_abs();
    let bar = progress.counter("reading notes");
    let (mut told, mut quotes, mut usage) = (Told::default(), Quotes::default(), Usage::default());
    // All at once: what fails stays unread, and must not be asked for again in this run.
    let unread = store.unread_notes(&recipe, i64::MAX).await?;
    let mut contacts = Contacts::new(store, reader.names()).await?;
    let mut failed = 0;
    for chunk in unread.chunks(CHUNK) {
        let texts: Vec<_> = chunk.iter().map(text).collect();
        chunk.iter().for_each(|note| contacts.of(&note.account));
        let names: Vec<_> = chunk.iter().map(|note| contacts.names(&note.account)).collect();
        let came = CameBack::sort(chunk.iter().map(|note| note.id.clone()), reader.read_masked(&texts, &names).await);
        came.readings.iter().for_each(|(_, reading)| told.add(reading));
        quotes += came.quotes;
        usage += came.usage;
        failed += came.failures.len() as u64;
        let failures: Vec<_> =
            came.failures.iter().map(|(note, why)| Failure::new("crm", note.as_str(), why)).collect();
        store.write_note_readings(&recipe, &came.readings).await.context("could not store the readings")?;
        store.record_failures(&failures).await?;
        bar.inc(chunk.len() as u64);
        if let Some(why) = came.end {
            let done = told.notes;
            return Err(anyhow::Error::new(why)
                .context(format!("stopped after {done} notes; they are kept, and the next run goes on from here")));
        }
    }
    bar.finish_and_clear();
    let Quotes { exact, repaired, rejected } = quotes;
    Ok(told
        .summary(began, total.saturating_sub(told.notes + failed), failed)
        .with("quotes", json!({"exact": exact, "repaired": repaired, "rejected": rejected}))
        .with("spent", usage.published())
        .with("recipe", recipe.as_str()))
}

/// Names of the people at firms, to be masked in notes: of a note's own firm in whole and in part, of others in whole.
struct Contacts {
    everybody: Arc<Names>,
    of_firms: HashMap<AccountId, Vec<String>>,
    built: HashMap<AccountId, Names>,
}

impl Contacts {
    async fn new(store: &Store, settings: &Names) -> Result<Self> {
        let mut of_firms = HashMap::<AccountId, Vec<String>>::new();
        let (mut of_none, mut all) = (Vec::new(), Vec::new());
        for (account, name) in store.contact_names().await.context("could not read the contacts' names")? {
            all.push(name.clone());
            match account {
                Some(account) => of_firms.entry(account).or_default().push(name),
                None => of_none.push(name),
            }
        }
        let all = all.iter().map(String::as_str);
        let everybody = Names::of(of_none.iter().map(String::as_str), all).beside(&Arc::new(settings.clone()));
        Ok(Self { everybody: Arc::new(everybody), of_firms, built: HashMap::new() })
    }

    fn of(&mut self, firm: &AccountId) {
        if let Some(people) = self.of_firms.remove(firm) {
            let names = Names::new(people.iter().map(String::as_str)).beside(&self.everybody);
            self.built.insert(firm.clone(), names);
        }
    }

    fn names(&self, firm: &AccountId) -> &Names {
        self.built.get(firm).unwrap_or(&self.everybody)
    }
}

fn text(note: &Note) -> NoteText<'_> {
    NoteText { id: note.id.as_str(), kind: note.kind, text: &note.text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Contact;
    use crate::store::CrmBatch;
    use crate::text::mapped::Mapped;
    use crate::text::redact::redact;

    #[tokio::test]
    async fn people_of_the_firm_are_masked_in_part_and_others_in_whole() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).await.unwrap();
        let contact = |id: &str, account: Option<&str>, name: &str| Contact {
            id: id.to_owned(),
            account: account.map(AccountId::new),
            name: Some(name.to_owned()),
            email: None,
        };
        let contacts = vec![
            contact("1", Some("a"), "Ines Vale"),
            contact("2", Some("b"), "Will Price"),
            contact("3", None, "Tam Okoro"),
        ];
        store.write_crm(&CrmBatch { contacts, ..CrmBatch::default() }).await.unwrap();
        let mut contacts = Contacts::new(&store, &Names::new(["Bob Quill"])).await.unwrap();
        let text = "Ines and Tam and Bob. Will price be an issue? Ask Will Price, Will.";
        let mut masked = |firm: &str| {
            let firm = AccountId::new(firm);
            contacts.of(&firm);
            redact(Mapped::whole(text), contacts.names(&firm)).text().to_owned()
        };
        assert_eq!(masked("a"), "[name] and [name] and [name]. [name] be an issue? Ask [name], Will.");
        assert_eq!(masked("b"), "Ines and [name] and [name]. [name] be an issue? Ask [name], [name].");
        assert_eq!(masked("c"), "Ines and [name] and [name]. [name] be an issue? Ask [name], Will.");
    }
}
