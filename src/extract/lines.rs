//! Posts through a pipe: what `candor read` answers for a line.

use std::io::{Read, Write};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::embedded;
use crate::model::{Evidence, PostReading};
use crate::text::lines::{LinesRead, answer_lines};

/// Reads JSON lines `{"id", "text", "context"?}` and writes one line each, in order:
/// `{"id", "voice", "lang", "acts": [{"act", "quote", "start", "end", "confidence"}], "texture": {slot: [{"quote", "start",
/// "end", "value"}]}, "rejected"}`. Offsets are bytes into the text.
///
/// # Errors
/// As [`answer_lines`].
pub fn read_lines(input: impl Read, output: impl Write) -> Result<LinesRead> {
    answer_lines(input, output, |text, line| {
        let context = line.get("context").and_then(Value::as_str);
        published(&embedded::read_post(text, context))
    })
}

/// A reading as it is published.
pub fn published(reading: &PostReading) -> Value {
    let acts = reading.acts.iter().map(|(act, evidence, confidence)| {
        let mut fields = Map::from_iter([("act".to_owned(), json!(act.kind()))]);
        cut(&mut fields, evidence);
        // Thousandths are more than a calibration can tell apart, and keep the line short.
        fields.insert("confidence".to_owned(), json!((confidence * 1000.0).round() / 1000.0));
        Value::Object(fields)
    });
    let acts = acts.collect::<Vec<_>>();
    let mut texture = Map::new();
    for slot in &reading.texture {
        let mut fields = Map::new();
        cut(&mut fields, &slot.evidence);
        fields.insert("value".to_owned(), json!(slot.value));
        let filled = texture.entry(slot.slot.as_str()).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(filled) = filled {
            filled.push(Value::Object(fields));
        }
    }
    json!({
        "voice": reading.voice, "lang": reading.lang, "acts": acts, "texture": texture, "rejected": reading.rejected,
    })
}

fn cut(fields: &mut Map<String, Value>, evidence: &Evidence) {
    fields.insert("quote".to_owned(), json!(evidence.quote()));
    fields.insert("start".to_owned(), json!(evidence.span().start()));
    fields.insert("end".to_owned(), json!(evidence.span().end()));
}
