//! How well texts are grouped by topic, by each way to embed them, and what grouping takes as texts grow many.
//!
//! ```text
//! cargo run --release --features local-embeddings --example topics -- DATA OUT [WAY…]
//! cargo run --release --example topics -- --synthetic 25000,50000,100000,200000
//! ```
//!
//! `DATA` holds `nlbse2024_issues` and `complaints_xci`; a set that is not there is left out, the demo's labels are in the
//! repository. `OUT` is a folder outside of the repository where the very same texts are written for
//! `eval/topics_bertopic.py`. A `WAY` is a folder with a sentence model, or `BASE_URL=MODEL` for a server.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use candor::clock::Clock;
use candor::config::{EmbeddingSettings, ServedSettings};
use candor::eval::clusters::agreement;
use candor::group::codebook;
use candor::group::embed::Embedder;
use candor::group::sort::{Said, sort};
use candor::store::Side;
use jiff::Timestamp;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

const SEED: u64 = 20_260_101;
/// Bytes of an issue's text that go with its title.
const BODY: usize = 300;

#[tokio::main]
async fn main() -> Result<()> {
    let args = std::env::args().skip(1).collect::<Vec<_>>();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--synthetic", sizes] => growth(sizes).await,
        [data, out, ways @ ..] if !data.starts_with('-') => topics(Path::new(data), Path::new(out), ways).await,
        _ => bail!("the commands are listed at the head of eval/topics.rs"),
    }
}

/// Texts with the topic of each.
struct Set {
    name: &'static str,
    said: Vec<Said>,
    topics: Vec<String>,
}

async fn topics(data: &Path, out: &Path, ways: &[&str]) -> Result<()> {
    let mut embedders = vec![("embedded".to_owned(), Embedder::Embedded)];
    for way in ways {
        let settings = match way.split_once('=') {
            Some((base_url, model)) => EmbeddingSettings::Served(Box::new(ServedSettings::new(base_url, model))),
            None => EmbeddingSettings::Local(way.into()),
        };
        let kind = if way.contains('=') { "served" } else { "local" };
        embedders.push((kind.to_owned(), Embedder::new(&settings, None, Clock::Fixed(Timestamp::UNIX_EPOCH)).await?));
    }
    fs::create_dir_all(out)?;
    let mut sets = vec![demo()?];
    for (name, path, read) in [
        ("issues by project", "nlbse2024_issues/issues_train.csv", issues as fn(&Path) -> Result<Set>),
        ("tweets by trade", "complaints_xci/split", tweets),
    ] {
        let path = data.join(path);
        if path.exists() {
            sets.push(Set { name, ..read(&path)? });
        }
    }
    let mut print = io::stdout();
    writeln!(print, "| set | way | texts | topics | found | outliers | ARI | AMI | V | embedding s | grouping s |")?;
    writeln!(print, "|---|---|---|---|---|---|---|---|---|---|---|")?;
    for set in &sets {
        let mut file = fs::File::create(out.join(format!("{}.jsonl", set.name.replace(' ', "_"))))?;
        for (said, topic) in set.said.iter().zip(&set.topics) {
            writeln!(file, "{}", json!({ "text": said.quote, "topic": topic }))?;
        }
        let gold = numbered(&set.topics);
        for (way, embedder) in &embedders {
            let sorted = sort(set.said.clone(), None, embedder, SEED).await?;
            let count = sorted.codebook.problems().len();
            let outliers = sorted.places.iter().filter(|p| p.is_none()).count();
            // What fits nowhere is one more cluster, as it is for whoever looks for all texts of a topic.
            let found = sorted.places.iter().map(|p| p.unwrap_or(count)).collect::<Vec<_>>();
            let agreed = agreement(&gold, &found);
            writeln!(
                print,
                "| {} | {way} | {} | {} | {count} | {:.3} | {:.3} | {:.3} | {:.3} | {:.1} | {:.1} |",
                set.name,
                gold.len(),
                gold.iter().max().map_or(0, |m| m + 1),
                outliers as f64 / gold.len().max(1) as f64,
                agreed.ari,
                agreed.ami,
                agreed.v_measure,
                sorted.embedding.as_secs_f64(),
                sorted.grouping.as_secs_f64(),
            )?;
        }
    }
    writeln!(
        print,
        "\n| demo into its codebook | side | texts | right | accuracy | fit nowhere |\n|---|---|---|---|---|---|"
    )?;
    let demo = &sets[0];
    for (way, embedder) in &embedders {
        let codebook = codebook::read(&repo("corpus/demo/codebook.json"))?;
        let sorted = sort(demo.said.clone(), Some(codebook), embedder, SEED).await?;
        for side in [Side::Community, Side::Crm] {
            let of_side = (0..demo.said.len()).filter(|&i| demo.said[i].side == side).collect::<Vec<_>>();
            let place = |i: usize| sorted.places[i].map(|p| sorted.codebook.problems()[p].id.as_str());
            let right = of_side.iter().filter(|&&i| place(i) == Some(&demo.topics[i])).count();
            let nowhere = of_side.iter().filter(|&&i| place(i).is_none()).count();
            let share = right as f64 / of_side.len().max(1) as f64;
            writeln!(print, "| {way} | {} | {} | {right} | {share:.3} | {nowhere} |", side.as_str(), of_side.len())?;
        }
    }
    Ok(())
}

