//! What moved between two invented periods.

use super::super::tests::{LARGE, Shares, unlabelled, world};
use super::*;

const STILL: Shares = (0.20, 0.20);

fn earlier() -> Window {
    Window { since: "2026-01-01".parse().ok(), until: "2026-06-29".parse().ok(), why: "the 180 days before".to_owned() }
}

fn from_the_first_day() -> [Option<Date>; 2] {
    [earlier().since, earlier().since]
}

fn between(before: &Cells, after: &Cells) -> MovedV1 {
    moved(&earlier(), from_the_first_day(), before, after).unwrap()
}

fn of<'a>(moved: &'a MovedV1, id: &str) -> &'a MoveV1 {
    moved.problems.iter().find(|m| m.id == id).unwrap()
}

#[test]
fn a_planted_change_is_seen_where_it_was_planted() {
    let before = world(1, LARGE, &[(0.10, 0.20), STILL], 0.3);
    let after = world(2, LARGE, &[(0.30, 0.20), STILL], 0.9);
    let moved = between(&before, &after);
    assert_eq!(moved.missing, []);
    assert_eq!(moved.problems[0].id, "p00", "the largest change comes first");
    let planted = of(&moved, "p00");
    let change = planted.community.change.unwrap();
    assert!(planted.community.moved && change.low > 0.1 && change.low <= 0.2 && 0.2 <= change.high, "{change:?}");
    assert!(!planted.crm.moved && !of(&moved, "p01").community.moved && !of(&moved, "p01").crm.moved);
    let unbacked = moved.unbacked.unwrap();
    assert!(unbacked.moved && unbacked.change.unwrap().low > 0.2, "{unbacked:?}");
}

#[test]
fn equal_periods_seldom_move() {
    let runs = 20;
    let moving = (0..runs)
        .filter(|seed| {
            let [before, after] = [100 + seed, 200 + seed].map(|seed| world(seed, LARGE, &[STILL; 3], 0.5));
            let moved = between(&before, &after);
            let changes = moved.problems.iter().flat_map(|m| [m.community, m.crm]).chain(moved.unbacked);
            changes.into_iter().any(|change| change.moved)
        })
        .count();
    assert!(moving <= 5, "{moving} of {runs} equal worlds move; 2 are expected at 10%");
}

#[test]
fn the_same_cells_do_not_move_at_all() {
    let cells = world(3, LARGE, &[STILL, (0.02, 0.30)], 0.5);
    for m in between(&cells, &cells).problems {
        for change in [m.community, m.crm] {
            let difference = change.change.unwrap();
            assert!(difference.estimate == 0.0 && difference.low < 0.0 && 0.0 < difference.high && !change.moved);
            assert_eq!(change.before, change.after);
        }
    }
}

#[test]
fn counts_without_labels_are_shown_and_never_called() {
    let (before, after) = (world(1, LARGE, &[(0.10, 0.20)], 0.3), world(2, LARGE, &[(0.30, 0.20)], 0.9));
    for (before, after) in [(unlabelled(&before), after.clone()), (before, unlabelled(&after))] {
        let moved = between(&before, &after);
        let planted = of(&moved, "p00");
        assert!(
            planted.community.change.is_none() && !planted.community.moved && planted.community.p_adjusted.is_none()
        );
        assert!(planted.community.after.hits > 2 * planted.community.before.hits);
        assert!(moved.missing.iter().any(|m| m.what.starts_with("hand labels (community), ")), "{:?}", moved.missing);
        assert!(!moved.unbacked.unwrap().moved);
    }
}

#[test]
fn a_period_that_is_half_covered_is_not_compared() {
    let (before, after) = (world(1, LARGE, &[(0.10, 0.20)], 0.3), world(2, LARGE, &[(0.30, 0.20)], 0.9));
    let begins = [earlier().since, "2026-04-01".parse().ok()];
    let moved = moved(&earlier(), begins, &before, &after).unwrap();
    assert_eq!((moved.missing[0].have, moved.missing[0].need), (50, 90), "{:?}", moved.missing);
    assert!(of(&moved, "p00").community.moved, "the posts cover all of it");
    assert!(of(&moved, "p00").crm.change.is_none() && moved.unbacked.unwrap().change.is_none());
}

#[test]
fn with_nothing_before_there_is_nothing_to_compare() {
    let after = world(2, LARGE, &[STILL], 0.9);
    let mut before = world(1, LARGE, &[STILL], 0.9);
    before.crm.0.clear();
    assert!(moved(&earlier(), from_the_first_day(), &before, &after).is_none());
}
