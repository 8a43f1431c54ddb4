//! W8: worlds in which something else is wrong than honesty, and worlds in which honesty is (METHOD 6.3, 8.1).
//!
//! Candor has no diagnosis of the five pairs. Of the evidence that METHOD 6.3 names it makes that of pair 4 (messaging paralysis:
//! more variants, or claims that are not true), and of that two tests of four: 4b, a silent problem among the first five of the
//! communities and a phantom among the first five claimed, and 4d, which is revealed: fewer customers with value after a year than
//! the notes let expect. Which claims a user bears out (4a) and how variants of a message differ (4c) nothing here can tell, so
//! nothing can speak for the surface story either. What is tried is whether these two tell claims that are not true from
//! everything else that goes wrong.
//!
//! One rule holds: whatever is wrong is planted where it would be met, and tempts. In every world people leave: of customers won
//! three in ten stay without value or go ([`super::generate::KEPT`]), and most problems are a little more common on one side.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::generate::{DAYS, Errors, FIRST_DAY, Plan, cells, chance};
use super::judge::{self, Lean, OPTIMISM, Scene, called};
use super::naive;
use super::score::{By, Marks, Measure};
use crate::compare::cells::{Account, Cells, Deal, Followed, Forecast, Unit};
use crate::compare::ranks::ranks;
use crate::model::comparison::RankV1;

/// Shares of people and of accounts where nothing is planted. Sides differ, and by no more than half (METHOD 3.4 calls more than
/// twofold a gap).
pub(super) const ORDINARY: [(f64, f64); 12] = [
    (0.18, 0.15),
    (0.15, 0.18),
    (0.14, 0.11),
    (0.11, 0.14),
    (0.10, 0.10),
    (0.10, 0.08),
    (0.08, 0.10),
    (0.08, 0.08),
    (0.07, 0.06),
    (0.06, 0.07),
    (0.05, 0.05),
    (0.04, 0.05),
];

/// The problem that says nothing: "wants to be more efficient".
const GENERIC: usize = 11;

/// Share of accounts whose notes name nothing of their own. METHOD 3b takes messaging for the constraint when fewer than 30% name
/// the intended problem.
const NOTHING_NAMED: f64 = 0.75;

/// What is wrong: the surface or the deep story of a pair of METHOD 6.3. A gap is planted in problems of its own, so that stories
/// mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Story {
    /// Pair 1, deep: distribution. Three of four channels decay (1d: the same sign in three of four), with a half-life of 600 days,
    /// while probabilities and notes stay as they were; buyers met there give less. Half of the people are where no account comes
    /// from (1c: a mismatch of .4 or more), and these have one problem more often and another less.
    Channels,
    /// Pair 1, surface: execution. One rep in three loses half of the sales, hardly asks, gets half of the commitments and finds
    /// out half of the problems (1a: the variance is between reps).
    Reps,
    /// Pair 2, deep: positioning. Half of the firms hire for another job (2b), with a problem of that job, which one person in ten
    /// of the communities has; of their customers six in ten who would have stayed go (2a: value follows the problem, and the job
    /// is no column of the CRM).
    Jobs,
    /// Pair 2, surface: targeting. One firm in three is on the list by mistake (2a, 2d: the wrong size or industry): half of its
    /// problems are none of the list's, its interest is polite, six in ten sales and half of the customers are lost.
    Lists,
    /// Pair 3, deep: messaging. Three in four accounts name nothing of their own (3b), but something so general that it fits no
    /// problem of the list; interest is vague, and half of it unbacked where nobody asks.
    Messages,
    /// The same, where the general is on the list, as it will be when a list is made of both sides: a pain that notes claim and
    /// nobody posts.
    Platitudes,
    /// Pair 3, surface: measurement. Four in ten milestones of value and commitments are not recorded (G-a, 3a). A customer
    /// without the milestone counts as one without value where others have it (`src/compare/gather/outcomes.rs`).
    Tracking,
    /// Pair 4, deep: honesty. Claims do not match what is true for users: two problems that one user in five has are in one note
    /// in fifty, and two the other way round (4b, as large as in W2); half of the customers who would have stayed go (4d); half of
    /// strong interest is unbacked (4c).
    Claims,
    /// Pair 4, surface: creative. Four variants of a message, which sell as well, 20, 40 and 60% worse (4c: their variance is above
    /// zero); the probabilities know it and the notes are true. The pain that the best one names comes up nearly twice as often as
    /// people post it.
    Variants,
    /// Pair 5, deep: architecture. Work grows from half of what reps can do to twice as much, unevenly; beyond what they can do
    /// sales and then customers are lost as the load rises (5b), fewer accounts are asked, and notes are shorter.
    Load,
    /// Pair 5, surface: volume. Half of the accounts and deals, and all of it in order (5a: more would bring more).
    Touches,
}

