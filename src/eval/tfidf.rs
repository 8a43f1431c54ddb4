//! A bag-of-words baseline: logistic regression over TF-IDF of words and word pairs, one model an act, each post judged by a
//! fit that had not seen its thread.

use std::collections::HashMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

use super::posts::Said;
use super::truth::LabelledPost;
use crate::extract::embedded::train::best_dual;
use crate::extract::score::TruthPost;
use crate::model::ActKind;

/// Terms in fewer texts are left out.
const LEAST_TEXTS: u32 = 2;

/// A text as term numbers with values, of length 1.
type Vector = Vec<(u32, f64)>;

/// A labelled text and how much it counts.
struct Row<'a> {
    vector: &'a [(u32, f64)],
    label: bool,
    trust: f64,
}

/// What is said of each of `posts`.
pub(super) fn held_out(posts: &[LabelledPost], further: &[TruthPost], fold_of: fn(&TruthPost) -> String) -> Vec<Said> {
    let folds: Vec<String> = posts.iter().map(|p| fold_of(&p.post)).collect();
    let mut names = folds.clone();
    names.sort_unstable();
    names.dedup();
    let terms: Vec<Vec<String>> = posts.iter().map(|p| &p.post).chain(further).map(|p| terms(&p.text)).collect();
    let all: Vec<&TruthPost> = posts.iter().map(|p| &p.post).chain(further).collect();
    let judge = |name: &String| {
        let seen: Vec<usize> = (0..all.len()).filter(|&i| folds.get(i) != Some(name)).collect();
        let vocabulary = Vocabulary::new(seen.iter().map(|&i| terms[i].as_slice()));
        let vectors: Vec<Vector> = seen.iter().map(|&i| vocabulary.vector(&terms[i])).collect();
        let models = ActKind::ALL.map(|act| {
            let labelled = seen.iter().zip(&vectors);
            let rows =
                labelled.filter_map(|(&i, v)| Some(Row { vector: v, label: all[i].has(act)?, trust: all[i].trust }));
            fit(&rows.collect::<Vec<_>>(), vocabulary.idf.len())
        });
        let asked = (0..posts.len()).filter(|&i| folds[i] == *name);
        let judged = asked.map(|i| {
            let vector = vocabulary.vector(&terms[i]);
            (i, models.each_ref().map(|model| model.margin(&vector) > 0.0))
        });
        judged.collect::<Vec<(usize, Said)>>()
    };
    let mut said = vec![Said::default(); posts.len()];
    for (i, acts) in names.par_iter().map(judge).collect::<Vec<_>>().into_iter().flatten() {
        said[i] = acts;
    }
    said
}

/// Words in lower case, then pairs of neighbours.
fn terms(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.unicode_words().collect();
    let pairs = words.windows(2).map(|pair| pair.join(" "));
    words.iter().map(|w| (*w).to_owned()).chain(pairs).collect()
}

struct Vocabulary<'a> {
    numbers: HashMap<&'a str, u32>,
    idf: Vec<f64>,
}

impl<'a> Vocabulary<'a> {
    /// Terms in order of first appearance, so that the fit does not depend on a map's order.
    fn new(texts: impl Iterator<Item = &'a [String]>) -> Self {
        let mut seen: HashMap<&str, (u32, usize)> = HashMap::new();
        let mut order = Vec::new();
        let mut count = 0;
        for (number, text) in (1..).zip(texts) {
            count = number;
            for term in text {
                let entry = seen.entry(term).or_insert_with(|| {
                    order.push(term.as_str());
                    (0, 0)
                });
                // A term counts once a text.
                if entry.1 != number {
                    *entry = (entry.0 + 1, number);
                }
            }
        }
        let mut numbers = HashMap::new();
        let mut idf = Vec::new();
        for term in order.into_iter().filter(|term| seen[term].0 >= LEAST_TEXTS) {
            numbers.insert(term, idf.len() as u32);
            idf.push(((1.0 + count as f64) / (1.0 + f64::from(seen[term].0))).ln() + 1.0);
        }
        Self { numbers, idf }
    }

    /// Sublinear counts times inverse document frequency, scaled to length 1.
    fn vector(&self, text: &[String]) -> Vector {
        let mut known: Vec<u32> = text.iter().filter_map(|term| self.numbers.get(term.as_str()).copied()).collect();
        known.sort_unstable();
        let groups = known.chunk_by(|a, b| a == b);
        let mut vector: Vector =
            groups.map(|g| (g[0], (1.0 + (g.len() as f64).ln()) * self.idf[g[0] as usize])).collect();
        let length = vector.iter().map(|(_, v)| v * v).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|(_, v)| *v /= length.max(f64::MIN_POSITIVE));
        vector
    }
}

struct Model {
    weights: Vec<f64>,
    bias: f64,
}

impl Model {
    fn margin(&self, vector: &[(u32, f64)]) -> f64 {
        vector.iter().fold(self.bias, |sum, &(term, value)| sum + self.weights[term as usize] * value)
    }

