//! How sure we are: the sample, the reader, the selection, what was left out, and how to re-derive every number.

use std::collections::BTreeMap;

use super::view::{CodebookView, Excluded, FailureGroup, Sureness};
use crate::model::comparison::ComparisonV1;
use crate::model::{Codebook, Recipes};
use crate::store::Failure;

/// Groups of failures that are listed.
const FAILURE_GROUPS: usize = 12;

/// What the reader did, counted by the store.
pub(super) struct Read {
    /// Posts by voice.
    pub(super) voices: Vec<(String, u64)>,
    /// Posts that are never counted.
    pub(super) excluded: Excluded,
    /// Quotes that were kept.
    pub(super) kept: u64,
    /// Quotes that were proposed and are not in the text.
    pub(super) rejected: u64,
}

/// The view.
pub(super) fn sureness(
    recipes: &Recipes,
    codebook: Option<&(Codebook, i64)>,
    comparison: Option<&ComparisonV1>,
    failures: &[Failure],
    read: Read,
) -> Sureness {
    let (failures, failures_more) = failure_groups(failures);
    Sureness {
        components: comparison.map(|c| c.components.clone()).unwrap_or_default(),
        overall: comparison.and_then(|c| c.overall.clone()),
        ranks: comparison.and_then(|c| c.ranks.clone()),
        scope: comparison.and_then(|c| c.scope.clone()),
        sensitivity: comparison.map(|c| c.sensitivity.clone()).unwrap_or_default(),
        relabelled: comparison.map(|c| c.relabelled.clone()).unwrap_or_default(),
        multiverse: comparison.and_then(|c| c.multiverse.clone()),
        thresholds: comparison.map(|c| c.thresholds.clone()).unwrap_or_default(),
        period_why: comparison.map(|c| c.window.why.clone()).filter(|why| !why.is_empty()),
        labels: comparison.map(|c| [c.labels.community, c.labels.crm]).unwrap_or_default(),
        voices: read.voices,
        excluded: read.excluded,
        quotes_kept: read.kept,
        quotes_rejected: read.rejected,
        caveats: comparison.map(|c| c.caveats.clone()).unwrap_or_default(),
        failures,
        failures_more,
        post_recipe: recipes.post.as_str().to_owned(),
        note_recipe: recipes.note.as_str().to_owned(),
        codebook: codebook.map(|(codebook, version)| CodebookView {
            hash: codebook.hash().to_owned(),
            version: *version,
            made_by: codebook.made_by.clone(),
            problems: codebook.problems().len(),
        }),
        config_hash: comparison.map(|c| c.config_hash.clone()),
        seed: comparison.map(|c| c.seed),
    }
}

/// Failures by stage and reason, most frequent first, and how many groups are left out.
fn failure_groups(failures: &[Failure]) -> (Vec<FailureGroup>, u64) {
    let mut groups = BTreeMap::<(&str, &str), (u64, &str)>::new();
    for f in failures {
        groups.entry((&f.stage, &f.reason)).or_insert((0, &f.unit)).0 += 1;
    }
    let mut groups = groups
        .into_iter()
        .map(|((stage, reason), (count, example))| FailureGroup {
            stage: stage.to_owned(),
            reason: reason.to_owned(),
            count,
            example: example.to_owned(),
        })
        .collect::<Vec<_>>();
    groups.sort_by_key(|g| std::cmp::Reverse(g.count));
    let more = groups.len().saturating_sub(FAILURE_GROUPS) as u64;
    groups.truncate(FAILURE_GROUPS);
    (groups, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_grouped_and_none_is_lost() {
        let failures = (0..20)
            .flat_map(|i| {
                [Failure::new("collect", format!("f{i}"), "truncated"), Failure::new("crm", "x", format!("reason {i}"))]
            })
            .collect::<Vec<_>>();
        let (groups, more) = failure_groups(&failures);
        assert_eq!((groups[0].count, groups[0].example.as_str()), (20, "f0"));
        assert_eq!(groups.len() + usize::try_from(more).unwrap(), 21);
    }
}
