//! What comes back: a chat completion as any server words it, and the JSON in what the model said.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Question;
use super::request::Turn;

/// Places in a reply at which a JSON value is looked for.
const MOST_STARTS: usize = 64;

/// Longest explanation that is passed on, characters: it ends in the `failure` table.
const LONGEST_WHY: usize = 300;

/// What the model said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) text: String,
    /// Why it stopped: `stop`, `length`, `content_filter`, `refusal`, `garbled`, or the server's own word.
    pub(super) finish: String,
}

/// A completion: what was said, and the server's counts when it gives any.
#[derive(Debug, Deserialize)]
#[serde(from = "Wire")]
pub(super) struct Completion {
    pub(super) reply: Reply,
    pub(super) prompt_tokens: Option<u64>,
    pub(super) completion_tokens: Option<u64>,
}

/// Only what a completion cannot do without. Servers fill the rest in many ways, and no oddity there may spoil an answer.
#[derive(Deserialize)]
struct Wire {
    choices: Vec<Value>,
    #[serde(default)]
    usage: Value,
}

impl From<Wire> for Completion {
    fn from(Wire { choices, usage }: Wire) -> Self {
        let choice = choices.first().unwrap_or(&Value::Null);
        let message = &choice["message"];
        let refusal = message["refusal"].as_str().filter(|refusal| !refusal.trim().is_empty());
        let (text, finish) = match refusal {
            Some(refusal) => (refusal.to_owned(), "refusal"),
            None if !message.is_object() => (String::new(), "garbled"),
            None => (said(&message["content"]), choice["finish_reason"].as_str().unwrap_or("stop")),
        };
        let reply = Reply { text, finish: finish.to_owned() };
        Self {
            reply,
            prompt_tokens: count(&usage["prompt_tokens"]),
            completion_tokens: count(&usage["completion_tokens"]),
        }
    }
}

/// A count of tokens, if it is one, however it is written.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie in 0 to 1e12")]
fn count(value: &Value) -> Option<u64> {
    let count = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
    (0.0..=1e12).contains(&count).then_some(count.round() as u64)
}

impl Completion {
    /// Reads the body of a successful answer. One that was paid for but cannot be read, cut in the middle for example, is
    /// a reply that is garbled; `None` when it is no completion at all, such as the page of a proxy.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().or_else(|| {
            let looks_like_one = body.trim_ascii_start().starts_with(b"{") && contains(body, b"\"choices\"");
            looks_like_one.then(|| {
                let text = String::from_utf8_lossy(body).into_owned();
                let reply = Reply { text, finish: "garbled".to_owned() };
                Self { reply, prompt_tokens: None, completion_tokens: None }
            })
        })
    }

    /// The completion as OpenAI would word it.
    pub(super) fn to_wire(&self) -> Vec<u8> {
        let message = json!({ "role": "assistant", "content": self.reply.text });
        let usage = json!({ "prompt_tokens": self.prompt_tokens, "completion_tokens": self.completion_tokens });
        json!({ "choices": [{ "index": 0, "message": message, "finish_reason": self.reply.finish }], "usage": usage })
            .to_string()
            .into_bytes()
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Content is a text, or a list of parts with texts.
fn said(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part.get("text")?.as_str()).collect(),
        _ => String::new(),
    }
}

impl Reply {
    /// What stands for an answer that was paid for and never came.
    pub(super) fn lost() -> Self {
        Self { text: String::new(), finish: "lost".to_owned() }
    }

    /// The server's words when the model or its filter declined to answer.
    pub(super) fn declined(&self) -> Option<String> {
        match self.finish.as_str() {
            "refusal" => Some(brief(&format!("the model declined: {}", self.text))),
            "content_filter" => Some("the answer was stopped by the provider's content filter".to_owned()),
            _ => None,
        }
    }

    /// Whether the reply is an answer to `question` that can be used.
    pub(super) fn fits(&self, question: &Question) -> bool {
        self.declined().is_none() && self.read::<Value>(question, 0).is_ok()
    }

    /// Whether the reply came whole and is none that was declined.
    pub(super) fn is_whole(&self) -> bool {
        !matches!(self.finish.as_str(), "length" | "garbled") && self.declined().is_none()
    }

