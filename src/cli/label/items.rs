//! Items on the screen, one after the other. Nothing of them is shown but their words and what stands before them: not who
//! wrote them, not where, not what the machine made of them (METHOD 1.5).

use std::io::{self, IsTerminal as _, StdinLock, Write};
use std::time::Instant;

use anyhow::{Context as _, Result};

use super::questions::Problems;
use super::talk::{Leave, Talk, beginning, quoted};
use crate::app::App;
use crate::cli::output::{Output, terminal_width};
use crate::store::{ItemInContext, Side};
use crate::text::display;

/// Characters of the post before.
const BEFORE: usize = 300;

/// Where answers come from and where the conversation goes: to standard error when standard output is for machines.
pub(super) struct Terminal {
    input: StdinLock<'static>,
    screen: Box<dyn Write>,
}

impl Terminal {
    pub(super) fn new(out: &Output) -> Self {
        let screen: Box<dyn Write> = if out.json() { Box::new(io::stderr()) } else { Box::new(io::stdout()) };
        Self { input: io::stdin().lock(), screen }
    }

    pub(super) fn talk(&mut self) -> Talk<'_> {
        let echo = !self.input.is_terminal();
        Talk::new(&mut self.input, &mut self.screen, terminal_width(), echo)
    }
}

/// The list of problems that is labelled by.
pub(super) async fn problems(app: &App) -> Result<Problems> {
    let codebook = app.store.codebook().await?;
    let (codebook, _) = codebook.context("there is no list of problems to label by yet; run `candor group` first")?;
    Ok(Problems::new(&codebook))
}

/// How many items were gone through, and how.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Answered for the first time.
    pub(super) answered: usize,
    /// Left without an answer.
    pub(super) skipped: usize,
}

/// Asks for one item after the other, beginning with the first that is open. `open` says of each whether it still needs an
/// answer; `ask` is told which one it is and how many are open. Going back leads to any item, also one that has its answer.
pub(super) async fn walk<'a>(
    talk: &mut Talk<'a>,
    open: &mut [bool],
    mut ask: impl AsyncFnMut(&mut Talk<'a>, usize, usize) -> Result<(), Leave>,
) -> Result<Walked> {
    let mut walked = Walked::default();
    let Some(mut at) = open.iter().position(|open| *open) else { return Ok(walked) };
    loop {
        let began = Instant::now();
        let left = open.iter().filter(|open| **open).count();
        match ask(talk, at, left).await {
            Ok(()) => {
                walked.answered += usize::from(std::mem::replace(&mut open[at], false));
                talk.took(began.elapsed());
            }
            Err(Leave::Skip) => walked.skipped += usize::from(open[at]),
            Err(Leave::Back) => {
                match at.checked_sub(1) {
                    Some(before) => at = before,
                    None => talk.say("This is the first one.")?,
                }
                continue;
            }
            Err(Leave::Quit) => break,
            Err(Leave::Failed(error)) => return Err(error),
        }
        match open[at + 1..].iter().position(|open| *open) {
            Some(next) => at += 1 + next,
            None => break,
        }
    }
    Ok(walked)
}

/// Shows an item under `heading` and gives its text; `None` when it is no longer in the store.
pub(super) async fn show(
    talk: &mut Talk<'_>,
    app: &App,
    (side, item): (Side, &str),
    heading: &str,
) -> Result<Option<String>, Leave> {
    let Some(item) = app.store.item_in_context(side, item).await? else { return Ok(None) };
    let rule = "─".repeat(talk.width());
    talk.say(&format!("{rule}\n{heading}"))?;
    talk.show(shown(side, &item))?;
    Ok(Some(item.text))
}

fn shown(side: Side, item: &ItemInContext) -> String {
    let mut text = String::new();
    let heading = display::plain(&item.heading);
    match side {
        Side::Crm => text.push_str(&format!("Kind of record: {heading}\n")),
        Side::Community if heading.trim().is_empty() => {}
        Side::Community => text.push_str(&format!("Thread: {heading}\n")),
    }
    if let Some(before) = &item.before {
        text.push_str(&format!("Before it:\n{}\n", quoted(&beginning(before, BEFORE), "  │ ")));
    }
    text.push_str(&format!("\n{}\n", quoted(&item.text, "  ")));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn going_back_leads_anywhere_and_on_to_what_is_open() {
        let (mut input, mut out) = ("".as_bytes(), Vec::new());
        let mut talk = Talk::new(&mut input, &mut out, 80, false);
        let mut open = [false, true, true, false, true, true];
        // At 1 back to 0, which has its answer; then on, skip 2, back from 4 to 3, then 4, and quit at 5.
        let mut steps =
            vec![(1, "b"), (0, "a"), (1, "a"), (2, "k"), (4, "b"), (3, "a"), (4, "a"), (5, "q")].into_iter();
        let walked = walk(&mut talk, &mut open, async |_: &mut Talk<'_>, at, _| {
            let (expected, does) = steps.next().expect("a step");
            assert_eq!(at, expected);
            match does {
                "a" => Ok(()),
                "b" => Err(Leave::Back),
                "k" => Err(Leave::Skip),
                _ => Err(Leave::Quit),
            }
        })
        .await
        .unwrap();
        assert_eq!((walked.answered, walked.skipped), (2, 1));
        assert_eq!(open, [false, false, true, false, false, true]);
    }

    #[test]
    fn an_item_is_shown_with_what_stands_before_it() {
        let post = ItemInContext {
            heading: "Why\x1b[2J?".to_owned(),
            before: Some("What do you use?".to_owned()),
            text: "We do it\n\nby hand.".to_owned(),
        };
        assert_eq!(
            shown(Side::Community, &post),
            "Thread: Why[2J?\nBefore it:\n  │ What do you use?\n\n  We do it\n  \n  by hand.\n"
        );
        let note = ItemInContext { heading: "call".to_owned(), before: None, text: "ok".to_owned() };
        assert_eq!(shown(Side::Crm, &note), "Kind of record: call\n\n  ok\n");
    }
}
