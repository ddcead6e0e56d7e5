//! Rules over facts: for every control and service, what applies, what is covered, what is open.

mod control;
mod fingerprint;
mod index;
mod lookup;
mod scope;
mod sites;
mod view;

use rayon::prelude::*;

use crate::facts::FactStore;
use crate::project::{Diagnostic, Project, ServiceId, Span};
use crate::rules::conditions::Tri;
use crate::rules::{Control, Evaluation, RuleSet};

use control::Evaluator;
use index::Index;
pub use sites::Outcome;

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
            Evaluator::new(rules, *number, control, *service, &index, snippets).evaluate()
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

/// What one rule says of one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleVerdict {
    pub at: Span,
    /// Index into the control's rules.
    pub rule: usize,
    pub outcome: Outcome,
}

/// What the rules of one control say of a tree.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// Of every site in every service, sorted; nothing where the control does not apply.
    pub verdicts: Vec<RuleVerdict>,
    /// By service, whether the `applies` of the control holds; true without one.
    pub applies: Vec<Tri>,
}

/// Judges a tree by the rules of one control.
pub fn judge(rules: &RuleSet, control: &Control, project: &Project, store: &FactStore) -> Judgement {
    let index = Index::new(store, project);
    let services = if control.info.repository_wide { 1 } else { project.services.len().max(1) };
    let mut judgement = Judgement::default();
    for service in (0..services).filter_map(|service| u16::try_from(service).ok()) {
        let evaluator = Evaluator::new(rules, 0, control, ServiceId(service), &index, &|_| String::new());
        judgement.applies.push(evaluator.condition_to_apply());
        judgement.verdicts.extend(
            evaluator
                .verdicts()
                .into_iter()
                .filter_map(|(rule, fact, outcome)| Some(RuleVerdict { at: index.fact(fact)?.at, rule, outcome })),
        );
    }
    judgement.verdicts.sort();
    judgement.verdicts.dedup();
    judgement
}

#[cfg(test)]
mod tests;
