//! The author's own words in a mail: what was quoted, forwarded or added by a program is cut.

use std::sync::LazyLock;

use regex::Regex;

use super::html::Plain;

/// What stands before a quotation: `On Monday, Sam wrote:` in the languages that mail programs speak.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static ATTRIBUTION: LazyLock<Regex> = LazyLock::new(|| {
    let words = "wrote|writes|said|schrieb[^:]{0,80}|a écrit|escribió|ha scritto|escreveu|schreef[^:]{0,80}|skrev[^:]{0,80}\
                 |napisał\\(a\\)|написал[аи]?|пишет";
    Regex::new(&format!(r"(?is)^.{{1,400}}\b(?:{words})\s*:\s*$")).unwrap()
});

/// What mail programs put before a mail that is answered or passed on without marks.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static FORWARDED: LazyLock<Regex> = LazyLock::new(|| {
    let words = "original message|forwarded message|original appointment|ursprüngliche nachricht\
                 |weitergeleitete nachricht|message d'origine|mensaje original|messaggio originale";
    let marked = format!("[-_]{{2,}}\\s*(?:{words})\\s*:?\\s*[-_]{{2,}}");
    Regex::new(&format!("(?i)^\\s*(?:{marked}|begin forwarded message:)\\s*$")).unwrap()
});

/// The first lines of such a mail, where nothing is said before.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static HEAD_LINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)^\s*\*?(from|sent|date|to|cc|subject|von|gesendet|an|betreff):\*?\s").unwrap());

/// Lines of an attribution that was broken.
const ATTRIBUTION_LINES: usize = 4;

/// `text` without the paragraphs of others: lines that begin with `>`, and the line that says whose they are. A prompt
/// (`>>>` and a space) is no quotation.
pub fn cut_quoted_lines(text: &str) -> Plain {
    let mut plain = Plain::default();
    let mut kept: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if is_quoted(line) {
            if !inside {
                cut_attribution(&mut kept);
            }
            (inside, plain.quoted) = (true, true);
            continue;
        }
        let blank = line.trim().is_empty();
        inside &= blank;
        // Of the empty lines around what was cut, those before it are left.
        if blank && plain.quoted && kept.last().is_none_or(|l| l.trim().is_empty()) {
            continue;
        }
        kept.push(line);
    }
    plain.text = kept.join("\n").trim_matches(['\n', '\r']).trim_end().to_owned();
    if plain.text.trim().is_empty() {
        plain.text.clear();
    }
    plain
}

fn is_quoted(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('>') && !line.starts_with(">>> ")
}

/// Takes the attribution off the end of what was kept.
fn cut_attribution(kept: &mut Vec<&str>) {
    let Some(last) = kept.iter().rposition(|l| !l.trim().is_empty()) else { return };
    // Far from what is quoted it is a sentence of its own.
    if kept.len() - last > 2 || !kept[last].trim_end().ends_with(':') {
        return;
    }
    // No further back than an attribution may reach: a mail may be one paragraph with a quotation after every line.
    let least = (last + 1).saturating_sub(ATTRIBUTION_LINES);
    let first = kept[least..last].iter().rposition(|l| l.trim().is_empty()).map_or(least, |blank| least + blank + 1);
    // The shortest run of lines that ends the paragraph and is one.
    let from = (first..=last).rev().find(|from| is_attribution(&kept[*from..=last]));
    if let Some(from) = from {
        kept.truncate(from);
    }
}

/// `On 3 March, Sam wrote:`, over some lines. A name alone before the word is one as well.
fn is_attribution(lines: &[&str]) -> bool {
    let text = lines.join(" ");
    let first = lines[0].trim_start();
    let begins = ["on ", "am ", "le ", "el ", "il ", "em ", "op ", "den ", "w dniu "];
    let opens = begins.iter().any(|b| first.to_lowercase().starts_with(b));
    ATTRIBUTION.is_match(&text) && (opens || text.contains('@') || lines.len() == 1)
}

/// The own words of a mail's plain text: without quotations, forwarded mails, the signature (`-- `) and the footers of
/// mailing lists.
pub fn mail_to_text(text: &str) -> Plain {
    let text = text.replace("\r\n", "\n");
    let lines: Vec<&str> = text.lines().collect();
    let mut quoted = false;
    let mut end = lines.len();
    for (at, line) in lines.iter().enumerate() {
        let line = line.trim_end_matches('\r');
        let signature = line == "-- " || line == "--" || line == "\u{2014}" && is_notice(&lines[at + 1..]);
        if signature || is_footer(line, &lines[at + 1..]) {
            end = at;
            break;
        }
        if FORWARDED.is_match(line) || is_head(&lines[at..]) {
            end = at;
            quoted = true;
            break;
        }
    }
    // Below an answer under a quotation nothing else is to be expected; above it the signature may come first.
    let below = lines[end..].iter().skip(1).any(|line| is_quoted(line));
    while end > 0 && quoted && lines[end - 1].trim().chars().all(|c| matches!(c, '_' | '-' | '*' | '=')) {
        end -= 1;
    }
    let mut plain = cut_quoted_lines(&lines[..end].join("\n"));
    plain.quoted |= quoted || below;
    let mut own: Vec<&str> = plain.text.lines().collect();
    // What was quoted in HTML is gone, and only who wrote it is left.
    if let Some(last) = own.iter().rposition(|l| !l.trim().is_empty()) {
        let begins = own[last].trim_start().to_lowercase();
        let opens = ["on ", "am ", "le ", "el ", "il "].iter().any(|b| begins.starts_with(b));
        if opens && is_attribution(&own[last..=last]) && own[last].chars().any(|c| c.is_ascii_digit()) {
            own.truncate(last);
            plain.quoted = true;
        }
    }
    plain.text = own.join("\n").trim_end().to_owned();
    if plain.text.trim().is_empty() {
        plain.text.clear();
    }
    plain
}

