//! Who speaks of each problem, and in which words. Quotes are cut from the store when asked for, never kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;

use super::name;
use super::phrase;
use super::units::{Unit, read};
use crate::model::{Codebook, ProblemId, Recipes};
use crate::store::{Side, Store};
use crate::text::near_duplicate;

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
    let mut best =
        units.iter().map(|(u, score)| (u.states(*score) * name::worth(called, &u.quote), *u)).collect::<Vec<_>>();
    best.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
    // Copies count as one (METHOD 9.1).
    let alike = near_duplicate::clusters(&best.iter().map(|(_, u)| u.quote.as_str()).collect::<Vec<_>>());
    let best = best.into_iter().zip(alike).map(|((_, unit), alike)| (alike, unit)).collect::<Vec<_>>();
    let (mut quotes, mut met, mut told) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
    // The best of either side first, then whatever is best.
    let first = [Side::Community, Side::Crm].into_iter().filter_map(|side| best.iter().find(|(_, u)| u.side == side));
    for (alike, unit) in first.chain(&best) {
        if quotes.len() < QUOTES && !met.contains(&unit.speaker()) && told.insert(*alike) {
            met.insert(unit.speaker());
            quotes.push((unit.side, unit.quote.clone()));
        }
    }
    Heard { people: distinct(Side::Community), accounts: distinct(Side::Crm), units: units.len(), quotes }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_of_different_people_in_different_words() {
        let unit = |who: &str, quote: &str| Unit {
            side: Side::Community,
            id: format!("{who}{quote}"),
            who: who.to_owned(),
            community: String::new(),
            conversation: String::new(),
            builds: true,
            complains: true,
            quote: quote.to_owned(),
            bare: quote.to_owned(),
            around: String::new(),
            title: String::new(),
        };
        let said = [
            unit("a", "The export fails every night and nobody is told about it."),
            unit("b", "The export fails every night and nobody is told about it!"),
            unit("c", "Our export stops halfway through the second page."),
        ];
        let heard = of(&BTreeSet::new(), &said.iter().map(|u| (u, 1.0)).collect::<Vec<_>>());
        assert_eq!((heard.people, heard.units, heard.quotes.len()), (3, 3, 2), "{:?}", heard.quotes);
    }
}
