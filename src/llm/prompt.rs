//! Prompts: the standing words of a question, each in a file of its own with its worked examples.
//!
//! A *prompt* names no hypothesis, no company and no source, and asks each thing by itself. The one rule: an example stands
//! in the file once, with quotes; what a model is shown of it is made like any other request, and an example whose quote is
//! not in its own text is refused ([`Prompt::worked`]), because it would teach a model to invent.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::outgoing::{Context as Answers, Outgoing};
use super::sheet::Sheet;
use crate::config::Protocol;
use crate::text::redact::Names;

/// The fence word of worked examples. No request has it: those have no vowels.
pub(super) const EXAMPLE_NONCE: &str = "example";

/// A prompt file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prompt {
    /// What the model does, and what it gets.
    pub system: String,
    /// How to answer by number.
    point: String,
    /// How to answer by quote.
    copy: String,
    /// What else is said of a claim.
    details: String,
    /// What changes when several texts come at once.
    packed: String,
    /// The questions, each by itself.
    #[serde(default, rename = "question")]
    questions: Vec<NamedQuestion>,
    /// Worked examples.
    #[serde(default, rename = "example")]
    pub(super) examples: Vec<Example>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedQuestion {
    name: String,
    text: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Example {
    context: Option<String>,
    pub(super) text: String,
    /// Of a second look: the name of the question that a claim answers, and the words it was quoted for.
    pub(super) question: Option<String>,
    pub(super) quote: Option<String>,
    /// As the sheet has it; places as quotes, and what is absent is no.
    pub(super) answer: Value,
}

impl Prompt {
    /// The prompt in `file`.
    ///
    /// # Errors
    /// When the file is not of a prompt's form.
    pub fn parse(file: &str) -> Result<Self> {
        toml::from_str(file).context("could not read a prompt")
    }

    /// The question with this name.
    pub fn question(&self, name: &str) -> Option<&str> {
        self.questions.iter().find(|q| q.name == name).map(|q| q.text.as_str())
    }

    /// The standing instructions.
    pub fn instructions(&self, protocol: Protocol, packed: bool) -> String {
        let questions: Vec<String> = self.questions.iter().map(|q| format!("{}: {}", q.name, q.text)).collect();
        let answer = match protocol {
            Protocol::Point => &self.point,
            Protocol::Copy => &self.copy,
        };
        let packed = if packed { self.packed.as_str() } else { "" };
        let parts = [self.system.as_str(), &questions.join("\n"), answer, &self.details, packed];
        parts.map(str::trim).into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
    }

    /// The worked examples as questions and answers: one after the other, or all in one request when requests are packed.
    ///
    /// # Errors
    /// When an example's quote is not in its own text, or its answer is not one of the sheet's.
    pub fn worked(&self, sheet: &Sheet, protocol: Protocol, packed: bool) -> Result<Vec<(String, String)>> {
        let mut worked = Vec::new();
        for example in &self.examples {
            let text = Outgoing::new(example.text.trim(), &Names::default());
            let context = example.context.as_deref().and_then(|c| Answers::new(c, &Names::default()).line);
            let asked = text.fenced(&(0..text.len()), context.as_deref(), protocol, EXAMPLE_NONCE);
            let answer = sheet.fill(&example.answer, &text, protocol);
            worked.push((asked, answer.with_context(|| format!("in the example {:?}", example.text))?));
        }
        if packed && !worked.is_empty() {
            let asked = worked.iter().enumerate().map(|(i, (asked, _))| format!("p{}:\n{asked}", i + 1));
            let asked = asked.collect::<Vec<_>>().join("\n");
            let answers =
                worked.into_iter().enumerate().map(|(i, (_, answer))| (format!("p{}", i + 1), answer)).collect();
            return Ok(vec![(asked, Value::Object(answers).to_string())]);
        }
        Ok(worked.into_iter().map(|(asked, answer)| (asked, answer.to_string())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a prompt must not say (METHOD 9.2): the thesis, the product, which answer is hoped for, where a text is from.
    #[test]
    fn prompts_are_free_of_hypotheses_and_sources() {
        let files = [
            include_str!("../../prompts/read_post.toml"),
            include_str!("../../prompts/read_note.toml"),
            include_str!("../../prompts/judge_support.toml"),
            include_str!("../../prompts/judge_note.toml"),
            include_str!("../../prompts/name_problem.toml"),
            include_str!("../../prompts/assign_problem.toml"),
        ];
        for file in files {
            let prompt = Prompt::parse(file).unwrap();
            let said = prompt.instructions(Protocol::Point, true).to_lowercase();
            for word in [
                "candor",
                "honest",
                "gap",
                "reddit",
                "discord",
                "hubspot",
                "salesforce",
                "we think",
                "hope",
                "competitor:",
            ] {
                assert!(!said.contains(word), "{word}: {said}");
            }
        }
    }
}
