//! How far a site has been read: what is still to be asked for, and what was seen of each thread. It is the cursor that is
//! stored with every page's posts, so that it says at any time exactly what the store does not hold yet.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Listed, Site};

/// Listing pages in a row that bring nothing new before the listing is taken for endless.
const BARREN_PAGES: u32 = 20;

/// A page still to be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Task<S> {
    /// A page of the listing.
    Listing(S),
    /// The first page of a thread.
    Thread(S),
    /// A further page of a thread.
    Rest(S),
}

impl<S> Task<S> {
    pub(super) fn step(&self) -> &S {
        match self {
            Self::Listing(step) | Self::Thread(step) | Self::Rest(step) => step,
        }
    }

    pub(super) fn is_listing(&self) -> bool {
        matches!(self, Self::Listing(_))
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Position<S> {
    /// A stack: the next page is the last.
    todo: Vec<Task<S>>,
    /// Pages that did not answer, asked for once more at the end of the next run.
    retry: Vec<Task<S>>,
    /// Threads and their marks, latest seen last.
    marks: Vec<(String, i64)>,
    /// Everything up to this mark was read by an earlier pass.
    since: Option<i64>,
    /// The highest mark when this pass began: what `since` will be.
    newest: Option<i64>,
    /// The mark at the end of the last page of the listing: everything above it has been seen in this pass.
    floor: Option<i64>,
    /// Pages in `retry` that this run has yet to try.
    #[serde(skip)]
    retries_left: usize,
    /// Whether the run goes on with what another began; then it looks at the listing's top once more afterwards, where
    /// the threads stand that changed in between.
    #[serde(skip)]
    look_again: bool,
    /// Whether the next page of the listing is asked for right after the one before it was found to hold nothing new.
    #[serde(skip)]
    adjoins: bool,
    #[serde(skip)]
    barren: u32,
}

impl<S: Clone + Serialize + DeserializeOwned> Position<S> {
    /// Where `stored` says, or at `first`.
    pub(super) fn resume(stored: Option<&str>, first: S) -> Self {
        let stored = stored.and_then(|text| {
            serde_json::from_str::<Self>(text)
                .inspect_err(|error| tracing::warn!(%error, "the cursor cannot be read; beginning anew"))
                .ok()
        });
        let mut position = stored.unwrap_or(Self {
            todo: Vec::new(),
            retry: Vec::new(),
            marks: Vec::new(),
            since: None,
            newest: None,
            floor: None,
            retries_left: 0,
            look_again: false,
            adjoins: false,
            barren: 0,
        });
        position.retries_left = position.retry.len();
        position.look_again = !position.todo.is_empty();
        if !position.look_again {
            position.todo.push(Task::Listing(first));
        }
        position
    }

    /// The next page to ask for; `None` when the run is done. `first` begins another pass.
    pub(super) fn next_task(&mut self, first: S) -> Option<Task<S>> {
        if let Some(task) = self.todo.pop() {
            return Some(task);
        }
        if std::mem::take(&mut self.look_again) {
            return Some(Task::Listing(first));
        }
        // Retried last, so that pages which never answer cannot keep new ones from being read.
        self.retries_left = self.retries_left.checked_sub(1)?;
        (!self.retry.is_empty()).then(|| self.retry.remove(0))
    }

    /// Plans what follows from a page.
    ///
    /// # Errors
    /// With the reason why the listing is not followed any further.
    pub(super) fn follow<T: Site<Step = S>>(
        &mut self,
        site: &T,
        task: Task<S>,
        listed: Vec<Listed<S>>,
        more: Vec<S>,
    ) -> Result<(), &'static str> {
        let more = more.into_iter().rev();
        let Task::Listing(step) = task else {
            self.todo.extend(more.map(Task::Rest));
            return Ok(());
        };
        let highest = listed.iter().map(|thread| thread.mark).max();
        if T::BY_ACTIVITY {
            let gap = !std::mem::take(&mut self.adjoins) && highest < self.floor;
            if let Some(before) = site.before(&step).filter(|_| gap) {
                // So many threads were deleted meanwhile that unseen ones have moved up beyond this page.
                self.todo.push(Task::Listing(before));
                return Ok(());
            }
            self.floor = listed.last().map(|thread| thread.mark).or(self.floor);
        }
        if self.newest.is_none() {
            self.newest = highest;
        }
        let seen_through = T::BY_ACTIVITY && self.since.is_some() && highest <= self.since;
        let mut fresh = Vec::new();
        for thread in listed {
            let changed = self.remember(thread.id, thread.mark, T::MEMORY);
            let older = T::BY_ACTIVITY && Some(thread.mark) < self.since;
            if changed && !older {
                fresh.push(Task::Thread(thread.step));
            }
        }
        self.barren = if fresh.is_empty() { self.barren + 1 } else { 0 };
        if self.barren > BARREN_PAGES {
            return Err("the listing goes on and on and brings nothing new; it is not followed any further");
        }
        if T::BY_ACTIVITY && !fresh.is_empty() {
            // Threads that are deleted while these are read move others up to this page.
            self.todo.push(Task::Listing(step));
        } else if !seen_through {
            self.adjoins = true;
            self.todo.extend(more.map(Task::Listing));
        }
        self.todo.extend(fresh.into_iter().rev());
        Ok(())
    }

    /// Whether `id` is new or has another mark than before.
    fn remember(&mut self, id: String, mark: i64, memory: usize) -> bool {
        let known = self.marks.iter().position(|(known, _)| *known == id).map(|at| self.marks.remove(at));
        let fresh = known.is_none_or(|(_, before)| before != mark);
        self.marks.push((id, mark));
        if self.marks.len() > memory {
            self.marks.remove(0);
        }
        fresh
    }

    /// A page that was not read: a listing stays where it is, another is tried again in the next run if that may help.
    pub(super) fn failed(&mut self, task: Task<S>, passing: bool) {
        match task {
            Task::Listing(_) => self.todo.push(task),
            _ if passing => self.retry.push(task),
            _ => {}
        }
    }

    /// When nothing is left to do, what this pass began with has been read.
    pub(super) fn end_pass_when_done(&mut self) {
        if self.todo.is_empty()
            && let Some(newest) = self.newest.take()
        {
            self.since = self.since.max(Some(newest));
            self.floor = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::{Page, Unreadable};
    use super::*;
    use crate::collect::Context;
    use crate::net::{Request, Response};

    /// A forum whose threads are named by numbers, three to a page. Steps of the listing count down from 0.
    struct Forum;

    impl Site for Forum {
        type Step = i64;
        const BY_ACTIVITY: bool = true;
        const MEMORY: usize = 9;

        fn key(&self) -> String {
            String::new()
        }

        fn first(&self) -> i64 {
            0
        }

        fn before(&self, page: &i64) -> Option<i64> {
            page.checked_sub(1).filter(|page| *page >= 0)
        }

        fn request(&self, _: &i64) -> Request {
            Request::get("https://forum.example".parse().unwrap())
        }

        fn unit(&self, _: &i64) -> String {
            String::new()
        }

        fn parse(&self, _: &Context, _: &i64, _: &Response) -> Result<Page<i64>, Unreadable> {
            Ok(Page::default())
        }
    }

    #[derive(Debug, Clone)]
    enum Event {
        Bump(usize),
        Delete(usize),
        New,
        Nothing,
        /// Killed, and away while these happen.
        Kill(Vec<Event>),
    }

    fn event() -> impl Strategy<Value = Event> {
        let quiet = prop_oneof![
            4 => any::<usize>().prop_map(Event::Bump),
            4 => any::<usize>().prop_map(Event::Delete),
            1 => Just(Event::New),
            4 => Just(Event::Nothing),
        ];
        prop_oneof![8 => quiet.clone(), 1 => prop::collection::vec(quiet, 0..12).prop_map(Event::Kill)]
    }

    /// Threads with the time of their last bump, and that time as it was when they were read.
    #[derive(Default)]
    struct World {
        bumped: BTreeMap<i64, i64>,
        read: BTreeMap<i64, i64>,
        clock: i64,
    }

    impl World {
        fn happen(&mut self, event: &Event) {
            self.clock += 1;
            let nth = |n: usize| self.bumped.keys().nth(n % self.bumped.len().max(1)).copied();
            match event {
                Event::Bump(n) => _ = nth(*n).map(|id| self.bumped.insert(id, self.clock)),
                Event::Delete(n) => _ = nth(*n).map(|id| self.bumped.remove(&id)),
                Event::New => _ = self.bumped.insert(1000 + self.clock, self.clock),
                Event::Nothing => {}
                Event::Kill(events) => events.iter().for_each(|event| self.happen(event)),
            }
        }

        fn page(&self, page: i64) -> (Vec<Listed<i64>>, Vec<i64>) {
            let mut threads: Vec<_> = self.bumped.iter().map(|(id, mark)| (*mark, *id)).collect();
            threads.sort_unstable_by(|a, b| b.cmp(a));
            let pages: Vec<_> = threads.chunks(3).collect();
            let at = usize::try_from(page).unwrap();
            let listed = pages.get(at).into_iter().copied().flatten();
            let listed = listed.map(|(mark, id)| Listed { id: id.to_string(), mark: *mark, step: *id }).collect();
            (listed, if at + 1 < pages.len() { vec![page + 1] } else { vec![] })
        }

        /// One run, in which `events` happen while threads are read.
        fn run(&mut self, stored: &mut Option<String>, events: &mut impl Iterator<Item = Event>) {
            let mut position = Position::resume(stored.as_deref(), 0);
            while let Some(task) = position.next_task(0) {
                let (listed, more) = match &task {
                    Task::Listing(page) => self.page(*page),
                    Task::Thread(id) | Task::Rest(id) => {
                        let event = events.next().unwrap_or(Event::Nothing);
                        self.happen(&event);
                        if matches!(event, Event::Kill(_)) {
                            return;
                        }
                        self.bumped.get(id).map(|mark| self.read.insert(*id, *mark));
                        (vec![], vec![])
                    }
                };
                position.follow(&Forum, task, listed, more).unwrap();
                position.end_pass_when_done();
                *stored = Some(serde_json::to_string(&position).unwrap());
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_meanwhile_all_is_read_in_the_end(threads in 0..40_i64, events in prop::collection::vec(event(), 0..60)) {
            let mut world = World { bumped: (1..=threads).map(|id| (id, id)).collect(), clock: threads, ..World::default() };
            let mut stored = None;
            let mut events = events.into_iter();
            while let Some(event) = events.next() {
                world.happen(&event);
                world.run(&mut stored, &mut events);
            }
            world.run(&mut stored, &mut events);
            for (id, mark) in &world.bumped {
                prop_assert_eq!(world.read.get(id), Some(mark), "thread {}", id);
            }
        }
    }
}
