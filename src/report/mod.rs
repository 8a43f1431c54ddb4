//! Stage 7: gaps to something to read.
//!
//! One [`View`] is built from the store and drawn three times: `report.html`, `report.md`, `report.v1.json`. The rule that
//! must hold: a number without its counts, a quote without its place, or a finding without its evidence cannot be drawn,
//! because the View has no room for it.

pub mod view;

mod window;

mod words;

mod display;

mod quotes;

mod means;

mod texture;

mod series;

mod facts;

mod community;

mod crm;

mod verdict;

mod problems;

mod optimism;

mod behind;

mod outcomes;

mod phrases;

mod finding;

mod sureness;

mod bounds;

mod moved;

mod lines;

mod one_problem;

mod told;

mod chart;

pub mod html;

pub mod markdown;

pub mod json;

pub mod terminal;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::model::Recipes;
use crate::model::comparison::{ComparisonV1, PopulationV1};
use crate::progress::Progress;
use crate::store::Store;
use crate::summary::StageSummary;

use self::community::Community;
use self::crm::Crm;
use self::finding::Known;
use self::quotes::QuoteBook;
use self::view::{QuoteId, View};
use self::window::Window;

/// How much of what is there a View shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Problems with a section of their own.
    pub problems: usize,
    /// Quotes per problem from the communities.
    pub community_quotes: usize,
    /// Quotes per problem from the CRM.
    pub crm_quotes: usize,
}

impl Default for Shown {
    /// What a report shows.
    fn default() -> Self {
        Self { problems: 40, community_quotes: 5, crm_quotes: 4 }
    }
}

impl Shown {
    /// Every problem, with up to `quotes` quotes from either side.
    pub fn every_problem(quotes: usize) -> Self {
        Self { problems: usize::MAX, community_quotes: quotes, crm_quotes: quotes }
    }
}

/// Most quotes from one side that a View can show of a problem.
pub const MOST_QUOTES: usize = quotes::KEPT;

/// Builds the View of what `recipes` read, as of `now`.
///
/// # Errors
/// When the store cannot be read or holds a comparison in a form this version does not know.
pub async fn build(store: &Store, recipes: &Recipes, title: &str, now: Timestamp, shown: Shown) -> Result<View> {
    gather(store, recipes, title, now, shown, None, &ProgressBar::hidden()).await
}

/// As [`build`] for a report, by `comparison` instead of the one that the store keeps.
///
/// # Errors
/// When the store cannot be read.
pub async fn build_by(
    store: &Store,
    recipes: &Recipes,
    title: &str,
    now: Timestamp,
    comparison: ComparisonV1,
) -> Result<View> {
    gather(store, recipes, title, now, Shown::default(), Some(comparison), &ProgressBar::hidden()).await
}

/// Writes `report.html`, `report.md` and `report.v1.json` into the folder `out`. The same store and clock give the same bytes.
///
/// # Errors
/// When the View cannot be built or the files cannot be written; the files of an earlier run are then still whole.
pub async fn run(
    store: &Store,
    recipes: &Recipes,
    out: &Path,
    title: &str,
    now: Timestamp,
    progress: Progress,
) -> Result<StageSummary> {
    let began = Instant::now();
    let bar = progress.counter("report");
    let view = gather(store, recipes, title, now, Shown::default(), None, &bar).await?;
    bar.finish_and_clear();
    tokio::fs::create_dir_all(out).await.with_context(|| format!("could not make the folder {}", out.display()))?;
    let drawings = [
        ("report.html", html::render(&view)?),
        ("report.md", markdown::render(&view)?),
        ("report.v1.json", json::render(&view)?),
    ];
    let mut files = Vec::new();
    for (name, content) in drawings {
        files.push(write(out, name, &content).await?.display().to_string());
    }
    Ok(StageSummary::new("report", began, files.len() as u64, view.problems_left_out as u64, 0)
        .with("files", files)
        .with("problems", view.problems.len())
        .with("quotes", view.quotes.len())
        .with("trust", serde_json::to_value(view.trust.level)?)
        .with("finding", view.finding))
}