/// The head of a mail that stands in another: three of its lines in a row, the first of them saying who wrote it.
fn is_head(lines: &[&str]) -> bool {
    let first = lines[0].trim_start().trim_start_matches('*').to_lowercase();
    (first.starts_with("from:") || first.starts_with("von:")) && {
        let run = lines.iter().take(5).take_while(|line| HEAD_LINE.is_match(line)).count();
        run >= 3
    }
}

/// The footers of Mailman and the like: a long rule, then what list it is.
fn is_footer(line: &str, after: &[&str]) -> bool {
    let line = line.trim_end();
    let rule = line.len() >= 30 && (line.bytes().all(|b| b == b'_') || line.bytes().all(|b| b == b'-'));
    let names_list = |line: &&str| {
        let line = line.to_lowercase();
        line.contains("mailing list") || line.contains("unsubscribe") || line.contains("/listinfo/")
    };
    rule && after.iter().take(4).any(names_list)
}

/// What code hosts put under an answer that came by mail.
fn is_notice(after: &[&str]) -> bool {
    after
        .iter()
        .take(2)
        .any(|l| l.starts_with("Reply to this email directly") || l.starts_with("You are receiving this"))
}

/// Undoes the soft breaks of `format=flowed` (RFC 3676): a line that ends in a space goes on in the next. With `delsp` the
/// space goes too.
pub fn unflow(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim_end_matches('\r');
        // A space before a quotation mark or `From` was put there for the way.
        let line = line.strip_prefix(' ').unwrap_or(line);
        let soft = line.ends_with(' ') && line != "-- " && !line.starts_with('>');
        out.push_str(if soft && delsp { line.trim_end_matches(' ') } else { line });
        if !soft {
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_own_words_stay() {
        let cases = [
            ("Mine leaks.\n\n-- \nAnn\nPumps Ltd\n", "Mine leaks.", false),
            (
                "On Mon, 3 March 2026 at 10:00, Sam <sam@x.example>\nwrote:\n\n> It drips.\n> Always.\n\nMine too.\n",
                "Mine too.",
                true,
            ),
            ("Sam wrote:\n> It drips.\nYes.\n\n> And leaks.\n\nNo.", "Yes.\n\nNo.", true),
            ("I will try this:\n\n> seal it\n\nThanks", "I will try this:\n\nThanks", true),
            ("Fine.\n\n-----Original Message-----\nFrom: Sam\nold words", "Fine.", true),
            (
                "Fine.\n\n________________________________\nFrom: Sam\nSent: Monday\nTo: Ann\nSubject: Pump\n\nold words",
                "Fine.",
                true,
            ),
            (
                "Fine.\n_______________________________________________\npumps mailing list\npumps@lists.example\n",
                "Fine.",
                false,
            ),
            ("Am 03.03.26 um 10:00 schrieb Sam:\n> Es tropft.\nJa.", "Ja.", true),
            ("Run it:\n>>> print(1)\n1", "Run it:\n>>> print(1)\n1", false),
            ("a\n--\nb", "a", false),
            ("see:\n  code --\n  more", "see:\n  code --\n  more", false),
            ("Done.\n\nOn Mon, 3 March 2026, Sam wrote:\n", "Done.", true),
            ("\u{2014}\nReply to this email directly, view it", "", false),
            ("> only his\n", "", true),
            ("  indented\nwords", "  indented\nwords", false),
        ];
        for (mail, want, quoted) in cases {
            assert_eq!(mail_to_text(mail), Plain { text: want.to_owned(), quoted }, "{mail}");
        }
    }

    #[test]
    fn flowed_lines_are_joined() {
        assert_eq!(unflow("one \ntwo\n> a \n> b\n-- \nAnn", false), "one two\n> a \n> b\n-- \nAnn\n");
        assert_eq!(unflow("won \nderful\n", true), "wonderful\n");
    }

    /// A quotation after every line of one paragraph: time grows with length, not with its square.
    #[test]
    fn hostile_mail_is_read_in_time() {
        assert!(mail_to_text(&"x:\n> y\n".repeat(400_000)).quoted);
    }

    proptest! {
        #[test]
        fn nothing_is_added_and_nothing_panics(text in "(On |wrote:|>|-- |From: |\n|[a-zé0-9 ]{0,6}|_{30}|\r){0,40}") {
            let plain = mail_to_text(&text);
            let lines: Vec<_> = text.lines().map(str::trim).collect();
            prop_assert!(plain.text.lines().all(|line| lines.contains(&line.trim())), "{:?}", plain);
            unflow(&text, true);
        }

        #[test]
        fn plain_words_stay(text in "[a-z]{1,9}( [a-z]{1,9}){0,9}(\n\n?[a-z]{1,9}( [a-z]{1,9}){0,9}){0,5}") {
            prop_assert_eq!(mail_to_text(&text), Plain { text: text.clone(), quoted: false });
        }
    }
}
