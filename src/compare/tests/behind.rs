//! What stands behind claimed interest: the split by asking, promises, segments.

use super::super::cells::Promises;
use super::*;
use crate::model::NoteKind;
use crate::model::comparison::{AnswerV1, RateV1, SegmentV1, SplitV1};

const MANY: Size = Size { people: 30, threads: 10, accounts: 480, reps: 4, reader_right: 1.0 };

/// Accounts whose share without anything behind them is `hollow` (asked or not, rep). The reader mistakes each of three answers
/// with probability `wrong`; one in `keep` accounts is drawn and labelled.
fn accounts(seed: u64, hollow: impl Fn(bool, usize) -> f64, wrong: f64, keep: usize) -> Cells {
    let mut cells = world(seed, MANY, &[EQUAL], 0.5);
    let mut rng = ChaCha8Rng::seed_from_u64(seed + 1000);
    let mut places = (0..MANY.accounts).map(|i| (rng.random::<u64>(), i)).collect::<Vec<_>>();
    places.sort_unstable();
    let drawn = places.iter().take(MANY.accounts / keep).map(|(_, i)| *i).collect::<BTreeSet<_>>();
    for (i, account) in cells.accounts.iter_mut().enumerate() {
        let asked = rng.random::<f64>() < 0.45;
        let backed = rng.random::<f64>() >= hollow(asked, account.rep);
        let channel = Some(if (i / 12) % 2 == 0 { NoteKind::Call } else { NoteKind::Email });
        let truth = Standing { strong: i % 3 != 0, backed, asked, channel, ..Standing::default() };
        let mut read = |truth: bool| truth != (rng.random::<f64>() < wrong);
        let (strong, backed, asked) = (read(truth.strong), read(truth.backed), read(truth.asked));
        account.found = Standing { strong, backed, asked, ..truth };
        account.gold = drawn.contains(&i).then_some(truth);
        account.weight = keep as f64;
        account.segment = Some(["Heating", "Plumbing"][(i / 7) % 2].to_owned());
    }
    cells
}

fn split(comparison: &ComparisonV1) -> SplitV1 {
    comparison.optimism.split.clone().unwrap()
}

fn composed(split: &SplitV1, of: fn(&RateV1) -> f64) -> f64 {
    let asked = of(&split.asked);
    of(&split.unbacked_not_asked) * (1.0 - asked) + of(&split.unbacked_asked) * asked
}

#[test]
fn the_parts_add_up_to_the_whole() {
    for (seed, wrong, keep) in [(1, 0.0, 1), (2, 0.15, 4), (3, 0.3, 3), (4, 0.15, 1)] {
        let cells = accounts(seed, |asked, _| if asked { 0.4 } else { 0.9 }, wrong, keep);
        for cells in [unlabelled(&cells), cells] {
            let answer = answer(&cells);
            let (whole, split) = (answer.optimism.unbacked, split(&answer));
            assert_eq!(split.asked.of, whole.of);
            assert_eq!(split.unbacked_not_asked.hits + split.unbacked_asked.hits, whole.hits);
            assert_eq!(split.unbacked_not_asked.of + split.unbacked_asked.of, whole.of);
            let counted = |r: &RateV1| r.hits as f64 / r.of as f64;
            assert!((composed(&split, counted) - counted(&whole)).abs() < 1e-12);
            assert!((composed(&split, |r| r.rate) - whole.rate).abs() < 1e-9, "{split:?} {whole:?}");
        }
    }
}

#[test]
fn the_split_is_measured_through_a_bad_reader() {
    let (mut covered, mut all) = (0, 0);
    for seed in 0..40 {
        let cells = accounts(seed, |asked, _| if asked { 0.4 } else { 0.9 }, 0.2, 4);
        let split = commitment::commitment(&cells).1.split.unwrap();
        for (rate, truth) in [(split.asked, 0.45), (split.unbacked_not_asked, 0.9), (split.unbacked_asked, 0.4)] {
            assert_eq!(rate.labels, 120);
            covered += i32::from(rate.low.unwrap() <= truth && truth <= rate.high.unwrap());
            all += 1;
        }
    }
    assert!(f64::from(covered) / f64::from(all) > 0.92, "{covered} of {all}");
}

