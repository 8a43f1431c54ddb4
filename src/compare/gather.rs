//! From the store to cells: what was read, in the window, by person and by account.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use jiff::Timestamp;

use super::cells::{Account, Cells, Design, Occurrence, Standing, Topic, Unit, Units, Use};
use super::cells::{is_foreign, numbered, unit_gold};
use super::labels::{Labels, NoteAnswer};
use super::window::{Window, day};
use super::wording::counted;
use crate::config::CompareSettings;
use crate::model::comparison::PopulationV1;
use crate::model::{AuthorKey, CommitmentStatus, Corroboration, Elicitation, Giver, PostId, Recipes, Voice};
use crate::store::{CommunityRow, SampleUnit, Side, Store, StoredNote, StoredPain};

/// A note this long could record a problem (METHOD 3.1.1).
const DISCOVERY_WORDS: usize = 40;

/// A claim of strong interest has this many days to be followed by something (METHOD 3.5).
const SETTLING_DAYS: i64 = 30;

/// The lowest level of the commitment ladder that backs a claim (METHOD 3.5).
pub const BACKING_LEVEL: u8 = 2;

/// Shorter texts are written alike by people who never met, so they do not merge authors.
const MERGE_WORDS: usize = 12;

/// Signals read at a time.
const PAGE: i64 = 2000;

/// Which texts are nearly the same: a cluster number per text.
pub type NearDuplicates = fn(&[&str]) -> Vec<usize>;

/// The cells with what they were made from.
pub(super) struct Gathered {
    pub(super) cells: Cells,
    pub(super) codebook: String,
}

/// Everything of the store that a comparison looks at.
struct Material {
    problems: Vec<Topic>,
    window: Window,
    acts: Vec<CommunityRow>,
    posts: Vec<(AuthorKey, PostId)>,
    /// Representative of every author that was merged with another.
    merged: BTreeMap<AuthorKey, AuthorKey>,
    /// Notes up to the end of the window.
    notes: Vec<StoredNote>,
    pains: Vec<StoredPain>,
    labels: Labels,
    sample: Vec<SampleUnit>,
}

/// Reads the store and builds the cells of the configured window, as of `now`.
///
/// # Errors
/// When there is no codebook yet, the window is empty by configuration, or the store cannot be read.
pub(super) async fn gather(
    store: &Store,
    recipes: &Recipes,
    settings: &CompareSettings,
    now: Timestamp,
    near_duplicates: NearDuplicates,
) -> Result<Gathered> {
    let Read { material, population, caveats, codebook } = read(store, recipes, settings, now, near_duplicates).await?;
    Ok(Gathered { cells: build(&material, population, caveats), codebook })
}

/// What was read of the store, before it is counted.
struct Read {
    material: Material,
    population: PopulationV1,
    caveats: Vec<String>,
    codebook: String,
}

