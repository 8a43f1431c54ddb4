//! What a CRM keeps beside notes: firms, deals and how they ended, the people on both sides.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AccountId, OpportunityId};

/// A firm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The CRM's id, or the name where there is none.
    pub id: AccountId,
    /// What it is called.
    pub name: Option<String>,
    /// Domain of its web site, lower case, without `www.`.
    pub domain: Option<String>,
    /// The rep who owns it, as the CRM names them.
    pub owner: Option<String>,
}

/// The part of the market that a firm belongs to, as one column of the CRM says it: an industry, a size, a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The firm.
    pub account: AccountId,
    /// What the CRM calls that part. Never a person's name.
    pub name: String,
}

/// How a deal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Not yet.
    Open,
    /// They bought.
    Won,
    /// They did not.
    Lost,
}

impl Outcome {
    /// The name as it stands in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// The outcome with this name, if there is one.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Open, Self::Won, Self::Lost].into_iter().find(|o| o.as_str() == name)
    }
}

/// A deal.
#[derive(Debug, Clone, PartialEq)]
pub struct Opportunity {
    /// The CRM's id, or a content hash.
    pub id: OpportunityId,
    /// The firm, where the CRM says which.
    pub account: Option<AccountId>,
    /// What it is called.
    pub name: Option<String>,
    /// The rep who owns it, as the CRM names them.
    pub owner: Option<String>,
    /// Its stage now, as the CRM spells it.
    pub stage: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Its amount, in the CRM's currency.
    pub amount: Option<f64>,
    /// When it was entered.
    pub opened_at: Option<Timestamp>,
    /// When it ended, by the CRM's own field; a day without a time counts to its end. `None` while it is open.
    pub closed_at: Option<Timestamp>,
    /// When it was last changed.
    pub modified_at: Option<Timestamp>,
    /// When the customer's service ended, which is not when notice was given (METHOD 5.2).
    pub churned_at: Option<Timestamp>,
    /// When the customer reached the value milestone, an event of their own doing that was defined before (METHOD 5.1).
    pub value_at: Option<Timestamp>,
}

/// That a deal came to a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageChange {
    /// The deal.
    pub opportunity: OpportunityId,
    /// When that was entered.
    pub at: Timestamp,
    /// The stage, as the CRM spells it.
    pub stage: String,
}

/// That a CRM gave a deal a probability of being won. Only with its date is it a forecast: what an export says of a deal that
/// has ended is 0 or 1.
#[derive(Debug, Clone, PartialEq)]
pub struct CrmProbability {
    /// The deal.
    pub opportunity: OpportunityId,
    /// When it was given, or is known to have stood.
    pub at: Timestamp,
    /// In 0..=1.
    pub probability: f64,
}

/// A person at a firm. Kept so that their name can be masked before anything is sent to a language model, and to find the
/// firm of a record that names only the person; never shown, never set beside an author of the community.
#[derive(Clone, PartialEq, Eq)]
pub struct Contact {
    /// The CRM's id, or a content hash.
    pub id: String,
    /// Their firm, where the CRM says which.
    pub account: Option<AccountId>,
    /// Their name.
    pub name: Option<String>,
    /// Their address, lower case.
    pub email: Option<String>,
}

impl std::fmt::Debug for Contact {
    /// Without the person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contact").field("account", &self.account).finish_non_exhaustive()
    }
}

/// A rep: what the CRM calls the owner of a record, and their name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// As records name them.
    pub id: String,
    /// What they are called.
    pub name: String,
}
