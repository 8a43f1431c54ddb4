//! Labelled texts as they stand in files: posts with their acts, notes with what one reader or two independent readers made
//! of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead as _, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::extract::score::TruthPost;
use crate::model::{ActKind, NoteKind};
use crate::text::locate::locate;

/// A labelled post with what is known about its labels.
#[derive(Debug, Clone, Deserialize)]
pub struct LabelledPost {
    /// The post, its acts and its voice.
    #[serde(flatten)]
    pub post: TruthPost,
    /// How many posts of the source it stands for.
    #[serde(default)]
    pub weight: Option<f64>,
    /// How it was drawn. Posts of a stratum `target_…` were looked for and stand for nothing but themselves.
    #[serde(default)]
    pub stratum: String,
    /// Acts that the annotators differed on.
    #[serde(default)]
    contested: Vec<String>,
    /// Acts that one of them called arguable.
    #[serde(default)]
    unsure: Vec<String>,
}

impl LabelledPost {
    /// Whether the act's label could be argued with.
    pub fn arguable(&self, act: ActKind) -> bool {
        self.contested.iter().chain(&self.unsure).any(|name| name == act.as_str())
    }

    /// How many posts it stands for; `None` where it was not drawn at random.
    pub fn stands_for(&self) -> Option<f64> {
        self.weight.filter(|w| *w > 0.0 && !self.stratum.starts_with("target"))
    }

    /// What is resampled together: the thread, within its source.
    pub fn cluster(&self) -> String {
        format!("{}\u{1f}{}", self.post.source, self.post.thread())
    }
}

/// A note with one labelling, or several independent ones.
#[derive(Debug, Clone)]
pub struct LabelledNote {
    /// Id.
    pub id: String,
    /// The firm; its notes are resampled together.
    pub account: String,
    /// What kind of record.
    pub kind: NoteKind,
    /// The note.
    pub text: String,
    /// Independent labellings, at least one.
    pub labels: Vec<NoteLabels>,
}

/// What one reader made of a note (METHOD 2). Quotes are the note's own words.
#[derive(Debug, Clone, Deserialize)]
pub struct NoteLabels {
    /// 0 to 4; `None` when the note claims nothing.
    pub interest: Option<u8>,
    /// Praise of us.
    pub compliments: Vec<String>,
    /// Generic, future or hypothetical talk.
    pub fluff: Vec<String>,
    /// Claimed pains.
    pub pains: Vec<LabelledPain>,
    /// Objections.
    pub objections: Vec<LabelledObjection>,
    /// Commitments.
    pub commitments: Vec<LabelledCommitment>,
    /// Whether we asked for anything.
    #[serde(default)]
    pub asked: Option<bool>,
}

/// A labelled pain.
#[derive(Debug, Clone, Deserialize)]
pub struct LabelledPain {
    /// The note's words.
    pub quote: String,
    /// How it came up.
    pub elicitation: String,
    /// A last instance is described.
    pub specific: bool,
}

/// A labelled objection.
#[derive(Debug, Clone, Deserialize)]
pub struct LabelledObjection {
    /// The note's words.
    pub quote: String,
    /// What it objects to.
    pub kind: String,
}

/// A labelled commitment.
#[derive(Debug, Clone, Deserialize)]
pub struct LabelledCommitment {
    /// 0 to 5.
    pub level: u8,
    /// `buyer` or `us`.
    pub who: String,
    /// `asked`, `promised`, `kept`, `missed`, `refused`.
    pub status: String,
}

/// What a truth file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Community posts: lines with `acts`.
    Post,
    /// CRM notes: lines without.
    Note,
}

/// What the first line of `path` looks like.
///
/// # Errors
/// When the file cannot be read or holds nothing.
pub fn kind_of(path: &Path) -> Result<Kind> {
    let Some(first) = values(path)?.next() else { bail!("{} holds no labelled text", path.display()) };
    let first = first?;
    Ok(if first.get("acts").is_some() { Kind::Post } else { Kind::Note })
}

