//! The report as a TODO list in Markdown: score, strengths, blockers, what to fix by priority, quick wins, a plan by
//! week, tallies, compliance, what cannot be decided from files, and advice that is not scored.

mod standing;
mod tasks;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::model::{ControlReport, Report, ScoreState};
use super::text::{self, markdown as plain, markdown_code as code, markdown_prose as prose};
use super::view::{self, Context, PRIORITIES};

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
    page.compliance();
    page.undecided();
    page.advice();
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
        self.heading_of_level("##", title);
    }

    fn subheading(&mut self, title: &str) {
        self.heading_of_level("###", title);
    }

    fn heading_of_level(&mut self, marks: &str, title: &str) {
        self.out.truncate(self.out.trim_end().len());
        let _ = write!(self.out, "\n\n{marks} {title}\n\n");
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
        let files = text::thousands(self.report.project.counts.audited);
        let lines = text::thousands(self.report.project.lines);
        let stacks = view::stacks(self.report).join(", ");
        let mut looked_at = vec![format!("{files} files, {lines} lines")];
        if !stacks.is_empty() {
            looked_at.push(plain(&stacks).into_owned());
        }
        looked_at.extend(view::trust(self.report));
        self.line(&looked_at.join(" · "));
        self.remarks();
        let obstacles = view::obstacles(self.report);
        if !obstacles.is_empty() {
            self.line("\nNot yet ready because:\n");
            for obstacle in obstacles {
                self.line(&format!("- {}", plain(&obstacle)));
            }
        }
    }

    /// What a reader must know to judge the number.
    fn remarks(&mut self) {
        let score = &self.report.score;
        let mut remarks = Vec::new();
        if let (Some(base), Some(cap)) = (score.base, score.cap)
            && f64::from(cap) < base
        {
            remarks.push(format!("Open blockers hold the score of {base:.1} down to {cap}."));
        }
        if let (Some(strict), Some(value)) = (score.strict, score.value)
            && format!("{strict:.1}") != format!("{value:.1}")
        {
            remarks.push(format!("Without waivers and overrides the score would be {strict:.1}."));
        }
        if !remarks.is_empty() {
            self.line(&format!("\n{}", remarks.join(" ")));
        }
    }

    fn services(&mut self) {
        let services = &self.report.project.services;
        if services.len() < 2 {
            return;
        }
        let mut rows = String::new();
        let mut unscored: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for service in services {
            let score = &service.score;
            if score.state == ScoreState::NotAssessable {
                unscored.entry(&score.reason).or_default().push(code(&service.path));
                continue;
            }
            let (value, grade) = (view::value(score), view::grade(score));
            let (path, verdict) = (code(&service.path), view::verdict(score));
            let _ = writeln!(rows, "| {path} | {value} | {grade} | {verdict} | {} |", score.blockers.len());
        }
        self.heading("Services");
        if !rows.is_empty() {
            self.line("The project's score is that of its worst service.\n");
            self.line("| Service | Score | Grade | Verdict | Blockers |\n|---|---:|---|---|---:|");
            self.line(&rows);
        }
        for (reason, paths) in unscored {
            self.line(&format!("- No score, since {}: {}", prose(reason), listed(&paths)));
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

/// Entries of a list in running text before the rest is only counted.
const MAX_LISTED: usize = 20;

fn listed(entries: &[String]) -> String {
    let (shown, rest) = entries.split_at(entries.len().min(MAX_LISTED));
    let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("{}{more}", shown.join(", "))
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
