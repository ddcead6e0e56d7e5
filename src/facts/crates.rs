//! Where Rust paths lead: the files of a crate by its `mod` tree, crates of the workspace by their names.

use std::collections::HashMap;

use super::program::Resolution;
use crate::project::paths::join_parts;
use crate::project::{FileId, FileKind, Project};
use crate::syntax::Node;

/// The crates of one project.
#[derive(Debug, Default)]
pub struct Crates {
    /// By name as code writes it: the root of the library.
    libraries: HashMap<String, FileId>,
}

/// The files that a crate starts at, in the order in which modules beside them most likely belong to one.
const ROOTS: &[&str] = &["lib.rs", "main.rs"];
/// Folders whose files are crates of their own.
const OWN_CRATES: &[&str] = &["bin", "tests", "benches", "examples"];

impl Crates {
    pub fn new(project: &Project, trees: &HashMap<FileId, Node>) -> Crates {
        let mut libraries = HashMap::new();
        for (&file, node) in trees {
            let path = &project.file(file).path;
            let (folder, name) = split(path);
            if name != "Cargo.toml" {
                continue;
            }
            let library = node.get("lib");
            let of_library = |key: &str| library?.get(key)?.as_text();
            let named = of_library("name").or_else(|| node.get("package")?.get("name")?.as_text());
            let root = of_library("path").unwrap_or("src/lib.rs");
            if let (Some(name), Some(root)) = (named, rust_file(project, &join_parts(folder, root))) {
                libraries.insert(name.replace('-', "_"), root);
            }
        }
        Crates { libraries }
    }

    /// What `specifier` leads to from a file: `crate::a`, `super`, `mod x`, `axum::routing`.
    pub fn resolve(&self, project: &Project, from: FileId, specifier: &str) -> Resolution {
        let path = &project.file(from).path;
        if let Some(name) = specifier.strip_prefix("mod ") {
            return found(child(project, &own_folder(path), name));
        }
        if let Some(written) = specifier.strip_prefix("path ") {
            return found(rust_file(project, &join_parts(split(path).0, written)));
        }
        let parts: Vec<&str> = specifier.split("::").collect();
        let ups = parts.iter().take_while(|part| **part == "super").count();
        let start = match parts.first() {
            Some(&"crate") => root_of(project, path).map(|file| (file, 1)),
            Some(&"self") => Some((from, 1)),
            Some(&"super") => ancestor(project, from, ups).map(|file| (file, ups)),
            Some(&name) => self.libraries.get(name).map(|&file| (file, 1)),
            None => None,
        };
        let is_own = matches!(parts.first(), Some(&("crate" | "self" | "super")));
        match start {
            Some((file, used)) => walk(project, file, parts.get(used..).unwrap_or(&[])),
            None if is_own => Resolution::Missing,
            None => Resolution::Package(specifier.to_owned()),
        }
    }
}

/// Follows names to files as far as there are some; what is left are names of the last.
fn walk(project: &Project, start: FileId, names: &[&str]) -> Resolution {
    let mut file = start;
    for (index, name) in names.iter().enumerate() {
        match child(project, &own_folder(&project.file(file).path), name) {
            Some(next) => file = next,
            None => {
                let rest = names.get(index..).unwrap_or(&[]);
                return Resolution::Within(file, rest.iter().map(|name| (*name).into()).collect());
            }
        }
    }
    Resolution::File(file)
}

fn found(file: Option<FileId>) -> Resolution {
    file.map_or(Resolution::Missing, Resolution::File)
}

fn child(project: &Project, folder: &str, name: &str) -> Option<FileId> {
    rust_file(project, &join_parts(folder, &format!("{name}.rs")))
        .or_else(|| rust_file(project, &join_parts(folder, &format!("{name}/mod.rs"))))
}

fn rust_file(project: &Project, path: &str) -> Option<FileId> {
    project.find(path).filter(|file| project.file(*file).kind == FileKind::Rust)
}

/// The folder where the modules are that a file declares.
fn own_folder(path: &str) -> String {
    let (folder, name) = split(path);
    if ROOTS.contains(&name) || name == "mod.rs" || name == "build.rs" || is_own_crate(folder) {
        return folder.to_owned();
    }
    join_parts(folder, name.trim_end_matches(".rs"))
}

fn is_own_crate(folder: &str) -> bool {
    OWN_CRATES.contains(&split(folder).1)
}

