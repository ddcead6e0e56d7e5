//! Examples of rules: what each shows is audited, and has to come out as its marks say.

mod cut;
mod keys;
mod manifest;
mod mutants;
mod read;
mod samples;

use std::fmt;

use rayon::prelude::*;

use super::conditions::Tri;
use super::evaluate::{Outcome, RuleVerdict, judge};
use super::ruleset::RuleSet;
use super::schema::{Control, Rule};
use crate::facts::FactStore;
use crate::project::{Project, Span, Tree};
use read::Example;

pub use cut::without_examples;
pub use mutants::{Mutant, find_mutants};
pub use read::{EXAMPLE_KEYS, MARKS};

/// Turns a tree into facts, the matches of the rules among them.
pub type Understand<'a> = &'a (dyn Fn(&RuleSet, Tree) -> (Project, FactStore) + Sync);

/// What running the examples showed.
#[derive(Debug, Default)]
pub struct ExampleReport {
    /// Controls with rules.
    pub controls: usize,
    pub examples: usize,
    pub failures: Vec<ExampleFailure>,
}

/// An example that does not come out as it says, or a rule whose examples say too little.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExampleFailure {
    /// The rule file.
    pub path: String,
    /// Of the example or rule in the rule file, from 1.
    pub line: usize,
    pub rule: String,
    pub message: String,
}

impl fmt::Display for ExampleFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.rule, self.message)
    }
}

/// One example with the facts that its files give.
struct Understood {
    /// Index of the rule that it belongs to.
    rule: usize,
    /// Its line in the rule file.
    line: usize,
    example: Example,
    project: Project,
    store: FactStore,
}

/// Runs the examples of all rules.
pub fn run_examples(rules: &RuleSet, understand: Understand<'_>) -> ExampleReport {
    let implemented: Vec<&Control> = rules.controls.iter().filter(|control| control.info.implemented).collect();
    let results: Vec<(usize, Vec<ExampleFailure>)> =
        implemented.par_iter().map(|control| run_control(rules, control, understand)).collect();
    let mut report = ExampleReport { controls: implemented.len(), ..ExampleReport::default() };
    for (examples, failures) in results {
        report.examples += examples;
        report.failures.extend(failures);
    }
    report
}

fn run_control(rules: &RuleSet, control: &Control, understand: Understand<'_>) -> (usize, Vec<ExampleFailure>) {
    let (understood, mut failures) = understand_all(rules, control, understand);
    for one in &understood {
        let Some(rule) = control.rules.get(one.rule) else { continue };
        let judged = judge(rules, control, &one.project, &one.store);
        let found: Vec<&RuleVerdict> =
            judged.verdicts.iter().filter(|verdict| rule.only_notes() || verdict.rule == one.rule).collect();
        for message in compare(one, &found).into_iter().chain(compare_applies(one, &judged.applies)) {
            failures.push(failure(control, rule, one.line, message));
        }
    }
    for (index, rule) in control.rules.iter().enumerate() {
        if let Some(message) = lacks(rule, understood.iter().filter(|one| one.rule == index)) {
            failures.push(failure(control, rule, line_of(control, rule.start), message));
        }
    }
    let (samples, failing) = samples::check(rules, control);
    failures.extend(failing);
    failures.sort_by_key(|failure| failure.line);
    (understood.len() + samples, failures)
}

/// Reads and audits the examples of a control; those that cannot be read are failures.
fn understand_all(
    rules: &RuleSet,
    control: &Control,
    understand: Understand<'_>,
) -> (Vec<Understood>, Vec<ExampleFailure>) {
    let mut understood = Vec::new();
    let mut failures = Vec::new();
    for (rule, owner) in control.rules.iter().enumerate() {
        for node in &owner.examples {
            match Example::read(node) {
                Ok(example) => {
                    let (project, store) = understand(rules, example.tree());
                    let line = line_of(control, node.start);
                    understood.push(Understood { rule, line, example, project, store });
                }
                Err(problem) => {
                    let help = problem.help.map(|help| format!("; {help}")).unwrap_or_default();
                    let message = format!("{}{help}", problem.message);
                    failures.push(failure(control, owner, line_of(control, problem.start), message));
                }
            }
        }
    }
    (understood, failures)
}

fn failure(control: &Control, rule: &Rule, line: usize, message: String) -> ExampleFailure {
    ExampleFailure { path: control.source.path.clone(), line, rule: rule.id.clone(), message }
}

