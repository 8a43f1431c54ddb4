//! The questions about a post and about a note (METHOD 1.1, 1.2, 2), and their answers in words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::explain;
use super::talk::{Leave, Talk, beginning, choices};
use crate::compare::labels::{ActWords, BACKING_LEVEL, NoteAnswer, PostAnswer, Words};
use crate::model::problem::OTHER;
use crate::model::{ActKind, Codebook, Fit, Span, Voice};
use crate::text::display;
use crate::text::locate::locate;

const VOICES: [(char, Voice, &str); 6] = [
    ('f', Voice::FirstHand, "first hand"),
    ('s', Voice::SecondHand, "second hand"),
    ('g', Voice::Generic, "generic"),
    ('h', Voice::Hypothetical, "hypothetical"),
    ('v', Voice::VendorOrPromo, "vendor or promotion"),
    ('u', Voice::Unclear, "unclear"),
];

const ACTS: [(char, ActKind, &str); 6] = [
    ('c', ActKind::Complaint, "complaint"),
    ('w', ActKind::FailedWorkaround, "failed workaround"),
    ('i', ActKind::Workaround, "workaround in use"),
    ('a', ActKind::Ask, "ask"),
    ('s', ActKind::Switch, "switch"),
    ('p', ActKind::Praise, "praise"),
];

const INTEREST: [&str; 5] = ["declined", "cool", "mild", "strong", "near-certain"];

const LEVELS: [&str; 6] = ["none", "undated intent", "dated time", "reputation", "costly trial", "money"];

/// Characters of a quote that an answer is told with.
const QUOTE: usize = 60;

/// The list of problems as it is shown.
pub(super) struct Problems {
    /// Ids, in the order of their numbers.
    ids: Vec<String>,
    names: BTreeMap<String, String>,
    /// Name and statement, without end.
    lines: Vec<String>,
    /// With all their lines.
    explained: String,
}

impl Problems {
    pub(super) fn new(codebook: &Codebook) -> Self {
        let mut problems = Self {
            ids: Vec::new(),
            names: BTreeMap::new(),
            lines: Vec::new(),
            explained: explain::PROBLEMS.to_owned(),
        };
        for (i, problem) in codebook.problems().iter().enumerate() {
            let name = display::plain(&problem.name);
            let statement = display::plain(&problem.statement);
            let number = i + 1;
            // Writing to a string cannot fail.
            let _ = writeln!(problems.explained, "{number} {name}: {statement}");
            for (what, lines) in [("Yes", &problem.include), ("No", &problem.exclude)] {
                for line in lines {
                    let _ = writeln!(problems.explained, "    {what}: {}", display::plain(line));
                }
            }
            problems.lines.push(format!("{number:>3} {name}: {statement}"));
            problems.ids.push(problem.id.as_str().to_owned());
            problems.names.insert(problem.id.as_str().to_owned(), name);
        }
        problems
    }

    fn name<'a>(&'a self, id: &'a str) -> &'a str {
        match id {
            OTHER => "another problem",
            id => self.names.get(id).map_or(id, String::as_str),
        }
    }

    fn names(&self, ids: &[String]) -> String {
        let names = ids.iter().map(|id| self.name(id)).collect::<Vec<_>>();
        if names.is_empty() { "no problem".to_owned() } else { names.join("; ") }
    }

    fn ask(&self, talk: &mut Talk<'_>) -> Result<Vec<String>, Leave> {
        let mut question = self.lines.iter().map(|line| beginning(line, talk.width())).collect::<Vec<_>>();
        question.push("Which problems does it tell of?".to_owned());
        question.push("  numbers · o another one · - none".to_owned());
        talk.ask(&question.join("\n"), &self.explained, |answer| self.parse(answer))
    }

    fn parse(&self, answer: &str) -> Result<Vec<String>, String> {
        if answer == "-" {
            return Ok(Vec::new());
        }
        let mut ids = Vec::new();
        for word in answer.split([' ', ',']).filter(|word| !word.is_empty()) {
            let number = word.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).and_then(|i| self.ids.get(i));
            let id = match word {
                "o" => OTHER,
                _ => number.ok_or_else(|| {
                    format!(
                        "“{}” is not on the list; numbers from 1 to {}, o or -.",
                        beginning(word, 20),
                        self.ids.len()
                    )
                })?,
            };
            if !ids.iter().any(|known| known == id) {
                ids.push(id.to_owned());
            }
        }
        if ids.is_empty() { Err("A number, o or -, please.".to_owned()) } else { Ok(ids) }
    }
}

