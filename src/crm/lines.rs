//! `candor read --kind note`: a note's text in, its reading out, without any workspace.

use std::io::{Read, Write};

use anyhow::Result;
use serde_json::{Value, json};

use super::embedded::read_note;
use super::llm::{NoteText, Reader};
use crate::llm::Outlook;
use crate::llm::ask::line_by_line;
use crate::model::{Evidence, NoteClaim, NoteKind, NoteReading};
use crate::text::lines::{AskedLine, LinesRead, answer_lines, answer_together, answer_with_requests, withheld_lines};

/// Lines that a model is asked about together.
const TOGETHER: usize = 64;

/// Reads a note from each line of `input`, `{"id","text","kind"?}` with `kind` as a CRM calls it, and writes its reading
/// as a line: `{"id","interest","compliments","fluff","pains","objections","commitments","asked"}`, each quote with its
/// byte offsets `start` and `end` in the text. What a second look said of a claim is its `support`; what it refused stands in
/// `refused` alone: `{"claim","quote","start","end"}`. A bad line gives `{"id":null,"error":"line 7: …"}`.
///
/// # Errors
/// When `input` cannot be read or `output` cannot be written.
pub fn read_note_lines(input: impl Read, output: impl Write) -> Result<LinesRead> {
    answer_lines(input, output, |text, line| published(&read_note(text, kind(line))))
}

/// The same, read by a model.
///
/// # Errors
/// As [`answer_together`], and when the budget is spent or the model's server cannot be used.
pub async fn read_note_lines_by_model(reader: &Reader, input: impl Read, output: impl Write) -> Result<LinesRead> {
    answer_together(input, output, TOGETHER, async |asked: &[AskedLine]| {
        let ids = asked.iter().map(|a| a.id.to_string()).collect::<Vec<_>>();
        line_by_line(reader.read(&texts(asked, &ids)).await, published)
    })
    .await
}

/// Writes the requests that [`read_note_lines_by_model`] would send, one JSON object a line, and sends none.
/// What would be withheld of a text stands behind them: `{"id","withheld":[sentence]}`.
///
/// # Errors
/// As [`answer_together`].
pub fn write_note_questions(reader: &Reader, input: impl Read, output: impl Write) -> Result<LinesRead> {
    answer_with_requests(input, output, |asked| {
        let ids = asked.iter().map(|a| a.id.to_string()).collect::<Vec<_>>();
        let texts = texts(asked, &ids);
        let Outlook { questions, withheld, .. } = reader.would_ask(&texts, &[]);
        let requests = questions.iter().map(|question| reader.model().request_body(question));
        requests.chain(withheld_lines(asked, withheld)).collect()
    })
}

fn texts<'a>(asked: &'a [AskedLine], ids: &'a [String]) -> Vec<NoteText<'a>> {
    let text = |(a, id): (&'a AskedLine, &'a String)| NoteText { id, kind: kind(&a.line), text: a.text() };
    asked.iter().zip(ids).map(text).collect()
}

fn kind(line: &Value) -> NoteKind {
    line.get("kind").and_then(Value::as_str).map_or(NoteKind::Note, NoteKind::parse)
}

