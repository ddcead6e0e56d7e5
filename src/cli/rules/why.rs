//! `readycheck rules why`

use std::path::PathBuf;

use crate::audit::{Audit, Options};
use crate::cli::exit::Exit;
use crate::cli::folder;
use crate::cli::session::Session;
use crate::cli::sources::Sources;
use crate::report::{ControlReport, text, view};
use crate::rules::{Applies, Evaluation, Site};

/// Say why a control came out as it did: what was searched, how many places there are, the nearest miss
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The control, as `rules list` names it
    id: String,
    /// The folder to look at
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Read no configuration and no rules from the tree
    #[arg(long)]
    no_config: bool,
}

/// Open places that are listed.
const MAX_PLACES: usize = 30;

pub fn run(args: &Args, session: &mut Session) -> miette::Result<Exit> {
    folder::check(&args.path)?;
    let mut options = Options { path: args.path.clone(), no_config: args.no_config, ..Options::default() };
    let rule = super::find(session.engine.rules(&options)?, &args.id)?;
    options.only = vec![rule.info.id.clone()];
    let audit = session.audit(&options, false)?;
    let output = render(&audit, &rule.info.id);
    session.console.print(&output)?;
    Ok(Exit::Passed)
}

fn render(audit: &Audit, id: &str) -> String {
    let sources = Sources::new(&audit.project);
    let mut out = String::new();
    for control in audit.report.controls.iter().filter(|control| control.id == id) {
        verdict(&mut out, control);
    }
    for evaluation in evaluations(audit, id) {
        explain(&mut out, audit, &sources, evaluation);
    }
    if audit.report.controls.iter().any(|control| control.id == id && view::asks_for_attestation(control)) {
        out.push_str("\nIn readycheck.toml:\n\n");
        out.push_str(&view::attestation(id));
    }
    if out.is_empty() {
        out.push_str(&format!("{id} was not looked at: no service here needs it.\n"));
    }
    out
}

fn evaluations<'a>(audit: &'a Audit, id: &'a str) -> impl Iterator<Item = &'a Evaluation> {
    let is_it =
        move |evaluation: &&Evaluation| audit.controls.get(evaluation.control).is_some_and(|info| info.id == id);
    audit.evaluations.iter().filter(is_it)
}

fn verdict(out: &mut String, control: &ControlReport) {
    let mut line = format!("{} {}: {}", view::mark(control.state), control.id, view::state(control.state));
    if !control.reason.is_empty() {
        line.push_str(&format!(", {}", control.reason));
    }
    if control.service != "." {
        line.push_str(&format!(" (service {})", control.service));
    }
    out.push_str(&format!("{}\n", text::terminal(&line)));
}

fn explain(out: &mut String, audit: &Audit, sources: &Sources, evaluation: &Evaluation) {
    let mut line = |label: &str, body: &str| out.push_str(&format!("  {label:<13} {}\n", text::terminal(body)));
    let service = audit.project.services.get(usize::from(evaluation.service.0));
    line("service", service.map_or(".", |service| service.path.as_str()));
    match &evaluation.applies {
        Applies::Yes => line("applies", "yes"),
        Applies::No(reason) => line("applies", &format!("no: {reason}")),
        Applies::Unknown(reason) => line("applies", &format!("unknown: {reason}")),
    }
    for searched in &evaluation.searched {
        line("searched", searched);
    }
    line("places", &site_counts(&evaluation.sites));
    let mut open: Vec<&Site> = evaluation.sites.iter().filter(|site| site.unknown || site.credit < 1.0).collect();
    open.sort_by_key(|site| site.at);
    for site in open.iter().take(MAX_PLACES) {
        let what = match site.credit {
            _ if site.unknown => "? cannot be told",
            credit if credit > 0.0 => "½ in part",
            _ => "✗ not satisfied",
        };
        let place = sources.place(site.at);
        line("", &format!("{what}  {}:{}", place.path, place.line));
    }
    if open.len() > MAX_PLACES {
        line("", &format!("… and {} more", open.len() - MAX_PLACES));
    }
    for evidence in &evaluation.evidence {
        let place = sources.place(evidence.at);
        line("evidence", &format!("{}:{}  {}", place.path, place.line, evidence.message));
    }
    for finding in &evaluation.findings {
        let place = sources.place(finding.at);
        line("finding", &format!("{}:{}  {}", place.path, place.line, finding.message));
    }
    match &evaluation.nearest_miss {
        Some(miss) => {
            let place = sources.place(miss.at);
            line("nearest miss", &format!("{}:{}  {}", place.path, place.line, miss.message));
        }
        None if evaluation.evidence.is_empty() => line("nearest miss", "none: nothing comes close"),
        None => {}
    }
}

fn site_counts(sites: &[Site]) -> String {
    let satisfied = sites.iter().filter(|site| !site.unknown && site.credit >= 1.0).count();
    let unknown = sites.iter().filter(|site| site.unknown).count();
    match sites.len() {
        0 => "none".into(),
        all => format!("{all}: {satisfied} satisfied, {} not, {unknown} unknown", all - satisfied - unknown),
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::testing::{Fake, readycheck};

    #[test]
    fn says_what_was_searched_and_the_nearest_miss() {
        insta::assert_snapshot!("why", readycheck(&Fake::unready(), &["rules", "why", "security-headers", "."]).out);
    }
}