    /// How to ask once more, when the reply cannot be used.
    pub(super) fn next_turn(&self) -> Turn {
        Turn::Second { longer: self.finish == "length" }
    }

    /// Reads the reply as a `T`. It must fit the question's schema too: not every server enforces it, and a `T` may be
    /// more lenient. `limit` is the most tokens that it could have.
    ///
    /// # Errors
    /// With what is wrong with it.
    pub(super) fn read<T: DeserializeOwned>(&self, question: &Question, limit: u32) -> Result<T, String> {
        let schema = jsonschema::validator_for(&question.schema)
            .map_err(|error| brief(&format!("the schema of {} is broken: {error}", question.prompt)))?;
        let mut why = None;
        for value in values(&self.text) {
            // Masked: what was said may quote people and does not belong into an error.
            let misfit = schema.validate(&value).map_err(|error| error.masked().to_string());
            match misfit.and_then(|()| serde_json::from_value(value).map_err(|error| error.to_string())) {
                Ok(value) => return Ok(value),
                Err(error) => why = why.or_else(|| Some(brief(&error))),
            }
        }
        Err(match self.finish.as_str() {
            "length" if without_thoughts(&self.text).trim().is_empty() => {
                format!("the model thought and had no room left to answer in {limit} tokens; raise llm.answer_tokens")
            }
            "length" => format!("it is longer than {limit} tokens and was cut"),
            "garbled" => "the server's reply is cut or damaged".to_owned(),
            _ => why.unwrap_or_else(|| "there is no JSON in it".to_owned()),
        })
    }
}

