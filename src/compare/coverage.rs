//! Which problems each side speaks of (METHOD 3.4): every problem on both sides, and the two mixes as a whole.
//!
//! One rule holds: a machine count is never a finding. Without enough hand labels every verdict is `uncorrected` or
//! `not_enough_evidence`, and no test is run.

use std::cell::LazyCell;
use std::collections::BTreeSet;

use super::cells::Cells;
use super::evidence_rule::{self as rule, CLUSTERS, GAP_N_EFF, GAP_WIDTH};
use super::measured::Measured;
use super::newcomers::Newcomers;
use super::representative::{breakdown, phantom_holds, representativeness, silent_holds};
use super::selection::{Kinds, gamma_star, selection};
use super::stats::{
    ClusterTotals, Proportion, bh, detectable, difference_error, jsd_bc, jsd_interval, mover, p_ratio, rs_f,
};
use super::wording::{counted, missing as in_words, percent};
use crate::model::comparison::{ComponentV1, DifferenceV1, FALSE_DISCOVERIES, ProblemV1};
use crate::model::{Elicitation, Missing};
use crate::text::numbers::p_value;

/// A silent problem is more than this many times as common on one side (METHOD 3.4).
pub(super) const MINIMUM_RATIO: f64 = 2.0;

/// Lower 95% bound that the heavy side must reach.
pub(super) const MINIMUM_SHARE: f64 = 0.03;

/// Level of the omnibus test.
pub(super) const LEVEL: f64 = 0.05;

/// The silent and phantom tests of one problem: their p values.
#[derive(Clone, Copy)]
struct Tests {
    silent: f64,
    phantom: f64,
}

impl Tests {
    /// That of the test that says more.
    fn smaller(self) -> f64 {
        self.silent.min(self.phantom)
    }

    /// The silent test, then the rest.
    fn silent(self) -> [f64; 2] {
        [self.silent, self.phantom]
    }

    /// The phantom test, then the rest.
    fn phantom(self) -> [f64; 2] {
        [self.phantom, self.silent]
    }
}

/// The p values of the whole family but for one test of problem `index`: the one that `order` puts first.
fn others(raw: &[Option<Tests>], index: usize, order: fn(Tests) -> [f64; 2]) -> Vec<f64> {
    let tests = raw.iter().enumerate().filter_map(|(i, t)| Some((i, order((*t)?))));
    tests.flat_map(|(i, p)| p.into_iter().skip(usize::from(i == index))).collect()
}

/// The coverage component, and every problem with the largest community share first.
pub fn coverage(cells: &Cells) -> (ComponentV1, Vec<ProblemV1>) {
    let (community, crm) = (Measured::community(cells), Measured::crm(cells));
    let missing = shared_missing(cells, &community, &crm);
    let raw = raw_tests(&community, &crm);
    let tests = raw.iter().zip(family(&raw)).map(|(raw, adjusted)| raw.zip(adjusted).map(Into::into));
    let problems = tests.enumerate().map(|(i, tests)| problem(cells, i, &community, &crm, &missing, tests));
    let mut problems = problems.collect::<Vec<_>>();
    let parts = Newcomers::split(&cells.community);
    let newcomers = Newcomers::new(&community, &parts);
    // Only what is called is told by kinds.
    let people = LazyCell::new(|| Kinds::split(cells));
    let kinds = LazyCell::new(|| Kinds::new(cells, &people));
    for (i, problem) in problems.iter_mut().enumerate() {
        let mut representative = representativeness(cells, i);
        representative.newcomers = newcomers.published(i);
        if is_called(&problem.verdict)
            && let (Some(c), Some(s)) = (&community.shares[i], &crm.shares[i])
        {
            let silent = kind(&problem.verdict) == "silent";
            let others = others(&raw, i, if silent { Tests::silent } else { Tests::phantom });
            let holds = |c: &Proportion, m| match silent {
                true => silent_holds(c, s.beta(), &others, m),
                false => phantom_holds(c.beta(), s.beta(), &others, m),
            };
            if newcomers.make(i, silent, |known| holds(known, 0)) {
                (problem.verdict, problem.gamma_star) = ("contested".to_owned(), None);
            } else {
                representative.breakdown = breakdown(|m| holds(c, m));
            }
        }
        problem.representativeness = Some(representative);
        let mut selection = selection(cells, i, problem);
        if is_called(&problem.verdict)
            && let Some(s) = &crm.shares[i]
        {
            kinds.tell(i, kind(&problem.verdict) == "silent", s, &mut selection);
        }
        problem.selection = Some(selection);
    }
    let component = component(&problems, &community, &crm, missing);
    problems.sort_by(|a, b| {
        b.community.rate.total_cmp(&a.community.rate).then(b.crm.rate.total_cmp(&a.crm.rate)).then(a.id.cmp(&b.id))
    });
    (component, problems)
}

