//! The JSON report, `readycheck/report/1`: what every format renders. Within /1 fields are only added.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::facts::Confidence;
use crate::project::Diagnostic;
use crate::rules::{ControlKind, Priority};

pub const SCHEMA: &str = "readycheck/report/1";

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Report {
    pub schema: &'static str,
    pub tool: Tool,
    pub project: ProjectSummary,
    /// The worst service's score.
    pub score: Score,
    /// Every control per service, repository-wide ones once (under the service they were computed in), sorted by
    /// service and then in catalogue order.
    pub controls: Vec<ControlReport>,
    pub routes: Vec<RouteReport>,
    pub plan: Plan,
    pub tallies: Tallies,
    pub waivers: Vec<WaiverReport>,
    pub attestations: Vec<AttestationReport>,
    pub notices: Vec<Notice>,
    pub diagnostics: Vec<Diagnostic>,
    /// The date that decided expiry; only when it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Tool {
    pub name: &'static str,
    pub version: &'static str,
    pub epoch: String,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ProjectSummary {
    pub root: String,
    pub commit: Option<String>,
    /// Lines of the source files that were audited.
    pub lines: u64,
    pub counts: Counts,
    pub services: Vec<ServiceReport>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Counts {
    pub audited: u64,
    /// By reason (`too-large`, `unreadable`, `not-utf8`, `parse-error`, …).
    pub skipped: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ServiceReport {
    pub path: String,
    pub kinds: Vec<String>,
    pub languages: Vec<String>,
    pub stacks: Vec<String>,
    pub score: Score,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ScoreState {
    Scored,
    NotAssessable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Ready,
    Conditional,
    NotReady,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Score {
    pub state: ScoreState,
    /// 0–100 with one decimal; null when not assessable.
    pub value: Option<f64>,
    pub out_of_10: Option<f64>,
    /// `A` … `F`
    pub grade: Option<char>,
    pub verdict: Option<Verdict>,
    /// 0–4
    pub level: u8,
    /// Why there is no number, else empty.
    pub reason: String,
    pub base: Option<f64>,
    pub cap: Option<u32>,
    /// Control ids.
    pub blockers: Vec<String>,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// 0–1
    pub assessed: f64,
    pub strict: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Pass,
    Partial,
    Fail,
    NotApplicable,
    Unknown,
    Attested,
    Waived,
    Error,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ControlReport {
    pub id: String,
    pub title: String,
    pub category: String,
    pub priority: Priority,
    pub kind: ControlKind,
    /// An open blocker.
    pub blocker: bool,
    pub service: String,
    pub state: State,
    pub value: Option<f64>,
    pub reason: String,
    pub sites: SiteCounts,
    /// Points of `base` that it costs.
    pub loss: f64,
    pub gain: Gain,
    pub effort_days: f64,
    pub remedy: Option<String>,
    /// The command that closes it, or as much of it as is certain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    pub standards: Vec<String>,
    pub evidence: Vec<EvidenceReport>,
    pub nearest_miss: Option<EvidenceReport>,
    /// Places that lack it, in whole or in part, and that no finding names.
    pub gaps: Vec<PlaceReport>,
    pub findings: Vec<FindingReport>,
}

#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct SiteCounts {
    /// Sum of the credits (a half-covered site counts 0.5).
    pub satisfied: f64,
    pub applicable: u64,
    pub unknown: u64,
}

#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Gain {
    pub now: f64,
    /// Held back while the cap binds.
    pub banked: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct EvidenceReport {
    pub rule: String,
    pub path: String,
    pub line: u32,
    pub column: u32,
    pub message: String,
}

/// A place, and how much of what should be there is: 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PlaceReport {
    pub path: String,
    pub line: u32,
    pub column: u32,
    pub credit: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingState {
    Open,
    Waived,
    Baseline,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FindingReport {
    pub rule: String,
    pub path: String,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
    pub service: String,
    pub message: String,
    pub confidence: Confidence,
    pub priority: Priority,
    pub fingerprint: String,
    pub state: FindingState,
    pub trace: Vec<EvidenceReport>,
    /// Its line must not be shown.
    #[serde(skip)]
    pub secret: bool,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RouteReport {
    pub service: String,
    pub method: String,
    pub path: String,
    pub file: String,
    pub line: u32,
    /// Control id → `pass`, `partial`, `fail`, `unknown`, `not-applicable`.
    pub controls: BTreeMap<String, State>,
}

#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Plan {
    /// Control ids, blockers first, then best points per day.
    pub quick_wins: Vec<String>,
    /// Null where nothing blocks.
    pub unblocked: Option<Unblocked>,
    pub weeks: Vec<Week>,
}

/// What closing every open blocker takes and gives.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Unblocked {
    pub days: f64,
    pub score: f64,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Week {
    pub controls: Vec<String>,
    /// The score after this week.
    pub score: f64,
}

/// Counts by state; states that do not occur are 0.
pub type StateCounts = BTreeMap<String, u64>;

#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Tallies {
    pub category: BTreeMap<String, StateCounts>,
    pub priority: BTreeMap<String, StateCounts>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WaiverReport {
    pub control: Option<String>,
    pub rule: Option<String>,
    pub paths: Vec<String>,
    pub reason: String,
    pub owner: Option<String>,
    pub until: Option<String>,
    /// `config` or `path:line` of the inline comment.
    pub source: String,
    /// Findings that it hides.
    pub findings: u64,
    pub expired: bool,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AttestationReport {
    pub control: String,
    pub by: String,
    pub evidence: String,
    pub on: Option<String>,
    pub until: Option<String>,
    pub expired: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Notice {
    /// `unused-waiver`, `expired-waiver`, `malformed-allow`, `strict-differs`, …
    pub kind: String,
    pub path: Option<String>,
    pub line: Option<u32>,
    pub message: String,
}
