//! Labelling in the terminal: nothing is shown that could sway, nothing that was answered is lost, and what two people read
//! differently is settled by a third.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{Place, Ran, lines, repo};

/// A small forum and the demo's notes, read and grouped, with no labels.
struct World {
    place: Place,
}

impl World {
    fn new() -> Self {
        let place = Place::new();
        for (name, from) in
            [("posts.jsonl", "communities/vanowners.jsonl"), ("crm.csv", "crm.csv"), ("codebook.json", "codebook.json")]
        {
            place.file(name, fs::read(repo("corpus/demo").join(from)).expect("the corpus"));
        }
        let settings = "collect = [\"posts.jsonl\"]\ncrm = [\"crm.csv\"]\ncodebook = \"codebook.json\"\n\
                        [compare]\nsince = \"2026-02-01\"\nuntil = \"2026-07-31\"\n";
        place.file("candor.toml", settings);
        let ran = place.run(&["run", "--quiet"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        Self { place }
    }

    /// A session with these answers.
    fn label(&self, args: &[&str], answers: &str) -> Ran {
        let args = [&["label"], args].concat();
        let mut command = self.place.command(&args);
        let mut child = command
            .env("USER", "ana")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        child.stdin.take().expect("a pipe").write_all(answers.as_bytes()).expect("write");
        let output = child.wait_with_output().expect("wait");
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    fn posts(&self, args: &[&str], answers: &str) -> String {
        let ran = self.label(&[&["--side", "community"], args].concat(), answers);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.lines().all(|l| l.chars().count() <= 80), "{}", ran.stdout);
        ran.stdout
    }

    fn status(&self) -> Value {
        self.place.json(&["label", "status"])
    }
}

/// What was shown of each item: the heading, the lines of context, the words.
fn shown(screen: &str, question: &str) -> Vec<(String, Vec<String>, String)> {
    let rule = "─".repeat(80);
    let items = screen.split(&rule).skip(1);
    items
        .map(|item| {
            let item = item.split(question).next().expect("a part");
            let mut lines = item.trim_start().lines();
            let heading = lines.next().expect("a heading").to_owned();
            let (words, context) = lines
                .filter(|line| !line.is_empty())
                .partition::<Vec<_>, _>(|line| line.starts_with("  ") && !line.starts_with("  │"));
            (heading, context.into_iter().map(str::to_owned).collect(), squeezed(&words.concat()))
        })
        .collect()
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn labels_are_given_kept_doubled_and_settled() {
    let world = World::new();
    nothing_is_shown_but_the_words(&world);
    a_session_goes_on_where_it_stopped(&world);
    words_that_are_not_in_the_post_are_asked_again(&world);
    notes_are_labelled_too(&world);
    a_second_opinion_is_blind_and_disagreement_is_settled(&world);
    a_filled_in_worksheet_is_imported(&world);
    what_is_not_meant_is_refused(&world);
}

/// Author, place, link, rep and whatever the machine found stay away: the screen holds the words, the thread's title and the
/// post before, and not one character more.
fn nothing_is_shown_but_the_words(world: &World) {
    let screen = world.posts(&[], &"k\n".repeat(500));
    assert!(screen.starts_with("Drew ") && screen.contains("You label as ana."), "{screen}");
    let corpus = lines(&fs::read_to_string(world.place.path().join("posts.jsonl")).expect("posts"));
    let of = |field: &str| corpus.iter().filter_map(|p| p[field].as_str()).map(squeezed).collect::<BTreeSet<_>>();
    let (texts, titles) = (of("text"), of("title"));
    let items = shown(&screen, "Who speaks?");
    assert!(items.len() > 30, "{} items", items.len());
    for (heading, context, words) in &items {
        assert!(texts.contains(words), "more or less than a post was shown: {words}");
        assert!(heading.contains(&format!(" of {}", items.len())), "{heading}");
        for line in context {
            let title = line.strip_prefix("Thread: ").is_some_and(|title| titles.contains(&squeezed(title)));
            assert!(title || line == "Before it:" || line.starts_with("  │ "), "{line}");
        }
    }
    assert!(items.iter().any(|(heading, ..)| heading.contains("of this person")), "no person has two posts");
    assert!(screen.contains(&format!("You labelled 0 items in 1 minute and skipped {}", items.len())), "{screen}");

    let screen = world.label(&["--side", "crm"], &"k\n".repeat(500)).stdout;
    let mut table = csv::Reader::from_path(world.place.path().join("crm.csv")).expect("notes");
    let texts = table.records().map(|r| squeezed(&r.expect("a note")[10])).collect::<BTreeSet<_>>();
    let items = shown(&screen, "How interested");
    assert!(items.len() > 30, "{} items", items.len());
    for (_, context, words) in &items {
        assert!(texts.contains(words), "more or less than a note was shown: {words}");
        assert!(matches!(&context[..], [kind] if kind.starts_with("Kind of record: ")), "{context:?}");
    }
}

fn a_session_goes_on_where_it_stopped(world: &World) {
    let first = world.posts(&[], "u\nu\nq\n");
    assert!(first.contains("You labelled 2 items") && first.contains("Kept: unclear"), "{first}");
    assert_eq!(world.status()["community"]["sample"]["labelled"], 2);
    let third = shown(&first, "Who speaks?").pop().expect("three items");
    assert!(third.0.starts_with("3 of "), "{}", third.0);

    // Back to the second, which is answered anew; then on to the third, which was left open.
    let second = world.posts(&[], "b\ng\nq\n");
    let items = shown(&second, "Who speaks?");
    assert_eq!((&items[0].2, &items[2].2), (&third.2, &third.2));
    assert!(items[1].0.starts_with("2 of ") && second.contains("You said: unclear"), "{second}");
    assert!(second.contains("Kept: generic") && second.contains("You labelled 0 items"), "{second}");
    assert_eq!(world.status()["community"]["labels"]["annotators"]["ana"], 2);
}

fn words_that_are_not_in_the_post_are_asked_again(world: &World) {
    let screen = world.posts(&[], "f\nca\nnobody said any such thing\n\n\n?\n99\n1 o\n");
    assert!(screen.contains("These words are not in the text."), "{screen}");
    assert!(screen.contains("“99” is not on the list") && screen.contains("    Yes: "), "{screen}");
    let kept = screen.split("Kept: ").nth(1).expect("it was kept");
    assert!(kept.starts_with("first hand · complaint “") && kept.contains("; ask “"), "{kept}");
    assert!(squeezed(kept).contains("anotherproblem"), "{kept}");

    let contested = world.posts(&[], "s\n!\n-\n-\n");
    assert!(squeezed(&contested).contains("Kept:secondhand·noact·noproblem·contested"), "{contested}");
    assert_eq!(world.status()["community"]["labels"]["contested"], 1);
}

fn notes_are_labelled_too(world: &World) {
    let ran = world.label(&["--side", "crm", "--json"], "3\n\n\n-\n2\ny\nq\n");
    let summary = lines(&ran.stdout).pop().expect("a summary");
    assert_eq!((&summary["done"], &summary["annotator"]), (&1.into(), &"ana".into()), "{summary}");
    assert!(
        ran.stderr.contains("interest 3 strong · no problem · commitment 2 dated time · we asked"),
        "{}",
        ran.stderr
    );
    assert_eq!(world.status()["crm"]["sample"]["labelled"], 1);
}

fn a_second_opinion_is_blind_and_disagreement_is_settled(world: &World) {
    world.posts(&[], &"u\n".repeat(8));
    let screen = world.posts(&["--annotator", "annotator-b", "--double", "5"], "g\ng\ng\ng\ng\n");
    assert!(shown(&screen, "Who speaks?").iter().all(|(heading, ..)| heading.contains("of 5")), "{screen}");
    assert!(!screen.contains("You said") && !screen.contains("unclear ·"), "{screen}");
    assert!(screen.contains("0 of 5 are left"), "{screen}");
    let again = world.label(&["--side", "community", "--annotator", "annotator-b", "--double", "5"], "");
    assert_eq!(again.code, 4, "{}", again.stdout);

    let status = world.status();
    let labels = &status["community"]["labels"];
    assert_eq!((&labels["double"], &labels["annotators"]["annotator-b"]), (&5.into(), &5.into()));
    let voice = labels["labels"].as_array().expect("labels").iter().find(|l| l["label"] == "voice").expect("voice");
    assert_eq!((&voice["items"], &voice["reading"]), (&5.into(), &"not_enough_evidence".into()), "{voice}");
    assert_eq!((&voice["missing"]["have"], &voice["missing"]["need"]), (&5.into(), &100.into()));

    let before = labels["contested"].as_u64().expect("contested");
    let screen = world.label(&["adjudicate"], "1\nn\nu\nq\n").stdout;
    assert!(!screen.contains("annotator-b") && !screen.contains("You label as"), "{screen}");
    assert!(screen.contains("answer 1") && screen.contains("answer 2") && screen.contains('≠'), "{screen}");
    assert!(screen.contains("You settled 2 of "), "{screen}");
    let labels = world.status()["community"]["labels"].clone();
    assert_eq!((&labels["adjudicated"], &labels["contested"]), (&2.into(), &(before - 2).into()), "{labels}");

    let table = world.place.run(&["label", "status"]).stdout;
    assert!(table.contains("5 of 100 posts labelled by two") && table.contains("annotator-b"), "{table}");
    assert!(table.lines().all(|l| l.chars().count() <= 80), "{table}");
    let caveats = world.place.json(&["compare"])["caveats"].to_string();
    assert!(caveats.contains("are contested: marked so, or read differently"), "{caveats}");
}

fn a_filled_in_worksheet_is_imported(world: &World) {
    let mut sheet = lines(&world.place.run(&["label", "draw"]).stdout);
    for line in &mut sheet {
        line["annotator"] = "cleo".into();
        match line["side"].as_str() {
            Some("community") => line["voice"] = "generic".into(),
            _ => (line["backed"], line["asked"]) = (true.into(), false.into()),
        }
    }
    let crm = sheet.iter().position(|line| line["side"] == "crm").expect("a note");
    sheet[crm]["level"] = 1.into();
    sheet[crm + 1]["fluff"] = serde_json::json!([{ "start": 0, "end": 1_000_000 }]);
    let file = sheet.iter().map(|line| format!("{line}\n")).collect::<String>();
    world.place.file("filled.jsonl", file);
    let ran = world.place.run(&["label", "import", "filled.jsonl", "--json"]);
    let summary = lines(&ran.stdout).pop().expect("a summary");
    assert_eq!((ran.code, &summary["failed"]), (3, &2.into()), "{summary}");
    assert_eq!(summary["done"], sheet.len() - 2);
    for says in ["a kept commitment of level 1 means", "invalid_span: bytes 0 to 1000000 (fluff)"] {
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
}

fn what_is_not_meant_is_refused(world: &World) {
    for (args, because) in [
        (&["--annotator", "adjudicator"][..], "kept for `candor label adjudicate`"),
        (&["--annotator", " "], "has no name"),
        (&["--double", "3", "status"], "without a verb"),
    ] {
        let ran = world.label(args, "");
        assert_eq!(ran.code, 1, "{args:?}: {}", ran.stdout);
        assert!(ran.stderr.contains(because), "{args:?}: {}", ran.stderr);
    }
    let empty = Place::new().run(&["label"]);
    assert_eq!(empty.code, 1);
    assert!(empty.stderr.contains("candor group"), "{}", empty.stderr);
}
