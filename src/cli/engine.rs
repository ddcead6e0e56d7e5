//! What the command line needs from the rest of readycheck, in one place, so that it can be tested without it.

use std::path::Path;

use crate::audit::{Audit, Options, Stage};
use crate::report::Report;
use crate::rules::{ControlInfo, Priority};

pub trait Engine {
    fn audit(&self, options: &Options, progress: &(dyn Fn(Stage) + Sync)) -> miette::Result<Audit>;

    /// Whether the report passes what the command line and `[gate]` of the configuration ask for.
    fn gate(&self, options: &Options, report: &Report, asked: &GateRequest) -> miette::Result<Gate>;

    /// Every control with the file that defines it, in catalogue order; user rules of the tree included.
    fn rules(&self, options: &Options) -> miette::Result<Vec<RuleFile>>;

    /// Runs the examples of the rules of a file or folder, of all rules without one.
    fn test_rules(&self, path: Option<&Path>, mutants: bool) -> miette::Result<RuleTests>;

    /// JSON Schema of rule files.
    fn rule_schema(&self) -> serde_json::Value;

    /// The commented `readycheck.toml` that `init` writes.
    fn config_template(&self) -> &str;
}

/// The gate options of the command line.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct GateRequest {
    pub min_score: Option<f64>,
    pub fail_on: Option<Priority>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// Nobody asked.
    Off,
    Passed,
    /// Why, one reason each.
    Failed(Vec<String>),
    Inconclusive(String),
}

/// A control and where it comes from.
#[derive(Debug, Clone)]
pub struct RuleFile {
    pub info: ControlInfo,
    /// `rules/security/hardcoded-secret.toml`; empty for a control without a file.
    pub path: String,
    /// The file's text.
    pub text: String,
}

/// What running examples showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleTests {
    pub controls: usize,
    pub examples: usize,
    /// Examples that do not behave as they say: place, and what was expected and found.
    pub failures: Vec<(String, String)>,
    /// Conditions that no example needs (`--mutants`): place, and the condition.
    pub needless: Vec<(String, String)>,
}