#[test]
fn without_labels_there_are_counts_and_no_interval() {
    let cells = accounts(5, |_, rep| if rep == 0 { 0.9 } else { 0.3 }, 0.1, 1);
    let (measured, counted) = (answer(&cells), answer(&unlabelled(&cells)));
    let rates = |c: &ComparisonV1| {
        let split = split(c);
        [split.asked, split.unbacked_not_asked, split.unbacked_asked]
    };
    assert!(rates(&measured).iter().all(|r| r.low.is_some() && r.labels == 480));
    assert!(rates(&counted).iter().all(|r| r.low.is_none() && r.rate == r.hits as f64 / r.of as f64));
    assert!(measured.segments.iter().all(|s| s.low.is_some() && s.omnibus_p.is_some()), "{:?}", measured.segments);
    assert!(counted.segments.iter().all(|s| s.shrunk.is_some() && s.low.is_none() && s.omnibus_p.is_none()));
    assert!(counted.segments.iter().all(|s| s.p_adjusted.is_none()));
    for note_only in [split(&measured).note_only, split(&counted).note_only] {
        assert!(note_only.low.is_none(), "nobody labels who vouches");
    }
}

#[test]
fn a_part_of_few_accounts_is_told_as_counts() {
    // Everybody but a few was asked.
    let mut cells = accounts(6, |_, _| 0.6, 0.0, 1);
    for (i, account) in cells.accounts.iter_mut().enumerate() {
        account.gold.as_mut().unwrap().asked = i % 31 != 0;
    }
    let split = split(&answer(&cells));
    assert!(split.unbacked_not_asked.of < 20 && split.unbacked_not_asked.low.is_none(), "{split:?}");
    assert!(split.unbacked_asked.low.is_some() && split.asked.low.is_some());
}

#[test]
fn the_headline_says_how_many_were_never_asked() {
    let cells = accounts(7, |asked, _| if asked { 0.5 } else { 1.0 }, 0.0, 1);
    let measured = answer(&cells);
    let optimism = &measured.optimism;
    let of_hundred = |n: u64| (100.0 * n as f64 / optimism.strong as f64).round();
    let headline = format!(
        "{} of every 100 accounts described as strongly interested have nothing behind them (95% interval ",
        of_hundred(optimism.unbacked.hits)
    );
    let says = &measured.components[1].says;
    assert!(says.starts_with(&headline), "{says}");
    assert!(says.contains(&format!("of which {} were never asked. ", of_hundred(optimism.never_asked))), "{says}");
    assert!(says.contains("Counted by hand: ") && says.contains("of 320 accounts"), "{says}");

    let says = &answer(&unlabelled(&cells)).components[1].says;
    assert!(says.contains("not corrected") && !says.contains("every 100") && says.contains("never asked"), "{says}");
}

#[test]
fn promises_of_strong_accounts_are_added_up() {
    let mut cells = accounts(8, |_, _| 0.6, 0.0, 1);
    for account in &mut cells.accounts {
        for standing in [Some(&mut account.found), account.gold.as_mut()].into_iter().flatten() {
            standing.promises = Promises { kept: 2, missed: 1, untold: 1, undated: 3, all: 8 };
            standing.claimed = true;
        }
    }
    for cells in [unlabelled(&cells), cells] {
        let answer = answer(&cells);
        let (split, strong) = (split(&answer), answer.optimism.strong);
        assert_eq!((split.kept.hits, split.kept.of), (2 * strong, 3 * strong));
        assert_eq!((split.undated.hits, split.undated.of), (3 * strong, 8 * strong));
        assert_eq!((split.untold.hits, split.untold.of), (strong, 4 * strong));
        let unbacked = answer.optimism.unbacked.hits;
        assert_eq!(
            (split.note_only.hits, split.note_only.of),
            (unbacked, strong),
            "a step vouched for is no inflation"
        );
    }
}

/// Verdict, detectable share and what is missing.
fn told(answer: &AnswerV1) -> (&str, Option<f64>, Vec<(u64, u64)>) {
    let missing = answer.missing.iter().map(|m| (m.have, m.need)).collect();
    (&answer.verdict, answer.detectable, missing)
}

