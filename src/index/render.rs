//! Hits for a terminal. The one rule: nothing that somebody wrote in a post reaches the terminal as a command.

use std::fmt::Write;

use jiff::tz::TimeZone;
use textwrap::Options;

use super::search::{FacetCount, Facets, Hit, Hits};

/// Wide enough for a number and its space.
const INDENT: usize = 4;

/// Narrower terminals are written to as if they were this wide, columns.
const NARROWEST: usize = 30;

/// Months shown of a long series.
const MONTHS: usize = 12;

/// Values shown of the other counts.
const VALUES: usize = 8;

/// `hits` as text for a terminal `width` columns wide. Matches are bold when `colour`; nothing else is coloured. Links are
/// never broken, so that they can be clicked, and may reach beyond the width.
pub fn render(hits: &Hits, width: usize, colour: bool) -> String {
    let width = width.max(NARROWEST);
    let mut out = String::new();
    heading(&mut out, hits);
    for (place, hit) in hits.hits.iter().enumerate() {
        out.push('\n');
        entry(&mut out, hits.offset + place + 1, hit, width, colour);
    }
    if let Some(facets) = &hits.facets {
        counts(&mut out, facets, width);
    }
    out
}

fn heading(out: &mut String, hits: &Hits) {
    let posts = if hits.total == 1 { "1 post matches".to_owned() } else { format!("{} posts match", hits.total) };
    let shown = hits.hits.len();
    out.push_str(&if hits.total == 0 {
        "no post matches\n".to_owned()
    } else if shown == hits.total {
        format!("{posts}\n")
    } else if shown == 0 {
        format!("{posts}; none shown\n")
    } else {
        format!("{posts}; {} to {} shown\n", hits.offset + 1, hits.offset + shown)
    });
}

fn entry(out: &mut String, number: usize, hit: &Hit, width: usize, colour: bool) {
    let date = hit.written_at.map(|at| at.to_zoned(TimeZone::UTC).strftime("%-d %b %Y").to_string());
    let about = [Some(plain(&hit.community)), date, hit.author.as_deref().map(plain)];
    let about: Vec<String> = about.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    let number = format!("{number:>2}  ");
    wrapped(out, &about.join(" · "), width, &number);
    let indent = " ".repeat(INDENT);
    if !hit.title.trim().is_empty() {
        wrapped(out, &plain(&hit.title), width, &indent);
    }
    wrapped(out, &snippet(hit, colour), width, &indent);
    if let Some(url) = &hit.url {
        let _ = writeln!(out, "{indent}{}", plain(url));
    }
}

