//! Grades, and the one word for the vector when one is wanted (METHOD 3.8): its worst part, named. Never an average, never a
//! score.

use super::evidence_rule::{self as rule, Need};
use super::{calibration, commitment, coverage, gather, moved, multiverse, selection, window};
use crate::config::{CompareSettings, Grades};
use crate::model::comparison::{
    ComparisonV1, ComponentV1, FALSE_DISCOVERIES, OverallV1, SETTLING_DAYS, SKILL_OUTCOMES, ThresholdV1,
};

/// From the mildest to the worst.
const GRADES: [&str; 4] = ["none found", "small", "moderate", "large"];

/// Parts of the vector (METHOD 3.8): coverage, commitment, and calibration of what was won and of value.
const PARTS: u64 = 4;

/// So many parts with enough evidence make a word for the whole.
pub(super) const ENOUGH_PARTS: u64 = 2;

/// Grades every part that has enough evidence, and names the worst. What deserves no verdict gets no grade.
pub fn conclude(comparison: &mut ComparisonV1, settings: &CompareSettings) {
    let mut worst = None::<(usize, f64, usize)>;
    let mut graded = 0;
    for (i, component) in comparison.components.iter_mut().enumerate() {
        let Some((grade, excess)) = grade(component, &settings.grades) else { continue };
        component.grade = Some(GRADES[grade].to_owned());
        graded += 1;
        // Among parts of the same grade the one that is furthest beyond its own cut-off.
        if worst.is_none_or(|(other, by, _)| (grade, excess) > (other, by)) {
            worst = Some((grade, excess, i));
        }
    }
    let worst = worst.filter(|(grade, ..)| graded >= ENOUGH_PARTS && *grade > 0);
    comparison.overall = Some(OverallV1 {
        worst: worst.map(|(.., i)| comparison.components[i].name.clone()),
        grade: worst.map(|(grade, ..)| GRADES[grade].to_owned()),
        graded,
        of: PARTS,
    });
    comparison.thresholds = thresholds(settings);
}

/// The grade of a part with enough evidence, and how many times its upper cut-off it is.
fn grade(component: &ComponentV1, grades: &Grades) -> Option<(usize, f64)> {
    let (_, [moderate, large]) = grades.named().into_iter().find(|(name, _)| component.name.starts_with(name))?;
    let found = match component.verdict.as_str() {
        "finding" => true,
        // What may be chance has a size that says nothing. Where a large gap would have been missed, none is no answer.
        "no_gap_detected" if component.detectable.is_some_and(|seen| seen <= large) => false,
        _ => return None,
    };
    // Pessimism is as far from the truth as optimism.
    let size = component.estimate?.abs();
    let grade = 1 + usize::from(size >= moderate) + usize::from(size >= large);
    Some(if found { (grade, size / large) } else { (0, 0.0) })
}

