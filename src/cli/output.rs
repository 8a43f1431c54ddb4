//! What a run says on standard output: lines for people, or one JSON object a line for machines.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use anyhow::Result;
use serde_json::Value;

use crate::app::App;
use crate::model::comparison::{AgreeingV1, ComparisonV1, CountsV1, ProblemV1, RateV1, SplitV1, VariantV1};
use crate::store::Failure;
use crate::summary::StageSummary;
use crate::text::display;

/// Failures shown after a stage; the rest are in `candor status`.
const FAILURES_SHOWN: usize = 8;

/// Standard output in the form asked for.
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    pub(super) fn json(&self) -> bool {
        self.json
    }

    /// A line for people; machines do not get it.
    pub(super) fn line(&mut self, text: &str) -> Result<()> {
        if !self.json {
            writeln!(io::stdout(), "{text}")?;
        }
        Ok(())
    }

    /// A line for both.
    pub(super) fn raw(&mut self, text: &str) -> Result<()> {
        Ok(writeln!(io::stdout(), "{text}")?)
    }

    /// A value as one line of JSON.
    pub(super) fn value(&mut self, value: &impl serde::Serialize) -> Result<()> {
        self.raw(&serde_json::to_string(value)?)
    }

    /// A stage's last word.
    pub(super) fn summary(&mut self, summary: &StageSummary) -> Result<()> {
        if self.json { self.value(summary) } else { self.line(&sentence(summary)) }
    }

    /// A stage's last word, and what failed in it.
    pub(super) async fn stage(&mut self, app: &App, summary: &StageSummary) -> Result<()> {
        self.summary(summary)?;
        if summary.failed > 0 {
            self.failures(app, &[summary.stage]).await?;
        }
        Ok(())
    }

    /// The first recorded failures of `stages`, on standard error, with where to find the rest.
    pub(super) async fn failures(&mut self, app: &App, stages: &[&str]) -> Result<()> {
        let mut failures = app.store.failures().await?;
        failures.retain(|failure| stages.iter().any(|stage| is_of(failure, stage)));
        let mut err = io::stderr();
        for failure in failures.iter().take(FAILURES_SHOWN) {
            let line = format!("  {}: {}: {}", failure.stage, failure.unit, failure.reason);
            writeln!(err, "{}", display::plain(&line))?;
        }
        if failures.len() > FAILURES_SHOWN {
            writeln!(err, "  and {} more; `candor status` lists all", failures.len() - FAILURES_SHOWN)?;
        }
        Ok(())
    }

    /// The comparison: JSON as published, or a table.
    pub(super) fn comparison(&mut self, summary: &StageSummary, comparison: &ComparisonV1) -> Result<()> {
        if self.json {
            return self.value(comparison);
        }
        self.summary(summary)?;
        let mut head = vec!["problem", "of people", "of accounts", "verdict"];
        head.extend(comparison.scope.is_some().then_some("by all people"));
        let mut table = plain_table(&head);
        for problem in &comparison.problems {
            table.add_row(comparison_row(problem, comparison));
        }
        self.line(&table.to_string())?;
        for component in &comparison.components {
            self.line(&format!("\n{}", wrapped(&format!("{}: {}", component.name, component.says), "")))?;
        }
        if let Some(split) = comparison.optimism.split.as_ref().filter(|split| split.asked.of > 0) {
            self.line(&format!("\n{}", wrapped(&split_line(split, comparison.accounts_by_hand()), "")))?;
        }
        for says in qualified(comparison) {
            self.line(&format!("\n{}", wrapped(&says, "")))?;
        }
        self.line("")?;
        for caveat in &comparison.caveats {
            self.line(&wrapped(&format!("- {caveat}"), "  "))?;
        }
        let decided = comparison.thresholds.iter().map(|t| format!("{}: {}", t.what, t.value)).collect::<Vec<_>>();
        if !decided.is_empty() {
            self.line(&format!("\n{}", wrapped(&format!("decided by: {}", decided.join("; ")), "")))?;
        }
        Ok(())
    }
}

