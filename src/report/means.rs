//! What people tried: attempts grouped by the means they share.
//!
//! People name a means in their own words ("bought two wifi hotspots", "those little hotspot pucks"). Attempts are grouped
//! by a thing that several people name and that is typical of attempts rather than of complaints, so that "hotspot" makes
//! a group and "customer" does not. No list of products, no model: the words are the data's own.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet};

use super::phrases::{Named, Words};
use super::quotes::Shortlist;
use super::view::QuoteView;

/// A word is typical of attempts when they use it at least this many times as often as other posts do.
const TYPICAL: f64 = 2.0;
/// What is in no group of several is called by a word that attempts use at least as often as other posts do.
const NO_LESS: f64 = 1.0;
/// What attempts are called of which the words name nothing.
const UNNAMED: &str = "something not named";

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
        for stem in words.stems(text) {
            self.words.entry(stem).or_default().insert(person);
        }
    }
}

/// Attempts that share a means.
#[derive(Debug)]
pub(super) struct Group {
    /// The words they share, in lower case.
    pub(super) label: String,
    /// The words name a means.
    pub(super) is_named: bool,
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

/// Groups attempts by means. Only groups that hold a failed attempt, most people with a failed attempt first, and last what names
/// no means. A means that one person alone tried makes a group too.
pub(super) fn group(mut attempts: Vec<Attempt>, elsewhere: &Elsewhere, words: &Words) -> Vec<Group> {
    attempts.sort_by(|a, b| a.key.cmp(&b.key));
    let named = attempts.iter().map(|a| words.named(&a.means)).collect::<Vec<_>>();
    let typical = Typicality::new(&attempts, &named, elsewhere);
    let (mut groups, left) = shared(&attempts, &named, &typical);
    let mut alone = BTreeMap::<&str, Vec<usize>>::new();
    let mut unnamed = Vec::new();
    for i in left {
        let mut own = named[i].phrases.iter().filter(|phrase| phrase.is_own);
        // What is named first is mostly what was tried; the rest says where or for whom.
        match own.find(|phrase| typical.of(phrase.head()) >= NO_LESS && phrase.tells(&attempts[i].means)) {
            Some(phrase) => alone.entry(phrase.head()).or_default().push(i),
            None => unnamed.push(i),
        }
    }
    groups.extend(alone);
    let labelled = groups.into_iter().map(|(head, members)| {
        let (stems, label) = label(head, &members, &attempts, &named);
        (stems, label, members)
    });
    let mut groups = joined(labelled.collect(), &attempts);
    groups.push((UNNAMED.to_owned(), unnamed));

    let mut slots = attempts.into_iter().map(Some).collect::<Vec<_>>();
    let groups = groups.into_iter().map(|(label, members)| Group {
        is_named: label != UNNAMED,
        label,
        attempts: members.into_iter().filter_map(|i| slots[i].take()).collect(),
    });
    let mut groups = groups.filter(|group| group.attempts.iter().any(|a| a.failed)).collect::<Vec<_>>();
    let failed = |g: &Group| people(g.attempts.iter().filter(|a| a.failed));
    groups.sort_by_cached_key(|g| (!g.is_named, Reverse(failed(g)), g.label.clone()));
    groups
}

/// How typical words are of attempts.
struct Typicality<'a> {
    /// People by stem, wherever in their attempts it stands.
    users: BTreeMap<&'a str, BTreeSet<u32>>,
    everyone: f64,
    elsewhere: &'a Elsewhere,
}

impl<'a> Typicality<'a> {
    fn new(attempts: &[Attempt], named: &'a [Named], elsewhere: &'a Elsewhere) -> Self {
        let mut users = BTreeMap::<&str, BTreeSet<u32>>::new();
        for (attempt, named) in attempts.iter().zip(named) {
            for stem in &named.stems {
                users.entry(stem).or_default().insert(attempt.person);
            }
        }
        Self { users, everyone: people(attempts.iter()) as f64, elsewhere }
    }

    fn people(&self, stem: &str) -> usize {
        self.users.get(stem).map_or(0, BTreeSet::len)
    }

