//! The reader over real, labelled posts, where a checkout has them beside it; they are not part of the project.

use std::fs::File;
use std::io::BufReader;

use candor::extract::embedded::read_post;
use candor::extract::score::{read_truth, score};
use candor::model::ActKind;

use crate::harness::repo;

#[test]
fn real_labelled_posts_are_read_as_well_as_they_were() {
    let path = repo("../shared/data/gold/dev.jsonl");
    let Ok(file) = File::open(&path) else {
        println!("skipped: there are no labelled posts at {}", path.display());
        return;
    };
    let posts = read_truth(BufReader::new(file)).expect("labelled posts");
    let card = score(&posts, |post| read_post(&post.text, post.context.as_deref()));
    // The weights have seen these posts, so this guards against breaking, not against over-fitting; `eval` has the held-out figures.
    for (act, least) in [(ActKind::Complaint, 0.75), (ActKind::FailedWorkaround, 0.65), (ActKind::Ask, 0.6)] {
        let f1 = card.acts[&act].f1();
        assert!(f1 >= least, "{}: F1 {f1:.3}", act.as_str());
    }
}
