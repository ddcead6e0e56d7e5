//! Lock files of Python and Rust: whether each project with dependencies has one.

use std::collections::BTreeMap;

use crate::facts::{Fact, Value};
use crate::project::requirements::{self, Ecosystem};
use crate::project::{Area, FileId, ServiceId};
use crate::syntax::{Node, toml_file, yaml};

use super::locks::{LockInput, ignored};
use super::paths;
use super::values::{fact, optional, span};

/// Lock files by the tool that writes them.
const PYTHON: [(&str, &str); 8] = [
    ("uv.lock", "uv"),
    ("poetry.lock", "poetry"),
    ("pdm.lock", "pdm"),
    ("Pipfile.lock", "pipenv"),
    ("pylock.toml", "pip"),
    ("pixi.lock", "pixi"),
    ("conda-lock.yml", "conda-lock"),
    ("conda-lock.yaml", "conda-lock"),
];
const RUST: [(&str, &str); 1] = [("Cargo.lock", "cargo")];
/// Which manifest speaks for its folder, most telling first.
const ORDER: [&str; 6] = ["pyproject.toml", "Pipfile", "requirements.txt", "environment.yml", "setup.py", "setup.cfg"];

/// A manifest of Python or Rust.
#[derive(Debug)]
pub struct NativeManifest<'a> {
    pub file: FileId,
    pub path: &'a str,
    pub text: &'a str,
    pub area: Area,
    pub service: ServiceId,
    /// Its service is only a library, which others lock.
    pub library: bool,
}

/// What a folder's manifests say together.
struct Project<'a> {
    manifest: &'a NativeManifest<'a>,
    ecosystem: Ecosystem,
    folder: String,
    /// Requirement files for production, and those of them that fix all versions.
    files: usize,
    fixed: Vec<&'a str>,
}

