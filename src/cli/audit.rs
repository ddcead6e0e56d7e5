//! `readycheck audit`

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use miette::IntoDiagnostic;

use super::engine::{Gate, GateRequest};
use super::exit::Exit;
use super::output::{self, Format, OutputArgument};
use super::session::Session;
use super::sources::Sources;
use super::{folder, suggest};
use crate::audit::Options;
use crate::report::{self, Context, Report, terminal, text};
use crate::rules::Priority;

/// Score a backend, name what blocks its release, and gate CI
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct Args {
    /// The folder to audit
    #[arg(default_value = ".")]
    path: PathBuf,

    /// What to print: terminal, json or markdown (repeatable together with -o)
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Output", hide_possible_values = true)]
    format: Vec<Format>,
    /// Write a report to FILE; FORMAT=FILE names its format (repeatable)
    #[arg(short, long, value_name = "[FORMAT=]FILE", value_parser = output::parse_output, help_heading = "Output")]
    output: Vec<OutputArgument>,
    /// Show every finding with its code, evidence, what is unknown and why
    #[arg(short, long, help_heading = "Output", conflicts_with = "quiet")]
    verbose: bool,
    /// Show the verdict and nothing else
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
    /// Name every file that was not read, with the reason
    #[arg(long, help_heading = "Output")]
    list_skipped: bool,

    /// Fail below this score (0–100), or with an open blocker
    #[arg(long, value_name = "N", value_parser = parse_score, help_heading = "Gate")]
    min_score: Option<f64>,
    /// Fail if a control of this priority or a more urgent one is open: P0, P1, P2 or P3
    #[arg(
        long,
        value_enum,
        value_name = "PRIORITY",
        ignore_case = true,
        help_heading = "Gate",
        hide_possible_values = true
    )]
    fail_on: Option<PriorityArgument>,
    /// Ignore waivers and inline allows
    #[arg(long, help_heading = "Gate")]
    no_waivers: bool,

    /// Only these controls, with their details
    #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',', help_heading = "Selection")]
    only: Vec<String>,
    /// All but these controls
    #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',', help_heading = "Selection")]
    skip: Vec<String>,
    /// Only controls of these categories
    #[arg(long, value_name = "CATEGORY", num_args = 1.., value_delimiter = ',', help_heading = "Selection")]
    category: Vec<String>,
    /// Only this service of a monorepo
    #[arg(long, value_name = "PATH", help_heading = "Selection")]
    service: Option<String>,
    /// Treat this folder as a service, whatever it looks like
    #[arg(long, value_name = "PATH", help_heading = "Selection")]
    as_service: Option<String>,

    /// Look for secrets in everything that was ever committed, too
    #[arg(long, help_heading = "Selection")]
    history: bool,
    /// The commit, branch or tag that is released: only migrations that it lacks are judged
    #[arg(long, value_name = "REF", help_heading = "Selection")]
    base: Option<String>,

    /// Configuration to use instead of the readycheck.toml at the project's root
    #[arg(long, value_name = "FILE", help_heading = "Configuration", conflicts_with = "no_config")]
    config: Option<PathBuf>,
    /// Read no configuration and no rules from the tree: for auditing strangers
    #[arg(long, help_heading = "Configuration")]
    no_config: bool,
    /// Threads; one per core without it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "Configuration")]
    jobs: Option<u16>,
    /// The day that decides whether waivers have expired, YYYY-MM-DD; today (UTC) without it
    #[arg(long, value_name = "DATE", value_parser = parse_date, help_heading = "Configuration")]
    now: Option<String>,
}

const AFTER_HELP: &str = "\
Examples:
  readycheck audit                              score, blockers, quick wins
  readycheck audit --verbose                    every finding with its code
  readycheck audit --only sql-injection         one control in detail
  readycheck audit --min-score 70 --fail-on P0  a gate for CI
  readycheck audit -o report.json -o TODO.md    the screen, and two files
  readycheck audit api --format markdown        a TODO list
  readycheck audit ../stranger --no-config      no file there changes the rules";

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "UPPER")]
enum PriorityArgument {
    P0,
    P1,
    P2,
    P3,
}

impl From<PriorityArgument> for Priority {
    fn from(priority: PriorityArgument) -> Priority {
        match priority {
            PriorityArgument::P0 => Priority::P0,
            PriorityArgument::P1 => Priority::P1,
            PriorityArgument::P2 => Priority::P2,
            PriorityArgument::P3 => Priority::P3,
        }
    }
}