#[test]
fn asking_has_a_verdict_of_its_own() {
    // 55 in 100 are never asked.
    let cells = accounts(9, |_, _| 0.6, 0.0, 1);
    assert_eq!(told(split(&answer(&cells)).asking.as_ref().unwrap()), ("finding", None, Vec::new()));
    let counted = split(&answer(&unlabelled(&cells))).asking.unwrap();
    assert_eq!((counted.verdict.as_str(), counted.missing[0].have), ("uncorrected", 0));

    let mut asked = cells.clone();
    for (i, account) in asked.accounts.iter_mut().enumerate() {
        account.gold.as_mut().unwrap().asked = i % 11 != 0;
    }
    let split_of = split(&answer(&asked));
    let (never, (verdict, seen, missing)) = (1.0 - split_of.asked.rate, told(split_of.asking.as_ref().unwrap()));
    assert_eq!((verdict, missing), ("no_gap_detected", Vec::new()));
    assert!(never < 0.2 && seen.is_some_and(|seen| seen > 0.2 && seen < 0.4), "{never} {seen:?}");

    let mut few = cells;
    few.accounts.iter_mut().skip(20).for_each(|a| a.gold.as_mut().unwrap().strong = false);
    let few = split(&answer(&few)).asking.unwrap();
    assert_eq!((told(&few).0, told(&few).2.as_slice()), ("not_enough_evidence", &[(13, 20)][..]));
}

#[test]
fn kept_promises_are_counted_or_too_few() {
    let mut cells = accounts(10, |_, _| 0.6, 0.0, 1);
    for (promising, expected) in [(9, ("not_enough_evidence", vec![(9, 10)])), (10, ("uncorrected", Vec::new()))] {
        let strong = cells.accounts.iter_mut().filter_map(|a| a.gold.as_mut()).filter(|s| s.strong);
        strong.take(promising).for_each(|s| s.promises = Promises { kept: 1, all: 1, ..Promises::default() });
        let keeping = split(&answer(&cells)).keeping.unwrap();
        let (verdict, seen, missing) = told(&keeping);
        assert_eq!(((verdict, missing), seen), (expected, None), "a count is never a finding");
    }
}

fn by<'a>(comparison: &'a ComparisonV1, by: &str) -> Vec<&'a SegmentV1> {
    comparison.segments.iter().filter(|s| s.by == by).collect()
}

#[test]
fn a_rep_who_writes_hollow_notes_is_found_and_shrunk() {
    let cells = accounts(9, |_, rep| if rep == 2 { 0.95 } else { 0.35 }, 0.0, 1);
    let answer = answer(&cells);
    let reps = by(&answer, "rep");
    assert_eq!(reps.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["rep 1", "rep 2", "rep 3", "rep 4"]);
    assert_eq!(reps.iter().map(|s| s.unbacked.of).sum::<u64>(), answer.optimism.strong);
    assert!(reps[0].omnibus_p.unwrap() < 0.001);
    let mean = answer.optimism.unbacked.rate;
    for rep in &reps {
        let (raw, shrunk) = (rep.unbacked.rate(), rep.shrunk.unwrap());
        assert!((shrunk - mean).abs() <= (raw - mean).abs() + 0.01 && (raw > mean) == (shrunk > mean), "{rep:?}");
        assert!(rep.low.unwrap() < shrunk && shrunk < rep.high.unwrap());
    }
    assert!(reps[2].low.unwrap() > reps[0].high.unwrap());
    let channels = by(&answer, "channel");
    assert_eq!(channels.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["call", "email"]);
    assert!(channels[0].omnibus_p.unwrap() > 0.001);
}

#[test]
fn alike_reps_are_seldom_told_apart() {
    for (wrong, keep) in [(0.0, 1), (0.15, 4)] {
        let called = (0..40)
            .filter(|seed| {
                let segments = segments::segments(&accounts(*seed, |_, _| 0.6, wrong, keep));
                segments.iter().any(|s| s.p_adjusted.is_some_and(|p| p <= 0.10))
            })
            .count();
        assert!(
            called <= 8,
            "{called} of 40 with {keep}; 4 are expected at 10% for reps, channels and segments together"
        );
    }
}

