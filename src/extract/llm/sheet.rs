//! The sheet of a post, as it is asked for and as it comes back.

use serde::Deserialize;

use crate::llm::outgoing::{Finder, Place};
use crate::llm::sheet::{Claim, Form, Sheet};
use crate::model::{Act, AskKind, Evidence, Severity, Slot, SwitchStage, Voice};

/// Most claims of one kind about one window of a post.
const MOST: usize = 3;

/// Most texture slots stated in one window.
const MOST_SLOTS: usize = 5;

const fn claim(name: &'static str, details: &'static [(&'static str, Form)]) -> Claim {
    Claim { name, most: MOST, placed: true, details }
}

/// The sheet of a post.
pub(super) const POST_SHEET: Sheet = Sheet {
    first: &[(
        "voice",
        Form::OneOf(&["first_hand", "second_hand", "generic", "hypothetical", "vendor_or_promo", "unclear"]),
    )],
    claims: &[
        claim("complaint", &[("severity", Form::OneOf(&["no_reproach", "disapproval", "accusation", "blame"]))]),
        claim("failed_workaround", &[("means", Form::Words), ("why_failed", Form::Words)]),
        claim("workaround", &[("means", Form::Words)]),
        claim("ask", &[("kind", Form::OneOf(&["feature", "tool_recommendation", "how", "price"]))]),
        claim(
            "switch",
            &[
                ("stage", Form::OneOf(&["considering", "decided", "done", "reversed"])),
                ("from", Form::Words),
                ("to", Form::Words),
                ("reason", Form::Words),
            ],
        ),
        claim("praise", &[]),
        Claim {
            name: "texture",
            most: MOST_SLOTS,
            placed: false,
            details: &[
                (
                    "slot",
                    Form::OneOf(&[
                        "actor_role",
                        "trigger_situation",
                        "tools_involved",
                        "frequency",
                        "duration",
                        "cost_time",
                        "cost_money",
                        "stakes",
                        "already_pays",
                    ]),
                ),
                ("words", Form::Words),
            ],
        },
    ],
    last: &[],
};

/// A filled sheet. Lists that a server without strict schemas leaves out are empty.
#[derive(Debug, Deserialize)]
pub(super) struct PostSheet {
    pub(super) voice: Voice,
    #[serde(default)]
    complaint: Vec<Complaint>,
    #[serde(default)]
    failed_workaround: Vec<FailedWorkaround>,
    #[serde(default)]
    workaround: Vec<Workaround>,
    #[serde(default)]
    ask: Vec<Ask>,
    #[serde(default)]
    switch: Vec<Switch>,
    #[serde(default)]
    praise: Vec<Praise>,
    #[serde(default)]
    pub(super) texture: Vec<Stated>,
}

#[derive(Debug, Deserialize)]
struct Complaint {
    #[serde(flatten)]
    place: Place,
    severity: Severity,
}

#[derive(Debug, Deserialize)]
struct FailedWorkaround {
    #[serde(flatten)]
    place: Place,
    #[serde(default)]
    means: String,
    #[serde(default)]
    why_failed: String,
}

#[derive(Debug, Deserialize)]
struct Workaround {
    #[serde(flatten)]
    place: Place,
    #[serde(default)]
    means: String,
}

#[derive(Debug, Deserialize)]
struct Ask {
    #[serde(flatten)]
    place: Place,
    kind: AskKind,
}

#[derive(Debug, Deserialize)]
struct Switch {
    #[serde(flatten)]
    place: Place,
    stage: SwitchStage,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Praise {
    #[serde(flatten)]
    place: Place,
}

/// A texture slot with the words that state it.
#[derive(Debug, Deserialize)]
pub(super) struct Stated {
    pub(super) slot: Slot,
    pub(super) words: String,
}

impl PostSheet {
    /// The acts whose words were found.
    pub(super) fn acts(&self, finder: &mut Finder<'_>) -> Vec<(Act, Evidence)> {
        let mut acts = Vec::new();
        for Complaint { place, severity } in &self.complaint {
            acts.extend(finder.place(place).map(|evidence| (Act::Complaint { severity: *severity }, evidence)));
        }
        for FailedWorkaround { place, means, why_failed } in &self.failed_workaround {
            if let Some(evidence) = finder.place(place) {
                let (means, why_failed) = (finder.words(means, place), finder.words(why_failed, place));
                acts.push((Act::FailedWorkaround { means, why_failed }, evidence));
            }
        }
        for Workaround { place, means } in &self.workaround {
            if let Some(evidence) = finder.place(place) {
                acts.push((Act::Workaround { means: finder.words(means, place) }, evidence));
            }
        }
        for Ask { place, kind } in &self.ask {
            acts.extend(finder.place(place).map(|evidence| (Act::Ask { kind: *kind }, evidence)));
        }
        for Switch { place, stage, from, to, reason } in &self.switch {
            if let Some(evidence) = finder.place(place) {
                let (from, to) = (finder.words(from, place), finder.words(to, place));
                let reason = finder.words(reason, place);
                acts.push((Act::Switch { from, to, stage: *stage, reason }, evidence));
            }
        }
        for Praise { place } in &self.praise {
            acts.extend(finder.place(place).map(|evidence| (Act::Praise, evidence)));
        }
        acts
    }
}
