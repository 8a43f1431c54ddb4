//! Stage 6: problems and readings to gaps.
//!
//! A *gap* is a difference between what people live with and what the CRM says, in people and accounts, with an interval that
//! knows the reader's mistakes. One rule holds: what the machine counted is shown as counted; only hand labels make it a
//! measurement, and only a measurement with enough behind it a finding. "Not enough evidence" is an answer.
//!
//! In reading order: the `window` that both sides share, the `cells` that are counted (made from the store by `gather`),
//! `labels` and the `sample` they are drawn by (what is still `to_label`, what labels `promise`, and how far annotators are in
//! `agreement`), the
//! `stats`, the `evidence_rule`, the components `coverage`, `commitment` (by rep, channel and segment: `segments`) and `calibration`, and
//! whether a share is many people's (`representative`) or rests on `newcomers`. `compare` is the whole of it without a store.
//! What qualifies it: how much would have been seen (`power`), `selection` bounds, `ranks`, all people whoever could be a buyer (`scope`), other days (`sensitivity`), other readers (`multiverse`), labels read
//! otherwise (`relabel`), the period before (`moved`), what does not keep its sign (`contest`), and the `overall` word with
//! the thresholds.

pub mod stats;

pub mod window;

pub mod cells;

pub mod labels;

pub mod sample;

pub mod worksheet;

pub mod to_label;

mod promise;

pub mod agreement;

pub mod evidence_rule;

mod measured;

pub mod coverage;

mod newcomers;

mod power;

pub mod representative;

pub mod commitment;

pub mod calibration;

pub mod selection;

pub mod ranks;

pub mod overall;

pub mod sentiment;

mod contest;

mod multiverse;

mod relabel;

mod sensitivity;

mod scope;

mod moved;
pub mod segments;

mod gather;

mod wording;

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result};
use jiff::Timestamp;

use crate::config::CompareSettings;
use crate::model::comparison::{ComparisonV1, GateV1, LabelsV1, RegisterV1};
use crate::model::{Recipes, Trust};
use crate::progress::Progress;
use crate::store::Store;
use crate::summary::StageSummary;
use cells::Cells;
pub use gather::NearDuplicates;
pub use labels::import_labels;
pub use sample::draw;

/// Below these many threads and accounts only very large gaps can be seen (METHOD 3.4).
const COMFORTABLE: (u64, u64) = (60, 80);

/// Where a comparison comes from, printed with every gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Hash of the settings.
    pub config_hash: String,
    /// Version of the codebook.
    pub codebook_hash: String,
    /// `<post recipe> | <note recipe>`.
    pub recipe: String,
    /// Seed.
    pub seed: u64,
}

/// Compares what the store holds in the configured window, as of `now`, and keeps the answer. `near_duplicates` says which
/// texts are nearly the same (a cluster number per text); their authors count as one person.
///
/// # Errors
/// When there is no codebook yet, the configured window ends before it begins, or the store cannot be read or written.
pub async fn run(
    store: &Store,
    recipes: &Recipes,
    settings: &CompareSettings,
    now: Timestamp,
    near_duplicates: NearDuplicates,
    progress: Progress,
) -> Result<(StageSummary, ComparisonV1)> {
    let began = Instant::now();
    let bar = progress.counter("comparing");
    let comparison = derive(store, recipes, settings, now, near_duplicates).await?;
    let body = serde_json::to_string(&comparison).context("could not write the comparison as JSON")?;
    store.write_comparison(&recipes.both(), &comparison.codebook_hash, &body, now).await?;
    bar.finish_and_clear();
    let summary = StageSummary::new("compare", began, comparison.problems.len() as u64, 0, 0)
        .with("trust", serde_json::to_value(comparison.trust)?)
        .with("problems", comparison.problems.len())
        .with("findings", findings(&comparison))
        .with("labels", serde_json::to_value(comparison.labels)?);
    Ok((summary, comparison))
}

