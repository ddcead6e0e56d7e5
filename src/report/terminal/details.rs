//! What `--verbose` and `--only` show after the screen: findings with their code, evidence, unknowns, notices.

use std::collections::{BTreeMap, HashSet};

use super::Settings;
use super::excerpt::Excerpts;
use super::paint::Paint;
use crate::report::model::{ControlReport, FindingState, Report, ScoreState, State};
use crate::report::text;
use crate::report::view::{self, Context, PRIORITIES};

/// Findings of one control that are shown with their code; the rest are listed by place.
const MAX_EXCERPTS: usize = 20;

pub fn render(out: &mut String, report: &Report, context: &Context, settings: &Settings) {
    let paint = Paint { color: settings.color };
    let excerpts = Excerpts::new(report, context, settings.width, settings.color);
    let mut details = Details { out, context, settings, paint, excerpts };
    if settings.verbose {
        details.services(report);
    }
    let chosen: HashSet<&str> = settings.details.iter().map(String::as_str).collect();
    let controls: Vec<&ControlReport> =
        report.controls.iter().filter(|c| chosen.is_empty() || chosen.contains(c.id.as_str())).collect();
    details.open(&controls);
    details.passing(&controls);
    details.unknown(&controls);
    details.not_applicable(&controls);
    if settings.verbose {
        details.notices(report);
    }
}

/// Every file that was left out or could only be read in part, with the reason.
pub fn unread(out: &mut String, report: &Report, settings: &Settings) {
    let paint = Paint { color: settings.color };
    if report.diagnostics.is_empty() {
        if settings.list_skipped {
            out.push_str("\nEvery file was read.\n");
        }
        return;
    }
    push_heading(out, paint, "NOT READ, OR NOT READ IN FULL", settings.width);
    for diagnostic in &report.diagnostics {
        let place = format!("{}:{}", diagnostic.path, diagnostic.line);
        let line = format!("{}  {}: {}", place, diagnostic.kind, diagnostic.message);
        push_wrapped(out, "  ! ", &text::terminal(&line), settings.width);
    }
}

struct Details<'a, 'o> {
    out: &'o mut String,
    context: &'a Context<'a>,
    settings: &'a Settings,
    paint: Paint,
    excerpts: Excerpts<'a>,
}

impl Details<'_, '_> {
    fn open(&mut self, controls: &[&ControlReport]) {
        for priority in PRIORITIES {
            let open: Vec<_> = controls.iter().filter(|c| c.priority == priority && view::is_open(c)).collect();
            if !open.is_empty() {
                self.heading(&format!("{priority:?}, TO FIX {}", view::priority(priority).to_uppercase()));
            }
            for control in open {
                self.control(control);
            }
        }
    }

    /// The services with their scores; those without one by reason.
    fn services(&mut self, report: &Report) {
        let services = &report.project.services;
        if services.len() < 2 {
            return;
        }
        self.heading("SERVICES");
        let mut unscored: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for service in services {
            let score = &service.score;
            if score.state == ScoreState::NotAssessable {
                unscored.entry(&score.reason).or_default().push(&service.path);
                continue;
            }
            let (value, grade, verdict) = (view::value(score), view::grade(score), view::verdict(score));
            let blockers = text::count(score.blockers.len(), "blocker");
            let line = format!("{}  {value} of 100, grade {grade}, {verdict}, {blockers}", service.path);
            self.wrapped("  ", &text::terminal(&line));
        }
        for (reason, paths) in unscored {
            self.wrapped("– ", &text::terminal(&format!("no score, since {reason}: {}", paths.join(", "))));
        }
    }

    fn control(&mut self, control: &ControlReport) {
        let problem = text::terminal(self.context.problem(control)).into_owned();
        let blocks = if control.blocker { self.paint.bad("  BLOCKER") } else { String::new() };
        let title = format!("{} {}", view::mark(control.state), text::terminal(&control.id));
        self.line(&format!("{}  {problem}{blocks}", self.paint.bold(&title)));
        let facts = self.figures(control);
        self.wrapped("  ", &facts);
        if let Some(info) = self.context.control(&control.id) {
            self.wrapped("  why: ", &text::terminal(&info.why));
            self.wrapped("  fix: ", &text::terminal(&info.fix));
        }
        if let Some(command) = &control.command {
            self.wrapped("  → ", &text::terminal(command));
        }
        if let Some(miss) = &control.nearest_miss {
            let miss = format!("{} ({}:{})", miss.message, miss.path, miss.line);
            self.wrapped("  nearest miss: ", &text::terminal(&miss));
        }
        self.findings(control);
        self.gaps(control);
        self.out.push('\n');
    }

    /// The places that lack it and that no finding shows.
    fn gaps(&mut self, control: &ControlReport) {
        for gap in control.gaps.iter().take(MAX_EXCERPTS) {
            let part = if gap.credit > 0.0 { "has it in part" } else { "lacks it" };
            self.wrapped("  × ", &text::terminal(&format!("{}:{}  {part}", gap.path, gap.line)));
        }
        if control.gaps.len() > MAX_EXCERPTS {
            self.line(&format!("  … and {}", text::count(control.gaps.len() - MAX_EXCERPTS, "more place")));
        }
    }

