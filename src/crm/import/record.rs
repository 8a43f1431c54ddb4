//! What a record of an export turned out to be, before its firm is looked up.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use super::columns::{Columns, Field, SEGMENT, Stages};
use super::dates::is_spelled_as_date;
use super::items::Row;
use super::{Vendor, body, people};
use crate::files::Zone;
use crate::files::columns::normal;
use crate::files::dates::{Dates, NoDate, When};
use crate::model::id::content_hash;
use crate::model::{
    Account, AccountId, Contact, CrmProbability, NoteKind, Opportunity, OpportunityId, Outcome, Owner, Segment,
    StageChange,
};

/// Letters of the longest name of a segment: what is longer is no name.
const LONGEST_SEGMENT: usize = 60;

/// A record. Firms and deals stand in it as the export names them: by id or by name.
#[derive(Debug, Clone)]
pub(super) enum Record {
    Account(Account),
    Segment(Segment),
    Opportunity(Box<Opportunity>),
    Stage(StageChange),
    Probability(CrmProbability),
    Contact(Contact),
    Owner(Owner),
    Note(Box<Draft>),
    /// The stage of a deal that should be over and is called neither won nor lost; beside the deal.
    Unclear(String),
    /// Left out, for a reason that is counted.
    Skipped(&'static str),
}

/// What a deal says in words of its own is no note: nobody can tell when it was written.
pub(super) const WORDS_OF_A_DEAL: &str = "words of a deal itself, such as why it was lost or what comes next";

/// `id` with its vendor before it when it is a plain number, which every vendor gives. What holds letters (Salesforce's ids,
/// Close's, a name) is nobody else's, and the numbers of no vendor stand as they are, so that a user's own files join.
pub(super) fn numbered(vendor: &str, id: String) -> String {
    let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    if plain && !vendor.is_empty() { format!("{vendor}:{id}") } else { id }
}

impl Record {
    /// The record with every id in it numbered by `vendor`.
    fn numbered(self, vendor: Vendor) -> Self {
        let text = |id: String| numbered(vendor, id);
        let firm = |id: AccountId| AccountId::new(text(id.to_string()));
        let deal = |id: OpportunityId| OpportunityId::new(text(id.to_string()));
        match self {
            Self::Account(a) => Self::Account(Account { id: firm(a.id), owner: a.owner.map(text), ..a }),
            Self::Segment(s) => Self::Segment(Segment { account: firm(s.account), ..s }),
            Self::Opportunity(o) => Self::Opportunity(Box::new(Opportunity {
                id: deal(o.id),
                account: o.account.map(firm),
                owner: o.owner.map(text),
                ..*o
            })),
            Self::Stage(s) => Self::Stage(StageChange { opportunity: deal(s.opportunity), ..s }),
            Self::Probability(p) => Self::Probability(CrmProbability { opportunity: deal(p.opportunity), ..p }),
            Self::Contact(c) => Self::Contact(Contact { id: text(c.id), account: c.account.map(firm), ..c }),
            Self::Owner(o) => Self::Owner(Owner { id: text(o.id), ..o }),
            Self::Note(d) => Self::Note(Box::new(Draft {
                id: d.id.map(text),
                account: d.account.map(text),
                opportunity: d.opportunity.map(text),
                contacts: d.contacts.into_iter().map(text).collect(),
                owner: d.owner.map(text),
                ..*d
            })),
            Self::Unclear(_) | Self::Skipped(_) => self,
        }
    }
}

/// A note whose firm is still to be found.
#[derive(Debug, Clone, Default)]
pub(super) struct Draft {
    pub(super) id: Option<String>,
    /// The firm, by id or by name, whichever there is.
    pub(super) account: Option<String>,
    /// The deal, by id or by name.
    pub(super) opportunity: Option<String>,
    /// People it is about, by id.
    pub(super) contacts: Vec<String>,
    /// Addresses of people on the buyer's side.
    pub(super) emails: Vec<String>,
    pub(super) owner: Option<String>,
    pub(super) kind: Option<NoteKind>,
    pub(super) written_at: Option<Timestamp>,
    pub(super) happened_at: Option<Timestamp>,
    pub(super) modified_at: Option<Timestamp>,
    pub(super) stage: Option<String>,
    pub(super) amount: Option<f64>,
    pub(super) title: Option<String>,
    /// As it stands in the export, markup and all.
    pub(super) text: String,
}

impl Draft {
    pub(super) fn kind(&self) -> NoteKind {
        self.kind.unwrap_or(NoteKind::Note)
    }

