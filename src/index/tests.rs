//! The index over a real store.

use std::collections::BTreeMap;
use std::fs;

use jiff::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::model::{
    Act, ActKind, AskKind, AuthorKey, Evidence, Fit, Post, PostFlags, PostId, PostReading, Recipe, Severity, Source,
    Span, Thread, ThreadId, Voice,
};
use crate::store::Batch;

/// A workspace with a store and an index.
struct Workspace {
    folder: TempDir,
    store: Store,
}

impl Workspace {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("candor.sqlite")).await.unwrap();
        Self { folder, store }
    }

    async fn with(posts: &[Post]) -> Self {
        let workspace = Self::new().await;
        workspace.write(posts).await;
        workspace
    }

    fn index(&self) -> Index {
        Index::open(&self.folder.path().join("index")).unwrap()
    }

    /// Threads are titled by their id, so that a title can be searched for.
    async fn write(&self, posts: &[Post]) {
        let threads = posts.iter().map(|post| thread(post, &format!("about {}", post.thread.as_str()))).collect();
        self.store.write_batch(&Batch { threads, posts: posts.to_vec(), ..Batch::default() }).await.unwrap();
    }

    async fn remove(&self, id: &str) {
        self.store.write_batch(&Batch { removed: vec![PostId::new(id)], ..Batch::default() }).await.unwrap();
    }

    async fn refreshed(&self) -> Index {
        let index = self.index();
        run(&self.store, &index, Progress::new(true)).await.unwrap();
        assert!(!index.is_stale(&self.store).await.unwrap());
        index
    }

    async fn read_as(&self, id: &str, text: &str, acts: Vec<Act>) {
        let evidence = Evidence::cut(text, Span::new(text, 0, text.len()).unwrap(), Fit::Exact).unwrap();
        let acts = acts.into_iter().map(|act| (act, evidence.clone(), 0.9).into()).collect();
        let reading =
            PostReading { voice: Voice::FirstHand, lang: None, acts, texture: vec![], rejected: 0, withheld: 0 };
        let recipe = Recipe::new("test", &[]);
        self.store.write_post_readings(&recipe, &[(PostId::new(id), reading)]).await.unwrap();
    }
}

/// An index of `posts`, with the workspace that keeps its folder.
async fn indexed(posts: &[Post]) -> (Workspace, Index) {
    let workspace = Workspace::with(posts).await;
    let index = workspace.refreshed().await;
    (workspace, index)
}

fn thread(post: &Post, title: &str) -> Thread {
    Thread {
        id: post.thread.clone(),
        source: post.source,
        community: post.community.clone(),
        title: title.to_owned(),
        url: None,
        started_at: None,
    }
}

fn post(id: &str, text: &str) -> Post {
    Post {
        id: PostId::new(id),
        thread: ThreadId::new("jsonl:t1"),
        parent: None,
        source: Source::Jsonl,
        community: "r/Boilers".to_owned(),
        author: Some(AuthorKey::pseudonym(&[7; 32], "jsonl", id)),
        written_at: Some("2026-03-10T12:00:00Z".parse().unwrap()),
        edited_at: None,
        url: Some(format!("https://forum.example/{id}")),
        text: text.to_owned(),
        flags: PostFlags::default(),
    }
}

fn asked(text: &str) -> Query {
    Query { text: text.to_owned(), ..Query::default() }
}

fn found(index: &Index, query: &Query) -> Vec<String> {
    let mut ids: Vec<String> = index.search(query).unwrap().hits.into_iter().map(|hit| hit.post).collect();
    ids.sort();
    ids
}

fn marks(hit: &Hit) -> Vec<&str> {
    hit.snippet.iter().filter(|segment| segment.mark).map(|segment| segment.text.as_str()).collect()
}

