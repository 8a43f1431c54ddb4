//! Quotes: which to show, and what to show around them.
//!
//! The rule: the words are always a slice of the text they come from. A long quote is shortened by cutting a shorter slice,
//! never by editing. Memory is bounded: however many quotes are offered, a shortlist keeps a few dozen.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::view::{Origin, QuoteId, QuoteView};
use crate::model::Evidence;

/// Bytes of context on either side.
const CONTEXT: usize = 110;
/// Longest quote shown, bytes.
const LONGEST: usize = 420;
/// How many candidates a shortlist keeps: enough to choose different communities and threads from.
pub(super) const KEPT: usize = 48;

/// Cuts a quote with its surroundings out of `text`.
pub(super) fn quote(text: &str, evidence: &Evidence, written_at: Option<jiff::Timestamp>, origin: Origin) -> QuoteView {
    let (start, whole_end) = (evidence.span().start(), evidence.span().end());
    let end = if whole_end - start > LONGEST { word_end(text, start + LONGEST, start) } else { whole_end };
    let from = word_start(text, start.saturating_sub(CONTEXT), start);
    let to = word_end(text, (end + CONTEXT).min(text.len()), end);
    QuoteView {
        start,
        end,
        text: text[start..end].to_owned(),
        before: text[from..start].to_owned(),
        after: text[end..to].to_owned(),
        cut_before: from > 0,
        cut_after: to < text.len(),
        written_at,
        origin,
    }
}

/// The first word that begins at or after `at`; at most `limit`.
fn word_start(text: &str, at: usize, limit: usize) -> usize {
    let at = text.ceil_char_boundary(at);
    if at == 0 || at >= limit {
        return at.min(limit);
    }
    text[at..limit].find(char::is_whitespace).map_or(at, |i| text.ceil_char_boundary(at + i + 1)).min(limit)
}

/// The last word that ends at or before `at`; more than `limit`, or as far as a whole character allows.
fn word_end(text: &str, at: usize, limit: usize) -> usize {
    let at = text.floor_char_boundary(at);
    if at >= text.len() || at <= limit {
        return at.max(limit);
    }
    match text[limit..at].rfind(char::is_whitespace) {
        Some(i) if i > 0 => limit + i,
        _ => at,
    }
}

/// How well a quote reads by itself, 0 to 1: a sentence or two, neither a stub nor a page.
pub(super) fn readable(quote: &str) -> f64 {
    match quote.chars().count() {
        70..=200 => 1.0,
        45..70 => 0.85,
        25..45 | 201..=320 => 0.6,
        12..25 | 321..=600 => 0.3,
        _ => 0.0,
    }
}

/// A quote that may be shown.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The person or account it comes from.
    pub(super) unit: u32,
    /// Higher is better.
    pub(super) rank: f64,
    /// Breaks ties, so that the order of reading does not matter.
    pub(super) key: String,
    /// What should differ between two quotes shown together: the community.
    pub(super) group: String,
    /// The quote.
    pub(super) quote: QuoteView,
}

impl Candidate {
    fn order(&self, other: &Self) -> Ordering {
        other.rank.total_cmp(&self.rank).then_with(|| self.key.cmp(&other.key))
    }
}

/// The best few of any number of quotes, one of each person or account.
#[derive(Debug, Clone, Default)]
pub(super) struct Shortlist {
    best: Vec<Candidate>,
}

impl Shortlist {
    /// Considers a quote. `make` runs only when it has a chance.
    pub(super) fn offer(&mut self, unit: u32, rank: f64, key: &str, make: impl FnOnce() -> (String, QuoteView)) {
        let better = |c: &Candidate| rank.total_cmp(&c.rank).then_with(|| c.key.as_str().cmp(key)).is_gt();
        if let Some(known) = self.best.iter().position(|c| c.unit == unit) {
            if !better(&self.best[known]) {
                return;
            }
            self.best.swap_remove(known);
        } else if self.best.len() >= KEPT {
            let Some(worst) = (0..self.best.len()).max_by(|&a, &b| self.best[a].order(&self.best[b])) else { return };
            if !better(&self.best[worst]) {
                return;
            }
            self.best.swap_remove(worst);
        }
        let (group, quote) = make();
        self.best.push(Candidate { unit, rank, key: key.to_owned(), group, quote });
    }

