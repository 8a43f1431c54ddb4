//! Invented deals whose truth is known.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::cells::{Deal, Units};
use super::*;
use crate::model::comparison::{PopulationV1, WindowV1};

fn cells(deals: Vec<Deal>) -> Cells {
    Cells {
        problems: Vec::new(),
        community: Units::default(),
        crm: Units::default(),
        accounts: Vec::new(),
        items: Default::default(),
        deals,
        kinds: Vec::new(),
        population: PopulationV1::default(),
        window: WindowV1 { since: None, until: None, why: "invented".into() },
        caveats: Vec::new(),
    }
}

fn scored(deals: Vec<Deal>) -> (CalibrationV1, [ComponentV1; 2]) {
    let (calibration, components) = calibration(&cells(deals), 1);
    (calibration.unwrap(), components)
}

fn followed(yes: bool) -> Followed {
    if yes { Followed::Yes(40) } else { Followed::No(90) }
}

/// `n` deals of `reps` reps, whose CRM says `inflation` more than is true; half of those won are kept with value.
fn inflated(seed: u64, n: usize, reps: usize, inflation: f64) -> Vec<Deal> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let deal = |i: usize| {
        let truth = 0.1 + 0.6 * rng.random::<f64>();
        let (won, kept) = (rng.random::<f64>() < truth, rng.random::<bool>());
        let last = Forecast {
            day: i as i64,
            interest: None,
            crm_prob: Some(truth + inflation),
            won: followed(won),
            value: followed(won && kept),
        };
        Deal { id: format!("d{i:04}"), rep: i % reps, first: None, last: Some(last) }
    };
    (0..n).map(deal).collect()
}

/// `n` deals by claimed interest, of which the later half are won less often by `drop`.
fn interested(seed: u64, n: usize, drop: f64) -> Vec<Deal> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let deal = |i: usize| {
        let level = rng.random_range(0..5_u8);
        let truth = [0.25, 0.3, 0.35, 0.5, 0.7][usize::from(level)] - if 2 * i < n { 0.0 } else { drop };
        let won = followed(rng.random::<f64>() < truth);
        let last = Forecast { day: i as i64, interest: Some(level), crm_prob: None, won, value: Followed::Unknown };
        Deal { id: format!("d{i:04}"), rep: i % 12, first: Some(last), last: Some(last) }
    };
    (0..n).map(deal).collect()
}

#[test]
fn inflation_is_recovered_and_calibration_is_not_called() {
    for (inflation, least, most) in [(0.2, 95, 100), (0.0, 0, 11)] {
        let (runs, mut covered, mut called) = (100, 0, 0);
        for seed in 0..runs {
            let (calibration, [won, _]) = scored(inflated(seed, 120, 8, inflation));
            let last = &calibration.won.last;
            let (low, high) = (last.low.unwrap(), last.high.unwrap());
            covered += i32::from(low <= inflation && inflation <= high);
            called += i32::from(won.verdict == "finding");
            assert_eq!((last.source.as_str(), last.outcomes, won.n), ("crm_prob", 120, 120));
            assert_eq!((won.estimate, won.low), (last.citl, last.low));
            assert_eq!(last.curve.iter().map(|b| b.happened.of).sum::<u64>(), 120);
        }
        assert!(covered >= 90, "{inflation}: {covered} of {runs} intervals hold it");
        assert!((least..=most).contains(&called), "{inflation}: {called} of {runs} are called");
    }
}

#[test]
fn what_the_sale_could_not_reveal_is_drift() {
    let (calibration, [won, value]) = scored(inflated(3, 300, 10, 0.0));
    assert_eq!((won.verdict.as_str(), value.verdict.as_str()), ("no_gap_detected", "finding"));
    assert!(won.detectable.unwrap() > 0.0 && won.says.contains("within chance"), "{}", won.says);
    let drift = calibration.drift.unwrap();
    let (won, value) = (&calibration.won.last, &calibration.value.last);
    let lost = (won.happened - value.happened) as f64 / 300.0;
    assert!((drift - lost).abs() < 1e-12, "the same probabilities, and fewer customers than sales");
    assert!(
        won.bss.unwrap() > 0.0 && won.bss_low.unwrap() < won.bss.unwrap() && won.bss.unwrap() < won.bss_high.unwrap()
    );
}

