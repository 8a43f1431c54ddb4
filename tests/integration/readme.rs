//! The README is checked against the program.

use std::fs;

use candor::exit::Exit;

use crate::harness::{Place, repo};

fn readme() -> String {
    fs::read_to_string(repo("README.md")).expect("README.md")
}

#[test]
fn every_verb_that_the_readme_shows_exists() {
    let place = Place::new();
    let help = place.run(&["--help"]).stdout;
    let verbs = help
        .lines()
        .skip_while(|line| !line.starts_with("Commands"))
        .skip(1)
        .take_while(|line| !line.trim().is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect::<Vec<_>>();
    assert!(verbs.len() > 10, "{help}");
    let text = readme();
    let mut shown = 0;
    for line in text.lines().map(str::trim).filter(|line| line.starts_with("candor ")) {
        let words = line.split_whitespace().skip(1).collect::<Vec<_>>();
        let Some(verb) = words.iter().find(|w| !w.starts_with('-')) else { continue };
        assert!(verbs.contains(verb), "the README shows `{line}`");
        shown += 1;
    }
    assert!(shown >= 5, "the README shows {shown} commands");
    for verb in verbs.iter().filter(|v| **v != "help") {
        assert!(text.contains(&format!("candor {verb}")), "the README does not mention `candor {verb}`");
    }
}

#[test]
fn the_exit_codes_are_the_documented_ones() {
    let text = readme();
    for (exit, words) in [
        (Exit::Done, "done"),
        (Exit::Failed, "failed"),
        (Exit::Usage, "not understood"),
        (Exit::Partial, "recorded failures"),
        (Exit::NothingToDo, "nothing to"),
    ] {
        let row = format!("| {} |", exit.code());
        let line = text.lines().find(|l| l.starts_with(&row)).unwrap_or_else(|| panic!("no row {row} in the README"));
        assert!(line.contains(words), "{line}");
    }
}
