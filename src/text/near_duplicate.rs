//! Texts that say the same in nearly the same words: copies, cross-posts, pasted complaints (METHOD 9.1, step 1).
//!
//! The one rule: two texts are joined only when they are the same after normalising or their shingles were compared and
//! reach a Jaccard similarity of `SIMILAR`. MinHash and its bands (Broder 1997; Leskovec, Rajaraman & Ullman, Mining of
//! Massive Datasets, ch. 3) only decide which pairs are worth comparing, so the work stays near linear in the texts.

use std::cell::OnceCell;
use std::collections::HashMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;

/// Jaccard similarity of shingles from which texts are near-duplicates.
const SIMILAR: f64 = 0.8;

/// Shorter texts are joined only when they are the same, words: people do say "thanks, that worked" twice.
const SHORTEST: usize = 5;

/// Shorter texts are never joined, words.
const SHORTEST_SAME: usize = 4;

/// From here on a text is compared by its words, words. Below, one changed word would weigh too much.
const BY_WORDS: usize = 12;

/// Longest text that can be similar to one below [`BY_WORDS`], words, with room for words of unequal length.
const LONGEST_BY_CHARS: usize = 15;

/// Words in a shingle.
const WORD_SHINGLE: usize = 3;

/// Characters in a shingle.
const CHAR_SHINGLE: usize = 5;

/// Hash functions of a signature.
const PERMUTATIONS: usize = 128;

/// Values of a signature that must agree for two texts to meet. 25 bands of 5 find a pair with similarity 0.8 with
/// probability `1 - (1 - 0.8^5)^25` = 0.99995, one with 0.3 with 0.06.
const ROWS: usize = 5;

/// Agreeing values of two signatures below which their texts are not compared: four standard deviations under what a
/// similarity of 0.8 leads one to expect.
const WORTH_COMPARING: usize = 84;

/// Texts before it in a band that a text is compared with. It bounds the work on thousands of texts made from one
/// template, which meet each other without being similar.
const WINDOW: usize = 128;

/// Seed of the hash functions. Any will do; another one may miss other pairs.
const SEED: u64 = 0x6361_6e64_6f72;

/// The cluster of each text: the smallest index of a text in it, so a text without near-duplicates has its own index.
///
/// Similarity chains: when `a` is similar to `b` and `b` to `c`, all three are one cluster.
pub fn clusters(texts: &[&str]) -> Vec<usize> {
    let mut sets = Sets::new(texts.len());
    let unique = join_same(texts, &mut sets);
    join_similar(texts, &unique, Shingles::Chars, &mut sets);
    join_similar(texts, &unique, Shingles::Words, &mut sets);
    (0..texts.len()).map(|text| sets.root(text)).collect()
}

/// A text that is left when copies are set aside.
struct Unique {
    index: usize,
    words: usize,
}

/// Joins texts that are the same after normalising, and returns one of each that is long enough to be similar to others.
fn join_same(texts: &[&str], sets: &mut Sets) -> Vec<Unique> {
    let digests: Vec<(usize, blake3::Hash)> = texts
        .par_iter()
        .map(|text| {
            let text = normalise(text);
            (text.split_whitespace().count(), blake3::hash(text.as_bytes()))
        })
        .collect();
    let mut first_of: HashMap<blake3::Hash, usize> = HashMap::new();
    let mut unique = Vec::new();
    for (index, (words, digest)) in digests.into_iter().enumerate() {
        if words < SHORTEST_SAME {
            continue;
        }
        let first = *first_of.entry(digest).or_insert(index);
        sets.join(first, index);
        if first == index && words >= SHORTEST {
            unique.push(Unique { index, words });
        }
    }
    unique
}

