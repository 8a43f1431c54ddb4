//! People who could be buyers, from a real store.

use super::*;
use crate::model::{Scope, Slot, SlotValue, TextureSlot};

fn scoped(communities: &[&str], roles: &[&str]) -> CompareSettings {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let scope = Scope { communities: names(communities), roles: names(roles) };
    CompareSettings { scope, ..CompareSettings::default() }
}

async fn compare(world: &World, settings: &CompareSettings) -> ComparisonV1 {
    run(&world.store, &recipes(), settings, now(), all_different, Progress::new(true)).await.unwrap().1
}

fn leaks(comparison: &ComparisonV1) -> &ProblemV1 {
    comparison.problems.iter().find(|p| p.id == "leaks").unwrap()
}

/// These people tell, on another day, who they are.
async fn introduce(world: &World, authors: std::ops::Range<usize>, role: &str) {
    let text = format!("I am the {role} here");
    let told = |author: usize| post(&format!("role{author}"), author, &text);
    let posts = authors.map(told).collect::<Vec<_>>();
    let from = text.len() - " here".len() - role.len();
    let evidence = Evidence::cut(&text, Span::new(&text, from, from + role.len()).unwrap(), Fit::Exact).unwrap();
    let slot = TextureSlot { slot: Slot::ActorRole, evidence, value: SlotValue::Text };
    let reading = PostReading { acts: Vec::new(), texture: vec![slot], ..complains(&text) };
    let readings = posts.iter().map(|post| (post.id.clone(), reading.clone())).collect::<Vec<_>>();
    world.store.write_batch(&Batch { posts, ..Batch::default() }).await.unwrap();
    world.store.write_post_readings(&recipes().post, &readings).await.unwrap();
}

#[tokio::test]
async fn a_scope_of_every_community_changes_nothing() {
    let world = world(1).await;
    for labelled in [false, true] {
        if labelled {
            world.import().await;
        }
        let everybody = world.compare().await;
        let mut all = compare(&world, &scoped(&["c0", "c1", "c2"], &[])).await;
        let scope = all.scope.take().expect("a scope");
        assert_eq!((scope.people.hits, scope.people.of, scope.other_role), (60, 60, 0));
        for problem in &mut all.problems {
            let there = problem.unfiltered.take().expect("all people beside it");
            assert_eq!((&there.community, &there.verdict), (&problem.community, &problem.verdict));
        }
        assert_ne!(all.config_hash, everybody.config_hash);
        let [said, nobody_said] = [&mut all, &mut everybody.clone()].map(|comparison| {
            let at =
                comparison.caveats.iter().position(|caveat| caveat.contains("[compare.scope]")).expect("it is told");
            comparison.caveats.remove(at)
        });
        assert!(
            said.contains("those who write in “c0” or “c1” or “c2”: 60 of 60 people with a problem. Shares"),
            "{said}"
        );
        assert!(nobody_said.starts_with("Nobody said which communities or roles could be buyers"));
        let mut everybody = everybody;
        everybody.caveats.retain(|caveat| *caveat != nobody_said);
        all.config_hash.clone_from(&everybody.config_hash);
        assert_eq!(all, everybody);
    }
}

#[tokio::test]
async fn all_people_stand_beside_those_in_scope() {
    let world = world(1).await;
    world.import().await;
    let everybody = world.compare().await;
    let some = compare(&world, &scoped(&["c0", "c1"], &[])).await;
    assert_eq!(some.population.problem_authors, 40);
    assert_eq!((some.population.authors, some.population.posts, some.population.communities), (40, 40, 2));
    assert_eq!(some.labels.community, 40, "a census is one of its parts too");
    assert_eq!(some.window, everybody.window);
    let (here, there) = (leaks(&some), leaks(&everybody));
    assert_eq!((here.community.hits, here.community.of), (16, 40));
    let beside = here.unfiltered.as_ref().unwrap();
    assert_eq!(
        (beside.community, beside.difference, &beside.verdict),
        (there.community, there.difference, &there.verdict)
    );
    assert_ne!(here.verdict, beside.verdict, "eight threads are too few");
    let scope = some.scope.as_ref().unwrap();
    assert_eq!((scope.people.hits, scope.people.of, scope.coverage.id.as_str()), (40, 60, "coverage"));
    assert_eq!(scope.coverage.verdict, everybody.components[0].verdict);
    let says = some.caveats.iter().find(|caveat| caveat.contains("[compare.scope]")).unwrap();
    assert!(says.contains("40 of 60 people with a problem. 20 people write elsewhere."), "{says}");
}

