//! `report.v1.json`: the View for machines. Fields may be added, none renamed. Quotes are byte-exact, whatever is in them.

use anyhow::{Context, Result};
use serde::Serialize;

use super::bounds::likely;
use super::view::{
    CostView, Count, Excluded, Link, Mark, MeansView, OptimismView, Origin, ProblemView, QuoteId, QuoteView,
    SwitchView, TextureView, Tried, View,
};
use crate::model::Trust;
use crate::model::comparison::{
    CalibrationV1, ComponentV1, CountsV1, DifferenceV1, MovedV1, MultiverseV1, OverallV1, PopulationV1, RanksV1,
    RateV1, RegisterV1, RelabelledV1, RepresentativenessV1, ResidualsV1, ScopeV1, SegmentV1, SelectionV1, SplitV1,
    ThresholdV1, UnfilteredV1, VariantV1,
};

/// The report as JSON, with a final newline.
///
/// # Errors
/// When a number is not finite, which no View holds.
pub fn render(view: &View) -> Result<String> {
    let mut json = serde_json::to_string_pretty(&report(view)).context("could not write the report as JSON")?;
    json.push('\n');
    Ok(json)
}

#[derive(Serialize)]
struct ReportV1<'a> {
    v: u8,
    title: &'a str,
    made_at: String,
    period: Option<[String; 2]>,
    population: &'a PopulationV1,
    trust: TrustV1<'a>,
    finding: &'a [String],
    missing: &'a [String],
    problems: Vec<ProblemV1<'a>>,
    problems_left_out: usize,
    residual: Option<&'a ResidualsV1>,
    tried: TriedV1<'a>,
    top_quotes: Vec<String>,
    optimism: Option<OptimismV1<'a>>,
    calibration: Option<&'a CalibrationV1>,
    moved: Option<&'a MovedV1>,
    sureness: SurenessV1<'a>,
    quotes: Vec<QuoteV1<'a>>,
}

/// One problem with everything that is known of it.
#[derive(Serialize)]
struct PageV1<'a> {
    v: u8,
    trust: TrustV1<'a>,
    period: Option<[String; 2]>,
    problem: ProblemV1<'a>,
    missing: &'a [String],
    quotes: Vec<QuoteV1<'a>>,
}

/// The list of problems, for the line that `candor problems --json` prints.
#[derive(Serialize)]
struct ListV1<'a> {
    v: u8,
    codebook: Option<&'a str>,
    trust: TrustV1<'a>,
    problems: Vec<RowV1<'a>>,
    hidden: usize,
    residual: Option<&'a ResidualsV1>,
    missing: &'a [String],
}

#[derive(Serialize)]
struct RowV1<'a> {
    id: &'a str,
    name: &'a str,
    community: &'a RateV1,
    crm: Option<&'a RateV1>,
    difference: Option<&'a DifferenceV1>,
    trust: &'static str,
    verdict: &'a str,
    threads: u64,
    communities: usize,
    first_seen: Option<String>,
    last_seen: Option<String>,
    thread_dominated: Option<bool>,
    register_sensitive: Option<bool>,
}

/// The page of one `problem` of `view`, on one line. Its quotes name their authors' pseudonyms.
///
/// # Errors
/// When a number is not finite, which no View holds.
pub fn page(view: &View, problem: &ProblemView) -> Result<String> {
    let quotes =
        problem.quotes().into_iter().map(|id| QuoteV1 { author: view.quote(id).author(), ..quote(id, view.quote(id)) });
    let page = PageV1 {
        v: 1,
        trust: TrustV1 { level: view.trust.level, words: &view.trust.words },
        period: view.period.map(|(first, last)| [first.to_string(), last.to_string()]),
        problem: self::problem(problem),
        missing: &view.missing,
        quotes: quotes.collect(),
    };
    serde_json::to_string(&page).context("could not write the problem as JSON")
}

