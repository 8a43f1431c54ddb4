//! What questions would take, before any is asked.

use std::collections::HashSet;
use std::fmt;
use std::ops::AddAssign;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::Question;
use super::purse::money;
use super::request::{self, Turn};
use super::server::{Server, lock};

/// Where the exact body of each request goes that would be sent.
pub type Show<'a> = &'a mut dyn FnMut(Value) -> Result<()>;

/// What would be asked about some texts, before any is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outlook {
    /// What would be asked first, as it would be sent.
    pub questions: Vec<Question>,
    /// Of each text, and of what it answers, the sentences that would not be sent because they speak to a reader.
    pub withheld: Vec<Vec<String>>,
    /// The longest second looks that the answers can lead to, each with how many there may be like it.
    pub checks: Vec<(Question, u64)>,
}

/// Most that second looks at the answers can take. How many there are depends on the answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Checks {
    /// Most second looks.
    pub most: u64,
    /// Most tokens to send, counted as in [`Estimate`].
    pub prompt_tokens: u64,
    /// Most tokens to receive.
    pub completion_tokens: u64,
    /// Most that they cost, in millionths; `None` when the price table does not have the model.
    pub cost_micros: Option<u64>,
}

/// What a number of questions would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Different questions.
    pub questions: u64,
    /// Of these, how many were answered before and cost nothing.
    pub cached: u64,
    /// Sentences that speak to a reader and will not be sent.
    pub withheld: u64,
    /// Tokens to send, counted with OpenAI's o200k table and corrected by what the server counted so far.
    pub prompt_tokens: u64,
    /// Most tokens to receive.
    pub most_completion_tokens: u64,
    /// Cost when every answer is empty, in millionths; `None` when the price table does not have the model.
    pub least_cost_micros: Option<u64>,
    /// Cost when every answer is as long as it may be, without second askings.
    pub most_cost_micros: Option<u64>,
    /// Most that second looks take on top of all this.
    pub checks: Checks,
    /// What is left of the budget in money, in millionths; `None` without one.
    pub left_micros: Option<u64>,
    /// What is left of the budget in tokens; `None` without one.
    pub left_tokens: Option<u64>,
    /// What the costs are in.
    pub currency: String,
}

/// As [`super::Model::estimate`].
pub(super) async fn estimate(server: &Server, outlook: &Outlook, show: Show<'_>) -> Result<Estimate> {
    let most = |question: &Question| u64::from(server.thinking.limit(question, Turn::First));
    let mut seen = HashSet::new();
    let (mut cached, mut prompt_tokens, mut most_completion_tokens) = (0, 0, 0);
    for question in &outlook.questions {
        let hash = request::hash(&server.name, question, Turn::First);
        if !seen.insert(hash.clone()) {
            continue;
        }
        if server.find(&hash, question, Turn::First).await?.is_some() {
            cached += 1;
            continue;
        }
        prompt_tokens += server.count(question);
        most_completion_tokens += most(question);
        show(server.body(question))?;
    }
    let mut checks = Checks::default();
    for (question, times) in &outlook.checks {
        checks.most += times;
        checks.prompt_tokens += times * server.count(question);
        checks.completion_tokens += times * most(question);
    }
    let counted = *lock(&server.counted);
    prompt_tokens = counted.corrected(prompt_tokens);
    checks.prompt_tokens = counted.corrected(checks.prompt_tokens);
    let cost = |sent, received| server.priced.then(|| server.rate.cost(sent, received));
    checks.cost_micros = cost(checks.prompt_tokens, checks.completion_tokens);
    let (left_micros, left_tokens) = server.purse.left();
    Ok(Estimate {
        questions: seen.len() as u64,
        cached,
        withheld: outlook.withheld.iter().map(|sentences| sentences.len() as u64).sum(),
        prompt_tokens,
        most_completion_tokens,
        least_cost_micros: cost(prompt_tokens, 0),
        most_cost_micros: cost(prompt_tokens, most_completion_tokens),
        checks,
        left_micros,
        left_tokens,
        currency: server.purse.currency().to_owned(),
    })
}

impl Estimate {
    /// Most that everything costs, second looks included.
    fn most_micros(&self) -> Option<u64> {
        Some(self.most_cost_micros? + self.checks.cost_micros?)
    }

    /// Most tokens that everything takes, second looks included.
    fn most_tokens(&self) -> u64 {
        let first = self.prompt_tokens + self.most_completion_tokens;
        first + self.checks.prompt_tokens + self.checks.completion_tokens
    }

    /// What is left of the budget and the most that everything can take, where that is more.
    fn short_of(&self) -> Option<(String, String)> {
        let currency = &self.currency;
        let in_money = |micros| format!("{} {currency}", money(micros));
        let in_tokens = |tokens| format!("{tokens} tokens");
        let money = self.left_micros.zip(self.most_micros()).filter(|(left, most)| left < most);
        let tokens = self.left_tokens.map(|left| (left, self.most_tokens())).filter(|(left, most)| left < most);
        let money = money.map(|(left, most)| (in_money(left), in_money(most)));
        money.or_else(|| tokens.map(|(left, most)| (in_tokens(left), in_tokens(most))))
    }
}

/// Both, where both are known.
fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    Some(a? + b?)
}

impl AddAssign for Checks {
    fn add_assign(&mut self, more: Self) {
        self.most += more.most;
        self.prompt_tokens += more.prompt_tokens;
        self.completion_tokens += more.completion_tokens;
        self.cost_micros = sum(self.cost_micros, more.cost_micros);
    }
}

impl AddAssign for Estimate {
    /// Of more questions of the same model.
    fn add_assign(&mut self, more: Self) {
        self.questions += more.questions;
        self.cached += more.cached;
        self.withheld += more.withheld;
        self.prompt_tokens += more.prompt_tokens;
        self.most_completion_tokens += more.most_completion_tokens;
        self.least_cost_micros = sum(self.least_cost_micros, more.least_cost_micros);
        self.most_cost_micros = sum(self.most_cost_micros, more.most_cost_micros);
        self.checks += more.checks;
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, cached, withheld, prompt_tokens, most_completion_tokens, checks, currency, .. } = self;
        if *questions == 0 {
            return f.write_str("nothing is left to ask");
        }
        write!(f, "{questions} question{}", if *questions == 1 { "" } else { "s" })?;
        if *cached > 0 {
            write!(f, ", {cached} of them answered before")?;
        }
        if *withheld > 0 {
            write!(f, ", {withheld} sentences withheld because they speak to a reader")?;
        }
        write!(f, "; about {prompt_tokens} tokens to send, at most {most_completion_tokens} to receive")?;
        match (self.least_cost_micros, self.most_cost_micros) {
            (Some(least), Some(most)) => write!(f, "; {} to {} {currency}", money(least), money(most)),
            _ => f.write_str("; the price table does not have this model"),
        }?;
        if checks.most > 0 {
            let Checks { most, prompt_tokens, completion_tokens, cost_micros } = checks;
            write!(
                f,
                "\non top of it at most {most} checks of what is found; at most {prompt_tokens} tokens to send, "
            )?;
            write!(f, "{completion_tokens} to receive")?;
            if let Some(cost) = cost_micros {
                write!(f, "; at most {} {currency}", money(*cost))?;
            }
        }
        if let Some((left, most)) = self.short_of() {
            write!(f, "\nthe budget has {left} left, and all this can take {most}; a run ends where the budget does")?;
        }
        Ok(())
    }
}
