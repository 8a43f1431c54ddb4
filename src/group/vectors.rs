//! Vectors: texts as points, computed from the texts themselves. Nothing is downloaded.
//!
//! A [`Space`] knows the terms of the texts it was fitted on: TF-IDF weights (sublinear), and the strongest directions in
//! which they vary together (`latent`). Where a sentence model gave the texts' vectors, those stand beside the
//! directions: the model knows which words mean the same, the texts what is spoken of here, and either alone finds worse
//! groups (`docs/adr/0006`). The one rule: every [`Point`] is finite and of length one, or of length zero when nothing is
//! known of the text.

use std::collections::{BTreeMap, HashMap, HashSet};

use rayon::prelude::*;

use super::embed::Vectors;
use super::latent::latent_basis;
use super::terms::{Term, terms};

/// A text to be placed: the words in question, and what stands around them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage<'a> {
    /// The words in question.
    pub(super) quote: &'a str,
    /// The text before and after them.
    pub(super) around: &'a str,
    /// What the conversation is called.
    pub(super) title: &'a str,
}

impl<'a> Passage<'a> {
    /// A line that stands alone.
    pub(super) fn bare(quote: &'a str) -> Self {
        Self { quote, around: "", title: "" }
    }

    /// Its parts, with how much they count.
    pub(super) fn parts(&self) -> [(&'a str, f32); 3] {
        [(self.quote, QUOTE_WEIGHT), (self.around, AROUND_WEIGHT), (self.title, TITLE_WEIGHT)]
    }
}

/// How much the parts of a passage count; each part is a vector of length one before it is weighted.
const QUOTE_WEIGHT: f32 = 1.0;
const AROUND_WEIGHT: f32 = 0.5;
const TITLE_WEIGHT: f32 = 0.2;

/// Most terms a space keeps, the most frequent ones; the rest would be too rare to compare by.
const MAX_TERMS: usize = 16_000;

/// Where a sentence model stands beside the texts' own directions: the share of a cosine that the directions have.
const OWN_SHARE: f32 = 0.3;

/// Of how many of the texts' own directions one is used to find clusters, the strongest first. Each further direction sets a few texts
/// apart from all others, and with as many as help to tell which problem a text belongs to, clusters fall apart (`eval/README.md`).
const CLUSTERED: usize = 2;

/// Term number and weight, ordered by term.
pub(super) type Sparse = Vec<(u32, f32)>;

/// A placed passage. Both vectors have length one, or are all zero.
#[derive(Debug, Clone, Default)]
pub(super) struct Point {
    /// TF-IDF weights by term.
    pub(super) terms: Sparse,
    /// Latent coordinates.
    pub(super) latent: Vec<f32>,
}

/// What the texts it was fitted on have in common.
#[derive(Debug)]
pub(super) struct Space {
    numbers: HashMap<String, u32>,
    stems: Vec<String>,
    surfaces: Vec<String>,
    weights: Vec<f32>,
    /// The latent coordinates of each term, `directions` a term.
    basis: Vec<f32>,
    /// Number of latent coordinates that stem from terms.
    directions: usize,
    model: Option<ByModel>,
}

/// What a sentence model says of texts. All its vectors point much the same way, so each part of a passage counts by how it
/// differs from the mean of its kind ([`Passage::parts`]; Mu & Viswanath 2018).
#[derive(Debug)]
struct ByModel {
    vectors: Vectors,
    means: [Vec<f32>; 3],
}

impl Space {
    /// Fits a space on `anchors` and `passages`. A term must stand in two passages to count, or in an anchor.
    ///
    /// `vectors` are a sentence model's for all the texts that will be placed, when there is one.
    ///
    /// The order of the passages changes the result by rounding only; a caller that wants the same bytes passes the same
    /// order.
    pub(super) fn fit(anchors: &[Passage<'_>], passages: &[Passage<'_>], vectors: Option<Vectors>, seed: u64) -> Self {
        let mut counts = BTreeMap::<String, Seen>::new();
        for (passage, anchor) in anchors.iter().map(|p| (p, true)).chain(passages.iter().map(|p| (p, false))) {
            let mut met = HashSet::new();
            for term in terms(passage.quote).into_iter().chain(terms(passage.around)) {
                let seen = counts.entry(term.stem.clone()).or_default();
                *seen.surfaces.entry(term.surface).or_default() += 1;
                if met.insert(term.stem) {
                    seen.passages += 1;
                    seen.anchored |= anchor;
                }
            }
        }
        let mut kept = counts.into_iter().filter(|(_, s)| s.passages > 1 || s.anchored).collect::<Vec<_>>();
        if kept.len() > MAX_TERMS {
            kept.sort_by(|(a, x), (b, y)| (y.anchored, y.passages).cmp(&(x.anchored, x.passages)).then(a.cmp(b)));
            kept.truncate(MAX_TERMS);
            kept.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        let total = (anchors.len() + passages.len()) as f32;
        let mut space = Self {
            numbers: HashMap::new(),
            stems: Vec::new(),
            surfaces: Vec::new(),
            weights: Vec::new(),
            basis: Vec::new(),
            directions: 0,
            model: None,
        };
        for (number, (stem, seen)) in (0_u32..).zip(kept) {
            space.weights.push(((1.0 + total) / (1.0 + seen.passages as f32)).ln() + 1.0);
            space.surfaces.push(seen.most_common_surface());
            space.numbers.insert(stem.clone(), number);
            space.stems.push(stem);
        }
        let rows = anchors.par_iter().chain(passages).map(|p| space.weigh(p)).collect::<Vec<_>>();
        (space.basis, space.directions) = latent_basis(&rows, space.weights.len(), seed);
        space.model = vectors.map(|vectors| {
            let means = means(&vectors, anchors.iter().chain(passages));
            ByModel { vectors, means }
        });
        space
    }

    /// Places a passage.
    pub(super) fn place(&self, passage: &Passage<'_>) -> Point {
        let terms = self.weigh(passage);
        let mut latent = vec![0.0; self.width()];
        let (own, by_model) = latent.split_at_mut(self.directions);
        for &(term, weight) in &terms {
            let start = term as usize * self.directions;
            add_scaled(own, &self.basis[start..start + self.directions], weight);
        }
        if let Some(ByModel { vectors, means }) = &self.model {
            for ((text, weight), mean) in passage.parts().into_iter().zip(means) {
                let Some(vector) = vectors.of(text) else { continue };
                let mut part = vector.zip(mean).map(|(x, m)| x - m).collect::<Vec<_>>();
                normalise(&mut part);
                add_scaled(by_model, &part, weight);
            }
            for (part, share) in [(own, OWN_SHARE), (by_model, 1.0 - OWN_SHARE)] {
                normalise(part);
                part.iter_mut().for_each(|x| *x *= share.sqrt());
            }
        }
        normalise(&mut latent);
        Point { terms, latent }
    }

    /// How near is near, in this space.
    pub(super) fn nearness(&self) -> &'static Nearness {
        if self.model.is_some() { &BY_MODEL } else { &BY_TERMS }
    }

