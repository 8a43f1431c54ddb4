//! How good the readers are, as `candor eval` says it; and that it does not change unnoticed.

use std::collections::BTreeMap;
use std::fs;

use candor::eval::ledger::{self, Row};
use serde_json::Value;

use crate::harness::{Place, repo};

/// Labelled texts that no reader learns from, by the name that `eval/thresholds.toml` has for them.
const TEST_PARTS: [(&str, &str); 4] = [
    ("posts", "eval/truth/posts.test.jsonl"),
    ("posts2", "eval/truth/posts.test2.jsonl"),
    ("notes", "eval/truth/notes.test.jsonl"),
    ("notes2", "eval/truth/notes.test2.jsonl"),
];

/// Scores of a file, freshly made by the shipped reader.
fn fresh(place: &Place, file: &str) -> Vec<Row> {
    let table = place.path().join("scores.csv");
    let table = table.to_str().expect("a path");
    let ran = place.command(&["eval", "--truth", file, "--scores", table]).current_dir(repo(".")).output();
    let ran = ran.expect("the binary runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let rows = ledger::read(table.as_ref()).expect("a table");
    rows.into_iter().filter(|row| row.file == file).collect()
}

#[test]
fn the_committed_scores_are_those_of_the_shipped_readers() {
    let committed = ledger::read(&repo("eval/scores.csv")).expect("eval/scores.csv");
    let least: BTreeMap<String, BTreeMap<String, BTreeMap<String, f64>>> =
        toml::from_str(&fs::read_to_string(repo("eval/thresholds.toml")).expect("eval/thresholds.toml")).expect("TOML");
    let place = Place::new();
    for (name, file) in TEST_PARTS {
        let rows = fresh(&place, file);
        let known: Vec<&Row> = committed.iter().filter(|row| row.file == file && row.reader == "embedded").collect();
        let again = format!("run `candor eval --truth {file} --scores eval/scores.csv`, look at it and commit it");
        assert_eq!(known.len(), rows.len(), "{file}: other measures than before; {again}");
        for (new, old) in rows.iter().zip(known) {
            assert!(same(new, old), "changed: {new:?}\nwas {old:?}\n{again}");
        }
        let mut checked = 0;
        for (measure, acts) in &least[name] {
            for (act, least) in acts {
                let row = rows.iter().find(|row| row.measure == *measure && row.act == *act);
                let row = row.unwrap_or_else(|| panic!("eval/thresholds.toml: {file} has no {measure} of {act}"));
                let value = row.value.unwrap_or(0.0);
                assert!(
                    value >= *least,
                    "{file}: {measure} of {act} is {value}, below {least} of eval/thresholds.toml"
                );
                checked += 1;
            }
        }
        assert!(checked >= 6, "eval/thresholds.toml says little about {name}");
    }
}

/// The same to three decimals; one unit of the last is left to other processors' arithmetic.
fn same(new: &Row, old: &Row) -> bool {
    let near = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 0.0015,
        (a, b) => a == b,
    };
    let named = (&new.recipe, &new.measure, &new.act, new.n) == (&old.recipe, &old.measure, &old.act, old.n);
    named && near(new.value, old.value) && near(new.low, old.low) && near(new.high, old.high)
}

const POSTS: &str = r#"{"id":"a-1","text":"The export fails every Monday and nobody answers.","voice":"first_hand","acts":[{"act":"complaint","spans":[{"start":0,"end":49}]}],"weight":3.5}
{"id":"b-1","text":"Thanks, see you at the meetup.","voice":"unclear","acts":[],"unsure":["praise"],"weight":1.0}
{"id":"c-1","text":"We gave up on it and moved everything to paper.","acts":[{"act":"switch","spans":[{"start":0,"end":46}]}]}
{"id":"d-1","text":"Is there any tool that sorts invoices by site?","acts":[{"act":"ask","spans":[{"start":0,"end":46}]}]}
"#;

