//! What people tried: attempts grouped by the means they share.
//!
//! People name a means in their own words ("bought two wifi hotspots", "those little hotspot pucks"). Attempts are grouped
//! by the word that most of them share and that is typical of attempts rather than of complaints, so that "hotspot" makes
//! a group and "customer" does not. No list of products, no model: the words are the data's own.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

use super::quotes::Shortlist;
use super::view::QuoteView;

/// A word is typical of attempts when they use it at least this many times as often as other posts do.
const TYPICAL: f64 = 2.0;

/// Words of English that never name a means: function words, verbs of trying, words of time and number.
const COMMON: &str = include_str!("common_words.txt");

/// One attempt of one person.
#[derive(Debug, Clone)]
pub(super) struct Attempt {
    /// Who.
    pub(super) person: u32,
    /// Index of the problem, `None` for none of the codebook.
    pub(super) problem: Option<usize>,
    /// The words that name the means.
    pub(super) means: String,
    /// It failed; otherwise it is still in use.
    pub(super) failed: bool,
    /// Orders attempts independently of reading.
    pub(super) key: String,
    /// Rank and words for "why it failed"; `None` when in use.
    pub(super) why: Option<(f64, QuoteView)>,
}

/// How many people use a word outside of attempts.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    people: HashSet<u32>,
    words: HashMap<String, HashSet<u32>>,
}

impl Elsewhere {
    /// Counts the words of something that is no attempt.
    pub(super) fn count(&mut self, words: &Words, person: u32, text: &str) {
        self.people.insert(person);
        for (stem, _) in words.of(text) {
            self.words.entry(stem).or_default().insert(person);
        }
    }
}

/// Splits text into the stems that may name a means.
pub(super) struct Words {
    stemmer: Stemmer,
    common: HashSet<&'static str>,
}

impl Words {
    /// English.
    pub(super) fn new() -> Self {
        let common = COMMON.lines().filter(|l| !l.starts_with('#')).flat_map(str::split_whitespace).collect();
        Self { stemmer: Stemmer::create(Algorithm::English), common }
    }

    /// Stems with their surface forms, in text order.
    fn of(&self, text: &str) -> Vec<(String, String)> {
        text.unicode_words()
            .filter_map(|word| {
                let surface = word.to_lowercase().replace('’', "'");
                let bare = surface.split('\'').next().unwrap_or_default().to_owned();
                let named = bare.chars().count() >= 3 && bare.chars().any(char::is_alphabetic);
                let common = self.common.contains(bare.as_str()) || self.common.contains(surface.as_str());
                (named && !common).then(|| (self.stemmer.stem(&bare).into_owned(), bare))
            })
            .collect()
    }
}

/// Attempts that share a means.
#[derive(Debug)]
pub(super) struct Group {
    /// The words they share.
    pub(super) label: String,
    /// The attempts, by key.
    pub(super) attempts: Vec<Attempt>,
}

/// People in a set of attempts.
pub(super) fn people<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> u64 {
    attempts.map(|a| a.person).collect::<BTreeSet<_>>().len() as u64
}

/// The words of the best quote about why these attempts failed.
pub(super) fn why(attempts: &[&Attempt]) -> Option<QuoteView> {
    let mut best = Shortlist::default();
    for attempt in attempts {
        if let Some((rank, quote)) = &attempt.why {
            best.offer(attempt.person, *rank, &attempt.key, || (String::new(), quote.clone()));
        }
    }
    best.pick(1).pop()
}

/// Groups attempts by shared means. Only groups that hold a failed attempt, most people with a failed attempt first.
/// Attempts that share no means with another person's stand alone under their own words.
pub(super) fn group(mut attempts: Vec<Attempt>, elsewhere: &Elsewhere, words: &Words) -> Vec<Group> {
    attempts.sort_by(|a, b| a.key.cmp(&b.key));
    let stems = attempts.iter().map(|a| words.of(&a.means)).collect::<Vec<_>>();
    let shared = shared_words(&attempts, &stems, elsewhere);
    let mut groups = BTreeMap::<String, Vec<usize>>::new();
    for (i, attempt_stems) in stems.iter().enumerate() {
        let best = attempt_stems
            .iter()
            .filter_map(|(stem, _)| Some((shared.get(stem)?, stem)))
            .max_by(|a, b| a.0.total_cmp(b.0).then_with(|| b.1.cmp(a.1)));
        // A space never occurs in a stem, so an attempt that stands alone cannot meet a group.
        let name = best.map_or_else(|| format!("alone {i}"), |(_, stem)| stem.clone());
        groups.entry(name).or_default().push(i);
    }
    let mut slots = attempts.into_iter().map(Some).collect::<Vec<_>>();
    let mut out = Vec::new();
    for (stem, members) in groups {
        let label = label(&stem, &members, &slots, &stems);
        let attempts = members.iter().filter_map(|&i| slots[i].take()).collect::<Vec<_>>();
        if attempts.iter().any(|a| a.failed) {
            out.push(Group { label, attempts });
        }
    }
    let failed = |g: &Group| people(g.attempts.iter().filter(|a| a.failed));
    out.sort_by_cached_key(|g| (std::cmp::Reverse(failed(g)), g.label.clone()));
    out
}

