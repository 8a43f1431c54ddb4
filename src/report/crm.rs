//! What the CRM's notes say, account by account.
//!
//! Accounts are numbered and reps are lettered, so that nobody is named; a note's words are shown as they stand. Only notes
//! inside the window count.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use jiff::civil::Date;

use super::quotes::{self, Shortlist};
use super::view::{Origin, QuoteView};
use super::window::Window;
use super::words;
use crate::model::id::content_hash;
use crate::model::{CommitmentStatus, Corroboration, Elicitation, Evidence, Giver, Interest, Note, Recipe};
use crate::store::{Side, Store, StoredNote};

/// Words that make a note a discovery note (METHOD 3.1).
const DISCOVERY_WORDS: usize = 40;

/// Everything gathered about the CRM.
#[derive(Default)]
pub(super) struct Crm {
    /// Every account's state in the window, ordered by id.
    pub(super) accounts: Vec<Account>,
    /// By problem, in the order given.
    pub(super) problems: Vec<Claimed>,
    /// First and last day of a note in the window.
    pub(super) days: Option<(Date, Date)>,
    /// Notes in the window, read by this recipe.
    pub(super) read: u64,
}

/// One account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// The CRM's id.
    pub(super) id: String,
    /// Its number in this report.
    pub(super) number: u64,
    /// The strongest interest that any of its notes claims, as the share with nothing behind it counts it.
    pub(super) interest: Option<u8>,
    /// Highest level kept and vouched for by more than the note.
    pub(super) given: u8,
    /// Whether the buyer was asked for anything.
    pub(super) asked: bool,
    /// A note of 40 words or a claimed pain.
    pub(super) discovery: bool,
    /// Its notes in the window, oldest first; their owners are letters.
    pub(super) notes: Vec<StoredNote>,
    /// The rep of the latest note that has one, as a letter.
    pub(super) rep: Option<String>,
}

/// What was claimed about one problem.
#[derive(Default)]
pub(super) struct Claimed {
    /// Accounts, by number.
    pub(super) accounts: BTreeSet<u32>,
    /// Accounts by how it came up.
    pub(super) elicitation: [BTreeSet<u32>; 3],
    /// The best quotes.
    pub(super) quotes: Shortlist,
}

/// Gathers what `recipe` read about `problems` (ids), assigned under `codebook`.
pub(super) async fn gather(
    store: &Store,
    recipe: &Recipe,
    codebook: &str,
    problems: &[&str],
    window: Window,
) -> Result<Crm> {
    let mut stored = store.notes(recipe).await.context("could not read the CRM notes")?;
    // From here on a rep is a letter: a name that is gone cannot be printed.
    let reps = letters(stored.iter().filter_map(|n| n.note.owner.as_deref()));
    for note in &mut stored {
        note.note.owner = note.note.owner.as_deref().and_then(|owner| reps.get(owner).cloned());
    }
    let mut crm = Crm { problems: problems.iter().map(|_| Claimed::default()).collect(), ..Crm::default() };
    let mut notes = BTreeMap::<String, Vec<StoredNote>>::new();
    for note in stored {
        notes.entry(note.note.account.as_str().to_owned()).or_default().push(note);
    }
    for (number, (id, notes)) in (1..).zip(notes) {
        let notes = notes.into_iter().filter(|n| window.holds(n.note.written_at)).collect::<Vec<_>>();
        if notes.is_empty() {
            continue;
        }
        crm.read += notes.iter().filter(|n| n.reading.is_some()).count() as u64;
        for day in notes.iter().filter_map(|n| n.note.written_at).map(words::civil) {
            let (first, last) = crm.days.unwrap_or((day, day));
            crm.days = Some((first.min(day), last.max(day)));
        }
        crm.accounts.push(account(id, number, notes));
    }
    take_pains(store, recipe, codebook, problems, &mut crm).await?;
    Ok(crm)
}

