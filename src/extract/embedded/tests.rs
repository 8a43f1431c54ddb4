use super::*;
use proptest::prelude::*;

fn kinds(text: &str) -> Vec<ActKind> {
    read_post(text, None).acts.iter().map(|(act, ..)| act.kind()).collect()
}

#[test]
fn the_shipped_weights_can_be_read() {
    assert!(SHIPPED.is_some());
}

#[test]
fn acts_are_found_in_plain_cases() {
    for (text, kind) in [
        ("The export fails every time and we lose a day re-entering it by hand.", ActKind::Complaint),
        ("We tried a shared spreadsheet but it broke whenever two people edited it.", ActKind::FailedWorkaround),
        ("Is there any tool that can sync the two calendars? Looking for recommendations.", ActKind::Ask),
        ("We switched from JobHarbor to VanBoard last month because the app kept crashing.", ActKind::Switch),
    ] {
        assert!(kinds(text).contains(&kind), "{text}: {:?}", kinds(text));
    }
    for text in ["ok thanks", "lol", "Good morning everyone", "The meeting is on Tuesday at ten."] {
        assert_eq!(kinds(text), [], "{text}");
    }
}

#[test]
fn a_failed_workaround_says_what_was_tried_and_what_came_of_it() {
    let reading = read_post("We tried a shared spreadsheet but it broke whenever two people edited it.", None);
    let found = reading.acts.iter().find_map(|(act, ..)| match act {
        Act::FailedWorkaround { means: Some(means), why_failed: Some(why) } => Some((means.quote(), why.quote())),
        _ => None,
    });
    assert_eq!(found, Some(("We tried a shared spreadsheet", "but it broke whenever two people edited it.")));
}

#[test]
fn other_languages_are_kept_and_not_read() {
    let text = "Seit dem letzten Update funktioniert der Export leider überhaupt nicht mehr, und niemand antwortet auf meine Fragen.";
    let reading = read_post(text, None);
    assert_eq!((reading.lang, reading.voice, reading.acts.len()), (Some("deu"), Voice::Unclear, 0));
}

proptest! {
    #[test]
    fn any_text_is_read_into_slices_of_itself(text in "\\PC{0,300}") {
        let reading = read_post(&text, None);
        prop_assert_eq!(&reading, &read_post(&text, None));
        let quotes = reading.acts.iter().map(|(_, e, _)| e).chain(reading.texture.iter().map(|s| &s.evidence));
        for evidence in quotes {
            prop_assert_eq!(evidence.quote(), &text[evidence.span().range()]);
        }
        prop_assert!(reading.acts.iter().all(|(_, _, p)| (0.0..=1.0).contains(p)));
    }
}
