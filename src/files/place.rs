//! Where a file stands: in a folder or in an archive, with the files beside it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use zip::ZipArchive;

/// What stands beside a file and is no export itself is a list of users or channels; more than this is none.
const MOST_BESIDE: u64 = 256 << 20;

/// A file's place.
#[derive(Debug, Clone)]
pub struct Place {
    path: PathBuf,
    home: Home,
}

/// What was looked for beside files, by path, so that it is unpacked once.
type Seen = Rc<RefCell<HashMap<PathBuf, Option<Rc<[u8]>>>>>;

#[derive(Debug, Clone)]
enum Home {
    Folder,
    Archive { archive: Rc<RefCell<ZipArchive<File>>>, file: PathBuf, seen: Seen },
}

impl Place {
    /// A file on disk.
    pub fn on_disk(path: &Path) -> Self {
        Self { path: path.to_owned(), home: Home::Folder }
    }

    /// The places of the entries of the archive in `file`.
    pub(crate) fn archive(file: &Path, archive: ZipArchive<File>) -> impl Fn(&Path) -> Self + use<> {
        let home =
            Home::Archive { archive: Rc::new(RefCell::new(archive)), file: file.to_owned(), seen: Rc::default() };
        move |path| Self { path: path.to_owned(), home: home.clone() }
    }

    /// The file's path: on disk, or within its archive.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's name without folders.
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Name of the folder the file is in: for a file at the top of an archive, the archive's name without `.zip`.
    pub fn folder(&self) -> Option<String> {
        let named = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        match &self.home {
            Home::Folder => named(std::path::absolute(&self.path).ok()?.parent()?),
            Home::Archive { file, .. } => {
                named(self.path.parent()?).or_else(|| file.file_stem().map(|s| s.to_string_lossy().into_owned()))
            }
        }
    }

    /// Name of the folder that [`Place::folder`] is in, likewise.
    pub fn folder_above(&self) -> Option<String> {
        Self { path: self.path.parent()?.to_owned(), home: self.home.clone() }.folder()
    }

    /// Where `relative` leads from the folder that this file is in.
    fn path_beside(&self, relative: &str) -> Option<PathBuf> {
        resolved(&self.path.parent().unwrap_or(Path::new("")).join(relative))
    }

    /// The bytes of the file at `relative`, seen from the folder that this file is in (`../users.json`). `None` where there
    /// is none, or it is too large to be a file about others.
    pub fn beside(&self, relative: &str) -> Option<Rc<[u8]>> {
        let path = self.path_beside(relative)?;
        match &self.home {
            Home::Folder => {
                let length = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?.len();
                (length <= MOST_BESIDE).then(|| std::fs::read(&path).ok().map(Rc::from)).flatten()
            }
            Home::Archive { archive, seen, .. } => {
                if let Some(known) = seen.borrow().get(&path) {
                    return known.clone();
                }
                let name = entry(&path);
                let read = |archive: &mut ZipArchive<File>| {
                    let mut bytes = Vec::new();
                    let entry = archive.by_name(&name).ok()?;
                    entry.take(MOST_BESIDE + 1).read_to_end(&mut bytes).ok()?;
                    (bytes.len() as u64 <= MOST_BESIDE).then(|| Rc::from(bytes))
                };
                let found = read(&mut archive.borrow_mut());
                seen.borrow_mut().insert(path, found.clone());
                found
            }
        }
    }

    /// Shows the file at `relative`, as in [`Place::beside`] but of any length, to `look`.
    pub(crate) fn look_beside<T>(&self, relative: &str, look: impl FnOnce(&mut dyn BufRead) -> T) -> Option<T> {
        let path = self.path_beside(relative)?;
        match &self.home {
            Home::Folder => Some(look(&mut BufReader::new(File::open(&path).ok()?))),
            Home::Archive { archive, .. } => {
                let mut archive = archive.borrow_mut();
                let entry = archive.by_name(&entry(&path)).ok()?;
                Some(look(&mut BufReader::new(entry)))
            }
        }
    }

    /// What tells the file at `relative`, as in [`Place::beside`], from others without reading it: where it is, and its length.
    pub fn mark_beside(&self, relative: &str) -> Option<(PathBuf, u64)> {
        let path = self.path_beside(relative)?;
        match &self.home {
            Home::Folder => {
                let length = std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?.len();
                Some((path, length))
            }
            Home::Archive { archive, file, .. } => {
                let length = archive.borrow_mut().by_name(&entry(&path)).ok()?.size();
                Some((file.join(path), length))
            }
        }
    }

    /// Whether there is a file at `relative`, as in [`Place::beside`].
    pub fn has_beside(&self, relative: &str) -> bool {
        let Some(path) = self.path_beside(relative) else { return false };
        match &self.home {
            Home::Folder => path.is_file(),
            Home::Archive { archive, .. } => archive.borrow().index_for_name(&entry(&path)).is_some(),
        }
    }
}

/// `path` as archives name their entries: with slashes, whatever the system writes.
fn entry(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// `path` without `.` and `..`; `None` where it leads above its root.
fn resolved(path: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            // `a/../b` is `b`; what goes above where a relative path begins is left to the file system.
            Component::ParentDir if out.components().next_back().is_some_and(|c| matches!(c, Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir if path.is_absolute() => return None,
            other => out.push(other),
        }
    }
    Some(out)
}