#[tokio::test]
async fn the_language_finds_what_it_says() {
    let (_workspace, index) = indexed(&[
        post("1", "No luck with the pump. It wouldn't start."),
        post("2", "Luck has no part in it; the pumps were crashing all week"),
        post("3", "My workaround: restart the café's router, c'est la vie"),
        post("4", "登录失败 again, crashed twice"),
    ])
    .await;
    for (query, ids) in [
        ("no luck", vec!["1", "2"]),
        ("\"no luck\"", vec!["1"]),
        ("“no luck”", vec!["1"]),
        ("\"luck no\"", vec![]),
        ("\"luck no\"~2", vec!["1", "2"]),
        ("\"no luck\" OR workaround", vec!["1", "3"]),
        ("pump", vec!["1", "2"]),
        ("\"pump were crash\"", vec!["2"]),
        ("pump -crash", vec!["1"]),
        ("pump NOT crash", vec!["1"]),
        ("pump AND (NOT crash)", vec!["1"]),
        ("-pump", vec!["3", "4"]),
        ("+pump +luck -crash", vec!["1"]),
        ("crash OR router pumps", vec!["2"]),
        ("pump crash OR router", vec!["2"]),
        ("pump AND start OR router", vec!["1", "3"]),
        ("wouldn't", vec!["1"]),
        ("wouldnt start", vec!["1"]),
        ("wouldn’t", vec!["1"]),
        ("CAFE", vec!["3"]),
        ("失败", vec!["4"]),
        ("败失", vec![]),
        ("\"crashed twi\"*", vec!["4"]),
        ("pump & luck", vec!["1", "2"]),
        ("*", vec!["1", "2", "3", "4"]),
        ("text:luck", vec!["1", "2"]),
        ("title:luck", vec![]),
        ("title:t1", vec!["1", "2", "3", "4"]),
        ("id:3", vec!["3"]),
        ("id: IN [1 4]", vec!["1", "4"]),
        ("community:R/boilers luck", vec!["1", "2"]),
        ("community:elsewhere luck", vec![]),
        ("act:complaint", vec![]),
        ("source:jsonl crash^2", vec!["2", "4"]),
    ] {
        assert_eq!(found(&index, &asked(query)), ids, "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_searched_is_an_error_that_helps() {
    let (_workspace, index) = indexed(&[post("1", "something")]).await;
    let too_long = "word ".repeat(2_000);
    let too_deep = format!("{}a{}", "(".repeat(400), ")".repeat(400));
    let not_not = format!("{}a", "NOT ".repeat(400));
    for (query, says) in [
        ("", "nothing to search for"),
        (" \n ", "nothing to search for"),
        ("\"", "a quote is opened and never closed"),
        ("no \"luck", "quote them: \"no luck\""),
        ("AND", "AND, OR and NOT need words"),
        ("a AND", "quote them: \"a AND\""),
        ("NOT", "NOT"),
        ("OR OR", "could not understand"),
        ("a:b:c", "a colon stands between"),
        ("error: disk full", "no such field"),
        ("https://forum.example/x", "no such field"),
        ("(a OR b", "parenthesis"),
        ("a)", "could not understand"),
        ("!!!", "no word in it"),
        ("🙂", "no word in it"),
        ("work*", "* stands alone"),
        ("\"work\"*", "phrase of two or more"),
        ("/dev/", "could not understand"),
        ("written_at:[1 TO 2]", "no such field"),
        ("text:[a TO b]", "ranges"),
        ("act:grumble", "failed_workaround"),
        ("source:usenet", "discourse"),
        ("community:*", "* stands alone"),
        ("\"a b\"~4000000000", "100 apart"),
        ("a^99999999999", "weight"),
        (&too_long, "10000 bytes"),
        (&too_deep, "nests"),
        (&not_not, "nests"),
    ] {
        let error = index.search(&asked(query)).expect_err(query);
        assert!(error.downcast_ref::<QueryError>().is_some(), "{query}: {error:#}");
        assert!(error.to_string().contains(says), "{query}: {error}");
    }
}

#[tokio::test]
async fn a_syntax_error_points_at_the_place() {
    let (_workspace, index) = indexed(&[post("1", "something")]).await;
    let shown = |query: &str| index.search(&asked(query)).unwrap_err().to_string();
    for (query, place) in [("can't say \"why", 10), ("é a:b:c", 4), ("good nonsense:bad", 5)] {
        let message = shown(query);
        let lines: Vec<&str> = message.lines().collect();
        assert_eq!(lines[1].trim_start(), query, "{message}");
        assert_eq!(lines[2].find('^'), Some(4 + place), "{message}");
    }
    assert!(!shown("\u{1b}[31m\"").contains('\u{1b}'));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn any_query_is_answered_or_refused(
        query in "\\PC{0,40}|([a-c\"'():*^~+\\-\\\\\\[\\]{}<>=/ é]|AND |OR |NOT |IN |text:|act:|id:){0,24}"
    ) {
        static INDEX: std::sync::OnceLock<(TempDir, Index)> = std::sync::OnceLock::new();
        let (_, index) = INDEX.get_or_init(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let workspace = Workspace::with(&[post("1", "a b c"), post("2", "c b é")]).await;
                let index = workspace.refreshed().await;
                (workspace.folder, index)
            })
        });
        match index.search(&Query { facets: true, ..asked(&query) }) {
            Ok(hits) => {
                prop_assert!(hits.hits.len() == hits.total && hits.hits.iter().all(|hit| hit.score.is_finite()));
                render(&hits, 80, true);
            }
            Err(error) => prop_assert!(error.downcast_ref::<QueryError>().is_some(), "{error:#}"),
        }
    }
}