    /// Up to `n` quotes, best first: the best of each group before a second one of any, and no words twice.
    pub(super) fn pick(mut self, n: usize) -> Vec<QuoteView> {
        self.best.sort_by(Candidate::order);
        let mut words = BTreeSet::new();
        self.best
            .retain(|c| words.insert(c.quote.text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()));
        let mut seen = BTreeMap::<String, usize>::new();
        let mut turns = self
            .best
            .into_iter()
            .map(|c| {
                let turn = seen.entry(c.group.clone()).or_default();
                *turn += 1;
                (*turn, c)
            })
            .collect::<Vec<_>>();
        // Stable: within one turn the best stays first.
        turns.sort_by_key(|(turn, _)| *turn);
        turns.into_iter().take(n).map(|(_, c)| c.quote).collect()
    }
}

/// Gives every quote that is shown its number. A quote that is shown twice keeps its first one.
#[derive(Debug, Default)]
pub(super) struct QuoteBook {
    quotes: Vec<QuoteView>,
    known: BTreeMap<(String, usize, usize), QuoteId>,
}

impl QuoteBook {
    /// The quote's id in this report.
    pub(super) fn add(&mut self, quote: QuoteView) -> QuoteId {
        let item = match &quote.origin {
            Origin::Post { post, .. } => format!("p{post}"),
            Origin::Note { note, .. } => format!("n{note}"),
        };
        let next = QuoteId(self.quotes.len());
        let id = *self.known.entry((item, quote.start, quote.end)).or_insert(next);
        if id == next {
            self.quotes.push(quote);
        }
        id
    }

    /// All of them, in order.
    pub(super) fn into_quotes(self) -> Vec<QuoteView> {
        self.quotes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Fit, Span};

    fn cut(text: &str, start: usize, end: usize) -> QuoteView {
        let evidence = Evidence::cut(text, Span::new(text, start, end).unwrap(), Fit::Exact).unwrap();
        quote(text, &evidence, None, post("p"))
    }

    fn post(id: &str) -> Origin {
        Origin::Post { post: id.to_owned(), community: String::new(), author: None, voice: "", act: "", link: None }
    }

    #[test]
    fn context_is_whole_words_on_both_sides() {
        let text = format!("{} the sync doubles invoices {}", "before ".repeat(40), "after ".repeat(40));
        let start = text.find("the sync").unwrap();
        let q = cut(&text, start, start + "the sync doubles invoices".len());
        assert_eq!(q.text, "the sync doubles invoices");
        assert!(q.before.starts_with("before") && q.before.len() <= CONTEXT);
        assert!(q.after.ends_with("after") && q.after.len() <= CONTEXT);
        assert!(q.cut_before && q.cut_after);
    }

    proptest! {
        #[test]
        fn whatever_the_text_the_pieces_are_its_slices(text in "\\PC{1,900}", a in 0usize..900, b in 0usize..900) {
            let (start, end) = (text.floor_char_boundary(a.min(b)), text.ceil_char_boundary(a.max(b)));
            prop_assume!(start < end);
            let q = cut(&text, start, end);
            prop_assert_eq!(text.get(q.start..q.end), Some(q.text.as_str()));
            prop_assert!(!q.text.is_empty() && q.end <= end);
            let around = format!("{}{}{}", q.before, q.text, q.after);
            prop_assert!(text.contains(&around));
            prop_assert!(q.cut_after || text.ends_with(&around));
            prop_assert!(q.cut_before || text.starts_with(&around));
        }
    }

    #[test]
    fn a_shortlist_shows_every_community_before_it_repeats_one() {
        let mut list = Shortlist::default();
        for (unit, group, rank) in [(1, "a", 0.9), (2, "a", 0.8), (3, "b", 0.1), (1, "b", 0.95)] {
            let text = format!("words of {unit} in {group}");
            list.offer(unit, rank, &unit.to_string(), || (group.to_owned(), cut(&text, 0, text.len())));
        }
        let texts = list.pick(3).into_iter().map(|q| q.text).collect::<Vec<_>>();
        assert_eq!(texts, ["words of 1 in b", "words of 2 in a", "words of 3 in b"], "one person has one quote");
    }

    #[test]
    fn a_shortlist_stays_short_and_ignores_the_order_of_reading() {
        let offer = |units: &mut dyn Iterator<Item = u32>| {
            let mut list = Shortlist::default();
            for unit in units {
                let text = format!("quote {unit}");
                list.offer(unit, f64::from(unit % 7), &format!("{unit:05}"), || {
                    (String::new(), cut(&text, 0, text.len()))
                });
            }
            assert!(list.best.len() <= KEPT);
            list.pick(20)
        };
        assert_eq!(offer(&mut (0..2_000)), offer(&mut (0..2_000).rev()));
    }
}