impl Story {
    /// What it makes of the numbers of a world.
    fn plan(self, plan: &mut Plan) {
        let shares = |k: usize, community: f64, crm: f64, plan: &mut Plan| {
            (plan.problems[k].community, plan.problems[k].crm) = (community, crm);
        };
        // A problem that `ours` and `others` have, of which `others` are so many among people and among firms.
        let mixed = |k: usize, [ours, others]: [f64; 2], [people, firms]: [f64; 2], plan: &mut Plan| {
            let share = |of: f64| (1.0 - of) * ours + of * others;
            shares(k, share(people), share(firms), plan);
        };
        match self {
            Self::Channels => {
                mixed(4, [0.04, 0.34], [0.5, 0.0], plan);
                mixed(5, [0.20, 0.04], [0.5, 0.0], plan);
            }
            Self::Jobs => {
                mixed(6, [0.03, 0.30], [0.1, 0.5], plan);
                mixed(7, [0.22, 0.03], [0.1, 0.5], plan);
            }
            Self::Messages => plan.claims.unbacked_not_asked = 0.5,
            Self::Platitudes => {
                plan.claims.unbacked_not_asked = 0.5;
                plan.problems[GENERIC].crm = NOTHING_NAMED;
            }
            Self::Claims => {
                [0, 2].into_iter().for_each(|silent| shares(silent, 0.20, 0.02, plan));
                [1, 3].into_iter().for_each(|phantom| shares(phantom, 0.02, 0.20, plan));
                (plan.claims.unbacked_not_asked, plan.claims.unbacked_asked) = (0.6, 0.4);
            }
            Self::Variants => shares(1, 0.10, 0.18, plan),
            Self::Load => {
                plan.problems.iter_mut().for_each(|p| p.crm *= 0.75);
                plan.claims.asked *= 0.6;
            }
            Self::Touches => (plan.accounts, plan.deals) = (plan.accounts / 2, plan.deals / 2),
            Self::Reps | Self::Lists | Self::Tracking => {}
        }
    }

