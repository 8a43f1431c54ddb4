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
const OBSTACLE: f32 = 4.0;
/// What a phrase is worth that breaks off before a word that it may lead to, and one that begins after such a word.
const BREAKS_OFF: f32 = 0.6;
const BEGINS_LATE: f32 = 0.8;
/// What a phrase of one topic says, and one of two words, beside others.
const ONE_TOPIC: f32 = 0.55;
const TWO_WORDS: f32 = 0.75;
/// Best phrases that are looked for in everybody's words.
const SOUGHT: usize = 60;
/// How much of its worth a phrase loses that has all its topics in common with a name that is given already.
const ALIKE: f32 = 0.9;
/// What a phrase is worth of which no two people name all topics.
const LONE: f32 = 0.6;
/// People who say what a line is about, and the part of its topics that it may share with another one.
const SAYING: usize = 2;
const OVERLAP: f32 = 0.34;

/// Words of whoever speaks or is spoken to.
const SPEAKERS: [&str; 12] = ["i", "im", "ive", "id", "my", "me", "we", "our", "us", "you", "your", "youre"];
/// Words that join what is no one phrase.
const JOINING: [&str; 5] = ["and", "or", "but", "if", "because"];
/// Words that tell of somebody's thoughts and not of what is in the way: `don't know why`.
const THOUGHTS: [&str; 4] = ["know", "think", "guess", "wonder"];
/// Stems of what somebody does who looks for something.
const FINDING: [&str; 2] = ["find", "found"];
/// Words before a word for trouble that say there is none.
const DENIALS: [&str; 4] = ["no", "without", "any", "never"];
/// Words that a phrase may end with though they hold others together: `timed out`, `goes down`.
const CLOSING: [&str; 2] = ["out", "down"];
/// Words that a phrase may not begin or end with though they say what is in the way: they hang on others.
const LOOSE: [&str; 7] = ["only", "still", "again", "too", "instead", "unless", "double"];
/// Another one that a phrase may not begin with: what is not so stands before it.
const DENYING: &str = "not";

/// A word of a clause.
struct Word {
    start: usize,
    end: usize,
    /// A number or a name of a program stands next.
    leads_on: bool,
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

/// What `word` does in a phrase. What somebody does who looks for something is no topic: `problem I found`.
fn role(word: &str) -> (Part, String, String) {
    let (part, lower, stem) = part(word);
    if FINDING.contains(&stem.as_str()) { (Part::Glue, lower, String::new()) } else { (part, lower, stem) }
}

/// The topics that a name speaks of, for telling whether two are alike.
pub(super) fn topics(name: &str) -> BTreeSet<String> {
    name.unicode_words().map(role).filter(|(part, ..)| *part == Part::Topic).map(|(.., stem)| stem).collect()
}

/// The phrase of `said` (who and the words) that says best what is typical of them, unlike the names with the topics `given`;
/// `None` where there is no phrase.
pub(super) fn phrase(typical: &Typical, said: &[(&str, &str)], given: &[BTreeSet<String>]) -> Option<String> {
    let best = best(typical, said);
    let worth = |one: &Shared<'_>| one.worth() * (1.0 - ALIKE * nearest(&one.candidate.topics, given));
    let best = best.iter().max_by(|a, b| worth(a).total_cmp(&worth(b)).then_with(|| b.words().cmp(a.words())))?;
    Some(capitalised(best.words()))
}

/// Up to `most` phrases of `said`, the best first, of which more people of the group speak than others do (`elsewhere` counts
/// those who name all of some topics); each about something else than the topics `called` and than those before it.
pub(super) fn phrases(
    typical: &Typical,
    said: &[(&str, &str)],
    elsewhere: impl Fn(&BTreeSet<String>) -> usize,
    called: BTreeSet<String>,
    most: usize,
) -> Vec<String> {
    let mut best = best(typical, said);
    best.sort_by(|a, b| b.worth().total_cmp(&a.worth()).then_with(|| a.words().cmp(b.words())));
    let (mut given, mut found) = (vec![called], Vec::new());
    for one in &best {
        if found.len() == most {
            break;
        }
        let topics = &one.candidate.topics;
        if one.people >= SAYING && nearest(topics, &given) <= OVERLAP && elsewhere(topics) < one.people {
            found.push(one.words().to_lowercase());
            given.push(topics.clone());
        }
    }
    found
}

/// A phrase with how many people of the group say all its topics.
struct Shared<'a> {
    candidate: Candidate<'a>,
    people: usize,
}

impl<'a> Shared<'a> {
    fn worth(&self) -> f32 {
        let shared = if self.people < SAYING { LONE } else { 1.0 + (self.people as f32).ln() };
        self.candidate.worth * shared
    }

    fn words(&self) -> &'a str {
        self.candidate.words
    }
}

/// The best phrases of `said`, with how many people say what they speak of.
fn best<'a>(typical: &Typical, said: &[(&'a str, &'a str)]) -> Vec<Shared<'a>> {
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
    let said = topics_of(said);
    best.into_iter().map(|candidate| Shared { people: people(&candidate.topics, &said), candidate }).collect()
}

