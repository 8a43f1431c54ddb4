//! The embedded reader: no model server, no network, the same reading every time.
//!
//! A text is taken apart into sentences, words and cues (`analysis`); a small linear model over them says which acts are there
//! and which sentence shows each (`weights`); what surrounds the act and what the problem costs is read from explicit phrases
//! (`details`, `texture`). The one rule: every quote is a sentence or clause cut from the text.

mod analysis;

mod cued;

mod cues;

mod details;

mod texture;

pub mod train;

mod voice;

mod weights;

mod words;

use std::cell::RefCell;

use crate::model::{Act, ActKind, Evidence, Fit, FoundAct, PostReading, Recipe, Slot, SlotValue, Span, Voice};
use analysis::Analysis;
use weights::{SHIPPED, SHIPPED_FILE, Scores, Weights};

/// Version of what stands in code; cues and weights are hashed on their own.
const VERSION: &str = "embedded-4";

/// Most quotes for one act of one post.
const QUOTES: usize = 3;

/// A further sentence shows the act when its own probability is at least this share of the best one's.
const NEARLY_AS_GOOD: f64 = 0.8;

/// A sentence longer than this (bytes) is cut down to the clauses that show the act.
const LONG_SENTENCE: usize = 180;

/// Texts shorter than this many words are too short to tell a language.
const LANGUAGE_WORDS: usize = 10;

/// A text is plainly English when this share of its words is known to the cues: 99 of 100 English posts lie above .4, half
/// above .75, while what other languages share with the cues stays below .3.
const ENGLISH_SHARE: f64 = 0.4;

/// Bytes of a text that the language detector looks at.
const LANGUAGE_BYTES: usize = 600;

/// The reader's identity: its version, its cue files, its weights.
pub fn recipe() -> Recipe {
    let weights = blake3::hash(SHIPPED_FILE).to_hex();
    let mut inputs = vec![weights.as_str()];
    inputs.extend(cues::FILES.iter().map(|(_, text)| *text));
    Recipe::new(VERSION, &inputs)
}

/// Reads one post. The context (a title, or the message it answers) is offered to every reader; this one judges the post by
/// its own words.
///
/// A text that is surely not English is kept with its language and without acts.
pub fn read_post(text: &str, _context: Option<&str>) -> PostReading {
    in_room(|room| {
        let lang = room.look(text);
        room.reading(text, lang)
    })
}

/// How likely a post holds any act at all: the greatest of its acts' probabilities. 1 for what this reader cannot read.
pub fn chance(text: &str) -> f64 {
    in_room(|room| {
        let lang = room.look(text);
        room.chance(lang)
    })
}

/// How likely each act is there, in the order of [`ActKind::ALL`]; `None` for what this reader cannot read.
pub fn chances(text: &str) -> Option<[f64; ActKind::ALL.len()]> {
    in_room(|room| {
        let lang = room.look(text);
        room.chances(lang)
    })
}

/// What [`read_post`] makes of a text whose [`chance`] is `wanted`. The text is taken apart once for both.
pub fn read_where(text: &str, wanted: impl FnOnce(f64) -> bool) -> Option<PostReading> {
    in_room(|room| {
        let lang = room.look(text);
        wanted(room.chance(lang)).then(|| room.reading(text, lang))
    })
}

fn in_room<T>(work: impl FnOnce(&mut Room) -> T) -> T {
    thread_local! {
        static ROOM: RefCell<Room> = RefCell::new(Room::default());
    }
    ROOM.with_borrow_mut(work)
}

/// What is kept from post to post, so that reading one asks for little memory.
#[derive(Default)]
struct Room {
    analysis: Analysis,
    scores: Scores,
    weighing: weights::Room,
}

impl Room {
    /// Takes `text` apart and, where this reader can read it, weighs it. Gives its language.
    fn look(&mut self, text: &str) -> Option<&'static str> {
        self.analysis.take_apart(text);
        let lang = language(text, &self.analysis);
        if let Some(weights) = SHIPPED.as_ref().filter(|_| !is_foreign(lang)) {
            weights.score(text, &self.analysis, &mut self.weighing, &mut self.scores);
        }
        lang
    }

    /// What the `text` that was looked at last says.
    fn reading(&self, text: &str, lang: Option<&'static str>) -> PostReading {
        if is_foreign(lang) {
            return PostReading::silent(lang);
        }
        let (acts, voice) = match SHIPPED.as_ref() {
            Some(weights) => {
                let acts = acts(weights, text, &self.analysis, &self.scores);
                let voice = voice::voice(&self.scores, &self.analysis, &acts);
                (acts, voice)
            }
            None => (Vec::new(), Voice::Unclear),
        };
        // Texture tells of a problem; where nobody tells of one there is none, and looking for it costs a sixth of a reading.
        let texture = if acts.is_empty() { Vec::new() } else { texture::texture(text, &self.analysis, &acts) };
        PostReading {
            voice,
            lang,
            acts: acts.into_iter().map(FoundAct::from).collect(),
            texture,
            rejected: 0,
            withheld: 0,
        }
    }

    /// [`chance`] of the text that was looked at last.
    fn chance(&self, lang: Option<&'static str>) -> f64 {
        self.chances(lang).map_or(1.0, |chances| chances.into_iter().fold(0.0, f64::max))
    }

    /// [`chances`] of the text that was looked at last.
    fn chances(&self, lang: Option<&'static str>) -> Option<[f64; ActKind::ALL.len()]> {
        let weights = SHIPPED.as_ref().filter(|_| !is_foreign(lang))?;
        let best = |a: usize| {
            let decision = weights.decision(a);
            let chances = self.scores.sentences.iter().map(|s| decision.probability(s[a], self.scores.post[a]));
            chances.fold(0.0, f64::max)
        };
        Some(std::array::from_fn(best))
    }
}

