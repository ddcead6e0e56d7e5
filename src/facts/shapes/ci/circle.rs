//! Pipelines of CircleCI: the jobs that workflows start, with the commands that they use.

use crate::syntax::Node;

use super::super::paths;
use super::super::values::texts;
use super::{Pipeline, Step, USUAL};

/// How far commands may use each other.
const MAX_DEPTH: usize = 6;
/// What jobs and commands of orbs are called that run tests.
const TESTS: [&str; 3] = ["test", "run", "run-tests"];

pub fn read(root: &Node) -> Pipeline {
    let mut reading = Reading { root, pipeline: Pipeline::new("circleci", &USUAL) };
    let workflows = root.get("workflows").map(Node::entries).unwrap_or_default();
    let jobs = root.get("jobs").map(Node::entries).unwrap_or_default();
    if workflows.iter().all(|workflow| workflow.value.get("jobs").is_none()) {
        jobs.iter().for_each(|job| reading.job(&job.value));
    }
    for workflow in workflows.iter().filter(|workflow| workflow.value.get("triggers").is_none()) {
        let listed = workflow.value.get("jobs").map(Node::items).unwrap_or_default();
        let listed: Vec<Listed<'_>> = listed.iter().filter_map(Listed::of).collect();
        for job in listed.iter().filter(|job| !job.is_aside() && !waits(job, &listed, MAX_DEPTH)) {
            reading.started(job.name);
        }
    }
    reading.pipeline
}

/// A job as a workflow lists it.
struct Listed<'n> {
    name: &'n str,
    with: Option<&'n Node>,
}

impl<'n> Listed<'n> {
    fn of(node: &'n Node) -> Option<Listed<'n>> {
        let name = node.as_text().map(|name| Listed { name, with: None });
        name.or_else(|| node.entries().first().map(|entry| Listed { name: &entry.key, with: Some(&entry.value) }))
    }

    fn get(&self, key: &str) -> Option<&'n Node> {
        self.with.and_then(|with| with.get(key))
    }

    /// Kept to tags: no branch starts it.
    fn is_aside(&self) -> bool {
        let ignored = self.with.and_then(|with| with.at(&["filters", "branches", "ignore"])).map(texts);
        ignored.is_some_and(|ignored| ignored.contains(&"/.*/"))
    }
}

/// Somebody has to approve before it starts.
fn waits(job: &Listed<'_>, all: &[Listed<'_>], depth: usize) -> bool {
    let Some(deeper) = depth.checked_sub(1) else { return false };
    let approval = |job: &Listed<'_>| job.get("type").and_then(Node::as_text) == Some("approval");
    let needs = job.get("requires").map(texts).unwrap_or_default();
    let named = |other: &Listed<'_>| {
        let name = other.get("name").and_then(Node::as_text).unwrap_or(other.name);
        needs.contains(&name)
    };
    approval(job) || all.iter().filter(|other| named(other)).any(|other| waits(other, all, deeper))
}

struct Reading<'n> {
    root: &'n Node,
    pipeline: Pipeline,
}

impl<'n> Reading<'n> {
    fn started(&mut self, name: &str) {
        if is_test_of_orb(name) {
            self.pipeline.actions.tests = true;
        }
        if let Some(job) = self.root.at(&["jobs", name]) {
            self.job(job);
        }
    }

    fn job(&mut self, job: &'n Node) {
        let folder = job.get("working_directory").and_then(Node::as_text).map_or(".".to_owned(), folder_of);
        self.steps(job.get("steps"), &folder, MAX_DEPTH);
    }

    fn steps(&mut self, steps: Option<&'n Node>, folder: &str, depth: usize) {
        let Some(deeper) = depth.checked_sub(1) else { return };
        for step in steps.map(Node::items).unwrap_or_default() {
            if let Some(name) = step.as_text() {
                self.command(name, folder, deeper);
            }
            for entry in step.entries() {
                match &*entry.key {
                    "run" => self.run(&entry.value, folder),
                    "when" | "unless" => self.steps(entry.value.get("steps"), folder, deeper),
                    name => self.command(name, folder, deeper),
                }
            }
        }
    }

    fn run(&mut self, run: &Node, folder: &str) {
        let Some(text) = run.as_text().or_else(|| run.get("command").and_then(Node::as_text)) else { return };
        let own = run.get("working_directory").and_then(Node::as_text).map(folder_of);
        let always = run.get("when").and_then(Node::as_text) == Some("on_fail");
        let folder = own.unwrap_or_else(|| folder.to_owned());
        self.pipeline.steps.push(Step { text: text.to_owned(), folder, optional: always });
    }

    fn command(&mut self, name: &str, folder: &str, depth: usize) {
        if is_test_of_orb(name) {
            self.pipeline.actions.tests = true;
        }
        let steps = self.root.at(&["commands", name, "steps"]);
        self.steps(steps, folder, depth);
    }
}

fn is_test_of_orb(name: &str) -> bool {
    name.split_once('/').is_some_and(|(_, job)| TESTS.contains(&job))
}

/// Seen from the checkout, wherever that lies.
fn folder_of(path: &str) -> String {
    let path = path.strip_prefix("~/").map_or(path, |rest| rest.split_once('/').map_or(".", |(_, rest)| rest));
    paths::join(".", path)
}
