//! Directions: those in which texts vary together most (latent semantic analysis: Deerwester et al. 1990), found by randomised
//! subspace iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4).
//!
//! The one rule: the seed changes the result by rounding only.

use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::vectors::Sparse;

/// Most latent directions.
const MAX_WIDTH: usize = 150;
/// Directions computed beyond those kept, and rounds of iteration: Halko et al. advise 5 to 10, and 1 or 2.
const OVERSAMPLING: usize = 10;
const ROUNDS: usize = 3;

/// How many directions `rows` texts support: few texts give few reliable directions, and the rest is noise.
fn width_for(rows: usize) -> usize {
    (2 * rows.isqrt()).min(MAX_WIDTH).min(rows)
}

/// The right singular vectors of `rows` (a sparse matrix of `terms` columns) with the largest singular values, as
/// coordinates per term; and how many there are.
pub(super) fn latent_basis(rows: &[Sparse], terms: usize, seed: u64) -> (Vec<f32>, usize) {
    let wanted = width_for(rows.len()).min(terms);
    let probes = (wanted + OVERSAMPLING).min(rows.len()).min(terms);
    if probes == 0 {
        return (Vec::new(), 0);
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut range = DMatrix::from_fn(terms, probes, |_, _| random.random::<f64>() - 0.5);
    for _ in 0..ROUNDS {
        range = gram_times(rows, &range).qr().q();
    }
    // In the subspace the Gram matrix is small, and its eigenvectors turn the subspace to the singular directions.
    let small = range.tr_mul(&gram_times(rows, &range)).symmetric_eigen();
    let mut order = (0..small.eigenvalues.len()).collect::<Vec<_>>();
    order.sort_by(|&a, &b| small.eigenvalues[b].total_cmp(&small.eigenvalues[a]));
    let largest = order.first().map_or(0.0, |&i| small.eigenvalues[i]);
    order.retain(|&i| small.eigenvalues[i] > largest * 1e-9);
    order.truncate(wanted);
    let turned = &range * small.eigenvectors.select_columns(&order);
    let by_term = (0..terms).flat_map(|term| turned.row(term).iter().map(|&x| x as f32).collect::<Vec<_>>()).collect();
    (by_term, order.len())
}

/// `AᵀA M`, for the sparse `A` given by `rows`.
fn gram_times(rows: &[Sparse], m: &DMatrix<f64>) -> DMatrix<f64> {
    // One column per term, so that a term's numbers lie side by side.
    let by_term = m.transpose();
    let mut product = DMatrix::<f64>::zeros(by_term.nrows(), by_term.ncols());
    let mut image = vec![0.0; by_term.nrows()];
    for row in rows {
        image.fill(0.0);
        for &(term, weight) in row {
            for (sum, x) in image.iter_mut().zip(by_term.column(term as usize).iter()) {
                *sum += f64::from(weight) * x;
            }
        }
        for &(term, weight) in row {
            for (sum, x) in product.column_mut(term as usize).iter_mut().zip(&image) {
                *sum += f64::from(weight) * x;
            }
        }
    }
    product.transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sparse matrix with singular values that fall off, as those of text do.
    fn matrix(rows: usize, columns: usize) -> Vec<Sparse> {
        let mut random = ChaCha8Rng::seed_from_u64(9);
        (0..rows)
            .map(|_| {
                (0..columns as u32)
                    .filter(|_| random.random_bool(0.3))
                    .collect::<Vec<_>>()
                    .into_iter()
                    .map(|c| (c, random.random::<f32>() / (1.0 + c as f32 * 0.2)))
                    .collect()
            })
            .collect()
    }

    #[test]
    fn the_basis_agrees_with_a_dense_decomposition() {
        let (rows, columns) = (100, 40);
        let sparse = matrix(rows, columns);
        let mut dense = DMatrix::<f64>::zeros(rows, columns);
        for (r, row) in sparse.iter().enumerate() {
            for &(c, weight) in row {
                dense[(r, c as usize)] = f64::from(weight);
            }
        }
        let (basis, width) = latent_basis(&sparse, columns, 3);
        assert_eq!(width, 20);
        let basis = DMatrix::from_row_slice(columns, width, &basis).map(f64::from);
        let gram = basis.tr_mul(&basis);
        assert!((gram - DMatrix::identity(width, width)).abs().max() < 1e-5, "directions are orthonormal");
        let exact = dense.clone().svd(false, false).singular_values;
        for (k, column) in (&dense * &basis).column_iter().enumerate() {
            let error = (column.norm() - exact[k]).abs() / exact[k];
            assert!(error < 0.02, "singular value {k}: {} and {}", column.norm(), exact[k]);
        }
        let left = (&dense - &dense * &basis * basis.transpose()).norm_squared();
        let least = exact.iter().skip(width).map(|s| s * s).sum::<f64>();
        assert!(left < least * 1.02, "what the basis misses: {left}, at best {least}");
    }
}