#[tokio::test]
async fn filters_narrow_and_do_not_score() {
    let day = |text: &str| -> Option<Timestamp> { Some(format!("{text}Z").parse().unwrap()) };
    let workspace = Workspace::with(&[
        Post { written_at: day("2026-01-31T23:59:59"), ..post("1", "boiler trouble") },
        Post {
            written_at: day("2026-02-01T00:00:00"),
            thread: ThreadId::new("jsonl:t2"),
            ..post("2", "boiler trouble")
        },
        Post { written_at: day("2026-02-28T23:59:59"), community: "Forum".to_owned(), ..post("3", "boiler trouble") },
        Post { written_at: None, source: Source::Reddit, ..post("4", "boiler trouble") },
        Post { written_at: day("-009999-01-03T00:00:00"), ..post("5", "boiler trouble") },
    ])
    .await;
    workspace.read_as("2", "boiler trouble", vec![Act::Complaint { severity: Severity::Blame }, Act::Praise]).await;
    workspace.read_as("3", "boiler trouble", vec![Act::Ask { kind: AskKind::How }]).await;
    let index = workspace.refreshed().await;
    let date = |text: &str| Some(text.parse().unwrap());
    for (name, query, ids) in [
        ("none", Query::default(), vec!["1", "2", "3", "4", "5"]),
        ("since", Query { since: date("2026-02-01"), ..Query::default() }, vec!["2", "3"]),
        ("until", Query { until: date("2026-01-31"), ..Query::default() }, vec!["1", "5"]),
        ("never", Query { since: date("9999-12-31"), ..Query::default() }, vec![]),
        ("both", Query { since: date("2026-02-01"), until: date("2026-02-01"), ..Query::default() }, vec!["2"]),
        (
            "ever",
            Query { since: date("-009999-01-01"), until: date("9999-12-31"), ..Query::default() },
            vec!["1", "2", "3", "5"],
        ),
        ("community", Query { community: vec!["forum".into()], ..Query::default() }, vec!["3"]),
        (
            "communities",
            Query { community: vec!["FORUM".into(), "r/boilers".into()], ..Query::default() },
            vec!["1", "2", "3", "4", "5"],
        ),
        ("act", Query { act: vec![ActKind::Praise], ..Query::default() }, vec!["2"]),
        ("acts", Query { act: vec![ActKind::Ask, ActKind::Complaint], ..Query::default() }, vec!["2", "3"]),
        ("thread", Query { thread: Some("jsonl:t2".into()), ..Query::default() }, vec!["2"]),
        ("source", Query { source: Some(Source::Reddit), ..Query::default() }, vec!["4"]),
    ] {
        let query = Query { text: "boiler".into(), ..query };
        assert_eq!(found(&index, &query), ids, "{name}");
    }
    let all = index.search(&asked("boiler")).unwrap();
    let filtered = index.search(&Query { act: vec![ActKind::Ask], ..asked("boiler") }).unwrap();
    let score = all.hits.iter().find(|hit| hit.post == "3").unwrap().score;
    assert_eq!(filtered.hits[0].score, score);
}

#[tokio::test]
async fn facets_count_every_match() {
    let workspace = Workspace::with(&[
        post("1", "boiler"),
        Post { community: "Forum".to_owned(), ..post("2", "boiler") },
        Post { written_at: Some("2026-01-01T00:00:00Z".parse().unwrap()), ..post("3", "boiler") },
        Post { written_at: None, ..post("4", "pump") },
    ])
    .await;
    workspace.read_as("2", "boiler", vec![Act::Praise, Act::Ask { kind: AskKind::Price }]).await;
    let index = workspace.refreshed().await;
    let hits = index.search(&Query { limit: 1, facets: true, ..asked("boiler") }).unwrap();
    assert_eq!((hits.total, hits.hits.len()), (3, 1));
    let pairs = |counts: &[FacetCount]| counts.iter().map(|c| format!("{} {}", c.value, c.count)).collect::<Vec<_>>();
    let facets = hits.facets.unwrap();
    assert_eq!(pairs(&facets.community), ["r/Boilers 2", "Forum 1"]);
    assert_eq!(pairs(&facets.act), ["ask 1", "praise 1"]);
    assert_eq!(pairs(&facets.month), ["2026-01 1", "2026-03 2"]);
}

