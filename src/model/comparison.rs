//! A comparison as it is published: `compare --json`, kept in the store, drawn by the report.
//!
//! Small, stable, versioned. Fields may be added, none renamed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Missing, Trust};

mod again;

pub use again::{AgreeingV1, MultiverseV1, ReadAgainV1, RelabelledV1, ScopeV1, UnfilteredV1, VariantV1};

/// What a family of tests is adjusted to: at most this share of the gaps, the moves or the differing segments that are called is
/// wrong (METHOD 3.11); fixed beforehand.
pub const FALSE_DISCOVERIES: f64 = 0.10;

/// A claim of strong interest has this many days to be followed by something (METHOD 3.5).
pub const SETTLING_DAYS: i64 = 30;

/// Outcomes behind Brier skill (METHOD 3.9).
pub const SKILL_OUTCOMES: u64 = 60;

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComparisonV1 {
    /// 1.
    pub v: u8,
    /// The instant that was "now" for it: nothing dated later is in it. `None` in comparisons made before it was told.
    #[serde(default)]
    pub as_of: Option<Timestamp>,
    /// How far the numbers below may be trusted, at best.
    pub trust: Trust,
    /// The days that were compared.
    pub window: WindowV1,
    /// Who was looked at.
    pub population: PopulationV1,
    /// Which people could be buyers; `None` where nobody said, and in comparisons made before it was asked.
    #[serde(default)]
    pub scope: Option<ScopeV1>,
    /// Hand labels: units labelled on each side.
    pub labels: LabelsV1,
    /// What hand labels are there, and what more of them would give; `None` in comparisons made before it was told.
    #[serde(default)]
    pub labelling: Option<LabellingV1>,
    /// The gap vector; never a score.
    pub components: Vec<ComponentV1>,
    /// Every problem of the codebook, largest community share first.
    pub problems: Vec<ProblemV1>,
    /// Claimed interest against what was given.
    pub optimism: OptimismV1,
    /// What the list of problems does not hold; `None` in comparisons made before it was looked at.
    #[serde(default)]
    pub residual: Option<ResidualsV1>,
    /// The worst component with enough evidence, by name; `None` in comparisons made before it was told.
    #[serde(default)]
    pub overall: Option<OverallV1>,
    /// Notes against outcomes; `None` without deals.
    #[serde(default)]
    pub calibration: Option<CalibrationV1>,
    /// Which problems come first on either side, and how surely.
    #[serde(default)]
    pub ranks: Option<RanksV1>,
    /// Unbacked optimism by rep and other segments.
    #[serde(default)]
    pub segments: Vec<SegmentV1>,
    /// The same comparison with other windows and lags.
    #[serde(default)]
    pub sensitivity: Vec<VariantV1>,
    /// The same comparison with hand labels read otherwise: contested ones as no and as yes, and by each annotator.
    #[serde(default)]
    pub relabelled: Vec<RelabelledV1>,
    /// The same comparison by other readers of the same posts and notes; `None` when no other has read them.
    #[serde(default)]
    pub multiverse: Option<MultiverseV1>,
    /// Against the period before; `None` when there is none to compare with.
    #[serde(default)]
    pub moved: Option<MovedV1>,
    /// Every threshold that decided a verdict, fixed before the data was seen.
    #[serde(default)]
    pub thresholds: Vec<ThresholdV1>,
    /// What was refused or left out, and why, in sentences.
    pub caveats: Vec<String>,
    /// Hash of the settings that can change a number.
    pub config_hash: String,
    /// Version of the codebook.
    pub codebook_hash: String,
    /// What read the posts and the notes: `<post recipe> | <note recipe>`.
    pub recipe: String,
    /// Seed of everything random.
    pub seed: u64,
}

impl ComparisonV1 {
    /// Whether every person that is counted has a hand label, so that shares of people are counted by hand.
    pub fn people_by_hand(&self) -> bool {
        self.labels.community > 0 && self.labels.community >= self.population.problem_authors
    }

    /// The same for accounts.
    pub fn accounts_by_hand(&self) -> bool {
        self.labels.crm > 0 && self.labels.crm >= self.population.accounts
    }
}

/// The days that were compared, the same for both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowV1 {
    /// First day, inclusive; `None`: from the beginning.
    pub since: Option<String>,
    /// Last day, inclusive; `None`: to the end.
    pub until: Option<String>,
    /// How it was chosen, in a few words.
    pub why: String,
}

