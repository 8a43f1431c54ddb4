//! A small invented store, and the comparison that would be made of it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::comparison::{
    AgreeingV1, AnswerV1, BoundV1, CalibrationV1, ChangeV1, ComparisonV1, ComponentV1, CountsV1, DifferenceV1,
    ForecastV1, GateV1, KindV1, LabelsV1, MoveV1, MovedV1, MultiverseV1, NewcomersV1, OptimismV1, OverallV1,
    PopulationV1, ProblemV1, RankV1, RanksV1, RateV1, ReadAgainV1, RelabelledV1, RepresentativenessV1, ResidualV1,
    ResidualsV1, SegmentV1, SelectionV1, SplitV1, ThresholdV1, TouchesV1, VariantV1, WindowV1,
};
use crate::model::{
    AccountId, Act, AuthorKey, ClaimedPain, Codebook, Commitment, CommitmentStatus, Corroboration, Currency,
    Elicitation, Evidence, Fit, Giver, Interest, Missing, Note, NoteId, NoteKind, NoteReading, Post, PostFlags, PostId,
    PostReading, Problem, ProblemId, Recipe, Recipes, Severity, Slot, SlotValue, Source, Span, SwitchStage,
    TextureSlot, Thread, ThreadId, Trust, Voice,
};
use crate::report::view::View;
use crate::report::{Shown, build};
use crate::store::{Assignment, Batch, Failure, Origin, Side, Store};

/// Words that try to break out of every drawing.
pub(in crate::report) const HOSTILE: &str = "<script>alert(1)</script> **bold** [x](javascript:alert(2)) \u{202E}desrever\u{202C} | `code` & \"quotes\" \
                       <img src=x onerror=y> ' --> ]]> end";

pub(in crate::report) fn now() -> Timestamp {
    "2026-07-30T12:00:00Z".parse().unwrap()
}

pub(in crate::report) fn recipes() -> Recipes {
    Recipes { post: Recipe::new("post-test", &["1"]), note: Recipe::new("note-test", &["1"]) }
}

/// A store in a folder that goes when the test ends.
pub(in crate::report) struct World {
    _dir: tempfile::TempDir,
    pub(in crate::report) store: Store,
    pub(in crate::report) texts: BTreeMap<String, String>,
    pub(in crate::report) posts: Vec<Post>,
    pub(in crate::report) post_readings: Vec<(PostId, PostReading)>,
    pub(in crate::report) notes: Vec<Note>,
    pub(in crate::report) note_readings: Vec<(NoteId, NoteReading)>,
}

pub(in crate::report) fn cut(text: &str, words: &str) -> Evidence {
    let start = text.find(words).unwrap_or_else(|| panic!("{words:?} is not in {text:?}"));
    Evidence::cut(text, Span::new(text, start, start + words.len()).unwrap(), Fit::Exact).unwrap()
}

