//! The door before servers that behave well, badly and not at all. Waits of the gate are leapt over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{Model, Outlook, Question, Unanswered, Usage};
use crate::clock::Clock;
use crate::config::{LlmSettings, Price};
use crate::net::Timer;
use crate::store::{LlmSpent, Store};

/// A question about `text` that wants a mood.
pub(super) fn question(unit: &str, text: &str) -> Question {
    Question {
        unit: unit.to_owned(),
        prompt: "mood",
        system: "Say what mood a text is in.".to_owned(),
        examples: vec![("What a day.".to_owned(), r#"{"mood":"tired"}"#.to_owned())],
        user: text.to_owned(),
        schema: json!({
            "type": "object",
            "properties": { "mood": { "type": "string", "enum": ["fine", "tired", "angry"] } },
            "required": ["mood"],
            "additionalProperties": false,
        }),
        max_tokens: 50,
    }
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mood {
    mood: String,
}

pub(super) const FINE: &str = r#"{"mood":"fine"}"#;

/// What a server says that charges 100 tokens for the question and 10 for the answer.
pub(super) fn said(text: &str) -> ResponseTemplate {
    ended(text, "stop")
}

fn ended(text: &str, finish: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": finish }],
        "usage": { "prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110 },
    }))
}

fn error(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "error": { "message": message, "code": status } }))
}

/// A server that answers its n-th request, from 0, with what `answer` says.
async fn server(answer: impl Fn(usize, &Value) -> ResponseTemplate + Send + Sync + 'static) -> MockServer {
    let server = MockServer::start().await;
    let count = AtomicUsize::new(0);
    Mock::given(method("POST"))
        .and(path("/v1/chat/completions"))
        .respond_with(move |request: &Request| {
            let body = serde_json::from_slice(&request.body).unwrap();
            answer(count.fetch_add(1, Ordering::SeqCst), &body)
        })
        .mount(&server)
        .await;
    server
}

pub(super) struct House {
    folder: tempfile::TempDir,
    pub(super) store: Store,
}

pub(super) async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
    House { folder, store }
}

pub(super) fn settings(server: &MockServer) -> LlmSettings {
    let mut settings = LlmSettings::new(format!("{}/v1", server.uri()), "small");
    settings.api_key = SecretString::from("sk-very-secret");
    settings.prices.insert("small".to_owned(), Price { input: 1.0, output: 10.0, batch: 0.5 });
    settings
}

pub(super) async fn model(settings: &LlmSettings, store: &Store) -> Model {
    let clock = Clock::Fixed(Timestamp::UNIX_EPOCH);
    Model::with_timer(settings, Some(store.clone()), clock, Timer::leaping()).await.unwrap()
}

/// What one answer of [`said`] costs.
pub(super) const ONE: Usage =
    Usage { calls: 1, cached: 0, prompt_tokens: 100, completion_tokens: 10, cost_micros: 200 };

pub(super) fn times(one: Usage, n: u64) -> LlmSpent {
    LlmSpent {
        calls: n,
        prompt_tokens: n * one.prompt_tokens,
        completion_tokens: n * one.completion_tokens,
        cost_micros: n * one.cost_micros,
    }
}

fn sum(one: Usage, n: u64) -> Usage {
    let LlmSpent { calls, prompt_tokens, completion_tokens, cost_micros } = times(one, n);
    Usage { calls, cached: 0, prompt_tokens, completion_tokens, cost_micros }
}

pub(super) async fn mood(model: &Model, text: &str) -> Result<(String, Usage), Unanswered> {
    let before = model.usage();
    let Mood { mood } = model.ask(&question("u1", text)).await?;
    Ok((mood, model.usage() - before))
}