/// Labels as numbers from 0 in the order of the alphabet.
fn numbered(labels: &[String]) -> Vec<usize> {
    let mut numbers = labels.iter().map(|l| (l.as_str(), 0)).collect::<BTreeMap<_, _>>();
    numbers.values_mut().enumerate().for_each(|(i, number)| *number = i);
    labels.iter().map(|l| numbers[l.as_str()]).collect()
}

fn repo(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The quotes of the demo that have a problem, each with the first one.
fn demo() -> Result<Set> {
    let (mut said, mut topics) = (Vec::new(), Vec::new());
    let lines = |name: &str| -> Result<Vec<Value>> {
        let text = fs::read_to_string(repo("corpus/demo").join(name))?;
        text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("in {name}"))).collect()
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut add = |side, who: String, whole: &str, quote: String, problem: &Value| {
        let Some(problem) = problem.as_str().filter(|p| *p != "other") else { return };
        topics.push(problem.to_owned());
        let around = whole.replacen(&quote, " . ", 1);
        said.push(Said { side, conversation: who.clone(), who, quote, around, title: String::new() });
    };
    for post in lines("truth_posts.jsonl")? {
        for act in post["acts"].as_array().into_iter().flatten() {
            let (quote, problem) = (text(&act["spans"][0]["quote"]), &act["problems"][0]);
            add(Side::Community, text(&post["id"]), post["text"].as_str().unwrap_or_default(), quote, problem);
        }
    }
    for note in lines("truth_notes.jsonl")? {
        for pain in note["pains"].as_array().into_iter().flatten() {
            add(Side::Crm, text(&note["account"]), "", text(&pain["quote"]), &pain["problem"]);
        }
    }
    Ok(Set { name: "demo by problem", said, topics })
}

/// One text, all that there is of it.
fn whole(number: usize, quote: String) -> Said {
    let who = number.to_string();
    Said { side: Side::Community, conversation: who.clone(), who, quote, around: String::new(), title: String::new() }
}

fn issues(path: &Path) -> Result<Set> {
    let (mut said, mut topics) = (Vec::new(), Vec::new());
    for (i, row) in csv::Reader::from_path(path)?.records().enumerate() {
        let row = row?;
        let (repo, title, body) = (&row[0], &row[3], &row[4]);
        said.push(whole(i, format!("{title}. {}", &body[..body.floor_char_boundary(BODY)])));
        topics.push(repo.to_owned());
    }
    Ok(Set { name: "", said, topics })
}

