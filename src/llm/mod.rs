//! The only door to a language model: any server that speaks OpenAI's chat completions.
//!
//! A [`Question`] is everything that decides an answer; a [`Model`] asks it and gives JSON of the asked shape, or says why
//! not. The one rule: what was paid for is written down before anything else happens to it, so neither a kill nor a second
//! run pays twice.

pub mod ask;

pub mod outgoing;

pub mod prompt;

pub mod sheet;

pub mod withhold;

pub mod contacts;

pub mod judge;

mod answer;

mod batch;

mod embeddings;

mod estimate;

mod gate;

mod purse;

mod reply;

mod request;

mod server;

mod tape;

mod tokens;

mod transport;

#[cfg(test)]
mod tests;

#[cfg(any(test, fuzzing))]
pub(crate) use reply::answers_in;

use std::fmt;
use std::ops::{AddAssign, Sub};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::clock::Clock;
use crate::config::LlmSettings;
use crate::net::Timer;
use crate::store::Store;
use reply::Reply;
use request::{Dialect, Thinking, Turn};
use server::Server;
use tape::{Recorder, Tape};

pub use batch::{BatchId, Collected};
pub use embeddings::{Bought, Embeddings};
pub use estimate::{Checks, Estimate, Outlook, Show};
pub use tape::looks_like_a_key;

/// What is asked: everything that decides the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What it is about, for the ledger and for errors; not sent.
    pub unit: String,
    /// The prompt's name, such as `read_post`; names the answer's schema.
    pub prompt: &'static str,
    /// Standing instructions. The same for every question of a prompt, so that servers can keep what they made of it.
    pub system: String,
    /// Worked examples: what was asked, what was answered.
    pub examples: Vec<(String, String)>,
    /// What is new in this question.
    pub user: String,
    /// JSON schema that the answer must fit; every object closed and every property required, as strict mode asks.
    pub schema: Value,
    /// Longest answer, in tokens.
    pub max_tokens: u32,
}

/// What calls took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests that were answered by the server.
    pub calls: u64,
    /// Answers that had been paid for before.
    pub cached: u64,
    /// Tokens sent, as the server counts.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// Price, in millionths of the currency of the price table.
    pub cost_micros: u64,
}

impl Usage {
    /// As it is published in JSON; the cost in the currency of the price table.
    pub fn published(&self) -> Value {
        serde_json::json!({
            "calls": self.calls, "cached": self.cached, "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens, "cost": self.cost_micros as f64 / 1e6,
        })
    }

    /// The price so far, for a progress bar; nothing where nothing was paid.
    pub fn paid(&self) -> Option<String> {
        (self.cost_micros > 0).then(|| format!("{} paid", purse::money(self.cost_micros)))
    }
}

impl Sub for Usage {
    type Output = Self;

    /// What was taken since it was `before`.
    fn sub(self, before: Self) -> Self {
        Self {
            calls: self.calls - before.calls,
            cached: self.cached - before.cached,
            prompt_tokens: self.prompt_tokens - before.prompt_tokens,
            completion_tokens: self.completion_tokens - before.completion_tokens,
            cost_micros: self.cost_micros - before.cost_micros,
        }
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, more: Self) {
        self.calls += more.calls;
        self.cached += more.cached;
        self.prompt_tokens += more.prompt_tokens;
        self.completion_tokens += more.completion_tokens;
        self.cost_micros += more.cost_micros;
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The model answered, twice, with something of another shape. The item is set aside; the run goes on.
    #[error("the model's answer about {unit} is not of the asked form: {why}")]
    Malformed {
        /// What was asked about.
        unit: String,
        /// What was wrong with the second answer.
        why: String,
    },
    /// The server refused this question (too long, filtered). The item is set aside; the run goes on.
    #[error("the model's server refused the question about {unit}: {why}")]
    Refused {
        /// What was asked about.
        unit: String,
        /// The server's words.
        why: String,
    },
    /// The next question could cost more than what is left. The run ends; what was read stays.
    #[error("the budget is spent: {0}")]
    OverBudget(String),
    /// The server cannot be used at all, or stayed away for too long. The run ends; what was read stays.
    #[error("the model's server cannot be used: {0}")]
    Down(String),
}

impl Unanswered {
    /// Whether the run can go on with the next item.
    pub fn is_about_one_item(&self) -> bool {
        matches!(self, Self::Malformed { .. } | Self::Refused { .. })
    }
}

type Script = dyn Fn(&Question) -> Value + Send + Sync;

/// A model behind its door. Cheap to share; all pacing, caching and counting happens inside.
pub struct Model {
    voice: Voice,
    recorder: Option<Recorder>,
    /// Answers that came from a tape.
    replayed: AtomicU64,
}

/// Who answers.
enum Voice {
    Script(Box<Script>),
    Tape(Tape),
    Server(Arc<Server>),
}

impl Model {
    /// The model that `settings` name. With a store, answers are kept there and what earlier runs spent counts against the
    /// budget; without one, both last as long as the model. Nothing is sent yet.
    ///
    /// # Errors
    /// When the address or the key cannot be used, the budget is in money and the model has no price, or the store cannot
    /// be read.
    pub async fn new(settings: &LlmSettings, store: Option<Store>, clock: Clock) -> Result<Self> {
        Self::with_timer(settings, store, clock, Timer::real()).await
    }