    /// How many times as often attempts use a word as other posts do. Who tried a thing speaks of it elsewhere too, so it is the others
    /// who are counted there.
    fn of(&self, stem: &str) -> f64 {
        let others = self.elsewhere.people.len() as f64;
        if others == 0.0 {
            return f64::INFINITY;
        }
        let users = self.users.get(stem);
        let elsewhere = self.elsewhere.words.get(stem).into_iter().flatten();
        let not_users = elsewhere.filter(|person| !users.is_some_and(|users| users.contains(person))).count();
        let here = (self.people(stem) as f64 + 0.5) / (self.everyone + 1.0);
        let there = (not_users as f64 + 0.5) / (others + 1.0);
        here / there
    }
}

/// Members by the stem of the thing they name.
type Members<'a> = Vec<(&'a str, Vec<usize>)>;

/// Groups of attempts of at least two people that name a thing, and what is left. The thing that weighs most takes all that say it;
/// then the others are weighed by what is left to them, so that no means is listed twice.
fn shared<'a>(attempts: &[Attempt], named: &'a [Named], typical: &Typicality<'_>) -> (Members<'a>, BTreeSet<usize>) {
    let mut things = BTreeMap::<&str, BTreeSet<u32>>::new();
    let mut saying = HashMap::<&str, Vec<usize>>::new();
    for (i, (attempt, named)) in attempts.iter().zip(named).enumerate() {
        for phrase in &named.phrases {
            things.entry(phrase.head()).or_default().insert(attempt.person);
        }
        for stem in &named.stems {
            saying.entry(stem).or_default().push(i);
        }
    }
    // A word that mostly stands before others, as "colour" does, is a quality of things.
    things.retain(|stem, people| 2 * people.len() >= typical.people(stem) && typical.of(stem) >= TYPICAL);
    let mut left = (0..attempts.len()).collect::<BTreeSet<_>>();
    let members = |stem: &str, left: &BTreeSet<usize>| -> Vec<usize> {
        saying.get(stem).into_iter().flatten().copied().filter(|i| left.contains(i)).collect()
    };
    // People times the logarithm of how typical the word is, in millionths; nothing when nobody shares it as a thing.
    let weight = |stem: &str, members: &[usize]| {
        let people = people(members.iter().map(|&i| &attempts[i]));
        let is_thing = members.iter().any(|&i| named[i].phrases.iter().any(|phrase| phrase.head() == stem));
        if people < 2 || !is_thing { 0 } else { (people as f64 * typical.of(stem).clamp(2.0, 1e9).log2() * 1e6) as u64 }
    };
    let mut heap =
        things.into_keys().map(|stem| (weight(stem, &members(stem, &left)), Reverse(stem))).collect::<BinaryHeap<_>>();
    let mut groups = Vec::new();
    while let Some((before, Reverse(stem))) = heap.pop() {
        let members = members(stem, &left);
        let now = weight(stem, &members);
        if now == 0 {
            continue;
        }
        // Weights only fall; one that fell waits for its turn.
        if now < before {
            heap.push((now, Reverse(stem)));
            continue;
        }
        for i in &members {
            left.remove(i);
        }
        groups.push((stem, members));
    }
    (groups, left)
}

