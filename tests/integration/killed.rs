//! A run killed at any point and run again to the end leaves what an undisturbed run leaves.

use std::fmt::Write as _;
use std::time::Duration;

use crate::harness::{Place, repo};

/// The demo's plain community, many times over under other ids: enough that a run can be hit in the middle.
fn posts() -> String {
    let original = std::fs::read_to_string(repo("corpus/demo/communities/vanowners.jsonl")).expect("the demo corpus");
    let mut many = String::new();
    for copy in 0..24 {
        for line in original.lines() {
            let mut post: serde_json::Value = serde_json::from_str(line).expect("JSON");
            for field in ["id", "thread", "parent"] {
                if let Some(id) = post[field].as_str() {
                    post[field] = format!("{id}-{copy}").into();
                }
            }
            writeln!(many, "{post}").expect("a string");
        }
    }
    many
}

/// Starts the verb again and again, killing it later each time, then lets it finish.
fn kill_and_finish(place: &Place, args: &[&str]) {
    let mut killed = 0;
    for delay in [3, 10, 25, 45, 70, 100, 150, 220, 320] {
        let mut child = place.command(args).spawn().expect("the binary runs");
        std::thread::sleep(Duration::from_millis(delay));
        if child.try_wait().expect("wait").is_none() {
            killed += 1;
        }
        // SIGKILL on Unix. A child that has ended already is left alone.
        let _ = child.kill();
        child.wait().expect("wait");
    }
    assert!(killed > 0, "no run of {args:?} lasted long enough to be killed; make the input larger");
    let ran = place.run(args);
    assert_eq!(ran.code, 0, "{args:?} after kills: {}", ran.stderr);
}

#[test]
fn kill_9_in_collect_index_and_extract_changes_nothing() {
    let posts = posts();
    let calm = Place::new();
    let rough = Place::new();
    for place in [&calm, &rough] {
        place.file("posts.jsonl", &posts);
        // The same key, so that pseudonyms can be compared.
        place.file("candor-workspace/author.key", "5a".repeat(32));
    }
    for verb in [&["collect", "posts.jsonl"][..], &["index"], &["extract"]] {
        let ran = calm.run(verb);
        assert_eq!(ran.code, 0, "{verb:?}: {}", ran.stderr);
        kill_and_finish(&rough, verb);
    }
    for export in ["posts", "signals"] {
        let [calm, rough] = [&calm, &rough].map(|place| place.run(&["export", export]).stdout);
        assert!(calm.lines().count() > 1000, "{export}: {} lines", calm.lines().count());
        assert_eq!(calm, rough, "{export} differ");
    }
    let [calm, rough] = [&calm, &rough].map(|place| place.json(&["search", "signal OR spreadsheet", "-n", "50"]));
    assert!(calm["total"].as_u64().expect("a count") > 0);
    assert_eq!(calm, rough, "the index differs");
}
