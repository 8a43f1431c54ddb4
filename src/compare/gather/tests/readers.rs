//! Several readers of the same posts and notes, from a real store.

use super::*;

/// Another reader who finds the same, sorted into the same list where `sorted`.
async fn reads_too(world: &World, name: &str, sorted: bool) {
    let recipe = Recipe::new(name, &["other inputs"]);
    let signals = world.store.signals(&recipes().post, "", 10_000).await.unwrap();
    let readings = signals.iter().map(|s| (s.signal.post.clone(), complains(&s.text))).collect::<Vec<_>>();
    world.store.write_post_readings(&recipe, &readings).await.unwrap();
    if sorted {
        let mine = world.store.signals(&recipe, "", 10_000).await.unwrap();
        let assignments = mine.iter().map(|s| assign(Side::Community, s.signal.id.as_str(), &s.text));
        let (codebook, _) = world.store.codebook().await.unwrap().unwrap();
        let assignments = assignments.collect::<Vec<_>>();
        world.store.write_codebook(&codebook, &assignments, &Origin::default(), now()).await.unwrap();
    }
}

#[tokio::test]
async fn every_pair_of_readers_is_compared() {
    let world = world(1).await;
    world.import().await;
    assert!(world.compare().await.multiverse.is_none(), "nobody else has read");
    reads_too(&world, "alike", true).await;
    reads_too(&world, "unsorted", false).await;
    let two = world.compare().await.multiverse.unwrap();
    assert_eq!(two.readers.len(), 2);
    assert!(two.readers[0].starts_with("reader+") && two.readers[1].starts_with("alike+"), "{:?}", two.readers);
    let leaks = two.problems.iter().find(|p| p.id == "leaks").unwrap();
    assert_eq!((leaks.same_verdict, leaks.same_sign, leaks.stable), (counts(2, 2), counts(2, 2), true));
    assert!(
        two.left_out[0].contains("that unsorted+") && two.left_out[0].contains("0 are sorted"),
        "{:?}",
        two.left_out
    );
    assert_eq!(two.left_out.len(), 1);
}

fn counts(hits: u64, of: u64) -> crate::model::comparison::CountsV1 {
    crate::model::comparison::CountsV1 { hits, of }
}

#[tokio::test]
async fn who_has_read_little_is_not_compared() {
    let world = world(1).await;
    let recipe = Recipe::new("hasty", &[]);
    let signals = world.store.signals(&recipes().post, "", 5).await.unwrap();
    let readings = signals.iter().map(|s| (s.signal.post.clone(), complains(&s.text))).collect::<Vec<_>>();
    world.store.write_post_readings(&recipe, &readings).await.unwrap();
    let multiverse = world.compare().await.multiverse.unwrap();
    assert_eq!(multiverse.readers.len(), 1);
    assert!(multiverse.left_out[0].starts_with("hasty+") && multiverse.left_out[0].contains("has read 5 posts"));
}

/// What another reader's side is made of is what the whole comparison by that reader would make of it.
#[tokio::test]
async fn one_side_by_another_reader_is_that_side_read_anew() {
    let world = world(1).await;
    world.import().await;
    reads_too(&world, "alike", true).await;
    // Of posts it finds half.
    let half = Recipe::new("half", &[]);
    let signals = world.store.signals(&recipes().post, "", 30).await.unwrap();
    let readings = signals.iter().map(|s| (s.signal.post.clone(), complains(&s.text))).collect::<Vec<_>>();
    world.store.write_post_readings(&half, &readings).await.unwrap();
    // And of notes nothing.
    let mute = Recipe::new("mute", &[]);
    let notes = world.store.notes(&recipes().note).await.unwrap().into_iter();
    let silent = notes.map(|n| (n.note.id, NoteReading::default())).collect::<Vec<_>>();
    world.store.write_note_readings(&mute, &silent).await.unwrap();

    let settings = CompareSettings::default();
    let anew = async |recipes: &Recipes| gather(&world.store, recipes, &settings, now(), all_different).await.unwrap();
    let mut read = read(&world.store, &recipes(), &settings, now(), all_different).await.unwrap();
    let own = read.own_cells(&world.store).await.unwrap();
    let people = read.by_post_reader(&world.store, &half, all_different, &own).await.unwrap();
    let fresh = anew(&Recipes { post: half, ..recipes() }).await;
    assert_eq!(people.community.0.len(), 30);
    assert_eq!((&people.community, &people.kinds, &people.crm), (&fresh.community, &fresh.kinds, &own.crm));
    assert_eq!(people.population, fresh.population);
    let firms = read.by_note_reader(&world.store, &mute, &own).await.unwrap();
    let fresh = anew(&Recipes { note: mute, ..recipes() }).await;
    assert_eq!((&firms.crm, &firms.accounts, &firms.deals), (&fresh.crm, &fresh.accounts, &fresh.deals));
    assert_eq!((&firms.community, firms.population), (&own.community, fresh.population));
    assert!(own.accounts.iter().any(|a| a.found.strong) && firms.accounts.iter().all(|a| !a.found.strong));
}

#[tokio::test]
async fn an_older_version_of_a_reader_is_not_compared() {
    let world = world(1).await;
    reads_too(&world, "reader", true).await;
    assert!(world.compare().await.multiverse.is_none(), "the same reader by other inputs is an older version");
}
