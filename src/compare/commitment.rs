//! What stands behind claimed interest (METHOD 3.5). Counts are accounts, except for promises.
//!
//! Every share is of accounts that a fallible reader picked. With enough hand labels it is W-neff inside that domain; without
//! them a machine count that has no interval. Who vouches for a step (beyond `backed`) and what became of a promise no hand
//! label tells, so note-only inflation, kept promises and undated promises are machine counts always.

use super::cells::{Account, Cells, Promises, Standing};
use super::evidence_rule as rule;
use super::stats::{Class, DomainCell, Proportion, detectable, share_within};
use super::wording::{counted, missing as in_words, per_hundred, range};
use crate::model::Missing;
use crate::model::comparison::{AnswerV1, ComponentV1, CountsV1, OptimismV1, RateV1, SplitV1};

/// A finding when the interval lies above this: surely more than one in five accounts called strongly interested has given
/// nothing, or was never asked. A convention, fixed before any data is seen.
pub(super) const FLOOR: f64 = 0.20;

/// The accounts of a comparison, with the rule for whose word is taken for each.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    accounts: &'a [Account],
    labelled: usize,
    reps: u64,
}

impl<'a> Judged<'a> {
    pub(super) fn new(cells: &'a Cells) -> Self {
        Self { accounts: &cells.accounts, labelled: cells.labelled_accounts(), reps: cells.population.reps }
    }

    /// With every account labelled the labels are the truth and the reader is not asked.
    fn complete(self) -> bool {
        self.labelled > 0 && self.labelled == self.accounts.len()
    }

    fn missing_labels(self) -> Option<Missing> {
        rule::labels("crm", self.labelled, self.accounts.len())
    }

    /// What is missing beside labels for any share of these accounts, of which there are `of`.
    fn missing(self, of: u64) -> Vec<Missing> {
        let [_, reps] = rule::CRM_SHARE;
        [rule::OPTIMISM.check(of), reps.check(self.reps)].into_iter().flatten().collect()
    }

    /// Whether a share of `of` accounts may have an interval (METHOD 3.9).
    pub(super) fn is_measured(self, of: u64) -> bool {
        self.missing_labels().is_none() && self.missing(of).is_empty()
    }

    /// Every account with what is counted of it.
    pub(super) fn each(self) -> impl Iterator<Item = (&'a Account, Standing)> {
        self.accounts.iter().map(move |account| match account.gold {
            Some(gold) if self.complete() => (account, gold),
            _ => (account, account.found),
        })
    }

    /// Accounts that are `With`, of those that are not `Outside`.
    pub(super) fn counts(self, class: impl Fn(&Account, Standing) -> Class) -> CountsV1 {
        let mut counts = CountsV1::default();
        for class in self.each().map(|(account, standing)| class(account, standing)) {
            counts.of += u64::from(class != Class::Outside);
            counts.hits += u64::from(class == Class::With);
        }
        counts
    }

    /// The same share by W-neff, clustered by account and by rep. Strata are made of what the reader found, by `strata`.
    pub(super) fn share(
        self,
        strata: impl Fn(&Account, Standing) -> Class,
        class: impl Fn(&Account, Standing) -> Class,
    ) -> Option<Proportion> {
        let cells = self
            .accounts
            .iter()
            .map(|a| {
                let gold = a.gold.map(|gold| class(a, gold));
                let found = gold.filter(|_| self.complete()).unwrap_or_else(|| strata(a, a.found));
                DomainCell { found, gold, weight: a.weight }
            })
            .collect::<Vec<_>>();
        let own = (0..self.accounts.len()).collect::<Vec<_>>();
        let reps = self.accounts.iter().map(|a| a.rep).collect::<Vec<_>>();
        share_within(&cells, &[&own, &reps])
    }

    /// A share of a part of the accounts called strongly interested: as [`Self::rate`], and as many of the part are labelled;
    /// with fewer the interval is too short.
    fn part(self, class: impl Fn(&Account, Standing) -> Class) -> RateV1 {
        if self.is_labelled(&class) { self.rate(class) } else { machine(self.counts(class)) }
    }