fn line_of(control: &Control, offset: u32) -> usize {
    let before = control.source.text.as_bytes().get(..offset as usize).unwrap_or_default();
    before.iter().filter(|byte| **byte == b'\n').count() + 1
}

/// What came out otherwise than the marks say. The marks are about the rule that the example belongs to; a rule that
/// only notes things shows what the whole control says beside it.
fn compare(one: &Understood, found: &[&RuleVerdict]) -> Vec<String> {
    let places: Vec<(String, u32, Outcome)> =
        found.iter().map(|verdict| place(one, verdict.at, verdict.outcome)).collect();
    let at = |path: &str, line: u32| {
        let here = places.iter().filter(|(p, l, _)| p == path && *l == line);
        here.map(|(_, _, outcome)| *outcome).collect::<Vec<_>>()
    };
    let mut messages = Vec::new();
    for (path, line, outcome) in &one.example.expected {
        let here = at(path, *line);
        let holds = match outcome {
            Outcome::None => here.iter().all(|outcome| *outcome == Outcome::None),
            _ => here.contains(outcome),
        };
        if !holds {
            messages.push(format!("{path}:{line} should be {}, but is {}", word(*outcome), words(&here)));
        }
    }
    let is_marked = |path: &str, line: u32, what: Outcome| {
        one.example
            .expected
            .iter()
            .any(|(p, l, outcome)| p == path && *l == line && (*outcome == what || *outcome == Outcome::None))
    };
    for (path, line, outcome) in &places {
        if *outcome == Outcome::Bad && one.example.shows(path) && !is_marked(path, *line, Outcome::Bad) {
            messages.push(format!("{path}:{line} is bad, but has no such mark"));
        }
    }
    messages.sort();
    messages.dedup();
    messages
}

/// What is wrong about whether the control applies, where the example says so.
fn compare_applies(one: &Understood, applies: &[Tri]) -> Option<String> {
    let expected = one.example.applies?;
    let actual = match (applies.contains(&Tri::True), applies.contains(&Tri::Unknown)) {
        (true, _) => "applies",
        (_, true) => "may apply",
        _ => "does not apply",
    };
    let wanted = if expected { "applies" } else { "does not apply" };
    (actual != wanted).then(|| format!("the control {actual}, but the example says that it {wanted}"))
}

/// Path, line and outcome of a verdict.
fn place(one: &Understood, at: Span, outcome: Outcome) -> (String, u32, Outcome) {
    let path = one.project.files.get(at.file.0 as usize).map_or("", |file| &*file.path);
    let overlay = one.project.tree.overlay.get(path);
    let before = overlay.and_then(|bytes| bytes.get(..at.start as usize)).unwrap_or_default();
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    (path.to_owned(), u32::try_from(lines).unwrap_or(u32::MAX).saturating_add(1), outcome)
}

fn word(outcome: Outcome) -> &'static str {
    MARKS.iter().find(|(_, known)| *known == outcome).map_or("", |(name, _)| *name)
}

fn words(outcomes: &[Outcome]) -> String {
    match outcomes {
        [] => "no site".to_owned(),
        _ => outcomes.iter().map(|outcome| word(*outcome)).collect::<Vec<_>>().join(", "),
    }
}

/// What the examples of a rule do not show: a hit and, twice, that it stays silent.
fn lacks<'a>(rule: &Rule, examples: impl Iterator<Item = &'a Understood>) -> Option<String> {
    let mut hits = 0;
    let mut silent_lines = 0;
    let mut silent_files = 0;
    let hit = |outcome: Outcome| match (rule.bad.is_some(), rule.credits()) {
        (true, _) => outcome == Outcome::Bad,
        (false, true) => matches!(outcome, Outcome::Good | Outcome::Half | Outcome::Bad),
        (false, false) => true,
    };
    for one in examples {
        hits += one.example.expected.iter().filter(|(_, _, outcome)| hit(*outcome)).count();
        silent_lines += one.example.expected.iter().filter(|(_, _, outcome)| !hit(*outcome)).count();
        for (path, text) in &one.example.files {
            let marked = one.example.expected.iter().filter(|(p, ..)| p == path).count();
            silent_files += usize::from(text.lines().filter(|line| !line.trim().is_empty()).count() > marked);
        }
    }
    match (hits, silent_lines + silent_files, rule.only_notes()) {
        (_, _, true) => None,
        (0, ..) => Some("no example shows a hit".to_owned()),
        (_, 0, _) => Some("no example shows code that it leaves alone".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
