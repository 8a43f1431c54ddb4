//! The same comparison with the hand labels read otherwise (METHOD 4.4, 8.2.6): what is contested as no and as yes, which
//! bounds every gap, and by the word of each annotator. One rule holds, as for other days: a run only qualifies what the
//! primary run says; it never makes or unmakes a finding.

use anyhow::Result;

use super::cells::{Account, Cells, Standing, Units};
use super::commitment::commitment;
use super::coverage::{coverage, is_called, kind};
use super::gather::Read;
use super::labels::Stance;
use crate::model::comparison::{ComparisonV1, ComponentV1, DifferenceV1, ProblemV1, ReadAgainV1, RelabelledV1};

/// Makes the comparison again for every other way to read the labels, and says which findings do not stand. Nothing where
/// there is no usable label, and nothing can be read otherwise.
///
/// # Errors
/// When a stored label has lost its form.
pub(super) fn relabel(comparison: &mut ComparisonV1, primary: &Cells, read: &mut Read) -> Result<()> {
    if comparison.labels.community + comparison.labels.crm == 0 {
        return Ok(());
    }
    read.cut_own_days();
    if read.has_contested() {
        comparison.relabelled.extend(bounds(comparison, primary, read)?);
    }
    let annotators = read.annotators();
    if annotators.len() > 1 {
        for (i, annotator) in annotators.iter().enumerate() {
            let (cells, [posts, notes]) = read.relabelled(Stance::Of(annotator))?;
            // Colleagues are numbered, as reps are: a report is passed on.
            let what = format!("annotator {} of {} alone, wherever they labelled", i + 1, annotators.len());
            let cells = sides(primary, cells.community, cells.crm, cells.accounts);
            comparison.relabelled.push(run(&what, posts + notes, &cells, comparison));
        }
    }
    let caveats = unstable(comparison);
    comparison.caveats.extend(caveats);
    Ok(())
}

/// The two readings of contested labels between which every gap lies; none where no item of these days is read otherwise.
fn bounds(comparison: &ComparisonV1, primary: &Cells, read: &Read) -> Result<Vec<RelabelledV1>> {
    let problems = primary.problems.iter().map(|p| p.id.as_str()).collect::<Vec<_>>();
    let (no, [no_posts, no_notes]) = read.relabelled(Stance::No)?;
    let (yes, [yes_posts, yes_notes]) = read.relabelled(Stance::Yes(&problems))?;
    if no_posts + no_notes + yes_posts + yes_notes == 0 {
        return Ok(Vec::new());
    }
    let least = accounts(&no.accounts, &yes.accounts, true);
    let most = accounts(&no.accounts, &yes.accounts, false);
    let runs = [
        (
            "contested labels as “no” in the communities and “yes” in the CRM, and as much behind claimed interest as they allow",
            no_posts + yes_notes,
            sides(primary, no.community, yes.crm, least),
        ),
        (
            "contested labels as “yes” in the communities and “no” in the CRM, and as little behind claimed interest as they allow",
            yes_posts + no_notes,
            sides(primary, yes.community, no.crm, most),
        ),
    ];
    Ok(runs.map(|(what, items, cells)| run(what, items, &cells, comparison)).into())
}

/// The cells of two runs together. Labels of another list of problems correct neither side, however they are read.
fn sides(primary: &Cells, community: Units, crm: Units, accounts: Vec<Account>) -> Cells {
    let usable = |primary: &Units, mut run: Units| {
        if primary.labelled() == 0 {
            run.0.iter_mut().for_each(|unit| unit.gold = None);
        }
        run
    };
    let (community, crm) = (usable(&primary.community, community), usable(&primary.crm, crm));
    Cells { community, crm, accounts, ..primary.clone() }
}

/// The accounts with `least` or most unbacked optimism that the answers “no” and “yes” allow: a backed account makes the rate
/// smaller, an unbacked one larger, and one without a strong claim neither.
fn accounts(no: &[Account], yes: &[Account], least: bool) -> Vec<Account> {
    let bound = |(no, yes): (&Account, &Account)| {
        let gold = no.gold.zip(yes.gold).map(|(no, yes)| {
            let backed = if least { yes.backed } else { no.backed };
            Standing { backed, strong: if backed == least { yes.strong } else { no.strong }, ..yes }
        });
        Account { gold, ..no.clone() }
    };
    no.iter().zip(yes).map(bound).collect()
}