/// Who says which topics.
pub(super) type Topics<'a> = (&'a str, BTreeSet<String>);

/// Who of `said` says which topics.
pub(super) fn topics_of<'a>(said: &[(&'a str, &str)]) -> Vec<Topics<'a>> {
    said.iter().map(|(who, words)| (*who, topics(words))).collect()
}

/// How many people name all of `topics` in one breath.
pub(super) fn people<'a>(topics: &BTreeSet<String>, said: impl IntoIterator<Item = &'a Topics<'a>>) -> usize {
    said.into_iter().filter(|(_, said)| topics.is_subset(said)).map(|(who, _)| *who).collect::<BTreeSet<_>>().len()
}

/// The largest part of its topics that `topics` shares with one of `given`.
fn nearest(topics: &BTreeSet<String>, given: &[BTreeSet<String>]) -> f32 {
    given.iter().map(|other| shared(topics, other)).fold(0.0, f32::max)
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
    let mut clauses = vec![Vec::<Word>::new()];
    let mut end = 0;
    for (at, word) in text.unicode_word_indices() {
        let between = &text[end..at];
        let plain = word.chars().all(|c| c.is_alphabetic() || matches!(c, '\'' | '’'));
        let joined = matches!(between, "" | " " | "-");
        if !plain
            && joined
            && let Some(last) = clauses.last_mut().and_then(|clause| clause.last_mut())
        {
            last.leads_on = true;
        }
        if !plain || !joined {
            clauses.push(Vec::new());
        }
        end = at + word.len();
        if plain && let Some(clause) = clauses.last_mut() {
            let (part, lower, stem) = role(word);
            clause.push(Word { start: at, end, leads_on: false, lower, stem, part });
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
                && !clause[..start].last().is_some_and(denies)
                && begins(first)
                && ends(last)
                && let Some((mut worth, topics)) = worth(typical, words)
            {
                if last.leads_on || clause.get(end).is_some_and(|next| next.part == Part::Topic) {
                    worth *= BREAKS_OFF;
                }
                if start > 0 && clause[start - 1].part == Part::Topic {
                    worth *= BEGINS_LATE;
                }
                found.push(Candidate { worth, words: &text[first.start..last.end], topics });
            }
        }
    }
    found
}

/// Whether what follows `word` says the opposite without it.
fn denies(word: &Word) -> bool {
    word.part == Part::Glue && is_obstacle(&word.lower) && !LOOSE.contains(&word.lower.as_str())
}

fn begins(word: &Word) -> bool {
    let counts = word.part != Part::Glue || is_obstacle(&word.lower);
    counts && !LOOSE.contains(&word.lower.as_str()) && word.lower != DENYING && !is_place(&word.lower)
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
    let thinks = words.iter().any(|w| THOUGHTS.contains(&w.lower.as_str()));
    if topics.is_empty() || thinks || words.windows(2).any(denies) {
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
    fn finding_is_no_topic() {
        assert!(topics("Problem I found").is_empty());
        assert_eq!(topics("Printers I found"), topics("Printers"));
    }

    #[test]
    fn a_phrase_keeps_its_denial() {
        let drawings = ["Mine does not save drawings.", "Hers does not save drawings.", "His does not save drawings."];
        assert_eq!(named(&[drawings.to_vec(), SCANNER.to_vec()], &[]), None, "without `does not` it says the opposite");
    }

    #[test]
    fn a_phrase_does_not_break_off() {
        let printer = [
            "My printer jams on thick rolls.",
            "My printer jams on thick cards.",
            "The printer jams.",
            "Printer jams.",
        ];
        assert_eq!(named(&[printer.to_vec(), SCANNER.to_vec()], &[]).as_deref(), Some("Printer jams"));
    }

    #[test]
    fn what_nobody_else_says_is_worth_little() {
        let candidate = Candidate { worth: 1.0, words: "printer jams", topics: BTreeSet::new() };
        let [lone, two] = [1, 2].map(|people| Shared { candidate: candidate.clone(), people }.worth());
        assert!(lone < 0.5 * two, "{lone} {two}");
    }

    #[test]
    fn lines_are_what_more_people_say_here_than_elsewhere() {
        let said = ["a", "b", "c"].into_iter().zip(PRINTER).collect::<Vec<_>>();
        let space = Space::fit(&[], &PRINTER.map(Passage::bare), None, 1);
        let typical = typical_terms(&space, std::slice::from_ref(&said)).remove(0);
        let lines = |elsewhere: usize| phrases(&typical, &said, |_| elsewhere, BTreeSet::new(), 3);
        assert_eq!(lines(0).first().map(String::as_str), Some("printer jams on thick paper"));
        assert!(lines(3).is_empty(), "as many say it elsewhere");
        assert!(phrases(&typical, &said, |_| 0, topics(PRINTER[1]), 1).is_empty(), "the name says it");
    }

    #[test]
    fn code_and_signs_part_clauses() {
        assert_eq!(clauses("open db_1, then close it now (again soon)").len(), 2, "a lone word is no clause");
        assert_eq!(clauses("one").len(), 0);
    }
}
