//! Rows out of tables and JSON, one at a time.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};
use serde_json::Value;

/// A row longer than this is no note (HubSpot's longest is 65,536 characters).
const MAX_ROW_BYTES: usize = 4 << 20;

/// A JSON array is parsed whole, so it may not be larger; JSON lines may.
const MAX_ARRAY_BYTES: u64 = 256 << 20;

/// One row: cells under names.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    names: Vec<String>,
    cells: Vec<String>,
}

impl Row {
    pub(super) fn cell(&self, index: usize) -> Option<&str> {
        self.cells.get(index).map(String::as_str)
    }

    /// The names of a JSON row; a table's rows have none of their own.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }
}

type Input = BufReader<DecodeReaderBytes<File, Vec<u8>>>;

/// The rows of one file.
pub(super) enum Rows {
    Table { reader: Box<csv::Reader<Input>>, headers: Vec<String>, number: u64 },
    Lines { input: Input, number: u64 },
    Array { items: std::vec::IntoIter<Value>, number: u64 },
}

impl Rows {
    /// Opens a file and tells its form from its beginning.
    ///
    /// # Errors
    /// Why the file cannot be read as an export, for the user.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        if path.is_dir() {
            return Err("a folder; name the export files in it".to_owned());
        }
        let mut head = Vec::new();
        open(path)?.take(1 << 16).read_to_end(&mut head).map_err(|e| format!("could not be read: {e}"))?;
        if head.iter().all(u8::is_ascii_whitespace) {
            return Err("the file is empty".to_owned());
        }
        let utf16 = head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]);
        if !utf16 && head.contains(&0) {
            return Err("holds NUL bytes: it is no text file".to_owned());
        }
        let input = decoded(path, &head)?;
        // In every encoding that is read the first sign and the delimiters are ASCII, maybe beside a NUL or a mark.
        let mut signs = head.iter().filter(|b| b.is_ascii_graphic());
        match signs.next() {
            Some(b'{') => Ok(Self::Lines { input, number: 0 }),
            Some(b'[') => array(input),
            _ => table(input, &head),
        }
    }

    /// The header of a table; `None` for JSON, whose rows name their cells themselves.
    pub(super) fn headers(&self) -> Option<&[String]> {
        match self {
            Self::Table { headers, .. } => Some(headers),
            Self::Lines { .. } | Self::Array { .. } => None,
        }
    }

    /// The next row with its number from 1, not counting the header.
    pub(super) fn next_row(&mut self) -> Option<(u64, Result<Row, String>)> {
        match self {
            Self::Table { reader, number, .. } => {
                let mut record = csv::StringRecord::new();
                *number += 1;
                let row = match reader.read_record(&mut record) {
                    Ok(false) => return None,
                    Ok(true) if record.as_slice().len() > MAX_ROW_BYTES => Err(too_long()),
                    Ok(true) => Ok(Row { names: Vec::new(), cells: record.iter().map(str::to_owned).collect() }),
                    Err(error) => Err(format!("no row: {error}")),
                };
                Some((*number, row))
            }
            Self::Lines { input, number } => loop {
                let line = next_line(input)?;
                *number += 1;
                let row = match line {
                    Ok(line) if line.trim().is_empty() => continue,
                    Ok(line) => serde_json::from_str(&line).map_err(|e| format!("no JSON: {e}")).and_then(json_row),
                    Err(reason) => Err(reason),
                };
                return Some((*number, row));
            },
            Self::Array { items, number } => {
                let item = items.next()?;
                *number += 1;
                Some((*number, json_row(item)))
            }
        }
    }
}

fn too_long() -> String {
    format!("longer than {} MB", MAX_ROW_BYTES >> 20)
}

fn open(path: &Path) -> Result<File, String> {
    File::open(path).map_err(|e| format!("could not be opened: {e}"))
}

/// UTF-8 and UTF-16 by their marks; what is no UTF-8 and has none is Windows-1252, which older exports use.
fn decoded(path: &Path, head: &[u8]) -> Result<Input, String> {
    let broken_end = |e: std::str::Utf8Error| e.error_len().is_none();
    let utf8 = std::str::from_utf8(head).map_or_else(broken_end, |_| true);
    let fallback = if utf8 { encoding_rs::UTF_8 } else { encoding_rs::WINDOWS_1252 };
    let file = open(path)?;
    let decoder =
        DecodeReaderBytesBuilder::new().encoding(Some(fallback)).bom_override(true).strip_bom(true).build(file);
    Ok(BufReader::new(decoder))
}

fn table(input: Input, head: &[u8]) -> Result<Rows, String> {
    let header = head.split(|b| *b == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| header.iter().filter(|b| **b == delimiter).count();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|d| (count(*d), u8::MAX - d)).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(input);
    let headers = reader.headers().map_err(|e| format!("the header cannot be read: {e}"))?;
    let headers = headers.iter().map(str::to_owned).collect();
    Ok(Rows::Table { reader: Box::new(reader), headers, number: 0 })
}

fn array(input: Input) -> Result<Rows, String> {
    let mut text = String::new();
    input.take(MAX_ARRAY_BYTES + 1).read_to_string(&mut text).map_err(|e| format!("could not be read: {e}"))?;
    if text.len() as u64 > MAX_ARRAY_BYTES {
        return Err(format!("a JSON array over {} MB; turn it into one object a line", MAX_ARRAY_BYTES >> 20));
    }
    match serde_json::from_str(&text) {
        Ok(Value::Array(items)) => Ok(Rows::Array { items: items.into_iter(), number: 0 }),
        Ok(_) => Err("no array of notes".to_owned()),
        Err(error) => Err(format!("no JSON: {error}")),
    }
}

/// A line of at most [`MAX_ROW_BYTES`]; of a longer one the rest is passed over unheld.
fn next_line(input: &mut Input) -> Option<Result<String, String>> {
    let mut line = Vec::new();
    let mut over = false;
    loop {
        let chunk = match input.fill_buf() {
            Ok(chunk) => chunk,
            Err(error) => return Some(Err(format!("could not be read: {error}"))),
        };
        if chunk.is_empty() {
            break;
        }
        let end = chunk.iter().position(|b| *b == b'\n');
        let taken = end.map_or(chunk.len(), |i| i + 1);
        if line.len() + taken > MAX_ROW_BYTES {
            over = true;
            line.clear();
        } else if !over {
            line.extend_from_slice(&chunk[..taken]);
        }
        input.consume(taken);
        if end.is_some() {
            break;
        }
        if over {
            line.clear();
        }
    }
    if over {
        return Some(Err(too_long()));
    }
    if line.is_empty() {
        return None;
    }
    Some(String::from_utf8(line).map_err(|_| "not UTF-8".to_owned()))
}

/// An object's fields as cells. The objects that APIs nest them in (`properties`, `metadata`, `engagement`) are laid flat.
fn json_row(value: Value) -> Result<Row, String> {
    let Value::Object(fields) = value else { return Err("no JSON object".to_owned()) };
    let mut row = Row::default();
    let mut add = |name: String, value: &Value| {
        let cell = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            _ => return,
        };
        row.names.push(name);
        row.cells.push(cell);
    };
    for (name, value) in fields {
        match &value {
            Value::Object(inner) if matches!(name.as_str(), "properties" | "metadata" | "engagement") => {
                for (name, value) in inner {
                    add(name.clone(), value);
                }
            }
            _ => add(name, &value),
        }
    }
    Ok(row)
}
