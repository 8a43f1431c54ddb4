//! What a hit shows of a post: a slice of its text with the matching words marked.
//!
//! The one rule: a word is marked where it matches. tantivy's generator marks every word of a phrase wherever it stands,
//! so it is given an analyzer that lets only matching words through.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tantivy::Score;
use tantivy::schema::Field;
use tantivy::snippet::SnippetGenerator;
use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer};

use super::words;

/// Longest snippet, bytes.
const LONGEST: usize = 240;

/// Bytes of a post looked at together. Only the words of one stretch are held in memory, however long the post is.
const STRETCH: usize = 64 << 10;

/// Words of the query that show as a match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    /// Analyzed words with their positions.
    pub(super) words: Vec<(usize, String)>,
    /// Whether they match only where they stand as they were typed.
    pub(super) in_order: bool,
    /// Whether the last one matches by its beginning.
    pub(super) prefix: bool,
}

/// A piece of a snippet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// The words, as they stand in the post.
    pub text: String,
    /// Whether they match.
    pub mark: bool,
}

/// A slice of a post's text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Snippet {
    pub(super) segments: Vec<Segment>,
    /// Whether the post goes on before and after it.
    pub(super) cut: [bool; 2],
}

/// Makes snippets for one query.
pub(super) struct Snippets {
    generator: SnippetGenerator,
}

impl Snippets {
    /// `weight` tells how much a word is worth showing; rarer words are worth more.
    pub(super) fn new(
        shown: Vec<Shown>,
        field: Field,
        mut weight: impl FnMut(&str) -> anyhow::Result<Score>,
    ) -> anyhow::Result<Self> {
        let mut weights = BTreeMap::new();
        for (_, word) in shown.iter().flat_map(|s| &s.words) {
            if !weights.contains_key(word) {
                weights.insert(word.clone(), weight(word)?);
            }
        }
        let analyzer = TextAnalyzer::from(MatchingWords { words: words::prose(), shown: shown.into() });
        Ok(Self { generator: SnippetGenerator::new(weights, analyzer, field, LONGEST) })
    }

    /// The best slice of `text`; its beginning when nothing in it matches, as when only the title does.
    pub(super) fn of(&self, text: &str) -> Snippet {
        let mut start = 0;
        while start < text.len() {
            let end = stretch_end(text, start, STRETCH);
            let best = self.generator.snippet(&text[start..end]);
            if !best.is_empty() {
                let slice = best.fragment_range();
                let cut = [start + slice.start > 0, start + slice.end < text.trim_end().len()];
                return Snippet { segments: segments(best.fragment(), best.highlighted()), cut };
            }
            start = end;
        }
        let beginning = &text[..stretch_end(text, 0, LONGEST)];
        let segments = vec![Segment { text: beginning.to_owned(), mark: false }];
        Snippet { segments, cut: [false, beginning.len() < text.trim_end().len()] }
    }
}

/// Where a stretch of at most `longest` bytes from `start` ends: behind a space, or inside a word that leaves no choice.
fn stretch_end(text: &str, start: usize, longest: usize) -> usize {
    if text.len() - start <= longest {
        return text.len();
    }
    let limit = text.floor_char_boundary(start + longest);
    text[start..limit].rfind(char::is_whitespace).filter(|space| *space > 0).map_or(limit, |space| start + space)
}

fn segments(slice: &str, marks: &[std::ops::Range<usize>]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut end = 0;
    for mark in marks {
        if mark.start > end {
            segments.push(Segment { text: slice[end..mark.start].to_owned(), mark: false });
        }
        segments.push(Segment { text: slice[mark.clone()].to_owned(), mark: true });
        end = mark.end;
    }
    if end < slice.len() {
        segments.push(Segment { text: slice[end..].to_owned(), mark: false });
    }
    segments
}

/// Cuts text as the index does and blanks every word that is no match.
#[derive(Clone)]
struct MatchingWords {
    words: TextAnalyzer,
    shown: Arc<[Shown]>,
}

struct Marked {
    tokens: std::vec::IntoIter<Token>,
    token: Token,
}

impl Tokenizer for MatchingWords {
    type TokenStream<'a> = Marked;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Marked {
        let mut tokens = Vec::new();
        self.words.token_stream(text).process(&mut |token| tokens.push(token.clone()));
        // A completed word goes by the beginning that was typed, which is what its weight is filed under.
        let mut matching: Vec<Option<&str>> = vec![None; tokens.len()];
        for shown in self.shown.iter() {
            for at in 0..tokens.len() {
                shown.mark(&tokens, at, &mut matching);
            }
        }
        let matching: Vec<String> = matching.into_iter().map(|m| m.unwrap_or_default().to_owned()).collect();
        for (token, text) in tokens.iter_mut().zip(matching) {
            token.text = text;
        }
        Marked { tokens: tokens.into_iter(), token: Token::default() }
    }
}

impl Shown {
    /// Marks the words that match when the first one stands at token `at`.
    fn mark<'a>(&'a self, tokens: &[Token], at: usize, matching: &mut [Option<&'a str>]) {
        let Some((first, _)) = self.words.first() else { return };
        if !self.in_order {
            let found = self.words.iter().find(|(_, word)| *word == tokens[at].text);
            if let Some((_, word)) = found {
                matching[at] = Some(word);
            }
            return;
        }
        let mut places = Vec::with_capacity(self.words.len());
        for (index, (offset, word)) in self.words.iter().enumerate() {
            let wanted = tokens[at].position + offset - first;
            // A word never stands farther on than its distance in positions, because positions only skip ahead.
            let reach = (at + offset - first + 1).min(tokens.len());
            let Ok(place) = tokens[at..reach].binary_search_by_key(&wanted, |token| token.position) else { return };
            let text = &tokens[at + place].text;
            let completes = self.prefix && index + 1 == self.words.len();
            if !(text == word || completes && text.starts_with(word.as_str())) {
                return;
            }
            places.push((at + place, word.as_str()));
        }
        for (place, word) in places {
            matching[place] = Some(word);
        }
    }
}

impl TokenStream for Marked {
    fn advance(&mut self) -> bool {
        let Some(token) = self.tokens.next() else { return false };
        self.token = token;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
