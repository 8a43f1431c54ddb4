//! The second verdict: do the quoted words show what they were quoted for?
//!
//! Asked apart from the first reading, of the quoted sentences with one more on each side (none where sentences are kept apart)
//! and nothing else, so that the answer cannot lean on the rest of the text or on what was said before.

use std::ops::Range;

use anyhow::{Context as _, Result};
use futures_util::{StreamExt, stream};
use serde::Deserialize;

use super::ask::{Asked, Asking, Read, Window};
use super::outgoing::Outgoing;
use super::prompt::{EXAMPLE_NONCE, Example, Prompt};
use super::sheet::{Form, Sheet};
use super::{Model, Question, Unanswered};
use crate::config::Protocol;
use crate::model::{Evidence, Support};
use crate::text::redact::Names;

/// Second looks under way at once.
const UNDER_WAY: usize = 64;

/// Longest verdict, in tokens.
const VERDICT_TOKENS: u32 = 16;

const SHEET: Sheet = Sheet { first: &[("shown", Form::OneOf(&["yes", "no", "unclear"]))], claims: &[], last: &[] };

#[derive(Debug, Deserialize)]
struct Judged {
    shown: Shown,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shown {
    Yes,
    No,
    Unclear,
}

impl From<Judged> for Support {
    fn from(judged: Judged) -> Self {
        match judged.shown {
            Shown::Yes => Self::Supported,
            Shown::No => Self::Unsupported,
            Shown::Unclear => Self::Unclear,
        }
    }
}

/// Looks a second time at what was claimed about texts of one kind. Cheap to share.
#[derive(Clone)]
pub struct Judge {
    name: &'static str,
    system: String,
    examples: Vec<(String, String)>,
    /// The prompt that the claims answer.
    questions: &'static Prompt,
    /// Sentences shown on each side of the quoted ones.
    beside: usize,
    secret: [u8; 32],
}

impl Judge {
    /// One that asks `prompt`, named `name`, about answers to `questions`; for `secret` see
    /// [`Standing::new`](super::ask::Standing::new).
    #[expect(clippy::expect_used, reason = "the examples are part of the program; the tests fill them in")]
    pub fn new(
        name: &'static str,
        prompt: &Prompt,
        questions: &'static Prompt,
        window: Window,
        secret: [u8; 32],
    ) -> Self {
        let beside = window.beside();
        let examples = examples(prompt, questions, beside).expect("the examples quote their own texts");
        Self { name, system: prompt.instructions(Protocol::Point, false), examples, questions, beside, secret }
    }

