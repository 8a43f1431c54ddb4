//! The committed scores: a table that changes only when somebody means it to.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::Score;

/// A score with where it is from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The labelled texts.
    pub file: String,
    /// Who read them.
    pub reader: String,
    /// What the reader read by.
    pub recipe: String,
    /// What was measured.
    pub measure: String,
    /// Of which act or part.
    pub act: String,
    /// The value, to three decimals.
    pub value: Option<f64>,
    /// Lower end of the interval.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
    /// What it rests on.
    pub n: u64,
}

/// `scores` as rows, rounded to what is worth keeping.
pub fn rows(file: &str, reader: &str, recipe: &str, scores: &[Score]) -> Vec<Row> {
    // Adding 0.0 turns a negative zero into zero.
    let rounded = |value: Option<f64>| value.map(|v| (v * 1000.0).round() / 1000.0 + 0.0);
    let row = |score: &Score| Row {
        file: file.to_owned(),
        reader: reader.to_owned(),
        recipe: recipe.to_owned(),
        measure: score.measure.clone(),
        act: score.act.clone(),
        value: rounded(score.value),
        low: rounded(score.low),
        high: rounded(score.high),
        n: score.n,
    };
    scores.iter().map(row).collect()
}

/// Reads the table; a file that is not there holds no rows.
///
/// # Errors
/// When it cannot be read or has another form.
pub fn read(path: &Path) -> Result<Vec<Row>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        text => text.with_context(|| format!("could not read the scores {}", path.display()))?,
    };
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().collect::<Result<_, _>>().with_context(|| format!("{} is no table of scores", path.display()))
}

/// Puts `new` in the place of the rows of the same files and readers; other rows stay.
///
/// # Errors
/// When the table cannot be read or written.
pub fn replace(path: &Path, new: &[Row]) -> Result<()> {
    let mut rows = read(path)?;
    rows.retain(|old| !new.iter().any(|row| row.file == old.file && row.reader == old.reader));
    rows.extend_from_slice(new);
    // Stable: within a file and reader the order of measures stays.
    rows.sort_by(|a, b| (&a.file, &a.reader).cmp(&(&b.file, &b.reader)));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in &rows {
        writer.serialize(row).context("could not write a score")?;
    }
    let bytes = writer.into_inner().context("could not write the scores")?;
    fs::write(path, bytes).with_context(|| format!("could not write the scores to {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_replaced_by_file_and_reader() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("scores.csv");
        let one = |value| [Score::plain("f1", "ask", value, 3)];
        replace(&path, &rows("b.jsonl", "r", "r+1", &one(Some(0.12345)))).unwrap();
        replace(&path, &rows("a.jsonl", "r", "r+1", &one(None))).unwrap();
        replace(&path, &rows("b.jsonl", "r", "r+2", &one(Some(-0.0001)))).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let expected = "file,reader,recipe,measure,act,value,low,high,n\n\
                        a.jsonl,r,r+1,f1,ask,,,,3\nb.jsonl,r,r+2,f1,ask,0.0,,,3\n";
        assert_eq!(text, expected);
        assert_eq!(read(&path).unwrap().len(), 2);
        assert!(read(&dir.path().join("none.csv")).unwrap().is_empty());
    }
}
