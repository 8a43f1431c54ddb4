//! Phrases: what a problem is called, as one of the people who have it puts it.
//!
//! A phrase is a slice of somebody's words, two to seven words within a clause, that begins and ends with a word that counts. The
//! one rule: every topic in it is one that several people of the group name, so nobody names a problem alone.

use std::collections::{BTreeMap, BTreeSet};

use unicode_segmentation::UnicodeSegmentation;

use super::name::Typical;
use super::terms::{Part, is_place, part};
use crate::text::alone::{is_obstacle, is_speech};

/// Words in a phrase.
const WORDS: std::ops::RangeInclusive<usize> = 2..=7;
/// Words that a reader takes in at once, and what each one more costs.
const SHORT: usize = 5;
const LONG: f32 = 0.88;
/// What a word that only holds others together costs, and what one of a speaker, or one that parts clauses, costs more.
const GLUE: f32 = 0.93;
const SPEAKER: f32 = 0.8;
/// What a phrase is worth that stands in what a program wrote.
const WRITTEN: f32 = 0.5;
/// How much more a phrase says that tells what is in the way.
const OBSTACLE: f32 = 1.8;
/// What a phrase of one topic says, and one of two words, beside others.
const ONE_TOPIC: f32 = 0.7;
const TWO_WORDS: f32 = 0.75;
/// Best phrases that are looked for in everybody's words.
const SOUGHT: usize = 60;
/// How much of its worth a phrase loses that has all its topics in common with a name that is given already.
const ALIKE: f32 = 0.9;

/// Words of whoever speaks or is spoken to.
const SPEAKERS: [&str; 12] = ["i", "im", "ive", "id", "my", "me", "we", "our", "us", "you", "your", "youre"];
/// Words that join what is no one phrase.
const JOINING: [&str; 4] = ["and", "or", "but", "if"];
/// Words before a word for trouble that say there is none.
const DENIALS: [&str; 4] = ["no", "without", "any", "never"];
/// Words that a phrase may end with though they hold others together: `timed out`, `goes down`.
const CLOSING: [&str; 2] = ["out", "down"];
/// Words that a phrase may not begin or end with though they say what is in the way: they hang on others.
const LOOSE: [&str; 7] = ["only", "still", "again", "too", "instead", "unless", "double"];

/// A word of a clause.
struct Word {
    start: usize,
    end: usize,
    lower: String,
    stem: String,
    part: Part,
}

/// A phrase that a problem may be called by.
#[derive(Debug, Clone, PartialEq)]
struct Candidate<'a> {
    worth: f32,
    words: &'a str,
    topics: BTreeSet<String>,
}

/// The topics that a name speaks of, for telling whether two are alike.
pub(super) fn topics(name: &str) -> BTreeSet<String> {
    name.unicode_words().map(part).filter(|(part, ..)| *part == Part::Topic).map(|(.., stem)| stem).collect()
}

/// The phrase of `said` (who and the words) that says best what is typical of them, unlike the names with the topics `given`;
/// `None` where there is no phrase.
pub(super) fn phrase(typical: &Typical, said: &[(&str, &str)], given: &[BTreeSet<String>]) -> Option<String> {
    let mut best = BTreeMap::<String, Candidate<'_>>::new();
    for (_, words) in said {
        let written = if is_speech(words) { 1.0 } else { WRITTEN };
        for clause in clauses(words) {
            for mut candidate in candidates(typical, words, &clause) {
                candidate.worth *= written;
                let key = candidate.words.to_lowercase();
                let known = best.entry(key).or_insert_with(|| candidate.clone());
                // Of two spellings that are worth the same, the first in the alphabet: the order of reading decides nothing.
                let better = candidate.worth.total_cmp(&known.worth).then_with(|| known.words.cmp(candidate.words));
                if better.is_gt() {
                    *known = candidate;
                }
            }
        }
    }
    let mut best = best.into_values().collect::<Vec<_>>();
    best.sort_by(|a, b| b.worth.total_cmp(&a.worth).then_with(|| a.words.cmp(b.words)));
    best.truncate(SOUGHT);
    let stems = said.iter().map(|(who, words)| (*who, topics(words))).collect::<Vec<_>>();
    for candidate in &mut best {
        let saying = stems.iter().filter(|(_, said)| candidate.topics.is_subset(said));
        let people = saying.map(|(who, _)| *who).collect::<BTreeSet<_>>().len();
        let alike = given.iter().map(|other| shared(&candidate.topics, other)).fold(0.0, f32::max);
        candidate.worth *= (1.0 + (people.max(1) as f32).ln()) * (1.0 - ALIKE * alike);
    }
    let best = best.into_iter().max_by(|a, b| a.worth.total_cmp(&b.worth).then_with(|| b.words.cmp(a.words)))?;
    Some(capitalised(best.words))
}

