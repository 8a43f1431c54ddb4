//! The stage as a whole, on invented units of a few subjects.

use std::sync::Arc;

use jiff::Timestamp;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::clock::Clock;
use crate::config::LlmSettings;
use crate::llm::Model;
use crate::model::{
    AccountId, Act, AskKind, AuthorKey, ClaimedPain, Elicitation, Evidence, Fit, Note, NoteId, NoteKind, NoteReading,
    Post, PostFlags, PostId, PostReading, Recipe, Severity, Source, Span, Thread, ThreadId, Voice,
};
use crate::store::Batch;
use crate::text::redact::Names;

const SUBJECTS: [&[&str]; 4] = [
    &["kettle", "boils", "lid", "steam", "handle", "scalding", "spout", "limescale", "switch", "leaks"],
    &["bicycle", "chain", "gears", "brake", "pedal", "saddle", "puncture", "wheel", "squeaks", "tyre"],
    &["piano", "strings", "tuner", "keys", "hammer", "pitch", "octave", "sustain", "rattles", "felt"],
    &["tent", "pegs", "canvas", "zip", "rain", "groundsheet", "poles", "condensation", "guylines", "drips"],
];

/// `count` units that each say a few words of one subject; unit `i` is about subject `i % 4`.
fn units(count: usize, seed: u64) -> Vec<Unit> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|i| {
            let words = SUBJECTS[i % 4].sample(&mut random, 5).copied().collect::<Vec<_>>().join(" ");
            let side = if random.random_bool(0.3) { Side::Crm } else { Side::Community };
            Unit {
                side,
                id: format!("u{i:05}"),
                who: format!("someone {}", i / 2),
                community: String::new(),
                conversation: format!("talk {}", i / 3),
                builds: true,
                complains: true,
                quote: format!("the {words} number{i}"),
                bare: format!("the {words} number{i}"),
                around: String::new(),
                title: String::new(),
            }
        })
        .collect()
}

fn frozen() -> Codebook {
    codebook::parse(
        r#"{"v":1,"problems":[
        {"id":"kettle","name":"Kettle leaks","statement":"The kettle leaks steam at the lid","terms":["kettle","spout","limescale"],
         "include":["the handle gets scalding when it boils"],"exclude":["steam and limescale under the switch"]},
        {"id":"bicycle","name":"Bicycle breaks","statement":"The bicycle has a squeaking chain","terms":["brake","pedal","tyre"],
         "include":["another puncture in the wheel"]}]}"#,
    )
    .unwrap()
}

/// Where each unit belongs, by unit id.
fn placed(units: &[Unit], grouped: &Grouped) -> Vec<(String, Option<String>)> {
    let mut placed = assignments(units, grouped, None)
        .into_iter()
        .map(|a| (a.unit, a.problem.map(|p| p.as_str().to_owned())))
        .collect::<Vec<_>>();
    placed.sort();
    placed
}

#[test]
fn subjects_become_problems() {
    let units = units(160, 1);
    let grouped = group(&units, Start::Anew(Previous::none()), None, 7);
    let problems = grouped.codebook.problems();
    assert!((4..=12).contains(&problems.len()), "{problems:#?}");
    // Every problem is about one subject, and few units fit nowhere.
    let mut pure = 0;
    for k in 0..problems.len() {
        let mut subjects = [0; 4];
        for i in (0..units.len()).filter(|&i| grouped.placed[i].0 == Some(k)) {
            subjects[i % 4] += 1;
        }
        pure += subjects.iter().max().unwrap();
    }
    assert!(pure >= 150, "{pure} of 160 units stand with their own kind");
    for problem in problems {
        let words = SUBJECTS.iter().find(|s| s.iter().any(|w| problem.name.contains(w)));
        assert!(words.is_some(), "{problem:?}");
        assert!(units.iter().any(|u| u.quote == problem.statement), "a statement is somebody's words");
    }
}

