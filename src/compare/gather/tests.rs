//! From a real store to a comparison.

mod readers;

mod relabelled;

mod scope;

mod standing;

use std::fmt::Write;

use jiff::ToSpan;

use super::super::cells::Cells;
use super::super::{draw, import_labels, run};
use super::*;
use crate::model::comparison::{ComparisonV1, ComponentV1, ProblemV1, VariantV1};
use crate::model::{
    AccountId, Act, ClaimedPain, Codebook, Commitment, CommitmentStatus, Corroboration, Currency, Elicitation,
    Evidence, Fit, Giver, Interest, Note, NoteId, NoteKind, NoteReading, Post, PostFlags, PostReading, Problem,
    ProblemId, Recipe, Severity, Source, Span, Thread, ThreadId, Trust,
};
use crate::progress::Progress;
use crate::store::{Assignment, Batch, Origin};

/// Nobody writes like anybody else.
fn all_different(texts: &[&str]) -> Vec<usize> {
    (0..texts.len()).collect()
}

fn same_text(texts: &[&str]) -> Vec<usize> {
    texts.iter().map(|t| texts.iter().position(|other| other == t).unwrap()).collect()
}

fn recipes() -> Recipes {
    Recipes { post: Recipe::new("reader", &[]), note: Recipe::new("notes", &[]) }
}

fn now() -> Timestamp {
    "2026-08-01T00:00:00Z".parse().unwrap()
}

fn written(days_ago: i64) -> Timestamp {
    now() - (24 * days_ago).hours()
}

/// What is invented for a store. Post `i` of 60 authors is about `leaks` for two in five of them, else about `rust`.
struct World {
    store: Store,
    labels: String,
    _folder: tempfile::TempDir,
}

const PEOPLE: usize = 60;

const ACCOUNTS: usize = 62;

/// Where words that name a problem belong.
fn assign(side: Side, unit: &str, text: &str) -> Assignment {
    let problem = ["leaks", "rust"].into_iter().find(|p| text.contains(p)).map(ProblemId::new);
    Assignment { side, unit: unit.to_owned(), problem, score: 1.0 }
}

/// Sorts every signal into the codebook by its words.
async fn assign_by_words(store: &Store) {
    let signals = store.signals(&recipes().post, "", 10_000).await.unwrap();
    let assignments = signals.iter().map(|s| assign(Side::Community, s.signal.id.as_str(), &s.text));
    let (codebook, _) = store.codebook().await.unwrap().unwrap();
    store.write_codebook(&codebook, &assignments.collect::<Vec<_>>(), &Origin::default(), now()).await.unwrap();
}

fn cut(text: &str) -> Evidence {
    Evidence::cut(text, Span::new(text, 0, text.len()).unwrap(), Fit::Exact).unwrap()
}

fn post(id: &str, author: usize, text: &str) -> Post {
    let thread = author % 12;
    Post {
        id: PostId::new(format!("jsonl:{id}")),
        thread: ThreadId::new(format!("jsonl:t{thread}")),
        parent: None,
        source: Source::Jsonl,
        community: format!("c{}", thread % 3),
        author: Some(AuthorKey::new(format!("a_{author:04}"))),
        written_at: Some(written(40)),
        edited_at: None,
        url: None,
        text: text.to_owned(),
        flags: PostFlags::default(),
    }
}

fn complains(text: &str) -> PostReading {
    PostReading {
        voice: Voice::FirstHand,
        lang: None,
        acts: vec![(Act::Complaint { severity: Severity::Disapproval }, cut(text), 0.9).into()],
        texture: Vec::new(),
        rejected: 0,
        withheld: 0,
    }
}

fn community_label(world: &mut String, id: &str, problem: &str) {
    let line = serde_json::json!({
        "side": "community", "item": format!("jsonl:{id}"), "annotator": "x", "voice": "first_hand", "problems": [problem],
    });
    writeln!(world, "{line}").unwrap();
}

