//! What an act is about: severity, means and outcome, what is asked, what is left for what. Read from explicit phrases in
//! the quoted words; a part that is not said is not filled.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::analysis::{Analysis, bit};
use crate::model::{Act, ActKind, AskKind, Evidence, Fit, Severity, Span, SwitchStage};

/// A pattern of this program's own; tests compile them all. Letters and word boundaries are those of ASCII, in either case:
/// with Unicode's, every text with a typographic quote falls to the slowest of the regex engines.
pub(super) fn pattern(text: &str) -> Option<Regex> {
    Regex::new(&format!("(?-u){text}")).ok()
}

macro_rules! patterns {
    ($($name:ident = $text:expr;)+) => {
        $(static $name: LazyLock<Option<Regex>> = LazyLock::new(|| pattern($text));)+

        #[cfg(test)]
        mod compiled {
            #[test]
            fn every_pattern_compiles() {
                $(assert!(super::$name.is_some(), stringify!($name));)+
            }
        }
    };
}

patterns! {
    // From the attempt to what came of it.
    TURN = r"(?i)(?u:[,;:.(–—-])*\s*\b(?:but|however|yet|though|although|except|only to|and (?:it|that|they|then|still|now|nothing)|still|which (?:just|only|still)|until|it just|it still|no luck|didn'?t|doesn'?t|does not|did not|to no avail|without success)\b";
    FROM_TO = r"(?i)\b(?:from|off)\s+(?P<from>(?:[\w'.&-]+\s){0,3}?[\w'.&-]+)\s+(?:to|over to|onto)\s+(?P<to>[\w'&-]+(?:\s(?-i:[A-Z])[\w'&-]+)?)";
    TO = r"(?i)\b(?:(?:switch(?:ed|ing)?|mov(?:e|ed|ing)|migrat(?:e|ed|ing)|chang(?:e|ed|ing)|went|jump(?:ed|ing)?)(?:\s+back|\s+over)?|(?:going|go)\s+(?:back|over))\s+(?:to|onto)\s+(?P<to>(?:a |an |the )?[\w'&-]+(?:\s(?-i:[A-Z])[\w'&-]+)?)";
    LEFT = r"(?i)\b(?:left|leav(?:e|ing)|ditch(?:ed|ing)?|drop(?:ped|ping)?|cancel(?:l?ed|l?ing)?|quit(?:ting)?|dump(?:ed|ing)?|stopped using|gave up on|giving up on|got rid of|done with|replac(?:e|ed|ing)|(?:c[ao]me|coming|mov(?:e|ed|ing)|migrat(?:e|ed|ing)) off(?: of)?)\s+(?:our |my |the )?(?P<from>[\w'&-]+(?:\s(?-i:[A-Z])[\w'&-]+)?)";
    REASON = r"(?i)\b(?:because|since|as|due to|after|over)\s+(?P<reason>(?u:.+))$";
    BACK = r"(?i)\b(?:(?:went|gone|going|go|came|come|moved|switched) back|returned) (?:to|from)\b";
    CONSIDERING = r"(?i)\b(?:think(?:ing)? (?:of|about)|consider(?:ing)?|debating|tempted|might|may|about to|looking (?:at|to|into|for)|should (?:i|we)|wondering|if (?:this|it) (?:keeps|happens|does))\b";
    DECIDED = r"(?i)\b(?:going to|gonna|will|'ll|decided|deciding|we're|i'm) (?:be )?(?:switch|mov|leav|cancel|drop|migrat|replac|go|ditch|quit|chang)";
}

static ASKED: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    RegexSet::new([
        r"(?i)\b(?:recommend\w*|alternatives?|suggest\w*|what (?:do|does|are|is) (?:you|everyone|everybody|people|folks|y'?all) us\w+|which (?:app|tool|software|one|program|service)|any(?:one|body) (?:us(?:e|ing)|know of|tried)|(?:app|tool|software|program|service|plugin|product) (?:that|which|to|for)|looking for an?)\b",
        r"(?i)\b(?:how much|pric(?:e|es|ing)|discount|cheaper|cost)\b",
        r"(?i)\b(?:how (?:do|does|can|to|would|should|are)|a way (?:to|of)|any way (?:to|of)|way around)\b",
    ])
    .ok()
});

/// What is not named by the word after a verb of switching when that is one of these: pronouns, prepositions, adverbs, days.
const NO_NAMES: &str = "it its this that these those them they their him his her us me you your mine ours yours theirs one ones all both \
    everything everyone anything something nothing another other new different after before at in on for with without to from of off \
    by over under until till since because and or but as when while if so than then there here where just too again now today \
    yesterday tomorrow tonight soon early late last next back out up down away ago about around only even also already be \
    january february march april may june july august september october november december monday tuesday wednesday thursday \
    friday saturday sunday spring summer autumn fall winter year years month months week weeks day days two three four five six \
    seven eight nine ten eleven twelve";

/// The act with what the quoted words say about it.
pub(super) fn act(kind: ActKind, text: &str, evidence: &Evidence, analysis: &Analysis, index: usize) -> Act {
    let words = evidence.quote();
    match kind {
        ActKind::Complaint => Act::Complaint { severity: severity(analysis.sentences[index].groups) },
        ActKind::FailedWorkaround => {
            let (means, why_failed) = attempt(text, evidence, analysis, index);
            Act::FailedWorkaround { means, why_failed }
        }
        ActKind::Workaround => Act::Workaround { means: Some(evidence.clone()) },
        ActKind::Ask => Act::Ask { kind: asked(words) },
        ActKind::Switch => switch(text, evidence),
        ActKind::Praise => Act::Praise,
    }
}

