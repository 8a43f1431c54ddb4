//! How good the embedded post reader is, and how it is trained.
//!
//! ```text
//! cargo run --release --example reader -- score TRUTH.jsonl…
//! cargo run --release --example reader -- train OUT.bin TRUTH.jsonl…
//! ```
//!
//! The form of the truth files is that of `candor::extract::score::TruthPost`.

use std::fs::File;
use std::io::{self, BufReader, Write as _};

use anyhow::{Context as _, Result, bail};
use candor::extract::embedded::{read_post, train};
use candor::extract::score::{ActScore, TruthPost, read_truth, score};
use candor::model::ActKind;

fn main() -> Result<()> {
    let args = std::env::args().skip(1).collect::<Vec<_>>();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["score", files @ ..] if !files.is_empty() => scores(&load(files)?),
        ["train", out, files @ ..] if !files.is_empty() => {
            let posts = load(files)?;
            held_out(&posts)?;
            std::fs::write(out, train::train(&posts).to_bytes()?).with_context(|| format!("could not write {out}"))
        }
        _ => bail!("usage: reader score TRUTH.jsonl… | reader train OUT.bin TRUTH.jsonl…"),
    }
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
