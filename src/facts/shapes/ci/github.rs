//! GitHub workflows, with the local actions and workflows that they use.

use crate::syntax::{Node, yaml};

use super::super::commands::Purpose;
use super::super::{Surroundings, paths};
use super::{Pipeline, Step};

/// How many files one workflow may draw in.
const MAX_FILES: usize = 30;

pub fn read(root: &Node, around: &Surroundings<'_>) -> Pipeline {
    let mut pipeline = Pipeline { provider: "github", triggers: triggers(root.get("on")), ..Pipeline::default() };
    let mut visit = Visit { around, pipeline: &mut pipeline, files: Vec::new() };
    visit.workflow(root);
    pipeline
}

/// `on` as a word, a list or a map.
pub fn triggers(on: Option<&Node>) -> Vec<String> {
    let Some(on) = on else { return Vec::new() };
    let words = super::super::values::texts(on).into_iter().map(str::to_owned);
    words.chain(on.entries().iter().map(|entry| entry.key.to_string())).collect()
}

struct Visit<'v> {
    around: &'v Surroundings<'v>,
    pipeline: &'v mut Pipeline,
    /// Files that were drawn in, so that each is read once.
    files: Vec<String>,
}

/// What steps inherit from their job and workflow.
#[derive(Clone)]
struct Inherited {
    folder: String,
    optional: bool,
}

impl Visit<'_> {
    fn workflow(&mut self, root: &Node) {
        let folder = working_directory(root.at(&["defaults", "run"])).unwrap_or_else(|| ".".to_owned());
        for job in root.get("jobs").map(Node::entries).unwrap_or_default() {
            let job = &job.value;
            if is_off(job) {
                continue;
            }
            let own = working_directory(job.at(&["defaults", "run"]));
            let inherited = Inherited { folder: own.unwrap_or_else(|| folder.clone()), optional: is_optional(job) };
            self.steps(job.get("steps"), &inherited);
            if let Some(path) = job.get("uses").and_then(Node::as_text).and_then(|uses| uses.strip_prefix("./")) {
                let called = self.open(path);
                if let Some(called) = called {
                    self.workflow(&called);
                }
            }
        }
    }

    fn steps(&mut self, steps: Option<&Node>, inherited: &Inherited) {
        for step in steps.map(Node::items).unwrap_or_default().iter().filter(|step| !is_off(step)) {
            let optional = inherited.optional || is_optional(step);
            let folder = working_directory(Some(step)).unwrap_or_else(|| inherited.folder.clone());
            if let Some(text) = step.get("run").and_then(Node::as_text) {
                self.pipeline.steps.push(Step { text: text.to_owned(), folder: folder.clone(), optional });
            }
            if let Some(uses) = step.get("uses").and_then(Node::as_text) {
                self.action(uses, step, &Inherited { folder, optional });
            }
        }
    }

    fn action(&mut self, uses: &str, step: &Node, inherited: &Inherited) {
        let Some(path) = uses.strip_prefix("./") else {
            self.pipeline.actions = self.pipeline.actions.or(purpose(uses, step));
            return;
        };
        let found = ["action.yml", "action.yaml"].iter().find_map(|name| self.open(&paths::join(path, name)));
        if let Some(action) = found {
            self.steps(action.at(&["runs", "steps"]), inherited);
        }
    }

    fn open(&mut self, path: &str) -> Option<Node> {
        let path = paths::join(".", path);
        if self.files.len() >= MAX_FILES || self.files.contains(&path) {
            return None;
        }
        let text = (self.around.read)(&path)?;
        self.files.push(path);
        yaml::parse(&text).ok()
    }
}

fn working_directory(node: Option<&Node>) -> Option<String> {
    node?.get("working-directory")?.as_text().map(|folder| paths::join(".", folder))
}

fn is_off(node: &Node) -> bool {
    let condition = node.get("if");
    let text = condition.and_then(Node::as_text).map(|text| text.replace(['$', '{', '}', ' '], ""));
    condition.and_then(Node::as_bool) == Some(false) || text.as_deref() == Some("false")
}

fn is_optional(node: &Node) -> bool {
    node.get("continue-on-error").and_then(Node::as_bool) == Some(true)
}

/// What a published action is for, by its name.
fn purpose(uses: &str, step: &Node) -> Purpose {
    let name = uses.split('@').next().unwrap_or_default();
    let skips = step.at(&["with", "runTests"]).and_then(Node::as_bool) == Some(false);
    Purpose {
        tests: name.starts_with("cypress-io/") && !skips,
        lint: name.ends_with("/super-linter") || name.contains("eslint") || name.contains("golangci-lint"),
        build: name.ends_with("/build-push-action"),
    }
}
