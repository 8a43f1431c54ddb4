//! The forecasts that are scored against one outcome, and their score.

use rand_chacha::ChaCha8Rng;

use super::super::cells::{Deal, Followed, Forecast};
use super::super::evidence_rule as rule;
use super::super::sample::random;
use super::super::stats::{
    Scored, brier, brier_skill, censoring_weights, citl, citl_error, citl_interval, detectable, isotonic,
    mean_forecast, reliability, skill_interval, spiegelhalter,
};
use super::{LAST_NOTE_DAYS, Outcome, WON_DAYS};
use crate::model::Missing;
use crate::model::comparison::{BinV1, CountsV1, ForecastV1, GateV1, RateV1, SKILL_OUTCOMES};

/// Censored forecasts of all, per cent, above which the others are weighted for them (METHOD 3.6).
pub(in crate::compare) const CENSORED_PERCENT: usize = 5;

/// Samples of the bootstrap (METHOD 3.11).
const DRAWS: usize = 1000;

/// Bins of the reliability curve (METHOD 3.6).
const BINS: usize = 5;

/// Levels of claimed interest.
const LEVELS: usize = 5;

/// A forecast whose outcome is known.
#[derive(Debug, Clone, Copy)]
struct Case {
    day: i64,
    rep: usize,
    interest: Option<u8>,
    crm_prob: Option<f64>,
    /// Won within 90 days, whichever outcome is looked at: what a level of interest is learned from.
    won: bool,
    happened: bool,
    weight: f64,
}

/// The forecasts that are old enough, and why the others are left out.
pub(super) struct Cohort {
    cases: Vec<Case>,
    horizon: i64,
    /// All deals, left out or not.
    deals: usize,
    /// Deals without such a note.
    without: usize,
    immature: usize,
    unknown: usize,
    censored: usize,
    weighted: bool,
}

/// Only mature cohorts count: of younger notes the early ends are known and the late ones are not (METHOD 3.6). Within them,
/// what was lost from sight is made up for by weights when it is more than 5%.
pub(super) fn cohort(deals: &[Deal], note: fn(&Deal) -> Option<&Forecast>, outcome: &Outcome) -> Cohort {
    let Outcome { horizon, of, .. } = outcome;
    let mut cohort = Cohort {
        cases: Vec::new(),
        horizon: *horizon,
        deals: deals.len(),
        without: 0,
        immature: 0,
        unknown: 0,
        censored: 0,
        weighted: false,
    };
    let end = data_end(deals);
    let mut followed = Vec::new();
    for deal in deals {
        let Some(forecast) = note(deal) else {
            cohort.without += 1;
            continue;
        };
        let (happened, days, decided) = match of(forecast) {
            Followed::Unknown => {
                cohort.unknown += 1;
                continue;
            }
            _ if end.is_some_and(|end| forecast.day + horizon > end) => {
                cohort.immature += 1;
                continue;
            }
            Followed::Yes(days) => (true, days, true),
            Followed::No(days) => (false, days, true),
            Followed::Censored(days) => (false, days, false),
        };
        cohort.censored += usize::from(!decided);
        followed.push((days, decided));
        cohort.cases.push(Case {
            day: forecast.day,
            rep: deal.rep,
            interest: forecast.interest,
            crm_prob: forecast.crm_prob,
            won: matches!(forecast.won, Followed::Yes(_)),
            happened,
            weight: f64::from(u8::from(decided)),
        });
    }
    cohort.weighted = 100 * cohort.censored > CENSORED_PERCENT * followed.len();
    if cohort.weighted {
        for (case, weight) in cohort.cases.iter_mut().zip(censoring_weights(&followed)) {
            case.weight = weight;
        }
    }
    cohort.cases.retain(|c| c.weight > 0.0);
    cohort
}

/// The last day that is looked at, as the forecasts that it cut off tell it; `None` when it cut off none.
fn data_end(deals: &[Deal]) -> Option<i64> {
    let forecasts = deals.iter().flat_map(|d| [&d.first, &d.last]).flatten();
    forecasts
        .flat_map(|f| [f.won, f.value].map(|followed| (f.day, followed)))
        .filter_map(|(day, followed)| match followed {
            Followed::Censored(days) => Some(day + days),
            _ => None,
        })
        .max()
}

impl Cohort {
    /// Whether there are forecasts, and nothing that tells of any of them what followed.
    pub(super) fn is_unrecorded(&self) -> bool {
        self.unknown > 0 && self.unknown + self.without == self.deals
    }

