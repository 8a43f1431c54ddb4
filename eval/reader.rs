//! How good the embedded readers are, how fast, and how they are trained.
//!
//! ```text
//! cargo run --release --example reader -- prepare --data DIR OUT.jsonl      # public labelled sets to the form below
//! cargo run --release --example reader -- prepare-real --data DIR LABELS.jsonl OUT.jsonl   # our labels of real posts, with texts
//! cargo run --release --example reader -- draw --data DIR LABELS.jsonl OUT   # further real posts worth labelling, in batches
//! cargo run --release --example reader -- take OUT LABELS.jsonl               # adds the answers in OUT/done to the labels
//! cargo run --release --example reader -- train OUT.bin TRUTH.jsonl[@TRUST]…
//! cargo run --release --example reader -- check TRUTH.jsonl[@TRUST]…          # as train, but only says how good
//! cargo run --release --example reader -- public --data DIR
//! cargo run --release --example reader -- speed POSTS.ndjson[.zst]
//! cargo run --release --example reader -- prepare-notes --data DIR OUT.jsonl
//! cargo run --release --example reader -- train-notes OUT.toml NOTES.jsonl…
//! ```
//!
//! The form of the truth files is that of `candor::extract::score::TruthPost`; `@0.5` lets the posts of a file count half.

#[path = "reader/draw.rs"]
mod draw;
#[path = "reader/notes.rs"]
mod notes;
#[path = "reader/prepare.rs"]
mod prepare;
#[path = "reader/real.rs"]
mod real;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use candor::extract::embedded::{read_post, train};
use candor::extract::score::{ActScore, TruthPost, read_truth};
use candor::model::ActKind;
use serde_json::Value;

fn main() -> Result<()> {
    let args = std::env::args().skip(1).collect::<Vec<_>>();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", "--data", data, out] => write_lines(out, &prepare::training_lines(Path::new(data))?),
        ["prepare-real", "--data", data, labels, out] => {
            write_lines(out, &real::training_lines(Path::new(labels), Path::new(data))?)
        }
        ["draw", "--data", data, labels, out] => draw::draw(Path::new(data), Path::new(labels), Path::new(out)),
        ["take", batches, labels] => draw::take(Path::new(batches), Path::new(labels)),
        ["prepare-notes", "--data", data, out] => write_lines(out, &notes::training_lines(Path::new(data))?),
        ["train", out, files @ ..] if !files.is_empty() => {
            let posts = load(files)?;
            std::fs::write(out, train::train(&posts).to_bytes()?).with_context(|| format!("could not write {out}"))
        }
        ["train-notes", out, files @ ..] if !files.is_empty() => notes::train(out, files),
        ["check", files @ ..] if !files.is_empty() => check(files),
        ["public", "--data", data] => public(Path::new(data)),
        ["speed", file] => speed(file),
        _ => bail!("the commands are listed at the head of eval/reader.rs"),
    }
}

fn write_lines(out: &str, lines: &[String]) -> Result<()> {
    std::fs::write(out, lines.join("\n") + "\n").with_context(|| format!("could not write {out}"))
}

fn load(files: &[&str]) -> Result<Vec<TruthPost>> {
    let mut posts = Vec::new();
    for name in files {
        let (file, trust) = match name.rsplit_once('@') {
            Some((file, trust)) => (file, trust.parse::<f64>().with_context(|| format!("{name}: no trust"))?),
            None => (*name, 1.0),
        };
        let input = File::open(file).with_context(|| format!("could not open {file}"))?;
        let mut more = read_truth(BufReader::new(input)).with_context(|| format!("in {file}"))?;
        more.iter_mut().for_each(|post| post.trust *= trust);
        posts.extend(more);
    }
    Ok(posts)
}