    /// The draft as a record: a note when it has words. `text` becomes plain.
    pub(super) fn record(mut self) -> Record {
        let text = body::plain(&self.text, self.kind());
        let title = self.title.take().map(|t| body::plain(&t, NoteKind::Note)).unwrap_or_default();
        if text.is_empty() && !body::tells(&title) {
            return Record::Skipped(if title.is_empty() { "no text" } else { "only a short title" });
        }
        self.text = body::with_title(&title, text);
        Record::Note(Box::new(self))
    }
}

/// What is known of a call before its transcript comes.
#[derive(Debug, Clone, Default)]
pub(super) struct Call {
    pub(super) draft: Draft,
    /// What the speakers of the transcript are called in its text, by their id.
    pub(super) speakers: HashMap<String, String>,
    pub(super) told: bool,
}

/// What one file tells and another needs.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Calls by id.
    pub(super) calls: BTreeMap<String, Call>,
    /// What a document belongs to: ids of firms, deals and people by the document's.
    pub(super) links: HashMap<String, Vec<String>>,
}

/// Where a format puts what it reads.
pub(super) struct Reading<'a> {
    pub(super) vendor: Vendor,
    pub(super) dates: &'a Dates,
    pub(super) scale: Option<Scale>,
    /// The column of the segment that the map names.
    pub(super) segment: Option<&'a str>,
    /// The stages that the map calls won and lost.
    pub(super) stages: &'a Stages,
    /// When the import runs.
    pub(super) now: Timestamp,
    pub(super) memory: &'a mut Memory,
    pub(super) records: Vec<Record>,
    /// What was wrong with dates and probabilities that could not be read.
    pub(super) flaws: Vec<String>,
    /// How often a record without an id was met in this file.
    pub(super) met: &'a mut HashMap<String, u32>,
}

impl Reading<'_> {
    pub(super) fn add(&mut self, record: Record) {
        self.records.push(record.numbered(self.vendor));
    }

    pub(super) fn skip(&mut self, reason: &'static str) {
        self.add(Record::Skipped(reason));
    }

    /// What `text` means; when that cannot be told, the record does without and the flaw is recorded.
    pub(super) fn when(&mut self, text: &str) -> Option<When> {
        // Flaws are stored and listed in reports, where nobody's words may stand.
        let flaw = |why: NoDate| {
            if is_spelled_as_date(text) {
                format!("the date {text:?} {why}; the record is kept without it")
            } else {
                "the date cell holds other text; the record is kept without it".to_owned()
            }
        };
        self.dates.parse(text).map_err(|why| self.flaws.push(flaw(why))).ok()
    }

    pub(super) fn at(&mut self, text: Option<&str>) -> Option<Timestamp> {
        self.when(text.filter(|t| !t.trim().is_empty())?).map(When::start)
    }

    /// When a deal ended: a day counts to its end.
    pub(super) fn end(&mut self, text: Option<&str>) -> Option<Timestamp> {
        self.when(text.filter(|t| !t.trim().is_empty())?).map(When::end)
    }

    /// Whether the day that `text` names has passed.
    fn is_over(&self, text: Option<&str>) -> bool {
        // A date that is only looked at is not counted as one that was read.
        let dates = Dates { zone: Zone::default(), order: self.dates.order };
        text.and_then(|text| dates.parse(text).ok()).is_some_and(|day| day.end() < self.now)
    }

    /// A sum of money; a cell that holds digits and none is a flaw that is recorded.
    pub(super) fn amount(&mut self, text: Option<&str>) -> Option<f64> {
        let text = text?;
        let amount = body::amount(text);
        if amount.is_none() && text.contains(|c: char| c.is_ascii_digit()) {
            self.flaws
                .push("the amount cell holds more than one sum of money; the record is kept without it".to_owned());
        }
        amount
    }

    /// A person, when something is known of them.
    pub(super) fn contact(&mut self, id: Option<&str>, account: Option<&str>, name: Option<&str>, email: Option<&str>) {
        let email = email.and_then(people::address);
        let name = name.and_then(people::stated_name).or_else(|| email.as_deref().and_then(people::name_in));
        if id.is_none() && name.is_none() && email.is_none() {
            return;
        }
        let id = id.map_or_else(
            || {
                let (name, email) = (name.as_deref().unwrap_or(""), email.as_deref().unwrap_or(""));
                format!("contact_{}", content_hash(&[self.vendor, account.unwrap_or(""), name, email]))
            },
            str::to_owned,
        );
        self.add(Record::Contact(Contact { id, account: account.map(AccountId::new), name, email }));
    }

    /// The people that a cell names.
    pub(super) fn contacts(&mut self, account: Option<&str>, cell: Option<&str>) {
        for name in cell.into_iter().flat_map(people::names) {
            self.contact(None, account, Some(&name), None);
        }
    }

    /// A firm, when something is known of it beside its id.
    pub(super) fn account(&mut self, id: &str, name: Option<&str>, domain: Option<&str>, owner: Option<&str>) {
        self.add(Record::Account(Account {
            id: AccountId::new(id),
            name: name.map(str::to_owned),
            domain: domain.and_then(people::domain),
            owner: owner.map(str::to_owned),
        }));
    }

    /// The segment of a firm, when one is told.
    pub(super) fn segment(&mut self, account: &str, told: Option<&str>) {
        let name = told.into_iter().flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
        if name.chars().count() > LONGEST_SEGMENT || name.contains('@') {
            let why = "the segment cell holds an address or more than a short name; the account is kept without it";
            self.flaws.push(why.to_owned());
        } else if !name.is_empty() {
            self.add(Record::Segment(Segment { account: AccountId::new(account), name }));
        }
    }

    /// The segment that one of these objects tells: in the field that the map names, else in the first of the usual ones that
    /// is there, filled or not.
    pub(super) fn segment_in(&self, objects: &[&Value]) -> Option<String> {
        let field = |wanted: &str| {
            let fields = objects.iter().filter_map(|o| o.as_object()).flatten();
            fields.into_iter().find(|(name, _)| normal(name) == wanted).map(|(_, value)| value)
        };
        let told = match self.segment {
            Some(column) => field(&normal(column)),
            None => SEGMENT.iter().find_map(|name| field(name)),
        };
        super::json::text(told)
    }

    /// An id for a record that has none: of what it is made of, and how often that was met before in this file.
    pub(super) fn made_id(&mut self, kind: &str, parts: &[&str]) -> String {
        let hash = content_hash(&[&[self.vendor], parts].concat());
        let met = self.met.entry(hash.clone()).or_default();
        *met += 1;
        if *met == 1 { format!("{kind}_{hash}") } else { format!("{kind}_{hash}_{met}") }
    }
}

