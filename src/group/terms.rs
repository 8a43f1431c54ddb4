//! Terms: what a text is compared by. A term is the English stem of a word that carries meaning, or two neighbouring stems.
//!
//! The one rule: terms depend on nothing but the text, so the same words give the same terms on both sides.

use std::collections::HashSet;
use std::sync::LazyLock;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// A term with the words it was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// Stem, or two stems with a space between.
    pub(super) stem: String,
    /// The lower-case words as written, for names that people read.
    pub(super) surface: String,
}

/// Longest word taken seriously, in bytes; anything longer is a hash, a path or an attack.
const MAX_WORD: usize = 40;

/// Words that carry no topic. Contractions stand without their apostrophe, as many people type them.
const STOP: &str = "a about above after again against all almost along already also although always am among an and another any \
anybody anyone anything are aren arent around as ask asked at away be became because been before began being below between both but by \
came can cannot cant come comes could couldn couldnt day days did didn didnt do does doesn doesnt doing don done dont during each either \
else enough even ever every everybody everyone everything few for from further gave get gets getting give gives go goes going gone gonna \
good got great guess had hadn hadnt happen happened happens has hasn hasnt have haven havent having he hed hell her here hers herself \
hes hi him himself his how however i id if ill im in instead into is isn isnt it itd itll its itself ive just keep keeps kept kind \
know knows last least less let lets like likely little ll look looking looks lot lots made make makes making many may maybe me mean means \
might mine more most much must my myself need needed needs never new next nobody nothing now of often oh ok okay on once one ones only \
onto or other others our ours ourselves own per perhaps please pretty probably put quite rather re really right s said same saw say says \
see seem seems seen several shall she shed shes should shouldn shouldnt since so some somebody someone something sometimes somewhere soon \
still such sure t take takes tell than thank thanks that thats the their theirs them themselves then there theres these they theyd theyll \
theyre theyve thing things think this those though thought through thus til till time times to today together told too took toward tried \
try trying two under until unless upon us use used uses using usually ve very via want wanted wants was wasn wasnt way we wed week weeks \
well went were weren werent weve what whatever whats when where whether which while who whole whom whos whose why will with within \
without won wont would wouldn wouldnt yeah year years yes yet you youd youll your youre yours yourself youve month months yesterday \
tomorrow morning monday tuesday wednesday thursday friday saturday sunday january february march april june july august september october \
november december mon tue wed thu fri jan feb mar apr jun jul aug sep oct nov dec";

/// Words of one register only: forum chrome, how people ask for help, and sales-stage talk (METHOD 3.1 strips all, so that
/// a problem is not found by who writes about it).
const REGISTER: &str = "thread post posts posted op edit tldr lol lmao imo imho fwiw btw upvote reddit discord forum sub anyone folks guys \
hey hello hi dear topic help helps helped helpful advance appreciate appreciated wondering wonder question questions idea ideas suggest \
suggestion suggestions solution solutions solve solved possible possibility possibilities able unable option options feature features \
similar example examples case cases following follow face faced facing add adding added prospect pipeline eoq forecast champion discovery \
demo pilot stakeholder crm rep buyer followup";

/// Words that say that there is trouble, not which: they name a topic with the word beside them only, as in `login fails`.
const TROUBLE: &str = "issue issues problem problems error errors exception exceptions message messages bug bugs fail fails failed \
failing failure failures work works worked working trouble troubles wrong broken";

/// Stop words that make a topic with the word beside them: `ran out`, `no signal`, `on call`.
const PARTICLES: &str = "no not twice without never off on out up down back over under";
/// Those of them that say where.
const PLACES: &str = "off on out up down back over under";

fn set(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}

static STOP_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| &set(STOP) | &set(REGISTER));
static TROUBLE_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(TROUBLE));
static PARTICLE_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(PARTICLES));
static PLACE_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(PLACES));
static STEMMER: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// One word on its way to a term.
struct Word {
    surface: String,
    stem: String,
    part: Part,
    /// Makes a topic with a neighbour only.
    particle: bool,
    /// Punctuation stands between this word and the one before.
    begins_clause: bool,
}

/// The terms of `text` in text order: single words, then pairs of neighbours within a clause.
pub(super) fn terms(text: &str) -> Vec<Term> {
    let words = words(text);
    let mut found = words
        .iter()
        .filter(|w| w.part == Part::Topic)
        .map(|w| Term { stem: w.stem.clone(), surface: w.surface.clone() })
        .collect::<Vec<_>>();
    // Stop words between two words do not part them; a particle counts as a neighbour, but not beside another particle.
    let mut before: Option<&Word> = None;
    for word in &words {
        if word.begins_clause {
            before = None;
        }
        if word.part == Part::Glue && !word.particle {
            continue;
        }
        if let Some(before) = before.filter(|b| !(b.particle && word.particle)) {
            found.push(Term {
                stem: format!("{} {}", before.stem, word.stem),
                surface: format!("{} {}", before.surface, word.surface),
            });
        }
        before = Some(word);
    }
    found
}

