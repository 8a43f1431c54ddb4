//! What several people say of one item, as one answer; and as another, where it can be read otherwise (METHOD 4.4, 8.2.6).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{ADJUDICATOR, Answer, NoteAnswer, PostAnswer, answers, contested};
use crate::store::{LabelRow, Side};

/// How labels are read where they can be read in several ways.
#[derive(Debug, Clone, Copy)]
pub enum Stance<'a> {
    /// What more than half of the annotators say, or the adjudicator. The only one that a number is printed by.
    Joined,
    /// As `Joined`, but “no” to what is contested: to every question of an item that somebody marked, and where annotators
    /// disagree, to what they disagree on.
    No,
    /// The same with “yes”; these are all problems there are.
    Yes(&'a [&'a str]),
    /// The word of this annotator wherever there is one, even against the adjudicator's; elsewhere as `Joined`.
    Of(&'a str),
}

/// What all annotators together say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Labels {
    /// By post id: the problems its author lives with, by that post.
    pub posts: BTreeMap<String, BTreeSet<String>>,
    /// By note id.
    pub notes: BTreeMap<String, NoteAnswer>,
    /// Questions on which as many annotators said yes as no; they count as no.
    pub ties: usize,
    /// Posts and notes that are contested.
    pub contested: BTreeSet<(Side, String)>,
}

