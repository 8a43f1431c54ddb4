//! Whether a quote makes sense to somebody who has read nothing else.
//!
//! The one rule: it is judged by its words alone, so that the same words are worth the same everywhere.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

use unicode_segmentation::UnicodeSegmentation;

/// Words that refer to what was said before, when a quote begins with them.
const DANGLING: &str = "and but so or which that thats this it its they them he she then also because cause who whose where yes yeah yep \
no nope same these those than except plus ditto however anyway therefore instead otherwise exactly agreed there if though although since \
like still well ok okay actually even maybe not just both either neither such another unfortunately whereas while";

/// Words that speak to somebody, when a quote begins with them.
const ADDRESSING: &str = "hi hello hey thanks thank thx sorry please you your have did do does are could can would will check try make sure \
what how why when any anyone anybody is has let";

/// Words that point at something outside of the quote, wherever they stand in it.
const POINTING: &str = "above below attached screenshot screenshots following link linked mentioned earlier previous reply answer answered \
yours suggested thread ticket pr";

/// Words that refer to what was said before, when a quote ends with them.
const OPEN_ENDS: [&str; 7] = ["this", "that", "it", "them", "these", "those", "here"];

/// Words by which somebody opens with what they are not sure of.
const HEDGES: [&str; 8] = ["guess", "suppose", "wonder", "wondering", "think", "believe", "maybe", "perhaps"];

/// Words that only a whole clause has: it says that somebody does or is something.
const FINITE: &str = "am is are was were be been have has had do does did can cant cannot could couldnt will wont would wouldnt should \
shouldnt might must dont doesnt didnt isnt arent wasnt werent im ive id were its thats get gets got getting keep keeps kept need needs \
needed want wants wanted try tries tried trying take takes took make makes made go goes went lose loses lost fail fails failed see sees saw \
seen find finds found run runs ran running work works worked say says said show shows showed shown throw throws threw give gives gave break \
breaks broke stop stops stopped crash crashes crashed happen happens happened use uses used using spend spends spent wait waits waited \
waiting end ends ended turn turns turned come comes came return returns returned miss misses missed";

/// Words for who has the problem.
const SOMEBODY: &str = "i im ive id we were weve our us my me mine users user people customers customer team teams staff everyone everybody \
nobody";

/// Words that say that something is in the way.
const OBSTACLE: &str = "cannot cant couldnt wont wouldnt doesnt dont didnt isnt arent wasnt werent not no never without unable fail fails \
failed failing failure error errors exception crash crashes crashed crashing stuck broken broke breaks breaking slow slowly lost lose loses \
losing missing miss wrong wrongly stopped stops hard difficult impossible nobody nothing problem problems issue issues trouble struggle \
struggling manually again only still waste wasted hours late timeout timeouts timed empty blank corrupt corrupted duplicate duplicated \
denied refused rejected hangs hanging freezes frozen annoying painful confusing tedious bug bugs unless instead too incorrect incorrectly \
unusable disappear disappears disappeared double twice forever";

/// Frequent words that are about nothing, of four letters and more; shorter ones are not counted at all.
const COMMON: &str = "about above after again also always another anyone anything because been before being best better both cannot cant come \
comes could couldnt didnt does doesnt doing done dont each even ever every from getting give goes going good great have havent having here \
https idea issue issues just keep kind know last like little look looking looks made make makes many maybe mean more most much must need \
needs never nothing okay once only other ours over please pretty problem problems question quite really right said same seems should since \
some someone something still such sure take than thank thanks that thats their them then there these they thing things think this those time \
times trying tried under until upon using used very want wanted wants well went were what when where which while will with without wont \
work working works would wouldnt year years your yours able solution solved help possible example case";

fn set(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}

static DANGLING_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(DANGLING));
static ADDRESSING_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(ADDRESSING));
static POINTING_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(POINTING));
static FINITE_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(FINITE));
static SOMEBODY_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(SOMEBODY));
static OBSTACLE_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(OBSTACLE));
static COMMON_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(COMMON));

/// Those of them that say so only beside others: `double click`, `only when`.
const FAINT: [&str; 8] = ["only", "still", "again", "too", "instead", "unless", "double", "nothing"];

/// Words that say that it is over, or how.
const OVER: [&str; 7] = ["fixed", "solved", "resolved", "solution", "workaround", "managed", "found"];

/// Words that refer to another one's trouble after `same`.
const TROUBLE: [&str; 6] = ["problem", "issue", "error", "question", "thing", "situation"];

/// Words that a quote is about before it says enough.
const ABOUT: usize = 5;
/// Words after which a reference to what was said before may be resolved within the quote.
const OPENING: usize = 5;
/// Words within which a quote may begin with a label: `Small update:`.
const LABEL: usize = 2;
/// Share of letters and spaces in speech, and signs that make code.
const SPEECH: f32 = 0.9;
const CODE: usize = 3;

/// Whether `word` (lower-case, without apostrophe) says that something is in the way.
pub fn is_obstacle(word: &str) -> bool {
    OBSTACLE_WORDS.contains(word)
}

/// Whether a quote is what somebody says. What programs write (logs, traces, settings) has more signs than speech.
pub fn is_speech(quote: &str) -> bool {
    let letters = quote.chars().filter(|c| c.is_alphabetic() || c.is_whitespace()).count();
    let signs = quote.matches(['_', '{', '}', '[', ']', '=', '<', '>', '|', '\\', '/']).count();
    signs < CODE && letters as f32 >= SPEECH * quote.chars().count() as f32
}

