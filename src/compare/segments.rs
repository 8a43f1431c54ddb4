//! Unbacked optimism by rep, by channel and by segment (METHOD 3.5, 5.5): shrunk to the rate of all, never a raw league table.
//!
//! A rep is a number here and never a name. The channel of an account is the kind of the first note that claims the strong
//! interest. Its segment is what one column of the CRM says of the firm: an industry, a size, a plan.

use std::collections::BTreeSet;

use super::cells::{Account, Cells, Standing};
use super::commitment::{Judged, unbacked};
use super::evidence_rule::SEGMENT;
use super::stats::{Class, Group, Z95, bh, homogeneity, shrink};
use super::wording::counted;
use crate::model::NoteKind;
use crate::model::comparison::{CountsV1, SegmentV1};

/// Kinds of notes in the order in which they are told.
const CHANNELS: [NoteKind; 6] =
    [NoteKind::Call, NoteKind::Meeting, NoteKind::Email, NoteKind::Note, NoteKind::Task, NoteKind::System];

/// Unbacked optimism by rep, then by channel, then by segment; of a kind with fewer than two segments nothing.
///
/// A segment with 20 accounts or more has a shrunk rate (METHOD 5.5), the others have counts. With enough hand labels the rate
/// is W-neff inside the segment, and its effective sample size is what is shrunk and tested, so that the errors of the reader
/// and the likeness of a rep's accounts are allowed for; without them it is a machine count, with no interval and no test. Where
/// others are measured, a segment with fewer than 20 labelled accounts has counts alone: its interval would be too short.
/// The tests of all kinds are one Benjamini-Hochberg family (METHOD 3.11). No two segments are compared with each other.
pub fn segments(cells: &Cells) -> Vec<SegmentV1> {
    let judged = Judged::new(cells);
    let reps = reps(cells);
    let channel = |s: Standing| CHANNELS.iter().position(|kind| Some(*kind) == s.channel);
    let names = names(cells);
    let named = |a: &Account| names.binary_search(&a.segment.as_deref()?).ok();
    let measured = judged.is_measured(judged.counts(unbacked).of);
    // Reps are the clusters themselves; segments of the other kinds share them.
    let (by_rep, across) = (measured.then_some(f64::INFINITY), measured.then(|| surest(judged)));
    let mut kinds = [
        kind(judged, by_rep, "rep", reps, |k| format!("rep {}", k + 1), |a, _| Some(a.rep).filter(|rep| *rep < reps)),
        kind(judged, across, "channel", CHANNELS.len(), |k| CHANNELS[k].as_str().to_owned(), |_, s| channel(s)),
        kind(judged, across, "segment", names.len(), |k| names[k].to_owned(), |a, _| named(a)),
    ];
    // Few firms share the words of a small segment; a column that is filled firm by firm may name people.
    for (number, segment) in kinds[2].iter_mut().enumerate() {
        if SEGMENT.check(segment.unbacked.of).is_some() {
            segment.name = format!("segment {}", number + 1);
        }
    }
    let test = |kind: &[SegmentV1]| kind.iter().find_map(|s| s.omnibus_p);
    let mut adjusted = bh(&kinds.iter().filter_map(|kind| test(kind)).collect::<Vec<_>>()).into_iter();
    for kind in &mut kinds {
        let p_adjusted = test(kind).and_then(|_| adjusted.next());
        kind.iter_mut().filter(|s| s.omnibus_p.is_some()).for_each(|s| s.p_adjusted = p_adjusted);
    }
    kinds.concat()
}

