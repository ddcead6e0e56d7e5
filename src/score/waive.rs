//! Which findings are waived: by `[[waiver]]` and by inline allows, while their day has not passed.

use std::collections::{BTreeMap, HashMap};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::config::{Allow, Date, Waiver, WaiverTarget};
use crate::report::{FindingState, Notice, WaiverReport};
use crate::rules::{ControlInfo, Evaluation, Finding};

use super::assemble::Place;

/// What is waived, and what there is to say about it.
#[derive(Debug, Default)]
pub struct Waived {
    /// Of every finding of every evaluation. Findings of a control that is waived as a whole stay open here: the
    /// control leaves the sums instead.
    pub states: Vec<Vec<FindingState>>,
    /// Controls that are waived as a whole → index into the configuration's waivers.
    pub whole: BTreeMap<usize, usize>,
    pub reports: Vec<WaiverReport>,
    pub notices: Vec<Notice>,
}

/// What waivers are matched against.
pub struct Findings<'a> {
    pub controls: &'a [ControlInfo],
    pub evaluations: &'a [Evaluation],
    /// Where each finding of each evaluation stands.
    pub places: &'a [Vec<Place>],
    /// Every rule id, to tell an unknown name from an unused allow.
    pub rules: &'a [String],
    pub today: Date,
    /// Only some controls were evaluated: that nothing matched means nothing.
    pub narrowed: bool,
}

impl Findings<'_> {
    pub fn all_open(&self) -> Vec<Vec<FindingState>> {
        self.evaluations.iter().map(|e| vec![FindingState::Open; e.findings.len()]).collect()
    }

    fn each(&self, mut visit: impl FnMut(usize, usize, &ControlInfo, &Finding, &Place)) {
        for (e, (evaluation, places)) in self.evaluations.iter().zip(self.places).enumerate() {
            let Some(control) = self.controls.get(evaluation.control) else { continue };
            for (f, (finding, place)) in evaluation.findings.iter().zip(places).enumerate() {
                visit(e, f, control, finding, place);
            }
        }
    }

    fn is_past(&self, until: Option<Date>) -> bool {
        until.is_some_and(|until| until < self.today)
    }
}

pub fn apply(findings: &Findings<'_>, waivers: &[Waiver], allows: &[(String, Vec<Allow>)]) -> Waived {
    let mut waived = Waived { states: findings.all_open(), ..Waived::default() };
    apply_waivers(findings, waivers, &mut waived);
    apply_allows(findings, allows, &mut waived);
    waived
}

fn apply_waivers(findings: &Findings<'_>, waivers: &[Waiver], waived: &mut Waived) {
    for (index, waiver) in waivers.iter().enumerate() {
        let expired = findings.is_past(waiver.until);
        let hidden = if expired { 0 } else { apply_waiver(findings, waiver, index, waived) };
        if let (true, Some(until)) = (expired, waiver.until) {
            waived.notices.push(notice("expired-waiver", format!("the waiver of {} ended on {until}", name(waiver))));
        } else if hidden == 0 && !waiver.is_of_whole_control() && !findings.narrowed {
            waived.notices.push(notice("unused-waiver", format!("the waiver of {} hides nothing", name(waiver))));
        }
        waived.reports.push(report(waiver, hidden, expired));
    }
}

/// The number of findings that it hides.
fn apply_waiver(findings: &Findings<'_>, waiver: &Waiver, index: usize, waived: &mut Waived) -> u64 {
    let globs = path_globs(&waiver.paths);
    let whole = waiver.is_of_whole_control();
    let mut hidden = 0;
    findings.each(|e, f, control, finding, place| {
        let named = match &waiver.target {
            WaiverTarget::Control(id) => *id == control.id,
            WaiverTarget::Rule(id) => is_rule(control, finding, id),
        };
        let here = waiver.paths.is_empty() || globs.as_ref().is_some_and(|globs| globs.is_match(&place.path));
        let same = waiver.fingerprint.as_ref().is_none_or(|print| *print == finding.fingerprint);
        if named && here && same {
            hidden += 1;
            if !whole {
                waived.states[e][f] = FindingState::Waived;
            }
        }
    });
    if let (true, WaiverTarget::Control(id)) = (whole, &waiver.target) {
        let control = findings.controls.iter().position(|control| control.id == *id);
        waived.whole.extend(control.map(|control| (control, index)));
    }
    hidden
}

