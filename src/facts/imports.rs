//! Where imports lead; for JavaScript: relative paths, path mappings of `tsconfig.json`, workspace packages.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;

use super::crates::Crates;
use super::program::{Resolution, Resolver};
use crate::project::paths::join_parts;
use crate::project::{FileId, FileKind, Project};
use crate::syntax::Node;

/// The folder of the configuration that counts, and a name as it is imported.
type Asked = (Option<String>, Box<str>);

/// Resolves imports of one project.
pub struct ImportResolver<'p> {
    project: &'p Project,
    /// By the folder of the `tsconfig.json` (or `jsconfig.json`).
    configs: HashMap<String, Mappings>,
    crates: Crates,
    /// What has been found for names that are no paths, by the configuration that counts: most are names of packages,
    /// and each is written in many files.
    known: Mutex<FxHashMap<Asked, Option<FileId>>>,
}

#[derive(Debug, Default, Clone)]
struct Mappings {
    base: Option<String>,
    /// Pattern with at most one `*`, and its targets, relative to the project's root.
    paths: Vec<(String, Vec<String>)>,
    extends: Option<String>,
}

const MAX_EXTENDS: usize = 6;

impl<'p> ImportResolver<'p> {
    /// `trees`: the parsed manifests of the project.
    pub fn new(project: &'p Project, trees: &HashMap<FileId, Node>) -> ImportResolver<'p> {
        let mut configs = HashMap::new();
        for (&file, node) in trees {
            let path = &project.file(file).path;
            let (folder, name) = split(path);
            if matches!(name, "tsconfig.json" | "jsconfig.json") {
                configs.insert(folder.to_owned(), mappings(folder, node));
            } else if name.starts_with("tsconfig") {
                // Only reached through `extends`.
                configs.insert(path.trim_end_matches(".json").to_owned(), mappings(folder, node));
            } else if name == "package.json"
                && let Some(imports) = node.get("imports")
            {
                let entry = configs.entry(format!("#{folder}")).or_insert_with(Mappings::default);
                entry.paths = subpath_imports(folder, imports);
            }
        }
        ImportResolver { project, configs, crates: Crates::new(project, trees), known: Mutex::default() }
    }

    /// The file that a name means which is no path: by the nearest configuration, or as a package of the workspace.
    fn named(&self, folder: &str, specifier: &str) -> Option<FileId> {
        let key = (self.nearest(folder), Box::from(specifier));
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return *known;
        }
        let found = self.mapped(folder, specifier).or_else(|| self.project.workspace_module(specifier));
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, found);
        found
    }

    fn mapped(&self, folder: &str, specifier: &str) -> Option<FileId> {
        let mut seen = 0;
        let mut key = self.nearest(folder)?;
        loop {
            let config = self.configs.get(&key)?;
            if let Some(found) = self.by_paths(config, specifier) {
                return Some(found);
            }
            if let Some(base) = &config.base
                && let Some(found) = self.project.module_at(base, specifier)
            {
                return Some(found);
            }
            key = config.extends.clone()?;
            seen += 1;
            if seen > MAX_EXTENDS {
                return None;
            }
        }
    }

    /// The configuration of the nearest folder upwards.
    fn nearest(&self, folder: &str) -> Option<String> {
        let mut folder = folder;
        loop {
            if self.configs.contains_key(folder) {
                return Some(folder.to_owned());
            }
            if folder.is_empty() {
                return None;
            }
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }

    fn by_paths(&self, config: &Mappings, specifier: &str) -> Option<FileId> {
        config.paths.iter().find_map(|(pattern, targets)| {
            let middle = match pattern.split_once('*') {
                None => (pattern == specifier).then_some("")?,
                Some((before, after)) => specifier.strip_prefix(before)?.strip_suffix(after)?,
            };
            targets.iter().find_map(|target| self.project.module_at("", &target.replace('*', middle)))
        })
    }

    fn subpath(&self, folder: &str, specifier: &str) -> Option<FileId> {
        let mut folder = folder;
        loop {
            if let Some(config) = self.configs.get(&format!("#{folder}")) {
                return self.by_paths(config, specifier);
            }
            folder = folder.rsplit_once('/').map(|(parent, _)| parent).or((!folder.is_empty()).then_some(""))?;
        }
    }
}

impl Resolver for ImportResolver<'_> {
    fn resolve(&self, from: FileId, specifier: &str) -> Resolution {
        let file = self.project.file(from);
        if file.kind == FileKind::Rust {
            return self.crates.resolve(self.project, from, specifier);
        }
        let (folder, _) = split(&file.path);
        if specifier.starts_with("./") || specifier.starts_with("../") || matches!(specifier, "." | "..") {
            return self.project.module_at(folder, specifier).map_or(Resolution::Missing, Resolution::File);
        }
        if specifier.starts_with('#')
            && let Some(file) = self.subpath(folder, specifier)
        {
            return Resolution::File(file);
        }
        if let Some(file) = self.named(folder, specifier) {
            return Resolution::File(file);
        }
        let is_mapped = specifier.starts_with("@/") || specifier.starts_with("~/") || specifier.starts_with('/');
        if is_mapped { Resolution::Missing } else { Resolution::Package(specifier.to_owned()) }
    }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn mappings(folder: &str, node: &Node) -> Mappings {
    let options = node.get("compilerOptions");
    let base = options.and_then(|o| o.get("baseUrl")).and_then(Node::as_text).map(|base| join_parts(folder, base));
    let root = base.clone().unwrap_or_else(|| folder.to_owned());
    let paths = options
        .and_then(|o| o.get("paths"))
        .map(|paths| {
            let entries = paths.entries().iter();
            entries
                .map(|entry| {
                    let targets = entry.value.items().iter().filter_map(Node::as_text);
                    (entry.key.to_string(), targets.map(|target| join_parts(&root, target)).collect())
                })
                .collect()
        })
        .unwrap_or_default();
    let extends = node
        .get("extends")
        .and_then(|e| e.as_text().or_else(|| e.items().first().and_then(Node::as_text)))
        .filter(|path| path.starts_with('.'))
        .map(|path| {
            let path = join_parts(folder, path);
            let path = path.trim_end_matches(".json");
            // `tsconfig.json` itself is known by its folder.
            path.strip_suffix("/tsconfig").or((path == "tsconfig").then_some("")).unwrap_or(path).to_owned()
        });
    Mappings { base, paths, extends }
}

fn subpath_imports(folder: &str, imports: &Node) -> Vec<(String, Vec<String>)> {
    let targets = |value: &Node| -> Vec<String> {
        let direct = value.as_text().map(|text| join_parts(folder, text));
        let nested =
            value.entries().iter().filter_map(|entry| entry.value.as_text()).map(|text| join_parts(folder, text));
        direct.into_iter().chain(nested).collect()
    };
    imports.entries().iter().map(|entry| (entry.key.to_string(), targets(&entry.value))).collect()
}
