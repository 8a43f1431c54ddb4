//! What the communities say, gathered in one pass over the signals.
//!
//! Counts are distinct people whose first-hand, problem-bearing posts lie in the window; bots, deleted accounts and posts
//! dated in the future are left out, as the comparison leaves them out. Only counts and shortlists are kept, so memory
//! grows with the number of problems and people, not with the length of what they wrote.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use jiff::civil::Date;

use super::display;
use super::facts;
use super::means::{Attempt, Elsewhere};
use super::phrases::Words;
use super::quotes::{self, Shortlist};
use super::texture::{PostSlots, Texture};
use super::view::{Excluded, Link, Origin, QuoteView, SeverityView};
use super::window::Window;
use super::words;
use crate::model::{Act, ActKind, AuthorKey, Evidence, Recipe, Voice};
use crate::store::{Side, Store, StoredSignal, alike, twins};
use crate::text::near_duplicate;

/// Signals read at a time.
const PAGE: i64 = 4096;
/// Longest stretch of words that is looked at for a means, bytes.
const LONGEST_MEANS: usize = 200;

/// Everything gathered about the communities.
#[derive(Default)]
pub(super) struct Community {
    /// People with any first-hand, problem-bearing post.
    pub(super) people: BTreeSet<u32>,
    /// By problem, in the order given.
    pub(super) problems: Vec<Heard>,
    /// As [`Heard::severity`], for complaints about no problem of the list.
    pub(super) other_severity: BTreeMap<u32, u8>,
    /// What they tried, whether or not it failed.
    pub(super) attempts: Vec<Attempt>,
    /// Words used outside of attempts.
    pub(super) elsewhere: Elsewhere,
    /// Quotes kept, all voices.
    pub(super) signals: u64,
    /// Posts in the window, and who is never counted.
    pub(super) excluded: Excluded,
}

/// What was heard about one problem.
#[derive(Default)]
pub(super) struct Heard {
    /// Distinct people.
    pub(super) people: BTreeSet<u32>,
    /// People by thread.
    pub(super) threads: BTreeMap<String, BTreeSet<u32>>,
    /// How often each person tells of it.
    pub(super) told: BTreeMap<u32, u64>,
    /// The severity of each person's sharpest complaint.
    pub(super) severity: BTreeMap<u32, u8>,
    /// How sharply people complain of it.
    pub(super) contrast: SeverityView,
    /// Who speaks in its threads and is never counted.
    pub(super) excluded: Excluded,
    /// People by community.
    pub(super) communities: BTreeMap<String, BTreeSet<u32>>,
    /// People by act.
    pub(super) acts: BTreeMap<ActKind, BTreeSet<u32>>,
    /// Who spoke on which day.
    pub(super) days: BTreeSet<(Date, u32)>,
    /// The best quotes.
    pub(super) quotes: Shortlist,
    /// What was left and what for.
    pub(super) switches: BTreeMap<Way, Switched>,
    /// Roles, frequency, costs.
    pub(super) texture: Texture,
}

/// From what to what; names that differ only in case are one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Way {
    /// Lower case: what is left.
    from: Option<String>,
    /// Lower case: what for.
    to: Option<String>,
    /// How far.
    pub(super) stage: &'static str,
}

/// Who went one way.
#[derive(Default)]
pub(super) struct Switched {
    /// Distinct people.
    pub(super) people: BTreeSet<u32>,
    /// As written, capitals first: what is left, and what for.
    pub(super) names: [Option<String>; 2],
    /// The best quotes.
    pub(super) quotes: Shortlist,
}

impl Way {
    fn of(from: Option<&Evidence>, to: Option<&Evidence>, stage: &'static str) -> Self {
        let name = |e: Option<&Evidence>| e.map(|e| e.quote().trim().to_lowercase());
        Self { from: name(from), to: name(to), stage }
    }
}

impl Switched {
    /// Keeps the spelling that sorts first, so that the order of reading does not matter.
    fn spell(&mut self, from: Option<&Evidence>, to: Option<&Evidence>) {
        for (kept, seen) in self.names.iter_mut().zip([from, to]) {
            let seen = seen.map(|e| e.quote().trim().to_owned());
            if kept.is_none() || seen < *kept {
                *kept = seen;
            }
        }
    }
}

