//! `candor label status`: how much is labelled and by whom, and how far annotators agree.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::json;

use crate::app::App;
use crate::cli::output::{Output, plain_table, terminal_width, wrapped};
use crate::compare::agreement::{LabelAgreement, SideAgreement, notes, posts};
use crate::compare::to_label::{SideProgress, labelled};
use crate::exit::Exit;
use crate::model::problem::OTHER;
use crate::model::{Codebook, ProblemId};
use crate::pipeline;
use crate::store::Side;
use crate::text::display;

const LEGEND: &str = "alpha: Krippendorff's, 1 is perfect and 0 is chance, with a 95% interval over whole threads or accounts; \
                      a label is usable for counts from 0.67 with an interval from 0.60, below 0.40 it is merged or dropped. \
                      positive: of those whom one calls so, how far the other does.";

pub(super) async fn run(app: &App, out: &mut Output) -> Result<Exit> {
    let rows = app.store.labels().await?;
    if app.store.sample().await?.is_empty() && rows.is_empty() {
        out.line("Nothing is drawn and nothing is labelled yet; `candor label` begins.")?;
        return Ok(Exit::NothingToDo);
    }
    let seed = app.settings.compare.seed;
    let sample = pipeline::to_label(app).await?;
    let done = labelled(&rows);
    let progress = [Side::Community, Side::Crm].map(|side| sample.progress(side, &done));
    let posts = posts(&rows, &app.store.label_clusters(Side::Community).await?, seed)?;
    let notes = notes(&rows, &app.store.label_clusters(Side::Crm).await?, seed)?;
    if out.json() {
        let side =
            |progress: SideProgress, agreement: &SideAgreement| json!({ "sample": progress, "labels": agreement });
        let [people, accounts] = progress;
        out.value(&json!({
            "v": 1, "community": side(people, &posts), "crm": side(accounts, &notes), "seed": seed,
        }))?;
        return Ok(Exit::Done);
    }
    let codebook = app.store.codebook().await?.map(|(codebook, _)| codebook);
    sample_table(progress, [&posts, &notes], out)?;
    annotator_table(&posts, &notes, out)?;
    for (what, side) in [("posts", &posts), ("notes", &notes)] {
        if side.double > 0 {
            out.line(&format!("\n{} {what} labelled by two people or more", side.double))?;
            agreement_table(&side.labels, codebook.as_ref(), out)?;
        }
    }
    if posts.double + notes.double > 0 {
        out.line(&format!("\n{}", wrapped(LEGEND, "")))?;
    } else if !rows.is_empty() {
        out.line("\nNothing is labelled twice yet: candor label --double 100 --annotator NAME")?;
    }
    Ok(Exit::Done)
}

fn sample_table(progress: [SideProgress; 2], sides: [&SideAgreement; 2], out: &mut Output) -> Result<()> {
    let mut table = plain_table(&["sample", "drawn", "complete", "items", "labelled", "contested", "settled"]);
    for ((name, progress), side) in ["people", "accounts"].into_iter().zip(progress).zip(sides) {
        let numbers = [progress.drawn, progress.complete, progress.items, progress.labelled].map(|n| n.to_string());
        let contested = if side.items == 0 {
            "0".to_owned()
        } else {
            format!("{} ({:.0}%)", side.contested, 100.0 * side.contested as f64 / side.items as f64)
        };
        let row = [vec![name.to_owned()], numbers.to_vec(), vec![contested, side.adjudicated.to_string()]].concat();
        table.add_row(row);
    }
    align_right(&mut table, 1..7);
    out.line(&table.to_string())
}

fn annotator_table(posts: &SideAgreement, notes: &SideAgreement, out: &mut Output) -> Result<()> {
    let names = posts.annotators.keys().chain(notes.annotators.keys()).collect::<BTreeSet<_>>();
    if names.is_empty() {
        return Ok(());
    }
    let mut table = plain_table(&["labelled by", "posts", "notes"]);
    for name in names {
        let [posts, notes] = [posts, notes].map(|side| side.annotators.get(name).copied().unwrap_or(0).to_string());
        table.add_row([display::plain(name), posts, notes]);
    }
    align_right(&mut table, 1..3);
    out.line(&format!("\n{table}"))
}

fn agreement_table(labels: &[LabelAgreement], codebook: Option<&Codebook>, out: &mut Output) -> Result<()> {
    let mut table = plain_table(&["label", "alpha (95%)", "positive", "reading"]);
    table.set_width(u16::try_from(terminal_width()).unwrap_or(u16::MAX));
    for label in labels {
        let interval = label.low.zip(label.high).map(|(low, high)| format!(" ({low:.2} to {high:.2})"));
        let alpha = label.alpha.map_or("–".to_owned(), |alpha| format!("{alpha:.2}{}", interval.unwrap_or_default()));
        let positive = label.positive.map_or("–".to_owned(), |positive| format!("{positive:.2}"));
        table.add_row([display::plain(&name(&label.label, codebook)), alpha, positive, reading(label)]);
    }
    align_right(&mut table, 2..3);
    out.line(&table.to_string())
}

/// What a label is called: a problem by its name, if the list still has it.
fn name(label: &str, codebook: Option<&Codebook>) -> String {
    match label.strip_prefix("problem ") {
        None => label.replace('_', " "),
        Some(OTHER) => "another problem".to_owned(),
        Some(id) => codebook.and_then(|c| c.problem(&ProblemId::new(id))).map_or(id, |p| &p.name).to_owned(),
    }
}

fn reading(label: &LabelAgreement) -> String {
    match (label.reading, &label.missing) {
        (_, Some(missing)) => format!("{} of {} {}", missing.have, missing.need, missing.what),
        ("usable", _) => "usable for counts".to_owned(),
        ("exploratory", _) => "exploratory only".to_owned(),
        _ => "merge or drop".to_owned(),
    }
}

fn align_right(table: &mut comfy_table::Table, columns: std::ops::Range<usize>) {
    for column in table.column_iter_mut().skip(columns.start).take(columns.len()) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
}
