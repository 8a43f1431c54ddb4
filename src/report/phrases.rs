//! Phrases that may name a means: "a laminated checklist", "two wifi hotspots", "with Excel".
//!
//! A phrase is a run of words that name something, where English puts a thing: after an article or a number, after a word such as
//! "with", "in" or "bought", or at the beginning. The one rule: it is a slice of what was said.

use std::collections::{BTreeSet, HashSet};

use rust_stemmers::{Algorithm, Stemmer};
use unicode_segmentation::UnicodeSegmentation;

/// Words of English that never name a means: function words, verbs of trying, words of time and number.
const COMMON: &str = include_str!("common_words.txt");
/// Shortest word that names something, in letters.
const SHORTEST: usize = 3;
/// Most words of a phrase that are shown.
const LONGEST: usize = 3;

/// Words after which a thing is named.
const ARTICLES: &str = "a an the this that these those my our your his her their its another every each some any own both one two \
three four five six seven eight nine ten second new";
/// Verbs after which a thing is named, or else somebody does something to what follows.
const VERBS: &str = "using use uses used do did does doing had have has kept keep keeps keeping bought buy buying tried try trying \
put puts putting run running ran made make making got get getting added add started start starting went go moved take took sent";
/// Words that lead to what something is done with.
const WITH: &str = "with by via through plus to";
/// Words that lead to where, when or for whom: "in wet" and "on doorsteps" name no means, "in Tabulo" and "on paper sheets" do.
const WHERE: &str = "on in into onto from off for of at inside between over under without beside besides";
/// Words that follow whoever did something, where the text begins: "Nephew had a look".
const OF_WHOM: &str = "has had have says said thinks thought tells told wants wanted";
/// Words that follow what somebody does, not what a thing is called.
const AFTER: &str = "me us them him her it you everyone everybody someone somebody a an the my our your his their this that these those";
/// Words that a word before them tells more about: "the wrong month" names a month, and no means.
const DESCRIBED: &str = "day days week weeks month months year years hour hours minute minutes second seconds morning mornings afternoon \
evening evenings night nights time times thing things way ways people guy guys man men woman women lad lads boy boys girl girls team \
teams crew boss";

/// Words of whoever tells of an own attempt.
const FIRST_PERSON: &str = "i i'd i've i'm we we'd we've we're my our me us";
/// Most words of a text that is a means and nothing else.
const BARE: usize = 5;
/// Most words that are shown before a phrase, to say what was done with it.
const LEADING: usize = 3;

/// Splits text into words and phrases.
pub(super) struct Words {
    stemmer: Stemmer,
    common: HashSet<&'static str>,
    articles: HashSet<&'static str>,
    verbs: HashSet<&'static str>,
    with: HashSet<&'static str>,
    places: HashSet<&'static str>,
    of_whom: HashSet<&'static str>,
    after: HashSet<&'static str>,
    described: HashSet<&'static str>,
    first_person: HashSet<&'static str>,
}

/// A word as it stands in a text.
struct Word {
    start: usize,
    end: usize,
    /// In lower case, with a straight apostrophe.
    lower: String,
    /// What it names; `None` for a common word.
    stem: Option<String>,
}

/// A run of words that name something.
pub(super) struct Phrase {
    /// Stems of its words.
    stems: Vec<String>,
    /// Where each of them begins, and where the last one ends.
    starts: Vec<usize>,
    end: usize,
    /// Where the words begin that say what was done with it.
    lead: usize,
    /// The speaker did something with it, or the text holds little else: of what came of an attempt, the things are not what was
    /// tried.
    pub(super) is_own: bool,
}

/// What the words of a text name.
pub(super) struct Named {
    /// In order.
    pub(super) phrases: Vec<Phrase>,
    /// The stems of all words that name something, in a phrase or not.
    pub(super) stems: BTreeSet<String>,
}

impl Phrase {
    /// The stem of the word that says what it is.
    pub(super) fn head(&self) -> &str {
        self.stems.last().map_or("", String::as_str)
    }

    /// Its last words, from one word to as many as are shown: stems, and the words as `text` has them.
    pub(super) fn endings<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (&'a [String], &'a str)> {
        let ending = move |n: usize| (&self.stems[n..], text.get(self.starts[n]..self.end).unwrap_or_default());
        (0..self.stems.len()).rev().take(LONGEST).map(ending)
    }

