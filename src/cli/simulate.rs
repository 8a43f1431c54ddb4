//! `candor simulate`: worlds whose truth is known, put to the comparison, beside the naive count.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::output::{Output, plain_table, terminal_width, wrapped};
use crate::exit::Exit;
use crate::simulate::score::{Measure, Row};
use crate::simulate::{self, Report, WORLDS};

#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// Which world, as in W2; without one they are listed.
    #[arg(value_name = "WORLD", conflicts_with = "all")]
    world: Option<String>,
    /// Every world, one after the other.
    #[arg(long)]
    all: bool,
    /// Runs of each setting; a coverage of 95% is then known to about 1/sqrt(20 N).
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
    /// Seed; the same seed gives the same table.
    #[arg(long, default_value_t = 1, value_name = "S")]
    seed: u64,
    /// Write the first run of each setting into DIR/WORLD instead: everybody and everything in it, and what is true
    /// (docs/worlds.md tells the format).
    #[arg(long, value_name = "DIR", requires = "world", conflicts_with = "runs")]
    write: Option<PathBuf>,
}

pub(super) fn run(args: &SimulateArgs, out: &mut Output) -> Result<Exit> {
    let worlds = match &args.world {
        Some(name) => vec![simulate::find(name)?],
        None if args.all => WORLDS.iter().collect(),
        None => return list(out),
    };
    if let (Some(dir), [world]) = (&args.write, worlds.as_slice()) {
        let written = simulate::write(world, args.seed, dir)?;
        if out.json() {
            out.value(&serde_json::json!({"v": 1, "world": world.name, "written": written}))?;
        } else {
            for one in &written {
                out.line(&format!("{}: {}", one.folder.display(), one.setting))?;
            }
        }
        return Ok(Exit::Done);
    }
    for world in worlds {
        let report = simulate::run(world, args.runs, args.seed);
        if out.json() {
            out.value(&report)?;
        } else {
            out.line(&text(&report))?;
        }
    }
    Ok(Exit::Done)
}

fn list(out: &mut Output) -> Result<Exit> {
    if out.json() {
        let named = |w: &simulate::World| serde_json::json!({"world": w.name, "truth": w.truth, "shows": w.shows});
        let worlds = WORLDS.iter().map(named).collect::<Vec<_>>();
        out.value(&serde_json::json!({"v": 1, "worlds": worlds}))?;
        return Ok(Exit::Done);
    }
    let mut table = plain_table(&["world", "what is true", "what it must show"]);
    for world in &WORLDS {
        table.add_row([world.name, world.truth, world.shows]);
    }
    table.set_width(u16::try_from(terminal_width()).unwrap_or(80));
    out.line(&table.to_string())?;
    out.line("\ncandor simulate WORLD --runs N tries one, candor simulate --all all of them.")?;
    Ok(Exit::Done)
}

