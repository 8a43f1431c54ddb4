//! Posts in nearly the same words: whose authors count as one person, which are copies, which look coordinated (METHOD 9.1).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use jiff::Timestamp;

use super::{CommunityRow, Store};
use crate::model::{AuthorKey, PostId, Recipe};

/// Shorter texts are written alike by people who never met, so they do not merge authors.
const MERGE_WORDS: usize = 12;

/// So many people who write nearly the same within so many hours are suspected of coordination (METHOD 9.1).
pub const COORDINATED: (usize, i64) = (3, 72);

/// Signals read at a time.
const PAGE: i64 = 2000;

/// Posts in nearly the same words (METHOD 3.2, 9.1): of several accounts, which then count as one person, or of one, which then
/// said it once, as when the same channel was collected from two kinds of exports.
#[derive(Debug, Clone, Default)]
pub struct Twins {
    /// The smallest key among each of them, by author.
    pub merged: BTreeMap<AuthorKey, AuthorKey>,
    /// Posts of which another of the same account stands.
    pub copies: BTreeSet<PostId>,
    /// Posts of which another stands by the same person under another account.
    pub echoes: BTreeSet<PostId>,
    /// Groups of accounts that wrote nearly the same within a short time.
    pub coordinated: usize,
}

/// Which of the posts `wanted` are in nearly the same words, whatever their days: a cluster number, and whether the text is long enough
/// to merge authors.
///
/// # Errors
/// When the store cannot be read.
pub async fn alike(
    store: &Store,
    reader: &Recipe,
    mut wanted: BTreeSet<PostId>,
    near_duplicates: fn(&[&str]) -> Vec<usize>,
) -> Result<BTreeMap<PostId, (usize, bool)>> {
    let mut texts = Vec::<(PostId, String)>::new();
    let mut after = String::new();
    loop {
        let page = store.signals(reader, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.signal.id.as_str().to_owned();
        for signal in page {
            if wanted.remove(&signal.signal.post) {
                texts.push((signal.signal.post, signal.text));
            }
        }
    }
    let clusters = near_duplicates(&texts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>());
    let long = |text: &str| text.split_whitespace().count() >= MERGE_WORDS;
    Ok(texts.into_iter().zip(clusters).map(|((post, text), cluster)| (post, (cluster, long(&text)))).collect())
}

/// Whose posts and which posts of `acts` are told together.
pub fn twins(acts: &[CommunityRow], alike: &BTreeMap<PostId, (usize, bool)>) -> Twins {
    let posts = acts.iter().map(|a| (&a.post, a)).collect::<BTreeMap<_, _>>();
    let told = posts.into_iter().filter_map(|(post, act)| Some((act, *alike.get(post)?))).collect::<Vec<_>>();
    let links = told.iter().filter(|(_, (_, long))| *long);
    let merged = joined(&links.map(|(act, (cluster, _))| (&act.author, *cluster)).collect::<Vec<_>>());
    // Of one channel in two exports all posts of the same one stand, so that threads are not counted twice.
    let mut said = BTreeMap::<_, BTreeSet<_>>::new();
    let mut groups = BTreeMap::<usize, Vec<(Timestamp, &AuthorKey)>>::new();
    for (act, (cluster, _)) in told.iter().filter(|(_, (_, long))| *long) {
        groups.entry(*cluster).or_default().extend(act.written_at.map(|at| (at, &act.author)));
    }
    let coordinated = groups.into_values().map(is_coordinated).filter(|coordinated| *coordinated).count();
    for (act, (cluster, _)) in told {
        said.entry((&act.author, cluster)).or_default().insert((&act.thread, &act.post));
    }
    let copies = said.values().flat_map(|posts| posts.iter().skip(1)).map(|(_, post)| (*post).clone()).collect();
    let mut by_person = BTreeMap::<_, BTreeSet<_>>::new();
    for ((author, cluster), posts) in &said {
        by_person.entry((merged.get(*author).unwrap_or(*author), *cluster)).or_default().extend(posts.first());
    }
    let echoes = by_person.values().flat_map(|posts| posts.iter().skip(1)).map(|(_, post)| (*post).clone()).collect();
    Twins { merged, copies, echoes, coordinated }
}

/// Whether so many authors wrote so close in time.
fn is_coordinated(mut posts: Vec<(Timestamp, &AuthorKey)>) -> bool {
    let (least, hours) = COORDINATED;
    posts.sort_unstable();
    (0..posts.len()).any(|i| {
        let near = posts[i..].iter().take_while(|(at, _)| at.duration_since(posts[i].0).as_hours() <= hours);
        near.map(|(_, author)| author).collect::<BTreeSet<_>>().len() >= least
    })
}

/// Joins authors that share a cluster of texts, directly or through others.
fn joined(links: &[(&AuthorKey, usize)]) -> BTreeMap<AuthorKey, AuthorKey> {
    fn root<'a>(parents: &BTreeMap<&'a AuthorKey, &'a AuthorKey>, mut key: &'a AuthorKey) -> &'a AuthorKey {
        while let Some(parent) = parents.get(key).filter(|p| **p != key) {
            key = parent;
        }
        key
    }
    let mut parents = BTreeMap::<&AuthorKey, &AuthorKey>::new();
    let mut first = BTreeMap::<usize, &AuthorKey>::new();
    for (author, cluster) in links {
        let (a, b) = (root(&parents, author), root(&parents, first.entry(*cluster).or_insert(author)));
        // The smaller key is the root, so the representative does not depend on the order of the texts.
        let root = a.min(b);
        for key in [a, b, author] {
            parents.insert(key, root);
        }
    }
    let roots = parents.keys().map(|key| (*key, root(&parents, key))).collect::<BTreeMap<_, _>>();
    let several = roots.iter().filter(|(key, root)| key != root).map(|(_, root)| *root).collect::<BTreeSet<_>>();
    roots
        .into_iter()
        .filter(|(_, root)| several.contains(root))
        .map(|(key, root)| (key.clone(), root.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_are_joined_through_others() {
        let keys = ["a_1", "a_2", "a_3", "a_4", "a_5"].map(AuthorKey::new);
        let links = [(&keys[3], 7), (&keys[1], 7), (&keys[1], 2), (&keys[0], 2), (&keys[4], 9)];
        let merged = joined(&links);
        assert_eq!(merged.len(), 3, "one alone is not merged");
        assert!(merged.values().all(|root| *root == keys[0]));
        let mut backwards = links;
        backwards.reverse();
        assert_eq!(joined(&backwards), merged);
    }

    #[test]
    fn the_same_words_from_three_accounts_in_three_days_look_coordinated() {
        let keys = ["a_1", "a_2", "a_3"].map(AuthorKey::new);
        let at = |hour: i64| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(hour);
        assert!(is_coordinated(vec![(at(72), &keys[2]), (at(0), &keys[0]), (at(30), &keys[1])]));
        assert!(!is_coordinated(vec![(at(0), &keys[0]), (at(30), &keys[1]), (at(73), &keys[2])]), "an hour too late");
        assert!(!is_coordinated(vec![(at(0), &keys[0]), (at(1), &keys[1]), (at(2), &keys[1])]), "two of them are one");
    }

    proptest::proptest! {
        #[test]
        fn joining_does_not_depend_on_order(links in proptest::collection::vec((0usize..12, 0usize..12), 0..40)) {
            let keys = (0..12).map(|i| AuthorKey::new(format!("a_{i:02}"))).collect::<Vec<_>>();
            let there = links.iter().map(|(a, c)| (&keys[*a], *c)).collect::<Vec<_>>();
            let back = there.iter().rev().copied().collect::<Vec<_>>();
            proptest::prop_assert_eq!(joined(&there), joined(&back));
        }
    }
}
