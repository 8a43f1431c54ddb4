//! The query language: tantivy's own over title and text, with every word required unless `OR` says otherwise.
//!
//! ```text
//! no luck                both words, in any form     "no luck"       the phrase, in any form
//! no OR luck             either                      "no luck"~3     the words, up to three places out of line
//! no -luck, no NOT luck  the first without the other "bad lu"*       the phrase, its last word only begun
//! (a OR b) (c OR d)      grouped; two groups of      community:r/x   in one field: title, text, community, source,
//!                        alternatives need both ( )                  author, act, thread, id
//! ```
//!
//! The one rule: nothing that was typed is left out in silence. What cannot be searched is a [`QueryError`] that shows
//! the place and says how to search for the words as they stand.

use tantivy::query::{Occur, Query, QueryParser};
use tantivy::query_grammar::{
    Delimiter, UserInputAst, UserInputLeaf, UserInputLiteral, parse_query, parse_query_lenient,
};
use tantivy::tokenizer::{TextAnalyzer, TokenStream};

use super::render::plain;
use super::shown::Shown;
use super::words;
use crate::model::{ActKind, Source};

/// Fields that hold prose.
const PROSE: [&str; 2] = ["title", "text"];

/// Fields that hold one value, matched whole.
const VALUES: [&str; 6] = ["community", "source", "author", "act", "thread", "id"];

/// Longest query, bytes. The grammar recurses, so what it is given is bounded.
const LONGEST: usize = 2_000;

/// Most parentheses, and most `NOT`s, in a query.
const DEEPEST: usize = 50;

/// Farthest words of a loose phrase. Nobody means more, and the matcher adds it to positions.
const LOOSEST: u32 = 100;

/// Heaviest weight after `^`.
const HEAVIEST: f64 = 1_000.0;

/// A search that cannot be run as it was typed. The message is for the person who typed it and may span lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QueryError(String);

/// A query that can be run, and what of it is shown as a match in a text.
pub(super) struct Meaning {
    pub(super) query: Box<dyn Query>,
    pub(super) shown: Vec<Shown>,
}

/// What `typed` asks for.
pub(super) fn understand(typed: &str, parser: &QueryParser) -> Result<Meaning, QueryError> {
    if typed.trim().is_empty() {
        return Err(QueryError("there is nothing to search for; write some words, or * for every post".to_owned()));
    }
    if typed.len() > LONGEST {
        return Err(QueryError(format!(
            "the search is {} bytes long, and {LONGEST} is the most; use the words that matter",
            typed.len()
        )));
    }
    let nested = typed.matches('(').count().max(typed.matches("NOT").count());
    if nested > DEEPEST {
        return Err(QueryError(format!("the search nests {nested} times, and {DEEPEST} is the most; make it simpler")));
    }
    let readable = Readable::new(typed);
    let Ok(tree) = parse_query(&readable.text) else { return Err(readable.syntax_error()) };
    let mut reading = Reading { readable: &readable, analyzer: words::prose(), shown: Vec::new(), wanted: true };
    let Some(tree) = reading.read(tree)? else {
        return Err(readable.error("there is no word in it; only letters and digits can be searched for", None));
    };
    let shown = reading.shown;
    let query = parser
        .build_query_from_user_input_ast(tree)
        .map_err(|error| readable.error(&error.to_string().to_lowercase(), None))?;
    Ok(Meaning { query, shown })
}

/// What was typed, with its apostrophes escaped and its curly quotes straightened, because the grammar takes an
/// apostrophe for a quote.
struct Readable<'a> {
    typed: &'a str,
    text: String,
    /// Where in `text` a backslash was put in.
    escapes: Vec<usize>,
}

impl<'a> Readable<'a> {
    fn new(typed: &'a str) -> Self {
        let mut text = String::with_capacity(typed.len() + 8);
        let mut escapes = Vec::new();
        let mut before = ' ';
        let mut chars = typed.chars().peekable();
        while let Some(c) = chars.next() {
            let inside_word = before.is_alphanumeric() && chars.peek().is_some_and(|next| next.is_alphanumeric());
            if c == '\'' && inside_word {
                escapes.push(text.len());
                text.push('\\');
            }
            text.push(if matches!(c, '“' | '”') { '"' } else { c });
            before = c;
        }
        Self { typed, text, escapes }
    }

