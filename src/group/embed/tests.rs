//! The ways to embed, on a server that is not there and a model of a few random numbers.

use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;
use crate::model::Contact;
use crate::store::CrmBatch;

fn unit(side: Side, who: &str, quote: &str, around: &str) -> Unit {
    Unit {
        side,
        id: format!("{who} {quote}"),
        who: who.to_owned(),
        community: String::new(),
        conversation: who.to_owned(),
        builds: true,
        complains: true,
        quote: quote.to_owned(),
        bare: quote.to_owned(),
        around: around.to_owned(),
        title: String::new(),
    }
}

struct House {
    _folder: tempfile::TempDir,
    store: Store,
}

async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
    House { _folder: folder, store }
}

/// A server whose vectors say how often each of five letters stands in a text, with what it was sent.
async fn server() -> (MockServer, Arc<Mutex<Vec<String>>>) {
    let (server, sent) = (MockServer::start().await, Arc::new(Mutex::new(Vec::new())));
    let heard = Arc::clone(&sent);
    Mock::given(method("POST"))
        .and(path("/v1/embeddings"))
        .respond_with(move |request: &Request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap();
            let vector = |text: &String| {
                let counts = ['a', 'e', 'i', 'o', 'u'].map(|letter| text.matches(letter).count());
                json!({ "embedding": counts.to_vec() })
            };
            let data = texts.iter().map(vector).collect::<Vec<_>>();
            heard.lock().unwrap().extend(texts);
            ResponseTemplate::new(200).set_body_json(json!({ "data": data, "usage": { "prompt_tokens": 3 } }))
        })
        .mount(&server)
        .await;
    (server, sent)
}

async fn served(server: &MockServer, store: Option<&Store>) -> Embedder {
    let mut settings = ServedSettings::new(format!("{}/v1", server.uri()), "small");
    settings.texts_per_request = 2;
    settings.server.contact_names = vec!["Bob Quill".to_owned()];
    Embedder::served(&settings, store, Clock::Fixed(Timestamp::UNIX_EPOCH), Timer::leaping()).await.unwrap()
}

async fn vectors(embedder: &Embedder, store: &Store, units: &[Unit]) -> Vectors {
    embedder.vectors(Some(store), units, &[], Progress::new(true)).await.unwrap().unwrap()
}

fn of(vectors: &Vectors, text: &str) -> Vec<f32> {
    vectors.of(text).unwrap().collect()
}

#[tokio::test]
async fn what_is_embedded_is_what_is_compared() {
    let (server, _) = server().await;
    let house = house().await;
    let unit = Unit { bare: " loses rows".to_owned(), ..unit(Side::Community, "ann", "Acme loses rows", "again") };
    let vectors = vectors(&served(&server, None).await, &house.store, std::slice::from_ref(&unit)).await;
    for (words, _) in unit.passage().parts().iter().filter(|(words, _)| !words.is_empty()) {
        assert!(vectors.of(words).is_some(), "{words:?}");
    }
}

#[tokio::test]
async fn a_text_is_sent_once_and_forgotten_when_it_is_gone() {
    let (House { _folder, store }, (server, sent)) = (house().await, server().await);
    let embedder = served(&server, Some(&store)).await;
    let mut units = vec![
        unit(Side::Community, "x", "aaa", "ee"),
        unit(Side::Community, "y", "aaa", "oi"),
        unit(Side::Crm, "z", "uuu", "  "),
    ];
    let first = vectors(&embedder, &store, &units).await;
    assert_eq!((first.known, first.made, first.width()), (0, 4, 5));
    assert_eq!(of(&first, "aaa"), [1.0, 0.0, 0.0, 0.0, 0.0]);
    let half = f32::midpoint(0.0, 2.0_f32.sqrt());
    assert!((of(&first, "oi")[3] - half).abs() < 1e-3);
    assert!(first.of("  ").is_none() && first.of("never said").is_none());
    assert_eq!(sent.lock().unwrap().len(), 4, "the same words are sent once");
    assert_eq!(store.llm_spent().await.unwrap().prompt_tokens, 6, "both requests are in the ledger");

    units.push(unit(Side::Community, "x", "new", ""));
    let again = vectors(&served(&server, Some(&store)).await, &store, &units).await;
    assert_eq!((again.known, again.made), (4, 1));
    assert_eq!(of(&again, "oi"), of(&first, "oi"), "a kept vector is the one that was made");
    assert_eq!(sent.lock().unwrap().len(), 5);

    assert!(Embedder::Embedded.vectors(Some(&store), &units[..1], &[], Progress::new(true)).await.unwrap().is_none());
    let last = vectors(&embedder, &store, &units).await;
    assert_eq!((last.known, last.made), (2, 3), "grouping without a model lets go of what is gone, too");
}

