//! Texture slots that an explicit phrase fills (METHOD 1.3). Nothing is inferred: a slot without words of its own stays empty.

use std::cell::LazyCell;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::analysis::Analysis;
use super::cued;
use super::cues::GRAMMAR;
use super::details::pattern;
use super::words::{Kind, Word};
use crate::model::{Act, Evidence, Fit, Slot, SlotValue, Span, TextureSlot};

/// Hours in a working day, days in a working week: what "two days" of work means (METHOD leaves it open; stated here).
const DAY_HOURS: f64 = 8.0;

/// Occasions of a period in a month.
const PER_MONTH: [(&str, f64); 4] = [("day", 21.0), ("week", 52.0 / 12.0), ("month", 1.0), ("year", 1.0 / 12.0)];

const NUMBER: &str = r"\d+(?:[.,]\d+)?|half an|half a|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|fifty|sixty";

static HOURS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)\b(?P<low>{NUMBER})(?:\s*(?:-|(?u:–)|to|or)\s*(?P<high>{NUMBER}))?\s*(?P<unit>hours?|hrs?|h|minutes?|mins?|days?)\b(?:\s*(?:of work\s*)?(?:a|an|per|every|each|/)\s*(?P<per>day|night|week|month|year|shift|job)\b)?"
    ))
});

static MONEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:(?P<sign>(?u:[$€£]))\s?(?P<amount>\d+(?:,\d{3})*(?:\.\d+)?)\s?(?P<k>k\b)?|\b(?P<amount2>\d+(?:,\d{3})*(?:\.\d+)?)\s?(?P<k2>k\s)?\s?(?P<word>dollars|bucks|usd|euros?|eur|pounds|quid|gbp)\b)(?:\s*(?:a|an|per|every|each|/)\s*(?P<per>day|week|month|mo|year|yr|seat|user|job)\b)?",
    )
});

static FREQUENCY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:(?P<daily>every (?:single )?(?:day|morning|night|evening|shift)|daily|nightly|(?:\d+|once|twice|three times|several times|multiple times)(?: times)? (?:a|per|every) day)|(?P<weekly>every (?:single )?(?:week|monday|tuesday|wednesday|thursday|friday|saturday|sunday)|weekly|(?:\d+|once|twice|three|four|several|multiple)(?: times)? (?:a|per|this|every) week)|(?P<monthly>every (?:single )?month(?:[- ]end)?|monthly|(?:\d+|once|twice|three|several|multiple)(?: times)? (?:a|per|every) month|(?:second|third|fourth|fifth|2nd|3rd|4th|5th) time this month)|(?P<yearly>every (?:single )?year|yearly|annually)|(?P<vague>all the time|constantly|always|every (?:single )?time|non[- ]?stop|continually))\b",
    )
});

static DURATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(&format!(
        r"(?i)\b(?:for|over|in\s+the\s+(?:past|last)|past|last)\s+(?:the\s+)?(?:past\s+|last\s+)?(?:about\s+|almost\s+|nearly\s+|over\s+|more than\s+)?(?P<n>{NUMBER}|several|a couple of|a few)\s+(?P<unit>weeks?|months?|years?)(?:\s+now)?\b"
    ))
});

static ROLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:i am|i(?u:['’])m|im|i work as|as)\s+(?:an?|the)\s+(?P<role>(?:[a-z-]+\s){0,3}?(?:manager|owner|developer|engineer|admin(?:istrator)?|dispatcher|accountant|bookkeeper|teacher|nurse|designer|founder|technician|plumber|electrician|contractor|student|analyst|consultant|freelancer|sysadmin|technician|tech|director|lead|supervisor|operator|driver|clerk))\b|\bi\s+(?P<runs>(?:run|own|manage|handle|do)\s+(?:the|a|an|our|my)\s+(?:[a-z0-9-]+\s){0,3}?(?:office|shop|business|team|dispatch|payroll|books|company|crew|store|practice|firm|outfit|warehouse|front desk|schedule))\b",
    )
});

static PAYS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:we|i)(?:(?u:['’])m| am|(?u:['’])re| are)?\s+(?:already\s+|still\s+|now\s+)?(?:pay|paying|paid|spend|spent)\s+(?u:[^.!?\n]{0,60}?)(?:(?u:[$€£])\s?\d[\d,.]*k?|\d[\d,.]*\s?(?:dollars|bucks|euros?|pounds|quid))",
    )
});

