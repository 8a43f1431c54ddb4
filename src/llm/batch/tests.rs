use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;
use crate::config::LlmSettings;
use crate::extract::by_model::{self, ByBatch, run_by_batch};
use crate::extract::cascade::Cascade;
use crate::extract::llm::Reader;
use crate::llm::Unanswered;
use crate::llm::ask::Asking;
use crate::llm::tests::{FINE, House, ONE, house, model, mood, question, said, settings, times};
use crate::model::{Post, PostFlags, PostId, Source, Thread, ThreadId};
use crate::progress::Progress;
use crate::store::{Batch, LlmSpent};
use crate::text::redact::Names;

/// What one answer of a batch costs: half of [`ONE`].
const HALF: Usage = Usage { cost_micros: 100, ..ONE };

type Lines = Arc<Mutex<Vec<Value>>>;

/// A provider that says `states` one after the other, answers every question of a batch whose text is not "lost", and
/// keeps the lines of the uploaded files.
async fn provider(states: &'static [&'static str]) -> (MockServer, Lines) {
    provider_saying(FINE, states).await
}

async fn provider_saying(words: &'static str, states: &'static [&'static str]) -> (MockServer, Lines) {
    let server = MockServer::start().await;
    let lines = Lines::default();
    let json = |value: Value| ResponseTemplate::new(200).set_body_json(value);
    let kept = Arc::clone(&lines);
    Mock::given(method("POST"))
        .and(path("/v1/files"))
        .respond_with(move |request: &Request| {
            let body = String::from_utf8_lossy(&request.body);
            assert!(body.contains("name=\"purpose\"") && body.contains("batch"), "{body}");
            let found = body.lines().filter(|line| line.starts_with("{\"custom_id\""));
            kept.lock().unwrap().extend(found.map(|line| serde_json::from_str::<Value>(line).unwrap()));
            json(json!({ "id": "file-1", "object": "file" }))
        })
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/v1/batches"))
        .respond_with(move |request: &Request| {
            assert_eq!(request.body_json::<Value>().unwrap()["input_file_id"], "file-1");
            json(json!({ "id": "batch-1", "status": "validating" }))
        })
        .mount(&server)
        .await;
    let count = AtomicUsize::new(0);
    Mock::given(method("GET"))
        .and(path("/v1/batches/batch-1"))
        .respond_with(move |_: &Request| {
            let state = states[count.fetch_add(1, Ordering::SeqCst).min(states.len() - 1)];
            let output = (state != "failed").then_some("out-1");
            let errors = (state == "failed").then(|| json!({ "data": [{ "message": "too many tokens" }] }));
            json(json!({ "id": "batch-1", "status": state, "output_file_id": output, "errors": errors }))
        })
        .mount(&server)
        .await;
    let asked = Arc::clone(&lines);
    Mock::given(method("GET"))
        .and(path("/v1/files/out-1/content"))
        .respond_with(move |_: &Request| {
            let answer = |line: &Value| {
                let completion = json!({
                    "choices": [{ "message": { "content": words }, "finish_reason": "stop" }],
                    "usage": { "prompt_tokens": 100, "completion_tokens": 10 },
                });
                let lost = line["body"]["messages"][3]["content"] == "lost";
                let (status, body) = if lost { (500, json!({})) } else { (200, completion) };
                let response = json!({ "status_code": status, "body": body });
                json!({ "id": "x", "custom_id": line["custom_id"], "response": response, "error": null }).to_string()
            };
            let answers: Vec<String> = asked.lock().unwrap().iter().rev().map(answer).collect();
            ResponseTemplate::new(200).set_body_string(answers.join("\n"))
        })
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/v1/chat/completions"))
        .respond_with(|_: &Request| said(FINE))
        .mount(&server)
        .await;
    (server, lines)
}

#[tokio::test]
async fn a_batch_fills_the_cache_at_its_own_price_although_the_run_was_killed() {
    let (server, lines) = provider(&["in_progress", "completed"]).await;
    let house = house().await;
    let first = model(&settings(&server), &house.store).await;
    mood(&first, "known").await.unwrap();
    let questions = ["known", "a", "b", "b", "lost"].map(|text| question("u1", text));
    let id = first.submit_batch(&questions).await.unwrap().unwrap();
    assert_eq!(id.to_string(), "batch-1");
    let sent: Vec<Value> = lines.lock().unwrap().iter().map(|line| line["body"].clone()).collect();
    assert_eq!(sent, [1, 2, 4].map(|at| first.request_body(&questions[at])));
    drop(first);

    let second = model(&settings(&server), &house.store).await;
    assert_eq!(second.submit_batch(&questions).await.unwrap(), None, "nothing is handed over twice");
    let waiting = second.collect_batches().await.unwrap();
    assert_eq!(waiting, Collected { waiting: 1, asked: 3, ..Collected::default() });
    let ended = second.collect_batches().await.unwrap();
    let usage = Usage { calls: 2, prompt_tokens: 200, completion_tokens: 20, cost_micros: 200, cached: 0 };
    assert_eq!(ended, Collected { batches: 1, unanswered: 1, usage, ..Collected::default() });
    assert_eq!(second.collect_batches().await.unwrap(), Collected::default(), "collected once");

    let (_, cached) = mood(&second, "a").await.unwrap();
    assert_eq!((cached.calls, cached.cached), (0, 1));
    assert_eq!(mood(&second, "lost").await.unwrap().1, ONE, "asked as usual");
    let (live, batched) = (times(ONE, 2), times(HALF, 2));
    let sum = LlmSpent {
        calls: 4,
        prompt_tokens: 400,
        completion_tokens: 40,
        cost_micros: live.cost_micros + batched.cost_micros,
    };
    assert_eq!(house.store.llm_spent().await.unwrap(), sum);
}

/// Three posts, to be read by a model behind `server`.
async fn with_posts(house: &House, server: &MockServer) -> Reader {
    let thread = Thread {
        id: ThreadId::new("jsonl:t"),
        source: Source::Jsonl,
        community: "c".to_owned(),
        title: String::new(),
        url: None,
        started_at: None,
    };
    let post = |n: usize| Post {
        id: PostId::new(format!("jsonl:{n}")),
        thread: thread.id.clone(),
        parent: None,
        source: Source::Jsonl,
        community: "c".to_owned(),
        author: None,
        written_at: None,
        edited_at: None,
        url: None,
        text: format!("Export {n} drops rows. It is Friday."),
        flags: PostFlags::default(),
    };
    let posts = Batch { posts: (0..3).map(post).collect(), threads: vec![thread.clone()], ..Batch::default() };
    house.store.write_batch(&posts).await.unwrap();
    let model = Arc::new(model(&settings(server), &house.store).await);
    Reader::new(model, Asking::default(), Names::default(), [7; 32])
}

const EVERY_POST: Cascade = Cascade { pass_on: 0.0, audit: 0.0 };

/// What the ledger holds, as a summary says it.
async fn ledger(house: &House) -> Value {
    let LlmSpent { calls, prompt_tokens, completion_tokens, cost_micros } = house.store.llm_spent().await.unwrap();
    Usage { calls, cached: 0, prompt_tokens, completion_tokens, cost_micros }.published()
}

#[tokio::test]
async fn a_summary_says_what_was_paid_for_answers_of_no_use() {
    let (server, _) = provider(&[]).await;
    let house = house().await;
    let reader = with_posts(&house, &server).await;
    let summary = by_model::run(&house.store, &reader, EVERY_POST, Progress::new(true)).await.unwrap();
    assert_eq!((summary.done, summary.failed), (0, 3), "{summary:?}");
    assert!(summary.detail["spent"]["cost"].as_f64() > Some(0.0), "{summary:?}");
    assert_eq!(summary.detail["spent"]["prompt_tokens"], ledger(&house).await["prompt_tokens"]);
}

#[tokio::test]
async fn posts_are_handed_over_waited_for_and_read_without_asking_again() {
    let sheet = r#"{"voice":"first_hand","complaint":[{"at":1,"severity":"no_reproach"}],"failed_workaround":[],
        "workaround":[],"ask":[],"switch":[],"praise":[],"texture":[]}"#;
    let (server, lines) = provider_saying(sheet, &["in_progress", "completed"]).await;
    let house = house().await;
    let reader = with_posts(&house, &server).await;
    let run = async || run_by_batch(&house.store, &reader, EVERY_POST, Progress::new(true)).await.unwrap();
    for turn in 0..2 {
        let ByBatch::UnderWay(collected) = run().await else { panic!("nothing is there yet") };
        assert_eq!((collected.batches, collected.waiting), (0, 1), "turn {turn}");
        assert_eq!(lines.lock().unwrap().len(), 3, "handed over once");
    }
    let ByBatch::Read(summary) = run().await else { panic!("all is there") };
    assert_eq!((summary.done, summary.failed), (3, 0), "{summary:?}");
    let spent = &summary.detail["spent"];
    assert_eq!((&spent["calls"], &spent["cached"]), (&json!(3), &json!(3)), "what the batch cost is in it");
    assert_eq!(spent["cost"], ledger(&house).await["cost"]);
    assert_eq!(house.store.llm_spent().await.unwrap(), times(HALF, 3));
    let asked = server.received_requests().await.unwrap();
    assert!(asked.iter().all(|request| !request.url.path().ends_with("/chat/completions")));
}

