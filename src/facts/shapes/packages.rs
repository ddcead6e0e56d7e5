//! Dependencies of all manifests, and the scripts of package.json.

use std::collections::BTreeMap;

use crate::facts::{Fact, Value};
use crate::project::FileId;
use crate::project::requirements::{self, Ecosystem, Requirement};
use crate::syntax::Node;

use super::values::{fact, span};

/// A `dependency` for each package that the manifest asks for.
pub fn dependencies(file: FileId, manifest: &Node) -> Vec<Fact> {
    let groups = [("dependencies", false), ("optionalDependencies", false), ("devDependencies", true)];
    let mut facts = Vec::new();
    for (group, dev) in groups {
        for entry in manifest.get(group).map(Node::entries).unwrap_or_default() {
            let Some(version) = entry.value.as_text() else { continue };
            let at = span(file, entry.key_start, entry.value.end.max(entry.key_end));
            facts.push(
                fact("dependency", at, "shape dependency", &entry.key)
                    .with("name", Value::text(entry.key.clone()))
                    .with("version", Value::text(version))
                    .with("dev", Value::bool(dev))
                    .with("loose", Value::bool(is_loose(version)))
                    .with("ecosystem", Value::text(Ecosystem::Npm.name())),
            );
        }
    }
    facts.sort_by_key(|fact| fact.at.start);
    facts
}

/// A `dependency` for each package that a manifest of Python or Rust asks for, if the tree is one.
pub fn required_by_tree(file: FileId, path: &str, node: &Node) -> Vec<Fact> {
    requirements::of_tree(path, node).map(|found| required(file, found)).unwrap_or_default()
}

/// As [`required_by_tree`], for manifests that are plain text.
pub fn required_by_text(file: FileId, path: &str, text: &str) -> Vec<Fact> {
    requirements::of_text(path, text).map(|found| required(file, found)).unwrap_or_default()
}

fn required(file: FileId, (ecosystem, found): (Ecosystem, Vec<Requirement>)) -> Vec<Fact> {
    let facts = found.into_iter().map(|requirement| {
        let at = span(file, requirement.start, requirement.end);
        let version = if requirement.inherited { "workspace" } else { &*requirement.version };
        fact("dependency", at, "shape dependency", &requirement.name)
            .with("name", Value::text(requirement.name.clone()))
            .with("version", Value::text(version))
            .with("dev", Value::bool(requirement.dev))
            .with("loose", Value::bool(requirement.loose))
            .with("ecosystem", Value::text(ecosystem.name()))
    });
    facts.collect()
}

/// The scripts by name.
pub fn scripts(manifest: &Node) -> BTreeMap<String, String> {
    let entries = manifest.get("scripts").map(Node::entries).unwrap_or_default();
    entries.iter().filter_map(|entry| Some((entry.key.to_string(), entry.value.as_text()?.to_owned()))).collect()
}

/// Anything may come tomorrow: any version, a moving tag, the branch of a repository.
fn is_loose(version: &str) -> bool {
    let version = version.trim();
    if version.is_empty() || ["*", "x", "latest", "next", "canary", "nightly", ">=0", ">=0.0.0"].contains(&version) {
        return true;
    }
    let hosted = ["git+", "git:", "github:", "gitlab:", "bitbucket:", "git@"].iter().any(|p| version.starts_with(p));
    let short = version.split('#').next().is_some_and(is_repository);
    let archive = version.starts_with("http") && version.trim_end_matches('/').ends_with(".git");
    (hosted || short || archive) && !version.split_once('#').is_some_and(|(_, reference)| is_pinned(reference))
}

/// `owner/name`
fn is_repository(text: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    text.split_once('/').is_some_and(|(owner, name)| !owner.starts_with('.') && plain(owner) && plain(name))
}

/// A commit, a version tag or a version range rather than a branch.
fn is_pinned(reference: &str) -> bool {
    let commit = reference.len() >= 7 && reference.chars().all(|c| c.is_ascii_hexdigit());
    let tag = reference.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit()) && reference.contains('.');
    commit || tag || reference.starts_with("semver:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::json;

    #[test]
    fn dependencies_with_version_and_group() {
        let text = r#"{"scripts": {"test": "vitest", "x": 1},
            "dependencies": {"express": "^5.0.0", "left": "*", "broken": 1}, "devDependencies": {"vitest": "latest"}}"#;
        let manifest = json::parse(text).unwrap();
        let facts = dependencies(FileId(3), &manifest);
        let rows: Vec<_> = facts
            .iter()
            .map(|f| (f.symbol.to_string(), f.get("dev").cloned().unwrap(), f.get("loose").cloned().unwrap()))
            .collect();
        let row = |name: &str, dev, loose| (name.to_owned(), Value::bool(dev), Value::bool(loose));
        assert_eq!(rows, [row("express", false, false), row("left", false, true), row("vitest", true, true)]);
        assert_eq!(&text[facts[0].at.start as usize..facts[0].at.end as usize], "\"express\": \"^5.0.0\"");
        assert_eq!(scripts(&manifest), BTreeMap::from([("test".to_owned(), "vitest".to_owned())]));
    }

    #[test]
    fn branches_are_loose_and_commits_are_not() {
        for version in ["github:a/b", "a/b#main", "git+https://host/a/b.git#develop", "https://host/a/b.git", ""] {
            assert!(is_loose(version), "{version}");
        }
        for version in
            ["a/b#1a2b3c4d", "github:a/b#v1.2.3", "workspace:*", "npm:x@^1", "file:../x", "catalog:", "~1.2", "./a/b"]
        {
            assert!(!is_loose(version), "{version}");
        }
    }
}
