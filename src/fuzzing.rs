//! Every parser, reader and derivation of text, put to any bytes at all. Built for tests and for `fuzz/`, which makes the bytes
//! up; the tests replay what it kept.
//!
//! Each target returns when all that is promised held, and panics where it did not.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;

use crate::collect::files::{FORMATS, Place, page, records_in, visited};
use crate::collect::wire::Record;
use crate::collect::{Context, Zone};
use crate::compare::labels;
use crate::crm::import::read_bytes;
use crate::crm::{self, embedded as note_reader};
use crate::extract::{self, embedded as post_reader};
use crate::group::codebook;
use crate::llm;
use crate::model::{Act, Codebook, Evidence, NoteKind, NoteReading, Post, PostReading, Span};
use crate::text::html::{Plain, fragment, html_to_text};
use crate::text::locate::locate;
use crate::text::mapped::Mapped;
use crate::text::redact::{Names, redact};
use crate::text::{discord, display, mail, markdown, mrkdwn, near_duplicate, sentence};

/// A target: its name, and what it puts bytes through.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 7] = [
    ("collect", collect),
    ("format", format),
    ("page", page),
    ("crm", crm),
    ("answers", answers),
    ("text", text),
    ("read", read),
];

/// Paths by which formats tell what a file is, where they do not tell it from its bytes.
const PATHS: [&str; 6] = [
    "/none/export/file",
    "/none/export/general/2026-03-01.json",
    "/none/package/messages/c1/messages.json",
    "/none/export/Guild - channel [1].txt",
    "/none/forum.example/topic/7.html",
    "/none/export/table.csv",
];

/// Readings of one reply; each takes the whole text apart again.
const MOST_ANSWERS: usize = 4;

const KINDS: [NoteKind; 6] =
    [NoteKind::Note, NoteKind::Call, NoteKind::Meeting, NoteKind::Email, NoteKind::Task, NoteKind::System];

/// `candor collect FILE`: archives, packing, encodings, recognition, reading.
pub fn collect(bytes: &[u8]) {
    let path = std::env::temp_dir().join(format!("candor-fuzzing-{}", std::process::id()));
    std::fs::write(&path, bytes).unwrap_or_else(|error| panic!("could not write {}: {error}", path.display()));
    let posts = visited(&path, &context());
    std::fs::remove_file(&path).ok();
    posts.iter().for_each(storable);
}

/// A file as the format and at the path that its first two bytes choose.
pub fn format(bytes: &[u8]) {
    let [format, path, bytes @ ..] = bytes else { return };
    let format = FORMATS[usize::from(*format) % FORMATS.len()];
    let place = Place::on_disk(Path::new(PATHS[usize::from(*path) % PATHS.len()]));
    all_storable(records_in(format, bytes, &place, &context()));
}

/// A saved page of a forum.
pub fn page(bytes: &[u8]) {
    let place = Place::on_disk(Path::new(PATHS[4]));
    if let Ok(read) = page::read_page(&String::from_utf8_lossy(bytes), &place, &context()) {
        all_storable(read.records);
    }
}

/// An export of a CRM, as the format that its first byte chooses: the one recognised, or one of the list.
pub fn crm(bytes: &[u8]) {
    let [format, bytes @ ..] = bytes else { return };
    for text in read_bytes(bytes, usize::from(*format).checked_sub(1)) {
        assert!(!text.is_empty() && !text.contains('\0'), "no text that can be stored: {text:?}");
    }
}

