//! Asking a model about many texts: which windows of which texts share a request, and which answer belongs to which.
//!
//! The one rule: every sentence of every text is asked about exactly once, and a text gets either all its answers or a
//! reason.

use std::collections::BTreeMap;
use std::ops::Range;

use futures_util::{StreamExt, stream};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::judge::Judge;
use super::outgoing::{Context, Outgoing, Quotes};
use super::prompt::Prompt;
use super::sheet::Sheet;
use super::{Model, Outlook, Question, Unanswered, withhold};
use crate::config::{LlmSettings, Protocol};
use crate::model::Recipe;
use crate::text::lines::LineAnswer;

/// Questions under way at once, more than a server has places, so that none is empty while an answer is written down. How many
/// requests the server really gets at once is the door's business.
const UNDER_WAY: usize = 256;

/// How texts are put to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asking {
    /// How the model says where something stands.
    pub protocol: Protocol,
    /// Most texts in one request; 1 keeps them from colouring each other.
    pub pack: usize,
    /// How much of a text goes into one request.
    pub window: Window,
    /// Whether each claim is looked at a second time.
    pub judge: bool,
}

/// How much of a text a model reads at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Sentences of about so many tokens; longer texts are read in several windows.
    Tokens(usize),
    /// One sentence, without what the text answers: whatever a sentence says, it can move the reading of no other.
    Sentence,
}

impl Window {
    /// Leaves room for instructions and answer in a context of 2048 tokens.
    pub const WIDE: Self = Self::Tokens(480);

    /// Most tokens; every window holds a sentence all the same.
    pub(super) fn tokens(self) -> usize {
        match self {
            Self::Tokens(tokens) => tokens,
            Self::Sentence => 0,
        }
    }

    /// Sentences that are shown on each side of a quote when it is looked at again.
    pub(super) fn beside(self) -> usize {
        match self {
            Self::Tokens(_) => 1,
            Self::Sentence => 0,
        }
    }

    /// The setting as it stands in recipes.
    fn name(self) -> String {
        match self {
            Self::Tokens(tokens) => tokens.to_string(),
            Self::Sentence => "sentence".to_owned(),
        }
    }
}

impl Default for Asking {
    fn default() -> Self {
        Self { protocol: Protocol::Point, pack: 1, window: Window::WIDE, judge: false }
    }
}

impl Asking {
    /// What readings by `model` are kept under: `version` of the reader, protocol, packing, windows, its `prompt`, that of second
    /// looks (`judge`) where there are any, and what is withheld.
    pub fn recipe(&self, version: &str, model: &Model, prompt: &str, judge: &str) -> Recipe {
        let name = format!("{version}:{}:{}", model.name(), self.protocol.as_str());
        let judge = if self.judge { judge } else { "" };
        Recipe::new(&name, &[prompt, judge, &self.pack.to_string(), &self.window.name(), withhold::FILE])
    }
}

impl From<&LlmSettings> for Asking {
    fn from(settings: &LlmSettings) -> Self {
        Self {
            protocol: settings.protocol,
            pack: settings.posts_per_request,
            window: if settings.sentence_by_sentence { Window::Sentence } else { Window::WIDE },
            judge: settings.judge_support,
        }
    }
}

/// What stays the same in every question of a prompt.
#[derive(Clone)]
pub struct Standing {
    /// The prompt's name.
    pub prompt: &'static str,
    /// Instructions.
    pub system: String,
    /// Worked examples.
    pub examples: Vec<(String, String)>,
    /// The sheet to fill in.
    pub sheet: &'static Sheet,
    /// Longest answer about one text, in tokens.
    pub answer_tokens: u32,
    /// What fence words are made with; never sent.
    pub secret: [u8; 32],
}

impl Standing {
    /// The questions of `prompt`, named `name`, that fill in `sheet` with at most `answer_tokens` about one text. `secret` makes the
    /// fences unguessable (the workspace's author key will do) and the same request the same in a later run.
    #[expect(clippy::expect_used, reason = "the examples are part of the program; the tests fill them in")]
    pub fn new(
        name: &'static str,
        prompt: &Prompt,
        sheet: &'static Sheet,
        answer_tokens: u32,
        asking: &Asking,
        secret: [u8; 32],
    ) -> Self {
        let packed = asking.pack > 1;
        Self {
            prompt: name,
            system: prompt.instructions(asking.protocol, packed),
            examples: prompt.worked(sheet, asking.protocol, packed).expect("the examples quote their own texts"),
            sheet,
            answer_tokens,
            secret,
        }
    }
}

/// A text that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read<R> {
    /// What it says.
    pub reading: R,
    /// How the proposed quotes fared.
    pub quotes: Quotes,
}

