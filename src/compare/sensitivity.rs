//! The same comparison of other days (METHOD 3.11). One rule holds: a run never makes a finding; one that it turns round is contested.

use anyhow::Result;

use super::cells::Cells;
use super::commitment::{FLOOR, commitment};
use super::coverage::{apart, coverage, is_called};
use super::gather::Read;
use super::window::{SHIFT, Window};
use super::wording::counted;
use crate::model::comparison::{ComparisonV1, CountsV1, ProblemV1, VariantV1};
use crate::store::Store;

/// Runs the comparison of other days for what `comparison` calls. Nothing is run when nothing is called.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn other_days(comparison: &mut ComparisonV1, read: &mut Read, store: &Store) -> Result<()> {
    let called = comparison.problems.iter().filter(|p| is_called(&p.verdict)).cloned().collect::<Vec<_>>();
    if called.is_empty() && !hollow(comparison) {
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
    Ok(())
}

/// Whether unbacked optimism is a finding. Calibrations are of deals of any time, the same with any days.
fn hollow(comparison: &ComparisonV1) -> bool {
    comparison.components.iter().any(|c| c.name == "commitment" && c.verdict == "finding")
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

/// What became of the `called` problems in `cells`, and of unbacked optimism, or why that tells nothing.
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
    let problems = if called.is_empty() { Vec::new() } else { coverage(cells).1 };
    let there = |id: &str| problems.iter().find(|p| p.id == id);
    let both = called.iter().filter_map(|p| Some((p, there(&p.id)?))).collect::<Vec<_>>();
    let mut flipped =
        both.iter().filter(|(here, there)| !same_sign(here, there)).map(|(p, _)| p.id.clone()).collect::<Vec<_>>();
    let mut measured = both.iter().all(|(_, there)| there.difference.is_some());
    let mut of = both.len() as u64;
    if hollow(primary) {
        let (unbacked, _) = commitment(cells);
        if let Some(rate) = unbacked.estimate {
            of += 1;
            measured &= unbacked.low.is_some();
            flipped.extend((rate <= FLOOR).then_some(unbacked.name));
        }
    }
    if of == 0 {
        return Err("too few accounts claim strong interest".to_owned());
    }
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

/// The runs in which what has this id does not keep its sign, in words.
pub(super) fn turned(variants: &[VariantV1], id: &str) -> Option<String> {
    let turned = variants.iter().filter(|v| v.flipped.iter().any(|flipped| flipped == id));
    let runs = turned.map(|v| v.what.as_str()).collect::<Vec<_>>();
    (!runs.is_empty()).then(|| format!("with {}", runs.join(", nor with ")))
}
