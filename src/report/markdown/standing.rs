//! Where everything stands: tallies, compliance, what is undecided, what was excepted, what was not read.

use std::collections::BTreeMap;

use super::{MAX_LISTED, Page, capitalised, code, listed, of_service, place, plain, prose};
use crate::report::model::{ControlReport, State};
use crate::report::{text, view};
use crate::rules::ControlKind;

/// Frameworks with a section of their own: heading, and how the standards that belong to them begin.
const FRAMEWORKS: [(&str, &[&str]); 3] =
    [("GDPR", &["GDPR"]), ("SOC 2", &["SOC2", "SOC 2"]), ("PCI DSS 4.0", &["PCI DSS 4.0", "PCI DSS"])];

/// What is often recommended and earns no points, since it is right for some and wrong for others.
const ADVICE: [&str; 4] = [
    "Measure before you tune: response times, slow queries, memory, throughput and error rates under a realistic load. \
     Without them no later change can be called an improvement.",
    "Split into services, or move to events, CQRS or GraphQL, when a limit that you measured asks for it. Each adds \
     ways to fail that this report would then ask about.",
    "Put slow work behind a queue, and a gateway in front, once there is more than one service or instance to protect.",
    "Warm caches, or build a portal and client libraries, when users are waiting for them.",
];

impl Page<'_> {
    pub(super) fn tallies(&mut self) {
        self.heading("Where it stands");
        self.line("Controls without rules are left out; one that several services share counts once, at its worst.\n");
        let of_priority = view::tally(self.report, |control| format!("{:?}", control.priority));
        self.tally("Priority", &of_priority);
        self.line("");
        let of_category = view::tally(self.report, |control| capitalised(&control.category));
        self.tally("Category", &of_category);
    }

    fn tally(&mut self, name: &str, rows: &BTreeMap<String, BTreeMap<State, usize>>) {
        let columns = view::columns(rows);
        let headings: Vec<&str> = columns.iter().map(|(_, heading)| *heading).collect();
        self.line(&format!("| {name} | {} |", headings.join(" | ")));
        self.line(&format!("|---|{}", "---:|".repeat(headings.len())));
        for (key, counts) in rows {
            let count = |state| counts.get(state).copied().unwrap_or(0).to_string();
            let cells: Vec<String> = columns.iter().map(|(state, _)| count(state)).collect();
            self.line(&format!("| {key} | {} |", cells.join(" | ")));
        }
    }

    pub(super) fn compliance(&mut self) {
        self.heading("Compliance");
        self.line("What the files show of the clauses that controls name. It is no certification.");
        for (framework, prefixes) in FRAMEWORKS {
            self.framework(framework, prefixes);
        }
    }

    /// The controls that a compliance framework asks for, and how each stands.
    fn framework(&mut self, name: &str, prefixes: &[&str]) {
        let report = self.report;
        let clause = |standard: &String| {
            let rest = prefixes.iter().find_map(|prefix| standard.strip_prefix(prefix))?;
            Some(plain(rest.trim_start()).into_owned())
        };
        let clauses =
            |control: &ControlReport| -> Vec<String> { control.standards.iter().filter_map(clause).collect() };
        let (checked, unchecked): (Vec<_>, Vec<_>) =
            report.controls.iter().filter(|c| !clauses(c).is_empty()).partition(|c| view::is_implemented(c));
        self.subheading(name);
        if !checked.is_empty() {
            self.line("| Control | Clauses | State |\n|---|---|---|");
        }
        for control in checked {
            let state = format!("{} {}", view::mark(control.state), view::state(control.state));
            let (title, clauses) = (prose(&control.title), clauses(control).join(", "));
            self.line(&format!("| {title}{} | {clauses} | {state} |", of_service(control)));
        }
        let mut unchecked: Vec<&str> = unchecked.iter().map(|control| control.id.as_str()).collect();
        unchecked.sort_unstable();
        unchecked.dedup();
        match unchecked.len() {
            0 => {}
            1 => self.line("\nOne more control that names it has no rules yet."),
            many => self.line(&format!("\n{many} more controls that name it have no rules yet.")),
        }
    }

    /// Unknown controls by reason; then those that no file can decide, as questions to people.
    pub(super) fn undecided(&mut self) {
        let report = self.report;
        let unknown = || report.controls.iter().filter(|control| control.state == State::Unknown);
        let mut reasons: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for control in unknown().filter(|c| c.kind != ControlKind::Manual && view::is_implemented(c)) {
            let reason = if control.reason.is_empty() { "no evidence either way" } else { &control.reason };
            reasons.entry(reason).or_default().push(format!("{}{}", code(&control.id), of_service(control)));
        }
        let manual: BTreeMap<&str, &ControlReport> =
            unknown().filter(|c| c.kind == ControlKind::Manual).map(|c| (c.id.as_str(), c)).collect();
        if reasons.is_empty() && manual.is_empty() {
            return;
        }
        self.heading("What cannot be decided from the files");
        for (reason, ids) in &reasons {
            self.line(&format!("- {}: {}", prose(reason), listed(ids)));
        }
        if manual.is_empty() {
            return;
        }
        if !reasons.is_empty() {
            self.line("");
        }
        self.line("Only people know the following. An `[[attest]]` in `readycheck.toml` puts an answer on record:\n");
        let first = manual.keys().next().copied().unwrap_or_default();
        self.line(&format!("```toml\n{}```\n", view::attestation(first)));
        for (id, control) in manual {
            let info = self.context.control(id);
            let fix = info.map_or_else(String::new, |info| format!(": {}", prose(&info.fix)));
            self.line(&format!("- [ ] **{}** ({}){fix}", prose(&control.title), code(id)));
        }
    }

    pub(super) fn advice(&mut self) {
        self.heading("Advice that is not scored");
        for advice in ADVICE {
            self.line(&format!("- {advice}"));
        }
    }

    /// Waivers, attestations and notices.
    pub(super) fn exceptions(&mut self) {
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

    pub(super) fn unread(&mut self) {
        let report = self.report;
        if report.diagnostics.is_empty() {
            return;
        }
        self.heading("What was not read");
        for diagnostic in report.diagnostics.iter().take(MAX_LISTED) {
            let at = place(&diagnostic.path, diagnostic.line);
            self.line(&format!("- {at} {}: {}", plain(&diagnostic.kind), prose(&diagnostic.message)));
        }
        if report.diagnostics.len() > MAX_LISTED {
            let rest = report.diagnostics.len() - MAX_LISTED;
            self.line(&format!("- and {rest} more: `readycheck audit --list-skipped`"));
        }
    }
}
