//! The labelled sets of others in the form the reader is trained on (`candor::extract::score::TruthPost`).
//!
//! Each set labels something near one of the acts; `known` names the acts that its labels decide, the rest stay unknown. One
//! in five of its items, by a hash of what belongs together, is kept for testing and never trained on.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result};
use candor::extract::score::{TruthAct, TruthPost, TruthSpan};
use candor::model::ActKind::{self, Ask, Complaint, Workaround};
use candor::model::id::content_hash;
use serde_json::{Value, json};

/// A post with what it belongs to.
pub(super) struct Item {
    /// The set.
    pub(super) set: &'static str,
    /// What must stay on one side of a split: a discussion, a suggestion.
    pub(super) group: String,
    /// The post.
    pub(super) post: TruthPost,
}

impl Item {
    /// Whether the item is kept for testing.
    pub(super) fn is_test(&self) -> bool {
        let hash = content_hash(&[self.set, &self.group]);
        u8::from_str_radix(&hash[..2], 16).is_ok_and(|byte| byte % 5 == 0)
    }
}

/// How much a post of each set counts beside one that was labelled for the acts themselves. Suggestions from feedback forums
/// did not help asks elsewhere, so they are only tested on.
const TRUST: [(&str, f64); 4] = [
    ("complaints_xci", 0.06),
    ("intention_mining", 0.06),
    ("issue_info_types", 0.1),
    ("semeval2019t9_suggestion", 0.0),
];

/// Everything under `data/labelled` that is used, in a fixed order.
pub(super) fn public_sets(data: &Path) -> Result<Vec<Item>> {
    let labelled = data.join("labelled");
    let mut items = complaints(&labelled)?;
    items.extend(intentions(&labelled)?);
    items.extend(issue_sentences(&labelled)?);
    items.extend(suggestions(&labelled)?);
    Ok(items)
}

/// The lines of a training file: the posts labelled for the acts, then the training parts of the public sets.
pub(super) fn training_lines(data: &Path) -> Result<Vec<String>> {
    let gold = data.join("gold/dev.jsonl");
    let file = File::open(&gold).with_context(|| format!("could not open {}", gold.display()))?;
    let mut lines = Vec::new();
    for line in BufReader::new(file).lines() {
        let line = line.with_context(|| format!("could not read {}", gold.display()))?;
        if !line.trim().is_empty() {
            lines.push(line);
        }
    }
    let trained = |item: &&Item| !item.is_test() && item.post.trust > 0.0;
    lines.extend(public_sets(data)?.iter().filter(trained).map(|item| line(&item.post).to_string()));
    Ok(lines)
}

fn line(post: &TruthPost) -> Value {
    let span = |s: &TruthSpan| json!({ "start": s.start, "end": s.end });
    let act = |a: &TruthAct| json!({ "act": a.act, "spans": a.spans.iter().map(span).collect::<Vec<_>>() });
    json!({
        "id": post.id, "source": post.source, "text": post.text, "known": post.known, "trust": post.trust,
        "acts": post.acts.iter().map(act).collect::<Vec<_>>(),
    })
}

/// A text labelled for some acts, each there or not.
fn item(set: &'static str, group: &str, id: &str, text: &str, labels: &[(ActKind, bool)]) -> Option<Item> {
    let text = text.replace('\r', " ");
    let text = text.trim();
    if text.len() < 10 || labels.is_empty() {
        return None;
    }
    let whole = TruthSpan { start: 0, end: text.len() };
    let there = labels.iter().filter(|(_, there)| *there);
    let post = TruthPost {
        id: format!("{set}/{id}"),
        source: set.to_owned(),
        context: None,
        text: text.to_owned(),
        voice: None,
        acts: there.map(|(act, _)| TruthAct { act: *act, spans: vec![whole] }).collect(),
        known: Some(labels.iter().map(|(act, _)| *act).collect()),
        trust: TRUST.iter().find(|(name, _)| *name == set).map_or(0.0, |(_, trust)| *trust),
    };
    Some(Item { set, group: group.to_owned(), post })
}

fn rows(file: &Path, headers: bool) -> Result<Vec<csv::StringRecord>> {
    let bytes = std::fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut reader = csv::ReaderBuilder::new().has_headers(headers).flexible(true).from_reader(text.as_bytes());
    reader.records().collect::<Result<_, _>>().with_context(|| format!("{} is no table", file.display()))
}

/// Tweets to companies: complaint or not.
fn complaints(labelled: &Path) -> Result<Vec<Item>> {
    let rows = rows(&labelled.join("complaints_xci/split/dev.csv"), true)?;
    let one = |row: &csv::StringRecord| {
        let (id, tweet, label) = (row.get(0)?, row.get(1)?, row.get(2)?);
        item("complaints_xci", id, id, tweet, &[(Complaint, label == "1")])
    };
    Ok(rows.iter().filter_map(one).collect())
}

/// Sentences of issue trackers by what they are for: a folder a project, a file a kind.
fn intentions(labelled: &Path) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for project in ["bootstrap", "docker", "tensorflow", "vscode"] {
        for kind in ["feature request", "information seeking", "others", "problem discovery", "solution proposal"] {
            let path = labelled.join("intention_mining").join(project).join(kind);
            let Ok(bytes) = std::fs::read(&path) else { continue };
            for (number, text) in String::from_utf8_lossy(&bytes).lines().enumerate() {
                let id = format!("{project}/{kind}/{number}");
                let labels = [(Complaint, kind == "problem discovery"), (Ask, kind == "feature request")];
                items.extend(item("intention_mining", &id, &id, text, &labels));
            }
        }
    }
    Ok(items)
}

/// What the kinds of the sentences of issue discussions say of the acts.
fn kinds(code: &str) -> Vec<(ActKind, bool)> {
    let mut labels = vec![(Workaround, code == "Workarounds")];
    let tells_of_bugs = ["Motivation", "Bug Reproduction", "Workarounds", "Investigation and Exploration", "Usage"];
    if !tells_of_bugs.contains(&code) {
        labels.push((Complaint, code == "Observed Bug Behaviour"));
    }
    if !["Usage", "Motivation"].contains(&code) {
        labels.push((Ask, ["Potential New Issues and Requests", "Expected Behaviour"].contains(&code)));
    }
    labels
}

/// Sentences of issue discussions, of thirteen kinds. A discussion stays on one side of the split.
fn issue_sentences(labelled: &Path) -> Result<Vec<Item>> {
    let rows = rows(&labelled.join("issue_info_types/split/dev.csv"), true)?;
    let one = |(number, row): (usize, &csv::StringRecord)| {
        let (issue, text, code) = (row.get(0)?, row.get(1)?, row.get(2)?);
        item("issue_info_types", issue, &number.to_string(), text, &kinds(code))
    };
    Ok(rows.iter().enumerate().filter_map(one).collect())
}

/// Sentences of a feedback forum: suggestion or not. The sentences of one suggestion stay together.
fn suggestions(labelled: &Path) -> Result<Vec<Item>> {
    let rows = rows(&labelled.join("semeval2019t9_suggestion/V1.4_Training.csv"), false)?;
    let one = |row: &csv::StringRecord| {
        let (id, text, label) = (row.get(0)?, row.get(1)?, row.get(row.len().checked_sub(1)?)?);
        let group = id.split('_').next()?;
        let labels = [(Ask, label == "1")];
        item("semeval2019t9_suggestion", group, id, text.trim_matches('"'), &labels)
    };
    Ok(rows.iter().filter_map(one).collect())
}