async fn read(
    store: &Store,
    recipes: &Recipes,
    settings: &CompareSettings,
    now: Timestamp,
    near_duplicates: NearDuplicates,
) -> Result<Read> {
    let (codebook, _) = store
        .codebook()
        .await?
        .context("there is no list of problems to compare on yet; run `candor group` first, after extract and crm")?;
    let mut caveats = Vec::new();
    if !codebook.is_frozen() {
        caveats.push(
            "The list of problems was made by machine from the same posts and notes that are measured on it; freeze it and \
             measure on later ones before relying on it."
                .to_owned(),
        );
    }
    let all_posts = store.author_posts().await?;
    let (notes, future_notes) = store
        .notes(&recipes.note)
        .await?
        .into_iter()
        .partition::<Vec<_>, _>(|n| note_time(n).is_none_or(|at| at <= now));
    let latest_post = all_posts.iter().filter_map(|(_, _, at)| *at).filter(|at| *at <= now).max().map(day);
    let latest_note = notes.iter().filter_map(note_time).max().map(day);
    let window = Window::choose(settings, latest_post, (!notes.is_empty()).then_some(latest_note))?;

    let (from, to) = window.instants()?;
    let population = store.post_population(from, to).await?;
    left_out(&mut caveats, "posts", population.undated * i64::from(window.is_bounded()), population.future);
    let undated_notes = notes.iter().filter(|n| note_time(n).is_none()).count();
    left_out(
        &mut caveats,
        "notes",
        if window.is_bounded() { i64::try_from(undated_notes)? } else { 0 },
        i64::try_from(future_notes.len())?,
    );

    let acts = store.community_rows(&recipes.post, codebook.hash()).await?;
    let acts =
        acts.into_iter().filter(|a| a.voice == Voice::FirstHand && window.contains(a.written_at)).collect::<Vec<_>>();
    let Twins { merged, copies } = twins(store, recipes, &acts, near_duplicates).await?;
    let acts = acts.into_iter().filter(|act| !copies.contains(&act.post)).collect::<Vec<_>>();
    if !merged.is_empty() {
        caveats.push(format!(
            "{} author accounts posted nearly the same words and are counted as {}.",
            merged.len(),
            counted(merged.values().collect::<BTreeSet<_>>().len() as u64, "people")
        ));
    }
    if !copies.is_empty() {
        caveats.push(format!(
            "{} in nearly the same words as another post of the same author, and not counted again.",
            counted(copies.len() as u64, "posts") + if copies.len() == 1 { " is" } else { " are" }
        ));
    }
    let posts = all_posts.into_iter().filter(|(_, _, at)| window.contains(*at)).map(|(a, p, _)| (a, p)).collect();
    let problems =
        codebook.problems().iter().map(|p| Topic { id: p.id.as_str().to_owned(), name: p.name.clone() }).collect();
    let material = Material {
        problems,
        acts,
        posts,
        merged,
        notes,
        pains: store.pains(&recipes.note, codebook.hash()).await?,
        labels: Labels::join(&store.labels().await?)?,
        sample: store.sample().await?,
        window,
    };
    let population = PopulationV1 {
        communities: count(population.communities),
        posts: count(population.posts),
        authors: count(population.authors),
        ..PopulationV1::default()
    };
    Ok(Read { material, population, caveats, codebook: codebook.hash().to_owned() })
}

/// What has to be labelled for the drawn sample to count.
pub(super) struct Drawn {
    pub(super) cells: Cells,
    /// Person and post, by person and post.
    pub(super) posts: Vec<(String, String)>,
    /// Notes of the drawn accounts in the window, by account and time.
    pub(super) notes: Vec<StoredNote>,
}

