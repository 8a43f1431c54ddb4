//! Handles of people in text: whoever is spoken to or of becomes `@user`, so that no name is kept, shown or sent.
//!
//! The one rule: in doubt it is a name. What stands as code is left, and so are addresses, numbers (`@ $5`, `@60fps`), packages
//! (`@scope/package`) and the words that programmers write behind an `@`.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::code::is_fence;

/// What stands for somebody.
pub const SOMEBODY: &str = "@user";

/// Words behind an `@` that programs give a meaning: rules of style sheets, annotations, decorators and tags of documentation.
const OF_PROGRAMS: &[&str] = &[
    "media",
    "import",
    "charset",
    "namespace",
    "supports",
    "keyframes",
    "font-face",
    "container",
    "tailwind",
    "apply",
    "include",
    "mixin",
    "extend",
    "Override",
    "Deprecated",
    "SuppressWarnings",
    "FunctionalInterface",
    "SafeVarargs",
    "Autowired",
    "Inject",
    "Bean",
    "Component",
    "Service",
    "Repository",
    "Controller",
    "RestController",
    "Configuration",
    "Entity",
    "Transactional",
    "RequestMapping",
    "GetMapping",
    "PostMapping",
    "Nullable",
    "NonNull",
    "NotNull",
    "Test",
    "BeforeEach",
    "AfterEach",
    "Composable",
    "Injectable",
    "Input",
    "Output",
    "NgModule",
    "ViewChild",
    "property",
    "staticmethod",
    "classmethod",
    "dataclass",
    "abstractmethod",
    "contextmanager",
    "param",
    "returns",
    "typedef",
    "deprecated",
    "inheritdoc",
    "inheritDoc",
    "ts-ignore",
    "ts-expect-error",
    "ts-nocheck",
    "objc",
    "MainActor",
    "Published",
    "ObservedObject",
    "StateObject",
    "Environment",
    "EnvironmentObject",
];

/// What a number behind an `@` may be of.
const UNITS: &[&str] = &[
    "%", "am", "pm", "p", "k", "m", "x", "fps", "hz", "khz", "mhz", "ghz", "v", "w", "kw", "a", "ma", "mm", "cm", "km",
    "mph", "kph", "kmh", "kg", "g", "lb", "lbs", "oz", "ml", "l", "psi", "bar", "rpm", "nm", "c", "f", "s", "ms",
    "min", "h", "hr", "hrs", "ea", "each", "usd", "eur", "gbp",
];

/// Somebody on Reddit: `u/name`, `/u/name`, or the address of their page.
#[expect(clippy::unwrap_used, reason = "a constant pattern, compiled by the tests")]
static REDDITOR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)(?<page>reddit\.com/u(?:ser)?/)[\w-]+|(?<before>^|[^\w/])/?u/(?<name>[a-z0-9_-]{3,20})").unwrap()
});

/// `text` with `@user` for whoever is named by a handle outside of code: `@name`, `u/name`. All of a place are called without
/// the mark (`everyone`, `here`), as nobody is named.
pub fn without_handles(text: &str) -> String {
    let named =
        |text: &str| text.contains('@') || text.contains("u/") || text.contains("U/") || text.contains("/user/");
    if !named(text) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut fenced = false;
    for line in text.split_inclusive('\n') {
        let fence = is_fence(line);
        fenced ^= fence;
        if fenced || fence || !named(line) {
            out.push_str(line);
            continue;
        }
        let pieces: Vec<&str> = line.split('`').collect();
        for (i, piece) in pieces.iter().enumerate() {
            out.push_str(if i > 0 { "`" } else { "" });
            // A mark that nothing closes opens no code.
            let code = i % 2 == 1 && i + 1 < pieces.len();
            out.push_str(&if code { (*piece).to_owned() } else { masked(&redditors(piece), handle_at, is_spoken_to) });
        }
    }
    out
}

fn redditors(words: &str) -> String {
    let name = |found: &Captures| {
        if let Some(page) = found.name("page") {
            return format!("{}{SOMEBODY}", page.as_str());
        }
        let (whole, before) = (found.get(0).map_or(0..0, |m| m.range()), &found["before"]);
        let after = &words[whole.end..];
        let unit = matches!(&found["name"].to_ascii_lowercase()[..], "min" | "day" | "hour" | "hrs" | "week");
        let measured = words[..whole.start].ends_with(|c: char| c.is_ascii_digit());
        if unit || measured || after.starts_with(|c: char| c.is_alphanumeric() || c == '/') {
            return found[0].to_owned();
        }
        format!("{before}{SOMEBODY}")
    };
    REDDITOR.replace_all(words, name).into_owned()
}

/// `words` with `@user` for the names behind an `@` of which `is_person`, told what stands before, the name and what follows,
/// says so. `name_at` gives the name that a text begins with: the rest of one of several words stays, because a text does not
/// tell where it ends.
pub(super) fn masked(words: &str, name_at: fn(&str) -> &str, is_person: fn(&str, &str, &str) -> bool) -> String {
    let mut out = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(at) = rest.find('@') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let name = name_at(rest);
        if matches!(name, "user" | "role") || !is_person(&out, name, &rest[name.len()..]) {
            out.push('@');
            continue;
        }
        // Tables of 2019 call all and those present without the mark; some chats call them `@all` and `@channel`.
        out.push_str(if matches!(name, "everyone" | "here" | "all" | "channel") { name } else { SOMEBODY });
        rest = &rest[name.len()..];
    }
    out.push_str(rest);
    out
}

