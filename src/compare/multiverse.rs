//! The same comparison by other readers (METHOD 8.2.5): every pair of a post reader and a note reader, be they the embedded
//! ones, models or prompts, whose readings are in the workspace. One rule holds, as for other days: a run only qualifies what the
//! primary run says; it never makes or unmakes a finding.

use anyhow::Result;

use super::NearDuplicates;
use super::calibration::calibration;
use super::cells::Cells;
use super::commitment::{FLOOR, commitment};
use super::coverage::{apart, coverage, kind};
use super::gather::Read;
use crate::model::comparison::{
    AgreeingV1, ComparisonV1, ComponentV1, CountsV1, MultiverseV1, PopulationV1, ProblemV1,
};
use crate::model::{Recipe, Recipes};
use crate::store::{RecipeUse, Store};

/// Pairs of readers that must agree on a sign, or the verdict is not called stable (METHOD 8.2.5).
pub(super) const AGREEMENT: f64 = 0.90;

/// Of what this comparison's own reader has read and has sorted, another must have so much to be compared.
const ENOUGH: f64 = 0.90;

/// What a comparison is made by.
#[derive(Clone, Copy)]
pub(super) struct Made<'a> {
    pub(super) store: &'a Store,
    pub(super) recipes: &'a Recipes,
    pub(super) near_duplicates: NearDuplicates,
}

/// Makes the comparison again for every other pair of readers, and says which findings are not stable. `None` and nothing said
/// when nobody else has read. `read` is what `primary` was made of.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn multiverse(
    comparison: &mut ComparisonV1,
    primary: &Cells,
    mut read: Read,
    made: Made<'_>,
) -> Result<()> {
    let Made { store, recipes, near_duplicates } = made;
    let codebook = comparison.codebook_hash.clone();
    let mut left_out = Vec::new();
    let posts = others(&recipes.post, &store.post_readers(&codebook).await?, ["posts", "acts"], &mut left_out);
    let notes = others(&recipes.note, &store.note_readers(&codebook).await?, ["notes", "claimed pains"], &mut left_out);
    if posts.is_empty() && notes.is_empty() && left_out.is_empty() {
        return Ok(());
    }
    // A post reader decides the communities' side alone and a note reader the CRM's, so each is read by once.
    let mut people = vec![(&recipes.post, primary.clone())];
    for reader in &posts {
        people.push((reader, read.by_post_reader(store, reader, near_duplicates, primary).await?));
    }
    let mut firms = vec![(&recipes.note, primary.clone())];
    for reader in &notes {
        firms.push((reader, read.by_note_reader(store, reader, primary).await?));
    }
    let own = Run { problems: of_problems(&comparison.problems), components: of_components(&comparison.components) };
    // What only the CRM's reader decides is the same beside every reader of posts.
    let by_notes = firms[1..].iter().map(|(_, crm)| of_components(&by_notes(crm, comparison.seed)));
    let own_firms = own.components.iter().filter(|gap| gap.id != "coverage").cloned().collect();
    let by_notes = std::iter::once(own_firms).chain(by_notes).collect::<Vec<Vec<_>>>();
    let mut runs = Vec::new();
    for (i, (post, community)) in people.iter().enumerate() {
        for (j, (note, crm)) in firms.iter().enumerate() {
            let recipes = Recipes { post: (*post).clone(), note: (*note).clone() };
            let run = if i + j == 0 { own.clone() } else { run(&together(community, crm), &by_notes[j]) };
            runs.push((recipes.both().as_str().to_owned(), run));
        }
    }
    let agreeing = |own: &[Gap], of: fn(&Run) -> &[Gap]| {
        let judged = own.iter().filter(|gap| gap.is_judged());
        judged.map(|gap| agreeing(gap, runs.iter().map(|(_, run)| of(run)))).collect()
    };
    let multiverse = MultiverseV1 {
        problems: agreeing(&own.problems, |run| &run.problems),
        components: agreeing(&own.components, |run| &run.components),
        readers: runs.iter().map(|(readers, _)| readers.clone()).collect(),
        left_out,
    };
    comparison.caveats.extend(unstable(comparison, &multiverse));
    comparison.multiverse = Some(multiverse);
    Ok(())
}

/// The other readers that have read and sorted enough; why the rest have not is told. `words` are what is read and found.
fn others(own: &Recipe, all: &[RecipeUse], words: [&str; 2], left_out: &mut Vec<String>) -> Vec<Recipe> {
    let share = |part: u64, of: u64| if of == 0 { 1.0 } else { part as f64 / of as f64 };
    let Some(known) = all.iter().find(|reader| reader.recipe == *own).cloned() else { return Vec::new() };
    let mut enough = Vec::new();
    for RecipeUse { recipe, read, found, sorted } in newest(own, all) {
        let name = recipe.as_str();
        if share(read, known.read) < ENOUGH {
            left_out.push(format!("{name} has read {read} {}, and this comparison’s reader {}", words[0], known.read));
        } else if share(sorted, found) < ENOUGH * share(known.sorted, known.found) {
            left_out.push(format!(
                "of the {found} {} that {name} found, {sorted} are sorted into this list of problems (`candor group`)",
                words[1]
            ));
        } else {
            enough.push(recipe);
        }
    }
    enough
}