#[test]
fn shuffled_outcomes_leave_no_skill() {
    let mut sum = 0.0;
    for seed in 0..40 {
        let mut deals = inflated(seed, 100, 10, 0.0);
        let outcomes = deals.iter().map(|d| d.last.unwrap().won).collect::<Vec<_>>();
        let mut rng = ChaCha8Rng::seed_from_u64(1000 + seed);
        for deal in &mut deals {
            deal.last.as_mut().unwrap().won = outcomes[rng.random_range(0..outcomes.len())];
        }
        sum += scored(deals).0.won.last.bss.unwrap();
    }
    assert!(sum / 40.0 <= 0.0, "{}", sum / 40.0);
}

/// The same where the forecast is what a level of interest came to before, which is learned from shuffled outcomes, too.
#[test]
fn shuffled_outcomes_teach_a_level_of_interest_nothing() {
    let skill = |seed: u64, shuffle: bool| {
        let mut deals = interested(seed, 240, 0.0);
        let mut rng = ChaCha8Rng::seed_from_u64(3000 + seed);
        for i in (1..deals.len()).rev().filter(|_| shuffle) {
            let j = rng.random_range(0..=i);
            let (a, b) = (deals[i].last.unwrap().won, deals[j].last.unwrap().won);
            deals[i].last.as_mut().unwrap().won = b;
            deals[j].last.as_mut().unwrap().won = a;
        }
        scored(deals).0.won.last.bss.unwrap() / 40.0
    };
    let sum = |shuffle| (0..40).map(|seed| skill(seed, shuffle)).sum::<f64>();
    assert!(sum(true) <= 0.0 && sum(false) > 0.0, "{} {}", sum(true), sum(false));
}

#[test]
fn too_little_says_what_is_missing() {
    let (none, components) = calibration(&cells(Vec::new()), 1);
    assert!(none.is_none());
    for component in &components {
        assert_eq!((component.verdict.as_str(), component.n), ("not_enough_evidence", 0));
        assert_eq!((component.missing[0].have, component.missing[0].need), (0, 30));
        assert!(component.estimate.is_none() && component.says.contains("0 of 30 deals"), "{}", component.says);
    }
    let few = inflated(1, 120, 8, 0.2).into_iter().take(29).collect();
    let (calibration, [won, _]) = scored(few);
    assert_eq!((won.verdict.as_str(), won.missing[0].have), ("not_enough_evidence", 29));
    assert!(calibration.won.last.citl.is_none() && calibration.won.last.happened > 0);
    let (_, [one_rep, _]) = scored(inflated(1, 120, 1, 0.2));
    assert_eq!(one_rep.missing.iter().map(|m| (m.what.as_str(), m.have)).collect::<Vec<_>>(), [("reps", 1)]);
    let losing = inflated(1, 120, 8, 0.2).into_iter().map(|mut deal| {
        deal.last.as_mut().unwrap().won = Followed::No(90);
        deal
    });
    let (_, [won, _]) = scored(losing.collect());
    assert_eq!((won.missing.len(), won.missing[0].have, won.missing[0].need), (1, 0, 5));
    let (calibration, [won, _]) = scored(inflated(1, 60, 8, 0.2));
    assert!(won.estimate.is_some() && calibration.won.last.bss.is_some() && calibration.won.last.curve.is_empty());
    assert!(calibration.won.last.bss_low.is_none(), "eight reps are too few to draw from");
}

#[test]
fn an_outcome_that_nobody_records_is_not_imputed() {
    let (calibration, [won, value]) = scored(interested(4, 240, 0.0));
    assert!(won.estimate.is_some() && calibration.drift.is_none());
    assert_eq!(value.verdict, "not_enough_evidence");
    assert!(value.says.contains("value_at") && value.missing[0].have == 0, "{}", value.says);
    assert!(calibration.left_out.iter().any(|s| s.contains("customers who stay") && s.contains("240 of 240")));
}

