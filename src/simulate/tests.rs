//! Few runs of each world, with bounds that a broken estimator does not pass. The full table is in `docs/worlds.md`.

use super::generate::{Plan, cells, draw};
use super::score::Measure;
use super::worlds::plan;
use super::*;
use crate::compare::{Origin, compare};

/// Rows of one setting of a world.
fn rows_of(world: &str, setting: usize, runs: u64) -> Vec<Row> {
    try_out(&find(world).unwrap().settings()[setting], runs, 7)
}

fn row<'a>(rows: &'a [Row], of: &str) -> &'a Row {
    rows.iter().find(|r| r.of == of).unwrap_or_else(|| panic!("{of} was not scored"))
}

/// Coverage as the smoke test of METHOD 8.1 has it: 95% less 2.5 points, less two and a half Monte-Carlo errors.
fn covers(row: &Row) -> bool {
    row.value(Measure::Coverage).unwrap() >= 0.925 - 2.5 * row.error(Measure::Coverage).unwrap()
}

#[test]
fn readers_that_err_differently_make_no_gap() {
    let rows = rows_of("W1", 1, 12);
    for of in ["share of people", "share of accounts", "difference"] {
        assert!(covers(row(&rows, of)), "{:?}", row(&rows, of));
        assert!(row(&rows, of).naive(Measure::Coverage).unwrap() < 0.6, "{:?}", row(&rows, of));
    }
    assert!(row(&rows, "equal shares").value(Measure::Type1).unwrap() <= 0.05);
    assert!(row(&rows, "equal shares").naive(Measure::Type1).unwrap() > 0.3);
    assert!(row(&rows, "mix of problems").value(Measure::Type1).unwrap() <= 0.25, "3 of 12 where 1 in 20 is expected");
    assert_eq!(row(&rows, "mix of problems").naive(Measure::Type1), Some(1.0));
}

#[test]
fn planted_gaps_are_called_and_mild_ones_are_not() {
    let rows = rows_of("W2", 4, 4);
    assert_eq!((rows[0].accounts, rows[0].people), (Some(60), Some(400)));
    assert!(row(&rows, "gaps").value(Measure::Power).unwrap() > 0.4, "{:?}", row(&rows, "gaps"));
    assert!(row(&rows, "all calls").value(Measure::Fdr).unwrap() <= 0.10, "{:?}", row(&rows, "all calls"));
    assert!(row(&rows, "mild differences").value(Measure::Type1).unwrap() <= 0.20);
    assert!(row(&rows, "mild differences").naive(Measure::Type1).unwrap() > 0.05);
}

#[test]
fn inflated_probabilities_are_measured() {
    // 120 deals, 10 points too high.
    let rows = rows_of("W3", 6, 40);
    for of in ["forecast less won", "forecast less kept"] {
        let row = row(&rows, of);
        assert!(covers(row) && row.value(Measure::Bias).unwrap().abs() < 0.03, "{row:?}");
        assert_eq!(row.value(Measure::Refused), Some(0.0));
    }
    let naive = row(&rows, "forecast less won").naive(Measure::Bias).unwrap();
    assert!(naive.abs() < 0.03, "the world is as inflated as it says: {naive}");
}

#[test]
fn unbacked_optimism_is_covered_whatever_the_reader() {
    let rows = rows_of("W4", 4, 60);
    let row = row(&rows, "unbacked optimism");
    assert!(covers(row) && row.value(Measure::Bias).unwrap().abs() < 0.03, "{row:?}");
    assert!(row.naive(Measure::Coverage).unwrap() < 0.9, "{row:?}");
    assert!(row.value(Measure::Power).unwrap() > 0.3, "{row:?}");
}

#[test]
fn who_posts_is_bounded() {
    let rows = rows_of("W5", 0, 6);
    for of in ["ratio, posting x1/3", "ratio, posting x1", "ratio, posting x3"] {
        assert!(row(&rows, of).value(Measure::Coverage).unwrap() > 0.95, "{:?}", row(&rows, of));
    }
    assert!(row(&rows, "ratio, posting x3").naive(Measure::Coverage).unwrap() < 0.8);
    assert!(row(&rows, "gamma* above the bias").value(Measure::Type1).unwrap() <= 0.05);
    assert!(row(&rows, "gamma* in order").value(Measure::Power).unwrap() > 0.7);
}

#[test]
fn people_of_one_thread_do_not_count_for_many() {
    let rows = rows_of("W6", 6, 10);
    for of in ["people, 20% have it", "people, 8% have it"] {
        let row = row(&rows, of);
        assert!(covers(row), "{row:?}");
        assert!(row.naive(Measure::Coverage).unwrap() < 0.75, "{row:?}");
    }
}

#[test]
fn loud_people_and_copies_move_little() {
    for (attack, naive) in [(1, "share of posts"), (2, "share of people")] {
        let rows = rows_of("W7", attack, 4);
        assert!(row(&rows, "share of people").value(Measure::Bias).unwrap().abs() < 0.02, "{rows:?}");
        assert!(row(&rows, naive).naive(Measure::Bias).unwrap() > 0.05, "{rows:?}");
    }
    let rows = rows_of("W7", 3, 4);
    assert!(row(&rows, "share of people").value(Measure::Bias).unwrap() > 0.05, "{rows:?}");
    assert_eq!(row(&rows, "flagged as one thread").value(Measure::Power), Some(1.0));
    assert_eq!(row(&rows, "called a gap").value(Measure::Type1), Some(0.0));
}

