//! Files where they stand: in folders and in zip archives, packed and of any encoding, taken apart as streams.
//!
//! What posts and notes have in common before anybody knows which of them a file holds. What is held in memory is one record,
//! whatever the size of the file.

mod cells;

pub(crate) mod columns;

pub(crate) mod dates;

pub(crate) mod lines;

pub(crate) mod open;

pub(crate) mod pieces;

mod mistakes;

mod place;

pub(crate) mod rows;

pub(crate) mod walk;

mod zone;

use std::fs::File;
use std::io::{Read, Seek as _};
use std::path::Path;

use anyhow::Result;
use indicatif::ProgressBar;
use zip::ZipArchive;
use zip::result::ZipError;

pub(crate) use mistakes::Mistakes;
pub use place::Place;
pub use zone::Zone;

/// A record longer than this is no post (Reddit's longest is 40,000 characters) and no note (HubSpot's longest is 65,536),
/// and is passed over without being held.
pub(crate) const MAX_RECORD_BYTES: usize = 16 << 20;

/// A record that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// Which of the file, from 1.
    pub record: u64,
    /// Where it begins, from 0, in the unpacked file.
    pub byte: u64,
    /// Why.
    pub reason: String,
}

impl BadRecord {
    pub(crate) fn new(record: u64, byte: u64, reason: impl Into<String>) -> Self {
        Self { record, byte, reason: reason.into() }
    }

    /// The file as a whole is none that can be read, which only reading it showed. Stands in place of its records.
    pub(crate) fn refusal(reason: impl Into<String>) -> Self {
        Self::new(0, 0, reason)
    }

    pub(crate) fn is_refusal(&self) -> bool {
        self.record == 0
    }
}

/// Who is shown the files that are come upon.
pub(crate) trait Visitor {
    /// One file: how messages call it, where it stands, its bytes as they are.
    ///
    /// # Errors
    /// When nothing more can be read at all.
    fn file(&mut self, name: &str, place: &Place, raw: &mut dyn Read) -> Result<()>;

    /// A file that cannot be read, and why.
    fn refuse(&mut self, name: &str, reason: String);
}

/// Shows `file` to `visitor`; of a zip archive the files in it, in the order of their names. `bar` counts bytes.
///
/// # Errors
/// Those of the visitor.
pub(crate) fn visit(file: &walk::File, bar: &ProgressBar, visitor: &mut dyn Visitor) -> Result<()> {
    let mut opened = match File::open(&file.path) {
        Ok(opened) => opened,
        Err(error) => {
            bar.inc(file.bytes);
            visitor.refuse(&file.name, format!("could not be read: {error}"));
            return Ok(());
        }
    };
    if is_zip(&mut opened) {
        bar.inc(file.bytes);
        return visit_archive(file, opened, visitor);
    }
    visitor.file(&file.name, &Place::on_disk(&file.path), &mut bar.wrap_read(opened))
}

/// Whether a file is a zip archive, which is read as the folder that was packed.
fn is_zip(file: &mut File) -> bool {
    let mut magic = [0; 4];
    let read = file.read_exact(&mut magic).is_ok();
    // What cannot be rewound cannot be a zip archive either: its list stands at the end.
    file.rewind().is_ok() && read && magic[..3] == *b"PK\x03"
}

fn visit_archive(file: &walk::File, opened: File, visitor: &mut dyn Visitor) -> Result<()> {
    let both = ZipArchive::new(opened).and_then(|archive| Ok((archive, ZipArchive::new(File::open(&file.path)?)?)));
    let (mut archive, beside) = match both {
        Ok(both) => both,
        Err(error) => {
            visitor.refuse(
                &file.name,
                format!("a zip archive that could not be read: {error}; was it copied to its end?"),
            );
            return Ok(());
        }
    };
    if archive.index_for_name("[Content_Types].xml").is_some() {
        visitor.refuse(&file.name, "an Office document; save it as CSV or text first".to_owned());
        return Ok(());
    }
    let place = Place::archive(&file.path, beside);
    let named = |(index, raw): (usize, &[u8])| (String::from_utf8_lossy(raw).into_owned(), index);
    let mut entries: Vec<(String, usize)> = archive.file_names_raw().enumerate().map(named).collect();
    entries.sort_unstable();
    for (name, index) in entries {
        let shown = format!("{}/{name}", file.name);
        let hidden = name.split('/').any(|part| part.starts_with('.') || part == "__MACOSX");
        match archive.by_index(index) {
            Ok(entry) if entry.is_dir() || hidden => {}
            Ok(mut entry) => visitor.file(&shown, &place(Path::new(&name)), &mut entry)?,
            Err(ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)) => {
                visitor.refuse(&shown, "locked by a password; unpack the archive first".to_owned());
            }
            Err(error) => visitor.refuse(&shown, format!("could not be unpacked: {error}")),
        }
    }
    Ok(())
}
