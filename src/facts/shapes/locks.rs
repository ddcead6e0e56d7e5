//! Lock files: whether each manifest with dependencies has one that is used.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::facts::{Fact, Value};
use crate::project::requirements::Ecosystem;
use crate::project::{Area, FileId, ServiceId};
use crate::syntax::{Node, json, yaml};

use super::paths;
use super::values::{fact, optional, span};

/// Lock files by their package manager.
const LOCKS: [(&str, &str); 7] = [
    ("package-lock.json", "npm"),
    ("npm-shrinkwrap.json", "npm"),
    ("pnpm-lock.yaml", "pnpm"),
    ("yarn.lock", "yarn"),
    ("bun.lock", "bun"),
    ("bun.lockb", "bun"),
    ("deno.lock", "deno"),
];

/// A package.json.
#[derive(Debug, Clone)]
pub struct Manifest {
    pub file: FileId,
    pub path: String,
    pub area: Area,
    pub service: ServiceId,
    pub has_dependencies: bool,
    /// `packageManager` without its version.
    pub manager: Option<String>,
    /// The globs of `workspaces`.
    pub workspaces: Vec<String>,
}

impl Manifest {
    /// Reads what matters here; a broken manifest has no dependencies.
    pub fn read(file: FileId, path: &str, area: Area, service: ServiceId, text: &str) -> Manifest {
        let root = json::parse(text).ok();
        let get = |key: &str| root.as_ref().and_then(|root| root.get(key));
        let groups = ["dependencies", "devDependencies", "optionalDependencies"];
        let manager = get("packageManager").and_then(Node::as_text).and_then(|text| text.split('@').next());
        let workspaces = get("workspaces").map(|node| node.get("packages").unwrap_or(node));
        Manifest {
            file,
            path: path.to_owned(),
            area,
            service,
            has_dependencies: groups.iter().any(|group| get(group).is_some_and(|node| !node.entries().is_empty())),
            manager: manager.map(str::to_owned),
            workspaces: workspaces
                .map(super::values::texts)
                .unwrap_or_default()
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }
    }
}

/// What [`locks`] looks at.
pub struct LockInput<'a> {
    /// The tracked paths of the project, sorted.
    pub paths: &'a [&'a str],
    pub manifests: &'a [Manifest],
    /// The text of a file of the project (`.gitignore`, `pnpm-workspace.yaml`).
    pub read: &'a dyn Fn(&str) -> Option<String>,
}

/// A `lock` for each manifest with dependencies: `present`, `missing`, `ignored` or `conflict`.
pub fn locks(input: &LockInput<'_>) -> Vec<Fact> {
    let workspaces = workspaces(input);
    let wanted = input.manifests.iter().filter(|manifest| manifest.has_dependencies);
    let wanted = wanted.filter(|manifest| !paths::passes(&manifest.path, &["node_modules"]));
    wanted.map(|manifest| lock(manifest, &workspaces, input)).collect()
}

fn lock(manifest: &Manifest, workspaces: &[Workspace], input: &LockInput<'_>) -> Fact {
    let folder = paths::folder(&manifest.path);
    let own = locks_in(folder, input);
    let holder = workspaces.iter().rev().find(|workspace| workspace.holds(folder));
    let found = match (own.is_empty(), holder) {
        (true, Some(workspace)) => locks_in(&workspace.folder, input),
        _ => own,
    };
    let mut managers: Vec<&str> = found.iter().map(|(_, manager)| *manager).collect();
    managers.sort_unstable();
    managers.dedup();
    let ignored = if found.is_empty() { ignored_lock(folder, manifest, input) } else { None };
    let state = match (managers.len(), &ignored) {
        (0, Some(_)) => "ignored",
        (0, None) => "missing",
        (1, _) => "present",
        _ => "conflict",
    };
    let path = found.last().map(|(path, _)| path.clone()).or(ignored);
    let manager = manifest.manager.as_deref().or(managers.first().copied());
    let mut fact = fact("lock", span(manifest.file, 0, 0), "shape lock", folder)
        .with("manager", optional(manager))
        .with("path", optional(path.as_deref()))
        .with("manifest", Value::text(manifest.path.as_str()))
        .with("state", Value::text(state))
        .with("ecosystem", Value::text(Ecosystem::Npm.name()));
    fact.area = manifest.area;
    fact.service = manifest.service;
    fact
}

/// The lock files of a folder with their managers.
fn locks_in(folder: &str, input: &LockInput<'_>) -> Vec<(String, &'static str)> {
    let beside = LOCKS.iter().map(|(name, manager)| (paths::join(folder, name), *manager));
    beside.filter(|(path, _)| input.paths.binary_search(&path.as_str()).is_ok()).collect()
}

/// A lock file that an ignore rule of this folder or the root keeps out of git.
fn ignored_lock(folder: &str, manifest: &Manifest, input: &LockInput<'_>) -> Option<String> {
    let fits = |manager: &str| manifest.manager.as_deref().is_none_or(|wanted| wanted == manager);
    let candidates = LOCKS.iter().filter(|(_, manager)| fits(manager)).map(|(name, _)| paths::join(folder, name));
    ignored(candidates, folder, input)
}

/// The first of some paths in a folder that its ignore rules or those of the root leave out.
pub(super) fn ignored(
    mut candidates: impl Iterator<Item = String>,
    folder: &str,
    input: &LockInput<'_>,
) -> Option<String> {
    let ignores: Vec<(String, Gitignore)> =
        [".", folder].into_iter().filter_map(|base| ignore_rules(base, input)).collect();
    candidates.find(|path| {
        ignores.iter().any(|(base, rules)| {
            let inside = if base == "." {
                path.as_str()
            } else {
                path.strip_prefix(base).unwrap_or(path).trim_start_matches('/')
            };
            rules.matched_path_or_any_parents(inside, false).is_ignore()
        })
    })
}

