//! The matrix of endpoints and controls.

use std::collections::{BTreeMap, HashMap};

use super::places::Sources;
use crate::facts::{FactStore, Value};
use crate::project::{Area, Project, Span};
use crate::report::{RouteReport, State};
use crate::rules::{Applies, ControlInfo, Evaluation};

/// One row for each route of server code that an entry point reaches, sorted by path and method.
pub fn matrix(
    project: &Project,
    store: &FactStore,
    controls: &[ControlInfo],
    evaluations: &[Evaluation],
    sources: &Sources<'_>,
) -> Vec<RouteReport> {
    let mut by_span: HashMap<Span, BTreeMap<String, State>> = HashMap::new();
    for evaluation in evaluations.iter().filter(|e| e.applies == Applies::Yes) {
        for site in &evaluation.sites {
            let state = match site.credit {
                _ if site.unknown => State::Unknown,
                credit if credit >= 0.95 => State::Pass,
                credit if credit > 0.0 => State::Partial,
                _ => State::Fail,
            };
            by_span.entry(site.at).or_default().insert(controls[evaluation.control].id.clone(), state);
        }
    }
    let mut rows = Vec::new();
    for fact in &store.facts {
        if &*fact.kind != "route" || fact.area != Area::Server || !fact.reached {
            continue;
        }
        let place = sources.place(fact.at);
        let text = |name: &str| fact.get(name).and_then(Value::as_text).unwrap_or("?").to_owned();
        rows.push(RouteReport {
            service: project.service(fact.service).path.clone(),
            method: text("method"),
            path: text("path"),
            file: place.path,
            line: place.line,
            controls: by_span.get(&fact.at).cloned().unwrap_or_default(),
        });
    }
    rows.sort_by(|a, b| {
        (&a.service, &a.path, &a.method, &a.file, a.line).cmp(&(&b.service, &b.path, &b.method, &b.file, b.line))
    });
    rows.dedup_by(|a, b| (&a.path, &a.method, &a.file, a.line) == (&b.path, &b.method, &b.file, b.line));
    rows
}
