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
    /// Pages in `retry` that this run has yet to try.
    #[serde(skip)]
    retries_left: usize,
    /// Whether the run goes on with what another began; then it looks at the listing's top once more afterwards, where
    /// the threads stand that changed in between.
    #[serde(skip)]
    look_again: bool,
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
            retries_left: 0,
            look_again: false,
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
        if self.newest.is_none() {
            self.newest = highest;
        }
        let seen_through = T::BY_ACTIVITY && self.since.is_some() && highest <= self.since;
        let mut fresh = Vec::new();
        for thread in listed {
            if self.remember(thread.id, thread.mark, T::MEMORY) && !(T::BY_ACTIVITY && Some(thread.mark) < self.since) {
                fresh.push(Task::Thread(thread.step));
            }
        }
        self.barren = if fresh.is_empty() { self.barren + 1 } else { 0 };
        if self.barren > BARREN_PAGES {
            return Err("20 pages of the listing in a row brought nothing new; it is not followed any further");
        }
        if T::BY_ACTIVITY && !fresh.is_empty() {
            // Threads that are deleted while these are read move others up to this page.
            self.todo.push(Task::Listing(step));
        } else if !seen_through {
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
        }
    }
}
