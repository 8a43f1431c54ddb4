//! Questions handed over by the file, answered within a day at a lower price.
//!
//! A batch only fills the cache: its answers are written down as if they had been asked for one by one, and reading goes on
//! from there. The one rule: from the moment it is handed over until it is collected, the most that a batch can cost counts
//! as spent, in this run and in every later one.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use async_openai::error::OpenAIError;
use async_openai::traits::RequestOptionsBuilder as _;
use async_openai::types::files::{CreateFileRequest, FileInput, FilePurpose};
use serde::Deserialize;
use serde_json::{Value, json};

use super::purse::{Amount, Rate};
use super::reply::{Completion, brief};
use super::request::{self, Turn};
use super::server::{Server, UnderWay, lock};
use super::transport::{Trouble, Wanted};
use super::{Question, Usage, tokens};
use crate::store::{LlmBatch, LlmCall, LlmRequest, Store};

/// Most questions that OpenAI takes in one file.
const MOST_QUESTIONS: usize = 50_000;

/// Largest file that OpenAI takes, bytes.
const LARGEST_FILE: usize = 200 << 20;

/// Largest file of answers that is read, bytes.
const LARGEST_RESULT: usize = 512 << 20;

/// The provider's name for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchId(String);

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What became of batches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Batches that ended and were collected.
    pub batches: u64,
    /// Batches still under way.
    pub waiting: u64,
    /// Questions in the batches still under way.
    pub asked: u64,
    /// Questions that the collected batches left unanswered.
    pub unanswered: u64,
    /// What the answers took.
    pub usage: Usage,
    /// Why a collected batch left most of its questions unanswered, if one did.
    pub failed: Option<String>,
}

/// Before the file's id, in the name of a batch whose own id is not known yet: the file was uploaded, and whether a batch was
/// made of it nobody has written down.
const UNNAMED: &str = "of file ";

/// Batches listed at a time, the most that OpenAI lists.
const LISTED: &str = "100";

/// The one field of a made file or batch that is needed.
#[derive(Deserialize)]
struct Made {
    id: String,
}

/// A page of the provider's list of batches.
#[derive(Deserialize)]
struct Listed {
    data: Vec<MadeOf>,
    #[serde(default)]
    has_more: bool,
}

#[derive(Deserialize)]
struct MadeOf {
    id: String,
    input_file_id: Option<String>,
}

#[derive(Deserialize)]
struct State {
    status: String,
    output_file_id: Option<String>,
    errors: Option<Value>,
}

/// A line of a batch's result.
#[derive(Deserialize)]
struct Line {
    custom_id: String,
    response: Option<Response>,
}

#[derive(Deserialize)]
struct Response {
    status_code: u16,
    body: Value,
}

/// The most that `requests` can take.
pub(super) fn most(rate: Rate, requests: &[LlmRequest]) -> Amount {
    let one = |r: &LlmRequest| Amount {
        micros: rate.cost(r.prompt_tokens, r.max_tokens),
        tokens: r.prompt_tokens + r.max_tokens,
    };
    requests.iter().map(one).fold(Amount::default(), Amount::and)
}