/// `problems` of `view` as a list, on one line; `hidden` are not shown.
///
/// # Errors
/// When a number is not finite, which no View holds.
pub fn list(view: &View, problems: &[&ProblemView], hidden: usize) -> Result<String> {
    let rows = problems.iter().map(|p| RowV1 {
        id: &p.id,
        name: &p.name,
        community: &p.community,
        crm: p.crm.as_ref(),
        difference: p.difference.as_ref(),
        trust: p.trust(),
        verdict: &p.verdict.name,
        threads: p.threads,
        communities: p.communities_all,
        first_seen: p.seen.map(|(first, _)| first.to_string()),
        last_seen: p.seen.map(|(_, last)| last.to_string()),
        thread_dominated: p.representativeness.as_ref().map(|r| r.thread_dominated),
        register_sensitive: p.register.map(|r| r.register_sensitive),
    });
    let list = ListV1 {
        v: 1,
        codebook: view.sureness.codebook.as_ref().map(|c| c.hash.as_str()),
        trust: TrustV1 { level: view.trust.level, words: &view.trust.words },
        problems: rows.collect(),
        hidden,
        residual: view.residual.as_ref(),
        missing: &view.missing,
    };
    serde_json::to_string(&list).context("could not write the problems as JSON")
}

#[derive(Serialize)]
struct TrustV1<'a> {
    level: Trust,
    words: &'a str,
}

#[derive(Serialize)]
struct ProblemV1<'a> {
    id: &'a str,
    name: &'a str,
    statement: &'a str,
    community: &'a RateV1,
    crm: Option<&'a RateV1>,
    difference: Option<&'a DifferenceV1>,
    verdict: &'a str,
    verdict_words: &'a str,
    threads: u64,
    first_seen: Option<String>,
    last_seen: Option<String>,
    top_author: CountsV1,
    top_thread: CountsV1,
    severity: SeverityV1,
    excluded: ExcludedV1,
    representativeness: Option<&'a RepresentativenessV1>,
    register: Option<&'a RegisterV1>,
    selection: Option<&'a SelectionV1>,
    unfiltered: Option<&'a UnfilteredV1>,
    acts: Vec<CountV1<'a>>,
    communities: Vec<CountV1<'a>>,
    roles: Vec<CountV1<'a>>,
    frequency: Vec<CountV1<'a>>,
    texture: TextureV1<'a>,
    costs: Vec<CostV1<'a>>,
    tried: TriedV1<'a>,
    switches: Vec<SwitchV1<'a>>,
    community_quotes: Vec<String>,
    community_more: u64,
    crm_quotes: Vec<String>,
    crm_more: u64,
    elicitation: ElicitationV1,
    series: SeriesV1,
    change_our_mind: &'a [String],
}

/// People who accuse or blame, of those who complain of this problem, and of anything else.
#[derive(Serialize)]
struct SeverityV1 {
    accuse_or_blame: CountsV1,
    elsewhere: CountsV1,
}

#[derive(Serialize)]
struct ExcludedV1 {
    posts: u64,
    bots: u64,
    vendor_or_promo: u64,
}

#[derive(Serialize)]
struct TextureV1<'a> {
    people: u64,
    slots: Vec<SlotV1<'a>>,
}

#[derive(Serialize)]
struct SlotV1<'a> {
    slot: &'static str,
    people: u64,
    values: Vec<CountV1<'a>>,
    quotes: Vec<String>,
}

#[derive(Serialize)]
struct ElicitationV1 {
    volunteered: u64,
    prompted: u64,
    rep_inferred: u64,
}

#[derive(Serialize)]
struct CountV1<'a> {
    label: &'a str,
    people: u64,
}

#[derive(Serialize)]
struct CostV1<'a> {
    unit: &'a str,
    period: Option<&'a str>,
    already_paid: bool,
    people: u64,
    median: f64,
    low: f64,
    high: f64,
    quotes: Vec<String>,
}

#[derive(Serialize)]
struct TriedV1<'a> {
    people: u64,
    elsewhere: u64,
    means: Vec<MeansV1<'a>>,
}