/// Notes of one account: claims strong interest and a pain, and for every fourth a system record of a kept commitment.
fn account(i: usize) -> Vec<(Note, NoteReading, serde_json::Value)> {
    let note = |id: String, kind, days, text: &str| Note {
        id: NoteId::new(id),
        account: AccountId::new(format!("acct {i:03}")),
        opportunity: None,
        owner: Some(format!("rep {}", i % 4)),
        kind,
        written_at: Some(written(days)),
        happened_at: None,
        modified_at: None,
        stage: None,
        amount: None,
        text: text.to_owned(),
    };
    let empty = NoteReading::default();
    let text = if i == 0 { "leaks all over, very keen" } else { "rust everywhere, very keen" };
    let pain = ClaimedPain { evidence: cut(text), elicitation: Elicitation::Volunteered, specific: false };
    let reading =
        NoteReading { interest: Interest::new(3), pains: vec![pain], asked: i.is_multiple_of(2), ..empty.clone() };
    let label = |id: &str, problems: &[&str], interest: Option<u8>, backed: bool| {
        serde_json::json!({
            "side": "crm", "item": id, "annotator": "x", "problems": problems, "interest": interest, "backed": backed,
            "asked": i.is_multiple_of(2),
        })
    };
    let id = format!("n{i:03}");
    let problem = if i == 0 { "leaks" } else { "rust" };
    let mut notes = vec![(note(id.clone(), NoteKind::Call, 70, text), reading, label(&id, &[problem], Some(3), false))];
    if i.is_multiple_of(4) {
        let text = "Invoice paid";
        let commitment = Commitment {
            evidence: cut(text),
            level: 5,
            currency: Currency::Money,
            who: Giver::Buyer,
            status: CommitmentStatus::Kept,
            corroboration: Corroboration::SystemEvent,
            due: None,
        };
        let id = format!("n{i:03}s");
        let label = label(&id, &[], None, true);
        let reading = NoteReading { commitments: vec![commitment], ..empty };
        notes.push((note(id, NoteKind::System, 30, text), reading, label));
    }
    notes
}

async fn world(copies: usize) -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
    let mut labels = String::new();
    let recipes = recipes();

    let (mut posts, mut readings) = (Vec::new(), Vec::new());
    for author in 0..PEOPLE {
        for copy in 0..copies {
            let problem = if author % 5 < 2 { "leaks" } else { "rust" };
            let text =
                format!("The {problem} in unit {author} came back and I spent the whole evening on my back under it");
            let id = format!("p{author}-{copy}");
            posts.push(post(&id, author, &text));
            readings.push((PostId::new(format!("jsonl:{id}")), complains(&text)));
            community_label(&mut labels, &id, problem);
        }
    }
    let threads = (0..12)
        .map(|t| Thread {
            id: ThreadId::new(format!("jsonl:t{t}")),
            source: Source::Jsonl,
            community: format!("c{}", t % 3),
            title: String::new(),
            url: None,
            started_at: None,
        })
        .collect();
    store.write_batch(&Batch { threads, posts, ..Batch::default() }).await.unwrap();
    store.write_post_readings(&recipes.post, &readings).await.unwrap();

    let (mut notes, mut readings) = (Vec::new(), Vec::new());
    for (note, reading, label) in (0..ACCOUNTS).flat_map(account) {
        writeln!(labels, "{label}").unwrap();
        readings.push((note.id.clone(), reading));
        notes.push(note);
    }
    store.write_notes(&notes, &[]).await.unwrap();
    store.write_note_readings(&recipes.note, &readings).await.unwrap();

    let problem = |id: &str| Problem {
        id: ProblemId::new(id),
        name: format!("{id} again"),
        statement: String::new(),
        terms: Vec::new(),
        include: Vec::new(),
        exclude: Vec::new(),
        by_hand: true,
        composed: false,
    };
    let codebook = Codebook::new("hand", vec![problem("leaks"), problem("rust")]);
    let signals = store.signals(&recipes.post, "", 10_000).await.unwrap();
    let pains = store.pains(&recipes.note, "").await.unwrap();
    let assignments = signals
        .iter()
        .map(|s| assign(Side::Community, s.signal.id.as_str(), s.signal.evidence.quote()))
        .chain(pains.iter().map(|p| assign(Side::Crm, &p.id, p.pain.evidence.quote())))
        .collect::<Vec<_>>();
    store.write_codebook(&codebook, &assignments, &Origin::default(), now()).await.unwrap();
    World { store, labels, _folder: folder }
}

