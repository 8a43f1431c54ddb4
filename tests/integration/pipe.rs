//! `candor read`: text in, JSON out, in order, without a workspace.

use std::io::Write as _;
use std::process::Stdio;

use crate::harness::{Place, lines};

fn piped(place: &Place, args: &[&str], input: &str) -> (i32, String) {
    let mut child = place
        .command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("write");
    let output = child.wait_with_output().expect("wait");
    (output.status.code().unwrap_or(-1), String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn posts_are_read_in_order_and_quotes_are_slices() {
    let place = Place::new();
    let texts = [
        "We tried a shared spreadsheet for the rota but it broke every time two people edited it.",
        "ok thanks",
        "Third time this month the sync dropped our rows — I'm done. We moved to paper last week.",
    ];
    let input = texts
        .iter()
        .enumerate()
        .map(|(i, text)| serde_json::json!({ "id": i, "text": text }).to_string() + "\n")
        .collect::<String>();
    let (code, output) = piped(&place, &["read", "-"], &input);
    assert_eq!(code, 0);
    let answers = lines(&output);
    assert_eq!(answers.len(), texts.len());
    for (i, answer) in answers.iter().enumerate() {
        assert_eq!(answer["id"], i);
        assert!(answer["voice"].is_string() && answer["rejected"].is_number(), "{answer}");
        for act in answer["acts"].as_array().expect("acts") {
            let [start, end] =
                ["start", "end"].map(|f| usize::try_from(act[f].as_u64().expect("offset")).expect("fits"));
            assert_eq!(act["quote"], texts[i][start..end]);
        }
    }
    let acts =
        |i: usize| answers[i]["acts"].as_array().expect("acts").iter().map(|a| a["act"].clone()).collect::<Vec<_>>();
    assert!(acts(0).contains(&"failed_workaround".into()), "{}", answers[0]);
    assert!(acts(1).is_empty(), "{}", answers[1]);
    assert!(acts(2).contains(&"complaint".into()), "{}", answers[2]);
    assert!(!place.path().join("candor-workspace").exists(), "read makes no workspace");
}

#[test]
fn notes_are_read_and_bad_lines_do_not_stop_the_pipe() {
    let place = Place::new();
    let input = "{\"id\":\"n1\",\"text\":\"Great call, they loved the demo. Will circle back next quarter.\"}\n\
                 this is not JSON\n\
                 {\"id\":\"n3\",\"text\":\"Not interested, they already have a tool.\"}\n";
    let (code, output) = piped(&place, &["read", "--kind", "note", "-"], input);
    assert_eq!(code, 3, "a bad line makes the run partial");
    let answers = lines(&output);
    assert_eq!(answers.len(), 3);
    assert!(answers[0]["interest"].as_u64() >= Some(3), "{}", answers[0]);
    assert!(!answers[0]["compliments"].as_array().expect("compliments").is_empty());
    assert!(answers[1]["error"].as_str().expect("an error").contains("line 2"), "{}", answers[1]);
    assert!(answers[2]["interest"].as_u64() <= Some(1), "{}", answers[2]);
}