/// What stands in the way of any comparison. Where it is hand labels alone, what the machine counted stands, `uncorrected`: a few
/// labels leave no less than none.
struct Shared {
    missing: Vec<Missing>,
    uncorrected: bool,
}

fn shared_missing(cells: &Cells, community: &Measured<'_>, crm: &Measured<'_>) -> Shared {
    let mut missing = rule::shares(cells);
    let enough = missing.is_empty();
    missing.extend([community, crm].into_iter().filter_map(|side| side.missing_labels.clone()));
    if enough && !missing.is_empty() {
        return Shared { missing, uncorrected: true };
    }
    for (name, side) in [("community", community), ("crm", crm)] {
        missing.extend(rule::codebook_fit(name, side.units, side.missing_labels.is_none()));
    }
    Shared { missing, uncorrected: false }
}

/// All silent and phantom tests, not yet adjusted.
fn raw_tests(community: &Measured<'_>, crm: &Measured<'_>) -> Vec<Option<Tests>> {
    let both = community.shares.iter().zip(&crm.shares);
    both.map(|(c, s)| {
        let (c, s) = (c.as_ref()?.beta(), s.as_ref()?.beta());
        Some(Tests { silent: p_ratio(c, s, MINIMUM_RATIO), phantom: p_ratio(s, c, MINIMUM_RATIO) })
    })
    .collect()
}

/// All silent and phantom tests, adjusted as one Benjamini-Hochberg family.
fn family(raw: &[Option<Tests>]) -> Vec<Option<Tests>> {
    let mut adjusted = bh(&raw.iter().flatten().flat_map(|t| [t.silent, t.phantom]).collect::<Vec<_>>()).into_iter();
    raw.iter()
        .map(|t| {
            t.as_ref()?;
            Some(Tests { silent: adjusted.next()?, phantom: adjusted.next()? })
        })
        .collect()
}

fn problem(
    cells: &Cells,
    index: usize,
    community: &Measured<'_>,
    crm: &Measured<'_>,
    shared: &Shared,
    tests: Option<[Tests; 2]>,
) -> ProblemV1 {
    let places = community
        .units
        .0
        .iter()
        .filter_map(|u| u.occurrence(index))
        .flat_map(|o| o.places.iter().copied())
        .collect::<BTreeSet<_>>();
    let mut elicitation = [0; 3];
    for came_up in crm.units.0.iter().filter_map(|u| u.occurrence(index)?.elicitation) {
        let at = Elicitation::ALL.iter().position(|e| *e == came_up);
        elicitation[at.unwrap_or(0)] += 1;
    }
    let mut problem = ProblemV1 {
        id: cells.problems[index].id.clone(),
        name: cells.problems[index].name.clone(),
        community: community.rate(index),
        crm: crm.rate(index),
        difference: difference(index, community, crm),
        verdict: String::new(),
        turns: None,
        p_adjusted: tests.map(|[_, adjusted]| adjusted.smaller()),
        gamma_star: None,
        detectable: None,
        missing: shared.missing.clone(),
        threads: rule::distinct(places.iter().map(|p| p.1)) as u64,
        communities: rule::distinct(places.iter().map(|p| p.0)) as u64,
        elicitation,
        representativeness: None,
        register: None,
        selection: None,
        unfiltered: None,
    };
    judge(&mut problem, index, community, crm, shared, tests);
    problem
}

/// The share of one side less that of the other, of problem `index`.
pub(super) fn difference(index: usize, one: &Measured<'_>, two: &Measured<'_>) -> Option<DifferenceV1> {
    let (c, s) = (one.shares[index].as_ref()?, two.shares[index].as_ref()?);
    // The limits are combined around the midpoints of the Wilson intervals (METHOD 3.3).
    let around = |p: &Proportion| (f64::midpoint(p.low, p.high), p.low, p.high);
    let (low, high) = mover(around(c), around(s));
    let estimate = c.estimate.clamp(0.0, 1.0) - s.estimate.clamp(0.0, 1.0);
    Some(DifferenceV1 { estimate, low: low.min(estimate), high: high.max(estimate) })
}

