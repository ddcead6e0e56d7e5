//! Conditions that no example needs: each key is deleted in turn, and the examples are judged again.

use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;

use super::{Understand, Understood, line_of, understand_all};
use crate::rules::document;
use crate::rules::evaluate::{self, Judgement};
use crate::rules::load;
use crate::rules::ruleset::RuleSet;
use crate::rules::schema::Control;
use crate::syntax::{Node, NodeData};

/// A condition whose deletion changes no verdict, nor whether the control applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The rule file.
    pub path: String,
    /// Of the condition, from 1.
    pub line: usize,
    /// The control, and the condition by its keys: `rule.no-timeout.each.target`.
    pub control: String,
    pub condition: String,
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.condition)
    }
}

/// Where conditions stand in a rule.
const CONDITIONS: &[&str] = &["each", "bad", "good", "half", "unknown", "note"];
/// Keys without which a pattern means nothing.
const NEEDED: &[&str] = &["fact"];
/// Conditions (kind of fact, field) that no example can need: git says what is tracked, and examples have none; only
/// one sort of schema is read so far.
const BEYOND_EXAMPLES: &[(&str, &str)] = &[("env-entry", "tracked"), ("schema", "what")];

/// Deletes one key of a condition at a time and names those that no example needs.
pub fn find_mutants(rules: &RuleSet, understand: Understand<'_>) -> Vec<Mutant> {
    let implemented: Vec<&Control> = rules.controls.iter().filter(|control| control.info.implemented).collect();
    implemented.par_iter().flat_map_iter(|control| mutants_of(rules, control, understand)).collect()
}

fn mutants_of(rules: &RuleSet, control: &Control, understand: Understand<'_>) -> Vec<Mutant> {
    let Ok(root) = document::parse(&control.source.path, &control.source.text) else { return Vec::new() };
    let (examples, _) = understand_all(rules, control, understand);
    if examples.is_empty() {
        return Vec::new();
    }
    let original = judge(rules, control, &examples);
    let survives = |path: &Vec<Step>| {
        let mutant = load::control(&without(&root, path), &control.source, &rules.lexicons).ok()?;
        let place = (judge(rules, &mutant, &examples) == original).then(|| start_of(&root, path))?;
        Some(Mutant {
            path: control.source.path.clone(),
            line: line_of(control, place),
            control: control.info.id.clone(),
            condition: name(path),
        })
    };
    let mut needless: Vec<Vec<Step>> = Vec::new();
    let mut mutants = Vec::new();
    for path in keys(&root) {
        let inside_another = needless.iter().any(|outer| path.starts_with(outer));
        if !inside_another && let Some(mutant) = survives(&path) {
            mutants.push(mutant);
            needless.push(path);
        }
    }
    mutants
}

fn judge(rules: &RuleSet, control: &Control, examples: &[Understood]) -> Vec<Judgement> {
    examples.iter().map(|one| evaluate::judge(rules, control, &one.project, &one.store)).collect()
}

/// One step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(Arc<str>),
    Item(usize),
}

/// The keys of all conditions of a control.
fn keys(root: &Node) -> Vec<Vec<Step>> {
    let key = |key: &str| Step::Key(key.into());
    let mut found = Vec::new();
    if let Some(applies) = root.get("applies") {
        let inside = applies.get("when").map(|when| (when, vec![key("applies"), key("when")]));
        let (node, path) = inside.unwrap_or((applies, vec![key("applies")]));
        collect(node, &path, &mut found);
    }
    for rule in root.get("rule").map_or(&[][..], Node::entries) {
        for part in CONDITIONS {
            if let Some(node) = rule.value.get(part) {
                collect(node, &[key("rule"), Step::Key(rule.key.clone()), key(part)], &mut found);
            }
        }
    }
    found
}

fn collect(node: &Node, path: &[Step], found: &mut Vec<Vec<Step>>) {
    let deeper = |step: Step| path.iter().cloned().chain([step]).collect::<Vec<_>>();
    for entry in node.entries() {
        let inner = deeper(Step::Key(entry.key.clone()));
        if !NEEDED.contains(&&*entry.key) && !is_beyond_examples(node, &entry.key) {
            found.push(inner.clone());
        }
        collect(&entry.value, &inner, found);
    }
    for (index, item) in node.items().iter().enumerate() {
        collect(item, &deeper(Step::Item(index)), found);
    }
}

fn is_beyond_examples(pattern: &Node, field: &str) -> bool {
    let kind = pattern.get("fact").and_then(Node::as_text);
    BEYOND_EXAMPLES.iter().any(|(of, name)| *name == field && kind == Some(*of))
}

/// The document without one key.
fn without(node: &Node, path: &[Step]) -> Node {
    let mut node = node.clone();
    match (path, &mut node.data) {
        ([Step::Key(key)], NodeData::Map(entries)) => entries.retain(|entry| entry.key != *key),
        ([Step::Key(key), rest @ ..], NodeData::Map(entries)) => {
            for entry in entries.iter_mut().filter(|entry| entry.key == *key) {
                entry.value = without(&entry.value, rest);
            }
        }
        ([Step::Item(index), rest @ ..], NodeData::List(items)) => {
            if let Some(item) = items.get_mut(*index) {
                *item = without(item, rest);
            }
        }
        _ => {}
    }
    node
}

fn start_of(root: &Node, path: &[Step]) -> u32 {
    let mut node = root;
    let mut start = root.start;
    for step in path {
        let next = match step {
            Step::Key(key) => node.entry(key).map(|entry| (entry.key_start, &entry.value)),
            Step::Item(index) => node.items().get(*index).map(|item| (item.start, item)),
        };
        let Some((at, inner)) = next else { break };
        (start, node) = (at, inner);
    }
    start
}

fn name(path: &[Step]) -> String {
    let mut name = String::new();
    for step in path {
        match step {
            Step::Key(key) if name.is_empty() => name.push_str(key),
            Step::Key(key) => name.push_str(&format!(".{key}")),
            Step::Item(index) => name.push_str(&format!("[{index}]")),
        }
    }
    name
}