/// The readers beside `own`, each in its newest version: an older version of a reader is no other reader. Which of two versions
/// of one number is the newer is not kept; it is taken to be the one of which more is sorted.
fn newest(own: &Recipe, all: &[RecipeUse]) -> Vec<RecipeUse> {
    let rank = |reader: &RecipeUse| {
        (reader.recipe == *own, reader.recipe.version(), reader.sorted, reader.read, reader.recipe.as_str().to_owned())
    };
    let outdoes = |other: &RecipeUse, reader: &RecipeUse| {
        let newer = other.recipe.version() > reader.recipe.version();
        let replaces = !reader.recipe.is_configured() && rank(other) > rank(reader);
        other.recipe.reader() == reader.recipe.reader() && (newer || replaces)
    };
    let is_outdone = |reader: &RecipeUse| all.iter().any(|other| outdoes(other, reader));
    all.iter().filter(|reader| reader.recipe != *own && !is_outdone(reader)).cloned().collect()
}

/// The communities of one run and the CRM of another.
fn together(community: &Cells, crm: &Cells) -> Cells {
    let PopulationV1 { accounts, discovery_accounts, notes, reps, .. } = crm.population.clone();
    Cells {
        population: PopulationV1 { accounts, discovery_accounts, notes, reps, ..community.population.clone() },
        crm: crm.crm.clone(),
        accounts: crm.accounts.clone(),
        items: [community.items[0], crm.items[1]],
        deals: crm.deals.clone(),
        problems: community.problems.clone(),
        community: community.community.clone(),
        kinds: community.kinds.clone(),
        window: community.window.clone(),
        caveats: Vec::new(),
    }
}

/// The gaps of one pair of readers.
#[derive(Clone)]
struct Run {
    problems: Vec<Gap>,
    components: Vec<Gap>,
}

/// A gap as far as it is compared with others.
#[derive(Clone)]
struct Gap {
    id: String,
    /// A problem that is absent is silent too.
    verdict: String,
    /// What points one way or the other. `None` of what has no sign: a distance, a gap that is none.
    signed: Option<f64>,
}

impl Gap {
    fn is_judged(&self) -> bool {
        matches!(self.verdict.as_str(), "finding" | "silent" | "phantom" | "no_gap_detected")
    }
}

/// The gaps of `cells`; `firms` are those that stand on the CRM's side alone.
fn run(cells: &Cells, firms: &[Gap]) -> Run {
    let (part, problems) = coverage(cells);
    Run { problems: of_problems(&problems), components: [&of_components(&[part])[..], firms].concat() }
}

/// The parts of the gap that stand on the CRM's side alone.
fn by_notes(crm: &Cells, seed: u64) -> [ComponentV1; 3] {
    let (commitment, _) = commitment(crm);
    let (_, [won, value]) = calibration(crm, seed);
    [commitment, won, value]
}

fn of_problems(problems: &[ProblemV1]) -> Vec<Gap> {
    let gap = |p: &ProblemV1| Gap { id: p.id.clone(), verdict: kind(&p.verdict).to_owned(), signed: Some(apart(p)) };
    problems.iter().map(gap).collect()
}

fn of_components(components: &[ComponentV1]) -> Vec<Gap> {
    let gap = |c: &ComponentV1| {
        let signed = match c.name.as_str() {
            "coverage" => None,
            // More or less than is called unbacked optimism.
            "commitment" => c.estimate.map(|rate| rate - FLOOR),
            _ => c.estimate,
        };
        Gap { id: c.name.clone(), verdict: c.verdict.clone(), signed }
    };
    components.iter().map(gap).collect()
}

/// How many of `runs`, of which this comparison is one, agree with `own`.
fn agreeing<'a>(own: &Gap, runs: impl Iterator<Item = &'a [Gap]>) -> AgreeingV1 {
    let same = |there: bool, counts: &mut CountsV1| {
        counts.hits += u64::from(there);
        counts.of += 1;
    };
    let (mut verdicts, mut signs) = (CountsV1::default(), CountsV1::default());
    for gaps in runs {
        let other = gaps.iter().find(|gap| gap.id == own.id);
        let agrees = other.is_some_and(|other| other.verdict == own.verdict);
        same(agrees, &mut verdicts);
        // What is no gap has no sign to keep.
        match own.signed.filter(|_| own.verdict != "no_gap_detected") {
            Some(sign) => {
                let there = other.and_then(|other| other.signed);
                same(there.is_some_and(|there| there.signum() == sign.signum() && there != 0.0), &mut signs);
            }
            None => same(agrees, &mut signs),
        }
    }
    let stable = signs.rate() >= AGREEMENT;
    AgreeingV1 { id: own.id.clone(), same_verdict: verdicts, same_sign: signs, stable }
}