/// `words` with a capital at the beginning.
pub(super) fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// Part of the topics of either that both have.
fn shared(a: &BTreeSet<String>, b: &BTreeSet<String>) -> f32 {
    let either = a.union(b).count();
    if either == 0 { 0.0 } else { a.intersection(b).count() as f32 / either as f32 }
}

/// The words of `text`, clause by clause. What is no plain word parts clauses, and so do two spaces, where an own name stood.
fn clauses(text: &str) -> Vec<Vec<Word>> {
    let mut clauses = vec![Vec::new()];
    let mut end = 0;
    for (at, word) in text.unicode_word_indices() {
        let between = &text[end..at];
        let plain = word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’'));
        if !plain || !matches!(between, "" | " " | "-") {
            clauses.push(Vec::new());
        }
        end = at + word.len();
        if plain && let Some(clause) = clauses.last_mut() {
            let (part, lower, stem) = part(word);
            clause.push(Word { start: at, end, lower, stem, part });
        }
    }
    clauses.retain(|clause| clause.len() >= *WORDS.start());
    clauses
}

/// The phrases in a clause, each with its worth as far as its words tell.
fn candidates<'a>(typical: &Typical, text: &'a str, clause: &[Word]) -> Vec<Candidate<'a>> {
    let mut found = Vec::new();
    for start in 0..clause.len() {
        for end in start + WORDS.start()..=clause.len().min(start + WORDS.end()) {
            let words = &clause[start..end];
            if let (Some(first), Some(last)) = (words.first(), words.last())
                && begins(first)
                && ends(last)
                && let Some((worth, topics)) = worth(typical, words)
            {
                found.push(Candidate { worth, words: &text[first.start..last.end], topics });
            }
        }
    }
    found
}

fn begins(word: &Word) -> bool {
    let counts = word.part != Part::Glue || is_obstacle(&word.lower);
    counts && !LOOSE.contains(&word.lower.as_str()) && !is_place(&word.lower)
}

fn ends(word: &Word) -> bool {
    (word.part != Part::Glue || CLOSING.contains(&word.lower.as_str())) && !LOOSE.contains(&word.lower.as_str())
}