#[tokio::test]
async fn an_answer_is_paid_for_once() {
    let (server, house) = (server(|_, _| said(FINE)).await, house().await);
    let first = model(&settings(&server), &house.store).await;
    assert_eq!(mood(&first, "a").await.unwrap(), ("fine".to_owned(), ONE));
    let cached = Usage { cached: 1, ..Usage::default() };
    assert_eq!(mood(&first, "a").await.unwrap(), ("fine".to_owned(), cached));
    let second = model(&settings(&server), &house.store).await;
    assert_eq!(mood(&second, "a").await.unwrap(), ("fine".to_owned(), cached));
    assert_eq!(second.usage(), cached);
    assert_eq!(house.store.llm_spent().await.unwrap(), times(ONE, 1));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn the_same_question_asked_at_once_is_paid_for_once() {
    let (server, house) = (server(|_, _| said(FINE).set_delay(Duration::from_millis(30))).await, house().await);
    let model = model(&settings(&server), &house.store).await;
    let (a, b, c) = tokio::join!(mood(&model, "a"), mood(&model, "a"), mood(&model, "b"));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(
        model.usage(),
        Usage { calls: 2, cached: 1, prompt_tokens: 200, completion_tokens: 20, cost_micros: 400 }
    );
}

#[tokio::test]
async fn storms_of_429_and_500_are_waited_out() {
    let house = house().await;
    type Storm = fn(usize) -> ResponseTemplate;
    let storms: [(&str, Storm); 4] = [
        ("429", |_| error(429, "slow down").insert_header("retry-after", "7")),
        ("429 without words", |_| ResponseTemplate::new(429)),
        ("500", |_| ResponseTemplate::new(500).set_body_string("<html>oops</html>")),
        ("mixed", |n| if n % 2 == 0 { error(503, "loading model") } else { error(429, "slow down") }),
    ];
    for (at, (name, storm)) in storms.into_iter().enumerate() {
        let server = server(move |n, _| if n < 12 { storm(n) } else { said(FINE) }).await;
        let model = model(&settings(&server), &house.store).await;
        let texts = (0..10).map(|n| format!("{name} {n}")).collect::<Vec<_>>();
        let answers = futures_util::future::join_all(texts.iter().map(|text| mood(&model, text))).await;
        assert!(answers.iter().all(Result::is_ok), "{name}: {answers:?}");
        assert_eq!(model.usage().calls, 10, "{name}");
        assert_eq!(house.store.llm_spent().await.unwrap(), times(ONE, 10 * (at as u64 + 1)), "{name}");
    }
}

#[tokio::test]
async fn a_server_that_stays_away_ends_the_run_with_what_to_do() {
    let (server, house) = (server(|_, _| error(503, "loading model")).await, house().await);
    let away = model(&settings(&server), &house.store).await;
    let outcome = mood(&away, "a").await.unwrap_err();
    assert!(matches!(outcome, Unanswered::Down(_)) && outcome.to_string().contains("run again"), "{outcome}");
    assert!(outcome.to_string().contains("loading model"), "{outcome}");
    assert_eq!(house.store.llm_spent().await.unwrap(), LlmSpent::default());
}

#[tokio::test]
async fn a_wrong_address_ends_the_run_with_the_cause_and_where_to_look() {
    let house = house().await;
    let page = server(|_, _| ResponseTemplate::new(200).set_body_string("<html>log in</html>")).await;
    let no_tls = page.uri().replace("http:", "https:");
    for (base, cause) in [
        ("http://127.0.0.1:9/v1".to_owned(), "refused"),
        (format!("{no_tls}/v1"), "could not connect"),
        (format!("{}/v1", page.uri()), "no chat completion"),
    ] {
        let mut settings = settings(&page);
        settings.base_url = base;
        let outcome = mood(&model(&settings, &house.store).await, "a").await.unwrap_err();
        assert!(matches!(outcome, Unanswered::Down(_)), "{outcome}");
        let words = outcome.to_string();
        assert!(words.contains(cause) && words.contains("check llm.base_url"), "{words}");
    }
    assert_eq!(house.store.llm_spent().await.unwrap(), LlmSpent::default());
}

#[tokio::test]
async fn a_refused_key_or_model_ends_the_run_at_once() {
    let house = house().await;
    for (status, message, hint) in [
        (401, "bad key sk-very-secret", "CANDOR_LLM_KEY"),
        (402, "more credits needed", "no credit"),
        (403, "not for you", "may not use"),
        (404, "model not found", "llm.model"),
        (400, "small is not a valid model ID", "llm.model"),
        (302, "elsewhere", "llm.base_url"),
    ] {
        let server = server(move |_, _| error(status, message)).await;
        let model = model(&settings(&server), &house.store).await;
        for _ in 0..2 {
            let outcome = mood(&model, "a").await.unwrap_err();
            assert!(matches!(outcome, Unanswered::Down(_)), "{outcome}");
            let words = outcome.to_string();
            assert!(words.contains(hint) && !words.contains("sk-very-secret"), "{words}");
        }
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "{status}: asked no more");
    }
}

#[tokio::test]
async fn a_server_that_wants_a_key_and_gets_none_is_not_told_of_a_wrong_one() {
    let (server, house) = (server(|_, _| error(401, "no key")).await, house().await);
    let settings = LlmSettings { api_key: SecretString::from(""), ..settings(&server) };
    let outcome = mood(&model(&settings, &house.store).await, "a").await.unwrap_err().to_string();
    assert!(outcome.contains("wants a key; put it into the environment variable CANDOR_LLM_KEY"), "{outcome}");
}