    fn add(&mut self, vector: &[(u32, f64)], by: f64) {
        self.bias += by;
        for &(term, value) in vector {
            self.weights[term as usize] += by * value;
        }
    }
}

/// L2-penalised logistic regression with balanced classes (C = 1), by dual coordinate descent (Yu, Huang and Lin, 2011).
fn fit(rows: &[Row], terms: usize) -> Model {
    let mut model = Model { weights: vec![0.0; terms], bias: 0.0 };
    let total: f64 = rows.iter().map(|r| r.trust).sum();
    let positive: f64 = rows.iter().filter(|r| r.label).map(|r| r.trust).sum();
    if positive <= 0.0 || positive >= total {
        model.bias = if positive > 0.0 { 1.0 } else { -1.0 };
        return model;
    }
    let cost = |row: &Row| row.trust * 0.5 * total / if row.label { positive } else { total - positive };
    let costs: Vec<f64> = rows.iter().map(cost).collect();
    let mut duals: Vec<f64> = costs.iter().map(|c| 0.01 * c).collect();
    let sign = |label: bool| if label { 1.0 } else { -1.0 };
    for (row, dual) in rows.iter().zip(&duals) {
        model.add(row.vector, sign(row.label) * dual);
    }
    let mut order: Vec<usize> = (0..rows.len()).filter(|&i| costs[i] > 0.0).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..100 {
        order.shuffle(&mut rng);
        let mut moved = 0.0_f64;
        for &i in &order {
            let Row { vector, label, .. } = rows[i];
            let square = 1.0 + vector.iter().map(|(_, v)| v * v).sum::<f64>();
            let new = best_dual(duals[i], costs[i], square, sign(label) * model.margin(vector), 40);
            moved = moved.max((new - duals[i]).abs() / costs[i]);
            model.add(vector, sign(label) * (new - duals[i]));
            duals[i] = new;
        }
        if moved < 1e-3 {
            break;
        }
    }
    model
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At the optimum the gradient of the penalised loss is zero: each weight is the sum of what its rows pull.
    #[test]
    fn the_fit_is_an_optimum() {
        let texts: Vec<Vec<String>> = (0..40)
            .map(|i| {
                terms(if i % 4 == 0 { "we tried the reset and it failed" } else { "we use the export and it runs" })
            })
            .collect();
        let vocabulary = Vocabulary::new(texts.iter().map(Vec::as_slice));
        let vectors: Vec<Vector> = texts.iter().map(|t| vocabulary.vector(t)).collect();
        let rows: Vec<_> =
            vectors.iter().enumerate().map(|(i, v)| Row { vector: v, label: i % 4 == 0, trust: 1.0 }).collect();
        let model = fit(&rows, vocabulary.idf.len());
        let mut pulls = vec![0.0; model.weights.len()];
        for Row { vector, label, .. } in &rows {
            let sign = if *label { 1.0 } else { -1.0 };
            let cost = if *label { 2.0 } else { 40.0 / 60.0 };
            let pull = cost * sign / (1.0 + (sign * model.margin(vector)).exp());
            vector.iter().for_each(|&(term, value)| pulls[term as usize] += pull * value);
        }
        for (weight, pull) in model.weights.iter().zip(&pulls) {
            assert!((weight - pull).abs() < 0.02, "{weight} against {pull}");
        }
        assert!(rows.iter().all(|row| (model.margin(row.vector) > 0.0) == row.label));
    }

    #[test]
    fn vectors_have_length_one_and_known_terms_only() {
        let texts = [terms("a cat and a dog"), terms("a cat and a cow")];
        let vocabulary = Vocabulary::new(texts.iter().map(Vec::as_slice));
        let vector = vocabulary.vector(&texts[0]);
        let length: f64 = vector.iter().map(|(_, v)| v * v).sum();
        assert!((length - 1.0).abs() < 1e-12);
        // a, cat, and, "a cat", "cat and", "and a"; neither dog nor "a dog".
        assert_eq!(vector.len(), 6);
        assert!(vocabulary.vector(&terms("nothing known")).is_empty());
    }

    /// A post is never judged by a fit that saw its own thread: with one fold there is nothing to learn from.
    #[test]
    fn posts_are_held_out() {
        let post = |i: usize| {
            let acts = if i.is_multiple_of(2) { serde_json::json!([{"act": "ask"}]) } else { serde_json::json!([]) };
            let text = if i.is_multiple_of(2) { "is there any tool for it" } else { "it runs on the box" };
            serde_json::from_value(serde_json::json!({"id": format!("t{i}-1"), "text": text, "acts": acts})).unwrap()
        };
        let posts: Vec<LabelledPost> = (0..20).map(post).collect();
        let ask = ActKind::Ask as usize;
        let alone = held_out(&posts, &[], |_| "one".to_owned());
        assert!(alone.iter().all(|said| !said[ask]));
        let folds = held_out(&posts, &[], |p| p.id.len().to_string() + &p.id[1..2]);
        assert!(folds.iter().enumerate().all(|(i, said)| said[ask] == i.is_multiple_of(2)));
    }
}
