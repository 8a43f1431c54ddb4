//! Which real posts to label next.
//!
//! Posts are drawn where the shipped reader has most to learn: where it is in doubt about a complaint or an ask, where an act
//! that is rare may be there, and some at random. They are written in batches for people to read, a sentence a line, each with
//! an index from which the answers become labels without a word of the text.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use candor::extract::embedded::chances;
use candor::extract::score::read_truth;
use candor::model::{ActKind, Voice};
use candor::text::near_duplicate::clusters;
use candor::text::sentence::sentences;
use rand::SeedableRng as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::real::{self, Labels, Real, files, letters, posts};

/// Posts wanted of each source, about in the proportions of the panel.
const WANTED: [(&str, usize); 5] = [
    ("redash_discourse", 3200),
    ("reddit_selfpost", 3000),
    ("komodo_discord", 2300),
    ("urho3d_discourse", 1000),
    ("slack", 300),
];

/// Shares drawn in doubt about a complaint or an ask, and with a rare act that may be there; the rest is drawn at random.
const IN_DOUBT: f64 = 0.4;
const RARE: f64 = 0.35;

/// Probabilities between which the reader is in doubt, and from which a rare act may be there.
const DOUBT: std::ops::Range<f64> = 0.2..0.8;
const MAY_BE: f64 = 0.15;

/// ASCII letters and digits of a post worth labelling: fewer say nothing, more tire.
const LETTERS: std::ops::RangeInclusive<usize> = 12..=1200;

/// Self-posts of other communities that are looked at, at most.
const FAR: usize = 15_000;

/// Communities about products and work, as in the panel: half of the self-posts are drawn from them.
const NEAR: [&str; 48] = [
    "vmware",
    "linuxquestions",
    "marketing",
    "excel",
    "kindle",
    "BuyItForLife",
    "Accounting",
    "networking",
    "appletv",
    "chrome",
    "freelance",
    "smallbusiness",
    "windows",
    "personalfinance",
    "startups",
    "talesfromtechsupport",
    "PS4",
    "androidapps",
    "windowsphone",
    "hardware",
    "24hoursupport",
    "techsupport",
    "AndroidQuestions",
    "linux4noobs",
    "linuxadmin",
    "sysadmin",
    "SQL",
    "PowerShell",
    "VPN",
    "osx",
    "spotify",
    "htpc",
    "Reprap",
    "linuxmint",
    "archlinux",
    "VideoEditing",
    "computing",
    "SuggestALaptop",
    "fixit",
    "hometheater",
    "Unity3D",
    "teaching",
    "webhosting",
    "tasker",
    "ipad",
    "google",
    "wordpress",
    "ideasfortheadmins",
];

/// Posts a batch.
const BATCH: usize = 300;

struct Drawn<'a> {
    id: &'a str,
    post: &'a Real,
    /// In the order of [`ActKind::ALL`].
    chances: [f64; ActKind::ALL.len()],
}

impl Drawn<'_> {
    fn chance(&self, act: ActKind) -> f64 {
        self.chances[act as usize]
    }

    fn in_doubt(&self, act: ActKind) -> bool {
        DOUBT.contains(&self.chance(act))
    }
}