/// A row and where its fields stand.
pub(super) struct Cells<'a> {
    pub(super) row: &'a Row,
    pub(super) columns: &'a Columns,
}

impl<'a> Cells<'a> {
    pub(super) fn get(&self, field: Field) -> Option<&'a str> {
        self.columns.get(self.row, field)
    }

    pub(super) fn owned(&self, field: Field) -> Option<String> {
        self.get(field).map(str::to_owned)
    }

    /// What a cell of yes or no says; nothing when it holds something else, such as a date under `Closed`.
    pub(super) fn is(&self, field: Field) -> Option<bool> {
        let text = self.get(field)?;
        let no = matches!(text.to_ascii_lowercase().as_str(), "false" | "0" | "no" | "n" | "f");
        (no || is_true(text)).then_some(!no)
    }

    /// The cell under a name that is no field.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        self.row.get(name)
    }

    /// A date of the record.
    pub(super) fn at(&self, field: Field, reading: &mut Reading<'_>) -> Option<Timestamp> {
        reading.at(self.get(field))
    }

    /// Whether the CRM has deleted it.
    pub(super) fn is_deleted(&self) -> bool {
        self.is(Field::Deleted) == Some(true)
    }
}

/// `true`, `1`, `yes`, in any case.
pub(super) fn is_true(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "y" | "t")
}

/// The first of several ids in one cell (`123;456`).
pub(super) fn first_id(cell: &str) -> &str {
    let several = cell.contains([';', ',']) && cell.chars().all(|c| c.is_ascii_digit() || matches!(c, ';' | ',' | ' '));
    if several { cell.split([';', ',']).map(str::trim).find(|p| !p.is_empty()).unwrap_or(cell) } else { cell }
}

/// What CRMs call a deal that was won, in the languages that they speak.
const WON: &[&str] = &[
    "won",
    "closedwon",
    "gewonnen",
    "gagné",
    "gagnée",
    "ganado",
    "ganada",
    "ganho",
    "ganha",
    "vinto",
    "vinta",
    "wygrana",
    "wygrany",
    "wygrane",
    "vunnen",
    "vunnet",
    "vundet",
    "voitettu",
    "kazanıldı",
    "выиграно",
    "выиграна",
    "受注",
    "成約",
];

/// The same of one that was not.
const LOST: &[&str] = &[
    "lost",
    "closedlost",
    "disqualified",
    "abandoned",
    "verloren",
    "perdu",
    "perdue",
    "perdido",
    "perdida",
    "perso",
    "persa",
    "przegrana",
    "przegrany",
    "przegrane",
    "förlorad",
    "förlorat",
    "tapt",
    "tabt",
    "hävitty",
    "kaybedildi",
    "проиграно",
    "проиграна",
    "失注",
];

