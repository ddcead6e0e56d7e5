//! `readycheck rules show`

use crate::cli::engine::RuleFile;
use crate::cli::exit::Exit;
use crate::cli::session::Session;
use crate::report::text;
use crate::report::view;
use crate::rules::ControlKind;

/// Show a control: what it asks for, why, how to fix it, its rules and their examples
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The control, as `rules list` names it
    id: String,
}

pub fn run(args: &Args, session: &mut Session) -> miette::Result<Exit> {
    let rule = super::find(super::controls(session)?, &args.id)?;
    let output = render(&rule, session.console.width());
    session.console.print(&output)?;
    Ok(Exit::Passed)
}

fn render(rule: &RuleFile, width: usize) -> String {
    let info = &rule.info;
    let mut out = format!("{}\n{}\n\n", text::terminal(&info.id), text::terminal(&info.title));
    let blocks = if info.blocker { ", blocks a release" } else { "" };
    let priority = format!("{:?}, fix {}{blocks}", info.priority, view::priority(info.priority));
    let judged = match info.kind {
        ControlKind::Capability => "capability: it is there, or it is missing",
        ControlKind::Coverage => "coverage: the share of places that have it",
        ControlKind::Defect => "defect: it costs when found and earns nothing when clean",
        ControlKind::Manual => "manual: no file can show it, somebody has to vouch for it",
    };
    let remedy = info.remedy.clone().unwrap_or_default();
    let effort = match info.effort {
        effort if effort.per_site > 0.0 => {
            format!("{}, and {} more per place", view::days(effort.base), view::days(effort.per_site))
        }
        effort => view::days(effort.base),
    };
    for (label, body) in [
        ("finding", info.problem.as_str()),
        ("why", &info.why),
        ("fix", &info.fix),
        ("priority", &priority),
        ("category", &info.category),
        ("kind", judged),
        ("effort", &effort),
        ("standards", &info.standards.join(", ")),
        ("remedy", &remedy),
    ] {
        field(&mut out, label, body, width);
    }
    if info.asks_for_attestation() {
        attestation(&mut out, &info.id);
    }
    if info.implemented {
        rules(&mut out, rule);
    } else {
        out.push_str("\nNot implemented yet: it is listed as unknown and weighs nothing.\n");
    }
    out
}

fn field(out: &mut String, label: &str, body: &str, width: usize) {
    for (index, line) in
        text::wrap(&text::terminal(&one_line(body)), width.saturating_sub(11).max(20)).iter().enumerate()
    {
        let label = if index == 0 { label } else { "" };
        out.push_str(&format!("{label:<9}  {line}\n"));
    }
}

fn one_line(body: &str) -> String {
    body.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How somebody puts on record what no file can show.
fn attestation(out: &mut String, control: &str) {
    out.push_str(
        "\nTo attest it, write into readycheck.toml (dates as 2027-03-31; after `until` it counts no longer):\n\n",
    );
    out.push_str(&view::attestation(control));
}

/// The rules and examples as they are written: the file is the documentation.
fn rules(out: &mut String, rule: &RuleFile) {
    let first = rule.text.lines().position(|line| line.starts_with("[") || line.starts_with("rule"));
    let Some(first) = first else { return };
    out.push_str(&format!("\n── {}\n\n", text::terminal(&rule.path)));
    for line in rule.text.lines().skip(first) {
        out.push_str(text::terminal_code(line).trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::exit::Exit;
    use crate::cli::testing::{Fake, readycheck};

    #[test]
    fn shows_texts_rules_and_examples() {
        insta::assert_snapshot!("show", readycheck(&Fake::ready(), &["rules", "show", "sql-injection"]).out);
    }

    #[test]
    fn a_mistyped_id_is_refused_with_a_suggestion() {
        let ran = readycheck(&Fake::ready(), &["rules", "show", "sqlinjection"]);
        assert_eq!(ran.exit, Exit::Error);
        assert!(ran.err.contains("did you mean `sql-injection`?"), "{}", ran.err);
    }
}
