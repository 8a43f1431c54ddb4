//! Notes against outcomes (METHOD 3.6): what notes foretold, what was won within 90 days, and what was of value a year on.
//!
//! The numbers are the comparison's; here they become rows and words.

use super::view::{OutcomeRow, OutcomesView};
use super::words::{self, count, number, percent};
use crate::model::comparison::{BinV1, CalibrationV1, ComparisonV1, CountsV1, ForecastV1, SKILL_OUTCOMES, TouchesV1};

/// What the numbers cannot show (METHOD 8.2).
const NOT_CAUSES: &str = "A forecast that misses does not say why: reps also work harder on the deals they believe in, so this \
     measures what notes are worth as forecasts and not what they caused.";

/// The view; `None` without deals.
pub(super) fn outcomes(comparison: Option<&ComparisonV1>) -> Option<OutcomesView> {
    let comparison = comparison?;
    let numbers = comparison.calibration.as_ref()?;
    let components = comparison.components.iter().filter(|c| c.name.starts_with("calibration"));
    let outcomes =
        [("won within 90 days", &numbers.won), ("won within 90 days, and of value after 365", &numbers.value)];
    let notes = |(what, touches): (&'static str, &TouchesV1)| {
        [row(what, "first note", &touches.first), row(what, "last note", &touches.last)]
    };
    let last = &numbers.won.last;
    let by_interest = last.by_interest.iter().enumerate().map(|(level, counts)| (level, *counts));
    Some(OutcomesView {
        says: components.map(|c| c.says.clone()).filter(|says| !says.is_empty()).collect(),
        rows: outcomes.into_iter().flat_map(notes).collect(),
        by_interest: by_interest
            .filter(|(_, counts)| counts.of > 0)
            .map(|(level, counts)| (words::interest(u8::try_from(level).ok()), won(counts)))
            .collect(),
        curve: last.curve.iter().map(bin).collect(),
        notes: remarks(numbers),
        numbers: numbers.clone(),
    })
}

fn row(what: &'static str, note: &'static str, forecast: &ForecastV1) -> OutcomeRow {
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), percent);
    let happened = CountsV1 { hits: forecast.happened, of: forecast.outcomes };
    OutcomeRow {
        what,
        note,
        foretold: share(forecast.forecast),
        happened: if happened.of == 0 { "–".to_owned() } else { won(happened) },
        optimism: match (forecast.citl, forecast.low, forecast.high) {
            (Some(citl), Some(low), Some(high)) => {
                format!(
                    "{} ({} to {})",
                    words::signed_points(citl),
                    words::signed_points(low),
                    words::signed_points(high)
                )
            }
            _ if forecast.missing.is_empty() => "–".to_owned(),
            _ => format!("too little: {}", words::missing(&forecast.missing, 2)),
        },
        brier: forecast.brier.map_or_else(|| "–".to_owned(), words::score),
        skill: match (forecast.bss, forecast.bss_low, forecast.bss_high) {
            (Some(skill), Some(low), Some(high)) => {
                format!("{} ({} to {})", words::score(skill), words::score(low), words::score(high))
            }
            (Some(skill), ..) => format!("{} (no interval: too few reps)", words::score(skill)),
            _ if forecast.brier.is_some() => {
                format!("too little: {} of {SKILL_OUTCOMES} deals", number(forecast.outcomes))
            }
            _ => "–".to_owned(),
        },
    }
}

/// Spiegelhalter's test of the forecasts of one outcome, with what it rests on.
fn misfit(what: &str, touches: &TouchesV1) -> Option<String> {
    let notes = [("first", touches.first.spiegelhalter_z), ("last", touches.last.spiegelhalter_z)];
    let z = notes.into_iter().filter_map(|(note, z)| Some(format!("{} by the {note} notes", words::score(z?))));
    let z = z.collect::<Vec<_>>();
    (!z.is_empty()).then(|| {
        format!(
            "Spiegelhalter's z ({what}): {}. Beyond 1.96 either way the forecasts do not fit, if deals are independent; deals of one rep \
             are not, so it says so too readily.",
            words::list(&z)
        )
    })
}

/// `9 of 37`, with the share where there are enough for one.
fn won(counts: CountsV1) -> String {
    let of = format!("{} of {}", number(counts.hits), number(counts.of));
    match words::share_short(&words::machine_count(counts)) {
        Some(share) => format!("{share} ({of})"),
        None => of,
    }
}

