//! The View: everything a reader will see, decided once, before anything is drawn.
//!
//! HTML, Markdown and JSON are drawings of this one value, so they cannot disagree. Text in here is plain and untrusted;
//! it is escaped where it is drawn. Every share carries its counts, every quote its place.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::model::comparison::{
    CalibrationV1, ComponentV1, CountsV1, DifferenceV1, MovedV1, MultiverseV1, OverallV1, PopulationV1, RanksV1,
    RateV1, RegisterV1, RelabelledV1, RepresentativenessV1, ResidualsV1, ScopeV1, SegmentV1, SelectionV1, SplitV1,
    ThresholdV1, UnfilteredV1, VariantV1,
};
use crate::model::{AuthorKey, Slot, Trust};

/// A whole report.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// What the report is called.
    pub title: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// First and last day looked at, where dates are known.
    pub period: Option<(Date, Date)>,
    /// Who was looked at.
    pub population: PopulationV1,
    /// How far the numbers may be trusted.
    pub trust: TrustView,
    /// The finding, one sentence each; never empty.
    pub finding: Vec<String>,
    /// What this report would need and does not have, with the command that brings it.
    pub missing: Vec<String>,
    /// Problems, largest community share first.
    pub problems: Vec<ProblemView>,
    /// Problems of the codebook that are left out because they are beyond the cap.
    pub problems_left_out: usize,
    /// What the list of problems does not hold; `None` before a comparison.
    pub residual: Option<ResidualsV1>,
    /// What people tried that failed, most people first, over all problems.
    pub tried: Tried,
    /// The strongest quote of each side.
    pub top_quotes: Vec<QuoteId>,
    /// Claimed interest against what was given; `None` without CRM notes.
    pub optimism: Option<OptimismView>,
    /// What notes foretold against how deals ended; `None` without deals.
    pub outcomes: Option<OutcomesView>,
    /// What moved since the period before; `None` when there is none to compare with.
    pub moved: Option<MovedV1>,
    /// How sure we are.
    pub sureness: Sureness,
    /// Every quote that is shown, in order of first mention.
    pub quotes: Vec<QuoteView>,
}

impl View {
    /// The quote with this id. Ids are handed out by the same builder that fills `quotes`.
    pub fn quote(&self, id: QuoteId) -> &QuoteView {
        &self.quotes[id.0]
    }

    /// Whether there is a CRM side at all.
    pub fn has_crm(&self) -> bool {
        self.population.notes > 0
    }
}

/// What notes foretold against how deals ended.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomesView {
    /// What may be said, one sentence per outcome.
    pub says: Vec<String>,
    /// Each outcome by the first and by the last note.
    pub rows: Vec<OutcomeRow>,
    /// Claimed interest of the last note, and how many such deals were won within 90 days.
    pub by_interest: Vec<(&'static str, String)>,
    /// What was foretold and what came, in groups of equal size; empty with too few outcomes.
    pub curve: Vec<(String, String)>,
    /// What was left out, and what the numbers do not show.
    pub notes: Vec<String>,
    /// The numbers themselves.
    pub numbers: CalibrationV1,
}

/// One outcome, foretold by one note of each deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeRow {
    /// The outcome.
    pub what: &'static str,
    /// Which note.
    pub note: &'static str,
    /// Mean forecast.
    pub foretold: String,
    /// Share with its counts.
    pub happened: String,
    /// Foretold less happened, in points, with its interval; or what is missing for one.
    pub optimism: String,
    /// Mean squared error of the forecasts.
    pub brier: String,
    /// Brier skill with its interval, or why there is none.
    pub skill: String,
}

/// How far the numbers may be trusted, in words that everyone understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustView {
    /// The level.
    pub level: Trust,
    /// `counted`, `measured (180 labels)`, `not enough evidence`.
    pub name: String,
    /// Filled bars, 1 to 4.
    pub bars: u8,
    /// What it means and what would raise it.
    pub words: String,
}

