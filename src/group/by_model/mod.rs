//! Problems named, and units assigned, by a language model, where one reads.
//!
//! The one rule: a model's words are kept only as far as several quotes say them, and its choice is one of the list's ids.
//! What it says otherwise is counted, and the program's own answer stands.

mod assigning;

mod naming;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use serde_json::{Value, json};

use assigning::{ASSIGN_FILE, Assigning, Choice};
use naming::{NAME_FILE, Naming};

use super::Grouped;
use super::phrase::topics;
use super::units::Unit;
use crate::config::Protocol;
use crate::llm::contacts::Contacts;
use crate::llm::outgoing::{self, Context, Outgoing, show_withheld};
use crate::llm::{Estimate, Model, Outlook, Show, Usage, withhold};
use crate::model::id::content_hash;
use crate::model::{AccountId, Codebook, Problem, ProblemId};
use crate::progress::Progress;
use crate::store::{Side, Store};
use crate::text::alone::stands_alone;
use crate::text::redact::Names;

/// Questions under way at once.
const UNDER_WAY: usize = 64;
/// Most quotes that a name is made from, the most typical first.
const QUOTES: usize = 12;
/// Tokens of quotes in a question.
const QUOTE_TOKENS: usize = 480;

/// Names problems and assigns units to them by asking a model. Cheap to share.
#[derive(Clone)]
pub struct Sorter {
    model: Arc<Model>,
    names: Names,
    secret: [u8; 32],
    /// Whether each unit is asked about, or problems are only named.
    assigns: bool,
}

/// What the model did for a grouping.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    naming: Naming,
    assigned: Option<Assigning>,
    /// What it took.
    spent: Usage,
}

impl Sorted {
    /// As it is published in the stage's summary.
    pub(super) fn published(&self) -> Value {
        let Naming { named, ungrounded, alike, mut withheld } = self.naming;
        let mut told = json!({ "named": named, "ungrounded": ungrounded, "alike": alike });
        if let Some(assigned) = &self.assigned {
            let of = |choice: Choice| assigned.choices.iter().filter(|c| **c == Some(choice)).count();
            // Everything is asked about, also what names are made from.
            withheld = assigned.withheld;
            told["contested"] = json!(of(Choice::Contested));
            told["none"] = json!(of(Choice::None));
            told["unanswered"] = json!(assigned.failures.len());
        }
        told["withheld"] = withheld.published();
        told["spent"] = self.spent.published();
        told
    }

    /// Units that got no usable answer, and why.
    pub(super) fn failures(&self) -> &[(String, String)] {
        self.assigned.as_ref().map_or(&[], |assigned| &assigned.failures)
    }

    /// Whether the model said where the unit at `place` belongs.
    pub(super) fn is_decided(&self, place: usize) -> bool {
        let choice = self.assigned.as_ref().and_then(|a| a.choices.get(place).copied().flatten());
        choice.is_some_and(|choice| choice != Choice::Contested)
    }

    /// Whether the model says of the unit at `place` that it tells of no problem.
    pub(super) fn is_none(&self, place: usize) -> bool {
        self.assigned.as_ref().is_some_and(|a| a.choices.get(place) == Some(&Some(Choice::None)))
    }
}

impl Sorter {
    /// Asks `model`; about each unit too when it `assigns`. `names` are masked before anything is sent; `secret` makes the
    /// fences unguessable.
    pub fn new(model: Arc<Model>, names: Names, secret: [u8; 32], assigns: bool) -> Self {
        Self { model, names, secret, assigns }
    }

    /// The model that is asked.
    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    /// What its results are told by: model, prompts, and what is withheld.
    pub(super) fn recipe(&self) -> String {
        let assigns = if self.assigns { ASSIGN_FILE } else { "" };
        format!("{}:{}", self.model.name(), &content_hash(&[NAME_FILE, assigns, withhold::FILE])[..12])
    }

