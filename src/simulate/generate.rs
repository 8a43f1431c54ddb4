//! Invented people and accounts, and what a fallible reader makes of them.
//!
//! Threads have topics: the share of a problem differs from thread to thread by a beta distribution whose intra-class
//! correlation the plan gives, and so does it from rep to rep. What is known by hand is the truth; what the reader found is the
//! truth with the errors of its side. Labels stand on every unit until [`draw`] leaves those of a drawn sample.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;
use rand::distr::Distribution;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use statrs::distribution::Beta;

use crate::compare::calibration::{KEPT_DAYS, WON_DAYS};
use crate::compare::cells::{Account, Cells, Deal, Followed, Forecast, Gold, Occurrence, Standing, Topic, Unit, Units};
use crate::compare::sample::sample;
use crate::model::Elicitation;
use crate::model::comparison::{PopulationV1, WindowV1};
use crate::store::Side;

/// Communities in every world.
const COMMUNITIES: usize = 3;

/// Share of people who post in a second thread.
const IN_TWO_THREADS: f64 = 0.2;

/// Share of people who post ten times as much as others.
const LOUD: f64 = 0.05;

/// Share with a single post in all, of those who post in one thread and no more than others: 46% of everybody.
const POST_ONCE: f64 = 0.6;

/// Probability of a further post, or note, about the same problem.
const ONCE_MORE: f64 = 0.4;

/// Share of units with a problem that the list does not have.
const OFF_THE_LIST: f64 = 0.05;

/// Of the deals won, the share that stays and gets value.
pub const KEPT: f64 = 0.7;

/// Mean true probability of winning a deal.
pub const MEAN_CHANCE: f64 = 0.35;

/// First day of deals, and days of them until the data end.
pub(super) const FIRST_DAY: i64 = 19_000;
pub(super) const DAYS: i64 = 1600;

/// How a reader errs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Errors {
    /// Probability of missing what is there.
    pub misses: f64,
    /// Probability of finding what is not there.
    pub invents: f64,
}

impl Errors {
    /// None.
    pub const NONE: Self = Self { misses: 0.0, invents: 0.0 };

    pub(super) fn reads(self, truth: bool, rng: &mut ChaCha8Rng) -> bool {
        truth != chance(if truth { self.misses } else { self.invents }, rng)
    }
}

/// A problem, as common as it is, and how it is read.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Problem {
    /// True share of people.
    pub community: f64,
    /// True share of accounts.
    pub crm: f64,
    /// How posts are read.
    pub posts: Errors,
    /// How notes are read.
    pub notes: Errors,
}

/// What accounts are said to want, and what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Claims {
    /// Share of accounts whose notes claim strong interest.
    pub strong: f64,
    /// Share of accounts that were asked for something.
    pub asked: f64,
    /// Of those never asked, the share with nothing behind the claim.
    pub unbacked_not_asked: f64,
    /// Of those asked, the share with nothing behind the claim.
    pub unbacked_asked: f64,
    /// How notes are read on each of the three questions.
    pub notes: Errors,
}

impl Claims {
    /// The unbacked-optimism rate.
    pub fn unbacked(&self) -> f64 {
        self.asked * self.unbacked_asked + (1.0 - self.asked) * self.unbacked_not_asked
    }
}

/// A world's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The list of problems.
    pub problems: Vec<Problem>,
    /// People with a problem.
    pub people: usize,
    /// Threads that they post in; sizes are uneven.
    pub threads: usize,
    /// Intra-class correlation of a problem within a thread, in 0..1.
    pub topical: f64,
    /// One problem in so many is topical, beginning with the first; the others are scattered over threads.
    pub topical_every: usize,
    /// Accounts whose notes could record a problem; one in ten more have notes that could not.
    pub accounts: usize,
    /// Reps.
    pub reps: usize,
    /// Intra-class correlation of a problem, of asking and of backing within a rep's accounts, in 0..1.
    pub habits: f64,
    /// Units to be labelled by hand on each side.
    pub labels: usize,
    /// Interest and commitment.
    pub claims: Claims,
    /// Deals.
    pub deals: usize,
    /// By how much that probability is too high, on average; `None` when the CRM has none and notes only claim interest.
    pub inflation: Option<f64>,
}

/// A world of `plan` in which every unit is labelled.
pub fn cells(plan: &Plan, rng: &mut ChaCha8Rng) -> Cells {
    let community = people(plan, rng);
    let (crm, accounts) = firms(plan, rng);
    let deals = deals(plan, rng);
    let problem = |k: usize| Topic { id: id(k), name: format!("problem {k}") };
    Cells {
        problems: (0..plan.problems.len()).map(problem).collect(),
        population: population(plan, &community, &accounts),
        community: Units(community),
        crm: Units(crm),
        accounts,
        items: Default::default(),
        deals,
        kinds: Vec::new(),
        window: WindowV1 { since: None, until: None, why: "invented".to_owned() },
        caveats: Vec::new(),
    }
}

