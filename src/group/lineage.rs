//! Lineage: what became of each problem from one version of the codebook to another, told by ids and by the units that
//! belong to both.
//!
//! The one rule: every problem of either version stands in at least one change, so nothing vanishes unsaid.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::model::{Change, ChangeKind, Codebook, ProblemId};
use crate::store::{Assignment, CodebookVersion, Side, Store};

/// A codebook with what belongs to its problems.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// The list.
    pub codebook: &'a Codebook,
    /// Where the units belong under it.
    pub assignments: &'a [Assignment],
}

/// Says what became of the problems of `before` in `after`, in the order of [`ChangeKind::ALL`].
///
/// `known` are pairs of ids of which somebody knows that the first went into the second (it was merged, or split). Of the
/// others, the units tell: a problem that is gone was merged into the one that holds more than half of its units, and a new
/// one was split off the one that more than half of its units come from.
pub fn changes(before: Version<'_>, after: Version<'_>, known: &[(ProblemId, ProblemId)]) -> Vec<Change> {
    let (had, has) = (ids(before.codebook), ids(after.codebook));
    let shared = Shared::between(before, after);
    let mut changes = Vec::new();
    let mut add = |kind, from: Option<&ProblemId>, to: Option<&ProblemId>| {
        let shared = from.zip(to).map_or(0, |(from, to)| shared.count(from, to));
        changes.push(Change { kind, from: from.cloned(), to: to.cloned(), shared });
    };
    for old in before.codebook.problems() {
        if let Some(new) = after.codebook.problem(&old.id) {
            add(ChangeKind::between(old, new), Some(&old.id), Some(&old.id));
        }
    }
    let gone = had.difference(&has).copied().collect::<Vec<_>>();
    let come = has.difference(&had).copied().collect::<Vec<_>>();
    // Where each one that is gone went, and where each one that came is from.
    let mut went = BTreeMap::<&ProblemId, Vec<&ProblemId>>::new();
    let mut from = BTreeMap::<&ProblemId, &ProblemId>::new();
    for (old, new) in known {
        if let (Some(old), Some(new)) = (had.get(old), has.get(new)) {
            if gone.contains(old) {
                went.entry(old).or_default().push(new);
            }
            if come.contains(new) {
                from.insert(new, old);
            }
        }
    }
    for old in &gone {
        if !went.contains_key(old)
            && let Some(new) = has.iter().find(|new| shared.count(old, new) * 2 > shared.left_of(old))
        {
            went.insert(old, vec![new]);
        }
    }
    for new in &come {
        if !from.contains_key(new)
            && let Some(old) = had.iter().find(|old| shared.count(old, new) * 2 > shared.now_in(new))
        {
            from.insert(new, old);
        }
    }
    let mut told = BTreeSet::new();
    for old in &gone {
        let Some(into) = went.get(old) else {
            // It may have been the source of new problems without most of it being in one.
            if !from.values().any(|source| source == old) {
                add(ChangeKind::Retired, Some(old), None);
            }
            continue;
        };
        for new in into {
            let only_source = from.get(new) == Some(old) && went.values().flatten().filter(|n| n == &new).count() == 1;
            let only_part = into.len() == 1 && from.values().filter(|source| source == &old).count() <= 1;
            let kind = match (only_source, only_part) {
                (true, true) => ChangeKind::Renamed,
                (true, false) => ChangeKind::Split,
                (false, _) => ChangeKind::Merged,
            };
            add(kind, Some(old), Some(new));
            told.insert((*old, *new));
        }
    }
    for new in &come {
        match from.get(new) {
            Some(old) if !told.contains(&(*old, *new)) => add(ChangeKind::Split, Some(old), Some(new)),
            Some(_) => {}
            None if told.iter().any(|(_, into)| into == new) => {}
            None => add(ChangeKind::New, None, Some(new)),
        }
    }
    changes.sort();
    changes
}

/// How many changes there are of each kind, as `{"kept":12, …}`.
pub fn counts(changes: &[Change]) -> Value {
    let mut counts = Map::new();
    for kind in ChangeKind::ALL {
        let count = changes.iter().filter(|c| c.kind == kind).count();
        if count > 0 {
            counts.insert(kind.as_str().to_owned(), json!(count));
        }
    }
    Value::Object(counts)
}