/// What `cells` give for every gap of `primary`.
fn run(what: &str, items: u64, cells: &Cells, primary: &ComparisonV1) -> RelabelledV1 {
    let (part, found) = coverage(cells);
    let parts = [part, commitment(cells).0];
    let problems = primary.problems.iter().filter_map(|p| found.iter().find(|there| there.id == p.id));
    let problems = problems.map(problem).collect::<Vec<_>>();
    let components = parts.iter().map(component).collect::<Vec<_>>();
    let verdict = |id: &str| problems.iter().chain(&components).find(|g| g.id == id).map(|g| g.verdict.as_str());
    let changed = findings(primary)
        .filter(|(id, _, called)| verdict(id).map(kind) != Some(kind(called)))
        .map(|(id, ..)| id.to_owned())
        .collect();
    RelabelledV1 { what: what.to_owned(), items, problems, components, changed }
}

fn problem(p: &ProblemV1) -> ReadAgainV1 {
    let shares = Some([p.community.rate, p.crm.rate]);
    ReadAgainV1 { id: p.id.clone(), verdict: p.verdict.clone(), shares, estimate: p.difference }
}

/// A part of the gap as another run made it.
pub(super) fn component(c: &ComponentV1) -> ReadAgainV1 {
    let interval = c.estimate.zip(c.low.zip(c.high));
    let estimate = interval.map(|(estimate, (low, high))| DifferenceV1 { estimate, low, high });
    ReadAgainV1 { id: c.name.clone(), verdict: c.verdict.clone(), shares: None, estimate }
}

/// Everything that is called and stands on labels: id, name in words, verdict.
fn findings(comparison: &ComparisonV1) -> impl Iterator<Item = (&str, String, &str)> {
    let problems = comparison.problems.iter().filter(|p| is_called(&p.verdict));
    let problems = problems.map(|p| (p.id.as_str(), format!("“{}”", p.name), p.verdict.as_str()));
    let parts = comparison.components.iter().filter(|c| c.verdict == "finding" && !c.name.starts_with("calibration"));
    problems.chain(parts.map(|c| (c.name.as_str(), format!("The {} gap", c.name), c.verdict.as_str())))
}

/// One sentence for each finding that some run does not make.
fn unstable(comparison: &ComparisonV1) -> Vec<String> {
    let sentence = |(id, name, verdict): (&str, String, &str)| {
        let runs = comparison.relabelled.iter().filter(|r| r.changed.iter().any(|changed| changed == id));
        let runs = runs.map(|r| r.what.as_str()).collect::<Vec<_>>();
        let called = if verdict == "finding" { "a finding".to_owned() } else { format!("called {verdict}") };
        (!runs.is_empty()).then(|| {
            format!(
                "{name} is {called}, and is not with hand labels read otherwise: {}. Settle what is contested (`candor label \
                 adjudicate`) before relying on it.",
                runs.join("; ")
            )
        })
    };
    findings(comparison).filter_map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reading_of_an_account_lies_between_the_bounds() {
        let standing = |strong, backed| Standing { strong, backed, ..Standing::default() };
        let account = |strong, backed| Account {
            id: "a".to_owned(),
            rep: 0,
            segment: None,
            found: Standing::default(),
            gold: Some(standing(strong, backed)),
            weight: 1.0,
        };
        // A backed account makes the rate smaller, an unbacked one larger, any other neither.
        let rank = |s: Standing| match (s.strong, s.backed) {
            (true, true) => 0,
            (false, _) => 1,
            (true, false) => 2,
        };
        for (weak, hollow) in [(false, false), (false, true), (true, false), (true, true)] {
            let (no, yes) = (account(!weak, !hollow), account(true, true));
            let bound =
                |least| rank(accounts(std::slice::from_ref(&no), std::slice::from_ref(&yes), least)[0].gold.unwrap());
            for strong in [!weak, true] {
                for backed in [!hollow, true] {
                    let here = rank(standing(strong, backed));
                    assert!(bound(true) <= here && here <= bound(false), "{strong} {backed}");
                }
            }
        }
    }
}
