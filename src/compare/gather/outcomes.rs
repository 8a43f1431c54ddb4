//! Deals with what their notes foretold and what followed (METHOD 3.6).
//!
//! One rule holds: a forecast knows nothing of its outcome. A note that was entered or edited after its deal had ended is none.
//! The CRM's own probability counts with the date on which it was given, from a day before the end: what an export says of an
//! ended deal now is 0 or 100%. Where an export has no history of probabilities, open deals have theirs as of their last
//! change, and repeated imports make a history of that.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;

use super::super::calibration::{KEPT_DAYS, LAST_NOTE_DAYS, WON_DAYS};
use super::super::cells::{Deal, Followed, Forecast, numbered};
use super::super::wording::counted;
use super::note_time;
use crate::model::{Interest, OpportunityId, Outcome};
use crate::store::{Store, StoredDeal, StoredNote};

/// What is known beside deals and notes.
struct Record<'a> {
    now: Timestamp,
    /// The last day of which each vendor's exports tell of deals. Nothing is known to have stayed open for longer.
    ends: BTreeMap<&'a str, i64>,
    /// Probabilities that deals were given, by time.
    given: BTreeMap<&'a OpportunityId, Vec<(Timestamp, f64)>>,
    /// Whether any deal tells when its customer reached the value milestone; otherwise nothing tells who did not.
    values: bool,
}

/// The deals whose notes foretold something, ordered by id: as of `now`, by notes of any time. What is left out is told in
/// `caveats`.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn deals(
    store: &Store,
    notes: &[StoredNote],
    now: Timestamp,
    caveats: &mut Vec<String>,
) -> Result<Vec<Deal>> {
    let known = store.deals().await?;
    let (stages, probabilities) = (store.stage_changes().await?, store.crm_probabilities().await?);
    let dates = known.iter().flat_map(|deal| {
        let o = &deal.opportunity;
        let all = [o.opened_at, o.modified_at, deal.ended_at, o.churned_at, o.value_at];
        all.into_iter().flatten().map(move |at| (&o.id, at))
    });
    let dates = dates
        .chain(stages.iter().map(|s| (&s.opportunity, s.at)))
        .chain(probabilities.iter().map(|p| (&p.opportunity, p.at)));
    let mut record = Record {
        now,
        ends: BTreeMap::new(),
        given: BTreeMap::new(),
        values: known.iter().any(|d| passed(d.opportunity.value_at, now).is_some()),
    };
    for (deal, at) in dates.filter(|(_, at)| *at <= now) {
        let end = record.ends.entry(vendor(deal)).or_insert(i64::MIN);
        *end = (*end).max(day(at));
    }
    for given in &probabilities {
        record.given.entry(&given.opportunity).or_default().push((given.at, given.probability));
    }

    let (told, astray) = notes_of(&known, notes);
    let (mut late, mut undated, mut silent) = (0, 0, 0);
    let mut found = Vec::new();
    for (deal, notes) in known.iter().zip(&told) {
        if deal.opportunity.outcome != Outcome::Open && deal.ended_at.is_none() {
            undated += 1;
            continue;
        }
        late += notes.iter().filter(|note| is_late(note, deal)).count();
        match forecasts(deal, notes, &record) {
            [None, None] => silent += 1,
            both => found.push((deal, notes, both)),
        }
    }
    let reps = numbered(found.iter().filter_map(|(deal, notes, _)| rep(deal, notes)));
    let deals = found.iter().enumerate().map(|(number, (deal, notes, [first, last]))| Deal {
        id: deal.opportunity.id.to_string(),
        rep: rep(deal, notes).and_then(|name| reps.get(name).copied()).unwrap_or(reps.len() + number),
        first: *first,
        last: *last,
    });
    let deals = deals.collect();

    let many = |n: usize, unit: &str| counted(n as u64, unit);
    let mut say = |n: usize, says: String| caveats.extend((n > 0).then_some(says));
    say(silent, format!("Without a forecast before the end: {} of {}.", silent, many(known.len(), "deals")));
    say(undated, format!("Ended on no known date and therefore not scored: {}.", many(undated, "deals")));
    say(
        late,
        format!("Entered or edited after the deal had ended and therefore no forecast: {}.", many(late, "notes")),
    );
    say(
        astray,
        format!("Of one of several deals, or of one never imported, and no forecast: {}.", many(astray, "notes")),
    );
    let churns = known.iter().any(|d| d.opportunity.churned_at.is_some());
    let unended = usize::from(record.values && !churns);
    say(unended, "No customer's end of service is recorded, so all that were won count as kept.".to_owned());
    Ok(deals)
}

