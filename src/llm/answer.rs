//! What a model's server answers, put into words that async-openai understands; and what its headers ask for.

use std::time::Duration;

use async_openai::error::OpenAIError;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

use super::embeddings;
use super::reply::{Completion, brief};
use super::transport::{Access, Trouble, boxed};

/// An answer in a form that async-openai reads: a status that means what it says, and OpenAI's error body.
pub(super) struct Answer {
    pub(super) status: u16,
    body: Vec<u8>,
}

impl Answer {
    pub(super) fn to_anything(status: StatusCode, body: Vec<u8>) -> Self {
        let body = if status.is_success() { body } else { error_body(status, &body) };
        Self { status: status.as_u16(), body }
    }

    /// `None` when it is the answer of something else than a model's server.
    pub(super) fn to_question(status: StatusCode, body: &[u8]) -> Option<Self> {
        if !status.is_success() {
            return Some(Self { status: status.as_u16(), body: error_body(status, body) });
        }
        if let Some(completion) = Completion::read(body) {
            return Some(Self { status: 200, body: completion.to_wire() });
        }
        // Some gateways say 200 and put what went wrong upstream into the body.
        let error = serde_json::from_slice::<Value>(body).ok()?.get("error")?.clone();
        let code = error.get("code").and_then(Value::as_u64).filter(|code| (400..600).contains(code));
        let status = code.and_then(|code| StatusCode::from_u16(u16::try_from(code).ok()?).ok());
        let status = status.unwrap_or(StatusCode::BAD_GATEWAY);
        Some(Self { status: status.as_u16(), body: error_body(status, body) })
    }

    /// What the server said, where it answered with an error.
    pub(super) fn message(&self) -> String {
        let body = serde_json::from_slice::<Value>(&self.body).unwrap_or_default();
        body["error"]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// What is no list of vectors would be tried again and again: it is an answer by something else.
    pub(super) fn to_texts(status: StatusCode, body: Vec<u8>) -> Self {
        let read = serde_json::from_slice::<embeddings::Wire>(&body);
        match read {
            Err(error) if status.is_success() => {
                let why = format!("its answer is no list of vectors: {error}");
                Self { status: 404, body: wrapped(&brief(&why), None, None) }
            }
            _ => Self::to_anything(status, body),
        }
    }

    pub(super) fn pass_on(self, access: &Access) -> Result<reqwest::Response, OpenAIError> {
        let body = match std::str::from_utf8(&self.body) {
            Ok(text) if access.mentions_key(text) => access.scrub(text).into_bytes(),
            _ => self.body,
        };
        let response = http::Response::builder()
            .status(self.status)
            .header(CONTENT_TYPE, "application/json")
            .body(body)
            .map_err(|error| boxed(Trouble::passing(error.to_string())))?;
        Ok(reqwest::Response::from(response))
    }
}

/// OpenAI's error body, made of whatever the server sent: llama.cpp writes `code` as a number, FastAPI servers have a
/// `detail`, proxies send pages.
fn error_body(status: StatusCode, body: &[u8]) -> Vec<u8> {
    let value = serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    };
    let error = value.get("error").filter(|error| error.is_object());
    let message = error
        .and_then(|error| error.get("message"))
        .or_else(|| value.get("error"))
        .or_else(|| value.get("message"))
        .or_else(|| value.get("detail"))
        .and_then(text)
        .or_else(|| value.is_null().then(|| String::from_utf8_lossy(body).into_owned()))
        .map(|message| brief(&message))
        .filter(|message| !message.is_empty())
        .unwrap_or_else(|| status.canonical_reason().unwrap_or("no explanation").to_lowercase());
    let field = |name: &str| error.and_then(|error| error.get(name)).and_then(text);
    wrapped(&message, field("type").as_deref(), field("code").as_deref())
}

fn wrapped(message: &str, kind: Option<&str>, code: Option<&str>) -> Vec<u8> {
    json!({ "error": { "message": message, "type": kind, "param": null, "code": code } }).to_string().into_bytes()
}

/// How long OpenAI's limit headers ask to wait before the next request of `tokens` tokens.
pub(super) fn limit_wait(headers: &HeaderMap, tokens: u64) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let wait = |kind: &str, needed: u64| {
        let left = text(&format!("x-ratelimit-remaining-{kind}"))?.trim().parse::<u64>().ok()?;
        let reset = period(text(&format!("x-ratelimit-reset-{kind}"))?)?;
        (left < needed).then_some(reset)
    };
    wait("requests", 1).max(wait("tokens", tokens.max(1)))
}

/// `6m0s`, `1.5s`, `120ms` or plain seconds.
fn period(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number = rest[..end].parse::<f64>().ok()?;
        let (unit, after) =
            rest[end..].split_at(rest[end..].find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len() - end));
        seconds += number
            * match unit {
                "d" => 86_400.0,
                "h" => 3600.0,
                "m" => 60.0,
                "s" | "" => 1.0,
                "ms" => 0.001,
                _ => return None,
            };
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn periods_are_read_as_openai_writes_them() {
        for (text, seconds) in [
            ("6m0s", Some(360.0)),
            ("1.5s", Some(1.5)),
            ("120ms", Some(0.12)),
            ("1h2m3s", Some(3723.0)),
            ("7", Some(7.0)),
            ("soon", None),
            ("5x", None),
        ] {
            assert_eq!(period(text), seconds.map(Duration::from_secs_f64), "{text}");
        }
    }

    #[test]
    fn limit_headers_close_the_gate_only_when_nothing_is_left() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
        };
        let none = headers(&[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "2s")]);
        assert_eq!(limit_wait(&none, 10), Some(Duration::from_secs(2)));
        let some = headers(&[("x-ratelimit-remaining-requests", "1"), ("x-ratelimit-reset-requests", "2s")]);
        assert_eq!(limit_wait(&some, 10), None);
        let few = headers(&[("x-ratelimit-remaining-tokens", "9"), ("x-ratelimit-reset-tokens", "500ms")]);
        assert_eq!(limit_wait(&few, 10), Some(Duration::from_millis(500)));
        assert_eq!(limit_wait(&few, 9), None);
    }

    #[test]
    fn every_error_body_becomes_openais() {
        let read = |body: &str| {
            let bytes = error_body(StatusCode::BAD_REQUEST, body.as_bytes());
            let error: Value = serde_json::from_slice(&bytes).unwrap();
            let field = |name: &str| error["error"][name].as_str().map(str::to_owned);
            (field("message").unwrap(), field("code"))
        };
        let cases = [
            (r#"{"error":{"code":400,"message":"too long","type":"x"}}"#, "too long", Some("400")),
            (r#"{"error":"model not found"}"#, "model not found", None),
            (r#"{"detail":[{"msg":"field required"}]}"#, r#"[{"msg":"field required"}]"#, None),
            (r#"{"message":"no"}"#, "no", None),
            ("<html>\n<b>Bad</b></html>", "<html> <b>Bad</b></html>", None),
            ("", "bad request", None),
            ("{}", "bad request", None),
        ];
        for (body, message, code) in cases {
            assert_eq!(read(body), (message.to_owned(), code.map(str::to_owned)), "{body}");
        }
    }
}