    /// Whether enough accounts that are not `Outside` have a hand label.
    pub(super) fn is_labelled(self, class: impl Fn(&Account, Standing) -> Class) -> bool {
        let labelled = self.accounts.iter().filter(|a| a.gold.is_some_and(|g| class(a, g) != Class::Outside)).count();
        rule::OPTIMISM.check(labelled as u64).is_none()
    }

    /// The share that may be printed: an interval needs hand labels, 20 accounts to be a share of, and reps. All stand
    /// on the strata of the unbacked-optimism rate, so that its parts add up to it.
    fn rate(self, class: impl Fn(&Account, Standing) -> Class) -> RateV1 {
        let counts = self.counts(&class);
        let measured = self.is_measured(counts.of);
        let Some(share) = measured.then(|| self.share(unbacked, class)).flatten() else { return machine(counts) };
        let rate = share.estimate.clamp(0.0, 1.0);
        RateV1 {
            rate,
            low: Some(share.low.min(rate)),
            high: Some(share.high.max(rate)),
            n_eff: Some(share.n_eff),
            labels: self.labelled as u64,
            ..machine(counts)
        }
    }
}

/// Of the accounts called strongly interested: nothing is behind it.
pub(super) fn unbacked(_: &Account, s: Standing) -> Class {
    Class::of(s.strong, !s.backed)
}

/// The unbacked-optimism rate by W-neff, as far as labels allow one.
pub(super) fn unbacked_share(cells: &Cells) -> Option<Proportion> {
    Judged::new(cells).share(unbacked, unbacked)
}

/// A count without an interval.
fn machine(counts: CountsV1) -> RateV1 {
    let CountsV1 { hits, of } = counts;
    RateV1 { hits, of, rate: counts.rate(), low: None, high: None, n_eff: None, labels: 0 }
}

/// The commitment component and its counts.
pub fn commitment(cells: &Cells) -> (ComponentV1, OptimismV1) {
    let judged = Judged::new(cells);
    let rate = judged.rate(unbacked);
    let hollow = judged.each().filter(|(_, s)| s.strong && !s.backed).collect::<Vec<_>>();
    let asked = hollow.iter().filter(|(_, s)| s.asked).count() as u64;
    let optimism = OptimismV1 {
        strong: rate.of,
        unbacked: rate,
        never_asked: rate.hits - asked,
        asked_not_given: asked,
        unbacked_accounts: hollow.iter().map(|(a, _)| a.id.clone()).collect(),
        split: Some(split(judged)),
    };

    (component(judged, &optimism), optimism)
}

/// Why nothing is behind it: UOR = UOR_notasked (1 - AR) + UOR_asked AR (METHOD 3.5). In the counts this holds exactly, in the
/// estimates when all four have an interval and every stratum a label.
fn split(judged: Judged<'_>) -> SplitV1 {
    let mut promises = Promises::default();
    for (_, Standing { promises: p, .. }) in judged.each().filter(|(_, s)| s.strong) {
        promises.kept += p.kept;
        promises.missed += p.missed;
        promises.undated += p.undated;
        promises.untold += p.untold;
        promises.all += p.all;
    }
    let asked = judged.rate(|_, s| Class::of(s.strong, s.asked));
    SplitV1 {
        asked,
        asking: Some(asking(judged, &asked)),
        unbacked_not_asked: judged.part(|_, s| Class::of(s.strong && !s.asked, !s.backed)),
        unbacked_asked: judged.part(|_, s| Class::of(s.strong && s.asked, !s.backed)),
        kept: CountsV1 { hits: promises.kept, of: promises.kept + promises.missed },
        keeping: Some(keeping(judged)),
        undated: CountsV1 { hits: promises.undated, of: promises.all },
        untold: CountsV1 { hits: promises.untold, of: promises.kept + promises.missed + promises.untold },
        note_only: machine(judged.counts(|_, s| Class::of(s.strong, s.claimed && !s.backed))),
    }
}