    fn has_crm_prob(&self) -> bool {
        !self.cases.is_empty() && self.cases.iter().all(|c| c.crm_prob.is_some())
    }

    /// Cases with claimed interest: the earlier ones, which it is learned from, and the later ones, which are scored.
    fn halves(&self) -> (Vec<Case>, Vec<Case>) {
        let told = self.cases.iter().filter(|c| c.interest.is_some()).copied().collect::<Vec<_>>();
        let mut days = told.iter().map(|c| c.day).collect::<Vec<_>>();
        days.sort_unstable();
        // No day is in both.
        let cut = days.get(days.len() / 2).copied().unwrap_or(0);
        told.into_iter().partition(|c| c.day < cut)
    }

    /// Why deals are left out, in sentences.
    pub(super) fn left_out(&self, outcome: &Outcome) -> Vec<String> {
        let (silent, learned) = if self.has_crm_prob() {
            (0, 0)
        } else {
            (self.cases.iter().filter(|c| c.interest.is_none()).count(), self.halves().0.len())
        };
        let lost = if self.weighted { "and the others are weighted for it" } else { "and are left out" };
        [
            (self.without, format!("have no note at least {LAST_NOTE_DAYS} days before their end")),
            (self.immature, format!("have a last note that the data follow for less than {} days", self.horizon)),
            (self.unknown, "have an outcome that nothing recorded tells".to_owned()),
            (self.censored, format!("were lost from sight before it was decided, {lost}")),
            (silent, "claim no interest in their last note, and not all deals have a probability".to_owned()),
            (learned, "are the earlier ones, from which the worth of a level of interest is learned".to_owned()),
        ]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, why)| format!("Forecasts of {}: {n} of {} deals {why}.", outcome.foretold, self.deals))
        .collect()
    }

    /// The score. `stream` keeps the bootstraps apart.
    pub(super) fn forecast(&self, seed: u64, stream: u64) -> ForecastV1 {
        let rng = rng(seed, stream, self.horizon);
        let what = format!("deals with a note that the data follow for {} days", self.horizon);
        if self.cases.is_empty() {
            return ForecastV1 { missing: enough(0, 0, &what, ""), ..ForecastV1::default() };
        }
        if self.has_crm_prob() {
            let scored = self.cases.iter().filter_map(|c| Some(c.scored(c.crm_prob?))).collect::<Vec<_>>();
            let missing = self.missing(&scored, &what);
            return self.score("crm_prob", &scored, &[], missing, rng);
        }
        let (earlier, later) = self.halves();
        let learned = Learned::of(&earlier);
        let scored = later.iter().filter_map(|c| Some(c.scored(learned.value(c)?))).collect::<Vec<_>>();
        let influence = learned.influence(&earlier, &scored);
        let won = earlier.iter().filter(|c| c.won).count() as u64;
        let learn =
            enough(earlier.len() as u64, won, "earlier deals to learn the worth of a level of interest from", "won");
        let missing = [learn, self.missing(&scored, &format!("later {what}"))].concat();
        self.score("interest", &scored, &influence, missing, rng)
    }

    fn missing(&self, scored: &[Scored], what: &str) -> Vec<Missing> {
        let happened = scored.iter().filter(|s| s.happened).count() as u64;
        let reps = rule::CRM_SHARE[1].check(rule::distinct(scored.iter().map(|s| s.cluster)) as u64);
        enough(scored.len() as u64, happened, what, "with the outcome").into_iter().chain(reps).collect()
    }

    fn score(
        &self,
        source: &str,
        scored: &[Scored],
        learned: &[(usize, f64)],
        missing: Vec<Missing>,
        mut rng: ChaCha8Rng,
    ) -> ForecastV1 {
        let outcomes = scored.len() as u64;
        let mut forecast = ForecastV1 {
            source: source.to_owned(),
            outcomes,
            happened: scored.iter().filter(|s| s.happened).count() as u64,
            by_interest: by_interest(&self.cases),
            missing,
            ..ForecastV1::default()
        };
        let interval = citl_interval(scored, learned);
        let (Some((low, high)), true) = (interval, forecast.missing.is_empty()) else { return forecast };
        forecast.forecast = mean_forecast(scored);
        forecast.citl = citl(scored);
        (forecast.low, forecast.high) = (Some(low), Some(high));
        forecast.detectable = citl_error(scored, learned).map(|(error, df)| detectable(error, df).min(1.0));
        forecast.brier = brier(scored);
        forecast.spiegelhalter_z = spiegelhalter(scored);
        if outcomes >= SKILL_OUTCOMES {
            forecast.bss = brier_skill(scored);
            // Too few reps to draw from give no interval.
            if rule::distinct(scored.iter().map(|s| s.cluster)) >= rule::CLUSTERS {
                (forecast.bss_low, forecast.bss_high) = skill_interval(scored, DRAWS, &mut rng).unzip();
            }
        }
        if outcomes >= rule::CURVE {
            forecast.curve = curve(scored);
        }
        forecast
    }
}