/// Takes the labels of all units away but those of a sample, drawn as `candor label draw` draws it; of none when `per_side` is 0.
pub fn draw(cells: &mut Cells, per_side: usize, seed: u64) {
    let drawn = if per_side == 0 { Vec::new() } else { sample(cells, per_side, seed) };
    let of = |side| drawn.iter().filter(move |u| u.side == side).map(|u| (u.unit.as_str(), u.weight));
    let (people, firms): (BTreeMap<_, _>, BTreeMap<_, _>) = (of(Side::Community).collect(), of(Side::Crm).collect());
    let units = |units: &mut Units, drawn: &BTreeMap<&str, f64>| {
        for unit in &mut units.0 {
            let weight = drawn.get(unit.id.as_str());
            unit.gold = unit.gold.take().filter(|_| weight.is_some());
            unit.weight = weight.copied().unwrap_or(1.0);
        }
    };
    units(&mut cells.community, &people);
    units(&mut cells.crm, &firms);
    for account in &mut cells.accounts {
        let weight = firms.get(account.id.as_str());
        account.gold = account.gold.filter(|_| weight.is_some());
        account.weight = weight.copied().unwrap_or(1.0);
    }
}

/// Id of the problem with index `k`.
pub fn id(k: usize) -> String {
    format!("p{k:02}")
}

/// The population that `plan` and its units make.
fn population(plan: &Plan, community: &[Unit], accounts: &[Account]) -> PopulationV1 {
    let threads = community.iter().map(|u| u.cluster).collect::<BTreeSet<_>>().len();
    let posts = community.iter().flat_map(|u| &u.found).map(|o| o.count).sum::<usize>();
    PopulationV1 {
        communities: COMMUNITIES.min(threads) as u64,
        threads: threads as u64,
        posts: posts as u64,
        authors: community.len() as u64,
        problem_authors: community.len() as u64,
        accounts: accounts.len() as u64,
        discovery_accounts: plan.accounts as u64,
        notes: 2 * accounts.len() as u64,
        reps: accounts.iter().map(|a| a.rep).collect::<BTreeSet<_>>().len() as u64,
    }
}

fn people(plan: &Plan, rng: &mut ChaCha8Rng) -> Vec<Unit> {
    let topical = |k: usize| if k.is_multiple_of(plan.topical_every) { plan.topical } else { 0.0 };
    let topics = (0..plan.threads)
        .map(|_| {
            plan.problems.iter().enumerate().map(|(k, p)| varied(p.community, topical(k), rng)).collect::<Vec<_>>()
        })
        .collect::<Vec<_>>();
    (0..plan.people).map(|i| person(plan, i, &topics, rng)).collect()
}

/// A person posts in one thread or two, and each of their problems comes up in one of them.
fn person(plan: &Plan, number: usize, topics: &[Vec<f64>], rng: &mut ChaCha8Rng) -> Unit {
    // The first of 100 threads holds 3% of the people, the first 41 hold half of them.
    let thread = |rng: &mut ChaCha8Rng| (topics.len() as f64 * rng.random::<f64>().powf(1.3)) as usize;
    let first = thread(rng);
    let second = if chance(IN_TWO_THREADS, rng) { thread(rng) } else { first };
    let posts = if chance(LOUD, rng) { 10 } else { 1 };
    let newcomer = chance(POST_ONCE, rng) && second == first && posts == 1;
    let mut unit = Unit { newcomer, ..unit(format!("a_{number:05}"), first, None) };
    let mut gold = Gold { other: chance(OFF_THE_LIST, rng), ..Gold::default() };
    for (k, problem) in plan.problems.iter().enumerate() {
        let thread = if chance(0.5, rng) { first } else { second };
        let truth = chance(topics[thread][k], rng);
        if truth {
            gold.problems.insert(k);
        }
        if problem.posts.reads(truth, rng) {
            let places = BTreeSet::from([(thread % COMMUNITIES, thread)]);
            let count = posts * times(rng);
            unit.found.push(Occurrence {
                problem: k,
                count,
                accounts: 1,
                cluster: thread,
                places,
                elicitation: None,
                revealed: false,
            });
        }
    }
    labelled(unit, gold)
}