    /// It in the words of `text` that lead to it: "taking a £30 deposit".
    pub(super) fn led<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.lead..self.end).unwrap_or_default()
    }

    /// Whether its words say what was tried though one person alone says them: several words do, and so does a name; "array" and
    /// "level" say nothing without the words before them.
    pub(super) fn tells(&self, text: &str) -> bool {
        let names = |start: &usize| *start > 0 && text[*start..].starts_with(char::is_uppercase);
        self.led(text).contains(' ') || self.starts.first().is_some_and(names)
    }
}

fn set(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}

impl Words {
    /// English.
    pub(super) fn new() -> Self {
        let common = COMMON.lines().filter(|l| !l.starts_with('#')).flat_map(str::split_whitespace).collect();
        let stemmer = Stemmer::create(Algorithm::English);
        Self {
            stemmer,
            common,
            articles: set(ARTICLES),
            verbs: set(VERBS),
            with: set(WITH),
            places: set(WHERE),
            of_whom: set(OF_WHOM),
            after: set(AFTER),
            described: set(DESCRIBED),
            first_person: set(FIRST_PERSON),
        }
    }

    /// The stems of the words in `text` that name something.
    pub(super) fn stems(&self, text: &str) -> BTreeSet<String> {
        self.read(text).into_iter().filter_map(|word| word.stem).collect()
    }

    /// What `text` names.
    pub(super) fn named(&self, text: &str) -> Named {
        let words = self.read(text);
        let is_own = |start: usize| {
            words.len() <= BARE || words[..start].iter().any(|word| self.first_person.contains(word.lower.as_str()))
        };
        let mut phrases = Vec::new();
        for run in words.chunk_by(|a, b| a.stem.is_some() && b.stem.is_some() && blank(text, a, b)) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            let start = words.partition_point(|w| w.start < first.start);
            if first.stem.is_some() && self.names(text, &words, start..start + run.len()) {
                let mut starts = run.iter().map(|word| word.start).collect::<Vec<_>>();
                // "by hand" says how, "hand" says nothing.
                let by = start.checked_sub(1).map(|at| &words[at]).filter(|word| word.lower == "by");
                if let Some(by) = by.filter(|by| run.len() == 1 && blank(text, by, first)) {
                    starts[0] = by.start;
                }
                phrases.push(Phrase {
                    stems: run.iter().filter_map(|word| word.stem.clone()).collect(),
                    starts,
                    end: last.end,
                    lead: words[self.lead(text, &words, start)].start,
                    is_own: is_own(start),
                });
            }
        }
        Named { phrases, stems: words.into_iter().filter_map(|word| word.stem).collect() }
    }

    /// Whether `run` stands where a thing is named.
    fn names(&self, text: &str, words: &[Word], run: std::ops::Range<usize>) -> bool {
        // The word `back` words before the run, where only blanks stand between.
        let before = |back: usize| {
            let at = run.start.checked_sub(back)?;
            words[at..=run.start].windows(2).all(|w| blank(text, &w[0], &w[1])).then(|| words[at].lower.as_str())
        };
        let counts = |word: &str| self.counts(word);
        let is_called = || run.len() > 1 || text[words[run.start].start..].starts_with(char::is_uppercase);
        let next = words.get(run.end).filter(|next| blank(text, &words[run.end - 1], next));
        let is_done = next.is_some_and(|next| self.after.contains(next.lower.as_str()));
        let describes = next.is_some_and(|next| self.described.contains(next.lower.as_str()));
        if describes || words[run.end - 1].lower.ends_with("ly") {
            return false;
        }
        match before(1) {
            Some(word) if counts(word) => true,
            // "to fill in" is no thing, "to paper sheets" is one, and so is "to paper."
            Some("to") => next.is_none() || run.len() > 1,
            Some(word) if self.places.contains(word) => !is_done && is_called(),
            Some(word) if self.verbs.contains(word) || self.with.contains(word) => !is_done,
            // "a second phone"
            Some(_) => !is_done && before(2).is_some_and(counts),
            None if run.start == 0 => {
                let lone = run.len() == 1 && ["ed", "ing"].iter().any(|end| words[0].lower.ends_with(end));
                let is_whom = next.is_some_and(|next| self.of_whom.contains(next.lower.as_str()));
                !is_done && !lone && !is_whom
            }
            None => false,
        }
    }

    fn counts(&self, word: &str) -> bool {
        self.articles.contains(word) || word.contains(|c: char| c.is_ascii_digit())
    }

    /// The first of the words that lead to the run at `start`: back over articles and prepositions to what was done, or to what it was
    /// done with.
    fn lead(&self, text: &str, words: &[Word], start: usize) -> usize {
        let mut lead = start;
        while lead > 0 && start - lead < LEADING && blank(text, &words[lead - 1], &words[lead]) {
            let word = words[lead - 1].lower.as_str();
            let is_verb = self.verbs.contains(word) || ["ing", "ed"].iter().any(|end| word.ends_with(end));
            let says = is_verb || words[lead - 1].stem.is_some();
            if !says && !self.counts(word) && !self.places.contains(word) && !self.with.contains(word) {
                break;
            }
            lead -= 1;
            if says {
                break;
            }
        }
        // Nothing is told by an article.
        while lead < start && self.counts(&words[lead].lower) {
            lead += 1;
        }
        lead
    }

    /// Words in text order; one with hyphens is one.
    fn read(&self, text: &str) -> Vec<Word> {
        let mut words = Vec::<Word>::new();
        for (start, word) in text.unicode_word_indices() {
            let end = start + word.len();
            match words.last_mut() {
                Some(last) if &text[last.end..start] == "-" => last.end = end,
                _ => words.push(Word { start, end, lower: String::new(), stem: None }),
            }
        }
        for word in &mut words {
            word.lower = text[word.start..word.end].to_lowercase().replace('’', "'");
            let named = word.lower.split('-').any(|part| self.is_named(part));
            let bare = word.lower.split('\'').next().unwrap_or_default();
            word.stem = named.then(|| self.stemmer.stem(bare).into_owned());
        }
        words
    }

    fn is_named(&self, word: &str) -> bool {
        let bare = word.split('\'').next().unwrap_or_default();
        // "couldn't"
        let denies = word.ends_with("n't");
        !denies
            && bare.chars().count() >= SHORTEST
            && bare.contains(char::is_alphabetic)
            && !self.common.contains(bare)
            && !self.common.contains(word)
    }
}