/// Words that make an amount of time a cost rather than a moment.
static COSTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:spen[dt]\w*|wast\w+|los[et]\w*|losing|tak(?:e|es|en|ing)|took|cost\w*|eats?|burn\w*|reconcil\w+|re-?typ\w+|re-?key\w+|re-?enter\w+|by hand|manually|chas\w+|fix\w+|extra|overtime|on the phone|cleaning up|sorting|drive|driving|drove)\b",
    )
});

/// What must stand before "a day" for it to be a cost: "twice a day" and "$20 a day" are none.
static TAKES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:spen[dt]\w*|wast\w+|los[et]s?|losing|tak(?:es?|en|ing)|took|costs?|costing|eats?|burn\w*)\s+(?:[a-z]+\s+){0,2}$",
    )
});

/// What a word may be part of. One look at each word spares most sentences the patterns.
mod hint {
    /// A number in words, or an article that stands for one.
    pub(super) const COUNT: u16 = 1;
    pub(super) const TIME_UNIT: u16 = 1 << 1;
    pub(super) const MONEY: u16 = 1 << 2;
    pub(super) const OFTEN: u16 = 1 << 3;
    /// What something may happen once in.
    pub(super) const PERIOD: u16 = 1 << 4;
    pub(super) const BEFORE_PERIOD: u16 = 1 << 5;
    pub(super) const LONG_UNIT: u16 = 1 << 6;
    pub(super) const LASTING: u16 = 1 << 7;
    pub(super) const PERSON: u16 = 1 << 8;
    pub(super) const BEFORE_PERSON: u16 = 1 << 9;
    pub(super) const PLACE: u16 = 1 << 10;
    pub(super) const BEFORE_PLACE: u16 = 1 << 11;
    /// A tool by its name, when written with a capital.
    pub(super) const TOOL: u16 = 1 << 12;
    pub(super) const BEFORE_TOOL: u16 = 1 << 13;
    pub(super) const ARTICLE: u16 = 1 << 14;
    /// No tool, although it is written with a capital.
    pub(super) const NO_TOOL: u16 = 1 << 15;
}

/// The words that the slots need, by what they are part of. They are numbered with the words of the cues.
pub(super) const HINTS: &[(u16, &str)] = &[
    (
        hint::COUNT,
        "a an one two three four five six seven eight nine ten twelve fifteen twenty thirty forty fifty sixty several of few",
    ),
    (hint::TIME_UNIT, "hour hours hr hrs h minute minutes min mins day days"),
    (hint::MONEY, "dollars bucks usd euro euros eur pounds quid gbp"),
    (hint::OFTEN, "every daily nightly weekly monthly yearly annually constantly always continually nonstop non"),
    (hint::PERIOD, "day week month time"),
    (hint::BEFORE_PERIOD, "a per this the"),
    (hint::LONG_UNIT, "week weeks month months year years"),
    (hint::LASTING, "for over past last"),
    (
        hint::PERSON,
        "manager owner developer engineer admin administrator dispatcher accountant bookkeeper teacher nurse designer founder technician plumber electrician contractor student analyst consultant freelancer sysadmin tech director lead supervisor operator driver clerk",
    ),
    (hint::BEFORE_PERSON, "am as"),
    (
        hint::PLACE,
        "office shop business team dispatch payroll books company crew store practice firm outfit warehouse desk schedule",
    ),
    (hint::BEFORE_PLACE, "run own manage handle do"),
    (
        hint::TOOL,
        "excel sheets whatsapp zapier airtable notion trello slack jira salesforce hubspot quickbooks outlook gmail dropbox",
    ),
    (hint::BEFORE_TOOL, "use uses used using tried with via through from in into to on left ditched"),
    (hint::ARTICLE, "the our a"),
    (
        hint::NO_TOOL,
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october november december english french german spanish europe america canada australia england germany france india china japan reddit christmas easter i my me we our the this that it they he she god mr mrs ms dr",
    ),
];

/// What the words of a sentence hint at: bits of single words, and slots that neighbours suggest.
#[derive(Default)]
struct Hints {
    words: u16,
    digit: bool,
    /// An amount of time, a period that something may happen in, a length of weeks or more.
    time: bool,
    period: bool,
    length: bool,
}

