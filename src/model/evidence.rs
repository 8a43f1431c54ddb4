//! Evidence: words cut from a text, never words copied from elsewhere.

use serde::{Deserialize, Serialize};

use super::Span;

/// How the quoted words were found in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// The proposed words stand in the text byte for byte.
    Exact,
    /// They stand there up to case, white space and typographic quotes or dashes.
    Normalized,
    /// They stand there up to a few characters; the text's own words were taken.
    Fuzzy,
}

impl Fit {
    /// The name as it stands in SQL and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Normalized => "normalized",
            Self::Fuzzy => "fuzzy",
        }
    }

    /// The fit with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Exact, Self::Normalized, Self::Fuzzy].into_iter().find(|f| f.as_str() == name)
    }
}

/// A slice of a post's or note's own text. There is no constructor but [`Evidence::cut`], so a quote that is not in
/// the text cannot exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    span: Span,
    quote: String,
    fit: Fit,
}

impl Evidence {
    /// Cuts `span` out of `text`. `None` when the span was made for another text and does not fit this one.
    pub fn cut(text: &str, span: Span, fit: Fit) -> Option<Self> {
        let quote = text.get(span.range())?.to_owned();
        Some(Self { span, quote, fit })
    }

    /// Where the words stand: byte offsets into the text.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The words.
    pub fn quote(&self) -> &str {
        &self.quote
    }

    /// How they were found.
    pub fn fit(&self) -> Fit {
        self.fit
    }
}