fn published(reading: &NoteReading) -> Value {
    let claimed = |claim: NoteClaim, fields: Value, evidence: &Evidence| {
        let mut value = quote(fields, evidence);
        if let Some(support) = reading.support(claim, evidence) {
            value["support"] = support.as_str().into();
        }
        value
    };
    let bare =
        |claim: NoteClaim, all: &[Evidence]| all.iter().map(|e| claimed(claim, json!({}), e)).collect::<Vec<_>>();
    let pains = reading.pains.iter().map(|p| {
        let mut value = claimed(NoteClaim::Pain, json!({}), &p.evidence);
        value["elicitation"] = p.elicitation.as_str().into();
        value["specific"] = p.specific.into();
        value
    });
    let objections = reading.objections.iter();
    let objections = objections.map(|o| claimed(NoteClaim::Objection, json!({ "kind": o.kind.as_str() }), &o.evidence));
    let commitments = reading.commitments.iter().map(|c| {
        let fields = json!({
            "level": c.level,
            "currency": c.currency.as_str(),
            "who": c.who.as_str(),
            "status": c.status.as_str(),
            "evidence": c.corroboration.as_str(),
            "due": c.due.as_ref().map(|due| quote(json!({}), due)),
        });
        claimed(NoteClaim::Commitment, fields, &c.evidence)
    });
    let mut line = json!({
        "interest": reading.interest,
        "compliments": bare(NoteClaim::Compliment, &reading.compliments),
        "fluff": bare(NoteClaim::Fluff, &reading.fluff),
        "pains": pains.collect::<Vec<_>>(),
        "objections": objections.collect::<Vec<_>>(),
        "commitments": commitments.collect::<Vec<_>>(),
        "asked": reading.asked,
    });
    let refused = reading.refused().map(|look| quote(json!({ "claim": look.claim.as_str() }), &look.evidence));
    let refused = refused.collect::<Vec<_>>();
    if !refused.is_empty() {
        line["refused"] = refused.into();
    }
    if reading.withheld > 0 {
        line["withheld"] = reading.withheld.into();
    }
    line
}

/// `fields` with the quote and where it stands behind them.
fn quote(mut fields: Value, evidence: &Evidence) -> Value {
    fields["quote"] = evidence.quote().into();
    fields["start"] = evidence.span().start().into();
    fields["end"] = evidence.span().end().into();
    fields
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::llm::ask::Asking;
    use crate::llm::{Model, Question};
    use crate::text::redact::Names;

    #[tokio::test]
    async fn what_a_second_look_said_stands_beside_each_claim_and_what_it_refused_apart() {
        let script = |question: &Question| match question.prompt {
            "judge_note" => json!({ "shown": if question.user.contains("Does [1]") { "yes" } else { "no" } }),
            _ => json!({
                "interest": null, "compliments": [{ "at": 1 }, { "at": 2 }], "fluff": [], "pains": [], "objections": [],
                "commitments": [], "asked": false,
            }),
        };
        let asking = Asking { judge: true, ..Asking::default() };
        let reader = Reader::new(Arc::new(Model::scripted(script)), asking, Names::default(), [7; 32]);
        let input = json!({ "id": 1, "text": "It is lovely. It is Monday." }).to_string();
        let mut output = Vec::new();
        read_note_lines_by_model(&reader, input.as_bytes(), &mut output).await.unwrap();
        let line: Value = serde_json::from_slice(&output).unwrap();
        let lovely = json!([{ "quote": "It is lovely.", "start": 0, "end": 13, "support": "supported" }]);
        assert_eq!(line["compliments"], lovely);
        let refused = json!([{ "claim": "compliments", "quote": "It is Monday.", "start": 14, "end": 27 }]);
        assert_eq!(line["refused"], refused);
    }

    #[test]
    fn a_note_in_a_reading_out() {
        let text = "She said the demo was gorgeous. Verbal yes from Ines, just paperwork.";
        let input = format!("{}\nnonsense\n", json!({ "id": 7, "text": text, "kind": "call" }));
        let mut output = Vec::new();
        let counts = read_note_lines(input.as_bytes(), &mut output).unwrap();
        assert_eq!(counts, LinesRead { read: 1, bad: 1 });
        let lines: Vec<Value> = output.split(|&b| b == b'\n').filter_map(|l| serde_json::from_slice(l).ok()).collect();
        assert_eq!(lines[0]["id"], 7);
        let keys: Vec<&String> = lines[0].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["id", "interest", "compliments", "fluff", "pains", "objections", "commitments", "asked"]);
        let compliment = &lines[0]["compliments"][0];
        let at = |name: &str| usize::try_from(compliment[name].as_u64().unwrap()).unwrap();
        assert_eq!(compliment["quote"].as_str().unwrap(), &text[at("start")..at("end")]);
        assert_eq!(lines[0]["commitments"][0]["level"], 1);
        assert!(lines[1]["error"].as_str().unwrap().starts_with("line 2: "));
    }
}
