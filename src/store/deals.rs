//! What a CRM keeps beside notes: firms, deals with their stages and outcomes, people, reps.

use std::collections::{BTreeMap, HashSet};

use anyhow::{Context as _, Result};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use super::failures::{self, Failure};
use super::notes::write_notes;
use super::{NoteCounts, Store, instant, millis, whole};
use crate::model::{
    Account, AccountId, Contact, CrmProbability, Note, NoteId, Opportunity, OpportunityId, Outcome, Owner, Segment,
    StageChange,
};

/// A record of an export on its way into the store.
#[derive(Debug, Clone)]
pub struct Incoming<T> {
    /// The record.
    pub record: T,
    /// Only what the store does not know of it is taken: another file of the same import has told of it before.
    pub fill: bool,
}

/// A note on its way into the store.
#[derive(Debug, Clone)]
pub struct IncomingNote {
    /// The note.
    pub note: Note,
    /// As in [`Incoming`].
    pub fill: bool,
    /// Whether the export says of what kind it is; otherwise a kind that the store knows stays.
    pub kind_told: bool,
}

/// What is written of CRM exports at once.
#[derive(Debug, Clone, Default)]
pub struct CrmBatch {
    /// Firms.
    pub accounts: Vec<Account>,
    /// Segments of firms.
    pub segments: Vec<Segment>,
    /// Deals.
    pub opportunities: Vec<Incoming<Opportunity>>,
    /// Stages that deals came to.
    pub stages: Vec<StageChange>,
    /// Probabilities that deals were given.
    pub probabilities: Vec<CrmProbability>,
    /// People at firms.
    pub contacts: Vec<Contact>,
    /// Reps.
    pub owners: Vec<Owner>,
    /// Notes.
    pub notes: Vec<IncomingNote>,
    /// Files that are read anew: what failed in them before is forgotten.
    pub reread: Vec<String>,
    /// What could not be read.
    pub failures: Vec<Failure>,
}

impl CrmBatch {
    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.accounts.len()
            + self.segments.len()
            + self.opportunities.len()
            + self.stages.len()
            + self.probabilities.len()
            + self.contacts.len()
            + self.owners.len()
            + self.notes.len()
            + self.reread.len()
            + self.failures.len()
    }

    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CrmCounts {
    /// Of its notes.
    pub notes: NoteCounts,
    /// Of its firms.
    pub accounts: NoteCounts,
    /// Of its deals.
    pub opportunities: NoteCounts,
    /// Segments, stages, probabilities, people and reps that were stored or changed.
    pub others: u64,
}

/// A deal with the moment at which it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredDeal {
    /// The deal.
    pub opportunity: Opportunity,
    /// When it came to the stage in which it ended, by its history; without one, what the CRM's own field says.
    pub ended_at: Option<jiff::Timestamp>,
}

/// A note that may know how its deal ended (METHOD 3.6: such notes take no part in calibration).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateNote {
    /// The note.
    pub note: NoteId,
    /// Entered after the end, not only edited after it.
    pub written: bool,
}

/// The columns of a deal, as [`opportunity`] reads them.
const DEAL: &str =
    "id, account, name, owner, stage, outcome, amount, opened_at, closed_at, modified_at, churned_at, value_at";

/// When a closed deal `o` ended: the beginning of its last stay in its present stage, or the CRM's own field.
const ENDED_AT: &str = "case when o.outcome = 'open' then null else coalesce( \
     (select min(c.at) from stage_change c where c.opportunity = o.id and lower(c.stage) = lower(o.stage) and not exists \
      (select 1 from stage_change d where d.opportunity = o.id and d.at > c.at and lower(d.stage) <> lower(o.stage))), \
     o.closed_at) end";

