//! How near the door to a model comes to the ideal rate: 64 requests at a time to a server that takes 200 ms for each, with
//! the ledger written for every answer. Prints achieved over ideal; `cargo bench --bench pace`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::time::{Duration, Instant};

use candor::clock::Clock;
use candor::config::LlmSettings;
use candor::llm::{Model, Question};
use candor::store::Store;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const SLOTS: usize = 64;
const LATENCY: Duration = Duration::from_millis(200);
const ROUNDS: usize = 25;

fn main() {
    // Two threads for the server, so that it does not wait for what it measures.
    let outside = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = outside.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    outside.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(format!("http://{address}/v1")));
}

async fn measure(base_url: String) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.sqlite")).await.unwrap();
    let mut settings = LlmSettings::new(base_url, "mock");
    settings.concurrency = SLOTS;
    let model = Model::new(&settings, Some(store.clone()), Clock::System).await.unwrap();
    // The first question finds out what the server understands and is not counted.
    model.ask::<Value>(&question(usize::MAX)).await.unwrap();
    let requests = SLOTS * ROUNDS;
    let began = Instant::now();
    let answered = futures_util::stream::iter(0..requests)
        .map(|n| {
            let model = &model;
            async move { model.ask::<Value>(&question(n)).await.is_ok() }
        })
        .buffer_unordered(SLOTS)
        .filter(|good| std::future::ready(*good))
        .count()
        .await;
    let took = began.elapsed();
    assert_eq!(answered, requests);
    assert_eq!(store.llm_spent().await.unwrap().calls, requests as u64 + 1);
    let ideal = LATENCY * u32::try_from(ROUNDS).unwrap();
    println!(
        "{requests} requests, {SLOTS} at a time, {} ms each: {:.1} a second of {:.1}, ratio {:.3}",
        LATENCY.as_millis(),
        requests as f64 / took.as_secs_f64(),
        requests as f64 / ideal.as_secs_f64(),
        ideal.as_secs_f64() / took.as_secs_f64()
    );
}

fn question(n: usize) -> Question {
    Question {
        unit: format!("u{n}"),
        prompt: "mood",
        system: "Say what mood a text is in. ".repeat(100),
        examples: Vec::new(),
        user: format!("Text number {n}."),
        schema: json!({
            "type": "object",
            "properties": { "mood": { "type": "string" } },
            "required": ["mood"],
            "additionalProperties": false,
        }),
        max_tokens: 50,
    }
}

/// Answers requests on one connection, each after [`LATENCY`].
async fn serve(mut stream: TcpStream) {
    let content = r#"{\"mood\":\"fine\"}"#;
    let body = format!(
        r#"{{"choices":[{{"message":{{"content":"{content}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":5}}}}"#
    );
    let answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let mut received = Vec::new();
    loop {
        let Some(end) = request_end(&received) else {
            match stream.read_buf(&mut received).await {
                Ok(1..) => continue,
                _ => return,
            }
        };
        received.drain(..end);
        tokio::time::sleep(LATENCY).await;
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Where the first request in `bytes` ends, when all of it is there.
fn request_end(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let lines = String::from_utf8_lossy(&bytes[..head]).to_lowercase();
    let length = lines.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    let end = head + length.unwrap_or(0);
    (bytes.len() >= end).then_some(end)
}