impl World {
    async fn import(&self) {
        let path = self._folder.path().join("labels.jsonl");
        std::fs::write(&path, &self.labels).unwrap();
        assert_eq!(import_labels(&self.store, &path).await.unwrap().failed, 0);
    }

    async fn compare(&self) -> ComparisonV1 {
        let settings = CompareSettings::default();
        run(&self.store, &recipes(), &settings, now(), all_different, Progress::new(true)).await.unwrap().1
    }

    async fn cells(&self, near_duplicates: NearDuplicates) -> Cells {
        gather(&self.store, &recipes(), &CompareSettings::default(), now(), near_duplicates).await.unwrap()
    }
}

#[tokio::test]
async fn a_store_is_counted_and_then_measured() {
    let world = world(1).await;
    let counted = world.compare().await;
    assert_eq!(counted.trust, Trust::Counted);
    assert!(counted.problems.iter().all(|p| p.verdict == "uncorrected"), "{:?}", counted.problems);
    assert_eq!(counted.population.problem_authors, 60);
    assert_eq!((counted.population.threads, counted.population.communities, counted.population.reps), (12, 3, 4));
    assert_eq!(
        (counted.window.since.as_deref(), counted.window.until.as_deref()),
        (Some("2025-12-25"), Some("2026-06-22"))
    );
    let leaks = counted.problems.iter().find(|p| p.id == "leaks").unwrap();
    assert_eq!((leaks.community.hits, leaks.community.of, leaks.crm.hits, leaks.crm.of), (24, 60, 1, 62));
    assert_eq!((leaks.threads, leaks.communities, leaks.elicitation), (12, 3, [1, 0, 0]));
    assert_eq!(
        (counted.optimism.strong, counted.optimism.unbacked.hits),
        (62, 62),
        "the payments are after the window"
    );

    world.import().await;
    let measured = world.compare().await;
    assert_eq!(measured.trust, Trust::Measured);
    assert_eq!((measured.labels.community, measured.labels.crm), (60, 62));
    let leaks = measured.problems.iter().find(|p| p.id == "leaks").unwrap();
    assert_eq!(leaks.verdict, "silent", "{leaks:?}");
    assert!((leaks.community.rate - 0.4).abs() < 1e-9, "{}", leaks.community.rate);

    let kept = world.store.comparison(&recipes().both(), &measured.codebook_hash).await.unwrap().unwrap();
    assert_eq!(kept.body, serde_json::to_string(&measured).unwrap());
    assert_eq!(
        serde_json::to_string(&world.compare().await).unwrap(),
        kept.body,
        "the same store gives the same bytes"
    );
}

#[tokio::test]
async fn duplicating_every_post_changes_nothing() {
    let (one, three) = (world(1).await, world(3).await);
    for labelled in [false, true] {
        if labelled {
            one.import().await;
            three.import().await;
        }
        let (once, thrice) = (one.compare().await, three.compare().await);
        assert_eq!(thrice.population.posts, 3 * once.population.posts);
        // Nobody told the copies apart here, and three posts are a history.
        let but_history = |comparison: &ComparisonV1| {
            let mut problems = comparison.problems.clone();
            problems.iter_mut().filter_map(|p| p.representativeness.as_mut()).for_each(|r| r.newcomers = None);
            problems
        };
        assert_eq!(but_history(&once), but_history(&thrice));
        assert_eq!(but_effort(&once), but_effort(&thrice));
        assert_eq!(once.caveats, thrice.caveats);
        assert_eq!((once.ranks, once.sensitivity), (thrice.ranks, thrice.sensitivity));
    }
}

/// The parts of the gap, without how many posts and notes there are to label.
fn but_effort(comparison: &ComparisonV1) -> Vec<ComponentV1> {
    let effort = &comparison.labelling.as_ref().unwrap().says;
    let told = |c: &ComponentV1| ComponentV1 { says: c.says.replace(effort, ""), ..c.clone() };
    comparison.components.iter().map(told).collect()
}

