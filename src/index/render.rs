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
