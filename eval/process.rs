//! What this process has taken so far. Only Linux tells.

use anyhow::{Context as _, Result};

/// Seconds that its threads were on a core, all together.
pub(super) fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").context("only Linux tells the time on a core")?;
    // What stands before the last bracket is the name, which may hold anything. User and system time are fields 14 and 15 of
    // all, in hundredths of a second.
    let (_, fields) = stat.rsplit_once(')').context("the kernel does not say")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / 100.0)
}

/// The most memory that was ever resident, bytes.
pub(super) fn peak_memory() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("only Linux tells how much memory was held")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the kernel does not say")?;
    let kib = line.trim().trim_end_matches("kB").trim().parse::<u64>()?;
    Ok(kib * 1024)
}
