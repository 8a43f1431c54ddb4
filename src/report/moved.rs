//! What moved since the period before, in words.

use super::bounds::days;
use super::view::View;
use super::words::{self, Unit, count, number, share};
use crate::model::comparison::{ChangeV1, MoveV1, MovedV1};

/// What is seen four times in five at the 5% level, in half-widths of the 95% interval: (1.96 + 0.84) / 1.96.
const SEEN: f64 = 1.43;

/// Problems listed; the others moved less.
const LISTED: usize = 12;

/// One problem, then and now, on either side.
pub(super) struct MovedRow {
    /// Its name.
    pub(super) name: String,
    /// People: then, now, and what became of the share.
    pub(super) people: [String; 3],
    /// Accounts, likewise.
    pub(super) accounts: [String; 3],
    /// Either is more than noise.
    pub(super) moved: bool,
}

impl MovedV1 {
    fn changes(&self) -> impl Iterator<Item = &ChangeV1> {
        self.problems.iter().flat_map(|m| [&m.community, &m.crm]).chain(&self.unbacked)
    }

    /// With what this period is compared, and how much moved by more than noise.
    pub(super) fn lead(&self) -> String {
        let measured = self.changes().filter(|c| c.change.is_some()).count() as u64;
        let moved = self.changes().filter(|c| c.moved).count() as u64;
        let before = format!(
            "Compared with {} ({}), on the same list and by the same readers. ",
            days(&self.before),
            self.before.why
        );
        let says = match (measured, moved) {
            (0, _) => "These are machine counts: without enough hand labels in both periods nobody can say what moved."
                .to_owned(),
            (n, 0) => format!(
                "None of {} moved by more than noise{}.",
                count(n, "share", "shares"),
                self.visible_words().map_or_else(String::new, |says| format!("; {says}"))
            ),
            (n, m) => format!(
                "{} of {} moved by more than noise (of all that are called so, one in ten may be wrong).",
                number(m),
                count(n, "share", "shares")
            ),
        };
        before + &says
    }

    /// How large a move had to be to be seen: for the share that is known best, and for the one that is known least.
    fn visible_words(&self) -> Option<String> {
        let visible = || self.changes().filter_map(|c| c.change).map(|d| SEEN * (d.high - d.low) / 2.0);
        let (least, most) = (visible().reduce(f64::min)?, visible().reduce(f64::max)?);
        Some(format!(
            "taken alone, one of {} would have been seen four times in five in the share that is known best, and one of {} in the one \
             that is known least",
            words::points(least),
            words::points(most)
        ))
    }

    /// What is missing for an interval, when anything is.
    pub(super) fn missing_words(&self) -> Option<String> {
        let some = self.changes().any(|c| c.change.is_some());
        let what = if some { "For the others it" } else { "It" };
        (!self.missing.is_empty()).then(|| format!("{what} would take {}.", words::needed(&self.missing)))
    }

    /// The problems that changed most.
    pub(super) fn rows(&self) -> Vec<MovedRow> {
        self.problems.iter().take(LISTED).map(row).collect()
    }

    /// How many are not listed.
    pub(super) fn more(&self) -> Option<String> {
        let more = self.problems.len().saturating_sub(LISTED) as u64;
        (more > 0).then(|| format!("{} changed less and are not listed.", count(more, "more problem", "more problems")))
    }

    /// What became of unbacked optimism.
    pub(super) fn unbacked_words(&self) -> Option<String> {
        let change = self.unbacked.as_ref()?;
        let [then, now, became] = cells(change, Unit::Accounts);
        Some(format!("Called very interested with nothing behind it: {then} then, {now} now; {became}."))
    }
}

fn row(m: &MoveV1) -> MovedRow {
    MovedRow {
        name: m.name.clone(),
        people: cells(&m.community, Unit::People),
        accounts: cells(&m.crm, Unit::Accounts),
        moved: m.community.moved || m.crm.moved,
    }
}

fn cells(change: &ChangeV1, unit: Unit) -> [String; 3] {
    let became = match &change.change {
        None => "counts only".to_owned(),
        Some(d) => {
            let [estimate, low, high] = [d.estimate, d.low, d.high].map(words::signed_points);
            let noise = if change.moved { "moved" } else { "no more than noise" };
            format!("{estimate} points ({low} to {high}), {noise}")
        }
    };
    [share(&change.before, unit), share(&change.after, unit), became]
}

impl View {
    /// What this report does not measure; empty when it measures all.
    pub(super) fn not_measured(&self) -> String {
        let outcomes = self
            .outcomes
            .is_none()
            .then_some("what was won or kept after the notes were written, because there are no deals");
        let moved =
            self.moved.is_none().then_some("what moved since an earlier period, because there is none to compare with");
        match outcomes.into_iter().chain(moved).collect::<Vec<_>>().join("; ") {
            all if all.is_empty() => all,
            some => format!("Not measured here: {some}."),
        }
    }
}