#[tokio::test]
async fn a_batch_whose_id_was_not_written_down_is_found_by_its_file() {
    let (server, _) = provider(&["completed"]).await;
    let listed = |request: &Request| {
        let after = request.url.query_pairs().any(|(key, value)| key == "after" && value == "batch-9");
        let of = |id: &str, file: &str| json!({ "id": id, "input_file_id": file });
        let page = match after {
            false => json!({ "data": [of("batch-9", "file-9")], "has_more": true }),
            true => json!({ "data": [of("batch-1", "file-1")], "has_more": false }),
        };
        ResponseTemplate::new(200).set_body_json(page)
    };
    Mock::given(method("GET")).and(path("/v1/batches")).respond_with(listed).mount(&server).await;
    let house = house().await;
    let first = model(&settings(&server), &house.store).await;
    first.submit_batch(&[question("u1", "a")]).await.unwrap().unwrap();
    house.store.name_llm_batch("batch-1", "of file file-1").await.unwrap();
    let second = model(&settings(&server), &house.store).await;
    let ended = second.collect_batches().await.unwrap();
    assert_eq!((ended.batches, ended.unanswered), (1, 0));
    assert_eq!(mood(&second, "a").await.unwrap().1.cached, 1);
    // And one that was never made is forgotten, and asked for as usual.
    second.submit_batch(&[question("u2", "b")]).await.unwrap().unwrap();
    house.store.name_llm_batch("batch-1", "of file file-2").await.unwrap();
    let ended = second.collect_batches().await.unwrap();
    assert_eq!((ended.batches, ended.unanswered), (1, 1));
    assert_eq!(mood(&second, "b").await.unwrap().1, ONE);
}

