//! Post readers against labelled posts: which acts are there, where they are shown, who speaks, how sure the reader is.

use std::ops::Range;

use super::calibration::{bins, brier, debiased_ece2};
use super::resample::{Estimate, Resampler};
use super::truth::LabelledPost;
use super::{Score, share};
use crate::model::{ActKind, Fit, FoundAct, PostReading};

/// Seed of the draws; any would do, one must be.
const SEED: u64 = 1;

/// Which acts a reader says a post performs, in the order of [`ActKind::ALL`].
pub type Said = [bool; ActKind::ALL.len()];

/// Which posts a row of scores is over.
const VIEWS: [(&str, View); 3] = [("", View::All), ("_sure", View::Sure), ("_weighted", View::Weighted)];

#[derive(Clone, Copy, PartialEq)]
enum View {
    /// Every post whose label of the act is known.
    All,
    /// Without the labels that could be argued with.
    Sure,
    /// Posts drawn at random, each as often as it stands for others.
    Weighted,
}

impl View {
    /// How much a post's label of `act` counts.
    fn weight(self, post: &LabelledPost, act: ActKind) -> Option<f64> {
        match self {
            Self::All => Some(1.0),
            Self::Sure => (!post.arguable(act)).then_some(1.0),
            Self::Weighted => post.stands_for(),
        }
    }
}

/// Labelled posts with their draws: what every reader of one evaluation is held against.
pub struct Bench<'a> {
    posts: &'a [LabelledPost],
    resampler: Resampler,
}

impl<'a> Bench<'a> {
    /// Over `posts`, resampled by thread.
    pub fn new(posts: &'a [LabelledPost]) -> Self {
        let clusters: Vec<String> = posts.iter().map(LabelledPost::cluster).collect();
        Self { posts, resampler: Resampler::new(clusters.iter().map(String::as_str), SEED) }
    }

    /// Threads.
    pub fn clusters(&self) -> usize {
        self.resampler.clusters()
    }

    /// Everything that readings tell: presence of acts, spans, voice, calibration of what was claimed, fidelity of quotes.
    pub fn readings(&self, readings: &[PostReading]) -> Vec<Score> {
        let said: Vec<Said> = readings.iter().map(said).collect();
        let mut scores = self.presence(&said, &ActKind::ALL);
        scores.extend(self.places(readings));
        scores.extend(self.voice(readings));
        scores.extend(self.calibration("claim_", &self.claims(readings)));
        scores.extend(fidelity(
            readings.iter().flat_map(|r| &r.acts).map(|found| found.evidence.fit()),
            rejected(readings),
        ));
        scores
    }

    /// Precision, recall and F1 of `acts`, and the mean F1 over those of them that occur.
    pub fn presence(&self, said: &[Said], acts: &[ActKind]) -> Vec<Score> {
        let mut scores = Vec::new();
        for (suffix, view) in VIEWS {
            for &act in acts {
                let parts = || self.outcomes(said, act, view).map(|(i, o)| (i, o.numbers()));
                let n = self.outcomes(said, act, view).filter(|(_, o)| o.there).count() as u64;
                if view != View::All && self.same_as_all(view, act) {
                    continue;
                }
                for (name, statistic) in PRESENCE {
                    let estimate = self.resampler.estimate(parts(), statistic);
                    scores.push(Score::new(&format!("{name}{suffix}"), act.as_str(), estimate, n));
                }
            }
        }
        if acts.len() == ActKind::ALL.len() {
            scores.push(self.macro_f1(said));
        }
        scores
    }

    /// Whether a view would repeat what is said of all posts, or say nothing.
    fn same_as_all(&self, view: View, act: ActKind) -> bool {
        match view {
            View::All => true,
            View::Sure => !self.posts.iter().any(|p| p.arguable(act)),
            View::Weighted => self.posts.iter().all(|p| p.stands_for().is_none()),
        }
    }

    fn macro_f1(&self, said: &[Said]) -> Score {
        const N: usize = 3 * ActKind::ALL.len();
        let parts = ActKind::ALL.iter().enumerate().flat_map(|(a, &act)| {
            self.outcomes(said, act, View::All).map(move |(i, outcome)| {
                let mut all = [0.0; N];
                all[3 * a..3 * a + 3].copy_from_slice(&outcome.numbers());
                (i, all)
            })
        });
        let estimate = self.resampler.estimate(parts, |sums| {
            let f1s: Vec<f64> = sums.as_chunks::<3>().0.iter().filter_map(f1).collect();
            share(f1s.iter().sum(), f1s.len() as f64)
        });
        Score::new("f1", "macro", estimate, self.posts.len() as u64)
    }