#[test]
fn a_found_problem_says_what_it_is_and_what_it_is_not() {
    let units = units(160, 1);
    let grouped = group(&units, Start::Anew(Previous::none()), None, 7);
    let problems = grouped.codebook.problems();
    let about = |words: &str| SUBJECTS.iter().position(|s| words.split(' ').all(|w| s.contains(&w)));
    for (k, problem) in problems.iter().enumerate() {
        for line in &problem.include {
            let own = units.iter().zip(&grouped.placed).filter(|(_, (place, _))| *place == Some(k));
            assert!(own.clone().any(|(u, _)| u.quote.contains(line.as_str())), "{line} is nobody's words");
            assert_eq!(about(line), about(&problem.include[0]), "{problem:?}");
        }
        let tells =
            |other: &Problem| other.id != problem.id && problem.exclude.iter().all(|l| other.include.contains(l));
        assert!(problems.iter().any(tells), "{problem:?}");
        assert!(problem.exclude.iter().all(|line| !problem.include.contains(line)), "{problem:?}");
        assert!(problem.include.len() <= LINES, "{problem:?}");
    }
    let both = problems.iter().filter(|p| !p.include.is_empty() && !p.exclude.is_empty()).count();
    assert!(2 * both >= problems.len(), "{problems:#?}");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let units = units(120, 2);
    let [one, two] = [(); 2].map(|()| group(&units, Start::Anew(Previous::none()), None, 7));
    assert_eq!(one.codebook.hash(), two.codebook.hash());
    assert_eq!(one.placed, two.placed);
}

#[test]
fn the_order_of_units_does_not_matter() {
    let start = |codebook: &Option<Codebook>| match codebook {
        Some(codebook) => Start::Frozen(codebook.clone()),
        None => Start::Anew(Previous::none()),
    };
    for codebook in [None, Some(frozen())] {
        let mut units = units(120, 3);
        let before = group(&units, start(&codebook), None, 7);
        let expected = placed(&units, &before);
        units.shuffle(&mut ChaCha8Rng::seed_from_u64(5));
        let after = group(&units, start(&codebook), None, 7);
        assert_eq!(before.codebook, after.codebook);
        assert_eq!(before.candidates, after.candidates);
        assert_eq!(expected, placed(&units, &after));
    }
}

#[test]
fn copies_do_not_change_the_codebook() {
    let mut units = units(120, 4);
    let before = group(&units, Start::Anew(Previous::none()), None, 7);
    let copies = units.iter().map(|u| Unit { id: format!("{} again", u.id), ..u.clone() }).collect::<Vec<_>>();
    units.extend(copies);
    let after = group(&units, Start::Anew(Previous::none()), None, 7);
    assert_eq!(before.codebook, after.codebook);
    assert_eq!(after.placed[..120], before.placed[..]);
    assert_eq!(after.placed[120..], before.placed[..]);
}

#[test]
fn too_little_to_group_is_no_error() {
    let one = units(1, 5);
    let same = (0..50).map(|i| Unit { id: i.to_string(), who: i.to_string(), ..one[0].clone() }).collect::<Vec<_>>();
    let wordless =
        (0..50).map(|i| Unit { quote: "…!".to_owned(), bare: "…!".to_owned(), ..same[i].clone() }).collect::<Vec<_>>();
    for units in [vec![], one, same, wordless] {
        let found = group(&units, Start::Anew(Previous::none()), None, 7);
        assert!(found.codebook.problems().is_empty());
        assert!(found.placed.iter().all(|(problem, score)| problem.is_none() && *score == 0.0));
        let classified = group(&units, Start::Frozen(frozen()), None, 7);
        assert_eq!(classified.placed.len(), units.len());
        assert!(classified.candidates.is_empty());
    }
}

#[test]
fn a_frozen_codebook_sorts_what_it_knows_and_reports_what_it_lacks() {
    let units = units(160, 6);
    let grouped = group(&units, Start::Frozen(frozen()), None, 7);
    assert_eq!(grouped.codebook.hash(), frozen().hash());
    let ids = placed(&units, &grouped);
    let right = ids.iter().enumerate().filter(|(i, (_, problem))| match i % 4 {
        0 => problem.as_deref() == Some("kettle"),
        1 => problem.as_deref() == Some("bicycle"),
        _ => problem.is_none(),
    });
    assert!(right.count() >= 144, "{ids:?}");
    let candidates = grouped.candidates.iter().map(|(p, _)| p.terms.join(" ")).collect::<Vec<_>>();
    assert!((2..=5).contains(&candidates.len()), "{candidates:?}");
    assert!(
        candidates.iter().all(|c| SUBJECTS[2..].iter().flat_map(|s| s.iter()).any(|w| c.contains(w))),
        "{candidates:?}"
    );
}

#[test]
fn an_excluded_line_keeps_its_text_out() {
    let mut units = units(160, 6);
    units[0].bare = "steam and limescale under the switch".to_owned();
    units[4].bare = "steam from the kettle lid".to_owned();
    let grouped = group(&units, Start::Frozen(frozen()), None, 7);
    let kettle = grouped.codebook.problems().iter().position(|p| p.id.as_str() == "kettle");
    assert_ne!(grouped.placed[0].0, kettle);
    assert_eq!(grouped.placed[4].0, kettle);
}