/// Asks about a post.
pub(super) fn post(talk: &mut Talk<'_>, text: &str, problems: &Problems) -> Result<PostAnswer, Leave> {
    let list = VOICES.map(|(key, _, what)| (key.to_string(), what));
    let question = format!("Who speaks?\n{}", choices(&list, talk.width()));
    let voice = talk.ask(&question, explain::VOICE, |answer| key(&VOICES, answer))?;
    let (mut acts, mut named) = (Vec::new(), Vec::new());
    // The gate comes first: what fails it is excluded from all counts (METHOD 1.1).
    if matches!(voice, Voice::FirstHand | Voice::SecondHand) {
        let mut list = ACTS.map(|(key, _, what)| (key.to_string(), what)).to_vec();
        list.push(("-".to_owned(), "none"));
        let question = format!("Which acts? (several keys together, as in cw)\n{}", choices(&list, talk.width()));
        for act in talk.ask(&question, explain::ACTS, keys)? {
            let question = format!("The words of the {}? (first words ... last words; Enter: all)", act_name(act));
            let Words { start, end } = talk.ask(&question, explain::WORDS, |answer| match answer {
                "" => whole(text),
                words => find(text, words),
            })?;
            acts.push(ActWords { act, start, end });
        }
        named = problems.ask(talk)?;
    }
    Ok(PostAnswer { voice, problems: named, acts: Some(acts), contested: talk.contested() })
}

/// Asks about a note.
pub(super) fn note(talk: &mut Talk<'_>, text: &str, problems: &Problems) -> Result<NoteAnswer, Leave> {
    let level =
        |names: &[&'static str]| names.iter().enumerate().map(|(i, what)| (i.to_string(), *what)).collect::<Vec<_>>();
    let mut list = level(&INTEREST);
    list.push(("-".to_owned(), "claims nothing"));
    let question = format!("How interested is the buyer, by this note?\n{}", choices(&list, talk.width()));
    let interest = talk.ask(&question, explain::INTEREST, |answer| match answer {
        "-" => Ok(None),
        digit => rung(digit, INTEREST.len()).map(Some).map_err(|says| format!("{says}, or -.")),
    })?;
    let compliments = several(talk, text, "Compliments?", explain::COMPLIMENT)?;
    let fluff = several(talk, text, "Fluff?", explain::FLUFF)?;
    let named = problems.ask(talk)?;
    let question = format!(
        "The buyer's highest commitment that was kept, and vouched for by more than the rep?\n{}",
        choices(&level(&LEVELS), talk.width())
    );
    let level = talk.ask(&question, explain::LEVEL, |answer| rung(answer, LEVELS.len()).map_err(|says| says + "."))?;
    let list = [("y".to_owned(), "yes"), ("n".to_owned(), "no")];
    let question = format!("Did we ask the buyer for something?\n{}", choices(&list, talk.width()));
    let asked = talk.ask(&question, explain::ASKED, |answer| match answer {
        "y" => Ok(true),
        "n" => Ok(false),
        _ => Err("y or n, please.".to_owned()),
    })?;
    Ok(NoteAnswer {
        problems: named,
        interest,
        backed: level >= BACKING_LEVEL,
        asked,
        level: Some(level),
        compliments: Some(compliments),
        fluff: Some(fluff),
        contested: talk.contested(),
    })
}

/// Asks for words until there are no more.
fn several(talk: &mut Talk<'_>, text: &str, what: &str, explain: &str) -> Result<Vec<Words>, Leave> {
    let mut all = Vec::new();
    let mut question = format!("{what} (the words; Enter: none)");
    loop {
        let words = talk.ask(&question, explain, |answer| match answer {
            "" | "-" => Ok(None),
            words => find(text, words).map(Some),
        })?;
        match words {
            None => return Ok(all),
            Some(words) => all.push(words),
        }
        question = "More? (the words; Enter: no)".to_owned();
    }
}

fn key<T: Copy>(of: &[(char, T, &str)], answer: &str) -> Result<T, String> {
    let mut letters = answer.chars();
    let letter = letters.next().filter(|_| letters.next().is_none());
    let known = of.iter().find(|(key, ..)| letter == Some(*key)).map(|(_, value, _)| *value);
    known.ok_or_else(|| {
        let keys = of.iter().map(|(key, ..)| key.to_string()).collect::<Vec<_>>();
        format!("One of {}, please; ? explains.", keys.join(" "))
    })
}

/// The acts of several keys, in METHOD's order.
fn keys(answer: &str) -> Result<Vec<ActKind>, String> {
    if answer == "-" {
        return Ok(Vec::new());
    }
    let letters = answer.chars().filter(|c| !matches!(c, ' ' | ',')).collect::<Vec<_>>();
    let unknown = letters.iter().any(|letter| ACTS.iter().all(|(key, ..)| key != letter));
    if letters.is_empty() || unknown {
        return Err("Some of c w i a s p, or - for none, please; ? explains.".to_owned());
    }
    Ok(ACTS.iter().filter(|(key, ..)| letters.contains(key)).map(|(_, act, _)| *act).collect())
}

fn rung(answer: &str, of: usize) -> Result<u8, String> {
    let level = answer.parse::<u8>().ok().filter(|level| usize::from(*level) < of);
    level.ok_or_else(|| format!("A number from 0 to {}", of - 1))
}

fn whole(text: &str) -> Result<Words, String> {
    let span = Span::trimmed(text, 0..text.len()).ok_or("The text is empty; k skips it.")?;
    Ok(Words { start: span.start(), end: span.end() })
}

/// Where `words` stand in `text`: as typed but for white space and case, or from the first to the last words around `...`.
fn find(text: &str, words: &str) -> Result<Words, String> {
    let place = |within: &str, words: &str| {
        let (span, fit) = locate(within, words)?;
        (fit != Fit::Fuzzy).then_some(span)
    };
    if let Some(span) = place(text, words) {
        return Ok(Words { start: span.start(), end: span.end() });
    }
    let between = words.split_once("...").or_else(|| words.split_once('…'));
    let found = between.and_then(|(first, last)| {
        let first = place(text, first)?;
        let last = place(&text[first.end()..], last)?;
        Some(Words { start: first.start(), end: first.end() + last.end() })
    });
    found.ok_or_else(|| {
        "These words are not in the text. Copy them as they stand there, or type the first and the last ones with ... between."
            .to_owned()
    })
}

fn act_name(act: ActKind) -> &'static str {
    ACTS.iter().find(|(_, kind, _)| *kind == act).map_or(act.as_str(), |(.., name)| name)
}

