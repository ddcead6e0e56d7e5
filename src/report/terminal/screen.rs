//! The first screen: it fits 24 lines of 80 columns and leaves one for the prompt.

use super::paint::Paint;
use super::{Settings, tables};
use crate::report::model::{ControlReport, Report, ScoreState, Verdict};
use crate::report::text;
use crate::report::view::{self, Blocker, Context};

/// Lines of the screen; the last of a terminal's 24 holds the prompt.
const LINES: usize = 23;
const MAX_SERVICES: usize = 3;
const MAX_WINS: usize = 5;

pub fn render(out: &mut String, report: &Report, context: &Context, settings: &Settings) {
    let screen = Screen { report, context, settings, paint: Paint { color: settings.color } };
    for line in screen.lines() {
        out.push_str(&line);
        out.push('\n');
    }
}

/// `NOT READY   2.8 / 10, grade F   (28.2 of 100, level L0)`
pub fn headline(report: &Report, paint: Paint) -> String {
    let score = &report.score;
    let verdict = view::verdict(score).to_uppercase();
    let verdict = match score.verdict {
        Some(Verdict::Ready) => paint.good(&verdict),
        Some(Verdict::Conditional) => paint.warn(&verdict),
        Some(Verdict::NotReady) => paint.bad(&verdict),
        None => paint.warn(&verdict),
    };
    let (Some(value), Some(ten), Some(grade)) = (score.value, score.out_of_10, score.grade) else {
        return verdict;
    };
    let numbers = paint.bold(&format!("{ten:.1} / 10, grade {grade}"));
    format!("{verdict}   {numbers}   ({value:.1} of 100, level {})", view::level(score.level))
}

struct Screen<'a> {
    report: &'a Report,
    context: &'a Context<'a>,
    settings: &'a Settings,
    paint: Paint,
}