fn account(id: String, number: u64, notes: Vec<StoredNote>) -> Account {
    let readings = || notes.iter().filter_map(|n| n.reading.as_ref());
    let given = readings()
        .flat_map(|r| &r.commitments)
        .filter(|c| c.who == Giver::Buyer && c.status == CommitmentStatus::Kept)
        .filter(|c| c.corroboration != Corroboration::NoteOnly)
        .map(|c| c.level.min(5))
        .max();
    let discovery = notes.iter().any(|n| {
        n.note.text.split_whitespace().count() >= DISCOVERY_WORDS
            || n.reading.as_ref().is_some_and(|r| !r.pains.is_empty())
    });
    Account {
        number,
        interest: readings().filter_map(|r| r.interest).map(Interest::level).max(),
        given: given.unwrap_or_default(),
        asked: readings().any(|r| r.asked),
        discovery,
        rep: notes.iter().rev().find_map(|n| n.note.owner.clone()),
        id,
        notes,
    }
}

async fn take_pains(store: &Store, recipe: &Recipe, codebook: &str, problems: &[&str], crm: &mut Crm) -> Result<()> {
    let pains = store.pains(recipe, codebook).await.context("could not read the claimed pains")?;
    let similarity = store
        .assignments(codebook)
        .await
        .context("could not read which pain belongs to which problem")?
        .into_iter()
        .filter(|a| a.side == Side::Crm)
        .map(|a| (a.unit, a.score))
        .collect::<BTreeMap<_, _>>();
    let index = problems.iter().enumerate().map(|(i, id)| (*id, i)).collect::<BTreeMap<_, _>>();
    let mut places = BTreeMap::new();
    for (a, account) in crm.accounts.iter().enumerate() {
        places.extend(account.notes.iter().enumerate().map(|(n, note)| (note.note.id.as_str(), (a, n))));
    }
    for pain in &pains {
        let Some(&problem) = pain.problem.as_deref().and_then(|id| index.get(id)) else { continue };
        // A note outside the window has no place.
        let Some(&(a, n)) = places.get(pain.note.as_str()) else { continue };
        let account = &crm.accounts[a];
        let stored = &account.notes[n];
        let claimed = &mut crm.problems[problem];
        let unit = u32::try_from(account.number).unwrap_or(u32::MAX);
        claimed.accounts.insert(unit);
        let (came_up, mark) = match pain.pain.elicitation {
            Elicitation::Volunteered => (0, "claimed pain, volunteered"),
            Elicitation::Prompted => (1, "claimed pain, prompted"),
            Elicitation::RepInferred => (2, "claimed pain, inferred by the rep"),
        };
        claimed.elicitation[came_up].insert(unit);
        let specific = if pain.pain.specific { 0.2 } else { 0.0 };
        let close = 0.5 * similarity.get(&pain.id).copied().unwrap_or_default();
        let rank = quotes::readable(pain.pain.evidence.quote()) + close + specific;
        let group = account.rep.clone().unwrap_or_default();
        claimed
            .quotes
            .offer(unit, rank, &pain.id, || (group, note_quote(&stored.note, &pain.pain.evidence, account, mark)));
    }
    Ok(())
}

/// A quote of a note.
pub(super) fn note_quote(note: &Note, evidence: &Evidence, account: &Account, mark: &'static str) -> QuoteView {
    let origin = Origin::Note {
        note: note.id.as_str().to_owned(),
        account: account.number,
        kind: note.kind.as_str(),
        mark,
        rep: note.owner.clone(),
    };
    quotes::quote(&note.text, evidence, note.written_at, origin)
}

/// A letter for every rep. They are ordered by a hash, so that a letter says nothing about a name.
fn letters<'a>(owners: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let hashed = owners.map(|o| (content_hash(&["rep", o]), o)).collect::<BTreeSet<_>>();
    hashed.into_iter().zip(0..).map(|((_, owner), i)| (owner.to_owned(), letter(i))).collect()
}

/// A to Z, AA to AZ, …
fn letter(index: usize) -> String {
    let last = char::from(b'A' + (index % 26) as u8);
    if index < 26 { last.to_string() } else { format!("{}{last}", letter(index / 26 - 1)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reps_become_letters() {
        for (index, expected) in [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (702, "AAA")] {
            assert_eq!(letter(index), expected);
        }
        let letters = letters(["Sam", "Alex", "Sam"].into_iter());
        assert_eq!(letters.len(), 2);
        assert_eq!(letters.values().collect::<Vec<_>>().len(), 2);
    }
}
