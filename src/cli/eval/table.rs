//! An evaluation as people read it: tables that fit 80 columns, intervals beside every score.

use std::fmt::Write as _;

use super::{BaselineReport, Report};
use crate::cli::output::{grouped, wrapped};
use crate::eval::Score;
use crate::model::ActKind;
use crate::text::display;

/// The whole report.
pub(super) fn text(report: &Report) -> String {
    let mut lines = vec![heading(report), String::new()];
    match report.kind {
        "post" => posts(report, &mut lines),
        _ => notes(report, &mut lines),
    }
    footer(report, &mut lines);
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

fn heading(report: &Report) -> String {
    let (texts, clusters) = match report.kind {
        "post" => ("posts", "threads"),
        _ => ("notes", "accounts"),
    };
    let files = display::plain(&report.files.join(", "));
    let (count, groups) = (grouped(report.texts as u64), grouped(report.clusters as u64));
    let line = format!("{files}\nread by {} ({})\n", report.reader, report.recipe);
    format!("{line}{count} {texts} in {groups} {clusters}; 95% intervals over {clusters}")
}

fn posts(report: &Report, lines: &mut Vec<String>) {
    lines.push(format!("{:<18}{:>5}  {:<16}{:<16}{:<16}", "act", "n", "precision", "recall", "F1"));
    for act in ActKind::ALL {
        for (suffix, name) in [("", act.as_str()), ("_sure", "  not arguable"), ("_weighted", "  weighted")] {
            if let Some(f1) = find(&report.scores, &format!("f1{suffix}"), act.as_str()) {
                let of = |measure: &str| cell(find(&report.scores, &format!("{measure}{suffix}"), act.as_str()));
                let (name, precision, recall) = (name.replace('_', " "), of("precision"), of("recall"));
                lines.push(format!("{name:<18}{:>5}  {precision:<16}{recall:<16}{}", f1.n, cell(Some(f1))));
            }
        }
    }
    let mean = find(&report.scores, "f1", "macro");
    lines.push(format!("{:<57}{}", "mean over acts", cell(mean)));
    lines.push(String::new());
    if !report.baselines.is_empty() {
        baselines(report, lines);
    }
    if let Some(characters) = find(&report.scores, "span_f1", "all") {
        let quotes = find(&report.scores, "quotes_in_place", "all");
        lines.push(told("quoted characters agree", Some(characters), "acts rightly found"));
        lines.push(told("quotes overlap a label", quotes, "quotes of these"));
    }
    if let Some(voice) = find(&report.scores, "voice_accuracy", "all") {
        lines.push(told("voice right", Some(voice), "posts"));
    }
    for (prefix, over) in [("", "judgements"), ("claim_", "acts claimed")] {
        let score = |measure: &str| find(&report.scores, &format!("{prefix}{measure}"), "all");
        if let Some(brier) = score("brier") {
            lines.push(told("Brier score", Some(brier), over));
            lines.push(told("calibration error, debiased", score("ece"), over));
        }
    }
}

fn baselines(report: &Report, lines: &mut Vec<String>) {
    let mut head = format!("{:<18}{:>5}  {:<14}", "F1", "n", "this reader");
    report.baselines.iter().for_each(|b| head.push_str(&format!("{:<14}", b.name)));
    lines.push(head);
    for act in ActKind::ALL.into_iter().map(ActKind::as_str).chain(["macro"]) {
        let Some(ours) = find(&report.scores, "f1", act) else { continue };
        let name = if act == "macro" { "mean over acts".to_owned() } else { act.replace('_', " ") };
        let n = if act == "macro" { String::new() } else { ours.n.to_string() };
        let mut line = format!("{name:<18}{n:>5}  {:<14}", cell(Some(ours)));
        for baseline in &report.baselines {
            let f1 = find(&baseline.scores, "f1", act);
            let shown = f1.map_or_else(|| "–".to_owned(), |f1| format!("{}{}", mark(baseline, act), cell(Some(f1))));
            // Writing to a string cannot fail.
            let _ = write!(line, "{shown:<14}");
        }
        lines.push(line);
    }
    lines.push("< surely below this reader, > surely above (paired over the same draws)".to_owned());
    lines.push(String::new());
}

/// Whether a baseline is surely worse or better than the reader at an act.
fn mark(baseline: &BaselineReport, act: &str) -> &'static str {
    match find(&baseline.gains, "f1_gain", act) {
        Some(Score { low: Some(low), .. }) if *low > 0.0 => "<",
        Some(Score { high: Some(high), .. }) if *high < 0.0 => ">",
        _ => " ",
    }
}

