//! The report as a TODO list in Markdown: score, strengths, blockers, what to fix by priority, quick wins, a plan by
//! week, tallies, compliance, and what cannot be decided from files.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::model::{ControlReport, FindingReport, Report, ScoreState, State, StateCounts};
use super::text::{self, markdown as plain, markdown_code as code, markdown_prose as prose};
use super::view::{self, Context, PRIORITIES, STATES};
use crate::rules::{ControlKind, Priority};

/// Places listed per control before the rest is only counted.
const MAX_PLACES: usize = 10;

/// Frameworks with a section of their own: heading, and the beginnings of the standards that belong to them.
const FRAMEWORKS: [(&str, &[&str]); 3] = [("GDPR", &["GDPR"]), ("SOC 2", &["SOC2", "SOC 2"]), ("PCI DSS", &["PCI"])];

pub fn markdown(report: &Report, context: &Context) -> String {
    let mut page = Page { out: String::new(), report, context };
    page.title();
    page.services();
    page.strengths();
    page.blockers();
    for priority in PRIORITIES {
        page.priority(priority);
    }
    page.quick_wins();
    page.weeks();
    page.tallies();
    for (framework, prefixes) in FRAMEWORKS {
        page.framework(framework, prefixes);
    }
    page.undecided();
    page.exceptions();
    page.unread();
    page.footer();
    page.out
}

