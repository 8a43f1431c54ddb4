//! Words as the index knows them. The one rule: posts and queries are cut by the same analyzer, so whatever it does to a
//! word happens on both sides.
//!
//! Words are cut by Unicode's rules (UAX 29) and again at ASCII punctuation, because forum text glues: `gone.Then`,
//! `github.com/x`, `snake_case`. Apostrophes fall out, so `don't`, `don’t` and `dont` are one word. Accents, case and
//! width are folded, then the English stemmer runs. Scripts without spaces come as one word per character; several of
//! them in a query are a phrase, which finds them wherever they stand together.

use tantivy::tokenizer::{
    AsciiFoldingFilter, LowerCaser, RawTokenizer, RemoveLongFilter, Stemmer, TextAnalyzer, Token, TokenStream,
    Tokenizer, TokenizerManager,
};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::{UnicodeSegmentation, UnicodeWordIndices};

/// Name of the analyzer for prose. Counted up when it cuts or folds in another way, so that older indexes are rebuilt.
pub(super) const WORDS: &str = "candor_words_1";

/// Name of the analyzer for names that are matched whole.
pub(super) const NAMES: &str = "candor_names_1";

/// Longer "words" are encoded data, not language, bytes.
const LONGEST_WORD: usize = 100;

/// Makes the analyzers known under their names.
pub(super) fn register(tokenizers: &TokenizerManager) {
    tokenizers.register(WORDS, prose());
    tokenizers.register(NAMES, TextAnalyzer::builder(RawTokenizer::default()).filter(LowerCaser).build());
}

/// The analyzer for prose.
pub(super) fn prose() -> TextAnalyzer {
    TextAnalyzer::builder(WordTokenizer)
        .filter(RemoveLongFilter::limit(LONGEST_WORD))
        .filter(AsciiFoldingFilter)
        .filter(Stemmer::default())
        .build()
}

/// Cuts text into folded words. Offsets are those of the word as it stands, apostrophes and all.
#[derive(Clone)]
struct WordTokenizer;

struct WordStream<'a> {
    words: UnicodeWordIndices<'a>,
    /// What is left of a word that punctuation glues together, and where it stands.
    rest: (usize, &'a str),
    token: Token,
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        WordStream { words: text.unicode_word_indices(), rest: (0, ""), token: Token::default() }
    }
}

impl<'a> WordStream<'a> {
    fn next_word(&mut self) -> Option<(usize, &'a str)> {
        loop {
            let (start, rest) = self.rest;
            if rest.is_empty() {
                self.rest = self.words.next()?;
                continue;
            }
            let end = rest.find(glues).unwrap_or(rest.len());
            let after = end + rest[end..].chars().next().map_or(0, char::len_utf8);
            self.rest = (start + after, &rest[after..]);
            if rest[..end].contains(char::is_alphanumeric) {
                return Some((start, &rest[..end]));
            }
        }
    }
}

fn glues(c: char) -> bool {
    c.is_ascii_punctuation() && !is_apostrophe(c)
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’')
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        let Some((start, word)) = self.next_word() else { return false };
        self.token.position = self.token.position.wrapping_add(1);
        self.token.offset_from = start;
        self.token.offset_to = start + word.len();
        self.token.text.clear();
        if word.is_ascii() {
            self.token.text.extend(word.chars().filter(|c| !is_apostrophe(*c)).map(|c| c.to_ascii_lowercase()));
        } else {
            let plain = word.chars().filter(|c| !is_apostrophe(*c)).nfkc();
            self.token.text.extend(plain.flat_map(char::to_lowercase));
        }
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        prose().token_stream(text).process(&mut |token| words.push(token.text.clone()));
        words
    }

    #[test]
    fn words_that_people_take_for_the_same_are_the_same() {
        for (one, other) in [
            ("don't", "DON’T"),
            ("dont", "don't"),
            ("crashing", "crashes"),
            ("café", "cafe\u{301}"),
            ("café", "CAFE"),
            ("Ｗｉｄｅ", "wide"),
            ("straße", "STRASSE"),
            ("tech's", "techs"),
        ] {
            assert_eq!(cut(one), cut(other), "{one} and {other}");
            assert_eq!(cut(one).len(), 1, "{one}");
        }
    }

    #[test]
    fn glued_words_come_apart() {
        for (text, words) in [
            ("gone.Then", vec!["gone", "then"]),
            ("github.com/x_y", vec!["github", "com", "x", "y"]),
            ("e-mail v2.5", vec!["e", "mail", "v2", "5"]),
            ("登录失败", vec!["登", "录", "失", "败"]),
            ("rock'n'roll", vec!["rocknrol"]),
            ("🙂 -- ' ’ ...", vec![]),
        ] {
            assert_eq!(cut(text), words, "{text}");
        }
    }

    #[test]
    fn encoded_data_is_no_word_but_keeps_its_place() {
        let text = format!("before {} after", "x".repeat(LONGEST_WORD + 1));
        let mut positions = Vec::new();
        prose().token_stream(&text).process(&mut |token| positions.push((token.text.clone(), token.position)));
        assert_eq!(positions, [("befor".to_owned(), 0), ("after".to_owned(), 2)]);
    }

    proptest! {
        #[test]
        fn offsets_are_slices_in_order(text in "\\PC{0,60}|[a-z'’._ é登]{0,60}") {
            let mut end = 0;
            let mut fine = true;
            prose().token_stream(&text).process(&mut |token| {
                fine &= token.offset_from >= end && token.offset_to > token.offset_from;
                fine &= text.get(token.offset_from..token.offset_to).is_some_and(|w| w.contains(char::is_alphanumeric));
                end = token.offset_to;
            });
            prop_assert!(fine);
        }
    }
}
