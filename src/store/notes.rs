//! CRM notes and what readers made of them.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};

use anyhow::{Context, Result};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};

use super::deals::IncomingNote;
use super::failures::{self, Failure};
use super::post_batches::{ROWS, lookup};
use super::post_readings::cut;
use super::{Store, instant, millis, whole};
use crate::model::id::content_hash;
use crate::model::{
    AccountId, ClaimedPain, Commitment, CommitmentStatus, Corroboration, Currency, Elicitation, Evidence, Fit, Giver,
    Interest, Note, NoteClaim, NoteId, NoteKind, NoteReading, Objection, ObjectionKind, OpportunityId, Recipe,
    SecondLook, Support,
};

/// What became of imported notes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoteCounts {
    /// Stored for the first time.
    pub new: u64,
    /// Stored before, unchanged.
    pub known: u64,
    /// Stored before, changed since; readings of the old text were dropped.
    pub updated: u64,
}

/// A note with its reading under one recipe.
#[derive(Debug, Clone)]
pub struct StoredNote {
    /// The note.
    pub note: Note,
    /// The reading; `None` when the recipe has not read it.
    pub reading: Option<NoteReading>,
}

/// A claimed pain with what is known of its note.
#[derive(Debug, Clone)]
pub struct StoredPain {
    /// Pain id: hash of note, span and recipe.
    pub id: String,
    /// The pain, its words cut from the note.
    pub pain: ClaimedPain,
    /// The note.
    pub note: NoteId,
    /// The firm.
    pub account: AccountId,
    /// The rep.
    pub owner: Option<String>,
    /// When the note was entered.
    pub written_at: Option<Timestamp>,
    /// Problem id under the codebook asked for; `None` when unassigned or `other`.
    pub problem: Option<String>,
}

/// The parts of a reading that nothing joins on, as JSON. Spans are `[start, end]` into the note.
#[derive(Serialize, Deserialize)]
struct Payload {
    compliments: Vec<(usize, usize)>,
    fluff: Vec<(usize, usize)>,
    objections: Vec<(ObjectionKind, (usize, usize))>,
    commitments: Vec<CommitmentRow>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    looks: Vec<(NoteClaim, (usize, usize), Support)>,
}

#[derive(Serialize, Deserialize)]
struct CommitmentRow {
    level: u8,
    currency: Currency,
    who: Giver,
    status: CommitmentStatus,
    corroboration: Corroboration,
    span: (usize, usize),
    /// Readings that were kept before days were read have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<(usize, usize)>,
}

impl Store {
    /// Writes notes and failures in one transaction.
    pub async fn write_notes(&self, notes: &[Note], failures: &[Failure]) -> Result<NoteCounts> {
        let mut tx = self.write().await?;
        let mut counts = NoteCounts::default();
        let incoming = |note: &Note| IncomingNote { note: note.clone(), fill: false, kind_told: true };
        write_notes(&mut tx, &notes.iter().map(incoming).collect::<Vec<_>>(), &mut counts).await?;
        failures::insert(&mut tx, failures).await?;
        tx.commit().await?;
        Ok(counts)
    }