/// METHOD 8.1: posts without a problem change no denominator.
#[tokio::test]
async fn posts_about_nothing_change_no_share() {
    let (without, with) = (world(1).await, world(1).await);
    let nothing = |text: &str| PostReading { acts: Vec::new(), ..complains(text) };
    // Old and new people: half of their posts hold no act, the other half one that is about no problem.
    let posts =
        (0..2 * PEOPLE).map(|author| post(&format!("none{author}"), author, &format!("Fine weather, day {author}")));
    let posts = posts.collect::<Vec<_>>();
    let read = |(i, p): (usize, &Post)| {
        (p.id.clone(), if i.is_multiple_of(2) { complains(&p.text) } else { nothing(&p.text) })
    };
    let readings = posts.iter().enumerate().map(read).collect::<Vec<_>>();
    with.store.write_batch(&Batch { posts, ..Batch::default() }).await.unwrap();
    with.store.write_post_readings(&recipes().post, &readings).await.unwrap();
    let signals = with.store.signals(&recipes().post, "", 10_000).await.unwrap();
    let none = |id: &str| Assignment {
        side: Side::Community,
        unit: id.to_owned(),
        problem: Some(ProblemId::new(crate::model::problem::NONE)),
        score: 1.0,
    };
    let assignments = signals.iter().filter(|s| s.text.starts_with("Fine")).map(|s| none(s.signal.id.as_str()));
    let (codebook, _) = with.store.codebook().await.unwrap().unwrap();
    with.store.write_codebook(&codebook, &assignments.collect::<Vec<_>>(), &Origin::default(), now()).await.unwrap();

    let (fewer, more) = (without.compare().await, with.compare().await);
    assert_eq!(more.population.authors, 2 * fewer.population.authors);
    assert_eq!(more.population.problem_authors, fewer.population.problem_authors);
    let shares = |comparison: &ComparisonV1| {
        comparison.problems.iter().map(|p| (p.id.clone(), p.community, p.crm, p.threads)).collect::<Vec<_>>()
    };
    assert_eq!(shares(&more), shares(&fewer));
    assert_eq!(but_effort(&more), but_effort(&fewer));
}

#[tokio::test]
async fn authors_of_the_same_words_are_one_person() {
    let world = world(1).await;
    let campaign = "We all lost a week to the leaks and nobody at the company will pick up the phone";
    let posts = (100..140).map(|author| post(&format!("p{author}"), author, campaign)).collect::<Vec<_>>();
    let readings = posts.iter().map(|p| (p.id.clone(), complains(campaign))).collect::<Vec<_>>();
    world.store.write_batch(&Batch { posts, ..Batch::default() }).await.unwrap();
    world.store.write_post_readings(&recipes().post, &readings).await.unwrap();
    assert_eq!(world.cells(all_different).await.community.0.len(), 100);
    let cells = world.cells(same_text).await;
    assert_eq!(cells.community.0.len(), 61);
    let copied = cells.community.0.iter().find(|u| u.accounts > 1).expect("a merged person");
    assert_eq!(copied.accounts, 40, "one person, whose accounts stay known");
    assert_eq!(world.cells(same_text).await.population.threads, 12);
    assert!(
        copied.found.iter().all(|o| o.places.len() == 1 && o.count == 1),
        "what one person says is said once: {copied:?}"
    );
    assert!(
        cells.caveats.iter().any(|c| c.contains("40 author accounts") && c.contains("1 person")),
        "{:?}",
        cells.caveats
    );
}