/// A report as people read it, in 80 columns.
fn text(report: &Report) -> String {
    let mut lines = vec![
        wrapped(&format!("{}: {}", report.world, report.truth), "  "),
        wrapped(&format!("must show: {}", report.shows), "  "),
        format!("{} runs, seed {}\n", report.runs, report.seed),
        format!("  {:<26}{:<14}{:>13}{:>12}{:>11}", "", "", "candor", "naive", "refused"),
    ];
    let mut setting = "";
    for row in &report.rows {
        if row.setting != setting {
            setting = &row.setting;
            lines.push(setting.to_owned());
        }
        measures(row, &mut lines);
    }
    lines.extend(grid(&report.rows));
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// One line a measure; that there was no answer stands beside the first.
fn measures(row: &Row, lines: &mut Vec<String>) {
    let mut of = row.of;
    let mut refused = row.value(Measure::Refused).map(|value| short(value, false));
    let shown = [
        (Measure::Coverage, "coverage"),
        (Measure::Type1, "wrong"),
        (Measure::Fdr, "FDR"),
        (Measure::Power, "power"),
        (Measure::Bias, "bias"),
    ];
    let mut told = false;
    for (measure, name) in shown {
        let (value, naive) = (row.value(measure), row.naive(measure));
        if value.is_none() && naive.is_none() {
            continue;
        }
        let signed = measure == Measure::Bias;
        let ours = value.map_or_else(
            || "–".to_owned(),
            |value| format!("{} ±{}", short(value, signed), short(row.error(measure).unwrap_or(0.0), false)),
        );
        let naive = naive.map_or_else(String::new, |value| short(value, signed));
        let refused = refused.take().unwrap_or_default();
        lines.push(format!("  {of:<26}{name:<14}{ours:>13}{naive:>12}{refused:>11}"));
        (of, told) = ("", true);
    }
    if let Some(refused) = refused.filter(|_| !told) {
        lines.push(format!("  {of:<26}{:<14}{:>13}{:>12}{refused:>11}", "", "", ""));
    }
}

/// Power by accounts and people, where a world has several of both.
fn grid(rows: &[Row]) -> Vec<String> {
    let mut cells = BTreeMap::new();
    for row in rows {
        if let (Some(accounts), Some(people), Some(power)) = (row.accounts, row.people, row.value(Measure::Power)) {
            cells.insert((accounts, people), power);
        }
    }
    let distinct = |of: fn(&(usize, usize)) -> usize| {
        let mut sizes = cells.keys().map(of).collect::<Vec<_>>();
        sizes.sort_unstable();
        sizes.dedup();
        sizes
    };
    let (accounts, people) = (distinct(|size| size.0), distinct(|size| size.1));
    if accounts.len() < 2 || people.len() < 2 || cells.len() != accounts.len() * people.len() {
        return Vec::new();
    }
    let mut lines = vec!["\npower to call a gap that is there".to_owned()];
    let mut line = format!("  {:<14}", "");
    for size in &people {
        // Writing to a string cannot fail.
        let _ = write!(line, "{:>14}", format!("{size} people"));
    }
    lines.push(line);
    for size in &accounts {
        let mut line = format!("  {:<14}", format!("{size} accounts"));
        for people in &people {
            let _ = write!(line, "{:>14}", short(cells[&(*size, *people)], false));
        }
        lines.push(line);
    }
    lines
}

/// Three decimals without the leading zero: `.951`, `1.000`, `+.012`.
fn short(value: f64, signed: bool) -> String {
    // Adding zero makes a negative zero positive.
    let value = (value * 1000.0).round() / 1000.0 + 0.0;
    let digits = format!("{:.3}", value.abs());
    let digits = if value.abs() < 1.0 { &digits[1..] } else { &digits };
    let sign = match (value < 0.0, signed) {
        (true, _) => "-",
        (false, true) => "+",
        (false, false) => "",
    };
    format!("{sign}{digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, signed, text) in [
            (0.9514, false, ".951"),
            (1.0, false, "1.000"),
            (0.0121, true, "+.012"),
            (-0.2, true, "-.200"),
            (-0.0001, true, "+.000"),
        ] {
            assert_eq!(short(value, signed), text);
        }
    }

    #[test]
    fn every_line_fits() {
        for name in ["W9", "W12"] {
            let text = text(&simulate::run(simulate::find(name).unwrap(), 2, 1));
            assert!(text.contains("runs, seed 1"));
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{name}: {line}");
            }
        }
    }

    #[test]
    fn power_stands_in_a_table_by_size() {
        let row = |accounts, people| Row {
            setting: String::new(),
            accounts: Some(accounts),
            people: Some(people),
            of: "gaps",
            values: BTreeMap::from([("power".to_owned(), 0.5)]),
        };
        let table = grid(&[row(30, 100), row(30, 400), row(60, 100), row(60, 400)]);
        assert_eq!(table.len(), 4);
        assert!(table[1].contains("400 people") && table[3].contains("60 accounts"), "{table:?}");
        assert!(grid(&[row(30, 100), row(60, 400)]).is_empty(), "not every size was tried");
    }
}
