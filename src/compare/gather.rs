//! From the store to cells: what was read, in the window, by person and by account.

mod outcomes;

pub(super) mod standing;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::cells::{Account, Cells, Deal, Design, Kind, Occurrence, Topic, Unit, Units, Use};
use super::cells::{is_foreign, numbered, unit_gold};
use super::labels::Labels;
use super::window::{Window, day};
use super::wording::counted;
use crate::config::CompareSettings;
use crate::model::comparison::PopulationV1;
use crate::model::{AuthorKey, Elicitation, PostId, Recipes, Source, Voice};
use crate::store::{CommunityRow, SampleUnit, Side, Store, StoredNote, StoredPain};
use standing::standing;

/// A note this long could record a problem (METHOD 3.1.1).
pub(super) const DISCOVERY_WORDS: usize = 40;

/// Shorter texts are written alike by people who never met, so they do not merge authors.
const MERGE_WORDS: usize = 12;

/// So many people who write nearly the same within so many hours are suspected of coordination (METHOD 9.1).
const COORDINATED: (usize, i64) = (3, 72);

/// Signals read at a time.
const PAGE: i64 = 2000;

/// Which texts are nearly the same: a cluster number per text.
pub type NearDuplicates = fn(&[&str]) -> Vec<usize>;

/// Everything of the store that a comparison of some days looks at.
struct Material {
    problems: Vec<Topic>,
    /// The CRM's days; those of the communities are cut out of `acts` and `posts`.
    window: Window,
    acts: Vec<CommunityRow>,
    posts: Vec<(AuthorKey, PostId)>,
    /// Representative of every author that was merged with another.
    merged: BTreeMap<AuthorKey, AuthorKey>,
    /// Authors with more than one post up to the end of the days, copies of their own apart.
    known: BTreeSet<AuthorKey>,
    /// Notes of any day.
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
) -> Result<Cells> {
    read(store, recipes, settings, now, near_duplicates).await?.own_cells(store).await
}

/// What was read of the store, from which the cells of any days are cut.
pub(super) struct Read {
    /// Cut to the days that were asked for last; of none before any were.
    material: Material,
    shelf: Shelf,
    /// Version of the codebook.
    pub(super) codebook: String,
}

/// What was read of any day.
struct Shelf {
    now: Timestamp,
    /// The days that were configured, or that both sides cover.
    window: Window,
    /// First-hand acts.
    acts: Vec<CommunityRow>,
    posts: Vec<(AuthorKey, PostId, Option<Timestamp>)>,
    /// Posts with an act: the cluster of texts in nearly the same words, and whether the text is long enough to merge authors.
    alike: BTreeMap<PostId, (usize, bool)>,
    future_notes: usize,
    deals: Vec<Deal>,
    sample: Vec<SampleUnit>,
    /// What is to be said of any days.
    caveats: Vec<String>,
}

pub(super) async fn read(
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
    let known = |at: Option<Timestamp>| at.is_none_or(|at| at <= now);
    let mut posts = store.author_posts().await?;
    posts.retain(|(_, _, at)| known(*at));
    let (notes, future_notes) =
        store.notes(&recipes.note).await?.into_iter().partition::<Vec<_>, _>(|n| known(note_time(n)));
    let latest_post = posts.iter().filter_map(|(_, _, at)| *at).max().map(day);
    let latest_note = notes.iter().filter_map(note_time).max().map(day);
    let window = Window::choose(settings, latest_post, (!notes.is_empty()).then_some(latest_note))?;

    let deals = outcomes::deals(store, &notes, now, &mut caveats).await?;
    let mut acts = store.community_rows(&recipes.post, codebook.hash()).await?;
    acts.retain(|a| a.voice == Voice::FirstHand && known(a.written_at));
    let reach = window.reach();
    let told = acts.iter().filter(|a| reach.contains(a.written_at)).map(|a| a.post.clone()).collect();
    let alike = alike(store, recipes, told, near_duplicates).await?;
    let problems =
        codebook.problems().iter().map(|p| Topic { id: p.id.as_str().to_owned(), name: p.name.clone() }).collect();
    let material = Material {
        problems,
        acts: Vec::new(),
        posts: Vec::new(),
        merged: BTreeMap::new(),
        known: BTreeSet::new(),
        notes,
        pains: store.pains(&recipes.note, codebook.hash()).await?,
        labels: Labels::join(&store.labels().await?)?,
        sample: Vec::new(),
        window: window.clone(),
    };
    let (sample, future_notes) = (store.sample().await?, future_notes.len());
    Ok(Read {
        material,
        shelf: Shelf { now, window, acts, posts, alike, future_notes, deals, sample, caveats },
        codebook: codebook.hash().to_owned(),
    })
}