/// What a run leaves for the next one.
fn previous(units: &[Unit], grouped: &Grouped) -> Previous {
    Previous::new(grouped.codebook.clone(), &assignments(units, grouped, None))
}

fn ids(grouped: &Grouped) -> BTreeSet<ProblemId> {
    grouped.codebook.problems().iter().map(|p| p.id.clone()).collect()
}

/// The subject that most of what belongs to a problem is about.
fn subject(units: &[Unit], grouped: &Grouped, id: &ProblemId) -> Option<usize> {
    let k = grouped.codebook.problems().iter().position(|p| &p.id == id)?;
    let mut subjects = [0; 4];
    for (unit, _) in units.iter().zip(&grouped.placed).filter(|(_, (problem, _))| *problem == Some(k)) {
        subjects[SUBJECTS.iter().position(|s| s.iter().any(|w| unit.quote.contains(w)))?] += 1;
    }
    (0..4).max_by_key(|s| subjects[*s]).filter(|s| subjects[*s] > 0)
}

#[test]
fn ids_stay_when_more_is_said() {
    let all = units(400, 1);
    let first = group(&all[..200], Start::Anew(Previous::none()), None, 7);
    let then = group(&all, Start::Follow(previous(&all[..200], &first)), None, 7);
    let kept = ids(&first).intersection(&ids(&then)).count();
    assert!(kept * 10 >= ids(&first).len() * 9, "{kept} of {} ids are kept", ids(&first).len());
    for id in ids(&first).intersection(&ids(&then)) {
        assert_eq!(subject(&all[..200], &first, id), subject(&all, &then, id), "{id} means what it meant");
        assert_eq!(first.codebook.problem(id), then.codebook.problem(id), "its words stay");
    }
    let again = group(&all, Start::Unchanged(previous(&all, &then)), None, 7);
    assert_eq!((&again.codebook, &again.placed), (&then.codebook, &then.placed));
}

#[test]
fn a_subject_that_comes_up_becomes_a_problem() {
    let all = units(400, 1);
    let known = all.iter().enumerate().filter(|(i, _)| i % 4 != 3).map(|(_, u)| u.clone()).collect::<Vec<_>>();
    let first = group(&known, Start::Anew(Previous::none()), None, 7);
    let then = group(&all, Start::Follow(previous(&known, &first)), None, 7);
    let come = ids(&then).difference(&ids(&first)).cloned().collect::<Vec<_>>();
    assert!(come.iter().any(|id| subject(&all, &then, id) == Some(3)), "{come:?}");
    assert!(ids(&first).is_subset(&ids(&then)), "nothing goes because something comes");
}

#[test]
fn a_problem_that_nobody_speaks_of_is_retired() {
    let all = units(400, 1);
    let first = group(&all, Start::Anew(Previous::none()), None, 7);
    let left = all.iter().enumerate().filter(|(i, _)| i % 4 != 3).map(|(_, u)| u.clone()).collect::<Vec<_>>();
    let then = group(&left, Start::Follow(previous(&all, &first)), None, 7);
    let gone = ids(&first).difference(&ids(&then)).cloned().collect::<Vec<_>>();
    assert!(!gone.is_empty());
    assert!(gone.iter().all(|id| subject(&all, &first, id) == Some(3)), "{gone:?}");
}

#[test]
fn a_problem_that_is_there_twice_becomes_one() {
    let all = units(400, 1);
    let first = group(&all, Start::Anew(Previous::none()), None, 7);
    let mut assigned = assignments(&all, &first, None);
    let mut problems = first.codebook.problems().to_vec();
    problems[0].exclude = vec!["rust and dust".to_owned()];
    let problem = problems[0].clone();
    let twin = Problem { id: ProblemId::new("twin"), include: problem.exclude.clone(), ..problem.clone() };
    for a in assigned.iter_mut().filter(|a| a.problem.as_ref() == Some(&problem.id)).step_by(3) {
        a.problem = Some(twin.id.clone());
    }
    problems.push(twin.clone());
    let list = Codebook::new(BY_MACHINE, problems);
    let then = group(&all, Start::Follow(Previous::new(list, &assigned)), None, 7);
    assert_eq!(then.known, [(twin.id.clone(), problem.id.clone())]);
    assert!(!ids(&then).contains(&twin.id));
    assert_eq!(then.codebook.problem(&problem.id).map(|p| p.exclude.len()), Some(0), "it is told apart no longer");
}

