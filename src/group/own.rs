//! Own names: what a community calls its own product or place. They stand everywhere in it and say nothing about which problem
//! somebody has, so they are left out before texts are compared and problems are named (METHOD 3.1: strip vendor names).
//!
//! The one rule: names learnt on one side are left out on both, so that leaving out does not tell the sides apart.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use unicode_segmentation::UnicodeSegmentation;

use super::terms::{is_stop, without_possessive};
use super::units::Unit;
use crate::store::Side;

/// Share of a community's conversations that say a word which is its own name; less when the community is called by it.
const EVERYWHERE: f64 = 0.2;
const CALLED_BY: f64 = 0.03;
/// Fewest conversations to learn from.
const CONVERSATIONS: usize = 20;
/// Share of a name's places within a sentence where it is written as one.
const CAPITAL: f64 = 0.5;
/// Fewest places within a sentence that this is judged by.
const PLACES: u32 = 5;
/// Shortest name, in letters.
const SHORTEST: usize = 4;

/// What was met of a word.
#[derive(Default)]
struct Met<'a> {
    conversations: BTreeSet<&'a str>,
    within: u32,
    capital: u32,
}

/// The own names of the communities that `units` stem from, in lower case.
pub(super) fn own_names(units: &[Unit]) -> HashSet<String> {
    let mut communities = BTreeMap::<&str, (BTreeSet<&str>, HashMap<String, Met<'_>>)>::new();
    for unit in units.iter().filter(|u| u.side == Side::Community) {
        let (conversations, words) = communities.entry(&unit.community).or_default();
        conversations.insert(&unit.conversation);
        // Titles tell nothing of capitals.
        for (text, judged) in [(&unit.quote, true), (&unit.around, true), (&unit.title, false)] {
            for (at, word) in text.unicode_word_indices() {
                let name = without_possessive(word);
                if name.chars().count() < SHORTEST || !name.chars().all(char::is_alphabetic) {
                    continue;
                }
                let met = words.entry(name.to_lowercase()).or_default();
                met.conversations.insert(&unit.conversation);
                if judged && within_sentence(&text[..at]) {
                    met.within += 1;
                    // All capitals are an abbreviation, and those mostly name what is spoken of.
                    let capital = name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
                    met.capital += u32::from(capital);
                }
            }
        }
    }
    let mut names = HashSet::new();
    for (community, (conversations, words)) in communities.iter().filter(|(_, (c, _))| c.len() >= CONVERSATIONS) {
        let called = community.to_lowercase();
        let called = called.split(|c: char| !c.is_alphanumeric()).collect::<HashSet<_>>();
        for (word, met) in words {
            let least = if called.contains(word.as_str()) { CALLED_BY } else { EVERYWHERE };
            let written = met.within >= PLACES && f64::from(met.capital) >= CAPITAL * f64::from(met.within);
            if written && met.conversations.len() as f64 >= least * conversations.len() as f64 && !is_stop(word) {
                names.insert(word.clone());
            }
        }
    }
    names
}

/// `text` without the words in `names`.
pub(super) fn without(text: &str, names: &HashSet<String>) -> String {
    let mut left = String::with_capacity(text.len());
    let mut end = 0;
    for (at, word) in text.unicode_word_indices() {
        if names.contains(&without_possessive(word).to_lowercase()) {
            left.push_str(&text[end..at]);
            end = at + word.len();
        }
    }
    left.push_str(&text[end..]);
    left
}

/// Whether a word after `before` stands within a sentence, where only names begin with a capital.
fn within_sentence(before: &str) -> bool {
    let spaces = before.len() - before.trim_end().len();
    spaces > 0
        && !before[before.len() - spaces..].contains('\n')
        && before.trim_end().ends_with(|c: char| c.is_lowercase() || c == ',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(i: usize, community: &str, quote: &str) -> Unit {
        Unit {
            side: Side::Community,
            id: i.to_string(),
            who: i.to_string(),
            community: community.to_owned(),
            conversation: i.to_string(),
            builds: true,
            complains: true,
            quote: quote.to_owned(),
            bare: String::new(),
            around: String::new(),
            title: String::new(),
        }
    }

    #[test]
    fn a_name_is_what_a_community_says_everywhere_with_a_capital() {
        let mut units =
            (0..30).map(|i| unit(i, "a.example", "since the update my Printlo jams on paper")).collect::<Vec<_>>();
        units.extend((30..100).map(|i| unit(i, "a.example", "the paper tray is stuck, see Monday")));
        assert_eq!(own_names(&units), HashSet::from(["printlo".to_owned()]));
        // Where it is said now and then, only the community's own name makes it one.
        units.extend((100..300).map(|i| unit(i, "a.example", "the paper tray is stuck")));
        assert!(own_names(&units).is_empty());
        for unit in &mut units {
            unit.community = "forum.printlo.example".to_owned();
        }
        assert_eq!(own_names(&units), HashSet::from(["printlo".to_owned()]));
    }

    #[test]
    fn names_are_left_out_in_any_form() {
        let names = HashSet::from(["printlo".to_owned()]);
        assert_eq!(without("Printlo's tray: PRINTLO jams, printlos do", &names), " tray:  jams, printlos do");
        assert_eq!(without("", &names), "");
    }
}
