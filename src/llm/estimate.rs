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

impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, cached, prompt_tokens, most_completion_tokens, currency, .. } = self;
        write!(f, "{questions} questions")?;
        if *cached > 0 {
            write!(f, ", {cached} of them answered before")?;
        }
        write!(f, "; about {prompt_tokens} tokens to send, at most {most_completion_tokens} to receive")?;
        match (self.least_cost_micros, self.most_cost_micros) {
            (Some(least), Some(most)) => write!(f, "; {} to {} {currency}", money(least), money(most)),
            _ => f.write_str("; the price table does not have this model"),
        }
    }
}