impl World {
    pub(in crate::report) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
        Self {
            _dir: dir,
            store,
            texts: BTreeMap::new(),
            posts: Vec::new(),
            post_readings: Vec::new(),
            notes: Vec::new(),
            note_readings: Vec::new(),
        }
    }

    /// A first-hand post with one act on `quote`, by `author`, in the community `r/trades`.
    pub(in crate::report) fn post(
        &mut self,
        id: &str,
        author: &str,
        at: &str,
        text: &str,
        acts: Vec<(Act, &str)>,
    ) -> &mut PostReading {
        let id = PostId::new(format!("reddit:{id}"));
        self.texts.insert(id.as_str().to_owned(), text.to_owned());
        self.posts.push(Post {
            id: id.clone(),
            thread: ThreadId::new("reddit:t1"),
            parent: None,
            source: Source::Reddit,
            community: "r/trades".to_owned(),
            author: Some(AuthorKey::pseudonym(&[7; 32], "reddit", author)),
            written_at: Some(at.parse().unwrap()),
            edited_at: None,
            url: Some(format!("https://forum.example/{}", id.as_str())),
            text: text.to_owned(),
            flags: PostFlags::default(),
        });
        let acts = acts.into_iter().map(|(act, quote)| (act, cut(text, quote), 0.9).into()).collect();
        let reading = PostReading {
            voice: Voice::FirstHand,
            lang: Some("eng"),
            acts,
            texture: Vec::new(),
            rejected: 0,
            withheld: 0,
        };
        self.post_readings.push((id, reading));
        &mut self.post_readings.last_mut().unwrap().1
    }

    /// A call note of `account` by `owner`.
    pub(in crate::report) fn note(
        &mut self,
        id: &str,
        account: &str,
        owner: &str,
        at: &str,
        text: &str,
        interest: Option<u8>,
    ) -> &mut NoteReading {
        self.texts.insert(id.to_owned(), text.to_owned());
        self.notes.push(Note {
            id: NoteId::new(id),
            account: AccountId::new(account),
            opportunity: None,
            owner: Some(owner.to_owned()),
            kind: NoteKind::Call,
            written_at: Some(at.parse().unwrap()),
            happened_at: None,
            modified_at: None,
            stage: None,
            amount: None,
            text: text.to_owned(),
        });
        let reading = NoteReading { interest: interest.and_then(Interest::new), ..NoteReading::default() };
        self.note_readings.push((NoteId::new(id), reading));
        &mut self.note_readings.last_mut().unwrap().1
    }

    /// Writes everything; `assign` names the problem of a quote.
    pub(in crate::report) async fn write(
        &self,
        problems: Vec<Problem>,
        assign: impl Fn(&str) -> Option<&'static str>,
    ) -> Option<Codebook> {
        let thread = Thread {
            id: ThreadId::new("reddit:t1"),
            source: Source::Reddit,
            community: "r/trades".to_owned(),
            title: "a thread".to_owned(),
            url: None,
            started_at: None,
        };
        let batch = Batch { threads: vec![thread], posts: self.posts.clone(), ..Batch::default() };
        self.store.write_batch(&batch).await.unwrap();
        let recipes = recipes();
        self.store.write_post_readings(&recipes.post, &self.post_readings).await.unwrap();
        self.store.write_notes(&self.notes, &[]).await.unwrap();
        self.store.write_note_readings(&recipes.note, &self.note_readings).await.unwrap();
        if problems.is_empty() {
            return None;
        }
        let codebook = Codebook::new("hand", problems);
        let assignment = |side, unit: String, quote: &str| Assignment {
            side,
            unit,
            problem: assign(quote).map(ProblemId::new),
            score: 0.5,
        };
        let mut assignments = Vec::new();
        for s in self.store.signals(&recipes.post, "", 1000).await.unwrap() {
            assignments.push(assignment(Side::Community, s.signal.id.as_str().to_owned(), s.signal.evidence.quote()));
        }
        for p in self.store.pains(&recipes.note, "").await.unwrap() {
            assignments.push(assignment(Side::Crm, p.id, p.pain.evidence.quote()));
        }
        self.store.write_codebook(&codebook, &assignments, &Origin::default(), now()).await.unwrap();
        Some(codebook)
    }

    pub(in crate::report) async fn compared(&self, comparison: &ComparisonV1) {
        let body = serde_json::to_string(comparison).unwrap();
        self.store.write_comparison(&recipes().both(), &comparison.codebook_hash, &body, now()).await.unwrap();
    }

    pub(in crate::report) async fn view(&self) -> View {
        build(&self.store, &recipes(), "Trades, spring 2026", now(), Shown::default()).await.unwrap()
    }
}

pub(in crate::report) fn complaint() -> Act {
    Act::Complaint { severity: Severity::Disapproval }
}

pub(in crate::report) fn failed(text: &str, means: &str, why: &str) -> Act {
    Act::FailedWorkaround { means: Some(cut(text, means)), why_failed: Some(cut(text, why)) }
}

pub(in crate::report) fn problem(id: &str, name: &str, statement: &str) -> Problem {
    Problem {
        id: ProblemId::new(id),
        name: name.to_owned(),
        statement: statement.to_owned(),
        terms: Vec::new(),
        include: Vec::new(),
        exclude: Vec::new(),
        by_hand: true,
        composed: false,
    }
}

pub(in crate::report) fn rate(hits: u64, of: u64, interval: Option<(f64, f64)>) -> RateV1 {
    let rate = if of == 0 { 0.0 } else { hits as f64 / of as f64 };
    RateV1 { hits, of, rate, low: interval.map(|i| i.0), high: interval.map(|i| i.1), n_eff: None, labels: 0 }
}