/// The comparison as [`run`] makes it, which is not kept: the same store, settings and `now` give the same bytes.
///
/// # Errors
/// As [`run`], but for writing.
pub async fn derive(
    store: &Store,
    recipes: &Recipes,
    settings: &CompareSettings,
    now: Timestamp,
    near_duplicates: NearDuplicates,
) -> Result<ComparisonV1> {
    let mut read = gather::read(store, recipes, settings, now, near_duplicates).await?;
    let cells = read.own_cells(store).await?;
    let origin = Origin {
        config_hash: settings.hash(),
        codebook_hash: read.codebook.clone(),
        recipe: recipes.both().as_str().to_owned(),
        seed: settings.seed,
    };
    let mut comparison = compare(&cells, &origin);
    comparison.as_of = Some(now);
    scope::beside(&mut comparison, &mut read, store).await?;
    note_register(&mut comparison, &store.register(&origin.codebook_hash).await?);
    comparison.ranks = ranks::ranks(&cells, settings.seed);
    sensitivity::other_days(&mut comparison, &mut read, store).await?;
    relabel::relabel(&mut comparison, &cells, &mut read)?;
    if let Some(earlier) = read.before() {
        let before = read.cells(store, &earlier, &earlier).await?;
        comparison.moved = moved::moved(&earlier, read.begins(), &before, &cells);
    }
    multiverse::multiverse(&mut comparison, &cells, read, multiverse::Made { store, recipes, near_duplicates }).await?;
    contest::contest(&mut comparison);
    power::tell(&mut comparison);
    overall::conclude(&mut comparison, settings);
    Ok(comparison)
}

/// The comparison of `cells`: the same cells and origin give the same bytes. Ranks, other days, the period before and grades
/// are those of [`derive()`], [`ranks::ranks`] and [`overall::conclude`].
pub fn compare(cells: &Cells, origin: &Origin) -> ComparisonV1 {
    let labelling = promise::labelling(cells);
    let (mut coverage, problems) = coverage::coverage(cells);
    if coverage.verdict == "uncorrected" {
        coverage.says += &format!(" {}", labelling.says);
    }
    let (commitment, optimism) = commitment::commitment(cells);
    let labels = LabelsV1 { community: cells.community.labelled() as u64, crm: cells.labelled_accounts() as u64 };
    let mut comparison = ComparisonV1 {
        v: 1,
        as_of: None,
        trust: Trust::NotEnoughEvidence,
        window: cells.window.clone(),
        population: cells.population.clone(),
        scope: None,
        labels,
        labelling: Some(labelling),
        components: vec![coverage, commitment],
        problems,
        optimism,
        residual: Some(representative::residuals(cells)),
        overall: None,
        calibration: None,
        ranks: None,
        segments: segments::segments(cells),
        sensitivity: Vec::new(),
        relabelled: Vec::new(),
        multiverse: None,
        moved: None,
        thresholds: Vec::new(),
        caveats: Vec::new(),
        config_hash: origin.config_hash.clone(),
        codebook_hash: origin.codebook_hash.clone(),
        recipe: origin.recipe.clone(),
        seed: origin.seed,
    };
    comparison.trust = trust(cells, &comparison);
    comparison.caveats = caveats(cells, &comparison);
    // Scored against outcomes and not by labels, so it does not make the shares above measured ones.
    let (calibration, scored) = calibration::calibration(cells, origin.seed);
    comparison.components.extend(scored);
    comparison.components.push(sentiment::sentiment());
    comparison.calibration = calibration;
    comparison
}

/// Marks each problem with its register test, and says which ones depend on the register.
fn note_register(comparison: &mut ComparisonV1, tested: &BTreeMap<String, RegisterV1>) {
    let mut sensitive = Vec::new();
    for problem in &mut comparison.problems {
        problem.register = tested.get(&problem.id).copied();
        if problem.register.is_some_and(|r| r.register_sensitive) {
            sensitive.push(problem.name.as_str());
        }
    }
    if !sensitive.is_empty() {
        let caveat = format!(
            "Register-sensitive: {}. The same words rewritten in the other side's style are sorted differently, so only hand labels \
             tell whether the two sides differ on it.",
            sensitive.join(", ")
        );
        comparison.caveats.push(caveat);
    }
}

/// Problems and components with a finding.
fn findings(comparison: &ComparisonV1) -> usize {
    comparison.problems.iter().filter(|p| coverage::is_called(&p.verdict)).count()
        + comparison.components.iter().filter(|c| c.verdict == "finding").count()
}