impl Store {
    /// Writes a batch in one transaction. Records merge by id: what is newer by its date of modification stands, what it does
    /// not say is taken from the other, and writing the same again changes nothing.
    pub async fn write_crm(&self, batch: &CrmBatch) -> Result<CrmCounts> {
        let mut tx = self.write().await?;
        let mut counts = CrmCounts::default();
        for account in &batch.accounts {
            write_account(&mut tx, account, &mut counts.accounts).await?;
        }
        for segment in &batch.segments {
            counts.others += sqlx::query(
                "insert into segment (account, name) values ($1, $2) on conflict (account) do update set name = excluded.name \
                 where excluded.name <> segment.name",
            )
            .bind(segment.account.as_str())
            .bind(&segment.name)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        }
        for incoming in &batch.opportunities {
            write_opportunity(&mut tx, incoming, &mut counts.opportunities).await?;
        }
        for change in &batch.stages {
            counts.others += sqlx::query(
                "insert into stage_change (opportunity, at, stage) values ($1, $2, $3) on conflict do nothing",
            )
            .bind(change.opportunity.as_str())
            .bind(millis(change.at))
            .bind(&change.stage)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        }
        for given in &batch.probabilities {
            counts.others += sqlx::query(
                "insert into crm_probability (opportunity, at, probability) values ($1, $2, $3) on conflict do nothing",
            )
            .bind(given.opportunity.as_str())
            .bind(millis(given.at))
            .bind(given.probability)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        }
        for contact in &batch.contacts {
            counts.others += sqlx::query(
                "insert into contact (id, account, name, email) values ($1, $2, $3, $4) on conflict (id) do update set \
                 account = coalesce(excluded.account, account), name = coalesce(excluded.name, name), \
                 email = coalesce(excluded.email, email) where coalesce(excluded.account, account) is not account \
                 or coalesce(excluded.name, name) is not name or coalesce(excluded.email, email) is not email",
            )
            .bind(&contact.id)
            .bind(contact.account.as_ref().map(AccountId::as_str))
            .bind(&contact.name)
            .bind(&contact.email)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        }
        for owner in &batch.owners {
            counts.others += sqlx::query(
                "insert into owner (id, name) values ($1, $2) on conflict (id) do update set name = excluded.name \
                 where excluded.name <> name",
            )
            .bind(&owner.id)
            .bind(&owner.name)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        }
        write_notes(&mut tx, &batch.notes, &mut counts.notes).await?;
        for file in &batch.reread {
            failures::forget(&mut tx, "crm", file).await?;
        }
        failures::insert(&mut tx, &batch.failures).await?;
        tx.commit().await?;
        Ok(counts)
    }

    /// Whether there is a firm with this id.
    pub async fn has_account(&self, id: &str) -> Result<bool> {
        self.first("select id from account where id = $1", id).await.map(|found| found.is_some())
    }

    /// The firm that is called so, in any case, when it is the only one that `vendor` numbers, or the only one of all.
    pub async fn account_named(&self, name: &str, vendor: &str) -> Result<Option<String>> {
        let sql =
            "select id, id glob $2 || ':*' as own from account where lower(name) = lower($1) order by own desc limit 2";
        self.only_of(sql, name, vendor).await
    }

    /// The firm with this domain, when it is the only one.
    pub async fn account_with_domain(&self, domain: &str) -> Result<Option<String>> {
        self.only("select id from account where domain = $1 limit 2", domain).await
    }

    /// Id and firm of the deal with this id, or else of the one that is called so, in any case, when it is the only one that
    /// `vendor` numbers, or the only one of all.
    pub async fn opportunity_called(&self, called: &str, vendor: &str) -> Result<Option<(String, Option<String>)>> {
        let sql = "select account from opportunity where id = $1";
        if let Some(row) = sqlx::query(sql).bind(called).fetch_optional(&self.pool).await? {
            return Ok(Some((called.to_owned(), row.try_get(0)?)));
        }
        let sql = "select id, id glob $2 || ':*' as own from opportunity where lower(name) = lower($1) order by own desc limit 2";
        let Some(id) = self.only_of(sql, called, vendor).await? else { return Ok(None) };
        let account = self.first("select account from opportunity where id = $1", &id).await?;
        Ok(Some((id, account)))
    }

    /// The firm of the person with this id or address.
    pub async fn account_of_contact(&self, key: &str) -> Result<Option<String>> {
        let by_id = self.first("select account from contact where id = $1", key).await?;
        match by_id {
            Some(account) => Ok(Some(account)),
            None if key.contains('@') => {
                let email = key.to_lowercase();
                self.only(
                    "select distinct account from contact where email = $1 and account is not null limit 2",
                    &email,
                )
                .await
            }
            None => Ok(None),
        }
    }