#[derive(Serialize)]
struct MeansV1<'a> {
    label: &'a str,
    tried: u64,
    failed: u64,
    in_use: u64,
    why: String,
}

#[derive(Serialize)]
struct SwitchV1<'a> {
    from: Option<&'a str>,
    to: Option<&'a str>,
    stage: &'a str,
    people: u64,
    quote: String,
}

#[derive(Serialize)]
struct SeriesV1 {
    bucket: &'static str,
    points: Vec<PointV1>,
    undated: u64,
}

#[derive(Serialize)]
struct PointV1 {
    from: String,
    people: u64,
}

#[derive(Serialize)]
struct OptimismV1<'a> {
    strong: u64,
    unbacked: &'a RateV1,
    never_asked: u64,
    asked_not_given: u64,
    split: Option<&'a SplitV1>,
    segments: &'a [SegmentV1],
    table: Vec<InterestV1>,
    accounts: Vec<AccountV1<'a>>,
    more: &'a [u64],
}

#[derive(Serialize)]
struct InterestV1 {
    interest: Option<u8>,
    accounts_by_level_given: [u64; 6],
}

#[derive(Serialize)]
struct AccountV1<'a> {
    account: u64,
    account_id: &'a str,
    rep: Option<&'a str>,
    interest: &'a str,
    asked: bool,
    note: &'a str,
    kind: &'a str,
    written_at: Option<String>,
    pieces: Vec<PieceV1<'a>>,
}

#[derive(Serialize)]
struct PieceV1<'a> {
    text: &'a str,
    mark: Option<&'static str>,
}

#[derive(Serialize)]
struct SurenessV1<'a> {
    components: &'a [ComponentV1],
    overall: Option<&'a OverallV1>,
    ranks: Option<&'a RanksV1>,
    scope: Option<&'a ScopeV1>,
    sensitivity: &'a [VariantV1],
    relabelled: &'a [RelabelledV1],
    multiverse: Option<&'a MultiverseV1>,
    thresholds: &'a [ThresholdV1],
    period_why: Option<&'a str>,
    labels: LabelsV1,
    voices: Vec<VoiceV1<'a>>,
    excluded: ExcludedV1,
    quotes_kept: u64,
    quotes_rejected: u64,
    selection: Vec<PropensityV1>,
    caveats: &'a [String],
    failures: Vec<FailureV1<'a>>,
    failure_groups_left_out: u64,
    post_recipe: &'a str,
    note_recipe: &'a str,
    codebook: Option<CodebookV1<'a>>,
    config_hash: Option<&'a str>,
    seed: Option<u64>,
}

#[derive(Serialize)]
struct LabelsV1 {
    community: u64,
    crm: u64,
}

#[derive(Serialize)]
struct VoiceV1<'a> {
    voice: &'a str,
    posts: u64,
}

#[derive(Serialize)]
struct PropensityV1 {
    if_people_with_it_are: String,
    share: f64,
}

#[derive(Serialize)]
struct FailureV1<'a> {
    stage: &'a str,
    reason: &'a str,
    count: u64,
    example: &'a str,
}

#[derive(Serialize)]
struct CodebookV1<'a> {
    hash: &'a str,
    version: i64,
    made_by: &'a str,
    problems: usize,
}

#[derive(Serialize)]
struct QuoteV1<'a> {
    id: String,
    #[serde(flatten)]
    origin: OriginV1<'a>,
    /// A pseudonym; only where nothing is passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<&'a str>,
    written_at: Option<String>,
    start: usize,
    end: usize,
    text: &'a str,
    before: &'a str,
    after: &'a str,
}

#[derive(Serialize)]
#[serde(tag = "side", rename_all = "snake_case")]
enum OriginV1<'a> {
    Community { post: &'a str, community: &'a str, voice: &'a str, act: &'a str, url: Option<&'a str> },
    Crm { note: &'a str, account: u64, kind: &'a str, mark: &'a str, rep: Option<&'a str> },
}