/// The one word for the whole, what moved, and what other days say: one paragraph each.
fn qualified(comparison: &ComparisonV1) -> Vec<String> {
    let mut says = Vec::new();
    if let Some(overall) = &comparison.overall
        && let (Some(worst), Some(grade)) = (&overall.worst, &overall.grade)
    {
        let graded = format!("of {} of {} parts with enough evidence", overall.graded, overall.of);
        says.push(format!("worst part: {}, {grade}; {graded}", worst.replace('_', " ")));
    }
    if let Some(moved) = &comparison.moved {
        let names = moved.problems.iter().filter(|m| m.community.moved || m.crm.moved).map(|m| m.name.as_str());
        let unbacked = moved.unbacked.is_some_and(|u| u.moved).then_some("unbacked optimism");
        let names = names.chain(unbacked).collect::<Vec<_>>();
        let names = if names.is_empty() { "nothing that can be told from noise".to_owned() } else { names.join(", ") };
        says.push(format!("moved since {}: {names}", moved.before.why));
    }
    let kept = |v: &VariantV1| format!("{} of {} with {}", v.same_sign.hits, v.same_sign.of, v.what);
    let kept = comparison.sensitivity.iter().map(kept).collect::<Vec<_>>();
    if !kept.is_empty() {
        says.push(format!("called problems that keep their sign: {}", kept.join(", ")));
    }
    for run in &comparison.relabelled {
        let changed = if run.changed.is_empty() {
            "every finding stands".to_owned()
        } else {
            format!("not {}", run.changed.join(", "))
        };
        says.push(format!("{} ({} items): {changed}", run.what, grouped(run.items)));
    }
    if let Some(multiverse) = &comparison.multiverse {
        let name =
            |id: &str| comparison.problems.iter().find(|p| p.id == id).map_or(id, |p| p.name.as_str()).to_owned();
        let gap = |gap: &AgreeingV1| {
            let CountsV1 { hits, of } = gap.same_verdict;
            format!("{} {hits} of {of}{}", name(&gap.id), if gap.stable { "" } else { " (not stable)" })
        };
        let gaps = multiverse.components.iter().chain(&multiverse.problems).map(gap).collect::<Vec<_>>();
        says.push(format!("the same verdict by {} pairs of readers: {}", multiverse.readers.len(), gaps.join(", ")));
        says.extend(multiverse.left_out.iter().map(|why| format!("not compared: {why}")));
    }
    says
}

/// Whether a failure was met in a stage. Two summaries may be of one stage (`crm import` and `crm`).
fn is_of(failure: &Failure, stage: &str) -> bool {
    stage.split(' ').next() == Some(failure.stage.as_str())
}

/// Columns of the terminal; 80 in a pipe.
pub(super) fn terminal_width() -> usize {
    comfy_table::Table::new().width().map_or(80, usize::from)
}

/// A paragraph broken at the terminal's width, further lines indented by `indent`.
pub(super) fn wrapped(text: &str, indent: &str) -> String {
    textwrap::fill(&display::plain(text), textwrap::Options::new(terminal_width()).subsequent_indent(indent))
}

/// A borderless table that fits the terminal.
pub(super) fn plain_table(headers: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic);
    table.set_header(headers);
    table
}

/// Who was asked, what is behind it either way, and what became of promises.
fn split_line(split: &SplitV1, by_hand: bool) -> String {
    let share = |rate| share(rate, by_hand);
    format!(
        "asked: {} of the accounts described as strongly interested. Nothing behind: {} of those never asked, {} of those asked. Counted \
         by machine: {} of {} promises kept that were due, {} due and never told of, {} of {} for no day that is named; accounts with a \
         step that only the note vouches for: {}.",
        share(&split.asked),
        share(&split.unbacked_not_asked),
        share(&split.unbacked_asked),
        split.kept.hits,
        split.kept.of,
        split.untold.hits,
        split.undated.hits,
        split.undated.of,
        split.note_only.hits,
    )
}

