//! Texts to vectors, by a server's embedding model. The same gate, retries and purse as for questions.
//!
//! The one rule: what comes back is one vector for each text, all of one length, every number finite, or it is an error.

use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::json;

use super::Unanswered;
use super::gate::Gate;
use super::purse::{Amount, Purse, Rate};
use super::reply::brief;
use super::server::{lock, write_down};
use super::tokens::{self, Counted};
use super::transport::{Access, Line, Passing, Trouble, Wanted, remedy};
use crate::clock::Clock;
use crate::config::ServedSettings;
use crate::model::id::content_hash;
use crate::net::Timer;
use crate::store::{LlmCall, LlmSpent, Store};

/// Rounds of async-openai's retries that one request gets while the server answers others.
const MOST_ROUNDS: u32 = 3;

/// A text that a server refuses is cut in half, and again, down to this many bytes: how long one may be is the model's
/// secret, and its beginning says most.
const SHORTEST: usize = 64;

/// An embedding model behind a server. Nothing is kept here: the caller writes vectors and ledger down together.
pub struct Embeddings {
    model: String,
    key_env: String,
    access: Access,
    line: Line,
    gate: Arc<Gate>,
    purse: Arc<Purse>,
    rate: Rate,
    clock: Clock,
    /// How the server counts, in this run.
    counted: Mutex<Counted>,
    /// Where requests are written down that were sent and never answered.
    store: Option<Store>,
}

/// Vectors and what they took.
#[derive(Debug)]
pub struct Bought {
    /// One for each text, in order, as the server gave them.
    pub vectors: Vec<Vec<f32>>,
    /// The line for the ledger.
    pub call: LlmCall,
}

/// The answer, of which two fields matter.
#[derive(Debug, Deserialize)]
pub(super) struct Wire {
    data: Vec<WireVector>,
    usage: Option<WireUsage>,
}

#[derive(Debug, Deserialize)]
struct WireVector {
    index: Option<usize>,
    /// Some servers write what is no number as `null`.
    embedding: Vec<Option<f64>>,
}

#[derive(Debug, Deserialize)]
struct WireUsage {
    prompt_tokens: Option<u64>,
}

/// Why a request brought nothing.
enum Failed {
    /// Perhaps for its size: the server would not have it.
    Refused(String),
    /// For good.
    Over(Unanswered),
}

impl Embeddings {
    /// The model that `settings` name. What earlier runs spent counts against the budget. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address or the key cannot be used, the budget is in money and there is no price, or the store cannot be read.
    pub async fn new(settings: &ServedSettings, store: Option<&Store>, clock: Clock, timer: Timer) -> Result<Self> {
        let settings = &settings.server;
        let price = settings.price();
        if settings.budget_micros.is_some() && price.is_none() {
            bail!(
                "embedding.budget cannot be kept without a price; add embedding.price or set embedding.budget_tokens"
            );
        }
        let access = Access::new(settings)?;
        let spent = match store {
            Some(store) => store.llm_spent().await.context("could not read what was spent before")?,
            None => LlmSpent::default(),
        };
        let gate = Arc::new(Gate::new(settings, timer));
        Ok(Self {
            model: settings.model.clone(),
            key_env: settings.api_key_env.clone(),
            line: Line::new(settings, access.clone(), Arc::clone(&gate))?,
            access,
            gate,
            purse: Arc::new(Purse::new(settings, spent.into())),
            rate: price.map(|price| Rate::new(price, 1.0)).unwrap_or_default(),
            clock,
            counted: Mutex::default(),
            store: store.cloned(),
        })
    }

    /// The model's name and where it is.
    pub fn name(&self) -> String {
        format!("{} at {}", self.model, self.access.base())
    }

