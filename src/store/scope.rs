//! Authors who could be buyers, and what roles people tell of themselves.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use jiff::Timestamp;
use sqlx::Row;

use super::{Store, millis};
use crate::model::{AuthorKey, Recipe, Scope};

/// What a scope makes of the authors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InScope {
    /// Those who could be buyers.
    pub inside: BTreeSet<AuthorKey>,
    /// Those who tell a role, and none of the scope's; nobody where it names none.
    pub other_role: BTreeSet<AuthorKey>,
    /// Every role that anybody tells, in lower case; none where the scope names none.
    pub roles: BTreeSet<String>,
}

impl Store {
    /// Names of all communities, ordered.
    pub async fn communities(&self) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar("select distinct community from post order by community").fetch_all(&self.pool).await?)
    }

    /// The roles that authors tell of themselves in what was written up to `now` and `reader` read as first-hand.
    pub async fn told_roles(&self, reader: &Recipe, now: Timestamp) -> Result<BTreeMap<AuthorKey, BTreeSet<String>>> {
        let rows = sqlx::query(
            "select p.author, p.text, x.start_byte, x.end_byte from texture x join post p on p.id = x.post \
             join post_reading r on r.post = x.post and r.recipe = x.recipe \
             where x.recipe = $1 and x.slot = 'actor_role' and r.voice = 'first_hand' \
             and p.author is not null and p.bot = 0 and p.future = 0 and (p.written_at is null or p.written_at <= $2)",
        )
        .bind(reader.as_str())
        .bind(millis(now))
        .fetch_all(&self.pool)
        .await?;
        let mut roles = BTreeMap::<_, BTreeSet<_>>::new();
        for row in &rows {
            let (text, start, end): (String, i64, i64) = (row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            let told = text.get(usize::try_from(start)?..usize::try_from(end)?).unwrap_or_default().to_lowercase();
            roles.entry(AuthorKey::new(row.try_get::<String, _>(0)?)).or_default().insert(told);
        }
        Ok(roles)
    }

    /// Who could be a buyer by `scope`: by what they wrote up to `now`, on any day, and by the roles that `reader` found there.
    pub async fn in_scope(&self, scope: &Scope, reader: &Recipe, now: Timestamp) -> Result<InScope> {
        let mut found = InScope::default();
        for community in &scope.communities {
            let authors = sqlx::query_scalar::<_, String>(
                "select distinct author from post where community = $1 and author is not null and future = 0 \
                 and (written_at is null or written_at <= $2)",
            );
            let authors = authors.bind(community).bind(millis(now)).fetch_all(&self.pool).await?;
            found.inside.extend(authors.into_iter().map(AuthorKey::new));
        }
        if scope.roles.is_empty() {
            return Ok(found);
        }
        for (author, roles) in self.told_roles(reader, now).await? {
            if roles.iter().any(|role| scope.has_role(role)) {
                found.inside.insert(author);
            } else {
                found.inside.remove(&author);
                found.other_role.insert(author);
            }
            found.roles.extend(roles);
        }
        Ok(found)
    }
}
