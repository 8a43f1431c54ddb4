//! Names of the people at firms, to be masked before a text about their firm leaves the machine.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::model::AccountId;
use crate::store::Store;
use crate::text::redact::Names;

/// Names to be masked: of the text's own firm in whole and in part, of others in whole.
pub struct Contacts {
    everybody: Arc<Names>,
    of_firms: HashMap<AccountId, Vec<String>>,
    built: HashMap<AccountId, Names>,
}

impl Contacts {
    /// Those in the store, and those that the settings name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn new(store: &Store, settings: &Names) -> Result<Self> {
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

    /// Gets the names of the people at `firm` ready.
    pub fn of(&mut self, firm: &AccountId) {
        if let Some(people) = self.of_firms.remove(firm) {
            let names = Names::new(people.iter().map(String::as_str)).beside(&self.everybody);
            self.built.insert(firm.clone(), names);
        }
    }

    /// What to mask in texts about each of `firms`.
    pub fn of_each<'a>(&mut self, firms: impl IntoIterator<Item = &'a AccountId> + Clone) -> Vec<&Names> {
        firms.clone().into_iter().for_each(|firm| self.of(firm));
        firms.into_iter().map(|firm| self.names(firm)).collect()
    }

    /// What to mask in texts about no firm that is known.
    pub fn everybody(&self) -> Names {
        Names::default().beside(&self.everybody)
    }

    /// What to mask in texts about `firm`, once [`Contacts::of`] was called for it.
    pub fn names(&self, firm: &AccountId) -> &Names {
        self.built.get(firm).unwrap_or(&self.everybody)
    }
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
