//! Cutting a channel's stream of messages into conversations.
//!
//! An explicit reply joins the conversation of what it answers. Any other message goes to the most likely of the last
//! [`WINDOW`] messages, or begins a conversation of its own: a conditional logit (McFadden 1974) over those candidates and
//! "none", with few features after Elsner & Charniak (2008) and Kummerfeld et al. (2019). A conversation is what the links
//! connect.
//!
//! The model looks back only and counts words as it goes, so messages that arrive later change nothing before them; what is
//! held is the window and one table of counts, whatever the length of the stream.
//!
//! [`WEIGHTS`] are what `cargo run --release --example disentangle -- fit --data DIR` prints; `eval/README.md` has the scores.

use std::collections::{HashSet, VecDeque};
use std::sync::LazyLock;

use regex::Regex;

use crate::text::handles::SOMEBODY;

/// Messages that may be answered: the last ones before a message.
pub const WINDOW: usize = 50;

/// People that a message speaks to and that are looked at; who calls more calls nobody.
const MOST_CALLED: usize = 100;

/// Seconds that count as one step of time: what lies closer together is as good as simultaneous.
const STEP: f64 = 10.0;

/// How fast the pace of a stream follows it, a message.
const PACE: f64 = 0.02;

/// Counters for the words of a stream. Two words that share one make both look more common, no more.
const COUNTERS: usize = 1 << 16;

/// Words that say nothing about what a message is about.
const FUNCTION_WORDS: &str = "the a an to and of is in it i you that on for with be this have not my do can but are if so what as or just at \
    was me its your like how there no we use get any one out from don all they when would has will am up about user";

#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static OPENS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^\W*(?:hi|hello|hey|hiya|morning|greetings|good (?:morning|evening|afternoon|day)|any(?:one|body)|does any|is there|how (?:do|can|to)|i(?:'m| am| have|'ve)\b|(?:can|has|does) (?:any|some)(?:one|body)|what(?:'s| is))",
    )
    .unwrap()
});

#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static GOES_ON: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)^\W*(?:and|but|so|yes|yeah|yep|yup|no|nope|nah|ok|okay|thanks|thank|thx|ty|or|because|then|that|it|oh|ah|right|sure|also|lol|hm+|maybe|well|i see|got it|cool|great)\b",
    )
    .unwrap()
});

#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static THANKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:thanks|thank you|thx|ty|cheers|got it|makes sense|that works|that worked|works now)\b")
        .unwrap()
});

/// A message as far as the model cares.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// What names it, and the conversation that it begins.
    pub id: &'a str,
    /// Who wrote it, when known.
    pub author: Option<&'a str>,
    /// When, seconds since any fixed instant; not before the message that was placed last.
    pub at: f64,
    /// Its words. `@user` speaks to somebody who is not known.
    pub text: &'a str,
    /// The authors it speaks to, as far as known, in the terms of `author`.
    pub mentions: &'a [String],
}

/// Where a message stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Id of the message that began the conversation.
    pub conversation: String,
    /// How many messages before this one stands the message it is taken to answer; 1 is the last. `None` for a message that
    /// begins a conversation, and for an explicit reply.
    pub answers: Option<usize>,
}

/// Number of features.
pub const FEATURES: usize = WEIGHTS.len();