/// Fills verdict, tipping point, detectable difference and what is missing. `tests` as they are, and adjusted.
fn judge(
    problem: &mut ProblemV1,
    index: usize,
    community: &Measured<'_>,
    crm: &Measured<'_>,
    shared: &Shared,
    tests: Option<[Tests; 2]>,
) {
    let verdict = |name: &str| name.to_owned();
    if shared.uncorrected {
        problem.verdict = verdict("uncorrected");
        return;
    }
    problem.verdict = verdict("not_enough_evidence");
    problem.missing.extend([community, crm].into_iter().filter_map(|side| side.unasked(index)));
    let (Some([raw, tests]), Some(difference)) = (tests, problem.difference) else {
        if problem.missing.is_empty() {
            let clusters = |side: &Measured<'_>| rule::distinct(side.units.0.iter().map(|u| u.cluster_of(index)));
            let have = clusters(community).min(clusters(crm)) as u64;
            let what = "threads or accounts on the smaller side".to_owned();
            problem.missing.push(Missing { what, have, need: CLUSTERS as u64 });
        }
        return;
    };
    let (Some(c), Some(s)) = (&community.shares[index], &crm.shares[index]) else { return };
    if !problem.missing.is_empty() {
        return;
    }

    if tests.silent <= FALSE_DISCOVERIES && c.low >= MINIMUM_SHARE {
        problem.missing.extend(rule::SILENT.check(problem.community.hits));
        let threads = community.units.0.iter().filter_map(|u| Some(u.occurrence(index)?.cluster));
        let outside = rule::outside_largest(threads);
        problem.missing.extend(rule::PROBLEM_OUTSIDE_ONE_THREAD.check(outside));
        if problem.missing.is_empty() {
            let absent = crm.none_among(index).is_some_and(|read| read >= rule::ABSENT);
            problem.verdict = verdict(if absent { "absent" } else { "silent" });
            problem.gamma_star = Some(gamma_star(c, s));
        }
        return;
    }
    if tests.phantom <= FALSE_DISCOVERIES && s.low >= MINIMUM_SHARE {
        problem.missing.extend(rule::PHANTOM.check(problem.crm.hits));
        if problem.missing.is_empty() {
            problem.verdict = verdict("phantom");
            problem.gamma_star = Some(gamma_star(s, c));
        }
        return;
    }

    problem.missing.extend(GAP_N_EFF.check(c.n_eff.min(s.n_eff) as u64));
    let labelled = community.labelled + crm.labelled;
    let units = (community.units.0.len() + crm.units.0.len()) as u64;
    let more = |factor, why| rule::more(labelled, units, factor, why);
    let width = difference.high - difference.low;
    if width > GAP_WIDTH {
        problem.missing.push(more((width / GAP_WIDTH).powi(2), "for an interval no wider than 40 points"));
    }
    // A difference that is there, and by the estimate a gap, but not certainly more than twofold: "no gap" would be the wrong
    // word for it.
    let apart = difference.low > 0.0 || difference.high < 0.0;
    let (p, adjusted) = (raw.smaller(), tests.smaller());
    if apart && adjusted > FALSE_DISCOVERIES && c.mean.max(s.mean) > MINIMUM_RATIO * c.mean.min(s.mean) {
        let factor = rule::certainty(p, adjusted, FALSE_DISCOVERIES);
        problem.missing.push(more(factor, "to tell whether the difference is a twofold one"));
    }
    if problem.missing.is_empty() {
        problem.verdict = verdict("no_gap_detected");
        // A gap is a ratio above two, which for the rarer side's share m begins at a difference of m. What was observed and not
        // called was not seen.
        let begins = (MINIMUM_RATIO - 1.0) * c.mean.min(s.mean);
        let (error, df) = difference_error(c, s);
        problem.detectable = Some((begins + detectable(error, df)).max(difference.estimate.abs()));
    }
}

/// The divergence before it is cut off. Problems that hand labels leave with a share of nearly nothing on both sides divide by it in
/// the correction, which then says nothing.
fn told(corrected: f64) -> Option<f64> {
    Some(corrected).filter(|raw| *raw >= -1.0)
}