#[test]
fn a_list_made_anew_keeps_the_ids_of_what_comes_together_again() {
    let all = units(400, 1);
    let first = group(&all, Start::Anew(Previous::none()), None, 7);
    let mut assigned = assignments(&all, &first, None);
    let called = |id: &ProblemId| ProblemId::new(format!("old_{id}"));
    for a in &mut assigned {
        a.problem = a.problem.as_ref().map(called);
    }
    let mut problems = first.codebook.problems().to_vec();
    for problem in &mut problems {
        problem.id = called(&problem.id);
    }
    problems.push(Problem { id: ProblemId::new("mine"), by_hand: true, ..problems[0].clone() });
    let list = Codebook::new(BY_MACHINE, problems);
    let then = group(&all, Start::Anew(Previous::new(list, &assigned)), None, 7);
    assert!(ids(&then).contains(&ProblemId::new("mine")), "what a person wrote stays");
    let kept = ids(&first).iter().filter(|id| ids(&then).contains(&called(id))).count();
    assert!(kept * 10 >= ids(&first).len() * 8, "{kept} of {}", ids(&first).len());
}

#[test]
fn a_statement_goes_with_its_quote() {
    let all = units(400, 1);
    let first = group(&all, Start::Anew(Previous::none()), None, 7);
    let problem = first.codebook.problems()[0].clone();
    let left = all.iter().filter(|u| u.quote != problem.statement).cloned().collect::<Vec<_>>();
    let then = group(&left, Start::Follow(previous(&all, &first)), None, 7);
    let now = then.codebook.problem(&problem.id).unwrap();
    assert!(left.iter().any(|u| u.quote == now.statement), "{}", now.statement);
    assert_eq!(now.name, problem.name);

    // What a model put together is nobody's quote, and stays.
    let mut problems = first.codebook.problems().to_vec();
    problems[0].statement = "somebody cannot do something".to_owned();
    problems[0].composed = true;
    let composed = Codebook::new(first.codebook.made_by.as_str(), problems);
    let composed = Previous::new(composed, &assignments(&all, &first, None));
    let then = group(&all, Start::Follow(composed), None, 7);
    assert_eq!(then.codebook.problem(&problem.id).unwrap().statement, "somebody cannot do something");
}

/// A store with the posts of `said` (author, voice, act, words) and the notes of `claimed` (account, words).
async fn store(
    folder: &Path,
    recipes: &Recipes,
    said: &[(String, Voice, Act, String)],
    claimed: &[(String, String)],
) -> Store {
    let store = Store::open(&folder.join("store.sqlite")).await.unwrap();
    let whole = |text: &str| Evidence::cut(text, Span::new(text, 0, text.len()).unwrap(), Fit::Exact).unwrap();
    let mut batch = Batch::default();
    let mut readings = Vec::new();
    for (i, (author, voice, act, words)) in said.iter().enumerate() {
        let id = PostId::new(format!("jsonl:{i}"));
        let thread = ThreadId::new(format!("jsonl:t{}", i / 3));
        batch.threads.push(Thread {
            id: thread.clone(),
            source: Source::Jsonl,
            community: "hobbies".to_owned(),
            title: String::new(),
            url: None,
            started_at: None,
        });
        batch.posts.push(Post {
            id: id.clone(),
            thread,
            parent: None,
            source: Source::Jsonl,
            community: "hobbies".to_owned(),
            author: Some(AuthorKey::pseudonym(&[0; 32], "jsonl", author)),
            written_at: None,
            edited_at: None,
            url: None,
            text: words.clone(),
            flags: PostFlags::default(),
        });
        let acts = vec![(act.clone(), whole(words), 0.9).into()];
        readings
            .push((id, PostReading { voice: *voice, lang: None, acts, texture: Vec::new(), rejected: 0, withheld: 0 }));
    }
    store.write_batch(&batch).await.unwrap();
    store.write_post_readings(&recipes.post, &readings).await.unwrap();
    let mut notes = Vec::new();
    let mut note_readings = Vec::new();
    for (i, (account, words)) in claimed.iter().enumerate() {
        let id = NoteId::new(format!("n{i}"));
        notes.push(Note {
            id: id.clone(),
            account: AccountId::new(account),
            opportunity: None,
            owner: None,
            kind: NoteKind::Call,
            written_at: None,
            happened_at: None,
            modified_at: None,
            stage: None,
            amount: None,
            text: words.clone(),
        });
        let pain = ClaimedPain { evidence: whole(words), elicitation: Elicitation::Prompted, specific: false };
        note_readings.push((
            id,
            NoteReading {
                interest: None,
                compliments: Vec::new(),
                fluff: Vec::new(),
                pains: vec![pain],
                objections: Vec::new(),
                commitments: Vec::new(),
                asked: false,
                looks: Vec::new(),
                rejected: 0,
                withheld: 0,
            },
        ));
    }
    store.write_notes(&notes, &[]).await.unwrap();
    store.write_note_readings(&recipes.note, &note_readings).await.unwrap();
    store
}

