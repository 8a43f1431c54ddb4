//! One view per problem: both sides, with everything the report says about it.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::civil::Date;

use super::Shown;
use super::community::{Community, Heard};
use super::crm::{Claimed, Crm};
use super::facts;
use super::means::{self, Group};
use super::quotes::QuoteBook;
use super::series;
use super::texture;
use super::verdict;
use super::view::{Count, MeansView, ProblemView, SwitchView, Tried};
use super::words;
use crate::model::comparison::{ComparisonV1, CountsV1, ProblemV1};
use crate::model::{ActKind, Codebook, Problem};

/// Means shown per problem, and over all problems.
const MEANS: usize = 6;
/// Switches shown per problem.
const SWITCHES: usize = 5;

/// Views of the problems in the comparison's order, and how many are beyond the cap.
#[expect(
    clippy::too_many_arguments,
    reason = "what the problems are made of; a struct would only be taken apart again"
)]
pub(super) fn problems(
    codebook: &Codebook,
    comparison: Option<&ComparisonV1>,
    community: &mut Community,
    crm: &mut Crm,
    groups: &[Group],
    period: Option<(Date, Date)>,
    shown: Shown,
    book: &mut QuoteBook,
) -> (Vec<ProblemView>, usize) {
    let mut measured = codebook
        .problems()
        .iter()
        .enumerate()
        .map(|(i, p)| (i, p, numbers(p, i, comparison, community, crm)))
        .collect::<Vec<_>>();
    measured.sort_by(|a, b| {
        b.2.community
            .rate
            .total_cmp(&a.2.community.rate)
            .then_with(|| b.2.crm.rate.total_cmp(&a.2.crm.rate))
            .then_with(|| a.1.id.cmp(&b.1.id))
    });
    let left_out = measured.len().saturating_sub(shown.problems);
    measured.truncate(shown.problems);
    let has_crm = !crm.accounts.is_empty();
    let views = measured
        .into_iter()
        .map(|(i, problem, numbers)| {
            let heard = std::mem::take(&mut community.problems[i]);
            let claimed = std::mem::take(&mut crm.problems[i]);
            let tried = tried(groups, Some(i), book);
            let view = view(problem, &numbers, heard, claimed, tried, has_crm, period, shown, book);
            doubted(view, comparison)
        })
        .collect();
    (views, left_out)
}

/// `view` with what other readings of the labels, and other readers, say against its verdict.
fn doubted(mut view: ProblemView, comparison: Option<&ComparisonV1>) -> ProblemView {
    let Some(comparison) = comparison.filter(|_| view.verdict.finding) else { return view };
    let runs = comparison.relabelled.iter().filter(|run| run.changed.contains(&view.id)).map(|run| run.what.as_str());
    let runs = runs.collect::<Vec<_>>();
    if !runs.is_empty() {
        view.change_our_mind
            .push(format!("It would not be called with hand labels read otherwise: {}.", runs.join("; ")));
    }
    let agreeing = comparison.multiverse.iter().flat_map(|m| &m.problems).find(|p| p.id == view.id && !p.stable);
    view.change_our_mind.extend(agreeing.map(|p| {
        let CountsV1 { hits, of } = p.same_sign;
        format!(
            "Readers differ: its difference has this sign by {hits} of {of} pairs of readers, and it takes nine in ten."
        )
    }));
    view
}

/// What the comparison says of a problem; without a comparison, what was counted here.
fn numbers(
    problem: &Problem,
    index: usize,
    comparison: Option<&ComparisonV1>,
    community: &Community,
    crm: &Crm,
) -> ProblemV1 {
    if let Some(known) = comparison.and_then(|c| c.problems.iter().find(|p| p.id == problem.id.as_str())) {
        return known.clone();
    }
    let heard = &community.problems[index];
    let claimed = &crm.problems[index];
    let counted = |hits: usize, of: usize| words::machine_count(CountsV1 { hits: hits as u64, of: of as u64 });
    ProblemV1 {
        id: problem.id.as_str().to_owned(),
        name: problem.name.clone(),
        community: counted(heard.people.len(), community.people.len()),
        crm: counted(claimed.accounts.len(), crm.accounts.iter().filter(|a| a.discovery).count()),
        difference: None,
        verdict: "uncorrected".to_owned(),
        turns: None,
        p_adjusted: None,
        gamma_star: None,
        detectable: None,
        missing: Vec::new(),
        threads: heard.threads.len() as u64,
        communities: heard.communities.len() as u64,
        elicitation: claimed.elicitation.each_ref().map(|accounts| accounts.len() as u64),
        representativeness: None,
        register: None,
        selection: None,
        unfiltered: None,
    }
}