    /// Gives the problems of `grouped` that are not in `known` a name, and puts `units` where the model says they belong. The
    /// names of the CRM's contacts in `store` are masked in what its notes say.
    ///
    /// # Errors
    /// When the model cannot be asked at all, or the store not read; nothing was changed, and what was answered is not paid for
    /// again.
    pub(super) async fn sort(
        &self,
        store: &Store,
        grouped: &mut Grouped,
        units: &[Unit],
        known: &BTreeSet<ProblemId>,
        progress: Progress,
    ) -> Result<Sorted> {
        let before = self.model.usage();
        let spent = || self.model.usage() - before;
        let mut contacts = Contacts::new(store, &self.names).await?;
        let mut problems = grouped.codebook.problems().to_vec();
        let fresh = fresh(&problems, known);
        let mut named = fresh.iter().map(|&k| problems[k].clone()).collect::<Vec<_>>();
        let given = problems.iter().filter(|p| known.contains(&p.id)).map(|p| topics(&p.name)).collect::<Vec<_>>();
        let chosen = fresh.iter().map(|&k| self.masked(&mut contacts, typical(grouped, units, k))).collect::<Vec<_>>();
        let quotes = chosen.iter().map(|units| units.iter().map(|u| u.quote.as_str()).collect()).collect::<Vec<_>>();
        let naming = self.name(&mut named, &quotes, &given).await?;
        for (k, problem) in fresh.into_iter().zip(named) {
            problems[k] = problem;
        }
        // The ids are what they were, and so is the order.
        let codebook = Codebook::new(grouped.codebook.made_by.as_str(), problems);
        let assigned = if self.assigns {
            let units = &self.masked(&mut contacts, units);
            let bar = progress.bar("group", units.len() as u64);
            let told = self.assign(&codebook, units, || {
                bar.inc(1);
                if let Some(paid) = spent().paid() {
                    bar.set_message(format!("group, {paid}"));
                }
            });
            let told = told.await?;
            bar.finish_and_clear();
            for (placed, choice) in grouped.placed.iter_mut().zip(&told.choices) {
                match choice {
                    Some(Choice::Problem(k)) => *placed = (Some(*k), 1.0),
                    Some(Choice::Other | Choice::None) => placed.0 = None,
                    // The program's own answer stands.
                    Some(Choice::Contested) | None => {}
                }
            }
            Some(told)
        } else {
            None
        };
        grouped.codebook = codebook;
        Ok(Sorted { naming, assigned, spent: spent() })
    }

    /// What [`Sorter::sort`] would ask, and what that would take. Nothing is asked; the exact body of each request that would be sent
    /// is handed to `show`, and after it what would be withheld of what it is about. The list in a question about a unit has the
    /// names that problems have now: those that the model would first give to new ones are not known.
    ///
    /// # Errors
    /// When the store cannot be read, or `show` fails.
    pub(super) async fn estimate(
        &self,
        store: &Store,
        grouped: &Grouped,
        units: &[Unit],
        known: &BTreeSet<ProblemId>,
        show: Show<'_>,
    ) -> Result<Estimate> {
        let mut contacts = Contacts::new(store, &self.names).await?;
        let problems = grouped.codebook.problems();
        let mut sum = self.model.estimate(&Outlook::default(), show).await?;
        for k in fresh(problems, known) {
            let quotes = self.masked(&mut contacts, typical(grouped, units, k));
            let quotes = quotes.iter().map(|unit| unit.quote.as_str()).collect::<Vec<_>>();
            let (question, withheld) = self.name_question(&problems[k], &quotes);
            let outlook = Outlook { questions: question.into_iter().collect(), ..Outlook::default() };
            sum += self.model.estimate(&outlook, show).await?;
            if !self.assigns {
                sum.withheld += withheld.len() as u64;
                show_withheld([problems[k].id.as_str()].into_iter(), vec![withheld], show)?;
            }
        }
        if self.assigns {
            let entries = assigning::entries(&grouped.codebook);
            for unit in self.masked(&mut contacts, units) {
                let (questions, withheld) = self.assign_questions(&grouped.codebook, &entries, &unit);
                let questions = questions.into_iter().flatten().collect();
                let outlook = Outlook { questions, withheld: vec![withheld], ..Outlook::default() };
                sum += self.model.estimate(&outlook, show).await?;
                show_withheld([unit.id.as_str()].into_iter(), outlook.withheld, show)?;
            }
        }
        Ok(sum)
    }

