//! Promises, steps that only a note vouches for and the channel, counted from a real store.

use super::super::super::cells::{Promises, Standing};
use super::*;

fn gives(text: &str, level: u8, status: CommitmentStatus, corroboration: Corroboration) -> Commitment {
    let who = Giver::Buyer;
    Commitment { evidence: cut(text), level, currency: Currency::Time, who, status, corroboration, due: None }
}

/// As [`gives`], promised for the day that `due` names.
fn promises(text: &str, level: u8, due: &str) -> Commitment {
    let at = text.find(due).unwrap();
    let due = Evidence::cut(text, Span::new(text, at, at + due.len()).unwrap(), Fit::Exact);
    Commitment { due, ..gives(text, level, CommitmentStatus::Promised, Corroboration::NoteOnly) }
}

fn entered(id: &str, account: usize, kind: NoteKind, days: i64, text: &str) -> Note {
    let (note, ..) = self::account(account).swap_remove(0);
    Note { id: NoteId::new(id), kind, written_at: Some(written(days)), text: text.to_owned(), ..note }
}

/// Adds notes with the commitments that they tell of.
async fn tell(world: &World, notes: &[(Note, Vec<Commitment>)]) {
    let texts = notes.iter().map(|(note, _)| note.clone()).collect::<Vec<_>>();
    let readings = notes
        .iter()
        .map(|(note, commitments)| {
            (note.id.clone(), NoteReading { commitments: commitments.clone(), ..NoteReading::default() })
        })
        .collect::<Vec<_>>();
    world.store.write_notes(&texts, &[]).await.unwrap();
    world.store.write_note_readings(&recipes().note, &readings).await.unwrap();
}

async fn found(world: &World, account: usize) -> Standing {
    let id = format!("acct {account:03}");
    world.cells(all_different).await.accounts.iter().find(|a| a.id == id).unwrap().found
}

#[tokio::test]
async fn promises_and_note_only_steps_are_counted() {
    use CommitmentStatus::{Asked, Kept, Missed, Promised, Refused};
    use Corroboration::NoteOnly;
    let mut world = world(1).await;
    let before = found(&world, 1).await;
    assert_eq!((before.promises, before.claimed, before.channel), (Promises::default(), false, Some(NoteKind::Call)));

    let made = "She sends the roster by Friday, he gets back after summer";
    let ours = Commitment { who: Giver::Us, ..gives("We mail the deck", 2, Kept, NoteOnly) };
    let kept = entered("k1", 1, NoteKind::Call, 60, "The roster came");
    let notes = [
        (
            entered("k0", 1, NoteKind::Call, 65, made),
            vec![gives(made, 2, Promised, NoteOnly), gives(made, 1, Promised, NoteOnly)],
        ),
        (kept.clone(), vec![gives("The roster came", 2, Kept, NoteOnly)]),
        (entered("k2", 1, NoteKind::Meeting, 55, "No show"), vec![gives("No show", 3, Missed, NoteOnly)]),
        (
            entered("k3", 1, NoteKind::Note, 50, "We mail the deck"),
            vec![
                ours,
                gives("We mail the deck", 4, Asked, NoteOnly),
                gives("We mail the deck", 4, Refused, NoteOnly),
                gives("We mail the deck", 0, Promised, NoteOnly),
            ],
        ),
        // After the window.
        (entered("k4", 1, NoteKind::Note, 20, "It came too"), vec![gives("It came too", 2, Kept, NoteOnly)]),
    ];
    tell(&world, &notes).await;
    let told = found(&world, 1).await;
    assert_eq!(told.promises, Promises { kept: 1, missed: 1, untold: 0, undated: 1, all: 3 });
    assert!(told.claimed && !told.backed && told.strong);
    let once = world.compare().await;
    let split = once.optimism.split.clone().unwrap();
    assert_eq!((split.kept.hits, split.kept.of, split.undated.hits, split.undated.of), (1, 2, 1, 3));
    assert_eq!((split.note_only.hits, split.note_only.of, split.note_only.low), (1, 62, None));
    assert_eq!((split.asked.hits, split.asked.of), (31, 62));

    // The same note twice, as when it hangs on a deal and on a person.
    let copy = Note { id: NoteId::new("k1 again"), ..kept };
    tell(&world, &[(copy, vec![gives("The roster came", 2, Kept, NoteOnly)])]).await;
    let twice = world.compare().await;
    assert_eq!((&once.optimism, &once.segments), (&twice.optimism, &twice.segments));

    // Labels tell what is backed, and nothing of promises or of who vouches for them.
    let text = "Contract signed";
    let signed = entered("k5", 1, NoteKind::System, 45, text);
    tell(&world, &[(signed, vec![gives(text, 5, Kept, Corroboration::SystemEvent)])]).await;
    for id in ["k0", "k1", "k1 again", "k2", "k3", "k5"] {
        let line = serde_json::json!({
            "side": "crm", "item": id, "annotator": "x", "problems": [], "interest": null, "backed": false, "asked": false,
        });
        writeln!(world.labels, "{line}").unwrap();
    }
    let found = found(&world, 1).await;
    assert!(found.claimed && found.backed);
    assert_eq!(found.promises, Promises { kept: 2, missed: 1, untold: 0, undated: 1, all: 4 });
    assert_eq!(world.compare().await.optimism.split.unwrap().note_only.hits, 0, "a system vouches for a step now");
    world.import().await;
    let measured = world.compare().await;
    assert_eq!(measured.labels.crm, 62);
    assert_eq!(measured.optimism.split.unwrap().note_only.hits, 1, "whoever labelled it does not think so");
    let cells = world.cells(all_different).await;
    let gold = cells.accounts.iter().find(|a| a.id == "acct 001").unwrap().gold.unwrap();
    assert_eq!(gold, Standing { backed: false, ..found });
}