fn report(view: &View) -> ReportV1<'_> {
    ReportV1 {
        v: 1,
        title: &view.title,
        made_at: view.made_at.to_string(),
        period: view.period.map(|(first, last)| [first.to_string(), last.to_string()]),
        population: &view.population,
        trust: TrustV1 { level: view.trust.level, words: &view.trust.words },
        finding: &view.finding,
        missing: &view.missing,
        problems: view.problems.iter().map(problem).collect(),
        problems_left_out: view.problems_left_out,
        residual: view.residual.as_ref(),
        tried: tried(&view.tried),
        top_quotes: ids(&view.top_quotes),
        optimism: view.optimism.as_ref().map(optimism),
        calibration: view.outcomes.as_ref().map(|o| &o.numbers),
        moved: view.moved.as_ref(),
        sureness: sureness(view),
        quotes: view.quotes.iter().enumerate().map(|(i, q)| quote(QuoteId(i), q)).collect(),
    }
}

fn ids(quotes: &[QuoteId]) -> Vec<String> {
    quotes.iter().map(QuoteId::to_string).collect()
}

fn counts(counts: &[Count]) -> Vec<CountV1<'_>> {
    counts.iter().map(|c| CountV1 { label: &c.label, people: c.people }).collect()
}

fn problem(p: &ProblemView) -> ProblemV1<'_> {
    let [volunteered, prompted, rep_inferred] = p.elicitation;
    ProblemV1 {
        id: &p.id,
        name: &p.name,
        statement: &p.statement,
        community: &p.community,
        crm: p.crm.as_ref(),
        difference: p.difference.as_ref(),
        verdict: &p.verdict.name,
        verdict_words: &p.verdict.long,
        threads: p.threads,
        first_seen: p.seen.map(|(first, _)| first.to_string()),
        last_seen: p.seen.map(|(_, last)| last.to_string()),
        top_author: p.top_author,
        top_thread: p.top_thread,
        severity: SeverityV1 { accuse_or_blame: p.severity.here, elsewhere: p.severity.elsewhere },
        excluded: excluded(p.excluded),
        representativeness: p.representativeness.as_ref(),
        register: p.register.as_ref(),
        selection: p.selection.as_ref(),
        unfiltered: p.unfiltered.as_ref(),
        acts: counts(&p.acts),
        communities: counts(&p.communities),
        roles: counts(&p.roles.values),
        frequency: counts(&p.frequency.values),
        texture: texture(&p.texture),
        costs: p.costs.iter().map(cost).collect(),
        tried: tried(&p.tried),
        switches: p.switches.iter().map(switch).collect(),
        community_quotes: ids(&p.community_quotes),
        community_more: p.community_more,
        crm_quotes: ids(&p.crm_quotes),
        crm_more: p.crm_more,
        elicitation: ElicitationV1 { volunteered, prompted, rep_inferred },
        series: SeriesV1 {
            bucket: p.series.bucket.as_str(),
            points: p.series.points.iter().map(|(d, n)| PointV1 { from: d.to_string(), people: *n }).collect(),
            undated: p.series.undated,
        },
        change_our_mind: &p.change_our_mind,
    }
}

fn excluded(e: Excluded) -> ExcludedV1 {
    ExcludedV1 { posts: e.posts, bots: e.bots, vendor_or_promo: e.promo }
}

fn texture(t: &TextureView) -> TextureV1<'_> {
    let slots = t.slots.iter().map(|s| SlotV1 {
        slot: s.slot.as_str(),
        people: s.people,
        values: counts(&s.values),
        quotes: ids(&s.quotes),
    });
    TextureV1 { people: t.by, slots: slots.collect() }
}

fn cost(c: &CostView) -> CostV1<'_> {
    CostV1 {
        unit: &c.unit,
        period: c.period.as_deref(),
        already_paid: c.already_paid,
        people: c.people,
        median: c.median,
        low: c.low,
        high: c.high,
        quotes: ids(&c.quotes),
    }
}

