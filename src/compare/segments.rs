//! Unbacked optimism by rep and by channel (METHOD 3.5, 5.5): shrunk to the rate of all, never a raw league table.
//!
//! A rep is a number here and never a name. The channel of an account is the kind of the first note that claims the strong
//! interest. An import keeps nothing else of a firm that could divide them (no industry, no size), so there is no other kind of
//! segment.

use super::cells::{Account, Cells, Standing};
use super::commitment::Judged;
use super::evidence_rule::SEGMENT;
use super::stats::{Class, Group, homogeneity, shrink};
use super::wording::counted;
use crate::model::NoteKind;
use crate::model::comparison::SegmentV1;

/// Kinds of notes in the order in which they are told.
const CHANNELS: [NoteKind; 6] =
    [NoteKind::Call, NoteKind::Meeting, NoteKind::Email, NoteKind::Note, NoteKind::Task, NoteKind::System];

/// Unbacked optimism by rep, then by channel; of a kind with fewer than two segments nothing.
///
/// A segment with 20 accounts or more has a shrunk rate (METHOD 5.5), the others have counts. With enough hand labels the rate
/// is W-neff inside the segment, and its effective sample size is what is shrunk and tested, so that the errors of the reader
/// and the likeness of a rep's accounts are allowed for; without them it is a machine count, with no interval and no test.
/// Two tests at 5% keep the family of METHOD 3.11 within its 10%. No two segments are compared with each other.
pub fn segments(cells: &Cells) -> Vec<SegmentV1> {
    let judged = Judged::new(cells);
    let reps = reps(cells);
    let mut all = kind(judged, "rep", reps, |k| format!("rep {}", k + 1), |a, _| Some(a.rep).filter(|rep| *rep < reps));
    let channel = |s: Standing| CHANNELS.iter().position(|kind| Some(*kind) == s.channel);
    all.extend(kind(judged, "channel", CHANNELS.len(), |k| CHANNELS[k].as_str().to_owned(), |_, s| channel(s)));
    all
}

/// The accounts that no rep answers for, in a sentence; they are in no segment by rep.
pub fn without_rep(cells: &Cells) -> Option<String> {
    let reps = reps(cells);
    let left_out = Judged::new(cells).counts(|a, s| Class::of(s.strong, a.rep >= reps));
    (left_out.hits > 0).then(|| {
        let (have, are) = if left_out.hits == 1 { ("has", "is") } else { ("have", "are") };
        format!(
            "{} of {} whose notes claim strong interest {have} no rep and {are} left out of the comparison of reps.",
            left_out.hits,
            counted(left_out.of, "accounts")
        )
    })
}

/// Reps have the numbers below this; an account without one has a number above.
fn reps(cells: &Cells) -> usize {
    usize::try_from(cells.population.reps).unwrap_or(usize::MAX)
}

/// The segments `0..many` of one kind.
fn kind(
    judged: Judged<'_>,
    by: &str,
    many: usize,
    name: impl Fn(usize) -> String,
    segment: impl Fn(&Account, Standing) -> Option<usize>,
) -> Vec<SegmentV1> {
    let segment = &segment;
    let class = |k: usize| move |a: &Account, s: Standing| Class::of(s.strong && segment(a, s) == Some(k), !s.backed);
    let mut all = (0..many)
        .map(|k| (k, judged.counts(class(k))))
        .filter(|(_, counts)| counts.of > 0)
        .map(|(k, unbacked)| {
            let (by, name) = (by.to_owned(), name(k));
            (k, SegmentV1 { by, name, unbacked, shrunk: None, low: None, high: None, omnibus_p: None })
        })
        .collect::<Vec<_>>();
    if all.len() < 2 {
        return Vec::new();
    }

    let measured = judged.missing_labels().is_none();
    let group = |k: usize, s: &SegmentV1| {
        let of = s.unbacked.of as f64;
        if !measured {
            return Some(Group { rate: s.unbacked.rate(), n: of });
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
        let p = homogeneity(&groups).filter(|_| measured).map(|test| test.p);
        for (segment, shrunk) in large.into_iter().zip(shrink(&groups)) {
            segment.shrunk = Some(shrunk.rate);
            segment.low = measured.then_some(shrunk.low);
            segment.high = measured.then_some(shrunk.high);
            segment.omnibus_p = p;
        }
    }
    all.into_iter().map(|(_, segment)| segment).collect()
}
