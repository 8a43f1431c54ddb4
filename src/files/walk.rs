//! Which files to read: the given ones, and all in the given folders in the order of their names.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::{DirEntry, WalkDir};

/// A file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) path: PathBuf,
    /// How messages call it: its path from the folder that was given.
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

/// What a file or folder is called, and why it is not read.
pub(crate) type Refused = (String, String);

/// The files under `paths`, and what was refused on the way with the reason. Hidden files and folders and Candor's own workspaces are left alone;
/// links are followed, and one that leads back to where it stands is refused.
///
/// # Errors
/// When one of `paths` does not exist.
pub(crate) fn files(paths: &[PathBuf]) -> Result<(Vec<File>, Vec<Refused>)> {
    let (mut files, mut refused) = (Vec::new(), Vec::new());
    for root in paths {
        std::fs::metadata(root).with_context(|| format!("could not read {}; is the path right?", root.display()))?;
        let hidden = |entry: &DirEntry| {
            entry.depth() > 0 && (entry.file_name().as_encoded_bytes().starts_with(b".") || is_workspace(entry))
        };
        let before = files.len() + refused.len();
        let entries = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
        for entry in entries.filter_entry(|e| !hidden(e)) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.file_type().is_file() => files.push(File {
                    name: name(root, entry.path()),
                    bytes: entry.metadata().map_or(0, |m| m.len()),
                    path: entry.into_path(),
                }),
                Ok(entry) => refused.push((name(root, entry.path()), "not a regular file".to_owned())),
                Err(error) => {
                    let reason = match (error.loop_ancestor(), error.io_error()) {
                        (Some(_), _) => {
                            "a link that leads back to a folder it stands in; it was not followed".to_owned()
                        }
                        (None, Some(io)) if io.kind() == ErrorKind::NotFound => {
                            "a link to something that is not there".to_owned()
                        }
                        (None, Some(io)) => format!("could not be read: {io}"),
                        (None, None) => "could not be read".to_owned(),
                    };
                    refused.push((name(root, error.path().unwrap_or(root)), reason));
                }
            }
        }
        if files.len() + refused.len() == before {
            refused.push((name(root, root), "a folder without files to read; is the path right?".to_owned()));
        }
    }
    Ok((files, refused))
}

/// Whether a folder is a workspace of Candor's, which holds what was read before and nothing to read.
fn is_workspace(entry: &DirEntry) -> bool {
    entry.file_type().is_dir() && ["candor.db", "author.key"].iter().all(|name| entry.path().join(name).is_file())
}

fn name(root: &Path, path: &Path) -> String {
    let base = root.parent().unwrap_or(Path::new(""));
    path.strip_prefix(base).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_of_nothing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        for (file, told) in [(None, true), (Some(".hidden"), true), (Some("posts.csv"), false)] {
            if let Some(file) = file {
                fs::write(folder.path().join(file), "x").unwrap();
            }
            let (files, refused) = files(&[folder.path().to_owned()]).unwrap();
            assert_eq!((files.is_empty(), refused.len()), (told, usize::from(told)), "{refused:?}");
            assert!(refused.iter().all(|(_, why)| why.starts_with("a folder without files")));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_nothing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("posts.csv")).unwrap();
        let (_, refused) = files(&[folder.path().to_owned()]).unwrap();
        assert!(
            matches!(&refused[..], [(name, why)] if name.ends_with("posts.csv") && why == "a link to something that is not there")
        );
    }
}