/// Who was looked at, inside the window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PopulationV1 {
    /// Communities with a post.
    pub communities: u64,
    /// Threads with a problem-bearing post.
    pub threads: u64,
    /// Posts by anybody.
    pub posts: u64,
    /// Authors of any post.
    pub authors: u64,
    /// Authors with a first-hand, problem-bearing post: the community's denominator.
    pub problem_authors: u64,
    /// Accounts with any note.
    pub accounts: u64,
    /// Accounts with a note of 40 words or a claimed pain: the CRM's denominator.
    pub discovery_accounts: u64,
    /// Notes.
    pub notes: u64,
    /// Reps.
    pub reps: u64,
}

/// Hand-labelled units inside the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelsV1 {
    /// Authors.
    pub community: u64,
    /// Accounts.
    pub crm: u64,
}

/// What labelling by hand has given, and what it would give (METHOD 4.4).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LabellingV1 {
    /// Of the communities.
    pub community: LabellingSideV1,
    /// Of the CRM.
    pub crm: LabellingSideV1,
    /// What is to be done, for what, in sentences; empty when both sides have as many labels as shares need.
    pub says: String,
}

/// The labels of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LabellingSideV1 {
    /// People or accounts of which every post or note is labelled.
    pub labelled: u64,
    /// So many of them give shares with intervals.
    pub need: u64,
    /// Posts or notes labelled.
    pub items: u64,
    /// About so many more until `labelled` is `need`.
    pub left: u64,
    /// About so many minutes for them, at an assumed 20 seconds each.
    pub minutes: u64,
    /// About half the width of the widest 95% interval of a share with `need` labelled, or `labelled`, if more.
    pub half_width: f64,
}

/// One part of the gap vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComponentV1 {
    /// `coverage`, `commitment`, `calibration_won`, `calibration_value` or `sentiment`, which is none of the vector's four
    /// and is always refused.
    pub name: String,
    /// `finding`, `contested` (a finding that other days or readers turn round), `no_gap_detected`, `not_enough_evidence`,
    /// `uncorrected` or, of sentiment, `not_measured`.
    pub verdict: String,
    /// Coverage: bias-corrected Jensen-Shannon divergence in 0..=1. Commitment: the unbacked-optimism rate. Calibration:
    /// forecast less outcome, in -1..=1, positive for optimism.
    pub estimate: Option<f64>,
    /// Coverage: the divergence before it is cut off at 0, which is free of bias where `estimate` is not. `None` of the others, below
    /// -1, where the correction says nothing, and in comparisons made before it was kept.
    #[serde(default)]
    pub raw: Option<f64>,
    /// 95% interval.
    pub low: Option<f64>,
    /// 95% interval.
    pub high: Option<f64>,
    /// Coverage: p of the test that the two mixes differ. `None` of the others.
    #[serde(default)]
    pub p: Option<f64>,
    /// Units behind it.
    pub n: u64,
    /// The smallest effect that would have been seen four times in five, for `no_gap_detected`; of `coverage` by approximation.
    pub detectable: Option<f64>,
    /// What is missing, for `not_enough_evidence`.
    pub missing: Vec<Missing>,
    /// `small`, `moderate` or `large` by the thresholds, `none found` when no gap was detected and a large one would have been;
    /// `None` when the evidence does not suffice.
    #[serde(default)]
    pub grade: Option<String>,
    /// One sentence for a reader.
    pub says: String,
}

/// One word for the vector, when one is wanted: its worst component, never an average (METHOD 3.8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverallV1 {
    /// Name of the worst component; `None` when fewer than two of four have enough evidence, or none has a gap.
    pub worst: Option<String>,
    /// Its grade.
    pub grade: Option<String>,
    /// Components with enough evidence.
    pub graded: u64,
    /// Components in all.
    pub of: u64,
}

/// A setting or convention that decides verdicts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdV1 {
    /// What it is, in words.
    pub what: String,
    /// Its value.
    pub value: f64,
}

/// What notes foretold against how deals ended (METHOD 3.6).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationV1 {
    /// Deals looked at.
    pub deals: u64,
    /// First and last day of the notes that foretold, which may lie outside the days that were compared; `None` without any, and in
    /// comparisons made before it was told.
    #[serde(default)]
    pub notes: Option<[String; 2]>,
    /// What was left out and why, as sentences with counts.
    pub left_out: Vec<String>,
    /// Closed-won within 90 days of the note.
    pub won: TouchesV1,
    /// Won within 90 days, and retained with value 365 days after the start.
    pub value: TouchesV1,
    /// Optimism that the sale itself could not reveal: calibration-in-the-large of `value` less that of `won`, last notes.
    pub drift: Option<f64>,
}

