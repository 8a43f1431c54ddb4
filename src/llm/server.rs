//! A question's way: was it paid for before? does the budget reach? is it its turn? send, write the answer down, read it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, watch};

use super::batch;
use super::gate::Gate;
use super::purse::{Amount, Held, Purse, Rate};
use super::reply::{Completion, Reply, brief};
use super::request::{self, Dialect, Thinking, Turn};
use super::tokens::{self, Counted};
use super::transport::{Access, Line, Passing, Trouble, Wanted, remedy};
use super::{Question, Unanswered, Usage};
use crate::clock::Clock;
use crate::config::LlmSettings;
use crate::model::id::content_hash;
use crate::net::Timer;
use crate::store::{LlmCall, Store};

/// Rounds of async-openai's retries that one question gets while the server answers others.
const MOST_ROUNDS: u32 = 3;

/// Questions that may find out what a server understands. When none of them got an answer that can be used, the rest is asked
/// as if it understood everything.
const MOST_PROBES: u32 = 3;

/// A server with one model, the purse it is paid from and the store where answers are kept.
pub(super) struct Server {
    pub(super) model: String,
    /// What its answers are kept under: the model, and how hard it thinks where that is set.
    pub(super) name: String,
    pub(super) thinking: Thinking,
    key_env: String,
    pub(super) access: Access,
    pub(super) line: Line,
    gate: Arc<Gate>,
    pub(super) purse: Arc<Purse>,
    pub(super) rate: Rate,
    /// What a batch's questions cost.
    pub(super) batch_rate: Rate,
    /// Whether the price table has the model; without a price everything costs nothing.
    pub(super) priced: bool,
    pub(super) store: Option<Store>,
    pub(super) clock: Clock,
    dialect: Mutex<Known>,
    /// How the server counts, in earlier runs and in this one.
    pub(super) counted: Mutex<Counted>,
    /// Held by the first question to a server that is not known yet.
    probing: Arc<AsyncMutex<()>>,
    /// Questions under way, by hash: the same question asked twice at once is paid for once.
    asking: Mutex<HashMap<String, Arc<AsyncMutex<()>>>>,
    /// Answers of this run when there is no store.
    kept: Mutex<HashMap<String, Reply>>,
    /// Questions, by hash, that this run paid for without getting an answer that can be used: it does not ask them again, a
    /// later run does.
    pub(super) in_vain: Mutex<HashSet<String>>,
    pub(super) used: Mutex<Usage>,
    /// Tokens of the parts that questions of one prompt share, by hash.
    prefixes: Mutex<HashMap<blake3::Hash, u64>>,
    pub(super) under_way: watch::Sender<usize>,
}

/// What is known of the server's dialect.
#[derive(Debug, Clone, Copy)]
struct Known {
    dialect: Dialect,
    /// It answered in this dialect, in an earlier run or in this one.
    proven: bool,
    /// It did so in this run.
    used: bool,
    /// Questions that went first in this run to find it out.
    probes: u32,
}

/// What the store remembers of a server and model.
#[derive(Serialize, Deserialize)]
struct Remembered {
    #[serde(flatten)]
    dialect: Dialect,
    #[serde(default)]
    counted: Counted,
}

/// Counts a question as under way while it lives.
pub(super) struct UnderWay(watch::Sender<usize>);

