//! `readycheck rules list`

use serde_json::json;

use crate::cli::engine::RuleFile;
use crate::cli::exit::Exit;
use crate::cli::facts::Format;
use crate::cli::session::Session;
use crate::cli::suggest;
use crate::report::text;
use crate::rules::ControlInfo;
use miette::IntoDiagnostic;

/// List every control: priority, id, and the good state it asks for
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only controls of these categories
    #[arg(long, value_name = "CATEGORY", value_delimiter = ',')]
    category: Vec<String>,
    /// terminal or json
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal", hide_possible_values = true)]
    format: Format,
}

pub fn run(args: &Args, session: &mut Session) -> miette::Result<Exit> {
    let mut rules = super::controls(session)?;
    let categories = rules.iter().map(|rule| rule.info.category.as_str());
    suggest::check("category", &args.category, categories, "`readycheck rules list` shows them")?;
    rules.retain(|rule| args.category.is_empty() || args.category.contains(&rule.info.category));
    let output = match args.format {
        Format::Terminal => table(&rules, session.console.width()),
        Format::Json => as_json(&rules)?,
    };
    session.console.print(&output)?;
    Ok(Exit::Passed)
}

fn table(rules: &[RuleFile], width: usize) -> String {
    let ids = rules.iter().map(|rule| text::width(&rule.info.id)).max().unwrap_or(0);
    let mut sorted: Vec<&RuleFile> = rules.iter().collect();
    sorted.sort_by_key(|rule| (&rule.info.category, rule.info.priority, &rule.info.id));
    let mut out = String::new();
    let mut category = "";
    for rule in sorted {
        let info = &rule.info;
        if info.category != category {
            category = &info.category;
            let gap = if out.is_empty() { "" } else { "\n" };
            out.push_str(&format!("{gap}{}\n", text::terminal(category)));
        }
        let line = format!(" {}{:?}  {}  {}", mark(info), info.priority, text::pad(&info.id, ids), info.title);
        let line = text::terminal(&line);
        out.push_str(&format!("{}\n", text::truncate(&line, width)));
    }
    out.push_str(&summary(rules));
    out.push_str("→ readycheck rules show ID  what it looks for, why, and how to fix it\n");
    out
}

/// What tells a control that people attest, and one without rules, from those that files decide.
fn mark(info: &ControlInfo) -> &'static str {
    match info {
        info if !info.implemented => "·",
        info if info.asks_for_attestation() => "a",
        _ => " ",
    }
}

fn summary(rules: &[RuleFile]) -> String {
    let marked = |wanted: &str| rules.iter().filter(|rule| mark(&rule.info) == wanted).count();
    let mut out = format!("\n{}, {} with rules\n", text::count(rules.len(), "control"), marked(" "));
    if marked("a") > 0 {
        let asks = if marked("a") == 1 { "1 asks" } else { &format!("{} ask", marked("a")) };
        out.push_str(&format!("a  {asks} for an attestation: no file can show it (`rules show ID` says how)\n"));
    }
    if marked("·") > 0 {
        out.push_str(&format!("·  {} not implemented yet: unknown, and weighing nothing\n", marked("·")));
    }
    out
}

fn as_json(rules: &[RuleFile]) -> miette::Result<String> {
    let controls: Vec<_> = rules
        .iter()
        .map(|RuleFile { info, path, .. }| {
            json!({
                "id": info.id, "title": info.title, "problem": info.problem, "category": info.category,
                "priority": info.priority, "kind": info.kind, "blocker": info.blocker, "standards": info.standards,
                "implemented": info.implemented, "path": path,
            })
        })
        .collect();
    let value = json!({ "schema": "readycheck/controls/1", "controls": controls });
    Ok(format!("{}\n", serde_json::to_string_pretty(&value).into_diagnostic()?))
}

#[cfg(test)]
mod tests {
    use crate::cli::exit::Exit;
    use crate::cli::testing::{Fake, readycheck};

    #[test]
    fn lists_controls_by_category() {
        insta::assert_snapshot!("list", readycheck(&Fake::ready(), &["rules", "list"]).out);
    }

    #[test]
    fn an_unknown_category_is_refused() {
        let ran = readycheck(&Fake::ready(), &["rules", "list", "--category", "securty"]);
        assert_eq!(ran.exit, Exit::Error);
        assert!(ran.err.contains("did you mean `security`?"), "{}", ran.err);
    }
}