/// One outcome foretold by two notes of each deal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TouchesV1 {
    /// By the first note.
    pub first: ForecastV1,
    /// By the last note at least 14 days before the outcome.
    pub last: ForecastV1,
}

/// Forecasts of one kind against one outcome.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ForecastV1 {
    /// `crm_prob` (the CRM's own probability) or `interest` (N1 by isotonic regression on an earlier cohort).
    pub source: String,
    /// Mature deals with a forecast: the evaluated cohort.
    pub outcomes: u64,
    /// Of these, with the outcome.
    pub happened: u64,
    /// Mean forecast, in 0..=1.
    pub forecast: Option<f64>,
    /// Calibration-in-the-large: mean forecast less share that happened; positive is optimism.
    pub citl: Option<f64>,
    /// 95% interval, clustered by rep.
    pub low: Option<f64>,
    /// 95% interval.
    pub high: Option<f64>,
    /// The smallest value of `citl` that would be seen four times in five.
    #[serde(default)]
    pub detectable: Option<f64>,
    /// Mean squared error, in 0..=1.
    pub brier: Option<f64>,
    /// Brier skill against the base rate; 0 or less: the notes carry no information.
    pub bss: Option<f64>,
    /// 95% cluster bootstrap interval of `bss`.
    pub bss_low: Option<f64>,
    /// 95% cluster bootstrap interval.
    pub bss_high: Option<f64>,
    /// Spiegelhalter's z; beyond 1.96 either way the forecasts are not calibrated.
    pub spiegelhalter_z: Option<f64>,
    /// At most five bins of equal mass, lowest forecast first; empty below 100 outcomes.
    pub curve: Vec<BinV1>,
    /// By claimed interest, 0 to 4: how many, and how many had the outcome.
    pub by_interest: Vec<CountsV1>,
    /// What is missing for a verdict.
    pub missing: Vec<Missing>,
}

/// A bin of a reliability curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BinV1 {
    /// Mean forecast.
    pub forecast: f64,
    /// What happened, with its Wilson interval.
    pub happened: RateV1,
}

/// The first five problems of either side by their share of all that is told (METHOD 3.4). A side without enough evidence for
/// a share has none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RanksV1 {
    /// Of the communities by what people did or paid (METHOD 1.2, R: a workaround, a switch decided or done, a complaint with
    /// its cost), heaviest first. Machine counts: hand labels do not tell what was done.
    pub community: Vec<RankV1>,
    /// Of the communities by all that is told, corrected where labels allow, heaviest first.
    #[serde(default)]
    pub community_all: Vec<RankV1>,
    /// Of the CRM, corrected where labels allow, heaviest first.
    pub crm: Vec<RankV1>,
    /// Bootstrap samples behind the probabilities.
    pub draws: u64,
}

/// A problem among the first five.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RankV1 {
    /// Problem id.
    pub id: String,
    /// Its share of all (unit, problem) pairs of the side.
    pub mass: f64,
    /// Share of bootstrap samples in which it is among the first five.
    pub top5: f64,
}

/// Unbacked optimism in one segment, shrunk to the mean of all (METHOD 5.5). Names of reps are replaced by numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentV1 {
    /// What it is a segment by: `rep`, `channel`, `segment` (of the CRM).
    pub by: String,
    /// Which: `rep 3`, `call`, `Plumbing`; a segment of the CRM with fewer than 20 accounts has a number instead of its name.
    pub name: String,
    /// Accounts with strong claimed interest, and those of them that are unbacked.
    pub unbacked: CountsV1,
    /// Shrunk rate; `None` with fewer than 20 accounts, or when no other segment has as many: then only counts are shown.
    pub shrunk: Option<f64>,
    /// 95% interval of the shrunk rate; `None` when the machine counted.
    pub low: Option<f64>,
    /// 95% interval.
    pub high: Option<f64>,
    /// p of the test that all segments of this kind are alike; the same in all of them. `None` when the machine counted, or
    /// too few accounts are backed or unbacked to test it.
    pub omnibus_p: Option<f64>,
    /// The same, adjusted for the tests of all kinds (METHOD 3.11): segments differ when it is at most 0.10.
    #[serde(default)]
    pub p_adjusted: Option<f64>,
}