/// By how many pairs of readers what has this id does not keep its sign, in words, where they are too many (METHOD 8.2.5).
pub(super) fn turned(multiverse: &MultiverseV1, id: &str) -> Option<String> {
    let gap = multiverse.problems.iter().chain(&multiverse.components).find(|gap| gap.id == id && !gap.stable)?;
    let CountsV1 { hits, of } = gap.same_sign;
    Some(format!("by {} of {of} pairs of readers", of - hits))
}

/// One sentence for each finding that too few pairs of readers make, though it keeps its sign or has none.
fn unstable(comparison: &ComparisonV1, multiverse: &MultiverseV1) -> Vec<String> {
    let problem = |gap: &AgreeingV1| comparison.problems.iter().find(|p| p.id == gap.id);
    let problems = multiverse.problems.iter().filter_map(|gap| Some((gap, problem(gap)?)));
    let problems = problems.filter(|(_, p)| p.verdict != "no_gap_detected");
    let problems = problems.map(|(gap, p)| (gap, format!("“{}” is called {}", p.name, p.verdict)));
    let finding = |gap: &&AgreeingV1| comparison.components.iter().any(|c| c.name == gap.id && c.verdict == "finding");
    let parts = multiverse.components.iter().filter(finding);
    let parts = parts.map(|gap| (gap, format!("The {} gap is a finding", gap.id.replace('_', " "))));
    let doubted = problems.chain(parts).filter(|(gap, _)| gap.same_verdict.rate() < AGREEMENT);
    doubted
        .filter(|(gap, _)| gap.stable || gap.id == "coverage")
        .map(|(gap, called)| {
            let [CountsV1 { hits, of }, signs] = [gap.same_verdict, gap.same_sign];
            let stable = if gap.stable { "" } else { ": not stable" };
            format!(
                "{called} by {hits} of {of} pairs of readers of the same posts and notes, and points that way by {} of {}{stable}.",
                signs.hits, signs.of
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_version_of_a_reader_is_no_other_reader() {
        let used = |name: &str, sorted| RecipeUse { recipe: Recipe::stored(name), read: 9, found: 9, sorted };
        let all = vec![
            used("embedded-3+aa", 5),
            used("embedded-3+bb", 9),
            used("embedded-12+cc", 1),
            used("embedded-12+dd", 7),
            used("llm-post-1:small:post+aa", 9),
            used("llm-post-2:small:post+bb", 9),
            used("llm-post-2:small:post+cc", 9),
            used("llm-post-1:large:post+aa", 9),
        ];
        let beside = |own: &str| {
            let newest = newest(&Recipe::stored(own), &all).into_iter();
            newest.map(|reader| reader.recipe.as_str().to_owned()).collect::<Vec<_>>()
        };
        let models = ["llm-post-2:small:post+bb", "llm-post-2:small:post+cc", "llm-post-1:large:post+aa"];
        assert_eq!(beside("embedded-12+cc"), models, "this comparison's own reader stands for all its versions");
        assert_eq!(beside(models[2]), ["embedded-12+dd", models[0], models[1]]);
        assert_eq!(beside(models[0]), ["embedded-12+dd", models[1], models[2]], "another prompt is another reader");
    }

    #[test]
    fn a_verdict_is_stable_when_nine_in_ten_point_its_way() {
        let gap = |verdict: &str, signed: Option<f64>| Gap { id: "p".to_owned(), verdict: verdict.to_owned(), signed };
        let agree = |own: Gap, others: &[(usize, &str, Option<f64>)]| {
            let runs = others
                .iter()
                .flat_map(|(n, verdict, signed)| std::iter::repeat_with(|| vec![gap(verdict, *signed)]).take(*n));
            let runs = runs.collect::<Vec<_>>();
            let told = agreeing(&own, runs.iter().map(Vec::as_slice));
            (told.same_verdict.hits, told.same_sign.hits, told.same_sign.of, told.stable)
        };
        let silent = || gap("silent", Some(0.2));
        assert_eq!(agree(silent(), &[(5, "silent", Some(0.2)), (5, "no_gap_detected", Some(0.1))]), (5, 10, 10, true));
        assert_eq!(agree(silent(), &[(9, "silent", Some(0.2)), (1, "phantom", Some(-0.1))]), (9, 9, 10, true));
        assert_eq!(agree(silent(), &[(8, "silent", Some(0.2)), (2, "phantom", Some(-0.1))]), (8, 8, 10, false));
        assert_eq!(
            agree(silent(), &[(1, "silent", Some(0.2)), (1, "silent", None)]),
            (2, 1, 2, false),
            "no sign is none"
        );
        let none = gap("no_gap_detected", Some(0.01));
        assert_eq!(
            agree(none, &[(1, "no_gap_detected", Some(0.01)), (1, "no_gap_detected", Some(-0.01))]),
            (2, 2, 2, true)
        );
        let share = gap("finding", None);
        assert_eq!(agree(share, &[(1, "finding", None), (1, "no_gap_detected", None)]), (1, 1, 2, false));
    }
}