    /// Looks a second time at the `claims` of each reading, which name their questions, and hands the verdicts, in the claims'
    /// order, to `note`. A question that gets no answer about itself alone leaves its claim without a verdict; when the model
    /// cannot be asked at all, the text counts as not read.
    pub async fn look<R: Send + Sync>(
        &self,
        model: &Model,
        asked: &[Asked<'_>],
        read: &mut [Result<Read<R>, Unanswered>],
        claims: fn(&R) -> Vec<(&'static str, &Evidence)>,
        note: fn(&mut R, Vec<Option<Support>>),
    ) {
        let mut looks = Vec::new();
        for (i, (asked, read)) in asked.iter().zip(read.iter()).enumerate() {
            let claims = read.as_ref().map(|read| claims(&read.reading)).unwrap_or_default();
            for (j, (question, evidence)) in claims.into_iter().enumerate() {
                if let Some(question) = self.question(asked, question, evidence) {
                    looks.push(async move { (i, j, model.ask::<Judged>(&question).await) });
                }
            }
        }
        let mut verdicts = stream::iter(looks).buffer_unordered(UNDER_WAY).collect::<Vec<_>>().await;
        verdicts.sort_by_key(|(i, j, _)| (*i, *j));
        let mut verdicts = verdicts.into_iter().peekable();
        for (i, slot) in read.iter_mut().enumerate() {
            let mut said = vec![None; slot.as_ref().map_or(0, |read| claims(&read.reading).len())];
            while let Some((_, j, verdict)) = verdicts.next_if(|(of, ..)| *of == i) {
                match verdict {
                    Ok(judged) => said[j] = Some(judged.into()),
                    Err(why) if !why.is_about_one_item() => *slot = Err(why),
                    Err(_) => {}
                }
            }
            if let Ok(read) = slot {
                note(&mut read.reading, said);
            }
        }
    }

    /// The longest second looks that filled `sheet`s about `texts` can lead to, each with how many there may be like it.
    pub fn longest(&self, sheet: &Sheet, asking: &Asking, texts: &[Asked<'_>]) -> Vec<(Question, u64)> {
        let placed = || sheet.claims.iter().filter(|claim| claim.placed);
        let asked_for = placed().filter_map(|claim| self.questions.question(claim.name)).max_by_key(|text| text.len());
        let mut longest = Vec::new();
        for asked in texts {
            for window in asked.text.windows(asking.window.tokens()) {
                let around = |quoted: Range<usize>| {
                    quoted.start.saturating_sub(self.beside)..(quoted.end + self.beside).min(asked.text.len())
                };
                // A quote may be as long as the window; a number stands for one sentence, which is asked about once.
                let mut places = match asking.protocol {
                    Protocol::Copy => vec![around(window.clone())],
                    Protocol::Point => window.map(|i| around(i..i + 1)).collect(),
                };
                places.sort_by_key(|place| std::cmp::Reverse(asked.text.tokens(place)));
                for (at, place) in places.into_iter().enumerate() {
                    let like_it = |most: usize| match asking.protocol {
                        Protocol::Copy => most as u64,
                        Protocol::Point => u64::from(at < most),
                    };
                    let times = placed().map(|claim| like_it(claim.most)).sum();
                    if times == 0 {
                        break;
                    }
                    let numbers = (1..=place.len()).collect::<Vec<_>>();
                    let question = self.of(asked, asked_for.unwrap_or_default(), &place, &numbers);
                    longest.push((question, times));
                }
            }
        }
        longest
    }

    fn question(&self, asked: &Asked<'_>, question: &str, evidence: &Evidence) -> Option<Question> {
        let (window, numbers) = asked.text.surroundings(evidence, self.beside);
        Some(self.of(asked, self.questions.question(question)?, &window, &numbers))
    }

    fn of(&self, asked: &Asked<'_>, asked_for: &str, window: &Range<usize>, numbers: &[usize]) -> Question {
        let fenced = asked.text.sealed(window, None, Protocol::Point, &self.secret, self.name);
        Question {
            unit: asked.id.to_owned(),
            prompt: self.name,
            system: self.system.clone(),
            examples: self.examples.clone(),
            user: words(asked_for, &fenced, numbers),
            schema: SHEET.schema(Protocol::Point, &[window.len()], false),
            max_tokens: VERDICT_TOKENS,
        }
    }
}

/// What is asked about the sentences with these `numbers`.
fn words(asked_for: &str, fenced: &str, numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(|n| format!("[{n}]")).collect();
    format!("Question: {asked_for}\n{fenced}\nDoes {} show it?", numbers.join(" "))
}

/// The worked examples of `prompt`, as they are asked and answered.
///
/// # Errors
/// When an example asks none of the `questions`, its quote is not in its own text, or its answer is no verdict.
pub(crate) fn examples(prompt: &Prompt, questions: &Prompt, beside: usize) -> Result<Vec<(String, String)>> {
    let worked = |example: &Example| {
        let text = Outgoing::new(example.text.trim(), &Names::default());
        let name = example.question.as_deref().context("it asks no question")?;
        let quote = example.quote.as_deref().context("it quotes nothing")?;
        let asked_for = questions.question(name).with_context(|| format!("there is no question {name}"))?;
        let quoted = text.locate(&(0..text.len()), quote, None).with_context(|| format!("not in the text: {quote}"))?;
        let (window, numbers) = text.surroundings(&quoted, beside);
        let fenced = text.fenced(&window, None, Protocol::Point, EXAMPLE_NONCE);
        let verdict = SHEET.fill(&example.answer, &text, Protocol::Point)?;
        anyhow::Ok((words(asked_for, &fenced, &numbers), verdict.to_string()))
    };
    let worked = |example: &Example| worked(example).with_context(|| format!("in the example {:?}", example.text));
    prompt.examples.iter().map(worked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTIONS: &str = "system = ''\npoint = ''\ncopy = ''\ndetails = ''\npacked = ''\n\
                             [[question]]\nname = 'leak'\ntext = 'Does it leak?'\n";

    fn judge(claim: &str) -> Result<Vec<(String, String)>> {
        let prompt = QUESTIONS.to_owned() + "[[example]]\ntext = 'It rains. The lid leaks. Good night. Bye.'\n" + claim;
        examples(&Prompt::parse(&prompt)?, &Prompt::parse(QUESTIONS)?, 1)
    }

    #[test]
    fn an_example_is_shown_as_it_would_be_asked() {
        let worked = judge("question = 'leak'\nquote = 'The lid leaks'\nanswer = { shown = 'yes' }").unwrap();
        let asked = "Question: Does it leak?\n<text example>\n[1] It rains.\n[2] The lid leaks.\n[3] Good night.\n\
                     </text example>\nDoes [2] show it?";
        assert_eq!(worked, [(asked.to_owned(), r#"{"shown":"yes"}"#.to_owned())]);
        for wrong in [
            "question = 'rust'\nquote = 'The lid leaks'\nanswer = { shown = 'yes' }",
            "question = 'leak'\nquote = 'Nothing of the kind'\nanswer = { shown = 'yes' }",
            "question = 'leak'\nquote = 'The lid leaks'\nanswer = { shown = 'perhaps' }",
            "answer = { shown = 'yes' }",
        ] {
            assert!(judge(wrong).is_err(), "{wrong}");
        }
    }
}
