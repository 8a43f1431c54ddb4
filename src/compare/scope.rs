//! Which people could be buyers (METHOD 3.1.5). One rule holds: the comparison is of these, and what all people give stands beside it
//! and changes nothing.

use anyhow::{Result, bail};
use jiff::Timestamp;

use super::coverage::coverage;
use super::gather::Read;
use super::relabel::component;
use super::wording::counted;
use crate::model::comparison::{ComparisonV1, CountsV1, ProblemV1, ScopeV1, UnfilteredV1};
use crate::model::scope::stands_in;
use crate::model::{AuthorKey, Recipe, Scope};
use crate::store::{InScope, Store};

/// Names that are offered instead of one that is not there.
const OFFERED: usize = 3;

/// Who could be a buyer by `scope`. A role that nobody tells is said in `caveats`.
///
/// # Errors
/// When a community of the scope is not in the store, or the store cannot be read.
pub(super) async fn people(
    store: &Store,
    scope: &Scope,
    reader: &Recipe,
    now: Timestamp,
    caveats: &mut Vec<String>,
) -> Result<InScope> {
    let communities = store.communities().await?;
    if let Some(unknown) = scope.communities.iter().find(|name| !communities.contains(name)) {
        bail!(
            "compare.scope.communities names “{unknown}”, and no such community was collected{}; names are taken letter by letter",
            nearest(unknown, &communities)
        );
    }
    let people = store.in_scope(scope, reader, now).await?;
    let roles = people.roles.iter().map(String::as_str).collect::<Vec<_>>();
    for role in scope.roles.iter().filter(|role| !roles.iter().any(|told| stands_in(role, told))) {
        caveats.push(format!(
            "Nobody tells a role with “{role}” in it, as compare.scope.roles asks{}.",
            nearest(role, &people.roles)
        ));
    }
    Ok(people)
}

/// `; the nearest are “r/a”, “r/b”`; nothing when there is none.
fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a String>) -> String {
    let wanted = wanted.to_lowercase();
    let mut near =
        names.into_iter().map(|name| (strsim::jaro_winkler(&name.to_lowercase(), &wanted), name)).collect::<Vec<_>>();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let near = near.iter().take(OFFERED).map(|(_, name)| format!("“{name}”")).collect::<Vec<_>>();
    if near.is_empty() { String::new() } else { format!("; the nearest are {}", near.join(", ")) }
}

/// Puts what all people give beside the comparison of those who could be buyers, and says who these are, or that nobody said.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn beside(comparison: &mut ComparisonV1, read: &mut Read, store: &Store) -> Result<()> {
    let Some((all, other_role)) = read.everybody(store).await? else {
        comparison.caveats.extend((comparison.population.accounts > 0).then(|| {
            "Nobody said which communities or roles could be buyers (`[compare.scope]` in candor.toml), so all people of the \
             communities searched are counted."
                .to_owned()
        }));
        return Ok(());
    };
    let (part, mut problems) = coverage(&all);
    for problem in &mut comparison.problems {
        let there = problems.iter().position(|there| there.id == problem.id).map(|at| problems.swap_remove(at));
        problem.unfiltered = there.map(|ProblemV1 { community, difference, verdict, .. }| UnfilteredV1 {
            community,
            difference,
            verdict,
        });
    }
    let tells_another = |id: &str| other_role.contains(&AuthorKey::new(id));
    let scope = ScopeV1 {
        by: read.scope().clone(),
        people: CountsV1 { hits: comparison.population.problem_authors, of: all.population.problem_authors },
        other_role: all.community.0.iter().filter(|unit| tells_another(&unit.id)).count() as u64,
        coverage: component(&part),
    };
    comparison.caveats.push(says(&scope));
    comparison.scope = Some(scope);
    Ok(())
}

fn says(scope: &ScopeV1) -> String {
    let ScopeV1 { by: Scope { communities, roles }, people, other_role, .. } = scope;
    let quoted = |names: &[String]| names.iter().map(|name| format!("“{name}”")).collect::<Vec<_>>().join(" or ");
    let write = format!("write in {}", quoted(communities));
    let tell = format!("tell a role of their own with {}", quoted(roles));
    let who = match (communities.is_empty(), roles.is_empty()) {
        (false, true) => write,
        (true, _) => format!("{tell}; who tells none is left out"),
        (false, false) => format!("{write}, or {tell}; who tells another role is left out"),
    };
    let others = people.of.saturating_sub(people.hits);
    let left_out = match others {
        0 => String::new(),
        _ if roles.is_empty() => format!(" {} write elsewhere.", counted(others, "people")),
        _ => format!(
            " Of {} left out {other_role} tell another role, {} none.",
            counted(others, "people"),
            others.saturating_sub(*other_role)
        ),
    };
    format!(
        "People who could be buyers (`[compare.scope]`) are those who {who}: {} of {} with a problem.{left_out} Shares of people are \
         of these; those of all people stand beside each problem.",
        people.hits,
        counted(people.of, "people"),
    )
}