/// What people and models give as JSON: codebooks, labels, replies. Up to the first NUL stands the text that a reply is about.
pub fn answers(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(read) = codebook::parse(&text) {
        let frozen = codebook::to_json(&read).unwrap_or_default();
        let again = codebook::parse(&frozen).ok();
        assert_eq!(again.as_ref().map(Codebook::hash), Some(read.hash()));
    }
    // Any reason will do.
    text.lines().for_each(|line| drop(labels::parse(line.as_bytes())));
    let (about, reply) = text.split_once('\0').unwrap_or((&text, &text));
    for value in llm::answers_in(reply.as_bytes()).into_iter().take(MOST_ANSWERS) {
        if let Some(reading) = extract::llm::read_answer(about, &value) {
            exact_post(about, &reading);
        }
        for kind in [NoteKind::Email, NoteKind::System] {
            if let Some(reading) = crm::llm::read_answer(about, kind, &value) {
                exact_note(about, &reading);
            }
        }
    }
}

/// Everything that is derived from text alone.
pub fn text(bytes: &[u8]) {
    let text = &*String::from_utf8_lossy(bytes);
    trimmed(text, &html_to_text(text));
    trimmed(text, &markdown::markdown_to_text(text));
    trimmed(text, &mrkdwn::mrkdwn_to_text(text, |id| Some(format!("c{}", id.len()))));
    trimmed(text, &discord::markdown_to_text(text));
    // Mails may begin with code, whose first line is indented.
    bounded(text, &mail::mail_to_text(text));
    bounded(text, &mail::cut_quoted_lines(text));
    mail::unflow(text, true);
    markdown::unescape(text);
    if let Ok(page) = fragment(text) {
        trimmed(text, &discord::rendered_to_text(page.root_element()));
    }
    let shown = display::plain(text);
    assert_eq!(display::plain(&shown), shown);
    taken_apart(text);
    masked(text);
    let lines: Vec<&str> = text.lines().collect();
    let found = near_duplicate::clusters(&lines);
    assert!(found.iter().enumerate().all(|(i, first)| *first <= i && found[*first] == *first), "{found:?}");
    let (head, tail) = text.split_once('\n').unwrap_or((text, text));
    if let Some((span, _)) = locate(tail, head) {
        assert!(tail.get(span.range()).is_some());
    }
}

/// The embedded readers of posts and of notes; the first byte chooses the kind of note.
pub fn read(bytes: &[u8]) {
    let [kind, bytes @ ..] = bytes else { return };
    let text = &*String::from_utf8_lossy(bytes);
    let reading = post_reader::read_post(text, None);
    exact_post(text, &reading);
    let chance = post_reader::chance(text);
    assert!((0.0..=1.0).contains(&chance), "a chance of {chance}");
    let kind = KINDS[usize::from(*kind) % KINDS.len()];
    let noted = note_reader::read_note(text, kind);
    exact_note(text, &noted);
    if text.len() < 1000 {
        assert_eq!(post_reader::read_post(text, None), reading);
        assert_eq!(note_reader::read_note(text, kind), noted);
    }
}

fn context() -> Context {
    Context { author_key: [7; 32], now: Timestamp::UNIX_EPOCH, community: None, zone: Zone::default() }
}

/// Posts that the store takes, each after its thread.
fn all_storable(records: impl IntoIterator<Item = Record>) {
    let mut threads = HashSet::new();
    for record in records {
        match record {
            Record::Thread(thread) => drop(threads.insert(thread.id)),
            Record::Post(post) => {
                storable(&post);
                assert!(threads.contains(&post.thread), "{} comes before its thread", post.id);
            }
            Record::Mentions { .. }
            | Record::Removed(_)
            | Record::Skipped { .. }
            | Record::Absent { .. }
            | Record::Notice(_) => {}
        }
    }
}

fn storable(post: &Post) {
    assert!(!post.text.is_empty() && !post.text.contains('\0'), "no text that can be stored: {post:?}");
}

fn trimmed(from: &str, plain: &Plain) {
    assert_eq!(plain.text.trim(), plain.text);
    bounded(from, plain);
}

/// What was derived is not much more than what it was derived from.
fn bounded(from: &str, plain: &Plain) {
    assert!(plain.text.is_empty() || !plain.text.trim().is_empty());
    assert!(plain.text.len() <= 16 * from.len() + 64, "{} bytes of {}", plain.text.len(), from.len());
}

