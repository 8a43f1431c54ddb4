//! Numbers as sentences say them.

/// A p value, to follow the letter p: `= 0.012`, `< 0.001`.
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("= {p:.3}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_p_value_is_less_than_what_is_shown() {
        assert_eq!([0.000_99, 0.0012, 1.0].map(p_value), ["< 0.001", "= 0.001", "= 1.000"]);
    }
}
