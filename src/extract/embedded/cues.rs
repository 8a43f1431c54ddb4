//! The cue grammar: groups of phrases in plain text files, compiled once into a trie over words.
//!
//! A cue says that a phrase of a group stands in a sentence, nothing more; what it means for an act is decided by the
//! weights. The files under `cues/` are the source, readable by a person; their text is part of the reader's recipe.
//!
//! The language of a phrase, word by word: `word`; `a|b` either; `<class>` any word of a class in `classes.toml`; `word+`
//! its regular forms (-s, -ed, -ing); `word?` may be missing; `..` up to two words between; `...` up to five; `^` at the
//! start, before everything else: the sentence begins here; `$` at the end: the sentence ends here.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::texture::HINTS;
use super::words::{HashKeyed, hash_of};
use crate::model::ActKind;

/// The files, in the order in which their groups are numbered.
pub(super) const FILES: &[(&str, &str)] = &[
    ("classes", include_str!("cues/classes.toml")),
    ("complaint", include_str!("cues/complaint.toml")),
    ("attempt", include_str!("cues/attempt.toml")),
    ("workaround", include_str!("cues/workaround.toml")),
    ("ask", include_str!("cues/ask.toml")),
    ("switch", include_str!("cues/switch.toml")),
    ("praise", include_str!("cues/praise.toml")),
    ("voice", include_str!("cues/voice.toml")),
    ("severity", include_str!("cues/severity.toml")),
    ("texture", include_str!("cues/texture.toml")),
];

/// The grammar, compiled. The files are part of the program and a test compiles them, so a mistake in them cannot ship; an
/// empty grammar would stand in for a broken one.
pub(super) static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| Grammar::compile(FILES, HINTS).unwrap_or_default());

/// Whether a group stands in the file that is about `kind`.
pub(super) fn speaks_of(group: u16, kind: ActKind) -> bool {
    let file = match kind {
        ActKind::Complaint => "complaint.",
        ActKind::FailedWorkaround => "attempt.",
        ActKind::Workaround => "workaround.",
        ActKind::Ask => "ask.",
        ActKind::Switch => "switch.",
        ActKind::Praise => "praise.",
    };
    GRAMMAR.names().get(usize::from(group)).is_some_and(|name| name.starts_with(file))
}

/// One group of a cue file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupFile {
    /// What the group stands for, in a sentence.
    about: String,
    /// One phrase a line.
    phrases: String,
}

/// A phrase found in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// Number of the group.
    pub(super) group: u16,
    /// First word, as an index into the sentence's words.
    pub(super) first: u16,
    /// One past the last word.
    pub(super) last: u16,
}

/// The compiled phrases.
#[derive(Debug, Default)]
pub(super) struct Grammar {
    /// Names of the groups, `file.group`, by number.
    names: Vec<String>,
    /// Word number by hash, from 1.
    vocabulary: HashKeyed<u16>,
    /// By word number: what the word hints at.
    hints: Vec<u16>,
    nodes: Vec<Node>,
    ends: Vec<End>,
    edges: Vec<Edge>,
    /// Sets of words, as bits by word number.
    sets: Vec<Vec<u64>>,
    /// By word number: what follows the word when it starts a phrase. All phrases of a word share one node, so that a word
    /// that starts many costs one look.
    starts: Vec<Node>,
    /// The same for phrases that stand at the start of a sentence.
    openings: Vec<Node>,
}

/// What follows a word of a phrase.
#[derive(Debug, Default, Clone)]
struct Node {
    ends: Range<u32>,
    edges: Range<u32>,
    /// By gap (see [`GAPS`]): marks of the words that may stand next.
    marks: [u64; GAPS.len()],
}

/// A phrase of the group ends here; with a mark when the sentence has to end here too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct End {
    group: u16,
    at_end: bool,
}

/// Lengths of gap that a phrase may have.
const GAPS: [usize; 3] = [0, 2, 5];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Edge {
    /// Marks of the set's words: a word whose mark is missing is surely not of the set.
    marks: u64,
    /// Words of this set may stand here.
    set: u32,
    node: u32,
    /// Up to so many other words may stand before, as an index into [`GAPS`].
    gap: u8,
}