/// Joins texts whose shingles of one kind are similar.
fn join_similar(texts: &[&str], unique: &[Unique], kind: Shingles, sets: &mut Sets) {
    let hashes = hash_functions();
    let compared: Vec<Compared> = unique
        .par_iter()
        .filter(|text| kind.fits(text.words))
        .map(|text| {
            let signature = signature(&kind.of(texts[text.index]), &hashes);
            Compared { index: text.index, words: text.words, signature, shingles: OnceCell::new() }
        })
        .collect();
    for band in 0..PERMUTATIONS / ROWS {
        let rows = band * ROWS..(band + 1) * ROWS;
        let mut order: Vec<&Compared> = compared.iter().collect();
        // Texts that agree in the band come to stand side by side; among them the order is that of the texts.
        order.sort_by_key(|text| (&text.signature[rows.clone()], text.index));
        for (place, text) in order.iter().enumerate() {
            let earlier = order[..place].iter().rev().take(WINDOW);
            for other in earlier.take_while(|other| other.signature[rows.clone()] == text.signature[rows.clone()]) {
                if kind.decides(text.words, other.words)
                    && sets.root(text.index) != sets.root(other.index)
                    && agreement(&text.signature, &other.signature) >= WORTH_COMPARING
                    && jaccard(text.shingles(texts, kind), other.shingles(texts, kind)) >= SIMILAR
                {
                    sets.join(text.index, other.index);
                }
            }
        }
    }
}

/// A text with what it is compared by.
struct Compared {
    index: usize,
    words: usize,
    signature: Signature,
    /// Made when first needed: most texts meet no other.
    shingles: OnceCell<Vec<u64>>,
}

impl Compared {
    fn shingles(&self, texts: &[&str], kind: Shingles) -> &[u64] {
        self.shingles.get_or_init(|| kind.of(texts[self.index]))
    }
}

/// What a text is cut into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shingles {
    Words,
    Chars,
}

impl Shingles {
    /// Whether a text of so many words can be in a pair that is compared by this kind.
    fn fits(self, words: usize) -> bool {
        match self {
            Self::Words => words >= BY_WORDS,
            Self::Chars => words <= LONGEST_BY_CHARS,
        }
    }

    /// Whether this kind decides about a pair. A pair is compared by characters when either text is short.
    fn decides(self, words: usize, other: usize) -> bool {
        (self == Self::Words) == (words.min(other) >= BY_WORDS)
    }

    /// Hashes of the different shingles of `text`, sorted.
    fn of(self, text: &str) -> Vec<u64> {
        let text = normalise(text);
        let parts: Vec<u64> = match self {
            Self::Words => text.split(' ').map(|word| hash(word.bytes().map(u64::from))).collect(),
            Self::Chars => text.chars().map(u64::from).collect(),
        };
        let size = if self == Self::Words { WORD_SHINGLE } else { CHAR_SHINGLE };
        let mut shingles: Vec<u64> = parts.windows(size).map(|window| hash(window.iter().copied())).collect();
        shingles.sort_unstable();
        shingles.dedup();
        shingles
    }
}

/// Words as they are compared: case, width and accents' encoding folded, without links, punctuation and what cannot be
/// seen, one space between two.
fn normalise(text: &str) -> String {
    let mut seen = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        seen.push_str(without_link(word));
        seen.push(' ');
    }
    // Upper case first, because some letters fold only that way: ß and ss, ς and σ.
    let folded: String = if seen.is_ascii() {
        seen.to_ascii_lowercase()
    } else {
        seen.nfkc().filter(|c| !is_invisible(*c)).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
    };
    let mut words = String::with_capacity(folded.len());
    for word in folded.unicode_words() {
        words.extend(word.chars().filter(|c| !matches!(c, '\'' | '’')));
        words.push(' ');
    }
    words.truncate(words.trim_end().len());
    words
}

/// What stands before the link in `word`: `(see https://…)` leaves `(see`.
fn without_link(word: &str) -> &str {
    if !word.contains(['.', ':']) {
        return word;
    }
    let lower = word.to_ascii_lowercase();
    let link = ["http://", "https://", "www."].iter().filter_map(|start| lower.find(start)).min();
    &word[..link.unwrap_or(word.len())]
}

