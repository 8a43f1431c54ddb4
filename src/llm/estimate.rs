//! What questions would take, before any is asked.

use std::fmt;

use serde::Serialize;

use super::purse::money;

/// What a number of questions would take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Different questions.
    pub questions: u64,
    /// Of these, how many were answered before and cost nothing.
    pub cached: u64,
    /// Sentences that speak to a reader and will not be sent.
    pub withheld: u64,
    /// Most second looks at what one of the texts says. They depend on the answers, and nothing else here has them in it.
    pub most_checks_each: u64,
    /// Tokens to send, counted with OpenAI's o200k table: about right for other models.
    pub prompt_tokens: u64,
    /// Most tokens to receive.
    pub most_completion_tokens: u64,
    /// Cost when every answer is empty, in millionths; `None` when the price table does not have the model.
    pub least_cost_micros: Option<u64>,
    /// Cost when every answer is as long as it may be, without second askings.
    pub most_cost_micros: Option<u64>,
    /// What the costs are in.
    pub currency: String,
}

impl std::ops::AddAssign for Estimate {
    /// Of more questions of the same model.
    fn add_assign(&mut self, more: Self) {
        self.questions += more.questions;
        self.cached += more.cached;
        self.withheld += more.withheld;
        self.prompt_tokens += more.prompt_tokens;
        self.most_completion_tokens += more.most_completion_tokens;
        let sum = |a: Option<u64>, b: Option<u64>| Some(a? + b?);
        self.least_cost_micros = sum(self.least_cost_micros, more.least_cost_micros);
        self.most_cost_micros = sum(self.most_cost_micros, more.most_cost_micros);
    }
}

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            questions,
            cached,
            most_checks_each: checks,
            withheld,
            prompt_tokens,
            most_completion_tokens,
            currency,
            ..
        } = self;
        write!(f, "{questions} questions")?;
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
        if *checks > 0 {
            write!(f, "\non top of it checks of what is found, short questions of which a text has at most {checks}")?;
        }
        Ok(())
    }
}
