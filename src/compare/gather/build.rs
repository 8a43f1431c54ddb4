//! From what was read to the cells of some days.

use std::collections::{BTreeMap, BTreeSet};

use super::super::cells::{Account, Cells, Design, Gold, Items, Kind, Occurrence, Unit, Units, Use};
use super::super::cells::{is_foreign, numbered, unit_gold};
use super::super::evidence_rule::distinct;
use super::super::labels::Labels;
use super::super::wording::counted;
use super::standing::{promises, standing};
use super::{DISCOVERY_WORDS, Material, note_time};
use crate::model::comparison::PopulationV1;
use crate::model::{AuthorKey, Elicitation, PostId, Source};
use crate::store::{CommunityRow, Side, StoredNote, StoredPain};

/// What both sides stand on.
struct Ground<'a> {
    material: &'a Material,
    labels: &'a Labels,
    /// Whether the labels were made for this codebook.
    fits: bool,
    /// Position in the codebook, by id.
    problems: BTreeMap<&'a str, usize>,
}

impl<'a> Ground<'a> {
    fn new(material: &'a Material, labels: &'a Labels, caveats: &mut Vec<String>) -> Self {
        // Codebooks are ordered by id, so the numbers are the positions in the list.
        let problems = numbered(material.problems.iter().map(|p| p.id.as_str()));
        Self { fits: labels_fit(material, labels, &problems, caveats), material, labels, problems }
    }

    /// The problems that no label of these items may be asked about.
    fn unasked<'i>(&self, side: Side, items: impl Iterator<Item = &'i str>) -> BTreeSet<usize> {
        let ids = items.filter_map(|item| self.material.unasked.get(&(side, item.to_owned()))).flatten();
        ids.filter_map(|id| self.problems.get(id.as_str()).copied()).collect()
    }
}

/// The cells of `material`. `population` comes with what only the store can count.
pub(super) fn build(material: &Material, labels: &Labels, population: PopulationV1, mut caveats: Vec<String>) -> Cells {
    let ground = Ground::new(material, labels, &mut caveats);
    let mut cells = Cells {
        problems: material.problems.clone(),
        community: Units::default(),
        crm: Units::default(),
        accounts: Vec::new(),
        items: Default::default(),
        deals: Vec::new(),
        kinds: Vec::new(),
        population,
        window: material.window.published(),
        caveats,
    };
    community_side(&ground, &mut cells);
    crm_side(&ground, &mut cells);
    unasked_caveat(&mut cells);
    cells
}

/// `own` with the communities as `material` has them; nothing is said of it.
pub(super) fn other_community(material: &Material, labels: &Labels, mut own: Cells) -> Cells {
    community_side(&Ground::new(material, labels, &mut Vec::new()), &mut own);
    own
}

/// The same with the CRM, but for its deals.
pub(super) fn other_crm(material: &Material, labels: &Labels, mut own: Cells) -> Cells {
    crm_side(&Ground::new(material, labels, &mut Vec::new()), &mut own);
    own
}

/// Puts the people of `ground` into `cells`.
fn community_side(ground: &Ground<'_>, cells: &mut Cells) {
    let own = |a: &&CommunityRow| !ground.material.echoes.contains(&a.post);
    let threads = numbered(ground.material.acts.iter().filter(own).map(|a| a.thread.as_str()));
    (cells.community, cells.items[0]) = persons(ground, &threads, &mut cells.caveats);
    cells.kinds = kinds(ground.material);
    cells.population.threads = threads.len() as u64;
    cells.population.problem_authors = cells.community.0.len() as u64;
}

/// Puts the accounts of `ground` into `cells`.
fn crm_side(ground: &Ground<'_>, cells: &mut Cells) {
    let material = ground.material;
    let mut by_account = BTreeMap::<&str, Vec<&StoredNote>>::new();
    for note in material.notes.iter().filter(|n| material.window.contains(note_time(n))) {
        by_account.entry(note.note.account.as_str()).or_default().push(note);
    }
    let reps = numbered(by_account.values().flatten().filter_map(|n| n.note.owner.as_deref()));
    (cells.crm, cells.accounts) = firms(ground, &reps, &by_account, &mut cells.caveats);
    let population = &mut cells.population;
    let labelled = by_account.values().flatten().filter(|n| ground.labels.notes.contains_key(n.note.id.as_str()));
    cells.items[1].labelled = labelled.count() as u64;
    cells.items[1].all = by_account.values().map(|notes| notes.len() as u64).sum();
    population.notes = cells.items[1].all;
    population.reps = reps.len() as u64;
    population.accounts = by_account.len() as u64;
    population.discovery_accounts = cells.crm.0.len() as u64;
}

