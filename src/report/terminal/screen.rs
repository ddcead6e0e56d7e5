//! The first screen: it fits 24 lines of 80 columns and leaves one for the prompt. What blocks comes first and whole;
//! the rest gets the lines that are left.

use super::paint::Paint;
use super::{Settings, tables};
use crate::report::model::{Report, ScoreState, Verdict};
use crate::report::text;
use crate::report::view::{self, Blocker, Context};

/// Lines of the screen; the last of a terminal's 24 holds the prompt.
const LINES: usize = 23;
/// Blockers named on the screen; more of them are counted.
const MAX_BLOCKERS: usize = 10;

pub fn render(out: &mut String, report: &Report, context: &Context, settings: &Settings) {
    let screen = Screen { report, context, settings, paint: Paint { color: settings.color } };
    for line in screen.lines() {
        out.push_str(&line);
        out.push('\n');
    }
}

/// `NOT READY   2.8 / 10, grade F   (28.2 of 100, level 0 of 4)`
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
    format!("{verdict}   {numbers}   ({value:.1} of 100, {})", view::level(score.level))
}

/// How much of each part the screen shows.
#[derive(Clone, Copy)]
struct Layout {
    /// Places that are too long for their line get one of their own; else their beginning is cut.
    whole_places: bool,
    wins: usize,
    /// The tally by priority as a table, else in one line.
    table: bool,
    steps: usize,
}

/// From the roomiest to the tightest: the first that fits is taken.
const LAYOUTS: [Layout; 10] = {
    const fn layout(whole_places: bool, wins: usize, table: bool, steps: usize) -> Layout {
        Layout { whole_places, wins, table, steps }
    }
    [
        layout(true, 5, true, 3),
        layout(true, 3, true, 3),
        layout(true, 3, true, 2),
        layout(true, 2, true, 2),
        layout(true, 3, false, 3),
        layout(true, 2, false, 2),
        layout(false, 2, false, 2),
        layout(false, 1, false, 2),
        layout(false, 0, false, 2),
        layout(false, 0, false, 1),
    ]
};

struct Screen<'a> {
    report: &'a Report,
    context: &'a Context<'a>,
    settings: &'a Settings,
    paint: Paint,
}