#[tokio::test]
async fn the_words_that_match_are_marked_and_no_others() {
    let (_workspace, index) = indexed(&[post(
        "1",
        "No idea why. I had no\nluck: the Crashes, crashing <b>again</b>, don't stop. t1 is another word",
    )])
    .await;
    for (query, marked) in [
        ("\"no luck\"", vec!["no", "luck"]),
        ("no luck", vec!["No", "no", "luck"]),
        ("crash", vec!["Crashes", "crashing"]),
        ("dont", vec!["don't"]),
        ("luck -missing", vec!["luck"]),
        ("luck OR missing", vec!["luck"]),
        ("b again", vec!["b", "again", "b"]),
        ("\"no lu\"*", vec!["no", "luck"]),
        ("title:t1", vec![]),
        ("*", vec![]),
    ] {
        let hits = index.search(&asked(query)).unwrap();
        assert_eq!(marks(&hits.hits[0]), marked, "{query}");
        let whole: String = hits.hits[0].snippet.iter().map(|segment| segment.text.as_str()).collect();
        assert!(whole.contains("<b>again</b>"), "the snippet is the post's own text: {whole}");
    }
}

#[tokio::test]
async fn a_match_far_into_a_long_post_is_shown() {
    let filler = "nothing of note here ".repeat(10_000);
    let text = format!("{filler}then the needle came {filler}");
    let (_workspace, index) = indexed(&[post("1", &text), post("2", &"needlé".repeat(20_000))]).await;
    let hits = index.search(&asked("needle")).unwrap();
    let hit = &hits.hits[0];
    assert_eq!((marks(hit), hit.cut), (vec!["needle"], [true, true]));
    let shown: usize = hit.snippet.iter().map(|segment| segment.text.len()).sum();
    assert!(shown <= 240, "{shown} bytes");
}

#[tokio::test]
async fn the_answer_has_the_published_shape() {
    let (_workspace, index) =
        indexed(&[Post { url: None, written_at: None, ..post("jsonl:7", "a leaky boiler") }]).await;
    let mut json = serde_json::to_value(index.search(&asked("boiler")).unwrap()).unwrap();
    assert!(json["hits"][0]["score"].take().as_f64().unwrap() > 0.0);
    assert_eq!(
        json.to_string(),
        r#"{"v":1,"total":1,"hits":[{"post":"jsonl:7","thread":"jsonl:t1","community":"r/Boilers","written_at":null,"url":null,"score":null,"snippet":[{"text":"a leaky ","mark":false},{"text":"boiler","mark":true}]}]}"#
    );
}

#[tokio::test]
async fn equal_scores_are_ordered_by_id_through_all_pages() {
    let workspace = Workspace::new().await;
    let ids = ["c", "a", "e", "b", "d"];
    for id in ids {
        // Each in a segment of its own, so that the order does not come from the segment.
        workspace.write(&[post(id, "same words")]).await;
        workspace.refreshed().await;
    }
    let index = workspace.index();
    for (offset, limit, expected) in [
        (0, 10, vec!["a", "b", "c", "d", "e"]),
        (1, 2, vec!["b", "c"]),
        (4, 9, vec!["e"]),
        (9, 9, vec![]),
        (0, 0, vec![]),
    ] {
        let hits = index.search(&Query { offset, limit, ..asked("same") }).unwrap();
        assert_eq!(hits.total, 5);
        assert_eq!(hits.hits.iter().map(|hit| hit.post.as_str()).collect::<Vec<_>>(), expected, "{offset} {limit}");
    }
    let all = index.search(&Query { offset: 0, limit: usize::MAX, ..asked("same") }).unwrap();
    assert_eq!(all.hits.len(), 5);
}

