//! Numbers in words. A share never appears without its counts.

/// Per cent, whole.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0}%", 100.0 * share)
}

/// Of every hundred, whole.
pub(super) fn per_hundred(share: f64) -> u64 {
    (100.0 * share).round().max(0.0) as u64
}

/// Percentage points, whole, with a true minus: `−23`, `55`.
pub(super) fn points(difference: f64) -> String {
    let rounded = (100.0 * difference).round();
    format!("{}{:.0}", if rounded < 0.0 { "−" } else { "" }, rounded.abs())
}

/// An interval in per cent: `24–38%`.
pub(super) fn range(low: f64, high: f64) -> String {
    format!("{:.0}–{}", 100.0 * low, percent(high))
}

/// A number that is only about right, to two figures or to the nearest ten below 200.
pub(super) fn about(n: u64) -> u64 {
    let step = if n < 20 { 1 } else { 10_u64.pow(n.ilog10().saturating_sub(1).max(1)) };
    (n + step / 2) / step * step
}

/// `1 account`, `3 accounts`, `1 person`, `3 people`.
pub(super) fn counted(n: u64, unit: &str) -> String {
    match (n, unit) {
        (1, "people") => "1 person".to_owned(),
        (1, _) => format!("1 {}", unit.strip_suffix('s').unwrap_or(unit)),
        _ => format!("{n} {unit}"),
    }
}

/// What is missing, as a clause: `12 of 30 people with …; 1 of 2 communities`.
pub(super) fn missing(list: &[crate::model::Missing]) -> String {
    list.iter().map(|m| format!("{} of {} {}", m.have, m.need, m.what)).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_words() {
        assert_eq!(range(0.242, 0.379), "24–38%");
        assert_eq!([-0.234, -0.001, 0.55].map(points), ["−23", "0", "55"]);
        assert_eq!((per_hundred(0.716), per_hundred(-0.001)), (72, 0));
        assert_eq!(counted(1, "people"), "1 person");
        assert_eq!(counted(1, "accounts"), "1 account");
        assert_eq!(counted(0, "accounts"), "0 accounts");
        assert_eq!([0, 19, 24, 163, 1234].map(about), [0, 19, 20, 160, 1200]);
    }
}
