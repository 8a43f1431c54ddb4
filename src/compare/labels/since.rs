//! Hand labels of a list of problems that was changed since they were made.
//!
//! The one rule: a label answers for what it was asked about (METHOD 1.5). Through names, words and merges it is followed; of a problem
//! that came later, and of the parts of one that was divided, it says nothing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::model::problem::{NONE, OTHER};
use crate::model::{Change, ChangeKind, ProblemId};
use crate::store::{LabelRow, Side, Store};

/// By labelled item: the problems of the current list that one of its labels does not answer for.
pub(in crate::compare) type Unasked = BTreeMap<(Side, String), BTreeSet<String>>;

/// Every label in the ids of the current list, and what it does not answer for.
///
/// Where it was not kept which list a label was made for, it is the first that has all problems that such labels name.
///
/// # Errors
/// When the store cannot be read or a stored label has lost its form.
pub(in crate::compare) async fn as_of_now(store: &Store) -> Result<(Vec<LabelRow>, Unasked)> {
    let mut made_for = BTreeMap::<Option<String>, Vec<LabelRow>>::new();
    for (row, list) in store.labels_and_lists().await? {
        made_for.entry(list).or_default().push(row);
    }
    if made_for.is_empty() {
        return Ok(Default::default());
    }
    let versions = store.codebook_versions().await?;
    let mut lists = Vec::new();
    for version in &versions {
        let codebook = store.codebook_of(version).await?;
        lists.push(codebook.problems().iter().map(|p| p.id.as_str().to_owned()).collect::<BTreeSet<_>>());
    }
    let (mut all, mut unasked) = (Vec::new(), Unasked::new());
    for (list, mut rows) in made_for {
        let start = list.and_then(|hash| versions.iter().rposition(|v| v.hash == hash)).unwrap_or(0);
        let mut named = BTreeSet::new();
        for row in &rows {
            named.extend(problems(&serde_json::from_str(&row.answer).with_context(|| unreadable(row))?));
        }
        let has_all = |i: &usize| named.iter().all(|id| id == OTHER || id == NONE || lists[*i].contains(id));
        let start = (start..lists.len()).find(has_all).unwrap_or(start);
        if let (Some(asked), Some(now)) = (lists.get(start), lists.last()) {
            let mut followed = Followed::new(asked);
            for pair in versions[start..].windows(2).filter(|pair| pair[0].hash != pair[1].hash) {
                followed.step(&store.lineage(&pair[0].hash, &pair[1].hash).await?);
            }
            let into = followed.went();
            let later = now.iter().filter(|id| !followed.answers(id)).cloned().collect::<BTreeSet<_>>();
            for row in &mut rows {
                translate(row, &into)?;
                if !later.is_empty() {
                    unasked.entry((row.side, row.item.clone())).or_default().extend(later.iter().cloned());
                }
            }
        }
        all.extend(rows);
    }
    all.sort_by(|a, b| (a.side, &a.item, &a.annotator).cmp(&(b.side, &b.item, &b.annotator)));
    Ok((all, unasked))
}

/// Where the problems of a list went, by what they are called now.
struct Followed(BTreeMap<String, Source>);

/// What one problem is made of.
#[derive(Default)]
struct Source {
    of: BTreeSet<String>,
    /// Something else went into it, or a part of it elsewhere.
    mixed: bool,
}

impl Followed {
    fn new(list: &BTreeSet<String>) -> Self {
        let itself = |id: &String| (id.clone(), Source { of: BTreeSet::from([id.clone()]), mixed: false });
        Self(list.iter().map(itself).collect())
    }

    /// Follows one version to the next. Where nobody wrote down what became of its problems, ids are all that is known.
    fn step(&mut self, changes: &[Change]) {
        if changes.is_empty() {
            return;
        }
        let id = |id: &Option<ProblemId>| id.as_ref().map(|id| id.as_str().to_owned());
        let divided = changes.iter().filter(|c| c.kind == ChangeKind::Split).filter_map(|c| id(&c.from));
        let divided = divided.collect::<BTreeSet<_>>();
        let mut next = BTreeMap::<String, Source>::new();
        for (from, to) in changes.iter().filter_map(|c| Some((id(&c.from), id(&c.to)?))) {
            let source = next.entry(to).or_default();
            match from.as_ref().and_then(|from| self.0.get(from)) {
                Some(before) => {
                    source.of.extend(before.of.iter().cloned());
                    source.mixed |= before.mixed || from.is_some_and(|from| divided.contains(&from));
                }
                None => source.mixed = true,
            }
        }
        self.0 = next;
    }