/// As [`super::Model::submit_batch`].
pub(super) async fn submit(server: &Arc<Server>, questions: &[Question]) -> Result<Option<BatchId>> {
    let store = store(server)?;
    let handed = store.llm_batches(server.access.base(), &server.model).await?;
    let mut seen: HashSet<String> = handed.into_iter().flat_map(|batch| batch.requests).map(|r| r.hash).collect();
    let (mut requests, mut file) = (Vec::new(), Vec::new());
    for question in questions {
        let hash = request::hash(&server.name, question, Turn::First);
        if server.find(&hash, question, Turn::First).await?.is_some() || !seen.insert(hash.clone()) {
            continue;
        }
        let body = server.body(question);
        let line = json!({ "custom_id": hash, "method": "POST", "url": "/v1/chat/completions", "body": body });
        serde_json::to_writer(&mut file, &line)?;
        file.push(b'\n');
        requests.push(LlmRequest {
            hash,
            prompt: question.prompt.to_owned(),
            unit: question.unit.clone(),
            prompt_tokens: server.most_prompt_tokens(question),
            max_tokens: server.thinking.limit(question, Turn::First).into(),
        });
        if requests.len() > MOST_QUESTIONS || file.len() > LARGEST_FILE {
            bail!("a batch holds at most {MOST_QUESTIONS} questions in {LARGEST_FILE} bytes; hand over fewer at once");
        }
    }
    if requests.is_empty() {
        return Ok(None);
    }
    let held = server.purse.hold(most(server.batch_rate, &requests)).await.map_err(super::Unanswered::OverBudget)?;
    // By a task of its own, so that a batch that was made is written down although the caller is dropped.
    let under_way = UnderWay::new(&server.under_way);
    let server = Arc::clone(server);
    let task = tokio::spawn(async move {
        let file = upload(&server, file).await?;
        // Written down before it is made: after a kill in between, collecting looks for the batch by its file.
        let batch = LlmBatch { id: format!("{UNNAMED}{file}"), requests };
        store.record_llm_batch(&batch, server.access.base(), &server.model, server.clock.now()).await?;
        held.lose();
        let made = make(&server, &file).await;
        if let Err(Trouble::Refusal { .. }) = &made {
            store.collect_llm_batch(&batch.id, &[]).await?;
            server.purse.give_back(most(server.batch_rate, &batch.requests));
        }
        let id = made.map_err(anyhow::Error::from).context("the model's server did not take the batch")?;
        store.name_llm_batch(&batch.id, &id).await?;
        drop(under_way);
        anyhow::Ok(BatchId(id))
    });
    task.await.context("the batch was not handed over")?.map(Some)
}

async fn upload(server: &Server, file: Vec<u8>) -> Result<String> {
    let (_alive, wanted) = Wanted::new();
    let (client, _) = server.line.client(1, wanted, LARGEST_RESULT);
    let upload = CreateFileRequest {
        file: FileInput::from_vec_u8("questions.jsonl".to_owned(), file),
        purpose: FilePurpose::Batch,
        expires_after: None,
    };
    let uploaded = client.files().create_byot::<_, Made>(upload).await;
    let Made { id } = uploaded.map_err(in_words).context(
        "could not upload a batch to the model's server; not every server takes batches, and all can be asked without",
    )?;
    Ok(id)
}

/// Makes a batch of an uploaded file.
async fn make(server: &Server, file: &str) -> Result<String, Trouble> {
    let (_alive, wanted) = Wanted::new();
    let (client, _) = server.line.client(1, wanted, LARGEST_RESULT);
    let request = json!({ "input_file_id": file, "endpoint": "/v1/chat/completions", "completion_window": "24h" });
    Ok(client.batches().create_byot::<_, Made>(request).await.map_err(Trouble::of)?.id)
}

/// The batch that was made of `file`, if one was.
async fn made_of(server: &Server, file: &str) -> Result<Option<String>> {
    let (_alive, wanted) = Wanted::new();
    let (client, _) = server.line.client(1, wanted, LARGEST_RESULT);
    let mut page = vec![("limit", LISTED.to_owned())];
    loop {
        let listed = client.batches().query(&page).map_err(in_words)?.list_byot::<Listed>().await.map_err(in_words)?;
        let last = listed.data.last().map(|batch| batch.id.clone());
        if let Some(batch) = listed.data.into_iter().find(|b| b.input_file_id.as_deref() == Some(file)) {
            return Ok(Some(batch.id));
        }
        match last.filter(|_| listed.has_more) {
            Some(last) => page = vec![("limit", LISTED.to_owned()), ("after", last)],
            None => return Ok(None),
        }
    }
}

