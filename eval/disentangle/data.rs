//! Channels with gold: logs of IRC with links between messages, and Slack channels with the number of the conversation.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context as _, Result, ensure};
use candor::collect::disentangle::Message;
use jiff::civil::DateTime;
use regex::Regex;

/// What is scored apart: support in one big channel, other channels of IRC, a Slack channel.
pub(crate) const SETS: [&str; 3] = ["irc support", "irc others", "slack"];

/// Gaps that the baseline may choose from, seconds.
pub(crate) const GAPS: [f64; 13] =
    [30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0];

/// Messages before these are context in the logs of IRC, without gold.
const CONTEXT: usize = 1000;

/// Names that are words, and so speak to nobody unless they begin a message.
const WORDS: &str = "the and you for not that this what with can how why are was but all get any one out use now just like here there \
    root user test guest linux ubuntu rust help please thanks who yes hello hey something someone";

/// Whether the model is told who is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// By name.
    Known,
    /// Only that somebody is.
    Masked,
}

/// What the gold says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gold {
    /// Which message answers which; conversations are what links connect.
    Links,
    /// Which messages belong together.
    Conversations,
}

/// A message.
#[derive(Debug)]
pub(crate) struct Line {
    author: String,
    /// Seconds.
    pub(crate) at: f64,
    text: String,
    masked: String,
    mentions: Vec<String>,
    /// Gold: places of the messages that it answers.
    pub(crate) answers: BTreeSet<usize>,
    /// Gold: number of its conversation.
    pub(crate) conversation: usize,
}

impl Line {
    /// As the model sees it.
    pub(crate) fn message<'a>(&'a self, id: &'a str, names: Names) -> Message<'a> {
        let (text, mentions) = match names {
            Names::Known => (self.text.as_str(), self.mentions.as_slice()),
            Names::Masked => (self.masked.as_str(), [].as_slice()),
        };
        Message { id, author: Some(&self.author), at: self.at, text, mentions }
    }
}

/// A stream with gold.
#[derive(Debug)]
pub(crate) struct Channel {
    /// One of [`SETS`].
    pub(crate) set: &'static str,
    /// Whether weights are fitted on it; else it is tested on.
    pub(crate) train: bool,
    /// What its gold says.
    pub(crate) gold: Gold,
    /// The messages in order.
    pub(crate) lines: Vec<Line>,
    /// The first one with gold.
    pub(crate) judged_from: usize,
}

/// Everything under `folder`. Trained on are every second log of the support channel, the first log of each other one, and
/// the Slack channel's first year; tested on all else but its second year.
pub(crate) fn load(folder: &Path) -> Result<Vec<Channel>> {
    let mut channels = Vec::new();
    for (set, under) in [(SETS[0], "dev"), (SETS[1], "new-domains")] {
        let logs = files(&folder.join("irc_disentangled/data").join(under), ".ascii.txt")?;
        for (place, log) in logs.iter().enumerate() {
            let train = if set == SETS[0] { place % 2 == 0 } else { log.to_string_lossy().contains(".0.ascii") };
            channels.push(irc(set, train, log).with_context(|| format!("in {}", log.display()))?);
        }
    }
    for (year, train) in [("2017", true), ("2019", false)] {
        for file in files(&folder.join("slack_disentangled/data/racket").join(year), ".xml")? {
            channels.push(slack(train, &file).with_context(|| format!("in {}", file.display()))?);
        }
    }
    Ok(channels)
}

fn files(folder: &Path, end: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.retain(|path| path.to_string_lossy().ends_with(end));
    files.sort();
    ensure!(!files.is_empty(), "no {end} in {}", folder.display());
    Ok(files)
}