/// Against the period before, of the same length, on the same list of problems and by the same readers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MovedV1 {
    /// The days before.
    pub before: WindowV1,
    /// Every problem that either side had in either period, largest change first.
    pub problems: Vec<MoveV1>,
    /// The unbacked-optimism rate, as `MoveV1::crm`.
    pub unbacked: Option<ChangeV1>,
    /// What is missing for intervals of change, on either side and in either period.
    #[serde(default)]
    pub missing: Vec<Missing>,
}

/// What became of one problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MoveV1 {
    /// Problem id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Among people.
    pub community: ChangeV1,
    /// Among accounts.
    pub crm: ChangeV1,
}

/// A share then and now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChangeV1 {
    /// The period before.
    pub before: RateV1,
    /// This period.
    pub after: RateV1,
    /// After less before, with the interval that pairs people or accounts of both periods; `None` without hand labels.
    pub change: Option<DifferenceV1>,
    /// Adjusted p (Benjamini-Hochberg over all changes).
    pub p_adjusted: Option<f64>,
    /// More than noise.
    pub moved: bool,
}

/// A share with its counts and, when labels allow, its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateV1 {
    /// Units the machine found it in.
    pub hits: u64,
    /// Units looked at.
    pub of: u64,
    /// The estimate to print: corrected when labels allow, else hits / of.
    pub rate: f64,
    /// 95% interval.
    pub low: Option<f64>,
    /// 95% interval.
    pub high: Option<f64>,
    /// Effective sample size.
    pub n_eff: Option<f64>,
    /// Hand labels behind it.
    pub labels: u64,
}

impl RateV1 {
    /// Every unit of this share of all people or accounts has a hand label: it is counted by hand.
    pub fn is_census(&self) -> bool {
        self.labels > 0 && self.labels >= self.of
    }
}

/// One problem on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProblemV1 {
    /// Problem id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Share of authors.
    pub community: RateV1,
    /// Share of accounts.
    pub crm: RateV1,
    /// Community minus CRM, MOVER interval (METHOD 3.3).
    pub difference: Option<DifferenceV1>,
    /// `silent`, `absent` (silent, and in no account of at least 59), `phantom`, `contested` (one of these, but only with people
    /// of whom there is a single post and who differ from the others, or what `turns` says), `no_gap_detected`, `not_enough_evidence` or `uncorrected`.
    pub verdict: String,
    /// Where it is `contested` because its difference does not keep its sign: with which other days or by which readers.
    #[serde(default)]
    pub turns: Option<String>,
    /// Benjamini-Hochberg adjusted p of the silent and phantom tests, the smaller one.
    pub p_adjusted: Option<f64>,
    /// Gamma* (METHOD 3.10): how many times as likely to post people with this problem would have to be to explain it away.
    pub gamma_star: Option<f64>,
    /// The smallest difference that would have been seen four times in five, for `no_gap_detected`.
    pub detectable: Option<f64>,
    /// What is missing.
    pub missing: Vec<Missing>,
    /// Distinct threads and communities it occurs in.
    pub threads: u64,
    /// Distinct communities it occurs in.
    pub communities: u64,
    /// Accounts by how the claimed pain came up: volunteered, prompted, rep_inferred.
    pub elicitation: [u64; 3],
    /// Whether the community's share is many people's; `None` in comparisons made before it was looked at.
    #[serde(default)]
    pub representativeness: Option<RepresentativenessV1>,
    /// Whether words in another register land on the same problem; `None` before it was tested.
    #[serde(default)]
    pub register: Option<RegisterV1>,
    /// What the choice of who posts could do to it; `None` in comparisons made before it was bounded.
    #[serde(default)]
    pub selection: Option<SelectionV1>,
    /// The same by all people, whoever could be a buyer; `None` where nobody said who could.
    #[serde(default)]
    pub unfiltered: Option<UnfilteredV1>,
}

/// Forums are not a random sample: bounds, never an adjustment (METHOD 3.10).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SelectionV1 {
    /// The share among all who could post, were people with the problem so many times as likely to.
    pub bounds: Vec<BoundV1>,
    /// `fragile` (gamma* below 1.5), `moderate` or `robust` (above 3, and a silent problem in two kinds of communities at least);
    /// `None` without a finding.
    pub grade: Option<String>,
    /// People with the problem by kind of community, of all with a problem there.
    pub kinds: Vec<KindV1>,
}