#[tokio::test]
async fn the_stage_reads_the_store_and_writes_one_codebook() {
    let folder = tempfile::tempdir().unwrap();
    let recipes = Recipes { post: Recipe::new("post", &["1"]), note: Recipe::new("note", &["1"]) };
    let words = |side: Side| units(160, 8).into_iter().filter(move |u| u.side == side);
    let complaint = Act::Complaint { severity: Severity::Disapproval };
    let mut said =
        words(Side::Community).map(|u| (u.who, Voice::FirstHand, complaint.clone(), u.quote)).collect::<Vec<_>>();
    let own = said.len() as u64;
    for (voice, act) in [
        (Voice::FirstHand, Act::Praise),
        (Voice::VendorOrPromo, Act::Ask { kind: AskKind::Feature }),
        (Voice::SecondHand, complaint.clone()),
    ] {
        said.push(("somebody else".to_owned(), voice, act, "the kettle boils and the spout leaks".to_owned()));
    }
    let claimed = words(Side::Crm).map(|u| (u.who, u.quote)).collect::<Vec<_>>();
    let store = store(folder.path(), &recipes, &said, &claimed).await;
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let wanted = Wanted { seed: 7, ..Wanted::default() };

    let summary = run(&store, &recipes, wanted, &Embedder::Embedded, None, now, Progress::new(true)).await.unwrap();
    let (codebook, version) = store.codebook().await.unwrap().unwrap();
    assert_eq!(version, 1);
    assert_eq!(summary.done, own + 1 + claimed.len() as u64, "the second-hand complaint is sorted too");
    assert_eq!(summary.skipped, 2, "praise and promotion bear no problem of anybody's own");
    assert_eq!(summary.detail["codebook"], codebook.hash());
    assert_eq!(summary.detail["problems"], codebook.problems().len());
    assert_eq!(summary.detail["units"]["crm"], claimed.len());
    let written = store.assignments(codebook.hash()).await.unwrap();
    assert_eq!(written.len() as u64, summary.done);
    let fitting = written.iter().filter(|a| a.side == Side::Crm && a.problem.is_some()).count();
    assert_eq!(summary.detail["assigned"]["crm"], fitting);

    let again = run(&store, &recipes, wanted, &Embedder::Embedded, None, now, Progress::new(true)).await.unwrap();
    assert_eq!(again.detail["lineage"], json!({ "kept": codebook.problems().len() }));
    assert!(summary.detail.iter().all(|(field, value)| field == "lineage" || again.detail[field] == *value));
    assert_eq!(store.codebook().await.unwrap().unwrap(), (codebook.clone(), 1), "nothing new, no new version");

    let path = folder.path().join("codebook.json");
    std::fs::write(&path, codebook::to_json(&frozen()).unwrap()).unwrap();
    let by_hand = run(
        &store,
        &recipes,
        Wanted { codebook: Some(&path), ..wanted },
        &Embedder::Embedded,
        None,
        now,
        Progress::new(true),
    )
    .await
    .unwrap();
    assert_eq!(by_hand.detail["codebook"], frozen().hash());
    assert_eq!(store.codebook().await.unwrap().unwrap().1, 2);
    assert_eq!(written, store.assignments(codebook.hash()).await.unwrap(), "the older codebook keeps its assignments");

    // A model takes the list over, and says of some words that they are no problem at all.
    let model = Model::scripted(|q| match q.prompt {
        "assign_problem" if q.user.contains("the kettle boils") => json!({ "problem": "none" }),
        "assign_problem" => json!({ "problem": "other" }),
        _ => json!({ "name": "", "actor": "", "situation": "", "obstacle": "", "consequence": "" }),
    });
    let sorter = Sorter::new(Arc::new(model), Names::default(), [7; 32], true);
    let asked =
        run(&store, &recipes, wanted, &Embedder::Embedded, Some(&sorter), now, Progress::new(true)).await.unwrap();
    let (named, _) = store.codebook().await.unwrap().unwrap();
    let nones = store.assignments(named.hash()).await.unwrap();
    let nones = nones.iter().filter(|a| a.problem == Some(ProblemId::none())).count();
    assert!(nones > 0, "{asked:?}");
    assert_eq!(asked.detail["by_model"]["none"], nones);
    assert_eq!(asked.detail["other"]["community"], 1.0);
    let left = store.community_rows(&recipes.post, named.hash()).await.unwrap().len()
        + store.pains(&recipes.note, named.hash()).await.unwrap().len();
    let all = store.community_rows(&recipes.post, "").await.unwrap().len() + claimed.len();
    assert_eq!(all - left, nones, "what is no problem counts nowhere");
}