#[expect(clippy::too_many_arguments, reason = "what one problem is made of; a struct would only be taken apart again")]
fn view(
    problem: &Problem,
    numbers: &ProblemV1,
    mut heard: Heard,
    claimed: Claimed,
    tried: Tried,
    has_crm: bool,
    period: Option<(Date, Date)>,
    shown: Shown,
    book: &mut QuoteBook,
) -> ProblemView {
    let communities = texture::counts(&heard.communities, 6);
    let people = heard.people.len() as u64;
    let largest = communities.first().map(|c| (c.label.as_str(), c.people, people));
    let community_quotes = std::mem::take(&mut heard.quotes)
        .pick(shown.community_quotes)
        .into_iter()
        .map(|q| book.add(q))
        .collect::<Vec<_>>();
    let crm_quotes = claimed.quotes.pick(shown.crm_quotes).into_iter().map(|q| book.add(q)).collect::<Vec<_>>();
    let dated = heard.days.iter().map(|(_, person)| *person).collect::<BTreeSet<_>>();
    let undated = heard.people.difference(&dated).count() as u64;
    ProblemView {
        id: problem.id.as_str().to_owned(),
        name: problem.name.clone(),
        statement: problem.statement.clone(),
        community: numbers.community,
        crm: has_crm.then_some(numbers.crm),
        difference: numbers.difference,
        verdict: verdict::verdict(numbers, has_crm),
        threads: numbers.threads,
        seen: heard.days.first().zip(heard.days.last()).map(|(first, last)| (first.0, last.0)),
        top_author: facts::top_author(&heard.told),
        top_thread: facts::top_thread(&heard.threads, heard.people.len()),
        severity: heard.contrast,
        excluded: heard.excluded,
        representativeness: numbers.representativeness.clone(),
        register: None,
        selection: numbers.selection.clone(),
        unfiltered: numbers.unfiltered.clone(),
        acts: acts(&heard),
        roles: heard.texture.roles(),
        frequency: heard.texture.frequency(),
        costs: heard.texture.costs(book),
        texture: heard.texture.slots(book),
        tried,
        switches: switches(&mut heard, book),
        community_more: people.saturating_sub(community_quotes.len() as u64),
        community_quotes,
        crm_more: (claimed.accounts.len() as u64).saturating_sub(crm_quotes.len() as u64),
        crm_quotes,
        elicitation: numbers.elicitation,
        series: series::series(period, &heard.days, undated),
        change_our_mind: verdict::change_our_mind(numbers, has_crm, largest),
        communities_all: heard.communities.len(),
        communities,
    }
}

fn acts(heard: &Heard) -> Vec<Count> {
    ActKind::ALL
        .into_iter()
        .filter_map(|kind| Some((kind, heard.acts.get(&kind)?)))
        .map(|(kind, people)| Count { label: words::act_done(kind).to_owned(), people: people.len() as u64 })
        .collect()
}

fn switches(heard: &mut Heard, book: &mut QuoteBook) -> Vec<SwitchView> {
    let mut switches = std::mem::take(&mut heard.switches).into_iter().collect::<Vec<_>>();
    // Stable: equally many people leave the ways in their own order.
    switches.sort_by_key(|(_, switched)| std::cmp::Reverse(switched.people.len()));
    switches
        .into_iter()
        .take(SWITCHES)
        .filter_map(|(way, switched)| {
            let quote = book.add(switched.quotes.pick(1).pop()?);
            let [from, to] = switched.names;
            Some(SwitchView { from, to, stage: way.stage, people: switched.people.len() as u64, quote })
        })
        .collect()
}

/// Attempts that failed, by means: of one problem, or of all.
pub(super) fn tried(groups: &[Group], problem: Option<usize>, book: &mut QuoteBook) -> Tried {
    let mut found = Vec::new();
    for group in groups {
        let attempts = group.attempts.iter().filter(|a| problem.is_none() || a.problem == problem).collect::<Vec<_>>();
        let failed = attempts.iter().copied().filter(|a| a.failed).collect::<Vec<_>>();
        if !failed.is_empty() {
            let people = means::people(failed.iter().copied());
            found.push(((!group.is_named, Reverse(people), group.label.as_str()), attempts, failed));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let everyone = found.iter().flat_map(|f| &f.2).map(|a| a.person).collect::<BTreeSet<_>>();
    let mut shown = BTreeSet::new();
    let mut means = Vec::new();
    for ((_, Reverse(people), label), attempts, failed) in found.into_iter().take(MEANS) {
        let Some(why) = means::why(&failed) else { continue };
        shown.extend(failed.iter().map(|a| a.person));
        means.push(MeansView {
            label: label.to_owned(),
            failed: people,
            in_use: means::people(attempts.iter().copied().filter(|a| !a.failed)),
            tried: means::people(attempts.into_iter()),
            why: book.add(why),
        });
    }
    Tried { people: everyone.len() as u64, elsewhere: everyone.difference(&shown).count() as u64, means }
}