    /// Every deal, ordered by id.
    pub async fn deals(&self) -> Result<Vec<StoredDeal>> {
        let sql = format!("select {DEAL}, {ENDED_AT} from opportunity o order by id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                let ended_at = row.try_get::<Option<i64>, _>(12)?.and_then(instant);
                Ok(StoredDeal { opportunity: opportunity(row)?, ended_at })
            })
            .collect()
    }

    /// The stages that deals came to, ordered by deal and time.
    pub async fn stage_changes(&self) -> Result<Vec<StageChange>> {
        let rows = sqlx::query("select opportunity, at, stage from stage_change order by opportunity, at, stage")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(StageChange {
                    opportunity: OpportunityId::new(row.try_get::<String, _>(0)?),
                    at: instant(row.try_get(1)?).context("the date of a stage")?,
                    stage: row.try_get(2)?,
                })
            })
            .collect()
    }

    /// The probabilities that deals were given, ordered by deal and time.
    pub async fn crm_probabilities(&self) -> Result<Vec<CrmProbability>> {
        let rows = sqlx::query("select opportunity, at, probability from crm_probability order by opportunity, at")
            .fetch_all(&self.pool)
            .await?;
        rows.iter()
            .map(|row| {
                Ok(CrmProbability {
                    opportunity: OpportunityId::new(row.try_get::<String, _>(0)?),
                    at: instant(row.try_get(1)?).context("the date of a probability")?,
                    probability: row.try_get(2)?,
                })
            })
            .collect()
    }

    /// Notes that were entered or edited after their deal had ended, ordered by id.
    pub async fn late_notes(&self) -> Result<Vec<LateNote>> {
        let sql = format!(
            "select n.id, n.written_at > e.ended from note n join (select o.id as id, {ENDED_AT} as ended from opportunity o) e \
             on e.id = n.opportunity where e.ended is not null \
             and (coalesce(n.written_at, 0) > e.ended or coalesce(n.modified_at, 0) > e.ended) order by n.id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                let written = row.try_get::<Option<bool>, _>(1)?.unwrap_or(false);
                Ok(LateNote { note: NoteId::new(row.try_get::<String, _>(0)?), written })
            })
            .collect()
    }

    /// The segment of every firm that has one, by the firm's id; `None` where it is what a rep or a person at a firm is called,
    /// because a column of names divides nothing that may be shown.
    pub async fn segments(&self) -> Result<BTreeMap<String, Option<String>>> {
        let rows = sqlx::query("select account, name from segment").fetch_all(&self.pool).await?;
        if rows.is_empty() {
            return Ok(BTreeMap::new());
        }
        // SQLite knows lower case of ASCII only.
        let folded = |name: &str| name.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
        let people = sqlx::query(
            "select name from owner union select owner from note where owner is not null \
             union select owner from account where owner is not null \
             union select owner from opportunity where owner is not null \
             union select name from contact where name is not null",
        )
        .fetch_all(&self.pool)
        .await?;
        let people =
            people.iter().map(|row| Ok(folded(row.try_get::<&str, _>(0)?))).collect::<Result<HashSet<String>>>()?;
        rows.iter()
            .map(|row| {
                let name: String = row.try_get(1)?;
                Ok((row.try_get(0)?, Some(name).filter(|name| !people.contains(&folded(name)))))
            })
            .collect()
    }

    /// Names of people at firms with their firm, to be masked before anything is sent.
    pub async fn contact_names(&self) -> Result<Vec<(Option<AccountId>, String)>> {
        let rows = sqlx::query("select account, name from contact where name is not null order by id")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|row| Ok((row.try_get::<Option<String>, _>(0)?.map(AccountId::new), row.try_get(1)?))).collect()
    }

    async fn first(&self, sql: &'static str, key: &str) -> Result<Option<String>> {
        let row = sqlx::query(sql).bind(key).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row.try_get::<Option<String>, _>(0)).transpose()?.flatten())
    }

    /// The id of the first row, when no other is as good: the rows say whether they are the vendor's own.
    async fn only_of(&self, sql: &'static str, name: &str, vendor: &str) -> Result<Option<String>> {
        let rows = sqlx::query(sql).bind(name).bind(vendor).fetch_all(&self.pool).await?;
        let own = |row: &SqliteRow| row.try_get::<bool, _>(1);
        match rows.as_slice() {
            [only] => Ok(Some(only.try_get(0)?)),
            [first, second] if own(first)? && !own(second)? => Ok(Some(first.try_get(0)?)),
            _ => Ok(None),
        }
    }

    async fn only(&self, sql: &'static str, key: &str) -> Result<Option<String>> {
        let rows = sqlx::query(sql).bind(key).fetch_all(&self.pool).await?;
        let [row] = rows.as_slice() else { return Ok(None) };
        Ok(row.try_get(0)?)
    }
}