impl UnderWay {
    pub(super) fn new(count: &watch::Sender<usize>) -> Self {
        count.send_modify(|count| *count += 1);
        Self(count.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Server {
    pub(super) async fn new(settings: &LlmSettings, store: Option<Store>, clock: Clock, timer: Timer) -> Result<Self> {
        let price = settings.price();
        if settings.budget_micros.is_some() && price.is_none() {
            bail!(
                "llm.budget cannot be kept without the price of {:?}; add [llm.prices.{:?}] or set llm.budget_tokens",
                settings.model,
                settings.model
            );
        }
        let access = Access::new(settings)?;
        let batch_rate = price.map(|price| Rate::new(price, price.batch)).unwrap_or_default();
        let (mut spent, mut remembered) = (Amount::default(), None);
        if let Some(store) = &store {
            let before = store.llm_spent().await.context("could not read what was spent before")?;
            spent = before.into();
            let text = store.llm_dialect(access.base(), &settings.model).await?;
            remembered = text.and_then(|text| serde_json::from_str::<Remembered>(&text).ok());
            for batch in store.llm_batches(access.base(), &settings.model).await? {
                spent = spent.and(batch::most(batch_rate, &batch.requests));
            }
        }
        let gate = Arc::new(Gate::new(settings, timer));
        let thinking = Thinking { room: settings.answer_tokens, effort: settings.reasoning_effort.clone() };
        let effort = thinking.effort.as_ref().map(|effort| format!("@{effort}")).unwrap_or_default();
        Ok(Self {
            model: settings.model.clone(),
            name: format!("{}{effort}", settings.model),
            thinking,
            key_env: settings.api_key_env.clone(),
            line: Line::new(settings, access.clone(), Arc::clone(&gate))?,
            access,
            gate,
            purse: Arc::new(Purse::new(settings, spent)),
            priced: price.is_some(),
            rate: price.map(|price| Rate::new(price, 1.0)).unwrap_or_default(),
            batch_rate,
            store,
            clock,
            counted: Mutex::new(remembered.as_ref().map(|known| known.counted).unwrap_or_default()),
            dialect: Mutex::new(Known {
                proven: remembered.is_some(),
                dialect: remembered.map(|known| known.dialect).unwrap_or_default(),
                used: false,
                probes: 0,
            }),
            probing: Arc::default(),
            asking: Mutex::default(),
            kept: Mutex::default(),
            in_vain: Mutex::default(),
            used: Mutex::default(),
            prefixes: Mutex::default(),
            under_way: watch::Sender::new(0),
        })
    }

    /// One reply, from the store or from the server. A request that was sent is waited for and written down by a task of
    /// its own, so that the caller may be dropped at any point and nothing paid for is lost.
    pub(super) async fn answer(
        self: &Arc<Self>,
        question: &Question,
        turn: Turn,
    ) -> Result<(Reply, Usage), Unanswered> {
        let (alive, wanted) = Wanted::new();
        let server = Arc::clone(self);
        let under_way = UnderWay::new(&self.under_way);
        let asked = question.clone();
        let task = tokio::spawn(async move {
            let outcome = server.answer_or_keep(&asked, turn, wanted).await;
            drop(under_way);
            outcome
        });
        let outcome = task.await;
        drop(alive);
        outcome.unwrap_or_else(|error| Err(Unanswered::Down(brief(&error.to_string()))))
    }

    async fn answer_or_keep(
        &self,
        question: &Question,
        turn: Turn,
        wanted: Wanted,
    ) -> Result<(Reply, Usage), Unanswered> {
        let hash = request::hash(&self.name, question, turn);
        let only = self.alone(&hash).await;
        let outcome = match self.find(&hash, question, turn).await {
            Ok(Some(reply)) => {
                let usage = Usage { cached: 1, ..Usage::default() };
                *lock(&self.used) += usage;
                Ok((reply, usage))
            }
            Ok(None) => self.buy(&hash, question, turn, wanted).await,
            Err(error) => Err(Unanswered::Down(format!("could not look up earlier answers: {error:#}"))),
        };
        drop(only);
        let mut asking = lock(&self.asking);
        // Only the map's own: nobody waits for the same answer.
        if asking.get(&hash).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            asking.remove(&hash);
        }
        outcome
    }

    /// Waits until nobody else asks the question with `hash`.
    async fn alone(&self, hash: &str) -> OwnedMutexGuard<()> {
        let queue = Arc::clone(lock(&self.asking).entry(hash.to_owned()).or_default());
        queue.lock_owned().await
    }

    /// The reply to `question`, whose request has this `hash`, if it was paid for before. One that cannot be used is given in the
    /// run that bought it only, or where the second asking made up for it.
    pub(super) async fn find(&self, hash: &str, question: &Question, turn: Turn) -> Result<Option<Reply>> {
        let Some(reply) = self.kept(hash).await? else { return Ok(None) };
        if reply.fits(question) || lock(&self.in_vain).contains(hash) {
            return Ok(Some(reply));
        }
        let second = request::hash(&self.name, question, reply.next_turn());
        let made_up = self.kept(&second).await?.is_some_and(|second| second.fits(question));
        Ok((turn == Turn::First && made_up).then_some(reply))
    }

    /// The last reply to the question with `hash`.
    async fn kept(&self, hash: &str) -> Result<Option<Reply>> {
        match &self.store {
            Some(store) => Ok(store.llm_reply(hash).await?.map(|(finish, text)| Reply { text, finish })),
            None => Ok(lock(&self.kept).get(hash).cloned()),
        }
    }

    /// Sends until there is an answer or a reason to stop, and writes the answer down.
    async fn buy(
        &self,
        hash: &str,
        question: &Question,
        turn: Turn,
        wanted: Wanted,
    ) -> Result<(Reply, Usage), Unanswered> {
        let (mut dialect, probing) = self.dialect().await;
        let prompt_tokens = self.prompt_tokens(question);
        let most = u64::from(self.thinking.limit(question, turn));
        let amount = Amount { micros: self.rate.cost(prompt_tokens, most), tokens: prompt_tokens + most };
        let answers_before = self.gate.answers();
        let mut rounds = 0;
        loop {
            if let Some(why) = self.gate.why_shut() {
                return Err(Unanswered::Down(why));
            }
            let held = self.purse.hold(amount).await.map_err(Unanswered::OverBudget)?;
            let body = request::body(&self.model, question, turn, dialect, &self.thinking);
            let (outcome, lost) = self.line.complete(&body, amount.tokens, wanted.clone()).await;
            let trouble = match outcome {
                Ok(completion) => {
                    let (reply, usage, fits) = self.keep(hash, question, completion, held).await?;
                    let misfit = !fits && reply.is_whole();
                    // Not every server that ignores the form asked for says so.
                    if let Some(plainer) =
                        dialect.plainer().filter(|_| misfit && turn == Turn::First && probing.is_some())
                    {
                        dialect = plainer;
                        continue;
                    }
                    if fits {
                        self.learn(dialect).await;
                    }
                    return Ok((reply, usage));
                }
                Err(trouble) => trouble,
            };
            if lost {
                self.note_lost(hash, question, prompt_tokens, most).await?;
            }
            held.unanswered(lost);
            match trouble {
                Trouble::Refusal { status, message } => {
                    dialect = self.refused(question, status, &message, dialect, probing.is_some())?;
                }
                Trouble::Passing { why, kind } => {
                    rounds += u32::from(kind != Passing::Busy);
                    let others = self.gate.answers() - answers_before;
                    let works = others > 0 || kind == Passing::Slow && self.gate.answers() > 0;
                    if rounds >= MOST_ROUNDS && works {
                        let why = format!("{why}, {rounds} times, while others were answered");
                        return Err(Unanswered::Refused { unit: question.unit.clone(), why });
                    }
                }
                Trouble::GivenUp(why) => return Err(Unanswered::Down(why)),
                Trouble::Abandoned => return Err(Unanswered::Down("nobody waits for the answer".to_owned())),
            }
        }
    }

    /// What to do after the server refused `question`: ask in other words, set the question aside, or stop.
    fn refused(
        &self,
        question: &Question,
        status: u16,
        message: &str,
        dialect: Dialect,
        probing: bool,
    ) -> Result<Dialect, Unanswered> {
        let aside = || Unanswered::Refused { unit: question.unit.clone(), why: message.to_owned() };
        let lower = message.to_lowercase();
        let moderated = ["moderat", "flagged", "content policy"].iter().any(|word| lower.contains(word));
        // Not every server says 404 of a model that it does not have.
        let unknown = lower.contains("model")
            && ["not a valid model", "model not found", "does not exist", "unknown model", "no such model"]
                .iter()
                .any(|words| lower.contains(words));
        let todo = match status {
            400 | 422 if !unknown => {
                let plainer = || dialect.plainer().filter(|_| probing);
                return dialect.after(message).or_else(plainer).ok_or_else(aside);
            }
            403 if moderated => return Err(aside()),
            400 | 404 | 405 | 422 => format!(
                "it has no model {:?} at this address; check llm.model, and llm.base_url, which usually ends in /v1",
                self.model
            ),
            _ => remedy(status, "llm", &self.key_env, self.access.has_key(), &self.model).ok_or_else(aside)?,
        };
        let why = format!("{todo} ({status}: {message})");
        self.gate.shut(&why);
        Err(Unanswered::Down(why))
    }

    /// Writes the answer down before anything else happens to it.
    async fn keep(
        &self,
        hash: &str,
        question: &Question,
        completion: Completion,
        held: Held,
    ) -> Result<(Reply, Usage, bool), Unanswered> {
        if let Some(server) = completion.prompt_tokens
            && (self.purse.is_limited() || !lock(&self.counted).is_enough())
        {
            let table = self.count(question);
            lock(&self.counted).note(table, server);
        }
        let prompt_tokens = completion.prompt_tokens.unwrap_or_else(|| self.most_prompt_tokens(question));
        let reply = completion.reply;
        let completion_tokens = completion.completion_tokens.unwrap_or_else(|| tokens::count(&reply.text));
        let cost_micros = self.rate.cost(prompt_tokens, completion_tokens);
        let usage = Usage { calls: 1, cached: 0, prompt_tokens, completion_tokens, cost_micros };
        match &self.store {
            Some(store) => {
                write_down(store, self.call(hash.to_owned(), question, prompt_tokens, completion_tokens, &reply))
                    .await?;
            }
            None => {
                lock(&self.kept).insert(hash.to_owned(), reply.clone());
            }
        }
        let fits = reply.fits(question);
        if !fits {
            lock(&self.in_vain).insert(hash.to_owned());
        }
        held.settle(Amount { micros: cost_micros, tokens: prompt_tokens + completion_tokens });
        *lock(&self.used) += usage;
        Ok((reply, usage, fits))
    }

    /// Writes down the most that a question can have cost which was sent and never answered: the provider may count it all the
    /// same, and a later run has to know.
    async fn note_lost(
        &self,
        hash: &str,
        question: &Question,
        prompt_tokens: u64,
        completion_tokens: u64,
    ) -> Result<(), Unanswered> {
        let Some(store) = &self.store else { return Ok(()) };
        let hash = content_hash(&["lost", hash]);
        write_down(store, self.call(hash, question, prompt_tokens, completion_tokens, &Reply::lost())).await
    }

    /// The line of the ledger about `question`.
    fn call(
        &self,
        request_hash: String,
        question: &Question,
        prompt_tokens: u64,
        completion_tokens: u64,
        reply: &Reply,
    ) -> LlmCall {
        LlmCall {
            request_hash,
            model: self.name.clone(),
            prompt: question.prompt.to_owned(),
            unit: question.unit.clone(),
            prompt_tokens,
            completion_tokens,
            cost_micros: self.rate.cost(prompt_tokens, completion_tokens),
            finish: reply.finish.clone(),
            reply: reply.text.clone(),
            made_at: self.clock.now(),
        }
    }

    /// The dialect to ask in. To a server that nobody knows yet one question goes first, and the others wait for what it
    /// finds out.
    async fn dialect(&self) -> (Dialect, Option<OwnedMutexGuard<()>>) {
        let is_known = |known: &Known| known.proven || known.probes == MOST_PROBES;
        let known = *lock(&self.dialect);
        if is_known(&known) {
            return (known.dialect, None);
        }
        let probing = Arc::clone(&self.probing).lock_owned().await;
        let mut known = lock(&self.dialect);
        if is_known(&known) {
            return (known.dialect, None);
        }
        known.probes += 1;
        (known.dialect, Some(probing))
    }

    /// Remembers that an answer in `dialect` could be used. One that worked before in this run stays: a single question may be
    /// refused for its own schema.
    async fn learn(&self, dialect: Dialect) {
        let before = *lock(&self.dialect);
        if before.used {
            return;
        }
        *lock(&self.dialect) = Known { dialect, proven: true, used: true, ..before };
        if !before.proven || before.dialect != dialect {
            self.remember().await;
        }
    }

    /// Writes down what is known of the server, once something is.
    async fn remember(&self) {
        let Known { dialect, proven: true, .. } = *lock(&self.dialect) else { return };
        let remembered = Remembered { dialect, counted: *lock(&self.counted) };
        let (Some(store), Ok(text)) = (&self.store, serde_json::to_string(&remembered)) else { return };
        if let Err(error) = store.remember_llm_dialect(self.access.base(), &self.model, &text).await {
            tracing::warn!(error = format!("{error:#}"), "could not remember what the model's server understands");
        }
    }

    /// Tokens of the prompt, about. Roughly when nothing depends on it, by the table when money or pace does.
    fn prompt_tokens(&self, question: &Question) -> u64 {
        if self.purse.is_limited() || self.gate.counts_tokens() {
            return self.most_prompt_tokens(question);
        }
        (question.system.len() + question.user.len()) as u64 / 4
    }

    /// Tokens of the prompt by the table, and more where this server counts more.
    pub(super) fn most_prompt_tokens(&self, question: &Question) -> u64 {
        let table = self.count(question);
        lock(&self.counted).corrected(table).max(table)
    }

    /// Tokens of the prompt by the table.
    pub(super) fn count(&self, question: &Question) -> u64 {
        let mut hasher = blake3::Hasher::new();
        for part in std::iter::once(&question.system).chain(question.examples.iter().flat_map(|(q, a)| [q, a])) {
            hasher.update(&part.len().to_le_bytes()).update(part.as_bytes());
        }
        let key = hasher.finalize();
        let known = lock(&self.prefixes).get(&key).copied();
        let prefix = known.unwrap_or_else(|| {
            let counted = tokens::of_prefix(question);
            lock(&self.prefixes).insert(key, counted);
            counted
        });
        prefix + tokens::of_rest(question)
    }

    /// The exact body that would be sent first, as far as the server is known.
    pub(super) fn body(&self, question: &Question) -> Value {
        request::body(&self.model, question, Turn::First, lock(&self.dialect).dialect, &self.thinking)
    }

    /// What this run took so far.
    pub(super) fn used(&self) -> Usage {
        *lock(&self.used)
    }

    /// Sends nothing more.
    pub(super) fn stop(&self, why: &str) {
        self.gate.shut(why);
    }

    /// Waits until every request under way has been answered and written down.
    pub(super) async fn settle(&self) {
        let mut count = self.under_way.subscribe();
        // The sender is ours, so this cannot fail.
        let _ = count.wait_for(|count| *count == 0).await;
        self.remember().await;
    }
}

/// Puts a line into the ledger.
pub(super) async fn write_down(store: &Store, call: LlmCall) -> Result<(), Unanswered> {
    store.record_llm_call(&call).await.map_err(|error| Unanswered::Down(format!("{error:#}")))
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
