//! Codebook files: a list of problems that a person froze. The one rule: a file is taken whole or refused with the
//! problem and the field that is wrong.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Map, Value};

pub use super::cluster::MOST;
use super::terms::word_key;
use crate::model::problem::{BY_HAND, NONE, OTHER};
use crate::model::{Codebook, Problem, ProblemId};

/// Words that stand for "fits no problem" in labels and reports.
const RESERVED: [&str; 2] = [OTHER, NONE];

/// The file's shape.
#[derive(Serialize)]
struct CodebookFile<'a> {
    v: u8,
    problems: Vec<ProblemLine<'a>>,
}

/// A problem in the file.
#[derive(Serialize)]
struct ProblemLine<'a> {
    id: &'a str,
    name: &'a str,
    statement: &'a str,
    terms: &'a [String],
    include: &'a [String],
    exclude: &'a [String],
}

/// Reads the codebook file at `path`: `{"v":1,"problems":[{"id","name","statement","terms","include","exclude"}]}`; the
/// last three are lists and may be left out.
///
/// # Errors
/// When the file cannot be read, is no such JSON, or a problem has a missing, unknown, wrong or repeated field.
pub fn read(path: &Path) -> Result<Codebook> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("could not read the codebook {}", path.display()))?;
    parse(&text).with_context(|| {
        format!("the codebook {} cannot be used; correct it, or run without one to have problems found", path.display())
    })
}

/// Reads a codebook from the text of a file.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &str) -> Result<Codebook> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let file: Value = serde_json::from_str(text).context("it is no valid JSON")?;
    let file = file.as_object().context("the file must be an object with \"v\" and \"problems\"")?;
    match file.get("v") {
        Some(v) if v.as_u64() == Some(1) => {}
        Some(v) => bail!("\"v\" must be 1, not {v}"),
        None => bail!("\"v\" is missing; write \"v\": 1"),
    }
    let listed = file.get("problems").and_then(Value::as_array).context("\"problems\" must be a list")?;
    if listed.is_empty() {
        bail!("\"problems\" is empty; a codebook needs at least one problem");
    }
    let (mut ids, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mut problems = Vec::with_capacity(listed.len());
    for (i, value) in listed.iter().enumerate() {
        let id = value.get("id").and_then(Value::as_str).unwrap_or("without id");
        let problem = problem(value).with_context(|| format!("problem {} ({id:?})", i + 1))?;
        if !ids.insert(problem.id.clone()) {
            bail!("problem {} ({id:?}): field `id`: another problem has this id", i + 1);
        }
        if !names.insert(word_key(&problem.name)) {
            bail!("problem {} ({id:?}): field `name`: another problem has this name", i + 1);
        }
        problems.push(problem);
    }
    if problems.len() > MOST {
        bail!("\"problems\" lists {}; a codebook holds at most {MOST}", problems.len());
    }
    Ok(Codebook::new(BY_HAND, problems))
}

/// The file that freezes `codebook`: pretty JSON that [`parse`] reads back.
///
/// # Errors
/// Never for a codebook in memory; the error is JSON's own.
pub fn to_json(codebook: &Codebook) -> Result<String> {
    let lines = codebook.problems().iter().map(|p| ProblemLine {
        id: p.id.as_str(),
        name: &p.name,
        statement: &p.statement,
        terms: &p.terms,
        include: &p.include,
        exclude: &p.exclude,
    });
    let file = CodebookFile { v: 1, problems: lines.collect() };
    Ok(serde_json::to_string_pretty(&file).context("could not write the codebook as JSON")? + "\n")
}

fn problem(value: &Value) -> Result<Problem> {
    const FIELDS: [&str; 6] = ["id", "name", "statement", "terms", "include", "exclude"];
    let fields = value.as_object().context("a problem must be an object")?;
    if let Some(unknown) = fields.keys().find(|k| !FIELDS.contains(&k.as_str())) {
        bail!("field `{unknown}` is unknown; the fields are {}", FIELDS.join(", "));
    }
    let id = checked_id(&words(fields, "id")?)?;
    Ok(Problem {
        id,
        name: words(fields, "name")?,
        statement: words(fields, "statement")?,
        terms: lines(fields, "terms")?,
        include: lines(fields, "include")?,
        exclude: lines(fields, "exclude")?,
        by_hand: true,
        composed: false,
    })
}

