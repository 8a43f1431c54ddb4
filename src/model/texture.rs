//! Texture: what the problem is like to live with (METHOD 1.3). A slot without words of its own is not stated.

use serde::{Deserialize, Serialize};

use super::Evidence;

/// The eleven slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Slot {
    /// Role of the person with the problem.
    ActorRole,
    /// When it bites.
    TriggerSituation,
    /// Products named.
    ToolsInvolved,
    /// How often.
    Frequency,
    /// How long it has lasted.
    Duration,
    /// 0-3.
    Intensity,
    /// Hours.
    CostTime,
    /// Money.
    CostMoney,
    /// What is at stake.
    Stakes,
    /// What was tried.
    Attempts,
    /// Money already spent on the problem.
    AlreadyPays,
}

impl Slot {
    /// All slots, in METHOD's order.
    pub const ALL: [Self; 11] = [
        Self::ActorRole,
        Self::TriggerSituation,
        Self::ToolsInvolved,
        Self::Frequency,
        Self::Duration,
        Self::Intensity,
        Self::CostTime,
        Self::CostMoney,
        Self::Stakes,
        Self::Attempts,
        Self::AlreadyPays,
    ];

    /// The name as it stands in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ActorRole => "actor_role",
            Self::TriggerSituation => "trigger_situation",
            Self::ToolsInvolved => "tools_involved",
            Self::Frequency => "frequency",
            Self::Duration => "duration",
            Self::Intensity => "intensity",
            Self::CostTime => "cost_time",
            Self::CostMoney => "cost_money",
            Self::Stakes => "stakes",
            Self::Attempts => "attempts",
            Self::AlreadyPays => "already_pays",
        }
    }

    /// The slot with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }
}

/// The normalised value of a slot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SlotValue {
    /// As written; nothing to normalise.
    Text,
    /// Hours. `per_month` is filled when the words give a rate or a count of occasions.
    Hours {
        /// Lower end, hours as stated.
        low: f64,
        /// Upper end, hours as stated.
        high: f64,
        /// Period the words name: `day`, `week`, `month`, `year`, or nothing.
        per: Option<String>,
        /// Converted to hours a month, when a period is named.
        per_month: Option<f64>,
    },
    /// Money.
    Money {
        /// Amount in units of the currency.
        amount: f64,
        /// ISO 4217 code or the sign as written.
        currency: String,
        /// Period the words name.
        per: Option<String>,
    },
    /// How often.
    Frequency {
        /// `once`, `yearly`, `monthly`, `weekly`, `daily`, `continuous`.
        rate: String,
        /// "always", "constantly": an adverb without a count.
        vague: bool,
    },
    /// Months.
    Months {
        /// As a number of months.
        months: f64,
    },
    /// How hard it is.
    Intensity {
        /// What the words say.
        level: Intensity,
    },
    /// What is at stake. A post may name several.
    Stakes {
        /// What the words say.
        kind: Stake,
    },
}

/// How hard the words say it is. METHOD's level 1 is the unmarked one: no words state it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Intensity {
    /// Level 0: stated as minor.
    Minor,
    /// Level 2: strong evaluative words, or repeated attempts.
    Strong,
    /// Level 3: it blocks work, or threatens a job, a client, safety.
    Blocking,
}

/// What is at stake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stake {
    /// Peace of mind.
    Annoyance,
    /// Work done again.
    Rework,
    /// A date.
    Deadline,
    /// Money that comes in.
    Revenue,
    /// Rules to be kept.
    Compliance,
    /// Those who do the work.
    People,
    /// Life, limb and health.
    Safety,
}

/// One filled slot.
#[derive(Debug, Clone, PartialEq)]
pub struct TextureSlot {
    /// Which.
    pub slot: Slot,
    /// The words that fill it.
    pub evidence: Evidence,
    /// Their normalised value.
    pub value: SlotValue,
}