/// As [`super::Model::collect_batches`].
pub(super) async fn collect(server: &Server) -> Result<Collected> {
    let store = store(server)?;
    let mut collected = Collected::default();
    for mut batch in store.llm_batches(server.access.base(), &server.model).await? {
        let asked = batch.requests.len() as u64;
        if let Some(file) = batch.id.strip_prefix(UNNAMED)
            && let Some(id) =
                made_of(server, file).await.context("could not look for a batch that an earlier run handed over")?
        {
            store.name_llm_batch(&batch.id, &id).await?;
            batch.id = id;
        }
        let Some((calls, failed)) =
            result(server, &batch).await.with_context(|| format!("could not collect batch {}", batch.id))?
        else {
            collected.waiting += 1;
            collected.asked += asked;
            continue;
        };
        store.collect_llm_batch(&batch.id, &calls).await?;
        let mut usage = Usage::default();
        for call in &calls {
            usage += Usage {
                calls: 1,
                cached: 0,
                prompt_tokens: call.prompt_tokens,
                completion_tokens: call.completion_tokens,
                cost_micros: call.cost_micros,
            };
        }
        // Whether they can be used is known when they are read; if not, this run has paid for them.
        lock(&server.in_vain).extend(calls.iter().map(|call| call.request_hash.clone()));
        let tokens = usage.prompt_tokens + usage.completion_tokens;
        server.purse.take(Amount { micros: usage.cost_micros, tokens });
        server.purse.give_back(most(server.batch_rate, &batch.requests));
        *lock(&server.used) += usage;
        collected.batches += 1;
        let answered = calls.len() as u64;
        let few = || format!("it answered {answered} of {asked} questions");
        if let Some(why) = failed.or_else(|| (answered * 2 < asked).then(few)) {
            collected.failed.get_or_insert(format!("batch {}: {why}", batch.id));
        }
        collected.unanswered += asked - answered;
        collected.usage += usage;
    }
    Ok(collected)
}

/// The answers of `batch`, and why there are none if it failed or is not known any more; `None` while it is under way.
async fn result(server: &Server, batch: &LlmBatch) -> Result<Option<(Vec<LlmCall>, Option<String>)>> {
    let failed = |why: String| Ok(Some((Vec::new(), Some(why))));
    if batch.id.starts_with(UNNAMED) {
        return failed("an earlier run ended before the model's server made it".to_owned());
    }
    let (_alive, wanted) = Wanted::new();
    let (client, _) = server.line.client(1, wanted, LARGEST_RESULT);
    let state = match client.batches().retrieve_byot::<_, State>(&batch.id).await.map_err(Trouble::of) {
        Ok(state) => state,
        Err(Trouble::Refusal { status: 404, message }) => {
            return failed(format!("the model's server does not know it any more ({message})"));
        }
        Err(trouble) => return Err(trouble.into()),
    };
    match state.status.as_str() {
        "completed" | "expired" | "cancelled" => {}
        "failed" => {
            let why = brief(&state.errors.unwrap_or_default().to_string());
            return failed(format!("the model's server could not do it ({})", server.access.scrub(&why)));
        }
        _ => return Ok(None),
    }
    // Without answers there is no file.
    let Some(file) = state.output_file_id else { return Ok(Some((Vec::new(), None))) };
    let lines = client.files().content(&file).await.map_err(in_words)?;
    let mut open: HashMap<&str, &LlmRequest> = batch.requests.iter().map(|r| (r.hash.as_str(), r)).collect();
    let read = |line: &[u8]| {
        let Line { custom_id, response } = serde_json::from_slice(line).ok()?;
        let Response { body, .. } = response.filter(|response| response.status_code == 200)?;
        let completion = Completion::read(body.to_string().as_bytes())?;
        Some(call(server, open.remove(custom_id.as_str())?, completion))
    };
    Ok(Some((lines.split(|byte| *byte == b'\n').filter_map(read).collect(), None)))
}

fn call(server: &Server, request: &LlmRequest, completion: Completion) -> LlmCall {
    let Completion { reply, prompt_tokens, completion_tokens } = completion;
    let prompt_tokens = prompt_tokens.unwrap_or(request.prompt_tokens);
    let completion_tokens = completion_tokens.unwrap_or_else(|| tokens::count(&reply.text));
    LlmCall {
        request_hash: request.hash.clone(),
        model: server.name.clone(),
        prompt: request.prompt.clone(),
        unit: request.unit.clone(),
        prompt_tokens,
        completion_tokens,
        cost_micros: server.batch_rate.cost(prompt_tokens, completion_tokens),
        finish: reply.finish,
        reply: reply.text,
        made_at: server.clock.now(),
    }
}

fn store(server: &Server) -> Result<Store> {
    server.store.clone().context("a batch outlives the run, so it needs a workspace to be remembered in")
}

fn in_words(error: OpenAIError) -> anyhow::Error {
    Trouble::of(error).into()
}
