//! Several readers of the same posts and notes, from a real store.

use super::*;

/// Another reader who finds the same, sorted into the same list where `sorted`.
async fn reads_too(world: &World, name: &str, sorted: bool) {
    let recipe = Recipe::new(name, &[]);
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
