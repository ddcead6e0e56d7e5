//! What every human-readable format wants to know of a report.

use std::cmp::Reverse;

use super::model::{ControlReport, FindingReport, FindingState, Report, Score, ScoreState, State, Verdict};
use crate::rules::{ControlInfo, ControlKind, Priority};

/// What renderers need beside the report: the texts of the controls and the sources for excerpts.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub controls: &'a [ControlInfo],
    /// The text of a file by its path relative to the root; none where it cannot be shown.
    pub source: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Context<'a> {
    pub fn control(&self, id: &str) -> Option<&'a ControlInfo> {
        self.controls.iter().find(|control| control.id == id)
    }

    /// The finding in words; the id where the control's texts are missing.
    pub fn problem<'b>(&self, control: &'b ControlReport) -> &'b str
    where
        'a: 'b,
    {
        match self.control(&control.id) {
            Some(info) if !info.problem.is_empty() => &info.problem,
            _ => &control.title,
        }
    }
}

/// A control that blocks the release, with the places that show it, the surest first.
pub struct Blocker<'a> {
    pub id: &'a str,
    pub control: Option<&'a ControlReport>,
    pub findings: Vec<&'a FindingReport>,
}

/// The blockers of the project's score, in its order.
pub fn blockers(report: &Report) -> Vec<Blocker<'_>> {
    report.score.blockers.iter().map(|id| blocker(report, id)).collect()
}

fn blocker<'a>(report: &'a Report, id: &'a str) -> Blocker<'a> {
    let controls: Vec<_> = report.controls.iter().filter(|c| c.id == id && is_open(c)).collect();
    let mut findings: Vec<_> = controls.iter().flat_map(|c| open_findings(c)).collect();
    findings.sort_by_key(|f| (Reverse(f.confidence), &f.path, f.line, f.column));
    findings.dedup_by_key(|f| (&f.path, f.line));
    Blocker { id, control: controls.iter().find(|c| c.blocker).or(controls.first()).copied(), findings }
}

/// Findings that count: neither waived nor in the baseline.
pub fn open_findings(control: &ControlReport) -> impl Iterator<Item = &FindingReport> {
    control.findings.iter().filter(|finding| finding.state == FindingState::Open)
}

/// Something is left to do about it.
pub fn is_open(control: &ControlReport) -> bool {
    matches!(control.state, State::Fail | State::Partial | State::Error) || open_findings(control).next().is_some()
}

/// The controls of the quick wins that gain something, best points per day first.
pub fn quick_wins(report: &Report) -> Vec<&ControlReport> {
    let find = |id: &String| report.controls.iter().filter(|c| &c.id == id && is_open(c)).max_by(|a, b| worth(a, b));
    report.plan.quick_wins.iter().filter_map(find).collect()
}

fn worth(a: &ControlReport, b: &ControlReport) -> std::cmp::Ordering {
    (a.gain.now + a.gain.banked).total_cmp(&(b.gain.now + b.gain.banked))
}

/// `+2.2`, `+3.0 +5.2*`, `+8.1*`: what a fix is worth now, and with a star what the cap holds back.
pub fn gain(control: &ControlReport) -> String {
    match (control.gain.now, control.gain.banked) {
        (now, banked) if banked < 0.05 => format!("+{now:.1}"),
        (now, banked) if now < 0.05 => format!("+{banked:.1}*"),
        (now, banked) => format!("+{now:.1} +{banked:.1}*"),
    }
}

/// [`gain`] in words.
pub fn points(control: &ControlReport) -> String {
    match (control.gain.now, control.gain.banked) {
        (now, banked) if banked < 0.05 => format!("+{now:.1} points"),
        (now, banked) if now < 0.05 => format!("+{banked:.1} points once the blockers are fixed"),
        (now, banked) => format!("+{now:.1} points, +{banked:.1} more once the blockers are fixed"),
    }
}