impl Hints {
    fn of(text: &str, words: &[Word], ids: &[u16]) -> Self {
        let bytes = text.as_bytes();
        let mut hints = Self::default();
        let mut counted = false;
        let mut before = 0;
        for (word, &id) in words.iter().zip(ids) {
            let hint = GRAMMAR.hint(id);
            let digit = bytes[word.start].is_ascii_digit();
            hints.words |= hint;
            hints.digit |= digit;
            // "6h" is one word.
            hints.time |= counted && hint & hint::TIME_UNIT != 0
                || digit
                    && word.kind == Kind::Word
                    && matches!(bytes[word.end - 1] | 0x20, b'h' | b'r' | b's' | b'n' | b'y');
            hints.length |= counted && hint & hint::LONG_UNIT != 0;
            hints.period |= before & hint::BEFORE_PERIOD != 0 && hint & hint::PERIOD != 0;
            counted = digit || hint & hint::COUNT != 0;
            before = hint;
        }
        hints
    }

    fn all(&self, bits: &[u16]) -> bool {
        bits.iter().all(|bit| self.words & bit != 0)
    }
}

/// Where tools are named in a sentence: known names, and what is written with a capital after "use", "with", "in", ….
fn tools(text: &str, words: &[Word], ids: &[u16], mut take: impl FnMut(usize, usize)) {
    let (mut may_follow, mut end) = (false, 0);
    let between = |i: usize| text.get(words[i - 1].end..words[i].start).unwrap_or("none");
    let spaced = |i: usize| i > 0 && between(i).trim().is_empty();
    for (i, (word, &id)) in words.iter().zip(ids).enumerate() {
        let hint = GRAMMAR.hint(id);
        let capital = text.as_bytes()[word.start].is_ascii_uppercase();
        if capital && word.start >= end && word.kind == Kind::Word && is_name(&text[word.start..word.end]) {
            if hint & hint::TOOL != 0 {
                let google = i.checked_sub(1).map(|i| &words[i]).filter(|w| &text[w.start..w.end] == "Google");
                take(google.map_or(word.start, |w| w.start), word.end);
            } else if may_follow && hint & hint::NO_TOOL == 0 && spaced(i) {
                let next = words.get(i + 1).filter(|w| &text[word.end..w.start.max(word.end)] == " ");
                let next =
                    next.filter(|w| is_name(&text[w.start..w.end]) && GRAMMAR.hint(ids[i + 1]) & hint::NO_TOOL == 0);
                end = next.map_or(word.end, |w| w.end);
                take(word.start, end);
            }
        }
        may_follow = hint & hint::BEFORE_TOOL != 0 || may_follow && hint & hint::ARTICLE != 0;
    }
}

/// Whether a word is written as a name is: a capital first, small letters too.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_uppercase()) && word.bytes().any(|b| b.is_ascii_lowercase())
}