/// As when a channel was collected from two kinds of exports: other ids, another thread, no name of the community.
#[tokio::test]
async fn what_a_person_said_once_and_two_files_hold_counts_once() {
    let (once, twice) = (world(1).await, world(1).await);
    let told = twice.store.signals(&recipes().post, "", 10_000).await.unwrap();
    let thread = Thread {
        id: ThreadId::new("jsonl:u"),
        source: Source::Jsonl,
        community: "jsonl".to_owned(),
        title: String::new(),
        url: None,
        started_at: None,
    };
    let again = told.iter().enumerate().map(|(i, told)| Post {
        thread: thread.id.clone(),
        community: thread.community.clone(),
        author: Some(told.author.clone().unwrap()),
        ..post(&format!("again{i}"), 0, &told.text)
    });
    let posts = again.collect::<Vec<_>>();
    let readings = posts.iter().map(|p| (p.id.clone(), complains(&p.text))).collect::<Vec<_>>();
    twice.store.write_batch(&Batch { threads: vec![thread], posts, ..Batch::default() }).await.unwrap();
    twice.store.write_post_readings(&recipes().post, &readings).await.unwrap();
    assign_by_words(&twice.store).await;
    let compare = async |world: &World, near_duplicates| {
        let settings = CompareSettings::default();
        run(&world.store, &recipes(), &settings, now(), near_duplicates, Progress::new(true)).await.unwrap().1
    };
    let (one, two) = (compare(&once, same_text).await, compare(&twice, same_text).await);
    let counts = |comparison: &ComparisonV1| {
        let of = |p: &ProblemV1| (p.id.clone(), p.community.hits, p.community.of, p.threads, p.communities);
        comparison.problems.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(counts(&one), counts(&two));
    assert_eq!(two.population.threads, 12);
    assert_ne!(counts(&compare(&twice, all_different).await), counts(&one), "the other thread would count");
    assert_eq!(new(&twice.cells(same_text).await), PEOPLE, "a copy is no history");
    assert_eq!(new(&twice.cells(all_different).await), 0);
    assert!(two.caveats.iter().any(|c| c.starts_with("60 posts are in nearly the same words")), "{:?}", two.caveats);
}

/// People of whom there is a single post.
fn new(cells: &Cells) -> usize {
    cells.community.0.iter().filter(|u| u.newcomer).count()
}

#[tokio::test]
async fn who_posted_before_is_no_newcomer_whatever_they_posted() {
    let world = world(1).await;
    let long_ago = Post { written_at: Some(written(3000)), ..post("hello", 0, "Hello everybody") };
    let undated = Post { written_at: None, ..post("thanks", 1, "Thanks to all") };
    world.store.write_batch(&Batch { posts: vec![long_ago, undated], ..Batch::default() }).await.unwrap();
    let cells = world.cells(all_different).await;
    assert_eq!((cells.community.0.len(), new(&cells)), (PEOPLE, PEOPLE - 2));
    assert!(cells.crm.0.iter().all(|u| !u.newcomer));
}

#[tokio::test]
async fn what_is_not_in_the_window_is_left_out_and_said() {
    let world = world(1).await;
    let late = Post { written_at: Some(written(2)), ..post("late", 200, "The leaks are late") };
    let undated = Post { written_at: None, ..post("undated", 201, "The leaks have no date") };
    let flags = PostFlags { future: true, ..PostFlags::default() };
    let future = Post { flags, ..post("future", 202, "The leaks of tomorrow") };
    let posts = vec![late, undated, future];
    let readings = posts.iter().map(|p| (p.id.clone(), complains(&p.text))).collect::<Vec<_>>();
    world.store.write_batch(&Batch { posts, ..Batch::default() }).await.unwrap();
    world.store.write_post_readings(&recipes().post, &readings).await.unwrap();

    let answer = world.compare().await;
    // The window now ends with the last note, thirty days ago.
    assert_eq!(answer.window.until.as_deref(), Some("2026-07-02"));
    assert_eq!(answer.population.problem_authors, 60);
    for says in ["1 post carries no date", "1 post carries a date in the future"] {
        assert!(answer.caveats.iter().any(|c| c.starts_with(says)), "{says}: {:?}", answer.caveats);
    }
    assert_eq!(answer.optimism.strong, 62);
    assert_eq!(answer.optimism.unbacked.hits, 46, "every fourth account paid");
    assert_eq!(answer.optimism.never_asked, 31, "odd accounts were never asked and never paid");
}

#[tokio::test]
async fn labels_of_units_nobody_drew_correct_nothing() {
    let mut world = world(1).await;
    let lines = world.labels.lines().map(str::to_owned).collect::<Vec<_>>();
    world.labels = lines[1..].join("\n");
    world.import().await;
    let cells = world.cells(all_different).await;
    assert_eq!(cells.community.labelled(), 0);
    assert!(cells.crm.complete(), "the other side is a census");
    assert!(cells.caveats.iter().any(|c| c.contains("none was drawn at random")), "{:?}", cells.caveats);

    draw(&world.store, &recipes(), &CompareSettings::default(), now(), all_different, 40).await.unwrap();
    let cells = world.cells(all_different).await;
    let drawn = world.store.sample().await.unwrap();
    let people = drawn.iter().filter(|u| u.side == Side::Community && u.unit != "a_0000").count();
    assert_eq!(cells.community.labelled(), people);
    assert!(cells.community.0.iter().filter(|u| u.gold.is_some()).all(|u| (u.weight - 1.5).abs() < 1e-9));
}

#[tokio::test]
async fn labels_for_another_codebook_are_refused() {
    let mut world = world(1).await;
    world.labels = world.labels.replace("leaks", "drips").replace("rust", "stains");
    world.import().await;
    let answer = world.compare().await;
    assert_eq!(answer.labels.community, 0);
    assert!(
        answer.caveats.iter().any(|c| c.contains("another list of problems (drips, stains)")),
        "{:?}",
        answer.caveats
    );
}

#[tokio::test]
async fn without_a_codebook_it_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
    let settings = CompareSettings::default();
    let error = run(&store, &recipes(), &settings, now(), all_different, Progress::new(true)).await.unwrap_err();
    assert!(error.to_string().contains("candor group"), "{error}");
}

