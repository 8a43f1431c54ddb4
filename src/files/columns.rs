//! Columns of tables: how their names are compared and shown, and the map files that say what they hold.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow, bail};
use serde::Deserialize;

/// Letters and digits of a name, lower case: `Note body`, `note_body` and `NoteBody` are one name.
pub(crate) fn normal(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The first of the names, in quotes.
pub(crate) fn listed(names: &[String]) -> String {
    let short = |name: &String| name.chars().take(40).collect::<String>();
    let mut shown: Vec<String> = names.iter().take(30).map(|name| format!("{:?}", short(name))).collect();
    if names.len() > shown.len() {
        shown.push(format!("and {} more", names.len() - shown.len()));
    }
    shown.join(", ")
}

/// The first name that holds one of `hints` and does not end as what holds no words, for an example of a map.
pub(crate) fn most_like<'a>(names: &'a [String], hints: &[&str]) -> &'a str {
    let wordless = |name: &str| ["_at", "_url", "_id", "_date", "_count"].iter().any(|end| name.ends_with(end));
    let mut worded = names.iter().filter(|name| !wordless(name));
    let like = worded.find(|name| hints.iter().any(|hint| normal(name).contains(hint)));
    like.map_or("Your column", String::as_str)
}

/// What stands behind a name in a map file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Mapped {
    /// `text = "Remark"`
    One(String),
    /// `text = ["Pros", "Cons"]`, whose cells are put together.
    Several(Vec<String>),
    /// `day_first = true`
    Flag(bool),
}

impl Mapped {
    /// The columns that `name` is given: one, or where there may be `several` also more.
    ///
    /// # Errors
    /// When it is given none, or more than it may have.
    pub(crate) fn headers(self, name: &str, several: bool) -> Result<Vec<String>> {
        match self {
            Self::One(header) => Ok(vec![header]),
            Self::Several(headers) if several && !headers.is_empty() => Ok(headers),
            _ => bail!("{name} is given no column; write it as {name} = \"Remark\" (only text can have several)"),
        }
    }
}

/// The lines of a map file (TOML).
///
/// # Errors
/// When it is none.
pub(crate) fn map_lines(text: &str) -> Result<BTreeMap<String, Mapped>> {
    toml::from_str(text).map_err(|e| anyhow!("it holds lines like text = \"Remark\": {}", e.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_without_words_is_no_example() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let of_site = names(&["comment_added_at", "comments_url", "comment"]);
        assert_eq!(most_like(&of_site, &["comment"]), "comment");
        assert_eq!(most_like(&of_site[..2], &["comment"]), "Your column");
        assert_eq!(most_like(&names(&["What they said"]), &["said"]), "What they said");
    }
}
