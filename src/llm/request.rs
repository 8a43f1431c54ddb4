//! What is sent: a question as a chat completion's body, in the words that the server understands.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Question;
use crate::model::id::content_hash;

/// The same question gets the same answer from servers that honour a seed.
const SEED: u64 = 20_260_101;

/// Asked again at temperature 0 a model would say the same again.
const SECOND_TEMPERATURE: f64 = 0.3;

/// How the answer's form is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    /// By a strict JSON schema, which the server enforces.
    Schema,
    /// As any JSON object; the schema stands in the question.
    Json,
    /// In words only.
    Plain,
}

/// What a server understands; the fullest is tried first, and what it complains of is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Dialect {
    pub(super) format: Format,
    /// The length limit is called `max_completion_tokens`, as OpenAI's reasoning models want.
    pub(super) completion_limit: bool,
    /// Temperature may be set.
    pub(super) temperature: bool,
    /// A seed may be set.
    pub(super) seed: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { format: Format::Schema, completion_limit: false, temperature: true, seed: true }
    }
}

impl Dialect {
    /// What to try after the server answered 400 with `message`; `None` when the complaint is about something else.
    pub(super) fn after(self, message: &str) -> Option<Self> {
        let message = message.to_lowercase();
        let complains_of = |words: &[&str]| words.iter().any(|word| message.contains(word));
        if !self.completion_limit && message.contains("max_completion_tokens") {
            return Some(Self { completion_limit: true, ..self });
        }
        if self.temperature && message.contains("temperature") {
            return Some(Self { temperature: false, ..self });
        }
        if self.seed && complains_of(&["seed"]) {
            return Some(Self { seed: false, ..self });
        }
        if complains_of(&["response_format", "response format", "json_schema", "json schema", "grammar", "schema"]) {
            return self.plainer();
        }
        // JSON mode is sometimes refused by its type's name alone.
        (self.format == Format::Json && complains_of(&["json_object", "json mode"]))
            .then_some(Self { format: Format::Plain, ..self })
    }

    /// The same with a form that fewer servers fail to understand; `None` when there is none.
    pub(super) fn plainer(self) -> Option<Self> {
        match self.format {
            Format::Schema => Some(Self { format: Format::Json, ..self }),
            Format::Json => Some(Self { format: Format::Plain, ..self }),
            Format::Plain => None,
        }
    }
}

/// The first asking, or the one repetition that a malformed answer earns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    First,
    /// `longer`: the first answer was cut by the length limit, so this one may be twice as long.
    Second {
        longer: bool,
    },
}

/// What a model that thinks before it answers is given.
#[derive(Debug, Clone, Default)]
pub(super) struct Thinking {
    /// Tokens beside those of the answer.
    pub(super) room: u32,
    /// How hard it is to think, in the server's words.
    pub(super) effort: Option<String>,
}

impl Thinking {
    /// Longest answer to `question`, thoughts included, tokens.
    pub(super) fn limit(&self, question: &Question, turn: Turn) -> u32 {
        let once = question.max_tokens.saturating_add(self.room);
        if turn == (Turn::Second { longer: true }) { once.saturating_mul(2) } else { once }
    }
}

/// The body of the request.
pub(super) fn body(model: &str, question: &Question, turn: Turn, dialect: Dialect, thinking: &Thinking) -> Value {
    let mut body = Map::new();
    body.insert("model".to_owned(), model.into());
    body.insert("messages".to_owned(), messages(question, dialect.format));
    let limit = if dialect.completion_limit { "max_completion_tokens" } else { "max_tokens" };
    body.insert(limit.to_owned(), thinking.limit(question, turn).into());
    if let Some(effort) = &thinking.effort {
        body.insert("reasoning_effort".to_owned(), effort.as_str().into());
    }
    if dialect.temperature {
        let temperature = if turn == Turn::First { json!(0) } else { json!(SECOND_TEMPERATURE) };
        body.insert("temperature".to_owned(), temperature);
    }
    if dialect.seed {
        body.insert("seed".to_owned(), (SEED + u64::from(turn != Turn::First)).into());
    }
    let format = match dialect.format {
        Format::Schema => Some(json!({
            "type": "json_schema",
            "json_schema": { "name": question.prompt, "strict": true, "schema": question.schema },
        })),
        Format::Json => Some(json!({ "type": "json_object" })),
        Format::Plain => None,
    };
    if let Some(format) = format {
        body.insert("response_format".to_owned(), format);
    }
    Value::Object(body)
}

