//! Problems named by a model.
//!
//! The one rule: a name, and each part of a statement, is taken over only when several quotes say all of its words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use futures_util::{StreamExt, stream};
use serde::Deserialize;

use super::{Sorter, UNDER_WAY};
use crate::config::Protocol;
use crate::group::phrase::{capitalised, topics};
use crate::group::terms::terms;
use crate::llm::outgoing::Withheld;
use crate::llm::prompt::Prompt;
use crate::llm::sheet::{Form, Sheet};
use crate::llm::{Question, Unanswered};
use crate::model::Problem;

/// Longest name, and longest answer with a statement, in tokens.
const NAME_TOKENS: u32 = 160;
/// Words in a name that a reader takes in at once.
const LONGEST: usize = 10;
/// Quotes that must say a word before a name may, where there are so many.
const SAID_BY: usize = 2;

/// Words that tie what people say together and name nothing themselves. A name may use them though no quote does.
const CONNECTING: &str = "people user users customer customers team teams staff problem problems trouble issue issues difficulty unable \
fail fails failing failure missing lost lose loses wrong slow manual manually";

const NAME_SHEET: Sheet = Sheet {
    first: &[
        ("name", Form::Words),
        ("actor", Form::Words),
        ("situation", Form::Words),
        ("obstacle", Form::Words),
        ("consequence", Form::Words),
    ],
    claims: &[],
    last: &[],
};

pub(super) const NAME_FILE: &str = include_str!("../../../prompts/name_problem.toml");

#[expect(clippy::expect_used, reason = "the prompt files are part of the program; the tests parse them")]
static NAME: LazyLock<Prompt> = LazyLock::new(|| Prompt::parse(NAME_FILE).expect("the prompt is well formed"));
#[expect(clippy::expect_used, reason = "the prompt files are part of the program; the tests fill in the examples")]
static EXAMPLES: LazyLock<Vec<(String, String)>> =
    LazyLock::new(|| NAME.worked(&NAME_SHEET, Protocol::Copy, false).expect("the examples are in their texts"));
static CONNECTING_STEMS: LazyLock<BTreeSet<String>> = LazyLock::new(|| stems(CONNECTING));

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    actor: String,
    situation: String,
    obstacle: String,
    consequence: String,
}

/// What came of naming.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Naming {
    /// Problems whose name is the model's.
    pub(super) named: usize,
    /// Names and parts of statements that said what the quotes do not.
    pub(super) ungrounded: usize,
    /// Names that spoke of the very topics of another one's.
    pub(super) alike: usize,
    /// What the model was not shown; a text is all that is quoted of one problem.
    pub(super) withheld: Withheld,
}

impl Sorter {
    /// Gives each of `problems` a name and a statement made from its `quotes`, the most typical first. What the quotes do not
    /// bear out is left as it was, and so is a name whose topics are those of another one or of one of `given`.
    ///
    /// # Errors
    /// When the model cannot be asked at all. A question that gets no usable answer leaves its problem as it was.
    pub(super) async fn name(
        &self,
        problems: &mut [Problem],
        quotes: &[Vec<&str>],
        given: &[BTreeSet<String>],
    ) -> Result<Naming, Unanswered> {
        let (mut naming, mut given) = (Naming::default(), given.to_vec());
        let mut asked = Vec::new();
        for (i, (problem, quotes)) in problems.iter().zip(quotes).enumerate() {
            let (question, withheld) = self.name_question(problem, quotes);
            naming.withheld.add(withheld.len());
            if let Some(question) = question {
                asked.push(async move { (i, self.model.ask::<Named>(&question).await) });
            }
        }
        let mut answers = stream::iter(asked).buffer_unordered(UNDER_WAY).collect::<Vec<_>>().await;
        answers.sort_by_key(|(i, _)| *i);
        for (i, answer) in answers {
            match answer {
                Ok(named) => {
                    take_over(&mut problems[i], &named, &quotes[i], &given, &mut naming);
                    given.push(topics(&problems[i].name));
                }
                Err(why) if why.is_about_one_item() => tracing::warn!("{why}"),
                Err(why) => return Err(why),
            }
        }
        Ok(naming)
    }

    /// What `problem` may be called, by what is quoted of it, if the model may be shown anything of that; and the sentences that
    /// it may not.
    pub(super) fn name_question(&self, problem: &Problem, quotes: &[&str]) -> (Option<Question>, Vec<String>) {
        let fenced = self.fenced("name_problem", &quotes.join("\n\n"), None);
        let question = (!fenced.is_empty).then(|| Question {
            unit: format!("problem {}", problem.id.as_str()),
            prompt: "name_problem",
            system: NAME.instructions(Protocol::Copy, false),
            examples: EXAMPLES.clone(),
            user: fenced.words,
            schema: NAME_SHEET.schema(Protocol::Copy, &[1], false),
            max_tokens: NAME_TOKENS,
        });
        (question, fenced.withheld)
    }
}

