//! Names: what a cluster is called, by its own words. The one rule: a name, a term and a statement hold nothing that the
//! texts do not say.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::phrase;
use super::terms::is_place;
use super::vectors::Space;
use crate::model::ProblemId;
use crate::model::id::content_hash;
use crate::text::alone::stands_alone;

/// Terms kept for a problem.
const TERMS: usize = 10;
/// Most terms, and most words, in a name.
const NAME_TERMS: usize = 3;
const NAME_WORDS: usize = 5;
/// Strongest terms among which pairs go first in a name.
const PAIRS_AMONG: usize = 6;
/// Strongest terms that make the id.
const ID_TERMS: usize = 5;
/// How much of its worth a quote loses that says nothing of what its problem is called by.
const CALLED: f32 = 0.7;
/// What the people of a group say more than others do.
#[derive(Debug, Default)]
pub(super) struct Typical {
    /// The strongest terms, strongest first.
    pub(super) terms: Vec<u32>,
    /// By stem of every term that several of them say: how typical it is, the strongest 1.
    pub(super) weights: HashMap<String, f32>,
}

/// The strongest terms of each group of (who, words), by class-based TF-IDF (Grootendorst 2022): terms that many people of
/// the group say and few of the others.
///
/// A term counts once a person, so that nobody names a problem alone; one that only one person says comes last. Of equals,
/// the first in the alphabet comes first.
pub(super) fn typical_terms(space: &Space, groups: &[Vec<(&str, &str)>]) -> Vec<Typical> {
    let counts = groups
        .iter()
        .map(|said| {
            let mut by = BTreeMap::<u32, BTreeSet<&str>>::new();
            for (who, words) in said {
                for term in space.known_terms(words) {
                    by.entry(term).or_default().insert(who);
                }
            }
            by.into_iter().map(|(term, people)| (term, people.len() as f32)).collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
    let mut everywhere = vec![0.0_f32; space.len()];
    for (term, count) in counts.iter().flatten() {
        everywhere[*term as usize] += count;
    }
    let average = everywhere.iter().sum::<f32>() / groups.len().max(1) as f32;
    let weight = |term: u32, count: f32| count * (1.0 + average / everywhere[term as usize]).ln();
    counts
        .into_iter()
        .map(|counts| {
            let ranked = counts.into_iter().map(|(term, count)| (count > 1.0, weight(term, count), term));
            let mut ranked = ranked.collect::<Vec<_>>();
            ranked.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
            let most = ranked.first().map_or(1.0, |(_, weight, _)| *weight);
            let common = ranked.iter().filter(|(common, ..)| *common);
            let weights = common.map(|(_, weight, term)| (space.stem(*term).to_owned(), weight / most)).collect();
            Typical { terms: ranked.into_iter().map(|(.., term)| term).take(TERMS).collect(), weights }
        })
        .collect()
}

/// A name of two to five words (fewer only when the terms hold no more), from terms with the strongest first. Two words that
/// stand together say more than either, so pairs come first; no word stands in it twice.
pub(super) fn name(space: &Space, terms: &[u32]) -> String {
    let surfaces = terms.iter().map(|&t| space.surface(t)).collect::<Vec<_>>();
    let pairs = surfaces.iter().take(PAIRS_AMONG).filter(|s| s.contains(' '));
    let mut parts = Vec::<&str>::new();
    let mut used = Vec::<&str>::new();
    for surface in pairs.chain(&surfaces) {
        let words = surface.split(' ').collect::<Vec<_>>();
        // `on call` is a topic, but `on screen` or `found on` are none, and a name cannot tell.
        let loose = words.iter().any(|w| is_place(w));
        let repeats = words.iter().any(|w| used.iter().any(|u| related(u, w)));
        if loose || repeats || used.len() + words.len() > NAME_WORDS {
            continue;
        }
        used.extend(words);
        parts.push(surface);
        if parts.len() == NAME_TERMS {
            break;
        }
    }
    parts.join(", ")
}

/// An id that depends on the strongest terms only. `taken` ids are avoided by taking in more terms.
pub(super) fn id(space: &Space, terms: &[u32], taken: &BTreeSet<ProblemId>) -> ProblemId {
    let hashed = |count: usize| {
        let mut strongest = terms.iter().take(count).map(|&t| space.stem(t)).collect::<Vec<_>>();
        strongest.sort_unstable();
        ProblemId::new(format!("p_{}", &content_hash(&strongest)[..8]))
    };
    // Past the last term the count itself tells two problems with all the same terms apart.
    let further = (1..).map(|n: usize| ProblemId::new(format!("{}_{n}", hashed(TERMS))));
    let candidates = (ID_TERMS..=TERMS).map(hashed).chain(further);
    candidates.into_iter().find(|id| !taken.contains(id)).unwrap_or_else(|| hashed(TERMS))
}

/// The most typical of `quotes` that makes sense alone: similarity to the problem, less for one that does not stand alone or
/// does not speak of what the problem is called by. `None` without quotes.
pub(super) fn statement<'a>(name: &str, quotes: impl IntoIterator<Item = (&'a str, f32)>) -> Option<&'a str> {
    let called = phrase::topics(name);
    quotes
        .into_iter()
        .map(|(quote, similarity)| (similarity * worth(&called, quote), quote))
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, quote)| quote)
}

