//! One audit, from a tree to a report.

use std::path::PathBuf;

use crate::facts::FactStore;
use crate::project::Project;
use crate::report::Report;
use crate::rules::{ControlInfo, Evaluation};

/// What one audit looks at, and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The folder to audit.
    pub path: PathBuf,
    /// `--config FILE`; else `readycheck.toml` at the project's root.
    pub config: Option<PathBuf>,
    /// Read no configuration and no user rules from the audited tree.
    pub no_config: bool,
    pub only: Vec<String>,
    pub skip: Vec<String>,
    pub categories: Vec<String>,
    pub service: Option<String>,
    pub as_service: Option<String>,
    pub no_waivers: bool,
    /// Worker threads; 0 for one per core.
    pub jobs: usize,
    /// `YYYY-MM-DD`; decides expiry.
    pub now: Option<String>,
}

/// What an audit found, with the layers under it for `facts`, `routes` and `rules why`.
pub struct Audit {
    pub project: Project,
    pub facts: FactStore,
    pub report: Report,
    /// What [`Evaluation::control`] counts in.
    pub controls: Vec<ControlInfo>,
    pub evaluations: Vec<Evaluation>,
}

/// What an audit is doing, for whoever watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Walking the tree.
    Files,
    /// Reading and parsing.
    Facts,
    /// Evaluating the rules.
    Rules,
    Score,
}
