//! The `[llm]` section: which model is asked, how fast, and for how much money.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueEnum;
use secrecy::SecretString;
use serde::Deserialize;

/// Who reads posts and notes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ReaderKind {
    /// The reader in this binary: no network, no model.
    #[default]
    Embedded,
    /// A language model, as `[llm]` says.
    Llm,
}

/// How a language model names the words it means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// By the numbers of sentences; the program cuts the words.
    #[default]
    Point,
    /// By quoting; the program looks the quote up in the text.
    Copy,
}

impl Protocol {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Point, Self::Copy];

    /// The name as it is typed and stands in recipes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Copy => "copy",
        }
    }
}

/// A model behind an OpenAI-compatible server.
#[derive(Debug, Clone)]
pub struct LlmSettings {
    /// The section of `candor.toml` that it stands in; named in errors.
    pub section: &'static str,
    /// Address of the API, up to and including `/v1`. Loopback and private addresses are fine: the user names them.
    pub base_url: String,
    /// The model, as the server calls it.
    pub model: String,
    /// Environment variable that holds the key; named in errors.
    pub api_key_env: String,
    /// The key; empty for servers that ask for none.
    pub api_key: SecretString,
    /// Most requests a minute; `None`: as fast as the server's own limits allow.
    pub requests_per_minute: Option<u32>,
    /// Most tokens a minute, prompt and longest answer together, as estimated; `None`: as the server allows.
    pub tokens_per_minute: Option<u32>,
    /// Requests on their way at the same time.
    pub concurrency: usize,
    /// One attempt's time limit, seconds.
    pub timeout_secs: u64,
    /// How long the server may stay away before the run ends, seconds.
    pub outage_secs: u64,
    /// Most money that this workspace may ever spend, in millionths of the price table's currency.
    pub budget_micros: Option<u64>,
    /// Most tokens that this workspace may ever use, sent and received.
    pub budget_tokens: Option<u64>,
    /// Tokens that every answer may have beside those that the answer itself takes: room to think.
    pub answer_tokens: u32,
    /// How hard a reasoning model is asked to think, in its server's words.
    pub reasoning_effort: Option<String>,
    /// Prices by model name.
    pub prices: BTreeMap<String, Price>,
    /// What the price table counts in, such as `USD`.
    pub currency: String,
    /// How words are named.
    pub protocol: Protocol,
    /// Short posts packed into one request.
    pub posts_per_request: usize,
    /// Whether each sentence of a post is asked about by itself, so that no words of a post can move the reading of others.
    pub sentence_by_sentence: bool,
    /// Whether every found act, and every claim of a note, is checked by a second, cheap question.
    pub judge_support: bool,
    /// Whether the model says for each signal and claimed pain which problem it belongs to, or only names problems.
    pub assign_problems: bool,
    /// Posts are passed on to the model when the embedded reader gives any act at least this probability, 0 to 1.
    pub pass_on: f64,
    /// Share of the posts not passed on that is read all the same, to measure what is missed, 0 to 1.
    pub audit: f64,
    /// Names that are redacted before anything is sent.
    pub contact_names: Vec<String>,
    /// Where answers are recorded, question by question.
    pub record: Option<PathBuf>,
    /// A tape to answer from, instead of asking anybody.
    pub replay: Option<PathBuf>,
}

/// Price of a model, per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Of tokens sent.
    pub input: f64,
    /// Of tokens received.
    pub output: f64,
    /// What the provider's batches cost, as a share of the above.
    #[serde(default = "half")]
    pub batch: f64,
}

fn half() -> f64 {
    0.5
}

/// `[llm]`, as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LlmFile {
    base_url: Option<String>,
    model: String,
    api_key_env: Option<String>,
    requests_per_minute: Option<u32>,
    tokens_per_minute: Option<u32>,
    concurrency: Option<usize>,
    timeout_secs: Option<u64>,
    outage_secs: Option<u64>,
    budget: Option<f64>,
    budget_tokens: Option<u64>,
    #[serde(default)]
    answer_tokens: u32,
    reasoning_effort: Option<String>,
    #[serde(default)]
    prices: BTreeMap<String, Price>,
    currency: Option<String>,
    #[serde(default)]
    protocol: Protocol,
    posts_per_request: Option<usize>,
    #[serde(default)]
    sentence_by_sentence: bool,
    judge_support: Option<bool>,
    assign_problems: Option<bool>,
    pass_on: Option<f64>,
    audit: Option<f64>,
    #[serde(default)]
    contact_names: Vec<String>,
}

/// Where the key is looked for. Not `OPENAI_API_KEY`, which would then be sent to whatever server is configured.
const KEY_ENV: &str = "CANDOR_LLM_KEY";

impl LlmSettings {
    /// Where models are looked for unless another address is named.
    pub const OPENAI: &str = "https://api.openai.com/v1";

