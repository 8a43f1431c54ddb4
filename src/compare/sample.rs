//! Which units to label by hand: a probability sample (METHOD 3.3, "one gold set for all K problems").

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;
use jiff::Timestamp;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::cells::Cells;
use super::gather::{NearDuplicates, read};
use super::window::day;
use crate::config::CompareSettings;
use crate::model::Recipes;
use crate::store::{SampleUnit, Side, Store};
use crate::summary::StageSummary;

/// Units drawn from every stratum, or all of a smaller one.
const PER_STRATUM: usize = 5;

/// Draws about `per_side` persons and accounts to be labelled, replacing an earlier sample of the same days: within strata of the machine's
/// primary problem, in proportion to their size but at least five of each (or all), so that every unit has a known
/// probability of being drawn. The same store, settings and seed draw the same units.
///
/// # Errors
/// As [`super::run`].
pub async fn draw(
    store: &Store,
    recipes: &Recipes,
    settings: &CompareSettings,
    now: Timestamp,
    near_duplicates: NearDuplicates,
    per_side: usize,
) -> Result<StageSummary> {
    let began = Instant::now();
    let mut read = read(store, recipes, settings, now, near_duplicates).await?;
    let cells = read.own_cells(store).await?;
    let units = sample(&cells, per_side, settings.seed);
    // Nobody could be drawn who comes after this day.
    let days = read.window().up_to(day(now));
    store.write_sample([days.since, days.until], &settings.scope, &units).await?;
    let of = |side| units.iter().filter(|u| u.side == side).count() as u64;
    Ok(StageSummary::new("sample", began, units.len() as u64, 0, 0)
        .with("community", serde_json::json!({ "drawn": of(Side::Community), "of": cells.community.0.len() }))
        .with("crm", serde_json::json!({ "drawn": of(Side::Crm), "of": cells.accounts.len() })))
}

/// Random numbers of `seed`; those of one `stream` do not depend on how many another one takes.
pub fn random(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

/// The sample of both sides, ordered by side and unit.
pub fn sample(cells: &Cells, per_side: usize, seed: u64) -> Vec<SampleUnit> {
    let persons = cells.community.0.iter().map(|u| (u.id.as_str(), u.primary())).collect::<Vec<_>>();
    // All accounts with a note are drawn from, because claimed interest is measured on all of them.
    let primary = cells.crm.0.iter().map(|u| (u.id.as_str(), u.primary())).collect::<BTreeMap<_, _>>();
    let accounts = cells
        .accounts
        .iter()
        .map(|a| (a.id.as_str(), primary.get(a.id.as_str()).copied().flatten()))
        .collect::<Vec<_>>();
    let mut drawn = Vec::new();
    for (stream, (side, units)) in [(Side::Community, persons), (Side::Crm, accounts)].into_iter().enumerate() {
        drawn.extend(stratified(side, &units, per_side, &mut random(seed, stream as u64)));
    }
    drawn
}

fn stratified(side: Side, units: &[(&str, Option<usize>)], per_side: usize, rng: &mut ChaCha8Rng) -> Vec<SampleUnit> {
    let mut strata = BTreeMap::<Option<usize>, Vec<&str>>::new();
    for (unit, stratum) in units {
        strata.entry(*stratum).or_default().push(unit);
    }
    let mut drawn = Vec::new();
    for members in strata.values_mut() {
        let size = members.len();
        let share = (per_side as f64 * size as f64 / units.len() as f64).round() as usize;
        let n = share.max(PER_STRATUM).min(size);
        members.sort_unstable();
        members.shuffle(rng);
        let weight = size as f64 / n as f64;
        drawn.extend(members[..n].iter().map(|unit| SampleUnit { side, unit: (*unit).to_owned(), weight }));
    }
    drawn.sort_by(|a, b| a.unit.cmp(&b.unit));
    drawn
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("u{i:04}")).collect()
    }

    proptest! {
        #[test]
        fn weights_add_up_to_the_units(
            strata in prop::collection::vec(prop::option::of(0usize..6), 1..300), per_side in 0usize..120, seed: u64,
        ) {
            let names = names(strata.len());
            let units = names.iter().map(String::as_str).zip(strata.iter().copied()).collect::<Vec<_>>();
            let draw = || stratified(Side::Crm, &units, per_side, &mut ChaCha8Rng::seed_from_u64(seed));
            let drawn = draw();
            let total = drawn.iter().map(|u| u.weight).sum::<f64>();
            prop_assert!((total - units.len() as f64).abs() < 1e-6);
            prop_assert!(drawn.iter().all(|u| u.weight >= 1.0));
            prop_assert_eq!(drawn.iter().map(|u| &u.unit).collect::<BTreeSet<_>>().len(), drawn.len());
            for stratum in strata.iter().collect::<BTreeSet<_>>() {
                let of = |name: &str| units.iter().any(|(u, s)| *u == name && s == stratum);
                let n = drawn.iter().filter(|u| of(&u.unit)).count();
                prop_assert!(n >= PER_STRATUM.min(strata.iter().filter(|s| *s == stratum).count()));
            }
            prop_assert_eq!(draw(), drawn);
        }
    }

    #[test]
    fn the_order_of_the_units_does_not_matter() {
        let names = names(100);
        let mut units = names.iter().enumerate().map(|(i, n)| (n.as_str(), Some(i % 4))).collect::<Vec<_>>();
        let draw =
            |units: &[(&str, Option<usize>)]| stratified(Side::Community, units, 40, &mut ChaCha8Rng::seed_from_u64(1));
        let there = draw(&units);
        units.reverse();
        assert_eq!(there, draw(&units));
        assert_eq!(there.len(), 40);
    }
}