/// The words of `text`, lower-case with single spaces: two texts with the same words have the same key.
pub(super) fn word_key(text: &str) -> String {
    text.nfkc().collect::<String>().to_lowercase().unicode_words().collect::<Vec<_>>().join(" ")
}

/// Whether `word` (lower-case, without apostrophe) carries no topic.
pub(super) fn is_stop(word: &str) -> bool {
    STOP_WORDS.contains(word) || PARTICLE_WORDS.contains(word) || TROUBLE_WORDS.contains(word)
}

/// What a word does in a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It names a topic.
    Topic,
    /// It says that there is trouble, not which.
    Trouble,
    /// It holds others together.
    Glue,
}

/// What `word` (as written) does in a phrase, its letters in lower case, and its stem; what holds others together has none.
pub(super) fn part(word: &str) -> (Part, String, String) {
    let lower = word.to_lowercase();
    let surface = lower.replace(['\'', '’'], "");
    let part = if TROUBLE_WORDS.contains(surface.as_str()) {
        Part::Trouble
    } else if STOP_WORDS.contains(surface.as_str())
        || PARTICLE_WORDS.contains(surface.as_str())
        || !carries_meaning(&surface)
    {
        Part::Glue
    } else {
        Part::Topic
    };
    let stem = match part {
        Part::Glue => surface.clone(),
        Part::Topic | Part::Trouble => STEMMER.stem(without_possessive(&lower)).into_owned(),
    };
    (part, surface, stem)
}

/// Whether `word` (lower-case) says where something is or goes.
pub(super) fn is_place(word: &str) -> bool {
    PLACE_WORDS.contains(word)
}

fn words(text: &str) -> Vec<Word> {
    let text = text.nfkc().collect::<String>().to_lowercase();
    let mut words = Vec::new();
    let mut begins_clause = true;
    for chunk in text.split_whitespace() {
        if is_address(chunk) {
            begins_clause = true;
            continue;
        }
        let mut end = 0;
        for (at, word) in chunk.unicode_word_indices() {
            begins_clause |= parts_clause(&chunk[end..at]);
            end = at + word.len();
            let (part, surface, stem) = part(word);
            let particle = part == Part::Trouble || PARTICLE_WORDS.contains(surface.as_str());
            words.push(Word { surface, stem, part, particle, begins_clause });
            begins_clause = false;
        }
        begins_clause |= parts_clause(&chunk[end..]);
    }
    words
}

/// The word without a possessive ending; the stemmer sees no apostrophes.
pub(super) fn without_possessive(word: &str) -> &str {
    word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word)
}

fn is_address(chunk: &str) -> bool {
    chunk.contains("://") || chunk.starts_with("www.") || chunk.starts_with('@')
}

fn parts_clause(between: &str) -> bool {
    between.contains(['.', ',', ';', ':', '!', '?', '(', ')', '"', '“', '”', '—', '|', '*'])
}

fn carries_meaning(word: &str) -> bool {
    let lone = word.len() == 1;
    // `40am` of `6:40am`.
    let clock = word.starts_with(|c: char| c.is_ascii_digit())
        && matches!(word.trim_start_matches(|c: char| c.is_ascii_digit()), "am" | "pm");
    !lone && !clock && word.len() <= MAX_WORD && word.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stems(text: &str) -> Vec<String> {
        terms(text).into_iter().map(|t| t.stem).collect()
    }

    #[test]
    fn words_of_one_family_are_one_term() {
        for (one, other) in [
            ("syncing", "Synced"),
            ("the van's battery", "van battery"),
            ("don’t invoices", "don't invoice"),
            ("ﬁlter", "filters"),
        ] {
            assert_eq!(stems(one), stems(other), "{one} / {other}");
        }
    }

    #[test]
    fn stop_words_addresses_and_numbers_are_no_terms() {
        assert_eq!(stems("I can't, they didn't and won't 42 https://a.example/x @sam"), Vec::<String>::new());
        assert_eq!(stems("6:40am, or 7pm"), Vec::<String>::new());
    }

    #[test]
    fn a_particle_joins_a_pair_but_stands_for_nothing_alone() {
        assert_eq!(stems("no signal"), ["signal", "no signal"]);
        assert_eq!(stems("not home"), ["home", "not home"]);
        assert_eq!(stems("never back out"), Vec::<String>::new());
        assert_eq!(stems("the login fails"), ["login", "login fail"]);
        assert_eq!(stems("I have a problem, it does not work"), Vec::<String>::new());
    }

    #[test]
    fn pairs_do_not_cross_punctuation() {
        assert_eq!(
            stems("lost photos. blank screen"),
            ["lost", "photo", "blank", "screen", "lost photo", "blank screen"]
        );
    }

    #[test]
    fn the_key_ignores_case_and_punctuation() {
        assert_eq!(word_key("Same  here!!"), word_key("same here"));
        assert_ne!(word_key("same here"), word_key("same there"));
    }
}