/// Whose deal it is: the CRM's word, else whoever wrote its last note.
fn rep<'a>(deal: &'a StoredDeal, notes: &[&'a StoredNote]) -> Option<&'a str> {
    let of_note = || notes.iter().rev().find_map(|n| n.note.owner.as_deref());
    deal.opportunity.owner.as_deref().or_else(of_note)
}

/// The notes of each deal, ordered by time, and how many belong to none that is known: a note that names no deal is its
/// account's only one's.
fn notes_of<'a>(deals: &[StoredDeal], notes: &'a [StoredNote]) -> (Vec<Vec<&'a StoredNote>>, usize) {
    let by_id = deals.iter().enumerate().map(|(i, d)| (&d.opportunity.id, i)).collect::<BTreeMap<_, _>>();
    let mut by_account = BTreeMap::<_, Vec<usize>>::new();
    for (i, deal) in deals.iter().enumerate() {
        if let Some(account) = &deal.opportunity.account {
            by_account.entry(account).or_default().push(i);
        }
    }
    let (mut told, mut astray) = (vec![Vec::new(); deals.len()], 0);
    for note in notes.iter().filter(|n| note_time(n).is_some()) {
        let of = match &note.note.opportunity {
            Some(id) => by_id.get(id).map_or(&[][..], std::slice::from_ref),
            None => by_account.get(&note.note.account).map_or(&[][..], Vec::as_slice),
        };
        match of {
            [one] => told[*one].push(note),
            [] if note.note.opportunity.is_none() => {}
            _ => astray += usize::from(!deals.is_empty()),
        }
    }
    for notes in &mut told {
        notes.sort_by_key(|n| (note_time(n), n.note.id.as_str()));
    }
    (told, astray)
}

/// When the words of a note were last put in.
fn last_touched(note: &StoredNote) -> Option<Timestamp> {
    note_time(note).max(note.note.modified_at)
}

fn is_late(note: &StoredNote, deal: &StoredDeal) -> bool {
    deal.ended_at.is_some_and(|ended| last_touched(note) > Some(ended))
}

/// By the first note, and by the last that was finished 14 days before the deal's end or, while it is open, before that of the
/// data. So an open deal's last note is as young as an ended one's, and its forecast counts when it has matured.
fn forecasts(deal: &StoredDeal, notes: &[&StoredNote], record: &Record<'_>) -> [Option<Forecast>; 2] {
    let Some(end) = record.ends.get(vendor(&deal.opportunity.id)).copied() else { return [None, None] };
    let ended = passed(deal.ended_at, record.now).map_or(end, day);
    let foretold = |note: &StoredNote| {
        let at = note_time(note)?;
        let interest = note.reading.as_ref().and_then(|r| r.interest).map(Interest::level);
        let crm_prob = record.given.get(&deal.opportunity.id).and_then(|given| {
            let before = |(since, _): &&(Timestamp, f64)| *since <= at && day(*since) < ended;
            given.iter().rev().find(before).map(|(_, probability)| *probability)
        });
        if day(at) > end || (interest.is_none() && crm_prob.is_none()) {
            return None;
        }
        let (won, value) = followed(deal, day(at), end, record);
        Some(Forecast { day: day(at), interest, crm_prob, won, value })
    };
    let mut in_time = notes.iter().filter(|n| !is_late(n, deal));
    let old = |note: &&&StoredNote| last_touched(note).is_some_and(|at| day(at) + LAST_NOTE_DAYS <= ended);
    let last = in_time.clone().rev().filter(old).find_map(|n| foretold(n));
    [in_time.find_map(|n| foretold(n)), last]
}

/// Whether the deal was won in time after the day `from`, and whether its customer was then there with value a year after the
/// close, which stands for the start of the service. `end` is the last day of the data.
fn followed(deal: &StoredDeal, from: i64, end: i64, record: &Record<'_>) -> (Followed, Followed) {
    let Record { now, values, .. } = record;
    let days = |at: Option<Timestamp>| passed(at, *now).map(|at| day(at) - from);
    let seen = end - from;
    let won = match (deal.opportunity.outcome, days(deal.ended_at)) {
        (Outcome::Won, Some(after)) if after <= WON_DAYS => Followed::Yes(after),
        (Outcome::Lost, Some(after)) if after <= WON_DAYS => Followed::No(after),
        _ if seen >= WON_DAYS => Followed::No(WON_DAYS),
        _ => Followed::Censored(seen),
    };
    let value = match won {
        _ if !values => Followed::Unknown,
        Followed::Yes(start) => {
            let year = start + KEPT_DAYS;
            let in_time = |at: Option<Timestamp>| days(at).filter(|after| *after <= year);
            match (in_time(deal.opportunity.churned_at), in_time(deal.opportunity.value_at)) {
                (Some(gone), _) => Followed::No(gone.max(start)),
                (None, _) if seen < year => Followed::Censored(seen),
                (None, Some(_)) => Followed::Yes(year),
                (None, None) => Followed::No(year),
            }
        }
        other => other,
    };
    (won, value)
}

/// Who numbers the deal; exports of one vendor are taken to be of one day.
fn vendor(deal: &OpportunityId) -> &str {
    deal.as_str().split_once(':').map_or("", |(vendor, _)| vendor)
}

/// What has already been by `now`; a date to come is a plan.
fn passed(at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    at.filter(|at| *at <= now)
}

/// Days from 1970-01-01, UTC.
fn day(at: Timestamp) -> i64 {
    at.as_second().div_euclid(86_400)
}

#[cfg(test)]
mod tests;