#[tokio::test]
async fn a_call_is_repeated_with_other_days() {
    let mut world = world(1).await;
    assert_eq!(world.compare().await.sensitivity, [], "nothing is called, so nothing is repeated");
    world.import().await;
    let answer = world.compare().await;
    assert_eq!((answer.sensitivity, answer.moved), (Vec::new(), None));
    for left_out in [
        "90 days more: these days hold the same posts and notes",
        "90 days fewer: these days hold the same posts and notes",
        "the communities 90 days earlier: it has 0 people and 62 accounts",
    ] {
        let says = format!("The comparison was not repeated with {left_out}.");
        assert!(answer.caveats.contains(&says), "{says} {:?}", answer.caveats);
    }

    told_earlier(&mut world, 100..110, 4, 130).await;
    told_earlier(&mut world, 200..210, 4, 250).await;
    world.import().await;
    let answer = world.compare().await;
    let run = |v: &VariantV1| (v.what.clone(), v.community.since.clone().unwrap(), v.same_sign.hits, v.same_sign.of);
    // Of one called problem and unbacked optimism.
    let expected = [
        ("90 days more".to_owned(), "2025-09-26".to_owned(), 2, 2),
        ("90 days fewer".to_owned(), "2026-03-25".to_owned(), 2, 2),
        // Fewer than 30 people told of anything in those days.
        ("the communities 90 days earlier, counted by machine".to_owned(), "2025-09-26".to_owned(), 2, 2),
    ];
    assert_eq!(answer.sensitivity.iter().map(run).collect::<Vec<_>>(), expected);
}

/// Notes that claim `problem` in the pain of every account, so many days ago.
async fn claimed_earlier(world: &World, problem: &str, days: i64) {
    let (mut notes, mut readings) = (Vec::new(), Vec::new());
    for i in 0..ACCOUNTS {
        let text = format!("{problem} all over, they say");
        let (note, _, _) = account(i).remove(0);
        let note = Note { id: NoteId::new(format!("old{i}")), written_at: Some(written(days)), text, ..note };
        let pain = ClaimedPain { evidence: cut(&note.text), elicitation: Elicitation::Volunteered, specific: false };
        readings.push((note.id.clone(), NoteReading { pains: vec![pain], ..NoteReading::default() }));
        notes.push(note);
    }
    world.store.write_notes(&notes, &[]).await.unwrap();
    world.store.write_note_readings(&recipes().note, &readings).await.unwrap();
    let pains = world.store.pains(&recipes().note, "").await.unwrap();
    let assignments = pains.iter().filter(|p| p.note.as_str().starts_with("old")).map(|p| Assignment {
        side: Side::Crm,
        unit: p.id.clone(),
        problem: Some(ProblemId::new(problem)),
        score: 1.0,
    });
    let (codebook, _) = world.store.codebook().await.unwrap().unwrap();
    world.store.write_codebook(&codebook, &assignments.collect::<Vec<_>>(), &Origin::default(), now()).await.unwrap();
}

#[tokio::test]
async fn a_call_that_turns_round_with_other_days_is_contested() {
    let world = world(1).await;
    world.import().await;
    claimed_earlier(&world, "leaks", 250).await;
    let answer = world.compare().await;
    let leaks = answer.problems.iter().find(|p| p.id == "leaks").unwrap();
    assert_eq!(
        (leaks.verdict.as_str(), leaks.turns.as_deref()),
        ("contested", Some("with 90 days more, counted by machine"))
    );
    let more = &answer.sensitivity[0];
    assert_eq!(
        (more.what.as_str(), more.flipped.as_slice()),
        ("90 days more, counted by machine", &["leaks".to_owned()][..])
    );
    let named =
        "Contested: “leaks again” would be called silent, but its difference does not keep its sign with 90 days more";
    assert!(answer.caveats.iter().any(|c| c.starts_with(named)), "{:?}", answer.caveats);
}

