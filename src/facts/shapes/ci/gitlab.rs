//! Pipelines of GitLab: jobs with what they extend and include, and whether a push or a merge request starts them.

use crate::syntax::{Node, yaml};

use super::super::values::texts;
use super::super::{Surroundings, paths};
use super::{Pipeline, USUAL};

/// Keys of a pipeline that are no jobs.
const NO_JOBS: [&str; 13] = [
    "default",
    "stages",
    "variables",
    "include",
    "image",
    "services",
    "workflow",
    "cache",
    "before_script",
    "after_script",
    "spec",
    "types",
    "artifacts",
];
/// How many files one pipeline may draw in, and how far jobs may extend each other.
const MAX_FILES: usize = 30;
const MAX_DEPTH: usize = 10;
/// What starts a pipeline that is neither a push nor a merge request.
const ASIDE: [&str; 9] =
    ["schedule", "schedules", "tags", "web", "trigger", "triggers", "api", "pipelines", "pipeline"];

pub fn read(root: &Node, around: &Surroundings<'_>) -> Pipeline {
    let mut included = Vec::new();
    include(root, around, &mut Vec::new(), &mut included);
    let reading = Reading { files: std::iter::once(root).chain(&included).collect() };
    let mut pipeline = Pipeline::new("gitlab", &USUAL);
    let jobs = reading.files.iter().flat_map(|file| file.entries());
    for entry in jobs.filter(|entry| !entry.key.starts_with('.') && !NO_JOBS.contains(&&*entry.key)) {
        if reading.runs(&entry.value) {
            reading.job(&entry.value, &mut pipeline);
        }
    }
    pipeline
}

/// The files of the repository that a pipeline includes, and those that they include.
fn include(root: &Node, around: &Surroundings<'_>, seen: &mut Vec<String>, into: &mut Vec<Node>) {
    let Some(node) = root.get("include") else { return };
    let local = |node: &Node| node.get("local").or(Some(node)).and_then(Node::as_text).map(str::to_owned);
    let named: Vec<String> = local(node).into_iter().chain(node.items().iter().filter_map(local)).collect();
    for path in named.iter().map(|path| paths::join(".", path.trim_start_matches('/'))) {
        if seen.len() >= MAX_FILES || seen.contains(&path) {
            continue;
        }
        let parsed = (around.read)(&path).and_then(|text| yaml::parse(&text).ok());
        seen.push(path);
        if let Some(file) = parsed {
            include(&file, around, seen, into);
            into.push(file);
        }
    }
}

struct Reading<'n> {
    files: Vec<&'n Node>,
}

impl<'n> Reading<'n> {
    fn job(&self, job: &'n Node, pipeline: &mut Pipeline) {
        let optional = self.field(job, "allow_failure", MAX_DEPTH).and_then(Node::as_bool) == Some(true);
        let before = self.field(job, "before_script", MAX_DEPTH).or_else(|| {
            let all = self.files.iter().find_map(|file| file.at(&["default", "before_script"]));
            all.or_else(|| self.files.iter().find_map(|file| file.get("before_script")))
        });
        let script = self.field(job, "script", MAX_DEPTH);
        let lines: Vec<&str> = before.into_iter().chain(script).flat_map(|node| self.lines(node, MAX_DEPTH)).collect();
        if !lines.is_empty() {
            pipeline.run(lines.join("\n"), optional);
        }
        let after = self.field(job, "after_script", MAX_DEPTH).map(|node| self.lines(node, MAX_DEPTH));
        if let Some(lines) = after {
            pipeline.run(lines.join("\n"), true);
        }
    }

    /// A key of a job, its own or of what it extends: of several, the last one that says it.
    fn field(&self, job: &'n Node, key: &str, depth: usize) -> Option<&'n Node> {
        if let Some(own) = job.get(key) {
            return Some(own);
        }
        let parents = job.get("extends").map(texts).unwrap_or_default();
        let deeper = depth.checked_sub(1)?;
        parents.iter().rev().filter_map(|name| self.named(name)).find_map(|parent| self.field(parent, key, deeper))
    }

    fn named(&self, name: &str) -> Option<&'n Node> {
        self.files.iter().find_map(|file| file.get(name))
    }

    /// The commands of a script, with those that it refers to: `!reference [.setup, script]`.
    fn lines(&self, node: &'n Node, depth: usize) -> Vec<&'n str> {
        let Some(deeper) = depth.checked_sub(1) else { return Vec::new() };
        if let Some(text) = node.as_text() {
            return vec![text];
        }
        if let [name, key] = texts(node).as_slice()
            && let Some(other) = self.named(name).and_then(|job| self.field(job, key, deeper))
        {
            return self.lines(other, deeper);
        }
        node.items().iter().flat_map(|item| self.lines(item, deeper)).collect()
    }

    /// A push or a merge request starts it, and nobody has to press a button.
    fn runs(&self, job: &'n Node) -> bool {
        if let Some(rules) = self.field(job, "rules", MAX_DEPTH).filter(|rules| !rules.items().is_empty()) {
            return rules.items().iter().any(is_usual);
        }
        let usual = match self.field(job, "only", MAX_DEPTH) {
            Some(only) => {
                let named = texts(only.get("refs").unwrap_or(only));
                named.is_empty() || named.iter().any(|name| !ASIDE.contains(name))
            }
            None => true,
        };
        usual && !is_held(self.field(job, "when", MAX_DEPTH))
    }
}

fn is_held(when: Option<&Node>) -> bool {
    matches!(when.and_then(Node::as_text), Some("manual" | "never"))
}

/// A rule lets the job run for pushes or merge requests; what it refers to elsewhere may.
fn is_usual(rule: &Node) -> bool {
    let condition = rule.get("if").and_then(Node::as_text).unwrap_or_default();
    let source = ASIDE
        .iter()
        .any(|word| condition.contains(&format!("== \"{word}\"")) || condition.contains(&format!("== '{word}'")));
    let tagged = condition.trim() == "$CI_COMMIT_TAG" || condition.trim().starts_with("$CI_COMMIT_TAG =~");
    !is_held(rule.get("when")) && (condition.contains("||") || !(source || tagged))
}
