//! Clusters: points that lie together, without anybody saying how many heaps there are.
//!
//! Agglomerative clustering with Ward's criterion (`kodama`), cut where clusters hold across conversations, then a few
//! rounds of reassignment, since a merge made early is never undone. The one rule: a cluster that too few people speak in
//! is no problem; its points fit nowhere.

use std::collections::{BTreeMap, BTreeSet};

use kodama::{Dendrogram, Method, linkage};
use rayon::prelude::*;

use super::vectors::{add_scaled, dot, normalise};

/// Fewest distinct people or accounts in a cluster.
pub(super) const MIN_PEOPLE: usize = 3;
/// Most problems a codebook holds, and the least to aim at when the data allow (METHOD 3.1).
pub const MOST: usize = 40;
pub(super) const LEAST: usize = 8;
/// Points wanted for each cluster before one more is considered.
const POINTS_PER_CLUSTER: usize = 6;
/// Rounds of reassignment; it settles sooner.
const ROUNDS: usize = 10;

/// A text to be clustered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spoken<'a> {
    /// Where it lies: of length one, or zero.
    pub(super) at: &'a [f32],
    /// The person or account behind it.
    pub(super) who: &'a str,
    /// The conversation it stands in.
    pub(super) conversation: &'a str,
}

/// Clusters of `points` by their first `leading` coordinates, at least `aim` where the points allow, as ordered indices, the largest
/// first. What is in no cluster fits nowhere, and so does what is less similar than `fits` to all of them.
pub(super) fn cluster(points: &[Spoken<'_>], leading: usize, aim: usize, fits: f32) -> Vec<Vec<usize>> {
    let heads = points.iter().map(|point| direction(&point.at[..leading.min(point.at.len())])).collect::<Vec<_>>();
    let points = &points.iter().zip(&heads).map(|(point, at)| Spoken { at, ..*point }).collect::<Vec<_>>();
    let most = MOST.min(points.len() / POINTS_PER_CLUSTER);
    if most == 0 {
        return Vec::new();
    }
    let least = aim.min(most.div_ceil(2));
    let tree = linkage(&mut distances(points), points.len(), Method::Ward);
    // Clusters of too few people fall away, so a finer cut can still end with few enough.
    let cuts = (least..=most + most / 2)
        .into_par_iter()
        .map(|count| settle(points, spoken_by_enough(cut_at(&tree, count), points), fits))
        .filter(|clusters| clusters.len() <= most)
        .map(|clusters| (margin(points, &clusters), clusters))
        .collect::<Vec<_>>();
    let Some((best, error)) = cuts.iter().map(|(m, _)| *m).max_by(|a, b| a.0.total_cmp(&b.0)) else {
        return Vec::new();
    };
    // The one-standard-error rule (Breiman et al. 1984): of cuts that differ by chance only, the coarsest.
    let coarsest = cuts.into_iter().find(|((mean, _), _)| *mean >= best - error);
    let mut clusters = coarsest.map(|(_, clusters)| spoken_by_enough(clusters, points)).unwrap_or_default();
    clusters.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    clusters
}

/// The two parts that `points` lie in, or none when one of them would be spoken by too few.
pub(super) fn parts(points: &[Spoken<'_>], fits: f32) -> Option<[Vec<usize>; 2]> {
    if points.len() < 2 * MIN_PEOPLE {
        return None;
    }
    let tree = linkage(&mut distances(points), points.len(), Method::Ward);
    spoken_by_enough(settle(points, cut_at(&tree, 2), fits), points).try_into().ok()
}

/// Euclidean distances, the upper triangle row by row.
fn distances(points: &[Spoken<'_>]) -> Vec<f32> {
    let distance = |i: usize, j: usize| (2.0 - 2.0 * dot(points[i].at, points[j].at)).max(0.0).sqrt();
    (0..points.len()).into_par_iter().flat_map_iter(|i| (i + 1..points.len()).map(move |j| distance(i, j))).collect()
}

/// The clusters that are left when all but the last `count - 1` merges are made.
fn cut_at(tree: &Dendrogram<f32>, count: usize) -> Vec<Vec<usize>> {
    let total = tree.observations();
    let mut clusters = (0..total).map(|i| vec![i]).collect::<Vec<_>>();
    for step in &tree.steps()[..total.saturating_sub(count.max(1))] {
        let mut merged = std::mem::take(&mut clusters[step.cluster1]);
        merged.append(&mut clusters[step.cluster2]);
        clusters.push(merged);
    }
    clusters.retain(|c| !c.is_empty());
    clusters
}

fn spoken_by_enough(mut clusters: Vec<Vec<usize>>, points: &[Spoken<'_>]) -> Vec<Vec<usize>> {
    clusters.retain(|c| c.iter().map(|&i| points[i].who).collect::<BTreeSet<_>>().len() >= MIN_PEOPLE);
    clusters
}

/// Moves every point to the cluster it is most similar to, or to none, until nothing moves.
fn settle(points: &[Spoken<'_>], mut clusters: Vec<Vec<usize>>, fits: f32) -> Vec<Vec<usize>> {
    for _ in 0..ROUNDS {
        let centroids = clusters.iter().map(|c| direction(&sum(points, c))).collect::<Vec<_>>();
        let mut moved = vec![Vec::new(); clusters.len()];
        for (i, point) in points.iter().enumerate() {
            let similarities = centroids.iter().map(|c| dot(c, point.at)).enumerate();
            if let Some((cluster, similarity)) = similarities.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
                && similarity >= fits
            {
                moved[cluster].push(i);
            }
        }
        moved.retain(|c| !c.is_empty());
        if moved == clusters {
            break;
        }
        clusters = moved;
    }
    clusters
}

/// How much closer points are to their own cluster than to the next one, as seen from *other* conversations: mean and
/// standard error.
///
/// Posts of one conversation share words whatever they are about, so a measure that let a point look at its own
/// conversation would always ask for more clusters, down to one for each. A point that fits nowhere counts as zero, so
/// that dropping hard points does not pay.
pub(super) fn margin(points: &[Spoken<'_>], clusters: &[Vec<usize>]) -> (f32, f32) {
    let sums = clusters.iter().map(|c| sum(points, c)).collect::<Vec<_>>();
    let centroids = sums.iter().map(|s| direction(s)).collect::<Vec<_>>();
    let mut shares = BTreeMap::<&str, Vec<(usize, Vec<usize>)>>::new();
    for (k, members) in clusters.iter().enumerate() {
        let mut by_conversation = BTreeMap::<&str, Vec<usize>>::new();
        for &i in members {
            by_conversation.entry(points[i].conversation).or_default().push(i);
        }
        for (conversation, members) in by_conversation {
            shares.entry(conversation).or_default().push((k, members));
        }
    }
    let mut margins = Vec::with_capacity(points.len());
    for shares in shares.values() {
        // The centroids without this conversation.
        let mut seen = centroids.iter().map(|c| c.as_slice()).collect::<Vec<_>>();
        let without = shares
            .iter()
            .map(|(k, members)| {
                let mut rest = sums[*k].clone();
                add_scaled(&mut rest, &sum(points, members), -1.0);
                direction(&rest)
            })
            .collect::<Vec<_>>();
        for ((k, _), without) in shares.iter().zip(&without) {
            seen[*k] = without;
        }
        for (own, members) in shares {
            for &i in members {
                let similarity = |k: usize| dot(seen[k], points[i].at);
                let next = (0..seen.len()).filter(|k| k != own).map(similarity).fold(0.0, f32::max);
                margins.push(similarity(*own) - next);
            }
        }
    }
    let count = points.len() as f32;
    let mean = margins.iter().sum::<f32>() / count;
    let squares = margins.iter().map(|m| m * m).sum::<f32>() / count;
    (mean, ((squares - mean * mean).max(0.0) / count).sqrt())
}

fn sum(points: &[Spoken<'_>], members: &[usize]) -> Vec<f32> {
    let mut sum = vec![0.0; points.first().map_or(0, |p| p.at.len())];
    for &member in members {
        add_scaled(&mut sum, points[member].at, 1.0);
    }
    sum
}

fn direction(sum: &[f32]) -> Vec<f32> {
    let mut direction = sum.to_vec();
    normalise(&mut direction);
    direction
}

#[cfg(test)]
mod tests {
    use super::*;

    const FITS: f32 = 0.2;

    /// `per_heap` points near each of `heaps` axes, each by another person in another conversation.
    fn heaps(heaps: usize, per_heap: usize) -> Vec<(Vec<f32>, String)> {
        let mut points = Vec::new();
        for heap in 0..heaps {
            for i in 0..per_heap {
                let mut at = vec![0.0; heaps + per_heap];
                at[heap] = 1.0;
                at[heaps + i] = 0.4;
                normalise(&mut at);
                points.push((at, format!("{heap}-{i}")));
            }
        }
        points
    }

    fn spoken(points: &[(Vec<f32>, String)]) -> Vec<Spoken<'_>> {
        points.iter().map(|(at, who)| Spoken { at, who, conversation: who }).collect()
    }

    #[test]
    fn finds_the_heaps_that_are_there() {
        let points = heaps(9, 12);
        let clusters = cluster(&spoken(&points), usize::MAX, LEAST, FITS);
        let expected = (0..9).map(|h| (h * 12..(h + 1) * 12).collect::<Vec<_>>()).collect::<Vec<_>>();
        assert_eq!(clusters, expected);
    }

    #[test]
    fn what_one_person_says_is_no_cluster() {
        let mut points = heaps(9, 12);
        for (_, who) in &mut points[..12] {
            *who = "the same".to_owned();
        }
        let clusters = cluster(&spoken(&points), usize::MAX, LEAST, FITS);
        assert!(clusters.iter().flatten().all(|&i| i >= 12), "{clusters:?}");
        assert_eq!(clusters.len(), 8);
    }

    #[test]
    fn a_point_that_lies_nowhere_is_left_out() {
        let mut points = heaps(9, 12);
        let zero = vec![0.0; points[0].0.len()];
        points.push((zero, "nobody".to_owned()));
        let stray = points.len() - 1;
        assert!(cluster(&spoken(&points), usize::MAX, LEAST, FITS).iter().flatten().all(|&i| i != stray));
    }

    #[test]
    fn little_data_gives_few_clusters_or_none() {
        for count in 0..6 {
            assert!(cluster(&spoken(&heaps(1, count)), usize::MAX, LEAST, FITS).is_empty());
        }
        assert_eq!(cluster(&spoken(&heaps(2, 12)), usize::MAX, LEAST, FITS).len(), 2);
        let same = (0..50).map(|i| (vec![1.0, 0.0], i.to_string())).collect::<Vec<_>>();
        assert!(cluster(&spoken(&same), usize::MAX, LEAST, FITS).iter().flatten().count() <= 50);
    }

    #[test]
    fn only_the_leading_coordinates_count() {
        // The other coordinates say what the first ones do not.
        let mut points = heaps(2, 24);
        for (i, (at, _)) in points.iter_mut().enumerate() {
            at.iter_mut().for_each(|x| *x *= 0.6);
            at.extend((0..4).map(|axis| if i % 4 == axis { 0.8 } else { 0.0 }));
        }
        let clusters = cluster(&spoken(&points), 2, 2, FITS);
        assert_eq!(clusters, [(0..24).collect::<Vec<_>>(), (24..48).collect()]);
    }

    #[test]
    fn conversations_do_not_ask_for_a_cluster_each() {
        // Two subjects, and on top of each a direction of its own for each of 20 conversations of 6 posts.
        let mut points = Vec::new();
        for conversation in 0..20 {
            for post in 0..6 {
                let mut at = vec![0.0; 2 + 20];
                at[conversation % 2] = 1.0;
                at[2 + conversation] = 0.9;
                normalise(&mut at);
                points.push((at, format!("c{conversation}"), format!("p{conversation}-{post}")));
            }
        }
        let spoken = points.iter().map(|(at, conversation, who)| Spoken { at, who, conversation }).collect::<Vec<_>>();
        assert_eq!(cluster(&spoken, usize::MAX, LEAST, FITS).len(), 8, "the fewest a codebook aims at, not 20");
    }
}