/// Puts into `problem` what of `said` several of `quotes` say.
fn take_over(problem: &mut Problem, said: &Named, quotes: &[&str], given: &[BTreeSet<String>], naming: &mut Naming) {
    let mut counts = BTreeMap::<String, usize>::new();
    for quote in quotes {
        for stem in stems(quote) {
            *counts.entry(stem).or_default() += 1;
        }
    }
    let enough = SAID_BY.min(quotes.len());
    let borne_out = |words: &str| {
        stems(words)
            .iter()
            .all(|stem| CONNECTING_STEMS.contains(stem) || counts.get(stem).is_some_and(|count| *count >= enough))
    };
    let mut kept = |words: &str| {
        let words = words.trim().trim_end_matches(['.', ',', ';']).trim().to_owned();
        let kept = !words.is_empty() && borne_out(&words);
        naming.ungrounded += usize::from(!words.is_empty() && !kept);
        kept.then_some(words)
    };
    let name = kept(&said.name)
        .filter(|name| !stems(name).is_empty() && (2..=LONGEST).contains(&name.split_whitespace().count()));
    let parts = [&said.actor, &said.situation, &said.obstacle, &said.consequence].map(|part| kept(part));
    match name {
        Some(name) if given.contains(&topics(&name)) => naming.alike += 1,
        Some(name) => {
            problem.name = capitalised(&name);
            naming.named += 1;
        }
        None => {}
    }
    // Without the obstacle it is no problem, and alone it says less than the quote.
    if parts[2].is_some() && parts.iter().flatten().count() > 1 {
        problem.statement = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        problem.composed = true;
    }
}

/// The stems of the single words in `text` that carry a topic.
fn stems(text: &str) -> BTreeSet<String> {
    terms(text).into_iter().map(|t| t.stem).filter(|stem| !stem.contains(' ')).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::tests::{problem, sorter};

    const QUOTES: [&str; 3] = [
        "The printer jams on thick paper and the labels go out late.",
        "Our printer jams every morning, so labels are late.",
        "Printer jams again. Labels were late for the third time.",
    ];

    #[tokio::test]
    async fn a_name_says_what_several_quotes_say() {
        let sorter = sorter(|_| {
            json!({"name": "Printer jams make labels late", "actor": "", "situation": "with thick paper",
                "obstacle": "the printer jams", "consequence": "labels are late"})
        });
        let mut problems = [problem("a", "jam, paper")];
        let naming = sorter.name(&mut problems, &[QUOTES.to_vec()], &[]).await.unwrap();
        assert_eq!(problems[0].name, "Printer jams make labels late");
        assert_eq!(problems[0].statement, "the printer jams, labels are late", "one quote alone speaks of thick paper");
        assert_eq!((naming.named, naming.ungrounded), (1, 1));
        assert!(problems[0].composed);
    }

    #[tokio::test]
    async fn an_invented_name_is_not_taken() {
        let sorter = sorter(|_| {
            json!({"name": "Scanner catches fire", "actor": "warehouse clerks", "situation": "", "obstacle": "the scanner burns",
                "consequence": ""})
        });
        let mut problems = [problem("a", "jam, paper")];
        let naming = sorter.name(&mut problems, &[QUOTES.to_vec()], &[]).await.unwrap();
        assert_eq!(problems[0], problem("a", "jam, paper"));
        assert_eq!((naming.named, naming.ungrounded), (0, 3));
    }

    #[tokio::test]
    async fn two_problems_are_not_called_alike() {
        let sorter = sorter(
            |_| json!({"name": "printer jams", "actor": "", "situation": "", "obstacle": "the printer jams", "consequence": ""}),
        );
        let mut problems = [problem("a", "jam, paper"), problem("b", "late, labels")];
        let quotes = [QUOTES.to_vec(), QUOTES.to_vec()];
        let naming = sorter.name(&mut problems, &quotes, &[]).await.unwrap();
        assert_eq!([&problems[0].name, &problems[1].name], ["Printer jams", "late, labels"]);
        assert_eq!((naming.named, naming.alike), (1, 1));
        assert_eq!(problems[0].statement, "jam, paper happens", "an obstacle alone says less than a quote");
    }
}
