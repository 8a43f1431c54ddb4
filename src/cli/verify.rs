//! `candor verify`: does the workspace still say what a report says? The comparison is made again as of the report's day and
//! set against the report field by field, its quotes with all that is said of them among these, and every quote is cut again
//! from the text it came from. Nothing is written.

mod differences;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use self::differences::{Agreement, Difference};
use super::output::{Output, wrapped};
use crate::app::App;
use crate::compare;
use crate::exit::Exit;
use crate::report;
use crate::text::{display, near_duplicate};

/// Differences that are printed; `--json` gives all.
const SHOWN: usize = 40;

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// `report.v1.json`, or what `candor compare --json` printed.
    #[arg(value_name = "REPORT.json")]
    file: PathBuf,
}

/// The whole answer, as `--json` prints it.
#[derive(Serialize)]
struct Verified {
    v: u8,
    /// Everything agrees.
    agrees: bool,
    /// Why the numbers could not be derived again; empty when they could.
    cannot: Vec<String>,
    /// Fields that agree, and all, by part of the report.
    parts: Vec<Part>,
    differences: Vec<Difference>,
    quotes: Quotes,
}

#[derive(Serialize)]
struct Part {
    part: String,
    agree: u64,
    of: u64,
}

/// What became of the quotes.
#[derive(Default, Serialize)]
struct Quotes {
    /// Stand in the stored texts byte for byte.
    exact: u64,
    /// Do not stand where they are said to.
    changed: Vec<Quoted>,
    /// Their posts were deleted at the source since.
    gone: Vec<Quoted>,
    /// Their posts or notes are not in this workspace.
    unknown: Vec<Quoted>,
}

/// A quote that is not exact, by its id in the report and the post or note it came from.
#[derive(Serialize)]
struct Quoted {
    id: String,
    item: String,
}

pub(super) async fn run(app: &App, args: &VerifyArgs, out: &mut Output) -> Result<Exit> {
    let then = load(&args.file)?;
    let quotes = recut(app, &then).await?;
    let made = Made::of(&then).with_context(|| format!("in {}", args.file.display()))?;
    let cannot = made.cannot(app).await?;
    let gone = quotes.gone.iter().map(|quote| quote.id.as_str()).collect::<Vec<_>>();
    let agreement = match cannot.as_slice() {
        [] => differences::between(&then, &derived(app, &made).await?, &gone),
        _ => Agreement::default(),
    };
    let parts = agreement.parts.into_iter().map(|(part, (agree, of))| Part { part, agree, of });
    let parts = parts.filter(|part| part.of > 0).collect();
    let agrees =
        cannot.is_empty() && agreement.differences.is_empty() && quotes.changed.is_empty() && quotes.unknown.is_empty();
    let verified = Verified { v: 1, agrees, cannot, parts, differences: agreement.differences, quotes };
    if out.json() {
        out.value(&verified)?;
    } else {
        tell(&verified, made.at, out)?;
    }
    Ok(if agrees { Exit::Done } else { Exit::Failed })
}

fn load(file: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| {
        format!(
            "{} is no JSON; name report.v1.json, or a file with what `candor compare --json` printed",
            file.display()
        )
    })
}

/// What a report or a comparison says of how it was made.
struct Made {
    /// The report's title; `None` for a comparison.
    title: Option<String>,
    /// The instant that was now.
    at: Timestamp,
    config: String,
    codebook: String,
    recipe: String,
    seed: u64,
}

