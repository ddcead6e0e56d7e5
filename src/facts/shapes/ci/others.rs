//! Azure, Bitbucket, Woodpecker, Travis and Jenkins. All of them start on every push and merge request unless told otherwise.

use crate::facts::Fact;
use crate::project::FileId;
use crate::syntax::{Node, yaml};

use super::super::values::texts;
use super::super::{Surroundings, paths};
use super::{Pipeline, USUAL};

/// Templates that a pipeline of Azure may draw in.
const MAX_FILES: usize = 30;

/// Nothing where neither a push nor a pull request starts it.
pub fn azure(root: &Node, around: &Surroundings<'_>) -> Pipeline {
    let mut pipeline = Pipeline::new("azure", &USUAL);
    let is_none = |key: &str| root.get(key).and_then(Node::as_text) == Some("none");
    if is_none("trigger") && is_none("pr") {
        pipeline.triggers.clear();
        return pipeline;
    }
    const KEYS: [&str; 6] = ["script", "bash", "pwsh", "powershell", "customCommand", "verbose"];
    collect(root, &KEYS, &mut pipeline);
    let mut files = Vec::new();
    let mut open = templates(root);
    while let Some(path) = open.pop() {
        let path = paths::join(".", path.trim_start_matches('/'));
        if files.len() >= MAX_FILES || files.contains(&path) {
            continue;
        }
        if let Some(template) = (around.read)(&path).and_then(|text| yaml::parse(&text).ok()) {
            collect(&template, &KEYS, &mut pipeline);
            let folder = paths::folder(&path);
            open.extend(templates(&template).iter().map(|name| paths::join(folder, name)));
        }
        files.push(path);
    }
    for step in &mut pipeline.steps {
        if step.text.starts_with("run ") || step.text == "test" {
            step.text = format!("npm {}", step.text);
        }
    }
    pipeline
}

/// The files that a part of a pipeline of Azure stands in.
fn templates(node: &Node) -> Vec<String> {
    if is_off(node) {
        return Vec::new();
    }
    let own = node.get("template").and_then(Node::as_text).filter(|path| !path.contains('@')).map(str::to_owned);
    let inner = node.items().iter().chain(node.entries().iter().map(|entry| &entry.value));
    own.into_iter().chain(inner.flat_map(templates)).collect()
}

/// What pushes and pull requests start: not what is started by hand or for a tag.
pub fn bitbucket(root: &Node) -> Pipeline {
    let mut pipeline = Pipeline::new("bitbucket", &USUAL);
    let all = |key: &str| root.at(&["pipelines", key]).map(Node::entries).unwrap_or_default();
    let named = all("branches").iter().chain(all("pull-requests")).map(|entry| &entry.value);
    for steps in root.at(&["pipelines", "default"]).into_iter().chain(named) {
        by_itself(steps, &mut pipeline);
    }
    pipeline
}

/// The steps up to the first that somebody has to start.
fn by_itself(steps: &Node, pipeline: &mut Pipeline) {
    for entry in steps.items().iter().flat_map(Node::entries) {
        if entry.value.get("trigger").and_then(Node::as_text) == Some("manual") {
            return;
        }
        match &*entry.key {
            "parallel" | "stage" => by_itself(entry.value.get("steps").unwrap_or(&entry.value), pipeline),
            _ => pipeline.run(entry.value.get("script").map(texts).unwrap_or_default().join("\n"), false),
        }
    }
}

/// Woodpecker and Drone.
pub fn woodpecker(root: &Node) -> Pipeline {
    let mut pipeline = Pipeline::new("woodpecker", &USUAL);
    collect(root, &["commands"], &mut pipeline);
    pipeline
}

pub fn travis(root: &Node, around: &Surroundings<'_>) -> Pipeline {
    let mut pipeline = Pipeline::new("travis", &USUAL);
    collect(root, &["install", "before_script", "script"], &mut pipeline);
    let node = root.get("language").is_some_and(|language| texts(language).contains(&"node_js"));
    let tested = around.scripts.is_empty() || around.scripts.values().any(|scripts| scripts.contains_key("test"));
    if node && tested && root.get("script").is_none() && root.get("jobs").is_none() {
        pipeline.run("npm test", false);
    }
    pipeline
}

/// `Jenkinsfile`, `ci/Jenkinsfile`.
pub fn is_jenkinsfile(path: &str) -> bool {
    let name = paths::name(path);
    name == "Jenkinsfile" || name.ends_with(".jenkinsfile")
}

/// What strings and comments begin and end with, the longer first.
const PAIRS: [(&str, &str); 6] =
    [("\"\"\"", "\"\"\""), ("'''", "'''"), ("\"", "\""), ("'", "'"), ("//", "\n"), ("/*", "*/")];

/// Every string of a Jenkinsfile is taken for a command: those that are none have no purpose.
pub fn jenkins(file: FileId, text: &str, around: &Surroundings<'_>) -> Vec<Fact> {
    let mut pipeline = Pipeline::new("jenkins", &USUAL);
    let mut rest = text;
    while let Some(start) = rest.find(['"', '\'', '/']) {
        let opened = &rest[start..];
        let (opening, closing) =
            PAIRS.into_iter().find(|(opening, _)| opened.starts_with(opening)).unwrap_or(("/", ""));
        let inner = &opened[opening.len()..];
        let Some(end) = inner.find(closing) else { break };
        if opening.starts_with(['"', '\'']) {
            pipeline.run(&inner[..end], false);
        }
        rest = &inner[end + closing.len()..];
    }
    vec![pipeline.fact(file, (0, 0), "Jenkinsfile", around)]
}

/// Switched off by hand.
fn is_off(node: &Node) -> bool {
    let is_false = |key: &str| {
        let value = node.get(key);
        value.and_then(Node::as_bool) == Some(false) || value.and_then(Node::as_text) == Some("false")
    };
    is_false("enabled") || is_false("condition")
}

/// All texts under those keys, wherever they are and not switched off.
fn collect(node: &Node, keys: &[&str], pipeline: &mut Pipeline) {
    if is_off(node) {
        return;
    }
    for item in node.items() {
        collect(item, keys, pipeline);
    }
    for entry in node.entries() {
        let lines = texts(&entry.value);
        if keys.contains(&&*entry.key) && !lines.is_empty() {
            let optional = node.get("continueOnError").and_then(Node::as_bool) == Some(true);
            pipeline.run(lines.join("\n"), optional);
        } else {
            collect(&entry.value, keys, pipeline);
        }
    }
}