impl Screen<'_> {
    fn lines(&self) -> Vec<String> {
        let mut head = vec![headline(self.report, self.paint), self.subject()];
        if self.report.score.state == ScoreState::NotAssessable {
            head.extend(self.not_assessable());
            return head;
        }
        head.extend(self.remarks());
        let mut tail = self.services();
        tail.push(String::new());
        tail.extend(tables::priorities(self.report));
        tail.extend(self.how_to_go_on());

        let room = LINES.saturating_sub(head.len() + tail.len());
        head.extend(self.work(room));
        if head.len() + tail.len() < LINES {
            tail.insert(tail.len() - self.how_to_go_on().len(), String::new());
        }
        head.extend(tail);
        head
    }

    /// What was looked at.
    fn subject(&self) -> String {
        let project = &self.report.project;
        let files = text::count(usize::try_from(project.counts.audited).unwrap_or(usize::MAX), "file");
        let mut parts = vec![format!("{files}, {} lines", text::thousands(project.lines))];
        if project.services.len() > 1 {
            parts.push(text::count(project.services.len(), "service"));
        }
        parts.extend(self.trust());
        let stacks = view::stacks(self.report).join(", ");
        if !stacks.is_empty() {
            parts.push(text::terminal(&stacks).into_owned());
        }
        self.paint.dim(&text::truncate(&parts.join(" · "), self.settings.width))
    }

    /// How far the number can be trusted.
    fn trust(&self) -> Option<String> {
        let score = &self.report.score;
        let assessed = view::percent(score.assessed);
        match (score.low, score.high) {
            (Some(low), Some(high)) => Some(format!("{assessed} assessed (score {low:.1}–{high:.1})")),
            _ => None,
        }
    }

    /// At most one line about what a reader must know to judge the number.
    fn remarks(&self) -> Option<String> {
        let score = &self.report.score;
        let mut parts = Vec::new();
        if let (Some(cap), Some(base)) = (score.cap, score.base)
            && f64::from(cap) < base
        {
            parts.push(format!("{base:.1} held down to {cap} by blockers"));
        }
        if let (Some(strict), Some(value)) = (score.strict, score.value)
            && format!("{strict:.1}") != format!("{value:.1}")
        {
            parts.push(format!("{strict:.1} without waivers"));
        }
        let skipped: u64 = self.report.project.counts.skipped.values().sum();
        if skipped > 0 {
            let files = text::count(usize::try_from(skipped).unwrap_or(usize::MAX), "file");
            parts.push(format!("{files} not read (--list-skipped)"));
        }
        if !self.report.notices.is_empty() {
            parts.push(format!("{} (--verbose)", text::count(self.report.notices.len(), "notice")));
        }
        let line = format!("! {}", parts.join(" · "));
        (!parts.is_empty()).then(|| self.paint.warn(&text::truncate(&line, self.settings.width)))
    }

    /// Blockers and quick wins in `room` lines. Both have a title and a blank line before it.
    fn work(&self, room: usize) -> Vec<String> {
        let blockers = view::blockers(self.report);
        let wins = view::quick_wins(self.report);
        let room = room.saturating_sub(2);
        let some_wins = wins.len().min(room.saturating_sub(2 + blockers.len().min(2)).min(3));
        let left = room.saturating_sub(if some_wins == 0 { 0 } else { 2 + some_wins });
        let mut out = vec![String::new()];
        out.extend(if blockers.is_empty() { self.no_blockers(left) } else { self.blockers(&blockers, left) });
        if some_wins > 0 {
            let left = room.saturating_sub(out.len());
            out.push(String::new());
            out.extend(self.wins(&wins, left.clamp(some_wins, MAX_WINS)));
        }
        out
    }

    /// One line per blocker; those for which there is no room share the last one.
    fn blockers(&self, blockers: &[Blocker], max: usize) -> Vec<String> {
        let shown = if blockers.len() <= max { blockers.len() } else { max.saturating_sub(1) };
        let (first, rest) = blockers.split_at(shown);
        let ids = first.iter().map(|b| text::width(b.id)).max().unwrap_or(0).min(36);
        let mut out = vec![self.paint.bold(&format!("BLOCKERS ({})", blockers.len()))];
        out.extend(first.iter().map(|blocker| self.blocker(blocker, ids)));
        if !rest.is_empty() {
            let rest = rest.iter().map(|blocker| blocker.id).collect::<Vec<_>>().join(", ");
            let rest = text::truncate(&text::terminal(&rest), self.settings.width.saturating_sub(8)).into_owned();
            out.push(format!("  {} and {rest}", self.paint.bad("✗")));
        }
        out
    }

    fn blocker(&self, blocker: &Blocker, ids: usize) -> String {
        let id = text::pad(&text::terminal(blocker.id), ids);
        let more = match blocker.findings.len() {
            0 | 1 => String::new(),
            many => format!("  +{} more", many - 1),
        };
        let room = self.settings.width.saturating_sub(6 + ids + text::width(&more));
        let place = match (blocker.findings.first(), blocker.control) {
            (Some(finding), _) => format!("{}:{}", finding.path, finding.line),
            (None, Some(control)) => control.reason.clone(),
            (None, None) => String::new(),
        };
        let place = text::terminal(&place);
        let place = text::truncate_front(&place, room);
        format!("  {} {id}  {}{more}", self.paint.bad("✗"), self.paint.place(&place))
    }

    /// No blockers: say so, and what else stands before `ready`.
    fn no_blockers(&self, max: usize) -> Vec<String> {
        let mut out = vec![format!("{} No blockers.", self.paint.good("✓"))];
        let obstacles = view::obstacles(self.report);
        if obstacles.is_empty() || max < 3 {
            return out;
        }
        out.push(String::new());
        out.push(self.paint.bold("NOT YET READY BECAUSE"));
        for obstacle in obstacles.iter().take(max.saturating_sub(3).max(1)) {
            let obstacle = text::terminal(obstacle);
            out.push(format!("  - {}", text::truncate(&obstacle, self.settings.width.saturating_sub(4))));
        }
        out
    }

    fn wins(&self, wins: &[&ControlReport], max: usize) -> Vec<String> {
        let gains: Vec<String> = wins.iter().take(max).map(|control| view::gain(control)).collect();
        let width = gains.iter().map(|gain| text::width(gain)).max().unwrap_or(0).max(6);
        let room = self.settings.width.saturating_sub(width + 15);
        let held = gains.iter().any(|gain| gain.ends_with('*'));
        let title = if held { "QUICK WINS (* once the blockers are fixed)" } else { "QUICK WINS" };
        let title = text::pad(title, room + 4);
        let title = format!("{title}{}  effort", text::pad("points", width));
        let mut out = vec![self.paint.bold(&title)];
        for (control, gain) in wins.iter().zip(&gains) {
            let name = format!("{}: {}", control.id, self.context.problem(control));
            let name = text::terminal(&name);
            let name = text::pad(&text::truncate(&name, room), room);
            out.push(format!(
                "  {name}  {}  {}",
                self.paint.good(&text::pad(gain, width)),
                view::days(control.effort_days)
            ));
        }
        out
    }

    fn services(&self) -> Vec<String> {
        if self.report.project.services.len() < 2 {
            return Vec::new();
        }
        let mut out = vec![String::new()];
        out.extend(tables::services(self.report, MAX_SERVICES));
        out
    }

    fn how_to_go_on(&self) -> Vec<String> {
        let path = match self.settings.path.as_str() {
            "." => String::new(),
            path => format!(" {}", text::terminal(path)),
        };
        let example = self.report.score.blockers.first().or(self.report.plan.quick_wins.first());
        let id = example.map_or("ID", String::as_str);
        let steps = [
            (format!("readycheck audit{path} --verbose"), "every finding, with its code"),
            (format!("readycheck rules show {}", text::terminal(id)), "why it matters, how to fix it"),
            (format!("readycheck audit{path} --min-score 70"), "the gate for CI: exit code 1 below"),
        ];
        let room = if self.report.project.services.len() > 1 { 2 } else { 3 };
        let steps = steps.split_at(room).0;
        let width = steps.iter().map(|(command, _)| text::width(command)).max().unwrap_or(0);
        let line = |(command, what): &(String, &str)| {
            let line = format!("→ {}  {what}", text::pad(command, width));
            text::truncate(&line, self.settings.width).into_owned()
        };
        steps.iter().map(line).collect()
    }

    fn not_assessable(&self) -> Vec<String> {
        let width = self.settings.width.saturating_sub(2);
        let mut out = vec![String::new()];
        let reason = text::terminal(&self.report.score.reason);
        out.extend(text::wrap(&format!("No score: {reason}."), width));
        out.push(String::new());
        out.push("→ readycheck audit FOLDER             the folder that holds the backend".into());
        out.push("→ readycheck audit --as-service PATH  treat PATH as a service all the same".into());
        out.push("→ readycheck audit --verbose          what was read, and what it showed".into());
        out.extend(self.remarks());
        out
    }
}
