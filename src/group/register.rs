//! The register test (METHOD 3.1.4): a post rewritten as a note, and a note rewritten as a post, should land on the same problem
//! of the list. Where they do not, the difference of the two sides may be one of style.
//!
//! The one rule: both versions are sorted as all posts and notes are, by the same classifier, and nothing tells it which
//! version it sees.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::embed::Embedder;
use super::evolve::Previous;
use super::units::{Unit, gather};
use super::{Start, arranged};
use crate::model::comparison::RegisterV1;
use crate::model::{Codebook, Recipes};
use crate::progress::Progress;
use crate::store::{Side, Store};

/// One text with the same told in the other side's style: `{"v":1,"id","side":"community"|"crm","text","rewrite"}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    v: u8,
    id: String,
    side: Side,
    text: String,
    rewrite: String,
}

/// What a register test found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RegisterTest {
    /// 1.
    pub v: u8,
    /// Hash of the list of problems that was tested.
    pub codebook: String,
    /// Pairs whose original is a post.
    pub community_pairs: usize,
    /// Pairs whose original is a note.
    pub crm_pairs: usize,
    /// Every problem of the list, in its order.
    pub problems: Vec<TestedProblem>,
}

/// The test of one problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestedProblem {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How well the two versions agree on it.
    #[serde(flatten)]
    pub register: RegisterV1,
}

/// Tests the current list of problems on the pairs of the file `pairs`, and keeps the answer in place of an earlier one.
///
/// # Errors
/// When a line of the file is no pair, the store cannot be written, or as [`classify`].
pub async fn run(
    store: &Store,
    recipes: &Recipes,
    pairs: &Path,
    embedder: &Embedder,
    seed: u64,
) -> Result<RegisterTest> {
    let pairs = read(pairs)?;
    let texts = pairs.iter().flat_map(|p| [p.text.clone(), p.rewrite.clone()]).collect();
    let (codebook, places) = classify(store, recipes, texts, embedder, seed).await?;
    // Originals and rewrites alternate.
    let versions = places.chunks_exact(2).map(|two| [two[0], two[1]]).collect::<Vec<_>>();
    let problems = codebook.problems().iter().enumerate().map(|(i, problem)| TestedProblem {
        id: problem.id.as_str().to_owned(),
        name: problem.name.clone(),
        register: agreement(&versions, i),
    });
    let problems = problems.collect::<Vec<_>>();
    let tested = problems.iter().map(|p| (p.id.clone(), p.register)).collect::<BTreeMap<_, _>>();
    store.write_register(codebook.hash(), &tested).await?;
    let community = pairs.iter().filter(|p| p.side == Side::Community).count();
    Ok(RegisterTest {
        v: 1,
        codebook: codebook.hash().to_owned(),
        community_pairs: community,
        crm_pairs: pairs.len() - community,
        problems,
    })
}

/// Sorts `texts` into the current list of problems, by the same code as [`super::run`]: into a frozen list by its words, into
/// another one also by what belongs to it. Gives the list, and for each text its problem's place in it.
///
/// # Errors
/// When there is no list of problems, the model cannot be used, or the store cannot be read.
pub async fn classify(
    store: &Store,
    recipes: &Recipes,
    texts: Vec<String>,
    embedder: &Embedder,
    seed: u64,
) -> Result<(Codebook, Vec<Option<usize>>)> {
    let (codebook, _) =
        store.codebook().await?.context("there is no list of problems yet; run `candor group` first")?;
    let (mut units, _) = gather(store, recipes).await?;
    let read = units.len();
    units.extend(texts.into_iter().enumerate().map(|(i, text)| unit(i, text)));
    let start = if codebook.is_frozen() {
        Start::Frozen(codebook.clone())
    } else {
        Start::Taught(Previous::new(codebook.clone(), &store.assignments(codebook.hash()).await?))
    };
    let (_, grouped, _) = arranged(store, units, start, embedder, seed, Progress::new(true)).await?;
    Ok((codebook, grouped.placed.into_iter().skip(read).map(|(place, _)| place).collect()))
}