/// A log. Notices of the server are left out, as at collection.
fn irc(set: &'static str, train: bool, log: &Path) -> Result<Channel> {
    static LINE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^(?:\S+ \d{4}-\d\d-\d\d )?\[(\d\d):(\d\d)(?::(\d\d))?\] (?:<([^>]*)>|\* (\S+)) ?\s*(.*)$").ok()
    });
    let pattern = LINE.as_ref().context("no pattern")?;
    let text = String::from_utf8_lossy(&std::fs::read(log)?).into_owned();
    let mut place_of = HashMap::new();
    let mut lines: Vec<Line> = Vec::new();
    let (mut day, mut last, mut judged_from) = (0.0, 0.0, 0);
    for (number, line) in text.lines().enumerate() {
        if number == CONTEXT {
            judged_from = lines.len();
        }
        let Some(found) = pattern.captures(line) else { continue };
        let part = |group: usize| found.get(group).map_or("", |m| m.as_str());
        let clock = [3600.0, 60.0, 1.0].iter().zip(1..).map(|(unit, g)| unit * part(g).parse().unwrap_or(0.0));
        let seconds: f64 = clock.sum();
        if seconds < last - 1800.0 {
            day += 86400.0;
        }
        last = seconds;
        place_of.insert(number, lines.len());
        lines.push(Line {
            author: if part(4).is_empty() { part(5) } else { part(4) }.to_lowercase(),
            at: lines.last().map_or(0.0, |before| before.at).max(day + seconds),
            text: part(6).trim().to_owned(),
            masked: String::new(),
            mentions: Vec::new(),
            answers: BTreeSet::new(),
            conversation: lines.len(),
        });
    }
    name_people(&mut lines);
    let gold = PathBuf::from(log.to_string_lossy().replace(".ascii.txt", ".annotation.txt"));
    for pair in std::fs::read_to_string(gold)?.lines() {
        let places: Vec<_> = pair.split_whitespace().take(2).map(|n| Some(*place_of.get(&n.parse().ok()?)?)).collect();
        if let [Some(one), Some(two)] = places[..]
            && one != two
        {
            lines[one.max(two)].answers.insert(one.min(two));
        }
    }
    for here in 0..lines.len() {
        let numbers: Vec<_> = lines[here].answers.iter().map(|to| lines[*to].conversation).collect();
        let own = lines[here].conversation;
        let Some(least) = numbers.iter().copied().chain([own]).min() else { continue };
        for line in lines.iter_mut().take(here + 1) {
            if line.conversation == own || numbers.contains(&line.conversation) {
                line.conversation = least;
            }
        }
    }
    Ok(Channel { set, train, gold: Gold::Links, lines, judged_from })
}

/// Finds out who is spoken to: whose name begins a message or stands in it and is no word.
fn name_people(lines: &mut [Line]) {
    let names: HashSet<String> = lines.iter().map(|line| line.author.clone()).collect();
    for line in lines {
        let ends = |c: char| c.is_whitespace() || ",:;!?()<>".contains(c);
        let mut mentions = Vec::new();
        let mut masked = line.text.clone();
        for (place, word) in line.text.split(ends).filter(|word| !word.is_empty()).enumerate() {
            let name = word.trim_start_matches('@').to_lowercase();
            let known = name.len() > 2 && name != line.author && names.contains(&name);
            if known && (place == 0 || word.starts_with('@') || !WORDS.split_whitespace().any(|w| w == name)) {
                masked = masked.replacen(word, "@user", 1);
                if !mentions.contains(&name) {
                    mentions.push(name);
                }
            }
        }
        // As at collection, where names are masked whether or not they are known to the model.
        line.text.clone_from(&masked);
        (line.masked, line.mentions) = (masked, mentions);
    }
}

fn slack(train: bool, file: &Path) -> Result<Channel> {
    let message = Regex::new(
        r#"(?s)<message conversation_id="(\d+)">\s*<ts>(.*?)</ts>\s*<user>(.*?)</user>\s*<text>(.*?)</text>"#,
    )?;
    let mention = Regex::new(r"<@([^>]+)>")?;
    let text = std::fs::read_to_string(file)?;
    let mut lines = Vec::new();
    for found in message.captures_iter(&text) {
        let at: DateTime = found[2].parse().with_context(|| format!("no date: {}", &found[2]))?;
        let at = at.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp();
        let words = found[4].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let author = found[3].to_lowercase();
        let mut mentions: Vec<String> = mention.captures_iter(&words).map(|m| m[1].to_lowercase()).collect();
        mentions.sort();
        mentions.dedup();
        mentions.retain(|name| *name != author);
        let masked = mention.replace_all(&words, "@user").into_owned();
        let (at, conversation) = (at.as_millisecond() as f64 / 1000.0, found[1].parse()?);
        lines.push(Line { author, at, text: masked.clone(), masked, mentions, answers: BTreeSet::new(), conversation });
    }
    lines.sort_by(|one, two| one.at.total_cmp(&two.at));
    Ok(Channel { set: SETS[2], train, gold: Gold::Conversations, lines, judged_from: 0 })
}