/// The cells, and every item of the drawn units in the window.
pub(super) async fn drawn_items(
    store: &Store,
    recipes: &Recipes,
    settings: &CompareSettings,
    now: Timestamp,
    near_duplicates: NearDuplicates,
) -> Result<Drawn> {
    let Read { material, population, caveats, .. } = read(store, recipes, settings, now, near_duplicates).await?;
    let cells = build(&material, population, caveats);
    let Material { posts, merged, notes, sample, window, .. } = material;
    let of = |side| sample.iter().filter(move |u| u.side == side).map(|u| u.unit.as_str());
    // An author that was drawn may have been merged with another since.
    let person = |author: &AuthorKey| merged.get(author).unwrap_or(author).as_str().to_owned();
    let persons = of(Side::Community).map(|u| person(&AuthorKey::new(u))).collect::<BTreeSet<_>>();
    let accounts = of(Side::Crm).collect::<BTreeSet<_>>();
    let posts = posts.into_iter().map(|(author, post)| (person(&author), post.as_str().to_owned()));
    let mut posts = posts.filter(|(person, _)| persons.contains(person)).collect::<Vec<_>>();
    posts.sort();
    let notes = notes
        .into_iter()
        .filter(|n| window.contains(note_time(n)) && accounts.contains(n.note.account.as_str()))
        .collect();
    Ok(Drawn { cells, posts, notes })
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// When a note belongs to: when it was entered, else when what it tells of happened.
fn note_time(note: &StoredNote) -> Option<Timestamp> {
    note.note.written_at.or(note.note.happened_at)
}

fn left_out(caveats: &mut Vec<String>, what: &str, undated: i64, future: i64) {
    for (n, why) in [(undated, "no date"), (future, "a date in the future")] {
        if n > 0 {
            let (carry, are) = if n == 1 { ("carries", "is") } else { ("carry", "are") };
            caveats.push(format!("{} {carry} {why} and {are} left out.", counted(count(n), what)));
        }
    }
}

/// Posts in nearly the same words (METHOD 3.2, 9.1): of several accounts, which then count as one person, or of one, which then
/// said it once, as when the same channel was collected from two kinds of exports.
struct Twins {
    /// The smallest key among each of them, by author.
    merged: BTreeMap<AuthorKey, AuthorKey>,
    /// Posts of which another of the same account stands.
    copies: BTreeSet<PostId>,
}

async fn twins(
    store: &Store,
    recipes: &Recipes,
    acts: &[CommunityRow],
    near_duplicates: NearDuplicates,
) -> Result<Twins> {
    let mut wanted = acts.iter().map(|a| (&a.post, a)).collect::<BTreeMap<_, _>>();
    let mut texts = Vec::<(&CommunityRow, String)>::new();
    let mut after = String::new();
    loop {
        let page = store.signals(&recipes.post, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.signal.id.as_str().to_owned();
        for signal in page {
            if let Some(act) = wanted.remove(&signal.signal.post) {
                texts.push((act, signal.text));
            }
        }
    }
    let clusters = near_duplicates(&texts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>());
    let long = |text: &String| text.split_whitespace().count() >= MERGE_WORDS;
    let links = texts.iter().zip(&clusters).filter(|((_, text), _)| long(text));
    let merged = joined(&links.map(|((act, _), cluster)| (&act.author, *cluster)).collect::<Vec<_>>());
    // Of one channel in two exports all posts of the same one stand, so that threads are not counted twice.
    let mut said = BTreeMap::<_, BTreeSet<_>>::new();
    for ((act, _), cluster) in texts.iter().zip(clusters) {
        said.entry((&act.author, cluster)).or_default().insert((&act.thread, &act.post));
    }
    let copies = said.values().flat_map(|posts| posts.iter().skip(1)).map(|(_, post)| (*post).clone()).collect();
    Ok(Twins { merged, copies })
}

/// Joins authors that share a cluster of texts, directly or through others.
fn joined(links: &[(&AuthorKey, usize)]) -> BTreeMap<AuthorKey, AuthorKey> {
    fn root<'a>(parents: &BTreeMap<&'a AuthorKey, &'a AuthorKey>, mut key: &'a AuthorKey) -> &'a AuthorKey {
        while let Some(parent) = parents.get(key).filter(|p| **p != key) {
            key = parent;
        }
        key
    }
    let mut parents = BTreeMap::<&AuthorKey, &AuthorKey>::new();
    let mut first = BTreeMap::<usize, &AuthorKey>::new();
    for (author, cluster) in links {
        let (a, b) = (root(&parents, author), root(&parents, first.entry(*cluster).or_insert(author)));
        // The smaller key is the root, so the representative does not depend on the order of the texts.
        let root = a.min(b);
        for key in [a, b, author] {
            parents.insert(key, root);
        }
    }
    let roots = parents.keys().map(|key| (*key, root(&parents, key))).collect::<BTreeMap<_, _>>();
    let several = roots.iter().filter(|(key, root)| key != root).map(|(_, root)| *root).collect::<BTreeSet<_>>();
    roots
        .into_iter()
        .filter(|(_, root)| several.contains(root))
        .map(|(key, root)| (key.clone(), root.clone()))
        .collect()
}

/// What both sides stand on.
struct Ground<'a> {
    material: &'a Material,
    labels: &'a Labels,
    /// Whether the labels were made for this codebook.
    fits: bool,
    /// Position in the codebook, by id.
    problems: BTreeMap<&'a str, usize>,
}

/// The cells of `material`. `population` comes with what only the store can count.
fn build(material: &Material, mut population: PopulationV1, mut caveats: Vec<String>) -> Cells {
    let problems = numbered(material.problems.iter().map(|p| p.id.as_str()));
    // Codebooks are ordered by id, so the numbers are the positions in the list.
    let fits = labels_fit(material, &problems, &mut caveats);
    let ground = Ground { material, labels: &material.labels, fits, problems };

    let threads = numbered(material.acts.iter().map(|a| a.thread.as_str()));
    population.threads = threads.len() as u64;
    let community = persons(&ground, &threads, &mut caveats);
    population.problem_authors = community.0.len() as u64;

    let inside = |note: &&StoredNote| material.window.contains(note_time(note));
    let mut by_account = BTreeMap::<&str, Vec<&StoredNote>>::new();
    for note in material.notes.iter().filter(inside) {
        by_account.entry(note.note.account.as_str()).or_default().push(note);
        population.notes += 1;
    }
    let reps = numbered(by_account.values().flatten().filter_map(|n| n.note.owner.as_deref()));
    population.reps = reps.len() as u64;
    population.accounts = by_account.len() as u64;
    let (crm, accounts) = firms(&ground, &reps, &by_account, &mut caveats);
    population.discovery_accounts = crm.0.len() as u64;

    Cells {
        problems: material.problems.clone(),
        community,
        crm,
        accounts,
        deals: Vec::new(),
        population,
        window: material.window.published(),
        caveats,
    }
}

