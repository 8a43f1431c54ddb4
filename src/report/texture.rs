//! What a problem is like to live with, slot by slot: who has it, how often, what it costs (METHOD 1.3).
//!
//! A slot belongs to the problem that its post is about; where a post is about several, to the one whose words stand
//! nearest. One person counts once per unit of cost, with the median of what they state. Nothing is inferred.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

use super::community::{Heard, post_quote};
use super::quotes::{self, QuoteBook, Shortlist};
use super::view::{CostView, Count, SlotView, Stated, TextureView};
use super::words;
use crate::model::{Recipe, Slot, SlotValue, Span, TextureSlot};
use crate::store::{Store, StoredSignal};

/// Values of one kind that are listed.
const LISTED: usize = 5;
/// Quotes shown per unit of cost.
const COST_QUOTES: usize = 3;
/// Quotes and values shown per slot.
const SLOT_QUOTES: usize = 2;
const SLOT_VALUES: usize = 3;

/// The filled slots of every post, waiting for the problem they belong to.
pub(super) struct PostSlots {
    posts: BTreeMap<String, Waiting>,
}

#[derive(Default)]
struct Waiting {
    slots: Vec<TextureSlot>,
    /// Where in the post a problem is spoken of.
    problems: Vec<(Span, usize)>,
    /// Who wrote it, and the post itself, which the slots are quoted from.
    person: Option<u32>,
    post: Option<StoredSignal>,
}

impl PostSlots {
    /// Reads what `recipe` filled.
    pub(super) async fn read(store: &Store, recipe: &Recipe) -> Result<Self> {
        let mut posts = BTreeMap::<String, Waiting>::new();
        for (post, author, slot) in store.texture(recipe).await.context("could not read the texture of posts")? {
            if author.is_some() {
                posts.entry(post.as_str().to_owned()).or_default().slots.push(slot);
            }
        }
        Ok(Self { posts })
    }

    /// Notes that `person` speaks of problem `index` in this post.
    pub(super) fn meet(&mut self, stored: &StoredSignal, person: u32, index: usize) {
        let Some(waiting) = self.posts.get_mut(stored.signal.post.as_str()) else { return };
        waiting.problems.push((stored.signal.evidence.span(), index));
        waiting.person = Some(person);
        if waiting.post.is_none() {
            waiting.post = Some(stored.clone());
        }
    }

    /// Hands every slot to its problem.
    pub(super) fn settle(self, problems: &mut [Heard]) {
        for (id, waiting) in self.posts {
            let Some(person) = waiting.person else { continue };
            for slot in &waiting.slots {
                let nearest =
                    waiting.problems.iter().min_by_key(|(span, i)| (distance(*span, slot.evidence.span()), *i));
                if let Some((_, index)) = nearest {
                    problems[*index].texture.take(slot, person, &id, waiting.post.as_ref());
                }
            }
        }
    }
}

/// Bytes between two spans; 0 when they touch.
fn distance(a: Span, b: Span) -> usize {
    a.start().saturating_sub(b.end()).max(b.start().saturating_sub(a.end()))
}

/// What is known of one problem's texture. All sets hold people.
#[derive(Default)]
pub(super) struct Texture {
    roles: BTreeMap<String, BTreeSet<u32>>,
    frequency: BTreeMap<String, BTreeSet<u32>>,
    costs: BTreeMap<CostUnit, Cost>,
    slots: BTreeMap<Slot, Filled>,
}

/// What fills one slot.
#[derive(Default)]
struct Filled {
    people: BTreeSet<u32>,
    values: BTreeMap<String, BTreeSet<u32>>,
    quotes: Shortlist,
}

/// What amounts have to share to be pooled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct CostUnit {
    unit: String,
    period: Option<String>,
    already_paid: bool,
}

#[derive(Default)]
struct Cost {
    values: BTreeMap<u32, Vec<f64>>,
    quotes: Shortlist,
}