/// How much `words` say of what is typical, and their topics; `None` when one of these is not shared or there is none.
fn worth(typical: &Typical, words: &[Word]) -> Option<(f32, BTreeSet<String>)> {
    let (mut topics, mut worth, mut before) = (BTreeSet::new(), 0.0, None::<&str>);
    for word in words.iter().filter(|w| w.part != Part::Glue) {
        if word.part == Part::Topic {
            let weight = typical.weights.get(&word.stem)?;
            // A word said twice is a slip.
            if !topics.insert(word.stem.clone()) {
                return None;
            }
            worth += weight;
        }
        if let Some(before) = before {
            worth += typical.weights.get(&format!("{before} {}", word.stem)).copied().unwrap_or(0.0);
        }
        before = Some(&word.stem);
    }
    let denies = |two: &[Word]| {
        let [first, second] = two else { return false };
        DENIALS.contains(&first.lower.as_str()) && second.part == Part::Trouble && !second.lower.starts_with("work")
    };
    if topics.is_empty() || words.windows(2).any(denies) {
        return None;
    }
    if topics.len() == 1 {
        worth *= ONE_TOPIC;
    }
    if words.len() == 2 {
        worth *= TWO_WORDS;
    }
    let glue = words.iter().filter(|w| w.part == Part::Glue && !is_obstacle(&w.lower));
    for word in glue {
        let lower = word.lower.as_str();
        worth *= if SPEAKERS.contains(&lower) || JOINING.contains(&lower) { GLUE * SPEAKER } else { GLUE };
    }
    for _ in SHORT..words.len() {
        worth *= LONG;
    }
    if words.iter().any(|w| is_obstacle(&w.lower) && !LOOSE.contains(&w.lower.as_str())) {
        worth *= OBSTACLE;
    }
    Some((worth, topics))
}

#[cfg(test)]
mod tests {
    use super::super::name::typical_terms;
    use super::super::vectors::{Passage, Space};
    use super::*;

    /// The name of the first group.
    fn named(groups: &[Vec<&str>], given: &[&str]) -> Option<String> {
        let passages = groups.iter().flatten().map(|q| Passage::bare(q)).collect::<Vec<_>>();
        let people = ["a", "b", "c", "d"];
        let said = groups.iter().map(|g| people.into_iter().zip(g.iter().copied()).collect()).collect::<Vec<Vec<_>>>();
        let space = Space::fit(&[], &passages, None, 1);
        let given = given.iter().map(|name| topics(name)).collect::<Vec<_>>();
        phrase(&typical_terms(&space, &said)[0], &said[0], &given)
    }

    const PRINTER: [&str; 3] = [
        "Since Monday our printer jams on thick paper, so I am late.",
        "The printer jams on thick paper again and again.",
        "Why does it say ready when my printer jams on paper?",
    ];
    const SCANNER: [&str; 2] = ["The scanner is broken on every page.", "A scanner is broken again, page after page."];

    #[test]
    fn a_name_is_a_phrase_that_several_people_share() {
        let groups = [PRINTER.to_vec(), SCANNER.to_vec()];
        assert_eq!(named(&groups, &[]).as_deref(), Some("Printer jams on thick paper"));
        let nobody_else = [vec!["My blue lamp flickers.", "The green door sticks."], SCANNER.to_vec()];
        assert_eq!(named(&nobody_else, &[]), None);
    }

    #[test]
    fn what_is_in_the_way_goes_first_and_its_denial_is_none() {
        let groups = [
            vec![
                "I can't save drawings in the app",
                "can't save drawings",
                "saved drawings without problems",
                "saved drawings without problems",
            ],
            SCANNER.to_vec(),
        ];
        assert_eq!(named(&groups, &[]).as_deref(), Some("Can't save drawings"));
    }

    #[test]
    fn a_name_avoids_those_that_are_given() {
        let groups = [PRINTER.to_vec(), SCANNER.to_vec()];
        let name = named(&groups, &["Printer jams on thick paper"]).unwrap();
        assert_ne!(name, "Printer jams on thick paper");
    }

    #[test]
    fn people_name_a_problem_before_programs_do() {
        let log = "[2031-02-03 04:05:06,789] {print} ERROR paper tray empty: at /srv/print/tray.py line 51";
        let groups = [
            vec![log, log, "The tray sensor never sees the paper.", "Our tray sensor never sees the paper."],
            SCANNER.to_vec(),
        ];
        assert_eq!(named(&groups, &[]).as_deref(), Some("Tray sensor never sees the paper"));
    }

    #[test]
    fn code_and_signs_part_clauses() {
        assert_eq!(clauses("open db_1, then close it now (again soon)").len(), 2, "a lone word is no clause");
        assert_eq!(clauses("one").len(), 0);
    }
}