/// Draws posts that are not labelled yet and are no near copy of one that is, and writes them to `out`.
pub(super) fn draw(data: &Path, labels: &Path, out: &Path) -> Result<()> {
    let mut labelled: HashSet<String> = real::labels(labels)?.into_iter().map(|labels| labels.id).collect();
    let gold = read_truth(BufReader::new(File::open(data.join("gold/dev.jsonl"))?))?;
    labelled.extend(gold.iter().map(|post| post.id.split('@').next().unwrap_or_default().to_owned()));
    let posts = posts(data)?;
    let mut texts: Vec<&str> = gold.iter().map(|post| post.text.as_str()).collect();
    texts.extend(posts.iter().filter(|(id, _)| labelled.contains(*id)).map(|(_, post)| post.text.as_str()));

    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut fresh: Vec<_> = posts.iter().filter(|(id, _)| !labelled.contains(*id)).collect();
    fresh.retain(|(_, post)| LETTERS.contains(&letters(&post.text).count()));
    fresh.sort_by_key(|(id, _)| *id);
    fresh.shuffle(&mut rng);
    let near = |post: &Real| {
        let community = post.context.strip_prefix("r/").and_then(|rest| rest.split_once(' '));
        community.is_some_and(|(name, _)| NEAR.contains(&name))
    };
    let mut far = 0;
    fresh.retain(|(_, post)| {
        post.source != "reddit_selfpost" || near(post) || {
            far += 1;
            far <= FAR
        }
    });
    let judged: Vec<Drawn> = fresh
        .par_iter()
        .filter_map(|(id, post)| Some(Drawn { id: id.as_str(), post, chances: chances(&post.text)? }))
        .collect();
    let mut drawn = Vec::new();
    for (source, wanted) in WANTED {
        let of_source = |d: &&Drawn| d.post.source == source;
        let (mine, rest): (Vec<_>, Vec<_>) = judged.iter().filter(of_source).partition(|d| near(d.post));
        writeln!(io::stderr(), "{source}: {} and {}", mine.len(), rest.len())?;
        let from_near = mine.len().min(wanted / 2);
        drawn.extend(choose(&mine, from_near));
        drawn.extend(choose(&rest, wanted - from_near));
    }
    drawn.shuffle(&mut rng);
    let known = texts.len();
    texts.extend(drawn.iter().map(|d| d.post.text.as_str()));
    let clusters = clusters(&texts);
    let own = |i: usize| clusters[known + i] == known + i;
    let drawn: Vec<_> = drawn.iter().enumerate().filter(|(i, _)| own(*i)).map(|(_, d)| *d).collect();
    writeln!(io::stderr(), "{} drawn", drawn.len())?;
    let mut sources = HashMap::<&str, usize>::new();
    for (number, batch) in (1..).zip(drawn.chunks(BATCH)) {
        batch.iter().for_each(|d| *sources.entry(d.post.source).or_default() += 1);
        write_batch(out, number, batch)?;
    }
    Ok(writeln!(io::stderr(), "{sources:?}")?)
}

/// `wanted` of `pool`, which is in random order, by the three shares.
fn choose<'a>(pool: &[&'a Drawn<'a>], wanted: usize) -> Vec<&'a Drawn<'a>> {
    let mut chosen = Vec::new();
    let mut taken = HashSet::new();
    let mut take = |wanted: usize, fits: &dyn Fn(&Drawn) -> bool| {
        let before = chosen.len();
        for &one in pool {
            if chosen.len() < before + wanted && fits(one) && taken.insert(one.id) {
                chosen.push(one);
            }
        }
        chosen.len()
    };
    let share = |share: f64| (share * wanted as f64).round() as usize;
    // The rarest first.
    let rare = [ActKind::Switch, ActKind::Workaround, ActKind::Praise, ActKind::FailedWorkaround];
    for act in rare {
        take(share(RARE / rare.len() as f64), &|d| d.chance(act) >= MAY_BE);
    }
    let so_far = take(share(IN_DOUBT), &|d| d.in_doubt(ActKind::Complaint) || d.in_doubt(ActKind::Ask));
    take(wanted.saturating_sub(so_far), &|_| true);
    chosen
}

/// One post of a batch: its number there, its id, its letters and those of its sentences.
#[derive(Deserialize)]
struct Indexed {
    number: usize,
    id: String,
    letters: usize,
    sentences: Vec<(usize, usize)>,
}