#[tokio::test]
async fn a_dry_run_shows_what_would_be_asked_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let recipes = Recipes { post: Recipe::new("post", &["1"]), note: Recipe::new("note", &["1"]) };
    let store = grouped(folder.path(), &recipes).await;
    let (codebook, _) = store.codebook().await.unwrap().unwrap();
    let settings = LlmSettings::new("http://127.0.0.1:9/v1", "m");
    let model = Arc::new(Model::new(&settings, None, Clock::System).await.unwrap());
    let sorter = |assigns| Sorter::new(Arc::clone(&model), Names::default(), [7; 32], assigns);
    let dry = async |assigns| {
        let mut shown = Vec::new();
        let mut show = |body: Value| {
            shown.push(body["response_format"]["json_schema"]["name"].as_str().unwrap().to_owned());
            Ok(())
        };
        let (wanted, sorter) = (Wanted { anew: true, ..Wanted::default() }, sorter(assigns));
        let estimate =
            estimate(&store, &recipes, wanted, &Embedder::Embedded, &sorter, &mut show, Progress::new(true)).await;
        assert_eq!(estimate.unwrap().questions, shown.len() as u64);
        let of = |prompt| shown.iter().filter(|name| *name == prompt).count();
        [of("name_problem"), of("assign_problem")]
    };
    let [named, assigned] = dry(true).await;
    assert_eq!(assigned, 2 * units(400, 8).len(), "each unit with the list in two orders");
    assert_eq!(dry(false).await, [named, 0]);
    assert_eq!(store.codebook().await.unwrap().unwrap(), (codebook, 1));
}

/// A store with a list found by machine.
async fn grouped(folder: &Path, recipes: &Recipes) -> Store {
    let complaint = Act::Complaint { severity: Severity::Disapproval };
    let said =
        units(400, 8).into_iter().map(|u| (u.who, Voice::FirstHand, complaint.clone(), u.quote)).collect::<Vec<_>>();
    let store = store(folder, recipes, &said, &[]).await;
    run(&store, recipes, Wanted::default(), &Embedder::Embedded, None, Timestamp::UNIX_EPOCH, Progress::new(true))
        .await
        .unwrap();
    store
}