    /// The same with another timer, for tests.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub async fn with_timer(settings: &LlmSettings, store: Option<Store>, clock: Clock, timer: Timer) -> Result<Self> {
        let server = Server::new(settings, store, clock, timer).await?;
        Ok(Self::of(Voice::Server(Arc::new(server))))
    }

    /// The model whose answers are on the tape at `path`. It touches no network; a question that is not on the tape is
    /// [`Unanswered::Down`] and names it.
    ///
    /// # Errors
    /// When the tape cannot be read or is empty.
    pub fn replay(path: &Path) -> Result<Self> {
        Ok(Self::of(Voice::Tape(Tape::open(path)?)))
    }

    /// The same model, recording every answer on the tape at `path` as it arrives. What is on the tape is kept and not asked for
    /// again. [`Model::settle`] puts it into order.
    ///
    /// # Errors
    /// When there is a tape and it cannot be read.
    pub fn recording(self, path: &Path) -> Result<Self> {
        Ok(Self { recorder: Some(Recorder::open(path)?), ..self })
    }

    /// A model that answers what `script` says, for tests of what is made of answers.
    pub fn scripted(script: impl Fn(&Question) -> Value + Send + Sync + 'static) -> Self {
        Self::of(Voice::Script(Box::new(script)))
    }

    fn of(voice: Voice) -> Self {
        Self { voice, recorder: None, replayed: AtomicU64::new(0) }
    }

    /// The model's name as the server knows it, and how hard it thinks where that is set.
    pub fn name(&self) -> &str {
        match &self.voice {
            Voice::Script(_) => "scripted",
            Voice::Tape(tape) => &tape.model,
            Voice::Server(server) => &server.name,
        }
    }

    /// Asks `question` and reads the answer as a `T`, asking once more when the first answer is of another form. May be
    /// called from many tasks at once. Dropping the future before its request is sent takes the question back; after that
    /// the answer is still waited for and kept, see [`Model::settle`].
    ///
    /// # Errors
    /// As [`Unanswered`] says.
    pub async fn ask<T: DeserializeOwned>(&self, question: &Question) -> Result<T, Unanswered> {
        let reply = self.reply(question, Turn::First).await?;
        let why = match reply.read(question, self.limit(question, Turn::First)) {
            Ok(answer) => return Ok(answer),
            Err(why) => why,
        };
        tracing::debug!(unit = question.unit, why, "asking once more");
        let turn = reply.next_turn();
        let reply = self.reply(question, turn).await?;
        let limit = self.limit(question, turn);
        reply.read(question, limit).map_err(|why| Unanswered::Malformed { unit: question.unit.clone(), why })
    }

    async fn reply(&self, question: &Question, turn: Turn) -> Result<Reply, Unanswered> {
        let taped = self.recorder.as_ref().and_then(|recorder| recorder.find(self.name(), question, turn));
        let replayed = |reply| {
            self.replayed.fetch_add(1, Ordering::Relaxed);
            (reply, Usage::default())
        };
        let (reply, usage) = match (taped, &self.voice) {
            (Some(reply), _) => replayed(reply),
            (None, Voice::Script(script)) => {
                (Reply { text: script(question).to_string(), finish: "stop".to_owned() }, Usage::default())
            }
            (None, Voice::Tape(tape)) => replayed(tape.answer(question, turn)?),
            (None, Voice::Server(server)) => server.answer(question, turn).await?,
        };
        if let Some(recorder) = &self.recorder {
            let noted = recorder.note(self.name(), question, turn, &reply, usage);
            noted.map_err(|error| Unanswered::Down(format!("{error:#}")))?;
        }
        match reply.declined() {
            Some(why) => Err(Unanswered::Refused { unit: question.unit.clone(), why }),
            None => Ok(reply),
        }
    }

