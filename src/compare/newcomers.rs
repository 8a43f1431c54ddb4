//! Whether a gap rests on people of whom there is a single post (METHOD 9.1.5): forty accounts made to tell of one problem, in
//! words of their own, differ from forty people only in that they have no past.
//!
//! One rule holds: newcomers are people, and are counted. A gap that they make is contested, with the share among all and the share
//! among those with a history as its bounds, where they differ from the others by more than chance and the others alone would not
//! make it. What is too small to differ by more than chance is not contested: fewer people always prove less.

use super::cells::Units;
use super::coverage::difference;
use super::measured::Measured;
use super::stats::Proportion;
use super::wording::{percent, range};
use crate::model::comparison::{ComparisonV1, NewcomersV1, RateV1};

/// The shares of all problems among people with a history and among the others.
pub(super) struct Newcomers<'a> {
    known: Measured<'a>,
    single: Measured<'a>,
}

impl<'a> Newcomers<'a> {
    /// Those with a history, then the others.
    pub(super) fn split(people: &Units) -> [Units; 2] {
        [false, true].map(|newcomer| Units(people.0.iter().filter(|u| u.newcomer == newcomer).cloned().collect()))
    }

    /// Of `people` as [`Self::split`] gives them of all.
    pub(super) fn new(all: &Measured<'_>, [known, single]: &'a [Units; 2]) -> Self {
        Self { known: Measured::part(all, known), single: Measured::part(all, single) }
    }

    /// What is told of problem `index`; `None` without people.
    pub(super) fn published(&self, index: usize) -> Option<NewcomersV1> {
        let (known, single_post) = (self.known.rate(index), self.single.rate(index));
        let difference = difference(index, &self.single, &self.known);
        (known.of + single_post.of > 0).then_some(NewcomersV1 { known, single_post, difference })
    }

    /// Whether newcomers have problem `index` more often than the others (with `more`; else less often), beyond chance, and what
    /// `holds` of all does not of the others.
    pub(super) fn make(&self, index: usize, more: bool, holds: impl Fn(&Proportion) -> bool) -> bool {
        let beyond = difference(index, &self.single, &self.known);
        beyond.is_some_and(|d| if more { d.low > 0.0 } else { d.high < 0.0 })
            && self.known.shares[index].as_ref().is_some_and(|known| !holds(known))
    }
}

/// What is contested, with its bounds, one sentence a problem.
pub(super) fn caveats(comparison: &ComparisonV1) -> Vec<String> {
    let contested = comparison.problems.iter().filter(|p| p.verdict == "contested");
    let told = contested.filter_map(|p| Some((p, p.representativeness.as_ref()?.newcomers?)));
    told.map(|(p, newcomers)| {
        let [all, single, known] = [p.community, newcomers.single_post, newcomers.known].map(share);
        format!(
            "Contested: “{}” would be called a gap, but only with people of whom there is a single post. Its share is {all} of all \
             people, {single} of those with a single post and {known} of those with more; by these alone it would not be called.",
            p.name
        )
    })
    .collect()
}

/// `25% (12 of 48; 14–39%)`.
fn share(rate: RateV1) -> String {
    let interval = rate.low.zip(rate.high).map_or_else(String::new, |(low, high)| format!("; {}", range(low, high)));
    format!("{} ({} of {}{interval})", percent(rate.rate), rate.hits, rate.of)
}

#[cfg(test)]
mod tests {
    use super::super::cells::Cells;
    use super::super::coverage::is_called;
    use super::super::tests::{LARGE, world};
    use super::super::{Origin, compare};
    use super::*;
    use crate::model::comparison::ProblemV1;

    /// A silent problem and an ordinary one; `newcomer` says of whom there is a single post.
    fn cells(newcomer: impl Fn(usize, bool) -> bool) -> Cells {
        let mut cells = world(2, LARGE, &[(0.20, 0.01), (0.08, 0.08)], 0.3);
        for (i, unit) in cells.community.0.iter_mut().enumerate() {
            let has = unit.occurrence(0).is_some();
            unit.newcomer = newcomer(i, has);
        }
        cells
    }

    fn answer(cells: &Cells) -> (ProblemV1, ComparisonV1) {
        let text = |s: &str| s.to_owned();
        let origin = Origin { config_hash: text("c"), codebook_hash: text("b"), recipe: text("p | n"), seed: 1 };
        let answer = compare(cells, &origin);
        (answer.problems.iter().find(|p| p.id == "p00").unwrap().clone(), answer)
    }

    #[test]
    fn a_gap_of_newcomers_alone_is_contested_with_its_bounds() {
        let (problem, answer) = answer(&cells(|i, has| has && i % 8 != 0));
        assert_eq!(problem.verdict, "contested", "{problem:?}");
        assert!(problem.gamma_star.is_none() && problem.missing.is_empty());
        let shown = problem.representativeness.unwrap();
        assert_eq!(shown.breakdown, None, "what is no finding has nothing to erase");
        let newcomers = shown.newcomers.unwrap();
        assert!(newcomers.differ() && newcomers.known.high.unwrap() < problem.community.low.unwrap(), "{newcomers:?}");
        assert!(answer.caveats.iter().any(|c| c.starts_with("Contested: “problem 0”") && c.contains("of all people")));
        assert!(answer.components[0].says.contains("Contested"), "{}", answer.components[0].says);
    }

    #[test]
    fn newcomers_like_everybody_else_change_nothing() {
        let (problem, _) = answer(&cells(|i, _| i % 2 == 0));
        assert!(is_called(&problem.verdict), "{}", problem.verdict);
        let newcomers = problem.representativeness.unwrap().newcomers.unwrap();
        assert!(!newcomers.differ() && newcomers.single_post.of == 200, "{newcomers:?}");
    }

    #[test]
    fn a_gap_that_stands_without_newcomers_stands() {
        // Every newcomer has it, and so does one in seven of the others.
        let (problem, _) = answer(&cells(|i, has| has && i % 3 == 0));
        assert!(problem.representativeness.unwrap().newcomers.unwrap().differ());
        assert!(is_called(&problem.verdict), "{}", problem.verdict);
    }

    #[test]
    fn what_is_counted_of_all_is_counted_of_newcomers() {
        let mut cells = cells(|i, has| has && i % 8 != 0);
        let kept = |cells: &mut Cells, keep: usize| {
            let left = cells.community.0.iter_mut().enumerate().filter(|(i, _)| i % keep != 0);
            left.for_each(|(_, unit)| unit.gold = None);
        };
        // Eighty labels measure people, and newcomers with them; forty only leave counts.
        for (keep, measured) in [(5, true), (10, false)] {
            kept(&mut cells, keep);
            let (problem, _) = answer(&cells);
            let newcomers = problem.representativeness.unwrap().newcomers.unwrap();
            let rates = [problem.community, newcomers.known, newcomers.single_post];
            assert!(rates.iter().all(|rate| rate.low.is_some() == measured), "{rates:?}");
            assert_eq!(newcomers.difference.is_some(), measured);
        }
    }

    #[test]
    fn where_nobody_has_a_history_nothing_can_be_told() {
        let (problem, _) = answer(&cells(|_, _| true));
        let newcomers = problem.representativeness.unwrap().newcomers.unwrap();
        assert_eq!((newcomers.known.of, newcomers.difference), (0, None));
        assert!(is_called(&problem.verdict), "{}", problem.verdict);
    }
}
