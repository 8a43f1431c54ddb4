//! Our labels of real posts, joined with the texts.
//!
//! The texts are other people's and stand beside the project, so `eval/truth/real.labels.jsonl` holds no word of them: a post is
//! named by its source's id and a span counts the ASCII letters and digits before it, which no way of taking text out of markup
//! changes. A post whose letters are not as many as they were when it was labelled is left out, and said.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use candor::model::Voice;
use candor::text::html::html_to_text;
use regex::{Captures, Regex};
use serde::Deserialize;
use serde_json::{Value, json};

/// One line of the labels.
#[derive(Debug, Deserialize)]
pub(super) struct Labels {
    pub(super) id: String,
    /// ASCII letters and digits of the whole text.
    letters: usize,
    voice: Option<Voice>,
    /// By act: where it is shown, from letter to letter.
    acts: HashMap<String, Vec<(usize, usize)>>,
    #[serde(default)]
    unsure: Vec<String>,
}

/// A post as its source has it.
pub(super) struct Real {
    pub(super) source: &'static str,
    pub(super) context: String,
    pub(super) text: String,
}

/// Reads a file of labels.
pub(super) fn labels(path: &Path) -> Result<Vec<Labels>> {
    let file = File::open(path).with_context(|| format!("could not open {}", path.display()))?;
    let mut labels = Vec::new();
    for line in BufReader::new(file).lines() {
        labels.push(serde_json::from_str::<Labels>(&line?).with_context(|| format!("in {}", path.display()))?);
    }
    Ok(labels)
}

/// The byte at which each letter of a text stands: ASCII letters and digits, which are the same however the text was taken out
/// of markup.
pub(super) fn letters(text: &str) -> impl Iterator<Item = usize> {
    text.bytes().enumerate().filter(|(_, b)| b.is_ascii_alphanumeric()).map(|(at, _)| at)
}

/// The labelled posts under `data` as lines of training data.
pub(super) fn training_lines(labels: &Path, data: &Path) -> Result<Vec<String>> {
    let wanted = self::labels(labels)?;
    let posts = posts(data)?;
    let lines: Vec<_> = wanted.iter().filter_map(|labels| line(labels, posts.get(&labels.id)?)).collect();
    writeln!(
        io::stderr(),
        "{} of {} labelled posts found with the text they were labelled with",
        lines.len(),
        wanted.len()
    )?;
    Ok(lines)
}

fn line(labels: &Labels, post: &Real) -> Option<String> {
    let letters: Vec<usize> = letters(&post.text).collect();
    if letters.len() != labels.letters {
        return None;
    }
    let span = |&(from, to): &(usize, usize)| {
        let (start, end) = (*letters.get(from)?, letters.get(to.checked_sub(1)?)? + 1);
        Some(json!({ "start": start, "end": end }))
    };
    let mut acts: Vec<_> = labels.acts.iter().collect();
    acts.sort();
    let act = |(act, spans): (&String, &Vec<(usize, usize)>)| json!({ "act": act, "spans": spans.iter().filter_map(span).collect::<Vec<_>>() });
    let acts: Vec<_> = acts.into_iter().map(act).collect();
    let line = json!({
        "id": labels.id, "source": post.source, "context": post.context, "text": post.text, "voice": labels.voice,
        "acts": acts, "unsure": labels.unsure,
    });
    Some(line.to_string())
}

/// Every post of the sources that were labelled, by its id.
pub(super) fn posts(data: &Path) -> Result<HashMap<String, Real>> {
    let mut posts = HashMap::new();
    for path in files(&data.join("forums/redash_discourse"), "rss")? {
        feed(&path, &mut posts)?;
    }
    for path in files(&data.join("forums/urho3d_discourse_json"), "json")? {
        topic(&value(&path)?, &mut posts);
    }
    for path in files(&data.join("discord/komodo_dce_json"), "json")? {
        channel(&value(&path)?, &mut posts);
    }
    for path in files(&data.join("reddit/volume"), "zst")? {
        submissions(&path, &mut posts)?;
    }
    slack(&data.join("slack/houstondatavis"), &mut posts)?;
    Ok(posts)
}

pub(super) fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let listing = std::fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    let mut paths = listing.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|e| e == extension));
    paths.sort();
    Ok(paths)
}

fn value(path: &Path) -> Result<Value> {
    let bytes = std::fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no JSON", path.display()))
}