fn notes(report: &Report, lines: &mut Vec<String>) {
    lines.push(format!("{:<18}{:>5}  {:<16}{:<16}{:<16}", "quotes", "n", "precision", "recall", "F1"));
    for part in ["compliments", "fluff", "pains", "objections"] {
        let of = |measure: &str| find(&report.scores, measure, part);
        let Some(f1) = of("f1") else { continue };
        let (precision, recall) = (cell(of("precision")), cell(of("recall")));
        lines.push(format!("{part:<18}{:>5}  {precision:<16}{recall:<16}{}", f1.n, cell(Some(f1))));
    }
    lines.push(String::new());
    lines.push(format!("{:<34}{:>5}  {:<16}{:<16}", "scales", "n", "quadratic kappa", "exact"));
    for (measure, name) in [
        ("interest", "interest, 0 to 4"),
        ("commitment", "buyer's highest, promised or kept"),
        ("commitment_any_status", "buyer's highest, any status"),
    ] {
        let of = |end: &str| find(&report.scores, &format!("{measure}_{end}"), "all");
        let n = of("exact").map_or(0, |s| s.n);
        lines.push(format!("{name:<34}{n:>5}  {:<16}{}", cell(of("kappa")), cell(of("exact"))));
    }
    lines.push(String::new());
    for (measure, part, name, over) in [
        ("asked_accuracy", "all", "asked right", "notes"),
        ("kind_accuracy", "objections", "objection's kind right", "objections found"),
        ("elicitation_accuracy", "pains", "pain's origin right", "pains found"),
        ("specific_accuracy", "pains", "pain specific or not right", "pains found"),
    ] {
        if let Some(score) = find(&report.scores, measure, part) {
            lines.push(told(name, Some(score), over));
        }
    }
    if let Some(r) = report.redaction {
        let (notes, with_words, changed) = (grouped(r.notes), grouped(r.with_words), grouped(r.changed));
        lines.push(wrapped(
            &format!(
                "Redaction: of {notes} notes that claim interest {with_words} have words that tell how a deal ended (signed, won, lost, …); \
                 without them {changed} are read with another interest, and calibration moves by {} points over all notes ({}), {} \
                 over these",
                points(r.moved),
                if r.passes() { "less than 1 is asked for" } else { "1 or more: the forecast leans on them" },
                points(r.moved_with_words),
            ),
            "  ",
        ));
    }
    let apart = report.scores.iter().filter(|s| s.measure.ends_with("of_those_apart"));
    for score in apart {
        let scale = score.measure.trim_end_matches("of_those_apart").replace('_', " ");
        let what = if score.act == "all" { scale.trim() } else { &score.act };
        lines.push(told(&format!("apart: {what}"), Some(score), "on which the labellings differ"));
    }
}

/// With one decimal, its sign and a true minus: `+0.4`.
fn points(share: f64) -> String {
    format!("{:+.1}", 100.0 * share).replace('-', "−")
}

fn footer(report: &Report, lines: &mut Vec<String>) {
    let share = |name: &str| find(&report.scores, &format!("quotes_{name}"), "all");
    if let Some(exact) = share("exact") {
        let count = |name: &str| share(name).map_or(0.0, |s| s.value.unwrap_or(0.0) * s.n as f64).round();
        let (exact_count, repaired, rejected) = (count("exact"), count("repaired"), count("rejected"));
        let proposed = grouped(exact.n);
        lines
            .push(format!("{proposed} quotes proposed: {exact_count} exact, {repaired} repaired, {rejected} rejected"));
    }
    if let Some(usage) = report.usage {
        let cost = usage.cost.map_or_else(|| "no price configured".to_owned(), |cost| format!("cost {cost:.4}"));
        let (sent, received) = (grouped(usage.prompt_tokens), grouped(usage.completion_tokens));
        lines.push(format!("{sent} tokens sent, {received} received; {cost}"));
        if usage.unanswered > 0 {
            lines.push(format!("{} texts got no answer of the asked form", grouped(usage.unanswered)));
        }
    }
    if let Some(speed) = &report.speed {
        let whole = |value: f64| grouped(value.round() as u64);
        if speed.texts_per_second < 10.0 {
            lines.push(format!("{:.1} texts a minute", 60.0 * speed.texts_per_second));
        } else {
            let (texts, characters) = (whole(speed.texts_per_second), whole(speed.characters_per_second));
            lines.push(format!("{texts} texts, {characters} characters a second"));
        }
    }
    if report.reader == "embedded" {
        lines.push(format!("\n{}", wrapped(SEEN, "")));
    }
}

/// What figures of the shipped weights do not say.
const SEEN: &str = "The shipped weights were fitted to the labelled texts that eval/README.md names. On those, these figures \
                    show fit, not quality; for posts, --held-out judges each without having seen its thread.";

fn find<'a>(scores: &'a [Score], measure: &str, act: &str) -> Option<&'a Score> {
    scores.iter().find(|s| s.measure == measure && s.act == act)
}

/// `voice right  .81 .77–.85 of 408 posts`.
fn told(name: &str, score: Option<&Score>, over: &str) -> String {
    let n = score.map_or(0, |s| s.n);
    format!("{name:<34}{:<16}of {} {over}", cell(score), grouped(n))
}

/// `.77 .71–.82`; a dash where there is nothing to say.
fn cell(score: Option<&Score>) -> String {
    let Some(Score { value: Some(value), low, high, .. }) = score else { return "–".to_owned() };
    match (low, high) {
        (Some(low), Some(high)) => format!("{} {}–{}", short(*value), short(*low), short(*high)),
        _ => short(*value),
    }
}

/// Two decimals without the leading zero: `.77`, `1.00`, `-.05`.
fn short(value: f64) -> String {
    let text = format!("{:.2}", (value * 100.0).round() / 100.0 + 0.0);
    match text.strip_prefix('-') {
        Some(rest) => format!("-{}", rest.trim_start_matches('0')),
        None if text.starts_with("0.") => text[1..].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [(0.774, ".77"), (1.0, "1.00"), (-0.051, "-.05"), (-0.001, ".00"), (0.0, ".00")] {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn the_longest_cell_fits_its_column() {
        let score = Score { low: Some(1.0), high: Some(1.0), ..Score::plain("f1", "ask", Some(1.0), 1) };
        assert_eq!(cell(Some(&score)).chars().count(), 14);
        assert_eq!(cell(None), "–");
    }
}
