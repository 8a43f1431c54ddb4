//! The sheet that a person fills in: one JSON line for every post and note of the drawn sample, in the form that
//! [`super::labels`] reads back, with the text to judge and without the machine's answer.

use std::collections::BTreeSet;

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::gather::{Drawn, NearDuplicates, drawn_items};
use crate::config::CompareSettings;
use crate::model::Recipes;
use crate::store::Store;

/// Posts read at a time.
const PAGE: i64 = 2000;

/// The lines, posts first. Empty when nothing was drawn. `voice`, `interest`, `backed` and `asked` are null, so a line that
/// nobody filled in is refused by the import rather than taken for an answer. What else is null need not be filled in.
///
/// # Errors
/// As [`super::run`].
pub async fn worksheet(
    store: &Store,
    recipes: &Recipes,
    settings: &CompareSettings,
    now: Timestamp,
    near_duplicates: NearDuplicates,
) -> Result<Vec<Value>> {
    let Drawn { posts, notes, .. } = drawn_items(store, recipes, settings, now, near_duplicates).await?;
    let posts = posts.into_iter().map(|(_, post)| post).collect::<BTreeSet<_>>();
    let mut lines = Vec::new();
    let mut after = String::new();
    loop {
        let page = store.export_posts(&after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for post in page.iter().filter(|p| posts.contains(&p.id)) {
            lines.push(json!({
                "side": "community", "item": post.id, "annotator": null, "voice": null, "problems": [],
                "acts": null, "contested": false, "text": post.text, "url": post.url,
            }));
        }
    }
    for note in notes {
        lines.push(json!({
            "side": "crm", "item": note.note.id, "annotator": null, "problems": [], "interest": null, "backed": null,
            "asked": null, "level": null, "compliments": null, "fluff": null, "contested": false, "text": note.note.text, "kind": note.note.kind,
        }));
    }
    Ok(lines)
}
