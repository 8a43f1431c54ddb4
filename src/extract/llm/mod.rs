//! The LLM reader: a model says which acts a post performs and where; the program finds the words.
//!
//! Six independent questions and the texture slots stand on one `Sheet`. By the *point* protocol the model names sentence
//! numbers that the schema confines to the post; by the *copy* protocol it copies words, which are looked for. The one rule:
//! no offset and no word of an answer is taken over. What is not found is counted as rejected.

mod sheet;

#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use crate::llm::ask::{self, Asked, Asking, Sheets, Standing};
use crate::llm::judge::Judge;
use crate::llm::outgoing::{Context, Finder, Outgoing, Place, Quotes};
use crate::llm::prompt::Prompt;
use crate::llm::{Model, Outlook, Question, Unanswered};
use crate::model::{Act, Evidence, Fit, FoundAct, PostReading, Recipe, Slot, SlotValue, Support, TextureSlot, Voice};
use crate::text::redact::Names;

use sheet::{POST_SHEET, PostSheet};

/// Version of what stands in code; prompts and settings are hashed on their own.
const VERSION: &str = "llm-post-1";

const PROMPT_FILE: &str = include_str!("../../../prompts/read_post.toml");

const JUDGE_FILE: &str = include_str!("../../../prompts/judge_support.toml");

/// Longest answer about one post. A post with every act and slot takes about half of it.
const ANSWER_TOKENS: u32 = 400;

/// Probability given to an act by how its words were found. Not calibrated: a model's yes carries no number, so these only
/// order quotes, and nothing is decided by them.
const CONFIDENCE: [(Fit, f64); 3] = [(Fit::Exact, 0.8), (Fit::Normalized, 0.75), (Fit::Fuzzy, 0.6)];

#[expect(clippy::expect_used, reason = "the prompt files are part of the program; the tests parse them")]
static PROMPT: LazyLock<Prompt> = LazyLock::new(|| Prompt::parse(PROMPT_FILE).expect("the prompt is well formed"));

#[expect(clippy::expect_used, reason = "the prompt files are part of the program; the tests parse them")]
static JUDGE: LazyLock<Prompt> = LazyLock::new(|| Prompt::parse(JUDGE_FILE).expect("the prompt is well formed"));

/// A post to read.
#[derive(Debug, Clone, Copy)]
pub struct PostText<'a> {
    /// Its id, for the ledger and for errors; not sent.
    pub id: &'a str,
    /// A title, or what the post answers. Sent beside it, never quoted.
    pub context: Option<&'a str>,
    /// The post.
    pub text: &'a str,
}

/// A post that was read.
pub type Read = ask::Read<PostReading>;

/// The reader. Cheap to share.
#[derive(Clone)]
pub struct Reader {
    model: Arc<Model>,
    asking: Asking,
    names: Names,
    standing: Standing,
    judge: Option<Judge>,
}

impl Reader {
    /// A reader that asks `model`. `names` are masked before anything is sent; for `secret` see [`Standing::new`].
    pub fn new(model: Arc<Model>, asking: Asking, names: Names, secret: [u8; 32]) -> Self {
        let standing = Standing::new("read_post", &PROMPT, &POST_SHEET, ANSWER_TOKENS, &asking, secret);
        let judge = asking.judge.then(|| Judge::new("judge_support", &JUDGE, &PROMPT, asking.window, secret));
        Self { model, asking, names, standing, judge }
    }

    /// The same, masking `names`.
    #[must_use]
    pub fn masking(&self, names: Names) -> Self {
        Self { names, ..self.clone() }
    }

    /// What this reader's readings are kept under: model, protocol, packing, prompts.
    pub fn recipe(&self) -> Recipe {
        self.asking.recipe(VERSION, &self.model, PROMPT_FILE, JUDGE_FILE)
    }