/// What weights learned without a post's thread, or without all of its source, make of the fully trusted posts of each file:
/// the figures to believe.
fn check(files: &[&str]) -> Result<()> {
    let mut posts = Vec::new();
    let mut ends = Vec::new();
    for file in files {
        posts.extend(load(&[file])?);
        ends.push(posts.len());
    }
    let by_source = |post: &TruthPost| post.source.clone();
    let folds = [("thread", train::by_thread as fn(&TruthPost) -> String), ("source", by_source)];
    for (name, fold_of) in folds {
        let judged = train::hold_out(&posts, fold_of);
        if name == "thread" {
            cascade(&judged)?;
        }
        for (file, (start, end)) in
            files.iter().zip(std::iter::once(0).chain(ends.iter().copied()).zip(ends.iter().copied()))
        {
            writeln!(io::stdout(), "{file}, held out by {name}\nact,positives,precision,recall,f1")?;
            for act in ActKind::ALL {
                let mut score = ActScore::default();
                let of_file = judged.iter().filter(|j| j.act == act && (start..end).contains(&j.post));
                of_file.for_each(|j| score.add(j.there, j.said));
                row(act.as_str(), &score)?;
            }
        }
    }
    Ok(())
}

/// What a cascade would keep of the posts that hold an act, and how many of all it would pass on, by its threshold.
fn cascade(judged: &[train::HeldOut]) -> Result<()> {
    let mut posts = BTreeMap::<usize, (f64, bool)>::new();
    for one in judged {
        let (chance, there) = posts.entry(one.post).or_default();
        *chance = chance.max(one.probability);
        *there |= one.there;
    }
    let holding = posts.values().filter(|(_, there)| *there).count() as f64;
    writeln!(io::stdout(), "threshold of a cascade,recall of posts with an act,share passed on")?;
    for threshold in [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5] {
        let passed = posts.values().filter(|(chance, _)| *chance >= threshold);
        let kept = passed.clone().filter(|(_, there)| *there).count() as f64;
        let share = passed.count() as f64 / posts.len().max(1) as f64;
        writeln!(io::stdout(), "{threshold},{:.3},{share:.3}", kept / holding.max(1.0))?;
    }
    Ok(())
}

/// Public sets on a split of our own: by weights learned from the set's own training part, and by the shipped weights, which
/// were trained without the test part too.
fn public(data: &Path) -> Result<()> {
    let items = prepare::public_sets(data)?;
    writeln!(io::stdout(), "set and act,positives,precision,recall,f1")?;
    for (set, act) in [
        ("complaints_xci", ActKind::Complaint),
        ("issue_info_types", ActKind::Complaint),
        ("issue_info_types", ActKind::Ask),
        ("issue_info_types", ActKind::Workaround),
        ("semeval2019t9_suggestion", ActKind::Ask),
    ] {
        let of_set = |item: &&prepare::Item| item.set == set && item.post.has(act).is_some();
        let (test, train): (Vec<_>, Vec<_>) = items.iter().filter(of_set).partition(|item| item.is_test());
        let train = train.into_iter().map(|item| TruthPost { trust: 1.0, ..item.post.clone() }).collect::<Vec<_>>();
        let own = train::train(&train);
        let (mut by_own, mut by_shipped, mut negatives) =
            (ActScore::default(), ActScore::default(), ActScore::default());
        for item in test {
            let there = item.post.has(act) == Some(true);
            let said = train::says(&own, &item.post.text, act);
            by_own.add(there, said);
            negatives.add(!there, !said);
            by_shipped.add(there, read_post(&item.post.text, None).acts.iter().any(|found| found.act.kind() == act));
        }
        row(&format!("{set} {} trained on the set", act.as_str()), &by_own)?;
        writeln!(io::stdout(), "  macro-F1 {:.3}", (by_own.f1() + negatives.f1()) / 2.0)?;
        row(&format!("{set} {} as shipped", act.as_str()), &by_shipped)?;
    }
    Ok(())
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

fn row(name: &str, score: &ActScore) -> Result<()> {
    let positives = score.hits + score.misses;
    Ok(writeln!(io::stdout(), "{name},{positives},{:.3},{:.3},{:.3}", score.precision(), score.recall(), score.f1())?)
}
