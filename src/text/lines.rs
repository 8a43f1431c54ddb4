//! Line in, line out: the shape of `candor read`.
//!
//! A *line* is one JSON object with an `id` (any JSON scalar) and a `text`. The one rule: every line that is not blank gives
//! exactly one line, in input order; a line that cannot be read gives `{"id":null,"error":"line 7: …"}` and the reading
//! goes on. Memory does not grow with the input, and what has arrived is answered before more is waited for, so that the
//! reader stands in a pipe like any other tool.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};

use anyhow::{Context, Result};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Bytes asked of the input at a time. Whole lines among them are worked on in parallel.
const CHUNK: usize = 1 << 20;

/// Bytes of the longest line that is read.
const LONGEST_LINE: usize = 16 << 20;

/// Lines whose requests are written together.
const REQUESTS_AT_ONCE: usize = 64;

/// What was read from the pipe. `read + bad` is the number of lines written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LinesRead {
    /// Lines that were read and answered.
    pub read: u64,
    /// Lines that were answered with an error.
    pub bad: u64,
}

/// Answers each line of `input` with what `answer` makes of its text. `answer` gets the text and the whole line and gives
/// a JSON object; the line's own id is put before its fields.
///
/// # Errors
/// When `input` cannot be read or `output` cannot be written. Never because of what a line says.
pub fn answer_lines(
    input: impl Read,
    output: impl Write,
    answer: impl Fn(&str, &Value) -> Value + Sync,
) -> Result<LinesRead> {
    let mut pipe = Pipe::new(input, output);
    while let Some(lines) = pipe.next(usize::MAX)? {
        let answers =
            lines.par_iter().map(|l| l.asked.as_ref().map(|a| answer(a.text(), &a.line)).map_err(Clone::clone));
        pipe.answer(&lines, answers.collect())?;
    }
    Ok(pipe.counts)
}

/// What comes of one line: an answer, the reason why it has none, or why nothing more can be answered.
pub type LineAnswer = Result<Result<Value, String>>;

/// The same for an `answer` that takes some lines at once, at most `most`, and gives one answer each, in their order.
///
/// # Errors
/// As [`answer_lines`], and when nothing more can be answered; whatever was answered has been written.
pub async fn answer_together(
    input: impl Read,
    output: impl Write,
    most: usize,
    mut answer: impl AsyncFnMut(&[AskedLine]) -> Vec<LineAnswer>,
) -> Result<LinesRead> {
    let mut pipe = Pipe::new(input, output);
    while let Some(lines) = pipe.next(most)? {
        let asked = lines.iter().filter_map(|l| l.asked.as_ref().ok()).cloned().collect::<Vec<_>>();
        let mut answers = if asked.is_empty() { Vec::new() } else { answer(&asked).await }.into_iter();
        let mut end = None;
        for line in &lines {
            let answer = match &line.asked {
                Ok(_) => answers.next().unwrap_or_else(|| Ok(Err("it was not answered".to_owned()))),
                Err(why) => Ok(Err(why.clone())),
            };
            match answer {
                Ok(answer) => pipe.answer_one(line, answer)?,
                Err(why) => end = end.or(Some(why)),
            }
        }
        pipe.flush()?;
        if let Some(why) = end {
            return Err(why);
        }
    }
    Ok(pipe.counts)
}

/// Writes what `requests` makes of each line's text, one JSON value a line; a bad line is told in place.
///
/// # Errors
/// As [`answer_lines`].
pub fn answer_with_requests(
    input: impl Read,
    output: impl Write,
    requests: impl Fn(&[AskedLine]) -> Vec<Value>,
) -> Result<LinesRead> {
    let mut pipe = Pipe::new(input, output);
    while let Some(lines) = pipe.next(REQUESTS_AT_ONCE)? {
        let asked = lines.iter().filter_map(|l| l.asked.as_ref().ok()).cloned().collect::<Vec<_>>();
        for request in requests(&asked) {
            pipe.write(&request)?;
        }
        pipe.counts.read += asked.len() as u64;
        for line in lines.iter().filter(|line| line.asked.is_err()) {
            pipe.answer(std::slice::from_ref(line), vec![line.asked.clone().map(|_| Value::Null)])?;
        }
    }
    Ok(pipe.counts)
}

/// For each text of which sentences would be withheld, a line that says so.
pub fn withheld_lines(asked: &[AskedLine], withheld: Vec<Vec<String>>) -> impl Iterator<Item = Value> {
    let told = asked.iter().zip(withheld).filter(|(_, sentences)| !sentences.is_empty());
    told.map(|(line, sentences)| json!({ "id": line.id, "withheld": sentences }))
}

/// One line that asks something.
#[derive(Debug, Clone)]
pub struct AskedLine {
    /// The line's id.
    pub id: Value,
    /// The whole line.
    pub line: Value,
}

