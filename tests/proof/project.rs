//! A service in a folder of its own, under version control, for `readycheck scaffold` to write in.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use crate::apps::{bytes, commit_all, copy, fixture, git, run};

/// Every module, whatever its effect.
pub const ALL: [&str; 3] = ["--all", "--include", "behavioural,data"];

pub struct Project {
    folder: TempDir,
    before: BTreeMap<String, Vec<u8>>,
}

impl Project {
    /// Takes over a folder: commits what is there.
    pub fn new(folder: TempDir) -> Self {
        commit_all(folder.path());
        let before = bytes(folder.path());
        Self { folder, before }
    }

    /// A copy of `fixtures/NAME`.
    pub fn fixture(name: &str) -> Self {
        Self::new(fixture(name))
    }

    /// A copy of `tests/proof/apps/NAME`.
    pub fn app(name: &str) -> Self {
        Self::new(copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proof/apps").join(name)))
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// The modules that a plan would apply here.
    pub fn planned(&self, modules: &[&str]) -> Vec<String> {
        let ran = run(self.root(), &[modules, &["--format", "json"]].concat());
        let plan: Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err));
        let applied = plan["modules"].as_array().unwrap().iter();
        applied.map(|module| module["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Applies every module for a stack, and answers which. What the plan of all leaves out is asked for by name.
    pub fn apply_all(&self, stack: &str) -> Vec<String> {
        let mut applied = self.planned(&ALL);
        self.apply(&ALL);
        for id in modules(stack) {
            if !applied.contains(&id) && self.planned(&[&id]).contains(&id) {
                self.apply(&[&id]);
                applied.push(id);
            }
        }
        applied
    }

    /// Applies modules and commits what they wrote; answers the plan (`--format json`).
    pub fn apply(&self, modules: &[&str]) -> Value {
        let arguments = [modules, &["--apply", "--format", "json"]].concat();
        let ran = run(self.root(), &arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}: {}", ran.out);
        let plan: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(plan["applied"], true, "{arguments:?}: {}", ran.out);
        git(self.root(), &["add", "-A"]);
        git(self.root(), &["commit", "-q", "-m", "Modules"]);
        plan
    }

    /// Takes every module back; fails unless each byte is as it was. `made` names what builds and tests have left.
    pub fn undo(&self, made: &[&str]) {
        let ran = run(self.root(), &["undo", "--all", "--apply"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let mut after = bytes(self.root());
        after.retain(|path, _| !made.iter().any(|name| path.split('/').any(|part| part == *name)));
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&after), names(&self.before));
        for (path, content) in &self.before {
            assert!(after[path] == *content, "{path} is not as it was");
        }
    }
}

/// The modules that the binary can write for a stack.
pub fn modules(stack: &str) -> Vec<String> {
    let here = tempfile::tempdir().unwrap();
    let value: Value = serde_json::from_str(&run(here.path(), &["modules", "--format", "json"]).out).unwrap();
    let all = value["modules"].as_array().unwrap().iter();
    let written = all.filter(|module| module["stacks"].as_array().unwrap().iter().any(|found| found == stack));
    let ids: Vec<String> = written.map(|module| module["id"].as_str().unwrap().to_owned()).collect();
    assert!(!ids.is_empty(), "no module is written for {stack}");
    ids
}
