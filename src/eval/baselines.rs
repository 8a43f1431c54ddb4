//! What anybody could do in an afternoon: readers that a reader must beat to be worth having.
//!
//! None of them was tuned on labels: the thresholds are the methods' own, the keywords were written once from the definitions
//! of METHOD 1.2.

use std::sync::LazyLock;

use regex::Regex;
use vader_parity::SentimentIntensityAnalyzer;

use super::posts::Said;
use super::tfidf;
use super::truth::LabelledPost;
use crate::extract::score::TruthPost;
use crate::model::ActKind;

/// A baseline over posts.
pub struct Baseline {
    /// Its name.
    pub name: &'static str,
    /// The acts it knows at all.
    pub acts: &'static [ActKind],
    /// What it says of each post.
    pub said: Vec<Said>,
}

/// All baselines over `posts`. The one that learns is fitted on `further` posts and on those folds of `posts` that it is not
/// asked about.
pub fn all(posts: &[LabelledPost], further: &[TruthPost], fold_of: fn(&TruthPost) -> String) -> [Baseline; 3] {
    [
        Baseline { name: "sentiment", acts: &[ActKind::Complaint, ActKind::Praise], said: sentiment(posts) },
        Baseline {
            name: "keywords",
            acts: &ActKind::ALL,
            said: posts.iter().map(|p| keywords(&p.post.text)).collect(),
        },
        Baseline { name: "tfidf", acts: &ActKind::ALL, said: tfidf::held_out(posts, further, fold_of) },
    ]
}

/// Sentiment below zero is a complaint, above zero praise (VADER's compound score; Hutto and Gilbert, 2014).
fn sentiment(posts: &[LabelledPost]) -> Vec<Said> {
    let analyzer = SentimentIntensityAnalyzer::new();
    let said = |post: &LabelledPost| {
        let compound = analyzer.polarity_scores(&post.post.text).compound;
        ActKind::ALL.map(|act| match act {
            ActKind::Complaint => compound < 0.0,
            ActKind::Praise => compound > 0.0,
            _ => false,
        })
    };
    posts.iter().map(said).collect()
}

/// Words and phrases for each act, in the order of [`ActKind::ALL`].
const KEYWORDS: [&str; 6] = [
    // Complaint.
    r"broken|bug|bugs|issue|issues|problem|problems|error|errors|fail|fails|failed|failing|crash|crashes|crashed|frustrating|frustrated|annoying|annoyed|terrible|horrible|awful|useless|disappointed|disappointing|unacceptable|ridiculous|slow|stuck|unable to|doesn'?t work|not working|won'?t|still no|hate|worst|wrong",
    // Failed workaround.
    r"tried|i'?ve tried|already tried|we tried|attempted|didn'?t help|did not help|didn'?t work|did not work|no luck|to no avail|still the same|same result|same error|nothing works",
    // Workaround.
    r"workaround|work around|work-around|ended up|for now i|in the meantime|manually|by hand|spreadsheet|i wrote a script|custom script|instead i|my solution was|hack",
    // Ask.
    r"is there a way|is there any|is there a tool|any way to|would be nice|would be great|would love|feature request|please add|i wish|wish there|looking for|recommend|recommendations|suggestions|suggestion|can you add|it should|should have|need a way",
    // Switch.
    r"switched|switching|switch to|moved to|moving to|migrated|migrating|cancelled|canceled|cancelling|gave up on|leaving|left for|stopped using|went back to|ditched|replaced|alternative to|unsubscribed",
    // Praise.
    r"love|great|awesome|excellent|amazing|perfect|perfectly|fantastic|works well|works great|saved|saves|easy|fast|happy with|impressed|best|solved|game changer",
];

fn keywords(text: &str) -> Said {
    #[expect(clippy::expect_used, reason = "the patterns are part of the program; a test compiles them")]
    static PATTERNS: LazyLock<[Regex; 6]> = LazyLock::new(|| {
        KEYWORDS.map(|words| Regex::new(&format!(r"(?i)\b(?:{words})\b")).expect("the keywords are a pattern"))
    });
    // Typographic apostrophes would hide half of the contractions.
    let text = text.replace('\u{2019}', "'");
    PATTERNS.each_ref().map(|pattern| pattern.is_match(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(text: &str) -> LabelledPost {
        serde_json::from_value(serde_json::json!({"id": "a", "text": text, "acts": []})).unwrap()
    }

    fn acts(said: Said) -> Vec<&'static str> {
        ActKind::ALL.into_iter().filter(|a| said[*a as usize]).map(ActKind::as_str).collect()
    }

    #[test]
    fn keywords_are_whole_words() {
        let cases: [(&str, &[&str]); 4] = [
            ("The export doesn’t work, we tried twice", &["complaint", "failed_workaround"]),
            ("debugging lovely gloves", &[]),
            ("Is there a way to do it by hand?", &["workaround", "ask"]),
            ("We SWITCHED to paper", &["switch"]),
        ];
        for (text, expected) in cases {
            assert_eq!(acts(keywords(text)), expected, "{text}");
        }
    }

    #[test]
    fn sentiment_knows_two_acts() {
        let said =
            sentiment(&[post("This is a horrible mess."), post("A wonderful, helpful tool!"), post("It is a box.")]);
        assert_eq!(said.map_acts(), [vec!["complaint"], vec!["praise"], vec![]]);
    }

    trait Acts {
        fn map_acts(self) -> Vec<Vec<&'static str>>;
    }

    impl Acts for Vec<Said> {
        fn map_acts(self) -> Vec<Vec<&'static str>> {
            self.into_iter().map(acts).collect()
        }
    }
}