/// Whether the labels speak of this codebook's problems. What a note claims and what stands behind it does not depend on it.
fn labels_fit(material: &Material, problems: &BTreeMap<&str, usize>, caveats: &mut Vec<String>) -> bool {
    let labels = &material.labels;
    let posts = material.posts.iter().map(|(_, post)| post.as_str()).collect::<BTreeSet<_>>();
    let notes = material.notes.iter().map(|n| n.note.id.as_str()).collect::<BTreeSet<_>>();
    let stray = labels.posts.keys().filter(|id| !posts.contains(id.as_str())).count()
        + labels.notes.keys().filter(|id| !notes.contains(id.as_str())).count();
    if stray > 0 {
        caveats.push(format!(
            "{stray} labels are of posts or notes that are not in the window, or have no known author, and are not used."
        ));
    }
    if labels.ties > 0 {
        caveats.push(format!("On {} questions the annotators split evenly; these count as no.", labels.ties));
    }
    let contested = labels.contested.iter().filter(|(side, item)| match side {
        Side::Community => posts.contains(item.as_str()),
        Side::Crm => notes.contains(item.as_str()),
    });
    let contested = contested.count() as u64;
    if contested > 0 {
        let are = if contested == 1 { "is" } else { "are" };
        caveats.push(format!(
            "{} of {} labelled {are} contested: marked so, or read differently by two annotators and not settled yet \
             (`candor label adjudicate`).",
            counted(contested, "items"),
            labels.posts.len() + labels.notes.len(),
        ));
    }
    let named = || labels.posts.values().flatten().chain(labels.notes.values().flat_map(|n| &n.problems));
    let foreign = named().map(String::as_str).filter(|id| is_foreign(id, problems)).collect::<BTreeSet<_>>();
    if foreign.is_empty() {
        return true;
    }
    let list = foreign.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    if named().any(|id| problems.contains_key(id.as_str())) {
        caveats.push(format!(
            "{} problems in the labels are not in the list of problems ({list}) and count as other.",
            foreign.len()
        ));
        return true;
    }
    caveats.push(format!(
        "The labels were made for another list of problems ({list}) and cannot correct this one; freeze the list they were made \
         for as the codebook."
    ));
    false
}

fn persons(ground: &Ground<'_>, threads: &BTreeMap<&str, usize>, caveats: &mut Vec<String>) -> Units {
    let Ground { material, labels, fits, problems } = ground;
    let person = |author| material.merged.get(author).unwrap_or(author);
    let communities = numbered(material.acts.iter().map(|a| a.community.as_str()));
    let mut acts = BTreeMap::<&AuthorKey, Vec<&CommunityRow>>::new();
    for act in &material.acts {
        acts.entry(person(&act.author)).or_default().push(act);
    }
    let mut posts = BTreeMap::<&AuthorKey, Vec<(&AuthorKey, &PostId)>>::new();
    for (author, post) in &material.posts {
        posts.entry(person(author)).or_default().push((author, post));
    }

    let mut units = Vec::new();
    let mut labelled = Vec::new();
    for (person, mut acts) in acts {
        // Undated acts come last: what has a date is known to be first.
        acts.sort_by_key(|a| (a.written_at.is_none(), a.written_at, &a.post, &a.signal));
        let place = |a: &CommunityRow| (communities[a.community.as_str()], threads[a.thread.as_str()]);
        let mut unit = Unit {
            id: person.as_str().to_owned(),
            cluster: acts.first().map_or(0, |a| place(a).1),
            rep: None,
            accounts: distinct(acts.iter().map(|a| &a.author)),
            found: Vec::new(),
            other: false,
            gold: None,
            weight: 1.0,
        };
        let mut authors = BTreeSet::new();
        for act in acts {
            let Some(problem) = act.problem.as_deref().and_then(|id| problems.get(id)) else {
                unit.other = true;
                continue;
            };
            let new = authors.insert((*problem, &act.author));
            let occurrence = found(&mut unit, *problem, place(act).1);
            occurrence.places.insert(place(act));
            occurrence.accounts += usize::from(new);
        }
        let items = posts.get(person).map(Vec::as_slice).unwrap_or_default();
        let gold = (*fits && !items.is_empty())
            .then(|| unit_gold(items.iter().map(|(_, post)| labels.posts.get(post.as_str())), problems))
            .flatten();
        let keys = items.iter().map(|(author, _)| author.as_str()).chain([person.as_str()]).collect();
        labelled.push((keys, gold.is_some()));
        unit.gold = gold;
        units.push(unit);
    }
    let (weights, counts) = design(material, Side::Community).weights(&labelled);
    for (unit, weight) in units.iter_mut().zip(weights) {
        unit.gold = unit.gold.take().filter(|_| weight.is_some());
        unit.weight = weight.unwrap_or(1.0);
    }
    label_caveats(caveats, "people", counts);
    Units(units)
}