/// Which answers to an item count, and how.
enum Said<'a, A> {
    /// More than half of these.
    Majority(Vec<&'a A>),
    /// Any of these, or all of these.
    Any(Vec<&'a A>),
    All(Vec<&'a A>),
    /// Yes or no to everything.
    Everything,
    Nothing,
}

impl<'a, A: Answer> Said<'a, A> {
    fn of(answers: &'a [(String, A)], stance: Stance<'_>) -> Self {
        let by = |wanted: &str| answers.iter().find(|(who, _)| who == wanted).map(|(_, answer)| answer);
        let marked = answers.iter().any(|(_, answer)| answer.contested());
        let doubted = contested(answers);
        let all = || answers.iter().map(|(_, answer)| answer).collect::<Vec<_>>();
        match stance {
            Stance::Of(annotator) if by(annotator).is_some() => Self::Majority(by(annotator).into_iter().collect()),
            Stance::No if marked => Self::Nothing,
            Stance::Yes(_) if marked => Self::Everything,
            Stance::No if doubted => Self::All(all()),
            Stance::Yes(_) if doubted => Self::Any(all()),
            // The adjudicator's answer stands alone.
            _ => Self::Majority(by(ADJUDICATOR).map_or_else(all, |answer| vec![answer])),
        }
    }
}

impl Labels {
    /// Joins the answers of all annotators; of interest levels the middle one (the lower of two middle ones, null below 0).
    ///
    /// # Errors
    /// When a stored answer has lost its form.
    pub fn join(rows: &[LabelRow], stance: Stance<'_>) -> Result<Self> {
        let mut labels = Self::default();
        let problems: &[&str] = if let Stance::Yes(problems) = stance { problems } else { &[] };
        let problems = problems.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
        for (item, answers) in answers::<PostAnswer>(rows)? {
            if contested(&answers) {
                labels.contested.insert((Side::Community, item.clone()));
            }
            let named = labels.problems(&Said::of(&answers, stance), PostAnswer::counted, &problems);
            labels.posts.insert(item, named);
        }
        for (item, answers) in answers::<NoteAnswer>(rows)? {
            if contested(&answers) {
                labels.contested.insert((Side::Crm, item.clone()));
            }
            let said = Said::of(&answers, stance);
            let named = labels.problems(&said, |answer| &answer.problems, &problems).into_iter().collect();
            let answer = NoteAnswer {
                problems: named,
                interest: interest(&said),
                backed: labels.yes(&said, |answer| answer.backed),
                asked: labels.yes(&said, |answer| answer.asked),
                ..NoteAnswer::default()
            };
            labels.notes.insert(item, answer);
        }
        Ok(labels)
    }

    /// The annotators who answered anything, but for the adjudicator, by name.
    pub fn annotators(rows: &[LabelRow]) -> BTreeSet<&str> {
        rows.iter().map(|row| row.annotator.as_str()).filter(|who| *who != ADJUDICATOR).collect()
    }

    /// The posts and the notes that are read otherwise in `other`.
    pub fn apart(&self, other: &Self) -> [BTreeSet<&str>; 2] {
        let posts = self.posts.iter().filter(|(id, named)| other.posts.get(*id) != Some(named)).map(|(id, _)| id);
        let notes = self.notes.iter().filter(|(id, said)| other.notes.get(*id) != Some(said)).map(|(id, _)| id);
        [posts.map(String::as_str).collect(), notes.map(String::as_str).collect()]
    }

    /// Which problems are named; `every` are all there are.
    fn problems<A>(
        &mut self,
        said: &Said<'_, A>,
        of: impl Fn(&A) -> &[String],
        every: &BTreeSet<String>,
    ) -> BTreeSet<String> {
        let answers: &[&A] = match said {
            Said::Everything => return every.clone(),
            Said::Nothing => return BTreeSet::new(),
            Said::Majority(answers) | Said::Any(answers) | Said::All(answers) => answers,
        };
        let named = answers.iter().flat_map(|answer| of(answer)).collect::<BTreeSet<_>>();
        named.into_iter().filter(|id| self.yes(said, |answer| of(answer).contains(id))).cloned().collect()
    }

    /// Whether the answer to a question is yes.
    fn yes<A>(&mut self, said: &Said<'_, A>, of: impl Fn(&A) -> bool) -> bool {
        match said {
            Said::Everything => true,
            Said::Nothing => false,
            Said::Any(answers) => answers.iter().any(|answer| of(answer)),
            Said::All(answers) => answers.iter().all(|answer| of(answer)),
            Said::Majority(answers) => {
                let yes = answers.iter().filter(|answer| of(answer)).count();
                self.ties += usize::from(2 * yes == answers.len());
                2 * yes > answers.len()
            }
        }
    }
}

/// The most that can be claimed.
const CERTAIN: u8 = 4;

fn interest(said: &Said<'_, NoteAnswer>) -> Option<u8> {
    let levels = |answers: &[&NoteAnswer]| {
        let mut levels = answers.iter().map(|answer| answer.interest).collect::<Vec<_>>();
        levels.sort_unstable();
        levels
    };
    match said {
        Said::Everything => Some(CERTAIN),
        Said::Nothing => None,
        Said::Any(answers) => levels(answers).last().copied().flatten(),
        Said::All(answers) => levels(answers).first().copied().flatten(),
        Said::Majority(answers) => {
            let levels = levels(answers);
            levels.get(levels.len().saturating_sub(1) / 2).copied().flatten()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(side: Side, item: &str, annotator: &str, answer: &str) -> LabelRow {
        LabelRow { side, item: item.into(), annotator: annotator.into(), answer: answer.into() }
    }

    #[test]
    fn annotators_are_joined_by_majority() {
        let post = |who: &str, voice: &str, problems: &str| {
            row(Side::Community, "p", who, &format!(r#"{{"voice":"{voice}","problems":{problems}}}"#))
        };
        let note = |who: &str, interest: &str, backed: bool| {
            let answer = format!(r#"{{"problems":[],"interest":{interest},"backed":{backed},"asked":false}}"#);
            row(Side::Crm, "n", who, &answer)
        };
        let labels = Labels::join(
            &[
                post("a", "first_hand", r#"["x","y"]"#),
                post("b", "first_hand", r#"["x"]"#),
                post("c", "generic", r#"["x","z"]"#),
                note("a", "4", true),
                note("b", "null", false),
            ],
            Stance::Joined,
        )
        .unwrap();
        assert_eq!(labels.posts["p"].iter().collect::<Vec<_>>(), ["x"], "a post that is not first hand has no say");
        assert_eq!(labels.notes["n"].interest, None);
        assert!(!labels.notes["n"].backed, "a tie is a no");
        assert_eq!(labels.ties, 1);
    }

    #[test]
    fn the_adjudicator_stands_and_what_is_contested_stays_so() {
        let said = |answers: &[(&str, &str, &str)]| {
            let rows = answers.iter().map(|(who, problems, more)| {
                row(Side::Community, "p", who, &format!(r#"{{"voice":"first_hand","problems":{problems}{more}}}"#))
            });
            let labels = Labels::join(&rows.collect::<Vec<_>>(), Stance::Joined).unwrap();
            let problems = labels.posts["p"].iter().cloned().collect::<Vec<_>>().join(" ");
            (problems, labels.ties, labels.contested.len())
        };
        let (x, y) = (r#"["x"]"#, r#"["y"]"#);
        assert_eq!(said(&[("a", x, ""), ("b", y, "")]), (String::new(), 2, 1));
        assert_eq!(said(&[("a", x, ""), (ADJUDICATOR, y, ""), ("b", y, "")]), ("y".to_owned(), 0, 0));
        let marked = r#","contested":true"#;
        assert_eq!(said(&[("a", x, marked), (ADJUDICATOR, x, ""), ("b", y, "")]), ("x".to_owned(), 0, 1));
        let acts = r#","acts":[]"#;
        let complains = r#","acts":[{"act":"complaint","start":0,"end":3}]"#;
        assert_eq!(said(&[("a", x, acts), ("b", x, complains)]).2, 1);
        assert_eq!(said(&[("a", x, acts), ("b", x, "")]).2, 0, "who was not asked for acts does not disagree on them");
    }

    #[test]
    fn what_is_contested_is_read_both_ways_and_what_is_not_stays() {
        let post = |item: &str, who: &str, problems: &str, more: &str| {
            row(Side::Community, item, who, &format!(r#"{{"voice":"first_hand","problems":{problems}{more}}}"#))
        };
        let note = |item: &str, who: &str, interest: u8, backed: bool| {
            let answer = format!(r#"{{"problems":["x"],"interest":{interest},"backed":{backed},"asked":true}}"#);
            row(Side::Crm, item, who, &answer)
        };
        let rows = [
            post("agreed", "a", r#"["x"]"#, ""),
            post("apart", "a", r#"["x","y"]"#, ""),
            post("apart", "b", r#"["x"]"#, ""),
            post("marked", "a", r#"["x"]"#, r#","contested":true"#),
            post("settled", "a", r#"["x"]"#, ""),
            post("settled", "b", "[]", ""),
            post("settled", ADJUDICATOR, "[]", ""),
            note("n", "a", 4, true),
            note("n", "b", 1, false),
        ];
        let read = |stance| Labels::join(&rows, stance).unwrap();
        let posts = |stance| {
            let labels = read(stance);
            ["agreed", "apart", "marked", "settled"]
                .map(|id| labels.posts[id].iter().cloned().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(posts(Stance::Joined), ["x", "x", "x", ""]);
        assert_eq!(posts(Stance::No), ["x", "x", "", ""]);
        assert_eq!(posts(Stance::Yes(&["x", "y", "z"])), ["x", "x y", "x y z", ""]);
        assert_eq!(posts(Stance::Of("a")), ["x", "x y", "x", "x"], "even against the adjudicator");
        assert_eq!(posts(Stance::Of("b")), ["x", "x", "x", ""], "others where b said nothing");
        let notes = [Stance::Joined, Stance::No, Stance::Yes(&[]), Stance::Of("b")].map(|stance| {
            let note = read(stance).notes.remove("n").unwrap();
            (note.interest, note.backed, note.asked)
        });
        let [joined, no, yes, b] = notes;
        assert_eq!((joined, no), ((Some(1), false, true), (Some(1), false, true)));
        assert_eq!((yes, b), ((Some(4), true, true), (Some(1), false, true)));
        let (joined, yes) = (read(Stance::Joined), read(Stance::Yes(&["x", "y", "z"])));
        assert_eq!(joined.apart(&yes), [BTreeSet::from(["apart", "marked"]), BTreeSet::from(["n"])]);
        assert_eq!(Labels::annotators(&rows), BTreeSet::from(["a", "b"]));
    }
}
