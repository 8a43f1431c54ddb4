//! A conversation in lines: questions on one stream, answers on another. No raw mode, so it works over ssh and through a pipe.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use crate::text::display;

/// Wider text is hard to read, and narrower not readable.
const WIDEST: usize = 100;
const NARROWEST: usize = 20;

/// Answers before a forecast of the time that is left.
const FORECAST_FROM: usize = 3;

pub(super) const KEYS: &str = "Type a key and then Enter. At every question: ? explains it · ! marks the item as contested · b back · k skip · t the text again · q quit.";

/// Why a question was not answered.
#[derive(Debug)]
pub(super) enum Leave {
    /// Back to where one was before.
    Back,
    /// On to the next item, without an answer.
    Skip,
    /// The end, by q or because nobody answers any more.
    Quit,
    /// It could not be asked, or the answer not be kept.
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Leave {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<io::Error> for Leave {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.into())
    }
}

pub(super) struct Talk<'a> {
    input: &'a mut dyn BufRead,
    out: &'a mut dyn Write,
    width: usize,
    /// Answers do not stand on the screen by themselves, as when they come through a pipe.
    echo: bool,
    /// The item as it was shown.
    item: String,
    contested: bool,
    /// Questions answered about the item.
    answered: usize,
    /// How long each item took.
    times: Vec<Duration>,
}

impl<'a> Talk<'a> {
    pub(super) fn new(input: &'a mut dyn BufRead, out: &'a mut dyn Write, width: usize, echo: bool) -> Self {
        let width = width.clamp(NARROWEST, WIDEST);
        Self { input, out, width, echo, item: String::new(), contested: false, answered: 0, times: Vec::new() }
    }

    /// Says some lines, each broken at the width and indented like its beginning. An end of line at the end leaves a line empty.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        for line in text.split('\n') {
            writeln!(self.out, "{}", folded(line, self.width))?;
        }
        Ok(())
    }

    /// Columns of a line.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Begins an item: `shown` is what is said now and on request.
    pub(super) fn show(&mut self, shown: String) -> io::Result<()> {
        self.say(&shown)?;
        self.item = shown;
        Ok(())
    }

    /// Asks everything about the item that was shown. Going back amid the questions begins them again.
    pub(super) fn questions<T>(&mut self, mut ask: impl FnMut(&mut Self) -> Result<T, Leave>) -> Result<T, Leave> {
        loop {
            self.answered = 0;
            self.contested = false;
            match ask(self) {
                Err(Leave::Back) if self.answered > 0 => self.say("From its first question on:")?,
                done => return done,
            }
        }
    }

    /// Asks until the answer is understood. `explain` is shown on request; the error of `parse` says what is wrong.
    pub(super) fn ask<T>(
        &mut self,
        question: &str,
        explain: &str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, Leave> {
        if self.answered > 0 {
            writeln!(self.out)?;
        }
        self.say(question)?;
        loop {
            write!(self.out, "> ")?;
            self.out.flush()?;
            let mut line = Vec::new();
            if self.input.read_until(b'\n', &mut line)? == 0 {
                writeln!(self.out)?;
                return Err(Leave::Quit);
            }
            let line = String::from_utf8_lossy(&line);
            if self.echo {
                writeln!(self.out, "{}", folded(&display::plain(line.trim()), self.width - 2))?;
            }
            match line.trim() {
                "b" => return Err(Leave::Back),
                "k" => return Err(Leave::Skip),
                "q" => return Err(Leave::Quit),
                "?" => {
                    self.say(&format!("{explain}\n{question}"))?;
                }
                "t" => {
                    let item = std::mem::take(&mut self.item);
                    self.show(item)?;
                    self.say(question)?;
                }
                "!" => {
                    self.contested = !self.contested;
                    self.say(if self.contested {
                        "Marked as contested; your answer is kept with it."
                    } else {
                        "Not contested any more."
                    })?;
                }
                answer => match parse(answer) {
                    Ok(answer) => {
                        self.answered += 1;
                        return Ok(answer);
                    }
                    Err(wrong) => self.say(&wrong)?,
                },
            }
        }
    }

    /// Whether the item was marked as contested.
    pub(super) fn contested(&self) -> bool {
        self.contested
    }

    pub(super) fn took(&mut self, time: Duration) {
        self.times.push(time);
    }

    /// What an item takes: the middle one of all, so that a cup of coffee does not count. `None` after too few.
    pub(super) fn pace(&self) -> Option<Duration> {
        let mut times = self.times.clone();
        times.sort();
        (times.len() >= FORECAST_FROM).then(|| times[times.len() / 2])
    }
}

