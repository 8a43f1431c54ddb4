//! The sheet of a note, as it is asked for and as it comes back.

use serde::Deserialize;

use crate::llm::outgoing::Place;
use crate::llm::sheet::{Claim, Form, Sheet};
use crate::model::{CommitmentStatus, Elicitation, Giver, ObjectionKind};

/// Most claims of one kind about one window of a note.
const MOST: usize = 4;

const fn claim(name: &'static str, details: &'static [(&'static str, Form)]) -> Claim {
    Claim { name, most: MOST, placed: true, details }
}

/// The sheet of a note.
pub(super) const NOTE_SHEET: Sheet = Sheet {
    first: &[("interest", Form::UpToOrNull(4))],
    claims: &[
        claim("compliments", &[]),
        claim("fluff", &[]),
        claim(
            "pains",
            &[("elicitation", Form::OneOf(&["volunteered", "prompted", "rep_inferred"])), ("specific", Form::YesNo)],
        ),
        claim(
            "objections",
            &[(
                "kind",
                Form::OneOf(&[
                    "price",
                    "timing",
                    "authority",
                    "fit",
                    "trust",
                    "status_quo",
                    "competitor",
                    "no_need",
                    "soft_no",
                ]),
            )],
        ),
        claim(
            "commitments",
            &[
                ("level", Form::UpTo(5)),
                ("who", Form::OneOf(&["buyer", "us"])),
                ("status", Form::OneOf(&["asked", "promised", "kept", "missed", "refused"])),
            ],
        ),
    ],
    last: &[("asked", Form::YesNo)],
};

/// A filled sheet. Lists that a server without strict schemas leaves out are empty.
#[derive(Debug, Deserialize)]
pub(super) struct NoteSheet {
    pub(super) interest: Option<u8>,
    #[serde(default)]
    pub(super) compliments: Vec<Placed>,
    #[serde(default)]
    pub(super) fluff: Vec<Placed>,
    #[serde(default)]
    pub(super) pains: Vec<Pain>,
    #[serde(default)]
    pub(super) objections: Vec<Raised>,
    #[serde(default)]
    pub(super) commitments: Vec<Given>,
    #[serde(default)]
    pub(super) asked: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Placed {
    #[serde(flatten)]
    pub(super) place: Place,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pain {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) elicitation: Elicitation,
    #[serde(default)]
    pub(super) specific: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Raised {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) kind: ObjectionKind,
}

#[derive(Debug, Deserialize)]
pub(super) struct Given {
    #[serde(flatten)]
    pub(super) place: Place,
    pub(super) level: u8,
    pub(super) who: Giver,
    pub(super) status: CommitmentStatus,
}