/// The occurrence of `problem` in `unit`, made when it is the first, with one more counted.
fn found(unit: &mut Unit, problem: usize, cluster: usize) -> &mut Occurrence {
    let at = match unit.found.binary_search_by_key(&problem, |o| o.problem) {
        Ok(at) => at,
        Err(at) => {
            let new =
                Occurrence { problem, count: 0, accounts: 0, cluster, places: BTreeSet::new(), elicitation: None };
            unit.found.insert(at, new);
            at
        }
    };
    let occurrence = &mut unit.found[at];
    occurrence.count += 1;
    occurrence
}

fn distinct<T: Ord>(of: impl Iterator<Item = T>) -> usize {
    of.collect::<BTreeSet<_>>().len()
}

fn design(material: &Material, side: Side) -> Design<'_> {
    let drawn = material.sample.iter().filter(|u| u.side == side).map(|u| (u.unit.as_str(), u.weight)).collect();
    Design { drawn }
}

fn label_caveats(caveats: &mut Vec<String>, what: &str, counts: Use) {
    let Use { labelled, not_drawn, drawn, used } = counts;
    if labelled == 0 {
        return;
    }
    if not_drawn > 0 && drawn == 0 {
        caveats.push(format!(
            "{labelled} {what} are labelled, but none was drawn at random, so the labels correct nothing: draw a sample first, \
             or label all."
        ));
    } else if not_drawn > 0 {
        caveats.push(format!("{not_drawn} labelled {what} were not in the drawn sample and are not used."));
    }
    if used < drawn {
        caveats.push(format!(
            "Of {drawn} {what} drawn for labelling {used} are labelled; the rest is assumed to be like them."
        ));
    }
}