/// The root of the crate that a file belongs to.
fn root_of(project: &Project, path: &str) -> Option<FileId> {
    let (mut folder, name) = split(path);
    if ROOTS.contains(&name) || is_own_crate(folder) {
        return project.find(path);
    }
    loop {
        if let Some(root) = ROOTS.iter().find_map(|root| rust_file(project, &join_parts(folder, root))) {
            return Some(root);
        }
        if folder.is_empty() {
            return None;
        }
        folder = split(folder).0;
    }
}

/// The module `ups` above that of a file.
fn ancestor(project: &Project, from: FileId, ups: usize) -> Option<FileId> {
    (0..ups).try_fold(from, |file, _| parent(project, &project.file(file).path))
}

fn parent(project: &Project, path: &str) -> Option<FileId> {
    let (folder, name) = split(path);
    let folder = if name == "mod.rs" { split(folder).0 } else { folder };
    let in_folder =
        ["mod.rs", "lib.rs", "main.rs"].iter().find_map(|root| rust_file(project, &join_parts(folder, root)));
    let beside = || rust_file(project, &format!("{folder}.rs"));
    in_folder.filter(|file| *project.file(*file).path != *path).or_else(beside)
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Tree, WalkOptions, discover};

    const FILES: &[&str] = &[
        "src/main.rs",
        "src/routes/mod.rs",
        "src/routes/users.rs",
        "src/db.rs",
        "src/db/pool.rs",
        "src/bin/tool.rs",
        "crates/my-utils/src/lib.rs",
        "crates/my-utils/src/error.rs",
    ];

    fn resolve(from: &str, specifier: &str) -> String {
        let manifest = "[package]\nname = \"my-utils\"\n";
        let files = FILES.iter().map(|path| (*path, "")).chain([("crates/my-utils/Cargo.toml", manifest)]);
        let project = discover(Tree::in_memory(files), &WalkOptions::default()).unwrap();
        let file = project.find("crates/my-utils/Cargo.toml").unwrap();
        let node = crate::syntax::toml_file::parse(manifest).unwrap();
        let crates = Crates::new(&project, &HashMap::from([(file, node)]));
        let path = |file: FileId| project.file(file).path.to_string();
        match crates.resolve(&project, project.find(from).unwrap(), specifier) {
            Resolution::File(file) => path(file),
            Resolution::Within(file, names) => format!("{} {}", path(file), names.join(" ")),
            Resolution::Package(name) => format!("package {name}"),
            Resolution::Missing => "missing".to_owned(),
        }
    }

    #[test]
    fn modules_are_found_beside_and_below_the_file_that_declares_them() {
        for (from, specifier, wanted) in [
            ("src/main.rs", "mod db", "src/db.rs"),
            ("src/main.rs", "mod routes", "src/routes/mod.rs"),
            ("src/routes/mod.rs", "mod users", "src/routes/users.rs"),
            ("src/db.rs", "mod pool", "src/db/pool.rs"),
            ("src/db.rs", "mod none", "missing"),
            ("src/db.rs", "path pool_of_windows.rs", "missing"),
            ("src/db.rs", "path db/pool.rs", "src/db/pool.rs"),
        ] {
            assert_eq!(resolve(from, specifier), wanted, "{specifier} in {from}");
        }
    }

    #[test]
    fn paths_start_at_the_crate_at_the_module_above_or_at_another_crate() {
        for (from, specifier, wanted) in [
            ("src/routes/users.rs", "crate", "src/main.rs"),
            ("src/routes/users.rs", "crate::db::pool", "src/db/pool.rs"),
            ("src/routes/users.rs", "crate::db::Error", "src/db.rs Error"),
            ("src/routes/users.rs", "super", "src/routes/mod.rs"),
            ("src/routes/users.rs", "super::super::db", "src/db.rs"),
            ("src/db/pool.rs", "super", "src/db.rs"),
            ("src/bin/tool.rs", "crate", "src/bin/tool.rs"),
            ("src/main.rs", "my_utils::error", "crates/my-utils/src/error.rs"),
            ("src/main.rs", "axum::routing", "package axum::routing"),
            ("src/main.rs", "super", "missing"),
        ] {
            assert_eq!(resolve(from, specifier), wanted, "{specifier} in {from}");
        }
    }
}