/// One problem on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct ProblemView {
    /// Its id in the codebook.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Actor, situation, obstacle, consequence; or its most typical quote.
    pub statement: String,
    /// Share of people.
    pub community: RateV1,
    /// Share of accounts; `None` without CRM notes.
    pub crm: Option<RateV1>,
    /// Community minus CRM.
    pub difference: Option<DifferenceV1>,
    /// What may be said.
    pub verdict: VerdictView,
    /// Distinct threads it occurs in.
    pub threads: u64,
    /// First and last day it is told of; `None` without dates.
    pub seen: Option<(Date, Date)>,
    /// Times it is told of: by the person who tells of it most, of all.
    pub top_author: CountsV1,
    /// People who tell of it in the thread with most of them, of all.
    pub top_thread: CountsV1,
    /// How sharply people complain.
    pub severity: SeverityView,
    /// Who speaks in its threads and is never counted.
    pub excluded: Excluded,
    /// Whether its share is many people's; `None` before a comparison.
    pub representativeness: Option<RepresentativenessV1>,
    /// The register test; `None` before it was made.
    pub register: Option<RegisterV1>,
    /// What the choice of who posts could do to it; `None` before a comparison.
    pub selection: Option<SelectionV1>,
    /// The same by all people; `None` where nobody said who could be a buyer.
    pub unfiltered: Option<UnfilteredV1>,
    /// People by what they did about it: acts and how many people.
    pub acts: Vec<Count>,
    /// Who has it: roles in people's own words.
    pub roles: Stated,
    /// Where: people by community, those with most people.
    pub communities: Vec<Count>,
    /// Distinct communities.
    pub communities_all: usize,
    /// How often it bites.
    pub frequency: Stated,
    /// What it is like to live with, slot by slot.
    pub texture: TextureView,
    /// What it costs, by unit; empty: not stated.
    pub costs: Vec<CostView>,
    /// What they tried and why it failed.
    pub tried: Tried,
    /// What they left and what for.
    pub switches: Vec<SwitchView>,
    /// Quotes from the communities, best first.
    pub community_quotes: Vec<QuoteId>,
    /// People with a quote that is not shown.
    pub community_more: u64,
    /// Quotes from notes, best first.
    pub crm_quotes: Vec<QuoteId>,
    /// Accounts with a quote that is not shown.
    pub crm_more: u64,
    /// Accounts by how the claimed pain came up: volunteered, prompted, inferred by the rep.
    pub elicitation: [u64; 3],
    /// Distinct people over time.
    pub series: Series,
    /// What would change our mind, one sentence each.
    pub change_our_mind: Vec<String>,
}

impl ProblemView {
    /// Every quote that is about it, each once, in the order of its page.
    pub fn quotes(&self) -> Vec<QuoteId> {
        let mut known = BTreeSet::new();
        let slots = self.texture.slots.iter().flat_map(|s| &s.quotes);
        let means = self.tried.means.iter().map(|m| &m.why);
        let switches = self.switches.iter().map(|s| &s.quote);
        let all = self.costs.iter().flat_map(|c| &c.quotes).chain(means).chain(switches).chain(slots);
        let all = all.chain(&self.community_quotes).chain(&self.crm_quotes);
        all.copied().filter(|id| known.insert(*id)).collect()
    }

    /// How far its share of people may be trusted: `measured`, `counted` or `not enough`.
    pub fn trust(&self) -> &'static str {
        match self.community.low {
            Some(_) => "measured",
            None if self.verdict.too_little => "not enough",
            None => "counted",
        }
    }
}

/// A verdict in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictView {
    /// As in `compare --json`.
    pub name: String,
    /// A few words for a chart: `silent in the CRM`.
    pub short: String,
    /// A sentence.
    pub long: String,
    /// Whether it is a finding.
    pub finding: bool,
    /// Whether there is too little evidence to place it on a chart.
    pub too_little: bool,
}

/// How sharply people complain (METHOD 1.2: face threat, not cost; never averaged). Machine counts of distinct people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SeverityView {
    /// Of the people who complain of this problem: those who accuse or blame, at least once.
    pub here: CountsV1,
    /// The same for the people who complain of anything else.
    pub elsewhere: CountsV1,
}

/// Posts that are shown as excluded and never counted (METHOD 1.1, G1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Excluded {
    /// All posts.
    pub posts: u64,
    /// Of these by bots and webhooks.
    pub bots: u64,
    /// Of these by people who sell or promote.
    pub promo: u64,
}

/// What a problem is like to live with (METHOD 1.3): nothing is inferred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextureView {
    /// People who fill any slot.
    pub by: u64,
    /// All eleven slots, in METHOD's order.
    pub slots: Vec<SlotView>,
}

/// One slot of the texture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotView {
    /// Which.
    pub slot: Slot,
    /// People who fill it; 0: not stated.
    pub people: u64,
    /// What they state, most people first, where words can be counted.
    pub values: Vec<Count>,
    /// The words of up to two people.
    pub quotes: Vec<QuoteId>,
}

/// A label with a number of distinct people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// What was counted.
    pub label: String,
    /// Distinct people.
    pub people: u64,
}

/// Something that only some people state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// People who state it at all; 0: not stated.
    pub by: u64,
    /// What they state, most people first.
    pub values: Vec<Count>,
}