/// Sentences and clauses are trimmed slices in order, and are found again where they stand.
fn taken_apart(text: &str) {
    let mut last = 0;
    for (number, span) in sentence::sentences(text).into_iter().enumerate() {
        let slice = &text[span.range()];
        assert!(span.start() >= last && slice.trim() == slice, "{span:?} of {text:?}");
        last = span.end();
        let mut inner = span.start();
        for clause in sentence::clauses(text, span) {
            assert!(clause.start() >= inner && clause.end() <= span.end(), "{clause:?} in {span:?} of {text:?}");
            inner = clause.end();
        }
        if number < 3
            && let Some((found, crate::model::Fit::Exact)) = locate(text, slice)
        {
            assert_eq!(&text[found.range()], slice);
        }
    }
}

/// Masking ends, and every letter that is left leads back to where it stood, in order.
fn masked(text: &str) {
    let names = Names::new(["Tam", "Ines Vale"]);
    let sent = redact(Mapped::whole(text), &names);
    assert_eq!(redact(Mapped::whole(sent.text()), &names).text(), sent.text());
    let mut last = 0;
    for (at, letter) in sent.text().char_indices().take(500) {
        let origin = sent.origin(at..at + letter.len_utf8());
        let origin = origin.unwrap_or_else(|| panic!("no way back from {at} in {:?}", sent.text()));
        assert!(origin.start >= last && text.get(origin.clone()).is_some(), "{origin:?} of {text:?}");
        last = origin.start;
    }
}

fn exact(text: &str, evidence: &Evidence) {
    let span = evidence.span();
    assert_eq!(text.get(span.range()), Some(evidence.quote()));
    assert!(Span::new(text, span.start(), span.end()).is_some());
}

fn exact_post(text: &str, reading: &PostReading) {
    for found in &reading.acts {
        exact(text, &found.evidence);
        assert!((0.0..=1.0).contains(&found.confidence), "a confidence of {}", found.confidence);
        let details = match &found.act {
            Act::FailedWorkaround { means, why_failed } => vec![means, why_failed],
            Act::Workaround { means } => vec![means],
            Act::Switch { from, to, reason, .. } => vec![from, to, reason],
            Act::Complaint { .. } | Act::Ask { .. } | Act::Praise => Vec::new(),
        };
        details.into_iter().flatten().for_each(|detail| exact(text, detail));
    }
    reading.texture.iter().for_each(|slot| exact(text, &slot.evidence));
}

fn exact_note(text: &str, reading: &NoteReading) {
    let NoteReading { compliments, fluff, pains, objections, commitments, .. } = reading;
    let quotes = compliments.iter().chain(fluff).chain(pains.iter().map(|p| &p.evidence));
    let quotes = quotes.chain(objections.iter().map(|o| &o.evidence)).chain(commitments.iter().map(|c| &c.evidence));
    quotes.for_each(|quote| exact(text, quote));
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Read as _;
    use std::time::{Duration, Instant};

    use super::*;

    /// The slowest of the cases takes a hundredth of this; what takes longer than this has no bound.
    const LONGEST: Duration = Duration::from_secs(20);

    /// Every case that `fuzz/` kept: what reaches a part of the code that no other case reaches, as small as it could be made.
    #[test]
    fn what_fuzzing_kept_is_survived() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/cases");
        for (name, target) in TARGETS {
            let mut cases = zip::ZipArchive::new(File::open(folder.join(format!("{name}.zip"))).unwrap()).unwrap();
            assert!(cases.len() > 10, "{name}: only {} cases", cases.len());
            for index in 0..cases.len() {
                let mut bytes = Vec::new();
                let mut case = cases.by_index(index).unwrap();
                case.read_to_end(&mut bytes).unwrap();
                let began = Instant::now();
                target(&bytes);
                assert!(began.elapsed() < LONGEST, "{name}: {:?} took {:?}", case.name(), began.elapsed());
            }
        }
    }
}