pub fn run(args: &Args, session: &mut Session) -> miette::Result<Exit> {
    let plan = output::plan(&args.format, &args.output)?;
    folder::check(&args.path)?;
    let options = options(args);
    check_selection(&options, session)?;
    let mut audit = session.audit(&options, args.quiet)?;
    super::commands::name(&mut audit)?;
    let request = GateRequest { min_score: args.min_score, fail_on: args.fail_on.map(Priority::from) };
    let gate = session.engine.gate(&options, &audit.report, &request)?;

    let sources = Sources::new(&audit.project);
    let source = |path: &str| sources.text(path).map(|text| text.to_string());
    let context = Context { controls: &audit.controls, source: &source };
    for (format, path) in &plan.files {
        let settings = terminal::Settings { verbose: true, ..terminal::Settings::default() };
        output::write(path, &render(*format, &audit.report, &context, &settings)?)?;
    }
    if let Some(format) = plan.stdout {
        let settings = settings(args, session);
        session.console.print(&render(format, &audit.report, &context, &settings)?)?;
    }
    // The process is about to end: taking all facts apart would be for nothing.
    std::mem::forget(audit);
    Ok(conclude(&gate, args.quiet, session))
}

fn options(args: &Args) -> Options {
    Options {
        path: args.path.clone(),
        config: args.config.clone(),
        no_config: args.no_config,
        only: args.only.clone(),
        skip: args.skip.clone(),
        categories: args.category.clone(),
        history: args.history,
        base: args.base.clone(),
        service: args.service.clone(),
        as_service: args.as_service.clone(),
        no_waivers: args.no_waivers,
        jobs: args.jobs.map_or(0, usize::from),
        now: args.now.clone(),
        ..Options::default()
    }
}

/// A control or category that does not exist must not quietly select nothing.
fn check_selection(options: &Options, session: &Session) -> miette::Result<()> {
    if options.only.is_empty() && options.skip.is_empty() && options.categories.is_empty() {
        return Ok(());
    }
    let rules = session.engine.rules(options)?;
    let ids = rules.iter().map(|rule| rule.info.id.as_str());
    let categories = rules.iter().map(|rule| rule.info.category.as_str());
    let list = "`readycheck rules list` shows them all";
    suggest::check("control", &options.only, ids.clone(), list)?;
    suggest::check("control", &options.skip, ids, list)?;
    suggest::check("category", &options.categories, categories, list)
}

fn settings(args: &Args, session: &Session) -> terminal::Settings {
    terminal::Settings {
        width: session.console.width(),
        color: session.console.out_color(),
        quiet: args.quiet,
        verbose: args.verbose,
        details: args.only.clone(),
        narrowed: !(args.only.is_empty() && args.skip.is_empty() && args.category.is_empty()),
        list_skipped: args.list_skipped,
        path: shown_path(&args.path),
    }
}

/// The path as it can be typed again.
fn shown_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    if path.contains(char::is_whitespace) { format!("\"{path}\"") } else { path.into_owned() }
}

fn render(format: Format, report: &Report, context: &Context, settings: &terminal::Settings) -> miette::Result<String> {
    match format {
        Format::Terminal => Ok(terminal::render(report, context, settings)),
        Format::Json => report::json(report).into_diagnostic(),
        Format::Markdown => Ok(report::markdown(report, context)),
    }
}

/// Says how the gate went, on standard error: standard output may be a report for a machine.
fn conclude(gate: &Gate, quiet: bool, session: &mut Session) -> Exit {
    match gate {
        Gate::Off => Exit::Passed,
        Gate::Passed => {
            if !quiet {
                session.console.eprint("gate passed\n");
            }
            Exit::Passed
        }
        Gate::Failed(reasons) => {
            session.console.eprint(&sentence("gate failed", reasons));
            Exit::Failed
        }
        Gate::Inconclusive(reason) => {
            session.console.eprint(&sentence("gate could not be decided", std::slice::from_ref(reason)));
            Exit::Inconclusive
        }
    }
}

fn sentence(what: &str, reasons: &[String]) -> String {
    let reasons: Vec<_> = reasons.iter().map(|reason| text::terminal(reason)).collect();
    if reasons.is_empty() { format!("{what}\n") } else { format!("{what}: {}\n", reasons.join("; ")) }
}

fn parse_score(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(score) if (0.0..=100.0).contains(&score) => Ok(score),
        _ => Err("a score is a number from 0 to 100".into()),
    }
}

