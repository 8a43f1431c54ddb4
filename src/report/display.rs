//! Untrusted text on its way to a reader's eyes.
//!
//! The rule: nothing in a post may change how the text around it is read. Control characters, direction overrides and
//! invisible tags are written out as their code, so that a reader sees that they are there.

use std::fmt::{self, Write};

use url::Url;

use super::view::Link;

/// Writes `text` with every hidden character written out, giving each visible stretch to `visible`.
pub(super) fn write_visible<W: Write>(
    dest: &mut W,
    text: &str,
    mut visible: impl FnMut(&mut W, &str) -> fmt::Result,
) -> fmt::Result {
    let mut rest = text;
    while let Some((at, hidden)) = rest.char_indices().find(|&(_, c)| is_hidden(c)) {
        visible(dest, &rest[..at])?;
        write!(dest, "⟨U+{:04X}⟩", u32::from(hidden))?;
        rest = &rest[at + hidden.len_utf8()..];
    }
    visible(dest, rest)
}

/// Characters that show nothing and change something. Joiners stay: scripts and emoji need them.
fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' | '\r' => false,
        c if c.is_control() => true,
        '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}' => true,
        // Embeddings, overrides, isolates; line and paragraph separators; annotations; tags.
        '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{2028}' | '\u{2029}' => true,
        '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}' => true,
        _ => false,
    }
}

/// An address that came with the data. Only http and https are ever linked; the canonical form is plain ASCII.
pub(super) fn link(address: &str) -> Link {
    match Url::parse(address) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.host().is_some() => Link::Web(url.into()),
        _ => Link::Text(address.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut out = String::new();
        write_visible(&mut out, text, |out, s| out.write_str(s)).unwrap();
        out
    }

    #[test]
    fn hidden_characters_are_written_out() {
        for (text, seen) in [
            ("plain, naïve, 日本", "plain, naïve, 日本"),
            ("two\nlines\tand a tab", "two\nlines\tand a tab"),
            ("a\u{202E}b", "a⟨U+202E⟩b"),
            ("\u{1b}[31mred", "⟨U+001B⟩[31mred"),
            ("x\u{E0041}", "x⟨U+E0041⟩"),
            ("👩\u{200D}🔧", "👩\u{200D}🔧"),
        ] {
            assert_eq!(shown(text), seen);
        }
    }

    #[test]
    fn only_web_addresses_are_linked() {
        for (address, web) in [
            ("https://forum.example/t/1", Some("https://forum.example/t/1")),
            ("http://forum.example/a b\"c", Some("http://forum.example/a%20b%22c")),
            ("javascript:alert(1)", None),
            ("java\nscript:alert(1)", None),
            ("data:text/html,x", None),
            ("discord://channels/1", None),
            ("//forum.example/t/1", None),
            ("", None),
        ] {
            match (link(address), web) {
                (Link::Web(got), Some(expected)) => assert_eq!(got, expected),
                (Link::Text(got), None) => assert_eq!(got, address),
                (got, _) => panic!("{address:?} became {got:?}"),
            }
        }
    }
}
