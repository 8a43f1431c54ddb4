//! Hand labels read otherwise, from a real store.

use super::*;
use crate::model::comparison::RelabelledV1;

/// The labels with `more` at the end of each line of the first `n` people with leaks.
fn marked(labels: &str, n: usize, more: &str) -> String {
    let leaks = (0..PEOPLE).filter(|author| author % 5 < 2).take(n).collect::<Vec<_>>();
    let is_marked = |line: &str| leaks.iter().any(|author| line.contains(&format!("\"jsonl:p{author}-0\"")));
    let line = |line: &str| match line.strip_suffix('}') {
        Some(head) if is_marked(line) => format!("{head}{more}}}\n"),
        _ => format!("{line}\n"),
    };
    labels.lines().map(line).collect()
}

fn verdict<'a>(run: &'a RelabelledV1, id: &str) -> &'a str {
    run.problems.iter().chain(&run.components).find(|gap| gap.id == id).map(|gap| gap.verdict.as_str()).unwrap()
}

#[tokio::test]
async fn a_finding_that_rests_on_contested_labels_says_so() {
    let mut world = world(1).await;
    world.labels = marked(&world.labels, 22, r#","contested":true"#);
    world.import().await;
    let comparison = world.compare().await;
    let leaks = comparison.problems.iter().find(|p| p.id == "leaks").unwrap();
    assert_eq!(leaks.verdict, "silent");
    let [no, yes] = comparison.relabelled.as_slice() else { panic!("{:?}", comparison.relabelled) };
    assert_eq!((no.items, yes.items), (22, 22));
    let shares = |run: &RelabelledV1| run.problems.iter().find(|p| p.id == "leaks").unwrap().shares.unwrap()[0];
    assert!((shares(no) - 2.0 / 60.0).abs() < 1e-9 && (shares(yes) - 24.0 / 60.0).abs() < 1e-9);
    assert_eq!(no.changed, ["leaks", "coverage"]);
    assert_ne!(verdict(no, "leaks"), "silent");
    assert_eq!((verdict(yes, "leaks"), yes.changed.len()), ("silent", 0));
    let says = comparison.caveats.iter().filter(|c| c.contains("read otherwise")).collect::<Vec<_>>();
    assert_eq!(says.len(), 2);
    assert!(says[0].starts_with("“leaks again” is called silent, and is not"), "{says:?}");
}

#[tokio::test]
async fn each_annotator_is_heard_alone() {
    let mut world = world(1).await;
    // A second person reads rust where the first reads leaks, in all but two; the adjudicator agrees with the first.
    let second = marked(&world.labels, 22, "").replace("\"annotator\":\"x\"", "\"annotator\":\"y\"");
    let leaks =
        (0..PEOPLE).filter(|author| author % 5 < 2).take(22).map(|a| format!("\"jsonl:p{a}-0\"")).collect::<Vec<_>>();
    let other = second.lines().filter(|line| leaks.iter().any(|id| line.contains(id)));
    let other = other.map(|line| line.replace("[\"leaks\"]", "[\"rust\"]")).collect::<Vec<_>>();
    let settled = other.iter().map(|line| {
        line.replace("\"annotator\":\"y\"", "\"annotator\":\"adjudicator\"").replace("[\"rust\"]", "[\"leaks\"]")
    });
    world.labels += &other.iter().cloned().chain(settled).map(|line| line + "\n").collect::<String>();
    world.import().await;
    let comparison = world.compare().await;
    let runs = comparison.relabelled.iter().map(|r| (r.what.as_str(), r.items, r.changed.len())).collect::<Vec<_>>();
    assert_eq!(
        runs,
        [
            ("annotator 1 of 2 alone, wherever they labelled", 0, 0),
            ("annotator 2 of 2 alone, wherever they labelled", 22, 2)
        ],
        "what is settled is not contested"
    );
}

#[tokio::test]
async fn labels_that_can_be_read_one_way_only_are_read_once() {
    let world = world(1).await;
    assert!(world.compare().await.relabelled.is_empty(), "there is no label");
    world.import().await;
    assert!(world.compare().await.relabelled.is_empty());
}
