//! Words that tell how a deal ended, taken out: what a reader makes of a note without them (METHOD 3.6, 9.2).

use std::sync::LazyLock;

use regex::Regex;

/// What stands in their place: no word of any language.
const GONE: &str = "___";

/// Ends, and what is signed, won, lost or renewed at them.
static WORDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = [
        r"closed(?:[- ](?:won|lost))?|clos(?:es?|ing)",
        r"(?:counter-?)?signed|sign(?:s|ing)?|signatures?",
        r"won|wins?|winning|lost|loses?|losing|loss",
        r"churn(?:s|ed|ing)?|renew(?:s|ed|ing|als?)?|cancel(?:s|led|ed|ling|ing|lations?)?|terminat(?:es?|ed|ing|ion)",
    ];
    Regex::new(&format!(r"(?i)\b(?:{})\b", words.join("|"))).ok()
});

/// `text` without words that tell how a deal ended; `None` when it has none.
pub fn masked(text: &str) -> Option<String> {
    let words = WORDS.as_ref()?;
    words.is_match(text).then(|| words.replace_all(text, GONE).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_end_are_gone_and_the_rest_stays() {
        let text = "Closed-won! She signed the contract; they lost two trucks, and renewal is in May.";
        let left = "___! She ___ the contract; they ___ two trucks, and ___ is in May.";
        assert_eq!(masked(text).as_deref(), Some(left));
        assert_eq!(masked("She wonders about the glossy design."), None);
    }
}
