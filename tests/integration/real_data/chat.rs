//! Chats: the same channel in several exports gives the same posts, and as an independent reader found them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candor::collect::wire::Record;
use candor::model::Post;
use serde_json::Value;

use super::{data, records};

fn posts(path: &Path) -> Vec<Post> {
    let bytes = fs::read(path).unwrap();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let (_, found) = records(path, bytes).unwrap_or_else(|| panic!("{}", path.display()));
    let post = |record| match record {
        Ok(Record::Post(post)) => Some(post),
        Ok(_) => None,
        Err(bad) => panic!("{}: {bad:?}", path.display()),
    };
    found.into_iter().filter_map(post).collect()
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
    let (mut pages, mut equal, mut emoji, mut messages) = (0, 0, 0, 0);
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
                // Pages of 2019 write every emoji of somebody's name as its first.
                let spelled = |posts: &[(String, String, String)]| -> Vec<(String, String, String)> {
                    let plain = |text: &str| text.chars().filter(|c| u32::from(*c) <= 0xffff).collect();
                    posts.iter().map(|(author, minute, text)| (author.clone(), minute.clone(), plain(text))).collect()
                };
                emoji += u64::from(spelled(&found) == spelled(&want));
                let at = found.iter().zip(&want).position(|(a, b)| a != b).unwrap_or(found.len().min(want.len()));
                println!("{}: {} posts, the table {}; differ from {at}:", other.display(), found.len(), want.len());
                if std::env::var_os("CANDOR_SHOW_DIFFERENCES").is_some() {
                    println!("  {:?}\n  {:?}", found.get(at), want.get(at));
                }
            }
        }
    }
    println!("of {messages} posts: {equal} of {pages} pages equal the table of the same page, {emoji} but for emoji");
    assert_eq!(equal + emoji, pages);
    assert!(equal * 100 >= pages * 97);
}

#[test]
fn discord_pages_are_read_as_their_archivist_did() {
    let Some(data) = data() else { return };
    let folder = data.join("discord/meshcore_html");
    let mut read: BTreeMap<String, Post> = BTreeMap::new();
    for page in files(&folder.join("html/hardware-development"), "html") {
        read.extend(posts(&page).into_iter().map(|p| (p.id.to_string(), p)));
    }
    let (mut told, mut quoting, mut missing, mut other_text, mut other_parent) = (0, 0, 0, 0, 0);
    // His text has spaces for markup, no emoji, the names of who is spoken to, and the mark of an edit.
    let letters = |text: &str| {
        let text =
            text.trim_end_matches("(edited)").split_whitespace().filter(|w| !w.contains('@')).collect::<String>();
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>()
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
            quoting += u64::from(post.flags.quoted);
            if !post.flags.quoted && letters(&post.text) != letters(text) {
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
        "{told} messages with text: {missing} not found, {other_text} with other words, {other_parent} with another \
         parent; {quoting} quote others and were not compared"
    );
    assert_eq!((missing, other_text, other_parent), (0, 0, 0));
}

#[test]
fn discord_pages_and_their_processed_copies_are_the_same() {
    let Some(data) = data() else { return };
    let folder = data.join("discord/pyscript_html");
    let mut messages = 0;
    for page in files(&folder.join("original_html"), "html") {
        let mut want = posts(&page);
        messages += want.len();
        assert!(want.iter().all(|p| p.url.is_some() && p.written_at.is_some() && p.author.is_some()));
        let mut found = posts(&folder.join(page.file_name().unwrap()));
        // The copies were written anew by a program that moves white space, and hold the guild's picture, whose address
        // names the guild, beside them.
        for post in want.iter_mut().chain(&mut found) {
            post.url = None;
            post.text.retain(|c| !c.is_whitespace());
        }
        assert_eq!(found, want);
    }
    println!("{messages} messages of processed pages are equal to the originals");
}

#[test]
fn days_of_a_slack_export_are_read_whole() {
    let Some(data) = data() else { return };
    let mut read = 0;
    let folder = data.join("slack/houstondatavis");
    for channel in fs::read_dir(&folder).into_iter().flatten() {
        for day in files(&channel.unwrap().path(), "json") {
            let told: Value = serde_json::from_str(&fs::read_to_string(&day).unwrap()).unwrap();
            let typed =
                |m: &&Value| m["subtype"].is_null() && !m["text"].as_str().unwrap_or_default().trim().is_empty();
            let want: Vec<_> = told.as_array().unwrap().iter().filter(typed).collect();
            let found = posts(&day);
            for message in &want {
                let ts = message["ts"].as_str().unwrap();
                assert!(
                    found.iter().any(|p| p.id.as_str().ends_with(ts) && !p.text.contains("<@")),
                    "{}",
                    day.display()
                );
            }
            read += found.len();
        }
    }
    println!("{read} messages of Slack");
}
