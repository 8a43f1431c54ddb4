//! An answer held against the truth of its world, beside the naive count.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::Value;

use super::generate::{KEPT, MEAN_CHANCE, Plan, Problem, cells, draw, id};
use super::naive::{self, LEVEL};
use super::score::{By, Marks, Measure};
use crate::compare::cells::Cells;
use crate::compare::ranks::ranks;
use crate::compare::stats::jsd_parts;
use crate::compare::{Origin, compare};
use crate::model::Trust;
use crate::model::comparison::{ComparisonV1, ComponentV1, ProblemV1, RateV1};

/// A gap is more than this ratio of shares (METHOD 3.4). It is written here again, so that a product that asks less is found
/// out.
pub(super) const GAP: f64 = 2.0;

/// Below this an unbacked-optimism rate is not called.
pub(super) const OPTIMISM: f64 = 0.20;

/// One run: a plan, what was made of it, and the product's answer.
pub(super) struct Scene<'a> {
    pub(super) plan: &'a Plan,
    pub(super) cells: Cells,
    pub(super) answer: ComparisonV1,
}

impl<'a> Scene<'a> {
    /// Makes the cells of `plan`, draws the sample, compares.
    pub(super) fn new(plan: &'a Plan, rng: &mut ChaCha8Rng) -> Self {
        let cells = cells(plan, rng);
        Self::of(plan, cells, rng)
    }

    /// Draws the sample of fully labelled `cells` and compares.
    pub(super) fn of(plan: &'a Plan, mut cells: Cells, rng: &mut ChaCha8Rng) -> Self {
        let seed = drawn(plan, &mut cells, rng);
        let none = String::new;
        let origin = Origin { config_hash: none(), codebook_hash: none(), recipe: none(), seed };
        let answer = compare(&cells, &origin);
        Self { plan, cells, answer }
    }

    /// What was said of the problem with index `k`.
    pub(super) fn problem(&self, k: usize) -> Option<&ProblemV1> {
        let id = id(k);
        self.answer.problems.iter().find(|p| p.id == id)
    }

    pub(super) fn component(&self, name: &str) -> Option<&ComponentV1> {
        self.answer.components.iter().find(|c| c.name == name)
    }

    /// What the reader counted of problem `k`: people, accounts.
    pub(super) fn counts(&self, k: usize) -> (naive::Count, naive::Count) {
        (naive::count(&self.cells.community, k), naive::count(&self.cells.crm, k))
    }
}

/// Leaves the labels of a sample; the seed that it was drawn with.
pub(super) fn drawn(plan: &Plan, cells: &mut Cells, rng: &mut ChaCha8Rng) -> u64 {
    let seed = rng.random();
    draw(cells, plan.labels, seed);
    seed
}

/// The printed interval of a share.
pub(super) fn interval(rate: &RateV1) -> Option<(f64, f64)> {
    rate.low.zip(rate.high)
}

/// Which way a problem leans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Lean {
    /// More than twice as common among people.
    Silent,
    /// More than twice as common in accounts.
    Phantom,
}

/// What is there to be called.
pub(super) fn planted(problem: &Problem) -> Option<Lean> {
    let (c, s) = (problem.community, problem.crm);
    if c > GAP * s { Some(Lean::Silent) } else { (s > GAP * c).then_some(Lean::Phantom) }
}

/// What a verdict calls.
pub(super) fn called(verdict: &str) -> Option<Lean> {
    match verdict {
        "silent" | "absent" => Some(Lean::Silent),
        "phantom" => Some(Lean::Phantom),
        _ => None,
    }
}

/// What counting calls.
pub(super) fn counted(people: naive::Count, accounts: naive::Count) -> Option<Lean> {
    let lean = if naive::rate(people) > naive::rate(accounts) { Lean::Silent } else { Lean::Phantom };
    (naive::z_test(people, accounts) <= LEVEL).then_some(lean)
}

/// Intervals and estimates of every share and difference.
pub(super) fn intervals(scene: &Scene<'_>, marks: &mut Marks) {
    let all = ["difference", "share of people", "share of accounts"];
    (0..scene.plan.problems.len()).for_each(|k| intervals_of(scene, k, all, marks));
}