fn words(text: &str, words: Words) -> String {
    format!("“{}”", beginning(text.get(words.start..words.end).unwrap_or("?"), QUOTE))
}

/// An answer about a post, in words by question.
pub(super) fn post_in_words(answer: &PostAnswer, text: &str, problems: &Problems) -> Vec<(&'static str, String)> {
    let voice = VOICES.iter().find(|(_, voice, _)| *voice == answer.voice).map_or("?", |(.., name)| name);
    let acts = answer.acts.iter().flatten();
    let acts = acts
        .map(|a| format!("{} {}", act_name(a.act), words(text, Words { start: a.start, end: a.end })))
        .collect::<Vec<_>>();
    let mut told = vec![("voice", voice.to_owned())];
    if answer.acts.is_some() {
        told.push(("acts", if acts.is_empty() { "no act".to_owned() } else { acts.join("; ") }));
    }
    told.push(("problems", problems.names(&answer.problems)));
    if answer.contested {
        told.push(("contested", "contested".to_owned()));
    }
    told
}

/// An answer about a note, in words by question.
pub(super) fn note_in_words(answer: &NoteAnswer, text: &str, problems: &Problems) -> Vec<(&'static str, String)> {
    let interest = answer.interest.map_or("claims no interest".to_owned(), |level| {
        format!("interest {level} {}", INTEREST.get(usize::from(level)).unwrap_or(&"?"))
    });
    let mut told = vec![("interest", interest)];
    for (what, list) in [("compliments", &answer.compliments), ("fluff", &answer.fluff)] {
        let quotes = list.iter().flatten().map(|w| words(text, *w)).collect::<Vec<_>>();
        if !quotes.is_empty() {
            told.push((what, format!("{what} {}", quotes.join("; "))));
        }
    }
    told.push(("problems", problems.names(&answer.problems)));
    let commitment = match answer.level {
        Some(level) => format!("commitment {level} {}", LEVELS.get(usize::from(level)).unwrap_or(&"?")),
        None if answer.backed => "commitment of 2 or more".to_owned(),
        None => "no commitment of 2 or more".to_owned(),
    };
    told.push(("commitment", commitment));
    told.push(("asked", if answer.asked { "we asked" } else { "we did not ask" }.to_owned()));
    if answer.contested {
        told.push(("contested", "contested".to_owned()));
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Problem, ProblemId};

    const TEXT: &str = "The sync dropped rows again.\n\nWe scripted it in Zapier, broke twice.";

    fn problems() -> Problems {
        let problem = |id: &str, name: &str| Problem {
            id: ProblemId::new(id),
            name: name.to_owned(),
            statement: "Somebody somewhere cannot do something".to_owned(),
            terms: Vec::new(),
            include: vec!["it is so".to_owned()],
            exclude: Vec::new(),
            by_hand: true,
            composed: false,
        };
        Problems::new(&Codebook::new("hand", vec![problem("b_sync", "Rows lost"), problem("a_slow", "Slow")]))
    }

    fn told<T>(lines: &str, ask: impl Fn(&mut Talk<'_>) -> Result<T, Leave>) -> (Result<T, Leave>, String) {
        let (mut input, mut out) = (lines.as_bytes(), Vec::new());
        let answer = ask(&mut Talk::new(&mut input, &mut out, 80, true));
        (answer, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_post_is_asked_about() {
        let problems = problems();
        let ask = |talk: &mut Talk<'_>| post(talk, TEXT, &problems);
        let lines = "x\nf\nwc\nthe sync lost rows\nthe sync dropped  rows\nzapier ... twice\n9\n2 o 2\n";
        let (answer, said) = told(lines, ask);
        let answer = answer.unwrap();
        let quote = |i: usize| {
            let act = answer.acts.as_ref().unwrap()[i];
            (act.act, &TEXT[act.start..act.end])
        };
        assert_eq!(quote(0), (ActKind::Complaint, "The sync dropped rows"));
        assert_eq!(quote(1), (ActKind::FailedWorkaround, "Zapier, broke twice"));
        assert_eq!(
            (answer.voice, &answer.problems[..]),
            (Voice::FirstHand, &["b_sync".to_owned(), "other".to_owned()][..])
        );
        for says in ["One of f s g h v u", "not in the text", "“9” is not on the list", "  2 Rows lost: Somebody"] {
            assert!(said.contains(says), "{says}: {said}");
        }
        assert!(said.lines().all(|l| l.chars().count() <= 80), "{said}");
        let words = post_in_words(&answer, TEXT, &problems);
        assert_eq!(words[2], ("problems", "Rows lost; another problem".to_owned()));
    }

    #[test]
    fn what_does_not_pass_the_gate_is_asked_nothing_more() {
        let (answer, _) = told("g\n", |talk| post(talk, TEXT, &problems()));
        let expected = PostAnswer { voice: Voice::Generic, problems: vec![], acts: Some(vec![]), contested: false };
        assert_eq!(answer.unwrap(), expected);
        let (answer, _) = told("s\n!\n-\n-\n", |talk| post(talk, TEXT, &problems()));
        assert!(answer.unwrap().contested);
    }

    #[test]
    fn a_note_is_asked_about() {
        let text = "Loved the demo. Would definitely buy next quarter.";
        let problems = problems();
        let lines = "5\n3\nloved the demo\n\nwould definitely buy\nnext quarter\n\n-\n2\nmaybe\nn\n";
        let (answer, said) = told(lines, |talk| note(talk, text, &problems));
        let answer = answer.unwrap();
        assert_eq!((answer.interest, answer.backed, answer.asked, answer.level), (Some(3), true, false, Some(2)));
        assert_eq!(answer.compliments, Some(vec![Words { start: 0, end: 14 }]));
        assert_eq!(answer.fluff.as_ref().unwrap().len(), 2);
        assert!(said.contains("A number from 0 to 4, or -.") && said.contains("y or n"), "{said}");
        let words = note_in_words(&answer, text, &problems);
        assert_eq!(words[0].1, "interest 3 strong");
        assert_eq!(words[1].1, "compliments “Loved the demo”");
    }

    #[test]
    fn enter_takes_the_whole_text_and_questions_explain_themselves() {
        let problems = problems();
        let (answer, said) = told("?\nf\n?\np\n?\n\n?\n-\n", |talk| post(talk, TEXT, &problems));
        let acts = answer.unwrap().acts.unwrap();
        assert_eq!((acts[0].start, acts[0].end), (0, TEXT.len()));
        for says in ["“people hate it”", "“cut close from 5 days to 1”", "words that perform the act", "Yes: it is so"]
        {
            assert!(said.contains(says), "{says}: {said}");
        }
        assert!(said.lines().all(|l| l.chars().count() <= 80), "{said}");
    }
}
