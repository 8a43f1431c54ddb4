//! Lines that every drawing shares: a View put into words, so that HTML and Markdown say the same.

use super::view::{Excluded, Link, Origin, ProblemView, QuoteView, Sureness, View};
use super::words::{self, Unit, count, number};
use crate::model::Trust;
use crate::model::comparison::{CountsV1, RateV1, ResidualV1};
use crate::model::problem::made_in_words;

impl View {
    /// `3 Feb 2026 to 30 Jul 2026`.
    pub(super) fn period_words(&self) -> String {
        words::period(self.period)
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
                "People: the {} in whose posts the reader found a problem told first-hand, out of {} who wrote anything in the period{}. \
                 Whom it missed is in no share. A person counts once, however much they write.",
                number(p.problem_authors),
                number(p.authors),
                if self.sureness.scope.is_some() { " and could be buyers" } else { "" }
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
        let mut none =
            format!("None: the reader found no first-hand problem in the posts of {} of {}", number(hits), authors(of));
        if self.has_crm() {
            let CountsV1 { hits, of } = residual.crm.none;
            none += &format!(", and none claimed in the notes of {} of {}", number(hits), Unit::Accounts.count(of));
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
            0 => format!("{} tried something that did not work, counted by machine", Unit::People.count(people)),
            all => {
                let all = Unit::People.count(all);
                format!("{} of {all} tried something that did not work, counted by machine", number(people))
            }
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

    /// `machine count 128 of 412`.
    pub(super) fn counted(&self) -> String {
        words::counts(self)
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
