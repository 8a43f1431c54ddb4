//! From the store to cells: what was read, in the window, by person and by account.

mod build;

mod draws;

mod outcomes;

pub(super) mod standing;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::cells::{Cells, Deal, Topic};
use super::labels::{Labels, Stance, Unasked, as_of_now};
use super::moved::COVERED;
use super::scope;
use super::window::{Window, day};
use super::wording::counted;
use crate::config::CompareSettings;
use crate::model::comparison::PopulationV1;
use crate::model::{AuthorKey, PostId, Recipe, Recipes, Scope, Voice};
use crate::store::{
    COORDINATED, CommunityRow, InScope, LabelRow, SampleUnit, Side, Store, StoredNote, StoredPain, Twins, alike, twins,
};
use build::build;
use draws::{Draws, length};

/// A note this long could record a problem (METHOD 3.1.1).
pub(super) const DISCOVERY_WORDS: usize = 40;

/// Which texts are nearly the same: a cluster number per text.
pub type NearDuplicates = fn(&[&str]) -> Vec<usize>;

/// Everything of the store that a comparison of some days looks at.
struct Material {
    problems: Vec<Topic>,
    /// The CRM's days; those of the communities are cut out of `acts` and `posts`.
    window: Window,
    /// The last day that is looked at of the CRM.
    last: Date,
    acts: Vec<CommunityRow>,
    posts: Vec<(AuthorKey, PostId)>,
    /// Representative of every author that was merged with another.
    merged: BTreeMap<AuthorKey, AuthorKey>,
    /// Posts of which another stands by the same person under another account: they tell of accounts and of nothing else.
    echoes: BTreeSet<PostId>,
    /// Authors with more than one post up to the end of the days, copies of their own apart.
    known: BTreeSet<AuthorKey>,
    /// Notes of any day.
    notes: Vec<StoredNote>,
    pains: Vec<StoredPain>,
    /// Segments of accounts, as the store gives them.
    segments: BTreeMap<String, Option<String>>,
    sample: Vec<SampleUnit>,
    /// Problems that labels do not answer for.
    unasked: Unasked,
}

/// Reads the store and builds the cells of the configured window, as of `now`.
#[cfg(test)]
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
    /// What people said, joined.
    labels: Labels,
    shelf: Shelf,
    /// Version of the codebook.
    pub(super) codebook: String,
}

/// What was read of any day.
struct Shelf {
    now: Timestamp,
    /// The days that were configured, or that both sides cover.
    window: Window,
    /// Which people could be buyers, as configured.
    scope: Scope,
    /// Who they are; `None` while everybody is counted.
    people: Option<InScope>,
    /// First-hand acts of everybody.
    acts: Vec<CommunityRow>,
    /// Posts of everybody.
    posts: Vec<(AuthorKey, PostId, Option<Timestamp>)>,
    /// Posts with an act: the cluster of texts in nearly the same words, and whether the text is long enough to merge authors.
    alike: BTreeMap<PostId, (usize, bool)>,
    future_notes: usize,
    deals: Vec<Deal>,
    /// Every hand label.
    rows: Vec<LabelRow>,
    /// What was drawn to be labelled, the latest last.
    draws: Draws,
    /// What is to be said of any days.
    caveats: Vec<String>,
}

/// Reads of the store what a comparison looks at, as of `now`.
///
/// # Errors
/// When there is no codebook yet, the scope names an unknown community, the window is empty by configuration, or the store cannot be
/// read.
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
    let people = match settings.scope.is_empty() {
        true => None,
        false => Some(scope::people(store, &settings.scope, &recipes.post, now, &mut caveats).await?),
    };
    let counts = |author: &AuthorKey| people.as_ref().is_none_or(|people| people.inside.contains(author));
    let latest_post = posts.iter().filter(|(author, ..)| counts(author)).filter_map(|(_, _, at)| *at).max().map(day);
    let latest_note = notes.iter().filter_map(note_time).max().map(day);
    let window = Window::choose(settings, latest_post, (!notes.is_empty()).then_some(latest_note))?;

    let deals = outcomes::deals(store, &notes, now, &mut caveats).await?;
    let problems =
        codebook.problems().iter().map(|p| Topic { id: p.id.as_str().to_owned(), name: p.name.clone() }).collect();
    let (rows, unasked) = as_of_now(store).await?;
    let material = Material {
        problems,
        acts: Vec::new(),
        posts: Vec::new(),
        merged: BTreeMap::new(),
        echoes: BTreeSet::new(),
        known: BTreeSet::new(),
        notes,
        pains: store.pains(&recipes.note, codebook.hash()).await?,
        sample: Vec::new(),
        last: day(now),
        segments: store.segments().await?,
        unasked,
        window: window.clone(),
    };
    let future_notes = future_notes.len();
    let draws = Draws::read(store).await?;
    if !rows.is_empty() {
        caveats.extend(draws.caveats(&settings.scope, &window.up_to(day(now))));
    }
    let (acts, alike, scope) = (Vec::new(), BTreeMap::new(), settings.scope.clone());
    let mut read = Read {
        labels: Labels::join(&rows, Stance::Joined)?,
        material,
        shelf: Shelf { now, window, scope, people, acts, posts, alike, future_notes, deals, rows, draws, caveats },
        codebook: codebook.hash().to_owned(),
    };
    read.acts(store, &recipes.post, near_duplicates).await?;
    Ok(read)
}

