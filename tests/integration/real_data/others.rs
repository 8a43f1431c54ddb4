//! Replies of APIs that outside people saved are all claimed by the format they are of, and read without a mistake.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use candor::collect::wire::Record;

use super::{data, records};

/// What became of a file's records.
#[derive(Debug, Default)]
struct Read {
    format: &'static str,
    posts: usize,
    removed: usize,
    skipped: BTreeMap<&'static str, usize>,
    bad: Vec<String>,
}

/// `None` for a file that no format claims.
fn read(path: &Path) -> Option<Read> {
    let (format, found) = records(path, &fs::read(path).unwrap())?;
    let mut read = Read { format, ..Read::default() };
    for record in found {
        match record {
            Ok(Record::Thread(_) | Record::Mentions { .. } | Record::Notice(_)) => {}
            Ok(Record::Absent { count, reason }) => *read.skipped.entry(reason).or_default() += count as usize,
            Ok(Record::Post(_)) => read.posts += 1,
            Ok(Record::Removed(_)) => read.removed += 1,
            Ok(Record::Skipped { reason, .. }) => *read.skipped.entry(reason).or_default() += 1,
            Err(bad) => read.bad.push(bad.reason),
        }
    }
    Some(read)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn pages_of_reddits_api_are_read_whole() {
    let Some(data) = data() else { return };
    let mut sum = Read::default();
    for path in files(&data.join("reddit/api_bodies")) {
        let found = read(&path).unwrap_or_else(|| panic!("{} is of no format", path.display()));
        assert!(found.format.starts_with("saved pages of Reddit"), "{}: {}", path.display(), found.format);
        assert!(found.bad.is_empty(), "{}: {:?}", path.display(), found.bad);
        sum.posts += found.posts;
        sum.removed += found.removed;
        found.skipped.into_iter().for_each(|(reason, n)| *sum.skipped.entry(reason).or_default() += n);
    }
    println!("{sum:?}");
    assert!(sum.posts > 6000 && sum.removed > 30, "{sum:?}");
}

#[test]
fn replies_of_other_apis_are_read() {
    let Some(data) = data() else { return };
    let folder = data.join("forums/perceval_fixtures");
    for (name, format, posts) in [
        ("stackexchange/stackexchange_question", "Stack Exchange API", 0),
        ("github/github_issue_2", "GitHub", 1),
        ("github/github_issue_2_with_pr", "GitHub", 0),
        ("github/github_issue_comments_1", "GitHub", 1),
        ("github/github_request", "GitHub", 0),
        ("gitlab/issue_page_1", "GitLab", 2),
        ("gitlab/notes_4", "GitLab", 0),
        ("gitter/message_page_1", "Gitter", 1),
        ("mattermost/mattermost_posts_next.json", "Mattermost API", 2),
        ("rocketchat/message_page_2020_05_03.json", "Rocket.Chat", 1),
        ("telegram/telegram_messages.json", "Telegram bot", 3),
        ("telegram/telegram_messages_next.json", "Telegram bot", 2),
        ("telegram/telegram_messages_empty.json", "Telegram bot", 0),
    ] {
        let path = folder.join(name);
        let found = read(&path).unwrap_or_else(|| panic!("{name} is of no format"));
        println!("{name}: {found:?}");
        assert!(found.format.starts_with(format), "{name}: {found:?}");
        assert!(found.bad.is_empty() && found.posts == posts, "{name}: {found:?}");
    }
    for name in [
        "gitlab/commits_1",
        "github/github_issue_2_reactions",
        "github/github_repo",
        "github/github_login",
        "mattermost/mattermost_erros.json",
    ] {
        assert!(read(&folder.join(name)).is_none(), "{name} holds no posts");
    }
}
