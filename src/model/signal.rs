//! Signals: acts that a post performs (METHOD 1.2), each resting on evidence.

use serde::{Deserialize, Serialize};

use super::id::content_hash;
use super::{Evidence, PostId, Recipe, SignalId, TextureSlot};

/// Who speaks from what experience (METHOD 1.1, gate G1). Counts use `FirstHand` only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// The author or the author's team lives it.
    FirstHand,
    /// Reports a named other's experience.
    SecondHand,
    /// "People hate X."
    Generic,
    /// "Would be annoying if."
    Hypothetical,
    /// A seller, an affiliate, a founder pitching.
    VendorOrPromo,
    /// Cannot be told.
    Unclear,
}

impl Voice {
    /// All voices, in METHOD's order.
    pub const ALL: [Self; 6] =
        [Self::FirstHand, Self::SecondHand, Self::Generic, Self::Hypothetical, Self::VendorOrPromo, Self::Unclear];

    /// The name as it stands in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FirstHand => "first_hand",
            Self::SecondHand => "second_hand",
            Self::Generic => "generic",
            Self::Hypothetical => "hypothetical",
            Self::VendorOrPromo => "vendor_or_promo",
            Self::Unclear => "unclear",
        }
    }

    /// The voice with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == name)
    }
}

/// The six acts, as names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActKind {
    /// C1.
    Complaint,
    /// C2.
    FailedWorkaround,
    /// C3.
    Workaround,
    /// C4.
    Ask,
    /// C5.
    Switch,
    /// C6.
    Praise,
}

impl ActKind {
    /// All acts, in METHOD's order.
    pub const ALL: [Self; 6] =
        [Self::Complaint, Self::FailedWorkaround, Self::Workaround, Self::Ask, Self::Switch, Self::Praise];

    /// The name as it stands in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::FailedWorkaround => "failed_workaround",
            Self::Workaround => "workaround",
            Self::Ask => "ask",
            Self::Switch => "switch",
            Self::Praise => "praise",
        }
    }

    /// The act with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == name)
    }

    /// Whether the act tells of a problem. Praise does not.
    pub fn bears_problem(self) -> bool {
        self != Self::Praise
    }
}

/// Severity of a complaint: face threat, not cost (METHOD 1.2). Ordinal; never averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// 0: no explicit reproach.
    NoReproach,
    /// 1.
    Disapproval,
    /// 2.
    Accusation,
    /// 3.
    Blame,
}

impl Severity {
    /// 0 to 3.
    pub fn level(self) -> u8 {
        self as u8
    }
}

/// What an ask asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskKind {
    /// A capability.
    Feature,
    /// A tool.
    ToolRecommendation,
    /// A way to do it.
    How,
    /// A price.
    Price,
}

/// How far a switch has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SwitchStage {
    /// Thinking about it.
    Considering,
    /// Decided.
    Decided,
    /// Done.
    Done,
    /// Went back.
    Reversed,
}

/// An act with what is known of it. Every part that is text is evidence of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A breach of the author's favourable expectation.
    Complaint {
        /// Face threat.
        severity: Severity,
    },
    /// A specific alternative that was tried and does not (sufficiently) work.
    FailedWorkaround {
        /// What was tried.
        means: Option<Evidence>,
        /// Why it failed.
        why_failed: Option<Evidence>,
    },
    /// A means not designed for the need, good enough to go on.
    Workaround {
        /// What is done.
        means: Option<Evidence>,
    },
    /// A desired capability, or a tool asked for.
    Ask {
        /// What for.
        kind: AskKind,
    },
    /// Leaving a product, a vendor or the activity.
    Switch {
        /// What is left.
        from: Option<Evidence>,
        /// Where to.
        to: Option<Evidence>,
        /// How far.
        stage: SwitchStage,
        /// Why.
        reason: Option<Evidence>,
    },
    /// A positive evaluation tied to an experienced outcome.
    Praise,
}