fn comparison_row(problem: &ProblemV1, comparison: &ComparisonV1) -> Vec<String> {
    let mut row = vec![
        display::plain(&problem.name),
        share(&problem.community, comparison.people_by_hand()),
        share(&problem.crm, comparison.accounts_by_hand() || problem.crm.is_census()),
        problem.verdict.replace('_', " "),
    ];
    row.extend(
        problem.unfiltered.as_ref().map(|all| {
            format!("{}; {}", share(&all.community, all.community.is_census()), all.verdict.replace('_', " "))
        }),
    );
    row
}

/// `31% (24–38%; machine count 40 of 128)`, and without an interval `machine count 40 of 128`.
fn share(rate: &RateV1, by_hand: bool) -> String {
    let counted = format!("{} count {} of {}", if by_hand { "hand" } else { "machine" }, rate.hits, rate.of);
    match (rate.low, rate.high) {
        (Some(low), Some(high)) => {
            format!("{:.0}% ({:.0}–{:.0}%; {counted})", rate.rate * 100.0, low * 100.0, high * 100.0)
        }
        _ => counted,
    }
}

/// `collect   1,903 done, 12 skipped, 0 failed, 1.2 s · files: read 4, refused 0 · …`.
fn sentence(summary: &StageSummary) -> String {
    let mut text = format!(
        "{:<10} {} done, {} skipped, {} failed, {:.1} s",
        summary.stage,
        grouped(summary.done),
        grouped(summary.skipped),
        grouped(summary.failed),
        summary.took_ms as f64 / 1000.0
    );
    for (name, value) in summary.detail.iter().filter(|(name, _)| ![FORMATS, ZONELESS].contains(&name.as_str())) {
        let shown = brief(value);
        if !shown.is_empty() && is_told(name, value) {
            let line = format!("           {}: {shown}", in_words(name));
            let _ = write!(text, "\n{}", wrapped(&line, "             "));
        }
    }
    if let Some(Value::Object(formats)) = summary.detail.get(FORMATS)
        && !formats.is_empty()
    {
        let told = |name: &&String| formats.values().any(|counts| counts[name.as_str()].as_u64() != Some(0));
        let names = formats.values().next().and_then(Value::as_object).into_iter().flat_map(serde_json::Map::keys);
        let names = names.filter(told).collect::<Vec<_>>();
        let headers = names.iter().map(|name| if *name == "skipped" { "left out" } else { name.as_str() });
        let mut table = plain_table(&std::iter::once("format").chain(headers).collect::<Vec<_>>());
        for (name, counts) in formats {
            let counts = names.iter().map(|name| grouped(counts[name.as_str()].as_u64().unwrap_or(0)));
            table.add_row(std::iter::once(name.clone()).chain(counts).collect::<Vec<_>>());
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
        let _ = write!(text, "\n{table}");
    }
    text
}

/// What a collection tells of each format, shown as a table.
const FORMATS: &str = "formats";

/// How many dates name no zone, which a notice says in a sentence.
const ZONELESS: &str = "zoneless_dates";

/// What is told only where there is something to tell.
const BY_THE_WAY: [&str; 9] = [
    "undated",
    "flawed",
    "accounts_kept",
    "segments",
    "opportunities",
    "after_the_outcome",
    "conversations",
    "companions",
    "assets",
];

fn is_told(name: &str, value: &Value) -> bool {
    !(BY_THE_WAY.contains(&name) && is_nothing(value))
}

/// What is called for machines in a way that says little to a reader, and the words for it.
const IN_WORDS: [(&str, &str); 10] = [
    ("companions", "lists that go with them"),
    ("assets", "pictures and the like"),
    ("skipped_why", "left out because"),
    ("moved", "messages put into them"),
    ("streams", "channels cut"),
    ("stood_twice", "messages that stood in two files"),
    ("undated", "fields that could not be read"),
    ("flawed", "notes with broken bytes"),
    ("accounts_kept", "accounts with data of their own"),
    ("after_the_outcome", "notes after the end of their deal"),
];

/// The name of a value for a reader. That of a file stands as it is.
fn in_words(name: &str) -> String {
    match IN_WORDS.iter().find(|(key, _)| *key == name) {
        Some((_, words)) => (*words).to_owned(),
        None if name.contains(['.', '/']) => name.to_owned(),
        None => name.replace('_', " "),
    }
}

/// Whether a value is zero, or of zeros alone.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().all(is_nothing),
        other => other.as_u64() == Some(0),
    }
}