/// Globs over paths; one that names a folder is about everything below it.
fn path_globs(paths: &[String]) -> Option<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for path in paths {
        let path = path.trim_start_matches("./").trim_end_matches('/');
        for pattern in [path.to_owned(), format!("{path}/**")] {
            set.add(GlobBuilder::new(&pattern).literal_separator(true).build().ok()?);
        }
    }
    set.build().ok()
}

/// By its id, with or without its control in front.
fn is_rule(control: &ControlInfo, finding: &Finding, id: &str) -> bool {
    without_control(&finding.rule, control) == without_control(id, control)
}

fn without_control<'a>(rule: &'a str, control: &ControlInfo) -> &'a str {
    rule.strip_prefix(&control.id).and_then(|rest| rest.strip_prefix('/')).unwrap_or(rule)
}

/// `full` is `some-control/name`.
fn ends_with_name(full: &str, name: &str) -> bool {
    full.strip_suffix(name).is_some_and(|control| control.ends_with('/'))
}

fn name(waiver: &Waiver) -> String {
    match &waiver.target {
        WaiverTarget::Control(id) | WaiverTarget::Rule(id) => format!("`{id}`"),
    }
}

fn notice(kind: &str, message: String) -> Notice {
    Notice { kind: kind.into(), path: None, line: None, message }
}

fn report(waiver: &Waiver, findings: u64, expired: bool) -> WaiverReport {
    let (control, rule) = match &waiver.target {
        WaiverTarget::Control(id) => (Some(id.clone()), None),
        WaiverTarget::Rule(id) => (None, Some(id.clone())),
    };
    WaiverReport {
        control,
        rule,
        paths: waiver.paths.clone(),
        reason: waiver.reason.clone(),
        owner: waiver.owner.clone(),
        until: waiver.until.map(|until| until.to_string()),
        source: "config".into(),
        findings,
        expired,
    }
}

fn apply_allows(findings: &Findings<'_>, allows: &[(String, Vec<Allow>)], waived: &mut Waived) {
    let all: Vec<(&str, &Allow)> =
        allows.iter().flat_map(|(path, of_file)| of_file.iter().map(move |allow| (path.as_str(), allow))).collect();
    let live = |allow: &Allow| allow.malformed.is_none() && !findings.is_past(allow.until);
    let mut by_line: HashMap<(&str, u32), Vec<usize>> = HashMap::new();
    for (index, (path, allow)) in all.iter().enumerate().filter(|(_, (_, allow))| live(allow)) {
        by_line.entry((path, allow.line)).or_default().push(index);
        if allow.covers != allow.line {
            by_line.entry((path, allow.covers)).or_default().push(index);
        }
    }
    let mut hidden = vec![0_u64; all.len()];
    findings.each(|e, f, control, finding, place| {
        for index in by_line.get(&(place.path.as_str(), place.line)).into_iter().flatten() {
            let id = &all[*index].1.id;
            if *id == control.id || is_rule(control, finding, id) {
                hidden[*index] += 1;
                waived.states[e][f] = FindingState::Waived;
            }
        }
    });
    for ((path, allow), hidden) in all.into_iter().zip(hidden) {
        tell(findings, path, allow, hidden, waived);
    }
}

fn tell(findings: &Findings<'_>, path: &str, allow: &Allow, hidden: u64, waived: &mut Waived) {
    let mut say = |kind: &str, message: String| {
        waived.notices.push(Notice { kind: kind.into(), path: Some(path.into()), line: Some(allow.line), message });
    };
    let id = &allow.id;
    let is_control = findings.controls.iter().any(|control| control.id == *id);
    let named = |rule: &String| rule == id || ends_with_name(rule, id) || ends_with_name(id, rule);
    let is_known = is_control || hidden > 0 || findings.rules.iter().any(named);
    let expired = findings.is_past(allow.until);
    if let Some(why) = &allow.malformed {
        return say("malformed-allow", format!("this readycheck-allow does not apply: {why}"));
    }
    match allow.until {
        _ if !is_known => return say("malformed-allow", format!("there is no rule or control `{id}`")),
        Some(until) if expired => say("expired-allow", format!("the allow of `{id}` ended on {until}")),
        _ if hidden == 0 && !findings.narrowed => {
            say("unused-allow", format!("the allow of `{id}` hides nothing here"));
        }
        _ => {}
    }
    waived.reports.push(WaiverReport {
        control: is_control.then(|| id.clone()),
        rule: (!is_control).then(|| id.clone()),
        paths: vec![path.to_owned()],
        reason: allow.reason.clone(),
        owner: None,
        until: allow.until.map(|until| until.to_string()),
        source: format!("{path}:{}", allow.line),
        findings: hidden,
        expired,
    });
}
