//! The exit codes, all of them.

use std::process::ExitCode;

/// How a run ended, for scripts and CI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done; with a gate: passed.
    Passed = 0,
    /// The gate, or an example of a rule, failed.
    Failed = 1,
    /// Usage, configuration or rule error, missing path: no report, since a gate must not run with half its rules.
    Error = 2,
    /// The gate could not be decided: not assessable, or a control failed to run.
    Inconclusive = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