/// A text that is sorted and teaches nothing.
fn unit(number: usize, text: String) -> Unit {
    let id = format!("register {number}");
    Unit {
        side: Side::Community,
        who: id.clone(),
        community: String::new(),
        conversation: id.clone(),
        id,
        builds: false,
        complains: true,
        bare: text.clone(),
        quote: text,
        around: String::new(),
        title: String::new(),
    }
}

/// Cohen's kappa (1960) of two versions of each text on "is it about `problem`?".
fn agreement(versions: &[[Option<usize>; 2]], problem: usize) -> RegisterV1 {
    let about = |place: Option<usize>| place == Some(problem);
    let count = |of: &dyn Fn(bool, bool) -> bool| {
        versions.iter().filter(|[text, rewrite]| of(about(*text), about(*rewrite))).count() as f64
    };
    let all = versions.len() as f64;
    let either = count(&|text, rewrite| text || rewrite);
    let same = count(&|text, rewrite| text == rewrite) / all;
    let (first, second) = (count(&|text, _| text) / all, count(&|_, rewrite| rewrite) / all);
    let by_chance = first * second + (1.0 - first) * (1.0 - second);
    let kappa = (by_chance < 1.0).then(|| (same - by_chance) / (1.0 - by_chance));
    RegisterV1::new(either as u64, kappa)
}

/// Reads the pairs of a file. It is taken whole or refused with the line that is wrong.
fn read(path: &Path) -> Result<Vec<Pair>> {
    let text = fs::read_to_string(path).with_context(|| format!("could not read the pairs {}", path.display()))?;
    parse(&text).with_context(|| format!("the pairs {} cannot be used", path.display()))
}

