//! Identifiers. An id is the source's own id (`reddit:t1_abc`) or a content hash, never a row number,
//! so reading the same thing twice gives the same id.

use serde::{Deserialize, Serialize};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps an id already in its canonical form.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(
    /// A post: `<source>:<the source's own id>`, for example `reddit:t1_abc` or `discourse:forum.example:4711`.
    PostId
);
text_id!(
    /// A thread, in the same form as a [`PostId`].
    ThreadId
);
text_id!(
    /// A community author's pseudonym, made by [`AuthorKey::pseudonym`]. The real handle is never stored.
    AuthorKey
);
text_id!(
    /// A signal: hash of post, act, span and recipe.
    SignalId
);
text_id!(
    /// A CRM note: the CRM's own id, a plain number with the vendor before it (`hubspot:123`). So are those of accounts and deals.
    NoteId
);
text_id!(
    /// A CRM account (a firm, never a person).
    AccountId
);
text_id!(
    /// A CRM opportunity.
    OpportunityId
);
text_id!(
    /// A problem in the codebook; stable across runs of one codebook.
    ProblemId
);

impl AuthorKey {
    /// The pseudonym of `handle` at `source`: keyed BLAKE3, 16 hex digits. The key stays in the workspace, so
    /// pseudonyms of two workspaces cannot be matched, nor a handle be guessed and checked without the key.
    pub fn pseudonym(key: &[u8; 32], source: &str, handle: &str) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(source.as_bytes());
        hasher.update(b"\0");
        hasher.update(handle.as_bytes());
        Self(format!("a_{}", &hasher.finalize().to_hex()[..16]))
    }
}

/// A content hash of `parts`, 24 hex digits. Parts are length-prefixed, so `["ab","c"]` and `["a","bc"]` differ.
pub fn content_hash(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().to_hex()[..24].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_depend_on_the_key_and_the_source() {
        let one = AuthorKey::pseudonym(&[1; 32], "reddit", "sam");
        assert_eq!(one, AuthorKey::pseudonym(&[1; 32], "reddit", "sam"));
        assert_ne!(one, AuthorKey::pseudonym(&[2; 32], "reddit", "sam"));
        assert_ne!(one, AuthorKey::pseudonym(&[1; 32], "discord", "sam"));
        assert!(!one.as_str().contains("sam"));
    }

    #[test]
    fn hash_parts_do_not_run_together() {
        assert_ne!(content_hash(&["ab", "c"]), content_hash(&["a", "bc"]));
    }
}