/// Characters that take no room and are put between others to make copies look different to a machine.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// FNV-1a over `values`, with the finish of SplitMix64 so that all bits depend on all of them.
fn hash(values: impl Iterator<Item = u64>) -> u64 {
    let sum = values.fold(0xcbf2_9ce4_8422_2325_u64, |hash, value| (hash ^ value).wrapping_mul(0x0000_0100_0000_01b3));
    let sum = (sum ^ (sum >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let sum = (sum ^ (sum >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    sum ^ (sum >> 31)
}

/// Smallest value of each hash function over the shingles.
type Signature = [u32; PERMUTATIONS];

/// Multipliers (odd) and summands: `h(x) = (a x + b) >> 32`.
fn hash_functions() -> [(u64, u64); PERMUTATIONS] {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    std::array::from_fn(|_| (random.next_u64() | 1, random.next_u64()))
}

fn signature(shingles: &[u64], hashes: &[(u64, u64); PERMUTATIONS]) -> Signature {
    let mut signature = [u32::MAX; PERMUTATIONS];
    for shingle in shingles {
        for (smallest, (a, b)) in signature.iter_mut().zip(hashes) {
            let value = (shingle.wrapping_mul(*a).wrapping_add(*b) >> 32) as u32;
            *smallest = value.min(*smallest);
        }
    }
    signature
}

fn agreement(one: &Signature, other: &Signature) -> usize {
    one.iter().zip(other).filter(|(a, b)| a == b).count()
}

/// Shared share of two sorted sets; 0 for two empty ones.
fn jaccard(one: &[u64], other: &[u64]) -> f64 {
    let mut shared = 0;
    let (mut i, mut j) = (0, 0);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        shared += usize::from(a == b);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    let all = one.len() + other.len() - shared;
    if all == 0 { 0.0 } else { shared as f64 / all as f64 }
}

/// Disjoint sets, each known by its smallest member.
struct Sets {
    parent: Vec<usize>,
}

impl Sets {
    fn new(members: usize) -> Self {
        Self { parent: (0..members).collect() }
    }

    fn root(&mut self, member: usize) -> usize {
        let mut at = member;
        while self.parent[at] != at {
            // Halving the path keeps later look-ups short.
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        self.parent[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_counts_as_the_same() {
        let long = "the van board lost every reading i had typed in the plant room and support told me to find a better signal";
        let other =
            "the new boiler in the school runs fine since the installer replaced the pump and bled all the radiators";
        let longer = format!("{long} as if a cellar had any and so we write it all on cardboard again");
        let short = "the app lost all my photos again today";
        for (name, one, two, together) in [
            ("copy", long, long, true),
            ("case and punctuation", long, &format!("{}!!!", long.to_uppercase()), true),
            ("link", long, &format!("{long} (Https://forum.example/t/1?utm=2)"), true),
            ("zero width", long, &long.replace("board", "bo\u{200b}ard"), true),
            ("full width", short, "ｔｈｅ app lost all my photos again today", true),
            ("curly apostrophe", "it doesn't sync when i'm offline", "it doesn’t sync when i’m offline", true),
            ("folding", "die straße ist sehr lang heute", "DIE STRASSE IST SEHR LANG HEUTE", true),
            ("the last word dropped", long, long.trim_end_matches(" signal"), true),
            ("a word in the middle of few dropped", long, &long.replace("typed ", ""), false),
            ("a word in the middle of many dropped", &longer, &longer.replace("typed ", ""), true),
            ("other text", long, other, false),
            ("short, a letter changed", short, "the app lost all my photos again todaay", true),
            ("short, other words", short, "the app kept all your videos safe yesterday", false),
            ("quotation in a longer text", long, &format!("{long} {other}"), false),
            ("four words, the same", "same problem over here", "Same problem, over here.", true),
            ("four words, a letter changed", "same problem over here", "same problems over here", false),
            ("three words", "same problem here", "same problem here", false),
            ("nothing", "", "", false),
            ("only links", "https://a.example", "https://b.example", false),
            (
                "eleven and twelve words",
                "my meter readings vanish whenever the phone loses its signal underground",
                "my meter readings vanish whenever the phone loses its signal underground lol",
                true,
            ),
        ] {
            let expected = if together { [0, 0] } else { [0, 1] };
            assert_eq!(clusters(&[one, two]), expected, "{name}");
        }
    }

    #[test]
    fn similarity_chains_and_clusters_go_by_their_smallest_index() {
        let words: Vec<String> = (0..40).map(|n| format!("word{n}")).collect();
        let without = |n: usize| [&words[..n], &words[n + 1..]].concat().join(" ");
        let texts = ["nothing like the others at all".to_owned(), without(39), words.join(" "), without(0)];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(clusters(&texts), [0, 1, 1, 1]);
    }

    #[test]
    fn thousands_from_one_template_do_not_blow_up() {
        let texts: Vec<String> = (0..4_000)
            .map(|n| {
                format!(
                    "order {n} was delayed by the depot in town {} because the {} van number {} broke down on road {}",
                    n * 7,
                    n % 13,
                    n * 31,
                    n * 17
                )
            })
            .collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let clusters = clusters(&texts);
        assert!(clusters.iter().enumerate().all(|(index, cluster)| *cluster <= index));
    }

    /// Texts over few words, so that many pairs are similar, and some of everything else.
    fn corpus() -> impl Strategy<Value = Vec<String>> {
        let base = proptest::collection::vec(prop_oneof!["[a-e]{1,3}", "[a-z]{2,8}"], 3..30);
        proptest::collection::vec(base, 1..5).prop_flat_map(|bases| {
            let change = (0..bases.len(), proptest::collection::vec((0..30usize, "[a-z]{1,6}"), 0..4), any::<bool>());
            let made = proptest::collection::vec(change, 1..14).prop_map(move |changes| {
                changes
                    .into_iter()
                    .map(|(base, changes, shout)| {
                        let mut words = bases[base].clone();
                        for (at, word) in changes {
                            let at = at % words.len();
                            words[at] = word;
                        }
                        let text = words.join(" ");
                        if shout { text.to_uppercase() } else { text }
                    })
                    .collect::<Vec<_>>()
            });
            (made, proptest::collection::vec("\\PC{0,40}", 0..3)).prop_map(|(mut made, odd)| {
                made.extend(odd);
                made
            })
        })
    }

    /// Components of the pairs that are to be joined, found by looking at all of them.
    fn by_hand(texts: &[&str], similar: f64) -> Vec<usize> {
        let plain: Vec<String> = texts.iter().map(|text| normalise(text)).collect();
        let words: Vec<usize> = plain.iter().map(|text| text.split_whitespace().count()).collect();
        let mut sets = Sets::new(texts.len());
        for one in 0..texts.len() {
            for other in 0..one {
                let shortest = words[one].min(words[other]);
                let kind = if shortest >= BY_WORDS { Shingles::Words } else { Shingles::Chars };
                let same = shortest >= SHORTEST_SAME && plain[one] == plain[other];
                let alike = shortest >= SHORTEST && jaccard(&kind.of(texts[one]), &kind.of(texts[other])) >= similar;
                if same || alike {
                    sets.join(one, other);
                }
            }
        }
        (0..texts.len()).map(|text| sets.root(text)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

        #[test]
        fn clusters_are_what_comparing_all_pairs_gives(texts in corpus()) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let found = clusters(&texts);
            let least = by_hand(&texts, 0.9);
            let most = by_hand(&texts, SIMILAR);
            for index in 0..texts.len() {
                prop_assert!(found[index] <= index && found[found[index]] == found[index]);
                prop_assert_eq!(most[found[index]], most[index], "joined without reason");
                prop_assert_eq!(found[least[index]], found[index], "missed");
            }
        }

        #[test]
        fn the_order_of_the_texts_does_not_matter(texts in corpus()) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            let backwards: Vec<&str> = texts.iter().rev().copied().collect();
            let (one, other) = (clusters(&texts), clusters(&backwards));
            let last = texts.len() - 1;
            for i in 0..=last {
                for j in 0..i {
                    prop_assert_eq!(one[i] == one[j], other[last - i] == other[last - j]);
                }
            }
        }
    }
}