fn ignore_rules(folder: &str, input: &LockInput<'_>) -> Option<(String, Gitignore)> {
    let text = (input.read)(&paths::join(folder, ".gitignore"))?;
    let mut builder = GitignoreBuilder::new("");
    for line in text.lines() {
        // A rule that cannot be read ignores nothing.
        let _ = builder.add_line(None, line);
    }
    builder.build().ok().map(|rules| (folder.to_owned(), rules))
}

/// A folder whose lock file is that of its members too.
struct Workspace {
    folder: String,
    members: GlobSet,
    excluded: GlobSet,
}

impl Workspace {
    fn new(folder: &str, globs: &[String]) -> Workspace {
        let excluded = globs.iter().filter_map(|glob| glob.strip_prefix('!'));
        let members = globs.iter().map(String::as_str).filter(|glob| !glob.starts_with('!'));
        Workspace { folder: folder.to_owned(), members: glob_set(members), excluded: glob_set(excluded) }
    }

    fn holds(&self, folder: &str) -> bool {
        let inside = match self.folder.as_str() {
            "." => Some(folder),
            own => folder.strip_prefix(own).and_then(|rest| rest.strip_prefix('/')),
        };
        inside.is_some_and(|inside| self.members.is_match(inside) && !self.excluded.is_match(inside))
    }
}

fn glob_set<'g>(globs: impl Iterator<Item = &'g str>) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        let glob = glob.trim_start_matches("./").trim_end_matches('/');
        if let Ok(glob) = GlobBuilder::new(glob).literal_separator(true).build() {
            builder.add(glob);
        }
    }
    builder.build().unwrap_or_default()
}

/// All workspaces, outer folders first.
fn workspaces(input: &LockInput<'_>) -> Vec<Workspace> {
    let declared = input.manifests.iter().filter(|manifest| !manifest.workspaces.is_empty());
    let mut found: Vec<Workspace> =
        declared.map(|manifest| Workspace::new(paths::folder(&manifest.path), &manifest.workspaces)).collect();
    for path in input.paths.iter().filter(|path| matches!(paths::name(path), "pnpm-workspace.yaml" | "lerna.json")) {
        let globs = (input.read)(path).and_then(|text| yaml::parse(&text).ok()).and_then(|root| {
            let globs = super::values::texts(root.get("packages")?).into_iter().map(str::to_owned).collect::<Vec<_>>();
            (!globs.is_empty()).then_some(globs)
        });
        if let Some(globs) = globs {
            found.push(Workspace::new(paths::folder(path), &globs));
        }
    }
    found.sort_by_key(|workspace| workspace.folder.len());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITH: &str = r#"{"dependencies": {"express": "^5"}}"#;

    /// State and lock path of each manifest in the given files.
    fn states(files: &[(&str, &str)]) -> Vec<(String, String, String)> {
        let mut files = files.to_vec();
        files.sort_unstable();
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        let manifests: Vec<Manifest> = files
            .iter()
            .filter(|(name, _)| paths::name(name) == "package.json")
            .map(|(name, text)| Manifest::read(FileId(0), name, Area::Config, ServiceId(0), text))
            .collect();
        let read = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned());
        let facts = locks(&LockInput { paths: &names, manifests: &manifests, read: &read });
        let text = |fact: &Fact, name: &str| fact.get(name).and_then(Value::as_text).unwrap_or("-").to_owned();
        facts.iter().map(|fact| (text(fact, "manifest"), text(fact, "state"), text(fact, "path"))).collect()
    }

    fn state(files: &[(&str, &str)]) -> String {
        states(files)[0].1.clone()
    }

    #[test]
    fn single_packages() {
        assert_eq!(state(&[("package.json", WITH), ("package-lock.json", "")]), "present");
        assert_eq!(state(&[("package.json", WITH)]), "missing");
        assert_eq!(state(&[("package.json", WITH), ("yarn.lock", ""), ("package-lock.json", "")]), "conflict");
        assert_eq!(state(&[("package.json", WITH), ("bun.lock", ""), ("bun.lockb", "")]), "present");
        assert_eq!(state(&[("package.json", WITH), (".gitignore", "dist\npackage-lock.json\n")]), "ignored");
        assert_eq!(state(&[("package.json", WITH), (".gitignore", "*.lock\n")]), "ignored");
        assert!(states(&[("package.json", "{}")]).is_empty());
        assert!(states(&[("node_modules/a/package.json", WITH)]).is_empty());
    }

    #[test]
    fn members_are_locked_at_the_root() {
        let root = r#"{"private": true, "workspaces": ["apps/*", "!apps/old"], "devDependencies": {"turbo": "2"}}"#;
        let files = [
            ("package.json", root),
            ("package-lock.json", ""),
            ("apps/api/package.json", WITH),
            ("apps/old/package.json", WITH),
            ("apps/api/nested/package.json", WITH),
        ];
        let found = states(&files);
        let row = |path: &str, state: &str, lock: &str| (path.to_owned(), state.to_owned(), lock.to_owned());
        assert_eq!(
            found,
            [
                row("apps/api/nested/package.json", "missing", "-"),
                row("apps/api/package.json", "present", "package-lock.json"),
                row("apps/old/package.json", "missing", "-"),
                row("package.json", "present", "package-lock.json"),
            ]
        );
    }

    #[test]
    fn pnpm_workspaces() {
        let files = [
            ("package.json", "{}"),
            ("pnpm-workspace.yaml", "packages:\n  - 'packages/**'\n"),
            ("pnpm-lock.yaml", ""),
            ("packages/a/b/package.json", WITH),
        ];
        assert_eq!(state(&files), "present");
    }
}
