//! From deals and notes of a real store to forecasts.

use super::super::super::{Origin as ComparedBy, compare};
use super::super::gather;
use super::*;
use crate::config::CompareSettings;
use crate::model::{
    AccountId, Codebook, CrmProbability, Note, NoteId, NoteKind, NoteReading, Opportunity, Recipe, Recipes,
};
use crate::store::{CrmBatch, Incoming, Origin};

fn recipes() -> Recipes {
    Recipes { post: Recipe::new("reader", &[]), note: Recipe::new("notes", &[]) }
}

fn at(day: &str) -> Timestamp {
    format!("{day}T12:00:00Z").parse().unwrap()
}

fn date(days: i64) -> Timestamp {
    at("2024-01-01") + jiff::SignedDuration::from_hours(24 * days)
}

fn now() -> Timestamp {
    at("2026-08-01")
}

fn deal(id: &str, outcome: Outcome, closed: Option<&str>) -> Opportunity {
    Opportunity {
        id: OpportunityId::new(id),
        account: Some(AccountId::new(format!("firm of {id}"))),
        name: None,
        owner: Some("Ann".to_owned()),
        stage: None,
        outcome,
        amount: None,
        opened_at: None,
        closed_at: closed.map(at),
        modified_at: None,
        churned_at: None,
        value_at: None,
    }
}

/// A note of the deal with claimed interest 3.
fn note(id: &str, deal: &str, written: &str) -> Note {
    Note {
        id: NoteId::new(id),
        account: AccountId::new(format!("firm of {deal}")),
        opportunity: Some(OpportunityId::new(deal)),
        owner: None,
        kind: NoteKind::Call,
        written_at: Some(at(written)),
        happened_at: None,
        modified_at: None,
        stage: None,
        amount: None,
        text: "Very keen".to_owned(),
    }
}

struct World {
    store: Store,
    _folder: tempfile::TempDir,
}

async fn world(deals: Vec<Opportunity>, notes: Vec<Note>, probabilities: Vec<CrmProbability>) -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
    let reading = NoteReading { interest: Interest::new(3), ..NoteReading::default() };
    let readings = notes.iter().map(|n| (n.id.clone(), reading.clone())).collect::<Vec<_>>();
    let batch = CrmBatch {
        opportunities: deals.into_iter().map(|record| Incoming { record, fill: false }).collect(),
        probabilities,
        ..CrmBatch::default()
    };
    store.write_crm(&batch).await.unwrap();
    store.write_notes(&notes, &[]).await.unwrap();
    store.write_note_readings(&recipes().note, &readings).await.unwrap();
    World { store, _folder: folder }
}

impl World {
    async fn deals(&self) -> (Vec<Deal>, String) {
        let notes = self.store.notes(&recipes().note).await.unwrap();
        let mut caveats = Vec::new();
        let deals = deals(&self.store, &notes, now(), &mut caveats).await.unwrap();
        (deals, caveats.join("\n"))
    }
}

fn on(day: &str) -> i64 {
    super::day(at(day))
}

/// The days of the first and the last forecast.
fn days(deal: &Deal) -> (Option<i64>, Option<i64>) {
    (deal.first.map(|f| f.day), deal.last.map(|f| f.day))
}

#[tokio::test]
async fn what_may_know_the_outcome_is_no_forecast() {
    let edited = Note { modified_at: Some(at("2026-04-02")), ..note("b", "d1", "2026-01-20") };
    let finished_late = Note { modified_at: Some(at("2026-03-25")), ..note("d", "d1", "2026-03-10") };
    let notes = vec![
        note("a", "d1", "2026-01-10"),
        edited,
        note("c", "d1", "2026-02-10"),
        finished_late,
        note("e", "d1", "2026-03-20"),
        note("f", "d1", "2026-04-03"),
    ];
    let world = world(vec![deal("d1", Outcome::Won, Some("2026-04-01"))], notes, Vec::new()).await;
    let (deals, caveats) = world.deals().await;
    let [only] = deals.as_slice() else { panic!("one pair per deal: {deals:?}") };
    assert_eq!(days(only), (Some(on("2026-01-10")), Some(on("2026-02-10"))));
    assert_eq!((only.first.unwrap().won, only.last.unwrap().won), (Followed::Yes(81), Followed::Yes(50)));
    assert_eq!(only.last.unwrap().interest, Some(3));
    assert!(caveats.contains("no forecast: 2 notes"), "edited on, and entered after, the end: {caveats}");
    let late = world.store.late_notes().await.unwrap();
    assert_eq!(late.len(), 2, "as the store has it");
}

