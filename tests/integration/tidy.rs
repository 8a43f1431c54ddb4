//! The walls of the house, as ordinary tests.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::repo;

const STAGES: [&str; 7] = ["collect", "index", "extract", "crm", "group", "compare", "report"];

fn files(root: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn no_stage_imports_another() {
    let mut checked = 0;
    for stage in STAGES {
        for path in files(&repo("src").join(stage), "rs") {
            let text = fs::read_to_string(&path).expect("source");
            checked += 1;
            for other in STAGES.iter().filter(|other| **other != stage) {
                let import = format!("crate::{other}::");
                let bare = format!("crate::{other};");
                assert!(
                    !text.contains(&import) && !text.contains(&bare),
                    "{} imports stage {other}; stages meet only in the store",
                    path.display()
                );
            }
        }
    }
    assert!(checked >= STAGES.len());
}

/// What tries the product on invented worlds reads no store and no stage but the comparison; only the attacks on a reader see a
/// reader. No stage knows of it.
#[test]
fn the_simulation_sees_the_comparison_only() {
    let sources = files(&repo("src/simulate"), "rs");
    assert!(sources.len() > 5);
    for path in sources {
        let text = fs::read_to_string(&path).expect("source");
        let attacks = path.ends_with("injection.rs");
        for other in STAGES.iter().filter(|s| **s != "compare" && !(attacks && **s == "extract")) {
            assert!(!text.contains(&format!("crate::{other}::")), "{} imports stage {other}", path.display());
        }
        assert!(!text.contains("Store"), "{} opens a store", path.display());
    }
    for stage in STAGES {
        for path in files(&repo("src").join(stage), "rs") {
            let text = fs::read_to_string(&path).expect("source");
            assert!(!text.contains("crate::simulate"), "{} imports the simulation", path.display());
        }
    }
}

#[test]
fn the_nouns_do_no_io() {
    for path in files(&repo("src/model"), "rs") {
        let text = fs::read_to_string(&path).expect("source");
        for word in ["std::fs", "std::io", "async fn", "sqlx", "tokio", "reqwest"] {
            assert!(!text.contains(word), "{} mentions {word}", path.display());
        }
    }
}

/// No person is ever joined across the two sides: no statement reads posts and notes together, and no table has a column of
/// each. What is compared are counts.
#[test]
fn no_statement_joins_a_community_author_to_the_crm() {
    let schema = fs::read_dir(repo("src/store/migrations")).expect("migrations");
    let mut tables = 0;
    for entry in schema {
        let sql = fs::read_to_string(entry.expect("an entry").path()).expect("sql");
        for table in sql.split("create table").skip(1) {
            tables += 1;
            let columns = table
                .lines()
                .filter_map(|line| line.split("--").next()?.split_whitespace().next().map(str::to_owned))
                .collect::<Vec<_>>();
            let community = columns.iter().any(|c| c == "author" || c == "post");
            let crm =
                columns.iter().any(|c| ["account", "owner", "note", "contact", "opportunity"].contains(&c.as_str()));
            assert!(!(community && crm), "a table holds both sides: {table}");
        }
    }
    assert!(tables > 10);
    let mut statements = 0;
    for path in files(&repo("src/store"), "rs") {
        let text = fs::read_to_string(&path).expect("source");
        for literal in text.split('"').skip(1).step_by(2) {
            let sql = literal.to_lowercase();
            if !["select", "insert", "update", "delete"].iter().any(|verb| sql.starts_with(verb)) {
                continue;
            }
            statements += 1;
            let reads = |table: &str| {
                ["from", "join", "into", "update"].iter().any(|word| {
                    sql.match_indices(&format!("{word} {table}"))
                        .any(|(at, hit)| !sql[at + hit.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_'))
                })
            };
            let community = ["post", "thread", "signal", "post_reading"].iter().any(|t| reads(t));
            let crm = [
                "note",
                "note_reading",
                "claimed_pain",
                "account",
                "segment",
                "opportunity",
                "stage_change",
                "crm_probability",
                "contact",
                "owner",
            ];
            let crm = crm.iter().any(|t| reads(t));
            assert!(!(community && crm), "{}: a statement reads both sides: {literal}", path.display());
        }
    }
    assert!(statements > 20, "only {statements} statements were found; has the quoting changed?");
}

#[test]
fn only_net_and_llm_talk_to_the_web() {
    for path in files(&repo("src"), "rs") {
        let inside = path.strip_prefix(repo("src")).expect("inside src");
        if inside.starts_with("net") || inside.starts_with("llm") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("source");
        assert!(!text.contains("reqwest::"), "{} uses reqwest; net is the only door", inside.display());
    }
}

/// People at firms are known so that their names can be masked; nothing that is shown may read them.
#[test]
fn only_the_import_and_the_masking_read_contacts() {
    for path in files(&repo("src"), "rs") {
        let inside = path.strip_prefix(repo("src")).expect("inside src").to_owned();
        let text = fs::read_to_string(&path).expect("source");
        let reads = ["contact_names()", "from contact", "account_of_contact("].iter().any(|word| text.contains(word));
        let may = ["store/deals.rs", "llm/contacts.rs", "crm/import/write.rs", "crm/import/vendors.rs"];
        assert!(!reads || may.iter().any(|m| inside == Path::new(m)), "{} reads contacts", inside.display());
    }
}

/// Names in backticks that look like paths of this repository must exist, so that documents cannot rot silently.
#[test]
fn documents_name_only_what_exists() {
    let mut checked = 0;
    let mut documents = vec![repo("README.md"), repo("ARCHITECTURE.md"), repo("CONTRIBUTING.md")];
    documents.extend(files(&repo("docs"), "md"));
    documents.extend(files(&repo("corpus"), "md"));
    for document in documents {
        let text = fs::read_to_string(&document).expect("a document");
        for name in text.split('`').skip(1).step_by(2) {
            let top = ["src/", "tests/", "corpus/", "docs/", "prompts/", "eval/", "benches/", ".ci/"];
            if top.iter().any(|t| name.starts_with(t)) && !name.contains(['*', ' ', '<', '{']) {
                checked += 1;
                assert!(repo(name).exists(), "{} names {name}, which does not exist", document.display());
            }
        }
    }
    assert!(checked > 5, "only {checked} paths were found");
}