/// What came back about some texts.
pub struct CameBack<K, R> {
    /// Readings, each with what it was asked for.
    pub readings: Vec<(K, R)>,
    /// What got no answer of its own, and why; the others were not held up.
    pub failures: Vec<(K, String)>,
    /// Why nothing more can be asked, if so.
    pub end: Option<Unanswered>,
    /// How the proposed quotes fared.
    pub quotes: Quotes,
}

impl<K, R> CameBack<K, R> {
    /// Sorts `answers`, which came in the order of `keys`.
    pub fn sort(keys: impl IntoIterator<Item = K>, answers: Vec<Result<Read<R>, Unanswered>>) -> Self {
        let (readings, failures) = (Vec::new(), Vec::new());
        let mut came = Self { readings, failures, end: None, quotes: Quotes::default() };
        for (key, answer) in keys.into_iter().zip(answers) {
            match answer {
                Ok(read) => {
                    came.quotes += read.quotes;
                    came.readings.push((key, read.reading));
                }
                Err(why) if why.is_about_one_item() => came.failures.push((key, why.to_string())),
                Err(why) => came.end = Some(why),
            }
        }
        came
    }
}

/// Why a run ended, with how many texts it had read.
pub fn stopped(why: Unanswered, done: u64, texts: &str) -> anyhow::Error {
    let why = anyhow::Error::new(why);
    match done {
        0 => why,
        _ => why.context(format!("stopped after {done} {texts}; they are kept, and the next run goes on from here")),
    }
}

/// What a pipe answers line by line, with readings as `published`.
pub fn line_by_line<R>(answers: Vec<Result<Read<R>, Unanswered>>, published: impl Fn(&R) -> Value) -> Vec<LineAnswer> {
    let line = |answer: Result<Read<R>, Unanswered>| match answer {
        Ok(read) => Ok(Ok(published(&read.reading))),
        Err(why) if why.is_about_one_item() => Ok(Err(why.to_string())),
        Err(why) => Err(why.into()),
    };
    answers.into_iter().map(line).collect()
}

/// A text to ask about.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// Its id, for the ledger and for errors; not sent.
    pub id: &'a str,
    /// What it answers.
    pub context: Context,
    /// The text.
    pub text: Outgoing<'a>,
}

impl Asked<'_> {
    /// Sentences of the text, and of what it answers, that speak to a reader and are not sent.
    pub fn withheld(&self) -> Vec<String> {
        self.context.withheld.iter().cloned().chain(self.text.withheld()).collect()
    }
}

/// A window of a text: the unit that one filled sheet is about.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    text: usize,
    window: Range<usize>,
}

/// Each window of a text with its filled sheet, in order. Empty for a text without a sentence, which is not asked about.
pub type Sheets<T> = Vec<(Range<usize>, T)>;

