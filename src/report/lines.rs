//! Lines that every drawing shares: a View put into words, so that HTML and Markdown say the same.

use super::view::{
    CostView, Count, Excluded, InterestRow, Link, Mark, MeansView, OptimismView, Origin, ProblemView, QuoteView,
    Series, SlotView, Stated, Sureness, SwitchView, TextureView, Tried, UnbackedAccount, View,
};
use super::words::{self, Unit, count, number, quantity, share};
use crate::model::Trust;
use crate::model::comparison::{CountsV1, GateV1, RateV1, RegisterV1, RepresentativenessV1, ResidualV1};
use crate::model::problem::made_in_words;

/// Fewer people than this say nothing of what a problem is like (METHOD 1.3).
const ENOUGH_FOR_TEXTURE: u64 = 3;

/// Fewer people than this make no median (METHOD 1.3).
const ENOUGH_FOR_A_MEDIAN: u64 = 3;

impl View {
    /// `3 Feb 2026 to 30 Jul 2026`.
    pub(super) fn period_words(&self) -> String {
        match self.period {
            Some((first, last)) if first == last => words::day(first),
            Some((first, last)) => format!("{} to {}", words::day(first), words::day(last)),
            None => "no dates known".to_owned(),
        }
    }

    /// Who was looked at, one fact each.
    pub(super) fn facts(&self) -> Vec<String> {
        let p = &self.population;
        let mut facts = vec![self.period_words()];
        if p.posts > 0 {
            facts.push(count(p.communities, "community", "communities"));
            facts.push(Unit::People.count(p.authors));
            facts.push(count(p.posts, "post", "posts"));
        }
        if p.notes > 0 {
            facts.push(Unit::Accounts.count(p.accounts));
            facts.push(count(p.notes, "note", "notes"));
            facts.push(count(p.reps, "rep", "reps"));
        }
        facts
    }

    /// Heading of the chart: it claims no more than was measured.
    pub(super) fn parting_head(&self) -> &'static str {
        match self.trust.level {
            _ if !self.has_crm() => "Problems side by side",
            Trust::Measured => "Where the two part",
            Trust::Counted | Trust::NotEnoughEvidence => "The two sides, problem by problem",
        }
    }

    /// What the shares are shares of.
    pub(super) fn denominators(&self) -> Vec<String> {
        let p = &self.population;
        let why = self.sureness.period_why.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        let mut says = vec![format!("Period: {}{why}.", self.period_words())];
        if p.posts > 0 {
            says.push(format!(
                "People: the {} who tell first-hand of any problem, out of {} who wrote anything in the period. A person counts once, \
                 however much they write.",
                number(p.problem_authors),
                number(p.authors)
            ));
        }
        if p.notes > 0 {
            says.push(format!(
                "Accounts: the {} with a note of 40 words or a claimed pain, out of {} with any note. An account counts once, however \
                 many notes it has.",
                number(p.discovery_accounts),
                number(p.accounts)
            ));
        }
        says
    }

    /// What the list of problems does not hold, and when that forbids a comparison (METHOD 3.1.3).
    pub(super) fn residual_words(&self) -> Vec<String> {
        let Some(residual) = self.residual else { return Vec::new() };
        let mut says = vec![other_words(&residual.community, "told in the communities")];
        if self.has_crm() {
            says.push(other_words(&residual.crm, "claimed in the CRM"));
        }
        let CountsV1 { hits, of } = residual.community.none;
        let mut none = format!("None: {} of {} wrote and told first-hand of no problem", number(hits), authors(of));
        if self.has_crm() {
            let CountsV1 { hits, of } = residual.crm.none;
            none += &format!("; the notes of {} of {} claim none", number(hits), Unit::Accounts.count(of));
        }
        says.push(none + ".");
        if !residual.community.fits || self.has_crm() && !residual.crm.fits {
            says.push(
                "More than 15% lies outside the list on one side, so whether the two sides speak of the same problems is not said \
                 (codebook_does_not_fit). “candor group” names candidates for what the list lacks."
                    .to_owned(),
            );
        }
        says
    }

    /// `41 people tried something that failed`.
    pub(super) fn tried_lead(&self) -> String {
        let people = self.tried.people;
        match self.population.problem_authors {
            0 => format!("{} tried something that did not work", Unit::People.count(people)),
            all => format!("{} of {} tried something that did not work", number(people), Unit::People.count(all)),
        }
    }

    /// The pains that the CRM claims most, at most three.
    pub(super) fn claimed_most(&self) -> Vec<&ProblemView> {
        let mut claimed = self.problems.iter().filter(|p| p.crm.is_some_and(|c| c.hits > 0)).collect::<Vec<_>>();
        let rate = |p: &ProblemView| p.crm.map_or(0.0, |c| c.rate);
        claimed.sort_by(|a, b| rate(b).total_cmp(&rate(a)));
        claimed.truncate(3);
        claimed
    }
}