    /// The character of what was typed that byte `at` of the readable text stands for.
    fn typed_char(&self, at: usize) -> usize {
        let chars = self.text.char_indices().take_while(|(offset, _)| *offset < at).count();
        chars - self.escapes.iter().filter(|escape| **escape < at).count()
    }

    fn syntax_error(&self) -> QueryError {
        let (_, errors) = parse_query_lenient(&self.text);
        let Some(first) = errors.iter().min_by_key(|error| error.pos) else {
            return self.error("AND, OR and NOT need words around them", None);
        };
        let quote = first.message.strip_prefix("missing delimiter \\").and_then(|rest| rest.chars().next());
        if let Some(quote) = quote {
            return self.error("a quote is opened and never closed", self.text.rfind(quote));
        }
        let reason = match first.message.as_str() {
            "expected ')'" => "a parenthesis is opened and never closed",
            "expected word" => "a word is missing",
            "parsed possible invalid field as term" => "a colon stands between a field and one word or phrase",
            "parsed keyword NOT as term. It should be quoted" => "NOT needs a word after it",
            "missing space" | "unparsed end of query" => "this does not belong here",
            _ => "this cannot be read",
        };
        self.error(reason, Some(first.pos))
    }

    /// Says `reason`, shows the place (a byte of the readable text), and offers the words in quotes.
    fn error(&self, reason: &str, at: Option<usize>) -> QueryError {
        let mut message = format!("could not understand the search: {reason}");
        if let Some(at) = at {
            const AROUND: usize = 30;
            let place = self.typed_char(at);
            let from = place.saturating_sub(AROUND);
            let excerpt: String = plain(self.typed).chars().skip(from).take(2 * AROUND).collect();
            message.push_str(&format!("\n    {excerpt}\n    {}^", " ".repeat(place - from)));
        }
        let words: String = plain(self.typed).chars().filter(|c| !matches!(c, '"' | '“' | '”' | '\\')).collect();
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if words.contains(char::is_alphanumeric) && words.chars().count() <= 100 {
            message.push_str(&format!("\nto search for the words as they stand, quote them: \"{words}\""));
        }
        QueryError(message)
    }
}

/// The walk over a parsed query: checks what tantivy would take in silence, and gathers what is shown as a match.
struct Reading<'a> {
    readable: &'a Readable<'a>,
    analyzer: TextAnalyzer,
    shown: Vec<Shown>,
    /// Whether what is being read is wanted, and not excluded.
    wanted: bool,
}

