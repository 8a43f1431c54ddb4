//! Which problems come first on either side, and how surely (METHOD 3.4). A rank is never told without its probability.

use std::collections::BTreeMap;

use rand::RngExt;

use super::cells::Cells;
use super::evidence_rule::{self as rule, CLUSTERS};
use super::measured::Measured;
use super::sample::random;
use crate::model::comparison::{GateV1, RankV1, RanksV1};

/// How many come first.
const FIRST: usize = 5;

/// Bootstrap samples (METHOD 3.11).
const DRAWS: u64 = 1000;

/// The first of several streams of random numbers that are used here alone.
const STREAM: u64 = 300;

/// The first five problems by mass: the pairs of a unit and the problem, of all pairs of the side. In the communities by
/// pairs in which the person tells what they did or paid (METHOD 1.2, R), and by all pairs; in the CRM by all.
///
/// Probabilities are of a cluster bootstrap: threads, or accounts, are drawn with replacement, their (pseudo-)outcomes with
/// them. These carry the hand labels, which METHOD 3.11 wants redrawn; drawn a second time they would count twice. `None` when
/// neither side has enough evidence for a share (METHOD 3.9).
pub fn ranks(cells: &Cells, seed: u64) -> Option<RanksV1> {
    let enough = |rows: Vec<GateV1>| rows.iter().all(GateV1::passes);
    let mut ranks = RanksV1 { draws: DRAWS, ..RanksV1::default() };
    if enough(rule::community_rows(cells)) {
        ranks.community = first(cells, &revealed(cells), seed, STREAM);
        ranks.community_all = first(cells, &Measured::community(cells).table(), seed, STREAM + 1);
    }
    if enough(rule::crm_rows(&cells.population)) {
        ranks.crm = first(cells, &Measured::crm(cells).table(), seed, STREAM + 2);
    }
    let any = [&ranks.community, &ranks.community_all, &ranks.crm].into_iter().any(|side| !side.is_empty());
    any.then_some(ranks)
}

/// Thread-by-problem table of the pairs that tell what was done or paid.
fn revealed(cells: &Cells) -> Vec<Vec<f64>> {
    let mut rows = BTreeMap::<usize, Vec<f64>>::new();
    for occurrence in cells.community.0.iter().flat_map(|u| &u.found).filter(|o| o.revealed) {
        let row = rows.entry(occurrence.cluster).or_insert_with(|| vec![0.0; cells.problems.len()]);
        row[occurrence.problem] += 1.0;
    }
    rows.into_values().collect()
}

/// The first problems of a cluster-by-problem table, heaviest first; nothing of too few clusters.
fn first(cells: &Cells, rows: &[Vec<f64>], seed: u64, stream: u64) -> Vec<RankV1> {
    let problems = cells.problems.len();
    let mut mass = vec![0.0; problems];
    rows.iter().for_each(|row| add(&mut mass, row));
    let all = mass.iter().sum::<f64>();
    if rows.len() < CLUSTERS || all <= 0.0 {
        return Vec::new();
    }
    let mut first = (0..problems).filter(|k| comes_first(&mass, *k)).map(|k| (k, 0_u64)).collect::<Vec<_>>();
    let mut rng = random(seed, stream);
    let mut drawn = vec![0.0; problems];
    for _ in 0..DRAWS {
        drawn.fill(0.0);
        for _ in rows {
            add(&mut drawn, &rows[rng.random_range(0..rows.len())]);
        }
        first.iter_mut().for_each(|(k, times)| *times += u64::from(comes_first(&drawn, *k)));
    }
    first.sort_by(|(a, _), (b, _)| {
        mass[*b].total_cmp(&mass[*a]).then(cells.problems[*a].id.cmp(&cells.problems[*b].id))
    });
    let rank = |(k, times): (usize, u64)| RankV1 {
        id: cells.problems[k].id.clone(),
        mass: mass[k] / all,
        top5: times as f64 / DRAWS as f64,
    };
    first.into_iter().map(rank).collect()
}

fn add(sums: &mut [f64], row: &[f64]) {
    sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
}

