//! Verdicts in words, and what would change them. "Not enough evidence" is a verdict like the others.

use super::view::VerdictView;
use super::words::{self, Unit, count, number};
use crate::model::comparison::{ComparisonV1, NewcomersV1, ProblemV1, RateV1};

/// The verdict on a problem.
pub(super) fn verdict(problem: &ProblemV1, has_crm: bool) -> VerdictView {
    let view = |short: String, long: String, finding: bool, too_little: bool| VerdictView {
        name: problem.verdict.clone(),
        short,
        long,
        finding,
        too_little,
    };
    if !has_crm {
        return view(String::new(), "There are no CRM notes to compare with.".to_owned(), false, false);
    }
    match problem.verdict.as_str() {
        "silent" => view(
            "silent in the CRM".to_owned(),
            format!(
                "Heavy in the communities, all but silent in the CRM: the gap is larger than the reader's mistakes and the sample allow \
                 for.{}",
                only_kind(problem)
            ),
            true,
            false,
        ),
        "absent" => view(
            "absent from the CRM".to_owned(),
            format!(
                "Heavy in the communities, and in none of the {} looked at.{}",
                Unit::Accounts.count(problem.crm.of),
                only_kind(problem)
            ),
            true,
            false,
        ),
        "phantom" => view(
            "claimed, not found".to_owned(),
            format!(
                "Claimed in the CRM, not found in the communities searched{}.",
                match problem.unfiltered {
                    Some(_) => ", among people who could be buyers",
                    None => "; whether people there could be buyers was not verified",
                }
            ),
            true,
            false,
        ),
        "contested" if problem.turns.is_some() => view(
            "contested: its sign turns".to_owned(),
            format!(
                "Contested, and no finding: it would be called a gap, but its difference does not keep its sign {}.",
                problem.turns.as_deref().unwrap_or_default()
            ),
            false,
            false,
        ),
        "contested" => {
            let says = problem.representativeness.as_ref().and_then(|r| r.newcomers).map(|n| newcomers(&n));
            let long = format!(
                "Contested, and no finding: it would be called a gap only with people of whom there is a single post.{}",
                says.map_or_else(String::new, |says| format!(" {says}"))
            );
            view("contested: rests on single posts".to_owned(), long, false, false)
        }
        "no_gap_detected" => {
            let short = problem
                .detectable
                .map_or_else(|| "no gap seen".to_owned(), |d| format!("no gap (would see ≥ {})", words::points(d)));
            let long = problem.detectable.map_or_else(
                || "No gap was detected.".to_owned(),
                |d| {
                    format!(
                        "No gap was detected; one of {} or more would have been seen four times in five.",
                        words::points(d)
                    )
                },
            );
            view(short, long, false, false)
        }
        "uncorrected" => view(
            "uncorrected: no verdict".to_owned(),
            "Not corrected for the reader's mistakes on both sides: no verdict.".to_owned(),
            false,
            false,
        ),
        "not_enough_evidence" => {
            let has = |n| match words::missing(&problem.missing, n) {
                has if has.is_empty() => has,
                has => format!(": {has}"),
            };
            let long = format!("Too little evidence for a verdict{}.", has(usize::MAX));
            view(format!("too little evidence{}", has(2)), long, false, true)
        }
        other => view(other.replace('_', " "), String::new(), false, false),
    }
}

/// What would change our mind about a problem, one sentence each.
pub(super) fn change_our_mind(
    problem: &ProblemV1,
    has_crm: bool,
    largest_community: Option<(&str, u64, u64)>,
) -> Vec<String> {
    let mut says = Vec::new();
    match problem.verdict.as_str() {
        _ if !has_crm => {}
        "silent" | "absent" => {
            says.extend(explained(problem, "as likely to post about it as people with other problems"));
            says.push(
                "If the reps never asked about it, the CRM's silence means “not asked”, not “not there”: look for the topic in the \
                 discovery script."
                    .to_owned(),
            );
        }
        "phantom" => {
            says.extend(explained(problem, "less likely to post about it than people with other problems"));
            says.push(elicited(problem));
            says.push(
                "Some pains are never posted, because they are confidential or felt by owners who do not write in forums: communities \
                 where such people do write would settle it."
                    .to_owned(),
            );
        }
        "contested" if problem.turns.is_some() => {
            says.push("A later period, read by the same readers, would show which way it points.".to_owned());
        }
        "contested" => says.push(
            "Those of a single post may be new to it, or accounts made to tell of it: their posts, read one by one, or a later window in \
             which they are no longer new, would settle it."
                .to_owned(),
        ),
        "no_gap_detected" => {
            if let Some(detectable) = problem.detectable {
                says.push(format!(
                    "A gap below {} may well not have been seen; more hand labels would show a smaller one.",
                    words::points(detectable)
                ));
            }
        }
        _ => {
            if !problem.missing.is_empty() {
                says.push(format!("A verdict would take {}.", words::needed(&problem.missing)));
            }
        }
    }
    if let Some((community, people, of)) = largest_community.filter(|&(_, people, of)| of >= 3 && people * 2 > of) {
        says.push(format!(
            "{} of the {} come from {community}: a read of other communities could change the share.",
            number(people),
            Unit::People.count(of)
        ));
    }
    says
}