/// A cost in one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct CostView {
    /// `hours`, a currency's sign or its ISO 4217 code.
    pub unit: String,
    /// `a month`, `a week`; `None` when the words name no period.
    pub period: Option<String>,
    /// It is what people already pay for a way around the problem.
    pub already_paid: bool,
    /// People who state it.
    pub people: u64,
    /// Median over people.
    pub median: f64,
    /// Smallest.
    pub low: f64,
    /// Largest.
    pub high: f64,
    /// The words that say so, for up to three people.
    pub quotes: Vec<QuoteId>,
}

/// What people tried that failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried {
    /// People who tried something that failed.
    pub people: u64,
    /// By means, most people first.
    pub means: Vec<MeansView>,
    /// People whose attempt is in no group shown.
    pub elsewhere: u64,
}

/// One means that people tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeansView {
    /// What it is: the words that the attempts share.
    pub label: String,
    /// People for whom it failed.
    pub failed: u64,
    /// People who still do it.
    pub in_use: u64,
    /// People who tried it at all; one may have seen it fail and still do it.
    pub tried: u64,
    /// Why it failed, in one person's words.
    pub why: QuoteId,
}

/// People who left something for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchView {
    /// What is left, in people's words.
    pub from: Option<String>,
    /// What for.
    pub to: Option<String>,
    /// `considering`, `decided`, `done`, `went back`.
    pub stage: &'static str,
    /// Distinct people.
    pub people: u64,
    /// One person's words.
    pub quote: QuoteId,
}

/// Distinct people in equal pieces of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// How long a piece is.
    pub bucket: Bucket,
    /// First day of each piece, with its number of people; without gaps.
    pub points: Vec<(Date, u64)>,
    /// People only with undated posts.
    pub undated: u64,
}

/// The length of a piece of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bucket {
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

impl Bucket {
    /// `week`, `month`, `year`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// Claimed interest against what was given. Counts are accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct OptimismView {
    /// Accounts whose notes claim strong interest.
    pub strong: u64,
    /// Of these, with nothing behind it.
    pub unbacked: RateV1,
    /// Every account has a hand label, so that these are counted by hand; the table never is.
    pub by_hand: bool,
    /// Accounts of the table that claim strong interest too late in the period to have given anything: they are not in `strong`.
    pub young: u64,
    /// Of the unbacked: never asked for anything.
    pub never_asked: u64,
    /// Of the unbacked: asked, and nothing came.
    pub asked_not_given: u64,
    /// Why, and what became of promises; `None` when nothing was compared.
    pub split: Option<SplitV1>,
    /// The least and the largest share of `unbacked` when hand labels are read otherwise; `None` when they cannot be.
    pub otherwise: Option<(f64, f64)>,
    /// The same by rep and by channel.
    pub segments: Vec<SegmentV1>,
    /// One sentence, as the comparison words it; `None` when nothing was compared.
    pub says: Option<String>,
    /// Rows by claimed interest, 4 to 0 and then none; columns by highest level given, 0 to 5.
    pub table: Vec<InterestRow>,
    /// The unbacked accounts with their notes' own words.
    pub accounts: Vec<UnbackedAccount>,
    /// Numbers of the unbacked accounts that are not shown.
    pub more: Vec<u64>,
}

/// Accounts with one level of claimed interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterestRow {
    /// 4 to 0; `None`: the notes claim nothing either way.
    pub level: Option<u8>,
    /// In words.
    pub words: &'static str,
    /// Accounts by highest level that was kept and that more than the note vouches for.
    pub given: [u64; 6],
}

/// An account that is called very interested and gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnbackedAccount {
    /// Its number in this report.
    pub number: u64,
    /// Its id in the CRM.
    pub id: String,
    /// The rep, as a letter.
    pub rep: Option<String>,
    /// What the note claims, in words.
    pub interest: &'static str,
    /// Whether it was ever asked for anything.
    pub asked: bool,
    /// The note that claims it.
    pub note: MarkedNote,
}

/// A note's own words, marked by kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedNote {
    /// The note's id in the CRM.
    pub id: String,
    /// `call`, `meeting`, …
    pub kind: &'static str,
    /// When it was entered.
    pub written_at: Option<Timestamp>,
    /// Consecutive pieces; together one slice of the note's text.
    pub pieces: Vec<Piece>,
    /// Words of the note were left out before the first piece.
    pub cut_before: bool,
    /// Words of the note were left out after the last piece.
    pub cut_after: bool,
}

/// A piece of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The words.
    pub text: String,
    /// What they are.
    pub mark: Option<Mark>,
}

