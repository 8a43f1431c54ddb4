//! The first screen in words: the finding, how far it may be trusted, what is missing.
//!
//! Every sentence is built from counts; none says more than the verdict allows. A machine count is never a finding.

use super::verdict::{capital, label_advice};
use super::view::{OptimismView, ProblemView, TrustView};
use super::words::{self, Unit, number, share};
use crate::model::Trust;
use crate::model::comparison::{ComparisonV1, PopulationV1};

/// Labels a side from which a fourth bar is filled (METHOD 4.4: the default sample).
const WELL_LABELLED: u64 = 200;

/// What the workspace holds, as far as the first screen has to know.
pub(super) struct Known<'a> {
    /// Who was looked at.
    pub(super) population: &'a PopulationV1,
    /// The comparison, when there is one.
    pub(super) comparison: Option<&'a ComparisonV1>,
    /// Posts that this recipe has read.
    pub(super) posts_read: u64,
    /// Notes that this recipe has read.
    pub(super) notes_read: u64,
    /// A codebook is frozen.
    pub(super) codebook: bool,
}

/// How far the numbers may be trusted.
pub(super) fn trust(comparison: Option<&ComparisonV1>) -> TrustView {
    let counted = |why: &str| TrustView {
        level: Trust::Counted,
        name: "counted".to_owned(),
        bars: 2,
        words: format!("{why} {}", label_advice(comparison)).trim_end().to_owned(),
    };
    let Some(comparison) = comparison else {
        return counted(
            "The machine counted these people and accounts. Nothing was compared yet, and nothing is corrected for the reader's mistakes.",
        );
    };
    match comparison.trust {
        Trust::Counted => counted(
            "The machine counted these people and accounts. The counts are not corrected for its mistakes, so no gap is claimed.",
        ),
        Trust::Measured => {
            let labels = comparison.labels;
            let bars = if labels.community.min(labels.crm) >= WELL_LABELLED { 4 } else { 3 };
            TrustView {
                level: Trust::Measured,
                name: format!("measured ({} labels)", number(labels.community + labels.crm)),
                bars,
                words: format!("{} The ranges in brackets are 95% intervals.", how_measured(comparison)),
            }
        }
        Trust::NotEnoughEvidence => {
            let mut missing = Vec::<crate::model::Missing>::new();
            for m in comparison.components.iter().flat_map(|c| &c.missing) {
                if !missing.iter().any(|known| known.what == m.what) {
                    missing.push(m.clone());
                }
            }
            let what = if missing.is_empty() { String::new() } else { format!(": {}", words::missing(&missing, 3)) };
            TrustView {
                level: Trust::NotEnoughEvidence,
                name: "not enough evidence".to_owned(),
                bars: 1,
                words: format!(
                    "There is too little to compare{what}. What was read is shown; no share is claimed to hold."
                ),
            }
        }
    }
}

/// Where measured shares come from, and all other numbers.
fn how_measured(comparison: &ComparisonV1) -> String {
    let [people, accounts] = [
        (comparison.people_by_hand(), Unit::People.count(comparison.labels.community)),
        (comparison.accounts_by_hand(), Unit::Accounts.count(comparison.labels.crm)),
    ];
    let of = |(all, units): &(bool, String)| if *all { format!("all {units}") } else { units.clone() };
    let who = format!("{} and {}", of(&people), of(&accounts));
    if people.0 && accounts.0 {
        return format!(
            "Shares are counted by hand, from labels of {who}. What labels do not tell is counted by machine."
        );
    }
    format!(
        "Shares are corrected for the reader's mistakes with hand labels of {who}. A number that is neither corrected nor said to be \
         counted by hand is counted by machine."
    )
}

/// The finding in two or three sentences.
pub(super) fn finding(known: &Known<'_>, problems: &[ProblemView], optimism: Option<&OptimismView>) -> Vec<String> {
    let mut says = Vec::new();
    if known.comparison.is_some_and(|c| c.trust == Trust::NotEnoughEvidence) && !problems.is_empty() {
        says.push("There is too little evidence to compare the two sides. What was read so far:".to_owned());
    }
    let heard = problems.iter().filter(|p| p.community.hits > 0).collect::<Vec<_>>();
    if let Some(top) = heard.first() {
        says.push(most_complained(top));
    }
    if let Some(phantom) =
        problems.iter().filter(|p| p.verdict.name == "phantom").max_by(|a, b| crm_rate(a).total_cmp(&crm_rate(b)))
        && let Some(crm) = &phantom.crm
    {
        says.push(format!(
            "The CRM claims “{}” for {}; in the communities it is told by {}.",
            phantom.name,
            share(crm, Unit::Accounts),
            share(&phantom.community, Unit::People)
        ));
    }
    if let Some(optimism) = optimism.filter(|o| o.strong > 0) {
        says.push(hollow(optimism));
    }
    if says.is_empty() {
        says.push(nothing_to_say(known));
    }
    says
}

