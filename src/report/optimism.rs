//! Hollow optimism: what accounts are said to feel against what they gave (METHOD 3.5).
//!
//! The rate is the comparison's. Here stand the table behind it and the notes' own words, marked by kind.

use std::collections::BTreeSet;

use super::crm::{Account, Crm};
use super::view::{InterestRow, Mark, MarkedNote, OptimismView, Piece, UnbackedAccount};
use super::window::Window;
use super::words;
use crate::model::comparison::{ComparisonV1, CountsV1, OptimismV1, SETTLING_DAYS};
use crate::model::{Evidence, Giver, Interest, NoteReading};
use crate::store::StoredNote;

/// Accounts whose note is shown.
const ACCOUNTS: usize = 8;
/// Longest stretch of a note that is shown, bytes.
const LONGEST: usize = 520;
/// Words shown before the first mark, bytes.
const LEAD: usize = 120;

/// The view; `None` without accounts.
pub(super) fn optimism(crm: &Crm, comparison: Option<&ComparisonV1>) -> Option<OptimismView> {
    if crm.accounts.is_empty() {
        return None;
    }
    let table = [Some(4), Some(3), Some(2), Some(1), Some(0), None]
        .into_iter()
        .map(|level| {
            let mut given = [0; 6];
            for account in crm.accounts.iter().filter(|a| a.interest == level) {
                given[usize::from(account.given)] += 1;
            }
            InterestRow { level, words: words::interest(level), given }
        })
        .collect();
    let own = own_numbers(crm);
    let numbers = comparison.map_or(&own, |c| &c.optimism);
    let ids = numbers.unbacked_accounts.iter().collect::<BTreeSet<_>>();
    let mut unbacked = crm.accounts.iter().filter(|a| ids.contains(&a.id)).collect::<Vec<_>>();
    unbacked.sort_by_cached_key(|a| (std::cmp::Reverse((a.interest, marks(a))), a.number));
    let shown = unbacked.iter().filter_map(|a| view(a)).take(ACCOUNTS).collect::<Vec<_>>();
    let mut more =
        unbacked.iter().map(|a| a.number).filter(|n| shown.iter().all(|s| s.number != *n)).collect::<Vec<_>>();
    more.sort_unstable();
    Some(OptimismView {
        strong: numbers.strong,
        unbacked: numbers.unbacked,
        by_hand: comparison.is_some_and(ComparisonV1::accounts_by_hand),
        young: comparison.map_or(0, |c| young(crm, Window::of(&c.window))),
        never_asked: numbers.never_asked,
        asked_not_given: numbers.asked_not_given,
        split: numbers.split.clone(),
        otherwise: comparison.and_then(otherwise),
        segments: comparison.map_or_else(Vec::new, |c| c.segments.clone()),
        says: comparison
            .and_then(|c| c.components.iter().find(|c| c.name == "commitment"))
            .map(|c| c.says.clone())
            .filter(|says| !says.is_empty()),
        table,
        accounts: shown,
        more,
    })
}

/// Accounts that claim strong interest only in the last days of the period.
fn young(crm: &Crm, window: Window) -> u64 {
    let claims = |account: &Account| {
        let strong = |n: &&StoredNote| n.reading.as_ref().and_then(|r| r.interest).map(Interest::level) >= Some(3);
        account.notes.iter().filter(strong).map(|n| n.note.written_at).collect::<Vec<_>>()
    };
    let young = |claims: &Vec<_>| !claims.is_empty() && !claims.iter().any(|at| window.leaves(SETTLING_DAYS, *at));
    crm.accounts.iter().map(claims).filter(young).count() as u64
}

/// The least and the largest share with nothing behind it that other readings of the hand labels give, this one's included.
fn otherwise(comparison: &ComparisonV1) -> Option<(f64, f64)> {
    let parts = comparison.relabelled.iter().flat_map(|run| &run.components);
    let others = parts.filter(|part| part.id == "commitment").filter_map(|part| Some(part.estimate?.estimate));
    let own = comparison.optimism.unbacked.rate;
    let others = others.collect::<Vec<_>>();
    let ends = others.iter().fold((own, own), |(low, high), other| (low.min(*other), high.max(*other)));
    (!others.is_empty()).then_some(ends)
}

/// Machine counts, for a report without a comparison.
fn own_numbers(crm: &Crm) -> OptimismV1 {
    let strong = crm.accounts.iter().filter(|a| a.interest >= Some(3)).collect::<Vec<_>>();
    let unbacked = strong.iter().filter(|a| a.given < 2).collect::<Vec<_>>();
    let never_asked = unbacked.iter().filter(|a| !a.asked).count() as u64;
    OptimismV1 {
        strong: strong.len() as u64,
        unbacked: words::machine_count(CountsV1 { hits: unbacked.len() as u64, of: strong.len() as u64 }),
        never_asked,
        asked_not_given: unbacked.len() as u64 - never_asked,
        unbacked_accounts: unbacked.iter().map(|a| a.id.clone()).collect(),
        split: None,
    }
}