    /// What it does to accounts and deals that are otherwise in order.
    fn strikes(self, plan: &Plan, cells: &mut Cells, rng: &mut ChaCha8Rng) {
        let notes = plan.claims.notes;
        match self {
            Self::Channels => {
                let borrowed = |rng: &mut ChaCha8Rng| rng.random_range(0..4) < 3;
                for account in &mut cells.accounts {
                    let unbacked = if borrowed(rng) { 0.2 } else { 0.0 };
                    withdraw(account, [0.0, unbacked], notes, rng);
                }
                lose(cells, rng, |deal, rng| {
                    let left = 0.5_f64.powf((day(deal) - FIRST_DAY) as f64 / 600.0);
                    [if borrowed(rng) { 1.0 - left } else { 0.0 }, 0.0]
                });
            }
            Self::Reps => {
                let poor = |rep: usize| rep.is_multiple_of(3);
                for unit in cells.crm.0.iter_mut().filter(|u| u.rep.is_some_and(poor)) {
                    forget(unit, 0.5, rng);
                }
                for account in cells.accounts.iter_mut().filter(|a| poor(a.rep)) {
                    withdraw(account, [0.8, 0.5], notes, rng);
                }
                lose(cells, rng, |deal, _| [if poor(deal.rep) { 0.5 } else { 0.0 }, 0.0]);
            }
            Self::Jobs => lose(cells, rng, |_, rng| [0.0, if chance(0.5, rng) { 0.6 } else { 0.0 }]),
            Self::Lists => {
                let wrong = cells.accounts.iter().map(|_| chance(1.0 / 3.0, rng)).collect::<Vec<_>>();
                // The accounts whose notes could record a problem come first, in the same order.
                for (unit, _) in cells.crm.0.iter_mut().zip(&wrong).filter(|(_, wrong)| **wrong) {
                    forget(unit, 0.5, rng);
                    names_another(unit, chance(0.3, rng));
                }
                for (account, _) in cells.accounts.iter_mut().zip(&wrong).filter(|(_, wrong)| **wrong) {
                    withdraw(account, [0.0, 0.5], notes, rng);
                }
                lose(cells, rng, |_, rng| if chance(1.0 / 3.0, rng) { [0.6, 0.5] } else { [0.0, 0.0] });
            }
            Self::Messages => {
                for unit in &mut cells.crm.0 {
                    if chance(NOTHING_NAMED, rng) {
                        forget(unit, 1.0, rng);
                        names_another(unit, true);
                    }
                }
            }
            Self::Platitudes => {
                let general = |unit: &Unit| unit.gold.as_ref().is_some_and(|g| g.problems.contains(&GENERIC));
                for unit in cells.crm.0.iter_mut().filter(|u| general(u)) {
                    forget_but(unit, Some(GENERIC), 1.0, rng);
                }
            }
            Self::Tracking => {
                cells.accounts.iter_mut().for_each(|account| withdraw(account, [0.0, 0.4], notes, rng));
                lose(cells, rng, |_, _| [0.0, 0.4]);
            }
            Self::Claims => lose(cells, rng, |_, _| [0.0, 0.5]),
            Self::Variants => lose(cells, rng, |deal, rng| {
                let sells = [1.0, 0.8, 0.6, 0.4][rng.random_range(0..4)];
                for forecast in notes_of(deal) {
                    forecast.crm_prob = forecast.crm_prob.map(|p| p * sells);
                }
                [1.0 - sells, 0.0]
            }),
            Self::Load => {
                let quarters = (DAYS / QUARTER + 1) as usize;
                let grown = |quarter: usize| 0.5 + 1.5 * quarter as f64 / quarters as f64;
                let load = (0..plan.reps * quarters)
                    .map(|i| grown(i % quarters) * (0.6 + 0.8 * rng.random::<f64>()))
                    .collect::<Vec<_>>();
                lose(cells, rng, |deal, _| {
                    let quarter = ((day(deal) - FIRST_DAY) / QUARTER) as usize;
                    [1.0 - 1.0 / load[deal.rep * quarters + quarter].max(1.0); 2]
                });
            }
            Self::Touches => {}
        }
    }
}

/// Days of a quarter.
const QUARTER: i64 = 90;

/// Each world: what it is called, and what is wrong in it.
pub(super) const CASES: [(&str, &[Story]); 15] = [
    ("1 deep, channels decay", &[Story::Channels]),
    ("2 deep, another job", &[Story::Jobs]),
    ("3 deep, nothing named", &[Story::Messages]),
    ("3 deep, a platitude on the list", &[Story::Platitudes]),
    ("4 deep, claims not true", &[Story::Claims]),
    ("5 deep, overload", &[Story::Load]),
    ("4 and 1 deep", &[Story::Claims, Story::Channels]),
    ("4 and 2 deep", &[Story::Claims, Story::Jobs]),
    ("1 and 5 deep", &[Story::Channels, Story::Load]),
    ("1 and 2 deep", &[Story::Channels, Story::Jobs]),
    ("1 surface, poor reps", &[Story::Reps]),
    ("2 surface, wrong firms", &[Story::Lists]),
    ("3 surface, unrecorded", &[Story::Tracking]),
    ("4 surface, poor variants", &[Story::Variants]),
    ("5 surface, too few touches", &[Story::Touches]),
];

/// The numbers of a world in which `stories` are true, and which is otherwise `ordinary`.
pub(super) fn plan(stories: &[Story], mut ordinary: Plan) -> Plan {
    stories.iter().for_each(|story| story.plan(&mut ordinary));
    ordinary
}

/// The cells of `plan` with what `stories` do to them.
pub(super) fn struck(stories: &[Story], plan: &Plan, rng: &mut ChaCha8Rng) -> Cells {
    let mut cells = cells(plan, rng);
    stories.iter().for_each(|story| story.strikes(plan, &mut cells, rng));
    cells
}

/// Whether claims are not true in one of `stories`.
pub(super) fn untrue(stories: &[Story]) -> bool {
    stories.contains(&Story::Claims)
}

/// One world, compared and judged.
pub(super) fn run(stories: &[Story], plan: &Plan, rng: &mut ChaCha8Rng) -> Marks {
    let cells = struck(stories, plan, rng);
    let mut marks = Marks::default();
    score(&Scene::of(plan, cells, rng), untrue(stories), &mut marks);
    marks
}

