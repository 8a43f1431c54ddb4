//! How code stands in plain text, wherever it came from: between fences (```` ``` ````) or between backticks.

/// `code` between fences, as lines of their own. Fences within it become tildes, so that it ends where it ends.
pub fn fenced(code: &str) -> String {
    format!("```\n{}\n```", code.trim_matches(['\r', '\n']).replace("```", "~~~"))
}

/// A few words of `code` between backticks. What holds a backtick itself, or nothing, stands without them.
pub fn ticked(code: &str) -> String {
    let code = code.trim();
    if code.is_empty() || code.contains('`') { code.to_owned() } else { format!("`{code}`") }
}

/// Whether `line` opens or closes a fence.
pub fn is_fence(line: &str) -> bool {
    // Most lines hold no backtick, and a byte is found much faster than three.
    line.contains('`') && line.matches("```").count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_ends_where_it_ends() {
        assert_eq!(fenced("\na\n```\nb\n"), "```\na\n~~~\nb\n```");
        assert_eq!([ticked(" a "), ticked("a`b"), ticked(" ")], ["`a`", "a`b", ""]);
        assert!(is_fence("- ```js") && !is_fence("```one line```") && !is_fence("`a`"));
    }
}
