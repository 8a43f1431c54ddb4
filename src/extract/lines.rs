//! Posts through a pipe: what `candor read` answers for a line.

use std::io::{Read, Write};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::embedded;
use super::llm::{PostText, Reader};
use crate::llm::Outlook;
use crate::llm::ask::line_by_line;
use crate::model::{Evidence, PostReading};
use crate::text::lines::{AskedLine, LinesRead, answer_lines, answer_together, answer_with_requests, withheld_lines};

/// Lines that a model is asked about together.
const TOGETHER: usize = 64;

/// Reads JSON lines `{"id", "text", "context"?}` and writes one line each, in order:
/// `{"id", "voice", "lang", "acts": [{"act", "quote", "start", "end", "confidence"}], "texture": {slot: [{"quote", "start",
/// "end", "value"}]}, "rejected"}`, and `"withheld"` where a model was not shown some sentences. Offsets are bytes into the text.
///
/// # Errors
/// As [`answer_lines`].
pub fn read_lines(input: impl Read, output: impl Write) -> Result<LinesRead> {
    answer_lines(input, output, |text, line| {
        let context = line.get("context").and_then(Value::as_str);
        published(&embedded::read_post(text, context))
    })
}

/// The same, read by a model.
///
/// # Errors
/// As [`answer_together`], and when the budget is spent or the model's server cannot be used.
pub async fn read_lines_by_model(reader: &Reader, input: impl Read, output: impl Write) -> Result<LinesRead> {
    answer_together(input, output, TOGETHER, async |asked: &[AskedLine]| {
        let ids = asked.iter().map(|a| a.id.to_string()).collect::<Vec<_>>();
        line_by_line(reader.read(&texts(asked, &ids)).await, published)
    })
    .await
}

/// Writes the requests that [`read_lines_by_model`] would send, one JSON object a line, and sends none.
/// What would be withheld of a text stands behind them: `{"id","withheld":[sentence]}`.
///
/// # Errors
/// As [`answer_together`].
pub fn write_questions(reader: &Reader, input: impl Read, output: impl Write) -> Result<LinesRead> {
    answer_with_requests(input, output, |asked| {
        let ids = asked.iter().map(|a| a.id.to_string()).collect::<Vec<_>>();
        let texts = texts(asked, &ids);
        let Outlook { questions, withheld, .. } = reader.would_ask(&texts);
        let requests = questions.iter().map(|question| reader.model().request_body(question));
        requests.chain(withheld_lines(asked, withheld)).collect()
    })
}

fn texts<'a>(asked: &'a [AskedLine], ids: &'a [String]) -> Vec<PostText<'a>> {
    let text = |(a, id): (&'a AskedLine, &'a String)| PostText {
        id,
        context: a.line.get("context").and_then(Value::as_str).filter(|context| !context.is_empty()),
        text: a.text(),
    };
    asked.iter().zip(ids).map(text).collect()
}

/// A reading as it is published.
pub fn published(reading: &PostReading) -> Value {
    let acts = reading.acts.iter().map(|found| {
        let mut fields = Map::from_iter([("act".to_owned(), json!(found.act.kind()))]);
        cut(&mut fields, &found.evidence);
        // Thousandths are more than a calibration can tell apart, and keep the line short.
        fields.insert("confidence".to_owned(), json!((found.confidence * 1000.0).round() / 1000.0));
        if let Some(support) = found.support {
            fields.insert("support".to_owned(), json!(support));
        }
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
    let mut line = json!({
        "voice": reading.voice, "lang": reading.lang, "acts": acts, "texture": texture, "rejected": reading.rejected,
    });
    if reading.withheld > 0 {
        line["withheld"] = reading.withheld.into();
    }
    line
}

fn cut(fields: &mut Map<String, Value>, evidence: &Evidence) {
    fields.insert("quote".to_owned(), json!(evidence.quote()));
    fields.insert("start".to_owned(), json!(evidence.span().start()));
    fields.insert("end".to_owned(), json!(evidence.span().end()));
}