/// One line of at most [`LONGEST_WHY`] characters, without control characters.
pub(super) fn brief(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let line = clean.take(LONGEST_WHY).collect::<String>();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The JSON values in `text`, likeliest first: the whole, then those in prose or fences, then those with trailing commas.
fn values(text: &str) -> Vec<Value> {
    let text = without_thoughts(text);
    if let Ok(whole) = serde_json::from_str(text.trim()) {
        return vec![whole];
    }
    let found = embedded(text);
    if found.is_empty() { embedded(&without_trailing_commas(text)) } else { found }
}

/// Some models think aloud first; what they think is not the answer.
fn without_thoughts(text: &str) -> &str {
    match text.rfind("</think>") {
        Some(at) => &text[at + "</think>".len()..],
        None if text.trim_start().starts_with("<think>") => "",
        None => text,
    }
}

/// Objects and arrays that begin somewhere in `text`.
fn embedded(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut from = 0;
    for _ in 0..MOST_STARTS {
        let Some(start) = text[from..].find(['{', '[']).map(|at| from + at) else { break };
        let mut stream = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        if let Some(Ok(value)) = stream.next() {
            found.push(value);
            from = start + stream.byte_offset().max(1);
        } else {
            from = start + 1;
        }
    }
    found
}

/// `text` without commas before a closing bracket, outside of strings.
fn without_trailing_commas(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if !quoted && matches!(c, '}' | ']') {
            let end = kept.trim_end().len();
            if kept[..end].ends_with(',') {
                kept.truncate(end - 1);
            }
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        kept.push(c);
    }
    kept
}

/// What may be meant as the answer in the body of a completion, or in what a model said.
#[cfg(any(test, fuzzing))]
pub(crate) fn answers_in(body: &[u8]) -> Vec<Value> {
    let Some(completion) = Completion::read(body) else { return values(&String::from_utf8_lossy(body)) };
    let again = Completion::read(&completion.to_wire());
    assert_eq!(again.map(|again| again.reply), Some(completion.reply.clone()));
    completion.reply.declined();
    values(&completion.reply.text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::llm::tests::question;

    fn read(text: &str) -> Result<Value, String> {
        #[derive(Deserialize, serde::Serialize)]
        #[serde(deny_unknown_fields)]
        struct Mood {
            mood: String,
        }
        let reply = Reply { text: text.to_owned(), finish: "stop".to_owned() };
        reply.read::<Mood>(&question("u", "x"), 50).map(|mood| json!(mood.mood))
    }

    #[test]
    fn the_answer_is_found_in_what_models_put_around_it() {
        for text in [
            r#"{"mood":"fine"}"#,
            "  \u{feff}{\"mood\":\"fine\"}\n",
            "```json\n{\"mood\": \"fine\"}\n```",
            "Sure! Here you are: {\"mood\": \"fine\"} I hope that helps [1].",
            "The set {a, b} gives {\"mood\": \"fine\"}",
            "{\"note\": 1} {\"mood\": \"fine\"}",
            "{\"mood\": \"fine\",\n}",
            "<think>maybe {\"mood\": \"bad\"}?</think>\n{\"mood\": \"fine\"}",
        ] {
            assert_eq!(read(text), Ok(json!("fine")), "{text}");
        }
        assert_eq!(values(r#"so: {"mood": "a,} \" b",}"#), [json!({ "mood": "a,} \" b" })], "strings are left alone");
    }

    #[test]
    fn what_is_no_answer_says_why() {
        for (text, why) in [
            ("", "no JSON"),
            ("I cannot tell.", "no JSON"),
            (r#"{"mood": "fi"#, "no JSON"),
            (r#"{"colour": "red"}"#, "not allowed"),
            (r#"{"mood": 3}"#, "not of type"),
            (r#"{"mood": "a secret"}"#, "not one of"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why) && !error.contains("secret"), "{text}: {error}");
        }
        let cut = Reply { text: r#"{"mood": "fi"#.to_owned(), finish: "length".to_owned() };
        assert!(cut.read::<Value>(&question("u", "x"), 70).unwrap_err().contains("longer than 70 tokens and was cut"));
        for text in ["", "<think>The mood may be"] {
            let thought = Reply { text: text.to_owned(), finish: "length".to_owned() };
            let why = thought.read::<Value>(&question("u", "x"), 70).unwrap_err();
            assert!(why.contains("no room left to answer in 70 tokens"), "{why}");
        }
    }

    #[test]
    fn completions_of_many_servers_are_read() {
        let cases = [
            (
                r#"{"choices":[{"message":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#,
                "a",
                "stop",
                Some(3),
            ),
            (r#"{"choices":[{"message":{"content":"a"}}]}"#, "a", "stop", None),
            (
                r#"{"choices":[{"message":{"content":[{"type":"text","text":"a"}]},"finish_reason":"length"}]}"#,
                "a",
                "length",
                None,
            ),
            (
                r#"{"choices":[{"message":{"content":null,"refusal":"no"},"finish_reason":"stop"}]}"#,
                "no",
                "refusal",
                None,
            ),
            (r#"{"choices":[],"usage":{"prompt_tokens":3}}"#, "", "garbled", Some(3)),
            (r#"{"choices":[{"message":{"content":"a","refusal":""}}],"usage":[]}"#, "a", "stop", None),
            (
                r#"{"choices":[{"message":{"content":"a"},"finish_reason":0}],"usage":{"prompt_tokens":3.0}}"#,
                "a",
                "stop",
                Some(3),
            ),
            (r#"{"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":"3"}}"#, "a", "stop", Some(3)),
            (r#"{"choices":[{"message":{"content":"a"}}],"usage":{"prompt_tokens":-1}}"#, "a", "stop", None),
            (r#"{"choices":[{"message":{"content":"a","refusal":7}}],"usage":"none"}"#, "a", "stop", None),
            (r#"{"choices":[{"mess"#, r#"{"choices":[{"mess"#, "garbled", None),
        ];
        for (body, text, finish, tokens) in cases {
            let completion = Completion::read(body.as_bytes()).unwrap();
            assert_eq!((completion.reply.text.as_str(), completion.reply.finish.as_str()), (text, finish), "{body}");
            assert_eq!(completion.prompt_tokens, tokens, "{body}");
            let again = Completion::read(&completion.to_wire()).unwrap();
            assert_eq!(again.reply, completion.reply, "{body}");
        }
        assert!(Completion::read(b"<html>log in</html>").is_none());
        assert!(Completion::read(b"{\"detail\":\"hello\"}").is_none());
    }

    proptest! {
        #[test]
        fn any_reply_is_survived(text in "\\PC*[{\\[\",}\\]\\\\]{0,40}\\PC*") {
            let _ = values(&text);
            without_trailing_commas(&text);
        }

        #[test]
        fn a_valid_value_is_never_changed(text in "[a-z,\\]}\\\\\" ]*") {
            let json = json!({ "a": [text, 1] }).to_string();
            prop_assert_eq!(without_trailing_commas(&json), json);
        }
    }
}
