//! The simulation as a user meets it.

use candor::exit::Exit;
use serde_json::Value;

use crate::harness::{Place, repo};

#[test]
fn worlds_are_listed_tried_and_documented() {
    let place = Place::new();
    let list = place.run(&["simulate"]).stdout;
    let document = std::fs::read_to_string(repo("docs/worlds.md")).expect("docs/worlds.md");
    for world in ["W0", "W1", "W2", "W3", "W4", "W5", "W6", "W7", "W8", "W9", "W12"] {
        assert!(list.contains(world), "{list}");
        assert!(document.contains(&format!("\n{world}: ")), "docs/worlds.md has no table of {world}");
    }

    let again = "run the commands of docs/worlds.md, look at what changed and commit it";
    let tiny = place.run(&["simulate", "W9", "--runs", "1000", "--seed", "1"]).stdout;
    assert!(document.contains(tiny.trim()), "{again}: {tiny}");

    let ask = || place.run(&["simulate", "W9", "--runs", "3", "--seed", "5", "--json"]).stdout;
    let answer: Value = serde_json::from_str(&ask()).expect("one JSON object");
    assert_eq!(
        (&answer["v"], &answer["world"], &answer["runs"], &answer["seed"]),
        (&1.into(), &"W9".into(), &3.into(), &5.into())
    );
    let row = &answer["rows"][0];
    assert!(row["setting"].is_string() && row["of"] == "verdicts" && row["refused"] == 1.0, "{row}");
    assert_eq!(ask(), ask());
}

#[test]
fn a_world_that_is_not_there_yet_is_refused() {
    let ran = Place::new().run(&["simulate", "W10"]);
    assert_eq!(ran.code, i32::from(Exit::Failed.code()));
    assert!(ran.stderr.contains("referral"), "{}", ran.stderr);
}

#[test]
fn a_world_is_written_down_as_documented() {
    let place = Place::new();
    let ran = place.run(&["simulate", "W9", "--write", "out", "--seed", "5"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, "out/W9/01: no label\nout/W9/02: everything labelled\n");
    let document = std::fs::read_to_string(repo("docs/worlds.md")).expect("docs/worlds.md");
    let folder = place.path().join("out/W9/02");
    let mut fields = std::collections::BTreeSet::new();
    for file in std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("a file")) {
        let name = file.file_name().into_string().expect("UTF-8");
        assert!(document.contains(&format!("`{name}`")), "docs/worlds.md does not tell of {name}");
        let text = std::fs::read_to_string(file.path()).expect("text");
        let values = if name == "truth.json" { vec![text.as_str()] } else { text.lines().take(1).collect() };
        for value in values {
            let value: Value = serde_json::from_str(value).expect("JSON");
            fields.extend(value.as_object().expect("an object").keys().cloned());
        }
    }
    assert!(fields.len() > 20, "{fields:?}");
    for field in fields {
        assert!(document.contains(&format!("`{field}`")), "docs/worlds.md does not tell of {field}");
    }
    let again = place.run(&["simulate", "W9", "--write", "out"]);
    assert!(again.code == 1 && again.stderr.contains("--write"), "{}", again.stderr);
}