impl Act {
    /// Which act it is.
    pub fn kind(&self) -> ActKind {
        match self {
            Self::Complaint { .. } => ActKind::Complaint,
            Self::FailedWorkaround { .. } => ActKind::FailedWorkaround,
            Self::Workaround { .. } => ActKind::Workaround,
            Self::Ask { .. } => ActKind::Ask,
            Self::Switch { .. } => ActKind::Switch,
            Self::Praise => ActKind::Praise,
        }
    }
}

/// One act of one post, with the words that show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Hash of post, act, span and recipe.
    pub id: SignalId,
    /// The post.
    pub post: PostId,
    /// The act.
    pub act: Act,
    /// The words that show it.
    pub evidence: Evidence,
    /// Who speaks.
    pub voice: Voice,
    /// Estimated probability that the act is there, in 0..=1.
    pub confidence: f64,
    /// What a second look at the words alone said.
    pub support: Option<Support>,
    /// What read it.
    pub recipe: Recipe,
}

impl Signal {
    /// Builds the signal of `found` in `post`, and its id.
    pub fn new(post: PostId, found: FoundAct, voice: Voice, recipe: Recipe) -> Self {
        let FoundAct { act, evidence, confidence, support } = found;
        let span = evidence.span();
        let id = content_hash(&[
            post.as_str(),
            act.kind().as_str(),
            &span.start().to_string(),
            &span.end().to_string(),
            recipe.as_str(),
        ]);
        Self { id: SignalId::new(id), post, act, evidence, voice, confidence, support, recipe }
    }
}

/// Whether words bear out what they were quoted for: a second look at the quote alone, apart from the question whether
/// anybody wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Support {
    /// They do.
    Supported,
    /// They do not. The signal or claim is kept and never counted.
    Unsupported,
    /// Cannot be told from the words alone.
    Unclear,
}

impl Support {
    /// The name as it stands in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::Unsupported => "unsupported",
            Self::Unclear => "unclear",
        }
    }

    /// The verdict with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Supported, Self::Unsupported, Self::Unclear].into_iter().find(|s| s.as_str() == name)
    }
}

/// One act that a reader found in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundAct {
    /// The act.
    pub act: Act,
    /// The words that show it.
    pub evidence: Evidence,
    /// Estimated probability that the act is there, in 0..=1.
    pub confidence: f64,
    /// What a second look at the words alone said; `None` when nobody looked.
    pub support: Option<Support>,
}

impl FoundAct {
    /// Whether it counts: not when a second look found that the words do not bear it out.
    pub fn counts(&self) -> bool {
        self.support != Some(Support::Unsupported)
    }
}

impl From<(Act, Evidence, f64)> for FoundAct {
    /// An act with its words and the probability that it is there, not looked at a second time.
    fn from((act, evidence, confidence): (Act, Evidence, f64)) -> Self {
        Self { act, evidence, confidence, support: None }
    }
}

/// What a reader makes of one text, before it is tied to a post.
#[derive(Debug, Clone, PartialEq)]
pub struct PostReading {
    /// Who speaks.
    pub voice: Voice,
    /// ISO 639-3 code of the detected language; `None` when too short to tell.
    pub lang: Option<&'static str>,
    /// Acts with their words, in text order.
    pub acts: Vec<FoundAct>,
    /// Texture slots filled from explicit phrases.
    pub texture: Vec<TextureSlot>,
    /// Quotes that were proposed and are not in the text.
    pub rejected: usize,
    /// Sentences of the post, and of what it answers, that speak to a reader and were therefore not shown to the model.
    pub withheld: usize,
}

impl PostReading {
    /// Of a text in `lang` in which nothing was read.
    pub fn silent(lang: Option<&'static str>) -> Self {
        Self { voice: Voice::Unclear, lang, acts: Vec::new(), texture: Vec::new(), rejected: 0, withheld: 0 }
    }
}