/// Some copies, one thread that is not too large, one row of the gate that fails.
fn representative(measured: bool) -> RepresentativenessV1 {
    let row = |what: &str, have, need| GateV1 { what: what.to_owned(), have, need };
    RepresentativenessV1 {
        author_accounts: 131,
        copies_apart: CountsV1 { hits: 131, of: 420 },
        copies_out: CountsV1 { hits: 126, of: 408 },
        largest_thread: CountsV1 { hits: 20, of: 128 },
        thread_dominated: false,
        capped_rate: 128.0 / 412.0,
        breakdown: measured.then_some(57),
        newcomers: Some(NewcomersV1 {
            known: rate(66, 212, measured.then_some((0.24, 0.39))),
            single_post: rate(62, 200, measured.then_some((0.24, 0.39))),
            difference: measured.then_some(DifferenceV1 { estimate: 0.0, low: -0.1, high: 0.1 }),
        }),
        gate: vec![row("people with a problem-bearing post", 412, 30), row("communities", 1, 2)],
    }
}

fn selection(p: f64, measured: bool) -> SelectionV1 {
    let bound = |rho| BoundV1 { rho, share: p / (p + rho * (1.0 - p)) };
    let kind = |kind: &str, hits, of| KindV1 {
        kind: kind.to_owned(),
        people: CountsV1 { hits, of },
        missing: measured.then(|| Missing { what: "threads".to_owned(), have: 6, need: 10 }).into_iter().collect(),
        ..KindV1::default()
    };
    let told = |kind: KindV1| KindV1 {
        share: Some(rate(kind.people.hits, kind.people.of, Some((0.31, 0.48)))),
        gamma_star: Some(1.4),
        grade: Some("fragile".to_owned()),
        missing: Vec::new(),
        ..kind
    };
    let social = kind("social", 90, 230);
    SelectionV1 {
        bounds: [1.0 / 3.0, 1.0, 3.0, 10.0].map(bound).to_vec(),
        grade: measured.then(|| "moderate".to_owned()),
        kinds: vec![kind("forum", 40, 200), if measured { told(social) } else { social }],
    }
}

/// The list of problems fits the communities and not the CRM.
fn residual(measured: bool) -> ResidualsV1 {
    ResidualsV1 {
        community: ResidualV1 {
            other: CountsV1 { hits: 31, of: 440 },
            other_rate: 0.06,
            measured,
            fits: true,
            none: CountsV1 { hits: 228, of: 640 },
        },
        crm: ResidualV1 {
            other: CountsV1 { hits: 16, of: 90 },
            other_rate: 16.0 / 90.0,
            measured: false,
            fits: false,
            none: CountsV1 { hits: 22, of: 118 },
        },
    }
}

fn ranks() -> RanksV1 {
    let rank = |id: &str, mass, top5| RankV1 { id: id.to_owned(), mass, top5 };
    RanksV1 {
        community: vec![rank("offline", 0.4, 0.99)],
        community_all: vec![rank("offline", 0.35, 0.98), rank("visibility", 0.01, 0.41)],
        crm: vec![rank("visibility", 0.6, 1.0)],
        draws: 1000,
    }
}

fn window(since: &str, until: &str, why: &str) -> WindowV1 {
    WindowV1 { since: Some(since.to_owned()), until: Some(until.to_owned()), why: why.to_owned() }
}

fn variant() -> VariantV1 {
    let days = window("2025-11-03", "2026-07-30", "90 days more");
    VariantV1 {
        what: "90 days more".to_owned(),
        community: days.clone(),
        crm: days,
        same_sign: CountsV1 { hits: 1, of: 2 },
        flipped: vec!["visibility".to_owned()],
    }
}

/// Contested labels take one finding away, and an annotator none.
fn relabelled() -> Vec<RelabelledV1> {
    let run = |what: &str, items, unbacked: f64, changed: &[&str]| RelabelledV1 {
        what: what.to_owned(),
        items,
        problems: Vec::new(),
        components: vec![ReadAgainV1 {
            id: "commitment".to_owned(),
            verdict: "finding".to_owned(),
            shares: None,
            estimate: Some(DifferenceV1 { estimate: unbacked, low: unbacked - 0.1, high: unbacked + 0.1 }),
        }],
        changed: changed.iter().map(|id| (*id).to_owned()).collect(),
    };
    vec![
        run("contested labels as “no” in the communities and “yes” in the CRM", 7, 0.61, &["visibility"]),
        run("annotator 1 of 2 alone, wherever they labelled", 1, 0.74, &[]),
    ]
}