fn is_foreign(lang: Option<&str>) -> bool {
    lang.is_some_and(|lang| lang != "eng")
}

/// ISO 639-3 of a text that is long enough to tell; `None` otherwise.
pub(crate) fn detected_language(text: &str) -> Option<&'static str> {
    language(text, &analysis::analyse(text))
}

/// The normalised value of words that state `slot`; as written when they give no number.
pub(crate) fn slot_value(slot: Slot, words: &str) -> SlotValue {
    // An amount of time is a cost only when something says so, and who asks has been told that it is.
    let words = if slot == Slot::CostTime { format!("spent {words}") } else { words.to_owned() };
    let stated = texture::texture(&words, &analysis::analyse(&words), &[]);
    stated.into_iter().find(|s| s.slot == slot).map_or(SlotValue::Text, |s| s.value)
}

/// As [`detected_language`].
///
/// The detector costs more than all other reading, so it is asked only where the words are not plainly English, and then
/// about no more of the text than it needs.
fn language(text: &str, analysis: &Analysis) -> Option<&'static str> {
    if text.split_whitespace().take(LANGUAGE_WORDS).count() < LANGUAGE_WORDS {
        return None;
    }
    if analysis.words.len() >= LANGUAGE_WORDS && analysis.known as f64 >= ENGLISH_SHARE * analysis.words.len() as f64 {
        return Some("eng");
    }
    let info = whatlang::detect(&text[..text.floor_char_boundary(LANGUAGE_BYTES)])?;
    // Below this the detector mistakes chat and product names for other languages.
    let sure = info.is_reliable() && info.confidence() > 0.9;
    if info.lang() == whatlang::Lang::Eng { Some("eng") } else { sure.then(|| info.lang().code()) }
}

/// The acts that reach their threshold, each with the sentences that show it, in text order.
fn acts(weights: &Weights, text: &str, analysis: &Analysis, scores: &Scores) -> Vec<(Act, Evidence, f64)> {
    let mut found = Vec::new();
    for (a, &kind) in ActKind::ALL.iter().enumerate() {
        let meant = |index: usize| kind != ActKind::Praise || !voice::is_ironic(&analysis.sentences[index]);
        let decision = weights.decision(a);
        let threshold = f64::from(decision.threshold);
        let best = scores.sentences.iter().map(|s| s[a]).fold(f32::MIN, f32::max);
        if decision.probability(best, scores.post[a]) < threshold {
            continue;
        }
        let mut chances = scores
            .sentences
            .iter()
            .enumerate()
            .filter(|(i, _)| meant(*i))
            .map(|(i, s)| (i, decision.probability(s[a], scores.post[a])))
            .collect::<Vec<_>>();
        chances.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
        let Some(&(_, best)) = chances.first() else { continue };
        if best < threshold {
            continue;
        }
        let shown = chances.iter().take(QUOTES).take_while(|(_, p)| *p >= threshold.max(NEARLY_AS_GOOD * best));
        for &(index, chance) in shown {
            let span = shown_by(text, analysis, index, kind);
            if let Some(evidence) = Evidence::cut(text, span, Fit::Exact) {
                found.push((details::act(kind, text, &evidence, analysis, index), evidence, chance));
            }
        }
    }
    found.sort_by_key(|(act, evidence, _)| (evidence.span(), act.kind()));
    found
}

/// The sentence, or of a long one the clauses from the first to the last that holds a cue of the act.
fn shown_by(text: &str, analysis: &Analysis, index: usize, kind: ActKind) -> Span {
    let sentence = &analysis.sentences[index];
    if sentence.span.end() - sentence.span.start() <= LONG_SENTENCE {
        return sentence.span;
    }
    let words = &analysis.words[sentence.words.clone()];
    let hits = cues::GRAMMAR.hits(&analysis.ids[sentence.words.clone()]);
    let cues = hits.iter().filter(|hit| cues::speaks_of(hit.group, kind));
    let places = cues.filter_map(|hit| {
        let (first, last) = (words.get(usize::from(hit.first))?, words.get(usize::from(hit.last).checked_sub(1)?)?);
        Some((first.start, last.end))
    });
    let Some((start, end)) = places.reduce(|(a, b), (c, d)| (a.min(c), b.max(d))) else { return sentence.span };
    let clauses = crate::text::sentence::clauses(text, sentence.span);
    let first = clauses.iter().find(|c| c.end() > start).map_or(sentence.span.start(), |c| c.start());
    let last = clauses.iter().rev().find(|c| c.start() < end).map_or(sentence.span.end(), |c| c.end());
    Span::trimmed(text, first..last).unwrap_or(sentence.span)
}

#[cfg(test)]
mod tests;
