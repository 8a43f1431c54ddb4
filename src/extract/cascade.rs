//! Which posts are worth a call to a model. The embedded reader, which costs nothing, says how likely each post holds an
//! act; likely ones are passed on, and a random sample of the others is read as well, so that what the cascade misses is
//! measured and not assumed.

use serde_json::{Value, json};
use statrs::distribution::{Beta, ContinuousCDF as _};

use crate::model::id::content_hash;
use crate::model::{PostId, Route};
use crate::store::RouteTotals;

/// When a post is passed on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cascade {
    /// Least probability of any act, 0 to 1; 0 passes everything on.
    pub pass_on: f64,
    /// Share of the others that is read all the same, 0 to 1.
    pub audit: f64,
}

impl Cascade {
    /// Which way `post` goes, given the embedded reader's `chance` that it holds any act. The audit sample is drawn by a hash of
    /// the post's id, so that it is the same in every run and independent of the text.
    pub fn route(&self, post: &PostId, chance: f64) -> Route {
        if chance >= self.pass_on {
            return Route::PassedOn;
        }
        let digits = u32::from_str_radix(&content_hash(&["audit", post.as_str()])[..8], 16).unwrap_or(u32::MAX);
        if f64::from(digits) / f64::from(u32::MAX) < self.audit { Route::Audited } else { Route::Left }
    }
}

/// What the audit says about the posts that were left: how many of them hold an act (share with its exact 95% interval), and
/// what part of all posts with acts that is.
pub(super) fn missed(totals: &RouteTotals) -> Value {
    let mut told = json!({
        "passed_on": totals.passed_on, "audited": totals.audited, "left": totals.left,
        "audited_with_acts": totals.audited_with_acts,
    });
    let Some((low, high)) = exact_interval(totals.audited_with_acts, totals.audited) else { return told };
    let not_passed = totals.audited + totals.left;
    // Of all posts with acts, the part among those left. Audited ones were read and are not missed.
    let lost = |share: f64| {
        let left = share * totals.left as f64;
        let found = (totals.passed_on_with_acts + totals.audited_with_acts) as f64;
        if left + found > 0.0 { left / (left + found) } else { 0.0 }
    };
    let share = totals.audited_with_acts as f64 / totals.audited as f64;
    if let Some(fields) = told.as_object_mut() {
        fields.insert("with_acts_among_left".to_owned(), json!({"share": share, "low": low, "high": high}));
        fields.insert("missed".to_owned(), json!({"share": lost(share), "low": lost(low), "high": lost(high)}));
        fields.insert("not_passed_on".to_owned(), json!(not_passed));
    }
    told
}

/// Clopper and Pearson's 95% interval of `hits` in `of` (Biometrika 26, 1934). `None` when nothing was looked at.
fn exact_interval(hits: u64, of: u64) -> Option<(f64, f64)> {
    if of == 0 || hits > of {
        return None;
    }
    let (k, n) = (hits as f64, of as f64);
    let low = if hits == 0 { 0.0 } else { Beta::new(k, n - k + 1.0).ok()?.inverse_cdf(0.025) };
    let high = if hits == of { 1.0 } else { Beta::new(k + 1.0, n - k).ok()?.inverse_cdf(0.975) };
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn likely_posts_are_passed_on_and_the_audit_takes_its_share() {
        let cascade = Cascade { pass_on: 0.2, audit: 0.1 };
        assert_eq!(cascade.route(&PostId::new("a"), 0.2), Route::PassedOn);
        let audited =
            (0..10_000).filter(|n| cascade.route(&PostId::new(format!("post {n}")), 0.1) == Route::Audited).count();
        assert!((900..1100).contains(&audited), "{audited} of 10,000");
        let none = Cascade { pass_on: 0.2, audit: 0.0 };
        assert!((0..1000).all(|n| none.route(&PostId::new(n.to_string()), 0.0) == Route::Left));
    }

    #[test]
    fn the_interval_is_clopper_and_pearsons() {
        // Values of R's binom.test.
        for (hits, of, low, high) in [(0, 10, 0.0, 0.308_497), (3, 10, 0.066_740, 0.652_453), (10, 10, 0.691_503, 1.0)]
        {
            let (l, h) = exact_interval(hits, of).unwrap();
            assert!((l - low).abs() < 1e-5 && (h - high).abs() < 1e-5, "{hits}/{of}: {l} {h}");
        }
        assert_eq!(exact_interval(0, 0), None);
    }

    #[test]
    fn what_is_missed_is_a_share_of_all_posts_with_acts() {
        let totals =
            RouteTotals { passed_on: 300, passed_on_with_acts: 180, audited: 100, audited_with_acts: 2, left: 900 };
        let told = missed(&totals);
        let share = told["missed"]["share"].as_f64().unwrap();
        assert!((share - 18.0 / 200.0).abs() < 1e-9, "{told}");
        assert!(missed(&RouteTotals::default()).get("missed").is_none());
    }
}
