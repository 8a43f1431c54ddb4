//! The nouns. No I/O, no async, no SQL: anything here can be built and tested with plain values.
//!
//! Invariants that hold by construction:
//! - a [`Span`] is never empty and lies on character boundaries of the text it was made for;
//! - an [`Evidence`] is always a slice of the text it was cut from ([`Evidence::cut`] is the only constructor);
//! - a [`Rate`] never exists without its hits and its out-of.
//!
//! These types are not wire types: exports, SQL rows and published JSON have structs of their own.

pub mod id;

pub mod source;

pub mod post;

pub mod span;

pub mod evidence;

pub mod signal;

pub mod texture;

pub mod note;

pub mod deal;

pub mod reading;

pub mod problem;

pub mod rate;

pub mod gap;

pub mod recipe;

pub mod route;

pub mod comparison;

pub mod scope;

pub use deal::{Account, Contact, CrmProbability, Opportunity, Outcome, Owner, Segment, StageChange};
pub use evidence::{Evidence, Fit};
pub use gap::{Component, Gap, Missing, Trust, Verdict};
pub use id::{AccountId, AuthorKey, NoteId, OpportunityId, PostId, ProblemId, SignalId, ThreadId};
pub use note::{Note, NoteKind};
pub use post::{Post, PostFlags, Thread};
pub use problem::{Change, ChangeKind, Codebook, Problem};
pub use rate::Rate;
pub use reading::{
    ClaimedPain, Commitment, CommitmentStatus, Corroboration, Currency, Elicitation, Giver, Interest, NoteClaim,
    NoteReading, Objection, ObjectionKind, SecondLook,
};
pub use recipe::{Recipe, Recipes};
pub use route::Route;
pub use scope::Scope;
pub use signal::{Act, ActKind, AskKind, FoundAct, PostReading, Severity, Signal, Support, SwitchStage, Voice};
pub use source::Source;
pub use span::Span;
pub use texture::{Intensity, Slot, SlotValue, Stake, TextureSlot};