    /// The model that is asked.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What would be asked about `posts`, as it would be sent.
    pub fn questions(&self, posts: &[PostText<'_>]) -> Vec<Question> {
        ask::questions(&self.standing, &self.asking, &self.outgoing(posts))
    }

    /// [`Self::questions`], and what can come after them.
    pub fn would_ask(&self, posts: &[PostText<'_>]) -> Outlook {
        ask::would_ask(&self.standing, &self.asking, self.judge.as_ref(), &self.outgoing(posts))
    }

    /// Reads `posts`; the results come in their order. The requests go out concurrently.
    pub async fn read(&self, posts: &[PostText<'_>]) -> Vec<Result<Read, Unanswered>> {
        let asked = self.outgoing(posts);
        let answers = ask::ask::<PostSheet>(&self.model, &self.standing, &self.asking, &asked).await;
        let mut read: Vec<Result<Read, Unanswered>> = asked
            .iter()
            .zip(posts)
            .zip(answers)
            .map(|((asked, post), sheets)| sheets.map(|sheets| reading(post.text, asked, sheets)))
            .collect();
        if let Some(judge) = &self.judge {
            judge.look(&self.model, &asked, &mut read, claims, note).await;
        }
        read
    }

    fn outgoing<'a>(&self, posts: &[PostText<'a>]) -> Vec<Asked<'a>> {
        let asked = |post: &PostText<'a>| Asked {
            id: post.id,
            context: post.context.map(|context| Context::new(context, &self.names)).unwrap_or_default(),
            text: Outgoing::new(post.text, &self.names),
        };
        posts.iter().map(asked).collect()
    }
}

fn claims(reading: &PostReading) -> Vec<(&'static str, &Evidence)> {
    reading.acts.iter().map(|found| (found.act.kind().as_str(), &found.evidence)).collect()
}

fn note(reading: &mut PostReading, verdicts: Vec<Option<Support>>) {
    for (found, verdict) in reading.acts.iter_mut().zip(verdicts) {
        found.support = verdict;
    }
}

/// What one answer says about a post, if it is a sheet.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_answer(text: &str, answer: &serde_json::Value) -> Option<PostReading> {
    let sheet = serde::Deserialize::deserialize(answer).ok()?;
    let sent = Outgoing::new(text, &Names::default());
    let sheets = vec![(0..sent.len(), sheet)];
    Some(reading(text, &Asked { id: "", context: Context::default(), text: sent }, sheets).reading)
}

/// What the filled sheets of one post say about it.
fn reading(text: &str, asked: &Asked<'_>, sheets: Sheets<PostSheet>) -> Read {
    let mut quotes = Quotes::default();
    let mut acts: Vec<FoundAct> = Vec::new();
    let mut texture = Vec::new();
    let mut voice = Voice::Unclear;
    for (window, sheet) in sheets {
        // The first window that can tell tells for all.
        if voice == Voice::Unclear {
            voice = sheet.voice;
        }
        let mut finder = Finder::new(&asked.text, window, &mut quotes);
        for (act, evidence) in sheet.acts(&mut finder) {
            let fit = evidence.fit();
            let confidence = CONFIDENCE.iter().find(|(f, _)| *f == fit).map_or(0.0, |(_, confidence)| *confidence);
            acts.push((act, evidence, confidence).into());
        }
        for stated in &sheet.texture {
            if let Some(evidence) = finder.words(&stated.words, &Place::default()) {
                let value = super::embedded::slot_value(stated.slot, evidence.quote());
                texture.push(TextureSlot { slot: stated.slot, evidence, value });
            }
        }
    }
    for found in &acts {
        if let Act::FailedWorkaround { means: Some(means), .. } | Act::Workaround { means: Some(means) } = &found.act {
            texture.push(TextureSlot { slot: Slot::Attempts, evidence: means.clone(), value: SlotValue::Text });
        }
    }
    acts.sort_by_key(|found| (found.evidence.span(), found.act.kind()));
    acts.dedup_by(|a, b| a.act.kind() == b.act.kind() && a.evidence.span() == b.evidence.span());
    texture.sort_by_key(|slot| (slot.evidence.span(), slot.slot));
    texture.dedup_by(|a, b| a.slot == b.slot && a.evidence.span() == b.evidence.span());
    let lang = super::embedded::detected_language(text);
    let withheld = asked.withheld().len();
    let reading = PostReading { voice, lang, acts, texture, rejected: quotes.rejected, withheld };
    Read { reading, quotes }
}
