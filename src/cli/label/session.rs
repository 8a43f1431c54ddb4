//! `candor label`: one post or note at a time, and each answer kept as soon as it is given.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::items::{self, Walked, walk};
use super::questions::{self, Problems};
use super::talk::{KEYS, Leave, Talk, minutes};
use super::{SessionArgs, questions::note_in_words, questions::post_in_words};
use crate::app::App;
use crate::cli::output::Output;
use crate::compare::evidence_rule::LABELS;
use crate::compare::labels::{ADJUDICATOR, Answer, NoteAnswer, PostAnswer};
use crate::compare::to_label::{SideProgress, Task, ToLabel, labelled};
use crate::exit::Exit;
use crate::pipeline;
use crate::store::{LabelRow, Side};
use crate::summary::StageSummary;

/// The time that the last word of a session looks ahead.
const MORE: Duration = Duration::from_secs(20 * 60);

pub(super) async fn run(app: &App, args: SessionArgs, out: &mut Output) -> Result<Exit> {
    let began = Instant::now();
    let annotator = annotator(args.annotator)?;
    let side = args.side.map(Side::from);
    let problems = items::problems(app).await?;
    let mut terminal = items::Terminal::new(out);
    let mut talk = terminal.talk();
    let drew = app.store.sample().await?.is_empty();
    if drew {
        pipeline::label_draw(app, app.settings.compare.sample_per_side).await?;
    }
    let sample = pipeline::to_label(app).await?;
    let before = app.store.labels().await?;
    let tasks = match args.double {
        None => sample.first(&before, &annotator, side),
        Some(n) => sample.second(&before, &annotator, side, n),
    };
    let mut open = tasks.iter().map(|task| !task.done).collect::<Vec<_>>();
    if !open.contains(&true) {
        talk.say(nothing(&sample, args.double, &tasks))?;
        if out.json() {
            out.value(&StageSummary::new("label", began, 0, 0, 0).with("annotator", annotator))?;
        }
        return Ok(Exit::NothingToDo);
    }
    if drew {
        let [people, accounts] = sides(&sample, &BTreeSet::new()).map(|p| p.drawn);
        talk.say(&format!("Drew {people} people and {accounts} accounts at random.\n"))?;
    }
    talk.say(&format!("{}\n{KEYS}\n", welcome(&annotator, args.double)))?;

    let walked = walk(&mut talk, &mut open, async |talk: &mut Talk<'_>, at, left| {
        one(talk, app, &tasks, at, left, &annotator, &problems).await
    })
    .await?;

    let now = labelled(&app.store.labels().await?);
    let ending = Ending { sample: &sample, tasks: &tasks, open: &open, walked, now, side };
    talk.say(&ending.says(args.double, began.elapsed(), talk.pace()))?;
    if out.json() {
        let Walked { answered, skipped } = ending.walked;
        let [community, crm] = sides(&sample, &ending.now);
        let summary = StageSummary::new("label", began, answered as u64, skipped as u64, 0)
            .with("annotator", annotator)
            .with("community", serde_json::to_value(community)?)
            .with("crm", serde_json::to_value(crm)?);
        out.value(&summary)?;
    }
    Ok(Exit::Done)
}

fn annotator(named: Option<String>) -> Result<String> {
    let user = || std::env::var("USER").ok().filter(|name| !name.trim().is_empty());
    let name = named.or_else(user).unwrap_or_else(|| "me".to_owned());
    match name.trim() {
        "" => bail!("the annotator has no name; say who labels with --annotator NAME"),
        ADJUDICATOR => bail!("the name {ADJUDICATOR} is kept for `candor label adjudicate`; label under another one"),
        name => Ok(name.to_owned()),
    }
}

fn nothing(sample: &ToLabel, double: Option<usize>, tasks: &[Task]) -> &'static str {
    match (sample.is_empty(), double, tasks.is_empty()) {
        (true, ..) => {
            "There is nothing to label: no drawn person or account has a post or a note in the window. `candor status` shows \
             what is there, `candor label draw --again` draws anew."
        }
        (_, Some(_), true) => "Nobody else has labelled anything yet, so there is nothing to give a second opinion on.",
        (_, Some(_), false) => "You have labelled all of them. `candor label status` shows how far you agree.",
        (_, None, _) => {
            "Everything that was drawn is labelled. `candor compare` uses it; `candor label --double 100 --annotator NAME` asks \
             somebody else for a second opinion, and `candor label status` shows how far they agree."
        }
    }
}