impl SelectionV1 {
    /// Takes back what is told of a finding only.
    pub fn take_back(&mut self) {
        self.grade = None;
        for kind in &mut self.kinds {
            let KindV1 { kind: name, people, .. } = std::mem::take(kind);
            *kind = KindV1 { kind: name, people, ..KindV1::default() };
        }
    }

    /// The only kind of community in which it is told; METHOD 3.10 wants two.
    pub fn only_kind(&self) -> Option<&str> {
        let mut told = self.kinds.iter().filter(|k| k.people.hits > 0);
        told.next().filter(|_| told.next().is_none()).map(|k| k.kind.as_str())
    }
}

/// The share under one propensity ratio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BoundV1 {
    /// P(post | problem) / P(post | no problem).
    pub rho: f64,
    /// p / (p + rho (1 - p)).
    pub share: f64,
}

/// One kind of community. What follows `people` is told of a finding only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct KindV1 {
    /// `forum`, `chat`, `issue tracker`, `questions and answers`, …
    pub kind: String,
    /// People who tell of the problem there, of all with a problem there, as the reader found them.
    pub people: CountsV1,
    /// The share, among the same people, of those who have the problem; `None` where `missing` says why.
    #[serde(default)]
    pub share: Option<RateV1>,
    /// Gamma* against the CRM by the people of this kind alone; below 1 they alone would not make the gap.
    #[serde(default)]
    pub gamma_star: Option<f64>,
    /// `fragile`, `moderate` or `robust`, as of all kinds together.
    #[serde(default)]
    pub grade: Option<String>,
    /// What is missing for a tipping point by this kind.
    #[serde(default)]
    pub missing: Vec<Missing>,
}

/// Whether a share of people is many people's, and how little would overturn what is said of it (METHOD 3.9, 9.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RepresentativenessV1 {
    /// Author accounts behind the people with this problem: more than people where accounts wrote nearly the same words.
    pub author_accounts: u64,
    /// The share when every such account counts by itself.
    pub copies_apart: CountsV1,
    /// The share when none of them counts.
    pub copies_out: CountsV1,
    /// People with this problem by the thread in which they first tell of it: those of the largest thread.
    pub largest_thread: CountsV1,
    /// The largest thread holds more than a fifth of them, and more than one.
    pub thread_dominated: bool,
    /// The share when no thread weighs more than a fifth of them.
    pub capped_rate: f64,
    /// The fewest colluding people, each with one post, that would erase the finding; `None` without a finding, or when a
    /// million would not.
    pub breakdown: Option<u64>,
    /// Whether it rests on accounts with a single post; `None` in comparisons made before it was looked at, and without people.
    #[serde(default)]
    pub newcomers: Option<NewcomersV1>,
    /// Every count that a claim needs, met or not.
    pub gate: Vec<GateV1>,
}

/// A share of people among those with a history and among the others (METHOD 9.1.5). A person has one when an account of theirs
/// has more than one post in what was collected up to the end of the days.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NewcomersV1 {
    /// The share among people with a history.
    pub known: RateV1,
    /// The share among people of whom there is a single post.
    pub single_post: RateV1,
    /// Single post less known, MOVER interval; `None` when either has no interval.
    pub difference: Option<DifferenceV1>,
}

impl NewcomersV1 {
    /// The 95% interval of the difference leaves out 0.
    pub fn differ(&self) -> bool {
        self.difference.is_some_and(|d| d.low > 0.0 || d.high < 0.0)
    }
}

/// So many of so many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountsV1 {
    /// Those that have it.
    pub hits: u64,
    /// All.
    pub of: u64,
}

impl CountsV1 {
    /// The share in 0..=1; 0 of nothing.
    pub fn rate(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.hits as f64 / self.of as f64 }
    }
}

/// One row of the evidence gate (METHOD 3.9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateV1 {
    /// Of what.
    pub what: String,
    /// How many there are.
    pub have: u64,
    /// How many it takes.
    pub need: u64,
}

impl GateV1 {
    /// Whether there is enough.
    pub fn passes(&self) -> bool {
        self.have >= self.need
    }

    /// What is missing, when there is not enough.
    pub fn missing(&self) -> Option<Missing> {
        (!self.passes()).then(|| Missing { what: self.what.clone(), have: self.have, need: self.need })
    }
}

/// Pairs in which either version is about the problem, from which on its agreement is told (METHOD 3.1.4).
pub const REGISTER_PAIRS: u64 = 10;