    /// By how much `said` is better than `other` at `act`, in F1 over the same draws.
    pub fn gain(&self, said: &[Said], other: &[Said], act: ActKind) -> Estimate {
        let both = self.outcomes(said, act, View::All).zip(self.outcomes(other, act, View::All));
        let parts = both.map(|((i, ours), (_, theirs))| {
            let ([a, b, c], [d, e, f]) = (ours.numbers(), theirs.numbers());
            (i, [a, b, c, d, e, f])
        });
        self.resampler.estimate(parts, |&[a, b, c, d, e, f]| Some(f1(&[a, b, c])? - f1(&[d, e, f])?))
    }

    /// Brier score and debiased calibration error, for each act and all together, of `(post, act, probability, there)`.
    pub fn calibration(&self, prefix: &str, judged: &[(usize, ActKind, f64, bool)]) -> Vec<Score> {
        let mut scores = Vec::new();
        for act in ActKind::ALL.into_iter().map(Some).chain([None]) {
            let of = judged.iter().filter(|j| act.is_none_or(|a| a == j.1));
            let pairs: Vec<(f64, bool)> = of.clone().map(|j| (j.2, j.3)).collect();
            let name = act.map_or("all", ActKind::as_str);
            let parts = of.map(|j| (j.0, [(j.2 - f64::from(u8::from(j.3))).powi(2), 1.0]));
            let spread = Estimate { value: brier(&pairs), ..self.resampler.estimate(parts, |s| share(s[0], s[1])) };
            let n = pairs.len() as u64;
            let ece2 = debiased_ece2(&pairs, bins(pairs.len()));
            scores.push(Score::new(&format!("{prefix}brier"), name, spread, n));
            scores.push(Score::plain(&format!("{prefix}ece"), name, ece2.map(|e| e.max(0.0).sqrt()), n));
            scores.push(Score::plain(&format!("{prefix}ece2"), name, ece2, n));
        }
        scores
    }

    /// What was said and what is there, for posts that count.
    fn outcomes(&self, said: &[Said], act: ActKind, view: View) -> impl Iterator<Item = (usize, Outcome)> {
        let a = act as usize;
        self.posts.iter().zip(said).enumerate().filter_map(move |(i, (post, said))| {
            Some((i, Outcome { there: post.post.has(act)?, said: said[a], weight: view.weight(post, act)? }))
        })
    }

    /// How sure the reader was of each act it claimed, and whether it was there.
    fn claims(&self, readings: &[PostReading]) -> Vec<(usize, ActKind, f64, bool)> {
        let mut claims = Vec::new();
        for (i, (post, reading)) in self.posts.iter().zip(readings).enumerate() {
            for act in ActKind::ALL {
                let sure = counted(reading, act).map(|found| found.confidence).reduce(f64::max);
                if let (Some(p), Some(there)) = (sure, post.post.has(act)) {
                    claims.push((i, act, p, there));
                }
            }
        }
        claims
    }

    /// Over acts rightly claimed: how well the quoted characters agree with the labelled ones, and how many quotes overlap
    /// a label at all.
    fn places(&self, readings: &[PostReading]) -> Vec<Score> {
        let mut found = Vec::new();
        for (i, (post, reading)) in self.posts.iter().zip(readings).enumerate() {
            for act in ActKind::ALL {
                let gold: Vec<Range<usize>> = post.post.spans(act).collect();
                let acts = counted(reading, act);
                let quotes: Vec<Range<usize>> = acts.map(|found| found.evidence.span().range()).collect();
                if !gold.is_empty() && !quotes.is_empty() {
                    found.push((i, act, character_f1(&post.post.text, &gold, &quotes), overlapping(&gold, &quotes)));
                }
            }
        }
        let mut scores = Vec::new();
        for act in ActKind::ALL.into_iter().map(Some).chain([None]) {
            let name = act.map_or("all", ActKind::as_str);
            let of = || found.iter().filter(move |f| act.is_none_or(|a| a == f.1));
            let n = of().count() as u64;
            let mean = |s: &[f64; 2]| share(s[0], s[1]);
            let characters = self.resampler.estimate(of().map(|f| (f.0, [f.2, 1.0])), mean);
            let quotes: f64 = of().map(|f| f.3[1]).sum();
            let placed = self.resampler.estimate(of().map(|f| (f.0, f.3)), mean);
            scores.push(Score::new("span_f1", name, characters, n));
            scores.push(Score::new("quotes_in_place", name, placed, quotes as u64));
        }
        scores
    }

