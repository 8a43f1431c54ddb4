//! What notes foretold against what followed (METHOD 3.6), the only part of the vector that is a proper score. Units are deals.
//!
//! No hand label is needed. Elsewhere a reading stands for the truth and must be corrected where the reader errs (METHOD 0.2);
//! here claimed interest that a machine read is a forecast like any other, and the truth is what became of the deal. A bad
//! reader shows as a bad forecast, never as a wrong outcome.
//!
//! What the calibration can say depends on the forecast. The CRM's own probability is taken at its word, so that it is off by
//! 20 points means just that. A level of claimed interest promises no number; what it came to among the earlier half of the
//! deals is its forecast for the later half, so that it is off means that the words have lost or gained in worth.

mod cohort;

use jiff::ToSpan;
use jiff::civil::Date;

use super::cells::{Cells, Deal, Followed, Forecast};
use super::wording::{missing as in_words, percent, points};
use crate::model::comparison::{CalibrationV1, ComponentV1, CountsV1, ForecastV1, TouchesV1};
pub(super) use cohort::CENSORED_PERCENT;
use cohort::{cohort, enough};

/// A sale counts when it closes within so many days of the note (METHOD 3.6).
pub const WON_DAYS: i64 = 90;

/// A customer counts when they are still there, with value, so many days after the start (METHOD 3.6).
pub const KEPT_DAYS: i64 = 365;

/// The last note counts when it is so many days older than the outcome (METHOD 3.6).
pub const LAST_NOTE_DAYS: i64 = 14;

/// What is foretold.
struct Outcome {
    component: &'static str,
    /// Days from the note until it is known in any case.
    horizon: i64,
    of: fn(&Forecast) -> Followed,
    /// "How well notes foretell …".
    foretold: &'static str,
    /// "Of 40 deals, 12 were …".
    were: &'static str,
    /// Deals that tell it.
    recorded: &'static str,
}

const WON: Outcome = Outcome {
    component: "calibration_won",
    horizon: WON_DAYS,
    of: |f| f.won,
    foretold: "sales",
    were: "won within 90 days of their last note",
    recorded: "deals whose end is recorded",
};

const VALUE: Outcome = Outcome {
    component: "calibration_value",
    horizon: WON_DAYS + KEPT_DAYS,
    of: |f| f.value,
    foretold: "customers who stay and get value",
    were: "won within 90 days of their last note and kept, with value, for 365 more",
    recorded: "deals whose customer is recorded to have reached the value milestone (value_at)",
};

/// The calibration, `None` without any deal, and the two components made of it. `seed` is that of the bootstrap.
pub fn calibration(cells: &Cells, seed: u64) -> (Option<CalibrationV1>, [ComponentV1; 2]) {
    let deals = &cells.deals;
    let mut left_out = Vec::new();
    let [won, value] = [WON, VALUE].map(|outcome| {
        let first = cohort(deals, |d| d.first.as_ref(), &outcome).forecast(seed, 0);
        let cohort = cohort(deals, |d| d.last.as_ref(), &outcome);
        left_out.extend(cohort.left_out(&outcome));
        let last = cohort.forecast(seed, 1);
        let component = component(&outcome, &last, cohort.is_unrecorded());
        (TouchesV1 { first, last }, component)
    });
    let drift = value.0.last.citl.zip(won.0.last.citl).map(|(value, won)| value - won);
    let (notes, deals) = (days_of_notes(deals), deals.len() as u64);
    let calibration = CalibrationV1 { deals, notes, left_out, won: won.0, value: value.0, drift };
    ((deals > 0).then_some(calibration), [won.1, value.1])
}

/// First and last day of a note that foretold.
fn days_of_notes(deals: &[Deal]) -> Option<[String; 2]> {
    let days = || deals.iter().flat_map(|deal| [&deal.first, &deal.last]).flatten().map(|forecast| forecast.day);
    let date = |day: i64| Some(Date::constant(1970, 1, 1).checked_add(day.days()).ok()?.to_string());
    Some([date(days().min()?)?, date(days().max()?)?])
}

/// The component, of the last notes. Of an outcome that is recorded nowhere nothing is inferred (METHOD 5.1).
fn component(outcome: &Outcome, last: &ForecastV1, unrecorded: bool) -> ComponentV1 {
    let mut component = ComponentV1 {
        name: outcome.component.to_owned(),
        verdict: "not_enough_evidence".to_owned(),
        estimate: last.citl,
        raw: None,
        p: None,
        low: last.low,
        high: last.high,
        n: last.outcomes,
        detectable: None,
        missing: last.missing.clone(),
        grade: None,
        says: String::new(),
    };
    if unrecorded {
        component.missing = enough(0, 0, outcome.recorded, "");
    }
    let (Some(estimate), Some(low), Some(high), Some(forecast)) = (last.citl, last.low, last.high, last.forecast)
    else {
        component.says = format!(
            "Not enough to say how well notes foretell {}; there is {}.",
            outcome.foretold,
            in_words(&component.missing)
        );
        return component;
    };
    let how = match last.source.as_str() {
        "crm_prob" => "The CRM's own probabilities at the time",
        _ => {
            "The interest that a machine read in those notes, taken for what the same level came to in sales among earlier deals,"
        }
    };
    let counts = CountsV1 { hits: last.happened, of: last.outcomes };
    let than = if estimate < 0.0 { "less" } else { "more" };
    component.says = format!(
        "Of {} deals, {} were {} ({}). {how} foretold a sale for {}, {} points {than} than came of it (95% interval {} to {}, \
         allowing for differences between reps).",
        counts.of,
        counts.hits,
        outcome.were,
        percent(forecast - estimate),
        percent(forecast),
        points(estimate.abs()),
        points(low),
        points(high),
    );
    if low > 0.0 || high < 0.0 {
        component.verdict = "finding".to_owned();
    } else {
        component.verdict = "no_gap_detected".to_owned();
        component.detectable = last.detectable;
        let seen = last.detectable.map_or_else(String::new, |d| {
            format!("; {} points or more would have been seen four times in five", points(d))
        });
        component.says += &format!(" That is within chance{seen}.");
    }
    component
}

#[cfg(test)]
mod tests;