/// Adds the answers under `batches/done` to the labels. An answer is a line a post, `17 f c:1,3 a:4 ?w`: its number, who speaks
/// (f first hand, s second hand, g generic, h hypothetical, v vendor, u unclear), each act with the sentences that show it (c
/// complaint, w failed workaround, k workaround, a ask, s switch, p praise), and acts that can be argued.
pub(super) fn take(batches: &Path, labels: &Path) -> Result<()> {
    let lines = |path: &Path| -> Result<Vec<String>> {
        let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
        Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    };
    let mut all = BTreeMap::new();
    for line in lines(labels)? {
        all.insert(serde_json::from_str::<Labels>(&line)?.id, line);
    }
    let before = all.len();
    for path in files(&batches.join("done"), "txt")? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let index = lines(&batches.join(format!("{name}.index.jsonl")))?;
        let index = index.iter().map(|line| Ok(serde_json::from_str::<Indexed>(line)?)).collect::<Result<Vec<_>>>()?;
        for line in lines(&path)? {
            let (id, label) = answer(&line, &index).with_context(|| format!("in {}: {line}", path.display()))?;
            all.entry(id).or_insert(label);
        }
    }
    writeln!(io::stderr(), "{} labels added to {before}", all.len() - before)?;
    let text: String = all.values().map(|line| format!("{line}\n")).collect();
    std::fs::write(labels, text).with_context(|| format!("could not write {}", labels.display()))
}

/// The label that an answer stands for, with the post's id.
fn answer(line: &str, index: &[Indexed]) -> Result<(String, String)> {
    let mut parts = line.split_whitespace();
    let number: usize = parts.next().unwrap_or_default().parse().context("an answer begins with the post's number")?;
    let post = index.iter().find(|post| post.number == number).context("the batch has no post of this number")?;
    let (mut voice, mut acts, mut unsure) = (Voice::Unclear, BTreeMap::new(), Vec::new());
    for part in parts {
        if let Some((act, sentences)) = part.split_once(':') {
            let place = |number: &str| {
                let at = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
                at.and_then(|at| post.sentences.get(at)).with_context(|| format!("the post has no sentence {number}"))
            };
            acts.insert(act_of(act)?, sentences.split(',').map(place).collect::<Result<Vec<_>>>()?);
        } else if let Some(act) = part.strip_prefix('?') {
            unsure.push(act_of(act)?);
        } else {
            let found = VOICES.into_iter().zip(Voice::ALL).find(|(letter, _)| *letter == part);
            voice = found.with_context(|| format!("{part} is no voice"))?.1;
        }
    }
    let mut label = json!({ "id": post.id, "letters": post.letters, "voice": voice.as_str(), "acts": acts });
    if !unsure.is_empty() {
        label["unsure"] = json!(unsure);
    }
    Ok((post.id.clone(), label.to_string()))
}

/// What an answer calls the voices, in the order of [`Voice::ALL`].
const VOICES: [&str; Voice::ALL.len()] = ["f", "s", "g", "h", "v", "u"];

/// What an answer calls the acts, in the order of [`ActKind::ALL`].
const ACTS: [&str; ActKind::ALL.len()] = ["c", "w", "k", "a", "s", "p"];

/// The act's name, as labels have it.
fn act_of(letter: &str) -> Result<&'static str> {
    let found = ACTS.into_iter().zip(ActKind::ALL).find(|(known, _)| *known == letter);
    Ok(found.with_context(|| format!("{letter} is no act"))?.1.as_str())
}

fn write_batch(out: &Path, number: usize, batch: &[&Drawn]) -> Result<()> {
    let mut page = String::new();
    let mut index = String::new();
    for (place, one) in (1..).zip(batch) {
        let text = &one.post.text;
        writeln!(page, "### {place}")?;
        let mut spans = Vec::new();
        for span in sentences(text) {
            let (from, to) = (letters(&text[..span.start()]).count(), letters(&text[..span.end()]).count());
            if from < to {
                spans.push([from, to]);
                let words: Vec<&str> = text[span.range()].split_whitespace().collect();
                writeln!(page, "{}| {}", spans.len(), words.join(" "))?;
            }
        }
        let line = json!({ "number": place, "id": one.id, "letters": letters(text).count(), "sentences": spans });
        writeln!(index, "{line}")?;
    }
    std::fs::write(out.join(format!("batch-{number:02}.txt")), page)?;
    std::fs::write(out.join(format!("batch-{number:02}.index.jsonl")), index)
        .with_context(|| format!("could not write to {}", out.display()))
}
