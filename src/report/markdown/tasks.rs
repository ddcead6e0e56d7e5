//! What is there, what to fix, and in which order.

use std::collections::BTreeMap;

use super::{Page, capitalised, code, of_service, place, plain, prose};
use crate::report::model::{ControlReport, EvidenceReport, FindingReport, State};
use crate::report::view;
use crate::rules::{ControlKind, Priority};

/// Places listed per control before the rest is only counted.
const MAX_PLACES: usize = 10;

impl Page<'_> {
    pub(super) fn strengths(&mut self) {
        let report = self.report;
        let strengths: Vec<_> = report.controls.iter().filter(|c| is_strength(c)).collect();
        let clean: Vec<_> = report.controls.iter().filter(|c| is_clean(c)).map(|c| self.context.problem(c)).collect();
        if strengths.is_empty() && clean.is_empty() {
            return;
        }
        self.heading("Current strengths");
        for (category, controls) in by_category(strengths) {
            self.subheading(&capitalised(category));
            for control in controls {
                let (title, proof, service) = (prose(&control.title), proof(control), of_service(control));
                self.line(&format!("- [x] {title}{service}{proof}"));
            }
        }
        self.clean(clean);
    }

    /// What was looked for without success: good news, but no proof.
    fn clean(&mut self, mut problems: Vec<&str>) {
        problems.sort_unstable();
        problems.dedup();
        if problems.is_empty() {
            return;
        }
        self.subheading("Looked for and not found");
        for problem in problems {
            self.line(&format!("- {}", prose(problem)));
        }
    }

    pub(super) fn blockers(&mut self) {
        let blockers = view::blockers(self.report);
        if blockers.is_empty() {
            return;
        }
        self.heading("Critical blockers");
        for (index, blocker) in blockers.iter().enumerate() {
            let problem = blocker.control.map_or(blocker.id, |control| self.context.problem(control));
            let places = match blocker.findings.first() {
                Some(finding) if blocker.findings.len() > 1 => {
                    format!(": {} and {} more", place(&finding.path, finding.line), blocker.findings.len() - 1)
                }
                Some(finding) => format!(": {}", place(&finding.path, finding.line)),
                None => String::new(),
            };
            let (problem, id, days) = (prose(problem), code(blocker.id), view::days(blocker.days));
            self.line(&format!("{}. **{problem}** ({id}){places}, {days}", index + 1));
        }
        if let Some(closing) = view::unblocking(self.report) {
            self.line(&format!("\n{closing}"));
        }
    }

    pub(super) fn priority(&mut self, priority: Priority) {
        let report = self.report;
        let open: Vec<_> = report.controls.iter().filter(|c| c.priority == priority && view::is_open(c)).collect();
        if open.is_empty() {
            return;
        }
        self.heading(&format!("{priority:?}: fix {}", view::priority(priority)));
        for (category, controls) in by_category(open) {
            self.subheading(&capitalised(category));
            for control in controls {
                self.task(control);
            }
        }
    }

    /// One thing to do, as a check-list item.
    fn task(&mut self, control: &ControlReport) {
        let problem = prose(self.context.problem(control));
        let blocks = if control.blocker { ", **blocker**" } else { "" };
        self.line(&format!("- [ ] **{problem}** ({}){blocks}{}", code(&control.id), of_service(control)));
        self.item("State", &prose(&view::standing(control)));
        if let Some(info) = self.context.control(&control.id) {
            self.item("Risk", &prose(&info.why));
            self.item("Fix", &prose(&info.fix));
        }
        if let Some(command) = &control.command {
            self.item("Command", &code(command));
        }
        self.places(control);
        if let Some(miss) = &control.nearest_miss {
            self.item("Nearest miss", &noted(miss));
        }
        self.line(&format!("  - Worth: {} · Effort: {}", view::points(control), view::days(control.effort_days)));
        self.item("Standards", &plain(&grouped(&control.standards)));
    }

    fn item(&mut self, label: &str, body: &str) {
        let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
        if !body.is_empty() {
            self.line(&format!("  - {label}: {body}"));
        }
    }

    /// The files to touch: where something is wrong, or where something is missing.
    fn places(&mut self, control: &ControlReport) {
        let findings: Vec<&FindingReport> = view::open_findings(control).collect();
        let wrong = findings.iter().map(|f| format!("{} {}", place(&f.path, f.line), prose(&f.message)));
        let lacking = control.gaps.iter().map(|gap| {
            let part = if gap.credit > 0.0 { " has it in part" } else { " lacks it" };
            format!("{}{part}", place(&gap.path, gap.line))
        });
        let lines: Vec<String> = wrong.chain(lacking).collect();
        if lines.is_empty() {
            return;
        }
        self.line("  - Files:");
        for line in lines.iter().take(MAX_PLACES) {
            self.line(&format!("    - {line}"));
        }
        if lines.len() > MAX_PLACES {
            self.line(&format!("    - and {} more", lines.len() - MAX_PLACES));
        }
    }

    pub(super) fn quick_wins(&mut self) {
        let wins = view::quick_wins(self.report);
        if wins.is_empty() {
            return;
        }
        self.heading("Quick wins");
        let after = if self.report.score.blockers.is_empty() { "M" } else { "After the blockers, m" };
        self.line(&format!("{after}ost points per day of work first.\n"));
        for (index, control) in wins.iter().enumerate() {
            let problem = prose(self.context.problem(control));
            let (points, days) = (view::points(control), view::days(control.effort_days));
            self.line(&format!("{}. {problem} ({}): {points}, {days}", index + 1, code(&control.id)));
        }
    }

    pub(super) fn weeks(&mut self) {
        let report = self.report;
        let Some(mut before) = report.score.value.filter(|_| !report.plan.weeks.is_empty()) else { return };
        self.heading("Recommended order");
        self.line("For one person with four days a week for it: blockers, then by priority, then by points per day.");
        for (index, week) in report.plan.weeks.iter().enumerate() {
            let change = if week.score > before { "rises to" } else { "stays at" };
            before = week.score;
            self.subheading(&format!("Week {}: the score {change} {:.1}", index + 1, week.score));
            for (index, id) in week.controls.iter().enumerate() {
                let of_id: Vec<_> = report.controls.iter().filter(|c| &c.id == id && view::is_open(c)).collect();
                let problem = of_id.first().map_or(id.as_str(), |control| self.context.problem(control));
                let days = view::days(of_id.iter().map(|control| control.effort_days).sum());
                let line = format!("{}. {} ({}), {days}", index + 1, prose(problem), code(id));
                self.line(&line);
            }
            if week.controls.is_empty() {
                self.line("Work on what the next week completes.");
            }
        }
    }
}