/// The best that any number may claim: measured when one has an interval, counted when the population is large enough for
/// a share on one of the sides.
fn trust(cells: &Cells, comparison: &ComparisonV1) -> Trust {
    let gates = [evidence_rule::community_rows(cells), evidence_rule::crm_rows(&cells.population)];
    let enough = gates.iter().any(|rows| rows.iter().all(GateV1::passes));
    let measured = comparison.problems.iter().any(|p| p.community.low.is_some() || p.crm.low.is_some())
        || comparison.components.iter().any(|c| c.low.is_some());
    match (measured, enough) {
        (true, _) => Trust::Measured,
        (false, true) => Trust::Counted,
        (false, false) => Trust::NotEnoughEvidence,
    }
}

fn caveats(cells: &Cells, comparison: &ComparisonV1) -> Vec<String> {
    let p = &cells.population;
    let mut caveats = cells.caveats.clone();
    caveats.push(frame(cells));
    if p.accounts == 0 {
        caveats.push(
            "There are no CRM notes in the window, so there is nothing to compare the communities with.".to_owned(),
        );
        return caveats;
    }
    if p.problem_authors == 0 {
        caveats.push(
            "There is no first-hand post about a problem in the window; do the two sides overlap in time?".to_owned(),
        );
    }
    let excluded = p.accounts - p.discovery_accounts;
    if excluded > 0 {
        let mut says = format!(
            "{excluded} of {} accounts have no note that could record a problem (40 words, or a claimed pain) and are outside \
             the CRM's shares.",
            p.accounts
        );
        if 2 * excluded > p.accounts {
            says += " The notes mostly do not record problems, which is not the same as problems being silent.";
        }
        caveats.push(says);
    }
    caveats.push(
        "The CRM holds what reps asked and wrote down: a problem missing there may never have been asked about."
            .to_owned(),
    );
    if comparison.components[0].verdict == "uncorrected" {
        for (name, side) in [("communities", &cells.community), ("CRM", &cells.crm)] {
            if let Some(misfit) = evidence_rule::codebook_fit(name, side, false) {
                caveats.push(format!(
                    "Of the problems the reader found in the {name} only {}% are on the list (the coverage comparison needs {}%, \
                     codebook_does_not_fit), so shares of listed problems are too low.",
                    misfit.have, misfit.need
                ));
            }
        }
    }
    if comparison.problems.iter().any(|p| p.verdict == "phantom") {
        caveats.push(
            "Pains claimed in the CRM and not found in the communities searched may be real and never posted. See how each pain came \
             up: volunteered, prompted, or inferred by the rep."
                .to_owned(),
        );
    }
    caveats.extend(one_kind(comparison));
    caveats.extend(newcomers::caveats(comparison));
    caveats.extend(segments::without_rep(cells));
    caveats.extend(segments::without_segment(cells));
    if p.threads < COMFORTABLE.0 || p.discovery_accounts < COMFORTABLE.1 {
        caveats.push(format!(
            "With {} threads and {} accounts (fewer than {} and {}) only very large gaps can be seen.",
            p.threads, p.discovery_accounts, COMFORTABLE.0, COMFORTABLE.1
        ));
    }
    caveats
}

/// Of whom shares of people are: the reader picks them, and hand labels tell only how many it picks for nothing.
fn frame(cells: &Cells) -> String {
    let mut says = "Shares of people are of those in whose posts the reader found a problem, in these communities and this window. Whom \
                    it misses is in no share, and who posts is not a random sample."
        .to_owned();
    let labelled = cells.community.0.iter().filter_map(|unit| unit.gold.as_ref()).collect::<Vec<_>>();
    if !labelled.is_empty() {
        let none = labelled.iter().filter(|gold| gold.problems.is_empty()).count() as u64;
        let all = wording::counted(labelled.len() as u64, "people");
        says += &format!(" By hand labels {none} of {all} it picked told of no problem on the list.");
    }
    says
}

/// Problems that are called silent and told in one kind of community only (METHOD 3.10).
fn one_kind(comparison: &ComparisonV1) -> Option<String> {
    let silent = comparison.problems.iter().filter(|p| coverage::kind(&p.verdict) == "silent");
    let told = silent.filter_map(|p| Some(format!("{} ({})", p.name, p.selection.as_ref()?.only_kind()?)));
    let told = told.collect::<Vec<_>>();
    (!told.is_empty()).then(|| {
        format!(
            "Told in one kind of community only: {}. Whether people elsewhere have the problem too is not known, and it counts as moderate at best.",
            told.join(", ")
        )
    })
}

#[cfg(test)]
mod tests;