impl Read {
    /// Reads what `reader` found in posts.
    async fn acts(&mut self, store: &Store, reader: &Recipe, near_duplicates: NearDuplicates) -> Result<()> {
        let (now, reach) = (self.shelf.now, self.shelf.window.reach());
        let mut acts = store.community_rows(reader, &self.codebook).await?;
        acts.retain(|a| a.voice == Voice::FirstHand && a.written_at.is_none_or(|at| at <= now));
        let told = acts.iter().filter(|a| reach.contains(a.written_at)).map(|a| a.post.clone()).collect();
        self.shelf.alike = alike(store, reader, told, near_duplicates).await?;
        self.shelf.acts = acts;
        Ok(())
    }

    /// The cells `own` of the days of [`Self::own_cells`], with what another `reader` found in posts; that stays read. Who could be a buyer
    /// stays the answer of the first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn by_post_reader(
        &mut self,
        store: &Store,
        reader: &Recipe,
        near_duplicates: NearDuplicates,
        own: &Cells,
    ) -> Result<Cells> {
        self.acts(store, reader, near_duplicates).await?;
        self.cut_own_days();
        Ok(build::other_community(&self.material, &self.labels, own.clone()))
    }

    /// The same, with what another `reader` found in notes.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn by_note_reader(&mut self, store: &Store, reader: &Recipe, own: &Cells) -> Result<Cells> {
        let (now, mut notes) = (self.shelf.now, store.notes(reader).await?);
        notes.retain(|n| note_time(n).is_none_or(|at| at <= now));
        let deals = outcomes::deals(store, &notes, now, &mut Vec::new()).await?;
        self.material.notes = notes;
        self.material.pains = store.pains(reader, &self.codebook).await?;
        self.cut_own_days();
        Ok(Cells { deals, ..build::other_crm(&self.material, &self.labels, own.clone()) })
    }

    /// Which people could be buyers, as configured.
    pub(super) fn scope(&self) -> &Scope {
        &self.shelf.scope
    }

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

    /// The same cells with everybody, whoever could be a buyer, and who tells another role; `None` where everybody is counted anyhow.
    ///
    /// # Errors
    /// As [`Self::cells`].
    pub(super) async fn everybody(&mut self, store: &Store) -> Result<Option<(Cells, BTreeSet<AuthorKey>)>> {
        let Some(people) = self.shelf.people.take() else { return Ok(None) };
        let cells = self.own_cells(store).await;
        let other_role = people.other_role.clone();
        self.shelf.people = Some(people);
        Ok(Some((cells?, other_role)))
    }

    /// Cuts the material to the days of [`Self::own_cells`], for [`Self::relabelled`].
    pub(super) fn cut_own_days(&mut self) {
        let window = self.shelf.window.clone();
        self.cut(&window, &window);
    }

    /// The cells of the days that were cut to last with the hand labels read by `stance`, and how many labelled posts and notes of
    /// these days that changes. Population, deals and caveats are not told again: they are those of the joined labels.
    ///
    /// # Errors
    /// When a stored label has lost its form.
    pub(super) fn relabelled(&self, stance: Stance<'_>) -> Result<(Cells, [u64; 2])> {
        let labels = Labels::join(&self.shelf.rows, stance)?;
        let Material { posts, notes, window, .. } = &self.material;
        let posts = posts.iter().map(|(_, post)| post.as_str()).collect::<BTreeSet<_>>();
        let notes = notes.iter().filter(|n| window.contains(note_time(n))).map(|n| n.note.id.as_str()).collect();
        let [said_of_posts, said_of_notes] = self.labels.apart(&labels);
        let items = [(said_of_posts, posts), (said_of_notes, notes)];
        let items = items.map(|(apart, inside): (BTreeSet<_>, BTreeSet<_>)| apart.intersection(&inside).count() as u64);
        Ok((build(&self.material, &labels, PopulationV1::default(), Vec::new()), items))
    }

    /// Whether any label can be read otherwise.
    pub(super) fn has_contested(&self) -> bool {
        !self.labels.contested.is_empty()
    }

    /// Who labelled by hand, by name; the adjudicator is none of them.
    pub(super) fn annotators(&self) -> Vec<String> {
        Labels::annotators(&self.shelf.rows).into_iter().map(str::to_owned).collect()
    }

    /// The period before that of [`Self::own_cells`]: as many days. Where a sample was drawn for nearly all of them, the days that
    /// it was drawn for, so that its labels count: quarters are not all of one length.
    pub(super) fn before(&self) -> Option<Window> {
        let before = self.shelf.window.before()?;
        let drawn = self.shelf.draws.common(&before);
        drawn.filter(|days| 100 * length(days) >= COVERED * length(&before)).or(Some(before))
    }

    /// The first day with a post, and the first with a note.
    pub(super) fn begins(&self) -> [Option<Date>; 2] {
        let posts = self.shelf.posts.iter().filter(|(author, ..)| self.shelf.counts(author));
        let post = posts.filter_map(|(_, _, at)| *at).min().map(day);
        [post, self.material.notes.iter().filter_map(note_time).min().map(day)]
    }

    /// The cells of these days of the communities, and these of the CRM.
    ///
    /// A drawn sample is a sample of the days it was drawn for. Of days beyond them it says nothing: who was there only then
    /// could not be drawn. So labels count there only where all units have one, or where a sample was drawn for those days.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn cells(&mut self, store: &Store, community: &Window, crm: &Window) -> Result<Cells> {
        let (mut caveats, now) = (self.shelf.caveats.clone(), self.shelf.now);
        let (from, to) = community.instants()?;
        let to = to.map(|to| to.min(now.saturating_add(1.millisecond()).unwrap_or(now)));
        let inside = self.shelf.people.as_ref().map(|people| &people.inside);
        let population = store.post_population(from, to, inside).await?;
        left_out(&mut caveats, "posts", population.undated * i64::from(community.is_bounded()), population.future);
        let undated_notes = self.material.notes.iter().filter(|n| note_time(n).is_none()).count();
        left_out(
            &mut caveats,
            "notes",
            if crm.is_bounded() { i64::try_from(undated_notes)? } else { 0 },
            i64::try_from(self.shelf.future_notes)?,
        );
        caveats.extend(self.cut(community, crm));
        let population = PopulationV1 {
            communities: count(population.communities),
            posts: count(population.posts),
            authors: count(population.authors),
            ..PopulationV1::default()
        };
        Ok(Cells { deals: self.shelf.deals.clone(), ..build(&self.material, &self.labels, population, caveats) })
    }

    /// Cuts the material to these days, and says which posts and authors are told together.
    fn cut(&mut self, community: &Window, crm: &Window) -> Vec<String> {
        let (shelf, material) = (&self.shelf, &mut self.material);
        let acts = shelf.acts.iter().filter(|a| community.contains(a.written_at) && shelf.counts(&a.author));
        let acts = acts.cloned().collect::<Vec<_>>();
        let twins = twins(&acts, &shelf.alike);
        let says = told_together(&twins);
        material.known = known(&shelf.posts, community, &twins.copies);
        material.acts = acts.into_iter().filter(|act| !twins.copies.contains(&act.post)).collect();
        material.merged = twins.merged;
        material.echoes = twins.echoes;
        let inside = shelf.posts.iter().filter(|(author, _, at)| community.contains(*at) && shelf.counts(author));
        material.posts = inside.map(|(author, post, _)| (author.clone(), post.clone())).collect();
        let sample = shelf.sample(Side::Community, community).chain(shelf.sample(Side::Crm, crm));
        material.sample = sample.cloned().collect();
        material.last = crm.until.map_or(day(shelf.now), |last| last.min(day(shelf.now)));
        material.window = crm.clone();
        says
    }
}

