//! Whether git holds everything as it is, so that what is written can be told apart and taken back.
//!
//! This is the only place that runs git. Its configuration in the tree is a stranger's: everything in it that would
//! run a program is switched off.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::project::is_work_tree;

/// What git says about a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cleanliness {
    Clean,
    /// Changed and unknown files, some of them.
    Dirty(Vec<String>),
    NoRepository,
    /// Git is missing or refuses.
    Unknown(String),
}

/// Switches off what the repository's own configuration could make git run.
const HARMLESS: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.untrackedCache=false",
    "core.sshCommand=false",
    "core.askPass=",
    "core.pager=cat",
    "diff.external=",
    "credential.helper=",
    "protocol.allow=never",
    "submodule.recurse=false",
    "status.submoduleSummary=false",
];

/// Files that are shown of a dirty tree.
const SHOWN: usize = 5;

pub fn cleanliness(root: &Path) -> Cleanliness {
    if !root.ancestors().any(is_work_tree) {
        return Cleanliness::NoRepository;
    }
    let filters = match filters(root) {
        Ok(filters) => filters,
        Err(reason) => return Cleanliness::Unknown(reason),
    };
    let arguments =
        ["status", "--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=all", "--", "."];
    match git(root, &filters, &arguments) {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let paths: Vec<String> =
                text.split('\0').filter_map(|entry| entry.get(3..)).map(str::to_owned).take(SHOWN).collect();
            if paths.is_empty() { Cleanliness::Clean } else { Cleanliness::Dirty(paths) }
        }
        Ok(output) => Cleanliness::Unknown(first_line(&output.stderr)),
        Err(error) => Cleanliness::Unknown(error.to_string()),
    }
}

/// Content filters (`filter.NAME.clean`) run programs on changed files: settings that empty all of them.
fn filters(root: &Path) -> Result<BTreeSet<String>, String> {
    let output = git(root, &BTreeSet::new(), &["config", "--list", "--name-only", "-z", "--includes"]);
    let output = output.map_err(|error| format!("git cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(first_line(&output.stderr));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let names = text.split('\0').filter(|name| name.starts_with("filter."));
    let mut settings = BTreeSet::new();
    for name in names {
        if let Some((filter, _)) = name.rsplit_once('.') {
            settings.insert(format!("{filter}.clean="));
            settings.insert(format!("{filter}.smudge="));
            settings.insert(format!("{filter}.process="));
            settings.insert(format!("{filter}.required=false"));
        }
    }
    Ok(settings)
}

fn git(root: &Path, further: &BTreeSet<String>, arguments: &[&str]) -> std::io::Result<Output> {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(["--no-optional-locks", "--no-pager", "--literal-pathspecs"]);
    for setting in HARMLESS.iter().copied().chain(further.iter().map(String::as_str)) {
        command.args(["-c", setting]);
    }
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_EXTERNAL_DIFF", "GIT_CONFIG_PARAMETERS"] {
        command.env_remove(variable);
    }
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_NO_LAZY_FETCH", "1").env("LC_ALL", "C");
    command.args(arguments).stdin(Stdio::null()).output()
}

fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().next().unwrap_or("git failed").trim_start_matches("fatal: ").to_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn run(root: &Path, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.arg("-C").arg(root).args(["-c", "user.name=a", "-c", "user.email=a@b.test"]).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn repository() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        run(dir.path(), &["init", "-q"]);
        fs::write(dir.path().join("a.txt"), "a").unwrap();
        run(dir.path(), &["add", "."]);
        run(dir.path(), &["commit", "-q", "-m", "First"]);
        dir
    }

    #[test]
    fn tells_clean_from_dirty() {
        let dir = repository();
        assert_eq!(cleanliness(dir.path()), Cleanliness::Clean);
        fs::write(dir.path().join("b.txt"), "b").unwrap();
        assert_eq!(cleanliness(dir.path()), Cleanliness::Dirty(vec!["b.txt".into()]));
        fs::remove_file(dir.path().join("b.txt")).unwrap();
        fs::write(dir.path().join("a.txt"), "other").unwrap();
        assert_eq!(cleanliness(dir.path()), Cleanliness::Dirty(vec!["a.txt".into()]));
        assert_eq!(cleanliness(tempfile::tempdir().unwrap().path()), Cleanliness::NoRepository);
    }

    #[cfg(unix)]
    #[test]
    fn nothing_in_the_configuration_of_the_tree_runs() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = repository();
        let marker = dir.path().join(".git/ran");
        let script = dir.path().join(".git/evil.sh");
        fs::write(&script, format!("#!/bin/sh\ntouch '{}'\ncat\n", marker.display())).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let evil = script.display().to_string();
        fs::create_dir_all(dir.path().join(".git/hooks")).unwrap();
        fs::copy(&script, dir.path().join(".git/hooks/post-index-change")).unwrap();
        let config = format!(
            "[core]\n\tfsmonitor = {evil}\n\tsshCommand = {evil}\n[filter \"evil\"]\n\tclean = {evil}\n\tprocess = {evil}\n\trequired = true\n[diff]\n\texternal = {evil}\n[diff \"evil\"]\n\ttextconv = {evil}\n"
        );
        let path = dir.path().join(".git/config");
        fs::write(&path, fs::read_to_string(&path).unwrap() + &config).unwrap();
        fs::write(dir.path().join(".git/info/attributes"), "* filter=evil diff=evil\n").unwrap();
        fs::write(dir.path().join("a.txt"), "changed").unwrap();
        assert_eq!(cleanliness(dir.path()), Cleanliness::Dirty(vec!["a.txt".into()]));
        assert!(!marker.exists());
    }
}
