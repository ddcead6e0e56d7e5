//! Whether the audit of what would be written bears out what modules promise.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::Serialize;

use crate::audit::Audit;
use crate::facts::Confidence;
use crate::project::ServiceId;
use crate::report::{ControlReport, FindingState, Score, State, view};
use crate::rules::ControlKind;

/// What became of a control that a module closes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why")]
pub enum Promise {
    /// It passes now.
    Closed,
    /// It passed before.
    Held,
    /// A coverage control that rises without passing.
    Rises,
    /// Nothing judges it here; it is not counted.
    NotVerified(String),
    /// It passes once the user has done the steps.
    AfterSteps,
    /// It does not.
    Broken(String),
}

/// A control whose state changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Turn {
    pub control: String,
    pub title: String,
    pub before: State,
    pub after: State,
    /// It is worse than before.
    pub worse: bool,
}

fn path_of(audit: &Audit, service: ServiceId) -> &str {
    &audit.project.service(service).path
}

/// A control as it stands for a service; one of the whole repository stands under another service.
pub fn state_of<'a>(audit: &'a Audit, service: ServiceId, control: &str) -> Option<&'a ControlReport> {
    let path = path_of(audit, service);
    let mut found = audit.report.controls.iter().filter(|report| report.id == control);
    let own = found.clone().find(|report| report.service == path);
    own.or_else(|| found.next())
}

pub fn score_of(audit: &Audit, service: ServiceId) -> Option<Score> {
    let path = path_of(audit, service);
    audit.report.project.services.iter().find(|one| one.path == path).map(|one| one.score.clone())
}

/// What the audit says of each control that a module closes.
pub fn promises(
    before: &Audit,
    after: &Audit,
    service: ServiceId,
    closes: &[String],
    has_steps: bool,
) -> Vec<(String, Promise)> {
    let judge = |control: &String| {
        let then = state_of(before, service, control);
        match state_of(after, service, control) {
            None => Promise::NotVerified("no rule judges it yet".to_owned()),
            Some(now) => promise(then, now, has_steps),
        }
    };
    closes.iter().map(|control| (control.clone(), judge(control))).collect()
}

fn promise(then: Option<&ControlReport>, now: &ControlReport, has_steps: bool) -> Promise {
    let value = |report: &ControlReport| report.value.unwrap_or(0.0);
    match now.state {
        State::Pass if then.is_some_and(|then| then.state == State::Pass) => Promise::Held,
        State::Pass => Promise::Closed,
        State::Attested | State::Waived => Promise::Held,
        State::NotApplicable => Promise::NotVerified(format!("not applicable: {}", now.reason)),
        State::Unknown | State::Error => Promise::NotVerified(now.reason.clone()),
        State::Fail | State::Partial if has_steps => Promise::AfterSteps,
        State::Partial if now.kind == ControlKind::Coverage && then.is_none_or(|then| value(now) > value(then)) => {
            Promise::Rises
        }
        State::Fail | State::Partial => Promise::Broken(format!("{}: {}", view::state(now.state), now.reason)),
    }
}

/// Why the promises of a module do not hold, if they do not.
pub fn broken(promises: &[(String, Promise)]) -> Option<String> {
    promises.iter().find_map(|(control, promise)| match promise {
        Promise::Broken(why) => {
            Some(format!("the audit of the result does not find `{control}` closed ({})", why.trim_end_matches(": ")))
        }
        _ => None,
    })
}

/// Findings that are in changed files and were not there before: the path, and what is found. Code that was edited is
/// told by another fingerprint afterwards: only what makes a rule find more in a file than before counts.
pub fn new_findings(before: &Audit, after: &Audit, changed: &HashMap<String, Arc<[u8]>>) -> Vec<(String, String)> {
    let mut known = counts(before, changed);
    let mut more: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for (audit, by) in [(after, 1), (before, -1)] {
        for finding in open_findings(audit, changed) {
            *more.entry((&finding.rule, &finding.path)).or_default() += by;
        }
    }
    let mut found = Vec::new();
    for finding in open_findings(after, changed) {
        let count = known.entry(&finding.fingerprint).or_default();
        if *count > 0 {
            *count -= 1;
            continue;
        }
        if more.get(&(finding.rule.as_str(), finding.path.as_str())).is_none_or(|more| *more <= 0) {
            continue;
        }
        let reason = format!("{}:{}: {} ({})", finding.path, finding.line, finding.message, finding.rule);
        found.push((finding.path.clone(), format!("the audit of the result finds something new: {reason}")));
    }
    found
}

fn counts<'a>(audit: &'a Audit, changed: &HashMap<String, Arc<[u8]>>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for finding in open_findings(audit, changed) {
        *counts.entry(finding.fingerprint.as_str()).or_default() += 1;
    }
    counts
}

fn open_findings<'a>(
    audit: &'a Audit,
    changed: &HashMap<String, Arc<[u8]>>,
) -> impl Iterator<Item = &'a crate::report::FindingReport> {
    let findings = audit.report.controls.iter().flat_map(|control| &control.findings);
    findings.filter(|finding| {
        finding.state == FindingState::Open
            && finding.confidence != Confidence::Low
            && changed.contains_key(&finding.path)
    })
}

/// Controls of a service whose state differs, sorted as in the report.
pub fn turns(before: &Audit, after: &Audit, service: ServiceId) -> Vec<Turn> {
    let path = path_of(before, service);
    let of_service = |report: &&ControlReport| report.service == path || report.service == ".";
    let mut turns = Vec::new();
    for now in after.report.controls.iter().filter(of_service) {
        let then = before.report.controls.iter().find(|then| then.id == now.id && then.service == now.service);
        let Some(then) = then.filter(|then| then.state != now.state) else { continue };
        let worse = rank(now.state) < rank(then.state);
        let (control, title) = (now.id.clone(), now.title.clone());
        turns.push(Turn { control, title, before: then.state, after: now.state, worse });
    }
    turns
}

fn rank(state: State) -> u8 {
    match state {
        State::Fail | State::Error => 0,
        State::Partial => 1,
        State::Unknown => 2,
        State::NotApplicable | State::Waived => 3,
        State::Attested | State::Pass => 4,
    }
}
