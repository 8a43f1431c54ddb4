//! This period against the one before (METHOD 3.3, 3.11): what moved, and whether it is more than noise.
//!
//! One rule holds: only hand labels in both periods make a move; without them both counts are shown and nothing is called.

use jiff::civil::Date;

use super::cells::Cells;
use super::commitment::{commitment, unbacked_share};
use super::evidence_rule as rule;
use super::measured::Measured;
use super::stats::{Change, Period, Proportion, bh, change};
use super::window::Window;
use crate::model::Missing;
use crate::model::comparison::{ChangeV1, DifferenceV1, FALSE_DISCOVERIES, GateV1, MoveV1, MovedV1, RateV1};

/// Per cent of the days of the earlier period that a side has to cover: who was watched for a shorter time has told less.
pub(super) const COVERED: u64 = 90;

/// What moved from the cells of one period to those of the next. `begins` is the first day with a post, and with a note.
/// `None` when the earlier period has nothing to compare with on either side.
pub(super) fn moved(earlier: &Window, begins: [Option<Date>; 2], before: &Cells, after: &Cells) -> Option<MovedV1> {
    if [before, after].iter().any(|cells| cells.community.0.is_empty() || cells.crm.0.is_empty()) {
        return None;
    }
    let covered = [("posts", begins[0]), ("notes", begins[1])].map(|(what, begins)| covered(earlier, what, begins));
    let community = Side::new("community", before, after, &covered[0]);
    let crm = Side::new("crm", before, after, &covered[1]);
    let unbacked = Unbacked::new(before, after, &covered[1]);

    let problems = (0..after.problems.len()).map(|k| (k, [community.rates(k), crm.rates(k)])).collect::<Vec<_>>();
    let heard = |rates: &[[RateV1; 2]; 2]| rates.iter().flatten().any(|rate| rate.hits > 0);
    let problems = problems.into_iter().filter(|(_, rates)| heard(rates)).collect::<Vec<_>>();
    let changes = problems.iter().map(|(k, _)| [community.change(*k), crm.change(*k)]).collect::<Vec<_>>();
    let unbacked_change = unbacked.change();
    let mut family = Family::new(changes.iter().flatten().chain([&unbacked_change]));

    let mut moves = Vec::new();
    for ((k, [people, accounts]), changes) in problems.iter().zip(&changes) {
        moves.push(MoveV1 {
            id: after.problems[*k].id.clone(),
            name: after.problems[*k].name.clone(),
            community: family.published(*people, changes[0]),
            crm: family.published(*accounts, changes[1]),
        });
    }
    let size = |change: &ChangeV1| (change.after.rate - change.before.rate).abs();
    let largest = |m: &MoveV1| size(&m.community).max(size(&m.crm));
    moves.sort_by(|a, b| largest(b).total_cmp(&largest(a)).then(a.id.cmp(&b.id)));
    let strong = unbacked.rates.iter().all(|rate| rate.of > 0);
    let mut missing = Vec::new();
    for m in [community.missing, crm.missing, unbacked.missing].into_iter().flatten() {
        if !missing.contains(&m) {
            missing.push(m);
        }
    }
    Some(MovedV1 {
        before: earlier.published(),
        problems: moves,
        unbacked: strong.then(|| family.published(unbacked.rates, unbacked_change)),
        missing,
    })
}

/// What is missing when a side begins in the middle of the earlier period.
fn covered(earlier: &Window, what: &str, begins: Option<Date>) -> Option<Missing> {
    let (since, until, days) = (earlier.since?, earlier.until?, earlier.days()?);
    let from = begins.map_or(until, |begins| begins.max(since));
    let have = u64::try_from(100 * (i64::from((until - from).get_days()) + 1) / days).unwrap_or(0);
    let what = format!("per cent of the days of the period before that the {what} cover");
    (have < COVERED).then_some(Missing { what, have, need: COVERED })
}

/// Both periods of what lacks evidence, in words.
fn lacking(rows: &[Vec<GateV1>; 2]) -> Vec<Missing> {
    let periods = ["the period before", "this period"];
    let failing = rows.iter().zip(periods).flat_map(|(rows, period)| rows.iter().map(move |row| (row, period)));
    failing
        .filter_map(|(row, period)| {
            let missing = row.missing()?;
            Some(Missing { what: format!("{}, {period}", missing.what), ..missing })
        })
        .collect()
}

