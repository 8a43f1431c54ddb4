//! Exports that outside people made are read as they mean them. They lie beside the project; where they do not, nothing is
//! checked, and the test says so.

use std::path::{Path, PathBuf};

use candor::collect::files::{BadRecord, FORMATS, Place};
use candor::collect::wire::Record;
use candor::collect::{Context, Zone};

mod chat;

mod crm;

mod forums;

mod others;

/// The folder of real data: `CANDOR_TEST_DATA`, or beside the project.
fn data() -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("CANDOR_TEST_DATA").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        println!("skipped: no real data at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// The name of the format that claims a file of these bytes, and its records. `None` for one that none claims.
fn records(path: &Path, bytes: &[u8]) -> Option<(&'static str, Vec<Result<Record, BadRecord>>)> {
    let ctx = Context {
        author_key: [7; 32],
        now: "2026-08-01T00:00:00Z".parse().unwrap(),
        community: None,
        zone: Zone::default(),
    };
    let place = Place::on_disk(path);
    let head = &bytes[..bytes.len().min(64 << 10)];
    let format = FORMATS.iter().find(|f| f.sniff(head, &place))?;
    Some((format.name(), format.read(Box::new(bytes), &place, &ctx).collect()))
}