#[tokio::test]
async fn a_run_follows_what_is_new_changed_and_deleted() {
    let workspace = Workspace::with(&[post("1", "first"), post("2", "second"), post("3", "third")]).await;
    let index = workspace.index();
    let progress = Progress::new(true);
    assert!(index.is_stale(&workspace.store).await.unwrap());
    let summary = run(&workspace.store, &index, progress).await.unwrap();
    assert_eq!((summary.done, summary.skipped), (3, 0));
    let summary = run(&workspace.store, &index, progress).await.unwrap();
    assert_eq!((summary.done, summary.skipped), (0, 3));

    workspace.write(&[post("2", "changed"), post("4", "fourth")]).await;
    workspace.remove("3").await;
    workspace.read_as("1", "first", vec![Act::Praise]).await;
    let summary = run(&workspace.store, &index, progress).await.unwrap();
    assert_eq!((summary.done, summary.skipped), (4, 0));
    assert_eq!(summary.detail["removed"], 1);
    assert_eq!(found(&index, &asked("*")), ["1", "2", "4"]);
    assert_eq!(found(&index, &asked("second OR third")), [""; 0]);
    assert_eq!(found(&index, &asked("act:praise")), ["1"]);
    assert_eq!(found(&index, &asked("changed OR fourth")), ["2", "4"]);
}

#[tokio::test]
async fn a_title_learnt_later_is_found() {
    let workspace = Workspace::with(&[post("1", "an answer")]).await;
    workspace.refreshed().await;
    let titled = thread(&post("1", ""), "flue regulations");
    workspace.store.write_batch(&Batch { threads: vec![titled], ..Batch::default() }).await.unwrap();
    assert_eq!(found(&workspace.refreshed().await, &asked("flue")), ["1"]);
}

#[tokio::test]
async fn work_that_was_not_committed_is_done_again() {
    let workspace = Workspace::with(&[post("1", "first"), post("2", "second")]).await;
    workspace.refreshed().await;
    workspace.write(&[post("1", "changed"), post("3", "third")]).await;
    {
        let index = workspace.index();
        let writer = index.writer().unwrap();
        let page = workspace.store.index_changes(index.position().unwrap(), PAGE).await.unwrap();
        assert_eq!(page.len(), 2);
        index.put(&writer, &page, &mut Followed::default()).unwrap();
    }
    let index = workspace.refreshed().await;
    assert_eq!(found(&index, &asked("first")), [""; 0]);
    assert_eq!(found(&index, &asked("changed OR second OR third")), ["1", "2", "3"]);
}

#[tokio::test]
async fn deleted_words_leave_the_disk() {
    let workspace = Workspace::with(&[post("1", "the zanzibarquux leaks"), post("2", "another")]).await;
    let on_disk = |workspace: &Workspace| {
        fs::read_dir(workspace.folder.path().join("index"))
            .unwrap()
            .any(|entry| fs::read(entry.unwrap().path()).unwrap().windows(11).any(|bytes| bytes == b"zanzibarquu"))
    };
    workspace.refreshed().await;
    assert!(on_disk(&workspace));
    workspace.remove("1").await;
    workspace.refreshed().await;
    assert!(!on_disk(&workspace));
}

#[tokio::test]
async fn an_index_that_cannot_be_trusted_is_made_anew() {
    let workspace = Workspace::with(&[post("1", "first"), post("2", "second")]).await;
    let path = workspace.folder.path().join("index");
    let segment = |ending: &str| {
        let mut files = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
        files.find(|file| file.extension().is_some_and(|e| e == ending)).unwrap()
    };
    type Harm<'a> = (&'a str, Box<dyn Fn() + 'a>);
    let harms: [Harm; 5] = [
        ("garbled list", Box::new(|| fs::write(path.join(META), "{").unwrap())),
        ("no list", Box::new(|| fs::remove_file(path.join(META)).unwrap())),
        ("cut file", Box::new(|| fs::write(segment("store"), "cut off in the middle").unwrap())),
        ("lost file", Box::new(|| fs::remove_file(segment("idx")).unwrap())),
        (
            "changed byte",
            Box::new(|| {
                let file = segment("term");
                let mut bytes = fs::read(&file).unwrap();
                bytes[3] ^= 0x40;
                fs::write(&file, bytes).unwrap();
            }),
        ),
    ];
    for (name, harm) in harms {
        workspace.refreshed().await;
        harm();
        let index = workspace.index();
        let summary = run(&workspace.store, &index, Progress::new(true)).await.unwrap();
        assert!(summary.detail.contains_key("rebuilt"), "{name}");
        assert_eq!(found(&index, &asked("*")), ["1", "2"], "{name}");
        let summary = run(&workspace.store, &index, Progress::new(true)).await.unwrap();
        assert!(!summary.detail.contains_key("rebuilt"), "{name}");
    }
}