fn says(pattern: &LazyLock<Option<Regex>>, words: &str) -> bool {
    pattern.as_ref().is_some_and(|p| p.is_match(words))
}

/// Cue groups of each level of reproach, strongest first.
static REPROACH: LazyLock<[(u128, Severity); 3]> = LazyLock::new(|| {
    [
        (bit("severity.blame"), Severity::Blame),
        (bit("severity.accusation"), Severity::Accusation),
        (bit("severity.disapproval"), Severity::Disapproval),
    ]
});

fn severity(groups: u128) -> Severity {
    let found = REPROACH.iter().find(|(bits, _)| groups & bits != 0);
    found.map_or(Severity::NoReproach, |(_, severity)| *severity)
}

/// The attempt up to the turn ("but", "still", …) and what follows it; without a turn the attempt is the quote and the
/// outcome the next sentence, when that one turns.
fn attempt(text: &str, evidence: &Evidence, analysis: &Analysis, index: usize) -> (Option<Evidence>, Option<Evidence>) {
    let at = evidence.span();
    let turn = TURN.as_ref().and_then(|turn| turn.find_iter(evidence.quote()).find(|m| m.start() > 8));
    if let Some(turn) = turn {
        return (cut(text, at.start()..at.start() + turn.start()), cut(text, at.start() + turn.start()..at.end()));
    }
    let next = analysis.sentences.get(index + 1).map(|s| s.span);
    let outcome = next
        .filter(|span| TURN.as_ref().and_then(|turn| turn.find(&text[span.range()])).is_some_and(|m| m.start() < 12));
    (Some(evidence.clone()), outcome.and_then(|span| Evidence::cut(text, span, Fit::Exact)))
}

/// `range` of `text` without white space and punctuation around it.
fn cut(text: &str, range: Range<usize>) -> Option<Evidence> {
    let slice = text.get(range.clone())?;
    let inner = slice.trim_start_matches(|c: char| c.is_whitespace() || ",;:.-–—(".contains(c));
    let start = range.start + (slice.len() - inner.len());
    let inner = inner.trim_end_matches(|c: char| c.is_whitespace() || ",;:(-–—".contains(c));
    Evidence::cut(text, Span::new(text, start, start + inner.len())?, Fit::Exact)
}

fn asked(words: &str) -> AskKind {
    let found = ASKED.as_ref().map(|set| set.matches(words));
    match found {
        Some(found) if found.matched(0) => AskKind::ToolRecommendation,
        Some(found) if found.matched(1) => AskKind::Price,
        Some(found) if found.matched(2) => AskKind::How,
        _ => AskKind::Feature,
    }
}

fn switch(text: &str, evidence: &Evidence) -> Act {
    let words = evidence.quote();
    let base = evidence.span().start();
    let part = |pattern: &LazyLock<Option<Regex>>, name: &str| {
        let found = pattern.as_ref()?.captures(words)?.name(name)?;
        if name != "reason" && !is_name(found.as_str()) {
            return None;
        }
        cut(text, base + found.start()..base + found.end())
    };
    let stage = if says(&BACK, words) {
        SwitchStage::Reversed
    } else if says(&CONSIDERING, words) {
        SwitchStage::Considering
    } else if says(&DECIDED, words) {
        SwitchStage::Decided
    } else {
        SwitchStage::Done
    };
    Act::Switch {
        from: part(&FROM_TO, "from").or_else(|| part(&LEFT, "from")),
        to: part(&FROM_TO, "to").or_else(|| part(&TO, "to")),
        stage,
        reason: part(&REASON, "reason"),
    }
}

/// Whether `words` may be what somebody left or went to.
fn is_name(words: &str) -> bool {
    let mut words =
        words.split_whitespace().map(str::to_lowercase).skip_while(|w| ["a", "an", "the"].contains(&w.as_str()));
    let first = words.next().unwrap_or_default();
    first.contains(char::is_alphabetic) && !NO_NAMES.split_whitespace().any(|no| no == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `text` says was left, and what for.
    fn switched(text: &str) -> [Option<String>; 2] {
        let all = Evidence::cut(text, Span::new(text, 0, text.len()).unwrap(), Fit::Exact).unwrap();
        match switch(text, &all) {
            Act::Switch { from, to, .. } => [from, to].map(|e| e.map(|e| e.quote().to_owned())),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_switch_names_things_and_neither_days_nor_pronouns() {
        for (text, from, to) in [
            ("We moved from VanBoard to Crewlane in January.", Some("VanBoard"), Some("Crewlane")),
            ("Moved off JobHarbor to Torqly last year", Some("JobHarbor"), Some("Torqly")),
            ("We left JobHarbor in February and went to VanBoard, so", Some("JobHarbor"), Some("VanBoard")),
            ("We switched over to Field Desk after that", None, Some("Field Desk")),
            ("Came off Torqly, which was losing me photos", Some("Torqly"), None),
            ("we gave up on the app for this", Some("app"), None),
            ("we're going to cancel Torqly", Some("Torqly"), None),
            ("Lasted from September to just before Christmas", None, None),
            ("andre quit last may, we switched off his login", None, None),
            ("dropped after six weeks", None, None),
            ("So I dropped it.", None, None),
            ("we cancelled too, today.", None, None),
        ] {
            assert_eq!(switched(text), [from, to].map(|name| name.map(str::to_owned)), "{text}");
        }
    }
}