/// The features and what they weigh. Those called `none:` are of the possibility that a message answers nothing.
pub const WEIGHTS: [(&str, f64); 47] = [
    ("time between", -0.125),
    ("time between, against the stream's pace", -0.277),
    ("messages between", -1.392),
    ("the last message", -1.056),
    ("same author", 1.030),
    ("same author, the last message", 1.293),
    ("same author, time between", 0.007),
    ("speaks to its author", 2.315),
    ("speaks to its author, whose latest it is", -0.127),
    ("speaks to somebody else", -2.023),
    ("is spoken to by it", 0.768),
    ("is spoken to by it, for the last time", 0.594),
    ("it speaks to somebody else", -1.278),
    ("authors spoke to one another", 0.501),
    ("same author, speaks to the same people", 2.900),
    ("speaks to somebody unnamed", 1.048),
    ("speaks to somebody unnamed, its author's latest", -0.103),
    ("speaks to somebody unnamed, same author", -0.372),
    ("it speaks to somebody unnamed", 0.360),
    ("it speaks to somebody unnamed, same author", -0.114),
    ("rare words in common", 5.412),
    ("code or addresses in common", -0.120),
    ("answers its question", 0.529),
    ("goes on after own question", 0.325),
    ("thanks for it", -0.144),
    ("it thanks", -1.013),
    ("it opens a conversation", 0.625),
    ("goes on, the last message", 0.596),
    ("goes on, other author", 0.637),
    ("its author's latest", 0.200),
    ("latest of its conversation", 0.212),
    ("conversation of own last message", 0.585),
    ("conversation the author spoke in", 0.443),
    ("latest of the conversation of own last message", 0.364),
    ("none: always", -0.394),
    ("none: time since the last message", -0.349),
    ("none: time since the last message, against the stream's pace", 0.466),
    ("none: opens", 0.451),
    ("none: asks", 0.380),
    ("none: author not in the window", 0.904),
    ("none: goes on", -0.293),
    ("none: words", 0.120),
    ("none: speaks to somebody", -1.680),
    ("none: speaks to somebody unnamed", -0.973),
    ("none: opens, author not in the window", 1.916),
    ("none: asks, author not in the window", 0.033),
    ("none: thanks", -0.285),
];

/// The values of the features for one candidate.
pub type Features = [f64; FEATURES];

/// A message of the window.
#[derive(Debug)]
struct Seen {
    author: Option<String>,
    at: f64,
    mentions: Vec<String>,
    speaks_to_somebody: bool,
    words: Vec<(u32, f64)>,
    norm: f64,
    code: Vec<u32>,
    asks: bool,
    opens: bool,
    goes_on: bool,
    thanks: bool,
    conversation: String,
}

impl Seen {
    fn is_by(&self, author: Option<&String>) -> bool {
        author.is_some() && self.author.as_ref() == author
    }

    fn speaks_to(&self, author: Option<&String>) -> bool {
        author.is_some_and(|author| self.mentions.contains(author))
    }
}

/// A stream that is being cut.
#[derive(Debug)]
pub struct Stream {
    /// The latest first.
    window: VecDeque<Seen>,
    counts: Vec<u32>,
    messages: u32,
    /// Running mean of the logarithmic time between messages.
    pace: Option<f64>,
}

impl Default for Stream {
    fn default() -> Self {
        Self { window: VecDeque::with_capacity(WINDOW + 1), counts: vec![0; COUNTERS], messages: 0, pace: None }
    }
}

impl Stream {
    /// Places the next message. `replies_in` is the conversation of the message that it explicitly answers.
    pub fn place(&mut self, message: &Message<'_>, replies_in: Option<&str>) -> Placed {
        let new = self.look(message);
        let answers = match replies_in {
            None => best(&self.features_of(&new), &WEIGHTS.map(|(_, weight)| weight)),
            Some(_) => None,
        };
        self.take(new, message.id, replies_in, answers)
    }

    /// Places the next message after the one that stands `answers` before it, or in `replies_in`, or by itself.
    pub fn put(&mut self, message: &Message<'_>, replies_in: Option<&str>, answers: Option<usize>) -> Placed {
        self.take(self.look(message), message.id, replies_in, answers)
    }

    fn take(&mut self, mut new: Seen, id: &str, replies_in: Option<&str>, answers: Option<usize>) -> Placed {
        let answered = answers.and_then(|back| self.window.get(back.checked_sub(1)?));
        let conversation = replies_in.or(answered.map(|seen| seen.conversation.as_str())).unwrap_or(id).to_owned();
        if let Some(gap) = self.window.front().map(|last| steps(new.at - last.at)) {
            self.pace = Some(self.pace.map_or(gap, |pace| pace + PACE * (gap - pace)));
        }
        for (word, _) in &new.words {
            if let Some(count) = self.counts.get_mut(*word as usize % COUNTERS) {
                *count = count.saturating_add(1);
            }
        }
        self.messages = self.messages.saturating_add(1);
        new.conversation.clone_from(&conversation);
        self.window.push_front(new);
        self.window.truncate(WINDOW);
        Placed { conversation, answers: answers.filter(|_| replies_in.is_none()) }
    }

