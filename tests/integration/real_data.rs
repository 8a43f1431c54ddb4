//! Exports that outside people made are read as they mean them. They lie beside the project; where they do not, nothing is
//! checked, and the test says so.

use std::path::PathBuf;

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