impl Reading<'_> {
    /// The tree to run; `None` when there is no word in it.
    fn read(&mut self, tree: UserInputAst) -> Result<Option<UserInputAst>, QueryError> {
        match tree {
            UserInputAst::Clause(clauses) => self.read_clauses(clauses),
            UserInputAst::Boost(inner, weight) => {
                if !(weight.0 > 0.0 && weight.0 <= HEAVIEST) {
                    return Err(self.error(&format!("a weight lies above 0 and up to {HEAVIEST}"), "^"));
                }
                Ok(self.read(*inner)?.map(|inner| UserInputAst::Boost(Box::new(inner), weight)))
            }
            UserInputAst::Leaf(leaf) => self.read_leaf(*leaf),
        }
    }

    /// Alternatives that stand beside plain words are one requirement among them: `a OR b c` is `(a OR b) AND c`, where
    /// tantivy would make both optional. A clause of nothing but exclusions excludes from everything, where tantivy
    /// would find nothing.
    fn read_clauses(
        &mut self,
        clauses: Vec<(Option<Occur>, UserInputAst)>,
    ) -> Result<Option<UserInputAst>, QueryError> {
        let mut alternatives = Vec::new();
        let mut rest = Vec::new();
        for (occur, clause) in clauses {
            let wanted = self.wanted;
            self.wanted = wanted != (occur == Some(Occur::MustNot));
            let read = self.read(clause);
            self.wanted = wanted;
            let Some(clause) = read? else { continue };
            match occur {
                Some(Occur::Should) => alternatives.push((occur, clause)),
                Some(Occur::MustNot) => rest.push((occur, clause)),
                None | Some(Occur::Must) => rest.push((Some(Occur::Must), clause)),
            }
        }
        if rest.is_empty() {
            return Ok((!alternatives.is_empty()).then_some(UserInputAst::Clause(alternatives)));
        }
        if !alternatives.is_empty() {
            rest.push((Some(Occur::Must), UserInputAst::Clause(alternatives)));
        }
        if rest.iter().all(|(occur, _)| *occur == Some(Occur::MustNot)) {
            rest.push((Some(Occur::Must), UserInputAst::from(UserInputLeaf::All)));
        }
        Ok(Some(UserInputAst::Clause(rest)))
    }

    fn read_leaf(&mut self, leaf: UserInputLeaf) -> Result<Option<UserInputAst>, QueryError> {
        match &leaf {
            UserInputLeaf::All => {}
            UserInputLeaf::Literal(literal) => match literal.field_name.as_deref() {
                Some(field) if VALUES.contains(&field) => self.check_value(field, literal)?,
                Some(field) if !PROSE.contains(&field) => return Err(self.unknown_field(field)),
                _ => {
                    if !self.read_words(literal)? {
                        return Ok(None);
                    }
                }
            },
            UserInputLeaf::Set { field: Some(field), elements } if VALUES.contains(&field.as_str()) => {
                for element in elements {
                    self.check_name(field, element)?;
                }
            }
            UserInputLeaf::Range { field: Some(field), .. } | UserInputLeaf::Exists { field }
                if !PROSE.contains(&field.as_str()) && !VALUES.contains(&field.as_str()) =>
            {
                return Err(self.unknown_field(field));
            }
            UserInputLeaf::Set { .. } => return Err(self.error("IN works with a field that holds one value", "IN")),
            UserInputLeaf::Range { .. } => {
                return Err(self.error("ranges are not searched by; filter by date instead", ""));
            }
            UserInputLeaf::Exists { .. } => return Err(self.error("* stands alone, or after a phrase", "*")),
            UserInputLeaf::Regex { .. } => return Err(self.error("patterns between slashes are not searched by", "/")),
        }
        Ok(Some(UserInputAst::from(leaf)))
    }

    /// Checks words and phrases and remembers how they show; `false` when there is no word among them.
    fn read_words(&mut self, literal: &UserInputLiteral) -> Result<bool, QueryError> {
        if literal.delimiter == Delimiter::None && literal.phrase.ends_with('*') {
            return Err(self.error(
                "* stands alone, or after a phrase; other forms of a word are found without it",
                &literal.phrase,
            ));
        }
        if literal.slop > LOOSEST {
            return Err(self.error(&format!("words can be up to {LOOSEST} apart"), "~"));
        }
        let mut words = Vec::new();
        self.analyzer
            .token_stream(&literal.phrase)
            .process(&mut |token| words.push((token.position, token.text.clone())));
        if literal.prefix && words.len() < 2 {
            return Err(self.error("* completes the last word of a phrase of two or more", "*"));
        }
        if words.is_empty() {
            return Ok(false);
        }
        if self.wanted && literal.field_name.as_deref() != Some("title") {
            self.shown.push(Shown { words, in_order: literal.slop == 0, prefix: literal.prefix });
        }
        Ok(true)
    }

    fn check_value(&self, field: &str, literal: &UserInputLiteral) -> Result<(), QueryError> {
        if literal.prefix || literal.slop > 0 || literal.phrase.ends_with('*') {
            return Err(self.error(&format!("{field} is matched whole, without * or ~"), field));
        }
        self.check_name(field, &literal.phrase)
    }

    fn check_name(&self, field: &str, name: &str) -> Result<(), QueryError> {
        let known: Vec<&str> = match field {
            "act" if ActKind::parse(name).is_none() => ActKind::ALL.map(ActKind::as_str).to_vec(),
            "source" if Source::parse(name).is_none() => Source::ALL.map(Source::as_str).to_vec(),
            _ => return Ok(()),
        };
        Err(self.error(&format!("there is no {field} of that name; there are {}", known.join(", ")), name))
    }

    fn unknown_field(&self, field: &str) -> QueryError {
        let fields = [&PROSE[..], &VALUES[..]].concat().join(", ");
        self.error(&format!("there is no such field; there are {fields}; dates are filters"), field)
    }

    /// An error at the first place where `piece` was typed.
    fn error(&self, reason: &str, piece: &str) -> QueryError {
        let at = if piece.is_empty() { None } else { self.readable.text.find(piece) };
        self.readable.error(reason, at)
    }
}