impl Texture {
    fn take(&mut self, slot: &TextureSlot, person: u32, post: &str, stored: Option<&StoredSignal>) {
        if let (Slot::ActorRole, role) = (slot.slot, role(slot.evidence.quote())) {
            self.roles.entry(role).or_default().insert(person);
        }
        if let (Slot::Frequency, SlotValue::Frequency { rate, vague }) = (slot.slot, &slot.value) {
            self.frequency.entry(often(rate, *vague).to_owned()).or_default().insert(person);
        }
        let Some(stored) = stored else { return };
        let key = format!("{post} {}", slot.evidence.span().start());
        let rank = quotes::readable(slot.evidence.quote());
        let filled = self.slots.entry(slot.slot).or_default();
        filled.people.insert(person);
        if let Some(value) = value(slot) {
            filled.values.entry(value).or_default().insert(person);
        }
        filled.quotes.offer(person, rank, &key, || (key.clone(), post_quote(stored, &slot.evidence)));
        let Some((unit, value)) = cost(slot) else { return };
        let entry = self.costs.entry(unit).or_default();
        entry.values.entry(person).or_default().push(value);
        entry.quotes.offer(person, rank, &key, || (key.clone(), post_quote(stored, &slot.evidence)));
    }

    /// Who has it.
    pub(super) fn roles(&self) -> Stated {
        stated(&self.roles)
    }

    /// How often it bites.
    pub(super) fn frequency(&self) -> Stated {
        stated(&self.frequency)
    }

    /// Every slot with the people who fill it, and their words.
    pub(super) fn slots(&mut self, book: &mut QuoteBook) -> TextureView {
        let mut filled = std::mem::take(&mut self.slots);
        let by = filled.values().flat_map(|f| &f.people).collect::<BTreeSet<_>>().len() as u64;
        let slots = Slot::ALL.into_iter().map(|slot| {
            let Filled { people, values, quotes } = filled.remove(&slot).unwrap_or_default();
            SlotView {
                slot,
                people: people.len() as u64,
                values: counts(&values, SLOT_VALUES),
                quotes: quotes.pick(SLOT_QUOTES).into_iter().map(|q| book.add(q)).collect(),
            }
        });
        TextureView { by, slots: slots.collect() }
    }

    /// What it costs, by unit, the unit that most people state first.
    pub(super) fn costs(&mut self, book: &mut QuoteBook) -> Vec<CostView> {
        let mut costs = Vec::new();
        for (unit, cost) in std::mem::take(&mut self.costs) {
            let mut values = cost.values.into_values().filter_map(median).collect::<Vec<_>>();
            values.sort_by(f64::total_cmp);
            let people = values.len() as u64;
            let (Some(&low), Some(&high), Some(median)) = (values.first(), values.last(), median(values.clone()))
            else {
                continue;
            };
            let quotes = cost.quotes.pick(COST_QUOTES);
            let CostUnit { unit, period, already_paid } = unit;
            let view = CostView { unit, period, already_paid, people, median, low, high, quotes: Vec::new() };
            costs.push((view, quotes));
        }
        // Stable: equally many people leave the units in their own order.
        costs.sort_by_key(|(cost, _)| std::cmp::Reverse(cost.people));
        costs.truncate(LISTED);
        costs
            .into_iter()
            .map(|(cost, quotes)| CostView { quotes: quotes.into_iter().map(|q| book.add(q)).collect(), ..cost })
            .collect()
    }
}

/// A cost as unit and value; `None` for a slot that states none.
fn cost(slot: &TextureSlot) -> Option<(CostUnit, f64)> {
    let unit = |unit: &str, per: Option<&str>| CostUnit {
        unit: unit.to_owned(),
        period: per.map(|per| format!("a {per}")),
        already_paid: slot.slot == Slot::AlreadyPays,
    };
    let (unit, value) = match (slot.slot, &slot.value) {
        (Slot::CostTime, SlotValue::Hours { per_month: Some(hours), .. }) => (unit("hours", Some("month")), *hours),
        (Slot::CostTime, SlotValue::Hours { low, high, .. }) => (unit("hours", None), (low + high) / 2.0),
        (Slot::CostMoney | Slot::AlreadyPays, SlotValue::Money { amount, currency, per }) => {
            (unit(currency, per.as_deref()), *amount)
        }
        _ => return None,
    };
    value.is_finite().then_some((unit, value))
}

/// What a slot states, where equal statements may be counted together; `None` where only the words tell.
fn value(slot: &TextureSlot) -> Option<String> {
    match &slot.value {
        SlotValue::Text if slot.slot == Slot::ActorRole => Some(role(slot.evidence.quote())),
        SlotValue::Text if slot.slot == Slot::ToolsInvolved => Some(slot.evidence.quote().trim().to_owned()),
        SlotValue::Frequency { rate, vague } => Some(often(rate, *vague).to_owned()),
        SlotValue::Months { months } => Some(match words::quantity(*months) {
            months if months == "1" => "1 month".to_owned(),
            months => format!("{months} months"),
        }),
        SlotValue::Intensity { level } => Some(words::intensity(*level).to_owned()),
        SlotValue::Stakes { kind } => Some(words::stake(*kind).to_owned()),
        _ => None,
    }
}

