//! Text of others, made safe to look at.

/// `text` on one line, without control characters and without the marks that turn the direction of writing: what a post says
/// must not be able to move the cursor, recolour the terminal or reorder what stands around it.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => shown.push(' '),
            c if c.is_control() || turns_direction(c) => {}
            c => shown.push(c),
        }
    }
    shown
}

/// Unicode's embedding, override and isolate marks.
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_cannot_drive_the_terminal() {
        assert_eq!(plain("a\x1b[31mred\x07\nb\u{202E}c"), "a[31mred bc");
    }
}