    fn voice(&self, readings: &[PostReading]) -> Option<Score> {
        let labelled = self.posts.iter().zip(readings).enumerate().filter_map(|(i, (post, reading))| {
            let right = post.post.voice? == reading.voice;
            Some((i, [f64::from(u8::from(right)), 1.0]))
        });
        let labelled: Vec<_> = labelled.collect();
        let n = labelled.len() as u64;
        let estimate = self.resampler.estimate(labelled, |s| share(s[0], s[1]));
        (n > 0).then(|| Score::new("voice_accuracy", "all", estimate, n))
    }
}

/// One post's label of one act and what was said of it.
#[derive(Clone, Copy)]
struct Outcome {
    there: bool,
    said: bool,
    weight: f64,
}

impl Outcome {
    /// Hit, false alarm, miss.
    fn numbers(self) -> [f64; 3] {
        let count = |is: bool| if is { self.weight } else { 0.0 };
        [count(self.there && self.said), count(!self.there && self.said), count(self.there && !self.said)]
    }
}

type Statistic = fn(&[f64; 3]) -> Option<f64>;

const PRESENCE: [(&str, Statistic); 3] = [
    ("precision", |&[hits, alarms, _]| share(hits, hits + alarms)),
    ("recall", |&[hits, _, misses]| share(hits, hits + misses)),
    ("f1", f1),
];

/// 2TP / (2TP + FP + FN); `None` where the act neither occurs nor was claimed.
fn f1(&[hits, alarms, misses]: &[f64; 3]) -> Option<f64> {
    share(2.0 * hits, 2.0 * hits + alarms + misses)
}

/// What a reading says of one act, without what does not count.
fn counted(reading: &PostReading, act: ActKind) -> impl Iterator<Item = &FoundAct> {
    reading.acts.iter().filter(move |found| found.act.kind() == act && found.counts())
}

/// The acts of a reading.
pub fn said(reading: &PostReading) -> Said {
    ActKind::ALL.map(|act| counted(reading, act).next().is_some())
}

fn rejected(readings: &[PostReading]) -> usize {
    readings.iter().map(|r| r.rejected).sum()
}

/// How the quotes that a reader proposed fared: found as they stand, found after repair, not in the text at all.
pub(super) fn fidelity(fits: impl Iterator<Item = Fit>, rejected: usize) -> Vec<Score> {
    let (mut exact, mut repaired) = (0_u32, 0_u32);
    for fit in fits {
        match fit {
            Fit::Exact => exact += 1,
            Fit::Normalized | Fit::Fuzzy => repaired += 1,
        }
    }
    let proposed = exact as usize + repaired as usize + rejected;
    let counts = [("exact", f64::from(exact)), ("repaired", f64::from(repaired)), ("rejected", rejected as f64)];
    let score = |(name, n): (&str, f64)| {
        Score::plain(&format!("quotes_{name}"), "all", share(n, proposed as f64), proposed as u64)
    };
    counts.map(score).to_vec()
}

/// F1 of the quoted characters against the labelled ones.
fn character_f1(text: &str, gold: &[Range<usize>], quotes: &[Range<usize>]) -> f64 {
    let inside = |ranges: &[Range<usize>], at: usize| ranges.iter().any(|r| r.contains(&at));
    let (mut both, mut either) = (0_u32, 0_u32);
    for (at, _) in text.char_indices() {
        let (is, said) = (inside(gold, at), inside(quotes, at));
        both += u32::from(is && said);
        either += u32::from(is) + u32::from(said);
    }
    share(2.0 * f64::from(both), f64::from(either)).unwrap_or(0.0)
}