fn component(problems: &[ProblemV1], community: &Measured<'_>, crm: &Measured<'_>, shared: Shared) -> ComponentV1 {
    let (people, accounts) = (community.units.0.len() as u64, crm.units.0.len() as u64);
    let (one, two, by_rep) = (community.table(), crm.table(), crm.table_by_rep());
    let jsd = jsd_bc(&ClusterTotals::new(&one), &ClusterTotals::new(&two));
    let mut component = ComponentV1 {
        name: "coverage".to_owned(),
        verdict: "not_enough_evidence".to_owned(),
        estimate: None,
        raw: None,
        p: None,
        low: None,
        high: None,
        n: people + accounts,
        detectable: None,
        missing: shared.missing,
        grade: None,
        says: String::new(),
    };
    let both = format!("{} and {}", counted(people, "people"), counted(accounts, "accounts"));
    if shared.uncorrected {
        component.verdict = "uncorrected".to_owned();
        component.estimate = jsd.map(|j| j.corrected.max(0.0));
        component.raw = jsd.and_then(|j| told(j.corrected));
        component.says = match (&community.missing_labels, &crm.missing_labels) {
            (Some(_), Some(_)) => format!("Counted by machine among {both}, not corrected for its mistakes."),
            (side, _) => format!(
                "Among {both} the {} are counted by machine, not corrected for its mistakes.",
                if side.is_some() { "people" } else { "accounts" }
            ),
        };
        return component;
    }
    let unasked = |side: &Measured<'_>| (0..side.shares.len()).find_map(|k| side.unasked(k));
    component.missing.extend([community, crm].into_iter().filter_map(unasked));
    if !component.missing.is_empty() {
        component.says = format!(
            "Not enough to say whether the two sides speak of different problems; there is {}.",
            in_words(&component.missing)
        );
        return component;
    }
    // What a note tells depends on its rep: the clustering that leaves more to chance decides, as for shares (METHOD 3.3).
    let tables = || [&two].into_iter().chain(by_rep.as_ref());
    let half = tables().filter_map(|two| jsd_interval(&one, two)).reduce(f64::max);
    let test = tables().filter_map(|two| rs_f(&one, two)).max_by(|a, b| a.p.total_cmp(&b.p));
    let (Some(jsd), Some(half), Some(test)) = (jsd, half, test) else {
        component.missing.push(Missing { what: "problems named on both sides".to_owned(), have: 0, need: 1 });
        component.says = "One side names no problem of the list, so there are no two mixes to compare.".to_owned();
        return component;
    };
    component.estimate = Some(jsd.corrected.max(0.0));
    component.raw = told(jsd.corrected);
    component.low = Some((jsd.corrected - half).clamp(0.0, 1.0));
    component.high = Some((jsd.corrected + half).clamp(0.0, 1.0));
    let parts = parts(problems);
    component.p = Some(test.p);
    let differ = test.p <= LEVEL;
    let called = problems.iter().any(|p| is_called(&p.verdict));
    component.verdict = if differ || called { "finding" } else { "no_gap_detected" }.to_owned();
    component.detectable = (!differ && !called).then(|| test.detectable(LEVEL));
    let mix = if differ {
        "The two sides speak of a different mix of problems"
    } else {
        "The mix of problems as a whole is not told apart"
    };
    component.says = format!(
        "{mix}: divergence {:.2} of 1 (95% interval {:.2}–{:.2}), p {} by the Rao-Scott test, among {both}.{parts}",
        jsd.corrected.max(0.0),
        component.low.unwrap_or(0.0),
        component.high.unwrap_or(0.0),
        p_value(test.p),
    );
    component
}

/// A verdict as it is set against another: a problem that is absent is silent too.
pub(super) fn kind(verdict: &str) -> &str {
    if verdict == "absent" { "silent" } else { verdict }
}

/// Whether a verdict is a finding.
pub(super) fn is_called(verdict: &str) -> bool {
    matches!(kind(verdict), "silent" | "phantom")
}

/// The difference of the shares of a problem: as measured, or where labels do not reach, as counted.
pub(super) fn apart(problem: &ProblemV1) -> f64 {
    problem.difference.map_or(problem.community.rate - problem.crm.rate, |d| d.estimate)
}

/// Tells the component again when some called problems are contested after all; what was told of them `before` is at its end.
pub(super) fn retell(component: &mut ComponentV1, before: &str, problems: &[ProblemV1]) {
    let mix = component.says.strip_suffix(before).unwrap_or(&component.says);
    component.says = format!("{mix}{}", parts(problems));
    let differ = component.p.is_some_and(|p| p <= LEVEL);
    if !differ && !problems.iter().any(|p| is_called(&p.verdict)) {
        component.verdict = "contested".to_owned();
    }
}

/// The problems that were called, and those that would have been, with their shares on both sides.
pub(super) fn parts(problems: &[ProblemV1]) -> String {
    let list = |wanted: fn(&ProblemV1) -> bool| {
        let mut called = problems.iter().filter(|p| wanted(p)).collect::<Vec<_>>();
        called.sort_by(|a, b| apart(b).abs().total_cmp(&apart(a).abs()).then(a.id.cmp(&b.id)));
        let share = |p: &&ProblemV1| {
            format!("{} ({} of people, {} of accounts)", p.name, percent(p.community.rate), percent(p.crm.rate))
        };
        called.iter().map(share).collect::<Vec<_>>().join(", ")
    };
    let (silent, phantom) = (list(|p| kind(&p.verdict) == "silent"), list(|p| p.verdict == "phantom"));
    let contested = list(|p| p.verdict == "contested" && p.turns.is_none());
    let turning = list(|p| p.turns.is_some());
    let mut says = String::new();
    if !silent.is_empty() {
        says += &format!(" Heavy in the communities, rare or missing in the CRM: {silent}.");
    }
    if !phantom.is_empty() {
        says += &format!(" Claimed in the CRM, rare or not found in the communities searched: {phantom}.");
    }
    if !contested.is_empty() {
        says += &format!(" Contested, because it rests on people of whom there is a single post: {contested}.");
    }
    if !turning.is_empty() {
        says += &format!(" Contested, because its sign turns with other days or readers: {turning}.");
    }
    says
}
