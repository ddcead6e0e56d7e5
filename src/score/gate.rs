//! Whether a run lets a release through.

use std::collections::BTreeMap;

use crate::config::GateConfig;
use crate::facts::Confidence;
use crate::report::{ControlReport, FindingReport, FindingState, Report, Score, ScoreState, State};
use crate::rules::{ControlKind, Priority};

use super::model::{Side, Sums, Term, weight};
use super::round::one;

/// What a gate asks for: the command line over `[gate]`.
#[derive(Debug, Clone, PartialEq)]
pub struct GateSettings {
    pub min_score: Option<f64>,
    pub fail_on: Option<Priority>,
    pub max_drop: Option<f64>,
    /// An open blocker fails.
    pub blockers: bool,
    pub new: Option<Priority>,
    pub category_min: BTreeMap<String, f64>,
    /// Only some controls were evaluated, so that a missing score is no surprise.
    pub narrowed: bool,
}

impl GateSettings {
    /// `None` outside gate mode: no option of the command line and no `[gate]`.
    pub fn new(
        min_score: Option<f64>,
        fail_on: Option<Priority>,
        max_drop: Option<f64>,
        config: Option<&GateConfig>,
        narrowed: bool,
    ) -> Option<GateSettings> {
        if min_score.is_none() && fail_on.is_none() && max_drop.is_none() && config.is_none() {
            return None;
        }
        let config = config.cloned().unwrap_or_default();
        let ratchet = config.ratchet.then_some(0.0);
        Some(GateSettings {
            min_score: min_score.or(config.min_score),
            fail_on: fail_on.or(config.fail_on),
            max_drop: max_drop.or(ratchet).or(config.max_drop),
            blockers: config.blockers,
            new: config.new,
            category_min: config.category_min,
            narrowed,
        })
    }

    fn compares_with_a_baseline(&self) -> bool {
        self.max_drop.is_some() || self.new.is_some()
    }

    /// Something asked for cannot be answered without a score.
    fn needs_a_score(&self) -> bool {
        !self.narrowed || self.min_score.is_some() || self.max_drop.is_some()
    }
}

/// What a gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GateOutcome {
    Passed,
    /// Every reason.
    Failed(Vec<String>),
    Inconclusive(String),
}

impl GateOutcome {
    pub fn exit_code(&self) -> u8 {
        match self {
            GateOutcome::Passed => 0,
            GateOutcome::Failed(_) => 1,
            GateOutcome::Inconclusive(_) => 3,
        }
    }
}

/// Compares what the report prints; `baseline` is the printed score of an earlier report. What is certain comes first:
/// a run that fails one condition has failed, whatever else could not be decided.
pub fn gate(report: &Report, settings: &GateSettings, baseline: Option<f64>) -> GateOutcome {
    let reasons: Vec<String> = [
        below(settings.min_score, &report.score),
        dropped(settings.max_drop, &report.score, baseline),
        settings.blockers.then(|| blocked(report)).flatten(),
        settings.fail_on.and_then(|priority| open_controls(report, priority)),
        settings.new.filter(|_| baseline.is_some()).and_then(|priority| new_findings(report, priority)),
    ]
    .into_iter()
    .flatten()
    .chain(weak_categories(report, &settings.category_min))
    .collect();
    if !reasons.is_empty() {
        return GateOutcome::Failed(reasons);
    }
    undecided(report, settings, baseline).map_or(GateOutcome::Passed, GateOutcome::Inconclusive)
}

fn undecided(report: &Report, settings: &GateSettings, baseline: Option<f64>) -> Option<String> {
    if let Some(broken) = report.controls.iter().find(|control| control.state == State::Error) {
        return Some(format!("`{}` could not be evaluated: {}", broken.id, broken.reason));
    }
    if report.score.state == ScoreState::NotAssessable && settings.needs_a_score() {
        return Some(format!("there is no score: {}", report.score.reason));
    }
    (settings.compares_with_a_baseline() && baseline.is_none()).then(|| "there is no baseline to compare with".into())
}

fn below(least: Option<f64>, score: &Score) -> Option<String> {
    let (least, value) = (least?, score.value?);
    (value < one(least)).then(|| format!("the score {value:.1} is below {:.1}", one(least)))
}

fn dropped(most: Option<f64>, score: &Score, baseline: Option<f64>) -> Option<String> {
    let (most, value, before) = (one(most?), score.value?, one(baseline?));
    let drop = one(before - value);
    (drop > most).then(|| format!("the score dropped by {drop:.1} from {before:.1} to {value:.1}; {most:.1} may go"))
}

fn blocked(report: &Report) -> Option<String> {
    let mut open = report.score.blockers.clone();
    open.extend(report.controls.iter().filter(|control| control.blocker).map(|control| control.id.clone()));
    open.sort();
    open.dedup();
    (!open.is_empty()).then(|| format!("open blockers: {}", open.join(", ")))
}

fn open_controls(report: &Report, priority: Priority) -> Option<String> {
    let mut open: Vec<&str> =
        report.controls.iter().filter(|c| c.priority <= priority && is_open(c)).map(|c| c.id.as_str()).collect();
    open.sort_unstable();
    open.dedup();
    (!open.is_empty()).then(|| format!("open at {priority:?} or above: {}", open.join(", ")))
}

/// It fails or is partial, through something that the baseline does not hold. A defect must be more than a guess.
fn is_open(control: &ControlReport) -> bool {
    if !matches!(control.state, State::Fail | State::Partial) {
        return false;
    }
    let doubtful =
        |finding: &FindingReport| control.kind == ControlKind::Defect && finding.confidence == Confidence::Low;
    let counts = |finding: &FindingReport| finding.state == FindingState::Open && !doubtful(finding);
    let forgiven = !control.findings.is_empty() && !control.findings.iter().any(counts);
    !forgiven
}

fn new_findings(report: &Report, priority: Priority) -> Option<String> {
    let findings = report.controls.iter().flat_map(|control| &control.findings);
    let new = findings.filter(|f| f.state == FindingState::Open && f.priority <= priority).count();
    (new > 0).then(|| format!("findings at {priority:?} or above that the baseline does not hold: {new}"))
}

fn weak_categories(report: &Report, minima: &BTreeMap<String, f64>) -> Vec<String> {
    let weak = |(category, least): (&String, &f64)| {
        let score = category_score(report, category)?;
        let least = one(*least);
        (score < least).then(|| format!("the score of {category} is {score:.1}, below {least:.1}"))
    };
    minima.iter().filter_map(weak).collect()
}

/// The base score over the controls of one category, of all services; `None` where nothing of it was decided.
fn category_score(report: &Report, category: &str) -> Option<f64> {
    let of_category = report.controls.iter().filter(|control| control.category == category);
    Sums::of(of_category.filter_map(term)).base().map(one)
}

fn term(control: &ControlReport) -> Option<Term> {
    let value = control.value.filter(|_| !matches!(control.state, State::Waived | State::NotApplicable))?;
    let attested = control.state == State::Attested;
    let side = if control.kind == ControlKind::Defect && !attested { Side::Costs } else { Side::Earns };
    let sites = &control.sites;
    let known = sites.applicable.saturating_sub(sites.unknown) as f64 / (sites.applicable.max(1)) as f64;
    let share = if side == Side::Costs || sites.applicable == 0 { 1.0 } else { known };
    Some(Term { side, weight: weight(control.priority) * share, unknown: 0.0, value, blocks: false })
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