/// `2 hours`, `1 day`, `1.5 days`; a day has eight hours.
pub fn days(days: f64) -> String {
    let (number, unit) = if days < 1.0 { ((days * 8.0).ceil(), "hour") } else { (days, "day") };
    let text = format!("{number:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    format!("{text} {unit}{}", if text == "1" { "" } else { "s" })
}

pub fn verdict(score: &Score) -> &'static str {
    match (score.state, score.verdict) {
        (ScoreState::NotAssessable, _) | (_, None) => "not assessable",
        (_, Some(Verdict::Ready)) => "ready",
        (_, Some(Verdict::Conditional)) => "conditional",
        (_, Some(Verdict::NotReady)) => "not ready",
    }
}

/// `28.2`, or a dash where there is no number.
pub fn value(score: &Score) -> String {
    score.value.map_or_else(|| "–".into(), |value| format!("{value:.1}"))
}

/// `A` … `F`, or a dash.
pub fn grade(score: &Score) -> String {
    score.grade.map_or_else(|| "–".into(), String::from)
}

/// Name of a maturity level.
pub fn level(level: u8) -> &'static str {
    match level {
        0 => "L0",
        1 => "L1 Launchable",
        2 => "L2 Operable",
        3 => "L3 Scalable",
        _ => "L4 Exemplary",
    }
}

pub fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::P0 => "before release",
        Priority::P1 => "in the first week",
        Priority::P2 => "in the first month",
        Priority::P3 => "later",
    }
}

pub const PRIORITIES: [Priority; 4] = [Priority::P0, Priority::P1, Priority::P2, Priority::P3];

/// The states of a tally in the order in which people read them, with the heading of each.
pub const STATES: [(&str, &str); 8] = [
    ("pass", "pass"),
    ("partial", "partial"),
    ("fail", "fail"),
    ("error", "error"),
    ("waived", "waived"),
    ("attested", "attested"),
    ("unknown", "unknown"),
    ("not-applicable", "n/a"),
];

/// A mark that reads without colour.
pub fn mark(state: State) -> &'static str {
    match state {
        State::Pass => "✓",
        State::Partial => "½",
        State::Fail => "✗",
        State::Unknown => "?",
        State::NotApplicable => "–",
        State::Attested => "a",
        State::Waived => "w",
        State::Error => "!",
    }
}

pub fn state(state: State) -> &'static str {
    match state {
        State::Pass => "pass",
        State::Partial => "partial",
        State::Fail => "fail",
        State::NotApplicable => "not applicable",
        State::Unknown => "unknown",
        State::Attested => "attested",
        State::Waived => "waived",
        State::Error => "error",
    }
}

/// What stands between this project and `ready`, in short sentences; empty when it is.
pub fn obstacles(report: &Report) -> Vec<String> {
    let score = &report.score;
    let mut found = Vec::new();
    if score.verdict == Some(Verdict::Ready) {
        return found;
    }
    if let Some(value) = score.value.filter(|value| *value < 70.0) {
        found.push(format!("the score is {value:.1}, ready needs 70"));
    }
    found.extend(p0_obstacle(report, "open", is_open));
    found.extend(p0_obstacle(report, "unknown", |control| {
        control.state == State::Unknown && control.kind != ControlKind::Manual && is_implemented(control)
    }));
    if score.assessed < 0.8 {
        found.push(format!("only {} assessed, ready needs 80 %", percent(score.assessed)));
    }
    found
}

fn p0_obstacle(report: &Report, word: &str, test: impl Fn(&ControlReport) -> bool) -> Option<String> {
    let p0 = report.controls.iter().filter(|c| c.priority == Priority::P0 && test(c));
    let mut ids: Vec<&str> = p0.map(|c| c.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    (!ids.is_empty()).then(|| format!("P0 {word}: {}", ids.join(", ")))
}

/// Controls without rules are unknown for that reason alone and weigh nothing.
pub fn is_implemented(control: &ControlReport) -> bool {
    control.reason != NOT_IMPLEMENTED
}

/// The reason of a control that has no rules yet.
pub const NOT_IMPLEMENTED: &str = "not implemented yet";

pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// The frameworks of all services, each once, sorted.
pub fn stacks(report: &Report) -> Vec<&str> {
    let mut stacks: Vec<&str> =
        report.project.services.iter().flat_map(|service| service.stacks.iter().map(String::as_str)).collect();
    stacks.sort_unstable();
    stacks.dedup();
    stacks
}
