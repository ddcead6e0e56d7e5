//! What the manifests of Python and Rust ask for: the packages, their versions, and which of them only development
//! needs.

mod cargo;
mod environment;
mod pep508;
mod pyproject;
mod setup;
mod text;

use std::sync::Arc;

use super::paths::{file_name, folder_of};
use crate::syntax::Node;

pub use cargo::cargo;
pub use environment::environment;
pub use pep508::normalised;
pub use pyproject::{pipfile, pyproject};
pub use setup::{installs, setup_cfg, setup_py};
pub use text::{Pins, pins, requirements_txt};

/// More than this of one manifest is not read.
const MAX_REQUIREMENTS: usize = 5_000;

/// Which registry a package comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ecosystem {
    Npm,
    Pypi,
    Crates,
}

impl Ecosystem {
    /// As facts and rules call it.
    pub fn name(self) -> &'static str {
        match self {
            Ecosystem::Npm => "npm",
            Ecosystem::Pypi => "pypi",
            Ecosystem::Crates => "crates",
        }
    }
}

/// A package that a manifest asks for, with the bytes that say so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// As the registry compares names.
    pub name: Arc<str>,
    /// The version as written, empty for any.
    pub version: String,
    /// Only development, tests or documentation need it.
    pub dev: bool,
    /// Anything may come tomorrow: any version, or the branch of a repository.
    pub loose: bool,
    /// The version stands in the workspace's root.
    pub inherited: bool,
    pub start: u32,
    pub end: u32,
}

/// A manifest that is read as a tree.
pub fn of_tree(path: &str, node: &Node) -> Option<(Ecosystem, Vec<Requirement>)> {
    match file_name(path) {
        "pyproject.toml" => Some((Ecosystem::Pypi, pyproject(node))),
        "Pipfile" => Some((Ecosystem::Pypi, pipfile(node))),
        "Cargo.toml" => Some((Ecosystem::Crates, cargo(node))),
        "environment.yml" | "environment.yaml" => Some((Ecosystem::Pypi, environment(node))),
        _ => None,
    }
}

/// A manifest that is read as text.
pub fn of_text(path: &str, text: &str) -> Option<(Ecosystem, Vec<Requirement>)> {
    match file_name(path) {
        "setup.py" => installs(text).then(|| (Ecosystem::Pypi, setup_py(text))),
        "setup.cfg" => Some((Ecosystem::Pypi, setup_cfg(text))),
        _ if is_requirements(path) => Some((Ecosystem::Pypi, requirements_txt(text, is_dev_name(path)))),
        _ => None,
    }
}

/// `requirements.txt`, `requirements-dev.txt`, `dev-requirements.in`, `requirements/prod.txt`.
pub fn is_requirements(path: &str) -> bool {
    let name = file_name(path);
    let Some((stem, "txt" | "in" | "pip")) = name.rsplit_once('.') else { return false };
    let words = || stem.split(['-', '_', '.']);
    words().any(|word| matches!(word, "requirements" | "requirement")) || file_name(folder_of(path)) == "requirements"
}

/// The folder whose packages a requirements file lists: that of `requirements/prod.txt` is the one above.
pub fn folder_of_requirements(path: &str) -> &str {
    let folder = folder_of(path);
    if file_name(folder) == "requirements" { folder_of(folder) } else { folder }
}

/// `requirements-dev.txt`, `requirements/test.txt`, an optional group called `docs`.
pub fn is_dev_name(path: &str) -> bool {
    let name = file_name(path);
    let stem = name.strip_suffix(".txt").or(name.strip_suffix(".in")).unwrap_or(name);
    stem.split(['-', '_', '.']).any(|word| {
        matches!(
            word.to_ascii_lowercase().as_str(),
            "dev"
                | "develop"
                | "development"
                | "test"
                | "tests"
                | "testing"
                | "lint"
                | "linting"
                | "typing"
                | "typecheck"
                | "doc"
                | "docs"
                | "ci"
                | "local"
                | "format"
                | "style"
                | "mypy"
                | "tox"
                | "debug"
                | "bench"
                | "benchmark"
                | "release"
                | "coverage"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirement_files_by_their_names() {
        for path in ["requirements.txt", "api/requirements-dev.txt", "dev-requirements.in", "requirements/prod.txt"] {
            assert!(is_requirements(path), "{path}");
        }
        for path in ["readme.txt", "requirements.md", "requirements/notes.md", "robots.txt"] {
            assert!(!is_requirements(path), "{path}");
        }
        assert!(is_dev_name("requirements-dev.txt") && is_dev_name("requirements/test.txt"));
        assert!(!is_dev_name("requirements.txt") && !is_dev_name("requirements/prod.txt"));
        assert_eq!(folder_of_requirements("api/requirements/prod.txt"), "api");
        assert_eq!(folder_of_requirements("requirements.txt"), ".");
    }
}