/// Hash of everything that decides the answer. It does not depend on the server's dialect or on the room to think, so an answer
/// stays found when the server learns or forgets something, and when there is more room. `model` tells how hard it thinks.
pub(super) fn hash(model: &str, question: &Question, turn: Turn) -> String {
    content_hash(&["chat", &body(model, question, turn, Dialect::default(), &Thinking::default()).to_string()])
}

fn messages(question: &Question, format: Format) -> Value {
    let message = |role: &str, content: &str| json!({ "role": role, "content": content });
    let mut messages = vec![message("system", &question.system)];
    for (asked, answered) in &question.examples {
        messages.push(message("user", asked));
        messages.push(message("assistant", answered));
    }
    // What differs between questions comes last, so that servers can keep what they made of the beginning.
    messages.push(match format {
        Format::Schema => message("user", &question.user),
        Format::Json | Format::Plain => message(
            "user",
            &format!(
                "{}\n\nAnswer with one JSON object and nothing else. It must fit this JSON schema:\n{}",
                question.user, question.schema
            ),
        ),
    });
    messages.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::tests::question;

    #[test]
    fn each_complaint_leaves_out_what_it_names() {
        let full = Dialect::default();
        let cases = [
            (
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
                Some(Dialect { completion_limit: true, ..full }),
            ),
            ("'temperature' does not support 0 with this model", Some(Dialect { temperature: false, ..full })),
            ("Unrecognized request argument supplied: seed", Some(Dialect { seed: false, ..full })),
            ("This response_format type is unavailable now", Some(Dialect { format: Format::Json, ..full })),
            ("failed to parse grammar", Some(Dialect { format: Format::Json, ..full })),
            ("the request exceeds the available context size", None),
        ];
        for (message, expected) in cases {
            assert_eq!(full.after(message), expected, "{message}");
        }
        let json = Dialect { format: Format::Json, ..full };
        let plain = Dialect { format: Format::Plain, ..full };
        assert_eq!(json.after("response_format is not supported"), Some(plain));
        assert_eq!(json.after("json_object is not supported"), Some(plain));
        assert_eq!(plain.after("response_format is not supported"), None, "there is nothing left to leave out");
    }

    #[test]
    fn the_body_serialises_identically_and_the_hash_sees_what_matters() {
        let asked = question("u1", "How are you?");
        let text = |dialect| body("m", &asked, Turn::First, dialect, &Thinking::default()).to_string();
        assert_eq!(text(Dialect::default()), text(Dialect::default()));
        let base = hash("m", &asked, Turn::First);
        assert_eq!(base, hash("m", &question("u2", "How are you?"), Turn::First), "the unit is not sent");
        let others = [
            hash("n", &asked, Turn::First),
            hash("m", &asked, Turn::Second { longer: false }),
            hash("m", &asked, Turn::Second { longer: true }),
            hash("m", &question("u1", "How are they?"), Turn::First),
            hash("m", &Question { max_tokens: 9, ..asked.clone() }, Turn::First),
            hash("m", &Question { schema: json!({}), ..asked.clone() }, Turn::First),
            hash("m", &Question { examples: Vec::new(), ..asked.clone() }, Turn::First),
        ];
        for (at, other) in others.iter().enumerate() {
            assert!(*other != base && !others[..at].contains(other), "case {at}");
        }
    }

    #[test]
    fn questions_of_one_prompt_share_their_beginning() {
        for format in [Format::Schema, Format::Json, Format::Plain] {
            let dialect = Dialect { format, ..Dialect::default() };
            let [a, b] = ["one text", "another"].map(|text| {
                body("m", &question("u", text), Turn::First, dialect, &Thinking::default())["messages"].clone()
            });
            let (a, b) = (a.as_array().unwrap(), b.as_array().unwrap());
            assert_eq!(a[..a.len() - 1], b[..b.len() - 1]);
            assert_ne!(a.last(), b.last());
        }
    }
}
