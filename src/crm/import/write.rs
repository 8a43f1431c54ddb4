//! The writing half of an import: firms and deals are found, notes are finished, and everything is stored.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use anyhow::{Context as _, Result};

use super::people;
use super::read::Found;
use super::record::{Draft, Record};
use super::{FormatCounts, Imported, Vendor};
use crate::files::Mistakes;
use crate::files::dates::Order;
use crate::model::id::content_hash;
use crate::model::{
    Account, AccountId, Contact, CrmProbability, Note, NoteId, Opportunity, OpportunityId, Outcome, Segment,
    StageChange,
};
use crate::store::{CrmBatch, Failure, Incoming, IncomingNote, Met, MetNote, Store};

/// Records written in one transaction.
const BATCH: usize = 500;

/// Files whose order of day and month is told.
const ORDERS_TOLD: usize = 20;

/// Letters of a stage that are told.
const STAGE_CHARS: usize = 40;

/// Names of firms and deals that are looked up once.
const REMEMBERED: usize = 100_000;

/// A note that was read and not yet set against what was met before.
struct Pending {
    /// Number of its record.
    number: u64,
    note: Note,
    kind_told: bool,
}

/// Takes what was found and stores it.
pub(super) struct Writer<'a> {
    store: &'a Store,
    all: Imported,
    batch: CrmBatch,
    /// Number of the file that is read.
    file: u32,
    vendor: Vendor,
    format: &'static str,
    mistakes: Mistakes,
    /// Notes of the file that is read.
    pending: Vec<Pending>,
    /// Notes of this import.
    met: Met,
    /// Deals of this import, and firms and people just as they were told, by hashes.
    deals: HashSet<u64>,
    told: HashSet<u64>,
    /// The segment of every firm that was told, by hashes.
    segments: HashMap<u64, u64>,
    /// Firms by what they were called.
    firms: HashMap<String, String>,
    /// Deals by what they were called, each with its firm.
    called: HashMap<String, Deal>,
    /// Names of the files that were begun: two may have one name.
    begun: HashSet<String>,
}

/// The id of a deal, and its firm when one is known.
type Deal = (String, Option<String>);

impl<'a> Writer<'a> {
    pub(super) async fn new(store: &'a Store) -> Result<Self> {
        Ok(Self {
            store,
            all: Imported::default(),
            batch: CrmBatch::default(),
            file: 0,
            vendor: "",
            format: "",
            mistakes: Mistakes::new("crm", ""),
            pending: Vec::new(),
            met: Met::open().await?,
            deals: HashSet::new(),
            told: HashSet::new(),
            segments: HashMap::new(),
            firms: HashMap::new(),
            called: HashMap::new(),
            begun: HashSet::new(),
        })
    }

    pub(super) async fn take(&mut self, found: Found) -> Result<()> {
        match found {
            Found::File { name, vendor, format, order } => {
                self.end_file().await?;
                self.begin(&name);
                self.file += 1;
                // What is called so is looked for among the vendor's own first.
                if self.vendor != vendor {
                    self.firms.clear();
                    self.called.clear();
                }
                self.vendor = vendor;
                self.format = format;
                self.mistakes = Mistakes::new("crm", &name);
                self.counts().files += 1;
                self.all.read += 1;
                if let Some(order) = order.filter(|_| self.all.orders.len() < ORDERS_TOLD) {
                    let said = if order == Order::DayFirst { "day first" } else { "month first" };
                    self.all.orders.insert(name, said);
                }
            }
            Found::Refused(name, reason) => {
                self.all.refused += 1;
                self.begin(&name);
                self.batch.failures.push(Failure::new("crm", name, reason));
            }
            Found::Asset => self.all.assets += 1,
            Found::More => self.counts().unfinished += 1,
            Found::Failed(number, reason) => self.fail(number, &reason),
            Found::Flaw(number, reason) => {
                self.all.undated += 1;
                self.mistake(number, &reason);
            }
            Found::Record(number, record) => self.record(number, record).await?,
        }
        if self.batch.len() + self.pending.len() >= BATCH { self.write().await } else { Ok(()) }
    }