#[test]
fn forty_accounts_without_a_past_are_found_out_where_they_made_a_gap() {
    let rows = rows_of("W7", 4, 12);
    assert!(row(&rows, "share of people").value(Measure::Bias).unwrap() > 0.05, "{rows:?}");
    assert_eq!(row(&rows, "flagged as newcomers").value(Measure::Power), Some(1.0));
    assert_eq!(row(&rows, "called a gap").value(Measure::Type1), Some(0.0));
    assert!(row(&rows, "people with a history").value(Measure::Bias).unwrap().abs() < 0.02, "{rows:?}");
    let alone = rows_of("W7", 0, 12);
    assert!(row(&alone, "flagged as newcomers").value(Measure::Power).unwrap() < 0.25, "{alone:?}");
}

#[test]
fn untrue_claims_are_declared_and_no_other_story_of_theirs_is() {
    let (declared, value) = ("honesty (4b and 4d)", "value below notes (4d)");
    let of = |case: &str, runs| {
        let settings = find("W8").unwrap().settings();
        let setting = settings.iter().find(|s| s.name.starts_with(case)).unwrap_or_else(|| panic!("no {case}"));
        try_out(setting, runs, 7)
    };
    let untrue = of("4 deep, claims not true: 250 accounts", 4);
    assert!(row(&untrue, declared).value(Measure::Power).unwrap() > 0.7, "{untrue:?}");
    // The creative story of the same pair: customers go as they do everywhere, which one test alone takes for dishonesty.
    let creative = of("4 surface, poor variants: 250 accounts", 5);
    assert_eq!(row(&creative, declared).value(Measure::Type1), Some(0.0), "{creative:?}");
    assert!(row(&creative, value).value(Measure::Type1).unwrap() > 0.3, "{creative:?}");
    let few = of("5 surface, too few touches: 30 accounts", 4);
    assert_eq!(row(&few, declared).value(Measure::Refused), Some(1.0), "{few:?}");
}

#[test]
fn next_to_nothing_says_nothing() {
    for setting in [0, 1] {
        let rows = rows_of("W9", setting, 20);
        assert_eq!(row(&rows, "verdicts").value(Measure::Refused), Some(1.0));
        assert_eq!(row(&rows, "trust").value(Measure::Refused), Some(1.0));
        for of in ["interval of a share", "interval of a component", "a rank"] {
            assert_eq!(row(&rows, of).value(Measure::Type1), Some(0.0), "{of}");
        }
        assert!(row(&rows, "verdicts").naive(Measure::Type1).unwrap() > 0.2, "{rows:?}");
    }
}

#[test]
fn an_instruction_is_words_like_others() {
    let rows = rows_of("W12", 0, 20);
    assert_eq!(row(&rows, "outside the schema").value(Measure::Type1), Some(0.0));
    assert!(row(&rows, "all posts changed").value(Measure::Type1).unwrap() <= 0.005, "{rows:?}");
}

#[test]
fn the_table_does_not_depend_on_threads() {
    let world = find("w9").unwrap();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| run(world, 6, 3));
    assert_eq!(one, run(world, 6, 3));
    assert_ne!(one, run(world, 6, 4), "another seed is another table");
}

#[test]
fn a_world_that_cannot_be_tried_says_why() {
    let says = |name: &str| find(name).err().map(|e| e.to_string()).unwrap();
    assert!(says("w10").contains("referral") && says("W11").contains("alarms"));
    assert!(says("W13").contains("W0, W1, W2"), "{}", says("W13"));
}

/// What labels are said to buy before there are any is about what they buy: the widest interval of a share of either side with 60
/// units labelled, from threads and reps that are alike to ones that are not.
#[test]
fn the_promised_interval_is_about_the_one_that_comes() {
    let text = |s: &str| s.to_owned();
    let origin = Origin { config_hash: text("c"), codebook_hash: text("b"), recipe: text("p | n"), seed: 1 };
    let problems = || {
        let good = generate::Errors { misses: 0.15, invents: 0.03 };
        [0.25, 0.15, 0.08].map(|p| generate::Problem { community: p, crm: p, posts: good, notes: good }).to_vec()
    };
    for (topical, habits, reps) in [(0.0, 0.0, 20), (0.1, 0.05, 10), (0.1, 0.2, 5)] {
        let plan = Plan { topical, habits, reps, ..plan(110, 160, problems()) };
        let (mut promised, mut measured, mut runs) = ([0.0; 2], [0.0; 2], 0);
        for run in 0..30 {
            let all = cells(&plan, &mut random(3, run));
            let with = |per_side| {
                let mut cells = all.clone();
                draw(&mut cells, per_side, run);
                compare(&cells, &origin)
            };
            let labelling = with(0).labelling.unwrap();
            // Some of the accounts that are drawn are outside the denominator.
            let answer = with(68);
            if answer.problems.iter().any(|p| p.community.low.is_none() || p.crm.low.is_none()) {
                continue;
            }
            runs += 1;
            for (side, told) in [labelling.community, labelling.crm].into_iter().enumerate() {
                promised[side] += told.half_width;
                let rates = answer.problems.iter().map(|p| if side == 0 { p.community } else { p.crm });
                measured[side] += rates.map(|r| (r.high.unwrap() - r.low.unwrap()) / 2.0).fold(0.0, f64::max);
            }
        }
        assert!(runs > 20, "{runs}");
        for side in [0, 1] {
            let ratio = promised[side] / measured[side];
            println!("{topical} {habits} {reps}: side {side}: {ratio:.3} of {:.3}", measured[side] / f64::from(runs));
            assert!((0.75..1.33).contains(&ratio), "{topical} {habits} {reps}, side {side}: {ratio}");
        }
    }
}