/// An id that a person gave.
pub(super) fn checked_id(id: &str) -> Result<ProblemId> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if id.is_empty() || !id.chars().all(plain) {
        bail!("field `id`: {id:?} may hold only a-z, 0-9, `_` and `-`");
    }
    if RESERVED.contains(&id) {
        bail!("field `id`: {id:?} is reserved for what fits no problem");
    }
    Ok(ProblemId::new(id))
}

fn words(fields: &Map<String, Value>, field: &str) -> Result<String> {
    let value = fields.get(field).with_context(|| format!("field `{field}` is missing"))?;
    text(value).with_context(|| format!("field `{field}` must be a text that is not empty, not {}", kind(value)))
}

fn lines(fields: &Map<String, Value>, field: &str) -> Result<Vec<String>> {
    let Some(value) = fields.get(field) else {
        return Ok(Vec::new());
    };
    let list =
        value.as_array().with_context(|| format!("field `{field}` must be a list of texts, not {}", kind(value)))?;
    list.iter()
        .enumerate()
        .map(|(i, line)| {
            text(line).with_context(|| {
                format!("field `{field}`, line {}: must be a text that is not empty, not {}", i + 1, kind(line))
            })
        })
        .collect()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned)
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "an empty text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        format!("{:#}", parse(text).unwrap_err())
    }

    #[test]
    fn a_frozen_codebook_reads_back_with_the_same_hash() {
        let text = r#"{"v":1,"problems":[{"id":"paper_jam","name":"Paper jams","statement":"A clerk prints …","terms":["jam"],
            "include":["it jams"],"exclude":["the scanner jams"]},{"id":"no-ink","name":"No ink","statement":"A clerk …"}]}"#;
        let codebook = parse(text).unwrap();
        assert_eq!(codebook.problems().len(), 2);
        assert_eq!(parse(&format!("\u{feff}{}", to_json(&codebook).unwrap())).unwrap().hash(), codebook.hash());
    }

    #[test]
    fn a_refusal_names_the_problem_and_the_field() {
        let of = |problem: &str| {
            refusal(&format!(r#"{{"v":1,"problems":[{{"id":"a","name":"A","statement":"s"}},{problem}]}}"#))
        };
        for (problem, expected) in [
            (r#"{"name":"B","statement":"s"}"#, ["problem 2 (\"without id\")", "`id` is missing"]),
            (r#"{"id":"b","statement":"s"}"#, ["problem 2 (\"b\")", "`name` is missing"]),
            (r#"{"id":"b","name":" ","statement":"s"}"#, ["problem 2 (\"b\")", "`name` must be a text"]),
            (r#"{"id":"b","name":"B","statement":7}"#, ["problem 2 (\"b\")", "`statement` must be a text"]),
            (r#"{"id":"b","name":"B","statement":"s","terms":"t"}"#, ["problem 2 (\"b\")", "`terms` must be a list"]),
            (
                r#"{"id":"b","name":"B","statement":"s","include":["x",null]}"#,
                ["problem 2 (\"b\")", "`include`, line 2"],
            ),
            (r#"{"id":"b","name":"B","statement":"s","exlude":[]}"#, ["problem 2 (\"b\")", "`exlude` is unknown"]),
            (r#"{"id":"a","name":"B","statement":"s"}"#, ["problem 2 (\"a\")", "another problem has this id"]),
            (r#"{"id":"b","name":"a","statement":"s"}"#, ["problem 2 (\"b\")", "another problem has this name"]),
            (r#"{"id":"other","name":"B","statement":"s"}"#, ["problem 2 (\"other\")", "reserved"]),
            (r#"{"id":"B b","name":"B","statement":"s"}"#, ["problem 2 (\"B b\")", "`id`"]),
            (r"[]", ["problem 2", "must be an object"]),
        ] {
            let said = of(problem);
            assert!(expected.iter().all(|e| said.contains(e)), "{problem}: {said}");
        }
    }

    #[test]
    fn a_file_that_is_no_codebook_is_refused() {
        for (text, expected) in [
            ("", "no valid JSON"),
            ("[]", "must be an object"),
            (r#"{"problems":[]}"#, "\"v\" is missing"),
            (r#"{"v":2,"problems":[]}"#, "must be 1, not 2"),
            (r#"{"v":1}"#, "must be a list"),
            (r#"{"v":1,"problems":[]}"#, "is empty"),
        ] {
            let said = refusal(text);
            assert!(said.contains(expected), "{text}: {said}");
        }
        let said = format!("{:#}", read(Path::new("no/such/codebook.json")).unwrap_err());
        assert!(said.contains("no/such/codebook.json"), "{said}");
    }
}