#[test]
fn a_level_of_interest_is_worth_what_it_came_to_before() {
    for (drop, least, most) in [(0.0, 0, 10), (0.25, 70, 80)] {
        let mut called = 0;
        for seed in 0..80 {
            let (calibration, [won, _]) = scored(interested(seed, 400, drop));
            let last = &calibration.won.last;
            assert_eq!((last.source.as_str(), last.outcomes), ("interest", 200), "the earlier half is never scored");
            assert_eq!(last.by_interest.iter().map(|c| c.of).sum::<u64>(), 400);
            assert!(won.says.contains("a machine read"), "{}", won.says);
            called += i32::from(won.verdict == "finding" && won.estimate > Some(0.0));
        }
        assert!((least..=most).contains(&called), "{drop}: {called} of 80 are called");
    }
}

#[test]
fn a_probability_that_one_deal_lacks_scores_none() {
    let mut deals = interested(5, 240, 0.0);
    deals.iter_mut().for_each(|d| d.last.as_mut().unwrap().crm_prob = Some(0.5));
    assert_eq!(scored(deals.clone()).0.won.last.source, "crm_prob");
    deals[7].last.as_mut().unwrap().crm_prob = None;
    assert_eq!(scored(deals).0.won.last.source, "interest");
}

/// Deals are noted over 400 days; the data end on day 400, and those that are won are won early.
#[test]
fn young_notes_are_left_out_whatever_became_of_them() {
    let mut deals = inflated(6, 400, 10, 0.0);
    for deal in &mut deals {
        let last = deal.last.as_mut().unwrap();
        let seen = 400 - last.day;
        if last.won == Followed::No(90) && seen < 90 {
            last.won = Followed::Censored(seen);
        }
        last.value = Followed::Unknown;
    }
    let (calibration, [won, _]) = scored(deals);
    assert_eq!((won.n, won.verdict.as_str()), (311, "no_gap_detected"), "those of day 0 to 310");
    assert!(calibration.left_out.iter().any(|s| s.contains("89 of 400")), "{:?}", calibration.left_out);
}

#[test]
fn deals_lost_from_sight_are_made_up_for() {
    let (mut weighted, mut naive) = (0.0, 0.0);
    for seed in 0..30 {
        let mut deals = inflated(seed, 400, 10, 0.0);
        let mut rng = ChaCha8Rng::seed_from_u64(2000 + seed);
        for deal in &mut deals {
            let last = deal.last.as_mut().unwrap();
            last.day = 0;
            let lost = rng.random_range(1..180_i64);
            last.won = match last.won {
                Followed::Yes(day) | Followed::No(day) if lost < day => Followed::Censored(lost),
                decided => decided,
            };
        }
        // One of which it is known that the data go on.
        deals[0].last.as_mut().unwrap().day = 1000;
        deals[0].last.as_mut().unwrap().won = Followed::Censored(89);
        let (calibration, _) = scored(deals);
        let last = calibration.won.last;
        weighted += last.citl.unwrap() / 30.0;
        naive += (last.forecast.unwrap() - last.happened as f64 / last.outcomes as f64) / 30.0;
        assert!(calibration.left_out.iter().any(|s| s.contains("lost from sight") && s.contains("weighted")));
    }
    assert!(weighted.abs() < 0.02 && naive < -0.04, "{weighted} {naive}");
}

#[test]
fn the_order_of_the_deals_does_not_matter() {
    for deals in [inflated(8, 150, 12, 0.1), interested(8, 300, 0.1)] {
        let back = deals.iter().rev().cloned().collect();
        let ((there, _), (back, _)) = (scored(deals), scored(back));
        let (a, b) = (there.won.last, back.won.last);
        assert_eq!(
            (a.outcomes, a.happened, a.by_interest, a.curve.len()),
            (b.outcomes, b.happened, b.by_interest, b.curve.len())
        );
        for (a, b) in [(a.citl, b.citl), (a.low, b.low), (a.high, b.high), (a.bss, b.bss), (a.bss_low, b.bss_low)] {
            assert!((a.unwrap() - b.unwrap()).abs() < 1e-9);
        }
    }
}
