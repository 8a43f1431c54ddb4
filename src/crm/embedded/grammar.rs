//! The cue grammar: what to look for, kept in plain text files that a salesperson can read and correct.
//!
//! A *cue* is a named group of patterns with a reason. A pattern is an ordinary phrase (`happy with`), in which a blank
//! stands for any white space, an apostrophe may be missing, case does not count and `{word}` stands for a list from
//! `words.toml`; where that is not enough it is a regular expression. The one rule: cues are general sales English, never the
//! words of one product or one data set.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Context, Result, ensure};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// The files, by name. They are part of the recipe.
pub(super) const FILES: [(&str, &str); 8] = [
    ("words", include_str!("cues/words.toml")),
    ("speech", include_str!("cues/speech.toml")),
    ("interest", include_str!("cues/interest.toml")),
    ("compliment", include_str!("cues/compliment.toml")),
    ("fluff", include_str!("cues/fluff.toml")),
    ("pain", include_str!("cues/pain.toml")),
    ("objection", include_str!("cues/objection.toml")),
    ("commitment", include_str!("cues/commitment.toml")),
];

/// Most cues that fit a [`Cues`] set.
const MOST: usize = 128;

/// All cues, compiled.
pub(super) struct Grammar {
    names: Vec<String>,
    patterns: Vec<Pattern>,
}

struct Pattern {
    any: Regex,
    unless: Option<Regex>,
}

/// The lists of `words.toml`, by name.
type Words = BTreeMap<String, Vec<String>>;

/// How deep lists may stand in lists.
const DEEPEST: usize = 4;

/// Which cues fire in a stretch of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cues(u128);

/// One place where a cue fires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hit {
    /// Index of the cue.
    pub cue: usize,
    /// Where.
    pub range: Range<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    words: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    cue: Vec<Cue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cue {
    name: String,
    /// Why these words mean that; for the reader of the file.
    #[expect(dead_code, reason = "documentation that the format demands")]
    why: String,
    any: Vec<String>,
    /// Phrases that look like it and are not: a hit that touches one does not count.
    #[serde(default)]
    unless: Vec<String>,
}

impl Grammar {
    /// Compiles `files`.
    ///
    /// # Errors
    /// When a file is no TOML, names an unknown word, or holds a pattern that does not compile.
    pub(super) fn compile(files: &[(&str, &str)]) -> Result<Self> {
        let mut words = BTreeMap::new();
        let mut grammar = Self { names: Vec::new(), patterns: Vec::new() };
        for (file, source) in files {
            let parsed: File = toml::from_str(source).with_context(|| format!("in the cue file {file}"))?;
            words.extend(parsed.words);
            for cue in parsed.cue {
                let at = || format!("in the cue {file}.{}", cue.name);
                let any = union(&cue.any, &words).with_context(at)?;
                let unless =
                    (!cue.unless.is_empty()).then(|| union(&cue.unless, &words)).transpose().with_context(at)?;
                grammar.patterns.push(Pattern { any, unless });
                grammar.names.push(format!("{file}.{}", cue.name));
            }
        }
        ensure!(grammar.names.len() <= MOST, "{} cues are more than a set holds", grammar.names.len());
        Ok(grammar)
    }

    /// Index of the cue `name`, for rules that ask for it.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    /// Names of the cues, in order of index.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Every place where a cue fires in `text`, cue by cue.
    pub(super) fn hits(&self, text: &str) -> Vec<Hit> {
        let of = |(cue, pattern): (usize, &Pattern)| {
            let unless: Vec<_> = pattern.unless.iter().flat_map(|p| p.find_iter(text)).map(|m| m.range()).collect();
            let spared = move |hit: &Hit| {
                let first = unless.partition_point(|u| u.end <= hit.range.start);
                unless.get(first).is_none_or(|u| u.start >= hit.range.end)
            };
            pattern.any.find_iter(text).map(move |m| Hit { cue, range: m.range() }).filter(spared).collect::<Vec<_>>()
        };
        self.patterns.iter().enumerate().flat_map(of).collect()
    }
}

impl Cues {
    /// Adds cue `index`.
    pub(super) fn insert(&mut self, index: usize) {
        self.0 |= 1 << index;
    }

    /// Whether cue `index` fires.
    pub(super) fn has(self, index: usize) -> bool {
        self.0 >> index & 1 == 1
    }

    /// Both sets.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any cue of `other` fires too.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The cues, in order of index.
    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        (0..MOST).filter(move |&i| self.has(i))
    }
}

/// One regular expression for all of `patterns`.
fn union(patterns: &[String], words: &Words) -> Result<Regex> {
    let any = patterns.iter().map(|p| bounded(p, words)).collect::<Result<Vec<_>>>()?;
    Ok(RegexBuilder::new(&any.join("|"))
        .case_insensitive(true)
        .multi_line(true)
        .size_limit(64 << 20)
        .dfa_size_limit(16 << 20)
        .build()?)
}

/// `pattern` between word boundaries, where it begins or ends with a word. ASCII boundaries, because they keep the fast
/// engine on text with accents and emoji.
fn bounded(pattern: &str, words: &Words) -> Result<String> {
    let wordy = |c: char| c.is_alphanumeric() || matches!(c, '(' | ')' | '{' | '}' | '[' | ']' | '?' | '+' | '*');
    let before = if pattern.starts_with(wordy) { r"(?-u:\b)" } else { "" };
    let after = if pattern.ends_with(wordy) { r"(?-u:\b)" } else { "" };
    Ok(format!("{before}(?:{}){after}", expand(pattern.strip_prefix('~').unwrap_or(pattern), words, DEEPEST)?))
}

/// `pattern` as a regular expression: blanks, apostrophes and `{word}` replaced, lists within lists down to `depth`.
fn expand(pattern: &str, words: &Words, depth: usize) -> Result<String> {
    let mut out = String::new();
    let mut class = false;
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let named = rest.strip_prefix('{').and_then(|r| r.split_once('}'));
        match (c, named) {
            ('{', Some((name, after))) if !class && name.starts_with(|c: char| c.is_alphabetic()) => {
                let list = words.get(name).with_context(|| format!("no words named {name:?}"))?;
                let depth = depth.checked_sub(1).with_context(|| format!("the words {name:?} go round in a circle"))?;
                let list = list.iter().map(|p| expand(p, words, depth)).collect::<Result<Vec<_>>>()?;
                out.push_str(&format!("(?:{})", list.join("|")));
                rest = after;
                continue;
            }
            ('\\', _) => {
                // Letters of the Latin scripts only: all of Unicode's would make the automata a hundred times larger.
                let escaped = rest[1..].chars().next().unwrap_or('\\');
                if escaped == 'b' {
                    out.push_str(r"(?-u:\b)");
                    rest = &rest[2..];
                    continue;
                }
                let set = match escaped {
                    'w' => "0-9A-Za-z_À-ɏ",
                    'd' => "0-9",
                    's' => r" \t\r\n\u{a0}",
                    _ => "",
                };
                match (set.is_empty(), class) {
                    (true, _) => out.extend(['\\', escaped]),
                    (false, true) => out.push_str(set),
                    (false, false) => out.push_str(&format!("[{set}]")),
                }
                rest = &rest[1 + escaped.len_utf8()..];
                continue;
            }
            _ if class => {
                class = c != ']';
                out.push(c);
            }
            ('[', _) => {
                class = true;
                out.push(c);
            }
            (' ', _) => out.push_str(r"[ \t\r\n\u{a0}]+"),
            ('\'', _) => out.push_str("['’]?"),
            _ => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    Ok(out)
}