/// Whether reps ask: the share of those never asked against [`FLOOR`].
fn asking(judged: Judged<'_>, asked: &RateV1) -> AnswerV1 {
    let mut missing = judged.missing(asked.of);
    let enough = missing.is_empty();
    missing.extend(judged.missing_labels());
    let answer = |verdict: &str| AnswerV1 { verdict: verdict.to_owned(), ..AnswerV1::default() };
    let Some(most) = asked.high else {
        return AnswerV1 { missing, ..answer(if enough { "uncorrected" } else { "not_enough_evidence" }) };
    };
    if 1.0 - most >= FLOOR {
        return answer("finding");
    }
    let never = judged.share(unbacked, |_, s| Class::of(s.strong, !s.asked));
    AnswerV1 { detectable: never.map(|share| beyond(FLOOR, &share)), ..answer("no_gap_detected") }
}

/// Whether promises are kept. No hand label tells what became of one, so there is never more than a count.
fn keeping(judged: Judged<'_>) -> AnswerV1 {
    let told = judged.each().filter(|(_, s)| s.strong && s.promises.kept + s.promises.missed > 0).count();
    let missing = rule::PROMISES.check(told as u64).into_iter().collect::<Vec<_>>();
    let verdict = if missing.is_empty() { "uncorrected" } else { "not_enough_evidence" };
    AnswerV1 { verdict: verdict.to_owned(), detectable: None, missing }
}

/// The share above `floor` that would be seen four times in five.
fn beyond(floor: f64, share: &Proportion) -> f64 {
    (floor + detectable(share.variance().sqrt(), share.df)).min(1.0)
}

fn component(judged: Judged<'_>, optimism: &OptimismV1) -> ComponentV1 {
    let rate = optimism.unbacked;
    let mut missing = judged.missing(rate.of);
    // With enough of everything but labels it is a machine count and not too little evidence.
    let enough = missing.is_empty();
    missing.extend(judged.missing_labels());
    let mut component = ComponentV1 {
        name: "commitment".to_owned(),
        verdict: "not_enough_evidence".to_owned(),
        estimate: None,
        raw: None,
        p: None,
        low: None,
        high: None,
        n: optimism.strong,
        detectable: None,
        missing,
        grade: None,
        says: String::new(),
    };
    if !enough {
        component.says = format!(
            "Not enough to say what stands behind claimed interest; there is {}.",
            in_words(&component.missing)
        );
        return component;
    }
    let counts = format!("{} of {}", rate.hits, counted(rate.of, "accounts"));
    let asked = format!(
        "of which {} never asked and {} asked and gave nothing",
        were(optimism.never_asked),
        were(optimism.asked_not_given)
    );
    let nothing = "Nothing behind them: no kept commitment that anybody but the rep vouches for.";
    component.estimate = Some(rate.rate);
    let (Some(low), Some(high)) = (rate.low, rate.high) else {
        component.verdict = "uncorrected".to_owned();
        component.says = format!(
            "Counted by machine, not corrected for its mistakes: {counts} described as strongly interested {} nothing behind them, \
             {asked}. {nothing}",
            have(rate.hits)
        );
        return component;
    };
    component.low = Some(low);
    component.high = Some(high);
    if low >= FLOOR {
        component.verdict = "finding".to_owned();
    } else {
        component.verdict = "no_gap_detected".to_owned();
        let share = judged.share(unbacked, unbacked);
        component.detectable = share.map(|share| beyond(FLOOR, &share));
    }
    let never_asked = judged.share(unbacked, |_, s| Class::of(s.strong, !s.backed && !s.asked));
    let never_asked = per_hundred(never_asked.map_or(0.0, |s| s.estimate.clamp(0.0, rate.rate)));
    component.says = format!(
        "{} of every 100 accounts described as strongly interested {} nothing behind them (95% interval {}, allowing for \
         differences between {}), of which {} never asked. {}: {counts}, {asked}. {nothing}",
        per_hundred(rate.rate),
        have(per_hundred(rate.rate)),
        range(low, high),
        counted(judged.reps, "reps"),
        were(never_asked),
        match judged.complete() {
            true => "Counted by hand".to_owned(),
            false =>
                format!("Corrected with {} labelled by hand. Counted by machine", counted(rate.labels, "accounts")),
        },
    );
    component
}

fn were(n: u64) -> String {
    if n == 1 { "1 was".to_owned() } else { format!("{n} were") }
}

fn have(n: u64) -> &'static str {
    if n == 1 { "has" } else { "have" }
}