    pub(super) async fn finish(mut self) -> Result<Imported> {
        self.end_file().await?;
        self.write().await?;
        Ok(self.all)
    }

    /// What failed in the file when it was read before is no longer so.
    fn begin(&mut self, name: &str) {
        if self.begun.insert(name.to_owned()) {
            self.batch.reread.push(name.to_owned());
        }
    }

    async fn end_file(&mut self) -> Result<()> {
        self.settle().await?;
        self.batch.failures.extend(self.mistakes.rest());
        self.mistakes = Mistakes::new("crm", "");
        Ok(())
    }

    fn counts(&mut self) -> &mut FormatCounts {
        self.all.formats.entry(self.format).or_default()
    }

    fn mistake(&mut self, number: u64, reason: &str) {
        self.batch.failures.extend(self.mistakes.row(&format!("record {number}"), reason));
    }

    fn fail(&mut self, number: u64, reason: &str) {
        self.all.seen += 1;
        self.all.failed += 1;
        self.counts().failed += 1;
        self.mistake(number, reason);
    }

    async fn write(&mut self) -> Result<()> {
        self.settle().await?;
        if self.batch.is_empty() {
            return Ok(());
        }
        let counts = self.store.write_crm(&self.batch).await.context("could not store the imported records")?;
        self.batch = CrmBatch::default();
        let all = &mut self.all;
        for (sum, new) in [
            (&mut all.notes, counts.notes),
            (&mut all.accounts, counts.accounts),
            (&mut all.opportunities, counts.opportunities),
        ] {
            sum.new += new.new;
            sum.known += new.known;
            sum.updated += new.updated;
        }
        all.others += counts.others;
        Ok(())
    }

    async fn record(&mut self, number: u64, record: Record) -> Result<()> {
        match record {
            Record::Skipped(reason) => {
                self.all.seen += 1;
                *self.all.skipped.entry(reason).or_default() += 1;
                self.counts().skipped += 1;
            }
            Record::Unclear(stage) => {
                let short = stage.chars().take(STAGE_CHARS).collect();
                *self.all.unclear.entry(short).or_default() += 1;
            }
            Record::Account(account) => self.account(account),
            Record::Segment(segment) => self.segment(segment).await?,
            Record::Owner(owner) => {
                self.counts().owners += 1;
                self.batch.owners.push(owner);
            }
            Record::Contact(contact) => {
                let account = self.maybe_firm(contact.account).await?;
                self.contact(Contact { account, ..contact });
            }
            Record::Stage(change) => {
                self.counts().stages += 1;
                let opportunity = self.changed(change.opportunity.clone()).await?;
                self.batch.stages.push(StageChange { opportunity, ..change });
            }
            Record::Probability(given) => {
                let opportunity = self.changed(given.opportunity.clone()).await?;
                self.batch.probabilities.push(CrmProbability { opportunity, ..given });
            }
            Record::Opportunity(deal) => {
                self.counts().opportunities += 1;
                let account = self.maybe_firm(deal.account).await?;
                // A table of what became of customers says nothing of how far their deals are.
                let silent = deal.stage.is_none() && deal.outcome == Outcome::Open;
                let fill = !self.deals.insert(digest(deal.id.as_str())) || silent;
                self.called.clear();
                self.batch.opportunities.push(Incoming { record: Opportunity { account, ..*deal }, fill });
            }
            Record::Note(draft) => {
                self.counts().notes += 1;
                self.note(number, *draft).await?;
            }
        }
        Ok(())
    }

    /// The rows of a table tell of the same firm again and again.
    fn account(&mut self, account: Account) {
        let Account { id, name, domain, owner } = &account;
        let parts = [Some(id.as_str()), name.as_deref(), domain.as_deref(), owner.as_deref()];
        if self.told.insert(digest(&parts.map(Option::unwrap_or_default).join("\0"))) {
            // Who was looked for in vain may be this one.
            self.firms.clear();
            self.counts().accounts += 1;
            self.batch.accounts.push(account);
        }
    }

