//! `candor codebook`: the list of problems in a person's hands. Look at it, change it, freeze it, see what changed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output::{Output, grouped, plain_table, terminal_width, wrapped};
use super::problems::asked_for;
use crate::app::App;
use crate::exit::Exit;
use crate::group::edit::{Edit, Edited};
use crate::group::heard::{Heard, heard};
use crate::group::{codebook, edit, lineage};
use crate::model::problem::{BY_HAND, EDITED, made_in_words};
use crate::model::{Change, ChangeKind, Codebook, Problem, ProblemId};
use crate::pipeline;
use crate::store::{CodebookVersion, Origin};
use crate::text::display;

/// Lines of a statement in the list of all problems; the problem's own page has the rest.
const STATEMENT: usize = 2;
const MORE: &str = " …";
/// Columns that names and statements have at least.
const NARROWEST: usize = 20;

#[derive(Debug, Subcommand)]
pub(super) enum CodebookVerb {
    /// The problems: who speaks of each, and in which words.
    Show {
        /// One problem with all its lines and quotes [default: a table of all].
        id: Option<String>,
        #[command(flatten)]
        of: OfVersion,
    },
    /// Write the list as a codebook file, to keep, send or edit.
    Export {
        /// The file to write; - for standard output.
        file: PathBuf,
        #[command(flatten)]
        of: OfVersion,
    },
    /// Change the list. Without a subcommand, the list opens in $VISUAL or $EDITOR.
    Edit {
        #[command(subcommand)]
        edit: Option<EditVerb>,
    },
    /// Freeze the list, so that grouping only sorts into it; with a file, that list.
    Freeze {
        /// A codebook file [default: the list as it is].
        file: Option<PathBuf>,
    },
    /// Let a frozen list be edited and follow the data again.
    Thaw,
    /// What became of each problem from one version to another.
    Diff {
        /// Version number or hash [default: the version before B].
        a: Option<String>,
        /// Version number or hash [default: the current version].
        b: Option<String>,
    },
    /// Every version of the list.
    Log,
}