/// The mark of a word: one bit of 64, none for a word that no cue knows.
fn mark(id: u16) -> u64 {
    if id == 0 { 0 } else { 1 << (id % 64) }
}

impl Grammar {
    /// Compiles the files, and numbers the words of `hints` too.
    ///
    /// # Errors
    /// When a file is not of the form, names an unknown class, or there are too many words.
    pub(super) fn compile(files: &[(&str, &str)], hints: &[(u16, &str)]) -> Result<Self> {
        let mut builder = Builder::default();
        for (file, text) in files {
            if *file == "classes" {
                builder.classes = toml::from_str(text).context("could not read the word classes")?;
                continue;
            }
            let groups: toml::Table =
                toml::from_str(text).with_context(|| format!("could not read the cues of {file}"))?;
            for (name, value) in groups {
                let group: GroupFile =
                    value.try_into().with_context(|| format!("could not read cue group {file}.{name}"))?;
                if group.about.is_empty() {
                    bail!("cue group {file}.{name} does not say what it is about");
                }
                let number = u16::try_from(builder.grammar.names.len()).context("too many cue groups")?;
                builder.grammar.names.push(format!("{file}.{name}"));
                for phrase in group.phrases.lines().map(|l| l.split('#').next().unwrap_or(l).trim()) {
                    if !phrase.is_empty() {
                        builder.add(phrase, number).with_context(|| format!("in cue group {file}.{name}: {phrase}"))?;
                    }
                }
            }
        }
        let mut by_word = BTreeMap::new();
        for (hint, words) in hints {
            for word in words.split_whitespace() {
                *by_word.entry(builder.number(word)?).or_insert(0) |= hint;
            }
        }
        builder.grammar.hints = vec![0; builder.grammar.vocabulary.len() + 1];
        for (word, hint) in by_word {
            builder.grammar.hints[usize::from(word)] = hint;
        }
        builder.finish()
    }

    /// Names of the groups, by number.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of the group with this name.
    pub(super) fn group(&self, name: &str) -> Option<u16> {
        self.names.iter().position(|n| n == name).and_then(|i| u16::try_from(i).ok())
    }

    /// The number of the word with this hash; 0 when no cue knows it.
    pub(super) fn word(&self, hash: u64) -> u16 {
        self.vocabulary.get(&hash).copied().unwrap_or(0)
    }

    /// What the word with this number hints at.
    pub(super) fn hint(&self, word: u16) -> u16 {
        self.hints.get(usize::from(word)).copied().unwrap_or(0)
    }

    /// The groups of the phrases that stand in a sentence of these words, as bits. `ahead` is room to work in.
    pub(super) fn groups(&self, ids: &[u16], ahead: &mut Vec<Ahead>) -> u128 {
        let mut groups = 0;
        look_ahead(ids, ahead);
        self.walk(ids, ahead, &mut |end, _| groups |= 1 << end.group);
        groups
    }

    /// Every phrase that stands in a sentence of these words, once per group and place.
    pub(super) fn hits(&self, ids: &[u16]) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut ahead = Vec::new();
        look_ahead(ids, &mut ahead);
        self.walk(ids, &ahead, &mut |end, place| {
            let (Ok(first), Ok(last)) = (u16::try_from(place.start), u16::try_from(place.end)) else { return };
            let hit = Hit { group: end.group, first, last };
            if !hits.contains(&hit) {
                hits.push(hit);
            }
        });
        hits
    }

    fn walk(&self, ids: &[u16], ahead: &[Ahead], found: &mut impl FnMut(End, Range<usize>)) {
        let opening = ids.first().and_then(|&first| self.openings.get(usize::from(first)));
        if let Some(node) = opening {
            self.follow(node, 0..1, (ids, ahead), found);
        }
        for (first, &id) in ids.iter().enumerate() {
            if id != 0
                && let Some(node) = self.starts.get(usize::from(id))
            {
                self.follow(node, first..first + 1, (ids, ahead), found);
            }
        }
    }

    fn follow(
        &self,
        node: &Node,
        place: Range<usize>,
        (ids, ahead): (&[u16], &[Ahead]),
        found: &mut impl FnMut(End, Range<usize>),
    ) {
        let at = place.end;
        for &end in &self.ends[node.ends.start as usize..node.ends.end as usize] {
            if !end.at_end || at == ids.len() {
                found(end, place.clone());
            }
        }
        let Some(next) = ahead.get(at) else { return };
        if node.marks[0] & next[0] | node.marks[1] & next[1] | node.marks[2] & next[2] == 0 {
            return;
        }
        for edge in &self.edges[node.edges.start as usize..node.edges.end as usize] {
            let gap = usize::from(edge.gap);
            if edge.marks & next[gap] == 0 {
                continue;
            }
            let set = &self.sets[edge.set as usize];
            for word in at..(at + GAPS[gap] + 1).min(ids.len()) {
                if holds(set, ids[word]) {
                    self.follow(&self.nodes[edge.node as usize], place.start..word + 1, (ids, ahead), found);
                }
            }
        }
    }
}

