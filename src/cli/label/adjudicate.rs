//! `candor label adjudicate`: what two annotators read differently is settled by a third, who sees both answers and no names.

use std::time::Instant;

use anyhow::Result;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::items::{self, walk};
use super::questions::{self, note_in_words, post_in_words};
use super::talk::{KEYS, Leave, Talk};
use crate::app::App;
use crate::cli::output::Output;
use crate::compare::labels::{ADJUDICATOR, Answer, NoteAnswer, PostAnswer, answers, disagree};
use crate::compare::sample::random;
use crate::exit::Exit;
use crate::store::LabelRow;
use crate::summary::StageSummary;

/// The stream of the seed that shuffles the answers, so that nobody is always the first.
const STREAM: u64 = 5;

const EXPLAIN: &str = concat!(
    "A number takes that answer as it is. n asks you the questions anew. Your answer stands in every count; both others are kept, ",
    "and what was marked as contested stays so.\n",
);

/// An item on which annotators disagree, with their answers.
enum Dispute {
    Post(String, Vec<PostAnswer>),
    Note(String, Vec<NoteAnswer>),
}

pub(super) async fn run(app: &App, out: &mut Output) -> Result<Exit> {
    let began = Instant::now();
    let problems = items::problems(app).await?;
    let rows = app.store.labels().await?;
    let mut rng = random(app.settings.compare.seed, STREAM);
    let mut disputes = Vec::new();
    let mut settled = 0;
    for (item, answers) in disputed::<PostAnswer>(&rows, &mut settled, &mut rng)? {
        disputes.push(Dispute::Post(item, answers));
    }
    for (item, answers) in disputed::<NoteAnswer>(&rows, &mut settled, &mut rng)? {
        disputes.push(Dispute::Note(item, answers));
    }
    let mut terminal = items::Terminal::new(out);
    let mut talk = terminal.talk();
    if disputes.is_empty() {
        talk.say(&format!(
            "There is nothing to settle: {settled} items were read differently, and all are settled. `candor label --double N \
             --annotator NAME` asks for a second opinion."
        ))?;
        if out.json() {
            out.value(&StageSummary::new("adjudicate", began, 0, 0, 0).with("left", 0))?;
        }
        return Ok(Exit::NothingToDo);
    }
    talk.say(&format!("{} items were read differently. Your answer stands.\n{KEYS}\n", disputes.len()))?;
    let mut open = vec![true; disputes.len()];
    let of = disputes.len();
    let walked = walk(&mut talk, &mut open, async |talk: &mut Talk<'_>, at, _| {
        let heading = format!("{} of {of}", at + 1);
        match &disputes[at] {
            Dispute::Post(item, answers) => {
                let ask = |talk: &mut Talk<'_>, text: &str| questions::post(talk, text, &problems);
                settle(talk, app, (item, answers), &heading, |a, text| post_in_words(a, text, &problems), ask).await
            }
            Dispute::Note(item, answers) => {
                let ask = |talk: &mut Talk<'_>, text: &str| questions::note(talk, text, &problems);
                settle(talk, app, (item, answers), &heading, |a, text| note_in_words(a, text, &problems), ask).await
            }
        }
    })
    .await?;
    let left = open.iter().filter(|open| **open).count();
    talk.say(&format!("You settled {} of {of}; {left} are left.", walked.answered))?;
    if out.json() {
        let summary = StageSummary::new("adjudicate", began, walked.answered as u64, walked.skipped as u64, 0);
        out.value(&summary.with("left", left))?;
    }
    Ok(Exit::Done)
}

/// Items on which annotators disagree and nobody has settled it, each with their answers in random order. Counts the settled.
fn disputed<A: Answer>(rows: &[LabelRow], settled: &mut usize, rng: &mut ChaCha8Rng) -> Result<Vec<(String, Vec<A>)>> {
    let mut disputes = Vec::new();
    for (item, answers) in answers::<A>(rows)?.into_iter().filter(|(_, answers)| disagree(answers)) {
        if answers.iter().any(|(who, _)| who == ADJUDICATOR) {
            *settled += 1;
            continue;
        }
        let mut answers = answers.into_iter().map(|(_, answer)| answer).collect::<Vec<_>>();
        answers.shuffle(rng);
        disputes.push((item, answers));
    }
    Ok(disputes)
}

/// Shows an item with the answers to it, and keeps the one that stands.
async fn settle<A: Answer + Clone>(
    talk: &mut Talk<'_>,
    app: &App,
    (item, answers): (&String, &[A]),
    heading: &str,
    in_words: impl Fn(&A, &str) -> Vec<(&'static str, String)>,
    ask: impl Fn(&mut Talk<'_>, &str) -> Result<A, Leave>,
) -> Result<(), Leave> {
    let Some(text) = items::show(talk, app, (A::SIDE, item), heading).await? else {
        talk.say("It is no longer in the workspace.")?;
        return Err(Leave::Skip);
    };
    let told = answers.iter().map(|answer| in_words(answer, &text)).collect::<Vec<_>>();
    talk.say(&side_by_side(&told, talk.width()))?;
    let numbers = (1..=answers.len()).map(|n| n.to_string()).collect::<Vec<_>>().join(" · ");
    let question = format!("\nWhich stands?\n  {numbers} · n none, ask me");
    let answer = talk.questions(|talk| {
        let chosen = talk.ask(&question, EXPLAIN, |answer| match answer {
            "n" => Ok(None),
            number => {
                let n = number.parse::<usize>().ok().and_then(|n| answers.get(n.checked_sub(1)?));
                n.map(Some).ok_or_else(|| format!("A number from 1 to {}, or n.", answers.len()))
            }
        })?;
        match chosen {
            Some(answer) => Ok(answer.clone()),
            None => ask(talk, &text),
        }
    })?;
    let kept = in_words(&answer, &text).into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(" · ");
    app.store.write_labels(&[answer.row(item, ADJUDICATOR)?]).await?;
    talk.say(&format!("Kept: {kept}\n"))?;
    Ok(())
}

/// The answers beside each other, a question a line; where they differ, the line is marked.
fn side_by_side(told: &[Vec<(&'static str, String)>], width: usize) -> String {
    let mut questions = Vec::new();
    for (question, _) in told.iter().flatten() {
        if !questions.contains(question) {
            questions.push(question);
        }
    }
    let mut table = crate::cli::output::plain_table(&[""]);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    let header = (1..=told.len()).map(|n| format!("answer {n}"));
    table.set_header(["", ""].map(str::to_owned).into_iter().chain(header));
    for question in questions {
        let of =
            |answer: &Vec<(&str, String)>| answer.iter().find(|(q, _)| *q == question).map(|(_, words)| words.clone());
        let cells = told.iter().map(|answer| of(answer).unwrap_or_else(|| "–".to_owned())).collect::<Vec<_>>();
        let mark = if cells.windows(2).all(|pair| pair[0] == pair[1]) { "" } else { "≠" };
        table.add_row([mark.to_owned(), (*question).to_owned()].into_iter().chain(cells));
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_marked() {
        let told = |voice: &str| vec![("voice", voice.to_owned()), ("problems", "no problem".to_owned())];
        let table = side_by_side(&[told("first hand"), told("generic")], 80);
        let lines = table.lines().map(str::trim_end).collect::<Vec<_>>();
        assert!(lines[0].contains("answer 1") && lines[0].contains("answer 2"), "{table}");
        assert!(lines[1].contains('≠') && lines[1].contains("generic"), "{table}");
        assert!(!lines[2].contains('≠'), "{table}");
    }
}
