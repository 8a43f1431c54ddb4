//! Flarum: the JSON:API document that its pages carry for their scripts (FORMATS d6).

use std::collections::HashMap;

use scraper::Html;
use serde_json::Value;

use super::Raw;
use super::dom::selector;
use crate::text::html::html_to_text;

/// The posts of a discussion as the page carries them; empty when it carries none.
pub(super) fn payload(page: &Html) -> Vec<Raw> {
    let script = selector("#flarum-json-payload").and_then(|css| page.select(&css).next());
    let text: String = script.map(|s| s.text().collect()).unwrap_or_default();
    let Ok(payload) = serde_json::from_str::<Value>(&text) else { return Vec::new() };
    let document = &payload["apiDocument"];
    let included = document["included"].as_array().map_or(&[][..], Vec::as_slice);
    let names: HashMap<&str, &str> = included
        .iter()
        .filter(|item| item["type"] == "users")
        .filter_map(|user| {
            let name = user["attributes"]["username"].as_str().or(user["attributes"]["displayName"].as_str())?;
            Some((user["id"].as_str()?, name))
        })
        .collect();
    let mut posts: Vec<(u64, Raw)> = Vec::new();
    for item in included.iter().filter(|item| item["type"] == "posts") {
        let told = &item["attributes"];
        let Some(html) = told["contentHtml"].as_str().filter(|_| told["contentType"] == "comment") else { continue };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        posts.push((
            told["number"].as_u64().unwrap_or(u64::MAX),
            Raw {
                id: text(&item["id"]),
                author: item["relationships"]["user"]["data"]["id"]
                    .as_str()
                    .and_then(|id| names.get(id))
                    .map(|n| (*n).to_owned()),
                dates: text(&told["createdAt"]).into_iter().collect(),
                edited: text(&told["editedAt"]),
                url: None,
                parent: None,
                gone: told["isHidden"] == true,
                text: html_to_text(html),
            },
        ));
    }
    posts.sort_by_key(|(number, _)| *number);
    posts.into_iter().map(|(_, raw)| raw).collect()
}