/// Agreement below which a problem depends on the register (METHOD 3.1.4).
const REGISTER_KAPPA: f64 = 0.80;

/// The register test of one problem: is a text about it still about it when it is rewritten in the other side's style?
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RegisterV1 {
    /// Pairs in which either version is about it.
    pub n: u64,
    /// Cohen's kappa of the two versions over all pairs; `None` when neither is ever about it, or both always are.
    pub kappa: Option<f64>,
    /// `n` is at least 10 and `kappa` below 0.80: rely on hand labels only.
    pub register_sensitive: bool,
}

impl RegisterV1 {
    /// The answer of METHOD 3.1.4 for `n` pairs that agree by `kappa`.
    pub fn new(n: u64, kappa: Option<f64>) -> Self {
        Self { n, kappa, register_sensitive: n >= REGISTER_PAIRS && kappa.is_some_and(|k| k < REGISTER_KAPPA) }
    }
}

/// What the list of problems does not hold, on either side (METHOD 3.1.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ResidualsV1 {
    /// In the communities; units are people.
    pub community: ResidualV1,
    /// In the CRM; units are accounts.
    pub crm: ResidualV1,
}

/// What the list of problems does not hold of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ResidualV1 {
    /// Pairs of a unit and a problem that the reader found outside the list, of all it found; all outside the list count as
    /// one problem of their unit.
    pub other: CountsV1,
    /// The share outside: by hand labels when there are enough, else `other` as counted.
    pub other_rate: f64,
    /// Whether `other_rate` is by hand labels.
    pub measured: bool,
    /// The share is small enough for a comparison of what the two sides speak of.
    pub fits: bool,
    /// Units that name no problem at all, of all with a post or a note.
    pub none: CountsV1,
}

/// A difference of two shares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DifferenceV1 {
    /// Community minus CRM.
    pub estimate: f64,
    /// 95% interval.
    pub low: f64,
    /// 95% interval.
    pub high: f64,
}

/// Claimed interest against what was given (METHOD 3.5). Counts are accounts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimismV1 {
    /// Accounts whose notes claim strong interest (N1 >= 3).
    pub strong: u64,
    /// Of these: nothing at level 2 or more that is kept and corroborated.
    pub unbacked: RateV1,
    /// Of the unbacked: never asked for anything.
    pub never_asked: u64,
    /// Of the unbacked: asked, and nothing came.
    pub asked_not_given: u64,
    /// Accounts behind `strong` that are unbacked, by id, for the report's list.
    pub unbacked_accounts: Vec<String>,
    /// Why: never asked, or asked and not given, and what became of promises; `None` in comparisons made before it was told apart.
    #[serde(default)]
    pub split: Option<SplitV1>,
}

/// What may be said of a rate that stands behind another (METHOD 0.3).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerV1 {
    /// `finding`, `no_gap_detected`, `not_enough_evidence` or `uncorrected`.
    pub verdict: String,
    /// The smallest share that would have been seen four times in five, for `no_gap_detected`.
    pub detectable: Option<f64>,
    /// What is missing, for the last two.
    pub missing: Vec<Missing>,
}

/// What lies behind unbacked optimism (METHOD 3.5). Remedies differ, so the parts are never shown as one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitV1 {
    /// Accounts that were asked for anything, of those with strong claimed interest (ask rate).
    pub asked: RateV1,
    /// Of the ask rate: a finding when surely more than one in five were never asked. `None` in comparisons made before it was told.
    #[serde(default)]
    pub asking: Option<AnswerV1>,
    /// Unbacked, of those never asked.
    pub unbacked_not_asked: RateV1,
    /// Unbacked, of those asked.
    pub unbacked_asked: RateV1,
    /// Kept promises, of the buyers' promises that were due and kept or missed; units are accounts' promises (kept-promise
    /// rate). A machine count always, as the next three: a hand label does not tell.
    pub kept: CountsV1,
    /// Of the kept-promise rate: `uncorrected` or `not_enough_evidence`. `None` in comparisons made before it was told.
    #[serde(default)]
    pub keeping: Option<AnswerV1>,
    /// Promises for no day that is named, of all promises that the notes tell of.
    pub undated: CountsV1,
    /// Promises whose day has passed, and of which no note tells what became, of all whose day has passed.
    #[serde(default)]
    pub untold: CountsV1,
    /// Accounts whose notes alone vouch for a kept commitment of level 2 or more, of those with strong claimed interest
    /// (note-only inflation). No interval.
    pub note_only: RateV1,
}
