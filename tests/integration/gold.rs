//! The reader over real, labelled posts, where a checkout has them beside it; they are not part of the project.

use candor::eval::posts::Bench;
use candor::eval::truth::read_posts;
use candor::extract::embedded::read_post;
use candor::model::ActKind;

use crate::harness::repo;

#[test]
fn real_labelled_posts_are_read_as_well_as_they_were() {
    let path = repo("../shared/data/gold/dev.jsonl");
    if !path.exists() {
        println!("skipped: there are no labelled posts at {}", path.display());
        return;
    }
    let posts = read_posts(&[path]).expect("labelled posts");
    let readings = posts.iter().map(|p| read_post(&p.post.text, p.post.context.as_deref())).collect::<Vec<_>>();
    let scores = Bench::new(&posts).readings(&readings);
    // The weights have seen these posts, so this guards against breaking, not against over-fitting; `eval` has the held-out figures.
    for (act, least) in [(ActKind::Complaint, 0.75), (ActKind::FailedWorkaround, 0.65), (ActKind::Ask, 0.6)] {
        let of_act = scores.iter().find(|s| s.measure == "f1" && s.act == act.as_str());
        let f1 = of_act.and_then(|s| s.value).expect("a score");
        assert!(f1 >= least, "{}: F1 {f1:.3}", act.as_str());
    }
}
