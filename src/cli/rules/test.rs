//! `readycheck rules test`

use std::path::{Path, PathBuf};

use miette::miette;

use crate::cli::engine::RuleTests;
use crate::cli::exit::Exit;
use crate::cli::session::Session;
use crate::report::text;

/// Run the examples of rules: each has to behave as its marks say
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A rule file or a folder of them; .readycheck/rules where there is one, else the built-in rules
    path: Option<PathBuf>,
    /// Also delete each condition in turn, and name those that no example needs
    #[arg(long)]
    mutants: bool,
}

const USER_RULES: &str = ".readycheck/rules";

pub fn run(args: &Args, session: &mut Session) -> miette::Result<Exit> {
    if let Some(path) = args.path.as_ref().filter(|path| !path.exists()) {
        let shown = path.display().to_string();
        return Err(miette!("there is no file or folder `{}`", text::terminal(&shown)));
    }
    let own = Some(Path::new(USER_RULES)).filter(|path| path.is_dir());
    let tests = session.engine.test_rules(args.path.as_deref().or(own), args.mutants)?;
    session.console.print(&render(&tests, args.mutants))?;
    let failed = !tests.failures.is_empty() || !tests.needless.is_empty();
    Ok(if failed { Exit::Failed } else { Exit::Passed })
}

fn render(tests: &RuleTests, mutants: bool) -> String {
    let mut out = String::new();
    for (place, what) in &tests.failures {
        out.push_str(&format!("✗ {}\n", text::terminal(place)));
        for line in what.lines() {
            out.push_str(&format!("    {}\n", text::terminal_code(line)));
        }
    }
    for (place, condition) in &tests.needless {
        let line = format!("{place}: no example needs {condition}");
        out.push_str(&format!("? {}\n", text::terminal(&line)));
    }
    let (controls, examples) = (text::count(tests.controls, "control"), text::count(tests.examples, "example"));
    out.push_str(&match (tests.failures.len(), tests.needless.len()) {
        (0, 0) if mutants => format!("✓ {controls}, {examples}, every condition is needed\n"),
        (0, 0) => format!("✓ {controls}, {examples}\n"),
        (failures, needless) => {
            format!("\n{controls}, {examples}: {failures} failed, {}\n", text::count(needless, "needless condition"))
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::{Fake, Ran, readycheck};

    #[test]
    fn passing_examples_are_counted() {
        let Ran { exit, out, .. } = readycheck(&Fake::ready(), &["rules", "test"]);
        assert_eq!((exit, out.as_str()), (Exit::Passed, "✓ 2 controls, 5 examples\n"));
    }

    #[test]
    fn failing_examples_and_needless_conditions_fail() {
        let tests = RuleTests {
            failures: vec![("rules/a.toml: example 2".into(), "expected bad at line 3\nfound nothing".into())],
            needless: vec![("rules/a.toml:7".into(), "`phase = \"request\"`".into())],
            ..RuleTests::default()
        };
        let Ran { exit, out, .. } = readycheck(&Fake { tests, ..Fake::ready() }, &["rules", "test", "--mutants"]);
        assert_eq!(exit, Exit::Failed);
        assert!(out.contains("✗ rules/a.toml: example 2\n    expected bad at line 3\n    found nothing\n"), "{out}");
        assert!(out.contains("no example needs `phase = \"request\"`"), "{out}");
    }

    #[test]
    fn a_missing_file_is_an_error() {
        assert_eq!(readycheck(&Fake::ready(), &["rules", "test", "no/such.toml"]).exit, Exit::Error);
    }
}