async fn write_account(tx: &mut Transaction<'_, Sqlite>, new: &Account, counts: &mut NoteCounts) -> Result<()> {
    let row = sqlx::query("select name, domain, owner from account where id = $1")
        .bind(new.id.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    let merged = match row {
        None => {
            counts.new += 1;
            new.clone()
        }
        Some(row) => {
            let known: [Option<String>; 3] = [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?];
            let [name, domain, owner] = known.clone();
            let merged = Account {
                id: new.id.clone(),
                name: new.name.clone().or(name),
                domain: new.domain.clone().or(domain),
                owner: new.owner.clone().or(owner),
            };
            if [&merged.name, &merged.domain, &merged.owner] == known.each_ref() {
                counts.known += 1;
                return Ok(());
            }
            counts.updated += 1;
            merged
        }
    };
    sqlx::query(
        "insert into account (id, name, domain, owner) values ($1, $2, $3, $4) on conflict (id) do update set \
         name = excluded.name, domain = excluded.domain, owner = excluded.owner",
    )
    .bind(merged.id.as_str())
    .bind(&merged.name)
    .bind(&merged.domain)
    .bind(&merged.owner)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

async fn write_opportunity(
    tx: &mut Transaction<'_, Sqlite>,
    incoming: &Incoming<Opportunity>,
    counts: &mut NoteCounts,
) -> Result<()> {
    let new = &Opportunity {
        opened_at: whole(incoming.record.opened_at),
        closed_at: whole(incoming.record.closed_at),
        modified_at: whole(incoming.record.modified_at),
        churned_at: whole(incoming.record.churned_at),
        value_at: whole(incoming.record.value_at),
        ..incoming.record.clone()
    };
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("select {DEAL} from opportunity where id = $1")))
        .bind(new.id.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    let merged = match row.as_ref().map(opportunity).transpose()? {
        None => {
            counts.new += 1;
            new.clone()
        }
        Some(known) => {
            // An end is news to a deal that was open, whoever told first.
            let ends = known.outcome == Outcome::Open && new.outcome != Outcome::Open;
            let older = known.modified_at > new.modified_at && new.modified_at.is_some();
            let merged =
                if older || (incoming.fill && !ends) { merge(known.clone(), new) } else { merge(new.clone(), &known) };
            if merged == known {
                counts.known += 1;
                return Ok(());
            }
            counts.updated += 1;
            merged
        }
    };
    sqlx::query(
        "insert into opportunity (id, account, name, owner, stage, outcome, amount, opened_at, closed_at, modified_at, \
         churned_at, value_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         on conflict (id) do update set account = excluded.account, \
         name = excluded.name, owner = excluded.owner, stage = excluded.stage, outcome = excluded.outcome, \
         amount = excluded.amount, opened_at = excluded.opened_at, closed_at = excluded.closed_at, \
         modified_at = excluded.modified_at, churned_at = excluded.churned_at, value_at = excluded.value_at",
    )
    .bind(merged.id.as_str())
    .bind(merged.account.as_ref().map(AccountId::as_str))
    .bind(&merged.name)
    .bind(&merged.owner)
    .bind(&merged.stage)
    .bind(merged.outcome.as_str())
    .bind(merged.amount)
    .bind(merged.opened_at.map(millis))
    .bind(merged.closed_at.map(millis))
    .bind(merged.modified_at.map(millis))
    .bind(merged.churned_at.map(millis))
    .bind(merged.value_at.map(millis))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// `first`, with what it does not say taken from `second`. The end belongs to the outcome, so it is not filled.
fn merge(first: Opportunity, second: &Opportunity) -> Opportunity {
    let same_end = first.outcome == second.outcome;
    Opportunity {
        account: first.account.or_else(|| second.account.clone()),
        name: first.name.or_else(|| second.name.clone()),
        owner: first.owner.or_else(|| second.owner.clone()),
        stage: first.stage.or_else(|| second.stage.clone()),
        amount: first.amount.or(second.amount),
        opened_at: first.opened_at.or(second.opened_at),
        closed_at: first.closed_at.or(second.closed_at.filter(|_| same_end)),
        modified_at: first.modified_at.or(second.modified_at),
        churned_at: first.churned_at.or(second.churned_at),
        value_at: first.value_at.or(second.value_at),
        ..first
    }
}

fn opportunity(row: &SqliteRow) -> Result<Opportunity> {
    let at = |column: usize| Ok::<_, sqlx::Error>(row.try_get::<Option<i64>, _>(column)?.and_then(instant));
    Ok(Opportunity {
        id: OpportunityId::new(row.try_get::<String, _>(0)?),
        account: row.try_get::<Option<String>, _>(1)?.map(AccountId::new),
        name: row.try_get(2)?,
        owner: row.try_get(3)?,
        stage: row.try_get(4)?,
        outcome: Outcome::parse(&row.try_get::<String, _>(5)?).context("outcome")?,
        amount: row.try_get(6)?,
        opened_at: at(7)?,
        closed_at: at(8)?,
        modified_at: at(9)?,
        churned_at: at(10)?,
        value_at: at(11)?,
    })
}