/// Writes a file beside its place and renames it, so that a reader never meets half a report.
async fn write(out: &Path, name: &str, content: &str) -> Result<PathBuf> {
    let path = out.join(name);
    let beside = out.join(format!(".{name}.part"));
    tokio::fs::write(&beside, content).await.with_context(|| format!("could not write {}", beside.display()))?;
    tokio::fs::rename(&beside, &path).await.with_context(|| format!("could not put {} in place", path.display()))?;
    Ok(path)
}

async fn gather(
    store: &Store,
    recipes: &Recipes,
    title: &str,
    now: Timestamp,
    shown: Shown,
    comparison: Option<ComparisonV1>,
    bar: &ProgressBar,
) -> Result<View> {
    let codebook = store.codebook().await.context("could not read the codebook")?;
    let hash = codebook.as_ref().map_or("", |(codebook, _)| codebook.hash());
    let ids = codebook.as_ref().map_or(&[][..], |(codebook, _)| codebook.problems());
    let ids = ids.iter().map(|p| p.id.as_str()).collect::<Vec<_>>();
    let comparison = match comparison {
        Some(comparison) => Some(comparison),
        None => kept(store, recipes, hash).await?,
    };
    // A test made after the comparison holds as well: it is about the list alone.
    let register = store.register(hash).await.context("could not read the register test")?;
    let window = comparison.as_ref().map_or_else(Window::default, |c| Window::of(&c.window));
    let people = match comparison.as_ref().and_then(|c| Some((c.scope.as_ref()?, c.as_of?))) {
        Some((scope, at)) => {
            Some(store.in_scope(&scope.by, &recipes.post, at).await.context("could not read the scope")?)
        }
        None => None,
    };
    let inside = people.as_ref().map(|people| &people.inside);
    let mut community = community::gather(store, &recipes.post, hash, &ids, window, inside, bar).await?;
    let mut crm = crm::gather(store, &recipes.note, hash, &ids, window).await?;
    let (voices, rejected) = store.reading_totals(&recipes.post).await.context("could not count what was read")?;
    let voices = voices.into_iter().map(|(voice, n)| (voice, whole(n))).collect::<Vec<_>>();
    let failures = store.failures().await.context("could not read the recorded failures")?;
    let population = population(store, comparison.as_ref(), &community, &crm).await?;
    let period = period(store, window, &crm).await?;

    let words = phrases::Words::new();
    let groups = means::group(std::mem::take(&mut community.attempts), &community.elsewhere, &words);
    let mut book = QuoteBook::default();
    let (mut problems, problems_left_out) = match &codebook {
        Some((codebook, _)) => problems::problems(
            codebook,
            comparison.as_ref(),
            &mut community,
            &mut crm,
            &groups,
            period,
            shown,
            &mut book,
        ),
        None => (Vec::new(), 0),
    };
    problems.iter_mut().for_each(|p| p.register = register.get(&p.id).copied());
    let tried = problems::tried(&groups, None, &mut book);
    let optimism = optimism::optimism(&crm, comparison.as_ref());
    let hollow = hollow_quote(&crm, optimism.as_ref(), &mut book);
    let known = Known {
        population: &population,
        comparison: comparison.as_ref(),
        posts_read: voices.iter().map(|(_, n)| n).sum(),
        notes_read: crm.read,
        codebook: codebook.is_some(),
    };
    let read = sureness::Read {
        kept: community.signals,
        rejected: whole(rejected),
        voices: voices.clone(),
        excluded: community.excluded,
    };
    Ok(View {
        title: title.to_owned(),
        made_at: now,
        period,
        trust: finding::trust(comparison.as_ref()),
        finding: finding::finding(&known, &problems, optimism.as_ref()),
        missing: finding::missing(&known),
        top_quotes: top_quotes(&problems, hollow),
        sureness: sureness::sureness(recipes, codebook.as_ref(), comparison.as_ref(), &failures, read),
        moved: comparison.as_ref().and_then(|c| c.moved.clone()),
        population,
        problems,
        problems_left_out,
        residual: comparison.as_ref().and_then(|c| c.residual),
        tried,
        optimism,
        outcomes: outcomes::outcomes(comparison.as_ref()),
        quotes: book.into_quotes(),
    })
}

