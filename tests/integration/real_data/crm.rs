//! Exports of CRMs.

use std::path::PathBuf;

use candor::crm::import;
use candor::files::Zone;
use candor::model::Outcome;
use candor::progress::Progress;
use candor::store::Store;
use serde_json::Value;

/// What lies there in the real data, where there is any.
fn data(path: &str) -> Option<PathBuf> {
    super::data().map(|folder| folder.join(path)).filter(|path| path.exists())
}

/// Imports twice; the second time must change nothing.
async fn imported(path: PathBuf) -> (Value, Store, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Store::open(&dir.path().join("candor.db")).await.expect("a store");
    let zone = Zone::default();
    let run =
        || import(&store, std::slice::from_ref(&path), None, &zone, jiff::Timestamp::UNIX_EPOCH, Progress::new(true));
    let first = run().await.expect("an import");
    assert_eq!(run().await.expect("an import").done, 0, "importing again changes nothing");
    (Value::Object(first.detail), store, dir)
}

#[tokio::test]
async fn deals_with_outcomes_are_read_in_full() {
    let Some(path) = data("crm/maven_opportunities") else { return };
    let (summary, store, _dir) = imported(path).await;
    let deals = store.deals().await.expect("deals");
    let ended = |outcome| deals.iter().filter(|d| d.opportunity.outcome == outcome && d.ended_at.is_some()).count();
    assert_eq!((deals.len(), ended(Outcome::Won), ended(Outcome::Lost)), (6711, 4238, 2473));
    assert_eq!((summary["undated"].as_u64(), summary["accounts_kept"]["new"].as_u64()), (Some(0), Some(85)));
    assert_eq!(summary["files"]["refused"], 2, "products and teams are neither notes nor deals");
}

#[tokio::test]
async fn vendors_schemas_are_recognised() {
    for (folder, formats) in [
        (
            "crm/salesforce_schema_seeds",
            &["Salesforce Task", "Salesforce Event", "Salesforce Opportunity", "Salesforce User"][..],
        ),
        ("crm/zendesk_schema_seeds", &["Zendesk tickets", "Zendesk organizations", "Zendesk users"]),
    ] {
        let Some(path) = data(folder) else { return };
        let files = std::fs::read_dir(&path).expect("a folder").count() as u64;
        let (summary, store, _dir) = imported(path).await;
        for format in formats {
            assert_eq!(summary["formats"][format]["files"], 1, "{format}: {summary}");
        }
        let count = |name: &str| summary["files"][name].as_u64().expect("a count");
        assert_eq!(count("read") + count("refused"), files);
        let failures = store.failures().await.expect("failures");
        let of_files = failures.iter().filter(|f| !f.unit.contains(", record")).count() as u64;
        assert_eq!(of_files, count("refused"), "each refusal has a reason");
    }
}

#[tokio::test]
async fn notes_in_json_lines_and_tables() {
    let Some(gold) = data("gold/notes_dev.jsonl") else { return };
    let (summary, ..) = imported(gold).await;
    assert_eq!((summary["notes"]["new"].as_u64(), summary["notes"]["failed"].as_u64()), (Some(110), Some(0)));
    let Some(folder) = data("crm/cs_sim") else { return };
    let (summary, ..) = imported(folder).await;
    assert_eq!((summary["notes"]["new"].as_u64(), summary["files"]["refused"].as_u64()), (Some(30), Some(5)));
}