/// The handle that `text` begins with: letters of any language, digits, emoji, and signs that sites allow within.
fn handle_at(text: &str) -> &str {
    let wide = |c: char| {
        !c.is_ascii() && !c.is_whitespace() && !matches!(c, '\u{2000}'..='\u{206f}' | '\u{3000}'..='\u{303f}')
    };
    let ends = |c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.') && !wide(c);
    text[..text.find(ends).unwrap_or(text.len())].trim_end_matches('.')
}

/// Bytes before and behind a handle that are looked at.
const NEAR: usize = 200;

/// Whether `name`, behind an `@`, is somebody's.
fn is_spoken_to(before: &str, name: &str, after: &str) -> bool {
    let before = &before[before.ceil_char_boundary(before.len().saturating_sub(NEAR))..];
    let after = &after[..after.floor_char_boundary(NEAR)];
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let local = word.rsplit(|c: char| !c.is_alphanumeric() && !"._%+-".contains(c)).next().unwrap_or_default();
    let local = local.trim_start_matches(|c: char| !c.is_alphanumeric());
    // `me@x.example`, `root@host`; with a sign before the mark only where a domain follows it.
    let address = local.ends_with(char::is_alphanumeric) || !local.is_empty() && name.contains('.');
    let link = word.contains("://") || word.ends_with('/') && word.contains('.');
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let package =
        !name.contains(char::is_uppercase) && after.strip_prefix('/').is_some_and(|rest| rest.starts_with(lower));
    let arguments = after.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(inner, _)| inner);
    let called = arguments.is_some_and(|a| a.is_empty() || a.starts_with(['"', '\'']) || a.contains('='));
    name.chars().any(|c| c.is_alphanumeric() || !c.is_ascii())
        && !(address || link || package || called || after.starts_with('=') || is_number(name))
        && name != "group"
        && !OF_PROGRAMS.contains(&name)
}

/// `5`, `$5`, `10am`, `60fps`.
fn is_number(name: &str) -> bool {
    let number = name.trim_start_matches(['$', '€', '£', '¥', '₹', '+', '-', '~', '≈', '#']);
    let unit = number.trim_start_matches(|c: char| c.is_ascii_digit() || ".,:'".contains(c));
    number.starts_with(|c: char| c.is_ascii_digit())
        && (unit.is_empty() || UNITS.contains(&&*unit.to_lowercase()) || !unit.contains(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whoever_is_named_is_somebody() {
        for (text, want) in [
            ("@ann, ask @bob.k. or @all", "@user, ask @user. or all"),
            ("thanks -@ann, cc:@bob (@cid) .@dot", "thanks -@user, cc:@user (@user) .@user"),
            ("@ann/@Bob and @Cid/dot", "@user/@user and @user/dot"),
            ("@ann@social.example", "@user@social.example"),
            ("@7ann @ann_7 @jürgen @Override_me", "@user @user @user @user"),
            ("u/ann_7, /u/bob-k's and (U/cidd)", "@user, @user's and (@user)"),
            ("see https://www.reddit.com/user/ann/", "see https://www.reddit.com/user/@user/"),
            ("**@ann** _@bob_ [@cid](x)", "**@user** _@user [@user](x)"),
            (
                "a `@x` @ann `\n```js\n@y\n```\n@bob ```one line``` @cid",
                "a `@x` @user `\n```js\n@y\n```\n@user ```one line``` @user",
            ),
        ] {
            assert_eq!(without_handles(text), want, "{text}");
            assert_eq!(without_handles(want), want, "masking twice is masking once");
        }
    }

    #[test]
    fn what_names_nobody_stays() {
        for text in [
            "me@x.example, first.last+tag@mail.x.example, me_@x.example and root@host",
            "an @media query, @font-face, @Override and @Test(timeout = 5)",
            "@app.route('/x') @Input() @Table(name=\"t\")",
            "npm i @scope/pkg @types/node and node_modules/@scope/pkg",
            "two @ $5, six @$5, @ 10 or @10:30, @60fps @1080p @3% @€4,50",
            "https://x.example/@ann and medium.example/@ann/post",
            "```\n@route('/')\n@ann u/ann\n```\n`@decorated u/ann`",
            ">@< @_@ @@ -1,3 +1,4 @@",
            "1200 u/min, 10 u/day, and/or u/s, src/u/name, /u/local/bin and r/name",
            "@user and @role of @group",
        ] {
            assert_eq!(without_handles(text), text);
        }
    }

    proptest! {
        #[test]
        fn no_handle_is_left(name in "[a-z][a-z0-9_]{3,14}x7", before in "([ ,(>:.*-]|well )?", after in "([ ,.!?:)*]( ok)?)?") {
            for text in [format!("{before}@{name}{after}"), format!("so {before}u/{name}{after}")] {
                prop_assert!(!without_handles(&text).contains(&name), "{}", text);
            }
        }

        #[test]
        fn addresses_stay(local in "[a-z0-9]{1,8}([._+-][a-z0-9]{1,8}){0,2}", host in "[a-z]{1,8}(\\.[a-z]{2,8}){1,2}") {
            let text = format!("write to <{local}@{host}>, or {local}@{host}.");
            prop_assert_eq!(without_handles(&text), text);
        }

        #[test]
        fn fences_and_backticks_keep_all(code in "[a-z@/u. \"'=;(){}-]{0,40}") {
            let text = format!("```\n{code}\n```\nand `{code}`");
            prop_assert_eq!(without_handles(&text), text);
        }

        #[test]
        fn masking_twice_is_masking_once(text in "(@|u/|/|`|```|\n| |[a-z.]{0,6}|5|\\(|=|é){0,40}") {
            let once = without_handles(&text);
            prop_assert_eq!(without_handles(&once), once);
        }
    }
}