/// Marks of the words from one on, by length of gap.
pub(super) type Ahead = [u64; GAPS.len()];

fn look_ahead(ids: &[u16], ahead: &mut Vec<Ahead>) {
    ahead.clear();
    ahead.resize(ids.len(), Ahead::default());
    // Marks of the words after this one, the nearest first.
    let mut after = [0_u64; GAPS[2]];
    for (at, &id) in ids.iter().enumerate().rev() {
        let own = mark(id);
        let short = after[..GAPS[1]].iter().fold(own, |all, mark| all | mark);
        let long = after[GAPS[1]..].iter().fold(short, |all, mark| all | mark);
        ahead[at] = [own, short, long];
        after.copy_within(..GAPS[2] - 1, 1);
        after[0] = own;
    }
}

impl Grammar {
    /// A node with these ends and edges, which are appended to all.
    fn node(&mut self, ends: Vec<End>, edges: Vec<Edge>) -> Result<Node> {
        let mut node = Node::default();
        for edge in &edges {
            node.marks[usize::from(edge.gap)] |= edge.marks;
        }
        let place = |before: usize, after: usize| -> Result<Range<u32>> {
            Ok(u32::try_from(before).context("too many phrases")?..u32::try_from(after).context("too many phrases")?)
        };
        node.ends = place(self.ends.len(), self.ends.len() + ends.len())?;
        node.edges = place(self.edges.len(), self.edges.len() + edges.len())?;
        self.ends.extend(ends);
        self.edges.extend(edges);
        Ok(node)
    }
}

fn holds(set: &[u64], id: u16) -> bool {
    set.get(usize::from(id / 64)).is_some_and(|bits| bits >> (id % 64) & 1 == 1)
}

#[derive(Default)]
struct Builder {
    classes: BTreeMap<String, String>,
    set_numbers: BTreeMap<Vec<u16>, u32>,
    set_words: Vec<Vec<u16>>,
    roots: Vec<Root>,
    /// Ends and edges of the nodes, which the grammar holds one after the other.
    nodes: Vec<(Vec<End>, Vec<Edge>)>,
    grammar: Grammar,
}

/// The first word of phrases: any of a set, maybe only at the start of a sentence.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Root {
    set: u32,
    at_start: bool,
    node: u32,
}

/// One step of a phrase.
#[derive(Clone)]
struct Step {
    words: Vec<u16>,
    optional: bool,
    /// As an index into [`GAPS`].
    gap: u8,
}

impl Builder {
    fn add(&mut self, phrase: &str, group: u16) -> Result<()> {
        let mut steps = Vec::new();
        let mut gap = 0;
        let mut at_start = false;
        let mut to_the_end = false;
        for part in phrase.split_whitespace() {
            match part {
                "^" => at_start = true,
                "$" => to_the_end = true,
                ".." => gap = 1,
                "..." => gap = 2,
                _ => {
                    let (part, optional) = part.strip_suffix('?').map_or((part, false), |p| (p, true));
                    steps.push(Step { words: self.words_of(part)?, optional, gap: std::mem::take(&mut gap) });
                }
            }
        }
        if steps.is_empty() || steps.iter().all(|s| s.optional) {
            bail!("a phrase needs a word that must be there");
        }
        if gap > 0 {
            bail!("a phrase cannot end with a gap");
        }
        self.add_paths(&steps, None, at_start, End { group, at_end: to_the_end }, 0)
    }