/// What a note's words are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// Praise of us.
    Compliment,
    /// Generic, future or hypothetical talk.
    Fluff,
    /// Intent without a date: "after summer".
    Intent,
    /// Something the buyer gives or promises: a date, a name, a trial, money.
    Commitment,
}

impl Mark {
    /// `compliment`, `fluff`, `undated intent`, `commitment`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compliment => "compliment",
            Self::Fluff => "fluff",
            Self::Intent => "undated intent",
            Self::Commitment => "commitment",
        }
    }
}

/// How sure we are.
#[derive(Debug, Clone, PartialEq)]
pub struct Sureness {
    /// The gap vector.
    pub components: Vec<ComponentV1>,
    /// Its worst part; `None` before a comparison.
    pub overall: Option<OverallV1>,
    /// Which problems come first on either side; `None` without enough evidence.
    pub ranks: Option<RanksV1>,
    /// Which people could be buyers; `None` where nobody said.
    pub scope: Option<ScopeV1>,
    /// The same comparison with other days.
    pub sensitivity: Vec<VariantV1>,
    /// The same with hand labels read otherwise.
    pub relabelled: Vec<RelabelledV1>,
    /// The same by other readers, where any has read.
    pub multiverse: Option<MultiverseV1>,
    /// Every threshold that decided a verdict.
    pub thresholds: Vec<ThresholdV1>,
    /// How the period was chosen, in a few words.
    pub period_why: Option<String>,
    /// Hand labels: people, accounts.
    pub labels: [u64; 2],
    /// Posts by who speaks, as read.
    pub voices: Vec<(String, u64)>,
    /// Posts that are never counted.
    pub excluded: Excluded,
    /// Quotes that were kept.
    pub quotes_kept: u64,
    /// Quotes that the reader proposed and that do not stand in the post.
    pub quotes_rejected: u64,
    /// What the comparison refused or left out, in sentences.
    pub caveats: Vec<String>,
    /// What failed and was survived, by stage and reason.
    pub failures: Vec<FailureGroup>,
    /// Further groups of failures that are not listed.
    pub failures_more: u64,
    /// What read posts.
    pub post_recipe: String,
    /// What read notes.
    pub note_recipe: String,
    /// Hash and origin of the codebook.
    pub codebook: Option<CodebookView>,
    /// Hash of the comparison's settings.
    pub config_hash: Option<String>,
    /// Seed of everything random.
    pub seed: Option<u64>,
}

/// Which codebook both sides were measured against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodebookView {
    /// Its hash.
    pub hash: String,
    /// 1, 2, … in order of freezing.
    pub version: i64,
    /// `machine` or `hand`.
    pub made_by: String,
    /// Number of problems in it.
    pub problems: usize,
}

/// Failures of one stage with one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureGroup {
    /// The stage.
    pub stage: String,
    /// Why.
    pub reason: String,
    /// How many.
    pub count: u64,
    /// The first unit it happened to.
    pub example: String,
}

/// Names a quote within one report; written `q1`, `q2`, ….
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct QuoteId(pub(super) usize);

impl fmt::Display for QuoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "q{}", self.0 + 1)
    }
}

/// Words cut from a post or a note, with what stands around them.
#[derive(Debug, Clone, PartialEq)]
pub struct QuoteView {
    /// First byte in the text it was cut from.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The words: exactly the slice `start..end`.
    pub text: String,
    /// A few words that stand before it.
    pub before: String,
    /// A few words that stand after it.
    pub after: String,
    /// More text stands before `before`.
    pub cut_before: bool,
    /// More text stands after `after`.
    pub cut_after: bool,
    /// When it was written.
    pub written_at: Option<Timestamp>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where a quote comes from. A rep's name is never part of it; an author's pseudonym is for the terminal of who works with the
/// store, and no report that is passed on draws it.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// A community post.
    Post {
        /// Post id.
        post: String,
        /// The community.
        community: String,
        /// Pseudonym of the author; `None` when nobody knows.
        author: Option<AuthorKey>,
        /// Who speaks.
        voice: &'static str,
        /// What the words do.
        act: &'static str,
        /// Where a reader finds it.
        link: Option<Link>,
    },
    /// A CRM note.
    Note {
        /// Note id.
        note: String,
        /// Account's number in this report.
        account: u64,
        /// Kind of record.
        kind: &'static str,
        /// What the words are: `claimed pain, prompted`, `compliment`.
        mark: &'static str,
        /// The rep, as a letter.
        rep: Option<String>,
    },
}

/// An address that came with the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// http or https, in its canonical form: safe to follow.
    Web(String),
    /// Anything else: shown, never linked.
    Text(String),
}
