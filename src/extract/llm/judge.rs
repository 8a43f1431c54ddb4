//! The second verdict: do the quoted words show the act they were quoted for?
//!
//! Asked apart from the first reading, of the quoted sentences with one more on each side and nothing else, so that the
//! answer cannot lean on the rest of the post or on what was said before.

use std::sync::LazyLock;

use futures_util::{StreamExt, stream};
use serde::Deserialize;

use super::Read;
use crate::config::Protocol;
use crate::llm::ask::Asked;
use crate::llm::prompt::Prompt;
use crate::llm::sheet::{Form, Sheet};
use crate::llm::{Model, Question, Unanswered};
use crate::model::{ActKind, Evidence, Support};

pub(super) const PROMPT_FILE: &str = include_str!("../../../prompts/judge_support.toml");

/// Second looks under way at once.
const UNDER_WAY: usize = 64;

const SHEET: Sheet = Sheet { first: &[("shown", Form::OneOf(&["yes", "no", "unclear"]))], claims: &[], last: &[] };

#[expect(clippy::expect_used, reason = "the prompt files are part of the program; the tests parse them")]
static PROMPT: LazyLock<Prompt> = LazyLock::new(|| Prompt::parse(PROMPT_FILE).expect("the prompt is well formed"));

#[derive(Debug, Deserialize)]
struct Judged {
    shown: Shown,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shown {
    Yes,
    No,
    Unclear,
}

/// Looks a second time at every act in `read` and writes down the verdict. A question that gets no answer about itself alone
/// leaves its act without a verdict; when the model cannot be asked at all, the post counts as not read.
pub(super) async fn judge(
    model: &Model,
    secret: &[u8; 32],
    acts: &Prompt,
    asked: &[Asked<'_>],
    read: &mut [Result<Read, Unanswered>],
) {
    let mut looks = Vec::new();
    for (i, (asked, read)) in asked.iter().zip(read.iter()).enumerate() {
        for (j, found) in read.iter().flat_map(|read| read.reading.acts.iter().enumerate()) {
            if let Some(question) = question(secret, acts, asked, found.act.kind(), &found.evidence) {
                looks.push(async move { (i, j, model.ask::<Judged>(&question).await) });
            }
        }
    }
    let mut verdicts = stream::iter(looks).buffer_unordered(UNDER_WAY).collect::<Vec<_>>().await;
    verdicts.sort_by_key(|(i, j, _)| (*i, *j));
    for (i, j, verdict) in verdicts {
        let Some(slot) = read.get_mut(i) else { continue };
        match (slot.as_mut(), verdict) {
            (Ok(read), Ok(judged)) => note(read, j, &judged.shown),
            (Ok(_), Err(why)) if !why.is_about_one_item() => *slot = Err(why),
            _ => {}
        }
    }
}

fn note(read: &mut Read, act: usize, shown: &Shown) {
    if let Some(found) = read.reading.acts.get_mut(act) {
        found.support = Some(match shown {
            Shown::Yes => Support::Supported,
            Shown::No => Support::Unsupported,
            Shown::Unclear => Support::Unclear,
        });
    }
}

fn question(
    secret: &[u8; 32],
    acts: &Prompt,
    asked: &Asked<'_>,
    act: ActKind,
    evidence: &Evidence,
) -> Option<Question> {
    let (window, numbers) = asked.text.surroundings(evidence);
    let asked_for = acts.question(act.as_str())?;
    let fenced = asked.text.sealed(&window, None, Protocol::Point, secret, "judge_support");
    let numbers: Vec<String> = numbers.iter().map(|n| format!("[{n}]")).collect();
    Some(Question {
        unit: asked.id.to_owned(),
        prompt: "judge_support",
        system: PROMPT.instructions(Protocol::Point, false),
        examples: Vec::new(),
        user: format!("Question: {asked_for}\n{fenced}\nDoes {} show it?", numbers.join(" ")),
        schema: SHEET.schema(Protocol::Point, &[window.len()], false),
        max_tokens: 16,
    })
}
