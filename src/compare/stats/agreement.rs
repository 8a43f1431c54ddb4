//! How far annotators agree: Krippendorff's alpha with an interval over whole clusters, and the agreement on one answer.
//!
//! Everything is computed from a table of *coincidences*: for every item, how often each answer stood beside each other one,
//! divided by the number of answers less one (K. Krippendorff, "Computing Krippendorff's Alpha-Reliability", 2011; "Content
//! Analysis", 4th edition, 2018, chapter 12). Tables of items add up, so a bootstrap draw is a sum of clusters' tables.

use std::collections::BTreeMap;

use rand::{Rng, RngExt as _};

use super::quantile;

/// Draws behind an interval (METHOD 3.11).
const DRAWS: usize = 1000;

/// Fewer clusters than this give no interval (METHOD 3.11).
const CLUSTERS: usize = 10;

/// How far apart two answers are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal or not.
    Nominal,
    /// By how many answers lie between them; answers are numbered in their order.
    Ordinal,
}

/// What several people said of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// The thread or the account it comes from.
    pub cluster: usize,
    /// One number an annotator, each below the number of categories; fewer than two say nothing of agreement.
    pub values: Vec<usize>,
}

/// How far the annotators of some items agree.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreement {
    /// Items with two answers or more.
    pub items: usize,
    /// Clusters that these come from.
    pub clusters: usize,
    /// Clusters with an answer that is not the most common one; alpha rests on them.
    pub rarer: usize,
    /// 1 is perfect, 0 is chance, below 0 worse; `None` when nobody ever gave another answer than all the others.
    pub alpha: Option<f64>,
    /// Its 95% interval; `None` below ten clusters, and where one draw in ten holds a single answer only.
    pub interval: Option<(f64, f64)>,
    /// The coincidences of all items.
    pub coincidences: Coincidences,
}

/// How often answers stood beside each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Coincidences {
    categories: usize,
    /// Row by row; symmetric.
    counts: Vec<f64>,
}

impl Coincidences {
    /// An empty table.
    pub fn new(categories: usize) -> Self {
        Self { categories, counts: vec![0.0; categories * categories] }
    }

    /// Adds one item. Fewer than two answers add nothing.
    pub fn add(&mut self, values: &[usize]) {
        if values.len() < 2 {
            return;
        }
        let weight = 1.0 / (values.len() - 1) as f64;
        for (i, a) in values.iter().enumerate() {
            for (j, b) in values.iter().enumerate() {
                if i != j && *a < self.categories && *b < self.categories {
                    self.counts[a * self.categories + b] += weight;
                }
            }
        }
    }

