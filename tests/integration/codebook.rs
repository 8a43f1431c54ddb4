//! The list of problems is a person's: looked at, edited, frozen, and every change of it told.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::harness::{Place, Ran, lines};

struct Demo {
    place: Place,
}

impl Demo {
    fn new() -> Self {
        Self { place: Place::with_demo() }
    }

    fn try_run(&self, args: &[&str]) -> Ran {
        self.place.run(&[&["--workspace", "candor-demo/workspace"], args].concat())
    }

    fn run(&self, args: &[&str]) -> String {
        let ran = self.try_run(args);
        assert_eq!(ran.code, 0, "{args:?}: {}", ran.stderr);
        ran.stdout
    }

    fn json(&self, args: &[&str]) -> Value {
        self.place.json(&[&["--workspace", "candor-demo/workspace"], args].concat())
    }

    fn refused(&self, args: &[&str], because: &str) {
        let ran = self.try_run(args);
        assert_eq!(ran.code, 1, "{args:?}: {}", ran.stdout);
        assert!(ran.stderr.contains(because), "{args:?}: {}", ran.stderr);
    }
}

#[test]
fn a_person_edits_freezes_and_compares_the_list() {
    let demo = Demo::new();
    let shown = demo.json(&["codebook", "show"]);
    assert_eq!(shown["made_by"], "hand");
    let problems = shown["problems"].as_array().expect("problems");
    assert_eq!(problems.len(), 12);
    for problem in problems {
        assert!(problem["people"].as_u64() > Some(0), "{problem}");
        assert!((1..=3).contains(&problem["quotes"].as_array().expect("quotes").len()), "{problem}");
    }
    let table = demo.run(&["codebook", "show"]);
    assert!(table.contains("offline_loss") && table.contains("Work lost without signal"), "{table}");
    assert!(demo.run(&["codebook", "show", "offline"]).contains("statement"), "the beginning of an id will do");
    let unknown = demo.try_run(&["codebook", "show", "ofline"]);
    assert_eq!(unknown.code, 2, "{}", unknown.stdout);
    assert!(unknown.stderr.contains("the nearest are offline_loss"), "{}", unknown.stderr);
    let only = demo.try_run(&["codebook", "diff", "--json"]);
    assert!(only.stdout.contains("\"changes\":[]"), "{}", only.stdout);

    // What is frozen is changed by nobody.
    demo.refused(&["codebook", "edit", "remove", "offline_loss"], "codebook thaw");
    demo.refused(&["group", "--anew"], "codebook thaw");
    demo.run(&["codebook", "thaw"]);

    demo.refused(&["codebook", "edit", "rename", "ofline_loss", "x"], "did you mean \"offline_loss\"");
    demo.refused(&["codebook", "edit", "merge", "offline_loss", "offline_loss"], "into itself");
    demo.refused(&["codebook", "edit"], "no terminal");
    demo.run(&["codebook", "edit", "rename", "offline_loss", "Visits lost without signal"]);
    let merged = demo.run(&["codebook", "edit", "merge", "missed_maintenance", "double_booking"]);
    assert!(merged.contains("merged") && merged.contains("missed_maintenance"), "{merged}");

    let diff = demo.json(&["codebook", "diff"]);
    assert_eq!(diff["counts"], json!({ "kept": 10, "edited": 1, "merged": 1 }));
    let whole = demo.json(&["codebook", "diff", "1", "4"]);
    assert_eq!(whole["counts"], json!({ "kept": 9, "renamed": 1, "edited": 1, "merged": 1 }));
    assert!(demo.run(&["codebook", "diff", "1", "4"]).contains("Visits lost without signal"));
    let log = demo.json(&["codebook", "log"]);
    let made_by = log["versions"].as_array().expect("versions").iter().map(|v| v["made_by"].clone());
    assert_eq!(
        made_by.collect::<Vec<_>>(),
        ["hand", "edited", "edited", "edited"],
        "a thaw does not hide what was frozen"
    );
    assert!(demo.run(&["codebook", "export", "-", "--version", "1"]).contains("Work lost without signal"));
    demo.refused(&["codebook", "diff", "9"], "codebook log");

    // A frozen list stays as it is when it is sorted into; the file says the same.
    demo.run(&["codebook", "freeze"]);
    let grouped = demo.json(&["group"]);
    assert_eq!(grouped["codebook"], demo.json(&["codebook", "show"])["hash"]);
    assert_eq!((&grouped["made_by"], &grouped["problems"]), (&json!("hand"), &json!(11)));
    demo.run(&["codebook", "export", "list.json"]);
    let frozen = demo.json(&["codebook", "freeze", "list.json"]);
    assert_eq!(frozen["codebook"], grouped["codebook"]);

    let file = demo.place.path().join("list.json");
    fs::write(&file, fs::read_to_string(&file).expect("the list").replace("\"v\": 1", "\"v\": 7")).expect("write");
    demo.refused(&["codebook", "freeze", "list.json"], "must be 1, not 7");
}