/// Two post readers by two note readers; one more has read too little.
fn multiverse() -> MultiverseV1 {
    let agreeing = |id: &str, hits| AgreeingV1 {
        id: id.to_owned(),
        same_verdict: CountsV1 { hits, of: 4 },
        same_sign: CountsV1 { hits, of: 4 },
        stable: hits == 4,
    };
    MultiverseV1 {
        readers: ["post-test | note-test", "post-test | m", "m | note-test", "m | m"].map(str::to_owned).to_vec(),
        left_out: vec!["k has read 12 notes, and this comparison’s reader 301".to_owned()],
        problems: vec![agreeing("offline", 4), agreeing("visibility", 2)],
        components: vec![agreeing("coverage", 4)],
    }
}

fn moved(measured: bool) -> MovedV1 {
    let change = |before: RateV1, after: RateV1, moved: bool| ChangeV1 {
        before,
        after,
        change: measured.then_some(DifferenceV1 {
            estimate: after.rate - before.rate,
            low: after.rate - before.rate - 0.05,
            high: after.rate - before.rate + 0.05,
        }),
        p_adjusted: measured.then_some(if moved { 0.001 } else { 0.6 }),
        moved: moved && measured,
    };
    MovedV1 {
        before: window("2025-08-05", "2026-01-31", "the 180 days before"),
        problems: vec![MoveV1 {
            id: "offline".to_owned(),
            name: "notes lost without signal".to_owned(),
            community: change(rate(60, 380, None), rate(128, 412, None), true),
            crm: change(rate(3, 90, None), rate(4, 96, None), false),
        }],
        unbacked: Some(change(rate(30, 44, None), rate(33, 46, None), false)),
        missing: if measured {
            Vec::new()
        } else {
            vec![Missing { what: "hand labels (community), the period before".to_owned(), have: 0, need: 60 }]
        },
    }
}

/// Why nothing is behind 33 of 46 accounts.
fn split(measured: bool) -> SplitV1 {
    let with = |low, high| measured.then_some((low, high));
    SplitV1 {
        asked: rate(22, 46, with(0.34, 0.62)),
        asking: Some(AnswerV1 {
            verdict: if measured { "finding" } else { "uncorrected" }.to_owned(),
            detectable: None,
            missing: Vec::new(),
        }),
        unbacked_not_asked: rate(21, 24, with(0.68, 0.96)),
        unbacked_asked: rate(12, 22, with(0.34, 0.73)),
        kept: CountsV1 { hits: 9, of: 13 },
        keeping: Some(AnswerV1 {
            verdict: "not_enough_evidence".to_owned(),
            detectable: None,
            missing: vec![Missing {
                what: "accounts with a promise that was due and then kept or missed".to_owned(),
                have: 8,
                need: 10,
            }],
        }),
        undated: CountsV1 { hits: 28, of: 47 },
        untold: CountsV1 { hits: 3, of: 16 },
        note_only: rate(6, 46, None),
    }
}

/// Two reps with a rate and two without, channels of which only one has enough, and segments of the CRM.
fn segments(measured: bool) -> Vec<SegmentV1> {
    let segment = |by: &str, name: &str, hits, of, shrunk: Option<f64>| {
        let interval = shrunk.filter(|_| measured);
        SegmentV1 {
            by: by.to_owned(),
            name: name.to_owned(),
            unbacked: CountsV1 { hits, of },
            shrunk,
            low: interval.map(|rate| rate - 0.13),
            high: interval.map(|rate| rate + 0.11),
            omnibus_p: interval.map(|_| if by == "rep" { 0.214 } else { 0.031 }),
            p_adjusted: interval.map(|_| if by == "rep" { 0.214 } else { 0.062 }),
        }
    };
    vec![
        segment("rep", "rep 1", 17, 20, Some(0.76)),
        segment("rep", "rep 2", 13, 20, Some(0.69)),
        segment("rep", "rep 3", 2, 4, None),
        segment("rep", "rep 5", 1, 2, None),
        segment("channel", "call", 30, 43, None),
        segment("channel", "email", 3, 3, None),
        segment("segment", "Heating and cooling", 18, 20, Some(0.79)),
        segment("segment", "Plumbing", 12, 21, Some(0.63)),
        segment("segment", "segment 3", 2, 3, None),
    ]
}

