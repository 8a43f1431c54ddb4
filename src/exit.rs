//! Exit codes, designed rather than accidental. The README's table is checked against this.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed; the message says what, to what, and what to do next.
    Failed,
    /// 2: the command line was not understood.
    Usage,
    /// 3: done, with failures that are recorded and listed.
    Partial,
    /// 4: there was nothing to work on.
    NothingToDo,
}

impl Exit {
    /// The number the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::NothingToDo => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