/// A line broken at `width`. What is left of its first word is repeated before the others.
fn folded(line: &str, width: usize) -> String {
    let start = line.find(|c| !matches!(c, ' ' | '│')).unwrap_or(0);
    let (indent, text) = line.split_at(start);
    let options = textwrap::Options::new(width).initial_indent(indent).subsequent_indent(indent);
    textwrap::fill(text, options).trim_end().to_owned()
}

/// Text of others, line by line, each begun with `indent`; of several empty lines one stays.
pub(super) fn quoted(text: &str, indent: &str) -> String {
    let mut lines = text.lines().map(|line| display::plain(line).trim().to_owned()).collect::<Vec<_>>();
    lines.dedup_by(|next, line| next.is_empty() && line.is_empty());
    lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}

/// `f first hand · s second hand`, in lines that keep each choice together.
pub(super) fn choices(choices: &[(String, &str)], width: usize) -> String {
    let together = |(key, what): &(String, &str)| format!("{key} {what}").replace(' ', "\u{a0}");
    let text = choices.iter().map(together).collect::<Vec<_>>().join(" · ");
    textwrap::fill(&text, textwrap::Options::new(width).initial_indent("  ").subsequent_indent("  "))
        .replace('\u{a0}', " ")
}

/// The beginning of a text in at most `most` characters.
pub(super) fn beginning(text: &str, most: usize) -> String {
    let text = display::plain(text);
    match text.char_indices().nth(most) {
        None => text,
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

/// `about 18 minutes`; never none.
pub(super) fn minutes(time: Duration) -> String {
    match (time.as_secs_f64() / 60.0).round() as u64 {
        0 | 1 => "about 1 minute".to_owned(),
        n => format!("about {n} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_indentation() {
        assert_eq!(folded("  one two three", 10), "  one two\n  three");
        assert_eq!(folded("  │ one two", 8), "  │ one\n  │ two");
        assert_eq!(folded("", 10), "");
        let list = [("f".to_owned(), "first hand"), ("s".to_owned(), "second hand")];
        assert_eq!(choices(&list, 20), "  f first hand ·\n  s second hand");
        assert_eq!(quoted("a\x1b[1m\n \n\n b", "  "), "  a[1m\n  \n  b");
        assert_eq!((beginning("four", 4), beginning("fives", 4)), ("four".to_owned(), "fiv…".to_owned()));
    }

    #[test]
    fn a_question_is_asked_until_it_is_understood() {
        let mut out = Vec::new();
        let mut input = "x\n?\n!\n7\n".as_bytes();
        let mut talk = Talk::new(&mut input, &mut out, 80, false);
        let number = |line: &str| line.parse::<u8>().map_err(|_| "a number, please".to_owned());
        assert_eq!(talk.ask("How many?", "Count them.\n", number).unwrap(), 7);
        assert!(talk.contested());
        assert!(matches!(talk.ask("How many?", "", number), Err(Leave::Quit)), "nobody answers any more");
        let said = String::from_utf8(out).unwrap();
        assert_eq!(
            said,
            "How many?\n> a number, please\n> Count them.\n\nHow many?\n> Marked as contested; your answer is kept with it.\n> \nHow many?\n> \n"
        );
    }

    #[test]
    fn back_amid_the_questions_begins_them_again_and_before_them_leaves() {
        let mut out = Vec::new();
        let mut input = "1\nb\n2\n3\nb\n".as_bytes();
        let mut talk = Talk::new(&mut input, &mut out, 80, false);
        let mut both = |talk: &mut Talk<'_>| -> Result<(u8, u8), Leave> {
            let number = |line: &str| line.parse::<u8>().map_err(|e| e.to_string());
            Ok((talk.ask("a", "", number)?, talk.ask("b", "", number)?))
        };
        assert_eq!(talk.questions(&mut both).unwrap(), (2, 3));
        assert!(matches!(talk.questions(&mut both), Err(Leave::Back)));
    }

    #[test]
    fn the_pace_is_the_middle_one() {
        let (mut input, mut out) = ("".as_bytes(), Vec::new());
        let mut talk = Talk::new(&mut input, &mut out, 80, false);
        for seconds in [30, 3000, 40] {
            assert_eq!(talk.pace(), None);
            talk.took(Duration::from_secs(seconds));
        }
        assert_eq!(talk.pace(), Some(Duration::from_secs(40)));
        assert_eq!(minutes(Duration::from_secs(40 * 27)), "about 18 minutes");
        assert_eq!(minutes(Duration::ZERO), "about 1 minute");
    }
}