/// First-hand posts of people of their own about `leaks`, so many days ago, labelled as what they are.
async fn told_earlier(world: &mut World, people: std::ops::Range<usize>, leaks: usize, days: i64) {
    let (mut posts, mut readings) = (Vec::new(), Vec::new());
    for (i, author) in people.enumerate() {
        let problem = if i < leaks { "leaks" } else { "rust" };
        let text =
            format!("The {problem} at number {author} cost me the whole of last weekend and a new pair of boots");
        let id = format!("old{author}");
        posts.push(Post { written_at: Some(written(days)), ..post(&id, author, &text) });
        readings.push((PostId::new(format!("jsonl:{id}")), complains(&text)));
        community_label(&mut world.labels, &id, problem);
    }
    world.store.write_batch(&Batch { posts, ..Batch::default() }).await.unwrap();
    world.store.write_post_readings(&recipes().post, &readings).await.unwrap();
    assign_by_words(&world.store).await;
}

#[tokio::test]
async fn the_period_before_is_compared_and_needs_labels() {
    // 24 of 60 now; 2 of 60 other people before, and as many accounts as now, whose notes nobody labelled.
    let mut world = world(1).await;
    told_earlier(&mut world, 100..160, 2, 390).await;
    claimed_earlier(&world, "rust", 390).await;
    let counted = world.compare().await.moved.expect("a period before");
    assert_eq!(
        (counted.before.since.as_deref(), counted.before.until.as_deref()),
        (Some("2025-06-28"), Some("2025-12-24"))
    );
    assert!(counted.problems.iter().all(|m| !m.community.moved && m.community.change.is_none()));

    world.import().await;
    let moved = world.compare().await.moved.expect("a period before");
    let leaks = moved.problems.iter().find(|m| m.id == "leaks").unwrap();
    let [before, after] = [leaks.community.before, leaks.community.after];
    assert_eq!((before.hits, before.of, after.hits, after.of), (2, 60, 24, 60));
    assert!(leaks.community.moved, "{leaks:?}");
    assert!(leaks.crm.change.is_none(), "no label in the period before");
    assert!(moved.missing.iter().any(|m| m.what == "hand labels (crm), the period before"), "{:?}", moved.missing);
}

/// A sample that was drawn in one stretch of days says nothing of another.
#[tokio::test]
async fn a_drawn_sample_is_not_carried_to_other_days() {
    let mut world = world(1).await;
    told_earlier(&mut world, 30..90, 2, 390).await;
    let all = world.labels.lines().map(str::to_owned).collect::<Vec<_>>();
    world.labels = all[1..].join("\n");
    world.import().await;
    draw(&world.store, &recipes(), &CompareSettings::default(), now(), all_different, 40).await.unwrap();
    let mut read = read(&world.store, &recipes(), &CompareSettings::default(), now(), all_different).await.unwrap();
    let window = read.window().clone();
    let fewer = window.begun_later(30).unwrap();
    let more = window.begun_later(-250).unwrap();
    let labelled = [&window, &fewer, &more].map(|days| days.clone());
    let mut counts = Vec::new();
    for days in labelled {
        counts.push(read.cells(&world.store, &days, &days).await.unwrap().community.labelled());
    }
    assert!(counts[0] >= 39 && counts[1] == counts[0] && counts[2] == 0, "{counts:?}");
    let settings = CompareSettings { since: more.since, until: more.until, ..CompareSettings::default() };
    let cells = gather(&world.store, &recipes(), &settings, now(), all_different).await.unwrap();
    assert!(
        cells.caveats.iter().any(|c| c.starts_with("The sample was drawn for the days from")),
        "{:?}",
        cells.caveats
    );
    assert_eq!(cells.community.labelled(), 0, "it holds less than half of these days");
}

