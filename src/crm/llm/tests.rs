use serde_json::{Value, json};

use super::*;
use crate::config::Protocol;
use crate::llm::Question;
use crate::model::{CommitmentStatus, Elicitation, NoteClaim, ObjectionKind};

const NOTE: &str = "She said it is gorgeous. Last Tuesday they lost nine orders. Too pricey. She sends the roster by Friday. I mail the deck.";

fn reader(protocol: Protocol, pack: usize, script: impl Fn(&Question) -> Value + Send + Sync + 'static) -> Reader {
    let asking = Asking { protocol, pack, ..Asking::default() };
    Reader::new(Arc::new(Model::scripted(script)), asking, Names::default(), [7; 32])
}

/// The same, looking at each claim a second time.
fn judging(script: impl Fn(&Question) -> Value + Send + Sync + 'static) -> Reader {
    let asking = Asking { judge: true, ..Asking::default() };
    Reader::new(Arc::new(Model::scripted(script)), asking, Names::default(), [7; 32])
}

fn note(text: &str, kind: NoteKind) -> NoteText<'_> {
    NoteText { id: "n1", kind, text }
}

fn sheet(fields: Value) -> Value {
    let mut sheet = json!({
        "interest": null, "compliments": [], "fluff": [], "pains": [], "objections": [], "commitments": [], "asked": false,
    });
    let Value::Object(fields) = fields else { panic!("no object") };
    for (name, value) in fields {
        sheet[name] = value;
    }
    sheet
}

#[tokio::test]
async fn both_protocols_come_to_the_same_reading() {
    let place = |protocol, at: u32, quote: &str| match protocol {
        Protocol::Point => json!({ "at": at }),
        Protocol::Copy => json!({ "quote": quote }),
    };
    let mut readings = Vec::new();
    for protocol in Protocol::ALL {
        let reader = reader(protocol, 1, move |_| {
            let with = |at, quote, more: Value| {
                let mut claim = place(protocol, at, quote);
                more.as_object().unwrap().iter().for_each(|(name, value)| claim[name] = value.clone());
                claim
            };
            let given = |at, quote, level: u8, who: &str| {
                with(at, quote, json!({ "level": level, "who": who, "status": "promised" }))
            };
            sheet(json!({
                "interest": 3,
                "compliments": [place(protocol, 1, "She said it is gorgeous.")],
                "pains": [with(2, "Last Tuesday they lost nine orders.", json!({ "elicitation": "volunteered", "specific": true }))],
                "objections": [with(3, "Too pricey.", json!({ "kind": "price" }))],
                "commitments": [given(4, "She sends the roster by Friday.", 2, "buyer"), given(5, "I mail the deck.", 4, "us")],
                "asked": true,
            }))
        });
        readings.push(reader.read(&[note(NOTE, NoteKind::Call)]).await.remove(0).unwrap());
    }
    assert_eq!(readings[0], readings[1]);
    let reading = &readings[0].reading;
    assert_eq!((reading.interest.map(Interest::level), reading.asked, reading.rejected), (Some(3), true, 0));
    assert_eq!(reading.compliments[0].quote(), "She said it is gorgeous.");
    assert_eq!((reading.pains[0].elicitation, reading.pains[0].specific), (Elicitation::Volunteered, true));
    assert_eq!(reading.objections[0].kind, ObjectionKind::Price);
    let given: Vec<_> = reading.commitments.iter().map(|c| (c.level, c.currency, c.who, c.corroboration)).collect();
    let expected = [
        (2, Currency::Time, Giver::Buyer, Corroboration::NoteOnly),
        // Whatever the model says, our own promise stands on the lowest rung.
        (0, Currency::None, Giver::Us, Corroboration::NoteOnly),
    ];
    assert_eq!(given, expected);
    assert_eq!(reading.commitments[0].status, CommitmentStatus::Promised);
}

#[tokio::test]
async fn the_kind_of_record_says_what_vouches_for_it() {
    let kept = |at: u32| json!({ "at": at, "level": 5, "who": "buyer", "status": "kept" });
    let reader = reader(Protocol::Point, 1, move |_| {
        sheet(json!({ "interest": 4, "fluff": [{ "at": 1 }], "commitments": [kept(1)] }))
    });
    for (text, kind, expected) in [
        ("Invoice 12 paid.", NoteKind::System, Corroboration::SystemEvent),
        ("Invoice 12 paid.", NoteKind::Note, Corroboration::NoteOnly),
        ("From Ines: \"The invoice is paid.\"", NoteKind::Email, Corroboration::BuyerWritten),
        ("They say that the invoice is paid.", NoteKind::Email, Corroboration::NoteOnly),
    ] {
        let read = reader.read(&[note(text, kind)]).await.remove(0).unwrap();
        assert_eq!(read.reading.commitments[0].corroboration, expected, "{text}");
        let claims_nothing = read.reading.interest.is_none() && read.reading.fluff.is_empty();
        assert_eq!(claims_nothing, kind == NoteKind::System);
    }
}