/// One side in both periods.
struct Side<'a> {
    periods: [Measured<'a>; 2],
    units: [Vec<&'a str>; 2],
    missing: Vec<Missing>,
}

impl<'a> Side<'a> {
    fn new(name: &str, before: &'a Cells, after: &'a Cells, covered: &Option<Missing>) -> Self {
        let measured = |cells| if name == "crm" { Measured::crm(cells) } else { Measured::community(cells) };
        let periods = [before, after].map(measured);
        let rows = |cells: &Cells, side: &Measured<'_>| {
            let mut rows = if name == "crm" { rule::crm_rows(&cells.population) } else { rule::community_rows(cells) };
            rows.push(rule::label_row(name, side.units.labelled(), side.units.0.len()));
            rows
        };
        let mut missing = lacking(&[rows(before, &periods[0]), rows(after, &periods[1])]);
        missing.extend(covered.clone());
        let units = periods.each_ref().map(|side| side.units.0.iter().map(|u| u.id.as_str()).collect());
        Self { periods, units, missing }
    }

    fn rates(&self, problem: usize) -> [RateV1; 2] {
        [0, 1].map(|period| self.periods[period].rate(problem))
    }

    fn change(&self, problem: usize) -> Option<Change> {
        if !self.missing.is_empty() {
            return None;
        }
        let period = |i: usize| {
            let (share, units) = (self.periods[i].shares[problem].as_ref()?, &self.units[i]);
            Some(Period { share, units, of: units.len() as u64 })
        };
        change(period(0)?, period(1)?)
    }
}

/// The unbacked-optimism rate in both periods.
struct Unbacked<'a> {
    rates: [RateV1; 2],
    shares: [Option<Proportion>; 2],
    units: [Vec<&'a str>; 2],
    missing: Vec<Missing>,
}

impl<'a> Unbacked<'a> {
    fn new(before: &'a Cells, after: &'a Cells, covered: &Option<Missing>) -> Self {
        let both = [before, after];
        let rates = both.map(|cells| commitment(cells).1.unbacked);
        let rows = |i: usize| {
            let cells = both[i];
            let [_, reps] = rule::CRM_SHARE;
            vec![
                rule::OPTIMISM.row(rates[i].of),
                reps.row(cells.population.reps),
                rule::label_row("crm", cells.labelled_accounts(), cells.accounts.len()),
            ]
        };
        let mut missing = lacking(&[rows(0), rows(1)]);
        missing.extend(covered.clone());
        let shares = both.map(|cells| missing.is_empty().then(|| unbacked_share(cells)).flatten());
        let units = both.map(|cells| cells.accounts.iter().map(|a| a.id.as_str()).collect());
        Self { rates, shares, units, missing }
    }

    fn change(&self) -> Option<Change> {
        let period =
            |i: usize| Some(Period { share: self.shares[i].as_ref()?, units: &self.units[i], of: self.rates[i].of });
        change(period(0)?, period(1)?)
    }
}

/// All changes of a comparison, adjusted as one Benjamini-Hochberg family.
struct Family {
    adjusted: std::vec::IntoIter<f64>,
}

impl Family {
    /// Of `changes`, in the order in which they will be published.
    fn new<'a>(changes: impl Iterator<Item = &'a Option<Change>>) -> Self {
        Self { adjusted: bh(&changes.flatten().map(|c| c.p).collect::<Vec<_>>()).into_iter() }
    }

    fn published(&mut self, [before, after]: [RateV1; 2], change: Option<Change>) -> ChangeV1 {
        let p_adjusted = change.and_then(|_| self.adjusted.next());
        ChangeV1 {
            before,
            after,
            change: change.map(|c| DifferenceV1 { estimate: c.estimate, low: c.low, high: c.high }),
            p_adjusted,
            moved: p_adjusted.is_some_and(|p| p <= FALSE_DISCOVERIES),
        }
    }
}

#[cfg(test)]
mod tests;
