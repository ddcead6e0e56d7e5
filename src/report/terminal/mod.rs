//! The report for a terminal: one screen first, then, when asked, every finding with its code.

mod details;
mod excerpt;
mod paint;
mod screen;
mod tables;

pub use paint::Paint;

use super::model::{Report, ScoreState};
use super::view::Context;

/// How to show a report on a terminal.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Columns.
    pub width: usize,
    pub color: bool,
    /// Nothing but the verdict.
    pub quiet: bool,
    /// After the screen, every finding, the evidence, what is unknown and what could not be read.
    pub verbose: bool,
    /// After the screen, the details of these controls (`--only`).
    pub details: Vec<String>,
    /// Only some controls were looked at, so that a missing score says nothing.
    pub narrowed: bool,
    /// Name every file that was left out.
    pub list_skipped: bool,
    /// The audited path as the user wrote it, for the commands that go on.
    pub path: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            width: 80,
            color: false,
            quiet: false,
            verbose: false,
            details: Vec::new(),
            narrowed: false,
            list_skipped: false,
            path: ".".into(),
        }
    }
}

/// The whole output, ending in a line break.
pub fn render(report: &Report, context: &Context, settings: &Settings) -> String {
    let paint = Paint { color: settings.color };
    let mut out = String::new();
    if settings.quiet {
        out.push_str(&screen::headline(report, paint));
        out.push('\n');
        return out;
    }
    let narrow = settings.narrowed && report.score.state == ScoreState::NotAssessable;
    if narrow {
        out.push_str("No score: only some of the controls were looked at.\n");
    } else {
        screen::render(&mut out, report, context, settings);
    }
    if settings.verbose || narrow || !settings.details.is_empty() {
        details::render(&mut out, report, context, settings);
    }
    if settings.list_skipped || settings.verbose {
        details::unread(&mut out, report, settings);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::{Report, ServiceReport, Verdict};
    use crate::report::{sample, text};

    fn show(report: &Report, settings: &Settings) -> String {
        let source = |path: &str| (path == "src/routes/orders.js").then(|| "router.post('/', save)\n".repeat(120));
        let controls = sample::controls();
        render(report, &Context { controls: &controls, source: &source }, settings)
    }

    fn assert_fits(screen: &str) {
        assert!(screen.lines().count() <= 23, "{} lines\n{screen}", screen.lines().count());
        for line in screen.lines() {
            assert!(text::width(line) <= 80, "{} columns: {line}", text::width(line));
        }
    }

    #[test]
    fn the_first_screen_fits() {
        for (name, report) in
            [("unready", sample::unready()), ("ready", sample::ready()), ("not_assessable", sample::not_assessable())]
        {
            let screen = show(&report, &Settings::default());
            assert_fits(&screen);
            insta::assert_snapshot!(format!("screen_{name}"), screen);
        }
    }

    #[test]
    fn the_first_screen_fits_with_many_services_and_hostile_names() {
        let mut report = sample::unready();
        let long = "packages/".repeat(20);
        report.controls[0].findings[0].path = format!("{long}\u{1b}[2J{}.ts", "漢".repeat(60));
        for n in 0..9 {
            let mut service: ServiceReport = report.project.services[0].clone();
            service.path = format!("{long}{n}");
            service.score.value = Some(f64::from(n) + 20.0);
            report.project.services.push(service);
        }
        let screen = show(&report, &Settings { path: "some/where".into(), ..Settings::default() });
        assert_fits(&screen);
        assert!(!screen.contains('\u{1b}'), "{screen}");
        insta::assert_snapshot!("screen_services", screen);
    }

    #[test]
    fn a_conditional_verdict_says_what_is_missing() {
        let mut report = sample::unready();
        report.score.verdict = Some(Verdict::Conditional);
        report.score.value = Some(66.0);
        report.score.blockers.clear();
        let screen = show(&report, &Settings::default());
        assert_fits(&screen);
        assert!(screen.contains("NOT YET READY BECAUSE"), "{screen}");
        assert!(screen.contains("the score is 66.0, ready needs 70"), "{screen}");
    }

    #[test]
    fn verbose_shows_everything_with_its_code() {
        let settings = Settings { verbose: true, ..Settings::default() };
        insta::assert_snapshot!("verbose", show(&sample::unready(), &settings));
    }

    #[test]
    fn details_of_one_control_show_that_control_only() {
        let settings = Settings { details: vec!["security-headers".into()], ..Settings::default() };
        let out = show(&sample::unready(), &settings);
        assert!(out.contains("nearest miss: `helmet` is installed but never mounted (package.json:12)"), "{out}");
        assert!(!out.contains("IN PLACE"), "{out}");
    }

    #[test]
    fn a_narrowed_run_without_a_score_shows_its_controls() {
        let mut report = sample::not_assessable();
        report.controls = sample::unready().controls.split_off(6);
        let out = show(&report, &Settings { narrowed: true, ..Settings::default() });
        assert!(out.starts_with("No score: only some of the controls were looked at.\n"), "{out}");
        assert!(out.contains("✗ security-headers") && !out.contains("--as-service"), "{out}");
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let plain = show(&sample::unready(), &Settings::default());
        let colored = show(&sample::unready(), &Settings { color: true, ..Settings::default() });
        assert_ne!(plain, colored);
        let stripped = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(&colored, "").into_owned();
        assert_eq!(plain, stripped);
    }

    #[test]
    fn quiet_is_one_line() {
        let out = show(&sample::ready(), &Settings { quiet: true, ..Settings::default() });
        assert_eq!(out, "READY   9.2 / 10, grade A   (92.4 of 100, level 3 of 4, scalable)\n");
    }
}