/// `YYYY-MM-DD`, a day that exists.
fn parse_date(text: &str) -> Result<String, String> {
    let wrong = || "a date is written YYYY-MM-DD, like 2026-03-31".to_owned();
    let fits = |(at, b): (usize, u8)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() };
    let shape = text.len() == 10 && text.bytes().enumerate().all(fits);
    let parts: Option<Vec<u32>> = text.split('-').map(|part| part.parse().ok()).collect();
    let (true, Some([year, month, day])) = (shape, parts.as_deref()) else { return Err(wrong()) };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    if (1..=days).contains(day) { Ok(text.to_owned()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fake, Ran, readycheck};
    use super::*;

    #[test]
    fn shows_the_screen_and_passes_without_a_gate() {
        let Ran { exit, out, err } = readycheck(&Fake::unready(), &["audit", "."]);
        assert_eq!((exit, err.as_str()), (Exit::Passed, ""));
        assert!(out.starts_with("NOT READY   2.8 / 10"), "{out}");
    }

    #[test]
    fn the_gate_decides_the_exit_code_and_speaks_on_standard_error() {
        let failed = Fake { gate: Gate::Failed(vec!["score 28.2 is below 70".into()]), ..Fake::unready() };
        let Ran { exit, out, err } = readycheck(&failed, &["audit", ".", "--min-score", "70", "--format", "json"]);
        assert_eq!((exit, err.as_str()), (Exit::Failed, "gate failed: score 28.2 is below 70\n"));
        assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
        let undecided = Fake {
            gate: Gate::Inconclusive("there is no score: no service of kind http".into()),
            ..Fake::not_assessable()
        };
        let Ran { exit, err, .. } = readycheck(&undecided, &["audit", ".", "--fail-on", "p0"]);
        assert_eq!(exit, Exit::Inconclusive);
        assert!(err.contains("no service of kind"), "{err}");
        let passed = Fake { gate: Gate::Passed, ..Fake::ready() };
        assert_eq!(readycheck(&passed, &["audit", ".", "--min-score", "70"]).exit, Exit::Passed);
    }

    #[test]
    fn unknown_controls_are_refused_with_a_suggestion() {
        for flag in ["--only", "--skip"] {
            let Ran { exit, out, err } = readycheck(&Fake::ready(), &["audit", ".", flag, "sql-injektion"]);
            assert_eq!((exit, out.as_str()), (Exit::Error, ""));
            assert!(err.contains("did you mean `sql-injection`?"), "{err}");
        }
        let Ran { exit, .. } = readycheck(&Fake::ready(), &["audit", ".", "--category", "securty"]);
        assert_eq!(exit, Exit::Error);
    }

    #[test]
    fn a_path_that_is_no_folder_gives_no_report() {
        for path in ["no/such/folder", "Cargo.toml"] {
            let Ran { exit, out, err } = readycheck(&Fake::ready(), &["audit", path]);
            assert_eq!((exit, out.as_str()), (Exit::Error, ""));
            assert!(err.contains(path), "{err}");
        }
    }

    #[test]
    fn reports_go_to_files_beside_the_screen() {
        let folder = tempfile::tempdir().expect("folder");
        let (json, md) = (folder.path().join("a.json"), folder.path().join("a.md"));
        let (json_arg, md_arg) = (format!("json={}", json.display()), md.display().to_string());
        let Ran { exit, out, .. } = readycheck(&Fake::ready(), &["audit", ".", "-o", &json_arg, "-o", &md_arg]);
        assert_eq!(exit, Exit::Passed);
        assert!(out.starts_with("READY"), "{out}");
        assert!(std::fs::read_to_string(json).expect("json").contains("readycheck/report/1"));
        assert!(std::fs::read_to_string(md).expect("markdown").starts_with("# Production readiness: 9.2 / 10"));
    }

    #[test]
    fn colour_only_where_it_is_wanted() {
        assert!(!readycheck(&Fake::ready(), &["audit", "."]).out.contains('\u{1b}'));
        assert!(readycheck(&Fake::ready(), &["audit", ".", "--color", "always"]).out.contains('\u{1b}'));
    }

    #[test]
    fn dates_exist() {
        assert!(parse_date("2028-02-29").is_ok());
        for wrong in ["2027-02-29", "2026-4-1", "+026-01-01", "2026-00-10", "20260-1-01", "2026/01/01", ""] {
            assert!(parse_date(wrong).is_err(), "{wrong}");
        }
    }
}