    /// The features of the messages that `message` may answer, the latest first, and at the end those of "none".
    pub fn features(&self, message: &Message<'_>) -> Vec<Features> {
        self.features_of(&self.look(message))
    }

    fn features_of(&self, new: &Seen) -> Vec<Features> {
        let author = new.author.as_ref();
        let own = || self.window.iter().filter(|seen| seen.is_by(author));
        let own_last = own().next().map(|seen| seen.conversation.as_str());
        let spoken_in: HashSet<&str> = own().map(|seen| seen.conversation.as_str()).collect();
        // Whom the author spoke to by name in the window, and who spoke to the author.
        let called = own().flat_map(|seen| &seen.mentions);
        let callers = self.window.iter().filter(|seen| seen.speaks_to(author)).filter_map(|seen| seen.author.as_ref());
        let acquainted: HashSet<&String> = called.chain(callers).filter(|other| Some(*other) != author).collect();
        let (mut met, mut conversations) = (HashSet::with_capacity(WINDOW), HashSet::with_capacity(WINDOW));
        let mut called = false;
        let mut rows = Vec::with_capacity(self.window.len() + 1);
        for (back, seen) in self.window.iter().enumerate() {
            let conversation = seen.conversation.as_str();
            let calls = seen.speaks_to(author);
            let pair = Pair {
                back,
                latest: seen.author.as_ref().is_some_and(|author| met.insert(author)),
                newest: conversations.insert(conversation),
                calls_first: calls && !called,
                acquainted: seen.author.as_ref().is_some_and(|author| acquainted.contains(author)),
                own_last: own_last == Some(conversation),
                spoken_in: spoken_in.contains(conversation),
                pace: self.pace.unwrap_or(0.0),
            };
            called |= calls;
            rows.push(pair.features(new, seen));
        }
        rows.push(self.features_of_none(new, own_last.is_none()));
        rows
    }

    fn features_of_none(&self, new: &Seen, stranger: bool) -> Features {
        let gap = self.window.front().map_or(0.0, |last| steps(new.at - last.at));
        let unknown = new.speaks_to_somebody && new.mentions.is_empty();
        let mut row = [0.0; FEATURES];
        let values = [
            1.0,
            gap,
            gap - self.pace.unwrap_or(gap),
            f64::from(new.opens),
            f64::from(new.asks),
            f64::from(stranger),
            f64::from(new.goes_on),
            (new.words.len() as f64).ln_1p(),
            f64::from(!new.mentions.is_empty()),
            f64::from(unknown),
            f64::from(stranger && new.opens),
            f64::from(stranger && new.asks),
            f64::from(new.thanks),
        ];
        let first = FEATURES - values.len();
        row[first..].copy_from_slice(&values);
        row
    }

    fn look(&self, message: &Message<'_>) -> Seen {
        let text = message.text;
        let lower = text.to_lowercase();
        let mut words: Vec<u32> = lower
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|word| word.len() > 1 && FUNCTION.binary_search(word).is_err())
            .map(hash)
            .collect();
        words.sort_unstable();
        words.dedup();
        let words: Vec<(u32, f64)> = words.into_iter().map(|word| (word, self.rarity(word))).collect();
        let norm = words.iter().map(|(_, rarity)| rarity * rarity).sum::<f64>().sqrt();
        let mut code: Vec<u32> =
            text.split_whitespace().filter(|word| word.len() > 4 && is_code(word)).map(hash).collect();
        code.sort_unstable();
        code.dedup();
        Seen {
            author: message.author.map(str::to_owned),
            at: message.at,
            mentions: message.mentions.iter().take(MOST_CALLED).cloned().collect(),
            speaks_to_somebody: !message.mentions.is_empty() || text.contains(SOMEBODY),
            words,
            norm,
            code,
            asks: text.contains('?'),
            opens: OPENS.is_match(text),
            goes_on: GOES_ON.is_match(text),
            thanks: THANKS.is_match(text),
            conversation: String::new(),
        }
    }

    /// How rare a word has been: the logarithm of one in how many messages held it.
    fn rarity(&self, word: u32) -> f64 {
        let count = self.counts.get(word as usize % COUNTERS).copied().unwrap_or(0);
        (f64::from(self.messages) + 2.0).ln() - (f64::from(count) + 1.0).ln()
    }
}