    /// Adds every way through `steps` with and without the optional ones below `node` (the root when `None`). `gap` is
    /// what a skipped step leaves to the next.
    fn add_paths(&mut self, steps: &[Step], node: Option<u32>, at_start: bool, end: End, gap: u8) -> Result<()> {
        let Some((step, rest)) = steps.split_first() else {
            if let Some(node) = node {
                let ends = &mut self.nodes[node as usize].0;
                if !ends.contains(&end) {
                    ends.push(end);
                }
            }
            return Ok(());
        };
        let gap = gap.max(step.gap);
        let set = self.set_number(&step.words)?;
        let child = self.child(node, set, gap, at_start && node.is_none())?;
        self.add_paths(rest, Some(child), at_start, end, 0)?;
        if step.optional {
            self.add_paths(rest, node, at_start, end, gap)?;
        }
        Ok(())
    }

    fn child(&mut self, node: Option<u32>, set: u32, gap: u8, at_start: bool) -> Result<u32> {
        let same = match node {
            None => self.roots.iter().find(|r| r.set == set && r.at_start == at_start).map(|r| r.node),
            Some(n) => self.nodes[n as usize].1.iter().find(|e| e.set == set && e.gap == gap).map(|e| e.node),
        };
        if let Some(same) = same {
            return Ok(same);
        }
        let new = u32::try_from(self.nodes.len()).context("too many phrases")?;
        self.nodes.push(Default::default());
        match node {
            None => self.roots.push(Root { set, at_start, node: new }),
            Some(n) => {
                let marks = self.set_words[set as usize].iter().fold(0, |all, &id| all | mark(id));
                self.nodes[n as usize].1.push(Edge { marks, set, node: new, gap });
            }
        }
        Ok(new)
    }

    fn set_number(&mut self, words: &[u16]) -> Result<u32> {
        if let Some(&number) = self.set_numbers.get(words) {
            return Ok(number);
        }
        let number = u32::try_from(self.set_words.len()).context("too many word sets")?;
        self.set_numbers.insert(words.to_vec(), number);
        self.set_words.push(words.to_vec());
        Ok(number)
    }