/// Intervals and estimates of problem `k`: the difference, the share of people, the share of accounts, so called.
pub(super) fn intervals_of(scene: &Scene<'_>, k: usize, [apart, among, within]: [&'static str; 3], marks: &mut Marks) {
    let problem = &scene.plan.problems[k];
    let Some(answer) = scene.problem(k) else { return };
    let (people, accounts) = scene.counts(k);
    let truth = problem.community - problem.crm;
    marks.interval(apart, By::Candor, answer.difference.map(|d| (d.low, d.high)), truth);
    marks.interval(apart, By::Naive, Some(naive::difference(people, accounts)), truth);
    for (of, truth, rate, counted) in
        [(among, problem.community, &answer.community, people), (within, problem.crm, &answer.crm, accounts)]
    {
        marks.interval(of, By::Candor, interval(rate), truth);
        marks.interval(of, By::Naive, Some(naive::share(counted)), truth);
        if rate.low.is_some() {
            marks.add(of, Measure::Bias, By::Candor, rate.rate - truth);
        }
        marks.add(of, Measure::Bias, By::Naive, naive::rate(counted) - truth);
    }
}

/// Silent problems and phantom pains: those that are there, those that are nearly there (less than twofold), and the rest.
pub(super) fn calls(scene: &Scene<'_>, marks: &mut Marks) {
    let mut tallies = [(By::Candor, 0.0, 0.0), (By::Naive, 0.0, 0.0)];
    for (k, problem) in scene.plan.problems.iter().enumerate() {
        let Some(answer) = scene.problem(k) else { continue };
        let (people, accounts) = scene.counts(k);
        let (c, s) = (problem.community, problem.crm);
        let planted = planted(problem);
        let (of, measure) = match planted {
            Some(_) => ("gaps", Measure::Power),
            None if c.total_cmp(&s).is_eq() => ("equal shares", Measure::Type1),
            None => ("mild differences", Measure::Type1),
        };
        for (tally, called) in tallies.iter_mut().zip([called(&answer.verdict), counted(people, accounts)]) {
            let right = called.is_some() && called == planted;
            let wrong = called.is_some() && !right;
            marks.yes(of, measure, tally.0, if planted.is_some() { right } else { wrong });
            tally.1 += f64::from(u8::from(called.is_some()));
            tally.2 += f64::from(u8::from(wrong));
        }
        marks.yes(of, Measure::Refused, By::Candor, answer.verdict == "not_enough_evidence");
        if planted.is_some() {
            marks.yes("gaps, contested", Measure::Type1, By::Candor, answer.verdict == "contested");
        }
    }
    for (by, called, wrong) in tallies {
        marks.add("all calls", Measure::Fdr, by, wrong / f64::max(called, 1.0));
    }
}

/// The mix of problems as a whole.
pub(super) fn mix(scene: &Scene<'_>, marks: &mut Marks) {
    let Some(component) = scene.component("coverage") else { return };
    let problems = scene.plan.problems.len();
    let truth = apart(scene.plan);
    let measure = if truth < 1e-9 { Measure::Type1 } else { Measure::Power };
    let of = "mix of problems";
    marks.yes(of, measure, By::Candor, component.verdict == "finding");
    marks.yes(of, Measure::Refused, By::Candor, component.verdict == "not_enough_evidence");
    if let Some(raw) = component.raw {
        marks.add(of, Measure::Bias, By::Candor, raw - truth);
    }
    if let Some(estimate) = component.estimate {
        marks.add("mix, cut off at 0", Measure::Bias, By::Candor, estimate - truth);
    }
    let (people, accounts) = (naive::units(&scene.cells.community, problems), naive::units(&scene.cells.crm, problems));
    marks.yes(of, measure, By::Naive, naive::chi_square(&people, &accounts) <= LEVEL);
    marks.add(of, Measure::Bias, By::Naive, divergence(&normed(&people), &normed(&accounts)) - truth);
    let (posts, notes) = (naive::texts(&scene.cells.community, problems), naive::texts(&scene.cells.crm, problems));
    marks.yes("mix, by posts", measure, By::Naive, naive::chi_square(&posts, &notes) <= LEVEL);
}

/// How far the two mixes of problems are apart (METHOD 3.4).
pub(super) fn apart(plan: &Plan) -> f64 {
    let side = |of: fn(&Problem) -> f64| normed(&plan.problems.iter().map(of).collect::<Vec<_>>());
    divergence(&side(|p| p.community), &side(|p| p.crm))
}

