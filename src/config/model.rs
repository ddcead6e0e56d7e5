//! What `readycheck.toml` can say.

use std::collections::BTreeMap;

use super::Date;
use crate::rules::Priority;

/// A parsed and validated `readycheck.toml`; the default is an empty file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// Pins controls, weights and enforcement.
    pub epoch: Option<String>,
    /// Local folders with further rules.
    pub extends: Vec<String>,
    pub project: ProjectConfig,
    pub audit: AuditConfig,
    /// `None` where the file has no `[gate]`: then only the command line can gate.
    pub gate: Option<GateConfig>,
    /// By control id.
    pub controls: BTreeMap<String, ControlConfig>,
    pub waivers: Vec<Waiver>,
    pub attestations: Vec<Attestation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Development,
    Production,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    Public,
    Internal,
    Partner,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compliance {
    Gdpr,
    Soc2,
    Pci,
}

/// `[project]`: what the files cannot say about where the application runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProjectConfig {
    pub stage: Option<Stage>,
    /// Default: public where there are routes.
    pub exposure: Option<Exposure>,
    /// The id of a platform stack (`vercel`, `fly`, `kubernetes`, …).
    pub platform: Option<String>,
    pub replicas: Option<u32>,
    /// Trusted proxies in front of the application.
    pub proxy_hops: Option<u32>,
    pub compliance: Vec<Compliance>,
}

/// `[audit]`: what is looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuditConfig {
    /// Globs of paths to leave out.
    pub exclude: Vec<String>,
    /// Folders of the only services that are audited; each is scored, whatever it looks like.
    pub services: Vec<String>,
    /// Paths of endpoints that are open by design.
    pub public: Vec<String>,
}

/// `[gate]`: what makes a run fail.
#[derive(Debug, Clone, PartialEq)]
pub struct GateConfig {
    pub min_score: Option<f64>,
    /// An open blocker fails.
    pub blockers: bool,
    /// An open control of this priority or a more urgent one fails.
    pub fail_on: Option<Priority>,
    /// Points that the score may drop below the baseline's.
    pub max_drop: Option<f64>,
    /// A finding of this priority or a more urgent one that the baseline does not hold fails.
    pub new: Option<Priority>,
    /// The lowest score by category.
    pub category_min: BTreeMap<String, f64>,
    /// Any drop below the baseline's score fails.
    pub ratchet: bool,
    /// Attestations count.
    pub attestations: bool,
}

impl Default for GateConfig {
    fn default() -> GateConfig {
        GateConfig {
            min_score: None,
            blockers: true,
            fail_on: None,
            max_drop: None,
            new: None,
            category_min: BTreeMap::new(),
            ratchet: false,
            attestations: true,
        }
    }
}

/// `[controls.ID]`
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ControlConfig {
    pub enabled: Option<bool>,
    pub priority: Option<Priority>,
}

/// What a waiver is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaiverTarget {
    Control(String),
    Rule(String),
}

/// `[[waiver]]`: findings that the owner accepts for now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    pub target: WaiverTarget,
    /// Globs; empty for every path.
    pub paths: Vec<String>,
    pub fingerprint: Option<String>,
    pub reason: String,
    pub owner: Option<String>,
    /// The last day on which it applies.
    pub until: Option<Date>,
}

impl Waiver {
    /// Whether it waives a control as such, and not only findings of it.
    pub fn is_of_whole_control(&self) -> bool {
        matches!(self.target, WaiverTarget::Control(_)) && self.paths.is_empty() && self.fingerprint.is_none()
    }
}

/// `[[attest]]`: somebody vouches for what files cannot show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    pub control: String,
    pub by: String,
    pub evidence: String,
    pub on: Option<Date>,
    /// The last day on which it counts.
    pub until: Option<Date>,
}