#[tokio::test]
async fn a_person_edits_the_list() {
    use edit::Edit;
    let folder = tempfile::tempdir().unwrap();
    let recipes = Recipes { post: Recipe::new("post", &["1"]), note: Recipe::new("note", &["1"]) };
    let store = grouped(folder.path(), &recipes).await;
    let now = Timestamp::UNIX_EPOCH;
    let edit = |edit| edit::edit(&store, &recipes, edit, 0, now);
    let (before, _) = store.codebook().await.unwrap().unwrap();
    let id = |k: usize| before.problems()[k].id.as_str().to_owned();
    let counted = |codebook: &Codebook| {
        let hash = codebook.hash().to_owned();
        let store = store.clone();
        async move {
            let assigned = store.assignments(&hash).await.unwrap();
            move |id: &str| assigned.iter().filter(|a| a.problem.as_ref().is_some_and(|p| p.as_str() == id)).count()
        }
    };
    let told = |changes: &[crate::model::Change]| lineage::counts(changes);
    let rest = before.problems().len();

    let renamed = edit(Edit::Rename { id: id(0), name: "Kettle spits".to_owned() }).await.unwrap();
    assert_eq!(told(&renamed.changes), json!({ "kept": rest - 1, "renamed": 1 }));
    assert!(!renamed.to_sort && renamed.codebook.made_by == "edited");
    let had = counted(&renamed.codebook).await;

    let merged = edit(Edit::Merge { id: id(1), into: id(0) }).await.unwrap();
    assert_eq!(told(&merged.changes), json!({ "kept": rest - 2, "edited": 1, "merged": 1 }));
    let both = merged.codebook.problem(&ProblemId::new(id(0))).unwrap();
    let gone = &before.problems()[1];
    assert!(merged.to_sort && gone.terms.iter().all(|t| both.terms.contains(t)), "its words are taken up");
    assert!(both.include.contains(&gone.name) && gone.include.iter().all(|line| both.include.contains(line)));
    assert!(!both.include.contains(&gone.statement), "one person's case says not what counts");
    let has = counted(&merged.codebook).await;
    assert_eq!(has(&id(0)), had(&id(0)) + had(&id(1)));

    let words = merged.codebook.problem(&ProblemId::new(id(0))).unwrap().terms[0].clone();
    let split = edit(Edit::Split { id: id(0), terms: vec![words.clone()] }).await.unwrap();
    assert_eq!(told(&split.changes), json!({ "kept": rest - 1, "split": 1 }));
    let part = split.changes.iter().find(|c| c.kind == crate::model::ChangeKind::Split).unwrap().to.clone().unwrap();
    let now_has = counted(&split.codebook).await;
    assert_eq!(now_has(&id(0)) + now_has(part.as_str()), has(&id(0)));
    assert!(split.codebook.problem(&part).unwrap().name.contains(&words));

    let mut mine = before.problems()[0].clone();
    mine.id = ProblemId::new("mine");
    let added = edit(Edit::Add(mine)).await.unwrap();
    assert_eq!(told(&added.changes), json!({ "kept": rest, "new": 1 }));
    let removed = edit(Edit::Remove { id: "mine".to_owned() }).await.unwrap();
    assert_eq!(told(&removed.changes), json!({ "kept": rest, "retired": 1 }));
    assert_eq!(removed.codebook.hash(), split.codebook.hash(), "the same list is the same version");

    // A rewritten file: what was left alone is as before, the rest is a person's.
    let file = codebook::to_json(&removed.codebook).unwrap().replace("Kettle spits", "Kettle leaks");
    let rewritten = edit(Edit::Rewrite(codebook::parse(&file).unwrap().problems().to_vec())).await.unwrap();
    assert_eq!(told(&rewritten.changes), json!({ "kept": rest - 1, "renamed": 1 }));
    let by_hand = rewritten.codebook.problems().iter().filter(|p| p.by_hand).count();
    assert_eq!(by_hand, 2, "the renamed one and the one split off by terms");

    // Over all versions.
    let versions = store.codebook_versions().await.unwrap();
    let same = versions.iter().filter(|v| v.hash == split.codebook.hash()).count();
    assert_eq!(same, 2, "a list that is there again is a version anew, and the earlier one stays");
    let first = versions.iter().find(|v| v.hash == before.hash()).unwrap();
    let all = lineage::between(&store, first, versions.last().unwrap()).await.unwrap();
    assert_eq!(told(&all), json!({ "kept": rest - 2, "edited": 1, "split": 1, "merged": 1 }));

    // And the next run follows what a person wrote.
    let summary =
        run(&store, &recipes, Wanted::default(), &Embedder::Embedded, None, now, Progress::new(true)).await.unwrap();
    assert_eq!(summary.detail["made_by"], "edited");
    let (after, _) = store.codebook().await.unwrap().unwrap();
    assert_eq!(after.problem(&ProblemId::new(id(0))).unwrap().name, "Kettle leaks");
}

