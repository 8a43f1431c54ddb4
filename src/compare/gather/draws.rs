//! Which of the drawn samples speaks of which days, and of which people.

use anyhow::Result;
use jiff::civil::Date;

use super::super::moved::COVERED;
use super::super::window::Window;
use crate::model::Scope;
use crate::store::{Draw, SampleUnit, Side, Store};

/// What was drawn to be labelled, the latest last.
pub(super) struct Draws(Vec<Drawn>);

/// One sample.
struct Drawn {
    /// The days that it was drawn for.
    days: Window,
    /// The people that it was drawn of.
    scope: Scope,
    units: Vec<SampleUnit>,
}

impl Drawn {
    /// Whether it is a sample of `side` under `scope`: of these people, or of all, of whom they are a part. Accounts have no scope.
    fn is_of(&self, side: Side, scope: &Scope) -> bool {
        side == Side::Crm || self.scope.is_empty() || self.scope == *scope
    }
}

impl Draws {
    pub(super) async fn read(store: &Store) -> Result<Self> {
        let drawn = |Draw { since, until, scope, units }: Draw| Drawn {
            days: Window { since, until, why: String::new() },
            scope,
            units,
        };
        Ok(Self(store.draws().await?.into_iter().map(drawn).collect()))
    }

    /// Why the labels of the last one may not be used: it was drawn of other people than those of `scope`, or for other days than
    /// `lived`.
    pub(super) fn caveats(&self, scope: &Scope, lived: &Window) -> Vec<String> {
        let of_these = || self.0.iter().filter(|drawn| drawn.is_of(Side::Community, scope));
        let Some(Drawn { days: last, .. }) = of_these().next_back() else {
            let other = "The sample was drawn for another scope: whom that left out could not be drawn, so its labels of people are not \
                         used (`candor label draw --again`).";
            return if self.0.is_empty() { Vec::new() } else { vec![other.to_owned()] };
        };
        if last.is_bounded() && !of_these().any(|drawn| drawn.days.holds(lived)) {
            let end = |day: Option<Date>, open: &str| day.map_or_else(|| open.to_owned(), |day| day.to_string());
            return vec![format!(
                "The sample was drawn for the days from {} to {}; who is only in the others could not be drawn, and where they are more than a tenth its labels are not used (`candor label draw --again`).",
                end(last.since, "the first"),
                end(last.until, "the last")
            )];
        }
        Vec::new()
    }

    /// The days among these that a sample was drawn for, as many as possible.
    pub(super) fn common(&self, days: &Window) -> Option<Window> {
        self.0.iter().filter_map(|drawn| days.common(&drawn.days)).max_by_key(length)
    }

    /// What was drawn of `side` under `scope` for days that hold `lived`; else, where these days are some of those that were `configured`,
    /// what was drawn last, though new posts and notes have moved them since: of other days than these it says nothing.
    pub(super) fn sample<'a>(
        &'a self,
        side: Side,
        scope: &Scope,
        lived: &Window,
        configured: bool,
    ) -> impl Iterator<Item = &'a SampleUnit> + use<'a> {
        let draws = || self.0.iter().rev().filter(|drawn| drawn.is_of(side, scope));
        let for_days = draws().find(|drawn| drawn.days.is_bounded() && drawn.days.holds(lived));
        let of_these = |drawn: &Window| {
            let both = drawn.common(lived).is_some_and(|both| 100 * length(&both) >= COVERED * length(lived));
            both || !drawn.is_bounded()
        };
        let last = || draws().next().filter(|drawn| configured && of_these(&drawn.days));
        let units = for_days.or_else(last).map_or(&[][..], |drawn| &drawn.units);
        units.iter().filter(move |unit| unit.side == side)
    }
}

/// How many days; none of an open period.
pub(super) fn length(days: &Window) -> u64 {
    days.days().map_or(0, i64::unsigned_abs)
}