#[derive(Debug, Args)]
pub(super) struct OfVersion {
    /// Version number or hash [default: the current version].
    #[arg(long, value_name = "N")]
    version: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum EditVerb {
    /// Give a problem another name.
    Rename {
        /// The problem.
        id: String,
        /// A few words a reader recognises it by.
        name: String,
    },
    /// Describe a problem by other words; what is not named stays.
    Describe(DescribeArgs),
    /// Put one problem into another, which keeps its name and takes up its terms and lines.
    Merge {
        /// The problem that goes.
        id: String,
        /// The one that takes it up.
        into: String,
    },
    /// Make a part of a problem one of its own: what says one of the terms, or else what lies apart.
    Split {
        /// The problem.
        id: String,
        /// Words that tell the part; may be given several times.
        #[arg(long, value_name = "WORDS")]
        terms: Vec<String>,
    },
    /// Add a problem.
    Add(AddArgs),
    /// Take a problem off the list; what belonged to it fits nowhere.
    Remove {
        /// The problem.
        id: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct DescribeArgs {
    /// The problem.
    id: String,
    /// Actor, situation, obstacle, consequence, in one sentence.
    #[arg(long, value_name = "SENTENCE")]
    statement: Option<String>,
    /// A typical term; may be given several times, and all replace those before.
    #[arg(long, value_name = "WORDS")]
    term: Option<Vec<String>>,
    /// A sentence that counts as this problem; may be given several times, and all replace those before.
    #[arg(long, value_name = "SENTENCE")]
    include: Option<Vec<String>>,
    /// A near miss that does not count; may be given several times, and all replace those before.
    #[arg(long, value_name = "SENTENCE")]
    exclude: Option<Vec<String>>,
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The id: a-z, 0-9, _ and -.
    #[arg(long)]
    id: String,
    /// A few words a reader recognises it by.
    #[arg(long)]
    name: String,
    /// Actor, situation, obstacle, consequence, in one sentence.
    #[arg(long, value_name = "SENTENCE")]
    statement: String,
    /// A typical term; may be given several times.
    #[arg(long, value_name = "WORDS")]
    term: Vec<String>,
    /// A sentence that counts as this problem; may be given several times.
    #[arg(long, value_name = "SENTENCE")]
    include: Vec<String>,
    /// A near miss that does not count; may be given several times.
    #[arg(long, value_name = "SENTENCE")]
    exclude: Vec<String>,
}

impl EditVerb {
    fn edit(self) -> Edit {
        match self {
            Self::Rename { id, name } => Edit::Rename { id, name },
            Self::Describe(DescribeArgs { id, statement, term, include, exclude }) => {
                Edit::Describe { id, statement, terms: term, include, exclude }
            }
            Self::Merge { id, into } => Edit::Merge { id, into },
            Self::Split { id, terms } => Edit::Split { id, terms },
            Self::Add(AddArgs { id, name, statement, term, include, exclude }) => Edit::Add(Problem {
                id: ProblemId::new(id),
                name,
                statement,
                terms: term,
                include,
                exclude,
                by_hand: true,
                composed: false,
            }),
            Self::Remove { id } => Edit::Remove { id },
        }
    }
}

pub(super) async fn run(app: &App, verb: CodebookVerb, out: &mut Output) -> Result<Exit> {
    match verb {
        CodebookVerb::Show { id, of } => show(app, id.as_deref(), &of, out).await,
        CodebookVerb::Export { file, of } => export(app, &file, &of, out).await,
        CodebookVerb::Edit { edit: Some(edit) } => change(app, edit.edit(), out).await,
        CodebookVerb::Edit { edit: None } => match rewritten(app, out).await? {
            Some(problems) => {
                let draft = draft_of(app);
                let exit = change(app, Edit::Rewrite(problems), out)
                    .await
                    .with_context(|| format!("what you wrote is in {}", draft.display()))?;
                // Not before: an edit that is refused would take what was written with it.
                let _ = std::fs::remove_file(&draft);
                Ok(exit)
            }
            None => {
                out.line("nothing was changed")?;
                Ok(Exit::NothingToDo)
            }
        },
        CodebookVerb::Freeze { file: Some(file) } => freeze_file(app, &file, out).await,
        CodebookVerb::Freeze { file: None } => mark(app, BY_HAND, out).await,
        CodebookVerb::Thaw => mark(app, EDITED, out).await,
        CodebookVerb::Diff { a, b } => diff(app, a.as_deref(), b.as_deref(), out).await,
        CodebookVerb::Log => log(app, out).await,
    }
}

/// The current version with its codebook.
async fn current(app: &App) -> Result<(CodebookVersion, Codebook)> {
    let version = app.store.newest_codebook().await?.context("there is no codebook yet; run `candor group` first")?;
    let codebook = app.store.codebook_of(&version).await?;
    Ok((version, codebook))
}

/// The version that is asked for, with its codebook.
async fn chosen(app: &App, of: &OfVersion) -> Result<(CodebookVersion, Codebook)> {
    let Some(name) = &of.version else { return current(app).await };
    let version = named(&app.store.codebook_versions().await?, name)?.clone();
    let codebook = app.store.codebook_of(&version).await?;
    Ok((version, codebook))
}

async fn show(app: &App, id: Option<&str>, of: &OfVersion, out: &mut Output) -> Result<Exit> {
    let (version, codebook) = chosen(app, of).await?;
    let is_newest = of.version.is_none();
    let heard = heard(&app.store, &app.recipes(), &codebook).await?;
    let nothing = Heard::default();
    let of = |id: &ProblemId| heard.get(&Some(id.clone())).unwrap_or(&nothing);
    let mut problems = codebook.problems().iter().map(|p| (p, of(&p.id))).collect::<Vec<_>>();
    problems.sort_by(|a, b| {
        (b.1.people + b.1.accounts).cmp(&(a.1.people + a.1.accounts)).then_with(|| a.0.id.cmp(&b.0.id))
    });
    if let Some(id) = id {
        let names = problems.iter().map(|(p, _)| (p.id.as_str(), p.name.as_str())).collect::<Vec<_>>();
        let Some(at) = asked_for(&names, id)? else { return Ok(Exit::Usage) };
        problems = vec![problems[at]];
    }
    let other = heard.get(&None).map_or(0, |h| h.units);
    let units = heard.values().map(|h| h.units).sum::<usize>();
    if out.json() {
        let problems = problems.iter().map(|(p, h)| problem_json(p, h)).collect::<Vec<_>>();
        out.value(&json!({
            "v": 1, "version": version.version, "hash": version.hash, "made_by": version.made_by, "problems": problems,
            "units": units, "other": other,
        }))?;
        return Ok(Exit::Done);
    }
    if id.is_some() {
        for (problem, heard) in &problems {
            out.line(&in_full(problem, heard, &codebook))?;
            if is_newest {
                out.line(&format!("who has it, when, and what it costs: `candor problem {}`", problem.id))?;
            }
        }
        return Ok(Exit::Done);
    }
    for line in listed(&problems, terminal_width()) {
        out.line(&line)?;
    }
    out.line(&format!(
        "version {} ({}), {}; {other} of {units} texts fit no problem; `candor codebook show ID` gives quotes",
        version.version,
        short(&version.hash),
        made_in_words(&version.made_by)
    ))?;
    Ok(Exit::Done)
}

/// The problems with their counts, names and the beginnings of their statements, in lines of at most `width` columns where ids leave
/// room for words.
fn listed(problems: &[(&Problem, &Heard)], width: usize) -> Vec<String> {
    let id = problems.iter().map(|(p, _)| p.id.as_str().len()).max().unwrap_or(0);
    let beside =
        |id_words: &str, people: &str, accounts: &str| format!("{id_words:<id$}  {people:>6}  {accounts:>8}  ");
    let head = beside("id", "people", "accounts");
    let (blank, width) = (" ".repeat(head.len()), width.max(head.len() + NARROWEST));
    let mut lines = vec![format!("{head}problem")];
    for (problem, heard) in problems {
        let counts = beside(problem.id.as_str(), &grouped(heard.people as u64), &grouped(heard.accounts as u64));
        let wrapped = |first: &str, words: &str, width: usize| {
            let options = textwrap::Options::new(width).initial_indent(first).subsequent_indent(&blank);
            let words = display::plain(words).split_whitespace().collect::<Vec<_>>().join(" ");
            textwrap::wrap(&words, options).into_iter().map(Cow::into_owned).collect::<Vec<_>>()
        };
        lines.extend(wrapped(&counts, &problem.name, width));
        let statement = wrapped(&blank, &problem.statement, width - MORE.chars().count());
        let more = statement.len() > STATEMENT;
        lines.extend(statement.into_iter().take(STATEMENT));
        if let Some(last) = lines.last_mut().filter(|_| more) {
            last.push_str(MORE);
        }
    }
    lines
}

fn problem_json(problem: &Problem, heard: &Heard) -> Value {
    let quotes = heard.quotes.iter().map(|(side, quote)| json!({ "side": side.as_str(), "quote": quote }));
    json!({
        "id": problem.id, "name": problem.name, "statement": problem.statement, "terms": problem.terms,
        "include": problem.include, "exclude": problem.exclude, "people": heard.people, "accounts": heard.accounts,
        "units": heard.units, "quotes": quotes.collect::<Vec<_>>(),
    })
}

fn in_full(problem: &Problem, heard: &Heard, codebook: &Codebook) -> String {
    let mut text = format!(
        "{}  {}\n{} people, {} accounts, {} texts\n",
        problem.id,
        display::plain(&problem.name),
        grouped(heard.people as u64),
        grouped(heard.accounts as u64),
        grouped(heard.units as u64)
    );
    let mut line = |label: &str, words: &str| {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{}", wrapped(&format!("{label:<10} {words}"), "           "));
    };
    line("statement", &problem.statement);
    if !problem.terms.is_empty() {
        line("terms", &problem.terms.join(", "));
    }
    for words in &problem.include {
        line("counts", words);
    }
    for words in &problem.exclude {
        // What is said of another problem is found there.
        let there = codebook.problems().iter().find(|other| other.id != problem.id && other.include.contains(words));
        let there = there.map_or_else(String::new, |other| format!(" ({}, {})", other.id, other.name));
        line("does not", &format!("{words}{there}"));
    }
    for (side, quote) in &heard.quotes {
        line(side.as_str(), &format!("“{quote}”"));
    }
    text
}

async fn export(app: &App, file: &Path, of: &OfVersion, out: &mut Output) -> Result<Exit> {
    let (_, codebook) = chosen(app, of).await?;
    let text = codebook::to_json(&codebook)?;
    if file == Path::new("-") {
        out.raw(text.trim_end())?;
        return Ok(Exit::Done);
    }
    std::fs::write(file, text).with_context(|| format!("could not write the codebook to {}", file.display()))?;
    out.line(&format!("wrote {} problems to {}", codebook.problems().len(), file.display()))?;
    Ok(Exit::Done)
}

async fn change(app: &App, edit: Edit, out: &mut Output) -> Result<Exit> {
    let seed = app.settings.compare.seed;
    let Edited { codebook, changes, to_sort } =
        edit::edit(&app.store, &app.recipes(), edit, seed, app.clock.now()).await?;
    let (version, _) = current(app).await?;
    let changed = changes.into_iter().filter(|c| c.kind != ChangeKind::Kept).collect::<Vec<_>>();
    if out.json() {
        out.value(&json!({
            "v": 1, "version": version.version, "hash": version.hash, "problems": codebook.problems().len(),
            "changes": changed, "to_sort": to_sort,
        }))?;
        return Ok(Exit::Done);
    }
    for change in &changed {
        out.line(&told(change, &codebook))?;
    }
    out.line(&format!("version {} ({}), {} problems", version.version, short(&version.hash), version.problems))?;
    if to_sort {
        out.line("`candor group` sorts what is said by the new words")?;
    }
    named_elsewhere(app, out)?;
    Ok(Exit::Done)
}

/// A file that the settings name goes before whatever is in the workspace; somebody who edits should know.
fn named_elsewhere(app: &App, out: &mut Output) -> Result<()> {
    if let Some(file) = &app.settings.codebook {
        let file = file.display();
        out.line(&format!(
            "candor.toml names {file}, which `candor group` takes: `candor codebook export {file}`, or unname it"
        ))?;
    }
    Ok(())
}

/// Where the list is edited.
fn draft_of(app: &App) -> PathBuf {
    app.settings.workspace.join("codebook.edit.json")
}

/// Puts `text` into the draft, unless one is left of an edit that could not be used; true when it is.
fn begin(draft: &Path, text: &str) -> Result<bool> {
    let left = draft.exists();
    if !left {
        std::fs::write(draft, text).with_context(|| format!("could not write {}", draft.display()))?;
    }
    Ok(left)
}

/// The list as a person rewrites it in an editor; `None` when they left it as it was. What they wrote stays in the draft.
async fn rewritten(app: &App, out: &mut Output) -> Result<Option<Vec<Problem>>> {
    let (_, codebook) = current(app).await?;
    if codebook.is_frozen() {
        bail!("the codebook is frozen by hand; `candor codebook thaw` lets it be edited");
    }
    if !std::io::stdin().is_terminal() {
        bail!(
            "there is no terminal for an editor; say what to change: candor codebook edit rename|describe|merge|split|add|remove"
        );
    }
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|e| !e.trim().is_empty()));
    let editor =
        editor.context("no editor is named; set EDITOR, or say what to change: `candor codebook edit --help`")?;
    let path = draft_of(app);
    let text = codebook::to_json(&codebook)?;
    if begin(&path, &text)? {
        let path = path.display();
        out.line(&format!("{path} is left of an edit that was not used, and opened; delete it to begin anew"))?;
    }
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let ended = Command::new(program).args(words).arg(&path).status();
    let written = std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
    if written == text {
        let _ = std::fs::remove_file(&path);
    }
    let ended = ended.with_context(|| format!("could not start the editor {editor}"))?;
    if !ended.success() {
        let kept = if written == text { String::new() } else { format!("; what you wrote is in {}", path.display()) };
        bail!("the editor {editor} ended with {ended}; nothing was changed{kept}");
    }
    if written == text {
        return Ok(None);
    }
    let rewritten = codebook::parse(&written)
        .with_context(|| format!("nothing was changed; what you wrote is in {} and cannot be used", path.display()))?;
    Ok(Some(rewritten.problems().to_vec()))
}

async fn freeze_file(app: &App, file: &Path, out: &mut Output) -> Result<Exit> {
    let summary = pipeline::group_into(app, Some(file), false).await?;
    out.stage(app, &summary).await?;
    Ok(summary.exit())
}

/// The same list, made by somebody else.
async fn mark(app: &App, made_by: &str, out: &mut Output) -> Result<Exit> {
    let (version, codebook) = current(app).await?;
    if codebook.problems().is_empty() {
        bail!("the codebook is empty; add problems first: `candor codebook edit add`");
    }
    let frozen = codebook.is_frozen();
    if frozen != (made_by == BY_HAND) {
        let codebook = Codebook::new(made_by, codebook.problems().to_vec());
        let origin = Origin { follows: None, basis: version.basis };
        app.store.write_codebook(&codebook, &[], &origin, app.clock.now()).await?;
    }
    let (version, _) = current(app).await?;
    if out.json() {
        out.value(&json!({
            "v": 1, "version": version.version, "hash": version.hash, "made_by": version.made_by, "problems": version.problems,
        }))?;
        return Ok(Exit::Done);
    }
    let what = if made_by == BY_HAND {
        "is frozen: `candor group` sorts into it and reports what it lacks, and only a person changes it"
    } else {
        "is not frozen: it can be edited, and follows what is said"
    };
    out.line(&format!("version {} ({}) {what}", version.version, short(&version.hash)))?;
    named_elsewhere(app, out)?;
    Ok(Exit::Done)
}

async fn diff(app: &App, a: Option<&str>, b: Option<&str>, out: &mut Output) -> Result<Exit> {
    let versions = app.store.codebook_versions().await?;
    let last = versions.last().context("there is no codebook yet; run `candor group` first")?;
    let to = b.map_or(Ok(last), |b| named(&versions, b))?;
    let from = match a {
        Some(a) => named(&versions, a)?,
        None => match versions.iter().rfind(|v| v.version < to.version) {
            Some(before) => before,
            None => {
                if out.json() {
                    let now = json!({ "version": to.version, "hash": to.hash, "problems": to.problems });
                    out.value(&json!({ "v": 1, "from": null, "to": now, "counts": {}, "changes": [] }))?;
                }
                out.line("there is one version only, so nothing changed yet")?;
                return Ok(Exit::NothingToDo);
            }
        },
    };
    let changes = lineage::between(&app.store, from, to).await?;
    let (before, after) = (app.store.codebook_of(from).await?, app.store.codebook_of(to).await?);
    let counts = lineage::counts(&changes);
    if out.json() {
        let version = |v: &CodebookVersion| json!({ "version": v.version, "hash": v.hash, "problems": v.problems });
        let named = |id: &Option<ProblemId>, codebook: &Codebook| {
            id.as_ref().and_then(|id| codebook.problem(id)).map(|p| p.name.clone())
        };
        let changes = changes.iter().map(|c| {
            json!({
                "kind": c.kind, "from": c.from, "to": c.to, "shared": c.shared,
                "from_name": named(&c.from, &before), "to_name": named(&c.to, &after),
            })
        });
        out.value(&json!({
            "v": 1, "from": version(from), "to": version(to), "counts": counts, "changes": changes.collect::<Vec<_>>(),
        }))?;
        return Ok(Exit::Done);
    }
    out.line(&format!(
        "from version {} ({}, {} problems) to version {} ({}, {} problems)",
        from.version,
        short(&from.hash),
        from.problems,
        to.version,
        short(&to.hash),
        to.problems
    ))?;
    let mut table = plain_table(&["", "before", "after", "texts in both"]);
    for change in &changes {
        let name = |id: &Option<ProblemId>, codebook: &Codebook| {
            id.as_ref()
                .and_then(|id| codebook.problem(id))
                .map_or_else(String::new, |p| format!("{} {}", p.id, display::plain(&p.name)))
        };
        let shared = match change.kind {
            ChangeKind::New | ChangeKind::Retired => String::new(),
            _ => grouped(change.shared),
        };
        table.add_row([change.kind.as_str().to_owned(), name(&change.from, &before), name(&change.to, &after), shared]);
    }
    if let Some(column) = table.column_mut(3) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    out.line(&table.to_string())?;
    Ok(Exit::Done)
}

async fn log(app: &App, out: &mut Output) -> Result<Exit> {
    let versions = app.store.codebook_versions().await?;
    if out.json() {
        let versions = versions.iter().map(|v| {
            json!({
                "version": v.version, "hash": v.hash, "made_by": v.made_by, "problems": v.problems,
                "frozen_at": v.frozen_at.map(|at| at.to_string()),
            })
        });
        out.value(&json!({ "v": 1, "versions": versions.collect::<Vec<_>>() }))?;
    } else {
        let mut table = plain_table(&["version", "hash", "problems", "when", ""]);
        for v in &versions {
            let at = v.frozen_at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M").to_string());
            table.add_row([
                v.version.to_string(),
                short(&v.hash).to_owned(),
                v.problems.to_string(),
                at,
                made_in_words(&v.made_by).to_owned(),
            ]);
        }
        out.line(&table.to_string())?;
    }
    Ok(if versions.is_empty() { Exit::NothingToDo } else { Exit::Done })
}

/// The version that somebody names by its number or the beginning of its hash.
fn named<'a>(versions: &'a [CodebookVersion], name: &str) -> Result<&'a CodebookVersion> {
    let by_number = versions.iter().find(|v| v.version.to_string() == name);
    // Of those with the same content the latest.
    let by_hash = versions.iter().filter(|v| name.len() >= 4 && v.hash.starts_with(name)).map(|v| (&v.hash, v));
    let by_hash = by_hash.collect::<BTreeMap<_, _>>().into_values().collect::<Vec<_>>();
    match (by_number, by_hash.as_slice()) {
        (Some(version), _) => Ok(version),
        (None, [version]) => Ok(version),
        (None, []) => bail!("there is no version {name:?} of the codebook; `candor codebook log` lists them"),
        (None, several) => bail!("{} versions begin with {name:?}; write more of the hash", several.len()),
    }
}