/// Loses the sale of each deal, and then its customer, with the chances that `lost` gives. Nobody foresaw it.
fn lose(cells: &mut Cells, rng: &mut ChaCha8Rng, mut lost: impl FnMut(&mut Deal, &mut ChaCha8Rng) -> [f64; 2]) {
    for deal in &mut cells.deals {
        let [sale, customer] = lost(deal, rng).map(|p| chance(p, rng));
        for forecast in notes_of(deal) {
            let Followed::Yes(days) = forecast.won else { continue };
            if sale {
                (forecast.won, forecast.value) = (Followed::No(days), Followed::No(days));
            } else if let (Followed::Yes(days), true) = (forecast.value, customer) {
                forecast.value = Followed::No(days);
            }
        }
    }
}

fn notes_of(deal: &mut Deal) -> impl Iterator<Item = &mut Forecast> {
    [&mut deal.first, &mut deal.last].into_iter().flatten()
}

/// The day of the last note.
fn day(deal: &Deal) -> i64 {
    deal.last.map_or(FIRST_DAY, |note| note.day)
}

/// Takes from an account, with these chances, that it was asked for something and that something stands behind its interest. The
/// reader reads what is left.
fn withdraw(account: &mut Account, [asked, backed]: [f64; 2], notes: Errors, rng: &mut ChaCha8Rng) {
    let Some(truth) = &mut account.gold else { return };
    if truth.asked && chance(asked, rng) {
        (truth.asked, account.found.asked) = (false, notes.reads(false, rng));
    }
    if truth.backed && chance(backed, rng) {
        (truth.backed, account.found.backed) = (false, notes.reads(false, rng));
    }
}

/// Takes each problem out of the notes of an account with probability `each`.
fn forget(unit: &mut Unit, each: f64, rng: &mut ChaCha8Rng) {
    forget_but(unit, None, each, rng);
}

/// The same of all problems but one.
fn forget_but(unit: &mut Unit, kept: Option<usize>, each: f64, rng: &mut ChaCha8Rng) {
    let Some(gold) = &mut unit.gold else { return };
    let named = gold.problems.iter().copied().filter(|k| Some(*k) != kept);
    let gone = named.filter(|_| chance(each, rng)).collect::<Vec<_>>();
    gold.problems.retain(|k| !gone.contains(k));
    unit.found.retain(|o| !gone.contains(&o.problem));
    // It stands in the denominator because of something: where nothing of the list, then something else.
    unit.other |= unit.found.is_empty();
}

/// An account that names, or not, a problem that the list does not have.
fn names_another(unit: &mut Unit, another: bool) {
    unit.other |= another;
    if let Some(gold) = &mut unit.gold {
        gold.other |= another;
    }
}

/// What a test says of honesty being what is wrong (METHOD 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It supports the deep story.
    Supports,
    /// It supports neither.
    Neutral,
    /// There is too little to tell.
    Missing,
}

impl Answer {
    /// Two parts of one test: both must support it, and one that does not is enough to know that it does not.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Neutral, _) | (_, Self::Neutral) => Self::Neutral,
            (Self::Supports, Self::Supports) => Self::Supports,
            _ => Self::Missing,
        }
    }
}

/// Whether 4b and 4d declare honesty (METHOD 6.1): both support it, and 4d is revealed. With one of them missing there are fewer
/// than two informative tests, whatever the other says.
fn declared(coverage: Answer, value: Answer) -> Answer {
    if coverage == Answer::Missing || value == Answer::Missing { Answer::Missing } else { coverage.and(value) }
}