/// How a deal stands by the words of its stage or status. `Not won` is neither, `Closed lost - not a fit` is lost.
pub(super) fn outcome(words: &str) -> Outcome {
    let lower = words.to_lowercase();
    let tokens = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect::<Vec<_>>();
    let no = |word: &&str| matches!(*word, "not" | "nicht" | "niet" | "non" | "no" | "não" | "nie" | "ikke" | "inte");
    let denied = |before: &[&str]| match before {
        [.., word, "closed"] => no(word),
        [.., word] => no(word),
        [] => false,
    };
    let says = |known: &[&str], joint: &str| {
        let mut said = tokens.iter().enumerate().filter(|(_, token)| known.contains(*token) || token.ends_with(joint));
        said.any(|(at, _)| !denied(&tokens[..at]))
    };
    match () {
        () if says(LOST, "closedlost") => Outcome::Lost,
        () if says(WON, "closedwon") => Outcome::Won,
        () => Outcome::Open,
    }
}

/// What deals say in words of their own, beside their notes: why they were lost, what they are about, what comes next.
const OWN_WORDS: [&str; 10] = [
    "closedlostreason",
    "closedwonreason",
    "lostreason",
    "lossreason",
    "reasonlost",
    "description",
    "dealdescription",
    "nextstep",
    "hsnextstep",
    "dealnextstep",
];

/// A deal as tables hold it. `account` and `id` are given by the format.
pub(super) fn opportunity(cells: &Cells<'_>, reading: &mut Reading<'_>, id: Option<&str>, account: Option<&str>) {
    let words = [Field::Status, Field::Stage].into_iter().filter_map(|f| cells.get(f));
    let said = words.map(|words| reading.stages.outcome(words)).find(|o| *o != Outcome::Open).unwrap_or(Outcome::Open);
    let outcome = match (cells.is(Field::Won), cells.is(Field::Closed)) {
        (Some(true), _) => Outcome::Won,
        (_, Some(false)) => Outcome::Open,
        (Some(false), Some(true)) => Outcome::Lost,
        // Over, and no column says how: the words do, and what they do not call won was lost.
        (None, Some(true)) if said == Outcome::Open => Outcome::Lost,
        (_, _) => said,
    };
    let name = cells.owned(Field::OpportunityName);
    let owner = cells.owned(Field::Owner);
    let opened_at = cells.at(Field::WrittenAt, reading);
    let id = id.map_or_else(
        || {
            let opened = cells.get(Field::WrittenAt).unwrap_or("");
            let parts = [account.unwrap_or(""), name.as_deref().unwrap_or(""), owner.as_deref().unwrap_or(""), opened];
            reading.made_id("deal", &parts)
        },
        str::to_owned,
    );
    let closed_at = if outcome == Outcome::Open { None } else { reading.end(cells.get(Field::ClosedAt)) };
    let is_open = cells.is(Field::Closed) == Some(false) || cells.is(Field::Won) == Some(false);
    if outcome == Outcome::Open && !is_open && reading.is_over(cells.get(Field::ClosedAt)) {
        let stage = cells.get(Field::Status).or_else(|| cells.get(Field::Stage)).unwrap_or_default();
        reading.add(Record::Unclear(stage.to_owned()));
    }
    if OWN_WORDS.iter().any(|name| cells.raw(name).is_some()) {
        reading.skip(WORDS_OF_A_DEAL);
    }
    let amount = reading.amount(cells.get(Field::Amount));
    let modified_at = cells.at(Field::ModifiedAt, reading);
    let churned_at = cells.at(Field::ChurnedAt, reading);
    let value_at = cells.at(Field::ValueAt, reading);
    reading.add(Record::Opportunity(Box::new(Opportunity {
        id: OpportunityId::new(&*id),
        account: account.map(AccountId::new),
        name,
        owner,
        stage: cells.owned(Field::Stage).or_else(|| cells.owned(Field::Status)),
        outcome,
        amount,
        opened_at,
        closed_at,
        modified_at,
        churned_at,
        value_at,
    })));
    if outcome == Outcome::Open {
        chance_of(cells, reading, Some(&id), modified_at);
    }
}

/// That a deal was given a probability, when that and its date are told. Of a deal's own record this is for open deals only,
/// as of its last change.
pub(super) fn chance(reading: &mut Reading<'_>, deal: Option<&str>, at: Option<Timestamp>, probability: Option<f64>) {
    if let (Some(deal), Some(at), Some(probability)) = (deal, at, probability) {
        reading.add(Record::Probability(CrmProbability { opportunity: OpportunityId::new(deal), at, probability }));
    }
}

