//! Which cells are dates, though they may not be read.

use crate::files::dates::ZONES;

/// Longest cell that is shown as a date that cannot be read.
const SHOWN_CHARS: usize = 30;

/// What dates are spelled with beside digits and signs; a month also by its first letters.
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const MARKS: &[&str] = &["am", "pm", "t"];

/// Whether a cell holds digits, signs and names of months only, so that it can be shown: other words may be anybody's.
pub(super) fn is_spelled_as_date(cell: &str) -> bool {
    let of_dates = |word: &str| {
        let word = word.to_lowercase();
        MARKS.contains(&word.as_str())
            || ZONES.iter().any(|(zone, _)| zone.eq_ignore_ascii_case(&word))
            || (word.len() > 2 && MONTHS.iter().any(|month| month.starts_with(&word)))
    };
    let mut words = cell.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    cell.chars().count() <= SHOWN_CHARS && words.all(of_dates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_spelled_as_a_date_is_shown() {
        for cell in ["03/04/2026", "2026-03-04T18:22:00Z", "Sept 4, 2026 6:05 PM", "-", ""] {
            assert!(is_spelled_as_date(cell), "{cell}");
        }
        for cell in ["soon", "Ines Vale", "call Bo on 4 March", "0".repeat(31).as_str()] {
            assert!(!is_spelled_as_date(cell), "{cell}");
        }
    }
}
