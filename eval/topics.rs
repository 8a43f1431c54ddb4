//! How well texts are grouped by topic, by each way to embed them, and what grouping takes as texts grow many.
//!
//! ```text
//! cargo run --release --features local-embeddings --example topics -- DATA OUT [WAY…]
//! cargo run --release --example topics -- --model BASE_URL MODEL [MOST]
//! cargo run --release --example topics -- --synthetic 25000,50000,100000,200000 [dense]
//! ```
//!
//! `DATA` holds `nlbse2024_issues` and `complaints_xci`; a set that is not there is left out, the demo's labels are in the
//! repository. `OUT` is a folder outside of the repository where the very same texts are written for
//! `eval/topics_bertopic.py`. A `WAY` is a folder with a sentence model, or `BASE_URL=MODEL` for a server.

#[path = "process.rs"]
mod process;
#[path = "topics/sets.rs"]
mod sets;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use candor::clock::Clock;
use candor::config::{EmbeddingSettings, LlmSettings, ServedSettings};
use candor::eval::clusters::agreement;
use candor::group::by_model::Sorter;
use candor::group::codebook;
use candor::group::embed::Embedder;
use candor::group::sort::{sort, sort_by, sort_by_model};
use candor::llm::Model;
use candor::store::{Side, Store};
use candor::text::redact::Names;
use jiff::Timestamp;
use process::{cpu_seconds, peak_memory};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use sets::{Set, demo, issues, repo, synthetic, tweets};

const SEED: u64 = 20_260_101;
/// Seconds to wait for a server: on a machine that does other work meanwhile it is slow, not gone.
const PATIENCE: u64 = 3_600;
/// Texts drawn from each set beside the demo, always the same ones.
const DRAWN: usize = 600;

#[tokio::main]
async fn main() -> Result<()> {
    let args = std::env::args().skip(1).collect::<Vec<_>>();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--model", base_url, model] => by_model(base_url, model, usize::MAX).await,
        ["--model", base_url, model, most] => by_model(base_url, model, most.parse()?).await,
        ["--synthetic", sizes] => growth(sizes, false).await,
        ["--synthetic", sizes, "dense"] => growth(sizes, true).await,
        [data, out, ways @ ..] if !data.starts_with('-') => topics(Path::new(data), Path::new(out), ways).await,
        _ => bail!("the commands are listed at the head of eval/topics.rs"),
    }
}