    /// Longest answer to `question`, tokens.
    fn limit(&self, question: &Question, turn: Turn) -> u32 {
        match &self.voice {
            Voice::Server(server) => server.thinking.limit(question, turn),
            _ => Thinking::default().limit(question, turn),
        }
    }

    /// The exact body of the request that `question` would make, for people who want to see what leaves their machine.
    /// Headers hold nothing but the key.
    pub fn request_body(&self, question: &Question) -> Value {
        match &self.voice {
            Voice::Server(server) => server.body(question),
            _ => request::body(self.name(), question, Turn::First, Dialect::default(), &Thinking::default()),
        }
    }

    /// What is in `outlook` would take, without asking anything; the exact body of each request that would be sent is handed to
    /// `show`. Of second askings nothing is known beforehand.
    ///
    /// # Errors
    /// When the store cannot be read, the model is no server's, or `show` fails.
    pub async fn estimate(&self, outlook: &Outlook, show: Show<'_>) -> Result<Estimate> {
        match &self.voice {
            Voice::Server(server) => estimate::estimate(server, outlook, show).await,
            _ => bail!("only a model behind a server costs anything; leave --replay out to see what would be sent"),
        }
    }

    /// Hands `questions` over as one batch, at the provider's price for batches; answered ones and those already handed over
    /// are left out. `None` when nothing is left. What it can cost most is taken from the budget until it is collected.
    ///
    /// # Errors
    /// When the budget does not reach, there are more than 50 000 questions, there is no store to remember the batch in, or
    /// the server does not take it.
    pub async fn submit_batch(&self, questions: &[Question]) -> Result<Option<BatchId>> {
        match &self.voice {
            Voice::Server(server) => batch::submit(server, questions).await,
            _ => bail!("only a model behind a server takes batches"),
        }
    }

    /// Fetches what became of the batches handed over, by this run or an earlier one. Their answers are kept as if they had
    /// been asked for one by one, so [`Model::ask`] finds them paid for; what a batch left unanswered it asks as usual.
    ///
    /// # Errors
    /// When the store or the server cannot be read. What was collected until then is kept.
    pub async fn collect_batches(&self) -> Result<Collected> {
        match &self.voice {
            Voice::Server(server) => batch::collect(server).await,
            _ => bail!("only a model behind a server takes batches"),
        }
    }

    /// Sends nothing more in this run: what is under way is answered still, and all else is [`Unanswered::Down`] for the reason
    /// given.
    pub fn stop(&self, why: &str) {
        if let Voice::Server(server) = &self.voice {
            server.stop(why);
        }
    }

    /// Waits until every request under way has been answered and written down, and writes the tape when one is being
    /// recorded; to be called before the process ends, also after Ctrl-C.
    ///
    /// # Errors
    /// When the tape cannot be written, or holds less than was asked because an answer looked like a key.
    pub async fn settle(&self) -> Result<()> {
        if let Voice::Server(server) = &self.voice {
            server.settle().await;
        }
        self.recorder.as_ref().map_or(Ok(()), Recorder::save)
    }

    /// Most tokens that `question` can take, prompt and answer together: what is held back of a budget.
    #[cfg(test)]
    fn request_tokens(&self, question: &Question) -> u64 {
        match &self.voice {
            Voice::Script(_) | Voice::Tape(_) => 0,
            Voice::Server(server) => server.most_prompt_tokens(question) + u64::from(self.limit(question, Turn::First)),
        }
    }

    /// What this run took so far, also for what got no answer that could be used.
    pub fn usage(&self) -> Usage {
        let mut used = match &self.voice {
            Voice::Script(_) | Voice::Tape(_) => Usage::default(),
            Voice::Server(server) => server.used(),
        };
        used.cached += self.replayed.load(Ordering::Relaxed);
        used
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("name", &self.name()).finish_non_exhaustive()
    }
}