/// The two tests, what they are made of, and unbacked optimism, each held against whether claims are not true; called where they
/// are true they lead to the wrong remedy.
fn score(scene: &Scene<'_>, dishonest: bool, marks: &mut Marks) {
    let ranks = ranks(&scene.cells, scene.answer.seed).unwrap_or_default();
    let silent = among(scene, &ranks.community_all, Lean::Silent);
    let phantom = among(scene, &ranks.crm, Lean::Phantom);
    let value = component(scene, "calibration_value");
    let [counted_silent, counted_phantom] = [Lean::Silent, Lean::Phantom].map(|lean| counted_among(scene, lean));
    let above = |of: fn(&Forecast) -> Followed| {
        naive::calibration(&scene.cells.deals, of).is_some_and(|(_, (low, _))| low > 0.0)
    };
    let (counted_won, counted_value) = (above(|f| f.won), above(|f| f.value));
    let unbacked = naive::share(naive::unbacked(&scene.cells.accounts)).0 >= OPTIMISM;

    let measure = if dishonest { Measure::Power } else { Measure::Type1 };
    for (of, answer, counted) in [
        (
            "honesty (4b and 4d)",
            declared(silent.and(phantom), value),
            counted_silent && counted_phantom && counted_value,
        ),
        ("silent in first five", silent, counted_silent),
        ("phantom in first five", phantom, counted_phantom),
        ("both of these (4b)", silent.and(phantom), counted_silent && counted_phantom),
        ("value below notes (4d)", value, counted_value),
        ("sales below notes", component(scene, "calibration_won"), counted_won),
        ("unbacked optimism", component(scene, "commitment"), unbacked),
    ] {
        marks.yes(of, measure, By::Candor, answer == Answer::Supports);
        marks.yes(of, Measure::Refused, By::Candor, answer == Answer::Missing);
        marks.yes(of, measure, By::Naive, counted);
    }
}

/// Whether one of the problems that come first leans so. A verdict that is none, or that is contested, could have been it.
fn among(scene: &Scene<'_>, first: &[RankV1], lean: Lean) -> Answer {
    let verdict = |rank: &RankV1| scene.answer.problems.iter().find(|p| p.id == rank.id).map(|p| p.verdict.as_str());
    let verdicts = first.iter().filter_map(verdict).collect::<Vec<_>>();
    if verdicts.iter().any(|v| called(v) == Some(lean)) {
        return Answer::Supports;
    }
    let told = |verdict: &&str| *verdict == "no_gap_detected" || called(verdict).is_some();
    if verdicts.is_empty() || !verdicts.iter().all(told) { Answer::Missing } else { Answer::Neutral }
}

/// Whether a component of the vector is called, and too high.
fn component(scene: &Scene<'_>, name: &str) -> Answer {
    match scene.component(name) {
        Some(c) if c.verdict == "finding" && c.estimate > Some(0.0) => Answer::Supports,
        Some(c) if ["finding", "no_gap_detected"].contains(&c.verdict.as_str()) => Answer::Neutral,
        _ => Answer::Missing,
    }
}

/// Whether counting finds one of the five problems that are counted most to lean so.
fn counted_among(scene: &Scene<'_>, lean: Lean) -> bool {
    let mut counts = (0..scene.plan.problems.len()).map(|k| scene.counts(k)).collect::<Vec<_>>();
    counts
        .sort_by_key(|(people, accounts)| std::cmp::Reverse(if lean == Lean::Silent { people.0 } else { accounts.0 }));
    counts.iter().take(5).any(|(people, accounts)| judge::counted(*people, *accounts) == Some(lean))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_test_is_no_answer_and_a_neutral_one_is() {
        use Answer::{Missing, Neutral, Supports};
        assert_eq!((Supports.and(Missing), Neutral.and(Missing), Supports.and(Supports)), (Missing, Neutral, Supports));
        assert_eq!(declared(Supports, Supports), Supports);
        for (coverage, value) in [(Supports, Neutral), (Neutral, Supports), (Neutral, Neutral)] {
            assert_eq!(declared(coverage, value), Neutral);
        }
        for other in [Supports, Neutral, Missing] {
            assert_eq!((declared(other, Missing), declared(Missing, other)), (Missing, Missing));
        }
    }

    #[test]
    fn gaps_are_planted_by_claims_and_by_other_populations_only() {
        let apart = |of: &Story| {
            let ordinary = super::super::worlds::ordinary(250, 1000);
            let plan = plan(&[*of], ordinary);
            let gap = |one: f64, two: f64| one > judge::GAP * two;
            let silent = plan.problems.iter().filter(|p| gap(p.community, p.crm)).count();
            (silent, plan.problems.iter().filter(|p| gap(p.crm, p.community)).count())
        };
        let planted = CASES.iter().filter(|(_, stories)| stories.len() == 1).map(|(_, stories)| stories[0]);
        let planted =
            planted.map(|story| (story, apart(&story))).filter(|(_, gaps)| *gaps != (0, 0)).collect::<Vec<_>>();
        let expected =
            [(Story::Channels, (1, 0)), (Story::Jobs, (0, 1)), (Story::Platitudes, (0, 1)), (Story::Claims, (2, 2))];
        assert_eq!(planted, expected);
    }
}