fn parse(text: &str) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    let mut ids = BTreeSet::new();
    let lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate();
    for (number, line) in lines.map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim().is_empty()) {
        let pair = serde_json::from_str::<Pair>(line).with_context(|| {
            format!("line {number} is no {{\"v\":1,\"id\",\"side\":\"community\"|\"crm\",\"text\",\"rewrite\"}}")
        })?;
        if pair.v != 1 {
            bail!("line {number}: \"v\" must be 1, not {}", pair.v);
        }
        if pair.text.trim().is_empty() || pair.rewrite.trim().is_empty() {
            bail!("line {number}: \"text\" and \"rewrite\" must not be empty");
        }
        if !ids.insert(pair.id.clone()) {
            bail!("line {number}: the id {:?} stands on an earlier line too", pair.id);
        }
        pairs.push(pair);
    }
    if pairs.is_empty() {
        bail!("there is no pair in it");
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Problem, ProblemId};

    #[test]
    fn kappa_is_what_a_hand_computes() {
        // Twenty pairs: both 8, only the original 2, only the rewrite 1, neither 9. Observed .85, by chance .5 * .45 + .5 * .55.
        let of = |n: usize, two: [Option<usize>; 2]| vec![two; n];
        let versions =
            [of(8, [Some(0), Some(0)]), of(2, [Some(0), None]), of(1, [Some(1), Some(0)]), of(9, [Some(1), Some(1)])]
                .concat();
        let first = agreement(&versions, 0);
        assert_eq!(first.n, 11);
        assert!((first.kappa.unwrap() - 0.70).abs() < 1e-12, "{first:?}");
        assert!(first.register_sensitive, ".70 over eleven pairs is below .80");
        // Ten pairs about the other one: 9 both, 1 only the original.
        let second = agreement(&versions, 1);
        assert_eq!((second.n, second.register_sensitive), (10, false), "{second:?}");
        assert!((second.kappa.unwrap() - 0.90).abs() < 1e-12, "{second:?}");
        let never = agreement(&versions, 2);
        assert_eq!((never.n, never.kappa, never.register_sensitive), (0, None, false));
    }

    #[test]
    fn few_pairs_flag_nothing() {
        let few = agreement(&[[Some(0), None], [None, Some(0)], [None, None]], 0);
        assert!(few.n == 2 && few.kappa.unwrap() < 0.0 && !few.register_sensitive);
    }

    #[test]
    fn a_file_of_pairs_is_taken_whole_or_refused() {
        let good = r#"{"v":1,"id":"a","side":"community","text":"one","rewrite":"two"}"#;
        assert_eq!(parse(&format!("\u{feff}{good}\n\n")).unwrap().len(), 1);
        for (line, expected) in [
            ("not json", "line 2 is no"),
            (r#"{"v":1,"id":"b","side":"forum","text":"x","rewrite":"y"}"#, "line 2 is no"),
            (r#"{"v":1,"id":"b","side":"crm","text":"x","rewrite":"y","note":"z"}"#, "line 2 is no"),
            (r#"{"v":2,"id":"b","side":"crm","text":"x","rewrite":"y"}"#, "must be 1, not 2"),
            (r#"{"v":1,"id":"b","side":"crm","text":" ","rewrite":"y"}"#, "must not be empty"),
            (good, "earlier line"),
        ] {
            let said = format!("{:#}", parse(&format!("{good}\n{line}")).unwrap_err());
            assert!(said.contains(expected), "{line}: {said}");
        }
        assert!(format!("{:#}", parse("\n").unwrap_err()).contains("no pair"));
    }

    #[tokio::test]
    async fn the_flags_are_kept_for_the_list_that_was_tested() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("candor.db")).await.unwrap();
        let recipes =
            Recipes { post: crate::model::Recipe::new("p", &["1"]), note: crate::model::Recipe::new("n", &["1"]) };
        let file = dir.path().join("pairs.jsonl");
        let mut lines = String::new();
        for i in 0..12 {
            // A leak stays a leak; rust is told in words that the list does not know.
            lines += &format!(
                "{{\"v\":1,\"id\":\"l{i}\",\"side\":\"community\",\"text\":\"The pump leaks water again\",\"rewrite\":\"Pump leaks water.\"}}\n\
                 {{\"v\":1,\"id\":\"r{i}\",\"side\":\"crm\",\"text\":\"Rust eats the frame\",\"rewrite\":\"whole thing is going orange lol\"}}\n"
            );
        }
        fs::write(&file, lines).unwrap();
        let none = run(&store, &recipes, &file, &Embedder::Embedded, 1).await.unwrap_err();
        assert!(format!("{none:#}").contains("candor group"), "{none:#}");

        let problem = |id: &str, name: &str, statement: &str| Problem {
            id: ProblemId::new(id),
            name: name.to_owned(),
            statement: statement.to_owned(),
            terms: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            by_hand: true,
            composed: false,
        };
        let codebook = Codebook::new(
            "hand",
            vec![
                problem("leaks", "Pumps leak", "The pump leaks water"),
                problem("rust", "Frames rust", "Rust eats the frame"),
            ],
        );
        store
            .write_codebook(&codebook, &[], &crate::store::Origin::default(), "2026-01-01T00:00:00Z".parse().unwrap())
            .await
            .unwrap();
        let test = run(&store, &recipes, &file, &Embedder::Embedded, 1).await.unwrap();
        assert_eq!((test.community_pairs, test.crm_pairs), (12, 12));
        let [leaks, rust] = [&test.problems[0].register, &test.problems[1].register];
        assert_eq!((leaks.n, leaks.kappa, leaks.register_sensitive), (12, Some(1.0), false));
        assert_eq!((rust.n, rust.kappa, rust.register_sensitive), (12, Some(0.0), true));
        // A list that follows the data is tested as it is, too.
        let found = Codebook::new(crate::model::problem::BY_MACHINE, codebook.problems().to_vec());
        let origin = crate::store::Origin::default();
        store.write_codebook(&found, &[], &origin, "2026-01-02T00:00:00Z".parse().unwrap()).await.unwrap();
        assert_eq!(run(&store, &recipes, &file, &Embedder::Embedded, 1).await.unwrap(), test);
        let kept = store.register(codebook.hash()).await.unwrap();
        assert_eq!((kept["leaks"], kept["rust"]), (*leaks, *rust));
        assert!(store.register("another").await.unwrap().is_empty());
    }
}