#[test]
fn labels_answer_for_the_list_they_were_made_for() {
    let demo = Demo::new();
    let of = |comparison: &Value, id: &str| {
        let problems = comparison["problems"].as_array().expect("problems").clone();
        problems.into_iter().find(|p| p["id"] == id).unwrap_or_else(|| panic!("no {id}"))
    };
    let before = demo.json(&["compare"]);
    let alone = of(&before, "route_fuel")["crm"]["hits"].as_u64().expect("hits");

    // Merged, both halves count.
    demo.run(&["codebook", "thaw"]);
    demo.run(&["codebook", "edit", "merge", "route_fuel", "owner_visibility"]);
    demo.run(&["codebook", "freeze"]);
    demo.run(&["group"]);
    let merged = demo.json(&["compare"]);
    let both = of(&merged, "owner_visibility");
    assert!(both["crm"]["hits"].as_u64() >= Some(alone) && both["crm"]["low"].is_f64(), "{both}");
    assert!(!merged["caveats"].to_string().contains("count as other"), "{}", merged["caveats"]);

    // Divided, neither half is measured by labels that did not know of it.
    demo.run(&["codebook", "thaw"]);
    demo.run(&["codebook", "edit", "split", "offline_loss", "--terms", "photos"]);
    let part = demo.json(&["codebook", "diff"])["changes"].as_array().expect("changes").clone();
    let part = part.iter().find(|c| c["kind"] == "split").expect("a split")["to"].as_str().expect("an id").to_owned();
    demo.run(&["codebook", "freeze"]);
    demo.run(&["group"]);
    let split = demo.json(&["compare"]);
    for id in [part.as_str(), "offline_loss"] {
        let problem = of(&split, id);
        assert!(problem["community"]["low"].is_null(), "counted: {problem}");
        assert_eq!(problem["verdict"], "not_enough_evidence", "{problem}");
        assert!(problem["missing"].to_string().contains("since the problem is on the list"), "{problem}");
    }
    assert!(of(&split, "accounting_sync")["community"]["low"].is_f64(), "what was not touched stays measured");
    assert!(split["caveats"].to_string().contains("Hand labels were made before"), "{}", split["caveats"]);
}

#[test]
fn a_list_is_not_filled_with_what_it_does_not_hold() {
    let demo = Demo::new();
    let places = |demo: &Demo| {
        let signals = lines(&demo.run(&["export", "signals"]));
        let place =
            |s: &Value| (s["id"].as_str().expect("id").to_owned(), s["problem"].as_str().unwrap_or("other").to_owned());
        signals.iter().map(place).collect::<BTreeMap<_, _>>()
    };
    let before = places(&demo);

    // A problem that nobody mentions takes next to nothing.
    demo.run(&["codebook", "export", "list.json"]);
    let file = demo.place.path().join("list.json");
    let mut list: Value = serde_json::from_str(&fs::read_to_string(&file).expect("the list")).expect("JSON");
    for problem in list["problems"].as_array_mut().expect("problems").iter_mut().filter(|p| p["id"] == "price_book") {
        *problem = json!({
            "id": "permits", "name": "Permits come late",
            "statement": "An office waits for permits from the town and the job slips by weeks.",
            "terms": ["permit", "inspector", "town hall", "building department"],
            "include": [
                "The town sat on our permit for five weeks.", "The inspector did not come, so the wall stays open.",
                "We cannot start until the building department signs."
            ],
            "exclude": ["The customer cancelled."],
        });
    }
    fs::write(&file, list.to_string()).expect("write");
    demo.run(&["codebook", "freeze", "list.json"]);
    let taken = places(&demo).into_values().filter(|problem| problem == "permits").count();
    assert!(taken <= 12, "{taken} texts");

    // What fits nowhere makes a problem of its own and takes nothing from those that are there.
    let demo = Demo::new();
    demo.run(&["codebook", "thaw"]);
    demo.run(&["codebook", "edit", "remove", "price_book"]);
    demo.run(&["group"]);
    let after = places(&demo);
    let listed = before.values().filter(|p| *p != "price_book").collect::<BTreeSet<_>>();
    let moved = before.iter().filter(|(_, p)| *p != "price_book" && *p != "other");
    let moved = moved.filter(|(id, _)| !listed.contains(&after[*id])).count();
    assert!(moved <= 5, "{moved} texts of listed problems went to a new one");
}

#[test]
fn without_a_list_the_verbs_say_what_to_do() {
    let place = Place::new();
    for args in [&["codebook", "show"][..], &["codebook", "freeze"], &["codebook", "diff"]] {
        let ran = place.run(args);
        assert_eq!(ran.code, 1, "{args:?}");
        assert!(ran.stderr.contains("run `candor group` first"), "{args:?}: {}", ran.stderr);
    }
    assert_eq!(place.run(&["codebook", "log"]).code, 4);
}