impl Read {
    /// The days that were configured, or that both sides cover.
    pub(super) fn window(&self) -> &Window {
        &self.shelf.window
    }

    /// The cells of these days on both sides.
    ///
    /// # Errors
    /// As [`Self::cells`].
    pub(super) async fn own_cells(&mut self, store: &Store) -> Result<Cells> {
        let window = self.shelf.window.clone();
        self.cells(store, &window, &window).await
    }

    /// The first day with a post, and the first with a note.
    pub(super) fn begins(&self) -> [Option<Date>; 2] {
        let post = self.shelf.posts.iter().filter_map(|(_, _, at)| *at).min().map(day);
        [post, self.material.notes.iter().filter_map(note_time).min().map(day)]
    }

    /// The cells of these days of the communities, and these of the CRM.
    ///
    /// A drawn sample is a sample of the days it was drawn for. Of days beyond them it says nothing: who was there only then
    /// could not be drawn. So labels count there only where all units have one.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn cells(&mut self, store: &Store, community: &Window, crm: &Window) -> Result<Cells> {
        let (mut caveats, now) = (self.shelf.caveats.clone(), self.shelf.now);
        let (from, to) = community.instants()?;
        let to = to.map(|to| to.min(now.saturating_add(1.millisecond()).unwrap_or(now)));
        let population = store.post_population(from, to).await?;
        left_out(&mut caveats, "posts", population.undated * i64::from(community.is_bounded()), population.future);
        let undated_notes = self.material.notes.iter().filter(|n| note_time(n).is_none()).count();
        left_out(
            &mut caveats,
            "notes",
            if crm.is_bounded() { i64::try_from(undated_notes)? } else { 0 },
            i64::try_from(self.shelf.future_notes)?,
        );
        let (copies, coordinated) = self.cut(community, crm);
        let merged = &self.material.merged;
        if !merged.is_empty() {
            caveats.push(format!(
                "{} author accounts posted nearly the same words and are counted as {}.",
                merged.len(),
                counted(merged.values().collect::<BTreeSet<_>>().len() as u64, "people")
            ));
        }
        if coordinated > 0 {
            let groups = counted(coordinated as u64, "groups");
            let look = if coordinated == 1 { "looks" } else { "look" };
            caveats.push(format!(
                "{groups} {look} coordinated: {} or more accounts wrote nearly the same words within {} hours (coordinated_suspect). Each such group \
                 counts as one person; what it would be with all of them, or none, stands beside every share.",
                COORDINATED.0,
                COORDINATED.1
            ));
        }
        if copies > 0 {
            caveats.push(format!(
                "{} in nearly the same words as another post of the same author, and not counted again.",
                counted(copies as u64, "posts") + if copies == 1 { " is" } else { " are" }
            ));
        }
        let population = PopulationV1 {
            communities: count(population.communities),
            posts: count(population.posts),
            authors: count(population.authors),
            ..PopulationV1::default()
        };
        Ok(Cells { deals: self.shelf.deals.clone(), ..build(&self.material, population, caveats) })
    }

    /// Cuts the material to these days, and says how many posts are copies of another of their author, and how many groups of
    /// accounts look coordinated.
    fn cut(&mut self, community: &Window, crm: &Window) -> (usize, usize) {
        let (shelf, material) = (&self.shelf, &mut self.material);
        let acts = shelf.acts.iter().filter(|a| community.contains(a.written_at)).cloned().collect::<Vec<_>>();
        let Twins { merged, copies, coordinated } = twins(&acts, &shelf.alike);
        material.acts = acts.into_iter().filter(|act| !copies.contains(&act.post)).collect();
        material.merged = merged;
        material.known = known(&shelf.posts, community, &copies);
        let inside = shelf.posts.iter().filter(|(_, _, at)| community.contains(*at));
        material.posts = inside.map(|(author, post, _)| (author.clone(), post.clone())).collect();
        let drawn_from = |side| match side {
            Side::Community => shelf.window.holds(community),
            Side::Crm => shelf.window.holds(crm),
        };
        material.sample = shelf.sample.iter().filter(|u| drawn_from(u.side)).cloned().collect();
        material.window = crm.clone();
        (copies.len(), coordinated)
    }
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
    let mut read = read(store, recipes, settings, now, near_duplicates).await?;
    let cells = read.own_cells(store).await?;
    let Material { posts, merged, notes, sample, window, .. } = read.material;
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
    /// Groups of accounts that wrote nearly the same within a short time.
    coordinated: usize,
}