/// Reads labelled posts.
///
/// # Errors
/// When a file cannot be read, a line is of another form, or a label points outside its text; file and line are named.
pub fn read_posts(paths: &[PathBuf]) -> Result<Vec<LabelledPost>> {
    let mut posts: Vec<LabelledPost> = Vec::new();
    for path in paths {
        for (number, value) in (1..).zip(values(path)?) {
            let place = || format!("{}: text {number} is no labelled post", path.display());
            let post: LabelledPost = serde_json::from_value(value?).with_context(place)?;
            let outside =
                post.post.acts.iter().flat_map(|a| &a.spans).any(|s| post.post.text.get(s.start..s.end).is_none());
            if outside {
                bail!("{}: a span of post {} is not a slice of its text", path.display(), post.post.id);
            }
            posts.push(post);
        }
    }
    Ok(posts)
}

/// Reads labelled notes. A labelling may stand in the notes' own lines; others are taken from the files beside them: for
/// `x.jsonl` from `x.labels_a.jsonl` and `x.labels_b.jsonl`.
///
/// # Errors
/// When a file cannot be read, a line is of another form, a note has no labels, or a quote is not in its note.
pub fn read_notes(paths: &[PathBuf]) -> Result<Vec<LabelledNote>> {
    let mut notes = Vec::new();
    for path in paths {
        let beside = ["a", "b"].map(|who| path.with_extension(format!("labels_{who}.jsonl")));
        let beside = beside.iter().filter(|p| p.exists()).map(|p| labels_by_id(p)).collect::<Result<Vec<_>>>()?;
        for (number, value) in (1..).zip(values(path)?) {
            let place = || format!("{}: text {number} is no labelled note", path.display());
            let note = note(value?, &beside).with_context(place)?;
            check_quotes(&note).with_context(|| format!("in {}", path.display()))?;
            notes.push(note);
        }
    }
    Ok(notes)
}

/// The note as it stands in a file.
#[derive(Deserialize)]
struct NoteLine {
    id: String,
    #[serde(default)]
    account: Option<String>,
    #[serde(default)]
    kind: String,
    text: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

fn note(value: Value, beside: &[BTreeMap<String, NoteLabels>]) -> Result<LabelledNote> {
    let line: NoteLine = serde_json::from_value(value)?;
    let beside = beside.iter().filter_map(|labels| labels.get(&line.id).cloned());
    let mut labels: Vec<NoteLabels> = beside.collect();
    if line.rest.contains_key("compliments") {
        let inline = serde_json::from_value(Value::Object(line.rest)).context("its labels have another form")?;
        labels.insert(0, inline);
    }
    if labels.is_empty() {
        bail!("note {} has no labels, neither in its line nor in a file beside", line.id);
    }
    let account = line.account.unwrap_or_else(|| line.id.clone());
    Ok(LabelledNote { id: line.id, account, kind: NoteKind::parse(&line.kind), text: line.text, labels })
}

fn labels_by_id(path: &Path) -> Result<BTreeMap<String, NoteLabels>> {
    let mut labels = BTreeMap::new();
    for (number, value) in (1..).zip(values(path)?) {
        let place = || format!("{}: line {number} is no labels of a note", path.display());
        let value = value?;
        let id = value.get("id").and_then(Value::as_str).with_context(place)?.to_owned();
        labels.insert(id, serde_json::from_value(value).with_context(place)?);
    }
    Ok(labels)
}

fn check_quotes(note: &LabelledNote) -> Result<()> {
    for labels in &note.labels {
        let quotes = labels.compliments.iter().chain(&labels.fluff).chain(labels.pains.iter().map(|p| &p.quote));
        for quote in quotes.chain(labels.objections.iter().map(|o| &o.quote)) {
            place(&note.text, quote).with_context(|| format!("note {} does not hold its quote `{quote}`", note.id))?;
        }
    }
    Ok(())
}

/// Where a labelled quote stands.
pub(super) fn place(text: &str, quote: &str) -> Option<Range<usize>> {
    text.find(quote).map(|at| at..at + quote.len()).or_else(|| locate(text, quote).map(|(span, _)| span.range()))
}

/// The JSON objects of a file, one a line.
fn values(path: &Path) -> Result<impl Iterator<Item = Result<Value>>> {
    let file = fs::File::open(path).with_context(|| format!("could not open the labels {}", path.display()))?;
    let value = move |(number, line): (usize, io::Result<String>)| {
        let place = || format!("{}: line {number} is not JSON", path.display());
        match line.with_context(place) {
            Ok(line) if line.trim().is_empty() => None,
            line => Some(line.and_then(|line| serde_json::from_str(&line).with_context(place))),
        }
    };
    Ok((1..).zip(BufReader::new(file).lines()).filter_map(value))
}