    /// One vector for each of `texts`, none of which may be empty. What the server finds too long is asked for in smaller
    /// requests, and what is too long by itself by its beginning.
    ///
    /// # Errors
    /// As [`Unanswered`] says.
    pub async fn embed(&self, texts: &[String]) -> Result<Bought, Unanswered> {
        let mut asked = texts.iter().map(String::as_str).collect::<Vec<_>>();
        let mut vectors = vec![Vec::new(); texts.len()];
        let all = 0..texts.len();
        let mut todo = vec![all];
        let mut taken = Amount::default();
        while let Some(range) = todo.pop().filter(|range| !range.is_empty()) {
            match self.request(&asked[range.clone()]).await {
                Ok((found, amount)) => {
                    taken = taken.and(amount);
                    vectors.splice(range, found);
                }
                Err(Failed::Refused(_)) if range.len() > 1 => {
                    let middle = range.start + range.len() / 2;
                    todo.extend([middle..range.end, range.start..middle]);
                }
                Err(Failed::Refused(_)) if asked[range.start].len() > SHORTEST => {
                    let text = asked[range.start];
                    asked[range.start] = &text[..text.floor_char_boundary(text.len() / 2)];
                    todo.push(range);
                }
                Err(Failed::Refused(why)) => {
                    return Err(Unanswered::Refused { unit: "a text to be embedded".to_owned(), why });
                }
                Err(Failed::Over(why)) => return Err(why),
            }
        }
        let width = vectors.first().map_or(0, Vec::len);
        if let Some(other) = vectors.iter().find(|v| v.len() != width) {
            let why = format!("its vectors have {width} numbers and then {}", other.len());
            return Err(Unanswered::Down(why));
        }
        let asked = texts.iter().map(String::as_str).collect::<Vec<_>>();
        let call = self.call(content_hash(&[&[self.model.as_str()], &*asked].concat()), texts.len(), taken, "stop");
        Ok(Bought { vectors, call })
    }

    /// The line of the ledger about so many `texts`.
    fn call(&self, request_hash: String, texts: usize, taken: Amount, finish: &str) -> LlmCall {
        LlmCall {
            request_hash,
            model: self.model.clone(),
            prompt: "embed".to_owned(),
            unit: format!("{texts}-texts"),
            prompt_tokens: taken.tokens,
            completion_tokens: 0,
            cost_micros: taken.micros,
            finish: finish.to_owned(),
            reply: String::new(),
            made_at: self.clock.now(),
        }
    }

    /// Writes down the most that a request can have cost which was sent and never answered: the provider may count it all the
    /// same, and a later run has to know.
    async fn note_lost(&self, texts: &[&str], most: Amount) -> Result<(), Unanswered> {
        let Some(store) = &self.store else { return Ok(()) };
        let hash = content_hash(&[&["lost", self.model.as_str()], texts].concat());
        write_down(store, self.call(hash, texts.len(), most, "lost")).await
    }

    async fn request(&self, texts: &[&str]) -> Result<(Vec<Vec<f32>>, Amount), Failed> {
        let table = texts.iter().map(|text| tokens::count(text)).sum::<u64>();
        let expected = lock(&self.counted).corrected(table).max(table);
        let amount = Amount { micros: self.rate.cost(expected, 0), tokens: expected };
        let body = json!({ "model": self.model, "input": texts });
        let answers_before = self.gate.answers();
        let mut rounds = 0;
        loop {
            let held = self.purse.hold(amount).await.map_err(|why| Failed::Over(Unanswered::OverBudget(why)))?;
            let (_alive, wanted) = Wanted::new();
            let (answer, lost) = self.line.embed(&body, expected, wanted).await;
            let trouble = match answer {
                Ok(wire) => {
                    let counted = wire.usage.as_ref().and_then(|u| u.prompt_tokens);
                    counted.inspect(|server| lock(&self.counted).note(table, *server));
                    let used = counted.unwrap_or(expected);
                    let amount = Amount { micros: self.rate.cost(used, 0), tokens: used };
                    held.settle(amount);
                    let vectors = wire.vectors(texts.len()).map_err(|why| Failed::Over(Unanswered::Down(why)))?;
                    return Ok((vectors, amount));
                }
                Err(trouble) => trouble,
            };
            if lost {
                self.note_lost(texts, amount).await.map_err(Failed::Over)?;
            }
            held.unanswered(lost);
            match trouble {
                Trouble::Refusal { status, message } => return Err(self.refused(status, &message)),
                Trouble::Passing { why, kind } => {
                    rounds += u32::from(kind != Passing::Busy);
                    let works = self.gate.answers() > answers_before;
                    if rounds >= MOST_ROUNDS && works {
                        let why = format!("{why}, {rounds} times, while other requests were answered");
                        return Err(Failed::Over(Unanswered::Down(why)));
                    }
                }
                Trouble::GivenUp(why) => return Err(Failed::Over(Unanswered::Down(why))),
                Trouble::Abandoned => {
                    return Err(Failed::Over(Unanswered::Down("nobody waits for the answer".to_owned())));
                }
            }
        }
    }