/// Which of the posts `wanted` are in nearly the same words, whatever their days.
async fn alike(
    store: &Store,
    recipes: &Recipes,
    mut wanted: BTreeSet<PostId>,
    near_duplicates: NearDuplicates,
) -> Result<BTreeMap<PostId, (usize, bool)>> {
    let mut texts = Vec::<(PostId, String)>::new();
    let mut after = String::new();
    loop {
        let page = store.signals(&recipes.post, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.signal.id.as_str().to_owned();
        for signal in page {
            if wanted.remove(&signal.signal.post) {
                texts.push((signal.signal.post, signal.text));
            }
        }
    }
    let clusters = near_duplicates(&texts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>());
    let long = |text: &str| text.split_whitespace().count() >= MERGE_WORDS;
    Ok(texts.into_iter().zip(clusters).map(|((post, text), cluster)| (post, (cluster, long(&text)))).collect())
}

fn twins(acts: &[CommunityRow], alike: &BTreeMap<PostId, (usize, bool)>) -> Twins {
    let posts = acts.iter().map(|a| (&a.post, a)).collect::<BTreeMap<_, _>>();
    let told = posts.into_iter().filter_map(|(post, act)| Some((act, *alike.get(post)?))).collect::<Vec<_>>();
    let links = told.iter().filter(|(_, (_, long))| *long);
    let merged = joined(&links.map(|(act, (cluster, _))| (&act.author, *cluster)).collect::<Vec<_>>());
    // Of one channel in two exports all posts of the same one stand, so that threads are not counted twice.
    let mut said = BTreeMap::<_, BTreeSet<_>>::new();
    let mut groups = BTreeMap::<usize, Vec<(Timestamp, &AuthorKey)>>::new();
    for (act, (cluster, _)) in told.iter().filter(|(_, (_, long))| *long) {
        groups.entry(*cluster).or_default().extend(act.written_at.map(|at| (at, &act.author)));
    }
    let coordinated = groups.into_values().map(is_coordinated).filter(|coordinated| *coordinated).count();
    for (act, (cluster, _)) in told {
        said.entry((&act.author, cluster)).or_default().insert((&act.thread, &act.post));
    }
    let copies = said.values().flat_map(|posts| posts.iter().skip(1)).map(|(_, post)| (*post).clone()).collect();
    Twins { merged, copies, coordinated }
}

/// Authors with more than one of `posts` up to the end of these days, `copies` apart.
fn known(
    posts: &[(AuthorKey, PostId, Option<Timestamp>)],
    days: &Window,
    copies: &BTreeSet<PostId>,
) -> BTreeSet<AuthorKey> {
    let mut once = BTreeSet::new();
    let posts = posts.iter().filter(|(_, post, at)| days.is_older_than(*at, 0) && !copies.contains(post));
    posts.map(|(author, ..)| author).filter(|author| !once.insert(*author)).cloned().collect()
}

/// Whether so many authors wrote so close in time.
fn is_coordinated(mut posts: Vec<(Timestamp, &AuthorKey)>) -> bool {
    let (least, hours) = COORDINATED;
    posts.sort_unstable();
    (0..posts.len()).any(|i| {
        let near = posts[i..].iter().take_while(|(at, _)| at.duration_since(posts[i].0).as_hours() <= hours);
        distinct(near.map(|(_, author)| author)) >= least
    })
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
        kinds: kinds(material),
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
            newcomer: !acts.iter().any(|a| material.known.contains(&a.author)),
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
            occurrence.revealed |= act.revealed;
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

/// What kinds of communities people tell in, by name.
fn kinds(material: &Material) -> Vec<Kind> {
    let communities = numbered(material.acts.iter().map(|a| a.community.as_str()));
    let mut kinds = BTreeMap::<&'static str, BTreeSet<usize>>::new();
    let mut people = BTreeMap::<usize, BTreeSet<&AuthorKey>>::new();
    for act in &material.acts {
        let community = communities[act.community.as_str()];
        kinds.entry(Source::of_post(&act.post).map_or("other", Source::kind)).or_default().insert(community);
        people.entry(community).or_default().insert(material.merged.get(&act.author).unwrap_or(&act.author));
    }
    let kind = |(name, communities): (_, BTreeSet<usize>)| {
        let people = distinct(communities.iter().filter_map(|c| people.get(c)).flatten()) as u64;
        Kind { name, communities, people }
    };
    kinds.into_iter().map(kind).collect()
}

/// The occurrence of `problem` in `unit`, made when it is the first, with one more counted.
fn found(unit: &mut Unit, problem: usize, cluster: usize) -> &mut Occurrence {
    let at = match unit.found.binary_search_by_key(&problem, |o| o.problem) {
        Ok(at) => at,
        Err(at) => {
            let new = Occurrence {
                problem,
                count: 0,
                accounts: 0,
                cluster,
                places: BTreeSet::new(),
                elicitation: None,
                revealed: false,
            };
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
            newcomer: false,
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

#[cfg(test)]
mod tests;
