//! Words of others that stand in a post as plain text: what a mail program or an unparsed code of the board left.

use crate::text::html::Plain;

/// `plain` without quotes written as text and without the sender's footer below `-- `.
pub(in crate::collect) fn own(plain: Plain) -> Plain {
    let Plain { text, mut quoted } = plain;
    let text = without_codes(&text, &mut quoted);
    let lines: Vec<&str> = text.lines().collect();
    let mut out: Vec<&str> = Vec::with_capacity(lines.len());
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim();
        if is_original(line) {
            quoted = true;
            break;
        }
        if lines[at] == "-- " || (line == "--" && lines.len() - at <= 8 && at > 0) {
            break;
        }
        if is_attribution(line)
            && lines.get(at + 1..).is_some_and(|rest| {
                rest.iter().find(|l| !l.trim().is_empty()).is_none_or(|l| l.trim_start().starts_with('>'))
            })
        {
            quoted = true;
            at += 1;
            while at < lines.len() && (lines[at].trim().is_empty() || lines[at].trim_start().starts_with('>')) {
                at += 1;
            }
            out.push("");
            continue;
        }
        out.push(lines[at]);
        at += 1;
    }
    while out.last().is_some_and(|line| line.trim().is_empty() || is_of_device(line)) && out.len() > 1 {
        out.pop();
    }
    Plain { text: out.join("\n").trim().to_owned(), quoted }
}

/// `Sent from my phone using some app`, which the app adds.
fn is_of_device(line: &str) -> bool {
    let line = line.trim();
    let begins = ["Sent from my ", "Sent from a ", "Gesendet von meinem ", "Gesendet von iPhone", "Envoyé de mon "];
    begins.iter().any(|begin| line.starts_with(begin))
        && line.split_whitespace().count() <= 12
        && !line.ends_with(['.', '!', '?', ':'])
}

/// `On 1 March 2024, Ann wrote:`, `Am 01.03.24 schrieb Ann:`.
fn is_attribution(line: &str) -> bool {
    line.len() < 200
        && line.ends_with(':')
        && ((line.starts_with("On ") && line.ends_with("wrote:"))
            || (line.starts_with("Am ") && line.contains("schrieb"))
            || (line.starts_with("Le ") && line.contains("écrit")))
}

fn is_original(line: &str) -> bool {
    let words = line.trim_matches(|c: char| c == '-' || c == '_' || c == ' ');
    line.starts_with("-----")
        && matches!(words, "Original Message" | "Ursprüngliche Nachricht" | "Original-Nachricht" | "Forwarded message")
}

/// Cuts `[quote=…]…[/quote]` that the board did not turn into markup, also nested. One that does not end is kept.
fn without_codes(text: &str, quoted: &mut bool) -> String {
    let lower = text.to_ascii_lowercase();
    if !lower.contains("[/quote]") {
        return text.to_owned();
    }
    let (mut out, mut depth, mut from, mut at) = (String::new(), 0_usize, 0, 0);
    while let Some(found) = lower[at..].find('[') {
        let start = at + found;
        let tag = &lower[start..];
        at = start + 1;
        if tag.starts_with("[quote]") || tag.starts_with("[quote=") || tag.starts_with("[quote ") {
            if depth == 0 && lower[start..].contains("[/quote]") {
                out.push_str(&text[from..start]);
                from = start;
            }
            depth += 1;
        } else if tag.starts_with("[/quote]") && depth > 0 {
            depth -= 1;
            if depth == 0 {
                from = start + "[/quote]".len();
                *quoted = true;
            }
        }
    }
    out.push_str(&text[from..]);
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_written_as_text_are_cut() {
        let own = |text: &str| own(Plain { text: text.to_owned(), quoted: false });
        for (text, want) in [
            ("[quote=\"ann\"]hers [quote]his[/quote][/quote]\nmine", "mine"),
            ("On 1 Mar 2024, Ann wrote:\n> hers\n>\n> more\n\nmine", "mine"),
            ("mine\n\nAm 01.03.2024 um 12:00 schrieb Ann:\n> hers", "mine"),
            ("mine\n-----Original Message-----\nFrom: ann", "mine"),
        ] {
            assert_eq!(own(text), Plain { text: want.to_owned(), quoted: true }, "{text}");
        }
        for text in ["On it: he wrote:\nthis", "an array [quote] of", "x --\ny", "> a shell prompt"] {
            assert_eq!(own(text), Plain { text: text.to_owned(), quoted: false });
        }
        assert_eq!(own("mine\n-- \nAnn, Example Ltd").text, "mine");
        assert_eq!(own("mine\n\nSent from my SM-1 using Some App\n").text, "mine");
        assert_eq!(own("Sent from my old account, sorry.").text, "Sent from my old account, sorry.");
    }
}
