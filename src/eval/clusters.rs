//! How far a clustering agrees with labels: measures that need no pairing of clusters with labels.

use std::collections::BTreeMap;

use statrs::function::gamma::ln_gamma;

/// Agreement of found clusters with labels; 1 is perfect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agreement {
    /// Rand index adjusted for chance (Hubert & Arabie 1985); 0 by chance.
    pub ari: f64,
    /// Mutual information adjusted for chance, over the mean of both entropies (Vinh, Epps, Bailey 2010); 0 by chance.
    pub ami: f64,
    /// Harmonic mean of homogeneity and completeness (Rosenberg & Hirschberg 2007), 0 to 1; not adjusted, so many small
    /// clusters raise it.
    pub v_measure: f64,
}

/// Compares two partitions of the same things; `gold[i]` and `found[i]` are any labels of thing `i`.
pub fn agreement(gold: &[usize], found: &[usize]) -> Agreement {
    let n = gold.len().min(found.len());
    let mut both = BTreeMap::<(usize, usize), usize>::new();
    let (mut rows, mut columns) = (BTreeMap::<usize, usize>::new(), BTreeMap::<usize, usize>::new());
    for (&g, &f) in gold.iter().zip(found) {
        *both.entry((g, f)).or_default() += 1;
        *rows.entry(g).or_default() += 1;
        *columns.entry(f).or_default() += 1;
    }
    if n < 2 || rows.len() == columns.len() && both.len() == rows.len() {
        return Agreement { ari: 1.0, ami: 1.0, v_measure: 1.0 };
    }
    let total = n as f64;
    let pairs = |count: usize| (count * count.saturating_sub(1)) as f64 / 2.0;
    let sum = |counts: &mut dyn Iterator<Item = &usize>| counts.map(|&c| pairs(c)).sum::<f64>();
    let (same, in_rows, in_columns) = (sum(&mut both.values()), sum(&mut rows.values()), sum(&mut columns.values()));
    let by_chance = in_rows * in_columns / pairs(n);
    let ari = (same - by_chance) / (f64::midpoint(in_rows, in_columns) - by_chance);

    let entropy = |counts: &BTreeMap<usize, usize>| {
        -counts.values().map(|&c| c as f64 / total * (c as f64 / total).ln()).sum::<f64>()
    };
    let (of_gold, of_found) = (entropy(&rows), entropy(&columns));
    let shared = both
        .iter()
        .map(|((g, f), &c)| c as f64 / total * (total * c as f64 / (rows[g] as f64 * columns[f] as f64)).ln())
        .sum::<f64>();
    let chance = expected_information(n, &rows, &columns);
    let mean = f64::midpoint(of_gold, of_found);
    let v_measure = if mean > 0.0 { shared / mean } else { 0.0 };
    Agreement { ari, ami: (shared - chance) / (mean - chance), v_measure }
}

/// Mutual information that partitions of these sizes have by chance (Vinh, Epps, Bailey 2010, theorem 1).
fn expected_information(n: usize, rows: &BTreeMap<usize, usize>, columns: &BTreeMap<usize, usize>) -> f64 {
    let log_factorial = (0..=n).map(|k| ln_gamma(k as f64 + 1.0)).collect::<Vec<_>>();
    let total = n as f64;
    let mut sum = 0.0;
    for &a in rows.values() {
        for &b in columns.values() {
            let fixed =
                log_factorial[a] + log_factorial[b] + log_factorial[n - a] + log_factorial[n - b] - log_factorial[n];
            for k in (a + b).saturating_sub(n).max(1)..=a.min(b) {
                let ways =
                    log_factorial[k] + log_factorial[a - k] + log_factorial[b - k] + log_factorial[n + k - a - b];
                let k = k as f64;
                sum += k / total * (total * k / (a as f64 * b as f64)).ln() * (fixed - ways).exp();
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Agreement, ari: f64, ami: f64, v_measure: f64) {
        for (is, wanted) in [(found.ari, ari), (found.ami, ami), (found.v_measure, v_measure)] {
            assert!((is - wanted).abs() < 1e-9, "{found:?} is not {ari}, {ami}, {v_measure}");
        }
    }

    /// Values by scikit-learn 1.9.1.
    #[test]
    fn agrees_with_scikit_learn() {
        close(agreement(&[0, 0, 1, 1], &[5, 5, 3, 3]), 1.0, 1.0, 1.0);
        close(agreement(&[0, 0, 0, 1, 1, 1], &[0, 0, 1, 1, 2, 2]), 0.242424242424, 0.298792458171, 0.515803742979);
        close(
            agreement(&[0, 1, 2, 0, 1, 2, 0, 1], &[0, 0, 0, 0, 1, 1, 1, 1]),
            -0.153846153846,
            -0.202728120417,
            0.047849644967,
        );
        close(agreement(&[0, 0, 1, 1], &[0, 0, 0, 0]), 0.0, 0.0, 0.0);
    }
}