/// A `lock` for each project with dependencies: `present`, `missing`, `ignored` or `conflict`.
pub fn native_locks(manifests: &[NativeManifest<'_>], input: &LockInput<'_>) -> Vec<Fact> {
    let mut projects: BTreeMap<(String, Ecosystem), Project<'_>> = BTreeMap::new();
    for manifest in manifests {
        let Some((ecosystem, is_production)) = read(manifest) else { continue };
        let is_requirements = requirements::is_requirements(manifest.path);
        let folder = match is_requirements {
            true => requirements::folder_of_requirements(manifest.path).to_owned(),
            false => paths::folder(manifest.path).to_owned(),
        };
        if !is_production {
            continue;
        }
        let key = (folder.clone(), ecosystem);
        let project =
            projects.entry(key).or_insert(Project { manifest, ecosystem, folder, files: 0, fixed: Vec::new() });
        if rank(manifest.path) < rank(project.manifest.path) {
            project.manifest = manifest;
        }
        if is_requirements && !manifest.path.ends_with(".in") {
            project.files += 1;
            project.fixed.extend(requirements::pins(manifest.text).is_lock().then_some(manifest.path));
        }
    }
    projects.values().filter_map(|project| lock(project, input)).collect()
}

fn rank(path: &str) -> usize {
    ORDER.iter().position(|name| *name == paths::name(path)).unwrap_or(ORDER.len())
}

/// The registry of a manifest, and whether it asks for anything that production needs.
fn read(manifest: &NativeManifest<'_>) -> Option<(Ecosystem, bool)> {
    let name = paths::name(manifest.path);
    let tree: Option<Node> = match name.rsplit_once('.').map_or(name, |(_, extension)| extension) {
        "toml" | "Pipfile" => Some(toml_file::parse(manifest.text).ok()?),
        "yml" | "yaml" => Some(yaml::parse(manifest.text).ok()?),
        _ => None,
    };
    let found = match &tree {
        Some(node) => requirements::of_tree(manifest.path, node),
        None => requirements::of_text(manifest.path, manifest.text),
    };
    found.map(|(ecosystem, found)| (ecosystem, found.iter().any(|requirement| !requirement.dev)))
}

fn lock(project: &Project<'_>, input: &LockInput<'_>) -> Option<Fact> {
    let names: &[(&str, &str)] = if project.ecosystem == Ecosystem::Crates { &RUST } else { &PYTHON };
    let tracked = |path: &str| input.paths.binary_search(&path).is_ok();
    let locks_in = |folder: &str| {
        let beside = names.iter().map(|(name, tool)| (paths::join(folder, name), *tool));
        beside.filter(|(path, _)| tracked(path)).collect::<Vec<_>>()
    };
    let own = locks_in(&project.folder);
    let found = if own.is_empty() { inherited(project, &locks_in) } else { own };
    let candidates = names.iter().map(|(name, _)| paths::join(&project.folder, name));
    let left_out = || ignored(candidates, &project.folder, input);
    // `requirements.txt` may be written from others, which then need not fix anything.
    let is_written = project.fixed.iter().any(|path| paths::name(path) == "requirements.txt");
    let all_fixed = is_written || (project.files > 0 && project.fixed.len() == project.files);
    let (state, manager, path) = match found.as_slice() {
        [] if all_fixed => ("present", Some("pip"), project.fixed.first().map(|path| (*path).to_owned())),
        [] if project.manifest.library => return None,
        [] => match left_out() {
            Some(path) => ("ignored", None, Some(path)),
            None => ("missing", None, None),
        },
        [(path, tool)] => ("present", Some(*tool), Some(path.clone())),
        [(path, tool), rest @ ..] => {
            let same = rest.iter().all(|(_, other)| other == tool);
            (if same { "present" } else { "conflict" }, Some(*tool), Some(path.clone()))
        }
    };
    let manifest = project.manifest;
    let mut fact = fact("lock", span(manifest.file, 0, 0), "shape lock", &project.folder)
        .with("manager", optional(manager))
        .with("path", optional(path.as_deref()))
        .with("manifest", Value::text(manifest.path))
        .with("state", Value::text(state))
        .with("ecosystem", Value::text(project.ecosystem.name()));
    fact.area = manifest.area;
    fact.service = manifest.service;
    Some(fact)
}

/// The lock of a workspace above: Cargo and uv keep one for all members.
fn inherited(
    project: &Project<'_>,
    locks_in: &dyn Fn(&str) -> Vec<(String, &'static str)>,
) -> Vec<(String, &'static str)> {
    let above =
        std::iter::successors(Some(project.folder.as_str()), |folder| (*folder != ".").then(|| paths::folder(folder)));
    let shared = |folder: &str| {
        let found = locks_in(folder).into_iter().filter(|(_, tool)| matches!(*tool, "cargo" | "uv"));
        Some(found.collect::<Vec<_>>()).filter(|found| !found.is_empty())
    };
    above.skip(1).find_map(shared).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states_of(files: &[(&str, &str)], library: bool) -> Vec<(String, String)> {
        let mut files = files.to_vec();
        files.sort_unstable();
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        let manifests: Vec<NativeManifest> = files
            .iter()
            .map(|(path, text)| NativeManifest {
                file: FileId(0),
                path,
                text,
                area: Area::Config,
                service: ServiceId(0),
                library,
            })
            .collect();
        let read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        let facts = native_locks(&manifests, &LockInput { paths: &names, manifests: &[], read: &read });
        let text = |fact: &Fact, name: &str| fact.get(name).and_then(Value::as_text).unwrap_or("-").to_owned();
        facts.iter().map(|fact| (text(fact, "manifest"), text(fact, "state"))).collect()
    }

    fn state(files: &[(&str, &str)]) -> String {
        states_of(files, false)[0].1.clone()
    }

    const POETRY: &str = "[tool.poetry.dependencies]\nfastapi = '^0.110'\n";
    const CRATE: &str = "[package]\nname = 'shop'\n[dependencies]\naxum = '0.8'\n";

    #[test]
    fn python_projects() {
        assert_eq!(state(&[("pyproject.toml", POETRY), ("poetry.lock", "")]), "present");
        assert_eq!(state(&[("pyproject.toml", POETRY)]), "missing");
        assert_eq!(state(&[("pyproject.toml", POETRY), (".gitignore", "*.lock\n")]), "ignored");
        assert_eq!(state(&[("pyproject.toml", POETRY), ("poetry.lock", ""), ("uv.lock", "")]), "conflict");
        assert_eq!(state(&[("Pipfile", "[packages]\nflask = '*'"), ("Pipfile.lock", "{}")]), "present");
        assert_eq!(states_of(&[("pyproject.toml", POETRY)], true), []);
        assert_eq!(states_of(&[("requirements-dev.txt", "pytest\n")], false), []);
    }

    #[test]
    fn requirement_files_may_be_their_own_lock() {
        assert_eq!(state(&[("requirements.txt", "flask==3.0\nredis==5.0\n")]), "present");
        assert_eq!(state(&[("requirements.txt", "flask==3.0\nredis\n")]), "missing");
        assert_eq!(state(&[("requirements.in", "flask\n"), ("requirements.txt", "flask==3.0\n")]), "present");
        let written = [("base_requirements.txt", "flask\n"), ("requirements.txt", "flask==3.0\n")];
        assert_eq!(state(&written), "present");
        let split = [("requirements.txt", "-r requirements/prod.txt"), ("requirements/prod.txt", "flask\n")];
        assert_eq!(states_of(&split, false), [("requirements/prod.txt".to_owned(), "missing".to_owned())]);
    }

    #[test]
    fn crates_and_their_workspace() {
        assert_eq!(state(&[("Cargo.toml", CRATE), ("Cargo.lock", "")]), "present");
        assert_eq!(state(&[("Cargo.toml", CRATE), (".gitignore", "target\nCargo.lock\n")]), "ignored");
        assert_eq!(states_of(&[("Cargo.toml", CRATE)], true), []);
        let member = [("Cargo.toml", "[workspace]\nmembers = ['api']"), ("Cargo.lock", ""), ("api/Cargo.toml", CRATE)];
        assert_eq!(states_of(&member, false), [("api/Cargo.toml".to_owned(), "present".to_owned())]);
    }

    #[test]
    fn broken_manifests_are_left_out() {
        assert!(
            states_of(&[("Cargo.toml", "[package"), ("pyproject.toml", "a ="), ("Pipfile", "[")], false).is_empty()
        );
    }
}
