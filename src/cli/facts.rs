//! `readycheck facts`

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;
use miette::IntoDiagnostic;
use serde_json::{Map, Value as Json, json};

use super::exit::Exit;
use super::session::Session;
use super::sources::Sources;
use super::{folder, suggest, value};
use crate::audit::{Audit, Options};
use crate::facts::{Fact, Guard, VOCABULARY, Within};
use crate::report::text;

const SCHEMA: &str = "readycheck/facts/1";

/// Show what was understood: every fact with the clause that made it
///
/// Facts are what rules are written about. Without --kind, the kinds that occur are counted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  readycheck facts                            which kinds of fact there are, and how many
  readycheck facts --kind route               every endpoint with its middleware and roles
  readycheck facts api --kind outbound --format json")]
pub struct Args {
    /// The folder to look at
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The kind of fact to show: route, mount, client, query, env, …
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// terminal or json
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "terminal", hide_possible_values = true)]
    format: Format,
    /// Read no configuration and no rules from the tree
    #[arg(long)]
    no_config: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Terminal,
    Json,
}

pub fn run(args: &Args, session: &mut Session) -> miette::Result<Exit> {
    let kinds = VOCABULARY.iter().map(|(kind, _)| *kind);
    suggest::check("kind of fact", args.kind.as_slice(), kinds, "`readycheck facts` counts the kinds that occur")?;
    folder::check(&args.path)?;
    let options = Options { path: args.path.clone(), no_config: args.no_config, ..Options::default() };
    let audit = session.audit(&options, args.format == Format::Json)?;
    let output = match (args.format, &args.kind) {
        (Format::Json, kind) => as_json(&audit, kind.as_deref())?,
        (Format::Terminal, Some(kind)) => list(&audit, kind),
        (Format::Terminal, None) => counts(&audit),
    };
    session.console.print(&output)?;
    Ok(Exit::Passed)
}

fn counts(audit: &Audit) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for fact in &audit.facts.facts {
        *counts.entry(&fact.kind).or_default() += 1;
    }
    if counts.is_empty() {
        return "No facts: there is no code or configuration here that readycheck understands.\n".into();
    }
    let mut out = String::new();
    for (kind, count) in counts {
        out.push_str(&format!("{:>7}  {kind}\n", text::thousands(u64::try_from(count).unwrap_or(u64::MAX))));
    }
    out.push_str("\n→ readycheck facts --kind KIND  each of them, with place and fields\n");
    out
}

fn list(audit: &Audit, kind: &str) -> String {
    let sources = Sources::new(&audit.project);
    let facts: Vec<&Fact> = audit.facts.facts.iter().filter(|fact| &*fact.kind == kind).collect();
    if facts.is_empty() {
        return format!("No {kind} facts.\n");
    }
    let mut out = String::new();
    for fact in &facts {
        let place = sources.place(fact.at);
        let place = format!("{}:{}:{}", place.path, place.line, place.column);
        out.push_str(&format!("{}\n", text::terminal(&place)));
        for (name, value) in &fact.fields {
            let value = value::text(value, &audit.facts);
            out.push_str(&format!("    {name} = {}\n", text::terminal(&value)));
        }
        out.push_str(&format!("    {}\n", text::terminal(&circumstances(fact))));
    }
    out.push_str(&format!("\n{}\n", text::count(facts.len(), "fact")));
    out
}

/// What the engine knows about a fact, in one line.
fn circumstances(fact: &Fact) -> String {
    let mut parts = vec![word(&fact.phase)];
    parts.push(if fact.reached { "reached" } else { "not reached" }.into());
    parts.push(if fact.used { "used" } else { "not used" }.into());
    if let Some(because) = &fact.because {
        parts.push(because.to_string());
    }
    parts.extend(within(fact).into_iter().map(|name| format!("in {name}")));
    parts.extend(guards(fact).into_iter().map(|name| format!("only {name}")));
    if !fact.symbol.is_empty() {
        parts.push(format!("in {}", fact.symbol));
    }
    if !fact.api.is_empty() {
        parts.push(fact.api.to_string());
    }
    parts.push(format!("{} confidence", word(&fact.certain)));
    parts.push(format!("by {}", fact.clause));
    parts.join(" · ")
}

fn as_json(audit: &Audit, kind: Option<&str>) -> miette::Result<String> {
    let sources = Sources::new(&audit.project);
    let wanted = |fact: &&Fact| kind.is_none_or(|kind| kind == &*fact.kind);
    let facts: Vec<Json> =
        audit.facts.facts.iter().filter(wanted).map(|fact| fact_json(audit, &sources, fact)).collect();
    let mut out = serde_json::to_string_pretty(&json!({ "schema": SCHEMA, "facts": facts })).into_diagnostic()?;
    out.push('\n');
    Ok(out)
}

fn fact_json(audit: &Audit, sources: &Sources, fact: &Fact) -> Json {
    let place = sources.place(fact.at);
    let service = audit.project.services.get(usize::from(fact.service.0)).map(|service| service.path.as_str());
    let fields: Map<String, Json> =
        fact.fields.iter().map(|(name, value)| (name.to_string(), value::json(value, &audit.facts))).collect();
    json!({
        "kind": &*fact.kind, "path": place.path, "line": place.line, "column": place.column, "fields": fields,
        "service": service, "area": fact.area, "phase": fact.phase, "reached": fact.reached, "used": fact.used,
        "because": fact.because.as_deref(), "in": within(fact), "guard": guards(fact), "certain": fact.certain,
        "api": &*fact.api, "symbol": &*fact.symbol, "clause": &*fact.clause,
    })
}

fn within(fact: &Fact) -> Vec<&'static str> {
    Within::NAMES.iter().filter(|(_, flag)| fact.within.0 & flag.0 != 0).map(|(name, _)| *name).collect()
}

fn guards(fact: &Fact) -> Vec<&'static str> {
    Guard::NAMES.iter().filter(|(_, flag)| fact.guard.0 & flag.0 != 0).map(|(name, _)| *name).collect()
}

/// The word by which rules know a variant.
fn word(variant: &impl serde::Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(Json::String(word)) => word,
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Fake, Ran, readycheck};
    use super::*;

    #[test]
    fn lists_facts_with_place_fields_and_clause() {
        let Ran { exit, out, .. } = readycheck(&Fake::ready(), &["facts", ".", "--kind", "route"]);
        assert_eq!(exit, Exit::Passed);
        insta::assert_snapshot!("routes", out);
    }

    #[test]
    fn counts_kinds_and_refuses_unknown_ones() {
        let Ran { out, .. } = readycheck(&Fake::ready(), &["facts", "."]);
        assert!(out.contains("1  route"), "{out}");
        let Ran { exit, err, .. } = readycheck(&Fake::ready(), &["facts", ".", "--kind", "rout"]);
        assert_eq!(exit, Exit::Error);
        assert!(err.contains("did you mean `route`?"), "{err}");
    }

    #[test]
    fn json_names_its_schema() {
        let Ran { out, .. } = readycheck(&Fake::ready(), &["facts", ".", "--format", "json"]);
        let value: Json = serde_json::from_str(&out).expect("JSON");
        assert_eq!(value["schema"], SCHEMA);
        assert_eq!(value["facts"][0]["fields"]["method"]["value"], "POST");
        assert_eq!(value["facts"][0]["line"], 2);
    }
}