    fn refused(&self, status: u16, message: &str) -> Failed {
        let todo = match status {
            400 | 413 | 422 => return Failed::Refused(brief(message)),
            404 | 405 | 501 => format!(
                "it has no embeddings at this address, or no model {:?}; check embedding.base_url, which usually ends in \
                 /v1, embedding.model, and that the server was started for embeddings",
                self.model
            ),
            _ => remedy(status, "embedding", &self.key_env, self.access.has_key(), &self.model)
                .unwrap_or_else(|| "it does not answer".to_owned()),
        };
        Failed::Over(Unanswered::Down(format!("{todo} ({status}: {message})")))
    }
}

impl Wire {
    /// The vectors in the order of the `asked` texts.
    fn vectors(self, asked: usize) -> Result<Vec<Vec<f32>>, String> {
        let mut vectors = vec![Vec::new(); asked];
        if self.data.len() != asked {
            return Err(format!("it was asked for {asked} vectors and gave {}", self.data.len()));
        }
        for (at, WireVector { index, embedding }) in self.data.into_iter().enumerate() {
            let Some(place) = vectors.get_mut(index.unwrap_or(at)).filter(|place| place.is_empty()) else {
                return Err("its vectors are not numbered as the texts were".to_owned());
            };
            let embedding = embedding.into_iter().map(|x| x.map_or(f32::NAN, |x| x as f32)).collect::<Vec<_>>();
            if embedding.is_empty() || embedding.iter().any(|x| !x.is_finite()) {
                return Err("it gave a vector that is empty or holds something that is no finite number".to_owned());
            }
            *place = embedding;
        }
        Ok(vectors)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::Value;
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, Request, ResponseTemplate};

    use super::*;

    /// A server that answers with what `answer` makes of the texts, and the embeddings behind it.
    async fn asked(
        answer: impl Fn(&[String]) -> ResponseTemplate + Send + Sync + 'static,
    ) -> (MockServer, Embeddings, ServedSettings) {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/v1/embeddings"))
            .respond_with(move |request: &Request| {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                assert_eq!(body["model"], "small");
                answer(&serde_json::from_value::<Vec<String>>(body["input"].clone()).unwrap())
            })
            .mount(&server)
            .await;
        let mut settings = ServedSettings::new(format!("{}/v1", server.uri()), "small");
        settings.server.outage_secs = 30;
        let embeddings = open(&settings).await;
        (server, embeddings, settings)
    }

    async fn open(settings: &ServedSettings) -> Embeddings {
        Embeddings::new(settings, None, Clock::Fixed(Timestamp::UNIX_EPOCH), Timer::leaping()).await.unwrap()
    }

