//! A world written down, so that somebody else can hold any method against its truth. `docs/worlds.md` tells the format.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::generate::{Plan, cells};
use super::judge::{apart, drawn, planted, too_high};
use super::{Setting, World};
use crate::compare::cells::{Account, Cells, Unit};
use crate::compare::sample::random;

/// Makes the cells of a plan, every unit labelled.
type Cellular = dyn Fn(&Plan, &mut ChaCha8Rng) -> Cells + Sync;

/// How the cells of a setting are made, and what is true of them.
pub(super) struct Invented {
    pub(super) plan: Plan,
    /// What is true beside the plan; null where nothing is.
    pub(super) planted: Value,
    pub(super) cells: Box<Cellular>,
}

impl Invented {
    /// A plan, and nothing beside it.
    pub(super) fn new(plan: &Plan) -> Self {
        Self { plan: plan.clone(), planted: Value::Null, cells: Box::new(cells) }
    }
}

/// One setting of a world in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// Which variant of the world.
    pub setting: String,
    /// Where it is.
    pub folder: PathBuf,
}

/// A unit with what is true of it (`gold`), and whether it was drawn: then a person labels it, and its weight counts.
#[derive(Serialize, Deserialize)]
struct Line<T> {
    #[serde(flatten)]
    of: T,
    drawn: bool,
}

/// Writes the first run of every setting of `world` with `seed` into folders of their own below `dir`, which nobody has yet.
///
/// # Errors
/// When the world has no cells, its folder is there already, or cannot be written.
pub fn write(world: &World, seed: u64, dir: &Path) -> Result<Vec<Written>> {
    let dir = dir.join(world.name);
    if dir.exists() {
        bail!("{} is there already; name another folder with --write", dir.display());
    }
    let mut written = Vec::new();
    for (number, setting) in (1..).zip(world.settings()) {
        let Some(invented) = &setting.invented else {
            bail!("{} has no people and accounts to write: it reads posts of eval/truth", world.name);
        };
        let folder = dir.join(format!("{number:02}"));
        fs::create_dir_all(&folder)
            .and_then(|()| put(world, &setting, invented, seed, &folder))
            .with_context(|| format!("could not write {}", folder.display()))?;
        written.push(Written { setting: setting.name, folder });
    }
    Ok(written)
}

fn put(world: &World, setting: &Setting, invented: &Invented, seed: u64, folder: &Path) -> std::io::Result<()> {
    let Invented { plan, cells, .. } = invented;
    let rng = &mut random(seed, 0);
    let all = cells(plan, rng);
    let mut sample = all.clone();
    let sample_seed = drawn(plan, &mut sample, rng);
    let units = |all: &[Unit], sample: &[Unit]| {
        let line = |(unit, now): (&Unit, &Unit)| Line {
            of: Unit { weight: now.weight, ..unit.clone() },
            drawn: now.gold.is_some(),
        };
        jsonl(all.iter().zip(sample).map(line))
    };
    let accounts = all.accounts.iter().zip(&sample.accounts).map(|(account, now)| Line {
        of: Account { weight: now.weight, ..account.clone() },
        drawn: now.gold.is_some(),
    });
    fs::write(folder.join("people.jsonl"), units(&all.community.0, &sample.community.0)?)?;
    fs::write(folder.join("accounts.jsonl"), units(&all.crm.0, &sample.crm.0)?)?;
    fs::write(folder.join("interest.jsonl"), jsonl(accounts)?)?;
    fs::write(folder.join("deals.jsonl"), jsonl(all.deals.iter())?)?;
    let problems = all.problems.iter().zip(&plan.problems).map(|(topic, problem)| {
        json!({
            "id": topic.id, "name": topic.name, "community": problem.community, "crm": problem.crm, "gap": planted(problem),
            "posts": problem.posts, "notes": problem.notes,
        })
    });
    let too_high = (plan.deals > 0).then(|| too_high(plan));
    let truth = json!({
        "v": 1, "world": world.name, "truth": world.truth, "setting": setting.name, "seed": seed,
        "problems": problems.collect::<Vec<_>>(),
        "mix": apart(plan),
        "claims": plan.claims, "unbacked": plan.claims.unbacked(),
        "forecast_less_won": too_high.map(|t| t[0]), "forecast_less_kept": too_high.map(|t| t[1]),
        "planted": invented.planted,
        "labels": plan.labels, "sample_seed": sample_seed, "population": all.population,
    });
    fs::write(folder.join("truth.json"), serde_json::to_string_pretty(&truth)? + "\n")
}

