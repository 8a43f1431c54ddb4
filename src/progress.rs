//! Progress on long work: bars on a terminal, nothing in a pipe.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Makes bars, or hidden ones when standard error is no terminal or `--quiet` was given.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    visible: bool,
}

impl Progress {
    /// Bars on a terminal unless `quiet`.
    pub fn new(quiet: bool) -> Self {
        Self { visible: !quiet && std::io::stderr().is_terminal() }
    }

    /// A bar over `total` units of `what`. It clears itself when dropped or finished.
    pub fn bar(self, what: &str, total: u64) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg:<24} {wide_bar} {human_pos}/{human_len} {per_sec} eta {eta}");
        self.dress(ProgressBar::new(total), style.ok(), what)
    }

    /// A bar over bytes.
    pub fn bytes(self, what: &str, total: u64) -> ProgressBar {
        let style =
            ProgressStyle::with_template("{msg:<24} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} eta {eta}");
        self.dress(ProgressBar::new(total), style.ok(), what)
    }

    /// A counter for work whose end is not known.
    pub fn counter(self, what: &str) -> ProgressBar {
        let style = ProgressStyle::with_template("{msg:<24} {spinner} {human_pos} {per_sec} {elapsed}");
        self.dress(ProgressBar::no_length(), style.ok(), what)
    }

    fn dress(self, bar: ProgressBar, style: Option<ProgressStyle>, what: &str) -> ProgressBar {
        if !self.visible {
            return ProgressBar::hidden();
        }
        if let Some(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        bar
    }
}
