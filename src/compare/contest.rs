//! A finding that other days or other readers turn round is none: it is contested, and says why (METHOD 3.11, 8.2.5).
//!
//! One rule holds: nothing becomes a finding here.

use super::coverage::{self, is_called};
use super::{multiverse, sensitivity};
use crate::model::comparison::{ComparisonV1, SelectionV1};

/// Contests what does not keep its sign: problems that are called, unbacked optimism and calibrations that are findings.
pub(super) fn contest(comparison: &mut ComparisonV1) {
    let ComparisonV1 { problems, components, sensitivity, multiverse, caveats, .. } = comparison;
    let turns = |id: &str| {
        let days = sensitivity::turned(sensitivity, id);
        let readers = multiverse.as_ref().and_then(|m| multiverse::turned(m, id));
        let turns = days.into_iter().chain(readers).collect::<Vec<_>>();
        (!turns.is_empty()).then(|| turns.join(", nor "))
    };
    let before = coverage::parts(problems);
    for problem in problems.iter_mut().filter(|p| is_called(&p.verdict)) {
        let Some(turns) = turns(&problem.id) else { continue };
        caveats.push(format!(
            "Contested: “{}” would be called {}, but its difference does not keep its sign {turns}.",
            problem.name, problem.verdict
        ));
        (problem.verdict, problem.turns, problem.gamma_star) = ("contested".to_owned(), Some(turns), None);
        problem.representativeness.iter_mut().for_each(|r| r.breakdown = None);
        problem.selection.iter_mut().for_each(SelectionV1::take_back);
    }
    for component in components.iter_mut().filter(|c| c.verdict == "finding") {
        if component.name == "coverage" {
            coverage::retell(component, &before, problems);
        } else if let Some(turns) = turns(&component.name) {
            let name = component.name.replace('_', " ");
            let contested = format!("Contested: the {name} gap does not keep its side {turns}.");
            component.says += &format!(" {contested}");
            caveats.push(contested);
            component.verdict = "contested".to_owned();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cells::Kind;
    use super::super::tests::{LARGE, answer, world};
    use super::*;
    use crate::model::comparison::{AgreeingV1, CountsV1, MultiverseV1, ProblemV1, VariantV1};

    fn turned(ids: &[&str]) -> VariantV1 {
        let cells = world(1, LARGE, &[(0.2, 0.01)], 0.8);
        VariantV1 {
            what: "90 days more".to_owned(),
            community: cells.window.clone(),
            crm: cells.window,
            same_sign: CountsV1::default(),
            flipped: ids.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    fn agreeing(id: &str, hits: u64, of: u64) -> AgreeingV1 {
        let counts = CountsV1 { hits, of };
        AgreeingV1 { id: id.to_owned(), same_verdict: counts, same_sign: counts, stable: 10 * hits >= 9 * of }
    }

    #[test]
    fn what_turns_with_other_days_is_contested() {
        let mut cells = world(1, LARGE, &[(0.25, 0.01), (0.01, 0.25)], 0.8);
        let people = cells.community.0.iter().map(|u| u.id.clone()).collect();
        cells.kinds = vec![Kind { name: "forum", communities: (0..3).collect(), people }];
        let mut comparison = answer(&cells);
        comparison.sensitivity = vec![turned(&["p00", "commitment"])];
        contest(&mut comparison);
        let problem = |id: &str| comparison.problems.iter().find(|p| p.id == id).unwrap();
        let (silent, phantom) = (problem("p00"), problem("p01"));
        assert_eq!((silent.verdict.as_str(), phantom.verdict.as_str()), ("contested", "phantom"));
        assert_eq!(silent.turns.as_deref(), Some("with 90 days more"));
        assert!(silent.gamma_star.is_none() && silent.selection.as_ref().unwrap().grade.is_none());
        let forum = |p: &ProblemV1| p.selection.as_ref().unwrap().kinds[0].clone();
        assert!(
            forum(silent).gamma_star.is_none() && forum(silent).people.hits > 0 && forum(phantom).gamma_star.is_some()
        );
        let [coverage, commitment] = [0, 1].map(|i| &comparison.components[i]);
        assert_eq!((coverage.verdict.as_str(), commitment.verdict.as_str()), ("finding", "contested"));
        assert!(coverage.says.contains("Contested, because its sign turns with other days or readers: problem 0"));
        assert!(commitment.says.ends_with("the commitment gap does not keep its side with 90 days more."));
        assert_eq!(comparison.caveats.iter().filter(|c| c.starts_with("Contested: ")).count(), 2);
    }

    #[test]
    fn what_more_than_one_in_ten_readers_turn_is_contested() {
        let cells = world(1, LARGE, &[(0.25, 0.01), (0.25, 0.01)], 0.8);
        let mut comparison = answer(&cells);
        comparison.multiverse = Some(MultiverseV1 {
            readers: Vec::new(),
            left_out: Vec::new(),
            problems: vec![agreeing("p00", 3, 4), agreeing("p01", 9, 10)],
            components: vec![agreeing("commitment", 10, 10), agreeing("coverage", 1, 10)],
        });
        contest(&mut comparison);
        let verdict = |id: &str| comparison.problems.iter().find(|p| p.id == id).unwrap().verdict.as_str();
        assert_eq!(verdict("p00"), "contested");
        assert!(is_called(verdict("p01")));
        assert!(comparison.components[..2].iter().all(|c| c.verdict == "finding"));
        let turns = comparison.problems.iter().find_map(|p| p.turns.as_deref());
        assert_eq!(turns, Some("by 1 of 4 pairs of readers"));
    }

    #[test]
    fn a_coverage_gap_of_contested_problems_alone_is_contested_too() {
        let cells = world(1, LARGE, &[(0.25, 0.01), (0.01, 0.25)], 0.8);
        let mut comparison = answer(&cells);
        comparison.components[0].p = Some(0.3);
        comparison.sensitivity = vec![turned(&["p00", "p01"])];
        contest(&mut comparison);
        assert_eq!(comparison.components[0].verdict, "contested");
    }
}