    fn sum(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    fn at(&self, a: usize, b: usize) -> f64 {
        self.counts[a * self.categories + b]
    }

    /// How often each answer was given, among those that stand beside another.
    fn totals(&self) -> Vec<f64> {
        self.counts.chunks_exact(self.categories.max(1)).map(|row| row.iter().sum()).collect()
    }

    /// Observed disagreement, and what chance would make of the same answers; both summed over pairs, not averaged.
    fn disagreement(&self, scale: Scale) -> (f64, f64) {
        let totals = self.totals();
        let all = totals.iter().sum::<f64>();
        let (mut observed, mut expected) = (0.0, 0.0);
        for a in 0..self.categories {
            for b in 0..self.categories {
                let distance = distance(&totals, a, b, scale);
                observed += self.at(a, b) * distance;
                expected += totals[a] * totals[b] * distance;
            }
        }
        (observed, if all > 1.0 { expected / (all - 1.0) } else { 0.0 })
    }

    /// Krippendorff's alpha (2011): one less the observed disagreement as a share of that by chance. `None` when all answers
    /// are the same.
    pub fn alpha(&self, scale: Scale) -> Option<f64> {
        let (observed, expected) = self.disagreement(scale);
        (expected > 0.0).then(|| 1.0 - observed / expected)
    }

    /// Agreement on one answer, in 0..=1: of two annotators 2a/(2a+b+c), where both gave it a times and one alone b and c
    /// times (METHOD 1.5). `None` when nobody gave it.
    pub fn on(&self, answer: usize) -> Option<f64> {
        let given = *self.totals().get(answer)?;
        (given > 0.0).then(|| self.at(answer, answer) / given)
    }
}

/// Squared distance of two answers (Krippendorff 2011, section D).
fn distance(totals: &[f64], a: usize, b: usize, scale: Scale) -> f64 {
    if a == b {
        return 0.0;
    }
    match scale {
        Scale::Nominal => 1.0,
        Scale::Ordinal => {
            let (low, high) = (a.min(b), a.max(b));
            let between = totals[low..=high].iter().sum::<f64>() - f64::midpoint(totals[low], totals[high]);
            between * between
        }
    }
}

/// Alpha of `items`, whose values are below `categories`, with a 95% interval: percentiles of 1,000 draws of as many clusters
/// with repetition (Zapf and others, 2016, find the bootstrap over items sound for alpha; over clusters because items of one
/// thread are alike).
///
/// Annotators who never disagreed would give an interval without width. There the lower bound is what alpha would be if they
/// disagreed in as large a share of the clusters as can still go unseen in so many: 1 - 0.025^(1/G).
pub fn agreement(items: &[Rated], categories: usize, scale: Scale, rng: &mut impl Rng) -> Agreement {
    let mut clusters = BTreeMap::<usize, Coincidences>::new();
    let mut counted = 0;
    for item in items.iter().filter(|i| i.values.len() > 1) {
        counted += 1;
        clusters.entry(item.cluster).or_insert_with(|| Coincidences::new(categories)).add(&item.values);
    }
    let clusters = clusters.into_values().collect::<Vec<_>>();
    let mut whole = Coincidences::new(categories);
    clusters.iter().for_each(|table| whole.sum(table));
    let totals = whole.totals();
    let common = (0..categories).max_by(|a, b| totals[*a].total_cmp(&totals[*b])).unwrap_or(0);
    let rarer = |table: &Coincidences| table.totals().iter().enumerate().any(|(i, n)| i != common && *n > 0.0);
    Agreement {
        items: counted,
        clusters: clusters.len(),
        rarer: clusters.iter().filter(|table| rarer(table)).count(),
        alpha: whole.alpha(scale),
        interval: interval(&clusters, &whole, scale, rng),
        coincidences: whole,
    }
}

fn interval(clusters: &[Coincidences], whole: &Coincidences, scale: Scale, rng: &mut impl Rng) -> Option<(f64, f64)> {
    if clusters.len() < CLUSTERS {
        return None;
    }
    let mut drawn = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        let mut table = Coincidences::new(whole.categories);
        (0..clusters.len()).for_each(|_| table.sum(&clusters[rng.random_range(0..clusters.len())]));
        drawn.extend(table.alpha(scale));
    }
    if drawn.len() * 10 < DRAWS * 9 {
        return None;
    }
    let (observed, expected) = whole.disagreement(scale);
    if observed <= 0.0 && expected > 0.0 {
        let totals = whole.totals();
        let used = (0..whole.categories).filter(|i| totals[*i] > 0.0).collect::<Vec<_>>();
        let farthest = distance(&totals, *used.first()?, *used.last()?, scale);
        let unseen = 1.0 - 0.025_f64.powf(1.0 / clusters.len() as f64);
        return Some((1.0 - unseen * totals.iter().sum::<f64>() * farthest / expected, 1.0));
    }
    drawn.sort_by(f64::total_cmp);
    Some((quantile(&drawn, 0.025), quantile(&drawn, 0.975)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    fn table(items: &[Vec<usize>], categories: usize) -> Coincidences {
        let mut table = Coincidences::new(categories);
        items.iter().for_each(|values| table.add(values));
        table
    }

    /// Krippendorff 2011, section C: four observers, twelve units, five categories, missing answers. By hand, nominal: 40
    /// pairable answers of which 9, 13, 10, 5, 3 of each category and 32 on the diagonal, so
    /// (39 * 32 - 344) / (40 * 39 - 344) = 904 / 1216.
    #[test]
    fn krippendorffs_own_example() {
        let units: [&[usize]; 12] = [
            &[1, 1, 1],
            &[2, 2, 3, 2],
            &[3, 3, 3, 3],
            &[3, 3, 3, 3],
            &[2, 2, 2, 2],
            &[1, 2, 3, 4],
            &[4, 4, 4, 4],
            &[1, 1, 2, 1],
            &[2, 2, 2, 2],
            &[5, 5, 5],
            &[1, 1],
            &[3],
        ];
        let units = units.map(|u| u.iter().map(|v| v - 1).collect::<Vec<_>>());
        let table = table(&units, 5);
        assert_eq!(table.totals().iter().map(|n| n.round() as u32).collect::<Vec<_>>(), [9, 13, 10, 5, 3]);
        assert!((table.alpha(Scale::Nominal).unwrap() - 904.0 / 1216.0).abs() < 1e-12);
        assert!((table.alpha(Scale::Ordinal).unwrap() - 0.815).abs() < 5e-4, "{:?}", table.alpha(Scale::Ordinal));
    }

    /// Of two annotators on 100 items: both yes 20, the first alone 10, the second alone 5. Positive agreement 40 / 55;
    /// alpha by hand 1 - 199 * 30 / (2 * 55 * 145), with 55 of the 200 answers yes.
    #[test]
    fn two_annotators_by_hand() {
        let mut items = vec![vec![1, 1]; 20];
        items.extend(vec![vec![1, 0]; 10]);
        items.extend(vec![vec![0, 1]; 5]);
        items.extend(vec![vec![0, 0]; 65]);
        let table = table(&items, 2);
        assert!((table.on(1).unwrap() - 40.0 / 55.0).abs() < 1e-12);
        let alpha = 1.0 - 199.0 * 30.0 / (2.0 * 55.0 * 145.0);
        assert!((table.alpha(Scale::Nominal).unwrap() - alpha).abs() < 1e-12);
        assert!((table.alpha(Scale::Ordinal).unwrap() - alpha).abs() < 1e-12, "two categories have one distance");
    }

    fn items(values: &[Vec<usize>], clusters: usize) -> Vec<Rated> {
        values.iter().enumerate().map(|(i, v)| Rated { cluster: i % clusters, values: v.clone() }).collect()
    }

    #[test]
    fn what_cannot_be_known_is_not_a_number() {
        let nothing = agreement(&[], 2, Scale::Nominal, &mut rng(1));
        assert_eq!((nothing.items, nothing.alpha, nothing.interval), (0, None, None));
        let alone = agreement(&items(&vec![vec![1]; 40], 20), 2, Scale::Nominal, &mut rng(1));
        assert_eq!((alone.items, alone.alpha), (0, None));
        let same = agreement(&items(&vec![vec![0, 0]; 40], 20), 2, Scale::Nominal, &mut rng(1));
        assert_eq!((same.items, same.rarer, same.alpha, same.interval), (40, 0, None, None));
        let mixed = [vec![vec![0, 0]; 20], vec![vec![1, 1]; 20]].concat();
        let few = agreement(&items(&mixed, 9), 2, Scale::Nominal, &mut rng(1));
        assert_eq!((few.alpha, few.interval), (Some(1.0), None), "nine clusters");
    }

    #[test]
    fn perfect_agreement_on_little_is_not_certain() {
        let of = |yes: usize, n: usize| {
            let values = [vec![vec![1, 1]; yes], vec![vec![0, 0]; n - yes]].concat();
            agreement(&items(&values, n), 2, Scale::Nominal, &mut rng(1)).interval
        };
        let (low, high) = of(50, 100).unwrap();
        assert!((0.9..1.0).contains(&low) && (high - 1.0).abs() < 1e-12, "{low}");
        assert!(of(5, 100).unwrap().0 < 0.67, "five of five are few");
        assert_eq!(of(1, 100), None, "a draw often holds none");
        let ordinal = [vec![vec![0, 0]; 50], vec![vec![4, 4]; 50]].concat();
        let (low, _) = agreement(&items(&ordinal, 100), 5, Scale::Ordinal, &mut rng(1)).interval.unwrap();
        assert!((0.9..1.0).contains(&low), "{low}");
    }

    /// Two annotators who both err, on items whose truth goes by thread: the interval holds the alpha of many more items.
    #[test]
    fn the_interval_holds_the_truth() {
        const RUNS: usize = 150;
        let (yes, no, wrong) = (0.6, 0.15, 0.1);
        let mut rng = rng(7);
        let world = |threads: usize, rng: &mut ChaCha8Rng| {
            let mut items = Vec::new();
            for cluster in 0..threads {
                let share = if rng.random_bool(0.4) { yes } else { no };
                for _ in 0..3 {
                    let truth = rng.random_bool(share);
                    let values = (0..2).map(|_| usize::from(truth != rng.random_bool(wrong))).collect();
                    items.push(Rated { cluster, values });
                }
            }
            items
        };
        let many = world(100_000, &mut rng).into_iter().map(|i| i.values).collect::<Vec<_>>();
        let truth = table(&many, 2).alpha(Scale::Nominal).unwrap();
        let mut held = 0;
        for _ in 0..RUNS {
            let few = world(30, &mut rng);
            let (low, high) = agreement(&few, 2, Scale::Nominal, &mut rng).interval.unwrap();
            held += usize::from(low <= truth && truth <= high);
        }
        let coverage = held as f64 / RUNS as f64;
        assert!((0.88..=0.99).contains(&coverage), "{coverage}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn alpha_is_at_most_one_and_knows_no_order(
            mut values in prop::collection::vec(prop::collection::vec(0usize..4, 0..5), 1..40), turn in 0usize..4,
        ) {
            let first = table(&values, 4);
            for scale in [Scale::Nominal, Scale::Ordinal] {
                if let Some(alpha) = first.alpha(scale) {
                    prop_assert!(alpha <= 1.0 + 1e-12);
                    let split = values.iter().any(|v| v.iter().any(|x| *x != v[0]));
                    prop_assert_eq!(alpha < 1.0 - 1e-12, split);
                }
            }
            // Nominal alpha does not know the names of the categories, ordinal alpha not the direction of their order.
            let renamed = values.iter().map(|v| v.iter().map(|x| (x + turn) % 4).collect()).collect::<Vec<_>>();
            let turned = values.iter().map(|v| v.iter().map(|x| 3 - x).collect()).collect::<Vec<_>>();
            let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                (a, b) => a == b,
            };
            prop_assert!(near(first.alpha(Scale::Nominal), table(&renamed, 4).alpha(Scale::Nominal)));
            prop_assert!(near(first.alpha(Scale::Ordinal), table(&turned, 4).alpha(Scale::Ordinal)));
            values.reverse();
            values.iter_mut().for_each(|v| v.reverse());
            prop_assert!(near(first.alpha(Scale::Ordinal), table(&values, 4).alpha(Scale::Ordinal)));
            for answer in 0..4 {
                prop_assert!(first.on(answer).is_none_or(|share| (0.0..=1.0 + 1e-12).contains(&share)));
            }
        }

        #[test]
        fn the_interval_is_repeated_by_its_seed(
            values in prop::collection::vec(prop::collection::vec(0usize..2, 2), 12..30), seed: u64,
        ) {
            let items = items(&values, 12);
            let of = || agreement(&items, 2, Scale::Nominal, &mut rng(seed));
            prop_assert_eq!(of(), of());
            if let Some((low, high)) = of().interval {
                prop_assert!(low <= high);
            }
        }
    }
}
