//! The one main path: collect, index, extract, crm, group, compare, report. Each step reads what the store has not seen done,
//! so the whole can be repeated, and a killed run goes on where it stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::app::App;
use crate::collect::{self, Collected, Zone, conversations, files, sites};
use crate::extract::by_model::ByBatch;
use crate::group::embed::Embedder;
use crate::llm::{Estimate, Show};
use crate::model::comparison::ComparisonV1;
use crate::report::view::View;
use crate::summary::StageSummary;
use crate::text::near_duplicate;
use crate::{compare, crm, extract, group, index, report};

/// Runs everything that the settings ask for, handing each stage's summary to `tell` as it ends.
///
/// # Errors
/// When a stage cannot go on at all. Single records that fail are recorded and the run goes on.
pub async fn run(app: &App, tell: &mut dyn FnMut(&StageSummary) -> Result<()>) -> Result<()> {
    if !app.settings.collect.is_empty() {
        let zone = Zone::new(app.settings.tz.clone());
        tell(&collect(app, &app.settings.collect, None, None, zone, app.settings.collect_map.as_deref()).await?)?;
    }
    tell(&index(app).await?)?;
    tell(&extract(app).await?)?;
    if !app.settings.crm.is_empty() {
        let zone = Zone::new(app.settings.tz.clone());
        tell(&crm_import(app, &app.settings.crm, app.settings.crm_map.as_deref(), &zone).await?)?;
    }
    tell(&crm_read(app).await?)?;
    tell(&group(app, false).await?)?;
    if let Some(labels) = &app.settings.labels {
        tell(&label_import(app, labels).await?)?;
    }
    tell(&compare(app).await?.0)?;
    tell(&report(app, &app.report_dir()).await?)?;
    tell(&index(app).await?)
}

/// Stage 1. A target is a path, a Discourse address or a subreddit. `map` says what the columns of tables hold.
pub async fn collect(
    app: &App,
    targets: &[String],
    community: Option<String>,
    limit: Option<u64>,
    zone: Zone,
    map: Option<&Path>,
) -> Result<StageSummary> {
    let began = Instant::now();
    let map = map.map(files::Map::load).transpose()?;
    let context = app.collect_context(community, zone);
    let (live, paths) = collect::split_targets(targets)?;
    let mut all = Collected::default();
    if !paths.is_empty() {
        all += files::collect_by_map(&app.store, &context, &paths, map, app.progress).await?;
    }
    if !live.is_empty() {
        let net = app.net()?;
        for target in &live {
            all += sites::collect_site(&app.store, &net, &context, target, limit, app.progress).await?;
        }
    }
    all.read_in(&context.zone);
    let twins = app.store.drop_twins().await?;
    app.store.join_openings().await?;
    let cut = conversations::cut_streams(&app.store, app.progress).await?;
    let summary = all.summary(began).with("conversations", serde_json::json!(cut));
    Ok(if twins > 0 { summary.with("stood_twice", twins) } else { summary })
}

/// Stage 2.
pub async fn index(app: &App) -> Result<StageSummary> {
    index::run(&app.store, &app.index()?, app.progress).await
}

/// Stage 3, by whichever reader is chosen.
pub async fn extract(app: &App) -> Result<StageSummary> {
    match app.readers.llm() {
        None => extract::run(&app.store, app.progress).await,
        Some(llm) => extract::by_model::run(&app.store, &llm.post().await?, llm.cascade, app.progress).await,
    }
}

/// What stage 3 would ask a model, and what that would take; `None` when no model reads.
pub async fn estimate_extract(app: &App, show: Show<'_>) -> Result<Option<Estimate>> {
    let Some(llm) = app.readers.llm() else { return Ok(None) };
    let reader = llm.post().await?;
    extract::by_model::estimate(&app.store, &reader, llm.cascade, show, app.progress).await.map(Some)
}

/// What a model would be asked about the notes of stage 4, those of `paths` among them, and what that would take; `None` when no
/// model reads. They are imported into a copy of the workspace's store, which is thrown away.
pub async fn estimate_crm(
    app: &App,
    paths: &[PathBuf],
    map: Option<&Path>,
    zone: &Zone,
    show: Show<'_>,
) -> Result<Option<Estimate>> {
    let Some(llm) = app.readers.llm() else { return Ok(None) };
    let folder = app.settings.workspace.join("dry-run");
    let clear = || if folder.exists() { fs::remove_dir_all(&folder) } else { Ok(()) };
    clear().and_then(|()| fs::create_dir(&folder)).with_context(|| format!("could not make {}", folder.display()))?;
    let estimate = async {
        let copy = app.store.copy(&folder.join("candor.db")).await?;
        crm::import(&copy, paths, map, zone, app.clock.now(), app.progress).await?;
        let estimate = crm::by_model::estimate(&copy, &llm.note, show, app.progress).await;
        copy.close().await;
        estimate
    };
    let estimate = estimate.await;
    clear().with_context(|| format!("could not delete {}", folder.display()))?;
    estimate.map(Some)
}