    /// Number of latent coordinates.
    pub(super) fn width(&self) -> usize {
        self.directions + self.model.as_ref().map_or(0, |model| model.vectors.width())
    }

    /// Number of latent coordinates, from the first, that clusters are found by: those of a model all, of the texts' own directions
    /// the strongest ([`CLUSTERED`]).
    pub(super) fn leading(&self) -> usize {
        if self.model.is_some() { self.width() } else { self.directions.div_ceil(CLUSTERED).max(2) }
    }

    /// Number of terms.
    pub(super) fn len(&self) -> usize {
        self.weights.len()
    }

    /// A term's stem.
    pub(super) fn stem(&self, term: u32) -> &str {
        &self.stems[term as usize]
    }

    /// A term as people write it.
    pub(super) fn surface(&self, term: u32) -> &str {
        &self.surfaces[term as usize]
    }

    /// The numbers of the known terms of `text`, each as often as it stands there.
    pub(super) fn known_terms(&self, text: &str) -> impl Iterator<Item = u32> {
        terms(text).into_iter().filter_map(|t| self.numbers.get(&t.stem).copied())
    }

    fn weigh(&self, passage: &Passage<'_>) -> Sparse {
        let mut sum = BTreeMap::<u32, f32>::new();
        for (text, weight) in passage.parts() {
            for (term, share) in self.weigh_text(&terms(text)) {
                *sum.entry(term).or_default() += weight * share;
            }
        }
        let mut sum = sum.into_iter().collect::<Sparse>();
        normalise_sparse(&mut sum);
        sum
    }

