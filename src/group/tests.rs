//! The stage as a whole, on invented units of a few subjects.

use jiff::Timestamp;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::model::{
    AccountId, Act, AskKind, AuthorKey, ClaimedPain, Elicitation, Evidence, Fit, Note, NoteId, NoteKind, NoteReading,
    Post, PostFlags, PostId, PostReading, Recipe, Severity, Source, Span, Thread, ThreadId, Voice,
};
use crate::store::Batch;

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
                conversation: format!("talk {}", i / 3),
                builds: true,
                quote: format!("the {words} number{i}"),
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
    let mut placed = assignments(units, grouped)
        .into_iter()
        .map(|a| (a.unit, a.problem.map(|p| p.as_str().to_owned())))
        .collect::<Vec<_>>();
    placed.sort();
    placed
}

#[test]
fn subjects_become_problems() {
    let units = units(160, 1);
    let grouped = group(&units, None, None, 7);
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
fn the_same_input_gives_the_same_bytes() {
    let units = units(120, 2);
    let [one, two] = [(); 2].map(|()| group(&units, None, None, 7));
    assert_eq!(one.codebook.hash(), two.codebook.hash());
    assert_eq!(one.placed, two.placed);
}

#[test]
fn the_order_of_units_does_not_matter() {
    for codebook in [None, Some(frozen())] {
        let mut units = units(120, 3);
        let before = group(&units, codebook.clone(), None, 7);
        let expected = placed(&units, &before);
        units.shuffle(&mut ChaCha8Rng::seed_from_u64(5));
        let after = group(&units, codebook, None, 7);
        assert_eq!(before.codebook, after.codebook);
        assert_eq!(before.candidates, after.candidates);
        assert_eq!(expected, placed(&units, &after));
    }
}

#[test]
fn copies_do_not_change_the_codebook() {
    let mut units = units(120, 4);
    let before = group(&units, None, None, 7);
    let copies = units.iter().map(|u| Unit { id: format!("{} again", u.id), ..u.clone() }).collect::<Vec<_>>();
    units.extend(copies);
    let after = group(&units, None, None, 7);
    assert_eq!(before.codebook, after.codebook);
    assert_eq!(after.placed[..120], before.placed[..]);
    assert_eq!(after.placed[120..], before.placed[..]);
}

#[test]
fn too_little_to_group_is_no_error() {
    let one = units(1, 5);
    let same = (0..50).map(|i| Unit { id: i.to_string(), who: i.to_string(), ..one[0].clone() }).collect::<Vec<_>>();
    let wordless = (0..50).map(|i| Unit { quote: "…!".to_owned(), ..same[i].clone() }).collect::<Vec<_>>();
    for units in [vec![], one, same, wordless] {
        let found = group(&units, None, None, 7);
        assert!(found.codebook.problems().is_empty());
        assert!(found.placed.iter().all(|(problem, score)| problem.is_none() && *score == 0.0));
        let classified = group(&units, Some(frozen()), None, 7);
        assert_eq!(classified.placed.len(), units.len());
        assert!(classified.candidates.is_empty());
    }
}

#[test]
fn a_frozen_codebook_sorts_what_it_knows_and_reports_what_it_lacks() {
    let units = units(160, 6);
    let grouped = group(&units, Some(frozen()), None, 7);
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
    units[0].quote = "steam and limescale under the switch".to_owned();
    units[4].quote = "steam from the kettle lid".to_owned();
    let grouped = group(&units, Some(frozen()), None, 7);
    let kettle = grouped.codebook.problems().iter().position(|p| p.id.as_str() == "kettle");
    assert_ne!(grouped.placed[0].0, kettle);
    assert_eq!(grouped.placed[4].0, kettle);
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
        readings.push((id, PostReading { voice: *voice, lang: None, acts, texture: Vec::new(), rejected: 0 }));
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
                rejected: 0,
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

    let summary = run(&store, &recipes, None, &Embedder::Embedded, 7, now, Progress::new(true)).await.unwrap();
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

    let again = run(&store, &recipes, None, &Embedder::Embedded, 7, now, Progress::new(true)).await.unwrap();
    assert_eq!(again.detail, summary.detail);
    assert_eq!(store.codebook().await.unwrap().unwrap(), (codebook.clone(), 1), "nothing new, no new version");

    let path = folder.path().join("codebook.json");
    std::fs::write(&path, codebook::to_json(&frozen()).unwrap()).unwrap();
    let by_hand = run(&store, &recipes, Some(&path), &Embedder::Embedded, 7, now, Progress::new(true)).await.unwrap();
    assert_eq!(by_hand.detail["codebook"], frozen().hash());
    assert_eq!(store.codebook().await.unwrap().unwrap().1, 2);
    assert_eq!(written, store.assignments(codebook.hash()).await.unwrap(), "the older codebook keeps its assignments");
}

#[tokio::test]
async fn an_empty_store_has_nothing_to_group() {
    let folder = tempfile::tempdir().unwrap();
    let recipes = Recipes { post: Recipe::new("post", &["1"]), note: Recipe::new("note", &["1"]) };
    let store = store(folder.path(), &recipes, &[], &[]).await;
    let summary =
        run(&store, &recipes, None, &Embedder::Embedded, 7, Timestamp::UNIX_EPOCH, Progress::new(true)).await.unwrap();
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
        .map(|i| Unit { quote: format!("thing{i} happened{i} again{i}"), ..units(120, 9)[i].clone() })
        .collect::<Vec<_>>();
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let vectors = units.iter().enumerate().map(|(i, unit)| {
        let mut vector = vec![0.3_f32; 12];
        vector[i % 4] = 0.8;
        vector.iter_mut().for_each(|x| *x += random.random::<f32>() * 0.1);
        (unit.quote.as_str(), vector)
    });
    let vectors = Vectors::from_iter(vectors.collect::<Vec<_>>());
    let grouped = group(&units, None, Some(vectors), 7);
    let subject_of = |k: usize| (0..120).find(|&i| grouped.placed[i].0 == Some(k)).map(|i| i % 4);
    let right = (0..120).filter(|&i| grouped.placed[i].0.is_some_and(|k| subject_of(k) == Some(i % 4))).count();
    assert!(right >= 115, "{right} of 120 stand with their own kind: {:?}", grouped.placed);
    let by_words = group(&units, None, None, 7);
    assert!(by_words.codebook.problems().is_empty(), "without vectors there is nothing in common");
}