macro_rules! pattern {
    ($name:ident, $text:literal) => {
        static $name: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).unwrap());
    };
}

pattern!(ITEM, r"(?s)<item>.*?</item>");
pattern!(GUID, r"post-(\d+)-(\d+)</guid>");
pattern!(BODY, r"(?s)<description>\s*<!\[CDATA\[(.*?)\]\]>\s*</description>");
pattern!(TITLE, r"<title>([^<]*)</title>");
pattern!(TAIL, r#"(?s)<p><small>\d+ post.*|<p><a href="[^"]*">Read full topic</a></p>"#);
pattern!(PRE, r"(?s)<pre.*?</pre>|<img[^>]*>");
pattern!(FENCE, r"(?s)```.*?```");
pattern!(LINK, r"<[@#!]?(?:[^>|]*\|)?([^>]*)>");

/// HTML as it was labelled: blocks of code as the gold set writes them, without pictures.
fn plain(html: &str) -> String {
    let mark = |found: &Captures| if found[0].starts_with("<pre") { " [code] " } else { "" };
    html_to_text(&PRE.replace_all(html, mark)).text
}

fn feed(path: &Path, posts: &mut HashMap<String, Real>) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    let title = TITLE.captures(&text).map_or("", |c| c.get(1).map_or("", |m| m.as_str()));
    let topic = path.file_stem().unwrap_or_default().to_string_lossy();
    for item in ITEM.find_iter(&text) {
        let (Some(guid), Some(body)) = (GUID.captures(item.as_str()), BODY.captures(item.as_str())) else { continue };
        let text = plain(&TAIL.replace_all(&body[1], ""));
        let post = Real { source: "redash_discourse", context: format!("topic: {title}"), text };
        posts.insert(format!("discuss.redash.io-post-{topic}-{}", &guid[2]), post);
    }
    Ok(())
}

fn topic(topic: &Value, posts: &mut HashMap<String, Real>) {
    let title = topic["title"].as_str().unwrap_or_default();
    for post in topic["post_stream"]["posts"].as_array().into_iter().flatten() {
        let text = plain(post["cooked"].as_str().unwrap_or_default());
        let id = format!("urho3d-{}-{}", topic["id"], post["post_number"]);
        posts.insert(id, Real { source: "urho3d_discourse", context: format!("topic: {title}"), text });
    }
}

fn channel(export: &Value, posts: &mut HashMap<String, Real>) {
    let mut before = String::new();
    for message in export["messages"].as_array().into_iter().flatten() {
        let content = message["content"].as_str().unwrap_or_default().trim();
        let text = FENCE.replace_all(content, "[code]").into_owned();
        let context = format!("previous message: {before}");
        let id = format!("discord:{}", message["id"].as_str().unwrap_or_default());
        posts.insert(id, Real { source: "komodo_discord", context, text });
        before = content.chars().take(160).collect();
    }
}

fn submissions(path: &Path, posts: &mut HashMap<String, Real>) -> Result<()> {
    let mut input = zstd::Decoder::new(File::open(path)?)?;
    input.window_log_max(31)?;
    for line in BufReader::new(input).lines() {
        let post: Value = serde_json::from_str(&line?).with_context(|| format!("in {}", path.display()))?;
        let field = |name: &str| post[name].as_str().unwrap_or_default();
        let text = candor::text::markdown::unescape(field("selftext")).trim().to_owned();
        let context = format!("r/{} title: {}", field("subreddit"), field("title"));
        posts.insert(format!("reddit:{}", field("id")), Real { source: "reddit_selfpost", context, text });
    }
    Ok(())
}

/// A Slack export: a folder a channel, a file a day.
fn slack(export: &Path, posts: &mut HashMap<String, Real>) -> Result<()> {
    for entry in walkdir::WalkDir::new(export).sort_by_file_name() {
        let path = entry?.into_path();
        let day = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_none_or(|e| e != "json") || !day.starts_with("20") {
            continue;
        }
        let channel = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        for message in value(&path)?.as_array().into_iter().flatten() {
            let raw = message["text"].as_str().unwrap_or_default();
            let text = candor::text::markdown::unescape(&LINK.replace_all(raw, "$1"));
            let id = format!("slack-{channel}-{}", message["ts"].as_str().unwrap_or_default());
            posts.insert(id, Real { source: "slack", context: format!("channel {channel}"), text });
        }
    }
    Ok(())
}
