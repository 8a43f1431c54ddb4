//! How many tokens a text is. Counted with OpenAI's o200k table, which is inside the binary; other models cut text
//! differently, so for them the number is about right, and what their server counts corrects it ([`Counted`]).

use serde::{Deserialize, Serialize};

use super::Question;

/// Text is counted in pieces of this many bytes: the time for one word grows with the square of its length, and the text
/// is other people's.
const PIECE: usize = 1024;

/// What a server puts around each message.
const PER_MESSAGE: u64 = 4;

/// About how many tokens `text` is.
pub(super) fn count(text: &str) -> u64 {
    let table = tiktoken_rs::o200k_base_singleton();
    let mut rest = text;
    let mut tokens = 0;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(piece_end(rest));
        tokens += table.count_ordinary(piece) as u64;
        rest = after;
    }
    tokens
}

/// Where to cut: after the last space in the first [`PIECE`] bytes, so that few words are cut apart.
fn piece_end(text: &str) -> usize {
    if text.len() <= PIECE {
        return text.len();
    }
    let end = text.floor_char_boundary(PIECE);
    text[..end].rfind(' ').filter(|at| *at > 0).unwrap_or(end)
}

/// What is the same for every question of a prompt.
pub(super) fn of_prefix(question: &Question) -> u64 {
    let examples = question.examples.iter().map(|(asked, answered)| count(asked) + count(answered) + 2 * PER_MESSAGE);
    count(&question.system) + PER_MESSAGE + examples.sum::<u64>()
}

/// What is this question's own. The schema is counted although not every server does.
pub(super) fn of_rest(question: &Question) -> u64 {
    count(&question.user) + count(&question.schema.to_string()) + 2 * PER_MESSAGE
}

/// Tokens of the same prompts, by the table and by the server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counted {
    prompts: u64,
    table: u64,
    server: u64,
}

impl Counted {
    /// Prompts after which more would hardly change the ratio.
    const ENOUGH: u64 = 200;

    /// Adds a prompt.
    pub(super) fn note(&mut self, table: u64, server: u64) {
        self.prompts += 1;
        self.table += table;
        self.server += server;
    }

    /// Whether enough prompts were counted to know how the server counts.
    pub(super) fn is_enough(self) -> bool {
        self.prompts >= Self::ENOUGH
    }

    /// What the server would count where the table counts `tokens`: by the ratio so far, rounded up.
    pub(super) fn corrected(self, tokens: u64) -> u64 {
        if self.table == 0 {
            return tokens;
        }
        let corrected = (u128::from(tokens) * u128::from(self.server)).div_ceil(u128::from(self.table));
        u64::try_from(corrected).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_corrected_by_what_the_server_counted() {
        let mut counted = Counted::default();
        assert_eq!(counted.corrected(10), 10);
        counted.note(100, 130);
        counted.note(300, 390);
        assert_eq!((counted.corrected(10), counted.corrected(1), counted.corrected(0)), (13, 2, 0));
        assert!(!counted.is_enough());
    }

    #[test]
    fn counts_are_the_tables_and_long_words_do_no_harm() {
        assert_eq!(count(""), 0);
        assert_eq!(count("hello world"), 2);
        let prose = "The export fails every Monday and nobody knows why. ".repeat(200);
        let whole = tiktoken_rs::o200k_base_singleton().count_ordinary(&prose) as u64;
        assert!(count(&prose).abs_diff(whole) * 50 <= whole, "{} instead of {whole}", count(&prose));
        assert!(count(&"ä".repeat(50_000)) > 0);
    }
}