fn often(rate: &str, vague: bool) -> &str {
    if vague { "always, without a number" } else { rate }
}

/// A role without its article, so that "the dispatcher" and "a dispatcher" are one.
fn role(words: &str) -> String {
    let lower = words.trim().to_lowercase();
    let bare = ["a ", "an ", "the ", "our ", "my "].iter().find_map(|article| lower.strip_prefix(article));
    bare.unwrap_or(&lower).to_owned()
}

fn stated(values: &BTreeMap<String, BTreeSet<u32>>) -> Stated {
    let by = values.values().flatten().collect::<BTreeSet<_>>().len() as u64;
    Stated { by, values: counts(values, LISTED) }
}

/// The `n` values with most people.
pub(super) fn counts(values: &BTreeMap<String, BTreeSet<u32>>, n: usize) -> Vec<Count> {
    let mut counts = values
        .iter()
        .map(|(label, people)| Count { label: label.clone(), people: people.len() as u64 })
        .collect::<Vec<_>>();
    counts.sort_by(|a, b| b.people.cmp(&a.people).then_with(|| a.label.cmp(&b.label)));
    counts.truncate(n);
    counts
}

/// The middle value, or the mean of the two middle ones.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    Some(if values.len() % 2 == 1 { upper } else { (values[middle - 1] + upper) / 2.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Evidence, Fit};

    fn slot(slot: Slot, words: &str, value: SlotValue) -> TextureSlot {
        let evidence = Evidence::cut(words, Span::new(words, 0, words.len()).unwrap(), Fit::Exact).unwrap();
        TextureSlot { slot, evidence, value }
    }

    #[test]
    fn the_median_is_over_people() {
        for (values, expected) in
            [(vec![], None), (vec![3.0], Some(3.0)), (vec![9.0, 1.0], Some(5.0)), (vec![9.0, 1.0, 2.0], Some(2.0))]
        {
            assert_eq!(median(values), expected);
        }
    }

    #[test]
    fn amounts_of_different_periods_are_never_pooled() {
        let hours = |per_month| SlotValue::Hours { low: 2.0, high: 4.0, per: None, per_month };
        let pounds = |per: Option<&str>| SlotValue::Money {
            amount: 30.0,
            currency: "£".to_owned(),
            per: per.map(str::to_owned),
        };
        let unit = |unit: &str, period: Option<&str>, already_paid| CostUnit {
            unit: unit.to_owned(),
            period: period.map(str::to_owned),
            already_paid,
        };
        for (slot, expected) in [
            (slot(Slot::CostTime, "x", hours(Some(12.0))), Some((unit("hours", Some("a month"), false), 12.0))),
            (slot(Slot::CostTime, "x", hours(None)), Some((unit("hours", None, false), 3.0))),
            (slot(Slot::CostMoney, "x", pounds(Some("month"))), Some((unit("£", Some("a month"), false), 30.0))),
            (slot(Slot::CostMoney, "x", pounds(None)), Some((unit("£", None, false), 30.0))),
            (slot(Slot::AlreadyPays, "x", pounds(None)), Some((unit("£", None, true), 30.0))),
            (slot(Slot::ActorRole, "x", SlotValue::Text), None),
        ] {
            assert_eq!(cost(&slot), expected);
        }
    }

    #[test]
    fn only_what_can_be_equal_is_counted_together() {
        let months = |months| SlotValue::Months { months };
        for (slot, expected) in [
            (slot(Slot::ActorRole, "The dispatcher", SlotValue::Text), Some("dispatcher")),
            (slot(Slot::ToolsInvolved, "Excel ", SlotValue::Text), Some("Excel")),
            (slot(Slot::Duration, "x", months(1.0)), Some("1 month")),
            (slot(Slot::Duration, "x", months(18.0)), Some("18 months")),
            (
                slot(Slot::Frequency, "x", SlotValue::Frequency { rate: "daily".to_owned(), vague: false }),
                Some("daily"),
            ),
            (slot(Slot::TriggerSituation, "at month end", SlotValue::Text), None),
        ] {
            assert_eq!(value(&slot).as_deref(), expected);
        }
    }

    #[test]
    fn a_role_is_one_with_and_without_its_article() {
        assert_eq!(role("The dispatcher"), role("a dispatcher "));
    }
}