impl Made {
    fn of(then: &Value) -> Result<Self> {
        let report = then.get("sureness");
        if then["v"] != 1 || (report.is_none() && then.get("components").is_none()) {
            bail!(
                "this is neither a report nor a comparison of version 1; name report.v1.json, or what `candor compare --json` printed"
            );
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let uncompared =
            "the report was made without a comparison, so there is nothing to derive again; run `candor report`";
        let (instant, config, codebook, recipe, seed) = match report {
            Some(sure) => {
                let recipes = text(&sure["post_recipe"]).zip(text(&sure["note_recipe"]));
                let recipe = recipes.map(|(post, note)| format!("{post} | {note}"));
                (&then["made_at"], &sure["config_hash"], &sure["codebook"]["hash"], recipe, &sure["seed"])
            }
            None => {
                (&then["as_of"], &then["config_hash"], &then["codebook_hash"], text(&then["recipe"]), &then["seed"])
            }
        };
        let at = text(instant)
            .context("it does not say when it was made; make it anew, older versions did not write that")?;
        Ok(Self {
            title: report.and_then(|_| text(&then["title"])),
            at: at.parse().with_context(|| format!("{at:?} is no instant"))?,
            config: text(config).context(uncompared)?,
            codebook: text(codebook).context(uncompared)?,
            recipe: recipe.context("it does not say what read the posts and the notes")?,
            seed: seed.as_u64().context(uncompared)?,
        })
    }

    /// What stands in the way of deriving it again, one sentence each.
    async fn cannot(&self, app: &App) -> Result<Vec<String>> {
        let settings = &app.settings.compare;
        let codebook = app.store.codebook().await?.map_or_else(|| "none".to_owned(), |(c, _)| c.hash().to_owned());
        let recipe = app.recipes().both().as_str().to_owned();
        let mut says = Vec::new();
        let mut same = |what: &str, then: &str, now: &str, advice: &str| {
            if then != now {
                says.push(format!("It was made with {what} {then}, and here it is {now}: {advice}."));
            }
        };
        same("the seed", &self.seed.to_string(), &settings.seed.to_string(), "set compare.seed to it");
        same("settings", &self.config, &settings.hash(), "name the candor.toml it was made with: --config PATH");
        same(
            "the list of problems",
            &self.codebook,
            &codebook,
            "make that version the current one (`candor codebook log` lists them)",
        );
        same(
            "the readers",
            &self.recipe,
            &recipe,
            "choose them by --reader, or use the version of candor that made it",
        );
        Ok(says)
    }
}

/// The same report or comparison, made again from the store.
async fn derived(app: &App, made: &Made) -> Result<Value> {
    let (recipes, settings) = (app.recipes(), &app.settings.compare);
    let comparison = compare::derive(&app.store, &recipes, settings, made.at, near_duplicate::clusters).await?;
    let json = match &made.title {
        Some(title) => {
            report::json::render(&report::build_by(&app.store, &recipes, title, made.at, comparison).await?)?
        }
        None => serde_json::to_string(&comparison)?,
    };
    // Written and read again, so that both sides went through the same rounding.
    Ok(serde_json::from_str(&json)?)
}

/// Cuts every quote of a report from its text again. A comparison has none.
async fn recut(app: &App, then: &Value) -> Result<Quotes> {
    let mut quotes = Quotes::default();
    for (i, quote) in then["quotes"].as_array().into_iter().flatten().enumerate() {
        let text = |field: &str| quote[field].as_str().unwrap_or_default();
        let offset = |field: &str| quote[field].as_u64().and_then(|n| usize::try_from(n).ok());
        let span = offset("start").zip(offset("end")).with_context(|| format!("quote {} has no place", i + 1))?;
        let of_post = text("side") == "community";
        let item = text(if of_post { "post" } else { "note" });
        let stored = if of_post { app.store.post_text(item).await? } else { app.store.note_text(item).await? };
        let named = Quoted { id: text("id").to_owned(), item: item.to_owned() };
        match stored {
            Some(stored) if stored.get(span.0..span.1) == Some(text("text")) => quotes.exact += 1,
            Some(_) => quotes.changed.push(named),
            None if of_post && app.store.is_removed(item).await? => quotes.gone.push(named),
            None => quotes.unknown.push(named),
        }
    }
    Ok(quotes)
}

/// A field for people; what holds several is not spelled out.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "not there".to_owned(),
        Some(Value::Object(_) | Value::Array(_)) => "there".to_owned(),
        Some(value) => value.to_string(),
    }
}

/// The answer for people.
fn tell(verified: &Verified, at: Timestamp, out: &mut Output) -> Result<()> {
    for reason in &verified.cannot {
        out.line(&wrapped(&format!("The numbers cannot be derived again. {reason}"), "  "))?;
    }
    if verified.cannot.is_empty() {
        let (agree, of) = verified.parts.iter().fold((0, 0), |(a, o), part| (a + part.agree, o + part.of));
        out.line(&format!("Derived again as of {at}: {agree} of {of} fields agree."))?;
        let parts = verified.parts.iter().map(|p| format!("{} {} of {}", p.part, p.agree, p.of)).collect::<Vec<_>>();
        out.line(&wrapped(&format!("  {}", parts.join(", ")), "  "))?;
    }
    for difference in verified.differences.iter().take(SHOWN) {
        let Difference { path, then, now } = difference;
        out.line(&display::plain(&format!("  {path}: {} then, {} now", shown(then.as_ref()), shown(now.as_ref()))))?;
    }
    if verified.differences.len() > SHOWN {
        out.line(&format!("  and {} more; --json gives all", verified.differences.len() - SHOWN))?;
    }
    let Quotes { exact, changed, gone, unknown } = &verified.quotes;
    let all = exact + (changed.len() + gone.len() + unknown.len()) as u64;
    if all > 0 {
        out.line(&format!("Quotes cut again from the stored texts: {exact} of {all} are exact."))?;
    }
    for (quotes, what) in [
        (changed, "do not stand where they are said to"),
        (gone, "are gone, because their posts were deleted at the source since"),
        (unknown, "are of posts or notes that are not in this workspace"),
    ] {
        if !quotes.is_empty() {
            let list = quotes.iter().map(|q| format!("{} ({})", q.id, q.item)).collect::<Vec<_>>().join(", ");
            out.line(&wrapped(&format!("  {} {what}: {list}", quotes.len()), "  "))?;
        }
    }
    out.line(if verified.agrees { "It agrees." } else { "It does not agree." })
}