fn normed(of: &[f64]) -> Vec<f64> {
    let sum = of.iter().sum::<f64>();
    of.iter().map(|x| x / sum).collect()
}

fn divergence(one: &[f64], two: &[f64]) -> f64 {
    jsd_parts(one, two).iter().sum()
}

/// The unbacked-optimism rate, the ask rate, and the rate on either side of asking.
pub(super) fn commitment(scene: &Scene<'_>, marks: &mut Marks) {
    let claims = &scene.plan.claims;
    let truth = claims.unbacked();
    let of = "unbacked optimism";
    let rate = &scene.answer.optimism.unbacked;
    let counted = naive::unbacked(&scene.cells.accounts);
    marks.interval(of, By::Candor, interval(rate), truth);
    marks.interval(of, By::Naive, Some(naive::share(counted)), truth);
    if rate.low.is_some() {
        marks.add(of, Measure::Bias, By::Candor, rate.rate - truth);
    }
    marks.add(of, Measure::Bias, By::Naive, naive::rate(counted) - truth);
    if let Some(component) = scene.component("commitment") {
        let measure = if truth > OPTIMISM { Measure::Power } else { Measure::Type1 };
        marks.yes(of, measure, By::Candor, component.verdict == "finding");
        marks.yes(of, measure, By::Naive, naive::share(counted).0 >= OPTIMISM);
    }
    let split = scene.answer.optimism.split.as_ref();
    for (of, truth, rate) in [
        ("ask rate", claims.asked, split.map(|s| &s.asked)),
        ("unbacked, not asked", claims.unbacked_not_asked, split.map(|s| &s.unbacked_not_asked)),
        ("unbacked, asked", claims.unbacked_asked, split.map(|s| &s.unbacked_asked)),
    ] {
        marks.interval(of, By::Candor, rate.and_then(interval), truth);
    }
}

/// By how much forecasts are too high: of sales, and of customers who stay and get value.
pub(super) fn too_high(plan: &Plan) -> [f64; 2] {
    let inflation = plan.inflation.unwrap_or(0.0);
    [inflation, inflation + (1.0 - KEPT) * MEAN_CHANCE]
}

/// Calibration-in-the-large by the last notes: of sales, and of customers who stay and get value.
pub(super) fn calibration(scene: &Scene<'_>, marks: &mut Marks) {
    let [inflation, kept] = too_high(scene.plan);
    let answer = scene.answer.calibration.as_ref();
    for (of, component, truth, last) in [
        ("forecast less won", "calibration_won", inflation, answer.map(|c| &c.won.last)),
        ("forecast less kept", "calibration_value", kept, answer.map(|c| &c.value.last)),
    ] {
        marks.interval(of, By::Candor, last.and_then(|l| l.low.zip(l.high)), truth);
        let measure = if truth > 0.0 { Measure::Power } else { Measure::Type1 };
        let verdict = scene.component(component).map(|c| c.verdict.as_str());
        marks.yes(of, measure, By::Candor, verdict == Some("finding"));
        if let Some(citl) = last.and_then(|l| l.citl) {
            marks.add(of, Measure::Bias, By::Candor, citl - truth);
        }
    }
    if let Some((citl, (low, high))) = naive::calibration(&scene.cells.deals, |f| f.won) {
        let of = "forecast less won";
        let measure = if inflation > 0.0 { Measure::Power } else { Measure::Type1 };
        marks.interval(of, By::Naive, Some((low, high)), inflation);
        marks.yes(of, measure, By::Naive, low > 0.0 || high < 0.0);
        marks.add(of, Measure::Bias, By::Naive, citl - inflation);
    }
}

/// A problem under posting bias: how many times as likely people with it are to post, and how many times as common it is
/// among all people as in accounts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Posting {
    pub(super) bias: f64,
    pub(super) ratio: f64,
}

/// The largest bias either way that the bound allows for.
pub(super) const MOST_BIAS: f64 = 3.0;