struct Page<'a> {
    out: String,
    report: &'a Report,
    context: &'a Context<'a>,
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn heading(&mut self, title: &str) {
        self.out.truncate(self.out.trim_end().len());
        let _ = write!(self.out, "\n\n## {title}\n\n");
    }

    fn title(&mut self) {
        let score = &self.report.score;
        if score.state == ScoreState::NotAssessable {
            self.line("# Production readiness: not assessable\n");
            let reason = prose(&score.reason);
            self.line(&format!("No score: {reason}."));
            return;
        }
        let ten = score.out_of_10.map_or_else(|| "–".into(), |ten| format!("{ten:.1}"));
        self.line(&format!("# Production readiness: {ten} / 10\n"));
        let (value, grade, verdict) = (view::value(score), view::grade(score), view::verdict(score));
        self.line(&format!("**Verdict: {verdict}** · {value} of 100 · grade {grade} · {}\n", view::level(score.level)));
        self.doubts();
        let files = text::thousands(self.report.project.counts.audited);
        let lines = text::thousands(self.report.project.lines);
        let stacks = view::stacks(self.report).join(", ");
        let stacks = if stacks.is_empty() { String::new() } else { format!(" · {}", plain(&stacks)) };
        self.line(&format!("{files} files, {lines} lines{stacks}"));
        let obstacles = view::obstacles(self.report);
        if !obstacles.is_empty() {
            self.line("\nNot yet ready because:\n");
            for obstacle in obstacles {
                self.line(&format!("- {}", plain(&obstacle)));
            }
        }
    }

    fn doubts(&mut self) {
        let score = &self.report.score;
        let mut parts = vec![format!("{} of the weight could be assessed", view::percent(score.assessed))];
        if let (Some(low), Some(high)) = (score.low, score.high) {
            parts.push(format!("whatever is unknown, the score lies between {low:.1} and {high:.1}"));
        }
        if let (Some(base), Some(cap)) = (score.base, score.cap)
            && f64::from(cap) < base
        {
            parts.push(format!("open blockers hold {base:.1} down to {cap}"));
        }
        if let (Some(strict), Some(value)) = (score.strict, score.value)
            && format!("{strict:.1}") != format!("{value:.1}")
        {
            parts.push(format!("without waivers and overrides it would be {strict:.1}"));
        }
        self.line(&format!("{}.\n", parts.join("; ")));
    }

    fn services(&mut self) {
        let services = &self.report.project.services;
        if services.len() < 2 {
            return;
        }
        let mut rows = String::from("| Service | Score | Grade | Verdict | Blockers |\n|---|---:|---|---|---:|\n");
        for service in services {
            let score = &service.score;
            let (value, grade) = (view::value(score), view::grade(score));
            let (path, verdict) = (plain(&service.path), view::verdict(score));
            let _ = writeln!(rows, "| {path} | {value} | {grade} | {verdict} | {} |", score.blockers.len());
        }
        self.heading("Services");
        self.line("The project's score is that of its worst service.\n");
        self.out.push_str(&rows);
    }

    fn strengths(&mut self) {
        let mut categories: BTreeMap<&str, Vec<&ControlReport>> = BTreeMap::new();
        let report = self.report;
        for control in report.controls.iter().filter(|c| is_strength(c)) {
            categories.entry(&control.category).or_default().push(control);
        }
        if categories.is_empty() {
            return;
        }
        self.heading("Current strengths");
        for (category, controls) in categories {
            self.line(&format!("### {}\n", capitalised(category)));
            for control in controls {
                let evidence = control.evidence.first();
                let evidence = evidence
                    .map_or_else(String::new, |e| format!(": {} ({})", prose(&e.message), place(&e.path, e.line)));
                self.line(&format!("- [x] {}{evidence}{}", prose(&control.title), of_service(control)));
            }
            self.line("");
        }
    }

    fn blockers(&mut self) {
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
            self.line(&format!("{}. **{}** ({}){places}", index + 1, prose(problem), code(blocker.id)));
        }
    }

    fn priority(&mut self, priority: Priority) {
        let report = self.report;
        let open: Vec<_> = report.controls.iter().filter(|c| c.priority == priority && view::is_open(c)).collect();
        if open.is_empty() {
            return;
        }
        self.heading(&format!("{priority:?}: fix {}", view::priority(priority)));
        let mut categories: BTreeMap<&str, Vec<&ControlReport>> = BTreeMap::new();
        for control in open {
            categories.entry(&control.category).or_default().push(control);
        }
        for (category, controls) in categories {
            self.line(&format!("### {}\n", capitalised(category)));
            for control in controls {
                self.task(control);
            }
            self.line("");
        }
    }

    /// One thing to do, as a check-list item.
    fn task(&mut self, control: &ControlReport) {
        let problem = self.context.problem(control).to_owned();
        self.line(&format!("- [ ] **{}** ({}){}", prose(&problem), code(&control.id), of_service(control)));
        if !control.reason.is_empty() {
            self.line(&format!("  - State: {}, {}", view::state(control.state), prose(&control.reason)));
        }
        if let Some(info) = self.context.control(&control.id) {
            self.item("Risk", &prose(&info.why));
            self.item("Fix", &prose(&info.fix));
        }
        self.places(control);
        if let Some(miss) = &control.nearest_miss {
            self.line(&format!("  - Nearest miss: {} ({})", prose(&miss.message), place(&miss.path, miss.line)));
        }
        self.line(&format!("  - Worth: {} · Effort: {}", view::points(control), view::days(control.effort_days)));
        self.item("Standards", &plain(&control.standards.join(", ")));
    }

    fn item(&mut self, label: &str, body: &str) {
        let body = body.split_whitespace().collect::<Vec<_>>().join(" ");
        if !body.is_empty() {
            self.line(&format!("  - {label}: {body}"));
        }
    }

    fn places(&mut self, control: &ControlReport) {
        let findings: Vec<&FindingReport> = view::open_findings(control).collect();
        if findings.is_empty() {
            return;
        }
        self.line("  - Files:");
        for finding in findings.iter().take(MAX_PLACES) {
            self.line(&format!("    - {} {}", place(&finding.path, finding.line), prose(&finding.message)));
        }
        if findings.len() > MAX_PLACES {
            self.line(&format!("    - and {} more", findings.len() - MAX_PLACES));
        }
    }

    fn quick_wins(&mut self) {
        let wins = view::quick_wins(self.report);
        if wins.is_empty() {
            return;
        }
        self.heading("Quick wins");
        self.line("Most points per day of work first.\n");
        for (index, control) in wins.iter().enumerate() {
            let problem = prose(self.context.problem(control));
            let (points, days) = (view::points(control), view::days(control.effort_days));
            self.line(&format!("{}. {problem} ({}): {points}, {days}", index + 1, code(&control.id)));
        }
    }

    fn weeks(&mut self) {
        let report = self.report;
        if report.plan.weeks.is_empty() {
            return;
        }
        self.heading("Recommended order");
        for (index, week) in report.plan.weeks.iter().enumerate() {
            self.line(&format!("### Week {}: the score rises to {:.1}\n", index + 1, week.score));
            for (index, id) in week.controls.iter().enumerate() {
                let control = report.controls.iter().find(|control| &control.id == id);
                let problem = control.map_or(id.as_str(), |control| self.context.problem(control));
                let line = format!("{}. {} ({})", index + 1, prose(problem), code(id));
                self.line(&line);
            }
            self.line("");
        }
    }

    fn tallies(&mut self) {
        self.heading("Where it stands");
        let report = self.report;
        self.tally("Priority", &report.tallies.priority);
        self.line("");
        self.tally("Category", &report.tallies.category);
    }

    fn tally(&mut self, name: &str, rows: &BTreeMap<String, StateCounts>) {
        let headings: Vec<&str> = STATES.iter().map(|(_, heading)| *heading).collect();
        self.line(&format!("| {name} | {} |", headings.join(" | ")));
        self.line(&format!("|---|{}", "---:|".repeat(headings.len())));
        for (key, counts) in rows {
            let cells: Vec<String> =
                STATES.iter().map(|(state, _)| counts.get(*state).copied().unwrap_or(0).to_string()).collect();
            self.line(&format!("| {} | {} |", plain(key), cells.join(" | ")));
        }
    }

    /// The controls that a compliance framework asks for, and how each stands.
    fn framework(&mut self, name: &str, prefixes: &[&str]) {
        let report = self.report;
        let clauses = |control: &ControlReport| -> Vec<String> {
            let asks = |standard: &&String| prefixes.iter().any(|prefix| standard.starts_with(prefix));
            control.standards.iter().filter(asks).cloned().collect()
        };
        let rows: Vec<_> = report.controls.iter().filter(|c| !clauses(c).is_empty()).collect();
        if rows.is_empty() {
            return;
        }
        self.heading(name);
        self.line("What files show of the clauses that a control names. It is no certification.\n");
        let (checked, unchecked): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|control| view::is_implemented(control));
        self.line("| Control | Clauses | State |\n|---|---|---|");
        for control in checked {
            let clauses = plain(&clauses(control).join(", ")).into_owned();
            let state = format!("{} {}", view::mark(control.state), view::state(control.state));
            self.line(&format!("| {}{} | {clauses} | {state} |", prose(&control.title), of_service(control)));
        }
        if !unchecked.is_empty() {
            let titles: Vec<String> = unchecked.iter().map(|control| prose(&control.title)).collect();
            self.line(&format!("\nNot checked yet: {}.", titles.join("; ")));
        }
    }

    /// Unknown and manual controls, by reason.
    fn undecided(&mut self) {
        let report = self.report;
        let mut reasons: BTreeMap<(bool, &str), Vec<&str>> = BTreeMap::new();
        for control in report.controls.iter().filter(|c| c.state == State::Unknown) {
            let manual = control.kind == ControlKind::Manual;
            let reason = if control.reason.is_empty() { "no evidence either way" } else { &control.reason };
            reasons.entry((manual, reason)).or_default().push(&control.id);
        }
        if reasons.is_empty() {
            return;
        }
        self.heading("What cannot be decided from the files");
        for ((manual, reason), mut ids) in reasons {
            ids.sort_unstable();
            ids.dedup();
            let ids: Vec<String> = ids.into_iter().map(code).collect();
            let by = if manual { " (somebody has to vouch for it)" } else { "" };
            self.line(&format!("- {}{by}: {}", prose(reason), ids.join(", ")));
        }
    }

    /// Waivers, attestations and notices.
    fn exceptions(&mut self) {
        let report = self.report;
        if report.waivers.is_empty() && report.attestations.is_empty() && report.notices.is_empty() {
            return;
        }
        self.heading("Waivers, attestations and notices");
        for waiver in &report.waivers {
            let what = waiver.control.as_deref().or(waiver.rule.as_deref()).unwrap_or("findings");
            let until = waiver.until.as_deref().map_or_else(String::new, |until| format!(" until {}", plain(until)));
            let expired = if waiver.expired { " (**expired**)" } else { "" };
            let hides = text::count(usize::try_from(waiver.findings).unwrap_or(usize::MAX), "finding");
            let reason = plain(&waiver.reason);
            self.line(&format!("- Waived {}{until}{expired}: {reason}. Hides {hides}.", code(what)));
        }
        for attestation in &report.attestations {
            let expired = if attestation.expired { " (**expired**)" } else { "" };
            let (by, evidence) = (plain(&attestation.by), plain(&attestation.evidence));
            self.line(&format!("- Attested {} by {by}{expired}: {evidence}", code(&attestation.control)));
        }
        for notice in &report.notices {
            let at = notice
                .path
                .as_ref()
                .map_or_else(String::new, |path| format!("{}: ", place(path, notice.line.unwrap_or(1))));
            self.line(&format!("- {at}{}", prose(&notice.message)));
        }
    }

    fn unread(&mut self) {
        let report = self.report;
        if report.diagnostics.is_empty() {
            return;
        }
        self.heading("What was not read");
        for diagnostic in &report.diagnostics {
            let at = place(&diagnostic.path, diagnostic.line);
            self.line(&format!("- {at} {}: {}", plain(&diagnostic.kind), prose(&diagnostic.message)));
        }
    }

    fn footer(&mut self) {
        let tool = &self.report.tool;
        let now = self.report.now.as_deref().map_or_else(String::new, |now| format!(" on {}", plain(now)));
        let (name, version, epoch) = (tool.name, tool.version, plain(&tool.epoch).into_owned());
        self.out.truncate(self.out.trim_end().len());
        self.line(&format!("\n\n---\n\nWritten by {name} {version} (epoch {epoch}){now}."));
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

fn place(path: &str, line: u32) -> String {
    code(&format!("{path}:{line}"))
}

fn of_service(control: &ControlReport) -> String {
    if control.service == "." { String::new() } else { format!(" in {}", code(&control.service)) }
}

/// `code-quality` → `Code quality`.
fn capitalised(category: &str) -> String {
    if category == "api" {
        return "API".into();
    }
    let words = plain(category).replace('-', " ");
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn render(report: &Report) -> String {
        let source = |_: &str| None;
        let controls = sample::controls();
        markdown(report, &Context { controls: &controls, source: &source })
    }

    #[test]
    fn snapshots() {
        insta::assert_snapshot!("unready", render(&sample::unready()));
        insta::assert_snapshot!("ready", render(&sample::ready()));
        insta::assert_snapshot!("not_assessable", render(&sample::not_assessable()));
    }

    #[test]
    fn names_from_the_tree_cannot_become_html_or_links() {
        let mut report = sample::unready();
        let finding = &mut report.controls[0].findings[0];
        finding.path = "src/`<script>alert(1)</script>`.ts".into();
        finding.message = "<img src=x onerror=alert(1)> [click](javascript:alert(1))\n# title".into();
        let page = render(&report);
        assert!(!page.contains("<img"), "{page}");
        assert!(!page.contains("[click](javascript"), "{page}");
        assert!(!page.contains("\n# title"), "{page}");
        assert!(page.contains("``src/`<script>alert(1)</script>`.ts:4``"), "{page}");
    }

    #[test]
    fn many_places_are_counted() {
        let mut report = sample::unready();
        report.controls[0].findings = (1..=25).map(|line| sample::finding("r", "a.ts", line, "bad")).collect();
        let page = render(&report);
        assert!(page.contains("    - and 15 more"), "{page}");
    }
}