/// In order.
static FUNCTION: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut words: Vec<_> = FUNCTION_WORDS.split_whitespace().collect();
    words.sort_unstable();
    words
});

/// What the window says of a message and a candidate.
struct Pair {
    back: usize,
    latest: bool,
    newest: bool,
    calls_first: bool,
    acquainted: bool,
    own_last: bool,
    spoken_in: bool,
    pace: f64,
}

impl Pair {
    fn features(&self, new: &Seen, old: &Seen) -> Features {
        let author = new.author.as_ref();
        let (gap, last) = (steps(new.at - old.at), self.back == 0);
        let same = old.is_by(author);
        let other = !same;
        let named = new.speaks_to(old.author.as_ref());
        let unnamed = new.speaks_to_somebody && new.mentions.is_empty();
        let calls = old.speaks_to(author);
        let old_unnamed = old.speaks_to_somebody && old.mentions.is_empty();
        let same_called = same && new.mentions.iter().any(|who| old.mentions.contains(who));
        let flag = f64::from;
        let values = [
            gap,
            gap - self.pace,
            (self.back as f64).ln_1p(),
            flag(last),
            flag(same),
            flag(same && last),
            flag(same) * gap,
            flag(named),
            flag(named && self.latest),
            flag(!new.mentions.is_empty() && !named),
            flag(calls),
            flag(self.calls_first),
            flag(!old.mentions.is_empty() && !calls && other),
            flag(self.acquainted),
            flag(same_called),
            flag(unnamed && other),
            flag(unnamed && other && self.latest),
            flag(unnamed && same),
            flag(old_unnamed && other),
            flag(old_unnamed && same),
            similarity(new, old),
            shared(&new.code, &old.code).min(2) as f64,
            flag(old.asks && other && !new.asks),
            flag(old.asks && same),
            flag(new.thanks && other),
            flag(old.thanks),
            flag(old.opens && other),
            flag(new.goes_on && last),
            flag(new.goes_on && other),
            flag(self.latest && other),
            flag(self.newest),
            flag(self.own_last),
            flag(self.spoken_in),
            flag(self.newest && self.own_last),
        ];
        let mut row = [0.0; FEATURES];
        row[..values.len()].copy_from_slice(&values);
        row
    }
}

/// The candidate with the highest score under `weights`, by its distance; `None` when that is the last row, "none". Among
/// equals the latest.
pub fn best(rows: &[Features], weights: &Features) -> Option<usize> {
    let score = |row: &Features| row.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>();
    let mut best = (0, f64::NEG_INFINITY);
    for (place, row) in rows.iter().enumerate() {
        let score = score(row);
        if score > best.1 {
            best = (place, score);
        }
    }
    (best.0 + 1 < rows.len()).then_some(best.0 + 1)
}

fn steps(seconds: f64) -> f64 {
    (seconds.max(0.0) / STEP).ln_1p()
}