#[tokio::test]
async fn every_deal_counts_as_far_as_the_data_go() {
    let deals = vec![
        deal("a won late", Outcome::Won, Some("2026-06-30")),
        deal("b lost", Outcome::Lost, Some("2026-02-01")),
        deal("c abandoned", Outcome::Open, None),
        deal("d young", Outcome::Open, None),
        deal("e undated", Outcome::Lost, None),
        deal("f silent", Outcome::Lost, Some("2026-03-01")),
        deal("hubspot:7", Outcome::Open, None),
        Opportunity { modified_at: Some(at("2026-02-01")), ..deal("hubspot:8", Outcome::Open, None) },
    ];
    let notes = vec![
        note("1", "a won late", "2026-01-10"),
        note("2", "b lost", "2026-01-10"),
        note("3", "c abandoned", "2026-01-10"),
        note("4", "d young", "2026-05-10"),
        note("5", "e undated", "2026-01-10"),
        note("6", "f silent", "2026-03-02"),
        note("7", "hubspot:7", "2026-01-10"),
        note("8", "never imported", "2026-01-10"),
    ];
    let (found, caveats) = world(deals, notes, Vec::new()).await.deals().await;
    let won = found.iter().map(|d| (d.id.as_str(), d.last.unwrap().won)).collect::<Vec<_>>();
    let want = [
        ("a won late", Followed::No(90)),
        ("b lost", Followed::No(22)),
        ("c abandoned", Followed::No(90)),
        ("d young", Followed::Censored(51)),
        // That vendor's export is of February.
        ("hubspot:7", Followed::Censored(22)),
    ];
    assert_eq!(won, want);
    for says in ["end: 2 of 8 deals", "not scored: 1 deal.", "no forecast: 1 note."] {
        assert!(caveats.contains(says), "{says}: {caveats}");
    }
}

#[tokio::test]
async fn a_note_without_a_deal_is_its_accounts_only_ones() {
    let of = |account: &str, id: &str| Opportunity {
        account: Some(AccountId::new(account)),
        owner: None,
        ..deal(id, Outcome::Lost, Some("2026-05-01"))
    };
    let loose = |id: &str, account: &str, owner: &str| Note {
        account: AccountId::new(account),
        opportunity: None,
        owner: Some(owner.to_owned()),
        ..note(id, "x", "2026-03-10")
    };
    let deals = vec![of("one", "a"), of("two", "b"), of("two", "c"), of("one more", "d")];
    let notes =
        vec![loose("1", "one", "Bo"), loose("2", "two", "Bo"), loose("3", "none", "Bo"), loose("4", "one more", "Bo")];
    let (found, caveats) = world(deals, notes, Vec::new()).await.deals().await;
    assert_eq!(found.iter().map(|d| (d.id.as_str(), d.rep)).collect::<Vec<_>>(), [("a", 0), ("d", 0)], "both are Bo's");
    assert!(caveats.contains("no forecast: 1 note."), "{caveats}");
}

#[tokio::test]
async fn a_probability_counts_from_the_day_it_was_given_to_the_day_before_the_end() {
    let given =
        |day: &str, probability| CrmProbability { opportunity: OpportunityId::new("d"), at: at(day), probability };
    let history =
        vec![given("2026-01-05", 0.3), given("2026-02-05", 0.6), given("2026-03-31", 0.9), given("2026-04-01", 1.0)];
    let notes = vec![
        note("0", "d", "2026-01-01"),
        note("1", "d", "2026-01-10"),
        note("2", "d", "2026-02-10"),
        note("3", "d", "2026-04-01"),
    ];
    let world = world(vec![deal("d", Outcome::Won, Some("2026-04-01"))], notes, history).await;
    let (deals, _) = world.deals().await;
    assert_eq!(deals[0].first.unwrap().crm_prob, None, "not given yet");
    assert_eq!(deals[0].last.unwrap().crm_prob, Some(0.6));
}