/// What became of the problems of version `from` in version `to` of the stored codebook, whichever is the later one.
///
/// # Errors
/// When the store cannot be read.
pub async fn between(store: &Store, from: &CodebookVersion, to: &CodebookVersion) -> Result<Vec<Change>> {
    let (first, last) = (from.version.min(to.version), from.version.max(to.version));
    let path = store.codebook_versions().await?;
    let path = path.iter().filter(|v| (first..=last).contains(&v.version)).collect::<Vec<_>>();
    let mut steps = Vec::new();
    for pair in path.windows(2).filter(|pair| pair[0].hash != pair[1].hash) {
        steps.push(store.lineage(&pair[0].hash, &pair[1].hash).await?);
    }
    let mut known = followed(&steps);
    if from.version > to.version {
        known = known.into_iter().map(|(a, b)| (b, a)).collect();
    }
    let (before, after) = (store.codebook_of(from).await?, store.codebook_of(to).await?);
    let (had, has) = (store.assignments(&from.hash).await?, store.assignments(&to.hash).await?);
    let before = Version { codebook: &before, assignments: &had };
    Ok(changes(before, Version { codebook: &after, assignments: &has }, &known))
}

/// Pairs of ids of which `steps` (the lineages of versions that follow each other) say that the first went into the second.
pub fn followed(steps: &[Vec<Change>]) -> Vec<(ProblemId, ProblemId)> {
    let Some((first, rest)) = steps.split_first() else { return Vec::new() };
    let edges = |step: &[Change]| {
        step.iter().filter_map(|c| c.from.clone().zip(c.to.clone())).collect::<BTreeSet<(ProblemId, ProblemId)>>()
    };
    let mut reached = edges(first);
    for step in rest {
        let step = edges(step);
        reached = reached
            .iter()
            .flat_map(|(start, at)| {
                step.iter().filter(move |(from, _)| from == at).map(|(_, to)| (start.clone(), to.clone()))
            })
            .collect();
    }
    reached.into_iter().filter(|(from, to)| from != to).collect()
}

/// How many units problems of two versions have in common.
struct Shared {
    pairs: HashMap<(ProblemId, ProblemId), u64>,
    left: HashMap<ProblemId, u64>,
    now: HashMap<ProblemId, u64>,
}

impl Shared {
    fn between(before: Version<'_>, after: Version<'_>) -> Self {
        let now = after.assignments.iter().map(|a| ((a.side, a.unit.as_str()), a.problem.as_ref()));
        let now = now.collect::<HashMap<(Side, &str), Option<&ProblemId>>>();
        let mut counts = Self { pairs: HashMap::new(), left: HashMap::new(), now: HashMap::new() };
        for problem in after.assignments.iter().filter_map(|a| a.problem.as_ref()) {
            *counts.now.entry(problem.clone()).or_default() += 1;
        }
        for a in before.assignments {
            let (Some(old), Some(new)) = (&a.problem, now.get(&(a.side, a.unit.as_str()))) else { continue };
            *counts.left.entry(old.clone()).or_default() += 1;
            if let Some(new) = new {
                *counts.pairs.entry((old.clone(), (*new).clone())).or_default() += 1;
            }
        }
        counts
    }

    /// Units of `old` that belong to `new`.
    fn count(&self, old: &ProblemId, new: &ProblemId) -> u64 {
        self.pairs.get(&(old.clone(), new.clone())).copied().unwrap_or(0)
    }

    /// Units of `old` that are still there, wherever they belong.
    fn left_of(&self, old: &ProblemId) -> u64 {
        self.left.get(old).copied().unwrap_or(0)
    }

    fn now_in(&self, new: &ProblemId) -> u64 {
        self.now.get(new).copied().unwrap_or(0)
    }
}