async fn topics(data: &Path, out: &Path, ways: &[&str]) -> Result<()> {
    let mut embedders = vec![("embedded".to_owned(), Embedder::Embedded)];
    for way in ways {
        let settings = match way.split_once('=') {
            Some((base_url, model)) => {
                let mut served = ServedSettings::new(base_url, model);
                served.server.timeout_secs = PATIENCE;
                EmbeddingSettings::Served(Box::new(served))
            }
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
            sets.push(Set { name, ..read(&path)?.drawn(DRAWN) });
        } else {
            writeln!(io::stderr(), "{name} is left out: there is no {}", path.display())?;
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

/// How a language model names the problems that are found in the demo, and sorts at most `most` of its texts into its codebook.
async fn by_model(base_url: &str, model: &str, most: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&folder.path().join("store.sqlite")).await?;
    let settings = LlmSettings { timeout_secs: PATIENCE, ..LlmSettings::new(base_url, model) };
    let model = Arc::new(Model::new(&settings, Some(store.clone()), Clock::System).await?);
    let sorter = |assigns| Sorter::new(Arc::clone(&model), Names::default(), [0; 32], assigns);
    let (mut print, demo, began) = (io::stdout(), demo()?, Instant::now());

    let own = sort(demo.said.clone(), None, &Embedder::Embedded, SEED).await?.codebook;
    let named = sort_by_model(&store, demo.said.clone(), None, &sorter(false), SEED).await?;
    writeln!(print, "| the program's name | the model's | its statement |\n|---|---|---|")?;
    for (own, named) in own.problems().iter().zip(named.sorted.codebook.problems()) {
        let name = if own.name == named.name { "–" } else { &named.name };
        let statement = if own.statement == named.statement { "–" } else { &named.statement };
        writeln!(print, "| {} | {name} | {statement} |", own.name)?;
    }
    writeln!(print, "\n{} in {:.0} s\n", named.told, began.elapsed().as_secs_f64())?;

    let began = Instant::now();
    let codebook = codebook::read(&repo("corpus/demo/codebook.json"))?;
    let mut drawn = (0..demo.said.len()).collect::<Vec<_>>();
    drawn.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
    drawn.truncate(most);
    let said = drawn.iter().map(|&i| demo.said[i].clone()).collect();
    let asked = sort_by_model(&store, said, Some(codebook), &sorter(true), SEED).await?;
    let ids = asked.sorted.codebook.problems().iter().map(|p| p.id.as_str()).collect::<Vec<_>>();
    let right = |place: Option<usize>, n: usize| place.map(|p| ids[p]) == Some(&demo.topics[drawn[n]]);
    writeln!(print, "| who decides | texts | right | accuracy |\n|---|---|---|---|")?;
    let all = (0..drawn.len()).collect::<Vec<_>>();
    let decided = all.iter().copied().filter(|&n| asked.decided[n]).collect::<Vec<_>>();
    for (who, texts, places) in [
        ("the program, its words", &all, &asked.own),
        ("the model, else the program", &all, &asked.sorted.places),
        ("the program, where the model decides", &decided, &asked.own),
        ("the model, where it decides", &decided, &asked.sorted.places),
    ] {
        let count = texts.iter().filter(|&&n| right(places[n], n)).count();
        let share = count as f64 / texts.len().max(1) as f64;
        writeln!(print, "| {who} | {} | {count} | {share:.3} |", texts.len())?;
    }
    writeln!(print, "\n{} in {:.0} s", asked.told, began.elapsed().as_secs_f64())?;
    Ok(())
}

/// Seconds and memory by number of texts; `dense` with vectors as wide as a small sentence model's, whose making is not counted.
async fn growth(sizes: &str, dense: bool) -> Result<()> {
    let mut print = io::stdout();
    writeln!(
        print,
        "| texts | found | outliers | seconds | CPU seconds | peak memory MB | exponent since the row before |"
    )?;
    writeln!(print, "|---|---|---|---|---|---|---|")?;
    let mut before: Option<(f64, f64)> = None;
    for size in sizes.split(',') {
        let size = size.trim().parse::<usize>().context("--synthetic wants numbers with commas between")?;
        let said = synthetic(size);
        let began = cpu_seconds()?;
        let making = Cell::new(0.0);
        let sorted = if dense {
            let words = RefCell::new(HashMap::new());
            let vector = |text: &str| {
                let began = Instant::now();
                let vector = summed(text, &mut words.borrow_mut());
                making.set(making.get() + began.elapsed().as_secs_f64());
                vector
            };
            sort_by(said, None, vector, SEED)?
        } else {
            sort(said, None, &Embedder::Embedded, SEED).await?
        };
        let cpu = cpu_seconds()? - began - making.get();
        let outliers = sorted.places.iter().filter(|p| p.is_none()).count();
        let exponent =
            before.map_or("–".to_owned(), |(n, s)| format!("{:.2}", (cpu / s).ln() / (size as f64 / n).ln()));
        writeln!(
            print,
            "| {size} | {} | {:.3} | {:.1} | {cpu:.1} | {} | {exponent} |",
            sorted.codebook.problems().len(),
            outliers as f64 / size.max(1) as f64,
            sorted.grouping.as_secs_f64(),
            peak_memory()? / (1024 * 1024)
        )?;
        before = Some((size as f64, cpu));
    }
    Ok(())
}

/// Numbers in an invented vector, as many as all-MiniLM-L6-v2 gives.
const WIDTH: usize = 384;

/// A vector such as a sentence model gives: what all texts share, and what each of the words adds in a direction of its own.
fn summed(text: &str, words: &mut HashMap<String, Vec<f32>>) -> Vec<f32> {
    let mut sum = vec![0.5_f32; WIDTH];
    for word in text.split_whitespace() {
        let own = words.entry(word.to_owned()).or_insert_with(|| {
            let mut random = ChaCha8Rng::from_seed(*blake3::hash(word.as_bytes()).as_bytes());
            (0..WIDTH).map(|_| random.random::<f32>() - 0.5).collect()
        });
        sum.iter_mut().zip(own).for_each(|(sum, x)| *sum += *x);
    }
    sum
}