/// Gathers what `recipe` read about `problems` (ids), assigned under `codebook`; of the authors `inside`, where only some are counted.
pub(super) async fn gather(
    store: &Store,
    recipe: &Recipe,
    codebook: &str,
    problems: &[&str],
    window: Window,
    inside: Option<&BTreeSet<AuthorKey>>,
    bar: &ProgressBar,
) -> Result<Community> {
    let index = problems.iter().enumerate().map(|(i, id)| (*id, i)).collect::<HashMap<_, _>>();
    let rows = store.community_rows(recipe, codebook).await.context("could not read the signals of the communities")?;
    let rows = rows.into_iter().filter(|row| row.voice == Voice::FirstHand && window.holds(row.written_at));
    let rows = rows.filter(|row| inside.is_none_or(|inside| inside.contains(&row.author)));
    let rows = rows.collect::<Vec<_>>();
    // Posts in nearly the same words are one, and so are their authors, as in the comparison (METHOD 9.1).
    let posts = rows.iter().map(|row| row.post.clone()).collect();
    let twins = twins(&rows, &alike(store, recipe, posts, near_duplicate::clusters).await?);
    let mut countable = HashMap::<String, Option<usize>>::with_capacity(rows.len());
    for row in rows.iter().filter(|row| !twins.copies.contains(&row.post) && !twins.echoes.contains(&row.post)) {
        let problem = row.problem.as_deref().and_then(|id| index.get(id).copied());
        countable.insert(row.signal.as_str().to_owned(), problem);
    }
    let mut similarity = HashMap::<String, f64>::new();
    for a in store.assignments(codebook).await.context("could not read which signal belongs to which problem")? {
        if a.side == Side::Community && countable.contains_key(&a.unit) {
            similarity.insert(a.unit, a.score);
        }
    }
    let mut slots = PostSlots::read(store, recipe).await?;
    let mut pass = Pass {
        community: Community { problems: problems.iter().map(|_| Heard::default()).collect(), ..Community::default() },
        people: HashMap::new(),
        merged: twins.merged,
        words: Words::new(),
    };
    let mut after = String::new();
    loop {
        let page = store.signals(recipe, &after, PAGE).await.context("could not read signals")?;
        let Some(last) = page.last() else { break };
        after = last.signal.id.as_str().to_owned();
        bar.inc(page.len() as u64);
        pass.community.signals += page.len() as u64;
        for signal in &page {
            let id = signal.signal.id.as_str();
            if let Some(&problem) = countable.get(id) {
                pass.take(signal, problem, similarity.get(id).copied().unwrap_or_default(), &mut slots);
            }
        }
    }
    slots.settle(&mut pass.community.problems);
    let mut community = pass.community;
    let severity = community.problems.iter().map(|h| &h.severity).collect::<Vec<_>>();
    let contrasts = facts::severity(&severity, &community.other_severity);
    community.problems.iter_mut().zip(contrasts).for_each(|(heard, contrast)| heard.contrast = contrast);
    exclude(store, recipe, window, &mut community).await?;
    Ok(community)
}

/// Counts the posts that are never counted: all of them, and those in the threads of each problem.
async fn exclude(store: &Store, recipe: &Recipe, window: Window, community: &mut Community) -> Result<()> {
    let (since, until) = window.instants();
    let threads = store.thread_voices(recipe, since, until).await.context("could not count who speaks where")?;
    for voices in threads {
        let [posts, bots, promo] = [voices.posts, voices.bots, voices.promo].map(|n| u64::try_from(n).unwrap_or(0));
        let add = |excluded: &mut Excluded| {
            excluded.posts += posts;
            excluded.bots += bots;
            excluded.promo += promo;
        };
        add(&mut community.excluded);
        let heard = community.problems.iter_mut().filter(|h| h.threads.contains_key(&voices.thread));
        heard.for_each(|h| add(&mut h.excluded));
    }
    Ok(())
}