/// `Other: 12% of the problems told in the communities are outside the list (machine count 14 of 118).`
fn other_words(residual: &ResidualV1, told: &str) -> String {
    let CountsV1 { hits, of } = residual.other;
    let counts = format!("{} of {}", number(hits), number(of));
    match (residual.measured, of) {
        (true, _) => format!(
            "Other: {} of the problems {told} are outside the list, by hand labels (machine count {counts}).",
            words::percent(residual.other_rate)
        ),
        (false, 0) => format!("Other: no problem is {told}."),
        (false, n) if n < words::ENOUGH_FOR_A_SHARE => {
            format!("Other: {counts} problems {told} are outside the list, counted by machine.")
        }
        (false, _) => format!(
            "Other: {} of the problems {told} are outside the list, counted by machine ({counts}).",
            words::percent(residual.other_rate)
        ),
    }
}

/// Accounts in communities, which may be fewer people.
fn authors(n: u64) -> String {
    count(n, "author", "authors")
}

impl RateV1 {
    /// `31%`, where there may be a share.
    pub(super) fn short(&self) -> Option<String> {
        words::share_short(self)
    }

    /// `24–38%`.
    pub(super) fn range(&self) -> Option<String> {
        words::rate_interval(self).map(|(low, high)| words::interval(low, high))
    }
}

/// How many have a quote that is not shown; nothing for none.
pub(super) fn more(n: u64, one: &str, many: &str) -> String {
    match n {
        0 => String::new(),
        _ => {
            format!("And {} with a quote that is not shown.", count(n, &format!("more {one}"), &format!("more {many}")))
        }
    }
}

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
        match self.seen {
            Some((first, last)) if first == last => words::day(first),
            Some((first, last)) => format!("{} to {}", words::day(first), words::day(last)),
            None => "no dates known".to_owned(),
        }
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
        Some(kappa) if r.n >= 10 => format!("Register: rewritten texts agree by kappa {kappa:.2} over {pairs}."),
        _ => format!("Register: {pairs} about it, too few to tell (needs 10)."),
    }
}

impl Excluded {
    /// What is never counted, when anything was posted.
    pub(super) fn words(&self, place: &str) -> Option<String> {
        (self.posts > 0).then(|| {
            format!(
                "{place} {} of {} are by bots and {} by people who sell or promote; neither is ever counted.",
                number(self.bots),
                count(self.posts, "post", "posts"),
                number(self.promo)
            )
        })
    }
}

impl TextureView {
    /// `7 of 11 slots are stated, by 42 people`, or that these are too few.
    pub(super) fn lead(&self) -> String {
        let stated = self.slots.iter().filter(|s| s.people > 0).count();
        let by = Unit::People.count(self.by);
        match self.by {
            0 => "nothing is stated".to_owned(),
            n if n < ENOUGH_FOR_TEXTURE => {
                format!(
                    "not enough evidence: {stated} of {} slots are stated, by {by} (needs {ENOUGH_FOR_TEXTURE})",
                    self.slots.len()
                )
            }
            _ => format!("{stated} of {} slots are stated, by {by}", self.slots.len()),
        }
    }
}

