//! `readycheck routes`

use std::collections::BTreeSet;
use std::path::PathBuf;

use miette::IntoDiagnostic;
use serde_json::json;

use super::exit::Exit;
use super::facts::Format;
use super::folder;
use super::session::Session;
use crate::audit::Options;
use crate::report::{RouteReport, text, view};

const SCHEMA: &str = "readycheck/routes/1";
const LEGEND: &str = "✓ pass  ½ partial  ✗ fail  ? unknown  – not applicable";

/// Show every endpoint against the controls that judge it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to look at
    #[arg(default_value = ".")]
    path: PathBuf,
    /// terminal or json
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal", hide_possible_values = true)]
    format: Format,
    /// Only this service of a monorepo
    #[arg(long, value_name = "PATH")]
    service: Option<String>,
    /// Read no configuration and no rules from the tree
    #[arg(long)]
    no_config: bool,
}

pub fn run(args: &Args, session: &mut Session) -> miette::Result<Exit> {
    folder::check(&args.path)?;
    let options = Options {
        path: args.path.clone(),
        service: args.service.clone(),
        no_config: args.no_config,
        ..Options::default()
    };
    let report = session.audit(&options, args.format == Format::Json)?.report;
    let output = match args.format {
        Format::Terminal => matrix(&report.routes, session.console.width()),
        Format::Json => {
            let value = json!({ "schema": SCHEMA, "routes": report.routes });
            format!("{}\n", serde_json::to_string_pretty(&value).into_diagnostic()?)
        }
    };
    session.console.print(&output)?;
    Ok(Exit::Passed)
}

/// One line per endpoint, one numbered column per control.
fn matrix(routes: &[RouteReport], width: usize) -> String {
    if routes.is_empty() {
        return "No endpoints were found.\n".into();
    }
    let controls: BTreeSet<&str> = routes.iter().flat_map(|route| route.controls.keys().map(String::as_str)).collect();
    let mut out = String::new();
    for (index, control) in controls.iter().enumerate() {
        out.push_str(&format!("{:>3}  {}\n", index + 1, text::terminal(control)));
    }
    let numbers: String = (1..=controls.len()).map(|number| format!("{number:>3}")).collect();
    let methods = routes.iter().map(|route| text::width(&text::terminal(&route.method))).max().unwrap_or(0).min(10);
    let paths = routes.iter().map(|route| text::width(&text::terminal(&route.path))).max().unwrap_or(0);
    let paths = paths.min(width.saturating_sub(text::width(&numbers) + methods + 20).max(20));
    out.push_str(&format!("\n{numbers}\n"));
    for route in routes {
        for control in &controls {
            let mark = route.controls.get(*control).map_or("–", |state| view::mark(*state));
            out.push_str(&format!("  {mark}"));
        }
        let path = text::terminal(&route.path);
        let path = text::pad(&text::truncate(&path, paths), paths);
        let place = format!("{}:{}", route.file, route.line);
        let method = text::pad(&text::terminal(&route.method), methods);
        out.push_str(&format!("  {method}  {path}  {}\n", text::terminal(&place)));
    }
    out.push_str(&format!("\n{}: {LEGEND}\n", text::count(routes.len(), "endpoint")));
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fake, readycheck};

    #[test]
    fn shows_endpoints_against_controls() {
        insta::assert_snapshot!("matrix", readycheck(&Fake::ready(), &["routes", "."]).out);
    }

    #[test]
    fn json_names_its_schema() {
        let out = readycheck(&Fake::ready(), &["routes", ".", "--format", "json"]).out;
        let value: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        assert_eq!(value["schema"], super::SCHEMA);
        assert_eq!(value["routes"][0]["method"], "POST");
    }

    #[test]
    fn no_endpoints_is_said() {
        assert_eq!(readycheck(&Fake::unready(), &["routes", "."]).out, "No endpoints were found.\n");
    }
}
