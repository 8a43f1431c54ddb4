//! What a CRM note claims and what it shows (METHOD 2).

use serde::{Deserialize, Serialize};

use super::{Evidence, Support};

macro_rules! named_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[expect(missing_docs, reason = "the variants are METHOD's own terms")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// All of them, in METHOD's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name as it stands in SQL and JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The one with this name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|v| v.as_str() == name)
            }
        }
    };
}

/// N1, the note's own claim of interest: 0 declined, 1 cool, 2 mild, 3 strong, 4 near-certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Interest(u8);

impl Interest {
    /// `None` above 4.
    pub fn new(level: u8) -> Option<Self> {
        (level <= 4).then_some(Self(level))
    }

    /// 0 to 4.
    pub fn level(self) -> u8 {
        self.0
    }

    /// N1 >= 3: "claimed strong interest", the population of the unbacked-optimism rate (METHOD 3.5).
    pub fn is_strong(self) -> bool {
        self.0 >= 3
    }
}

named_enum!(
    /// How a claimed pain came up (N4).
    Elicitation { Volunteered = "volunteered", Prompted = "prompted", RepInferred = "rep_inferred" }
);
named_enum!(
    /// N5.
    ObjectionKind {
        Price = "price", Timing = "timing", Authority = "authority", Fit = "fit", Trust = "trust",
        StatusQuo = "status_quo", Competitor = "competitor", NoNeed = "no_need",
        /// A stall with no dated counter-proposal.
        SoftNo = "soft_no",
    }
);
named_enum!(
    /// What a commitment costs its giver.
    Currency { Time = "time", Reputation = "reputation", Money = "money", None = "none" }
);
named_enum!(
    /// Who gives it. Only the buyer's commitments count.
    Giver { Buyer = "buyer", Us = "us" }
);
named_enum!(
    /// What became of it, as far as this note says.
    CommitmentStatus {
        Asked = "asked", Promised = "promised", Kept = "kept", Missed = "missed", Refused = "refused",
    }
);
named_enum!(
    /// What vouches for it beside the rep's word.
    Corroboration { NoteOnly = "note_only", BuyerWritten = "buyer_written", SystemEvent = "system_event" }
);

named_enum!(
    /// What a reader says of a note and shows with words; interest has none.
    NoteClaim {
        Compliment = "compliments", Fluff = "fluff", Pain = "pains", Objection = "objections",
        Commitment = "commitments",
    }
);

/// A second look at a claim: whether the words alone show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondLook {
    /// What is claimed.
    pub claim: NoteClaim,
    /// The note's words.
    pub evidence: Evidence,
    /// The verdict.
    pub support: Support,
}

/// A pain that the note claims for the buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedPain {
    /// The note's words.
    pub evidence: Evidence,
    /// How it came up.
    pub elicitation: Elicitation,
    /// A last instance is described, with date, cost or people.
    pub specific: bool,
}

/// An objection of the buyer's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// The note's words.
    pub evidence: Evidence,
    /// What it objects to.
    pub kind: ObjectionKind,
}

/// A rung on the commitment ladder (METHOD 2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commitment {
    /// The note's words.
    pub evidence: Evidence,
    /// 0 none, 1 undated intent, 2 dated time, 3 reputation, 4 costly trial, 5 money.
    pub level: u8,
    /// What it costs.
    pub currency: Currency,
    /// Who gives it.
    pub who: Giver,
    /// What became of it.
    pub status: CommitmentStatus,
    /// What vouches for it.
    pub corroboration: Corroboration,
    /// The words of the note that name the day on which a promise is due. They mean a day only beside the note's own. `None`
    /// where they name none, and for what is not promised.
    pub due: Option<Evidence>,
}

/// What a reader makes of one note. The default says nothing at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NoteReading {
    /// `None` when the note claims nothing either way (machine-written notes).
    pub interest: Option<Interest>,
    /// Praise of us with no fact about the buyer's life.
    pub compliments: Vec<Evidence>,
    /// Generic, future or hypothetical talk, and feature wishes.
    pub fluff: Vec<Evidence>,
    /// Claimed pains.
    pub pains: Vec<ClaimedPain>,
    /// Objections.
    pub objections: Vec<Objection>,
    /// Commitments, ours and theirs.
    pub commitments: Vec<Commitment>,
    /// Whether we asked the buyer for anything in this note.
    pub asked: bool,
    /// Second looks at the claims, where anybody looked. One whose words do not show it stands here and in none of the lists
    /// above, so that nothing can count it.
    pub looks: Vec<SecondLook>,
    /// Quotes that were proposed and are not in the text.
    pub rejected: usize,
    /// Sentences that speak to a reader and were therefore not shown to the model.
    pub withheld: usize,
}

impl NoteReading {
    /// Everything claimed with words, kind by kind.
    pub fn claims(&self) -> impl Iterator<Item = (NoteClaim, &Evidence)> {
        let of = |claim| move |evidence| (claim, evidence);
        let compliments = self.compliments.iter().map(of(NoteClaim::Compliment));
        let fluff = self.fluff.iter().map(of(NoteClaim::Fluff));
        let pains = self.pains.iter().map(|pain| (NoteClaim::Pain, &pain.evidence));
        let objections = self.objections.iter().map(|objection| (NoteClaim::Objection, &objection.evidence));
        let commitments = self.commitments.iter().map(|given| (NoteClaim::Commitment, &given.evidence));
        compliments.chain(fluff).chain(pains).chain(objections).chain(commitments)
    }

    /// What a second look said of a claim; `None` when nobody looked.
    pub fn support(&self, claim: NoteClaim, evidence: &Evidence) -> Option<Support> {
        let same = |look: &&SecondLook| look.claim == claim && look.evidence.span() == evidence.span();
        self.looks.iter().find(same).map(|look| look.support)
    }

    /// Claims that a second look found not to be shown by their words.
    pub fn refused(&self) -> impl Iterator<Item = &SecondLook> {
        self.looks.iter().filter(|look| look.support == Support::Unsupported)
    }

    /// Keeps `looks`, and takes what they refuse out of the lists.
    #[must_use]
    pub fn looked_at(self, looks: Vec<SecondLook>) -> Self {
        let mut reading = Self { looks, ..self };
        let refused = reading.refused().map(|look| (look.claim, look.evidence.span())).collect::<Vec<_>>();
        let stands = |claim, evidence: &Evidence| !refused.contains(&(claim, evidence.span()));
        reading.compliments.retain(|words| stands(NoteClaim::Compliment, words));
        reading.fluff.retain(|words| stands(NoteClaim::Fluff, words));
        reading.pains.retain(|pain| stands(NoteClaim::Pain, &pain.evidence));
        reading.objections.retain(|objection| stands(NoteClaim::Objection, &objection.evidence));
        reading.commitments.retain(|given| stands(NoteClaim::Commitment, &given.evidence));
        reading
    }
}
