//! GitLab, CircleCI, Azure, Bitbucket, Travis and Jenkins. All of them start on every push and merge request unless told
//! otherwise.

use crate::facts::Fact;
use crate::project::FileId;
use crate::syntax::Node;

use super::super::values::texts;
use super::super::{Surroundings, paths};
use super::Pipeline;

const USUAL: [&str; 2] = ["pull_request", "push"];

pub fn gitlab(root: &Node) -> Pipeline {
    let mut pipeline = Pipeline::new("gitlab", &USUAL);
    for job in root.entries() {
        let optional = job.value.get("allow_failure").and_then(Node::as_bool) == Some(true);
        for key in ["before_script", "script", "after_script"] {
            let lines = job.value.get(key).map(texts).unwrap_or_default();
            if !lines.is_empty() {
                pipeline.run(lines.join("\n"), optional || key == "after_script");
            }
        }
    }
    pipeline
}

pub fn circle(root: &Node) -> Pipeline {
    let mut pipeline = Pipeline::new("circleci", &USUAL);
    for group in ["jobs", "commands"] {
        for job in root.get(group).map(Node::entries).unwrap_or_default() {
            collect(&job.value, &["run", "command"], &mut pipeline);
        }
    }
    for workflow in root.get("workflows").map(Node::entries).unwrap_or_default() {
        for job in workflow.value.get("jobs").map(Node::items).unwrap_or_default() {
            let name = job.as_text().or(job.entries().first().map(|entry| &*entry.key)).unwrap_or_default();
            pipeline.actions.tests |= matches!(name.split_once('/'), Some((_, "test" | "run" | "run-tests")));
        }
    }
    pipeline
}

pub fn azure(root: &Node) -> Pipeline {
    let mut pipeline = Pipeline::new("azure", &USUAL);
    collect(root, &["script", "bash", "pwsh", "powershell", "customCommand", "verbose"], &mut pipeline);
    for step in &mut pipeline.steps {
        if step.text.starts_with("run ") || step.text == "test" {
            step.text = format!("npm {}", step.text);
        }
    }
    pipeline
}

pub fn bitbucket(root: &Node) -> Pipeline {
    let mut pipeline = Pipeline::new("bitbucket", &USUAL);
    collect(root, &["script"], &mut pipeline);
    pipeline
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

/// Every string of a Jenkinsfile is taken for a command: those that are none have no purpose.
pub fn jenkins(file: FileId, text: &str, around: &Surroundings<'_>) -> Vec<Fact> {
    let mut pipeline = Pipeline::new("jenkins", &USUAL);
    let mut rest = text;
    while let Some(start) = rest.find(['"', '\'']) {
        let opened = &rest[start..];
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| opened.starts_with(quote)).unwrap_or("\"");
        let inner = &opened[quote.len()..];
        let Some(end) = inner.find(quote) else { break };
        pipeline.run(&inner[..end], false);
        rest = &inner[end + quote.len()..];
    }
    vec![pipeline.fact(file, (0, 0), "Jenkinsfile", around)]
}

/// All texts under those keys, wherever they are.
fn collect(node: &Node, keys: &[&str], pipeline: &mut Pipeline) {
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