/// What would be asked about `texts`, in order.
pub fn questions(standing: &Standing, asking: &Asking, texts: &[Asked<'_>]) -> Vec<Question> {
    packs(asking, texts).iter().map(|parts| question(standing, asking, texts, parts)).collect()
}

/// What would be asked about `texts`, what would stay behind, and the most that `judge` can make of the answers.
pub fn would_ask(standing: &Standing, asking: &Asking, judge: Option<&Judge>, texts: &[Asked<'_>]) -> Outlook {
    Outlook {
        questions: questions(standing, asking, texts),
        withheld: texts.iter().map(Asked::withheld).collect(),
        checks: judge.map(|judge| judge.longest(standing.sheet, asking, texts)).unwrap_or_default(),
    }
}

/// Asks about `texts`; the answers come in their order.
pub async fn ask<T: DeserializeOwned + Send>(
    model: &Model,
    standing: &Standing,
    asking: &Asking,
    texts: &[Asked<'_>],
) -> Vec<Result<Sheets<T>, Unanswered>> {
    let under_way = packs(asking, texts).into_iter().map(|parts| ask_pack::<T>(model, standing, asking, texts, parts));
    let answered = stream::iter(under_way).buffer_unordered(UNDER_WAY).collect::<Vec<_>>().await;
    let mut answers: Vec<PartAnswer<T>> = answered.into_iter().flatten().collect();
    answers.sort_by_key(|(part, _)| (part.text, part.window.start));
    let mut all: Vec<Result<Sheets<T>, Unanswered>> = texts.iter().map(|_| Ok(Vec::new())).collect();
    for (part, sheet) in answers {
        let Some(of_text) = all.get_mut(part.text) else { continue };
        match (of_text.as_mut(), sheet) {
            (Ok(sheets), Ok(sheet)) => sheets.push((part.window, sheet)),
            (Ok(_), Err(why)) => *of_text = Err(why),
            (Err(_), _) => {}
        }
    }
    all
}

type PartAnswer<T> = (Part, Result<T, Unanswered>);

/// Windows in order, as many to a request as may share it.
fn packs(asking: &Asking, texts: &[Asked<'_>]) -> Vec<Vec<Part>> {
    let mut packs: Vec<Vec<Part>> = Vec::new();
    let mut size = 0;
    for (i, asked) in texts.iter().enumerate() {
        for window in asked.text.windows(asking.window.tokens()) {
            let more = asked.text.tokens(&window);
            let part = Part { text: i, window };
            match packs.last_mut().filter(|p| p.len() < asking.pack && size + more <= asking.window.tokens()) {
                Some(pack) => {
                    pack.push(part);
                    size += more;
                }
                None => {
                    packs.push(vec![part]);
                    size = more;
                }
            }
        }
    }
    packs
}

async fn ask_pack<T: DeserializeOwned>(
    model: &Model,
    standing: &Standing,
    asking: &Asking,
    texts: &[Asked<'_>],
    parts: Vec<Part>,
) -> Vec<PartAnswer<T>> {
    if asking.pack == 1 {
        return ask_each(model, standing, asking, texts, parts).await;
    }
    match model.ask::<BTreeMap<String, T>>(&question(standing, asking, texts, &parts)).await {
        Ok(mut sheets) => {
            let mut answers = Vec::new();
            let mut missing = Vec::new();
            for (i, part) in parts.into_iter().enumerate() {
                match sheets.remove(&format!("p{}", i + 1)) {
                    Some(sheet) => answers.push((part, Ok(sheet))),
                    None => missing.push(part),
                }
            }
            answers.extend(ask_each(model, standing, asking, texts, missing).await);
            answers
        }
        // What goes wrong with several may go right with one, and must not take its neighbours along.
        Err(why) if why.is_about_one_item() && parts.len() > 1 => ask_each(model, standing, asking, texts, parts).await,
        Err(why) => parts.into_iter().map(|part| (part, Err(again(&why)))).collect(),
    }
}

/// Asks about each part by itself.
async fn ask_each<T: DeserializeOwned>(
    model: &Model,
    standing: &Standing,
    asking: &Asking,
    texts: &[Asked<'_>],
    parts: Vec<Part>,
) -> Vec<PartAnswer<T>> {
    let mut answers = Vec::new();
    for part in parts {
        let question = question(standing, asking, texts, std::slice::from_ref(&part));
        let sheet = if asking.pack == 1 {
            model.ask::<T>(&question).await
        } else {
            let sheets = model.ask::<BTreeMap<String, T>>(&question).await;
            sheets.and_then(|mut sheets| sheets.remove("p1").ok_or_else(|| no_sheet(&question)))
        };
        answers.push((part, sheet));
    }
    answers
}

fn no_sheet(question: &Question) -> Unanswered {
    Unanswered::Malformed { unit: question.unit.clone(), why: "the sheet p1 is missing".to_owned() }
}

fn question(standing: &Standing, asking: &Asking, texts: &[Asked<'_>], parts: &[Part]) -> Question {
    let fenced = |part: &Part| {
        let asked = texts.get(part.text)?;
        let context = asked.context.line.as_deref().filter(|_| asking.window != Window::Sentence);
        Some(asked.text.sealed(&part.window, context, asking.protocol, &standing.secret, standing.prompt))
    };
    let fenced: Vec<String> = parts.iter().filter_map(fenced).collect();
    let sizes: Vec<usize> = parts.iter().map(|part| part.window.len()).collect();
    let packed = asking.pack > 1;
    let user = match packed {
        false => fenced.concat(),
        true => {
            fenced.iter().enumerate().map(|(i, text)| format!("p{}:\n{text}", i + 1)).collect::<Vec<_>>().join("\n")
        }
    };
    // All of them: when one is deleted at its source, the answer about it is forgotten.
    let unit = parts.iter().filter_map(|part| texts.get(part.text)).map(|asked| asked.id).collect::<Vec<_>>().join(" ");
    Question {
        unit,
        prompt: standing.prompt,
        system: standing.system.clone(),
        examples: standing.examples.clone(),
        user,
        schema: standing.sheet.schema(asking.protocol, &sizes, packed),
        max_tokens: standing.answer_tokens * u32::try_from(parts.len()).unwrap_or(1),
    }
}

/// The same reason, for another text of the same request.
fn again(why: &Unanswered) -> Unanswered {
    match why {
        Unanswered::Malformed { unit, why } => Unanswered::Malformed { unit: unit.clone(), why: why.clone() },
        Unanswered::Refused { unit, why } => Unanswered::Refused { unit: unit.clone(), why: why.clone() },
        Unanswered::OverBudget(why) => Unanswered::OverBudget(why.clone()),
        Unanswered::Down(why) => Unanswered::Down(why.clone()),
    }
}
