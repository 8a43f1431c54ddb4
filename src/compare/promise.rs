//! What hand labels buy: how wide the intervals of shares will be, how many posts and notes that takes, and about how long. Told
//! before and while anybody labels; with every unit labelled it is what is measured.

use std::collections::BTreeSet;

use super::cells::{Cells, Gold, Items, Unit, Units};
use super::evidence_rule::LABELS;
use super::measured::shares;
use super::stats::{Proportion, student_quantile, wilson};
use super::wording::{about, counted};
use crate::model::comparison::{LabellingSideV1, LabellingV1};

/// Squared correlation of reader and label that is assumed (METHOD 4.4, the middle column).
const ASSUMED_R2: f64 = 0.5;

/// Seconds that one post or note is assumed to take: 60 of them in about 20 minutes.
const SECONDS_AN_ITEM: u64 = 20;

/// The widest that half an interval can be.
const ANYTHING: f64 = 0.5;

/// The shares of one side as they would be measured with every unit labelled, as far as is known now.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outlook {
    units: f64,
    shares: Vec<Proportion>,
}

impl Outlook {
    /// A unit without a label is taken to be what the reader made of it. That is wrong of the unit, but shows how alike people of a
    /// thread and accounts of a rep are, which stays when all are labelled.
    pub(super) fn new(units: &Units, problems: usize) -> Self {
        let read =
            |u: &Unit| Gold { problems: u.found.iter().map(|o| o.problem).collect::<BTreeSet<_>>(), ..Gold::default() };
        let labelled = |u: &Unit| Unit { gold: Some(u.gold.clone().unwrap_or_else(|| read(u))), ..u.clone() };
        let all = Units(units.0.iter().map(labelled).collect());
        Self { units: all.0.len() as f64, shares: shares(&all, problems, |_| true).into_iter().flatten().collect() }
    }

    /// About half the width of the widest 95% interval of a share when `n` units are labelled.
    ///
    /// Two variances are added: that of the share with every unit labelled, by W-neff with its clusters (METHOD 3.3), and what
    /// missing labels add, p(1-p)(1-r²)(1/n - 1/N) with r² assumed (METHOD 4.4, for a sample without replacement). Student's
    /// degrees of freedom are those of both (Satterthwaite 1946). Where there are too few clusters for an interval, nothing can be
    /// promised: half of everything.
    pub(super) fn half_width(&self, n: u64) -> f64 {
        let n = (n as f64).min(self.units);
        let half = |share: &Proportion| {
            let one = share.mean * (1.0 - share.mean);
            let (all, added) = (share.variance(), one * (1.0 - ASSUMED_R2) * (1.0 / n - 1.0 / self.units));
            let variance = all + added;
            let df = variance.powi(2) / (all.powi(2) / share.df + added.powi(2) / (n - 1.0).max(1.0));
            let (low, high) = wilson(share.mean, (one / variance).max(1.0), student_quantile(0.975, df));
            (high - low) / 2.0
        };
        self.shares.iter().map(half).reduce(f64::max).unwrap_or(ANYTHING)
    }
}

/// Minutes for so many posts or notes at the assumed pace, rounded up.
pub(super) fn minutes(items: u64) -> u64 {
    (items * SECONDS_AN_ITEM).div_ceil(60)
}

/// What is labelled on both sides, and what labelling as many as a share needs would give.
pub(super) fn labelling(cells: &Cells) -> LabellingV1 {
    let [posts, notes] = cells.items;
    let community = side(&cells.community, cells.problems.len(), posts);
    let crm = side(&cells.crm, cells.problems.len(), notes);
    LabellingV1 { says: says(&community, &crm), community, crm }
}

fn side(units: &Units, problems: usize, items: Items) -> LabellingSideV1 {
    let (all, labelled) = (units.0.len() as u64, units.labelled() as u64);
    let need = LABELS.min(all);
    // Units are drawn at random, so those that are needed have as many items as others.
    let wanted = if labelled < need { (items.all * need).div_ceil(all) } else { 0 };
    let left = wanted.saturating_sub(items.labelled);
    let half_width = Outlook::new(units, problems).half_width(labelled.max(need));
    LabellingSideV1 { labelled, need, items: items.labelled, left, minutes: minutes(left), half_width }
}