fn firms(
    ground: &Ground<'_>,
    reps: &BTreeMap<&str, usize>,
    by_account: &BTreeMap<&str, Vec<&StoredNote>>,
    caveats: &mut Vec<String>,
) -> (Units, Vec<Account>) {
    let Ground { material, labels, fits, problems } = ground;
    let mut pains = BTreeMap::<&str, Vec<&StoredPain>>::new();
    for pain in &material.pains {
        pains.entry(pain.note.as_str()).or_default().push(pain);
    }
    let mut earlier = BTreeMap::<&str, Vec<&StoredNote>>::new();
    for note in material.notes.iter().filter(|n| material.window.is_older_than(note_time(n), 0)) {
        earlier.entry(note.note.account.as_str()).or_default().push(note);
    }

    let (mut units, mut accounts) = (Vec::new(), Vec::new());
    for (number, (account, notes)) in by_account.iter().enumerate() {
        let rep = main_rep(notes).and_then(|name| reps.get(name).copied()).unwrap_or(reps.len() + number);
        let history = earlier.get(account).map(Vec::as_slice).unwrap_or_default();
        let answers = notes.iter().map(|n| labels.notes.get(n.note.id.as_str())).collect::<Option<Vec<_>>>();
        accounts.push(Account {
            id: (*account).to_owned(),
            rep,
            found: standing(material, notes, history, |_| None),
            gold: answers.map(|_| standing(material, notes, history, |id| labels.notes.get(id))),
            weight: 1.0,
        });

        let claims = || notes.iter().flat_map(|n| pains.get(n.note.id.as_str()).into_iter().flatten());
        let discovery = notes.iter().any(|n| n.note.text.split_whitespace().count() >= DISCOVERY_WORDS)
            || claims().next().is_some();
        if !discovery {
            continue;
        }
        let mut unit = Unit {
            id: (*account).to_owned(),
            cluster: number,
            rep: Some(rep),
            accounts: 1,
            found: Vec::new(),
            other: false,
            gold: None,
            weight: 1.0,
        };
        for claim in claims() {
            let Some(problem) = claim.problem.as_deref().and_then(|id| problems.get(id)) else {
                unit.other = true;
                continue;
            };
            let occurrence = found(&mut unit, *problem, number);
            occurrence.accounts = 1;
            let rank = |e: &Elicitation| Elicitation::ALL.iter().position(|x| x == e);
            occurrence.elicitation =
                occurrence.elicitation.into_iter().chain([claim.pain.elicitation]).min_by_key(rank);
        }
        let sets = notes
            .iter()
            .map(|n| Some(labels.notes.get(n.note.id.as_str())?.problems.iter().cloned().collect::<BTreeSet<_>>()))
            .collect::<Vec<_>>();
        unit.gold = fits.then(|| unit_gold(sets.iter().map(Option::as_ref), problems)).flatten();
        units.push(unit);
    }

    let drawn = design(material, Side::Crm);
    let labelled = accounts.iter().map(|a| (vec![a.id.as_str()], a.gold.is_some())).collect::<Vec<_>>();
    let (weights, counts) = drawn.weights(&labelled);
    label_caveats(caveats, "accounts", counts);
    for (account, weight) in accounts.iter_mut().zip(weights) {
        account.gold = account.gold.filter(|_| weight.is_some());
        account.weight = weight.unwrap_or(1.0);
    }
    let labelled = units.iter().map(|u| (vec![u.id.as_str()], u.gold.is_some())).collect::<Vec<_>>();
    let (weights, _) = drawn.weights(&labelled);
    for (unit, weight) in units.iter_mut().zip(weights) {
        unit.gold = unit.gold.take().filter(|_| weight.is_some());
        unit.weight = weight.unwrap_or(1.0);
    }
    (Units(units), accounts)
}

/// Who wrote most of the notes; of several the first by name.
fn main_rep<'a>(notes: &[&'a StoredNote]) -> Option<&'a str> {
    let mut counts = BTreeMap::<&str, usize>::new();
    for owner in notes.iter().filter_map(|n| n.note.owner.as_deref()) {
        *counts.entry(owner).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(name, n)| (*n, std::cmp::Reverse(*name))).map(|(name, _)| name)
}

/// What the notes in the window claim and what all notes up to its end show. `label` gives the hand label of a note; where it
/// gives none the reader's word stands, so that a deal closed before the window is not called unbacked.
fn standing<'a>(
    material: &Material,
    notes: &[&StoredNote],
    history: &[&StoredNote],
    label: impl Fn(&str) -> Option<&'a NoteAnswer>,
) -> Standing {
    let interest = |n: &StoredNote| match label(n.note.id.as_str()) {
        Some(answer) => answer.interest,
        None => n.reading.as_ref().and_then(|r| r.interest).map(crate::model::Interest::level),
    };
    let backed = |n: &StoredNote| match label(n.note.id.as_str()) {
        Some(answer) => answer.backed,
        None => n.reading.iter().flat_map(|r| &r.commitments).any(|c| {
            c.level >= BACKING_LEVEL
                && c.who == Giver::Buyer
                && c.status == CommitmentStatus::Kept
                && c.corroboration != Corroboration::NoteOnly
        }),
    };
    let asked = |n: &StoredNote| match label(n.note.id.as_str()) {
        Some(answer) => answer.asked,
        None => n.reading.as_ref().is_some_and(|r| r.asked),
    };
    Standing {
        strong: notes
            .iter()
            .any(|n| interest(n) >= Some(3) && material.window.is_older_than(note_time(n), SETTLING_DAYS)),
        backed: history.iter().any(|n| backed(n)),
        asked: history.iter().any(|n| asked(n)),
    }
}

#[cfg(test)]
mod tests;