#[tokio::test]
async fn a_customer_is_kept_with_value_or_not() {
    let customer = |id: &str, churned: Option<&str>, value: Option<&str>| Opportunity {
        churned_at: churned.map(at),
        value_at: value.map(at),
        ..deal(id, Outcome::Won, Some("2025-02-01"))
    };
    let deals = vec![
        customer("a happy", None, Some("2025-04-01")),
        customer("b gone", Some("2025-10-01"), Some("2025-04-01")),
        customer("c gone later", Some("2026-05-01"), Some("2025-04-01")),
        customer("d no value", None, None),
        customer("e value too late", None, Some("2026-03-01")),
        deal("f lost", Outcome::Lost, Some("2025-02-01")),
        Opportunity { value_at: Some(at("2026-05-02")), ..deal("g new", Outcome::Won, Some("2026-04-20")) },
    ];
    let mut notes = deals.iter().map(|d| note(d.id.as_str(), d.id.as_str(), "2025-01-12")).collect::<Vec<_>>();
    notes[6].written_at = Some(at("2026-04-01"));
    let (found, _) = world(deals.clone(), notes.clone(), Vec::new()).await.deals().await;
    let value = found.iter().map(|d| (d.id.as_str(), d.last.unwrap().value)).collect::<Vec<_>>();
    let want = [
        ("a happy", Followed::Yes(385)),
        ("b gone", Followed::No(262)),
        ("c gone later", Followed::Yes(385)),
        ("d no value", Followed::No(385)),
        ("e value too late", Followed::No(385)),
        ("f lost", Followed::No(20)),
        ("g new", Followed::Censored(31)),
    ];
    assert_eq!(value, want);

    let unrecorded = deals.into_iter().map(|d| Opportunity { value_at: None, churned_at: None, ..d });
    let (found, _) = world(unrecorded.collect(), notes, Vec::new()).await.deals().await;
    assert!(found.iter().all(|d| d.last.unwrap().value == Followed::Unknown), "nothing tells who did not get value");
}

/// From the store to the verdict: 80 deals, a third won, of which the CRM said two thirds.
#[tokio::test]
async fn a_store_is_scored() {
    let (mut deals, mut notes, mut given) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..80_i64 {
        let id = format!("d{i:02}");
        let noted = date(i);
        let won = i % 3 == 0;
        deals.push(Opportunity {
            owner: Some(format!("rep {}", i % 4)),
            closed_at: Some(date(i + 40)),
            modified_at: Some(date(900)),
            ..deal(&id, if won { Outcome::Won } else { Outcome::Lost }, None)
        });
        notes.push(Note { written_at: Some(noted), ..note(&id, &id, "2024-01-01") });
        let probability = if i % 2 == 0 { 0.6 } else { 0.7 };
        given.push(CrmProbability { opportunity: OpportunityId::new(id), at: date(i - 1), probability });
    }
    let world = world(deals, notes, given).await;
    world.store.write_codebook(&Codebook::new("hand", Vec::new()), &[], &Origin::default(), now()).await.unwrap();
    let all_different = |texts: &[&str]| (0..texts.len()).collect();
    let mut cells = gather(&world.store, &recipes(), &CompareSettings::default(), now(), all_different).await.unwrap();
    let text = |s: &str| s.to_owned();
    let by = ComparedBy { config_hash: text("c"), codebook_hash: text("b"), recipe: text("p | n"), seed: 1 };
    let answer = compare(&cells, &by);
    let names = answer.components.iter().map(|c| c.name.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["coverage", "commitment", "calibration_won", "calibration_value", "sentiment"]);
    let won = &answer.components[2];
    assert_eq!((won.verdict.as_str(), won.n), ("finding", 80), "{}", won.says);
    assert!((won.estimate.unwrap() - (0.65 - 27.0 / 80.0)).abs() < 1e-9);
    assert!(won.says.starts_with("Of 80 deals, 27 were won within 90 days"), "{}", won.says);
    let calibration = answer.calibration.as_ref().unwrap();
    assert_eq!(calibration.won.last.source, "crm_prob");
    assert_eq!(calibration.notes, Some(["2024-01-01".to_owned(), "2024-03-20".to_owned()]), "of any time");
    assert_eq!(answer.components[3].verdict, "not_enough_evidence");

    // The same answer twice, and none without deals.
    assert_eq!(answer, compare(&cells, &by));
    cells.deals.clear();
    assert!(compare(&cells, &by).calibration.is_none());
}