#[tokio::test]
async fn a_quote_of_the_neighbour_is_rejected() {
    let reader = reader(Protocol::Copy, 2, |_| {
        let theirs = json!({ "interest": null, "compliments": [{ "quote": "She said it is gorgeous." }] });
        json!({ "p1": sheet(theirs.clone()), "p2": sheet(theirs) })
    });
    let notes = [note(NOTE, NoteKind::Call), note("Left a message at the desk.", NoteKind::Call)];
    let read: Vec<Read> = reader.read(&notes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!((read[0].reading.compliments.len(), read[0].quotes.rejected), (1, 0));
    assert_eq!((read[1].reading.compliments.len(), read[1].reading.rejected), (0, 1));
}

#[test]
fn whatever_the_sheet_admits_is_understood() {
    let sheets = NOTE_SHEET.every_choice();
    assert_eq!(sheets.len(), 9, "as many as there are kinds of objections");
    for sheet in sheets {
        let read = serde_json::from_value::<NoteSheet>(sheet.clone());
        assert!(read.is_ok(), "{read:?}: {sheet}");
    }
}

/// Each kind of claim by its own question, of the words and their neighbours alone; what is refused is kept and counts nowhere.
#[tokio::test]
async fn what_a_second_look_refuses_is_kept_apart() {
    let reader = judging(|question| {
        if question.prompt == "read_note" {
            let promised = |at: u32| json!({ "at": at, "level": 2, "who": "buyer", "status": "promised" });
            return sheet(json!({
                "interest": 3,
                "compliments": [{ "at": 1 }],
                "fluff": [{ "at": 1 }],
                "pains": [{ "at": 2, "elicitation": "volunteered", "specific": true }],
                "objections": [{ "at": 3, "kind": "price" }, { "at": 4, "kind": "timing" }],
                "commitments": [promised(4), promised(2)],
            }));
        }
        assert_eq!(question.prompt, "judge_note");
        let shows = |text: &str, number: u32| {
            question.user.contains(text) && question.user.ends_with(&format!("Does [{number}] show it?"))
        };
        let shown = match () {
            () if shows("praise the product", 1) => "yes",
            () if shows("generic", 1) => "no",
            () if shows("a problem in their own work", 2) => "no",
            () if shows("a reason against going on", 2) && question.user.contains("[2] Too pricey.") => "unclear",
            () if shows("costs time, reputation or money", 2) && question.user.contains("[2] She sends") => "yes",
            () => "no",
        };
        json!({ "shown": shown })
    });
    let reading = reader.read(&[note(NOTE, NoteKind::Call)]).await.remove(0).unwrap().reading;
    let standing: Vec<_> =
        reading.claims().map(|(claim, words)| (claim, words.quote(), reading.support(claim, words))).collect();
    let expected = [
        (NoteClaim::Compliment, "She said it is gorgeous.", Some(Support::Supported)),
        (NoteClaim::Objection, "Too pricey.", Some(Support::Unclear)),
        (NoteClaim::Commitment, "She sends the roster by Friday.", Some(Support::Supported)),
    ];
    assert_eq!(standing, expected);
    let refused: Vec<_> = reading.refused().map(|look| (look.claim, look.evidence.quote())).collect();
    let expected = [
        (NoteClaim::Fluff, "She said it is gorgeous."),
        (NoteClaim::Pain, "Last Tuesday they lost nine orders."),
        (NoteClaim::Objection, "She sends the roster by Friday."),
        (NoteClaim::Commitment, "Last Tuesday they lost nine orders."),
    ];
    assert_eq!(refused, expected);
    assert_eq!(reading.interest.map(Interest::level), Some(3), "what quotes nothing is not looked at");
}

#[test]
fn looking_twice_is_another_recipe() {
    let script = |_: &Question| json!({});
    assert_ne!(reader(Protocol::Point, 1, script).recipe(), judging(script).recipe());
}

#[test]
fn instructions_and_examples_fit_a_small_context() {
    let counter = tiktoken_rs::o200k_base().unwrap();
    for protocol in Protocol::ALL {
        let reader = reader(protocol, 1, |_| json!({}));
        let examples = reader.standing.examples.iter().map(|(asked, answer)| format!("{asked}\n{answer}\n"));
        let tokens = counter.encode_ordinary(&format!("{}\n{}", reader.standing.system, examples.collect::<String>()));
        assert!(tokens.len() <= 1150, "{protocol:?} takes {} tokens", tokens.len());
    }
}