/// Whether nothing stands between two neighbours but blanks and a sign of money.
fn blank(text: &str, before: &Word, after: &Word) -> bool {
    text[before.end..after.start].chars().all(|c| matches!(c, ' ' | '$' | '£' | '€'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrases(text: &str) -> Vec<&str> {
        let found = Words::new().named(text).phrases;
        found.iter().map(|p| &text[p.starts[0]..p.end]).collect()
    }

    #[test]
    fn a_phrase_stands_where_a_thing_is_named() {
        for (text, expected) in [
            ("We bought two paper diaries for the porters", vec!["paper diaries", "porters"]),
            ("a colour-coded roster, then a second lamp", vec!["colour-coded roster", "lamp"]),
            ("put it all in Tabulo and ring them", vec!["Tabulo"]),
            ("I ring each porter", vec!["porter"]),
            ("told them to fold the towels", vec!["towels"]),
            ("we went back to paper.", vec!["paper"]),
            ("index cards in a tin", vec!["index cards", "tin"]),
            ("paid a man €90 lamp money", vec!["lamp money"]),
            ("by folding them, in the wrong month, every single time, did nicely", vec![]),
            ("had the crew carry a second lamp", vec!["lamp"]),
            ("Folded, stacked", vec![]),
            ("They came in wet and stood on doorsteps, so we put them on index cards", vec!["index cards"]),
            ("Nephew had a go at it", vec![]),
            ("I gave the guys second phones", vec!["phones"]),
            ("booked it by hand", vec!["by hand"]),
            ("", vec![]),
        ] {
            assert_eq!(phrases(text), expected, "{text}");
        }
    }

    #[test]
    fn what_leads_to_a_phrase_says_what_was_done() {
        for (text, expected) in [
            ("we tried taking a £30 deposit when they book", "taking a £30 deposit"),
            ("I put the lists on another carrier", "lists on another carrier"),
            ("and then the diary", "diary"),
            ("going round it with CSV", "with CSV"),
            ("had them trust the software", "trust the software"),
        ] {
            let found = Words::new().named(text).phrases;
            assert_eq!(found.last().map(|phrase| phrase.led(text)), Some(expected), "{text}");
        }
    }
}