#[tokio::test]
async fn an_edit_that_cannot_be_made_says_why() {
    use edit::Edit;
    let folder = tempfile::tempdir().unwrap();
    let recipes = Recipes { post: Recipe::new("post", &["1"]), note: Recipe::new("note", &["1"]) };
    let store = grouped(folder.path(), &recipes).await;
    let now = Timestamp::UNIX_EPOCH;
    let (before, _) = store.codebook().await.unwrap().unwrap();
    let first = before.problems()[0].clone();
    let id = first.id.as_str().to_owned();
    for (edit, expected) in [
        (Edit::Remove { id: format!("{}x", &id[..9]) }, format!("did you mean {id:?}")),
        (Edit::Merge { id: id.clone(), into: id.clone() }, "into itself".to_owned()),
        (Edit::Rename { id: id.clone(), name: "  ".to_owned() }, "the name is empty".to_owned()),
        (Edit::Rename { id: id.clone(), name: first.name.clone() }, "nothing would change".to_owned()),
        (Edit::Add(first.clone()), "describe it, or choose another id".to_owned()),
        (
            Edit::Rename { id: id.clone(), name: before.problems()[1].name.to_uppercase() },
            format!("{:?} already; choose another name", before.problems()[1].name),
        ),
        (Edit::Add(Problem { id: ProblemId::new("more"), ..first.clone() }), "already; choose another name".to_owned()),
        (Edit::Add(Problem { id: ProblemId::new("No Way"), ..first.clone() }), "a-z".to_owned()),
        (Edit::Split { id: id.clone(), terms: vec!["nowhere".to_owned()] }, "told apart by none of nowhere".to_owned()),
        (Edit::Rewrite(Vec::new()), "at least one".to_owned()),
        (
            Edit::Rewrite((0..41).map(|i| Problem { id: ProblemId::new(format!("p{i}")), ..first.clone() }).collect()),
            "at most 40".to_owned(),
        ),
    ] {
        let error = edit::edit(&store, &recipes, edit, 0, now).await.unwrap_err();
        assert!(format!("{error:#}").contains(&expected), "{error:#} lacks {expected}");
    }
    assert_eq!(store.codebook_versions().await.unwrap().len(), 1, "nothing was written");

    let frozen = Codebook::new("hand", before.problems().to_vec());
    store.write_codebook(&frozen, &[], &Origin::default(), now).await.unwrap();
    let error = edit::edit(&store, &recipes, Edit::Remove { id }, 0, now).await.unwrap_err();
    assert!(error.to_string().contains("codebook thaw"), "{error}");
    let anew = Wanted { anew: true, ..Wanted::default() };
    let error = run(&store, &recipes, anew, &Embedder::Embedded, None, now, Progress::new(true)).await.unwrap_err();
    assert!(error.to_string().contains("codebook thaw"), "{error}");
    let summary =
        run(&store, &recipes, Wanted::default(), &Embedder::Embedded, None, now, Progress::new(true)).await.unwrap();
    assert_eq!((&summary.detail["made_by"], &summary.detail["codebook"]), (&json!("hand"), &json!(before.hash())));
}

#[tokio::test]
async fn an_empty_store_has_nothing_to_group() {
    let folder = tempfile::tempdir().unwrap();
    let recipes = Recipes { post: Recipe::new("post", &["1"]), note: Recipe::new("note", &["1"]) };
    let store = store(folder.path(), &recipes, &[], &[]).await;
    let summary =
        run(&store, &recipes, Wanted::default(), &Embedder::Embedded, None, Timestamp::UNIX_EPOCH, Progress::new(true))
            .await
            .unwrap();
    assert_eq!((summary.done, summary.skipped), (0, 0));
    assert!(summary.detail["other"]["crm"].is_null(), "no units, no share");
}

#[test]
fn the_demo_codebook_is_one_that_can_be_used() {
    let codebook = codebook::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/demo/codebook.json")).unwrap();
    assert_eq!(codebook.problems().len(), 12);
    for problem in codebook.problems() {
        assert!((3..=5).contains(&problem.include.len()), "{}", problem.id);
        assert!((1..=2).contains(&problem.exclude.len()), "{}", problem.id);
        assert!(!problem.terms.is_empty(), "{}", problem.id);
    }
}

#[test]
fn a_model_s_vectors_take_the_place_of_the_words_directions() {
    // Words that say nothing: only the vectors know the subjects.
    let units = (0..120)
        .map(|i| {
            let words = format!("thing{i} happened{i} again{i}");
            Unit { quote: words.clone(), bare: words, ..units(120, 9)[i].clone() }
        })
        .collect::<Vec<_>>();
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let vectors = units.iter().enumerate().map(|(i, unit)| {
        let mut vector = vec![0.3_f32; 12];
        vector[i % 4] = 0.8;
        vector.iter_mut().for_each(|x| *x += random.random::<f32>() * 0.1);
        (unit.quote.as_str(), vector)
    });
    let vectors = Vectors::from_iter(vectors.collect::<Vec<_>>());
    let grouped = group(&units, Start::of(None), Some(vectors), 7);
    let subject_of = |k: usize| (0..120).find(|&i| grouped.placed[i].0 == Some(k)).map(|i| i % 4);
    let right = (0..120).filter(|&i| grouped.placed[i].0.is_some_and(|k| subject_of(k) == Some(i % 4))).count();
    assert!(right >= 115, "{right} of 120 stand with their own kind: {:?}", grouped.placed);
    let by_words = group(&units, Start::of(None), None, 7);
    assert!(by_words.codebook.problems().is_empty(), "without vectors there is nothing in common");
}