/// What is to be labelled, in sentences; empty when there is enough.
fn says(community: &LabellingSideV1, crm: &LabellingSideV1) -> String {
    let sides = [(community, "people", "posts"), (crm, "accounts", "notes")];
    let short = sides.into_iter().filter(|(side, ..)| side.labelled < side.need).collect::<Vec<_>>();
    if short.is_empty() {
        return String::new();
    }
    let list = |of: &dyn Fn(&LabellingSideV1, &str, &str) -> String| {
        short.iter().map(|(side, units, items)| of(side, units, items)).collect::<Vec<_>>().join(" and ")
    };
    let who = list(&|side, units, _| counted(side.need, units));
    let points = |side: &LabellingSideV1| (100.0 * side.half_width).round();
    let half = list(&|side, units, _| format!("±{:.0} points for {units}", points(side)));
    let left = list(&|side, _, items| counted(about(side.left), items));
    let minutes = about(short.iter().map(|(side, ..)| side.minutes).sum());
    let time = format!("about {left}, {} at an assumed {SECONDS_AN_ITEM} seconds each", counted(minutes, "minutes"));
    let begun = short.iter().any(|(side, ..)| side.items > 0);
    let takes = if begun {
        let done = list(&|side, units, items| {
            format!("{} of {} ({})", side.labelled, counted(side.need, units), counted(side.items, items))
        });
        format!("Labelled so far: {done}; left: {time}.")
    } else {
        format!("That is {time}.")
    };
    format!("Labelling {who} by hand (`candor label`) would give shares intervals of up to about {half}. {takes}")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{LARGE, unlabelled, world};
    use super::*;

    #[test]
    fn with_everything_labelled_the_promise_is_what_is_measured() {
        let cells = world(1, LARGE, &[(0.2, 0.1), (0.3, 0.05)], 0.5);
        let measured =
            shares(&cells.crm, 2, |_| true).into_iter().flatten().map(|s| (s.high - s.low) / 2.0).fold(0.0, f64::max);
        let promised = labelling(&cells).crm.half_width;
        assert!((measured - promised).abs() < 1e-9, "{promised} {measured}");
    }

    #[test]
    fn what_is_done_counts() {
        let cells = unlabelled(&world(1, LARGE, &[(0.2, 0.1)], 0.5));
        let nothing = labelling(&cells);
        // Two posts a person and two notes an account.
        assert_eq!((nothing.community.need, nothing.community.left, nothing.community.minutes), (60, 120, 40));
        assert!(nothing.says.starts_with("Labelling 60 people and 60 accounts by hand"), "{}", nothing.says);
        let half = format!("of up to about ±{:.0} points for people and ±", 100.0 * nothing.community.half_width);
        assert!(nothing.says.contains(&half), "{}", nothing.says);
        assert!(nothing.says.contains("about 120 posts and 120 notes, 80 minutes"), "{}", nothing.says);

        let mut begun = cells.clone();
        begun.items = cells.items.map(|items| Items { labelled: 60, ..items });
        for unit in begun.community.0.iter_mut().take(26) {
            unit.gold = Some(Gold::default());
        }
        let begun = labelling(&begun);
        assert_eq!((begun.community.labelled, begun.community.left, begun.community.minutes), (26, 60, 20));
        let says = "Labelled so far: 26 of 60 people (60 posts) and 0 of 60 accounts (60 notes); left: about 60 posts and 60 notes, 40 \
                    minutes at an assumed 20 seconds each.";
        assert!(begun.says.ends_with(says), "{}", begun.says);
    }

    #[test]
    fn with_labels_enough_there_is_nothing_to_say() {
        let cells = world(1, LARGE, &[(0.2, 0.1)], 0.5);
        let (says, left) = (labelling(&cells).says, labelling(&cells).community.left);
        assert_eq!((says.as_str(), left), ("", 0));
    }

    #[test]
    fn too_few_clusters_promise_nothing() {
        let cells = world(1, LARGE, &[(0.2, 0.1)], 0.5);
        let few = Units(cells.community.0.into_iter().filter(|u| u.cluster < 5).collect());
        assert!((Outlook::new(&few, 1).half_width(10) - ANYTHING).abs() < 1e-12);
        assert!((Outlook::new(&Units::default(), 1).half_width(0) - ANYTHING).abs() < 1e-12);
    }
}
