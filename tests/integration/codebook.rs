//! The list of problems is a person's: looked at, edited, frozen, and every change of it told.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Place, Ran};

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
    assert!(demo.run(&["codebook", "show", "offline_loss"]).contains("statement"));

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
    assert_eq!(diff["counts"], json!({ "kept": 11, "merged": 1 }));
    let whole = demo.json(&["codebook", "diff", "1", "3"]);
    assert_eq!(whole["counts"], json!({ "kept": 10, "renamed": 1, "merged": 1 }));
    assert!(demo.run(&["codebook", "diff", "1", "3"]).contains("Visits lost without signal"));
    assert_eq!(demo.json(&["codebook", "log"])["versions"].as_array().expect("versions").len(), 3);
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
fn without_a_list_the_verbs_say_what_to_do() {
    let place = Place::new();
    for args in [&["codebook", "show"][..], &["codebook", "freeze"], &["codebook", "diff"]] {
        let ran = place.run(args);
        assert_eq!(ran.code, 1, "{args:?}");
        assert!(ran.stderr.contains("run `candor group` first"), "{args:?}: {}", ran.stderr);
    }
    assert_eq!(place.run(&["codebook", "log"]).code, 4);
}
