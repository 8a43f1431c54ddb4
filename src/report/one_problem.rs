//! One problem in words: both sides of it, whether it is many people's, and the evidence gate.

use super::told::listed;
use super::view::{CostView, ProblemView, Series};
use super::words::{self, Unit, count, number, share};
use crate::model::comparison::{CountsV1, GateV1, REGISTER_PAIRS, RegisterV1, RepresentativenessV1, UnfilteredV1};

impl ProblemView {
    /// Share of people in words.
    pub(super) fn people(&self) -> String {
        share(&self.community, Unit::People)
    }

    /// Share of accounts in words.
    pub(super) fn accounts(&self) -> Option<String> {
        self.crm.map(|c| share(&c, Unit::Accounts))
    }

    /// One paragraph: both sides and the verdict.
    pub(super) fn both_sides(&self) -> String {
        let threads = count(self.threads, "thread", "threads");
        let mut says = format!("{}, in {threads}", self.people());
        if self.community.low.is_some() {
            says.push_str(&format!("; {}", words::counts(&self.community)));
        }
        says.push('.');
        if let Some(crm) = self.crm {
            says.push_str(&format!(" In the CRM: {}", share(&crm, Unit::Accounts)));
            if crm.low.is_some() {
                says.push_str(&format!("; {}", words::counts(&crm)));
            }
            says.push('.');
            if let Some(d) = self.difference {
                let [estimate, low, high] = [d.estimate, d.low, d.high].map(words::signed_points);
                says.push_str(&format!(" Difference: {estimate} points (95% interval {low} to {high})."));
            }
        }
        says
    }

    /// `3 Feb 2026 to 30 Jul 2026`.
    pub(super) fn seen_words(&self) -> String {
        words::period(self.seen)
    }

    /// How much of it is one author's and one thread's.
    pub(super) fn concentration_words(&self) -> String {
        let (author, thread) = (self.top_author, self.top_thread);
        if author.of == 0 {
            return "no first-hand post tells of it".to_owned();
        }
        let share = words::share_short(&words::machine_count(author)).map_or_else(String::new, |s| format!(" ({s})"));
        format!(
            "{} of {} mentions{share} are one author's; {} tell of it in one thread",
            number(author.hits),
            number(author.of),
            words::counted(thread, Unit::People)
        )
    }

    /// How sharply people complain, beside how sharply they complain of other things.
    pub(super) fn severity_words(&self) -> String {
        let (here, elsewhere) = (self.severity.here, self.severity.elsewhere);
        if here.of == 0 {
            return "nobody complains of it".to_owned();
        }
        let mut says = format!("{} who complain of it accuse or blame", words::counted(here, Unit::People));
        if elsewhere.of > 0 {
            says += &format!("; of anything else {}", words::counted(elsewhere, Unit::People));
        }
        says
    }

    /// Whether its share is many people's, and what would overturn it, one sentence each.
    pub(super) fn representative_words(&self) -> Vec<String> {
        let mut says = Vec::new();
        match &self.representativeness {
            None => says.push(
                "Whether it is many people's was not looked at yet: run “candor compare”, which also counts what is missing."
                    .to_owned(),
            ),
            Some(r) if r.largest_thread.of > 0 => {
                says.push(copies_words(r));
                says.push(thread_words(r));
                says.extend(r.newcomers.filter(|n| n.single_post.of > 0).map(|n| super::verdict::newcomers_words(&n)));
            }
            Some(_) => {}
        }
        if let Some(r) = self.representativeness.as_ref().filter(|_| self.verdict.finding) {
            says.push(match r.breakdown {
                Some(m) => {
                    format!("Breakdown: {} with one post each, acting together, would erase it.", Unit::People.count(m))
                }
                None => "Breakdown: not even a million people acting together would erase it.".to_owned(),
            });
        }
        says.extend(self.unfiltered.as_ref().map(unfiltered_words));
        says.extend(self.selection_words());
        says.extend(self.excluded.words("In its threads"));
        says.extend(self.register.as_ref().map(register_words));
        says
    }

    /// Every row of the evidence gate.
    pub(super) fn gate(&self) -> &[GateV1] {
        self.representativeness.as_ref().map_or(&[], |r| &r.gate)
    }

    /// How many rows of the gate fail.
    pub(super) fn gate_words(&self) -> Option<String> {
        let (rows, failing) = (self.gate().len(), self.gate().iter().filter(|row| !row.passes()).count());
        (rows > 0).then(|| match failing {
            0 => format!("Evidence gate: all {rows} rows pass"),
            n => format!("Evidence gate: {n} of {rows} rows fail"),
        })
    }