/// How well a quote stands alone, in 0..=1: a whole sentence of some length, about something, in which somebody is hindered, and
/// which does not lean on what stands before or after it.
///
/// The product of a factor for each of these; a quote that has all of them is worth 1.
pub fn stands_alone(quote: &str) -> f32 {
    let quote = quote.trim();
    let words = quote.unicode_words().map(|w| w.to_lowercase().replace(['\'', '’'], "")).collect::<Vec<_>>();
    let Some(first) = words.first().map(String::as_str) else { return 0.0 };
    let has = |set: &HashSet<&str>| words.iter().any(|w| set.contains(w.as_str()));
    let opening = &words[..words.len().min(OPENING)];
    let opens = |word: &str| opening.iter().any(|w| w == word);

    let length = match words.len() {
        8..=28 => 1.0,
        6..=7 | 29..=36 => 0.8,
        5 | 37..=50 => 0.6,
        _ => 0.35,
    };
    let as_others = words.windows(2).any(|two| two[0] == "same" && TROUBLE.contains(&two[1].as_str()));
    let leans = if opens("same") || opens("similar") || as_others {
        0.4
    } else if DANGLING_WORDS.contains(first) {
        0.5
    } else if ["this", "that", "it", "they", "them", "too", "also", "these", "those"].iter().any(|w| opens(w)) {
        0.75
    } else {
        1.0
    };
    let ends_open = if words.last().is_some_and(|w| OPEN_ENDS.contains(&w.as_str())) { 0.8 } else { 1.0 };
    let speaks_to = if ADDRESSING_WORDS.contains(first) || quote.contains('@') || words.iter().any(|w| w == "your") {
        0.6
    } else {
        1.0
    };
    let unknown = |two: &[String]| {
        matches!([two[0].as_str(), two[1].as_str()], ["dont", "know" | "understand"] | ["not", "sure"])
    };
    let hedges = opening.iter().any(|w| HEDGES.contains(&w.as_str())) || opening.windows(2).any(unknown);
    let unsure = if hedges { 0.7 } else { 1.0 };
    let points = if has(&POINTING_WORDS) { 0.7 } else { 1.0 };
    let begins = quote.starts_with(|c: char| c.is_uppercase() || c.is_numeric());
    let ends = quote.ends_with(['.', '!', '?']);
    let whole = match (begins, ends) {
        (true, true) => 1.0,
        (true, false) => 0.95,
        (false, true) => 0.85,
        (false, false) => 0.75,
    };
    let cut = if quote.ends_with(['…', ',', '(', '-', ';']) || quote.ends_with("..") || quote.contains('\n') {
        0.6
    } else {
        1.0
    };
    let announces = if quote.ends_with(':') { 0.3 } else { 1.0 };
    let clause = if has(&FINITE_WORDS) { 1.0 } else { 0.7 };
    let somebody = if has(&SOMEBODY_WORDS) { 1.0 } else { 0.9 };
    let mut obstacles = words.iter().map(String::as_str).filter(|w| OBSTACLE_WORDS.contains(w)).peekable();
    let obstacle = match (obstacles.peek().is_some(), obstacles.any(|w| !FAINT.contains(&w))) {
        (false, _) => 0.5,
        (true, false) => 0.75,
        (true, true) => 1.0,
    };
    let is_over = if words.iter().any(|w| OVER.contains(&w.as_str())) { 0.7 } else { 1.0 };
    let label = quote.split_whitespace().take(LABEL).any(|w| w.ends_with(':'));
    let labelled = if label { 0.7 } else { 1.0 };
    let about = words.iter().filter(|w| w.chars().count() > 3 && !COMMON_WORDS.contains(w.as_str()));
    let about = about.collect::<BTreeSet<_>>().len().min(ABOUT) as f32 / ABOUT as f32;
    let speech = if is_speech(quote) { 1.0 } else { 0.5 };
    length
        * leans
        * speaks_to
        * unsure
        * points
        * whole
        * cut
        * announces
        * ends_open
        * clause
        * somebody
        * obstacle
        * is_over
        * labelled
        * speech
        * (0.2 + 0.8 * about)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONE: &str = "Our printer stops after every second page of a label sheet.";

    #[test]
    fn a_quote_that_leans_on_something_is_worth_less() {
        assert!(stands_alone(ALONE) >= 0.9, "{}", stands_alone(ALONE));
        for worse in [
            "printer",
            "Same here, our printer stops after every second page of a label sheet.",
            "And then our printer stops after every second page of a label sheet.",
            "It stops after every second page of a label sheet, again.",
            "I have this with every second page of a label sheet, it stops.",
            "Our printer stops after every second page of a label sheet,",
            "Our printer stops after every second page of a label sheet:",
            "printer, page, label, sheet, paper, stops",
            "Our printer prints every second page of a label sheet.",
            "I have the same problem on my printer, it stops after a page of a label sheet.",
            "Our printer only double prints every second page of a label sheet.",
            "I found out why the printer stops after every second page of a label sheet.",
            "Note: our printer stops after every second page of a label sheet.",
            "@[someone] our printer stops after every second page of a label sheet.",
            "I don't know why our printer stops after every second page of a label sheet.",
            "I guess our printer stops after every second page of a label sheet.",
            "Did you check that the printer stops after a page of a label sheet?",
            "As in the screenshot, our printer stops after every second page of a label sheet.",
            "printer.rs[12]: stops = page_of(label_sheet) {error}",
            "",
        ] {
            assert!(stands_alone(worse) < 0.8 * stands_alone(ALONE), "{worse}: {}", stands_alone(worse));
        }
    }

    #[test]
    fn any_text_has_a_worth() {
        for odd in ["…", "ß’’", "\u{200b}", "نص", &"word ".repeat(10_000)] {
            assert!((0.0..=1.0).contains(&stands_alone(odd)), "{odd}");
        }
    }
}
