//! Texture slots that an explicit phrase fills (METHOD 1.3). Nothing is inferred: a slot without words of its own stays empty.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::analysis::Analysis;
use crate::model::{Act, Evidence, Fit, Slot, SlotValue, Span, TextureSlot};

/// Hours in a working day, days in a working week: what "two days" of work means (METHOD leaves it open; stated here).
const DAY_HOURS: f64 = 8.0;

/// Occasions of a period in a month.
const PER_MONTH: [(&str, f64); 4] = [("day", 21.0), ("week", 52.0 / 12.0), ("month", 1.0), ("year", 1.0 / 12.0)];

const NUMBER: &str = r"\d+(?:[.,]\d+)?|half an|half a|an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|fifty|sixty";

static HOURS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?i)\b(?P<low>{NUMBER})(?:\s*(?:-|–|to|or)\s*(?P<high>{NUMBER}))?\s*(?P<unit>hours?|hrs?|h|minutes?|mins?|days?)\b(?:\s*(?:of work\s*)?(?:a|an|per|every|each|/)\s*(?P<per>day|night|week|month|year|shift|job)\b)?"
    ))
    .ok()
});

static MONEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:(?P<sign>[$€£])\s?(?P<amount>\d[\d,]*(?:\.\d+)?)\s?(?P<k>k\b)?|\b(?P<amount2>\d[\d,]*(?:\.\d+)?)\s?(?P<k2>k\s)?\s?(?P<word>dollars|bucks|usd|euros?|eur|pounds|quid|gbp)\b)(?:\s*(?:a|an|per|every|each|/)\s*(?P<per>day|week|month|mo|year|yr|seat|user|job)\b)?",
    )
    .ok()
});

static FREQUENCY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:(?P<daily>every (?:single )?(?:day|morning|night|evening|shift)|daily|nightly|(?:\d+|once|twice|three times|several times|multiple times)(?: times)? (?:a|per|every) day)|(?P<weekly>every (?:single )?(?:week|monday|tuesday|wednesday|thursday|friday|saturday|sunday)|weekly|(?:\d+|once|twice|three|four|several|multiple)(?: times)? (?:a|per|this|every) week)|(?P<monthly>every (?:single )?month(?:[- ]end)?|monthly|(?:\d+|once|twice|three|several|multiple)(?: times)? (?:a|per|every) month|(?:second|third|fourth|fifth|2nd|3rd|4th|5th) time this month)|(?P<yearly>every (?:single )?year|yearly|annually)|(?P<vague>all the time|constantly|always|every (?:single )?time|non[- ]?stop|continually))\b",
    )
    .ok()
});

static DURATION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(&format!(
        r"(?i)\b(?:for|over|in|past|last)\s+(?:the\s+)?(?:past\s+|last\s+)?(?:about\s+|almost\s+|nearly\s+|over\s+|more than\s+)?(?P<n>{NUMBER}|several|a couple of|a few)\s+(?P<unit>weeks?|months?|years?)(?:\s+now)?\b"
    ))
    .ok()
});

static TOOL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"\b(?:[Uu]s(?:e|es|ed|ing)|[Tt]ried|[Ww]ith|[Vv]ia|[Tt]hrough|[Ff]rom|[Ii]nto?|[Tt]o|[Oo]n|[Ll]eft|[Dd]itched)\s+(?:the\s+|our\s+|a\s+)?(?P<tool>[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*(?:\s[A-Z][a-z0-9]+)?)\b|\b(?P<known>Excel|Google Sheets?|WhatsApp|Zapier|Airtable|Notion|Trello|Slack|Jira|Salesforce|HubSpot|QuickBooks|Outlook|Gmail|Dropbox)\b",
    )
    .ok()
});

static ROLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\b(?:i am|i'm|im|i work as|as)\s+(?:an?|the)\s+(?P<role>(?:[a-z-]+\s){0,3}?(?:manager|owner|developer|engineer|admin(?:istrator)?|dispatcher|accountant|bookkeeper|teacher|nurse|designer|founder|technician|plumber|electrician|contractor|student|analyst|consultant|freelancer|sysadmin|technician|tech|director|lead|supervisor|operator|driver|clerk))\b|\bi\s+(?P<runs>(?:run|own|manage|handle|do)\s+(?:the|a|an|our|my)\s+(?:[a-z0-9-]+\s){0,3}?(?:office|shop|business|team|dispatch|payroll|books|company|crew|store|practice|firm|outfit|warehouse|front desk|schedule))\b",
    )
    .ok()
});

static PAYS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:we|i)(?:'m| am|'re| are)?\s+(?:already\s+|still\s+|now\s+)?(?:pay|paying|paid|spend|spent)\s+(?:[^.!?\n]{0,60}?)(?:[$€£]\s?\d[\d,.]*k?|\d[\d,.]*\s?(?:dollars|bucks|euros?|pounds|quid))").ok()
});

/// Words that make an amount of time a cost rather than a moment.
static COSTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:spen[dt]\w*|wast\w+|los[et]\w*|losing|tak(?:e|es|en|ing)|took|cost\w*|eats?|burn\w*|reconcil\w+|re-?typ\w+|re-?key\w+|re-?enter\w+|by hand|manually|chas\w+|fix\w+|extra|overtime|on the phone|cleaning up|sorting|drive|driving|drove)\b").ok()
});

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
        let digits = words.bytes().any(|b| b.is_ascii_digit());
        let costs = COSTS.as_ref().is_some_and(|c| c.is_match(words));
        each(&HOURS, words, |found| {
            let per = found.name("per").map(|p| p.as_str().to_lowercase());
            if let Some(value) = hours(found, per.clone()).filter(|_| costs || per.is_some()) {
                whole(found, |s, e| add(Slot::CostTime, s, e, value.clone()));
            }
        });
        if digits {
            each(&MONEY, words, |found| {
                if let Some(value) = money(found) {
                    whole(found, |s, e| add(Slot::CostMoney, s, e, value.clone()));
                }
            });
            each(&PAYS, words, |found| whole(found, |s, e| add(Slot::AlreadyPays, s, e, SlotValue::Text)));
        }
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
        each(&DURATION, words, |found| {
            if let Some(months) = months(found) {
                whole(found, |s, e| add(Slot::Duration, s, e, SlotValue::Months { months }));
            }
        });
        for (pattern, slot, names) in
            [(&TOOL, Slot::ToolsInvolved, ["tool", "known"]), (&ROLE, Slot::ActorRole, ["role", "runs"])]
        {
            each(pattern, words, |found| {
                if let Some(part) = names.iter().find_map(|name| found.name(name)) {
                    add(slot, part.start(), part.end(), SlotValue::Text);
                }
            });
        }
    }
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
        for pattern in [&HOURS, &MONEY, &FREQUENCY, &DURATION, &TOOL, &ROLE, &PAYS, &COSTS] {
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
        let found = read("I called two hours ago and nobody answered.");
        assert!(!found.iter().any(|(slot, _)| *slot == Slot::CostTime), "{found:?}");
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