impl AskedLine {
    /// The text that it asks about.
    pub fn text(&self) -> &str {
        self.line.get("text").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Lines in, lines out.
struct Pipe<R, W> {
    input: R,
    output: W,
    chunk: Vec<u8>,
    pending: Pending,
    /// Lines that have arrived and were not taken yet.
    arrived: VecDeque<Line>,
    ended: bool,
    counts: LinesRead,
}

/// A line as it was read.
struct Parsed {
    number: u64,
    asked: Result<AskedLine, String>,
}

impl<R: Read, W: Write> Pipe<R, W> {
    fn new(input: R, output: W) -> Self {
        Self {
            input,
            output,
            chunk: vec![0; CHUNK],
            pending: Pending::default(),
            arrived: VecDeque::new(),
            ended: false,
            counts: LinesRead::default(),
        }
    }

    /// Lines that have arrived, at most `most`; waits for more only when there are none. `None` at the end.
    fn next(&mut self, most: usize) -> Result<Option<Vec<Parsed>>> {
        while self.arrived.is_empty() && !self.ended {
            let read = match self.input.read(&mut self.chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read.context("could not read the input")?,
            };
            self.ended = read == 0;
            self.arrived.extend(if self.ended { self.pending.end() } else { self.pending.push(&self.chunk[..read]) });
        }
        let taken = self.arrived.drain(..self.arrived.len().min(most)).collect::<Vec<_>>();
        let parsed =
            taken.par_iter().map(|line| Parsed { number: line.number, asked: parse(line) }).collect::<Vec<_>>();
        Ok((!parsed.is_empty()).then_some(parsed))
    }

    fn answer(&mut self, lines: &[Parsed], answers: Vec<Result<Value, String>>) -> Result<()> {
        for (line, answer) in lines.iter().zip(answers) {
            self.answer_one(line, answer)?;
        }
        self.flush()
    }

    fn answer_one(&mut self, line: &Parsed, answer: Result<Value, String>) -> Result<()> {
        let value = match (answer, &line.asked) {
            (Ok(value), Ok(asked)) => {
                self.counts.read += 1;
                with_id(&asked.id, value)
            }
            (Err(why), Ok(asked)) => {
                self.counts.bad += 1;
                json!({ "id": asked.id, "error": why })
            }
            (_, Err(why)) => {
                self.counts.bad += 1;
                json!({ "id": null, "error": format!("line {}: {why}", line.number) })
            }
        };
        self.write(&value)
    }

    fn flush(&mut self) -> Result<()> {
        self.output.flush().context("could not write the output")
    }

    fn write(&mut self, value: &Value) -> Result<()> {
        serde_json::to_writer(&mut self.output, value).context("could not write the output")?;
        self.output.write_all(b"\n").context("could not write the output")
    }
}

fn parse(line: &Line) -> Result<AskedLine, String> {
    if line.too_long {
        return Err(format!("longer than {} MB", LONGEST_LINE >> 20));
    }
    let text = std::str::from_utf8(&line.bytes).map_err(|e| format!("not utf-8 at byte {}", e.valid_up_to()))?;
    let line: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|e| format!("no JSON: {e}"))?;
    let id = match line.get("id") {
        None => return Err("no \"id\"".to_owned()),
        Some(Value::Array(_) | Value::Object(_)) => return Err("\"id\" is no text or number".to_owned()),
        Some(id) => id.clone(),
    };
    line.get("text").and_then(Value::as_str).ok_or("no \"text\", or not a text")?;
    Ok(AskedLine { id, line })
}

fn with_id(id: &Value, answer: Value) -> Value {
    let mut answered = Map::new();
    answered.insert("id".to_owned(), id.clone());
    match answer {
        Value::Object(fields) => answered.extend(fields.into_iter().filter(|(name, _)| name != "id")),
        other => _ = answered.insert("answer".to_owned(), other),
    }
    Value::Object(answered)
}

/// A line that is not blank.
struct Line {
    /// 1 for the first, counting blank ones.
    number: u64,
    /// Its bytes; none when it was too long.
    bytes: Vec<u8>,
    /// It went past [`LONGEST_LINE`].
    too_long: bool,
}

/// The line that is arriving, of which at most [`LONGEST_LINE`] bytes are kept.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    too_long: bool,
    ended: u64,
}

impl Pending {
    /// Takes what has arrived and gives the lines that it completes.
    fn push(&mut self, arrived: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        for piece in arrived.split_inclusive(|&b| b == b'\n') {
            self.too_long |= self.bytes.len() + piece.len() > LONGEST_LINE;
            if self.too_long {
                self.bytes = Vec::new();
            } else {
                self.bytes.extend_from_slice(piece);
            }
            if piece.ends_with(b"\n") {
                lines.extend(self.end());
            }
        }
        lines
    }