#[tokio::test]
async fn the_role_that_is_told_decides() {
    let world = world(1).await;
    // Of c0, c1 and c2 in turn.
    introduce(&world, 0..9, "office manager").await;
    introduce(&world, 9..15, "student").await;
    for (settings, inside, other_role) in [
        (scoped(&[], &["Manager"]), 9, 6),
        (scoped(&["c0"], &["manager"]), 9 + 20 - 3 - 2, 6),
        (scoped(&["c0"], &[]), 20, 0),
        (scoped(&[], &["office", "student"]), 15, 0),
    ] {
        let comparison = compare(&world, &settings).await;
        let scope = comparison.scope.as_ref().unwrap();
        assert_eq!((scope.people.hits, scope.people.of, scope.other_role), (inside, 60, other_role), "{settings:?}");
        assert_eq!(comparison.population.problem_authors, inside);
    }
    let comparison = compare(&world, &scoped(&[], &["manager", "managing director"])).await;
    let says = |words: &str| comparison.caveats.iter().any(|caveat| caveat.contains(words));
    assert!(
        says("Nobody tells a role with “managing director”") && says("the nearest are “office manager”, “student”")
    );
    assert!(says(
        "who tells none is left out: 9 of 60 people with a problem. Of 51 people left out 6 tell another role, 45 none."
    ));
}

#[tokio::test]
async fn a_community_that_nobody_collected_is_refused() {
    let world = world(1).await;
    let settings = scoped(&["c0", "C9"], &[]);
    let refused =
        run(&world.store, &recipes(), &settings, now(), all_different, Progress::new(true)).await.unwrap_err();
    let says = format!("{refused:#}");
    assert!(says.contains("compare.scope.communities names “C9”") && says.contains("“c0”, “c1”, “c2”"), "{says}");
    assert!(draw(&world.store, &recipes(), &settings, now(), all_different, 20).await.is_err());
}

/// A sample of all people is one of those in scope too; one of those in scope says nothing of the others.
#[tokio::test]
async fn a_sample_of_a_scope_corrects_that_scope_alone() {
    let mut world = world(1).await;
    // One person of c0 and one account are not labelled, so that nothing is a census; the others are enough for shares.
    told_earlier(&mut world, 200..260, 20, 40).await;
    let labels = world.labels.lines().filter(|l| !l.contains("\"jsonl:p0-0\"") && !l.contains("\"n001\""));
    world.labels = labels.collect::<Vec<_>>().join("\n");
    world.import().await;
    let (some, everybody) = (scoped(&["c0", "c1"], &[]), CompareSettings::default());
    let drawn = async |settings: &CompareSettings| {
        draw(&world.store, &recipes(), settings, now(), all_different, 1000).await.unwrap();
        let sample = world.store.sample().await.unwrap();
        sample.iter().filter(|unit| unit.side == Side::Community).count()
    };
    let labelled = |comparison: &ComparisonV1| {
        let beside = leaks(comparison).unfiltered.as_ref().map(|all| all.community.labels);
        (comparison.labels.community, beside, comparison.labels.crm)
    };
    let other = "The sample was drawn for another scope";

    assert_eq!(drawn(&everybody).await, 120);
    assert_eq!(labelled(&compare(&world, &some).await), (79, Some(119), 61));

    assert_eq!(drawn(&some).await, 80);
    let comparison = compare(&world, &some).await;
    assert_eq!(labelled(&comparison), (79, Some(0), 61));
    assert!(!comparison.caveats.iter().any(|caveat| caveat.starts_with(other)), "{:?}", comparison.caveats);
    for settings in [everybody, scoped(&["c0", "c1", "c2"], &[])] {
        let comparison = compare(&world, &settings).await;
        let (people, _, accounts) = labelled(&comparison);
        assert_eq!((people, accounts), (0, 61), "a scope is of people, and accounts are drawn of all");
        assert!(comparison.caveats.iter().any(|caveat| caveat.starts_with(other)), "{:?}", comparison.caveats);
    }
}