/// Every threshold that decides a verdict, as it stands in the settings or in METHOD.
pub fn thresholds(settings: &CompareSettings) -> Vec<ThresholdV1> {
    let of = |what: &str, value: f64| ThresholdV1 { what: what.to_owned(), value };
    let need = |need: &Need| of(&format!("{}, at least", need.what), need.at_least as f64);
    let mut all = vec![
        of("days in the window, where its ends are not set", settings.window_days as f64),
        of("days more, fewer and earlier in the runs with other days", window::SHIFT as f64),
        of("words of a note that could record a problem", gather::DISCOVERY_WORDS as f64),
        of("a gap: one side has the problem more than so many times as often as the other", coverage::MINIMUM_RATIO),
        of("a gap: lower end of the 95% interval of the heavier side, at least", coverage::MINIMUM_SHARE),
        of("false discovery rate of gaps, of moves and of segments", FALSE_DISCOVERIES),
        of("level of the test that the mixes differ", coverage::LEVEL),
        of("“absent”: accounts read by hand without a mention, at least", rule::ABSENT as f64),
        of("“no gap”: width of the interval of the difference, at most", rule::GAP_WIDTH),
    ];
    let needs =
        [rule::OUTSIDE_ONE_THREAD, rule::PROBLEM_OUTSIDE_ONE_THREAD, rule::SILENT, rule::PHANTOM, rule::GAP_N_EFF];
    all.extend(
        rule::COMMUNITY_SHARE
            .iter()
            .chain(&rule::CRM_SHARE)
            .chain(&needs)
            .chain([&rule::OPTIMISM, &rule::PROMISES, &rule::SEGMENT])
            .map(need),
    );
    all.extend([
        of("clusters for an interval, at least", rule::CLUSTERS as f64),
        of("hand labels on each side, at least, or all where there are fewer", rule::LABELS as f64),
        of("per cent of problems inside the list, on either side, at least", rule::INSIDE_CODEBOOK as f64),
        of("days in which a claim of strong interest can be followed by something", SETTLING_DAYS as f64),
        of("lowest level of the commitment ladder that backs a claim", f64::from(gather::standing::BACKING_LEVEL)),
        of("unbacked optimism is a finding from this lower end of its 95% interval on", commitment::FLOOR),
        of("never asked is a finding from this lower end of its 95% interval on", commitment::FLOOR),
        of("days in which a sale must follow its forecast", calibration::WON_DAYS as f64),
        of("days for which a customer must then be kept, with value", calibration::KEPT_DAYS as f64),
        of("days from the last note that counts to the end of its deal, at least", calibration::LAST_NOTE_DAYS as f64),
        of("outcomes behind a calibration, at least", rule::OUTCOMES as f64),
        of("outcomes of either kind behind a calibration, at least", rule::OF_EACH_CLASS as f64),
        of("outcomes for a skill score, at least", SKILL_OUTCOMES as f64),
        of("outcomes for a curve, at least", rule::CURVE as f64),
        of(
            "per cent of forecasts lost from sight above which the others are weighted for them",
            calibration::CENSORED_PERCENT as f64,
        ),
        of("gamma* below which a finding is fragile", selection::GAMMA_STAR[0]),
        of("gamma* above which a finding is robust", selection::GAMMA_STAR[1]),
        of("kinds of communities that must tell of a silent problem, or it is not robust", 2.0),
        of(
            "share of pairs of readers that must agree on a sign, or a verdict is not called stable",
            multiverse::AGREEMENT,
        ),
        of("per cent of the days of the period before that a side has to cover", moved::COVERED as f64),
        of("parts of the gap with enough evidence that make a word for the whole", ENOUGH_PARTS as f64),
    ]);
    for (name, [moderate, large]) in settings.grades.named() {
        all.extend([of(&format!("{name} is moderate from"), moderate), of(&format!("{name} is large from"), large)]);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(name: &str, verdict: &str, estimate: f64) -> ComponentV1 {
        ComponentV1 {
            name: name.to_owned(),
            verdict: verdict.to_owned(),
            estimate: Some(estimate),
            raw: None,
            p: None,
            low: None,
            high: None,
            n: 100,
            detectable: None,
            missing: Vec::new(),
            grade: None,
            says: String::new(),
        }
    }

    fn graded(component: &ComponentV1) -> Option<&'static str> {
        grade(component, &Grades::default()).map(|(grade, _)| GRADES[grade])
    }

    #[test]
    fn grades_change_at_their_cut_offs() {
        for (name, estimate, expected) in [
            ("coverage", 0.049, "small"),
            ("coverage", 0.05, "moderate"),
            ("coverage", 0.15, "large"),
            ("commitment", 0.19, "small"),
            ("commitment", 0.50, "large"),
            ("calibration_won", -0.2, "large"),
            ("calibration_value", 0.06, "moderate"),
        ] {
            assert_eq!(graded(&component(name, "finding", estimate)), Some(expected), "{name} {estimate}");
        }
        let seen = |from| graded(&ComponentV1 { detectable: from, ..component("coverage", "no_gap_detected", 0.9) });
        assert_eq!(seen(Some(0.15)), Some("none found"), "it may be chance");
        assert_eq!((seen(Some(0.16)), seen(None)), (None, None), "a large gap would not have been seen");
        assert_eq!(graded(&component("coverage", "uncorrected", 0.9)), None);
        assert_eq!(graded(&component("coverage", "not_enough_evidence", 0.9)), None);
        assert_eq!(graded(&component("texture", "finding", 0.9)), None, "nobody set a cut-off");
    }

    #[test]
    fn every_threshold_is_told_once_and_finite() {
        let all = thresholds(&CompareSettings::default());
        let names = all.iter().map(|t| t.what.as_str()).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(names.len(), all.len());
        assert!(all.iter().all(|t| t.value.is_finite()) && all.len() > 25);
        for (what, value) in [("skill score", 60.0), ("a curve", 100.0), ("lost from sight", 5.0)] {
            assert_eq!(all.iter().filter(|t| t.what.contains(what) && t.value == value).count(), 1, "{what}");
        }
    }
}