    /// What they did about it: `complain (12), tried something that failed (4)`.
    pub(super) fn acts_words(&self) -> String {
        listed(&self.acts)
    }

    /// Where they speak of it.
    pub(super) fn communities_words(&self) -> String {
        listed(&self.communities)
    }

    /// The cost that most people state, for a table.
    pub(super) fn cost_short(&self) -> String {
        self.costs.first().map_or_else(|| "not stated".to_owned(), CostView::short)
    }

    /// The means that failed for most, for a table.
    pub(super) fn tried_short(&self) -> String {
        self.tried
            .means
            .first()
            .map_or_else(|| "nothing told".to_owned(), |m| format!("{} ({})", m.label, Unit::People.count(m.failed)))
    }

    /// How the claimed pain came up.
    pub(super) fn elicitation_words(&self) -> Option<String> {
        let [volunteered, prompted, inferred] = self.elicitation;
        (volunteered + prompted + inferred > 0).then(|| {
            format!(
                "Accounts where the buyer volunteered it: {}; where the rep prompted it: {}; where the rep inferred it: {}.",
                number(volunteered),
                number(prompted),
                number(inferred)
            )
        })
    }
}

/// What all people say, whoever could be a buyer.
fn unfiltered_words(all: &UnfilteredV1) -> String {
    let UnfilteredV1 { community, difference, verdict } = all;
    let difference = difference.as_ref().map_or_else(String::new, |d| {
        let [estimate, low, high] = [d.estimate, d.low, d.high].map(words::signed_points);
        format!(", difference {estimate} points (95% interval {low} to {high})")
    });
    format!(
        "By all people, whoever could be a buyer: {}{difference}; {}.",
        share(community, Unit::People),
        verdict.replace('_', " ")
    )
}

fn copies_words(r: &RepresentativenessV1) -> String {
    let people = r.largest_thread.of;
    if r.author_accounts <= people {
        return "Copies: no two accounts that tell of it wrote nearly the same words.".to_owned();
    }
    let share = |counts: CountsV1| match words::share_short(&words::machine_count(counts)) {
        Some(share) => format!("{share} ({} of {})", number(counts.hits), number(counts.of)),
        None => format!("{} of {}", number(counts.hits), number(counts.of)),
    };
    format!(
        "Copies: {} author accounts count as {}, because some wrote nearly the same words; it would be {} if each counted, and {} if \
         none of those did.",
        number(r.author_accounts),
        Unit::People.count(people),
        share(r.copies_apart),
        share(r.copies_out)
    )
}

fn thread_words(r: &RepresentativenessV1) -> String {
    let CountsV1 { hits, of } = r.largest_thread;
    let (hits, of) = (number(hits), Unit::People.count(of));
    if r.thread_dominated {
        return format!(
            "Threads: thread_dominated, {hits} of the {of} in whom the reader found it first tell of it in one thread; weighed down to a \
             fifth the share would be {}.",
            words::percent(r.capped_rate)
        );
    }
    format!("Threads: none dominates; {hits} of the {of} in whom the reader found it first tell of it in the largest.")
}

fn register_words(r: &RegisterV1) -> String {
    let pairs = count(r.n, "pair", "pairs");
    match r.kappa {
        Some(kappa) if r.register_sensitive => format!(
            "Register: register_sensitive, rewritten texts agree by kappa {kappa:.2} over {pairs} (needs 0.80); rely on hand labels only."
        ),
        Some(kappa) if r.n >= REGISTER_PAIRS => {
            format!("Register: rewritten texts agree by kappa {kappa:.2} over {pairs}.")
        }
        _ => format!("Register: {pairs} about it, too few to tell (needs {REGISTER_PAIRS})."),
    }
}

impl GateV1 {
    /// `enough`, or how many more it takes.
    pub(super) fn verdict(&self) -> String {
        if self.passes() { "enough".to_owned() } else { format!("{} more", number(self.need - self.have)) }
    }
}

impl Series {
    /// `2 Feb 2026`, `Feb 2026` or `2026` and its people, for the table behind the chart.
    pub(super) fn rows(&self) -> Vec<(String, u64)> {
        self.points.iter().map(|(date, people)| (words::day(*date), *people)).collect()
    }

    /// A sentence about who is not in the chart.
    pub(super) fn undated_words(&self) -> Option<String> {
        (self.undated > 0)
            .then(|| format!("{} with undated posts are not in the chart.", Unit::People.count(self.undated)))
    }
}