/// Bounds and tipping points when people with some problems post more, or less, than others (METHOD 3.10). `cases` tells of
/// the first problems, in order.
pub(super) fn posting(scene: &Scene<'_>, cases: &[Posting], marks: &mut Marks) {
    let mut tipping = Vec::new();
    for (k, case) in cases.iter().enumerate() {
        let (Some(answer), problem) = (scene.problem(k), &scene.plan.problems[k]) else { continue };
        let (ratio_of, share_of) = match case.bias {
            b if b < 1.0 => ("ratio, posting x1/3", "share, posting x1/3"),
            b if b > 1.0 => ("ratio, posting x3", "share, posting x3"),
            _ => ("ratio, posting x1", "share, posting x1"),
        };
        let (c, s) = (interval(&answer.community), interval(&answer.crm));
        let bound =
            c.zip(s).map(|((c_low, c_high), (s_low, s_high))| (c_low / s_high / MOST_BIAS, c_high / s_low * MOST_BIAS));
        marks.interval(ratio_of, By::Candor, bound, case.ratio);
        let (people, accounts) = scene.counts(k);
        marks.interval(ratio_of, By::Naive, Some(naive::ratio(people, accounts)), case.ratio);

        let truth = unbiased(problem.community, case.bias);
        let undone = c.map(|(low, high)| (unbiased(low, case.bias), unbiased(high, case.bias)));
        marks.interval(share_of, By::Candor, undone, truth);
        marks.interval(share_of, By::Naive, Some(naive::share(people)), truth);
        if let Some(bound) = answer.selection.iter().flat_map(|s| &s.bounds).find(|b| (b.rho - case.bias).abs() < 1e-9)
        {
            marks.add(share_of, Measure::Bias, By::Candor, bound.share - truth);
        }

        if case.ratio <= GAP {
            // No call, no claim: the share of all, since those that were called are those that chance favoured.
            let survives = answer.gamma_star.is_some_and(|gamma| gamma > case.bias);
            marks.yes("gamma* above the bias", Measure::Type1, By::Candor, survives);
        }
        tipping.extend(answer.gamma_star.map(|gamma| (gamma, case.ratio * problem.community / truth)));
    }
    for (i, one) in tipping.iter().enumerate() {
        // Ratios less than half again apart are no order to speak of.
        for two in tipping[..i].iter().filter(|two| (one.1 / two.1).ln().abs() > 0.4) {
            marks.yes("gamma* in order", Measure::Power, By::Candor, (one.0 > two.0) == (one.1 > two.1));
        }
    }
}

/// The share among all people of which `share` is that among posters, when those who have it post `bias` times as often
/// (METHOD 3.10).
fn unbiased(share: f64, bias: f64) -> f64 {
    share / (share + bias * (1.0 - share))
}

/// Too little of everything: whether all is refused, and no interval printed anywhere.
pub(super) fn tiny(scene: &Scene<'_>, marks: &mut Marks) {
    let ComparisonV1 { problems, components, trust, .. } = &scene.answer;
    let verdicts = problems.iter().map(|p| &p.verdict).chain(components.iter().map(|c| &c.verdict));
    for verdict in verdicts {
        let refused = ["not_enough_evidence", "not_measured"].contains(&verdict.as_str());
        marks.yes("verdicts", Measure::Refused, By::Candor, refused);
    }
    let refused = *trust == Trust::NotEnoughEvidence;
    marks.yes("trust", Measure::Refused, By::Candor, refused);
    let published = serde_json::to_value(&scene.answer).unwrap_or_default();
    for (of, parts) in [
        ("interval of a share", vec!["problems"]),
        ("interval of a component", vec!["components", "calibration"]),
        ("interval of optimism", vec!["optimism", "segments"]),
    ] {
        let printed = parts.iter().any(|part| prints_interval(&published[part]));
        marks.yes(of, Measure::Type1, By::Candor, printed);
    }
    let ranked = ranks(&scene.cells, scene.answer.seed).is_some();
    marks.yes("a rank", Measure::Type1, By::Candor, ranked);
    for k in 0..problems.len() {
        let (people, accounts) = scene.counts(k);
        marks.yes("verdicts", Measure::Type1, By::Naive, naive::z_test(people, accounts) <= LEVEL);
    }
}

/// Whether this part of a published comparison has an interval anywhere.
fn prints_interval(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            let interval = ["low", "high"].contains(&name.as_str()) && value.is_number();
            interval || prints_interval(value)
        }),
        Value::Array(items) => items.iter().any(prints_interval),
        _ => false,
    }
}