    fn weigh_text(&self, terms: &[Term]) -> Sparse {
        let mut counts = BTreeMap::<u32, u32>::new();
        for number in terms.iter().filter_map(|t| self.numbers.get(&t.stem)) {
            *counts.entry(*number).or_default() += 1;
        }
        let mut weights = counts
            .into_iter()
            .map(|(term, count)| (term, (1.0 + (count as f32).ln()) * self.weights[term as usize]))
            .collect::<Sparse>();
        normalise_sparse(&mut weights);
        weights
    }
}

/// How near is near: cosines mean other things in other spaces. Chosen on labels, see `eval/README.md`.
#[derive(Debug)]
pub(super) struct Nearness {
    /// Share of the terms in a similarity; the latent coordinates have the rest.
    pub(super) terms_share: f32,
    /// Similarity below which a passage fits no problem.
    pub(super) fits: f32,
    /// Similarity at which a passage counts as a near miss: what members of a problem commonly have to it. A single line is
    /// otherwise the nearest to many a passage by chance.
    pub(super) misses: f32,
    /// A passage teaches a profile when it is at least this similar, and ahead of the second by this much.
    pub(super) sure: f32,
    pub(super) ahead: f32,
    /// Similarity of a problem's profile to its own lines below which it has learnt to be something else.
    pub(super) drifted: f32,
    /// Cosine of the latent coordinates to its cluster's centroid below which a point is in no cluster.
    pub(super) clusters: f32,
}

/// In the directions that the texts' own terms span.
const BY_TERMS: Nearness =
    Nearness { terms_share: 0.5, fits: 0.15, misses: 0.35, sure: 0.16, ahead: 0.03, drifted: 0.72, clusters: 0.2 };
/// By a sentence model. How far profiles drift there was not measured.
const BY_MODEL: Nearness =
    Nearness { terms_share: 0.5, fits: 0.08, misses: 0.3, sure: 0.12, ahead: 0.03, drifted: 0.0, clusters: 0.1 };

/// The mean vector of each kind of part, over `passages`; zero where there is none.
fn means<'a>(vectors: &Vectors, passages: impl Iterator<Item = &'a Passage<'a>>) -> [Vec<f32>; 3] {
    let mut sums = [(); 3].map(|()| (vec![0.0_f64; vectors.width()], 0));
    for passage in passages {
        for ((text, _), (sum, count)) in passage.parts().into_iter().zip(&mut sums) {
            let Some(vector) = vectors.of(text) else { continue };
            sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += f64::from(x));
            *count += 1;
        }
    }
    sums.map(|(sum, count)| sum.into_iter().map(|x| (x / f64::from(count.max(1))) as f32).collect())
}

/// What was met of a term.
#[derive(Default)]
struct Seen {
    passages: u32,
    anchored: bool,
    surfaces: BTreeMap<String, u32>,
}

impl Seen {
    fn most_common_surface(self) -> String {
        // The first of equals in the alphabet: `max_by_key` would take the last.
        let best = self.surfaces.into_iter().rev().max_by_key(|(_, count)| *count);
        best.map(|(surface, _)| surface).unwrap_or_default()
    }
}