fn ids(codebook: &Codebook) -> BTreeSet<&ProblemId> {
    codebook.problems().iter().map(|p| &p.id).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Problem;

    fn problem(id: &str, name: &str) -> Problem {
        Problem {
            id: ProblemId::new(id),
            name: name.to_owned(),
            statement: "s".to_owned(),
            terms: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            by_hand: false,
            composed: false,
        }
    }

    /// `a:5 b:3` is a codebook of two problems; units are numbered on, five to `a` and three to `b`; `-` is no problem.
    fn version(words: &str) -> (Codebook, Vec<Assignment>) {
        let mut problems = BTreeMap::new();
        let mut assignments = Vec::new();
        for word in words.split_whitespace() {
            let (id, count) = word.split_once(':').unwrap();
            if id != "-" {
                problems.insert(id, problem(id, id));
            }
            for _ in 0..count.parse::<usize>().unwrap() {
                let problem = (id != "-").then(|| ProblemId::new(id));
                let unit = assignments.len().to_string();
                assignments.push(Assignment { side: Side::Community, unit, problem, score: 1.0 });
            }
        }
        (Codebook::new("machine", problems.into_values().collect()), assignments)
    }

    fn told(before: &str, after: &str, known: &[(&str, &str)]) -> Vec<String> {
        let (before, after) = (version(before), version(after));
        let known = known.iter().map(|(a, b)| (ProblemId::new(*a), ProblemId::new(*b))).collect::<Vec<_>>();
        let [before, after] = [&before, &after].map(|(codebook, assignments)| Version { codebook, assignments });
        let id = |id: &Option<ProblemId>| id.as_ref().map_or("", |i| i.as_str()).to_owned();
        changes(before, after, &known)
            .iter()
            .map(|c| format!("{} {}>{} {}", c.kind.as_str(), id(&c.from), id(&c.to), c.shared))
            .collect()
    }

    #[test]
    fn units_tell_what_became_of_a_problem() {
        for (before, after, expected) in [
            ("a:5 b:5", "a:4 -:1 b:5", vec!["kept a>a 4", "kept b>b 5"]),
            ("a:5 b:5", "a:10", vec!["kept a>a 5", "merged b>a 5"]),
            ("a:10", "a:6 b:4", vec!["kept a>a 6", "split a>b 4"]),
            ("a:10", "b:5 c:5", vec!["split a>b 5", "split a>c 5"]),
            ("a:10", "b:6 c:4", vec!["split a>b 6", "split a>c 4"]),
            ("a:5 b:5", "c:10", vec!["merged a>c 5", "merged b>c 5"]),
            ("a:5", "b:5", vec!["renamed a>b 5"]),
            ("a:5 -:5", "a:5 b:5", vec!["kept a>a 5", "new >b 0"]),
            ("a:5 b:5", "a:5 -:5", vec!["kept a>a 5", "retired b> 0"]),
            ("a:4 b:6", "a:4 -:4 c:9", vec!["kept a>a 4", "new >c 0", "retired b> 0"]),
        ] {
            assert_eq!(told(before, after, &[]), expected, "{before} then {after}");
        }
    }

    #[test]
    fn what_somebody_knows_needs_no_units() {
        assert_eq!(told("a:5 b:0", "a:5", &[("b", "a")]), ["kept a>a 5", "merged b>a 0"]);
        assert_eq!(told("a:5", "a:5 b:0", &[("a", "b")]), ["kept a>a 5", "split a>b 0"]);
    }

    #[test]
    fn words_tell_renamed_from_edited() {
        let before = problem("a", "one");
        assert_eq!(ChangeKind::between(&before, &problem("a", "two")), ChangeKind::Renamed);
        let edited = Problem { statement: "t".to_owned(), ..problem("a", "two") };
        assert_eq!(ChangeKind::between(&before, &edited), ChangeKind::Edited);
    }

    #[test]
    fn steps_are_followed_over_versions_in_between() {
        let change = |kind, from: &str, to: &str| Change {
            kind,
            from: Some(ProblemId::new(from)),
            to: Some(ProblemId::new(to)),
            shared: 1,
        };
        let steps = [
            vec![change(ChangeKind::Split, "a", "b"), change(ChangeKind::Kept, "a", "a")],
            vec![change(ChangeKind::Merged, "b", "c"), change(ChangeKind::Kept, "a", "a")],
        ];
        assert_eq!(followed(&steps), [(ProblemId::new("a"), ProblemId::new("c"))]);
        assert!(followed(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn every_problem_stands_in_a_change(
            before in prop::collection::vec((0..6_u8, 0..5_usize), 0..6),
            after in prop::collection::vec((0..8_u8, 0..5_usize), 0..8),
        ) {
            let words = |runs: &[(u8, usize)]| {
                runs.iter().map(|(id, n)| format!("{}:{n} ", (b'a' + id) as char)).collect::<String>()
            };
            let (before, after) = (version(&words(&before)), version(&words(&after)));
            let found = changes(
                Version { codebook: &before.0, assignments: &before.1 },
                Version { codebook: &after.0, assignments: &after.1 },
                &[],
            );
            for problem in before.0.problems() {
                prop_assert!(found.iter().any(|c| c.from.as_ref() == Some(&problem.id)), "{:?} in {:?}", problem.id, found);
            }
            for problem in after.0.problems() {
                prop_assert!(found.iter().any(|c| c.to.as_ref() == Some(&problem.id)), "{:?} in {:?}", problem.id, found);
            }
            let pairs = found.iter().map(|c| (&c.from, &c.to)).collect::<BTreeSet<_>>();
            prop_assert_eq!(pairs.len(), found.len(), "one line for each pair");
        }
    }
}