#[tokio::test]
async fn nothing_private_is_sent() {
    let (House { _folder, store }, (server, sent)) = (house().await, server().await);
    let contact = |id: &str, account: &str, name: &str| Contact {
        id: id.to_owned(),
        account: Some(AccountId::new(account)),
        name: Some(name.to_owned()),
        email: None,
    };
    let contacts = vec![contact("1", "a", "Ines Vale"), contact("2", "b", "Tam Okoro")];
    store.write_crm(&CrmBatch { contacts, ..CrmBatch::default() }).await.unwrap();
    let units = [
        unit(Side::Community, "x", "I wrote to bo@fi\u{200B}rm.example and Bob Quill, twice", "call +49 170 1234567"),
        unit(Side::Crm, "a", "Ines says it fails", "Tam Okoro agreed"),
        unit(Side::Crm, "a", "Tam and Ines wait", ""),
        unit(Side::Crm, "b", "Tam and Ines wait", ""),
    ];
    let found = vectors(&served(&server, Some(&store)).await, &store, &units).await;
    let mut sent = sent.lock().unwrap().clone();
    sent.sort();
    assert_eq!(
        sent,
        [
            "I wrote to [email] and [name], twice",
            "[name] agreed",
            "[name] and [name] wait",
            "[name] says it fails",
            "call [phone]"
        ]
    );
    assert!(units.iter().all(|u| found.of(&u.quote).is_some()), "what was sent masked is found by its own words");
}

#[tokio::test]
async fn another_model_behind_the_same_name_is_noticed() {
    let (House { _folder, store }, (server, _)) = (house().await, server().await);
    let embedder = served(&server, Some(&store)).await;
    let units = [unit(Side::Community, "x", "aaa", "")];
    let hash = content_hash(&["ooo"]);
    store.keep_embeddings(&embedder.name(), &[(hash, vec![0; 6])], None).await.unwrap();
    let texts = [units[0].clone(), unit(Side::Community, "x", "ooo", "")];
    let error = embedder.vectors(Some(&store), &texts, &[], Progress::new(true)).await.unwrap_err().to_string();
    assert!(error.contains("of 3 numbers and now of 5"), "{error}");
    let after = embedder.vectors(Some(&store), &texts, &[], Progress::new(true)).await.unwrap().unwrap();
    assert_eq!(after.made, 2, "the next run starts afresh");
}

#[tokio::test]
async fn a_server_that_cannot_is_an_error_that_says_so() {
    let (House { _folder, store }, server) = (house().await, MockServer::start().await);
    let embedder = served(&server, Some(&store)).await;
    let units = [unit(Side::Community, "x", "aaa", "")];
    let error = format!("{:#}", embedder.vectors(Some(&store), &units, &[], Progress::new(true)).await.unwrap_err());
    assert!(error.contains("next run goes on") && error.contains("embedding.base_url"), "{error}");
}

#[cfg(feature = "local-embeddings")]
#[tokio::test]
async fn a_model_in_a_folder_embeds_once() {
    let House { _folder, store } = house().await;
    let folder = local::tests::tiny();
    let settings = EmbeddingSettings::Local(folder.path().to_owned());
    let clock = Clock::Fixed(Timestamp::UNIX_EPOCH);
    let embedder = Embedder::new(&settings, Some(&store), clock).await.unwrap();
    let units = [
        unit(Side::Community, "x", "the kettle leaks", "rain"),
        unit(Side::Crm, "z", "the chain squeaks", "the kettle leaks"),
    ];
    let first = vectors(&embedder, &store, &units).await;
    assert_eq!((first.known, first.made, first.width()), (0, 3, 8));
    let vector = of(&first, "rain");
    assert!((vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-2);
    let again = vectors(&Embedder::new(&settings, Some(&store), clock).await.unwrap(), &store, &units).await;
    assert_eq!((again.known, again.made), (3, 0));
    assert_eq!(of(&again, "rain"), vector);
}

#[cfg(not(feature = "local-embeddings"))]
#[tokio::test]
async fn a_model_in_a_folder_wants_its_feature() {
    let settings = EmbeddingSettings::Local("model".into());
    let error = Embedder::new(&settings, None, Clock::Fixed(Timestamp::UNIX_EPOCH)).await.unwrap_err().to_string();
    assert!(error.contains("--features local-embeddings"), "{error}");
}