/// Quotes that overlap a label, and quotes.
fn overlapping(gold: &[Range<usize>], quotes: &[Range<usize>]) -> [f64; 2] {
    let placed = quotes.iter().filter(|q| gold.iter().any(|g| g.start < q.end && q.start < g.end));
    [placed.count() as f64, quotes.len() as f64]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Act, Evidence, Span, Voice};

    fn post(id: &str, text: &str, acts: &str, more: &str) -> LabelledPost {
        let line = format!(r#"{{"id":"{id}","text":"{text}","acts":[{acts}]{more}}}"#);
        serde_json::from_str(&line).unwrap()
    }

    fn praise(start: usize, end: usize) -> String {
        format!(r#"{{"act":"praise","spans":[{{"start":{start},"end":{end}}}]}}"#)
    }

    fn reading(text: &str, quotes: &[(usize, usize, f64)]) -> PostReading {
        let cut = |&(start, end, p): &(usize, usize, f64)| {
            let span = Span::new(text, start, end).unwrap();
            (Act::Praise, Evidence::cut(text, span, Fit::Exact).unwrap(), p)
        };
        let acts = quotes.iter().map(|quote| cut(quote).into()).collect();
        PostReading { voice: Voice::FirstHand, lang: None, acts, texture: Vec::new(), rejected: 0, withheld: 0 }
    }

    fn of(scores: &[Score], measure: &str, act: &str) -> Option<f64> {
        scores.iter().find(|s| s.measure == measure && s.act == act).and_then(|s| s.value)
    }

    #[test]
    fn hits_misses_and_places() {
        let posts = [
            post("t-1", "it cut our close to a day", &praise(0, 25), r#","voice":"first_hand","weight":9"#),
            post("u-1", "thanks a lot for this", "", r#","voice":"generic","unsure":["praise"],"weight":1"#),
            post("v-1", "saved us a week so far", &praise(0, 15), r#","weight":5,"stratum":"target_praise""#),
            post("w-1", "it saved us two days", &praise(0, 20), ""),
        ];
        let readings = [
            reading("it cut our close to a day", &[(0, 10, 0.9), (20, 25, 0.6)]),
            reading("thanks a lot for this", &[(0, 21, 0.5)]),
            reading("saved us a week so far", &[]),
            reading("it saved us two days", &[(0, 20, 1.0)]),
        ];
        let bench = Bench::new(&posts);
        assert_eq!(bench.clusters(), 4);
        let scores = bench.readings(&readings);
        let close = |measure: &str, expected: f64| {
            let value = of(&scores, measure, "praise").unwrap();
            assert!((value - expected).abs() < 1e-9, "{measure}: {value}, not {expected}");
        };
        close("precision", 2.0 / 3.0);
        close("recall", 2.0 / 3.0);
        close("f1", 2.0 / 3.0);
        close("precision_sure", 1.0);
        close("f1_sure", 0.8);
        close("f1_weighted", 18.0 / 19.0);
        close("span_f1", (30.0 / 40.0 + 1.0) / 2.0);
        close("quotes_in_place", 1.0);
        close("claim_brier", (0.01 + 0.25) / 3.0);
        assert_eq!(of(&scores, "voice_accuracy", "all"), Some(0.5));
        assert_eq!(of(&scores, "f1", "complaint"), None);
        assert_eq!(of(&scores, "f1", "macro"), of(&scores, "f1", "praise"));
        assert_eq!(of(&scores, "quotes_exact", "all"), Some(1.0));
    }

    /// The difference of two readers is judged over the same threads, so a reader never differs from itself.
    #[test]
    fn a_reader_gains_nothing_over_itself() {
        let posts: Vec<_> = (0..30)
            .map(|i| post(&format!("t{i}-1"), "abc", if i % 3 == 0 { r#"{"act":"ask"}"# } else { "" }, ""))
            .collect();
        let yes = vec![[true; 6]; 30];
        let some: Vec<Said> = (0..30).map(|i| [i % 4 == 0; 6]).collect();
        let bench = Bench::new(&posts);
        assert_eq!(
            bench.gain(&yes, &yes, ActKind::Ask),
            Estimate { value: Some(0.0), low: None, high: None },
            "no draw differs from another"
        );
        let gain = bench.gain(&yes, &some, ActKind::Ask);
        assert!(gain.low < gain.value && gain.value < gain.high, "{gain:?}");
    }

    #[test]
    fn quotes_are_told_apart_by_how_they_were_found() {
        let fits = [Fit::Exact, Fit::Exact, Fit::Fuzzy];
        let shares: Vec<_> = fidelity(fits.into_iter(), 1).into_iter().map(|s| (s.value, s.n)).collect();
        assert_eq!(shares, [(Some(0.5), 4), (Some(0.25), 4), (Some(0.25), 4)]);
        assert!(fidelity([].into_iter(), 0).iter().all(|s| s.value.is_none()));
    }
}