/// Every filled slot, in text order.
pub(super) fn texture(text: &str, analysis: &Analysis, acts: &[(Act, Evidence, f64)]) -> Vec<TextureSlot> {
    let mut slots = Vec::new();
    for sentence in &analysis.sentences {
        let (words, base) = (&text[sentence.span.range()], sentence.span.start());
        let mut add = |slot: Slot, start: usize, end: usize, value: SlotValue| {
            let evidence =
                Span::trimmed(text, base + start..base + end).and_then(|s| Evidence::cut(text, s, Fit::Exact));
            slots.extend(evidence.map(|evidence| TextureSlot { slot, evidence, value }));
        };
        let (its_words, ids) = (&analysis.words[sentence.words.clone()], &analysis.ids[sentence.words.clone()]);
        let hints = Hints::of(text, its_words, ids);
        if hints.time {
            let costs = LazyCell::new(|| COSTS.as_ref().is_some_and(|c| c.is_match(words)));
            each(&HOURS, words, |found| {
                let per = found.name("per").map(|p| p.as_str().to_lowercase());
                let lone = found.name("low").is_some_and(|low| low.as_str().eq_ignore_ascii_case("a"));
                let takes = |found: &Captures<'_>| {
                    let before = found.get(0).map_or("", |all| &words[..all.start()]);
                    TAKES.as_ref().is_some_and(|t| t.is_match(before))
                };
                let is_cost = if lone { takes(found) } else { per.is_some() || *costs };
                if let Some(value) = hours(found, per.clone()).filter(|_| is_cost) {
                    whole(found, |s, e| add(Slot::CostTime, s, e, value.clone()));
                }
            });
        }
        if hints.digit && (hints.all(&[hint::MONEY]) || ["$", "€", "£"].iter().any(|sign| words.contains(sign))) {
            each(&MONEY, words, |found| {
                if let Some(value) = money(found) {
                    whole(found, |s, e| add(Slot::CostMoney, s, e, value.clone()));
                }
            });
            each(&PAYS, words, |found| whole(found, |s, e| add(Slot::AlreadyPays, s, e, SlotValue::Text)));
        }
        if hints.period || hints.all(&[hint::OFTEN]) {
            each(&FREQUENCY, words, |found| {
                let rates = [
                    ("daily", "daily"),
                    ("weekly", "weekly"),
                    ("monthly", "monthly"),
                    ("yearly", "yearly"),
                    ("vague", "continuous"),
                ];
                if let Some((name, rate)) = rates.into_iter().find(|(name, _)| found.name(name).is_some()) {
                    let value = SlotValue::Frequency { rate: rate.to_owned(), vague: name == "vague" };
                    whole(found, |s, e| add(Slot::Frequency, s, e, value.clone()));
                }
            });
        }
        if hints.length && hints.all(&[hint::LASTING]) {
            each(&DURATION, words, |found| {
                if let Some(months) = months(found) {
                    whole(found, |s, e| add(Slot::Duration, s, e, SlotValue::Months { months }));
                }
            });
        }
        if hints.all(&[hint::PERSON, hint::BEFORE_PERSON]) || hints.all(&[hint::PLACE, hint::BEFORE_PLACE]) {
            each(&ROLE, words, |found| {
                if let Some(part) = ["role", "runs"].iter().find_map(|name| found.name(name)) {
                    add(Slot::ActorRole, part.start(), part.end(), SlotValue::Text);
                }
            });
        }
        if hints.words & (hint::TOOL | hint::BEFORE_TOOL) != 0 {
            tools(text, its_words, ids, |start, end| {
                add(Slot::ToolsInvolved, start - base, end - base, SlotValue::Text);
            });
        }
    }
    slots.extend(cued::slots(text, analysis, acts));
    for (act, ..) in acts {
        if let Act::FailedWorkaround { means: Some(means), .. } | Act::Workaround { means: Some(means) } = act {
            slots.push(TextureSlot { slot: Slot::Attempts, evidence: means.clone(), value: SlotValue::Text });
        }
    }
    slots.sort_by_key(|s| (s.evidence.span(), s.slot));
    slots.dedup_by(|a, b| a.slot == b.slot && a.evidence.span() == b.evidence.span());
    slots
}