/// A change in a line, with the names that problems have in `codebook`.
fn told(change: &Change, codebook: &Codebook) -> String {
    let name = |id: &ProblemId| match codebook.problem(id) {
        Some(p) => format!("{id} ({})", display::plain(&p.name)),
        None => id.to_string(),
    };
    let mut text = format!("{:<8}", change.kind.as_str());
    if let Some(from) = change.from.as_ref().filter(|from| change.to.as_ref() != Some(from)) {
        let _ = write!(text, " {}", name(from));
    }
    if let Some(to) = &change.to {
        let into = if change.from.is_some() && change.from.as_ref() != Some(to) { " to" } else { "" };
        let _ = write!(text, "{into} {}", name(to));
    }
    if change.shared > 0 {
        let _ = write!(text, ", {} texts", grouped(change.shared));
    }
    text
}

fn short(hash: &str) -> &str {
    &hash[..8.min(hash.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_fits_the_terminal() {
        let problem = |id: &str, words: &str| Problem {
            id: ProblemId::new(id),
            name: "Printer jams on thick paper".to_owned(),
            statement: words.to_owned(),
            terms: Vec::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            by_hand: false,
            composed: false,
        };
        let [long, short] = [problem("p_1", &"paper\n".repeat(100)), problem("p_longer", "It jams.\x1b[31m")];
        let heard = Heard { people: 1_234, ..Heard::default() };
        for width in [0, 80, 120] {
            let lines = listed(&[(&long, &heard), (&short, &heard)], width);
            assert!(lines.iter().all(|l| l.chars().count() <= width.max(48)), "{lines:#?}");
            assert!(lines[1].starts_with("p_1        1,234         0  Printer"), "{lines:#?}");
            assert!(!lines.concat().contains('\x1b'), "{lines:#?}");
        }
        let lines = listed(&[(&long, &heard), (&short, &heard)], 80);
        assert_eq!(lines.len(), 1 + 3 + 2, "two lines of a statement: {lines:#?}");
        assert!(lines[3].ends_with("paper …") && !lines[5].ends_with('…'), "{lines:#?}");
    }

    #[test]
    fn a_draft_that_could_not_be_used_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let draft = dir.path().join("codebook.edit.json");
        assert!(!begin(&draft, "the list").unwrap());
        std::fs::write(&draft, "an hour's work, a comma too many").unwrap();
        assert!(begin(&draft, "the list").unwrap());
        assert_eq!(std::fs::read_to_string(&draft).unwrap(), "an hour's work, a comma too many");
    }
}