/// A comparison of the world of [`trades`], as if enough people had been labelled or nobody.
/// Forty deals of which ten were won, and twice as many foretold; nothing is a year old.
fn calibration() -> CalibrationV1 {
    let counts = |hits, of| CountsV1 { hits, of };
    let won = ForecastV1 {
        source: "interest".to_owned(),
        outcomes: 40,
        happened: 10,
        forecast: Some(0.5),
        citl: Some(0.25),
        low: Some(0.08),
        high: Some(0.42),
        brier: Some(0.24),
        by_interest: vec![counts(0, 2), counts(1, 8), counts(2, 10), counts(5, 14), counts(2, 6)],
        ..ForecastV1::default()
    };
    let young = ForecastV1 {
        source: "interest".to_owned(),
        missing: vec![Missing { what: "deals followed for 365 days".to_owned(), have: 0, need: 30 }],
        ..ForecastV1::default()
    };
    CalibrationV1 {
        deals: 96,
        notes: Some(["2025-11-03".to_owned(), "2026-07-14".to_owned()]),
        left_out: vec!["12 notes were written after their deal had ended.".to_owned()],
        won: TouchesV1 { first: won.clone(), last: won },
        value: TouchesV1 { first: young.clone(), last: young },
        drift: None,
    }
}

pub(in crate::report) fn comparison(codebook: &Codebook, trust: Trust) -> ComparisonV1 {
    let measured = trust == Trust::Measured;
    let with = |low, high| measured.then_some((low, high));
    let verdict = |name: &str| match trust {
        Trust::Measured => name.to_owned(),
        Trust::Counted => "uncorrected".to_owned(),
        Trust::NotEnoughEvidence => "not_enough_evidence".to_owned(),
    };
    let little = || match trust {
        Trust::NotEnoughEvidence => vec![
            Missing { what: "authors".to_owned(), have: 4, need: 30 },
            Missing { what: "threads".to_owned(), have: 1, need: 10 },
        ],
        _ => Vec::new(),
    };
    let row = |id: &str, name: &str, community: RateV1, crm: RateV1, v: &str| ProblemV1 {
        id: id.to_owned(),
        name: name.to_owned(),
        community,
        crm,
        difference: measured.then_some(DifferenceV1 {
            estimate: community.rate - crm.rate,
            low: community.rate - crm.rate - 0.08,
            high: community.rate - crm.rate + 0.08,
        }),
        verdict: verdict(v),
        turns: None,
        p_adjusted: measured.then_some(0.001),
        gamma_star: measured.then_some(2.4),
        detectable: None,
        missing: little(),
        threads: 12,
        communities: 3,
        elicitation: [1, 3, 16],
        representativeness: Some(representative(measured)),
        register: None,
        selection: Some(selection(community.rate, measured)),
        unfiltered: None,
    };
    let component = |name: &str, grade: &str, says: &str| ComponentV1 {
        name: name.to_owned(),
        verdict: verdict("finding"),
        estimate: None,
        raw: None,
        p: None,
        low: None,
        high: None,
        n: 412,
        detectable: None,
        missing: little(),
        grade: measured.then(|| grade.to_owned()),
        says: says.to_owned(),
    };
    ComparisonV1 {
        v: 1,
        as_of: Some(now()),
        trust,
        window: window("2026-02-01", "2026-07-30", "the last 180 days that both sides cover"),
        population: PopulationV1 {
            communities: 4,
            threads: 60,
            posts: 1903,
            authors: 640,
            problem_authors: 412,
            accounts: 118,
            discovery_accounts: 96,
            notes: 301,
            reps: 5,
        },
        scope: None,
        labels: if measured { LabelsV1 { community: 100, crm: 80 } } else { LabelsV1::default() },
        labelling: None,
        components: vec![
            component("coverage", "moderate", "The two sides speak of different problems."),
            component("commitment", "large", "Of 46 accounts called very interested, 33 have nothing behind them."),
        ],
        problems: vec![
            row(
                "offline",
                "notes lost without signal",
                rate(128, 412, with(0.24, 0.38)),
                rate(4, 96, with(0.01, 0.09)),
                "silent",
            ),
            row(
                "visibility",
                "owners see nothing",
                rate(2, 412, with(0.0, 0.02)),
                rate(30, 96, with(0.22, 0.41)),
                "phantom",
            ),
        ],
        optimism: OptimismV1 {
            strong: 46,
            unbacked: rate(33, 46, with(0.57, 0.83)),
            never_asked: 21,
            asked_not_given: 12,
            unbacked_accounts: vec!["acme".to_owned()],
            split: Some(split(measured)),
        },
        residual: Some(residual(measured)),
        overall: Some(OverallV1 {
            worst: measured.then(|| "commitment".to_owned()),
            grade: measured.then(|| "large".to_owned()),
            graded: if measured { 2 } else { 0 },
            of: 4,
        }),
        calibration: measured.then(calibration),
        ranks: (trust != Trust::NotEnoughEvidence).then(ranks),
        segments: segments(measured),
        sensitivity: if measured { vec![variant()] } else { Vec::new() },
        relabelled: if measured { relabelled() } else { Vec::new() },
        multiverse: measured.then(multiverse),
        moved: Some(moved(measured)),
        thresholds: vec![ThresholdV1 { what: "hand labels on each side, at least".to_owned(), value: 60.0 }],
        caveats: vec!["14 posts without a date are outside the window.".to_owned()],
        config_hash: "cfg123".to_owned(),
        codebook_hash: codebook.hash().to_owned(),
        recipe: "post-test | note-test".to_owned(),
        seed: 7,
    }
}