/// Passing with evidence, or attested: the absence of defects is no strength to speak of.
fn is_strength(control: &ControlReport) -> bool {
    match control.state {
        State::Attested => true,
        State::Pass => control.kind != ControlKind::Defect || !control.evidence.is_empty(),
        _ => false,
    }
}

fn is_clean(control: &ControlReport) -> bool {
    control.state == State::Pass && !is_strength(control)
}

/// `: 13 of 13 places, such as …` or `: …`; nothing where there is no evidence to name.
fn proof(control: &ControlReport) -> String {
    let Some(first) = control.evidence.first() else { return String::new() };
    let shown = noted(first);
    let places = control.sites.applicable;
    if control.kind == ControlKind::Coverage && places > 1 {
        format!(": {} of {places} places, such as {shown}", control.sites.satisfied)
    } else {
        format!(": {shown}")
    }
}

/// A place and what is there, unless that is the path again.
fn noted(evidence: &EvidenceReport) -> String {
    let place = place(&evidence.path, evidence.line);
    if evidence.message.is_empty() || evidence.message == evidence.path {
        return place;
    }
    format!("{place} ({})", prose(&evidence.message))
}

fn by_category(controls: Vec<&ControlReport>) -> BTreeMap<&str, Vec<&ControlReport>> {
    let mut categories: BTreeMap<&str, Vec<&ControlReport>> = BTreeMap::new();
    for control in controls {
        categories.entry(&control.category).or_default().push(control);
    }
    categories
}

/// `CWE-306, RFC 9745, RFC 8594` → `CWE-306, RFC 9745, 8594`: what a standard's name says once need not be repeated.
fn grouped(standards: &[String]) -> String {
    let mut out = String::new();
    let mut last = None;
    for standard in standards {
        let name = standard.rsplit_once(' ').map(|(name, _)| name);
        let shown = match standard.rsplit_once(' ') {
            Some((_, clause)) if name == last => clause,
            _ => standard,
        };
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(shown);
        last = name.or(Some(""));
    }
    out
}