/// FNV-1a, which is the same on every machine.
fn hash(word: &str) -> u32 {
    word.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Whether a word looks like an address, a path, or a piece of a program.
fn is_code(word: &str) -> bool {
    let inner_dot = word.trim_end_matches('.').contains('.');
    word.contains("://") || inner_dot || word.contains(['_', '/', '\\', '(', ')', '{', '}', '=', ';'])
}

/// Cosine of the words that two messages share, weighted by how rare they are.
fn similarity(one: &Seen, two: &Seen) -> f64 {
    let norm = one.norm * two.norm;
    if norm <= 0.0 {
        return 0.0;
    }
    let mut others = two.words.iter().peekable();
    let common = one.words.iter().filter_map(|(word, rarity)| {
        while others.next_if(|other| other.0 < *word).is_some() {}
        others.next_if(|other| other.0 == *word).map(|other| rarity * other.1)
    });
    common.sum::<f64>() / norm
}

fn shared(one: &[u32], two: &[u32]) -> usize {
    one.iter().filter(|word| two.binary_search(word).is_ok()).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// (author, seconds, text, spoken to)
    type Line<'a> = (&'a str, f64, &'a str, &'a [&'a str]);

    fn cut(lines: &[Line<'_>]) -> Vec<usize> {
        let mut stream = Stream::default();
        let mut cut = Vec::new();
        for (place, (author, at, text, mentions)) in lines.iter().enumerate() {
            let mentions: Vec<String> = mentions.iter().map(|m| (*m).to_owned()).collect();
            let id = place.to_string();
            let message = Message { id: &id, author: Some(author), at: *at, text, mentions: &mentions };
            let placed = stream.place(&message, None);
            assert_eq!(placed.answers.is_none(), placed.conversation == id);
            cut.push(placed.conversation.parse().unwrap());
        }
        cut
    }

    #[test]
    fn two_conversations_at_once_come_apart() {
        let lines: [Line<'_>; 7] = [
            ("ann", 0.0, "Hi, does anyone know why the invoice importer rejects umlauts?", &[]),
            ("bob", 40.0, "Hello all, how can I mount the bicycle rack on a tandem?", &[]),
            ("cid", 60.0, "@user what does the importer say about the umlauts?", &["ann"]),
            ("dot", 75.0, "@user which rack is it, and how long is the tandem?", &["bob"]),
            ("ann", 90.0, "@user the importer only says: bad umlauts in line 3", &["cid"]),
            ("bob", 110.0, "@user the steel rack, for a short tandem", &["dot"]),
            ("cid", 130.0, "@user then save the invoice as UTF-8", &["ann"]),
        ];
        assert_eq!(cut(&lines), [0, 1, 0, 1, 0, 1, 0]);
    }

    #[test]
    fn a_question_long_after_begins_anew_and_an_explicit_reply_never_does() {
        let lines: [Line<'_>; 2] = [
            ("ann", 0.0, "thanks, that worked", &[]),
            ("bob", 90_000.0, "Hello, does anyone have the manual of the old pump?", &[]),
        ];
        assert_eq!(cut(&lines), [0, 1]);
        let mut stream = Stream::default();
        let message = Message { id: "late", author: None, at: 0.0, text: "Hello, anyone here?", mentions: &[] };
        assert_eq!(stream.place(&message, Some("early")), Placed { conversation: "early".to_owned(), answers: None });
    }

    #[test]
    fn who_calls_everybody_is_read_in_time() {
        let everybody: Vec<String> = (0..50_000).map(|n| format!("a_{n:016}")).collect();
        let others: Vec<String> = (50_000..100_000).map(|n| format!("a_{n:016}")).collect();
        let mut stream = Stream::default();
        let began = std::time::Instant::now();
        for (id, mentions) in [("one", &everybody), ("two", &others)] {
            stream.place(&Message { id, author: Some("ann"), at: 0.0, text: "look", mentions }, None);
        }
        assert!(began.elapsed().as_secs() < 3, "{:?}", began.elapsed());
    }

    fn lines() -> impl Strategy<Value = Vec<(usize, u32, String, Option<usize>)>> {
        prop::collection::vec((0_usize..5, 0_u32..5000, "[a-f?@ ]{0,12}", prop::option::of(0_usize..5)), 0..120)
    }

    fn place_all(lines: &[(usize, u32, String, Option<usize>)]) -> Vec<Placed> {
        let mut stream = Stream::default();
        let mut at = 0.0;
        let place = |(place, (author, gap, text, to)): (usize, &(usize, u32, String, Option<usize>))| {
            at += f64::from(*gap);
            let (id, author) = (place.to_string(), author.to_string());
            let mentions: Vec<String> = to.iter().map(usize::to_string).collect();
            let placed = stream.place(&Message { id: &id, author: Some(&author), at, text, mentions: &mentions }, None);
            assert!(stream.window.len() <= WINDOW);
            placed
        };
        lines.iter().enumerate().map(place).collect()
    }

    proptest! {
        #[test]
        fn what_comes_later_changes_nothing_before(lines in lines(), cut in 0_usize..120) {
            let whole = place_all(&lines);
            let cut = cut.min(lines.len());
            prop_assert_eq!(&whole[..cut], &place_all(&lines[..cut])[..]);
            for (place, placed) in whole.iter().enumerate() {
                let first = placed.answers.map_or(place.to_string(), |back| whole[place - back].conversation.clone());
                prop_assert_eq!(&placed.conversation, &first);
            }
        }
    }
}
