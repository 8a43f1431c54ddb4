//! What qualifies the numbers, in words: who posts, which problems come first, other days, thresholds, and the one word.

use super::verdict::capital;
use super::view::{ProblemView, Sureness, View};
use super::words::{self, Unit, count, number, share};
use crate::model::comparison::{
    AgreeingV1, BoundV1, ComponentV1, CountsV1, KindV1, RankV1, RelabelledV1, SelectionV1, VariantV1, WindowV1,
};

impl View {
    /// The name of the problem with this id.
    fn named(&self, id: &str) -> Option<&str> {
        self.problems.iter().find(|p| p.id == id).map(|p| p.name.as_str())
    }

    /// A problem by its name, or a part of the gap.
    fn gap(&self, id: &str) -> String {
        self.named(id).map_or_else(|| format!("the {} gap", id.replace('_', " ")), |name| format!("“{name}”"))
    }

    /// The propensity bound of the largest problem, one line each.
    pub(super) fn selection_lines(&self) -> Vec<String> {
        let bounds = self.problems.first().and_then(|p| p.selection.as_ref()).map_or(&[][..], |s| &s.bounds);
        let line = |b: &BoundV1| {
            format!("{} to post: {} of all people like them would have it", likely(b.rho), words::percent(b.share))
        };
        bounds.iter().map(line).collect()
    }

    /// What the propensity bound is about.
    pub(super) fn selection_lead(&self) -> Option<String> {
        let problem = self.problems.first()?;
        problem.selection.as_ref().filter(|s| !s.bounds.is_empty()).map(|_| {
            format!(
                "How far that could move the largest share: “{}” is told by {}. If people who have it are, compared with people \
                 who do not,",
                problem.name,
                share(&problem.community, Unit::People)
            )
        })
    }

    /// What the lists of [`View::rank_lines`] say.
    pub(super) fn rank_lead(&self) -> Option<String> {
        self.sureness.ranks.as_ref().map(|ranks| {
            format!(
                "Each with its share of all that is told, and in brackets how often it is among the first five of {} bootstrap \
                 samples.",
                number(ranks.draws)
            )
        })
    }

    /// Which problems come first on either side, one sentence a list.
    pub(super) fn rank_lines(&self) -> Vec<String> {
        let Some(ranks) = &self.sureness.ranks else { return Vec::new() };
        let rank = |r: &RankV1| {
            let name = self.named(&r.id).unwrap_or(&r.id);
            format!("“{name}” {} ({})", words::percent(r.mass), words::percent(r.top5))
        };
        let [people, accounts] = self.sureness.labels;
        let how = |labels: u64, all: u64| match labels {
            0 => "counted by machine",
            n if n >= all => "counted by hand",
            _ => "corrected where labels allow",
        };
        let (people, accounts) =
            (how(people, self.population.problem_authors), how(accounts, self.population.accounts));
        [
            ("By what people did or paid, counted by machine", &ranks.community),
            (&format!("By all that people tell, {people}"), &ranks.community_all),
            (&format!("By what the CRM claims, {accounts}"), &ranks.crm),
        ]
        .into_iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(what, list)| format!("{what}: {}.", words::list(&list.iter().map(rank).collect::<Vec<_>>())))
        .collect()
    }

    /// What other days say of the problems that are called, one sentence a run.
    pub(super) fn sensitivity_lines(&self) -> Vec<String> {
        let name = |id: &String| self.named(id).unwrap_or(id).to_owned();
        let line = |v: &VariantV1| {
            let days = format!("communities {}, CRM {}", days(&v.community), days(&v.crm));
            let kept = format!(
                "{} of {} keep their sign",
                number(v.same_sign.hits),
                count(v.same_sign.of, "finding", "findings")
            );
            let flipped = match v.flipped.as_slice() {
                [] => String::new(),
                ids => format!("; not “{}”", words::list(&ids.iter().map(name).collect::<Vec<_>>())),
            };
            format!("{} ({days}): {kept}{flipped}.", capital(&v.what))
        };
        self.sureness.sensitivity.iter().map(line).collect()
    }

    /// What became of the findings with hand labels read otherwise, one sentence a run.
    pub(super) fn relabelled_lines(&self) -> Vec<String> {
        // Parts too, but for the calibrations: those stand on no hand label, so no run makes them again.
        let part = |c: &ComponentV1| c.verdict == "finding" && !c.name.starts_with("calibration");
        let called = self.problems.iter().any(|p| p.verdict.finding) || self.sureness.components.iter().any(part);
        let line = |run: &RelabelledV1| {
            let stands = match run.changed.as_slice() {
                [] if !called => "nothing is called in the report".to_owned(),
                [] => "every finding stands".to_owned(),
                ids => {
                    let gaps = ids.iter().map(|id| self.gap(id)).collect::<Vec<_>>();
                    format!("not called any more: {}", words::list(&gaps))
                }
            };
            let items = count(run.items, "post or note is read otherwise", "posts and notes are read otherwise");
            format!("{}: {items}; {stands}.", capital(&run.what))
        };
        self.sureness.relabelled.iter().map(line).collect()
    }

    /// How far other readers come to the same, one sentence a gap, after who they are.
    pub(super) fn multiverse_lines(&self) -> Vec<String> {
        let Some(multiverse) = &self.sureness.multiverse else { return Vec::new() };
        let of = |counts: CountsV1| words::counts(&words::machine_count(counts));
        let gap = |gap: &AgreeingV1| {
            format!(
                "{}: the same verdict by {}, the same sign by {}: {}.",
                capital(&self.gap(&gap.id)),
                of(gap.same_verdict),
                of(gap.same_sign),
                if gap.stable { "stable" } else { "not stable" }
            )
        };
        let mut lines = multiverse.components.iter().chain(&multiverse.problems).map(gap).collect::<Vec<_>>();
        lines.extend(multiverse.left_out.iter().map(|why| format!("Not compared: {why}.")));
        lines
    }

    /// Who read, and what “stable” means.
    pub(super) fn multiverse_lead(&self) -> Option<String> {
        let readers = self.sureness.multiverse.as_ref()?.readers.len() as u64;
        let pairs =
            count(readers, "pair of a post reader and a note reader", "pairs of a post reader and a note reader");
        Some(format!("{pairs} read the same posts and notes. A gap is stable when nine in ten agree on its sign."))
    }
}