fn score<'a>(scores: &'a Value, measure: &str, act: &str) -> &'a Value {
    let found = scores.as_array().expect("scores").iter().find(|s| s["measure"] == measure && s["act"] == act);
    found.unwrap_or_else(|| panic!("no {measure} of {act} in {scores}"))
}

#[test]
fn a_reader_is_scored_beside_baselines() {
    let place = Place::new();
    place.file("truth.jsonl", POSTS);
    let report = place.json(&["eval", "--truth", "truth.jsonl", "--baselines"]);
    assert_eq!((&report["v"], &report["kind"], &report["texts"]), (&1.into(), &"post".into(), &4.into()));
    assert_eq!(score(&report["scores"], "f1", "complaint")["n"], 1);
    assert_eq!(score(&report["scores"], "f1_weighted", "complaint")["n"], 1);
    assert_eq!(score(&report["scores"], "quotes_rejected", "all")["value"], 0.0);
    assert_eq!(score(&report["scores"], "voice_accuracy", "all")["n"], 2);
    let names: Vec<&str> =
        report["baselines"].as_array().unwrap().iter().map(|b| b["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["sentiment", "keywords", "tfidf"]);
    let keywords = &report["baselines"][1];
    assert_eq!(score(&keywords["scores"], "recall", "ask")["value"], 1.0);
    let (ours, theirs) = (score(&report["scores"], "f1", "ask"), score(&keywords["scores"], "f1", "ask"));
    let gain = ours["value"].as_f64().unwrap() - theirs["value"].as_f64().unwrap();
    assert!((score(&keywords["gains"], "f1_gain", "ask")["value"].as_f64().unwrap() - gain).abs() < 1e-9);
    assert!(report["speed"]["texts_per_second"].as_f64().unwrap() > 0.0);

    let ran = place.run(&["eval", "--truth", "truth.jsonl", "--baselines", "--held-out", "--train", "truth.jsonl"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    assert!(ran.stdout.contains("keywords"), "{}", ran.stdout);
}

#[test]
fn labels_of_notes_are_found_beside_them() {
    let place = Place::new();
    let labels = r#"{"id":"n1","interest":3,"compliments":["loved the demo"],"fluff":[],"pains":[],"objections":[],"commitments":[]}"#;
    place.file("notes.jsonl", r#"{"id":"n1","account":"a","kind":"call","text":"Great call, she loved the demo."}"#);
    let ran = place.run(&["eval", "--truth", "notes.jsonl"]);
    assert!(ran.code == 1 && ran.stderr.contains("n1 has no labels"), "{}", ran.stderr);
    place.file("notes.labels_a.jsonl", labels);
    assert_eq!(score(&place.json(&["eval", "--truth", "notes.jsonl"])["scores"], "f1", "compliments")["n"], 1);
    place.file("notes.labels_b.jsonl", labels.replace("loved the demo", "Great call").replace('3', "2"));
    let report = place.json(&["eval", "--truth", "notes.jsonl"]);
    assert_eq!(report["kind"], "note");
    assert_eq!(score(&report["scores"], "f1", "compliments")["n"], 0);
    assert_eq!(score(&report["scores"], "of_those_apart", "compliments")["n"], 2);
    assert_eq!(score(&report["scores"], "interest_of_those_apart", "all")["n"], 1);
    let ran = place.run(&["eval", "--truth", "notes.jsonl", "--held-out"]);
    assert!(ran.code == 1 && ran.stderr.contains("notes"), "{}", ran.stderr);
}

#[test]
fn labels_that_do_not_fit_their_text_are_named() {
    let place = Place::new();
    place.file("truth.jsonl", POSTS.replace("\"end\":49", "\"end\":4900"));
    let ran = place.run(&["eval", "--truth", "truth.jsonl"]);
    assert!(ran.code == 1 && ran.stderr.contains("post a-1"), "{}", ran.stderr);
    place.file("truth.jsonl", POSTS.replace("\"acts\":[],", "\"acts\":[{\"act\":\"rant\"}],"));
    let ran = place.run(&["eval", "--truth", "truth.jsonl"]);
    assert!(ran.code == 1 && ran.stderr.contains("text 2"), "{}", ran.stderr);
}