    /// Whether a label of the list answers for the problem that is now `id`.
    fn answers(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|source| !source.mixed)
    }

    /// What each problem of the list that goes by another id is now.
    fn went(&self) -> BTreeMap<&str, &str> {
        let mut into = BTreeMap::new();
        for (now, source) in &self.0 {
            for before in &source.of {
                into.entry(before.as_str()).or_insert(now.as_str());
            }
        }
        into.retain(|before, _| !self.0.get(*before).is_some_and(|source| source.of.contains(*before)));
        into
    }
}

/// The problems that an answer names.
fn problems(answer: &Value) -> Vec<String> {
    let list = answer["problems"].as_array().into_iter().flatten();
    list.filter_map(|id| Some(id.as_str()?.to_owned())).collect()
}

/// Writes the problems of an answer as they are called now.
fn translate(row: &mut LabelRow, into: &BTreeMap<&str, &str>) -> Result<()> {
    if into.is_empty() {
        return Ok(());
    }
    let mut answer = serde_json::from_str::<Value>(&row.answer).with_context(|| unreadable(row))?;
    let now = |id: String| into.get(id.as_str()).map_or(id, |id| (*id).to_owned());
    answer["problems"] = problems(&answer).into_iter().map(now).collect::<BTreeSet<_>>().into_iter().collect();
    row.answer = answer.to_string();
    Ok(())
}

fn unreadable(row: &LabelRow) -> String {
    format!("the stored label of {} by {} cannot be read", row.item, row.annotator)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows labels of the problems `list` over changes like `split a>b`.
    fn followed(list: &[&str], steps: &[&[&str]]) -> Followed {
        let mut followed = Followed::new(&list.iter().map(|id| (*id).to_owned()).collect());
        for step in steps {
            let change = |words: &&str| {
                let (kind, ids) = words.split_once(' ').unwrap();
                let kind = ChangeKind::ALL.into_iter().find(|k| k.as_str() == kind).unwrap();
                let (from, to) = ids.split_once('>').unwrap();
                let [from, to] = [from, to].map(|id| (!id.is_empty()).then(|| ProblemId::new(id)));
                Change { kind, from, to, shared: 0 }
            };
            followed.step(&step.iter().map(change).collect::<Vec<_>>());
        }
        followed
    }

    #[test]
    fn a_label_answers_for_what_it_was_asked_about() {
        for (steps, answered, into) in [
            (vec![], vec!["a", "b"], vec![]),
            (vec![vec!["renamed a>a", "edited b>b"]], vec!["a", "b"], vec![]),
            (vec![vec!["kept a>a", "split a>c", "kept b>b"]], vec!["b"], vec![]),
            (vec![vec!["kept a>a", "kept b>b", "new >c"]], vec!["a", "b"], vec![]),
            (vec![vec!["kept a>a", "merged b>a"]], vec!["a"], vec![("b", "a")]),
            (
                vec![vec!["kept a>a", "kept b>b", "new >c"], vec!["kept a>a", "kept b>b", "merged c>b"]],
                vec!["a"],
                vec![],
            ),
            (vec![vec!["split a>c", "split a>d", "kept b>b"]], vec!["b"], vec![("a", "c")]),
            (vec![vec!["merged a>c", "merged b>c"], vec!["renamed c>d"]], vec!["d"], vec![("a", "d"), ("b", "d")]),
            (vec![vec!["kept a>a", "retired b>"]], vec!["a"], vec![]),
        ] {
            let steps = steps.iter().map(Vec::as_slice).collect::<Vec<_>>();
            let followed = followed(&["a", "b"], &steps);
            let answers = ["a", "b", "c", "d"].into_iter().filter(|id| followed.answers(id)).collect::<Vec<_>>();
            assert_eq!(answers, answered, "{steps:?}");
            assert_eq!(followed.went().into_iter().collect::<Vec<_>>(), into, "{steps:?}");
        }
    }
}