/// Four people, two accounts, two problems.
pub(in crate::report) async fn trades() -> (World, Codebook) {
    let mut w = World::new().await;
    let text = "I run the office for nine vans. The app loses every note taken in a basement. We bought wifi hotspots and it made no \
                difference two floors down. Costs us 6 hours a week.";
    let acts = vec![
        (complaint(), "The app loses every note taken in a basement"),
        (
            failed(text, "wifi hotspots", "it made no difference two floors down"),
            "We bought wifi hotspots and it made no difference two floors down",
        ),
    ];
    let hours = SlotValue::Hours { low: 6.0, high: 6.0, per: Some("week".to_owned()), per_month: Some(26.0) };
    w.post("p1", "ann", "2026-02-10T08:00:00Z", text, acts).texture = vec![
        TextureSlot { slot: Slot::ActorRole, evidence: cut(text, "I run the office"), value: SlotValue::Text },
        TextureSlot { slot: Slot::TriggerSituation, evidence: cut(text, "in a basement"), value: SlotValue::Text },
        TextureSlot { slot: Slot::CostTime, evidence: cut(text, "6 hours a week"), value: hours },
    ];
    let text =
        "Same here, a hotspot in every van and still nothing arrives from the plant room. Left VanBoard over it.";
    let left = Act::Switch { from: Some(cut(text, "VanBoard")), to: None, stage: SwitchStage::Done, reason: None };
    let acts = vec![
        (
            failed(text, "a hotspot in every van", "still nothing arrives from the plant room"),
            "a hotspot in every van and still nothing arrives from the plant room",
        ),
        (left, "Left VanBoard over it"),
    ];
    w.post("p2", "ben", "2026-02-11T08:00:00Z", text, acts);
    let hostile = format!("Photos vanish below ground, every week: {HOSTILE}");
    w.post("p3", "cat", "2026-03-20T08:00:00Z", &hostile, vec![(complaint(), &hostile)]);
    w.posts.last_mut().unwrap().url = Some("javascript:alert(3)".to_owned());
    w.post(
        "p4",
        "dee",
        "2025-01-01T08:00:00Z",
        "Lost a whole report in the basement once",
        vec![(complaint(), "Lost a whole report in the basement once")],
    );

    let text = "Great call with Pat Example, she loved the board. Owner has no visibility at all. Will circle back after summer.";
    let reading = w.note("n1", "acme", "Hank Tollund", "2026-05-03T10:00:00Z", text, Some(3));
    reading.compliments = vec![cut(text, "she loved the board")];
    reading.fluff = vec![cut(text, "Will circle back after summer")];
    reading.pains = vec![ClaimedPain {
        evidence: cut(text, "Owner has no visibility at all"),
        elicitation: Elicitation::RepInferred,
        specific: false,
    }];
    let text = "Signed the pilot order today, paid.";
    let reading = w.note("n2", "bolt", "Hank Tollund", "2026-05-09T10:00:00Z", text, Some(4));
    reading.asked = true;
    reading.commitments = vec![Commitment {
        evidence: cut(text, "Signed the pilot order today, paid"),
        level: 5,
        currency: Currency::Money,
        who: Giver::Buyer,
        status: CommitmentStatus::Kept,
        corroboration: Corroboration::SystemEvent,
        due: None,
    }];
    let problems = vec![
        problem("offline", "notes lost without signal", "Technicians below ground lose what they typed."),
        problem("visibility", "owners see nothing", "Owners cannot see how the business runs."),
    ];
    let assign = |quote: &str| Some(if quote.contains("visibility") { "visibility" } else { "offline" });
    let codebook = w.write(problems, assign).await.unwrap();
    w.store.record_failures(&[Failure::new("collect", "dump.jsonl: record 9", "truncated record")]).await.unwrap();
    (w, codebook)
}
