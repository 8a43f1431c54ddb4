//! The classifier: which problem of a codebook a passage belongs to, or none. There is one for both sides, and it sees
//! words, never where they come from (METHOD 3.1).
//!
//! A problem is a [`Profile`]: the mean of what is known to belong to it, in terms and in latent directions. What is known
//! of a codebook frozen by hand is a few lines, so its profiles then learn from the passages that are surely theirs
//! (Rocchio with self-training, the lines keeping their say).

use std::collections::HashSet;

use super::vectors::{Nearness, Passage, Point, Space, add_scaled, dot, dot_sparse, dot_terms, normalise};
use crate::model::{Codebook, Problem};

/// Share of a codebook's own lines in a profile that has learnt.
const LINES_SHARE: f32 = 0.35;
/// Rounds of learning; measured, later ones change next to nothing.
const ROUNDS: usize = 5;

/// A problem as a place in the space.
#[derive(Debug, Clone)]
struct Profile {
    terms: Vec<f32>,
    latent: Vec<f32>,
}

/// Sorts points into problems.
#[derive(Debug)]
pub(super) struct Classifier {
    nearness: &'static Nearness,
    profiles: Vec<Profile>,
    /// For each profile, what is near it and does not belong.
    near_misses: Vec<Vec<Point>>,
}

/// The lines of `problem` that say what belongs to it.
pub(super) fn lines(problem: &Problem) -> Vec<String> {
    let own = [problem.statement.clone(), problem.name.clone(), problem.terms.join(". ")];
    own.into_iter().chain(problem.include.iter().cloned()).collect()
}

impl Classifier {
    /// For groups of points, in their order.
    pub(super) fn from_groups(space: &Space, groups: &[Vec<&Point>]) -> Self {
        let profiles = groups.iter().map(|group| Profile::of(space, group.iter().copied())).collect();
        Self { nearness: space.nearness(), profiles, near_misses: vec![Vec::new(); groups.len()] }
    }

    /// For the problems of `codebook`, in their order, learning from `points`: from those that are known to belong to one of
    /// them, and from those that surely do.
    pub(super) fn from_codebook(space: &Space, codebook: &Codebook, points: &[(&Point, Option<usize>)]) -> Self {
        let place = |line: &String| space.place(&Passage::bare(line));
        let problems = codebook.problems();
        let anchors = problems
            .iter()
            .map(|p| Profile::of(space, lines(p).iter().map(place).collect::<Vec<_>>().iter()))
            .collect::<Vec<_>>();
        let near_misses = problems.iter().map(|p| p.exclude.iter().map(place).collect()).collect();
        let mut classifier = Self { nearness: space.nearness(), profiles: anchors.clone(), near_misses };
        for _ in 0..ROUNDS {
            let mut learnt = vec![Vec::new(); anchors.len()];
            for &(point, known) in points {
                if let Some(problem) = known.or_else(|| classifier.surely(point)) {
                    learnt[problem].push(point);
                }
            }
            classifier.profiles = anchors
                .iter()
                .zip(learnt)
                .map(|(lines, points)| lines.mixed_with(&Profile::of(space, points.into_iter())))
                .collect();
        }
        // What nobody speaks of is learnt from texts that are about something else; its lines alone keep it what it is.
        let known = points.iter().filter_map(|(_, known)| *known).collect::<HashSet<_>>();
        for (k, lines) in anchors.into_iter().enumerate().filter(|(k, _)| !known.contains(k)) {
            if classifier.likeness(&classifier.profiles[k], &lines) < classifier.nearness.drifted {
                classifier.profiles[k] = lines;
            }
        }
        classifier
    }

    /// One more problem, known by `points`; it comes last.
    pub(super) fn add(&mut self, space: &Space, points: &[&Point]) {
        self.profiles.push(Profile::of(space, points.iter().copied()));
        self.near_misses.push(Vec::new());
    }

    /// Problem `k` by `points` alone.
    pub(super) fn replace(&mut self, space: &Space, k: usize, points: &[&Point]) {
        self.profiles[k] = Profile::of(space, points.iter().copied());
    }

    /// How similar two problems are.
    pub(super) fn alike(&self, a: usize, b: usize) -> f32 {
        self.likeness(&self.profiles[a], &self.profiles[b])
    }

    fn likeness(&self, a: &Profile, b: &Profile) -> f32 {
        self.mix(dot(&a.terms, &b.terms), dot(&a.latent, &b.latent))
    }

    /// The problem that `point` belongs to, if any, and its similarity to the nearest one (0 when there is none).
    pub(super) fn classify(&self, point: &Point) -> (Option<usize>, f32) {
        match self.ranked(point) {
            [Some((problem, similarity)), _] if similarity >= self.nearness.fits => (Some(problem), similarity),
            [nearest, _] => (None, nearest.map_or(0.0, |(_, similarity)| similarity)),
        }
    }

    /// How similar `point` is to the `problem`.
    pub(super) fn similarity(&self, problem: usize, point: &Point) -> f32 {
        let profile = &self.profiles[problem];
        self.mix(dot_sparse(&point.terms, &profile.terms), dot(&point.latent, &profile.latent))
    }

    fn mix(&self, terms: f32, latent: f32) -> f32 {
        let share = self.nearness.terms_share;
        share * terms + (1.0 - share) * latent
    }

    fn surely(&self, point: &Point) -> Option<usize> {
        let [first, second] = self.ranked(point);
        let (problem, similarity) = first?;
        let ahead = similarity - second.map_or(0.0, |(_, s)| s);
        (similarity >= self.nearness.sure && ahead >= self.nearness.ahead).then_some(problem)
    }

    /// The two nearest problems, leaving out those of which a near miss is nearer still.
    fn ranked(&self, point: &Point) -> [Option<(usize, f32)>; 2] {
        let mut best: [Option<(usize, f32)>; 2] = [None, None];
        for (problem, misses) in self.near_misses.iter().enumerate() {
            let similarity = self.similarity(problem, point);
            let beats = |other: Option<(usize, f32)>| other.is_none_or(|(_, s)| similarity > s);
            let place = if beats(best[0]) {
                0
            } else if beats(best[1]) {
                1
            } else {
                continue;
            };
            let missed = |m: &Point| {
                let miss = self.mix(dot_terms(&point.terms, &m.terms), dot(&point.latent, &m.latent));
                miss >= self.nearness.misses && miss > similarity
            };
            if misses.iter().any(missed) {
                continue;
            }
            if place == 0 {
                best[1] = best[0];
            }
            best[place] = Some((problem, similarity));
        }
        best
    }
}

impl Profile {
    fn of<'a>(space: &Space, points: impl Iterator<Item = &'a Point>) -> Self {
        let mut profile = Self { terms: vec![0.0; space.len()], latent: vec![0.0; space.width()] };
        for point in points {
            for &(term, weight) in &point.terms {
                profile.terms[term as usize] += weight;
            }
            add_scaled(&mut profile.latent, &point.latent, 1.0);
        }
        normalise(&mut profile.terms);
        normalise(&mut profile.latent);
        profile
    }

    fn mixed_with(&self, learnt: &Self) -> Self {
        let blend = |lines: &[f32], learnt: &[f32]| {
            let mut blend = lines.iter().map(|x| x * LINES_SHARE).collect::<Vec<_>>();
            add_scaled(&mut blend, learnt, 1.0 - LINES_SHARE);
            normalise(&mut blend);
            blend
        };
        Self { terms: blend(&self.terms, &learnt.terms), latent: blend(&self.latent, &learnt.latent) }
    }
}
