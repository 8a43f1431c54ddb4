//! Answers recorded once and replayed ever after, so that tests and demonstrations use a real model's words without a
//! network, a key or a bill.
//!
//! A tape is JSON lines, one answer each, sorted by what they are about, so that two recordings can be compared line by
//! line. An answer is found by the hash of everything that decided it; a question that was not recorded is an error, never
//! a request.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context as _, Result, bail};
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::reply::Reply;
use super::request::{self, Turn};
use super::{Question, Unanswered, Usage};

/// One recorded answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    unit: String,
    prompt: String,
    hash: String,
    model: String,
    finish: String,
    reply: String,
    prompt_tokens: u64,
    completion_tokens: u64,
}

/// A tape that is replayed.
pub(super) struct Tape {
    path: PathBuf,
    pub(super) model: String,
    replies: HashMap<String, Reply>,
    /// What is answered on it: prompts and what they are about.
    units: HashSet<(String, String)>,
}

impl Tape {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let lines = read(path)?;
        let Some(model) = lines.first().map(|line| line.model.clone()) else {
            bail!("the tape {} is empty", path.display());
        };
        if let Some(other) = lines.iter().find(|line| line.model != model) {
            bail!("the tape {} holds answers of two models, {model} and {}", path.display(), other.model);
        }
        let units = lines.iter().map(|line| (line.prompt.clone(), line.unit.clone())).collect();
        let replies =
            lines.into_iter().map(|line| (line.hash, Reply { text: line.reply, finish: line.finish })).collect();
        Ok(Self { path: path.to_owned(), model, replies, units })
    }

    pub(super) fn answer(&self, question: &Question, turn: Turn) -> Result<Reply, Unanswered> {
        match self.find(&request::hash(&self.model, question, turn)) {
            Some(reply) => Ok(reply),
            None => Err(Unanswered::Down(self.lacks(question))),
        }
    }

    /// Why `question` is not answered, and what to do about it.
    fn lacks(&self, question: &Question) -> String {
        let Question { prompt, unit, .. } = question;
        let path = self.path.display();
        if !self.units.contains(&((*prompt).to_owned(), unit.clone())) {
            return format!("the tape {path} has no answer to {prompt} about {unit}; record it again");
        }
        format!(
            "the tape {path} answers {prompt} about {unit}, but not in these words: the text, the prompt, the protocol or other settings \
             are not those of the recording, or other names are masked. Those of the CRM's contacts are masked where their workspace \
             is: replay in the one it was recorded in (--workspace DIR), or record it again"
        )
    }

    pub(super) fn find(&self, hash: &str) -> Option<Reply> {
        self.replies.get(hash).cloned()
    }
}

fn read(path: &Path) -> Result<Vec<Line>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read the tape {}", path.display()))?;
    // What a killed run was writing when it ended has no end of line.
    let whole = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    whole
        .lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str(line).with_context(|| format!("in line {} of the tape {}", at + 1, path.display()))
        })
        .collect()
}

/// A tape that is being recorded. What was on it stays.
pub(super) struct Recorder {
    path: PathBuf,
    /// What was on it, by hash.
    before: HashMap<String, Reply>,
    lines: Mutex<BTreeMap<(String, String, String), Line>>,
    refused: Mutex<Vec<String>>,
}