    /// State, worth and effort in one line.
    fn figures(&self, control: &ControlReport) -> String {
        let mut parts = vec![view::state(control.state).to_owned()];
        let standing = view::standing(control);
        if standing != parts[0] {
            parts.push(text::terminal(&standing).into_owned());
        }
        parts.push(view::points(control));
        parts.push(view::days(control.effort_days));
        if control.service != "." {
            parts.push(format!("service {}", text::terminal(&control.service)));
        }
        parts.join(" · ")
    }

    fn findings(&mut self, control: &ControlReport) {
        let open: Vec<_> = view::open_findings(control).collect();
        for finding in open.iter().take(MAX_EXCERPTS) {
            let shown = self.excerpts.finding(finding);
            self.out.push_str(&shown);
            for step in &finding.trace {
                let step = format!("{}:{}  {}", step.path, step.line, step.message);
                self.wrapped("    from ", &text::terminal(&step));
            }
        }
        if open.len() > MAX_EXCERPTS {
            self.line(&format!("  … and {} without code:", text::count(open.len() - MAX_EXCERPTS, "more finding")));
        }
        for finding in open.iter().skip(MAX_EXCERPTS) {
            let line = format!("{}:{}  {}", finding.path, finding.line, finding.message);
            self.wrapped("  × ", &text::terminal(&line));
        }
        let hidden = |state| control.findings.iter().filter(|finding| finding.state == state).count();
        for (state, word) in [(FindingState::Waived, "waived"), (FindingState::Baseline, "in the baseline")] {
            if hidden(state) > 0 {
                self.line(&format!("  {} {word}", text::count(hidden(state), "finding")));
            }
        }
    }

    fn passing(&mut self, controls: &[&ControlReport]) {
        let passing: Vec<_> = controls.iter().filter(|c| is_good(c) && !view::is_open(c)).collect();
        if passing.is_empty() {
            return;
        }
        self.heading("IN PLACE");
        for control in passing {
            let mark = self.paint.good(view::mark(control.state));
            self.line(&format!("{mark} {}  {}", text::terminal(&control.id), text::terminal(&control.title)));
            for evidence in &control.evidence {
                let line = format!("{}:{}  {}", evidence.path, evidence.line, evidence.message);
                self.wrapped("    ", &text::terminal(&line));
            }
        }
    }

    /// Unknown controls by reason: one line per reason, so that what is not built yet does not drown the rest.
    fn unknown(&mut self, controls: &[&ControlReport]) {
        self.by_reason(controls, State::Unknown, "UNKNOWN", "?");
    }

    fn not_applicable(&mut self, controls: &[&ControlReport]) {
        self.by_reason(controls, State::NotApplicable, "NOT APPLICABLE", "–");
    }

    fn by_reason(&mut self, controls: &[&ControlReport], state: State, title: &str, mark: &str) {
        let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for control in controls.iter().filter(|control| control.state == state && !view::is_open(control)) {
            reasons.entry(&control.reason).or_default().push(&control.id);
        }
        if reasons.is_empty() {
            return;
        }
        self.heading(title);
        for (reason, mut ids) in reasons {
            ids.sort_unstable();
            ids.dedup();
            self.wrapped(&format!("{mark} "), &text::terminal(&format!("{reason}: {}", ids.join(", "))));
        }
    }

    fn notices(&mut self, report: &Report) {
        if report.notices.is_empty() {
            return;
        }
        self.heading("NOTICES");
        for notice in &report.notices {
            let place = match (&notice.path, notice.line) {
                (Some(path), Some(line)) => format!("{path}:{line}  "),
                (Some(path), None) => format!("{path}  "),
                _ => String::new(),
            };
            self.wrapped("! ", &text::terminal(&format!("{place}{}", notice.message)));
        }
    }

    fn heading(&mut self, title: &str) {
        push_heading(self.out, self.paint, title, self.settings.width);
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn wrapped(&mut self, prefix: &str, text: &str) {
        push_wrapped(self.out, prefix, text, self.settings.width);
    }
}

fn is_good(control: &ControlReport) -> bool {
    matches!(control.state, State::Pass | State::Attested | State::Waived)
}

fn push_heading(out: &mut String, paint: Paint, title: &str, width: usize) {
    if !out.ends_with("\n\n") {
        out.push('\n');
    }
    let rule = "─".repeat(width.saturating_sub(text::width(title) + 4));
    out.push_str(&paint.bold(&format!("── {title} {rule}")));
    out.push_str("\n\n");
}

/// Lines of at most `width` columns, later ones indented to the first one's text.
fn push_wrapped(out: &mut String, prefix: &str, body: &str, width: usize) {
    let indent = text::width(prefix);
    for (index, line) in text::wrap(body, width.saturating_sub(indent).max(20)).iter().enumerate() {
        let start = if index == 0 { prefix.to_owned() } else { " ".repeat(indent) };
        out.push_str(&format!("{start}{line}\n"));
    }
}