impl SlotView {
    /// What the slot is about.
    pub(super) fn name(&self) -> &'static str {
        words::slot(self.slot)
    }

    /// How many fill it: a number, or that it is not stated.
    pub(super) fn stated(&self) -> String {
        if self.people == 0 { "not stated".to_owned() } else { Unit::People.count(self.people) }
    }

    /// What is stated most: `Excel (4), Sheets (3)`; empty where only the words tell.
    pub(super) fn most(&self) -> String {
        if self.values.is_empty() { String::new() } else { listed(&self.values) }
    }
}

impl GateV1 {
    /// `enough`, or how many more it takes.
    pub(super) fn verdict(&self) -> String {
        if self.passes() { "enough".to_owned() } else { format!("{} more", number(self.need - self.have)) }
    }
}

/// `dispatcher (3), office manager (2)`.
fn listed(counts: &[Count]) -> String {
    if counts.is_empty() {
        return "no first-hand post tells of it".to_owned();
    }
    counts.iter().map(|c| format!("{} ({})", c.label, number(c.people))).collect::<Vec<_>>().join(", ")
}

impl Stated {
    /// `dispatcher (3), office manager (2); stated by 5 people`, or `not stated`.
    pub(super) fn words(&self) -> String {
        if self.by == 0 {
            return "not stated".to_owned();
        }
        format!("{}; stated by {}", listed(&self.values), Unit::People.count(self.by))
    }
}

impl CostView {
    /// `median 16 hours a month, from 2 hours to 40 hours (9 people)`.
    pub(super) fn words(&self) -> String {
        let people = Unit::People.count(self.people);
        let (low, high, period) = (self.amount(self.low), self.amount(self.high), self.period_words());
        let paid = if self.already_paid { "; already paid for a way around it" } else { "" };
        match self.people {
            1 => format!("{low}{period} ({people}, so no median){paid}"),
            n if n < ENOUGH_FOR_A_MEDIAN => format!("{low} and {high}{period} ({people}, too few for a median){paid}"),
            _ => format!("median {}{period}, from {low} to {high} ({people}){paid}", self.amount(self.median)),
        }
    }

    /// `16 hours`, `£30`, `USD 30`.
    fn amount(&self, value: f64) -> String {
        let value = quantity(value);
        match self.unit.as_str() {
            "hours" => format!("{value} {}", if value == "1" { "hour" } else { "hours" }),
            sign if sign.chars().count() == 1 => format!("{sign}{value}"),
            code => format!("{code} {value}"),
        }
    }

    fn period_words(&self) -> String {
        self.period.as_ref().map_or_else(|| " (no period named)".to_owned(), |period| format!(" {period}"))
    }

    /// The same for a cell of a table.
    fn short(&self) -> String {
        let people = Unit::People.count(self.people);
        let period = self.period.as_ref().map_or_else(String::new, |period| format!(" {period}"));
        if self.people < ENOUGH_FOR_A_MEDIAN {
            return format!("up to {}{period} ({people})", self.amount(self.high));
        }
        format!("{}{period} (median of {people})", self.amount(self.median))
    }
}

impl MeansView {
    /// `failed for 7 of 9 people; 2 still do it`.
    pub(super) fn counts(&self) -> String {
        let failed = format!("failed for {} of {}", number(self.failed), Unit::People.count(self.tried));
        match self.in_use {
            0 => failed,
            1 => format!("{failed}; 1 still does it"),
            n => format!("{failed}; {} still do it", number(n)),
        }
    }
}

