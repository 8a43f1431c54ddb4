//! Names: what a cluster is called, by its own words. The one rule: a name, a term and a statement hold nothing that the
//! texts do not say.

use std::collections::{BTreeMap, BTreeSet};

use super::terms::{is_stop, word_key};
use super::vectors::Space;
use crate::model::ProblemId;
use crate::model::id::content_hash;

/// Terms kept for a problem.
const TERMS: usize = 10;
/// Most terms, and most words, in a name.
const NAME_TERMS: usize = 3;
const NAME_WORDS: usize = 4;
/// Strongest terms that make the id.
const ID_TERMS: usize = 5;
/// Words of a statement that a reader takes in at once and that can stand alone.
const STATEMENT_WORDS: std::ops::RangeInclusive<usize> = 6..=30;

/// Words that refer to what was said before, when a quote begins with them.
const DANGLING: &[&str] = &[
    "and", "but", "so", "or", "which", "that", "thats", "this", "it", "its", "they", "them", "he", "she", "then",
    "also", "because", "who", "whose", "where", "yes", "yeah", "no", "nope", "same", "these", "those", "than",
    "except", "plus",
];

/// The strongest terms of each group of quotes, by class-based TF-IDF (Grootendorst 2022): terms that stand in many
/// quotes of the group and in few of the others.
///
/// A term counts once a quote. Of equals, the first in the alphabet comes first.
pub(super) fn typical_terms(space: &Space, groups: &[Vec<&str>]) -> Vec<Vec<u32>> {
    let counts = groups
        .iter()
        .map(|quotes| {
            let mut counts = BTreeMap::<u32, f32>::new();
            for quote in quotes {
                for term in space.known_terms(quote).collect::<BTreeSet<_>>() {
                    *counts.entry(term).or_default() += 1.0;
                }
            }
            counts
        })
        .collect::<Vec<_>>();
    let mut everywhere = vec![0.0_f32; space.len()];
    for (&term, count) in counts.iter().flatten() {
        everywhere[term as usize] += count;
    }
    let average = everywhere.iter().sum::<f32>() / groups.len().max(1) as f32;
    let weight = |term: u32, count: f32| count * (1.0 + average / everywhere[term as usize]).ln();
    counts
        .into_iter()
        .map(|counts| {
            let mut ranked = counts.into_iter().map(|(term, count)| (weight(term, count), term)).collect::<Vec<_>>();
            ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            ranked.into_iter().map(|(_, term)| term).take(TERMS).collect()
        })
        .collect()
}

/// A name of two to four words (fewer only when the terms hold no more), from terms with the strongest first. No word
/// stands in it twice.
pub(super) fn name(space: &Space, terms: &[u32]) -> String {
    let mut parts = Vec::<&str>::new();
    let mut used = BTreeSet::<&str>::new();
    let mut words_used = 0;
    for surface in terms.iter().map(|&t| space.surface(t)) {
        let words = surface.split(' ').collect::<Vec<_>>();
        let repeats = words.iter().any(|w| !is_stop(w) && used.iter().any(|u| related(u, w)));
        if repeats || words_used + words.len() > NAME_WORDS {
            continue;
        }
        words_used += words.len();
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

/// The most typical of `quotes` that makes sense alone: similarity to the problem, less for one too short, too long, or
/// leaning on what stands before it. `None` without quotes.
pub(super) fn statement<'a>(quotes: impl IntoIterator<Item = (&'a str, f32)>) -> Option<&'a str> {
    quotes
        .into_iter()
        .map(|(quote, similarity)| (similarity * stands_alone(quote), quote))
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, quote)| quote)
}

/// How well a quote stands alone, in 0..=1.
fn stands_alone(quote: &str) -> f32 {
    let key = word_key(quote);
    let words = key.split(' ').collect::<Vec<_>>();
    let length = if STATEMENT_WORDS.contains(&words.len()) { 1.0 } else { 0.4 };
    let first = words.first().map(|w| w.replace(['\'', '’'], "")).unwrap_or_default();
    let beginning = if DANGLING.contains(&first.as_str()) { 0.7 } else { 1.0 };
    let cut = if quote.trim_end().ends_with(['…', ',', '(', ':', '-']) || quote.contains('\n') { 0.8 } else { 1.0 };
    length * beginning * cut
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

    fn named(groups: &[Vec<&str>]) -> Vec<(String, ProblemId)> {
        let passages = groups.iter().flatten().map(|q| Passage::bare(q)).collect::<Vec<_>>();
        let space = Space::fit(&[], &passages, None, 1);
        let none = BTreeSet::new();
        typical_terms(&space, groups).iter().map(|t| (name(&space, t), id(&space, t, &none))).collect()
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
        let terms = typical_terms(&space, &[quotes.to_vec()]).remove(0);
        let mut taken = BTreeSet::new();
        for _ in 0..10 {
            assert!(taken.insert(id(&space, &terms, &taken)));
        }
    }

    #[test]
    fn a_statement_stands_alone() {
        for (better, worse) in [
            ("The printer stops after every second page", "printer"),
            ("The printer stops after every second page", "and it stops after every second page again"),
            ("The printer stops after every second page", "The printer stops after every second page,"),
        ] {
            assert_eq!(statement([(worse, 0.5), (better, 0.5)]), Some(better));
            assert_eq!(statement([(better, 0.5), (worse, 0.5)]), Some(better));
        }
        assert_eq!(statement([]), None);
    }
}