/// How many words of its notes are marked as praise or fluff: the telling ones first.
fn marks(account: &Account) -> usize {
    account.notes.iter().filter_map(|n| n.reading.as_ref()).map(|r| r.compliments.len() + r.fluff.len()).sum()
}

/// The note with the strongest claim, most marks among equals.
pub(super) fn claiming_note(account: &Account) -> Option<(&StoredNote, &NoteReading)> {
    account
        .notes
        .iter()
        .filter_map(|n| Some((n, n.reading.as_ref()?)))
        .filter(|(_, r)| r.interest.is_some())
        .max_by_key(|(_, r)| (r.interest, r.compliments.len() + r.fluff.len()))
}

fn view(account: &Account) -> Option<UnbackedAccount> {
    let (stored, reading) = claiming_note(account)?;
    Some(UnbackedAccount {
        number: account.number,
        id: account.id.clone(),
        rep: account.rep.clone(),
        interest: words::interest(reading.interest.map(|i| i.level())),
        asked: account.asked,
        note: marked(stored, reading),
    })
}

fn marked(stored: &StoredNote, reading: &NoteReading) -> MarkedNote {
    let text = stored.note.text.as_str();
    let mut spans = Vec::new();
    let mut mark = |mark: Mark, evidence: &Evidence| spans.push((evidence.span().start(), evidence.span().end(), mark));
    reading.compliments.iter().for_each(|e| mark(Mark::Compliment, e));
    reading.fluff.iter().for_each(|e| mark(Mark::Fluff, e));
    for c in reading.commitments.iter().filter(|c| c.who == Giver::Buyer) {
        mark(if c.level < 2 { Mark::Intent } else { Mark::Commitment }, &c.evidence);
    }
    let (start, end) = stretch(text, spans.iter().map(|s| s.0).min());
    MarkedNote {
        id: stored.note.id.as_str().to_owned(),
        kind: stored.note.kind.as_str(),
        written_at: stored.note.written_at,
        pieces: pieces(text, start, end, &spans),
        cut_before: start > 0,
        cut_after: end < text.len(),
    }
}

/// The part of a note to show: all of it, or from a little before the first mark.
fn stretch(text: &str, first_mark: Option<usize>) -> (usize, usize) {
    if text.len() <= LONGEST {
        return (0, text.len());
    }
    let lead = first_mark.unwrap_or_default().saturating_sub(LEAD);
    let start = text.floor_char_boundary(lead.min(text.len() - LONGEST));
    let start = if start == 0 {
        0
    } else {
        text[..start].rfind(char::is_whitespace).map_or(0, |i| text.ceil_char_boundary(i + 1))
    };
    let end = text.floor_char_boundary((start + LONGEST).min(text.len()));
    let end =
        if end == text.len() { end } else { text[start..end].rfind(char::is_whitespace).map_or(end, |i| start + i) };
    (start, end)
}

/// Cuts `start..end` of `text` at every edge of a span. Where marks overlap the heavier one wins: commitment,
/// undated intent, fluff, compliment.
fn pieces(text: &str, start: usize, end: usize, spans: &[(usize, usize, Mark)]) -> Vec<Piece> {
    let mut edges = vec![start, end];
    edges.extend(spans.iter().flat_map(|&(from, to, _)| [from, to]).filter(|&e| e > start && e < end));
    edges.sort_unstable();
    edges.dedup();
    let mut pieces = Vec::<Piece>::new();
    for edge in edges.windows(2) {
        let (from, to) = (edge[0], edge[1]);
        let mark = spans.iter().filter(|&&(a, b, _)| a <= from && to <= b).map(|&(_, _, mark)| mark).max();
        match pieces.last_mut() {
            Some(last) if last.mark == mark => last.text.push_str(&text[from..to]),
            _ => pieces.push(Piece { text: text[from..to].to_owned(), mark }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_join_to_the_note_and_the_heavier_mark_wins() {
        let text = "Loved the demo, will pay on Friday, ok.";
        let spans = [(0, 14, Mark::Compliment), (10, 34, Mark::Fluff), (21, 34, Mark::Commitment)];
        let cut = pieces(text, 0, text.len(), &spans);
        assert_eq!(cut.iter().map(|p| p.text.as_str()).collect::<String>(), text);
        assert_eq!(
            cut.iter().map(|p| (p.text.as_str(), p.mark)).collect::<Vec<_>>(),
            [
                ("Loved the ", Some(Mark::Compliment)),
                ("demo, will ", Some(Mark::Fluff)),
                ("pay on Friday", Some(Mark::Commitment)),
                (", ok.", None),
            ]
        );
    }

    #[test]
    fn a_long_note_is_shown_around_its_marks() {
        let text = format!("{}loved it{}", "wörd ".repeat(300), " wörd".repeat(300));
        let first = text.find("loved").unwrap();
        let (start, end) = stretch(&text, Some(first));
        assert!(start < first && first + 8 < end && end - start <= LONGEST + LEAD);
        assert!(text.is_char_boundary(start) && text.is_char_boundary(end));
        assert_eq!(stretch("short", Some(2)), (0, 5));
    }
}
