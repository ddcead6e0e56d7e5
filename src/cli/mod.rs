//! The command line: one file per subcommand.

mod audit;
mod builtin;
mod commands;
mod console;
mod engine;
mod exit;
mod facts;
mod folder;
mod init;
mod output;
mod progress;
mod routes;
mod rules;
mod scaffold;
mod session;
mod sources;
mod suggest;
#[cfg(test)]
mod testing;
mod value;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub use console::{ColorChoice, Environment};
pub use engine::{Engine, Gate, GateRequest, RuleFile, RuleTests};
pub use exit::Exit;

use console::Console;
use session::Session;

/// Tells whether a backend is ready for production, and proves it with file and line.
///
/// readycheck reads a repository and never runs it. It needs no network, no account and no configuration.
#[derive(Debug, Parser)]
#[command(name = "readycheck", version, after_help = AFTER_HELP)]
struct Cli {
    /// Colour: auto, always or never; NO_COLOR and CLICOLOR_FORCE are honoured
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    color: ColorChoice,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Audit(Box<audit::Args>),
    Init(init::Args),
    Rules(rules::Args),
    Facts(facts::Args),
    Routes(routes::Args),
    Scaffold(Box<scaffold::Args>),
}

const AFTER_HELP: &str = "\
Examples:
  readycheck audit                     score this folder, name what blocks it
  readycheck audit --min-score 70      a gate for CI: fails below 70
  readycheck audit -o report.json      the screen, and the report as JSON
  readycheck rules show sql-injection  what it looks for, how to fix it

Exit codes:
  0  passed
  1  the gate failed
  2  usage, configuration or rule error, missing path; there is no report
  3  the gate could not be decided";

const BARE: &str = "\
readycheck tells whether a backend is ready for production, and proves it.

  readycheck audit        score this folder, name what blocks a release
  readycheck rules list   what is looked at

readycheck --help shows the rest.
";

/// Where users report what should not have happened.
const ISSUES: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/issues");

/// The process: arguments, streams and environment as the system gives them.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(|| "unknown place".into(), |at| format!("{}:{}", at.file(), at.line()));
        if let Ok(mut first) = PANICKED_AT.lock() {
            first.get_or_insert(place);
        }
    }));
    run(std::env::args_os(), &mut io::stdout(), &mut io::stderr(), Environment::of_process(), &builtin::Builtin).into()
}

/// Where the first panic of the process happened. Its message is not kept: it may quote the audited tree.
static PANICKED_AT: Mutex<Option<String>> = Mutex::new(None);

/// Runs one command line; the first argument is the program's name. Nothing is printed but through the two writers.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    stdout: &mut dyn Write,
    stderr: &mut dyn Write,
    environment: Environment,
    engine: &dyn Engine,
) -> Exit {
    let mut console = Console::new(stdout, stderr, environment);
    let args: Vec<OsString> = args.into_iter().collect();
    match catch_unwind(AssertUnwindSafe(|| parse_and_run(&args, &mut console, engine))) {
        Ok(Ok(exit)) => exit,
        Ok(Err(error)) => {
            console.error(&error);
            Exit::Error
        }
        Err(_) => {
            let place = PANICKED_AT.lock().ok().and_then(|first| first.clone());
            let place = place.map_or_else(String::new, |place| format!(" at {place}"));
            let version = env!("CARGO_PKG_VERSION");
            console.eprint(&format!(
                "internal error{place} in readycheck {version}: this is a bug, not your fault.\n\
                 Please report it with the command that you ran: {ISSUES}\n"
            ));
            Exit::Error
        }
    }
}

fn parse_and_run(args: &[OsString], console: &mut Console, engine: &dyn Engine) -> miette::Result<Exit> {
    let command = Cli::command().term_width(console.width());
    let cli = match command.try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(message) => return show(&message, console),
    };
    console.color = cli.color;
    let mut session = Session { console, engine };
    match cli.command {
        None => session.console.print(BARE).map(|()| Exit::Passed),
        Some(Command::Audit(args)) => audit::run(&args, &mut session),
        Some(Command::Init(args)) => init::run(&args, &mut session),
        Some(Command::Rules(args)) => rules::run(args, &mut session),
        Some(Command::Facts(args)) => facts::run(&args, &mut session),
        Some(Command::Routes(args)) => routes::run(&args, &mut session),
        Some(Command::Scaffold(args)) => scaffold::run(&args, &mut session),
    }
}

/// Help and version go to standard output, usage errors to standard error.
fn show(message: &clap::Error, console: &mut Console) -> miette::Result<Exit> {
    let text = message.render();
    if message.use_stderr() {
        let text = if console.err_color() { text.ansi().to_string() } else { text.to_string() };
        console.eprint(&text);
        return Ok(Exit::Error);
    }
    let text = if console.out_color() { text.ansi().to_string() } else { text.to_string() };
    console.print(&text)?;
    Ok(Exit::Passed)
}

#[cfg(test)]
mod tests {
    use super::testing::{Fake, Ran, readycheck};
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn bare_shows_the_two_commands_that_matter() {
        let Ran { exit, out, err } = readycheck(&Fake::ready(), &[]);
        assert_eq!((exit, err.as_str()), (Exit::Passed, ""));
        assert!(out.contains("readycheck audit") && out.contains("readycheck rules list"), "{out}");
        assert!(out.lines().count() < 10, "{out}");
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for args in [&["--help"][..], &["--version"], &["audit", "--help"], &["rules", "--help"]] {
            let Ran { exit, out, err } = readycheck(&Fake::ready(), args);
            assert_eq!((exit, err.as_str()), (Exit::Passed, ""));
            assert!(!out.contains('\u{1b}'), "{out}");
        }
        insta::assert_snapshot!("help", readycheck(&Fake::ready(), &["--help"]).out);
        insta::assert_snapshot!("help_audit", readycheck(&Fake::ready(), &["audit", "--help"]).out);
        insta::assert_snapshot!("help_rules", readycheck(&Fake::ready(), &["rules", "--help"]).out);
    }

    #[test]
    fn what_is_mistyped_is_a_usage_error() {
        for args in [&["adit"][..], &["audit", "--min-score", "high"], &["audit", "--now", "2026-13-01"], &["rules"]] {
            let Ran { exit, out, err } = readycheck(&Fake::ready(), args);
            assert_eq!((exit, out.as_str()), (Exit::Error, ""), "{args:?}");
            assert!(!err.is_empty());
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_changes_no_exit_code() {
        let engine = Fake { gate: Gate::Failed(vec!["low".into()]), ..Fake::unready() };
        let args = ["readycheck", "audit", ".", "--min-score", "70"].map(OsString::from);
        let mut err = Vec::new();
        assert_eq!(run(args, &mut Closed, &mut err, Environment::default(), &engine), Exit::Failed);
        assert_eq!(err, b"gate failed: low\n");
        let args = ["readycheck", "audit", "."].map(OsString::from);
        assert_eq!(run(args, &mut Closed, &mut Closed, Environment::default(), &Fake::unready()), Exit::Passed);
    }

    #[test]
    fn a_panic_is_an_internal_error_without_a_backtrace() {
        let Ran { exit, out, err } = readycheck(&Fake::panicking(), &["audit", "."]);
        assert_eq!((exit, out.as_str()), (Exit::Error, ""));
        assert!(err.contains("internal error") && err.contains("/issues"), "{err}");
        assert!(!err.contains("backtrace") && !err.contains("hunter2"), "{err}");
    }
}
