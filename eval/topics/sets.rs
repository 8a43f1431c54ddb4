//! Texts with a topic each: the demo's, those of labelled sets beside the project, and invented ones in any number.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use candor::group::sort::Said;
use candor::store::Side;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use super::SEED;

/// Bytes of an issue's text that go with its title.
const BODY: usize = 300;

/// Texts with the topic of each.
pub(crate) struct Set {
    pub(crate) name: &'static str,
    pub(crate) said: Vec<Said>,
    pub(crate) topics: Vec<String>,
}

impl Set {
    /// At most `most` of its texts, drawn at random and always the same ones, in their order.
    pub(crate) fn drawn(self, most: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let mut places = rand::seq::index::sample(&mut random, self.said.len(), most.min(self.said.len())).into_vec();
        places.sort_unstable();
        let said = places.iter().map(|&i| self.said[i].clone()).collect();
        let topics = places.iter().map(|&i| self.topics[i].clone()).collect();
        Self { said, topics, ..self }
    }
}

pub(crate) fn repo(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The quotes of the demo that have a problem, each with the first one.
pub(crate) fn demo() -> Result<Set> {
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

pub(crate) fn issues(path: &Path) -> Result<Set> {
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
pub(crate) fn tweets(folder: &Path) -> Result<Set> {
    let (mut said, mut topics) = (Vec::new(), Vec::new());
    let mut files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    files.sort();
    for file in files {
        for row in csv::Reader::from_path(file)?.records() {
            let row = row?;
            let words = row[1].split_whitespace().filter(|w| !w.contains('@')).collect::<Vec<_>>();
            said.push(whole(said.len(), words.join(" ")));
            topics.push(row[3].to_owned());
        }
    }
    Ok(Set { name: "", said, topics })
}

/// Signals as they come from forums, in size and in spread: fifty subjects of which few are common, an eighth about nothing,
/// each with a quote, what stands around it and a title, by people who speak more or less often.
pub(crate) fn synthetic(count: usize) -> Vec<Said> {
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
