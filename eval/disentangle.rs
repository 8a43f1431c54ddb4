//! How well a channel's stream is cut into conversations, and how the weights for it are fitted.
//!
//! ```text
//! cargo run --release --example disentangle -- --data DIR          # scores on the test part, beside baselines
//! cargo run --release --example disentangle -- fit --data DIR      # weights for src/collect/disentangle.rs
//! ```
//!
//! `DIR` holds `irc_disentangled` and `slack_disentangled` (see `eval/README.md` for what is trained on and what is tested).

#[path = "disentangle/data.rs"]
mod data;
#[path = "disentangle/fit.rs"]
mod fit;

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::{Result, bail};
use candor::collect::disentangle::{Features, Stream, WEIGHTS, best};
use candor::eval::conversations::{Agreement, Matches, agreement, link_matches};

use data::{Channel, Gold, Names};

fn main() -> Result<()> {
    let args = std::env::args().skip(1).collect::<Vec<_>>();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--data", folder] => scores(Path::new(folder), &WEIGHTS.map(|(_, weight)| weight)),
        ["fit", "--data", folder] => {
            let weights = fit::fit(&data::load(Path::new(folder))?);
            for ((name, _), weight) in WEIGHTS.iter().zip(weights) {
                writeln!(io::stdout(), "    (\"{name}\", {weight:.3}),")?;
            }
            scores(Path::new(folder), &weights)
        }
        _ => bail!("the commands are listed at the head of eval/disentangle.rs"),
    }
}

/// How a channel was cut: for each message the conversation and the message answered.
type Cut = Vec<(usize, Option<usize>)>;

fn cut_by_model(channel: &Channel, weights: &Features, names: Names) -> Cut {
    let mut stream = Stream::default();
    let mut cut: Cut = Vec::new();
    for (here, line) in channel.lines.iter().enumerate() {
        let id = here.to_string();
        let message = line.message(&id, names);
        let answers = best(&stream.features(&message), weights);
        stream.put(&message, None, answers);
        let answered = answers.map(|back| here - back);
        cut.push((answered.map_or(here, |at| cut[at].0), answered));
    }
    cut
}

/// Every message answers the last one, unless more than `gap` seconds lie between.
fn cut_by_gap(channel: &Channel, gap: f64) -> Cut {
    let mut cut: Cut = Vec::new();
    for (here, line) in channel.lines.iter().enumerate() {
        let answered = here.checked_sub(1).filter(|before| line.at - channel.lines[*before].at <= gap);
        cut.push((answered.map_or(here, |at| cut[at].0), answered));
    }
    cut
}

/// The agreement of a cut with the gold, over the messages that were labelled, and the links where the gold has them.
fn judge(channel: &Channel, cut: &Cut) -> (Agreement, Option<Matches>) {
    let judged: Vec<usize> = (channel.judged_from..channel.lines.len()).collect();
    let gold: Vec<usize> = judged.iter().map(|at| channel.lines[*at].conversation).collect();
    let found: Vec<usize> = judged.iter().map(|at| cut[*at].0).collect();
    let links = matches!(channel.gold, Gold::Links).then(|| {
        let mut wanted = BTreeSet::new();
        let mut linked = BTreeSet::new();
        for at in judged {
            let answers = &channel.lines[at].answers;
            wanted.extend(answers.iter().map(|to| (at, *to)));
            wanted.extend(answers.is_empty().then_some((at, at)));
            linked.insert((at, cut[at].1.unwrap_or(at)));
        }
        link_matches(&wanted, &linked)
    });
    (agreement(&gold, &found), links)
}

fn scores(folder: &Path, weights: &Features) -> Result<()> {
    let channels = data::load(folder)?;
    let mut out = io::stdout();
    writeln!(
        out,
        "set,cut,messages,conversations_of_two,link_precision,link_recall,link_f1,exact_precision,exact_recall,exact_f1,one_to_one,information,rand,local_3"
    )?;
    for set in data::SETS {
        let part = |train: bool| channels.iter().filter(move |c| c.set == set && c.train == train).collect::<Vec<_>>();
        let (train, test) = (part(true), part(false));
        let of_gap = |gap: f64| {
            let shares = train.iter().map(|c| (judge(c, &cut_by_gap(c, gap)).0, c));
            shares.map(|(a, _)| a.one_to_one * a.messages as f64).sum::<f64>()
        };
        let mut gap = data::GAPS[0];
        for other in data::GAPS {
            if of_gap(other) > of_gap(gap) {
                gap = other;
            }
        }
        row(&mut out, set, "the last message", &test, |c| cut_by_gap(c, f64::INFINITY))?;
        row(&mut out, set, &format!("gap of {gap} s"), &test, |c| cut_by_gap(c, gap))?;
        row(&mut out, set, "model without names", &test, |c| cut_by_model(c, weights, Names::Masked))?;
        row(&mut out, set, "model", &test, |c| cut_by_model(c, weights, Names::Known))?;
    }
    Ok(())
}

/// One line of scores. Counts are summed over the channels, shares weighted by messages.
fn row(
    out: &mut impl io::Write,
    set: &str,
    name: &str,
    test: &[&Channel],
    cut: impl Fn(&Channel) -> Cut,
) -> Result<()> {
    let judged: Vec<_> = test.iter().map(|channel| judge(channel, &cut(channel))).collect();
    let messages: usize = judged.iter().map(|(a, _)| a.messages).sum();
    let mean = |of: fn(&Agreement) -> f64| {
        judged.iter().map(|(a, _)| of(a) * a.messages as f64).sum::<f64>() / messages.max(1) as f64
    };
    let sum = |parts: Vec<Matches>| {
        parts.iter().fold(Matches::default(), |sum, m| Matches {
            right: sum.right + m.right,
            found: sum.found + m.found,
            wanted: sum.wanted + m.wanted,
        })
    };
    let links: Vec<Matches> = judged.iter().filter_map(|(_, links)| *links).collect();
    let links = if links.is_empty() {
        ",,".to_owned()
    } else {
        let links = sum(links);
        format!("{:.3},{:.3},{:.3}", links.precision(), links.recall(), links.f1())
    };
    let exact = sum(judged.iter().map(|(a, _)| a.exact).collect());
    writeln!(
        out,
        "{set},{name},{messages},{},{links},{:.3},{:.3},{:.3},{:.3},{:.3},{:.3},{:.3}",
        exact.found,
        exact.precision(),
        exact.recall(),
        exact.f1(),
        mean(|a| a.one_to_one),
        mean(|a| a.information),
        mean(|a| a.rand),
        mean(|a| a.local_3),
    )?;
    Ok(())
}
