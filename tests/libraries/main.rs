//! What the documentation of well-known libraries shows must count: each case is one idiom, put into a small app, and says
//! how its control must come out. A library that is not known here would be a false alarm in every project that uses it.
//!
//! A file holds the cases of one framework: `[base]` are the files of the app, templates with the case's own keys as
//! variables; `files` of a case are added to them. All cases of a file are services of one repository, so that one audit
//! judges them.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use minijinja::Environment;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Library {
    base: BTreeMap<String, String>,
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    control: String,
    about: String,
    /// `pass`, or `partial` where half the credit will do.
    at_least: Option<String>,
    /// The exact state, of what must not pass.
    state: Option<String>,
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// What the templates of the base ask for.
    #[serde(flatten)]
    parts: BTreeMap<String, String>,
}

impl Case {
    fn accepts(&self, state: &str) -> bool {
        match (self.at_least.as_deref(), self.state.as_deref()) {
            (Some("pass"), None) => state == "pass",
            (Some("partial"), None) => matches!(state, "pass" | "partial"),
            (None, Some(wanted)) => state == wanted,
            _ => panic!("{}: a case says `at_least` or `state`", self.about),
        }
    }

    fn write(&self, base: &BTreeMap<String, String>, folder: &Path) {
        let templates = Environment::new();
        let rendered = base.iter().map(|(path, text)| (path, templates.render_str(text, &self.parts).unwrap()));
        for (path, text) in rendered.chain(self.files.iter().map(|(path, text)| (path, text.clone()))) {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
}

/// The states of a repository's controls by service.
fn audit(folder: &Path) -> BTreeMap<(String, String), String> {
    let mut command = Command::cargo_bin("readycheck").unwrap();
    let output = command.current_dir(folder).args(["audit", "--format", "json", "--no-config"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |control: &Value, key: &str| control[key].as_str().unwrap_or_default().to_owned();
    let controls = report["controls"].as_array().unwrap();
    controls.iter().map(|control| ((text(control, "service"), text(control, "id")), text(control, "state"))).collect()
}

fn check(name: &str, text: &str) {
    let library: Library = toml::from_str(text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (index, case) in library.case.iter().enumerate() {
        case.write(&library.base, &folder.path().join(format!("case-{index}")));
    }
    let states = audit(folder.path());
    let missed: Vec<String> = (library.case.iter().enumerate())
        .filter_map(|(index, case)| {
            let state = states.get(&(format!("case-{index}"), case.control.clone())).map_or("no such control", |s| s);
            (!case.accepts(state)).then(|| format!("{} of {}: {state}", case.control, case.about))
        })
        .collect();
    assert!(missed.is_empty(), "{name}: {} of {} idioms\n{}", missed.len(), library.case.len(), missed.join("\n"));
}

macro_rules! libraries {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            check(stringify!($name), include_str!(concat!(stringify!($name), ".toml")));
        })*
    };
}

libraries!(actix, axum, django, express, fastapi, flask, nextjs);