fn welcome(annotator: &str, double: Option<usize>) -> String {
    let what = match double {
        None => "One post or note at a time, in random order, so you may stop at any time.",
        Some(_) => "A second opinion on what somebody else has labelled; what they said is not shown.",
    };
    format!("You label as {annotator}. {what} An item is kept when its last question is answered.")
}

/// Shows an item, asks about it and keeps the answer.
async fn one(
    talk: &mut Talk<'_>,
    app: &App,
    tasks: &[Task],
    at: usize,
    left: usize,
    annotator: &str,
    problems: &Problems,
) -> Result<(), Leave> {
    let task = &tasks[at];
    let heading = heading(task, at, tasks.len(), talk.pace(), left);
    let Some(text) = items::show(talk, app, (task.side, &task.item), &heading).await? else {
        talk.say("It is no longer in the workspace.")?;
        return Err(Leave::Skip);
    };
    if let Some(answer) = earlier(app, task, annotator).await? {
        talk.say(&format!("You said: {}\n", in_words(&answer, &text, problems)?))?;
    }
    let row = match task.side {
        Side::Community => talk.questions(|talk| questions::post(talk, &text, problems))?.row(&task.item, annotator)?,
        Side::Crm => talk.questions(|talk| questions::note(talk, &text, problems))?.row(&task.item, annotator)?,
    };
    let kept = in_words(&row, &text, problems)?;
    app.store.write_labels(&[row]).await?;
    talk.say(&format!("Kept: {kept}\n"))?;
    Ok(())
}

fn heading(task: &Task, at: usize, of: usize, pace: Option<Duration>, left: usize) -> String {
    let (item, unit) = nouns(task.side);
    let mut heading = format!("{} of {of}", at + 1);
    if task.of > 1 {
        heading += &format!(" · {item} {} of {} of this {unit}", task.nth, task.of);
    }
    if let Some(pace) = pace {
        heading += &format!(" · {} left", minutes(pace * u32::try_from(left).unwrap_or(u32::MAX)));
    }
    heading
}

fn nouns(side: Side) -> (&'static str, &'static str) {
    match side {
        Side::Community => ("post", "person"),
        Side::Crm => ("note", "account"),
    }
}

/// What the annotator said of an item before.
async fn earlier(app: &App, task: &Task, annotator: &str) -> Result<Option<LabelRow>> {
    let rows = app.store.labels().await?;
    Ok(rows.into_iter().find(|r| r.side == task.side && r.item == task.item && r.annotator == annotator))
}

fn in_words(row: &LabelRow, text: &str, problems: &Problems) -> Result<String> {
    let told = match row.side {
        Side::Community => post_in_words(&serde_json::from_str::<PostAnswer>(&row.answer)?, text, problems),
        Side::Crm => note_in_words(&serde_json::from_str::<NoteAnswer>(&row.answer)?, text, problems),
    };
    Ok(told.into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(" · "))
}

fn sides(sample: &ToLabel, labelled: &BTreeSet<(Side, String)>) -> [SideProgress; 2] {
    [Side::Community, Side::Crm].map(|side| sample.progress(side, labelled))
}

/// A session when it ends.
struct Ending<'a> {
    sample: &'a ToLabel,
    tasks: &'a [Task],
    open: &'a [bool],
    walked: Walked,
    now: BTreeSet<(Side, String)>,
    side: Option<Side>,
}