/// What a quote is worth to a reader who knows the topics that a problem is `called` by, in 0..=1.
pub(super) fn worth(called: &BTreeSet<String>, quote: &str) -> f32 {
    let said = phrase::topics(quote);
    let share = if called.is_empty() { 0.0 } else { called.intersection(&said).count() as f32 / called.len() as f32 };
    stands_alone(quote) * (1.0 - CALLED + CALLED * share)
}

/// Whether two words would read as one said twice.
fn related(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let stem = short.strip_suffix(['e', 's', 'y']).unwrap_or(short);
    stem.len() >= 3 && long.starts_with(stem)
}

#[cfg(test)]
mod tests {
    use super::super::vectors::Passage;
    use super::*;

    /// Each quote by somebody else.
    fn said<'a>(quotes: &[&'a str]) -> Vec<(&'a str, &'a str)> {
        quotes.iter().enumerate().map(|(i, quote)| (["a", "b", "c"][i], *quote)).collect()
    }

    fn named(groups: &[Vec<&str>]) -> Vec<(String, ProblemId)> {
        let passages = groups.iter().flatten().map(|q| Passage::bare(q)).collect::<Vec<_>>();
        let groups = groups.iter().map(|quotes| said(quotes)).collect::<Vec<_>>();
        let space = Space::fit(&[], &passages, None, 1);
        let none = BTreeSet::new();
        typical_terms(&space, &groups).iter().map(|t| (name(&space, &t.terms), id(&space, &t.terms, &none))).collect()
    }

    #[test]
    fn a_name_is_made_of_what_sets_the_group_apart() {
        let groups = vec![
            vec!["the printer jams on thick paper", "printer jams again", "my printer is jammed by paper"],
            vec!["the scanner misses pages on paper", "scanner misses a page", "every scanner misses pages"],
        ];
        let names = named(&groups);
        assert!(names[0].0.contains("printer") && names[1].0.contains("scanner"), "{names:?}");
        for (name, id) in &names {
            assert!((2..=4).contains(&name.split_whitespace().count()), "{name}");
            assert!(id.as_str().starts_with("p_") && id.as_str().len() == 10, "{id}");
        }
        assert_ne!(names[0].1, names[1].1);
    }

    #[test]
    fn words_are_readable_and_not_said_twice() {
        let groups = vec![vec!["batteries drain", "batteries drain fast", "the batteries drained"]];
        let (name, _) = &named(&groups)[0];
        assert_eq!(name.matches("batter").count(), 1, "{name}");
        assert!(!name.contains("batteri,"), "a stem is no word: {name}");
    }

    #[test]
    fn a_taken_id_is_avoided() {
        let quotes = ["alpha beta gamma", "alpha beta gamma"];
        let space = Space::fit(&[], &quotes.map(Passage::bare), None, 1);
        let terms = typical_terms(&space, &[said(&quotes)]).remove(0).terms;
        let mut taken = BTreeSet::new();
        for _ in 0..10 {
            assert!(taken.insert(id(&space, &terms, &taken)));
        }
    }

    #[test]
    fn a_statement_stands_alone_and_speaks_of_what_the_problem_is_called_by() {
        let better = "The printer stops after every second page of labels.";
        for worse in [
            "printer",
            "and it stops after every second page of labels.",
            "My screen goes dark after two pages of text.",
        ] {
            assert_eq!(statement("Printer stops", [(worse, 0.5), (better, 0.5)]), Some(better));
            assert_eq!(statement("Printer stops", [(better, 0.5), (worse, 0.5)]), Some(better));
        }
        assert_eq!(statement("", []), None);
    }
}
