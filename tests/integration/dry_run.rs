//! What `--dry-run` shows of each verb that may ask a model, where no model is.

use serde_json::Value;

use crate::harness::{Place, Ran, lines};

/// A server that is not there, so that whatever is sent fails.
const MODEL: [&str; 6] = ["--reader", "llm", "--base-url", "http://127.0.0.1:9/v1", "--model", "m"];

const NOTES: &str = "id,account,contact,text\nn1,Acme,Ines Vale,Call. Ines Vale said the demo was gorgeous.\n";

fn dry(place: &Place, args: &[&str], json: bool) -> Ran {
    let json: &[&str] = if json { &["--json"] } else { &[] };
    place.run(&[args, &["--dry-run"], &MODEL, json].concat())
}

/// The requests, and the estimate behind them.
fn shown(ran: &Ran) -> (Vec<Value>, Value) {
    let mut shown = lines(&ran.stdout);
    let estimate = shown.pop().unwrap_or_else(|| panic!("nothing shown: {}", ran.stderr));
    (shown, estimate)
}

fn last_message(body: &Value) -> &str {
    let messages = body["messages"].as_array().expect("messages");
    messages.last().and_then(|message| message["content"].as_str()).expect("words")
}

#[test]
fn extract_shows_each_request_and_the_most_that_it_can_take() {
    let place = Place::new();
    place.file(
        "posts.jsonl",
        "{\"id\":\"a\",\"text\":\"The export drops rows every Friday. I tried a script, but it broke.\"}\n",
    );
    assert_eq!(place.run(&["collect", "posts.jsonl"]).code, 0);
    let told = dry(&place, &["extract"], false);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stdout.starts_with("1 question; about "), "{}", told.stdout);
    assert!(told.stdout.contains("\non top of it at most 12 checks of what is found; "), "{}", told.stdout);
    let (requests, estimate) = shown(&dry(&place, &["extract"], true));
    assert_eq!((requests.len(), &estimate["questions"]), (1, &Value::from(1)));
    assert_eq!(estimate["checks"]["most"], 12, "{estimate}");
    assert!(last_message(&requests[0]).contains("[1] The export drops rows every Friday."), "{}", requests[0]);
}

/// `candor read --dry-run` beside a workspace masks what the run itself would, and so makes the very request.
#[test]
fn notes_are_shown_without_being_imported_and_names_that_the_crm_knows_are_masked() {
    let place = Place::new();
    place.file("notes.csv", NOTES);
    let (requests, estimate) = shown(&dry(&place, &["crm", "import", "notes.csv"], true));
    assert_eq!((requests.len(), &estimate["questions"]), (1, &Value::from(1)));
    assert!(last_message(&requests[0]).contains("[name] said the demo was gorgeous."), "{}", requests[0]);
    let status = place.json(&["status"]);
    assert_eq!(status["notes"], 0, "{status}");
    assert!(!place.path().join("candor-workspace/dry-run").exists());

    assert_eq!(place.run(&["crm", "import", "notes.csv"]).code, 0);
    place.file("posts.jsonl", "{\"id\":\"a\",\"text\":\"Ask Ines Vale. It leaks.\"}\n");
    for kind in ["post", "note"] {
        let (read, last) = shown(&dry(&place, &["read", "posts.jsonl", "--kind", kind], false));
        assert!(read.is_empty() && last_message(&last).contains("Ask [name]."), "{last}");
    }
}

#[test]
fn group_asks_nothing_where_nothing_was_read_and_the_embedded_reader_nothing_at_all() {
    let place = Place::new();
    let told = dry(&place, &["group"], true);
    assert_eq!(shown(&told).1["questions"], 0, "{}", told.stderr);
    let told = dry(&place, &["group"], false);
    assert_eq!((told.code, told.stdout.trim()), (4, "nothing is left to ask"), "{}", told.stderr);
    for args in [&["group", "--dry-run"][..], &["extract", "--dry-run"], &["crm", "import", "nothing", "--dry-run"]] {
        let told = place.run(args);
        assert!(told.stdout.contains("the embedded reader reads here: nothing is sent"), "{}", told.stdout);
    }
}