    /// `units` without the names of people.
    fn masked<'a>(&self, contacts: &mut Contacts, units: impl IntoIterator<Item = &'a Unit>) -> Vec<Unit> {
        let mut masked = units.into_iter().cloned().collect::<Vec<_>>();
        for unit in &mut masked {
            let firm = (unit.side == Side::Crm).then(|| AccountId::new(unit.who.as_str()));
            let names = match &firm {
                Some(firm) => {
                    contacts.of(firm);
                    contacts.names(firm)
                }
                None => &self.names,
            };
            unit.quote = outgoing::masked(&unit.quote, &[names]);
            unit.around = outgoing::masked(&unit.around, &[names]);
        }
        masked
    }

    /// As much of `text` as one question holds, between fences that the text cannot know.
    fn fenced(&self, prompt: &str, text: &str, around: Option<&str>) -> Fenced {
        let sent = Outgoing::new(text, &self.names);
        let window = sent.windows(QUOTE_TOKENS).into_iter().next().unwrap_or(0..0);
        let context = around.map(|words| Context::new(words, &self.names)).unwrap_or_default();
        Fenced {
            words: sent.sealed(&window, context.line.as_deref(), Protocol::Copy, &self.secret, prompt),
            withheld: sent.withheld().chain(context.withheld).collect(),
            is_empty: sent.is_empty(),
        }
    }
}

/// A text as a model is shown it.
struct Fenced {
    /// The words with what is around them, between fences.
    words: String,
    /// Sentences of either that the model is not shown.
    withheld: Vec<String>,
    /// Nothing is left to ask about.
    is_empty: bool,
}

/// The places of the problems that are not `known`.
fn fresh(problems: &[Problem], known: &BTreeSet<ProblemId>) -> Vec<usize> {
    (0..problems.len()).filter(|&k| !known.contains(&problems[k].id)).collect()
}

/// What different people say of problem `k`, first what is most typical and makes sense alone.
fn typical<'a>(grouped: &Grouped, units: &'a [Unit], k: usize) -> Vec<&'a Unit> {
    let own = units.iter().zip(&grouped.placed).filter(|(_, (problem, _))| *problem == Some(k));
    let mut own = own.map(|(unit, (_, score))| (score * stands_alone(&unit.quote), unit)).collect::<Vec<_>>();
    own.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.id.cmp(&b.1.id)));
    let mut spoke = BTreeSet::new();
    own.into_iter().map(|(_, unit)| unit).filter(|unit| spoke.insert(unit.speaker())).take(QUOTES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::Question;

    pub(super) fn problem(id: &str, name: &str) -> Problem {
        Problem {
            id: ProblemId::new(id),
            name: name.to_owned(),
            statement: format!("{name} happens"),
            terms: Vec::new(),
            include: vec!["it jams".to_owned()],
            exclude: Vec::new(),
            by_hand: false,
            composed: false,
        }
    }

    pub(super) fn sorter(script: impl Fn(&Question) -> Value + Send + Sync + 'static) -> Sorter {
        Sorter::new(Arc::new(Model::scripted(script)), Names::default(), [3; 32], true)
    }

    pub(super) fn unit(quote: &str) -> Unit {
        Unit {
            side: Side::Community,
            id: content_hash(&[quote]),
            who: "a".to_owned(),
            conversation: "t".to_owned(),
            builds: true,
            complains: true,
            quote: quote.to_owned(),
            bare: quote.to_owned(),
            community: String::new(),
            around: "write to bo@firm.example".to_owned(),
            title: String::new(),
        }
    }
}