/// A sample of the period before stays when this period's is drawn, and corrects that period alone.
#[tokio::test]
async fn each_period_is_corrected_by_the_sample_that_was_drawn_in_it() {
    let mut world = world(1).await;
    told_earlier(&mut world, 100..170, 2, 380).await;
    claimed_earlier(&world, "rust", 380).await;
    told_earlier(&mut world, 200..220, 8, 40).await;
    // Two people are not labelled, one in each period, so that neither is a census.
    let is_known = |line: &&str| !line.contains("\"jsonl:p59-0\"") && !line.contains("\"jsonl:old169\"");
    world.labels = world.labels.lines().filter(is_known).collect::<Vec<_>>().join("\n");
    world.import().await;
    let now_settings = CompareSettings::default();
    let window = read(&world.store, &recipes(), &now_settings, now(), all_different).await.unwrap().window().clone();
    // The period before begins ten days later than this one is long.
    let before = window.before().unwrap().begun_later(10).unwrap();
    let then = CompareSettings { since: before.since, until: before.until, ..CompareSettings::default() };
    let draw = async |settings: &CompareSettings| {
        draw(&world.store, &recipes(), settings, now(), all_different, 1000).await.unwrap();
    };
    let moved = async || {
        let settings = &now_settings;
        let told = run(&world.store, &recipes(), settings, now(), all_different, Progress::new(true)).await.unwrap().1;
        told.moved.expect("a period before")
    };
    draw(&now_settings).await;
    let lacking = moved().await;
    assert!(lacking.missing.iter().any(|m| m.what == "hand labels (community), the period before"), "{lacking:?}");

    draw(&then).await;
    draw(&now_settings).await;
    let said = world.cells(all_different).await.caveats;
    assert!(!said.iter().any(|c| c.contains("The sample was drawn")), "{said:?}");
    draw(&now_settings).await;
    assert_eq!(world.store.draws().await.unwrap().len(), 2, "the same days are drawn anew");
    let told = moved().await;
    assert_eq!(told.before.since, before.since.map(|day| day.to_string()));
    let leaks = told.problems.iter().find(|m| m.id == "leaks").unwrap();
    assert_eq!((leaks.community.before.labels, leaks.community.after.labels), (69, 79));
    assert!(leaks.community.moved, "{leaks:?}");
    let labelled = world.cells(all_different).await.community.labelled();
    assert_eq!(labelled, 79, "and this period by its own");
}

#[tokio::test]
async fn kinds_of_communities_and_what_people_did_are_told_apart() {
    let world = world(1).await;
    let text = "Gave up on the leaks and moved to Dryware last week, two hours a day saved";
    let post = Post {
        id: PostId::new("discord:1:2"),
        community: "c0".to_owned(),
        source: Source::Discord,
        ..post("x", 300, text)
    };
    let left = Act::Switch { from: None, to: None, stage: crate::model::SwitchStage::Done, reason: None };
    let reading = PostReading { acts: vec![(left, cut(text), 0.9).into()], ..complains(text) };
    let paid = "The rust in the frame costs us two hours a day, every single day of the week";
    let paying = self::post("y", 301, paid);
    let cost = crate::model::TextureSlot {
        slot: crate::model::Slot::CostTime,
        evidence: cut(paid),
        value: crate::model::SlotValue::Text,
    };
    let costly = PostReading { texture: vec![cost], ..complains(paid) };
    world.store.write_batch(&Batch { posts: vec![post.clone(), paying.clone()], ..Batch::default() }).await.unwrap();
    let readings = [(post.id.clone(), reading), (paying.id.clone(), costly)];
    world.store.write_post_readings(&recipes().post, &readings).await.unwrap();
    assign_by_words(&world.store).await;
    let cells = world.cells(all_different).await;
    // The post stands in a community that is read from two sources, so that one is of both kinds with all of its people.
    let kinds = cells.kinds.iter().map(|k| (k.name, k.communities.len(), k.people.len())).collect::<Vec<_>>();
    assert_eq!(kinds, [("chat", 1, 21), ("other", 3, 62)]);
    let revealed = cells.community.0.iter().filter(|u| u.found.iter().any(|o| o.revealed)).collect::<Vec<_>>();
    assert_eq!(revealed.iter().map(|u| u.id.as_str()).collect::<Vec<_>>(), ["a_0300", "a_0301"]);
}