/// What the mapped column of the CRM says, each once, in order.
fn names(cells: &Cells) -> Vec<&str> {
    cells.accounts.iter().filter_map(|a| a.segment.as_deref()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The accounts that are in no segment while others are in several, in a sentence.
pub(super) fn without_segment(cells: &Cells) -> Option<String> {
    if names(cells).len() < 2 {
        return None;
    }
    let left_out = Judged::new(cells).counts(|a, s| Class::of(s.strong, a.segment.is_none()));
    (left_out.hits > 0).then(|| left_out_words(left_out, "no segment in the CRM", "segments"))
}

/// The accounts that no rep answers for, in a sentence; they are in no segment by rep.
pub(super) fn without_rep(cells: &Cells) -> Option<String> {
    let reps = reps(cells);
    let left_out = Judged::new(cells).counts(|a, s| Class::of(s.strong, a.rep >= reps));
    (left_out.hits > 0).then(|| left_out_words(left_out, "no rep", "reps"))
}

fn left_out_words(left_out: CountsV1, what: &str, many: &str) -> String {
    let (have, are) = if left_out.hits == 1 { ("has", "is") } else { ("have", "are") };
    format!(
        "{} of {} whose notes claim strong interest {have} {what} and {are} left out of the comparison of {many}.",
        left_out.hits,
        counted(left_out.of, "accounts")
    )
}

/// Reps have the numbers below this; an account without one has a number above.
fn reps(cells: &Cells) -> usize {
    usize::try_from(cells.population.reps).unwrap_or(usize::MAX)
}

/// Accounts of the segments of a kind other than the rep belong to the same few reps, so the rate of a segment is not surer than
/// that of all: units of which a normal interval is as wide as that of all by W-neff with Student's quantile (METHOD 3.3).
fn surest(judged: Judged<'_>) -> f64 {
    judged.share(unbacked, unbacked).map_or(f64::INFINITY, |all| all.n_eff * (Z95 / all.t).powi(2))
}

/// The segments `0..many` of one kind. Where rates are measured, none counts for more than `most` units.
fn kind(
    judged: Judged<'_>,
    most: Option<f64>,
    by: &str,
    many: usize,
    name: impl Fn(usize) -> String,
    segment: impl Fn(&Account, Standing) -> Option<usize>,
) -> Vec<SegmentV1> {
    let segment = &segment;
    let class = |k: usize| move |a: &Account, s: Standing| Class::of(s.strong && segment(a, s) == Some(k), !s.backed);
    let mut counts = vec![CountsV1::default(); many];
    for (account, standing) in judged.each().filter(|(_, s)| s.strong) {
        if let Some(counts) = segment(account, standing).and_then(|k| counts.get_mut(k)) {
            counts.of += 1;
            counts.hits += u64::from(!standing.backed);
        }
    }
    let told = |name, unbacked| {
        let by = by.to_owned();
        SegmentV1 { by, name, unbacked, shrunk: None, low: None, high: None, omnibus_p: None, p_adjusted: None }
    };
    let counted = counts.into_iter().enumerate().filter(|(_, counts)| counts.of > 0);
    let mut all = counted.map(|(k, counts)| (k, told(name(k), counts))).collect::<Vec<_>>();
    if all.len() < 2 {
        return Vec::new();
    }

    let group = |k: usize, s: &SegmentV1| {
        let of = s.unbacked.of as f64;
        if most.is_none() {
            return Some(Group { rate: s.unbacked.rate(), n: of });
        }
        if !judged.is_labelled(class(k)) {
            return None;
        }
        let share = judged.share(class(k), class(k))?;
        Some(Group { rate: share.estimate.clamp(0.0, 1.0), n: share.n_eff.min(of) })
    };
    let (large, groups): (Vec<_>, Vec<_>) = all
        .iter_mut()
        .filter(|(_, s)| SEGMENT.check(s.unbacked.of).is_none())
        .filter_map(|(k, s)| group(*k, s).map(|group| (s, group)))
        .unzip();
    if large.len() > 1 {
        let p = homogeneity(&groups).filter(|_| most.is_some()).map(|test| test.p);
        for (segment, shrunk) in large.into_iter().zip(shrink(&groups, most.unwrap_or(f64::INFINITY))) {
            segment.shrunk = Some(shrunk.rate);
            segment.low = most.map(|_| shrunk.low);
            segment.high = most.map(|_| shrunk.high);
            segment.omnibus_p = p;
        }
    }
    all.into_iter().map(|(_, segment)| segment).collect()
}