/// The comparison that the store keeps.
async fn kept(store: &Store, recipes: &Recipes, codebook: &str) -> Result<Option<ComparisonV1>> {
    let stored = store.comparison(&recipes.both(), codebook).await.context("could not read the comparison")?;
    stored
        .map(|stored| serde_json::from_str(&stored.body))
        .transpose()
        .context("could not understand the stored comparison; make it anew with `candor compare`")
}

/// Who was looked at: as the comparison counted, or else as the store counts.
async fn population(
    store: &Store,
    comparison: Option<&ComparisonV1>,
    community: &Community,
    crm: &Crm,
) -> Result<PopulationV1> {
    if let Some(comparison) = comparison {
        return Ok(comparison.population.clone());
    }
    let [posts, threads, communities, authors] = store.post_totals().await.context("could not count posts")?;
    let [notes, accounts, reps] = store.note_totals().await.context("could not count notes")?;
    Ok(PopulationV1 {
        communities: whole(communities),
        threads: whole(threads),
        posts: whole(posts),
        authors: whole(authors),
        problem_authors: community.people.len() as u64,
        accounts: whole(accounts),
        discovery_accounts: crm.accounts.iter().filter(|a| a.discovery).count() as u64,
        notes: whole(notes),
        reps: whole(reps),
    })
}

/// First and last day looked at.
async fn period(store: &Store, window: Window, crm: &Crm) -> Result<Option<(Date, Date)>> {
    let mut seen = crm.days;
    for (_, _, at) in store.author_posts().await.context("could not read the dates of posts")? {
        let Some(at) = at.filter(|_| window.holds(at)) else { continue };
        let day = words::civil(at);
        let (first, last) = seen.unwrap_or((day, day));
        seen = Some((first.min(day), last.max(day)));
    }
    Ok(window.period(seen))
}

/// The most telling praise or fluff of an account that gave nothing.
fn hollow_quote(crm: &Crm, optimism: Option<&view::OptimismView>, book: &mut QuoteBook) -> Option<QuoteId> {
    let mut best = quotes::Shortlist::default();
    for account in
        optimism.iter().flat_map(|o| &o.accounts).filter_map(|o| crm.accounts.iter().find(|a| a.number == o.number))
    {
        let Some((stored, reading)) = optimism::claiming_note(account) else { continue };
        let compliments = reading.compliments.iter().map(|e| (e, "compliment"));
        for (evidence, mark) in compliments.chain(reading.fluff.iter().map(|e| (e, "fluff"))) {
            let key = format!("{} {}", stored.note.id, evidence.span().start());
            let unit = u32::try_from(account.number).unwrap_or(u32::MAX);
            best.offer(unit, quotes::readable(evidence.quote()), &key, || {
                (String::new(), crm::note_quote(&stored.note, evidence, account, mark))
            });
        }
    }
    best.pick(1).pop().map(|quote| book.add(quote))
}

/// The best quote of the first problem, and hollow praise; without that, what a note says of the same problem.
fn top_quotes(problems: &[view::ProblemView], hollow: Option<QuoteId>) -> Vec<QuoteId> {
    let community = problems.iter().find_map(|p| p.community_quotes.first().copied());
    let crm = hollow.or_else(|| problems.iter().find_map(|p| p.crm_quotes.first().copied()));
    community.into_iter().chain(crm).collect()
}

/// A count from the store; counts are never negative.
fn whole(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}
