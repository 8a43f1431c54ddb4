//! What stands behind claimed interest (METHOD 3.5). Counts are accounts.

use super::cells::{Account, Cells, Standing};
use super::evidence_rule as rule;
use super::stats::{Class, DomainCell, Proportion, share_within};
use super::wording::{counted, missing as in_words, percent, range};
use crate::model::Missing;
use crate::model::comparison::{ComponentV1, OptimismV1, RateV1};

/// A finding when the interval lies above this: surely more than one in five accounts called strongly interested has given
/// nothing. A convention, fixed before any data is seen.
pub(super) const FLOOR: f64 = 0.20;

/// The commitment component and its counts.
pub fn commitment(cells: &Cells) -> (ComponentV1, OptimismV1) {
    let accounts = &cells.accounts;
    let labelled = accounts.iter().filter(|a| a.gold.is_some()).count();
    let complete = !accounts.is_empty() && labelled == accounts.len();
    // With every account labelled the labels are the truth and the reader is not asked.
    let standing = |a: &Account| match a.gold {
        Some(gold) if complete => gold,
        _ => a.found,
    };
    let strong = accounts.iter().filter(|a| standing(a).strong).collect::<Vec<_>>();
    let unbacked = strong.iter().filter(|a| !standing(a).backed).collect::<Vec<_>>();
    let asked = unbacked.iter().filter(|a| standing(a).asked).count() as u64;
    let (n, hits) = (strong.len() as u64, unbacked.len() as u64);

    let [_, reps] = rule::CRM_SHARE;
    let mut missing =
        [rule::OPTIMISM.check(n), reps.check(cells.population.reps)].into_iter().flatten().collect::<Vec<_>>();
    let missing_labels = rule::labels("crm", labelled, accounts.len());
    let share = missing_labels.is_none().then(|| unbacked_share(accounts, complete)).flatten();
    let rate = RateV1 {
        hits,
        of: n,
        rate: match &share {
            Some(share) => share.estimate.clamp(0.0, 1.0),
            None if n == 0 => 0.0,
            None => hits as f64 / n as f64,
        },
        low: share.as_ref().map(|s| s.low.min(s.estimate.clamp(0.0, 1.0))),
        high: share.as_ref().map(|s| s.high.max(s.estimate.clamp(0.0, 1.0))),
        n_eff: share.as_ref().map(|s| s.n_eff),
        labels: if share.is_some() { labelled as u64 } else { 0 },
    };
    let optimism = OptimismV1 {
        strong: n,
        unbacked: rate,
        never_asked: hits - asked,
        asked_not_given: asked,
        unbacked_accounts: unbacked.iter().map(|a| a.id.clone()).collect(),
        split: None,
    };
    // With enough of everything but no label at all, it is a machine count and not too little evidence.
    if labelled > 0 || !missing.is_empty() {
        missing.extend(missing_labels);
    }
    (component(&optimism, missing, cells.population.reps), optimism)
}

/// W-neff inside the accounts with strong interest, clustered by account and by rep.
pub(super) fn unbacked_share(accounts: &[Account], complete: bool) -> Option<Proportion> {
    let class = |s: Standing| match (s.strong, s.backed) {
        (false, _) => Class::Outside,
        (true, true) => Class::Without,
        (true, false) => Class::With,
    };
    let cells = accounts
        .iter()
        .map(|a| {
            let gold = a.gold.map(class);
            let found = gold.filter(|_| complete).unwrap_or(class(a.found));
            DomainCell { found, gold, weight: a.weight }
        })
        .collect::<Vec<_>>();
    let own = (0..accounts.len()).collect::<Vec<_>>();
    let reps = accounts.iter().map(|a| a.rep).collect::<Vec<_>>();
    share_within(&cells, &[&own, &reps])
}

fn component(optimism: &OptimismV1, missing: Vec<Missing>, reps: u64) -> ComponentV1 {
    let rate = optimism.unbacked;
    let mut component = ComponentV1 {
        name: "commitment".to_owned(),
        verdict: "not_enough_evidence".to_owned(),
        estimate: None,
        low: None,
        high: None,
        n: optimism.strong,
        detectable: None,
        missing,
        grade: None,
        says: String::new(),
    };
    if !component.missing.is_empty() {
        component.says = format!(
            "Not enough to say what stands behind claimed interest; there is {}.",
            in_words(&component.missing)
        );
        return component;
    }
    let split = format!(
        "{} never asked for anything; {} asked and gave nothing that anybody but the rep vouches for",
        were(optimism.never_asked),
        were(optimism.asked_not_given)
    );
    let counts = format!(
        "{} of {} whose notes claim strong interest have no kept commitment behind them that anybody but the rep vouches for",
        rate.hits,
        counted(rate.of, "accounts")
    );
    component.estimate = Some(rate.rate);
    let (Some(low), Some(high)) = (rate.low, rate.high) else {
        component.verdict = "uncorrected".to_owned();
        component.says = format!("Counted by machine, not corrected for its mistakes: {counts}. Of these {split}.");
        return component;
    };
    component.low = Some(low);
    component.high = Some(high);
    if low >= FLOOR {
        component.verdict = "finding".to_owned();
    } else {
        component.verdict = "no_gap_detected".to_owned();
        component.detectable = Some((FLOOR + rate.rate - low).min(1.0));
    }
    component.says = format!(
        "{counts}: {} (95% interval {}, allowing for differences between {}), corrected with {} labelled by hand. Of these {split}.",
        percent(rate.rate),
        range(low, high),
        counted(reps, "reps"),
        counted(rate.labels, "accounts"),
    );
    component
}

fn were(n: u64) -> String {
    if n == 1 { "1 was".to_owned() } else { format!("{n} were") }
}