    /// Of several segments of a firm in one import the first stands: firms are read before what names them, and the same
    /// import must come to the same end.
    async fn segment(&mut self, Segment { account, name }: Segment) -> Result<()> {
        let is_own = self.batch.accounts.iter().rev().any(|a| a.id == account);
        let account = if is_own { account } else { AccountId::new(self.firm(account.as_str()).await?) };
        match self.segments.entry(digest(account.as_str())) {
            Entry::Occupied(told) => self.all.otherwise += u64::from(*told.get() != digest(&name)),
            Entry::Vacant(new) => {
                new.insert(digest(&name));
                self.counts().segments += 1;
                self.batch.segments.push(Segment { account, name });
            }
        }
        Ok(())
    }

    fn contact(&mut self, contact: Contact) {
        let Contact { id, account, name, email } = &contact;
        let parts = [Some(id.as_str()), account.as_ref().map(AccountId::as_str), name.as_deref(), email.as_deref()];
        if self.told.insert(digest(&parts.map(Option::unwrap_or_default).join("\0"))) {
            self.counts().contacts += 1;
            self.batch.contacts.push(contact);
        }
    }

    async fn maybe_firm(&mut self, named: Option<AccountId>) -> Result<Option<AccountId>> {
        match named {
            Some(named) => Ok(Some(AccountId::new(self.firm(named.as_str()).await?))),
            None => Ok(None),
        }
    }

    /// The id of a firm that is named by its id or by what it is called.
    async fn firm(&mut self, named: &str) -> Result<String> {
        if let Some(known) = self.firms.get(named) {
            return Ok(known.clone());
        }
        let told = self.batch.accounts.iter().any(|account| account.id.as_str() == named);
        if !told && !self.batch.accounts.is_empty() {
            self.write().await?;
        }
        let id = if told || self.store.has_account(named).await? {
            None
        } else {
            self.store.account_named(named, self.vendor).await?
        };
        let id = id.unwrap_or_else(|| named.to_owned());
        if self.firms.len() < REMEMBERED {
            self.firms.insert(named.to_owned(), id.clone());
        }
        Ok(id)
    }

    /// The id of a deal that changed: of one of this import, which is written before its changes, it is as it stands.
    async fn changed(&mut self, named: OpportunityId) -> Result<OpportunityId> {
        if self.deals.contains(&digest(named.as_str())) {
            return Ok(named);
        }
        Ok(OpportunityId::new(self.deal(named.as_str()).await?.0))
    }

    /// The deal that is named by its id or by what it is called.
    async fn deal(&mut self, named: &str) -> Result<Deal> {
        if let Some(known) = self.called.get(named) {
            return Ok(known.clone());
        }
        if !self.batch.opportunities.is_empty() {
            self.write().await?;
        }
        let deal = self.store.opportunity_called(named, self.vendor).await?;
        let deal = deal.unwrap_or_else(|| (named.to_owned(), None));
        if self.called.len() < REMEMBERED {
            self.called.insert(named.to_owned(), deal.clone());
        }
        Ok(deal)
    }

    /// The firm that a note is about: as it says, or by its deal, its people or their addresses.
    async fn firm_of(&mut self, draft: &Draft, deal: Option<&Deal>) -> Result<Option<String>> {
        if let Some(named) = &draft.account {
            return self.firm(named).await.map(Some);
        }
        if let Some((_, Some(firm))) = deal {
            return Ok(Some(firm.clone()));
        }
        for key in draft.contacts.iter().chain(&draft.emails) {
            let is_key = |c: &Contact| c.id == *key || c.email.as_ref().is_some_and(|e| e.eq_ignore_ascii_case(key));
            if self.batch.contacts.iter().any(is_key) {
                self.write().await?;
            }
            if let Some(firm) = self.store.account_of_contact(key).await? {
                return Ok(Some(firm));
            }
        }
        let mut domains = draft.emails.iter().filter_map(|email| people::domain(email)).collect::<Vec<_>>();
        domains.dedup();
        if self.batch.accounts.iter().any(|account| account.domain.as_ref().is_some_and(|d| domains.contains(d))) {
            self.write().await?;
        }
        for domain in &domains {
            if let Some(firm) = self.store.account_with_domain(domain).await? {
                return Ok(Some(firm));
            }
        }
        // People of one firm, which the CRM does not know: their domain names it well enough.
        let only = (domains.len() == 1).then(|| domains.swap_remove(0));
        Ok(only)
    }