impl Case {
    fn scored(&self, forecast: f64) -> Scored {
        Scored { forecast, happened: self.happened, weight: self.weight, cluster: self.rep }
    }
}

/// The generator of one bootstrap.
fn rng(seed: u64, stream: u64, horizon: i64) -> ChaCha8Rng {
    // The drawing of samples has the first streams.
    random(seed, 16 + 2 * u64::from(horizon > WON_DAYS) + stream)
}

/// What each level of interest came to: the share won within 90 days, by isotonic regression (METHOD 3.6). Learned from sales
/// for either outcome, because a sale is what the interest was claimed in.
struct Learned(Option<Vec<f64>>);

impl Learned {
    fn of(cases: &[Case]) -> Self {
        let mut levels = [(0.0, 0.0); LEVELS];
        for case in cases {
            if let Some(level) = case.interest.and_then(|i| levels.get_mut(usize::from(i))) {
                level.0 += case.weight;
                level.1 += case.weight * f64::from(u8::from(case.won));
            }
        }
        Self(isotonic(&levels))
    }

    /// The forecast of a case; `None` when nothing was learned.
    fn value(&self, case: &Case) -> Option<f64> {
        self.0.as_ref()?.get(usize::from(case.interest?)).copied()
    }

    /// By how much each case that was learned from moved the mean forecast of `scored`, with its rep: through the mean of its
    /// block of levels, in proportion to the forecasts that stand on that block.
    fn influence(&self, cases: &[Case], scored: &[Scored]) -> Vec<(usize, f64)> {
        let all = scored.iter().map(|s| s.weight).sum::<f64>();
        let same = |a: f64, b: f64| a.total_cmp(&b).is_eq();
        let block = |p: f64| {
            let inside = cases.iter().filter(|c| self.value(c).is_some_and(|v| same(v, p)));
            let stand = scored.iter().filter(|s| same(s.forecast, p)).map(|s| s.weight).sum::<f64>();
            stand / all / inside.map(|c| c.weight).sum::<f64>()
        };
        let levels = self.0.iter().flatten().map(|p| (*p, block(*p))).collect::<Vec<_>>();
        let moved = |case: &Case| {
            let (p, per_weight) = levels.get(usize::from(case.interest?))?;
            Some((case.rep, per_weight * case.weight * (f64::from(u8::from(case.won)) - p)))
        };
        if all > 0.0 { cases.iter().filter_map(moved).collect() } else { Vec::new() }
    }
}

/// What is missing of METHOD 3.9's outcomes and of either class of them. Of nothing there are no classes.
pub(super) fn enough(of: u64, yes: u64, what: &str, which: &str) -> Vec<Missing> {
    let row = |what: String, have, need| GateV1 { what, have, need };
    let mut rows = vec![row(what.to_owned(), of, rule::OUTCOMES)];
    if of > 0 {
        rows.push(row(format!("of these {which}"), yes, rule::OF_EACH_CLASS));
        rows.push(row(format!("of these not {which}"), of - yes, rule::OF_EACH_CLASS));
    }
    rows.iter().filter_map(GateV1::missing).collect()
}

/// By claimed interest: how many, and how many had the outcome. Empty when none claims any.
fn by_interest(cases: &[Case]) -> Vec<CountsV1> {
    let mut levels = vec![CountsV1::default(); LEVELS];
    for case in cases {
        if let Some(level) = case.interest.and_then(|i| levels.get_mut(usize::from(i))) {
            level.of += 1;
            level.hits += u64::from(case.happened);
        }
    }
    if levels.iter().all(|l| l.of == 0) { Vec::new() } else { levels }
}

fn curve(scored: &[Scored]) -> Vec<BinV1> {
    let bins = reliability(scored, BINS).into_iter();
    bins.map(|bin| BinV1 {
        forecast: bin.forecast,
        happened: RateV1 {
            hits: bin.hits,
            of: bin.of,
            rate: bin.rate,
            low: Some(bin.low),
            high: Some(bin.high),
            n_eff: Some(bin.n_eff),
            labels: 0,
        },
    })
    .collect()
}