/// Whether the labels speak of this codebook's problems. What a note claims and what stands behind it does not depend on it.
fn labels_fit(
    material: &Material,
    labels: &Labels,
    problems: &BTreeMap<&str, usize>,
    caveats: &mut Vec<String>,
) -> bool {
    let posts = material.posts.iter().map(|(_, post)| post.as_str()).collect::<BTreeSet<_>>();
    let notes = material.notes.iter().map(|n| n.note.id.as_str()).collect::<BTreeSet<_>>();
    let stray = labels.posts.keys().filter(|id| !posts.contains(id.as_str())).count()
        + labels.notes.keys().filter(|id| !notes.contains(id.as_str())).count();
    if stray > 0 {
        caveats.push(format!(
            "{stray} labels are of posts or notes that are outside the window or the scope, or have no known author, and are not used."
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

/// Says for which problems labels were made before they were on the list as they are.
fn unasked_caveat(cells: &mut Cells) {
    let units = cells.community.0.iter().chain(&cells.crm.0);
    let unasked =
        units.filter_map(|u| u.gold.as_ref()).flat_map(|gold| gold.unasked.iter().copied()).collect::<BTreeSet<_>>();
    if !unasked.is_empty() {
        let names = unasked.iter().map(|k| format!("“{}”", cells.problems[*k].name)).collect::<Vec<_>>().join(", ");
        cells.caveats.push(format!(
            "Hand labels were made before {names} came to the list or was divided, and do not answer for it: it is counted by \
             machine. What is labelled or imported from now on answers for the list as it is."
        ));
    }
}

/// The people, and their posts.
fn persons(ground: &Ground<'_>, threads: &BTreeMap<&str, usize>, caveats: &mut Vec<String>) -> (Units, Items) {
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
    let mut all = Items::default();
    for (person, mut acts) in acts {
        // Undated acts come last: what has a date is known to be first. Echoes come after all others.
        let is_echo = |a: &CommunityRow| material.echoes.contains(&a.post);
        acts.sort_by_key(|a| (is_echo(a), a.written_at.is_none(), a.written_at, &a.post, &a.signal));
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
            let problem = act.problem.as_deref().and_then(|id| problems.get(id));
            let Some(problem) = problem.filter(|k| !is_echo(act) || unit.occurrence(**k).is_some()) else {
                unit.other |= !is_echo(act);
                continue;
            };
            let new = authors.insert((*problem, &act.author));
            if is_echo(act) {
                unit.found.iter_mut().filter(|o| o.problem == *problem).for_each(|o| o.accounts += usize::from(new));
                continue;
            }
            let occurrence = found(&mut unit, *problem, place(act).1);
            occurrence.places.insert(place(act));
            occurrence.accounts += usize::from(new);
            occurrence.revealed |= act.revealed;
        }
        let items = posts.get(person).map(Vec::as_slice).unwrap_or_default();
        all.all += items.len() as u64;
        all.labelled += items.iter().filter(|(_, post)| labels.posts.contains_key(post.as_str())).count() as u64;
        let gold = (*fits && !items.is_empty())
            .then(|| unit_gold(items.iter().map(|(_, post)| labels.posts.get(post.as_str())), problems))
            .flatten()
            .map(|gold| Gold {
                unasked: ground.unasked(Side::Community, items.iter().map(|(_, p)| p.as_str())),
                ..gold
            });
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
    (Units(units), all)
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
        let people =
            communities.iter().filter_map(|c| people.get(c)).flatten().map(|p| p.as_str().to_owned()).collect();
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
        let (window, promises) = (&material.window, promises(history, material.last));
        accounts.push(Account {
            id: (*account).to_owned(),
            rep,
            segment: material.segments.get(*account).cloned().flatten(),
            found: standing(window, notes, history, promises, |_| None),
            gold: answers.map(|_| standing(window, notes, history, promises, |id| labels.notes.get(id))),
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
        let gold = fits.then(|| unit_gold(sets.iter().map(Option::as_ref), problems)).flatten();
        unit.gold = gold
            .map(|gold| Gold { unasked: ground.unasked(Side::Crm, notes.iter().map(|n| n.note.id.as_str())), ..gold });
        units.push(unit);
    }

    let named = by_account.keys().filter(|account| material.segments.get(**account) == Some(&None)).count() as u64;
    if named > 0 {
        caveats.push(format!(
            "For {} the CRM’s segment is what a rep or a person at a firm is called; it is not used and not shown.",
            counted(named, "accounts")
        ));
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
