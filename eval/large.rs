//! How large files are read: `cargo run --release --example large -- [--gb SIZE] [--only NAME] [--dir DIR]`.
//!
//! For each format that streams an export of SIZE gigabytes (by default 0.1) and one of an eighth of that are made of invented
//! records and read by a process of their own, as `candor collect` or `candor crm import` read them. Printed are the speed
//! and the most memory that was held, and by how much that grew with the file. One file lies in DIR at a time.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an evaluation prints its tables")]

#[path = "large/exports.rs"]
mod exports;
#[path = "process.rs"]
mod process;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use candor::collect::files::{Files, collect_paths};
use candor::collect::{Context, Zone, conversations};
use candor::crm;
use candor::progress::Progress;
use candor::store::Store;
use exports::{EXPORTS, Export, Way};
use process::{cpu_seconds, peak_memory};
use serde::{Deserialize, Serialize};

/// What a process measured of one file.
#[derive(Serialize, Deserialize)]
struct Measured {
    bytes: u64,
    records: u64,
    seconds: f64,
    /// Seconds of all its threads on a core: what remains the same on a machine that is busy with other things.
    cpu_seconds: f64,
    /// The most memory that was ever resident, bytes.
    peak: u64,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = |name: &str| {
        let at = arguments.iter().position(|a| a == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    let folder = given("--dir").map_or_else(std::env::temp_dir, PathBuf::from);
    if let Some(name) = given("--read") {
        let export = EXPORTS.iter().find(|e| e.name == name).context("no such format")?;
        let measured =
            read(export, given("--file").context("no file")?.as_ref(), given("--bytes").unwrap_or_default())?;
        println!("{}", serde_json::to_string(&measured)?);
        return Ok(());
    }
    let gb: f64 = given("--gb").unwrap_or("0.1").parse().context("--gb takes a number")?;
    let bytes = (gb * 1e9) as u64;
    println!(
        "| format | way | GB | records | MB/s | MB per CPU second | peak, MB | peak at an eighth, MB |\n|---|---|---|---|---|---|---|---|"
    );
    for export in EXPORTS.iter().filter(|e| given("--only").is_none_or(|only| e.name.contains(only))) {
        let small = in_its_own_process(export, &folder, bytes / 8)?;
        let large = in_its_own_process(export, &folder, bytes)?;
        let mb = |bytes: u64| bytes as f64 / 1e6;
        println!(
            "| {} | {} | {:.2} | {} | {:.0} | {:.0} | {:.0} | {:.0} |",
            export.name,
            export.way.name(),
            large.bytes as f64 / 1e9,
            large.records,
            mb(large.bytes) / large.seconds,
            mb(large.bytes) / large.cpu_seconds,
            mb(large.peak),
            mb(small.peak)
        );
    }
    Ok(())
}

/// Makes the export, has it read, and deletes it.
fn in_its_own_process(export: &Export, folder: &Path, bytes: u64) -> Result<Measured> {
    let folder = tempfile::tempdir_in(folder)?;
    let path = folder.path().join(export.file);
    std::fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
    let made = export.write(&path, bytes)?;
    let told = Command::new(std::env::current_exe()?)
        .args(["--read", export.name, "--bytes", &made.to_string(), "--file"])
        .arg(&path)
        .output()?;
    let said = String::from_utf8_lossy(&told.stdout);
    ensure!(told.status.success(), "{}: {}", export.name, String::from_utf8_lossy(&told.stderr));
    serde_json::from_str(said.trim()).with_context(|| format!("{}: {said}", export.name))
}

/// Reads a file by its format's way. Every record must be read, or the speed means nothing.
#[tokio::main(flavor = "multi_thread")]
async fn read(export: &Export, path: &Path, bytes: &str) -> Result<Measured> {
    let ctx =
        Context { author_key: [7; 32], now: "2100-01-01T00:00:00Z".parse()?, community: None, zone: Zone::default() };
    let paths = [path.to_owned()];
    let workspace = tempfile::tempdir_in(path.parent().context("a file in a folder")?)?;
    let began = Instant::now();
    let (records, failed) = match export.way {
        Way::Read => {
            let mut files = Files::open(&ctx, &paths, None, Progress::new(true))?;
            let (mut posts, mut failed) = (0, 0);
            while let Some(slice) = files.next().await? {
                posts += slice.batch.posts.len() as u64;
                failed += slice.collected.failed + slice.collected.refused;
            }
            (posts, failed)
        }
        Way::Collect => {
            let store = Store::open(&workspace.path().join("candor.db")).await?;
            let collected = collect_paths(&store, &ctx, &paths, Progress::new(true)).await?;
            conversations::cut_streams(&store, Progress::new(true)).await?;
            store.close().await;
            (collected.counts.new, collected.failed + collected.refused)
        }
        Way::Import => {
            let store = Store::open(&workspace.path().join("candor.db")).await?;
            let done = crm::import(&store, &paths, None, &ctx.zone, ctx.now, Progress::new(true)).await?;
            store.close().await;
            (done.detail["notes"]["new"].as_u64().unwrap_or_default(), done.failed)
        }
    };
    if records == 0 || failed > 0 {
        bail!("{records} records were read, {failed} were not");
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(Measured { bytes: bytes.parse()?, records, seconds, cpu_seconds: cpu_seconds()?, peak: peak_memory()? })
}