/// The words that most members have in common around `head`, their stems first. A single word that one person alone says is told with
/// what was done with it: "taking a deposit".
fn label(head: &str, members: &[usize], attempts: &[Attempt], named: &[Named]) -> (BTreeSet<String>, String) {
    let mut found = BTreeMap::<&[String], (BTreeSet<usize>, BTreeMap<String, usize>)>::new();
    for &i in members {
        for phrase in named[i].phrases.iter().filter(|p| p.head() == head) {
            for (stems, words) in phrase.endings(&attempts[i].means) {
                let (by, forms) = found.entry(stems).or_default();
                by.insert(i);
                *forms.entry(words.to_lowercase()).or_default() += 1;
            }
        }
    }
    let least = members.len().min(2).max(members.len().div_ceil(2));
    let all = found.iter().filter(|(stems, (by, _))| by.len() >= least || stems.len() == 1);
    let best = all.max_by_key(|(stems, (by, _))| (stems.len(), by.len()));
    let Some((stems, (_, forms))) = best else { return (BTreeSet::from([head.to_owned()]), head.to_owned()) };
    let is_lone = stems.len() == 1 && people(members.iter().map(|&i| &attempts[i])) == 1;
    let led = members.iter().filter(|_| is_lone).find_map(|&i| {
        let phrase = named[i].phrases.iter().find(|phrase| phrase.head() == head)?;
        Some(phrase.led(&attempts[i].means).to_lowercase())
    });
    // Of forms that are as common, the first in the alphabet.
    let form = || forms.iter().rev().max_by_key(|(_, n)| **n).map_or(head, |(form, _)| form).to_owned();
    (stems.iter().cloned().collect(), led.unwrap_or_else(form))
}

/// What one person tried joins a group of which its words are all in the other's or the other way round. Larger groups stay
/// apart: their things differ (a paper diary, paper), or one would name what many called by another word.
fn joined(mut groups: Vec<(BTreeSet<String>, String, Vec<usize>)>, attempts: &[Attempt]) -> Vec<(String, Vec<usize>)> {
    groups.sort_by(|a, b| b.2.len().cmp(&a.2.len()).then_with(|| a.1.cmp(&b.1)));
    let mut kept = Vec::<(BTreeSet<String>, String, Vec<usize>)>::new();
    for (stems, label, members) in groups {
        let alone = people(members.iter().map(|&i| &attempts[i])) == 1;
        match kept.iter_mut().find(|(other, ..)| alone && (stems.is_subset(other) || other.is_subset(&stems))) {
            Some(one) => one.2.extend(members),
            None => kept.push((stems, label, members)),
        }
    }
    kept.into_iter().map(|(_, label, members)| (label, members)).collect()
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
            [("hotspot".to_owned(), 3), ("paper diary".to_owned(), 1)],
            "people are counted, not attempts, and 'van' is no means"
        );
    }

    #[test]
    fn what_many_tried_is_not_called_by_what_others_tried() {
        let diary = (0..25).map(|person| attempt(person, "we kept a paper diary", true));
        let paper = (50..70).map(|person| attempt(person, "went back to paper", true));
        let found = grouped(diary.chain(paper).collect(), &[]);
        assert_eq!(found.iter().map(|(_, people)| *people).collect::<Vec<_>>(), [25, 20], "{found:?}");
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
    fn a_means_is_listed_once() {
        let attempts = vec![
            attempt(1, "a wifi hotspot in every van", true),
            attempt(2, "bought two wifi hotspots", true),
            attempt(3, "We bought four wifi hotspots", true),
            attempt(4, "the hotspot", true),
            attempt(5, "asked for the wifi", true),
            attempt(6, "a colour-coded roster", true),
            attempt(7, "did a colour coded roster", true),
            attempt(8, "the colour list", true),
            attempt(9, "hired a part-time porter", true),
            attempt(10, "took on a part-time porter", true),
        ];
        let expected = [("wifi hotspots", 5), ("part-time porter", 2), ("roster", 2), ("colour list", 1)];
        assert_eq!(grouped(attempts, &[]), expected.map(|(label, people)| (label.to_owned(), people)));
    }

    #[test]
    fn stray_words_name_no_means() {
        let attempts = vec![
            attempt(1, "Meanwhile whole job notes", true),
            attempt(2, "I did, two years of it", true),
            attempt(3, "then we kept a diary in the van", true),
            attempt(6, "I read on and the array of it", true),
            attempt(4, "and every evening some child rang from the other desk about it", true),
            attempt(5, "I did it by adding, by following almost all of it, with several different ones", true),
        ];
        let complaints = ["lost the job notes", "no job notes", "my job notes"];
        let expected = [("kept a diary", 1), (UNNAMED, 5)];
        assert_eq!(grouped(attempts, &complaints), expected.map(|(label, people)| (label.to_owned(), people)));
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
