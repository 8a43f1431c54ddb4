//! The same comparison of other days (METHOD 3.11). One rule holds: a run only qualifies what the primary run says; it never makes or unmakes a finding.

use anyhow::Result;

use super::cells::Cells;
use super::coverage::{apart, coverage, is_called};
use super::gather::Read;
use super::window::{SHIFT, Window};
use super::wording::counted;
use crate::model::comparison::{ComparisonV1, CountsV1, ProblemV1, VariantV1};
use crate::store::Store;

/// Runs the comparison of other days for what `comparison` calls, and says what does not keep its sign. Nothing is run when
/// nothing is called.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn other_days(comparison: &mut ComparisonV1, read: &mut Read, store: &Store) -> Result<()> {
    let called = comparison.problems.iter().filter(|p| is_called(&p.verdict)).cloned().collect::<Vec<_>>();
    if called.is_empty() {
        return Ok(());
    }
    let window = read.window().clone();
    for (what, days) in variants(&window) {
        let run = match &days {
            [Some(community), Some(crm)] => {
                let cells = read.cells(store, community, crm).await?;
                variant(what, &cells, comparison, &called, [community, crm])
            }
            _ => Err("the window has no such days".to_owned()),
        };
        match run {
            Ok(variant) => comparison.sensitivity.push(variant),
            Err(why) => comparison.caveats.push(format!("The comparison was not repeated with {what}: {why}.")),
        }
    }
    let flips = called.iter().filter_map(|p| flips(p, &comparison.sensitivity)).collect::<Vec<_>>();
    comparison.caveats.extend(flips);
    Ok(())
}

/// What is different, the communities' days, and the CRM's; `None` where the window has no such days.
fn variants(window: &Window) -> [(&'static str, [Option<Window>; 2]); 3] {
    let both = |window: Option<Window>| [window.clone(), window];
    [
        ("90 days more", both(window.begun_later(-SHIFT))),
        ("90 days fewer", both(window.begun_later(SHIFT))),
        ("the communities 90 days earlier", [window.earlier(SHIFT), Some(window.clone())]),
    ]
}

/// What became of the `called` problems in `cells`, or why that tells nothing.
fn variant(
    what: &str,
    cells: &Cells,
    primary: &ComparisonV1,
    called: &[ProblemV1],
    days: [&Window; 2],
) -> Result<VariantV1, String> {
    if cells.population == primary.population {
        return Err("these days hold the same posts and notes".to_owned());
    }
    let (people, accounts) = (cells.community.0.len() as u64, cells.crm.0.len() as u64);
    if people == 0 || accounts == 0 {
        return Err(format!("it has {} and {}", counted(people, "people"), counted(accounts, "accounts")));
    }
    let (_, problems) = coverage(cells);
    let there = |id: &str| problems.iter().find(|p| p.id == id);
    let both = called.iter().filter_map(|p| Some((p, there(&p.id)?))).collect::<Vec<_>>();
    let flipped =
        both.iter().filter(|(here, there)| !same_sign(here, there)).map(|(p, _)| p.id.clone()).collect::<Vec<_>>();
    let measured = both.iter().all(|(_, there)| there.difference.is_some());
    let of = both.len() as u64;
    let [community, crm] = days.map(Window::published);
    Ok(VariantV1 {
        what: if measured { what.to_owned() } else { format!("{what}, counted by machine") },
        community,
        crm,
        same_sign: CountsV1 { hits: of - flipped.len() as u64, of },
        flipped,
    })
}

/// Whether the difference points the way that the call says.
fn same_sign(called: &ProblemV1, there: &ProblemV1) -> bool {
    let difference = apart(there);
    if called.verdict == "phantom" { difference < 0.0 } else { difference > 0.0 }
}

fn flips(problem: &ProblemV1, variants: &[VariantV1]) -> Option<String> {
    let runs = variants.iter().filter(|v| v.flipped.contains(&problem.id)).map(|v| v.what.as_str()).collect::<Vec<_>>();
    (!runs.is_empty()).then(|| {
        format!(
            "“{}” is called {}, but its difference does not keep its sign with {}: do not rely on it.",
            problem.name,
            problem.verdict,
            runs.join(", nor with ")
        )
    })
}