#[test]
fn a_segment_of_the_crm_is_found_and_adjusted_for_the_other_kinds() {
    let mut cells = accounts(11, |_, _| 0.6, 0.0, 1);
    for (i, account) in cells.accounts.iter_mut().enumerate() {
        account.segment = match i % 16 {
            0 => None,
            1 => Some("Ines Vale".to_owned()),
            _ => account.segment.take(),
        };
        // Whatever else is true, two in five of those in plumbing are backed after all.
        let backed = account.segment.as_deref() == Some("Plumbing") && i % 5 < 2;
        account.found.backed |= backed;
        account.gold.as_mut().unwrap().backed |= backed;
    }
    let only = 24;
    for account in cells.accounts.iter_mut().filter(|a| a.segment.as_deref() == Some("Ines Vale")).skip(only) {
        account.segment = None;
    }
    let answer = answer(&cells);
    let segments = by(&answer, "segment");
    let names = segments.iter().map(|s| (s.name.as_str(), s.shrunk.is_some())).collect::<Vec<_>>();
    assert_eq!(names, [("Heating", true), ("segment 2", false), ("Plumbing", true)], "the few are not named");
    assert!(!serde_json::to_string(&answer).unwrap().contains("Ines"));
    let (p, adjusted) = (segments[0].omnibus_p.unwrap(), segments[0].p_adjusted.unwrap());
    assert!(p < adjusted && (adjusted - 3.0 * p).abs() < 1e-12, "the smallest of three tests: {p} {adjusted}");
    assert!(adjusted <= 0.10 && segments[0].shrunk > segments[2].shrunk, "{segments:?}");
    assert!(by(&answer, "rep").iter().all(|s| s.p_adjusted >= s.omnibus_p));

    let without = answer.optimism.strong - segments.iter().map(|s| s.unbacked.of).sum::<u64>();
    let says = format!(
        "{without} of {} accounts whose notes claim strong interest have no segment in the CRM",
        answer.optimism.strong
    );
    assert!(without > 1 && answer.caveats.iter().any(|c| c.starts_with(&says)), "{:?}", answer.caveats);
    cells.accounts.iter_mut().for_each(|a| a.segment = None);
    let without = self::answer(&cells);
    assert!(by(&without, "segment").is_empty());
    assert!(!without.caveats.iter().any(|c| c.contains("no segment")), "nobody has one");
}

#[test]
fn small_segments_and_accounts_without_a_rep_are_only_counted() {
    let mut cells = accounts(10, |_, _| 0.6, 0.0, 1);
    for (i, account) in cells.accounts.iter_mut().enumerate() {
        // The fourth rep keeps a few; some belong to nobody, as the store numbers them.
        account.rep = match (account.rep, i % 20) {
            (3, 3) => 3,
            (3, _) => 0,
            (2, 2) => cells.population.reps as usize + i,
            (rep, _) => rep,
        };
    }
    let answer = answer(&cells);
    let reps = by(&answer, "rep");
    let last = reps.last().unwrap();
    assert!(last.name == "rep 4" && last.unbacked.of < 20 && last.shrunk.is_none() && last.omnibus_p.is_none());
    assert!(reps[0].shrunk.is_some());
    let without = answer.optimism.strong - reps.iter().map(|s| s.unbacked.of).sum::<u64>();
    let says =
        format!("{without} of {} accounts whose notes claim strong interest have no rep", answer.optimism.strong);
    assert!(without > 1 && answer.caveats.iter().any(|c| c.starts_with(&says)), "{:?}", answer.caveats);

    cells.accounts.iter_mut().for_each(|a| a.rep = 0);
    assert!(by(&self::answer(&cells), "rep").is_empty(), "one rep is no comparison");
}

/// Every rep has accounts in both segments and calls both ways, so what reps differ by is in the error of each.
#[test]
fn a_segment_is_no_surer_than_the_reps_it_shares_allow() {
    let answer = answer(&accounts(12, |_, rep| [0.95, 0.4, 0.9, 0.35][rep], 0.0, 1));
    let all = answer.optimism.unbacked;
    let width = all.high.unwrap() - all.low.unwrap();
    for segment in by(&answer, "segment").into_iter().chain(by(&answer, "channel")) {
        let own = segment.high.unwrap() - segment.low.unwrap();
        assert!(own > 0.8 * width, "{own} of {width}: {segment:?}");
    }
    let rep = by(&answer, "rep")[0];
    assert!(rep.high.unwrap() - rep.low.unwrap() < 0.5 * width, "a rep's own accounts tell of the rep: {rep:?}");
}
