//! Units: what is sorted into problems, one for each signal of the community and each claimed pain of the CRM.
//!
//! The one rule: what a unit looks like to the classifier (its [`Passage`]) does not tell which side it comes from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;

use super::cluster::Spoken;
use super::own::{own_names, without};
use super::terms::word_key;
use super::vectors::{Passage, Point};
use crate::model::id::content_hash;
use crate::model::{ActKind, Recipes, Span, Voice};
use crate::store::{Side, Store, StoredPain, StoredSignal};

/// Signals read from the store at a time.
const PAGE: i64 = 2_000;
/// Bytes of context kept before and after the words in question.
const CONTEXT: usize = 300;
/// Bytes of a quote, and of a title, that are looked at. No reader quotes more on purpose.
const LONGEST_QUOTE: usize = 2_000;
const LONGEST_TITLE: usize = 300;
/// Most units of one person or account that codebooks are built from, so that nobody writes a problem alone.
const PER_PERSON: usize = 20;

/// What a quote that is no complaint is worth beside one for saying what a problem is.
const ASIDE: f32 = 0.7;

/// Something somebody said that bears a problem.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// Where it was said.
    pub(super) side: Side,
    /// Signal id or claimed pain id.
    pub(super) id: String,
    /// Author or account.
    pub(super) who: String,
    /// Community name; empty for the CRM.
    pub(super) community: String,
    /// Thread or account.
    pub(super) conversation: String,
    /// Whether a codebook may be built from it (METHOD 3.1: first-hand only).
    pub(super) builds: bool,
    /// Whether it says what is wrong, and not what somebody asks for or does about it.
    pub(super) complains: bool,
    /// The words.
    pub(super) quote: String,
    /// The words without own names, as they are compared.
    pub(super) bare: String,
    /// The text before and after them.
    pub(super) around: String,
    /// Title of the conversation, maybe empty.
    pub(super) title: String,
}

impl Unit {
    /// As the classifier sees it.
    pub(super) fn passage(&self) -> Passage<'_> {
        Passage { quote: &self.bare, around: &self.around, title: &self.title }
    }

    /// Who said it.
    pub(super) fn speaker(&self) -> (Side, &str) {
        (self.side, &self.who)
    }

    /// `similarity` to its problem as its quote is weighed for saying what that problem is.
    pub(super) fn states(&self, similarity: f32) -> f32 {
        if self.complains { similarity } else { ASIDE * similarity }
    }

    /// As clustering sees it, at its place.
    pub(super) fn spoken<'a>(&'a self, point: &'a Point) -> Spoken<'a> {
        Spoken { at: &point.latent, who: &self.who, conversation: &self.conversation }
    }

    /// What decides which of several units with the same words stands for all.
    fn order(&self) -> [&str; 5] {
        [&self.around, &self.title, &self.who, &self.conversation, &self.id]
    }
}

/// How many people and accounts said `units`.
pub(super) fn people<'a>(units: impl IntoIterator<Item = &'a Unit>) -> usize {
    units.into_iter().map(Unit::speaker).collect::<BTreeSet<_>>().len()
}

/// Reads the units of both sides as they are compared, and how many signals were left out because they bear no problem or are
/// nobody's own.
pub(super) async fn gather(store: &Store, recipes: &Recipes) -> Result<(Vec<Unit>, u64)> {
    let (mut units, left_out) = read(store, recipes).await?;
    let names = own_names(&units);
    for unit in &mut units {
        unit.bare = without(&unit.quote, &names);
        unit.around = without(&unit.around, &names);
        unit.title = without(&unit.title, &names);
    }
    Ok((units, left_out))
}