#[tokio::test]
async fn the_channel_is_that_of_the_first_strong_claim() {
    let world = world(1).await;
    let claim = |id: &str, kind, days, level| {
        let note = entered(id, 3, kind, days, &format!("they feel like {level} on day {days}"));
        let reading = NoteReading { interest: Interest::new(level), ..NoteReading::default() };
        (note, reading)
    };
    let added = [
        claim("c1", NoteKind::Meeting, 90, 2),
        claim("c2", NoteKind::Email, 80, 4),
        claim("c3", NoteKind::Note, 60, 4),
    ];
    world.store.write_notes(&added.clone().map(|(note, _)| note), &[]).await.unwrap();
    let readings = added.map(|(note, reading)| (note.id, reading));
    world.store.write_note_readings(&recipes().note, &readings).await.unwrap();
    assert_eq!(found(&world, 3).await.channel, Some(NoteKind::Email));
    let channels = world.compare().await.segments;
    let of = |name: &str| channels.iter().find(|s| s.name == name).unwrap().unbacked.of;
    assert_eq!((of("call"), of("email")), (61, 1));
    assert_eq!((of("rep 1"), of("rep 4")), (16, 15));
}

/// The window ends on 2026-06-22; day 65 before the first of August is 28 May, a Thursday.
#[tokio::test]
async fn a_promise_counts_when_its_day_has_passed() {
    use CommitmentStatus::{Kept, Missed, Promised};
    use Corroboration::NoteOnly;
    let world = world(1).await;
    let note = |id: &str, days: i64, text: &str| entered(id, 1, NoteKind::Call, days, text);
    let (soon, late, vague) = ("Trial data by Friday", "Signs by 20 July", "Intro to the board, he said");
    let made = [
        (note("m1", 65, soon), vec![promises(soon, 4, "Friday")]),
        (note("m2", 64, late), vec![promises(late, 5, "20 July")]),
        (note("m3", 63, vague), vec![gives(vague, 3, Promised, NoteOnly)]),
    ];
    tell(&world, &made).await;
    let open = found(&world, 1).await.promises;
    assert_eq!(open, Promises { kept: 0, missed: 0, untold: 1, undated: 1, all: 3 }, "20 July is to come");

    let answers = [
        (note("a1", 60, "No data came"), vec![gives("No data came", 4, Missed, NoteOnly)]),
        (note("a2", 59, "Signed already"), vec![gives("Signed already", 5, Kept, NoteOnly)]),
        (note("a3", 58, "Met the board"), vec![gives("Met the board", 3, Kept, NoteOnly)]),
    ];
    tell(&world, &answers).await;
    let told = found(&world, 1).await.promises;
    assert_eq!(told, Promises { kept: 1, missed: 1, untold: 0, undated: 0, all: 3 }, "kept early is not due");
}

#[tokio::test]
async fn segments_of_the_crm_divide_the_accounts() {
    let world = world(1).await;
    let named = |i: usize| match i {
        0..30 => Some("Heating"),
        30..60 => Some("Plumbing"),
        60 => Some("REP 1"),
        _ => None,
    };
    let segment = |i: usize| {
        let account = AccountId::new(format!("acct {i:03}"));
        Some(crate::model::Segment { account, name: named(i)?.to_owned() })
    };
    let segments = (0..ACCOUNTS).filter_map(segment).collect();
    world.store.write_crm(&crate::store::CrmBatch { segments, ..Default::default() }).await.unwrap();
    let answer = world.compare().await;
    let segments = answer.segments.iter().filter(|s| s.by == "segment");
    let counts = segments.map(|s| (s.name.as_str(), s.unbacked.of)).collect::<Vec<_>>();
    assert_eq!(counts, [("Heating", 30), ("Plumbing", 30)]);
    for says in [
        "For 1 account the CRM’s segment is what a rep",
        "2 of 62 accounts whose notes claim strong interest have no segment",
    ] {
        assert!(answer.caveats.iter().any(|c| c.starts_with(says)), "{says}: {:?}", answer.caveats);
    }
}