fn tried(t: &Tried) -> TriedV1<'_> {
    let means = |m: &MeansView| m.why.to_string();
    TriedV1 {
        people: t.people,
        elsewhere: t.elsewhere,
        means: t
            .means
            .iter()
            .map(|m| MeansV1 { label: &m.label, tried: m.tried, failed: m.failed, in_use: m.in_use, why: means(m) })
            .collect(),
    }
}

fn switch(s: &SwitchView) -> SwitchV1<'_> {
    SwitchV1 {
        from: s.from.as_deref(),
        to: s.to.as_deref(),
        stage: s.stage,
        people: s.people,
        quote: s.quote.to_string(),
    }
}

fn optimism(o: &OptimismView) -> OptimismV1<'_> {
    let accounts = o.accounts.iter().map(|a| AccountV1 {
        account: a.number,
        account_id: &a.id,
        rep: a.rep.as_deref(),
        interest: a.interest,
        asked: a.asked,
        note: &a.note.id,
        kind: a.note.kind,
        written_at: a.note.written_at.map(|t| t.to_string()),
        pieces: a.note.pieces.iter().map(|p| PieceV1 { text: &p.text, mark: p.mark.map(Mark::as_str) }).collect(),
    });
    OptimismV1 {
        strong: o.strong,
        unbacked: &o.unbacked,
        never_asked: o.never_asked,
        asked_not_given: o.asked_not_given,
        split: o.split.as_ref(),
        segments: &o.segments,
        table: o.table.iter().map(|r| InterestV1 { interest: r.level, accounts_by_level_given: r.given }).collect(),
        accounts: accounts.collect(),
        more: &o.more,
    }
}

fn sureness(view: &View) -> SurenessV1<'_> {
    let s = &view.sureness;
    let [community, crm] = s.labels;
    let bounds = view.problems.first().and_then(|p| p.selection.as_ref()).map_or(&[][..], |s| &s.bounds);
    SurenessV1 {
        components: &s.components,
        overall: s.overall.as_ref(),
        ranks: s.ranks.as_ref(),
        scope: s.scope.as_ref(),
        sensitivity: &s.sensitivity,
        relabelled: &s.relabelled,
        multiverse: s.multiverse.as_ref(),
        thresholds: &s.thresholds,
        period_why: s.period_why.as_deref(),
        labels: LabelsV1 { community, crm },
        voices: s.voices.iter().map(|(voice, posts)| VoiceV1 { voice, posts: *posts }).collect(),
        excluded: excluded(s.excluded),
        quotes_kept: s.quotes_kept,
        quotes_rejected: s.quotes_rejected,
        selection: bounds
            .iter()
            .map(|b| PropensityV1 { if_people_with_it_are: likely(b.rho), share: b.share })
            .collect(),
        caveats: &s.caveats,
        failures: s
            .failures
            .iter()
            .map(|f| FailureV1 { stage: &f.stage, reason: &f.reason, count: f.count, example: &f.example })
            .collect(),
        failure_groups_left_out: s.failures_more,
        post_recipe: &s.post_recipe,
        note_recipe: &s.note_recipe,
        codebook: s.codebook.as_ref().map(|c| CodebookV1 {
            hash: &c.hash,
            version: c.version,
            made_by: &c.made_by,
            problems: c.problems,
        }),
        config_hash: s.config_hash.as_deref(),
        seed: s.seed,
    }
}

fn quote(id: QuoteId, q: &QuoteView) -> QuoteV1<'_> {
    let origin = match &q.origin {
        Origin::Post { post, community, voice, act, link, .. } => {
            let url = link.as_ref().map(|link| match link {
                Link::Web(url) | Link::Text(url) => url.as_str(),
            });
            OriginV1::Community { post, community, voice, act, url }
        }
        Origin::Note { note, account, kind, mark, rep } => {
            OriginV1::Crm { note, account: *account, kind, mark, rep: rep.as_deref() }
        }
    };
    QuoteV1 {
        id: id.to_string(),
        origin,
        author: None,
        written_at: q.written_at.map(|t| t.to_string()),
        start: q.start,
        end: q.end,
        text: &q.text,
        before: &q.before,
        after: &q.after,
    }
}