struct Pass {
    community: Community,
    people: HashMap<String, u32>,
    /// Who stands for authors that are counted as one person.
    merged: BTreeMap<AuthorKey, AuthorKey>,
    words: Words,
}

impl Pass {
    fn take(&mut self, stored: &StoredSignal, problem: Option<usize>, similarity: f64, slots: &mut PostSlots) {
        let Some(author) = &stored.author else { return };
        let author = self.merged.get(author).unwrap_or(author);
        let next = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
        let person = *self.people.entry(author.as_str().to_owned()).or_insert(next);
        self.community.people.insert(person);
        self.take_attempt(stored, person, problem);
        if let Act::Complaint { severity } = &stored.signal.act {
            let sharpest = match problem {
                Some(index) => &mut self.community.problems[index].severity,
                None => &mut self.community.other_severity,
            };
            let sharpest = sharpest.entry(person).or_default();
            *sharpest = severity.level().max(*sharpest);
        }
        let Some(index) = problem else { return };
        let heard = &mut self.community.problems[index];
        let kind = stored.signal.act.kind();
        heard.people.insert(person);
        *heard.told.entry(person).or_default() += 1;
        match heard.threads.get_mut(&stored.thread) {
            Some(people) => _ = people.insert(person),
            None => _ = heard.threads.insert(stored.thread.clone(), BTreeSet::from([person])),
        }
        heard.communities.entry(stored.community.clone()).or_default().insert(person);
        heard.acts.entry(kind).or_default().insert(person);
        if let Some(at) = stored.written_at {
            heard.days.insert((words::civil(at), person));
        }
        // A complaint says what the problem is; what people did about it has a list of its own.
        let states = if kind == ActKind::Complaint { 0.15 } else { 0.0 };
        let quote = stored.signal.evidence.quote();
        let rank = quotes::readable(quote) + 0.5 * similarity + 0.5 * stored.signal.confidence + states;
        heard.quotes.offer(person, rank, stored.signal.id.as_str(), || {
            (stored.community.clone(), post_quote(stored, &stored.signal.evidence))
        });
        if let Act::Switch { from, to, stage, .. } = &stored.signal.act {
            let switched = heard.switches.entry(Way::of(from.as_ref(), to.as_ref(), words::stage(*stage))).or_default();
            switched.people.insert(person);
            switched.spell(from.as_ref(), to.as_ref());
            switched.quotes.offer(person, rank, stored.signal.id.as_str(), || {
                (String::new(), post_quote(stored, &stored.signal.evidence))
            });
        }
        slots.meet(stored, person, index);
    }

    fn take_attempt(&mut self, stored: &StoredSignal, person: u32, problem: Option<usize>) {
        let signal = &stored.signal;
        let (means, failed, why) = match &signal.act {
            Act::FailedWorkaround { means, why_failed } => (means, true, why_failed.as_ref()),
            Act::Workaround { means } => (means, false, None),
            _ => {
                self.community.elsewhere.count(&self.words, person, beginning(signal.evidence.quote()));
                return;
            }
        };
        let means = means.as_ref().unwrap_or(&signal.evidence).quote();
        let why = failed.then(|| {
            let evidence = why.unwrap_or(&signal.evidence);
            (quotes::readable(evidence.quote()) + signal.confidence, post_quote(stored, evidence))
        });
        self.community.attempts.push(Attempt {
            person,
            problem,
            means: beginning(means).to_owned(),
            failed,
            key: signal.id.as_str().to_owned(),
            why,
        });
    }
}

fn beginning(words: &str) -> &str {
    &words[..words.floor_char_boundary(LONGEST_MEANS)]
}

/// A quote of a post.
pub(super) fn post_quote(stored: &StoredSignal, evidence: &Evidence) -> QuoteView {
    let link: Option<Link> = stored.url.as_deref().map(display::link);
    let origin = Origin::Post {
        post: stored.signal.post.as_str().to_owned(),
        community: stored.community.clone(),
        author: stored.author.clone(),
        voice: words::voice(stored.signal.voice),
        act: words::act(stored.signal.act.kind()),
        link,
    };
    quotes::quote(&stored.text, evidence, stored.written_at, origin)
}
