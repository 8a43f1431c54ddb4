//! Facts of a problem that are counted from sets of people: who dominates it, and how sharply people complain.

use std::collections::{BTreeMap, BTreeSet};

use super::view::SeverityView;
use crate::model::comparison::CountsV1;

/// Severity from which a complaint accuses or blames (METHOD 1.2: report the share at 2 and more).
const SHARP: u8 = 2;

/// The largest of some counts, of their sum.
pub(super) fn top_author(told: &BTreeMap<u32, u64>) -> CountsV1 {
    CountsV1 { hits: told.values().max().copied().unwrap_or(0), of: told.values().sum() }
}

/// The people of the largest thread, of all `people`.
pub(super) fn top_thread(threads: &BTreeMap<String, BTreeSet<u32>>, people: usize) -> CountsV1 {
    CountsV1 { hits: threads.values().map(BTreeSet::len).max().unwrap_or(0) as u64, of: people as u64 }
}

/// For each problem: of the people who complain of it, those whose sharpest complaint about it accuses or blames; and the same
/// for people who complain of anything else. `severity` is each person's sharpest complaint by problem, `other` that about
/// no problem of the list.
pub(super) fn severity(severity: &[&BTreeMap<u32, u8>], other: &BTreeMap<u32, u8>) -> Vec<SeverityView> {
    let mut complaints = BTreeMap::<u32, Vec<(Option<usize>, u8)>>::new();
    let all = severity.iter().enumerate().map(|(i, people)| (Some(i), *people)).chain([(None, other)]);
    for (problem, people) in all {
        for (person, level) in people {
            complaints.entry(*person).or_default().push((problem, *level));
        }
    }
    let counts = |sharpest: &mut dyn Iterator<Item = u8>| {
        sharpest.fold(CountsV1::default(), |counts, level| CountsV1 {
            hits: counts.hits + u64::from(level >= SHARP),
            of: counts.of + 1,
        })
    };
    severity
        .iter()
        .enumerate()
        .map(|(i, people)| {
            let elsewhere = |levels: &Vec<(Option<usize>, u8)>| {
                levels.iter().filter(|(problem, _)| *problem != Some(i)).map(|(_, level)| *level).max()
            };
            SeverityView {
                here: counts(&mut people.values().copied()),
                elsewhere: counts(&mut complaints.values().filter_map(elsewhere)),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loudest_author_and_the_largest_thread_are_found() {
        assert_eq!(top_author(&BTreeMap::from([(1, 7), (2, 1), (3, 2)])), CountsV1 { hits: 7, of: 10 });
        assert_eq!(top_author(&BTreeMap::new()), CountsV1::default());
        let threads =
            BTreeMap::from([("a".to_owned(), BTreeSet::from([1, 2, 3])), ("b".to_owned(), BTreeSet::from([3, 4]))]);
        assert_eq!(top_thread(&threads, 4), CountsV1 { hits: 3, of: 4 });
    }

    #[test]
    fn severity_is_a_share_of_people_beside_that_of_all_others() {
        // Person 1 blames over the first problem and is mild about the second; 2 is mild; 3 accuses over the second; 4
        // accuses over something else and is mild about the first.
        let first = BTreeMap::from([(1, 3), (2, 1), (4, 0)]);
        let second = BTreeMap::from([(1, 1), (3, 2)]);
        let other = BTreeMap::from([(4, 2)]);
        let views = severity(&[&first, &second], &other);
        let counts = |hits, of| CountsV1 { hits, of };
        assert_eq!(views[0], SeverityView { here: counts(1, 3), elsewhere: counts(2, 3) });
        assert_eq!(views[1], SeverityView { here: counts(1, 2), elsewhere: counts(2, 3) });
    }
}