/// A value in a few words: objects as `name value, name value`, empty things not at all.
fn brief(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => grouped(whole),
            None => format!("{:.3}", number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::Bool(yes) => yes.to_string(),
        Value::Array(items) => {
            let shown = items.iter().map(|item| named(item).unwrap_or_else(|| brief(item))).collect::<Vec<_>>();
            let between = if shown.iter().any(|item| item.ends_with('.')) { " " } else { ", " };
            shown.join(between)
        }
        Value::Object(fields) => {
            let told = fields.iter().filter(|(name, value)| is_told(name, value));
            let shown = told.map(|(name, value)| format!("{} {}", in_words(name), brief(value)));
            shown.collect::<Vec<_>>().join(", ")
        }
    }
}

/// A thing with a name of its own by that and its numbers; `--json` has the rest.
fn named(value: &Value) -> Option<String> {
    let fields = value.as_object()?;
    let name = fields.get("name")?.as_str()?;
    let numbers = fields.iter().filter(|(_, value)| value.is_number());
    let numbers = numbers.map(|(what, number)| format!("{} {}", brief(number), what.replace('_', " ")));
    Some(format!("“{name}” ({})", numbers.collect::<Vec<_>>().join(", ")))
}

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn failures_are_shown_after_their_stage() {
        let failure = Failure::new("crm", "n.csv, record 3", "no account");
        assert!(is_of(&failure, "crm import") && is_of(&failure, "crm") && !is_of(&failure, "collect"));
    }

    #[test]
    fn who_counted_is_said_beside_every_share() {
        let counted = RateV1 { hits: 32, of: 160, rate: 0.2, low: None, high: None, n_eff: None, labels: 0 };
        let measured = RateV1 { rate: 0.27, low: Some(0.17), high: Some(0.41), labels: 74, ..counted };
        assert_eq!(share(&measured, false), "27% (17–41%; machine count 32 of 160)");
        assert_eq!(share(&measured, true), "27% (17–41%; hand count 32 of 160)");
        assert_eq!(share(&counted, false), "machine count 32 of 160");
    }

    #[test]
    fn a_summary_speaks_to_a_reader() {
        let began = std::time::Instant::now();
        let said = |segments: u64| {
            let summary = StageSummary::new("crm import", began, 1, 0, 0)
                .with("files", json!({"read": 1, "refused": 0, "assets": 2}))
                .with("undated", 0)
                .with("segments", json!({"accounts": segments, "told_otherwise": 0}))
                .with("day_order", json!({"my_notes/of_may.csv": "day first"}))
                .with("zoneless_dates", 7);
            sentence(&summary)
        };
        let none = said(0);
        assert!(none.contains("pictures and the like 2") && none.contains("my_notes/of_may.csv day first"), "{none}");
        assert!(
            !none.contains("could not be read") && !none.contains("segments") && !none.contains("zoneless"),
            "{none}"
        );
        assert!(said(3).contains("segments: accounts 3, told otherwise 0"));
    }

    #[test]
    fn values_are_brief() {
        assert_eq!(brief(&json!({"read": 4, "refused": 0})), "read 4, refused 0");
        assert_eq!(brief(&json!({})), "");
        let problems = json!([{"name": "No export", "terms": ["csv"], "people": 8}, {"name": "Slow", "people": 5}]);
        assert_eq!(brief(&problems), "“No export” (8 people), “Slow” (5 people)");
        assert_eq!(brief(&json!(["It is so.", "And so."])), "It is so. And so.");
    }
}