/// The same as they were said, own names and all.
pub(super) async fn read(store: &Store, recipes: &Recipes) -> Result<(Vec<Unit>, u64)> {
    let titles = store.threads().await?.into_iter().map(|t| (t.id, t.title)).collect::<HashMap<_, _>>();
    let mut units = Vec::new();
    let mut left_out = 0;
    let mut after = String::new();
    loop {
        let page = store.signals(&recipes.post, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        last.signal.id.as_str().clone_into(&mut after);
        for stored in page {
            match signal_unit(&stored, titles.get(&stored.thread).map_or("", String::as_str)) {
                Some(unit) => units.push(unit),
                None => left_out += 1,
            }
        }
    }
    let pains = store.pains(&recipes.note, "").await?;
    if !pains.is_empty() {
        let notes = store.notes(&recipes.note).await?;
        let texts = notes.iter().map(|n| (n.note.id.as_str(), n.note.text.as_str())).collect::<HashMap<_, _>>();
        let mut by_note = BTreeMap::<&str, Vec<&StoredPain>>::new();
        for pain in &pains {
            by_note.entry(pain.note.as_str()).or_default().push(pain);
        }
        for (note, pains) in by_note {
            let text = texts.get(note).copied().unwrap_or_default();
            let spans = pains.iter().map(|p| p.pain.evidence.span()).collect::<Vec<_>>();
            units.extend(pains.iter().map(|pain| pain_unit(pain, text, &spans)));
        }
    }
    Ok((units, left_out))
}

/// Up to `limit` units to build from, in an order that depends on their words only: half from either side, or more from
/// one where the other has less; no words twice (METHOD 9.1: copies count as one).
pub(super) fn sample(units: &[Unit], limit: usize) -> Vec<&Unit> {
    let mut builders = units.iter().filter(|u| u.builds).map(|u| (word_key(&u.quote), u)).collect::<Vec<_>>();
    builders.retain(|(key, _)| !key.is_empty());
    builders.sort_by(|(a_key, a), (b_key, b)| (a_key, a.order()).cmp(&(b_key, b.order())));
    builders.dedup_by(|a, b| a.0 == b.0);
    // Hashed, so that a sample is not the beginning of the alphabet.
    builders.sort_by_cached_key(|(key, _)| content_hash(&[key]));
    let mut by_person = HashMap::<(Side, &str), usize>::new();
    builders.retain(|(_, u)| {
        let said = by_person.entry(u.speaker()).or_default();
        *said += 1;
        *said <= PER_PERSON
    });
    let (community, crm): (Vec<_>, Vec<_>) =
        builders.into_iter().map(|(_, u)| u).partition(|u| u.side == Side::Community);
    let half = limit / 2;
    let take_crm = crm.len().min(half.max(limit.saturating_sub(community.len())));
    let take_community = community.len().min(limit - take_crm);
    community.into_iter().take(take_community).chain(crm.into_iter().take(take_crm)).collect()
}

fn signal_unit(stored: &StoredSignal, title: &str) -> Option<Unit> {
    let signal = &stored.signal;
    let own = matches!(signal.voice, Voice::FirstHand | Voice::SecondHand);
    if !own || !signal.act.kind().bears_problem() {
        return None;
    }
    let span = signal.evidence.span();
    Some(Unit {
        side: Side::Community,
        id: signal.id.as_str().to_owned(),
        // Nobody knows whether two posts of deleted accounts are one person's, so each stands for itself.
        who: stored.author.as_ref().map_or(signal.post.as_str(), |a| a.as_str()).to_owned(),
        community: stored.community.clone(),
        conversation: stored.thread.clone(),
        builds: signal.voice == Voice::FirstHand,
        complains: signal.act.kind() == ActKind::Complaint,
        quote: head(signal.evidence.quote(), LONGEST_QUOTE).to_owned(),
        bare: String::new(),
        around: around(&stored.text, span, &[]),
        title: head(title, LONGEST_TITLE).to_owned(),
    })
}

fn pain_unit(pain: &StoredPain, text: &str, all: &[Span]) -> Unit {
    let evidence = &pain.pain.evidence;
    Unit {
        side: Side::Crm,
        id: pain.id.clone(),
        who: pain.account.as_str().to_owned(),
        community: String::new(),
        conversation: pain.account.as_str().to_owned(),
        builds: true,
        complains: true,
        quote: head(evidence.quote(), LONGEST_QUOTE).to_owned(),
        bare: String::new(),
        around: around(text, evidence.span(), all),
        title: String::new(),
    }
}

/// The text around `span`, without the words of `others`: one pain that a note claims says nothing about the next one,
/// while the acts of a post mostly speak of one thing.
fn around(text: &str, span: Span, others: &[Span]) -> String {
    let before = tail(text.get(..span.start()).unwrap_or_default(), CONTEXT);
    let after = head(text.get(span.end()..).unwrap_or_default(), CONTEXT);
    let window = span.start() - before.len()..span.end() + after.len();
    let others = others.iter().filter(|o| o.start() < window.end && window.start < o.end()).collect::<Vec<_>>();
    let mut context = String::with_capacity(before.len() + after.len() + 6);
    for (part, offset) in [(before, span.start() - before.len()), (after, span.end())] {
        let masked = |at: usize| others.iter().any(|o| o.range().contains(&at));
        context.extend(part.char_indices().map(|(at, c)| if masked(offset + at) { ' ' } else { c }));
        // Words before and after the quote are no neighbours.
        context.push_str(" . ");
    }
    context
}

/// The first `bytes` of `text` at most.
pub(super) fn head(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

fn tail(text: &str, bytes: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(bytes))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(side: Side, who: &str, quote: &str) -> Unit {
        Unit {
            side,
            id: content_hash(&[who, quote]),
            who: who.to_owned(),
            community: String::new(),
            conversation: who.to_owned(),
            builds: true,
            complains: true,
            quote: quote.to_owned(),
            bare: quote.to_owned(),
            around: String::new(),
            title: String::new(),
        }
    }

    #[test]
    fn the_context_has_neither_the_quote_nor_other_pains() {
        let text = "ünter them, the roof leaks. Also the door sticks, and the lamp flickers.";
        let span = |words: &str| {
            let at = text.find(words).unwrap();
            Span::new(text, at, at + words.len()).unwrap()
        };
        let [roof, door] = [span("the roof leaks"), span("the door sticks")];
        let alone = around(text, roof, &[]);
        assert!(!alone.contains("roof") && alone.contains("door"), "{alone}");
        let masked = around(text, roof, &[roof, door]);
        assert!(!masked.contains("door") && masked.contains("lamp"), "{masked}");
        assert!(
            around(&"é".repeat(2_000), Span::new("é".repeat(2_000).as_str(), 2_000, 2_002).unwrap(), &[]).len() < 700
        );
    }

    #[test]
    fn a_sample_takes_both_sides_and_fills_up_from_the_larger_one() {
        let mut units =
            (0..50).map(|i| unit(Side::Community, &format!("a{i}"), &format!("words {i} x"))).collect::<Vec<_>>();
        units.extend((0..5).map(|i| unit(Side::Crm, &format!("c{i}"), &format!("note {i} y"))));
        let count = |limit, side| sample(&units, limit).iter().filter(|u| u.side == side).count();
        assert_eq!((count(20, Side::Community), count(20, Side::Crm)), (15, 5));
        assert_eq!((count(4, Side::Community), count(4, Side::Crm)), (2, 2));
        assert_eq!((count(1_000, Side::Community), count(1_000, Side::Crm)), (50, 5));
        assert!(sample(&[], 10).is_empty());
    }

    #[test]
    fn copies_second_hand_words_and_floods_do_not_build() {
        let mut units = vec![unit(Side::Community, "a", "It broke."), unit(Side::Community, "b", "it  BROKE")];
        units.push(Unit { builds: false, ..unit(Side::Community, "c", "his broke too") });
        units.push(unit(Side::Community, "d", "!!!"));
        assert_eq!(sample(&units, 10).len(), 1);
        let flood = (0..500).map(|i| unit(Side::Community, "one", &format!("rant {i}"))).collect::<Vec<_>>();
        assert_eq!(sample(&flood, 1_000).len(), PER_PERSON);
    }
}