#[tokio::test]
async fn an_index_of_another_shape_or_store_is_made_anew() {
    let workspace = Workspace::with(&[post("1", "first"), post("2", "second")]).await;
    let path = workspace.folder.path().join("index");
    let mut builder = tantivy::schema::Schema::builder();
    builder.add_text_field("body", tantivy::schema::TEXT);
    fs::create_dir_all(&path).unwrap();
    tantivy::Index::create_in_dir(&path, builder.build()).unwrap();
    assert_eq!(found(&workspace.refreshed().await, &asked("*")), ["1", "2"]);

    let fewer = Workspace::with(&[post("5", "ninth")]).await;
    let more = Workspace::with(&[post("7", "a"), post("8", "b"), post("7", "c"), post("9", "d")]).await;
    for (other, ids) in [(fewer, vec!["5"]), (more, vec!["7", "8", "9"])] {
        let index = workspace.index();
        let summary = run(&other.store, &index, Progress::new(true)).await.unwrap();
        assert!(summary.detail.contains_key("rebuilt"), "{ids:?}");
        assert_eq!(found(&index, &asked("*")), ids);
    }
}

#[tokio::test]
async fn a_folder_with_other_things_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("thesis.txt");
    fs::write(&file, "years of work").unwrap();
    let error = Index::open(folder.path()).err().unwrap();
    assert!(error.to_string().contains("no search index"), "{error:#}");
    assert_eq!(fs::read_to_string(file).unwrap(), "years of work");
}

#[tokio::test]
async fn two_writers_do_not_mix() {
    let workspace = Workspace::with(&[post("1", "first")]).await;
    let index = workspace.index();
    let _writer = index.writer().unwrap();
    let error = run(&workspace.store, &index, Progress::new(true)).await.unwrap_err();
    assert!(error.to_string().contains("another candor"), "{error:#}");
}

#[derive(Debug, Clone)]
enum Step {
    Write(u8, u8),
    Remove(u8),
    Read(u8),
    Run,
    Killed,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..8u8, 0..6u8).prop_map(|(id, text)| Step::Write(id, text)),
        1 => (0..8u8).prop_map(Step::Remove),
        1 => (0..8u8).prop_map(Step::Read),
        1 => Just(Step::Run),
        1 => Just(Step::Killed),
    ];
    proptest::collection::vec(step, 1..20)
}

const TEXTS: [&str; 6] =
    ["pump", "pump pump leak", "leak", "a long one about the pump and nothing else", "no luck", "luck no"];

/// Plays `steps`; the model keeps the text and acts that each post should have.
async fn play(steps: &[Step]) -> (Workspace, BTreeMap<String, &'static str>) {
    let workspace = Workspace::new().await;
    let mut model = BTreeMap::new();
    let mut removed = Vec::new();
    for step in steps {
        match step {
            Step::Write(id, text) => {
                let id = id.to_string();
                let text = TEXTS[usize::from(*text)];
                workspace.write(&[post(&id, text)]).await;
                if !removed.contains(&id) {
                    model.insert(id, text);
                }
            }
            Step::Remove(id) => {
                workspace.remove(&id.to_string()).await;
                model.remove(&id.to_string());
                removed.push(id.to_string());
            }
            Step::Read(id) => {
                if let Some(text) = model.get(&id.to_string()) {
                    workspace.read_as(&id.to_string(), text, vec![Act::Praise]).await;
                }
            }
            Step::Run => {
                workspace.refreshed().await;
            }
            Step::Killed => {
                let index = workspace.index();
                let writer = index.writer().unwrap();
                let page = workspace.store.index_changes(index.position().unwrap(), PAGE).await.unwrap();
                index.put(&writer, &page, &mut Followed::default()).unwrap();
            }
        }
    }
    (workspace, model)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, ..ProptestConfig::default() })]
    #[test]
    fn however_it_came_to_be_the_index_answers_the_same(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (workspace, model) = play(&steps).await;
            let grown = workspace.refreshed().await;
            let elsewhere = tempfile::tempdir().unwrap();
            let fresh = Index::open(elsewhere.path()).unwrap();
            run(&workspace.store, &fresh, Progress::new(true)).await.unwrap();
            for text in ["*", "pump", "pump leak", "pump OR luck", "\"no luck\"", "act:praise", "t1"] {
                let query = Query { facets: true, ..asked(text) };
                let [one, other] = [&grown, &fresh].map(|i| serde_json::to_string(&i.search(&query).unwrap()).unwrap());
                prop_assert_eq!(one, other, "{}", text);
            }
            prop_assert_eq!(found(&grown, &asked("*")), model.keys().cloned().collect::<Vec<_>>());
            Ok(())
        })?;
    }
}
