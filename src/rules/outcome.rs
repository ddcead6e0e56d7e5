//! What evaluating the rules says, before anything is scored.

use serde::{Deserialize, Serialize};

use crate::facts::Confidence;
use crate::project::{ProcessKind, ServiceId, Span};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Priority {
    P0,
    P1,
    P2,
    P3,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ControlKind {
    Capability,
    Coverage,
    Defect,
    Manual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    Any,
    Ratio,
}

/// When a coverage control blocks a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blocks {
    /// An open site whose fact `mutates` (or any site of another kind), at high confidence.
    AnyMutation,
    AnySite,
    /// Fewer than half of the sites are satisfied.
    UnderHalf,
}

/// The metadata of one control: everything in its file but the rules.
#[derive(Debug, Clone)]
pub struct ControlInfo {
    pub id: String,
    /// The good state.
    pub title: String,
    /// The finding.
    pub problem: String,
    pub category: String,
    pub kind: ControlKind,
    pub mode: Mode,
    /// Where no case of `priority` decides otherwise.
    pub priority: Priority,
    pub blocker: bool,
    pub blocks: Option<Blocks>,
    pub effort: Effort,
    pub standards: Vec<String>,
    pub why: String,
    pub fix: String,
    /// Scaffold module.
    pub remedy: Option<String>,
    /// Process kinds that it is for; empty for all.
    pub processes: Vec<ProcessKind>,
    /// CI, lock file, secrets, docs: computed once and inherited by every service.
    pub repository_wide: bool,
    /// Absence proves nothing: it may live outside the repository.
    pub unknown_without_evidence: bool,
    /// Has rules, or needs none because people attest it. A control without is listed as `unknown` ("not implemented
    /// yet") and weighs nothing.
    pub implemented: bool,
}

impl ControlInfo {
    /// No file can show it: somebody has to vouch for it.
    pub fn asks_for_attestation(&self) -> bool {
        self.kind == ControlKind::Manual
    }
}

/// Days of work.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Effort {
    pub base: f64,
    pub per_site: f64,
    pub max: f64,
}

/// Why a control that has no rules yet is unknown.
pub const NOT_IMPLEMENTED: &str = "not implemented yet";

/// Why a manual control is unknown until somebody vouches for it.
pub const ASKS_FOR_ATTESTATION: &str = "no file can show it: it asks for an attestation";

#[derive(Debug, Clone, PartialEq)]
pub enum Applies {
    Yes,
    No(String),
    Unknown(String),
}

/// One place that a control looks at, with the best evidence that any of its rules found there.
#[derive(Debug, Clone)]
pub struct Site {
    pub at: Span,
    /// 1 full, 0.5 half, 0 none (already halved for low confidence).
    pub credit: f64,
    pub unknown: bool,
    /// Its fact changes data (`mutates = true`).
    pub mutates: bool,
    pub confidence: Confidence,
}

#[derive(Debug, Clone)]
pub struct Finding {
    /// `control/rule` for user-visible ids is `rule`.
    pub rule: String,
    pub at: Span,
    pub message: String,
    pub confidence: Confidence,
    /// Index into [`Evaluation::sites`], where the finding is about a site.
    pub site: Option<usize>,
    pub service: ServiceId,
    /// Rule + normalised code + enclosing symbol, hex.
    pub fingerprint: String,
    pub trace: Vec<(Span, String)>,
    /// The line must not be shown (secrets).
    pub secret: bool,
    pub priority: Priority,
    /// May block a release when open at high confidence.
    pub blocker: bool,
}

#[derive(Debug, Clone)]
pub struct Evidence {
    pub rule: String,
    pub at: Span,
    pub message: String,
}

/// One control in one service.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// Index into the rule set's controls.
    pub control: usize,
    pub service: ServiceId,
    pub applies: Applies,
    /// After `priority_when`.
    pub priority: Priority,
    pub blocker: bool,
    pub sites: Vec<Site>,
    pub findings: Vec<Finding>,
    pub evidence: Vec<Evidence>,
    pub nearest_miss: Option<Evidence>,
    /// What was looked for and how much of it there was (`rules why`).
    pub searched: Vec<String>,
}
