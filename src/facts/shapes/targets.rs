//! What named targets run: of make, just, go-task, tox and the task runners of `pyproject.toml`, and shell scripts.

use std::collections::BTreeMap;

use crate::syntax::{Node, toml_file, yaml};

use super::paths;

const MAX_TARGETS: usize = 2_000;

/// Commands by the tool that runs them, the folder, and the name of the target.
#[derive(Debug, Default)]
pub struct Targets {
    by_name: BTreeMap<(&'static str, String), BTreeMap<String, String>>,
    scripts: BTreeMap<String, String>,
}

impl Targets {
    /// Takes in a file of the project, if it is one that names targets.
    pub fn add(&mut self, path: &str, text: &str) {
        let folder = paths::folder(path).to_owned();
        let (tool, found) = match paths::name(path) {
            "Makefile" | "makefile" | "GNUmakefile" => ("make", rules(text, '\t')),
            "justfile" | "Justfile" | ".justfile" => ("just", rules(text, ' ')),
            "Taskfile.yml" | "Taskfile.yaml" => {
                ("task", yaml::parse(text).map(|node| tasks(&node)).unwrap_or_default())
            }
            "tox.ini" => ("tox", environments(text)),
            "pyproject.toml" => ("python", toml_file::parse(text).map(|node| python(&node)).unwrap_or_default()),
            _ if is_script(path, text) => {
                self.scripts.insert(path.to_owned(), text.to_owned());
                return;
            }
            _ => return,
        };
        self.by_name.entry((tool, folder)).or_default().extend(found);
    }

    /// What a target runs, and where.
    pub fn target(&self, tool: &'static str, folder: &str, name: &str) -> Option<(&str, &str)> {
        let own = self.by_name.get_key_value(&(tool, folder.to_owned()));
        let root = || self.by_name.get_key_value(&(tool, ".".to_owned()));
        let ((_, folder), targets) = own.or_else(root)?;
        targets.get(name).map(|text| (folder.as_str(), text.as_str()))
    }

    /// All that a tool runs in a folder (plain `tox`).
    pub fn all(&self, tool: &'static str, folder: &str) -> Vec<&str> {
        let found = self.by_name.get(&(tool, folder.to_owned()));
        found.into_iter().flat_map(|targets| targets.values().map(String::as_str)).collect()
    }

    /// The text of a shell script.
    pub fn script(&self, path: &str) -> Option<&str> {
        self.scripts.get(path).map(String::as_str)
    }
}

/// Whether a file is a script for the shell: by its ending, or by its first line where it has none.
pub fn is_script(path: &str, text: &str) -> bool {
    let name = paths::name(path);
    let shebang = text.lines().next().is_some_and(|line| line.starts_with("#!") && line.contains("sh"));
    name.ends_with(".sh") || (!name.contains('.') && shebang)
}

/// Targets of a makefile or justfile: `name: needs` and the indented lines below. What it needs runs as well.
fn rules(text: &str, indent: char) -> BTreeMap<String, String> {
    let tool = if indent == '\t' { "make" } else { "just" };
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Vec<String> = Vec::new();
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").lines() {
        if line.starts_with(['\t', ' ']) {
            let command = line.trim_start().trim_start_matches(['@', '-', '+']);
            for name in &current {
                found.entry(name.clone()).or_default().push_str(&format!("{command}\n"));
            }
            continue;
        }
        let Some((names, needs)) =
            line.split_once(':').filter(|(names, _)| !names.is_empty() && !names.contains(['=', '#']))
        else {
            if !line.trim().is_empty() {
                current.clear();
            }
            continue;
        };
        if needs.starts_with('=') || found.len() > MAX_TARGETS {
            continue;
        }
        let names: Vec<&str> = names.split_whitespace().collect();
        // The parameters of a recipe of just follow its name.
        let names = if tool == "just" { names.get(..1).unwrap_or(&[]) } else { names.as_slice() };
        current = names.iter().take(20).map(|name| name.trim_start_matches('@').to_owned()).collect();
        for need in needs.split_whitespace().take_while(|word| !word.starts_with('#')).take(50) {
            for name in &current {
                found.entry(name.clone()).or_default().push_str(&format!("{tool} {need}\n"));
            }
        }
    }
    found
}

/// `tasks` of go-task: text, `cmd`, `cmds`, `deps`.
fn tasks(node: &Node) -> BTreeMap<String, String> {
    let entries = node.get("tasks").map_or(&[][..], Node::entries).iter().take(MAX_TARGETS);
    entries.map(|entry| (entry.key.to_string(), task(&entry.value))).collect()
}