    /// Ends the line that is arriving.
    fn end(&mut self) -> Vec<Line> {
        self.ended += 1;
        let line = Line {
            number: self.ended,
            bytes: std::mem::take(&mut self.bytes),
            too_long: std::mem::take(&mut self.too_long),
        };
        if !line.too_long && line.bytes.trim_ascii().is_empty() {
            return Vec::new();
        }
        vec![line]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(input: &[u8]) -> (Vec<Value>, LinesRead) {
        let mut output = Vec::new();
        let counts =
            answer_lines(input, &mut output, |text, line| json!({ "length": text.len(), "kind": line["kind"] }));
        let lines = output.split(|&b| b == b'\n').filter(|line| !line.is_empty());
        (lines.map(|line| serde_json::from_slice(line).unwrap()).collect(), counts.unwrap())
    }

    #[test]
    fn answers_every_line_in_order_and_echoes_the_id() {
        let input: String =
            (0..5000).map(|i| format!("{{\"id\":{i},\"text\":\"{}\"}}\n", "x".repeat(i % 700))).collect();
        let (lines, counts) = answered(input.as_bytes());
        assert_eq!(counts, LinesRead { read: 5000, bad: 0 });
        for (i, line) in lines.iter().enumerate() {
            assert_eq!((&line["id"], &line["length"]), (&json!(i), &json!(i % 700)));
        }
    }

    #[test]
    fn a_bad_line_is_answered_and_the_rest_is_read() {
        let input = b"\xef\xbb\xbf{\"id\":\"a\",\"text\":\"hi\",\"kind\":\"call\"}\r\n\n{\"id\":1,\n[]\n{\"text\":\"x\"}\n{\"id\":{},\"text\":\"x\"}\n\
            {\"id\":2}\n{\"id\":3,\"text\":\"\xff\"}\n{\"id\":null,\"text\":\"\"}";
        let (lines, counts) = answered(input);
        assert_eq!(counts, LinesRead { read: 2, bad: 6 });
        assert_eq!(lines[0], json!({ "id": "a", "length": 2, "kind": "call" }));
        let starts = [
            "line 3: no JSON",
            "line 4: no \"id\"",
            "line 5: no \"id\"",
            "line 6: \"id\"",
            "line 7: no \"text\"",
            "line 8: not utf-8",
        ];
        for (line, start) in lines[1..7].iter().zip(starts) {
            assert!(
                line["id"].is_null() && line["error"].as_str().unwrap().starts_with(start),
                "{line} should begin {start}"
            );
        }
        assert_eq!(lines[7], json!({ "id": null, "length": 0, "kind": null }));
    }

    #[tokio::test]
    async fn what_was_answered_is_written_before_the_run_ends() {
        let input = b"{\"id\":1,\"text\":\"a\"}\n{\"id\":2,\"text\":\"b\"}\nnonsense\n{\"id\":3,\"text\":\"c\"}\n";
        let mut output = Vec::new();
        let ended = answer_together(&input[..], &mut output, 64, async |asked: &[AskedLine]| {
            let answer = |line: &AskedLine| match line.text() {
                "b" => Err(anyhow::anyhow!("the budget is spent")),
                _ => Ok(Ok(json!({ "said": line.text() }))),
            };
            asked.iter().map(answer).collect()
        });
        assert!(ended.await.unwrap_err().to_string().contains("budget"));
        let lines: Vec<Value> = output.split(|&b| b == b'\n').filter_map(|l| serde_json::from_slice(l).ok()).collect();
        let ids: Vec<&Value> = lines.iter().map(|line| &line["id"]).collect();
        assert_eq!(ids, [&json!(1), &Value::Null, &json!(3)]);
    }

    #[test]
    fn a_line_beyond_the_limit_is_refused_without_being_held() {
        let mut input = vec![b'x'; LONGEST_LINE + 10];
        input.extend_from_slice(b"\n{\"id\":1,\"text\":\"ok\"}\n");
        let (lines, counts) = answered(&input);
        assert_eq!(counts, LinesRead { read: 1, bad: 1 });
        assert_eq!(lines[0]["error"], "line 1: longer than 16 MB");
    }

    /// Gives one line at a time and looks whether the line before was answered by then.
    struct Dialogue<'a>(u8, &'a std::cell::RefCell<Vec<u8>>);

    impl Read for Dialogue<'_> {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            let answered = self.1.borrow().iter().filter(|&&b| b == b'\n').count();
            assert_eq!(answered, usize::from(self.0), "what has arrived is answered before more is waited for");
            if self.0 == 3 {
                return Ok(0);
            }
            self.0 += 1;
            let line = b"{\"id\":0,\"text\":\"\"}\n";
            buf[..line.len()].copy_from_slice(line);
            Ok(line.len())
        }
    }

    struct Shared<'a>(&'a std::cell::RefCell<Vec<u8>>);

    impl Write for Shared<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn stands_in_a_pipe_that_waits_for_its_answers() {
        let written = std::cell::RefCell::new(Vec::new());
        let counts = answer_lines(Dialogue(0, &written), Shared(&written), |_, _| json!({})).unwrap();
        assert_eq!(counts.read, 3);
    }
}