/// Inner product, in eight sums side by side: additions of floats in one sum cannot be done at once.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (eights_a, rest_a) = a.as_chunks::<8>();
    let (eights_b, rest_b) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (a, b) in eights_a.iter().zip(eights_b) {
        for (sum, (x, y)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum::<f32>()
}

/// Inner product of two sparse vectors.
pub(super) fn dot_terms(a: &Sparse, b: &Sparse) -> f32 {
    let mut sum = 0.0;
    let mut rest = b.iter().peekable();
    for &(term, weight) in a {
        while rest.next_if(|(other, _)| *other < term).is_some() {}
        if let Some((_, other)) = rest.next_if(|(other, _)| *other == term) {
            sum += weight * other;
        }
    }
    sum
}

/// Inner product of a sparse vector with a full one.
pub(super) fn dot_sparse(a: &Sparse, b: &[f32]) -> f32 {
    a.iter().map(|&(term, weight)| weight * b[term as usize]).sum()
}

/// `sum += scale * x`.
pub(super) fn add_scaled(sum: &mut [f32], x: &[f32], scale: f32) {
    for (sum, x) in sum.iter_mut().zip(x) {
        *sum += scale * x;
    }
}

/// Scales to length one; what is too short to have a direction becomes zero.
pub(super) fn normalise(vector: &mut [f32]) {
    let length = dot(vector, vector).sqrt();
    let scale = if length > 1e-6 { 1.0 / length } else { 0.0 };
    vector.iter_mut().for_each(|x| *x *= scale);
}

fn normalise_sparse(vector: &mut Sparse) {
    let length = vector.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|(_, w)| *w /= length);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_term_of_one_passage_is_kept_only_when_an_anchor_has_it() {
        let passages = ["red lamp", "red door"].map(Passage::bare);
        let kept = |space: &Space| (0..space.len() as u32).map(|t| space.stem(t).to_owned()).collect::<Vec<_>>();
        assert_eq!(kept(&Space::fit(&[], &passages, None, 1)), ["red"]);
        assert_eq!(kept(&Space::fit(&[Passage::bare("lamp")], &passages, None, 1)), ["lamp", "red"]);
    }

    #[test]
    fn the_quote_counts_more_than_its_context() {
        let space = Space::fit(&["red lamp", "red lamp", "blue door", "blue door"].map(Passage::bare), &[], None, 1);
        let point = space.place(&Passage { quote: "lamp", around: "door", title: "door" });
        let similarity = |text: &str| dot_terms(&point.terms, &space.place(&Passage::bare(text)).terms);
        assert!(similarity("lamp") > similarity("door"), "{point:?}");
        assert!(similarity("door") > 0.0);
    }

    #[test]
    fn texts_on_one_subject_are_near_in_latent_space_without_a_shared_word() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let texts = (0..400)
            .map(|i| {
                let subject = if i % 2 == 0 { "sail" } else { "bow" };
                let words = (0..6).map(|_| format!("{subject}{}", random.random_range(0..40))).collect::<Vec<_>>();
                words.join(", ")
            })
            .collect::<Vec<_>>();
        let space = Space::fit(&[], &texts.iter().map(|t| Passage::bare(t)).collect::<Vec<_>>(), None, 1);
        let at = |subject: &str, block: usize| {
            let words = (block * 8..block * 8 + 8).map(|i| format!("{subject}{i}")).collect::<Vec<_>>();
            space.place(&Passage::bare(&words.join(", ")))
        };
        let (mut near, mut far) = (0.0, 0.0);
        for (one, other) in (0..5).flat_map(|one| (0..5).map(move |other| (one, other))).filter(|(a, b)| a != b) {
            assert_eq!(dot_terms(&at("sail", one).terms, &at("sail", other).terms), 0.0);
            near += dot(&at("sail", one).latent, &at("sail", other).latent) / 20.0;
            far += dot(&at("sail", one).latent, &at("bow", other).latent) / 20.0;
        }
        assert!(near > far + 0.05, "on average {near} and {far}");
    }

    #[test]
    fn another_seed_gives_the_same_similarities() {
        let texts = ["ship sail mast", "sail mast wind", "ship wind", "pan lid stove", "stove pan", "lid pan steam"];
        let passages = [texts, texts].concat().into_iter().map(Passage::bare).collect::<Vec<_>>();
        let near = |seed| {
            let space = Space::fit(&[], &passages, None, seed);
            dot(&space.place(&passages[0]).latent, &space.place(&passages[1]).latent)
        };
        assert!((near(1) - near(2)).abs() < 1e-3);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn points_are_finite_and_of_length_one_or_zero(texts in prop::collection::vec("\\PC{0,60}|([a-e]{2,3} ){0,8}", 0..12), asked in "\\PC{0,60}|([a-e]{2,3} ){0,8}") {
            let passages = texts.iter().map(|t| Passage { quote: t, around: &asked, title: t }).collect::<Vec<_>>();
            let space = Space::fit(&[], &passages, None, 1);
            for passage in passages.iter().copied().chain([Passage::bare(&asked)]) {
                let point = space.place(&passage);
                let lengths = [dot_terms(&point.terms, &point.terms), dot(&point.latent, &point.latent)];
                prop_assert_eq!(point.latent.len(), space.width());
                for length in lengths {
                    prop_assert!(length == 0.0 || (length - 1.0).abs() < 1e-4, "{}", length);
                }
            }
        }
    }
}