/// What is to be said of them.
fn told_together(twins: &Twins) -> Vec<String> {
    let Twins { merged, copies, coordinated, .. } = twins;
    let mut says = Vec::new();
    if !merged.is_empty() {
        says.push(format!(
            "{} author accounts posted nearly the same words and are counted as {}.",
            merged.len(),
            counted(merged.values().collect::<BTreeSet<_>>().len() as u64, "people")
        ));
    }
    if *coordinated > 0 {
        let groups = counted(*coordinated as u64, "groups");
        let look = if *coordinated == 1 { "looks" } else { "look" };
        let (least, hours) = COORDINATED;
        says.push(format!(
                "{groups} {look} coordinated: {least} or more accounts wrote nearly the same words within {hours} hours \
                 (coordinated_suspect). Each such group counts as one person; what it would be with all of them, or none, stands \
                 beside every share."
            ));
    }
    if !copies.is_empty() {
        says.push(format!(
            "{} in nearly the same words as another post of the same author, and not counted again.",
            counted(copies.len() as u64, "posts") + if copies.len() == 1 { " is" } else { " are" }
        ));
    }
    says
}

impl Shelf {
    /// Whether the posts of this author are looked at.
    fn counts(&self, author: &AuthorKey) -> bool {
        self.people.as_ref().is_none_or(|people| people.inside.contains(author))
    }

    /// What was drawn of `side` for these days, of the people that are looked at.
    fn sample(&self, side: Side, days: &Window) -> impl Iterator<Item = &SampleUnit> {
        const EVERYBODY: &Scope = &Scope { communities: Vec::new(), roles: Vec::new() };
        let scope = if self.people.is_some() { &self.scope } else { EVERYBODY };
        self.draws.sample(side, scope, &days.up_to(day(self.now)), self.window.holds(days))
    }
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

#[cfg(test)]
mod tests;
