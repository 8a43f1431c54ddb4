//! How well a stream was cut into conversations: the scores that are usual for chat disentanglement (Kummerfeld et al. 2019;
//! Shen et al. 2006; Elsner & Charniak 2008).

use std::collections::{BTreeMap, BTreeSet};

/// Counts behind a precision and a recall.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Matches {
    /// Found that are right.
    pub right: usize,
    /// Found.
    pub found: usize,
    /// To be found.
    pub wanted: usize,
}

impl Matches {
    /// Right among found; 0 when nothing was.
    pub fn precision(&self) -> f64 {
        share(self.right, self.found)
    }

    /// Right among wanted; 0 when nothing was.
    pub fn recall(&self) -> f64 {
        share(self.right, self.wanted)
    }

    /// Harmonic mean of both.
    pub fn f1(&self) -> f64 {
        share(2 * self.right, self.found + self.wanted)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Links as pairs (message, message answered); a message that answers nothing is linked to itself.
pub fn link_matches(gold: &BTreeSet<(usize, usize)>, found: &BTreeSet<(usize, usize)>) -> Matches {
    Matches { right: gold.intersection(found).count(), found: found.len(), wanted: gold.len() }
}

/// How a cut agrees with the gold. Shares in 0..=1 (the adjusted Rand index may fall below 0); 1 is perfect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Messages.
    pub messages: usize,
    /// Conversations of at least two messages that are the same in both.
    pub exact: Matches,
    /// Share of messages in common under the best pairing of conversations.
    pub one_to_one: f64,
    /// One minus the variation of information (Meilă 2007) over its greatest value, `log n`.
    pub information: f64,
    /// Rand index adjusted for chance (Hubert & Arabie 1985).
    pub rand: f64,
    /// Share of pairs of a message and one of the three before it about which both agree whether they belong together.
    pub local_3: f64,
}

/// Compares two cuts of the same messages; `gold[i]` and `found[i]` are any labels of the conversation of message `i`.
pub fn agreement(gold: &[usize], found: &[usize]) -> Agreement {
    let n = gold.len().min(found.len());
    let (gold, found) = (dense(&gold[..n]), dense(&found[..n]));
    let (g, f) = (sizes(&gold), sizes(&found));
    let mut both: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for pair in gold.iter().copied().zip(found.iter().copied()) {
        *both.entry(pair).or_default() += 1;
    }
    let exact = Matches {
        right: both.iter().filter(|((a, b), count)| **count > 1 && g[*a] == **count && f[*b] == **count).count(),
        found: f.iter().filter(|size| **size > 1).count(),
        wanted: g.iter().filter(|size| **size > 1).count(),
    };
    let mut overlap = vec![vec![0; f.len()]; g.len()];
    for ((a, b), count) in &both {
        overlap[*a][*b] = *count;
    }
    let mut local = (0, 0);
    for here in 0..n {
        for before in here.saturating_sub(3)..here {
            local.0 += usize::from((gold[here] == gold[before]) == (found[here] == found[before]));
            local.1 += 1;
        }
    }
    Agreement {
        messages: n,
        exact,
        one_to_one: share(best_pairing(&overlap), n),
        information: information(n, &g, &f, &both),
        rand: rand(n, &g, &f, &both),
        local_3: if local.1 == 0 { 1.0 } else { share(local.0, local.1) },
    }
}

/// Labels as numbers from 0 in the order in which they occur.
fn dense(labels: &[usize]) -> Vec<usize> {
    let mut numbers = BTreeMap::new();
    labels
        .iter()
        .map(|label| {
            let next = numbers.len();
            *numbers.entry(*label).or_insert(next)
        })
        .collect()
}

fn sizes(dense: &[usize]) -> Vec<usize> {
    let mut sizes = vec![0; dense.iter().max().map_or(0, |most| most + 1)];
    dense.iter().for_each(|label| sizes[*label] += 1);
    sizes
}

fn information(n: usize, g: &[usize], f: &[usize], both: &BTreeMap<(usize, usize), usize>) -> f64 {
    if n < 2 {
        return 1.0;
    }
    let p = |count: usize| count as f64 / n as f64;
    let entropy = |sizes: &[usize]| -sizes.iter().map(|size| p(*size) * p(*size).ln()).sum::<f64>();
    let joint = -both.values().map(|count| p(*count) * p(*count).ln()).sum::<f64>();
    1.0 - (2.0 * joint - entropy(g) - entropy(f)) / (n as f64).ln()
}

fn rand(n: usize, g: &[usize], f: &[usize], both: &BTreeMap<(usize, usize), usize>) -> f64 {
    let pairs = |count: usize| count as f64 * (count as f64 - 1.0) / 2.0;
    let together: f64 = both.values().map(|count| pairs(*count)).sum();
    let [in_gold, in_found] = [g, f].map(|sizes| sizes.iter().map(|size| pairs(*size)).sum::<f64>());
    let expected = if n < 2 { 0.0 } else { in_gold * in_found / pairs(n) };
    let most = (in_gold + in_found) / 2.0;
    if (most - expected).abs() < 1e-12 { 1.0 } else { (together - expected) / (most - expected) }
}

/// The greatest sum of entries with no two in a row or a column: the Hungarian method with potentials (Kuhn 1955; Munkres
/// 1957), O(rows² · columns) with the shorter side as rows.
pub fn best_pairing(gains: &[Vec<usize>]) -> usize {
    let columns = gains.first().map_or(0, Vec::len);
    if gains.len() > columns {
        let turned: Vec<Vec<usize>> = (0..columns).map(|c| gains.iter().map(|row| row[c]).collect()).collect();
        return best_pairing(&turned);
    }
    let rows = gains.len();
    let most = gains.iter().flatten().max().copied().unwrap_or(0) as i64;
    // Numbered from 1; row 0 and column 0 are the empty ones that the search starts from.
    let cost = |row: usize, column: usize| most - gains[row - 1][column - 1] as i64;
    let (mut u, mut v) = (vec![0_i64; rows + 1], vec![0_i64; columns + 1]);
    let mut row_of = vec![0_usize; columns + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut column = 0;
        let mut slack = vec![i64::MAX; columns + 1];
        let mut came_from = vec![0_usize; columns + 1];
        let mut used = vec![false; columns + 1];
        while row_of[column] != 0 {
            used[column] = true;
            let here = row_of[column];
            let (mut least, mut next) = (i64::MAX, 0);
            for other in (1..=columns).filter(|c| !used[*c]) {
                let reduced = cost(here, other) - u[here] - v[other];
                if reduced < slack[other] {
                    slack[other] = reduced;
                    came_from[other] = column;
                }
                if slack[other] < least {
                    (least, next) = (slack[other], other);
                }
            }
            for other in 0..=columns {
                if used[other] {
                    u[row_of[other]] += least;
                    v[other] -= least;
                } else {
                    slack[other] = slack[other].saturating_sub(least);
                }
            }
            column = next;
        }
        while column != 0 {
            row_of[column] = row_of[came_from[column]];
            column = came_from[column];
        }
    }
    (1..=columns).filter(|c| row_of[*c] != 0).map(|c| gains[row_of[c] - 1][c - 1]).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scores_of_a_cut_worked_out_by_hand() {
        let same = agreement(&[0, 0, 1, 1], &[7, 7, 3, 3]);
        assert_eq!((same.exact.f1(), same.one_to_one, same.local_3), (1.0, 1.0, 1.0));
        assert!((same.information - 1.0).abs() < 1e-12 && (same.rand - 1.0).abs() < 1e-12);
        // One conversation against two of two: half of the messages fit, ln 2 of ln 4 is lost.
        let one = agreement(&[0, 0, 1, 1], &[0, 0, 0, 0]);
        assert_eq!((one.exact, one.one_to_one), (Matches { right: 0, found: 1, wanted: 2 }, 0.5));
        assert!((one.information - 0.5).abs() < 1e-12 && one.rand.abs() < 1e-12);
        assert!((one.local_3 - 2.0 / 6.0).abs() < 1e-12);
        let links = |pairs: &[(usize, usize)]| pairs.iter().copied().collect::<BTreeSet<_>>();
        let found = link_matches(&links(&[(1, 0), (2, 2)]), &links(&[(1, 0), (2, 1)]));
        assert_eq!((found.precision(), found.recall()), (0.5, 0.5));
    }

    fn by_trying(gains: &[Vec<usize>], row: usize, taken: u32) -> usize {
        let Some(line) = gains.get(row) else { return 0 };
        let with = (0..line.len()).filter(|c| taken & (1 << c) == 0);
        let paired = with.map(|c| line[c] + by_trying(gains, row + 1, taken | (1 << c))).max().unwrap_or(0);
        paired.max(by_trying(gains, row + 1, taken))
    }

    proptest! {
        #[test]
        fn the_best_pairing_is_the_best_of_all(
            gains in (1_usize..6).prop_flat_map(|w| prop::collection::vec(prop::collection::vec(0_usize..9, w), 0..6))
        ) {
            prop_assert_eq!(best_pairing(&gains), by_trying(&gains, 0, 0));
        }

        #[test]
        fn names_of_conversations_do_not_matter(labels in prop::collection::vec((0_usize..5, 0_usize..5), 0..40)) {
            let (gold, found): (Vec<_>, Vec<_>) = labels.into_iter().unzip();
            let renamed: Vec<_> = found.iter().map(|label| 90 - label).collect();
            let (one, two) = (agreement(&gold, &found), agreement(&gold, &renamed));
            prop_assert_eq!((one.exact, one.one_to_one, one.local_3), (two.exact, two.one_to_one, two.local_3));
            prop_assert!((one.rand - two.rand).abs() < 1e-9 && (one.information - two.information).abs() < 1e-9);
            prop_assert!((0.0..=1.0 + 1e-9).contains(&one.information) && one.rand <= 1.0 + 1e-9);
        }
    }
}
