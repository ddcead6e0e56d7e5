//! What every human-readable format wants to know of a report.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::model::{ControlReport, FindingReport, FindingState, Report, Score, ScoreState, State, Verdict};
use super::text;
use crate::rules::{ControlInfo, ControlKind, NOT_IMPLEMENTED, Priority};

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
    /// Of the fix, in all services that have a score.
    pub days: f64,
}

/// The blockers of the project's score, in the order of the plan: most points per day of work first.
pub fn blockers(report: &Report) -> Vec<Blocker<'_>> {
    let rank = |id: &String| report.plan.quick_wins.iter().position(|other| other == id).unwrap_or(usize::MAX);
    let mut ids: Vec<&String> = report.score.blockers.iter().collect();
    ids.sort_by_key(|id| rank(id));
    ids.into_iter().map(|id| blocker(report, id)).collect()
}

fn blocker<'a>(report: &'a Report, id: &'a str) -> Blocker<'a> {
    let controls: Vec<_> = report.controls.iter().filter(|c| c.id == id && is_open(c)).collect();
    let mut findings: Vec<_> = controls.iter().flat_map(|c| open_findings(c)).collect();
    findings.sort_by_key(|f| (Reverse(f.confidence), &f.path, f.line, f.column));
    findings.dedup_by_key(|f| (&f.path, f.line));
    let scored =
        |c: &&&ControlReport| report.project.services.iter().any(|s| s.path == c.service && s.score.value.is_some());
    let planned: f64 = controls.iter().filter(scored).map(|control| control.effort_days).sum();
    let most = controls.iter().map(|control| control.effort_days).fold(0.0, f64::max);
    let days = if planned > 0.0 { planned } else { most };
    Blocker { id, control: controls.iter().find(|c| c.blocker).or(controls.first()).copied(), findings, days }
}

/// Findings that count: neither waived nor in the baseline.
pub fn open_findings(control: &ControlReport) -> impl Iterator<Item = &FindingReport> {
    control.findings.iter().filter(|finding| finding.state == FindingState::Open)
}

/// Something is left to do about it.
pub fn is_open(control: &ControlReport) -> bool {
    matches!(control.state, State::Fail | State::Partial | State::Error) || open_findings(control).next().is_some()
}

/// The quick wins that are no blockers, best points per day first.
pub fn quick_wins(report: &Report) -> Vec<&ControlReport> {
    let find = |id: &String| report.controls.iter().filter(|c| &c.id == id && is_open(c)).max_by(|a, b| worth(a, b));
    report.plan.quick_wins.iter().filter(|id| !report.score.blockers.contains(id)).filter_map(find).collect()
}

/// `Closing all 9 takes about 9.5 days; the score rises from 3.5 to 41.0.`
pub fn unblocking(report: &Report) -> Option<String> {
    let (closed, value) = (report.plan.unblocked.as_ref()?, report.score.value?);
    let what = match report.score.blockers.len() {
        1 => "Closing it".to_owned(),
        2 => "Closing both".to_owned(),
        all => format!("Closing all {all}"),
    };
    let rise = if closed.score > value {
        format!("the score rises from {value:.1} to {:.1}", closed.score)
    } else {
        format!("the score stays at {value:.1}")
    };
    Some(format!("{what} takes about {}; {rise}.", days(closed.days)))
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
        (now, banked) if now + banked < 0.05 => "less than 0.1 points by itself".into(),
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
        0 => "level 0 of 4",
        1 => "level 1 of 4, launchable",
        2 => "level 2 of 4, operable",
        3 => "level 3 of 4, scalable",
        _ => "level 4 of 4, exemplary",
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
pub const STATES: [(State, &str); 8] = [
    (State::Pass, "pass"),
    (State::Partial, "partial"),
    (State::Fail, "fail"),
    (State::Error, "error"),
    (State::Waived, "waived"),
    (State::Attested, "attested"),
    (State::Unknown, "unknown"),
    (State::NotApplicable, "n/a"),
];

/// The states that a tally has columns for: those that most have, and others where they occur.
pub fn columns<K>(tally: &BTreeMap<K, BTreeMap<State, usize>>) -> Vec<(State, &'static str)> {
    let always = [State::Pass, State::Partial, State::Fail, State::NotApplicable];
    let occurs = |state: &State| always.contains(state) || tally.values().any(|counts| counts.contains_key(state));
    STATES.into_iter().filter(|(state, _)| occurs(state)).collect()
}

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
    match score.blockers.len() {
        0 => {}
        1 => found.push("1 blocker is open".into()),
        many => found.push(format!("{many} blockers are open")),
    }
    found.extend(p0_obstacle(report, "open", is_open));
    found.extend(p0_obstacle(report, "unknown", |control| {
        control.state == State::Unknown && control.kind != ControlKind::Manual && is_implemented(control)
    }));
    if score.assessed < 0.8 {
        found.push(format!("only {} of the weight could be decided, ready needs 80 %", percent(score.assessed)));
    }
    found
}

