//! Chats: the same channel in several exports gives the same posts, and as an independent reader found them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candor::collect::files::{FORMATS, Place};
use candor::collect::wire::Record;
use candor::collect::{Context, Zone};
use candor::model::Post;
use serde_json::Value;

use super::data;

fn posts(path: &Path) -> Vec<Post> {
    let ctx = Context {
        author_key: [7; 32],
        now: "2026-08-01T00:00:00Z".parse().unwrap(),
        community: None,
        zone: Zone::default(),
    };
    let bytes = fs::read(path).unwrap();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let place = Place::on_disk(path);
    let head = &bytes[..bytes.len().min(64 << 10)];
    let format = FORMATS.iter().find(|f| f.sniff(head, &place)).unwrap_or_else(|| panic!("{}", path.display()));
    let post = |record| match record {
        Ok(Record::Post(post)) => Some(post),
        Ok(_) => None,
        Err(bad) => panic!("{}: {bad:?}", path.display()),
    };
    format.read(Box::new(bytes), &place, &ctx).filter_map(post).collect()
}

/// Author, minute and text of every post, in the order of the file.
fn sequence(path: &Path) -> Vec<(String, String, String)> {
    let told = |post: Post| {
        let author = post.author.map(|a| a.to_string()).unwrap_or_default();
        let minute = post.written_at.map(|t| t.strftime("%Y-%m-%dT%H:%M").to_string()).unwrap_or_default();
        (author, minute, post.text)
    };
    posts(path).into_iter().map(told).collect()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == extension));
    files.sort();
    files
}

#[test]
fn a_discord_channel_is_the_same_in_every_export() {
    let Some(data) = data() else { return };
    let komodo = data.join("discord/komodo");
    let (mut pages, mut equal, mut messages) = (0, 0, 0);
    for channel in ["komodo-project/support", "komodo-apps-products/atomicdex-beta"] {
        for table in files(&komodo.join("csv").join(channel), "csv") {
            let want = sequence(&table);
            messages += want.len();
            let stem = table.file_stem().unwrap().to_string_lossy().into_owned();
            for (folder, extension) in [("plaintext", "txt"), ("htmldark", "html"), ("htmllight", "html")] {
                let other = komodo.join(folder).join(channel).join(format!("{stem}.{extension}"));
                if !other.exists() {
                    continue;
                }
                pages += 1;
                let found = sequence(&other);
                if found == want {
                    equal += 1;
                    continue;
                }
                let at = found.iter().zip(&want).position(|(a, b)| a != b).unwrap_or(found.len().min(want.len()));
                println!("{}: {} posts, the table {}; differ from {at}:", other.display(), found.len(), want.len());
                if std::env::var_os("CANDOR_SHOW_DIFFERENCES").is_some() {
                    println!("  {:?}\n  {:?}", found.get(at), want.get(at));
                }
            }
        }
    }
    println!("{equal} of {pages} pages of {messages} posts are equal to the table of the same page");
    assert_eq!(equal, pages);
}

#[test]
fn discord_pages_are_read_as_their_archivist_did() {
    let Some(data) = data() else { return };
    let folder = data.join("discord/meshcore_html");
    let mut read: BTreeMap<String, Post> = BTreeMap::new();
    for page in files(&folder.join("html/hardware-development"), "html") {
        read.extend(posts(&page).into_iter().map(|p| (p.id.to_string(), p)));
    }
    let (mut told, mut missing, mut other_text, mut other_parent) = (0, 0, 0, 0);
    // His text has white space where markup was, and none of the marks that are kept here.
    let squeezed = |text: &str| {
        let words = text.replace("@user", "@").replace(['`', '\u{fe0f}'], "");
        words.chars().filter(|c| !c.is_whitespace()).collect::<String>()
    };
    for file in files(&folder.join("parsed_json"), "json") {
        let parsed: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        for message in parsed["messages"].as_array().unwrap() {
            let text = message["text"].as_str().unwrap().trim();
            if text.is_empty() {
                continue;
            }
            told += 1;
            let Some(post) = read.get(&format!("discord:{}", message["id"].as_str().unwrap())) else {
                missing += 1;
                if std::env::var_os("CANDOR_SHOW_DIFFERENCES").is_some() {
                    println!("missing {message}");
                }
                continue;
            };
            if squeezed(&post.text) != squeezed(text) {
                other_text += 1;
                if std::env::var_os("CANDOR_SHOW_DIFFERENCES").is_some() {
                    println!("--- {:?}\n+++ {:?}", text, post.text);
                }
            }
            let reply = message["reply_html"].as_str().unwrap();
            if reply.contains("chatlog__reply-link") != post.parent.is_some() {
                other_parent += 1;
            }
        }
    }
    println!(
        "{told} messages with text: {missing} not found, {other_text} with another text, {other_parent} with another parent"
    );
    assert_eq!((missing, other_parent), (0, 0));
}
