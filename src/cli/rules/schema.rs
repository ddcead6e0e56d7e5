//! `readycheck rules schema`

use miette::IntoDiagnostic;

use crate::cli::exit::Exit;
use crate::cli::session::Session;
use crate::report;

/// Print the JSON Schema of rule files, for completion in editors
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the JSON Schema of the JSON report instead
    #[arg(long)]
    report: bool,
}

pub fn run(args: &Args, session: &mut Session) -> miette::Result<Exit> {
    let schema = if args.report { report::schema() } else { session.engine.rule_schema() };
    let text = serde_json::to_string_pretty(&schema).into_diagnostic()?;
    session.console.print(&format!("{text}\n"))?;
    Ok(Exit::Passed)
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, readycheck};

    #[test]
    fn the_report_has_a_schema() {
        let out = readycheck(&Fake::ready(), &["rules", "schema", "--report"]).out;
        let schema: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(schema["properties"]["schema"]["const"], "readycheck/report/1");
    }
}