/// Foretold, and what happened with its interval.
fn bin(bin: &BinV1) -> (String, String) {
    let rate = &bin.happened;
    let range =
        words::rate_interval(rate).map_or_else(String::new, |(low, high)| format!(", {}", words::interval(low, high)));
    (percent(bin.forecast), format!("{} ({} of {}{range})", percent(rate.rate), number(rate.hits), number(rate.of)))
}

fn remarks(numbers: &CalibrationV1) -> Vec<String> {
    let notes = numbers.notes.as_ref().map_or_else(String::new, |[first, last]| {
        format!(", by notes of {}, whatever the period of this report", words::days(Some(first), Some(last)))
    });
    let mut says = vec![format!("{} looked at{notes}.", count(numbers.deals, "deal was", "deals were"))];
    says.push(
        match numbers.won.last.source.as_str() {
            "crm_prob" => "What is foretold is the CRM's own probability at the time of the note.",
            _ => {
                "What is foretold is the interest that the note claims: the earlier half of the deals tells how often each level \
                 ended in a sale, and the later half is what is shown."
            }
        }
        .to_owned(),
    );
    says.push(
        "The Brier score is the mean squared error of the forecasts: 0 is perfect, and always saying a half gets 0.25."
            .to_owned(),
    );
    says.push("Skill is against always naming the share that happened: 1 is perfect, 0 or less means that the notes told nothing.".to_owned());
    let outcomes = [("won within 90 days", &numbers.won), ("of value after 365", &numbers.value)];
    says.extend(outcomes.into_iter().filter_map(|(what, touches)| misfit(what, touches)));
    says.extend(numbers.left_out.iter().cloned());
    if let Some(drift) = numbers.drift {
        says.push(format!(
            "Optimism that the sale itself could not reveal: {} points (value after 365 days less won within 90).",
            words::signed_points(drift)
        ));
    }
    says.push(NOT_CAUSES.to_owned());
    says
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_was_foretold_and_what_came() {
        let forecast = ForecastV1 {
            outcomes: 40,
            happened: 10,
            forecast: Some(0.5),
            citl: Some(0.25),
            low: Some(0.08),
            high: Some(0.42),
            bss: Some(-0.2),
            bss_low: Some(-0.5),
            bss_high: Some(0.1),
            ..ForecastV1::default()
        };
        let row = row("won within 90 days", "last note", &forecast);
        assert_eq!((row.foretold.as_str(), row.happened.as_str()), ("50%", "25% (10 of 40)"));
        assert_eq!((row.optimism.as_str(), row.skill.as_str()), ("+25 (+8 to +42)", "−0.20 (−0.50 to 0.10)"));
    }

    #[test]
    fn scores_are_told_with_what_they_rest_on() {
        let first = ForecastV1 {
            outcomes: 69,
            brier: Some(0.268),
            bss: Some(-0.115),
            spiegelhalter_z: Some(2.74),
            ..ForecastV1::default()
        };
        let last = ForecastV1 { outcomes: 48, brier: Some(0.2), ..ForecastV1::default() };
        let rows = [&first, &last].map(|forecast| super::row("won within 90 days", "note", forecast));
        assert_eq!((rows[0].brier.as_str(), rows[0].skill.as_str()), ("0.27", "−0.12 (no interval: too few reps)"));
        assert_eq!((rows[1].brier.as_str(), rows[1].skill.as_str()), ("0.20", "too little: 48 of 60 deals"));
        let says = misfit("won within 90 days", &TouchesV1 { first, last }).unwrap();
        assert!(says.starts_with("Spiegelhalter's z (won within 90 days): 2.74 by the first notes."), "{says}");
        assert!(says.contains("if deals are independent"), "{says}");
        assert_eq!(misfit("of value", &TouchesV1::default()), None);
    }

    #[test]
    fn too_little_says_what_is_missing_and_gives_no_number() {
        let missing = vec![crate::model::Missing { what: "deals with an outcome".to_owned(), have: 4, need: 30 }];
        let row = super::row("won within 90 days", "last note", &ForecastV1 { missing, ..ForecastV1::default() });
        assert_eq!(row.optimism, "too little: 4 of 30 deals with an outcome");
        assert_eq!((row.foretold.as_str(), row.skill.as_str()), ("–", "–"));
    }
}