/// The tipping point of a gap (METHOD 3.10): who would have to post how much more, or less.
fn explained(problem: &ProblemV1, likely: &str) -> Option<String> {
    let gamma = problem.gamma_star?;
    let grade = problem.selection.as_ref().and_then(|s| s.grade.as_ref());
    let grade = grade.map_or_else(String::new, |grade| format!(" ({grade})"));
    Some(format!(
        "If people with this problem were more than {gamma:.1} times {likely}, the gap would be explained{grade}."
    ))
}

/// That it is told in one kind of community only, when it is.
fn only_kind(problem: &ProblemV1) -> String {
    let kind = problem.selection.as_ref().and_then(|s| s.only_kind());
    kind.map_or_else(String::new, |kind| format!(" It is told in one kind of community only ({kind})."))
}

/// The share with and without people of whom there is a single post.
fn newcomers(of: &NewcomersV1) -> String {
    let people = |rate: &RateV1| words::share(rate, Unit::People);
    format!(
        "Among people with more than one post: {}; among those with a single post: {}.",
        people(&of.known),
        people(&of.single_post)
    )
}

/// Whether those of a single post differ from the others, with both shares.
pub(super) fn newcomers_words(of: &NewcomersV1) -> String {
    let differ = match of.difference {
        None => "too few of either to tell whether they differ",
        Some(_) if of.differ() => "they differ by more than chance",
        Some(_) => "they do not differ by more than chance",
    };
    format!("Single posts: {differ}. {}", newcomers(of))
}

/// Who brought a claimed pain up, as a sentence.
fn elicited(problem: &ProblemV1) -> String {
    let [volunteered, prompted, inferred] = problem.elicitation;
    format!(
        "It was volunteered in {}, prompted by the rep in {} and inferred by the rep in {}: the more buyers volunteer it, unasked, the \
         more it is theirs.",
        count(volunteered, "account", "accounts"),
        number(prompted),
        number(inferred)
    )
}

/// What hand labels would give, as the comparison tells it; empty when there are enough of them, or nothing was compared.
pub(super) fn label_advice(comparison: Option<&ComparisonV1>) -> &str {
    comparison.and_then(|c| c.labelling.as_ref()).map_or("", |labelling| &labelling.says)
}

/// With its first letter as a capital.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Missing;
    use crate::model::comparison::{CountsV1, KindV1, SelectionV1};

    pub(super) fn problem(verdict: &str) -> ProblemV1 {
        let rate = RateV1 { hits: 11, of: 100, rate: 0.11, low: None, high: None, n_eff: None, labels: 0 };
        ProblemV1 {
            id: "p".to_owned(),
            name: "payouts".to_owned(),
            community: rate,
            crm: RateV1 { hits: 0, of: 80, rate: 0.0, ..rate },
            difference: None,
            verdict: verdict.to_owned(),
            turns: None,
            p_adjusted: None,
            gamma_star: Some(2.4),
            detectable: Some(0.12),
            missing: vec![Missing { what: "threads".to_owned(), have: 2, need: 10 }],
            threads: 2,
            communities: 1,
            elicitation: [1, 5, 9],
            representativeness: None,
            register: None,
            selection: Some(SelectionV1 { grade: Some("moderate".to_owned()), ..SelectionV1::default() }),
            unfiltered: None,
        }
    }

    #[test]
    fn every_verdict_has_its_words() {
        for (name, short, finding, too_little) in [
            ("silent", "silent in the CRM", true, false),
            ("absent", "absent from the CRM", true, false),
            ("phantom", "claimed, not found", true, false),
            ("contested", "contested: rests on single posts", false, false),
            ("no_gap_detected", "no gap (would see ≥ 12 points)", false, false),
            ("not_enough_evidence", "too little evidence: 2 of 10 threads", false, true),
            ("uncorrected", "uncorrected: no verdict", false, false),
        ] {
            let v = verdict(&problem(name), true);
            assert_eq!((v.short.as_str(), v.finding, v.too_little), (short, finding, too_little), "{name}");
        }
    }

    #[test]
    fn a_gap_that_is_told_in_one_kind_of_community_says_so() {
        let kind =
            |kind: &str, hits| KindV1 { kind: kind.to_owned(), people: CountsV1 { hits, of: 20 }, ..KindV1::default() };
        for (forum, says) in [(0, true), (3, false)] {
            let kinds = vec![kind("chat", 11), kind("forum", forum)];
            let told =
                ProblemV1 { selection: Some(SelectionV1 { kinds, ..SelectionV1::default() }), ..problem("silent") };
            assert_eq!(verdict(&told, true).long.contains("in one kind of community only (chat)"), says);
        }
    }

    #[test]
    fn without_a_crm_nothing_is_said_about_it() {
        for name in ["silent", "uncorrected"] {
            assert!(!verdict(&problem(name), false).finding);
            assert_eq!(change_our_mind(&problem(name), false, None), Vec::<String>::new());
        }
    }

    #[test]
    fn what_would_change_our_mind_names_the_number() {
        let says = |name| change_our_mind(&problem(name), true, Some(("r/x", 9, 11))).join(" ");
        assert!(says("silent").contains("2.4 times as likely"));
        assert!(says("silent").contains("would be explained (moderate)."));
        assert!(says("phantom").contains("2.4 times less likely to post about it than people with other problems"));
        assert!(
            says("phantom").contains("volunteered in 1 account, prompted by the rep in 5 and inferred by the rep in 9")
        );
        assert!(says("not_enough_evidence").contains("10 threads (now 2)"));
        assert!(says("uncorrected").contains("9 of the 11 people come from r/x"));
    }
}
