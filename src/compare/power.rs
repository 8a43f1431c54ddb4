//! How often a gap would be called in data like these. METHOD 3.4 asks for it beside every comparison: the rule for silent and phantom
//! problems is strict on purpose, and who reads that nothing was called has to know how much would have been.

use super::coverage::{MINIMUM_RATIO, MINIMUM_SHARE};
use super::evidence_rule as rule;
use super::stats::{Z95, binomial, p_ratio, wilson};
use super::wording::percent;
use crate::model::comparison::{ComparisonV1, FALSE_DISCOVERIES, ProblemV1, RateV1};

/// Shares of the heavier and of the lighter side in METHOD's own table of power.
const GAP: (f64, f64) = (0.20, 0.02);

/// Larger samples are as good as this one: it calls [`GAP`] always.
const MOST: f64 = 1000.0;

/// Outcomes rarer than this are left out.
const NEGLIGIBLE: f64 = 1e-6;

/// One side: units that the interval is worth, and units that there are.
#[derive(Debug, Clone, Copy)]
struct Side {
    effective: usize,
    units: f64,
}

/// Adds the power line to what the coverage component says, where that has a verdict.
pub(super) fn tell(comparison: &mut ComparisonV1) {
    let line = line(&comparison.problems);
    let coverage = comparison.components.iter_mut().filter(|c| c.name == "coverage");
    let judged = coverage.filter(|c| !["uncorrected", "not_enough_evidence"].contains(&c.verdict.as_str()));
    judged.zip(line).for_each(|(coverage, line)| coverage.says += &format!(" {line}"));
}

/// The power line for what was measured; `None` where no problem was on both sides.
fn line(problems: &[ProblemV1]) -> Option<String> {
    let problems = problems.iter().filter(|p| p.difference.is_some()).collect::<Vec<_>>();
    let (people, accounts) = (side(&problems, |p| &p.community)?, side(&problems, |p| &p.crm)?);
    // One gap alone has the strictest level that its family allows.
    let level = FALSE_DISCOVERIES / (2 * problems.len()) as f64;
    let (silent, phantom) = (
        called(people, accounts, rule::SILENT.at_least, level),
        called(accounts, people, rule::PHANTOM.at_least, level),
    );
    let (heavy, light) = (percent(GAP.0), percent(GAP.1));
    Some(format!(
        "Power: in data like these, as good as {} people and {} accounts that share no thread and no rep and are all labelled, a problem \
         that {heavy} of people and {light} of accounts have would be called silent in about {} of cases if it were the only gap of {}, \
         and one that {heavy} of accounts and {light} of people have would be called a phantom in about {}.",
        people.effective,
        accounts.effective,
        percent(silent),
        problems.len(),
        percent(phantom)
    ))
}

/// The side as it is for the problem in the middle.
fn side(problems: &[&ProblemV1], rate: impl Fn(&ProblemV1) -> &RateV1) -> Option<Side> {
    let mut worth = problems.iter().filter_map(|p| rate(p).n_eff).collect::<Vec<_>>();
    worth.sort_by(f64::total_cmp);
    let effective = worth.get(worth.len() / 2)?.round() as usize;
    Some(Side { effective, units: rate(problems.first()?).of as f64 })
}

/// The share of samples in which [`GAP`] is called, `more` being the heavier side, of which there have to be `at_least` units with
/// the problem: binomial counts of the effective size on either side, by the rule of METHOD 3.4 at `level`.
fn called(more: Side, less: Side, at_least: u64, level: f64) -> f64 {
    let [n, m] = [more, less].map(|side| side.effective.min(MOST as usize));
    let beta = |hits: usize, of: usize| (hits as f64 + 0.5, (of - hits) as f64 + 0.5);
    let enough = |hits: usize| {
        let share = hits as f64 / n as f64;
        share * more.units >= at_least as f64 && wilson(share, n as f64, Z95).0 >= MINIMUM_SHARE
    };
    let (heavy, light) = (binomial(n, GAP.0), binomial(m, GAP.1));
    // The more hits on the lighter side, the more it takes on the heavier one.
    let (mut least, mut power) = (heavy.iter().position(|mass| *mass > NEGLIGIBLE).unwrap_or(0), 0.0);
    for (hits, mass) in light.iter().enumerate().filter(|(_, mass)| **mass > NEGLIGIBLE) {
        let holds = |x: usize| enough(x) && p_ratio(beta(x, n), beta(hits, m), MINIMUM_RATIO) <= level;
        while least <= n && !holds(least) {
            least += 1;
        }
        power += mass * heavy[least..].iter().sum::<f64>();
    }
    power.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::cells::Cells;
    use super::super::coverage::kind;
    use super::super::tests::{LARGE, Size, answer, unlabelled, world};
    use super::*;

    #[test]
    fn more_data_call_more() {
        let side = |n: usize| Side { effective: n, units: n as f64 };
        let power = |n: usize, m: usize| called(side(n), side(m), 8, 0.0025);
        let steps = [(100, 30), (100, 60), (400, 60), (400, 120), (1000, 250)].map(|(n, m)| power(n, m));
        assert!(steps.is_sorted() && steps[0] < 0.2 && steps[4] > 0.99, "{steps:?}");
        assert!(power(5000, 5000) > 0.999 && power(0, 60) == 0.0);
        assert!(called(side(100), side(60), 40, 0.0025) < 0.001, "too few people with it, however rare elsewhere");
    }

    /// What is foretold comes true: of worlds with one silent problem among four.
    #[test]
    fn the_line_tells_how_often_a_gap_is_called() {
        let size = Size { people: 150, threads: 75, accounts: 75, ..LARGE };
        let (runs, lines, mut silent, mut foretold) = (60, 6, 0.0, 0.0);
        for seed in 0..runs {
            let answer = answer(&world(seed, size, &[(0.20, 0.02), (0.08, 0.08), (0.08, 0.08), (0.08, 0.08)], 0.5));
            let problem = answer.problems.iter().find(|p| p.id == "p00").unwrap();
            silent += f64::from(u8::from(kind(&problem.verdict) == "silent")) / runs as f64;
            if seed < lines {
                let says = line(&answer.problems).unwrap();
                let (_, after) = says.split_once("called silent in about ").unwrap();
                foretold += after.split_once('%').unwrap().0.parse::<f64>().unwrap() / 100.0 / lines as f64;
            }
        }
        assert!((silent - foretold).abs() < 0.13 && silent > 0.3 && silent < 0.9, "{silent} {foretold}");
    }

    #[test]
    fn what_has_no_verdict_has_no_power() {
        let cells = world(1, LARGE, &[(0.2, 0.02), (0.1, 0.1)], 0.5);
        let told = |cells: &Cells| {
            let mut answer = answer(cells);
            tell(&mut answer);
            answer.components[0].says.contains(" Power: in data like these")
        };
        assert!(told(&cells) && !told(&unlabelled(&cells)));
    }
}