impl Recorder {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let lines = if path.exists() { read(path)? } else { Vec::new() };
        let reply = |line: &Line| Reply { text: line.reply.clone(), finish: line.finish.clone() };
        let before = lines.iter().map(|line| (line.hash.clone(), reply(line))).collect();
        let lines = lines.into_iter().map(|line| (key(&line), line)).collect();
        let recorder = Self { path: path.to_owned(), before, lines: Mutex::new(lines), refused: Mutex::default() };
        // Whole lines, so that more can be put behind them.
        recorder.save()?;
        Ok(recorder)
    }

    /// What an earlier run was answered to `question`, when it can be used or the second asking made up for it.
    pub(super) fn find(&self, model: &str, question: &Question, turn: Turn) -> Option<Reply> {
        let reply = self.before.get(&request::hash(model, question, turn))?;
        let made_up = || {
            let second = self.before.get(&request::hash(model, question, reply.next_turn()));
            turn == Turn::First && second.is_some_and(|second| second.fits(question))
        };
        (reply.fits(question) || made_up()).then(|| reply.clone())
    }

    /// Notes an answer, unless something in it looks like a key, and writes it down.
    pub(super) fn note(&self, model: &str, question: &Question, turn: Turn, reply: &Reply, usage: Usage) -> Result<()> {
        let line = Line {
            unit: question.unit.clone(),
            prompt: question.prompt.to_owned(),
            hash: request::hash(model, question, turn),
            model: model.to_owned(),
            finish: reply.finish.clone(),
            reply: reply.text.clone(),
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
        };
        if looks_like_a_key(&line.reply) || looks_like_a_key(&line.unit) {
            self.refused.lock().unwrap_or_else(PoisonError::into_inner).push(line.unit);
            return Ok(());
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let old = lines.get(&key(&line));
        // An answer out of the cache comes without its counts; those of the first recording stay.
        let line = match old.filter(|_| usage.calls == 0) {
            Some(&Line { prompt_tokens, completion_tokens, .. }) => Line { prompt_tokens, completion_tokens, ..line },
            None => line,
        };
        if old == Some(&line) {
            return Ok(());
        }
        let text = format!("{}\n", serde_json::to_string(&line)?);
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        file.and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("could not write the tape {}", self.path.display()))?;
        lines.insert(key(&line), line);
        Ok(())
    }

    /// Writes the tape anew, sorted.
    pub(super) fn save(&self) -> Result<()> {
        let mut text = String::new();
        for line in self.lines.lock().unwrap_or_else(PoisonError::into_inner).values() {
            writeln!(text, "{}", serde_json::to_string(line)?)?;
        }
        // Written aside and renamed: a killed run leaves the old tape or the new one.
        let draft = self.path.with_extension("new");
        std::fs::write(&draft, text)
            .and_then(|()| std::fs::rename(&draft, &self.path))
            .with_context(|| format!("could not write the tape {}", self.path.display()))?;
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unit) = refused.first() {
            bail!(
                "{} answers are not on the tape because they hold what looks like a key; the first is about {unit}",
                refused.len()
            );
        }
        Ok(())
    }
}

fn key(line: &Line) -> (String, String, String) {
    (line.unit.clone(), line.prompt.clone(), line.hash.clone())
}

/// Whether `text` holds something that looks like an API key or a bearer token.
pub fn looks_like_a_key(text: &str) -> bool {
    #[expect(clippy::unwrap_used, reason = "the pattern is fixed, and a test runs it")]
    static KEY: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?i)\b(sk|pk|rk|key|xox[abp]|gh[opsu])[-_][a-z0-9_-]{8,}|\bbearer\s+[a-z0-9._~+/-]{8,}").unwrap()
    });
    KEY.is_match(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::tests::question;

    #[test]
    fn keys_are_recognised() {
        for text in ["sk-proj-abcdef1234567890", "Authorization: Bearer abc.def.ghi", "ghp_0123456789abcdef"] {
            assert!(looks_like_a_key(text), "{text}");
        }
        for text in ["a key-value store", "the bearer of news", "ask-me", r#"{"mood":"fine"}"#] {
            assert!(!looks_like_a_key(text), "{text}");
        }
    }

    #[test]
    fn a_tape_is_sorted_and_repeats_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tape.jsonl");
        let said = |text: &str| Reply { text: text.to_owned(), finish: "stop".to_owned() };
        let paid = Usage { calls: 1, prompt_tokens: 7, completion_tokens: 2, ..Usage::default() };
        let first = Recorder::open(&path).unwrap();
        first.note("m", &question("u2", "two"), Turn::First, &said("2"), paid).unwrap();
        first.note("m", &question("u1", "one"), Turn::First, &said("1"), paid).unwrap();
        first.save().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.find("u1").unwrap() < text.find("u2").unwrap());
        let second = Recorder::open(&path).unwrap();
        let cached = Usage { cached: 1, ..Usage::default() };
        second.note("m", &question("u1", "one"), Turn::First, &said("1"), cached).unwrap();
        second.save().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text, "recorded again, nothing changed");

        let tape = Tape::open(&path).unwrap();
        assert_eq!(tape.answer(&question("u9", "one"), Turn::First).unwrap(), said("1"));
        let missing = tape.answer(&question("u3", "three"), Turn::First).unwrap_err().to_string();
        assert!(missing.contains("no answer to mood about u3"), "{missing}");
        let reworded = tape.answer(&question("u1", "won"), Turn::First).unwrap_err().to_string();
        assert!(reworded.contains("mood about u1") && reworded.contains("--workspace"), "{reworded}");
        assert!(tape.answer(&question("u1", "one"), Turn::Second { longer: false }).is_err());
    }

    #[test]
    fn a_key_never_gets_on_the_tape() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tape.jsonl");
        let recorder = Recorder::open(&path).unwrap();
        let reply = Reply { text: "my key is sk-proj-abcdef1234567890".to_owned(), finish: "stop".to_owned() };
        recorder.note("m", &question("u1", "one"), Turn::First, &reply, Usage::default()).unwrap();
        assert!(recorder.save().unwrap_err().to_string().contains("u1"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    }
}