/// Weight of every word that at least two people's attempts share and that is typical of attempts:
/// people times the logarithm of how typical it is.
fn shared_words(attempts: &[Attempt], stems: &[Vec<(String, String)>], elsewhere: &Elsewhere) -> HashMap<String, f64> {
    let mut users = BTreeMap::<&str, BTreeSet<u32>>::new();
    for (attempt, stems) in attempts.iter().zip(stems) {
        for (stem, _) in stems {
            users.entry(stem).or_default().insert(attempt.person);
        }
    }
    let everyone = people(attempts.iter()) as f64;
    let others = elsewhere.people.len() as f64;
    users
        .into_iter()
        .filter(|(_, users)| users.len() >= 2)
        .filter_map(|(stem, users)| {
            let here = (users.len() as f64 + 0.5) / (everyone + 1.0);
            let there = (elsewhere.words.get(stem).map_or(0, HashSet::len) as f64 + 0.5) / (others + 1.0);
            let typical = here / there;
            (typical >= TYPICAL || others == 0.0)
                .then(|| (stem.to_owned(), users.len() as f64 * typical.max(2.0).log2()))
        })
        .collect()
}

/// The most common surface form of the shared stem, with its neighbour when most of the group name both.
fn label(stem: &str, members: &[usize], attempts: &[Option<Attempt>], stems: &[Vec<(String, String)>]) -> String {
    let means = |i: usize| attempts[i].as_ref().map_or("", |a| a.means.as_str());
    if let (true, Some(&only)) = (stem.contains(' '), members.first()) {
        return alone(means(only));
    }
    let mut forms = BTreeMap::<String, usize>::new();
    let mut pairs = BTreeMap::<String, usize>::new();
    for &i in members {
        let text = means(i).to_lowercase();
        for (_, form) in stems[i].iter().filter(|(s, _)| s == stem) {
            *forms.entry(form.clone()).or_default() += 1;
        }
        for pair in stems[i].windows(2).filter(|pair| pair.iter().any(|(s, _)| s == stem)) {
            let pair = format!("{} {}", pair[0].1, pair[1].1);
            if text.contains(&pair) {
                *pairs.entry(pair).or_default() += 1;
            }
        }
    }
    let most = |counts: BTreeMap<String, usize>| counts.into_iter().rev().max_by_key(|(_, n)| *n);
    match most(pairs) {
        Some((pair, n)) if n >= 2 && n * 2 >= members.len() => pair,
        _ => most(forms).map_or_else(|| stem.to_owned(), |(form, _)| form),
    }
}

/// A means that stands alone is named by its own words, unless they are a sentence, which the quote beside it tells better.
fn alone(means: &str) -> String {
    if means.split_whitespace().count() > 5 { "in one person's words".to_owned() } else { means.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(person: u32, means: &str, failed: bool) -> Attempt {
        Attempt {
            person,
            problem: None,
            means: means.to_owned(),
            failed,
            key: format!("{person:03}{means}"),
            why: None,
        }
    }

    fn grouped(attempts: Vec<Attempt>, complaints: &[&str]) -> Vec<(String, u64)> {
        let words = Words::new();
        let mut elsewhere = Elsewhere::default();
        for (person, text) in complaints.iter().enumerate() {
            elsewhere.count(&words, 100 + person as u32, text);
        }
        let groups = group(attempts, &elsewhere, &words);
        groups.into_iter().map(|g| (g.label, people(g.attempts.iter().filter(|a| a.failed)))).collect()
    }

    #[test]
    fn attempts_meet_at_the_means_they_share() {
        let attempts = vec![
            attempt(1, "bought two wifi hotspots for the vans", true),
            attempt(2, "a hotspot in every van", true),
            attempt(3, "those little hotspots", true),
            attempt(3, "a second hotspot", true),
            attempt(4, "kept a paper diary", true),
        ];
        let complaints = ["the van lost its notes", "van again", "no van today", "our vans are slow", "a van of notes"];
        assert_eq!(
            grouped(attempts, &complaints),
            [("hotspot".to_owned(), 3), ("kept a paper diary".to_owned(), 1)],
            "people are counted, not attempts, and 'van' is no means"
        );
    }

    #[test]
    fn a_pair_of_words_names_the_group_when_most_use_both() {
        let attempts = vec![
            attempt(1, "sent it all to the group chat", true),
            attempt(2, "a group chat for photos", true),
            attempt(3, "our Group Chat", true),
        ];
        assert_eq!(grouped(attempts, &[]), [("group chat".to_owned(), 3)]);
    }

    #[test]
    fn a_means_that_never_failed_is_not_listed() {
        let attempts = vec![attempt(1, "a paper diary", false), attempt(2, "the diary", false)];
        assert_eq!(grouped(attempts, &[]), []);
    }

    #[test]
    fn the_order_of_reading_does_not_matter() {
        let mut attempts = (0..40)
            .map(|i| attempt(i, ["a spreadsheet", "spreadsheets", "index cards"][i as usize % 3], true))
            .collect::<Vec<_>>();
        let forward = grouped(attempts.clone(), &[]);
        attempts.reverse();
        assert_eq!(forward, grouped(attempts, &[]));
    }
}