fn task(node: &Node) -> String {
    let needs = node.get("deps").map_or(&[][..], Node::items).iter().filter_map(|need| need.as_text());
    let mut lines: Vec<String> = needs.map(|need| format!("task {need}")).collect();
    let commands = node.get("cmds").map_or(&[][..], Node::items).iter().chain(node.get("cmd"));
    for command in commands.chain(node.items()) {
        let nested = command.get("task").and_then(Node::as_text).map(|name| format!("task {name}"));
        lines.extend(command.as_text().or_else(|| command.get("cmd")?.as_text()).map(str::to_owned).or(nested));
    }
    lines.extend(node.as_text().map(str::to_owned));
    lines.join("\n")
}

/// `commands` of each `[testenv:NAME]` of tox; `[testenv]` is called `testenv`.
fn environments(text: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let (mut section, mut key) = (String::new(), String::new());
    for line in text.lines() {
        if let Some(name) = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.strip_prefix("testenv:").unwrap_or(name).to_owned();
            key.clear();
            continue;
        }
        let value = match line.split_once('=').filter(|_| !line.starts_with([' ', '\t'])) {
            Some((name, value)) => {
                name.trim().clone_into(&mut key);
                value
            }
            None => line,
        };
        if key == "commands" && found.len() < MAX_TARGETS {
            found.entry(section.clone()).or_default().push_str(&format!("{}\n", value.trim()));
        }
    }
    found
}

/// Scripts of poe, pdm, taskipy and hatch.
fn python(node: &Node) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let tables: [&[&str]; 3] = [&["tool", "poe", "tasks"], &["tool", "pdm", "scripts"], &["tool", "taskipy", "tasks"]];
    let environments = node.at(&["tool", "hatch", "envs"]).map_or(&[][..], Node::entries);
    let hatch = environments.iter().filter_map(|environment| environment.value.get("scripts"));
    for table in tables.iter().filter_map(|path| node.at(path)).chain(hatch) {
        for entry in table.entries().iter().take(MAX_TARGETS) {
            let keyed = ["cmd", "shell", "script"].iter().find_map(|key| entry.value.get(key)?.as_text());
            let listed = super::values::command_text(&entry.value).filter(|_| keyed.is_none());
            found.insert(entry.key.to_string(), keyed.map(str::to_owned).or(listed).unwrap_or_default());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str, text: &str, tool: &'static str, name: &str) -> Option<String> {
        let mut targets = Targets::default();
        targets.add(path, text);
        targets.target(tool, paths::folder(path), name).map(|(_, text)| text.trim().to_owned())
    }

    #[test]
    fn targets_of_all_tools() {
        let make = "X := 1\n.PHONY: test\ncheck: lint test # all\nlint:\n\t@ruff check .\ntest:\n\n\tpytest -q \\\n\t  tests\n";
        assert_eq!(target("Makefile", make, "make", "check").as_deref(), Some("make lint\nmake test"));
        assert_eq!(target("Makefile", make, "make", "lint").as_deref(), Some("ruff check ."));
        assert!(target("Makefile", make, "make", "test").unwrap().starts_with("pytest -q"));
        let just =
            "set shell := ['bash']\ntest *args: build\n    cargo nextest run {{args}}\nbuild:\n    cargo build\n";
        assert_eq!(target("justfile", just, "just", "test").as_deref(), Some("just build\ncargo nextest run {{args}}"));
        let task = "tasks:\n  py:test:\n    deps: [lint]\n    cmds:\n      - poetry run pytest\n      - task: other\n  one: ruff check\n";
        assert_eq!(
            target("Taskfile.yml", task, "task", "py:test").as_deref(),
            Some("task lint\npoetry run pytest\ntask other")
        );
        assert_eq!(target("Taskfile.yml", task, "task", "one").as_deref(), Some("ruff check"));
        let tox = "[tox]\nenvlist = py\n[testenv:lint]\ndeps = ruff\ncommands =\n    ruff check\n[testenv]\ncommands = pytest\n";
        assert_eq!(target("tox.ini", tox, "tox", "lint").as_deref(), Some("ruff check"));
        assert_eq!(target("tox.ini", tox, "tox", "testenv").as_deref(), Some("pytest"));
        let poe = "[tool.poe.tasks]\ntest = 'pytest'\nlint = {cmd = 'ruff check'}\n[tool.hatch.envs.x.scripts]\ncov = ['a', 'b']\n";
        assert_eq!(target("pyproject.toml", poe, "python", "lint").as_deref(), Some("ruff check"));
        assert_eq!(target("pyproject.toml", poe, "python", "cov").as_deref(), Some("a b"));
    }

    #[test]
    fn scripts_by_ending_or_first_line() {
        assert!(is_script("scripts/test", "#!/usr/bin/env bash\n") && is_script("a.sh", "") && !is_script("a", "x"));
        for text in ["", ":", "\t", "a:\\", ":=", "[", "a\n\tb"] {
            let _ = (rules(text, '\t'), rules(text, ' '), environments(text));
        }
    }
}