    /// `model` at `base_url` with everything else at its default, the key included.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            section: "llm",
            base_url: base_url.into(),
            model: model.into(),
            api_key_env: KEY_ENV.to_owned(),
            api_key: key(KEY_ENV),
            requests_per_minute: None,
            tokens_per_minute: None,
            concurrency: 4,
            timeout_secs: 120,
            outage_secs: 600,
            budget_micros: None,
            budget_tokens: None,
            answer_tokens: 0,
            reasoning_effort: None,
            prices: BTreeMap::new(),
            currency: "USD".to_owned(),
            protocol: Protocol::Point,
            posts_per_request: 1,
            sentence_by_sentence: false,
            judge_support: true,
            assign_problems: true,
            pass_on: 0.15,
            audit: 0.02,
            contact_names: Vec::new(),
            record: None,
            replay: None,
        }
    }

    /// Sets the budget to `amount` of the price table's currency.
    ///
    /// # Errors
    /// When it is negative or no number.
    pub fn set_budget(&mut self, amount: f64) -> Result<()> {
        if !(0.0..=1e12).contains(&amount) {
            bail!("{}.budget must be an amount of money, not {amount}", self.section);
        }
        self.budget_micros = Some(micros(amount));
        Ok(())
    }

    /// Refuses a pace of nothing: in what every server is asked with, and in these `others` of the section.
    pub(super) fn check_pace(&self, others: &[(&str, usize)]) -> Result<()> {
        let own = [
            ("requests_per_minute", self.requests_per_minute == Some(0)),
            ("tokens_per_minute", self.tokens_per_minute == Some(0)),
            ("concurrency", self.concurrency == 0),
        ];
        for (name, zero) in own.into_iter().chain(others.iter().map(|(name, count)| (*name, *count == 0))) {
            if zero {
                bail!("{}.{name} must be at least 1; leave it out for the default", self.section);
            }
        }
        Ok(())
    }

    /// The price of the configured model, if the table has it.
    pub fn price(&self) -> Option<Price> {
        self.prices.get(&self.model).copied()
    }

    pub(super) fn merge(file: LlmFile) -> Result<Self> {
        let defaults = Self::new(file.base_url.as_deref().unwrap_or(Self::OPENAI), file.model);
        let api_key_env = file.api_key_env.unwrap_or(defaults.api_key_env);
        let mut settings = Self {
            api_key: key(&api_key_env),
            api_key_env,
            requests_per_minute: file.requests_per_minute,
            tokens_per_minute: file.tokens_per_minute,
            concurrency: file.concurrency.unwrap_or(defaults.concurrency),
            timeout_secs: file.timeout_secs.unwrap_or(defaults.timeout_secs).max(1),
            outage_secs: file.outage_secs.unwrap_or(defaults.outage_secs),
            budget_tokens: file.budget_tokens,
            answer_tokens: file.answer_tokens,
            reasoning_effort: file.reasoning_effort,
            prices: file.prices,
            currency: file.currency.unwrap_or(defaults.currency),
            protocol: file.protocol,
            posts_per_request: file.posts_per_request.unwrap_or(defaults.posts_per_request),
            sentence_by_sentence: file.sentence_by_sentence,
            judge_support: file.judge_support.unwrap_or(defaults.judge_support),
            assign_problems: file.assign_problems.unwrap_or(defaults.assign_problems),
            pass_on: file.pass_on.unwrap_or(defaults.pass_on),
            audit: file.audit.unwrap_or(defaults.audit),
            contact_names: file.contact_names,
            ..defaults
        };
        if let Some(amount) = file.budget {
            settings.set_budget(amount)?;
        }
        settings.check_pace(&[("posts_per_request", settings.posts_per_request)])?;
        if settings.sentence_by_sentence && settings.posts_per_request > 1 {
            bail!(
                "llm.sentence_by_sentence keeps sentences apart and llm.posts_per_request packs posts together; leave one out"
            );
        }
        for (name, share) in [("pass_on", settings.pass_on), ("audit", settings.audit)] {
            if !(0.0..=1.0).contains(&share) {
                bail!("llm.{name} must lie between 0 and 1, not {share}");
            }
        }
        for (model, price) in &settings.prices {
            if [price.input, price.output, price.batch].iter().any(|p| !(0.0..=1e9).contains(p)) {
                bail!("llm.prices.{model:?} must hold prices per million tokens");
            }
        }
        Ok(settings)
    }
}

pub(super) fn key(variable: &str) -> SecretString {
    SecretString::from(std::env::var(variable).unwrap_or_default().trim())
}

/// An amount in millionths, rounded to the nearest; negative ones do not come here.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie in 0 to 1e12")]
fn micros(amount: f64) -> u64 {
    (amount * 1e6).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<LlmSettings> {
        LlmSettings::merge(toml::from_str(text)?)
    }

    #[test]
    fn a_full_section_is_read() {
        let settings = read(
            "base_url = 'http://127.0.0.1:8091/v1'\nmodel = 'small'\nbudget = 2.5\nprotocol = 'copy'\n\
             [prices.small]\ninput = 0.15\noutput = 0.6",
        )
        .unwrap();
        assert_eq!(settings.budget_micros, Some(2_500_000));
        assert_eq!(settings.protocol, Protocol::Copy);
        assert_eq!(settings.price(), Some(Price { input: 0.15, output: 0.6, batch: 0.5 }));
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        for (line, name) in [
            ("concurrency = 0", "llm.concurrency"),
            ("budget = -1.0", "llm.budget"),
            ("pass_on = 1.5", "llm.pass_on"),
            ("audit = -0.1", "llm.audit"),
            ("requests_per_minute = 0", "llm.requests_per_minute"),
            ("sentence_by_sentence = true\nposts_per_request = 4", "llm.sentence_by_sentence"),
            ("[prices.m]\ninput = -1.0\noutput = 1.0", "llm.prices"),
        ] {
            let error = read(&format!("model = 'm'\n{line}")).unwrap_err().to_string();
            assert!(error.contains(name), "{line}: {error}");
        }
        assert!(read("base_url = 'http://x/v1'").is_err(), "a model must be named");
    }
}