fn p0_obstacle(report: &Report, word: &str, test: impl Fn(&ControlReport) -> bool) -> Option<String> {
    let p0 = report.controls.iter().filter(|c| c.priority == Priority::P0 && test(c));
    let mut ids: Vec<&str> = p0.map(|c| c.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    match ids.len() {
        0 => None,
        few if few <= NAMED_P0 => Some(format!("P0 {word}: {}", ids.join(", "))),
        many => Some(format!("{many} P0 controls are {word}")),
    }
}

/// More controls than this are counted, not named.
const NAMED_P0: usize = 6;

/// Controls without rules are unknown for that reason alone and weigh nothing.
pub fn is_implemented(control: &ControlReport) -> bool {
    control.reason != NOT_IMPLEMENTED
}

/// The reason of a capability of which nothing was found, where that proves nothing.
pub const MAY_BE_ELSEWHERE: &str = "nothing found here, and it may live outside the repository";

/// Somebody could vouch for it, and nobody has.
pub fn asks_for_attestation(control: &ControlReport) -> bool {
    control.kind == ControlKind::Manual && control.state == State::Unknown
}

/// What to write for somebody to vouch for a control, as it stands in `readycheck.toml`.
pub fn attestation(control: &str) -> String {
    format!(
        "[[attest]]\ncontrol = \"{control}\"\nby = \"who vouches for it\"\n\
         evidence = \"where that can be seen: a link, a ticket, a report\"\non = YYYY-MM-DD\nuntil = YYYY-MM-DD\n"
    )
}

/// How many controls were decided by rules or people, of how many in the catalogue; each counts once, however many
/// services there are.
pub fn checked(report: &Report) -> (usize, usize) {
    let ids = |test: fn(&ControlReport) -> bool| -> BTreeSet<&str> {
        report.controls.iter().filter(|control| test(control)).map(|control| control.id.as_str()).collect()
    };
    (ids(|control| is_implemented(control) && !asks_for_attestation(control)).len(), ids(|_| true).len())
}

/// What the number stands on: `53 of 187 controls checked`, then what was undecided and how far it could move the score.
pub fn trust(report: &Report) -> Vec<String> {
    let score = &report.score;
    let (checked, all) = checked(report);
    let mut parts = vec![format!("{checked} of {all} controls checked")];
    if percent(score.assessed) != percent(1.0) {
        parts.push(format!("{} of their weight decided", percent(score.assessed)));
    }
    if let Some((low, high)) = interval(score) {
        parts.push(format!("score between {low} and {high}"));
    }
    parts
}

/// The ends of the interval, where they differ as printed.
fn interval(score: &Score) -> Option<(String, String)> {
    let (low, high) = (format!("{:.1}", score.low?), format!("{:.1}", score.high?));
    (low != high).then_some((low, high))
}

/// How often each state occurs among the controls that have rules, by a key of the control. A control of several
/// services counts once, with its worst state.
pub fn tally<K: Ord>(report: &Report, key: impl Fn(&ControlReport) -> K) -> BTreeMap<K, BTreeMap<State, usize>> {
    let mut worst: BTreeMap<&str, &ControlReport> = BTreeMap::new();
    for control in report.controls.iter().filter(|control| is_implemented(control)) {
        let known = worst.entry(&control.id).or_insert(control);
        if severity(control.state) > severity(known.state) {
            *known = control;
        }
    }
    let mut tally: BTreeMap<K, BTreeMap<State, usize>> = BTreeMap::new();
    for control in worst.into_values() {
        *tally.entry(key(control)).or_default().entry(control.state).or_default() += 1;
    }
    tally
}

fn severity(state: State) -> u8 {
    match state {
        State::NotApplicable => 0,
        State::Pass => 1,
        State::Attested => 2,
        State::Waived => 3,
        State::Unknown => 4,
        State::Partial => 5,
        State::Error => 6,
        State::Fail => 7,
    }
}

/// State and reason as a reader takes them: `7 of 14 places have it`, `2 findings`, `missing`.
pub fn standing(control: &ControlReport) -> String {
    let says = match (control.kind, control.state) {
        (ControlKind::Capability, State::Fail) if control.sites.applicable <= 1 => missing(control).into(),
        (ControlKind::Capability, State::Partial) if control.sites.applicable <= 1 => "there in part".into(),
        (ControlKind::Capability | ControlKind::Coverage, State::Fail | State::Partial)
            if control.sites.applicable > 0 =>
        {
            places(control)
        }
        (ControlKind::Defect, State::Fail | State::Partial) => control.reason.replace("open finding", "finding"),
        _ => control.reason.clone(),
    };
    if says.is_empty() { state(control.state).to_owned() } else { says }
}

fn missing(control: &ControlReport) -> &'static str {
    let near = control.nearest_miss.is_some() || !control.evidence.is_empty() || !control.findings.is_empty();
    if near { "missing" } else { "missing, and nothing that was read comes close" }
}

fn places(control: &ControlReport) -> String {
    let sites = &control.sites;
    let in_part = control.gaps.iter().filter(|gap| gap.credit > 0.0);
    let (parts, credit) = in_part.fold((0_u32, 0.0), |(parts, credit), gap| (parts + 1, credit + gap.credit));
    let whole = (sites.satisfied - credit).max(0.0).round();
    let known = sites.applicable.saturating_sub(sites.unknown);
    let verb = if whole == 1.0 { "has" } else { "have" };
    let mut said =
        format!("{whole} of {} {verb} it", text::count(usize::try_from(known).unwrap_or(usize::MAX), "place"));
    if parts > 0 {
        said.push_str(&format!(", {parts} in part"));
    }
    if sites.unknown > 0 {
        said.push_str(&format!(", {} undecided", sites.unknown));
    }
    said
}

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