/// Handles name the firm and so the trade; they are left out.
fn tweets(folder: &Path) -> Result<Set> {
    let (mut said, mut topics) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        for row in csv::Reader::from_path(entry?.path())?.records() {
            let row = row?;
            let words = row[1].split_whitespace().filter(|w| !w.contains('@')).collect::<Vec<_>>();
            said.push(whole(said.len(), words.join(" ")));
            topics.push(row[3].to_owned());
        }
    }
    Ok(Set { name: "", said, topics })
}

/// Seconds and memory by number of texts.
async fn growth(sizes: &str) -> Result<()> {
    let mut print = io::stdout();
    writeln!(print, "| texts | found | outliers | seconds | peak memory MB | exponent since the row before |")?;
    writeln!(print, "|---|---|---|---|---|---|")?;
    let mut before: Option<(f64, f64)> = None;
    for size in sizes.split(',') {
        let size = size.trim().parse::<usize>().context("--synthetic wants numbers with commas between")?;
        let said = synthetic(size);
        let began = Instant::now();
        let sorted = sort(said, None, &Embedder::Embedded, SEED).await?;
        let seconds = began.elapsed().as_secs_f64();
        let outliers = sorted.places.iter().filter(|p| p.is_none()).count();
        let exponent =
            before.map_or("–".to_owned(), |(n, s)| format!("{:.2}", (seconds / s).ln() / (size as f64 / n).ln()));
        writeln!(
            print,
            "| {size} | {} | {:.3} | {seconds:.1} | {} | {exponent} |",
            sorted.codebook.problems().len(),
            outliers as f64 / size.max(1) as f64,
            peak_memory()?
        )?;
        before = Some((size as f64, seconds));
    }
    Ok(())
}

/// Most memory that this process has held so far, MB.
fn peak_memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("peak memory is only known on Linux")?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).context("the kernel does not say")?;
    let kilobytes = line.trim().trim_end_matches("kB").trim().parse::<u64>()?;
    Ok(kilobytes / 1024)
}

/// Signals as they come from forums, in size and in spread: fifty subjects of which few are common, an eighth about nothing,
/// each with a quote, what stands around it and a title, by people who speak more or less often.
fn synthetic(count: usize) -> Vec<Said> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut word = |syllables: usize| {
        let parts = (0..syllables).map(|_| {
            let consonant = *b"bdfgklmnprstvz".choose(&mut random).unwrap_or(&b'b');
            let vowel = *b"aeiou".choose(&mut random).unwrap_or(&b'a');
            format!("{}{}", char::from(consonant), char::from(vowel))
        });
        parts.collect::<String>()
    };
    let subjects = (0..50).map(|_| (0..60).map(|_| word(3)).collect::<Vec<_>>()).collect::<Vec<_>>();
    let common = (0..4_000).map(|_| word(3)).collect::<Vec<_>>();
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    (0..count)
        .map(|i| {
            let rank = (random.random::<f64>() * (50.0_f64).ln()).exp();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 50")]
            let subject = (!i.is_multiple_of(8)).then(|| &subjects[(rank as usize - 1).min(49)]);
            let mut say = |words: usize, share: f64| {
                let said = (0..words).map(|_| match subject {
                    Some(subject) if random.random_bool(share) => subject.choose(&mut random),
                    _ => common.choose(&mut random),
                });
                said.flatten().map(String::as_str).collect::<Vec<_>>().join(" ")
            };
            Said {
                side: if i.is_multiple_of(5) { Side::Crm } else { Side::Community },
                who: format!("w{}", random_owner(i)),
                conversation: format!("t{}", i / 6),
                quote: say(14, 0.5),
                around: say(60, 0.3),
                title: say(6, 0.3),
            }
        })
        .collect()
}

/// Who says text `i`: of every ten, one speaks ten times as often as the others.
fn random_owner(i: usize) -> usize {
    if i.is_multiple_of(2) { i / 20 } else { 1_000_000 + i / 2 }
}