    /// Up to `limit` notes after the id `after` that `recipe` has not read, ordered by id.
    pub async fn unread_notes(&self, recipe: &Recipe, after: &str, limit: i64) -> Result<Vec<Note>> {
        let rows = sqlx::query(
            "select id, account, opportunity, owner, kind, written_at, happened_at, stage, amount, text, modified_at from note n \
             where id > $2 and not exists (select 1 from note_reading r where r.note = n.id and r.recipe = $1) order by id limit $3",
        )
        .bind(recipe.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(note).collect()
    }

    /// Writes what `recipe` made of some notes, in one transaction. What was made of a note that was changed meanwhile is left
    /// out: its spans point into words that are gone, and the next run reads it. Gives how many that were.
    pub async fn write_read_notes(&self, recipe: &Recipe, read: &[(impl Borrow<Note>, NoteReading)]) -> Result<u64> {
        let mut tx = self.write().await?;
        let mut changed = 0;
        for (note, reading) in read {
            changed += u64::from(!write_reading(&mut tx, recipe, note.borrow(), reading).await?);
        }
        // What was read failed at most before.
        sqlx::query(
            "delete from failure where stage = 'crm' and exists \
             (select 1 from note_reading r where r.note = failure.unit and r.recipe = $1)",
        )
        .bind(recipe.as_str())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Writes what `recipe` made of notes as they stand in the store.
    #[cfg(test)]
    pub(crate) async fn write_note_readings(&self, recipe: &Recipe, readings: &[(NoteId, NoteReading)]) -> Result<()> {
        let notes = self.notes(recipe).await?.into_iter().map(|n| (n.note.id.clone(), n.note));
        let notes: HashMap<_, _> = notes.collect();
        let read = readings.iter().map(|(id, reading)| Some((notes.get(id)?, reading.clone())));
        let read = read.collect::<Option<Vec<_>>>().context("a note is not stored")?;
        self.write_read_notes(recipe, &read).await.map(|_| ())
    }

    /// The text of a note; `None` when it is not stored.
    pub async fn note_text(&self, id: &str) -> Result<Option<String>> {
        let row = sqlx::query("select text from note where id = $1").bind(id).fetch_optional(&self.pool).await?;
        Ok(row.map(|r| r.try_get(0)).transpose()?)
    }

    /// Every note with its reading under `recipe`, ordered by account, then time, then id.
    pub async fn notes(&self, recipe: &Recipe) -> Result<Vec<StoredNote>> {
        let rows = sqlx::query(
            "select n.id, n.account, n.opportunity, n.owner, n.kind, n.written_at, n.happened_at, n.stage, n.amount, n.text, n.modified_at, \
             r.interest, r.asked, r.payload, r.rejected, r.withheld from note n left join note_reading r on r.note = n.id and r.recipe = $1 \
             order by n.account, n.written_at, n.id",
        )
        .bind(recipe.as_str())
        .fetch_all(&self.pool)
        .await?;
        let mut notes = Vec::with_capacity(rows.len());
        for row in &rows {
            let note = note(row)?;
            let reading = match row.try_get::<Option<String>, _>(13)? {
                Some(payload) => {
                    let interest = row.try_get::<Option<i64>, _>(11)?;
                    let mut reading =
                        reading(&note.text, interest, row.try_get(12)?, &payload).context("note reading")?;
                    reading.rejected = usize::try_from(row.try_get::<i64, _>(14)?)?;
                    reading.withheld = usize::try_from(row.try_get::<i64, _>(15)?)?;
                    Some(reading)
                }
                None => None,
            };
            notes.push(StoredNote { note, reading });
        }
        let pains = sqlx::query(
            "select note, start_byte, end_byte, elicitation, specific from claimed_pain where recipe = $1 order by note, start_byte",
        )
        .bind(recipe.as_str())
        .fetch_all(&self.pool)
        .await?;
        let mut by_note = HashMap::<String, Vec<&SqliteRow>>::new();
        for row in &pains {
            by_note.entry(row.try_get(0)?).or_default().push(row);
        }
        for stored in &mut notes {
            let (Some(reading), Some(rows)) = (&mut stored.reading, by_note.get(stored.note.id.as_str())) else {
                continue;
            };
            for row in rows {
                reading.pains.push(pain(&stored.note.text, row, 1)?);
            }
        }
        Ok(notes)
    }

    /// Every claimed pain of `recipe` with its problem under `codebook`, ordered by id.
    pub async fn pains(&self, recipe: &Recipe, codebook: &str) -> Result<Vec<StoredPain>> {
        let rows = sqlx::query(
            "select c.id, c.start_byte, c.end_byte, c.elicitation, c.specific, n.id, n.account, n.owner, n.written_at, n.text, \
             a.problem from claimed_pain c join note n on n.id = c.note \
             left join assignment a on a.codebook = $2 and a.side = 'crm' and a.unit = c.id \
             where c.recipe = $1 and a.problem is distinct from 'none' order by c.id",
        )
        .bind(recipe.as_str())
        .bind(codebook)
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| {
                let text: String = row.try_get(9)?;
                Ok(StoredPain {
                    id: row.try_get(0)?,
                    pain: pain(&text, row, 1)?,
                    note: NoteId::new(row.try_get::<String, _>(5)?),
                    account: AccountId::new(row.try_get::<String, _>(6)?),
                    owner: row.try_get(7)?,
                    written_at: row.try_get::<Option<i64>, _>(8)?.and_then(instant),
                    problem: row.try_get(10)?,
                })
            })
            .collect()
    }

    /// How many notes `recipe` has not read.
    pub async fn count_unread_notes(&self, recipe: &Recipe) -> Result<i64> {
        let row = sqlx::query(
            "select count(*) from note n where not exists \
             (select 1 from note_reading r where r.note = n.id and r.recipe = $1)",
        )
        .bind(recipe.as_str())
        .fetch_one(&self.pool)
        .await?;
        Ok(row.try_get(0)?)
    }

    /// Number of stored notes, accounts and reps.
    pub async fn note_totals(&self) -> Result<[i64; 3]> {
        let row = sqlx::query("select count(*), count(distinct account), count(distinct owner) from note")
            .fetch_one(&self.pool)
            .await?;
        Ok([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?])
    }
}

/// Writes what `recipe` made of `note`. False when the note is gone or no longer as it was read.
async fn write_reading(
    tx: &mut Transaction<'_, Sqlite>,
    recipe: &Recipe,
    note: &Note,
    reading: &NoteReading,
) -> Result<bool> {
    let stands = sqlx::query("select 1 from note where id = $1 and text = $2 and kind = $3")
        .bind(note.id.as_str())
        .bind(&note.text)
        .bind(note.kind.as_str())
        .fetch_optional(&mut **tx)
        .await?;
    if stands.is_none() {
        return Ok(false);
    }
    sqlx::query(
        "insert into note_reading (note, recipe, interest, asked, payload, rejected, withheld) values ($1, $2, $3, $4, $5, $6, $7) \
         on conflict do nothing",
    )
    .bind(note.id.as_str())
    .bind(recipe.as_str())
    .bind(reading.interest.map(|i| i64::from(i.level())))
    .bind(reading.asked)
    .bind(serde_json::to_string(&payload(reading))?)
    .bind(i64::try_from(reading.rejected)?)
    .bind(i64::try_from(reading.withheld)?)
    .execute(&mut **tx)
    .await?;
    for pain in &reading.pains {
        let span = pain.evidence.span();
        let id = content_hash(&[note.id.as_str(), &span.start().to_string(), &span.end().to_string(), recipe.as_str()]);
        sqlx::query(
            "insert into claimed_pain (id, note, recipe, start_byte, end_byte, elicitation, specific) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
        )
        .bind(id)
        .bind(note.id.as_str())
        .bind(recipe.as_str())
        .bind(i64::try_from(span.start())?)
        .bind(i64::try_from(span.end())?)
        .bind(pain.elicitation.as_str())
        .bind(pain.specific)
        .execute(&mut **tx)
        .await?;
    }
    Ok(true)
}

/// The columns of a note, as [`note`] reads them.
const NOTE: &str = "id, account, opportunity, owner, kind, written_at, happened_at, stage, amount, text, modified_at";

/// Writes notes, looked up and stored many at a time. What is newer by its date of modification stands; where neither is, the one
/// that comes, except that with `fill` only what the store does not know is taken. Fields that one of the two does not tell are
/// taken from the other. Readings depend on text and kind, and go when either changes.
pub(super) async fn write_notes(
    tx: &mut Transaction<'_, Sqlite>,
    incoming: &[IncomingNote],
    counts: &mut NoteCounts,
) -> Result<()> {
    let select = format!("select {NOTE} from note where id in (");
    let rows = lookup(tx, &select, incoming.iter().map(|one| one.note.id.as_str())).await?;
    let known = rows.iter().map(|row| note(row).map(|known| (known.id.clone(), known)));
    let mut stored = known.collect::<Result<HashMap<NoteId, Note>>>()?;
    // A note that comes twice is written once, as it is at last.
    let mut changed = BTreeSet::new();
    for one in incoming {
        let new = Note {
            written_at: whole(one.note.written_at),
            happened_at: whole(one.note.happened_at),
            modified_at: whole(one.note.modified_at),
            ..one.note.clone()
        };
        let id = new.id.clone();
        let merged = match stored.get(&id) {
            None => {
                counts.new += 1;
                new
            }
            Some(known) => {
                let merged = merged(known, new, one);
                if merged == *known {
                    counts.known += 1;
                    continue;
                }
                if merged.text != known.text || merged.kind != known.kind {
                    for sql in ["delete from note_reading where note = $1", "delete from claimed_pain where note = $1"]
                    {
                        sqlx::query(sql).bind(id.as_str()).execute(&mut **tx).await?;
                    }
                }
                counts.updated += 1;
                merged
            }
        };
        changed.insert(id.clone());
        stored.insert(id, merged);
    }
    let changed: Vec<&Note> = changed.iter().filter_map(|id| stored.get(id)).collect();
    for notes in changed.chunks(ROWS) {
        insert(tx, notes).await?;
    }
    Ok(())
}

/// What stands of a note that is `known` when `new` comes.
fn merged(known: &Note, new: Note, incoming: &IncomingNote) -> Note {
    let older = new.modified_at.is_some() && known.modified_at > new.modified_at;
    let kind = if incoming.kind_told && !older { new.kind } else { known.kind };
    let both = if older || incoming.fill { merge(known.clone(), &new) } else { merge(new, known) };
    Note { kind, ..both }
}

async fn insert(tx: &mut Transaction<'_, Sqlite>, notes: &[&Note]) -> Result<()> {
    QueryBuilder::<Sqlite>::new(format!("insert into note ({NOTE}, hash) "))
        .push_values(notes, |mut row, note| {
            row.push_bind(note.id.as_str())
                .push_bind(note.account.as_str())
                .push_bind(note.opportunity.as_ref().map(OpportunityId::as_str))
                .push_bind(&note.owner)
                .push_bind(note.kind.as_str())
                .push_bind(note.written_at.map(millis))
                .push_bind(note.happened_at.map(millis))
                .push_bind(&note.stage)
                .push_bind(note.amount)
                .push_bind(&note.text)
                .push_bind(note.modified_at.map(millis))
                .push_bind(content_hash(&[&note.text, note.account.as_str(), note.kind.as_str()]));
        })
        .push(
            " on conflict (id) do update set account = excluded.account, opportunity = excluded.opportunity, \
             owner = excluded.owner, kind = excluded.kind, written_at = excluded.written_at, \
             happened_at = excluded.happened_at, stage = excluded.stage, amount = excluded.amount, text = excluded.text, \
             hash = excluded.hash, modified_at = excluded.modified_at",
        )
        .build()
        .execute(&mut **tx)
        .await?;
    Ok(())
}

/// `first`, with what it does not say taken from `second`.
fn merge(first: Note, second: &Note) -> Note {
    Note {
        opportunity: first.opportunity.or_else(|| second.opportunity.clone()),
        owner: first.owner.or_else(|| second.owner.clone()),
        written_at: first.written_at.or(second.written_at),
        happened_at: first.happened_at.or(second.happened_at),
        modified_at: first.modified_at.or(second.modified_at),
        stage: first.stage.or_else(|| second.stage.clone()),
        amount: first.amount.or(second.amount),
        ..first
    }
}

fn note(row: &SqliteRow) -> Result<Note> {
    Ok(Note {
        id: NoteId::new(row.try_get::<String, _>(0)?),
        account: AccountId::new(row.try_get::<String, _>(1)?),
        opportunity: row.try_get::<Option<String>, _>(2)?.map(OpportunityId::new),
        owner: row.try_get(3)?,
        kind: NoteKind::parse(&row.try_get::<String, _>(4)?),
        written_at: row.try_get::<Option<i64>, _>(5)?.and_then(instant),
        happened_at: row.try_get::<Option<i64>, _>(6)?.and_then(instant),
        stage: row.try_get(7)?,
        amount: row.try_get(8)?,
        text: row.try_get(9)?,
        modified_at: row.try_get::<Option<i64>, _>(10)?.and_then(instant),
    })
}

/// The claimed pain whose columns begin at `at`: start, end, elicitation, specific.
fn pain(text: &str, row: &SqliteRow, at: usize) -> Result<ClaimedPain> {
    Ok(ClaimedPain {
        evidence: cut(text, row.try_get(at)?, row.try_get(at + 1)?, Fit::Exact).context("pain span")?,
        elicitation: Elicitation::parse(&row.try_get::<String, _>(at + 2)?).context("elicitation")?,
        specific: row.try_get(at + 3)?,
    })
}

fn bounds(evidence: &Evidence) -> (usize, usize) {
    (evidence.span().start(), evidence.span().end())
}

fn payload(reading: &NoteReading) -> Payload {
    Payload {
        compliments: reading.compliments.iter().map(bounds).collect(),
        fluff: reading.fluff.iter().map(bounds).collect(),
        objections: reading.objections.iter().map(|o| (o.kind, bounds(&o.evidence))).collect(),
        commitments: reading
            .commitments
            .iter()
            .map(|c| CommitmentRow {
                level: c.level,
                currency: c.currency,
                who: c.who,
                status: c.status,
                corroboration: c.corroboration,
                span: bounds(&c.evidence),
                due: c.due.as_ref().map(bounds),
            })
            .collect(),
        looks: reading.looks.iter().map(|look| (look.claim, bounds(&look.evidence), look.support)).collect(),
    }
}

/// Rebuilds a reading; its pains and the counts of rejected quotes and withheld sentences stand elsewhere and are added by the caller.
fn reading(text: &str, interest: Option<i64>, asked: bool, payload: &str) -> Option<NoteReading> {
    let payload: Payload = serde_json::from_str(payload).ok()?;
    let at = |(start, end): (usize, usize)| {
        crate::model::Span::new(text, start, end).and_then(|span| Evidence::cut(text, span, Fit::Exact))
    };
    let commitment = |row: CommitmentRow| {
        Some(Commitment {
            evidence: at(row.span)?,
            level: row.level,
            currency: row.currency,
            who: row.who,
            status: row.status,
            corroboration: row.corroboration,
            due: row.due.and_then(at),
        })
    };
    Some(NoteReading {
        interest: interest.and_then(|i| u8::try_from(i).ok()).and_then(Interest::new),
        compliments: payload.compliments.into_iter().map(at).collect::<Option<_>>()?,
        fluff: payload.fluff.into_iter().map(at).collect::<Option<_>>()?,
        pains: Vec::new(),
        objections: payload
            .objections
            .into_iter()
            .map(|(kind, span)| Some(Objection { evidence: at(span)?, kind }))
            .collect::<Option<_>>()?,
        commitments: payload.commitments.into_iter().map(commitment).collect::<Option<_>>()?,
        looks: payload
            .looks
            .into_iter()
            .map(|(claim, span, support)| Some(SecondLook { claim, evidence: at(span)?, support }))
            .collect::<Option<_>>()?,
        asked,
        rejected: 0,
        withheld: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Span;

    async fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store.db")).await.unwrap();
        (dir, store)
    }

    fn noted(id: &str, text: &str, kind: NoteKind) -> Note {
        Note {
            id: NoteId::new(id),
            account: AccountId::new("a"),
            opportunity: None,
            owner: None,
            kind,
            written_at: None,
            happened_at: None,
            modified_at: None,
            stage: None,
            amount: None,
            text: text.to_owned(),
        }
    }

    /// A reading that claims all of the note as a pain.
    fn claims(note: Note) -> (Note, NoteReading) {
        let span = Span::new(&note.text, 0, note.text.len()).unwrap();
        let evidence = Evidence::cut(&note.text, span, Fit::Exact).unwrap();
        let pain = ClaimedPain { evidence, elicitation: Elicitation::Volunteered, specific: true };
        (note, NoteReading { pains: vec![pain], ..NoteReading::default() })
    }

    /// What a reader makes of a note depends on its kind.
    #[tokio::test]
    async fn a_kind_stays_until_another_is_told_and_takes_the_reading_with_it() {
        let (_dir, store) = store().await;
        let recipe = Recipe::new("test", &[]);
        let note = noted("n1", "It leaks.", NoteKind::Call);
        store.write_notes(std::slice::from_ref(&note), &[]).await.unwrap();
        store.write_read_notes(&recipe, &[claims(note)]).await.unwrap();
        for (kind, kind_told, want) in
            [(NoteKind::Note, false, (NoteKind::Call, true)), (NoteKind::Email, true, (NoteKind::Email, false))]
        {
            let incoming = IncomingNote { note: noted("n1", "It leaks.", kind), fill: false, kind_told };
            store.write_crm(&crate::store::CrmBatch { notes: vec![incoming], ..Default::default() }).await.unwrap();
            let stored = store.notes(&recipe).await.unwrap().remove(0);
            assert_eq!((stored.note.kind, stored.reading.is_some()), want);
        }
    }

    #[tokio::test]
    async fn the_pains_of_a_note_are_found_by_it() {
        let (_dir, store) = store().await;
        let sql = "explain query plan delete from claimed_pain where note = 'n1'";
        let plan: String = sqlx::query(sql).fetch_one(&store.pool).await.unwrap().try_get("detail").unwrap();
        assert!(plan.contains("claimed_pain_note"), "{plan}");
    }

    #[tokio::test]
    async fn what_a_second_look_refused_is_kept_and_is_no_pain() {
        let (_dir, store) = store().await;
        let recipe = Recipe::new("test", &[]);
        let note = noted("n1", "It leaks. It rusts.", NoteKind::Call);
        store.write_notes(std::slice::from_ref(&note), &[]).await.unwrap();
        let pain = |words: &str| {
            let at = note.text.find(words).unwrap();
            let span = Span::new(&note.text, at, at + words.len()).unwrap();
            let evidence = Evidence::cut(&note.text, span, Fit::Exact).unwrap();
            ClaimedPain { evidence, elicitation: Elicitation::Volunteered, specific: true }
        };
        let pains = vec![pain("It leaks."), pain("It rusts.")];
        let look =
            |at: usize, support| SecondLook { claim: NoteClaim::Pain, evidence: pains[at].evidence.clone(), support };
        let looks = vec![look(0, Support::Unsupported), look(1, Support::Supported)];
        let reading = NoteReading { pains: pains.clone(), ..NoteReading::default() }.looked_at(looks);
        store.write_read_notes(&recipe, &[(note, reading.clone())]).await.unwrap();
        assert_eq!(store.notes(&recipe).await.unwrap()[0].reading, Some(reading));
        let counted = store.pains(&recipe, "").await.unwrap();
        assert_eq!(counted.iter().map(|p| p.pain.evidence.quote()).collect::<Vec<_>>(), ["It rusts."]);
    }

    /// A model takes its time; an import may change a note until its answer comes.
    #[tokio::test]
    async fn what_was_made_of_words_that_are_gone_is_left_out() {
        let (_dir, store) = store().await;
        let recipe = Recipe::new("test", &[]);
        let notes = ["n1", "n2"].map(|id| noted(id, "It leaks.", NoteKind::Note));
        store.write_notes(&notes, &[]).await.unwrap();
        let unread = store.unread_notes(&recipe, "", 9).await.unwrap();
        let read: Vec<_> = unread.into_iter().map(claims).collect();
        store.record_failures(&["n1", "n2"].map(|id| Failure::new("crm", id, "no answer"))).await.unwrap();
        store.write_notes(&[noted("n1", "No.", NoteKind::Note)], &[]).await.unwrap();
        assert_eq!(store.write_read_notes(&recipe, &read).await.unwrap(), 1);
        let pains = store.notes(&recipe).await.unwrap().into_iter().map(|n| n.reading.map(|r| r.pains.len()));
        assert_eq!(pains.collect::<Vec<_>>(), [None, Some(1)]);
        let left = store.unread_notes(&recipe, "", 9).await.unwrap();
        assert_eq!(left.iter().map(|n| n.id.as_str()).collect::<Vec<_>>(), ["n1"]);
        let failures = store.failures().await.unwrap().into_iter().map(|f| f.unit);
        assert_eq!(failures.collect::<Vec<_>>(), ["n1"], "what was read failed once and is read now");
    }
}