impl Screen<'_> {
    fn lines(&self) -> Vec<String> {
        let mut head = vec![headline(self.report, self.paint)];
        head.extend(self.subject().iter().map(|line| self.paint.dim(line)));
        if self.report.score.state == ScoreState::NotAssessable {
            head.extend(self.not_assessable());
            return head;
        }
        head.extend(self.remarks());
        let mut body = Vec::new();
        for layout in LAYOUTS {
            body = self.body(layout, LINES.saturating_sub(head.len()));
            if head.len() + body.len() <= LINES {
                break;
            }
        }
        head.extend(body);
        head
    }

    /// Everything below the head; a blank line before the steps if it fits into `room`.
    fn body(&self, layout: Layout, room: usize) -> Vec<String> {
        let mut out = vec![String::new()];
        out.extend(self.blockers_or_obstacles(layout));
        let wins = self.wins(layout.wins);
        if !wins.is_empty() {
            out.push(String::new());
            out.extend(wins);
        }
        out.push(String::new());
        out.extend(self.services());
        if layout.table {
            out.extend(tables::priorities(self.report));
        } else {
            out.extend(self.states());
        }
        let steps = self.steps(layout.steps);
        if out.len() + steps.len() < room {
            out.push(String::new());
        }
        out.extend(steps);
        out
    }

    /// What was looked at, and how far the number can be trusted.
    fn subject(&self) -> Vec<String> {
        let project = &self.report.project;
        let files = text::count(usize::try_from(project.counts.audited).unwrap_or(usize::MAX), "file");
        let lines = match project.lines {
            0 => String::new(),
            lines => format!(", {} lines", text::thousands(lines)),
        };
        let mut parts = vec![format!("{files}{lines}")];
        let stacks = view::stacks(self.report).join(", ");
        if !stacks.is_empty() {
            parts.push(text::terminal(&stacks).into_owned());
        }
        if self.report.score.state == ScoreState::Scored {
            parts.extend(view::trust(self.report));
        }
        text::wrap_parts(&parts, " · ", self.settings.width)
    }

    /// What a reader must know to judge the number.
    fn remarks(&self) -> Vec<String> {
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
            parts.push(format!("{strict:.1} without waivers and overrides"));
        }
        let skipped: u64 = self.report.project.counts.skipped.values().sum();
        if skipped > 0 {
            let files = text::count(usize::try_from(skipped).unwrap_or(usize::MAX), "file");
            parts.push(format!("{files} not read (--list-skipped)"));
        }
        if !self.report.notices.is_empty() {
            parts.push(format!("{} (--verbose)", text::count(self.report.notices.len(), "notice")));
        }
        let lines = text::wrap_parts(&parts, " · ", self.settings.width.saturating_sub(2));
        lines.iter().map(|line| self.paint.warn(&format!("! {line}"))).collect()
    }

    fn blockers_or_obstacles(&self, layout: Layout) -> Vec<String> {
        let blockers = view::blockers(self.report);
        if blockers.is_empty() { self.no_blockers() } else { self.blockers(&blockers, layout) }
    }

    /// Every blocker with its first place, and what closing them gives.
    fn blockers(&self, blockers: &[Blocker], layout: Layout) -> Vec<String> {
        let (first, rest) = blockers.split_at(blockers.len().min(MAX_BLOCKERS));
        let ids = first.iter().map(|b| text::width(b.id)).max().unwrap_or(0).min(36);
        let efforts: Vec<String> = first.iter().map(|blocker| view::days(blocker.days)).collect();
        let effort = efforts.iter().map(|effort| text::width(effort)).max().unwrap_or(0).max(6);
        let title = format!("BLOCKERS ({})", blockers.len());
        let title = format!("{}{}", text::pad(&title, self.settings.width.saturating_sub(effort)), "effort");
        let mut out = vec![self.paint.bold(&title)];
        for (blocker, days) in first.iter().zip(&efforts) {
            out.extend(self.blocker(blocker, ids, &text::pad(days, effort), layout.whole_places));
        }
        if !rest.is_empty() {
            out.push(format!("  … and {} more: readycheck audit{} --verbose", rest.len(), self.path()));
        }
        let closing = view::unblocking(self.report);
        out.extend(
            closing.iter().flat_map(|said| text::wrap(said, self.settings.width.saturating_sub(2))).map(indented),
        );
        out
    }

    fn blocker(&self, blocker: &Blocker, ids: usize, effort: &str, whole_place: bool) -> Vec<String> {
        let width = self.settings.width;
        let id = text::pad(&text::terminal(blocker.id), ids);
        let more = match blocker.findings.len() {
            0 | 1 => String::new(),
            many => format!("  +{} more", many - 1),
        };
        let place = match (blocker.findings.first(), blocker.control) {
            (Some(finding), _) => format!("{}:{}", finding.path, finding.line),
            (None, Some(control)) => view::standing(control),
            (None, None) => String::new(),
        };
        let place = text::terminal(&place);
        let mark = self.paint.bad("✗");
        let room = width.saturating_sub(8 + ids + text::width(effort));
        let beside = room.saturating_sub(text::width(&more));
        if whole_place && text::width(&place) > beside {
            let place = text::truncate_front(&place, width.saturating_sub(6)).into_owned();
            let first = format!("  {mark} {id}  {}  {effort}", text::pad(more.trim_start(), room));
            return vec![first.trim_end().to_owned(), format!("      {}", self.paint.place(&place))];
        }
        let place = text::truncate_front(&place, beside);
        let fill = " ".repeat(beside.saturating_sub(text::width(&place)));
        let line = format!("  {mark} {id}  {}{more}{fill}  {effort}", self.paint.place(&place));
        vec![line.trim_end().to_owned()]
    }

    /// No blockers: say so, and what else stands before `ready`.
    fn no_blockers(&self) -> Vec<String> {
        let mut out = vec![format!("{} No blockers.", self.paint.good("✓"))];
        let obstacles = view::obstacles(self.report);
        if obstacles.is_empty() {
            return out;
        }
        out.push(String::new());
        out.push(self.paint.bold("NOT YET READY BECAUSE"));
        for obstacle in &obstacles {
            let lines = text::wrap(&text::terminal(obstacle), self.settings.width.saturating_sub(4));
            let start = |index| if index == 0 { "  - " } else { "    " };
            out.extend(lines.iter().enumerate().map(|(index, line)| format!("{}{line}", start(index))));
        }
        out
    }

    /// What pays most for a day of work, besides the blockers.
    fn wins(&self, max: usize) -> Vec<String> {
        let wins = view::quick_wins(self.report);
        let wins = wins.split_at(wins.len().min(max)).0;
        if wins.is_empty() {
            return Vec::new();
        }
        let gains: Vec<String> = wins.iter().map(|control| view::gain(control)).collect();
        let efforts: Vec<String> = wins.iter().map(|control| view::days(control.effort_days)).collect();
        let widest = |texts: &[String]| texts.iter().map(|text| text::width(text)).max().unwrap_or(0).max(6);
        let (points, effort) = (widest(&gains), widest(&efforts));
        let room = self.settings.width.saturating_sub(points + effort + 6);
        let title = format!("{}{}  effort", text::pad(self.wins_title(&gains), room + 4), text::pad("points", points));
        let mut out = vec![self.paint.bold(&title)];
        for ((control, gain), days) in wins.iter().zip(&gains).zip(&efforts) {
            let name = format!("{}: {}", control.id, self.context.problem(control));
            let gain = self.paint.good(&text::pad(gain, points));
            let name = text::terminal(&name);
            let max = if text::width(&name) <= room { room } else { room.saturating_sub(2) };
            for (index, part) in text::wrap(&name, max).iter().enumerate() {
                out.push(match index {
                    0 => format!("  {}  {gain}  {days}", text::pad(part, room)),
                    _ => format!("    {part}"),
                });
            }
        }
        out
    }

    fn wins_title(&self, gains: &[String]) -> &'static str {
        if gains.iter().any(|gain| gain.ends_with('*')) {
            "QUICK WINS (* once the blockers are closed)"
        } else if self.report.score.blockers.is_empty() {
            "QUICK WINS"
        } else {
            "QUICK WINS AFTER THE BLOCKERS"
        }
    }

    /// The services that have a score, the worst first, and how many have none.
    fn services(&self) -> Vec<String> {
        if self.report.project.services.len() < 2 {
            return Vec::new();
        }
        let parts = tables::services(self.report);
        let lines = text::wrap_parts(&parts, " · ", self.settings.width.saturating_sub(10));
        let start = |index| if index == 0 { self.paint.bold("SERVICES  ") } else { " ".repeat(10) };
        lines.iter().enumerate().map(|(index, line)| format!("{}{line}", start(index))).collect()
    }

    /// The tally in one line.
    fn states(&self) -> Vec<String> {
        let tally = view::tally(self.report, |_| ());
        let counts = tally.values().next();
        let count = |state| counts.and_then(|counts| counts.get(&state)).copied().unwrap_or(0);
        let columns = view::columns(&tally);
        let parts: Vec<String> = columns.iter().map(|(state, word)| format!("{} {word}", count(*state))).collect();
        vec![format!("{}{}", self.paint.bold("CONTROLS  "), parts.join(" · "))]
    }

    /// The audited path as an argument, with a blank before it; nothing for the folder at hand.
    fn path(&self) -> String {
        match self.settings.path.as_str() {
            "." => String::new(),
            path => format!(" {}", text::terminal(path)),
        }
    }

    /// The commands that go on. One whose explanation does not fit beside it has it below.
    fn steps(&self, max: usize) -> Vec<String> {
        let path = self.path();
        let example = view::blockers(self.report).first().map(|blocker| blocker.id.to_owned());
        let example = example.or_else(|| self.report.plan.quick_wins.first().cloned());
        let id = example.unwrap_or_else(|| "ID".to_owned());
        let steps = [
            (format!("readycheck audit{path} --verbose"), "every finding, with its code"),
            (format!("readycheck rules show {}", text::terminal(&id)), "why it matters, how to fix it"),
            (format!("readycheck audit{path} --min-score 70"), "the gate for CI"),
        ];
        let steps = steps.split_at(max.min(steps.len())).0;
        let width = |(command, what): &(String, &str)| 4 + text::width(command) + text::width(what);
        let column = steps.iter().map(|(command, _)| text::width(command)).max().unwrap_or(0);
        let aligned = steps.iter().all(|(_, what)| 4 + column + text::width(what) <= self.settings.width);
        let mut out = Vec::new();
        for step in steps {
            let (command, what) = step;
            if aligned {
                out.push(format!("→ {}  {what}", text::pad(command, column)));
            } else if width(step) <= self.settings.width {
                out.push(format!("→ {command}  {what}"));
            } else {
                out.push(format!("→ {command}"));
                out.push(format!("    {what}"));
            }
        }
        out
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

fn indented(line: String) -> String {
    format!("  {line}")
}