/// The same of a row, whose cell is looked at in any case: what is wrong with it is to be told also where no date is.
pub(super) fn chance_of(cells: &Cells<'_>, reading: &mut Reading<'_>, deal: Option<&str>, at: Option<Timestamp>) {
    let probability = probability(cells, reading);
    chance(reading, deal, at, probability);
}

/// The probability of a row; a cell that holds none is a flaw that is recorded.
fn probability(cells: &Cells<'_>, reading: &mut Reading<'_>) -> Option<f64> {
    let text = cells.get(Field::Probability)?;
    let told = share(text, reading.scale);
    // A bare 1 is a probability that cannot be told, and no mistake of the table.
    if told.is_none() && body::amount(text) != Some(1.0) {
        reading.flaws.push("the probability cell holds none from 0 to 100%; the record is kept without it".to_owned());
    }
    told
}

/// `40`, `40%`: a probability in 0..=1. `None` for anything that is none.
pub(super) fn percent(text: &str) -> Option<f64> {
    Some(body::amount(text)? / 100.0).filter(|p| (0.0..=1.0).contains(p))
}

/// How a column writes probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// `0.4`; 1 is certain.
    Share,
    /// `40`; 1 is one in a hundred.
    Percent,
}

impl Scale {
    /// The scale that the first cells of a column show; `None` when they do not.
    pub(super) fn of<'a>(cells: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let (mut shares, mut percents) = (false, false);
        for cell in cells {
            let Some(number) = body::amount(cell) else { continue };
            percents |= cell.contains('%') || number > 1.0;
            shares |= number > 0.0 && number < 1.0;
        }
        match (shares, percents) {
            (_, true) => Some(Self::Percent),
            (true, false) => Some(Self::Share),
            (false, false) => None,
        }
    }
}

/// `0.4`, `40`, `40%`: a probability in 0..=1. A bare 1 may be either where the column does not tell, and is none.
fn share(text: &str, scale: Option<Scale>) -> Option<f64> {
    let number = body::amount(text)?;
    match scale {
        _ if text.contains('%') || number > 1.0 => percent(text),
        Some(Scale::Percent) => percent(text),
        None if number == 1.0 => None,
        _ => Some(number).filter(|p| *p >= 0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_are_told_from_words() {
        for (words, want) in [
            ("Closed Won", Outcome::Won),
            ("closedwon", Outcome::Won),
            ("Won", Outcome::Won),
            ("Closed - Lost", Outcome::Lost),
            ("closedlost", Outcome::Lost),
            ("Negotiation", Outcome::Open),
            ("Not won yet", Outcome::Open),
            ("Not closed-won", Outcome::Open),
            ("Closed Lost - Not a fit", Outcome::Lost),
            ("Won, not lost", Outcome::Won),
            ("Wonderful fit", Outcome::Open),
            ("Gewonnen", Outcome::Won),
            ("Abgeschlossen und verloren", Outcome::Lost),
            ("Noch nicht gewonnen", Outcome::Open),
            ("Gagné", Outcome::Won),
            ("Perdue", Outcome::Lost),
            ("Cerrado ganado", Outcome::Won),
            ("VINTO", Outcome::Won),
            ("Przegrana", Outcome::Lost),
            ("Disqualified", Outcome::Lost),
            ("Abandoned", Outcome::Lost),
            ("No ganado", Outcome::Open),
        ] {
            assert_eq!(outcome(words), want, "{words}");
        }
    }

    #[test]
    fn probabilities_in_all_spellings() {
        for (text, means) in [
            ("0.4", Some(0.4)),
            ("40", Some(0.4)),
            ("40%", Some(0.4)),
            ("1%", Some(0.01)),
            ("0", Some(0.0)),
            ("100", Some(1.0)),
            ("1", None),
            ("1000", None),
            ("-5", None),
            ("likely", None),
        ] {
            assert_eq!(share(text, None), means, "{text}");
        }
        for (column, means) in
            [("0.4 0.9 1", Some(1.0)), ("40 0.5 1", Some(0.01)), ("1% 1", Some(0.01)), ("0 1 1", None)]
        {
            assert_eq!(share("1", Scale::of(column.split(' '))), means, "{column}");
        }
        assert_eq!((percent("1"), percent("40"), percent("140")), (Some(0.01), Some(0.4), None));
    }

    #[test]
    fn one_cell_may_hold_several_ids() {
        assert_eq!(first_id("123;456"), "123");
        assert_eq!(first_id("Acme; Sons"), "Acme; Sons");
    }
}