fn crm_rate(problem: &ProblemView) -> f64 {
    problem.crm.map_or(0.0, |c| c.rate)
}

/// "People complain most about …": the largest share, and what the CRM has of it.
fn most_complained(top: &ProblemView) -> String {
    let first = format!(
        "People complain most about “{}”: {}.",
        top.name,
        words::share_among(&top.community, Unit::People, " in whose posts the reader found a problem")
    );
    let Some(crm) = top.crm.filter(|c| c.of > 0) else { return first };
    let notes = match crm.hits {
        0 if crm.low.is_none() => format!("It is in the notes of none of {}", Unit::Accounts.count(crm.of)),
        _ => format!("It is in the notes of {}", share(&crm, Unit::Accounts)),
    };
    let verdict = if top.verdict.finding { format!(": {}", top.verdict.short) } else { String::new() };
    format!("{first} {notes}{verdict}.")
}

fn hollow(o: &OptimismView) -> String {
    if let Some((low, high)) = words::rate_interval(&o.unbacked).filter(|_| !o.by_hand) {
        return format!(
            "Of the accounts that the CRM calls very interested, {} gave nothing back ({}; machine count {} of {}, {} of them never asked \
             for anything).",
            words::percent(o.unbacked.rate),
            words::interval(low, high),
            number(o.unbacked.hits),
            number(o.strong),
            number(o.never_asked)
        );
    }
    let strong = format!("Of {} that the CRM calls very interested, ", Unit::Accounts.count(o.strong));
    let nothing = match o.unbacked.hits {
        0 => "every one gave something back".to_owned(),
        hits => format!("{} gave nothing back{}", number(hits), hollow_share(o)),
    };
    let asked = match (o.unbacked.hits, o.never_asked) {
        (0, _) => String::new(),
        (_, 0) => "; all of them were asked".to_owned(),
        (_, n) => format!("; {} of those {} never asked for anything", number(n), if n == 1 { "was" } else { "were" }),
    };
    format!("{strong}{nothing}{asked}.")
}

fn hollow_share(o: &OptimismView) -> String {
    match words::rate_interval(&o.unbacked) {
        Some((low, high)) => {
            format!(" (counted by hand: {}, {})", words::percent(o.unbacked.rate), words::interval(low, high))
        }
        None => words::share_short(&o.unbacked).map_or_else(String::new, |share| format!(" ({share})")),
    }
}

fn nothing_to_say(known: &Known<'_>) -> String {
    let read = match (known.population.posts, known.population.notes) {
        (0, 0) => return "Nothing has been read yet, so there is nothing to find.".to_owned(),
        (posts, 0) => words::count(posts, "post", "posts"),
        (0, notes) => words::count(notes, "note", "notes"),
        (posts, notes) => {
            format!("{} and {}", words::count(posts, "post", "posts"), words::count(notes, "note", "notes"))
        }
    };
    if known.posts_read + known.notes_read == 0 {
        return format!("{} collected, none read yet, so there is nothing to find.", capital(&read));
    }
    format!("{} read, and no problem stands out in them.", capital(&read))
}

/// What the report would need, each with the command that brings it.
pub(super) fn missing(known: &Known<'_>) -> Vec<String> {
    let p = known.population;
    let mut says = Vec::new();
    let mut say = |when: bool, what: &str| {
        if when {
            says.push(what.to_owned());
        }
    };
    say(p.posts == 0, "No posts: nothing is known about the communities. Bring some with “candor collect PATH”.");
    say(p.posts > 0 && known.posts_read == 0, "The posts have not been read. Read them with “candor extract”.");
    say(
        p.notes == 0,
        "No CRM notes: the report shows what people live with, and compares nothing. Bring notes with “candor crm import FILE”.",
    );
    say(p.notes > 0 && known.notes_read == 0, "The CRM notes have not been read. Read them with “candor crm”.");
    say(
        (known.posts_read > 0 || known.notes_read > 0) && !known.codebook,
        "No list of problems: what people say is not sorted yet. Make one with “candor group”.",
    );
    say(
        known.codebook && known.comparison.is_none(),
        "Nothing was compared: counts are this report's own, without intervals or verdicts. Compare with “candor compare”.",
    );
    says
}