impl Tried {
    /// How many are not in the list.
    pub(super) fn rest(&self) -> Option<String> {
        (self.elsewhere > 0).then(|| {
            let more = if self.means.is_empty() { "" } else { " more" };
            format!("{}{more} of the {} tried something else.", number(self.elsewhere), Unit::People.count(self.people))
        })
    }
}

impl SwitchView {
    /// `from JobHarbor to Crewlane, done: 2 people`.
    pub(super) fn words(&self) -> String {
        let from = self.from.as_ref().map_or_else(String::new, |f| format!("from {f} "));
        let to = self.to.as_ref().map_or_else(String::new, |t| format!("to {t}"));
        let way = format!("{from}{to}");
        let way = if way.is_empty() { "not named" } else { way.trim_end() };
        format!("{way}, {}: {}", self.stage, Unit::People.count(self.people))
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

impl QuoteView {
    /// Where it comes from, one fact each: never an author, never a rep's name.
    pub(super) fn facts(&self) -> Vec<String> {
        let when = self.written_at.map_or_else(|| "undated".to_owned(), words::date);
        match &self.origin {
            Origin::Post { community, voice, act, .. } => {
                vec![community.clone(), when, (*voice).to_owned(), (*act).to_owned()]
            }
            Origin::Note { account, kind, mark, rep, .. } => {
                let mut facts = vec![(*kind).to_owned(), format!("acct {account}"), when, (*mark).to_owned()];
                facts.extend(rep.as_ref().map(|r| format!("rep {r}")));
                facts
            }
        }
    }

    /// Pseudonym of the author, where nothing is passed on.
    pub(super) fn author(&self) -> Option<&str> {
        match &self.origin {
            Origin::Post { author, .. } => author.as_ref().map(crate::model::AuthorKey::as_str),
            Origin::Note { .. } => None,
        }
    }

    /// The id of the post or note.
    pub(super) fn item(&self) -> &str {
        match &self.origin {
            Origin::Post { post, .. } => post,
            Origin::Note { note, .. } => note,
        }
    }

    /// A link that is safe to follow.
    pub(super) fn web(&self) -> Option<&str> {
        match &self.origin {
            Origin::Post { link: Some(Link::Web(url)), .. } => Some(url),
            _ => None,
        }
    }

    /// An address that is shown and not linked.
    pub(super) fn address(&self) -> Option<&str> {
        match &self.origin {
            Origin::Post { link: Some(Link::Text(text)), .. } => Some(text),
            _ => None,
        }
    }
}

impl OptimismView {
    /// The three numbers of the first screen: label, number, share.
    pub(super) fn headline(&self) -> Vec<(&'static str, String)> {
        let share = words::share_short(&self.unbacked).map_or_else(String::new, |s| format!(" ({s})"));
        let of = |n: u64| format!("{} of {}", number(n), number(self.unbacked.hits));
        vec![
            ("called very interested", Unit::Accounts.count(self.strong)),
            ("backed by nothing", format!("{} of {}{share}", number(self.unbacked.hits), number(self.strong))),
            ("of these, never asked for anything", of(self.never_asked)),
            ("asked, and nothing came", of(self.asked_not_given)),
        ]
    }

    /// What the frames mean, and why the table may hold more accounts than the rate.
    pub(super) fn table_note(&self) -> String {
        let strong: u64 = self.table.iter().filter(|r| r.level >= Some(3)).flat_map(|r| r.given).sum();
        let framed = "The framed numbers are strong claims with nothing behind them.";
        if strong <= self.strong {
            return framed.to_owned();
        }
        format!(
            "{framed} The table holds all {} with strong interest in the period, the rate {}: accounts that are too young to have \
             given anything are left out of it.",
            Unit::Accounts.count(strong),
            number(self.strong)
        )
    }

    /// The accounts that are unbacked and not shown: `acct 3, 9, 12`, cut after a few dozen.
    pub(super) fn more_words(&self) -> Option<String> {
        const LISTED: usize = 60;
        let numbers = self.more.iter().take(LISTED).map(|n| number(*n)).collect::<Vec<_>>().join(", ");
        let rest = match self.more.len().saturating_sub(LISTED) {
            0 => String::new(),
            n => format!(" and {} more", number(n as u64)),
        };
        let count = count(self.more.len() as u64, "more account", "more accounts");
        (!self.more.is_empty())
            .then(|| format!("{count} with strong interest and nothing behind it: acct {numbers}{rest}."))
    }
}

impl Mark {
    /// For the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            other => other.as_str(),
        }
    }
}