fn snippet(hit: &Hit, colour: bool) -> String {
    let mut text = String::new();
    if hit.cut[0] {
        text.push_str("… ");
    }
    for segment in &hit.snippet {
        let words = plain(&segment.text);
        if segment.mark && colour {
            let _ = write!(text, "\u{1b}[1m{words}\u{1b}[0m");
        } else {
            text.push_str(&words);
        }
    }
    if hit.cut[1] {
        text.truncate(text.trim_end().len());
        text.push_str(" …");
    }
    // Runs of spaces are layout of the post, not of the terminal.
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn counts(out: &mut String, facets: &Facets, width: usize) {
    let newest = facets.month.len().saturating_sub(MONTHS);
    let lines = [
        ("communities", facets.community.as_slice(), VALUES),
        ("acts", facets.act.as_slice(), VALUES),
        ("months", &facets.month[newest..], MONTHS),
    ];
    for (name, counts, most) in lines {
        if counts.is_empty() {
            continue;
        }
        out.push('\n');
        wrapped(out, &format!("{name}: {}", listed(counts, most)), width, "");
    }
    if newest > 0 {
        let _ = writeln!(out, "(the {MONTHS} newest of {} months)", facets.month.len());
    }
}

fn listed(counts: &[FacetCount], most: usize) -> String {
    let mut items: Vec<String> = counts.iter().take(most).map(|c| format!("{} {}", plain(&c.value), c.count)).collect();
    if counts.len() > most {
        items.push(format!("and {} more", counts.len() - most));
    }
    items.join(", ")
}

/// Writes `text` wrapped, `first` before its first line and as much space before the others.
fn wrapped(out: &mut String, text: &str, width: usize, first: &str) {
    let rest = " ".repeat(first.len());
    let options = Options::new(width).initial_indent(first).subsequent_indent(&rest);
    for line in textwrap::wrap(text, options) {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// `text` with nothing in it that moves a cursor, changes a colour or turns the reading direction.
pub(super) fn plain(text: &str) -> String {
    let turns =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{feff}');
    text.chars()
        .filter(|c| !turns(*c))
        .filter_map(|c| if c.is_whitespace() { Some(' ') } else { (!c.is_control()).then_some(c) })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::shown::Segment;
    use super::*;

    fn hit() -> Hit {
        let piece = |text: &str, mark| Segment { text: text.to_owned(), mark };
        Hit {
            post: "jsonl:1".to_owned(),
            thread: "jsonl:t1".to_owned(),
            community: "r/Boilers".to_owned(),
            written_at: Some("2026-03-09T23:00:00Z".parse().unwrap()),
            url: Some("https://forum.example/a/rather/long/link/that/must/stay/whole/1".to_owned()),
            score: 1.5,
            snippet: vec![
                piece("so I tried the reset and had no ", false),
                piece("luck", true),
                piece(" with\n\nthe second pump either, which\tis the third", false),
            ],
            author: Some("a_0123456789abcdef".to_owned()),
            title: "Pump trouble".to_owned(),
            cut: [true, true],
        }
    }

    fn hits(hits: Vec<Hit>) -> Hits {
        Hits { v: 1, total: 31, hits, facets: None, offset: 20 }
    }

    #[test]
    fn a_hit_reads_well() {
        let expected = "\
31 posts match; 21 to 21 shown

21  r/Boilers · 9 Mar 2026 · a_0123456789abcdef
    Pump trouble
    … so I tried the reset and had no luck with the
    second pump either, which is the third …
    https://forum.example/a/rather/long/link/that/must/stay/whole/1
";
        assert_eq!(render(&hits(vec![hit()]), 52, false), expected);
        let bold = render(&hits(vec![hit()]), 52, true);
        assert_eq!(bold.replace("\u{1b}[1mluck\u{1b}[0m", "luck"), expected);
        assert_ne!(bold, expected);
    }

    #[test]
    fn what_is_not_known_leaves_no_gap() {
        let bare = Hit { written_at: None, author: None, url: None, title: String::new(), cut: [false; 2], ..hit() };
        let text = render(&Hits { total: 1, offset: 0, ..hits(vec![bare]) }, 120, false);
        assert_eq!(
            text,
            "1 post matches\n\n 1  r/Boilers\n    so I tried the reset and had no luck with the second pump either, which is the third\n"
        );
        assert_eq!(render(&Hits { total: 0, ..hits(vec![]) }, 80, false), "no post matches\n");
    }

    #[test]
    fn long_counts_are_cut_and_say_so() {
        let count = |value: String, count| FacetCount { value, count };
        let facets = Facets {
            community: (0..10).map(|n| count(format!("r/c{n}"), 10 - n)).collect(),
            act: vec![],
            month: (1..=12)
                .chain(1..=2)
                .enumerate()
                .map(|(i, m)| count(format!("{}-{m:02}", 2025 + i / 12), 1))
                .collect(),
        };
        let text = render(&Hits { facets: Some(facets), ..hits(vec![]) }, 200, false);
        assert!(text.contains("communities: r/c0 10, r/c1 9,") && text.contains("r/c7 3, and 2 more\n"), "{text}");
        assert!(text.contains("months: 2025-03 1,") && text.contains("the 12 newest of 14 months"), "{text}");
        assert!(!text.contains("acts"), "{text}");
    }

    proptest! {
        #[test]
        fn no_post_commands_the_terminal(
            text in "(\\PC|[\u{0}-\u{1f}\u{7f}-\u{9f}\u{202e}\u{2066}]|[a-z ]{1,9}){0,60}", width in 0..130usize, colour: bool
        ) {
            let segment = |mark| Segment { text: text.clone(), mark };
            let hit = Hit {
                community: text.clone(),
                title: text.clone(),
                url: Some(text.clone()),
                author: Some(text.clone()),
                snippet: vec![segment(false), segment(true)],
                ..hit()
            };
            let url = format!("    {}", plain(&text));
            let shown = render(&hits(vec![hit]), width, colour);
            let shown = if colour { shown.replace("\u{1b}[1m", "").replace("\u{1b}[0m", "") } else { shown };
            for line in shown.lines() {
                prop_assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
                let fits = textwrap::core::display_width(line) <= width.max(NARROWEST);
                prop_assert!(fits || line == url, "{line:?}");
            }
        }
    }
}