fn firms(plan: &Plan, rng: &mut ChaCha8Rng) -> (Vec<Unit>, Vec<Account>) {
    let Plan { claims, habits, .. } = plan;
    let habit = (0..plan.reps)
        .map(|_| {
            let problems = plan.problems.iter().map(|p| varied(p.crm, *habits, rng)).collect::<Vec<_>>();
            let asked = varied(claims.asked, *habits, rng);
            // What an account gives is the account's; that reps differ in it is that they pick accounts.
            let unbacked = [claims.unbacked_not_asked, claims.unbacked_asked].map(|share| varied(share, *habits, rng));
            (problems, asked, unbacked)
        })
        .collect::<Vec<_>>();
    let (mut units, mut accounts) = (Vec::new(), Vec::new());
    for i in 0..plan.accounts + plan.accounts / 10 {
        let rep = if i < plan.reps { i } else { rng.random_range(0..plan.reps) };
        let (problems, asked, unbacked) = &habit[rep];
        let id = format!("acct {i:05}");
        if i < plan.accounts {
            units.push(firm(plan, &id, i, rep, problems, rng));
        }
        let asked = chance(*asked, rng);
        let backed = !chance(unbacked[usize::from(asked)], rng);
        let truth = Standing { strong: chance(claims.strong, rng), backed, asked, ..Standing::default() };
        let found = Standing {
            strong: claims.notes.reads(truth.strong, rng),
            backed: claims.notes.reads(truth.backed, rng),
            asked: claims.notes.reads(truth.asked, rng),
            ..truth
        };
        accounts.push(Account { id, rep, segment: None, found, gold: Some(truth), weight: 1.0 });
    }
    (units, accounts)
}

fn firm(plan: &Plan, id: &str, number: usize, rep: usize, shares: &[f64], rng: &mut ChaCha8Rng) -> Unit {
    let mut unit = unit(id.to_owned(), number, Some(rep));
    let mut gold = Gold { other: chance(OFF_THE_LIST, rng), ..Gold::default() };
    for (k, (problem, share)) in plan.problems.iter().zip(shares).enumerate() {
        let truth = chance(*share, rng);
        if truth {
            gold.problems.insert(k);
        }
        if problem.notes.reads(truth, rng) {
            unit.found.push(Occurrence {
                problem: k,
                count: times(rng),
                accounts: 1,
                cluster: number,
                places: BTreeSet::new(),
                elicitation: Some(Elicitation::RepInferred),
                revealed: false,
            });
        }
    }
    labelled(unit, gold)
}

/// Deals with true probabilities between .1 and .6 that are told too high by the plan's inflation on average, or only by a
/// level of interest. Reps differ in how far they exaggerate, and in luck. Young deals are not decided yet.
fn deals(plan: &Plan, rng: &mut ChaCha8Rng) -> Vec<Deal> {
    let around = |rng: &mut ChaCha8Rng| 0.16 * (rng.random::<f64>() - 0.5);
    let reps = (0..plan.reps).map(|_| (around(rng), around(rng))).collect::<Vec<_>>();
    (0..plan.deals)
        .map(|i| {
            let rep = rng.random_range(0..plan.reps);
            let (exaggerates, luck) = reps[rep];
            let truth = MEAN_CHANCE + 0.5 * (rng.random::<f64>() - 0.5);
            let happened = chance(truth + luck, rng);
            let (kept, words) = (chance(KEPT, rng), rng.random::<f64>() - 0.5);
            let (sold, left) = (rng.random_range(20..WON_DAYS - 10), WON_DAYS + rng.random_range(20..KEPT_DAYS));
            let day = FIRST_DAY + DAYS * i as i64 / plan.deals as i64;
            let note = |day: i64, sold: i64| {
                let seen = |follows: Followed, days: i64| {
                    if day + days > FIRST_DAY + DAYS { Followed::Censored(FIRST_DAY + DAYS - day) } else { follows }
                };
                let (won, value) = match (happened, kept) {
                    (false, _) => (seen(Followed::No(sold), sold), seen(Followed::No(sold), sold)),
                    (true, false) => (seen(Followed::Yes(sold), sold), seen(Followed::No(left), left)),
                    (true, true) => {
                        let days = WON_DAYS + KEPT_DAYS;
                        (seen(Followed::Yes(sold), sold), seen(Followed::Yes(days), days))
                    }
                };
                let told = |inflation: f64| (truth + inflation + exaggerates).clamp(0.0, 1.0);
                // Words are vague: a level is a level too low or too high as often as it is right.
                let level = (8.0 * (truth - 0.1) + 2.0 * words).clamp(0.0, 4.0).round() as u8;
                Some(Forecast { day, interest: Some(level), crm_prob: plan.inflation.map(told), won, value })
            };
            Deal { id: format!("deal {i:05}"), rep, first: note(day - 10, sold + 10), last: note(day, sold) }
        })
        .collect()
}