impl InterestRow {
    /// Whether this cell is strong interest with nothing behind it (METHOD 3.5: level 1 or less).
    pub(super) fn is_hollow(&self, level: usize) -> bool {
        self.level >= Some(3) && level < 2
    }
}

impl UnbackedAccount {
    /// `acct 83 · strong interest · never asked · call · 3 Jul 2026 · rep A`.
    pub(super) fn facts(&self) -> Vec<String> {
        let mut facts = vec![
            format!("acct {}", self.number),
            format!("{} interest", self.interest),
            if self.asked { "asked, nothing came" } else { "never asked" }.to_owned(),
            self.note.kind.to_owned(),
            self.note.written_at.map_or_else(|| "undated".to_owned(), words::date),
        ];
        facts.extend(self.rep.as_ref().map(|r| format!("rep {r}")));
        facts
    }
}

impl Sureness {
    /// What the reader proposed and what was thrown away.
    pub(super) fn rejected_words(&self) -> String {
        let proposed = self.quotes_kept + self.quotes_rejected;
        match self.quotes_rejected {
            0 => format!("All {} quotes that the reader proposed stand in their posts.", number(proposed)),
            n => format!(
                "Of {} quotes that the reader proposed, {} did not stand in the post and were thrown away.",
                number(proposed),
                number(n)
            ),
        }
    }

    /// How posts were read: `first-hand 812, second-hand 20`.
    pub(super) fn voices_words(&self) -> String {
        self.voices
            .iter()
            .map(|(voice, n)| {
                let known: Option<&str> = crate::model::Voice::parse(voice).map(words::voice);
                let name = known.unwrap_or(voice);
                format!("{name} {}", number(*n))
            })
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Posts that are never counted.
    pub(super) fn excluded_words(&self) -> Option<String> {
        self.excluded.words("In the period")
    }

    /// Labels by hand.
    pub(super) fn labels_words(&self) -> String {
        match self.labels {
            [0, 0] => {
                "No hand labels: every number is a machine count, not corrected for the reader's mistakes.".to_owned()
            }
            [people, accounts] => {
                format!("Hand labels: {} and {}.", Unit::People.count(people), Unit::Accounts.count(accounts))
            }
        }
    }

    /// Everything that decides a number, by name.
    pub(super) fn provenance(&self) -> Vec<(&'static str, String)> {
        let mut rows = vec![("post reader", self.post_recipe.clone()), ("note reader", self.note_recipe.clone())];
        if let Some(c) = &self.codebook {
            let made = made_in_words(&c.made_by);
            let problems = count(c.problems as u64, "problem", "problems");
            rows.push(("codebook", format!("{} (version {}, {problems}, {made})", c.hash, c.version)));
        }
        rows.extend(self.config_hash.clone().map(|hash| ("settings", hash)));
        rows.extend(self.seed.map(|seed| ("seed", seed.to_string())));
        rows
    }
}

/// Said in every report, because it holds in every report (METHOD 3.10).
pub(super) const SELECTION: &str = "These are people who write in the communities that were read, not all customers, and nobody knows whether \
    people with a problem write more or less than others. The shares hold for those who write. They are not corrected for that, because \
    they cannot be.";

/// The same for the other side; said where there is one (METHOD 3.10).
pub(super) const CRM_SELECTION: &str = "The CRM is selected too: a note records what was asked.";
