//! Which way a post goes when a cheap reader decides what is worth an expensive one.

/// The way of one post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// Worth a call.
    PassedOn,
    /// Not worth a call, and read all the same, to learn what such posts hold.
    Audited,
    /// Not read.
    Left,
}

impl Route {
    /// The name as it stands in SQL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PassedOn => "passed_on",
            Self::Audited => "audited",
            Self::Left => "left",
        }
    }

    /// The way with this name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::PassedOn, Self::Audited, Self::Left].into_iter().find(|r| r.as_str() == name)
    }
}