#[tokio::test]
async fn a_batch_counts_as_spent_until_it_is_collected() {
    let (server, lines) = provider(&["completed"]).await;
    let house = house().await;
    let unlimited = settings(&server);
    let asked = [question("u1", "a"), question("u2", "b")];
    let counting = model(&unlimited, &house.store).await;
    // Half of 1 a million in, half of 10 a million out, rounded up for each question.
    let one = |q: &Question| (counting.request_tokens(q) - 50).div_ceil(2) + 250;
    let most = asked.iter().map(one).sum::<u64>();
    let with = |budget| LlmSettings { budget_micros: Some(budget), ..unlimited.clone() };

    let refused = model(&with(most - 1), &house.store).await.submit_batch(&asked).await.unwrap_err();
    assert!(matches!(refused.downcast_ref(), Some(Unanswered::OverBudget(_))), "{refused}");
    assert!(lines.lock().unwrap().is_empty() && server.received_requests().await.unwrap().is_empty());

    model(&with(most), &house.store).await.submit_batch(&asked).await.unwrap().unwrap();
    let next = model(&with(most), &house.store).await;
    assert!(matches!(mood(&next, "c").await, Err(Unanswered::OverBudget(_))), "a later run knows of it");
    next.collect_batches().await.unwrap();
    assert_eq!(house.store.llm_spent().await.unwrap(), times(HALF, 2));
    let rest = most - 2 * HALF.cost_micros;
    let live = counting.request_tokens(&asked[0]) - 50 + 500;
    assert_eq!(mood(&next, "c").await.is_ok(), live <= rest, "what it did not cost is there again");
}

#[tokio::test]
async fn a_batch_that_failed_is_forgotten_and_its_money_given_back() {
    let (server, _) = provider(&["failed"]).await;
    let house = house().await;
    let mut settings = settings(&server);
    settings.budget_tokens = Some(500);
    let model = model(&settings, &house.store).await;
    model.submit_batch(&[question("u1", "a"), question("u2", "b")]).await.unwrap().unwrap();
    let ended = model.collect_batches().await.unwrap();
    assert_eq!((ended.batches, ended.unanswered), (1, 2));
    assert!(ended.failed.is_some_and(|why| why.contains("batch-1") && why.contains("too many tokens")));
    assert!(mood(&model, "a").await.is_ok() && mood(&model, "b").await.is_ok());
    assert_eq!(house.store.llm_spent().await.unwrap(), times(ONE, 2));
}

/// At the price of batches is not at any price.
#[tokio::test]
async fn what_a_failed_batch_left_is_not_asked_for_at_the_full_price() {
    let (server, lines) = provider(&["failed"]).await;
    let house = house().await;
    let reader = with_posts(&house, &server).await;
    let run = async || run_by_batch(&house.store, &reader, EVERY_POST, Progress::new(true)).await;
    assert!(matches!(run().await, Ok(ByBatch::UnderWay(_))));
    let told = format!("{:#}", run().await.unwrap_err());
    assert!(told.contains("too many tokens") && told.contains("without --batch"), "{told}");
    assert_eq!(house.store.llm_spent().await.unwrap(), LlmSpent::default());
    assert!(matches!(run().await, Ok(ByBatch::UnderWay(_))), "the next run hands over again");
    assert_eq!(lines.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn a_server_without_batches_says_so_and_keeps_no_money() {
    let server = MockServer::start().await;
    let house = house().await;
    let mut settings = settings(&server);
    settings.budget_tokens = Some(500);
    let model = model(&settings, &house.store).await;
    for _ in 0..3 {
        let error = format!("{:#}", model.submit_batch(&[question("u1", "a")]).await.unwrap_err());
        assert!(error.contains("not every server takes batches"), "{error}");
    }
    assert_eq!(house.store.llm_batches(&format!("{}/v1", server.uri()), "small").await.unwrap(), []);
}