fn unit(id: String, cluster: usize, rep: Option<usize>) -> Unit {
    Unit { id, cluster, rep, accounts: 1, newcomer: false, found: Vec::new(), other: false, gold: None, weight: 1.0 }
}

/// A unit stands in the denominator because something was found in it: where nothing of the list, then something else.
fn labelled(mut unit: Unit, gold: Gold) -> Unit {
    unit.other = gold.other || unit.found.is_empty();
    unit.gold = Some(gold);
    unit
}

pub(super) fn chance(p: f64, rng: &mut ChaCha8Rng) -> bool {
    rng.random::<f64>() < p
}

/// 1, and once more with probability [`ONCE_MORE`] each time.
fn times(rng: &mut ChaCha8Rng) -> usize {
    let mut times = 1;
    while chance(ONCE_MORE, rng) {
        times += 1;
    }
    times
}

/// A share of one cluster, from a beta distribution with this mean and intra-class correlation.
fn varied(mean: f64, correlation: f64, rng: &mut ChaCha8Rng) -> f64 {
    if correlation <= 0.0 {
        return mean;
    }
    let strength = (1.0 - correlation) / correlation;
    Beta::new(mean * strength, (1.0 - mean) * strength).map_or(mean, |beta| beta.sample(rng))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::simulate::worlds::plan;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    /// Share of the labelled units with problem 0, by their weights.
    fn share(units: &Units) -> f64 {
        let gold = |u: &Unit| u.gold.as_ref().map(|g| f64::from(u8::from(g.problems.contains(&0))));
        let labelled = units.0.iter().filter_map(|u| Some((gold(u)?, u.weight)));
        let (hits, all) = labelled.fold((0.0, 0.0), |(h, n), (y, w)| (h + w * y, n + w));
        hits / all
    }

    #[test]
    fn shares_and_clusters_are_as_planned() {
        let problem = Problem { community: 0.2, crm: 0.1, posts: Errors::NONE, notes: Errors::NONE };
        let plan = Plan { topical: 0.3, ..plan(40, 400, vec![problem]) };
        let (mut people, mut firms, mut alike, mut pairs) = (0.0, 0.0, 0.0, 0.0);
        for seed in 0..60 {
            let cells = cells(&plan, &mut rng(seed));
            people += share(&cells.community) / 60.0;
            firms += share(&cells.crm) / 60.0;
            let has = |u: &Unit| f64::from(u8::from(u.gold.as_ref().unwrap().problems.contains(&0))) - 0.2;
            for pair in cells.community.0.iter().flat_map(|a| cells.community.0.iter().map(move |b| (a, b))) {
                if pair.0.id < pair.1.id && pair.0.cluster == pair.1.cluster {
                    alike += has(pair.0) * has(pair.1);
                    pairs += 1.0;
                }
            }
        }
        assert!((people - 0.2).abs() < 0.015 && (firms - 0.1).abs() < 0.02, "{people} {firms}");
        // Of two people of one thread, those whose problem comes up in a second one are not alike: 0.9 of each are.
        let correlation = alike / pairs / 0.16;
        assert!((correlation - 0.3 * 0.81).abs() < 0.05, "{correlation}");
    }

    #[test]
    fn a_drawn_sample_stands_for_all() {
        let errors = Errors { misses: 0.3, invents: 0.1 };
        let problem = Problem { community: 0.2, crm: 0.1, posts: errors, notes: errors };
        let plan = plan(120, 400, vec![problem; 6]);
        let mut all = cells(&plan, &mut rng(1));
        let truth = share(&all.community);
        let drawn = (0..40)
            .map(|seed| {
                let mut cells = all.clone();
                draw(&mut cells, 100, seed);
                assert!((80..140).contains(&cells.community.labelled()), "{}", cells.community.labelled());
                share(&cells.community) / 40.0
            })
            .sum::<f64>();
        assert!((drawn - truth).abs() < 0.02, "{drawn} for {truth}");
        draw(&mut all, 10_000, 1);
        assert!(all.community.complete() && all.crm.complete(), "more than there are is all of them");
    }

    #[test]
    fn the_same_stream_gives_the_same_world() {
        let plan = plan(60, 100, vec![Problem { community: 0.2, crm: 0.1, posts: Errors::NONE, notes: Errors::NONE }]);
        assert_eq!(cells(&plan, &mut rng(3)), cells(&plan, &mut rng(3)));
        assert_ne!(cells(&plan, &mut rng(3)), cells(&plan, &mut rng(4)));
    }
}