    async fn note(&mut self, number: u64, draft: Draft) -> Result<()> {
        let deal = match &draft.opportunity {
            Some(named) => Some(self.deal(named).await?),
            None => None,
        };
        let Some(account) = self.firm_of(&draft, deal.as_ref()).await? else {
            let why = match (&deal, draft.contacts.is_empty()) {
                (Some(_), _) => {
                    "no account: the note names only a deal, and no file says whose that is; import the deals with it"
                }
                (None, false) => {
                    "no account: the note names only a person, and no file says of which firm; import the contacts with it"
                }
                (None, true) if self.vendor == "hubspot" => {
                    "no account: the note is associated with no company, deal or contact, or the export does not tell; export it with \
                     its associations (of the API: associations=companies,deals,contacts)"
                }
                (None, true) => "no account: a note belongs to a firm; fill the column or map another one",
            };
            self.fail(number, why);
            return Ok(());
        };
        let kind = draft.kind();
        // Of what the record itself says: whose it turns out to be depends on what else was imported.
        let id = draft.id.unwrap_or_else(|| {
            let at = draft.written_at.or(draft.happened_at).map(|t| t.to_string()).unwrap_or_default();
            let people = || draft.contacts.iter().chain(&draft.emails).cloned().collect::<Vec<_>>().join(" ");
            let whose = draft.account.or(draft.opportunity).unwrap_or_else(people);
            format!("note_{}", content_hash(&[&whose, &at, &draft.text]))
        });
        let note = Note {
            id: NoteId::new(id),
            account: AccountId::new(account),
            opportunity: deal.map(|(id, _)| OpportunityId::new(id)),
            owner: draft.owner,
            kind,
            written_at: draft.written_at,
            happened_at: draft.happened_at,
            modified_at: draft.modified_at,
            stage: draft.stage,
            amount: draft.amount,
            text: draft.text,
        };
        self.pending.push(Pending { number, note, kind_told: draft.kind.is_some() });
        Ok(())
    }

    /// Sets the notes that were read against those that were met before: the same again, another version, or another note
    /// under one id, which is a failure.
    async fn settle(&mut self) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let mut met = self.met.notes(pending.iter().map(|one| one.note.id.as_str())).await?;
        for Pending { number, note, kind_told } in pending {
            let id = note.id.as_str();
            let mut now = MetNote {
                file: self.file,
                account: digest(note.account.as_str()),
                text: digest(&note.text),
                kind_told,
            };
            let (fill, kind_told) = match met.get(id) {
                None => (false, kind_told),
                Some(before) if before.account == now.account && before.text == now.text => {
                    now.kind_told |= before.kind_told;
                    (true, kind_told && !before.kind_told)
                }
                // Another version of the note, in another export.
                Some(before)
                    if before.file != now.file && (before.account == now.account || before.text == now.text) =>
                {
                    (false, kind_told)
                }
                Some(before) => {
                    let place = if before.file == now.file { "of this file" } else { "of another file of this import" };
                    let which = if is_telling(id) { format!("the id {id}") } else { "its id".to_owned() };
                    let why = format!(
                        "{which} stands at another note {place}; if that column is no note id, map another one"
                    );
                    self.fail(number, &why);
                    continue;
                }
            };
            met.insert(id.to_owned(), now);
            if note.text.contains(char::REPLACEMENT_CHARACTER) {
                self.all.flawed += 1;
                self.mistake(number, "bytes that are no UTF-8 were replaced; the note is kept");
            }
            self.all.seen += 1;
            self.all.of_accounts.insert(note.account.clone());
            self.batch.notes.push(IncomingNote { note, fill, kind_told });
        }
        self.met.keep(&met).await
    }
}

/// Whether an id can be shown: short, with a digit and without white space. Another column in its place may name somebody.
fn is_telling(id: &str) -> bool {
    id.len() <= 40 && id.contains(|c: char| c.is_ascii_digit()) && !id.contains(|c: char| c.is_whitespace() || c == '@')
}

/// Eight bytes stand for a text, so that remembering many costs little.
fn digest(text: &str) -> u64 {
    let hash = blake3::hash(text.as_bytes());
    hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
