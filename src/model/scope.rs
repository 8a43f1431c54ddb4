//! Who of those who write could be a buyer.

use serde::{Deserialize, Serialize};

/// By what a person is taken for somebody who could be a buyer (METHOD 3.1.5), said before the data is seen. Empty: nobody said, and
/// everybody is counted.
///
/// The role that somebody tells of themselves decides where one is told: it is one of these, or they are out. Who tells none is in
/// by a community they write in. So with roles alone they are out, and with communities alone no role counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// Communities by name, exactly as `candor search` and the report show them.
    pub communities: Vec<String>,
    /// Words that stand in a told role: `manager` stands in `office manager`.
    pub roles: Vec<String>,
}

impl Scope {
    /// Whether nobody said anything.
    pub fn is_empty(&self) -> bool {
        self.communities.is_empty() && self.roles.is_empty()
    }

    /// Whether a told role is that of a possible buyer.
    pub fn has_role(&self, told: &str) -> bool {
        self.roles.iter().any(|role| stands_in(role, told))
    }
}

/// Whether the words of `role` stand in a row in `told`, whatever their case.
pub fn stands_in(role: &str, told: &str) -> bool {
    let [role, told] = [role, told].map(|text| {
        let lower = text.to_lowercase();
        lower
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    });
    !role.is_empty() && told.windows(role.len()).any(|words| words == role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_found_by_its_words() {
        for (role, told, found) in [
            ("manager", "the Office Manager", true),
            ("office manager", "office manager", true),
            ("Owner", "owner-operator", true),
            ("manager", "office managers", false),
            ("man", "the office manager", false),
            ("manager office", "office manager", false),
            ("office manager", "manager", false),
            (" ", "manager", false),
        ] {
            assert_eq!(stands_in(role, told), found, "{role:?} in {told:?}");
        }
    }
}