fn each(pattern: &LazyLock<Option<Regex>>, words: &str, mut take: impl FnMut(&Captures<'_>)) {
    if let Some(pattern) = pattern.as_ref() {
        pattern.captures_iter(words).for_each(|found| take(&found));
    }
}

fn whole(found: &Captures<'_>, take: impl FnOnce(usize, usize)) {
    if let Some(all) = found.get(0) {
        take(all.start(), all.end());
    }
}

fn number(word: &str) -> Option<f64> {
    let word = word.to_lowercase();
    let words = [
        ("half an", 0.5),
        ("half a", 0.5),
        ("a", 1.0),
        ("an", 1.0),
        ("one", 1.0),
        ("two", 2.0),
        ("three", 3.0),
        ("four", 4.0),
        ("five", 5.0),
        ("six", 6.0),
        ("seven", 7.0),
        ("eight", 8.0),
        ("nine", 9.0),
        ("ten", 10.0),
        ("twelve", 12.0),
        ("fifteen", 15.0),
        ("twenty", 20.0),
        ("thirty", 30.0),
        ("forty", 40.0),
        ("fifty", 50.0),
        ("sixty", 60.0),
        ("a couple of", 2.0),
        ("a few", 3.0),
        ("several", 4.0),
    ];
    let spelled = words.iter().find(|(name, _)| *name == word).map(|(_, n)| *n);
    spelled.or_else(|| word.replace(',', ".").parse().ok()).filter(|n: &f64| n.is_finite() && *n > 0.0)
}

fn hours(found: &Captures<'_>, per: Option<String>) -> Option<SlotValue> {
    let unit = match found.name("unit")?.as_str().to_lowercase().chars().next()? {
        'h' => 1.0,
        'm' => 1.0 / 60.0,
        _ => DAY_HOURS,
    };
    let low = number(found.name("low")?.as_str())? * unit;
    let high = found.name("high").and_then(|h| number(h.as_str())).map_or(low, |h| h * unit);
    let rate =
        per.as_deref().and_then(|p| PER_MONTH.iter().find(|(name, _)| *name == p || (p == "night" && *name == "day")));
    let per_month = rate.map(|(_, times)| (low + high) / 2.0 * times);
    Some(SlotValue::Hours { low, high: high.max(low), per, per_month })
}

fn money(found: &Captures<'_>) -> Option<SlotValue> {
    let amount =
        found.name("amount").or_else(|| found.name("amount2"))?.as_str().replace(',', "").parse::<f64>().ok()?;
    let thousands = found.name("k").or_else(|| found.name("k2")).is_some();
    let currency = match (found.name("sign").map(|s| s.as_str()), found.name("word").map(|w| w.as_str().to_lowercase()))
    {
        (Some("€"), _) => "EUR",
        (Some("£"), _) => "GBP",
        (Some(_), _) => "USD",
        (None, Some(word)) if word.starts_with("eur") => "EUR",
        (None, Some(word)) if matches!(word.as_str(), "pounds" | "quid" | "gbp") => "GBP",
        _ => "USD",
    };
    let per = found.name("per").map(|p| match p.as_str().to_lowercase().as_str() {
        "mo" => "month".to_owned(),
        "yr" => "year".to_owned(),
        other => other.to_owned(),
    });
    Some(SlotValue::Money {
        amount: if thousands { amount * 1000.0 } else { amount },
        currency: currency.to_owned(),
        per,
    })
}

fn months(found: &Captures<'_>) -> Option<f64> {
    let n = number(found.name("n")?.as_str())?;
    let unit = found.name("unit")?.as_str().to_lowercase();
    Some(match unit.chars().next()? {
        'w' => n * 12.0 / 52.0,
        'm' => n,
        _ => n * 12.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for pattern in [&HOURS, &MONEY, &FREQUENCY, &DURATION, &ROLE, &PAYS, &COSTS, &TAKES] {
            assert!(pattern.is_some());
        }
    }

    fn read(text: &str) -> Vec<(Slot, String)> {
        let slots = texture(text, &super::super::analysis::analyse(text), &[]);
        slots.into_iter().map(|s| (s.slot, s.evidence.quote().to_owned())).collect()
    }

    #[test]
    fn explicit_phrases_fill_slots() {
        for (text, slot, quote) in [
            ("I spend 6 hours a week retyping invoices.", Slot::CostTime, "6 hours a week"),
            ("It takes two to three hours every month.", Slot::CostTime, "two to three hours every month"),
            ("We pay $480 a month for that.", Slot::CostMoney, "$480 a month"),
            ("It drops rows every single day.", Slot::Frequency, "every single day"),
            ("Broken for the past 3 months now.", Slot::Duration, "for the past 3 months now"),
            ("We track it in Excel.", Slot::ToolsInvolved, "Excel"),
            ("I'm the office manager here.", Slot::ActorRole, "office manager"),
        ] {
            let found = read(text);
            assert!(found.contains(&(slot, quote.to_owned())), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_moment_is_no_cost() {
        for text in [
            "I called two hours ago and nobody answered.",
            "It crashes twice a day and I lose everything.",
            "They charge $20 a day and waste our money.",
        ] {
            let found = read(text);
            assert!(!found.iter().any(|(slot, _)| *slot == Slot::CostTime), "{text}: {found:?}");
        }
        assert!(read("Every crash means we lose a day.").contains(&(Slot::CostTime, "a day".to_owned())));
    }

    #[test]
    fn days_and_countries_are_no_tools() {
        for text in ["It broke on Monday.", "We went to France in May.", "I moved on to The next one."] {
            assert!(!read(text).iter().any(|(slot, _)| *slot == Slot::ToolsInvolved), "{text}: {:?}", read(text));
        }
        assert_eq!(read("We do it with Google Sheets."), [(Slot::ToolsInvolved, "Google Sheets".to_owned())]);
    }

    #[test]
    fn what_is_to_come_has_not_lasted() {
        assert!(!read("The fix ships in 3 weeks.").iter().any(|(slot, _)| *slot == Slot::Duration));
    }

    #[test]
    fn rates_become_hours_a_month() {
        let text = "We waste 3 hours every week.";
        let slots = texture(text, &super::super::analysis::analyse(text), &[]);
        let value = slots.iter().find(|s| s.slot == Slot::CostTime).map(|s| s.value.clone());
        assert_eq!(
            value,
            Some(SlotValue::Hours { low: 3.0, high: 3.0, per: Some("week".to_owned()), per_month: Some(13.0) })
        );
    }
}
