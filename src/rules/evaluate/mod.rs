//! Rules over facts: for every control and service, what applies, what is covered, what is open.

mod control;
mod fingerprint;
mod index;
mod scope;
mod sites;
mod view;

use rayon::prelude::*;

use crate::facts::FactStore;
use crate::project::{Diagnostic, Project, ServiceId, Span};
use crate::rules::{Evaluation, RuleSet};

use index::Index;

/// What evaluating all controls says, and what it had to leave out.
#[derive(Debug, Default)]
pub struct Evaluated {
    /// By control, then by service; controls of the whole repository once, under service 0.
    pub evaluations: Vec<Evaluation>,
    /// Sorted.
    pub diagnostics: Vec<Diagnostic>,
}

/// Gives the text of a place, for fingerprints.
pub type Snippets<'a> = &'a (dyn Fn(Span) -> String + Sync);

/// Evaluates every control in every service, on the threads of the current pool.
pub fn evaluate(rules: &RuleSet, project: &Project, store: &FactStore, snippets: Snippets<'_>) -> Evaluated {
    let index = Index::new(store, project);
    let mut tasks = Vec::new();
    for (number, control) in rules.controls.iter().enumerate() {
        let services = if control.info.repository_wide { 1 } else { project.services.len().max(1) };
        tasks.extend(
            (0..services).filter_map(|s| u16::try_from(s).ok()).map(|service| (number, control, ServiceId(service))),
        );
    }
    let results: Vec<(Evaluation, Vec<Diagnostic>)> = tasks
        .par_iter()
        .map(|(number, control, service)| {
            control::Evaluator::new(rules, *number, control, *service, &index, snippets).evaluate()
        })
        .collect();
    let mut evaluated = Evaluated::default();
    for (evaluation, diagnostics) in results {
        evaluated.evaluations.push(evaluation);
        evaluated.diagnostics.extend(diagnostics);
    }
    evaluated.diagnostics.sort();
    evaluated.diagnostics.dedup();
    evaluated
}

#[cfg(test)]
mod tests;