    fn vectors(vectors: impl IntoIterator<Item = (usize, Value)>) -> ResponseTemplate {
        let data = vectors.into_iter().map(|(index, embedding)| json!({ "index": index, "embedding": embedding }));
        ResponseTemplate::new(200).set_body_json(
            json!({ "data": data.collect::<Vec<_>>(), "usage": { "prompt_tokens": 7, "total_tokens": 7 } }),
        )
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&t| t.to_owned()).collect()
    }

    #[tokio::test]
    async fn vectors_come_in_the_order_of_the_texts_and_are_accounted_for() {
        let (_server, embeddings, mut settings) =
            asked(|texts| vectors(texts.iter().enumerate().rev().map(|(i, t)| (i, json!([t.len(), 1]))))).await;
        let bought = embeddings.embed(&texts(&["a", "bb", "ccc"])).await.unwrap();
        assert_eq!(bought.vectors, [[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]]);
        assert_eq!((bought.call.prompt_tokens, bought.call.cost_micros), (7, 0));
        assert!(embeddings.embed(&[]).await.unwrap().vectors.is_empty());

        settings.server.budget_tokens = Some(8);
        let limited = open(&settings).await;
        limited.embed(&texts(&["a"])).await.unwrap();
        let error = limited.embed(&texts(&["one more text"])).await.unwrap_err();
        assert!(matches!(&error, Unanswered::OverBudget(why) if why.contains("embedding.budget_tokens")), "{error}");
    }

    #[tokio::test]
    async fn what_is_too_long_is_asked_for_in_parts() {
        static ASKED: Mutex<Vec<usize>> = Mutex::new(Vec::new());
        let (_server, embeddings, _) = asked(|texts| {
            ASKED.lock().unwrap().push(texts.len());
            if texts.iter().map(String::len).sum::<usize>() > 200 {
                return ResponseTemplate::new(400)
                    .set_body_json(json!({ "error": { "message": "too long", "code": 400 } }));
            }
            vectors(texts.iter().enumerate().map(|(i, t)| (i, json!([t.len()]))))
        })
        .await;
        let long = "é".repeat(400);
        let bought = embeddings.embed(&texts(&["a", &long, "ccc"])).await.unwrap();
        assert_eq!(bought.vectors, [[1.0], [200.0], [3.0]]);
        assert_eq!(*ASKED.lock().unwrap(), [3, 1, 2, 1, 1, 1, 1]);
    }

    /// The provider may count a request whose answer never came, and a later run has to know.
    #[tokio::test]
    async fn what_was_lost_counts_against_the_budget_of_later_runs_too() {
        let slow = |_: &[String]| vectors([(0, json!([1.0]))]).set_delay(std::time::Duration::from_millis(1500));
        let (server, _, mut settings) = asked(slow).await;
        settings.server.timeout_secs = 1;
        settings.server.budget_tokens = Some(3);
        let house = crate::llm::tests::house().await;
        let (clock, store) = (Clock::Fixed(Timestamp::UNIX_EPOCH), Some(&house.store));
        for run in ["first", "second"] {
            let embeddings = Embeddings::new(&settings, store, clock, Timer::leaping()).await.unwrap();
            let error = embeddings.embed(&texts(&["hello world"])).await.unwrap_err();
            assert!(matches!(error, Unanswered::OverBudget(_)), "{run}: {error}");
            assert_eq!(server.received_requests().await.unwrap().len(), 1, "{run}");
        }
        assert_eq!(house.store.llm_spent().await.unwrap(), LlmSpent { prompt_tokens: 2, ..LlmSpent::default() });
    }

    #[tokio::test]
    async fn answers_that_are_no_vectors_say_what_is_wrong() {
        let page = |_: &[String]| ResponseTemplate::new(200).set_body_string("<html>hello</html>");
        let (_a, no_json, _) = asked(page).await;
        let (_b, few, _) = asked(|_| vectors([(0, json!([1.0]))])).await;
        let (_c, uneven, _) = asked(|_| vectors([(0, json!([1.0])), (1, json!([1.0, 2.0]))])).await;
        let (_d, endless, _) = asked(|_| vectors([(0, json!([1.0])), (1, json!([1e300]))])).await;
        let (_i, null, _) = asked(|_| vectors([(0, json!([1.0])), (1, json!([null]))])).await;
        let (_e, twice, _) = asked(|_| vectors([(0, json!([1.0])), (0, json!([1.0]))])).await;
        let off = |_: &[String]| {
            ResponseTemplate::new(501).set_body_json(json!({ "error": { "message": "start it with --embeddings" } }))
        };
        let (_f, chat_only, _) = asked(off).await;
        let (_g, refusing, _) = asked(|_| ResponseTemplate::new(422).set_body_json(json!({ "detail": "never" }))).await;
        let (_h, _, mut settings) = asked(|_| vectors([])).await;
        settings.server.base_url = settings.server.base_url.replace("/v1", "/v2");
        let elsewhere = open(&settings).await;
        for (embeddings, says) in [
            (no_json, "embedding.base_url"),
            (few, "asked for 2 vectors and gave 1"),
            (uneven, "1 numbers and then 2"),
            (endless, "no finite number"),
            (null, "no finite number"),
            (twice, "not numbered"),
            (chat_only, "started for embeddings"),
            (refusing, "never"),
            (elsewhere, "embedding.base_url"),
        ] {
            let error = embeddings.embed(&texts(&["a", "b"])).await.unwrap_err().to_string();
            assert!(error.contains(says), "{says}: {error}");
        }
    }
}