impl Ending<'_> {
    /// What was done, what it is good for, and what twenty minutes more would buy.
    fn says(&self, double: Option<usize>, took: Duration, pace: Option<Duration>) -> String {
        let Walked { answered, skipped } = self.walked;
        let items = if answered == 1 { "1 item".to_owned() } else { format!("{answered} items") };
        let mut says = format!("You labelled {items} in {}", minutes(took).trim_start_matches("about "));
        if skipped > 0 {
            says += &format!(" and skipped {skipped}");
        }
        let left = self.open.iter().filter(|open| **open).count();
        if double.is_some() {
            says += &format!(
                "; {left} of {} are left. `candor label status` shows how far the annotators agree.",
                self.tasks.len()
            );
            return says;
        }
        let shown = [Side::Community, Side::Crm].into_iter().filter(|side| self.side.is_none_or(|only| only == *side));
        let shown = shown.filter(|side| self.sample.progress(*side, &self.now).drawn > 0).collect::<Vec<_>>();
        let complete = shown.iter().map(|side| {
            let progress = self.sample.progress(*side, &self.now);
            format!("{} of {} {}", progress.complete, progress.drawn, units(*side))
        });
        says += &format!("; {} are complete.", complete.collect::<Vec<_>>().join(" and "));
        let later = pace.filter(|_| left > 0).map(|pace| self.later(pace));
        for side in shown {
            let now = self.sample.progress(side, &self.now);
            let later = later.as_ref().map(|later| self.sample.progress(side, later));
            says += &format!("\n{}", outlook(side, now, later));
        }
        says
    }

    /// What would be labelled in twenty minutes more at this pace.
    fn later(&self, pace: Duration) -> BTreeSet<(Side, String)> {
        let items = (MORE.as_secs_f64() / pace.as_secs_f64().max(1.0)) as usize;
        let open = self.tasks.iter().zip(self.open).filter(|(_, open)| **open).take(items);
        let more = open.map(|(task, _)| (task.side, task.item.clone()));
        self.now.iter().cloned().chain(more).collect()
    }
}

fn units(side: Side) -> &'static str {
    match side {
        Side::Community => "people",
        Side::Crm => "accounts",
    }
}

/// What the labels of a side buy in `candor compare`, now and later (METHOD 4.4).
fn outlook(side: Side, now: SideProgress, later: Option<SideProgress>) -> String {
    let units = units(side);
    let points = |half: f64| format!("about ±{:.0} points", 100.0 * half);
    if (now.drawn as u64) < now.need {
        return format!(
            "`candor compare` needs {} {units} for an interval, and only {} are drawn: candor label draw --again --per-side {}",
            now.need, now.drawn, LABELS
        );
    }
    if now.used < now.need {
        let mut says = format!(
            "`candor compare` needs {} complete {units} for an interval ({}): {} more.",
            now.need,
            points(now.half_width),
            now.need - now.used
        );
        if let Some(later) = later {
            says += &format!(" 20 more minutes at this pace make it {}.", later.used);
        }
        return says;
    }
    let half = points(now.half_width);
    let mut says =
        format!("With {} complete `candor compare` gives shares of {units} an interval of {half}.", now.used);
    if let Some(later) = later.filter(|later| later.used > now.used) {
        let half = points(later.half_width);
        says += &format!(" 20 more minutes at this pace make it {half} with {}.", later.used);
    }
    says
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_tells_how_far_and_how_long() {
        let task = Task { side: Side::Community, item: "p".to_owned(), nth: 2, of: 3, done: false };
        assert_eq!(heading(&task, 11, 80, None, 69), "12 of 80 · post 2 of 3 of this person");
        let pace = Some(Duration::from_secs(16));
        let alone = Task { nth: 1, of: 1, ..task };
        assert_eq!(heading(&alone, 11, 80, pace, 69), "12 of 80 · about 18 minutes left");
    }

    #[test]
    fn the_outlook_says_what_is_missing_and_what_more_would_buy() {
        let now = SideProgress {
            drawn: 80,
            complete: 11,
            items: 200,
            labelled: 40,
            used: 11,
            need: 60,
            left: 120,
            minutes: 40,
            half_width: 0.083,
        };
        let later = SideProgress { used: 25, ..now };
        assert_eq!(
            outlook(Side::Community, now, Some(later)),
            "`candor compare` needs 60 complete people for an interval (about ±8 points): 49 more. 20 more minutes at this \
             pace make it 25."
        );
        let now = SideProgress { used: 62, ..now };
        let later = SideProgress { used: 75, half_width: 0.071, ..now };
        assert_eq!(
            outlook(Side::Crm, now, Some(later)),
            "With 62 complete `candor compare` gives shares of accounts an interval of about ±8 points. 20 more minutes at this \
             pace make it about ±7 points with 75."
        );
        assert!(!outlook(Side::Crm, now, Some(now)).contains("minutes"));
    }
}
