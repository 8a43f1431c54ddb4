//! How good the embedded post reader is, and how it is trained.
//!
//! ```text
//! cargo run --release --example reader -- score TRUTH.jsonl…
//! cargo run --release --example reader -- train OUT.bin TRUTH.jsonl…
//! cargo run --release --example reader -- speed POSTS.ndjson[.zst]
//! ```
//!
//! The form of the truth files is that of `candor::extract::score::TruthPost`.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use candor::extract::embedded::{read_post, train};
use candor::extract::score::{ActScore, TruthPost, read_truth, score};
use candor::model::ActKind;
use serde_json::Value;

fn main() -> Result<()> {
    let args = std::env::args().skip(1).collect::<Vec<_>>();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["score", files @ ..] if !files.is_empty() => scores(&load(files)?),
        ["train", out, files @ ..] if !files.is_empty() => {
            let posts = load(files)?;
            held_out(&posts)?;
            std::fs::write(out, train::train(&posts).to_bytes()?).with_context(|| format!("could not write {out}"))
        }
        ["speed", file] => speed(file),
        _ => bail!(
            "usage: reader score TRUTH.jsonl… | reader train OUT.bin TRUTH.jsonl… | reader speed POSTS.ndjson[.zst]"
        ),
    }
}

/// How fast one core reads the posts of a file: one JSON object a line, its text in `selftext`, `text` or `body`.
fn speed(file: &str) -> Result<()> {
    let input = File::open(file).with_context(|| format!("could not open {file}"))?;
    let input: Box<dyn Read> =
        if file.ends_with(".zst") { Box::new(zstd::Decoder::new(input)?) } else { Box::new(input) };
    let mut texts = Vec::new();
    for line in BufReader::new(input).lines() {
        let post: Value = serde_json::from_str(&line?).with_context(|| format!("in {file}"))?;
        let text = ["selftext", "text", "body"].iter().find_map(|field| post[field].as_str());
        texts.extend(text.map(str::to_owned));
    }
    let bytes = texts.iter().map(String::len).sum::<usize>() as f64;
    let mut saying = [0_usize; ActKind::ALL.len()];
    read_post("the first text makes the reader ready", None);
    let began = Instant::now();
    for text in &texts {
        let reading = read_post(text, None);
        for (count, act) in saying.iter_mut().zip(ActKind::ALL) {
            *count += usize::from(reading.acts.iter().any(|found| found.act.kind() == act));
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let megabytes = bytes / 1e6;
    writeln!(io::stdout(), "{} posts, {megabytes:.1} MB, {seconds:.2} s on one core", texts.len())?;
    writeln!(io::stdout(), "{:.1} MB/s, {:.0} posts/s", megabytes / seconds, texts.len() as f64 / seconds)?;
    for (count, act) in saying.iter().zip(ActKind::ALL) {
        writeln!(io::stdout(), "{}: {count} posts", act.as_str())?;
    }
    Ok(())
}

fn load(files: &[&str]) -> Result<Vec<TruthPost>> {
    let mut posts = Vec::new();
    for file in files {
        let input = File::open(file).with_context(|| format!("could not open {file}"))?;
        posts.extend(read_truth(BufReader::new(input)).with_context(|| format!("in {file}"))?);
    }
    Ok(posts)
}

/// What the shipped weights make of the files. A file they were trained on shows fit, not quality.
fn scores(posts: &[TruthPost]) -> Result<()> {
    let card = score(posts, |post| read_post(&post.text, post.context.as_deref()));
    writeln!(io::stdout(), "act,positives,precision,recall,f1")?;
    for (act, score) in &card.acts {
        row(*act, score)?;
    }
    let voices = format!("voice right: {} of {}", card.voice_right, card.voiced);
    Ok(writeln!(io::stdout(), "{voices}\nquotes in place: {} of {}", card.quotes_placed, card.quotes)?)
}

/// What weights learned without a post's thread make of it: the figures to believe.
fn held_out(posts: &[TruthPost]) -> Result<()> {
    let judged = train::hold_out(posts, train::by_thread);
    writeln!(io::stdout(), "held out by thread\nact,positives,precision,recall,f1")?;
    for act in ActKind::ALL {
        let mut score = ActScore::default();
        judged.iter().filter(|j| j.act == act).for_each(|j| score.add(j.there, j.said));
        row(act, &score)?;
    }
    Ok(())
}

fn row(act: ActKind, score: &ActScore) -> Result<()> {
    let (positives, act) = (score.hits + score.misses, act.as_str());
    Ok(writeln!(io::stdout(), "{act},{positives},{:.3},{:.3},{:.3}", score.precision(), score.recall(), score.f1())?)
}