    /// Word numbers of `a|b+|<class>`, sorted.
    fn words_of(&mut self, part: &str) -> Result<Vec<u16>> {
        let mut numbers = Vec::new();
        for alternative in part.split('|') {
            if let Some(class) = alternative.strip_prefix('<').and_then(|a| a.strip_suffix('>')) {
                let Some(words) = self.classes.get(class).cloned() else { bail!("there is no class <{class}>") };
                for word in words.split_whitespace().filter(|w| !w.starts_with('#')) {
                    numbers.extend(self.words_of(word)?);
                }
            } else if let Some(stem) = alternative.strip_suffix('+') {
                for form in forms(stem) {
                    numbers.push(self.number(&form)?);
                }
            } else if alternative.is_empty() {
                bail!("an alternative is empty");
            } else {
                numbers.push(self.number(alternative)?);
            }
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    fn number(&mut self, word: &str) -> Result<u16> {
        let next = u16::try_from(self.grammar.vocabulary.len() + 1).context("too many words in the cues")?;
        Ok(*self.grammar.vocabulary.entry(hash_of(word.as_bytes())).or_insert(next))
    }

    fn finish(mut self) -> Result<Grammar> {
        let size = self.grammar.vocabulary.len() + 1;
        for words in &self.set_words {
            let mut bits = vec![0_u64; size / 64 + 1];
            for &word in words {
                bits[usize::from(word / 64)] |= 1 << (word % 64);
            }
            self.grammar.sets.push(bits);
        }
        for (ends, edges) in &self.nodes {
            let node = self.grammar.node(ends.clone(), edges.clone())?;
            self.grammar.nodes.push(node);
        }
        for at_start in [false, true] {
            let mut starts = vec![(Vec::new(), Vec::new()); size];
            for root in self.roots.iter().filter(|r| r.at_start == at_start) {
                let (ends, edges) = &self.nodes[root.node as usize];
                for &word in &self.set_words[root.set as usize] {
                    let start = &mut starts[usize::from(word)];
                    start.0.extend(ends);
                    start.1.extend(edges);
                }
            }
            for (ends, edges) in starts {
                let node = self.grammar.node(ends, edges)?;
                let nodes = if at_start { &mut self.grammar.openings } else { &mut self.grammar.starts };
                nodes.push(node);
            }
        }
        Ok(self.grammar)
    }
}

/// A regular verb or noun and its forms: crash, crashes, crashed, crashing; try, tries, tried, trying; stop, stopped.
fn forms(stem: &str) -> Vec<String> {
    let vowel = |c: char| "aeiou".contains(c);
    let mut last = stem.chars().rev();
    let (end, before, third) = (last.next().unwrap_or(' '), last.next().unwrap_or(' '), last.next().unwrap_or(' '));
    let short = stem.len() <= 4 && !vowel(end) && vowel(before) && !vowel(third) && !"wxy".contains(end);
    let (s, ed, ing) = if end == 'e' {
        (format!("{stem}s"), format!("{stem}d"), format!("{}ing", &stem[..stem.len() - 1]))
    } else if end == 'y' && !vowel(before) {
        let root = &stem[..stem.len() - 1];
        (format!("{root}ies"), format!("{root}ied"), format!("{stem}ing"))
    } else if short {
        (format!("{stem}s"), format!("{stem}{end}ed"), format!("{stem}{end}ing"))
    } else {
        let s =
            if stem.ends_with(['s', 'x', 'z']) || stem.ends_with("ch") || stem.ends_with("sh") { "es" } else { "s" };
        (format!("{stem}{s}"), format!("{stem}ed"), format!("{stem}ing"))
    };
    vec![stem.to_owned(), s, ed, ing]
}

#[cfg(test)]
mod tests {
    use super::super::words::words;
    use super::*;
    use crate::model::Span;

    fn found(cues: &str, text: &str) -> Vec<String> {
        let classes = "neg = \"not never\"";
        let file = format!("[g]\nabout = \"x\"\nphrases = \"\"\"\n{cues}\n\"\"\"");
        let grammar = Grammar::compile(&[("classes", classes), ("f", &file)], &[]).unwrap();
        let mut out = Vec::new();
        words(text, Span::new(text, 0, text.len()).unwrap(), &mut out);
        let ids = out.iter().map(|w| grammar.word(w.hash)).collect::<Vec<_>>();
        let hits = grammar.hits(&ids);
        assert_eq!(grammar.groups(&ids, &mut Vec::new()) != 0, !hits.is_empty());
        hits.iter()
            .map(|h| text[out[usize::from(h.first)].start..out[usize::from(h.last) - 1].end].to_owned())
            .collect()
    }

    #[test]
    fn phrases_match_as_the_language_says() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("crash+", "It crashed, crashes and is crashing", &["crashed", "crashes", "crashing"]),
            ("does <neg> work", "It doesn't work", &["doesn't work"]),
            ("tried .. but", "tried it twice but no", &["tried it twice but"]),
            ("tried .. but", "tried it twice on monday but no", &[]),
            ("tried ... but", "tried it twice on monday but no", &["tried it twice on monday but"]),
            ("a really? bad", "a bad day, a really bad day", &["a bad", "a really bad"]),
            ("^ same here", "same here", &["same here"]),
            ("^ same here", "the same here", &[]),
            ("no luck $", "no luck with it", &[]),
            ("no luck $", "still no luck.", &["no luck"]),
            ("stop+|quit # comment", "stopped, quit", &["stopped", "quit"]),
        ];
        for (cue, text, expected) in cases {
            assert_eq!(found(cue, text), *expected, "{cue} in {text}");
        }
    }

    #[test]
    fn the_shipped_grammar_compiles() {
        let grammar = Grammar::compile(FILES, HINTS).unwrap();
        assert!(grammar.names().len() > 50);
    }

    #[test]
    fn a_broken_grammar_says_where() {
        let file = "[g]\nabout = \"x\"\nphrases = \"<nothing> here\"";
        let error = Grammar::compile(&[("f", file)], &[]).unwrap_err();
        assert!(format!("{error:#}").contains("f.g"), "{error:#}");
    }
}