/// `1 Feb 2026 to 31 Jul 2026`.
pub(super) fn days(window: &WindowV1) -> String {
    words::days(window.since.as_ref(), window.until.as_ref())
}

/// How many times as likely: `a third as likely`, `3 times as likely`.
pub(super) fn likely(rho: f64) -> String {
    match rho {
        r if (r - 1.0 / 3.0).abs() < 1e-9 => "a third as likely".to_owned(),
        r if (r - 1.0).abs() < 1e-9 => "as likely".to_owned(),
        r => format!("{r} times as likely"),
    }
}

impl ProblemView {
    /// What the choice of who posts could do to its share, and in which kinds of communities it is told: one sentence each.
    pub(super) fn selection_words(&self) -> Vec<String> {
        let Some(SelectionV1 { bounds, kinds, .. }) = &self.selection else { return Vec::new() };
        let mut says = Vec::new();
        let moved = bounds.iter().filter(|b| (b.rho - 1.0).abs() > 1e-9).collect::<Vec<_>>();
        if !moved.is_empty() {
            let list = moved.iter().map(|b| format!("{} if {}", words::percent(b.share), likely(b.rho)));
            says.push(format!(
                "Selection: compared with people who do not have it, people who do may be more or less likely to post. Its share \
                 among all like them would be {}.",
                words::list(&list.collect::<Vec<_>>())
            ));
        }
        let told = kinds.iter().filter(|k| k.people.hits > 0).count();
        if !kinds.is_empty() {
            let list = kinds.iter().map(|k| format!("{}: {}", k.kind, words::counted(k.people, Unit::People)));
            let several = match (told, kinds.len()) {
                (_, 1) => " Only one kind was read: another would tell whether it is that kind's.",
                (1, _) => " It is told in one kind only.",
                _ => "",
            };
            says.push(format!(
                "Kinds of communities, of those who tell of any problem there, counted by machine: {}.{several}",
                list.collect::<Vec<_>>().join("; ")
            ));
            says.extend(self.kinds_alone(kinds));
        }
        says
    }

    /// What each kind of community says of a gap by itself.
    fn kinds_alone(&self, kinds: &[KindV1]) -> Option<String> {
        let likely = if self.verdict.name == "phantom" { "less likely" } else { "as likely" };
        let alone = |kind: &KindV1| {
            let says = match (kind.share, kind.gamma_star, &kind.grade) {
                (Some(share), Some(gamma), Some(grade)) => {
                    let alone = if gamma < 1.0 { ", by itself not surely twofold" } else { "" };
                    format!("{gamma:.1} times ({grade}{alone}), by {}", words::share(&share, Unit::People))
                }
                _ if !kind.missing.is_empty() => format!("too little evidence, {}", words::missing(&kind.missing, 3)),
                _ => return None,
            };
            Some(format!("{}: {says}", kind.kind))
        };
        let alone = kinds.iter().filter_map(alone).collect::<Vec<_>>();
        (!alone.is_empty()).then(|| {
            format!(
                "Each kind alone: the gap would be explained if people with this problem were more than so many times {likely} to \
                 post about it. {}.",
                capital(&alone.join("; "))
            )
        })
    }
}

impl ComponentV1 {
    /// `commitment (large)`, `calibration won`.
    pub(super) fn title(&self) -> String {
        let name = self.name.replace('_', " ");
        self.grade.as_ref().map_or_else(|| name.clone(), |grade| format!("{name} ({grade})"))
    }
}

impl Sureness {
    /// The worst part of the gap, when two or more can be graded.
    pub(super) fn worst_words(&self) -> Option<String> {
        let overall = self.overall.as_ref()?;
        let (worst, grade) = (overall.worst.as_ref()?.replace('_', " "), overall.grade.as_ref()?);
        Some(format!(
            "The worst part of the gap is {worst}: {grade}. {} of its {} parts have enough evidence for a grade.",
            number(overall.graded),
            number(overall.of)
        ))
    }

    /// The worst part, or why none is named.
    pub(super) fn overall_words(&self) -> Option<String> {
        let overall = self.overall.as_ref()?;
        Some(self.worst_words().unwrap_or_else(|| {
            let why = match overall.graded {
                0 | 1 => "for a grade, and it takes 2",
                _ => "and no gap was found in them",
            };
            let (graded, of) = (number(overall.graded), number(overall.of));
            format!("No part is named the worst: {graded} of {of} have enough evidence {why}.")
        }))
    }

    /// What decides a verdict, and its value.
    pub(super) fn threshold_rows(&self) -> Vec<(String, String)> {
        self.thresholds.iter().map(|t| (t.what.clone(), t.value.to_string())).collect()
    }
}