#[tokio::test]
async fn spent_credit_is_no_busy_server() {
    let (server, house) = (
        server(|_, _| {
            let quota = json!({ "error": { "message": "see your plan", "type": "insufficient_quota", "code": null } });
            ResponseTemplate::new(429).set_body_json(quota)
        })
        .await,
        house().await,
    );
    let outcome = mood(&model(&settings(&server), &house.store).await, "a").await.unwrap_err();
    assert!(outcome.to_string().contains("no credit"), "{outcome}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn refused_questions_are_set_aside_one_by_one() {
    let house = house().await;
    let long = "the request exceeds the available context size";
    let server = server(move |_, body| match body["messages"][3]["content"].as_str() {
        Some(text) if text.starts_with("long") => error(400, long),
        Some("large") => error(413, "too large"),
        Some("flagged") => error(403, "your input was flagged"),
        Some("filtered") => ended("", "content_filter"),
        _ => said(FINE),
    })
    .await;
    let model = model(&settings(&server), &house.store).await;
    for text in ["long", "large", "flagged", "filtered"] {
        let outcome = mood(&model, text).await.unwrap_err();
        assert!(matches!(outcome, Unanswered::Refused { .. }) && outcome.is_about_one_item(), "{text}: {outcome}");
        assert_eq!(mood(&model, "short").await.unwrap().0, "fine");
    }
    assert_eq!(house.store.llm_spent().await.unwrap(), times(ONE, 2), "the filtered answer and one fine one");
}

#[tokio::test]
async fn a_malformed_answer_is_asked_once_more_and_both_are_paid_for() {
    let house = house().await;
    for (at, (bad, finish)) in
        [(r#"{"colour":"red"}"#, "stop"), ("I'd rather not.", "stop"), (r#"{"mood":"fi"#, "length")]
            .into_iter()
            .enumerate()
    {
        let server = server(move |_, body| {
            let text = body["messages"][3]["content"].as_str().unwrap();
            if text.starts_with("well") {
                return said(FINE);
            }
            if body["temperature"] == json!(0) || text.starts_with("hopeless") {
                ended(bad, finish)
            } else {
                said(FINE)
            }
        })
        .await;
        let model = model(&settings(&server), &house.store).await;
        mood(&model, &format!("well {at}")).await.unwrap();
        let (value, usage) = mood(&model, &format!("a {at}")).await.unwrap();
        assert_eq!((value.as_str(), usage.calls), ("fine", 2));
        let hopeless = format!("hopeless {at}");
        let before = model.usage();
        for calls in [2, 2] {
            let outcome = mood(&model, &hopeless).await.unwrap_err();
            assert!(matches!(outcome, Unanswered::Malformed { .. }), "{outcome}");
            assert_eq!((model.usage() - before).calls, calls, "a run does not pay for it again");
        }
        let requests = server.received_requests().await.unwrap();
        let limits = requests
            .iter()
            .rev()
            .take(4)
            .rev()
            .map(|r| r.body_json::<Value>().unwrap()["max_tokens"].as_u64().unwrap());
        let longer = if finish == "length" { 100 } else { 50 };
        assert_eq!(limits.collect::<Vec<_>>(), [50, longer, 50, longer]);
        assert_eq!(house.store.llm_spent().await.unwrap(), times(ONE, 5 * (at as u64 + 1)));
    }
}

/// What a server did to one run is not the last word on a post: paid once a run, and not lost for ever.
#[tokio::test]
async fn what_could_not_be_used_is_asked_again_in_a_later_run_and_the_ledger_keeps_both() {
    let (house, ill) = (house().await, Arc::new(AtomicUsize::new(1)));
    let illness = Arc::clone(&ill);
    let server = server(move |_, body| {
        let second = body["temperature"] != json!(0);
        let text = body["messages"][3]["content"].as_str().unwrap_or_default();
        let fine = || said(FINE);
        if illness.load(Ordering::SeqCst) == 0 || text == "well" {
            return fine();
        }
        match text {
            "wrong" => said(r#"{"colour":"red"}"#),
            "cut" => ResponseTemplate::new(200).set_body_string(r#"{"choices":[{"message":{"content":"{\"moo"#),
            "filtered" => ended("", "content_filter"),
            "made up for" if second => fine(),
            _ => said("hm"),
        }
    })
    .await;
    let texts = ["well", "wrong", "cut", "filtered", "made up for"];
    let run = async |model: &Model| {
        for (at, text) in texts.iter().enumerate() {
            let good = mood(model, text).await.is_ok();
            assert_eq!(good, ill.load(Ordering::SeqCst) == 0 || [0, 4].contains(&at), "{text}");
        }
    };
    let first = model(&settings(&server), &house.store).await;
    run(&first).await;
    let asked = first.usage().calls;
    assert_eq!(asked, 1 + 2 + 2 + 1 + 2);
    run(&first).await;
    assert_eq!(first.usage().calls, asked, "in the run that paid for it nothing is asked again");
    let spent = house.store.llm_spent().await.unwrap();
    ill.store(0, Ordering::SeqCst);
    let second = model(&settings(&server), &house.store).await;
    let questions = texts.map(|text| question("u1", text));
    assert_eq!(second.estimate(&outlook(&questions), &mut |_| Ok(())).await.unwrap().cached, 2);
    run(&second).await;
    assert_eq!((second.usage().calls, second.usage().cached), (3, 3), "only what could not be used, once");
    let both = house.store.llm_spent().await.unwrap();
    assert_eq!(both.cost_micros, spent.cost_micros + 3 * ONE.cost_micros);
}

#[tokio::test]
async fn a_reply_cut_on_its_way_is_paid_for_and_asked_once_more() {
    let house = house().await;
    let server = server(|n, _| {
        if n == 0 {
            ResponseTemplate::new(200).set_body_string(r#"{"choices":[{"message":{"content":"{\"moo"#)
        } else {
            said(FINE)
        }
    })
    .await;
    let (value, usage) = mood(&model(&settings(&server), &house.store).await, "a").await.unwrap();
    assert_eq!((value.as_str(), usage.calls), ("fine", 2));
    assert!(usage.prompt_tokens > 100 && usage.cost_micros > 200, "estimated, for want of the server's numbers");
    let spent = house.store.llm_spent().await.unwrap();
    assert_eq!((spent.calls, spent.cost_micros), (2, usage.cost_micros));
}

#[tokio::test]
async fn answers_are_asked_for_as_the_server_understands_and_that_is_remembered() {
    let house = house().await;
    let server = server(|_, body| match body["response_format"]["type"].as_str() {
        Some("json_schema") => error(400, "response_format.type json_schema is not supported"),
        Some(_) => error(400, "'response_format' is not supported"),
        None if body.get("seed").is_some() => error(422, "extra inputs are not permitted: seed"),
        None => said("Of course! ```json\n{\"mood\": \"fine\",}\n```"),
    })
    .await;
    let first = model(&settings(&server), &house.store).await;
    let texts = ["a", "b", "c", "d", "e"];
    let answers = futures_util::future::join_all(texts.iter().map(|text| mood(&first, text))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(server.received_requests().await.unwrap().len(), 3 + texts.len(), "probed once");
    let second = model(&settings(&server), &house.store).await;
    assert!(mood(&second, "f").await.is_ok());
    assert_eq!(server.received_requests().await.unwrap().len(), 3 + texts.len() + 1, "remembered");
    let last = server.received_requests().await.unwrap().pop().unwrap().body_json::<Value>().unwrap();
    let words = last["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap();
    assert!(words.contains("additionalProperties"), "the schema is told in words: {words}");
}

/// Servers that take no notice of the form, and servers that do not say what they dislike.
#[tokio::test]
async fn a_server_that_does_not_say_what_it_understands_is_found_out_by_its_first_answer() {
    let ignores = |_, body: &Value| match body["response_format"]["type"].as_str() {
        Some("json_schema") => said(r#"{"feeling":"good"}"#),
        _ => said(FINE),
    };
    let refuses = |_, body: &Value| match body.get("response_format") {
        Some(_) => error(400, "Invalid request"),
        None => said(FINE),
    };
    for (server, asked) in [(server(ignores).await, 2), (server(refuses).await, 3)] {
        let house = house().await;
        let first = model(&settings(&server), &house.store).await;
        for text in ["a", "b", "c"] {
            assert_eq!(mood(&first, text).await.unwrap().0, "fine");
        }
        assert_eq!(server.received_requests().await.unwrap().len(), asked + 2, "found out once");
        let second = model(&settings(&server), &house.store).await;
        assert_eq!(mood(&second, "d").await.unwrap().0, "fine");
        assert_eq!(server.received_requests().await.unwrap().len(), asked + 3, "and remembered");
    }
}

#[tokio::test]
async fn a_server_that_answers_nothing_of_use_is_not_searched_for_ever_and_nothing_is_remembered_of_it() {
    let (server, house) = (server(|_, _| said("hm")).await, house().await);
    let model = model(&settings(&server), &house.store).await;
    for n in 0..8 {
        assert!(mood(&model, &format!("t{n}")).await.is_err());
    }
    // Both turns of a question may go first; of the first turn's, each way of asking is tried.
    assert_eq!(model.usage().calls, 2 * (3 + 1) + 6 * 2);
    assert_eq!(house.store.llm_dialect(&format!("{}/v1", server.uri()), "small").await.unwrap(), None);
}

#[tokio::test]
async fn a_model_that_thinks_is_given_room_and_its_answers_are_its_own() {
    let house = house().await;
    let server = server(|_, body| match body["max_tokens"].as_u64() {
        Some(..1000) => ended("", "length"),
        _ => said(FINE),
    })
    .await;
    let mut settings = settings(&server);
    let cramped = model(&settings, &house.store).await;
    let room = cramped.request_tokens(&question("u1", "a"));
    let why = mood(&cramped, "a").await.unwrap_err().to_string();
    assert!(why.contains("no room left to answer in 100 tokens; raise llm.answer_tokens"), "{why}");
    settings.answer_tokens = 950;
    let roomy = model(&settings, &house.store).await;
    assert_eq!(roomy.request_tokens(&question("u1", "a")), room + 950);
    assert_eq!(mood(&roomy, "a").await.unwrap().0, "fine");
    settings.reasoning_effort = Some("low".to_owned());
    let thinking = model(&settings, &house.store).await;
    assert_eq!((thinking.name(), mood(&thinking, "a").await.unwrap().1), ("small@low", ONE), "another reader");
    let last = server.received_requests().await.unwrap().pop().unwrap().body_json::<Value>().unwrap();
    assert_eq!((&last["model"], &last["reasoning_effort"]), (&json!("small"), &json!("low")));
}

#[tokio::test]
async fn the_budget_is_never_exceeded_and_carries_over() {
    let house = house().await;
    let server = server(|_, _| said(FINE).set_delay(Duration::from_millis(5))).await;
    let mut settings = settings(&server);
    settings.budget_tokens = Some(1000);
    let first = model(&settings, &house.store).await;
    let texts = (0..20).map(|n| format!("t{n}")).collect::<Vec<_>>();
    let answers = futures_util::future::join_all(texts.iter().map(|text| mood(&first, text))).await;
    let good = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
    let refused = answers.iter().filter(|a| matches!(a, Err(Unanswered::OverBudget(_)))).count() as u64;
    assert_eq!(good + refused, 20);
    // Asked for as long as what is spent and the next question's most fit: 110 a question.
    let most = first.request_tokens(&question("u1", "t1"));
    let expected = (0..).take_while(|n| n * 110 + most <= 1000).count() as u64;
    assert_eq!(good, expected, "with at most {most} tokens a question");
    assert_eq!(house.store.llm_spent().await.unwrap(), times(ONE, expected));
    let second = model(&settings, &house.store).await;
    assert!(matches!(mood(&second, "new").await, Err(Unanswered::OverBudget(_))));
    assert_eq!(server.received_requests().await.unwrap().len() as u64, expected);
}

/// The provider may count a question whose answer never came.
#[tokio::test]
async fn what_was_lost_counts_against_the_budget_of_later_runs_too() {
    let house = house().await;
    let server = server(|_, _| said(FINE).set_delay(Duration::from_millis(1500))).await;
    let mut settings = settings(&server);
    settings.timeout_secs = 1;
    let most = model(&settings, &house.store).await.request_tokens(&question("u1", "a"));
    settings.budget_tokens = Some(most + most / 2);
    for run in ["first", "second"] {
        let outcome = mood(&model(&settings, &house.store).await, "a").await.unwrap_err();
        assert!(matches!(outcome, Unanswered::OverBudget(_)), "{run}: {outcome}");
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "{run}");
    }
    let spent = house.store.llm_spent().await.unwrap();
    assert_eq!((spent.calls, spent.prompt_tokens + spent.completion_tokens), (0, most));
}

#[tokio::test]
async fn the_last_question_that_fits_the_money_is_asked_and_a_millionth_less_refuses_it() {
    let server = server(|_, _| said(FINE)).await;
    let unlimited = settings(&server);
    let counting = Model::new(&unlimited, None, Clock::System).await.unwrap();
    let asked = question("u1", "a");
    // 1 a million in, 10 a million out: a token sent is a millionth, one received ten.
    let most = counting.request_tokens(&asked) - 50 + 10 * 50;
    for (budget, reaches) in [(most, true), (most - 1, false)] {
        let house = house().await;
        let settings = LlmSettings { budget_micros: Some(budget), ..unlimited.clone() };
        let before = server.received_requests().await.unwrap().len();
        let outcome = mood(&model(&settings, &house.store).await, "a").await;
        assert_eq!(outcome.is_ok(), reaches, "{outcome:?}");
        let sent = server.received_requests().await.unwrap().len() - before;
        assert_eq!(sent, usize::from(reaches), "refused before it is sent");
        assert_eq!(house.store.llm_spent().await.unwrap(), times(ONE, u64::from(reaches)));
    }
}

/// Every affliction in one run: what is answered, what is set aside and what was paid add up.
#[tokio::test]
async fn the_ledger_is_right_under_everything_at_once() {
    let house = house().await;
    let paid = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&paid);
    let server = server(move |n, body| {
        let text = body["messages"][3]["content"].as_str().unwrap_or_default();
        let pay = |answer: ResponseTemplate| {
            counted.fetch_add(1, Ordering::SeqCst);
            answer
        };
        match n % 7 {
            1 => error(429, "slow down").insert_header("retry-after", "3"),
            3 => ResponseTemplate::new(500).set_body_string("oops"),
            _ if text.starts_with("long") => error(400, "the request exceeds the available context size"),
            _ if text.starts_with("odd") => pay(said(r#"{"colour":"red"}"#)),
            4 => pay(said(r#"{"mood": "fi"#)),
            _ => pay(said(FINE)),
        }
    })
    .await;
    let first = model(&settings(&server), &house.store).await;
    // So that the server is known: while it is not, one row of the ledger may hold several ways of asking.
    mood(&first, "plain at first").await.unwrap();
    let texts: Vec<String> = (0..40).map(|n| format!("{} {n}", ["plain", "long", "odd", "plain"][n % 4])).collect();
    let run = async |model: &Model| futures_util::future::join_all(texts.iter().map(|text| mood(model, text))).await;
    let answers = run(&first).await;
    for (text, answer) in texts.iter().zip(&answers) {
        match answer {
            Ok((mood, _)) => assert!(mood == "fine" && text.starts_with("plain"), "{text}"),
            Err(Unanswered::Malformed { .. }) => assert!(!text.starts_with("long"), "{text}"),
            Err(Unanswered::Refused { .. }) => assert!(text.starts_with("long"), "{text}: {answer:?}"),
            Err(other) => panic!("{text}: {other}"),
        }
    }
    let paid_for = paid.load(Ordering::SeqCst) as u64;
    assert_eq!(house.store.llm_spent().await.unwrap(), times(ONE, paid_for));
    assert_eq!(first.usage(), sum(ONE, paid_for));
    let second = model(&settings(&server), &house.store).await;
    let again = run(&second).await;
    assert_eq!(second.usage().calls, paid.load(Ordering::SeqCst) as u64 - paid_for, "what failed is asked again");
    assert!(answers.iter().zip(&again).all(|(before, now)| before.is_err() || now.is_ok()), "and nothing else");
    assert_eq!(
        house.store.llm_spent().await.unwrap().cost_micros,
        ONE.cost_micros * paid.load(Ordering::SeqCst) as u64
    );
}

#[tokio::test]
async fn money_without_a_price_is_refused_before_anything_is_sent() {
    let server = server(|_, _| said(FINE)).await;
    let mut settings = settings(&server);
    settings.prices.clear();
    settings.budget_micros = Some(1);
    let refused = Model::new(&settings, None, Clock::System).await.unwrap_err();
    assert!(refused.to_string().contains("llm.prices"), "{refused}");
}

#[tokio::test]
async fn a_dropped_question_is_kept_when_it_was_sent_and_taken_back_when_not() {
    let house = house().await;
    let server = server(|_, _| said(FINE).set_delay(Duration::from_millis(150))).await;
    let mut settings = settings(&server);
    settings.concurrency = 1;
    let model = Arc::new(model(&settings, &house.store).await);
    let ask = |text: &'static str| {
        let model = Arc::clone(&model);
        tokio::spawn(async move { mood(&model, text).await })
    };
    let sent = ask("sent");
    while server.received_requests().await.unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let asking = [sent, ask("waiting")];
    tokio::time::sleep(Duration::from_millis(20)).await;
    for task in &asking {
        task.abort();
    }
    model.settle().await.unwrap();
    assert_eq!(house.store.llm_spent().await.unwrap(), times(ONE, 1));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    let (_, usage) = mood(&model, "sent").await.unwrap();
    assert_eq!((usage.calls, usage.cached), (0, 1));
}

#[tokio::test]
async fn a_slow_drip_is_cut_off_and_set_aside_while_others_are_answered() {
    // A server that sends its answer a byte at a time when the text is slow.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let drip = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 1 << 16];
                let mut length = 0;
                while !request[..length].ends_with(b"}}}") {
                    let Ok(read @ 1..) = stream.read(&mut request[length..]).await else { return };
                    length += read;
                }
                let slow = String::from_utf8_lossy(&request[..length]).contains("slow");
                let body = format!(
                    "{{\"choices\":[{{\"message\":{{\"content\":{}}}}}],\"usage\":{{\"prompt_tokens\":100,\"completion_tokens\":10}}}}",
                    Value::from(FINE)
                );
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                if stream.write_all(head.as_bytes()).await.is_err() {
                    return;
                }
                for byte in body.bytes() {
                    if slow {
                        tokio::time::sleep(Duration::from_millis(300)).await;
                    }
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let house = house().await;
    let mut settings = LlmSettings::new(format!("http://{address}/v1"), "small");
    settings.timeout_secs = 1;
    settings.prices.insert("small".to_owned(), Price { input: 1.0, output: 10.0, batch: 0.5 });
    let model = model(&settings, &house.store).await;
    assert!(mood(&model, "fast").await.is_ok());
    let (slow, fast) = tokio::join!(mood(&model, "slow"), mood(&model, "as fast"));
    assert!(fast.is_ok(), "{fast:?}");
    let slow = slow.unwrap_err();
    assert!(matches!(slow, Unanswered::Refused { .. }) && slow.to_string().contains("timed out"), "{slow}");
    let spent = house.store.llm_spent().await.unwrap();
    assert_eq!((spent.calls, spent.completion_tokens), (2, 2 * 10 + 3 * 50), "what was lost may have been charged");
    drip.abort();
}

#[tokio::test]
async fn the_key_is_nowhere_but_in_the_header() {
    let folder = tempfile::tempdir().unwrap();
    let house = house().await;
    let server = server(|n, _| match n {
        0 => error(500, "while handling Bearer sk-very-secret"),
        1 => said("{\"mood\": \"sk-very-secret\"}"),
        2 => said(FINE),
        _ => error(400, "what is sk-very-secret?"),
    })
    .await;
    let settings = settings(&server);
    let tape = folder.path().join("tape.jsonl");
    let model = model(&settings, &house.store).await.recording(&tape).unwrap();
    assert!(mood(&model, "a").await.is_ok());
    let refused = mood(&model, "b").await.unwrap_err();
    model.settle().await.unwrap();
    let request = &server.received_requests().await.unwrap()[0];
    assert_eq!(request.headers["authorization"], "Bearer sk-very-secret");
    let body = model.request_body(&question("u", "a")).to_string();
    let taped = std::fs::read_to_string(&tape).unwrap();
    assert!(taped.contains("fine"));
    house.store.close().await;
    let mut places = vec![format!("{settings:?} {model:?} {refused:?} {refused}"), body, taped];
    for entry in std::fs::read_dir(house.folder.path()).unwrap() {
        places.push(String::from_utf8_lossy(&std::fs::read(entry.unwrap().path()).unwrap()).into_owned());
    }
    assert!(places.len() > 3 && places.iter().all(|place| !place.contains("very-secret")), "{places:?}");
}

fn outlook(questions: &[Question]) -> Outlook {
    Outlook { questions: questions.to_vec(), ..Outlook::default() }
}

#[tokio::test]
async fn an_estimate_counts_each_question_once_and_shows_what_would_be_sent() {
    let (server, house) = (server(|_, _| said(FINE)).await, house().await);
    let mut settings = settings(&server);
    let first = model(&settings, &house.store).await;
    let questions = ["known", "new", "new", "newer"].map(|text| question("u", text));
    let [known, each] = [0, 1].map(|at| first.request_tokens(&questions[at]) - 50);
    mood(&first, "known").await.unwrap();
    first.settle().await.unwrap();
    settings.budget_micros = Some(2000);
    let later = model(&settings, &house.store).await;
    let mut shown = Vec::new();
    let mut show = |body: Value| {
        shown.push(body);
        Ok(())
    };
    let mut estimate = later.estimate(&outlook(&questions), &mut show).await.unwrap();
    // The server counted 100 tokens where the table has fewer: so it will the next time.
    let sent = ((2 * each + 1) * 100).div_ceil(known);
    assert!(sent > 2 * each + 1, "{known} by the table");
    assert_eq!((estimate.questions, estimate.cached), (3, 1));
    assert_eq!((estimate.prompt_tokens, estimate.most_completion_tokens), (sent, 100));
    assert_eq!(estimate.least_cost_micros, Some(sent));
    assert_eq!(estimate.most_cost_micros, Some(sent + 1000));
    assert_eq!(shown, [later.request_body(&questions[1]), later.request_body(&questions[3])]);
    let words = estimate.to_string();
    assert!(words.starts_with("3 questions, 1 of them answered before; about "), "{words}");
    assert!(!words.contains("checks") && !words.contains("left"), "{words}");

    let checks = Outlook { checks: vec![(question("u", "check"), 18)], ..Outlook::default() };
    estimate += later.estimate(&checks, &mut |_| Ok(())).await.unwrap();
    assert_eq!((estimate.checks.most, estimate.checks.completion_tokens), (18, 18 * 50));
    let cost = estimate.checks.prompt_tokens + 18 * 50 * 10;
    assert_eq!(estimate.checks.cost_micros, Some(cost));
    let words = estimate.to_string();
    assert!(words.contains("on top of it at most 18 checks of what is found"), "{words}");
    let most = sent + 1000 + cost;
    let short = format!("the budget has 0.0018 USD left, and all this can take {} USD", super::purse::money(most));
    assert!(words.contains(&short), "{short}: {words}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "nothing is sent for an estimate");
}

/// Held back by the table's count alone, the third would be asked too, and the budget be exceeded.
#[tokio::test]
async fn a_server_that_counts_more_tokens_than_the_table_is_held_to_the_budget_all_the_same() {
    let house = house().await;
    let server = server(|_, _| {
        let message = json!({ "role": "assistant", "content": FINE });
        ResponseTemplate::new(200).set_body_json(json!({
            "choices": [{ "index": 0, "message": message, "finish_reason": "stop" }],
            "usage": { "prompt_tokens": 1000, "completion_tokens": 10 },
        }))
    })
    .await;
    let mut settings = settings(&server);
    settings.budget_tokens = Some(2500);
    let model = model(&settings, &house.store).await;
    for text in ["a", "b"] {
        mood(&model, text).await.unwrap();
    }
    assert!(matches!(mood(&model, "c").await, Err(Unanswered::OverBudget(_))));
    let spent = house.store.llm_spent().await.unwrap();
    assert_eq!(spent.prompt_tokens + spent.completion_tokens, 2020);
}

#[tokio::test]
async fn what_is_on_a_tape_is_not_asked_for_again_although_the_run_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape.jsonl");
    let server = server(|_, body| match body["messages"][3]["content"].as_str() {
        Some("odd") if body["temperature"] == json!(0) => said("hm"),
        _ => said(FINE),
    })
    .await;
    let run = async || {
        let model = Model::with_timer(&settings(&server), None, Clock::System, Timer::leaping()).await.unwrap();
        let model = model.recording(&tape).unwrap();
        for text in ["a", "odd"] {
            assert_eq!(mood(&model, text).await.unwrap().0, "fine");
        }
        model.usage()
    };
    assert_eq!((run().await.calls, run().await.calls), (3, 0));
    // A kill in the middle of a line.
    let whole = std::fs::read_to_string(&tape).unwrap();
    std::fs::write(&tape, format!("{whole}{}", r#"{"unit":"u"#)).unwrap();
    assert_eq!(run().await, Usage { cached: 3, ..Usage::default() });
    assert_eq!(Model::replay(&tape).unwrap().name(), "small");
}

#[tokio::test]
async fn a_model_that_is_stopped_sends_nothing_more_and_gives_what_is_under_way() {
    let house = house().await;
    let server = server(|_, _| said(FINE).set_delay(Duration::from_millis(150))).await;
    let mut settings = settings(&server);
    settings.concurrency = 1;
    let model = model(&settings, &house.store).await;
    let stop = async {
        while server.received_requests().await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        model.stop("interrupted");
    };
    let (one, other, ()) = tokio::join!(mood(&model, "a"), mood(&model, "b"), stop);
    // Which of them goes first is chance.
    let outcomes = [one, other];
    let stopped: Vec<String> = outcomes.iter().filter_map(|o| o.as_ref().err()).map(ToString::to_string).collect();
    assert!(stopped.len() == 1 && stopped[0].contains("interrupted"), "{outcomes:?}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_recorded_is_replayed_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let tape = folder.path().join("tape.jsonl");
    let (server, house) = (server(|n, _| if n == 1 { said("hm") } else { said(FINE) }).await, house().await);
    let live = model(&settings(&server), &house.store).await.recording(&tape).unwrap();
    assert_eq!(mood(&live, "well").await.unwrap().0, "fine");
    assert_eq!(mood(&live, "a").await.unwrap().0, "fine");
    live.settle().await.unwrap();
    drop(server);
    let replayed = Model::replay(&tape).unwrap();
    assert_eq!(replayed.name(), "small");
    let (value, usage) = mood(&replayed, "a").await.unwrap();
    assert_eq!((value.as_str(), usage), ("fine", Usage { cached: 2, ..Usage::default() }));
    assert!(matches!(mood(&replayed, "b").await, Err(Unanswered::Down(_))));
}