/// What stage 5 would ask a model, and what that would take; `None` when no model reads.
pub async fn estimate_group(app: &App, anew: bool, show: Show<'_>) -> Result<Option<Estimate>> {
    let Some(llm) = app.readers.llm() else { return Ok(None) };
    let embedder = Embedder::new(&app.settings.embedding, Some(&app.store), app.clock).await?;
    let wanted = group::Wanted { codebook: app.settings.codebook.as_deref(), anew, seed: app.settings.compare.seed };
    let sorter = &llm.sorter;
    group::estimate(&app.store, &app.recipes(), wanted, &embedder, sorter, show, app.progress).await.map(Some)
}

/// Stage 3 by the model's batches.
///
/// # Errors
/// As [`extract::by_model::run_by_batch`], and when no model reads.
pub async fn extract_by_batch(app: &App) -> Result<ByBatch> {
    let llm = app.readers.llm().context("the embedded reader asks nobody; --batch goes with --reader llm")?;
    extract::by_model::run_by_batch(&app.store, &llm.post().await?, llm.cascade, app.progress).await
}

/// Stage 4, first half: exports to notes.
pub async fn crm_import(app: &App, paths: &[PathBuf], map: Option<&Path>, zone: &Zone) -> Result<StageSummary> {
    crm::import(&app.store, paths, map, zone, app.clock.now(), app.progress).await
}

/// Stage 4, second half: notes to readings, by whichever reader is chosen.
pub async fn crm_read(app: &App) -> Result<StageSummary> {
    match app.readers.llm() {
        None => crm::read(&app.store, app.progress).await,
        Some(llm) => crm::by_model::read(&app.store, &llm.note, app.progress).await,
    }
}

/// Stage 5; `anew` makes the list of problems afresh.
pub async fn group(app: &App, anew: bool) -> Result<StageSummary> {
    group_into(app, app.settings.codebook.as_deref(), anew).await
}

/// Stage 5 on a codebook file, when one is named.
pub async fn group_into(app: &App, codebook: Option<&Path>, anew: bool) -> Result<StageSummary> {
    let embedder = Embedder::new(&app.settings.embedding, Some(&app.store), app.clock).await?;
    let wanted = group::Wanted { codebook, anew, seed: app.settings.compare.seed };
    let sorter = app.readers.llm().map(|llm| &llm.sorter);
    group::run(&app.store, &app.recipes(), wanted, &embedder, sorter, app.clock.now(), app.progress).await
}

/// The register test of the current list of problems, on the pairs of a file.
pub async fn register(app: &App, pairs: &Path) -> Result<group::register::RegisterTest> {
    let embedder = Embedder::new(&app.settings.embedding, Some(&app.store), app.clock).await?;
    group::register::run(&app.store, &app.recipes(), pairs, &embedder, app.settings.compare.seed).await
}

/// Draws people and accounts to label by hand, replacing an earlier sample.
pub async fn label_draw(app: &App, per_side: usize) -> Result<StageSummary> {
    let settings = &app.settings.compare;
    let now = app.clock.now();
    compare::sample::draw(&app.store, &app.recipes(), settings, now, near_duplicate::clusters, per_side).await
}

/// The posts and notes of the sample, to be filled in by hand.
pub async fn label_worksheet(app: &App) -> Result<Vec<serde_json::Value>> {
    let settings = &app.settings.compare;
    let now = app.clock.now();
    compare::worksheet::worksheet(&app.store, &app.recipes(), settings, now, near_duplicate::clusters).await
}

/// The posts and notes of the sample in the order in which they are labelled.
pub async fn to_label(app: &App) -> Result<compare::to_label::ToLabel> {
    let settings = &app.settings.compare;
    let now = app.clock.now();
    compare::to_label::to_label(&app.store, &app.recipes(), settings, now, near_duplicate::clusters).await
}

/// Hand labels. A sample is drawn only when there is none: drawing again would orphan labels that somebody made for it.
pub async fn label_import(app: &App, labels: &Path) -> Result<StageSummary> {
    if app.store.sample().await?.is_empty() {
        let per_side = app.settings.compare.sample_per_side;
        label_draw(app, per_side).await?;
    }
    compare::labels::import_labels(&app.store, labels).await
}

/// Stage 6.
pub async fn compare(app: &App) -> Result<(StageSummary, ComparisonV1)> {
    let settings = &app.settings.compare;
    compare::run(&app.store, &app.recipes(), settings, app.clock.now(), near_duplicate::clusters, app.progress).await
}

/// What is known of every problem, with up to `quotes` quotes from either side.
pub async fn problems(app: &App, quotes: usize) -> Result<View> {
    let shown = report::Shown::every_problem(quotes);
    report::build(&app.store, &app.recipes(), title(app), app.clock.now(), shown).await
}

fn title(app: &App) -> &str {
    app.settings.title.as_deref().unwrap_or("Community against CRM")
}

/// Stage 7.
pub async fn report(app: &App, out: &Path) -> Result<StageSummary> {
    report::run(&app.store, &app.recipes(), out, title(app), app.clock.now(), app.progress).await
}
