//! Who speaks of each problem, and in which words. Quotes are cut from the store when asked for, never kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;

use super::name;
use super::phrase;
use super::units::{Unit, read};
use crate::model::{Codebook, ProblemId, Recipes};
use crate::store::{Side, Store};

/// Quotes told of a problem (METHOD 3.1: three examples, from both registers where both speak of it).
const QUOTES: usize = 3;

/// What is heard of one problem, or of what fits none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// Distinct people of the communities.
    pub people: usize,
    /// Distinct accounts of the CRM.
    pub accounts: usize,
    /// Signals and claimed pains.
    pub units: usize,
    /// The most typical quotes that make sense alone, each by somebody else.
    pub quotes: Vec<(Side, String)>,
}

/// What is heard of each problem of `codebook`, and of what fits none (`None`).
///
/// # Errors
/// When the store cannot be read.
pub async fn heard(
    store: &Store,
    recipes: &Recipes,
    codebook: &Codebook,
) -> Result<BTreeMap<Option<ProblemId>, Heard>> {
    let (units, _) = read(store, recipes).await?;
    let assigned = store.assignments(codebook.hash()).await?;
    let assigned = assigned.iter().map(|a| ((a.side, a.unit.as_str()), a)).collect::<HashMap<_, _>>();
    let mut by_problem = BTreeMap::<Option<ProblemId>, Vec<(&Unit, f32)>>::new();
    for unit in &units {
        if let Some(a) = assigned.get(&(unit.side, unit.id.as_str())) {
            by_problem.entry(a.problem.clone()).or_default().push((unit, a.score as f32));
        }
    }
    let topics = |id: &Option<ProblemId>| {
        id.as_ref().and_then(|id| codebook.problem(id)).map(|p| phrase::topics(&p.name)).unwrap_or_default()
    };
    Ok(by_problem
        .into_iter()
        .map(|(id, units)| {
            let heard = of(&topics(&id), &units);
            (id, heard)
        })
        .collect())
}

fn of(called: &BTreeSet<String>, units: &[(&Unit, f32)]) -> Heard {
    let distinct =
        |side| units.iter().filter(|(u, _)| u.side == side).map(|(u, _)| &u.who).collect::<BTreeSet<_>>().len();
    let mut best = units.iter().map(|(u, score)| (score * name::worth(called, &u.quote), *u)).collect::<Vec<_>>();
    best.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
    let mut quotes = Vec::new();
    let mut met = BTreeSet::new();
    // The best of either side first, then whatever is best.
    let first = [Side::Community, Side::Crm].into_iter().filter_map(|side| best.iter().find(|(_, u)| u.side == side));
    for (_, unit) in first.chain(&best) {
        if quotes.len() < QUOTES && met.insert(unit.speaker()) {
            quotes.push((unit.side, unit.quote.clone()));
        }
    }
    Heard { people: distinct(Side::Community), accounts: distinct(Side::Crm), units: units.len(), quotes }
}