/// Fewer than five weigh more. Of several that weigh the same all come first, whatever their order in the list.
fn comes_first(mass: &[f64], problem: usize) -> bool {
    mass[problem] > 0.0 && mass.iter().filter(|other| **other > mass[problem]).count() < FIRST
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::cells::{Occurrence, Topic, Unit, Units};
    use super::super::sample::sample;
    use super::super::tests::{LARGE, Size, world};
    use super::*;
    use crate::model::comparison::{PopulationV1, WindowV1};

    /// `people[k]` people tell of problem `k`, each in a thread of their own; every other of them did something about it.
    fn cells(people: &[usize]) -> Cells {
        let teller = |problem: usize, number: usize, thread: usize| Unit {
            id: format!("a{thread:04}"),
            cluster: thread,
            rep: None,
            accounts: 1,
            newcomer: false,
            found: vec![Occurrence {
                problem,
                count: 1,
                accounts: 1,
                cluster: thread,
                places: BTreeSet::from([(0, thread)]),
                elicitation: None,
                revealed: number.is_multiple_of(2),
            }],
            other: false,
            gold: None,
            weight: 1.0,
        };
        let told = people.iter().enumerate().flat_map(|(k, n)| (0..*n).map(move |i| (k, i)));
        let community = told.enumerate().map(|(thread, (k, i))| teller(k, i, thread)).collect::<Vec<_>>();
        let all = community.len() as u64;
        Cells {
            problems: (0..people.len()).map(|k| Topic { id: format!("p{k}"), name: String::new() }).collect(),
            community: Units(community),
            crm: Units::default(),
            accounts: Vec::new(),
            items: Default::default(),
            deals: Vec::new(),
            kinds: Vec::new(),
            population: PopulationV1 { communities: 2, threads: all, problem_authors: all, ..PopulationV1::default() },
            window: WindowV1 { since: None, until: None, why: String::new() },
            caveats: Vec::new(),
        }
    }

    #[test]
    fn the_heaviest_come_first_and_the_close_ones_are_unsure() {
        let ranks = ranks(&cells(&[60, 50, 40, 30, 20, 19, 1, 0]), 1).unwrap();
        let ids = ranks.community_all.iter().map(|r| r.id.as_str()).collect::<Vec<_>>();
        assert_eq!(ids, ["p0", "p1", "p2", "p3", "p4"]);
        assert!(ranks.community_all[0].top5 > 0.99, "{ranks:?}");
        assert!((0.4..0.75).contains(&ranks.community_all[4].top5), "20 against 19: {ranks:?}");
        assert!((ranks.community_all[0].mass - 60.0 / 220.0).abs() < 1e-12);
        assert!((ranks.community[0].mass - 30.0 / 111.0).abs() < 1e-12, "of those who did something");
        assert!(ranks.crm.is_empty(), "there is no CRM");
    }

    #[test]
    fn equal_masses_have_equal_ranks_and_the_seed_decides() {
        let one = cells(&[30, 30, 30, 30, 30, 30, 30]);
        let of = |seed| ranks(&one, seed).unwrap();
        assert_eq!(of(1).community_all.len(), 7, "no order of the list decides among equals");
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn too_few_people_have_no_ranks() {
        assert_eq!(ranks(&cells(&[20, 9]), 1), None);
    }

    /// Otherwise labels had to be redrawn by themselves.
    #[test]
    fn a_draw_of_clusters_spreads_masses_as_far_as_labels_do() {
        let runs = 150;
        let (mut drawn, mut sums) = (0.0, Vec::new());
        for seed in 0..runs {
            let size = Size { reader_right: 0.8, ..LARGE };
            let mut cells = world(seed, size, &[(0.3, 0.1), (0.2, 0.1), (0.15, 0.1), (0.14, 0.1)], 0.5);
            let sample = sample(&cells, 80, seed);
            let weights = sample.iter().map(|u| (u.unit.as_str(), u.weight)).collect::<BTreeMap<_, _>>();
            for unit in &mut cells.community.0 {
                let weight = weights.get(unit.id.as_str()).copied();
                unit.gold = unit.gold.take().filter(|_| weight.is_some());
                unit.weight = weight.unwrap_or(1.0);
            }
            let rows = Measured::community(&cells).table();
            let apart = rows.iter().map(|row| row[0] - row[1]).collect::<Vec<_>>();
            drawn += spread(&apart) * apart.len() as f64 / runs as f64;
            sums.push(apart.iter().sum());
        }
        let ratio = drawn / spread(&sums);
        assert!((0.75..1.25).contains(&ratio), "variance of draws over variance of worlds: {ratio}");
    }

    /// Variance.
    fn spread(of: &[f64]) -> f64 {
        let mean = of.iter().sum::<f64>() / of.len() as f64;
        of.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (of.len() - 1) as f64
    }
}