fn jsonl<T: Serialize>(lines: impl Iterator<Item = T>) -> serde_json::Result<String> {
    lines.map(|line| Ok(serde_json::to_string(&line)? + "\n")).collect()
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::compare::cells::{Gold, Topic, Units};
    use crate::compare::{Origin, compare};
    use crate::simulate::find;
    use crate::simulate::judge::Scene;

    fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Vec<T> {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The cells that a folder tells of, with the labels of its sample.
    fn cells_of(folder: &Path, truth: &Value) -> Cells {
        let units = |name| {
            let unit = |Line { of, drawn }: Line<Unit>| Unit { gold: of.gold.filter(|_: &Gold| drawn), ..of };
            Units(read(folder, name).into_iter().map(unit).collect())
        };
        let account = |Line { of, drawn }: Line<Account>| Account { gold: of.gold.filter(|_| drawn), ..of };
        let text = |p: &Value, field: &str| p[field].as_str().unwrap().to_owned();
        let problems = truth["problems"].as_array().unwrap().iter();
        Cells {
            problems: problems.map(|p| Topic { id: text(p, "id"), name: text(p, "name") }).collect(),
            community: units("people.jsonl"),
            crm: units("accounts.jsonl"),
            accounts: read(folder, "interest.jsonl").into_iter().map(account).collect(),
            items: Default::default(),
            deals: read(folder, "deals.jsonl"),
            kinds: Vec::new(),
            population: serde_json::from_value(truth["population"].clone()).unwrap(),
            window: serde_json::from_value(json!({"since": null, "until": null, "why": ""})).unwrap(),
            caveats: Vec::new(),
        }
    }

    /// Numbers that went through decimals may differ in their last digit.
    fn near(one: &Value, two: &Value) -> bool {
        match (one, two) {
            (Value::Object(one), Value::Object(two)) => {
                one.len() == two.len() && one.iter().all(|(name, value)| near(value, &two[name]))
            }
            (Value::Array(one), Value::Array(two)) => {
                one.len() == two.len() && one.iter().zip(two).all(|(one, two)| near(one, two))
            }
            _ => match (one.as_f64(), two.as_f64()) {
                (Some(one), Some(two)) => (one - two).abs() <= 1e-9 * one.abs().max(1.0),
                _ => one == two,
            },
        }
    }

    fn truth(folder: &Path) -> Value {
        serde_json::from_str(&fs::read_to_string(folder.join("truth.json")).unwrap()).unwrap()
    }

    #[test]
    fn who_reads_a_world_gets_the_answer_that_is_scored() {
        let dir = tempfile::tempdir().unwrap();
        // Deals; labels for some; an attack; a story that changes accounts and deals; labels for all.
        for (name, number) in [("W3", 6), ("W4", 0), ("W7", 4), ("W8", 0), ("W9", 1)] {
            let world = find(name).unwrap();
            let folder = &write(world, 5, dir.path()).unwrap()[number].folder;
            let settings = world.settings();
            let Invented { plan, cells, .. } = settings[number].invented.as_ref().unwrap();
            let rng = &mut random(5, 0);
            let made = cells(plan, rng);
            let scored = Scene::of(plan, made, rng).answer;

            let truth = truth(folder);
            let (none, seed) = (String::new, truth["sample_seed"].as_u64().unwrap());
            let origin = Origin { config_hash: none(), codebook_hash: none(), recipe: none(), seed };
            let again = compare(&cells_of(folder, &truth), &origin);
            let [scored, again] = [scored, again].map(|answer| serde_json::to_value(answer).unwrap());
            for part in ["problems", "components", "optimism", "calibration", "labels", "population"] {
                assert!(near(&scored[part], &again[part]), "{name}, {part}: {} {}", scored[part], again[part]);
            }
        }
    }

    #[test]
    fn the_truth_is_what_the_world_says() {
        let dir = tempfile::tempdir().unwrap();
        let of = |name, number: usize| truth(&write(find(name).unwrap(), 1, dir.path()).unwrap()[number].folder);
        let w2 = of("W2", 0);
        let gaps = |gap: &str| w2["problems"].as_array().unwrap().iter().filter(|p| p["gap"] == gap).count();
        assert_eq!((gaps("silent"), gaps("phantom")), (4, 4));
        assert_eq!((&w2["problems"][0]["community"], &w2["problems"][0]["crm"]), (&json!(0.2), &json!(0.02)));
        let w3 = of("W3", 6);
        assert_eq!((&w3["forecast_less_won"], &w2["forecast_less_won"]), (&json!(0.1), &Value::Null));
        assert_eq!(of("W4", 0)["unbacked"], 0.2);
        assert_eq!(of("W5", 0)["planted"]["posting"][2]["bias"], 3.0);
        assert_eq!(of("W8", 0)["planted"]["claims_untrue"], false);
    }

    #[test]
    fn nothing_is_written_over_and_a_world_without_cells_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let w9 = find("W9").unwrap();
        write(w9, 1, dir.path()).unwrap();
        let says = |world| write(world, 1, dir.path()).unwrap_err().to_string();
        assert!(says(w9).contains("is there already"));
        assert!(says(find("W12").unwrap()).contains("eval/truth"));
    }
}
