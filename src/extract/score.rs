//! Labelled posts, and hits and misses against them.

use std::io::BufRead;
use std::ops::Range;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::model::{ActKind, Voice};

/// A labelled post: one line of JSON with `id`, `text`, `acts:[{act, spans:[{start, end}]}]`, and where known `source`,
/// `context`, `voice`.
#[derive(Debug, Clone, Deserialize)]
pub struct TruthPost {
    /// Id; what stands before a last `-7` or `#7` is taken for its thread.
    pub id: String,
    /// Where it is from.
    #[serde(default)]
    pub source: String,
    /// Title or the message before.
    #[serde(default)]
    pub context: Option<String>,
    /// The post.
    pub text: String,
    /// Who speaks.
    #[serde(default)]
    pub voice: Option<Voice>,
    /// The acts that are there.
    pub acts: Vec<TruthAct>,
    /// The acts that were labelled at all; all six when absent.
    #[serde(default)]
    pub known: Option<Vec<ActKind>>,
    /// How much the post counts in training, 0 to 1. Only posts that count 1 set thresholds and confidence.
    #[serde(default = "one")]
    pub trust: f64,
}

/// One labelled act.
#[derive(Debug, Clone, Deserialize)]
pub struct TruthAct {
    /// Which.
    pub act: ActKind,
    /// Where it is shown.
    #[serde(default)]
    pub spans: Vec<TruthSpan>,
}

/// Byte offsets into the text.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct TruthSpan {
    /// First byte.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

fn one() -> f64 {
    1.0
}

impl TruthPost {
    /// Whether the act is there; `None` when it was not labelled.
    pub fn has(&self, act: ActKind) -> Option<bool> {
        let known = self.known.as_ref().is_none_or(|k| k.contains(&act));
        known.then(|| self.acts.iter().any(|a| a.act == act))
    }

    /// Where `act` is shown.
    pub fn spans(&self, act: ActKind) -> impl Iterator<Item = Range<usize>> {
        self.acts.iter().filter(move |a| a.act == act).flat_map(|a| &a.spans).map(|s| s.start..s.end)
    }

    /// The id without a last number: posts of one thread stay together in cross-validation.
    pub fn thread(&self) -> &str {
        let head = self.id.trim_end_matches(|c: char| c.is_ascii_digit());
        head.strip_suffix(['#', '-']).filter(|h| !h.is_empty()).unwrap_or(&self.id)
    }
}

/// Reads labelled posts, one JSON object a line; empty lines are passed over.
///
/// # Errors
/// When a line cannot be read or is not of the form; the line is named.
pub fn read_truth(input: impl BufRead) -> Result<Vec<TruthPost>> {
    let mut posts = Vec::new();
    for (number, line) in (1..).zip(input.lines()) {
        let line = line.with_context(|| format!("could not read line {number} of the labels"))?;
        if !line.trim().is_empty() {
            posts.push(serde_json::from_str(&line).with_context(|| format!("line {number} is no labelled post"))?);
        }
    }
    Ok(posts)
}

/// Hits and misses of one act, in posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ActScore {
    /// Said and there.
    pub hits: u32,
    /// Said and not there.
    pub false_alarms: u32,
    /// There and not said.
    pub misses: u32,
}

impl ActScore {
    /// Counts one post.
    pub fn add(&mut self, there: bool, said: bool) {
        match (there, said) {
            (true, true) => self.hits += 1,
            (false, true) => self.false_alarms += 1,
            (true, false) => self.misses += 1,
            (false, false) => {}
        }
    }

    /// Share of what was said that is there; 0 when nothing was said.
    pub fn precision(&self) -> f64 {
        share(self.hits, self.hits + self.false_alarms)
    }

    /// Share of what is there that was said; 0 when nothing is there.
    pub fn recall(&self) -> f64 {
        share(self.hits, self.hits + self.misses)
    }

    /// Harmonic mean of the two, 2TP / (2TP + FP + FN).
    pub fn f1(&self) -> f64 {
        share(2 * self.hits, 2 * self.hits + self.false_alarms + self.misses)
    }
}

fn share(part: u32, of: u32) -> f64 {
    if of == 0 { 0.0 } else { f64::from(part) / f64::from(of) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_shares() {
        let mut score = ActScore::default();
        for (there, said) in [(true, true), (true, true), (true, false), (false, true), (false, false)] {
            score.add(there, said);
        }
        assert_eq!((score.hits, score.false_alarms, score.misses), (2, 1, 1));
        assert!((score.f1() - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(ActScore::default().precision(), 0.0);
    }

    #[test]
    fn threads_are_told_by_the_id() {
        let post = |id: &str| TruthPost {
            id: id.into(),
            source: String::new(),
            context: None,
            text: String::new(),
            voice: None,
            acts: Vec::new(),
            known: None,
            trust: 1.0,
        };
        assert_eq!(post("forum-post-12-3").thread(), "forum-post-12");
        assert_eq!(post("file.md#40").thread(), "file.md");
        assert_eq!(post("abc").thread(), "abc");
        assert_eq!(post("12").thread(), "12");
    }

    #[test]
    fn a_broken_line_is_named() {
        let error = read_truth(&b"{\"id\":\"a\",\"text\":\"x\",\"acts\":[]}\n\nnonsense\n"[..]).unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
    }
}
